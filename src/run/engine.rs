//! A run from pipeline to published snapshot.
//!
//! Invariant: nothing is visible before everything is; a run that stops for whatever reason leaves `current` as it
//! was and continues with the same command.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::config::{self, Diagnostic, Plan};
use crate::consent::gate::{Clock, Gate};
use crate::consent::policy::{Policy, PolicyFile};
use crate::crm::{CrmError, CrmPull, pull};
use crate::demo::{DemoError, DemoWeb};
use crate::fetch::{Cancel, FetchError, Fetcher};
use crate::model::{AsOf, DeadLetter, RunId};
use crate::run::context::{Context, Observer, StageTimes};
use crate::run::group::{GroupRows, process};
use crate::run::home::{Home, HomeError};
use crate::run::journal::{Journal, JournalError, RunState};
use crate::run::load::{Group, Loaded, load};
use crate::run::settings;
use crate::run::summary::{Counts, Summary};
use crate::sink::{FileFacts, HomeLock, LockError, RunRow, SinkError, Snapshot, SnapshotWriter, StageTime};

/// How many companies are worked on at once: enough to keep slow hosts from holding up the others.
const GROUPS_IN_FLIGHT: usize = 64;

/// Why a run stops without a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Pipeline or policy file.
    #[error("{}", Lines(.0))]
    Config(Vec<Diagnostic>),
    /// The CRM's files.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// A network that is not served yet.
    #[error(
        "{path}: `network: {network}` is not served yet: until erasure and objection work, the fetcher serves \
         `network: demo` only; `--dry-run` shows what would be asked for"
    )]
    NetworkNotServed {
        /// The pipeline file.
        path: PathBuf,
        /// What it asks for.
        network: &'static str,
    },
    /// Pipeline and policy do not fit.
    #[error("{0}")]
    Mismatch(String),
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The tables.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// Another process works in the home.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The demo web.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The fetcher.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Ctrl-C.
    #[error("stopped; the same command continues the run where it stopped")]
    Cancelled,
    /// A task ended in a panic.
    #[error("a worker ended unexpectedly; the same command continues the run")]
    Worker,
}

/// One diagnostic a line.
struct Lines<'a>(&'a [Diagnostic]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl From<crate::consent::ledger::LedgerError> for RunError {
    fn from(error: crate::consent::ledger::LedgerError) -> Self {
        Self::Home(HomeError::Ledger(error))
    }
}

/// What the command line adds to the pipeline.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Overrides the pipeline's `as_of`.
    pub as_of: Option<Timestamp>,
    /// Only the first so many contacts.
    pub limit: Option<usize>,
    /// Plan and decide, fetch nothing, write nothing.
    pub dry_run: bool,
    /// Overrides the pipeline's home.
    pub out: Option<PathBuf>,
}

/// What comes from outside: clock, cancellation, and who is told.
#[derive(Clone)]
pub struct World {
    /// The wall clock.
    pub wall: Clock,
    /// Ends every wait when raised.
    pub cancel: Cancel,
    /// Told of progress.
    pub observer: Arc<dyn Observer>,
}

/// Runs a pipeline.
///
/// # Errors
/// See [`RunError`]; the home is then as it was, but for what the journal keeps to continue.
pub async fn run(path: &Path, options: &Options, world: &World) -> Result<Summary, RunError> {
    let plan = config::load(path).map_err(RunError::Config)?;
    let policy = load_policy(&plan)?;
    settings::check(&plan, &policy, options)?;
    let demo = plan.network() == config::Network::Demo;
    let now = (world.wall)();
    let as_of = options.as_of.or(plan.as_of()).unwrap_or(now);
    let home_path = options.out.clone().unwrap_or_else(|| plan.output().home.clone());
    let mut home = if demo {
        Home::open_or_create_demo(&home_path, plan.controller(), now)?
    } else {
        Home::open_for(&home_path, plan.controller(), false)?
    };
    let lock = HomeLock::acquire(&home_path)?;
    let pulled = tracing::info_span!("crm").in_scope(|| pull(&settings::crm_source(&plan), Path::new("")))?;
    // Demo and replay stand still at as_of, so that two runs decide alike; elsewhere the gate lives in the present.
    let gate_now = if demo { as_of } else { now.max(as_of) };
    let mut loaded = load(&plan.crm().name, &pulled, home.ids(), gate_now, options.limit);
    let mut ledger = home.ledger()?;
    if options.dry_run {
        ledger.preview(&loaded.events, &loaded.seen(), gate_now);
    } else {
        ledger.import(&loaded.events, &loaded.seen(), gate_now)?;
        home.remember_crm(&plan.crm().name)?;
        home.keep_policy(&policy)?;
    }
    loaded.anchor(|subject| ledger.view().first_seen(subject));
    let gate_clock: Clock = if demo { Arc::new(move || as_of) } else { later_of(&world.wall, as_of) };
    let gate = Gate::new(policy, ledger.into_view(), home.ids().clone(), gate_clock);
    let inputs = inputs_hash(&pulled);
    let prepared = Prepared { plan, gate, loaded, inputs, as_of, demo, home, _lock: lock };
    if options.dry_run { dry_run(prepared, world).await } else { prepared.run(options, world).await }
}

