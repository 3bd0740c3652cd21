//! The vault: the keys of all data subjects of a home, each wrapped under the master key.
//!
//! Invariant: the vault is the only place that ties a subject to their tags; a destroyed key is overwritten in the
//! file, not only unlinked. Rotation is one transaction: every key is wrapped under the new master key, or none; nothing
//! is written under a master key that was replaced meanwhile.

mod enter;
mod error;
mod kept_out;
mod notes;
mod people;
mod rows;
mod sparse;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::master::MasterKey;
use super::subject::SubjectKey;
use crate::db::{self, Access, Journal};
use crate::model::SubjectId;

pub use error::VaultError;
pub use notes::RightsNote;
pub use people::Identifier;

/// The open vault.
#[derive(Debug)]
pub struct Vault {
    database: Connection,
    path: PathBuf,
    master: MasterKey,
    /// Shared with those who seal and tag while the vault is open.
    keys: Arc<HashMap<SubjectId, SubjectKey>>,
    /// `None` where they were let go of.
    identifiers: Option<HashMap<SubjectId, Box<[Identifier]>>>,
    /// Identifiers of erased people, in no order: nothing ties them to each other or to anything else.
    suppressed: HashSet<Identifier>,
    /// The digest of that list, as it was when it was read; `None` = nothing binds it yet.
    kept_out: Option<String>,
    /// Ledger tags of erased people: entries without a key that may be without one.
    forgotten: HashSet<String>,
    /// What is written is part of a transaction that goes on.
    together: bool,
    /// Keys are read when somebody asks for them; `keys` are those that are held for now.
    sparse: bool,
}

/// How long a run waits for others who write.
const LONG_PATIENCE: std::time::Duration = std::time::Duration::from_mins(5);

