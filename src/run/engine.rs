//! A run from pipeline to published snapshot.
//!
//! Invariant: nothing is visible before everything is; a run that stops for whatever reason leaves `current` as it
//! was and continues with the same command.

use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tracing::{Instrument, Span, field};

use crate::blocks::BlockError;
use crate::config::{Diagnostic, Plan};
use crate::consent::gate::Clock;
use crate::crm::CrmError;
use crate::demo::DemoError;
use crate::fetch::{Cancel, FetchError, MemoryError, TapeError};
use crate::run::clear::{self, ClearNoes};
use crate::run::context::Observer;
use crate::run::home::HomeError;
use crate::run::journal::JournalError;
use crate::run::legal::LegalError;
use crate::run::prepare::prepare;
use crate::run::summary::Summary;
use crate::run::{dry, failed, publish, settings};
use crate::sink::{LockError, SinkError};

/// Why a run stops without a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Pipeline or policy file.
    #[error("{}", Lines(.0))]
    Config(Vec<Diagnostic>),
    /// The CRM's files.
    #[error(transparent)]
    Crm(CrmError),
    /// Columns with which people say no were there in the run before, and are not now.
    #[error("{}: a no in it would be missed; export it again, map its new header under `columns`, or say `--accept-columns` if it is gone for good", .0.join("\n"))]
    ColumnsVanished(Vec<String>),
    /// The exports lack too many of those who were there the last time.
    #[error(
        "the exports have {now} {what}, those of the last run had {before}: nothing was published, as exports look like this that were cut short, or hold changes alone. Export again (changes lie beside the full export, in one folder), or say `--accept-missing` if they are gone; `budgets.missing_share` is the share that may be"
    )]
    Missing {
        /// `contacts` or `companies`.
        what: &'static str,
        /// Tonight.
        now: u64,
        /// The last time.
        before: u64,
    },
    /// What comes after publishing failed.
    #[error("{AFTER_PUBLISHING}: {0}")]
    AfterPublishing(#[source] Box<RunError>),
    /// Exports with legal facts.
    #[error(transparent)]
    Legal(LegalError),
    /// Exports that cannot be taken in, and what became of their noes that are clear.
    #[error("{why}; {noes}")]
    Unclear {
        /// Why they cannot.
        #[source]
        why: Box<RunError>,
        /// What of them was recorded all the same.
        noes: ClearNoes,
    },
    /// A network that needs a recording.
    #[error(
        "{path}: `network: {network}` needs a recording: `prosopon run --replay RUN`, or `latest`; `--dry-run` shows what would be asked for"
    )]
    NetworkNotServed {
        /// The pipeline file.
        path: PathBuf,
        /// What it asks for.
        network: &'static str,
    },
    /// Real addresses under a pinned clock.
    #[error(
        "{path}: `network: demo` works on invented people only, and {real} address(es) or site(s) of the CRM files are \
         outside .example and .test: its clock stands still, so a consent could never end"
    )]
    RealDataInDemo {
        /// The pipeline file.
        path: PathBuf,
        /// How many.
        real: usize,
    },
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The store of rights.
    #[error(transparent)]
    Rights(#[from] crate::rights::store::StoreError),
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
    /// What the fetcher remembers.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// What is kept of pages.
    #[error(transparent)]
    Kept(#[from] crate::run::kept::KeptError),
    /// What lies in `.work` while a run goes on.
    #[error(transparent)]
    Blocks(#[from] BlockError),
    /// A recording.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// The recording is of something else.
    #[error(
        "{0} request(s) of this run are not on the recording: pipeline, policy or inputs are not those that were recorded; no tables were written"
    )]
    NotRecorded(u64),
    /// Ctrl-C.
    #[error("stopped; the same command continues the run where it stopped")]
    Cancelled,
    /// A task ended in a panic.
    #[error("a worker ended unexpectedly; the same command continues the run")]
    Worker,
}

/// What is told of what fails when the tables are there.
const AFTER_PUBLISHING: &str = "the tables of this run are published; what comes after that failed";

impl From<crate::rights::restrict::RestrictError> for RunError {
    fn from(error: crate::rights::restrict::RestrictError) -> Self {
        match error {
            crate::rights::restrict::RestrictError::Sink(error) => error.into(),
            crate::rights::restrict::RestrictError::Store(error) => error.into(),
        }
    }
}

