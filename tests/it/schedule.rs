//! `schedule`: pipelines at their times, by the real binary.
//!
//! Invariant: what was missed is set in the home's own memory, not awaited; a daemon is followed by its lines.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr};

use serde_json::Value;

use crate::harness::{
    NO_DEMO_HOSTS, Said, arg, demo_args, finish, pipeline, root, say, signal, start, temp, until_in_the_middle,
};

/// Comes once a year, at a minute at which these tests hardly run.
pub const YEARLY: &str = "30 4 17 8 *";

/// The demo with a schedule.
pub fn scheduled(folder: &Path, cron: &str, more: &str) -> PathBuf {
    let schedule = format!("network: demo\nschedule:\n  cron: \"{cron}\"\n  catch_up_window_hours: 8760\n{more}");
    pipeline(folder, &[("network: demo", &schedule)])
}

pub fn once(pipeline: &Path, home: &Path) -> Said {
    say(["schedule", "once", arg(pipeline), "--out", arg(home), "--json"])
}

fn daemon(pipeline: &Path, home: &Path) -> Child {
    start(["schedule", arg(pipeline), "--out", arg(home)])
}

pub fn standing(home: &Path) -> Value {
    say(["schedule", "status", "--out", arg(home), "--json"]).expect(0).json()
}

/// As if nothing had run for a year.
fn miss(home: &Path) {
    let database = rusqlite::Connection::open(home.join("schedule.sqlite")).expect("the memory of the schedules");
    let sql = "UPDATE schedules SET since = '2020-01-01T00:00:00Z', last_fired = NULL";
    assert_eq!(database.execute(sql, []).expect("a row"), 1);
}

/// A home that has seen the schedule and has missed its last fire.
pub fn missed(pipeline: &Path, home: &Path) {
    let said = once(pipeline, home).expect(0);
    assert_eq!(said.json()["event"], "schedule_waiting", "a schedule that is new starts nothing: {}", said.out);
    miss(home);
}

/// Reads what a daemon says until a line holds `what`.
#[track_caller]
fn until(lines: &mut BufReader<ChildStderr>, what: &str) -> String {
    let (mut all, mut line) = (String::new(), String::new());
    while lines.read_line(&mut line).expect("UTF-8") > 0 {
        all += &line;
        if line.contains(what) {
            return all;
        }
        line.clear();
    }
    panic!("it ended without {what:?}: {all}");
}

fn lines_of(child: &mut Child) -> BufReader<ChildStderr> {
    BufReader::new(child.stderr.take().expect("stderr is piped"))
}

/// Stops a daemon; it must end with 0.
#[track_caller]
fn stop(child: Child, mut lines: BufReader<ChildStderr>) -> String {
    signal(child.id(), "TERM");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("UTF-8");
    assert_eq!(finish(child).code, Some(0), "{rest}");
    rest
}

#[test]
fn what_was_missed_runs_once_and_an_edit_starts_nothing() {
    let dir = temp();
    let home = dir.path().join("home");
    let pipeline = scheduled(dir.path(), YEARLY, "");
    missed(&pipeline, &home);
    let said = once(&pipeline, &home).expect(0);
    let told = said.json();
    assert_eq!((&told["event"], &told["outcome"]), (&"schedule_ended".into(), &"completed".into()), "{told}");
    assert!(told["summary"]["counts"]["personas"].as_u64().is_some_and(|n| n > 0), "{told}");
    assert!(said.err.contains("it was missed"), "{}", said.err);
    assert!(home.join("demo/current").exists());
    let schedule = standing(&home)["schedules"][0].clone();
    assert!(schedule["last_fired"].as_str().is_some_and(|at| at.ends_with("-08-17T04:30:00Z")), "{schedule}");
    assert_eq!((&schedule["failures"], &schedule["last_outcome"]), (&0.into(), &"completed".into()));
    assert_eq!(once(&pipeline, &home).expect(0).json()["event"], "schedule_waiting", "the fire is remembered");
    // A new expression, all of whose fires of the last year would be missed ones.
    let edited = scheduled(dir.path(), "30 4 16 * *", "");
    assert_eq!(once(&edited, &home).expect(0).json()["event"], "schedule_waiting", "an edit starts nothing");
    let after = standing(&home)["schedules"][0].clone();
    assert_eq!(after["last_fired"], schedule["last_fired"]);
    assert_eq!(after["expression"], "30 4 16 * * UTC");
    let status = say(["status", "--out", arg(&home)]).expect(0).out;
    assert!(status.contains("schedule  no daemon") && status.contains("schedule  next start 2"), "{status}");
    // A person's name or address would have come from the run; paths of files are told only where one is wrong.
    assert!(!said.err.contains('@'), "{}", said.err);
}

