//! Daemons that are followed by what they tell, under a clock that stands still while they work.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use tokio::time::{Duration, Instant, sleep};

use super::event::{Event, Listener, Whose};
use super::homes;
use super::keeper::Around;
use super::tests::at;
use crate::fetch::CancelHandle;
use crate::run::{Observer, Silent};
use crate::sink::HomeLock;

/// Comes every ten minutes.
const OFTEN: &str = "*/10 * * * *";

/// Writes a pipeline of the demo into a folder; its home lies beside it.
fn pipeline(folder: &Path, name: &str, schedule: &str) -> PathBuf {
    let root = env!("CARGO_MANIFEST_DIR");
    let demo = fs::read_to_string(format!("{root}/pipelines/demo.yaml")).expect("the demo's pipeline");
    let text = demo
        .replace("home: ../prosopon-home", &format!("home: {name}.home"))
        .replace("../", &format!("{root}/"))
        .replace("name: demo\n", &format!("name: {name}\n"))
        .replace("network: demo", &format!("network: demo\nschedule: {schedule}"));
    let path = folder.join(format!("{name}.yaml"));
    fs::write(&path, text).expect("a pipeline");
    path
}

/// Reacts to what is told.
type Act = Box<dyn Fn(&str, &Event) + Send + Sync>;

struct Scribe {
    told: Mutex<Vec<String>>,
    act: Act,
}

impl Listener for Scribe {
    fn tell(&self, whose: &Whose, event: &Event) {
        self.told.lock().expect("no holder panics").push(format!("{whose} {} {event}", event.name()));
        (self.act)(&whose.pipeline, event);
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(Silent)
    }
}

/// Keeps the pipelines for so many minutes; what was told, or the error if none could be kept.
fn keep(
    files: &[PathBuf],
    minutes: u64,
    act: impl Fn(&str, &Event) + Send + Sync + 'static,
) -> Result<Vec<String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let began = Instant::now();
        let wall = move || at("2026-03-02T03:05:00Z") + SignedDuration::try_from(began.elapsed()).expect("short");
        let scribe = Arc::new(Scribe { told: Mutex::default(), act: Box::new(act) });
        let stop = Arc::new(CancelHandle::new());
        let around = Around { wall: Arc::new(wall), stop: Arc::clone(&stop), listener: scribe.clone() };
        let opened = homes::open(files, None, &around).map_err(|error| error.to_string())?;
        tokio::join!(homes::keep_all(opened, &around), async {
            sleep(Duration::from_secs(minutes * 60)).await;
            stop.cancel();
        })
        .0
        .expect("it ends in order");
        let told = scribe.told.lock().expect("no holder panics").clone();
        Ok(told)
    })
}

/// How many lines hold all words.
fn count(told: &[String], words: &[&str]) -> usize {
    told.iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

#[test]
fn a_sick_home_is_tried_again_and_the_others_go_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let yearly = "{ cron: \"0 0 1 1 *\" }";
    let files = ["well", "sick"].map(|name| pipeline(dir.path(), name, yearly));
    let (well, sick) = (dir.path().join("well.home"), dir.path().join("sick.home"));
    fs::create_dir(&sick).expect("a home");
    fs::write(sick.join("home.json"), "{").expect("damage");
    let told = keep(&files, 30, move |pipeline, event| match (pipeline, event) {
        ("sick", Event::Sick(_)) => fs::remove_dir_all(&sick).expect("mended"),
        // As an operator may who puts back a backup.
        ("sick", Event::Waiting(_)) => fs::remove_dir_all(&well).expect("gone"),
        _ => {}
    })
    .expect("one home can be kept");
    assert_eq!(count(&told, &["sick (home 2) schedule_home_failed", "damaged"]), 1, "{told:#?}");
    assert_eq!(count(&told, &["sick (home 2) schedule_waiting"]), 1, "{told:#?}");
    assert_eq!(count(&told, &["well (home 1) schedule_home_failed", "is gone, or another"]), 1, "{told:#?}");
    assert_eq!(count(&told, &["well (home 1) schedule_waiting"]), 2, "{told:#?}");
    assert_eq!(told.len(), 5, "{told:#?}");
}

#[test]
fn where_no_home_can_be_kept_it_ends() {
    let dir = tempfile::tempdir().expect("a folder");
    let files = ["one", "two"].map(|name| pipeline(dir.path(), name, "{ cron: \"0 0 1 1 *\" }"));
    for home in ["one.home", "two.home"] {
        fs::create_dir(dir.path().join(home)).expect("a home");
        fs::write(dir.path().join(home).join("home.json"), "{").expect("damage");
    }
    let error = keep(&files, 1, |_, _| ()).expect_err("both are damaged");
    assert!(error.contains("one.home/home.json is damaged"), "{error}");
}

