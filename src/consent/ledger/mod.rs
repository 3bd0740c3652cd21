//! The ledger: append-only legal events of one home, in SQLite, with a checkpoint beside it.
//!
//! Invariant: an entry (a legal event, a first collection, the time of an import) is never changed or removed (triggers
//! refuse it, and the chain tells); importing the same events again, in any order, leaves the same state. Subjects appear
//! by tag only: the vault alone ties them to people.

mod checkpoint;
mod entry;
mod error;
mod import;
mod index;
mod news;
mod row;
mod sparse;
mod view;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::consent::event::LegalEvent;
use crate::db::{self, Access, Journal};
use crate::keys::{SubjectKey, Vault};
use crate::model::SubjectId;
use checkpoint::Head;
use entry::Stored;
use row::{Row, SCHEMA};
use sparse::Sparse;

pub use error::LedgerError;
pub use import::Import;
pub use view::{Entry, LedgerState, LedgerView, Person};

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
    /// Where entries stand that are read when somebody asks for them; `None` = all are in the view.
    sparse: Option<Sparse>,
}

impl Ledger {
    /// Opens (or, in a new home, creates) the ledger and holds it against its checkpoint.
    ///
    /// # Errors
    /// Unreadable, damaged, or behind its checkpoint.
    pub fn open(path: &Path, checkpoint: &Path, vault: &Vault) -> Result<Self, LedgerError> {
        Self::connect(path, checkpoint, vault, Access::Write(Journal::Wal))
    }

    /// Opens a ledger to be read only: nothing is written, neither into it nor beside it.
    ///
    /// # Errors
    /// As [`Self::open`], and there is none.
    pub fn open_to_read(path: &Path, checkpoint: &Path, vault: &Vault) -> Result<Self, LedgerError> {
        Self::connect(path, checkpoint, vault, Access::Read)
    }

    fn connect(path: &Path, checkpoint: &Path, vault: &Vault, access: Access) -> Result<Self, LedgerError> {
        let mut ledger = Self::closed(path, checkpoint, access)?;
        ledger.load(vault, access)?;
        Ok(ledger)
    }

    /// One of which nothing was read yet.
    fn closed(path: &Path, checkpoint: &Path, access: Access) -> Result<Self, LedgerError> {
        let database =
            db::open(path, access, SCHEMA).map_err(|source| LedgerError::Database { path: path.to_owned(), source })?;
        Ok(Self {
            database,
            path: path.to_owned(),
            checkpoint: checkpoint.to_owned(),
            chain: [0; 32],
            view: LedgerView::default(),
            version: None,
            sparse: None,
        })
    }

    /// An empty ledger that is kept nowhere, for a dry run without a home.
    ///
    /// # Errors
    /// SQLite cannot be used.
    pub fn in_memory() -> Result<Self, LedgerError> {
        let path = PathBuf::from(crate::db::IN_MEMORY);
        let fail = |source| LedgerError::Database { path: path.clone(), source };
        let database = Connection::open_in_memory().map_err(fail)?;
        database.execute_batch(SCHEMA).map_err(fail)?;
        Ok(Self {
            database,
            checkpoint: PathBuf::new(),
            chain: [0; 32],
            view: LedgerView::default(),
            version: None,
            sparse: None,
            path,
        })
    }

    fn load(&mut self, vault: &Vault, access: Access) -> Result<(), LedgerError> {
        let expected = self.read_checkpoint()?;
        let noted = self.noted(vault)?;
        self.view.erased = vault.forgotten().len() as u64;
        let reached = match self.sparse {
            Some(_) => self.index_entries(vault, expected.max(noted))?,
            None => self.read_entries(vault, expected.max(noted), &[])?,
        };
        // A ledger that was rolled back together with its checkpoint is behind what the vault remembers.
        let expected = expected.map(|_| expected.max(noted)).unwrap_or_default();
        if expected.is_none() && self.view.head > 0 {
            return Err(LedgerError::CheckpointMissing { path: self.checkpoint.clone() });
        }
        if !reached {
            let expected = expected.map_or(0, |(count, _)| count);
            return Err(LedgerError::BehindCheckpoint { path: self.path.clone(), found: self.view.head, expected });
        }
        self.view.suppressed = Arc::new(vault.suppressed().clone());
        if access != Access::Read && self.sparse.is_none() {
            self.note_state(vault)?;
        }
        if expected.is_none() && self.is_new() && access != Access::Read {
            // A new ledger: from now on a missing checkpoint means that somebody took it away.
            self.write_checkpoint()?;
        }
        Ok(())
    }

    /// Takes in what other processes have written since this one looked, with the keys of whom they have added.
    ///
    /// # Errors
    /// Unreadable or damaged.
    pub fn refresh(&mut self, vault: &mut Vault) -> Result<bool, LedgerError> {
        let before = self.view.head;
        if let Some(sparse) = &self.sparse {
            debug_assert!(sparse.until.is_none(), "whoever took a view asks for news");
            self.read_news(vault)?;
            return Ok(self.view.head > before);
        }
        match self.read_entries(vault, None, &[]) {
            Err(LedgerError::KeyMissing { .. }) => {
                vault.reload()?;
                self.read_entries(vault, None, &[])?;
            }
            read => drop(read?),
        }
        Ok(self.view.head > before)
    }

