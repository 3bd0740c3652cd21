//! Parts of a home that were put back, emptied or changed: what undoes a right is noticed by whoever opens the home.
//!
//! Invariant: nothing is published from such a home, and `audit verify` says which part it is.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::harness::{arg, copy_of_shared, demo};
use crate::rights::{at, intact};
use crate::tables::Tables;

/// What `audit verify` finds.
fn found(home: &Path) -> Vec<String> {
    let said = at(home, &["audit", "verify", "--json"]).expect(1).json();
    let found = said["findings"].as_array().expect("findings");
    found
        .iter()
        .map(|f| format!("{}: {}", f["kind"].as_str().unwrap_or(""), f["what"].as_str().unwrap_or("")))
        .collect()
}

#[test]
fn rectifications_and_sealed_copies_cannot_be_undone_by_an_older_store() {
    let (dir, home) = copy_of_shared();
    let (store, old) = (home.join("rights.sqlite"), dir.path().join("old"));
    fs::copy(&store, &old).expect("a copy");
    at(&home, &["subject", "rectify", "K-2003", "job_function", "it", "--proof", "letter"]).expect(0);
    at(&home, &["subject", "restrict", "K-2004"]).expect(0);
    intact(&home);
    let good = dir.path().join("good");
    fs::copy(&store, &good).expect("a copy");
    for (name, content) in [("an older one", fs::read(&old).expect("readable")), ("an empty one", Vec::new())] {
        fs::write(&store, content).expect("written");
        let found = found(&home);
        assert!(
            found.iter().any(|f| f.starts_with("rights: ") && f.contains("rights.sqlite is older")),
            "{name}: {found:?}"
        );
        for args in [&["subject", "access", "K-2003"][..], &["persona", "K-2003"], &["retention", "sweep", "--yes"]] {
            let said = at(&home, args).expect(3);
            assert!(said.err.contains("rights.sqlite is older") && said.err.contains("newest backup"), "{}", said.err);
        }
        let before = crate::tables::snapshot(&home).run_id().to_owned();
        demo(&home, &["--quiet"]).expect(3);
        assert_eq!(crate::tables::snapshot(&home).run_id(), before, "{name}: a run published");
    }
    fs::copy(&good, &store).expect("put back");
    intact(&home);
    // A row that was changed in it.
    let database = Connection::open(&store).expect("opens");
    database.execute("DELETE FROM kept WHERE kind = 'restricted'", []).expect("changed");
    drop(database);
    let found = found(&home);
    assert!(found.iter().any(|f| f.contains("not as it was written")), "{found:?}");
}

#[test]
fn a_vault_that_is_put_back_with_the_store_is_behind_the_log() {
    let (dir, home) = copy_of_shared();
    let files = ["rights.sqlite", "keys/vault.sqlite"];
    for (n, file) in files.iter().enumerate() {
        fs::copy(home.join(file), dir.path().join(n.to_string())).expect("a copy");
    }
    at(&home, &["subject", "rectify", "K-2003", "job_function", "it"]).expect(0);
    for (n, file) in files.iter().enumerate() {
        fs::copy(dir.path().join(n.to_string()), home.join(file)).expect("put back");
    }
    let found = found(&home);
    assert!(found.iter().any(|f| f.contains("vault.sqlite is older than the last rectification")), "{found:?}");
    demo(&home, &["--quiet"]).expect(3);
}

