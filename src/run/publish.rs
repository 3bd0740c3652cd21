//! The run proper: work on all companies, write their rows, publish them at once.
//!
//! Invariant: `current` changes last; a run that was killed after that is only noted in the journal.

use std::path::Path;
use std::sync::Arc;

use tracing::Instrument;

use crate::config::Plan;
use crate::consent::gate::Gate;
use crate::demo::DemoWeb;
use crate::fetch::{Cassette, Fetcher, Recorder, TapeError, TapeHead, expire_cassettes};
use crate::model::RunId;
use crate::run::carry::Carry;
use crate::run::closed;
use crate::run::context::{Context, StageTimes};
use crate::run::crowd::Groups;
use crate::run::emitted::Emitted;
use crate::run::engine::{Options, RunError, World};
use crate::run::failed;
use crate::run::finish::Finish;
use crate::run::flight::{Flight, in_order};
use crate::run::group::process;
use crate::run::journal::{Journal, RunState};
use crate::run::kept::Pages;
use crate::run::late::{ask_again, clean_older, drop_gone, said_no};
use crate::run::load::{Group, Loaded};
use crate::run::missing;
use crate::run::notes;
use crate::run::prepare::Prepared;
use crate::run::revisit;
use crate::run::rows::Rows;
use crate::run::sealed;
use crate::run::segments::{self, Rooms};
use crate::run::settings;
use crate::run::summary::{Counts, Summary};
use crate::run::told::Told;
use crate::sink::{FileFacts, HomeLock, SnapshotWriter};

/// Begins a run, or continues it where it was killed, and publishes its snapshot.
pub(super) async fn run(mut prepared: Prepared, options: &Options, world: &World) -> Result<Summary, RunError> {
    let (home, pipeline) = (prepared.home_path.clone(), prepared.plan.name().to_owned());
    let journal = Journal::open(&home.join("journal.sqlite"))?;
    let before = journal.last_run(&pipeline)?;
    let state = begin(&prepared, &journal, options, world)?;
    if !prepared.is_demo() && options.as_of.or(prepared.plan.as_of()).is_none() {
        // A run that is continued keeps the instant at which it began.
        prepared.as_of = state.started_at;
    }
    let told = Told::begin(&prepared, &journal, before.as_ref(), &state, (world.wall)())?;
    let id = state.run_id.clone();
    let current = || crate::sink::current(&home, &pipeline).ok().flatten();
    let result = Box::pin(go(prepared, journal, state, options, world)).await.map_err(|error| {
        let is_published = current().is_some_and(|snapshot| snapshot.run_id() == id.as_str());
        if is_published { RunError::AfterPublishing(Box::new(error)) } else { error }
    });
    let at = (world.wall)();
    match &result {
        Ok(_) => failed::clear(&home, &pipeline),
        Err(error) => failed::note(&home, &pipeline, error, at),
    }
    told.end(&home, &result, current(), at);
    result
}

async fn go(
    mut prepared: Prepared,
    journal: Journal,
    state: RunState,
    options: &Options,
    world: &World,
) -> Result<Summary, RunError> {
    let home = prepared.home_path.clone();
    let resumed = journal.fetched(&state.run_id)?;
    if let Some(summary) = published_before(&prepared, &journal, &state, world)? {
        report(&home, &prepared.plan, &prepared.gate);
        return Ok(summary);
    }
    // What may fail is told when nobody is left in older snapshots who has said no.
    let missing = missing::early(&prepared, options);
    let (tape, recorder) = (prepared.tape.clone(), recorder(&prepared, options, &state));
    let (pages, kept) = pages(&mut prepared, &state).map_or_else(|error| (None, Err(error)), |pages| (pages, Ok(())));
    let asleep = Fetcher::new(settings::refusing(), prepared.gate.clock(), Arc::clone(&world.wall))?;
    let (inputs, columns) = (prepared.inputs.clone(), std::mem::take(&mut prepared.columns));
    let (mut carry, carried) = (prepared.carry.take(), prepared.carried.take());
    let lock = prepared.lock.take();
    let (mut context, loaded) = prepared.context(options, world, state.run_id.clone(), asleep, (journal, pages));
    let said_no = said_no(&context, &home)?;
    // Whatever may keep this run from publishing, night by night: it keeps nobody in older snapshots who has said no.
    sealed::seal(&context, &home, &said_no)?;
    clean_older(&context, &home, &said_no, (world.wall)())?;
    // Before anything is read again; what this run reads knows of it.
    revisit::forget(&context, said_no.iter().chain(&context.gone))?;
    // Before a request is spent on what is not published.
    let (missing, recorder) = (missing?, recorder?);
    kept?;
    let web = if context.pinned && tape.is_none() { Some(DemoWeb::start(0).await?) } else { None };
    context.fetcher = fetcher((&context, &home), (web.as_ref(), tape.as_ref(), recorder.as_ref()), &state)?;
    let context = Arc::new(context);
    let facts = FileFacts { policy_hash: context.gate.policy().hash().to_owned() };
    let keys = crate::sink::held_keys(&home, context.plan.output().encryption);
    let mut writer = SnapshotWriter::create_with(&home, context.plan.name(), &state.run_id, &facts, keys)?
        .keep_snapshots(context.plan.output().keep_snapshots as usize);
    let worked = work(&context, loaded, &home, (&mut writer, carry.as_mut()), world).await;
    if let Some(web) = web {
        web.stop().await;
    }
    // A writer that is dropped leaves nothing.
    let mut counts = worked?;
    missing::conclude(missing, (&home, &context.plan), options, &mut counts)?;
    settle(&context, options, tape.as_deref(), recorder.as_deref(), &home)?;
    let carried = carried.filter(|_| context.gate.is_sound() && carry.as_ref().is_none_or(Carry::is_laid_over));
    // Its folder goes with it when all is done.
    let (carried, rows) = carried.unzip();
    let writer = writer.keep_rows(rows.as_ref().map(|kept| kept.path.clone()));
    let finish = Finish { context: &context, home: &home, state: &state, inputs: &inputs, columns, carried, resumed };
    let summary = close(&finish, writer, counts, lock, world)?;
    report(&home, &context.plan, &context.gate);
    Ok(summary)
}