#[test]
fn a_run_that_is_stopped_with_the_daemon_is_continued_by_the_next() {
    let dir = temp();
    let home = dir.path().join("home");
    let pipeline = scheduled(dir.path(), YEARLY, "");
    missed(&pipeline, &home);
    let mut first = daemon(&pipeline, &home);
    let rest = until_in_the_middle(&mut first);
    let said = stop(first, rest);
    assert!(said.contains("run ended: stopped"), "{said}");
    assert!(!home.join("demo/current").exists());
    let status = standing(&home);
    assert_eq!(status["daemon"], Value::Null, "it ended in order");
    let schedule = &status["schedules"][0];
    assert_eq!((&schedule["unfinished"], &schedule["failures"]), (&true.into(), &0.into()), "{schedule}");
    let mut second = daemon(&pipeline, &home);
    let mut lines = lines_of(&mut second);
    until(&mut lines, "it was stopped before its end");
    let run = until(&mut lines, "run ended: completed");
    assert!(run.contains("from before"), "fetches are taken over: {run}");
    until(&mut lines, "next run starts at");
    let alive = standing(&home)["daemon"].clone();
    assert_eq!((&alive["alive"], &alive["pid"]), (&true.into(), &second.id().into()), "{alive}");
    say(["schedule", "status", "--out", arg(&home), "--alive", "60"]).expect(0);
    stop(second, lines);
    say(["schedule", "status", "--out", arg(&home), "--alive", "60"]).expect(1);
}

#[test]
fn a_run_whose_process_was_killed_counts_as_failed_and_is_continued() {
    let dir = temp();
    let home = dir.path().join("home");
    let pipeline = scheduled(dir.path(), YEARLY, "");
    missed(&pipeline, &home);
    let mut killed = daemon(&pipeline, &home);
    let rest = until_in_the_middle(&mut killed);
    signal(killed.id(), "KILL");
    drop(rest);
    assert_eq!(finish(killed).code, None, "killed");
    let status = say(["schedule", "status", "--out", arg(&home), "--alive", "600"]).expect(1).out;
    for words in ["is gone without a word", "last run  died", "unfinished: the next start continues it"] {
        assert!(status.contains(words), "{words} is not in {status}");
    }
    let status = standing(&home);
    let told = (&status["daemon"]["alive"], &status["schedules"][0]["last_outcome"]);
    assert_eq!(told, (&false.into(), &"died".into()), "{status}");
    let said = once(&pipeline, &home).expect(0);
    assert!(said.err.contains("was cut off without an end; it counts as failed"), "{}", said.err);
    assert!(said.err.contains("run for ") && said.err.contains("it was stopped before its end"), "{}", said.err);
    assert_eq!(said.json()["summary"]["starts"], 2, "{}", said.out);
    let schedule = standing(&home)["schedules"][0].clone();
    assert_eq!((&schedule["failures"], &schedule["unfinished"]), (&0.into(), &false.into()), "{schedule}");
}

#[test]
fn a_home_has_one_scheduler_and_one_run() {
    let dir = temp();
    let home = dir.path().join("home");
    let pipeline = scheduled(dir.path(), YEARLY, "");
    missed(&pipeline, &home);
    let mut run = start(demo_args(&home, &[]));
    let rest = until_in_the_middle(&mut run);
    let said = once(&pipeline, &home).expect(0);
    assert!(said.err.contains("the run is left out: another prosopon (process"), "{}", said.err);
    signal(run.id(), "TERM");
    drop(rest);
    assert_eq!(finish(run).code, Some(130));
    let mut first = daemon(&pipeline, &home);
    let mut lines = lines_of(&mut first);
    until(&mut lines, "next run starts at");
    for second in [daemon(&pipeline, &home), start(["schedule", "once", arg(&pipeline), "--out", arg(&home)])] {
        let said = finish(second).expect(3);
        let holder = format!("another `prosopon schedule` (process {})", first.id());
        assert!(said.err.contains(&holder), "{}", said.err);
    }
    stop(first, lines);
}

