//! The ledger's checkpoint: its head and its chain, kept in a file beside it and noted in the vault.
//!
//! Invariant: both lie outside the database, so a database that was rolled back or emptied is noticed; the vault's note
//! also tells of a database that was rolled back together with the file.

use std::fs::File;

use data_encoding::HEXLOWER;

use super::{Ledger, LedgerError};
use crate::keys::Vault;

/// A head and its chain.
pub(super) type Head = (u64, [u8; 32]);

impl Ledger {
    /// The head and the chain, as checkpoint, vault and log have them.
    #[must_use]
    pub fn note(&self) -> String {
        format!("{} {}", self.view.head, HEXLOWER.encode(&self.chain))
    }

    /// Entry and checkpoint change together, also beside another process.
    ///
    /// # Errors
    /// The lock file cannot be used.
    pub fn lock(&self) -> Result<Option<File>, LedgerError> {
        if self.checkpoint.as_os_str().is_empty() {
            return Ok(None);
        }
        let path = self.checkpoint.with_file_name(".ledger.lock");
        let io = |source| LedgerError::Checkpoint { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        crate::run::files::make_private(&path).map_err(io)?;
        file.lock().map_err(io)?;
        Ok(Some(file))
    }

    pub(super) fn noted(&self, vault: &Vault) -> Result<Option<Head>, LedgerError> {
        let damaged = || LedgerError::CheckpointDamaged { path: self.path.with_file_name("keys/vault.sqlite") };
        vault.ledger_note()?.map(|text| parse_note(&text).ok_or_else(damaged)).transpose()
    }

    pub(super) fn read_checkpoint(&self) -> Result<Option<Head>, LedgerError> {
        let text = match std::fs::read_to_string(&self.checkpoint) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LedgerError::Checkpoint { path: self.checkpoint.clone(), source }),
        };
        parse_note(text.trim())
            .map(Some)
            .ok_or_else(|| LedgerError::CheckpointDamaged { path: self.checkpoint.clone() })
    }

    pub(super) fn write_checkpoint(&self) -> Result<(), LedgerError> {
        if self.checkpoint.as_os_str().is_empty() {
            return Ok(());
        }
        let line = format!("{}\n", self.note());
        crate::run::files::write_atomically(&self.checkpoint, line.as_bytes())
            .map_err(|source| LedgerError::Checkpoint { path: self.checkpoint.clone(), source })
    }
}

/// A head and its chain in hex.
fn parse_note(text: &str) -> Option<Head> {
    let (count, chain) = text.split_once(' ')?;
    Some((count.parse().ok()?, HEXLOWER.decode(chain.as_bytes()).ok()?.try_into().ok()?))
}
