//! The run proper: work on all companies, write their rows, publish them at once.
//!
//! Invariant: `current` changes last; a run that was killed after that is only noted in the journal.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tracing::Instrument;

use crate::audit::{Kind, Leaf, Stage};
use crate::config::Plan;
use crate::consent::gate::{EmitProposal, Gate, SubjectFacts};
use crate::demo::DemoWeb;
use crate::fetch::{Fetcher, Recorder, TapeError, TapeHead, expire_cassettes};
use crate::lineage::{Begun, End, Lineage};
use crate::model::{DecisionRow, RunId, SubjectId};
use crate::persona::rows::AccountRow;
use crate::rights::office::rewrite_leaf;
use crate::run::context::{Context, StageTimes};
use crate::run::engine::{Options, RunError, World};
use crate::run::flight::in_order;
use crate::run::group::{GroupRows, process};
use crate::run::home::Home;
use crate::run::journal::{Journal, RunState};
use crate::run::load::{Group, Loaded};
use crate::run::notes;
use crate::run::prepare::Prepared;
use crate::run::settings;
use crate::run::summary::{Counts, Summary};
use crate::sink::{Change, FileFacts, Note, RunRow, SinkError, Snapshot, SnapshotWriter, StageTime};
use crate::taxonomy::Operation;

/// So many decisions, or signals, are written together.
const ROWS_TOGETHER: usize = 4096;

/// Begins a run, or continues it where it was killed, and publishes its snapshot.
pub(super) async fn run(prepared: Prepared, options: &Options, world: &World) -> Result<Summary, RunError> {
    let (home, pipeline) = (prepared.home_path.clone(), prepared.plan.name().to_owned());
    let journal = Journal::open(&home.join("journal.sqlite"))?;
    let state = begin(&prepared, &journal, options, world)?;
    let lineage = Lineage::begin(prepared.plan.output().lineage.clone(), begun(&prepared, &state));
    let result = Box::pin(go(prepared, journal, state, options, world)).await;
    let end = match &result {
        Ok(_) => crate::sink::current(&home, &pipeline)?.map_or(End::Stopped, End::Published),
        Err(RunError::Cancelled) => End::Stopped,
        Err(error) => End::Failed(error.to_string()),
    };
    lineage.end(&end, (world.wall)());
    result
}

