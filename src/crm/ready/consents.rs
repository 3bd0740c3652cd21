//! What is found out about a table of consents before a row of it is believed: a column that nobody knows, and a no under an id that
//! is nearly somebody's.
//!
//! Invariant: what may say no stops the reading, with the file and what to do; ids and cells are told to nobody.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::{each_row, normal, of_set, shown, stated_encoding};
use crate::consent::dialect::is_harmless;
use crate::consent::event::EventKind;
use crate::crm::columns::{Layout, Table};
use crate::crm::damaged::is_sound;
use crate::crm::rows::{Export, Row, Rows, each_readable};
use crate::crm::{CrmError, FileSet, files::glance, value};

/// So many letters and digits has an id of Salesforce in the short form, in which case alone tells records apart.
const SHORT_ID: usize = 15;

/// Tells what may be a no of the consents and would be passed over.
///
/// # Errors
/// There is something.
pub(super) fn check(contacts: &FileSet, consents: &FileSet, base: &Path) -> Result<(), CrmError> {
    check_columns(consents, base)?;
    check_ids(contacts, consents, base)
}

/// Finds columns that stand for no field and that nobody has named as harmless: any of them may say no, or make a yes narrower. So
/// does one under a harmless header in which a cell plainly says no.
///
/// # Errors
/// There are some.
fn check_columns(consents: &FileSet, base: &Path) -> Result<(), CrmError> {
    let stated = stated_encoding(Table::Consents, consents)?;
    for path in of_set(Table::Consents, consents, base)? {
        let survey = glance(&path, stated)?;
        if survey.empty {
            continue;
        }
        let export = Export { table: Table::Consents, set: consents, path: &path, name: "", survey: &survey };
        let mut rows = Rows::of(&export)?;
        let mut headers = unknown(rows.layout(), consents);
        headers.extend(saying_no(&mut rows, consents)?);
        if !headers.is_empty() {
            return Err(CrmError::UnknownConsents { path, headers: headers.join(", ") });
        }
    }
    Ok(())
}

/// Columns that are not read and that nobody has told to be left out.
fn unread<'l>(layout: &'l Layout, consents: &'l FileSet) -> impl Iterator<Item = usize> + 'l {
    let used = layout.used();
    let is_ignored = |header: &str| consents.ignored.iter().any(|ignored| normal(ignored) == normal(header));
    let columns = (0..layout.width).filter(move |at| !used.contains(at));
    columns.filter(move |at| layout.header_of(*at).is_empty() || !is_ignored(layout.header_of(*at)))
}

fn unknown(layout: &Layout, consents: &FileSet) -> Vec<String> {
    let headers = unread(layout, consents).filter(|at| !is_harmless(layout.header_of(*at)));
    headers.map(|at| named(layout, at)).collect()
}

/// Columns under harmless headers in which a cell says no.
fn saying_no(rows: &mut Rows, consents: &FileSet) -> Result<Vec<String>, CrmError> {
    let layout = rows.layout().clone();
    let mut harmless: Vec<usize> = unread(&layout, consents).filter(|at| is_harmless(layout.header_of(*at))).collect();
    let mut headers = Vec::new();
    while !harmless.is_empty()
        && let Some(item) = rows.next_row()?
    {
        let Ok(row) = item else { continue };
        harmless.retain(|at| {
            let says_no = value::refuses(row.cell(*at));
            headers.extend(says_no.then(|| named(&layout, *at)));
            !says_no
        });
    }
    Ok(headers)
}

/// A column as a message names it.
fn named(layout: &Layout, at: usize) -> String {
    match layout.header_of(at) {
        "" => format!("column {} without a name", at + 1),
        header => format!("{:?}", shown(header)),
    }
}

