//! The requirements of the design that the decision answers for, one test each. The rows R3, R9, R10, R12, R17 and R18
//! concern stores, exports and keys and are proven where those are.
//!
//! Invariant: a test carries the number of its row.

use jiff::{SignedDuration, Timestamp};

use super::{consent, event, now, policy_file, proven};
use crate::consent::decide::{Asked, Duty, Granted, Modality, OptOut, Reason, Refusal, Request, View, decide};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Scope};
use crate::consent::policy::{Policy, PolicyFile, Terms, Visibility, source_hash, trait_list_hash};
use crate::model::{AccountId, Target};
use crate::taxonomy::{Operation, SourceClass, Trait};

const DAY: i64 = 86_400;

/// A question that everything speaks for; each test spoils one thing.
struct Question {
    policy: PolicyFile,
    target: Target,
    operation: Operation,
    purpose: &'static str,
    source: &'static str,
    host: Option<&'static str>,
    opt_out: OptOut,
    collected_at: Timestamp,
    events: Vec<LegalEvent>,
    asked: Asked<'static>,
    now: Timestamp,
}

impl Question {
    fn new(events: Vec<LegalEvent>) -> Self {
        Self {
            policy: policy_file(),
            target: Target::Subject(super::subject(), None),
            operation: Operation::Infer,
            purpose: "persona_enrichment",
            source: "crm",
            host: None,
            opt_out: OptOut::NotApplicable,
            collected_at: now() - SignedDuration::from_secs(10 * DAY),
            events,
            asked: Asked::default(),
            now: now(),
        }
    }

    fn consented() -> Self {
        Self::new(vec![consent("2026-01-01")])
    }

    fn by_interest() -> Self {
        Self::new(vec![interest("persona_enrichment")])
    }

    fn profiling() -> Self {
        let mut grant = consent("2026-01-01");
        grant.scope.purposes = ["profiling".to_owned()].into();
        Self { purpose: "profiling", operation: Operation::Profile, ..Self::new(vec![grant]) }
    }

    fn page() -> Self {
        Self {
            operation: Operation::Collect,
            source: "company_site",
            host: Some("www.muster.example"),
            opt_out: OptOut::Free,
            ..Self::consented()
        }
    }

    fn decide(&self) -> Result<Granted, Refusal> {
        let request = Request {
            target: &self.target,
            operation: self.operation,
            purpose: self.purpose,
            source_id: self.source,
            host: self.host,
            account_host: Some("muster.example"),
            opt_out: self.opt_out,
            collected_at: Some(self.collected_at),
            asked: self.asked,
        };
        let sync = Some(self.now - SignedDuration::from_hours(1));
        let events = Some(self.events.as_slice());
        let view = View { events, ambiguous: false, intact: true, last_sync: sync, newest: sync };
        decide(&request, &view, &Policy::new(self.policy.clone()), self.now)
    }

    fn reasons(&self) -> Vec<Reason> {
        self.decide().err().map_or_else(Vec::new, |refusal| refusal.reasons)
    }

    fn permits(&self) -> bool {
        self.decide().is_ok()
    }
}

fn interest(purpose: &str) -> LegalEvent {
    LegalEvent {
        basis: Some(LawfulBasis::LegitimateInterest),
        scope: Scope { purposes: [purpose.to_owned()].into(), ..consent("2026-01-01").scope },
        ..event(EventKind::Grant, "2026-01-01")
    }
}

fn notice(purpose: &str) -> LegalEvent {
    LegalEvent {
        scope: Scope { purposes: [purpose.to_owned()].into(), ..Scope::default() },
        ..event(EventKind::Notice, "2026-02-25")
    }
}

