//! Where the files of an export lie: patterns, folders with all that is below them, and the order of reading.
//!
//! Invariant: whatever a pattern means is read, told as passed over, or refused; links are followed to files alone, so every walk
//! ends.

use std::cmp::Ordering;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The files that a pattern means.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In the order of reading: by name, numbers in names by what they count.
    pub files: Vec<PathBuf>,
    /// Files and folders that are no exports by their names: `_SUCCESS`, `_delta_log`.
    pub passed: Vec<PathBuf>,
    /// What stands in the place of a file, and what it is.
    pub strange: Option<(PathBuf, &'static str)>,
}

/// Any number of folders.
const ANY: &str = "**";
/// How names of exports end; one of these is read whatever it begins with.
const EXPORTS: [&str; 8] = [".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xml"];

/// Finds the files of a pattern below `base`: `*` and `?` stand for characters of a name, `**` for any number of folders, and a
/// folder means all files in it and below it but hidden ones. Only the pattern may hold wildcards.
///
/// # Errors
/// A folder cannot be read; one that is not there has no files.
pub(crate) fn find(base: &Path, pattern: &str) -> io::Result<Found> {
    let mut found = Found::default();
    let parts: Vec<Component<'_>> = Path::new(pattern).components().collect();
    walk(base.to_owned(), &parts, &mut found)?;
    for all in [&mut found.files, &mut found.passed] {
        all.sort_by(|one, other| in_order(one, other));
        all.dedup();
    }
    Ok(found)
}

fn walk(mut at: PathBuf, parts: &[Component<'_>], found: &mut Found) -> io::Result<()> {
    let names: Vec<_> = parts.iter().map(|part| part.as_os_str().to_string_lossy()).collect();
    let Some(wild) = names.iter().position(|name| has_wildcard(name)) else {
        at.extend(parts);
        return match no_file(&at) {
            None => {
                found.files.push(at);
                Ok(())
            }
            Some(FOLDER) => below(&at, found),
            // That nothing is there is told by whoever needs it.
            Some(_) => Ok(()),
        };
    };
    at.extend(&parts[..wild]);
    let (name, rest) = (&names[wild], &parts[wild + 1..]);
    if name == ANY {
        if rest.is_empty() {
            return if at.is_dir() { below(&at, found) } else { Ok(()) };
        }
        walk(at.clone(), rest, found)?;
    }
    // A pattern alone is one of the folder that the program runs in.
    let here = if at.as_os_str().is_empty() { Path::new(".") } else { &at };
    let entries = match std::fs::read_dir(here) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let path = at.join(entry.file_name());
        if !matches(name, &entry.file_name().to_string_lossy()) {
            continue;
        }
        // A pattern that names no beginning means what a folder means.
        let is_open = name.starts_with(['*', '?']) && name != ANY;
        if is_open && rest.is_empty() && is_passed(&path, found) {
            continue;
        }
        match no_file(&path) {
            Some(FOLDER) if name == ANY && is_passed(&path, found) => {}
            // Links are not followed there, so that a loop of them ends.
            Some(FOLDER) if name == ANY && path.is_symlink() => found.is_strange(path, LINK),
            Some(FOLDER) if name == ANY => walk(path, &parts[wild..], found)?,
            Some(FOLDER) if rest.is_empty() => below(&path, found)?,
            Some(FOLDER) => walk(path, rest, found)?,
            _ if name == ANY || !rest.is_empty() => {}
            None => found.files.push(path),
            Some(what) => found.is_strange(path, what),
        }
    }
    Ok(())
}

/// All files of a folder and of those in it.
fn below(folder: &Path, found: &mut Found) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = folder.join(entry?.file_name());
        if is_passed(&path, found) {
            continue;
        }
        match no_file(&path) {
            None => found.files.push(path),
            Some(FOLDER) if path.is_symlink() => found.is_strange(path, LINK),
            Some(FOLDER) => below(&path, found)?,
            Some(what) => found.is_strange(path, what),
        }
    }
    Ok(())
}

/// Whether what lies in a folder is none of its exports: hidden, or a mark of the program that wrote them.
fn is_passed(path: &Path, found: &mut Found) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_export = EXPORTS.iter().any(|end| name.to_lowercase().ends_with(end)) && !path.is_dir();
    let is_mark = name.starts_with('_') && !is_export;
    if is_mark {
        found.passed.push(path.to_owned());
    }
    is_mark || name.starts_with('.')
}

