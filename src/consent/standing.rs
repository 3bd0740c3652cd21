//! What a subject's events mean for one request at one time.
//!
//! Invariant: the least permissive reading wins. Negative events count whenever they were recorded; positive ones
//! only once they are known, proven, begun, not ended and not superseded; a tie goes to the negative one. The order of
//! the events does not matter.

use jiff::Timestamp;

use crate::consent::case::{Case, MARKETING};
use crate::consent::decide::Tally;
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Scope, is_day, last_of_day};
use crate::consent::mutant::holds;
use crate::consent::reason::{Reason, ReasonSet};
use crate::taxonomy::Operation;

/// Parts of a purpose's name that make an objection one against direct marketing.
const MARKETING_WORDS: &[&str] = &[MARKETING, "werbung", "advertis"];

/// A subject's events, seen from one request.
pub(in crate::consent) struct Standing<'a> {
    pub case: &'a Case<'a>,
    pub events: &'a [LegalEvent],
}

impl<'a> Standing<'a> {
    /// Lists every erasure, suppression, restriction and objection that stands.
    pub fn negatives(&self, tally: &mut Tally) {
        for event in self.events {
            match event.kind {
                EventKind::Erase => tally.refuse("erased", true, Reason::Erased),
                EventKind::Restrict => {
                    let applies = holds("restrict.store", !self.stores());
                    let lifted = self.lifted_until(event);
                    let stands = applies && holds("restrict.lift", lifted.is_none());
                    tally.refuse("restricted", stands, Reason::Restricted);
                    if applies && let Some(end) = lifted {
                        tally.until("until.restrict.lift", end);
                    }
                }
                EventKind::Object if holds("object.marketing", is_marketing(event)) => {
                    tally.refuse("marketing", true, Reason::MarketingObjection);
                }
                EventKind::Object => {
                    let applies = holds("object.scope", self.case.is_touched_by(&event.scope));
                    let lifted = self.lifted_until(event);
                    let stands = applies && holds("object.lift", lifted.is_none());
                    tally.refuse("objection", stands, Reason::ObjectionPending);
                    if applies && let Some(end) = lifted {
                        tally.until("until.object.lift", end);
                    }
                }
                EventKind::Refuse if is_suppression(event) => tally.refuse("suppressed", true, Reason::Suppressed),
                // What they leave is seen where the basis is sought.
                EventKind::Withdraw
                | EventKind::Refuse
                | EventKind::Grant
                | EventKind::Lift
                | EventKind::Notice
                | EventKind::Assessment
                | EventKind::Rectify => {}
            }
        }
    }

    fn stores(&self) -> bool {
        self.case.request.operation == Operation::Store
    }

