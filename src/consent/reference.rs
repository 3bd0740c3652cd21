//! The reference model: the decision once more, slow and plain, from the design's text.
//!
//! Invariant: shares no rule with `decide`, `standing` or `source_rules`. Where those collect reasons while they walk
//! through checks, this asks of every reason in the list: does it apply? Sets are built, never updated.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::consent::decide::{Modality, OptOut, Request, View};
use crate::consent::event::{EventKind as Kind, LawfulBasis, LegalEvent};
use crate::consent::policy::{
    Assessment, AssessmentKind, Policy, Purpose, RegisteredSource, Terms, Visibility, source_hash, trait_list_hash,
};
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
    let of_acts = e.scope.purposes.len() + e.scope.operations.len() + e.scope.source_classes.len();
    let of_data = e.scope.data_categories.len() + e.scope.recipients.len() + e.scope.regions.len();
    e.kind == Kind::Refuse && e.recorded_at == Timestamp::MAX && of_acts + of_data == 0
}

/// The special categories that the tests know, out of those that the product knows.
fn is_special(category: &str) -> bool {
    ["gesundheit", "health", "gewerkschaft", "union"].iter().any(|word| category.to_lowercase().contains(word))
}

/// No name of `some` is missing in `all`; an empty `all` stands for everything.
fn within<'s>(some: impl IntoIterator<Item = &'s String>, all: &BTreeSet<String>) -> bool {
    let some: BTreeSet<&String> = some.into_iter().collect();
    all.is_empty() || some.is_subset(&all.iter().collect())
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
            Reason::ProhibitedCategory => {
                let listed = purpose.into_iter().flat_map(|p| p.data_categories.iter().map(String::as_str));
                self.request.asked.data_categories.iter().copied().chain(listed).any(is_special)
            }
            Reason::ProhibitedModality => self.request.asked.modality != Modality::Text,
            Reason::AutomatedDecision => purpose.is_some_and(|p| p.automated_decision),
            Reason::FieldNotNecessary => purpose.is_some_and(|p| {
                let asked: BTreeSet<String> = self.request.asked.data_categories.iter().map(|c| (*c).into()).collect();
                !asked.is_subset(&p.data_categories.iter().cloned().collect())
            }),
            Reason::EvidenceTooOld => purpose.and_then(|p| p.evidence_max_age_days).is_some_and(|_| {
                let reads = [Operation::Derive, Operation::Infer, Operation::Profile].contains(&self.request.operation);
                self.evidence_end().map_or(reads, |end| end <= self.now)
            }),
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
                let numbers = own.split('.').all(|label| label.parse::<u8>().is_ok());
                let below = labels(&host).starts_with(&labels(own)) && labels(own).len() > 1 && !numbers;
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

    /// What the request is about: what it asks for, else what its purpose lists.
    fn categories(&self) -> BTreeSet<String> {
        let listed = self.purpose().map(|p| p.data_categories.clone()).unwrap_or_default();
        let asked: Vec<String> = self.request.asked.data_categories.iter().map(|c| (*c).to_owned()).collect();
        if asked.is_empty() { listed } else { asked }.into_iter().collect()
    }

    fn recipients(&self) -> Vec<String> {
        self.purpose().map(|p| p.recipients.clone()).unwrap_or_default()
    }

    /// Where the recipients sit; nobody knows it of one that is not registered.
    fn regions(&self) -> Vec<Option<String>> {
        let known = &self.policy.file().recipients;
        self.recipients().iter().map(|r| known.get(r).map(|r| r.region.clone())).collect()
    }

    /// Whether data, recipients and regions of a positive event reach as far as the request.
    fn embraces(&self, e: &LegalEvent) -> [bool; 3] {
        let categories = self.categories();
        let named = !categories.is_empty() || e.scope.data_categories.is_empty();
        let located: Vec<String> = self.regions().into_iter().map(|r| r.unwrap_or_else(|| "nowhere".into())).collect();
        [
            named && within(&categories, &e.scope.data_categories),
            within(&self.recipients(), &e.scope.recipients),
            within(&located, &e.scope.regions),
        ]
    }

    fn evidence_end(&self) -> Option<Timestamp> {
        let days = i64::from(self.purpose()?.evidence_max_age_days?);
        Some(self.request.asked.evidence_at? + SignedDuration::from_hours(24 * days))
    }

    /// R19: nothing has changed since the DPIA was approved.
    fn unchanged(&self, dpia: &Assessment) -> bool {
        let model = match (&dpia.models, self.request.operation) {
            (None, _) | (_, Operation::Collect | Operation::Store | Operation::Emit) => true,
            (Some(models), _) => self.request.asked.model.is_some_and(|m| models.contains(&m.to_owned())),
        };
        let traits = [None, Some(trait_list_hash())].contains(&dpia.trait_list);
        let registration = self.source().map(|s| source_hash(self.request.source_id, s));
        let source = dpia.sources.as_ref().is_none_or(|all| registration.is_some_and(|hash| all.contains(&hash)));
        model && traits && source
    }

    fn valid(&self, assessment: &Assessment, kind: AssessmentKind) -> bool {
        let texts = [&assessment.interest, &assessment.necessity, &assessment.balancing];
        let categories = self.categories();
        let data = assessment
            .data_categories
            .as_ref()
            .is_none_or(|listed| !categories.is_empty() && categories.iter().all(|category| listed.contains(category)));
        assessment.kind == kind
            && data
            && assessment.purposes.contains(&self.request.purpose.to_owned())
            && assessment.source_classes.contains(&self.class())
            && (assessment.approved_at..assessment.expires_at).contains(&self.today())
            && filled(Some(&assessment.approved_by))
            && (kind == AssessmentKind::Dpia || texts.iter().all(|t| filled(t.as_deref())))
    }

    fn dpia(&self) -> Option<&'a Assessment> {
        let named = self.policy.file().assessments.get(self.purpose()?.dpia.as_ref()?)?;
        Some(named).filter(|a| self.valid(a, AssessmentKind::Dpia) && self.unchanged(a))
    }

    fn lia_end(&self) -> Option<Date> {
        let all = self.policy.file().assessments.values();
        all.filter(|a| self.valid(a, AssessmentKind::Lia) && (!self.profiles() || self.admits_traits(a)))
            .map(|a| a.expires_at)
            .max()
    }

    /// Traits of a person: each named by LIA and DPIA, none from social media.
    fn admits_traits(&self, lia: &Assessment) -> bool {
        let named = self.purpose().and_then(|p| self.policy.file().assessments.get(p.dpia.as_ref()?));
        let traits = self.request.asked.traits;
        let in_both = traits.iter().all(|t| lia.traits.contains(t) && named.is_some_and(|d| d.traits.contains(t)));
        in_both && !traits.is_empty() && self.class() != SourceClass::PublicSocial
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
        let categories = self.categories();
        let listed: BTreeSet<&String> = known.values().flat_map(|p| &p.data_categories).collect();
        let data = e.scope.data_categories.is_empty()
            || categories.is_empty()
            || e.scope.data_categories.iter().any(|c| categories.contains(c) || !listed.contains(c));
        let registered = &self.policy.file().recipients;
        let to = e.scope.recipients.is_empty()
            || e.scope.recipients.iter().any(|r| self.recipients().contains(r) || !registered.contains_key(r));
        let regions = self.regions();
        let there = e.scope.regions.is_empty()
            || regions.contains(&None)
            || e.scope.regions.iter().any(|region| {
                regions.contains(&Some(region.clone())) || !registered.values().any(|r| r.region == *region)
            });
        purpose
            && (e.scope.operations.is_empty() || e.scope.operations.contains(&self.request.operation))
            && (e.scope.source_classes.is_empty() || e.scope.source_classes.contains(&self.class()))
            && data
            && to
            && there
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

    /// A lift without purposes is the end of a restriction; one with purposes decides objections, for those. A CRM
    /// speaks for itself alone, the controller for everybody.
    fn lifts(&self, lift: &LegalEvent, negative: &LegalEvent) -> bool {
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

    fn by_the_person(e: &LegalEvent) -> bool {
        let methods = "double_opt_in e_mail email letter paper_form preference_center recorded_call signed_paper \
                       web_form";
        methods.split_whitespace().any(|m| m == e.proof.method.as_deref().unwrap_or("").trim())
    }

    fn proven(e: &LegalEvent) -> bool {
        [&e.proof.method, &e.proof.notice_id, &e.proof.wording_hash].iter().all(|t| filled(t.as_deref()))
    }

    /// Events that give something, without those that another one of their source (or themselves) replaces.
    fn live(&self, kind: Kind) -> Vec<&'a LegalEvent> {
        let all = self.person().unwrap_or_default();
        let replaced: BTreeSet<(&str, &str)> =
            all.iter().filter_map(|e| Some((e.origin.system.as_str(), e.supersedes.as_deref()?))).collect();
        let is_replaced = |e: &LegalEvent| {
            e.external_id.as_deref().is_some_and(|id| replaced.contains(&(e.origin.system.as_str(), id)))
        };
        all.iter().filter(|e| e.kind == kind && !is_replaced(e)).collect()
    }

    fn grants(&self) -> Vec<&'a LegalEvent> {
        self.live(Kind::Grant)
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
            let this_class = e.scope.source_classes.contains(&self.class());
            let by_notice = e.kind == Kind::Notice && (e.scope.source_classes.is_empty() || this_class);
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
        [Some(ttl), Some(self.sync_end()), contract, dpia, self.evidence_end(), personal.flatten()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(ttl)
    }
}
