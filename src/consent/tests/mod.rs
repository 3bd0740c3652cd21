//! Tests of the gate.
//!
//! Invariant: what a case or a property says here comes from the design, not from the code.

mod cases;
mod gates;
mod imports;
mod ledgers;
mod mutants;
mod people;
mod policies;
mod properties;
mod requirements;
mod worlds;

use std::sync::LazyLock;

use jiff::Timestamp;

use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::consent::policy::PolicyFile;
use crate::model::SubjectId;
use crate::taxonomy::SourceClass;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a test writes timestamps")
}

fn now() -> Timestamp {
    at("2026-03-02T03:00:00Z")
}

fn policy_file() -> PolicyFile {
    static DEMO: LazyLock<PolicyFile> = LazyLock::new(|| {
        serde_saphyr::from_str(include_str!("../../../config/policy/demo.yaml")).expect("the demo policy is valid")
    });
    DEMO.clone()
}

fn subject() -> SubjectId {
    SubjectId::from_body("test")
}

fn proven() -> Proof {
    Proof {
        method: Some("web_form".into()),
        notice_id: Some("N-1".into()),
        wording_hash: Some("sha256:00".into()),
        language: Some("de".into()),
        actor: None,
    }
}

/// An event of the given kind, recorded on that day, without scope.
fn event(kind: EventKind, day: &str) -> LegalEvent {
    LegalEvent {
        external_id: None,
        subject: subject(),
        kind,
        basis: None,
        scope: Scope::default().into(),
        valid_from: None,
        valid_to: None,
        recorded_at: at(&format!("{day}T00:00:00Z")),
        proof: Proof::default().into(),
        origin: Origin { system: "crm".into(), field: "consents".into(), value_commitment: None }.into(),
        supersedes: None,
    }
}

/// A proven consent to enrichment from the CRM and the company's site.
fn consent(day: &str) -> LegalEvent {
    LegalEvent {
        basis: Some(LawfulBasis::Consent),
        scope: Scope {
            purposes: ["persona_enrichment".to_owned()].into(),
            source_classes: [SourceClass::Crm, SourceClass::CompanySite].into(),
            ..Scope::default()
        }
        .into(),
        proof: proven().into(),
        ..event(EventKind::Grant, day)
    }
}
