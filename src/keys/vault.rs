//! The vault: the keys of all data subjects of a home, each wrapped under the master key.
//!
//! Invariant: the vault is the only place that ties a subject to their tags; a destroyed key is overwritten in the
//! file, not only unlinked. Rotation is one transaction: every key is wrapped under the new master key, or none.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use super::master::MasterKey;
use super::subject::SubjectKey;
use crate::model::SubjectId;

/// Why keys cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The vault file is not there.
    #[error(
        "the vault {path} is missing: restore it from the newest backup; without it nothing can be proven or erased"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// SQLite said no.
    #[error("the vault {path} cannot be read or written: check free space and permissions")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A key in it does not open.
    #[error("the vault {path} is damaged: restore it from the newest backup")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The master key is not where it should be.
    #[error("the master key is not to be had from {source_name}: {why}; put it back, or set PROSOPON_MASTER_KEY_FILE")]
    MasterMissing {
        /// `file:PATH`, `env:NAME` or `keyring:NAME`.
        source_name: String,
        /// What was found instead.
        why: String,
    },
    /// What is there is no key.
    #[error("{source_name} holds no master key: it must be 32 bytes, raw, in hex or in base64")]
    MasterMalformed {
        /// `file:PATH`, `env:NAME` or `keyring:NAME`.
        source_name: String,
    },
    /// It is another home's key, or an older one.
    #[error("the vault {path} is wrapped under the master key {expected}, the one given is {found}: use the right one")]
    WrongMaster {
        /// The vault.
        path: PathBuf,
        /// Id of the key that it needs.
        expected: String,
        /// Id of the key that was given.
        found: String,
    },
    /// Others can read it.
    #[error("{path} is open to other users (mode {mode:o}): run `chmod go-rwx {path}`")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
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

/// A keyed hash of something that identifies a person outside: an e-mail address, a record id, a name at a company.
pub type Identifier = [u8; 16];

/// The name of the key under which identifiers are hashed.
const IDENTIFIER_KEY: &str = "identifiers";