/// Ends what the work on companies has left open: pages, and recordings.
fn settle(
    context: &Context,
    options: &Options,
    tape: Option<&Cassette>,
    recorder: Option<&Recorder>,
    home: &Path,
) -> Result<(), RunError> {
    // Strict: what was not recorded cannot be told from what was not there.
    match tape.map_or(0, Cassette::unknown) {
        0 => {}
        unknown => return Err(RunError::NotRecorded(unknown)),
    }
    if let Some(pages) = &context.pages {
        // Who is beyond a limit, or only replayed, was not wanted tonight but may be tomorrow.
        let all = options.limit.is_none() && options.replay.is_none();
        pages.finish(all)?;
    }
    expire_cassettes(home, context.gate.now())
        .map_err(|source| TapeError::Io { path: home.join("cassettes"), source })?;
    if let Some(recorder) = recorder {
        recorder.finish(context.plan.output().keep_snapshots as usize)?;
    }
    Ok(())
}

/// Publishes what was written. Whoever has said no is taken out of older snapshots, too.
fn close(
    finish: &Finish<'_>,
    writer: SnapshotWriter,
    counts: Counts,
    lock: Option<HomeLock>,
    world: &World,
) -> Result<Summary, RunError> {
    let (context, home) = (finish.context, finish.home);
    // From here on what is begun is ended: it does not take long.
    context.go_on()?;
    let late = context.gate.late_subjects().into_iter().collect();
    revisit::forget(context, &late)?;
    sealed::seal(context, home, &late)?;
    // Before publishing: what is cut off here is done again by the run that goes on.
    clean_older(context, home, &late, (world.wall)())?;
    drop_gone(context, home, (world.wall)())?;
    closed::purge(context, home, (world.wall)())?;
    context.gate.readable()?;
    let summary = finish.publish(writer, counts, world)?;
    // Until the home is free again nobody else writes to the ledger: whoever says no is either seen here, or finds the
    // home free and takes the person out themselves.
    let quiet = context.watch.as_ref().map(crate::run::watch::Watch::hold).transpose()?;
    context.look()?;
    let late: std::collections::HashSet<_> = context.gate.late_subjects().into_iter().collect();
    if !late.is_empty() {
        sealed::seal(context, home, &late)?;
    }
    clean_older(context, home, &late, (world.wall)())?;
    revisit::forget(context, &late)?;
    context.gate.readable()?;
    if let Some(recorder) = &context.recorder {
        recorder.log().publish()?;
    }
    drop(lock);
    drop(quiet);
    Ok(summary)
}

/// What is kept of pages, opened for this run.
fn pages(prepared: &mut Prepared, state: &RunState) -> Result<Option<Pages>, RunError> {
    let Some(opening) = prepared.books.as_mut().and_then(|books| books.kept.take()) else { return Ok(None) };
    let names = (prepared.plan.name(), state.run_id.as_str());
    Ok(Some(Pages::open(&prepared.home_path, opening, names, prepared.gate.now())?))
}

/// The fetcher of a run, with what it remembers and what it records.
fn fetcher(
    (context, home): (&Context, &Path),
    (web, tape, recorder): (Option<&DemoWeb>, Option<&Arc<Cassette>>, Option<&Arc<Recorder>>),
    state: &RunState,
) -> Result<Fetcher, RunError> {
    let config = settings::fetcher(&context.plan, web, tape)?;
    let mut fetcher = Fetcher::new(config, context.gate.clock(), Arc::clone(&context.wall))?;
    if tape.is_none() {
        let memory = settings::memory(home, &state.run_id, state.started_at, &context.ids)?;
        fetcher = fetcher.with_memory(Arc::new(memory));
    }
    Ok(match recorder {
        Some(recorder) => fetcher.with_recorder(Arc::clone(recorder)),
        None => fetcher,
    })
}

