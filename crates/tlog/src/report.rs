//! What a verification found.
//!
//! Invariant: a finding either accuses the log or says that something could not be read, never both.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use crate::checkpoint::Checkpoint;

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// A line with the key's name and id has a wrong signature.
    SignatureInvalid,
    /// The log's key has not signed.
    UnknownKey,
    /// A witness's cosignature is wrong.
    CosignatureInvalid,
    /// The checkpoint is missing or malformed.
    CheckpointDamaged,
    /// Leaves do not have the hashes that the signed root is made of, or were dropped, added or moved.
    EntryChanged,
    /// A file of entries is missing.
    EntryMissing,
    /// A tile does not have the hashes that the signed root is made of.
    TileDamaged,
    /// A tile is missing.
    TileMissing,
    /// There are fewer leaves than the checkpoint states.
    Truncated,
    /// Entries and tiles agree with each other and not with the signed root.
    RootMismatch,
    /// The checkpoint covers fewer leaves than the older one given.
    RolledBack,
    /// The checkpoint does not extend the older one given: there are two histories.
    SplitView,
    /// The write-ahead segment was changed.
    SegmentDamaged,
    /// A file is there and could not be read. No violation: look again when it can be.
    Unreadable,
}

impl FindingKind {
    /// Whether this says that the log was tampered with or damaged, as opposed to not readable just now.
    pub fn is_violation(self) -> bool {
        self != Self::Unreadable
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// The file, relative to the log's directory; `since` for the older checkpoint given.
    pub file: PathBuf,
    /// Numbers of the leaves concerned.
    pub leaves: Range<u64>,
    /// More, for people.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { kind, file, leaves: Range { start, end }, detail } = self;
        write!(f, "{kind:?}: {}, leaves {start}..{end}: {detail}", file.display())
    }
}

/// A witness's valid cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// Name of the witness.
    pub witness: String,
    /// Size of the checkpoint it is on.
    pub size: u64,
    /// Seconds since 1970.
    pub time: u64,
}

/// What [`verify`](crate::verify()) looked at and found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The checkpoint, if it could be parsed.
    pub checkpoint: Option<Checkpoint>,
    /// Leaves that were hashed, without pending ones.
    pub leaves: u64,
    /// Acknowledged leaves beyond the checkpoint, checked as well.
    pub pending: u64,
    /// Whether the rest of an append that was not acknowledged follows them. Not a finding.
    pub torn: bool,
    /// Valid cosignatures of the witnesses given, on the checkpoint and on the older one.
    pub cosigned: Vec<Cosigned>,
    /// Whether the log extends the older checkpoint given; `None` without one, or if damage makes that impossible to
    /// tell.
    pub extends: Option<bool>,
    /// Everything that is wrong. Empty: all is well.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Nothing wrong, nothing unreadable.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether any finding accuses the log.
    pub fn is_violated(&self) -> bool {
        self.findings.iter().any(|finding| finding.kind.is_violation())
    }
}