#[test]
fn while_a_file_has_mistakes_its_runs_are_left_out_and_then_it_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let schedule = format!("{{ cron: \"{OFTEN}\", pause_after_failures: 1 }}");
    let file = pipeline(dir.path(), "edited", &schedule);
    // Its runs end at once: a clock that stands still has no time for real ones.
    let right = fs::read_to_string(&file).expect("a pipeline").replace("accounts.csv", "nowhere.csv");
    fs::write(&file, &right).expect("a pipeline");
    let (edited, left) = (file.clone(), Mutex::new(0));
    let told = keep(&[file], 45, move |_, event| match event {
        Event::Waiting(_) if *left.lock().expect("a count") == 0 => {
            fs::write(&edited, "version: 1\nnothing: x\n").expect("written");
        }
        Event::LeftOut(..) => {
            let mut left = left.lock().expect("a count");
            *left += 1;
            if *left == 3 {
                fs::write(&edited, &right).expect("written");
            }
        }
        _ => {}
    });
    let told = told.expect("the home can be kept");
    assert_eq!(count(&told, &["schedule_unreadable", "edited.yaml:1:1: error"]), 1, "{told:#?}");
    for minute in ["03:10", "03:20", "03:30"] {
        assert_eq!(count(&told, &["schedule_left_out", minute, "has mistakes"]), 1, "{told:#?}");
    }
    assert_eq!(count(&told, &["schedule_left_out"]), 3, "{told:#?}");
    assert_eq!(count(&told, &["schedule_reloaded"]), 1, "{told:#?}");
    assert_eq!(count(&told, &["schedule_started", "03:40"]), 1, "{told:#?}");
    assert_eq!(count(&told, &["schedule_paused", "1 failed run(s)"]), 1, "that run alone counts: {told:#?}");
}

#[test]
fn while_the_policy_has_mistakes_its_runs_are_left_out_and_then_it_goes_on() {
    let root = env!("CARGO_MANIFEST_DIR");
    let right = fs::read_to_string(format!("{root}/config/policy/demo.yaml")).expect("the demo's policy");
    let late = right.replace("at: 2026-01-15", "at: 2026-03-03");
    for (what, wrong) in [
        ("policy.yaml:1:1: error", "version: 1\nnothing: x\n"),
        ("is approved from 2026-03-03 on", late.as_str()),
        ("cannot be read", ""),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let file = pipeline(dir.path(), "edited", &format!("{{ cron: \"{OFTEN}\", pause_after_failures: 1 }}"));
        let policy = dir.path().join("policy.yaml");
        fs::write(&policy, &right).expect("a policy");
        let text = fs::read_to_string(&file).expect("a pipeline").replace("accounts.csv", "nowhere.csv");
        let text = text.replace(&format!("{root}/config/policy/demo.yaml"), "policy.yaml");
        fs::write(&file, text).expect("a pipeline");
        let (edited, mended, wrong, left) = (policy, right.clone(), wrong.to_owned(), Mutex::new(0));
        let told = keep(&[file], 35, move |_, event| match event {
            Event::Waiting(_) if *left.lock().expect("a count") == 0 => {
                if wrong.is_empty() {
                    fs::remove_file(&edited).expect("removed");
                } else {
                    fs::write(&edited, &wrong).expect("written");
                }
            }
            Event::LeftOut(..) => {
                *left.lock().expect("a count") += 1;
                if *left.lock().expect("a count") == 2 {
                    fs::write(&edited, &mended).expect("written");
                }
            }
            _ => {}
        });
        let told = told.expect("the home can be kept");
        assert_eq!(count(&told, &["schedule_unreadable", "policy.yaml", what]), 1, "{told:#?}");
        assert_eq!(count(&told, &["schedule_left_out", "has mistakes"]), 2, "{told:#?}");
        assert_eq!(count(&told, &["schedule_reloaded"]), 1, "{told:#?}");
        assert_eq!(count(&told, &["schedule_started", "03:30"]), 1, "{told:#?}");
        assert_eq!(count(&told, &["schedule_ended", "failed"]), 1, "the run that goes on alone counts: {told:#?}");
    }
}

#[test]
fn a_scheduler_does_not_start_with_a_policy_that_no_run_could_use() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = pipeline(dir.path(), "wrong", "{ cron: \"0 0 1 1 *\" }");
    let text = fs::read_to_string(&file).expect("a pipeline");
    let root = env!("CARGO_MANIFEST_DIR");
    fs::write(&file, text.replace(&format!("{root}/config/policy/demo.yaml"), "nowhere.yaml")).expect("a pipeline");
    let error = keep(&[file], 1, |_, _| ()).expect_err("no policy is there");
    assert!(error.contains("nowhere.yaml") && !dir.path().join("wrong.home").exists(), "{error}");
}

