//! What every part of a run shares.
//!
//! Invariant: clock, network and ids come in as arguments; nothing in a run asks the system for them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use url::Url;

use crate::audit::{Entry, Kind, Recorder, Stage};
use crate::config::{Network, Plan};
use crate::consent::gate::{Clock, Gate, Grounds};
use crate::consent::people::People;
use crate::cpu::thread_micros;
use crate::fetch::{Cancel, Fetcher};
use crate::ids::Ids;
use crate::model::{AsOf, DecisionRow, RunId, SubjectId};
use crate::persona::input::Offering;
use crate::persona::rectified::Rectification;
use crate::run::closed::Closed;
use crate::run::engine::RunError;
use crate::run::journal::Journal;
use crate::run::kept::Pages;
use crate::run::known::FusionSettings;
use crate::run::tiers::TierCosts;
use crate::run::watch::Watch;

/// Told of what happens, for progress bars and plain lines. Never of who it happens to.
pub trait Observer: Send + Sync {
    /// So many companies are to be worked on.
    fn planned(&self, companies: usize);
    /// A fetch has ended: `fetched`, `failed` or `abandoned`; `resumed` = an earlier start had done it.
    fn fetched(&self, outcome: &str, resumed: bool);
    /// What was asked for had not changed; told beside [`Self::fetched`].
    fn not_modified(&self) {}
    /// A company, or the contacts without one, is done.
    fn group_done(&self, is_company: bool, personas: usize);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn planned(&self, _: usize) {}
    fn fetched(&self, _: &str, _: bool) {}
    fn group_done(&self, _: bool, _: usize) {}
}

/// Whether a host's file was asked for, and where it is if not there; held while it is being asked for.
pub(super) type HostFileAsked = tokio::sync::Mutex<Option<Option<Url>>>;

/// Shared by all tasks of a run.
pub(super) struct Context {
    pub plan: Plan,
    pub offering: Offering,
    pub gate: Gate,
    /// What was put right (Art. 16), by subject.
    pub rectified: HashMap<SubjectId, Vec<Rectification>>,
    /// Whom the CRM has deleted, or merged into others.
    pub gone: HashSet<SubjectId>,
    /// The audit log; `None` in a dry run.
    pub recorder: Option<Recorder>,
    /// Vault and ledger, where people are looked up part by part; the gate's view then tells of nobody.
    pub people: Option<Arc<People>>,
    /// The ledger, to see what others write meanwhile; `None` in a dry run.
    pub watch: Option<Watch>,
    pub fetcher: Fetcher,
    pub journal: Journal,
    /// What is kept of pages; `None` in a dry run.
    pub pages: Option<Pages>,
    pub ids: Ids,
    pub run: RunId,
    pub as_of: AsOf,
    /// Evidence is dated on the run's clock: pinned in demo and replay, the wall's otherwise.
    pub pinned: bool,
    /// Plan and decide only.
    pub dry_run: bool,
    pub wall: Clock,
    pub cancel: Cancel,
    pub observer: Arc<dyn Observer>,
    /// The files of hosts (robots.txt, reservations) that have been asked for in this run, by URL; each is asked once
    /// for as long as it holds.
    pub host_files: Mutex<HashMap<String, Arc<HostFileAsked>>>,
    /// Pages that are closed to us now.
    pub closed: Closed,
    pub times: StageTimes,
    /// What each depth of research costs.
    pub tiers: TierCosts,
}

impl Context {
    /// Public sites are asked over TLS; the demo web speaks plain HTTP on loopback.
    pub fn scheme(&self) -> &'static str {
        if self.plan.network() == Network::Demo { "http" } else { "https" }
    }

    /// Whether the run goes on.
    ///
    /// # Errors
    /// Somebody has asked it to stop.
    pub fn go_on(&self) -> Result<(), RunError> {
        if self.cancel.is_cancelled() { Err(RunError::Cancelled) } else { Ok(()) }
    }

    /// How personas are fused.
    pub fn fusion(&self) -> FusionSettings {
        let persona = self.plan.persona();
        let half_life_days = f64::from(persona.half_life_days);
        FusionSettings { offering: self.offering.clone(), min_probability: persona.min_probability, half_life_days }
    }

    /// Records decisions, one entry a target; they are durable when it returns.
    pub async fn record(
        &self,
        stage: Stage,
        decided: impl IntoIterator<Item = &[(DecisionRow, Grounds)]>,
    ) -> Result<(), RunError> {
        let Some(recorder) = &self.recorder else { return Ok(()) };
        let entries: Result<Vec<Entry>, _> = StageTimes::timed(&self.times.audit, || {
            decided.into_iter().map(|decided| recorder.entry(Kind::Decide, stage, decided)).collect()
        });
        recorder.log().append(entries?).await?;
        Ok(())
    }

    /// CPU time by stage, in seconds; of fetching, the time until an answer.
    pub fn stages(&self) -> [(&'static str, f64); 6] {
        let times = &self.times;
        if let Some(recorder) = &self.recorder {
            times.audit.fetch_add(recorder.log().take_busy(), Ordering::Relaxed);
        }
        [
            ("gate", &times.gate),
            ("audit", &times.audit),
            ("fetch", &times.fetch),
            ("read", &times.read),
            ("fuse", &times.fuse),
            ("write", &times.write),
        ]
        .map(|(stage, micros)| (stage, micros.load(Ordering::Relaxed) as f64 / 1e6))
    }

    /// Tells the gate what others have written into the ledger meanwhile.
    pub fn look(&self) -> Result<bool, RunError> {
        match &self.watch {
            Some(watch) => Ok(watch.poll(&self.gate)?),
            None => Ok(false),
        }
    }

    /// When something was seen, for evidence.
    pub fn observed_at(&self, fetched_at: Timestamp) -> Timestamp {
        if self.pinned { self.as_of.0 } else { fetched_at }
    }
}

/// CPU time by stage, in microseconds, summed over threads; of fetching, the time until an answer.
#[derive(Debug, Default)]
pub(super) struct StageTimes {
    pub gate: AtomicU64,
    pub audit: AtomicU64,
    pub fetch: AtomicU64,
    pub read: AtomicU64,
    pub fuse: AtomicU64,
    pub write: AtomicU64,
}

impl StageTimes {
    /// Runs `work` and adds the CPU time that it took.
    pub fn timed<T>(stage: &AtomicU64, work: impl FnOnce() -> T) -> T {
        let begin = thread_micros();
        let result = work();
        stage.fetch_add(thread_micros().saturating_sub(begin), Ordering::Relaxed);
        result
    }
}

/// Adds a span of time to a stage.
pub(super) fn add(stage: &AtomicU64, begin: Timestamp, end: Timestamp) {
    let micros = end.duration_since(begin).as_micros();
    stage.fetch_add(u64::try_from(micros).unwrap_or(0), Ordering::Relaxed);
}
