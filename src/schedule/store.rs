//! What a home remembers of its schedules: one row a pipeline, and the heartbeat of the daemon.
//!
//! Invariant: a fire is on the disk before its run starts; a change is read, made and written in one transaction, so
//! that `schedule resume` and a daemon do not undo each other. No personal data: names of pipelines and instants.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::state::{Ahead, Outcome, State};
use crate::db::{self, Access, Journal};

/// The file's name in the home.
pub const FILE: &str = "schedule.sqlite";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS schedules (
    pipeline TEXT PRIMARY KEY,
    expression TEXT NOT NULL,
    since TEXT NOT NULL,
    last_fired TEXT,
    started TEXT,
    ended TEXT,
    outcome TEXT,
    unfinished INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    paused_at TEXT,
    next_start TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS successes (
    pipeline TEXT PRIMARY KEY,
    at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS clocks (
    pipeline TEXT PRIMARY KEY,
    until TEXT NOT NULL,
    held INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS heartbeat (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    pid INTEGER NOT NULL,
    at TEXT NOT NULL
) STRICT;
";

const COLUMNS: &str =
    "expression, since, last_fired, started, ended, outcome, unfinished, failures, paused_at, next_start";

/// Why the file of the schedules cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: the state of the schedules cannot be read or written: check free space and permissions")]
pub struct StoreError {
    /// The file.
    pub path: PathBuf,
    /// What SQLite said.
    #[source]
    pub source: rusqlite::Error,
}

/// A sign of life of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Its process.
    pub pid: u32,
    /// When it was given.
    pub at: Timestamp,
}

/// The open file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Device and number of the file.
    file: Option<(u64, u64)>,
    database: Connection,
}

impl Store {
    /// Opens the file of a home; it is made if it is not there.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        Self::open_as(home.join(FILE), Access::Write(Journal::Truncate))
    }

    /// Opens the file of a home for reading; `None` = nothing was ever scheduled there.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open_to_read(home: &Path) -> Result<Option<Self>, StoreError> {
        let path = home.join(FILE);
        if path.exists() { Self::open_as(path, Access::Read).map(Some) } else { Ok(None) }
    }

    fn open_as(path: PathBuf, access: Access) -> Result<Self, StoreError> {
        match db::open(&path, access, SCHEMA) {
            Ok(database) => Ok(Self { file: file(&path), path, database }),
            Err(source) => Err(StoreError { path, source }),
        }
    }

    /// Whether the file that was opened still lies where it lay.
    pub fn is_in_place(&self) -> bool {
        file(&self.path) == self.file
    }

    /// The names of all pipelines that were ever scheduled, sorted.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn pipelines(&self) -> Result<Vec<String>, StoreError> {
        let names = || {
            let mut statement = self.database.prepare("SELECT pipeline FROM schedules ORDER BY pipeline")?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
        };
        names().map_err(|source| self.error(source))
    }

    /// The state of a pipeline's schedule; `None` = never seen.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn state(&self, pipeline: &str) -> Result<Option<State>, StoreError> {
        read(&self.database, pipeline).map_err(|source| self.error(source))
    }

    /// Changes the state of a pipeline's schedule, made by `first` where it was never seen, and returns it.
    ///
    /// # Errors
    /// It cannot be read or written; nothing is changed.
    pub fn update<T>(
        &mut self,
        pipeline: &str,
        first: impl FnOnce() -> State,
        change: impl FnOnce(&mut State) -> T,
    ) -> Result<(State, T), StoreError> {
        let work = || {
            let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let before = read(&transaction, pipeline)?;
            let mut state = before.clone().unwrap_or_else(first);
            let told = change(&mut state);
            if before.as_ref() != Some(&state) {
                write(&transaction, pipeline, &state)?;
            }
            transaction.commit()?;
            Ok((state, told))
        };
        work().map_err(|source| StoreError { path: self.path.clone(), source })
    }

    /// Gives a sign of life.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn beat(&self, beat: Heartbeat) -> Result<(), StoreError> {
        let sql = "INSERT INTO heartbeat (one, pid, at) VALUES (1, ?1, ?2)
                   ON CONFLICT (one) DO UPDATE SET pid = ?1, at = ?2";
        self.database.execute(sql, params![beat.pid, beat.at.to_string()]).map_err(|source| self.error(source))?;
        Ok(())
    }

    /// The daemon ends.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn stop_beating(&self) -> Result<(), StoreError> {
        self.database.execute("DELETE FROM heartbeat", []).map_err(|source| self.error(source))?;
        Ok(())
    }

    /// The last sign of life; `None` = no daemon, or it has ended in order.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn heartbeat(&self) -> Result<Option<Heartbeat>, StoreError> {
        let beat = |row: &Row<'_>| Ok(Heartbeat { pid: row.get(0)?, at: instant(row, 1)? });
        let found = self.database.query_row("SELECT pid, at FROM heartbeat", [], beat).optional();
        found.map_err(|source| self.error(source))
    }

    fn error(&self, source: rusqlite::Error) -> StoreError {
        StoreError { path: self.path.clone(), source }
    }
}

fn file(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|facts| (facts.dev(), facts.ino()))
}

