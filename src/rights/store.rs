//! What the home keeps for a person beside the tables: rectifications, and the sealed copy of restricted data.
//!
//! Invariant: every row is sealed under the person's key and found by a tag of it; nothing here can be read, or even
//! counted by person, without the vault.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

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

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS kept (slot INTEGER, kind TEXT, sealed BLOB NOT NULL, PRIMARY KEY (slot, kind)) WITHOUT ROWID;";
const RECTIFIED: &str = "rectifications";
const RESTRICTED: &str = "restricted";

impl Store {
    /// Opens or creates the store of a home.
    ///
    /// # Errors
    /// Not readable or writable.
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        let path = home.join("rights.sqlite");
        // Not a write-ahead file: what is deleted must not live on in a second file.
        let access = Access::Write(Journal::Truncate);
        let database =
            db::open(&path, access, SCHEMA).map_err(|source| StoreError::Database { path: path.clone(), source })?;
        crate::run::files::make_private(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
        Ok(Self { database, path })
    }

    fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        work(&self.database).map_err(|source| StoreError::Database { path: self.path.clone(), source })
    }

    fn damaged(&self) -> StoreError {
        StoreError::Damaged { path: self.path.clone() }
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
    pub fn rectify(&self, key: &SubjectKey, new: Rectification) -> Result<Vec<Rectification>, StoreError> {
        let mut all = self.rectifications(key)?;
        all.push(new);
        self.put(key, RECTIFIED, &rectify::to_bytes(&all))?;
        Ok(all)
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
    pub fn all_rectifications(
        &self,
        vault: &Vault,
    ) -> Result<std::collections::HashMap<SubjectId, Vec<Rectification>>, StoreError> {
        let slots: std::collections::HashSet<i64> = self.db(|db| {
            let mut statement = db.prepare("SELECT slot FROM kept WHERE kind = ?1")?;
            let rows = statement.query_map(params![RECTIFIED], |row| row.get(0))?;
            rows.collect()
        })?;
        if slots.is_empty() {
            return Ok(std::collections::HashMap::new());
        }
        let owners = vault.those(|key| slots.contains(&key.slot()))?.into_iter();
        owners.map(|(subject, key)| Ok((subject, self.rectifications(&key)?))).collect()
    }

    /// Keeps a copy of what is restricted: storing is all that Art. 18 leaves.
    ///
    /// # Errors
    /// Not writable.
    pub fn keep_restricted(&self, key: &SubjectKey, copy: &[u8]) -> Result<(), StoreError> {
        self.put(key, RESTRICTED, copy)
    }

    /// The copy of what is restricted.
    ///
    /// # Errors
    /// Not readable, or damaged.
    pub fn restricted(&self, key: &SubjectKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(key, RESTRICTED)
    }

    /// Deletes everything of a person.
    ///
    /// # Errors
    /// Not writable.
    pub fn forget(&self, key: &SubjectKey) -> Result<u64, StoreError> {
        self.db(|db| {
            let removed = db.execute("DELETE FROM kept WHERE slot = ?1", params![key.slot()])?;
            db.execute_batch("VACUUM")?;
            Ok(removed as u64)
        })
    }

    /// Deletes the copy of what was restricted.
    ///
    /// # Errors
    /// Not writable.
    pub fn release(&self, key: &SubjectKey) -> Result<(), StoreError> {
        self.db(|db| {
            let sql = "DELETE FROM kept WHERE slot = ?1 AND kind = ?2";
            db.execute(sql, params![key.slot(), RESTRICTED]).map(drop)
        })
    }
}
