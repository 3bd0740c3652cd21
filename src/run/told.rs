//! When a data catalogue is told what of a run.
//!
//! Invariant: after its end a run of the catalogue is told no more, as its specification wants. So a run that was killed goes
//! on under its id, and one that was stopped or failed goes on under the next.

use std::path::Path;

use jiff::Timestamp;

use crate::config;
use crate::lineage::{Begun, End, Lineage};
use crate::model::RunId;
use crate::run::engine::{Options, RunError, World};
use crate::run::failed;
use crate::run::journal::{Journal, JournalError, RunState};
use crate::run::prepare::Prepared;
use crate::sink::Snapshot;

/// A run that was begun, and is to be ended.
pub(super) struct Told {
    lineage: Lineage,
    begun: Begun,
    run: RunId,
    start: u32,
}

impl Told {
    /// The run has begun or goes on, and the pipeline's run before is given up if it was left open.
    pub(super) fn begin(
        prepared: &Prepared,
        journal: &Journal,
        before: Option<&RunState>,
        state: &RunState,
        at: Timestamp,
    ) -> Result<Self, JournalError> {
        let lineage = Lineage::to(prepared.plan.output().lineage.clone());
        if let Some(before) = before.filter(|before| before.state == "running" && before.run_id != state.run_id) {
            let ends = journal.ends(&before.run_id)?;
            if !ends.contains(&before.starts) {
                // It is given up for good; what it read is not known any more.
                let begun = Begun { as_of: None, inputs: Vec::new(), ..begun(prepared, before, &ends, at) };
                lineage.end(&begun, &End::Stopped, at);
            }
        }
        let begun = begun(prepared, state, &journal.ends(&state.run_id)?, at);
        lineage.begin(&begun);
        Ok(Self { lineage, begun, run: state.run_id.clone(), start: state.starts })
    }

    /// The run has ended with this as the pipeline's current snapshot.
    pub(super) fn end<T>(self, home: &Path, result: &Result<T, RunError>, current: Option<Snapshot>, at: Timestamp) {
        let end = match result {
            Ok(_) | Err(RunError::AfterPublishing(_)) => current.map_or(End::Stopped, End::Published),
            Err(RunError::Cancelled) => End::Stopped,
            Err(error) => End::Failed(error.without_contents()),
        };
        // The run itself has closed the journal. Without this note the end is told, and what follows looks like more of the same.
        let noted = Journal::open(&home.join("journal.sqlite")).and_then(|j| j.end(&self.run, self.start));
        if let Err(error) = noted {
            tracing::warn!("lineage: {error}; the run is as it is");
        }
        self.lineage.end(&self.begun, &end, at);
        self.lineage.close();
    }
}

/// A run that failed before it began: marked in its home, and told to a data catalogue, where the pipeline file can be read.
pub(super) fn never_began(path: &Path, options: &Options, error: &RunError, world: &World) {
    // Whoever was asked to stop, or found somebody at work, is called again.
    if options.dry_run || matches!(error, RunError::Cancelled | RunError::Lock(_)) {
        return;
    }
    let Ok(plan) = config::load_settings(path) else { return };
    let at = (world.wall)();
    let begun = Begun {
        controller: plan.controller().to_owned(),
        pipeline: plan.name().to_owned(),
        // The journal has none.
        run_id: format!("none_{at}"),
        ends: 0,
        resumed: false,
        at,
        as_of: options.as_of.or(plan.as_of()),
        home: options.out.clone().unwrap_or_else(|| plan.output().home.clone()),
        inputs: Vec::new(),
    };
    failed::note(&begun.home, plan.name(), error, at);
    let lineage = Lineage::to(plan.output().lineage.clone());
    lineage.begin(&begun);
    lineage.end(&begun, &End::Failed(error.without_contents()), at);
    lineage.close();
}

/// The run as a data catalogue is told of it. `ends` are the starts of it that came to an end.
fn begun(prepared: &Prepared, state: &RunState, ends: &[u32], now: Timestamp) -> Begun {
    let is_killed = state.starts > 1 && !ends.contains(&(state.starts - 1));
    Begun {
        controller: prepared.plan.controller().to_owned(),
        pipeline: prepared.plan.name().to_owned(),
        run_id: state.run_id.as_str().to_owned(),
        ends: ends.iter().filter(|start| **start < state.starts).count(),
        resumed: is_killed,
        at: if state.starts > 1 { now } else { state.started_at },
        as_of: Some(prepared.as_of),
        home: prepared.home_path.clone(),
        inputs: prepared.files.clone(),
    }
}
