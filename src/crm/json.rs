//! Rows of JSON exports: a list of objects, an object a line, or the pages of an API.
//!
//! Invariant: the file is read piece by piece, twice: once for its keys, which are its columns, then for its rows. An
//! object that cannot be read is a dead letter; a list that does not end is an error before anything of it is used.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::columns::{Layout, Table};
use super::damaged::{self, Damage, Rest};
use super::encodings::Reading;
use super::files::Text;
use super::headers::is_flag;
use super::rows::{Export, MAX_COLUMNS, MAX_ROW, Read, Row, cell, check, dead};
use super::spread::{records_of, spread};
use super::{CrmError, FileFacts, FileSet, Origin, Unit};
use crate::consent::dialect::texts;
use crate::structured::strict;

/// An API's page with many records may be larger than a row; of a row that is too large this much is looked at for whose it is.
const MAX_PAGE: usize = 64 << 20;
/// What is told of a row that is too large.
const TOO_LARGE: (&str, &str) = ("row_too_large", "is larger than 4 MiB; shorten it");
/// Where a log of changes has the id of a record of which it has nothing else any more.
const OTHER_IDS: [[&str; 2]; 2] = [["meta", "entity_id"], ["previous", "id"]];

/// Reads the rows of one file.
pub(super) struct JsonRows {
    records: Records,
    columns: HashMap<String, usize>,
    file: Arc<str>,
    pub(super) layout: Layout,
    pub(super) facts: FileFacts,
}

impl JsonRows {
    pub(super) fn open(export: &Export<'_>) -> Result<Self, CrmError> {
        let Export { table, set, path, survey, .. } = *export;
        let header = keys(table, set, path, survey.reading)?;
        // A list of nothing has no keys, and is no mistake.
        let layout = if header.is_empty() { Layout::empty(table) } else { Layout::resolve(table, set, &header, path)? };
        let facts = export.facts("JSON", &layout, &header);
        let columns = header.into_iter().enumerate().map(|(at, key)| (key, at)).collect();
        Ok(Self { records: Records::open(path, survey.reading)?, columns, file: export.name.into(), layout, facts })
    }

    /// The next item: a row, a dead letter, or the end.
    pub(super) fn next_row(&mut self) -> Result<Option<Read>, CrmError> {
        let Some(record) = self.records.next()? else { return Ok(None) };
        self.facts.rows += 1;
        let fields = match record.fields {
            Ok(fields) => fields,
            Err(unread) => {
                let Unread { why: (reason, advice), rest } = *unread;
                let origin = Origin { file: self.file.clone(), line: record.line, unit: Unit::Line, digest: [0; 32] };
                return Ok(Some(Err(damaged::unread(self.layout.table, reason, advice, origin, rest))));
            }
        };
        let mut cells = vec![String::new(); self.layout.width];
        let mut objects = Vec::new();
        if let Some(id) = tombstone(&fields) {
            let columns =
                [(id, self.layout.column(self.layout.table.own_key())), ("true", self.layout.column("deleted"))];
            for (cell, at) in columns.into_iter().filter_map(|(cell, at)| Some((cell, at?))) {
                cell.clone_into(&mut cells[at]);
            }
            return Ok(Some(Ok(Row::of_cells(&cells, &self.file, record.line, Unit::Line))));
        }
        spread("", &fields, &mut |key, value| match self.columns.get(key) {
            Some(at) if value.is_object() => objects.push(*at),
            // Beyond the width stand keys without a name.
            Some(at) if *at < cells.len() && !(*value == Value::Bool(false) && self.layout.is_of_texts(*at)) => {
                // Nothing within a list of consents is passed over.
                let is_deep = |values: &Vec<Value>| values.iter().any(|v| v.is_array() || v.is_object());
                let is_deep = self.layout.table == Table::Consents && value.as_array().is_some_and(is_deep);
                cells[*at] = if is_deep { texts(value).into_owned() } else { cell(value) };
            }
            _ => {}
        });
        if let Some(at) = self.layout.column(self.layout.table.own_key()).filter(|at| cells[*at].is_empty()) {
            let other = OTHER_IDS.iter().find_map(|[outer, inner]| fields.get(*outer)?.get(*inner));
            cells[at] = other.map(cell).unwrap_or_default();
        }
        let row = Row::of_cells(&cells, &self.file, record.line, Unit::Line);
        if record.is_large {
            let (origin, (reason, advice)) = (row.origin(), TOO_LARGE);
            let rest = Rest::Cells(row, false);
            return Ok(Some(Err(damaged::unread(self.layout.table, reason, advice, origin, rest))));
        }
        let checked = check(row, &self.layout, self.records.values.text.malformed);
        let field = objects.iter().find_map(|at| self.layout.field_of(*at));
        Ok(Some(match (checked, field) {
            (Ok(row), Some(field)) => wrong_type(&self.layout, row, field),
            (checked, _) => checked,
        }))
    }
}

