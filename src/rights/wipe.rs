//! Databases that forget: what was deleted is gone from the file, its free pages and its log.
//!
//! Invariant: after [`wipe_sqlite`] the files hold live rows only. On copy-on-write disks, snapshots and SSDs, old
//! blocks may outlive the file; that is the disk's, not the file's.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Why a database could not be wiped; it holds what it held before, deleted rows included.
#[derive(Debug, thiserror::Error)]
pub enum WipeError {
    /// `SQLite` said no.
    #[error("{path} cannot be wiped of deleted rows: check free space and that no other program has it open")]
    Database {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        #[source]
        source: rusqlite::Error,
    },
    /// Somebody reads in the log.
    #[error("{path} is read by another program, so its log could not be emptied: end that program and try again")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The system said no.
    #[error("{path} cannot be made durable")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Overwrites what was deleted, packs the file anew, and empties its log.
///
/// Needs about as much free space as the file has; nobody else may have it open.
///
/// # Errors
/// See [`WipeError`].
pub fn wipe_sqlite(path: &Path) -> Result<(), WipeError> {
    let fail = |source| WipeError::Database { path: path.to_owned(), source };
    let io = |source| WipeError::Io { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(fail)?;
    db.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
    db.pragma_update(None, "secure_delete", true).map_err(fail)?;
    // The copy that VACUUM makes stays in memory, so that no temporary file holds what is being wiped.
    db.pragma_update(None, "temp_store", "MEMORY").map_err(fail)?;
    truncate_log(&db, path)?;
    db.execute_batch("VACUUM").map_err(fail)?;
    truncate_log(&db, path)?;
    db.close().map_err(|(_, source)| fail(source))?;
    for suffix in ["-wal", "-journal"] {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!("{name}{suffix}"));
        // An emptied log; one that is not empty is somebody else's.
        if fs::metadata(&beside).is_ok_and(|m| m.len() > 0) {
            return Err(WipeError::Busy { path: path.to_owned() });
        }
    }
    File::open(path).and_then(|f| f.sync_all()).map_err(io)
}

/// Moves the log into the file and cuts it to nothing.
fn truncate_log(db: &Connection, path: &Path) -> Result<(), WipeError> {
    let busy: i64 = db
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|source| WipeError::Database { path: path.to_owned(), source })?;
    if busy == 0 { Ok(()) } else { Err(WipeError::Busy { path: path.to_owned() }) }
}
