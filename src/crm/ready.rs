//! What is found out about a source before its rows are read: what its dates with slashes mean, and which company is meant
//! where contacts name their company and not its id.
//!
//! Invariant: what is found holds for all files of a table; where it is in doubt, nothing is found.

pub(super) mod alike;
mod columns;
mod consents;
mod whose;

use std::path::Path;
use std::sync::Arc;

use self::columns::Columns;
use super::columns::{Layout, Table};
use super::files::{glance, of_set, passed_by_name, reading};
use super::forms;
use super::headers::{normal, shown};
use super::names::{ByName, People};
use super::objections::in_notes;
use super::reader::stated_encoding;
use super::rows::{Export, Row, Rows};
use super::shared::Shared;
use super::{CrmError, CsvSource, DateOrder, FileSet, Shape, Versions, value, when};

/// So many rows of a file are looked at for a date that can be read in one way alone, and so many for any with slashes.
const ROWS: usize = 2000;
const BEFORE_ANY: usize = 50;
/// Fewer odd cells are slips.
const FEWEST_ODD: u32 = 5;
/// So many rows that are numbered from one on are no accident.
const FEWEST_NUMBERED: u64 = 3;
/// A column with more values than this holds no answers, unless its header says so.
const MOST_VALUES: usize = 64;
/// Contacts with more columns in doubt than this are none.
const MOST_IN_DOUBT: usize = 64;
/// Fields that hold dates.
const DATES: [&str; 6] = ["updated_at", "created_at", "written_at", "valid_from", "valid_to", "recorded_at"];

/// The source as its files are to be read; relative paths start at `base`. Who reads it several times makes it ready once.
///
/// # Errors
/// A file that cannot be read, or whose header lacks what its table needs.
pub fn ready(source: &CsvSource, base: &Path) -> Result<CsvSource, CrmError> {
    let mut ready = source.clone();
    if std::mem::replace(&mut ready.contacts.is_ready, true) {
        return Ok(ready);
    }
    tell_passed(&ready, base)?;
    look_at_files(Table::Contacts, &mut ready.contacts, base)?;
    if let Some(set) = &mut ready.notes {
        look_at_files(Table::Notes, set, base)?;
    }
    if !ready.contacts.as_written {
        forms::tell(&mut ready, base)?;
    }
    let source = ready.clone();
    if ready.accounts.is_none() && names_companies(&source.contacts, base)? {
        ready.accounts = Some(FileSet { of_contacts: true, ..source.contacts.clone() });
    }
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
    look_at_ids(Table::Contacts, &mut ready.contacts, base)?;
    let noes_alone = ready.contacts.noes_alone;
    ready.contacts.by_cell =
        if noes_alone { clear_columns(&mut ready.contacts, base) } else { check_columns(&source.contacts, base) }?;
    if !noes_alone {
        whose::check_lists(&ready.contacts, base)?;
    }
    if let Some(consents) = &mut ready.consents {
        consents.shape.clone_from(&ready.contacts.shape);
        if !noes_alone {
            consents::check(&ready.contacts, consents, base)?;
        }
    }
    tie(&mut ready, &source, base)?;
    Ok(ready)
}

/// Finds out what names of companies and people mean, which rows of notes hold, and what is written in them of a no.
fn tie(ready: &mut CsvSource, source: &CsvSource, base: &Path) -> Result<(), CrmError> {
    let (mut contacts, mut notes, mut people) = (false, false, false);
    each_csv(Table::Contacts, &source.contacts, base, |_, rows| {
        contacts |= lacks(rows.layout(), "account_record", "account_name");
        Ok(!contacts)
    })?;
    // An API has ids, but where there is nobody else whose they are.
    contacts |= ready.accounts.as_ref().is_some_and(|set| set.of_contacts);
    if let Some(set) = &source.notes {
        (notes, people) = goes_by_names(set, base)?;
    }
    if let Some(accounts) = ready.accounts.as_ref().filter(|_| contacts || notes) {
        let by_name = Arc::new(by_name(accounts, base)?);
        ready.contacts.by_name = Some(Arc::clone(&by_name)).filter(|_| contacts);
        if let Some(set) = ready.notes.as_mut().filter(|_| notes) {
            set.by_name = Some(by_name);
        }
    }
    if let Some(set) = &mut ready.notes {
        set.versions = Versions::of(set, base)?.map(Arc::new);
    }
    if people {
        let people = Arc::new(people_of(&ready.contacts, base)?);
        if let Some(set) = &mut ready.notes {
            set.people = Some(people);
        }
    }
    if let Some(set) = &ready.notes {
        ready.contacts.noted = Some(in_notes(set, base)?).filter(|noted| !noted.is_empty()).map(Arc::new);
    }
    Ok(())
}