#[test]
fn what_the_tests_spoil_is_permitted() {
    assert!(Question::consented().permits());
    assert!(Question::by_interest().permits());
    assert!(Question::profiling().permits());
    assert!(Question::page().permits());
}

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
    assert_eq!(question.reasons(), [Reason::Withdrawn], "the sync of a night is no act of the person");
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
fn r16_an_ended_contract_refuses() {
    let mut question = Question::consented();
    question.policy.sources.get_mut("crm").expect("registered").contract_until =
        Some("2026-03-01".parse().expect("a date"));
    assert_eq!(question.reasons(), [Reason::ContractExpired]);
}

#[test]
fn r19_profiling_needs_the_dpia_that_was_approved() {
    let with = |spoil: &dyn Fn(&mut PolicyFile), model| {
        let mut question = Question::profiling();
        spoil(&mut question.policy);
        question.asked.model = model;
        question.reasons()
    };
    let dpia = |spoil: fn(&mut crate::consent::policy::Assessment)| {
        move |file: &mut PolicyFile| spoil(file.assessments.get_mut("dpia-2026-01").expect("the demo policy has it"))
    };
    let missing = [Reason::DpiaMissing];
    assert_eq!(with(&|file| file.assessments.clear(), None), missing);
    assert_eq!(with(&dpia(|a| a.expires_at = "2026-03-02".parse().expect("a date")), None), missing);
    let models = dpia(|a| a.models = Some(vec!["approved".into()]));
    assert_eq!(with(&models, Some("approved")), []);
    assert_eq!(with(&models, Some("changed")), missing);
    assert_eq!(with(&models, None), missing);
    assert_eq!(with(&dpia(|a| a.trait_list = Some(trait_list_hash())), None), []);
    assert_eq!(with(&dpia(|a| a.trait_list = Some("changed".into())), None), missing);
    let sources = |file: &mut PolicyFile| {
        let hash = source_hash("crm", &file.sources["crm"]);
        file.assessments.get_mut("dpia-2026-01").expect("the demo policy has it").sources = Some(vec![hash]);
    };
    assert_eq!(with(&sources, None), []);
    let changed = |file: &mut PolicyFile| {
        sources(file);
        file.sources.get_mut("crm").expect("registered").terms_url = Some("https://crm.example".into());
    };
    assert_eq!(with(&changed, None), missing);
}

#[test]
fn r20_a_transfer_needs_its_tool() {
    let mut question = Question::consented();
    question.operation = Operation::Emit;
    question.policy.recipients.get_mut("sales").expect("registered").region = "US".into();
    assert_eq!(question.reasons(), [Reason::TransferUncovered]);
    question.policy.recipients.get_mut("sales").expect("registered").transfer_tool = Some("scc-2021".into());
    assert!(question.permits());
    question.policy.recipients.clear();
    assert_eq!(question.reasons(), [Reason::TransferUncovered]);
}

#[test]
fn r21_no_permit_implies_one_to_contact() {
    let speaks = |text: &str| ["contact", "call", "mail", "send"].iter().any(|word| text.contains(word));
    assert!(Operation::ALL.iter().all(|operation| !speaks(operation.as_str())), "nothing can be asked that contacts");
    let mut question = Question::consented();
    question.purpose = "marketing";
    assert!(!question.permits(), "a consent to enrichment is none to marketing");
}

#[test]
fn r22_registered_public_sources_and_known_people_only() {
    let spoiled = |spoil: fn(&mut Question)| {
        let mut question = Question::page();
        spoil(&mut question);
        question.reasons()
    };
    assert_eq!(spoiled(|q| site(q).visibility = Visibility::Unknown), [Reason::VisibilityRestricted]);
    assert_eq!(spoiled(|q| site(q).visibility = Visibility::Restricted), [Reason::VisibilityRestricted]);
    assert_eq!(spoiled(|q| site(q).terms = Terms::Forbid), [Reason::TermsForbid]);
    assert_eq!(spoiled(|q| site(q).revoked = true), [Reason::SourceRevoked]);
    assert_eq!(spoiled(|q| q.host = Some("elsewhere.example")), [Reason::SourceUnregistered]);
    assert!(spoiled(|q| q.source = "gossip").contains(&Reason::SourceUnregistered));
    assert!(spoiled(|q| site(q).class = SourceClass::LoginOrRestricted).contains(&Reason::VisibilityRestricted));
    assert_eq!(spoiled(|q| q.events.clear()), [Reason::NoBasis], "known, and nothing recorded");
    assert_eq!(
        spoiled(|q| q.target = Target::Account(AccountId::from_body("test"))),
        [Reason::PurposeUnregistered],
        "a purpose about people cannot be asked of a company"
    );
}

