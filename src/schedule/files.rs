//! The pipeline files of a scheduler, and the homes they name.
//!
//! Invariant: a scheduler starts only with files and homes that a run could use; a file that is changed later is taken
//! over when it has no mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use super::decide::Spec;
use crate::config::{self, Diagnostic, Network, Plan, Position};
use crate::run::engine::{self, Options, RunError};
use crate::run::home::Home;
use crate::sink::HomeLock;

/// A pipeline that is kept.
pub(super) struct Kept {
    /// Its file.
    pub file: PathBuf,
    /// Its schedule.
    pub spec: Spec,
    /// What was last told: whether it is paused, and its next start.
    pub told: Option<(bool, Option<Timestamp>)>,
    stamp: Option<(SystemTime, u64)>,
}

impl Kept {
    /// Reads the file anew if it has changed: `None` = it has not, or means the same.
    pub fn reload(&mut self) -> Option<Result<(), String>> {
        let stamp = stamp(&self.file);
        if stamp == self.stamp {
            return None;
        }
        self.stamp = stamp;
        let refused = |mistakes: Vec<Diagnostic>| mistakes.first().map(ToString::to_string).unwrap_or_default();
        match schedule_of(&self.file) {
            Ok((plan, _)) if plan.name() != self.spec.name() => {
                Some(Err(format!("{} has another name now: start the scheduler anew", self.file.display())))
            }
            Ok((_, spec)) if spec == self.spec => None,
            Ok((_, spec)) => {
                self.spec = spec;
                Some(Ok(()))
            }
            Err(mistakes) => Some(Err(refused(mistakes))),
        }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
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

/// Reads the files and opens their homes.
pub(super) fn kept(
    files: &[PathBuf],
    out: Option<&Path>,
    now: Timestamp,
) -> Result<BTreeMap<PathBuf, Vec<Kept>>, RunError> {
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
                plans.push((home, file, plan, spec));
            }
            Err(more) => mistakes.extend(more),
        }
    }
    if !mistakes.is_empty() {
        return Err(RunError::Config(mistakes));
    }
    let mut homes: BTreeMap<PathBuf, Vec<Kept>> = BTreeMap::new();
    for (home, file, plan, spec) in plans {
        engine::check_served(&plan, &Options::default())?;
        open_home(&home, &plan, now)?;
        let kept = Kept { file: file.clone(), spec, told: None, stamp: stamp(file) };
        homes.entry(home).or_default().push(kept);
    }
    Ok(homes)
}

/// As a run would: only a demo pipeline makes a home.
fn open_home(path: &Path, plan: &Plan, now: Timestamp) -> Result<(), RunError> {
    if plan.network() != Network::Demo || path.join("home.json").exists() {
        Home::open_for(path, plan.controller(), plan.network() == Network::Demo)?;
        return Ok(());
    }
    let _lock = HomeLock::acquire(path)?;
    Home::open_or_create_demo(path, plan.controller(), now)?;
    Ok(())
}
