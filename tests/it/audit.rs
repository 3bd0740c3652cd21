//! The audit log through the command line: every kind of tampering is found, every question is answered.
//!
//! Invariant: each case changes a copy of an intact home by hand and must end with exit code 1, never 0.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Said, arg, copy, copy_of_shared, demo, files, say, shared};

fn at(home: &Path, args: &[&str]) -> Said {
    say([args, &["--out", arg(home)]].concat())
}

fn verify(home: &Path, more: &[&str]) -> Said {
    at(home, &[&["audit", "verify", "--json"], more].concat())
}

#[test]
fn an_intact_home_is_told_to_be_intact() {
    let (_dir, home) = copy_of_shared();
    let said = verify(&home, &[]).expect(0).json();
    assert_eq!(said["verdict"], "intact");
    assert!(said["content"]["replayed"].as_u64() > Some(200), "{said}");
    assert_eq!((&said["orphans"], &said["content"]["tables"]), (&0.into(), &8.into()), "{said}");
    let tiles = files(&home).into_iter().filter(|f| f.components().any(|c| c.as_os_str() == "tile")).count();
    assert!(tiles > 0, "tiles lie in a folder named tile");
}

#[test]
fn who_checks_or_asks_writes_nothing() {
    let (_dir, home) = copy_of_shared();
    let contents = || -> BTreeMap<PathBuf, Vec<u8>> {
        let files = files(&home).into_iter();
        // Shared memory of SQLite; no data.
        let files = files.filter(|f| !["-shm", "-wal"].iter().any(|end| f.to_string_lossy().ends_with(end)));
        files.map(|f| (f.clone(), fs::read(f).expect("readable"))).collect()
    };
    let before = contents();
    for args in [
        &["audit", "verify"][..],
        &["audit", "why", "K-2001"],
        &["audit", "coverage"],
        &["audit", "violations"],
        &["ropa"],
        &["retention", "overdue"],
        &["notice", "due"],
        &["status"],
    ] {
        at(&home, args);
        assert!(contents() == before, "{args:?} wrote into the home");
    }
}

#[test]
fn what_is_kept_of_pages_beyond_its_time_is_listed_until_it_is_swept() {
    let (_dir, home) = copy_of_shared();
    at(&home, &["retention", "overdue"]).expect(0);
    let pages = rusqlite::Connection::open(home.join("pages.sqlite")).expect("a store");
    let sql = "UPDATE kept SET until = 1767225600 WHERE place IN (SELECT place FROM kept LIMIT 2)";
    assert_eq!(pages.execute(sql, []).expect("written"), 2);
    drop(pages);
    let said = at(&home, &["retention", "overdue", "--json"]).expect(1).json();
    assert_eq!(said["findings"]["counts"]["overdue"], 2, "{said}");
    let says = "the retention of what is kept of a page ended on 2026-01-01: run `prosopon retention sweep`";
    assert_eq!(said["findings"]["listed"][0]["says"], says);
    at(&home, &["retention", "overdue", "--pipeline", "demo"]).expect(1);
    at(&home, &["retention", "sweep", "--yes"]).expect(0);
    at(&home, &["retention", "overdue"]).expect(0);
}

/// The file with the newest entries.
fn newest_entries(home: &Path) -> PathBuf {
    let all = files(&home.join("audit/tile/entries"));
    all.into_iter().max_by_key(|f| fs::metadata(f).map_or(0, |m| m.len())).expect("entries")
}

/// Entries of a bundle.
fn entries(bundle: &[u8]) -> Vec<Vec<u8>> {
    let (mut all, mut rest) = (Vec::new(), bundle);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        all.push(after[..length].to_vec());
        rest = &after[length..];
    }
    all
}

fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    entries.iter().flat_map(|e| [&u16::try_from(e.len()).expect("short").to_be_bytes()[..], e].concat()).collect()
}

fn change_entries(home: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let path = newest_entries(home);
    let mut all = entries(&fs::read(&path).expect("readable"));
    change(&mut all);
    fs::write(path, bundle(&all)).expect("writable");
}

