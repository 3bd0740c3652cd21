//! A row of a contact export as a [`CrmContact`].
//!
//! Invariant: a flag that cannot be read counts as set.

use jiff::Timestamp;

use super::columns::{BY_CELL, HANDLE, NOES};
use super::objections;
use super::reader::Cells;
use super::remarks;
use super::value::{self, Says};
use super::when::{When, stamp};
use super::{CrmContact, CrmDeadLetter, CrmPull, Flags};
use crate::consent::dialect::{CellSays, cell_says, flags_of_cell, noes_of_cell};
use crate::model::Personal;

/// Reads a contact, or tells why the row is none.
pub(super) fn read(cells: &mut Cells<'_>) -> Result<CrmContact, Box<CrmDeadLetter>> {
    let flags = flags(cells);
    let Some(record_id) = cells.text("record_id").map(str::to_owned) else {
        return Err(cells.letter("missing_id", Some("record_id"), "give the contact its CRM id"));
    };
    let (given, family) = name(cells);
    let merged_into = merged_into(cells, &record_id);
    let deleted = is_gone(cells);
    // Of a record that is gone an export may have little more than its id.
    if family.is_empty() && !deleted && merged_into.is_none() {
        return Err(cells.letter("missing_name", Some("family_name"), "give the contact a family name"));
    }
    let updated_at = cells.when("updated_at")?.map(When::start).or_else(|| deleted_at(cells));
    let created_at = cells.when("created_at")?.map(When::start);
    let language = cells.text("language").and_then(value::language);
    let country =
        cells.read("country", "unknown_country", "write an ISO 3166 code such as DE, AT, CH or GB", value::country);
    Ok(CrmContact {
        account_record: cells.layout.company_of(cells.row),
        account_aliases: Vec::new(),
        given_name: Personal::new(given),
        family_name: Personal::new(family),
        emails: emails(cells),
        // "Dr." in a column of that name is no job.
        job_title: cells.line("job_title").filter(|title| !value::is_titles(title)).map(Personal::new),
        deleted,
        merged_into,
        merged_ids: merged_ids(cells, &record_id),
        handles: handles(cells),
        language,
        country,
        updated_at,
        created_at,
        flags,
        record_id,
        origin: cells.row.origin(),
    })
}

/// A flag, over all its columns.
pub(super) fn flag(cells: &mut Cells<'_>, field: &str) -> bool {
    // "bisher keine", "none on file"
    let is_none = |cell: &str| (cell_says(cell) == CellSays::Nothing).then_some(false);
    let read = |at: &usize| value::flag(cells.row.cell(*at)).or_else(|| is_none(cells.row.cell(*at)));
    let read: Vec<Option<bool>> = cells.layout.all(field).iter().map(read).collect();
    if read.contains(&None) {
        cells.note(field, "unreadable_flag", "counts as set; write yes or no (ja or nein)");
    }
    read.iter().any(|set| *set != Some(false))
}

/// Whether somebody tells why a flag is set, or who has set it.
fn has_why(cells: &Cells<'_>, field: &str) -> bool {
    let columns = cells.layout.whys().filter(|(flag, _)| *flag == field).flat_map(|(_, at)| at);
    let is_nothing = |cell: &str| match value::says(cell) {
        Some(says) => matches!(says, Says::Nothing | Says::No),
        None => cell_says(cell) == CellSays::Nothing,
    };
    columns.into_iter().any(|at| !is_nothing(cells.row.cell(*at)))
}

/// Whether a column of what may be done says no; an empty cell says nothing.
fn is_denied(cells: &mut Cells<'_>, field: &str) -> bool {
    // "ja, 12.03.2024", "given on paper"
    let is_yes = |cell: &str| (cell_says(cell) == CellSays::Yes).then_some(false);
    let read = |at: &usize| value::denied(cells.row.cell(*at)).or_else(|| is_yes(cells.row.cell(*at)));
    let read: Vec<Option<bool>> = cells.layout.all(field).iter().map(read).collect();
    if read.contains(&None) {
        cells.note(field, "unreadable_flag", "counts as a no; write yes or no (ja or nein)");
    }
    read.iter().any(|denied| *denied != Some(false))
}