#[test]
fn a_home_from_before_stores_were_bound_opens_and_is_bound() {
    let (dir, home) = copy_of_shared();
    let old = dir.path().join("old");
    fs::copy(home.join("rights.sqlite"), &old).expect("a copy");
    at(&home, &["subject", "rectify", "K-2003", "job_function", "it"]).expect(0);
    at(&home, &["subject", "erase", "K-2004", "--yes"]).expect(0);
    let unbind = |home: &Path| {
        let vault = Connection::open(home.join("keys/vault.sqlite")).expect("opens");
        vault.execute("DELETE FROM meta WHERE name IN ('rights', 'kept_out')", []).expect("changed");
        let path = home.join("anchors");
        let mut anchors: Value = serde_json::from_slice(&fs::read(&path).expect("readable")).expect("JSON");
        let anchors = anchors.as_object_mut().expect("an object");
        anchors.remove("rights");
        anchors.remove("kept_out");
        fs::write(&path, serde_json::to_vec(&anchors).expect("JSON")).expect("written");
    };
    unbind(&home);
    // The log of this one tells of both already; one of an older version does not.
    let found = found(&home);
    assert!(found.iter().any(|f| f.contains("last rectification or restriction")), "{found:?}");
    // By the ledger alone: a store that lacks a rectification.
    let (dir, home) = copy_of_shared();
    let old = dir.path().join("old");
    fs::copy(home.join("rights.sqlite"), &old).expect("a copy");
    unbind(&home);
    at(&home, &["persona", "K-2003"]).expect(0);
    demo(&home, &["--quiet"]).expect(0);
    intact(&home);
    let note = |home: &Path| -> Option<String> {
        let vault = Connection::open(home.join("keys/vault.sqlite")).expect("opens");
        vault.query_row("SELECT value FROM meta WHERE name = 'rights'", [], |row| row.get(0)).ok()
    };
    assert!(note(&home).is_some(), "the run has bound it");
}

#[test]
fn the_ledger_tells_of_rectifications_that_a_store_lacks() {
    let (dir, home) = copy_of_shared();
    let old = dir.path().join("old");
    fs::copy(home.join("rights.sqlite"), &old).expect("a copy");
    at(&home, &["subject", "rectify", "K-2003", "job_function", "it"]).expect(0);
    fs::copy(&old, home.join("rights.sqlite")).expect("put back");
    // Somebody bound the older one, as a version of before would have left it.
    let vault = Connection::open(home.join("keys/vault.sqlite")).expect("opens");
    let note: String =
        vault.query_row("SELECT value FROM meta WHERE name = 'rights'", [], |row| row.get(0)).expect("a note");
    let of_old: String = {
        let (_dir, other) = copy_of_shared();
        let vault = Connection::open(other.join("keys/vault.sqlite")).expect("opens");
        vault.query_row("SELECT value FROM meta WHERE name = 'rights'", [], |row| row.get(0)).expect("a note")
    };
    let (changes, digest) = (note.split(' ').next().expect("a number"), of_old.split(' ').nth(1).expect("a digest"));
    vault
        .execute("UPDATE meta SET value = ?1 WHERE name = 'rights'", [format!("{changes} {digest}")])
        .expect("changed");
    drop(vault);
    let found = found(&home);
    assert!(found.iter().any(|f| f.starts_with("rights: the ledger tells of 1 rectification")), "{found:?}");
}

#[test]
fn a_list_of_the_erased_that_was_changed_is_noticed_though_its_length_is_the_same() {
    let (dir, home) = copy_of_shared();
    at(&home, &["subject", "erase", "K-2003", "--yes"]).expect(0);
    at(&home, &["subject", "erase", "K-2004", "--yes"]).expect(0);
    intact(&home);
    let vault = Connection::open(home.join("keys/vault.sqlite")).expect("opens");
    let rows: Vec<Vec<u8>> = {
        let mut statement = vault.prepare("SELECT identifier FROM suppressed").expect("a table");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a row")).collect()
    };
    for row in &rows {
        let mut other = row.clone();
        other[0] ^= 0xff;
        vault.execute("UPDATE suppressed SET identifier = ?1 WHERE identifier = ?2", [&other, row]).expect("changed");
    }
    drop(vault);
    let found = found(&home);
    assert!(found.iter().any(|f| f.contains("those who are kept out was changed")), "{found:?}");
    demo(&home, &["--quiet"]).expect(3);
    assert!(Tables::of(&home).persona("K-2003").is_none());
    // Whoever changes the anchors, too, has the log against them.
    let path = home.join("anchors");
    let mut anchors: Value = serde_json::from_slice(&fs::read(&path).expect("readable")).expect("JSON");
    anchors["kept_out"] = "".into();
    fs::write(&path, serde_json::to_vec(&anchors).expect("JSON")).expect("written");
    let found = self::found(&home);
    assert!(found.iter().any(|f| f.contains("none that the log tells of")), "{found:?}");
    drop(dir);
}

