//! Lines of an export that are no rows of its table: what stands around it, and records of another kind between its own.
//!
//! Invariant: only what plainly is none is passed over; anything else that cannot be read is a dead letter.

use super::columns::{Layout, Table};
use super::rows::Row;
use super::value::{self, Says};

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

/// Whether a line behind a blank one is none of the table: the one cell of it has no place there, as the name of a report.
pub(super) fn is_below(row: &Row, layout: &Layout) -> bool {
    let mut filled = row.cells().enumerate().filter(|(_, cell)| value::text(cell).is_some());
    match (filled.next(), filled.next()) {
        // An id alone may be a row that is cut off, or one of a list of what is gone.
        (Some((at, cell)), None) => {
            layout.width > 2
                && (layout.column(layout.table.own_key()) != Some(at) || cell.split_whitespace().nth(1).is_some())
        }
        _ => false,
    }
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
