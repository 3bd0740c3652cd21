//! Lines of an export that are no rows of its table: what stands around it, and records of another kind between its own.
//!
//! Invariant: only what plainly is none is passed over; anything else that cannot be read is a dead letter.

use super::columns::{Layout, Table};
use super::damaged::Shape;
use super::headers::normal;
use super::rows::Row;
use super::value::{self, Says};
use crate::consent::dialect::refusal_of;
use crate::consent::event::EventKind;

/// A number with fewer digits may be one of rows, or a year.
const SHORTEST_NUMBER: usize = 5;
/// No header is longer, in bytes.
const MOST_OF_HEADER: usize = 256;

/// Whether a line is none of the table: a sum or a date below it, or the header line once more.
pub(super) fn is_around(row: &Row, header: &[String]) -> bool {
    let mut filled = row.cells().filter_map(value::text);
    let (first, second) = (filled.next(), filled.next());
    match (first, second) {
        (Some(only), None) => value::is_around_tables(only),
        // Of one column, a value may be its header.
        (Some(_), Some(_)) => row.cells().take(header.len()).eq(header.iter().map(String::as_str)),
        (None, _) => true,
    }
}

/// Whether a line is a header once more, and whether with its columns in the same order. Headers as they are compared.
pub(super) fn is_header(row: &Row, keys: &[String]) -> Option<bool> {
    let first = row.cells().position(|cell| value::text(cell).is_some())?;
    // Most rows begin with an id.
    let is_one = |cell: &str| cell.len() < MOST_OF_HEADER && keys.contains(&normal(cell));
    if keys.len() < 2 || !is_one(row.cell(first)) {
        return None;
    }
    let filled = row.cells().filter(|cell| value::text(cell).is_some()).count();
    let ones = row.cells().filter(|cell| is_one(cell)).count();
    let in_order = || row.cells().zip(keys).all(|(cell, key)| normal(cell) == *key || value::text(cell).is_none());
    // Data may have one word of a header, or two.
    (ones * 3 > filled * 2 && ones > 1 && filled * 2 > keys.len()).then(in_order)
}

/// Whether a line behind a blank one is none of the table: the one cell of it has no place there, as the name of a report.
pub(super) fn is_below(row: &Row, layout: &Layout) -> bool {
    let mut filled = row.cells().enumerate().filter(|(_, cell)| value::text(cell).is_some());
    match (filled.next(), filled.next()) {
        // An id alone may be a row that is cut off, or one of a list of what is gone.
        // Of consents it may be the no of somebody.
        (Some((at, cell)), None) if layout.table == Table::Consents => {
            layout.width > 2 && layout.column(layout.table.own_key()) == Some(at) && is_remark(cell, None)
        }
        (Some((at, cell)), None) => {
            layout.width > 2
                && (layout.column(layout.table.own_key()) != Some(at) || cell.split_whitespace().nth(1).is_some())
        }
        _ => false,
    }
}

/// Whether a cell is words about a table: several, of which none says no, or looks like an id.
pub(super) fn is_remark(cell: &str, shape: Option<&Shape>) -> bool {
    let is_text = cell.contains(' ') && !cell.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
    let words = || cell.split(|c: char| c.is_whitespace() || ",;|:()".contains(c)).filter(|word| !word.is_empty());
    let is_no = |word: &str| EventKind::read(word).is_some_and(EventKind::is_negative);
    let has_digit = |word: &str| word.bytes().any(|b| b.is_ascii_digit());
    // A plain number counts the rows, or is a year.
    let is_number = |word: &str| word.len() < SHORTEST_NUMBER && word.bytes().all(|b| b.is_ascii_digit());
    let is_id = |word: &str| match shape {
        _ if !has_digit(word) || is_number(word) => false,
        Some(shape) => shape.is_of(word, false),
        None => word.starts_with(char::is_alphabetic),
    };
    is_text
        && !words().any(|word| is_no(word) || is_id(word))
        && refusal_of(false, std::iter::once(("name", cell))).is_none()
}

/// Whether a row is a company among contacts, a person among companies, or the address of one.
pub(super) fn is_of_another_kind(layout: &Layout, row: &Row) -> bool {
    let cell = |field: &str| value::text(row.cell(layout.column(field)?));
    let company = || cell("is_company").and_then(value::says);
    let is_of = |is: fn(&str) -> bool| cell("record_kind").is_some_and(is);
    match layout.table {
        Table::Contacts => {
            company() == Some(Says::Yes)
                || (is_nameless(&cell) && (is_of(value::is_address) || is_of(value::is_company_kind)))
        }
        Table::Accounts if layout.of_contacts => cell("name").is_none(),
        Table::Accounts => company() == Some(Says::No) || is_of(|kind| value::is_contact_kind(kind) == Some(true)),
        Table::Consents | Table::Notes => false,
    }
}

fn is_nameless<'r>(cell: &impl Fn(&str) -> Option<&'r str>) -> bool {
    ["given_name", "family_name", "full_name"].into_iter().all(|field| cell(field).is_none())
}