#[test]
fn a_fire_that_waits_for_its_home_starts_only_while_it_still_holds() {
    for (edited, started) in [
        ("cron: \"*/10 * * * *\", pause_after_failures: 9", 1),
        ("cron: \"0 9 * * *\"", 0),
        ("cron: \"*/10 * * * *\", blackout_days: [\"2026-03-02\"]", 0),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let schedule = "cron: \"*/10 * * * *\"";
        let file = pipeline(dir.path(), "waiting", &format!("{{ {schedule}, overlap: queue }}"));
        let text = fs::read_to_string(&file).expect("a pipeline").replace("accounts.csv", "nowhere.csv");
        fs::write(&file, &text).expect("a pipeline");
        let (path, home, lock) = (file.clone(), dir.path().join("waiting.home"), Mutex::new(None));
        let told = keep(&[file], 8, move |_, event| {
            let mut lock = lock.lock().expect("no holder panics");
            match event {
                Event::Waiting(_) if lock.is_none() => *lock = HomeLock::acquire(&home).ok(),
                Event::Busy { is_waiting: true, .. } => {
                    fs::write(&path, text.replace(schedule, edited)).expect("edited");
                    *lock = None;
                }
                _ => {}
            }
        });
        let told = told.expect("the home can be kept");
        assert_eq!(count(&told, &["schedule_busy", "the run waits"]), 1, "{edited}: {told:#?}");
        assert_eq!(count(&told, &["schedule_reloaded"]), 1, "{edited}: {told:#?}");
        assert_eq!(count(&told, &["schedule_started"]), started, "{edited}: {told:#?}");
    }
}

#[test]
fn once_ends_though_a_fire_that_waited_may_not_start_any_more() {
    // The schedule is edited while it waits, or a blackout begins.
    for is_edited in [true, false] {
        let dir = tempfile::tempdir().expect("a folder");
        let schedule = format!("{{ cron: \"{OFTEN}\", overlap: queue, blackout_days: [\"2026-03-03\"] }}");
        let file = pipeline(dir.path(), "waiting", &schedule);
        let text = fs::read_to_string(&file).expect("a pipeline").replace(OFTEN, "0 9 * * *");
        let (path, lock) = (file.clone(), Arc::new(Mutex::new(None)));
        let (held, waited) = (Arc::clone(&lock), Arc::new(AtomicBool::new(false)));
        let is_next_day = Arc::clone(&waited);
        let act = move |_: &str, event: &Event| {
            if matches!(event, Event::Busy { .. }) {
                if is_edited {
                    fs::write(&path, &text).expect("edited");
                } else {
                    is_next_day.store(true, Ordering::Relaxed);
                }
                *held.lock().expect("no holder panics") = None;
            }
        };
        let scribe = Arc::new(Scribe { told: Mutex::default(), act: Box::new(act) });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let ended = runtime.expect("a runtime").block_on(async {
            let moment = move |is_late| at(if is_late { "2026-03-03T00:05:00Z" } else { "2026-03-02T23:55:00Z" });
            let wall = Arc::new(move || moment(waited.load(Ordering::Relaxed)));
            let around = Around { wall, stop: Arc::new(CancelHandle::new()), listener: scribe.clone() };
            let keeper = homes::open(&[file], None, &around).expect("read").pop().expect("a home");
            *lock.lock().expect("no holder panics") = HomeLock::acquire(&dir.path().join("waiting.home")).ok();
            keeper.ok().expect("it can be kept").once().await
        });
        let ended = ended.ok().expect("it can be kept");
        let told = scribe.told.lock().expect("no holder panics").clone();
        assert!(matches!(ended[..], [(_, Event::Waiting(Some(_)))]), "{ended:?} {told:#?}");
        assert_eq!((count(&told, &["schedule_busy"]), count(&told, &["schedule_started"])), (1, 0), "{told:#?}");
    }
}

#[test]
fn a_pause_is_told_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = pipeline(dir.path(), "failing", &format!("{{ cron: \"{OFTEN}\", pause_after_failures: 2 }}"));
    let text = fs::read_to_string(&file).expect("a pipeline").replace("accounts.csv", "nowhere.csv");
    fs::write(&file, text).expect("a pipeline");
    let told = keep(&[file], 60, |_, _| ()).expect("the home can be kept");
    assert_eq!(count(&told, &["schedule_ended", "failed"]), 2, "{told:#?}");
    assert_eq!(count(&told, &["schedule_paused"]), 1, "{told:#?}");
}
