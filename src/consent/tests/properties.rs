//! The properties of the design, over random policies, histories and requests.
//!
//! `PROSOPON_GATE_CASES` sets how many of them; some thousands are the default.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};

use super::{event, now, policy_file, proven};
use crate::consent::decide::{Asked, Granted, OptOut, Refusal, Request, View, decide};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Proof, Scope};
use crate::consent::policy::{Policy, PolicyFile, Terms, Visibility};
use crate::consent::reference;
use crate::model::{AccountId, Target};
use crate::taxonomy::{Operation, SourceClass};

const PURPOSES: &[&str] = &["persona_enrichment", "profiling", "marketing", "company_research", "renamed"];
const CLASSES: &[SourceClass] = &[SourceClass::Crm, SourceClass::CompanySite, SourceClass::PublicProfessional];
const OPERATIONS: &[Operation] =
    &[Operation::Infer, Operation::Emit, Operation::Collect, Operation::Profile, Operation::Store, Operation::Derive];

#[derive(Debug, Clone)]
struct World {
    policy: PolicyFile,
    target: Target,
    operation: Operation,
    purpose: &'static str,
    source: &'static str,
    host: Option<(&'static str, Option<&'static str>)>,
    opt_out: OptOut,
    collected_at: Option<Timestamp>,
    events: Option<Vec<LegalEvent>>,
    flags: (bool, bool),
    syncs: (Option<Timestamp>, Option<Timestamp>),
}

impl World {
    fn view<'a>(&self, events: Option<&'a [LegalEvent]>) -> View<'a> {
        let (last_sync, newest) = self.syncs;
        View { events, ambiguous: self.flags.0, intact: self.flags.1, last_sync, newest }
    }

    fn request(&self) -> Request<'_> {
        Request {
            target: &self.target,
            operation: self.operation,
            purpose: self.purpose,
            source_id: self.source,
            host: self.host.map(|(host, _)| host),
            account_host: self.host.and_then(|(_, own)| own),
            opt_out: self.opt_out,
            collected_at: self.collected_at,
            asked: Asked::default(),
        }
    }

    fn decide(&self) -> Result<Granted, Refusal> {
        let policy = Policy::new(self.policy.clone());
        decide(&self.request(), &self.view(self.events.as_deref()), &policy, now())
    }

    fn permits(&self) -> bool {
        self.decide().is_ok()
    }
}

/// Around now, coarse, so that ties are frequent.
fn time() -> impl Strategy<Value = Timestamp> {
    select(vec![-86_400 * 60, -86_400 * 20, -86_400 * 10, -86_400, -1, 0, 1, 86_400 * 30])
        .prop_map(|seconds| now() + SignedDuration::from_secs(seconds))
}