    /// The strongest basis that holds, noting its end; else every reason why none does.
    pub fn best_basis(&self, tally: &mut Tally) -> Option<LawfulBasis> {
        let mut failures = ReasonSet::default();
        let mut best: Option<(LawfulBasis, Timestamp)> = None;
        let withdrawn_at = self.last_withdrawal();
        for event in self.grants() {
            let (mut basis, mut end) = (event.basis, Timestamp::MAX);
            // Two versions of one record contradict each other: it gives what both of them give.
            for version in self.grants().filter(|e| holds("grant.versions", is_same_record(e, event))) {
                match self.basis_of(version, withdrawn_at) {
                    Ok(its_end) => end = end.min(its_end),
                    Err(why) => {
                        basis = None;
                        failures.extend(why);
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
            tally.refuse("withdrawn", withdrawn_at.is_some(), Reason::Withdrawn);
            tally.refuse("basis", failures.is_empty(), Reason::NoBasis);
            tally.refuse_all(failures);
            return None;
        };
        tally.until("until.basis", end);
        Some(basis)
    }

    /// Whether the person was told about this: by a notice, or by the wording of a proven consent that covers it.
    pub fn notified(&self) -> bool {
        self.positive(EventKind::Notice).any(|e| {
            let classes = &e.scope.source_classes;
            holds("notified.class", classes.is_empty() || classes.contains(&self.case.class))
                && holds("notified.shown", self.case.rules.take_for_notice(&e.proof))
                && self.told_by(e)
        }) || self.grants().any(|e| {
            holds("notified.consent", e.basis == Some(LawfulBasis::Consent))
                && holds("notified.proof", self.case.rules.take_for_proof(&e.proof))
                && holds("notified.consent_class", e.scope.source_classes.contains(&self.case.class))
                && self.told_by(e)
        })
    }

    fn told_by(&self, event: &LegalEvent) -> bool {
        let scope = &event.scope;
        holds("notified.purpose", scope.purposes.contains(self.case.request.purpose))
            && holds("notified.category", self.case.covers_categories(&scope.data_categories))
            && holds("notified.recipient", self.case.covers_recipients(&scope.recipients))
            && holds("notified.region", self.case.covers_regions(&scope.regions))
            && holds("notified.begun", self.has_begun(event))
    }

    /// Whether somebody claims legitimate interest for this purpose, which may rest on it.
    pub fn claims_interest(&self) -> bool {
        let interest = LawfulBasis::LegitimateInterest;
        holds("claims.admitted", self.case.may_rest_on(interest))
            && self.grants().any(|e| {
                holds("claims.basis", e.basis == Some(interest))
                    && holds("claims.purpose", e.scope.purposes.contains(self.case.request.purpose))
            })
    }

    fn grants(&self) -> impl Iterator<Item = &'a LegalEvent> {
        self.positive(EventKind::Grant)
    }

    /// Events of a kind that gives something. One that another event replaces gives nothing, and so do all in a circle.
    fn positive(&self, kind: EventKind) -> impl Iterator<Item = &'a LegalEvent> {
        let events = self.events;
        events.iter().filter(move |e| e.kind == kind && holds("superseded", !is_superseded(e, events)))
    }

    /// The end of the basis that a grant gives, or why it gives none.
    fn basis_of(&self, grant: &LegalEvent, withdrawn_at: Option<Timestamp>) -> Result<Timestamp, ReasonSet> {
        let mut failures = ReasonSet::default();
        let mut check = |name: &'static str, failed: bool, reason: Reason| {
            if holds(name, failed) {
                failures.add(reason);
            }
        };
        let admitted = grant.basis.filter(|b| holds("grant.admitted", self.case.may_rest_on(*b)));
        let Some(basis) = admitted else {
            check("grant.basis", true, Reason::NoBasis);
            return Err(failures);
        };
        let by_interest = basis == LawfulBasis::LegitimateInterest;
        let ends = grant.valid_to.unwrap_or(Timestamp::MAX);
        let assessed = if by_interest { self.case.interest_until() } else { Some(Timestamp::MAX) };
        let (scope, case) = (&grant.scope, self.case);
        check("grant.proof", !by_interest && !case.rules.take_for_proof(&grant.proof), Reason::ConsentUnproven);
        check("grant.begun", !self.has_begun(grant), Reason::NotYetValid);
        check("grant.ended", ends <= case.now, Reason::Expired);
        check("grant.lia", assessed.is_none(), Reason::LiaInvalid);
        // A withdrawal ends every earlier grant, and legitimate interest never stands in for it. Only an act of the person undoes
        // it: a consent that rests on none is not proven.
        if let Some(at) = withdrawn_at {
            check("grant.withdrawn.interest", by_interest, Reason::Withdrawn);
            check("grant.withdrawn.later", earliest(grant) <= at, Reason::Withdrawn);
        }
        let operations = &scope.operations;
        let other = !operations.is_empty() && !operations.contains(&case.request.operation);
        check("grant.purpose", !scope.purposes.contains(case.request.purpose), Reason::ScopeMismatchPurpose);
        check("grant.operation", other, Reason::ScopeMismatchOperation);
        check("grant.class", !scope.source_classes.contains(&case.class), Reason::ScopeMismatchSourceClass);
        check("grant.category", !case.covers_categories(&scope.data_categories), Reason::ScopeMismatchDataCategory);
        check("grant.recipient", !case.covers_recipients(&scope.recipients), Reason::ScopeMismatchRecipient);
        check("grant.region", !case.covers_regions(&scope.regions), Reason::ScopeMismatchRegion);
        if withdrawn_at.is_some() && !case.rules.let_undo(&grant.proof) {
            failures.add(Reason::Withdrawn);
        }
        if failures.is_empty() { Ok(ends.min(assessed.unwrap_or(case.now))) } else { Err(failures) }
    }

