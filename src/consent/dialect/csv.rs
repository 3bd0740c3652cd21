//! CSV files of consents: where their header is, and their rows as records.
//!
//! Invariant: each time that rows are asked for they are the same; one that is no record is told, and no content of it.

use std::sync::Arc;

use serde_json::Value;

use super::input::{InputError, unread};
use super::list::told_in;
use super::record::{Place, Problem, Record, Unit};
use super::whose;
use crate::consent::event::EventKind;

/// So many lines are looked through for the header.
const HEAD: usize = 20;

/// How many lines stand above the header, such as a title, and the delimiter.
fn head(text: &str) -> (usize, u8) {
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).take(HEAD);
    let count = |line: &str, delimiter: u8| line.bytes().filter(|b| *b == delimiter).count();
    // What separates cells stands in most lines as often as in others; of two, the one that the first line has more of.
    let regular = |delimiter: &u8| {
        let counts: Vec<usize> = lines().map(|(_, line)| count(line, *delimiter)).filter(|n| *n > 0).collect();
        let alike = counts.iter().map(|n| counts.iter().filter(|other| *other == n).count()).max().unwrap_or(0);
        (alike, counts.first().copied().unwrap_or(0))
    };
    let delimiter = [b'|', b'\t', b';', b','].into_iter().max_by_key(regular).unwrap_or(b',');
    let cells = |line: &str| count(line, delimiter) + 1;
    // Cells that have something: a title has one or two of many, the header one for each column.
    let filled = |line: &str| line.split(delimiter as char).filter(|c| !c.trim().trim_matches('"').is_empty()).count();
    let (first, header) = lines().next().map_or((0, ""), |(at, line)| (at, line));
    let next = lines().skip(1).map(|(_, line)| filled(line)).max().unwrap_or(0);
    let is_title = |line: &str| next > 2 && filled(line) < 3 && (filled(line) * 2 <= cells(line) || cells(line) == 1);
    if !is_title(header) {
        return (first, delimiter);
    }
    (lines().find(|(_, line)| !is_title(line)).map_or(first, |(at, _)| at), delimiter)
}

/// A CSV file whose records are made of its text each time they are asked for: of a million rows they take ten times the space.
pub(super) struct Csv {
    file: Arc<str>,
    text: String,
    /// Lines above the header.
    above: usize,
    delimiter: u8,
    header: Vec<String>,
}

/// More digits than letters, as names of columns never have: `K-00000017`.
fn is_id(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    digits > 1 && digits > cell.chars().filter(|c| c.is_alphabetic()).count()
}

/// `withdraw`, `abgemeldet`: names of columns, too, where no id stands beside them.
fn says_no(cell: &str) -> bool {
    EventKind::read(cell).is_some_and(EventKind::is_negative) || told_in(cell).is_some()
}

impl Csv {
    /// Reads the header line.
    ///
    /// # Errors
    /// It cannot be one.
    pub fn open(name: &str, text: String) -> Result<Self, InputError> {
        let fail = |problem: String| InputError::Header { file: name.to_owned(), problem };
        let (above, delimiter) = head(&text);
        let mut csv = Self { file: Arc::from(name), text, above, delimiter, header: Vec::new() };
        let unreadable = |_| fail("the header line cannot be read: export it again".to_owned());
        csv.header = csv.reader().headers().map_err(unreadable)?.iter().map(|h| h.trim().to_owned()).collect();
        let is_address =
            |cell: &String| cell.contains('@') && !cell.contains(char::is_whitespace) && !cell.contains("@OData");
        if csv.header.iter().any(is_address) {
            return Err(fail(
                "the first line holds an address: write a line with the names of the columns above it".to_owned(),
            ));
        }
        if csv.header.iter().any(|cell| is_id(cell)) && csv.header.iter().any(|cell| says_no(cell)) {
            return Err(fail(
                "the first line holds somebody's id and a no: write a line with the names of the columns above it"
                    .to_owned(),
            ));
        }
        for (i, column) in csv.header.iter().enumerate() {
            if !column.is_empty() && csv.header[..i].contains(column) {
                // By number: where a file has no header, its first row would be told.
                return Err(fail(format!("column {} has the name of an earlier one; remove one of the two", i + 1)));
            }
        }
        Ok(csv)
    }

    fn reader(&self) -> ::csv::Reader<&[u8]> {
        let above: usize = self.text.split_inclusive('\n').take(self.above).map(str::len).sum();
        ::csv::ReaderBuilder::new().delimiter(self.delimiter).flexible(true).from_reader(&self.text.as_bytes()[above..])
    }

    /// Calls `take` with each record, and `tell` with each line that is none.
    pub fn each(&self, take: &mut dyn FnMut(Record), tell: &mut dyn FnMut(Problem)) {
        let (header, delimiter) = (&self.header, self.delimiter as char);
        let mut reader = self.reader();
        // What a report writes below its rows: told only where rows follow.
        let mut footers = Vec::new();
        for row in reader.records() {
            let line = self.above as u64
                + match &row {
                    Ok(row) => row.position().map_or(0, ::csv::Position::line),
                    Err(e) => e.position().map_or(0, ::csv::Position::line),
                };
            let at = Place { file: Arc::clone(&self.file), unit: Unit::Line, number: line };
            let Ok(row) = row else {
                tell(unread(at, "unreadable_line", "cannot be read; export it again"));
                continue;
            };
            let surplus = row.iter().skip(header.len()).any(|c| !c.trim().is_empty());
            if row.len() < header.len() || surplus {
                let advice = format!(
                    "has {} cells where the header has {}; quote the cell that holds a delimiter",
                    row.len(),
                    header.len()
                );
                let problem = Problem { may_be: whose::keys_of(row.iter()), ..unread(at, "ragged_row", advice) };
                let is_remark = row.iter().all(|cell| !cell.contains('@') && !cell.contains(delimiter));
                if row.len() == 1 && header.len() > 2 && is_remark && !whose::says_no(&row[0]) {
                    footers.push(problem);
                } else {
                    tell(problem);
                }
                continue;
            }
            footers.drain(..).for_each(&mut *tell);
            let cells = header.iter().zip(&row).filter(|(name, _)| !name.is_empty());
            let fields = cells.map(|(name, cell)| (name.clone(), Value::String(cell.to_owned()))).collect();
            take(Record { at, hint: None, fields });
        }
        // They may be about somebody.
        for problem in footers {
            tell(Problem { reason: whose::BELOW, ..problem });
        }
    }
}
