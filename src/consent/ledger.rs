//! The ledger: append-only legal events of one home, in SQLite, with a checkpoint beside it.
//!
//! Invariant: an event once written is never changed or removed (triggers refuse it); importing the same events
//! again, in any order, leaves the same state. The checkpoint file lies outside the database, so a database that was
//! rolled back or emptied is noticed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::consent::event::LegalEvent;
use crate::model::SubjectId;

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
}

/// An order-independent digest of all events: the sum of their SHA-256 digests, modulo 2^256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerState {
    count: u64,
    sum: [u8; 32],
}

impl LedgerState {
    fn add(&mut self, digest: &[u8; 32]) {
        self.count += 1;
        let mut carry = 0u16;
        for (a, b) in self.sum.iter_mut().rev().zip(digest.iter().rev()) {
            let total = u16::from(*a) + u16::from(*b) + carry;
            *a = (total & 0xff) as u8;
            carry = total >> 8;
        }
    }

    /// How many events there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Hex, for ids, manifests and checkpoints.
    #[must_use]
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.sum)
    }
}

/// The ledger of a home, open for one process.
#[derive(Debug)]
pub struct Ledger {
    database: Connection,
    path: PathBuf,
    checkpoint: PathBuf,
    view: LedgerView,
}

/// What the gate reads: all events by subject, as they stood when the view was taken.
#[derive(Debug, Clone, Default)]
pub struct LedgerView {
    events: HashMap<SubjectId, Vec<LegalEvent>>,
    first_seen: HashMap<SubjectId, Timestamp>,
    state: LedgerState,
    last_sync: Option<Timestamp>,
    newest: Option<Timestamp>,
}

impl LedgerView {
    /// The view of a clock that stands still on purpose (demo and replay): it may stand before an earlier import.
    #[must_use]
    pub fn pinned(self) -> Self {
        Self { newest: None, ..self }
    }

    /// The newest time of any import: a clock that stands before it went back.
    #[must_use]
    pub const fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// When the home first collected anything about a subject: the anchor of retention and of the Art. 14 notice.
    #[must_use]
    pub fn first_seen(&self, subject: &SubjectId) -> Option<Timestamp> {
        self.first_seen.get(subject).copied()
    }

    /// The events of a subject; `None` = never heard of.
    #[must_use]
    pub fn events(&self, subject: &SubjectId) -> Option<&[LegalEvent]> {
        self.events.get(subject).map(Vec::as_slice)
    }

    /// The digest of all events.
    #[must_use]
    pub const fn state(&self) -> LedgerState {
        self.state
    }

    /// When consents were last imported.
    #[must_use]
    pub const fn last_sync(&self) -> Option<Timestamp> {
        self.last_sync
    }

