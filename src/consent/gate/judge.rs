//! From a request to a judgement with its grounds, and from that to a permit.
//!
//! Invariant: a judgement is minted once; its row, grounds and permit say the same.

use jiff::Timestamp;

use super::{Decided, Gate, Grounds, Said, SubjectFacts};
use crate::consent::decide::{Asked, Granted, OptOut, Reason, Refusal, Request, View, decide, is_sound};
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::ledger::Person;
use crate::consent::permit::Permit;
use crate::model::{AccountId, DecisionId, DecisionRow, PermitId, Personal, SubjectId, Target};
use crate::taxonomy::Operation;

impl Gate {
    /// Whether it permits anything at all now.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let (last_sync, newest) = (self.ledger.last_sync(), self.ledger.newest());
        let view = View { events: None, ambiguous: false, intact: self.readable().is_ok(), last_sync, newest };
        is_sound(&view, &self.policy, self.now())
    }

    pub(super) fn judge(&self, request: &Request<'_>, facts: Option<SubjectFacts>, url: &str) -> Judged {
        let now = self.now();
        let said = request.target.subject().map_or(Said::Nothing, |id| self.said_of(id));
        let known = match request.target {
            // Known to the CRM, though nothing was ever recorded about them: no events, so no basis.
            Target::Subject(..) => facts.map(|_| said.events()),
            Target::Account(_) | Target::Host(_) => None,
        };
        let (with_late, head) = self.with_late(known.zip(request.target.subject()));
        let events = with_late.as_deref().or(known);
        let view = View {
            events,
            ambiguous: facts.is_some_and(|f| f.ambiguous),
            // An open ledger has been held against its checkpoint; a damaged one does not open.
            intact: !matches!(said, Said::Unreadable),
            last_sync: self.ledger.last_sync(),
            newest: self.ledger.newest(),
        };
        let outcome = decide(request, &view, &self.policy, now);
        let granted = outcome.as_ref().ok().map(|granted| (granted, &said));
        let grounds = Grounds { ledger: head, ..self.grounds(request, facts, url, granted) };
        let (decision_id, permit_id) = self.ids_of(request, url, now);
        Judged {
            row: DecisionRow {
                decision_id,
                permit_id: Some(permit_id),
                target: request.target.clone(),
                purpose: request.purpose.to_owned(),
                operation: request.operation,
                source_id: request.source_id.to_owned(),
                primary_reason: None,
                reasons: Vec::new(),
                decided_at: now,
                valid_until: None,
                holds_until: None,
            },
            grounds,
            outcome,
        }
    }

    /// What is asked in particular is another question, with ids of its own; the model is not part of the question.
    fn ids_of(&self, request: &Request<'_>, url: &str, now: Timestamp) -> (DecisionId, PermitId) {
        let (kind, target, account) = match request.target {
            Target::Subject(id, account) => ("subject", id.as_str(), account.as_ref().map_or("", AccountId::as_str)),
            Target::Account(id) => ("account", id.as_str(), ""),
            Target::Host(host) => ("host", host.as_str(), ""),
        };
        let asked = Asked { model: None, ..request.asked };
        let particulars = if asked == Asked::default() { String::new() } else { format!("{asked:?}") };
        let (operation, purpose, source) = (request.operation.as_str(), request.purpose, request.source_id);
        let parts = [kind, target, account, operation, purpose, source, url, &particulars].map(str::as_bytes);
        self.ids.of(now, &parts)
    }

    /// The events of a subject with those that came late, where any did, and the last entry that is known of anybody.
    fn with_late(&self, known: Option<(&[LegalEvent], &SubjectId)>) -> (Option<Vec<LegalEvent>>, u64) {
        let late = self.late.read().expect("no holder panics");
        let both = known.and_then(|(known, id)| Some(known.iter().chain(late.get(id)?).cloned().collect()));
        (both, self.head())
    }

    fn grounds(
        &self,
        request: &Request<'_>,
        facts: Option<SubjectFacts>,
        url: &str,
        granted: Option<(&Granted, &Said<'_>)>,
    ) -> Grounds {
        let subject = request.target.subject();
        let mut grounds = Grounds {
            collected_at: subject.and(request.collected_at),
            ambiguous: facts.is_some_and(|f| f.ambiguous),
            url: (!url.is_empty()).then(|| Personal::new(url.to_owned())),
            opt_out: (request.opt_out != OptOut::NotApplicable).then_some(request.opt_out),
            account_host: request.account_host.map(str::to_owned),
            evidence_at: request.asked.evidence_at,
            categories: request.asked.data_categories.iter().map(|c| (*c).to_owned()).collect(),
            last_sync: self.ledger.last_sync(),
            newest: self.ledger.newest(),
            ..Grounds::default()
        };
        if let (Some((granted, said)), Some(_)) = (granted, subject) {
            grounds.retain_until = Some(granted.retain_until);
            grounds.entries = carrying(said, request.purpose, &granted.bases);
            grounds.assessments = self.assessments(request, &granted.bases);
            if request.operation == Operation::Emit {
                let purpose = self.policy.file().purposes.get(request.purpose);
                grounds.recipients = purpose.map_or_else(Vec::new, |p| p.recipients.clone());
            }
        }
        grounds
    }

    /// LIA and DPIA in the policy that stand behind a permit.
    fn assessments(&self, request: &Request<'_>, bases: &[String]) -> Vec<String> {
        use crate::consent::policy::AssessmentKind;
        let file = self.policy.file();
        let class = self.class(request.source_id);
        let by_interest = bases.iter().any(|b| b == crate::consent::event::LawfulBasis::LegitimateInterest.article());
        let dpia = file.purposes.get(request.purpose).and_then(|p| p.dpia.as_deref());
        let lia = file.assessments.iter().filter(|(_, a)| {
            by_interest
                && a.kind == AssessmentKind::Lia
                && a.purposes.iter().any(|p| p == request.purpose)
                && a.source_classes.contains(&class)
        });
        lia.map(|(id, _)| id.clone()).chain(dpia.map(str::to_owned)).collect()
    }
}

