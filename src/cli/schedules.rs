//! How schedules stand, for Prometheus.
//!
//! Invariant: the label `pipeline` has the names of the pipelines that this process keeps, `home` the numbers of its homes where
//! there are several, and no other values: each schedule has lines of its own.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;

use super::metrics::tell_family;
use crate::schedule::event::{Event, Whose};
use crate::schedule::state::State;

/// Why a run is left out.
const REASONS: [&str; 5] = ["overlap", "missed", "mistakes", "edited", "busy"];

/// How all schedules of this process stand.
#[derive(Default)]
pub(super) struct Schedules(Mutex<BTreeMap<Whose, Stand>>);

#[derive(Default)]
struct Stand {
    success: Option<Timestamp>,
    end: Option<Timestamp>,
    seconds: Option<i64>,
    next: Option<Timestamp>,
    is_paused: bool,
    failures: u32,
    has_no_home: bool,
    is_ahead: bool,
    left_out: [u64; REASONS.len()],
}

/// The labels of a schedule, to which more may be added.
fn labels(Whose { pipeline, home }: &Whose) -> String {
    let home = home.map_or(String::new(), |home| format!("home=\"{home}\","));
    format!("{home}pipeline=\"{pipeline}\"")
}

impl Schedules {
    fn change(&self, whose: &Whose, change: impl FnOnce(&mut Stand)) {
        // Whoever panicked with it did so while counting: counts go on.
        let mut stands = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(stands.entry(whose.clone()).or_default());
    }

    /// Takes over what the home remembers.
    pub(super) fn stands(&self, whose: &Whose, state: &State) {
        self.change(whose, |stand| {
            stand.success = state.succeeded;
            // While a run goes on, the end and the length of the one before are told.
            if let (Some(started), Some(ended)) = (state.started, state.ended) {
                stand.end = Some(ended);
                stand.seconds = Some(ended.duration_since(started).as_secs().max(0));
            }
            (stand.next, stand.is_paused, stand.failures) =
                (state.next_start, state.paused_at.is_some(), state.failures);
            (stand.has_no_home, stand.is_ahead) = (false, state.ahead.is_some());
        });
    }

    /// Counts what happened.
    pub(super) fn tell_of(&self, whose: &Whose, event: &Event) {
        let (reason, count) = match event {
            Event::Sick(_) => return self.change(whose, |stand| stand.has_no_home = true),
            Event::LeftOut(lost) => (lost.why.name(), lost.count),
            Event::Busy { is_waiting: false, .. } => ("busy", 1),
            _ => return,
        };
        if let Some(at) = REASONS.iter().position(|known| *known == reason) {
            self.change(whose, |stand| stand.left_out[at] += count);
        }
    }

