//! Everything that is read and checked before a run does anything.
//!
//! Invariant: a run that cannot succeed for reasons that are known beforehand (pipeline, policy, home, ledger, inputs)
//! ends here; a dry run writes nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::audit::Recorder;
use crate::config::{Network, Plan};
use crate::consent::gate::{Clock, Gate};
use crate::fetch::{Cassette, Fetcher};
use crate::ids::Ids;
use crate::keys::Vault;
use crate::model::{AsOf, RunId, SubjectId};
use crate::persona::rectified::Rectification;
use crate::rights::store::Store;
use crate::run::books::{Books, books, vault_and_ledger};
use crate::run::carry::{Carry, KeptRows};
use crate::run::closed::Closed;
use crate::run::context::{Context, StageTimes};
use crate::run::engine::{Options, RunError, World};
use crate::run::home::Home;
use crate::run::journal::Journal;
use crate::run::kept::Pages;
use crate::run::load::Loaded;
use crate::run::opened::{Entered, Opened, Times, Tonight};
use crate::run::tiers::TierCosts;
use crate::run::watch::Watch;
use crate::run::{layout, settings};
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
    /// The snapshot that rows are carried over from; `None` = everybody is worked on.
    pub carry: Option<Carry>,
    /// What the next run must know to carry rows over.
    pub carried: Option<(serde_json::Value, KeptRows)>,
}

/// Reads pipeline, policy, home, CRM and ledger, imports what is new, and opens the gate.
pub(super) fn prepare(path: &Path, options: &Options, world: &World) -> Result<Prepared, RunError> {
    let (mut opened, tonight, notes) = Opened::of(path, options, world, false)?;
    let (mut vault, mut ledger) = vault_and_ledger(opened.home.as_ref(), matches!(tonight, Tonight::Parts(_)))?;
    let entered = opened.enter((tonight, notes), (&mut vault, &mut ledger), options, world)?;
    let Entered { loaded, files, log, carried, .. } = entered;
    let Opened { plan, policy, times, home_path, home, ids, exports, lock, carry, notes_before, lost, .. } = opened;
    let Times { as_of, pinned, .. } = times;
    let inputs = layout::inputs_hash(&files, &exports);
    let columns = layout::with_lost(layout::with_notes_of(layout::of(&files), notes_before), lost);
    let files = layout::input_files(&files, &plan);
    let clock: Clock = if pinned { Arc::new(move || as_of) } else { later_of(&world.wall, as_of) };
    let view = if pinned { ledger.take_view().pinned() } else { ledger.take_view() };
    let rectified = rectified(home.as_ref().map(|home| (home, options.dry_run)), &vault, &loaded)?;
    let (tape, tape_key) = tape(options, &vault, &home_path)?;
    let books = log.map(|log| books(log, vault, ledger)).transpose()?;
    let gate = Gate::new(policy, view, &ids, clock).with_people(books.as_ref().and_then(Books::by_part));
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
        carry,
        carried,
    })
}

/// What was put right, by subject, also under records that were merged since.
fn rectified(
    home: Option<(&Home, bool)>,
    vault: &Vault,
    loaded: &Loaded,
) -> Result<HashMap<SubjectId, Vec<Rectification>>, RunError> {
    let Some((home, dry_run)) = home else { return Ok(HashMap::new()) };
    let open = if dry_run { Store::open_to_read } else { Store::open };
    let mut rectified = open(home.path(), vault)?.all_rectifications(vault)?;
    loaded.hand_on(&mut rectified);
    Ok(rectified)
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

fn later_of(wall: &Clock, as_of: Timestamp) -> Clock {
    let wall = Arc::clone(wall);
    Arc::new(move || wall().max(as_of))
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
            &if options.full { "full".to_owned() } else { String::new() },
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
        let people = self.books.as_ref().and_then(Books::by_part);
        let (recorder, watch) = match self.books {
            Some(books) => {
                let run = Some(run.as_str().to_owned());
                let recorder = Recorder::new(books.log, books.keys, run, self.gate.policy());
                (Some(recorder), Some(Watch::new(books.people)))
            }
            None => (None, None),
        };
        let context = Context {
            rectified: self.rectified,
            gone: std::mem::take(&mut self.loaded.gone),
            recorder,
            people,
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
