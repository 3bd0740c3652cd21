//! The scheduler of a home: looks at its pipelines' schedules, starts what is due, and remembers it.
//!
//! Invariant: one scheduler a home, one run at a time in it; a fire is on the disk before its run starts, so a fire
//! that was cut off is continued and never taken for a new one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::decide::{ON_TIME, Spec, Then, Why, just_before, settle};
use super::event::{Event, Listener, Whose};
use super::files::Room;
use super::homes::{Opened, Sick};
use super::lost::{LeftOut, Lost, lost};
use super::running::{self, BEAT, Sign};
use super::state::{Ahead, Outcome, State};
use super::store::{Heartbeat, Store, StoreError};
use crate::config::Overlap;
use crate::consent::gate::Clock;
use crate::fetch::{Cancel, CancelHandle};
use crate::run::engine::{Options, RunError, World};
use crate::sink::{HomeLock, LockError};

/// How long a run waits before it asks again whether the home is free.
const PATIENCE: Duration = Duration::from_secs(5);

/// The shortest sleep, where a clock says that nothing is due and nothing is to be waited for.
const LEAST: Duration = Duration::from_millis(20);

/// Why a home cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A pipeline file, the home, or a lock.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its memory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was there.
    #[error("{0} is gone, or another was put in its place")]
    Gone(PathBuf),
}

/// What comes from outside.
#[derive(Clone)]
pub struct Around {
    /// The wall clock.
    pub wall: Clock,
    /// Stops everything when raised.
    pub stop: Arc<CancelHandle>,
    /// Told of what happens.
    pub listener: Arc<dyn Listener>,
}

/// The scheduler of a home.
pub struct Keeper {
    room: Room,
    store: Store,
    around: Around,
    stop: Cancel,
    /// How far back a fire counts that comes before the schedule was ever seen.
    slack: SignedDuration,
    /// The stretch in which runs of other pipelines kept the home.
    held: Option<(Timestamp, Timestamp)>,
    _lock: HomeLock,
}

/// A run that is due.
struct Due {
    index: usize,
    fire: Timestamp,
    why: Why,
}

/// Whether a run can have the home.
enum Free {
    Yes,
    No(Event),
    Stopped,
}

impl Keeper {
    /// Begins to keep a home.
    pub(super) fn open(mut room: Room, around: &Around) -> Opened {
        let opened = || {
            room.open((around.wall)())?;
            let lock = HomeLock::acquire_for_schedule(&room.home).map_err(RunError::from)?;
            Ok((lock, Store::open(&room.home)?))
        };
        let (lock, store) = match opened() {
            Ok(opened) => opened,
            Err(error) => return Err(Box::new(Sick { room, error })),
        };
        room.kept.iter_mut().for_each(|kept| kept.told = None);
        let (around, stop) = (around.clone(), around.stop.flag());
        Ok(Self { room, store, around, stop, slack: SignedDuration::ZERO, held: None, _lock: lock })
    }

    fn give_up(self, error: ScheduleError) -> Box<Sick> {
        // It may be what fails; then its age tells that nobody is there.
        let _ = self.store.stop_beating();
        Box::new(Sick { room: self.room, error })
    }

    /// Keeps the schedules of the home until somebody stops it, and then says whether that is in its memory.
    pub(super) async fn keep(mut self) -> Result<Result<(), ScheduleError>, Box<Sick>> {
        match self.keep_on().await {
            Ok(()) => Ok(self.store.stop_beating().map_err(ScheduleError::from)),
            Err(error) => Err(self.give_up(error)),
        }
    }

