//! Reading on after a syntax error, so that one unclosed quote does not hide the other mistakes of a file.
//!
//! Invariant: a syntax error is told once, at the line that is to blame; the value there is taken out and nothing
//! more is said about it. Where that does not help, reading ends with what has been told.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Diagnostic, Position};
use super::tree::{MAX_BYTES, Reading, Tree, read};

/// After so many syntax errors a file is not worth reading on.
const MAX_ERRORS: usize = 20;

/// Reads one document; mistakes in its form are told, and what can be read is in the tree. `None` where nothing can.
pub(crate) fn parse(source: &str, file: &str) -> (Option<Tree>, Vec<Diagnostic>) {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    if source.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, at most {MAX_BYTES} are read", source.len());
        return (None, vec![Diagnostic::error(file, Position::START, message)]);
    }
    let mut patched =
        Patched { file, lines: lines_of(source), broken: BTreeSet::new(), told: Vec::new(), moved: BTreeMap::new() };
    let mut reading = read(source, file, &patched.broken);
    if reading.syntax.is_some() && patched.replace_tabs() {
        reading = patched.read();
    }
    while let Some((at, reason)) = reading.syntax.take() {
        if patched.told.len() == MAX_ERRORS || !patched.patch(at, &reason) {
            break;
        }
        reading = patched.read();
    }
    let back = |at: Position| patched.in_source(at);
    let mut diagnostics = patched.told.clone();
    if reading.root.is_some() || diagnostics.is_empty() {
        diagnostics.extend(reading.diagnostics.into_iter().map(|d| d.moved(back)));
    }
    let tree = reading.root.map(|mut root| {
        root.move_places(&back);
        Tree { root }
    });
    (tree, diagnostics)
}

/// A source in lines, of which some have been mended.
struct Patched<'f> {
    file: &'f str,
    lines: Vec<String>,
    broken: BTreeSet<usize>,
    told: Vec<Diagnostic>,
    /// Lines with another indentation than in the source, and by how many columns they moved to the right.
    moved: BTreeMap<usize, isize>,
}

/// What is to blame for a syntax error.
struct Blame {
    at: Position,
    message: String,
    help: Option<&'static str>,
    /// The line's indentation is wrong, its text is not.
    indentation: bool,
}

