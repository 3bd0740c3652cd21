//! What the home keeps for a person beside the tables: rectifications, and the sealed copy of restricted data.
//!
//! Invariant: every row is sealed under the person's key and found by a tag of it; nothing here can be read, or even
//! counted by person, without the vault.

mod bound;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::db::{self, Access, Journal};
use crate::keys::{SubjectKey, Vault, VaultError};
use crate::model::SubjectId;
use crate::persona::rectified::Rectification;
use crate::rights::rectify::{self, RectifyError};

/// Why the store cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("the store of rights {path} cannot be read or written: check free space and permissions")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A row does not open.
    #[error("the store of rights {path} is damaged: restore the newest backup of the whole home")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A sealed copy opens, and is none that this version knows.
    #[error(
        "{path} holds a sealed copy of somebody whose processing is restricted that this version cannot read, so nothing was \
         put in its place, and nobody was taken out of the tables. `prosopon retention overdue` names whose it is. Repeat this \
         with the version that wrote it; if that cannot read it either, restore the home as a whole from its newest backup"
    )]
    Copy {
        /// The file.
        path: PathBuf,
    },
    /// It is of an earlier moment than what another part says of it, or the other way round.
    #[error(
        "{path} is older than {than}: rectifications and sealed copies may be undone. A home is restored as a whole, from its \
         newest backup, never file by file"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// What is newer.
        than: &'static str,
    },
    /// It holds something else than was written.
    #[error(
        "{path} is not as it was written: rectifications or sealed copies were changed. Keep the home as it is, find out who \
         had access, and restore the home as a whole from its newest backup"
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The vault, which tells whose a row is.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The system said no.
    #[error("{path}: cannot be read or written: check free space and permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// The open store.
#[derive(Debug)]
pub struct Store {
    database: Connection,
    path: PathBuf,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS kept (slot INTEGER, kind TEXT, sealed BLOB NOT NULL, PRIMARY KEY (slot, kind)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
";
const RECTIFIED: &str = "rectifications";
const RESTRICTED: &str = "restricted";

impl Store {
    /// Opens or creates the store of a home, and holds it against what the vault remembers of it. One of an older version,
    /// of which the vault knows nothing, is remembered from now on.
    ///
    /// # Errors
    /// Not readable or writable, or not what the vault remembers.
    pub fn open(home: &Path, vault: &Vault) -> Result<Self, StoreError> {
        let path = home.join("rights.sqlite");
        // Not a write-ahead file: what is deleted must not live on in a second file.
        let access = Access::Write(Journal::Truncate);
        let database =
            db::open(&path, access, SCHEMA).map_err(|source| StoreError::Database { path: path.clone(), source })?;
        crate::run::files::make_private(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
        let store = Self { database, path };
        let note = store.steadily(TransactionBehavior::Deferred, |store| bound::check(store, vault))?;
        if note.is_none_or(|note| note.next.is_some()) {
            // Only while nobody is in the middle of a change.
            store.steadily(TransactionBehavior::Immediate, |store| bound::settle(store, vault))?;
        }
        Ok(store)
    }

    /// Opens the store of a home for reading, and holds it against what the vault remembers of it.
    ///
    /// # Errors
    /// Not readable, or not what the vault remembers.
    pub fn open_to_read(home: &Path, vault: &Vault) -> Result<Self, StoreError> {
        let path = home.join("rights.sqlite");
        let opened = db::open(&path, Access::Read, SCHEMA);
        let store =
            Self { database: opened.map_err(|source| StoreError::Database { path: path.clone(), source })?, path };
        store.steadily(TransactionBehavior::Deferred, |store| bound::check(store, vault))?;
        Ok(store)
    }

    /// Looks at the file as it is at one moment: nobody changes it meanwhile, or (immediate) is about to.
    fn steadily<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.db(|db| Transaction::new_unchecked(db, behavior))?;
        // A deferred transaction holds the file from its first reading on only; the vault is read after that.
        self.db(|db| db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())))?;
        let done = work(self);
        drop(transaction);
        done
    }

    fn db<'s, T>(&'s self, work: impl FnOnce(&'s Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        work(&self.database).map_err(|source| StoreError::Database { path: self.path.clone(), source })
    }

    fn damaged(&self) -> StoreError {
        StoreError::Damaged { path: self.path.clone() }
    }

    /// What is told where a sealed copy that opens cannot be read.
    pub(super) fn unreadable_copy(&self) -> StoreError {
        StoreError::Copy { path: self.path.clone() }
    }