/// Finds a no under an id that no contact has, where a contact has it in another spelling. Who is meant only somebody who knows the
/// CRM can tell, and no export takes a no back that was written down for the wrong person: so nobody guesses. The same holds of a no
/// whose id is damaged, and of a row with cells too many or too few under an id that no contact has.
///
/// # Errors
/// There is one.
fn check_ids(contacts: &FileSet, consents: &FileSet, base: &Path) -> Result<(), CrmError> {
    let (mut noes, mut alike) = (HashMap::new(), HashMap::<String, Vec<String>>::new());
    let mut moved = moved(consents, base)?;
    let mut damaged = None;
    each_readable(Table::Consents, consents, base, usize::MAX, |path, layout, row| {
        let Some(id) = id_of(layout, row).filter(|_| is_no(layout, row)) else { return };
        if !is_sound(id) {
            damaged.get_or_insert_with(|| CrmError::Nobodys { path: path.to_owned(), line: row.line });
        }
        if !noes.contains_key(id) {
            alike.entry(bare(id)).or_default().push(id.to_owned());
            noes.insert(id.to_owned(), No { path: path.to_owned(), line: row.line, is_known: false, is_alike: false });
        }
    })?;
    if let Some(error) = damaged {
        return Err(error);
    }
    if noes.is_empty() && moved.is_empty() {
        return Ok(());
    }
    each_row(Table::Contacts, contacts, base, |layout, row| {
        let Some(id) = id_of(layout, row) else { return };
        moved.retain(|_, ids| !ids.contains(id));
        if let Some(no) = noes.get_mut(id) {
            no.is_known = true;
        }
        for other in alike.get(&bare(id)).into_iter().flatten() {
            noes.entry(other.clone()).and_modify(|no| no.is_alike = true);
        }
    })?;
    if let Some(((path, line), _)) = moved.pop_first() {
        return Err(CrmError::Nobodys { path, line });
    }
    let lost = noes.into_values().filter(|no| no.is_alike && !no.is_known);
    match lost.min_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line))) {
        Some(No { path, line, .. }) => Err(CrmError::NearlyKnown { path, line }),
        None => Ok(()),
    }
}

/// Where rows have cells too many or too few, and the ids that may be theirs.
fn moved(consents: &FileSet, base: &Path) -> Result<BTreeMap<(PathBuf, u64), HashSet<String>>, CrmError> {
    let (mut moved, stated) = (BTreeMap::new(), stated_encoding(Table::Consents, consents)?);
    for path in of_set(Table::Consents, consents, base)? {
        let survey = glance(&path, stated)?;
        if survey.empty {
            continue;
        }
        let mut rows =
            Rows::of(&Export { table: Table::Consents, set: consents, path: &path, name: "", survey: &survey })?;
        while let Some(item) = rows.next_row()? {
            let Err(letter) = item else { continue };
            if let Some(id) = letter.record_id.filter(|_| letter.reason == "ragged_row") {
                moved.entry((path.clone(), letter.origin.line)).or_insert_with(HashSet::new).insert(id);
            }
        }
    }
    Ok(moved)
}

/// Where somebody says no.
struct No {
    path: PathBuf,
    line: u64,
    is_known: bool,
    is_alike: bool,
}

fn id_of<'r>(layout: &Layout, row: &'r Row) -> Option<&'r str> {
    value::text(row.cell(layout.column(layout.table.key())?))
}

/// Whether a row may only take away. A kind that nobody knows counts as a refusal.
fn is_no(layout: &Layout, row: &Row) -> bool {
    let kind = layout.column("kind").and_then(|at| EventKind::read(row.cell(at)));
    kind.is_none_or(EventKind::is_negative)
}

