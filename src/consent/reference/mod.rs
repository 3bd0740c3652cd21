//! The reference model: the decision once more, slow and plain, from the design's text.
//!
//! Invariant: shares no rule with `decide`, `standing` or `source_rules`. Where those collect reasons while they walk
//! through checks, this asks of every reason in the list: does it apply? Sets are built, never updated.

mod person;
mod reach;
mod rules;

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use crate::consent::decide::{Modality, OptOut, Request, View};
use crate::consent::event::LegalEvent;
use crate::consent::policy::{Policy, Purpose, RegisteredSource, Terms, Visibility};
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

/// The special categories that the tests know, out of those that the product knows.
fn is_special(category: &str) -> bool {
    ["gesundheit", "health", "gewerkschaft", "union"].iter().any(|word| category.to_lowercase().contains(word))
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
            [Some(basis), interest, notice, self.lift_end(), Some(self.retention_end())].into_iter().flatten().min()
        });
        [Some(ttl), Some(self.sync_end()), contract, dpia, self.evidence_end(), personal.flatten()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(ttl)
    }
}
