//! `prosopon consent`: import legal events, export and prove them, show them by both times.
//!
//! Invariant: nothing here decides, and no name or address is printed: people are subject tags.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::HomeArg;
use super::exit::{DEAD_LETTERS, Usage};
use crate::consent::dialect::{self, Dialect, Export, Key, Mapping, Outcome, Problem, Reading, Record, STANDING};
use crate::consent::event::LegalEvent;
use crate::consent::gate::Clock;
use crate::consent::jsonld::{self, Exporter, Known};
use crate::crm::{self, CsvSource, FileSet};
use crate::model::SubjectId;
use crate::rights::office::Office;
use crate::run::home::Home;

#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Import what a CRM or a table says: a no always, a yes only through a mapping
    Import(ImportArgs),
    /// Print consent records as JSON-LD (ISO/IEC TS 27560, DPV 2.3), of one person or of all
    Export(ExportArgs),
    /// Show what can be proven for each purpose of a person, and what is missing
    Proof(ProofArgs),
    /// List a person's legal events, by when they happened and by when they were known
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Exports of one moment, all together: JSON, JSON Lines, CSV or Parquet, told apart by content
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Whose words they are
    #[arg(long, value_enum)]
    dialect: Dialect,
    /// The CRM's name in the pipeline [default: the only one of the home]
    #[arg(long, value_name = "NAME")]
    crm: Option<String>,
    /// What positive answers grant; without it they grant nothing
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// An export of the contacts, for consents that name an address instead of a record id
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,
    /// Write nothing
    #[arg(long)]
    dry_run: bool,
    /// How many problems may be there before the exit code is 1
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_problems: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArg,
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
        ConsentCommand::Import(args) => import(args, wall),
        ConsentCommand::Export(args) => export(args, wall),
        ConsentCommand::Proof(args) => proof(args, wall),
        ConsentCommand::Show(args) => show(args, wall),
    }
}

fn import(args: &ImportArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut office = Office::open(&args.home.path(), wall)?;
    let home = Home::open(&args.home.path())?;
    let crm = crm_of(&home, args.crm.as_deref())?;
    let mapping = args.mapping.as_deref().map_or_else(|| Ok(Mapping::default()), mapping_of)?;
    let exports: Vec<Export> = args.files.iter().map(|f| parse(f)).collect::<anyhow::Result<_>>()?;
    let by_address = args.contacts.as_deref().map_or_else(|| Ok(HashMap::new()), |f| contacts(args.dialect, f))?;
    // Of several pages the last one has no successor; where all have one, it was not exported.
    let incomplete = exports.iter().all(|e| e.has_more);
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    for export in exports {
        records.extend(export.records);
        problems.extend(export.problems);
    }
    if home.is_demo() {
        invented_only(&records, by_address.keys())?;
    }
    let outcome = {
        let resolve = |key: &Key| people(&office, &crm, &by_address, key);
        let (ids, dialect) = (home.ids(), args.dialect);
        dialect::read(&Reading { dialect, system: &crm, ids, mapping: &mapping, resolve: &resolve }, &records)
    };
    problems.extend(outcome.problems.iter().cloned());
    let before = office.ledger.view().state().count();
    if args.dry_run {
        office.ledger.preview(&outcome.events, &[], wall());
    } else {
        office.import(&outcome.events, &format!("consent import {}", args.dialect))?;
    }
    let new = office.ledger.view().state().count() - before;
    let report =
        ImportReport { args, crm: &crm, home: &home, records: records.len(), outcome: &outcome, new, incomplete };
    report.print(&problems)?;
    Ok(if problems.len() > args.max_problems { ExitCode::from(DEAD_LETTERS) } else { ExitCode::SUCCESS })
}

fn mapping_of(path: &Path) -> anyhow::Result<Mapping> {
    Mapping::parse(&read_text(path)?).with_context(|| path.display().to_string())
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = read_bytes(path)?;
    String::from_utf8(bytes).map_err(|_| Usage(format!("{} is not UTF-8", path.display())).into())
}

/// A file that was named by hand and cannot be read is a mistake of usage, not of the home.
fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).map_err(|e| Usage(format!("cannot read {}: {e}", path.display())).into())
}

fn parse(path: &Path) -> anyhow::Result<Export> {
    Ok(dialect::parse(name_of(path), &read_bytes(path)?)?)
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).unwrap_or("file")
}

/// Record ids by address.
fn contacts(dialect: Dialect, path: &Path) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let pairs: Vec<(String, String)> = if dialect == Dialect::Table {
        // The contacts of a pipeline of files, with its headers.
        let set = FileSet { path: path.display().to_string(), ..FileSet::default() };
        let source = CsvSource { name: String::new(), contacts: set, ..CsvSource::default() };
        let pulled = crm::pull(&source, Path::new(""))?;
        let pairs = pulled.contacts.into_iter().flat_map(|c| {
            let record = c.record_id;
            c.emails.into_iter().map(move |e| (e.reveal().clone(), record.clone())).collect::<Vec<_>>()
        });
        pairs.collect()
    } else {
        dialect::addresses(dialect, &parse(path)?.records)
    };
    if pairs.is_empty() {
        return Err(Usage(format!("{} has no address of any contact", path.display())).into());
    }
    let mut by_address: HashMap<String, Vec<String>> = HashMap::new();
    for (address, record) in pairs {
        by_address.entry(address).or_default().push(record);
    }
    Ok(by_address)
}

