//! One mistake in a file a person wrote: where it is, what it is, what would be right.
//!
//! Invariant: lines and columns are 1-based, columns count code points; a message never repeats a value
//! that may be a secret.

use std::fmt;

use serde::Serialize;

/// A place in a document: both 1-based, the column in code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column in code points.
    pub column: usize,
}

impl Position {
    /// The first character of a document.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place of the byte at `offset` in `text`, which must be a character boundary.
    pub(crate) fn of_offset(text: &str, offset: usize) -> Self {
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but see to this.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One mistake. `Display` is the line that tools and editors parse: `FILE:LINE:COL: error: message, help`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The file as the user named it.
    pub file: String,
    /// 1-based line.
    pub line: usize,
    /// 1-based column in code points.
    pub column: usize,
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// What is wrong: lower case, no period, one line.
    pub message: String,
    /// What would be right, for instance `did you mean "name"?`.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place in a file.
    pub fn error(file: &str, at: Position, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: at.line,
            column: at.column,
            severity: Severity::Error,
            message: one_line(&message.into()),
            help: None,
        }
    }

    /// A warning at a place in a file.
    pub fn warning(file: &str, at: Position, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(file, at, message) }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn with_help(self, help: Option<impl Into<String>>) -> Self {
        Self { help: help.map(|h| one_line(&h.into())), ..self }
    }

    /// The same, elsewhere.
    pub(crate) fn moved(self, to: impl Fn(Position) -> Position) -> Self {
        let Position { line, column } = to(self.position());
        Self { line, column, ..self }
    }

    /// Where it is.
    pub const fn position(&self) -> Position {
        Position { line: self.line, column: self.column }
    }

    /// Whether the file cannot be used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, severity, message, help } = self;
        write!(f, "{file}:{line}:{column}: {severity}: {message}")?;
        help.as_ref().map_or(Ok(()), |help| write!(f, ", {help}"))
    }
}

/// Sorts by file, line and column, as [`crate::config::validate_paths`] promises.
pub(crate) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        (&a.file, a.line, a.column, a.severity, &a.message).cmp(&(&b.file, b.line, b.column, b.severity, &b.message))
    });
}

/// Control characters would let a file break out of its line in a terminal or a log.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `did you mean "x"?` for the known name nearest to `given`, if one is near enough to be meant.
pub(crate) fn did_you_mean<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(given, known).map(|name| format!("did you mean {name:?}?"))
}

/// The known name nearest to `given`; ties go to the first in `known`.
pub(crate) fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let fold = |s: &str| s.to_lowercase().replace(['-', ' '], "_");
    let given = fold(given);
    if given.chars().count() > 80 {
        return None;
    }
    let scored = known.into_iter().map(|name| (distance(&given, &fold(name)), name));
    let (edits, name) = scored.min_by_key(|(edits, _)| *edits)?;
    let longest = given.chars().count().max(name.chars().count());
    (edits <= (longest / 3).max(1) && edits < longest).then_some(name)
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substituted = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substituted.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_a_swap_once() {
        for (a, b, edits) in [("", "", 0), ("", "ab", 2), ("nmae", "name", 1), ("sorces", "sources", 1), ("é", "e", 1)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn only_near_names_are_suggested() {
        let known = ["name", "network", "output"];
        assert_eq!(nearest("Nmae", known), Some("name"));
        assert_eq!(nearest("net-work", known), Some("network"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest("x", known), None);
    }

    #[test]
    fn a_message_stays_on_its_line() {
        let d = Diagnostic::error("a.yaml", Position::START, "found \u{1b}[31m\n x").with_help(Some("try y"));
        assert_eq!(d.to_string(), "a.yaml:1:1: error: found  [31m  x, try y");
    }
}
