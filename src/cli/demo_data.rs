//! `prosopon demo-data`: CRM exports of any size, all invented.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::demo::data::{Size, write};

#[derive(Debug, Args)]
#[command(after_help = "Writes accounts.csv, contacts.csv, consents.csv, notes.csv, the truth about everybody in \
truth.csv, policy.yaml, and pipeline.yaml, which runs them without fetching anything. Equal arguments give equal files.")]
pub(super) struct DemoDataArgs {
    /// How many contacts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    contacts: u64,
    /// What chance starts from: another seed is another world
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Mean number of sales notes a contact
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=100))]
    notes: u32,
    /// The folder to write; empty, or not there yet
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub(super) fn execute(args: &DemoDataArgs) -> anyhow::Result<ExitCode> {
    let written = write(&args.to, Size { contacts: args.contacts, seed: args.seed, notes: args.notes })?;
    eprintln!(
        "wrote {} contacts of {} companies, {} consents and {} notes into {}",
        written.contacts,
        written.accounts,
        written.consents,
        written.notes,
        args.to.display()
    );
    eprintln!("expect {} personas and {} dead letters", written.personas, written.dead_letters);
    eprintln!("next: prosopon run {}", args.to.join("pipeline.yaml").display());
    Ok(ExitCode::SUCCESS)
}
