//! What is found out about a table of consents before a row of it is believed: a column that nobody knows.
//!
//! Invariant: what may say no stops the reading, with the file and what to do; ids and cells are told to nobody.

use std::path::Path;

use super::{normal, of_set, shown, stated_encoding, whose};
use crate::crm::columns::{Layout, Table};
use crate::crm::rows::{Export, Rows};
use crate::crm::{CrmError, FileSet, files::glance};

/// Tells what may be a no of the consents and would be passed over.
///
/// # Errors
/// There is something.
pub(super) fn check(contacts: &FileSet, consents: &FileSet, base: &Path) -> Result<(), CrmError> {
    check_columns(consents, base)?;
    whose::check(contacts, consents, base)
}

/// Finds columns that stand for no field and that nobody has named as harmless: any of them may say no, or make a yes narrower.
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
        let rows = Rows::of(&export)?;
        let headers = unknown(rows.layout(), consents);
        if !headers.is_empty() {
            return Err(CrmError::UnknownConsents { path, headers: headers.join(", ") });
        }
    }
    Ok(())
}

/// Columns that are not read and that nobody has told to be left out.
fn unknown(layout: &Layout, consents: &FileSet) -> Vec<String> {
    let used = layout.used();
    let is_ignored = |header: &str| consents.ignored.iter().any(|ignored| normal(ignored) == normal(header));
    let unread = (0..layout.width).filter(|at| !used.contains(at));
    let unknown = unread.filter(|at| layout.header_of(*at).is_empty() || !is_ignored(layout.header_of(*at)));
    unknown.map(|at| named(layout, at)).collect()
}

