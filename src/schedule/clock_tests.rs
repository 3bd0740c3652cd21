//! A clock that stood ahead once does not stop a schedule, and starts nothing twice.

use jiff::SignedDuration;

use super::decide::*;
use super::event::Event;
use super::state::{Ahead, Outcome, State};
use super::tests::{at, hours, spec, started};

const WRONG: &str = "2027-02-03T02:10:00Z";

#[test]
fn what_a_clock_ahead_left_is_set_back_once() {
    let (spec, now) = (spec("0 2 * * *", "UTC"), at("2026-12-04T01:00:00Z"));
    // Seen for the first time under the wrong clock: as seen for the first time now.
    let mut state = State::new(&spec, at(WRONG), SignedDuration::ZERO);
    let told = state.set_back(&spec, now, ON_TIME);
    assert_eq!(told, Some(Ahead { until: at(WRONG), is_held: false }));
    assert_eq!((state.base(), state.set_back(&spec, now, ON_TIME)), (now - ON_TIME, None), "it is told once");
    let next = at("2026-12-04T02:00:00Z");
    assert_eq!(decide(&spec, &state, None, now).then, Then::Wait(Some((next, next))));
    assert!(state.ahead.is_some(), "who looks is told");
    state.start(next, next);
    state.end(&spec, Outcome::Completed, next + hours(1));
    assert_eq!(state.ahead, None, "until a run succeeds");
}

#[test]
fn what_was_left_out_under_a_clock_ahead_is_open_again_and_what_ran_is_not() {
    let (spec, ran) = (spec("0 2 * * *", "UTC"), at("2026-12-03T02:00:00Z"));
    let mut state = State::new(&spec, at("2026-12-01T12:00:00Z"), SignedDuration::ZERO);
    state.start(ran, ran);
    state.end(&spec, Outcome::Completed, ran + hours(1));
    state.pass(at("2027-02-03T02:00:00Z"));
    // In the night of that run nothing starts again.
    let night = ran + hours(2);
    let mut early = state.clone();
    assert!(early.set_back(&spec, night, SignedDuration::ZERO).is_some_and(|ahead| !ahead.is_held));
    assert_eq!((early.base(), started(&decide(&spec, &early, None, night))), (ran, None));
    let morning = at("2026-12-04T02:01:00Z");
    state.set_back(&spec, morning, SignedDuration::ZERO);
    assert_eq!(started(&decide(&spec, &state, None, morning)), Some((ran + hours(24), Why::OnTime)));
}

#[test]
fn a_run_that_started_under_a_clock_ahead_holds_its_schedule_until_somebody_resumes() {
    let (spec, wrong, now) = (spec("0 2 * * *", "UTC"), at(WRONG), at("2026-12-04T12:00:00Z"));
    let mut state = State::new(&spec, at("2026-12-01T12:00:00Z"), SignedDuration::ZERO);
    let fire = at("2027-02-03T02:00:00Z");
    state.start(fire, wrong);
    state.end(&spec, Outcome::Completed, wrong + hours(1));
    state.pass(at("2027-02-04T02:00:00Z"));
    let told = state.set_back(&spec, now, SignedDuration::ZERO).expect("it is told");
    assert_eq!((told, state.base()), (Ahead { until: fire, is_held: true }, fire), "no further than that run");
    assert_eq!(state.set_back(&spec, now, SignedDuration::ZERO), None);
    assert_eq!(state.succeeded, Some(now), "whoever waits for the next success does not wait for next year");
    state.set_back(&spec, now + hours(1), SignedDuration::ZERO);
    assert_eq!(state.succeeded, Some(now), "it grows older from then on");
    let says = Event::ClockAhead { until: fire, is_held: true }.to_string();
    assert!(says.contains("2027-02-03T02:00:00Z") && says.contains("prosopon schedule resume"), "{says}");
    // Time comes there by itself, or somebody says that the clock is right.
    let mut later = state.clone();
    assert_eq!((later.set_back(&spec, wrong, SignedDuration::ZERO), later.ahead), (None, None));
    assert!(state.resume(now) && !state.resume(now));
    assert_eq!((state.base(), state.ahead, started(&decide(&spec, &state, None, now))), (now, None, None));
    assert_eq!(spec.next(state.base()), Some(at("2026-12-05T02:00:00Z")));
    assert!(!state.overlapped(wrong + SignedDuration::from_mins(30)), "no run goes on then");
}

#[test]
fn a_clock_that_is_set_back_a_little_changes_nothing() {
    let (spec, fire) = (spec("0 2 * * *", "UTC"), at("2026-12-03T02:00:00Z"));
    let mut state = State::new(&spec, fire - hours(9), SignedDuration::ZERO);
    state.pass(fire);
    let before = state.clone();
    assert_eq!(state.set_back(&spec, fire - SignedDuration::from_mins(10), SignedDuration::ZERO), None);
    assert_eq!(state, before);
}
