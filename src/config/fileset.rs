//! A set of input files of one kind.
//!
//! Invariant: wildcards stand in the file name only, so that a set lies in one folder; the files come sorted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::raw::crm::{DateOrder, Decimal, Delimiter, Encoding};

/// Files of one kind in one folder.
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

    /// The folder that holds the files.
    pub fn folder(&self) -> &Path {
        folder_of(&self.pattern)
    }

    /// Whether the path stands for any number of files: a folder that is there, or a pattern in one.
    pub fn is_of_any_number(&self) -> bool {
        let name = self.pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        self.pattern.is_dir() || (has_wildcard(name) && self.folder().is_dir())
    }

    /// The files that are there now, sorted by name; none if nothing matches.
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

/// The regular files that match a pattern with wildcards in its file name, or lie in a folder, sorted.
pub(super) fn matching(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(name) = pattern.file_name().and_then(|n| n.to_str()) else { return Ok(Vec::new()) };
    let (folder, name) = match name {
        _ if pattern.is_dir() => (pattern, "*"),
        one if !has_wildcard(one) => {
            return Ok(if pattern.is_file() { vec![pattern.to_owned()] } else { Vec::new() });
        }
        several => (folder_of(pattern), several),
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.file_name().and_then(|n| n.to_str()).is_some_and(|n| fits(name, n)) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a text has `*` or `?`.
pub(super) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether a file name fits a pattern with `*` (any run of characters) and `?` (one). Names that start with a dot fit
/// only patterns that do. Linear in pattern times name.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // The last star and how much of the name it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == '?' || *c == name[n]) {
            p += 1;
            n += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            n = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_fit_like_a_shell() {
        for (pattern, name, expected) in [
            ("contacts*.csv", "contacts.csv", true),
            ("contacts*.csv", "contacts-de.csv", true),
            ("contacts*.csv", "contacts.csv.bak", false),
            ("c?.csv", "cä.csv", true),
            ("c?.csv", "c.csv", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("*", ".hidden", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

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
