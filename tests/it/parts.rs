//! Parts of a home that are not of one moment, or were changed by hand: found, and nothing is done with them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use prosopon::rights::erase;
use prosopon::rights::office::Office;
use prosopon::sink::HomeLock;
use rusqlite::Connection;

use crate::harness::{arg, copy_of_shared, demo, finish, now, prosopon, temp};
use crate::rights::{at, intact};
use crate::tables::subject;

/// Puts a file back as it was in another home.
fn put_back(from: &Path, home: &Path, names: &[&str]) {
    for name in names {
        for beside in ["-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(home.join(format!("{name}{beside}")));
        }
        fs::copy(from.join(name), home.join(name)).expect("a copy");
    }
}

fn refused(home: &Path, why: &str) {
    for args in [&["persona", "K-2002"][..], &["inspect", "personas"], &["subject", "object", "K-2002"]] {
        let said = at(home, args).expect(3);
        assert!(said.err.contains(why) && said.out.is_empty(), "{args:?}: {}", said.err);
    }
    let said = demo(home, &[]).expect(3);
    assert!(said.err.contains(why), "{}", said.err);
}

#[test]
fn keys_from_before_an_erasure_bring_nobody_back() {
    let ((_a, before), (_b, home)) = (copy_of_shared(), copy_of_shared());
    at(&home, &["subject", "erase", "K-2001", "--yes"]).expect(0);
    intact(&home);
    put_back(&before, &home, &["keys/vault.sqlite"]);
    refused(&home, "older than the last erasure");
    let said = at(&home, &["audit", "verify"]).expect(1);
    assert!(said.out.contains("older than the last erasure"), "{}", said.out);
}

