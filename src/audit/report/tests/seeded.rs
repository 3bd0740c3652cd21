//! One violation each, and the word that must be found for it.

use jiff::{SignedDuration, ToSpan};

use super::super::fixtures::{PURPOSE, Tables, World, at, demo_policy, event, subject};
use super::super::{assessments, coverage, latency, retention, sources, special_category, violations};
use crate::audit::leaf::{Kind, Leaf, Stage};
use crate::consent::event::EventKind;
use crate::consent::policy::Policy;
use crate::model::{PermitId, RunId, Target};
use crate::taxonomy::Operation;

const RUN: &str = "2026-03-02T03:00:00Z";

/// One run whose tables are changed behind the log's back.
fn changed(change: impl FnOnce(&mut Tables)) -> World {
    let mut world = World::new(6);
    world.import(&[], at("2026-03-02T02:00:00Z"));
    world.run_with("a", at(RUN), change);
    world
}

#[test]
fn coverage_finds_each_orphan_both_ways() {
    type Change = Box<dyn FnOnce(&mut Tables)>;
    let cases: Vec<(&str, &str, Change)> = vec![
        ("persona_without_permit", "personas", Box::new(|t| t.personas[0].legal.permit_id = PermitId::from_body("x"))),
        (
            "permit_of_another",
            "personas",
            Box::new(|t| {
                let other = t.personas[1].legal.permit_id.clone();
                t.personas[0].legal.permit_id = other;
            }),
        ),
        ("other_basis", "personas", Box::new(|t| t.personas[0].legal.basis = vec!["6(1)(f)".into()])),
        ("other_purpose", "personas", Box::new(|t| t.manifest["purpose"] = "sales_outreach".into())),
        ("past_retention", "personas", Box::new(|t| t.personas[0].legal.retain_until = at("2026-03-02T00:00:00Z"))),
        ("evidence_without_permit", "evidence", Box::new(|t| t.evidence[1].evidence.permit = PermitId::from_body("x"))),
        (
            "permit_of_another",
            "evidence",
            Box::new(|t| {
                let other = t.evidence[3].evidence.permit.clone();
                t.evidence[1].evidence.permit = other;
            }),
        ),
        ("permit_of_other_source", "evidence", Box::new(|t| t.evidence[1].evidence.source_id = "company_site".into())),
        (
            "other_purpose",
            "evidence",
            Box::new(|t| {
                let enriching = t.evidence[1].evidence.permit.clone();
                t.evidence[2].evidence.permit = enriching;
            }),
        ),
        (
            "evidence_without_document",
            "evidence",
            Box::new(|t| {
                t.evidence[0].evidence.document = Some(crate::model::DocumentId::from_body("x"));
            }),
        ),
        ("evidence_without_persona", "evidence", Box::new(|t| drop(t.personas.remove(0)))),
        ("member_without_persona", "buying_centers", Box::new(|t| drop(t.personas.remove(0)))),
        ("emit_without_row", "decisions", Box::new(|t| drop(t.personas.remove(0)))),
        ("document_without_permit", "documents", Box::new(|t| t.documents[0].permit_id = PermitId::from_body("x"))),
        (
            "permit_used_twice",
            "documents",
            Box::new(|t| {
                let mut again = t.documents[0].clone();
                again.document_id = crate::model::DocumentId::from_body("again");
                t.documents.push(again);
            }),
        ),
        ("fetch_without_document", "decisions", Box::new(|t| t.documents.clear())),
        ("permit_without_basis", "decisions", Box::new(|t| t.decisions[1].reasons.clear())),
        ("decision_differs_from_leaf", "decisions", Box::new(|t| t.decisions[1].reasons = vec!["6(1)(f)".into()])),
        (
            "decision_differs_from_leaf",
            "decisions",
            Box::new(|t| t.decisions[1].valid_until = Some(at("2027-01-01T00:00:00Z"))),
        ),
        ("decision_without_leaf", "decisions", Box::new(|t| t.decisions[1].purpose = "sales_outreach".into())),
    ];
    for (kind, table, change) in cases {
        let found = changed(change).ask(|book| coverage::coverage(book).expect("coverage")).findings;
        let hit = found.listed.iter().any(|f| f.kind == kind && f.table == Some(table));
        assert!(hit, "{kind} in {table}: {:?}", found.counts);
    }
}

