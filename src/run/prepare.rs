//! Everything that is read and checked before a run does anything.
//!
//! Invariant: a run that cannot succeed for reasons that are known beforehand (pipeline, policy, home, ledger, inputs)
//! ends here; a dry run writes nothing.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::audit::{self, AuditLog, Kind, Leaf, Recorder};
use crate::config::{self, Diagnostic, Encryption, Network, Plan, Position};
use crate::consent::gate::{Clock, Gate};
use crate::consent::ledger::{Import, Ledger};
use crate::consent::policy::Policy;
use crate::crm::{CrmPull, FileFacts, NoteFiles, pull};
use crate::fetch::{Cassette, Fetcher, is_reserved};
use crate::ids::{DEMO_KEY, Ids};
use crate::keys::Vault;
use crate::model::{AsOf, RunId, SubjectId};
use crate::persona::rectified::Rectification;
use crate::rights::store::Store;
use crate::run::closed::Closed;
use crate::run::context::{Context, StageTimes};
use crate::run::engine::{Options, RunError, World};
use crate::run::found::Found;
use crate::run::home::{Home, note_parts};
use crate::run::journal::Journal;
use crate::run::kept::{Opening, Pages};
use crate::run::legal::Exports;
use crate::run::load::Loaded;
use crate::run::tiers::TierCosts;
use crate::run::watch::Watch;
use crate::run::{agree, layout, legal, settings};
use crate::sink::HomeLock;

/// The vault's name of the key of recordings.
const TAPE_KEY: &str = "cassettes";

/// The vault's name of the key of what is kept of pages.
pub(super) const PAGE_KEY: &str = "pages";

/// The key of recordings.
type TapeKey = Zeroizing<[u8; 32]>;

/// What a run works with.
pub(super) struct Prepared {
    pub plan: Plan,
    pub gate: Gate,
    pub loaded: Loaded,
    /// Hash over the input files.
    pub inputs: String,
    /// Their columns.
    pub columns: serde_json::Value,
    /// The input files, and how many rows they have where somebody counted.
    pub files: Vec<(PathBuf, Option<u64>)>,
    pub as_of: Timestamp,
    pub home_path: PathBuf,
    pub ids: Ids,
    /// Held to the end of the run.
    pub lock: Option<HomeLock>,
    /// What was put right, by subject.
    pub rectified: HashMap<SubjectId, Vec<Rectification>>,
    /// Keys, audit log and the ledger to watch; `None` in a dry run.
    pub books: Option<Books>,
    /// The recording that answers.
    pub tape: Option<Arc<Cassette>>,
    /// The key of recordings, where one is to be made.
    pub tape_key: Option<TapeKey>,
}

/// What a run writes its records to.
pub(super) struct Books {
    pub keys: audit::Keys,
    pub log: AuditLog,
    pub watch: Watch,
    /// To open what is kept of pages, once.
    pub kept: Option<Opening>,
}