#[test]
fn whoever_is_kept_out_cannot_be_taken_off_the_list() {
    let (_dir, home) = copy_of_shared();
    at(&home, &["subject", "erase", "K-2001", "--yes"]).expect(0);
    let vault = Connection::open(home.join("keys/vault.sqlite")).expect("the vault");
    vault.execute("DELETE FROM suppressed", []).expect("deleted");
    drop(vault);
    refused(&home, "older than the last erasure");
    // Whoever changes the note, too, is found by the log.
    fs::write(home.join("anchors"), r#"{"forgotten":1,"suppressed":0,"ledger":""}"#).expect("written");
    let said = at(&home, &["audit", "verify"]).expect(1);
    assert!(said.out.contains("kept out was cut"), "{}", said.out);
}

#[test]
fn ledger_and_keys_from_before_an_objection_are_older_than_the_log() {
    let ((_a, before), (_b, home)) = (copy_of_shared(), copy_of_shared());
    at(&home, &["subject", "object", "K-2002"]).expect(0);
    // Entries that say nothing of the ledger do not bury it.
    for _ in 0..5 {
        at(&home, &["consent", "export"]).expect(0);
    }
    put_back(&before, &home, &["ledger.sqlite", "checkpoint", "keys/vault.sqlite"]);
    refused(&home, "older than the last event that came in");
}

#[test]
fn erasures_of_two_processes_are_both_counted() {
    let (dir, home) = copy_of_shared();
    let wall: prosopon::consent::gate::Clock = Arc::new(|| "2026-12-02T03:00:00Z".parse().expect("a time"));
    let mut first = Office::open(&home, &wall).expect("opens");
    // While the first one asks whether it may destroy, somebody else does.
    at(&home, &["subject", "erase", "K-2002", "--yes"]).expect(0);
    fs::create_dir(dir.path().join("keys")).expect("a folder");
    fs::copy(home.join("keys/vault.sqlite"), dir.path().join("keys/vault.sqlite")).expect("a copy");
    let person = subject("K-2001");
    let announced = erase::announce(&mut first, &person, false).expect("announced");
    let lock = HomeLock::acquire(&home).expect("free");
    erase::destroy(&mut first, &person, &announced, lock).expect("destroyed");
    drop(first);
    intact(&home);
    put_back(dir.path(), &home, &["keys/vault.sqlite"]);
    refused(&home, "older than the last erasure");
}

/// Leaves a home as a process does that is killed when the log tells of a person's erasure, and the vault does not yet have the
/// list of those who are kept out.
fn killed_before_the_list(home: &Path, record: &str) -> u64 {
    let rows = |vault: &Connection| -> (Vec<Vec<u8>>, Option<String>) {
        let mut statement = vault.prepare("SELECT identifier FROM suppressed").expect("a table");
        let all = statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect();
        let salt = vault.query_row("SELECT value FROM meta WHERE name = 'kept_out'", [], |row| row.get(0)).ok();
        (all, salt)
    };
    let open = || Connection::open(home.join("keys/vault.sqlite")).expect("the vault");
    let (anchors, (before, salt)) = (fs::read(home.join("anchors")).expect("readable"), rows(&open()));
    let wall: prosopon::consent::gate::Clock = Arc::new(now);
    let mut office = Office::open(home, &wall).expect("opens");
    let announced = erase::announce(&mut office, &subject(record), false).expect("announced");
    drop(office);
    let vault = open();
    vault.execute("DELETE FROM suppressed", []).expect("deleted");
    vault.execute("DELETE FROM meta WHERE name = 'kept_out'", []).expect("deleted");
    for row in before {
        vault.execute("INSERT INTO suppressed (identifier) VALUES (?1)", [row]).expect("put back");
    }
    if let Some(salt) = salt {
        vault.execute("INSERT INTO meta (name, value) VALUES ('kept_out', ?1)", [salt]).expect("put back");
    }
    fs::write(home.join("anchors"), anchors).expect("put back");
    announced.entry
}

#[test]
fn a_first_erasure_that_was_broken_off_is_told_as_what_it_is() {
    let (_dir, home) = copy_of_shared();
    let found = || {
        let said = at(&home, &["audit", "verify", "--json"]).expect(1).json();
        let all = said["findings"].as_array().expect("findings").clone();
        let of = |f: &serde_json::Value| (f["what"].as_str().unwrap_or_default().to_owned(), f["entry"].as_u64());
        all.iter().map(of).collect::<Vec<_>>()
    };
    let only_broken_off = |entries: &[u64]| {
        let found = found();
        assert!(found.iter().all(|(what, _)| what.contains("--pending")), "{found:?}");
        assert_eq!(found.iter().filter_map(|(_, entry)| *entry).collect::<Vec<_>>(), entries, "{found:?}");
    };
    let first = killed_before_the_list(&home, "K-2001");
    only_broken_off(&[first]);
    let second = killed_before_the_list(&home, "K-2002");
    only_broken_off(&[first, second]);
    let third = killed_before_the_list(&home, "K-2001");
    let waiting = at(&home, &["subject", "erase", "--pending", "--json"]).expect(0).json()["pending"].clone();
    assert_eq!(waiting.as_array().map(Vec::len), Some(2), "{waiting}");
    at(&home, &["subject", "erase", "K-2001", "--yes"]).expect(0);
    only_broken_off(&[second]);
    // One that came to its end has written its list: that there is none any more is no erasure that was broken off.
    let vault = Connection::open(home.join("keys/vault.sqlite")).expect("the vault");
    let salt: String =
        vault.query_row("SELECT value FROM meta WHERE name = 'kept_out'", [], |row| row.get(0)).expect("a salt");
    vault.execute("DELETE FROM meta WHERE name = 'kept_out'", []).expect("deleted");
    let found = found();
    assert!(found.iter().any(|(what, _)| what.contains("could come back")), "{third}: {found:?}");
    vault.execute("INSERT INTO meta (name, value) VALUES ('kept_out', ?1)", [salt]).expect("put back");
    drop(vault);
    at(&home, &["subject", "erase", "K-2002", "--yes"]).expect(0);
    intact(&home);
}

#[test]
fn an_erasure_that_was_broken_off_is_found_until_it_is_repeated() {
    let (_dir, home) = copy_of_shared();
    let wall: prosopon::consent::gate::Clock = Arc::new(now);
    let announce = |record: &str| {
        let mut office = Office::open(&home, &wall).expect("opens");
        erase::announce(&mut office, &subject(record), false).expect("announced").entry
    };
    let found = || {
        let said = at(&home, &["audit", "verify", "--json"]).expect(1).json();
        let all: Vec<_> = said["findings"].as_array().expect("findings").clone();
        assert!(all.iter().all(|f| f["what"].as_str().is_some_and(|w| w.contains("broken off"))), "{all:?}");
        all.iter().filter_map(|f| f["entry"].as_u64()).collect::<Vec<_>>()
    };
    let first = announce("K-2001");
    assert_eq!(found(), [first]);
    let second = announce("K-2002");
    let waiting = || at(&home, &["subject", "erase", "--pending", "--json"]).expect(0).json()["pending"].clone();
    let mut both = [subject("K-2001"), subject("K-2002")].map(|id| id.to_string());
    both.sort();
    assert_eq!(waiting(), serde_json::json!(both));
    at(&home, &["subject", "erase", "K-2003", "--yes"]).expect(0);
    assert_eq!(found(), [first, second], "another's ended between");
    at(&home, &["keys", "rotate"]).expect(0);
    // The ids that are listed are those that the command takes.
    at(&home, &["subject", "erase", subject("K-2001").as_str(), "--yes"]).expect(0);
    assert_eq!(found(), [second], "one was repeated");
    // Cut off right behind the key: what is told next cannot be told.
    let mut office = Office::open(&home, &wall).expect("opens");
    let announced = erase::announce(&mut office, &subject("K-2002"), false).expect("announced");
    assert_eq!(found(), [second, announced.entry], "with a key that lives");
    let told = home.join(".anchors.lock");
    fs::remove_file(&told).and_then(|()| fs::create_dir(&told)).expect("in the way");
    let lock = HomeLock::acquire(&home).expect("free");
    erase::destroy(&mut office, &subject("K-2002"), &announced, lock).expect_err("cut off");
    drop(office);
    fs::remove_dir(&told).expect("out of the way");
    let anchored = || fs::read_to_string(home.join("anchors")).expect("there").contains("\"forgotten\":3");
    let count = |file: &str, sql: &str| -> i64 {
        let database = Connection::open(home.join(file)).expect("opens");
        database.query_row(sql, [], |row| row.get(0)).expect("readable")
    };
    assert_eq!(count("keys/vault.sqlite", "SELECT count(*) FROM erasures"), 0);
    assert!(!anchored());
    at(&home, &["subject", "erase", "K-2002", "--yes"]).expect(2);
    assert!(anchored(), "the next that opens the home tells it");
    assert_eq!(count("pages.sqlite", "SELECT n FROM erasures"), 3);
    assert_eq!(waiting(), serde_json::json!([]));
    intact(&home);
}

#[test]
fn what_happens_while_an_erasure_asks_is_seen_by_it() {
    let (_dir, home) = copy_of_shared();
    let wall: prosopon::consent::gate::Clock = Arc::new(now);
    let (person, name) = (subject("K-2001"), [7; 16]);
    let mut office = Office::open(&home, &wall).expect("opens");
    let mut other = Office::open(&home, &wall).expect("opens");
    other.vault.identify(&[(person.clone(), vec![name])]).expect("written");
    drop(other);
    erase::announce(&mut office, &person, false).expect("announced");
    assert!(office.vault.suppressed().contains(&name), "what a run brought in is kept out");
    at(&home, &["keys", "rotate"]).expect(0);
    let before = office.reader().expect("a log").size();
    let error = erase::announce(&mut office, &person, false).expect_err("rotated");
    assert!(error.to_string().contains("rotated a moment ago"), "{error}");
    assert_eq!(office.reader().expect("a log").size(), before, "nothing was announced");
    let lock = HomeLock::acquire(&home).expect("free");
    let announced = {
        let mut fresh = Office::open(&home, &wall).expect("opens");
        erase::announce(&mut fresh, &person, false).expect("announced")
    };
    erase::destroy(&mut office, &person, &announced, lock).expect_err("the key lives");
    drop(office);
    let said = at(&home, &["audit", "verify"]).expect(1);
    assert!(said.out.contains("--pending"), "{}", said.out);
    let mut stale = Office::open(&home, &wall).expect("opens");
    at(&home, &["subject", "erase", "K-2001", "--yes"]).expect(0);
    let error = erase::announce(&mut stale, &person, true).expect_err("erased");
    assert!(error.to_string().contains("another process erased"), "{error}");
    intact(&home);
}

#[test]
fn no_entry_ties_two_erasures_of_a_person_together() {
    let (_dir, home) = copy_of_shared();
    let wall: prosopon::consent::gate::Clock = Arc::new(now);
    let mut office = Office::open(&home, &wall).expect("opens");
    let first = erase::announce(&mut office, &subject("K-2001"), true).expect("announced");
    drop(office);
    let said = at(&home, &["subject", "erase", "--pending"]).expect(0);
    assert_eq!(said.out.trim(), subject("K-2001").as_str());
    let receipt = at(&home, &["subject", "erase", "K-2001", "--yes", "--json"]).expect(0).json()["receipt"].clone();
    let ids = [first.erasure.as_str(), receipt["erasure"].as_str().expect("an id")];
    let office = Office::open(&home, &wall).expect("opens");
    let (mut with, mut asked) = (Vec::new(), 0);
    let read = office.reader().expect("a log").each(0..u64::MAX, &mut |number, leaf| {
        let text = serde_json::to_string(&leaf).expect("plain data");
        with.extend(ids.iter().filter(|id| text.contains(*id)).map(|_| number));
        asked += u32::from(text.contains("--pending") && leaf.subject.is_none());
        std::ops::ControlFlow::Continue(())
    });
    read.expect("readable");
    assert_eq!((with, asked), (vec![first.entry, receipt["entry"].as_u64().expect("a number")], 1));
    intact(&home);
}

#[test]
fn sealed_payloads_are_not_made_anew_in_silence() {
    let (_dir, home) = copy_of_shared();
    fs::remove_file(home.join("audit/payloads.sqlite")).expect("removed");
    refused(&home, "payloads.sqlite is missing");
}

#[test]
fn a_manifest_that_was_changed_is_found() {
    let (_dir, home) = copy_of_shared();
    let current = fs::read_to_string(home.join("demo/current")).expect("a snapshot");
    let path = home.join("demo").join(current.trim()).join("manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest");
    for (field, other) in [("gate_time", "2020-01-01T00:00:00Z"), ("policy_hash", "00"), ("controller", "Somebody")] {
        let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_ne!(manifest[field], other);
        manifest[field] = other.into();
        fs::write(&path, manifest.to_string()).expect("written");
        let said = at(&home, &["audit", "verify"]).expect(1);
        assert!(said.out.contains("manifest.json: it is not what"), "{field}: {}", said.out);
    }
    fs::write(&path, text).expect("written");
    intact(&home);
    // What rights change in it is announced.
    at(&home, &["subject", "object", "K-2002"]).expect(0);
    intact(&home);
    let said = at(&home, &["audit", "verify", "--pipeline", "nope"]).expect(2);
    assert!(said.err.contains("no pipeline \"nope\""), "{}", said.err);
}

#[test]
fn a_receipt_is_nobody_elses() {
    let (dir, home) = copy_of_shared();
    let receipt = dir.path().join("receipt.json");
    at(&home, &["subject", "erase", "K-2001", "--yes", "--receipt", arg(&receipt)]).expect(0);
    at(&home, &["subject", "erase", "--verify", arg(&receipt)]).expect(0);
    let mut changed: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&receipt).expect("a receipt")).expect("JSON");
    let salt = changed["salt"].as_str().expect("hex").replace('0', "1");
    changed["salt"] = salt.into();
    changed["subject"] = "00".repeat(32).into();
    fs::write(&receipt, changed.to_string()).expect("written");
    let said = at(&home, &["subject", "erase", "--verify", arg(&receipt)]).expect(1);
    assert!(said.out.contains("somebody else"), "{}", said.out);
    at(&home, &["subject", "erase", "--verify", arg(&dir.path().join("none.json"))]).expect(2);
}

