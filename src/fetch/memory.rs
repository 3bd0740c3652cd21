//! What outlives a run: requests spent, what hosts answered, refusals that still hold, cached files of hosts.
//!
//! Invariant: bodies are kept of non-personal files only (robots.txt, tdmrep.json, ai.txt); of pages there is a keyed
//! hash of the URL, never the URL. A request is noted before it is sent. `fetch.sqlite` may be lost at the price of
//! asking again, and of purging more than a closed page; then only the budgets of the night begin anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use rusqlite::{Connection, OptionalExtension, params};

use super::cache::Stored;
use super::reason::FailReason;
use super::spent::Notes;
use crate::db::{self, Access};

/// The memory of a home cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("the fetch memory {path} cannot be read or written: check free space and permissions, or delete it")]
pub struct MemoryError {
    /// The file.
    path: PathBuf,
    /// What `SQLite` said.
    #[source]
    source: rusqlite::Error,
}

/// Keyed hash of a URL.
pub type Tag = Box<dyn Fn(&str) -> String + Send + Sync>;

/// The open memory, for one run.
pub struct Memory {
    database: Mutex<Connection>,
    pub(super) run: String,
    pub(super) night: String,
    tag: Tag,
    /// Counts that are not written yet.
    pub(super) notes: Mutex<Notes>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("run", &self.run).finish_non_exhaustive()
    }
}

/// The file in a home.
pub(crate) const FILE: &str = "fetch.sqlite";

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS spent (
        run TEXT NOT NULL, night TEXT NOT NULL, source TEXT NOT NULL, host TEXT NOT NULL,
        asked INTEGER NOT NULL DEFAULT 0, answered INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0, cached INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
        waited_ms INTEGER NOT NULL DEFAULT 0, last_reason TEXT, PRIMARY KEY (run, source, host)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS spent_night ON spent (night);
    CREATE TABLE IF NOT EXISTS not_modified (
        run TEXT NOT NULL, source TEXT NOT NULL, host TEXT NOT NULL, answers INTEGER NOT NULL,
        PRIMARY KEY (run, source, host)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS refused (tag TEXT PRIMARY KEY, reason TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS cache (
        url TEXT PRIMARY KEY, status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
        requested_at INTEGER NOT NULL, received_at INTEGER NOT NULL
    );
";

/// What an end of a permit adds to the count of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    Refused,
    Failed,
}

/// The same with its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) end: End,
    pub(super) cached: bool,
    pub(super) not_modified: bool,
    pub(super) bytes: u64,
    pub(super) waited_ms: u64,
}

/// One host of a run, for the report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HostReport {
    /// The host.
    pub host: String,
    /// The source on whose behalf it was asked.
    pub source: String,
    /// Requests that were sent.
    pub asked: u64,
    /// Permits that ended with an answer.
    pub answered: u64,
    /// Permits that ended with a refusal: of the guard, of the host's rules, of a policy.
    pub refused: u64,
    /// Permits that ended with a failure, or for want of time or budget.
    pub failed: u64,
    /// Permits that were served from the cache.
    pub cached: u64,
    /// Permits that ended with a 304: what was asked for had not changed.
    pub not_modified: u64,
    /// Bytes of bodies.
    pub bytes: u64,
    /// Waited for its turn, in milliseconds.
    pub waited_ms: u64,
    /// The last refusal or failure.
    pub last_reason: Option<String>,
}

/// What was spent before this start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) night: u64,
    pub(super) by_host: BTreeMap<String, u32>,
    pub(super) by_source: BTreeMap<String, u32>,
}

impl Memory {
    /// Opens or creates the memory of a home. `night` names the nights that share a budget, for instance a date.
    ///
    /// # Errors
    /// Not readable or writable.
    pub fn open(path: &Path, run: &str, night: &str, tag: Tag) -> Result<Self, MemoryError> {
        let fail = |source| MemoryError { path: path.to_owned(), source };
        let database = connect(path).map_err(fail)?;
        // A month of nights is enough for any report.
        let old =
            "DELETE FROM spent WHERE night NOT IN (SELECT DISTINCT night FROM spent ORDER BY night DESC LIMIT 31)";
        database.execute(old, []).map_err(fail)?;
        let old = "DELETE FROM not_modified WHERE run NOT IN (SELECT run FROM spent)";
        database.execute(old, []).map_err(fail)?;
        Ok(Self {
            database: Mutex::new(database),
            run: run.to_owned(),
            night: night.to_owned(),
            tag,
            notes: Mutex::default(),
        })
    }

    /// What stands for a URL.
    pub(super) fn tag_of(&self, url: &str) -> String {
        (self.tag)(url)
    }