#[test]
fn once_runs_what_is_due_though_another_home_is_damaged() {
    let dir = temp();
    let (well, sick) = (dir.path().join("well"), dir.path().join("sick"));
    let files = [&well, &sick].map(|home| {
        fs::create_dir(home).expect("a folder");
        let text = fs::read_to_string(scheduled(dir.path(), YEARLY, "")).expect("a pipeline");
        let file = home.with_extension("yaml");
        let own = format!("{}/prosopon-home", root().display());
        assert!(text.contains(&own));
        fs::write(&file, text.replace(&own, arg(home))).expect("a pipeline");
        file
    });
    fs::write(sick.join("home.json"), "{").expect("damage");
    let said = say(["schedule", "once", arg(&files[0]), arg(&files[1]), "--json"]).expect(3);
    let told: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told = told.iter().map(|t| (t["event"].as_str().unwrap_or_default(), &t["home"], &t["exit_code"]));
    let (first, second) = (1.into(), 2.into());
    let expected = [("schedule_waiting", &first, &0.into()), ("schedule_home_failed", &second, &3.into())];
    assert_eq!(told.collect::<Vec<_>>(), expected, "both have one name: {}", said.err);
}

#[test]
fn a_run_waits_for_the_home_where_the_pipeline_says_queue() {
    let dir = temp();
    let home = dir.path().join("home");
    let pipeline = scheduled(dir.path(), YEARLY, "  overlap: queue\n");
    missed(&pipeline, &home);
    let mut run = start(demo_args(&home, &[]));
    let rest = until_in_the_middle(&mut run);
    let mut waiting = daemon(&pipeline, &home);
    let mut lines = lines_of(&mut waiting);
    until(&mut lines, "the run waits: another prosopon (process");
    signal(run.id(), "TERM");
    drop(rest);
    finish(run);
    until(&mut lines, "run ended: completed");
    stop(waiting, lines);
}

#[test]
fn failures_in_a_row_pause_the_schedule_until_it_is_resumed() {
    let dir = temp();
    let home = dir.path().join("home");
    let accounts = dir.path().join("accounts.csv");
    fs::copy(root().join("testdata/demo/crm/accounts.csv"), &accounts).expect("a copy");
    let pipeline = scheduled(dir.path(), "* * * * * *", "  pause_after_failures: 2\n");
    let original = root().join("testdata/demo/crm/accounts.csv");
    let text = fs::read_to_string(&pipeline).expect("a pipeline").replace(arg(&original), arg(&accounts));
    fs::write(&pipeline, text).expect("a pipeline");
    fs::rename(&accounts, dir.path().join("away")).expect("the export vanishes");
    let mut broken = daemon(&pipeline, &home);
    let mut lines = lines_of(&mut broken);
    let said = until(&mut lines, "paused after 2 failed run(s) in a row");
    assert_eq!(said.matches("run ended: failed").count(), 2, "{said}");
    assert!(said.contains("accounts.csv"), "the file is named: {said}");
    stop(broken, lines);
    let paused = once(&pipeline, &home).expect(3);
    assert_eq!(paused.json()["event"], "schedule_paused", "{}", paused.out);
    let status = say(["status", "--out", arg(&home)]).expect(0).out;
    let schedule = standing(&home)["schedules"][0].clone();
    assert!(schedule["paused_at"].is_string() && schedule["failures"] == 2, "{schedule} {status}");
    fs::rename(dir.path().join("away"), &accounts).expect("the export is back");
    let resumed = say(["schedule", "resume", "--out", arg(&home)]).expect(0);
    assert!(resumed.out.contains("demo goes on"), "{}", resumed.out);
    assert!(say(["schedule", "resume", "--out", arg(&home)]).expect(0).out.contains("nothing is paused"));
    say(["schedule", "resume", "--out", arg(&home), "--pipeline", "other"]).expect(2);
    // The last fire may have been in this very second.
    miss(&home);
    let ended = once(&pipeline, &home).expect(0).json();
    assert_eq!((&ended["event"], &ended["outcome"]), (&"schedule_ended".into(), &"completed".into()), "{ended}");
}