/// The run as a data catalogue is told of it.
fn begun(prepared: &Prepared, state: &RunState) -> Begun {
    Begun {
        controller: prepared.plan.controller().to_owned(),
        pipeline: prepared.plan.name().to_owned(),
        run_id: state.run_id.as_str().to_owned(),
        resumed: state.starts > 1,
        at: state.started_at,
        as_of: prepared.as_of,
        home: prepared.home_path.clone(),
        inputs: prepared.files.clone(),
    }
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
    if !prepared.is_demo() && options.as_of.or(prepared.plan.as_of()).is_none() {
        // A run that is continued keeps the instant at which it began.
        prepared.as_of = state.started_at;
    }
    if let Some(summary) = published_before(&prepared, &journal, &state, world)? {
        report(&home, &prepared.plan, &prepared.gate);
        return Ok(summary);
    }
    let web = if prepared.is_demo() && prepared.tape.is_none() { Some(DemoWeb::start(0).await?) } else { None };
    let config = settings::fetcher(&prepared.plan, web.as_ref(), prepared.tape.as_ref())?;
    let (tape, recorder) = (prepared.tape.clone(), recorder(&prepared, options, &state)?);
    let mut fetcher = Fetcher::new(config, prepared.gate.clock(), Arc::clone(&world.wall))?;
    if tape.is_none() {
        let memory = settings::memory(&home, &state.run_id, state.started_at, &prepared.ids)?;
        fetcher = fetcher.with_memory(Arc::new(memory));
    }
    if let Some(recorder) = &recorder {
        fetcher = fetcher.with_recorder(Arc::clone(recorder));
    }
    let (inputs, columns) = (prepared.inputs.clone(), std::mem::take(&mut prepared.columns));
    let lock = prepared.lock.take();
    let (context, loaded) = prepared.context(options, world, state.run_id.clone(), fetcher, journal);
    let context = Arc::new(context);
    let facts = FileFacts { policy_hash: context.gate.policy().hash().to_owned() };
    let keys = crate::sink::held_keys(&home, context.plan.output().encryption);
    let mut writer = SnapshotWriter::create_with(&home, context.plan.name(), &state.run_id, &facts, keys)?
        .keep_snapshots(context.plan.output().keep_snapshots as usize);
    let worked = work(&context, loaded, &home, &mut writer, world).await;
    if let Some(web) = web {
        web.stop().await;
    }
    // Strict: what was not recorded cannot be told from what was not there.
    let unknown = tape.map_or(0, |tape| tape.unknown());
    let worked = if unknown > 0 && worked.is_ok() { Err(RunError::NotRecorded(unknown)) } else { worked };
    match worked {
        Ok((counts, refused)) => {
            expire_cassettes(&home, context.gate.now())
                .map_err(|source| TapeError::Io { path: home.join("cassettes"), source })?;
            if let Some(recorder) = &recorder {
                recorder.finish(context.plan.output().keep_snapshots as usize)?;
            }
            let mut no = said_no(&context, &home);
            no.extend(context.gate.late_subjects());
            no.retain(|subject| refused.contains(subject));
            // Before publishing: what is cut off here is done again by the run that goes on.
            clean_older(&context, &home, &no, (world.wall)())?;
            let finish = Finish { context: &context, home: &home, state: &state, inputs: &inputs, columns, resumed };
            let summary = finish.publish(writer, counts, world)?;
            // Until the home is free again nobody else writes to the ledger: whoever says no is either seen here, or
            // finds the home free and takes the person out themselves.
            let quiet = context.watch.as_ref().map(crate::run::watch::Watch::hold).transpose()?;
            context.look()?;
            let mut late: HashSet<SubjectId> = context.gate.late_subjects().into_iter().collect();
            late.retain(|subject| !no.contains(subject) && may_not_be_written(&context, subject));
            clean_older(&context, &home, &late, (world.wall)())?;
            if let Some(recorder) = &context.recorder {
                recorder.log().publish()?;
            }
            drop(lock);
            drop(quiet);
            report(&home, &context.plan, &context.gate);
            Ok(summary)
        }
        Err(error) => {
            writer.abort();
            Err(error)
        }
    }
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
    writer: &mut SnapshotWriter,
    world: &World,
) -> Result<(Counts, HashSet<SubjectId>), RunError> {
    let input = Counts::of_input(&loaded.groups, &loaded.dead_letters, loaded.contacts);
    let mut counts = Counts { suppressed: loaded.suppressed, ..input };
    writer.dead_letters(&loaded.dead_letters)?;
    let mut spool =
        tracing::info_span!("notes").in_scope(|| notes::sort_in(context, &mut loaded, home, writer, &mut counts))?;
    let Loaded { groups, .. } = loaded;
    world.observer.planned(groups.iter().filter(|g| g.account.id.is_some()).count());
    // Here, and not in the task: companies need their notes in the order of their ids.
    let groups = groups.into_iter().map(|mut group| {
        group.notes = spool.as_mut().map_or(Ok(Vec::new()), |spool| spool.take(group.account.id.as_ref()))?;
        Ok::<Group, SinkError>(group)
    });
    let company = |group: Result<Group, SinkError>| {
        let context = Arc::clone(context);
        let contacts = group.as_ref().map_or(0, |group| group.members.len());
        let span = tracing::info_span!("group", contacts);
        async move { process(&context, &group?).await }.instrument(span)
    };
    let (mut emitted, mut refused) = (Vec::new(), HashSet::new());
    let mut pending = Rows::default();
    let mut write = |pending: &mut Rows| {
        let written = || StageTimes::timed(&context.wall, &context.times.write, || pending.write(writer));
        tracing::info_span!("write").in_scope(written)
    };
    in_order(groups, company, |mut rows| {
        counts.add(&rows);
        emitted.append(&mut rows.emitted);
        let may_not = |d: &&DecisionRow| d.operation == Operation::Emit && d.permit_id.is_none();
        refused.extend(rows.decisions.iter().filter(may_not).filter_map(|d| d.target.subject().cloned()));
        pending.add(rows);
        if pending.is_full() { Ok(write(&mut pending)?) } else { Ok(()) }
    })
    .await?;
    write(&mut pending)?;
    refused.extend(ask_again(context, emitted, writer, &mut counts).await?);
    Ok((counts, refused))
}

