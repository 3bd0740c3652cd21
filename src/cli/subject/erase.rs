//! `subject erase`: everything of a person goes, a receipt stays.
//!
//! Invariant: what proves the erasure is looked for in every file, decoded and raw, before and after; a hit after it is
//! exit code 1.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::super::exit::Usage;
use super::{AtHome, confirmed};
use crate::audit::{Kind, Leaf, Stage};
use crate::config::Encryption;
use crate::consent::gate::Clock;
use crate::model::SubjectId;
use crate::rights::erase::{self, Receipt};
use crate::rights::office::{Office, OfficeError};
use crate::rights::verify_erasure;
use crate::rights::{Needle, Report, Scan, Verdict};
use crate::sink::{self, HomeLock, LockError, Select};

/// A violation was found.
const FOUND: u8 = 1;
/// It could not be checked.
const NOT_CHECKED: u8 = 2;

#[derive(Debug, Args)]
#[command(after_help = "The command looks for the subject id, the CRM record id, an e-mail address given as SUBJECT, \
and every --look-for text, in every file of the home before and after.\nExit codes: 0 erased and nothing found, \
1 traces found, 2 could not check, 3 home.")]
pub(super) struct EraseArgs {
    /// The person: subject id (sub_...), the CRM's record id, or an e-mail address
    #[arg(value_name = "SUBJECT", required_unless_present_any = ["verify", "pending"])]
    subject: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Where the receipt goes [default: HOME/receipts/erasure-TIME.json]
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Also look for this text, for instance the name; it is not stored
    #[arg(long = "look-for", value_name = "TEXT")]
    look_for: Vec<String>,
    /// Check an earlier erasure by its receipt instead
    #[arg(long, value_name = "RECEIPT", conflicts_with_all = ["subject", "yes", "receipt"])]
    verify: Option<PathBuf>,
    /// List instead whose erasure was begun and not ended: repeat the command for each
    #[arg(long, conflicts_with_all = ["subject", "yes", "receipt", "verify", "look_for"])]
    pending: bool,
    #[command(flatten)]
    home: AtHome,
}

pub(super) fn execute(args: &EraseArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    if args.pending {
        return pending(args, wall);
    }
    match (&args.verify, &args.subject) {
        (Some(receipt), _) => verify(args, receipt, wall),
        (None, Some(subject)) => run(args, subject, wall),
        (None, None) => Err(Usage("name the person, or a receipt with --verify".to_owned()).into()),
    }
}

fn run(args: &EraseArgs, text: &str, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut office = args.home.office(wall)?;
    let subject = office.find(text)?;
    let needles = needles(&office, &subject, text, &args.look_for)?;
    let home = office.home.path().to_owned();
    if !confirmed(&format!("Everything about {subject} in {} will be destroyed.", home.display()), args.yes)? {
        eprintln!("nothing was done");
        return Ok(ExitCode::from(NOT_CHECKED));
    }
    let before = scan(&home, &needles)?;
    let lock = HomeLock::acquire(&home);
    let run_goes_on = matches!(lock, Err(LockError::Held { .. }));
    // An erasure whose receipt cannot be written would leave no proof.
    let name = format!("receipts/erasure-{}.json", wall().strftime("%Y%m%dT%H%M%S%6f"));
    let path = args.receipt.clone().unwrap_or_else(|| home.join(name));
    if !run_goes_on {
        prepare(&path)?;
    }
    // What came in or was rotated while it was asked, this reads anew.
    let announced = erase::announce(&mut office, &subject, run_goes_on)?;
    let lock = match lock {
        Ok(lock) => lock,
        Err(error) => {
            office.log.publish()?;
            let text = "the erasure is recorded and the gate refuses from now on, but a run holds the home: repeat \
                        the command when it has ended, to destroy the data";
            return Err(anyhow::Error::from(OfficeError::Lock(error)).context(text));
        }
    };
    let receipt = erase::destroy(&mut office, &subject, &announced, lock)?;
    write(&path, &receipt)?;
    let after = scan(&home, &needles)?;
    let rows: u64 = receipt.rows.values().sum();
    let lines = vec![
        format!("before    {}", told(&before)),
        format!(
            "erased    {rows} row(s) of {} snapshot(s), {} sealed payload(s), the key",
            receipt.snapshots, receipt.payloads
        ),
        format!("after     {}", told(&after)),
        format!("kept out  {} keyed identifier(s) stay, so that no import brings the person back", receipt.suppressed),
        format!(
            "tell      {}",
            if receipt.recipients.is_empty() { "nobody".into() } else { receipt.recipients.join(", ") }
        ),
        format!("receipt   {}", path.display()),
    ];
    let lines: Vec<String> = lines.into_iter().chain(left(&after)).collect();
    let json = json!({
        "receipt": receipt, "receipt_file": path, "hits_before": hits(&before), "hits_after": hits(&after),
        "files_scanned": after.files, "unreadable": after.unreadable.len(),
        "left_in": after.hits, "unreadable_files": after.unreadable,
    });
    args.home.print(&json, &lines)?;
    Ok(code(&after))
}

