//! `prosopon audit verify` and `audit cosign`.
//!
//! Invariant: exit code 0 = intact, 1 = violated, 2 = could not check. Nothing is repaired, and nothing is skipped
//! because something else is wrong.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use prosopon_tlog::{Checkpoint, FindingKind, Vkey, Witness};
use serde::Serialize;

use super::HomeArg;
use super::book::{Opened, known_pipeline};
use super::exit::Usage;
use crate::audit::report::coverage;
use crate::audit::source::Book;
use crate::audit::verify::{Content, Finding, content};
use crate::audit::{LogReader, Place, anchor};
use crate::consent::gate::Clock;
use crate::consent::ledger::{Ledger, LedgerError};
use crate::keys::{Vault, VaultError};
use crate::run::home::{Home, HomeError};

/// As many findings are shown to people; JSON has all.
const SHOWN: usize = 20;
/// Something is wrong.
const VIOLATED: u8 = 1;
/// It could not be checked.
const NOT_CHECKED: u8 = 2;

#[derive(Debug, Args)]
#[command(
    after_help = "Checks signatures, every entry against its tile and the signed root, consistency with the last \
known checkpoint (and with one that you kept), sealed payloads, decisions made again from policy and ledger, tables \
against the hashes that were announced, and that every row has its permit and every permit its row.\n\
Exit codes: 0 intact, 1 violated, 2 could not check."
)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    home: HomeArg,
    /// A signed checkpoint that you kept: the log must extend it
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// The log's verifier key, from a place of your own [default: the home's]
    #[arg(long, value_name = "FILE")]
    vkey: Option<PathBuf>,
    /// A witness whose cosignature must be on the checkpoint or on --since
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<String>,
    /// Only the log itself: no replay, no tables
    #[arg(long)]
    log_only: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was checked.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    verdict: &'static str,
    origin: String,
    size: u64,
    root: String,
    /// Entries that were acknowledged and that no published checkpoint covers yet.
    pending: u64,
    cosigned: Vec<String>,
    content: Option<Content>,
    /// Rows without permit and permits without row.
    orphans: Option<u64>,
    findings: Vec<Finding>,
    unchecked: Vec<String>,
}

impl Outcome {
    fn find(&mut self, kind: &'static str, what: impl Into<String>) {
        self.findings.push(Finding { kind, entry: None, what: what.into() });
    }
}

pub(super) fn verify(args: &VerifyArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut outcome = Outcome::default();
    match open(&args.home.path(), &mut outcome) {
        Some(home) => {
            known_pipeline(&home, &args.home)?;
            check(args, home, wall, &mut outcome)?;
        }
        None if outcome.findings.is_empty() => {
            let text = format!("{} is no home that could be checked", args.home.path().display());
            outcome.unchecked.push(text);
        }
        None => {}
    }
    let (verdict, code) = match (outcome.findings.is_empty(), outcome.unchecked.is_empty()) {
        (false, _) => ("violated", VIOLATED),
        (true, false) => ("could not check", NOT_CHECKED),
        (true, true) => ("intact", 0),
    };
    outcome.verdict = verdict;
    print(&outcome, args.json)?;
    Ok(ExitCode::from(code))
}

/// Opens a home; a part that was taken away is a violation, a home that never was is none.
fn open(path: &Path, outcome: &mut Outcome) -> Option<Home> {
    match Home::open(path) {
        Ok(home) => Some(home),
        Err(error @ (HomeError::Damaged { .. } | HomeError::Missing { .. })) => {
            outcome.find("home", error.to_string());
            None
        }
        Err(error) => {
            outcome.unchecked.push(error.to_string());
            None
        }
    }
}

