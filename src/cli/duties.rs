//! `notice record|history`, `retention sweep`, `keys rotate`: what a controller does on its own.
//!
//! Invariant: logged before it is done; what destroys asks first.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::exit::Usage;
use super::subject::{AtHome, confirmed};
use crate::audit::{Entry, Kind, Leaf, Payloads, Stage};
use crate::consent::event::{EventKind, Proof};
use crate::consent::gate::Clock;
use crate::fetch::{cassettes, expire_cassettes};
use crate::keys::{MasterKey, MasterSource};
use crate::model::SubjectId;
use crate::rights::office::{Office, OfficeError, TakenOut};
use crate::rights::refresh;
use crate::run::journal::Journal;
use crate::run::kept;
use crate::sink::{HomeLock, Table};

#[derive(Debug, Args)]
pub(super) struct RecordNoticeArgs {
    /// Who was told: subject ids, CRM record ids or e-mail addresses
    #[arg(value_name = "SUBJECT", required = true)]
    subjects: Vec<String>,
    /// The notice that was given, for instance N-2026-03
    #[arg(long, value_name = "ID")]
    notice_id: String,
    /// Purposes that it names
    #[arg(long = "purpose", value_name = "PURPOSE", required = true)]
    purposes: Vec<String>,
    /// Hash of its wording
    #[arg(long, value_name = "HASH")]
    wording_hash: Option<String>,
    /// Its language
    #[arg(long, value_name = "de|en")]
    language: Option<String>,
    /// How it was given
    #[arg(long, value_name = "METHOD", default_value = "e_mail")]
    method: String,
    /// When it was given [default: now]
    #[arg(long, value_name = "TIME", value_parser = super::instant)]
    at: Option<Timestamp>,
    #[command(flatten)]
    home: AtHome,
}

