//! Rows of one export, one at a time, in bounded memory.
//!
//! Invariant: every line with content gives exactly one item, a row of the header's width or a dead letter.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv_core::{ReadRecordResult, ReaderBuilder};
use encoding_rs::Encoding;
use sha2::{Digest, Sha256};

use super::columns::{Layout, Table};
use super::files::{Survey, Text, survey};
use super::{CrmDeadLetter, CrmError, FileFacts, FileSet, Origin};

/// The most that one cell may hold, in bytes of UTF-8.
pub const MAX_CELL: usize = 1 << 20;
/// The most that one row may hold.
const MAX_ROW: usize = 4 << 20;
/// The most columns.
const MAX_COLUMNS: usize = 4096;

/// A row of the header's width.
#[derive(Clone)]
pub struct Row {
    text: String,
    ends: Vec<usize>,
    /// Where it stands.
    pub origin: Origin,
}

impl Row {
    /// The cell of a column; empty beyond the last.
    pub fn cell(&self, column: usize) -> &str {
        let start = column.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        match (start, self.ends.get(column)) {
            (Some(start), Some(end)) => &self.text[start..*end],
            _ => "",
        }
    }

    fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|i| self.cell(i))
    }
}

/// Reads the rows of one file.
pub struct RowReader {
    text: Text,
    core: csv_core::Reader,
    out: Vec<u8>,
    ends: Vec<usize>,
    file: Arc<str>,
    layout: Layout,
    facts: FileFacts,
}

/// What one record was, before it is looked at.
struct Record {
    length: usize,
    columns: usize,
    line: u64,
    /// It did not fit; `Some(reason)`.
    too_large: Option<&'static str>,
}

impl RowReader {
    /// Opens a file and reads its header line; `name` is how dead letters call the file.
    pub fn open(table: Table, set: &FileSet, path: &Path, name: &str) -> Result<Self, CrmError> {
        let surveyed = survey(path, stated_encoding(table, set)?)?;
        Self::open_surveyed(table, set, path, name, surveyed)
    }

    /// The same for a file whose survey is known, so that it is not read through twice.
    pub(super) fn open_surveyed(
        table: Table,
        set: &FileSet,
        path: &Path,
        name: &str,
        surveyed: Survey,
    ) -> Result<Self, CrmError> {
        let Survey { sha256, encoding, empty } = surveyed;
        if empty {
            return Err(CrmError::Empty { path: path.to_owned() });
        }
        let mut text = Text::open(path, encoding)?;
        let (delimiter, skipped) = find_delimiter(table, set, &mut text)?;
        let mut core = ReaderBuilder::new().delimiter(delimiter).build();
        core.set_line(1 + skipped);
        let facts = FileFacts {
            path: path.to_owned(),
            sha256,
            rows: 0,
            encoding: encoding.name(),
            delimiter: delimiter.into(),
            fields: Vec::new(),
            unused: Vec::new(),
        };
        let layout = Layout::empty(table);
        let mut reader = Self { text, core, out: vec![0; 4096], ends: vec![0; 64], file: name.into(), layout, facts };
        let header = reader.header(path)?;
        reader.layout = Layout::resolve(table, set, &header, path)?;
        reader.facts.fields = reader.layout.fields();
        reader.facts.unused = reader.layout.unused(&header);
        Ok(reader)
    }

    /// What is known of the file so far; `rows` counts those that were read.
    pub const fn facts(&self) -> &FileFacts {
        &self.facts
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
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
        if self.text.malformed {
            return Err(bad("is not valid in the stated encoding; leave `encoding` out to have it found"));
        }
        Ok(row.cells().map(str::to_owned).collect())
    }

