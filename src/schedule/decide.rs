//! From schedule, state and clock to what is to be done now.
//!
//! Invariant: pure and total. A fire is never decided for twice: every one decided for is later than the last. Nothing
//! starts on a blackout day, nothing is made up for beyond the window, and a changed expression starts from now on.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::cron::Expression;
use super::lost::{LeftOut, Lost, lost};
use super::state::{Ahead, State, within};
use crate::config::{self, CatchUp, Overlap};

/// How late a start still counts as being on time: timers and clusters come to call minutes late.
pub const ON_TIME: SignedDuration = SignedDuration::from_mins(15);

/// The schedule of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    name: String,
    expression: Expression,
    catch_up: CatchUp,
    window: SignedDuration,
    overlap: Overlap,
    jitter: u64,
    max_duration: Duration,
    pause_after: u32,
    blackout: Vec<Date>,
}

/// Why a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its time has come.
    OnTime,
    /// It was missed, or had to wait.
    CaughtUp,
    /// It was stopped before its end.
    Continued,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing until somebody resumes.
    Paused,
    /// A run for this fire starts now.
    Start(Timestamp, Why),
    /// A run for a fire starts later: fire and start.
    Wait(Option<(Timestamp, Timestamp)>),
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Fires that are left out, in their order; they are all dealt with up to the last.
    pub left_out: Vec<Lost>,
    /// And then.
    pub then: Then,
}

impl Spec {
    /// The schedule of a pipeline of this name.
    pub fn new(name: &str, schedule: &config::Schedule) -> Self {
        let mut blackout = schedule.blackout_days.clone();
        blackout.sort_unstable();
        Self {
            name: name.to_owned(),
            expression: schedule.expression.clone(),
            catch_up: schedule.catch_up,
            window: SignedDuration::from_hours(i64::from(schedule.catch_up_window_hours)),
            overlap: schedule.overlap,
            jitter: u64::from(schedule.jitter_seconds),
            max_duration: Duration::from_secs(u64::from(schedule.max_duration_minutes) * 60),
            pause_after: schedule.pause_after_failures,
            blackout,
        }
    }

    /// The pipeline's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The expression in its zone.
    pub const fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The same with another expression.
    pub(super) fn with_expression(&self, expression: Expression) -> Self {
        Self { expression, ..self.clone() }
    }

    /// What happens when the run before has not ended.
    pub const fn overlap(&self) -> Overlap {
        self.overlap
    }

    /// How long a run may take.
    pub const fn max_duration(&self) -> Duration {
        self.max_duration
    }

    /// Whether no run makes up for several fires.
    #[cfg(test)]
    pub(super) fn is_each_by_itself(&self) -> bool {
        self.catch_up != CatchUp::Latest
    }

    /// After how many failed runs in a row nothing starts any more.
    pub const fn pause_after(&self) -> u32 {
        self.pause_after
    }

    /// When the run of a fire starts: later by a delay that is fixed for each fire, and always before the next fire. No delay
    /// leads from a day with runs into a day without.
    pub fn start_of(&self, fire: Timestamp) -> Timestamp {
        if self.jitter == 0 {
            return fire;
        }
        let seconds = |until: Timestamp| u64::try_from(until.duration_since(fire).as_secs()).unwrap_or(0);
        let room = self.expression.next(fire).map_or(u64::MAX, seconds);
        let start = self.delayed(fire, room);
        if self.is_blackout(fire) || !self.is_blackout(start) {
            return start;
        }
        self.next_blackout(fire).map_or(fire, |begin| self.delayed(fire, room.min(seconds(begin))))
    }

    /// A fire with its delay, which is shorter than so many seconds.
    fn delayed(&self, fire: Timestamp, room: u64) -> Timestamp {
        let most = self.jitter.min(room.saturating_sub(1));
        let hash = Sha256::new().chain_update(&self.name).chain_update(fire.as_second().to_be_bytes()).finalize();
        let drawn = hash.iter().take(8).fold(0, |number: u64, byte| (number << 8) | u64::from(*byte)) % (most + 1);
        fire.checked_add(SignedDuration::from_secs(drawn as i64)).unwrap_or(fire)
    }

    /// When the first blackout day after that of an instant begins.
    fn next_blackout(&self, at: Timestamp) -> Option<Timestamp> {
        let today = self.expression.day(at);
        let day = self.blackout.get(self.blackout.partition_point(|day| *day <= today))?;
        self.expression.begin_of(*day)
    }