/// The open vault.
#[derive(Debug)]
pub struct Vault {
    database: Connection,
    path: PathBuf,
    master: MasterKey,
    keys: HashMap<SubjectId, SubjectKey>,
    identifiers: HashMap<SubjectId, Vec<Identifier>>,
    /// Identifiers of erased people, in no order: nothing ties them to each other or to anything else.
    suppressed: HashSet<Identifier>,
    /// Ledger tags of erased people: entries without a key that may be without one.
    forgotten: HashSet<String>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS subjects (
        place BLOB PRIMARY KEY, subject BLOB NOT NULL, key BLOB NOT NULL, identifiers BLOB NOT NULL DEFAULT x''
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS named (name TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS suppressed (identifier BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS forgotten (tag TEXT PRIMARY KEY) WITHOUT ROWID;
";

impl Vault {
    /// Creates the vault of a new home.
    ///
    /// # Errors
    /// Not writable.
    pub fn create(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        let vault = Self::connect(path, master)?;
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
        let path = PathBuf::from(":memory:");
        let master = MasterKey::random().map_err(|source| VaultError::Io { path: path.clone(), source })?;
        Self::create(&path, master)
    }

    /// Opens the vault of a home and unwraps all keys.
    ///
    /// # Errors
    /// Missing, open to others, damaged, or wrapped under another master key.
    pub fn open(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        let metadata = std::fs::metadata(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => VaultError::Missing { path: path.to_owned() },
            _ => VaultError::Io { path: path.to_owned(), source },
        })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(VaultError::TooOpen { path: path.to_owned(), mode });
        }
        let mut vault = Self::connect(path, master)?;
        vault.check_master()?;
        vault.load()?;
        Ok(vault)
    }

    fn connect(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        let fail = |source| VaultError::Database { path: path.to_owned(), source };
        let database = Connection::open(path).map_err(fail)?;
        crate::run::files::make_private(path).map_err(|source| VaultError::Io { path: path.to_owned(), source })?;
        database.busy_timeout(std::time::Duration::from_secs(10)).map_err(fail)?;
        // Not WAL: a destroyed key must not live on in a second file.
        database.pragma_update(None, "journal_mode", "TRUNCATE").map_err(fail)?;
        database.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
        database.pragma_update(None, "secure_delete", true).map_err(fail)?;
        database.execute_batch(SCHEMA).map_err(fail)?;
        Ok(Self {
            database,
            path: path.to_owned(),
            master,
            keys: HashMap::new(),
            identifiers: HashMap::new(),
            suppressed: HashSet::new(),
            forgotten: HashSet::new(),
        })
    }

    fn db<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, VaultError> {
        work(&self.database).map_err(|source| VaultError::Database { path: self.path.clone(), source })
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

    fn load(&mut self) -> Result<(), VaultError> {
        let rows: Vec<[Vec<u8>; 4]> = self.db(|db| {
            let mut statement = db.prepare("SELECT place, subject, key, identifiers FROM subjects")?;
            let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
            rows.collect()
        })?;
        let mut keys = HashMap::with_capacity(rows.len());
        for [place, subject, key, identifiers] in rows {
            let key = self.master.unwrap(&place, &key).ok_or_else(|| self.damaged())?;
            let key = SubjectKey::new(*key);
            let id = key.open("subject", &subject).ok_or_else(|| self.damaged())?;
            let body = std::str::from_utf8(&id).ok().and_then(|id| id.strip_prefix(SubjectId::PREFIX));
            let id = SubjectId::from_body(body.ok_or_else(|| self.damaged())?);
            let (identifiers, rest) = identifiers.as_chunks::<16>();
            if !rest.is_empty() {
                return Err(self.damaged());
            }
            self.identifiers.insert(id.clone(), identifiers.to_vec());
            keys.insert(id, key);
        }
        self.keys = keys;
        let rows: Vec<[u8; 16]> = self.column("SELECT identifier FROM suppressed")?;
        self.suppressed = rows.into_iter().collect();
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

    /// Identifiers of erased people.
    #[must_use]
    pub const fn suppressed(&self) -> &HashSet<Identifier> {
        &self.suppressed
    }

    /// Ledger tags of erased people.
    #[must_use]
    pub const fn forgotten(&self) -> &HashSet<String> {
        &self.forgotten
    }

    /// Keeps people out who have one of these identifiers.
    ///
    /// # Errors
    /// Not writable.
    pub fn suppress(&mut self, identifiers: &[Identifier]) -> Result<(), VaultError> {
        self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            for identifier in identifiers {
                transaction
                    .execute("INSERT OR IGNORE INTO suppressed (identifier) VALUES (?1)", params![identifier])?;
            }
            transaction.commit()
        })?;
        self.suppressed.extend(identifiers);
        Ok(())
    }

    /// What the vault remembers of the ledger: its head and its chain, so that a ledger and a checkpoint that were rolled
    /// back together are noticed.
    ///
    /// # Errors
    /// Not readable.
    pub fn ledger_note(&self) -> Result<Option<String>, VaultError> {
        self.db(|db| db.query_row("SELECT value FROM meta WHERE name = 'ledger'", [], |row| row.get(0)).optional())
    }

    /// Remembers the ledger's head and chain.
    ///
    /// # Errors
    /// Not writable.
    pub fn note_ledger(&self, note: &str) -> Result<(), VaultError> {
        self.db(|db| {
            db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('ledger', ?1)", params![note]).map(drop)
        })
    }

    /// Makes keys for those who have none, in one transaction.
    ///
    /// # Errors
    /// Not writable: nobody got a key.
    pub fn ensure<'a>(&mut self, subjects: impl IntoIterator<Item = &'a SubjectId>) -> Result<(), VaultError> {
        let mut new: HashMap<&SubjectId, SubjectKey> = HashMap::new();
        let io = |source| VaultError::Io { path: self.path.clone(), source };
        for subject in subjects {
            if !self.keys.contains_key(subject) && !new.contains_key(subject) {
                new.insert(subject, SubjectKey::new(super::random().map_err(io)?));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(new.len());
        for (subject, key) in &new {
            let place = self.master.place(subject.as_str());
            let name = key.seal("subject", subject.as_str().as_bytes()).map_err(io)?;
            rows.push((place, name, self.master.wrap(&place, key.bytes()).map_err(io)?));
        }
        self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            {
                let mut insert =
                    transaction.prepare("INSERT INTO subjects (place, subject, key) VALUES (?1, ?2, ?3)")?;
                for (place, name, key) in &rows {
                    insert.execute(params![place, name.0, key.0])?;
                }
            }
            transaction.commit()
        })?;
        self.keys.extend(new.into_iter().map(|(subject, key)| (subject.clone(), key)));
        Ok(())
    }

    /// Hashes identifiers of people; equal ones have equal hashes in this home and in no other.
    ///
    /// # Errors
    /// See [`Self::named`].
    pub fn identifier(&self) -> Result<impl Fn(&str, &[&str]) -> Identifier + use<>, VaultError> {
        let key = self.named(IDENTIFIER_KEY)?;
        Ok(move |kind: &str, parts: &[&str]| {
            let parts: Vec<&[u8]> =
                std::iter::once(kind.as_bytes()).chain(parts.iter().map(|p| p.as_bytes())).collect();
            *super::sealing::mac(&key, &parts).first_chunk().expect("an HMAC has 32 bytes")
        })
    }

    /// Notes by which identifiers subjects were seen; earlier ones are kept. All of them must have keys.
    ///
    /// # Errors
    /// Not writable: nothing was noted.
    pub fn identify(&mut self, seen: &[(SubjectId, Vec<Identifier>)]) -> Result<(), VaultError> {
        let mut changed: HashMap<&SubjectId, Vec<Identifier>> = HashMap::new();
        for (subject, identifiers) in seen {
            let known = changed.get(subject).or_else(|| self.identifiers.get(subject));
            let mut all = known.cloned().unwrap_or_default();
            let before = all.len();
            for identifier in identifiers {
                if !all.contains(identifier) {
                    all.push(*identifier);
                }
            }
            if all.len() > before {
                changed.insert(subject, all);
            }
        }
        self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            {
                let mut update = transaction.prepare("UPDATE subjects SET identifiers = ?2 WHERE place = ?1")?;
                for (subject, all) in &changed {
                    update.execute(params![self.master.place(subject.as_str()), all.concat()])?;
                }
            }
            transaction.commit()
        })?;
        let changed: Vec<_> = changed.into_iter().map(|(subject, all)| (subject.clone(), all)).collect();
        self.identifiers.extend(changed);
        Ok(())
    }

    /// By which identifiers a subject was ever seen.
    #[must_use]
    pub fn identifiers(&self, subject: &SubjectId) -> &[Identifier] {
        self.identifiers.get(subject).map_or(&[], Vec::as_slice)
    }

    /// Everybody who was seen by an identifier, sorted.
    #[must_use]
    pub fn find(&self, identifier: &Identifier) -> Vec<SubjectId> {
        let owners = self.identifiers.iter().filter(|(_, all)| all.contains(identifier));
        let mut owners: Vec<SubjectId> = owners.map(|(subject, _)| subject.clone()).collect();
        owners.sort();
        owners
    }

    /// The key of a subject.
    #[must_use]
    pub fn key(&self, subject: &SubjectId) -> Option<&SubjectKey> {
        self.keys.get(subject)
    }

    /// Everybody who has a key, in no order.
    pub fn subjects(&self) -> impl Iterator<Item = (&SubjectId, &SubjectKey)> {
        self.keys.iter()
    }

    /// Destroys the key of a subject: whatever was sealed under it is lost, whatever it tagged is unlinkable.
    ///
    /// # Errors
    /// Not writable: the key is still there.
    pub fn destroy(&mut self, subject: &SubjectId) -> Result<bool, VaultError> {
        let place = self.master.place(subject.as_str());
        let tag = self.keys.get(subject).map(SubjectKey::ledger_tag);
        let removed = self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            // An entry whose key is missing is either of somebody who was erased, or a sign that the vault was changed.
            transaction
                .execute("INSERT OR IGNORE INTO forgotten (tag) SELECT ?1 WHERE ?1 IS NOT NULL", params![tag])?;
            let removed = transaction.execute("DELETE FROM subjects WHERE place = ?1", params![place])?;
            transaction.commit()?;
            db.execute_batch("VACUUM")?;
            Ok(removed)
        })?;
        self.forgotten.extend(tag);
        self.keys.remove(subject);
        self.identifiers.remove(subject);
        Ok(removed > 0)
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
        self.db(|db| {
            db.execute("INSERT OR REPLACE INTO named (name, key) VALUES (?1, ?2)", params![name, sealed.0]).map(drop)
        })
    }

    /// The master key, to derive keys for tables.
    #[must_use]
    pub const fn master(&self) -> &MasterKey {
        &self.master
    }

    /// Takes over all keys of another vault (of an older home).
    ///
    /// # Errors
    /// Not writable.
    pub fn take_over(&mut self, other: &Self) -> Result<(), VaultError> {
        self.keys.clone_from(&other.keys);
        self.identifiers.clone_from(&other.identifiers);
        self.suppress(&other.suppressed.iter().copied().collect::<Vec<_>>())?;
        let named: Vec<Named> = other.all_named()?;
        let rows = self.wrapped(&self.master, &named)?;
        self.replace_all(&rows, &self.master.id())
    }

    /// Wraps every key under a new master key, in one transaction. The caller has put the new key in its place before,
    /// and removes the old one after.
    ///
    /// # Errors
    /// Not writable: all is as it was.
    pub fn rotate(&mut self, new: MasterKey) -> Result<(), VaultError> {
        let named = self.all_named()?;
        let rows = self.wrapped(&new, &named)?;
        self.replace_all(&rows, &new.id())?;
        self.master = new;
        Ok(())
    }

    fn all_named(&self) -> Result<Vec<Named>, VaultError> {
        let rows: Vec<(String, Vec<u8>)> = self.db(|db| {
            let mut statement = db.prepare("SELECT name, key FROM named")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        let open = |(name, sealed): (String, Vec<u8>)| {
            let key = self.master.unwrap(name.as_bytes(), &sealed).ok_or_else(|| self.damaged())?;
            Ok((name, key))
        };
        rows.into_iter().map(open).collect()
    }

    fn wrapped(&self, master: &MasterKey, named: &[Named]) -> Result<Rows, VaultError> {
        let io = |source| VaultError::Io { path: self.path.clone(), source };
        let mut rows = Rows::default();
        for (subject, key) in &self.keys {
            let place = master.place(subject.as_str());
            let name = key.seal("subject", subject.as_str().as_bytes()).map_err(io)?;
            rows.subjects.push((
                place,
                name.0,
                master.wrap(&place, key.bytes()).map_err(io)?.0,
                self.identifiers(subject).concat(),
            ));
        }
        for (name, key) in named {
            rows.named.push((name.clone(), master.wrap(name.as_bytes(), key).map_err(io)?.0));
        }
        Ok(rows)
    }

    fn replace_all(&self, rows: &Rows, master: &str) -> Result<(), VaultError> {
        self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            transaction.execute_batch("DELETE FROM subjects; DELETE FROM named;")?;
            {
                let sql = "INSERT INTO subjects (place, subject, key, identifiers) VALUES (?1, ?2, ?3, ?4)";
                let mut subject = transaction.prepare(sql)?;
                for (place, name, key, identifiers) in &rows.subjects {
                    subject.execute(params![place, name, key, identifiers])?;
                }
                let mut named = transaction.prepare("INSERT INTO named (name, key) VALUES (?1, ?2)")?;
                for (name, key) in &rows.named {
                    named.execute(params![name, key])?;
                }
            }
            transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'master'", params![master])?;
            transaction.commit()?;
            db.execute_batch("VACUUM")
        })
    }
}

