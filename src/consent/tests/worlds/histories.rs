//! Random histories of a person.
//!
//! Invariant: coarse times around now, so that ties and contradictions are frequent.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::super::{event, now, proven};
use super::{CATEGORIES, CLASSES, OPERATIONS, PURPOSES, RECIPIENTS, REGIONS};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};

/// Around now, coarse, so that ties are frequent; `-10_800` is the midnight before, and with it days have no time.
pub(in crate::consent::tests) fn time() -> impl Strategy<Value = Timestamp> {
    let days = [-86_400 * 20 - 10_800, -86_400 - 10_800, -10_800, 86_400 - 10_800];
    let times = [-86_400 * 60, -86_400 * 20, -86_400 * 10, -86_400, -1, 0, 1, 86_400 * 30];
    select([&times[..], &days[..]].concat()).prop_map(|seconds| now() + SignedDuration::from_secs(seconds))
}

fn proof() -> impl Strategy<Value = Proof> {
    let method = |m: &str| Proof { method: Some(m.into()), ..proven() };
    let choices = [
        (8, proven()),
        (2, method("crm_sync")),
        (1, Proof::default()),
        (1, Proof { wording_hash: None, ..proven() }),
        (1, Proof { notice_id: Some(" ".into()), ..proven() }),
        (1, method("double_opt_in_pending")),
        (1, Proof { notice_id: Some("fehlt".into()), ..proven() }),
        (1, Proof { wording_hash: Some("sha256:".into()), ..proven() }),
    ];
    let of = choices.into_iter().map(|(weight, proof)| (weight, Just(proof).boxed())).collect();
    proptest::strategy::Union::new_weighted(of)
}

fn scope() -> impl Strategy<Value = Scope> {
    let purposes = prop_oneof![
        4 => Just(vec!["persona_enrichment", "profiling"]),
        3 => subsequence(PURPOSES.to_vec(), 0..=3),
    ];
    let operations = prop_oneof![5 => Just(vec![]), 1 => subsequence(OPERATIONS.to_vec(), 1..=4)];
    let classes = prop_oneof![3 => Just(CLASSES.to_vec()), 2 => subsequence(CLASSES.to_vec(), 0..=2)];
    let data = (names(CATEGORIES), names(RECIPIENTS), names(REGIONS));
    (purposes, operations, classes, data).prop_map(
        |(purposes, operations, classes, (data_categories, recipients, regions))| Scope {
            purposes: purposes.into_iter().map(str::to_owned).collect(),
            operations: operations.into_iter().collect(),
            source_classes: classes.into_iter().collect(),
            data_categories,
            recipients,
            regions,
        },
    )
}

