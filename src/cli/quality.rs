//! `prosopon quality`: how well the readers read, measured on labelled cases.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::exit::Usage;
use crate::extract::title::TitleReader;
use crate::quality::{TitleSet, titles};

#[derive(Debug, Args)]
pub(super) struct QualityArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Accuracy, macro-F1, coverage and calibration of the title reader
    Titles {
        /// Labelled titles (TSV; see testdata/title/README.md)
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// List the misreadings instead (never of a hold-out)
        #[arg(long, conflicts_with = "json")]
        misses: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn execute(args: &QualityArgs) -> anyhow::Result<ExitCode> {
    let What::Titles { files, misses, json } = &args.what;
    let mut sets = Vec::new();
    for path in files {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| Usage(format!("cannot read {name}: {e}")))?;
        sets.push(TitleSet::parse(&name, &text).map_err(|e| Usage(e.to_string()))?);
    }
    let mut out = std::io::stdout().lock();
    if *misses {
        for miss in sets.iter().flat_map(|set| set.misses(TitleReader::shipped())) {
            writeln!(out, "{miss}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let report = titles(&sets, &[]);
    if *json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(ExitCode::SUCCESS)
}
