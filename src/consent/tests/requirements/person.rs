//! What people may say: restriction, objections, no decision about them, and no way back in time. R11 to R15.
//!
//! Invariant: a test carries the number of its row.

use jiff::SignedDuration;

use super::super::{consent, event, now, proven};
use super::{DAY, Question};
use crate::consent::decide::Reason;
use crate::consent::event::{EventKind, LegalEvent, Origin};
use crate::taxonomy::{Operation, SourceClass};

#[test]
fn r11_a_restriction_leaves_storing_only() {
    for operation in Operation::ALL {
        let mut question = Question::consented();
        question.policy.purposes.get_mut("persona_enrichment").expect("registered").operations =
            Operation::ALL.to_vec();
        question.operation = *operation;
        question.events.push(event(EventKind::Restrict, "2026-02-01"));
        assert_eq!(question.reasons().contains(&Reason::Restricted), *operation != Operation::Store, "{operation}");
        let mut decided = event(EventKind::Lift, "2026-02-02");
        decided.scope.purposes = ["persona_enrichment".to_owned()].into();
        question.events.push(decided);
        assert_eq!(question.reasons().contains(&Reason::Restricted), *operation != Operation::Store, "{operation}");
    }
}

#[test]
fn r13_marketing_objection_is_absolute() {
    for purposes in [vec![], vec!["marketing"], vec!["persona_enrichment", "E-Mail-Werbung"]] {
        for mut question in [Question::consented(), Question::profiling(), Question::by_interest()] {
            let mut objection = event(EventKind::Object, "2025-12-01");
            objection.scope.purposes = purposes.iter().map(|p| (*p).to_owned()).collect();
            // Narrow in every other dimension, ended, lifted, replaced and followed by a consent: it still holds.
            objection.scope.source_classes = [SourceClass::News].into();
            objection.external_id = Some("E-9".into());
            objection.valid_to = Some(now() - SignedDuration::from_hours(1));
            let mut decided = event(EventKind::Lift, "2026-02-01");
            decided.scope.purposes = ["marketing".to_owned(), question.purpose.to_owned()].into();
            decided.origin.system = Origin::CONTROLLER.into();
            question.events.extend([objection, event(EventKind::Lift, "2026-02-01"), decided, consent("2026-02-02")]);
            let replaced = LegalEvent { supersedes: Some("E-9".into()), ..event(EventKind::Rectify, "2026-02-03") };
            question.events.push(replaced);
            assert!(question.reasons().contains(&Reason::MarketingObjection), "{purposes:?}");
        }
    }
}

#[test]
fn r14_an_objection_restricts_until_decided() {
    let mut question = Question::by_interest();
    let mut objection = event(EventKind::Object, "2026-02-01");
    objection.scope.purposes = ["persona_enrichment".to_owned()].into();
    question.events.push(objection);
    assert_eq!(question.reasons(), [Reason::ObjectionPending]);
    question.events.push(event(EventKind::Lift, "2026-02-02"));
    assert_eq!(question.reasons(), [Reason::ObjectionPending], "the end of a restriction decides no objection");
    let mut decided = event(EventKind::Lift, "2026-02-02");
    decided.scope.purposes = ["persona_enrichment".to_owned()].into();
    question.events.push(decided);
    assert!(question.permits(), "decided against the person");
}

#[test]
fn r15_no_decision_about_people() {
    let mut question = Question::consented();
    question.policy.purposes.get_mut("persona_enrichment").expect("registered").automated_decision = true;
    assert_eq!(question.reasons(), [Reason::AutomatedDecision]);
    question.operation = Operation::Emit;
    assert_eq!(question.reasons(), [Reason::AutomatedDecision]);
}

#[test]
fn a_past_as_of_never_revives_a_withdrawn_consent() {
    for kind in [EventKind::Withdraw, EventKind::Refuse, EventKind::Erase, EventKind::Restrict, EventKind::Object] {
        for purposes in [&["persona_enrichment"][..], &["marketing"], &[]] {
            let mut question = Question::consented();
            question.now = now() - SignedDuration::from_secs(30 * DAY);
            question.collected_at = question.now;
            assert!(question.permits());
            let mut later = event(kind, "2026-02-28");
            later.scope.purposes = purposes.iter().map(|p| (*p).to_owned()).collect();
            later.valid_from = Some(now());
            question.events.push(later);
            assert!(!question.permits(), "{kind:?} {purposes:?}");
        }
    }
    assert!(proven().is_complete());
}
