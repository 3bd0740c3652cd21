//! What others write into the ledger while a run goes on: an objection in mid-run counts at once.
//!
//! Invariant: looking costs next to nothing while nobody writes; what is found goes to the gate before anything is
//! committed or published.

use std::collections::HashSet;
use std::sync::Arc;

use crate::consent::gate::Gate;
use crate::consent::ledger::LedgerError;
use crate::consent::people::People;
use crate::keys::Vault;
use crate::model::SubjectId;

/// A ledger to look at again and again.
#[derive(Debug)]
pub struct Watch(Arc<People>);

impl Watch {
    /// Watches a ledger whose view the gate has taken.
    #[must_use]
    pub const fn new(people: Arc<People>) -> Self {
        Self(people)
    }

    /// Keeps others from writing to the ledger until the guard is dropped.
    ///
    /// # Errors
    /// The lock cannot be had.
    pub fn hold(&self) -> Result<Option<std::fs::File>, LedgerError> {
        self.0.books().1.lock()
    }

    /// Asks the vault, while nobody else of this process does.
    pub fn with_vault<T>(&self, work: impl FnOnce(&Vault) -> T) -> T {
        work(&self.0.books().0)
    }

    /// Tells the gate of events that were written since the last look; whether there were any.
    ///
    /// # Errors
    /// The ledger cannot be read, or is damaged.
    pub fn poll(&self, gate: &Gate) -> Result<bool, LedgerError> {
        // Held until the gate knows: who looks meanwhile must not be told that there is nothing new.
        let (vault, ledger) = &mut *self.0.books();
        if !ledger.was_written_by_others()? {
            return Ok(false);
        }
        let news = ledger.news(vault)?;
        let any = !news.is_empty();
        gate.learn(news, ledger.view().head());
        Ok(any)
    }

    /// Who said no in an entry behind `before`.
    ///
    /// # Errors
    /// The ledger cannot be read, or is damaged.
    pub fn said_no_since(&self, before: u64) -> Result<HashSet<SubjectId>, LedgerError> {
        let (vault, ledger) = &*self.0.books();
        ledger.said_no_since(vault, before)
    }
}
