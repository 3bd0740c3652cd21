//! Noes that are clear, of exports that cannot be taken in: they wait for nobody who mends another row.
//!
//! Invariant: what is recorded only protects; nothing that grants is, no sync is noted, and a dry run records nothing. It is in the
//! ledger, and obeyed by the tables, before the error is told that stopped the run.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use crate::config;
use crate::model::SubjectId;
use crate::rights::office::{Office, OfficeError};
use crate::rights::refresh::refresh_locked;
use crate::run::books::vault_and_ledger;
use crate::run::engine::{Options, RunError, World};
use crate::run::opened::{Entered, Opened, Tonight};
use crate::sink::{self, HomeLock};

/// What became of the noes that are clear.
#[derive(Debug)]
pub enum ClearNoes {
    /// So many were not in the ledger yet, and are; tables obey.
    Recorded(u64),
    /// The same, but the tables could not be changed.
    NotObeyed(u64),
    /// Nothing could be read.
    NotRead,
}

impl fmt::Display for ClearNoes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recorded(0) => f.write_str(
                "nothing of these exports was taken in; nothing that is plainly a no in them was new. What notes say, records that are gone \
                 and kinds that nobody knows wait until then",
            ),
            Self::Recorded(n) => write!(
                f,
                "nothing of these exports was taken in but what is plainly a no: {n} event(s) are recorded, and tables obey them"
            ),
            Self::NotObeyed(n) => write!(
                f,
                "nothing of these exports was taken in but what is plainly a no: {n} event(s) are recorded, but the tables that \
                 are there could not be changed; the next run does that"
            ),
            Self::NotRead => f.write_str("nothing of these exports was taken in: until then no no in them takes effect"),
        }
    }
}

/// Why the noes could not be recorded.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Office(#[from] OfficeError),
}

/// Records the clear noes of a night whose exports stopped the run, and tells it with the error; other errors stay what they are.
pub(super) fn record(error: RunError, path: &Path, options: &Options, world: &World) -> RunError {
    let is_of_exports = matches!(error, RunError::Crm(_) | RunError::Legal(_) | RunError::ColumnsVanished(_));
    if !is_of_exports || options.dry_run || options.replay.is_some() || !has_home(path, options) {
        return error;
    }
    if matches!(error, RunError::ColumnsVanished(_)) {
        // Under another header the same cells may mean the opposite, and no export takes a flag back.
        return RunError::Unclear { why: Box::new(error), noes: ClearNoes::NotRead };
    }
    let noes = tracing::info_span!("noes").in_scope(|| enter(path, options, world)).unwrap_or_else(|failed| {
        tracing::warn!("what is plainly a no in these exports could not be recorded: {}", told(&failed));
        ClearNoes::NotRead
    });
    RunError::Unclear { why: Box::new(error), noes }
}

/// Whether there is a home: one is never created on the way, and where there is none there are no tables.
fn has_home(path: &Path, options: &Options) -> bool {
    let Ok(plan) = config::load_settings(path) else { return false };
    options.out.as_ref().unwrap_or(&plan.output().home).join("home.json").exists()
}

/// Without anything that was read from an export.
fn told(failed: &Failed) -> String {
    match failed {
        Failed::Run(error) => error.without_contents(),
        Failed::Office(error) => error.to_string(),
    }
}

fn enter(path: &Path, options: &Options, world: &World) -> Result<ClearNoes, Failed> {
    // Limits are for what is worked on.
    let options = &Options { limit: None, ..options.clone() };
    let (mut opened, tonight, notes) = Opened::of(path, options, world, true)?;
    let (mut vault, mut ledger) = vault_and_ledger(opened.home.as_ref(), matches!(tonight, Tonight::Parts(_)))?;
    let Entered { new, .. } = opened.enter((tonight, notes), (&mut vault, &mut ledger), options, world)?;
    let (home, pipeline) = (opened.home_path.clone(), opened.plan.name().to_owned());
    let manifest = sink::current(&home, &pipeline).ok().flatten().and_then(|snapshot| snapshot.manifest().ok());
    // Without one that can be read, every no may be news.
    let before = manifest.and_then(|manifest| manifest["ledger"]["head"].as_u64()).unwrap_or(0);
    let said = ledger.said_no_since(&vault, before).map_err(RunError::from)?;
    drop((vault, ledger));
    Ok(match obey(&home, &said, opened.lock.take(), world) {
        Ok(()) => ClearNoes::Recorded(new),
        Err(error) => {
            tracing::warn!("{error}");
            ClearNoes::NotObeyed(new)
        }
    })
}

/// Takes out of the tables what the gate refuses now of those who have said no.
fn obey(home: &Path, said: &HashSet<SubjectId>, lock: Option<HomeLock>, world: &World) -> Result<(), OfficeError> {
    if said.is_empty() || sink::all_snapshots(home)?.is_empty() {
        return Ok(());
    }
    let office = Office::open(home, &world.wall)?;
    let mut people: Vec<SubjectId> = said.iter().cloned().collect();
    people.sort();
    office.log_rights(&people, "objection")?;
    refresh_locked(&office, &people, "objection")?;
    office.log.publish()?;
    drop(lock);
    Ok(())
}
