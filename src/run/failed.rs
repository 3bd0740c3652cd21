//! The mark of a night that failed, for whoever looks at the home in the morning.
//!
//! Invariant: it is of the newest run: one that ends well takes it away. It holds nothing of what stands in the exports. It is a
//! help and no record: where it cannot be written, the run's own error says enough.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// A cause, as far as it can hold nothing of an export: what the system, the database or the log says. What libraries say of
/// files that they could not read may quote them.
pub(super) fn in_our_words(cause: &(dyn Error + 'static)) -> Option<String> {
    let of_system = |error: &io::Error| {
        // One that did not come from the system may have any text.
        let code = error.raw_os_error().map(io::Error::from_raw_os_error);
        code.map_or_else(|| error.kind().to_string(), |error| error.to_string())
    };
    let of_database = |error: &rusqlite::Error| match error.sqlite_error() {
        Some(error) => error.to_string(),
        None => "the database holds what this version of the program does not write".to_owned(),
    };
    let system = cause.downcast_ref().or_else(|| cause.downcast_ref::<Arc<io::Error>>().map(AsRef::as_ref));
    let database = cause.downcast_ref().or_else(|| cause.downcast_ref::<Arc<rusqlite::Error>>().map(AsRef::as_ref));
    let log = cause.downcast_ref().or_else(|| cause.downcast_ref::<Arc<prosopon_tlog::Error>>().map(AsRef::as_ref));
    let log = log.map(prosopon_tlog::Error::to_string);
    system.map(of_system).or_else(|| database.map(of_database)).or(log)
}

fn path(home: &Path, pipeline: &str) -> PathBuf {
    home.join(pipeline).join("failed.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditError;
    use crate::blocks::BlockError;
    use crate::crm::CrmError;
    use crate::run::journal::JournalError;

    #[test]
    fn the_causes_are_told_and_nothing_of_an_export() {
        let path = || PathBuf::from("there");
        let full = || io::Error::from_raw_os_error(28);
        let busy = || rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(5), Some("Erika".into()));
        let quoted = || io::Error::other("Erika");
        let log = prosopon_tlog::Error::DiskFull { path: "tile".into(), source: full() };
        let cases: [(RunError, &[&str]); 8] = [
            (CrmError::Read { path: path(), source: full() }.into(), &["cannot read there: ", "(os error 28)"]),
            (CrmError::Read { path: path(), source: quoted() }.into(), &["cannot read there: other error"]),
            (BlockError { action: "write", path: path(), source: full() }.into(), &["there", "(os error 28)"]),
            (JournalError::Database { path: path(), source: busy() }.into(), &["there", ": Error code 5: "]),
            (
                AuditError::Payloads { path: path(), source: Arc::new(busy()) }.into(),
                &["the sealed payloads in there", ": Error code 5: "],
            ),
            (
                AuditError::Log { path: path(), source: Arc::new(log) }.into(),
                &["the audit log in there", ": disk full at tile: ", "(os error 28)"],
            ),
            (
                RunError::AfterPublishing(Box::new(
                    BlockError { action: "write", path: path(), source: full() }.into(),
                )),
                &["the tables of this run are published; what comes after that failed: ", "there", "(os error 28)"],
            ),
            (
                crate::sink::SinkError::Io { action: "write", path: path(), source: full() }.into(),
                &["cannot write there: ", "(os error 28)"],
            ),
        ];
        for (error, tells) in cases {
            let why = error.without_contents();
            let mut rest = why.as_str();
            for told in tells {
                let at = rest.find(told).unwrap_or_else(|| panic!("{told:?} is not in its place in {why:?}"));
                rest = &rest[at + told.len()..];
            }
            assert!(!why.contains("Erika") && why.matches("os error").count() <= 1, "{why}");
        }
    }
}
