//! The ledger: append-only legal events of one home, in SQLite, with a checkpoint beside it.
//!
//! Invariant: an event once written is never changed or removed (triggers refuse it); importing the same events
//! again, in any order, leaves the same state. The checkpoint file lies outside the database, so a database that was
//! rolled back or emptied is noticed. Subjects appear by tag only: the vault alone ties them to people.

mod entry;
mod error;
mod view;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::consent::event::LegalEvent;
use crate::keys::{SubjectKey, Vault, VaultError};
use crate::model::SubjectId;
use entry::{Stored, link};

pub use error::LedgerError;
pub use view::{Entry, LedgerState, LedgerView};

/// The ledger of a home, open for one process.
#[derive(Debug)]
pub struct Ledger {
    database: Connection,
    path: PathBuf,
    checkpoint: PathBuf,
    chain: [u8; 32],
    view: LedgerView,
    /// SQLite's number of the last change by others that was seen.
    version: Option<i64>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS legal_events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        digest BLOB NOT NULL UNIQUE,
        chain BLOB NOT NULL,
        known_at TEXT NOT NULL,
        event TEXT NOT NULL,
        sealed BLOB
    );
    CREATE TRIGGER IF NOT EXISTS legal_events_no_update BEFORE UPDATE ON legal_events
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
    CREATE TRIGGER IF NOT EXISTS legal_events_no_delete BEFORE DELETE ON legal_events
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
    CREATE TRIGGER IF NOT EXISTS legal_events_no_replace BEFORE INSERT ON legal_events
        WHEN EXISTS (SELECT 1 FROM legal_events WHERE seq = NEW.seq OR digest = NEW.digest)
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
    CREATE TABLE IF NOT EXISTS first_seen (tag TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
    CREATE TRIGGER IF NOT EXISTS first_seen_no_update BEFORE UPDATE ON first_seen
        BEGIN SELECT RAISE(ABORT, 'first collection is never renewed'); END;
    CREATE TRIGGER IF NOT EXISTS first_seen_no_delete BEFORE DELETE ON first_seen
        BEGIN SELECT RAISE(ABORT, 'first collection is never forgotten'); END;
    CREATE TRIGGER IF NOT EXISTS first_seen_no_replace BEFORE INSERT ON first_seen
        WHEN EXISTS (SELECT 1 FROM first_seen WHERE tag = NEW.tag)
        BEGIN SELECT RAISE(ABORT, 'first collection is never renewed'); END;
    CREATE TABLE IF NOT EXISTS consent_sync (id INTEGER PRIMARY KEY CHECK (id = 1), at TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS newest (id INTEGER PRIMARY KEY CHECK (id = 1), at TEXT NOT NULL);
";

/// What an import brings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Import<'a> {
    /// Legal events; those that are there already are left alone.
    pub events: &'a [LegalEvent],
    /// Who was read, and when for the first time.
    pub seen: &'a [(SubjectId, Timestamp)],
    /// Whether this is a sync of all consents with the CRM: moves the time of the last one.
    pub is_sync: bool,
}

impl Ledger {
    /// Opens (or, in a new home, creates) the ledger and holds it against its checkpoint.
    ///
    /// # Errors
    /// Unreadable, damaged, or behind its checkpoint.
    pub fn open(path: &Path, checkpoint: &Path, vault: &Vault) -> Result<Self, LedgerError> {
        let fail = |source| LedgerError::Database { path: path.to_owned(), source };
        let database = Connection::open(path).map_err(fail)?;
        database.busy_timeout(std::time::Duration::from_secs(10)).map_err(fail)?;
        database.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
        database.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
        database.execute_batch(SCHEMA).map_err(fail)?;
        let mut ledger = Self {
            database,
            path: path.to_owned(),
            checkpoint: checkpoint.to_owned(),
            chain: [0; 32],
            view: LedgerView::default(),
            version: None,
        };
        ledger.load(vault)?;
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
        Ok(Self {
            database,
            checkpoint: PathBuf::new(),
            chain: [0; 32],
            view: LedgerView::default(),
            version: None,
            path,
        })
    }

    fn load(&mut self, vault: &Vault) -> Result<(), LedgerError> {
        let expected = self.read_checkpoint()?;
        let tags = tags(vault);
        let noted = self.noted(vault)?;
        let reached = self.read_entries(vault, &tags, expected.max(noted))?;
        // A ledger that was rolled back together with its checkpoint is behind what the vault remembers.
        let expected = expected.map(|_| expected.max(noted)).unwrap_or_default();
        if expected.is_none() && self.view.head > 0 {
            return Err(LedgerError::CheckpointMissing { path: self.checkpoint.clone() });
        }
        if !reached {
            let expected = expected.map_or(0, |(count, _)| count);
            return Err(LedgerError::BehindCheckpoint { path: self.path.clone(), found: self.view.head, expected });
        }
        self.view.suppressed.clone_from(vault.suppressed());
        self.view.first_seen = self.read_first_seen(vault, &tags)?;
        self.read_times()?;
        if expected.is_none() && self.view.head == 0 && self.view.first_seen.is_empty() {
            // A new ledger: from now on a missing checkpoint means that somebody took it away.
            self.write_checkpoint()?;
        }
        Ok(())
    }

    /// Takes in what other processes have written since this one looked.
    ///
    /// # Errors
    /// Unreadable or damaged.
    pub fn refresh(&mut self, vault: &Vault) -> Result<bool, LedgerError> {
        let before = self.view.head;
        let tags = tags(vault);
        self.read_entries(vault, &tags, None)?;
        if self.view.head > before {
            self.read_times()?;
        }
        Ok(self.view.head > before)
    }

    fn read_times(&mut self) -> Result<(), LedgerError> {
        self.view.last_sync = self.read_time("SELECT at FROM consent_sync WHERE id = 1")?;
        self.view.newest = self.read_time("SELECT at FROM newest WHERE id = 1")?;
        Ok(())
    }

    /// Reads entries behind the head; tells whether the chain has passed through the checkpoint.
    fn read_entries(
        &mut self,
        vault: &Vault,
        tags: &HashMap<String, (&SubjectId, &SubjectKey)>,
        expected: Option<(u64, [u8; 32])>,
    ) -> Result<bool, LedgerError> {
        let mut reached = expected.is_none_or(|(count, _)| count == 0);
        let database = |source| LedgerError::Database { path: self.path.clone(), source };
        let sql = "SELECT seq, chain, known_at, event, sealed FROM legal_events WHERE seq > ?1 ORDER BY seq";
        let mut statement = self.database.prepare(sql).map_err(database)?;
        let mut rows = statement.query(params![self.view.head as i64]).map_err(database)?;
        while let Some(row) = rows.next().map_err(database)? {
            let row = Row::read(row).map_err(database)?;
            let damaged = || LedgerError::EventDamaged { path: self.path.clone(), seq: row.seq };
            let (stored, known_at) = row.check(&self.chain, self.view.head).ok_or_else(damaged)?;
            self.chain = row.chain;
            self.view.head = row.seq;
            self.view.chain.push(*row.chain.first_chunk().expect("a chain has 32 bytes"));
            match stored {
                Stored::Legal(event) => match tags.get(&event.tag) {
                    Some((subject, key)) => {
                        let event = entry::restore(*event, subject, key, row.sealed.as_deref()).ok_or_else(damaged)?;
                        self.view.add(event, row.seq, known_at);
                    }
                    None if vault.forgotten().contains(&event.tag) => self.view.forgotten += 1,
                    // Somebody's no must not be lost with their key.
                    None => return Err(LedgerError::KeyMissing { path: self.path.clone(), seq: row.seq }),
                },
            }
            reached |= expected == Some((self.view.head, self.chain));
        }
        Ok(reached)
    }

    fn read_time(&self, query: &str) -> Result<Option<Timestamp>, LedgerError> {
        let text: Option<String> = self.db(|db| db.query_row(query, [], |row| row.get(0)).optional())?;
        text.map(|t| t.parse().map_err(|_| LedgerError::EventDamaged { path: self.path.clone(), seq: 0 })).transpose()
    }

    fn read_first_seen(
        &self,
        vault: &Vault,
        tags: &HashMap<String, (&SubjectId, &SubjectKey)>,
    ) -> Result<HashMap<SubjectId, Timestamp>, LedgerError> {
        let rows: Vec<(String, String)> = self.db(|db| {
            let mut statement = db.prepare("SELECT tag, at FROM first_seen")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        let mut seen = HashMap::with_capacity(rows.len());
        for (tag, at) in rows {
            let at = at.parse().map_err(|_| LedgerError::EventDamaged { path: self.path.clone(), seq: 0 })?;
            match tags.get(&tag) {
                Some((subject, _)) => drop(seen.insert((*subject).clone(), at)),
                None if vault.forgotten().contains(&tag) => {}
                None => return Err(LedgerError::KeyMissing { path: self.path.clone(), seq: 0 }),
            }
        }
        Ok(seen)
    }

    fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        work(&self.database).map_err(|source| LedgerError::Database { path: self.path.clone(), source })
    }

    /// Appends what is not there yet, notes who was first seen when and the time of the import, and moves the
    /// checkpoint. Who has no key yet gets one. Safe beside other processes that do the same.
    ///
    /// # Errors
    /// Database not writable: nothing of the batch is there. Checkpoint not writable: the batch is there, the
    /// checkpoint is one behind, which the next import makes good.
    pub fn import(&mut self, vault: &mut Vault, import: Import<'_>, at: Timestamp) -> Result<u64, LedgerError> {
        let subjects = import.events.iter().map(|e| &e.subject).chain(import.seen.iter().map(|(id, _)| id));
        vault.ensure(subjects)?;
        let _lock = self.lock()?;
        // What others wrote in the meantime comes first: the chain goes on from there.
        self.refresh(vault)?;
        let newest = self.view.newest.map_or(at, |newest| newest.max(at));
        let sync = if import.is_sync { Some(at) } else { self.view.last_sync };
        let rows = prepare(&import, vault, &self.path)?;
        let seen: Vec<(String, Timestamp)> =
            import.seen.iter().filter_map(|(id, at)| Some((vault.key(id)?.ledger_tag(), *at))).collect();
        let new = append(&mut self.database, &rows, &seen, self.chain, (at, sync, newest))
            .map_err(|source| LedgerError::Database { path: self.path.clone(), source })?;
        for (subject, at) in import.seen {
            self.view.first_seen.entry(subject.clone()).or_insert(*at);
        }
        self.refresh(vault)?;
        self.read_times()?;
        self.write_checkpoint()?;
        vault.note_ledger(&self.note())?;
        Ok(new)
    }

    /// Entry and checkpoint change together, also beside another process.
    ///
    /// # Errors
    /// The lock file cannot be used.
    pub fn lock(&self) -> Result<Option<File>, LedgerError> {
        if self.checkpoint.as_os_str().is_empty() {
            return Ok(None);
        }
        let path = self.checkpoint.with_file_name(".ledger.lock");
        let io = |source| LedgerError::Checkpoint { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        crate::run::files::make_private(&path).map_err(io)?;
        file.lock().map_err(io)?;
        Ok(Some(file))
    }

    /// Takes events into the view only, for a dry run: nothing is written.
    pub fn preview(&mut self, events: &[LegalEvent], seen: &[(SubjectId, Timestamp)], synced_at: Timestamp) {
        for (subject, at) in seen {
            self.view.first_seen.entry(subject.clone()).or_insert(*at);
        }
        let mut known: std::collections::HashSet<[u8; 32]> =
            self.view.events.values().flatten().map(LegalEvent::digest).collect();
        for event in events {
            if known.insert(event.digest()) {
                self.view.add(event.clone(), 0, synced_at);
            }
        }
        self.view.last_sync = Some(synced_at);
        self.view.newest = self.view.newest.max(Some(synced_at));
    }

    /// The head and the chain, as checkpoint, vault and log have them.
    #[must_use]
    pub fn note(&self) -> String {
        format!("{} {}", self.view.head, HEXLOWER.encode(&self.chain))
    }

    fn noted(&self, vault: &Vault) -> Result<Option<(u64, [u8; 32])>, LedgerError> {
        let damaged = || LedgerError::CheckpointDamaged { path: self.path.with_file_name("keys/vault.sqlite") };
        vault.ledger_note()?.map(|text| parse_note(&text).ok_or_else(damaged)).transpose()
    }

    fn read_checkpoint(&self) -> Result<Option<(u64, [u8; 32])>, LedgerError> {
        let text = match std::fs::read_to_string(&self.checkpoint) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LedgerError::Checkpoint { path: self.checkpoint.clone(), source }),
        };
        parse_note(text.trim())
            .map(Some)
            .ok_or_else(|| LedgerError::CheckpointDamaged { path: self.checkpoint.clone() })
    }

    fn write_checkpoint(&self) -> Result<(), LedgerError> {
        if self.checkpoint.as_os_str().is_empty() {
            return Ok(());
        }
        let line = format!("{}\n", self.note());
        crate::run::files::write_atomically(&self.checkpoint, line.as_bytes())
            .map_err(|source| LedgerError::Checkpoint { path: self.checkpoint.clone(), source })
    }

    /// Whether nothing was ever written here.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.view.head == 0 && self.view.first_seen.is_empty()
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

    /// Takes what the gate reads out of the ledger, which goes on from there with [`Self::news`].
    pub fn take_view(&mut self) -> LedgerView {
        let rest = LedgerView { head: self.view.head, ..LedgerView::default() };
        std::mem::replace(&mut self.view, rest)
    }

    /// Whether another process has written to the database since this one last looked.
    ///
    /// # Errors
    /// Not readable.
    pub fn was_written_by_others(&mut self) -> Result<bool, LedgerError> {
        let version: i64 = self.db(|db| db.query_row("PRAGMA data_version", [], |row| row.get(0)))?;
        let before = self.version.replace(version);
        Ok(before.is_none_or(|before| before != version))
    }

    /// Events that others have written since the last look.
    ///
    /// # Errors
    /// Not readable, or damaged.
    pub fn news(&mut self, vault: &Vault) -> Result<Vec<LegalEvent>, LedgerError> {
        self.refresh(vault)?;
        let view = self.take_view();
        Ok(view.events.into_values().flatten().collect())
    }

    /// Closes the database and keeps what the gate reads.
    #[must_use]
    pub fn into_view(self) -> LedgerView {
        self.view
    }
}

/// A head and its chain in hex.
fn parse_note(text: &str) -> Option<(u64, [u8; 32])> {
    let (count, chain) = text.split_once(' ')?;
    Some((count.parse().ok()?, HEXLOWER.decode(chain.as_bytes()).ok()?.try_into().ok()?))
}

/// Subjects by their tag in the ledger.
fn tags(vault: &Vault) -> HashMap<String, (&SubjectId, &SubjectKey)> {
    vault.subjects().map(|(subject, key)| (key.ledger_tag(), (subject, key))).collect()
}

/// A row as it is stored.
struct Row {
    seq: u64,
    chain: [u8; 32],
    known_at: String,
    event: String,
    sealed: Option<Vec<u8>>,
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            chain: row.get(1)?,
            known_at: row.get(2)?,
            event: row.get(3)?,
            sealed: row.get(4)?,
        })
    }

    /// What it says, if it follows the entry before it and is what was written.
    fn check(&self, chain: &[u8; 32], before: u64) -> Option<(Stored, Timestamp)> {
        let stored: Stored = serde_json::from_str(&self.event).ok()?;
        let (_, digest) = stored.seal();
        let follows = self.seq == before + 1 && link(chain, &digest, &self.known_at) == self.chain;
        follows.then(|| self.known_at.parse().ok()).flatten().map(|at| (stored, at))
    }
}

