//! The list of those who are kept out, and its digest: a row that was exchanged for another one leaves the number as it is.
//!
//! Invariant: list and salt are changed in one transaction, and the salt with every identifier that is added. The salt of
//! before is gone then, so two digests in the log do not tell by whom the list grew.

use std::collections::{BTreeSet, HashSet};

use data_encoding::HEXLOWER;
use rusqlite::{Connection, params};

use super::{Identifier, Vault, VaultError};
use crate::keys::sealing;

/// The list with its digest.
type KeptOut = (HashSet<Identifier>, Option<String>);

/// Where the salt is.
const SALT: &str = "kept_out";

impl Vault {
    /// Identifiers of erased people.
    #[must_use]
    pub const fn suppressed(&self) -> &HashSet<Identifier> {
        &self.suppressed
    }

    /// The digest of these identifiers, 64 hex digits; `None` = the list is of an older version, and nothing binds it.
    #[must_use]
    pub fn kept_out(&self) -> Option<&str> {
        self.kept_out.as_deref()
    }

    /// [`Self::kept_out`] as the file has it now: another process may have added somebody since it was opened.
    ///
    /// # Errors
    /// Not readable.
    pub fn kept_out_now(&self) -> Result<Option<String>, VaultError> {
        Ok(self.read_kept_out()?.1)
    }

    /// Keeps people out who have one of these identifiers.
    ///
    /// # Errors
    /// Not writable.
    pub fn suppress(&mut self, identifiers: &[Identifier]) -> Result<(), VaultError> {
        let salt = super::super::random().map_err(|source| VaultError::Io { path: self.path.clone(), source })?;
        self.write(|db| {
            let mut new = 0;
            for identifier in identifiers {
                let sql = "INSERT OR IGNORE INTO suppressed (identifier) VALUES (?1)";
                new += db.execute(sql, params![identifier])?;
            }
            if new > 0 { set_salt(db, &salt) } else { Ok(()) }
        })?;
        (self.suppressed, self.kept_out) = self.read_kept_out()?;
        Ok(())
    }

    /// Binds a list of an older version as it is now.
    ///
    /// # Errors
    /// Not writable.
    pub fn bind_kept_out(&mut self) -> Result<(), VaultError> {
        let salt = super::super::random().map_err(|source| VaultError::Io { path: self.path.clone(), source })?;
        self.write(|db| set_salt(db, &salt))?;
        (self.suppressed, self.kept_out) = self.read_kept_out()?;
        Ok(())
    }

    /// List and digest as the file has them now.
    pub(super) fn read_kept_out(&self) -> Result<KeptOut, VaultError> {
        // One statement: another process may add somebody meanwhile.
        let sql = "SELECT identifier, (SELECT value FROM meta WHERE name = ?1) FROM suppressed";
        let rows: Vec<(Identifier, Option<String>)> = self.db(|db| {
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map(params![SALT], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        let salt = rows.first().and_then(|(_, salt)| salt.clone());
        let sorted: BTreeSet<Identifier> = rows.iter().map(|(identifier, _)| *identifier).collect();
        let digest = salt.map(|salt| {
            let key = HEXLOWER.decode(salt.as_bytes()).unwrap_or_default();
            let parts: Vec<&[u8]> =
                std::iter::once(&key[..]).chain(sorted.iter().map(|identifier| &identifier[..])).collect();
            HEXLOWER.encode(&sealing::mac(&[0; 32], &parts))
        });
        Ok((sorted.into_iter().collect(), digest))
    }
}

fn set_salt(db: &Connection, salt: &[u8; 32]) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
    db.execute(sql, params![SALT, HEXLOWER.encode(salt)]).map(drop)
}