/// Whether the record is deleted, or archived, or not active any more.
pub(super) fn is_gone(cells: &mut Cells<'_>) -> bool {
    let is_deleted = flag(cells, "deleted");
    let is_off = cells.text("statecode").is_some_and(|state| state == "1" || value::says(state) == Some(Says::Refused));
    is_denied(cells, "active") || is_deleted || cells.layout.of_deletions || is_off || remarks::says_gone(cells)
}

/// Since when the record is deleted, where its row says so and nothing of another change.
pub(super) fn deleted_at(cells: &Cells<'_>) -> Option<Timestamp> {
    let columns = cells.layout.all("deleted").iter();
    columns.filter_map(|at| stamp(value::text(cells.row.cell(*at))?, cells.layout.order)).map(When::start).max()
}

/// The record that this one was merged into; "yes" names none.
pub(super) fn merged_into(cells: &Cells<'_>, record_id: &str) -> Option<String> {
    // A letter alone may be an id, but for the cross.
    let is_long = |cell: &str| cell.chars().count() > 1 || cell.eq_ignore_ascii_case("x");
    let is_word = |cell: &str| is_long(cell) && cell.contains(char::is_alphabetic) && value::says(cell).is_some();
    let stated = cells.text("merged_into").filter(|into| !is_word(into)).map(str::to_owned);
    stated.or_else(|| remarks::merged_into(cells)).filter(|into| into != record_id)
}

/// The records that were merged into this one, as lists have them: `17;18`, or `17:1690000000;18:1690000001`.
pub(super) fn merged_ids(cells: &Cells<'_>, record_id: &str) -> Vec<String> {
    let columns = cells.layout.all("merged_ids").iter();
    let lists = columns.filter_map(|at| value::text(cells.row.cell(*at)));
    let items = lists.flat_map(|list| list.split([';', ',', '|']));
    let ids = items.filter_map(|item| value::text(item.split(':').next().unwrap_or_default()));
    ids.filter(|id| *id != record_id).map(str::to_owned).collect()
}