/// A column as a message names it.
fn named(layout: &Layout, at: usize) -> String {
    match layout.header_of(at) {
        "" => format!("column {} without a name", at + 1),
        header => format!("{:?}", shown(header)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::crm::{ConsentRow, CrmDeadLetter, CrmPull, CsvSource, pull};

    const HEADER: &str = "contact_id;kind;basis;purposes;source_classes;recorded_at;method;notice_id;wording_hash";
    const YES: &str = "K-0000048;grant;6(1)(a);persona_enrichment;crm;2025-06-01;web_form;N-1;sha256:00";

    fn read(consents: &str, settings: FileSet) -> Result<CrmPull, CrmError> {
        read_bytes(consents.as_bytes(), settings)
    }

    fn read_bytes(consents: &[u8], settings: FileSet) -> Result<CrmPull, CrmError> {
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

    /// What a reading says of the contact: whether rows grant, refuse everything, or leave them out.
    fn said(pull: &CrmPull) -> (bool, bool, bool) {
        let has = |kind: &str| pull.consents.iter().any(|row| row.kind == kind);
        let refuses = |row: &ConsentRow| row.kind == "refuse" && row.purposes.is_empty() && row.recorded_at.is_none();
        assert_eq!(has("refuse"), pull.consents.iter().any(refuses));
        (has("grant"), has("refuse"), pull.contacts.iter().any(|c| c.record_id == "K-0000048" && c.flags.incomplete))
    }

    #[test]
    fn a_no_in_a_cell_that_holds_no_answers_is_one() {
        const GRANTS: (bool, bool, bool) = (true, false, false);
        const REFUSES: (bool, bool, bool) = (false, true, false);
        const LEFT_OUT: (bool, bool, bool) = (false, false, true);
        for (header, cell, expected) in [
            ("Firma", "Widerspruch", REFUSES),
            ("Name", "abgemeldet", REFUSES),
            ("Name", "Haselkamp (widerrufen)", REFUSES),
            ("Name", "abgemeldet|Muster", REFUSES),
            ("Name", "Widersprochen!", REFUSES),
            ("Kunde", "Widerspruch vom 12.3.2025", REFUSES),
            ("Kunde", "nicht mehr kontaktieren", REFUSES),
            ("Kunde", "abgemeldet am 3.5.2025", REFUSES),
            ("Erfasst von", "opted out", REFUSES),
            ("E-Mail", "abgemeldet", REFUSES),
            ("Name", "Opt-In gelöscht", REFUSES),
            ("Kunde", "will nicht mehr", REFUSES),
            ("Sprache", "abgemeldet", REFUSES),
            ("Ereignis-ID", "widerrufen", REFUSES),
            ("Gültig bis", "widerrufen am 3.5.2025", REFUSES),
            ("Titel", "Sachbearbeiterin Widerspruch", LEFT_OUT),
            ("Kunde", "gesperrt", LEFT_OUT),
            ("Name", "abgemeldet?", LEFT_OUT),
            ("Kunde", "inaktiv", GRANTS),
            ("Kunde", "archiviert", GRANTS),
            ("Name", "Stopp", GRANTS),
            ("E-Mail", "optout@werk.example", GRANTS),
            ("Ereignis-ID", "OPTOUT-17", GRANTS),
        ] {
            let pull = read(&format!("{HEADER};{header}\n{YES};{cell}\n"), FileSet::default()).expect("no stop");
            assert_eq!(said(&pull), expected, "{header}: {cell}");
            let letters: Vec<_> = pull.dead_letters.iter().map(|l| (l.reason, l.row_dropped)).collect();
            let told = match expected {
                REFUSES => vec![("refusal_in_a_cell", false)],
                LEFT_OUT => vec![("perhaps_a_refusal", true)],
                _ => vec![],
            };
            assert_eq!(letters, told, "{header}: {cell}");
            let field = ["Sprache", "Ereignis-ID", "Gültig bis"].contains(&header);
            let names = |l: &CrmDeadLetter| l.advice.contains("`ignored` of `consents`");
            assert!(pull.dead_letters.iter().all(|l| names(l) != field), "{header}: how to go on");
            let ignored = FileSet { ignored: vec![header.to_owned()], ..FileSet::default() };
            let pull = read(&format!("{HEADER};{header}\n{YES};{cell}\n"), ignored).expect("no stop");
            let is_field = ["Sprache", "Ereignis-ID", "Gültig bis"].contains(&header);
            assert!(is_field || said(&pull) == GRANTS, "somebody has said that {header} is none");
        }
        // One row of two: the other's grant stands beside it, and the gate takes the no.
        let pull = read(&format!("{HEADER};Name\n{YES};Muster\n{YES};abgemeldet\n"), FileSet::default());
        assert_eq!(said(&pull.expect("no stop")), (true, true, false));
        // Of a row that says nothing else, it is the no.
        let pull = read(&format!("{HEADER};Name\nK-0000048;;;;;;;;;Newsletter: abgemeldet\n"), FileSet::default());
        assert_eq!(said(&pull.expect("no stop")), REFUSES);
        let pull = read(&format!("{HEADER};Name\nK-0000048;;;;;;;;;Muster\n"), FileSet::default());
        assert_eq!(said(&pull.expect("no stop")), LEFT_OUT);
        // A narrow no is a wide one then.
        let object = "K-0000048;object;;newsletter;;2025-06-01;;;";
        let pull = read(&format!("{HEADER};Name\n{object};abgemeldet\n"), FileSet::default()).expect("no stop");
        assert!(pull.consents[0].kind == "object" && pull.consents[0].purposes.is_empty());
        let pull = read(&format!("{HEADER};Name\n{object};Muster\n"), FileSet::default()).expect("no stop");
        assert_eq!(pull.consents[0].purposes, ["newsletter"]);
        // How somebody said no is none of more.
        let by_link = object.replace(";;;", ";unsubscribe link;;");
        let pull = read(&format!("{HEADER};Name\n{by_link};Muster\n"), FileSet::default()).expect("no stop");
        assert_eq!((pull.consents[0].purposes.len(), pull.dead_letters.len()), (1, 0));
        // Under nearly somebody's id it stops the run, as any no does.
        let text = format!("{HEADER};Name\n{};abgemeldet\n", YES.replace("K-0000048", "K48"));
        assert!(matches!(read(&text, FileSet::default()), Err(CrmError::NearlyKnown { line: 2, .. })));
    }

    #[test]
    fn a_no_within_lists_of_json_is_one() {
        for (field, expected) in [
            (r#""Name":["Haselkamp","abgemeldet"]"#, (false, true, false)),
            (r#""Name":["abgemeldet"]"#, (false, true, false)),
            (r#""Name":[["Haselkamp",["abgemeldet"]]]"#, (false, true, false)),
            (r#""Name":[["Haselkamp",{"status":"abgemeldet"}]]"#, (false, true, false)),
            (r#""Sprache":["de","abgemeldet"]"#, (false, true, false)),
            (r#""Name":["Haselkamp","Muster"]"#, (true, false, false)),
        ] {
            let text = format!("{{\"contact_id\":\"K-0000048\",\"kind\":\"grant\",\"basis\":\"consent\",{field}}}");
            assert_eq!(said(&read(&text, FileSet::default()).expect("no stop")), expected, "{field}");
        }
        let text = r#"{"contact_id":"K-0000048","kind":"grant","Name":{"status":"abgemeldet"}}"#;
        assert!(read(text, FileSet::default()).expect_err("a no").to_string().contains("\"Name.status\""));
    }

    #[test]
    fn a_no_in_parquet_is_one() {
        use arrow_array::{ArrayRef, RecordBatch, StringArray};
        let column = |text: &str| -> ArrayRef { std::sync::Arc::new(StringArray::from(vec![text.to_owned()])) };
        for (name, expected) in [("abgemeldet", (false, true, false)), ("Muster", (true, false, false))] {
            let fields = [("contact_id", "K-0000048"), ("kind", "grant"), ("basis", "consent"), ("Name", name)];
            let batch = RecordBatch::try_from_iter(fields.map(|(n, text)| (n, column(text)))).expect("equal lengths");
            let mut bytes = Vec::new();
            let mut writer =
                ::parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a schema");
            writer.write(&batch).expect("in memory");
            writer.close().expect("in memory");
            assert_eq!(said(&read_bytes(&bytes, FileSet::default()).expect("no stop")), expected, "{name}");
        }
    }
}