fn check(args: &VerifyArgs, home: Home, wall: &Clock, outcome: &mut Outcome) -> anyhow::Result<()> {
    let place = home.audit_place();
    // An auditor's copy may be read-only, and need neither vault nor ledger for the log itself.
    let legal = if args.log_only && args.vkey.is_some() { None } else { legal(&home, outcome) };
    let vkey = match (&args.vkey, &legal) {
        (Some(file), _) => read_vkey(file)?,
        (None, Some((vault, _))) => home.signer(vault)?.vkey().clone(),
        (None, None) => read_vkey(&place.folder.join("vkey"))?,
    };
    let kept_key = std::fs::read_to_string(place.folder.join("vkey")).unwrap_or_default();
    if args.vkey.is_none() && kept_key.trim() != vkey.to_string() {
        outcome.find("log", "audit/vkey is not the key that signs this log");
    }
    let witnesses = args
        .witnesses
        .iter()
        .map(|text| text.parse().map_err(|e| Usage(format!("--witness {text}: {e}")).into()))
        .collect::<anyhow::Result<Vec<Vkey>>>()?;
    let kept = args.since.as_deref().map(read_checkpoint).transpose()?;
    check_log(&place, &vkey, kept.as_ref(), &witnesses, outcome);
    let Some(legal) = legal.filter(|_| !args.log_only) else { return Ok(()) };
    match Opened::new(home, legal, args.home.pipeline.clone(), wall) {
        Ok(opened) => opened.with(|book| check_content(book, outcome)),
        Err(error) => outcome.find("log", error.to_string()),
    }
    Ok(())
}

/// What the entries say, against payloads, policies, ledger and tables.
fn check_content(book: &Book<'_>, outcome: &mut Outcome) {
    outcome.pending = book.leaves.len().saturating_sub(outcome.size);
    match content(book) {
        Ok(mut content) => {
            outcome.findings.append(&mut content.findings);
            for hash in &content.policies {
                let name = format!("policy/{hash}.json");
                if book.home.join(&name).exists() {
                    outcome.find("policy", format!("{name} is not the policy that was applied under this hash"));
                } else {
                    outcome.unchecked.push(format!("{name} is missing: decisions under it cannot be made again"));
                }
            }
            outcome.content = Some(content);
        }
        Err(error) => outcome.find("entry", error.to_string()),
    }
    match coverage::coverage(book) {
        Ok(coverage) => {
            outcome.orphans = Some(coverage.findings.total());
            if coverage.findings.total() > 0 {
                let text = format!("{} orphan(s): see `prosopon audit coverage`", coverage.findings.total());
                outcome.find("coverage", text);
            }
        }
        Err(error) => outcome.unchecked.push(error.to_string()),
    }
}

/// Vault and ledger; one that is not what was written is a violation.
fn legal(home: &Home, outcome: &mut Outcome) -> Option<(Vault, Ledger)> {
    match home.legal_to_read() {
        Ok(legal) => Some(legal),
        Err(HomeError::Ledger(error @ (LedgerError::Database { .. } | LedgerError::Checkpoint { .. }))) => {
            outcome.unchecked.push(error.to_string());
            None
        }
        Err(HomeError::Ledger(error)) => {
            outcome.find("ledger", error.to_string());
            None
        }
        Err(error @ (HomeError::Older { .. } | HomeError::Changed { .. })) => {
            outcome.find("home", error.to_string());
            None
        }
        Err(HomeError::Vault(error @ (VaultError::Missing { .. } | VaultError::Damaged { .. }))) => {
            outcome.find("vault", error.to_string());
            None
        }
        Err(error) => {
            outcome.unchecked.push(error.to_string());
            None
        }
    }
}

