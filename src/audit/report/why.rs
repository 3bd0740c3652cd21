//! Which basis covered a row; or, where there is none, why somebody is not in the tables.
//!
//! Invariant: what is told about a permit comes from its leaf; only where the log has none, from the table alone, and
//! then the answer says so.

mod find;
mod logged;
mod served;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::book::{Policies, event_ref};
use super::words::{Plain, plain};
use super::{Book, EventRef, ReportError};
use crate::audit::leaf::{Decision, Leaf};
use crate::audit::source::Checkpoint;
use crate::consent::event::{LawfulBasis, Scope};
use crate::consent::policy::{AssessmentKind, Policy};
use crate::keys::SubjectKey;
use crate::model::SubjectId;

pub use served::Served;

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// What was asked about.
    pub asked: String,
    /// The table that the row stands in; `None` for somebody without a row.
    pub table: Option<&'static str>,
    /// The pipeline.
    pub pipeline: String,
    /// The snapshot: the newest that knows the row.
    pub snapshot: String,
    /// The subject, the company or the host.
    pub about: String,
    /// The decisions that the row rests on.
    pub covered_by: Vec<Cover>,
    /// Why there is no row.
    pub refused: Vec<Refused>,
    /// What was done for a person without a row, and may have taken it out.
    pub served: Vec<Served>,
    /// Of a person for whom something was done: the events of the ledger that speak against them.
    pub against: Vec<EventRef>,
    /// Whether every decision was found in the log.
    pub proven: bool,
}

/// A permit and all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cover {
    /// `dec_...`
    pub decision: String,
    /// `pmt_...`
    pub permit: String,
    /// What was permitted.
    pub operation: String,
    /// For what.
    pub purpose: String,
    /// From where.
    pub source: String,
    /// Articles.
    pub bases: Vec<String>,
    /// When, on the gate's clock.
    pub decided_at: Timestamp,
    /// Until when.
    pub valid_until: Option<Timestamp>,
    /// End of retention, for people.
    pub retain_until: Option<Timestamp>,
    /// Hash of the policy.
    pub policy: String,
    /// Legal events, by the leaf; without one, all that could carry the permit.
    pub events: Vec<Event>,
    /// LIA and DPIA.
    pub assessments: Vec<Assessed>,
    /// Where the log says it; `None` = it does not.
    pub logged: Option<Logged>,
}

/// A legal event with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Which.
    pub event: EventRef,
    /// On what basis.
    pub basis: Option<LawfulBasis>,
    /// From when on it holds.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_to: Option<Timestamp>,
    /// What it covers.
    pub scope: Scope,
    /// How it was given.
    pub method: Option<String>,
    /// The notice that was shown.
    pub notice: Option<String>,
    /// Hash of its wording.
    pub wording_hash: Option<String>,
    /// Method, notice and wording are all on file.
    pub proof_complete: bool,
    /// Where it was read.
    pub read_from: String,
}

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assessed {
    /// Its id in the policy.
    pub id: String,
    /// LIA or DPIA; `None` = the policy does not know it.
    pub kind: Option<AssessmentKind>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// From this day on it covers nothing.
    pub expires_at: Option<Date>,
}

/// Where the log says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// The leaf's number, from 0.
    pub leaf: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The newest checkpoint, if it includes the leaf.
    pub checkpoint: Option<Checkpoint>,
}

/// A refusal for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// `dec_...`
    pub decision: String,
    /// What was refused.
    pub operation: String,
    /// For what.
    pub purpose: String,
    /// From where.
    pub source: String,
    /// When.
    pub decided_at: Timestamp,
    /// All reasons, the primary one first.
    pub reasons: Vec<Plain>,
    /// Events that speak against it.
    pub events: Vec<EventRef>,
    /// The leaf.
    pub logged: Option<Logged>,
}

