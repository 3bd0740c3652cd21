//! How long after a withdrawal, an objection or a request for erasure somebody was still processed.
//!
//! Invariant: counted is what the event forbids, up to a later lift or a new grant; a person whose key is destroyed
//! is known by their `erase` entry alone.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::book::{People, Policies, Who, event_ref};
use super::law::{Act, forbids, gate_knew};
use super::{Book, EventRef, LISTED, ReportError};
use crate::audit::leaf::{Decision, Kind, Leaf};
use crate::consent::event::EventKind;
use crate::consent::ledger::Entry;
use crate::model::SubjectId;
use crate::taxonomy::Operation;

/// The answer. Times in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latency {
    /// From the time that the source wrote the event down; flags have none.
    pub from_recorded: Distribution,
    /// From the time that the home learned of the event: must be 0.
    pub from_known: Distribution,
    /// From a request for erasure to its execution, by the `erase` entries of the log.
    pub erasures: Distribution,
    /// Delays from `recorded` above this are listed.
    pub threshold_seconds: i64,
    /// The longest first, at most [`LISTED`].
    pub over_threshold: Vec<Delay>,
    /// How many there are in all.
    pub n_over_threshold: u64,
    /// How many events were followed by processing after the home had learned of them.
    pub n_after_known: u64,
}

/// Of delays, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// Half are no longer.
    pub p50: i64,
    /// 95 of 100 are no longer.
    pub p95: i64,
    /// The longest.
    pub max: i64,
}

/// One event and what came after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delay {
    /// Whose.
    pub subject: String,
    /// The event.
    pub event: EventRef,
    /// The last entry that processed what the event forbids.
    pub leaf: u64,
    /// When it was written.
    pub last_processing: Timestamp,
    /// From `recorded` to that entry.
    pub seconds_from_recorded: Option<i64>,
    /// From `known` to that entry; 0 where it came before.
    pub seconds_from_known: i64,
}

struct Open<'a> {
    entry: Entry<'a>,
    last: Option<(u64, Timestamp)>,
}

/// Measures.
///
/// # Errors
/// The log cannot be read.
pub fn latency(book: &Book<'_>, threshold: SignedDuration) -> Result<Latency, ReportError> {
    let mut open = events(book);
    let mut erasures = Vec::new();
    let (mut people, mut policies) = (People::new(book.vault), Policies::new(book));
    book.each_leaf(|number, leaf| {
        if leaf.kind == Kind::Erase {
            erasures.extend(requested(leaf).map(|at| seconds(at, leaf.at)));
        }
        let Who::Subject(subject) = people.who(leaf) else { return Ok(()) };
        let Some(events) = open.get_mut(subject) else { return Ok(()) };
        let policy = leaf.policy.as_deref().and_then(|hash| policies.get(hash));
        for decision in leaf.decisions.iter().filter(|d| processes(d)) {
            let act = Act::of(decision, policy);
            let entries = book.ledger.entries(subject);
            for event in events.iter_mut() {
                let mut one = vec![event.entry.clone()];
                // With what may end it, as far as the home knew of it.
                let ends = |e: &Entry<'_>| matches!(e.event.kind, EventKind::Lift | EventKind::Grant);
                one.extend(entries.iter().filter(|e| ends(e) && e.known_at <= leaf.at).cloned());
                let is_after = if book.demo { gate_knew(&event.entry, leaf) } else { after(&event.entry, leaf.at) };
                if is_after && forbids(&one, &act).is_some() {
                    event.last = Some((number, leaf.at));
                }
            }
        }
        Ok(())
    })?;
    Ok(summary(open, erasures, threshold.as_secs()))
}

fn events<'a>(book: &Book<'a>) -> HashMap<&'a SubjectId, Vec<Open<'a>>> {
    let mut open: HashMap<&SubjectId, Vec<Open<'_>>> = HashMap::new();
    for subject in book.ledger.subjects() {
        for entry in book.ledger.entries(subject) {
            if entry.event.kind.is_negative() {
                open.entry(subject).or_default().push(Open { entry, last: None });
            }
        }
    }
    open
}

/// Whether the leaf was written after the event was; storing is no processing that an event could end at once.
fn after(entry: &Entry<'_>, at: Timestamp) -> bool {
    entry.event.recorded_at.min(entry.known_at) < at
}

fn processes(decision: &Decision) -> bool {
    decision.permitted() && decision.op != Operation::Store
}

fn requested(leaf: &Leaf) -> Option<Timestamp> {
    leaf.facts.get("requested_at")?.as_str()?.parse().ok()
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().max(0)
}

fn summary(open: HashMap<&SubjectId, Vec<Open<'_>>>, erasures: Vec<i64>, threshold: i64) -> Latency {
    let (mut recorded, mut known, mut over) = (Vec::new(), Vec::new(), Vec::new());
    let mut n_after_known = 0;
    for (subject, events) in open {
        for Open { entry, last } in events {
            let event = event_ref(&entry);
            let from_recorded = event.recorded_at.map(|at| last.map_or(0, |(_, end)| seconds(at, end)));
            let from_known = last.map_or(0, |(_, end)| seconds(entry.known_at, end));
            let late = last.is_some_and(|(_, end)| end > entry.known_at);
            n_after_known += u64::from(late);
            recorded.extend(from_recorded);
            known.push(from_known);
            if let Some((leaf, last_processing)) = last
                && (late || from_recorded.is_some_and(|s| s > threshold))
            {
                over.push(Delay {
                    subject: subject.to_string(),
                    event,
                    leaf,
                    last_processing,
                    seconds_from_recorded: from_recorded,
                    seconds_from_known: from_known,
                });
            }
        }
    }
    over.sort_by_key(|d| (std::cmp::Reverse((d.seconds_from_known, d.seconds_from_recorded)), d.event.entry));
    let n_over_threshold = over.len() as u64;
    over.truncate(LISTED);
    Latency {
        from_recorded: distribution(recorded),
        from_known: distribution(known),
        erasures: distribution(erasures),
        threshold_seconds: threshold,
        over_threshold: over,
        n_over_threshold,
        n_after_known,
    }
}

fn distribution(mut delays: Vec<i64>) -> Distribution {
    delays.sort_unstable();
    let at = |share: usize| delays.get((delays.len() * share).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0);
    Distribution { count: delays.len() as u64, p50: at(50), p95: at(95), max: at(100) }
}
