//! What the events of a person say of a request.
//!
//! Invariant: an event is judged by all of its times; whatever gives must lie wholly after what it undoes.

use std::collections::BTreeSet;

use jiff::civil::Time;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use super::{Case, filled};
use crate::consent::event::{EventKind as Kind, LawfulBasis, LegalEvent};
use crate::consent::reason::Reason;
use crate::taxonomy::Operation;

/// Of the cells that stand for nothing, those that the tests know.
fn says_something(text: Option<&str>) -> bool {
    filled(text) && !["-", "n/a", "none", "fehlt", "pending"].contains(&text.unwrap_or("").trim())
}

fn is_suppression(e: &LegalEvent) -> bool {
    let of_acts = e.scope.purposes.len() + e.scope.operations.len() + e.scope.source_classes.len();
    let of_data = e.scope.data_categories.len() + e.scope.recipients.len() + e.scope.regions.len();
    e.kind == Kind::Refuse && e.recorded_at == Timestamp::MAX && of_acts + of_data == 0
}

impl<'a> Case<'a> {
    pub(super) fn applies_to(&self, reason: Reason, events: &'a [LegalEvent]) -> bool {
        let of = |kind: Kind| events.iter().filter(move |e| e.kind == kind);
        let against_marketing = |e: &LegalEvent| {
            let says = |p: &String| ["marketing", "werbung", "advertis"].iter().any(|w| p.to_lowercase().contains(w));
            e.scope.purposes.is_empty() || e.scope.purposes.iter().any(says)
        };
        let not_lifted = |e: &LegalEvent| !self.live(Kind::Lift).into_iter().any(|lift| self.lifts(lift, e));
        match reason {
            Reason::Erased => of(Kind::Erase).count() > 0,
            Reason::Suppressed => events.iter().any(is_suppression),
            Reason::Restricted => self.request.operation != Operation::Store && of(Kind::Restrict).any(not_lifted),
            Reason::MarketingObjection => of(Kind::Object).any(against_marketing),
            Reason::ObjectionPending => {
                of(Kind::Object).any(|e| !against_marketing(e) && self.hits(e) && not_lifted(e))
            }
            Reason::Withdrawn => {
                let mut withdrawals = of(Kind::Withdraw).chain(of(Kind::Refuse).filter(|e| !is_suppression(e)));
                withdrawals.any(|e| self.hits(e)) && self.faults().is_some()
            }
            Reason::NoticeOverdue => self.notice_open() && self.notice_due() < self.now,
            Reason::NoticeRequiredBeforeDisclosure => self.notice_open() && self.request.operation == Operation::Emit,
            of_the_basis => self.faults().is_some_and(|f| f.contains(&of_the_basis)),
        }
    }

    pub(super) fn times(e: &LegalEvent) -> [Timestamp; 2] {
        [e.recorded_at, e.valid_from.unwrap_or(e.recorded_at)]
    }

    pub(super) fn begun(&self, e: &LegalEvent) -> bool {
        Self::times(e).iter().all(|t| *t <= self.now)
    }

    /// Each time of the positive event lies after each time of the negative one, and on a later day than one that is a day.
    pub(super) fn wholly_after(positive: &LegalEvent, negative: &LegalEvent) -> bool {
        let civil = |t: Timestamp| Offset::UTC.to_datetime(t);
        let later = |p: Timestamp, n: Timestamp| {
            if civil(n).time() == Time::midnight() { civil(p).date() > civil(n).date() } else { p > n }
        };
        Self::times(positive).iter().all(|p| Self::times(negative).iter().all(|n| later(*p, *n)))
    }