impl Patched<'_> {
    fn read(&self) -> Reading {
        read(&self.lines.join("\n"), self.file, &self.broken)
    }

    /// Gives a line another indentation.
    fn indent(&mut self, index: usize, indent: usize) {
        let text = self.lines[index].trim_start().to_owned();
        let before = self.lines[index].chars().count() - text.chars().count();
        *self.moved.entry(index + 1).or_default() += indent.cast_signed() - before.cast_signed();
        self.lines[index] = format!("{}{text}", " ".repeat(indent));
    }

    /// The place in the source of a place in the mended lines.
    fn in_source(&self, at: Position) -> Position {
        let moved = self.moved.get(&at.line).copied().unwrap_or(0);
        Position { column: at.column.saturating_add_signed(-moved).max(1), ..at }
    }

    /// Tells tabs in the indentation, once for lines in a row, and puts spaces; whether there were any.
    fn replace_tabs(&mut self) -> bool {
        // The line before, its tabs, and the indentation that the first line of the row was given with how many tabs.
        let mut row: Option<(usize, usize, usize)> = None;
        for index in 0..self.lines.len() {
            let text = self.lines[index].trim_start();
            let indent = &self.lines[index][..self.lines[index].len() - text.len()];
            let tabs = indent.matches('\t').count();
            if tabs == 0 || text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (base, first) = match row {
                Some((last, base, first)) if last + 1 == index => (base, first),
                _ => {
                    let column = indent.find('\t').unwrap_or(0) + 1;
                    let at = Position { line: index + 1, column };
                    let told = Diagnostic::error(self.file, at, "a tab in the indentation, YAML wants spaces");
                    self.told.push(told);
                    (self.usual_indent(index), tabs)
                }
            };
            row = Some((index, base, first));
            self.indent(index, (base + 2 * tabs).saturating_sub(2 * first));
        }
        row.is_some()
    }

    /// The indentation that a line most likely should have, by the line before it.
    fn usual_indent(&self, index: usize) -> usize {
        let Some(above) = self.before(index) else { return 0 };
        let text = self.lines[above].split(" #").next().unwrap_or_default().trim_end();
        indent_of(&self.lines[above]) + if text.ends_with(':') { 2 } else { 0 }
    }

    /// Tells a syntax error and mends the line that is to blame; false where that cannot help.
    fn patch(&mut self, at: Position, reason: &str) -> bool {
        let mut blame = self.blame(at, reason);
        blame.at = self.in_source(blame.at);
        let index = blame.at.line - 1;
        if self.told.iter().any(|d| d.line == blame.at.line) {
            // The first try did not help: take the line out.
            let again = self.lines.get(index).is_some_and(|line| !line.trim().is_empty());
            if again {
                self.lines[index].clear();
            }
            return again;
        }
        self.told.push(Diagnostic::error(self.file, blame.at, blame.message).with_help(blame.help));
        if self.lines.get(index).is_none() {
            return false;
        }
        if blame.indentation {
            let indent = self.before(index).map_or(0, |above| indent_of(&self.lines[above]));
            self.indent(index, indent);
            return true;
        }
        self.broken.insert(blame.at.line);
        self.lines[index] = without_value(&self.lines[index]);
        let indent = indent_of(&self.lines[index]);
        for line in (index + 1)..(at.line - 1).max(index + 1) {
            if indent_of(&self.lines[line]) > indent {
                self.lines[line].clear();
            }
        }
        true
    }

    /// The line with text before another one.
    fn before(&self, index: usize) -> Option<usize> {
        (0..index).rev().find(|at| {
            let text = self.lines[*at].trim();
            !text.is_empty() && !text.starts_with('#')
        })
    }

    /// Finds the line that is to blame; parsers name the line where they noticed.
    fn blame(&self, at: Position, reason: &str) -> Blame {
        let index = (at.line - 1).min(self.lines.len().saturating_sub(1));
        if reason.contains("flow") || reason.contains("':' indicator") || reason.contains("bracket") {
            let open = (0..=index).rev().find_map(|at| unclosed(&self.lines[at]).map(|column| (at, column)));
            if let Some((line, column)) = open.filter(|(line, _)| index - line <= 200) {
                let at = Position { line: line + 1, column };
                return plain(at, "this bracket is not closed", None);
            }
        }
        if let Some(blame) = self.blame_for_colon(at, index, reason) {
            return blame;
        }
        if reason.contains("did not find expected key") {
            let at = Position { line: index + 1, column: indent_of(&self.lines[index]) + 1 };
            return misindented(at, "the indentation of this line fits none of the lines before");
        }
        if reason.contains("simple key expected") {
            return plain(at, "expected \"key: value\", found no colon", None);
        }
        let special = reason.contains("unexpected character") || reason.contains("anchor or alias");
        plain(at, &format!("not YAML: {reason}"), special.then_some("put the value in quotes"))
    }

    /// A colon that the parser did not expect: it belongs to the next key, or the line is indented wrongly.
    fn blame_for_colon(&self, at: Position, index: usize, reason: &str) -> Option<Blame> {
        if !reason.contains("mapping values are not allowed") && !reason.contains("document start") {
            return None;
        }
        let above = self.before(index);
        if let Some(blame) = above.and_then(|above| self.without_colon(above)) {
            return Some(blame);
        }
        let two = self.lines[index].matches(": ").count() > 1;
        let indent = |at: usize| indent_of(&self.lines[at]);
        if above.is_some_and(|above| indent(above) < indent(index)) && !two {
            let at = Position { line: index + 1, column: indent(index) + 1 };
            return Some(misindented(
                at,
                "this line is indented deeper than the one before, which has a value already",
            ));
        }
        two.then(|| plain(at, "a second \": \" in one line", Some("put the value in quotes")))
    }

    /// A line that is neither `key: value` nor a list item, for want of a colon or of the space after it.
    fn without_colon(&self, index: usize) -> Option<Blame> {
        let line = &self.lines[index];
        let text = line.trim();
        if text.starts_with('-') || text.contains(": ") || text.ends_with(':') || self.broken.contains(&(index + 1)) {
            return None;
        }
        let at = |byte: usize| Position { line: index + 1, column: line[..byte].chars().count() + 1 };
        let start = line.len() - line.trim_start().len();
        let (at, message, help) = match text.find(':') {
            Some(colon) => (at(start + colon), "no space after the colon", "write \"key: value\""),
            None => (at(start), "expected \"key: value\", found no colon", "did you forget it?"),
        };
        Some(Blame { at, message: message.to_owned(), help: Some(help), indentation: false })
    }
}

fn plain(at: Position, message: &str, help: Option<&'static str>) -> Blame {
    Blame { at, message: message.to_owned(), help, indentation: false }
}

fn misindented(at: Position, message: &str) -> Blame {
    Blame { at, message: message.to_owned(), help: None, indentation: true }
}

fn lines_of(source: &str) -> Vec<String> {
    source.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned()).collect()
}

/// Leading spaces.
fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The line with its key only, or empty where it has none.
fn without_value(line: &str) -> String {
    let text = line.trim_start();
    let (dash, text) = text.strip_prefix("- ").map_or(("", text), |rest| ("- ", rest.trim_start()));
    let key: String = text.chars().take_while(|c| c.is_alphanumeric() || "_-".contains(*c)).collect();
    if key.is_empty() { String::new() } else { format!("{}{dash}{key}:", " ".repeat(indent_of(line))) }
}

/// The column of the first bracket that is not closed in its line; quotes and comments are left out.
fn unclosed(line: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut before = ' ';
    for (column, c) in line.chars().enumerate() {
        if quote.is_some() {
            quote = quote.filter(|q| *q != c);
        } else {
            match c {
                '"' | '\'' if !before.is_alphanumeric() => quote = Some(c),
                '#' if before.is_whitespace() => break,
                '[' | '{' => open.push(column + 1),
                ']' | '}' => drop(open.pop()),
                _ => {}
            }
        }
        before = c;
    }
    open.first().copied()
}