/// The log itself, against the last known checkpoint and against one that was kept elsewhere.
fn check_log(place: &Place, vkey: &Vkey, kept: Option<&Checkpoint>, witnesses: &[Vkey], outcome: &mut Outcome) {
    let known = match anchor(place) {
        Ok(known) => Some(known),
        Err(error) => {
            outcome.find("log", error.to_string());
            None
        }
    };
    let sinces: Vec<Option<&Checkpoint>> = match (&known, kept) {
        (Some(known), Some(kept)) if known.to_string() != kept.to_string() => vec![Some(known), Some(kept)],
        (Some(one), _) => vec![Some(one)],
        (None, kept) => vec![kept],
    };
    for since in sinces {
        let report = steady(place, vkey, since, witnesses);
        for finding in &report.findings {
            let entry = (!finding.leaves.is_empty()).then_some(finding.leaves.start);
            let what = finding.to_string();
            if finding.kind == FindingKind::Unreadable {
                outcome.unchecked.push(what);
            } else if !outcome.findings.iter().any(|f| f.what == what) {
                outcome.findings.push(Finding { kind: "log", entry, what });
            }
        }
        for c in &report.cosigned {
            let text = format!("{} at {} entries", c.witness, c.size);
            if !outcome.cosigned.contains(&text) {
                outcome.cosigned.push(text);
            }
        }
    }
    for witness in witnesses {
        if !outcome.cosigned.iter().any(|c| c.starts_with(witness.name())) {
            outcome.find("log", format!("the witness {} has cosigned neither checkpoint", witness.name()));
        }
    }
    if let Ok(reader) = prosopon_tlog::Reader::open(&place.folder) {
        let checkpoint = reader.checkpoint();
        checkpoint.origin().clone_into(&mut outcome.origin);
        outcome.size = checkpoint.size();
        outcome.root = checkpoint.root().to_string();
    }
}

/// Verifies the log; once more, if something was found while another process was publishing: that takes partial tiles away.
fn steady(place: &Place, vkey: &Vkey, since: Option<&Checkpoint>, witnesses: &[Vkey]) -> prosopon_tlog::Report {
    let file = place.folder.join("checkpoint");
    let mut before = std::fs::read(&file).ok();
    loop {
        let report = prosopon_tlog::verify(&place.folder, vkey, since, witnesses);
        let after = std::fs::read(&file).ok();
        if report.is_clean() || after == before {
            return report;
        }
        before = after;
    }
}

fn read_vkey(path: &Path) -> anyhow::Result<Vkey> {
    let text =
        std::fs::read_to_string(path).map_err(|e| Usage(format!("the key {} cannot be read: {e}", path.display())))?;
    text.trim().parse().map_err(|e| Usage(format!("{}: {e}", path.display())).into())
}

fn read_checkpoint(path: &Path) -> anyhow::Result<Checkpoint> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Usage(format!("the checkpoint {} cannot be read: {e}", path.display())))?;
    text.parse().map_err(|e| Usage(format!("{}: {e}", path.display())).into())
}

fn print(outcome: &Outcome, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, outcome)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(out, "{}  {} entries, root {}", outcome.verdict, outcome.size, outcome.root)?;
    if outcome.pending > 0 {
        writeln!(out, "  pending    {} entries wait for the next checkpoint, each under its own", outcome.pending)?;
    }
    if let Some(c) = &outcome.content {
        writeln!(out, "  entries    {} read: {}", c.entries, kinds(c))?;
        writeln!(out, "  decisions  {} made again, all the same; {} about erased people", c.replayed, c.erased)?;
        if c.swept > 0 {
            writeln!(out, "             {} entries were emptied when retention had ended", c.swept)?;
        }
        if c.earlier_rules > 0 {
            let (n, entries) = (c.earlier_rules, numbers(&c.earlier_entries));
            writeln!(out, "             {n} made under earlier rules of the gate, and not made so today: {entries}")?;
        }
        if c.not_replayable > 0 {
            writeln!(out, "             {} whose policy could not be read", c.not_replayable)?;
        }
        writeln!(out, "  tables     {} as announced", c.tables)?;
    }
    if let Some(orphans) = outcome.orphans {
        writeln!(out, "  coverage   {orphans} orphans, both ways")?;
    }
    for witness in &outcome.cosigned {
        writeln!(out, "  witness    {witness}")?;
    }
    for f in outcome.findings.iter().take(SHOWN) {
        let entry = f.entry.map_or_else(String::new, |n| format!("entry {n}: "));
        writeln!(out, "  VIOLATION  {}: {entry}{}", f.kind, f.what)?;
    }
    if outcome.findings.len() > SHOWN {
        writeln!(out, "  ...        {} more: --json lists them", outcome.findings.len() - SHOWN)?;
    }
    for text in &outcome.unchecked {
        writeln!(out, "  UNCHECKED  {text}")?;
    }
    Ok(())
}

