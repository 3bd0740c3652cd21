//! Restriction, whichever way it comes: the same sealed copy, the same answer to the person, the same end.
//!
//! Invariant: what left the tables is told to the person, with its logic, until it goes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{arg, copy_of_shared, demo, pipeline, root, say, temp};
use crate::rights::{at, intact};
use crate::tables::Tables;

/// The answer to a person, and its page.
fn access(home: &Path, record: &str) -> (Value, String) {
    let dir = temp();
    let to = dir.path().join("access");
    at(home, &["subject", "access", record, "--lang", "en", "--to", arg(&to)]).expect(0);
    let read = |name: &str| fs::read_to_string(to.join(name)).expect("written");
    (serde_json::from_str(&read("access.json")).expect("JSON"), read("access.html"))
}

/// Rows of the tables in an answer.
fn rows(bundle: &Value, table: &str) -> usize {
    let records = bundle["records"].as_array().expect("records");
    records.iter().filter(|r| r["table"] == table).count()
}

/// A restricted person is told what they were told before, and that it is sealed.
fn is_sealed(before: &Value, home: &Path, record: &str) {
    assert!(Tables::of(home).persona(record).is_none());
    let (after, page) = access(home, record);
    assert_eq!((&before["restricted"], &after["restricted"]), (&false.into(), &true.into()));
    for table in ["personas", "evidence"] {
        assert_eq!(rows(&after, table), rows(before, table), "{table}");
    }
    let facets = |b: &Value| b["personas"][0]["facets"].clone();
    assert_eq!(facets(&after), facets(before), "the logic of every value");
    assert_eq!(after["personas"][0]["sealed"], true);
    for same in ["profiling", "purposes", "sources"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!(after["notice"]["status"], before["notice"]["status"]);
    assert!(page.contains("Kept sealed") && !page.contains("There is no estimate about you"), "{page}");
}

/// Exports of the demo with more rows of consents.
fn exports(folder: &Path, consents: &str) -> PathBuf {
    let original = root().join("testdata/demo/crm/consents.csv");
    let path = folder.join("consents.csv");
    let text = fs::read_to_string(&original).expect("readable");
    fs::write(&path, format!("{}\n{consents}", text.trim_end())).expect("written");
    pipeline(folder, &[(arg(&original), arg(&path))])
}

const RESTRICT: &str = "X-1;K-2004;restrict;;;;;;2026-02-20T08:00:00Z;;;;\n";
const LIFT: &str = "X-2;K-2004;lift;;;;;;2026-02-25T08:00:00Z;;;;\n";

#[test]
fn the_page_of_a_restricted_person_tells_what_is_kept() {
    let (_dir, home) = copy_of_shared();
    let (before, _) = access(&home, "K-2004");
    at(&home, &["subject", "restrict", "K-2004"]).expect(0);
    is_sealed(&before, &home, "K-2004");
    // Once more takes nothing away, and a run in which snapshots go does not either.
    at(&home, &["subject", "restrict", "K-2004"]).expect(0);
    demo(&home, &["--quiet"]).expect(0);
    is_sealed(&before, &home, "K-2004");
    intact(&home);
}

#[test]
fn a_restriction_that_is_imported_keeps_a_sealed_copy() {
    let (dir, home) = copy_of_shared();
    let (before, _) = access(&home, "K-2004");
    let table = dir.path().join("rows.csv");
    let import = |row: &str| {
        fs::write(&table, format!("event_id;contact_id;kind;basis;purposes;source_classes;valid_from;valid_to;recorded_at;method;notice_id;wording_hash;language\n{row}")).expect("written");
        say(["consent", "import", arg(&table), "--dialect", "table", "--out", arg(&home)]).expect(0)
    };
    import(RESTRICT);
    is_sealed(&before, &home, "K-2004");
    let why = at(&home, &["audit", "why", "K-2004"]).expect(0);
    assert!(why.out.contains("done for the person: restrict (taken out by a consent import)"), "{}", why.out);
    intact(&home);
    import(LIFT);
    let (after, _) = access(&home, "K-2004");
    assert_eq!((&after["restricted"], rows(&after, "personas")), (&false.into(), 0), "the copy goes with its end");
    intact(&home);
}

#[test]
fn a_restriction_that_a_run_reads_keeps_a_sealed_copy() {
    let (dir, home) = copy_of_shared();
    let (before, _) = access(&home, "K-2004");
    let run = |consents: &str, more: &[&str]| {
        let path = exports(dir.path(), consents);
        say([&["run", arg(&path), "--out", arg(&home), "--quiet"], more].concat()).expect(0);
    };
    // In parts, too: people are looked up there.
    run(RESTRICT, &["--at-once", "20"]);
    is_sealed(&before, &home, "K-2004");
    let why = at(&home, &["audit", "why", "K-2004"]).expect(0);
    assert!(why.out.contains("done for the person: restrict (taken out by a run)"), "{}", why.out);
    intact(&home);
    run(&format!("{RESTRICT}{LIFT}"), &[]);
    assert!(Tables::of(&home).persona("K-2004").is_some());
    let (after, page) = access(&home, "K-2004");
    assert_eq!((&after["restricted"], &after["personas"][0]["sealed"]), (&false.into(), &false.into()));
    assert!(!page.contains("Kept sealed"), "{page}");
    intact(&home);
}

#[test]
fn somebody_who_was_never_written_is_told_of_the_restriction() {
    let dir = temp();
    let home = dir.path().join("home");
    let path = exports(dir.path(), RESTRICT);
    say(["run", arg(&path), "--out", arg(&home), "--quiet"]).expect(0);
    let (bundle, _) = access(&home, "K-2004");
    assert_eq!((&bundle["restricted"], &bundle["profiling"]["exists"]), (&true.into(), &false.into()));
    intact(&home);
}

#[test]
fn a_sealed_copy_beyond_its_time_waits_for_the_officer() {
    let (_dir, home) = copy_of_shared();
    at(&home, &["subject", "restrict", "K-2004"]).expect(0);
    at(&home, &["retention", "overdue"]).expect(0);
    demo(&home, &["--quiet", "--as-of", "2029-04-01T03:00:00Z"]).expect(0);
    let sealed = |code: i32| {
        let said = at(&home, &["retention", "overdue", "--json"]).expect(code).json();
        said["findings"]["counts"]["overdue_sealed"].as_u64().unwrap_or(0)
    };
    assert_eq!(sealed(1), 1);
    let said = at(&home, &["retention", "sweep", "--yes"]).expect(0);
    assert!(said.out.contains("1 sealed cop"), "{}", said.out);
    assert_eq!(rows(&access(&home, "K-2004").0, "personas"), 1, "a sweep alone leaves it");
    at(&home, &["retention", "sweep", "--yes", "--sealed"]).expect(0);
    assert_eq!(rows(&access(&home, "K-2004").0, "personas"), 0);
    assert_eq!(sealed(0), 0);
    intact(&home);
}

#[test]
fn a_sealed_copy_that_cannot_be_read_is_not_written_over() {
    let (_dir, home) = copy_of_shared();
    let person = crate::tables::subject("K-2004");
    let office = || {
        let wall: prosopon::consent::gate::Clock = std::sync::Arc::new(crate::harness::now);
        prosopon::rights::office::Office::open(&home, &wall).expect("opens")
    };
    let put = |text: &str| {
        let office = office();
        let of = |(), _| Ok(text.as_bytes().to_vec());
        office.store.keep_restricted(&office.vault, vec![(office.key(&person), ())], of).expect("written");
        office.log_store().expect("logged");
    };
    put(r#"{"of":"another version"}"#);
    let said = at(&home, &["subject", "restrict", "K-2004"]).expect(3);
    assert!(said.err.contains("cannot read") && said.err.contains("retention overdue"), "{}", said.err);
    assert!(Tables::of(&home).persona("K-2004").is_some(), "the rows are not lost");
    let said = at(&home, &["retention", "overdue", "--json"]).expect(1).json();
    let finding = &said["findings"]["listed"][0];
    assert_eq!(
        (finding["kind"].as_str(), finding["about"].as_str()),
        (Some("sealed_unreadable"), Some(person.as_str()))
    );
    let office = office();
    let copy = office.store.restricted(office.key(&person)).expect("readable");
    assert_eq!(copy.as_deref(), Some(&br#"{"of":"another version"}"#[..]));
    drop(office);
    at(&home, &["audit", "verify"]).expect(0);
    // With one that can be read, the same command ends what was begun.
    put("[]");
    at(&home, &["subject", "restrict", "K-2004"]).expect(0);
    assert_eq!(rows(&access(&home, "K-2004").0, "personas"), 1);
    intact(&home);
}

#[test]
fn a_withdrawal_counts_against_a_consent_of_the_day() {
    let dir = temp();
    let home = dir.path().join("home");
    // The demo stands still at 2026-03-02T03:00:00Z.
    let original = root().join("testdata/demo/crm/consents.csv");
    let path = dir.path().join("consents.csv");
    let text = fs::read_to_string(&original).expect("readable");
    let row = text.lines().find(|line| line.starts_with("E-3003;")).expect("a row");
    let new = row.replace("2025-06-01T08:15:00Z", "2026-03-01T20:00:00Z").replace("2025-06-01", "2026-03-01T20:00:00Z");
    fs::write(&path, text.replace(row, &new)).expect("written");
    let path = pipeline(dir.path(), &[(arg(&original), arg(&path))]);
    let run = || say(["run", arg(&path), "--out", arg(&home), "--quiet"]).expect(0);
    run();
    assert!(Tables::of(&home).persona("K-2003").is_some());
    at(&home, &["subject", "withdraw", "K-2003"]).expect(0);
    assert!(Tables::of(&home).persona("K-2003").is_none());
    run();
    assert!(Tables::of(&home).persona("K-2003").is_none(), "the consent of the day before came back");
    let why = at(&home, &["audit", "why", "K-2003"]).expect(0);
    assert!(why.out.contains("done for the person: withdraw"), "{}", why.out);
    intact(&home);
}

#[test]
fn whose_snapshots_have_gone_is_explained_by_the_log() {
    let dir = temp();
    let home = dir.path().join("home");
    let path = pipeline(dir.path(), &[("keep_snapshots: 7", "keep_snapshots: 1")]);
    let run = |more: &[&str]| say([&["run", arg(&path), "--out", arg(&home), "--quiet"], more].concat()).expect(0);
    run(&[]);
    // Beyond the limit they are in no later snapshot.
    run(&["--limit", "1"]);
    let refused = at(&home, &["audit", "why", "K-2005"]).expect(0);
    assert!(refused.out.contains("Expired") && refused.out.contains("no snapshot knows the person"), "{}", refused.out);
    let written = at(&home, &["audit", "why", "K-2003", "--json"]).expect(0).json();
    assert_eq!(written["covered_by"][0]["operation"], "emit", "{written}");
    assert_eq!(written["covered_by"][0]["bases"][0], "6(1)(a)", "{written}");
    at(&home, &["audit", "why", "K-0000"]).expect(2);
}

#[test]
fn an_erased_person_does_not_come_back_with_the_name_in_one_column() {
    let (dir, home) = copy_of_shared();
    at(&home, &["subject", "erase", "K-2003", "--yes"]).expect(0);
    let contacts = root().join("testdata/demo/crm");
    let (old, whole) = ("Jörg;Müllerschön;joerg.muellerschoen@", ";Jörg Müllerschön;jm@");
    for (n, new) in [whole, "Müllerschön;Jörg;jm@"].into_iter().enumerate() {
        let copied = dir.path().join(n.to_string());
        fs::create_dir(&copied).expect("a folder");
        for file in fs::read_dir(&contacts).expect("a folder").flatten() {
            let bytes = fs::read(file.path()).expect("readable");
            let bytes = match String::from_utf8(bytes.clone()) {
                Ok(text) => text.replace("K-2003", "K-9903").replace(old, new).into_bytes(),
                Err(_) => bytes,
            };
            fs::write(copied.join(file.file_name()), bytes).expect("written");
        }
        let path = pipeline(dir.path(), &[(arg(&contacts), arg(&copied))]);
        let counts = say(["run", arg(&path), "--out", arg(&home), "--json"]).expect(0).json()["counts"].clone();
        let by = ["suppressed", "suppressed_by_name", "suppressed_by_address"].map(|name| counts[name].as_u64());
        assert_eq!(by, [Some(1), Some(1), Some(0)], "{new}: {counts}");
        assert!(Tables::of(&home).persona("K-9903").is_none());
    }
    // That nobody by that id is known has a reason that can be told.
    let said = at(&home, &["audit", "why", "K-9903"]).expect(2);
    assert!(said.err.contains("1 for the name") && said.err.contains("successor"), "{}", said.err);
}
