//! Rows of one CSV export, one at a time, in bounded memory.
//!
//! Invariant: every line with content gives exactly one item, a row of the header's width or a dead letter.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv_core::{ReadRecordResult, ReaderBuilder};
use encoding_rs::Encoding;

use super::columns::{Layout, Table};
use super::damaged::{self, Damage, Rest, has_swallowed, swallows};
use super::delimiter::{find_delimiter, stated_delimiter};
use super::files::Text;
use super::headers::normal;
use super::passed;
use super::rows::{Export, MAX_CELL, MAX_COLUMNS, MAX_ROW, Read, Row, check, dead};
use super::{CrmDeadLetter, CrmError, FileFacts, FileSet, Origin, Unit};

/// So many lines may stand above that of the headers.
const MOST_ABOVE: usize = 20;
/// So much is kept of each cell of a row that is too large, in bytes: it tells whose it is.
const MOST_KEPT: usize = 512;

/// Reads the rows of one file.
pub(super) struct RowReader {
    text: Text,
    core: csv_core::Reader,
    out: Vec<u8>,
    ends: Vec<usize>,
    file: Arc<str>,
    layout: Layout,
    /// The header as it is compared.
    keys: Vec<String>,
    delimiter: u8,
    facts: FileFacts,
    /// The last line of the last record.
    last: u64,
    /// A blank line stands behind the last row.
    behind_gap: bool,
    /// The last record ends with the file, and may be cut off.
    pub(super) is_last: bool,
}

/// What one record was, before it is looked at.
struct Record {
    length: usize,
    columns: usize,
    line: u64,
    /// Its last line.
    until: u64,
    /// It did not fit; `Some(reason)`: its cells are cut off, and further rows may have been in them.
    too_large: Option<&'static str>,
    has_others: bool,
    end: End,
}

/// How a record ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Line,
    /// At the end of the file, which has no last line end.
    File,
    /// There, too, and its last quote is not closed.
    Open,
}

impl RowReader {
    /// Reads the header line of a file's text; `name` is how dead letters call the file.
    pub(super) fn open(export: &Export<'_>, mut text: Text) -> Result<Self, CrmError> {
        let Export { table, set, path, name, .. } = *export;
        let (delimiter, skipped) = find_delimiter(table, set, &mut text)?;
        let mut core = ReaderBuilder::new().delimiter(delimiter).build();
        core.set_line(1 + skipped);
        let layout = Layout::empty(table);
        let facts = FileFacts { delimiter: Some(delimiter.into()), ..export.facts("CSV", &layout, &[]) };
        let (out, ends) = (vec![0; 4096], vec![0; 64]);
        let mut reader = Self {
            text,
            core,
            out,
            ends,
            file: name.into(),
            layout,
            keys: Vec::new(),
            delimiter,
            facts,
            last: u64::MAX,
            behind_gap: false,
            is_last: false,
        };
        let header = reader.find_header(table, set, path)?;
        reader.facts.fields = reader.layout.fields();
        reader.facts.unused = reader.layout.unused(&header);
        reader.keys = reader.layout.header().iter().map(|header| normal(header)).collect();
        Ok(reader)
    }

    /// What is known of the file so far; `rows` counts those that were read.
    pub(super) const fn facts(&self) -> &FileFacts {
        &self.facts
    }