#[test]
fn every_tampering_is_found() {
    type Tamper = fn(&Path);
    let cases: [(&str, Tamper); 21] = [
        ("change", |home| {
            // One digit of a time: the entry is as long and as readable as before.
            change_entries(home, |all| all[5][20] ^= 1);
        }),
        ("drop", |home| change_entries(home, |all| drop(all.remove(7)))),
        ("insert", |home| change_entries(home, |all| all.insert(7, all[6].clone()))),
        ("reorder", |home| change_entries(home, |all| all.swap(8, 9))),
        ("truncate", |home| change_entries(home, |all| all.truncate(20))),
        ("take the entries away", |home| fs::remove_file(newest_entries(home)).expect("removed")),
        ("take the log away", |home| fs::remove_dir_all(home.join("audit")).expect("removed")),
        ("take the checkpoint away", |home| fs::remove_file(home.join("audit/checkpoint")).expect("removed")),
        ("take the last known checkpoint away", |home| {
            fs::remove_file(home.join("audit-checkpoint")).expect("removed");
        }),
        ("a row of a table", |home| {
            let table = files(&home.join("demo")).into_iter().find(|f| f.ends_with("personas/part-0.parquet"));
            let table = table.expect("a table");
            let mut bytes = fs::read(&table).expect("readable");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(table, bytes).expect("writable");
        }),
        ("a payload", |home| {
            let db = rusqlite::Connection::open(home.join("audit/payloads.sqlite")).expect("a database");
            db.execute("UPDATE payloads SET sealed = zeroblob(length(sealed)) WHERE id = 3", []).expect("changed");
        }),
        ("payloads gone", |home| {
            let db = rusqlite::Connection::open(home.join("audit/payloads.sqlite")).expect("a database");
            db.execute("DELETE FROM payloads", []).expect("changed");
        }),
        ("a policy changed", |home| {
            let policy = files(&home.join("policy")).remove(0);
            let text = fs::read_to_string(&policy).expect("readable").replace("730", "731");
            fs::write(policy, text).expect("writable");
        }),
        ("rows in a second file", |home| {
            let table = files(&home.join("demo")).into_iter().find(|f| f.ends_with("personas/part-0.parquet"));
            let table = table.expect("a table");
            fs::copy(&table, table.with_file_name("part-1.parquet")).expect("a copy");
        }),
        ("the newest snapshot taken away", |home| fs::remove_dir_all(home.join("demo")).expect("removed")),
        ("another controller", |home| {
            let path = home.join("home.json");
            let text = fs::read_to_string(&path).expect("readable").replace("Demo Controller", "Other Controller");
            fs::write(path, text).expect("writable");
        }),
        ("another key beside the log", |home| fs::write(home.join("audit/vkey"), "x").expect("writable")),
        ("one key taken out of the vault", |home| {
            let db = rusqlite::Connection::open(home.join("keys/vault.sqlite")).expect("a database");
            let sql = "DELETE FROM subjects WHERE place = (SELECT min(place) FROM subjects)";
            assert_eq!(db.execute(sql, []).expect("changed"), 1);
        }),
        ("somebody forgotten whom nobody erased", |home| {
            let db = rusqlite::Connection::open(home.join("keys/vault.sqlite")).expect("a database");
            db.execute("INSERT INTO forgotten (tag) VALUES ('00')", []).expect("changed");
        }),
        ("the store of rights gone", |home| fs::remove_file(home.join("rights.sqlite")).expect("removed")),
        ("the vault gone", |home| fs::remove_file(home.join("keys/vault.sqlite")).expect("removed")),
    ];
    for (name, tamper) in cases {
        let (_dir, home) = copy_of_shared();
        tamper(&home);
        let said = verify(&home, &[]);
        assert_eq!(said.code, Some(1), "{name}: {}{}", said.out, said.err);
        assert!(!said.json()["findings"].as_array().expect("a list").is_empty(), "{name}");
    }
}

#[test]
fn a_rolled_back_log_is_found_and_stops_every_command() {
    let (dir, home) = copy_of_shared();
    let before = dir.path().join("before");
    copy(&home.join("audit"), &before);
    demo(&home, &["--quiet"]).expect(0);
    fs::remove_dir_all(home.join("audit")).expect("removed");
    copy(&before, &home.join("audit"));
    let said = verify(&home, &[]).expect(1);
    assert!(said.out.contains("RolledBack"), "{}", said.out);
    for args in [&["persona", "K-2001"][..], &["inspect", "personas"], &["subject", "object", "K-2001"]] {
        let said = at(&home, args).expect(3);
        assert!(said.err.contains("rolled back") && said.out.is_empty(), "{args:?}: {}", said.err);
    }
    let said = demo(&home, &[]).expect(3);
    assert!(said.err.contains("restore the newest backup"), "{}", said.err);
}

