//! Rows on their way from companies to tables.
//!
//! Invariant: rows leave in the order in which they came.

use crate::persona::rows::AccountRow;
use crate::run::group::GroupRows;
use crate::sink::{SinkError, SnapshotWriter};

/// So many decisions, or signals, are written together.
const ROWS_TOGETHER: usize = 4096;

/// Rows of companies that wait to be written together: each chunk costs an array a column, and a company has few rows.
#[derive(Default)]
pub(super) struct Rows {
    companies: GroupRows,
    accounts: Vec<AccountRow>,
}

impl Rows {
    pub(super) fn add(&mut self, mut rows: GroupRows) {
        let all = &mut self.companies;
        all.personas.append(&mut rows.personas);
        all.centers.append(&mut rows.centers);
        all.evidence.append(&mut rows.evidence);
        all.decisions.append(&mut rows.decisions);
        all.documents.append(&mut rows.documents);
        all.dead_letters.append(&mut rows.dead_letters);
        self.accounts.extend(rows.account);
    }

    pub(super) const fn is_full(&self) -> bool {
        self.companies.decisions.len() >= ROWS_TOGETHER || self.companies.evidence.len() >= ROWS_TOGETHER
    }

    /// Hands all on; nothing waits afterwards.
    pub(super) fn write(&mut self, writer: &mut SnapshotWriter) -> Result<(), SinkError> {
        let Self { companies: rows, accounts } = std::mem::take(self);
        writer.personas(&rows.personas)?;
        writer.accounts(&accounts)?;
        writer.buying_centers(&rows.centers)?;
        writer.evidence(&rows.evidence)?;
        writer.decisions(&rows.decisions)?;
        writer.documents(&rows.documents)?;
        writer.dead_letters(&rows.dead_letters)
    }
}