    pub(super) fn into_facts(self) -> FileFacts {
        self.facts
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads lines up to that of the headers: a title, or the day of the export, may stand above it.
    fn find_header(&mut self, table: Table, set: &FileSet, path: &Path) -> Result<Vec<String>, CrmError> {
        let mut header = self.header(path)?;
        let mut first = None;
        for _ in 0..MOST_ABOVE {
            match Layout::resolve(table, set, &header, path) {
                Ok(layout) => {
                    self.layout = layout;
                    return Ok(header);
                }
                Err(error @ (CrmError::MissingField { .. } | CrmError::MissingHeader { .. })) => {
                    first.get_or_insert(error);
                }
                Err(error) if first.is_none() => return Err(error),
                Err(_) => {}
            }
            match self.record()? {
                Some(record) if record.too_large.is_none() => {
                    header = self.row(&record).cells().map(str::to_owned).collect();
                }
                _ => break,
            }
        }
        // Of what the first line lacks, who made the file can tell.
        Err(first.expect("a line was looked at"))
    }

    fn header(&mut self, path: &Path) -> Result<Vec<String>, CrmError> {
        let bad = |problem| CrmError::BadHeader { path: PathBuf::from(path), problem };
        let record = self.record()?.ok_or_else(|| CrmError::Empty { path: path.to_owned() })?;
        if record.too_large.is_some() {
            return Err(bad("is longer than 1 MiB; is this a CSV file, and is every quote closed?"));
        }
        let row = self.row(&record);
        if row.text.contains('\0') {
            return Err(bad("holds NUL bytes; is the file UTF-16 without byte order mark? then state its encoding"));
        }
        if self.text.malformed && row.text.contains('\u{fffd}') {
            return Err(bad("is not valid in the stated encoding; leave `encoding` out to have it found"));
        }
        Ok(row.cells().map(str::to_owned).collect())
    }

    /// The next item: a row, a dead letter, or the end.
    pub(super) fn next_row(&mut self) -> Result<Option<Read>, CrmError> {
        loop {
            let Some(record) = self.record()? else { return Ok(None) };
            self.behind_gap |= record.line > self.last.saturating_add(1);
            self.last = record.until;
            self.is_last = record.end != End::Line;
            if record.too_large.is_none() && self.out[..record.length].iter().all(u8::is_ascii_whitespace) {
                self.behind_gap = true;
                continue;
            }
            if let Some(reason) = record.too_large {
                self.behind_gap = false;
                self.facts.rows += 1;
                let row = self.row(&record);
                let origin = Origin { digest: [0; 32], ..row.origin() };
                let advice = "holds more than 1 MiB in one cell or 4 MiB in one row; shorten it or close its quote";
                let rest = Rest::Cells(row, record.has_others);
                let damage = damaged::unread(self.layout.table, reason, advice, origin, rest);
                return Ok(Some(self.with_others(damage)));
            }
            let row = self.row(&record);
            if passed::is_around(&row, self.layout.header()) || self.behind_gap && passed::is_below(&row, &self.layout)
            {
                continue;
            }
            match passed::is_header(&row, &self.keys) {
                Some(true) => continue,
                Some(false) => {
                    return Err(CrmError::OtherHeader { path: self.facts.path.clone(), line: record.line });
                }
                None => {}
            }
            self.behind_gap = false;
            self.facts.rows += 1;
            if record.end == End::Open {
                return Ok(Some(self.with_others(open_quote(&self.layout, row, false))));
            }
            let checked = check(row, &self.layout, self.text.malformed);
            let swallowed = |row: &Row| has_swallowed(&self.layout, self.delimiter, row);
            let checked = match checked {
                Ok(row) if swallowed(&row) => Err(open_quote(&self.layout, row, true)),
                checked => checked,
            };
            return Ok(Some(checked.or_else(|damage| self.with_others(damage))));
        }
    }

    fn with_others(&self, mut damage: Box<Damage>) -> Read {
        damage.look_for_others(&self.layout, self.delimiter);
        Err(damage)
    }

    fn row(&self, record: &Record) -> Row {
        let text = self.out[..record.length].to_vec();
        let ends = self.ends[..record.columns].to_vec();
        if record.too_large.is_some() {
            // A cell that is cut off may end within a character.
            let begins = std::iter::once(0).chain(ends.iter().copied());
            let cell = |(begin, end): (usize, &usize)| String::from_utf8_lossy(&text[begin..*end]).into_owned();
            let cells: Vec<String> = begins.zip(&ends).map(cell).collect();
            return Row::of_cells(&cells, &self.file, record.line, Unit::Line);
        }
        let text = String::from_utf8(text).expect("the decoder gives UTF-8, cut at ASCII");
        Row::of(text, ends, &self.file, record.line, Unit::Line)
    }

    /// Reads one record into `out` and `ends`; of one that does not fit, what its cells begin with.
    fn record(&mut self) -> Result<Option<Record>, CrmError> {
        let (mut length, mut columns, mut newlines) = (0, 0, 0);
        let (mut too_large, mut end) = (None, End::Line);
        // So much of it is not in `out` any more.
        let (mut cut, mut has_others) = (0, false);
        loop {
            let input = self.text.peek()?;
            // A line end that the file does not have ends its last record, unless it belongs to a quote that is open.
            let is_over = input.is_empty();
            let input = if is_over && end == End::Line { b"\n" } else { input };
            let (result, read, written, ended) =
                self.core.read_record(input, &mut self.out[length..], &mut self.ends[columns..]);
            if is_over && read > 0 {
                end = if written > 0 { End::Open } else { End::File };
            }
            // At the end of the file nothing is read, and the record ends without a line end of its own.
            let ended_line = input[..read].last() == Some(&b'\n');
            let copied = &self.out[length..length + written];
            newlines += memchr::memchr_iter(b'\n', copied).count() as u64;
            if !is_over {
                self.text.consume(read);
            }
            length += written;
            self.ends[columns..columns + ended].iter_mut().for_each(|end| *end -= cut);
            columns += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.out.len() < MAX_ROW => {
                    self.out.resize((self.out.len() * 2).min(MAX_ROW), 0);
                }
                ReadRecordResult::OutputFull => {
                    let begun = if columns == 0 { 0 } else { self.ends[columns - 1].min(length) };
                    too_large.get_or_insert(if length - begun > MAX_CELL { "cell_too_large" } else { "row_too_large" });
                    has_others |= self.has_others(length, columns);
                    let left = self.cut_off(length, columns);
                    (cut, length) = (cut + length - left, left);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_COLUMNS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    too_large.get_or_insert("row_too_large");
                    // No header has so many: what comes stands for nothing.
                    columns = MAX_COLUMNS / 2;
                    let left = self.ends[columns - 1];
                    (cut, length) = (cut + length - left, left);
                }
                ReadRecordResult::Record => {
                    let after_newline = u64::from(ended_line);
                    let until = self.core.line().saturating_sub(after_newline).max(1);
                    let line = until.saturating_sub(newlines).max(1);
                    return Ok(Some(Record { length, columns, line, until, too_large, has_others, end }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

impl RowReader {
    /// Cuts off what cells of a record that does not fit have beyond their beginning; gives how long it still is.
    fn cut_off(&mut self, length: usize, columns: usize) -> usize {
        let (mut begin, mut left) = (0, 0);
        for at in 0..=columns {
            let end = if at < columns { self.ends[at] } else { length };
            let until = end.min(begin + MOST_KEPT);
            self.out.copy_within(begin..until, left);
            left += until - begin;
            if at < columns {
                self.ends[at] = left;
            }
            begin = end;
        }
        left
    }

    /// Whether rows stand in the cells of a record that does not fit.
    fn has_others(&self, length: usize, columns: usize) -> bool {
        let begins = std::iter::once(0).chain(self.ends[..columns].iter().copied());
        let ends = self.ends[..columns].iter().copied().chain([length]);
        let is_row = |cell: &[u8]| swallows(&self.layout, self.delimiter, &String::from_utf8_lossy(cell), None);
        begins.zip(ends).any(|(begin, end)| is_row(&self.out[begin..end]))
    }
}

/// What is wrong with a row whose quote is open to the end of the file, or to a later row.
#[expect(clippy::unnecessary_box_returns, reason = "it is handed on as the error that readers return")]
fn open_quote(layout: &Layout, row: Row, has_others: bool) -> Box<Damage> {
    let advice = if has_others {
        "has a quote that a later row closes, so the rows between are in it: close it, or export them again"
    } else {
        "has a quote that is open to the end of the file, so all that follows is in it: close it, or export again what was cut off"
    };
    let origin = row.origin();
    damaged::unread(layout.table, "ragged_row", advice, origin, Rest::Cells(row, has_others))
}

pub(super) fn stated_encoding(table: Table, set: &FileSet) -> Result<Option<&'static Encoding>, CrmError> {
    let Some(label) = &set.encoding else { return Ok(None) };
    let found = Encoding::for_label(label.as_bytes());
    found.map(Some).ok_or_else(|| CrmError::UnknownEncoding { table: table.name(), label: label.clone() })
}

/// Tells what is wrong with the settings themselves, without a file.
pub(super) fn check_settings(table: Table, set: &FileSet) -> Result<(), CrmError> {
    stated_encoding(table, set)?;
    stated_delimiter(table, set)?;
    super::headers::check_mapping(table, set)
}

/// Reads the cells of a row by field and notes which could not be read.
pub(super) struct Cells<'a> {
    pub(super) layout: &'a Layout,
    pub(super) row: &'a Row,
    pub(super) notes: &'a mut Vec<CrmDeadLetter>,
    pub(super) id: Option<String>,
}

impl Cells<'_> {
    /// The trimmed cell, if there is anything in it.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        super::value::text(self.row.cell(self.layout.column(field)?))
    }

    /// The cell with white space collapsed.
    pub(super) fn line(&self, field: &str) -> Option<String> {
        self.text(field).map(super::value::collapse)
    }

    /// A cell that `read` understands; one that it does not is noted and left out.
    pub(super) fn read<T>(
        &mut self,
        field: &str,
        reason: &'static str,
        advice: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.text(field)?);
        if value.is_none() {
            self.note(field, reason, advice);
        }
        value
    }

    /// Notes a cell that was left out while its row stays.
    pub(super) fn note(&mut self, field: &str, reason: &'static str, advice: &str) {
        let letter = self.letter(reason, Some(field), advice);
        self.notes.push(CrmDeadLetter { row_dropped: false, ..*letter });
    }

    /// A dead letter of the row.
    pub(super) fn letter(&self, reason: &'static str, field: Option<&str>, advice: &str) -> Box<CrmDeadLetter> {
        dead(self.layout.table, reason, field, advice, self.id.clone(), self.row.origin())
    }

    /// A date; `Err` where there is one that cannot be read.
    pub(super) fn when(&self, field: &str) -> Result<Option<super::when::When>, Box<CrmDeadLetter>> {
        let Some(cell) = self.text(field) else { return Ok(None) };
        match super::when::stamp(cell, self.layout.order) {
            Some(when) => Ok(Some(when)),
            None => Err(self.letter("unreadable_date", Some(field), DATE_ADVICE)),
        }
    }
}

const DATE_ADVICE: &str =
    "write the date as 2025-12-31, 31.12.2025 or 31/12/2025 (12/31/2025 with `date_order: month_first`)";