/// An entry ready to be written: digest, text, sealed part.
type Prepared = ([u8; 32], String, Option<Vec<u8>>);

fn prepare(import: &Import<'_>, vault: &Vault, path: &Path) -> Result<Vec<Prepared>, LedgerError> {
    let mut rows = Vec::with_capacity(import.events.len() + 1);
    for event in import.events {
        let missing = || VaultError::Damaged { path: path.with_file_name("vault.sqlite") };
        let key = vault.key(&event.subject).ok_or_else(missing)?;
        let io = |source| LedgerError::Checkpoint { path: path.to_owned(), source };
        let (stored, sealed) = entry::store(event, key).map_err(io)?;
        let (text, digest) = stored.seal();
        rows.push((digest, text, sealed));
    }
    Ok(rows)
}

fn append(
    db: &mut Connection,
    rows: &[Prepared],
    seen: &[(String, Timestamp)],
    mut chain: [u8; 32],
    (at, sync, newest): (Timestamp, Option<Timestamp>, Timestamp),
) -> rusqlite::Result<u64> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut new = 0;
    {
        let mut known = transaction.prepare("SELECT 1 FROM legal_events WHERE digest = ?1")?;
        let sql = "INSERT INTO legal_events (digest, chain, known_at, event, sealed) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = transaction.prepare(sql)?;
        let known_at = at.to_string();
        for (digest, text, sealed) in rows {
            if known.exists(params![digest])? {
                continue;
            }
            chain = link(&chain, digest, &known_at);
            insert.execute(params![digest, chain, known_at, text, sealed])?;
            new += 1;
        }
        let mut seen_before = transaction.prepare("SELECT 1 FROM first_seen WHERE tag = ?1")?;
        let mut first = transaction.prepare("INSERT INTO first_seen (tag, at) VALUES (?1, ?2)")?;
        for (tag, at) in seen {
            if !seen_before.exists(params![tag])? {
                first.execute(params![tag, at.to_string()])?;
            }
        }
    }
    for (table, at) in [("consent_sync", sync), ("newest", Some(newest))] {
        if let Some(at) = at {
            transaction.execute(
                &format!("INSERT INTO {table} (id, at) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET at = excluded.at"),
                params![at.to_string()],
            )?;
        }
    }
    transaction.commit()?;
    Ok(new)
}