impl RunError {
    /// The message with its causes, without anything that was read from an export.
    pub(super) fn without_contents(&self) -> String {
        let mut text = match self {
            Self::AfterPublishing(error) => return format!("{AFTER_PUBLISHING}: {}", error.without_contents()),
            Self::Crm(error) => error.without_headers(),
            Self::Unclear { why, noes } => return format!("{}; {noes}", why.without_contents()),
            other => other.to_string(),
        };
        let causes = std::iter::successors(self.source(), |&cause| cause.source());
        for cause in causes.filter_map(failed::in_our_words) {
            // Some messages tell their cause themselves.
            if !text.contains(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
        text
    }
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

impl From<LegalError> for RunError {
    fn from(error: LegalError) -> Self {
        match error {
            LegalError::Mapping(mistakes) => Self::Config(mistakes),
            other => Self::Legal(other),
        }
    }
}

impl From<CrmError> for RunError {
    fn from(error: CrmError) -> Self {
        match error {
            // No mistake in the CRM's files.
            CrmError::Blocks(error) => Self::Blocks(error),
            other => Self::Crm(other),
        }
    }
}

impl From<crate::audit::AuditError> for RunError {
    fn from(error: crate::audit::AuditError) -> Self {
        Self::Home(HomeError::Audit(error))
    }
}

impl From<crate::keys::VaultError> for RunError {
    fn from(error: crate::keys::VaultError) -> Self {
        Self::Home(HomeError::Vault(error))
    }
}

impl From<crate::consent::ledger::LedgerError> for RunError {
    fn from(error: crate::consent::ledger::LedgerError) -> Self {
        Self::Home(HomeError::Ledger(error))
    }
}

/// What the command line adds to the pipeline.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line in its own right")]
pub struct Options {
    /// Overrides the pipeline's `as_of`.
    pub as_of: Option<Timestamp>,
    /// Columns with which people say no may be gone.
    pub accept_columns: bool,
    /// More than a share of those of the last run may be missing.
    pub accept_missing: bool,
    /// Works on everybody, even where rows could be carried over.
    pub full: bool,
    /// Only the first so many contacts.
    pub limit: Option<usize>,
    /// So many contacts, about, are held in memory at once; `None` = [`crowd::AT_ONCE`](crate::run::crowd::AT_ONCE).
    pub at_once: Option<usize>,
    /// Plan and decide, fetch nothing, write nothing.
    pub dry_run: bool,
    /// Overrides the pipeline's home.
    pub out: Option<PathBuf>,
    /// Keep every exchange with the network.
    pub record: bool,
    /// Answer from the recording of this run instead of a network; `latest` = the newest.
    pub replay: Option<String>,
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

/// Refuses what no run serves yet, before anybody waits for it.
///
/// # Errors
/// [`RunError::NetworkNotServed`].
pub fn check_served(plan: &Plan, options: &Options) -> Result<(), RunError> {
    settings::check(plan, options)
}

/// Runs a pipeline.
///
/// # Errors
/// See [`RunError`]; the home is then as it was, but for what the journal keeps to continue, and for who has said no: they are out
/// of older snapshots.
pub async fn run(path: &Path, options: &Options, world: &World) -> Result<Summary, RunError> {
    let span = tracing::info_span!("run", pipeline = field::Empty, outcome = field::Empty);
    let ended = work(path, options, world).instrument(span.clone()).await;
    span.record(
        "outcome",
        match &ended {
            Ok(summary) => summary.outcome.as_str(),
            Err(RunError::Cancelled) => "stopped",
            Err(_) => "error",
        },
    );
    ended
}

async fn work(path: &Path, options: &Options, world: &World) -> Result<Summary, RunError> {
    let prepared = prepare(path, options, world)
        .map_err(|error| clear::record(error, path, options, world))
        .inspect_err(|error| super::told::never_began(path, options, error, world))?;
    Span::current().record("pipeline", prepared.plan.name());
    if options.dry_run {
        Box::pin(dry::run(prepared, options, world)).await
    } else {
        Box::pin(publish::run(prepared, options, world)).await
    }
}
