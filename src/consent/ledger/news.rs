//! What others write into a ledger that is not held in memory.
//!
//! Invariant: news are followed by the chain as everything is, and are told once.

use std::collections::HashSet;

use rusqlite::params;

use super::entry::{self, Stored};
use super::row;
use super::sparse::{Tagged, Whose, bytes, forgotten, owners};
use super::{Ledger, LedgerError};
use crate::consent::event::{EventKind, LegalEvent};
use crate::keys::Vault;
use crate::model::SubjectId;

impl Ledger {
    /// What others have written since this one looked.
    pub(super) fn read_news(&mut self, vault: &mut Vault) -> Result<Vec<LegalEvent>, LedgerError> {
        let rows = self.rows_behind(self.view.head, usize::MAX)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (mut chain, mut head, mut entries) = (self.chain, self.view.head, Vec::with_capacity(rows.len()));
        for row in &rows {
            let (stored, known_at) = row.check(&chain, head).ok_or_else(|| self.damaged(row.seq))?;
            (chain, head) = (row.chain, row.seq);
            entries.push((stored, known_at));
        }
        let tags = tags(entries.iter().map(|(stored, _)| stored));
        let owners = owners(vault, &tags)?;
        let mut erased = forgotten(vault);
        if tags.iter().any(|tag| !owners.contains_key(tag) && !erased.contains(tag)) {
            // Somebody was erased since the vault was read.
            vault.reload()?;
            erased = forgotten(vault);
        }
        let mut news = Vec::new();
        for (row, (stored, _)) in rows.iter().zip(entries) {
            let number = self.number(row.seq)?;
            let (damaged, path) = (|| LedgerError::EventDamaged { path: self.path.clone(), seq: row.seq }, &self.path);
            let missing = || LedgerError::KeyMissing { path: path.clone(), seq: row.seq };
            let index = &mut self.sparse.as_mut().expect("only a sparse ledger is asked").index;
            match stored {
                Stored::Legal(event) => {
                    let tag = bytes(&event.tag).ok_or_else(damaged)?;
                    match owners.get(&tag) {
                        Some((subject, key)) => {
                            let sealed = row.sealed.as_deref();
                            let event = entry::restore(*event, subject, key, sealed).ok_or_else(damaged)?;
                            self.view.state.add(&event.digest());
                            news.push(event);
                        }
                        None if erased.contains(&tag) => self.view.forgotten += 1,
                        None => return Err(missing()),
                    }
                    index.add_event(&tag, number);
                }
                Stored::Seen(seen) => {
                    for (tag, at) in seen {
                        let tag = bytes(&tag).ok_or_else(damaged)?;
                        if !owners.contains_key(&tag) && !erased.contains(&tag) {
                            return Err(missing());
                        }
                        index.add_seen(&tag, at);
                    }
                }
                Stored::Import { at, is_sync, .. } => self.view.imported(at, is_sync),
            }
            (self.chain, self.view.head) = (row.chain, row.seq);
        }
        self.sparse().index.settle();
        Ok(news)
    }

    /// Who said no in an entry behind `before`, in no order.
    ///
    /// # Errors
    /// Unreadable, or damaged.
    pub fn said_no_since(&self, vault: &Vault, before: u64) -> Result<HashSet<SubjectId>, LedgerError> {
        self.in_entries_since(vault, before, EventKind::is_negative)
    }

    /// Of whom an entry behind `before` tells, whatever it says, in no order.
    ///
    /// # Errors
    /// Unreadable, or damaged.
    pub fn spoken_of_since(&self, vault: &Vault, before: u64) -> Result<HashSet<SubjectId>, LedgerError> {
        self.in_entries_since(vault, before, |_| true)
    }

    fn in_entries_since(
        &self,
        vault: &Vault,
        before: u64,
        is_asked_for: impl Fn(EventKind) -> bool,
    ) -> Result<HashSet<SubjectId>, LedgerError> {
        let mut tags = HashSet::new();
        {
            let mut statement = self.database.prepare(row::SELECT).map_err(|e| self.failed(e))?;
            let mut rows = statement.query(params![before as i64]).map_err(|e| self.failed(e))?;
            while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
                let seq = row.get::<_, i64>(0).map_err(|e| self.failed(e))?.unsigned_abs();
                let text = row.get_ref(3).ok().and_then(|value| value.as_str().ok());
                let whose = text.and_then(|text| serde_json::from_str(text).ok()).ok_or_else(|| self.damaged(seq))?;
                if let Whose::Legal(Tagged { tag, kind }) = whose
                    && is_asked_for(kind)
                {
                    tags.extend(bytes(&tag));
                }
            }
        }
        Ok(owners(vault, &tags)?.into_values().map(|(subject, _)| subject).collect())
    }
}

/// Whom entries are about.
fn tags<'s>(entries: impl Iterator<Item = &'s Stored>) -> HashSet<[u8; 16]> {
    let mut tags = HashSet::new();
    for stored in entries {
        match stored {
            Stored::Legal(event) => tags.extend(bytes(&event.tag)),
            Stored::Seen(seen) => tags.extend(seen.iter().filter_map(|(tag, _)| bytes(tag))),
            Stored::Import { .. } => {}
        }
    }
    tags
}