/// A key of the home with its name.
type Named = (String, Zeroizing<[u8; 32]>);

/// Place, sealed id, wrapped key, identifiers.
type SubjectRow = ([u8; 16], Vec<u8>, Vec<u8>, Vec<u8>);

/// Wrapped keys, as they are stored.
#[derive(Default)]
struct Rows {
    subjects: Vec<SubjectRow>,
    named: Vec<(String, Vec<u8>)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> SubjectId {
        SubjectId::from_body(name)
    }

    #[test]
    fn keys_survive_reopening_and_rotation_and_nothing_else_opens_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vault.sqlite");
        let (old, new) = (MasterKey::random().expect("a key"), MasterKey::random().expect("a key"));
        let mut vault = Vault::create(&path, old.clone()).expect("a new vault");
        vault.ensure([&subject("a"), &subject("b"), &subject("a")]).expect("written");
        let (tag, log) = (vault.key(&subject("a")).expect("a key").ledger_tag(), vault.named("log").expect("a key"));
        drop(vault);
        let mut vault = Vault::open(&path, old.clone()).expect("opens");
        assert_eq!(vault.key(&subject("a")).expect("a key").ledger_tag(), tag);
        vault.rotate(new.clone()).expect("rotated");
        drop(vault);
        let Err(error) = Vault::open(&path, old) else { panic!("the old key must not open the vault") };
        assert!(matches!(error, VaultError::WrongMaster { .. }), "{error}");
        let vault = Vault::open(&path, new).expect("opens under the new key");
        assert_eq!(vault.key(&subject("a")).expect("a key").ledger_tag(), tag);
        assert_eq!(*vault.named("log").expect("a key"), *log);
    }

    #[test]
    fn a_destroyed_key_is_in_no_byte_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vault.sqlite");
        let master = MasterKey::random().expect("a key");
        let mut vault = Vault::create(&path, master.clone()).expect("a new vault");
        let many: Vec<SubjectId> = (0..200).map(|n| subject(&n.to_string())).collect();
        vault.ensure(&many).expect("written");
        let place = master.place(many[7].as_str());
        let holds = |what: &[u8]| {
            std::fs::read_dir(folder.path()).expect("a folder").any(|file| {
                let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
                bytes.windows(what.len()).any(|w| w == what)
            })
        };
        assert!(holds(&place));
        assert!(vault.destroy(&many[7]).expect("destroyed") && !vault.destroy(&many[7]).expect("once is enough"));
        assert!(!holds(&place) && vault.key(&many[7]).is_none());
        drop(vault);
        assert_eq!(Vault::open(&path, master).expect("opens").subjects().count(), 199);
    }

    #[test]
    fn a_missing_open_or_damaged_vault_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vault.sqlite");
        let master = MasterKey::random().expect("a key");
        assert!(matches!(Vault::open(&path, master.clone()), Err(VaultError::Missing { .. })));
        let mut vault = Vault::create(&path, master.clone()).expect("a new vault");
        vault.ensure([&subject("a")]).expect("written");
        vault.db(|db| db.execute("UPDATE subjects SET key = zeroblob(length(key))", [])).expect("changed");
        drop(vault);
        assert!(matches!(Vault::open(&path, master.clone()), Err(VaultError::Damaged { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(matches!(Vault::open(&path, master), Err(VaultError::TooOpen { mode: 0o644, .. })));
    }
}