/// Tells what is no export by its name, and is passed over.
fn tell_passed(source: &CsvSource, base: &Path) -> Result<(), CrmError> {
    let others = [&source.accounts, &source.consents, &source.notes];
    for set in std::iter::once(&source.contacts).chain(others.into_iter().flatten()) {
        for path in passed_by_name(set, base)? {
            let (shown, is_folder) = (path.display(), path.is_dir());
            if is_folder {
                tracing::warn!("{shown} is a folder whose name begins with `_`: nothing in it is read");
            } else {
                tracing::info!("{shown} is no export by its name, and passed over");
            }
        }
    }
    Ok(())
}

/// Finds out which files of a set are passed over: an empty file of notes has nothing to say, nor has, beside others, an empty list
/// of what was deleted. A file that cannot be understood is no empty one.
fn look_at_files(table: Table, set: &mut FileSet, base: &Path) -> Result<(), CrmError> {
    let files = of_set(table, set, base)?;
    let (is_alone, stated) = (files.len() == 1, stated_encoding(table, set)?);
    set.is_alone = is_alone;
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let may_be_empty = table == Table::Notes || (!is_alone && value::is_of_deletions(&name));
        if may_be_empty && glance(&path, stated)?.empty {
            set.passed.push(path);
        }
    }
    Ok(())
}

/// Finds out what the ids of a table look like, for its files of which no row can be read.
fn look_at_ids(table: Table, set: &mut FileSet, base: &Path) -> Result<(), CrmError> {
    let stated = stated_encoding(table, set)?;
    for path in of_set(table, set, base)? {
        let survey = glance(&path, stated)?;
        if survey.empty {
            continue;
        }
        let mut rows = Rows::of(&Export { table, set, path: &path, name: "", survey: &survey })?;
        if let Some(Ok(row)) = rows.next_row()?
            && let Some(id) = rows.layout().column(table.key()).and_then(|at| value::text(row.cell(at)))
        {
            set.shape = Some(Arc::new(Shape::of(id)));
            break;
        }
    }
    Ok(())
}

