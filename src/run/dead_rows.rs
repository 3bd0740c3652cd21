//! On how many rows of the exports there are dead letters.
//!
//! Invariant: a row counts once, however many letters are about it. Memory is a bit for each row of the exports at most.

use std::collections::HashMap;

use arrow_array::cast::AsArray;

use crate::sink::{self, SinkError, Snapshot, Table};

/// Lines that share an entry of the map.
const PAGE: u64 = 512;

/// Rows that were seen.
#[derive(Debug, Default)]
struct Rows {
    /// The files, by what letters call them.
    files: HashMap<String, u32>,
    /// Of each file the lines that were seen, a bit each.
    lines: HashMap<(u32, u64), [u64; (PAGE / 64) as usize]>,
    count: u64,
}

impl Rows {
    /// Takes note of a letter by its detail. One that names no row is about something else, and counts for itself.
    fn add(&mut self, detail: &str) {
        let is_new = place(detail).is_none_or(|(file, line)| {
            let known = self.files.get(file).copied();
            let next = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
            let file = known.unwrap_or_else(|| *self.files.entry(file.to_owned()).or_insert(next));
            let (page, at) = (line / PAGE, line % PAGE);
            let bits = &mut self.lines.entry((file, page)).or_default()[(at / 64) as usize];
            let bit = 1 << (at % 64);
            let is_new = *bits & bit == 0;
            *bits |= bit;
            is_new
        });
        self.count += u64::from(is_new);
    }
}

/// File and line that a letter begins with: `contacts.csv line 12, field email: ...`. The name of the file may hold anything.
fn place(detail: &str) -> Option<(&str, u64)> {
    let units = [" line ", " row ", " record "].into_iter();
    let mut ends: Vec<(usize, &str)> = units.flat_map(|unit| detail.match_indices(unit)).collect();
    ends.sort_unstable();
    ends.into_iter().find_map(|(end, unit)| {
        let rest = &detail[end + unit.len()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let is_end = rest[digits..].is_empty() || rest[digits..].starts_with([',', ':']);
        Some((&detail[..end], rest[..digits].parse().ok().filter(|_| is_end)?))
    })
}

/// Counts the rows that the dead letters of a snapshot are about.
///
/// # Errors
/// It cannot be read.
pub(super) fn count(staged: &Snapshot) -> Result<u64, SinkError> {
    let mut rows = Rows::default();
    for batch in sink::read_columns(staged, Table::DeadLetters, &["detail"])? {
        let batch = batch?;
        let details = batch.column_by_name("detail").and_then(|column| column.as_string_opt::<i32>());
        details.into_iter().flatten().flatten().for_each(|detail| rows.add(detail));
    }
    Ok(rows.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_begins_with_its_row() {
        for (detail, expected) in [
            ("contacts.csv line 12, field email: write one", Some(("contacts.csv", 12))),
            ("a/b row 3: another record has line 9, as it is", Some(("a/b", 3))),
            ("hubspot.json record 7: no date", Some(("hubspot.json", 7))),
            ("of line 4 in: May.csv line 2: merge the two", Some(("of line 4 in: May.csv", 2))),
            ("a line 3 row 8.csv line 5", Some(("a line 3 row 8.csv", 5))),
            ("column title: not read", None),
            ("every row of it says so", None),
            ("a.csv line 99999999999999999999: too far", None),
        ] {
            assert_eq!(place(detail), expected, "{detail}");
        }
    }

    #[test]
    fn a_row_counts_once_and_what_names_none_for_itself() {
        let mut rows = Rows::default();
        for line in [2, 2, 511, 512, 2, 513, 1_000_000_000, 512] {
            rows.add(&format!("a.csv line {line}, field email: write one"));
        }
        assert_eq!((rows.count, rows.lines.len()), (5, 3));
        rows.add("b.csv line 2: ends early");
        rows.add("column title: not read");
        rows.add("column title: not read");
        assert_eq!(rows.count, 8);
        // Of a large export a bit a row.
        (0..100_000).for_each(|line| rows.add(&format!("c.csv row {line}: ends early")));
        assert_eq!((rows.count, rows.lines.len()), (100_008, 4 + 196));
    }
}
