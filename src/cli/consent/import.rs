//! `prosopon consent import`: what CRMs and tables say, into the ledger.
//!
//! Invariant: only people whom the home has seen get events; what is printed names places and never content.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::word;
use crate::cli::HomeArg;
use crate::cli::exit::{DEAD_LETTERS, Usage};
use crate::consent::dialect::{self, Dialect, Outcome};
use crate::consent::event::EventKind;
use crate::consent::gate::Clock;
use crate::crm::{self, CsvSource, FileSet};
use crate::model::SubjectId;
use crate::rights::office::Office;
use crate::rights::refresh::refresh;
use crate::run::clear::ClearNoes;
use crate::run::engine::RunError;
use crate::run::home::Home;
use crate::run::legal::{Directory, Exports, LegalError, is_real};

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
    let mapping = args.mapping.as_deref();
    let (exports, unread) = match Exports::open(args.dialect, &args.files, mapping) {
        Ok(exports) => (exports, None),
        // What the other files say plainly does not wait for this one.
        Err(error @ (LegalError::Read { .. } | LegalError::Input { .. })) if args.files.len() > 1 => {
            (Exports::of_readable(args.dialect, &args.files, mapping).map_err(RunError::from)?, Some(error))
        }
        Err(error) => return Err(RunError::from(error).into()),
    };
    let addresses = args.contacts.as_deref().map_or_else(|| Ok(Vec::new()), |f| contacts(args.dialect, f))?;
    if home.is_demo() {
        invented_only(&exports, &addresses)?;
    }
    let mut outcome = {
        let (ids, view) = (home.ids(), office.ledger.view());
        let mut people = Directory::new(&crm, ids, &office.identifiers, &office.vault, view);
        for (address, record) in &addresses {
            people.add_address(address, record);
        }
        exports.read(&people, office.now())
    };
    let stopped = unread.or_else(|| outcome.nobodys.take().map(|place| exports.nobodys(place)));
    if stopped.is_some() {
        outcome.events.retain(|event| event.kind.is_negative());
    }
    let before = office.ledger.view().state().count();
    if args.dry_run {
        office.ledger.preview(&outcome.events, &[], wall());
    } else {
        office.import(&outcome.events, &format!("consent import {}", args.dialect))?;
        // A no must not wait for the next run.
        let no = outcome.events.iter().filter(|e| e.kind.is_negative()).map(|e| e.subject.clone());
        let no: Vec<SubjectId> = no.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        if outcome.events.iter().any(|e| e.kind == EventKind::Lift) {
            office.release_lifted()?;
        }
        if !no.is_empty() {
            office.log_rights(&no, "consent import")?;
            refresh(&office, &no, "consent import")?;
            office.log.publish()?;
        }
    }
    let new = office.ledger.view().state().count() - before;
    ImportReport { args, crm: &crm, home: &home, exports: &exports, outcome: &outcome, new }.print()?;
    if let Some(error) = stopped {
        let why = RunError::from(error);
        let noes = ClearNoes::Recorded(new);
        return Err(if args.dry_run { why } else { RunError::Unclear { why: Box::new(why), noes } }.into());
    }
    Ok(if outcome.problems.len() > args.max_problems { ExitCode::from(DEAD_LETTERS) } else { ExitCode::SUCCESS })
}

/// Addresses with the record ids that have them.
fn contacts(dialect: Dialect, path: &Path) -> anyhow::Result<Vec<(String, String)>> {
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
        dialect::addresses(dialect, &Exports::open(dialect, &[path.to_owned()], None).map_err(RunError::from)?.records)
    };
    if pairs.is_empty() {
        return Err(Usage(format!("{} has no address of any contact", path.display())).into());
    }
    Ok(pairs)
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
fn invented_only(exports: &Exports, addresses: &[(String, String)]) -> anyhow::Result<()> {
    match exports.real_addresses() + addresses.iter().filter(|(address, _)| is_real(address)).count() {
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
    exports: &'a Exports,
    outcome: &'a Outcome,
    new: u64,
}

impl ImportReport<'_> {
    fn print(&self) -> anyhow::Result<()> {
        let (problems, records) = (&self.outcome.problems, self.exports.records.len());
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
                "dialect": self.args.dialect, "crm": self.crm, "dry_run": self.args.dry_run, "records": records,
                "events": self.outcome.events.len(), "new": self.new, "by_kind": kinds,
                "unmapped": self.outcome.unmapped, "absent": self.outcome.absent,
                "incomplete_export": self.exports.incomplete, "problems": letters,
            });
            writeln!(out, "{report}")?;
            return Ok(());
        }
        let dry = if self.args.dry_run { ", nothing written" } else { "" };
        writeln!(out, "{} of {}: {} records{dry}", self.args.dialect, self.crm, records)?;
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
        if self.exports.incomplete {
            writeln!(out, "absent    the last page: every file says that there is a next one")?;
        }
        for problem in problems {
            writeln!(out, "problem   {}: {}", problem.reason, problem.detail())?;
        }
        Ok(())
    }
}