    /// The next item: a row, a dead letter, or the end.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, Box<CrmDeadLetter>>>, CrmError> {
        loop {
            let Some(record) = self.record()? else { return Ok(None) };
            if record.too_large.is_none() && self.out[..record.length].iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.facts.rows += 1;
            if let Some(reason) = record.too_large {
                let origin = Origin { file: self.file.clone(), line: record.line, digest: [0; 32] };
                let advice = "holds more than 1 MiB in one cell or 4 MiB in one row; shorten it or close its quote";
                return Ok(Some(Err(dead(self.layout.table, reason, None, advice, None, origin))));
            }
            let row = self.row(&record);
            return Ok(Some(self.check(row)));
        }
    }

    fn row(&self, record: &Record) -> Row {
        let text =
            String::from_utf8(self.out[..record.length].to_vec()).expect("the decoder gives UTF-8, cut at ASCII");
        let ends = self.ends[..record.columns].to_vec();
        let mut hash = Sha256::new();
        for i in 0..ends.len() {
            let start = if i == 0 { 0 } else { ends[i - 1] };
            hash.update(((ends[i] - start) as u64).to_le_bytes());
            hash.update(&self.out[start..ends[i]]);
        }
        let origin = Origin { file: self.file.clone(), line: record.line, digest: hash.finalize().into() };
        Row { text, ends, origin }
    }

    fn check(&self, row: Row) -> Result<Row, Box<CrmDeadLetter>> {
        let key = self.layout.column(self.layout.table.key());
        let id = key.map(|at| row.cell(at).trim()).filter(|id| !id.is_empty() && id.len() < 256).map(str::to_owned);
        let table = self.layout.table;
        let fail = |reason, advice: &str| Err(dead(table, reason, None, advice, id.clone(), row.origin.clone()));
        let (have, want) = (row.ends.len(), self.layout.width);
        if row.cells().any(|c| c.len() > MAX_CELL) {
            return fail("cell_too_large", "holds a cell of more than 1 MiB; shorten it or close its quote");
        }
        if row.text.contains('\0') {
            return fail("nul_byte", "holds NUL bytes; export the row again");
        }
        if self.text.malformed && row.text.contains('\u{fffd}') {
            return fail("undecodable", "is not valid in the stated encoding; leave `encoding` out to have it found");
        }
        let surplus = row.cells().skip(want).any(|c| !c.trim().is_empty());
        if have < want || surplus {
            let advice = format!("has {have} cells where the header has {want}; quote the cell that holds a delimiter");
            return fail("ragged_row", &advice);
        }
        Ok(row)
    }

    /// Reads one record into `out` and `ends`; one that does not fit is read to its end and thrown away.
    fn record(&mut self) -> Result<Option<Record>, CrmError> {
        let (mut length, mut columns, mut newlines) = (0, 0, 0);
        let mut too_large = None;
        loop {
            let input = self.text.peek()?;
            let (result, read, written, ended) =
                self.core.read_record(input, &mut self.out[length..], &mut self.ends[columns..]);
            // At the end of the file nothing is read, and the record ends without a line end of its own.
            let ended_line = input[..read].last() == Some(&b'\n');
            let copied = &self.out[length..length + written];
            newlines += memchr::memchr_iter(b'\n', copied).count() as u64;
            self.text.consume(read);
            length += written;
            columns += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.out.len() < MAX_ROW => {
                    self.out.resize((self.out.len() * 2).min(MAX_ROW), 0);
                }
                ReadRecordResult::OutputFull => {
                    let begun = if columns == 0 { 0 } else { self.ends[columns - 1].min(length) };
                    too_large.get_or_insert(if length - begun > MAX_CELL { "cell_too_large" } else { "row_too_large" });
                    (length, columns) = (0, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_COLUMNS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    too_large.get_or_insert("row_too_large");
                    (length, columns) = (0, 0);
                }
                ReadRecordResult::Record => {
                    let after_newline = u64::from(ended_line);
                    let line = self.core.line().saturating_sub(after_newline + newlines).max(1);
                    return Ok(Some(Record { length, columns, line, too_large }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

/// Makes a dead letter of a whole row.
pub(super) fn dead(
    table: Table,
    reason: &'static str,
    field: Option<&str>,
    advice: &str,
    record_id: Option<String>,
    origin: Origin,
) -> Box<CrmDeadLetter> {
    Box::new(CrmDeadLetter {
        table: table.name(),
        reason,
        field: field.map(str::to_owned),
        advice: advice.to_owned(),
        row_dropped: true,
        record_id,
        origin,
    })
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
    super::columns::check_mapping(table, set)
}

fn stated_delimiter(table: Table, set: &FileSet) -> Result<Option<u8>, CrmError> {
    let Some(delimiter) = set.delimiter else { return Ok(None) };
    let usable = delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric() && !"\"\r\n\0 ".contains(delimiter);
    if !usable {
        return Err(CrmError::BadDelimiter { table: table.name(), delimiter });
    }
    Ok(u8::try_from(delimiter).ok())
}

/// The delimiter, and how many lines were read to learn it (Excel's `sep=;`).
fn find_delimiter(table: Table, set: &FileSet, text: &mut Text) -> Result<(u8, u64), CrmError> {
    let stated = stated_delimiter(table, set)?;
    let piece = text.peek()?;
    let line = piece.split(|b| matches!(b, b'\n' | b'\r')).find(|l| !l.is_empty()).unwrap_or_default();
    if let [b's', b'e', b'p', b'=', delimiter @ (b';' | b',' | b'\t' | b'|')] = *line {
        let end = 5 + piece[5.min(piece.len())..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count().min(2);
        text.consume(end);
        return Ok((stated.unwrap_or(delimiter), 1));
    }
    let mut quoted = false;
    let mut counts = [(b';', 0), (b',', 0), (b'\t', 0), (b'|', 0)];
    for byte in piece {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && counts.iter().any(|(_, n)| *n > 0) => break,
            _ if !quoted => counts.iter_mut().filter(|(d, _)| d == byte).for_each(|(_, n)| *n += 1),
            _ => {}
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b';', |(d, _)| *d);
    Ok((stated.unwrap_or(most), 0))
}

/// Reads the cells of a row by field and notes which could not be read.
pub(super) struct Cells<'a> {
    pub(super) layout: &'a Layout,
    pub(super) row: &'a Row,
    pub(super) order: super::DateOrder,
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
        dead(self.layout.table, reason, field, advice, self.id.clone(), self.row.origin.clone())
    }

    /// A date; `Err` where there is one that cannot be read.
    pub(super) fn when(&self, field: &str) -> Result<Option<super::value::When>, Box<CrmDeadLetter>> {
        let Some(cell) = self.text(field) else { return Ok(None) };
        match super::value::when(cell, self.order) {
            Some(when) => Ok(Some(when)),
            None => Err(self.letter("unreadable_date", Some(field), DATE_ADVICE)),
        }
    }
}

const DATE_ADVICE: &str =
    "write the date as 2025-12-31, 31.12.2025 or 31/12/2025 (12/31/2025 with `date_order: month_first`)";