    /// Whether an instant lies on a day without runs.
    pub fn is_blackout(&self, at: Timestamp) -> bool {
        !self.blackout.is_empty() && self.blackout.binary_search(&self.expression.day(at)).is_ok()
    }

    /// Whether a fire may start a run, unless it has to wait.
    pub fn is_eligible(&self, fire: Timestamp) -> bool {
        !self.is_blackout(fire)
    }

    /// The first fire after an instant that may start a run.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let mut fire = self.expression.next(after)?;
        while !self.is_eligible(fire) {
            let from = just_before(self.end_of_day(fire)?);
            fire = self.expression.next(from.max(fire))?;
        }
        Some(fire)
    }

    /// The last fire after `base` whose start has come and that may start a run.
    fn newest(&self, base: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.newest_where(base, now, |fire| self.start_of(fire) <= now)
    }

    /// The last fire later than `base` and not later than `at` that may start a run and is wanted.
    pub(super) fn newest_where(
        &self,
        base: Timestamp,
        mut at: Timestamp,
        is_wanted: impl Fn(Timestamp) -> bool,
    ) -> Option<Timestamp> {
        loop {
            let fire = self.expression.previous(at).filter(|fire| *fire > base)?;
            if is_wanted(fire) && self.is_eligible(fire) {
                return Some(fire);
            }
            let day = self.expression.begin_of(self.expression.day(fire)).filter(|_| self.is_blackout(fire));
            at = just_before(day.map_or(fire, |day| day.min(fire)));
        }
    }

    /// The end of the day of an instant.
    fn end_of_day(&self, at: Timestamp) -> Option<Timestamp> {
        self.expression.begin_of(self.expression.day(at).tomorrow().ok()?).filter(|end| *end > at)
    }

    /// The end of the blackout that an instant lies in.
    fn end_of_blackout(&self, at: Timestamp) -> Option<Timestamp> {
        let mut end = self.end_of_day(at)?;
        while self.is_blackout(end) {
            end = self.end_of_day(end)?;
        }
        Some(end)
    }
}

/// The last instant before another.
pub(super) fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(at)
}

/// Decides; `held` is the stretch in which other work kept the home.
pub fn decide(spec: &Spec, state: &State, held: Option<(Timestamp, Timestamp)>, now: Timestamp) -> Decision {
    Deciding { spec, state, held, now }.decide()
}

/// Decides, and brings the memory in line; tells, too, what a clock that stood ahead has left in it.
pub(super) fn settle(
    spec: &Spec,
    state: &mut State,
    (held, has_mistakes): (Option<(Timestamp, Timestamp)>, bool),
    (now, slack): (Timestamp, SignedDuration),
) -> (Option<Ahead>, Decision) {
    let ahead = state.set_back(spec, now, slack);
    let edited = state.adopt(spec, now);
    let mut decision =
        if has_mistakes { decide_without_file(spec, state, now) } else { decide(spec, state, held, now) };
    if let Some(last) = decision.left_out.last() {
        state.pass(last.last);
    }
    decision.left_out.splice(0..0, edited);
    state.next_start = match decision.then {
        Then::Start(..) => Some(now),
        Then::Wait(next) => next.map(|(_, start)| start),
        Then::Paused => None,
    };
    (ahead, decision)
}

/// Decides while the pipeline file or its policy has mistakes: what is due is left out, and a run that was stopped waits.
pub fn decide_without_file(spec: &Spec, state: &State, now: Timestamp) -> Decision {
    let Decision { mut left_out, then } = decide(spec, state, None, now);
    match then {
        Then::Paused => return Decision { left_out, then },
        Then::Start(_, why) if why != Why::Continued => {
            let newest = spec.newest(state.base(), now).unwrap_or_else(|| state.base());
            left_out.extend(lost(spec, end(&left_out, state), newest, |_| Some(LeftOut::Mistakes)));
        }
        _ => {}
    }
    let next = spec.next(end(&left_out, state)).map(|fire| (fire, spec.start_of(fire)));
    Decision { left_out, then: Then::Wait(next) }
}

/// All fires up to this instant are dealt with.
fn end(left_out: &[Lost], state: &State) -> Timestamp {
    left_out.last().map_or(state.base(), |lost| lost.last.max(state.base()))
}

struct Deciding<'a> {
    spec: &'a Spec,
    state: &'a State,
    held: Option<(Timestamp, Timestamp)>,
    now: Timestamp,
}