#[test]
fn what_is_kept_of_pages_from_before_an_erasure_speaks_against_its_receipt() {
    let (dir, home) = copy_of_shared();
    let receipt = dir.path().join("receipt.json");
    at(&home, &["subject", "erase", "K-2001", "--yes", "--receipt", arg(&receipt)]).expect(0);
    let verify = || at(&home, &["subject", "erase", "--verify", arg(&receipt)]);
    verify().expect(0);
    let pages = Connection::open(home.join("pages.sqlite")).expect("a store");
    assert_eq!(pages.execute("UPDATE erasures SET n = 0", []).expect("written"), 1);
    drop(pages);
    let said = verify().expect(1);
    assert!(said.out.contains("pages.sqlite is not of after"), "{}", said.out);
    demo(&home, &["--quiet"]).expect(0);
    verify().expect(0);
}

#[test]
fn files_may_be_named_without_a_folder() {
    let (_dir, home) = copy_of_shared();
    let here = temp();
    for (args, file) in [
        (&["subject", "export", "K-2002", "--to", "export.json"][..], "export.json"),
        (&["consent", "export", "--to", "consents.json"], "consents.json"),
        (&["report", "--to", "report.html"], "report.html"),
        (&["audit", "cosign", "--key", "dpo.key", "--new", "--to", "checkpoint"], "checkpoint"),
        (&["subject", "erase", "K-2004", "--yes", "--receipt", "receipt.json"], "receipt.json"),
    ] {
        let child = prosopon().args(args).args(["--out", arg(&home)]).current_dir(here.path()).spawn().expect("starts");
        finish(child).expect(0);
        assert!(here.path().join(file).metadata().expect("written").len() > 40, "{file}");
    }
}

