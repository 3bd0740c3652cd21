//! A home, open for the questions of an officer. Nothing is written: an auditor's copy may be read-only.

use jiff::Timestamp;

use super::HomeArg;
use super::exit::Usage;
use crate::audit::LogReader;
use crate::audit::source::Book;
use crate::consent::gate::Clock;
use crate::consent::ledger::{Ledger, LedgerView};
use crate::keys::Vault;
use crate::rights::office;
use crate::run::home::Home;
use crate::sink;

/// What a [`Book`] borrows from.
pub(super) struct Opened {
    home: Home,
    vault: Vault,
    ledger: LedgerView,
    leaves: LogReader,
    pipeline: Option<String>,
    now: Timestamp,
}

/// A misspelt pipeline must not pass for one in which there is nothing.
pub(super) fn known_pipeline(home: &Home, arg: &HomeArg) -> Result<(), Usage> {
    match arg.pipeline.as_ref().filter(|name| !sink::pipelines(home.path()).contains(name)) {
        None => Ok(()),
        Some(name) => Err(Usage(format!("{}: no pipeline {name:?} has a snapshot here", home.path().display()))),
    }
}

impl Opened {
    /// Opens vault, ledger and log of a home.
    pub fn open(arg: &HomeArg, wall: &Clock) -> anyhow::Result<Self> {
        let home = Home::open(&arg.path())?;
        let legal = home.legal_to_read()?;
        known_pipeline(&home, arg)?;
        Ok(Self::new(home, legal, arg.pipeline.clone(), wall)?)
    }

    /// Opens the log beside vault and ledger.
    pub fn new(
        home: Home,
        (vault, ledger): (Vault, Ledger),
        pipeline: Option<String>,
        wall: &Clock,
    ) -> Result<Self, crate::audit::AuditError> {
        let leaves = LogReader::open(&home.audit_place())?;
        let now = office::now(&home, wall());
        Ok(Self { vault, ledger: ledger.into_view(), leaves, pipeline, now, home })
    }

    /// Asks.
    pub fn with<T>(&self, ask: impl FnOnce(&Book<'_>) -> T) -> T {
        let policies = |hash: &str| self.home.policy(hash).ok();
        ask(&Book {
            leaves: &self.leaves,
            vault: &self.vault,
            ledger: &self.ledger,
            ids: self.home.ids(),
            crms: self.home.crms(),
            controller: self.home.controller(),
            home: self.home.path(),
            demo: self.home.is_demo(),
            policies: &policies,
            pipeline: self.pipeline.as_deref(),
            now: self.now,
        })
    }
}