/// Records that people were told (Art. 14).
pub(super) fn record_notice(args: &RecordNoticeArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut office = args.home.office(wall)?;
    let at = args.at.unwrap_or_else(|| office.now());
    if at > office.now() {
        return Err(Usage(format!("--at {at} is in the future: a notice is recorded when it was given")).into());
    }
    office.check_purposes(&args.purposes)?;
    let (notice_id, method) = (Some(args.notice_id.clone()), Some(args.method.clone()));
    if !(Proof { method, notice_id, ..Proof::default() }).is_of_a_notice() {
        let advice =
            "the gate would not take the notice for given: --notice-id names its version, --method how it was given";
        return Err(Usage(advice.to_owned()).into());
    }
    // All are found before any is recorded.
    let people: Result<Vec<SubjectId>, _> = args.subjects.iter().map(|text| office.find(text)).collect();
    let people = people?;
    for subject in &people {
        let mut event = office.event(subject, EventKind::Notice, "notice");
        event.scope.purposes = args.purposes.iter().cloned().collect();
        event.valid_from = Some(at);
        event.proof.notice_id = Some(args.notice_id.clone());
        event.proof.method = Some(args.method.clone());
        event.proof.wording_hash.clone_from(&args.wording_hash);
        event.proof.language.clone_from(&args.language);
        office.record(event)?;
    }
    office.log.publish()?;
    let lines = [format!("recorded for {} person(s): notice {} given at {at}", people.len(), args.notice_id)];
    args.home.print(&json!({ "subjects": people, "notice_id": args.notice_id, "at": at }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// The person: subject id, CRM record id or e-mail address
    #[arg(value_name = "SUBJECT")]
    subject: String,
    #[command(flatten)]
    home: AtHome,
}

/// What a person was told, and when the clock began.
pub(super) fn notice_history(args: &HistoryArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = args.home.office(wall)?;
    let subject = office.find(&args.subject)?;
    office.log_read("notice history", std::slice::from_ref(&subject))?;
    let view = office.ledger.view();
    let first = view.first_seen(&subject);
    let mut lines =
        vec![first.map_or("never collected".to_owned(), |at| format!("first collected {at}: the clock began"))];
    let mut notices = Vec::new();
    for entry in view.entries(&subject).into_iter().filter(|e| e.event.kind == EventKind::Notice) {
        let e = entry.event;
        let purposes: Vec<&str> = e.scope.purposes.iter().map(String::as_str).collect();
        let id = e.proof.notice_id.as_deref().unwrap_or("without id");
        lines.push(format!(
            "given {}  notice {id} by {}, for {}; ledger entry {}, known {}",
            e.effective_at(),
            e.proof.method.as_deref().unwrap_or("unknown means"),
            purposes.join(", "),
            entry.seq,
            entry.known_at
        ));
        notices.push(json!({
            "given_at": e.effective_at(), "recorded_at": e.recorded_at, "known_at": entry.known_at, "entry": entry.seq,
            "notice_id": e.proof.notice_id, "method": e.proof.method, "language": e.proof.language,
            "wording_hash": e.proof.wording_hash, "purposes": purposes,
        }));
    }
    if notices.is_empty() {
        lines.push(
            "no notice was recorded; the wording of a proven consent counts as one for what it covers".to_owned(),
        );
    }
    args.home.print(&json!({ "subject_id": subject, "first_collected": first, "notices": notices }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only tell what would go
    #[arg(long)]
    dry_run: bool,
    /// Also destroy sealed copies of those whose processing is restricted (Art. 18); ask them before
    #[arg(long)]
    sealed: bool,
    #[command(flatten)]
    home: AtHome,
}

/// Destroys what is kept beyond its time. First collection stays in the ledger, so that nobody begins anew.
pub(super) fn sweep(args: &SweepArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut office = args.home.office(wall)?;
    let mut over = refresh::overdue(&office)?;
    let mut sealed = office.sealed_overdue()?;
    let waiting = if args.sealed { Vec::new() } else { std::mem::take(&mut sealed) };
    over.extend(sealed.into_iter().filter(|subject| !over.contains(subject)).collect::<Vec<_>>());
    let now = office.now();
    let tapes = cassettes(office.home.path()).map_err(|e| unreadable(&office, e))?;
    let tapes = tapes.iter().filter(|tape| tape.is_over(now)).count();
    let pages = kept::over(office.home.path(), None, now).map_err(OfficeError::from)?.len();
    let is_none = over.is_empty() && tapes == 0 && pages == 0;
    let what = format!("{} person(s), {tapes} recording(s) and what was read of {pages} page(s)", over.len());
    if is_none || args.dry_run {
        let line =
            if is_none { "nothing is kept beyond its time" } else { &format!("{what} are kept beyond their time") };
        let told = json!({
            "overdue": over.len(), "swept": 0, "recordings_overdue": tapes, "pages_overdue": pages,
            "sealed_waiting": waiting.len(),
        });
        args.home.print(&told, &[Some(line.to_owned()), waits(&waiting)].into_iter().flatten().collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if !confirmed(&format!("The data of {what} will be destroyed."), args.yes)? {
        eprintln!("nothing was done");
        return Ok(ExitCode::from(2));
    }
    // Held from the first entry on: a sweep that is logged is done.
    let _lock = HomeLock::acquire(office.home.path()).map_err(OfficeError::from)?;
    // Somebody may have been erased while it was asked.
    office.vault.reload()?;
    over.retain(|subject| office.vault.key(subject).is_some());
    let all = Leaf::new(Kind::Sweep).fact("people", over.len()).fact("recordings", tapes);
    let all = all.fact("pages", pages);
    let mut entries: Vec<Entry> = vec![all.into()];
    for subject in &over {
        let leaf = Leaf { stage: Some(Stage::Rights), ..Leaf::new(Kind::Sweep) };
        entries.push(Entry::of(leaf, office.key(subject).clone(), None));
    }
    office.log.append_now(entries)?;
    let tapes = expire_cassettes(office.home.path(), now).map_err(|e| unreadable(&office, e))?;
    let pages = kept::expire(office.home.path(), now).map_err(OfficeError::from)?;
    let TakenOut::Rewritten(changed) = refresh::refresh_locked(&office, &over, refresh::RETENTION)? else {
        return Err(Usage("a run holds the home: repeat the command when it has ended".to_owned()).into());
    };
    forget(&mut office, &over, &waiting)?;
    let rows: u64 = changed.iter().map(|(_, done)| Table::ALL.into_iter().map(|t| done.removed(t)).sum::<u64>()).sum();
    let line = format!(
        "{} person(s), {rows} row(s), {tapes} recording(s), what was read of {pages} page(s) destroyed; none of it is \
         permitted any more",
        over.len()
    );
    let told = json!({
        "overdue": over.len(), "swept": over.len(), "rows": rows, "recordings": tapes, "pages": pages,
        "sealed_waiting": waiting.len(),
    });
    args.home.print(&told, &[Some(line), waits(&waiting)].into_iter().flatten().collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}

/// Takes out what is kept of people beside the tables; the sealed copies of those who wait stay.
fn forget(office: &mut Office, over: &[SubjectId], waiting: &[SubjectId]) -> anyhow::Result<()> {
    let journal = Journal::open(&office.home.path().join("journal.sqlite"))?;
    let mut payloads = Payloads::open(&office.home.audit_place().payloads())?;
    for subject in over {
        journal.forget(subject)?;
        payloads.forget(office.key(subject))?;
    }
    let over = over.iter().filter(|subject| !waiting.contains(subject));
    office.store.release(&office.vault, over.map(|subject| office.key(subject)))?;
    office.log_store()?;
    office.log.publish()?;
    Ok(())
}

/// Sealed copies that a sweep leaves.
fn waits(waiting: &[SubjectId]) -> Option<String> {
    let text = "sealed cop(ies) of restricted people are kept beyond their time and wait for you: ask the person, then erase \
                them or repeat this with --sealed; `retention overdue` lists them";
    (!waiting.is_empty()).then(|| format!("{} {text}", waiting.len()))
}

/// The home's recordings cannot be read or removed.
fn unreadable(office: &Office, source: std::io::Error) -> OfficeError {
    OfficeError::Home(crate::run::home::HomeError::Io { path: office.home.path().join("cassettes"), source })
}

#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Wrap every key of the vault under a new master key
    Rotate(RotateArgs),
    /// Write the key of encrypted tables to a file, for a reader of the tables
    Tables(TablesArgs),
    /// Tell which master key wraps the vault, and how many keys there are; never a key
    Show(ShowArgs),
}

#[derive(Debug, Args)]
struct RotateArgs {
    /// Where the new key is put, or, for env:NAME, where you have put it [default: a new file beside the old]
    #[arg(long, value_name = "SOURCE")]
    to: Option<MasterSource>,
    #[command(flatten)]
    home: AtHome,
}

#[derive(Debug, Args)]
#[command(
    after_help = "With `output.encryption: uniform`, pyarrow reads the tables with this key (32 bytes, in hex), and DuckDB, \
which wants it in base64, all columns but lists. Whoever has it reads every table of the home: hand it on as you would the tables."
)]
struct TablesArgs {
    /// The file, for its owner only
    #[arg(long, value_name = "FILE")]
    to: std::path::PathBuf,
    #[command(flatten)]
    home: AtHome,
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    home: AtHome,
}

pub(super) fn keys(args: &KeysArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    match &args.command {
        KeysCommand::Rotate(args) => rotate(args, wall),
        KeysCommand::Tables(args) => tables(args, wall),
        KeysCommand::Show(args) => {
            let office = args.home.office(wall)?;
            let (id, n) = (office.vault.master().id(), office.vault.subjects().count());
            let source = office.home.master_source().or_environment();
            let lines = [format!("master key {id} from {source}, {n} subject key(s)")];
            args.home.print(&json!({ "master_key": id, "source": source.to_string(), "subjects": n }), &lines)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn tables(args: &TablesArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let office = args.home.office(wall)?;
    let Some(key) = office.home.table_key(&office.vault)? else {
        return Err(
            Usage("no table here is encrypted: set `output.encryption` in the pipeline and run it".to_owned()).into()
        );
    };
    office.log.append_now(vec![Leaf::new(Kind::Keys).fact("handed_out", "tables").into()])?;
    office.log.publish()?;
    let text = zeroize::Zeroizing::new(format!("{}\n", data_encoding::HEXLOWER.encode(key.as_slice())));
    crate::run::files::write_atomically(&args.to, text.as_bytes())
        .map_err(|e| Usage(format!("{} cannot be written: {e}", args.to.display())))?;
    let line = format!("the key of the tables is in {}", args.to.display());
    args.home.print(&json!({ "file": args.to }), &[line])?;
    Ok(ExitCode::SUCCESS)
}

fn rotate(args: &RotateArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut office = args.home.office(wall)?;
    let _lock = HomeLock::acquire(office.home.path()).map_err(crate::rights::office::OfficeError::from)?;
    // Before anything is recorded: another rotation may have come first.
    office.vault.reload()?;
    let old = office.home.master_source();
    let to = args.to.clone().unwrap_or_else(|| next_file(&old, wall()));
    let home = office.home.path().to_owned();
    let in_use = old.clone().or_environment();
    // A variable goes before `home.json`, also where that names it.
    let is_overridden = to.clone().or_environment() != to;
    if is_overridden && args.to.is_none() {
        let text = "PROSOPON_MASTER_KEY or PROSOPON_MASTER_KEY_FILE is set and would go on naming the old key: say with --to \
                    where the new one goes, and unset the variable afterwards";
        return Err(Usage(text.to_owned()).into());
    }
    if to == in_use || matches!(&to, MasterSource::File(p) if home.join(p).exists()) {
        return Err(Usage(format!("{to} is where a key is now: choose another place with --to")).into());
    }
    let new = match &to {
        MasterSource::Env(_) => to.read(&home)?,
        _ => MasterKey::random()?,
    };
    let leaf = Leaf::new(Kind::Keys).fact("from", office.vault.master().id()).fact("to", new.id());
    office.log.append_now(vec![leaf.into()])?;
    // The new key is in its place before anything is wrapped under it; the old one goes last.
    to.write(&home, &new)?;
    let id = new.id();
    office.vault.rotate(new)?;
    let n = office.vault.subjects().count();
    office.home.set_master_source(&to)?;
    // A file that a variable names is the operator's own.
    if let (MasterSource::File(path), true) = (&old, in_use == old && !is_overridden) {
        let path = home.join(path);
        if path.exists() {
            crate::run::files::overwrite_and_remove(&path)?;
        }
    }
    office.log.publish()?;
    let mut lines = vec![
        format!("{n} subject key(s) and the home's own are wrapped under the master key {id} from {to}"),
        "the old key is of no use any more; backups of the vault from before still need it".to_owned(),
    ];
    if is_overridden {
        lines.push("unset PROSOPON_MASTER_KEY and PROSOPON_MASTER_KEY_FILE now: they name the old key".to_owned());
    }
    args.home.print(&json!({ "master_key": id, "source": to.to_string(), "subjects": n }), &lines)?;
    Ok(ExitCode::SUCCESS)
}

/// A file beside the old one that is named by the day.
fn next_file(old: &MasterSource, now: Timestamp) -> MasterSource {
    let stamp = now.strftime("%Y%m%dT%H%M%S");
    let folder = match old {
        MasterSource::File(path) => path.parent().map(std::path::Path::to_owned).unwrap_or_default(),
        _ => "keys".into(),
    };
    MasterSource::File(folder.join(format!("master-{stamp}.key")))
}