    /// A lift without purposes is the end of a restriction; one with purposes decides objections, for those. A CRM
    /// speaks for itself alone, the controller for everybody.
    pub(super) fn lifts(&self, lift: &LegalEvent, negative: &LegalEvent) -> bool {
        let scope = &lift.scope;
        let meant = match (negative.kind, scope.purposes.len()) {
            (Kind::Restrict, 0) => true,
            (Kind::Object, 1..) => scope.purposes.iter().any(|p| p == self.request.purpose),
            _ => false,
        };
        let may_speak = [negative.origin.system.as_str(), "prosopon"].contains(&lift.origin.system.as_str());
        meant
            && may_speak
            && self.begun(lift)
            && lift.valid_to.is_none_or(|end| end > self.now)
            && Self::wholly_after(lift, negative)
            && (scope.operations.is_empty() || scope.operations.contains(&self.request.operation))
            && (scope.source_classes.is_empty() || scope.source_classes.contains(&self.class()))
            && self.embraces(lift) == [true; 3]
    }

    /// When the first no stands again that is lifted for a time.
    pub(super) fn lift_end(&self) -> Option<Timestamp> {
        let stores = self.request.operation == Operation::Store;
        let noes = self.person().unwrap_or_default().iter().filter(|e| match e.kind {
            Kind::Restrict => !stores,
            Kind::Object => self.hits(e),
            _ => false,
        });
        let lifts = self.live(Kind::Lift);
        let until = |no: &LegalEvent| {
            let of_no = lifts.iter().filter(|lift| self.lifts(lift, no));
            of_no.map(|lift| lift.valid_to.unwrap_or(Timestamp::MAX)).max()
        };
        noes.filter_map(until).min()
    }

    pub(super) fn by_the_person(e: &LegalEvent) -> bool {
        let methods = "double_opt_in e_mail email letter paper_form preference_center recorded_call signed_paper \
                       web_form";
        methods.split_whitespace().any(|m| m == e.proof.method.as_deref().unwrap_or("").trim())
    }

    pub(super) fn proven(e: &LegalEvent) -> bool {
        let hash = e.proof.wording_hash.as_deref().unwrap_or("").trim().trim_start_matches("sha256:");
        let hex = !hash.is_empty() && hash.chars().all(|c| "0123456789abcdef".contains(c));
        Self::by_the_person(e) && says_something(e.proof.notice_id.as_deref()) && hex
    }