fn numbers(entries: &[u64]) -> String {
    let shown: Vec<String> = entries.iter().take(SHOWN).map(u64::to_string).collect();
    let more = if entries.len() > SHOWN { " and more: --json lists them" } else { "" };
    format!("entries {}{more}", shown.join(", "))
}

fn kinds(content: &Content) -> String {
    let all: Vec<String> = content.kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    all.join(", ")
}

#[derive(Debug, Args)]
#[command(after_help = "The witness key is the data protection officer's own and lies outside the home. Keep the \
printed checkpoint: `audit verify --since FILE --witness VKEY` then proves that nothing was changed since.")]
pub(super) struct CosignArgs {
    #[command(flatten)]
    home: HomeArg,
    /// The witness key: a file with 32 bytes in hex
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Name of the witness, without spaces and +
    #[arg(long, value_name = "NAME", default_value = "dpo")]
    name: String,
    /// Make the key first
    #[arg(long)]
    new: bool,
    /// Where the cosigned checkpoint goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(super) fn cosign(args: &CosignArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let home = Home::open(&args.home.path())?;
    let (vault, _) = home.legal()?;
    let seed = witness_seed(args)?;
    let witness = Witness::from_seed(&args.name, &seed).map_err(|e| Usage(format!("--name {}: {e}", args.name)))?;
    let place = home.audit_place();
    let vkey = home.signer(&vault)?.vkey().clone();
    let known = anchor(&place)?;
    let report = prosopon_tlog::verify(&place.folder, &vkey, Some(&known), &[]);
    if !report.is_clean() {
        for finding in &report.findings {
            eprintln!("VIOLATION  {finding}");
        }
        eprintln!("nothing was cosigned: a witness signs what it has checked");
        return Ok(ExitCode::from(VIOLATED));
    }
    // Entries that no checkpoint covers yet were checked too; they get one now.
    home.audit(&vault, wall)?.publish()?;
    let note = LogReader::open(&place)?.checkpoint().to_string();
    let time = u64::try_from(wall().as_second()).unwrap_or(0);
    let cosigned = prosopon_tlog::cosign(&note, &witness, time).context("the checkpoint cannot be cosigned")?;
    match &args.to {
        Some(path) => crate::run::files::write_atomically(path, cosigned.as_bytes())
            .with_context(|| format!("{} cannot be written", path.display()))?,
        None => write!(std::io::stdout().lock(), "{cosigned}")?,
    }
    eprintln!("witness key for --witness: {}", witness.vkey());
    Ok(ExitCode::SUCCESS)
}

fn witness_seed(args: &CosignArgs) -> anyhow::Result<[u8; 32]> {
    if args.new {
        if args.key.exists() {
            return Err(Usage(format!("{} is there already: leave --new out", args.key.display())).into());
        }
        let seed = crate::keys::random()?;
        let text = format!("{}\n", data_encoding::HEXLOWER.encode(&seed));
        crate::run::files::write_atomically(&args.key, text.as_bytes())
            .with_context(|| format!("{} cannot be written", args.key.display()))?;
        return Ok(seed);
    }
    let text = std::fs::read_to_string(&args.key)
        .map_err(|e| Usage(format!("the witness key {} cannot be read: {e}; --new makes one", args.key.display())))?;
    let decoded = data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok();
    let seed = decoded.and_then(|bytes| bytes.try_into().ok());
    seed.ok_or_else(|| Usage(format!("{} holds no witness key: 64 hex digits", args.key.display())).into())
}
