//! What is found out about a source before its rows are read: what its dates with slashes mean, and which company is meant
//! where contacts name their company and not its id.
//!
//! Invariant: what is found holds for all files of a table; where it is in doubt, nothing is found.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::columns::{Layout, Table};
use super::files::{expand, glance};
use super::reader::stated_encoding;
use super::rows::{Export, Row, Rows};
use super::{CrmError, CsvSource, DateOrder, FLAGS, FileSet, value, when};

/// So many rows of a file are looked at for a date that can be read in one way alone, and so many for any with slashes.
const ROWS: usize = 2000;
const BEFORE_ANY: usize = 50;
/// Fewer odd cells are slips.
const FEWEST_ODD: u32 = 5;
/// Fields that hold dates.
const DATES: [&str; 6] = ["updated_at", "created_at", "written_at", "valid_from", "valid_to", "recorded_at"];

/// Record ids of companies by their names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ByName(HashMap<String, Option<String>>);

impl ByName {
    /// The id of the only company of that name.
    pub(super) fn id_of(&self, name: &str) -> Option<String> {
        self.0.get(&key(name)).cloned().flatten()
    }

    fn add(&mut self, name: &str, id: &str) {
        let is_other = |there: &Option<String>| there.as_deref() != Some(id);
        match self.0.get_mut(&key(name)) {
            Some(there) if is_other(there) => *there = None,
            Some(_) => {}
            None => drop(self.0.insert(key(name), Some(id.to_owned()))),
        }
    }
}

fn key(name: &str) -> String {
    // vtiger writes "Accounts::::Name".
    let name = name.rsplit_once("::::").map_or(name, |(_, name)| name);
    value::collapse(name).to_lowercase()
}

/// The source as its files are to be read.
///
/// # Errors
/// A file that cannot be read, or whose header lacks what its table needs.
pub(super) fn ready(source: &CsvSource, base: &Path) -> Result<CsvSource, CrmError> {
    let mut ready = source.clone();
    let sets = [
        (Table::Contacts, Some(&mut ready.contacts)),
        (Table::Accounts, ready.accounts.as_mut()),
        (Table::Consents, ready.consents.as_mut()),
        (Table::Notes, ready.notes.as_mut()),
    ];
    for (table, set) in sets {
        if let Some(set) = set.filter(|set| set.date_order.is_none()) {
            set.date_order = order_of(table, set, base)?;
        }
    }
    check_flags(&source.contacts, base)?;
    if let Some(accounts) = &source.accounts
        && any_without_id(&source.contacts, base)?
    {
        ready.contacts.by_name = Some(Arc::new(by_name(accounts, base)?));
    }
    Ok(ready)
}

/// Calls `take` with each CSV file of a table, open; other formats say by themselves what their dates mean, and have ids.
fn each_csv(
    table: Table,
    set: &FileSet,
    base: &Path,
    mut take: impl FnMut(&Path, Rows) -> Result<bool, CrmError>,
) -> Result<(), CrmError> {
    let stated = stated_encoding(table, set)?;
    for path in expand(table.name(), base, &set.path)? {
        let survey = glance(&path, stated)?;
        if survey.empty || survey.parquet {
            continue;
        }
        let rows = Rows::csv(&Export { table, set, path: &path, name: "", survey: &survey })?;
        if let Some(rows) = rows
            && !take(&path, rows)?
        {
            break;
        }
    }
    Ok(())
}

/// What the dates of a table say of their order; `None` = nothing, or this and that.
fn order_of(table: Table, set: &FileSet, base: &Path) -> Result<Option<DateOrder>, CrmError> {
    let (mut day_first, mut month_first) = (false, false);
    each_csv(table, set, base, |_, mut rows| {
        let columns: Vec<usize> = DATES.iter().flat_map(|field| rows.layout().all(field).to_vec()).collect();
        let mut any = false;
        for at in 0..if columns.is_empty() { 0 } else { ROWS } {
            let Some(item) = rows.next_row()? else { break };
            let Ok(row) = item else { continue };
            for (first, second) in columns.iter().filter_map(|column| when::slashed(row.cell(*column))) {
                any = true;
                day_first |= first > 12;
                month_first |= second > 12;
            }
            if at >= BEFORE_ANY && !any {
                break;
            }
        }
        Ok(!(day_first && month_first))
    })?;
    Ok(match (day_first, month_first) {
        (false, true) => Some(DateOrder::MonthFirst),
        (true, false) => Some(DateOrder::DayFirst),
        _ => None,
    })
}

/// A flag that cannot be read counts as set, and no export lifts it: a column that was found by its name and holds neither yes
/// nor no in most rows is something else.
fn check_flags(contacts: &FileSet, base: &Path) -> Result<(), CrmError> {
    each_csv(Table::Contacts, contacts, base, |path, mut rows| {
        let found = rows.layout().each().filter(|(field, _)| {
            (FLAGS.contains(field) || matches!(*field, "email_allowed" | "active"))
                && !contacts.columns.contains_key(*field)
        });
        let columns: Vec<(String, usize)> =
            found.flat_map(|(field, at)| at.iter().map(|at| (field.to_owned(), *at)).collect::<Vec<_>>()).collect();
        let mut counts = vec![(0_u32, 0_u32); columns.len()];
        for _ in 0..if columns.is_empty() { 0 } else { ROWS } {
            let Some(item) = rows.next_row()? else { break };
            let Ok(row) = item else { continue };
            for ((_, at), (odd, all)) in columns.iter().zip(&mut counts) {
                let Some(cell) = value::text(row.cell(*at)) else { continue };
                (*odd, *all) = (*odd + u32::from(value::flag(cell).is_none()), *all + 1);
            }
        }
        let odd = columns.into_iter().zip(counts).find(|(_, (odd, all))| *odd >= FEWEST_ODD && odd * 2 > *all);
        match odd {
            Some(((field, at), _)) => {
                let header = rows.layout().header_of(at).to_owned();
                Err(CrmError::OddFlags { path: path.to_owned(), header, field })
            }
            None => Ok(true),
        }
    })
}

fn any_without_id(contacts: &FileSet, base: &Path) -> Result<bool, CrmError> {
    let mut any = false;
    each_csv(Table::Contacts, contacts, base, |_, rows| {
        let has = |field: &str| rows.layout().column(field).is_some();
        any |= has("account_name") && !has("account_record");
        Ok(!any)
    })?;
    Ok(any)
}

fn by_name(accounts: &FileSet, base: &Path) -> Result<ByName, CrmError> {
    let mut found = ByName::default();
    let mut add = |layout: &Layout, row: &Row| {
        let cell = |field: &str| value::text(row.cell(layout.column(field)?));
        let is_gone = cell("deleted").is_some_and(|cell| value::flag(cell) != Some(false));
        if let Some((name, id)) = cell("name").zip(cell("record_id")).filter(|_| !is_gone) {
            found.add(name, id);
        }
    };
    let stated = stated_encoding(Table::Accounts, accounts)?;
    for path in expand(Table::Accounts.name(), base, &accounts.path)? {
        let survey = glance(&path, stated)?;
        let mut rows =
            Rows::of(&Export { table: Table::Accounts, set: accounts, path: &path, name: "", survey: &survey })?;
        while let Some(item) = rows.next_row()? {
            if let Ok(row) = item {
                add(rows.layout(), &row);
            }
        }
    }
    Ok(found)
}