    /// Events that give something, without those that another one of their source (or themselves) replaces.
    pub(super) fn live(&self, kind: Kind) -> Vec<&'a LegalEvent> {
        let all = self.person().unwrap_or_default();
        let replaced: BTreeSet<(&str, &str)> =
            all.iter().filter_map(|e| Some((e.origin.system.as_str(), e.supersedes.as_deref()?))).collect();
        let is_replaced = |e: &LegalEvent| {
            e.external_id.as_deref().is_some_and(|id| replaced.contains(&(e.origin.system.as_str(), id)))
        };
        all.iter().filter(|e| e.kind == kind && !is_replaced(e)).collect()
    }

    pub(super) fn grants(&self) -> Vec<&'a LegalEvent> {
        self.live(Kind::Grant)
    }

    /// What is wrong with one grant, taken alone.
    pub(super) fn faults_of(&self, grant: &LegalEvent) -> BTreeSet<Reason> {
        let Some(basis) = grant.basis.filter(|b| self.purpose().is_some_and(|p| p.bases.contains(b))) else {
            return BTreeSet::from([Reason::NoBasis]);
        };
        let consent = basis == LawfulBasis::Consent;
        let withdrawn = self.person().unwrap_or_default().iter().any(|w| {
            matches!(w.kind, Kind::Withdraw | Kind::Refuse)
                && !is_suppression(w)
                && self.hits(w)
                && (!consent || !Self::by_the_person(grant) || !Self::wholly_after(grant, w))
        });
        let scope = &grant.scope;
        let [data, to, there] = self.embraces(grant);
        let own_operations = scope.operations.is_empty() || scope.operations.contains(&self.request.operation);
        [
            (consent && !Self::proven(grant), Reason::ConsentUnproven),
            (!self.begun(grant), Reason::NotYetValid),
            (grant.valid_to.is_some_and(|end| end <= self.now), Reason::Expired),
            (!consent && self.lia_end().is_none(), Reason::LiaInvalid),
            (withdrawn, Reason::Withdrawn),
            (!scope.purposes.contains(self.request.purpose), Reason::ScopeMismatchPurpose),
            (!own_operations, Reason::ScopeMismatchOperation),
            (!scope.source_classes.contains(&self.class()), Reason::ScopeMismatchSourceClass),
            (!data, Reason::ScopeMismatchDataCategory),
            (!to, Reason::ScopeMismatchRecipient),
            (!there, Reason::ScopeMismatchRegion),
        ]
        .into_iter()
        .filter_map(|(fault, reason)| fault.then_some(reason))
        .collect()
    }

    /// The versions of the record that a grant is; the grant itself where it has no id.
    pub(super) fn versions(&self, grant: &'a LegalEvent) -> Vec<&'a LegalEvent> {
        if grant.external_id.is_none() {
            return vec![grant];
        }
        let key = |e: &LegalEvent| (e.external_id.clone(), e.origin.system.clone());
        self.grants().into_iter().filter(|e| key(e) == key(grant)).collect()
    }

    pub(super) fn carries(&self, grant: &'a LegalEvent) -> bool {
        self.versions(grant).into_iter().all(|v| self.faults_of(v).is_empty())
    }

    /// Why no basis carries; `None` = one does.
    pub(super) fn faults(&self) -> Option<BTreeSet<Reason>> {
        let grants = self.grants();
        if grants.iter().any(|g| self.carries(g)) {
            return None;
        }
        let faults: BTreeSet<Reason> = grants.iter().flat_map(|g| self.faults_of(g)).collect();
        Some(if faults.is_empty() { BTreeSet::from([Reason::NoBasis]) } else { faults })
    }

    pub(super) fn article(&self) -> String {
        if !self.is_subject() {
            return "not_personal".to_owned();
        }
        let consents = self.grants().into_iter().any(|g| g.basis == Some(LawfulBasis::Consent) && self.carries(g));
        if consents { "6(1)(a)" } else { "6(1)(f)" }.to_owned()
    }

    pub(super) fn notice_open(&self) -> bool {
        let told = |e: &LegalEvent| {
            let this_class = e.scope.source_classes.contains(&self.class());
            let shown = says_something(e.proof.notice_id.as_deref()) && says_something(e.proof.method.as_deref());
            let by_notice = e.kind == Kind::Notice && shown && (e.scope.source_classes.is_empty() || this_class);
            let by_consent =
                e.kind == Kind::Grant && e.basis == Some(LawfulBasis::Consent) && Self::proven(e) && this_class;
            (by_notice || by_consent)
                && e.scope.purposes.contains(self.request.purpose)
                && self.embraces(e) == [true; 3]
                && self.begun(e)
        };
        let interest = |e: &LegalEvent| {
            e.basis == Some(LawfulBasis::LegitimateInterest)
                && e.scope.purposes.contains(self.request.purpose)
                && self.purpose().is_some_and(|p| p.bases.contains(&LawfulBasis::LegitimateInterest))
        };
        let words: Vec<&LegalEvent> = self.live(Kind::Notice).into_iter().chain(self.grants()).collect();
        !words.into_iter().any(told) && self.grants().into_iter().any(interest)
    }

    pub(super) fn notice_due(&self) -> Timestamp {
        let collected = Offset::UTC.to_datetime(self.request.collected_at.expect("asked of persons only"));
        let month = collected.checked_add(1.month()).expect("within the calendar");
        let rule =
            collected.checked_add(i64::from(self.policy.file().notice.days).days()).expect("within the calendar");
        Offset::UTC.to_timestamp(month.min(rule)).expect("within the calendar")
    }
}
