//! The run journal: what a run has already done, so that a killed run continues and repeats nothing.
//!
//! Invariant: a fetch is in the journal with all that was read from it, or not at all (one transaction). Rows of a
//! run are deleted once its snapshot is published.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::db::{self, Access};
use crate::model::RunId;

/// The journal cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// `SQLite` said no.
    #[error("the run journal {path} cannot be read or written: check free space and permissions")]
    Database {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        #[source]
        source: rusqlite::Error,
    },
    /// Its mode cannot be set.
    #[error("the mode of {path} cannot be set to 0600")]
    Mode {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A row is not what was written.
    #[error("the run journal {path} is damaged: delete it to start the run afresh")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// What a run stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// Its id.
    pub run_id: RunId,
    /// Wall clock of its first start.
    pub started_at: Timestamp,
    /// `running`, `published` or `superseded`.
    pub state: String,
    /// How often it was started.
    pub starts: u32,
    /// Wall clock of publishing.
    pub published_at: Option<Timestamp>,
    /// Summary as JSON, once published.
    pub summary: Option<String>,
}

/// The open journal.
#[derive(Debug)]
pub struct Journal {
    database: Mutex<Connection>,
    path: PathBuf,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS runs (
        run_id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL,
        started_at TEXT NOT NULL, published_at TEXT, starts INTEGER NOT NULL, summary TEXT
    );
    CREATE TABLE IF NOT EXISTS fetches (
        run_id TEXT NOT NULL, request TEXT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (run_id, request)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS ends (
        run_id TEXT NOT NULL, start INTEGER NOT NULL, PRIMARY KEY (run_id, start)
    ) WITHOUT ROWID;
";

impl Journal {
    /// Opens or creates the journal of a home.
    ///
    /// # Errors
    /// Not readable or writable.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let fail = |source| JournalError::Database { path: path.to_owned(), source };
        let database = db::open(path, Access::Write(db::Journal::Wal), SCHEMA).map_err(fail)?;
        crate::run::files::make_private(path).map_err(|source| JournalError::Mode { path: path.to_owned(), source })?;
        Ok(Self { database: Mutex::new(database), path: path.to_owned() })
    }

    /// Opens the file for reading, and changes nothing; `None` = nothing ever ran.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open_to_read(path: &Path) -> Result<Option<Self>, JournalError> {
        if !path.exists() {
            return Ok(None);
        }
        let fail = |source| JournalError::Database { path: path.to_owned(), source };
        let database = db::open(path, Access::Read, SCHEMA).map_err(fail)?;
        Ok(Some(Self { database: Mutex::new(database), path: path.to_owned() }))
    }

    fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, JournalError> {
        let database = self.database.lock().expect("no holder panics");
        work(&database).map_err(|source| JournalError::Database { path: self.path.clone(), source })
    }