#[test]
fn coverage_finds_rows_without_leaf_and_publications_without_row() {
    let mut world = super::clean();
    let removed = world.log.leaves.remove(1);
    assert_eq!(removed.stage, Some(Stage::Plan));
    let found = world.ask(|book| coverage::coverage(book).expect("coverage")).findings;
    assert_eq!(found.of("decision_without_leaf"), 3, "{found:?}");
    assert_eq!(found.total(), 3);

    // The row and its decisions are gone from the tables, the log still knows.
    let world = changed(|t| {
        let gone = t.personas.remove(0).subject_id;
        t.decisions.retain(|d| !matches!(&d.target, Target::Subject(id, _) if *id == gone));
        t.evidence.retain(|s| !matches!(&s.about, crate::model::About::Subject(id, _) if *id == gone));
        t.centers[0].members.remove(0);
    });
    let answer = world.ask(|book| coverage::coverage(book).expect("coverage"));
    assert_eq!(answer.findings.of("emit_without_row"), 1, "{:?}", answer.findings);
    assert_eq!((answer.findings.total(), answer.unused_permits), (1, 3));

    // An erasure, a restriction or a rewrite of that person explains it.
    let mut world = world;
    let mut right = Leaf::new(Kind::Right).fact("right", "restrict");
    right.at = at("2026-03-02T04:00:00Z");
    right.subject = world.vault.key(&subject(0)).map(|key| key.tag(right.at));
    world.log.leaves.push(right);
    let answer = world.ask(|book| coverage::coverage(book).expect("coverage"));
    assert_eq!((answer.findings.total(), answer.explained), (0, 1));
}

/// Each negative event, known before the run, that the run did not heed.
#[test]
fn violations_finds_whatever_came_after_a_negative_event() {
    for kind in [EventKind::Withdraw, EventKind::Object, EventKind::Restrict, EventKind::Refuse, EventKind::Erase] {
        let mut world = super::clean();
        let before = at("2026-03-02T12:00:00Z");
        // The ledger learned of it between the two runs; the leaves of the second run say otherwise.
        let mut negative = event(1, kind, before);
        negative.scope.purposes = [PURPOSE.to_owned()].into();
        world.import(&[negative], before);
        let head = world.ledger.view().head();
        world.log.leaves.iter_mut().filter(|l| l.at > before).for_each(|l| l.ledger = Some(head));
        let found = world.ask(|book| violations::violations(book).expect("violations")).findings;
        assert!(found.of("after_objection") > 0, "{kind:?}: {found:?}");
        assert!(found.listed.iter().all(|f| f.about.as_deref() == Some(subject(1).as_str())), "{kind:?}");
        assert_eq!(found.of("row_of_objector") > 0, kind != EventKind::Restrict, "{kind:?}: {found:?}");
        let first = found.listed.iter().find(|f| f.kind == "after_objection").expect("one");
        assert_eq!(first.event.as_ref().map(|e| (e.entry, e.kind)), Some((head, kind)));
        let latency = world.ask(|book| latency::latency(book, SignedDuration::from_hours(1)).expect("latency"));
        assert_eq!(latency.n_after_known, 1, "{kind:?}");
        // The second run began 15 hours later.
        assert_eq!(
            (latency.from_known.max, latency.over_threshold[0].seconds_from_known),
            (54_000, 54_000),
            "{kind:?}"
        );
    }
}

