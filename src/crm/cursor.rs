//! The newest date of change among the rows of a file: from there on the CRM need be asked again.
//!
//! Invariant: what cannot be read as a date, or lies behind the run's clock, moves nothing: a cursor that is too old costs rows that
//! are read twice, one that is too new loses changes.

use jiff::Timestamp;

use super::columns::{Layout, Table};
use super::rows::Row;
use super::when::{DateOrder, When, stamp};

/// Follows the rows of a file.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// Where dates of change stand, and the run's clock; `None` = nothing is followed.
    followed: Option<(usize, Timestamp)>,
    order: DateOrder,
    newest: Option<Timestamp>,
    /// The cell of the newest.
    cell: String,
}

impl Cursor {
    /// Of a note without a date of change, the day on which it was written counts.
    pub(super) fn of(layout: &Layout) -> Self {
        let fields: &[&str] = match layout.table {
            // Its rows are contacts.
            Table::Accounts if layout.of_contacts => &[],
            Table::Contacts | Table::Accounts => &["updated_at"],
            Table::Consents => &["recorded_at"],
            Table::Notes => &["updated_at", "written_at"],
        };
        let column = fields.iter().find_map(|field| layout.column(field));
        Self { followed: column.zip(layout.now), order: layout.order, ..Self::default() }
    }

    pub(super) fn look(&mut self, row: &Row) {
        let Some((column, now)) = self.followed else { return };
        let cell = row.cell(column);
        if cell.is_empty() || is_older(cell, &self.cell) {
            return;
        }
        let Some(at) = stamp(cell, self.order).map(When::start) else { return };
        if at <= now && self.newest.is_none_or(|newest| at > newest) {
            self.newest = Some(at);
            cell.clone_into(&mut self.cell);
        }
    }

    pub(super) const fn newest(&self) -> Option<Timestamp> {
        self.newest
    }
}

/// Whether two cells are of one form that sorts as text (`2026-03-02T03:00:00Z`), and the first is not the newer: then it need not
/// be read.
fn is_older(cell: &str, than: &str) -> bool {
    let (cell, than) = (cell.as_bytes(), than.as_bytes());
    let is_alike = |(a, b): (&u8, &u8)| a == b || a.is_ascii_digit() && b.is_ascii_digit();
    let zone =
        |cell: &[u8]| cell.iter().skip(10).position(|b| matches!(b, b'+' | b'-')).map(|at| cell[10 + at..].to_vec());
    cell.len() == than.len()
        && cell.len() >= 10
        && (cell[4], cell[7]) == (b'-', b'-')
        && cell.iter().zip(than).all(is_alike)
        && zone(cell) == zone(than)
        && cell <= than
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::{FileSet, Unit};

    /// The cursor behind some cells, at noon of the second of March.
    fn behind(cells: &[&str]) -> Option<String> {
        let now = Some("2026-03-02T12:00:00Z".parse().expect("an instant"));
        let header = ["Id", "Nachname", "updated_at"].map(str::to_owned);
        let set = FileSet { now, ..FileSet::default() };
        let layout = Layout::resolve(Table::Contacts, &set, &header, std::path::Path::new("c.csv")).expect("headers");
        let mut cursor = Cursor::of(&layout);
        for cell in cells {
            let cells = ["1", "Muster", cell].map(str::to_owned);
            cursor.look(&Row::of_cells(&cells, &"c.csv".into(), 1, Unit::Line));
        }
        cursor.newest().map(|at| at.to_string())
    }

    #[test]
    fn it_stands_at_the_newest_date_that_has_come() {
        let cases: [(&[&str], Option<&str>); 8] = [
            (&["2026-03-01T08:00:00Z", "2026-03-01T07:59:59Z", "2026-03-01T08:00:01Z"], Some("2026-03-01T08:00:01Z")),
            (&["2026-03-01 08:00:00", "", "nie", "28.02.2026"], Some("2026-03-01T08:00:00Z")),
            // Read as text, the second would be the older.
            (&["2026-03-01T08:30:00+02:00", "2026-03-01T08:00:00+01:00"], Some("2026-03-01T07:00:00Z")),
            (&["2026-03-01T08:00:00-05:00", "2026-03-01T09:30:00-02:00"], Some("2026-03-01T13:00:00Z")),
            (&["02.03.2026", "01.12.2025", "31.12.2025"], Some("2026-03-02T00:00:00Z")),
            // One slip must not keep all later changes from being asked for, however small.
            (&["2026-03-01", "2026-03-02T12:00:01Z", "2099-01-01"], Some("2026-03-01T00:00:00Z")),
            (&["2099-01-01"], None),
            (&[], None),
        ];
        for (cells, cursor) in cases {
            assert_eq!(behind(cells).as_deref(), cursor, "{cells:?}");
            let mut turned = cells.to_vec();
            turned.reverse();
            assert_eq!(behind(&turned).as_deref(), cursor, "{turned:?}");
        }
    }

    proptest::proptest! {
        /// What is passed over unread is older.
        #[test]
        fn the_look_as_text_changes_nothing(
            seconds in proptest::collection::vec((1_700_000_000_i64..1_772_452_800, 0_usize..5), 1..20)
        ) {
            let written = |(second, form): &(i64, usize)| {
                let at = Timestamp::from_second(*second).expect("in range");
                let local = |hours: i8| jiff::tz::Offset::constant(hours).to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S").to_string();
                match form {
                    0 => at.to_string(),
                    1 => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                    2 => local(2) + "+02:00",
                    3 => local(-5) + "-05:00",
                    _ => at.strftime("%d.%m.%Y %H:%M:%S").to_string(),
                }
            };
            let cells: Vec<String> = seconds.iter().map(written).collect();
            let newest = seconds.iter().map(|(second, _)| *second).max().expect("one");
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            proptest::prop_assert_eq!(behind(&cells), Some(Timestamp::from_second(newest).expect("in range").to_string()));
        }
    }
}
