//! What a scheduler tells while it works.
//!
//! Invariant: names of pipelines and instants; never a person.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::decide::Why;
use super::lost::{LeftOut, Lost};
use super::state::{Outcome, State};
use crate::run::Observer;
use crate::run::engine::RunError;
use crate::run::summary::Summary;

/// Whose schedule it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whose {
    /// The pipeline's name.
    pub pipeline: String,
    /// Which of the homes of this process it is, from 1 in the order in which they are named; `None` = there is one. Its path may
    /// name somebody, and two homes may have pipelines of one name.
    pub home: Option<usize>,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pipeline)?;
        self.home.map_or(Ok(()), |home| write!(f, " (home {home})"))
    }
}

/// Who is told.
pub trait Listener: Send + Sync {
    /// Something happened to a pipeline's schedule.
    fn tell(&self, whose: &Whose, event: &Event);
    /// How it stands now; told often.
    fn stands(&self, _whose: &Whose, _state: &State) {}
    /// Told of the progress of the run that starts now.
    fn observer(&self) -> Arc<dyn Observer>;
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// Nothing is due; the next run starts then.
    Waiting(Option<Timestamp>),
    /// A run starts for a fire.
    Started(Timestamp, Why),
    /// A run has ended.
    Ended(Outcome, Option<Box<Summary>>),
    /// A run has ended with an error: without tables, or after they were published.
    Failed(Outcome, Box<RunError>),
    /// A run was stopped after so many minutes.
    TooLong(u64),
    /// Fires are left out.
    LeftOut(Lost),
    /// Another process works in the home: the run waits, or is left out.
    Busy {
        /// Whether it waits.
        is_waiting: bool,
        /// What the lock says.
        message: String,
    },
    /// A run of an earlier process was cut off.
    Died,
    /// What the home remembers lies in the future: the clock stood ahead.
    ClockAhead {
        /// The instant that lies in the future.
        until: Timestamp,
        /// Whether a run started there, so that nothing starts before; else it was set back.
        is_held: bool,
    },
    /// The schedule is paused after so many failures in a row.
    Paused(u32),
    /// The home cannot be kept; it is tried again.
    Sick(String),
    /// The pipeline file, or its policy, has mistakes now; nothing runs until it has none.
    Unreadable(String),
    /// The pipeline file has changed, or a file has no mistakes any more.
    Reloaded,
}

impl Event {
    /// Its name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting(_) => "schedule_waiting",
            Self::Started(..) => "schedule_started",
            Self::Ended(..) | Self::Failed(..) => "schedule_ended",
            Self::TooLong(_) => "schedule_too_long",
            Self::LeftOut(_) => "schedule_left_out",
            Self::Busy { .. } => "schedule_busy",
            Self::Died => "schedule_died",
            Self::ClockAhead { .. } => "schedule_clock_ahead",
            Self::Paused(_) => "schedule_paused",
            Self::Sick(_) => "schedule_home_failed",
            Self::Unreadable(_) => "schedule_unreadable",
            Self::Reloaded => "schedule_reloaded",
        }
    }

    /// One JSON object.
    pub fn to_json(&self, whose: &Whose) -> Value {
        let mut event = json!({ "event": self.name(), "pipeline": whose.pipeline, "message": self.to_string() });
        if let Some(home) = whose.home {
            event["home"] = home.into();
        }
        let more = match self {
            Self::Waiting(next) => json!({ "next_start": next.map(|at| at.to_string()) }),
            Self::Started(fire, why) => json!({ "fire": fire.to_string(), "why": why.name() }),
            Self::Ended(outcome, _) | Self::Failed(outcome, _) => json!({ "outcome": outcome.name() }),
            Self::LeftOut(lost) => json!({
                "fire": lost.last.to_string(), "first_fire": lost.first.to_string(), "count": lost.count,
                "more": lost.has_more, "why": lost.why.name(),
            }),
            Self::ClockAhead { until, is_held } => json!({ "until": until.to_string(), "held": is_held }),
            Self::Paused(failures) => json!({ "failures": failures }),
            _ => json!({}),
        };
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        event
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(Some(next)) => write!(f, "next run starts at {}", seconds(*next)),
            Self::Waiting(None) => f.write_str("no run is to come"),
            Self::Started(fire, why) => write!(f, "run for {} starts: {}", seconds(*fire), why.text()),
            Self::Ended(outcome, None) => write!(f, "run ended: {}", outcome.name()),
            Self::Ended(outcome, Some(summary)) => {
                let counts = &summary.counts;
                let run = summary.run_id.as_deref().unwrap_or_default();
                let (personas, subjects) = (counts.personas, counts.subjects);
                write!(f, "run ended: {}, {run}, {personas} personas of {subjects} contacts", outcome.name())
            }
            Self::Failed(outcome, error) => write!(f, "run ended: {}: {error}", outcome.name()),
            Self::TooLong(minutes) => {
                write!(f, "the run takes longer than max_duration_minutes ({minutes}) and is stopped")
            }
            Self::LeftOut(lost) => write!(f, "{lost}: {}", lost.why.text()),
            Self::Busy { is_waiting: true, message } => write!(f, "the run waits: {message}"),
            Self::Busy { is_waiting: false, message } => write!(f, "the run is left out: {message}"),
            Self::Died => f.write_str("the run before was cut off without an end; it counts as failed"),
            Self::ClockAhead { until, is_held: false } => {
                write!(
                    f,
                    "the clock stood ahead, at {}: what that left in the schedule's memory is set back",
                    seconds(*until)
                )
            }
            Self::ClockAhead { until, is_held: true } => write!(f, "{}", held(*until)),
            Self::Paused(failures) => {
                write!(f, "paused after {failures} failed run(s) in a row: `prosopon schedule resume` goes on")
            }
            Self::Sick(message) => write!(f, "its home cannot be kept and is tried again: {message}"),
            Self::Unreadable(message) => {
                write!(f, "a file of the pipeline has mistakes, its runs are left out until it has none: {message}")
            }
            Self::Reloaded => f.write_str("a file of the pipeline has changed and was read anew"),
        }
    }
}

impl Why {
    /// How it is written in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnTime => "on_time",
            Self::CaughtUp => "caught_up",
            Self::Continued => "continued",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::OnTime => "it is due",
            Self::CaughtUp => "it was missed",
            Self::Continued => "it was stopped before its end",
        }
    }
}

impl LeftOut {
    /// How it is written in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overlap => "overlap",
            Self::Missed => "missed",
            Self::Mistakes => "mistakes",
            Self::Edited => "edited",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Overlap => "the run before had not ended (overlap: skip)",
            Self::Missed => "missed and not made up for (catch_up)",
            Self::Mistakes => "a file of the pipeline has mistakes",
            Self::Edited => "missed, and then the expression was changed",
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (seconds(self.first), seconds(self.last));
        match (self.count, self.has_more) {
            (1, false) => write!(f, "run for {first} is left out"),
            (count, false) => write!(f, "{count} runs from {first} to {last} are left out"),
            (count, true) => write!(f, "more than {count} runs from {first} to {last} are left out"),
        }
    }
}

/// What a schedule says that stands still up to an instant, for a run started there.
pub fn held(until: Timestamp) -> String {
    let until = seconds(until);
    format!(
        "a run started for {until}, which is still to come, so nothing starts before: set the clock right; if it is \
         right now, `prosopon schedule resume` goes on from now"
    )
}

/// Without fractions of a second.
pub fn seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