#[test]
fn violations_are_silent_after_a_lift_or_a_new_consent() {
    let mut world = World::new(3);
    let day = |d: u8| at(&format!("2026-03-0{d}T02:00:00Z"));
    let mut restrict = event(0, EventKind::Restrict, day(2));
    restrict.scope.purposes = [PURPOSE.to_owned()].into();
    world.import(&[restrict, event(1, EventKind::Withdraw, day(2))], day(2));
    world.run("a", day(2) + 1.hours());
    world.import(&[event(0, EventKind::Lift, day(3)), super::super::fixtures::grant(1, day(3))], day(3));
    world.run("b", day(3) + 1.hours());
    let answer = world.ask(|book| violations::violations(book).expect("violations"));
    assert_eq!((answer.findings.total(), answer.rows), (0, 3), "{:?}", answer.findings);
}

#[test]
fn an_objection_is_violated_until_it_is_decided_itself() {
    let when = at("2026-03-03T05:00:00Z");
    let found = |purposes: &[&str]| {
        let mut world = super::clean();
        let (row, permit) = super::super::fixtures::emit(&world.gate(when), &subject(2));
        assert!(permit.is_some(), "the gate does not know of the objection yet");
        let mut objection = event(2, EventKind::Object, when - 2.hours());
        objection.scope.purposes = [PURPOSE.to_owned()].into();
        let mut lift = event(2, EventKind::Lift, when - 1.hours());
        lift.scope.purposes = purposes.iter().map(|p| (*p).to_owned()).collect();
        world.import(&[objection, lift], when - 1.hours());
        let target = Target::Subject(subject(2), None);
        world.leaf(Stage::Read, &RunId::from_body("b"), when, &target, std::slice::from_ref(&row));
        let found = world.ask(|book| violations::violations(book).expect("violations")).findings;
        found.listed.iter().any(|f| f.kind == "after_objection")
    };
    assert!(found(&[]), "the end of a restriction");
    assert!(!found(&[PURPOSE]));
}

#[test]
fn violations_finds_reading_after_an_objection_and_work_after_an_erasure() {
    let mut world = super::clean();
    let when = at("2026-03-03T05:00:00Z");
    let (row, permit) = super::super::fixtures::emit(&world.gate(when), &subject(2));
    assert!(permit.is_some(), "the gate does not know of the objection yet");
    world.import(&[event(2, EventKind::Object, when)], when - 1.hours());
    let target = Target::Subject(subject(2), None);
    world.leaf(Stage::Read, &RunId::from_body("b"), when, &target, std::slice::from_ref(&row));
    let found = world.ask(|book| violations::violations(book).expect("violations")).findings;
    let read = found.listed.iter().find(|f| f.kind == "after_objection").expect("the reading");
    assert_eq!(read.leaf, Some(world.log.leaves.len() as u64 - 1));

    // The key is gone, the tag of the month still tells.
    let mut world = super::clean();
    let mut erase = Leaf::new(Kind::Erase).fact("requested_at", "2026-03-03T04:00:00Z");
    erase.at = when;
    erase.subject = world.vault.key(&subject(2)).map(|key| key.tag(when));
    world.log.leaves.push(erase);
    world.leaf(Stage::Read, &RunId::from_body("b"), when, &target, &[row]);
    let found = world.ask(|book| violations::violations(book).expect("violations")).findings;
    assert_eq!(found.of("after_erasure"), 1, "{found:?}");
    let latency = world.ask(|book| latency::latency(book, SignedDuration::from_hours(1)).expect("latency"));
    assert_eq!((latency.erasures.count, latency.erasures.max), (1, 3600));
}

#[test]
fn violations_finds_what_the_policy_does_not_register() {
    type Change = fn(&mut Leaf);
    let cases: [(&str, Change); 6] = [
        ("unregistered_purpose", |l| l.decisions[0].purpose = "sales_outreach".into()),
        ("unregistered_purpose", |l| l.decisions[0].op = Operation::Profile),
        ("unregistered_source", |l| l.decisions[0].source = "leaked_list".into()),
        ("assessment", |l| l.decisions[2].assessments = vec!["lia-of-nobody".into()]),
        ("assessment", |l| l.decisions[2].at = at("2028-01-01T00:00:00Z")),
        ("permit_after_its_end", |l| l.decisions[0].until = Some(l.at)),
    ];
    for (kind, change) in cases {
        let mut world = super::clean();
        change(&mut world.log.leaves[1]);
        let found = world.ask(|book| violations::violations(book).expect("violations")).findings;
        assert!(found.of(kind) > 0, "{kind}: {found:?}");
        assert!(found.listed.iter().all(|f| f.leaf == Some(1)), "{kind}: {found:?}");
    }
}

