//! Where reports are kept: `HOME/reports/<pipeline>/<run id>.json` and `.html`, as long as the run's snapshot.

use std::io;
use std::path::{Path, PathBuf};

use super::{Report, html, warnings};
use crate::consent::policy::Policy;
use crate::run::files::{private_dir, write_atomically};
use crate::sink::{self, SinkError, Snapshot};

/// Why a report cannot be kept or read. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The system said no.
    #[error("{path}: cannot be read or written: check free space and permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The tables.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// There is nothing to tell of.
    #[error("the pipeline {pipeline} has no snapshot yet: run it first")]
    None {
        /// The pipeline.
        pipeline: String,
    },
    /// It is no report of this version.
    #[error("{path} is no report of this version: the next run writes a new one")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

fn folder(home: &Path, pipeline: &str) -> PathBuf {
    home.join("reports").join(pipeline)
}

/// Makes and keeps the report of a pipeline's current snapshot; tells where the page is.
///
/// # Errors
/// A snapshot cannot be read, or the report not written.
pub fn make(home: &Path, pipeline: &str, policy: &Policy) -> Result<PathBuf, ReportError> {
    let mut kept = sink::snapshots(home, pipeline)?;
    let Some(snapshot) = sink::current(home, pipeline)? else {
        return Err(ReportError::None { pipeline: pipeline.to_owned() });
    };
    kept.retain(|s| s != &snapshot);
    let before = kept.last();
    let mut report = Report::of(&snapshot, before, policy)?;
    if let (Some(change), Some(before)) = (&mut report.change, before) {
        change.taken_out = taken_out(home, pipeline, before, change.personas_before);
        report.warnings = warnings::warnings(&report);
    }
    keep(home, &report)
}

/// How many personas the report of a snapshot counts that it has no more.
fn taken_out(home: &Path, pipeline: &str, snapshot: &Snapshot, now: u64) -> u64 {
    // Without a report that can be read nothing disagrees.
    let told = read(home, pipeline, snapshot.run_id()).ok().flatten();
    told.map_or(0, |(told, _)| told.summary.counts.personas.saturating_sub(now))
}

/// Writes a report as JSON and as a page, and drops those whose snapshots are gone; tells where the page is.
///
/// # Errors
/// Not writable.
pub fn keep(home: &Path, report: &Report) -> Result<PathBuf, ReportError> {
    let (pipeline, run) = (report.summary.pipeline.as_str(), report.summary.run_id.as_deref().unwrap_or("run"));
    let folder = folder(home, pipeline);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Io { path, source }
    };
    private_dir(&home.join("reports")).map_err(io(&folder))?;
    private_dir(&folder).map_err(io(&folder))?;
    let (json, page) = (folder.join(format!("{run}.json")), folder.join(format!("{run}.html")));
    write_atomically(&json, report.to_json().as_bytes()).map_err(io(&json))?;
    write_atomically(&page, html(report).as_bytes()).map_err(io(&page))?;
    let kept = sink::snapshots(home, pipeline)?;
    for file in std::fs::read_dir(&folder).map_err(io(&folder))?.flatten() {
        let path = file.path();
        let is_kept = path.file_stem().is_some_and(|stem| kept.iter().any(|s| stem == s.run_id()));
        if !is_kept {
            std::fs::remove_file(&path).map_err(io(&path))?;
        }
    }
    Ok(page)
}

/// The report of a run, with its page; `None` = none was kept.
///
/// # Errors
/// Unreadable, or of another version.
pub fn read(home: &Path, pipeline: &str, run: &str) -> Result<Option<(Report, PathBuf)>, ReportError> {
    let path = folder(home, pipeline).join(format!("{run}.json"));
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ReportError::Io { path, source }),
    };
    let report = serde_json::from_slice(&text).map_err(|_| ReportError::Damaged { path: path.clone() })?;
    Ok(Some((report, path.with_extension("html"))))
}

/// The report of the current snapshot.
///
/// # Errors
/// Unreadable, or of another version.
pub fn newest(home: &Path, pipeline: &str) -> Result<Option<(Report, PathBuf)>, ReportError> {
    let current = sink::current(home, pipeline).ok().flatten();
    current.map_or(Ok(None), |snapshot| read(home, pipeline, snapshot.run_id()))
}
