//! A dry run: plan and decisions, no fetch, nothing written.

use std::path::Path;
use std::sync::Arc;

use crate::fetch::Fetcher;
use crate::model::RunId;
use crate::run::engine::{Options, RunError, World};
use crate::run::group::process;
use crate::run::journal::Journal;
use crate::run::load::Loaded;
use crate::run::missing;
use crate::run::notes;
use crate::run::prepare::Prepared;
use crate::run::settings;
use crate::run::summary::{Counts, Summary};

/// Asks the gate for all that can be asked before the first fetch, and counts its answers.
pub(super) async fn run(prepared: Prepared, options: &Options, world: &World) -> Result<Summary, RunError> {
    let name = prepared.plan.name().to_owned();
    let home = prepared.home_path.clone();
    let found = missing::early(&prepared, options)?;
    let journal = Journal::open(Path::new(crate::db::IN_MEMORY))?;
    let fetcher = Fetcher::new(settings::refusing(), Arc::clone(&world.wall), Arc::clone(&world.wall))?;
    let (context, mut loaded) = prepared.context(options, world, RunId::from_body("dry"), fetcher, (journal, None));
    let mut counts = Counts { gone: context.gone.len() as u64, ..Counts::of_input(&loaded) };
    notes::look_at(&context, &mut loaded, &mut counts)?;
    let Loaded { groups, .. } = loaded;
    world.observer.planned(groups.iter().filter(|g| g.account.id.is_some()).count());
    let mut decisions = Vec::new();
    for group in &groups {
        let rows = process(&context, group).await?;
        counts.add(&rows);
        decisions.extend(rows.decisions);
    }
    missing::conclude(found, (&home, &context.plan), options, &mut counts)?;
    Ok(Summary::dry(name, &home, counts, &decisions))
}