/// Mostly none, which stands for everything or for what the purposes have.
fn names(of: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<String>> {
    let some = prop_oneof![1 => subsequence(of.to_vec(), 1..=of.len()), 1 => Just(of[..of.len() - 1].to_vec())];
    prop_oneof![7 => Just(vec![]), 1 => some].prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

pub(in crate::consent::tests) fn negative_kind() -> impl Strategy<Value = EventKind> {
    use EventKind::{Erase, Object, Refuse, Restrict, Withdraw};
    prop_oneof![1 => Just(Erase), 3 => Just(Object), 3 => Just(Refuse), 3 => Just(Restrict), 4 => Just(Withdraw)]
}

pub(in crate::consent::tests) fn any_kind() -> impl Strategy<Value = EventKind> {
    use EventKind::{Assessment, Grant, Lift, Notice, Rectify};
    let other = select(vec![Assessment, Lift, Lift, Lift, Notice, Notice, Rectify]);
    prop_oneof![8 => Just(Grant), 3 => other, 2 => negative_kind()]
}

pub(in crate::consent::tests) fn event_of(kind: impl Strategy<Value = EventKind>) -> impl Strategy<Value = LegalEvent> {
    let basis = prop_oneof![
        4 => Just(Some(LawfulBasis::Consent)),
        3 => Just(Some(LawfulBasis::LegitimateInterest)),
        1 => Just(None)
    ];
    let recorded = prop_oneof![12 => time(), 1 => Just(Timestamp::MAX)];
    let id = prop_oneof![3 => Just(None), 1 => select(vec![Some("E-1"), Some("E-2")])];
    let ends = prop_oneof![3 => Just(None), 1 => time().prop_map(Some)];
    let begins = prop_oneof![2 => Just(None), 1 => time().prop_map(Some)];
    let replaces = prop_oneof![8 => Just(None), 1 => select(vec![Some("E-1"), Some("E-2")])];
    let system = prop_oneof![8 => Just("crm"), 1 => Just("other"), 1 => Just(Origin::CONTROLLER)];
    let record = (id, replaces, system);
    (kind, basis, scope(), begins, ends, recorded, proof(), record).prop_map(
        |(kind, basis, scope, valid_from, valid_to, recorded_at, proof, (id, replaces, system))| {
            let mut event = LegalEvent {
                external_id: id.map(str::to_owned),
                supersedes: replaces.map(str::to_owned),
                basis,
                scope: scope.into(),
                valid_from,
                valid_to,
                recorded_at,
                proof: proof.into(),
                ..event(kind, "2026-01-01")
            };
            system.clone_into(&mut event.origin.system);
            event
        },
    )
}

/// A consent, or a legitimate interest with its notice, that carries by itself; what follows may take it away.
fn sound() -> impl Strategy<Value = Vec<LegalEvent>> {
    let scope = Scope {
        purposes: ["persona_enrichment".to_owned(), "profiling".to_owned()].into(),
        source_classes: CLASSES.iter().copied().collect(),
        ..Scope::default()
    };
    let of = move |kind, basis| LegalEvent {
        basis,
        scope: scope.clone().into(),
        proof: proven().into(),
        ..event(kind, "2026-01-20")
    };
    let consent = of(EventKind::Grant, Some(LawfulBasis::Consent));
    let interest = of(EventKind::Grant, Some(LawfulBasis::LegitimateInterest));
    let notice = of(EventKind::Notice, None);
    prop_oneof![
        5 => Just(vec![consent]),
        3 => Just(vec![interest.clone(), notice]),
        1 => Just(vec![interest])
    ]
}

/// A restriction or an objection, and one or two lifts that mean it and mostly end.
fn lifted() -> impl Strategy<Value = Vec<LegalEvent>> {
    let ends = prop_oneof![
        1 => Just(None),
        4 => select(vec![0, 1, 60, 1_800, 86_400]).prop_map(|s| Some(now() + SignedDuration::from_secs(s)))
    ];
    (any::<bool>(), prop::collection::vec(ends, 1..=2)).prop_map(|(objects, ends)| {
        let purposes = || if objects { BTreeSet::from(["persona_enrichment".to_owned()]) } else { BTreeSet::new() };
        let of = |kind, day| LegalEvent {
            scope: Scope { purposes: purposes(), ..Scope::default() }.into(),
            ..event(kind, day)
        };
        let no = of(if objects { EventKind::Object } else { EventKind::Restrict }, "2026-01-21");
        let lifts = ends.into_iter().map(|valid_to| LegalEvent { valid_to, ..of(EventKind::Lift, "2026-02-01") });
        std::iter::once(no).chain(lifts).collect()
    })
}

pub(super) fn history() -> impl Strategy<Value = Option<Vec<LegalEvent>>> {
    let random = prop::collection::vec(event_of(any_kind()), 0..7);
    let spoiled = (sound(), prop::collection::vec(event_of(any_kind()), 0..=3)).prop_map(|(mut events, more)| {
        events.extend(more);
        events
    });
    let lifted = (sound(), lifted(), prop::collection::vec(event_of(any_kind()), 0..=1));
    let lifted = lifted.prop_map(|(sound, lifted, more)| [sound, lifted, more].concat());
    prop_oneof![20 => random.prop_map(Some), 60 => spoiled.prop_map(Some), 8 => lifted.prop_map(Some), 1 => Just(None)]
}
