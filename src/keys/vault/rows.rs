//! All keys at once: taken over from an older home, or wrapped under a new master key.
//!
//! Invariant: it is one transaction: every key is wrapped anew, or none.

use rusqlite::{Connection, params};
use zeroize::Zeroizing;

use super::{Vault, VaultError};
use crate::keys::MasterKey;

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

impl Vault {
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
        self.write(|db| replace_all(db, &rows, &self.master.id()))?;
        self.db(|db| db.execute_batch("VACUUM"))
    }

    /// Wraps every key under a new master key, in one transaction. The caller has put the new key in its place before,
    /// and removes the old one after.
    ///
    /// # Errors
    /// Not writable: all is as it was.
    pub fn rotate(&mut self, new: MasterKey) -> Result<(), VaultError> {
        self.db(|db| db.execute_batch("BEGIN IMMEDIATE"))?;
        let done = self.rewrap(&new).and_then(|()| self.db(|db| db.execute_batch("COMMIT")));
        if done.is_err() {
            // What fails here is rolled back when the file is closed.
            let _ = self.database.execute_batch("ROLLBACK");
        }
        done?;
        self.master = new;
        self.db(|db| db.execute_batch("VACUUM"))
    }

    /// All that is in the file now: another process may have added somebody since it was read.
    fn rewrap(&mut self, new: &MasterKey) -> Result<(), VaultError> {
        self.reload()?;
        let rows = self.wrapped(new, &self.all_named()?)?;
        self.db(|db| replace_all(db, &rows, &new.id()))
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
        for (subject, key) in self.subjects() {
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
}

fn replace_all(db: &Connection, rows: &Rows, master: &str) -> rusqlite::Result<()> {
    db.execute_batch("DELETE FROM subjects; DELETE FROM named;")?;
    let mut subject = db.prepare("INSERT INTO subjects (place, subject, key, identifiers) VALUES (?1, ?2, ?3, ?4)")?;
    for (place, name, key, identifiers) in &rows.subjects {
        subject.execute(params![place, name, key, identifiers])?;
    }
    let mut named = db.prepare("INSERT INTO named (name, key) VALUES (?1, ?2)")?;
    for (name, key) in &rows.named {
        named.execute(params![name, key])?;
    }
    db.execute("UPDATE meta SET value = ?1 WHERE name = 'master'", params![master]).map(drop)
}