fn read(database: &Connection, pipeline: &str) -> rusqlite::Result<Option<State>> {
    let sql = format!("SELECT {COLUMNS} FROM schedules WHERE pipeline = ?1");
    let state = |row: &Row<'_>| {
        Ok(State {
            expression: row.get(0)?,
            since: instant(row, 1)?,
            last_fired: maybe(row, 2)?,
            started: maybe(row, 3)?,
            ended: maybe(row, 4)?,
            outcome: row.get::<_, Option<String>>(5)?.and_then(|name| Outcome::from_name(&name)),
            succeeded: None,
            is_unfinished: row.get(6)?,
            failures: row.get(7)?,
            paused_at: maybe(row, 8)?,
            next_start: maybe(row, 9)?,
            ahead: None,
        })
    };
    let Some(mut state) = database.query_row(&sql, [pipeline], state).optional()? else { return Ok(None) };
    state.succeeded =
        succeeded(database, pipeline)?.or(state.ended.filter(|_| state.outcome.is_some_and(Outcome::is_success)));
    state.ahead = ahead(database, pipeline)?;
    Ok(Some(state))
}

/// What lay in the future; a home of an older version has no such table before its next run.
fn ahead(database: &Connection, pipeline: &str) -> rusqlite::Result<Option<Ahead>> {
    if !database.table_exists(None, "clocks")? {
        return Ok(None);
    }
    let ahead = |row: &Row<'_>| Ok(Ahead { until: instant(row, 0)?, is_held: row.get(1)? });
    database.query_row("SELECT until, held FROM clocks WHERE pipeline = ?1", [pipeline], ahead).optional()
}

/// When a run last succeeded; a home of an older version has no such table before its next run.
fn succeeded(database: &Connection, pipeline: &str) -> rusqlite::Result<Option<Timestamp>> {
    if !database.table_exists(None, "successes")? {
        return Ok(None);
    }
    let sql = "SELECT at FROM successes WHERE pipeline = ?1";
    database.query_row(sql, [pipeline], |row| instant(row, 0)).optional()
}

fn write(database: &Connection, pipeline: &str, state: &State) -> rusqlite::Result<()> {
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let sql =
        format!("INSERT OR REPLACE INTO schedules (pipeline, {COLUMNS}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)");
    database.execute(
        &sql,
        params![
            pipeline,
            state.expression,
            state.since.to_string(),
            text(state.last_fired),
            text(state.started),
            text(state.ended),
            state.outcome.map(Outcome::name),
            state.is_unfinished,
            state.failures,
            text(state.paused_at),
            text(state.next_start),
        ],
    )?;
    if let Some(at) = state.succeeded {
        let sql = "INSERT OR REPLACE INTO successes (pipeline, at) VALUES (?1, ?2)";
        database.execute(sql, params![pipeline, at.to_string()])?;
    }
    database.execute("DELETE FROM clocks WHERE pipeline = ?1", [pipeline])?;
    if let Some(ahead) = state.ahead {
        let sql = "INSERT INTO clocks (pipeline, until, held) VALUES (?1, ?2, ?3)";
        database.execute(sql, params![pipeline, ahead.until.to_string(), ahead.is_held])?;
    }
    Ok(())
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    maybe(row, column)?.ok_or(rusqlite::Error::InvalidQuery)
}

fn maybe(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let text: Option<String> = row.get(column)?;
    let parse = |text: String| {
        let kind = rusqlite::types::Type::Text;
        text.parse().map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(e)))
    };
    text.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::tests::{at, spec};

    #[test]
    fn what_is_written_is_read_and_changes_are_whole() {
        let home = tempfile::tempdir().expect("a folder");
        assert!(Store::open_to_read(home.path()).expect("readable").is_none(), "nothing is made by looking");
        let mut store = Store::open(home.path()).expect("opens");
        let (spec, now) = (spec("15 2 * * *", "Europe/Berlin"), at("2026-03-02T03:00:00Z"));
        let first = || State::new(&spec, now, jiff::SignedDuration::ZERO);
        let (state, ()) = store.update("nightly", first, |state| state.start(now, now)).expect("written");
        assert_eq!(store.state("nightly").expect("readable").as_ref(), Some(&state));
        let mut other = Store::open(home.path()).expect("a second process");
        let (ended, ()) = other
            .update("nightly", || panic!("it was seen"), |state| state.end(&spec, Outcome::Failed, now))
            .expect("written");
        let reader = Store::open_to_read(home.path()).expect("readable").expect("there");
        assert_eq!(reader.state("nightly").expect("readable"), Some(ended));
        let done = |state: &mut State| state.end(&spec, Outcome::Completed, now);
        assert_eq!(store.update("nightly", || panic!("it was seen"), done).expect("written").0.succeeded, Some(now));
        let later = now + jiff::SignedDuration::from_hours(1);
        store.update("nightly", || panic!("it was seen"), |s| s.end(&spec, Outcome::Failed, later)).expect("written");
        let failed = reader.state("nightly").expect("readable").expect("there");
        assert_eq!((failed.ended, failed.succeeded), (Some(later), Some(now)), "a failure does not undo a success");
        let lies_ahead = Some(Ahead { until: later, is_held: true });
        for ahead in [lies_ahead, None] {
            store.update("nightly", || panic!("it was seen"), |state| state.ahead = ahead).expect("written");
            assert_eq!(reader.state("nightly").expect("readable").expect("there").ahead, ahead);
        }
        assert_eq!(reader.pipelines().expect("readable"), ["nightly"]);
        assert_eq!(reader.heartbeat().expect("readable"), None);
        store.beat(Heartbeat { pid: 7, at: now }).expect("written");
        store.beat(Heartbeat { pid: 8, at: now }).expect("written");
        assert_eq!(reader.heartbeat().expect("readable"), Some(Heartbeat { pid: 8, at: now }));
        store.stop_beating().expect("written");
        assert_eq!(reader.heartbeat().expect("readable"), None);
    }
}
