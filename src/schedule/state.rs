//! What a home remembers of a schedule, and how it changes.
//!
//! Invariant: pure; a fire that was dealt with never becomes open again, whatever is changed.

use jiff::{SignedDuration, Timestamp};

use super::cron::Expression;
use super::decide::{ON_TIME, Spec};
use super::lost::{LeftOut, Lost, lost};
use crate::run::engine::RunError;
use crate::sink::LockError;

/// How a run that was started by the schedule ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It has not ended.
    Running,
    /// Published.
    Completed,
    /// Published with more dead letters than allowed.
    DeadLetters,
    /// Published; what comes after that failed.
    AfterPublishing,
    /// Not published.
    Failed,
    /// Stopped after its maximum duration.
    TooLong,
    /// Stopped from outside; to be continued.
    Stopped,
    /// The process ended without a word; to be continued.
    Died,
}

/// The outcomes and how they are written.
const OUTCOMES: [(Outcome, &str); 8] = [
    (Outcome::Running, "running"),
    (Outcome::Completed, "completed"),
    (Outcome::DeadLetters, "completed_with_dead_letters"),
    (Outcome::AfterPublishing, "failed_after_publishing"),
    (Outcome::Failed, "failed"),
    (Outcome::TooLong, "too_long"),
    (Outcome::Stopped, "stopped"),
    (Outcome::Died, "died"),
];

impl Outcome {
    /// How it is written.
    pub fn name(self) -> &'static str {
        OUTCOMES.iter().find(|(outcome, _)| *outcome == self).map_or("failed", |(_, name)| name)
    }

    /// Reads what [`Self::name`] wrote.
    pub fn from_name(name: &str) -> Option<Self> {
        OUTCOMES.iter().find(|(_, known)| *known == name).map(|(outcome, _)| *outcome)
    }

    /// How a run ended that ended with an error, perhaps because its time was over.
    pub fn of(error: &RunError, is_late: bool) -> Self {
        match error {
            RunError::Cancelled if is_late => Self::TooLong,
            // Somebody took the home in the moment between: tried again like a run that was stopped.
            RunError::Cancelled | RunError::Lock(LockError::Held { .. }) => Self::Stopped,
            // Whatever failed then, the tables are there: nobody needs to be kept from running again.
            RunError::AfterPublishing(_) => Self::AfterPublishing,
            _ => Self::Failed,
        }
    }

    /// Whether there are tables of it.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Completed | Self::DeadLetters | Self::AfterPublishing)
    }

    const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TooLong | Self::Died)
    }
}

/// What a home remembers of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The expression with its zone, to notice a change.
    pub expression: String,
    /// Nothing before this counts as missed.
    pub since: Timestamp,
    /// The last fire that was decided for, whether it ran or was left out.
    pub last_fired: Option<Timestamp>,
    /// When the last run began and ended.
    pub started: Option<Timestamp>,
    /// `None` while it runs, or if its end is not known.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When a run last ended with tables.
    pub succeeded: Option<Timestamp>,
    /// Whether it waits to be continued.
    pub is_unfinished: bool,
    /// Failed runs in a row.
    pub failures: u32,
    /// Since when nothing is started.
    pub paused_at: Option<Timestamp>,
    /// When the next run starts, for those who look.
    pub next_start: Option<Timestamp>,
    /// What lay in the future when it was last looked at; `None` = nothing, or it was set back and a run succeeded since, or
    /// somebody resumed.
    pub ahead: Option<Ahead>,
}

/// The clock stood ahead: an instant of the memory lies in the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// The instant.
    pub until: Timestamp,
    /// Whether a run started for it, so that nothing starts before; else it was set back.
    pub is_held: bool,
}

impl State {
    /// Of a schedule that is seen for the first time; fires within `slack` before now are still due.
    pub fn new(spec: &Spec, now: Timestamp, slack: SignedDuration) -> Self {
        Self {
            expression: spec.expression().to_string(),
            since: now.checked_sub(slack).unwrap_or(now),
            last_fired: None,
            started: None,
            ended: None,
            outcome: None,
            succeeded: None,
            is_unfinished: false,
            failures: 0,
            paused_at: None,
            next_start: None,
            ahead: None,
        }
    }

    /// A changed expression holds from now on: what the one before named and did not start is left out. Another spelling is no
    /// change.
    pub fn adopt(&mut self, spec: &Spec, now: Timestamp) -> Vec<Lost> {
        let written = spec.expression().to_string();
        if self.expression == written {
            return Vec::new();
        }
        let before = Expression::from_written(&self.expression);
        self.expression = written;
        if before.as_ref() == Some(spec.expression()) {
            return Vec::new();
        }
        let before = before.map(|before| spec.with_expression(before));
        let left_out = before.map(|before| lost(&before, self.base(), now, |_| Some(LeftOut::Edited)));
        self.since = self.since.max(now);
        left_out.unwrap_or_default()
    }

