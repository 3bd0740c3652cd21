//! Personas with the rows of their companies, both tables read side by side.
//!
//! Invariant: a batch of each table is in memory at most; both are sorted by company.

use std::vec;

use super::read::Batches;
use super::{Select, SinkError, Snapshot, Table, decode};
use crate::model::AccountId;
use crate::persona::rows::{AccountRow, Persona};

/// The rows of `accounts`, asked for in their order.
pub(super) struct Step {
    snapshot: Snapshot,
    batches: Batches,
    rows: vec::IntoIter<AccountRow>,
    now: Option<AccountRow>,
}

impl Step {
    pub(super) fn open(snapshot: &Snapshot) -> Result<Self, SinkError> {
        let batches = Batches::open(snapshot, Table::Accounts, &Select::All, None)?;
        Ok(Self { snapshot: snapshot.clone(), batches, rows: Vec::new().into_iter(), now: None })
    }

    /// The row of a company; no earlier one is asked for afterwards.
    pub(super) fn to(&mut self, company: Option<&AccountId>) -> Result<Option<&AccountRow>, SinkError> {
        let Some(company) = company else { return Ok(None) };
        while self.now.as_ref().is_none_or(|row| row.account_id < *company) {
            self.now = self.next()?;
            if self.now.is_none() {
                return Ok(None);
            }
        }
        Ok(self.now.as_ref().filter(|row| row.account_id == *company))
    }

    fn next(&mut self) -> Result<Option<AccountRow>, SinkError> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            let Some(batch) = self.batches.next() else { return Ok(None) };
            let corrupt =
                |e: decode::Misfit| SinkError::Corrupt { path: self.snapshot.path(Table::Accounts), column: e.0 };
            self.rows = decode::accounts(&batch?).map_err(corrupt)?.into_iter();
        }
    }
}

/// Shows all rows of `personas`, in their order, each with the row of its company.
pub fn each_persona_in_step(
    snapshot: &Snapshot,
    mut visit: impl FnMut(Persona, Option<&AccountRow>),
) -> Result<(), SinkError> {
    let mut companies = Step::open(snapshot)?;
    let corrupt = |e: decode::Misfit| SinkError::Corrupt { path: snapshot.path(Table::Personas), column: e.0 };
    for batch in Batches::open(snapshot, Table::Personas, &Select::All, None)? {
        for persona in decode::personas(&batch?).map_err(corrupt)? {
            let company = companies.to(persona.account_id.as_ref())?;
            visit(persona, company);
        }
    }
    Ok(())
}
