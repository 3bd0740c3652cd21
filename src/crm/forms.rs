//! Ids of Salesforce in two forms: where exports of one source have both, all of them are read in the long one.
//!
//! Invariant: one record has one id, whichever export names it; an id of which only one form comes stays as it is written.

use std::path::Path;

use super::columns::{Layout, Table};
use super::files::{glance, of_set};
use super::reader::stated_encoding;
use super::rows::{Export, Row, Rows};
use super::{CrmError, CsvSource, FileSet, value};
use crate::ids::{is_long_form, long_form};

/// So many rows of a file tell which form it has: an export has one.
const ROWS: usize = 200;
/// Fields that hold ids.
const IDS: [&str; 6] = ["record_id", "account_record", "contact_id", "regarding", "merged_into", "merged_ids"];

/// The forms that were seen.
#[derive(Default)]
struct Seen {
    short: bool,
    long: bool,
}

impl Seen {
    fn look(&mut self, layout: &Layout, row: &Row) {
        let cells = IDS.iter().flat_map(|field| layout.all(field)).filter_map(|at| value::text(row.cell(*at)));
        for id in cells {
            self.short |= long_form(id).is_some();
            self.long |= is_long_form(id);
        }
    }

    fn table(&mut self, table: Table, set: &FileSet, base: &Path) -> Result<(), CrmError> {
        let stated = stated_encoding(table, set)?;
        for path in of_set(table, set, base)? {
            let survey = glance(&path, stated)?;
            if survey.empty {
                continue;
            }
            let mut rows = Rows::of(&Export { table, set, path: &path, name: "", survey: &survey })?;
            for _ in 0..ROWS {
                let Some(item) = rows.next_row()? else { break };
                if let Ok(row) = item {
                    self.look(rows.layout(), &row);
                }
            }
            if table == Table::Contacts && !(self.short || self.long) {
                break;
            }
        }
        Ok(())
    }
}

/// Tells each set of a source whether ids are to be read in the long form.
pub(super) fn tell(source: &mut CsvSource, base: &Path) -> Result<(), CrmError> {
    let mut seen = Seen::default();
    seen.table(Table::Contacts, &source.contacts, base)?;
    if !(seen.short || seen.long) {
        // Contacts of Salesforce are known by their ids.
        return Ok(());
    }
    let others = [(Table::Accounts, &source.accounts), (Table::Consents, &source.consents), (Table::Notes, &source.notes)];
    for (table, set) in others {
        if let Some(set) = set {
            seen.table(table, set, base)?;
        }
    }
    let both = seen.short && seen.long;
    let others = [&mut source.accounts, &mut source.consents, &mut source.notes].into_iter().flatten();
    others.chain([&mut source.contacts]).for_each(|set| set.long_ids = both);
    Ok(())
}

/// A row with its ids in the long form; `None` = as it is.
pub(super) fn lengthened(layout: &Layout, row: &Row) -> Option<Row> {
    let columns: Vec<usize> = IDS.iter().flat_map(|field| layout.all(field)).copied().collect();
    let long = |at: usize, cell: &str| {
        let ids = cell.split_inclusive([';', ',', '|']).map(|part| {
            let id = part.trim_matches([' ', ';', ',', '|']);
            long_form(id).map_or_else(|| part.to_owned(), |long| part.replace(id, &long))
        });
        if columns.contains(&at) { ids.collect() } else { cell.to_owned() }
    };
    let is_short = |at: &usize| row.cell(*at).split([';', ',', '|']).any(|id| long_form(id.trim()).is_some());
    columns.iter().any(is_short).then(|| {
        let cells: Vec<String> = row.cells().enumerate().map(|(at, cell)| long(at, cell)).collect();
        let new = Row::of_cells(&cells, &row.origin.file, row.origin.line, row.origin.unit);
        // A row is known by what stands in the file.
        Row { origin: row.origin.clone(), ..new }
    })
}
