//! `prosopon report`: what the last run came to, for people and for programs.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::HomeArg;
use super::exit::Usage;
use super::reader::pipeline_of;
use crate::report;
use crate::run::files::write_atomically;
use crate::run::home::Home;

#[derive(Debug, Args)]
#[command(
    after_help = "Every run keeps its report as HOME/reports/PIPELINE/RUN.html, as long as its snapshot is kept. \
Reports hold counts only: no person, no company, no host."
)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    home: HomeArg,
    /// Another run than that of the current snapshot
    #[arg(long, value_name = "RUN_ID")]
    run: Option<String>,
    /// Copy the page to this file
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let home = Home::open(&args.home.path())?;
    let pipeline = pipeline_of(&home, &args.home)?;
    let found = match &args.run {
        Some(run) => report::read(home.path(), &pipeline, run)?,
        None => report::newest(home.path(), &pipeline)?,
    };
    let Some((told, page)) = found else {
        let which = args.run.as_deref().map_or("the current snapshot".to_owned(), |run| format!("the run {run}"));
        return Err(Usage(format!("no report of {which} of {pipeline} is kept: the next run makes one")).into());
    };
    if let Some(to) = &args.to {
        write_atomically(to, report::html(&told).as_bytes())
            .with_context(|| format!("{} cannot be written", to.display()))?;
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        writeln!(out, "{}", told.to_json())?;
    } else {
        report::tell(&told, &mut out)?;
        writeln!(out, "page: {}", args.to.as_ref().unwrap_or(&page).display())?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
