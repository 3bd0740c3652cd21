//! Purposes, fields, retention, lawful bases and notices: R1 to R8.
//!
//! Invariant: a test carries the number of its row.

use jiff::SignedDuration;

use super::super::{consent, event, now};
use super::{DAY, Question, notice};
use crate::consent::decide::{Asked, Duty, Reason};
use crate::consent::event::{EventKind, LegalEvent};
use crate::taxonomy::{Operation, SourceClass, Trait};

#[test]
fn r1_only_registered_purposes_and_no_wildcard() {
    for purpose in ["", "*", "persona_*", "Persona_Enrichment", "persona_enrichment ", "analytics"] {
        let mut question = Question::consented();
        question.purpose = purpose;
        question.events[0].scope.purposes = [purpose.to_owned(), "*".to_owned()].into();
        assert!(question.reasons().contains(&Reason::PurposeUnregistered), "{purpose:?}");
    }
    let mut wildcard = Question::consented();
    let registered = wildcard.policy.purposes["persona_enrichment"].clone();
    wildcard.policy.purposes.insert("*".into(), registered);
    wildcard.policy.sources.get_mut("crm").expect("registered").purposes.push("*".into());
    wildcard.purpose = "*";
    wildcard.events[0].scope.purposes = ["*".to_owned()].into();
    assert_eq!(wildcard.reasons(), [Reason::ProhibitedPurpose]);
    let mut granted = Question::consented();
    granted.events[0].scope.purposes = ["*".to_owned()].into();
    assert_eq!(granted.reasons(), [Reason::ScopeMismatchPurpose], "a grant to everything is one to nothing");
}

#[test]
fn r2_only_the_fields_that_the_purpose_allows() {
    let of =
        |data_categories| Question { asked: Asked { data_categories, ..Asked::default() }, ..Question::consented() };
    assert!(of(&["job", "company"]).permits());
    assert_eq!(of(&["job", "shoe_size"]).reasons(), [Reason::FieldNotNecessary]);
    assert_eq!(of(&["traits"]).reasons(), [Reason::FieldNotNecessary], "listed elsewhere is not listed here");
}

#[test]
fn r4_retention_is_anchored_at_first_collection() {
    let mut question = Question::consented();
    question.collected_at = now() - SignedDuration::from_secs(730 * DAY - 1);
    let granted = question.decide().expect("the last second");
    assert_eq!(granted.retain_until, now() + SignedDuration::from_secs(1));
    assert_eq!(granted.valid_until, granted.retain_until, "no permit outlives retention");
    assert!(granted.duties.contains(&Duty::RetainUntil(granted.retain_until)));
    question.collected_at = now() - SignedDuration::from_secs(730 * DAY);
    assert_eq!(question.reasons(), [Reason::RetentionElapsed]);
    question.events.push(consent("2026-03-01"));
    assert_eq!(question.reasons(), [Reason::RetentionElapsed], "a new consent does not renew it");
}

#[test]
fn r5_consent_needs_proof_and_withdrawal_sticks() {
    for spoil in [
        |e: &mut LegalEvent| e.proof.method = None,
        |e: &mut LegalEvent| e.proof.notice_id = None,
        |e: &mut LegalEvent| e.proof.wording_hash = Some(" ".into()),
        |e: &mut LegalEvent| e.proof.method = Some("double_opt_in_pending".into()),
        |e: &mut LegalEvent| e.proof.notice_id = Some("n/a".into()),
        |e: &mut LegalEvent| e.proof.wording_hash = Some("sha256:".into()),
    ] {
        let mut question = Question::consented();
        spoil(&mut question.events[0]);
        assert_eq!(question.reasons(), [Reason::ConsentUnproven]);
    }
    let mut question = Question::consented();
    question.events.push(event(EventKind::Withdraw, "2026-02-01"));
    assert_eq!(question.reasons(), [Reason::Withdrawn]);
    let mut resynced = consent("2026-02-20");
    resynced.proof.method = Some("crm_sync".into());
    question.events.push(resynced);
    let reasons = [Reason::Withdrawn, Reason::ConsentUnproven];
    assert_eq!(question.reasons(), reasons, "the sync of a night is no act of the person");
    question.events.push(consent("2026-02-21"));
    assert!(question.permits(), "the person granted again");
}

#[test]
fn r6_legitimate_interest_needs_a_complete_assessment_for_purpose_source_and_category() {
    let spoils: [fn(&mut crate::consent::policy::Assessment); 9] = [
        |a| a.interest = None,
        |a| a.necessity = None,
        |a| a.balancing = None,
        |a| a.approved_by = String::new(),
        |a| a.approved_at = "2026-03-03".parse().expect("a date"),
        |a| a.expires_at = "2026-03-02".parse().expect("a date"),
        |a| a.purposes.clear(),
        |a| a.source_classes = vec![SourceClass::CompanySite],
        |a| a.data_categories = Some(vec!["company".into()]),
    ];
    for (which, spoil) in spoils.into_iter().enumerate() {
        let mut question = Question::by_interest();
        spoil(question.policy.assessments.get_mut("lia-2026-01").expect("the demo policy has it"));
        assert_eq!(question.reasons(), [Reason::LiaInvalid], "{which}");
    }
    let mut question = Question::by_interest();
    question.policy.assessments.clear();
    assert_eq!(question.reasons(), [Reason::LiaInvalid]);
}

#[test]
fn r7_special_categories_cannot_be_asked_for_or_registered() {
    for category in ["health", "Gewerkschaft", "religion", "politische_meinung", "sexual_orientation", "genetic"] {
        let mut question = Question::consented();
        question
            .policy
            .purposes
            .get_mut("persona_enrichment")
            .expect("registered")
            .data_categories
            .push(category.into());
        assert_eq!(question.reasons(), [Reason::ProhibitedCategory], "{category}");
    }
    let spelled = Trait::ALL.iter().map(|t| t.as_str());
    assert!(spelled.into_iter().all(|name| !crate::consent::category::is_prohibited(name)));
}

#[test]
fn r8_notice_is_due_at_the_earliest_of_a_month_the_rule_and_the_first_disclosure() {
    let mut question = Question::by_interest();
    let due = question.collected_at + SignedDuration::from_secs(28 * DAY);
    let granted = question.decide().expect("in time");
    assert_eq!(granted.notice_status, "pending");
    assert_eq!(granted.duties[1..], [Duty::GiveNoticeBy(due), Duty::NoDisclosureBeforeNotice], "February has 28 days");
    question.now = due;
    assert!(question.permits(), "the second in which it is due");
    question.now = due + SignedDuration::from_secs(1);
    assert_eq!(question.reasons(), [Reason::NoticeOverdue]);
    question.now = now();
    question.operation = Operation::Emit;
    assert_eq!(question.reasons(), [Reason::NoticeRequiredBeforeDisclosure]);
    question.events.push(notice("persona_enrichment"));
    let granted = question.decide().expect("notified");
    assert_eq!((granted.notice_status, granted.duties.len()), ("given", 1));
}
