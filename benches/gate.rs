//! What a decision costs with 100,000 subjects loaded. The bar is 2 microseconds.
//!
//! `lookup` is the baseline: finding a subject's events in the map, which every decision does first. `decide` is the
//! decision itself, that lookup included; `interest` one that needs an assessment and a notice; `refuse` one of a
//! person who withdrew; `gate` adds what is around it: keyed ids, the row of the table, the permit. On a noisy machine
//! only the ratios to `lookup` mean something.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use prosopon::consent::decide::{Asked, OptOut, Request, View, decide};
use prosopon::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use prosopon::consent::gate::{Gate, InferProposal, SubjectFacts};
use prosopon::consent::ledger::Ledger;
use prosopon::consent::policy::Policy;
use prosopon::ids::{DEMO_KEY, Ids};
use prosopon::model::{SubjectId, Target};
use prosopon::taxonomy::{Operation, SourceClass};

const SUBJECTS: usize = 100_000;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn subject(number: usize) -> SubjectId {
    SubjectId::from_body(&format!("{number:026}"))
}

/// A proven consent for everybody, a restriction and its lift for every third, a withdrawal or a legitimate interest
/// for every seventh.
fn events() -> Vec<LegalEvent> {
    let event = |number, kind, recorded_at| LegalEvent {
        external_id: None,
        subject: subject(number),
        kind,
        basis: (kind == EventKind::Grant).then_some(LawfulBasis::Consent),
        scope: Scope {
            purposes: ["persona_enrichment".to_owned()].into(),
            source_classes: [SourceClass::Crm, SourceClass::CompanySite].into(),
            ..Scope::default()
        }
        .into(),
        valid_from: None,
        valid_to: None,
        recorded_at,
        proof: Proof {
            method: Some("web_form".into()),
            notice_id: Some("N-1".into()),
            wording_hash: Some("sha256:00".into()),
            language: None,
            actor: None,
        }
        .into(),
        origin: Origin { system: "crm".into(), field: "consents".into(), value_commitment: None }.into(),
        supersedes: None,
    };
    let of = |n: usize| {
        let mut events = vec![event(n, EventKind::Grant, at("2025-06-01T00:00:00Z"))];
        if n % 7 == 1 {
            events[0].basis = Some(LawfulBasis::LegitimateInterest);
            events.push(event(n, EventKind::Notice, at("2025-06-02T00:00:00Z")));
        }
        if n % 7 == 2 {
            events.push(event(n, EventKind::Withdraw, at("2025-06-02T00:00:00Z")));
        }
        if n.is_multiple_of(3) {
            events.push(event(n, EventKind::Restrict, at("2025-07-01T00:00:00Z")));
            // With purposes it would decide an objection.
            let lift = event(n, EventKind::Lift, at("2025-08-01T00:00:00Z"));
            events.push(LegalEvent { scope: Scope::default().into(), ..lift });
        }
        if n.is_multiple_of(10) && n % 7 == 3 {
            events.push(event(n, EventKind::Object, at("2025-09-01T00:00:00Z")));
        }
        events
    };
    (0..SUBJECTS).flat_map(of).collect()
}

fn decisions(criterion: &mut Criterion) {
    let now = at("2026-03-02T03:00:00Z");
    let file = serde_saphyr::from_str(include_str!("../config/policy/demo.yaml")).expect("the demo policy is valid");
    let policy = Policy::new(file);
    let mut ledger = Ledger::in_memory().expect("a ledger in memory");
    ledger.preview(&events(), &[], now);
    let view = ledger.into_view();
    let targets: Vec<Target> = (0..SUBJECTS).map(|n| Target::Subject(subject(n), None)).collect();
    // Far apart, so that no decision finds its subject in the cache of the one before; all leave the same
    // when divided by 7.
    let walk = |of: usize| (0..SUBJECTS / 7).cycle().step_by(1009).map(move |n| n * 7 + of);
    let id_of = |number: usize| match &targets[number] {
        Target::Subject(id, _) => id,
        Target::Account(_) | Target::Host(_) => unreachable!("all targets are subjects"),
    };
    let mut next = walk(0);
    criterion.bench_function("lookup", |bencher| {
        bencher.iter(|| black_box(view.events(id_of(next.next().expect("endless"))).map(<[LegalEvent]>::len)));
    });
    // By what is left of the number divided by 7: a consent, a legitimate interest, a withdrawal.
    for (name, first, permitted) in [("decide", 4, true), ("interest", 1, true), ("refuse", 2, false)] {
        let mut next = walk(first);
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let number = next.next().expect("endless");
                let request = Request {
                    target: &targets[number],
                    operation: Operation::Infer,
                    purpose: "persona_enrichment",
                    source_id: "crm",
                    host: None,
                    account_host: None,
                    opt_out: OptOut::NotApplicable,
                    collected_at: Some(now),
                    asked: Asked::default(),
                };
                let view = View {
                    events: view.events(id_of(number)),
                    ambiguous: false,
                    intact: true,
                    last_sync: Some(now),
                    newest: Some(now),
                };
                let decided = decide(black_box(&request), &view, &policy, now);
                assert_eq!(decided.is_ok(), permitted);
                black_box(decided)
            });
        });
    }
    let mut next = walk(4);
    let gate = Gate::new(policy.clone(), view.clone(), &Ids::new(DEMO_KEY), Arc::new(move || now));
    criterion.bench_function("gate", |bencher| {
        bencher.iter(|| {
            let proposal = InferProposal {
                target: targets[next.next().expect("endless")].clone(),
                source_id: "crm".to_owned(),
                purpose: "persona_enrichment".to_owned(),
                operation: Operation::Infer,
                facts: Some(SubjectFacts { collected_at: now, ambiguous: false }),
            };
            black_box(gate.infer(proposal).outcome.is_ok())
        });
    });
}

criterion_group!(benches, decisions);
criterion_main!(benches);
