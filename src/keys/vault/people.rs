//! By what people are found again, and who must stay out.
//!
//! Invariant: identifiers are kept as keyed hashes only; those of erased people stand alone, tied to nothing.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};

use super::{Vault, VaultError, exactly_one};
use crate::keys::{SubjectKey, sealing};
use crate::model::SubjectId;

/// A keyed hash of something that identifies a person outside: an e-mail address, a record id, a name at a company.
pub type Identifier = [u8; 16];

/// The name of the key under which identifiers are hashed.
const IDENTIFIER_KEY: &str = "identifiers";

impl Vault {
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
    /// Not writable, or the subject has no key (any more).
    pub fn begin_erasure(&self, subject: &SubjectId, erasure: &str) -> Result<(), VaultError> {
        let tag = self.look_up(subject)?.as_ref().map(SubjectKey::ledger_tag);
        let place = self.master.place(subject.as_str());
        // One of somebody without a key would never end.
        let sql = "INSERT INTO erasures (erasure, tag) SELECT ?1, ?2 FROM subjects WHERE place = ?3 AND ?2 IS NOT NULL";
        self.write(|db| exactly_one(db.execute(sql, params![erasure, tag, place])?))
    }

    /// Erasures that have begun and not ended, as the file has it now.
    ///
    /// # Errors
    /// Unreadable.
    pub fn pending_erasures(&self) -> Result<Vec<String>, VaultError> {
        // A vault of an older version that is opened for reading knows of none.
        if !self.db(|db| db.table_exists(None, "erasures"))? {
            return Ok(Vec::new());
        }
        self.column("SELECT erasure FROM erasures WHERE tag IS NOT NULL ORDER BY erasure")
    }

    /// Whose erasure has begun and not ended, sorted.
    ///
    /// # Errors
    /// Unreadable.
    pub fn being_erased(&self) -> Result<Vec<SubjectId>, VaultError> {
        let tags: HashSet<String> =
            self.column("SELECT tag FROM erasures WHERE tag IS NOT NULL")?.into_iter().collect();
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        let begun = self.those(|key| tags.contains(&key.ledger_tag()))?.into_iter();
        let mut subjects: Vec<SubjectId> = begun.map(|(subject, _)| subject).collect();
        subjects.sort();
        Ok(subjects)
    }

    /// How many people were erased, by what was last told outside of the vault; fewer than [`Self::erased`] says after an
    /// erasure that was cut off behind its key.
    ///
    /// # Errors
    /// Unreadable.
    pub fn told_erased(&self) -> Result<u64, VaultError> {
        let sql = "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'told'";
        let told: Option<i64> = self.db(|db| db.query_row(sql, [], |row| row.get(0)).optional())?;
        Ok(told.map_or(0, i64::unsigned_abs))
    }

    /// Remembers what was told.
    ///
    /// # Errors
    /// Not writable.
    pub fn note_told_erased(&self, erased: u64) -> Result<(), VaultError> {
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('told', ?1)";
        self.db(|db| db.execute(sql, params![erased.to_string()]).map(drop))
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
        let seen: Vec<&(SubjectId, Vec<Identifier>)> = seen.into_iter().collect();
        self.hold(seen.iter().map(|(subject, _)| subject))?;
        let mut changed: HashMap<&SubjectId, Vec<Identifier>> = HashMap::new();
        for (subject, identifiers) in seen {
            let known = changed.get(subject).map_or_else(|| self.identifiers(subject), Vec::as_slice);
            if identifiers.iter().all(|identifier| known.contains(identifier)) {
                continue;
            }
            let mut all = known.to_vec();
            for identifier in identifiers {
                if !all.contains(identifier) {
                    all.push(*identifier);
                }
            }
            changed.insert(subject, all);
        }
        // In the order of the file, so that no page of it is changed twice.
        let mut rows: Vec<_> =
            changed.iter().map(|(subject, all)| (self.master.place(subject.as_str()), all)).collect();
        rows.sort_unstable_by_key(|(place, _)| *place);
        self.write(|db| {
            let mut update = db.prepare("UPDATE subjects SET identifiers = ?2 WHERE place = ?1")?;
            rows.iter().try_for_each(|(place, all)| update.execute(params![place, all.concat()]).map(drop))
        })?;
        let changed: Vec<_> = changed.into_iter().map(|(subject, all)| (subject.clone(), all.into())).collect();
        if let Some(all) = &mut self.identifiers {
            all.extend(changed);
        }
        Ok(())
    }

    /// Lets go of the identifiers of everybody, for as long as the vault is open: a run needs them only until all are
    /// entered, and of a million people they are the larger half of a vault.
    pub fn let_go_of_identifiers(&mut self) {
        self.identifiers = None;
    }

    fn all_identifiers(&self) -> &HashMap<SubjectId, Box<[Identifier]>> {
        // An empty answer would let somebody back in who was erased.
        self.identifiers.as_ref().expect("nobody asks for identifiers that were let go of")
    }

    /// By which identifiers a subject was ever seen.
    ///
    /// # Panics
    /// After [`Self::let_go_of_identifiers`].
    #[must_use]
    pub fn identifiers(&self, subject: &SubjectId) -> &[Identifier] {
        self.all_identifiers().get(subject).map_or(&[], |all| all)
    }

    /// Everybody who was seen by an identifier, sorted.
    ///
    /// # Panics
    /// After [`Self::let_go_of_identifiers`], or in a sparse vault.
    #[must_use]
    pub fn find(&self, identifier: &Identifier) -> Vec<SubjectId> {
        assert!(!self.is_sparse(), "of a sparse vault nobody asks who was seen by an identifier");
        let owners = self.all_identifiers().iter().filter(|(_, all)| all.contains(identifier));
        let mut owners: Vec<SubjectId> = owners.map(|(subject, _)| subject.clone()).collect();
        owners.sort();
        owners
    }
}
