//! What a snapshot's manifest says and readers obey, as the log commits to it.
//!
//! Invariant: what a rewriting changes (counts, notes, hashes of tables) is not part of it: that is announced anew.

use serde_json::Value;

use crate::ids::Ids;

/// The name of the fact in a leaf.
pub const FACT: &str = "manifest";
/// What changes when rows are taken out.
const CHANGING: [&str; 3] = ["summary", "rewritten", "snapshot"];

/// The keyed hash of a manifest: controller, policy, purpose, times, settings of the fusion, and whatever else stands in
/// it for good.
#[must_use]
pub fn commitment(ids: &Ids, manifest: &Value) -> String {
    let mut fixed = manifest.as_object().cloned().unwrap_or_default();
    fixed.retain(|key, _| !CHANGING.contains(&key.as_str()));
    ids.commitment("manifest", Value::Object(fixed).to_string().as_bytes())
}
