//! What a subject's events mean for one request at one time.
//!
//! Invariant: the least permissive reading wins. Negative events count whenever they were recorded; positive ones
//! only once they are known, proven, begun and not ended; a tie goes to the negative one.

use jiff::Timestamp;

use crate::consent::decide::{Reason, day};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent};
use crate::consent::policy::{AssessmentKind, Policy};
use crate::taxonomy::{Operation, SourceClass};

/// The name under which files and CRMs speak of direct marketing.
const MARKETING: &str = "marketing";

/// A subject's events, seen from one request.
pub(in crate::consent) struct Standing<'a> {
    pub events: &'a [LegalEvent],
    pub purpose: &'a str,
    pub class: SourceClass,
    pub operation: Operation,
    pub now: Timestamp,
}

impl Standing<'_> {
    /// Lists every objection, restriction and withdrawal that stands.
    pub fn negatives(&self, reasons: &mut Vec<Reason>) {
        for event in self.events.iter().filter(|e| e.kind.is_negative()) {
            let reason = match event.kind {
                EventKind::Erase => Some(Reason::Erased),
                EventKind::Restrict if self.operation != Operation::Store && !self.lifted(event) => {
                    Some(Reason::Restricted)
                }
                EventKind::Object if is_marketing(event) => Some(Reason::MarketingObjection),
                EventKind::Object if self.covers(event) && !self.lifted(event) => Some(Reason::ObjectionPending),
                EventKind::Withdraw | EventKind::Refuse if self.covers(event) && !self.regranted(event) => {
                    Some(Reason::Withdrawn)
                }
                _ => None,
            };
            reasons.extend(reason);
        }
    }

    /// The strongest basis that holds, with its end; else every reason why none does.
    pub fn best_basis(
        &self,
        allowed: &[LawfulBasis],
        policy: &Policy,
        reasons: &mut Vec<Reason>,
    ) -> Option<(LawfulBasis, Timestamp)> {
        let mut failures = Vec::new();
        let mut best: Option<(LawfulBasis, Timestamp)> = None;
        for event in self.events.iter().filter(|e| e.kind == EventKind::Grant) {
            match self.basis_of(event, allowed, policy) {
                // Consent before legitimate interest, then the later end.
                Ok((basis, end)) => {
                    let better = best.is_none_or(|(b, e)| (basis, std::cmp::Reverse(end)) < (b, std::cmp::Reverse(e)));
                    if better {
                        best = Some((basis, end));
                    }
                }
                Err(mut why) => failures.append(&mut why),
            }
        }
        if best.is_none() {
            // A grant that fails says why; only without any grant is there no basis at all.
            if failures.is_empty() {
                reasons.push(Reason::NoBasis);
            }
            reasons.append(&mut failures);
        }
        best
    }

    /// Whether the person was told: an own notice event, or the notice shown with a proven grant.
    pub fn notified(&self) -> bool {
        self.events.iter().any(|e| match e.kind {
            EventKind::Notice => self.is_known(e) && e.effective_at() <= self.now,
            EventKind::Grant => self.is_known(e) && e.proof.is_complete(),
            _ => false,
        })
    }

    fn basis_of(
        &self,
        grant: &LegalEvent,
        allowed: &[LawfulBasis],
        policy: &Policy,
    ) -> Result<(LawfulBasis, Timestamp), Vec<Reason>> {
        let mut why = Vec::new();
        let basis = grant.basis.filter(|b| allowed.contains(b)).ok_or_else(|| vec![Reason::NoBasis])?;
        if basis == LawfulBasis::Consent && !grant.proof.is_complete() {
            why.push(Reason::ConsentUnproven);
        }
        if !self.is_known(grant) || grant.effective_at() > self.now {
            why.push(Reason::NotYetValid);
        }
        let end = grant.valid_to.unwrap_or(Timestamp::MAX);
        if end <= self.now {
            why.push(Reason::Expired);
        }
        if basis == LawfulBasis::LegitimateInterest
            && !policy.assessed(AssessmentKind::Lia, self.purpose, self.class, day(self.now))
        {
            why.push(Reason::LiaInvalid);
        }
        if !grant.scope.purposes.contains(self.purpose) {
            why.push(Reason::ScopeMismatchPurpose);
        }
        if self.last_withdrawal().is_some_and(|at| {
            basis == LawfulBasis::LegitimateInterest || grant.effective_at().min(grant.recorded_at) <= at
        }) {
            // A withdrawal ends every earlier grant, and legitimate interest never stands in for it.
            why.push(Reason::Withdrawn);
        }
        if !grant.scope.operations.is_empty() && !grant.scope.operations.contains(&self.operation) {
            why.push(Reason::ScopeMismatchOperation);
        }
        if !grant.scope.source_classes.contains(&self.class) {
            why.push(Reason::ScopeMismatchSourceClass);
        }
        if why.is_empty() { Ok((basis, end)) } else { Err(why) }
    }

    /// A negative event with an empty dimension covers all of it.
    fn covers(&self, event: &LegalEvent) -> bool {
        let scope = &event.scope;
        (scope.purposes.is_empty() || scope.purposes.contains(self.purpose) || scope.purposes.contains(MARKETING))
            && (scope.operations.is_empty() || scope.operations.contains(&self.operation))
            && (scope.source_classes.is_empty() || scope.source_classes.contains(&self.class))
    }

    /// Whether a later, known lift ends this restriction or objection.
    fn lifted(&self, negative: &LegalEvent) -> bool {
        self.events.iter().any(|e| {
            e.kind == EventKind::Lift
                && self.is_known(e)
                && e.effective_at() <= self.now
                && e.effective_at() > latest(negative)
                && (e.scope.purposes.is_empty() || e.scope.purposes.contains(self.purpose))
        })
    }

    /// The latest withdrawal or refusal that covers the request.
    fn last_withdrawal(&self) -> Option<Timestamp> {
        self.events
            .iter()
            .filter(|e| matches!(e.kind, EventKind::Withdraw | EventKind::Refuse) && self.covers(e))
            .map(latest)
            .max()
    }

    /// Whether the person themselves granted again, strictly later, with proof.
    fn regranted(&self, negative: &LegalEvent) -> bool {
        self.events.iter().any(|e| {
            e.kind == EventKind::Grant
                && e.basis == Some(LawfulBasis::Consent)
                && e.proof.is_complete()
                && self.is_known(e)
                && e.effective_at().min(e.recorded_at) > latest(negative)
                && e.scope.purposes.contains(self.purpose)
                && e.scope.source_classes.contains(&self.class)
        })
    }

    fn is_known(&self, event: &LegalEvent) -> bool {
        event.recorded_at <= self.now
    }
}

/// A negative event counts from the later of its two times: the reading that overrides most grants.
fn latest(event: &LegalEvent) -> Timestamp {
    event.effective_at().max(event.recorded_at)
}

/// Art. 21(2): an objection without a purpose, or one against marketing, is absolute.
fn is_marketing(event: &LegalEvent) -> bool {
    event.scope.purposes.is_empty() || event.scope.purposes.contains(MARKETING)
}