/// Takes people out of older snapshots who said no since the last one and may not be written any more: a no must not
/// wait until those snapshots are dropped.
fn clean_older(context: &Context, home: &Path, said_no: &HashSet<SubjectId>, now: Timestamp) -> Result<(), RunError> {
    let Some(recorder) = context.recorder.as_ref().filter(|_| !said_no.is_empty()) else { return Ok(()) };
    let mut entries = Vec::with_capacity(said_no.len());
    for subject in said_no {
        entries.push(recorder.about(recorder.leaf(Kind::Right).fact("right", "objection"), subject)?);
    }
    recorder.log().append_now(entries)?;
    let change = Change::leave_out(said_no.iter().cloned());
    let changed = crate::sink::rewrite_older(home, &change, Note { at: now, reason: "objection" })?;
    let opened = Home::open(home)?;
    for (snapshot, _) in changed.iter().filter(|(_, done)| !done.is_empty()) {
        recorder.log().append_now(vec![rewrite_leaf(&opened, snapshot, "objection")?.into()])?;
    }
    Ok(())
}

/// Whether the gate refuses a person's persona now, as far as the ledger tells.
fn may_not_be_written(context: &Context, subject: &SubjectId) -> bool {
    let collected_at = context.gate.ledger().first_seen(subject).unwrap_or(context.as_of.0);
    let facts = SubjectFacts { collected_at, ambiguous: false };
    let purpose = context.plan.purpose().to_owned();
    context.gate.emit(EmitProposal { subject: subject.clone(), purpose, facts }).outcome.is_err()
}

/// Who said no since the pipeline's last snapshot, by the ledger.
fn said_no(context: &Context, home: &Path) -> HashSet<SubjectId> {
    let manifest = crate::sink::current(home, context.plan.name()).ok().flatten().and_then(|s| s.manifest().ok());
    let Some(manifest) = manifest else { return HashSet::new() };
    let before = manifest["ledger"]["head"].as_u64().unwrap_or(0);
    let ledger = context.gate.ledger();
    let is_news =
        |subject: &&SubjectId| ledger.entries(subject).iter().any(|e| e.seq > before && e.event.kind.is_negative());
    ledger.subjects().filter(is_news).cloned().collect()
}

/// Asks for every persona again before anything becomes visible: who objected, withdrew or expired while the run went
/// on is taken out of what was written, and all that was computed from them is computed anew.
async fn ask_again(
    context: &Context,
    emitted: Vec<EmitProposal>,
    writer: &mut SnapshotWriter,
    counts: &mut Counts,
) -> Result<HashSet<SubjectId>, RunError> {
    context.look()?;
    let (mut refused, mut left_out) = (Vec::new(), HashSet::new());
    let asked = emitted.len();
    for proposal in emitted {
        let subject = proposal.subject.clone();
        let decided = context.gate.emit(proposal);
        if decided.outcome.is_err() {
            left_out.insert(subject);
            refused.push((decided.row, decided.grounds));
        }
    }
    if let Some(recorder) = &context.recorder {
        let leaf = recorder.leaf(Kind::Decide).fact("asked_again", asked).fact("refused", refused.len());
        recorder.log().append(vec![Leaf { stage: Some(Stage::Publish), ..leaf }.into()]).await?;
    }
    if refused.is_empty() {
        return Ok(left_out);
    }
    context.record(Stage::Publish, refused.chunks(1)).await?;
    let rows: Vec<DecisionRow> = refused.into_iter().map(|(row, _)| row).collect();
    counts.refuse_late(&rows);
    writer.decisions(&rows)?;
    let done = writer.leave_out(&Change::leave_out(left_out.clone()), &context.offering)?;
    counts.left_out(&done);
    Ok(left_out)
}

/// Rows of companies that wait to be written together: each chunk costs an array a column, and a company has few rows.
#[derive(Default)]
struct Rows {
    companies: GroupRows,
    accounts: Vec<AccountRow>,
}