#[test]
fn a_receipt_is_bound_and_copies_in_the_home_are_looked_into() {
    let (dir, home) = copy_of_shared();
    let copies = home.join("exports");
    fs::create_dir(&copies).expect("a folder");
    let table = crate::harness::files(&home)
        .into_iter()
        .find(|path| path.components().any(|part| part.as_os_str() == "personas"))
        .expect("a table of personas");
    fs::copy(&table, copies.join("kept.parquet")).expect("a copy");
    let said = at(&home, &["subject", "erase", "K-2003", "--yes"]).expect(1);
    assert!(said.out.contains("exports/kept.parquet"), "{}", said.out);
    let receipt = said.out.lines().find_map(|line| line.strip_prefix("receipt   ")).expect("a receipt").to_owned();
    let check = |receipt: &str| at(&home, &["subject", "erase", "--verify", receipt]);
    let said = check(&receipt).expect(1);
    assert!(said.out.contains("exports/kept.parquet") && !said.out.contains("complete"), "{}", said.out);
    // One that cannot be opened is told, and could not be checked.
    fs::write(copies.join("kept.parquet"), b"PK\x03\x04 and so on").expect("written");
    let said = check(&receipt).expect(2);
    assert!(said.out.contains("UNCHECKED exports/kept.parquet") && !said.out.contains("complete"), "{}", said.out);
    fs::remove_dir_all(&copies).expect("removed");
    assert!(check(&receipt).expect(0).out.starts_with("complete"));
    let text: Value = serde_json::from_slice(&fs::read(&receipt).expect("readable")).expect("JSON");
    for (field, value) in [
        ("erased_at", Value::from("2025-01-01T00:00:00Z")),
        ("rows", serde_json::json!({ "personas": 9 })),
        ("snapshots", 9.into()),
        ("payloads", 99.into()),
        ("suppressed", 99.into()),
        ("recipients", serde_json::json!([])),
    ] {
        let mut changed = text.clone();
        assert_ne!(changed[field], value, "{field}");
        changed[field] = value;
        let path = dir.path().join("changed.json");
        fs::write(&path, serde_json::to_vec(&changed).expect("JSON")).expect("written");
        let said = check(arg(&path)).expect(1);
        assert!(said.out.contains("something in it was changed"), "{field}: {}", said.out);
    }
    intact(&home);
}

#[test]
fn a_cut_tile_and_a_repacked_table_are_told_as_what_they_are() {
    let (_dir, home) = copy_of_shared();
    let mut tiles = crate::harness::files(&home.join("audit/tile"));
    tiles.sort();
    let tile = tiles.iter().find(|path| path.to_string_lossy().contains("entries")).expect("a tile");
    let bytes = fs::read(tile).expect("readable");
    fs::write(tile, &bytes[..bytes.len() - 100]).expect("written");
    let said = at(&home, &["audit", "coverage"]);
    assert!(said.err.contains("is damaged") && !said.err.contains("free space"), "{}", said.err);
}

#[test]
fn a_missing_policy_leaves_violations_unchecked() {
    let (_dir, home) = copy_of_shared();
    for policy in fs::read_dir(home.join("policy")).expect("a folder").flatten() {
        fs::remove_file(policy.path()).expect("removed");
    }
    let said = at(&home, &["audit", "violations"]).expect(2);
    assert!(said.out.contains("UNCHECKED") && !said.out.contains("unknown_policy"), "{}", said.out);
}