#[test]
fn a_ledger_rolled_back_with_its_checkpoint_is_found_and_stops_every_command() {
    let (dir, home) = copy_of_shared();
    let parts = ["ledger.sqlite", "checkpoint"];
    for name in parts {
        fs::copy(home.join(name), dir.path().join(name)).expect("a copy");
    }
    at(&home, &["subject", "withdraw", "K-2001"]).expect(0);
    for name in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = fs::remove_file(home.join(name));
    }
    for name in parts {
        fs::copy(dir.path().join(name), home.join(name)).expect("a copy");
    }
    verify(&home, &[]).expect(1);
    let said = demo(&home, &[]).expect(3);
    assert!(said.err.contains("behind"), "{}", said.err);
    at(&home, &["persona", "K-2001"]).expect(3);
    // With the vault of before, too: then the log alone remembers.
    let (dir, home) = copy_of_shared();
    copy(&home, &dir.path().join("before"));
    at(&home, &["subject", "withdraw", "K-2001"]).expect(0);
    let _ = fs::remove_file(home.join("ledger.sqlite-wal"));
    for name in ["ledger.sqlite", "checkpoint", "keys/vault.sqlite"] {
        fs::copy(dir.path().join("before").join(name), home.join(name)).expect("a copy");
    }
    let said = verify(&home, &[]).expect(1);
    assert!(said.out.contains("older than the last event that came in"), "{}", said.out);
}

#[test]
fn two_histories_are_found_by_a_checkpoint_that_was_kept() {
    let (dir, home) = copy_of_shared();
    let other = dir.path().join("other");
    copy(&home, &other);
    at(&home, &["persona", "K-2001"]).expect(0);
    at(&other, &["persona", "K-2002"]).expect(0);
    let kept = dir.path().join("kept");
    fs::copy(home.join("audit/checkpoint"), &kept).expect("a copy");
    verify(&home, &["--since", arg(&kept)]).expect(0);
    let said = verify(&other, &["--since", arg(&kept)]).expect(1);
    assert!(said.out.contains("SplitView"), "{}", said.out);
}

#[test]
fn a_witness_signs_what_it_has_checked() {
    let (dir, home) = copy_of_shared();
    let (key, note) = (dir.path().join("witness.key"), dir.path().join("note"));
    let said = at(&home, &["audit", "cosign", "--key", arg(&key), "--new", "--to", arg(&note)]).expect(0);
    let vkey = said.err.rsplit(' ').next().expect("a key").trim().to_owned();
    at(&home, &["persona", "K-2001"]).expect(0);
    let said = verify(&home, &["--since", arg(&note), "--witness", &vkey]).expect(0).json();
    assert!(said["cosigned"][0].as_str().is_some_and(|c| c.starts_with("dpo")), "{said}");
    // Without the cosigned note, nobody has witnessed anything.
    verify(&home, &["--witness", &vkey]).expect(1);
    verify(&home, &["--witness", "nonsense"]).expect(2);
    change_entries(&home, |all| all.swap(3, 4));
    let said = at(&home, &["audit", "cosign", "--key", arg(&key)]).expect(1);
    assert!(said.err.contains("nothing was cosigned") && said.out.is_empty(), "{}", said.err);
}

#[test]
fn what_is_no_home_could_not_be_checked() {
    let (dir, home) = copy_of_shared();
    let said = verify(&dir.path().join("nothing"), &[]).expect(2);
    assert_eq!(said.json()["verdict"], "could not check");
    fs::remove_file(home.join("keys/master.key")).expect("removed");
    let said = verify(&home, &[]).expect(2);
    assert!(said.out.contains("master key"), "{}", said.out);
}

#[test]
fn every_question_of_a_data_protection_officer_is_answered_on_the_demo() {
    let home = &shared().home;
    for (args, code) in [
        (&["audit", "why", "K-2001"][..], 0),
        (&["audit", "why", "K-2005"], 0),
        (&["audit", "coverage"], 0),
        (&["audit", "denials"], 0),
        (&["audit", "denials", "--by", "purpose"], 0),
        (&["audit", "latency"], 0),
        (&["audit", "violations"], 0),
        (&["audit", "special-category"], 0),
        (&["consent", "proof", "K-2001"], 0),
        (&["subject", "recipients", "K-2001"], 0),
        (&["source", "report"], 0),
        (&["ropa"], 0),
        (&["assessments"], 0),
        (&["retention", "overdue"], 0),
        (&["explain", "K-2001", "seniority"], 0),
    ] {
        let said = at(home, args);
        assert_eq!(said.code, Some(code), "{args:?}: {}{}", said.out, said.err);
        assert!(!said.out.trim().is_empty(), "{args:?} says nothing");
        let json = at(home, &[args, &["--json"]].concat());
        assert_eq!(json.code, Some(code), "{args:?} --json: {}", json.err);
        assert!(json.json().is_object(), "{args:?}");
        for text in [&said.out, &json.out] {
            assert!(!text.contains("Hartwig-Loos") && !text.contains("annegret"), "{args:?} names a person");
        }
    }
}
