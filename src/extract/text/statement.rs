//! Statements of one text put together: each is told once, and of what contradicts itself nothing.
//!
//! Invariant: what follows from a department's step yields to what is said of the person.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::guard::token::Token;
use super::people::Mention;
use super::phrase::{Found, View};
use super::rules::{RULES, Tag};
use super::sentence::Read;
use super::{CompanySignal, TextSignal};
use crate::taxonomy::{CompanyField, PurchasePhase};

/// The signals of a text, in its order.
pub(super) fn merged(read: Vec<Statement>) -> Vec<TextSignal> {
    // What follows from a department's step yields to what is said of the person.
    let (implied, said): (Vec<_>, Vec<_>) = read.into_iter().partition(|s| s.implied);
    let mut found: BTreeMap<(String, String, String, Option<PurchasePhase>), Statement> = BTreeMap::new();
    for statement in said.into_iter().chain(implied) {
        let of = &statement.signal;
        let key = (of.subject.clone(), of.family.clone(), of.value.clone(), of.phase);
        match found.entry(key) {
            Entry::Vacant(free) => {
                free.insert(statement);
            }
            Entry::Occupied(mut taken) if taken.get().implied == statement.implied => {
                let first = taken.get_mut();
                first.contradicted |= first.signal.polarity != statement.signal.polarity;
            }
            Entry::Occupied(_) => {}
        }
    }
    let mut believed: Vec<TextSignal> = found.into_values().filter(|s| !s.contradicted).map(|s| s.signal).collect();
    believed.sort_by_key(|s| s.span);
    believed
}

/// A channel that a sentence tells for a phase is told for no other by the same words.
pub(super) fn without_general(mut found: Vec<Statement>) -> Vec<Statement> {
    let of_phase: Vec<(String, String)> = found
        .iter()
        .filter(|s| s.signal.phase.is_some())
        .map(|s| (s.signal.subject.clone(), s.signal.value.clone()))
        .collect();
    found.retain(|s| {
        let is = |(subject, value): &(String, String)| *subject == s.signal.subject && *value == s.signal.value;
        s.signal.family != "channel" || s.signal.phase.is_some() || !of_phase.iter().any(is)
    });
    found
}

/// The first statement of each field; of a field of which two values are stated, none.
pub(super) fn believed_of_company(said: Vec<CompanySignal>) -> Vec<CompanySignal> {
    let mut by: BTreeMap<CompanyField, Vec<CompanySignal>> = BTreeMap::new();
    for s in said {
        by.entry(s.field).or_default().push(s);
    }
    let alike = by.into_values().filter(|all| all.iter().all(|s| s.value == all[0].value));
    let mut believed: Vec<CompanySignal> = alike.filter_map(|all| all.into_iter().next()).collect();
    believed.sort_by_key(|s| s.span);
    believed
}

/// The first place that says something, and whether another place says the opposite; then neither counts.
pub(super) struct Statement {
    pub(super) signal: TextSignal,
    /// By the step of a department, not by a word about the person.
    pub(super) implied: bool,
    pub(super) contradicted: bool,
}

/// What the rules find in a sentence whose `tokens` show the company.
pub(super) fn matches(sentence: &Read<'_>, tokens: &[Token<'_>], mentions: &[Mention]) -> Vec<Found<'static, Tag>> {
    let mut blocked = sentence.blocked();
    for mention in mentions {
        blocked[mention.tokens.clone()].fill(true);
    }
    let mut blocked_behind_person = blocked.clone();
    for found in sentence.context.iter().filter(|c| matches!(c.tag, Tag::GapBlocker | Tag::ThirdParty)) {
        blocked_behind_person[found.tokens.clone()].fill(true);
    }
    let persons: Vec<_> = mentions.iter().map(|m| m.tokens.clone()).collect();
    RULES.claims.find(&View {
        tokens,
        clauses: sentence.clauses,
        blocked: &blocked,
        blocked_behind_person: &blocked_behind_person,
        persons: &persons,
    })
}
