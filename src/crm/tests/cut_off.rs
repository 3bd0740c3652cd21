//! Files that are damaged or cut off: what is lost is told, and a no is never lost in silence.

use std::fs;

use super::one_file;
use crate::crm::{CsvSource, FileSet, pull};

#[test]
fn a_damaged_character_costs_its_row_and_no_other() {
    let file = "id;last name;city\n1;Öhler;Köln\n2;Müller;Düren\n3;Groß;Gr\u{e9}vy\n".as_bytes();
    let pull = one_file(&[file, b"4;Bad\xff;Ulm\n"].concat());
    assert!(pull.contacts.iter().map(|c| c.family_name.reveal()).eq(["Öhler", "Müller", "Groß"]));
    assert_eq!((pull.dead_letters[0].reason, pull.dead_letters[0].origin.line), ("undecodable", 5));
    // Another encoding as a whole is read as such.
    let pull = one_file(b"id;last name\n1;\xd6hler\n2;M\xfcller \xc3\xa9\n");
    assert!(pull.contacts[0].family_name.reveal() == "Öhler" && pull.dead_letters.is_empty());
}

/// What becomes of such a file of consents.
fn consents(text: &[u8]) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("contacts.csv"), "id;last name\n1;Anders\n").expect("write");
    fs::write(folder.path().join("consents"), text).expect("write");
    let set = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
    let source = CsvSource { contacts: set("contacts.csv"), consents: Some(set("consents")), ..CsvSource::default() };
    pull(&source, folder.path()).map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn consents_that_are_cut_off_stop_the_run() {
    let csv = "event_id;contact_id;kind;recorded_at\nE1;1;grant;2026-01-02T03:04:05Z\nE2;1;withdraw;2026-02-";
    let json = r#"{"event_id": "E1", "contact_id": "1", "kind": "grant", "recorded_at": "2026-01-02T03:04:05Z"}
{"event_id": "E2", "contact_id": "1", "kind": "withd"#;
    let good =
        "event_id;contact_id;kind;recorded_at\nE1;1;grant;2026-01-02T03:04:05Z\nE2;1;grant;2026-01-02T03:04:05Z\n";
    let damaged = |row: &[u8]| {
        [good.as_bytes(), "E3;Mü-3;grant;2026-01-02T03:04:05Z\nE4;Mü-4;grant;2026-01-02T03:04:05Z\n".as_bytes(), row]
            .concat()
    };
    for (text, tells) in [
        (damaged(b"E9;M\xfc-3;withdraw;2026-02-02T03:04:05Z\n"), true),
        (damaged(b"E9;M-3;withdraw;2026-02-02T03:04:05Z\n"), false),
    ] {
        let said = consents(&text).err().unwrap_or_default();
        assert_eq!(said.contains("whose consents it has cannot be told"), tells, "{said}");
    }
    let whole = |text: &str| text.lines().next().map(|_| text.rsplit_once('\n').expect("lines").0.to_owned());
    for (text, is_cut) in [(&csv[..csv.len() - 12], true), (json, true), (&*whole(json).expect("a line"), false)] {
        let pulled = consents(text.as_bytes());
        let said = pulled.err().unwrap_or_default();
        assert_eq!(said.contains("was cut short, and a no may be missing"), is_cut, "{said}");
    }
}

#[test]
fn an_id_of_two_people_is_nobodys() {
    let rows = |second: &str| {
        let text =
            format!("id;first name;last name;email;last modified\n1;Ada;Anders;ada@a.example;2026-01-02\n{second}\n");
        let pull = one_file(text.as_bytes());
        let [contact] = &pull.contacts[..] else { panic!("one contact") };
        (contact.flags.incomplete, pull.dead_letters.iter().any(|letter| letter.advice.contains("names somebody else")))
    };
    assert_eq!(rows("1;Hugo;Neumann;hugo@b.example;2026-01-02"), (true, true));
    assert_eq!(rows("1;Hugo;Neumann;hugo@b.example;"), (true, true));
    assert_eq!(rows("1;Hugo;Neumann;hugo@b.example;2026-02-02"), (true, true));
    // Of the same name, or of the same address: one person, whose row has changed.
    assert_eq!(rows("1;Ada;Berger;ada.berger@a.example;2026-01-02"), (false, false));
    assert_eq!(rows("1;Hugo;Neumann;ada@a.example;2026-01-02"), (false, false));
}

#[test]
fn a_file_of_blank_lines_is_empty() {
    for text in ["\n\n  \n", "\u{feff}\r\n", " \t\n"] {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join("contacts.csv"), text).expect("write");
        let contacts = FileSet { path: "contacts.csv".into(), ..FileSet::default() };
        let said = pull(&CsvSource { contacts, ..CsvSource::default() }, folder.path()).expect_err("nothing in it");
        assert!(said.to_string().contains("contacts.csv is empty"), "{said}");
    }
}

#[test]
fn of_companies_without_ids_it_is_known_that_there_is_no_column_for_them() {
    let fields = |header: &str| {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join("contacts.csv"), "id;last name\n1;Anders\n").expect("write");
        fs::write(folder.path().join("accounts.csv"), format!("{header}\n1;Nord GmbH\n")).expect("write");
        let set = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
        let source =
            CsvSource { contacts: set("contacts.csv"), accounts: Some(set("accounts.csv")), ..CsvSource::default() };
        let pull = pull(&source, folder.path()).expect("headers");
        let accounts = pull.files.into_iter().find(|file| file.table == "accounts").expect("it was read");
        accounts.fields.join(" ")
    };
    assert_eq!((fields("id;name"), fields("city;name")), ("name record_id".into(), "city name".into()));
}
