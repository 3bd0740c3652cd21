//! Decisions about one person from the audit log, with what only the sealed payloads tell.
//!
//! Invariant: every decision of every entry about the person is here, also where its payload was destroyed.

use super::AccessDecision;
use crate::audit::{AuditError, Leaf, LogReader};
use crate::keys::SubjectKey;

/// All decisions about the person who has the key, oldest first.
///
/// # Errors
/// The log cannot be read.
pub fn decisions(log: &LogReader, key: &SubjectKey) -> Result<Vec<AccessDecision>, AuditError> {
    let mut leaves: Vec<(u64, Leaf)> = Vec::new();
    log.of_subject(key, &mut |seq, leaf| leaves.push((seq, leaf)))?;
    let mut all = Vec::new();
    for (seq, leaf) in leaves {
        let payload = log.payload(&leaf, key)?;
        let word = |v: serde_json::Result<serde_json::Value>| {
            v.ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let (kind, stage) = (word(serde_json::to_value(leaf.kind)), word(serde_json::to_value(leaf.stage)));
        for (i, d) in leaf.decisions.iter().enumerate() {
            let sealed = payload.as_ref().and_then(|p| p.decisions.get(i));
            let permitted = d.permitted();
            let (reasons, bases) =
                if permitted { (Vec::new(), d.reasons.clone()) } else { (d.reasons.clone(), Vec::new()) };
            all.push(AccessDecision {
                at: d.at,
                stage: stage.clone(),
                kind: kind.clone(),
                purpose: d.purpose.clone(),
                operation: d.op,
                source: d.source.clone(),
                outcome: if permitted { "permit" } else { "refusal" }.to_owned(),
                reasons,
                bases,
                recipients: d.recipients.clone(),
                url: sealed.and_then(|s| s.url.clone()),
                leaf: seq,
            });
        }
    }
    Ok(all)
}
