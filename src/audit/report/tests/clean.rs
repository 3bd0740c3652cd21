//! A clean history gives no finding, whatever people decide between the runs.

use std::collections::BTreeSet;

use jiff::{Span, ToSpan};
use proptest::prelude::*;

use super::super::fixtures::{PURPOSE, World, at, event, grant};
use super::super::{Book, Findings};
use super::super::{
    assessments, coverage, denials, latency, notices, retention, ropa, sources, special_category, violations,
};
use crate::audit::leaf::Decision;
use crate::audit::source::LeafSource;
use crate::consent::event::{EventKind, LegalEvent};
use crate::taxonomy::{Operation, SourceClass};

/// Every finding of every report.
fn all_findings(book: &Book<'_>) -> Vec<(&'static str, Findings)> {
    vec![
        ("coverage", coverage::coverage(book).expect("coverage").findings),
        ("violations", violations::violations(book).expect("violations").findings),
        ("special category", special_category::special_category(book).expect("special category").findings),
        ("retention", retention::overdue(book).expect("retention").findings),
        ("assessments", assessments::assessments(book).expect("assessments").findings),
        ("sources", sources::sources(book).expect("sources").findings),
    ]
}

fn assert_clean(world: &World) {
    world.ask(|book| {
        for (report, findings) in all_findings(book) {
            assert_eq!(findings, Findings::default(), "{report}");
        }
        let latency = latency::latency(
            book,
            Span::new().hours(24).to_duration(jiff::SpanRelativeTo::days_are_24_hours()).expect("hours"),
        )
        .expect("latency");
        assert_eq!((latency.n_after_known, latency.from_known.max), (0, 0), "{latency:?}");
        assert_eq!(notices::notices(book, None).expect("notices").overdue, 0);
        let ropa = ropa::ropa(book).expect("ropa");
        assert_eq!(ropa.cells(), cells(book), "R17: the record equals the log");
        assert!(ropa.unknown_policies.is_empty());
        let denials = denials::denials(book, denials::By::Month).expect("denials");
        assert_eq!(denials.groups.iter().map(|g| g.refusals).sum::<u64>(), denials.refusals);
    });
}

/// The record's cells, counted leaf by leaf in another way.
fn cells(book: &Book<'_>) -> BTreeSet<ropa::Cell> {
    let mut cells = BTreeSet::new();
    book.leaves
        .each(0..book.leaves.len(), &mut |_, leaf| {
            let policy = (book.policies)(leaf.policy.as_deref().unwrap_or_default()).expect("a policy");
            for d in leaf.decisions.iter().filter(|d: &&Decision| d.permitted()) {
                let days = policy.file().purposes[&d.purpose].retention_days;
                let to: Vec<Option<String>> =
                    if d.recipients.is_empty() { vec![None] } else { d.recipients.iter().cloned().map(Some).collect() };
                for recipient in to {
                    for category in &d.categories {
                        cells.insert((d.purpose.clone(), category.clone(), recipient.clone(), Some(days)));
                    }
                }
            }
            std::ops::ControlFlow::Continue(())
        })
        .expect("leaves");
    cells
}

#[test]
fn two_quiet_nights() {
    let world = super::clean();
    assert_clean(&world);
    let coverage = world.ask(|book| coverage::coverage(book).expect("coverage"));
    assert_eq!((coverage.rows.personas, coverage.rows.evidence, coverage.rows.documents), (12, 28, 4));
    assert_eq!((coverage.rows.decisions, coverage.in_log, coverage.unused_permits), (40, 40, 0));
}

fn kinds() -> impl Strategy<Value = EventKind> {
    use EventKind as Kind;
    prop_oneof![
        3 => Just(Kind::Grant),
        2 => Just(Kind::Withdraw),
        2 => Just(Kind::Object),
        2 => Just(Kind::Restrict),
        2 => Just(Kind::Lift),
        1 => Just(Kind::Refuse),
        1 => Just(Kind::Erase),
        1 => Just(Kind::Notice),
    ]
}

/// Whom, what, which purposes, whether narrowed, how many hours before the import it was recorded.
type Act = (usize, EventKind, u8, bool, i64);

fn happens(night: i64, (who, kind, purposes, narrow, hours): &Act) -> LegalEvent {
    let when = at("2026-03-02T02:00:00Z") + (night * 24 - hours).hours();
    if *kind == EventKind::Grant {
        return grant(*who, when);
    }
    let mut event = event(*who, *kind, when);
    let names: &[&str] = match purposes {
        0 => &[],
        1 => &[PURPOSE],
        2 => &["profiling"],
        3 => &["marketing"],
        _ => &["a purpose of an older policy"],
    };
    event.scope.purposes = names.iter().map(|n| (*n).to_owned()).collect();
    if *narrow {
        event.scope.operations = [Operation::Profile, Operation::Infer].into();
        event.scope.source_classes = [SourceClass::Crm].into();
    }
    event
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_decide_between_runs(nights in prop::collection::vec(
        prop::collection::vec((0..3usize, kinds(), 0..5u8, any::<bool>(), 0..40i64), 0..5), 1..4))
    {
        let mut world = World::new(3);
        for (night, acts) in nights.iter().enumerate() {
            let night = night as i64;
            let events: Vec<LegalEvent> = acts.iter().map(|act| happens(night, act)).collect();
            let when = at("2026-03-02T02:00:00Z") + (night * 24).hours();
            world.import(&events, when);
            world.run(&format!("n{night}"), when + 1.hours());
        }
        assert_clean(&world);
    }
}
