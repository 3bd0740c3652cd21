//! What a data catalogue is told of runs that are killed, continued, given up, or never begin.
//!
//! Invariant: a run that was begun is ended, and nothing follows its end; every event is one by the published schemas; nothing
//! comes from inside an export.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{arg, files, finish, pipeline, prosopon, root, say, signal, start, temp, until_in_the_middle};
use crate::openlineage::Published;
use crate::watched::collector;

/// What was told so far, held against the published schemas and the specification's words on runs.
fn events(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("events");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let published = Published::load();
    for event in &events {
        assert_eq!(published.mistakes(event), Vec::<String>::new(), "{event:#}");
    }
    let mut runs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (event, kind) in events.iter().zip(kinds(&events)) {
        runs.entry(event["run"]["runId"].as_str().expect("an id")).or_default().push(kind);
    }
    for kinds in runs.values() {
        let [begin, between @ .., end] = &kinds[..] else { panic!("{runs:?}") };
        assert!(*begin == "START" && between.iter().all(|kind| *kind == "RUNNING"), "{runs:?}");
        assert!(["COMPLETE", "FAIL", "ABORT"].contains(end), "{runs:?}");
    }
    events
}

/// The number of the run that each event is of, in the order in which they came.
fn runs(events: &[Value]) -> Vec<usize> {
    let ids: Vec<&Value> = events.iter().map(|e| &e["run"]["runId"]).collect();
    let mut seen: Vec<&Value> = Vec::new();
    ids.iter()
        .map(|id| {
            if !seen.contains(id) {
                seen.push(id);
            }
            seen.iter().position(|other| other == id).expect("it is in")
        })
        .collect()
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
    assert_eq!(runs(&events), [0, 0, 0, 1, 1]);
}

/// Stops a run in the middle.
fn stop(file: &Path, home: &Path) {
    let mut child = start(["run", arg(file), "--out", arg(home)]);
    let rest = until_in_the_middle(&mut child);
    signal(child.id(), "TERM");
    drop(rest);
    finish(child).expect(130);
}

#[test]
fn a_run_that_was_stopped_goes_on_as_another_and_is_not_ended_twice() {
    let dir = temp();
    let (home, told) = (dir.path().join("home"), dir.path().join("told.jsonl"));
    let file = telling(dir.path(), &told, &[]);
    stop(&file, &home);
    kill(&file, &home);
    stop(&file, &home);
    let file = telling(dir.path(), &told, &[("half_life_days: 730", "half_life_days: 700")]);
    say(["run", arg(&file), "--out", arg(&home), "--quiet"]).expect(0);
    let events = events(&told);
    // It was given up after it had been stopped: that was its end.
    assert_eq!(kinds(&events), ["START", "ABORT", "START", "RUNNING", "ABORT", "START", "COMPLETE"]);
    assert_eq!(runs(&events), [0, 0, 1, 1, 1, 2, 2]);
}

#[test]
fn a_run_that_failed_is_not_given_up_again() {
    let dir = temp();
    say(["demo-data", "--contacts", "60", "--seed", "5", "--to", arg(dir.path())]).expect(0);
    let (file, contacts) = (dir.path().join("pipeline.yaml"), dir.path().join("contacts.csv"));
    let told = dir.path().join("told.jsonl");
    let mut plan = fs::read_to_string(&file).expect("a pipeline");
    // The clock of the machine, for the instant that a run keeps. There are no sources: nobody is asked.
    for (from, to) in [
        ("dead_letter_share: 0.02", "dead_letter_share: 1.0"),
        ("as_of: 2026-03-02T03:00:00Z", "contact: mailto:privacy@controller.example"),
        ("network: demo", "network: public"),
        ("keep_snapshots: 2", "keep_snapshots: 2\n  lineage: sub/../told.jsonl"),
    ] {
        assert!(plan.contains(from), "{from} in {plan}");
        plan = plan.replace(from, to);
    }
    fs::create_dir(dir.path().join("sub")).expect("made");
    fs::write(&file, plan).expect("written");
    let whole = fs::read_to_string(&contacts).expect("contacts");
    let home = dir.path().join("home");
    say(["init", "--out", arg(&home), "--controller", "Prosopon Demo Controller", "--first"]).expect(0);
    let run = |rows: usize, code: i32| {
        let rows: Vec<&str> = whole.lines().take(rows + 1).collect();
        fs::write(&contacts, rows.join("\n")).expect("written");
        say(["run", arg(&file), "--out", arg(&home), "--quiet"]).expect(code);
    };
    run(60, 0);
    // Most of the contacts are missing, twice; then they are there again.
    run(20, 2);
    run(20, 2);
    run(60, 0);
    let events = events(&told);
    assert_eq!(kinds(&events), ["START", "COMPLETE", "START", "FAIL", "START", "FAIL", "START", "COMPLETE"]);
    assert_eq!(runs(&events), [0, 0, 1, 1, 2, 2, 3, 3]);
    let names: Vec<&str> = events.iter().flat_map(names).collect();
    assert!(names.contains(&arg(&contacts)) && names.len() > 60, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with('/') && !name.contains("/../")), "{names:?}");
    // The same run in the home, so it is still for the instant at which that began.
    let nominal = |i: usize| &events[i]["run"]["facets"]["nominalTime"]["nominalStartTime"];
    assert!((2..6).all(|i| nominal(i) == &events[2]["eventTime"]) && nominal(6) != nominal(5), "{events:#?}");
}

