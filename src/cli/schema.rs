//! `prosopon schema` and `prosopon completions`: what editors and shells want to know.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::Cli;
use crate::config;
use crate::sink::{dictionary_json, dictionary_markdown};

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// What to print
    #[arg(value_enum, default_value_t = What::Pipeline)]
    what: What,
    /// The data dictionary as JSON instead of Markdown
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// JSON Schema of pipeline files
    Pipeline,
    /// JSON Schema of policy files
    Policy,
    /// Data dictionary of the tables
    Tables,
}

pub(super) fn execute(args: &SchemaArgs) -> anyhow::Result<ExitCode> {
    let text = match args.what {
        What::Pipeline => pretty(&config::json_schema()),
        What::Policy => pretty(&config::schema_of::<crate::consent::policy::PolicyFile>()),
        What::Tables if args.json => pretty(&dictionary_json()),
        What::Tables => dictionary_markdown(),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.trim_end().as_bytes())?;
    out.write_all(b"\n")?;
    Ok(ExitCode::SUCCESS)
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON from JSON")
}

pub(super) fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    // Into memory first: clap_complete panics where a reader has gone away.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "prosopon", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