fn proof() -> impl Strategy<Value = Proof> {
    let method = |m: &str| Proof { method: Some(m.into()), ..proven() };
    let choices = [
        (8, proven()),
        (2, method("crm_sync")),
        (1, Proof::default()),
        (1, Proof { wording_hash: None, ..proven() }),
        (1, Proof { notice_id: Some(" ".into()), ..proven() }),
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
    (purposes, operations, classes).prop_map(|(purposes, operations, classes)| Scope {
        purposes: purposes.into_iter().map(str::to_owned).collect(),
        operations: operations.into_iter().collect(),
        source_classes: classes.into_iter().collect(),
        ..Scope::default()
    })
}

fn negative_kind() -> impl Strategy<Value = EventKind> {
    use EventKind::{Erase, Object, Refuse, Restrict, Withdraw};
    prop_oneof![1 => Just(Erase), 3 => Just(Object), 3 => Just(Refuse), 3 => Just(Restrict), 4 => Just(Withdraw)]
}

fn any_kind() -> impl Strategy<Value = EventKind> {
    use EventKind::{Assessment, Grant, Lift, Notice, Rectify};
    let other = select(vec![Assessment, Lift, Lift, Lift, Notice, Notice, Rectify]);
    prop_oneof![8 => Just(Grant), 3 => other, 2 => negative_kind()]
}

fn event_of(kind: impl Strategy<Value = EventKind>) -> impl Strategy<Value = LegalEvent> {
    let basis = prop_oneof![
        4 => Just(Some(LawfulBasis::Consent)),
        3 => Just(Some(LawfulBasis::LegitimateInterest)),
        1 => Just(None)
    ];
    let recorded = prop_oneof![12 => time(), 1 => Just(Timestamp::MAX)];
    let id = prop_oneof![3 => Just(None), 1 => select(vec![Some("E-1"), Some("E-2")])];
    let ends = prop_oneof![3 => Just(None), 1 => time().prop_map(Some)];
    let begins = prop_oneof![2 => Just(None), 1 => time().prop_map(Some)];
    (kind, basis, scope(), begins, ends, recorded, proof(), id).prop_map(
        |(kind, basis, scope, valid_from, valid_to, recorded_at, proof, id)| LegalEvent {
            external_id: id.map(str::to_owned),
            basis,
            scope,
            valid_from,
            valid_to,
            recorded_at,
            proof,
            ..event(kind, "2026-01-01")
        },
    )
}

fn history() -> impl Strategy<Value = Option<Vec<LegalEvent>>> {
    prop_oneof![30 => prop::collection::vec(event_of(any_kind()), 0..7).prop_map(Some), 1 => Just(None)]
}

/// The demo policy with up to two changes.
fn policy() -> impl Strategy<Value = PolicyFile> {
    let changes = prop_oneof![4 => Just(vec![]), 3 => prop::collection::vec(0..24_u8, 1..=2)];
    changes.prop_map(|changes| {
        let mut file = policy_file();
        for which in changes {
            change(&mut file, which);
        }
        file
    })
}

fn change(file: &mut PolicyFile, which: u8) {
    let date = |text: &str| text.parse().expect("a test writes dates");
    let purpose = |file: &mut PolicyFile, name: &str| file.purposes.remove(name).expect("the demo policy has it");
    let mut enrichment = purpose(file, "persona_enrichment");
    let mut profiling = purpose(file, "profiling");
    let mut lia = file.assessments.remove("lia-2026-01").expect("the demo policy has it");
    let mut dpia = file.assessments.remove("dpia-2026-01").expect("the demo policy has it");
    let mut sources: Vec<_> = file.sources.values_mut().collect();
    match which {
        0 => file.approval = None,
        1 => file.version = 2,
        2 => file.permit_ttl_seconds = 86_400 * 400,
        3 => file.consent_sync_max_age_hours = 24 * 400,
        4 => sources.iter_mut().for_each(|s| s.visibility = Visibility::Unknown),
        5 => sources.iter_mut().for_each(|s| s.terms = Terms::Forbid),
        6 => sources.iter_mut().for_each(|s| s.revoked = true),
        7 => sources.iter_mut().for_each(|s| s.contract_until = Some(date("2026-03-01"))),
        8 => sources.iter_mut().for_each(|s| s.contract_until = Some(date("2026-03-02"))),
        9 => sources.iter_mut().for_each(|s| s.class = SourceClass::LoginOrRestricted),
        10 => sources.iter_mut().for_each(|s| s.hosts = vec!["muster.example".into()]),
        11 => enrichment.bases = vec![LawfulBasis::Consent],
        12 => enrichment.operations.push(Operation::Profile),
        13 => enrichment.retention_days = 5,
        14 => enrichment.dpia = Some("dpia-2026-01".into()),
        15 => profiling.bases.push(LawfulBasis::LegitimateInterest),
        16 => profiling.dpia = None,
        17 => lia.expires_at = date("2026-03-03"),
        18 => lia.necessity = None,
        19 => lia.purposes.push("profiling".into()),
        20 => dpia.expires_at = date("2026-03-02"),
        21 => dpia.purposes.push("persona_enrichment".into()),
        22 => file.notice.days = 15,
        _ => drop(file.recipients.remove("sales")),
    }
    file.purposes.insert("persona_enrichment".into(), enrichment);
    file.purposes.insert("profiling".into(), profiling);
    file.assessments.insert("lia-2026-01".into(), lia);
    file.assessments.insert("dpia-2026-01".into(), dpia);
}

fn world() -> impl Strategy<Value = World> {
    let target = prop_oneof![
        12 => Just(Target::Subject(super::subject(), None)),
        1 => Just(Target::Account(AccountId::from_body("test"))),
        1 => Just(Target::Host("www.muster.example".into())),
    ];
    let purpose = prop_oneof![
        8 => Just("persona_enrichment"),
        4 => Just("profiling"),
        1 => select(vec!["company_research", "opt_out_check", "marketing", "recruiting"])
    ];
    let operation = select(OPERATIONS.to_vec());
    let source = prop_oneof![12 => select(vec!["crm", "company_site", "developer_profile"]), 1 => Just("gossip")];
    let hosts = select(vec![
        ("www.muster.example", Some("muster.example")),
        ("muster.example", Some("muster.example")),
        ("andere.example", Some("muster.example")),
        ("api.devhub.example", Some("devhub.example")),
        ("muster.co.uk", Some("co.uk")),
        ("www.muster.example", None),
    ]);
    let host = prop_oneof![4 => Just(None), 1 => hosts.prop_map(Some)];
    let opt_out = prop_oneof![
        5 => Just(OptOut::Free), 5 => Just(OptOut::NotApplicable),
        1 => Just(OptOut::RobotsDisallow), 1 => Just(OptOut::TdmReserved)
    ];
    let often = |value: bool| prop_oneof![30 => Just(value), 1 => Just(!value)];
    let synced = now() - SignedDuration::from_hours(1);
    let sync = move || prop_oneof![20 => Just(Some(synced)), 1 => Just(None), 2 => time().prop_map(Some)];
    let collected = prop_oneof![20 => time().prop_map(Some), 1 => Just(None)];
    let asked = (target, operation, purpose, source, host, opt_out, collected);
    (policy(), asked, history(), (often(false), often(true)), (sync(), sync())).prop_map(
        |(policy, (target, operation, purpose, source, host, opt_out, collected_at), events, flags, syncs)| World {
            policy,
            target,
            operation,
            purpose,
            source,
            host,
            opt_out,
            collected_at,
            events,
            flags,
            syncs,
        },
    )
}

fn cases() -> u32 {
    std::env::var("PROSOPON_GATE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000)
}

/// A property over a quarter of the cases; the model gets all of them.
fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    run_for(cases().div_ceil(4), strategy, test);
}

fn run_for<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, max_global_rejects: u32::MAX, ..Config::default() };
    if let Err(error) = TestRunner::new(config).run(&strategy, test) {
        panic!("{error}");
    }
}