/// The flags that cells of columns set which no field stands for.
fn told_by_cell(cells: &mut Cells<'_>) -> Vec<&'static str> {
    let mut told = Vec::new();
    for at in cells.layout.all(BY_CELL).to_vec() {
        if let Ok(flags) = flags_of_cell(cells.layout.header_of(at), cells.row.cell(at)) {
            told.extend(flags);
        } else {
            // All cells were looked at before: it has come since.
            cells.note(BY_CELL, "unreadable_flag", "counts as a no to all processing; write yes or no (ja or nein)");
            told.push("do_not_process");
        }
    }
    for at in cells.layout.all(NOES) {
        let cell = cells.row.cell(*at);
        // Most cells are a bare yes or no, or empty.
        if matches!(value::says(cell), None | Some(Says::Refused)) {
            told.extend(noes_of_cell(cells.layout.header_of(*at), cell));
        }
    }
    told
}

/// The flags of a row, as far as it has such columns.
fn flags(cells: &mut Cells<'_>) -> Flags {
    let mut flag = |field: &str| flag(cells, field) | has_why(cells, field);
    let (email_opt_out, do_not_process) = (flag("email_opt_out"), flag("do_not_process"));
    let (do_not_profile, should_forget) = (flag("do_not_profile"), flag("should_forget"));
    let do_not_contact = flag("do_not_contact");
    let told = told_by_cell(cells);
    let told = |field: &str| told.contains(&field);
    let (do_not_process, do_not_profile) =
        (do_not_process || told("do_not_process"), do_not_profile || told("do_not_profile"));
    let (email_opt_out, should_forget) =
        (email_opt_out || told("email_opt_out"), should_forget || told("should_forget"));
    let email_opt_out = is_denied(cells, "email_allowed") || email_opt_out;
    let do_not_contact = is_denied(cells, "contact_allowed") || do_not_contact;
    let legal_basis = cells.line("legal_basis");
    let do_not_process = do_not_process || legal_basis.as_deref().is_some_and(value::is_refusal);
    let mut flags = Flags {
        email_opt_out,
        do_not_process,
        do_not_profile,
        should_forget,
        do_not_contact,
        incomplete: false,
        legal_basis,
    };
    objections::add(cells, &mut flags);
    flags
}

/// Whether a row, of nobody knows whom, may say no, or that its contact is gone.
pub(super) fn may_refuse(cells: &mut Cells<'_>) -> bool {
    let flags = Flags { legal_basis: None, ..flags(cells) };
    flags != Flags::default() || is_gone(cells) || cells.text("merged_into").is_some()
}

/// Given and family name, from their columns or from a whole name.
fn name(cells: &Cells<'_>) -> (String, String) {
    let part = |field| cells.text(field).map(value::strip_titles).unwrap_or_default();
    let (given, family) = (part("given_name"), part("family_name"));
    let (whole, comma) = match cells.text("full_name") {
        // "Vorname" beside "Name", which is the family name then.
        Some(full) if family.is_empty() && !given.is_empty() && !holds_word(full, &given) => {
            return (given, value::strip_titles(full));
        }
        Some(full) if family.is_empty() => (full, true),
        // "Nachname, Vorname" in the column of the family name, and nothing beside it.
        _ => (cells.text("family_name").unwrap_or_default(), given.is_empty() && family.contains(',')),
    };
    if comma { value::split_name(whole) } else { (given, family) }
}

/// Whether a text has all words of another one.
fn holds_word(text: &str, words: &str) -> bool {
    words.split_whitespace().all(|word| text.split([' ', ',']).any(|there| there == word))
}

fn emails(cells: &mut Cells<'_>) -> Vec<Personal<String>> {
    let mut all: Vec<String> = Vec::new();
    let columns = ["email", "email_2"].into_iter().flat_map(|f| cells.layout.all(f).iter().map(move |at| (f, *at)));
    for (field, at) in columns.collect::<Vec<_>>() {
        let (found, unreadable) = value::emails(cells.row.cell(at));
        if unreadable {
            cells.note(field, "unreadable_email", "write one address, or several with a comma between");
        }
        for address in found {
            if !all.contains(&address) {
                all.push(address);
            }
        }
    }
    all.into_iter().map(Personal::new).collect()
}

fn handles(cells: &mut Cells<'_>) -> Vec<(String, Personal<String>)> {
    let columns: Vec<(String, usize)> = cells.layout.handles().map(|(s, at)| (s.to_owned(), at)).collect();
    let mut handles = Vec::new();
    for (source, at) in columns {
        let Some(cell) = value::text(cells.row.cell(at)) else { continue };
        let social = source == crate::source::id::SOCIAL_PROFILE;
        match if social { value::social_handle(cell) } else { value::handle(cell) } {
            Some(login) => handles.push((source, Personal::new(login))),
            None => cells.note(&format!("{HANDLE}{source}"), "unreadable_handle", "write the bare login"),
        }
    }
    handles
}

impl CrmContact {
    /// By what a contact is taken for another one of the same company: the name, in small letters.
    #[must_use]
    pub fn name_at(&self, company: &str) -> String {
        let (given, family) = (self.given_name.reveal(), self.family_name.reveal());
        format!("{company}\u{1f}{}", format!("{given}\u{1f}{family}").to_lowercase())
    }
}

impl CrmPull {
    /// The record of a contact's company that holds.
    #[must_use]
    pub fn company_of<'a>(&'a self, contact: &'a CrmContact) -> Option<&'a str> {
        let record = contact.account_record.as_ref()?;
        Some(self.merged_accounts.get(record).unwrap_or(record))
    }
}