    /// Until when a later lift, known, begun and not ended, ends this restriction or objection, the longest of several. It
    /// ends only what it names: one without purposes a restriction, one with purposes objections to these; of what another
    /// system recorded, only the controller ends anything. One with further scope ends it for what lies wholly within.
    fn lifted_until(&self, negative: &LegalEvent) -> Option<Timestamp> {
        let (case, request) = (self.case, self.case.request);
        let counts = |e: &&LegalEvent| {
            let scope = &e.scope;
            let means_it = match negative.kind {
                EventKind::Restrict => holds("lift.restriction", scope.purposes.is_empty()),
                _ => holds("lift.objection", scope.purposes.contains(request.purpose)),
            };
            means_it
                && (holds("lift.own", e.origin.system == negative.origin.system)
                    || holds("lift.controller", e.origin.is_controller()))
                && holds("lift.begun", self.has_begun(e))
                && holds("lift.ended", e.valid_to.is_none_or(|end| case.now < end))
                && holds("lift.later", earliest(e) > self.last_said(negative))
                && holds("lift.operation", scope.operations.is_empty() || scope.operations.contains(&request.operation))
                && holds("lift.class", scope.source_classes.is_empty() || scope.source_classes.contains(&case.class))
                && holds("lift.category", case.covers_categories(&scope.data_categories))
                && holds("lift.recipient", case.covers_recipients(&scope.recipients))
                && holds("lift.region", case.covers_regions(&scope.regions))
        };
        self.positive(EventKind::Lift).filter(counts).map(|lift| lift.valid_to.unwrap_or(Timestamp::MAX)).max()
    }

    /// The latest withdrawal or refusal that covers the request; a suppression refuses by itself.
    fn last_withdrawal(&self) -> Option<Timestamp> {
        let ends = |e: &&LegalEvent| {
            matches!(e.kind, EventKind::Withdraw | EventKind::Refuse)
                && !is_suppression(e)
                && holds("last.scope", self.case.is_touched_by(&e.scope))
        };
        self.events.iter().filter(ends).map(|e| self.last_said(e)).max()
    }

    /// The last instant at which a negative event may have been said: the reading that overrides most grants. One that is dated by
    /// day has no time, so it comes after every yes of that day.
    fn last_said(&self, event: &LegalEvent) -> Timestamp {
        let is_dated = |at| self.case.rules.know_days() && is_day(at);
        let last = |at| if holds("no.whole_day", is_dated(at)) { last_of_day(at) } else { at };
        last(event.effective_at()).max(last(event.recorded_at))
    }

    fn has_begun(&self, event: &LegalEvent) -> bool {
        latest(event) <= self.case.now
    }
}

/// The later of an event's two times.
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
    holds("marketing.no_purpose", event.scope.purposes.is_empty())
        || holds("marketing.word", event.scope.purposes.iter().any(speaks))
}

/// A refusal of everything that nothing can be later than: a flag of the CRM.
fn is_suppression(event: &LegalEvent) -> bool {
    event.kind == EventKind::Refuse
        && holds("suppression.standing", event.recorded_at == Timestamp::MAX)
        && holds("suppression.scope", *event.scope == Scope::default())
}

/// Whether some event of the same source says that it replaces this one; an event that replaces itself does.
fn is_superseded(event: &LegalEvent, events: &[LegalEvent]) -> bool {
    event.external_id.is_some()
        && events.iter().any(|e| {
            holds("supersedes.id", e.supersedes == event.external_id)
                && holds("supersedes.system", e.origin.system == event.origin.system)
        })
}

/// Whether two events are versions of one record of the source; each is one of itself.
fn is_same_record(a: &LegalEvent, b: &LegalEvent) -> bool {
    std::ptr::eq(a, b)
        || (a.external_id.is_some()
            && holds("record.id", a.external_id == b.external_id)
            && holds("record.system", a.origin.system == b.origin.system))
}