/// Lists whose erasure must be repeated.
fn pending(args: &EraseArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = args.home.office(wall)?;
    let begun = office.vault.being_erased()?;
    // Not about each of them: a tag here would lead from the erasure to the person's trail once it has ended.
    let leaf = Leaf { stage: Some(Stage::Read), ..Leaf::new(Kind::Read) };
    let leaf = leaf.fact("command", "subject erase --pending").fact("asked", begun.len());
    office.log.append_now(vec![leaf.into()])?;
    office.log.publish()?;
    let none = begun.is_empty().then(|| "no erasure waits to be repeated".to_owned());
    let lines: Vec<String> = begun.iter().map(ToString::to_string).chain(none).collect();
    args.home.print(&json!({ "pending": begun }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

fn verify(args: &EraseArgs, path: &Path, wall: &Clock) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Usage(format!("the receipt {} cannot be read: {e}", path.display())))?;
    let receipt: Receipt = serde_json::from_str(&text)
        .map_err(|e| Usage(format!("{} line {}: this is no erasure receipt", path.display(), e.line())))?;
    let office = args.home.office(wall)?;
    let checked = verify_erasure::check(&office, &receipt)?;
    let mut needles = Vec::new();
    for (n, text) in args.look_for.iter().enumerate() {
        needles.push(Needle::new(&format!("text {}", n + 1), text).map_err(|e| Usage(e.to_string()))?);
    }
    let entry = receipt.entry;
    // Copies that somebody has put into the home, too.
    let report = scan_about(office.home.path(), &needles, move |id| receipt.is_about(id) == Some(true))?;
    let mut lines: Vec<String> = checked.found.iter().map(|f| format!("VIOLATION {f}")).collect();
    lines.extend(left(&report));
    if lines.is_empty() {
        lines.push(format!(
            "complete: entry {entry} is in the log, nobody in any file or in the vault is that person, and the receipt {}",
            if checked.unproven.is_empty() { "is as it was written" } else { "speaks of it" }
        ));
    }
    if !checked.unproven.is_empty() {
        let fields = checked.unproven.join(", ");
        lines
            .push(format!("not proven: {fields}: the receipt is of an older version, and the log does not bind these"));
    }
    lines.push(told(&report));
    let json = json!({
        "violations": checked.found, "unproven": checked.unproven, "hits": hits(&report),
        "unreadable": report.unreadable.len(), "left_in": report.hits, "unreadable_files": report.unreadable,
    });
    args.home.print(&json, &lines)?;
    Ok(if checked.found.is_empty() { code(&report) } else { ExitCode::from(FOUND) })
}

/// Which files still have something, and which could not be looked into: it is for the caller to delete or open them.
fn left(report: &Report) -> Vec<String> {
    let hits = report.hits.iter().map(|hit| {
        let (file, how) = (hit.file.display(), &hit.how);
        format!(
            "LEFT      {file}: the {} stands in it {} time(s) ({how}): delete or clean the file",
            hit.label, hit.count
        )
    });
    let unreadable = report
        .unreadable
        .iter()
        .map(|file| format!("UNCHECKED {}: {}: look into it, or delete it", file.file.display(), file.why));
    hits.chain(unreadable).collect()
}

/// What a person can be recognised by, as far as the home or the caller knows it.
fn needles(office: &Office, subject: &SubjectId, text: &str, more: &[String]) -> anyhow::Result<Vec<Needle>> {
    let mut texts = vec![("subject id".to_owned(), subject.as_str().to_owned())];
    if !text.starts_with(SubjectId::PREFIX) {
        texts.push((if text.contains('@') { "e-mail" } else { "record id" }.to_owned(), text.trim().to_owned()));
    }
    for pipeline in sink::pipelines(office.home.path()) {
        for snapshot in sink::snapshots(office.home.path(), &pipeline)? {
            for persona in sink::read_personas(&snapshot, &Select::Subject(subject.clone()))? {
                texts.push(("record id".to_owned(), persona.crm_record));
            }
        }
    }
    texts.extend(more.iter().enumerate().map(|(n, text)| (format!("text {}", n + 1), text.clone())));
    texts.sort();
    texts.dedup();
    texts.iter().map(|(label, text)| Needle::new(label, text).map_err(|e| Usage(e.to_string()).into())).collect()
}

/// Searches every file of a home, encrypted tables too.
fn scan(home: &Path, needles: &[Needle]) -> anyhow::Result<Report> {
    scan_about(home, needles, |_| false)
}

/// The same, and for the subject id of somebody who is known only when it is seen.
fn scan_about(home: &Path, needles: &[Needle], is_it: impl Fn(&SubjectId) -> bool + 'static) -> anyhow::Result<Report> {
    let keys = [Encryption::Uniform, Encryption::ByCategory].map(|e| sink::held_keys(home, e));
    Ok(Scan::new(needles)?.keys(keys.into_iter().flatten()).about(is_it).run(home))
}

fn hits(report: &Report) -> u64 {
    report.hits.iter().map(|h| h.count).sum()
}

fn told(report: &Report) -> String {
    let files: std::collections::BTreeSet<_> = report.hits.iter().map(|h| &h.file).collect();
    let unread = report.unreadable.len();
    let unread = if unread == 0 { String::new() } else { format!(", {unread} file(s) could not be read") };
    format!("{} trace(s) in {} of {} file(s){unread}", hits(report), files.len(), report.files)
}

fn code(report: &Report) -> ExitCode {
    match report.verdict() {
        Verdict::Clean => ExitCode::SUCCESS,
        Verdict::Found => ExitCode::from(FOUND),
        Verdict::CouldNotCheck => ExitCode::from(NOT_CHECKED),
    }
}

/// Makes the place of the receipt before anything is destroyed.
fn prepare(path: &Path) -> anyhow::Result<()> {
    let folder = crate::run::files::folder_of(path);
    crate::run::files::private_dir(folder)
        .map_err(|e| Usage(format!("{} cannot be made, so nothing was erased: {e}", folder.display())))?;
    crate::run::files::write_atomically(path, b"{ \"state\": \"an erasure is under way; if this stays, repeat it\" }\n")
        .map_err(|e| Usage(format!("{} cannot be written, so nothing was erased: {e}", path.display())).into())
}

fn write(path: &Path, receipt: &Receipt) -> anyhow::Result<()> {
    let text = format!("{:#}\n", serde_json::to_value(receipt)?);
    let told = || format!("the erasure is done, but the receipt {} cannot be written", path.display());
    crate::run::files::private_dir(crate::run::files::folder_of(path)).with_context(told)?;
    crate::run::files::write_atomically(path, text.as_bytes()).with_context(told)
}
