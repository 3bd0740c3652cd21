//! What lies off the log: who and what exactly, sealed under the subject's key.
//!
//! Invariant: a row opens under one person's key only; erasing the person deletes the rows and overwrites them. Rows are
//! only ever added at the end: an index by person or commitment would dirty a page for each of them. Who reads walks the
//! log anyway, and walks the rows once beside it.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::Sha256;

use crate::audit::error::AuditError;
use crate::db::{self, Access, Journal};
use crate::keys::SubjectKey;

const LABEL: &str = "payload";
/// Pages of the write-ahead file (4 KiB each) at which it is moved into the store: moving costs syncs of its own.
const WAL_PAGES: i64 = 8192;

/// A payload ready to be stored.
#[derive(Debug, Clone)]
pub struct SealedPayload {
    slot: i64,
    commitment: [u8; 32],
    random: [u8; 32],
    sealed: Vec<u8>,
}

impl SealedPayload {
    /// Seals a payload of a person.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn new(key: &SubjectKey, text: &[u8]) -> std::io::Result<Self> {
        let random = crate::keys::random()?;
        Ok(Self { slot: key.slot(), commitment: commit(&random, text), random, sealed: key.seal(LABEL, text)?.0 })
    }

    /// HMAC-SHA-256 of the payload under its random key: what the leaf carries.
    #[must_use]
    pub const fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }
}

fn commit(random: &[u8; 32], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(random).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// The store of sealed payloads of a home.
#[derive(Debug)]
pub struct Payloads {
    database: Connection,
    path: PathBuf,
    places: RefCell<Places>,
}

/// Where rows are, by the beginning of their commitment; made when the first is looked for.
#[derive(Debug, Default)]
struct Places {
    /// Sorted: 16 bytes a row.
    rows: Vec<([u8; 8], i64)>,
    /// The last row that is known.
    last: i64,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS payloads (
        id INTEGER PRIMARY KEY AUTOINCREMENT, slot INTEGER NOT NULL, commitment BLOB NOT NULL, random BLOB NOT NULL, sealed BLOB NOT NULL
    );
    DROP INDEX IF EXISTS payloads_by_slot;
";

impl Payloads {
    /// Opens or creates the store.
    ///
    /// # Errors
    /// Not readable or writable.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let store = Self::open_for(path, Access::Write(Journal::Wal))?;
        store.db(|db| db.pragma_update(None, "wal_autocheckpoint", WAL_PAGES))?;
        let io = |source| AuditError::Io { path: path.to_owned(), source: Arc::new(source) };
        crate::run::files::make_private(path).map_err(io)?;
        Ok(store)
    }

    /// Opens the store; nothing is written.
    ///
    /// # Errors
    /// Missing, or not readable.
    pub fn open_to_read(path: &Path) -> Result<Self, AuditError> {
        Self::open_for(path, Access::Read)
    }

    fn open_for(path: &Path, access: Access) -> Result<Self, AuditError> {
        let fail = |source| AuditError::Payloads { path: path.to_owned(), source: Arc::new(source) };
        Ok(Self {
            database: db::open(path, access, SCHEMA).map_err(fail)?,
            path: path.to_owned(),
            places: RefCell::default(),
        })
    }

    fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, AuditError> {
        work(&self.database)
            .map_err(|source| AuditError::Payloads { path: self.path.clone(), source: Arc::new(source) })
    }

    /// Stores payloads, all or none; durable when it returns.
    ///
    /// # Errors
    /// Not writable.
    pub fn store<'a>(&mut self, payloads: impl IntoIterator<Item = &'a SealedPayload>) -> Result<(), AuditError> {
        self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            {
                let sql = "INSERT INTO payloads (slot, commitment, random, sealed) VALUES (?1, ?2, ?3, ?4)";
                let mut insert = transaction.prepare_cached(sql)?;
                for p in payloads {
                    insert.execute(params![p.slot, p.commitment, p.random, p.sealed])?;
                }
            }
            transaction.commit()
        })
    }

    /// The payload to which a leaf commits; `None` = it is not there, not this person's, or not what was committed to.
    ///
    /// # Errors
    /// Not readable.
    pub fn open_payload(&self, commitment: &[u8; 32], key: &SubjectKey) -> Result<Option<Vec<u8>>, AuditError> {
        let row = self.db(|db| {
            let mut places = self.places.borrow_mut();
            let mut found = places.of(commitment);
            if found.is_empty() {
                places.learn(db)?;
                found = places.of(commitment);
            }
            let sql = "SELECT random, sealed FROM payloads WHERE id = ?1 AND slot = ?2 AND commitment = ?3";
            let mut statement = db.prepare_cached(sql)?;
            for (_, id) in &places.rows[found] {
                let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?));
                let found = statement.query_row(params![id, key.slot(), commitment], read).optional()?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        })?;
        let Some((random, sealed)) = row else { return Ok(None) };
        let text = key.open(LABEL, &sealed);
        Ok(text.filter(|text| commit(&random, text) == *commitment).map(|text| text.to_vec()))
    }

    /// Deletes everything of a person, in the write-ahead file too.
    ///
    /// # Errors
    /// Not writable.
    pub fn forget(&mut self, key: &SubjectKey) -> Result<u64, AuditError> {
        self.db(|db| {
            let removed = db.execute("DELETE FROM payloads WHERE slot = ?1", params![key.slot()])?;
            db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
            Ok(removed as u64)
        })
    }

    /// How many payloads there are.
    ///
    /// # Errors
    /// Not readable.
    pub fn count(&self) -> Result<u64, AuditError> {
        self.db(|db| db.query_row("SELECT count(*) FROM payloads", [], |row| row.get::<_, i64>(0)))
            .map(i64::unsigned_abs)
    }
}

