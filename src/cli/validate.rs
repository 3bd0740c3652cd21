//! `prosopon validate`: every mistake at once, on stderr, never the network.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::exit::{Told, Usage};
use crate::config::{self, Diagnostic, Plan};
use crate::consent::gate::Clock;
use crate::run::agree::load_policy;
use crate::run::legal::check_mappings;

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Pipeline files, or folders of them [default: pipelines/]
    paths: Vec<PathBuf>,
}

/// The day on which the pipeline would be judged.
fn today(plan: &Plan, wall: &Clock) -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(plan.as_of().unwrap_or_else(|| wall())).date()
}

pub(super) fn execute(args: &ValidateArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(config::DEFAULT_FOLDER)] } else { args.paths.clone() };
    let (files, mut diagnostics) = config::validate_paths(&paths);
    for file in &files {
        // A pipeline that is wrong itself is told already.
        if let Ok(plan) = config::load_settings(file) {
            let mut found =
                load_policy(&plan, Some(today(&plan, wall))).map_or_else(|errors| errors, |(_, warnings)| warnings);
            found.extend(check_mappings(plan.crm()));
            let new: Vec<Diagnostic> = found.into_iter().filter(|d| !diagnostics.contains(d)).collect();
            diagnostics.extend(new);
        }
    }
    for diagnostic in &diagnostics {
        eprintln!("{diagnostic}");
    }
    if files.is_empty() && diagnostics.is_empty() {
        let asked: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(Usage(format!("no pipeline file (*.yaml) in {}", asked.join(", "))).into());
    }
    let errors = diagnostics.iter().filter(|d: &&Diagnostic| d.is_error()).count();
    if errors > 0 {
        return Err(Told(errors).into());
    }
    eprintln!("{} file(s) checked, no mistakes", files.len());
    Ok(ExitCode::SUCCESS)
}
