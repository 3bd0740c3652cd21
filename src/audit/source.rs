//! Where reports read: the leaves of a log, and with them the vault, the ledger and the snapshots of a home.
//!
//! Invariant: a report only reads. It sees leaves in their order and one at a time, and what lies behind a tag only
//! while the person's key exists.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use jiff::Timestamp;

use crate::audit::leaf::{Leaf, Payload};
use crate::audit::{AuditError, LogReader};
use crate::consent::ledger::LedgerView;
use crate::consent::policy::Policy;
use crate::ids::Ids;
use crate::keys::{SubjectKey, Vault};

/// Why leaves cannot be read. A report that meets one could not check (exit code 2).
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The log, or what lies beside it, cannot be read.
    #[error(transparent)]
    Log(#[from] AuditError),
}

/// A state of the log that the home has signed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Checkpoint {
    /// How many leaves it covers: all with a lower number.
    pub tree_size: u64,
    /// The root hash, base64.
    pub root: String,
}

/// The leaves of a log.
pub trait LeafSource {
    /// Visits the leaves of a range in their order, until the visitor breaks off; a range beyond the end is cut.
    ///
    /// # Errors
    /// Unreadable or damaged.
    fn each(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, Leaf) -> ControlFlow<()>) -> Result<(), SourceError>;

    /// What a leaf is about; `None` = nothing was sealed, it was destroyed, or the key is another's.
    ///
    /// # Errors
    /// Unreadable, or not what the leaf commits to.
    fn payload(&self, leaf: &Leaf, key: &SubjectKey) -> Result<Option<Payload>, SourceError>;

    /// How many leaves there are.
    fn len(&self) -> u64;

    /// Whether nothing was ever logged.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest signed checkpoint; `None` before the first.
    fn checkpoint(&self) -> Option<Checkpoint> {
        None
    }
}

impl LeafSource for LogReader {
    fn each(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, Leaf) -> ControlFlow<()>) -> Result<(), SourceError> {
        Ok(Self::each(self, range, visit)?)
    }

    fn payload(&self, leaf: &Leaf, key: &SubjectKey) -> Result<Option<Payload>, SourceError> {
        Ok(Self::payload(self, leaf, key)?)
    }

    fn len(&self) -> u64 {
        self.size()
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        let signed = Self::checkpoint(self);
        let root = data_encoding::BASE64.encode(&signed.root().0);
        Some(Checkpoint { tree_size: signed.size(), root })
    }
}

/// A log that is kept nowhere, for tests.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    /// The leaves, in order.
    pub leaves: Vec<Leaf>,
    /// Payloads by the commitment in their leaf.
    pub payloads: HashMap<String, Payload>,
}

impl LeafSource for MemoryLog {
    fn each(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, Leaf) -> ControlFlow<()>) -> Result<(), SourceError> {
        for number in range.start..range.end.min(self.len()) {
            if visit(number, self.leaves[number as usize].clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn payload(&self, leaf: &Leaf, key: &SubjectKey) -> Result<Option<Payload>, SourceError> {
        let own = leaf.subject.as_ref().is_some_and(|tag| *tag == key.tag(leaf.at));
        Ok(leaf.payload.as_ref().filter(|_| own).and_then(|commitment| self.payloads.get(commitment)).cloned())
    }

    fn len(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        (!self.leaves.is_empty()).then(|| Checkpoint { tree_size: self.len(), root: "in-memory".to_owned() })
    }
}

/// Everything a report may read.
pub struct Book<'a> {
    /// The log.
    pub leaves: &'a dyn LeafSource,
    /// Keys of those who were not erased.
    pub vault: &'a Vault,
    /// Legal events.
    pub ledger: &'a LedgerView,
    /// Makes ids of CRM records.
    pub ids: &'a Ids,
    /// Names of the CRMs that the home has read.
    pub crms: &'a [String],
    /// The controller.
    pub controller: &'a str,
    /// The folder with the snapshots.
    pub home: &'a Path,
    /// Policies by hash: those that were ever applied.
    pub policies: &'a dyn Fn(&str) -> Option<Policy>,
    /// A demo home: the gate's clock stands still, so its times and those of leaves have nothing in common.
    pub demo: bool,
    /// Only this pipeline's snapshots; `None` = all of the home.
    pub pipeline: Option<&'a str>,
    /// The clock.
    pub now: Timestamp,
}

impl std::fmt::Debug for Book<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").field("leaves", &self.leaves.len()).field("now", &self.now).finish_non_exhaustive()
    }
}
