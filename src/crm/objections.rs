//! Noes of contacts in cells that nobody reads for one: remarks, tags, names, jobs, columns that stand for no field; and in notes on
//! contacts.
//!
//! Invariant: what plainly is a no sets a flag; of what may be one its person is left out until somebody has said what it is. A column
//! that the pipeline names under `ignored` is not looked at, though a field may stand for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::columns::{BY_CELL, FLAGS, HANDLE, Layout, Table, WHY};
use super::damaged::Rest;
use super::files::{glance, names, of_set};
use super::headers::{normal, shown};
use super::owner::all_ids;
use super::reader::{Cells, stated_encoding};
use super::rows::{Export, Row, Rows};
use super::spread::is_of_fields;
use super::{CrmDeadLetter, CrmError, FileSet, Flags, Origin, contact, versions};
use crate::consent::dialect::{
    CellPlace as Place, Objection, REFUSES, Told, UNSURE, flags_of_cell, may_object, objection_in, place_of,
};
use crate::consent::import::NO_OF_NOBODY;

/// Fields of contacts that are asked elsewhere, or hold ids and times.
const ASKED: [&str; 12] = [
    "email_allowed",
    "contact_allowed",
    "active",
    "legal_basis",
    "record_id",
    "account_record",
    "merged_into",
    "merged_ids",
    "updated_at",
    "created_at",
    "statecode",
    "is_company",
];

/// A column that is looked through, and what is in it.
pub(super) type Searched = (usize, Place);

/// The columns that are looked through: of contacts all that are not asked elsewhere, of notes their texts.
pub(super) fn searched(layout: &Layout, set: &FileSet, header: &[String]) -> Vec<Searched> {
    let is_ignored = |at: &usize| set.ignored.iter().any(|ignored| normal(ignored) == normal(&header[*at]));
    if layout.table == Table::Notes {
        let texts = ["text", "subject"].into_iter().flat_map(|field| layout.all(field)).copied();
        // What a no is to has to stand there.
        return texts.filter(|at| !is_ignored(at)).map(|at| (at, Place::Business)).collect();
    }
    if layout.table != Table::Contacts {
        return Vec::new();
    }
    let place = |at: usize| {
        let fields: Vec<&str> = layout.each().filter(|(_, all)| all.contains(&at)).map(|(field, _)| field).collect();
        let is_asked = |field: &&str| {
            FLAGS.contains(field) || ASKED.contains(field) || field.starts_with(WHY) || field.starts_with(HANDLE)
        };
        if fields.iter().any(is_asked) || is_of_fields(&header[at]) {
            return None;
        }
        let has = |all: &[&str]| fields.iter().any(|field| all.contains(field));
        // What a bare answer in it means is found out elsewhere; a sentence in it says what it is to.
        Some(if has(&[BY_CELL]) {
            Place::Business
        } else if has(&["given_name", "family_name", "full_name", "email", "email_2"]) {
            Place::Name
        } else if has(&["job_title", "account_name"]) {
            Place::Title
        } else if has(&["language", "country"]) {
            Place::Other
        } else {
            place_of(&header[at])
        })
    };
    (0..layout.width).filter(|at| !is_ignored(at)).filter_map(|at| Some((at, place(at)?))).collect()
}

/// The noes of a row, with their columns.
pub(super) fn found<'r>(layout: &'r Layout, row: &'r Row) -> impl Iterator<Item = (usize, Objection)> + 'r {
    // Of most rows one look tells that there is nothing; where a bare answer counts, that tells nothing.
    let may = may_object(&row.text);
    let columns = layout.searched.iter().filter(move |(_, place)| may || matches!(place, Place::Speaks { .. }));
    columns.filter_map(|(at, place)| {
        let cell = row.cell(*at);
        let is_missing = *place == Place::Name && is_of_addresses(layout, *at) && tells_of_none(cell);
        if is_missing || is_read_already(layout, *at, cell) { None } else { Some((*at, objection_in(cell, *place)?)) }
    })
}

