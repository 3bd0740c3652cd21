//! What a subject's events mean for one request at one time.
//!
//! Invariant: the least permissive reading wins. Negative events count whenever they were recorded; positive ones
//! only once they are known, proven, begun and not ended; a tie goes to the negative one. The order of the events
//! does not matter.

use jiff::Timestamp;

use crate::consent::decide::{PROFILING, Tally, day, start_of_day};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent};
use crate::consent::policy::Policy;
use crate::consent::reason::Reason;
use crate::taxonomy::{Operation, SourceClass};

/// The name under which files and CRMs speak of direct marketing.
const MARKETING: &str = "marketing";

/// Parts of a purpose's name that make an objection one against direct marketing.
const MARKETING_WORDS: &[&str] = &[MARKETING, "werbung", "advertis"];

/// A subject's events, seen from one request.
pub(in crate::consent) struct Standing<'a> {
    pub events: &'a [LegalEvent],
    pub purpose: &'a str,
    pub class: SourceClass,
    pub operation: Operation,
    /// The request is about traits, motives or preferences.
    pub profiles: bool,
    pub policy: &'a Policy,
    pub now: Timestamp,
}

impl Standing<'_> {
    /// Lists every objection, restriction and withdrawal that stands.
    pub fn negatives(&self, tally: &mut Tally) {
        for event in self.events {
            let reason = match event.kind {
                EventKind::Erase => Reason::Erased,
                _ if is_suppression(event) => Reason::Suppressed,
                EventKind::Restrict if self.operation != Operation::Store && !self.lifted(event) => Reason::Restricted,
                EventKind::Object if is_marketing(event) => Reason::MarketingObjection,
                EventKind::Object if self.covered_by(event) && !self.lifted(event) => Reason::ObjectionPending,
                EventKind::Withdraw | EventKind::Refuse if self.covered_by(event) && !self.regranted(event) => {
                    Reason::Withdrawn
                }
                _ => continue,
            };
            tally.refuse(true, reason);
        }
    }

    /// The strongest basis that holds, noting its end; else every reason why none does.
    pub fn best_basis(&self, tally: &mut Tally) -> Option<LawfulBasis> {
        let mut failures = Vec::new();
        let mut best: Option<(LawfulBasis, Timestamp)> = None;
        let withdrawn_at = self.last_withdrawal();
        for event in self.grants() {
            let (mut basis, mut end) = (event.basis, Timestamp::MAX);
            // Two versions of one record contradict each other: it gives what both of them give.
            for version in self.grants().filter(|e| is_same_record(e, event)) {
                match self.basis_of(version, withdrawn_at) {
                    Ok((_, its_end)) => end = end.min(its_end),
                    Err(mut why) => {
                        basis = None;
                        failures.append(&mut why);
                    }
                }
            }
            // Consent before legitimate interest, then the later end.
            if let Some(basis) = basis
                && best.is_none_or(|(b, e)| (basis, std::cmp::Reverse(end)) < (b, std::cmp::Reverse(e)))
            {
                best = Some((basis, end));
            }
        }
        let Some((basis, end)) = best else {
            tally.refuse(failures.is_empty(), Reason::NoBasis);
            for reason in failures {
                tally.refuse(true, reason);
            }
            return None;
        };
        tally.until(end);
        Some(basis)
    }

    /// Whether the person was told about this purpose: by a notice, or by the wording of a proven consent.
    pub fn notified(&self) -> bool {
        self.events.iter().any(|e| {
            let told = match e.kind {
                EventKind::Notice => e.scope.source_classes.is_empty() || e.scope.source_classes.contains(&self.class),
                EventKind::Grant => e.basis == Some(LawfulBasis::Consent) && e.proof.is_complete(),
                _ => false,
            };
            told && e.scope.purposes.contains(self.purpose) && self.has_begun(e)
        })
    }

    /// Whether somebody claims legitimate interest for this purpose, which may rest on it.
    pub fn claims_interest(&self) -> bool {
        let interest = LawfulBasis::LegitimateInterest;
        self.may_rest_on(interest)
            && self.grants().any(|e| e.basis == Some(interest) && e.scope.purposes.contains(self.purpose))
    }

    fn grants(&self) -> impl Iterator<Item = &LegalEvent> {
        self.events.iter().filter(|e| e.kind == EventKind::Grant)
    }

    fn may_rest_on(&self, basis: LawfulBasis) -> bool {
        self.policy.file().purposes.get(self.purpose).is_some_and(|p| p.bases.contains(&basis))
    }

    fn basis_of(
        &self,
        grant: &LegalEvent,
        withdrawn_at: Option<Timestamp>,
    ) -> Result<(LawfulBasis, Timestamp), Vec<Reason>> {
        let basis = grant.basis.filter(|b| self.may_rest_on(*b)).ok_or_else(|| vec![Reason::NoBasis])?;
        let by_interest = basis == LawfulBasis::LegitimateInterest;
        let mut end = grant.valid_to.unwrap_or(Timestamp::MAX);
        let ended = end <= self.now;
        let assessed = if by_interest { self.interest_until() } else { Some(Timestamp::MAX) };
        end = end.min(assessed.unwrap_or(Timestamp::MAX));
        let scope = &grant.scope;
        let checks = [
            (!by_interest && !grant.proof.is_complete(), Reason::ConsentUnproven),
            (!self.has_begun(grant), Reason::NotYetValid),
            (ended, Reason::Expired),
            (assessed.is_none(), Reason::LiaInvalid),
            // A withdrawal ends every earlier grant, and legitimate interest never stands in for it.
            (withdrawn_at.is_some_and(|at| by_interest || earliest(grant) <= at), Reason::Withdrawn),
            (!scope.purposes.contains(self.purpose), Reason::ScopeMismatchPurpose),
            (
                !scope.operations.is_empty() && !scope.operations.contains(&self.operation),
                Reason::ScopeMismatchOperation,
            ),
            (!scope.source_classes.contains(&self.class), Reason::ScopeMismatchSourceClass),
        ];
        if checks.iter().any(|(failed, _)| *failed) {
            return Err(checks.into_iter().filter(|(failed, _)| *failed).map(|(_, reason)| reason).collect());
        }
        Ok((basis, end))
    }

    /// Until when an assessment carries legitimate interest. None can carry profiling: it would have to name each
    /// trait, which a policy cannot express.
    fn interest_until(&self) -> Option<Timestamp> {
        let until = self.policy.lia_until(self.purpose, self.class, day(self.now))?;
        (!self.profiles).then(|| start_of_day(until))
    }

    /// A negative event with an empty dimension covers all of it; so does one that names a purpose which the policy
    /// does not know: renaming a purpose shakes off no withdrawal.
    fn covered_by(&self, negative: &LegalEvent) -> bool {
        let scope = &negative.scope;
        let names = |p: &String| {
            p == self.purpose
                || p == MARKETING
                || (p == PROFILING && self.profiles)
                || !(p == PROFILING || self.policy.file().purposes.contains_key(p))
        };
        (scope.purposes.is_empty() || scope.purposes.iter().any(names))
            && (scope.operations.is_empty() || scope.operations.contains(&self.operation))
            && (scope.source_classes.is_empty() || scope.source_classes.contains(&self.class))
    }

    /// Whether a later lift, known, begun and not ended, ends this restriction or objection. As a restriction holds
    /// for everything, so does a lift without scope.
    fn lifted(&self, negative: &LegalEvent) -> bool {
        self.events.iter().any(|e| {
            e.kind == EventKind::Lift
                && self.has_begun(e)
                && e.valid_to.is_none_or(|end| self.now < end)
                && earliest(e) > latest(negative)
                && (e.scope.purposes.is_empty() || e.scope.purposes.contains(self.purpose))
                && (e.scope.operations.is_empty() || e.scope.operations.contains(&self.operation))
                && (e.scope.source_classes.is_empty() || e.scope.source_classes.contains(&self.class))
        })
    }

    /// The latest withdrawal or refusal that covers the request; a suppression refuses by itself.
    fn last_withdrawal(&self) -> Option<Timestamp> {
        let ends = |e: &&LegalEvent| {
            matches!(e.kind, EventKind::Withdraw | EventKind::Refuse) && !is_suppression(e) && self.covered_by(e)
        };
        self.events.iter().filter(ends).map(latest).max()
    }

    /// Whether the person themselves granted again, strictly later, with proof.
    fn regranted(&self, negative: &LegalEvent) -> bool {
        self.grants().any(|e| {
            e.basis == Some(LawfulBasis::Consent)
                && e.proof.is_complete()
                && e.proof.is_of_the_subject()
                && self.has_begun(e)
                && earliest(e) > latest(negative)
                && e.scope.purposes.contains(self.purpose)
                && e.scope.source_classes.contains(&self.class)
        })
    }

    fn has_begun(&self, event: &LegalEvent) -> bool {
        latest(event) <= self.now
    }
}

