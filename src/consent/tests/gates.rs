//! The gate around the decision: what it adds to a proposal, and what no proposal can talk it out of.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::{consent, event, now, policy_file, subject};
use crate::consent::decide::{Asked, Duty, Modality, OptOut};
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::gate::{EmitProposal, FetchProposal, Gate, HOST_QUESTIONS, InferProposal, SubjectFacts};
use crate::consent::ledger::{Import, Ledger};
use crate::consent::policy::Policy;
use crate::ids::{DEMO_KEY, Ids};
use crate::keys::Vault;
use crate::model::{Personal, Target};
use crate::taxonomy::Operation;

/// A gate over these events, which were imported at the given time.
fn gate(events: &[LegalEvent], first_seen: Timestamp, imported: Timestamp) -> Gate {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (database, checkpoint) = (folder.path().join("ledger.sqlite"), folder.path().join("checkpoint"));
    let mut vault = Vault::in_memory().expect("a vault");
    let mut ledger = Ledger::open(&database, &checkpoint, &vault).expect("a new ledger");
    let import = Import { events, seen: &[(subject(), first_seen)], is_sync: true };
    ledger.import(&mut vault, import, imported).expect("a writable ledger");
    Gate::new(Policy::new(policy_file()), ledger.into_view(), &Ids::new(DEMO_KEY), Arc::new(now))
}

fn ready(events: &[LegalEvent]) -> Gate {
    gate(events, now(), now())
}

fn infer(gate: &Gate, operation: Operation) -> Vec<String> {
    let proposal = InferProposal {
        target: Target::Subject(subject(), None),
        source_id: "crm".into(),
        purpose: "persona_enrichment".into(),
        operation,
        facts: Some(SubjectFacts { collected_at: now(), ambiguous: false }),
    };
    let decided = gate.infer(proposal);
    assert_eq!(decided.outcome.is_ok(), decided.row.permit_id.is_some());
    assert_eq!(decided.outcome.is_ok(), decided.row.valid_until.is_some());
    assert_eq!(decided.row.primary_reason.as_ref(), decided.outcome.is_err().then(|| &decided.row.reasons[0]));
    decided.row.reasons
}

fn ask_host(path: &str, opt_out: OptOut) -> Vec<String> {
    let url = Url::parse(&format!("https://www.muster.example{path}")).expect("a URL");
    let proposal = FetchProposal {
        target: Target::Host("www.muster.example".into()),
        source_id: "company_site".into(),
        purpose: "opt_out_check".into(),
        url: Personal::new(url),
        account_host: Some("muster.example".into()),
        opt_out,
        facts: None,
    };
    ready(&[]).fetch(proposal).row.reasons
}

#[test]
fn a_consent_permits_and_the_row_says_so() {
    assert_eq!(infer(&ready(&[consent("2026-01-01")]), Operation::Infer), ["6(1)(a)"]);
}

#[test]
fn a_restriction_cannot_be_walked_round_by_asking_to_store() {
    let gate = ready(&[consent("2026-01-01"), event(EventKind::Restrict, "2026-01-02")]);
    assert_eq!(infer(&gate, Operation::Infer), ["Restricted"]);
    for operation in [Operation::Store, Operation::Collect, Operation::Emit] {
        assert!(infer(&gate, operation).contains(&"ScopeMismatch(operation)".to_owned()), "{operation}");
    }
}

#[test]
fn only_the_question_itself_may_be_put_to_a_host_unasked() {
    assert_eq!(HOST_QUESTIONS, ["/robots.txt", "/.well-known/tdmrep.json", "/ai.txt"]);
    for path in HOST_QUESTIONS {
        assert_eq!(ask_host(path, OptOut::NotApplicable), ["not_personal"]);
    }
    for path in ["/", "/team", "/robots.txt?page=team", "/ai.txt?page=team", "/a/ai.txt", "/a/robots.txt"] {
        assert_eq!(ask_host(path, OptOut::NotApplicable), ["RobotsDisallow"], "{path}");
        assert_eq!(ask_host(path, OptOut::Free), ["not_personal"], "{path}");
    }
}

#[test]
fn the_ledger_anchors_retention_whatever_the_caller_says() {
    let years_ago = now() - SignedDuration::from_hours(24 * 731);
    assert_eq!(infer(&gate(&[consent("2026-01-01")], years_ago, now()), Operation::Infer), ["RetentionElapsed"]);
}

#[test]
fn a_clock_that_went_back_refuses() {
    let later = now() + SignedDuration::from_secs(1);
    assert_eq!(infer(&gate(&[consent("2026-01-01")], now(), later), Operation::Infer), ["ClockSkew"]);
}

#[test]
fn a_permit_for_one_thing_carries_it_and_ends() {
    let gate = ready(&[consent("2026-01-01")]);
    let facts = SubjectFacts { collected_at: now(), ambiguous: false };
    let proposal = EmitProposal { subject: subject(), purpose: "persona_enrichment".into(), facts };
    let first = gate.emit(proposal.clone());
    let permit = first.outcome.expect("a consent permits");
    assert_eq!((permit.op().subject.clone(), permit.op().notice_status.as_str()), (subject(), "given"));
    let end = now() + SignedDuration::from_secs(3600);
    assert_eq!(permit.valid_until(), end);
    assert!(!permit.is_expired(end - SignedDuration::from_secs(1)) && permit.is_expired(end));
    assert_eq!(gate.emit(proposal).row, first.row, "a replay is identical");
}

#[test]
fn a_clock_in_the_past_revives_nothing() {
    let mut later = event(EventKind::Withdraw, "2026-03-01");
    later.valid_from = Some(now() + SignedDuration::from_hours(24));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (database, checkpoint) = (folder.path().join("ledger.sqlite"), folder.path().join("checkpoint"));
    let mut vault = Vault::in_memory().expect("a vault");
    let mut ledger = Ledger::open(&database, &checkpoint, &vault).expect("a new ledger");
    let seen = now() - SignedDuration::from_hours(24 * 20);
    let events = [consent("2026-01-01"), later];
    let import = Import { events: &events, seen: &[(subject(), seen)], is_sync: true };
    ledger.import(&mut vault, import, now()).expect("a writable ledger");
    // As a replay does: the clock stands before the withdrawal, and before the import that told of it.
    let as_of = now() - SignedDuration::from_hours(24 * 10);
    let view = ledger.into_view().pinned();
    let gate = Gate::new(Policy::new(policy_file()), view, &Ids::new(DEMO_KEY), Arc::new(move || as_of));
    assert_eq!(infer(&gate, Operation::Infer), ["Withdrawn"]);
}

#[test]
fn what_is_asked_in_particular_is_decided_and_has_an_id_of_its_own() {
    let gate = ready(&[consent("2026-01-01")]);
    let facts = SubjectFacts { collected_at: now(), ambiguous: false };
    let proposal = EmitProposal { subject: subject(), purpose: "persona_enrichment".into(), facts };
    let whole = gate.emit(proposal.clone());
    let job = gate.emit_asking(proposal.clone(), Asked { data_categories: &["job"], ..Asked::default() });
    assert!(job.outcome.is_ok());
    assert_ne!(whole.row.decision_id, job.row.decision_id);
    let picture = gate.emit_asking(proposal, Asked { modality: Modality::Image, ..Asked::default() });
    assert_eq!(picture.row.reasons, ["ProhibitedModality"]);
    let duties = whole.outcome.expect("a consent permits").duties().to_vec();
    assert_eq!(duties, [Duty::RetainUntil(now() + SignedDuration::from_hours(24 * 730))]);
}
