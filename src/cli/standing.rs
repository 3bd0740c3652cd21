//! `prosopon schedule status`: how the schedules of a home stand.
//!
//! Invariant: nothing is written. Whether a daemon lives is told by the lock that dies with it, not by what it wrote.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::HomeArg;
use crate::consent::gate::Clock;
use crate::run::home::Home;
use crate::schedule::decide::ON_TIME;
use crate::schedule::event::{held, seconds};
use crate::schedule::state::{Outcome, State};
use crate::schedule::store::{Heartbeat, Store};
use crate::sink::HomeLock;

/// A daemon that has given no sign of life for so many seconds is taken for dead.
const DEAD_AFTER: i64 = 120;

/// A start that is late by less is not told as overdue: a daemon may be just about it.
const ABOUT: SignedDuration = SignedDuration::from_mins(1);

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    home: HomeArg,
    /// End with 1 unless a daemon gave a sign of life within so many seconds; it gives one every 30
    #[arg(long, value_name = "SECONDS")]
    alive: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Tells how the schedules of a home stand.
pub(super) fn execute(args: &StatusArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let home = Home::open(&args.home.path())?;
    let standing = Standing::of(home.path(), args.home.pipeline.as_deref(), wall())?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", standing.to_json(home.path()))?;
    } else {
        write!(out, "{}", standing.text())?;
    }
    Ok(ExitCode::from(u8::from(args.alive.is_some_and(|most| !standing.is_alive(i64::from(most))))))
}

/// How the schedules of a home stand.
pub(super) struct Standing {
    now: Timestamp,
    beat: Option<Heartbeat>,
    /// Whether a scheduler holds the home's lock.
    is_kept: bool,
    /// By name of the pipeline.
    pub schedules: Vec<(String, State)>,
}

impl Standing {
    /// Reads it; nothing is written.
    pub fn of(home: &Path, pipeline: Option<&str>, now: Timestamp) -> anyhow::Result<Self> {
        let mut standing = Self { now, beat: None, is_kept: false, schedules: Vec::new() };
        let Some(store) = Store::open_to_read(home)? else { return Ok(standing) };
        standing.is_kept = HomeLock::is_kept(home);
        standing.beat = store.heartbeat()?;
        for name in store.pipelines()? {
            let is_wanted = pipeline.is_none_or(|wanted| wanted == name);
            if let (true, Some(state)) = (is_wanted, store.state(&name)?) {
                standing.schedules.push((name, state));
            }
        }
        Ok(standing)
    }

    /// Seconds since the last sign of life.
    fn age(&self) -> i64 {
        self.beat.map_or(i64::MAX, |beat| self.now.duration_since(beat.at).as_secs())
    }

    /// Whether a daemon gave a sign of life within so many seconds, and did not vanish since.
    fn is_alive(&self, most: i64) -> bool {
        self.is_kept && self.beat.is_some() && self.age() <= most
    }

    /// One line on the daemon.
    pub fn daemon(&self) -> String {
        match self.beat {
            None => "no daemon".to_owned(),
            Some(beat) if !self.is_kept => {
                let at = seconds(beat.at);
                format!("daemon (process {}) is gone without a word, last heartbeat {at}", beat.pid)
            }
            Some(beat) if !self.is_alive(DEAD_AFTER) => {
                format!("daemon (process {}) gave no sign of life for {} s", beat.pid, self.age())
            }
            Some(beat) => format!("daemon (process {}) alive, last heartbeat {} s ago", beat.pid, self.age().max(0)),
        }
    }

    /// How the last run ended: one whose process is gone does not go on.
    fn outcome(&self, state: &State) -> Option<Outcome> {
        let is_cut_off = state.outcome == Some(Outcome::Running) && !self.is_kept;
        if is_cut_off { Some(Outcome::Died) } else { state.outcome }
    }

    fn is_overdue(&self, state: &State) -> bool {
        let is_running = self.outcome(state) == Some(Outcome::Running);
        !is_running
            && state.paused_at.is_none()
            && state.next_start.is_some_and(|at| self.now.duration_since(at) > ABOUT)
    }

    /// One line on a schedule.
    pub fn line(&self, state: &State) -> String {
        if let Some(at) = state.paused_at {
            let failures = state.failures;
            return format!("paused since {} after {failures} failed run(s): prosopon schedule resume", seconds(at));
        }
        let failures = if state.failures > 0 { format!(", {} failed in a row", state.failures) } else { String::new() };
        if self.outcome(state) == Some(Outcome::Running) {
            return format!("a run goes on{failures}");
        }
        if let Some(until) = self.held(state) {
            return format!("{}{failures}", held(until));
        }
        let next = state.next_start.map_or("not known".to_owned(), |at| seconds(at).to_string());
        let overdue = if self.is_overdue(state) { " is overdue" } else { "" };
        let ahead = if self.clock_ahead(state).is_some() { ", the clock stood ahead" } else { "" };
        format!("next start {next}{overdue}{failures}{ahead}")
    }

    /// Up to when a schedule stands still because a run started under a clock that stood ahead.
    fn held(&self, state: &State) -> Option<Timestamp> {
        state.ahead.filter(|ahead| ahead.is_held && ahead.until > self.now).map(|ahead| ahead.until)
    }

