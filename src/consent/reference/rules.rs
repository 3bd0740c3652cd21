//! What policy and sources say of a request, person or not.
//!
//! Invariant: reads the policy file itself, never what the product has prepared from it.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::{Case, filled};
use crate::consent::decide::OptOut;
use crate::consent::policy::{Assessment, AssessmentKind, Purpose, RegisteredSource, source_hash, trait_list_hash};
use crate::model::Target;
use crate::taxonomy::{Operation, SourceClass};

impl<'a> Case<'a> {
    pub(super) fn source_serves(&self, source: &RegisteredSource) -> bool {
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

    pub(super) fn robots_forbid(&self) -> bool {
        match self.request.opt_out {
            OptOut::RobotsDisallow => true,
            OptOut::NotApplicable => self.request.host.is_some() && !matches!(self.request.target, Target::Host(_)),
            OptOut::Free | OptOut::TdmReserved => false,
        }
    }

    pub(super) fn purpose_serves(&self, purpose: &Purpose) -> bool {
        let profiles_elsewhere = self.request.operation == Operation::Profile && self.request.purpose != "profiling";
        let for_source = self.source().is_none_or(|s| purpose.source_classes.contains(&s.class));
        let for_target = self.is_subject() || purpose.bases.is_empty();
        purpose.operations.contains(&self.request.operation) && for_source && for_target && !profiles_elsewhere
    }

    pub(super) fn profiles(&self) -> bool {
        let listed = self.purpose().is_some_and(|p| p.operations.contains(&Operation::Profile));
        listed || self.request.purpose == "profiling" || self.request.operation == Operation::Profile
    }

    pub(super) fn needs_dpia(&self, purpose: &Purpose) -> bool {
        self.profiles() || purpose.dpia.is_some()
    }

    pub(super) fn evidence_end(&self) -> Option<Timestamp> {
        let days = i64::from(self.purpose()?.evidence_max_age_days?);
        Some(self.request.asked.evidence_at? + SignedDuration::from_hours(24 * days))
    }

    /// R19: nothing has changed since the DPIA was approved.
    pub(super) fn unchanged(&self, dpia: &Assessment) -> bool {
        let model = match (&dpia.models, self.request.operation) {
            (None, _) | (_, Operation::Collect | Operation::Store | Operation::Emit) => true,
            (Some(models), _) => self.request.asked.model.is_some_and(|m| models.contains(&m.to_owned())),
        };
        let traits = [None, Some(trait_list_hash())].contains(&dpia.trait_list);
        let registration = self.source().map(|s| source_hash(self.request.source_id, s));
        let source = dpia.sources.as_ref().is_none_or(|all| registration.is_some_and(|hash| all.contains(&hash)));
        model && traits && source
    }

    pub(super) fn valid(&self, assessment: &Assessment, kind: AssessmentKind) -> bool {
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

    pub(super) fn dpia(&self) -> Option<&'a Assessment> {
        let named = self.policy.file().assessments.get(self.purpose()?.dpia.as_ref()?)?;
        Some(named).filter(|a| self.valid(a, AssessmentKind::Dpia) && self.unchanged(a))
    }

    pub(super) fn lia_end(&self) -> Option<Date> {
        let all = self.policy.file().assessments.values();
        all.filter(|a| self.valid(a, AssessmentKind::Lia) && (!self.profiles() || self.admits_traits(a)))
            .map(|a| a.expires_at)
            .max()
    }

    /// Traits of a person: each named by LIA and DPIA, none from social media.
    pub(super) fn admits_traits(&self, lia: &Assessment) -> bool {
        let named = self.purpose().and_then(|p| self.policy.file().assessments.get(p.dpia.as_ref()?));
        let traits = self.request.asked.traits;
        let in_both = traits.iter().all(|t| lia.traits.contains(t) && named.is_some_and(|d| d.traits.contains(t)));
        in_both && !traits.is_empty() && self.class() != SourceClass::PublicSocial
    }

    pub(super) fn may_receive(&self, name: &str) -> bool {
        let recipient = self.policy.file().recipients.get(name);
        recipient.is_some_and(|r| ["EEA", "adequate"].contains(&&*r.region) || filled(r.transfer_tool.as_deref()))
    }

    pub(super) fn retention_end(&self) -> Timestamp {
        let days = self.purpose().map_or(0, |p| i64::from(p.retention_days));
        self.request.collected_at.expect("asked of persons only") + SignedDuration::from_hours(24 * days)
    }
}
