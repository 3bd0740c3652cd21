//! The pipeline files of a scheduler, and the homes they name.
//!
//! Invariant: a scheduler starts only with files that a run could use, the policies among them; a file that is changed later
//! is taken over when it has no mistake, and nothing runs by it until then.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;

use super::decide::Spec;
use super::event::Whose;
use crate::config::{self, Diagnostic, Network, Plan, Position};
use crate::run::agree;
use crate::run::engine::{self, Options, RunError};
use crate::run::home::Home;
use crate::sink::HomeLock;

/// A home, and the pipelines that are kept in it.
pub struct Room {
    /// Its folder.
    pub home: PathBuf,
    /// Which of several it is.
    pub(super) number: Option<usize>,
    /// At least one.
    pub(super) kept: Vec<Kept>,
}

/// A pipeline that is kept.
pub(super) struct Kept {
    /// Its file.
    pub file: PathBuf,
    /// Its schedule.
    pub spec: Spec,
    /// What was last told: whether it is paused, and its next start.
    pub told: Option<(bool, Option<Timestamp>)>,
    /// Whether its file, or its policy, cannot be used as it is now.
    pub has_mistakes: bool,
    plan: Plan,
    /// The policy and all else that its file names beside the exports.
    beside: Vec<PathBuf>,
    seen: Seen,
}

/// How the files of a pipeline were when they were read.
#[derive(PartialEq, Eq)]
struct Seen {
    pipeline: Option<Stamp>,
    beside: Vec<Option<Stamp>>,
    /// An approval holds from a day on, and nobody touches the file on that day.
    day: Date,
}

/// When a file was changed, and its length.
type Stamp = (SystemTime, u64);

impl Seen {
    fn now(file: &Path, beside: &[PathBuf], now: Timestamp) -> Self {
        Self { pipeline: stamp(file), beside: beside.iter().map(|file| stamp(file)).collect(), day: agree::day(now) }
    }
}

impl Kept {
    fn new(file: &Path, (plan, spec): (Plan, Spec), now: Timestamp) -> Self {
        let beside = agree::files_beside(&plan);
        let seen = Seen::now(file, &beside, now);
        Self { file: file.to_owned(), spec, told: None, has_mistakes: false, plan, beside, seen }
    }

    /// Reads the files anew if one has changed: `None` = none has, or they mean the same.
    pub fn reload(&mut self, now: Timestamp) -> Option<Result<(), String>> {
        let seen = Seen::now(&self.file, &self.beside, now);
        if seen == self.seen {
            return None;
        }
        self.seen = seen;
        let had_mistakes = self.has_mistakes;
        let read = self.read(now);
        self.has_mistakes = read.is_err();
        match read {
            Ok(is_other) => (is_other || had_mistakes).then_some(Ok(())),
            Err(message) => Some(Err(message)),
        }
    }

    /// Takes over what the files say; whether the schedule is another one.
    fn read(&mut self, now: Timestamp) -> Result<bool, String> {
        let first = |mistakes: Vec<Diagnostic>| mistakes.first().map(ToString::to_string).unwrap_or_default();
        let (plan, spec) = schedule_of(&self.file).map_err(first)?;
        if plan.name() != self.spec.name() {
            // Its tables would go elsewhere, beside a memory that is not theirs.
            let (file, name) = (self.file.display(), self.spec.name());
            return Err(format!("{file}: the pipeline was called {name} when the scheduler started: start it anew"));
        }
        engine::check_served(&plan, &Options::default()).map_err(|error| error.to_string())?;
        // Looked at from now on even if it cannot be used: whoever mends it touches nothing else.
        self.beside = agree::files_beside(&plan);
        self.seen.beside = Seen::now(&self.file, &self.beside, now).beside;
        agree::usable(&plan, now).map_err(first)?;
        let is_other = spec != self.spec;
        (self.plan, self.spec) = (plan, spec);
        Ok(is_other)
    }
}

impl Room {
    /// Whose schedule a pipeline of this home is.
    pub(super) fn whose(&self, kept: &Kept) -> Whose {
        Whose { pipeline: kept.spec.name().to_owned(), home: self.number }
    }

    /// Opens the home as a run would: only a demo pipeline makes one.
    pub(super) fn open(&self, now: Timestamp) -> Result<(), RunError> {
        self.kept.iter().try_for_each(|kept| open_home(&self.home, &kept.plan, now))
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let facts = std::fs::metadata(file).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

/// Reads the schedule of a pipeline file.
///
/// # Errors
/// Every mistake of the file; it has no `schedule`.
pub fn schedule_of(file: &Path) -> Result<(Plan, Spec), Vec<Diagnostic>> {
    let plan = config::load_settings(file)?;
    let Some(schedule) = plan.schedule() else {
        let example = "write for instance `schedule: { cron: \"15 2 * * *\", time_zone: Europe/Berlin }`";
        let name = file.display().to_string();
        let missing = Diagnostic::error(&name, Position::START, "the pipeline has no `schedule`");
        return Err(vec![missing.with_help(Some(example))]);
    };
    let spec = Spec::new(plan.name(), schedule);
    Ok((plan, spec))
}

/// Reads the files, and what they name beside the exports; no home is touched.
pub(super) fn rooms(files: &[PathBuf], out: Option<&Path>, now: Timestamp) -> Result<Vec<Room>, RunError> {
    let (mut plans, mut mistakes, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for file in files {
        match schedule_of(file) {
            Ok((plan, spec)) => {
                let home = out.map_or_else(|| plan.output().home.clone(), Path::to_owned);
                let home = std::path::absolute(&home).unwrap_or(home);
                if !seen.insert((home.clone(), plan.name().to_owned())) {
                    let name = file.display().to_string();
                    let twice = format!("another pipeline of this home has the name {:?} too", plan.name());
                    mistakes.push(Diagnostic::error(&name, Position::START, twice));
                }
                mistakes.extend(agree::usable(&plan, now).err().unwrap_or_default());
                plans.push((home, file, plan, spec));
            }
            Err(more) => mistakes.extend(more),
        }
    }
    if !mistakes.is_empty() {
        return Err(RunError::Config(mistakes));
    }
    let mut homes: Vec<Room> = Vec::new();
    for (home, file, plan, spec) in plans {
        engine::check_served(&plan, &Options::default())?;
        let kept = Kept::new(file, (plan, spec), now);
        match homes.iter_mut().find(|room| room.home == home) {
            Some(room) => room.kept.push(kept),
            None => homes.push(Room { home, number: None, kept: vec![kept] }),
        }
    }
    if homes.len() > 1 {
        homes.iter_mut().zip(1..).for_each(|(room, number)| room.number = Some(number));
    }
    Ok(homes)
}

fn open_home(path: &Path, plan: &Plan, now: Timestamp) -> Result<(), RunError> {
    if plan.network() != Network::Demo || path.join("home.json").exists() {
        Home::open_for(path, plan.controller(), plan.network() == Network::Demo)?;
        return Ok(());
    }
    let _lock = HomeLock::acquire(path)?;
    Home::open_or_create_demo(path, plan.controller(), now)?;
    Ok(())
}