    /// Reads entries behind the head; tells whether the chain has passed through the checkpoint. `likely` are those whom
    /// the entries are probably about.
    fn read_entries(
        &mut self,
        vault: &Vault,
        expected: Option<Head>,
        likely: &[&SubjectId],
    ) -> Result<bool, LedgerError> {
        let mut reached = expected.is_none_or(|(count, _)| count == 0);
        let database = |source| LedgerError::Database { path: self.path.clone(), source };
        let mut statement = self.database.prepare(row::SELECT).map_err(database)?;
        let mut rows = statement.query(params![self.view.head as i64]).map_err(database)?;
        let mut people = People::new(vault, likely);
        while let Some(row) = rows.next().map_err(database)? {
            let row = Row::read(row).map_err(database)?;
            let damaged = || LedgerError::EventDamaged { path: self.path.clone(), seq: row.seq };
            let (stored, known_at) = row.check(&self.chain, self.view.head).ok_or_else(damaged)?;
            // Somebody's no must not be lost with their key.
            let missing = || LedgerError::KeyMissing { path: self.path.clone(), seq: row.seq };
            match stored {
                Stored::Legal(event) => match people.find(&event.tag).ok_or_else(missing)? {
                    Owner::Person(subject, key) => {
                        let event = entry::restore(*event, subject, key, row.sealed.as_deref()).ok_or_else(damaged)?;
                        self.view.add(event, row.seq, known_at);
                    }
                    Owner::Erased => self.view.forgotten += 1,
                },
                Stored::Seen(seen) => {
                    let mut known = Vec::with_capacity(seen.len());
                    for (tag, at) in &seen {
                        known.push((people.find(tag).ok_or_else(missing)?, *at));
                    }
                    for (who, at) in known {
                        if let Owner::Person(subject, _) = who {
                            self.view.saw(subject, at);
                        }
                    }
                }
                Stored::Import { at, is_sync, .. } => self.view.imported(at, is_sync),
            }
            self.chain = row.chain;
            self.view.head = row.seq;
            self.view.chain.push(*row.chain.first_chunk().expect("a chain has 32 bytes"));
            reached |= expected == Some((self.view.head, self.chain));
        }
        Ok(reached)
    }

    fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        work(&self.database).map_err(|source| LedgerError::Database { path: self.path.clone(), source })
    }

    /// Takes events into the view only, for a dry run: nothing is written.
    pub fn preview(&mut self, events: &[LegalEvent], seen: &[(SubjectId, Timestamp)], synced_at: Timestamp) {
        for (subject, at) in seen {
            self.view.saw(subject, *at);
        }
        let mut known: std::collections::HashSet<[u8; 32]> = self.view.all().map(LegalEvent::digest).collect();
        for event in events {
            if known.insert(event.digest()) {
                self.view.add(event.clone(), 0, synced_at);
            }
        }
        self.view.imported(synced_at, true);
    }

    /// Whether nothing was ever written here.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.view.head == 0
    }

    /// Every event, sorted by subject and digest.
    #[must_use]
    pub fn all_events(&self) -> Vec<LegalEvent> {
        let mut events: Vec<LegalEvent> = self.view.all().cloned().collect();
        events.sort_by_cached_key(|e| (e.subject.clone(), e.digest()));
        events
    }

    /// Who was first seen when, sorted by subject.
    #[must_use]
    pub fn all_first_seen(&self) -> Vec<(SubjectId, Timestamp)> {
        let mut seen: Vec<_> = self.view.all_seen().map(|(subject, at)| (subject.clone(), at)).collect();
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
        if let Some(sparse) = &mut self.sparse {
            sparse.until = Some(self.view.head);
        }
        let rest = LedgerView { head: self.view.head, erased: self.view.erased, ..LedgerView::default() };
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
    pub fn news(&mut self, vault: &mut Vault) -> Result<Vec<LegalEvent>, LedgerError> {
        if self.sparse.is_some() {
            return self.read_news(vault);
        }
        self.refresh(vault)?;
        let view = self.take_view();
        Ok(view.people.into_values().flat_map(|person| Arc::unwrap_or_clone(person).events).collect())
    }

    /// Closes the database and keeps what the gate reads.
    #[must_use]
    pub fn into_view(self) -> LedgerView {
        self.view
    }
}

/// Whom entries can be about.
struct People<'a> {
    vault: &'a Vault,
    tags: HashMap<[u8; 16], (&'a SubjectId, &'a SubjectKey)>,
    /// Whether everybody is among the tags.
    all: bool,
}

/// Whom an entry is about.
enum Owner<'a> {
    Person(&'a SubjectId, &'a SubjectKey),
    Erased,
}

impl<'a> People<'a> {
    /// Those who are likely first: making the tags of all takes its time.
    fn new(vault: &'a Vault, likely: &[&SubjectId]) -> Self {
        let known = likely.iter().filter_map(|subject| vault.person(subject));
        Self { vault, tags: known.map(tagged).collect(), all: false }
    }

    /// Whose tag it is; `None` = nobody knows.
    fn find(&mut self, tag: &str) -> Option<Owner<'a>> {
        let bytes = HEXLOWER.decode(tag.as_bytes()).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        let known = bytes.filter(|bytes| self.tags.contains_key(bytes));
        if known.is_none() && !self.all {
            self.tags = self.vault.subjects().map(tagged).collect();
            self.all = true;
        }
        match bytes.and_then(|bytes| self.tags.get(&bytes)) {
            Some((subject, key)) => Some(Owner::Person(subject, key)),
            None => self.vault.forgotten().contains(tag).then_some(Owner::Erased),
        }
    }
}

/// A person with the tag in the ledger.
fn tagged<'a>(person: (&'a SubjectId, &'a SubjectKey)) -> ([u8; 16], (&'a SubjectId, &'a SubjectKey)) {
    (person.1.ledger_tag_bytes(), person)
}
