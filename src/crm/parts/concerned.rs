//! Who must be worked on, because their rows are not what they were the last time.
//!
//! Invariant: whoever is not concerned reads exactly as the last time: no row of theirs is new, gone or other, nor one of a
//! colleague, of a record merged with theirs, or of somebody with whom they share an address, or shared one.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::book;
use super::graph::Graph;
use super::prints::{Print, Prints};
use super::read;
use crate::crm::{CrmError, CrmPull, CsvSource, FileFacts};

/// 16 bytes of what the tables have of somebody, or of a dead letter.
pub type Tag = [u8; 16];

/// What is known beforehand.
pub struct Known<'a> {
    /// Keys all hashes: the same every night.
    pub key: &'a [u8; 32],
    /// Whether a company is concerned for other reasons, by its record id.
    pub company: &'a dyn Fn(&str) -> bool,
    /// Whether a contact without a company is, by their record id.
    pub contact: &'a dyn Fn(&str) -> bool,
    /// Leaves out who was erased: nobody is taken for them.
    pub without_erased: &'a dyn Fn(CrmPull) -> CrmPull,
    /// Whether somebody was erased under that record id.
    pub is_erased: &'a dyn Fn(&str) -> bool,
    /// What the tables call somebody, by their record id.
    pub subject: &'a dyn Fn(&str) -> Tag,
    /// What dead letters call a row that is about nobody, by its digest.
    pub row: &'a dyn Fn(&[u8; 32]) -> [Tag; 2],
}

/// What was kept the last time, and what was told then.
pub struct Before<'a> {
    /// The file that [`TonightsRows::read`] wrote.
    pub path: &'a Path,
    /// Of whom a dead letter names file and line.
    pub told: &'a HashSet<Tag>,
    /// Dead letters that are about nobody, by their row.
    pub letters: &'a HashSet<Tag>,
}

/// What the exports have tonight, about everybody.
#[derive(Debug)]
pub struct TonightsRows {
    /// The files that were read.
    pub files: Vec<FileFacts>,
    /// What the next night needs of it.
    pub path: PathBuf,
    /// The SHA-256 of that file, lower-case hex.
    pub sha256: String,
    graph: Graph,
    by_names: bool,
}

/// Who is concerned, and what of the last time stands no longer.
#[derive(Debug)]
pub struct Found {
    /// Who is.
    pub concerned: Concerned,
    /// Whose rows of the last time are other ones now, or gone.
    pub changed: Vec<Tag>,
    /// Dead letters of the last time that are about a row of a company; `true` = that company is concerned.
    pub letters: HashMap<Tag, bool>,
}

impl TonightsRows {
    /// Reads all tables of a source, and writes what the next night needs into a folder that nobody else uses; relative paths
    /// start at `base`.
    ///
    /// # Errors
    /// A file that cannot be read, or a disk that refuses.
    pub fn read(source: &CsvSource, base: &Path, known: &Known<'_>, folder: &Path) -> Result<Self, CrmError> {
        let read::Read { graph, files, work, by_names } = read::all(source, base, known, folder)?;
        let (path, sha256) = book::write(&graph, work, folder)?;
        Ok(Self { files, path, sha256, graph, by_names })
    }

    /// Holds it against what was kept the last time.
    ///
    /// # Errors
    /// What was kept cannot be read.
    pub fn against(self, before: &Before<'_>) -> Result<Found, CrmError> {
        let mut graph = self.graph;
        let book::Changed { subjects, letters } = book::hold_against(&mut graph, before)?;
        if self.by_names {
            graph.records.is.fill(true);
            graph.companies.is.fill(true);
        }
        graph.spread();
        let letters = letters.into_iter().map(|(tag, company)| (tag, graph.companies.is[company as usize]));
        let letters = letters.collect();
        Ok(Found { concerned: graph.finish(), changed: subjects, letters })
    }
}

/// Who is concerned.
#[derive(Debug)]
pub struct Concerned {
    pub(super) prints: Prints,
    /// Whether each record that is somebody's is concerned.
    pub(super) records: HashMap<Print, bool>,
    /// Whether each company that is one is.
    pub(super) companies: HashMap<Print, bool>,
    /// What identifies somebody who is concerned, and somebody else who is not.
    pub(super) outside: HashSet<Print>,
    pub(super) contacts: u64,
}

impl Concerned {
    /// How many records of contacts are concerned.
    #[must_use]
    pub const fn contacts(&self) -> u64 {
        self.contacts
    }

    /// Whether a contact is concerned, by their record id.
    #[must_use]
    pub fn contact(&self, record: &str) -> bool {
        self.records.get(&self.prints.print(record)).copied().unwrap_or(false)
    }

    /// Whether a company is, by its record id.
    #[must_use]
    pub fn company(&self, record: &str) -> bool {
        self.companies.get(&self.prints.print(record)).copied().unwrap_or(false)
    }

    /// Whether a row must be read that names a contact, or else a company: where they are concerned, or nobody knows them.
    #[must_use]
    pub fn row(&self, contact: Option<&str>, company: Option<&str>) -> bool {
        let is = match (contact, company) {
            (Some(record), _) => self.records.get(&self.prints.print(record)),
            (None, Some(record)) => self.companies.get(&self.prints.print(record)),
            (None, None) => None,
        };
        is.copied().unwrap_or(true)
    }
}
