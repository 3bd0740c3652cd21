//! The output tables: eight Parquet tables per run, published as one atomic snapshot under a home.
//!
//! Invariant: a reader never sees half a run. Files are built under `HOME/.work`, synced, renamed into
//! place, and the one-line file `current` is replaced last. The column list of [`columns`] is the only
//! place that says what a table holds; schema, encoding checks and data dictionary are made from it.

pub mod columns;
mod decode;
pub mod dictionary;
mod encode;
mod encrypt;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
mod home;
pub mod inspect;
mod kept_rows;
mod published;
pub(crate) mod read;
mod rewrite;
mod ring;
mod runs;
mod schema;
mod snapshot;
mod step;
mod write;

#[cfg(test)]
mod readers_tests;

use std::fmt;
use std::str::FromStr;

use arrow_schema::SchemaRef;

pub use crate::safe_text::{is_formula, safe_text};
pub use dictionary::{dictionary_json, dictionary_markdown};
pub(crate) use encrypt::open as open_parquet;
pub use encrypt::{KEY_BYTES, TableKeys};
pub use error::SinkError;
pub(crate) use error::parquet_says;
pub use home::{HomeLock, LockError};
pub(crate) use inspect::cell_json;
pub use inspect::{FILTER_HELP, Format, Inspect, inspect};
pub use kept_rows::{all_rows, forget_rows, rows_hash, rows_path};
pub use published::{Snapshot, current, pipelines, snapshots};
pub use read::{
    Batches, Select, each_account, each_decision, each_document, each_signal, read_accounts, read_buying_centers,
    read_columns, read_decisions, read_documents, read_evidence, read_personas, read_runs,
};
pub use rewrite::{Change, Note, Rewritten, all_snapshots, rewrite_all, rewrite_each, rewrite_older, rewrite_snapshot};
pub(crate) use rewrite::{Worked, is_written_as_today, names_file};
pub use ring::{held_keys, hold_key};
pub use runs::{RunRow, StageTime};
pub use snapshot::{SnapshotWriter, table_hash};
pub(crate) use snapshot::{WORK_CRM, WORK_NOTES, clear_work_of};
pub(crate) use step::each_persona_in_step;

/// Version of the table layout, in every file's metadata.
pub const SCHEMA_VERSION: u32 = 1;

/// What every file says about its use.
pub const ADVISORY: &str = "advisory, not for automated decisions";

/// A table of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// A row is a contact.
    Personas,
    /// A row is a signal.
    Evidence,
    /// A row is a company.
    Accounts,
    /// A row is a company and a buying role.
    BuyingCenters,
    /// A row is a decision of the gate.
    Decisions,
    /// A row is a used fetch permit.
    Documents,
    /// A row is an input that could not be processed.
    DeadLetters,
    /// A row is a run.
    Runs,
}

impl Table {
    /// Every table, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Personas,
        Self::Evidence,
        Self::Accounts,
        Self::BuyingCenters,
        Self::Decisions,
        Self::Documents,
        Self::DeadLetters,
        Self::Runs,
    ];

    /// The name of the folder and of the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personas => "personas",
            Self::Evidence => "evidence",
            Self::Accounts => "accounts",
            Self::BuyingCenters => "buying_centers",
            Self::Decisions => "decisions",
            Self::Documents => "documents",
            Self::DeadLetters => "dead_letters",
            Self::Runs => "runs",
        }
    }

    /// The place in [`Self::ALL`].
    pub(crate) const fn place(self) -> usize {
        self as usize
    }

    /// The Arrow schema, with the metadata of fields and file.
    #[must_use]
    pub fn schema(self, facts: &FileFacts) -> SchemaRef {
        schema::schema(self, facts)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Table {
    type Err = SinkError;

    fn from_str(s: &str) -> Result<Self, SinkError> {
        Self::ALL.into_iter().find(|t| t.as_str() == s).ok_or_else(|| SinkError::UnknownTable {
            given: s.to_owned(),
            hint: error::did_you_mean(s, Self::ALL.map(Self::as_str)),
        })
    }
}

/// What every file of a snapshot states about how it was made. No clock and no run id: files of equal
/// rows are equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileFacts {
    /// Hash of the policy that the gate decided by, `sha256:` + hex.
    pub policy_hash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_back_and_a_slip_is_told() {
        for (i, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table.place(), i);
            assert_eq!(table.to_string().parse::<Table>().expect("canonical"), table);
        }
        let e = "persona".parse::<Table>().expect_err("not a table").to_string();
        assert!(e.contains("did you mean personas"), "{e}");
    }
}
