//! What another policy would have decided: every decision of the log made again under two policies.
//!
//! Invariant: ledger and time are those of the decision; only the policy differs. Nothing is minted, nothing done.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use serde::Serialize;

use crate::audit::leaf::{Kind, Leaf, PayloadDecision};
use crate::audit::source::{Book, SourceError};
use crate::audit::verify::{again, body, public_facts, public_target};
use crate::consent::event::LegalEvent;
use crate::consent::policy::Policy;
use crate::keys::SubjectKey;
use crate::model::{AccountId, SubjectId, Target};

/// What changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Decisions that were made under both policies.
    pub decisions: u64,
    /// Permits under both.
    pub both_permit: u64,
    /// Refusals under both.
    pub both_refuse: u64,
    /// Permits that become refusals: by operation, purpose, source and primary reason.
    pub refused_now: BTreeMap<String, u64>,
    /// Refusals that become permits: by operation, purpose and source.
    pub permitted_now: BTreeMap<String, u64>,
    /// People for whom any decision changes.
    pub people: u64,
    /// Decisions about people who were erased: nobody can make them again.
    pub erased: u64,
}

/// Makes every decision of the log again under both policies.
///
/// # Errors
/// The log cannot be read.
pub fn replay(book: &Book<'_>, from: &Policy, to: &Policy) -> Result<Replay, SourceError> {
    let mut done = Replay::default();
    let mut changed = std::collections::HashSet::new();
    let mut month = String::new();
    let mut people: HashMap<String, (&SubjectId, &SubjectKey)> = HashMap::new();
    let mut failed = None;
    book.leaves.each(0..u64::MAX, &mut |_, leaf| {
        if leaf.kind != Kind::Decide || leaf.decisions.is_empty() {
            return ControlFlow::Continue(());
        }
        let this = leaf.at.strftime("%Y-%m").to_string();
        if this != month {
            people = book.vault.subjects().map(|(id, key)| (key.tag(leaf.at), (id, key))).collect();
            month = this;
        }
        let case = match &leaf.subject {
            None => public_target(&leaf).map(|t| (t, vec![public_facts(&leaf); leaf.decisions.len()], None)),
            Some(tag) => match people.get(tag).copied() {
                None => {
                    done.erased += leaf.decisions.len() as u64;
                    None
                }
                Some((id, key)) => match book.leaves.payload(&leaf, key) {
                    Err(error) => {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                    Ok(payload) => payload.map(|p| {
                        let account = p.account.as_ref().map(|a| AccountId::from_body(body(a)));
                        (Target::Subject(id.clone(), account), p.decisions, Some(id))
                    }),
                },
            },
        };
        if let Some((target, rows, subject)) = case
            && compare(book, &leaf, &target, &rows, (from, to), &mut done)
            && let Some(subject) = subject
        {
            changed.insert(subject.clone());
        }
        ControlFlow::Continue(())
    })?;
    done.people = changed.len() as u64;
    failed.map_or(Ok(done), Err)
}

/// Compares the decisions of one entry; whether any changes.
fn compare(
    book: &Book<'_>,
    leaf: &Leaf,
    target: &Target,
    rows: &[PayloadDecision],
    (from, to): (&Policy, &Policy),
    done: &mut Replay,
) -> bool {
    let known = leaf.ledger.unwrap_or(u64::MAX);
    let events: Option<Vec<LegalEvent>> = target.subject().map(|id| {
        let entries = book.ledger.entries(id).into_iter().filter(|e| e.seq <= known);
        entries.map(|e| e.event.clone()).collect()
    });
    let mut any = false;
    for (said, row) in leaf.decisions.iter().zip(rows) {
        let decide = |policy| again(leaf, said, row, target, events.as_deref(), policy);
        let what = format!("{} for {} from {}", said.op, said.purpose, said.source);
        done.decisions += 1;
        match (decide(from), decide(to)) {
            (Ok(_), Ok(_)) => done.both_permit += 1,
            (Err(_), Err(_)) => done.both_refuse += 1,
            (Ok(_), Err(reasons)) => {
                let primary = reasons.first().cloned().unwrap_or_default();
                *done.refused_now.entry(format!("{what}: {primary}")).or_default() += 1;
                any = true;
            }
            (Err(_), Ok(_)) => {
                *done.permitted_now.entry(what).or_default() += 1;
                any = true;
            }
        }
    }
    any
}
