//! Dead letters of the last night: which of them name a row that may stand elsewhere tonight.
//!
//! Invariant: of letters only keyed hashes are held.

use std::collections::{HashMap, HashSet};

use crate::crm::Tag;
use crate::ids::{Ids, commitment_bytes, subject_bytes};
use crate::sink::{self, SinkError, Snapshot, Table, Worked};

/// What the last night told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Of whom a letter names file and line.
    pub subjects: HashSet<Tag>,
    /// Letters that are about nobody, by what they call their row.
    pub rows: HashSet<Tag>,
}

impl Told {
    /// Reads the letters of a snapshot; `files` are the names of its files.
    pub fn of(before: &Snapshot, files: &HashSet<String>) -> Result<Self, SinkError> {
        let mut told = Self::default();
        for batch in sink::read_columns(before, Table::DeadLetters, &["subject_id", "row_commitment", "detail"])? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let is_of_file =
                    super::text(&batch, "detail", row).is_some_and(|detail| sink::names_file(detail, files));
                match super::text(&batch, "subject_id", row) {
                    Some(subject) => told.subjects.extend(subject_bytes(subject).filter(|_| is_of_file)),
                    None => told.rows.extend(super::text(&batch, "row_commitment", row).and_then(commitment_bytes)),
                }
            }
        }
        Ok(told)
    }

    /// Tells of letters that are about nobody, which of them are still true: `of_companies` says of whose row a letter is about
    /// that of a company whether that company was worked on.
    pub fn settle(&self, of_companies: &HashMap<Tag, bool>, ids: &Ids, worked: &mut Worked) {
        for (tag, is_concerned) in of_companies {
            let all = if *is_concerned { &mut worked.letters_gone } else { &mut worked.letters_kept };
            all.insert(*tag);
        }
        // What was not read of somebody was told without their name.
        let withheld = |subject: &String| ids.commitment_bytes("withheld", subject.as_bytes());
        if !self.rows.is_empty() {
            worked.letters_gone.extend(worked.subjects.iter().map(withheld).filter(|tag| self.rows.contains(tag)));
        }
    }
}
