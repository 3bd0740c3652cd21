//! Which rows of notes hold: an export of changes has a note anew that stands in an older one, moved to another contact or
//! deleted.
//!
//! Invariant: several rows of one export that have one note's id and one date are one note on several contacts, and all hold.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use super::columns::{Layout, Table};
use super::files::{of_set, reading};
use super::headers::normal;
use super::parts::{Print, Prints};
use super::reader::stated_encoding;
use super::rows::{Export, Row, Rows};
use super::when::{When, stamp};
use super::{CrmError, FileSet, value};

/// The newest row of each note: 32 bytes of each.
#[derive(Debug, Default)]
pub struct Versions {
    prints: Prints,
    /// Of each file, a print of the headers of its notes: calls and meetings may both be numbered from one on.
    headers: Vec<Print>,
    newest: HashMap<Print, Newest>,
    /// Notes of which an export says no more than that they are gone.
    gone: HashMap<Print, Option<Microseconds>>,
}

/// Since 1970.
type Microseconds = i64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Newest {
    at: Option<Microseconds>,
    file: u32,
    is_gone: bool,
}

impl Newest {
    fn of(layout: &Layout, row: &Row, file: usize) -> Self {
        let cell = |field: &str| value::text(row.cell(layout.column(field)?));
        let date = |field: &str| cell(field).and_then(|cell| stamp(cell, layout.order)).map(When::start);
        let at = date("updated_at").or_else(|| date("deleted")).map(Timestamp::as_microsecond);
        Self { at, file: file as u32, is_gone: is_deleted(layout, row) }
    }

    fn is_older_than(&self, other: &Self) -> bool {
        match (self.at, other.at) {
            (Some(at), Some(others)) if at != others => at < others,
            // That it is gone, and not since when, holds against rows without a newer date.
            _ if self.is_gone != other.is_gone => other.is_gone,
            _ => self.file < other.file,
        }
    }
}

impl Versions {
    /// Looks at the notes of a set of several files.
    ///
    /// # Errors
    /// A file that cannot be read, or whose header lacks what a note needs.
    pub(super) fn of(set: &FileSet, base: &Path) -> Result<Option<Self>, CrmError> {
        let files = of_set(Table::Notes, set, base)?;
        if files.len() < 2 {
            return Ok(None);
        }
        let (mut found, stated) = (Self::default(), stated_encoding(Table::Notes, set)?);
        for (file, path) in files.iter().enumerate() {
            let survey = reading(path, stated)?;
            if survey.empty {
                found.headers.push(Print::default());
                continue;
            }
            let mut rows = Rows::of(&Export { table: Table::Notes, set, path, name: "", survey: &survey })?;
            found.headers.push(found.headers_of(rows.layout()));
            while let Some(item) = rows.next_row()? {
                if let Ok(row) = item {
                    found.add(rows.layout(), &row, file);
                }
            }
        }
        Ok(Some(found))
    }

    fn add(&mut self, layout: &Layout, row: &Row, file: usize) {
        let new = Newest::of(layout, row, file);
        if let Some(key) = self.key(layout, row, file) {
            let held = self.newest.entry(key).or_insert(new);
            if held.is_older_than(&new) {
                *held = new;
            }
        }
        if let Some(id) = self.id(layout, row).filter(|_| new.is_gone && is_bare(layout, row)) {
            let at = self.gone.entry(id).or_insert(new.at);
            *at = (*at).max(new.at).filter(|_| at.is_some() && new.at.is_some());
        }
    }

    /// Whether a row of a file is one that holds.
    fn holds(&self, layout: &Layout, row: &Row, file: usize) -> bool {
        let this = Newest::of(layout, row, file);
        let gone = Some(&self.gone).filter(|gone| !gone.is_empty()).and_then(|gone| gone.get(&self.id(layout, row)?));
        if gone.is_some_and(|gone| gone.is_none_or(|gone| this.at.is_none_or(|at| at <= gone))) {
            return false;
        }
        let newest = self.key(layout, row, file).and_then(|key| self.newest.get(&key));
        newest.is_none_or(|newest| (newest.at, newest.file) == (this.at, this.file) && !newest.is_gone)
    }

    fn headers_of(&self, layout: &Layout) -> Print {
        let header = |field: &str| normal(layout.column(field).map_or("", |at| layout.header_of(at)));
        self.prints.print(&[header("note_id"), header("text")].join("\n"))
    }

    fn id(&self, layout: &Layout, row: &Row) -> Option<Print> {
        Some(self.prints.print(value::text(row.cell(layout.column("note_id")?))?))
    }

    /// A note's id, with the headers of its file.
    fn key(&self, layout: &Layout, row: &Row, file: usize) -> Option<Print> {
        let ([id, more], [headers, others]) = (self.id(layout, row)?, self.headers[file]);
        Some([id ^ headers, more ^ others])
    }
}

/// Whether a row of notes holds: it is not deleted, and no newer one of its note stands elsewhere.
pub(super) fn holds(set: &FileSet, layout: &Layout, row: &Row, file: usize) -> bool {
    !is_deleted(layout, row) && set.versions.as_ref().is_none_or(|versions| versions.holds(layout, row, file))
}

fn is_deleted(layout: &Layout, row: &Row) -> bool {
    let says =
        |field: &str, is: fn(&str) -> Option<bool>| layout.all(field).iter().any(|at| is(row.cell(*at)) != Some(false));
    layout.of_deletions || says("deleted", value::flag) || says("active", value::denied)
}

/// Whether a row has little more than the id of its note.
fn is_bare(layout: &Layout, row: &Row) -> bool {
    layout.column("text").is_none_or(|at| value::text(row.cell(at)).is_none())
}
