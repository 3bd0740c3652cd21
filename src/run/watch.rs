//! What others write into the ledger while a run goes on: an objection in mid-run counts at once.
//!
//! Invariant: looking costs next to nothing while nobody writes; what is found goes to the gate before anything is
//! committed or published.

use std::sync::Mutex;

use crate::consent::gate::Gate;
use crate::consent::ledger::{Ledger, LedgerError};
use crate::keys::Vault;

/// A ledger to look at again and again.
#[derive(Debug)]
pub struct Watch(Mutex<(Vault, Ledger)>);

impl Watch {
    /// Watches a ledger whose view the gate has taken.
    #[must_use]
    pub fn new(vault: Vault, ledger: Ledger) -> Self {
        Self(Mutex::new((vault, ledger)))
    }

    /// Keeps others from writing to the ledger until the guard is dropped.
    ///
    /// # Errors
    /// The lock cannot be had.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn hold(&self) -> Result<Option<std::fs::File>, LedgerError> {
        self.0.lock().expect("no holder panics").1.lock()
    }

    /// Tells the gate of events that were written since the last look; whether there were any.
    ///
    /// # Errors
    /// The ledger cannot be read, or is damaged.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn poll(&self, gate: &Gate) -> Result<bool, LedgerError> {
        let mut held = self.0.lock().expect("no holder panics");
        let (vault, ledger) = &mut *held;
        if !ledger.was_written_by_others()? {
            return Ok(false);
        }
        let news = ledger.news(vault)?;
        let any = !news.is_empty();
        gate.learn(news, ledger.view().head());
        Ok(any)
    }
}