    /// Losing a note must not stop a run; the budgets of the run itself are kept in memory, too.
    pub(super) fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        work(&database).inspect_err(|error| tracing::warn!(%error, "fetch memory")).ok()
    }

    /// What was spent before.
    pub(super) fn before(&self) -> Before {
        let sum = "SELECT coalesce(sum(asked), 0) FROM spent WHERE night = ?1";
        let by = |column: &str| {
            let sql = format!("SELECT {column}, sum(asked) FROM spent WHERE run = ?1 GROUP BY {column}");
            self.db(|db| {
                let mut statement = db.prepare(&sql)?;
                let rows = statement.query_map([&self.run], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect::<rusqlite::Result<BTreeMap<String, u32>>>()
            })
        };
        Before {
            night: self.db(|db| db.query_row(sum, [&self.night], |row| number(row, 0))).unwrap_or(0),
            by_host: by("host").unwrap_or_default(),
            by_source: by("source").unwrap_or_default(),
        }
    }

    /// A refusal of this URL that still holds.
    pub(super) fn refusal(&self, url: &str, now: i64) -> Option<FailReason> {
        let sql = "SELECT reason FROM refused WHERE tag = ?1 AND until > ?2";
        let word = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        let found = self.db(|db| db.prepare_cached(sql)?.query_row(params![(self.tag)(url), now], word).optional());
        let word = found.flatten()?;
        FailReason::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// Keeps a refusal of a URL.
    pub(super) fn refuse(&self, url: &str, reason: FailReason, until: i64) {
        let sql = "INSERT OR REPLACE INTO refused (tag, reason, until) VALUES (?1, ?2, ?3)";
        self.db(|db| db.execute(sql, params![(self.tag)(url), reason.as_str(), until]));
    }

    /// A cached file of a host.
    pub(super) fn cached(&self, url: &str) -> Option<Stored> {
        type Row = (u16, String, Vec<u8>, i64, i64);
        let sql = "SELECT status, headers, body, requested_at, received_at FROM cache WHERE url = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
        let found: Option<Row> = self.db(|db| db.query_row(sql, [url], read).optional()).flatten();
        let (status, headers, body, requested_at, received_at) = found?;
        let pairs: Vec<(String, String)> = serde_json::from_str(&headers).ok()?;
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        let body = Bytes::from(zstd::decode_all(&body[..]).ok()?);
        // Requests of ours all look alike, so that only `Vary: *` differs, and that is not kept.
        Some(Stored { status, headers, body, vary: Some(Vec::new()), requested_at, received_at })
    }

    /// Keeps a file of a host, or forgets it.
    pub(super) fn keep(&self, url: &str, stored: Option<&Stored>) {
        let Some(stored) = stored.filter(|s| s.vary.is_some()) else {
            self.db(|db| db.execute("DELETE FROM cache WHERE url = ?1", [url]));
            return;
        };
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let lines = stored.headers.iter().filter(|(name, _)| **name != SET_COOKIE);
        let pairs: Vec<(&str, String)> =
            lines.filter_map(|(name, value)| Some((name.as_str(), text(value)?))).collect();
        let headers = serde_json::to_string(&pairs).expect("text");
        let Ok(body) = zstd::encode_all(&stored.body[..], 3) else { return };
        let sql = "INSERT OR REPLACE INTO cache (url, status, headers, body, requested_at, received_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let times = (stored.requested_at, stored.received_at);
        self.db(|db| db.execute(sql, params![url, stored.status, headers, body, times.0, times.1]));
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let database = db::open(path, Access::Write(db::Journal::Wal), SCHEMA)?;
    database.execute_batch(super::holds::SCHEMA)?;
    database.execute_batch(super::pages::SCHEMA)?;
    // What is lost with the machine's power is asked again.
    database.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(database)
}

/// Forgets all refusals of pages: keyed hashes of addresses, of which some name people, and nobody can tell which.
///
/// # Errors
/// Not writable.
pub fn forget_refusals(home: &Path) -> Result<(), MemoryError> {
    let path = home.join(FILE);
    if !path.exists() {
        return Ok(());
    }
    let forget = |database: Connection| {
        database.execute_batch(
            "DELETE FROM refused; PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);",
        )
    };
    connect(&path).and_then(forget).map_err(|source| MemoryError { path, source })
}

/// A count, which is never negative.
fn number(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|n| u64::try_from(n).unwrap_or(0))
}

/// What was asked by host, in one run: the one named, else the last one. `None` = there is none.
///
/// # Errors
/// Not readable.
pub fn fetch_report(path: &Path, run: Option<&str>) -> Result<Option<(String, Vec<HostReport>)>, MemoryError> {
    let fail = |source| MemoryError { path: path.to_owned(), source };
    if !path.exists() {
        return Ok(None);
    }
    let read = |database: &Connection| {
        let last = "SELECT run FROM spent ORDER BY night DESC, run DESC LIMIT 1";
        let run = match run {
            Some(run) => Some(run.to_owned()),
            None => database.query_row(last, [], |row| row.get::<_, String>(0)).optional()?,
        };
        let Some(run) = run else { return Ok(None) };
        let mut statement = database.prepare(
            "SELECT host, source, asked, answered, refused, failed, cached, bytes, waited_ms, last_reason,
                coalesce(answers, 0) FROM spent LEFT JOIN not_modified USING (run, source, host)
            WHERE run = ?1 ORDER BY asked DESC, host, source",
        )?;
        let rows = statement.query_map([&run], |row| {
            Ok(HostReport {
                host: row.get(0)?,
                source: row.get(1)?,
                asked: number(row, 2)?,
                answered: number(row, 3)?,
                refused: number(row, 4)?,
                failed: number(row, 5)?,
                cached: number(row, 6)?,
                bytes: number(row, 7)?,
                waited_ms: number(row, 8)?,
                last_reason: row.get(9)?,
                not_modified: number(row, 10)?,
            })
        })?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Some((run, rows)).filter(|(_, rows)| !rows.is_empty()))
    };
    connect(path).and_then(|database| read(&database)).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path, run: &str) -> Memory {
        Memory::open(path, run, "2026-03-02", Box::new(|url| format!("tag {}", url.len()))).expect("a memory")
    }

    #[test]
    fn refusals_can_be_forgotten_and_budgets_stay() {
        let dir = tempfile::tempdir().expect("a folder");
        forget_refusals(dir.path()).expect("there is nothing to forget");
        assert!(!dir.path().join(FILE).exists());
        let memory = open(&dir.path().join(FILE), "run_1");
        memory.asking("site", "a.example", 50);
        memory.refuse("https://a.example/ada", FailReason::Gone, i64::MAX);
        assert_eq!(memory.refusal("https://a.example/ada", 1), Some(FailReason::Gone));
        drop(memory);
        forget_refusals(dir.path()).expect("forgotten");
        let memory = open(&dir.path().join(FILE), "run_1");
        assert_eq!((memory.refusal("https://a.example/ada", 1), memory.before().night), (None, 1));
    }

    #[test]
    fn what_was_spent_is_there_after_a_new_start() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("fetch.sqlite");
        let first = open(&path, "run_1");
        for host in ["a.example", "a.example", "b.example"] {
            first.asking("site", host, 50);
        }
        first.ended(
            "site",
            "a.example",
            Spent { end: End::Answered, cached: false, not_modified: false, bytes: 7, waited_ms: 5 },
            None,
        );
        let failed = Spent { end: End::Failed, cached: false, not_modified: false, bytes: 0, waited_ms: 0 };
        first.ended("site", "a.example", failed, Some("timeout_total"));
        drop(first);
        let again = open(&path, "run_1").before();
        assert_eq!((again.night, again.by_host["a.example"], again.by_source["site"]), (3, 2, 3));
        let other = open(&path, "run_2").before();
        assert_eq!((other.night, other.by_host.len()), (3, 0), "the night is shared, the run is not");
        let (run, hosts) = fetch_report(&path, None).expect("readable").expect("a run");
        assert_eq!((run.as_str(), hosts.len(), hosts[0].asked, hosts[0].answered), ("run_1", 2, 2, 1));
        assert_eq!((hosts[0].bytes, hosts[0].waited_ms, hosts[0].failed), (7, 5, 1));
        assert_eq!(hosts[0].last_reason.as_deref(), Some("timeout_total"));
        assert_eq!(fetch_report(&path, Some("run_9")).expect("readable"), None);
    }

    #[test]
    fn refusals_hold_until_their_time_and_no_url_is_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("fetch.sqlite");
        let memory = open(&path, "run_1");
        memory.refuse("https://a.example/ada-lovelace", FailReason::NotFound, 100);
        assert_eq!(memory.refusal("https://a.example/ada-lovelace", 99), Some(FailReason::NotFound));
        assert_eq!(memory.refusal("https://a.example/ada-lovelace", 100), None);
        assert_eq!(memory.refusal("https://a.example/x", 1), None);
        drop(memory);
        for file in std::fs::read_dir(dir.path()).expect("a folder") {
            let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
            assert!(memchr::memmem::find(&bytes, b"lovelace").is_none());
        }
    }

    #[test]
    fn files_of_hosts_are_kept_whole_and_without_cookies() {
        let dir = tempfile::tempdir().expect("a folder");
        let memory = open(&dir.path().join("fetch.sqlite"), "run_1");
        let mut headers = HeaderMap::new();
        headers.insert("etag", HeaderValue::from_static("\"a\""));
        headers.insert(SET_COOKIE, HeaderValue::from_static("a=b"));
        let body = Bytes::from_static(b"User-agent: *");
        let stored = Stored { status: 200, headers, body, vary: Some(Vec::new()), requested_at: 1, received_at: 2 };
        memory.keep("https://a.example/robots.txt", Some(&stored));
        let mut found = memory.cached("https://a.example/robots.txt").expect("kept");
        assert!(!found.headers.contains_key(SET_COOKIE));
        found.headers.insert(SET_COOKIE, HeaderValue::from_static("a=b"));
        assert_eq!(found, stored);
        memory.keep("https://a.example/robots.txt", Some(&Stored { vary: None, ..stored }));
        assert_eq!(memory.cached("https://a.example/robots.txt"), None);
    }
}