impl JsonRows {
    /// Whether the last record ends with the file, in the middle of a line.
    pub(super) const fn is_last(&self) -> bool {
        self.records.values.is_cut
    }
}

/// An object stands where other rows have one value: what it means to say cannot be told.
fn wrong_type(layout: &Layout, row: Row, field: &str) -> Read {
    let advice = "holds an object where one value is expected; map one of its keys under `columns`, or correct it";
    let letter = dead(layout.table, "wrong_type", Some(field), advice, None, row.origin());
    Err(Box::new(Damage { letter, rest: Rest::Cells(row, false) }))
}

/// Every key of the file, nested ones joined by dots, in the order in which they first come. Of keys that hold objects
/// only flags are columns: they must not be passed over.
fn keys(table: Table, set: &FileSet, path: &Path, reading: Reading) -> Result<Vec<String>, CrmError> {
    let mut records = Records::open(path, reading)?;
    let (mut header, mut damaged, mut known, mut any_gone) = (Vec::new(), Vec::new(), HashSet::new(), false);
    while let Some(record) = records.next()? {
        let fields = match record.fields {
            Ok(fields) => fields,
            Err(unread) => {
                if let Rest::Text(text) = unread.rest
                    && header.is_empty()
                    && damaged.is_empty()
                {
                    damaged.extend(damaged::keys(&text).take(MAX_COLUMNS));
                }
                continue;
            }
        };
        if tombstone(&fields).is_some() {
            any_gone = true;
            continue;
        }
        spread("", &fields, &mut |key, value| {
            if (!value.is_object() || (is_flag(table, set, key) && !is_mapped_within(set, key)))
                && known.insert(key.to_owned())
            {
                header.push(key.to_owned());
            }
        });
        if header.len() > MAX_COLUMNS {
            return Err(records.values.bad("has objects with more than 4096 different keys"));
        }
    }
    if any_gone && header.is_empty() {
        header.push("id".to_owned());
    }
    // Where no object can be read, what stands in one still tells what it is.
    if header.is_empty() {
        header.extend(damaged.into_iter().filter(|key| known.insert(key.clone())));
    }
    header.extend(["deleted".to_owned()].into_iter().filter(|key| any_gone && !known.contains(key)));
    Ok(header)
}

/// The id in an entry of `OData`'s changes that says no more than that its record is gone.
fn tombstone(fields: &Map<String, Value>) -> Option<&str> {
    let is_gone = ["@removed", "@odata.removed"].iter().any(|key| fields.contains_key(*key))
        || fields
            .get("@odata.context")
            .and_then(Value::as_str)
            .is_some_and(|context| context.ends_with("/$deletedEntity"));
    let id = ["id", "@id", "@odata.id"].iter().find_map(|key| fields.get(*key)?.as_str()).filter(|_| is_gone)?;
    // An address of the record has the id in brackets.
    Some(id.rsplit_once('(').map_or(id, |(_, id)| id.trim_end_matches(')')).trim_matches('\''))
}

