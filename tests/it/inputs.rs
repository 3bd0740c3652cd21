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
        let told = |locator: &str| locator.starts_with("note[") && locator.ends_with("] of N-1");
        assert!(tables.evidence.iter().any(|e| told(&e.evidence.locator)));
        found.push((tables.personas, tables.evidence));
        let left = fs::read_dir(home.join(".work")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "something is left of the notes");
    }
    assert_eq!(found[0], found[1]);
}

#[test]
fn an_export_that_was_cut_short_does_not_take_the_place_of_a_whole_one() {
    let dir = temp();
    say(["demo-data", "--contacts", "60", "--seed", "5", "--to", arg(dir.path())]).expect(0);
    let path = dir.path().join("pipeline.yaml");
    let plan = fs::read_to_string(&path).expect("a pipeline");
    let lenient = "dead_letter_share: 1.0";
    fs::write(&path, plan.replace("dead_letter_share: 0.02", lenient)).expect("written");
    let whole = fs::read_to_string(dir.path().join("contacts.csv")).expect("contacts");
    let export = |rows: usize| {
        let rows: Vec<&str> = whole.lines().take(rows + 1).collect();
        fs::write(dir.path().join("contacts.csv"), rows.join("\n")).expect("written");
    };
    for (name, carries, more) in
        [("whole", false, &[][..]), ("parts", false, &["--at-once", "5"]), ("changes", true, &[])]
    {
        let plan = fs::read_to_string(&path).expect("a pipeline");
        if carries {
            fs::write(&path, plan.replace("keep_snapshots: 2", "keep_snapshots: 2\n  carry_over_days: 7"))
                .expect("written");
        }
        let home = dir.path().join(name);
        let run = |also: &[&str]| say([&["run", arg(&path), "--out", arg(&home)], more, also].concat());
        export(60);
        run(&[]).expect(0);
        let current = || fs::read_to_string(home.join("synthetic/current")).expect("published");
        let first = current();
        export(20);
        for also in [&[][..], &["--dry-run"]] {
            let said = run(also).expect(2);
            let tells = [" contacts, those of the last run had ", "--accept-missing", "budgets.missing_share"];
            assert!(tells.iter().all(|tells| said.err.contains(tells)), "{name}: {}", said.err);
        }
        assert_eq!(current(), first, "{name}: something was published");
        let status = || say(["status", "--out", arg(&home)]).expect(0).out;
        let tells = status();
        assert!(tells.contains("failed    ") && tells.contains("--accept-missing"), "{tells}");
        // A limit is meant, and is nothing to be held against, nor are two of them.
        run(&["--dry-run", "--limit", "3"]).expect(0);
        run(&["--limit", "3"]).expect(0);
        run(&["--limit", "4"]).expect(0);
        run(&[]).expect(2);
        // The whole export is read as ever.
        export(60);
        run(&[]).expect(0);
        export(20);
        let said = run(&["--accept-missing"]).expect(0);
        assert!(said.err.contains("accepted"), "{name}: {}", said.err);
        assert_ne!(current(), first);
        assert!(!status().contains("failed"), "{}", status());
        // It is the one to compare with.
        run(&[]).expect(0);
    }
    // Nor is a first run with a limit.
    let home = dir.path().join("limited");
    for (rows, limit) in [(60, &["--limit", "40"][..]), (10, &[])] {
        export(rows);
        say([&["run", arg(&path), "--out", arg(&home)], limit].concat()).expect(0);
    }
}

