//! Restriction (Art. 18 GDPR): the data moves out of the tables that people read, into a sealed copy.
//!
//! Invariant: storing is all that is left; the copy opens under the person's key only, and goes when the restriction is
//! lifted or the person is erased. It is the same whichever way the restriction came: by a command, an import or a run.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use crate::keys::{SubjectKey, Vault};
use crate::model::SubjectId;
use crate::rights::access::sealed::{self, SealedPart, Unreadable};
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

/// So many people's copies are made and put into the store at once: the tables, and the store, are read once for all of them.
const TOGETHER: usize = 128;

/// Keeps a sealed copy of everything that the tables of a home have about people, beside what was sealed before; tells whether
/// there was anything.
///
/// # Errors
/// The tables cannot be read, or the store cannot be written, or what was sealed before cannot be read: then it stays, and
/// nothing may be taken out of the tables.
pub fn keep(
    (home, store, vault): (&Path, &Store, &Vault),
    people: &[(&SubjectId, &SubjectKey)],
) -> Result<bool, RestrictError> {
    let mut any = false;
    for some in people.chunks(TOGETHER) {
        let mut parts = parts_of(home, store, some)?;
        let all = some.iter().filter_map(|&(subject, key)| Some((key, parts.remove(subject)?)));
        let all: Vec<(&SubjectKey, Vec<SealedPart>)> = all.collect();
        if all.is_empty() {
            continue;
        }
        any = true;
        store.keep_restricted(vault, all, |new, before| {
            sealed::joined(before.as_deref(), &new).map_err(|_| store.unreadable_copy())
        })?;
    }
    Ok(any)
}

/// What the snapshots of a home have about people; of whom they have nothing there is none.
fn parts_of(
    home: &Path,
    store: &Store,
    people: &[(&SubjectId, &SubjectKey)],
) -> Result<HashMap<SubjectId, Vec<SealedPart>>, RestrictError> {
    let rectified = people.iter().map(|&(subject, key)| Ok((subject, store.rectifications(key)?)));
    let rectified: HashMap<&SubjectId, _> = rectified.collect::<Result<_, StoreError>>()?;
    let mut parts: HashMap<SubjectId, Vec<SealedPart>> = HashMap::new();
    for pipeline in sink::pipelines(home) {
        let current = sink::current(home, &pipeline)?;
        for snapshot in sink::snapshots(home, &pipeline)? {
            let is_current = current.as_ref().is_some_and(|current| current.run_id() == snapshot.run_id());
            for (subject, part) in SealedPart::of_each((&pipeline, &snapshot, is_current), &rectified)? {
                parts.entry(subject).or_default().push(part);
            }
        }
    }
    Ok(parts)
}

/// Lets go of the copies of those whose restriction has ended; tells how many.
///
/// # Errors
/// The store or the vault cannot be read or written.
pub fn let_go(
    (store, vault): (&Store, &Vault),
    mut is_restricted: impl FnMut(&SubjectId) -> bool,
) -> Result<usize, StoreError> {
    let mut over = store.all_restricted(vault)?;
    over.retain(|(subject, _)| !is_restricted(subject));
    store.release(vault, over.iter().map(|(_, key)| key))
}

/// Until when the policies allow to keep a sealed copy: the first of its parts to end. `None` = it has no persona.
///
/// # Errors
/// It is no copy that this version can read.
pub(crate) fn retain_until(copy: &[u8]) -> Result<Option<Timestamp>, Unreadable> {
    Ok(sealed::parts(copy)?.iter().filter_map(SealedPart::retain_until).min())
}

#[cfg(test)]
#[path = "restrict_tests.rs"]
mod tests;
