//! A log held against its last known checkpoint, and read while others write to it.
//!
//! Invariant: a log that holds less than it once did, or something else, is not gone on with.

use jiff::Timestamp;
use prosopon_tlog::{Checkpoint, Reader};

use crate::audit::error::AuditError;
use crate::audit::leaf::Leaf;
use crate::audit::writer::Place;

/// The last checkpoint that was kept outside the log.
///
/// # Errors
/// Missing or damaged.
pub fn anchor(place: &Place) -> Result<Checkpoint, AuditError> {
    let damaged = || AuditError::Anchor { path: place.anchor.clone() };
    let text = std::fs::read_to_string(&place.anchor).map_err(|_| damaged())?;
    text.parse().map_err(|_| damaged())
}

/// A log that holds less than it once did, or something else, is no log to go on with.
pub(super) fn check_anchor(place: &Place) -> Result<(), AuditError> {
    let anchor = anchor(place)?;
    let behind = |found| AuditError::Behind {
        path: place.folder.clone(),
        found,
        expected: anchor.size(),
        anchor: place.anchor.clone(),
    };
    if !place.folder.join("checkpoint").exists() {
        return Err(behind(0));
    }
    let fail = |source| AuditError::of_log(place.folder.clone(), source);
    steady(place, |reader| {
        let found = reader.checkpoint().size();
        if found < anchor.size() {
            return Err(behind(found));
        }
        if reader.root_at(anchor.size()).map_err(fail)? != *anchor.root() {
            return Err(AuditError::Forked { path: place.folder.clone(), entries: anchor.size() });
        }
        Ok(())
    })
}

/// As often a reading is begun anew because another process has published meanwhile.
const ATTEMPTS: u32 = 20;

/// Reads the log; once more, if it failed because another process has published meanwhile, which takes partial tiles
/// away that the older checkpoint needs.
pub(super) fn steady<T>(place: &Place, read: impl Fn(&Reader) -> Result<T, AuditError>) -> Result<T, AuditError> {
    let fail = |source| AuditError::of_log(place.folder.clone(), source);
    let mut reader = Reader::open(&place.folder).map_err(fail)?;
    for _ in 0..ATTEMPTS {
        match read(&reader) {
            Err(error) => {
                let newer = Reader::open(&place.folder).map_err(fail)?;
                if newer.checkpoint().size() == reader.checkpoint().size() {
                    return Err(error);
                }
                reader = newer;
            }
            done => return done,
        }
    }
    read(&reader)
}

/// The time of the newest entry, also of those that are not in tiles yet.
pub(super) fn newest(place: &Place, size: u64) -> Result<Timestamp, AuditError> {
    let fail = |source| AuditError::of_log(place.folder.clone(), source);
    if size == 0 {
        return Ok(Timestamp::MIN);
    }
    let last = steady(place, |reader| {
        let pending = reader.pending().map_err(fail)?;
        if let Some(bytes) = pending.iter().last() {
            return Ok(Some(bytes.to_vec()));
        }
        let size = reader.checkpoint().size();
        let mut leaves = reader.leaves(size.saturating_sub(1)..size).map_err(fail)?;
        leaves.next().transpose().map_err(fail)
    })?;
    let read = last.and_then(|bytes| Leaf::read(&bytes).ok());
    read.map(|leaf| leaf.at).ok_or(AuditError::Entry { path: place.folder.clone(), seq: size - 1 })
}
