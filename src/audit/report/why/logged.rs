//! What was decided about a person whom no snapshot knows any more, by the log alone.
//!
//! Invariant: the decisions of one run, the newest that asked for the person; nobody else's entries are looked at.

use super::super::{Book, ReportError};
use super::find::Row;
use crate::audit::leaf::{Decision, Kind, Leaf};
use crate::model::SubjectId;

/// The entry that holds a decision, and what it says.
type InLog = (u64, Leaf, Decision);

/// The decisions of the newest run that asked for a person, emitting before all else.
pub(super) fn last(book: &Book<'_>, subject: &SubjectId) -> Result<Vec<(Row, InLog)>, ReportError> {
    let Some(key) = book.vault.key(subject) else { return Ok(Vec::new()) };
    let mut all: Vec<(Row, InLog)> = Vec::new();
    book.each_leaf(|number, leaf| {
        let is_theirs = leaf.subject.as_ref().is_some_and(|tag| *tag == key.tag(leaf.at));
        if !is_theirs || leaf.kind != Kind::Decide {
            return Ok(());
        }
        let run = leaf.run.clone().unwrap_or_default();
        all.retain(|(row, _)| row.run == run);
        // Swept ones have no payload: the entry has the rest.
        let payload = book.leaves.payload(leaf, key)?;
        for (n, said) in leaf.decisions.iter().enumerate() {
            let sealed = payload.as_ref().and_then(|payload| payload.decisions.get(n));
            let permit = sealed.and_then(|sealed| sealed.permit.clone()).or_else(|| said.permit.clone());
            let row = Row {
                decision: sealed.map_or_else(String::new, |sealed| sealed.decision.clone()),
                permit,
                subject: Some(subject.clone()),
                about: subject.as_str().to_owned(),
                operation: said.op.as_str().to_owned(),
                purpose: said.purpose.clone(),
                source: said.source.clone(),
                reasons: said.reasons.clone(),
                at: said.at,
                until: said.until,
                policy: leaf.policy.clone().unwrap_or_default(),
                run: run.clone(),
            };
            all.push((row, (number, leaf.clone(), said.clone())));
        }
        Ok(())
    })?;
    all.sort_by_key(|(row, _)| row.operation != "emit");
    Ok(all)
}