/// An id without what people and programs write in one way or another: case, signs, zeros before a number.
fn bare(id: &str) -> String {
    let has = |is: fn(&u8) -> bool| id.bytes().any(|b| is(&b));
    let by_case = id.len() == SHORT_ID
        && id.bytes().all(|b| b.is_ascii_alphanumeric())
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic);
    if by_case {
        return id.to_owned();
    }
    let mut bare = String::with_capacity(id.len());
    let mut in_number = false;
    let mut is_parted = false;
    for c in id.chars() {
        if !c.is_alphanumeric() {
            is_parted = true;
            continue;
        }
        // `K-1-23` is not `K-12-3`.
        if std::mem::take(&mut is_parted) && c.is_ascii_digit() && bare.ends_with(|last: char| last.is_ascii_digit()) {
            bare.push('|');
            in_number = false;
        }
        if c != '0' || in_number {
            bare.extend(c.to_lowercase());
        }
        in_number = c.is_ascii_digit() && (c != '0' || in_number);
    }
    bare
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::crm::{CrmPull, CsvSource, pull};

    const HEADER: &str = "contact_id;kind;basis;purposes;source_classes;recorded_at;method;notice_id;wording_hash";
    const YES: &str = "K-0000048;grant;6(1)(a);persona_enrichment;crm;2025-06-01;web_form;N-1;sha256:00";

    fn read(consents: &str, settings: FileSet) -> Result<CrmPull, CrmError> {
        let folder = tempfile::tempdir().expect("a folder");
        let contacts =
            "id;family_name;email\nK-0000048;Muster;m@werk.example\n0035g00000QW011;Beispiel;b@werk.example\n";
        fs::write(folder.path().join("contacts.csv"), contacts).expect("written");
        fs::write(folder.path().join("consents.csv"), consents).expect("written");
        let set = |path: &str, set: FileSet| FileSet { path: path.into(), ..set };
        let contacts = set("contacts.csv", FileSet::default());
        let consents = Some(set("consents.csv", settings));
        pull(&CsvSource { name: "crm".into(), contacts, consents, ..CsvSource::default() }, folder.path())
    }

    #[test]
    fn a_column_that_nobody_knows_stops_the_run() {
        let noes = [
            ("Status", "abgemeldet"),
            ("withdrawn at", "2026-02-01"),
            ("widerrufen am", "01.02.2026"),
            ("withdrawn", "yes"),
            ("opt-out", "yes"),
            ("gesperrt", "ja"),
            ("confirmed", "no"),
            ("DOI bestätigt", "nein"),
            ("controller", "Other GmbH"),
            ("data categories", "job"),
            ("recipients", "sales"),
            ("Bemerkung", ""),
        ];
        for (header, cell) in noes {
            let text = format!("{HEADER};{header}\n{YES};{cell}\n");
            let said = read(&text, FileSet::default()).expect_err(header).to_string();
            assert!(said.contains("consents.csv") && said.contains(&format!("{header:?}")), "{said}");
            assert!(cell.len() < 6 || !said.contains(cell), "{said}");
            let ignored = FileSet { ignored: vec![header.to_uppercase()], ..FileSet::default() };
            assert_eq!(read(&text, ignored).expect("somebody has said that it is none").consents.len(), 1, "{header}");
        }
        let said = read(&format!("{HEADER};;Status\n{YES};abgemeldet;x\n"), FileSet::default()).expect_err("a no");
        assert!(said.to_string().contains("column 10 without a name, \"Status\""), "{said}");
        // Two columns for one field: the second is not read.
        let twice = read(&format!("{HEADER};valid to;expires\n{YES};2030-01-01;2026-01-01\n"), FileSet::default());
        assert!(twice.expect_err("two ends").to_string().contains("\"expires\""));
    }

    #[test]
    fn columns_that_plainly_say_nothing_do_not() {
        for header in ["Nachname", "first name", "E-Mail", "Firma", "Erfasst von", "event id", "Gültig bis", "language"]
        {
            let read = read(&format!("{HEADER};{header}\n{YES};\n"), FileSet::default());
            assert_eq!(read.unwrap_or_else(|e| panic!("{header}: {e}")).consents.len(), 1, "{header}");
        }
        for (header, cell) in [("Firma", "Widerspruch"), ("Name", "abgemeldet"), ("Erfasst von", "opted out")] {
            let said = read(&format!("{HEADER};{header}\n{YES};\n{YES};{cell}\n"), FileSet::default());
            assert!(said.expect_err("a no").to_string().contains(&format!("{header:?}")), "{header}");
        }
        let json = r#"{"contact_id":"K-0000048","kind":"grant"}
            {"contact_id":"K-0000048","kind":"grant","opted_out":true}"#;
        assert!(read(json, FileSet::default()).expect_err("a no").to_string().contains("\"opted_out\""));
    }

    #[test]
    fn a_no_under_nearly_the_id_of_a_contact_stops_the_run() {
        let text = |id: &str, kind: &str| {
            format!("contact_id;kind;recorded_at\nK-0000048;withdraw;2026-01-01\n{id};{kind};2026-02-01\n")
        };
        for id in ["k-0000048", "K-48", "K48", "K-000048", "k 48", "K_00000000048"] {
            for kind in ["withdraw", "object", "refuse", "restrict", "erase", "wants out"] {
                let said = read(&text(id, kind), FileSet::default()).expect_err(id).to_string();
                // The name of the folder is random, and may have any number in it.
                let (place, told) = said.split_once("consents.csv").unwrap_or_else(|| panic!("no file: {said}"));
                assert!(place.contains("line 3 of") && !told.contains("48"), "{said}");
            }
            // A yes for nobody grants nothing, and is a dead letter.
            assert!(read(&text(id, "grant"), FileSet::default()).is_ok(), "{id}");
        }
        // Somebody else, and an id in which case tells people apart.
        for id in ["K-480", "K-408", "K-4", "L-0000048", "0035G00000qw011", "0035g00000QW012"] {
            assert!(read(&text(id, "withdraw"), FileSet::default()).is_ok(), "{id}");
        }
    }

    #[test]
    fn ids_are_alike_by_case_signs_and_zeros_alone() {
        for (one, other, alike) in [
            ("K-00000068", "k-68", true),
            ("K-68", "K68", true),
            ("K-1-23", "K-12-3", false),
            ("K-1-23", "k_01_23", true),
            ("K-10", "K-1", false),
            ("001A0000006Vm9r", "001a0000006vm9r", false),
        ] {
            assert_eq!(bare(one) == bare(other), alike, "{one} {other}");
        }
    }
}