#[test]
fn the_gate_decides_as_the_reference_model() {
    let permits = std::cell::Cell::new(0_u32);
    run_for(cases(), world(), |world| {
        let policy = Policy::new(world.policy.clone());
        let view = world.view(world.events.as_deref());
        let model = reference::answer(&world.request(), &view, &policy, now());
        let gate = world.decide().map(|g| (g.bases.join(","), g.valid_until)).map_err(|r| r.reasons);
        permits.set(permits.get() + u32::from(gate.is_ok()));
        prop_assert_eq!(gate, model);
        Ok(())
    });
    assert!(permits.get() > cases() / 50, "only {} of {} histories permit", permits.get(), cases());
}

#[test]
fn a_negative_event_never_turns_a_refusal_into_a_permit() {
    run((world(), event_of(negative_kind())), |(mut world, negative)| {
        let before = world.permits();
        world.events.get_or_insert_default().push(negative);
        prop_assert!(before || !world.permits());
        Ok(())
    });
}

#[test]
fn narrowing_a_grant_or_the_policy_never_permits_more() {
    run((world(), any::<u64>()), |(mut world, pick)| {
        let before = world.permits();
        let nth = |len: usize| usize::try_from(pick % (len.max(1) as u64)).expect("smaller than a usize");
        if let Some(events) = &mut world.events {
            let grants: Vec<_> =
                events.iter_mut().filter(|e| matches!(e.kind, EventKind::Grant | EventKind::Notice)).collect();
            let which = nth(grants.len());
            if let Some(grant) = grants.into_iter().nth(which) {
                narrow(&mut grant.scope, pick);
            }
        }
        prop_assert!(before || !world.permits());
        let which = nth(world.policy.sources.len());
        let id = world.policy.sources.keys().nth(which).cloned().expect("the demo policy has sources");
        world.policy.sources.remove(&id);
        prop_assert!(before || !world.permits());
        Ok(())
    });
}

