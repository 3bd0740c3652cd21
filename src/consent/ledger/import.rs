//! Imports: how events, first collections and the time of a sync come into the ledger.
//!
//! Invariant: an import is in the chain whole or not at all; a person's first collection is entered once and stands.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use super::entry::{Sealing, Stored, store};
use super::row::append;
use super::sparse::Noted;
use super::{Ledger, LedgerError};
use crate::consent::event::LegalEvent;
use crate::keys::{Vault, VaultError};
use crate::model::SubjectId;

/// First collections in one entry: entries stay small, and a first import of many people does not need many.
const SEEN_PER_ENTRY: usize = 500;

/// What an import brings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Import<'a> {
    /// Legal events; those that are there already are left alone.
    pub events: &'a [LegalEvent],
    /// Who was read, and when for the first time.
    pub seen: &'a [(SubjectId, Timestamp)],
    /// Whether this is a sync of all consents with the CRM: moves the time of the last one.
    pub is_sync: bool,
}

impl Ledger {
    /// Appends what is not there yet, notes who was first seen when and the time of the import, and moves the
    /// checkpoint. Who has no key yet gets one. Safe beside other processes that do the same. Returns how many of the
    /// events are new.
    ///
    /// # Errors
    /// Database not writable: nothing of the batch is there. Checkpoint not writable: the batch is there, the
    /// checkpoint is one behind, which the next import makes good.
    pub fn import(&mut self, vault: &mut Vault, import: Import<'_>, at: Timestamp) -> Result<u64, LedgerError> {
        let about = || import.events.iter().map(|e| &e.subject).chain(import.seen.iter().map(|(id, _)| id));
        vault.ensure(about())?;
        let _lock = self.lock()?;
        // What others wrote in the meantime comes first: the chain goes on from there.
        self.refresh(vault)?;
        if vault.is_sparse() {
            // Who looked may have let go of them.
            vault.ensure(about())?;
        }
        let mut first = self.first_collections(import.seen, vault)?;
        first.extend(self.time(import.is_sync, at).map(|stored| (stored, None)));
        let path = &self.path;
        let legal = import.events.iter().map(|event| {
            let key = vault.key(&event.subject).ok_or_else(|| no_key(path))?;
            let sealing = store(event, key).map_err(|source| LedgerError::Checkpoint { path: path.clone(), source })?;
            Ok((sealing, Some(event)))
        });
        let entries = first.into_iter().map(|first| Ok((first, None))).chain(legal);
        let failed = |source| LedgerError::Database { path: path.clone(), source };
        let (mut new, mut noted) = (0, self.sparse.as_ref().map(|_| Vec::new()));
        append(&mut self.database, entries, self.chain, at, failed, |entry| {
            new += u64::from(entry.event.is_some());
            if let Some(noted) = &mut noted {
                noted.push(Noted::of(&entry));
            }
        })?;
        if let Some(noted) = noted {
            self.index_appended(noted)?;
        } else {
            self.read_entries(vault, None, &about().collect::<Vec<_>>())?;
        }
        self.write_checkpoint()?;
        vault.note_ledger(&self.note(), &self.state_note())?;
        Ok(new)
    }

    /// Entries of those who have not been seen before.
    fn first_collections(&self, seen: &[(SubjectId, Timestamp)], vault: &Vault) -> Result<Vec<Sealing>, LedgerError> {
        let mut new = Vec::new();
        let mut taken = HashSet::new();
        for (subject, at) in seen {
            let key = || vault.key(subject).ok_or_else(|| no_key(&self.path));
            let known = match &self.sparse {
                Some(sparse) => sparse.first_seen(key()?),
                None => self.view.first_seen(subject),
            };
            if known.is_none() && taken.insert(subject) {
                new.push((key()?.ledger_tag(), *at));
            }
        }
        Ok(new.chunks(SEEN_PER_ENTRY).map(|chunk| (Stored::Seen(chunk.to_vec()), None)).collect())
    }

    /// The entry that moves the times of the last sync and of the newest import; `None` = both stand there already, as in
    /// a demo whose clock stands still.
    fn time(&self, is_sync: bool, at: Timestamp) -> Option<Stored> {
        let moves = (is_sync && self.view.last_sync != Some(at)) || self.view.newest < Some(at);
        moves.then_some(Stored::Import { after: self.view.head, at, is_sync })
    }
}

fn no_key(ledger: &Path) -> LedgerError {
    VaultError::Damaged { path: ledger.with_file_name("vault.sqlite") }.into()
}
