//! What schedules tell: of runs that are left out, of clocks that stood ahead, and of what fails after publishing.
//!
//! Invariant: instants are set in the home's own memory, no clock is changed.

use std::fs;
use std::path::Path;

use crate::harness::{arg, copy_of_shared, demo, say, temp};
use crate::schedule::{YEARLY, missed, once, scheduled, standing};

/// Changes a database of the home.
fn change(home: &Path, file: &str, sql: &str) {
    let database = rusqlite::Connection::open(home.join(file)).expect("a database");
    database.execute_batch(sql).expect("changed");
}

/// All lines that hold the words.
fn lines<'a>(text: &'a str, words: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.contains(words)).collect()
}

#[test]
fn runs_that_are_left_out_are_told_all() {
    let dir = temp();
    let home = dir.path().join("home");
    let pipeline = scheduled(dir.path(), YEARLY, "  catch_up: skip\n");
    missed(&pipeline, &home);
    let said = once(&pipeline, &home).expect(0);
    let told = lines(&said.err, "left out");
    assert!(told.len() == 1 && told[0].contains(" runs from 2020-08-17T04:30:00Z to 20"), "{}", said.err);
    assert!(told[0].ends_with("are left out: missed and not made up for (catch_up)"), "{told:?}");
    assert_eq!(lines(&once(&pipeline, &home).expect(0).err, "left out"), [""; 0], "once");
    // The expression is changed while nothing runs.
    let edited = scheduled(dir.path(), "30 4 16 * *", "");
    change(&home, "schedule.sqlite", "UPDATE schedules SET since = '2020-01-01T00:00:00Z', last_fired = NULL");
    let json = ["--log-format", "json", "schedule", "once", arg(&edited), "--out"];
    let said = say([&json[..], &[arg(&home)]].concat()).expect(0);
    let told = lines(&said.err, "schedule_left_out");
    let told: serde_json::Value = serde_json::from_str(told.first().expect("it is told")).expect("JSON");
    assert_eq!((&told["why"], &told["first_fire"]), (&"edited".into(), &"2020-08-17T04:30:00Z".into()), "{told}");
    assert!(told["count"].as_u64().is_some_and(|n| n >= 6) && told["more"] == false, "{told}");
    assert!(!home.join("demo").exists(), "nothing has run");
}

#[test]
fn a_clock_that_stood_ahead_is_told_and_set_back() {
    let dir = temp();
    let (home, ahead) = (dir.path().join("home"), "2099-01-01T00:00:00Z");
    let pipeline = scheduled(dir.path(), YEARLY, "");
    once(&pipeline, &home).expect(0);
    change(&home, "schedule.sqlite", &format!("UPDATE schedules SET since = '{ahead}'"));
    let text = || say(["schedule", "status", "--out", arg(&home)]).expect(0).out;
    assert!(text().contains("stood ahead, at 2099-01-01T00:00:00Z: the next `schedule once`"), "{}", text());
    assert_eq!(standing(&home)["schedules"][0]["clock_ahead"], ahead);
    assert!(lines(&text(), "schedule  next start")[0].ends_with("the clock stood ahead"), "{}", text());
    let said = once(&pipeline, &home).expect(0);
    assert_eq!(lines(&said.err, "the clock stood ahead, at 2099-01-01T00:00:00Z").len(), 1, "{}", said.err);
    let next = said.json()["next_start"].clone();
    assert!(next.as_str().is_some_and(|next| next.contains("-08-17T04:30:00Z") && *next < *"2098"), "{next}");
    assert_eq!(lines(&once(&pipeline, &home).expect(0).err, "stood ahead"), [""; 0], "once");
    assert!(text().contains("what that left was set back"), "{}", text());
    // A run started there: its fire must not come again before somebody has looked.
    let ran = format!(
        "UPDATE schedules SET since = '2020-01-01T00:00:00Z', last_fired = '2098-08-17T04:30:00Z', started = '{ahead}',
         ended = '{ahead}', outcome = 'completed'"
    );
    change(&home, "schedule.sqlite", &ran);
    for _ in 0..2 {
        let said = once(&pipeline, &home).expect(3);
        let told = said.json();
        assert_eq!((&told["event"], &told["held"]), (&"schedule_clock_ahead".into(), &true.into()), "{told}");
        assert!(text().contains("nothing starts before: set the clock right"), "{}", text());
    }
    assert_eq!(standing(&home)["schedules"][0]["clock_held"], true);
    let resumed = say(["schedule", "resume", "--out", arg(&home)]).expect(0).out;
    assert!(resumed.contains("demo goes on from now"), "{resumed}");
    assert_eq!(once(&pipeline, &home).expect(0).json()["event"], "schedule_waiting", "and nothing starts at once");
    assert!(!text().contains("ahead"), "{}", text());
}

/// As a disk that is full in that moment: the journal does not take that the run has published.
const NOTHING_MORE: &str = "CREATE TRIGGER full BEFORE UPDATE ON runs WHEN NEW.state = 'published'
                            BEGIN SELECT RAISE(ABORT, 'full'); END;";

#[test]
fn what_fails_after_publishing_is_told_and_stops_no_schedule() {
    let (dir, home) = copy_of_shared();
    let current = || fs::read(home.join("demo/current")).expect("a snapshot");
    let before = current();
    change(&home, "journal.sqlite", NOTHING_MORE);
    let said = demo(&home, &[]).expect(3);
    assert!(said.err.contains("the tables of this run are published; what comes after that failed"), "{}", said.err);
    assert_ne!(current(), before, "they are there");
    let status = say(["status", "--out", arg(&home)]).expect(0).out;
    assert!(status.contains("what comes after that failed"), "{status}");

    let pipeline = scheduled(dir.path(), YEARLY, "  pause_after_failures: 1\n");
    missed(&pipeline, &home);
    let said = once(&pipeline, &home).expect(3);
    let told = said.json();
    let outcome = (&told["event"], &told["outcome"], &told["exit_code"]);
    assert_eq!(outcome, (&"schedule_ended".into(), &"failed_after_publishing".into(), &3.into()), "{told}");
    assert!(said.err.contains("what comes after that failed"), "{}", said.err);
    let schedule = standing(&home)["schedules"][0].clone();
    let stands = (&schedule["last_outcome"], &schedule["failures"], &schedule["paused_at"]);
    assert_eq!(stands, (&"failed_after_publishing".into(), &0.into(), &serde_json::Value::Null), "{schedule}");
    assert!(schedule["last_success"].is_string(), "{schedule}");

    // The next fire starts by itself, and takes over what is published.
    change(&home, "journal.sqlite", "DROP TRIGGER full");
    change(&home, "schedule.sqlite", "UPDATE schedules SET last_fired = NULL");
    let ended = once(&pipeline, &home).expect(0).json();
    assert_eq!((&ended["event"], &ended["outcome"]), (&"schedule_ended".into(), &"completed".into()), "{ended}");
    say(["audit", "verify", "--out", arg(&home)]).expect(0);
}
