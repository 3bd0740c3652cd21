//! Sources, contracts, transfers, DPIAs and what is never permitted: R16 to R25.
//!
//! Invariant: a test carries the number of its row.

use super::{Question, interest, notice};
use crate::consent::decide::{Asked, Modality, OptOut, Reason};
use crate::consent::event::LawfulBasis;
use crate::consent::policy::{PolicyFile, Terms, Visibility, source_hash, trait_list_hash};
use crate::model::{AccountId, Target};
use crate::taxonomy::{Operation, SourceClass, Trait};

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

fn site(question: &mut Question) -> &mut crate::consent::policy::RegisteredSource {
    question.policy.sources.get_mut("company_site").expect("registered")
}
