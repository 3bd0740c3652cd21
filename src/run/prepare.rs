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
use crate::config::{self, Diagnostic, Network, Plan};
use crate::consent::gate::{Clock, Gate};
use crate::consent::policy::Policy;
use crate::crm::{CrmPull, CsvSource, FileFacts, NoteFiles, pull};
use crate::fetch::{Cassette, Fetcher};
use crate::ids::{DEMO_KEY, Ids};
use crate::keys::Vault;
use crate::model::{AsOf, RunId, SubjectId};
use crate::persona::rectified::Rectification;
use crate::rights::store::Store;
use crate::run::books::{Books, books, vault_and_ledger};
use crate::run::carry::{self, Carry, KeptRows};
use crate::run::closed::Closed;
use crate::run::context::{Context, StageTimes};
use crate::run::crowd::{self, Ranges, is_real_site, real_addresses};
use crate::run::engine::{Options, RunError, World};
use crate::run::enter::Desk;
use crate::run::home::Home;
use crate::run::journal::Journal;
use crate::run::kept::Pages;
use crate::run::legal::Exports;
use crate::run::load::Loaded;
use crate::run::seen::{Doubtful, Seen};
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
    /// The snapshot that rows are carried over from; `None` = everybody is worked on.
    pub carry: Option<Carry>,
    /// What the next run must know to carry rows over.
    pub carried: Option<(serde_json::Value, KeptRows)>,
}

/// The contacts of tonight.
enum Tonight {
    /// They can be held at once.
    All(Box<CrmPull>),
    /// They are sorted into parts, once the home is open.
    Parts(Ranges),
}

impl Tonight {
    fn of(source: &CsvSource, plan: &Plan, options: &Options, carries: bool) -> Result<Self, RunError> {
        // What is asked of all contacts together needs all of them.
        let all = options.dry_run || options.limit.is_some() || !plan.crm().legal.is_empty();
        let at_once = options.at_once.unwrap_or(crowd::AT_ONCE);
        let mut ranges = if all { None } else { Ranges::of(source, Path::new(""), at_once)? };
        if carries {
            // How many are worked on is not known yet.
            ranges = ranges.or_else(|| Some(Ranges::for_contacts(0, at_once)));
        }
        Ok(match ranges {
            Some(ranges) => Self::Parts(ranges),
            None => Self::All(Box::new(tracing::info_span!("crm").in_scope(|| pull(source, Path::new("")))?)),
        })
    }

    /// Looks at contacts who are held at once before anybody is entered; tells which columns are lost.
    fn look_at(
        &mut self,
        plan: &Plan,
        notes: &NoteFiles,
        exports: &[Exports],
        columns: impl Fn(&[FileFacts]) -> Result<layout::Lost, RunError>,
    ) -> Result<layout::Lost, RunError> {
        let Self::All(pulled) = self else { return Ok(layout::Lost::new()) };
        pulled.files.extend(notes.facts.iter().cloned());
        let lost = columns(&pulled.files)?;
        if plan.network() == Network::Demo {
            invented_only(plan, real_in(pulled) + exports.iter().map(Exports::real_addresses).sum::<usize>())?;
        }
        Ok(lost)
    }
}