fn later_of(wall: &Clock, as_of: Timestamp) -> Clock {
    let wall = Arc::clone(wall);
    Arc::new(move || wall().max(as_of))
}

/// Reads and checks the policy of a plan.
///
/// # Errors
/// Every mistake in it.
pub fn load_policy(plan: &Plan) -> Result<Policy, RunError> {
    let name = plan.policy_file().display().to_string();
    let source = std::fs::read_to_string(plan.policy_file()).map_err(|e| {
        RunError::Config(vec![Diagnostic::error(&name, config::Position::START, format!("cannot be read: {e}"))])
    })?;
    let (file, _) = config::load_document::<PolicyFile>(&source, &name).map_err(RunError::Config)?;
    Ok(Policy::new(file))
}

fn inputs_hash(pulled: &CrmPull) -> String {
    let mut hasher = Sha256::new();
    for file in &pulled.files {
        hasher.update(file.sha256.as_bytes());
    }
    data_encoding::HEXLOWER.encode(&hasher.finalize())
}

/// Everything that was read and checked, before anything is done.
struct Prepared {
    plan: Plan,
    gate: Gate,
    loaded: Loaded,
    inputs: String,
    as_of: Timestamp,
    demo: bool,
    home: Home,
    _lock: HomeLock,
}

async fn dry_run(prepared: Prepared, world: &World) -> Result<Summary, RunError> {
    let Prepared { plan, gate, loaded, as_of, home, demo, .. } = prepared;
    let name = plan.name().to_owned();
    let Loaded { groups, dead_letters, .. } = loaded;
    let journal = Journal::open(Path::new(":memory:"))?;
    let fetcher = Fetcher::new(settings::refusing(), Arc::clone(&world.wall), Arc::clone(&world.wall))?;
    let run = RunId::from_body("dry");
    let context = context(plan, gate, fetcher, journal, &home, run, as_of, demo, true, world);
    let mut counts = Counts::of_input(&groups, &dead_letters);
    world.observer.planned(groups.len());
    let mut decisions = Vec::new();
    for group in &groups {
        let rows = process(&context, group).await?;
        counts.add(&rows);
        decisions.extend(rows.decisions);
    }
    Ok(Summary::dry(name, home.path(), counts, &decisions))
}

#[expect(clippy::too_many_arguments, reason = "the one place where a run's parts meet")]
fn context(
    plan: Plan,
    gate: Gate,
    fetcher: Fetcher,
    journal: Journal,
    home: &Home,
    run: RunId,
    as_of: Timestamp,
    pinned: bool,
    dry_run: bool,
    world: &World,
) -> Context {
    Context {
        offering: settings::offering(plan.offering()),
        plan,
        gate,
        fetcher,
        journal,
        ids: home.ids().clone(),
        run,
        as_of: AsOf(as_of),
        pinned,
        dry_run,
        wall: Arc::clone(&world.wall),
        cancel: world.cancel.clone(),
        observer: Arc::clone(&world.observer),
        hosts: Mutex::new(HashMap::new()),
        times: StageTimes::default(),
    }
}