/// Whom the home has seen: nobody else gets into the ledger.
fn people(office: &Office, crm: &str, by_address: &HashMap<String, Vec<String>>, key: &Key) -> Vec<SubjectId> {
    let one = |record: &str| office.home.ids().subject(crm, record);
    let mut candidates: Vec<SubjectId> = match key {
        Key::Record(record) => vec![one(record.reveal())],
        Key::Email(address) => {
            // By the file of contacts, and by the addresses under which the home has read people.
            let stated = by_address.get(address.reveal()).into_iter().flatten().map(|r| one(r));
            stated.chain(office.vault.find(&office.identifiers.email(address.reveal()))).collect()
        }
    };
    candidates.sort();
    candidates.dedup();
    candidates.into_iter().filter(|subject| office.ledger.view().first_seen(subject).is_some()).collect()
}

fn crm_of(home: &Home, asked: Option<&str>) -> anyhow::Result<String> {
    let known = home.crms();
    let list = known.join(", ");
    match (asked, known) {
        (_, []) => {
            Err(Usage(format!("{}: no CRM has been read here yet; run a pipeline first", home.path().display())))
        }
        (Some(name), _) if known.iter().any(|k| k == name) => Ok(name.to_owned()),
        (Some(name), _) => Err(Usage(format!("{}: no CRM {name:?} here; there are: {list}", home.path().display()))),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Usage(format!("several CRMs: choose with --crm one of {list}"))),
    }
    .map_err(Into::into)
}

/// The demo's id key is public: real people have no place in it.
fn invented_only<'a>(records: &[Record], addresses: impl Iterator<Item = &'a String>) -> anyhow::Result<()> {
    fn words(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => found.extend(text.split([' ', ';', ',', '<', '>']).map(str::to_owned)),
            serde_json::Value::Array(values) => values.iter().for_each(|v| words(v, found)),
            serde_json::Value::Object(map) => map.values().for_each(|v| words(v, found)),
            _ => {}
        }
    }
    let mut found: Vec<String> = addresses.cloned().collect();
    records.iter().flat_map(|r| r.fields.values()).for_each(|v| words(v, &mut found));
    let reserved = ["example", "test", "invalid", "localhost"];
    let is_real = |word: &&String| {
        let host = word.rsplit_once('@').map(|(_, host)| host.trim_end_matches('.').to_ascii_lowercase());
        host.is_some_and(|h| !h.is_empty() && !reserved.contains(&h.rsplit('.').next().unwrap_or_default()))
    };
    match found.iter().filter(is_real).count() {
        0 => Ok(()),
        real => {
            let text =
                format!("{real} addresses outside *.example and *.test: a demo home is for invented people only");
            Err(Usage(text).into())
        }
    }
}

struct ImportReport<'a> {
    args: &'a ImportArgs,
    crm: &'a str,
    home: &'a Home,
    records: usize,
    outcome: &'a Outcome,
    new: u64,
    incomplete: bool,
}

impl ImportReport<'_> {
    fn print(&self, problems: &[Problem]) -> anyhow::Result<()> {
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        for event in &self.outcome.events {
            *kinds.entry(word(event)).or_default() += 1;
        }
        let mut out = std::io::stdout().lock();
        if self.args.json {
            let letters: Vec<_> = problems
                .iter()
                .map(|p| {
                    let letter = p.dead_letter(self.home.ids());
                    json!({ "reason": letter.reason, "detail": letter.detail, "row_commitment": letter.row_commitment,
                            "subject_id": letter.subject_id })
                })
                .collect();
            let report = json!({
                "dialect": self.args.dialect, "crm": self.crm, "dry_run": self.args.dry_run, "records": self.records,
                "events": self.outcome.events.len(), "new": self.new, "by_kind": kinds,
                "unmapped": self.outcome.unmapped, "absent": self.outcome.absent,
                "incomplete_export": self.incomplete, "problems": letters,
            });
            writeln!(out, "{report}")?;
            return Ok(());
        }
        let dry = if self.args.dry_run { ", nothing written" } else { "" };
        writeln!(out, "{} of {}: {} records{dry}", self.args.dialect, self.crm, self.records)?;
        let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        let kinds = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
        writeln!(out, "events    {kinds}; {} new", self.new)?;
        for (answer, n) in &self.outcome.unmapped {
            writeln!(out, "no grant  {answer}, {n} time(s): no mapping says what it grants")?;
        }
        if !self.outcome.absent.is_empty() {
            let absent: Vec<&str> = self.outcome.absent.iter().map(String::as_str).collect();
            writeln!(out, "absent    {}: a no in them would be missed", absent.join(", "))?;
        }
        if self.incomplete {
            writeln!(out, "absent    the last page: every file says that there is a next one")?;
        }
        for problem in problems {
            writeln!(out, "problem   {}: {}", problem.reason, problem.detail())?;
        }
        Ok(())
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
    let subjects = match &args.subject {
        Some(text) => vec![office.find(text)?],
        None => office.ledger.view().subjects().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
    };
    office.log_read("consent export", &subjects)?;
    let people: Vec<(SubjectId, Vec<Known>)> =
        subjects.into_iter().map(|s| (s.clone(), history(&office, &s))).collect();
    let document = jsonld::export(&Exporter { controller: office.home.controller(), at: wall() }, &people);
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
    let proof = jsonld::proof(subject.as_str(), &history(&office, &subject), wall());
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
                    writeln!(out, "    {name:<9}{}", crate::sink::safe_text(value))?;
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
            crate::sink::safe_text(&origin),
            crate::sink::safe_text(event.external_id.as_deref().unwrap_or("without an id"))
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
