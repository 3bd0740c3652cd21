//! What the vault remembers of the ledger.
//!
//! Invariant: it lies outside of the ledger, so that a ledger that was rolled back is noticed.

use rusqlite::{OptionalExtension, params};

use super::{Vault, VaultError};

impl Vault {
    /// What the vault remembers of the ledger: its head and its chain, so that a ledger and a checkpoint that were rolled
    /// back together are noticed.
    ///
    /// # Errors
    /// Not readable.
    pub fn ledger_note(&self) -> Result<Option<String>, VaultError> {
        self.meta("ledger")
    }

    /// What [`Self::note_ledger_state`] remembered.
    ///
    /// # Errors
    /// Not readable.
    pub fn ledger_state(&self) -> Result<Option<String>, VaultError> {
        self.meta("ledger_state")
    }

    fn meta(&self, name: &str) -> Result<Option<String>, VaultError> {
        let sql = "SELECT value FROM meta WHERE name = ?1";
        self.db(|db| db.query_row(sql, params![name], |row| row.get(0)).optional())
    }

    /// Remembers the ledger's head and chain, and the digest of its events.
    ///
    /// # Errors
    /// Not writable.
    pub fn note_ledger(&self, note: &str, state: &str) -> Result<(), VaultError> {
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('ledger', ?1), ('ledger_state', ?2)";
        self.db(|db| db.execute(sql, params![note, state]).map(drop))
    }

    /// Remembers the digest of the ledger's events alone, so that not all must be read for it.
    ///
    /// # Errors
    /// Not writable.
    pub fn note_ledger_state(&self, state: &str) -> Result<(), VaultError> {
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('ledger_state', ?1)";
        self.db(|db| db.execute(sql, params![state]).map(drop))
    }
}
