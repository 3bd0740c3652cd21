//! `audit verify`: what the home keeps for people beside log, ledger and tables, against what log and ledger tell of it.
//!
//! Invariant: a part that was put back from a backup, or emptied, is a finding, whatever it undoes.

use super::Checker;
use crate::audit::leaf::{Kind, Leaf};
use crate::consent::event::EventKind;
use crate::rights::store::{Store, StoreError};

impl Checker<'_, '_> {
    /// Erasures that were begun and not ended: the vault knows, and the log must not. One without an entry was cut off
    /// before it, or begun after the log was read.
    pub(super) fn pending(&mut self) {
        let Ok(pending) = self.book.vault.pending_erasures() else {
            return self.done.find("vault", None, "it cannot be read any more");
        };
        let mut entries: Vec<Option<u64>> = pending.iter().map(|id| self.begun.get(id).copied()).collect();
        self.broken_off = pending.into_iter().collect();
        entries.sort_unstable();
        for entry in entries {
            let what = "the erasure was broken off, or waits for a run to end: not everything of the person is \
                        destroyed; `prosopon subject erase --pending` lists for whom to repeat it";
            self.done.find("erasure", entry, what);
        }
    }

    /// What an entry says of the beginning or the end of erasures.
    pub(super) fn erasure(&mut self, number: u64, leaf: &Leaf) {
        let fact = |name: &str| leaf.facts.get(name);
        if let Some(digest) = fact("kept_out").and_then(|digest| digest.as_str()) {
            let erasure = fact("erasure").and_then(|id| id.as_str()).filter(|_| leaf.kind == Kind::Erase);
            self.kept_out.insert(digest.to_owned(), erasure.map(str::to_owned));
        }
        self.rights = self.rights.max(fact("rights").and_then(serde_json::Value::as_u64).unwrap_or(0));
        if leaf.kind == Kind::Erase {
            self.erasures += 1;
            let erasure = fact("erasure").and_then(|id| id.as_str()).unwrap_or_default();
            self.begun.insert(erasure.to_owned(), number);
        }
        if leaf.kind == Kind::Outcome && fact("forgotten_in_all").is_some() {
            let count = |name: &str| fact(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
            let (forgotten, suppressed) = self.at_least;
            self.at_least = (forgotten.max(count("forgotten_in_all")), suppressed.max(count("suppressed_in_all")));
        }
    }

    /// Each list of those who are kept out is told before it is written, so the vault's is one of those; an earlier one is
    /// shorter than the last.
    pub(super) fn kept_out(&mut self) {
        if self.kept_out.is_empty() || self.is_told(self.book.vault.kept_out()) {
            return;
        }
        let vault = &self.book.vault;
        // The first lists of a home were told, and the erasures broken off before they were written: that is told already, and
        // repeating them writes one. A vault that has none although an erasure came to its end is found all the same.
        let never_ended = |erasure: &Option<String>| erasure.as_ref().is_some_and(|id| self.broken_off.contains(id));
        if vault.suppressed().is_empty() && self.kept_out.values().all(never_ended) {
            return;
        }
        // An erasure may have come to its end while the log was checked.
        if self.is_told(vault.kept_out_now().unwrap_or_default().as_deref()) {
            return;
        }
        let what = "the list of those who are kept out is none that the log tells of: it was changed, and somebody who \
                    was erased could come back";
        self.done.find("vault", None, what);
    }

    /// Whether the log tells of a list of those who are kept out.
    fn is_told(&self, digest: Option<&str>) -> bool {
        digest.is_some_and(|digest| self.kept_out.contains_key(digest))
    }

    /// Rectifications and sealed copies, against vault, log and ledger.
    pub(super) fn rights(&mut self) {
        let (book, known) = (self.book, self.book.vault.rights_note().ok().flatten());
        // That it is missing is found where the home is opened.
        if !book.home.join("rights.sqlite").exists() {
            return;
        }
        if known.map_or(0, |known| known.changes) < self.rights {
            let what = "the vault is older than the last rectification or restriction that the log tells of";
            self.done.find("vault", None, what);
        }
        let store = match Store::open_to_read(book.home, book.vault) {
            Ok(store) => store,
            Err(error) => return self.done.find("rights", None, error.to_string()),
        };
        match self.lacking(&store) {
            Ok(0) => {}
            Ok(lacking) => {
                let what = format!(
                    "the ledger tells of {lacking} rectification(s) that are not in rights.sqlite: it is older than the \
                     ledger, or was changed; restore the home as a whole"
                );
                self.done.find("rights", None, what);
            }
            Err(error) => self.done.find("rights", None, error.to_string()),
        }
    }

    /// How many rectifications the ledger knows and the store does not. They are sealed before the ledger learns of them.
    fn lacking(&self, store: &Store) -> Result<usize, StoreError> {
        let mut lacking = 0;
        for (subject, key) in self.book.vault.subjects() {
            let entries = self.book.ledger.entries(subject);
            let is_own = |e: &&crate::consent::ledger::Entry<'_>| {
                e.event.kind == EventKind::Rectify && e.event.origin.is_controller()
            };
            let told = entries.iter().filter(is_own).count();
            if told > 0 {
                lacking += told.saturating_sub(store.rectifications(key)?.len());
            }
        }
        Ok(lacking)
    }
}