#[test]
fn r23_any_reservation_refuses() {
    let asked = |opt_out| Question { opt_out, ..Question::page() }.reasons();
    assert_eq!(asked(OptOut::RobotsDisallow), [Reason::RobotsDisallow]);
    assert_eq!(asked(OptOut::NotApplicable), [Reason::RobotsDisallow], "nobody asked");
    assert_eq!(asked(OptOut::TdmReserved), [Reason::TdmReserved]);
}

#[test]
fn r24_text_only_and_no_employment() {
    for modality in [Modality::Image, Modality::Audio, Modality::Video, Modality::Biometric] {
        let question = Question { asked: Asked { modality, ..Asked::default() }, ..Question::consented() };
        assert_eq!(question.reasons(), [Reason::ProhibitedModality], "{modality:?}");
    }
    for purpose in ["recruiting", "employee_review", "Bewerberauswahl", "credit_check", "headhunting"] {
        let mut question = Question::consented();
        let registered = question.policy.purposes["persona_enrichment"].clone();
        question.policy.purposes.insert(purpose.into(), registered);
        question.policy.sources.get_mut("crm").expect("registered").purposes.push(purpose.into());
        question.purpose = purpose;
        question.events[0].scope.purposes = [purpose.to_owned()].into();
        assert_eq!(question.reasons(), [Reason::ProhibitedPurpose], "{purpose}");
    }
}

#[test]
fn r25_default_deny() {
    let mut question = Question::consented();
    question.policy.approval = None;
    assert_eq!(question.reasons(), [Reason::PolicyUnsigned]);
    let mut question = Question::new(Vec::new());
    assert_eq!(question.reasons(), [Reason::NoBasis]);
    question.policy.purposes.clear();
    question.policy.sources.clear();
    assert!(!question.permits());
}

#[test]
fn profiling_rests_on_interest_only_trait_by_trait_and_never_on_social_media() {
    let with = |traits: &'static [Trait], class| {
        let mut question = Question {
            purpose: "profiling",
            operation: Operation::Profile,
            ..Question::new(vec![interest("profiling"), notice("profiling")])
        };
        let purpose = question.policy.purposes.get_mut("profiling").expect("registered");
        purpose.bases.push(LawfulBasis::LegitimateInterest);
        purpose.source_classes = vec![class];
        question.policy.sources.get_mut("crm").expect("registered").class = class;
        for assessment in question.policy.assessments.values_mut() {
            assessment.purposes = vec!["profiling".into()];
            assessment.source_classes = vec![class];
            assessment.traits = vec![Trait::TechAffinity];
        }
        question.events[0].scope.source_classes = [class].into();
        question.asked.traits = traits;
        question.reasons()
    };
    assert_eq!(with(&[Trait::TechAffinity], SourceClass::Crm), []);
    assert_eq!(with(&[Trait::Formality], SourceClass::Crm), [Reason::LiaInvalid]);
    assert_eq!(with(&[], SourceClass::Crm), [Reason::LiaInvalid]);
    assert_eq!(with(&[Trait::TechAffinity], SourceClass::PublicSocial), [Reason::LiaInvalid]);
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

fn site(question: &mut Question) -> &mut crate::consent::policy::RegisteredSource {
    question.policy.sources.get_mut("company_site").expect("registered")
}
