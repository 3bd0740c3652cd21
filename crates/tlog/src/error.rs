//! What can go wrong with a log on disk, always with the file's path.
//!
//! Invariant: an error from an append means that nothing of the batch was acknowledged.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::checkpoint::NoteError;

/// Why a log could not be opened, appended to or read.
#[derive(Debug, Error)]
pub enum Error {
    /// No space or quota left.
    #[error("disk full at {}", path.display())]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No permission to write, or a read-only file system.
    #[error("cannot write {}", path.display())]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another failure to read or write.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not as the log left it, and cannot be put right without losing acknowledged leaves.
    #[error("{} is damaged: {what}; {remedy}", path.display())]
    Damaged {
        /// The damaged or missing file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The checkpoint is another log's, or signed with another key.
    #[error("{} is not this log's: {what}", path.display())]
    Foreign {
        /// The file with the checkpoint.
        path: PathBuf,
        /// Which part differs.
        what: &'static str,
    },
    /// A leaf is longer than 65,535 bytes.
    #[error("leaf {index} of the batch has {len} bytes, more than 65535")]
    LeafTooLong {
        /// Position in the batch.
        index: usize,
        /// Its length in bytes.
        len: usize,
    },
    /// The range or size is beyond the checkpoint.
    #[error("the checkpoint covers {size} leaves, not {asked}")]
    OutOfRange {
        /// Leaves covered.
        size: u64,
        /// Leaf or size asked for.
        asked: u64,
    },
    /// The file moved on while it was read: open the reader again.
    #[error("the log was published meanwhile; open it again")]
    Stale,
    /// The origin cannot stand in a checkpoint, or the note is full.
    #[error("no checkpoint can be made of this")]
    Note(#[from] NoteError),
}

/// Restore advice for files that other files cannot replace.
pub(crate) const RESTORE: &str = "restore it from a backup or an auditor's copy; nothing was changed";

impl Error {
    pub(crate) fn damaged(path: &Path, what: impl Into<String>, remedy: &'static str) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into(), remedy }
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::DiskFull { path, source }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem if action != "read" => {
                Self::NotWritable { path, source }
            }
            _ => Self::Io { action, path, source },
        }
    }
}
