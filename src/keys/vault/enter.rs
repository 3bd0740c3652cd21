//! Keys for those who have none, and by what people are known, as they come in.
//!
//! Invariant: nobody has two keys, whichever processes make them at once; no page of the file is changed twice.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::params;

use super::{Identifier, Vault, VaultError};
use crate::keys::SubjectKey;
use crate::model::SubjectId;

impl Vault {
    /// Makes keys for those who have none, in one transaction.
    ///
    /// # Errors
    /// Not writable: nobody got a key.
    pub fn ensure<'a>(&mut self, subjects: impl IntoIterator<Item = &'a SubjectId>) -> Result<(), VaultError> {
        self.make_keys(subjects.into_iter().map(|subject| (subject, &[][..])).collect())
    }

    /// Makes keys for those who have none, and notes by which identifiers all of them were seen; earlier ones are kept. In the
    /// order of [`Self::rank`], so that no page of the file is changed twice.
    ///
    /// # Errors
    /// Not writable.
    pub fn enter(&mut self, seen: &[(SubjectId, Vec<Identifier>)]) -> Result<(), VaultError> {
        self.make_keys(seen.iter().map(|(subject, identifiers)| (subject, &**identifiers)).collect())?;
        self.identify(seen)
    }

    fn make_keys(&mut self, seen: Vec<(&SubjectId, &[Identifier])>) -> Result<(), VaultError> {
        self.hold(seen.iter().map(|(subject, _)| *subject))?;
        match self.make_missing(&seen) {
            Err(VaultError::Database { source, .. })
                if source.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
            {
                // Another process made one of the keys since this one looked.
                self.reload()?;
                self.hold(seen.iter().map(|(subject, _)| *subject))?;
                self.make_missing(&seen)
            }
            made => made,
        }
    }

    fn make_missing(&mut self, seen: &[(&SubjectId, &[Identifier])]) -> Result<(), VaultError> {
        let mut new: HashMap<&SubjectId, (SubjectKey, Vec<Identifier>)> = HashMap::new();
        let io = |source| VaultError::Io { path: self.path.clone(), source };
        for &(subject, identifiers) in seen {
            if self.keys.contains_key(subject) {
                continue;
            }
            if !new.contains_key(subject) {
                new.insert(subject, (SubjectKey::new(crate::keys::random().map_err(io)?), Vec::new()));
            }
            let known = &mut new.get_mut(subject).expect("it was put there").1;
            for one in identifiers {
                if !known.contains(one) {
                    known.push(*one);
                }
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(new.len());
        for (subject, (key, identifiers)) in &new {
            let place = self.master.place(subject.as_str());
            let name = key.seal("subject", subject.as_str().as_bytes()).map_err(io)?;
            rows.push((place, name, self.master.wrap(&place, key.bytes()).map_err(io)?, identifiers.concat()));
        }
        rows.sort_unstable_by_key(|(place, ..)| *place);
        self.write(|db| {
            let sql = "INSERT INTO subjects (place, subject, key, identifiers) VALUES (?1, ?2, ?3, ?4)";
            let mut insert = db.prepare(sql)?;
            rows.iter()
                .try_for_each(|(place, name, key, all)| insert.execute(params![place, name.0, key.0, all]).map(drop))
        })?;
        let keys = Arc::make_mut(&mut self.keys);
        for (subject, (key, identifiers)) in new {
            keys.insert(subject.clone(), key);
            if let Some(all) = &mut self.identifiers {
                all.insert(subject.clone(), identifiers.into());
            }
        }
        Ok(())
    }

    /// In which of so many ranges of the file a subject lies.
    #[must_use]
    pub fn rank(&self, subject: &SubjectId, ranges: usize) -> usize {
        let [first, second, ..] = self.master.place(subject.as_str());
        usize::from(u16::from_be_bytes([first, second])) * ranges / 65_536
    }
}
