//! Vault, ledger and log of a run.
//!
//! Invariant: a run in parts looks people up, every other one holds everybody.

use std::sync::Arc;

use crate::audit::{self, AuditLog};
use crate::consent::ledger::Ledger;
use crate::consent::people::People;
use crate::keys::Vault;
use crate::run::engine::RunError;
use crate::run::home::Home;
use crate::run::kept::Opening;
use crate::run::prepare::PAGE_KEY;

/// What a run writes its records to.
pub(super) struct Books {
    pub keys: audit::Keys,
    pub log: AuditLog,
    /// Vault and ledger.
    pub people: Arc<People>,
    /// To open what is kept of pages, once.
    pub kept: Option<Opening>,
}

/// Those of the home; of a dry run without one, empty ones.
pub(super) fn vault_and_ledger(home: Option<&Home>, by_part: bool) -> Result<(Vault, Ledger), RunError> {
    match home {
        Some(home) if by_part => {
            let (vault, ledger) = home.legal_sparse()?;
            vault.be_patient()?;
            Ok((vault, ledger))
        }
        Some(home) => Ok(home.legal()?),
        None => Ok((Vault::in_memory()?, Ledger::in_memory()?)),
    }
}

/// The books of a run that writes.
pub(super) fn books(log: AuditLog, vault: Vault, ledger: Ledger) -> Result<Books, RunError> {
    let kept = Opening { key: vault.named(PAGE_KEY)?, erased: vault.erased()?.0 };
    let all = (!vault.is_sparse()).then(|| audit::keys(&vault));
    let people = Arc::new(People::new(vault, ledger));
    let keys = all.unwrap_or_else(|| audit::Keys::Of(Arc::clone(&people)));
    Ok(Books { keys, log, people, kept: Some(kept) })
}

impl Books {
    /// Whoever is looked up; `None` = everybody is in memory.
    pub fn by_part(&self) -> Option<Arc<People>> {
        matches!(self.keys, audit::Keys::Of(_)).then(|| Arc::clone(&self.people))
    }
}
