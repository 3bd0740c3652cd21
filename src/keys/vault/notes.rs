//! What the vault remembers of other parts of the home.
//!
//! Invariant: it lies outside of them, so that a ledger or a store of rights that was rolled back is noticed.

use rusqlite::{OptionalExtension, params};

use super::{Vault, VaultError};

/// The name under which the store of rights is remembered.
const RIGHTS: &str = "rights";

/// What the vault remembers of rectifications and sealed copies (`rights.sqlite`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightsNote {
    /// How often they were changed; it only grows.
    pub changes: u64,
    /// The digest of what is kept, hex.
    pub digest: String,
    /// What the digest becomes with a change that has begun; which of the two holds, the store tells.
    pub next: Option<String>,
}

impl RightsNote {
    fn to_text(&self) -> String {
        let now = format!("{} {}", self.changes, self.digest);
        self.next.iter().fold(now, |now, next| format!("{now} {next}"))
    }

    fn of_text(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (changes, digest) = (words.next()?.parse().ok()?, words.next()?.to_owned());
        Some(Self { changes, digest, next: words.next().map(str::to_owned) })
    }
}

impl Vault {
    /// What is remembered of the store of rights; `None` = nothing, as in homes of an older version.
    ///
    /// # Errors
    /// Not readable, or damaged.
    pub fn rights_note(&self) -> Result<Option<RightsNote>, VaultError> {
        let text = self.meta(RIGHTS)?;
        text.map(|text| RightsNote::of_text(&text).ok_or_else(|| self.damaged())).transpose()
    }

    /// Remembers the store of rights.
    ///
    /// # Errors
    /// Not writable.
    pub fn note_rights(&self, note: &RightsNote) -> Result<(), VaultError> {
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
        self.db(|db| db.execute(sql, params![RIGHTS, note.to_text()]).map(drop))
    }

    /// Remembers that a change has ended, unless another one has begun meanwhile.
    ///
    /// # Errors
    /// Not writable.
    pub fn settle_rights(&self, begun: &RightsNote, ended: &RightsNote) -> Result<(), VaultError> {
        let sql = "UPDATE meta SET value = ?3 WHERE name = ?1 AND value = ?2";
        self.db(|db| db.execute(sql, params![RIGHTS, begun.to_text(), ended.to_text()]).map(drop))
    }

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
