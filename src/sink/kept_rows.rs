//! What is kept beside the current snapshot of the rows that it was made of: `HOME/<pipeline>/rows=<run id>`.
//!
//! Invariant: there is one file a pipeline at most, that of the current snapshot; it comes before `current` names the snapshot
//! and goes with it, and an erasure or a sweep takes all of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rustix::process::{Pid, test_kill_process};

use super::snapshot::{WORK_CRM, hash_file};
use super::{SinkError, Snapshot, SnapshotWriter, home};

/// What the names of these files begin with.
const PREFIX: &str = "rows=";

/// Where that of a snapshot lies, if there is one.
#[must_use]
pub fn rows_path(snapshot: &Snapshot) -> PathBuf {
    snapshot.folder().with_file_name(format!("{PREFIX}{}", snapshot.run_id()))
}

/// Its SHA-256, lower-case hex; `None` = there is none that can be read.
#[must_use]
pub fn rows_hash(snapshot: &Snapshot) -> Option<String> {
    hash_file(&rows_path(snapshot)).ok().map(|hash| HEXLOWER.encode(&hash))
}

/// All of a home.
///
/// # Errors
/// The folders cannot be read.
pub fn all_rows(home: &Path) -> Result<Vec<PathBuf>, SinkError> {
    let mut all = Vec::new();
    for name in home::sub_dirs(home)? {
        if home::check_name("pipeline name", &name).is_ok() {
            all.extend(rows_in(&home.join(name))?);
        }
    }
    Ok(all)
}

/// Removes all of a home: the next run of each pipeline works on everybody. The caller holds the home's lock.
///
/// # Errors
/// A folder cannot be read, or a file cannot be removed.
pub fn forget_rows(home: &Path) -> Result<(), SinkError> {
    all_rows(home)?.iter().try_for_each(|path| remove(path))?;
    // What a run that was killed left of it; one that goes on has its own still.
    let work = home.join(".work");
    for name in home::sub_dirs(&work)? {
        let process = name.strip_prefix(WORK_CRM).and_then(|rest| rest.strip_suffix("-rows")?.parse().ok());
        if process.and_then(Pid::from_raw).is_some_and(|process| test_kill_process(process).is_err()) {
            home::remove_dir(&work.join(name))?;
        }
    }
    Ok(())
}

impl SnapshotWriter {
    /// Gives the file of what is kept of the rows that the snapshot was made of; without one the last one's goes.
    #[must_use]
    pub fn keep_rows(mut self, file: Option<PathBuf>) -> Self {
        self.rows_file = file;
        self
    }

    /// Puts it beside the snapshot, before that is named.
    pub(super) fn put_rows(&self, folder: &Path) -> Result<(), SinkError> {
        let Some(file) = &self.rows_file else { return Ok(()) };
        home::rename(file, &folder.join(format!("{PREFIX}{}", self.run)))?;
        home::sync_dir(folder)
    }

    /// Removes those of other runs.
    pub(super) fn drop_rows(&self, folder: &Path) -> Result<(), SinkError> {
        let own = self.rows_file.as_ref().map(|_| folder.join(format!("{PREFIX}{}", self.run)));
        rows_in(folder)?.iter().filter(|path| Some(*path) != own.as_ref()).try_for_each(|path| remove(path))
    }
}

fn remove(path: &Path) -> Result<(), SinkError> {
    crate::run::files::overwrite_and_remove(path).map_err(SinkError::io("remove", path))
}

fn rows_in(folder: &Path) -> Result<Vec<PathBuf>, SinkError> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(SinkError::io("read", folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(SinkError::io("read", folder))?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