impl Found {
    /// Notes the first in the order of names, so that a message does not hang on that of a folder.
    fn is_strange(&mut self, path: PathBuf, what: &'static str) {
        if self.strange.as_ref().is_none_or(|(first, _)| path < *first) {
            self.strange = Some((path, what));
        }
    }
}

pub(super) const FOLDER: &str = "is a folder";
const LINK: &str = "is a link to a folder, which is not followed";

/// What stands there in the place of a file.
pub(crate) fn no_file(path: &Path) -> Option<&'static str> {
    match path.metadata() {
        Ok(there) if there.is_file() => None,
        Ok(there) if there.is_dir() => Some(FOLDER),
        Ok(_) => Some("is no regular file"),
        Err(_) if path.is_symlink() => Some("is a link to what is not there"),
        Err(_) => Some("is not there"),
    }
}

/// Whether a text has `*` or `?`.
pub(crate) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// The folder in which all files of a pattern lie, by its name alone: what stands before the first part with a wildcard.
pub(crate) fn fixed(pattern: &Path) -> &Path {
    let is_wild = |path: &Path| path.components().any(|part| has_wildcard(&part.as_os_str().to_string_lossy()));
    pattern.ancestors().find(|path| !is_wild(path)).unwrap_or(Path::new(""))
}

/// Whether a pattern may mean files below a folder, by the names alone.
pub(crate) fn reaches(pattern: &Path, folder: &Path) -> bool {
    fn fit(pattern: &[String], folder: &[String]) -> bool {
        match (pattern, folder) {
            // A folder means all that is below it; and a pattern that goes deeper may end there.
            ([], _) | (_, []) => true,
            ([any, ..], _) if any == ANY => true,
            ([name, pattern @ ..], [there, folder @ ..]) => {
                (name == there || has_wildcard(name) && matches(name, there)) && fit(pattern, folder)
            }
        }
    }
    let names = |path: &Path| -> Vec<String> {
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    fit(&names(pattern), &names(folder))
}

/// The order of reading: the files of a folder before those of folders in it, so that changes may lie in folders beside the export that
/// they change; else folder by folder and name by name, numbers by what they count, so that `changes-10` comes behind
/// `changes-9`.
pub(crate) fn in_order(one: &Path, other: &Path) -> Ordering {
    let names = |path: &Path| -> Vec<String> {
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (ones, others) = (names(one), names(other));
    let differs = ones.iter().zip(&others).position(|(one, other)| by_numbers(one, other).is_ne());
    let Some(at) = differs else { return ones.len().cmp(&others.len()).then_with(|| one.cmp(other)) };
    match (at + 1 == ones.len(), at + 1 == others.len()) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => by_numbers(&ones[at], &others[at]),
    }
}

fn by_numbers(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let (digits, others) = (digits(one), digits(other));
        let order = if digits.is_empty() || others.is_empty() {
            match (one.chars().next(), other.chars().next()) {
                (None, None) => return Ordering::Equal,
                (first, second) if first == second => {
                    let length = first.map_or(0, char::len_utf8);
                    (one, other) = (&one[length..], &other[length..]);
                    continue;
                }
                (first, second) => first.cmp(&second),
            }
        } else {
            let [count, counts] = [digits, others].map(|number| number.trim_start_matches('0'));
            (one, other) = (&one[digits.len()..], &other[others.len()..]);
            count.len().cmp(&counts.len()).then_with(|| count.cmp(counts))
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

/// Whether a name fits a pattern of `*` (any characters) and `?` (one); hidden files need a leading dot.
fn matches(pattern: &str, name: &str) -> bool {
    fn fits(p: &[char], n: &[char]) -> bool {
        // The last `*` and where it began: on a mismatch it swallows one more, so the cost stays quadratic.
        let (mut i, mut j, mut star) = (0, 0, None);
        while j < n.len() {
            if i < p.len() && p[i] == '*' {
                star = Some((i, j));
                i += 1;
            } else if i < p.len() && (p[i] == '?' || p[i] == n[j]) {
                i += 1;
                j += 1;
            } else if let Some((si, sj)) = star {
                star = Some((si, sj + 1));
                i = si + 1;
                j = sj + 1;
            } else {
                return false;
            }
        }
        p[i..].iter().all(|c| *c == '*')
    }
    let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    (n.first() != Some(&'.') || p.first() == Some(&'.')) && fits(&p, &n)
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