    /// Continues the pipeline's unfinished run if it has this key, else begins a new one.
    ///
    /// The key covers pipeline, policy, inputs, ledger and `as_of`: a run whose inputs changed is not continued.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn begin(
        &self,
        pipeline: &str,
        key: &str,
        new_id: impl FnOnce(u64) -> RunId,
        now: Timestamp,
    ) -> Result<RunState, JournalError> {
        let open = self.db(|db| {
            let sql = "SELECT run_id FROM runs WHERE pipeline = ?1 AND key = ?2 AND state = 'running'";
            db.query_row(sql, params![pipeline, key], |row| row.get::<_, String>(0)).optional()
        })?;
        let run_id = if let Some(run_id) = open {
            self.db(|db| db.execute("UPDATE runs SET starts = starts + 1 WHERE run_id = ?1", params![run_id]))?;
            run_id
        } else {
            self.supersede(pipeline)?;
            let count = self.db(|db| db.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0)))?;
            let run_id = new_id(count.unsigned_abs() + 1).as_str().to_owned();
            self.db(|db| {
                let sql = "INSERT INTO runs (run_id, pipeline, key, state, started_at, starts) \
                           VALUES (?1, ?2, ?3, 'running', ?4, 1)";
                db.execute(sql, params![run_id, pipeline, key, now.to_string()])
            })?;
            run_id
        };
        self.run(&run_id)?.ok_or_else(|| JournalError::Damaged { path: self.path.clone() })
    }

    /// Gives up unfinished runs of the pipeline and forgets what they fetched.
    fn supersede(&self, pipeline: &str) -> Result<(), JournalError> {
        self.db(|db| {
            let sql = "DELETE FROM fetches WHERE run_id IN \
                       (SELECT run_id FROM runs WHERE pipeline = ?1 AND state = 'running')";
            db.execute(sql, params![pipeline])?;
            db.execute(
                "UPDATE runs SET state = 'superseded' WHERE pipeline = ?1 AND state = 'running'",
                params![pipeline],
            )
        })?;
        Ok(())
    }

    fn run(&self, run_id: &str) -> Result<Option<RunState>, JournalError> {
        self.db(|db| {
            let sql = "SELECT run_id, started_at, state, starts, published_at, summary FROM runs WHERE run_id = ?1";
            db.query_row(sql, params![run_id], run_state).optional()
        })
    }

    /// The newest run of a pipeline.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn last_run(&self, pipeline: &str) -> Result<Option<RunState>, JournalError> {
        self.db(|db| {
            let sql = "SELECT run_id, started_at, state, starts, published_at, summary FROM runs \
                       WHERE pipeline = ?1 ORDER BY rowid DESC LIMIT 1";
            db.query_row(sql, params![pipeline], run_state).optional()
        })
    }

    /// Pipelines that have been run in the home, sorted.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn pipelines(&self) -> Result<Vec<String>, JournalError> {
        self.db(|db| {
            let mut statement = db.prepare("SELECT DISTINCT pipeline FROM runs ORDER BY pipeline")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// How many fetches of a run are committed.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn fetched(&self, run: &RunId) -> Result<u64, JournalError> {
        let sql = "SELECT count(*) FROM fetches WHERE run_id = ?1";
        Ok(self.db(|db| db.query_row(sql, params![run.as_str()], |row| row.get::<_, i64>(0)))?.unsigned_abs())
    }

    /// What an earlier start of the run committed for a request.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn recall<T: DeserializeOwned>(&self, run: &RunId, request: &str) -> Result<Option<T>, JournalError> {
        let text: Option<String> = self.db(|db| {
            let sql = "SELECT result FROM fetches WHERE run_id = ?1 AND request = ?2";
            db.query_row(sql, params![run.as_str(), request], |row| row.get(0)).optional()
        })?;
        text.map(|t| serde_json::from_str(&t).map_err(|_| JournalError::Damaged { path: self.path.clone() }))
            .transpose()
    }

    /// Commits what a request brought.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn commit<T: Serialize>(&self, run: &RunId, request: &str, result: &T) -> Result<(), JournalError> {
        let text = serde_json::to_string(result).expect("results have only string keys");
        self.db(|db| {
            let sql = "INSERT OR REPLACE INTO fetches (run_id, request, result) VALUES (?1, ?2, ?3)";
            db.execute(sql, params![run.as_str(), request, text])
        })?;
        Ok(())
    }

    /// Notes that a start of a run came to an end, of whatever kind, and was not killed.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn end(&self, run: &RunId, start: u32) -> Result<(), JournalError> {
        let sql = "INSERT OR IGNORE INTO ends (run_id, start) VALUES (?1, ?2)";
        self.db(|db| db.execute(sql, params![run.as_str(), start]))?;
        Ok(())
    }

    /// The starts of a run that came to an end, in order; the first is 1.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn ends(&self, run: &RunId) -> Result<Vec<u32>, JournalError> {
        self.db(|db| {
            let mut statement = db.prepare("SELECT start FROM ends WHERE run_id = ?1 ORDER BY start")?;
            let rows = statement.query_map(params![run.as_str()], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// Closes a published run and forgets what it fetched.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn publish(&self, run: &RunId, summary: &str, now: Timestamp) -> Result<(), JournalError> {
        self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            transaction.execute("DELETE FROM fetches WHERE run_id = ?1", params![run.as_str()])?;
            let sql = "UPDATE runs SET state = 'published', published_at = ?2, summary = ?3 WHERE run_id = ?1";
            transaction.execute(sql, params![run.as_str(), now.to_string(), summary])?;
            transaction.commit()?;
            db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        })
    }

    /// Deletes whatever was kept of a person in unfinished runs, and overwrites it.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn forget(&self, subject: &crate::model::SubjectId) -> Result<(), JournalError> {
        self.db(|db| {
            let like = format!("%{subject}%");
            db.execute("DELETE FROM fetches WHERE result LIKE ?1", params![like])?;
            db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        })
    }
}

fn run_state(row: &rusqlite::Row<'_>) -> rusqlite::Result<RunState> {
    let time = |text: String| text.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let id: String = row.get(0)?;
    Ok(RunState {
        run_id: RunId::from_body(id.strip_prefix(RunId::PREFIX).unwrap_or(&id)),
        started_at: time(row.get(1)?),
        state: row.get(2)?,
        starts: row.get(3)?,
        published_at: row.get::<_, Option<String>>(4)?.map(time),
        summary: row.get(5)?,
    })
}
