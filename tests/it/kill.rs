//! A run may be killed at any moment: nothing half-done is ever visible, and the same command ends it.
//!
//! Invariant: the kills are spread over the whole length of a run by a calibration; whatever moment they hit, the
//! tables of the second start equal those of a run that nobody disturbed.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::harness::{
    Said, arg, copy, copy_of_shared, demo, demo_args, finish, finish_within, in_parallel, now, say, shared, signal,
    start, temp, until_in_the_middle,
};
use crate::tables::{Tables, as_if_sent, broken, common, differences};

const MOMENTS: u32 = 20;
const THREADS: usize = 6;

/// What the journal of a home holds, read from a copy so that looking changes nothing.
fn journal<T: rusqlite::types::FromSql>(home: &Path, sql: &str) -> Option<T> {
    let dir = temp();
    for name in ["journal.sqlite", "journal.sqlite-wal"] {
        if home.join(name).exists() {
            fs::copy(home.join(name), dir.path().join(name)).expect("a copy");
        }
    }
    // A home that was killed early has no journal, or one without tables.
    let database = Connection::open(dir.path().join("journal.sqlite")).expect("a journal");
    database.query_row(sql, [], |row| row.get(0)).ok()
}

fn committed(home: &Path) -> u64 {
    journal::<i64>(home, "SELECT count(*) FROM fetches").unwrap_or(0).unsigned_abs()
}

/// What came of one killed run.
struct Killed {
    /// Whether the kill came before the end.
    hit: bool,
    committed: u64,
    resumed: u64,
    wrong: Vec<String>,
}

fn kill_and_continue(delay: Duration) -> Killed {
    let dir = temp();
    let home = dir.path().join("home");
    // Some have their contacts in parts, before the kill, after it, or both.
    let micros = delay.as_micros();
    let [first, second] =
        [micros.is_multiple_of(2), micros.is_multiple_of(3)].map(|it| if it { "5" } else { "1000000" });
    let hit = finish_within(start(demo_args(&home, &["--quiet", "--at-once", first])), delay).is_err();
    let before = committed(&home);
    let mut wrong = broken(&home);
    if !hit {
        // It had ended: what comes now is another night, in which pages that did not change are not sent.
        return Killed { hit, committed: before, resumed: 0, wrong };
    }
    let restarted = now();
    let again = demo(&home, &["--json", "--at-once", second]);
    if again.code != Some(0) {
        wrong.push(format!("the second start ended with {:?}: {}", again.code, again.err));
        return Killed { hit, committed: before, resumed: 0, wrong };
    }
    let resumed = again.json()["resumed_fetches"].as_u64().unwrap_or_default();
    if resumed != before {
        wrong.push(format!("{before} fetches were committed, {resumed} were taken over"));
    }
    // A document that was begun before the restart was not fetched again.
    let tables = Tables::of(&home);
    let kept = tables.documents.iter().filter(|d| d.started_at < restarted).count() as u64;
    if kept != before && !(before == 0 && resumed == 0) {
        wrong.push(format!("{before} fetches were committed, {kept} documents are from before the restart"));
    }
    wrong.extend(broken(&home));
    wrong.extend(differences(&common(&shared().home), &common(&home)));
    Killed { hit, committed: before, resumed, wrong }
}

/// A kill that came after the end says nothing: it is tried again, earlier, in a fresh home.
fn kill_before_the_end(delay: Duration) -> Killed {
    let mut delay = delay;
    loop {
        let killed = kill_and_continue(delay);
        if killed.hit || !killed.wrong.is_empty() || delay < Duration::from_millis(50) {
            return killed;
        }
        delay = delay * 2 / 3;
    }
}

#[test]
fn a_run_killed_at_any_of_twenty_moments_continues_to_the_same_tables() {
    let calibration = temp();
    let begin = Instant::now();
    demo(&calibration.path().join("home"), &["--quiet"]).expect(0);
    let mut length = begin.elapsed();
    let _ = shared();
    // Many runs at once are slower than the one that was timed: where nearly all kills come before the first fetch, the
    // moments are spread over twice the time.
    for _ in 0..3 {
        let resumed = kill_at_moments(length);
        let (least, most) = (resumed.iter().min().copied(), resumed.iter().max().copied());
        if resumed.len() >= 4 && least < most {
            return;
        }
        println!("continued from {least:?} to {most:?} fetches in {} runs", resumed.len());
        length *= 2;
    }
    panic!("no moments were found at which runs are in their middle");
}

