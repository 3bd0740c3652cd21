//! Rows of one export, whatever its format: CSV, JSON or Parquet, told apart by content.
//!
//! Invariant: all formats give rows of one shape, so nothing behind this knows which it was; memory is bounded by one
//! row, of JSON pages by one page, of Parquet by one batch.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::columns::{Layout, Table};
use super::cursor::Cursor;
use super::damaged::{self, Damage, Place, Rest, Shape};
use super::files::{Survey, Text, glance, of_set, reading, survey};
use super::json::JsonRows;
use super::parquet::ParquetRows;
use super::reader::{RowReader, stated_encoding};
use super::{CrmDeadLetter, CrmError, FileFacts, FileSet, Origin, Unit};
use super::{forms, passed, value};

/// The most that one cell may hold, in bytes of UTF-8.
pub const MAX_CELL: usize = 1 << 20;
/// The most that one row may hold.
pub(super) const MAX_ROW: usize = 4 << 20;
/// The most columns.
pub(super) const MAX_COLUMNS: usize = 4096;

/// A row of the header's width.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) ends: Vec<usize>,
    pub(super) file: Arc<str>,
    pub(super) line: u64,
    pub(super) unit: Unit,
    /// Made when it is asked for: of most rows that are read, nobody does.
    digest: OnceCell<[u8; 32]>,
}

impl Row {
    /// Joins cells; `file` and `line` tell where they stand.
    pub(super) fn of(text: String, ends: Vec<usize>, file: &Arc<str>, line: u64, unit: Unit) -> Self {
        Self { text, ends, file: Arc::clone(file), line, unit, digest: OnceCell::new() }
    }

    /// The same of a row that stood there with more cells, or others.
    pub(super) fn instead_of(origin: Origin, text: String, ends: Vec<usize>) -> Self {
        let Origin { file, line, unit, digest } = origin;
        Self { text, ends, file, line, unit, digest: OnceCell::from(digest) }
    }

    /// The SHA-256 of its cells.
    pub(super) fn digest(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| {
            let mut hash = Sha256::new();
            for cell in self.cells() {
                hash.update((cell.len() as u64).to_le_bytes());
                hash.update(cell.as_bytes());
            }
            hash.finalize().into()
        })
    }

    /// Where it stands.
    pub(super) fn origin(&self) -> Origin {
        Origin { file: Arc::clone(&self.file), line: self.line, unit: self.unit, digest: *self.digest() }
    }

    /// The same of single cells.
    pub(super) fn of_cells(cells: &[String], file: &Arc<str>, number: u64, unit: Unit) -> Self {
        let mut end = 0;
        let ends = cells.iter().map(|cell| {
            end += cell.len();
            end
        });
        Self::of(cells.concat(), ends.collect(), file, number, unit)
    }

    /// The cell of a column; empty beyond the last.
    pub(super) fn cell(&self, column: usize) -> &str {
        let start = column.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        match (start, self.ends.get(column)) {
            (Some(start), Some(end)) => &self.text[start..*end],
            _ => "",
        }
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|i| self.cell(i))
    }
}

/// What is read next: a row, or what was wrong with it.
pub(super) type Item = Result<Row, Box<CrmDeadLetter>>;
/// What the reader of a format gives: a row, or what there still is of it.
pub(super) type Read = Result<Row, Box<Damage>>;

/// A file to read, and what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Export<'a> {
    pub(super) table: Table,
    pub(super) set: &'a FileSet,
    pub(super) path: &'a Path,
    /// How dead letters call the file.
    pub(super) name: &'a str,
    pub(super) survey: &'a Survey,
}

impl Export<'_> {
    /// What is known before the first row; the format says what else it knows.
    pub(super) fn facts(&self, format: &'static str, layout: &Layout, header: &[String]) -> FileFacts {
        FileFacts {
            table: self.table.name(),
            path: self.path.to_owned(),
            name: self.name.to_owned(),
            sha256: self.survey.sha256.clone(),
            rows: 0,
            format,
            encoding: self.survey.reading.name(),
            utf8_lines: self.survey.utf8_lines,
            delimiter: None,
            fields: layout.fields(),
            unused: layout.unused(header),
            cursor: None,
        }
    }
}

/// Reads the rows of one file.
pub(super) struct Rows {
    reader: Reader,
    /// Of a row that cannot be read, what is not told yet.
    pending: VecDeque<Box<CrmDeadLetter>>,
    /// What the ids of the file look like.
    shape: Option<Shape>,
    /// What those of the table look like, as far as its own tell nothing.
    known: Option<Arc<Shape>>,
    is_alone: bool,
    cursor: Cursor,
    noes_alone: bool,
}