    fn add(&mut self, event: LegalEvent, digest: &[u8; 32]) {
        self.state.add(digest);
        self.events.entry(event.subject.clone()).or_default().push(event);
    }
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS legal_events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        digest BLOB NOT NULL UNIQUE,
        chain BLOB NOT NULL,
        event TEXT NOT NULL
    );
    CREATE TRIGGER IF NOT EXISTS legal_events_no_update BEFORE UPDATE ON legal_events
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
    CREATE TRIGGER IF NOT EXISTS legal_events_no_delete BEFORE DELETE ON legal_events
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
    CREATE TRIGGER IF NOT EXISTS legal_events_no_replace BEFORE INSERT ON legal_events
        WHEN EXISTS (SELECT 1 FROM legal_events WHERE seq = NEW.seq OR digest = NEW.digest)
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
    CREATE TABLE IF NOT EXISTS first_seen (subject TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
    CREATE TRIGGER IF NOT EXISTS first_seen_no_update BEFORE UPDATE ON first_seen
        BEGIN SELECT RAISE(ABORT, 'first collection is never renewed'); END;
    CREATE TRIGGER IF NOT EXISTS first_seen_no_delete BEFORE DELETE ON first_seen
        BEGIN SELECT RAISE(ABORT, 'first collection is never forgotten'); END;
    CREATE TRIGGER IF NOT EXISTS first_seen_no_replace BEFORE INSERT ON first_seen
        WHEN EXISTS (SELECT 1 FROM first_seen WHERE subject = NEW.subject)
        BEGIN SELECT RAISE(ABORT, 'first collection is never renewed'); END;
    CREATE TABLE IF NOT EXISTS consent_sync (id INTEGER PRIMARY KEY CHECK (id = 1), at TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS newest (id INTEGER PRIMARY KEY CHECK (id = 1), at TEXT NOT NULL);
";

impl Ledger {
    /// Opens (or, in a new home, creates) the ledger and holds it against its checkpoint.
    ///
    /// # Errors
    /// Unreadable, damaged, or behind its checkpoint.
    pub fn open(path: &Path, checkpoint: &Path) -> Result<Self, LedgerError> {
        let fail = |source| LedgerError::Database { path: path.to_owned(), source };
        let database = Connection::open(path).map_err(fail)?;
        database.busy_timeout(std::time::Duration::from_secs(5)).map_err(fail)?;
        database.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
        database.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
        database.execute_batch(SCHEMA).map_err(fail)?;
        let mut ledger =
            Self { database, path: path.to_owned(), checkpoint: checkpoint.to_owned(), view: LedgerView::default() };
        ledger.load()?;
        Ok(ledger)
    }

    /// An empty ledger that is kept nowhere, for a dry run without a home.
    ///
    /// # Errors
    /// SQLite cannot be used.
    pub fn in_memory() -> Result<Self, LedgerError> {
        let path = PathBuf::from(":memory:");
        let fail = |source| LedgerError::Database { path: path.clone(), source };
        let database = Connection::open_in_memory().map_err(fail)?;
        database.execute_batch(SCHEMA).map_err(fail)?;
        Ok(Self { database, checkpoint: PathBuf::new(), view: LedgerView::default(), path })
    }

    fn load(&mut self) -> Result<(), LedgerError> {
        let expected = self.read_checkpoint()?;
        let mut chain = [0u8; 32];
        let rows = self.rows()?;
        if expected.is_none() && !rows.is_empty() {
            return Err(LedgerError::CheckpointMissing { path: self.checkpoint.clone() });
        }
        let mut at_checkpoint = expected.is_none_or(|(count, _)| count == 0);
        for (seq, stored_chain, text) in rows {
            let damaged = || LedgerError::EventDamaged { path: self.path.clone(), seq };
            let event: LegalEvent = serde_json::from_str(&text).map_err(|_| damaged())?;
            let digest = event.digest();
            chain = link(&chain, &digest);
            if stored_chain != chain {
                return Err(damaged());
            }
            self.view.add(event, &digest);
            at_checkpoint |= expected == Some((self.view.state.count, chain));
        }
        if !at_checkpoint {
            let expected = expected.map_or(0, |(count, _)| count);
            return Err(LedgerError::BehindCheckpoint {
                path: self.path.clone(),
                found: self.view.state.count,
                expected,
            });
        }
        self.view.first_seen = self.read_first_seen()?;
        self.view.last_sync = self.read_time("SELECT at FROM consent_sync WHERE id = 1")?;
        self.view.newest = self.read_time("SELECT at FROM newest WHERE id = 1")?;
        if expected.is_none() && self.view.state.count == 0 && self.view.first_seen.is_empty() {
            // A new ledger: from now on a missing checkpoint means that somebody took it away.
            self.write_checkpoint(&chain)?;
        }
        Ok(())
    }

    fn read_time(&self, query: &str) -> Result<Option<Timestamp>, LedgerError> {
        let text: Option<String> = self.db(|db| db.query_row(query, [], |row| row.get(0)).optional())?;
        text.map(|t| t.parse().map_err(|_| LedgerError::EventDamaged { path: self.path.clone(), seq: 0 })).transpose()
    }

    fn read_first_seen(&self) -> Result<HashMap<SubjectId, Timestamp>, LedgerError> {
        let rows: Vec<(String, String)> = self.db(|db| {
            let mut statement = db.prepare("SELECT subject, at FROM first_seen")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        let parsed = rows.into_iter().map(|(id, at)| {
            let body = id.strip_prefix(SubjectId::PREFIX).unwrap_or(&id);
            Some((SubjectId::from_body(body), at.parse().ok()?))
        });
        parsed.collect::<Option<_>>().ok_or_else(|| LedgerError::EventDamaged { path: self.path.clone(), seq: 0 })
    }

    fn rows(&self) -> Result<Vec<(u64, Vec<u8>, String)>, LedgerError> {
        self.db(|db| {
            let mut statement = db.prepare("SELECT seq, chain, event FROM legal_events ORDER BY seq")?;
            let rows =
                statement.query_map([], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?, row.get(2)?)))?;
            rows.collect()
        })
    }

    fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        work(&self.database).map_err(|source| LedgerError::Database { path: self.path.clone(), source })
    }

    /// Appends what is not there yet, notes who was first seen when and the time of the import, and moves the
    /// checkpoint.
    ///
    /// # Errors
    /// Database not writable: nothing of the batch is there. Checkpoint not writable: the batch is there, the
    /// checkpoint is one behind, which the next import makes good.
    pub fn import(
        &mut self,
        events: &[LegalEvent],
        seen: &[(SubjectId, Timestamp)],
        synced_at: Timestamp,
    ) -> Result<u64, LedgerError> {
        let chain = self.head()?;
        let newest = self.view.newest.map_or(synced_at, |newest| newest.max(synced_at));
        let new = self.db(|db| append(db, events, seen, chain, (synced_at, newest)))?;
        for (subject, at) in seen {
            self.view.first_seen.entry(subject.clone()).or_insert(*at);
        }
        for event in &new.events {
            self.view.add((*event).clone(), &event.digest());
        }
        self.view.last_sync = Some(synced_at);
        self.view.newest = Some(newest);
        self.write_checkpoint(&new.chain)?;
        Ok(new.events.len() as u64)
    }

    /// Takes events into the view only, for a dry run: nothing is written.
    pub fn preview(&mut self, events: &[LegalEvent], seen: &[(SubjectId, Timestamp)], synced_at: Timestamp) {
        for (subject, at) in seen {
            self.view.first_seen.entry(subject.clone()).or_insert(*at);
        }
        let mut known: std::collections::HashSet<[u8; 32]> =
            self.view.events.values().flatten().map(LegalEvent::digest).collect();
        for event in events {
            let digest = event.digest();
            if known.insert(digest) {
                self.view.add(event.clone(), &digest);
            }
        }
        self.view.last_sync = Some(synced_at);
        self.view.newest = self.view.newest.max(Some(synced_at));
    }

    fn head(&self) -> Result<[u8; 32], LedgerError> {
        let head: Option<Vec<u8>> = self.db(|db| {
            db.query_row("SELECT chain FROM legal_events ORDER BY seq DESC LIMIT 1", [], |row| row.get(0)).optional()
        })?;
        Ok(head.and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 32]))
    }

    fn read_checkpoint(&self) -> Result<Option<(u64, [u8; 32])>, LedgerError> {
        let text = match std::fs::read_to_string(&self.checkpoint) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LedgerError::Checkpoint { path: self.checkpoint.clone(), source }),
        };
        let parsed = text.trim().split_once(' ').and_then(|(count, chain)| {
            Some((count.parse().ok()?, HEXLOWER.decode(chain.as_bytes()).ok()?.try_into().ok()?))
        });
        parsed.map(Some).ok_or_else(|| LedgerError::CheckpointDamaged { path: self.checkpoint.clone() })
    }

    fn write_checkpoint(&self, chain: &[u8; 32]) -> Result<(), LedgerError> {
        let line = format!("{} {}\n", self.view.state.count, HEXLOWER.encode(chain));
        crate::run::files::write_atomically(&self.checkpoint, line.as_bytes())
            .map_err(|source| LedgerError::Checkpoint { path: self.checkpoint.clone(), source })
    }

    /// Every event, sorted by subject and digest.
    #[must_use]
    pub fn all_events(&self) -> Vec<LegalEvent> {
        let mut events: Vec<LegalEvent> = self.view.events.values().flatten().cloned().collect();
        events.sort_by_cached_key(|e| (e.subject.clone(), e.digest()));
        events
    }

    /// Who was first seen when, sorted by subject.
    #[must_use]
    pub fn all_first_seen(&self) -> Vec<(SubjectId, Timestamp)> {
        let mut seen: Vec<_> = self.view.first_seen.iter().map(|(subject, at)| (subject.clone(), *at)).collect();
        seen.sort();
        seen
    }

    /// What the gate reads.
    #[must_use]
    pub const fn view(&self) -> &LedgerView {
        &self.view
    }

    /// Closes the database and keeps what the gate reads.
    #[must_use]
    pub fn into_view(self) -> LedgerView {
        self.view
    }
}

