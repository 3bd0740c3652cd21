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

/// So many people's copies are put into the store at once: each change of it reads all of it.
const TOGETHER: usize = 64;

/// Keeps a sealed copy of everything that the tables of a home have about people, beside what was sealed before; tells whether
/// there was anything.
///
/// # Errors
/// The tables cannot be read, or the store cannot be written.
pub fn keep(
    (home, store, vault): (&Path, &Store, &Vault),
    people: &[(&SubjectId, &SubjectKey)],
) -> Result<bool, RestrictError> {
    let mut any = false;
    for some in people.chunks(TOGETHER) {
        let parts = some.iter().map(|(subject, key)| Ok((*key, parts_of(home, store, subject, key)?)));
        let mut all = parts.collect::<Result<Vec<_>, RestrictError>>()?;
        all.retain(|(_, parts)| !parts.is_empty());
        if all.is_empty() {
            continue;
        }
        any = true;
        store.keep_restricted(vault, all, |new, before| {
            // What was authenticated is a copy of this or an older version.
            let mut all = before.and_then(|copy| sealed::parts(&copy).ok()).unwrap_or_default();
            let is_new = |old: &SealedPart| {
                new.iter().any(|part| (&part.pipeline, &part.snapshot) == (&old.pipeline, &old.snapshot))
            };
            all.retain(|old| !is_new(old));
            all.extend(new);
            serde_json::to_vec(&all).expect("plain data")
        })?;
    }
    Ok(any)
}

/// What the snapshots of a home have about a person.
fn parts_of(
    home: &Path,
    store: &Store,
    subject: &SubjectId,
    key: &SubjectKey,
) -> Result<Vec<SealedPart>, RestrictError> {
    let rectified = store.rectifications(key)?;
    let mut parts = Vec::new();
    for pipeline in sink::pipelines(home) {
        let current = sink::current(home, &pipeline)?;
        for snapshot in sink::snapshots(home, &pipeline)? {
            let is_current = current.as_ref().is_some_and(|current| current.run_id() == snapshot.run_id());
            parts.extend(SealedPart::of((&pipeline, &snapshot, is_current), subject, &rectified)?);
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