/// Reads pipeline, policy, home (before the lock, which would create its folder), CRM and ledger, imports what is new, and opens the
/// gate.
pub(super) fn prepare(path: &Path, options: &Options, world: &World) -> Result<Prepared, RunError> {
    let (plan, policy, no_notes) = configuration(path, options, world)?;
    let demo = plan.network() == Network::Demo;
    let home_path = options.out.clone().unwrap_or_else(|| plan.output().home.clone());
    let Times { now, as_of, pinned, gate_now } = times(&plan, options, &home_path, (world.wall)())?;
    agree::in_force(&plan, &policy, gate_now).map_err(RunError::Config)?;
    _ = (!demo).then(|| Home::open_for(&home_path, plan.controller(), false)).transpose()?;
    let (source, notes_before) = layout::source((&home_path, &plan), no_notes, gate_now)?;
    let (early, carry) = Carry::open((&plan, &policy), options, &home_path, (as_of, gate_now))?;
    let mut tonight = Tonight::of(&source, &plan, options, carry.is_some())?;
    let (notes, files_passed) = layout::notes(&source)?;
    let columns = |files: &[FileFacts]| layout::compare(&home_path, plan.name(), files, options.accept_columns);
    let exports = tracing::info_span!("legal").in_scope(|| legal::open(plan.crm()))?;
    let mut lost = tonight.look_at(&plan, &notes, &exports, columns)?;
    // A dry run writes nothing, so it needs no lock and takes none.
    let lock = if options.dry_run || early.is_some() { early } else { Some(HomeLock::acquire(&home_path)?) };
    let mut home = open_home(&plan, &home_path, options, now)?;
    let ids = home.as_ref().map_or_else(|| Ids::new(DEMO_KEY), |home| home.ids().clone());
    let mut carry = carry::announced(carry, home.as_ref())?;
    let (mut vault, mut ledger) = vault_and_ledger(home.as_ref(), matches!(tonight, Tonight::Parts(_)))?;
    // A replay decides as of then; what the ledger learns today it learns today.
    let known_at = if demo { gate_now } else { now };
    let mut desk = Desk {
        home: home.as_mut().filter(|_| !options.dry_run),
        path: &home_path,
        vault: &mut vault,
        ledger: &mut ledger,
        log: None,
        plan: &plan,
        policy: &policy,
        ids: &ids,
        limit: options.limit,
        at_once: options.at_once.unwrap_or(crowd::AT_ONCE),
        now: gate_now,
        known_at,
        pinned,
        rows: carry::can_carry(&plan, options).then(KeptRows::default),
        cancel: &world.cancel,
    };
    desk.open(&world.wall)?;
    let (mut loaded, files) = match tonight {
        Tonight::All(pulled) => desk.enter((&source, *pulled), notes, &exports)?,
        Tonight::Parts(ranges) => desk.enter_parts((&source, ranges), notes, carry.as_mut(), |real, files| {
            if demo {
                invented_only(&plan, real)?;
            }
            lost = columns(files)?;
            Ok(())
        })?,
    };
    let (log, carried) = (desk.log, carry::note(&files, as_of, desk.rows, carry.as_mut())?);
    loaded.seen = Seen { no_notes: notes_before.is_some(), notes_passed: files_passed, doubtful: Doubtful::of(&files) };
    (loaded.rows, loaded.consent_rows) = (layout::rows(&files), layout::consent_rows(&files));
    let (inputs, columns) =
        (layout::inputs_hash(&files, &exports), layout::with_notes_of(layout::of(&files), notes_before));
    let columns = layout::with_lost(columns, lost);
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

/// Pipeline and policy, as far as both can be checked without a home; and what is wrong where notes have no file.
fn configuration(
    path: &Path,
    options: &Options,
    world: &World,
) -> Result<(Plan, Policy, Option<Diagnostic>), RunError> {
    let (plan, no_notes) = config::load_without_notes(path).map_err(RunError::Config)?;
    let today = options.as_of.or(plan.as_of()).unwrap_or_else(|| (world.wall)());
    let (policy, warnings) = agree::load_policy(&plan, Some(agree::day(today))).map_err(RunError::Config)?;
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
    Ok((plan, policy, no_notes))
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

/// The demo's clock stands still and its id key is public: real people have no place in it.
fn invented_only(plan: &Plan, real: usize) -> Result<(), RunError> {
    if real == 0 { Ok(()) } else { Err(RunError::RealDataInDemo { path: plan.file().to_owned(), real }) }
}

/// Addresses and sites in a pull that can belong to somebody.
fn real_in(pulled: &CrmPull) -> usize {
    let of_contacts = pulled.contacts.iter().map(real_addresses).sum::<usize>();
    of_contacts + pulled.accounts.iter().filter(|a| is_real_site(a)).count()
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