/// Reads pipeline, policy, home, CRM and ledger, imports what is new, and opens the gate.
pub(super) fn prepare(path: &Path, options: &Options, world: &World) -> Result<Prepared, RunError> {
    let (plan, policy) = configuration(path, options, world)?;
    let demo = plan.network() == Network::Demo;
    let home_path = options.out.clone().unwrap_or_else(|| plan.output().home.clone());
    let Times { now, as_of, pinned, gate_now } = times(&plan, options, &home_path, (world.wall)())?;
    in_force(&plan, &policy, gate_now)?;
    if !demo {
        // Before the lock, which would create the folder.
        Home::open_for(&home_path, plan.controller(), false)?;
    }
    let (pulled, notes) = tracing::info_span!("crm").in_scope(|| crm_files(&plan))?;
    layout::compare(&home_path, plan.name(), &pulled.files, options.accept_columns)?;
    let exports = tracing::info_span!("legal").in_scope(|| legal::open(plan.crm()))?;
    if demo {
        invented_only(&plan, &pulled, &exports)?;
    }
    // A dry run writes nothing, so it needs no lock and takes none.
    let lock = if options.dry_run { None } else { Some(HomeLock::acquire(&home_path)?) };
    let mut home = open_home(&plan, &home_path, options, now)?;
    let ids = home.as_ref().map_or_else(|| Ids::new(DEMO_KEY), |home| home.ids().clone());
    let (mut vault, mut ledger) = vault_and_ledger(home.as_ref())?;
    let (inputs, columns, files) =
        (inputs_hash(&pulled, &exports), layout::of(&pulled.files), input_files(&pulled, &plan));
    let found = Found { pulled, notes, exports };
    let mut loaded = found.load(&plan.crm().name, &ids, (&vault, &ledger), gate_now, options.limit)?;
    let mut log = None;
    if let Some(home) = home.as_mut().filter(|_| !options.dry_run) {
        let log = log.insert(home.audit(&vault, &world.wall)?);
        // A replay decides as of then; what the ledger learns today it learns today.
        let known_at = if demo { gate_now } else { now };
        import(home, (&mut vault, &mut ledger), log, &loaded, (&plan, pinned), &policy, known_at)?;
    } else {
        ledger.preview(&loaded.events, &loaded.seen(), gate_now);
    }
    // They are entered; of a large CRM this is most of what was read.
    (loaded.events, loaded.identifiers) = (Vec::new(), Vec::new());
    let clock: Clock = if pinned { Arc::new(move || as_of) } else { later_of(&world.wall, as_of) };
    let view = if pinned { ledger.take_view().pinned() } else { ledger.take_view() };
    let rectified = rectified(home.as_ref(), &vault, &loaded)?;
    let (tape, tape_key) = tape(options, &vault, &home_path)?;
    let books = log.map(|log| books(log, vault, ledger)).transpose()?;
    let gate = Gate::new(policy, view, &ids, clock);
    Ok(Prepared {
        plan,
        gate,
        loaded,
        inputs,
        columns,
        files,
        as_of,
        home_path,
        ids,
        lock,
        rectified,
        books,
        tape,
        tape_key,
    })
}

/// Those of the home; of a dry run without one, empty ones.
fn vault_and_ledger(home: Option<&Home>) -> Result<(Vault, Ledger), RunError> {
    match home {
        Some(home) => Ok(home.legal()?),
        None => Ok((Vault::in_memory()?, Ledger::in_memory()?)),
    }
}

/// The books of a run that writes.
fn books(log: AuditLog, vault: Vault, ledger: Ledger) -> Result<Books, RunError> {
    let kept = Opening { key: vault.named(PAGE_KEY)?, erased: vault.erased()?.0 };
    Ok(Books { keys: audit::keys(&vault), log, watch: Watch::new(vault, ledger), kept: Some(kept) })
}

/// What was put right, by subject, also under records that were merged since.
fn rectified(
    home: Option<&Home>,
    vault: &Vault,
    loaded: &Loaded,
) -> Result<HashMap<SubjectId, Vec<Rectification>>, RunError> {
    let Some(home) = home else { return Ok(HashMap::new()) };
    let mut rectified = Store::open(home.path())?.all_rectifications(vault)?;
    loaded.hand_on(&mut rectified);
    Ok(rectified)
}

/// When a run stands.
struct Times {
    /// By the wall clock.
    now: Timestamp,
    /// The clock of the inference.
    as_of: Timestamp,
    /// Demo and replay stand still at `as_of`, so that two runs decide alike.
    pinned: bool,
    /// Elsewhere the gate lives in the present.
    gate_now: Timestamp,
}

fn times(plan: &Plan, options: &Options, home: &Path, now: Timestamp) -> Result<Times, RunError> {
    // A recording is replayed at the instant at which its run stood.
    let taped = options.replay.as_deref().map(|run| Cassette::head_of(home, run)).transpose()?;
    let as_of = taped.as_ref().map(|head| head.as_of).or(options.as_of).or(plan.as_of()).unwrap_or(now);
    let pinned = plan.network() == Network::Demo || taped.is_some();
    Ok(Times { now, as_of, pinned, gate_now: if pinned { as_of } else { now.max(as_of) } })
}

/// Pipeline and policy, as far as both can be checked without a home.
fn configuration(path: &Path, options: &Options, world: &World) -> Result<(Plan, Policy), RunError> {
    let plan = config::load(path).map_err(RunError::Config)?;
    let today =
        jiff::tz::Offset::UTC.to_datetime(options.as_of.or(plan.as_of()).unwrap_or_else(|| (world.wall)())).date();
    let (policy, warnings) = agree::load_policy(&plan, Some(today)).map_err(RunError::Config)?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let mistakes: Vec<Diagnostic> = legal::check_mappings(plan.crm());
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(RunError::Config(mistakes));
    }
    for warning in &mistakes {
        tracing::warn!("{warning}");
    }
    settings::check(&plan, options)?;
    Ok((plan, policy))
}

