//! What can go wrong with the tables, told with the path and with what to do.
//!
//! Invariant: no message holds a value of a row; a column, a row number or a path at most.

use std::io;
use std::path::{Path, PathBuf};

use super::Table;

/// A failure of the sink; the run stops and `current` is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The disk said no.
    #[error("cannot {action} {}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// What was tried, for instance `create folder`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A Parquet file could not be written or read.
    #[error("cannot {action} {}: {}; {}", path.display(), parquet_says(source), parquet_remedy(source))]
    Parquet {
        /// `write` or `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the Parquet library said.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Columns did not fit the schema, a bug of the sink.
    #[error("rows of table {table} do not fit its schema: {source}")]
    Encode {
        /// The table.
        table: Table,
        /// What Arrow said.
        #[source]
        source: arrow_schema::ArrowError,
    },
    /// A number outside its range, a bug of whoever made the row.
    #[error("table {table}, column {column}: value {row} of the batch is not in {range}")]
    Range {
        /// The table.
        table: Table,
        /// The column.
        column: String,
        /// Zero-based place among the column's values in the batch that was handed over.
        row: usize,
        /// What is allowed.
        range: &'static str,
    },
    /// Rows came in the wrong order, a bug of whoever made them.
    #[error("rows of table {table} must come sorted by {key}; row {row} of the batch does not")]
    Unsorted {
        /// The table.
        table: Table,
        /// The sort key.
        key: &'static str,
        /// Zero-based row in the batch that was handed over.
        row: usize,
    },
    /// Rows came after the table was closed, a bug of whoever made them.
    #[error("table {table} of the snapshot is closed; rows must come before anybody is left out of it")]
    Closed {
        /// The table.
        table: Table,
    },
    /// An encrypted file and no key.
    #[error("{} is encrypted and no key was given: give the key of the tables (`output.encryption` of the pipeline)", path.display())]
    KeyMissing {
        /// The file.
        path: PathBuf,
    },
    /// An encrypted column and no key for its kind of data.
    #[error("{}: column {column} is encrypted and its key was not given: ask for it, or leave the column out", path.display())]
    ColumnKeyMissing {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// An encrypted file and another key.
    #[error("{} is encrypted with another key than the one given: give the key that was in use when it was written", path.display())]
    KeyWrong {
        /// The file.
        path: PathBuf,
    },
    /// A stored value is not what the column promises.
    #[error("{}: column {column} holds a value that version {} of the tables does not know; was it written by another version", path.display(), super::SCHEMA_VERSION)]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A folder name that cannot be one.
    #[error("{name:?} cannot be a {what}; it must match [a-z][a-z0-9_-]{{0,63}}")]
    Name {
        /// `pipeline name` or `run id`.
        what: &'static str,
        /// What was given.
        name: String,
    },
    /// The run was published before.
    #[error("{} is published already; a run id is used once, start a new run", path.display())]
    Published {
        /// Its folder.
        path: PathBuf,
    },
    /// `current` does not name a snapshot.
    #[error("{} does not name a whole snapshot; run the pipeline again, or write `snapshot=RUN_ID` of a folder beside it into it", path.display())]
    Current {
        /// The file.
        path: PathBuf,
    },
    /// No such table.
    #[error(
        "there is no table {given:?}{hint}; tables are personas, evidence, accounts, buying_centers, decisions, documents, dead_letters, runs"
    )]
    UnknownTable {
        /// What was given.
        given: String,
        /// `, did you mean ...`, or empty.
        hint: String,
    },
    /// A column list names no column.
    #[error("table {table} has no column {given:?}{hint}; its columns are {known}")]
    UnknownColumn {
        /// The table.
        table: Table,
        /// What was given.
        given: String,
        /// `, did you mean ...`, or empty.
        hint: String,
        /// All names.
        known: String,
    },
    /// A filter that cannot be understood.
    #[error("filter, column {column}: {message}\n  {filter}\n  {:>width$}", "^", width = column)]
    Filter {
        /// One-based, in characters.
        column: usize,
        /// What is wrong, and how it would be right.
        message: String,
        /// The filter, on one line.
        filter: String,
    },
    /// The reader of the output went away or is full.
    #[error("cannot write the output: {source}")]
    Output {
        /// What the system said; `BrokenPipe` is no failure for a command line.
        #[source]
        source: io::Error,
    },
}

