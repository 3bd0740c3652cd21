//! Exports of many files: folders in folders, records that later files change, and lines in another encoding.

use std::fs;

use crate::harness::{arg, say, temp};

#[test]
fn a_night_of_a_base_and_its_changes_below_it_ends_well_and_tells_of_doubtful_lines() {
    let dir = temp();
    say(["demo-data", "--contacts", "60", "--seed", "5", "--to", arg(dir.path())]).expect(0);
    let path = dir.path().join("pipeline.yaml");
    let plan = fs::read_to_string(&path).expect("a pipeline");
    let plan = plan
        .replace("path: contacts.csv", "path: contacts")
        .replace("path: notes.csv", "path: notes.csv, encoding: windows-1252")
        .replace("dead_letter_share: 0.02", "dead_letter_share: 0.2")
        .replace("keep_snapshots: 2", "keep_snapshots: 2\n  carry_over_days: 7");
    fs::write(&path, plan).expect("written");
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("contacts/2026/03")).expect("folders");
    fs::rename(at("contacts.csv"), at("contacts/0.csv")).expect("moved");
    fs::write(at("contacts/_SUCCESS"), "").expect("written");
    let all = fs::read_to_string(at("contacts/0.csv")).expect("contacts");
    let header: Vec<&str> = all.lines().next().expect("a header").split(',').collect();
    let id = header.iter().position(|header| header.contains("contact id")).expect("ids");
    let ids = all.lines().skip(1).take(20).map(|line| line.split(',').nth(id).expect("an id"));
    let gone = ids.fold("contact id,deleted\n".to_owned(), |text, id| text + id + ",yes\n");
    let home = at("home");
    let night =
        |code: i32| say(["run", arg(&path), "--out", arg(&home), "--json"]).expect(code).json()["counts"].clone();
    let first = night(0);
    fs::write(at("contacts/2026/03/02.csv"), gone).expect("written");
    let second = night(0);
    // One of the twenty rows is a second one of somebody.
    assert_eq!((&second["gone"], &second["dead_letters"]), (&19.into(), &first["dead_letters"]), "{second}");
    let report = say(["report", "--out", arg(&home), "--json"]).expect(0).json();
    let warnings = report["warnings"].as_array().expect("warnings");
    let doubtful = warnings.iter().find(|warning| warning["id"] == "encoding_doubtful").expect("a warning");
    let what = doubtful["what"].as_str().expect("a text");
    assert!(what.contains("line(s) of notes.csv look like UTF-8 and were read as windows-1252"), "{what}");
}