/// Entries of grants that can carry this purpose on one of these bases.
fn carrying(said: &Said<'_>, purpose: &str, bases: &[String]) -> Vec<u64> {
    let carries = |event: &LegalEvent| {
        event.kind == EventKind::Grant
            && event.scope.purposes.contains(purpose)
            && event.basis.is_some_and(|b| bases.iter().any(|name| name == b.article()))
    };
    let entries = said.person().into_iter().flat_map(Person::entries);
    entries.filter(|e| carries(e.event)).map(|e| e.seq).collect()
}

/// A decision without its permit.
pub(super) struct Judged {
    row: DecisionRow,
    grounds: Grounds,
    outcome: Result<Granted, Refusal>,
}

impl Judged {
    /// Adds a reason, and so refuses.
    pub(super) fn refuse(&mut self, reason: Reason) {
        let mut reasons = self.outcome.as_ref().err().map_or_else(Vec::new, |refusal| refusal.reasons.clone());
        reasons.push(reason);
        reasons.sort_unstable();
        reasons.dedup();
        self.outcome = Err(Refusal { reasons });
    }

    pub(super) fn mint<Op>(self, op: impl FnOnce(&Granted) -> Op) -> Decided<Op> {
        let Self { mut row, grounds, outcome } = self;
        match outcome {
            Ok(granted) => {
                let op = op(&granted);
                let id = row.permit_id.clone().expect("a judged row has its permit id until it is refused");
                row.reasons.clone_from(&granted.bases);
                row.valid_until = Some(granted.valid_until);
                row.holds_until = Some(granted.holds_until).filter(|end| *end < Timestamp::MAX);
                let permit = Permit::mint(id, op, granted.bases, granted.valid_until, granted.duties);
                Decided { row, grounds, outcome: Ok(permit) }
            }
            Err(refusal) => {
                row.permit_id = None;
                row.reasons = refusal.reasons.iter().map(ToString::to_string).collect();
                row.primary_reason = row.reasons.first().cloned();
                Decided { row, grounds, outcome: Err(refusal) }
            }
        }
    }
}
