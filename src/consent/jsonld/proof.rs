//! What a controller can show for each purpose, and what is missing (Art. 7(1) GDPR).
//!
//! Invariant: a report for people, not a decision: the gate alone says what is permitted. What is missing is named.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::Known;
use crate::consent::dialect::STANDING;
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent};

/// What is known of one person.
#[derive(Debug, Serialize)]
pub struct Proof {
    /// The subject's id.
    pub subject: String,
    /// As of when.
    pub at: Timestamp,
    /// By purpose; what names none stands under `*` and concerns all.
    pub purposes: BTreeMap<String, Vec<Entry>>,
}

/// A grant, or something that takes away.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// `grant`, `withdraw`...
    pub kind: EventKind,
    /// How it stands.
    pub state: State,
    /// Its basis, as an article.
    pub basis: Option<&'static str>,
    /// When it took effect; `None` = undated, it holds from ever.
    pub effective_at: Option<Timestamp>,
    /// When the source wrote it down.
    pub recorded_at: Option<Timestamp>,
    /// Since when this home knows it, where the ledger keeps that.
    pub known_at: Option<Timestamp>,
    /// Until when it holds.
    pub valid_to: Option<Timestamp>,
    /// How it was given.
    pub method: Option<String>,
    /// The notice that was shown.
    pub notice_id: Option<String>,
    /// Hash of its wording.
    pub wording_hash: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// Who recorded it.
    pub actor: Option<String>,
    /// System and field.
    pub origin: String,
    /// The source's id of it.
    pub event_id: Option<String>,
    /// Keyed commitment to what stood there.
    pub value_commitment: Option<String>,
    /// What is missing of a complete proof.
    pub missing: Vec<Missing>,
}

/// How an event stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Begun, not ended, nothing later speaks against it.
    Stands,
    /// Begins later.
    NotYet,
    /// Its validity is over.
    Ended,
    /// Another event replaces it.
    Superseded,
    /// Something as late or later takes it back.
    TakenBack,
}

/// A gap in a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// How it was given.
    Method,
    /// Whether the person gave it themselves: the method is none of theirs.
    ActOfThePerson,
    /// The notice.
    NoticeId,
    /// The hash of its wording.
    WordingHash,
    /// The language of its wording.
    Language,
    /// Who recorded it.
    Actor,
    /// A commitment to what stood in the source.
    ValueCommitment,
}

/// Reports on one person's events.
#[must_use]
pub fn proof(subject: &str, events: &[Known], at: Timestamp) -> Proof {
    let replaced: BTreeSet<&str> = events.iter().filter_map(|k| k.event.supersedes.as_deref()).collect();
    let mut purposes: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for known in events.iter().filter(|k| k.event.kind == EventKind::Grant || k.event.kind.is_negative()) {
        let everything = ["*".to_owned()].into();
        let names = if known.event.scope.purposes.is_empty() { &everything } else { &known.event.scope.purposes };
        for purpose in names {
            let state = state(known, purpose, events, &replaced, at);
            purposes.entry(purpose.clone()).or_default().push(entry(known, state));
        }
    }
    Proof { subject: subject.to_owned(), at, purposes }
}

fn state(known: &Known, purpose: &str, events: &[Known], replaced: &BTreeSet<&str>, at: Timestamp) -> State {
    let event = &known.event;
    if event.kind.is_negative() {
        return State::Stands;
    }
    let taken_back = |other: &Known| {
        let no = &other.event;
        no.kind.is_negative()
            && (no.scope.purposes.is_empty() || no.scope.purposes.contains(purpose) || speaks_of_marketing(no))
            && (is_absolute(no) || no.said_by() >= event.effective_at().min(event.recorded_at))
    };
    if event.external_id.as_deref().is_some_and(|id| replaced.contains(id)) {
        State::Superseded
    } else if events.iter().any(taken_back) {
        State::TakenBack
    } else if event.effective_at().max(event.recorded_at) > at {
        State::NotYet
    } else if event.valid_to.is_some_and(|end| end <= at) {
        State::Ended
    } else {
        State::Stands
    }
}

/// What no later grant outweighs: an erasure, an objection to everything or to marketing.
fn is_absolute(event: &LegalEvent) -> bool {
    let to_all = event.kind == EventKind::Object && event.scope.purposes.is_empty();
    event.kind == EventKind::Erase || to_all || speaks_of_marketing(event)
}

/// Art. 21(3): an objection to marketing takes everything.
fn speaks_of_marketing(event: &LegalEvent) -> bool {
    event.kind == EventKind::Object && event.scope.purposes.iter().any(|p| p.contains("marketing"))
}

fn entry(known: &Known, state: State) -> Entry {
    let (event, proof) = (&known.event, &known.event.proof);
    let dated = |at: Timestamp| (at != STANDING).then_some(at);
    Entry {
        kind: event.kind,
        state,
        basis: event.basis.map(LawfulBasis::article),
        effective_at: dated(event.effective_at()),
        recorded_at: dated(event.recorded_at),
        known_at: known.known_at,
        valid_to: event.valid_to,
        missing: missing(event),
        method: proof.method.clone(),
        notice_id: proof.notice_id.clone(),
        wording_hash: proof.wording_hash.clone(),
        language: proof.language.clone(),
        actor: proof.actor.clone(),
        origin: format!("{} {}", event.origin.system, event.origin.field),
        event_id: event.external_id.clone(),
        value_commitment: event.origin.value_commitment.clone(),
    }
}

/// Only a grant must be proven; a no needs no proof. Legitimate interest rests on the policy's assessment instead.
fn missing(event: &LegalEvent) -> Vec<Missing> {
    if event.kind != EventKind::Grant || event.basis != Some(LawfulBasis::Consent) {
        return Vec::new();
    }
    let proof = &event.proof;
    let empty = |text: &Option<String>| text.as_ref().is_none_or(|t| t.trim().is_empty());
    let checks = [
        (empty(&proof.method), Missing::Method),
        (!empty(&proof.method) && !proof.is_of_the_subject(), Missing::ActOfThePerson),
        (!proof.names_a_notice(), Missing::NoticeId),
        (!proof.has_a_hash(), Missing::WordingHash),
        (empty(&proof.language), Missing::Language),
        (empty(&proof.actor), Missing::Actor),
        (event.origin.value_commitment.is_none(), Missing::ValueCommitment),
    ];
    checks.into_iter().filter(|(gap, _)| *gap).map(|(_, missing)| missing).collect()
}
