//! `prosopon cursor`: since when the CRM is to be asked again.
//!
//! Invariant: what a run has read that was not published moves nothing; nothing is written.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde_json::json;

use super::exit::Usage;
use super::reader::pipeline_of;
use super::{HomeArg, instant};
use crate::crm::Table;
use crate::run::home::Home;
use crate::run::summary::Summary;
use crate::sink;

const TABLES: [Table; 4] = [Table::Contacts, Table::Accounts, Table::Consents, Table::Notes];

#[derive(Debug, Args)]
#[command(
    after_help = "A cursor is the newest date of change (`updated_at`; of consents `recorded_at`, of notes without a date of change \
`written_at`) among the rows that the last published run has read; dates of the future do not count. Ask for what changed at it or later: \
a row that comes twice changes nothing."
)]
pub(super) struct CursorArgs {
    /// contacts, accounts, consents or notes: print its cursor and nothing else
    #[arg(value_parser = table)]
    table: Option<Table>,
    #[command(flatten)]
    home: HomeArg,
    /// Go back so much further, for changes that the CRM shows late, such as 15m, 2h or 3d
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = overlap)]
    overlap: SignedDuration,
    /// Print this instant where there is no cursor: before the first run, and of tables without such a date
    #[arg(long = "else", value_name = "WHEN", value_parser = instant)]
    otherwise: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &CursorArgs) -> anyhow::Result<ExitCode> {
    let home = Home::open(&args.home.path())?;
    let pipeline = match pipeline_of(&home, &args.home) {
        Ok(pipeline) => Some(pipeline),
        // Before its first run nobody knows a pipeline: then all is asked for.
        Err(unknown) if args.otherwise.is_some() && is_first(&home, args) => {
            tracing::warn!("{unknown}");
            None
        }
        Err(unknown) => return Err(unknown),
    };
    let current = pipeline.as_ref().map_or(Ok(None), |pipeline| sink::current(home.path(), pipeline))?;
    let summary = current.map(|snapshot| Summary::from_manifest(home.path(), &snapshot)).transpose()?;
    let of = |table: Table| {
        let cursor = summary.as_ref().and_then(|summary| summary.counts.cursors.get(table.name()).copied());
        cursor.map(|at| at.checked_sub(args.overlap).unwrap_or(Timestamp::MIN)).or(args.otherwise)
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        let tables = TABLES.into_iter().filter(|table| args.table.is_none_or(|wanted| wanted == *table));
        let cursors: serde_json::Map<_, _> = tables.map(|table| (table.name().to_owned(), json!(of(table)))).collect();
        let run = summary.as_ref().and_then(|summary| summary.run_id.as_ref());
        writeln!(out, "{}", json!({ "pipeline": pipeline, "run": run, "cursors": cursors }))?;
        return Ok(ExitCode::SUCCESS);
    }
    match args.table {
        Some(table) => {
            let none =
                || Usage(format!("no row of {} has a date of change: ask the CRM for all of them{ELSE}", table.name()));
            writeln!(out, "{}", of(table).ok_or_else(none)?)?;
        }
        None => {
            for table in TABLES {
                let cursor = of(table).map_or("-".to_owned(), |at| at.to_string());
                writeln!(out, "{:<9} {cursor}", table.name())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

const ELSE: &str = ", or say with `--else` what is to be printed then";

fn table(text: &str) -> Result<Table, String> {
    let known = || TABLES.map(Table::name).join(", ");
    TABLES.into_iter().find(|table| table.name() == text).ok_or_else(|| format!("tables are {}", known()))
}

/// Whether the pipeline may be one that has never run: of several somebody has to say which is meant.
fn is_first(home: &Home, args: &CursorArgs) -> bool {
    args.home.pipeline.is_some() || sink::pipelines(home.path()).is_empty()
}

fn overlap(text: &str) -> Result<SignedDuration, String> {
    let read = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let read = read.ok().filter(|time| (SignedDuration::ZERO..=MOST_OVERLAP).contains(time));
    read.ok_or_else(|| "write it like 15m, 2h, 1h 30m or 3d, up to ten years".to_owned())
}

/// Whoever goes back further asks for everything.
const MOST_OVERLAP: SignedDuration = SignedDuration::from_hours(24 * 3653);
