//! What holds for every schedule, whatever the clock does.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::cron::{Effect, Expression};
use super::decide::*;
use super::event::{Event, Whose};
use super::lost::{LeftOut, Lost};
use super::preview::Preview;
use super::state::{Outcome, State};
use crate::config::{CatchUp, Overlap, Schedule};
use crate::run::engine::RunError;
use crate::sink::LockError;

/// An instant.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub(super) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

pub(super) fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule {
        expression: Expression::new(cron, zone).expect("a cron expression in a zone"),
        catch_up: CatchUp::Latest,
        catch_up_window_hours: 24,
        overlap: Overlap::Skip,
        jitter_seconds: 0,
        max_duration_minutes: 480,
        pause_after_failures: 3,
        blackout_days: Vec::new(),
    }
}

/// A schedule without jitter and blackout.
pub fn spec(cron: &str, zone: &str) -> Spec {
    Spec::new("nightly", &schedule(cron, zone))
}

fn fires(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let expression = Expression::new(cron, zone).expect("a cron expression in a zone");
    let all = std::iter::successors(expression.next(at(from)), |fire| expression.next(*fire));
    all.take(count).map(|fire| fire.to_string()).collect()
}

pub(super) fn started(decision: &Decision) -> Option<(Timestamp, Why)> {
    if let Then::Start(fire, why) = decision.then { Some((fire, why)) } else { None }
}