impl Prepared {
    /// What a run must have in common with an unfinished one to continue it.
    fn key(&self, options: &Options) -> String {
        let parts = [
            self.plan.hash(),
            self.gate.policy().hash(),
            &self.inputs,
            &self.gate.ledger().state().hex(),
            &options.limit.map_or(String::new(), |l| l.to_string()),
            // Without a pinned clock, a run that is continued keeps its own.
            &if self.demo || options.as_of.is_some() || self.plan.as_of().is_some() {
                self.as_of.to_string()
            } else {
                String::new()
            },
            env!("CARGO_PKG_VERSION"),
        ];
        self.home.ids().request(&parts.map(|p| p as &str))
    }

    async fn run(self, options: &Options, world: &World) -> Result<Summary, RunError> {
        let journal = Journal::open(&self.home.path().join("journal.sqlite"))?;
        let key = self.key(options);
        let ids = self.home.ids().clone();
        let new_id = |n: u64| RunId::from_body(&format!("{n:06}_{}", &ids.request(&[&key, &n.to_string()])[..8]));
        let state = journal.begin(self.plan.name(), &key, new_id, (world.wall)())?;
        let resumed = journal.fetched(&state.run_id)?;
        if let Some(summary) = published_before(&self, &journal, &state, world)? {
            return Ok(summary);
        }
        let web = if self.demo { Some(DemoWeb::start(0).await?) } else { None };
        let config = settings::fetcher(&self.plan, web.as_ref());
        let fetcher = Fetcher::new(config, self.gate.clock(), Arc::clone(&world.wall))?;
        let Self { plan, gate, loaded, inputs, as_of, demo, home, _lock } = self;
        let Loaded { groups, dead_letters, .. } = loaded;
        let context =
            Arc::new(context(plan, gate, fetcher, journal, &home, state.run_id.clone(), as_of, demo, false, world));
        let facts = FileFacts { policy_hash: context.gate.policy().hash().to_owned() };
        let keep = context.plan.output().keep_snapshots;
        let mut writer = SnapshotWriter::create(home.path(), context.plan.name(), &state.run_id, &facts)?
            .keep_snapshots(keep as usize);
        let worked = work(&context, groups, &dead_letters, &mut writer, world).await;
        if let Some(web) = web {
            web.stop().await;
        }
        let counts = match worked {
            Ok(counts) => counts,
            Err(error) => {
                writer.abort();
                return Err(error);
            }
        };
        let finish = Finish { context: &context, home: &home, state: &state, inputs: &inputs, resumed };
        finish.publish(writer, counts, world)
    }
}

/// A run that was killed between publishing and noting it in the journal.
fn published_before(
    prepared: &Prepared,
    journal: &Journal,
    state: &RunState,
    world: &World,
) -> Result<Option<Summary>, RunError> {
    let current = crate::sink::current(prepared.home.path(), prepared.plan.name())?;
    let Some(snapshot) = current.filter(|s| s.run_id() == state.run_id.as_str()) else { return Ok(None) };
    let summary = Summary::from_manifest(prepared.home.path(), &snapshot)?;
    journal.publish(&state.run_id, &summary.to_json(), (world.wall)())?;
    Ok(Some(summary))
}

/// Works on all groups, many at once, and writes their rows in order.
async fn work(
    context: &Arc<Context>,
    groups: Vec<Group>,
    dead_letters: &[DeadLetter],
    writer: &mut SnapshotWriter,
    world: &World,
) -> Result<Counts, RunError> {
    let mut counts = Counts::of_input(&groups, dead_letters);
    writer.dead_letters(dead_letters)?;
    world.observer.planned(groups.len());
    let tasks = futures_util::stream::iter(groups).map(|group| {
        let context = Arc::clone(context);
        let span = tracing::info_span!("group", contacts = group.members.len());
        tokio::spawn(async move { process(&context, &group).await }.instrument(span))
    });
    let mut results = tasks.buffered(GROUPS_IN_FLIGHT);
    while let Some(result) = results.next().await {
        let rows = result.map_err(|_| RunError::Worker)??;
        counts.add(&rows);
        tracing::info_span!("write")
            .in_scope(|| StageTimes::timed(&context.wall, &context.times.write, || write(writer, &rows)))?;
    }
    Ok(counts)
}

