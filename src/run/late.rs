//! Who says no while a run goes on, and who said no since the last one: out of what was written, and out of older
//! snapshots.
//!
//! Invariant: between its last row and publishing, every persona is asked for again of whom the ledger has news, and every one
//! that was written tonight whose permit has ended, or lasts for less than half of what a new one would: of all others the
//! answer would be that of the permit, or of what it rested on.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::audit::{DELETION, Kind, Leaf, Stage};
use crate::consent::decide::Asked;
use crate::consent::gate::{EmitProposal, Grounds, InferProposal, SubjectFacts};
use crate::consent::policy::PROFILING;
use crate::model::{DecisionRow, SubjectId, Target};
use crate::rights::office::rewrite_leaf;
use crate::rights::refresh::{self, Terms};
use crate::run::carry::Carry;
use crate::run::context::Context;
use crate::run::emitted::{Emission, Emitted};
use crate::run::engine::RunError;
use crate::run::home::Home;
use crate::run::kept::Pages;
use crate::run::known::is_no_to_profiling;
use crate::run::summary::Counts;
use crate::sink::{self, Change, Note, Rewritten, Select, SinkError, Snapshot, SnapshotWriter};
use crate::source::id;
use crate::taxonomy::Operation;

/// Takes out of older snapshots what the gate refuses now of people about whom something was recorded since they were
/// made, be it the persona or its profile: a no must not wait until those snapshots are dropped.
pub(super) fn clean_older(
    context: &Context,
    home: &Path,
    people: &HashSet<SubjectId>,
    now: Timestamp,
) -> Result<(), RunError> {
    if people.is_empty() {
        return Ok(());
    }
    let change = |snapshot: &Snapshot| {
        // A damaged manifest must not keep anybody's data alive.
        let terms = Terms::of(snapshot).unwrap_or_else(|_| Terms { fusion: None, ..terms(context) });
        refresh::change(&context.gate, snapshot, &terms, people)
    };
    rewrite(context, home, Note { at: now, reason: "objection" }, change)
}

/// Takes those out of older snapshots whom the CRM has deleted, or merged into others.
pub(super) fn drop_gone(context: &Context, home: &Path, now: Timestamp) -> Result<(), RunError> {
    if context.gone.is_empty() {
        return Ok(());
    }
    let gone = Select::Subjects(context.gone.clone());
    let change = |snapshot: &Snapshot| {
        let there = sink::read_personas(snapshot, &gone)?;
        Ok(Change::leave_out(there.into_iter().map(|persona| persona.subject_id)))
    };
    rewrite(context, home, Note { at: now, reason: DELETION }, change)
}

/// Changes older snapshots. What is to be changed is known before anything is done: the log speaks first, and of those
/// alone whom it concerns.
pub(super) fn rewrite(
    context: &Context,
    home: &Path,
    note: Note,
    change: impl Fn(&Snapshot) -> Result<Change, SinkError>,
) -> Result<(), RunError> {
    let Some(recorder) = context.recorder.as_ref() else { return Ok(()) };
    let (mut concerned, mut signals) = (BTreeSet::new(), 0);
    for snapshot in sink::all_snapshots(home)? {
        let change = change(&snapshot)?;
        signals += change.signals.len();
        concerned.extend(change.remove.into_iter().chain(change.personas.into_keys()));
    }
    context.gate.readable()?;
    if concerned.is_empty() && signals == 0 {
        return Ok(());
    }
    let leaf = || recorder.leaf(Kind::Right).fact("right", note.reason);
    let right = |subject| recorder.about(leaf(), subject);
    let mut entries: Vec<_> = concerned.iter().map(right).collect::<Result<_, _>>()?;
    if concerned.is_empty() {
        // What is known of companies alone.
        entries.push(leaf().fact("signals", signals).into());
    }
    recorder.log().append_now(entries)?;
    let opened = Home::open(home)?;
    let tell = |snapshot: &Snapshot, done: &Rewritten| -> Result<(), RunError> {
        if !done.is_empty() {
            recorder.log().append_now(vec![rewrite_leaf(&opened, snapshot, note.reason)?.into()])?;
        }
        Ok(())
    };
    sink::rewrite_older(home, note, change, tell)?;
    Ok(())
}

/// For what this run writes personas, and how.
fn terms(context: &Context) -> Terms {
    Terms {
        policy_hash: context.gate.policy().hash().to_owned(),
        purpose: context.plan.purpose().to_owned(),
        fusion: Some(context.fusion()),
    }
}

/// Who said no since the pipeline's last snapshot, by the ledger.
pub(super) fn said_no(context: &Context, home: &Path) -> Result<HashSet<SubjectId>, RunError> {
    let kept = context.pages.as_ref().is_some_and(Pages::has_any);
    if !kept && sink::all_snapshots(home)?.is_empty() {
        return Ok(HashSet::new());
    }
    let manifest = sink::current(home, context.plan.name()).ok().flatten().and_then(|s| s.manifest().ok());
    // Without one that can be read, every no may be news.
    let before = manifest.and_then(|m| m["ledger"]["head"].as_u64()).unwrap_or(0);
    if let (Some(watch), true) = (&context.watch, context.people.is_some()) {
        return Ok(watch.said_no_since(before)?);
    }
    let ledger = context.gate.ledger();
    let is_news =
        |subject: &&SubjectId| ledger.entries(subject).iter().any(|e| e.seq > before && e.event.kind.is_negative());
    Ok(ledger.subjects().filter(is_news).cloned().collect())
}

