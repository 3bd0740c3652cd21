//! Decisions of the log made again, from policy, ledger as it was known, and what the gate was told.
//!
//! Invariant: a decision that comes out differently today is a finding, unless its entry was made under earlier rules of the gate,
//! none before it under newer ones, and it comes out the same under those.

use super::Checker;
use crate::audit::leaf::{Decision, Leaf, PayloadDecision, rules_of};
use crate::consent::decide::{Asked, OptOut, Request, View, decide_by};
use crate::consent::event::LegalEvent;
use crate::consent::policy::Policy;
use crate::consent::rules::Rules;
use crate::model::{AccountId, SubjectId, Target};
use crate::taxonomy::Operation;

impl Checker<'_, '_> {
    pub(super) fn replay(
        &mut self,
        number: u64,
        leaf: &Leaf,
        target: &Target,
        subject: Option<&SubjectId>,
        rows: &[PayloadDecision],
    ) {
        let count = leaf.decisions.len() as u64;
        let Some(known) = leaf.ledger.filter(|head| *head <= self.book.ledger.head()) else {
            if count > 0 {
                self.done.find("ledger", Some(number), "the ledger holds less than the gate knew then");
            }
            return;
        };
        let hash = leaf.policy.clone().unwrap_or_default();
        let find = self.book.policies;
        let Some(policy) = self.policies.entry(hash.clone()).or_insert_with(|| find(&hash)) else {
            self.done.not_replayable += count;
            self.done.policies.insert(hash);
            return;
        };
        let events: Option<Vec<LegalEvent>> = subject.map(|id| {
            let entries = self.book.ledger.entries(id).into_iter().filter(|e| e.seq <= known);
            entries.map(|e| e.event.clone()).collect()
        });
        let rules = rules_of(leaf);
        let may_differ = rules < Rules::TODAY && rules >= self.rules;
        let (mut same, mut earlier, mut wrong) = (0, 0, 0);
        for (said, row) in leaf.decisions.iter().zip(rows) {
            let is_by = |rules| {
                let again = again(leaf, said, row, target, events.as_deref(), (policy, rules));
                again.as_ref().unwrap_or_else(|reasons| reasons) == &said.reasons
            };
            let counted = if is_by(Rules::TODAY) {
                &mut same
            } else if may_differ && is_by(rules) {
                &mut earlier
            } else {
                &mut wrong
            };
            *counted += 1;
        }
        self.done.replayed += same;
        if earlier > 0 {
            self.done.earlier_rules += earlier;
            self.done.earlier_entries.push(number);
        }
        if wrong > 0 {
            self.done.find("decision", Some(number), differently(wrong, rules, self.rules));
        }
    }
}

/// What is told of an entry whose decisions come out differently. `newest` = the rules that its log had seen by then.
fn differently(wrong: u64, rules: Rules, newest: Rules) -> String {
    let differ = format!("{wrong} decision(s) come out differently when they are made again");
    if rules > Rules::TODAY {
        format!("{differ}; a newer version of the program made them: check the log with that one")
    } else if rules < newest {
        let (own, newest) = (rules.number(), newest.number());
        format!("{differ}; its entry is of the rules {own} of the gate, and comes after one of the rules {newest}")
    } else {
        differ
    }
}

pub(in crate::audit) fn body(id: &str) -> &str {
    id.strip_prefix(AccountId::PREFIX).unwrap_or(id)
}

/// The company or the host of an entry that is about no person.
pub(in crate::audit) fn public_target(leaf: &Leaf) -> Option<Target> {
    let target = leaf.target.as_ref()?;
    Some(match target.strip_prefix(AccountId::PREFIX) {
        Some(body) => Target::Account(AccountId::from_body(body)),
        None => Target::Host(target.clone()),
    })
}

/// What the gate was told of a company or a host.
pub(in crate::audit) fn public_facts(leaf: &Leaf) -> PayloadDecision {
    let text = |name: &str| leaf.facts.get(name).and_then(|v| v.as_str()).map(str::to_owned);
    PayloadDecision {
        decision: String::new(),
        permit: None,
        collected_at: None,
        ambiguous: false,
        url: text("host").map(|host| format!("https://{host}/")),
        opt_out: text("opt_out"),
        account_host: text("account_host"),
        evidence_at: None,
        categories: Vec::new(),
    }
}

/// A decision that is made again under these rules: `Ok` with the bases of a permit, `Err` with all reasons of a refusal.
pub(in crate::audit) fn again(
    leaf: &Leaf,
    said: &Decision,
    row: &PayloadDecision,
    target: &Target,
    events: Option<&[LegalEvent]>,
    (policy, rules): (&Policy, Rules),
) -> Result<Vec<String>, Vec<String>> {
    let time = |name: &str| leaf.facts.get(name).and_then(|v| v.as_str()).and_then(|t| t.parse().ok());
    let url = row.url.as_ref().and_then(|url| url::Url::parse(url).ok());
    let opt_out = match row.opt_out.as_deref() {
        Some("free") => OptOut::Free,
        Some("robots_disallow") => OptOut::RobotsDisallow,
        Some("tdm_reserved") => OptOut::TdmReserved,
        _ => OptOut::NotApplicable,
    };
    let categories: Vec<&str> = row.categories.iter().map(String::as_str).collect();
    let infers = matches!(said.op, Operation::Derive | Operation::Infer | Operation::Profile);
    let request = Request {
        target,
        operation: said.op,
        purpose: &said.purpose,
        source_id: &said.source,
        host: (said.op == Operation::Collect).then(|| url.as_ref().and_then(|u| u.host_str()).unwrap_or("")),
        account_host: row.account_host.as_deref(),
        opt_out,
        collected_at: row.collected_at,
        asked: Asked {
            data_categories: &categories,
            evidence_at: row.evidence_at,
            model: leaf.model.as_deref().filter(|_| infers),
            ..Asked::default()
        },
    };
    let view =
        View { events, ambiguous: row.ambiguous, intact: true, last_sync: time("synced"), newest: time("newest") };
    match decide_by(rules, &request, &view, policy, said.at) {
        Ok(granted) => Ok(granted.bases),
        Err(refusal) => Err(refusal.reasons.iter().map(ToString::to_string).collect()),
    }
}

#[cfg(test)]
mod tests;
