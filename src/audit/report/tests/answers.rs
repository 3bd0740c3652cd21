//! Answers that are no findings: why, denials, notices, the record of processing.

use jiff::ToSpan;

use super::super::fixtures::{PURPOSE, World, at, event, grant, subject};
use super::super::{denials, notices, ropa, why};
use crate::consent::event::{EventKind, LawfulBasis, Proof};
use crate::taxonomy::Operation;

#[test]
fn why_tells_basis_proof_and_leaf_of_every_kind_of_row() {
    let world = super::clean();
    let ask = |row: &str| world.ask(|book| why::why(book, row).expect("readable"));
    let persona = ask(subject(1).as_str()).expect("a persona");
    assert_eq!((persona.table, persona.proven, persona.covered_by.len()), (Some("personas"), true, 3));
    let emit = &persona.covered_by[0];
    assert_eq!((emit.operation.as_str(), emit.bases.as_slice()), ("emit", &["6(1)(a)".to_owned()][..]));
    assert_eq!(emit.retain_until, Some(at("2028-02-29T00:00:00Z")));
    assert_eq!((emit.events.len(), emit.events[0].proof_complete), (1, true));
    assert_eq!(emit.events[0].method.as_deref(), Some("web_form"));
    let logged = emit.logged.as_ref().expect("logged");
    assert!(logged.checkpoint.as_ref().is_some_and(|c| c.tree_size > logged.leaf));
    let profile = persona.covered_by.iter().find(|c| c.operation == "profile").expect("one");
    assert_eq!(profile.assessments[0].id, "dpia-2026-01");
    assert!(profile.assessments[0].approved_by.is_some());
    let rows =
        [("sig_c1-run_b", "evidence"), (emit.decision.as_str(), "decisions"), (emit.permit.as_str(), "decisions")];
    for (row, table) in rows {
        let answer = ask(row).expect("known");
        assert_eq!((answer.table, answer.proven, answer.covered_by.len()), (Some(table), true, 1), "{row}");
    }
    let signal = ask("sig_a0-run_b").expect("the company's");
    let document = world.ids.document(&crate::model::PermitId::from_body(&signal.covered_by[0].permit[4..]));
    let document = ask(document.as_str()).expect("a document");
    assert_eq!((document.table, document.proven), (Some("documents"), true));
    assert!(ask("sub_nobody").is_none() && ask("K-unknown").is_none());
    let text = serde_json::to_string(&persona).expect("JSON");
    assert!(!text.contains("Einkauf") && !text.contains("K-1"), "ids only: {text}");
}

#[test]
fn why_finds_a_persona_by_its_crm_record() {
    let mut world = super::clean();
    // The fixture's ids are not made from records, so a run of one who is.
    let id = world.ids.subject("crm", "K-77");
    assert!(world.ask(|book| why::why(book, "K-77").expect("readable")).is_none());
    world.run_with("c", at("2026-03-03T05:00:00Z"), |tables| {
        let mut row = tables.decisions[1].clone();
        row.target = crate::model::Target::Subject(id.clone(), None);
        (row.permit_id, row.reasons) = (None, vec!["NoBasis".into()]);
        tables.decisions.push(row);
    });
    let answer = world.ask(|book| why::why(book, "K-77").expect("readable")).expect("known");
    assert_eq!((answer.about.as_str(), answer.table, answer.proven), (id.as_str(), None, false));
}

#[test]
fn why_tells_all_reasons_and_what_would_help() {
    let mut world = World::new(3);
    let when = at("2026-03-02T02:00:00Z");
    let mut withdraw = event(0, EventKind::Withdraw, when);
    withdraw.scope.purposes = [PURPOSE.to_owned()].into();
    world.import(&[withdraw, event(0, EventKind::Object, when)], when);
    world.run("a", when + 1.hours());
    let answer = world.ask(|book| why::why(book, subject(0).as_str()).expect("readable")).expect("known");
    assert_eq!((answer.table, answer.proven, answer.covered_by.len()), (None, true, 0));
    let emit = &answer.refused[0];
    assert_eq!(emit.operation, "emit");
    let reasons: Vec<&str> = emit.reasons.iter().map(|r| r.reason.as_str()).collect();
    assert_eq!(reasons, ["MarketingObjection", "Withdrawn"]);
    assert!(emit.reasons.iter().all(|r| !r.means.is_empty() && !r.helps.is_empty()));
    assert_eq!(emit.events.len(), 2);
    assert!(emit.logged.is_some());
}