/// Takes something away; never the last operation, for none means all of them.
fn narrow(scope: &mut Scope, pick: u64) {
    match pick % 3 {
        0 => drop(scope.purposes.pop_first()),
        1 => drop(scope.source_classes.pop_last()),
        _ if scope.operations.len() > 1 => drop(scope.operations.pop_first()),
        _ => scope.operations = BTreeSet::from([Operation::Derive]),
    }
}

#[test]
fn the_order_of_events_is_irrelevant_and_a_replay_is_identical() {
    run((world(), any::<u64>()), |(mut world, seed)| {
        let before = world.decide();
        prop_assert_eq!(&before, &world.decide());
        if let Some(events) = &mut world.events {
            let len = events.len().max(1);
            events.rotate_left(usize::try_from(seed).unwrap_or(1) % len);
            events.reverse();
        }
        prop_assert_eq!(before, world.decide());
        Ok(())
    });
}

#[test]
fn importing_an_event_again_changes_nothing() {
    run(world(), |mut world| {
        let before = world.decide();
        if let Some(events) = &mut world.events {
            events.extend(events.clone());
        }
        prop_assert_eq!(before, world.decide());
        Ok(())
    });
}

/// A world in which nothing but the person's events can refuse.
fn friendly(events: Vec<LegalEvent>, purpose: &'static str, operation: Operation) -> World {
    World {
        policy: policy_file(),
        target: Target::Subject(super::subject(), None),
        operation,
        purpose,
        source: "crm",
        host: None,
        opt_out: OptOut::NotApplicable,
        collected_at: Some(now() - SignedDuration::from_hours(1)),
        events: Some(events),
        flags: (false, true),
        syncs: (Some(now()), Some(now())),
    }
}

#[test]
fn a_withdrawal_wins_every_tie_and_leaves_no_legitimate_interest() {
    let withdrawal = select(vec![EventKind::Withdraw, EventKind::Refuse]);
    run((withdrawal, time(), event_of(Just(EventKind::Grant))), |(kind, when, mut grant)| {
        let withdrawal = LegalEvent { recorded_at: when, ..event(kind, "2026-01-01") };
        let by_interest = grant.basis == Some(LawfulBasis::LegitimateInterest);
        if !by_interest {
            grant.recorded_at = when;
        }
        prop_assert!(!friendly(vec![grant, withdrawal], "persona_enrichment", Operation::Infer).permits());
        Ok(())
    });
}

#[test]
fn only_a_consent_to_profiling_unlocks_profiling() {
    run(prop::collection::vec(event_of(any_kind()), 0..6), |mut events| {
        for event in &mut events {
            event.scope.purposes.remove("profiling");
        }
        prop_assert!(!friendly(events.clone(), "profiling", Operation::Profile).permits());
        prop_assert!(!friendly(events.clone(), "profiling", Operation::Infer).permits());
        prop_assert!(!friendly(events, "persona_enrichment", Operation::Profile).permits());
        Ok(())
    });
}

#[test]
fn an_objection_to_marketing_is_absolute() {
    run((world(), time()), |(mut world, when)| {
        let mut objection = LegalEvent { recorded_at: when, ..event(EventKind::Object, "2026-01-01") };
        objection.scope.purposes.insert("marketing".into());
        world.events.get_or_insert_default().push(objection);
        prop_assert!(!world.permits() || !matches!(world.target, Target::Subject(..)));
        Ok(())
    });
}

#[test]
fn a_missing_record_refuses() {
    run(world(), |mut world| {
        world.target = Target::Subject(super::subject(), None);
        world.events = None;
        prop_assert!(!world.permits());
        world.events = Some(Vec::new());
        prop_assert!(!world.permits());
        Ok(())
    });
}