/// Whether the pipeline names a key of an object: then it is known what the object says.
fn is_mapped_within(set: &FileSet, key: &str) -> bool {
    set.columns.values().any(|header| header.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

/// An object of the file, or why there is none.
struct Record {
    line: u64,
    fields: Result<Map<String, Value>, Box<Unread>>,
    /// It is one that nothing else is in, and larger than a row may be.
    is_large: bool,
}

/// Why there is no object, and what is left of one.
struct Unread {
    /// Reason and advice.
    why: (&'static str, &'static str),
    rest: Rest,
}

/// The objects of a file, those in pages one by one.
struct Records {
    values: Values,
    pending: VecDeque<Record>,
}

impl Records {
    fn open(path: &Path, reading: Reading) -> Result<Self, CrmError> {
        let text = Text::open(path, reading)?;
        let values =
            Values { text, path: path.to_owned(), line: 1, mode: Mode::Top, buffer: Vec::new(), is_cut: false };
        Ok(Self { values, pending: VecDeque::new() })
    }

    fn next(&mut self) -> Result<Option<Record>, CrmError> {
        loop {
            if let Some(record) = self.pending.pop_front() {
                return Ok(Some(record));
            }
            let in_list = self.values.mode == Mode::List;
            let Some(piece) = self.values.next()? else { return Ok(None) };
            if piece.too_large {
                let too_large = Box::new(Unread { why: TOO_LARGE, rest: Rest::Nothing });
                return Ok(Some(Record { line: piece.line, fields: Err(too_large), is_large: true }));
            }
            let value = strict(&self.values.buffer);
            let is_large = self.values.buffer.len() > MAX_ROW && piece.is_row;
            self.take(value, (piece.line, is_large), in_list);
        }
    }

    fn take(&mut self, value: Result<Value, serde_json::Error>, (line, is_large): (u64, bool), in_list: bool) {
        let fail = |advice, text| Err(Box::new(Unread { why: ("unreadable_json", advice), rest: Rest::Text(text) }));
        let fields = match value {
            Ok(Value::Object(mut fields)) => {
                if let Some(values) = records_of(&mut fields).filter(|_| !in_list) {
                    for value in values {
                        self.take(Ok(value), (line, false), true);
                    }
                    return;
                }
                Ok(fields)
            }
            Ok(value) => fail("is no JSON object; export a list of objects, or an object a line", value.to_string()),
            Err(_) => {
                let text = String::from_utf8_lossy(&self.values.buffer).into_owned();
                fail("is not valid JSON, or has one key twice; export it again", text)
            }
        };
        self.pending.push_back(Record { line, fields, is_large });
    }
}

/// How the values of a file follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Between values that stand by themselves.
    Top,
    /// A value a line.
    Lines,
    /// Within a list.
    List,
}

/// Cuts a file into values without understanding them; the last one is in `buffer`.
struct Values {
    text: Text,
    path: PathBuf,
    line: u64,
    mode: Mode,
    buffer: Vec<u8>,
    /// The last value of its own line ends with the file.
    is_cut: bool,
}

/// Where a value stands.
struct Piece {
    line: u64,
    too_large: bool,
    /// Whether it can be no page of several.
    is_row: bool,
}

impl Values {
    fn next(&mut self) -> Result<Option<Piece>, CrmError> {
        loop {
            self.skip(|b| b.is_ascii_whitespace() || b == b',')?;
            let Some(byte) = self.peek()? else {
                let cut_off = self.mode == Mode::List;
                return if cut_off { Err(self.bad("ends in the middle of a list; export it again")) } else { Ok(None) };
            };
            match (self.mode, byte) {
                (Mode::Top, b'[') => self.enter(Mode::List),
                (Mode::List, b']') => self.enter(Mode::Top),
                (Mode::Top, b'{') => {
                    let begun = self.line;
                    let piece = self.value(MAX_PAGE)?;
                    let one_line = self.line == begun;
                    self.skip(|b| matches!(b, b' ' | b'\t' | b'\r'))?;
                    if one_line && self.peek()?.is_none_or(|b| b == b'\n') {
                        self.mode = Mode::Lines;
                    }
                    return Ok(Some(piece));
                }
                (Mode::List, _) => return self.value(MAX_PAGE).map(|piece| Some(Piece { is_row: true, ..piece })),
                (Mode::Top | Mode::Lines, _) => return self.rest_of_line().map(Some),
            }
        }
    }

    fn enter(&mut self, mode: Mode) {
        self.text.consume(1);
        self.mode = mode;
    }

    fn peek(&mut self) -> Result<Option<u8>, CrmError> {
        Ok(self.text.peek()?.first().copied())
    }

    fn skip(&mut self, what: impl Fn(u8) -> bool) -> Result<(), CrmError> {
        loop {
            let bytes = self.text.peek()?;
            let n = bytes.iter().take_while(|b| what(**b)).count();
            let all = n == bytes.len() && n > 0;
            self.line += memchr::memchr_iter(b'\n', &bytes[..n]).count() as u64;
            self.text.consume(n);
            if !all {
                return Ok(());
            }
        }
    }

    /// Reads a value to its end by its brackets and quotes.
    fn value(&mut self, most: usize) -> Result<Piece, CrmError> {
        let mut piece = self.begin();
        let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
        loop {
            let bytes = self.text.peek()?;
            if bytes.is_empty() {
                self.line = piece.line;
                return Err(self.bad("begins an object that does not end; export it again"));
            }
            let mut ended = None;
            for (at, byte) in bytes.iter().enumerate() {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => quoted = !quoted,
                    _ if quoted => {}
                    b'{' | b'[' => depth += 1,
                    // What closes the list is not part of a plain value in it.
                    b'}' | b']' | b',' if depth == 0 => ended = Some(at),
                    b'}' | b']' => {
                        depth -= 1;
                        ended = (depth == 0).then_some(at + 1);
                    }
                    _ => {}
                }
                if ended.is_some() {
                    break;
                }
            }
            self.keep(ended.unwrap_or(usize::MAX), most, &mut piece)?;
            if ended.is_some() {
                return Ok(piece);
            }
        }
    }

    fn rest_of_line(&mut self) -> Result<Piece, CrmError> {
        let mut piece = self.begin();
        loop {
            let bytes = self.text.peek()?;
            let end = memchr::memchr(b'\n', bytes);
            if bytes.is_empty() {
                self.is_cut = true;
                return Ok(piece);
            }
            self.keep(end.unwrap_or(usize::MAX), MAX_PAGE, &mut piece)?;
            if end.is_some() {
                return Ok(piece);
            }
        }
    }

    fn begin(&mut self) -> Piece {
        self.buffer.clear();
        Piece { line: self.line, too_large: false, is_row: self.mode == Mode::Lines }
    }

    /// Takes up to `n` bytes into the buffer, as long as they fit.
    fn keep(&mut self, n: usize, most: usize, piece: &mut Piece) -> Result<(), CrmError> {
        let bytes = self.text.peek()?;
        let n = n.min(bytes.len());
        piece.too_large |= self.buffer.len() + n > most;
        if piece.too_large {
            self.buffer.clear();
        } else {
            self.buffer.extend_from_slice(&bytes[..n]);
        }
        self.line += memchr::memchr_iter(b'\n', &bytes[..n]).count() as u64;
        self.text.consume(n);
        Ok(())
    }

    fn bad(&self, problem: &'static str) -> CrmError {
        CrmError::BadJson { path: self.path.clone(), line: self.line, problem }
    }
}
