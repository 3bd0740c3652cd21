//! Rows of the ledger's table: how they are read, and how new ones are appended.
//!
//! Invariant: a row counts only if it follows the row before it in the chain; rows of one import are there together or
//! not at all.

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::entry::{Sealing, Stored, link};
use crate::consent::event::LegalEvent;

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS legal_events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        digest BLOB NOT NULL UNIQUE,
        chain BLOB NOT NULL,
        known_at TEXT NOT NULL,
        event TEXT NOT NULL,
        sealed BLOB
    );
    CREATE TRIGGER IF NOT EXISTS legal_events_no_update BEFORE UPDATE ON legal_events
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
    CREATE TRIGGER IF NOT EXISTS legal_events_no_delete BEFORE DELETE ON legal_events
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
    CREATE TRIGGER IF NOT EXISTS legal_events_no_replace BEFORE INSERT ON legal_events
        WHEN EXISTS (SELECT 1 FROM legal_events WHERE seq = NEW.seq OR digest = NEW.digest)
        BEGIN SELECT RAISE(ABORT, 'legal events are append-only'); END;
";

/// Rows behind a head.
pub(super) const SELECT: &str =
    "SELECT seq, chain, known_at, event, sealed, digest FROM legal_events WHERE seq > ?1 ORDER BY seq";

/// A row as it is stored.
pub(super) struct Row {
    pub seq: u64,
    pub chain: [u8; 32],
    known_at: String,
    event: String,
    pub sealed: Option<Vec<u8>>,
    /// By it an event is known again, so another one would hide what is imported later.
    digest: Vec<u8>,
}

impl Row {
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            chain: row.get(1)?,
            known_at: row.get(2)?,
            event: row.get(3)?,
            sealed: row.get(4)?,
            digest: row.get(5)?,
        })
    }

    /// What it says, if it follows the entry before it and is what was written.
    pub(super) fn check(&self, chain: &[u8; 32], before: u64) -> Option<(Stored, Timestamp)> {
        let follows =
            self.seq == before + 1 && is_followed(chain, (&self.event, &self.digest), &self.known_at, &self.chain);
        follows.then(|| self.read_alone()).flatten()
    }

    /// What it says, if it is what was written; the chain was followed before.
    pub(super) fn read_alone(&self) -> Option<(Stored, Timestamp)> {
        let is_whole = self.digest == <[u8; 32]>::from(Sha256::digest(&self.event));
        let stored: Stored = is_whole.then(|| serde_json::from_str(&self.event).ok()).flatten()?;
        Some((stored, self.known_at.parse().ok()?))
    }
}

/// Whether a chain goes on with an entry and its digest, of which the home learned at `known_at`, to become `after`.
pub(super) fn is_followed(chain: &[u8; 32], (event, stated): (&str, &[u8]), known_at: &str, after: &[u8; 32]) -> bool {
    let digest: [u8; 32] = Sha256::digest(event).into();
    stated == digest && link(chain, &digest, known_at) == *after
}

/// An entry that was appended, with the event that it tells of.
pub(super) struct Appended<'a> {
    pub seq: u64,
    pub chain: [u8; 32],
    pub stored: &'a Stored,
    pub event: Option<&'a LegalEvent>,
}

/// Appends entries, each with its sealed part and the event it tells of, that are not there yet; tells `wrote` of those that
/// are new. `failed` makes an error of what the database says.
pub(super) fn append<'e>(
    db: &mut Connection,
    entries: impl Iterator<Item = Result<(Sealing, Option<&'e LegalEvent>), LedgerError>>,
    mut chain: [u8; 32],
    at: Timestamp,
    failed: impl Fn(rusqlite::Error) -> LedgerError,
    mut wrote: impl FnMut(Appended<'_>),
) -> Result<(), LedgerError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    {
        let mut known = transaction.prepare("SELECT 1 FROM legal_events WHERE digest = ?1").map_err(&failed)?;
        let sql = "INSERT INTO legal_events (digest, chain, known_at, event, sealed) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = transaction.prepare(sql).map_err(&failed)?;
        let known_at = at.to_string();
        for entry in entries {
            let ((stored, sealed), event) = entry?;
            let (text, digest) = stored.seal();
            if known.exists(params![digest]).map_err(&failed)? {
                continue;
            }
            chain = link(&chain, &digest, &known_at);
            insert.execute(params![digest, chain, known_at, text, sealed]).map_err(&failed)?;
            let seq = transaction.last_insert_rowid().unsigned_abs();
            wrote(Appended { seq, chain, stored: &stored, event });
        }
    }
    transaction.commit().map_err(failed)
}
