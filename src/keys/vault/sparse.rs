//! Rows of a vault one by one: keys that are read when somebody asks for them.
//!
//! Invariant: of a sparse vault nobody is in memory who was not asked for, and what was asked for is let go of again.

use std::sync::Arc;

use rusqlite::params;

use super::{Identifier, Vault, VaultError};
use crate::keys::SubjectKey;
use crate::model::SubjectId;

/// A row as it is stored; none of it says whose it is.
pub(super) struct Row<'r> {
    place: [u8; 16],
    subject: &'r [u8],
    key: &'r [u8],
    identifiers: &'r [u8],
}

/// A key, and by what its person is known.
pub type Known = (SubjectKey, Box<[Identifier]>);

/// Whose row it is, their key, and by what they are known.
type Opened = (SubjectId, SubjectKey, Box<[Identifier]>);

const COLUMNS: &str = "SELECT place, subject, key, identifiers FROM subjects";

impl<'r> Row<'r> {
    fn of(row: &'r rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get(0)?,
            subject: row.get_ref(1)?.as_blob()?,
            key: row.get_ref(2)?.as_blob()?,
            identifiers: row.get_ref(3)?.as_blob()?,
        })
    }
}

impl Vault {
    /// Whether keys are read when somebody asks for them.
    #[must_use]
    pub const fn is_sparse(&self) -> bool {
        self.sparse
    }

    /// Calls `take` with each row, in the order of the file.
    pub(super) fn each_row(&self, mut take: impl FnMut(Row<'_>) -> Result<(), VaultError>) -> Result<(), VaultError> {
        let failed = |source| VaultError::Database { path: self.path.clone(), source };
        let mut statement = self.database.prepare(COLUMNS).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            take(Row::of(row).map_err(failed)?)?;
        }
        Ok(())
    }

    /// Whose row it is; `None` = damaged.
    pub(super) fn open_row(&self, row: Row<'_>) -> Option<Opened> {
        let key = SubjectKey::new(*self.master.unwrap(&row.place, row.key)?);
        let id = key.open("subject", row.subject)?;
        let body = std::str::from_utf8(&id).ok()?.strip_prefix(SubjectId::PREFIX)?;
        let (identifiers, rest) = row.identifiers.as_chunks::<16>();
        rest.is_empty().then(|| (SubjectId::from_body(body), key, identifiers.into()))
    }

    /// Calls `take` with the key of everybody, as the file has them now, in no order.
    ///
    /// # Errors
    /// Unreadable, or damaged.
    pub fn each_key(&self, mut take: impl FnMut(&SubjectKey)) -> Result<(), VaultError> {
        self.each_row(|row| {
            let key = self.master.unwrap(&row.place, row.key).ok_or_else(|| self.damaged())?;
            take(&SubjectKey::new(*key));
            Ok(())
        })
    }

    /// Those whose keys `wanted` asks for, as the file has them now, in no order.
    ///
    /// # Errors
    /// Unreadable, or damaged.
    pub fn those(
        &self,
        mut wanted: impl FnMut(&SubjectKey) -> bool,
    ) -> Result<Vec<(SubjectId, SubjectKey)>, VaultError> {
        let mut found = Vec::new();
        self.each_row(|row| {
            let key = self.master.unwrap(&row.place, row.key).ok_or_else(|| self.damaged())?;
            if wanted(&SubjectKey::new(*key)) {
                let (id, key, _) = self.open_row(row).ok_or_else(|| self.damaged())?;
                found.push((id, key));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The key of a subject, wherever it is.
    ///
    /// # Errors
    /// Unreadable, or damaged.
    pub fn look_up(&self, subject: &SubjectId) -> Result<Option<SubjectKey>, VaultError> {
        if !self.sparse {
            return Ok(self.key(subject).cloned());
        }
        match self.key(subject) {
            Some(key) => Ok(Some(key.clone())),
            None => Ok(self.row_of(subject)?.map(|(_, key, _)| key)),
        }
    }

    /// The key of a subject, and by what they are known, wherever it is.
    ///
    /// # Errors
    /// Unreadable, or damaged.
    pub fn known(&self, subject: &SubjectId) -> Result<Option<Known>, VaultError> {
        if let Some(key) = self.key(subject) {
            return Ok(Some((key.clone(), self.identifiers(subject).into())));
        }
        if !self.sparse {
            return Ok(None);
        }
        Ok(self.row_of(subject)?.map(|(_, key, identifiers)| (key, identifiers)))
    }

    fn row_of(&self, subject: &SubjectId) -> Result<Option<Opened>, VaultError> {
        let failed = |source| VaultError::Database { path: self.path.clone(), source };
        let place = self.master.place(subject.as_str());
        let sql = "SELECT place, subject, key, identifiers FROM subjects WHERE place = ?1";
        let mut statement = self.database.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params![place]).map_err(failed)?;
        let Some(row) = rows.next().map_err(failed)? else { return Ok(None) };
        let opened = self.open_row(Row::of(row).map_err(failed)?).filter(|(id, ..)| id == subject);
        opened.map(Some).ok_or_else(|| self.damaged())
    }

    /// Holds the keys of those who have one, and by what they are known; all others are held as before.
    pub(super) fn hold<'a>(&mut self, subjects: impl IntoIterator<Item = &'a SubjectId>) -> Result<(), VaultError> {
        if !self.sparse {
            return Ok(());
        }
        // Each look-up alone would lock the file anew.
        let is_alone = self.database.is_autocommit();
        if is_alone {
            self.read_steadily(true)?;
        }
        let held = self.hold_each(subjects);
        if is_alone {
            self.read_steadily(false)?;
        }
        held
    }

    fn hold_each<'a>(&mut self, subjects: impl IntoIterator<Item = &'a SubjectId>) -> Result<(), VaultError> {
        for subject in subjects {
            if self.keys.contains_key(subject) {
                continue;
            }
            let Some((id, key, identifiers)) = self.row_of(subject)? else { continue };
            if let Some(all) = &mut self.identifiers {
                all.insert(id.clone(), identifiers);
            }
            Arc::make_mut(&mut self.keys).insert(id, key);
        }
        Ok(())
    }

    /// Begins to read the file as it is at one moment, or ends that: it is locked once, and nobody writes meanwhile.
    ///
    /// # Errors
    /// Unreadable.
    pub fn read_steadily(&self, on: bool) -> Result<(), VaultError> {
        self.db(|db| db.execute_batch(if on { "BEGIN" } else { "COMMIT" }))
    }

    /// Lets go of those who are held.
    pub fn let_go(&mut self) {
        if !self.sparse {
            return;
        }
        self.keys = Arc::default();
        if let Some(all) = &mut self.identifiers {
            *all = std::collections::HashMap::new();
        }
    }
}
