//! `OpenLineage`: what a run read and wrote, told to a data catalogue as run events.
//!
//! Invariant: names of files and tables, columns and counts; nothing from inside a row. A file that cannot be written
//! never stops a run.

mod event;
#[cfg(test)]
mod published;
#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use jiff::Timestamp;

pub use event::{Begun, End, Event};

/// Tells of one run.
#[derive(Debug)]
pub struct Lineage {
    to: Option<PathBuf>,
    begun: Begun,
}

impl Lineage {
    /// The run has begun, or goes on where it was stopped.
    #[must_use]
    pub fn begin(to: Option<PathBuf>, begun: Begun) -> Self {
        let lineage = Self::of(to, begun);
        lineage.emit(|| Event::begin(&lineage.begun));
        lineage
    }

    /// A run whose beginning was told before.
    #[must_use]
    pub const fn of(to: Option<PathBuf>, begun: Begun) -> Self {
        Self { to, begun }
    }

    /// The run has ended.
    pub fn end(self, end: &End, at: Timestamp) {
        self.emit(|| Event::end(&self.begun, end, at));
    }

    fn emit(&self, event: impl FnOnce() -> Event) {
        let Some(path) = &self.to else { return };
        let line = format!("{}\n", event().as_json());
        // One write a line: events of two runs do not mix.
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut f| f.write_all(line.as_bytes()));
        if let Err(error) = written {
            tracing::warn!("lineage: {}: {error}; the run goes on, and this event is lost", path.display());
        }
    }
}