impl Places {
    /// The rows that may have a commitment.
    fn of(&self, commitment: &[u8; 32]) -> Range<usize> {
        let beginning = commitment.first_chunk::<8>().expect("32 bytes");
        let from = self.rows.partition_point(|(known, _)| known < beginning);
        from..from + self.rows[from..].iter().take_while(|(known, _)| known == beginning).count()
    }

    /// Takes in the rows that are new; numbers of rows that were deleted are not given again.
    fn learn(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached("SELECT id, commitment FROM payloads WHERE id > ?1 ORDER BY id")?;
        let (mut rows, known) = (statement.query(params![self.last])?, self.rows.len());
        while let Some(row) = rows.next()? {
            let commitment: [u8; 32] = row.get(1)?;
            self.last = row.get(0)?;
            self.rows.push((*commitment.first_chunk().expect("32 bytes"), self.last));
        }
        if self.rows.len() > known {
            self.rows.sort_unstable();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_opens_for_its_person_until_it_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Payloads::open(&folder.path().join("payloads.sqlite")).expect("a new store");
        let (a, b) = (SubjectKey::new([1; 32]), SubjectKey::new([2; 32]));
        let sealed = [b"one", b"two"].map(|text| SealedPayload::new(&a, text).expect("randomness"));
        store.store(&sealed).expect("written");
        let open = |store: &Payloads, n: usize, key| store.open_payload(sealed[n].commitment(), key).expect("readable");
        assert_eq!(open(&store, 1, &a).as_deref(), Some(b"two".as_slice()));
        assert_eq!(open(&store, 1, &b), None);
        let later = [SealedPayload::new(&b, b"three").expect("randomness")];
        store.store(&later).expect("written");
        let three = store.open_payload(later[0].commitment(), &b).expect("readable");
        assert_eq!(three.as_deref(), Some(b"three".as_slice()), "what came after the first look is found");
        assert_eq!(store.forget(&b).expect("writable"), 1);
        assert_eq!((store.count().expect("readable"), store.forget(&a).expect("writable")), (2, 2));
        assert_eq!(open(&store, 1, &a), None);
        for file in std::fs::read_dir(folder.path()).expect("a folder") {
            let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
            assert!(!bytes.windows(32).any(|w| w == sealed[0].commitment()), "a trace is left");
        }
    }
}