enum Reader {
    Csv(Box<RowReader>),
    Json(Box<JsonRows>),
    Parquet(Box<ParquetRows>),
}

impl Rows {
    /// Opens a file and finds its columns; `name` is how dead letters call the file.
    pub(super) fn open(table: Table, set: &FileSet, path: &Path, name: &str) -> Result<Self, CrmError> {
        let surveyed = survey(path, stated_encoding(table, set)?)?;
        Self::of(&Export { table, set, path, name, survey: &surveyed })
    }

    /// The same for a file whose survey is known, so that it is not read through twice.
    pub(super) fn of(export: &Export<'_>) -> Result<Self, CrmError> {
        if export.survey.empty {
            return Err(CrmError::Empty { path: export.path.to_owned() });
        }
        if export.survey.parquet {
            return Ok(Self::from(Reader::Parquet(Box::new(ParquetRows::open(export)?)), export));
        }
        match Self::csv(export)? {
            Some(rows) => Ok(rows),
            None => Ok(Self::from(Reader::Json(Box::new(JsonRows::open(export)?)), export)),
        }
    }

    /// Those of a text file that is not JSON.
    pub(super) fn csv(export: &Export<'_>) -> Result<Option<Self>, CrmError> {
        let mut text = Text::open(export.path, export.survey.reading)?;
        let first = text.peek()?.iter().find(|b| !b.is_ascii_whitespace());
        let is_json = matches!(first, Some(b'{' | b'['));
        if is_json {
            return Ok(None);
        }
        Ok(Some(Self::from(Reader::Csv(Box::new(RowReader::open(export, text)?)), export)))
    }

    fn from(reader: Reader, export: &Export<'_>) -> Self {
        let mut rows = Self {
            reader,
            pending: VecDeque::new(),
            shape: None,
            is_alone: export.set.is_alone,
            noes_alone: export.set.noes_alone,
            known: export.set.shape.clone(),
            cursor: Cursor::default(),
        };
        rows.cursor = Cursor::of(rows.layout());
        rows
    }

    /// What is known of the file now that its rows were read.
    pub(super) fn into_facts(self) -> FileFacts {
        let cursor = self.cursor.newest();
        let facts = match self.reader {
            Reader::Csv(rows) => rows.into_facts(),
            Reader::Json(rows) => rows.facts,
            Reader::Parquet(rows) => rows.facts,
        };
        FileFacts { cursor, ..facts }
    }

    /// What is known of the file so far; `rows` counts those that were read.
    pub(super) const fn facts(&self) -> &FileFacts {
        match &self.reader {
            Reader::Csv(rows) => rows.facts(),
            Reader::Json(rows) => &rows.facts,
            Reader::Parquet(rows) => &rows.facts,
        }
    }

    pub(super) const fn layout(&self) -> &Layout {
        match &self.reader {
            Reader::Csv(rows) => rows.layout(),
            Reader::Json(rows) => &rows.layout,
            Reader::Parquet(rows) => &rows.layout,
        }
    }