    /// Adds its metrics; none where nothing is scheduled.
    pub(super) fn tell(&self, text: &mut String) {
        let stands = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if stands.is_empty() {
            return;
        }
        let mut gauge = |name: &str, help: &str, value: &dyn Fn(&Stand) -> Option<i64>| {
            let line = |(whose, stand): (&Whose, &Stand)| Some((format!("{{{}}}", labels(whose)), value(stand)?));
            let lines: Vec<(String, i64)> = stands.iter().filter_map(line).collect();
            tell_family(text, &format!("prosopon_schedule_{name}"), "gauge", help, &lines);
        };
        let second = |at: Option<Timestamp>| at.map(Timestamp::as_second);
        gauge("last_success_timestamp_seconds", "When a run last ended with tables.", &|s| second(s.success));
        gauge("last_end_timestamp_seconds", "When a run last ended, however it did.", &|s| second(s.end));
        gauge("last_duration_seconds", "How long the run took that ended last.", &|s| s.seconds);
        gauge("next_start_timestamp_seconds", "When the next run starts.", &|s| second(s.next));
        gauge("paused", "1 while nothing starts until `schedule resume`.", &|s| Some(i64::from(s.is_paused)));
        gauge("failures_in_a_row", "Failed runs since the last that did not fail.", &|s| Some(i64::from(s.failures)));
        gauge("home_failed", "1 while the home cannot be kept.", &|s| Some(i64::from(s.has_no_home)));
        let ahead = "1 while the clock stood ahead and no run has succeeded since.";
        gauge("clock_ahead", ahead, &|s| Some(i64::from(s.is_ahead)));
        let reasons = |(whose, stand): (&Whose, &Stand)| {
            let label = |(why, n): (&&str, &u64)| (format!("{{{},reason=\"{why}\"}}", labels(whose)), *n);
            REASONS.iter().zip(&stand.left_out).map(label).collect::<Vec<_>>()
        };
        let lines: Vec<(String, u64)> = stands.iter().flat_map(reasons).collect();
        tell_family(
            text,
            "prosopon_schedule_left_out_total",
            "counter",
            "Starts that were left out, by reason.",
            &lines,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::lost::{LeftOut, Lost};
    use crate::schedule::state::Ahead;
    use crate::schedule::state::Outcome;
    use crate::schedule::tests::{at, spec};

    #[test]
    fn each_pipeline_has_its_lines() {
        let schedules = Schedules::default();
        let text = || {
            let mut text = String::new();
            schedules.tell(&mut text);
            text
        };
        assert_eq!(text(), "", "nothing is scheduled");
        let (spec, now) = (spec("0 3 * * *", "UTC"), at("2026-03-02T03:00:00Z"));
        let hour = jiff::SignedDuration::from_hours(1);
        let mut state = State::new(&spec, now, hour);
        let whose = |pipeline: &str, home| Whose { pipeline: pipeline.to_owned(), home };
        schedules.stands(&whose("other", None), &state);
        state.start(now, now);
        state.end(&spec, Outcome::Completed, now + hour);
        state.start(now + hour, now + hour);
        state.end(&spec, Outcome::Failed, now + hour * 3);
        (state.next_start, state.paused_at) = (Some(now + hour * 24), Some(now));
        state.ahead = Some(Ahead { until: now + hour * 24, is_held: true });
        let missed = Lost { count: 7, ..Lost::one(now, LeftOut::Missed) };
        for event in [Event::LeftOut(missed), Event::Busy { is_waiting: false, message: "somebody".into() }] {
            schedules.tell_of(&whose("nightly", None), &event);
        }
        schedules.tell_of(&whose("other", None), &Event::Sick("somebody".into()));
        schedules.stands(&whose("nightly", None), &state);
        let text = text();
        let begin = now.as_second();
        for line in [
            format!("last_success_timestamp_seconds{{pipeline=\"nightly\"}} {}", begin + 3600),
            format!("last_end_timestamp_seconds{{pipeline=\"nightly\"}} {}", begin + 3 * 3600),
            "last_duration_seconds{pipeline=\"nightly\"} 7200".to_owned(),
            format!("next_start_timestamp_seconds{{pipeline=\"nightly\"}} {}", begin + 24 * 3600),
            "paused{pipeline=\"nightly\"} 1".to_owned(),
            "paused{pipeline=\"other\"} 0".to_owned(),
            "failures_in_a_row{pipeline=\"nightly\"} 1".to_owned(),
            "home_failed{pipeline=\"other\"} 1".to_owned(),
            "clock_ahead{pipeline=\"nightly\"} 1".to_owned(),
            "clock_ahead{pipeline=\"other\"} 0".to_owned(),
            "left_out_total{pipeline=\"nightly\",reason=\"missed\"} 7".to_owned(),
            "left_out_total{pipeline=\"nightly\",reason=\"busy\"} 1".to_owned(),
            "left_out_total{pipeline=\"other\",reason=\"mistakes\"} 0".to_owned(),
        ] {
            assert!(text.lines().any(|l| l == format!("prosopon_schedule_{line}")), "{line} is not in\n{text}");
        }
        assert!(
            !text.contains("somebody") && !text.contains("last_end_timestamp_seconds{pipeline=\"other\"}"),
            "{text}"
        );
        for name in text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split('{').next()) {
            assert!(text.contains(&format!("# HELP {name} ")) && text.contains(&format!("# TYPE {name} ")), "{name}");
        }
    }
    #[test]
    fn homes_do_not_share_the_lines_of_pipelines_of_one_name() {
        let schedules = Schedules::default();
        let now = at("2026-03-02T03:00:00Z");
        let state = State::new(&spec("0 3 * * *", "UTC"), now, jiff::SignedDuration::ZERO);
        for (home, is_paused) in [(1, false), (2, true)] {
            let whose = Whose { pipeline: "nightly".to_owned(), home: Some(home) };
            schedules.stands(&whose, &State { paused_at: is_paused.then_some(now), ..state.clone() });
            if is_paused {
                schedules.tell_of(&whose, &Event::LeftOut(Lost::one(now, LeftOut::Missed)));
            }
        }
        let mut text = String::new();
        schedules.tell(&mut text);
        for line in [
            "paused{home=\"1\",pipeline=\"nightly\"} 0",
            "paused{home=\"2\",pipeline=\"nightly\"} 1",
            "left_out_total{home=\"1\",pipeline=\"nightly\",reason=\"missed\"} 0",
            "left_out_total{home=\"2\",pipeline=\"nightly\",reason=\"missed\"} 1",
        ] {
            assert!(text.lines().any(|l| l == format!("prosopon_schedule_{line}")), "{line} is not in\n{text}");
        }
    }
}
