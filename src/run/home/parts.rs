//! Whether the parts of a home are of one moment: a file that was put back from a backup must not undo an erasure or an
//! objection.
//!
//! Invariant: what another part is held against is read before that part, so a process that writes meanwhile looks
//! newer, never older.

use std::fs::OpenOptions;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Home, HomeError};
use crate::audit::LogReader;
use crate::consent::ledger::Ledger;
use crate::keys::Vault;
use crate::run::files::write_atomically;

/// What vault and ledger must at least hold, outside of both: it only ever grows.
pub(super) const ANCHORS: &str = "anchors";
/// Held while it is written.
const LOCK: &str = ".anchors.lock";
/// As many of the log's newest entries are asked where the ledger stood, too.
const ENTRIES: u64 = 256;

/// What is known of vault and ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anchors {
    /// Destroyed keys.
    forgotten: u64,
    /// Identifiers that are kept out.
    suppressed: u64,
    /// Their digest; empty = of an older version.
    #[serde(default)]
    kept_out: String,
    /// How often rectifications and sealed copies were changed; 0 = of an older version.
    #[serde(default)]
    rights: u64,
    /// Where the ledger stood, as [`Ledger::note`] writes it.
    ledger: String,
}

/// What the other parts say that vault and ledger must hold.
#[derive(Debug, Default)]
pub(super) struct Expected {
    anchors: Anchors,
    /// The last entry of the ledger, by the log.
    head: u64,
    /// The ledger's newest note, by the log.
    note: Option<String>,
    /// How often rectifications and sealed copies were changed, by the log.
    rights: u64,
}

impl Expected {
    /// Reads them.
    pub(super) fn read(home: &Home) -> Result<Self, HomeError> {
        let mut expected = Self { anchors: Anchors::read(home.path())?, ..Self::default() };
        // A log that cannot be read is told by those who need it.
        let Ok(log) = LogReader::open(&home.audit_place()) else { return Ok(expected) };
        let newest = log.size().saturating_sub(ENTRIES)..log.size();
        let _unreadable = log.each(newest, &mut |_, leaf| {
            expected.head = expected.head.max(leaf.ledger.unwrap_or(0));
            let note = leaf.facts.get("ledger").and_then(|note| note.as_str());
            expected.note = note.map(str::to_owned).or(expected.note.take());
            let rights = leaf.facts.get("rights").and_then(serde_json::Value::as_u64);
            expected.rights = expected.rights.max(rights.unwrap_or(0));
            ControlFlow::Continue(())
        });
        Ok(expected)
    }

    /// Holds vault and ledger against them.
    pub(super) fn check(&self, home: &Home, vault: &Vault, ledger: &Ledger) -> Result<(), HomeError> {
        let older = |part: &str, than| Err(HomeError::Older { path: home.path().join(part), than });
        let (forgotten, suppressed) = vault.erased()?;
        if forgotten < self.anchors.forgotten || suppressed < self.anchors.suppressed {
            return older("keys/vault.sqlite", "the last erasure");
        }
        // With more of them than the anchors know of, an erasure goes on: `audit verify` asks the log, too.
        let is_told = vault.suppressed().len() as u64 == self.anchors.suppressed && !self.anchors.kept_out.is_empty();
        if is_told && vault.kept_out() != Some(&self.anchors.kept_out) {
            let what = "the list of those who are kept out was changed, so somebody who was erased could come back";
            return Err(HomeError::Changed { path: home.path().join("keys/vault.sqlite"), what });
        }
        if vault.rights_note()?.map_or(0, |note| note.changes) < self.anchors.rights.max(self.rights) {
            return older("keys/vault.sqlite", "the last rectification or restriction");
        }
        let mut behind = ledger.view().head() < self.head;
        for note in self.note.iter().chain(Some(&self.anchors.ledger).filter(|note| !note.is_empty())) {
            behind |= !ledger.has_been(note)?;
        }
        if behind { older("ledger.sqlite", "the last event that came in") } else { Ok(()) }
    }
}

impl Anchors {
    fn read(home: &Path) -> Result<Self, HomeError> {
        let path = home.join(ANCHORS);
        let text = std::fs::read(&path).map_err(|source| HomeError::reading(&path, source))?;
        serde_json::from_slice(&text).map_err(|_| HomeError::Damaged { path })
    }

    /// The number of the ledger's last entry in a note.
    fn head(note: &str) -> u64 {
        note.split_once(' ').and_then(|(head, _)| head.parse().ok()).unwrap_or(0)
    }
}

/// Notes what vault and ledger hold now. Other processes may do the same: the greater counts.
///
/// # Errors
/// Not writable, or the vault cannot be read.
pub(crate) fn note_parts(home: &Path, vault: &Vault, ledger: &Ledger) -> Result<(), HomeError> {
    let (path, lock) = (home.join(ANCHORS), home.join(LOCK));
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| HomeError::Io { path, source }
    };
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&lock).map_err(io(&lock))?;
    file.lock().map_err(io(&lock))?;
    let before = if path.exists() { Anchors::read(home)? } else { Anchors::default() };
    let ((forgotten, suppressed), note) = (vault.erased()?, ledger.note());
    // Of what another process has added meanwhile, that process tells the digest.
    let knows_all = suppressed == vault.suppressed().len() as u64 && suppressed >= before.suppressed;
    let kept_out = vault.kept_out().filter(|_| knows_all).map(str::to_owned);
    let after = Anchors {
        forgotten: forgotten.max(before.forgotten),
        suppressed: if knows_all { suppressed } else { before.suppressed },
        kept_out: kept_out.unwrap_or(before.kept_out.clone()),
        rights: vault.rights_note()?.map_or(0, |note| note.changes).max(before.rights),
        ledger: if Anchors::head(&note) >= Anchors::head(&before.ledger) { note } else { before.ledger.clone() },
    };
    if after == before {
        return Ok(());
    }
    let text = serde_json::to_vec(&after).expect("plain data");
    write_atomically(&path, &text).map_err(io(&path))
}
