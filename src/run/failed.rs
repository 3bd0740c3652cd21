//! The mark of a night that failed, for whoever looks at the home in the morning.
//!
//! Invariant: it is of the newest run: one that ends well takes it away. It holds nothing of what stands in the exports. It is a
//! help and no record: where it cannot be written, the run's own error says enough.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::run::engine::RunError;
use crate::run::files::{private_dir, write_atomically};

/// Why the newest run of a pipeline published nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Failed {
    /// When it ended.
    pub at: Timestamp,
    /// The error.
    pub why: String,
}

/// Leaves the mark in a home that is there, unless somebody stopped the run, or another one was at work.
pub(super) fn note(home: &Path, pipeline: &str, error: &RunError, at: Timestamp) {
    if matches!(error, RunError::Cancelled | RunError::Lock(_)) || !home.join("home.json").exists() {
        return;
    }
    let failed = serde_json::to_vec(&Failed { at, why: error.without_contents() }).expect("plain data");
    let path = path(home, pipeline);
    let _ = private_dir(path.parent().unwrap_or(home)).and_then(|()| write_atomically(&path, &failed));
}

/// Takes the mark away.
pub(super) fn clear(home: &Path, pipeline: &str) {
    let _ = std::fs::remove_file(path(home, pipeline));
}

/// The pipelines of a home that have one, sorted.
#[must_use]
pub fn pipelines(home: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(home).into_iter().flatten().flatten();
    let names = folders.filter_map(|folder| folder.file_name().into_string().ok());
    let mut all: Vec<String> = names.filter(|name| path(home, name).exists()).collect();
    all.sort();
    all
}

/// The mark, where there is one that can be read.
#[must_use]
pub fn of(home: &Path, pipeline: &str) -> Option<Failed> {
    serde_json::from_slice(&std::fs::read(path(home, pipeline)).ok()?).ok()
}

fn path(home: &Path, pipeline: &str) -> PathBuf {
    home.join(pipeline).join("failed.json")
}