/// Whether the column is one of answers, and this one was understood.
fn is_read_already(layout: &Layout, at: usize, cell: &str) -> bool {
    layout.all(BY_CELL).contains(&at)
        && !matches!(flags_of_cell(layout.header_of(at), cell), Ok(flags) if flags.is_empty())
}

/// `keine E-Mail`, `no e-mail address known`, `hat keine Mailadresse`: an address is missing.
fn tells_of_none(cell: &str) -> bool {
    const WORDS: [&str; 30] = [
        "kein",
        "keine",
        "keinen",
        "no",
        "none",
        "ohne",
        "hat",
        "has",
        "noch",
        "nicht",
        "not",
        "e",
        "mail",
        "mails",
        "email",
        "emails",
        "mailadresse",
        "emailadresse",
        "adresse",
        "address",
        "bekannt",
        "vorhanden",
        "fehlt",
        "unbekannt",
        "known",
        "unknown",
        "available",
        "missing",
        "without",
        "on",
    ];
    let cell = cell.to_lowercase();
    let mut words = cell.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    cell.contains("mail") && words.all(|word| WORDS.contains(&word))
}

fn is_of_addresses(layout: &Layout, at: usize) -> bool {
    ["email", "email_2"].iter().any(|field| layout.all(field).contains(&at))
}

/// Adds to the flags of a row what its cells, and notes on its contact, say; tells each of them.
pub(super) fn add(cells: &mut Cells<'_>, flags: &mut Flags) {
    if cells.layout.table != Table::Contacts {
        return;
    }
    let noes: Vec<(usize, Objection)> = found(cells.layout, cells.row).collect();
    for (at, Objection { told, flag }) in noes {
        let header = named(cells.layout, at);
        match told {
            Told::Plainly => {
                set(flags, flag);
                cells.note(&header, REFUSES, &advice(flag));
            }
            Told::Perhaps => {
                flags.incomplete = true;
                cells.note(&header, UNSURE, LEFT_OUT);
            }
        }
    }
    let noted = cells.layout.noted.as_ref().and_then(|noted| {
        let others = || contact::merged_ids(cells, "");
        cells.text("record_id").and_then(|id| noted.get(id)).or_else(|| others().iter().find_map(|id| noted.get(id)))
    });
    if let Some(place) = noted.cloned() {
        flags.incomplete = true;
        cells.note("notes", UNSURE, &format!("{place} {IN_NOTES}"));
    }
}

fn set(flags: &mut Flags, flag: &str) {
    match flag {
        "email_opt_out" => flags.email_opt_out = true,
        "do_not_profile" => flags.do_not_profile = true,
        _ => flags.do_not_process = true,
    }
}

fn advice(flag: &str) -> String {
    let what = match flag {
        "email_opt_out" => "an objection to marketing (`email_opt_out`)",
        "do_not_profile" => "a refusal of profiles (`do_not_profile`)",
        _ => "a refusal of all processing (`do_not_process`)",
    };
    format!(
        "says no in a column that is read for something else, so it counts as {what}, which no later export lifts; set the CRM's own field \
         for it, too. Where cells of this column mean something else, name it under `ignored` (and under `columns`, if a field stands for it)"
    )
}

const LEFT_OUT: &str = "may say no to data, advertising or contact in a column that is read for something else, so the contact is left out \
     until it can be read: if it is a no, set the CRM's own field for it; if not, write it in other words, or name the column under `ignored` \
     (and under `columns`, if a field stands for it)";
const IN_NOTES: &str = "is a note on the contact that says no to data, advertising or contact, so the contact is left out as long as it stands: \
     if it is a no, set the CRM's own field for it; if not, write the note in other words, or name the notes' column of texts under `ignored` \
     of `notes`, and under `columns`";

/// A column as letters name it.
fn named(layout: &Layout, at: usize) -> String {
    match layout.header_of(at) {
        "" => format!("column {}", at + 1),
        header => shown(header),
    }
}