/// Calls `take` with each CSV file of a table, open; other formats say by themselves what their dates mean, and have ids.
fn each_csv(
    table: Table,
    set: &FileSet,
    base: &Path,
    mut take: impl FnMut(&Path, Rows) -> Result<bool, CrmError>,
) -> Result<(), CrmError> {
    let stated = stated_encoding(table, set)?;
    for path in of_set(table, set, base)? {
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

/// Looks at all cells of contacts before one is believed: a flag that cannot be read counts as set, and no export lifts it; a no
/// in a column that is not read is passed over; and a row's number is nobody's id.
///
/// Tells the columns that no field stands for and that are read cell by cell.
fn check_columns(contacts: &FileSet, base: &Path) -> Result<Vec<String>, CrmError> {
    let mut by_cell = Vec::new();
    let stated = stated_encoding(Table::Contacts, contacts)?;
    for path in of_set(Table::Contacts, contacts, base)? {
        let survey = reading(&path, stated)?;
        if survey.empty {
            continue;
        }
        let export = Export { table: Table::Contacts, set: contacts, path: &path, name: "", survey: &survey };
        let mut rows = Rows::of(&export)?;
        let mut columns = Columns::of(rows.layout(), contacts);
        let mut shared = Shared::of(rows.layout()).filter(|_| !contacts.columns.contains_key("record_id"));
        let mut seen = 0;
        while let Some(item) = rows.next_row()? {
            seen += 1;
            if seen > ROWS && columns.others.is_empty() {
                // Where all columns are read, some rows tell what they hold.
                break;
            }
            if let Ok(row) = item {
                if let Some(shared) = shared.as_mut().filter(|_| seen <= ROWS) {
                    shared.look(&row);
                }
                columns.look(&row);
            }
        }
        let header = |at| shown(rows.layout().header_of(at));
        if let Some((field, at)) = columns.odd() {
            return Err(CrmError::OddFlags { path, header: header(at), field });
        }
        if let Some(other) = columns.others.iter().find(|other| other.is_in_doubt()) {
            return Err(CrmError::UnknownNo { path, header: header(other.at) });
        }
        by_cell.extend(columns.others.iter().filter(|other| other.is_read()).map(|other| header(other.at)));
        if let Some(at) = columns.numbered() {
            return Err(CrmError::RowNumbers { path, header: header(at) });
        }
        if let Some(at) = shared.as_ref().and_then(Shared::column) {
            return Err(CrmError::SharedId { path, header: header(at) });
        }
    }
    Ok(by_cell)
}

/// The same without columns that somebody has to name first: what others say is clear all the same.
fn clear_columns(contacts: &mut FileSet, base: &Path) -> Result<Vec<String>, CrmError> {
    loop {
        match check_columns(contacts, base) {
            Err(CrmError::OddFlags { header, .. } | CrmError::UnknownNo { header, .. })
                if contacts.ignored.len() < MOST_IN_DOUBT && !contacts.ignored.contains(&header) =>
            {
                contacts.ignored.push(header);
            }
            other => return other,
        }
    }
}

/// Whether files of notes name companies, and contacts, and not their ids.
fn goes_by_names(notes: &FileSet, base: &Path) -> Result<(bool, bool), CrmError> {
    let (mut companies, mut people, stated) = (false, false, stated_encoding(Table::Notes, notes)?);
    for path in of_set(Table::Notes, notes, base)? {
        let survey = glance(&path, stated)?;
        let rows = Rows::of(&Export { table: Table::Notes, set: notes, path: &path, name: "", survey: &survey })?;
        let lacks = |id: &str, name: &str| lacks(rows.layout(), id, name);
        companies |= lacks("account_record", "account_name");
        people |= lacks("contact_id", "contact_name") || lacks("contact_id", "contact_email");
    }
    Ok((companies, people))
}

/// Whether a file names somebody and not their id.
fn lacks(layout: &Layout, id: &str, name: &str) -> bool {
    layout.column(id).is_none() && layout.column(name).is_some()
}

/// Whether files of contacts name companies.
fn names_companies(contacts: &FileSet, base: &Path) -> Result<bool, CrmError> {
    let (mut any, stated) = (false, stated_encoding(Table::Contacts, contacts)?);
    for path in of_set(Table::Contacts, contacts, base)? {
        let survey = glance(&path, stated)?;
        if !survey.empty {
            let export = Export { table: Table::Contacts, set: contacts, path: &path, name: "", survey: &survey };
            any |= Rows::of(&export)?.layout().column("account_name").is_some();
        }
    }
    Ok(any)
}

fn by_name(accounts: &FileSet, base: &Path) -> Result<ByName, CrmError> {
    let mut found = ByName::default();
    each_row(Table::Accounts, accounts, base, |layout, row| {
        let cell = |field: &str| value::text(row.cell(layout.column(field)?));
        let is_gone = cell("deleted").is_some_and(|cell| value::flag(cell) != Some(false));
        if let Some((name, id)) = cell("name").zip(cell("record_id")).filter(|_| !is_gone) {
            found.add(name, id, layout.of_contacts);
        }
    })?;
    Ok(found)
}

fn people_of(contacts: &FileSet, base: &Path) -> Result<People, CrmError> {
    let mut found = People::default();
    each_row(Table::Contacts, contacts, base, |layout, row| {
        let cell = |field: &str| value::text(row.cell(layout.column(field)?));
        let parts = || [cell("given_name"), cell("family_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = cell("full_name").map_or_else(parts, str::to_owned);
        let Some(id) = cell("record_id") else { return };
        if !name.is_empty() {
            found.add(&name, layout.company_of(row).as_deref(), id);
        }
        let columns = ["email", "email_2"].into_iter().flat_map(|field| layout.all(field));
        for address in columns.flat_map(|at| value::emails(row.cell(*at)).0) {
            found.add_address(&address, id);
        }
    })?;
    Ok(found)
}

/// Calls `take` with each readable row of a table.
fn each_row(table: Table, set: &FileSet, base: &Path, mut take: impl FnMut(&Layout, &Row)) -> Result<(), CrmError> {
    let stated = stated_encoding(table, set)?;
    for path in of_set(table, set, base)? {
        let survey = reading(&path, stated)?;
        let mut rows = Rows::of(&Export { table, set, path: &path, name: "", survey: &survey })?;
        while let Some(item) = rows.next_row()? {
            if let Ok(row) = item {
                take(rows.layout(), &row);
            }
        }
    }
    Ok(())
}
