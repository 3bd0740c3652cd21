//! What a data catalogue is told of runs that are killed, continued, given up, or never begin.
//!
//! Invariant: a run that was begun is ended; nothing comes from inside an export.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{arg, finish, pipeline, root, say, signal, start, temp, until_in_the_middle};

fn events(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("events");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|e| e["eventType"].as_str().expect("a kind")).collect()
}

fn at(event: &Value) -> jiff::Timestamp {
    event["eventTime"].as_str().and_then(|at| at.parse().ok()).expect("an instant")
}

/// The demo that tells `told`.
fn telling(folder: &Path, told: &Path, more: &[(&str, &str)]) -> std::path::PathBuf {
    let lineage = format!("keep_snapshots: 7\n  lineage: {}", told.display());
    pipeline(folder, &[&[("keep_snapshots: 7", lineage.as_str())], more].concat())
}

/// Kills a run in the middle.
fn kill(file: &Path, home: &Path) {
    let mut child = start(["run", arg(file), "--out", arg(home)]);
    let rest = until_in_the_middle(&mut child);
    signal(child.id(), "KILL");
    drop(rest);
    assert_eq!(finish(child).code, None, "it was over too early");
}

#[test]
fn a_run_that_goes_on_says_when_and_one_that_is_given_up_ends() {
    let dir = temp();
    let (home, told) = (dir.path().join("home"), dir.path().join("told.jsonl"));
    let file = telling(dir.path(), &told, &[]);
    kill(&file, &home);
    kill(&file, &home);
    // Another pipeline: what was begun is not continued.
    let file = telling(dir.path(), &told, &[("half_life_days: 730", "half_life_days: 700")]);
    say(["run", arg(&file), "--out", arg(&home), "--quiet"]).expect(0);
    let events = events(&told);
    assert_eq!(kinds(&events), ["START", "RUNNING", "ABORT", "START", "COMPLETE"]);
    assert!(at(&events[0]) < at(&events[1]) && at(&events[1]) < at(&events[2]), "{events:#?}");
    let run = |i: usize| &events[i]["run"]["runId"];
    assert!(run(0) == run(1) && run(1) == run(2) && run(2) != run(3) && run(3) == run(4), "{events:#?}");
}

#[test]
fn a_run_that_fails_before_it_begins_is_told_without_a_word_from_the_export() {
    let dir = temp();
    let (home, told) = (dir.path().join("home"), dir.path().join("told.jsonl"));
    // Without its headers, the first row passes for them.
    let rows = dir.path().join("accounts.csv");
    fs::write(&rows, "A-1,Erfundene Maschinen,erfunden.example\n").expect("written");
    let accounts = format!("{}/testdata/demo/crm/accounts.csv", root().display());
    let cases = [(arg(&rows), "no column for"), ("/nowhere/accounts.csv", "/nowhere/accounts.csv")];
    for (path, words) in cases {
        let file = telling(dir.path(), &told, &[(&accounts, path)]);
        say(["run", arg(&file), "--out", arg(&home)]).expect(2);
        let text = fs::read_to_string(&told).expect("events");
        let events = events(&told);
        assert_eq!(kinds(&events), ["START", "FAIL"], "{path}");
        assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
        let message = &events[1]["run"]["facets"]["errorMessage"]["message"];
        assert!(message.as_str().is_some_and(|m| m.contains(words)), "{message}");
        assert!(!text.contains("Erfundene") && !text.contains("erfunden.example"), "{text}");
        fs::remove_file(&told).expect("there");
    }
    let dry = telling(dir.path(), &told, &[(&accounts, "/nowhere/accounts.csv")]);
    say(["run", arg(&dry), "--out", arg(&home), "--dry-run"]).expect(2);
    assert!(!told.exists(), "a dry run tells nobody");
}
