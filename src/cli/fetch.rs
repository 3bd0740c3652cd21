//! `prosopon fetch`: what the fetch layer would say, without fetching.

use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::fetch::robots_lines;

#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What robots.txt files allow: JSON Lines in, JSON Lines out, in order
    #[command(after_help = "In:  {\"robots\",\"agent\",\"url\"}\nOut: {\"allowed\",\"rule\",\"reason\"}")]
    Robots {
        /// File with questions; - or nothing = standard input
        file: Option<PathBuf>,
    },
}

pub(super) fn execute(args: &FetchArgs) -> anyhow::Result<ExitCode> {
    let What::Robots { file } = &args.what;
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    robots_lines(super::extract::open(file.as_deref())?, out)?;
    Ok(ExitCode::SUCCESS)
}
