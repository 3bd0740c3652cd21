//! Days without runs.

use jiff::SignedDuration;

use super::decide::*;
use super::state::State;
use super::tests::{at, hours, schedule, started};
use crate::config::Schedule;

#[test]
fn a_blackout_day_is_waited_for() {
    let blackout_days = vec!["2026-12-24".parse().expect("a day"), "2026-12-25".parse().expect("a day")];
    let spec = Spec::new("nightly", &Schedule { blackout_days, ..schedule("0 2 * * *", "Europe/Berlin") });
    let state = State::new(&spec, at("2026-12-22T12:00:00Z"), SignedDuration::ZERO);
    let missed = at("2026-12-23T01:00:00Z");
    assert_eq!(started(&decide(&spec, &state, None, at("2026-12-23T22:59:59Z"))), Some((missed, Why::CaughtUp)));
    let waits = decide(&spec, &state, None, at("2026-12-23T23:30:00Z")).then;
    assert_eq!(waits, Then::Wait(Some((missed, at("2026-12-25T23:00:00Z")))), "not on a blackout day");
    assert_eq!(spec.next(missed), Some(at("2026-12-26T01:00:00Z")));
}

#[test]
fn no_delay_leads_into_a_blackout() {
    let day = |text: &str| text.parse::<jiff::civil::Date>().expect("a day");
    let spec = |jitter_seconds, cron: &str, blackout: &[&str]| {
        let blackout_days = blackout.iter().map(|text| day(text)).collect();
        let schedule = Schedule { jitter_seconds, blackout_days, ..schedule(cron, "Europe/Berlin") };
        Spec::new("nightly", &schedule)
    };
    let mut delays = std::collections::BTreeSet::new();
    for date in 1..=28 {
        let (before, blackout) = (format!("2026-02-{date:02}"), day(&format!("2026-02-{date:02}")).tomorrow());
        let blackout = blackout.expect("a day").to_string();
        let fire = at(&format!("{before}T22:50:00Z"));
        let free = spec(3600, "50 23 * * *", &[]).start_of(fire);
        let spec = spec(3600, "50 23 * * *", &[blackout.as_str()]);
        let start = spec.start_of(fire);
        assert!(fire <= start && start < at(&format!("{before}T23:00:00Z")), "{start}");
        assert!(free.duration_since(fire) >= start.duration_since(fire), "{free} {start}");
        let state = State::new(&spec, fire - hours(1), SignedDuration::ZERO);
        assert_eq!(decide(&spec, &state, None, fire - hours(1)).then, Then::Wait(Some((fire, start))));
        assert_eq!(started(&decide(&spec, &state, None, start)), Some((fire, Why::OnTime)), "it is not lost");
        delays.insert(start.duration_since(fire).as_secs());
    }
    assert!(delays.len() > 15 && delays.iter().all(|delay| *delay < 600), "it is still drawn: {delays:?}");
    // Where the delay leads over the blackout, or there is none in its way, it is what it was.
    let fire = at("2026-02-10T22:50:00Z");
    let free = spec(3600, "50 23 * * *", &[]).start_of(fire);
    assert_eq!(spec(3600, "50 23 * * *", &["2026-02-13"]).start_of(fire), free);
}