#[test]
fn denials_counts_every_reason_and_every_person_once() {
    let mut world = World::new(3);
    let when = at("2026-03-02T02:00:00Z");
    world.import(&[event(0, EventKind::Object, when), event(1, EventKind::Withdraw, when)], when);
    world.run("a", when + 1.hours());
    world.run("b", when + 3.hours());
    let ask = |by| world.ask(|book| denials::denials(book, by).expect("readable"));
    let by_reason = ask(denials::By::Reason);
    assert_eq!((by_reason.refusals, by_reason.subjects), (12, 2));
    let objection = by_reason.groups.iter().find(|g| g.name == "MarketingObjection").expect("counted");
    assert_eq!((objection.refusals, objection.primary, objection.subjects), (6, 6, 1));
    assert!((objection.share - 0.5).abs() < 1e-9);
    for (by, name, refusals) in [
        (denials::By::Purpose, "profiling", 4),
        (denials::By::Source, "crm", 8),
        (denials::By::Stage, "plan", 12),
        (denials::By::Month, "2026-03", 12),
    ] {
        let group = ask(by).groups.into_iter().find(|g| g.name == name).expect("a group");
        assert_eq!((group.refusals, group.subjects), (refusals, 2), "{name}");
    }
}

#[test]
fn notices_are_due_after_the_days_of_the_policy_a_month_or_the_first_disclosure() {
    let mut world = World::new(3);
    let when = at("2026-03-02T02:00:00Z");
    let interest = |n| {
        let mut claim = grant(n, when);
        (claim.basis, claim.proof) = (Some(LawfulBasis::LegitimateInterest), Proof::default().into());
        claim.scope.purposes = [PURPOSE.to_owned()].into();
        claim
    };
    // The contacts of a second home have not consented to anything.
    world.n = 6;
    // That somebody was told nothing, by nothing, is no notice.
    let mut empty = event(4, EventKind::Notice, when);
    empty.scope.purposes = [PURPOSE.to_owned()].into();
    let mut told = event(5, EventKind::Notice, when);
    (told.scope, told.proof) = (empty.scope.clone(), grant(5, when).proof);
    world.import(&[interest(3), interest(4), interest(5), empty, told], when);
    let ask = |world: &World, within| world.ask(|book| notices::notices(book, within).expect("readable"));
    assert!(ask(&world, None).due.is_empty(), "no policy was applied yet");
    world.run("a", when + 1.hours());
    let due = ask(&world, None);
    let whom: Vec<&str> = due.due.iter().map(|d| d.subject.as_str()).collect();
    assert_eq!((due.overdue, whom), (0, vec![subject(3).as_str(), subject(4).as_str()]));
    assert_eq!(due.due[0].due_at, at("2026-03-31T00:00:00Z"));
    assert!(ask(&world, Some(at("2026-03-30T00:00:00Z"))).due.is_empty());
    world.now = at("2026-03-31T00:00:01Z");
    assert_eq!(ask(&world, None).overdue, 2);
    // Disclosed before the notice: due at once.
    world.now = at("2026-03-05T00:00:00Z");
    let emit = world.log.leaves.iter_mut().find(|l| l.subject == world.vault.key(&subject(4)).map(|k| k.tag(l.at)));
    let decision = &mut emit.expect("its leaf").decisions[0];
    assert_eq!(decision.op, Operation::Emit);
    (decision.permit, decision.reasons) = (Some("ab".into()), vec!["6(1)(f)".into()]);
    let due = ask(&world, None);
    assert_eq!((due.overdue, due.due[0].subject.as_str()), (1, subject(4).as_str()));
    assert!(due.due[0].disclosed_at.is_some());
}

#[test]
fn the_record_of_processing_lists_what_ran_and_apart_what_never_did() {
    let world = super::clean();
    let ropa = world.ask(|book| ropa::ropa(book).expect("readable"));
    let names: Vec<(&str, &str)> = ropa.activities.iter().map(|a| (a.purpose.as_str(), a.subjects)).collect();
    let business = "business contacts";
    assert_eq!(
        names,
        [("company_research", "companies and hosts (no persons)"), (PURPOSE, business), ("profiling", business)]
    );
    assert_eq!(ropa.never_executed, ["opt_out_check"]);
    let enrichment = &ropa.activities[1];
    assert_eq!((enrichment.retention_days, enrichment.people), (Some(730), 6));
    let sales = enrichment.flows.iter().find(|f| f.recipient.as_deref() == Some("sales")).expect("a recipient");
    assert_eq!(sales.region.as_deref(), Some("EEA"));
    let text = ropa.markdown();
    for part in ["Example Machines GmbH", "6(1)(a)", "730 days", "dpia-2026-01", "Declared, never executed", "Art. 32"]
    {
        assert!(text.contains(part), "{part}:\n{text}");
    }
}
