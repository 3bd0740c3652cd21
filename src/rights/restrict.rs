//! Restriction (Art. 18 GDPR): the data moves out of the tables that people read, into a sealed copy.
//!
//! Invariant: storing is all that is left; the copy opens under the person's key only, and goes when the restriction is
//! lifted or the person is erased. It is the same whichever way the restriction came: by a command, an import or a run.

use std::path::Path;

use jiff::Timestamp;

use crate::keys::{SubjectKey, Vault};
use crate::model::SubjectId;
use crate::rights::access::sealed::{self, SealedPart};
use crate::rights::store::{Store, StoreError};
use crate::sink::{self, SinkError};

/// Why a copy cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum RestrictError {
    /// The tables.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The sealed store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps a sealed copy of everything that the tables of a home have about a person, beside what was sealed before; tells
/// whether there was anything.
///
/// # Errors
/// The tables cannot be read, or the store cannot be written.
pub fn keep(
    (home, store, vault): (&Path, &Store, &Vault),
    subject: &SubjectId,
    key: &SubjectKey,
) -> Result<bool, RestrictError> {
    let rectified = store.rectifications(key)?;
    let mut new = Vec::new();
    for pipeline in sink::pipelines(home) {
        let current = sink::current(home, &pipeline)?;
        for snapshot in sink::snapshots(home, &pipeline)? {
            let is_current = current.as_ref().is_some_and(|current| current.run_id() == snapshot.run_id());
            new.extend(SealedPart::of((&pipeline, &snapshot, is_current), subject, &rectified)?);
        }
    }
    if new.is_empty() {
        return Ok(false);
    }
    store.keep_restricted(vault, key, |before| {
        // What was authenticated is a copy of this or an older version.
        let mut all = before.and_then(|copy| sealed::parts(&copy).ok()).unwrap_or_default();
        all.retain(|old| !new.iter().any(|part| (&part.pipeline, &part.snapshot) == (&old.pipeline, &old.snapshot)));
        all.extend(new);
        serde_json::to_vec(&all).expect("plain data")
    })?;
    Ok(true)
}

/// Lets go of the copies of those whose restriction has ended; tells how many.
///
/// # Errors
/// The store or the vault cannot be read or written.
pub fn let_go(
    (store, vault): (&Store, &Vault),
    mut is_restricted: impl FnMut(&SubjectId) -> bool,
) -> Result<usize, StoreError> {
    let mut released = 0;
    for (subject, key) in store.all_restricted(vault)? {
        if !is_restricted(&subject) {
            released += usize::from(store.release(vault, &key)?);
        }
    }
    Ok(released)
}

/// Until when the policies allow to keep a sealed copy: the first of its parts to end. `None` = it has no persona.
#[must_use]
pub fn retain_until(copy: &[u8]) -> Option<Timestamp> {
    sealed::parts(copy).ok()?.iter().filter_map(SealedPart::retain_until).min()
}
