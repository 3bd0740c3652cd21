//! The reference model: the decision once more, slow and plain, from the design's text.
//!
//! Invariant: shares no rule with `decide`, `standing` or `source_rules`. Where those collect reasons while they walk
//! through checks, this asks of every reason in the list: does it apply? Sets are built, never updated.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::consent::decide::{OptOut, Request, View};
use crate::consent::event::{EventKind as Kind, LawfulBasis, LegalEvent};
use crate::consent::policy::{Assessment, AssessmentKind, Policy, Purpose, RegisteredSource, Terms, Visibility};
use crate::consent::reason::Reason;
use crate::model::Target;
use crate::taxonomy::{Operation, SourceClass};

/// What the model permits: article, end of the permit.
pub(super) type Answer = Result<(String, Timestamp), Vec<Reason>>;

pub(super) fn answer(request: &Request<'_>, view: &View<'_>, policy: &Policy, now: Timestamp) -> Answer {
    let case = Case { request, view, policy, now };
    let reasons: Vec<Reason> = Reason::ALL.into_iter().filter(|reason| case.applies(*reason)).collect();
    if reasons.is_empty() { Ok((case.article(), case.end())) } else { Err(reasons) }
}

struct Case<'a> {
    request: &'a Request<'a>,
    view: &'a View<'a>,
    policy: &'a Policy,
    now: Timestamp,
}

fn filled(text: Option<&str>) -> bool {
    !text.unwrap_or("").trim().is_empty()
}

fn is_suppression(e: &LegalEvent) -> bool {
    let dimensions = e.scope.purposes.len() + e.scope.operations.len() + e.scope.source_classes.len();
    e.kind == Kind::Refuse && e.recorded_at == Timestamp::MAX && dimensions == 0
}

impl<'a> Case<'a> {
    fn applies(&self, reason: Reason) -> bool {
        let (source, purpose) = (self.source(), self.purpose());
        match reason {
            Reason::IntegrityFailure => !self.view.intact,
            Reason::ClockSkew => self.view.newest > Some(self.now),
            Reason::StaleConsentSync => self.sync_end() <= self.now,
            Reason::PolicyUnsigned => !self.signed(),
            Reason::SubjectUnresolved => self.is_subject() && self.person().is_none(),
            Reason::SubjectAmbiguous => self.is_subject() && self.view.ambiguous,
            Reason::ProhibitedPurpose => {
                let words = "recruit employ hiring bewerb personalauswahl headhunt credit insurance *";
                words.split(' ').any(|w| self.request.purpose.to_lowercase().contains(w))
            }
            Reason::SourceUnregistered => source.is_none_or(|s| !self.source_serves(s)),
            Reason::VisibilityRestricted => {
                source.is_some_and(|s| s.class == SourceClass::LoginOrRestricted || s.visibility != Visibility::Public)
            }
            Reason::TermsForbid => source.is_some_and(|s| s.terms == Terms::Forbid),
            Reason::RobotsDisallow => self.robots_forbid(),
            Reason::TdmReserved => self.request.opt_out == OptOut::TdmReserved,
            Reason::SourceRevoked => source.is_some_and(|s| s.revoked),
            Reason::ContractExpired => source.and_then(|s| s.contract_until).is_some_and(|end| self.today() > end),
            Reason::PurposeUnregistered => purpose.is_none_or(|p| !self.purpose_serves(p)),
            Reason::DpiaMissing => purpose.is_some_and(|p| self.needs_dpia(p) && self.dpia().is_none()),
            Reason::TransferUncovered => {
                self.request.operation == Operation::Emit
                    && purpose.is_some_and(|p| p.recipients.iter().any(|r| !self.may_receive(r)))
            }
            Reason::RetentionElapsed => {
                self.person().is_some() && purpose.is_some() && self.retention_end() <= self.now
            }
            about_the_person => self.person().is_some_and(|events| self.applies_to(about_the_person, events)),
        }
    }