#[test]
fn a_preview_shows_the_clock_changes_and_makes_nothing() {
    let dir = temp();
    let zone = "  time_zone: Europe/Berlin\n  blackout_days: [\"2026-03-30\"]\n";
    let pipeline = scheduled(dir.path(), "15 2 * * *", zone);
    let first = |from: &str| {
        let args = ["schedule", "preview", arg(&pipeline), "--from", from, "--count", "1", "--json"];
        say(args).expect(0).json()["fires"][0]["at"].clone()
    };
    assert_eq!(first("2026-03-28T01:15:00Z"), "2026-03-28T01:15:00Z", "a fire at the instant itself counts");
    assert_eq!(first("2026-03-28T01:15:01Z"), "2026-03-29T01:00:00Z");
    let args = ["schedule", "preview", arg(&pipeline), "--from", "2026-03-28", "--count", "4"];
    let text = say(args).expect(0).out;
    for line in [
        "Sun 2026-03-29 03:00:00 +02:00  2026-03-29T01:00:00Z  moved here by the clock change",
        "Mon 2026-03-30 02:15:00 +02:00  2026-03-30T00:15:00Z  no run: blackout day",
        "clock change 2026-03-29 (forward): 02:00 to 03:00 does not exist",
        "02:15 does not exist: runs at the change, 03:00, once",
        "clock change 2026-10-25 (back): 02:00 to 03:00 comes twice",
        "02:15 comes twice: runs the first time only",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let json = say([&args[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(json["fires"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["fires"][1]["moved_by_clock_change"], true);
    assert_eq!(json["clock_changes"][0]["effects"][0]["effect"], "moved");
    assert!(!root().join("prosopon-home/schedule.sqlite").exists(), "looking makes no memory");
    let said = say(["schedule", "preview", "pipelines/demo.yaml"]).expect(2);
    assert!(said.err.contains("pipelines/demo.yaml:1:1: error: the pipeline has no `schedule`"), "{}", said.err);
}

#[test]
fn mistakes_are_told_before_a_home_is_touched() {
    let dir = temp();
    let home = dir.path().join("home");
    let wrong = scheduled(dir.path(), "15 2 30 2 *", "  time_zone: Europe/Berln\n");
    let said = finish(daemon(&wrong, &home)).expect(2);
    let path = arg(&wrong);
    assert!(said.err.lines().all(|l| l.starts_with(path) && l.contains(": error: ")), "{}", said.err);
    assert!(said.err.contains("never comes") && said.err.contains("did you mean \"Europe/Berlin\""), "{}", said.err);
    assert!(!home.exists());
    let schedule = ("network: demo", "network: replay\nschedule: { cron: \"15 2 * * *\" }");
    let replay = pipeline(dir.path(), &[schedule, NO_DEMO_HOSTS]);
    let said = finish(daemon(&replay, &home)).expect(2);
    assert!(said.err.contains("needs a recording"), "{}", said.err);
    assert!(!home.exists());
    say(["schedule"]).expect(2);
    say(["schedule", "status", "--out", arg(&home)]).expect(3);
}

/// Root may write anywhere, so the state is taken away from it instead: a folder lies where the file should be.
#[test]
fn a_memory_that_cannot_be_written_starts_nothing() {
    let dir = temp();
    let home = dir.path().join("home");
    let pipeline = scheduled(dir.path(), YEARLY, "");
    missed(&pipeline, &home);
    fs::rename(home.join("schedule.sqlite"), dir.path().join("away")).expect("moved");
    fs::create_dir(home.join("schedule.sqlite")).expect("a folder");
    for args in [vec!["schedule", "once"], vec!["schedule"]] {
        let said = say([args, vec![arg(&pipeline), "--out", arg(&home)]].concat()).expect(3);
        assert!(
            said.err.contains("schedule.sqlite: the state of the schedules cannot be read or written"),
            "{}",
            said.err
        );
    }
    assert!(!home.join("demo").exists());
}

/// What a scraper reads.
#[expect(clippy::disallowed_types, reason = "a scraper on loopback")]
fn scrape(addr: &str) -> String {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(addr).expect("it listens");
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("UTF-8");
    text
}

#[test]
fn a_daemon_tells_prometheus_of_all_its_runs() {
    let dir = temp();
    let (home, pipeline) = (dir.path().join("home"), scheduled(dir.path(), YEARLY, ""));
    missed(&pipeline, &home);
    let mut child = start(["schedule", arg(&pipeline), "--out", arg(&home), "--metrics", "127.0.0.1:0", "-v"]);
    let mut lines = lines_of(&mut child);
    let told = until(&mut lines, "bound=");
    let addr = told.split("bound=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
    let addr = addr.to_owned();
    until(&mut lines, "run ended: completed");
    let text = scrape(&addr);
    for line in [
        "prosopon_run_active 0",
        "prosopon_runs_total{outcome=\"completed\"} 1",
        "prosopon_companies_planned 15",
        "prosopon_schedule_paused{pipeline=\"demo\"} 0",
        "prosopon_schedule_home_failed{pipeline=\"demo\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in {text}");
    }
    let fetched = text.lines().find_map(|l| l.strip_prefix("prosopon_fetches_total{outcome=\"fetched\"} "));
    assert!(fetched.is_some_and(|n| n.parse::<u64>().expect("a count") > 30), "{text}");
    for name in ["last_success", "last_end"] {
        let name = format!("prosopon_schedule_{name}_timestamp_seconds{{pipeline=\"demo\"}} ");
        let at = text.lines().find_map(|l| l.strip_prefix(&name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        assert!(at.parse::<i64>().is_ok_and(|at| at > 1_700_000_000), "{name}{at}");
    }
    stop(child, lines);
}
