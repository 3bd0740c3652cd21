//! The keys of encrypted tables that this process holds, by home.
//!
//! Invariant: a key enters when its home's vault is opened and is never printed; snapshots of a home whose tables are
//! not encrypted never look here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

use super::{KEY_BYTES, TableKeys};
use crate::config::Encryption;

static RING: Mutex<BTreeMap<PathBuf, Zeroizing<[u8; KEY_BYTES]>>> = Mutex::new(BTreeMap::new());

/// Holds the key of a home's tables, so that its snapshots can be read and written.
///
/// # Panics
/// Never: no holder of the lock panics.
pub fn hold_key(home: &Path, key: &[u8; KEY_BYTES]) {
    RING.lock().expect("no holder panics").insert(home.to_owned(), Zeroizing::new(*key));
}

/// The keys for a way of encrypting in a home; `None` = in clear, or the key is not held.
///
/// # Panics
/// Never: no holder of the lock panics.
#[must_use]
pub fn held_keys(folder: &Path, encryption: Encryption) -> Option<Arc<TableKeys>> {
    let ring = RING.lock().expect("no holder panics");
    let (_, key) = ring.iter().find(|(home, _)| folder.starts_with(home))?;
    match encryption {
        Encryption::None => None,
        Encryption::Uniform => Some(Arc::new(TableKeys::uniform(**key))),
        Encryption::ByCategory => Some(Arc::new(TableKeys::by_category(**key))),
    }
}

/// The keys of a snapshot's folder, by what its manifest says.
pub(super) fn of_snapshot(folder: &Path) -> Option<Arc<TableKeys>> {
    let is_held = RING.lock().expect("no holder panics").keys().any(|home| folder.starts_with(home));
    if !is_held {
        return None;
    }
    let text = std::fs::read_to_string(folder.join(super::published::MANIFEST)).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
    held_keys(folder, serde_json::from_value(manifest["encryption"].clone()).unwrap_or_default())
}