/// Explains a persona (subject id or CRM record), a signal, a document, a decision or a permit; `None` = the home does
/// not know it.
///
/// # Errors
/// The log or a snapshot cannot be read.
pub fn why(book: &Book<'_>, row: &str) -> Result<Option<Why>, ReportError> {
    let Some(mut found) = find::find(book, row)? else { return gone(book, row) };
    let (mut served, mut against) = (Vec::new(), Vec::new());
    if let (None, Some(subject)) = (found.table, found.decisions.first().and_then(|d| d.subject.clone())) {
        (served, against) = served::served(book, &subject)?;
        if !served.is_empty() {
            // The row is gone for what was done since: refusals of single sources did not keep it out.
            found.decisions.retain(|row| row.operation == "emit");
        }
    }
    let mut policies = Policies::new(book);
    let (mut covered_by, mut refused) = (Vec::new(), Vec::new());
    for decision in &found.decisions {
        let logged = in_log(book, decision)?;
        match &decision.permit {
            Some(permit) => covered_by.push(cover(book, &mut policies, decision, permit, logged)),
            None => refused.push(refusal(book, decision, logged)),
        }
    }
    let proven = covered_by.iter().map(|c| &c.logged).chain(refused.iter().map(|r| &r.logged)).all(Option::is_some);
    Ok(Some(Why {
        asked: row.to_owned(),
        table: found.table,
        pipeline: found.pipeline,
        snapshot: found.snapshot,
        about: found.about,
        covered_by,
        refused,
        served,
        against,
        proven,
    }))
}

/// A person whom the home knows and no snapshot does: their row is gone, or it was never there and the snapshots that tell
/// why have gone. The log still says what was decided last.
fn gone(book: &Book<'_>, row: &str) -> Result<Option<Why>, ReportError> {
    let Some(subject) = find::subjects(book, row).into_iter().find(|id| book.vault.key(id).is_some()) else {
        return Ok(None);
    };
    let (served, against) = served::served(book, &subject)?;
    let (mut covered_by, mut refused) = (Vec::new(), Vec::new());
    let mut policies = Policies::new(book);
    for (decision, in_log) in logged::last(book, &subject)? {
        let is_emit = decision.operation == "emit";
        match &decision.permit {
            Some(permit) => covered_by.push(cover(book, &mut policies, &decision, permit, Some(in_log))),
            // What was done since took the row out: refusals of single sources did not keep it out.
            None if served.is_empty() || is_emit => refused.push(refusal(book, &decision, Some(in_log))),
            None => {}
        }
    }
    Ok(Some(Why {
        asked: row.to_owned(),
        table: None,
        pipeline: String::new(),
        snapshot: String::new(),
        about: subject.as_str().to_owned(),
        covered_by,
        refused,
        served,
        against,
        proven: true,
    }))
}

/// The leaf that holds a decision, and what it says.
type InLog = Option<(u64, Leaf, Decision)>;

fn in_log(book: &Book<'_>, row: &find::Row) -> Result<InLog, ReportError> {
    let key = row.subject.as_ref().and_then(|subject| book.vault.key(subject));
    let wanted = row.permit.as_ref().map(|permit| key.map_or_else(|| permit.clone(), |k| k.blind("permit", permit)));
    let mut found = None;
    book.each_leaf(|number, leaf| {
        let own = match (key, &row.subject) {
            (Some(key), _) => leaf.subject.as_ref().is_some_and(|tag| *tag == key.tag(leaf.at)),
            (None, None) => leaf.target.as_ref().is_some_and(|target| *target == row.about),
            (None, Some(_)) => false,
        };
        if found.is_some() || !own || leaf.run.as_ref().is_some_and(|run| *run != row.run) {
            return Ok(());
        }
        let place = match &wanted {
            Some(wanted) => leaf.decisions.iter().position(|d| d.permit.as_ref() == Some(wanted)),
            None => refused_in(book, leaf, key, row)?,
        };
        if let Some(place) = place {
            found = Some((number, leaf.clone(), leaf.decisions[place].clone()));
        }
        Ok(())
    })?;
    Ok(found)
}

/// A refusal has no permit: its payload names it; without one, its values do.
fn refused_in(
    book: &Book<'_>,
    leaf: &Leaf,
    key: Option<&SubjectKey>,
    row: &find::Row,
) -> Result<Option<usize>, ReportError> {
    if let Some(key) = key
        && let Some(payload) = book.leaves.payload(leaf, key)?
    {
        return Ok(payload.decisions.iter().position(|d| d.decision == row.decision));
    }
    let same = |d: &Decision| {
        !d.permitted()
            && d.op.as_str() == row.operation
            && d.purpose == row.purpose
            && d.source == row.source
            && d.reasons == row.reasons
            && d.at.as_microsecond() == row.at.as_microsecond()
    };
    Ok(leaf.decisions.iter().position(same))
}

