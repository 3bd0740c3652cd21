//! `OpenLineage`: what a run read and wrote, told to a data catalogue as run events.
//!
//! Invariant: names of files and tables, columns and counts; nothing from inside a row. The file has every event, whether or
//! not a catalogue took it. A file that cannot be written, or a catalogue that is not there, never stops a run.

mod event;
#[cfg(test)]
mod published;
#[cfg(test)]
mod schema_tests;
mod send;
#[cfg(test)]
mod send_tests;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use jiff::Timestamp;

pub use event::{Begun, End, Event};
pub use send::Catalogue;
use send::Sender;

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct To {
    /// The file to which each is added.
    pub file: PathBuf,
    /// Who is sent them, too.
    pub catalogue: Option<Catalogue>,
}

/// Tells of runs.
#[derive(Debug)]
pub struct Lineage {
    file: Option<PathBuf>,
    sender: Option<Sender>,
}

impl Lineage {
    /// Nothing is told yet; `None` = nothing ever is.
    #[must_use]
    pub fn to(to: Option<To>) -> Self {
        let Some(to) = to else { return Self { file: None, sender: None } };
        let sender = to.catalogue.and_then(|catalogue| {
            let warn =
                |why: &String| tracing::warn!("lineage: {why}; the catalogue is told nothing, the file has all events");
            catalogue.start().inspect_err(warn).ok()
        });
        Self { file: Some(to.file), sender }
    }

    /// The run has begun, or goes on where it was killed.
    pub fn begin(&self, begun: &Begun) {
        self.emit(|| Event::begin(begun));
    }

    /// The run has ended.
    pub fn end(&self, begun: &Begun, end: &End, at: Timestamp) {
        self.emit(|| Event::end(begun, end, at));
    }

    /// Waits for a slow catalogue, for a while at most.
    pub fn close(self) {
        if let Some(what) = self.sender.and_then(Sender::end) {
            tracing::warn!(
                "lineage: the catalogue of output.lineage_to {what}; the file has all events, the run is as it is"
            );
        }
    }

    fn emit(&self, event: impl FnOnce() -> Event) {
        let Some(path) = &self.file else { return };
        let mut line = event().as_json().to_string();
        if let Some(sender) = &self.sender {
            sender.send(line.clone());
        }
        line.push('\n');
        // One write a line: events of two runs do not mix.
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut f| f.write_all(line.as_bytes()));
        if let Err(error) = written {
            tracing::warn!("lineage: {}: {error}; the run goes on, and this event is not in the file", path.display());
        }
    }
}