/// Whether any of some cells of nobody knows which column says no.
pub(super) fn is_in(cell: &str) -> bool {
    objection_in(cell, Place::Other).is_some()
}

/// The columns of a row of contacts in which there is a no.
pub(super) fn columns_with(layout: &Layout, row: &Row) -> BTreeSet<usize> {
    if layout.table == Table::Contacts { found(layout, row).map(|(at, _)| at).collect() } else { BTreeSet::new() }
}

/// The contacts of whom a note says no, and where the first one stands; of one that cannot be read, everybody whose it may be.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn in_notes(notes: &FileSet, base: &Path) -> Result<BTreeMap<String, String>, CrmError> {
    let (mut said, stated) = (BTreeMap::new(), stated_encoding(Table::Notes, notes)?);
    let paths = of_set(Table::Notes, notes, base)?;
    for (file, (path, name)) in paths.iter().zip(names(notes, base, &paths)).enumerate() {
        let survey = glance(path, stated)?;
        if survey.empty {
            continue;
        }
        let mut rows = Rows::of(&Export { table: Table::Notes, set: notes, path, name: &name, survey: &survey })?;
        let mut add = |id: String, origin: &Origin| _ = said.entry(id).or_insert_with(|| origin.to_string());
        while let Some(item) = rows.next_row()? {
            let layout = rows.layout();
            match item {
                Ok(row) if says_no(layout, &row) && versions::holds(notes, layout, &row, file) => {
                    let ids = layout.contact_of(&row).ok().flatten().into_iter().chain(contacts_of(layout, &row));
                    ids.for_each(|id| add(id, &row.origin()));
                }
                Err(letter) if letter.reason == UNSURE => {
                    letter.record_id.into_iter().for_each(|id| add(id, &letter.origin));
                }
                _ => {}
            }
        }
    }
    Ok(said)
}

/// The ids of all contacts that a note names.
pub(super) fn contacts_of(layout: &Layout, row: &Row) -> Vec<String> {
    let cell = layout.column("contact_id").map_or("", |at| row.cell(at));
    all_ids(cell).map(str::to_owned).collect()
}

/// Whether what is left of a note that cannot be read says no: a delimiter may stand within its sentence.
pub(super) fn is_in_rest(rest: &Rest) -> bool {
    match rest {
        Rest::Cells(row, _) => {
            let all = row.cells().collect::<Vec<_>>().join(", ");
            is_in_text(&all) || row.cells().any(is_in_text)
        }
        Rest::Text(text) => is_in_text(text),
        Rest::Nothing => false,
    }
}

/// Of a note that cannot be read and says no: whoever it may be on is left out until it can be.
#[expect(clippy::vec_box, reason = "readers hand them on one by one, each beside rows that are far smaller")]
pub(super) fn of_unread(letter: &CrmDeadLetter, ids: Vec<String>) -> Vec<Box<CrmDeadLetter>> {
    let what = &letter.advice;
    if ids.is_empty() {
        let advice =
            format!("{what}; it may say no to data, advertising or contact, and protects nobody until it can be read");
        return vec![Box::new(CrmDeadLetter { reason: NO_OF_NOBODY, advice, ..letter.clone() })];
    }
    let advice = format!(
        "{what}; it may say no to data, advertising or contact: whoever it may be on is left out until it can be read"
    );
    let of =
        |id| Box::new(CrmDeadLetter { reason: UNSURE, advice: advice.clone(), record_id: Some(id), ..letter.clone() });
    ids.into_iter().map(of).collect()
}

/// Whether the text of a note says no to data, advertising or contact.
pub(crate) fn is_in_text(text: &str) -> bool {
    objection_in(text, Place::Business).is_some()
}

/// Whether a note says no to data, advertising or contact.
pub(super) fn says_no(layout: &Layout, row: &Row) -> bool {
    found(layout, row).next().is_some()
}

#[cfg(test)]
#[path = "objections_tests.rs"]
mod tests;
