//! Why keys cannot be used.
//!
//! Invariant: every one of these stops a command with exit code 3; none holds a key or anything about a person.

use std::path::PathBuf;

/// Why keys cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The vault file is not there.
    #[error(
        "the vault {path} is missing: restore it from the newest backup; without it nothing can be proven or erased"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// SQLite said no.
    #[error("the vault {path} cannot be read or written: check free space and permissions")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A key in it does not open.
    #[error("the vault {path} is damaged: restore it from the newest backup")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The master key is not where it should be.
    #[error("the master key is not to be had from {source_name}: {why}; put it back, or set PROSOPON_MASTER_KEY_FILE")]
    MasterMissing {
        /// `file:PATH`, `env:NAME` or `keyring:NAME`.
        source_name: String,
        /// What was found instead.
        why: String,
    },
    /// What is there is no key.
    #[error("{source_name} holds no master key: it must be 32 bytes, raw, in hex or in base64")]
    MasterMalformed {
        /// `file:PATH`, `env:NAME` or `keyring:NAME`.
        source_name: String,
    },
    /// It is another home's key, or an older one.
    #[error(
        "the vault {path} is wrapped under the master key {expected}, the one given is {found}: use the right one; if it \
         was rotated a moment ago, repeat the command"
    )]
    WrongMaster {
        /// The vault.
        path: PathBuf,
        /// Id of the key that it needs.
        expected: String,
        /// Id of the key that was given.
        found: String,
    },
    /// Others can read it.
    #[error("{path} is open to other users (mode {mode:o}): run `chmod go-rwx {path}`")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Somebody whose key was there when the command began.
    #[error(
        "{path} does not hold the person's key any more: another process erased them meanwhile; repeat the command"
    )]
    Gone {
        /// The vault.
        path: PathBuf,
    },
    /// The system said no.
    #[error("{path}: cannot be read or written: check free space and permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