#[test]
fn why_tells_what_was_done_for_somebody_between_two_runs() {
    let (_dir, home) = copy_of_shared();
    for (record, args) in [
        ("K-2002", &["object", "K-2002"][..]),
        ("K-2003", &["withdraw", "K-2003", "--purpose", "persona_enrichment"]),
        ("K-2004", &["restrict", "K-2004"]),
    ] {
        at(&home, &[&["subject"][..], args].concat()).expect(0);
        let said = at(&home, &["audit", "why", record]);
        let done = format!("done for the person: {}", args[0]);
        assert!(said.out.contains("is in no table") && said.out.contains(&done), "{record}: {}{}", said.out, said.err);
        assert!(said.out.contains("ledger entry") && !said.out.contains("ScopeMismatch"), "{record}: {}", said.out);
    }
    at(&home, &["audit", "why", "K-9999"]).expect(2);
}

#[test]
fn a_sweep_explains_whom_it_took_out() {
    let (_dir, home) = copy_of_shared();
    demo(&home, &["--quiet", "--as-of", "2027-06-02T03:00:00Z"]).expect(0);
    let swept = at(&home, &["retention", "sweep", "--yes", "--json"]).expect(0).json();
    assert!(swept["rows"].as_u64() > Some(0), "{swept}");
    intact(&home);
}