#[test]
fn a_time_that_does_not_exist_comes_at_the_change_and_once() {
    let night = "2026-03-28T12:00:00Z";
    assert_eq!(fires("15 2 * * *", "Europe/Berlin", night, 2), ["2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"]);
    assert_eq!(fires("*/15 2 * * *", "Europe/Berlin", night, 2), ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]);
    assert_eq!(fires("0 2,3 * * *", "Europe/Berlin", night, 2), ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]);
    let lord_howe = fires("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2);
    assert_eq!(lord_howe, ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"], "half an hour is skipped there");
    let new_york = fires("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2);
    assert_eq!(new_york, ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]);
}

#[test]
fn a_time_that_exists_twice_comes_the_first_time_only() {
    let berlin = fires("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
    assert_eq!(berlin, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    let lord_howe = fires("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2);
    assert_eq!(lord_howe, ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]);
}

#[test]
fn an_open_hour_means_elapsed_time() {
    let forward = fires("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3);
    assert_eq!(forward, ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"]);
    let back = fires("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:10:00Z", 4);
    assert_eq!(back, ["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"]);
}

#[test]
fn expressions_that_never_come_and_unknown_zones_are_refused() {
    for (cron, words) in [
        ("0 2 * * MON#6", "\"MON#6\" is no day of week"),
        ("0 25 * * *", "\"25\" is no hour"),
        ("x * * * * *", "\"x\" is no second"),
        ("0 0 * FOO *", "\"FOO\" is no month"),
        ("0 0 32 * *", "\"32\" is no day of month"),
        ("@daily", "has 1 field(s)"),
        ("0 2 * *", "has 4 field(s)"),
    ] {
        let told = Expression::new(cron, "UTC").expect_err(cron).to_string();
        assert!(told.contains(words), "{cron}: {told}");
    }
    for (cron, first) in [("0 0 L * *", "31"), ("0 0 * * MON#2", "09"), ("0 0 * * FRI#L", "27")] {
        assert_eq!(fires(cron, "UTC", "2026-03-01T00:00:00Z", 1), [format!("2026-03-{first}T00:00:00Z")], "{cron}");
    }
    for (cron, zone) in [("15 2 31 2 *", "UTC"), ("61 * * * *", "UTC"), ("15 2 * * *", "Mars/Crater")] {
        assert!(Expression::new(cron, zone).is_err(), "{cron} {zone}");
    }
    assert_eq!(fires("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), ["2104-02-29T00:00:00Z"]);
    let leap = Expression::new("0 0 29 2 *", "UTC").expect("comes every four years");
    assert_eq!(leap.previous(at("2104-02-28T00:00:00Z")), Some(at("2096-02-29T00:00:00Z")));
}

#[test]
fn a_day_of_fires_in_order() {
    let spec = spec("0 */6 * * *", "UTC");
    let mut state = State::new(&spec, at("2026-03-02T01:00:00Z"), SignedDuration::ZERO);
    let (mut now, mut seen) = (at("2026-03-02T01:00:00Z"), Vec::new());
    while seen.len() < 3 {
        match decide(&spec, &state, None, now).then {
            Then::Start(fire, Why::OnTime) => {
                state.start(fire, now);
                seen.push(fire.to_string());
                now += hours(1);
                state.end(&spec, Outcome::Completed, now);
            }
            Then::Wait(Some((_, start))) => {
                assert!(start > now);
                now = start;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, ["2026-03-02T06:00:00Z", "2026-03-02T12:00:00Z", "2026-03-02T18:00:00Z"]);
}

#[test]
fn missed_fires_are_made_up_for_as_the_pipeline_says() {
    let (seen, now) = (at("2026-03-01T00:00:00Z"), at("2026-03-04T10:00:00Z"));
    let due = |catch_up, window| {
        let schedule = Schedule { catch_up, catch_up_window_hours: window, ..schedule("0 2 * * *", "UTC") };
        let spec = Spec::new("nightly", &schedule);
        let mut state = State::new(&spec, seen, SignedDuration::ZERO);
        let mut all = Vec::new();
        let left_out = loop {
            let decision = decide(&spec, &state, None, now);
            let Some((fire, why)) = started(&decision) else { break decision.left_out.last().map(|lost| lost.last) };
            assert_eq!(why, Why::CaughtUp);
            state.start(fire, now);
            state.end(&spec, Outcome::Completed, now);
            all.push(fire.to_string()[8..10].to_owned());
        };
        (all.join(" "), left_out)
    };
    assert_eq!(due(CatchUp::All, 100).0, "01 02 03 04");
    assert_eq!(due(CatchUp::All, 40).0, "03 04");
    assert_eq!(due(CatchUp::Latest, 100).0, "04");
    assert_eq!(due(CatchUp::Latest, 7), (String::new(), Some(at("2026-03-04T02:00:00Z"))), "beyond the window");
    assert_eq!(due(CatchUp::Skip, 100), (String::new(), Some(at("2026-03-04T02:00:00Z"))));
}

#[test]
fn what_comes_during_a_run_is_left_out_or_waits() {
    let now = at("2026-03-02T04:30:00Z");
    for overlap in [Overlap::Skip, Overlap::Queue] {
        for catch_up in [CatchUp::Skip, CatchUp::Latest, CatchUp::All] {
            let spec = Spec::new("nightly", &Schedule { catch_up, overlap, ..schedule("0 * * * *", "UTC") });
            let mut state = State::new(&spec, at("2026-03-02T02:30:00Z"), SignedDuration::ZERO);
            state.start(at("2026-03-02T03:00:00Z"), at("2026-03-02T03:00:00Z"));
            state.end(&spec, Outcome::Completed, now);
            let decision = decide(&spec, &state, None, now);
            let four = at("2026-03-02T04:00:00Z");
            match overlap {
                Overlap::Skip => assert_eq!(decision.left_out, [Lost::one(four, LeftOut::Overlap)], "{catch_up:?}"),
                Overlap::Queue => assert_eq!(started(&decision).map(|(fire, _)| fire), Some(four), "{catch_up:?}"),
            }
        }
    }
    let spec = Spec::new("nightly", &Schedule { catch_up: CatchUp::Skip, ..schedule("0 4 * * *", "UTC") });
    let state = State::new(&spec, at("2026-03-02T02:30:00Z"), SignedDuration::ZERO);
    assert_eq!(started(&decide(&spec, &state, None, now)), None, "missed");
    let held = Some((at("2026-03-02T03:00:00Z"), now));
    assert!(started(&decide(&spec, &state, held, now)).is_some(), "it waited for another pipeline");
}

#[test]
fn failures_in_a_row_pause_until_somebody_resumes() {
    let (spec, now) = (spec("0 * * * *", "UTC"), at("2026-03-02T03:00:00Z"));
    let mut state = State::new(&spec, now, hours(1));
    for outcome in [Outcome::Failed, Outcome::Completed, Outcome::Failed, Outcome::TooLong, Outcome::Died] {
        assert_ne!(decide(&spec, &state, None, now).then, Then::Paused, "before {outcome:?}");
        state.start(now, now);
        state.end(&spec, outcome, now);
    }
    assert_eq!((state.failures, decide(&spec, &state, None, now + hours(9)).then), (3, Then::Paused));
    assert!(state.resume(now) && !state.resume(now));
    assert!(started(&decide(&spec, &state, None, now + hours(9))).is_some());
}

#[test]
fn what_fails_after_publishing_is_told_and_pauses_nothing() {
    let (spec, now) = (spec("0 * * * *", "UTC"), at("2026-03-02T03:00:00Z"));
    let held = LockError::Held { home: "home".into(), pid: Some(1) };
    for (error, is_late, outcome) in [
        (RunError::AfterPublishing(Box::new(RunError::Worker)), false, Outcome::AfterPublishing),
        (RunError::AfterPublishing(Box::new(RunError::Cancelled)), true, Outcome::AfterPublishing),
        (RunError::Worker, false, Outcome::Failed),
        (RunError::Cancelled, true, Outcome::TooLong),
        (RunError::Cancelled, false, Outcome::Stopped),
        (RunError::Lock(held), false, Outcome::Stopped),
    ] {
        assert_eq!(Outcome::of(&error, is_late), outcome, "{error}");
    }
    assert_eq!(Outcome::from_name(Outcome::AfterPublishing.name()), Some(Outcome::AfterPublishing));
    let mut state = State::new(&spec, now, hours(1));
    for outcome in [Outcome::Failed, Outcome::Failed, Outcome::AfterPublishing, Outcome::AfterPublishing] {
        state.start(now, now);
        state.end(&spec, outcome, now);
    }
    let stands = (state.failures, state.paused_at, state.succeeded, state.is_unfinished);
    assert_eq!(stands, (0, None, Some(now), false), "the tables are there");
    let told = Event::Failed(Outcome::AfterPublishing, Box::new(RunError::Worker));
    let whose = Whose { pipeline: "nightly".into(), home: None };
    assert_eq!(told.to_json(&whose)["outcome"], "failed_after_publishing");
}

#[test]
fn a_run_that_was_stopped_or_cut_off_is_continued() {
    let (spec, now) = (spec("0 2 * * *", "UTC"), at("2026-03-02T02:00:00Z"));
    let mut stopped = State::new(&spec, now, hours(1));
    stopped.start(now, now);
    let mut cut_off = stopped.clone();
    stopped.end(&spec, Outcome::Stopped, now + hours(1));
    assert!(cut_off.recover(&spec, now + hours(1)) && !stopped.recover(&spec, now + hours(1)));
    assert_eq!((stopped.failures, cut_off.failures), (0, 1), "a process that vanishes is a failure");
    for state in [&stopped, &cut_off] {
        assert_eq!(started(&decide(&spec, state, None, now + hours(2))), Some((now, Why::Continued)));
        let next_day = started(&decide(&spec, state, None, now + hours(24)));
        assert_eq!(next_day, Some((now + hours(24), Why::OnTime)), "one run does for both");
    }
}

#[test]
fn a_preview_tells_what_the_clock_changes_do() {
    let spec = Spec::new("nightly", &Schedule { jitter_seconds: 300, ..schedule("15 2 * * *", "Europe/Berlin") });
    let preview = Preview::new(&spec, at("2026-03-27T12:00:00Z"), 3);
    assert_eq!(preview.coming.iter().map(|c| c.is_moved).collect::<Vec<_>>(), [false, true, false]);
    let effects: Vec<_> = preview.changes.iter().flat_map(|c| &c.effects).map(|(_, effect)| *effect).collect();
    assert_eq!(effects, [Effect::Moved, Effect::Once]);
    insta::assert_snapshot!(preview.text());
    let santiago = Spec::new("nightly", &schedule("30 23 * * *", "America/Santiago"));
    let text = Preview::new(&santiago, at("2027-04-01T12:00:00Z"), 1).text();
    assert!(
        text.contains("clock change 2027-04-03 (back): 23:00 to 24:00 comes twice\n    23:30 comes twice"),
        "{text}"
    );
    let from = preview.coming[1].fire;
    assert_eq!(Preview::new(&spec, from, 1).coming[0].fire, from, "an instant that is a fire is one of them");
}

const ZONES: [&str; 6] =
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Pacific/Apia", "Africa/Casablanca"];
const CRONS: [&str; 8] = [
    "15 2 * * *",
    "30 1 * * *",
    "*/20 * * * *",
    "10,40 1-3 * * *",
    "0 0 * * *",
    "5 */5 * * MON-FRI",
    "59 23 L * *",
    "30 15 */10 * * *",
];

/// Instants around the clock changes of 2026, and anywhere in the two years around.
pub(super) fn instants() -> impl Strategy<Value = Timestamp> {
    let changes = prop::sample::select(vec![
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-04-04T15:00:00Z",
        "2026-10-03T15:30:00Z",
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2026-02-15T02:00:00Z",
    ]);
    let near = (changes, -10_800i64..10_800).prop_map(|(text, s)| at(text) + SignedDuration::from_secs(s));
    let far = (1_767_225_600i64..1_830_297_600).prop_map(|s| Timestamp::from_second(s).expect("in range"));
    prop_oneof![near, far]
}

prop_compose! {
    pub(super) fn specs()(
        cron in prop::sample::select(CRONS.to_vec()),
        zone in prop::sample::select(ZONES.to_vec()),
        catch_up in prop::sample::select(vec![CatchUp::Skip, CatchUp::Latest, CatchUp::All]),
        overlap in prop::sample::select(vec![Overlap::Skip, Overlap::Queue]),
        catch_up_window_hours in 1u32..80,
        jitter_seconds in prop_oneof![Just(0u32), 1u32..90_000],
        blackout in prop::collection::vec(0i64..730, 0..3),
        around in instants(),
        is_near: bool,
    ) -> Spec {
        let day = |d: i64| at("2026-01-01T12:00:00Z") + hours(24 * d);
        let mut days: Vec<Timestamp> = blackout.into_iter().map(day).collect();
        days.extend(is_near.then_some(around));
        let blackout_days = days.into_iter().map(|d| jiff::tz::Offset::UTC.to_datetime(d).date()).collect();
        let schedule = Schedule {
            catch_up, catch_up_window_hours, overlap, jitter_seconds, blackout_days, ..schedule(cron, zone)
        };
        Spec::new("nightly", &schedule)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    /// Between an instant and the next fire there is none, and the last fire is the one before.
    #[test]
    fn fires_follow_each_other(cron in prop::sample::select(CRONS.to_vec()), zone in prop::sample::select(ZONES.to_vec()),
                               from in instants(), part in 0.0f64..1.0) {
        let expression = Expression::new(cron, zone).expect("known");
        let first = expression.next(from).expect("comes");
        let second = expression.next(first).expect("comes");
        prop_assert!(from < first && first < second);
        let between = first + SignedDuration::from_secs((second.duration_since(first).as_secs() as f64 * part) as i64);
        prop_assert_eq!(expression.next(between), Some(second));
        prop_assert_eq!(expression.previous(between), Some(first));
        prop_assert_eq!(expression.previous(first), Some(first));
        let is_at_change = |c: &super::cron::ClockChange| c.at == first;
        prop_assert!(expression.names(first) || expression.clock_changes(first - hours(1), 2).iter().any(is_at_change));
    }

    /// The delay of a fire is the same each time, and ends before the next fire.
    #[test]
    fn jitter_is_fixed_and_bounded(spec in specs(), from in instants()) {
        let fire = spec.expression().next(from).expect("comes");
        let start = spec.start_of(fire);
        prop_assert_eq!(start, spec.start_of(fire));
        prop_assert!(fire <= start && start < spec.expression().next(fire).expect("comes"));
    }

    /// A scheduler that looks at any moments, with runs of any length, ends and edits.
    #[test]
    fn nothing_is_started_twice_too_late_or_on_a_blackout_day(
        spec in specs(), from in instants(),
        steps in prop::collection::vec((0i64..200_000, 0i64..20_000, 0u8..10), 1..12),
        other in specs(),
    ) {
        let mut spec = spec;
        let (mut now, mut seen) = (from, std::collections::BTreeSet::new());
        let mut state = State::new(&spec, now, SignedDuration::ZERO);
        for (idle, length, what) in steps {
            now += SignedDuration::from_secs(idle);
            if what == 9 && !state.is_unfinished && spec.expression() != other.expression() {
                spec = other.clone();
                state.adopt(&spec, now);
                prop_assert_eq!(started(&decide(&spec, &state, None, now)), None, "an edit starts nothing");
            }
            let decision = decide(&spec, &state, None, now);
            for lost in &decision.left_out {
                prop_assert!(lost.first > state.base() && lost.first <= lost.last && lost.last <= now);
                prop_assert_eq!(lost.count == 1, lost.first == lost.last);
                state.pass(lost.last);
            }
            match decision.then {
                Then::Start(fire, why) => {
                    prop_assert!(!spec.is_blackout(now) && !spec.is_blackout(fire));
                    prop_assert!(spec.start_of(fire) <= now && fire <= now);
                    prop_assert!(now.duration_since(fire) <= hours(80));
                    if why == Why::Continued {
                        // A fire that came during the run that was stopped may have been left out since.
                        prop_assert!(state.is_unfinished && state.last_fired >= Some(fire));
                    } else {
                        prop_assert!(seen.insert(fire), "{fire} twice");
                        prop_assert!(fire > state.since);
                    }
                    state.start(fire, now);
                    now += SignedDuration::from_secs(length);
                    let outcomes = [Outcome::Completed, Outcome::Stopped, Outcome::Failed];
                    state.end(&spec, outcomes[what as usize % 3], now);
                    state.resume(now);
                }
                Then::Wait(Some((fire, start))) => {
                    prop_assert!(start > now && !spec.is_blackout(start), "{fire} {start} {now}");
                }
                Then::Wait(None) | Then::Paused => prop_assert!(false, "{decision:?}"),
            }
        }
    }
}