/// Kills at moments spread over a time; fails if any continuation is wrong, and tells what was taken over.
fn kill_at_moments(length: Duration) -> Vec<u64> {
    let moments: Vec<Duration> = (0..MOMENTS).map(|i| length * i / MOMENTS + length / (2 * MOMENTS)).collect();
    let killed = in_parallel(THREADS, moments.clone(), kill_before_the_end);
    let mut wrong = Vec::new();
    for (moment, k) in moments.iter().zip(&killed) {
        println!("{moment:>7.2?} hit {} committed {:>2} resumed {:>2}", k.hit, k.committed, k.resumed);
        wrong.extend(k.wrong.iter().map(|w| format!("killed after {moment:.2?}: {w}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(killed.iter().all(|k| k.hit), "a run ends within 50 ms: nothing can be killed");
    killed.iter().map(|k| k.resumed).filter(|r| *r > 0).collect()
}

#[test]
fn ctrl_c_stops_cleanly_and_the_same_command_continues() {
    let dir = temp();
    let home = dir.path().join("home");
    let mut child = start(demo_args(&home, &[]));
    let mut rest = until_in_the_middle(&mut child);
    signal(child.id(), "INT");
    let mut err = String::new();
    rest.read_to_string(&mut err).expect("UTF-8");
    let said = finish(child);
    assert_eq!(said.code, Some(130), "{err}");
    assert!(err.contains("the same command continues"), "{err}");
    assert!(!home.join("demo/current").exists());
    let work = fs::read_dir(home.join(".work")).map_or(0, Iterator::count);
    assert_eq!(work, 0, "a clean stop leaves no half snapshot");
    let before = committed(&home);
    assert!(before > 0);
    let status = Said::expect(crate::harness::say(["status", "--out", arg(&home)]), 0);
    assert!(status.out.contains("unfinished") && status.out.contains(&format!("{before} fetches")), "{}", status.out);
    let again = demo(&home, &["--json"]).expect(0).json();
    assert_eq!((again["resumed_fetches"].as_u64(), again["starts"].as_u64()), (Some(before), Some(2)));
    assert_eq!(differences(&common(&shared().home), &common(&home)), Vec::<String>::new());
}

#[test]
fn a_run_that_fetches_nothing_stops_cleanly_too() {
    let dir = temp();
    say(["demo-data", "--contacts", "1500", "--seed", "8", "--to", arg(dir.path())]).expect(0);
    let (home, pipeline) = (dir.path().join("home"), dir.path().join("pipeline.yaml"));
    // All at once, and in parts.
    for more in [&[][..], &["--at-once", "100"]] {
        let run = [&["run", arg(&pipeline), "--out", arg(&home)], more].concat();
        let mut child = start(run.clone());
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let mut line = String::new();
        while !line.contains(" personas") {
            line.clear();
            assert!(lines.read_line(&mut line).expect("UTF-8") > 0, "the run ended before a company was done");
        }
        signal(child.id(), "TERM");
        let mut err = String::new();
        lines.read_to_string(&mut err).expect("UTF-8");
        assert_eq!(finish(child).code, Some(130), "{err}");
        assert!(!home.join("synthetic/current").exists());
        assert_eq!(fs::read_dir(home.join(".work")).map_or(0, Iterator::count), 0);
    }
    say(["run", arg(&pipeline), "--out", arg(&home), "-q"]).expect(0);
}

#[test]
fn a_killed_run_leaves_the_snapshot_before_it_in_place() {
    let (_dir, home) = copy_of_shared();
    let current = fs::read(home.join("demo/current")).expect("current");
    let tables = common(&home);
    let mut child = start(demo_args(&home, &["--as-of", "2026-03-09"]));
    let rest = until_in_the_middle(&mut child);
    signal(child.id(), "KILL");
    drop(rest);
    assert_eq!(finish(child).code, None, "killed");
    assert_eq!(fs::read(home.join("demo/current")).expect("current"), current);
    assert_eq!(broken(&home), Vec::<String>::new());
    assert_eq!(differences(&tables, &common(&home)), Vec::<String>::new());
    // With other inputs again, the unfinished run is given up and its fetches are not used.
    let other = demo(&home, &["--json"]).expect(0).json();
    assert_eq!(other["resumed_fetches"], 0);
    assert_eq!(journal::<i64>(&home, "SELECT count(*) FROM fetches"), Some(0));
    let (before, after) = as_if_sent(tables, common(&home));
    assert_eq!(differences(&before, &after), Vec::<String>::new());
}

#[test]
fn a_kill_between_publishing_and_closing_the_journal_is_noticed() {
    let (_dir, home) = copy_of_shared();
    let before = temp();
    copy(&home.join("demo"), &before.path().join("demo"));
    let database = Connection::open(home.join("journal.sqlite")).expect("a journal");
    let sql = "UPDATE runs SET state = 'running', published_at = NULL, summary = NULL";
    assert_eq!(database.execute(sql, []).expect("one run"), 1);
    drop(database);
    let again = demo(&home, &["--json"]).expect(0).json();
    assert_eq!(again["run_id"], shared().summary["run_id"], "the published run is taken for what it is");
    assert_eq!(again["counts"], shared().summary["counts"]);
    let state = journal::<String>(&home, "SELECT state FROM runs");
    assert_eq!(state.as_deref(), Some("published"));
    let names = |root: &Path| crate::harness::files(root).len();
    assert_eq!(names(&home.join("demo")), names(&before.path().join("demo")), "nothing was written again");
}