fn logged(book: &Book<'_>, leaf: Option<(u64, Timestamp)>) -> Option<Logged> {
    let (leaf, at) = leaf?;
    Some(Logged { leaf, at, checkpoint: book.leaves.checkpoint().filter(|c| leaf < c.tree_size) })
}

fn cover(book: &Book<'_>, policies: &mut Policies<'_>, row: &find::Row, permit: &str, in_log: InLog) -> Cover {
    let hash = in_log.as_ref().and_then(|(_, leaf, _)| leaf.policy.clone()).unwrap_or_else(|| row.policy.clone());
    let policy = policies.get(&hash);
    let said = in_log.as_ref().map(|(.., decision)| decision);
    let anchored = || policy?.retain_until(&row.purpose, book.ledger.first_seen(row.subject.as_ref()?)?);
    Cover {
        decision: row.decision.clone(),
        permit: permit.to_owned(),
        operation: row.operation.clone(),
        purpose: row.purpose.clone(),
        source: row.source.clone(),
        bases: row.reasons.clone(),
        decided_at: row.at,
        valid_until: row.until,
        retain_until: said.and_then(|d| d.retain_until).or_else(anchored),
        events: row.subject.as_ref().map_or_else(Vec::new, |subject| events(book, subject, row, said)),
        assessments: said.map_or_else(Vec::new, |d| d.assessments.iter().map(|id| assessed(policy, id)).collect()),
        policy: hash,
        logged: logged(book, in_log.map(|(number, leaf, _)| (number, leaf.at))),
    }
}

fn events(book: &Book<'_>, subject: &SubjectId, row: &find::Row, said: Option<&Decision>) -> Vec<Event> {
    let key = book.vault.key(subject);
    let mut all = book.ledger.entries(subject);
    all.retain(|entry| {
        if let (Some(said), Some(key)) = (said, key) {
            return said.events.contains(&key.blind("event", &entry.seq.to_string()));
        }
        // Without a leaf: what could carry it.
        let article = entry.event.basis.map(LawfulBasis::article);
        entry.event.scope.purposes.contains(&row.purpose) && article.is_some_and(|a| row.reasons.iter().any(|r| r == a))
    });
    all.iter()
        .map(|entry| {
            let e = entry.event;
            Event {
                event: event_ref(entry),
                basis: e.basis,
                valid_from: e.valid_from,
                valid_to: e.valid_to,
                scope: Scope::clone(&e.scope),
                method: e.proof.method.clone(),
                notice: e.proof.notice_id.clone(),
                wording_hash: e.proof.wording_hash.clone(),
                proof_complete: e.proof.is_complete(),
                read_from: format!("{} {}", e.origin.system, e.origin.field),
            }
        })
        .collect()
}

fn assessed(policy: Option<&Policy>, id: &str) -> Assessed {
    let known = policy.and_then(|p| p.file().assessments.get(id));
    Assessed {
        id: id.to_owned(),
        kind: known.map(|a| a.kind),
        approved_by: known.map(|a| a.approved_by.clone()),
        expires_at: known.map(|a| a.expires_at),
    }
}

fn refusal(book: &Book<'_>, row: &find::Row, in_log: InLog) -> Refused {
    let against = row.subject.as_ref().map_or_else(Vec::new, |subject| book.ledger.entries(subject));
    Refused {
        decision: row.decision.clone(),
        operation: row.operation.clone(),
        purpose: row.purpose.clone(),
        source: row.source.clone(),
        decided_at: row.at,
        reasons: row.reasons.iter().map(|reason| plain(reason)).collect(),
        events: against.iter().filter(|e| e.event.kind.is_negative()).map(event_ref).collect(),
        logged: logged(book, in_log.map(|(number, leaf, _)| (number, leaf.at))),
    }
}
