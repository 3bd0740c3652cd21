//! Nights whose exports differ: columns that vanish, and formats that change, without anything lost.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{arg, pipeline, root, say, temp};
use crate::tables::Tables;

/// A pipeline over the demo's companies and consents, without sites, with contacts and notes of its own.
fn night(folder: &Path, contacts: &str, notes: &str) -> PathBuf {
    let shipped = |name: &str| format!("{}/testdata/demo/crm/{name}", root().display());
    let own = |name: &str| folder.join(name).display().to_string();
    pipeline(
        folder,
        &[
            (&shipped("contacts*.csv"), &own(contacts)),
            (&shipped("notes.csv"), &own(notes)),
            ("  company_site:\n    pages: [home, team, imprint, news, jobs]\n", ""),
            ("sources:\n", "sources: {}\n"),
            (
                "  developer_profile:\n    base_url: http://api.devhub.example\n  social_profile:\n    base_url: http://social.example\n",
                "",
            ),
            // Most of the demo's consents are of others.
            ("dead_letter_share: 0.5", "dead_letter_share: 1.0"),
        ],
    )
}

const CONTACTS: &str = "contact id;account id;first name;last name;job title;email opt out;country\n\
    K-2001;ACC-1001;Annegret;Hartwig-Loos;Geschäftsführerin;no;DE\n";
const NOTES: &str = "note id;contact id;date;text\nN-1;K-2001;2026-02-12;Frau Hartwig-Loos entscheidet allein.\n";

#[test]
fn a_column_of_a_no_that_vanishes_stops_the_run_and_others_are_warned_of() {
    let dir = temp();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("a file can be written");
    let home = dir.path().join("home");
    write("contacts.csv", CONTACTS);
    write("notes.csv", NOTES);
    let path = night(dir.path(), "contacts.csv", "notes.csv");
    let run = |more: &[&str]| say([&["run", arg(&path), "--out", arg(&home)], more].concat());
    run(&[]).expect(0);
    let first = fs::read(home.join("demo/current")).expect("published");
    write("contacts.csv", &CONTACTS.replace("email opt out", "something else"));
    let said = run(&[]).expect(2);
    let tells = "contacts: the column for email_opt_out is not there any more";
    assert!(said.err.contains(tells) && said.err.contains("--accept-columns"), "{}", said.err);
    assert_eq!(fs::read(home.join("demo/current")).expect("still there"), first, "something was published");
    run(&["--accept-columns"]).expect(0);
    // The new layout is the one to compare with; a column that only says less is warned of.
    write("contacts.csv", &CONTACTS.replace("email opt out", "something else").replace("country", "land of nowhere"));
    let said = run(&[]).expect(0);
    assert!(said.err.contains("contacts: the column for country is not there any more"), "{}", said.err);
}

#[test]
fn every_format_gives_the_same_personas() {
    let json = r#"[{"contact id": "K-2001", "account id": "ACC-1001", "first name": "Annegret", "last name": "Hartwig-Loos",
        "job title": "Geschäftsführerin", "email opt out": false, "country": "DE"}]"#;
    let lines = r#"{"note id": "N-1", "contact id": "K-2001", "date": "2026-02-12", "text": "Frau Hartwig-Loos entscheidet allein."}"#;
    let mut found = Vec::new();
    for (contacts, notes) in [(CONTACTS, NOTES), (json, lines)] {
        let dir = temp();
        fs::create_dir(dir.path().join("notes")).expect("a folder");
        fs::write(dir.path().join("contacts.x"), contacts).expect("a file can be written");
        // A folder of files, whatever they are called.
        fs::write(dir.path().join("notes/export"), notes).expect("a file can be written");
        let path = night(dir.path(), "contacts.x", "notes");
        let home = dir.path().join("home");
        let said = say(["run", arg(&path), "--out", arg(&home), "--json"]).expect(0);
        let counts = &said.json()["counts"]["notes"];
        assert_eq!((counts["rows"].as_u64(), counts["statements"].as_u64()), (Some(1), Some(1)), "{counts}");
        let tables = Tables::of(&home);
        assert!(tables.evidence.iter().any(|e| e.evidence.locator.starts_with("note[")));
        found.push((tables.personas, tables.evidence));
        let left = fs::read_dir(home.join(".work")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "something is left of the notes");
    }
    assert_eq!(found[0], found[1]);
}