    async fn keep_on(&mut self) -> Result<(), ScheduleError> {
        self.recover()?;
        while !self.stop.is_cancelled() {
            let now = (self.around.wall)();
            if !self.room.home.join("home.json").exists() || !self.store.is_in_place() {
                return Err(ScheduleError::Gone(self.room.home.clone()));
            }
            self.beat(now)?;
            (0..self.room.kept.len()).for_each(|index| self.reload(index, now));
            let (due, wake) = self.look(now)?;
            if let Some(due) = due {
                self.start(&due).await?;
                self.hold(now);
                continue;
            }
            let until = wake.and_then(|wake| wake.duration_since(now).try_into().ok()).unwrap_or(BEAT);
            let stop = self.stop.clone();
            tokio::select! {
                () = sleep(until.clamp(LEAST, BEAT)) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }

    /// Runs what is due now, and tells how each pipeline stands.
    ///
    /// # Errors
    /// The memory of the home cannot be read or written.
    pub async fn once(mut self) -> Result<Vec<(Whose, Event)>, Box<Sick>> {
        self.slack = ON_TIME;
        let ended = self.run_due().await;
        match self.store.stop_beating().map_err(ScheduleError::from).and(ended) {
            Ok(ended) => Ok(ended),
            Err(error) => Err(self.give_up(error)),
        }
    }

    async fn run_due(&mut self) -> Result<Vec<(Whose, Event)>, ScheduleError> {
        self.recover()?;
        let mut now = (self.around.wall)();
        let mut ended: Vec<(Whose, Event)> = Vec::new();
        while let (Some(due), false) = (self.look(now)?.0, self.stop.is_cancelled()) {
            let begin = now;
            match self.start(&due).await? {
                Some(event) => ended.push((self.whose(due.index), event)),
                // What does not hold any more, after it has waited, is decided for as of then.
                None => now = (self.around.wall)(),
            }
            self.hold(begin);
        }
        for index in 0..self.room.kept.len() {
            let whose = self.whose(index);
            if ended.iter().any(|(ended, _)| *ended == whose) {
                continue;
            }
            let Some(state) = self.store.state(&whose.pipeline)? else { continue };
            ended.push((whose, stands(&state)));
        }
        Ok(ended)
    }

    /// Runs that an earlier process left behind are over.
    fn recover(&mut self) -> Result<(), ScheduleError> {
        let now = (self.around.wall)();
        for index in 0..self.room.kept.len() {
            let (state, has_died) = self.update(index, now, |spec, state| state.recover(spec, now))?;
            if has_died {
                self.tell(index, &Event::Died);
                self.tell_pause(index, &state, now);
            }
        }
        Ok(())
    }

    /// Takes over a pipeline file, or a policy, that has changed.
    fn reload(&mut self, index: usize, now: Timestamp) {
        match self.room.kept[index].reload(now) {
            Some(Ok(())) => self.tell(index, &Event::Reloaded),
            Some(Err(message)) => self.tell(index, &Event::Unreadable(message)),
            None => {}
        }
    }

    /// Decides for all pipelines: the run whose start came first, and else when to look again.
    fn look(&mut self, now: Timestamp) -> Result<(Option<Due>, Option<Timestamp>), ScheduleError> {
        let (mut due, mut wake): (Option<(Timestamp, Due)>, Option<Timestamp>) = (None, None);
        for index in 0..self.room.kept.len() {
            let (held, slack, has_mistakes) = (self.held, self.slack, self.room.kept[index].has_mistakes);
            let (state, (ahead, decision)) =
                self.update(index, now, |spec, state| settle(spec, state, (held, has_mistakes), (now, slack)))?;
            if let Some(Ahead { until, is_held }) = ahead {
                self.tell(index, &Event::ClockAhead { until, is_held });
            }
            self.tell_left_out(index, &decision.left_out);
            match decision.then {
                Then::Start(fire, why) => {
                    let start = self.room.kept[index].spec.start_of(fire);
                    if due.as_ref().is_none_or(|(first, _)| start < *first) {
                        due = Some((start, Due { index, fire, why }));
                    }
                    continue;
                }
                Then::Wait(Some((_, start))) => wake = Some(wake.map_or(start, |wake| wake.min(start))),
                Then::Wait(None) | Then::Paused => {}
            }
            let told = (state.paused_at.is_some(), state.next_start);
            if self.room.kept[index].told != Some(told) {
                self.room.kept[index].told = Some(told);
                let stands = stands(&state);
                if !matches!(stands, Event::ClockAhead { .. }) || ahead.is_none() {
                    self.tell(index, &stands);
                }
            }
        }
        Ok((due.map(|(_, due)| due), wake))
    }

    /// Runs one fire to its end; `None` = somebody stopped it before it began, or it does not hold any more.
    async fn start(&mut self, due: &Due) -> Result<Option<Event>, ScheduleError> {
        let index = due.index;
        match self.free_home(index).await? {
            Free::Yes => {}
            Free::Stopped => return Ok(None),
            Free::No(event) => {
                let now = (self.around.wall)();
                let (_, before) = self.update(index, now, |spec, state| {
                    // With `latest` this run would have made up for them.
                    let before = lost(spec, state.base(), just_before(due.fire), |_| Some(LeftOut::Missed));
                    state.pass(due.fire);
                    state.is_unfinished = false;
                    before
                })?;
                self.tell_left_out(index, &before);
                self.tell(index, &event);
                return Ok(Some(event));
            }
        }
        // It may have waited for hours.
        let now = (self.around.wall)();
        let expression = self.room.kept[index].spec.expression().clone();
        self.reload(index, now);
        let kept = &self.room.kept[index];
        // What does not hold any more is decided for anew.
        if kept.has_mistakes || *kept.spec.expression() != expression || kept.spec.is_blackout(now) {
            return Ok(None);
        }
        self.update(index, now, |_, state| state.start(due.fire, now))?;
        self.tell(index, &Event::Started(due.fire, due.why));
        let event = self.run(index).await;
        let outcome = match &event {
            Event::Ended(outcome, _) | Event::Failed(outcome, _) => *outcome,
            _ => Outcome::Failed,
        };
        let now = (self.around.wall)();
        let (state, ()) = self.update(index, now, |spec, state| state.end(spec, outcome, now))?;
        self.room.kept[index].told = None;
        self.tell(index, &event);
        self.tell_pause(index, &state, now);
        Ok(Some(event))
    }

    async fn run(&self, index: usize) -> Event {
        let kept = &self.room.kept[index];
        let cancel = CancelHandle::new();
        let listener = &self.around.listener;
        let world = World { wall: Arc::clone(&self.around.wall), cancel: cancel.flag(), observer: listener.observer() };
        let options = Options { out: Some(self.room.home.clone()), ..Options::default() };
        let work = running::start(kept.file.clone(), options, world);
        let limit = kept.spec.max_duration();
        let sign = |sign| match sign {
            // A sign of life that cannot be written must not end a run that can.
            Sign::Alive => drop(self.beat((self.around.wall)())),
            Sign::Late => self.tell(index, &Event::TooLong(limit.as_secs() / 60)),
        };
        let (ended, is_late) = running::limited(work, limit, &cancel, &self.stop, sign).await;
        match ended {
            Ok(summary) if summary.outcome == "completed_with_dead_letters" => {
                Event::Ended(Outcome::DeadLetters, Some(Box::new(summary)))
            }
            Ok(summary) => Event::Ended(Outcome::Completed, Some(Box::new(summary))),
            Err(error) => Event::Failed(Outcome::of(&error, is_late), Box::new(error)),
        }
    }

    /// Waits for the home, where the pipeline says so, while another process works in it.
    async fn free_home(&self, index: usize) -> Result<Free, ScheduleError> {
        let mut is_told = false;
        loop {
            let message = match HomeLock::acquire(&self.room.home) {
                Ok(_) => return Ok(Free::Yes),
                Err(held @ LockError::Held { .. }) => held.to_string(),
                Err(other) => return Err(RunError::from(other).into()),
            };
            let is_waiting = self.room.kept[index].spec.overlap() == Overlap::Queue;
            let busy = Event::Busy { is_waiting, message };
            if !is_waiting {
                return Ok(Free::No(busy));
            }
            if !is_told {
                self.tell(index, &busy);
                is_told = true;
            }
            self.beat((self.around.wall)())?;
            let stop = self.stop.clone();
            tokio::select! {
                () = sleep(PATIENCE) => {}
                () = stop.cancelled() => return Ok(Free::Stopped),
            }
        }
    }

    /// The home was kept from `begin` to now; stretches that follow each other are one.
    fn hold(&mut self, begin: Timestamp) {
        let before = self.held.filter(|(_, end)| begin.duration_since(*end) < SignedDuration::from_mins(1));
        self.held = Some((before.map_or(begin, |(first, _)| first), (self.around.wall)()));
    }

    fn update<T>(
        &mut self,
        index: usize,
        now: Timestamp,
        change: impl FnOnce(&Spec, &mut State) -> T,
    ) -> Result<(State, T), StoreError> {
        let spec = &self.room.kept[index].spec;
        let first = || State::new(spec, now, self.slack);
        let (state, told) = self.store.update(spec.name(), first, |state| change(spec, state))?;
        self.around.listener.stands(&self.whose(index), &state);
        Ok((state, told))
    }

    fn beat(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.beat(Heartbeat { pid: std::process::id(), at: now })
    }

    fn tell(&self, index: usize, event: &Event) {
        self.around.listener.tell(&self.whose(index), event);
    }

    fn tell_left_out(&self, index: usize, all: &[Lost]) {
        for lost in all {
            self.tell(index, &Event::LeftOut(*lost));
        }
    }

    fn whose(&self, index: usize) -> Whose {
        self.room.whose(&self.room.kept[index])
    }

    fn tell_pause(&mut self, index: usize, state: &State, now: Timestamp) {
        if state.paused_at == Some(now) {
            self.tell(index, &Event::Paused(state.failures));
            self.room.kept[index].told = Some((true, None));
        }
    }
}

/// How a schedule stands between its runs.
fn stands(state: &State) -> Event {
    match (state.paused_at, state.ahead) {
        (Some(_), _) => Event::Paused(state.failures),
        (None, Some(Ahead { until, is_held: true })) => Event::ClockAhead { until, is_held: true },
        (None, _) => Event::Waiting(state.next_start),
    }
}