    /// What of it lies in the future, beyond what clocks are set back by day by day: a schedule would stand still until then. A
    /// fire for which a run started is told as held, for it must not start again.
    pub fn ahead(&self, spec: &Spec, now: Timestamp) -> Option<Ahead> {
        let until = Some(self.base()).filter(|base| is_ahead(*base, now))?;
        let held = self.last_started(spec).filter(|fire| is_ahead(*fire, now));
        Some(held.map_or(Ahead { until, is_held: false }, |until| Ahead { until, is_held: true }))
    }

    /// Sets back what a clock that stood ahead has left, but never before a fire for which a run started; tells what is new.
    pub fn set_back(&mut self, spec: &Spec, now: Timestamp, slack: SignedDuration) -> Option<Ahead> {
        // An alert on the age of the last success must not sleep until a time that is still to come.
        self.succeeded = self.succeeded.map(|at| if is_ahead(at, now) { now } else { at });
        let Some(ahead) = self.ahead(spec, now) else {
            self.ahead = self.ahead.filter(|ahead| !ahead.is_held);
            return None;
        };
        let is_new = self.ahead != Some(ahead);
        self.ahead = Some(ahead);
        self.last_fired = self.last_started(spec);
        if self.since > now {
            // As of a schedule that is seen for the first time.
            self.since = now.checked_sub(slack).unwrap_or(now);
        }
        is_new.then_some(ahead)
    }

    /// The last fire for which a run can have started: none starts before its fire.
    fn last_started(&self, spec: &Spec) -> Option<Timestamp> {
        let started = self.started.filter(|_| self.last_fired.is_some())?;
        let expression = Expression::from_written(&self.expression);
        let last = expression.as_ref().unwrap_or(spec.expression()).previous(started)?;
        self.last_fired.map(|fired| fired.min(last))
    }

    /// Nothing can run now that this process looks: a run without an end was cut off.
    pub fn recover(&mut self, spec: &Spec, now: Timestamp) -> bool {
        let was_running = self.outcome == Some(Outcome::Running);
        if was_running {
            self.end(spec, Outcome::Died, now);
            self.ended = None;
        }
        was_running
    }

    /// A run starts.
    pub fn start(&mut self, fire: Timestamp, now: Timestamp) {
        self.pass(fire);
        (self.started, self.ended, self.outcome) = (Some(now), None, Some(Outcome::Running));
        self.is_unfinished = true;
    }

    /// Fires up to this one are dealt with.
    pub fn pass(&mut self, fire: Timestamp) {
        self.last_fired = Some(self.last_fired.map_or(fire, |last| last.max(fire)));
    }

    /// A run has ended.
    pub fn end(&mut self, spec: &Spec, outcome: Outcome, now: Timestamp) {
        (self.ended, self.outcome) = (Some(now), Some(outcome));
        if outcome.is_success() {
            self.succeeded = Some(now);
            self.ahead = self.ahead.filter(|ahead| ahead.is_held);
        }
        self.is_unfinished = matches!(outcome, Outcome::Stopped | Outcome::Died);
        if outcome.is_failure() {
            self.failures += 1;
            if self.failures >= spec.pause_after() {
                self.paused_at.get_or_insert(now);
            }
        } else if !self.is_unfinished {
            self.failures = 0;
        }
    }

    /// Somebody has looked: whether it was paused, or stood still for a clock that had been ahead.
    pub fn resume(&mut self, now: Timestamp) -> bool {
        self.failures = 0;
        let was_held = is_ahead(self.base(), now);
        if was_held {
            (self.since, self.last_fired, self.is_unfinished) = (now, None, false);
            // What comes due while that run is said to have gone on was not due during a run.
            (self.started, self.ended) = (self.started.map(|at| at.min(now)), self.ended.map(|at| at.min(now)));
        }
        self.ahead = None;
        self.paused_at.take().is_some() || was_held
    }

    /// Fires up to this instant are dealt with.
    pub fn base(&self) -> Timestamp {
        self.last_fired.map_or(self.since, |last| last.max(self.since))
    }

    /// Whether the run before had not ended when this one was to start.
    pub fn overlapped(&self, start: Timestamp) -> bool {
        self.started.zip(self.ended).is_some_and(|span| within(start, span))
    }
}

/// Whether an instant lies in the future, by more than clocks are set back day by day.
fn is_ahead(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) > ON_TIME
}

/// Whether an instant lies in a stretch, its begin not counted.
pub(super) fn within(at: Timestamp, (from, to): (Timestamp, Timestamp)) -> bool {
    from < at && at <= to
}