#[test]
fn violations_tells_a_missing_policy_apart_from_another_one() {
    let hash = "0".repeat(64);
    let mut world = super::clean();
    let all = world.log.leaves.len();
    world.log.leaves[1].policy = Some(hash.clone());
    world.log.leaves[all - 1].policy = Some(hash.clone());
    let answer = world.ask(|book| violations::violations(book).expect("violations"));
    assert_eq!((answer.findings.total(), answer.unchecked.len()), (0, 1), "{answer:?}");
    let folder = world.ask(|book| book.home.join("policy"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(format!("{hash}.json")), "{}").expect("written");
    let answer = world.ask(|book| violations::violations(book).expect("violations"));
    assert_eq!((answer.findings.of("unknown_policy"), answer.findings.total()), (1, 1), "{answer:?}");
    assert!(answer.unchecked.is_empty());
}

#[test]
fn violations_finds_permits_that_were_used_after_their_end() {
    let late = |t: &mut Tables| t.documents[0].started_at = at("2026-03-02T09:00:00Z");
    let found = changed(late).ask(|book| violations::violations(book).expect("violations")).findings;
    assert_eq!((found.of("permit_after_its_end"), found.total()), (1, 1), "{found:?}");
    let published = |t: &mut Tables| t.manifest["published_at"] = "2026-03-02T09:00:00Z".into();
    let mut world = changed(published);
    let ask = |world: &World| world.ask(|book| violations::violations(book).expect("violations")).findings;
    assert_eq!(ask(&world).total(), 0, "the run asked again before it published");
    world.log.leaves.retain(|leaf| !leaf.facts.contains_key("asked_again"));
    let found = ask(&world);
    assert_eq!((found.of("permit_after_its_end"), found.total()), (6, 6), "{found:?}");
    // A clock that stands still on purpose has no late use.
    let pinned = |t: &mut Tables| {
        t.manifest["published_at"] = "2026-03-02T09:00:00Z".into();
        t.manifest["gate_time"] = RUN.into();
    };
    assert_eq!(changed(pinned).ask(|book| violations::violations(book).expect("violations")).findings.total(), 0);
}

#[test]
fn special_category_finds_the_place_and_never_tells_the_text() {
    let cases = [
        ("Seit der Diagnose Diabetes in Teilzeit", "health"),
        ("Mitglied des Betriebsrats", "union_membership"),
        ("active member of the Catholic church", "religion_belief"),
    ];
    for (text, category) in cases {
        let world = changed(|t| t.evidence[1].evidence.quote = text.to_owned());
        let answer = world.ask(|book| special_category::special_category(book).expect("answer"));
        assert_eq!((answer.findings.of(category), answer.findings.total()), (1, 1), "{:?}", answer.findings);
        let finding = &answer.findings.listed[0];
        assert_eq!((finding.table, finding.column.as_deref()), (Some("evidence"), Some("quote")));
        assert!(!serde_json::to_string(&answer).expect("JSON").contains(text));
        let world = changed(|t| {
            let (name, value, status) = ("says".into(), Some(text.to_owned()), crate::taxonomy::FacetStatus::Known);
            t.personas[0].empathy_map =
                vec![crate::persona::rows::Named { name, value: value.map(Into::into), status }];
        });
        let found = world.ask(|book| special_category::special_category(book).expect("answer")).findings;
        assert!(found.listed.iter().any(|f| f.column.as_deref() == Some("empathy_map.value")), "{found:?}");
    }
}

#[test]
fn special_category_takes_no_name_of_a_closed_list_for_a_word_of_somebody() {
    let world = changed(|t| {
        let (name, value, status) =
            ("pains".into(), Some("lange Lieferzeiten".into()), crate::taxonomy::FacetStatus::Known);
        t.personas[0].empathy_map = vec![crate::persona::rows::Named { name, value, status }];
    });
    let answer = world.ask(|book| special_category::special_category(book).expect("answer"));
    assert_eq!(answer.findings.total(), 0, "{:?}", answer.findings);
}

#[test]
fn retention_finds_overdue_rows_and_a_moved_anchor() {
    let mut world = super::clean();
    assert_eq!(world.ask(|book| retention::overdue(book).expect("retention")).findings.total(), 0);
    // Profiling ends after a year, the persona after two.
    world.now = at("2027-03-02T00:00:00Z");
    let found = world.ask(|book| retention::overdue(book).expect("retention")).findings;
    assert_eq!((found.of("overdue"), found.total()), (12, 12), "{:?}", found.counts);
    assert!(found.listed.iter().all(|f| f.table == Some("evidence")));
    world.now = at("2028-03-02T00:00:00Z");
    assert_eq!(world.ask(|book| retention::overdue(book).expect("retention")).findings.total(), 12 + 12 + 12);
    let world = changed(|t| t.personas[0].legal.retain_until = at("2030-01-01T00:00:00Z"));
    let found = world.ask(|book| retention::overdue(book).expect("retention")).findings;
    assert_eq!((found.of("anchor_moved"), found.total()), (1, 1), "{:?}", found.counts);
}

#[test]
fn assessments_finds_unknown_and_expired_ones() {
    let mut world = super::clean();
    let answer = world.ask(|book| assessments::assessments(book).expect("assessments"));
    let dpia = answer.assessments.iter().find(|a| a.id == "dpia-2026-01").expect("the DPIA");
    assert_eq!((dpia.permits, dpia.days_left, dpia.current), (12, 318, true));
    world.log.leaves[1].decisions[2].assessments = vec!["lia-of-nobody".into()];
    world.log.leaves[2].decisions[2].at = at("2028-01-01T00:00:00Z");
    let found = world.ask(|book| assessments::assessments(book).expect("assessments")).findings;
    assert_eq!((found.of("unknown_assessment"), found.of("expired_assessment")), (1, 1), "{found:?}");
    // Those that stand in the policy and hold no longer are told, though nothing rests on them any more.
    let mut world = super::clean();
    world.now = at("2030-01-01T00:00:00Z");
    let answer = world.ask(|book| assessments::assessments(book).expect("assessments"));
    let current = answer.assessments.iter().filter(|a| a.current).count() as u64;
    assert!(current > 1 && answer.findings.of("expired_assessment") == current, "{:?}", answer.findings);
}

#[test]
fn sources_finds_what_is_unregistered_revoked_closed_or_out_of_contract() {
    type Change = fn(&mut crate::consent::policy::PolicyFile);
    let cases: [(&str, Change); 4] = [
        ("unregistered_source", |f| drop(f.sources.remove("company_site"))),
        ("revoked_source", |f| f.sources.get_mut("company_site").expect("one").revoked = true),
        ("closed_source", |f| {
            f.sources.get_mut("company_site").expect("one").terms = crate::consent::policy::Terms::Forbid;
        }),
        ("contract_ended", |f| {
            f.sources.get_mut("crm").expect("one").contract_until = Some("2026-03-01".parse().expect("a day"));
        }),
    ];
    for (kind, change) in cases {
        let mut world = super::clean();
        let mut file = demo_policy();
        change(&mut file);
        let policy = Policy::new(file);
        let mut leaf = Leaf::new(Kind::Policy);
        leaf.policy = Some(policy.hash().to_owned());
        world.log.leaves.push(leaf);
        world.policies.push(policy);
        let found = world.ask(|book| sources::sources(book).expect("sources")).findings;
        assert_eq!((found.of(kind), found.total()), (1, 1), "{kind}: {found:?}");
    }
}