    fn applies_to(&self, reason: Reason, events: &'a [LegalEvent]) -> bool {
        let of = |kind: Kind| events.iter().filter(move |e| e.kind == kind);
        let against_marketing = |e: &LegalEvent| {
            let says = |p: &String| ["marketing", "werbung", "advertis"].iter().any(|w| p.to_lowercase().contains(w));
            e.scope.purposes.is_empty() || e.scope.purposes.iter().any(says)
        };
        let not_lifted = |e: &LegalEvent| !of(Kind::Lift).any(|lift| self.lifts(lift, e));
        match reason {
            Reason::Erased => of(Kind::Erase).count() > 0,
            Reason::Suppressed => events.iter().any(is_suppression),
            Reason::Restricted => self.request.operation != Operation::Store && of(Kind::Restrict).any(not_lifted),
            Reason::MarketingObjection => of(Kind::Object).any(against_marketing),
            Reason::ObjectionPending => {
                of(Kind::Object).any(|e| !against_marketing(e) && self.hits(e) && not_lifted(e))
            }
            Reason::Withdrawn => {
                let withdrawals = of(Kind::Withdraw).chain(of(Kind::Refuse).filter(|e| !is_suppression(e)));
                withdrawals.filter(|e| self.hits(e)).any(|w| !of(Kind::Grant).any(|g| self.regrants(g, w)))
                    || self.faults().is_some_and(|f| f.contains(&Reason::Withdrawn))
            }
            Reason::NoticeOverdue => self.notice_open() && self.notice_due() < self.now,
            Reason::NoticeRequiredBeforeDisclosure => self.notice_open() && self.request.operation == Operation::Emit,
            of_the_basis => self.faults().is_some_and(|f| f.contains(&of_the_basis)),
        }
    }