/// The tables are there: a report that cannot be made must not undo that.
fn report(home: &Path, plan: &Plan, gate: &Gate) {
    if let Err(error) = tracing::info_span!("report").in_scope(|| crate::report::make(home, plan.name(), gate.policy()))
    {
        tracing::warn!("the tables are published, but their report could not be made: {error}");
    }
}

/// The recorder of a run that is to be recorded.
fn recorder(prepared: &Prepared, options: &Options, state: &RunState) -> Result<Option<Arc<Recorder>>, RunError> {
    let Some(key) = prepared.tape_key.as_ref().filter(|_| options.record) else { return Ok(None) };
    let head = TapeHead {
        format: 1,
        run: state.run_id.as_str().to_owned(),
        pipeline: prepared.plan.name().to_owned(),
        as_of: prepared.as_of,
        demo: prepared.is_demo(),
        until: prepared.gate.policy().retain_until(prepared.plan.purpose(), prepared.as_of),
    };
    Ok(Some(Arc::new(Recorder::open(&prepared.home_path, &head, key)?)))
}

fn begin(prepared: &Prepared, journal: &Journal, options: &Options, world: &World) -> Result<RunState, RunError> {
    let key = prepared.key(options);
    let id = |n: u64| {
        let suffix = prepared.ids.request(&[&key, &n.to_string()]);
        RunId::from_body(&format!("{n:06}_{}", &suffix[..8]))
    };
    Ok(journal.begin(prepared.plan.name(), &key, id, (world.wall)())?)
}

/// A run that was killed between publishing and noting it in the journal.
fn published_before(
    prepared: &Prepared,
    journal: &Journal,
    state: &RunState,
    world: &World,
) -> Result<Option<Summary>, RunError> {
    let current = crate::sink::current(&prepared.home_path, prepared.plan.name())?;
    let Some(snapshot) = current.filter(|s| s.run_id() == state.run_id.as_str()) else { return Ok(None) };
    let summary = Summary::from_manifest(&prepared.home_path, &snapshot)?;
    journal.publish(&state.run_id, &summary.to_json(), (world.wall)())?;
    Ok(Some(summary))
}

/// Works on all groups, many at once, and writes their rows in order.
async fn work(
    context: &Arc<Context>,
    mut loaded: Loaded,
    home: &Path,
    (writer, carry): (&mut SnapshotWriter, Option<&mut Carry>),
    world: &World,
) -> Result<Counts, RunError> {
    let input = Counts::of_input(&loaded);
    let mut counts = Counts { gone: context.gone.len() as u64, ..input };
    writer.dead_letters(&loaded.dead_letters)?;
    let mut spool =
        tracing::info_span!("notes").in_scope(|| notes::sort_in(context, &mut loaded, home, writer, &mut counts))?;
    world.observer.planned(loaded.companies());
    // Here, and not in the task: companies need their notes in the order of their ids.
    let groups = Groups::new(context, loaded).map(|group| {
        let (part, mut group) = group?;
        let notes = spool.as_mut().map(|spool| spool.take(group.account.id.as_ref(), part));
        group.notes = notes.transpose()?.unwrap_or_default();
        Ok::<Group, RunError>(group)
    });
    let company = |group: Result<Group, RunError>| {
        let context = Arc::clone(context);
        let contacts = group.as_ref().map_or(0, |group| group.members.len());
        let span = tracing::info_span!("group", contacts);
        async move { process(&context, &group?).await }.instrument(span)
    };
    let (mut emitted, mut rooms) = (Emitted::create(home)?, Rooms::new());
    let mut pending = Rows::default();
    let mut write = |pending: &mut Rows| {
        let written = || StageTimes::timed(&context.times.write, || pending.write(writer));
        tracing::info_span!("write").in_scope(written)
    };
    let flight = if context.plan.sources().any() { Flight::FETCHING } else { Flight::OFFLINE };
    in_order(groups, flight, company, |mut rows| {
        counts.add(&rows);
        rows.emitted.drain(..).try_for_each(|emission| emitted.put(&emission))?;
        rooms.extend(rows.rooms.drain(..));
        pending.add(rows);
        if pending.is_full() { Ok(write(&mut pending)?) } else { Ok(()) }
    })
    .await?;
    write(&mut pending)?;
    // A gate that refuses everything would refuse what is carried over, too.
    let carry = carry.filter(|_| context.gate.is_sound());
    let said_no = ask_again(context, emitted, writer, (&mut counts, carry)).await?;
    rooms.retain(|subject, _| !said_no.contains(subject));
    tracing::info_span!("segments").in_scope(|| segments::fill(context.plan.tiers(), &rooms, writer))?;
    Ok(counts)
}