impl SinkError {
    /// Wraps an I/O error with what was tried on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Wraps a Parquet error with the path.
    pub(crate) fn parquet(action: &'static str, path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet { action, path, source }
    }

    /// Wraps an error of writing to the caller's output.
    pub(crate) fn output(source: io::Error) -> Self {
        Self::Output { source }
    }
}

/// What the operator can do about a disk error.
fn remedy(e: &io::Error) -> &'static str {
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free disk space or choose another home, then run the same command again"
        }
        io::ErrorKind::PermissionDenied => "the home must belong to the user that runs prosopon (chown, chmod 700)",
        io::ErrorKind::ReadOnlyFilesystem => "the home must be on a writable disk",
        io::ErrorKind::NotFound => "check the home (output.home or --out)",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "a file is in the way, move it",
        _ => "nothing was published; when the disk is well again, run the same command again",
    }
}

/// Before the name of a compression that tables do not have.
const PACKED: &str = "packed by another program: ";

/// A table in a compression that prosopon does not write.
pub(super) fn packed_by_others(codec: parquet::basic::Compression) -> parquet::errors::ParquetError {
    // With its level in brackets.
    let codec = codec.to_string().to_lowercase();
    parquet::errors::ParquetError::General(format!("{PACKED}{}", codec.split('(').next().unwrap_or_default()))
}

/// What the Parquet library said.
pub(crate) fn parquet_says(e: &parquet::errors::ParquetError) -> String {
    let text = e.to_string();
    match text.split_once(PACKED) {
        Some((_, codec)) => format!("it is compressed with {codec}, which prosopon does not write"),
        None => text,
    }
}

/// The same, where the Parquet library wrapped the disk error.
fn parquet_remedy(e: &parquet::errors::ParquetError) -> &'static str {
    if let parquet::errors::ParquetError::External(inner) = e
        && let Some(io) = inner.downcast_ref::<io::Error>()
    {
        return remedy(io);
    }
    // It gives the text alone of what it could not write to.
    if e.to_string().contains(PACKED) {
        return "another program has written it over the table; run `prosopon audit verify`, and restore it or take another snapshot";
    }
    if e.to_string().contains("No space left on device") {
        return remedy(&io::Error::from(io::ErrorKind::StorageFull));
    }
    "the file is damaged or was not written by prosopon; take another snapshot or run the pipeline again"
}

/// `, did you mean X` for the nearest of `known`, or nothing where none is near.
pub(crate) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let limit = (given.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|k| (distance(&given.to_lowercase(), k), k))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map_or_else(String::new, |(_, k)| format!(", did you mean {k}"))
}

/// Levenshtein distance over characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_what_to_do() {
        let e = SinkError::io("write", Path::new("/home/x/part-0.parquet"))(io::ErrorKind::StorageFull.into());
        let text = e.to_string();
        assert!(text.contains("part-0.parquet") && text.contains("free disk space"), "{text}");
        let wrapped = parquet::errors::ParquetError::from(io::Error::from(io::ErrorKind::StorageFull));
        let text = SinkError::parquet("write", Path::new("/home/x/part-0.parquet"))(wrapped).to_string();
        assert!(text.contains("part-0.parquet") && text.contains("free disk space"), "{text}");
    }

    #[test]
    fn a_table_that_another_program_packed_is_told_so() {
        let codec = packed_by_others(parquet::basic::Compression::SNAPPY);
        let text = SinkError::parquet("read", Path::new("/home/x/part-0.parquet"))(codec).to_string();
        assert!(text.contains("compressed with snappy") && text.contains("another program"), "{text}");
        assert!(!text.contains(PACKED), "{text}");
    }

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("senority", ["seniority", "as_of"]), ", did you mean seniority");
        assert_eq!(did_you_mean("zzz", ["seniority", "as_of"]), "");
    }
}
