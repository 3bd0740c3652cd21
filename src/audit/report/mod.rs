//! The questions of a data protection officer, each as a function from a [`Book`] to an answer that serialises.
//!
//! Invariant: an answer holds ids, tags, counts and times, never a name, an address or a text. Leaves and rows are
//! streamed; what is kept in memory are sets of 16-byte keys and at most [`LISTED`] findings of a kind.

pub mod assessments;
mod book;
pub mod coverage;
pub mod denials;
#[cfg(test)]
mod fixtures;
pub mod latency;
mod law;
pub mod notices;
pub mod retention;
pub mod ropa;
pub mod sources;
pub mod special_category;
mod table;
#[cfg(test)]
mod tests;
pub mod violations;
pub mod why;
pub mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::audit::source::SourceError;
use crate::consent::event::EventKind;
use crate::run::kept::KeptError;
use crate::sink::SinkError;

pub use crate::audit::source::Book;

/// How many findings of a kind are listed; all of them are counted.
pub const LISTED: usize = 100;

/// Why a question could not be answered. Exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The log.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A snapshot.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// What is kept of pages.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// Sealed copies.
    #[error(transparent)]
    Rights(#[from] crate::rights::store::StoreError),
}

/// A legal event, named without saying more than a ledger entry does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventRef {
    /// Its number in the ledger.
    pub entry: u64,
    /// What happened.
    pub kind: EventKind,
    /// When the source wrote it down; `None` for a flag, which has no date.
    pub recorded_at: Option<Timestamp>,
    /// When the home learned of it.
    pub known_at: Timestamp,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Finding {
    /// A stable word.
    pub kind: &'static str,
    /// In plain words, without personal data.
    pub says: String,
    /// The entry of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<u64>,
    /// The subject id, the tag of somebody who was erased, the company or the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The legal event that it goes against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventRef>,
    /// The snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// Its table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<&'static str>,
    /// The id of the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// The column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// What was found: counted by kind, the first [`LISTED`] of each kind in full.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Findings {
    /// How many, by kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// In the order in which they were found.
    pub listed: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.kind).or_default();
        *count += 1;
        if *count <= LISTED as u64 {
            self.listed.push(finding);
        }
    }

    /// How many of a kind.
    #[must_use]
    pub fn of(&self, kind: &str) -> u64 {
        self.counts.get(kind).copied().unwrap_or(0)
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}