    /// The instant up to which the clock stood ahead: as the memory tells, whether a scheduler has looked at it since or not.
    fn clock_ahead(&self, state: &State) -> Option<Timestamp> {
        let seen = Some(state.base()).filter(|base| base.duration_since(self.now) > ON_TIME);
        seen.or(state.ahead.map(|ahead| ahead.until))
    }

    fn text(&self) -> String {
        let mut lines = vec![self.daemon()];
        if self.schedules.is_empty() {
            lines.push("nothing was ever scheduled here: prosopon schedule PIPELINE".to_owned());
        }
        for (name, state) in &self.schedules {
            lines.push(format!("\n{name}  {}", state.expression));
            lines.push(format!("  schedule  {}", self.line(state)));
            if let Some(until) = self.clock_ahead(state) {
                let what = match (self.held(state), state.ahead) {
                    (Some(_), _) => "nothing starts before",
                    (None, Some(_)) => "what that left was set back",
                    (None, None) => "the next `schedule once`, or the daemon, sets back what that left",
                };
                lines.push(format!("  clock     stood ahead, at {}: {what}", seconds(until)));
            }
            if let (Some(started), Some(outcome)) = (state.started, self.outcome(state)) {
                let ended = state.ended.map_or(String::new(), |at| format!(", ended {}", seconds(at)));
                lines.push(format!("  last run  {}, started {}{ended}", outcome.name(), seconds(started)));
            }
            if let Some(fire) = state.last_fired {
                lines.push(format!("  last fire {}", seconds(fire)));
            }
            if state.is_unfinished && self.outcome(state) != Some(Outcome::Running) {
                let when = if state.paused_at.is_some() { "once it is resumed, a" } else { "the next" };
                lines.push(format!("  unfinished: {when} start continues it"));
            }
        }
        lines.join("\n") + "\n"
    }

    fn to_json(&self, home: &Path) -> Value {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let daemon = self.beat.map(|beat| {
            json!({ "pid": beat.pid, "heartbeat_at": beat.at.to_string(), "age_seconds": self.age().max(0),
                    "alive": self.is_alive(DEAD_AFTER) })
        });
        let schedule = |(name, state): &(String, State)| {
            json!({
                "pipeline": name, "expression": state.expression, "since": state.since.to_string(),
                "last_fired": text(state.last_fired), "last_started": text(state.started),
                "last_ended": text(state.ended), "last_success": text(state.succeeded),
                "last_outcome": self.outcome(state).map(Outcome::name),
                "unfinished": state.is_unfinished, "failures": state.failures, "paused_at": text(state.paused_at),
                "next_start": text(state.next_start), "overdue": self.is_overdue(state),
                "clock_ahead": text(self.clock_ahead(state)), "clock_held": self.held(state).is_some(),
            })
        };
        let schedules: Vec<Value> = self.schedules.iter().map(schedule).collect();
        json!({ "home": home, "daemon": daemon, "schedules": schedules })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::tests::{at, spec};

    /// What is told of a home in which a run was begun and never ended, an hour after its next start.
    fn told(is_held: bool, is_paused: bool) -> (Standing, Value) {
        let home = tempfile::tempdir().expect("a folder");
        let lock = HomeLock::acquire_for_schedule(home.path()).expect("free");
        let lock = is_held.then_some(lock);
        let (spec, now) = (spec("0 3 * * *", "UTC"), at("2026-03-02T04:00:00Z"));
        let begun = at("2026-03-02T03:00:00Z");
        let mut store = Store::open(home.path()).expect("opens");
        let change = |state: &mut State| {
            state.start(begun, begun);
            state.next_start = Some(begun);
            state.paused_at = is_paused.then_some(begun);
        };
        store.update("nightly", || State::new(&spec, begun, SignedDuration::ZERO), change).expect("written");
        store.beat(Heartbeat { pid: 4711, at: now }).expect("written");
        let standing = Standing::of(home.path(), None, now).expect("readable");
        let json = standing.to_json(home.path());
        drop(lock);
        (standing, json)
    }

    #[test]
    fn a_daemon_that_vanished_is_not_alive_and_its_run_does_not_go_on() {
        for (is_held, is_paused, daemon, line, last) in [
            (true, false, "(process 4711) alive", "a run goes on", "last run  running"),
            (
                false,
                false,
                "(process 4711) is gone",
                "next start 2026-03-02T03:00:00Z is overdue",
                "the next start continues it",
            ),
            (false, true, "(process 4711) is gone", "paused since", "once it is resumed, a start continues it"),
        ] {
            let (standing, json) = told(is_held, is_paused);
            let text = standing.text();
            assert!([daemon, line, last].iter().all(|words| text.contains(words)), "{text}");
            assert_eq!(text.contains("next start continues"), !is_held && !is_paused, "{text}");
            assert_eq!((standing.is_alive(60), &json["daemon"]["alive"]), (is_held, &is_held.into()), "{json}");
            let schedule = &json["schedules"][0];
            assert_eq!(schedule["last_outcome"], if is_held { "running" } else { "died" }, "{json}");
            assert_eq!(schedule["overdue"], !is_held && !is_paused, "{json}");
        }
    }
}
