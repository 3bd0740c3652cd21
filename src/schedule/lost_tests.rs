//! Every start that is left out is told and counted once.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::cron::Expression;
use super::decide::*;
use super::event::Event;
use super::lost::{LeftOut, Lost, MOST};
use super::state::{Outcome, State};
use super::tests::{at, hours, instants, schedule, spec, specs, started};
use crate::config::{CatchUp, Overlap, Schedule};

fn mins(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// Count and reason of each, first and last as hours and minutes.
fn told(left_out: &[Lost]) -> Vec<String> {
    let clock = |at: Timestamp| at.to_string()[11..16].to_owned();
    let line = |lost: &Lost| format!("{} {} {} {}", lost.count, clock(lost.first), clock(lost.last), lost.why.name());
    left_out.iter().map(line).collect()
}

#[test]
fn all_that_was_missed_is_told() {
    let (seen, now) = (at("2026-03-02T00:30:00Z"), at("2026-03-02T07:40:00Z"));
    for (catch_up, window, expected, runs) in [
        (CatchUp::Skip, 24, &["7 01:00 07:00 missed"][..], 0),
        (CatchUp::All, 4, &["3 01:00 03:00 missed"][..], 4),
        (CatchUp::Latest, 24, &[][..], 1),
    ] {
        let schedule = Schedule { catch_up, catch_up_window_hours: window, ..schedule("0 * * * *", "UTC") };
        let spec = Spec::new("nightly", &schedule);
        let mut state = State::new(&spec, seen, SignedDuration::ZERO);
        let (mut all, mut count) = (Vec::new(), 0);
        loop {
            let decision = decide(&spec, &state, None, now);
            decision.left_out.iter().for_each(|lost| state.pass(lost.last));
            all.extend(decision.left_out.iter().copied());
            let Some((fire, _)) = started(&decision) else { break };
            state.start(fire, now);
            state.end(&spec, Outcome::Completed, now);
            count += 1;
        }
        assert_eq!((told(&all), count), (expected.iter().map(ToString::to_string).collect(), runs), "{catch_up:?}");
    }
    // Nothing is within a window of two hours, since the fire comes every three.
    let nightly = Schedule { catch_up_window_hours: 1, ..schedule("0 */3 * * *", "UTC") };
    let spec = Spec::new("nightly", &nightly);
    let decision = decide(&spec, &State::new(&spec, seen, SignedDuration::ZERO), None, now);
    assert_eq!(told(&decision.left_out), ["2 03:00 06:00 missed"]);
}

#[test]
fn all_that_comes_during_a_run_is_told() {
    for (catch_up, now, expected) in [
        (CatchUp::Latest, "2026-03-02T05:30:00Z", &["2 04:00 05:00 overlap"][..]),
        (CatchUp::Latest, "2026-03-02T06:05:00Z", &["2 04:00 05:00 overlap"][..]),
        (CatchUp::All, "2026-03-02T06:05:00Z", &["2 04:00 05:00 overlap"][..]),
        (CatchUp::Skip, "2026-03-02T06:05:00Z", &["2 04:00 05:00 overlap"][..]),
        (CatchUp::Skip, "2026-03-02T07:30:00Z", &["2 04:00 05:00 overlap", "2 06:00 07:00 missed"][..]),
    ] {
        let spec = Spec::new("nightly", &Schedule { catch_up, ..schedule("0 * * * *", "UTC") });
        let mut state = State::new(&spec, at("2026-03-02T02:30:00Z"), SignedDuration::ZERO);
        state.start(at("2026-03-02T03:00:00Z"), at("2026-03-02T03:00:00Z"));
        state.end(&spec, Outcome::Completed, at("2026-03-02T05:30:00Z"));
        let decision = decide(&spec, &state, None, at(now));
        assert_eq!(told(&decision.left_out), expected, "{catch_up:?} {now}");
    }
}

#[test]
fn mistakes_leave_out_all_that_is_due() {
    let spec = spec("0 * * * *", "UTC");
    let state = State::new(&spec, at("2026-03-02T02:30:00Z"), SignedDuration::ZERO);
    let decision = decide_without_file(&spec, &state, at("2026-03-02T05:05:00Z"));
    assert_eq!(told(&decision.left_out), ["3 03:00 05:00 mistakes"]);
    assert!(matches!(decision.then, Then::Wait(Some((fire, _))) if fire == at("2026-03-02T06:00:00Z")));
}

#[test]
fn no_expression_is_counted_for_long() {
    let often = Schedule { catch_up: CatchUp::Skip, ..schedule("* * * * * *", "UTC") };
    let spec = Spec::new("nightly", &often);
    let (seen, now) = (at("2025-03-02T00:00:00Z"), at("2026-03-02T00:00:00Z"));
    let decision = decide(&spec, &State::new(&spec, seen, SignedDuration::ZERO), None, now);
    let [lost] = decision.left_out[..] else { panic!("{decision:?}") };
    assert_eq!((lost.count, lost.has_more, lost.first), (MOST, true, seen + SignedDuration::from_secs(1)));
    assert_eq!(lost.last, now - SignedDuration::from_secs(1), "the last that is left out, though it was not counted");
    assert!(started(&decision).is_some(), "the fire of this second");
    let line = Event::LeftOut(lost).to_string();
    assert!(
        line.starts_with("more than 50000 runs from 2025-03-02T00:00:01Z to 2026-03-01T23:59:59Z are left"),
        "{line}"
    );
    let line = Event::LeftOut(Lost::one(now, LeftOut::Missed)).to_string();
    assert!(line.starts_with("run for 2026-03-02T00:00:00Z is left out: missed"), "{line}");
}

#[test]
fn another_spelling_is_no_change() {
    let same = |a: &str, b: &str| Expression::new(a, "UTC").expect("read") == Expression::new(b, "UTC").expect("read");
    for (one, other, is_same) in [
        ("0 2 * * *", "00 2 * * *", true),
        ("0 2 * * *", "0 0 2 * * *", true),
        ("0 2 * * MON", "0 2 * * 1", true),
        ("0 0-23 * * *", "0 00-23 * * *", true),
        ("0-59 2 * * *", "* 2 * * *", true),
        ("0 2 * * *", "0 3 * * *", false),
        // Of another meaning where the clock changes.
        ("0 */1 * * *", "0 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23 * * *", false),
    ] {
        assert_eq!(same(one, other), is_same, "{one} {other}");
    }
    let (before, spelled, changed) = (spec("0 2 * * *", "UTC"), spec("00 2 * * *", "UTC"), spec("0 3 * * *", "UTC"));
    let now = at("2026-03-04T02:30:00Z");
    let mut state = State::new(&before, at("2026-03-02T12:00:00Z"), SignedDuration::ZERO);
    assert_eq!(state.adopt(&spelled, now), []);
    assert_eq!(state.expression, "00 2 * * * UTC", "as it is written now");
    assert_eq!(started(&decide(&spelled, &state, None, now)), Some((at("2026-03-04T02:00:00Z"), Why::CaughtUp)));
    assert_eq!(told(&state.adopt(&changed, now)), ["2 02:00 02:00 edited"]);
    assert_eq!(started(&decide(&changed, &state, None, now)), None, "a change starts nothing");
    assert_eq!(state.adopt(&changed, now), [], "once");
}

/// How many fires may start a run, later than `after` and not later than `end`.
fn between(spec: &Spec, after: Timestamp, end: Timestamp) -> u64 {
    let fires = std::iter::successors(spec.next(after), |fire| spec.next(*fire));
    fires.take_while(|fire| *fire <= end).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    /// Where each fire needs a run of its own, each has one or is told as left out, and none is both.
    #[test]
    fn each_fire_is_started_or_told(
        spec in specs(), from in instants(),
        steps in prop::collection::vec((0i64..200_000, 0i64..20_000, 0u8..3), 1..8),
    ) {
        prop_assume!(spec.is_each_by_itself());
        let mut now = from;
        let mut state = State::new(&spec, now, SignedDuration::ZERO);
        let mut dealt = 0;
        for (idle, length, what) in steps {
            now += SignedDuration::from_secs(idle);
            let decision = decide(&spec, &state, None, now);
            for lost in &decision.left_out {
                prop_assert!(!lost.has_more && lost.first > state.base());
                dealt += lost.count;
                state.pass(lost.last);
            }
            prop_assert_eq!(dealt, between(&spec, from, state.base()), "{:?}", decision);
            if let Then::Start(fire, why) = decision.then {
                dealt += u64::from(why != Why::Continued);
                state.start(fire, now);
                now += SignedDuration::from_secs(length);
                state.end(&spec, [Outcome::Completed, Outcome::Stopped, Outcome::Failed][what as usize], now);
                state.resume(now);
            }
        }
    }
}

#[test]
fn a_queue_with_one_run_for_all_leaves_nothing_out() {
    let queue = Schedule { overlap: Overlap::Queue, ..schedule("0 * * * *", "UTC") };
    let spec = Spec::new("nightly", &queue);
    let now = at("2026-03-02T05:30:00Z");
    let mut state = State::new(&spec, now - hours(3), SignedDuration::ZERO);
    state.start(at("2026-03-02T03:00:00Z"), at("2026-03-02T03:00:00Z"));
    state.end(&spec, Outcome::Completed, now - mins(1));
    let decision = decide(&spec, &state, None, now);
    assert_eq!((&decision.left_out[..], started(&decision).map(|(fire, _)| fire)), (&[][..], Some(now - mins(30))));
}