impl Deciding<'_> {
    fn decide(&self) -> Decision {
        if self.state.paused_at.is_some() {
            return Decision { left_out: Vec::new(), then: Then::Paused };
        }
        let (left_out, due) = match self.spec.catch_up {
            CatchUp::All => self.oldest(),
            CatchUp::Skip | CatchUp::Latest => self.newest(),
        };
        let Some((fire, why)) = due.or_else(|| self.unfinished()) else {
            let next = self.spec.next(end(&left_out, self.state)).map(|fire| (fire, self.spec.start_of(fire)));
            return Decision { left_out, then: Then::Wait(next) };
        };
        let then = if self.spec.is_blackout(self.now) {
            Then::Wait(self.spec.end_of_blackout(self.now).map(|end| (fire, end)))
        } else {
            Then::Start(fire, why)
        };
        Decision { left_out, then }
    }

    /// The newest fire that is due; with `latest` it makes up for the older ones, but for those during a run.
    fn newest(&self) -> (Vec<Lost>, Option<(Timestamp, Why)>) {
        let base = self.state.base();
        let Some(fire) = self.spec.newest(base, self.now) else { return (Vec::new(), None) };
        let is_made_up_for = self.spec.catch_up == CatchUp::Latest;
        let is_in_time = if is_made_up_for { self.is_within_window(fire) } else { self.is_on_time(fire) };
        if self.is_left_out_for_overlap(fire) || !is_in_time {
            return (lost(self.spec, base, fire, |fire| Some(self.why_left_out(fire))), None);
        }
        let why = self.why(fire);
        let before = just_before(fire);
        let left_out = if is_made_up_for {
            let (from, to) = self.during_run().unwrap_or((fire, fire));
            let is_lost = |fire| self.is_left_out_for_overlap(fire).then_some(LeftOut::Overlap);
            lost(self.spec, base.max(from), before.min(to), is_lost)
        } else {
            lost(self.spec, base, before, |fire| Some(self.why_left_out(fire)))
        };
        (left_out, Some((fire, why)))
    }

    /// The oldest fire that is due and within the window.
    fn oldest(&self) -> (Vec<Lost>, Option<(Timestamp, Why)>) {
        if let Some(unfinished) = self.unfinished() {
            return (Vec::new(), Some(unfinished));
        }
        let base = self.state.base();
        let mut from = base.max(just_before(self.now.checked_sub(self.spec.window).unwrap_or(base)));
        let due = loop {
            let fire = self.spec.next(from).filter(|fire| self.spec.start_of(*fire) <= self.now);
            match fire {
                Some(fire) if self.is_left_out_for_overlap(fire) => from = fire,
                due => break due,
            }
        };
        let left_out = lost(self.spec, base, from, |fire| Some(self.why_left_out(fire)));
        (left_out, due.map(|fire| (fire, self.why(fire))))
    }

    /// Fires during the last run lie between these.
    fn during_run(&self) -> Option<(Timestamp, Timestamp)> {
        let (started, ended) = self.state.started.zip(self.state.ended)?;
        Some((started.checked_sub(SignedDuration::from_secs(self.spec.jitter as i64 + 1)).ok()?, ended))
    }

    fn why_left_out(&self, fire: Timestamp) -> LeftOut {
        if self.is_left_out_for_overlap(fire) { LeftOut::Overlap } else { LeftOut::Missed }
    }

    /// The run that was stopped before its end, where it is made up for.
    fn unfinished(&self) -> Option<(Timestamp, Why)> {
        let fire = self.state.last_fired.filter(|_| self.state.is_unfinished)?;
        let is_due = self.spec.catch_up != CatchUp::Skip && self.is_within_window(fire);
        is_due.then_some((fire, Why::Continued))
    }

    fn is_left_out_for_overlap(&self, fire: Timestamp) -> bool {
        self.spec.overlap == Overlap::Skip && self.state.overlapped(self.spec.start_of(fire))
    }

    fn is_within_window(&self, fire: Timestamp) -> bool {
        self.now.duration_since(fire) <= self.spec.window
    }

    /// Whether it starts on time, or as soon as it could.
    fn is_on_time(&self, fire: Timestamp) -> bool {
        let start = self.spec.start_of(fire);
        let own = self.state.started.zip(self.state.ended).filter(|_| self.spec.overlap == Overlap::Queue);
        let waited =
            [own, self.held].into_iter().flatten().filter(|span| within(start, *span)).map(|(_, end)| end).max();
        self.is_within_window(fire) && self.now.duration_since(waited.unwrap_or(start)) <= ON_TIME
    }

    fn why(&self, fire: Timestamp) -> Why {
        let is_late = self.now.duration_since(self.spec.start_of(fire)) > ON_TIME;
        if is_late { Why::CaughtUp } else { Why::OnTime }
    }
}
