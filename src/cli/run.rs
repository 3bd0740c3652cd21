//! `prosopon run`: a pipeline from CRM rows to persona tables.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use super::LogFormat;
use super::exit::DEAD_LETTERS;
use super::progress::{self, Progress};
use crate::consent::gate::Clock;
use crate::fetch::CancelHandle;
use crate::run::engine::{Options, World, run};
use crate::run::summary::Summary;

#[derive(Debug, Args)]
#[command(after_help = "A killed run continues with the same command and repeats nothing that was committed.")]
pub(super) struct RunArgs {
    /// The pipeline file
    pipeline: PathBuf,
    /// The home, instead of the pipeline's `output.home`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The clock of the inference (2026-03-02T03:00:00Z or 2026-03-02), instead of the pipeline's
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    as_of: Option<Timestamp>,
    /// Only the first N contacts
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Plan and decide; fetch nothing, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &RunArgs, quiet: bool, format: LogFormat, wall: &Clock) -> anyhow::Result<ExitCode> {
    let options = Options { as_of: args.as_of, limit: args.limit, dry_run: args.dry_run, out: args.out.clone() };
    let summary = runtime()?.block_on(async {
        let cancel = CancelHandle::new();
        let observer = Arc::new(Progress::start(quiet, format));
        let world = World { wall: Arc::clone(wall), cancel: cancel.flag(), observer: observer.clone() };
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                cancel.cancel();
            }
            // Held until the run ends: a dropped handle never cancels.
            std::future::pending::<()>().await;
        });
        let summary = run(&args.pipeline, &options, &world).await;
        observer.finish();
        summary
    })?;
    tell(&summary, args, quiet, wall)?;
    Ok(if summary.outcome == "completed_with_dead_letters" { ExitCode::from(DEAD_LETTERS) } else { ExitCode::SUCCESS })
}

fn tell(summary: &Summary, args: &RunArgs, quiet: bool, _wall: &Clock) -> anyhow::Result<()> {
    if args.json {
        use std::io::Write as _;
        writeln!(std::io::stdout().lock(), "{}", summary.to_json())?;
    } else if !quiet {
        progress::tell(summary)?;
    }
    Ok(())
}

/// The runtime of a command.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
