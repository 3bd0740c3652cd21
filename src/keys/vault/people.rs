//! By what people are found again, and who must stay out.
//!
//! Invariant: identifiers are kept as keyed hashes only; those of erased people stand alone, tied to nothing.

use std::collections::{HashMap, HashSet};

use rusqlite::params;

use super::{Vault, VaultError};
use crate::keys::{SubjectKey, sealing};
use crate::model::SubjectId;

/// A keyed hash of something that identifies a person outside: an e-mail address, a record id, a name at a company.
pub type Identifier = [u8; 16];

/// The name of the key under which identifiers are hashed.
const IDENTIFIER_KEY: &str = "identifiers";

impl Vault {
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

    /// How many people were erased, and how many identifiers are kept out, as the file has it now: other processes may
    /// have erased somebody since it was read.
    ///
    /// # Errors
    /// Unreadable.
    pub fn erased(&self) -> Result<(u64, u64), VaultError> {
        let count = |sql: &'static str| self.db(|db| db.query_row(sql, [], |row| row.get::<_, i64>(0)));
        let forgotten = count("SELECT count(*) FROM forgotten")?.unsigned_abs();
        Ok((forgotten, count("SELECT count(*) FROM suppressed")?.unsigned_abs()))
    }

    /// Notes that an erasure of a subject begins. Whose it is, the vault knows for as long as the subject has a key.
    ///
    /// # Errors
    /// Not writable.
    pub fn begin_erasure(&self, subject: &SubjectId, erasure: &str) -> Result<(), VaultError> {
        let tag = self.key(subject).map(SubjectKey::ledger_tag);
        let sql = "INSERT INTO erasures (erasure, tag) VALUES (?1, ?2)";
        self.db(|db| db.execute(sql, params![erasure, tag]).map(drop))
    }

    /// Erasures that ended with their subject's key, also those that were broken off before; until
    /// [`Self::drop_ended`].
    ///
    /// # Errors
    /// Unreadable.
    pub fn ended_erasures(&self) -> Result<Vec<String>, VaultError> {
        self.column("SELECT erasure FROM erasures WHERE tag IS NULL ORDER BY erasure")
    }

    /// Forgets erasures that ended: the log knows of it.
    ///
    /// # Errors
    /// Not writable.
    pub fn drop_ended(&self, erasures: &[String]) -> Result<(), VaultError> {
        let sql = "DELETE FROM erasures WHERE erasure = ?1 AND tag IS NULL";
        self.db(|db| erasures.iter().try_for_each(|erasure| db.execute(sql, params![erasure]).map(drop)))
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

    /// Hashes identifiers of people; equal ones have equal hashes in this home and in no other.
    ///
    /// # Errors
    /// See [`Self::named`].
    pub fn identifier(&self) -> Result<impl Fn(&str, &[&str]) -> Identifier + use<>, VaultError> {
        let key = self.named(IDENTIFIER_KEY)?;
        Ok(move |kind: &str, parts: &[&str]| {
            let parts: Vec<&[u8]> =
                std::iter::once(kind.as_bytes()).chain(parts.iter().map(|p| p.as_bytes())).collect();
            *sealing::mac(&key, &parts).first_chunk().expect("an HMAC has 32 bytes")
        })
    }

    /// Notes by which identifiers subjects were seen; earlier ones are kept. All of them must have keys.
    ///
    /// # Errors
    /// Not writable: nothing was noted.
    pub fn identify<'a>(
        &mut self,
        seen: impl IntoIterator<Item = &'a (SubjectId, Vec<Identifier>)>,
    ) -> Result<(), VaultError> {
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
}