/// The later of an event's two times. A negative event counts from it: the reading that overrides most grants.
fn latest(event: &LegalEvent) -> Timestamp {
    event.effective_at().max(event.recorded_at)
}

/// The earlier of an event's two times. A positive event counts from it: the reading that overrides least.
fn earliest(event: &LegalEvent) -> Timestamp {
    event.effective_at().min(event.recorded_at)
}

/// Art. 21(2): an objection without a purpose, or one against marketing, is absolute.
fn is_marketing(event: &LegalEvent) -> bool {
    let speaks = |p: &String| MARKETING_WORDS.iter().any(|word| p.to_lowercase().contains(word));
    event.scope.purposes.is_empty() || event.scope.purposes.iter().any(speaks)
}

/// A refusal of everything that nothing can be later than: a flag of the CRM.
fn is_suppression(event: &LegalEvent) -> bool {
    event.kind == EventKind::Refuse
        && event.recorded_at == Timestamp::MAX
        && event.scope == crate::consent::event::Scope::default()
}

/// Whether two events are versions of one record of the source; each is one of itself.
fn is_same_record(a: &LegalEvent, b: &LegalEvent) -> bool {
    std::ptr::eq(a, b)
        || (a.external_id.is_some() && a.external_id == b.external_id && a.origin.system == b.origin.system)
}
