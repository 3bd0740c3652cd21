//! `prosopon fetch`: what the fetch layer would say, and what it did, without fetching.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::HomeArg;
use super::exit::Usage;
use crate::fetch::{HostReport, fetch_report, robots_lines};
use crate::run::home::Home;

#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What the fetcher would do, given a robots.txt: JSON Lines in, JSON Lines out, in order
    #[command(after_help = "In:  {\"robots\",\"agent\",\"url\"}\nOut: {\"allowed\",\"rule\",\"reason\"}")]
    Robots {
        /// File with questions; - or nothing = standard input
        file: Option<PathBuf>,
    },
    /// What a run asked of each host, and what came of it
    Report {
        #[command(flatten)]
        home: HomeArg,
        /// The run; without it, the last one
        #[arg(long, value_name = "ID")]
        run: Option<String>,
        /// JSON Lines instead of a table
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn execute(args: &FetchArgs) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Robots { file } => robots(file.as_deref()),
        What::Report { home, run, json } => report(&home.path(), run.as_deref(), *json),
    }
}

fn robots(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    robots_lines(super::extract::open(file)?, out)?;
    Ok(ExitCode::SUCCESS)
}

fn report(home: &Path, run: Option<&str>, json: bool) -> anyhow::Result<ExitCode> {
    let home = Home::open(home)?.path().to_owned();
    let Some((run, hosts)) = fetch_report(&home.join("fetch.sqlite"), run)? else {
        return Err(Usage(format!("{} has no such run that fetched anything", home.display())).into());
    };
    let mut out = BufWriter::new(io::stdout().lock());
    if json {
        for host in &hosts {
            serde_json::to_writer(&mut out, host)?;
            out.write_all(b"\n")?;
        }
    } else {
        write_table(&mut out, &run, &hosts)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Hosts are no personal data here: pages of people are asked at hosts that many share.
fn write_table(out: &mut impl Write, run: &str, hosts: &[HostReport]) -> io::Result<()> {
    let width = hosts.iter().map(|h| h.host.len()).max().unwrap_or(0).max(4);
    writeln!(out, "Run {run}: requests by host; permits by how they ended\n")?;
    writeln!(
        out,
        "{:width$}  {:17}  {:>5}  {:>8}  {:>7}  {:>6}  {:>6}  {:>4}  {:>9}  {:>8}  last reason",
        "host", "source", "asked", "answered", "refused", "failed", "cached", "304", "bytes", "waited"
    )?;
    for h in hosts {
        let (waited, reason) = (h.waited_ms as f64 / 1000.0, h.last_reason.as_deref().unwrap_or(""));
        let line = format!(
            "{:width$}  {:17}  {:>5}  {:>8}  {:>7}  {:>6}  {:>6}  {:>4}  {:>9}  {waited:>6.1} s  {reason}",
            h.host, h.source, h.asked, h.answered, h.refused, h.failed, h.cached, h.not_modified, h.bytes
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    let sum = |pick: fn(&HostReport) -> u64| hosts.iter().map(pick).sum::<u64>();
    writeln!(
        out,
        "\n{} hosts: {} asked, {} answered, {} refused, {} failed, {} from the cache, {} not modified",
        hosts.len(),
        sum(|h| h.asked),
        sum(|h| h.answered),
        sum(|h| h.refused),
        sum(|h| h.failed),
        sum(|h| h.cached),
        sum(|h| h.not_modified)
    )
}
