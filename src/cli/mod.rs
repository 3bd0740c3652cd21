//! The command line: arguments, and one module a command.
//!
//! Invariant: a command only parses, calls the library and prints; results go to stdout, everything else to stderr.

mod audit;
mod audit_verify;
mod book;
mod card;
mod consent;
mod crosswalk;
mod cursor;
mod demo_data;
mod demo_web;
mod duties;
pub mod exit;
mod explain;
mod extract;
mod fetch;
mod init;
mod inspect;
mod log;
mod metrics;
mod otlp;
mod persona;
mod policy;
mod prior;
mod progress;
mod quality;
mod reader;
mod report;
mod run;
mod run_report;
mod schedule;
mod schedules;
mod schema;
mod standing;
mod status;
mod subject;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::consent::gate::Clock;

/// Where a home is looked for if no `--out` says otherwise.
pub(crate) const DEFAULT_HOME: &str = "prosopon-home";

/// The consent-first persona pipeline for B2B sales.
///
/// Pulls CRM records, fetches only what each person's consent or another lawful basis permits, reads role, function
/// and signals with their evidence, and writes persona tables to Parquet.
#[derive(Debug, Parser)]
#[command(name = "prosopon", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 finished with more dead letters than allowed, 2 configuration or usage, \
3 ledger, home or sink, 130 interrupted.\nStart here: prosopon run pipelines/demo.yaml";

#[derive(Debug, Args)]
struct Global {
    /// How events are logged on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Log more (-v stages, -vv every request)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// Where the home is.
#[derive(Debug, Args)]
pub(crate) struct HomeArg {
    #[arg(long, value_name = "DIR", help = "The home [default: $PROSOPON_HOME, else prosopon-home]")]
    pub out: Option<PathBuf>,
    /// The pipeline, where the home has several
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
}

/// The home that `--out` names, else the environment, else the default.
pub(crate) fn home_path(out: Option<&PathBuf>) -> PathBuf {
    out.cloned()
        .or_else(|| std::env::var_os("PROSOPON_HOME").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from(DEFAULT_HOME))
}

impl HomeArg {
    pub(crate) fn path(&self) -> PathBuf {
        home_path(self.out.as_ref())
    }

    /// What a suggested command must repeat of these arguments.
    pub(crate) fn again(&self) -> String {
        let out = self.out.as_ref().map(|out| format!(" --out {}", out.display()));
        let pipeline = self.pipeline.as_ref().map(|name| format!(" --pipeline {name}"));
        [out, pipeline].into_iter().flatten().collect()
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a home: the folder with ledger, keys, state and tables of one controller
    Init(init::InitArgs),
    /// Run a pipeline from CRM rows to persona tables
    Run(run::RunArgs),
    /// Run pipelines at the times of their `schedule`, until it is stopped
    Schedule(schedule::ScheduleArgs),
    /// Serve the demo's invented web on loopback, to look at
    DemoWeb(demo_web::DemoWebArgs),
    /// Write invented CRM exports of any size, with the truth about them and a pipeline that runs them
    DemoData(demo_data::DemoDataArgs),
    /// Tell what the last run did and what is needed next
    Status(HomeArg),
    /// Tell what a run came to: coverage, refusals, fetches, time, change, warnings
    Report(run_report::ReportArgs),
    /// Tell since when the CRM is to be asked again, for scripts that pull what changed
    Cursor(cursor::CursorArgs),
    /// Check pipeline files and tell every mistake at once
    Validate(validate::ValidateArgs),
    /// Print the JSON Schema of pipeline files, or the data dictionary of the tables
    Schema(schema::SchemaArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Show what is known of a contact, with quotes and sources
    Persona(persona::PersonaArgs),
    /// Show a company, its buying center, and who is missing
    Account(persona::AccountArgs),
    /// Show a table of the current snapshot
    Inspect(inspect::InspectArgs),
    /// Show the arithmetic of one facet down to its quotes
    Explain(explain::ExplainArgs),
    /// Import, export, prove and show what people consented and objected to
    #[command(subcommand)]
    Consent(consent::ConsentCommand),
    /// Read titles, pages or texts given to it, without a home and without the network
    Extract(extract::ExtractArgs),
    /// Ask the fetch layer's own judgement, without the network
    Fetch(fetch::FetchArgs),
    /// Serve a right of a data subject: access, export, erase, restrict, object, withdraw, rectify, recipients
    Subject(subject::SubjectArgs),
    /// Compare policies, and tell what another one would have decided
    Policy(policy::PolicyArgs),
    /// Rotate the master key, or tell which one is used
    Keys(duties::KeysArgs),
    /// Show what HubSpot, Salesforce and others call the terms of the tables, and what is lost
    Crosswalk(crosswalk::CrosswalkArgs),
    /// Measure how well the readers read labelled cases
    Quality(quality::QualityArgs),
    #[command(flatten)]
    Officer(audit::OfficerCommand),
}

impl Cli {
    /// Whether events, and so errors too, are logged as JSON.
    #[must_use]
    pub fn logs_json(&self) -> bool {
        self.global.log_format == LogFormat::Json
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Whatever stops it; see [`exit::code_of`].
    pub fn execute(self, wall: &Clock) -> anyhow::Result<ExitCode> {
        let global = &self.global;
        let collector = match &self.command {
            Command::Run(args) => args.watched.otlp.as_ref(),
            Command::Schedule(args) => args.watched().otlp.as_ref(),
            _ => None,
        };
        // To the end of the command: then the last spans are sent.
        let _exporter = log::start(global.log_format, global.quiet, global.verbose, collector, wall)?;
        match self.command {
            Command::Init(args) => init::execute(&args, wall),
            Command::Run(args) => run::execute(&args, global.quiet, global.log_format, wall),
            Command::Schedule(args) => schedule::execute(&args, global.quiet, global.log_format, wall),
            Command::DemoData(args) => demo_data::execute(&args),
            Command::DemoWeb(args) => demo_web::execute(&args),
            Command::Status(args) => status::execute(&args, wall),
            Command::Report(args) => run_report::execute(&args),
            Command::Cursor(args) => cursor::execute(&args),
            Command::Validate(args) => validate::execute(&args, wall),
            Command::Schema(args) => schema::execute(&args),
            Command::Completions { shell } => schema::completions(shell),
            Command::Persona(args) => persona::persona(&args, wall),
            Command::Account(args) => persona::account(&args, wall),
            Command::Inspect(args) => inspect::execute(&args, wall),
            Command::Explain(args) => explain::execute(&args, wall),
            Command::Consent(command) => consent::execute(&command, wall),
            Command::Extract(args) => extract::execute(&args),
            Command::Fetch(args) => fetch::execute(&args),
            Command::Policy(args) => policy::execute(&args, wall),
            Command::Keys(args) => duties::keys(&args, wall),
            Command::Subject(args) => subject::execute(&args, wall),
            Command::Crosswalk(args) => crosswalk::execute(&args),
            Command::Quality(args) => quality::execute(&args),
            Command::Officer(command) => audit::execute(&command, wall),
        }
    }
}

/// Reads an instant: RFC 3339, or a day (its begin in UTC).
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<jiff::civil::Date>().ok().and_then(|d| format!("{d}T00:00:00Z").parse().ok());
    text.parse().ok().or_else(day).ok_or_else(|| "write it like 2026-03-02T03:00:00Z or 2026-03-02".to_owned())
}
