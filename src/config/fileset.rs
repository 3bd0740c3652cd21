//! A set of input files of one kind.
//!
//! Invariant: the files come in the order of reading, as the connector finds them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::raw::crm::{DateOrder, Decimal, Delimiter, Encoding};
use crate::crm::find::{find, fixed};

/// Files of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSet {
    pub(super) pattern: PathBuf,
    /// How bytes become text.
    pub encoding: Encoding,
    /// What stands between two fields.
    pub delimiter: Delimiter,
    /// What a date with slashes means.
    pub date_order: DateOrder,
    /// What separates whole numbers from fractions.
    pub decimal: Decimal,
    /// Field name to header, for the columns that the pipeline names.
    pub columns: BTreeMap<String, String>,
    /// Headers that say nothing against processing, though they look as if they did.
    pub ignored: Vec<String>,
}

impl FileSet {
    /// The path as it was resolved, with its wildcards.
    pub fn pattern(&self) -> &Path {
        &self.pattern
    }

    /// Whether the path stands for any number of files: a folder that is there, or a pattern in one.
    pub fn is_of_any_number(&self) -> bool {
        self.pattern.is_dir() || (fixed(&self.pattern) != self.pattern && fixed(&self.pattern).is_dir())
    }

    /// The files that are there now, in the order of reading; none if nothing matches.
    ///
    /// # Errors
    /// The folder cannot be read (an absent one is not an error).
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        matching(&self.pattern)
    }
}

/// The folder part of a pattern.
pub(super) fn folder_of(pattern: &Path) -> &Path {
    match pattern.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The regular files that match a pattern, or lie in a folder or below it, in the order of reading.
pub(super) fn matching(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(text) = pattern.to_str() else { return Ok(Vec::new()) };
    find(Path::new(""), text).map(|found| found.files)
}

/// The same; what stands in the place of a file is an error, for a no may be in it.
pub(super) fn all_matching(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(text) = pattern.to_str() else { return Ok(Vec::new()) };
    let found = find(Path::new(""), text)?;
    match found.strange {
        Some((path, what)) => Err(io::Error::other(format!("{} {what}", path.display()))),
        None => Ok(found.files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_sorted_and_absent_folders_are_empty() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        for name in ["b.csv", "a.csv", "c.txt"] {
            std::fs::write(folder.path().join(name), "").expect("a file for the test");
        }
        let found = matching(&folder.path().join("*.csv")).expect("the folder is readable");
        assert_eq!(found, [folder.path().join("a.csv"), folder.path().join("b.csv")]);
        assert_eq!(matching(&folder.path().join("none/*.csv")).expect("an absent folder is empty"), [] as [&Path; 0]);
    }
}
