//! The first half of preparing a run: what is read before anybody is entered, and entering.
//!
//! Invariant: nothing is written before pipeline, policy, home, columns and addresses have been looked at; the home's lock is
//! held from before its ledger is read.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::audit::AuditLog;
use crate::config::{self, Diagnostic, Network, Plan};
use crate::consent::ledger::Ledger;
use crate::consent::policy::Policy;
use crate::crm::{CrmPull, CsvSource, FileFacts, NoteFiles, pull};
use crate::fetch::Cassette;
use crate::ids::{DEMO_KEY, Ids};
use crate::keys::Vault;
use crate::run::carry::{self, Carry, KeptRows};
use crate::run::crowd::{self, Ranges, is_real_site, real_addresses};
use crate::run::engine::{Options, RunError, World};
use crate::run::enter::Desk;
use crate::run::home::Home;
use crate::run::legal::Exports;
use crate::run::load::Loaded;
use crate::run::seen::{Doubtful, Seen, cursors};
use crate::run::{agree, layout, legal, settings};
use crate::sink::HomeLock;

/// Pipeline, policy, home and exports, read and checked, before anybody is entered.
pub(super) struct Opened {
    pub plan: Plan,
    pub policy: Policy,
    pub times: Times,
    pub home_path: PathBuf,
    source: CsvSource,
    /// The columns of the notes of the last run, where none are there tonight.
    pub notes_before: Option<serde_json::Value>,
    /// Files of notes that were passed over.
    files_passed: u64,
    pub exports: Vec<Exports>,
    /// The snapshot that rows are carried over from; `None` = everybody is worked on.
    pub carry: Option<Carry>,
    /// Columns that are lost.
    pub lost: layout::Lost,
    /// Held to the end of the run.
    pub lock: Option<HomeLock>,
    pub home: Option<Home>,
    pub ids: Ids,
    /// What stops a run is passed over, and nothing but noes that are clear is taken in.
    noes_alone: bool,
}

/// What comes of entering tonight's contacts.
pub(super) struct Entered {
    pub loaded: Loaded,
    pub files: Vec<FileFacts>,
    pub log: Option<AuditLog>,
    /// What the next run must know to carry rows over.
    pub carried: Option<(serde_json::Value, KeptRows)>,
    /// How many events the ledger did not know.
    pub new: u64,
}

impl Opened {
    /// Reads all, the home before the lock, which would create its folder; or, past what stops a run, its noes alone.
    pub fn of(
        path: &Path,
        options: &Options,
        world: &World,
        noes_alone: bool,
    ) -> Result<(Self, Tonight, NoteFiles), RunError> {
        let (plan, policy, no_notes) = configuration(path, options, world)?;
        let home_path = options.out.clone().unwrap_or_else(|| plan.output().home.clone());
        let times = times(&plan, options, &home_path, (world.wall)())?;
        agree::in_force(&plan, &policy, times.gate_now).map_err(RunError::Config)?;
        if plan.network() != Network::Demo {
            Home::open_for(&home_path, plan.controller(), false)?;
        }
        let (source, notes_before) = layout::source((&home_path, &plan), no_notes, (times.gate_now, noes_alone))?;
        let (early, carry) = if noes_alone {
            (None, None)
        } else {
            Carry::open((&plan, &policy), options, &home_path, (times.as_of, times.gate_now))?
        };
        let mut tonight = Tonight::of(&source, &plan, options, carry.is_some())?;
        let (notes, files_passed) = layout::notes(&source)?;
        let columns = |files: &[FileFacts]| {
            if noes_alone {
                return Ok(layout::Lost::new());
            }
            layout::compare(&home_path, plan.name(), files, options.accept_columns)
        };
        let exports = tracing::info_span!("legal").in_scope(|| legal::open(plan.crm(), noes_alone))?;
        let lost = tonight.look_at(&plan, &notes, &exports, columns)?;
        // A dry run writes nothing, so it needs no lock and takes none.
        let lock = if options.dry_run || early.is_some() { early } else { Some(HomeLock::acquire(&home_path)?) };
        let home = open_home(&plan, &home_path, options, times.now)?;
        let ids = home.as_ref().map_or_else(|| Ids::new(DEMO_KEY), |home| home.ids().clone());
        let carry = carry::announced(carry, home.as_ref())?;
        let opened = Self {
            plan,
            policy,
            times,
            home_path,
            source,
            notes_before,
            files_passed,
            exports,
            carry,
            lost,
            lock,
            home,
            ids,
            noes_alone,
        };
        Ok((opened, tonight, notes))
    }

    /// Imports what is new.
    pub fn enter(
        &mut self,
        (tonight, notes): (Tonight, NoteFiles),
        (vault, ledger): (&mut Vault, &mut Ledger),
        options: &Options,
        world: &World,
    ) -> Result<Entered, RunError> {
        let (plan, home_path, times) = (&self.plan, &self.home_path, &self.times);
        let demo = plan.network() == Network::Demo;
        let mut desk = Desk {
            home: self.home.as_mut().filter(|_| !options.dry_run),
            path: home_path,
            vault,
            ledger,
            log: None,
            plan,
            policy: &self.policy,
            ids: &self.ids,
            limit: options.limit,
            at_once: options.at_once.unwrap_or(crowd::AT_ONCE),
            now: times.gate_now,
            // A replay decides as of then; what the ledger learns today it learns today.
            known_at: if demo { times.gate_now } else { times.now },
            pinned: times.pinned,
            rows: (!self.noes_alone && carry::can_carry(plan, options)).then(KeptRows::default),
            noes_alone: self.noes_alone,
            new: 0,
            cancel: &world.cancel,
        };
        desk.open(&world.wall)?;
        let (source, lost, mut carry) = (&self.source, &mut self.lost, self.carry.as_mut());
        let (mut loaded, files) = match tonight {
            Tonight::All(pulled) => desk.enter((source, *pulled), notes, &self.exports)?,
            Tonight::Parts(ranges) => {
                desk.enter_parts((source, ranges), notes, carry.as_deref_mut(), |real, files| {
                    if demo {
                        invented_only(plan, real)?;
                    }
                    if !self.noes_alone {
                        *lost = layout::compare(home_path, plan.name(), files, options.accept_columns)?;
                    }
                    Ok(())
                })?
            }
        };
        let new = desk.new;
        let (log, carried) = (desk.log, carry::note(&files, times.as_of, desk.rows, carry)?);
        let (no_notes, doubtful) = (self.notes_before.is_some(), Doubtful::of(&files));
        loaded.seen = Seen { no_notes, notes_passed: self.files_passed, doubtful, cursors: cursors(&files) };
        (loaded.rows, loaded.consent_rows) = (layout::rows(&files), layout::consent_rows(&files));
        Ok(Entered { loaded, files, log, carried, new })
    }
}

/// The contacts of tonight.
pub(super) enum Tonight {
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

/// When a run stands.
pub(super) struct Times {
    /// By the wall clock.
    pub now: Timestamp,
    /// The clock of the inference.
    pub as_of: Timestamp,
    /// Demo and replay stand still at `as_of`, so that two runs decide alike.
    pub pinned: bool,
    /// Elsewhere the gate lives in the present.
    pub gate_now: Timestamp,
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
