//! `prosopon status`: what the last run did, and what is needed next.
//!
//! Invariant: nothing is written.

use std::io::Write;
use std::process::ExitCode;

use super::HomeArg;
use super::standing::Standing;
use crate::consent::gate::Clock;
use crate::run::failed::{self, Failed};
use crate::run::home::Home;
use crate::run::journal::{Journal, JournalError};
use crate::run::summary::Summary;
use crate::sink;

pub(super) fn execute(arg: &HomeArg, wall: &Clock) -> anyhow::Result<ExitCode> {
    let home = Home::open(&arg.path())?;
    let (_, ledger) = home.legal_to_read()?;
    let journal = Journal::open_to_read(&home.path().join("journal.sqlite"))?;
    let mut out = std::io::stdout().lock();
    let kind = if home.is_demo() { "demo home" } else { "home" };
    writeln!(out, "{kind} {} of {:?}", home.path().display(), home.controller())?;
    let synced = ledger.view().last_sync().map_or("never".to_owned(), |at| seconds(at).to_string());
    writeln!(out, "ledger    {} legal events, last import {synced}", ledger.view().state().count())?;
    let standing = Standing::of(home.path(), arg.pipeline.as_deref(), wall())?;
    if !standing.schedules.is_empty() {
        writeln!(out, "schedule  {}", standing.daemon())?;
    }
    let mut pipelines = journal.as_ref().map_or(Ok(Vec::new()), Journal::pipelines)?;
    // Of those whose first run never began the journal does not know.
    pipelines.extend(failed::pipelines(home.path()));
    pipelines.sort();
    pipelines.dedup();
    pipelines.retain(|p| arg.pipeline.as_ref().is_none_or(|wanted| wanted == p));
    if pipelines.is_empty() {
        writeln!(out, "next      no run yet: prosopon run PIPELINE")?;
    }
    for pipeline in pipelines {
        writeln!(out, "\n{pipeline}")?;
        let failed = failed::of(home.path(), &pipeline);
        let last = journal.as_ref().map(|journal| Ok::<_, JournalError>((journal.last_run(&pipeline)?, journal)));
        let Some((Some(run), journal)) = last.transpose()? else {
            if let Some(Failed { at, why }) = &failed {
                writeln!(out, "failed    {}: {why}\nnext      {MEND}", seconds(*at))?;
            }
            continue;
        };
        let is_unfinished = run.state == "running";
        writeln!(
            out,
            "last run  {} {}, started {} time(s), first at {}",
            run.run_id,
            // A journal does not know whether its process still lives.
            if is_unfinished { "unfinished" } else { &run.state },
            run.starts,
            seconds(run.started_at)
        )?;
        came_of(&home, &pipeline, run.summary.as_deref(), &mut out)?;
        if let Some(Failed { at, why }) = &failed {
            writeln!(out, "failed    {}: {why}", seconds(*at))?;
        }
        if let Some((_, state)) = standing.schedules.iter().find(|(name, _)| *name == pipeline) {
            writeln!(out, "schedule  {}", standing.line(state))?;
        }
        let next = match failed {
            Some(_) if is_unfinished => format!("{MEND}; {}", next(&run.state, journal.fetched(&run.run_id)?)),
            Some(_) => MEND.to_owned(),
            None => next(&run.state, journal.fetched(&run.run_id)?),
        };
        writeln!(out, "next      {next}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Which tables there are, and what the newest run came to.
fn came_of(home: &Home, pipeline: &str, summary: Option<&str>, out: &mut impl Write) -> anyhow::Result<()> {
    let current = sink::current(home.path(), pipeline)?;
    let shown = current.as_ref().map_or("none", |s| s.run_id());
    writeln!(out, "current   {shown}")?;
    if let Some(summary) = summary.and_then(|s| serde_json::from_str::<Summary>(s).ok()) {
        let c = &summary.counts;
        writeln!(
            out,
            "result    {}: {} personas of {} contacts, {} dead letters",
            summary.outcome, c.personas, c.subjects, c.dead_letters
        )?;
    }
    Ok(())
}

/// After a run that failed.
const MEND: &str = "mend what it says, and run again";

fn next(state: &str, fetched: u64) -> String {
    match state {
        "running" => format!("unfinished with {fetched} fetches done: the same `prosopon run` continues it"),
        "published" => "nothing: run again when the CRM has changed".to_owned(),
        _ => "superseded by changed inputs: run again".to_owned(),
    }
}

/// Without fractions: nobody plans a night by nanoseconds.
fn seconds(at: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_second()).unwrap_or(at)
}
