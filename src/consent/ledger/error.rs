//! Why a ledger cannot be used.
//!
//! Invariant: every one of these stops a command with exit code 3; none holds anything about a person.

use std::path::PathBuf;

use crate::keys::VaultError;

/// Why the ledger cannot be used. Every one of these stops a run with exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite said no.
    #[error("the ledger in {path} cannot be read or written: check free space and permissions")]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The checkpoint file cannot be read or written.
    #[error("the checkpoint {path} cannot be read or written: check free space and permissions")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The checkpoint is there, but not readable as one.
    #[error("the checkpoint {path} is damaged: restore it together with the database from one backup")]
    CheckpointDamaged {
        /// The file.
        path: PathBuf,
    },
    /// The database has events, but no checkpoint lies beside it.
    #[error("the checkpoint {path} is missing: restore it together with the database from one backup")]
    CheckpointMissing {
        /// The file.
        path: PathBuf,
    },
    /// The database knows less than its checkpoint, or something else.
    #[error(
        "the ledger ({found} events) is behind its last known checkpoint ({expected} events) or differs from it: \
         restore the newest backup of {path}; a run on an older ledger could undo a withdrawal"
    )]
    BehindCheckpoint {
        /// The database file.
        path: PathBuf,
        /// Events in the database.
        found: u64,
        /// Events at the checkpoint.
        expected: u64,
    },
    /// An event in the database is not what was written.
    #[error("event {seq} of the ledger in {path} is damaged: restore the newest backup")]
    EventDamaged {
        /// The database file.
        path: PathBuf,
        /// Its number, from 1.
        seq: u64,
    },
    /// An entry is about somebody whose key is not in the vault, and who was never erased.
    #[error(
        "the vault lacks the key of entry {seq} of the ledger in {path}: a person's no could be \
         lost with it; restore vault and ledger from one backup"
    )]
    KeyMissing {
        /// The database file.
        path: PathBuf,
        /// Its number, from 1.
        seq: u64,
    },
    /// The vault, which ties subjects to their events.
    #[error(transparent)]
    Vault(#[from] VaultError),
}