/// Not a write-ahead file: a destroyed key must not live on in a second file.
const WRITE: Access = Access::Write(Journal::Truncate);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS subjects (
        place BLOB PRIMARY KEY, subject BLOB NOT NULL, key BLOB NOT NULL, identifiers BLOB NOT NULL DEFAULT x''
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS named (name TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS suppressed (identifier BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS forgotten (tag TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS erasures (erasure TEXT PRIMARY KEY, tag TEXT) WITHOUT ROWID;
";

impl Vault {
    /// Creates the vault of a new home.
    ///
    /// # Errors
    /// Not writable.
    pub fn create(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        let vault = Self::connect(path, master, WRITE)?;
        vault.db(|db| {
            db.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('master', ?1)", params![vault.master.id()])
        })?;
        vault.check_master()?;
        Ok(vault)
    }

    /// A vault that is kept nowhere, for a dry run without a home.
    ///
    /// # Errors
    /// SQLite or the system's randomness cannot be used.
    pub fn in_memory() -> Result<Self, VaultError> {
        let path = PathBuf::from(db::IN_MEMORY);
        let master = MasterKey::random().map_err(|source| VaultError::Io { path: path.clone(), source })?;
        Self::create(&path, master)
    }

    /// Opens the vault of a home and unwraps all keys.
    ///
    /// # Errors
    /// Missing, open to others, damaged, or wrapped under another master key.
    pub fn open(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        Self::open_for(path, master, WRITE)
    }

    /// As [`Self::open`], but nothing is written, neither into the vault nor beside it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_to_read(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        Self::open_for(path, master, Access::Read)
    }

    /// As [`Self::open`], but keys are read when somebody asks for them, so that memory does not grow with the people in it.
    ///
    /// # Errors
    /// As [`Self::open`]; a damaged key is found when it is asked for.
    pub fn open_sparse(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        let mut vault = Self::prepared(path, master, WRITE)?;
        vault.sparse = true;
        vault.reload()?;
        Ok(vault)
    }

    /// Waits longer for others: a run asks the vault all night, and who imports very many people holds it for longer than a
    /// command waits.
    ///
    /// # Errors
    /// SQLite cannot be used.
    pub fn be_patient(&self) -> Result<(), VaultError> {
        self.db(|db| db.busy_timeout(LONG_PATIENCE))
    }

    fn open_for(path: &Path, master: MasterKey, access: Access) -> Result<Self, VaultError> {
        let mut vault = Self::prepared(path, master, access)?;
        vault.reload()?;
        Ok(vault)
    }

    fn prepared(path: &Path, master: MasterKey, access: Access) -> Result<Self, VaultError> {
        let metadata = std::fs::metadata(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => VaultError::Missing { path: path.to_owned() },
            _ => VaultError::Io { path: path.to_owned(), source },
        })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(VaultError::TooOpen { path: path.to_owned(), mode });
        }
        Self::connect(path, master, access)
    }

    fn connect(path: &Path, master: MasterKey, access: Access) -> Result<Self, VaultError> {
        let database =
            db::open(path, access, SCHEMA).map_err(|source| VaultError::Database { path: path.to_owned(), source })?;
        if access != Access::Read {
            let io = |source| VaultError::Io { path: path.to_owned(), source };
            crate::run::files::make_private(path).map_err(io)?;
        }
        Ok(Self {
            database,
            path: path.to_owned(),
            master,
            keys: Arc::default(),
            identifiers: Some(HashMap::new()),
            suppressed: HashSet::new(),
            kept_out: None,
            forgotten: HashSet::new(),
            together: false,
            sparse: false,
        })
    }

    fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, VaultError> {
        work(&self.database).map_err(|source| VaultError::Database { path: self.path.clone(), source })
    }

    /// Does all that `work` writes in one transaction, so that the file is changed once. Others wait for it: what takes
    /// long is done before.
    ///
    /// # Errors
    /// Those of `work`, or not writable: nothing was changed.
    pub fn together<T, E: From<VaultError>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.db(|db| db.execute_batch("BEGIN IMMEDIATE"))?;
        self.together = true;
        let done = self.check_master().map_err(E::from).and_then(|()| work(self));
        self.together = false;
        let done = done.and_then(|done| {
            self.db(|db| db.execute_batch("COMMIT"))?;
            Ok(done)
        });
        if done.is_err() {
            // What fails here is rolled back when the file is closed.
            let _ = self.database.execute_batch("ROLLBACK");
            // A key that is not in the file must not be used. The first error is the one to tell.
            if self.reload().is_err() {
                self.keys = Arc::default();
            }
        }
        done
    }

    /// One transaction, under the master key that this process holds; another may have rotated it since.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, VaultError> {
        let failed = |source| match source {
            rusqlite::Error::StatementChangedRows(_) => VaultError::Gone { path: self.path.clone() },
            source => VaultError::Database { path: self.path.clone(), source },
        };
        if self.together {
            return work(&self.database).map_err(failed);
        }
        let immediate = TransactionBehavior::Immediate;
        let transaction = Transaction::new_unchecked(&self.database, immediate).map_err(failed)?;
        self.check_master()?;
        let done = work(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    fn damaged(&self) -> VaultError {
        VaultError::Damaged { path: self.path.clone() }
    }

    fn check_master(&self) -> Result<(), VaultError> {
        let expected = Self::master_id(&self.database)
            .map_err(|source| VaultError::Database { path: self.path.clone(), source })?
            .ok_or_else(|| self.damaged())?;
        let found = self.master.id();
        if expected == found {
            Ok(())
        } else {
            Err(VaultError::WrongMaster { path: self.path.clone(), expected, found })
        }
    }

    fn master_id(db: &Connection) -> rusqlite::Result<Option<String>> {
        db.query_row("SELECT value FROM meta WHERE name = 'master'", [], |row| row.get(0)).optional()
    }

    /// Takes in what other processes have written since this one looked.
    ///
    /// # Errors
    /// Unreadable, damaged, or the master key was rotated.
    pub fn reload(&mut self) -> Result<(), VaultError> {
        self.check_master()?;
        let (mut keys, mut all) = (HashMap::new(), HashMap::new());
        if !self.sparse {
            self.each_row(|row| {
                let (id, key, identifiers) = self.open_row(row).ok_or_else(|| self.damaged())?;
                all.insert(id.clone(), identifiers);
                keys.insert(id, key);
                Ok(())
            })?;
        }
        self.keys = Arc::new(keys);
        // What was let go of is not wanted.
        if let Some(identifiers) = &mut self.identifiers {
            *identifiers = all;
        }
        (self.suppressed, self.kept_out) = self.read_kept_out()?;
        self.forgotten = self.column::<String>("SELECT tag FROM forgotten")?.into_iter().collect();
        Ok(())
    }

    fn column<T: rusqlite::types::FromSql>(&self, sql: &str) -> Result<Vec<T>, VaultError> {
        self.db(|db| {
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// The key of a subject; of a sparse vault, if it is held.
    #[must_use]
    pub fn key(&self, subject: &SubjectId) -> Option<&SubjectKey> {
        self.keys.get(subject)
    }

    /// A subject with their key, as the vault holds both.
    #[must_use]
    pub fn person(&self, subject: &SubjectId) -> Option<(&SubjectId, &SubjectKey)> {
        self.keys.get_key_value(subject)
    }

    /// All keys as they are now; those of people who come or go later are not in it.
    ///
    /// # Panics
    /// In a sparse vault.
    #[must_use]
    pub fn keys(&self) -> Arc<HashMap<SubjectId, SubjectKey>> {
        Arc::clone(self.everybody())
    }

    /// Everybody who has a key, in no order.
    ///
    /// # Panics
    /// In a sparse vault.
    pub fn subjects(&self) -> impl Iterator<Item = (&SubjectId, &SubjectKey)> {
        self.everybody().iter()
    }

    fn everybody(&self) -> &Arc<HashMap<SubjectId, SubjectKey>> {
        // An answer with those who are held for now would leave out all others.
        assert!(!self.sparse, "of a sparse vault nobody asks for everybody at once");
        &self.keys
    }

    /// Destroys the key of a subject: whatever was sealed under it is lost, whatever it tagged is unlinkable. All
    /// erasures of the subject end with it, and nothing tells any more which they were.
    ///
    /// # Errors
    /// Not writable, or the key is not there (any more): nothing was changed.
    pub fn destroy(&mut self, subject: &SubjectId) -> Result<(), VaultError> {
        let place = self.master.place(subject.as_str());
        self.hold([subject])?;
        let tag = self.keys.get(subject).map(SubjectKey::ledger_tag);
        self.write(|db| {
            exactly_one(db.execute("DELETE FROM subjects WHERE place = ?1", params![place])?)?;
            // An entry whose key is missing is either of somebody who was erased, or a sign that the vault was changed.
            db.execute("INSERT OR IGNORE INTO forgotten (tag) SELECT ?1 WHERE ?1 IS NOT NULL", params![tag])?;
            // Rows without a tag are of an older version, and ended.
            db.execute("DELETE FROM erasures WHERE tag = ?1 OR tag IS NULL", params![tag])
        })?;
        self.db(|db| db.execute_batch("VACUUM"))?;
        self.forgotten.extend(tag);
        Arc::make_mut(&mut self.keys).remove(subject);
        if let Some(all) = &mut self.identifiers {
            all.remove(subject);
        }
        Ok(())
    }

    /// A key of the home itself (of the log's signer, of the suppression list), made when first asked for.
    ///
    /// # Errors
    /// Not writable, or damaged.
    pub fn named(&self, name: &str) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let stored: Option<Vec<u8>> = self.db(|db| {
            db.query_row("SELECT key FROM named WHERE name = ?1", params![name], |row| row.get(0)).optional()
        })?;
        if let Some(sealed) = stored {
            return self.master.unwrap(name.as_bytes(), &sealed).ok_or_else(|| self.damaged());
        }
        let io = |source| VaultError::Io { path: self.path.clone(), source };
        let key = Zeroizing::new(super::random().map_err(io)?);
        self.set_named(name, &key)?;
        Ok(key)
    }

    /// Puts a key of the home there, for instance one taken over from an older home.
    ///
    /// # Errors
    /// Not writable.
    pub fn set_named(&self, name: &str, key: &[u8; 32]) -> Result<(), VaultError> {
        let io = |source| VaultError::Io { path: self.path.clone(), source };
        let sealed = self.master.wrap(name.as_bytes(), key).map_err(io)?;
        self.write(|db| {
            db.execute("INSERT OR REPLACE INTO named (name, key) VALUES (?1, ?2)", params![name, sealed.0]).map(drop)
        })
    }

    /// The master key, to derive keys for tables.
    #[must_use]
    pub const fn master(&self) -> &MasterKey {
        &self.master
    }
}

/// What is done to one row is done to no other, and not to none.
fn exactly_one(rows: usize) -> rusqlite::Result<()> {
    if rows == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(rows)) }
}
