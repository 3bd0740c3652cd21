//! Who says no while a run goes on, and who said no since the last one: out of what was written, and out of older
//! snapshots.
//!
//! Invariant: every persona is asked for again between its last row and publishing.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use crate::audit::{Kind, Leaf, Stage};
use crate::consent::gate::{EmitProposal, SubjectFacts};
use crate::model::{DecisionRow, SubjectId};
use crate::rights::office::rewrite_leaf;
use crate::run::context::Context;
use crate::run::engine::RunError;
use crate::run::home::Home;
use crate::run::summary::Counts;
use crate::sink::{Change, Note, SnapshotWriter};

/// Takes people out of older snapshots who said no since the last one and may not be written any more: a no must not
/// wait until those snapshots are dropped.
pub(super) fn clean_older(
    context: &Context,
    home: &Path,
    said_no: &HashSet<SubjectId>,
    now: Timestamp,
) -> Result<(), RunError> {
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
pub(super) fn may_not_be_written(context: &Context, subject: &SubjectId) -> bool {
    let collected_at = context.gate.ledger().first_seen(subject).unwrap_or(context.as_of.0);
    let facts = SubjectFacts { collected_at, ambiguous: false };
    let purpose = context.plan.purpose().to_owned();
    context.gate.emit(EmitProposal { subject: subject.clone(), purpose, facts }).outcome.is_err()
}

/// Who said no since the pipeline's last snapshot, by the ledger.
pub(super) fn said_no(context: &Context, home: &Path) -> HashSet<SubjectId> {
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
pub(super) async fn ask_again(
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