    /// Changes what is kept, and has the vault remember it: before and after, so that a change that is cut off is either
    /// done or not.
    fn change<T>(&self, vault: &Vault, work: impl FnOnce(&Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.db(|db| Transaction::new_unchecked(db, immediate))?;
        let before = bound::check(self, vault)?;
        let done = work(self)?;
        let begun = bound::begin(self, vault, before)?;
        let committed = transaction.commit();
        committed.map_err(|source| StoreError::Database { path: self.path.clone(), source })?;
        bound::end(vault, &begun)?;
        Ok(done)
    }

    fn put(&self, key: &SubjectKey, kind: &str, text: &[u8]) -> Result<(), StoreError> {
        let sealed = key.seal(kind, text).map_err(|source| StoreError::Io { path: self.path.clone(), source })?;
        self.db(|db| {
            let sql = "INSERT OR REPLACE INTO kept (slot, kind, sealed) VALUES (?1, ?2, ?3)";
            db.execute(sql, params![key.slot(), kind, sealed.0]).map(drop)
        })
    }

    fn get(&self, key: &SubjectKey, kind: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed: Option<Vec<u8>> = self.db(|db| {
            let sql = "SELECT sealed FROM kept WHERE slot = ?1 AND kind = ?2";
            db.query_row(sql, params![key.slot(), kind], |row| row.get(0)).optional()
        })?;
        sealed.map(|s| key.open(kind, &s).map(|text| text.to_vec()).ok_or_else(|| self.damaged())).transpose()
    }

    /// Adds a rectification of a person.
    ///
    /// # Errors
    /// Not writable, or damaged.
    pub fn rectify(
        &self,
        vault: &Vault,
        key: &SubjectKey,
        new: Rectification,
    ) -> Result<Vec<Rectification>, StoreError> {
        self.change(vault, |store| {
            let mut all = store.rectifications(key)?;
            all.push(new);
            store.put(key, RECTIFIED, &rectify::to_bytes(&all))?;
            Ok(all)
        })
    }

    /// The rectifications of a person, oldest first.
    ///
    /// # Errors
    /// Not readable, or damaged.
    pub fn rectifications(&self, key: &SubjectKey) -> Result<Vec<Rectification>, StoreError> {
        let text = self.get(key, RECTIFIED)?;
        text.map_or(Ok(Vec::new()), |text| rectify::from_bytes(&text).map_err(|_: RectifyError| self.damaged()))
    }

    /// Rectifications of everybody who has any.
    ///
    /// # Errors
    /// Not readable, or damaged.
    pub fn all_rectifications(&self, vault: &Vault) -> Result<HashMap<SubjectId, Vec<Rectification>>, StoreError> {
        let owners = self.owners(vault, RECTIFIED)?.into_iter();
        owners.map(|(subject, key)| Ok((subject, self.rectifications(&key)?))).collect()
    }

    /// Of whom there is a sealed copy, in no order.
    ///
    /// # Errors
    /// Not readable.
    pub fn all_restricted(&self, vault: &Vault) -> Result<Vec<(SubjectId, SubjectKey)>, StoreError> {
        self.owners(vault, RESTRICTED)
    }

    fn owners(&self, vault: &Vault, kind: &str) -> Result<Vec<(SubjectId, SubjectKey)>, StoreError> {
        let slots: HashSet<i64> = self.db(|db| {
            let mut statement = db.prepare("SELECT slot FROM kept WHERE kind = ?1")?;
            let rows = statement.query_map(params![kind], |row| row.get(0))?;
            rows.collect()
        })?;
        if slots.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vault.those(|key| slots.contains(&key.slot()))?)
    }

    /// Keeps copies of what is restricted, in one change: storing is all that Art. 18 leaves. `add` makes of each, and of the copy
    /// that is there, the new one.
    ///
    /// # Errors
    /// Not writable, or damaged; what `add` returns: then nothing is changed.
    pub fn keep_restricted<T>(
        &self,
        vault: &Vault,
        all: Vec<(&SubjectKey, T)>,
        add: impl Fn(T, Option<Vec<u8>>) -> Result<Vec<u8>, StoreError>,
    ) -> Result<(), StoreError> {
        self.change(vault, |store| {
            let mut all = all.into_iter();
            all.try_for_each(|(key, new)| store.put(key, RESTRICTED, &add(new, store.restricted(key)?)?))
        })
    }

    /// The copy of what is restricted.
    ///
    /// # Errors
    /// Not readable, or damaged.
    pub fn restricted(&self, key: &SubjectKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(key, RESTRICTED)
    }

    /// Deletes everything of a person. Counted as a change also where nothing was kept: the number that the log tells after
    /// it must not tell whether there was.
    ///
    /// # Errors
    /// Not writable.
    pub fn forget(&self, vault: &Vault, key: &SubjectKey) -> Result<u64, StoreError> {
        let removed = self.change(vault, |store| {
            store.db(|db| db.execute("DELETE FROM kept WHERE slot = ?1", params![key.slot()]))
        })?;
        self.db(|db| db.execute_batch("VACUUM"))?;
        Ok(removed as u64)
    }

    /// Deletes the copies of what was restricted, in one change; tells how many there were.
    ///
    /// # Errors
    /// Not writable.
    pub fn release<'k>(
        &self,
        vault: &Vault,
        keys: impl IntoIterator<Item = &'k SubjectKey>,
    ) -> Result<usize, StoreError> {
        let mut there = Vec::new();
        for key in keys {
            there.extend(self.restricted(key)?.map(|_| key.slot()));
        }
        if there.is_empty() {
            return Ok(0);
        }
        self.change(vault, |store| {
            let sql = "DELETE FROM kept WHERE slot = ?1 AND kind = ?2";
            let delete = |slot: &i64| store.db(|db| db.execute(sql, params![slot, RESTRICTED]));
            there.iter().map(delete).sum()
        })
    }
}
