//! What is to be told of the files of a night.
//!
//! Invariant: names of files and numbers only.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::crm::FileFacts;

/// What is to be told of the files.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The pipeline asks for notes, and there is no file tonight.
    pub(super) no_notes: bool,
    /// Files of notes that are passed over.
    pub(super) notes_passed: u64,
    /// See [`Doubtful`].
    pub(super) doubtful: Vec<Doubtful>,
    /// The newest date of change in the rows of each table, but notes that are read later.
    pub(super) cursors: BTreeMap<String, Timestamp>,
}

/// The newest date of change of all files of each table.
pub(super) fn cursors(files: &[FileFacts]) -> BTreeMap<String, Timestamp> {
    let mut cursors = BTreeMap::new();
    for (table, at) in files.iter().filter_map(|file| Some((file.table, file.cursor?))) {
        let cursor = cursors.entry(table.to_owned()).or_insert(at);
        *cursor = at.max(*cursor);
    }
    cursors
}

/// A file with lines of UTF-8 that is read, as a whole or in its other lines, in another encoding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Doubtful {
    /// As dead letters call it.
    pub file: String,
    /// Lines that look like UTF-8.
    pub lines: u64,
    /// What the pipeline states; `None` = nothing, so those lines were read as UTF-8.
    pub stated: Option<String>,
}

impl Doubtful {
    /// Tells what is doubtful of the files.
    pub(super) fn of(files: &[FileFacts]) -> Vec<Self> {
        // One file may be read as two tables.
        let all: BTreeSet<Self> = files.iter().filter(|file| file.utf8_lines > 0).map(Self::file).collect();
        for doubtful in &all {
            tracing::warn!("{}", doubtful.what());
        }
        all.into_iter().collect()
    }

    fn file(file: &FileFacts) -> Self {
        let stated = (!file.reads_each_line()).then(|| file.encoding.to_owned());
        Self { file: file.name.clone(), lines: file.utf8_lines, stated }
    }

    /// What was seen.
    #[must_use]
    pub fn what(&self) -> String {
        let Self { file, lines, stated } = self;
        match stated {
            Some(encoding) => {
                format!(
                    "{lines} line(s) of {file} look like UTF-8 and were read as {encoding}: their umlauts are damaged"
                )
            }
            None => format!("{lines} line(s) of {file} are UTF-8 and others are not: each line was read as what it is"),
        }
    }

    /// What to do.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        if self.stated.is_some() {
            "Leave `encoding` out of the pipeline, or state `utf-8` if the whole file is"
        } else {
            "Have the export written in one encoding; values that were stored damaged stay so"
        }
    }
}
