//! `prosopon inspect`: a table of the current snapshot.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::HomeArg;
use super::reader::Reader;
use crate::consent::gate::Clock;
use crate::sink::{self, Format, Inspect, Table};

#[derive(Debug, Args)]
#[command(after_help = sink::FILTER_HELP)]
pub(super) struct InspectArgs {
    #[arg(help = "personas, evidence, accounts, buying_centers, decisions, documents, dead_letters or runs")]
    table: Table,
    #[command(flatten)]
    home: HomeArg,
    /// Columns, joined by commas; '*' = all [default: a readable few]
    #[arg(long, value_delimiter = ',', value_name = "COLUMN")]
    columns: Vec<String>,
    /// Only rows for which this holds
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<String>,
    /// At most so many rows
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// How rows are printed
    #[arg(long, value_enum, default_value_t = As::Table)]
    format: As,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// Aligned columns
    Table,
    /// CSV with a header
    Csv,
    /// One JSON object a line
    Jsonl,
}

pub(super) fn execute(args: &InspectArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.home, wall)?;
    let readable = match args.table {
        Table::Personas | Table::Evidence | Table::BuyingCenters => {
            Some(reader.readable()?.iter().map(ToString::to_string).collect())
        }
        _ => None,
    };
    reader.log(&format!("inspect {}", args.table))?;
    let query = Inspect {
        columns: args.columns.clone(),
        filter: args.filter.clone(),
        limit: args.limit,
        format: match args.format {
            As::Table => Format::Table,
            As::Csv => Format::Csv,
            As::Jsonl => Format::JsonLines,
        },
        readable,
    };
    let stdout = io::stdout();
    let width = stdout.is_terminal().then(super::card::terminal_width);
    let mut out = BufWriter::new(stdout.lock());
    sink::inspect(&reader.snapshot, args.table, &query, &mut out, width)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
