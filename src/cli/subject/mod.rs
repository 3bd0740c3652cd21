//! `prosopon subject`: the rights of a data subject, Art. 15 to 21 GDPR.
//!
//! Invariant: everything is logged before it is done; what destroys asks first; nothing that is printed names a person.

mod access;
mod erase;
mod record;
mod rectify;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::exit::Usage;
use crate::consent::gate::Clock;
use crate::rights::office::Office;

#[derive(Debug, Args)]
pub(super) struct SubjectArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything about a person, with sources, recipients and the logic of each value, as JSON and a page (Art. 15)
    Access(access::AccessArgs),
    /// What the person provided, as JSON (Art. 20)
    Export(access::ExportArgs),
    /// Erase everything of a person from every file, and keep them out for good (Art. 17)
    Erase(erase::EraseArgs),
    /// Restrict processing to storing, or lift a restriction (Art. 18)
    Restrict(record::RestrictArgs),
    /// Record an objection, or decide one (Art. 21)
    Object(record::ObjectArgs),
    /// Record that a consent was withdrawn (Art. 7(3))
    Withdraw(record::WithdrawArgs),
    /// Put a value right; it stays right whatever later evidence says (Art. 16)
    Rectify(rectify::RectifyArgs),
    /// List who received data of a person (Art. 19)
    Recipients(record::RecipientsArgs),
}

/// Whom a command is about, and in which home.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// The person: subject id (sub_...), the CRM's record id, or an e-mail address
    #[arg(value_name = "SUBJECT")]
    pub subject: String,
    #[command(flatten)]
    pub home: AtHome,
}

/// In which home, and how results are printed.
#[derive(Debug, Args)]
pub(super) struct AtHome {
    #[arg(long, value_name = "DIR", help = "The home [default: $PROSOPON_HOME, else prosopon-home]")]
    pub out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl AtHome {
    pub(super) fn path(&self) -> PathBuf {
        super::home_path(self.out.as_ref())
    }

    /// Opens the home to serve a right.
    pub(super) fn office(&self, wall: &Clock) -> anyhow::Result<Office> {
        Ok(Office::open(&self.path(), wall)?)
    }

    /// Prints a result: JSON, or lines for people.
    pub(super) fn print(&self, json: &serde_json::Value, lines: &[String]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{json:#}")?;
        } else {
            for line in lines {
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }
}

pub(super) fn execute(args: &SubjectArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Access(args) => access::access(args, wall),
        Command::Export(args) => access::export(args, wall),
        Command::Erase(args) => erase::execute(args, wall),
        Command::Restrict(args) => record::restrict(args, wall),
        Command::Object(args) => record::object(args, wall),
        Command::Withdraw(args) => record::withdraw(args, wall),
        Command::Rectify(args) => rectify::execute(args, wall),
        Command::Recipients(args) => record::recipients(args, wall),
    }
}

/// Asks on the terminal; without one, only `--yes` will do.
pub(super) fn confirmed(question: &str, yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Usage("this destroys data and there is no terminal to ask: repeat it with --yes".to_owned()).into());
    }
    eprint!("{question} Type yes to go on: ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}