/// Asks for personas again before anything becomes visible: who objected, withdrew or expired while the run went on is taken
/// out of what was written, or loses the profile, and all that was computed from them is computed anew. Tells who said no to
/// profiling.
pub(super) async fn ask_again(
    context: &Context,
    emitted: Emitted,
    writer: &mut SnapshotWriter,
    (counts, carry): (&mut Counts, Option<&mut Carry>),
) -> Result<HashSet<SubjectId>, RunError> {
    context.look()?;
    let late: HashSet<SubjectId> = context.gate.late_subjects().into_iter().collect();
    let (mut refused, mut left_out, mut said_no) = (Vec::new(), HashSet::new(), HashSet::new());
    let (written, mut asked) = (emitted.count(), 0);
    let newest = context.gate.ledger().newest();
    let margin = SignedDuration::from_secs(i64::from(context.gate.policy().file().permit_ttl_seconds) / 2);
    let mut ask = |subject: SubjectId, facts| {
        asked += 1;
        let purpose = context.plan.purpose().to_owned();
        let decided = context.gate.emit(EmitProposal { subject: subject.clone(), purpose, facts });
        if decided.outcome.is_err() {
            left_out.insert(subject);
            refused.push((decided.row, decided.grounds));
        } else if late.contains(&subject) {
            let before = refused.len();
            refused.extend(no_to_profiling(context, &subject, facts));
            if refused.len() > before {
                said_no.insert(subject);
            }
        }
    };
    let mut carried = if carry.is_some() { late.clone() } else { HashSet::new() };
    emitted.each(|Emission { subject, facts, until }| {
        carried.remove(&subject);
        let now = context.gate.now();
        // Until all is published some time goes by. A clock that went back tells nothing of ends.
        let lasts = until.duration_since(now) > margin;
        if !lasts || newest.is_some_and(|newest| newest > now) || late.contains(&subject) {
            ask(subject, facts);
        }
    })?;
    if let Some(carry) = carry.as_ref().filter(|_| !carried.is_empty()) {
        for persona in sink::read_personas(carry.before(), &Select::Subjects(carried))? {
            let collected_at = context.gate.first_seen(&persona.subject_id).unwrap_or(Timestamp::MIN);
            ask(persona.subject_id, SubjectFacts { collected_at, ambiguous: false });
        }
    }
    context.gate.readable()?;
    if let Some(recorder) = &context.recorder {
        let leaf = recorder.leaf(Kind::Decide).fact("written", written).fact("asked_again", asked);
        let mut leaf = leaf.fact("refused", refused.len());
        if let Some(carry) = &carry {
            leaf = leaf.fact("carried_from", carry.run_id());
        }
        recorder.log().append(vec![Leaf { stage: Some(Stage::Publish), ..leaf }.into()]).await?;
    }
    take_out(context, writer, (counts, carry), (refused, left_out, &said_no)).await?;
    Ok(said_no)
}

/// Writes refusals, carries rows over, and takes those out of all of it who are refused, or their profiles.
async fn take_out(
    context: &Context,
    writer: &mut SnapshotWriter,
    (counts, carry): (&mut Counts, Option<&mut Carry>),
    (refused, left_out, said_no): (Vec<(DecisionRow, Grounds)>, HashSet<SubjectId>, &HashSet<SubjectId>),
) -> Result<(), RunError> {
    if !refused.is_empty() {
        context.record(Stage::Publish, refused.chunks(1)).await?;
        let rows: Vec<DecisionRow> = refused.iter().map(|(row, _)| row.clone()).collect();
        counts.refuse_late(&rows);
        writer.decisions(&rows)?;
    }
    if let Some(carry) = carry {
        tracing::info_span!("carry").in_scope(|| carry.carry_over(&context.ids, writer, counts))?;
    }
    if refused.is_empty() {
        return Ok(());
    }
    let done = writer.amend(&context.offering, |staged| {
        let mut change = refresh::change(&context.gate, staged, &terms(context), said_no)?;
        change.remove.extend(left_out);
        Ok(change)
    })?;
    counts.left_out(&done);
    Ok(())
}

/// The refusals to profile a person who has said no to it.
fn no_to_profiling(
    context: &Context,
    subject: &SubjectId,
    facts: SubjectFacts,
) -> impl Iterator<Item = (DecisionRow, Grounds)> {
    id::OF_PROFILES.into_iter().filter_map(move |source| {
        let proposal = InferProposal {
            target: Target::Subject(subject.clone(), None),
            source_id: source.to_owned(),
            purpose: PROFILING.to_owned(),
            operation: Operation::Profile,
            facts: Some(facts),
        };
        let decided = context.gate.infer_asking(proposal, Asked::of_person(Operation::Profile, None));
        is_no_to_profiling(&decided.row).then_some((decided.row, decided.grounds))
    })
}
