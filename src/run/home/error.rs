//! Why a home cannot be used.

use std::path::PathBuf;

use crate::audit::AuditError;
use crate::consent::ledger::LedgerError;
use crate::keys::VaultError;

/// Why a home cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is none.
    #[error(
        "{path} is no initialised home: run `prosopon init --out {path} --controller NAME --first` once \
         (or with `--import-legal OLD_HOME`, if this controller had a home before)"
    )]
    NotInitialised {
        /// The folder.
        path: PathBuf,
    },
    /// There is one already.
    #[error("{path} is a home already: choose another folder, or use it as it is")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// It belongs to somebody else.
    #[error(
        "{path} belongs to the controller {owner:?}, the pipeline to {asked:?}: choose another `output.home` or `--out`"
    )]
    OtherController {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who asks.
        asked: String,
    },
    /// The demo may not write into a real home, nor a real pipeline into the demo's.
    #[error(
        "{path} is {what}: its public id key fits invented people only, so demo and production need homes of their own"
    )]
    DemoMix {
        /// The folder.
        path: PathBuf,
        /// `a demo home` or `a production home`.
        what: &'static str,
    },
    /// Others can read the keys.
    #[error("{path} is open to other users (mode {mode:o}): run `chmod -R go-rwx {path}`")]
    TooOpen {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file of the home is gone.
    #[error("{path} is missing: restore the home from its newest backup")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file of the home is of an earlier moment than the others.
    #[error("{path} is older than {than}: a home is restored as a whole, from its newest backup, never file by file")]
    Older {
        /// The file.
        path: PathBuf,
        /// What is newer.
        than: &'static str,
    },
    /// A file of the home holds something else than was written.
    #[error(
        "{path} is not as it was written: {what}. Keep the home as it is, find out who had access, and restore the home as a \
         whole from its newest backup"
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What that means.
        what: &'static str,
    },
    /// A file of the home is damaged.
    #[error("{path} is damaged: restore the home from its newest backup")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Erasures of it were begun and not ended.
    #[error(
        "{pending} erasure(s) in {path} were begun and not ended: repeat these first, `prosopon subject erase --pending --out \
         {path}` lists for whom"
    )]
    Erasing {
        /// The folder.
        path: PathBuf,
        /// How many.
        pending: usize,
    },
    /// The system said no.
    #[error("{path}: cannot be read or written: check free space and permissions")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Somebody else works on the folder.
    #[error(transparent)]
    Lock(#[from] crate::sink::LockError),
}

impl HomeError {
    /// Why a file of the home that must be there cannot be read.
    pub(super) fn reading(path: &std::path::Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() == std::io::ErrorKind::NotFound { Self::Missing { path } } else { Self::Io { path, source } }
    }
}
