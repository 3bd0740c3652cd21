//! SQLite files of a home: how they are opened.
//!
//! Invariant: what is written is synced before a call returns; rows that are deleted are overwritten; an auditor's
//! read-only copy is read without a byte being written beside it.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, ffi};

/// How long a call waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// The path of a database that is kept nowhere.
pub(crate) const IN_MEMORY: &str = ":memory:";

/// Where changes go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Journal {
    /// Into a file beside it: many small writes, readers meanwhile.
    Wal,
    /// Into the file itself: what is deleted does not live on in a second file.
    Truncate,
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// For writing; it is made if it is not there.
    Write(Journal),
    /// For reading, while others may write.
    Read,
    /// For reading what nobody writes at the moment: nothing is made beside it, not even shared memory.
    AtRest,
}

/// Opens a file of a home; for writing, its tables are made.
pub(crate) fn open(path: &Path, access: Access, schema: &str) -> rusqlite::Result<Connection> {
    let Access::Write(journal) = access else { return open_to_read(path, access == Access::AtRest) };
    if path != Path::new(IN_MEMORY) {
        // Private from its first moment, as then are the files that SQLite makes beside it. What fails here fails below.
        let _ = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    }
    let database = Connection::open(path)?;
    database.busy_timeout(PATIENCE)?;
    database.pragma_update(None, "journal_mode", if journal == Journal::Wal { "WAL" } else { "TRUNCATE" })?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "secure_delete", true)?;
    database.execute_batch(schema)?;
    Ok(database)
}

/// How much of a file is held in memory, in KiB; what SQLite holds otherwise.
pub(crate) const CACHE: i64 = 2000;
/// The same while very many rows are written in an order that is not the file's.
pub(crate) const LARGE_CACHE: i64 = 64 * 1024;

/// Holds so much of a file in memory.
pub(crate) fn cache(database: &Connection, kib: i64) -> rusqlite::Result<()> {
    database.pragma_update(None, "cache_size", -kib)?;
    database.execute_batch("PRAGMA shrink_memory")
}

fn open_to_read(path: &Path, at_rest: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri =
        url::Url::from_file_path(&absolute).map_err(|()| rusqlite::Error::InvalidPath(path.to_owned()))?.to_string();
    // In a folder that nobody may write to, there is no shared memory and nobody who writes.
    let folder = absolute.parent().unwrap_or(&absolute);
    let is_locked = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err();
    // What lies in a write-ahead file is read by the ordinary way only.
    let log = absolute.with_file_name(format!("{}-wal", absolute.file_name().unwrap_or_default().to_string_lossy()));
    let has_log = std::fs::metadata(log).is_ok_and(|m| m.len() > 0);
    if (at_rest || is_locked) && !has_log {
        uri.push_str("?immutable=1");
    }
    let database = Connection::open_with_flags(uri, flags)?;
    database.busy_timeout(PATIENCE)?;
    match database.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        // What was begun must be rolled back first, which is to write.
        Err(rusqlite::Error::SqliteFailure(code, _)) if code.extended_code == ffi::SQLITE_READONLY_ROLLBACK => {
            let text = "a process was killed while writing: run any command that writes, then repeat";
            Err(rusqlite::Error::SqliteFailure(code, Some(text.to_owned())))
        }
        // What else is wrong is told by whoever reads.
        _ => Ok(database),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_writes_nothing_and_finds_what_is_in_the_write_ahead_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.sqlite");
        let writer = open(&path, Access::Write(Journal::Wal), "CREATE TABLE t (a INTEGER)").expect("opens");
        writer.execute("INSERT INTO t VALUES (7)", []).expect("written");
        let read = |path: &Path| -> i64 {
            let database = open(path, Access::Read, "").expect("opens");
            assert!(database.execute("INSERT INTO t VALUES (8)", []).is_err(), "it is for reading");
            database.query_row("SELECT sum(a) FROM t", [], |row| row.get(0)).expect("readable")
        };
        assert_eq!(read(&path), 7);
        drop(writer);
        assert_eq!(read(&path), 7);
        assert!(open(&folder.path().join("y.sqlite"), Access::Read, "").is_err(), "nothing is made");
        assert!(!folder.path().join("y.sqlite").exists());
        open(Path::new(IN_MEMORY), Access::Write(Journal::Wal), "").expect("opens");
        assert!(!Path::new(IN_MEMORY).exists(), "a file of that name in the working directory");
    }

    #[test]
    fn what_a_kill_left_half_written_is_told_to_a_reader() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, copy) = (folder.path().join("x.sqlite"), folder.path().join("y.sqlite"));
        let writer = open(&path, Access::Write(Journal::Truncate), "CREATE TABLE t (a)").expect("opens");
        // Spilled from the cache, so that half of it is in the file.
        writer.execute_batch("PRAGMA cache_size = 2; BEGIN").expect("begun");
        for _ in 0..100 {
            writer.execute("INSERT INTO t VALUES (zeroblob(4000))", []).expect("written");
        }
        for (from, to) in [("x.sqlite", "y.sqlite"), ("x.sqlite-journal", "y.sqlite-journal")] {
            std::fs::copy(folder.path().join(from), folder.path().join(to)).expect("a copy");
        }
        let error = open(&copy, Access::Read, "").expect_err("half written");
        assert!(error.to_string().contains("killed while writing"), "{error}");
        open(&copy, Access::Write(Journal::Truncate), "").expect("rolled back");
        open(&copy, Access::Read, "").expect("readable");
    }
}