fn write(writer: &mut SnapshotWriter, rows: &GroupRows) -> Result<(), SinkError> {
    writer.personas(&rows.personas)?;
    writer.accounts(rows.account.as_slice())?;
    writer.buying_centers(&rows.centers)?;
    writer.evidence(&rows.evidence)?;
    writer.decisions(&rows.decisions)?;
    writer.documents(&rows.documents)?;
    writer.dead_letters(&rows.dead_letters)
}

/// The last step.
struct Finish<'a> {
    context: &'a Context,
    home: &'a Home,
    state: &'a RunState,
    inputs: &'a str,
    resumed: u64,
}

impl Finish<'_> {
    fn publish(&self, mut writer: SnapshotWriter, counts: Counts, world: &World) -> Result<Summary, RunError> {
        let context = self.context;
        let share = context.plan.budgets().dead_letter_share;
        let summary = Summary::finished(self.home.path(), context, self.state, counts, self.resumed, share);
        let now = (world.wall)();
        writer.runs(&[self.row(&summary, now)])?;
        let manifest = self.manifest(&summary, now);
        let _: Snapshot = writer.commit(&manifest)?;
        context.journal.publish(&self.state.run_id, &summary.to_json(), now)?;
        Ok(summary)
    }

    fn row(&self, summary: &Summary, now: Timestamp) -> RunRow {
        let (context, counts) = (self.context, &summary.counts);
        RunRow {
            run_id: self.state.run_id.clone(),
            pipeline: context.plan.name().to_owned(),
            outcome: summary.outcome.clone(),
            as_of: context.as_of.0,
            started_at: self.state.started_at,
            finished_at: now,
            resumed: self.state.starts.saturating_sub(1),
            network: settings::network_name(context.plan.network()).to_owned(),
            n_subjects: counts.subjects,
            n_accounts: counts.accounts,
            n_personas: counts.personas,
            n_evidence: counts.evidence,
            n_permits: counts.permits,
            n_refusals: counts.refusals.values().sum(),
            n_documents: counts.documents.values().sum(),
            n_dead_letters: counts.dead_letters,
            plan_hash: context.plan.hash().to_owned(),
            policy_hash: context.gate.policy().hash().to_owned(),
            inputs_hash: self.inputs.to_owned(),
            ledger_checkpoint: Some(context.gate.ledger().state().hex()),
            software_version: env!("CARGO_PKG_VERSION").to_owned(),
            requests_used: counts.requests,
            requests_limit: Some(context.plan.budgets().requests_per_run),
            bytes_received: counts.bytes,
            seconds_limit: Some(context.plan.budgets().seconds_per_run as f64),
            stages: stages(&context.times),
        }
    }

    fn manifest(&self, summary: &Summary, now: Timestamp) -> serde_json::Value {
        let context = self.context;
        serde_json::json!({
            "schema_version": 1,
            "run_id": self.state.run_id.as_str(),
            "pipeline": context.plan.name(),
            "controller": context.plan.controller(),
            "as_of": context.as_of.0.to_string(),
            "published_at": now.to_string(),
            "plan_hash": context.plan.hash(),
            "policy_hash": context.gate.policy().hash(),
            "purpose": context.plan.purpose(),
            "gate_time": context.pinned.then(|| context.as_of.0.to_string()),
            "inputs_hash": self.inputs,
            "ledger": { "events": context.gate.ledger().state().count(), "state": context.gate.ledger().state().hex() },
            "software_version": env!("CARGO_PKG_VERSION"),
            "pipeline_file": context.plan.file().display().to_string(),
            "fusion": {
                "offering": context.offering,
                "min_probability": context.plan.persona().min_probability,
                "half_life_days": f64::from(context.plan.persona().half_life_days),
            },
            "summary": summary,
        })
    }
}

fn stages(times: &StageTimes) -> Vec<StageTime> {
    [
        ("gate", &times.gate),
        ("fetch", &times.fetch),
        ("read", &times.read),
        ("fuse", &times.fuse),
        ("write", &times.write),
    ]
    .map(|(stage, micros)| StageTime { stage: stage.to_owned(), seconds: micros.load(Ordering::Relaxed) as f64 / 1e6 })
    .into()
}