/// The CRM's rows, and its notes, which are still in their files.
fn crm_files(plan: &Plan) -> Result<(CrmPull, NoteFiles), RunError> {
    let source = settings::crm_source(plan);
    let mut pulled = pull(&source, Path::new(""))?;
    let notes = NoteFiles::open(&source, Path::new(""))?;
    pulled.files.extend(notes.facts.iter().cloned());
    Ok((pulled, notes))
}

/// Every file that was read, and its rows where they are counted by now: notes are read later.
fn input_files(pulled: &CrmPull, plan: &Plan) -> Vec<(PathBuf, Option<u64>)> {
    let rows = |file: &FileFacts| (file.table != "notes").then_some(file.rows);
    let counted = pulled.files.iter().map(|file| (file.path.clone(), rows(file)));
    counted.chain(plan.crm().legal.iter().flat_map(legal_files)).collect()
}

/// The recording that answers, and the key of recordings.
fn tape(options: &Options, vault: &Vault, home: &Path) -> Result<(Option<Arc<Cassette>>, Option<TapeKey>), RunError> {
    let wanted = options.record || options.replay.is_some();
    let key = wanted.then(|| vault.named(TAPE_KEY)).transpose()?;
    let tape = match (&options.replay, &key) {
        (Some(run), Some(key)) => Some(Arc::new(Cassette::open(home, run, key)?)),
        _ => None,
    };
    Ok((tape, key))
}

/// A run under a policy that nobody has approved, or not yet, could only refuse everybody.
fn in_force(plan: &Plan, policy: &Policy, now: Timestamp) -> Result<(), RunError> {
    let day = jiff::tz::Offset::UTC.to_datetime(now).date();
    let problem = match &policy.file().approval {
        None => "nobody has approved this policy; write `approval: { by, at }`".to_owned(),
        Some(approval) if day < approval.at => {
            format!("the policy is approved from {} on, the run stands at {day}", approval.at)
        }
        Some(_) => return Ok(()),
    };
    let file = plan.policy_file().display().to_string();
    Err(RunError::Config(vec![Diagnostic::error(&file, Position::START, problem)]))
}

/// The demo's clock stands still and its id key is public: real people have no place in it.
fn invented_only(plan: &Plan, pulled: &CrmPull, exports: &[Exports]) -> Result<(), RunError> {
    let emails = pulled.contacts.iter().flat_map(|c| &c.emails).filter_map(|e| Some(e.reveal().rsplit_once('@')?.1));
    let domains = pulled.accounts.iter().filter_map(|a| a.domain.as_deref());
    let real = emails.chain(domains).filter(|host| !is_reserved(host)).count()
        + exports.iter().map(Exports::real_addresses).sum::<usize>();
    if real == 0 { Ok(()) } else { Err(RunError::RealDataInDemo { path: plan.file().to_owned(), real }) }
}

/// Opens the home; only a demo pipeline may do without one before its first run.
fn open_home(plan: &Plan, path: &Path, options: &Options, now: Timestamp) -> Result<Option<Home>, RunError> {
    if plan.network() != Network::Demo {
        return Ok(Some(Home::open_for(path, plan.controller(), false)?));
    }
    if options.dry_run && !path.join("home.json").exists() {
        return Ok(None);
    }
    Ok(Some(Home::open_or_create_demo(path, plan.controller(), now)?))
}