impl Rows {
    fn add(&mut self, mut rows: GroupRows) {
        let all = &mut self.companies;
        all.personas.append(&mut rows.personas);
        all.centers.append(&mut rows.centers);
        all.evidence.append(&mut rows.evidence);
        all.decisions.append(&mut rows.decisions);
        all.documents.append(&mut rows.documents);
        all.dead_letters.append(&mut rows.dead_letters);
        self.accounts.extend(rows.account);
    }

    const fn is_full(&self) -> bool {
        self.companies.decisions.len() >= ROWS_TOGETHER || self.companies.evidence.len() >= ROWS_TOGETHER
    }

    fn write(&mut self, writer: &mut SnapshotWriter) -> Result<(), SinkError> {
        let Self { companies: rows, accounts } = std::mem::take(self);
        writer.personas(&rows.personas)?;
        writer.accounts(&accounts)?;
        writer.buying_centers(&rows.centers)?;
        writer.evidence(&rows.evidence)?;
        writer.decisions(&rows.decisions)?;
        writer.documents(&rows.documents)?;
        writer.dead_letters(&rows.dead_letters)
    }
}

/// The last step.
struct Finish<'a> {
    context: &'a Context,
    home: &'a Path,
    state: &'a RunState,
    inputs: &'a str,
    columns: serde_json::Value,
    resumed: u64,
}

impl Finish<'_> {
    fn publish(&self, mut writer: SnapshotWriter, counts: Counts, world: &World) -> Result<Summary, RunError> {
        let context = self.context;
        let share = context.plan.budgets().dead_letter_share;
        let summary = Summary::finished(self.home, context, self.state, counts, self.resumed, share);
        let now = (world.wall)();
        writer.runs(&[self.row(&summary, now)])?;
        let manifest = self.manifest(&summary, now);
        let _: Snapshot = writer.commit_with(&manifest, |tables| self.announce(tables))?;
        context.journal.publish(&self.state.run_id, &summary.to_json(), now)?;
        Ok(summary)
    }

    /// The entry before a snapshot becomes visible: keyed hashes of its tables, and how much they rest on.
    fn announce(&self, tables: &serde_json::Map<String, serde_json::Value>) -> Result<(), RunError> {
        let Some(recorder) = &self.context.recorder else { return Ok(()) };
        let keyed = tables.iter().map(|(table, facts)| {
            let hash = facts["sha256"].as_str().unwrap_or_default();
            (table.clone(), serde_json::Value::from(self.context.ids.commitment("table", hash.as_bytes())))
        });
        let leaf = recorder
            .leaf(Kind::Publish)
            .fact("pipeline", self.context.plan.name())
            .fact("snapshot", self.state.run_id.as_str())
            .fact("tables", serde_json::Value::Object(keyed.collect()));
        recorder.log().append_now(vec![leaf.into()])?;
        Ok(())
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
            n_documents: counts.host_files + counts.documents.values().sum::<u64>(),
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
            stages: context.stages().map(|(stage, seconds)| StageTime { stage: stage.to_owned(), seconds }).into(),
        }
    }

    fn manifest(&self, summary: &Summary, now: Timestamp) -> serde_json::Value {
        let context = self.context;
        // Where the home lies may name a user.
        let summary = Summary { home: PathBuf::new(), ..summary.clone() };
        serde_json::json!({
            "schema_version": 1,
            "run_id": self.state.run_id.as_str(),
            "pipeline": context.plan.name(),
            "controller": context.plan.controller(),
            "as_of": context.as_of.0.to_string(),
            "published_at": now.to_string(),
            "plan_hash": context.plan.hash(),
            "encryption": context.plan.output().encryption,
            "policy_hash": context.gate.policy().hash(),
            "purpose": context.plan.purpose(),
            "gate_time": context.pinned.then(|| context.as_of.0.to_string()),
            "inputs_hash": self.inputs,
            "columns": self.columns,
            "ledger": {
                "events": context.gate.ledger().state().count(),
                "state": context.gate.ledger().state().hex(),
                "head": context.gate.head(),
            },
            "software_version": env!("CARGO_PKG_VERSION"),
            "pipeline_file": context.plan.file().file_name().map(|n| n.to_string_lossy()),
            "fusion": {
                "offering": context.offering,
                "min_probability": context.plan.persona().min_probability,
                "half_life_days": f64::from(context.plan.persona().half_life_days),
            },
            "summary": summary,
        })
    }
}
