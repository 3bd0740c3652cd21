//! The requirements of the design that the decision answers for, one test each. The rows R3, R9, R10, R12, R17 and R18
//! concern stores, exports and keys and are proven where those are.
//!
//! Invariant: a test carries the number of its row.

mod basis;
mod person;
mod sources;

use jiff::{SignedDuration, Timestamp};

use super::{consent, event, now, policy_file, proven};
use crate::consent::decide::{Asked, Granted, OptOut, Reason, Refusal, Request, View, decide};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Scope};
use crate::consent::policy::{Policy, PolicyFile};
use crate::model::Target;
use crate::taxonomy::Operation;

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
        scope: Scope { purposes: [purpose.to_owned()].into(), ..Scope::clone(&consent("2026-01-01").scope) }.into(),
        ..event(EventKind::Grant, "2026-01-01")
    }
}

fn notice(purpose: &str) -> LegalEvent {
    LegalEvent {
        scope: Scope { purposes: [purpose.to_owned()].into(), ..Scope::default() }.into(),
        proof: proven().into(),
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
