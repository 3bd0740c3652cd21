//! `prosopon consent`: import legal events, export and prove them, show them by both times.
//!
//! Invariant: nothing here decides, and no name or address is printed: people are subject tags.

mod import;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::HomeArg;
use super::exit::Usage;
use crate::consent::dialect::STANDING;
use crate::consent::event::LegalEvent;
use crate::consent::gate::Clock;
use crate::consent::jsonld::{self, Exporter, Known};
use crate::model::SubjectId;
use crate::rights::office::Office;

#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Import what a CRM or a table says: a no always, a yes only through a mapping
    Import(import::ImportArgs),
    /// Print consent records as JSON-LD (ISO/IEC TS 27560, DPV 2.3), of one person or of all
    Export(ExportArgs),
    /// Show what can be proven for each purpose of a person, and what is missing
    Proof(ProofArgs),
    /// List a person's legal events, by when they happened and by when they were known
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The contact: subject id (sub_...) or the CRM's record id [default: everybody]
    subject: Option<String>,
    /// Where to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    /// The contact: subject id (sub_...) or the CRM's record id
    subject: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The contact: subject id (sub_...) or the CRM's record id
    subject: String,
    /// What had happened by then
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    at: Option<Timestamp>,
    /// What was known by then
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    known_at: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArg,
}

pub(super) fn execute(command: &ConsentCommand, wall: &Clock) -> anyhow::Result<ExitCode> {
    match command {
        ConsentCommand::Import(args) => import::execute(args, wall),
        ConsentCommand::Export(args) => export(args, wall),
        ConsentCommand::Proof(args) => proof(args, wall),
        ConsentCommand::Show(args) => show(args, wall),
    }
}

fn word(event: &LegalEvent) -> String {
    serde_json::to_value(event.kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The events of a person with the time at which the home learned of each.
fn history(office: &Office, subject: &SubjectId) -> Vec<Known> {
    let entries = office.ledger.view().entries(subject).into_iter();
    let mut events: Vec<Known> =
        entries.map(|e| Known { event: e.event.clone(), known_at: Some(e.known_at) }).collect();
    jsonld::sort(&mut events);
    events
}
fn export(args: &ExportArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.home.path(), wall)?;
    super::book::known_pipeline(&office.home, &args.home)?;
    let subjects = match &args.subject {
        Some(text) => vec![office.find(text)?],
        None => office.ledger.view().subjects().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
    };
    office.log_read("consent export", &subjects)?;
    let people: Vec<(SubjectId, Vec<Known>)> =
        subjects.into_iter().map(|s| (s.clone(), history(&office, &s))).collect();
    let document = jsonld::export(&Exporter { controller: office.home.controller(), at: office.now() }, &people);
    let text = serde_json::to_string_pretty(&document)? + "\n";
    match &args.to {
        Some(path) => crate::run::files::write_atomically(path, text.as_bytes())
            .map_err(|e| Usage(format!("cannot write {}: {e}", path.display())))?,
        None => std::io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn proof(args: &ProofArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.home.path(), wall)?;
    let subject = office.find(&args.subject)?;
    office.log_read("consent proof", std::slice::from_ref(&subject))?;
    let proof = jsonld::proof(subject.as_str(), &history(&office, &subject), office.now());
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&proof)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{subject}, as of {}", seconds(proof.at))?;
    if proof.purposes.is_empty() {
        writeln!(out, "nothing: neither a grant nor anything against it")?;
    }
    for (purpose, entries) in &proof.purposes {
        writeln!(out, "\n{}", if purpose == "*" { "all purposes" } else { purpose })?;
        for entry in entries {
            let word = |value: serde_json::Value| value.as_str().unwrap_or_default().replace('_', " ");
            let (kind, state) = (word(json!(entry.kind)), word(json!(entry.state)));
            let basis = entry.basis.map_or(String::new(), |b| format!(" under {b}"));
            writeln!(out, "  {kind}{basis}: {state}")?;
            let until = entry.valid_to.map_or(String::new(), |at| format!(", until {}", seconds(at)));
            let written = entry.recorded_at.map_or("undated".to_owned(), |at| seconds(at).to_string());
            writeln!(out, "    since {}, written down {written}{until}", dated(entry.effective_at))?;
            if let Some(known) = entry.known_at {
                writeln!(out, "    known since {}", seconds(known))?;
            }
            for (name, value) in [
                ("method", &entry.method),
                ("notice", &entry.notice_id),
                ("wording", &entry.wording_hash),
                ("language", &entry.language),
                ("actor", &entry.actor),
                ("origin", &Some(entry.origin.clone())),
                ("event", &entry.event_id),
            ] {
                if let Some(value) = value {
                    writeln!(out, "    {name:<9}{}", crate::safe_text::terminal_text(value))?;
                }
            }
            if !entry.missing.is_empty() {
                let missing: Vec<String> = entry.missing.iter().map(|m| word(json!(m))).collect();
                writeln!(out, "    missing  {}", missing.join(", "))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &ShowArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.home.path(), wall)?;
    let subject = office.find(&args.subject)?;
    office.log_read("consent show", std::slice::from_ref(&subject))?;
    let had_happened = |k: &Known| {
        let at = k.event.effective_at();
        args.at.is_none_or(|limit| at <= limit || at == STANDING)
    };
    let was_known = |k: &Known| args.known_at.is_none_or(|limit| k.known_at.is_some_and(|at| at <= limit));
    let mut events = history(&office, &subject);
    events.retain(|k| had_happened(k) && was_known(k));
    let mut out = std::io::stdout().lock();
    if args.json {
        let list: Vec<_> = events.iter().map(|k| json!({ "event": k.event, "known_at": k.known_at })).collect();
        writeln!(out, "{}", json!({ "subject": subject, "events": list }))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{subject}: {} events", events.len())?;
    for known in &events {
        let event = &known.event;
        let join = |set: Vec<&str>| if set.is_empty() { "all".to_owned() } else { set.join("|") };
        let purposes = join(event.scope.purposes.iter().map(String::as_str).collect());
        let classes = join(event.scope.source_classes.iter().map(|c| c.as_str()).collect());
        let basis = event.basis.map_or(String::new(), |b| format!(" under {}", b.article()));
        let until = event.valid_to.map_or(String::new(), |at| format!(", until {}", seconds(at)));
        let undated = |at: Timestamp| dated((at != STANDING).then_some(at));
        writeln!(out, "{}  {}{basis}: {purposes} from {classes}{until}", undated(event.effective_at()), word(event))?;
        let known = known.known_at.map_or(String::new(), |at| format!(", known since {}", seconds(at)));
        let origin = format!("{} {}", event.origin.system, event.origin.field);
        writeln!(
            out,
            "    written down {}{known}; {}; {}",
            undated(event.recorded_at),
            crate::safe_text::terminal_text(&origin),
            crate::safe_text::terminal_text(event.external_id.as_deref().unwrap_or("without an id"))
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn dated(at: Option<Timestamp>) -> String {
    at.map_or("from ever".to_owned(), |at| seconds(at).to_string())
}

/// Without fractions.
fn seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
