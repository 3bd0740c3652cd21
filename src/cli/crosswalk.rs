//! `prosopon crosswalk`: what other tools call the terms of the tables.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use super::exit::Usage;
use crate::persona::role::CROSSWALKS;

#[derive(Debug, Args)]
pub(super) struct CrosswalkArgs {
    /// hubspot, salesforce, dynamics, espocrm, apollo, pdl or linkedin [default: all]
    target: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &CrosswalkArgs) -> anyhow::Result<ExitCode> {
    let target = args.target.as_deref();
    let Some(lines) = CROSSWALKS.crossings(target) else {
        let known: Vec<&str> = CROSSWALKS.targets().collect();
        return Err(Usage(format!("there is no crosswalk to that; known are: {}", known.join(", "))).into());
    };
    let mut out = io::stdout().lock();
    if args.json {
        for line in &lines {
            writeln!(out, "{}", serde_json::to_string(line)?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut heading = "";
    for c in &lines {
        if heading != c.target {
            heading = &c.target;
            let (name, source) = CROSSWALKS.about(heading).unwrap_or_default();
            writeln!(out, "\n{name} ({source})")?;
        }
        let value = c.value.as_deref().unwrap_or("-");
        let lost = if c.lost.is_empty() { String::new() } else { format!("  lost: {}", c.lost) };
        writeln!(out, "  {:13} {:25} {} = {value}{lost}", c.vocabulary, c.term, c.field)?;
    }
    Ok(ExitCode::SUCCESS)
}