#[test]
fn contacts_that_are_missing_though_not_most_of_them_are_told() {
    let dir = temp();
    say(["demo-data", "--contacts", "60", "--seed", "5", "--to", arg(dir.path())]).expect(0);
    let path = dir.path().join("pipeline.yaml");
    let plan =
        fs::read_to_string(&path).expect("a pipeline").replace("dead_letter_share: 0.02", "dead_letter_share: 1.0");
    let whole = fs::read_to_string(dir.path().join("contacts.csv")).expect("contacts");
    for (name, carries) in [("whole", false), ("changes", true)] {
        let days = if carries { "keep_snapshots: 2\n  carry_over_days: 7" } else { "keep_snapshots: 2" };
        fs::write(&path, plan.replace("keep_snapshots: 2", days)).expect("written");
        let home = dir.path().join(name);
        for (rows, is_told) in [(60, false), (60, false), (40, true)] {
            let rows: Vec<&str> = whole.lines().take(rows + 1).collect();
            fs::write(dir.path().join("contacts.csv"), rows.join("\n")).expect("written");
            let said = say(["run", arg(&path), "--out", arg(&home)]).expect(0);
            let report = say(["report", "--out", arg(&home), "--json"]).expect(0).json();
            let warnings = report["warnings"].as_array().expect("warnings");
            let missing = warnings.iter().find(|warning| warning["id"] == "missing").map(|warning| &warning["what"]);
            assert_eq!(
                (missing.is_some(), said.err.contains(" contacts, those of the last run had ")),
                (is_told, is_told)
            );
            let now = &report["summary"]["counts"]["subjects"];
            let tells = format!("the exports have {now} contacts, those of the run before had ");
            assert!(
                missing.is_none_or(|what| what.as_str().is_some_and(|what| what.starts_with(&tells))),
                "{missing:?}"
            );
        }
    }
}

#[test]
fn what_is_not_published_for_missing_contacts_was_not_fetched_either() {
    let (dir, home) = (temp(), temp());
    let home = home.path().join("home");
    let from = root().join("testdata/demo/crm");
    let files = ["contacts_altbestand.csv", "contacts_uk.csv", "contacts_vertrieb.csv"];
    for file in files {
        fs::copy(from.join(file), dir.path().join(file)).expect("copied");
    }
    let of_demo = format!("{}/contacts*.csv", from.display());
    let own = format!("{}/contacts*.csv", dir.path().display());
    let plan = pipeline(dir.path(), &[(&of_demo, &own)]);
    let run = || say(["run", arg(&plan), "--out", arg(&home)]);
    run().expect(0);
    for file in files {
        let whole = fs::read(dir.path().join(file)).expect("contacts");
        let few: Vec<u8> = whole.split_inclusive(|byte| *byte == b'\n').take(6).flatten().copied().collect();
        fs::write(dir.path().join(file), few).expect("cut short");
    }
    let said = run().expect(2);
    assert!(said.err.contains("--accept-missing"), "{}", said.err);
    let status = say(["status", "--out", arg(&home)]).expect(0).out;
    assert!(status.contains(" unfinished, started 1 time(s)"), "it does not run any more: {status}");
    let next = "next      mend what it says, and run again; unfinished with 0 fetches done";
    assert!(status.contains(next), "{status}");
}

#[test]
fn a_row_with_many_dead_letters_is_one_row() {
    let dir = temp();
    say(["demo-data", "--contacts", "60", "--seed", "5", "--to", arg(dir.path())]).expect(0);
    let path = dir.path().join("pipeline.yaml");
    let plan = fs::read_to_string(&path).expect("a pipeline");
    fs::write(&path, plan.replace("dead_letter_share: 0.02", "dead_letter_share: 0.01")).expect("written");
    let whole = fs::read_to_string(dir.path().join("accounts.csv")).expect("companies");
    let cells = ["domain", "country", "employees", "revenue eur", "founded"];
    let headers: Vec<&str> = whole.lines().next().expect("a header").split(',').collect();
    let places = cells.map(|cell| headers.iter().position(|header| *header == cell).expect("a column"));
    // The same cells: all on the first row, or each on a row of its own.
    for (name, rows, code) in [("one", [0, 0, 0, 0, 0], 0), ("five", [0, 1, 2, 3, 4], 1)] {
        let mut lines: Vec<Vec<&str>> = whole.lines().map(|line| line.split(',').collect()).collect();
        for (place, row) in places.into_iter().zip(rows) {
            lines[row + 1][place] = "???";
        }
        let lines: Vec<String> = lines.iter().map(|cells| cells.join(",")).collect();
        fs::write(dir.path().join("accounts.csv"), lines.join("\n")).expect("written");
        let counts =
            &say(["run", arg(&path), "--out", arg(&dir.path().join(name)), "--json"]).expect(code).json()["counts"];
        let (letters, rows) = (counts["dead_letters"].as_u64(), counts["dead_rows"].as_u64());
        assert_eq!((letters, rows), (Some(6), Some(if code == 0 { 2 } else { 6 })), "{counts}");
    }
}