fn import(
    home: &mut Home,
    (vault, ledger): (&mut Vault, &mut Ledger),
    log: &AuditLog,
    loaded: &Loaded,
    (plan, pinned): (&Plan, bool),
    policy: &Policy,
    now: Timestamp,
) -> Result<(), RunError> {
    if plan.output().encryption != Encryption::None {
        home.encrypt_tables(vault)?;
    }
    let seen = loaded.seen();
    let leaf =
        |(source, events): &(&str, usize)| Leaf::new(Kind::Legal).fact("events", *events).fact("source", *source);
    let mut leaves: Vec<Leaf> = loaded.sources.iter().map(leaf).collect();
    if !home.has_policy(policy.hash()) {
        leaves.push(Leaf { policy: Some(policy.hash().to_owned()), ..Leaf::new(Kind::Policy) });
    }
    log.append_now(leaves.into_iter().map(Into::into).collect())?;
    // Before the ledger speaks of anybody: whoever is in it can be erased, and is then known again by what they are called.
    let about: HashSet<&SubjectId> =
        seen.iter().map(|(subject, _)| subject).chain(loaded.events.iter().map(|e| &e.subject)).collect();
    let named = || loaded.identifiers.iter().filter(|(subject, _)| about.contains(subject));
    vault.ensure(named().map(|(subject, _)| subject))?;
    vault.identify(named())?;
    // An export of which a page is missing, or an old one, is no picture of what people say now.
    let is_sync = !loaded.incomplete && (pinned || legal::is_fresh(plan.crm(), policy, now));
    let all = Import { events: &loaded.events, seen: &seen, is_sync };
    ledger.import(vault, all, now)?;
    note_parts(home.path(), vault, ledger)?;
    log.append_now(vec![Leaf::new(Kind::Legal).fact("ledger", ledger.note()).into()])?;
    home.remember_crm(&plan.crm().name)?;
    home.keep_policy(policy)?;
    Ok(())
}

fn legal_files(exports: &config::Legal) -> Vec<(PathBuf, Option<u64>)> {
    exports.files().unwrap_or_default().into_iter().map(|path| (path, None)).collect()
}

fn later_of(wall: &Clock, as_of: Timestamp) -> Clock {
    let wall = Arc::clone(wall);
    Arc::new(move || wall().max(as_of))
}

fn inputs_hash(pulled: &CrmPull, exports: &[Exports]) -> String {
    let mut hasher = Sha256::new();
    for file in &pulled.files {
        hasher.update(file.sha256.as_bytes());
    }
    legal::hash(exports, &mut hasher);
    data_encoding::HEXLOWER.encode(&hasher.finalize())
}

impl Prepared {
    /// Whether time stands still and the web is our own.
    pub fn is_demo(&self) -> bool {
        self.plan.network() == Network::Demo
    }

    /// What a run must have in common with an unfinished one to continue it.
    pub fn key(&self, options: &Options) -> String {
        let parts = [
            self.plan.hash(),
            self.gate.policy().hash(),
            &self.inputs,
            &self.gate.ledger().state().hex(),
            &options.limit.map_or(String::new(), |l| l.to_string()),
            // Without a pinned clock, a run that is continued keeps its own.
            &if options.record { "record".to_owned() } else { String::new() },
            &options.replay.as_ref().map_or(String::new(), |run| format!("replay {run}")),
            &if self.is_demo() || self.tape.is_some() || options.as_of.is_some() || self.plan.as_of().is_some() {
                self.as_of.to_string()
            } else {
                String::new()
            },
            env!("CARGO_PKG_VERSION"),
        ];
        self.ids.request(&parts.map(|p| p as &str))
    }

    /// What all tasks of the run share, and the contacts they work on.
    pub fn context(
        mut self,
        options: &Options,
        world: &World,
        run: RunId,
        fetcher: Fetcher,
        (journal, pages): (Journal, Option<Pages>),
    ) -> (Context, Loaded) {
        // What a recording of the public network holds is dated as it was then.
        let pinned = self.is_demo();
        let (recorder, watch) = match self.books {
            Some(books) => {
                let run = Some(run.as_str().to_owned());
                (Some(Recorder::new(books.log, books.keys, run, self.gate.policy())), Some(books.watch))
            }
            None => (None, None),
        };
        let context = Context {
            rectified: self.rectified,
            gone: std::mem::take(&mut self.loaded.gone),
            recorder,
            watch,
            offering: settings::offering(self.plan.offering()),
            pinned,
            plan: self.plan,
            gate: self.gate,
            fetcher,
            journal,
            pages,
            ids: self.ids,
            run,
            as_of: AsOf(self.as_of),
            dry_run: options.dry_run,
            wall: Arc::clone(&world.wall),
            cancel: world.cancel.clone(),
            observer: Arc::clone(&world.observer),
            host_files: Mutex::new(HashMap::new()),
            closed: Closed::default(),
            times: StageTimes::default(),
            tiers: TierCosts::default(),
        };
        (context, self.loaded)
    }
}