/// The names of what was read and written.
fn names(event: &Value) -> Vec<&str> {
    let datasets = ["inputs", "outputs"].into_iter().flat_map(|key| event[key].as_array().into_iter().flatten());
    datasets.map(|dataset| dataset["name"].as_str().expect("a name")).collect()
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

#[test]
fn a_catalogue_is_sent_what_stands_in_the_file_and_fails_no_run() {
    let dir = temp();
    let told = dir.path().join("told.jsonl");
    let run = |url: &str, name: &str, key: Option<&str>| {
        let to = format!("lineage_to: {{ url: {url}, key_from_env: PROSOPON_TEST_KEY }}");
        let file = telling(dir.path(), &told, &[("home: ", &format!("{to}\n  home: "))]);
        let home = dir.path().join(name);
        let mut command = prosopon();
        command.args(["run", arg(&file), "--out", arg(&home), "--limit", "5"]);
        command.env_remove("PROSOPON_TEST_KEY").envs(key.map(|key| ("PROSOPON_TEST_KEY", key)));
        finish(command.spawn().expect("the binary starts")).expect(0)
    };
    let key = "an-invented-key";
    let (url, got) = collector(201);
    let said = run(&url, "taken", Some(key));
    assert!(!said.err.contains("lineage"), "{}", said.err);
    let lines = fs::read_to_string(&told).expect("events");
    assert_eq!(kinds(&events(&told)), ["START", "COMPLETE"]);
    {
        let got = got.lock().expect("no panic");
        assert_eq!(got.len(), 2);
        for (got, line) in got.iter().zip(lines.lines()) {
            assert_eq!(
                (got.path.as_str(), got.headers["content-type"].as_str()),
                ("/api/v1/lineage", "application/json")
            );
            assert_eq!(got.headers["authorization"], format!("Bearer {key}"));
            assert_eq!(std::str::from_utf8(&got.body), Ok(line));
            for never in ["Hartwig", "K-20", "sub_", "@", "werk"] {
                assert!(!line.contains(never), "{never} in {line}");
            }
        }
    }
    // The key is nowhere else.
    assert!(!lines.contains(key) && !said.err.contains(key) && !said.out.contains(key));
    for file in files(dir.path()) {
        let bytes = fs::read(&file).expect("readable");
        assert!(!bytes.windows(key.len()).any(|part| part == key.as_bytes()), "{}", file.display());
    }
    let said = run(&url, "without", None);
    assert!(said.err.contains("PROSOPON_TEST_KEY is not set") && said.err.contains("told nothing"), "{}", said.err);
    assert_eq!(got.lock().expect("no panic").len(), 2, "nothing without the key");
    let (url, got) = collector(403);
    let said = run(&url, "refused", Some(key));
    assert!(said.err.contains("did not take 2 of 2 events (it answered 403)"), "{}", said.err);
    assert!(got.lock().expect("no panic").len() == 2 && !said.err.contains(key), "{}", said.err);
    assert_eq!(kinds(&events(&told)), ["START", "COMPLETE"].repeat(3), "the file has all");
}
