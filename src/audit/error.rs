//! Why the audit log cannot be used. Every one of these ends a command with exit code 3.
//!
//! Invariant: nothing was done without its record; the message says what to do next.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::keys::VaultError;

/// Why the audit log cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// The log's files cannot be read or written.
    #[error(
        "the audit log in {path} cannot be written or read: nothing was fetched, written or shown without its record; \
         free space or mend permissions, then repeat the command"
    )]
    Log {
        /// The folder.
        path: PathBuf,
        /// What the log said.
        #[source]
        source: Arc<prosopon_tlog::Error>,
    },
    /// The log's files are not as they were written.
    #[error(
        "the audit log in {path} is damaged: {source}. Nothing was fetched, written or shown without its record; run \
         `prosopon audit verify`, keep the home as it is, and restore the newest backup of the whole home"
    )]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What the log said.
        #[source]
        source: Arc<prosopon_tlog::Error>,
    },
    /// The sealed payloads cannot be read or written.
    #[error(
        "the sealed payloads in {path} cannot be written or read: nothing was fetched, written or shown without its \
         record; free space or mend permissions, then repeat the command"
    )]
    Payloads {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A file beside the log cannot be read or written.
    #[error("{path} cannot be read or written: check free space and permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The log is not there, or holds less than it once did.
    #[error(
        "the audit log in {path} holds {found} entries, its last known checkpoint {expected}: it was taken away, \
         truncated or rolled back; restore the newest backup of the whole home, and do not delete {anchor}"
    )]
    Behind {
        /// The folder.
        path: PathBuf,
        /// Entries there.
        found: u64,
        /// Entries at the last known checkpoint.
        expected: u64,
        /// The file with the last known checkpoint.
        anchor: PathBuf,
    },
    /// The log is not the one whose checkpoint was kept.
    #[error(
        "the audit log in {path} is not the one of its last known checkpoint ({entries} entries): it was exchanged or \
         changed; run `prosopon audit verify`, and restore the newest backup of the whole home"
    )]
    Forked {
        /// The folder.
        path: PathBuf,
        /// Entries at the checkpoint.
        entries: u64,
    },
    /// The last known checkpoint cannot be read.
    #[error("the last known checkpoint {path} is damaged or missing: restore the newest backup of the whole home")]
    Anchor {
        /// The file.
        path: PathBuf,
    },
    /// An entry is not what was written.
    #[error("entry {seq} of the audit log in {path} cannot be read: run `prosopon audit verify`")]
    Entry {
        /// The folder.
        path: PathBuf,
        /// Its number, from 0.
        seq: u64,
    },
    /// The clock went back.
    #[error(
        "the clock ({now}) stands before the newest entry of the audit log ({newest}): set the clock right; nothing \
         was done. If it is right, it stood ahead then: `prosopon init --import-legal` takes over what people have said into a \
         new home (docs/operator.md, \"A clock that stood ahead\")"
    )]
    ClockBack {
        /// The clock.
        now: Timestamp,
        /// The newest entry.
        newest: Timestamp,
    },
    /// A person has no key, so nothing about them can be recorded.
    #[error("the vault has no key for a subject of this run: restore the vault from the newest backup")]
    NoKey,
    /// The writer has ended.
    #[error("the writer of the audit log has ended; the same command continues the run")]
    Closed,
    /// The vault.
    #[error(transparent)]
    Vault(Arc<VaultError>),
}

impl AuditError {
    /// What a log said: damage is told apart from a disk that is full or not to be written to.
    pub(super) fn of_log(path: PathBuf, source: prosopon_tlog::Error) -> Self {
        use prosopon_tlog::Error::{Damaged, Foreign, Io};
        use std::io::ErrorKind::{InvalidData, UnexpectedEof};
        let is_damage = match &source {
            Damaged { .. } | Foreign { .. } => true,
            Io { source, .. } => matches!(source.kind(), UnexpectedEof | InvalidData),
            _ => false,
        };
        let source = Arc::new(source);
        if is_damage { Self::Damaged { path, source } } else { Self::Log { path, source } }
    }
}

impl From<VaultError> for AuditError {
    fn from(error: VaultError) -> Self {
        Self::Vault(Arc::new(error))
    }
}
