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
use crate::consent::rules::Rules;
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
        let decide = |policy| again(leaf, said, row, target, events.as_deref(), (policy, Rules::TODAY));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::audit::leaf::Decision;
    use crate::audit::recorder::payload_decision;
    use crate::consent::decide::Asked;
    use crate::consent::event::{EventKind, LawfulBasis, Origin, Proof, Scope};
    use crate::consent::gate::{Gate, InferProposal, SubjectFacts};
    use crate::consent::ledger::Ledger;
    use crate::ids::{DEMO_KEY, Ids};
    use crate::taxonomy::{Operation, SourceClass};

    fn policy() -> Policy {
        let mut file: crate::consent::policy::PolicyFile =
            serde_saphyr::from_str(include_str!("../../config/policy/demo.yaml")).expect("the demo policy is valid");
        file.purposes.get_mut("persona_enrichment").expect("registered").evidence_max_age_days = Some(30);
        Policy::new(file)
    }

    fn consent(subject: &SubjectId, category: &str) -> LegalEvent {
        let some = |text: &str| Some(text.to_owned());
        LegalEvent {
            external_id: None,
            subject: subject.clone(),
            kind: EventKind::Grant,
            basis: Some(LawfulBasis::Consent),
            scope: Scope {
                purposes: ["persona_enrichment".to_owned()].into(),
                source_classes: [SourceClass::Crm].into(),
                data_categories: [category.to_owned()].into(),
                ..Scope::default()
            }
            .into(),
            valid_from: None,
            valid_to: None,
            recorded_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
            proof: Proof {
                method: some("web_form"),
                notice_id: some("N-1"),
                wording_hash: some("sha256:00"),
                ..Proof::default()
            }
            .into(),
            origin: Origin::imported("crm", "consents", None).into(),
            supersedes: None,
        }
    }

    #[test]
    fn what_was_asked_in_particular_is_asked_again() {
        let now: Timestamp = "2026-03-02T03:00:00Z".parse().expect("a time");
        let ago = |days: i64| Some(now - SignedDuration::from_hours(24 * days));
        let subject = SubjectId::from_body("test");
        let target = Target::Subject(subject.clone(), None);
        for (category, evidence_at, expected) in [
            ("job", ago(29), vec!["6(1)(a)"]),
            ("job", ago(30), vec!["EvidenceTooOld"]),
            ("job", None, vec!["EvidenceTooOld"]),
            ("company", ago(29), vec!["ScopeMismatch(data_category)"]),
        ] {
            let events = [consent(&subject, category)];
            let mut ledger = Ledger::in_memory().expect("a ledger");
            ledger.preview(&events, &[], now);
            let gate = Gate::new(policy(), ledger.into_view(), &Ids::new(DEMO_KEY), Arc::new(move || now));
            let proposal = InferProposal {
                target: target.clone(),
                source_id: "crm".into(),
                purpose: "persona_enrichment".into(),
                operation: Operation::Infer,
                facts: Some(SubjectFacts { collected_at: now, ambiguous: false }),
            };
            let decided = gate.infer_asking(proposal, Asked::of_person(Operation::Infer, evidence_at));
            assert_eq!(decided.row.reasons, expected, "{category} {evidence_at:?}");
            let mut leaf = Leaf::new(Kind::Decide).fact("synced", now.to_string()).fact("newest", now.to_string());
            leaf.model = Some(crate::audit::model_hash().to_owned());
            let said = Decision {
                op: Operation::Infer,
                purpose: "persona_enrichment".into(),
                source: "crm".into(),
                categories: decided.grounds.categories.clone(),
                permit: None,
                reasons: decided.row.reasons.clone(),
                events: Vec::new(),
                assessments: Vec::new(),
                recipients: Vec::new(),
                at: now,
                until: None,
                retain_until: None,
            };
            // As it comes out of the sealed payload.
            let text = serde_json::to_string(&payload_decision(&decided.row, &decided.grounds)).expect("plain data");
            let row: PayloadDecision = serde_json::from_str(&text).expect("what was written");
            let again = again(&leaf, &said, &row, &target, Some(&events), (&policy(), Rules::TODAY));
            assert_eq!(again.unwrap_or_else(|reasons| reasons), expected, "{category} {evidence_at:?}");
        }
    }
}