struct Appended<'a> {
    events: Vec<&'a LegalEvent>,
    chain: [u8; 32],
}

fn append<'a>(
    db: &Connection,
    events: &'a [LegalEvent],
    seen: &[(SubjectId, Timestamp)],
    mut chain: [u8; 32],
    (synced_at, newest): (Timestamp, Timestamp),
) -> rusqlite::Result<Appended<'a>> {
    let transaction = db.unchecked_transaction()?;
    let mut new = Vec::new();
    {
        let mut known = transaction.prepare("SELECT 1 FROM legal_events WHERE digest = ?1")?;
        let mut insert = transaction.prepare("INSERT INTO legal_events (digest, chain, event) VALUES (?1, ?2, ?3)")?;
        for event in events {
            let digest = event.digest();
            if known.exists(params![digest])? {
                continue;
            }
            chain = link(&chain, &digest);
            let text = serde_json::to_string(event).expect("an event has only string keys");
            insert.execute(params![digest, chain, text])?;
            new.push(event);
        }
        let mut seen_before = transaction.prepare("SELECT 1 FROM first_seen WHERE subject = ?1")?;
        let mut first = transaction.prepare("INSERT INTO first_seen (subject, at) VALUES (?1, ?2)")?;
        for (subject, at) in seen {
            if !seen_before.exists(params![subject.as_str()])? {
                first.execute(params![subject.as_str(), at.to_string()])?;
            }
        }
    }
    for (table, at) in [("consent_sync", synced_at), ("newest", newest)] {
        transaction.execute(
            &format!("INSERT INTO {table} (id, at) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET at = excluded.at"),
            params![at.to_string()],
        )?;
    }
    transaction.commit()?;
    Ok(Appended { events: new, chain })
}

fn link(chain: &[u8; 32], digest: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(chain);
    hasher.update(digest);
    hasher.finalize().into()
}
