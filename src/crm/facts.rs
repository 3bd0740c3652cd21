//! What is known of a file that was read.
//!
//! Invariant: nothing of its rows.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{CrmError, encodings, files};

/// What one file was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// `contacts`, `accounts`, `consents` or `notes`.
    pub table: &'static str,
    /// Where it lies.
    pub path: PathBuf,
    /// How dead letters call it.
    pub name: String,
    /// Of the raw bytes, lower-case hex.
    pub sha256: String,
    /// Rows with content, the header not counted, dead ones included.
    pub rows: u64,
    /// `CSV`, `JSON` or `Parquet`.
    pub format: &'static str,
    /// As it was read, for instance `UTF-8`.
    pub encoding: &'static str,
    /// Lines that look like UTF-8, where `encoding` is another one; in a file of both, they were read as UTF-8.
    pub utf8_lines: u64,
    /// As it was read, of CSV.
    pub delimiter: Option<char>,
    /// Fields that have a column, sorted; one that was there the night before and is missing now is worth a warning.
    pub fields: Vec<String>,
    /// Headers that stand for no field, in their order.
    pub unused: Vec<String>,
    /// The newest date of change of its rows that is not of the future; `None` = none has one.
    pub cursor: Option<Timestamp>,
}

impl FileFacts {
    /// Hashes the file once more, after it was read: it may have been replaced meanwhile.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn hash_again(&mut self) -> Result<(), CrmError> {
        self.sha256 = files::survey(&self.path, None)?.sha256;
        Ok(())
    }

    /// Whether some of its lines were read as UTF-8 and the others as what they are.
    #[must_use]
    pub fn reads_each_line(&self) -> bool {
        self.encoding == encodings::BOTH
    }

    /// What is alike in the same file with the same content.
    #[must_use]
    pub fn content(&self) -> (&str, &Path, &str) {
        (self.table, &self.path, &self.sha256)
    }
}