    /// The next item: a row, a dead letter, or the end. Of a row that cannot be read several may tell, one for everybody whose it may
    /// be.
    pub(super) fn next_row(&mut self) -> Result<Option<Item>, CrmError> {
        loop {
            if let Some(letter) = self.pending.pop_front() {
                return Ok(Some(self.in_long_form(Err(letter))));
            }
            let read = match &mut self.reader {
                Reader::Csv(rows) => rows.next_row(),
                Reader::Json(rows) => rows.next_row(),
                Reader::Parquet(rows) => rows.next_row(),
            };
            let read = match read {
                // Below it nobody knows what is what.
                Err(CrmError::OtherHeader { .. }) if self.noes_alone => return Ok(None),
                read => read?,
            };
            match read {
                None => return Ok(None),
                Some(Ok(row)) => {
                    let of_another_kind = passed::is_of_another_kind(self.layout(), &row);
                    self.learn(&row);
                    if !of_another_kind {
                        self.cursor.look(&row);
                        return Ok(Some(self.in_long_form(Ok(row))));
                    }
                }
                // What is wrong with a contact is told where contacts are read.
                Some(Err(_)) if self.layout().of_contacts => {}
                Some(Err(damage)) => match self.place().letters(*damage) {
                    Ok(letters) => self.pending = letters.into(),
                    Err(_) if self.noes_alone => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }

    fn learn(&mut self, row: &Row) {
        if self.shape.is_none() {
            let id = self.layout().column(self.layout().table.key()).and_then(|at| value::text(row.cell(at)));
            self.shape = id.map(Shape::of);
        }
    }

    fn place(&self) -> Place<'_> {
        let (layout, path, shape) = (self.layout(), &*self.facts().path, self.shape.as_ref().or(self.known.as_deref()));
        Place { layout, path, shape, is_cut_off: self.is_cut_off(), is_alone: self.is_alone }
    }

    /// Whether the last row ends with the file, in the middle of a line.
    const fn is_cut_off(&self) -> bool {
        match &self.reader {
            Reader::Csv(rows) => rows.is_last,
            Reader::Json(rows) => rows.is_last(),
            Reader::Parquet(_) => false,
        }
    }

    fn in_long_form(&self, item: Item) -> Item {
        if self.layout().long_ids.is_empty() {
            return item;
        }
        item.map(|row| forms::lengthened(self.layout(), &row).unwrap_or(row)).map_err(|mut letter| {
            letter.record_id = letter.record_id.map(|id| forms::in_one_form(self.layout(), &id).unwrap_or(id));
            letter
        })
    }
}

/// Calls `take` with each readable row of a table and its file; of each file `most` rows are looked at.
pub(super) fn each_readable(
    table: Table,
    set: &FileSet,
    base: &Path,
    most: usize,
    mut take: impl FnMut(&Path, &Layout, &Row),
) -> Result<(), CrmError> {
    let stated = stated_encoding(table, set)?;
    for path in of_set(table, set, base)? {
        let survey = if most == usize::MAX { reading(&path, stated)? } else { glance(&path, stated)? };
        if survey.empty {
            continue;
        }
        let mut rows = Rows::of(&Export { table, set, path: &path, name: "", survey: &survey })?;
        for _ in 0..most {
            let Some(item) = rows.next_row()? else { break };
            if let Ok(row) = item {
                take(&path, rows.layout(), &row);
            }
        }
    }
    Ok(())
}

/// What is wrong with a row of any format.
pub(super) fn check(row: Row, layout: &Layout, malformed: bool) -> Read {
    let fail = |row: Row, reason, advice: &str| {
        let origin = row.origin();
        Err(damaged::unread(layout.table, reason, advice, origin, Rest::Cells(row, false)))
    };
    let (have, want) = (row.ends.len(), layout.width);
    if row.cells().any(|c| c.len() > MAX_CELL) {
        return fail(row, "cell_too_large", "holds a cell of more than 1 MiB; shorten it or close its quote");
    }
    if memchr::memchr(0, row.text.as_bytes()).is_some() {
        return fail(row, "nul_byte", "holds NUL bytes; export the row again");
    }
    if malformed && row.text.contains('\u{fffd}') {
        return fail(
            row,
            "undecodable",
            "holds bytes that are no character of the file's encoding; export the row again, or leave a stated `encoding` out to have it found",
        );
    }
    let surplus = row.cells().skip(want).any(|c| !c.trim().is_empty());
    if have < want || surplus {
        let advice = format!("has {have} cells where the header has {want}; quote the cell that holds a delimiter");
        return fail(row, "ragged_row", &advice);
    }
    Ok(row)
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

/// The cell of a typed value; nested objects are not for here. Numbers are written so that they mean the same whatever
/// the file's decimal sign is: never with three digits behind the point, which could group thousands.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null | Value::Object(_) => String::new(),
        Value::Bool(b) => b.to_string(),
        Value::String(s) => s.clone(),
        Value::Number(n) => match n.as_f64() {
            Some(float) if n.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
            Some(float) if n.is_f64() => {
                let text = float.to_string();
                let grouped = text.split_once('.').is_some_and(|(_, fraction)| fraction.len() == 3);
                if grouped { text + "0" } else { text }
            }
            _ => n.to_string(),
        },
        // Several values, as a table joins them; of objects what APIs call their value.
        Value::Array(values) => {
            let inner = |v: &Value| match v {
                Value::Object(map) => ["value", "emailAddress", "email_address", "email", "address", "id", "name"]
                    .iter()
                    .find_map(|k| map.get(*k))
                    .map(cell),
                // Lists within lists are one.
                other => Some(cell(other)),
            };
            values.iter().filter_map(inner).filter(|c| !c.is_empty()).collect::<Vec<_>>().join("|")
        }
    }
}
