//! Whether the parts of a home are of one moment: a file that was put back from a backup must not undo an erasure or an
//! objection.
//!
//! Invariant: what another part is held against is read before that part, so a process that writes meanwhile looks
//! newer, never older.

use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Home, HomeError};
use crate::audit::LogReader;
use crate::consent::ledger::Ledger;
use crate::keys::Vault;
use crate::run::files::write_atomically;

/// How many people were erased, outside the vault: they must never become fewer.
pub(super) const ERASURES: &str = "erasures";
/// As many of the log's newest entries are asked where the ledger stood.
const ENTRIES: u64 = 256;

/// What is known of erasures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Erasures {
    /// Destroyed keys.
    forgotten: usize,
    /// Identifiers that are kept out.
    suppressed: usize,
}

/// What the other parts say that vault and ledger must hold.
#[derive(Debug, Default)]
pub(super) struct Expected {
    erasures: Erasures,
    /// The last entry of the ledger.
    head: u64,
    /// The ledger's newest note.
    note: Option<String>,
}

impl Expected {
    /// Reads them.
    pub(super) fn read(home: &Home) -> Result<Self, HomeError> {
        let path = home.path().join(ERASURES);
        let text = std::fs::read(&path).map_err(|source| HomeError::reading(&path, source))?;
        let erasures = serde_json::from_slice(&text).map_err(|_| HomeError::Damaged { path })?;
        let mut expected = Self { erasures, ..Self::default() };
        // A log that cannot be read is told by those who need it.
        let Ok(log) = LogReader::open(&home.audit_place()) else { return Ok(expected) };
        let newest = log.size().saturating_sub(ENTRIES)..log.size();
        let _unreadable = log.each(newest, &mut |_, leaf| {
            expected.head = expected.head.max(leaf.ledger.unwrap_or(0));
            let note = leaf.facts.get("ledger").and_then(|note| note.as_str());
            expected.note = note.map(str::to_owned).or(expected.note.take());
            ControlFlow::Continue(())
        });
        Ok(expected)
    }

    /// Holds vault and ledger against them.
    pub(super) fn check(&self, home: &Home, vault: &Vault, ledger: &Ledger) -> Result<(), HomeError> {
        let older = |part: &str, than| Err(HomeError::Older { path: home.path().join(part), than });
        let kept = Erasures::of(vault);
        if kept.forgotten < self.erasures.forgotten || kept.suppressed < self.erasures.suppressed {
            return older("keys/vault.sqlite", "the last erasure");
        }
        if ledger.view().head() < self.head || self.note.as_ref().is_some_and(|note| !ledger.view().has_been(note)) {
            return older("ledger.sqlite", "the audit log");
        }
        Ok(())
    }
}

impl Erasures {
    fn of(vault: &Vault) -> Self {
        Self { forgotten: vault.forgotten().len(), suppressed: vault.suppressed().len() }
    }
}

/// Notes what the vault knows of erasures.
///
/// # Errors
/// Not writable.
pub(crate) fn note_erasures(home: &Path, vault: &Vault) -> Result<(), HomeError> {
    let path = home.join(ERASURES);
    let text = serde_json::to_vec(&Erasures::of(vault)).expect("plain data");
    write_atomically(&path, &text).map_err(|source| HomeError::Io { path, source })
}
