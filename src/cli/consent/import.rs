//! `prosopon consent import`: what CRMs and tables say, into the ledger.
//!
//! Invariant: only people whom the home has seen get events; what is printed names places and never content.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::word;
use crate::cli::HomeArg;
use crate::cli::exit::{DEAD_LETTERS, Usage};
use crate::consent::dialect::{self, Dialect, Export, Key, Mapping, Outcome, Problem, Reading, Record};
use crate::consent::gate::Clock;
use crate::crm::{self, CsvSource, FileSet};
use crate::model::SubjectId;
use crate::rights::office::Office;
use crate::rights::refresh::refresh;
use crate::run::home::Home;

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

pub(super) fn execute(args: &ImportArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
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
        // A no must not wait for the next run.
        let no = outcome.events.iter().filter(|e| e.kind.is_negative()).map(|e| e.subject.clone());
        let no: Vec<SubjectId> = no.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        if !no.is_empty() {
            office.log_rights(&no, "consent import")?;
            refresh(&office, &no, "consent import")?;
            office.log.publish()?;
        }
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