    fn source(&self) -> Option<&'a RegisteredSource> {
        self.policy.file().sources.get(self.request.source_id)
    }

    fn purpose(&self) -> Option<&'a Purpose> {
        self.policy.file().purposes.get(self.request.purpose)
    }

    fn is_subject(&self) -> bool {
        matches!(self.request.target, Target::Subject(..))
    }

    fn person(&self) -> Option<&'a [LegalEvent]> {
        self.view.events.filter(|_| self.is_subject() && self.request.collected_at.is_some())
    }

    fn class(&self) -> SourceClass {
        self.source().map_or(SourceClass::LoginOrRestricted, |s| s.class)
    }

    fn today(&self) -> Date {
        Offset::UTC.to_datetime(self.now).date()
    }

    fn signed(&self) -> bool {
        let file = self.policy.file();
        file.version == 1 && file.approval.iter().any(|a| filled(Some(&a.by)) && self.today() >= a.at)
    }

    fn sync_end(&self) -> Timestamp {
        let hours = SignedDuration::from_hours(self.policy.file().consent_sync_max_age_hours.into());
        self.view.last_sync.map_or(Timestamp::MIN, |at| at + hours)
    }

    fn source_serves(&self, source: &RegisteredSource) -> bool {
        let for_purpose = source.purposes.contains(&self.request.purpose.to_owned());
        let host = self.request.host.map(str::to_owned);
        let right_host = match (host, self.request.target) {
            (None, _) => true,
            (Some(host), Target::Host(target)) if host != *target => false,
            (Some(host), _) if !source.hosts.is_empty() => source.hosts.contains(&host),
            (Some(host), _) => {
                let own = self.request.account_host.unwrap_or("");
                let labels = |h: &str| h.split('.').rev().map(str::to_owned).collect::<Vec<_>>();
                let below = labels(&host).starts_with(&labels(own)) && labels(own).len() > 1;
                let listed = self.policy.file().sources.values().flat_map(|s| &s.hosts).any(|h| *h == host);
                source.class == SourceClass::CompanySite && below && own != "co.uk" && !listed
            }
        };
        for_purpose && right_host
    }

    fn robots_forbid(&self) -> bool {
        match self.request.opt_out {
            OptOut::RobotsDisallow => true,
            OptOut::NotApplicable => self.request.host.is_some() && !matches!(self.request.target, Target::Host(_)),
            OptOut::Free | OptOut::TdmReserved => false,
        }
    }

    fn purpose_serves(&self, purpose: &Purpose) -> bool {
        let profiles_elsewhere = self.request.operation == Operation::Profile && self.request.purpose != "profiling";
        let for_source = self.source().is_none_or(|s| purpose.source_classes.contains(&s.class));
        let for_target = self.is_subject() || purpose.bases.is_empty();
        purpose.operations.contains(&self.request.operation) && for_source && for_target && !profiles_elsewhere
    }

    fn profiles(&self) -> bool {
        let listed = self.purpose().is_some_and(|p| p.operations.contains(&Operation::Profile));
        listed || self.request.purpose == "profiling" || self.request.operation == Operation::Profile
    }

    fn needs_dpia(&self, purpose: &Purpose) -> bool {
        self.profiles() || purpose.dpia.is_some()
    }

    fn valid(&self, assessment: &Assessment, kind: AssessmentKind) -> bool {
        let texts = [&assessment.interest, &assessment.necessity, &assessment.balancing];
        assessment.kind == kind
            && assessment.purposes.contains(&self.request.purpose.to_owned())
            && assessment.source_classes.contains(&self.class())
            && (assessment.approved_at..assessment.expires_at).contains(&self.today())
            && filled(Some(&assessment.approved_by))
            && (kind == AssessmentKind::Dpia || texts.iter().all(|t| filled(t.as_deref())))
    }

    fn dpia(&self) -> Option<&'a Assessment> {
        let named = self.policy.file().assessments.get(self.purpose()?.dpia.as_ref()?)?;
        Some(named).filter(|a| self.valid(a, AssessmentKind::Dpia))
    }

    fn lia_end(&self) -> Option<Date> {
        let all = self.policy.file().assessments.values();
        all.filter(|a| !self.profiles() && self.valid(a, AssessmentKind::Lia)).map(|a| a.expires_at).max()
    }

    fn may_receive(&self, name: &str) -> bool {
        let recipient = self.policy.file().recipients.get(name);
        recipient.is_some_and(|r| ["EEA", "adequate"].contains(&&*r.region) || filled(r.transfer_tool.as_deref()))
    }

    fn retention_end(&self) -> Timestamp {
        let days = self.purpose().map_or(0, |p| i64::from(p.retention_days));
        self.request.collected_at.expect("asked of persons only") + SignedDuration::from_hours(24 * days)
    }

    /// Whether a negative event concerns this request.
    fn hits(&self, e: &LegalEvent) -> bool {
        let known = &self.policy.file().purposes;
        let purpose = e.scope.purposes.is_empty()
            || e.scope.purposes.iter().any(|name| match name.as_str() {
                "marketing" => true,
                "profiling" => self.profiles(),
                name => name == self.request.purpose || !known.contains_key(name),
            });
        purpose
            && (e.scope.operations.is_empty() || e.scope.operations.contains(&self.request.operation))
            && (e.scope.source_classes.is_empty() || e.scope.source_classes.contains(&self.class()))
    }

    fn times(e: &LegalEvent) -> [Timestamp; 2] {
        [e.recorded_at, e.valid_from.unwrap_or(e.recorded_at)]
    }

    fn begun(&self, e: &LegalEvent) -> bool {
        Self::times(e).iter().all(|t| *t <= self.now)
    }

    /// Each time of the positive event lies after each time of the negative one.
    fn wholly_after(positive: &LegalEvent, negative: &LegalEvent) -> bool {
        Self::times(positive).iter().all(|p| Self::times(negative).iter().all(|n| p > n))
    }

    fn lifts(&self, lift: &LegalEvent, negative: &LegalEvent) -> bool {
        let scope = &lift.scope;
        self.begun(lift)
            && lift.valid_to.is_none_or(|end| end > self.now)
            && Self::wholly_after(lift, negative)
            && (scope.purposes.is_empty() || scope.purposes.contains(self.request.purpose))
            && (scope.operations.is_empty() || scope.operations.contains(&self.request.operation))
            && (scope.source_classes.is_empty() || scope.source_classes.contains(&self.class()))
    }

    fn proven(e: &LegalEvent) -> bool {
        [&e.proof.method, &e.proof.notice_id, &e.proof.wording_hash].iter().all(|t| filled(t.as_deref()))
    }

    fn regrants(&self, grant: &LegalEvent, withdrawal: &LegalEvent) -> bool {
        let by_the_person = "double_opt_in e_mail email letter paper_form preference_center recorded_call signed_paper \
                             web_form";
        let method = grant.proof.method.as_deref().unwrap_or("").trim();
        grant.basis == Some(LawfulBasis::Consent)
            && Self::proven(grant)
            && by_the_person.split_whitespace().any(|m| m == method)
            && self.begun(grant)
            && Self::wholly_after(grant, withdrawal)
            && grant.scope.purposes.contains(self.request.purpose)
            && grant.scope.source_classes.contains(&self.class())
    }

    fn grants(&self) -> Vec<&'a LegalEvent> {
        self.person().unwrap_or_default().iter().filter(|e| e.kind == Kind::Grant).collect()
    }

    /// What is wrong with one grant, taken alone.
    fn faults_of(&self, grant: &LegalEvent) -> BTreeSet<Reason> {
        let Some(basis) = grant.basis.filter(|b| self.purpose().is_some_and(|p| p.bases.contains(b))) else {
            return BTreeSet::from([Reason::NoBasis]);
        };
        let consent = basis == LawfulBasis::Consent;
        let withdrawn = self.person().unwrap_or_default().iter().any(|w| {
            matches!(w.kind, Kind::Withdraw | Kind::Refuse)
                && !is_suppression(w)
                && self.hits(w)
                && (!consent || !Self::wholly_after(grant, w))
        });
        let scope = &grant.scope;
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
        ]
        .into_iter()
        .filter_map(|(fault, reason)| fault.then_some(reason))
        .collect()
    }

    /// The versions of the record that a grant is; the grant itself where it has no id.
    fn versions(&self, grant: &'a LegalEvent) -> Vec<&'a LegalEvent> {
        if grant.external_id.is_none() {
            return vec![grant];
        }
        let key = |e: &LegalEvent| (e.external_id.clone(), e.origin.system.clone());
        self.grants().into_iter().filter(|e| key(e) == key(grant)).collect()
    }

    fn carries(&self, grant: &'a LegalEvent) -> bool {
        self.versions(grant).into_iter().all(|v| self.faults_of(v).is_empty())
    }

    /// Why no basis carries; `None` = one does.
    fn faults(&self) -> Option<BTreeSet<Reason>> {
        let grants = self.grants();
        if grants.iter().any(|g| self.carries(g)) {
            return None;
        }
        let faults: BTreeSet<Reason> = grants.iter().flat_map(|g| self.faults_of(g)).collect();
        Some(if faults.is_empty() { BTreeSet::from([Reason::NoBasis]) } else { faults })
    }

    fn article(&self) -> String {
        if !self.is_subject() {
            return "not_personal".to_owned();
        }
        let consents = self.grants().into_iter().any(|g| g.basis == Some(LawfulBasis::Consent) && self.carries(g));
        if consents { "6(1)(a)" } else { "6(1)(f)" }.to_owned()
    }

    fn notice_open(&self) -> bool {
        let told = |e: &LegalEvent| {
            let by_notice = e.kind == Kind::Notice
                && (e.scope.source_classes.is_empty() || e.scope.source_classes.contains(&self.class()));
            let by_consent = e.kind == Kind::Grant && e.basis == Some(LawfulBasis::Consent) && Self::proven(e);
            (by_notice || by_consent) && e.scope.purposes.contains(self.request.purpose) && self.begun(e)
        };
        let interest = |e: &LegalEvent| {
            e.basis == Some(LawfulBasis::LegitimateInterest)
                && e.scope.purposes.contains(self.request.purpose)
                && self.purpose().is_some_and(|p| p.bases.contains(&LawfulBasis::LegitimateInterest))
        };
        !self.person().unwrap_or_default().iter().any(told) && self.grants().into_iter().any(interest)
    }

    fn notice_due(&self) -> Timestamp {
        let collected = Offset::UTC.to_datetime(self.request.collected_at.expect("asked of persons only"));
        let month = collected.checked_add(1.month()).expect("within the calendar");
        let rule =
            collected.checked_add(i64::from(self.policy.file().notice.days).days()).expect("within the calendar");
        Offset::UTC.to_timestamp(month.min(rule)).expect("within the calendar")
    }

    /// min(all expiries, TTL).
    fn end(&self) -> Timestamp {
        let midnight = |d: Date| Offset::UTC.to_timestamp(d.at(0, 0, 0, 0)).expect("within the calendar");
        let ttl = self.now + SignedDuration::from_secs(self.policy.file().permit_ttl_seconds.into());
        let contract = self.source().and_then(|s| s.contract_until).map(|d| midnight(d.tomorrow().expect("in range")));
        let dpia = self.purpose().filter(|p| self.needs_dpia(p)).and(self.dpia()).map(|a| midnight(a.expires_at));
        let personal = self.person().map(|_| {
            let article = self.article();
            let of_basis = self.grants().into_iter().filter(|g| g.basis.is_some_and(|b| b.article() == article));
            let ends = of_basis.filter(|g| self.carries(g)).map(|g| {
                let versions = self.versions(g);
                versions.iter().filter_map(|v| v.valid_to).min().unwrap_or(Timestamp::MAX)
            });
            let basis = ends.max().unwrap_or(Timestamp::MAX);
            let interest = (article == "6(1)(f)").then(|| self.lia_end().map(midnight)).flatten();
            let notice = self.notice_open().then(|| self.notice_due());
            [Some(basis), interest, notice, Some(self.retention_end())].into_iter().flatten().min()
        });
        [Some(ttl), Some(self.sync_end()), contract, dpia, personal.flatten()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(ttl)
    }
}
