//! `prosopon policy diff`: what changes between two policies, and what it would have changed.
//!
//! Invariant: only reads; exit code 0 = told, 2 = a policy cannot be read.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::book::Opened;
use super::exit::Usage;
use super::subject::AtHome;
use crate::audit::replay::{Replay, replay};
use crate::config::load_document;
use crate::consent::gate::Clock;
use crate::consent::policy::{Policy, PolicyFile};
use crate::consent::policy_diff::{Effect, changes};
use crate::run::engine::RunError;
use crate::run::home::Home;

#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell every difference of two policies, and with --replay what it would have changed
    Diff(DiffArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "A and B are policy files, or the hash (or its first digits) of a policy that the home has \
applied.\n--replay makes every decision of the log again under both, with the ledger and the time of the decision.")]
struct DiffArgs {
    /// The policy from which
    #[arg(value_name = "A")]
    from: String,
    /// The policy to which
    #[arg(value_name = "B")]
    to: String,
    /// Make every decision of the home's log again under both
    #[arg(long)]
    replay: bool,
    #[command(flatten)]
    home: AtHome,
}

pub(super) fn execute(args: &PolicyArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let Command::Diff(args) = &args.command;
    let home = args.home.path();
    let (from, to) = (read(&args.from, &home)?, read(&args.to, &home)?);
    let changes = changes(&from, &to);
    let mut lines: Vec<String> = changes
        .iter()
        .map(|c| {
            let sign = match c.effect {
                Effect::Narrower => "-",
                Effect::Wider => "+",
                Effect::Neutral => " ",
            };
            format!("{sign} {}  ({})", c.sentence, c.place)
        })
        .collect();
    if lines.is_empty() {
        lines.push("the two say the same".to_owned());
    }
    let replayed = if args.replay { Some(replayed(&home, &from, &to, wall)?) } else { None };
    if let Some(r) = &replayed {
        lines.push(String::new());
        lines.extend(told(r));
    }
    args.home
        .print(&json!({ "from": from.hash(), "to": to.hash(), "changes": changes, "replay": replayed }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

fn told(r: &Replay) -> Vec<String> {
    let mut lines = vec![format!(
        "{} decisions made again: {} permitted and {} refused under both; something changes for {} people",
        r.decisions, r.both_permit, r.both_refuse, r.people
    )];
    lines.extend(r.refused_now.iter().map(|(what, n)| format!("- {n:>6}  {what}")));
    lines.extend(r.permitted_now.iter().map(|(what, n)| format!("+ {n:>6}  {what}")));
    if r.erased > 0 {
        lines.push(format!("  {:>6}  about erased people: nobody can make them again", r.erased));
    }
    lines
}

/// A policy file, or one that the home has applied.
fn read(text: &str, home: &Path) -> anyhow::Result<Policy> {
    if Path::new(text).is_file() {
        let source = std::fs::read_to_string(text).map_err(|e| Usage(format!("{text}: cannot be read: {e}")))?;
        let (file, _) = load_document::<PolicyFile>(&source, text).map_err(RunError::Config)?;
        return Ok(Policy::new(file));
    }
    let unknown =
        || Usage(format!("{text}: there is no such file, and the home {} has applied no such policy", home.display()));
    if text.len() < 6 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(unknown().into());
    }
    let opened = Home::open(home)?;
    let mut found = std::fs::read_dir(home.join("policy"))?
        .flatten()
        .filter_map(|f| f.file_name().to_str()?.strip_suffix(".json").map(str::to_owned))
        .filter(|hash| hash.starts_with(text));
    match (found.next(), found.next()) {
        (Some(hash), None) => Ok(opened.policy(&hash)?),
        (Some(_), Some(_)) => Err(Usage(format!("several policies begin with {text}: write more digits")).into()),
        (None, _) => Err(unknown().into()),
    }
}

fn replayed(path: &Path, from: &Policy, to: &Policy, wall: &Clock) -> anyhow::Result<Replay> {
    let home = Home::open(path)?;
    let legal = home.legal_to_read()?;
    Ok(Opened::new(home, legal, None, wall)?.with(|book| replay(book, from, to))?)
}
