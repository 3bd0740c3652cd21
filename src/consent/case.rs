//! A request held against its policy, once: what it asks for, and whether a scope reaches it.
//!
//! Invariant: a positive event must cover all that is asked; a negative one need only touch it. What the policy does
//! not know is touched by every negative event and covered by no scope that names names.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::consent::event::{LawfulBasis, Scope};
use crate::consent::mutant::holds;
use crate::consent::policy::{Assessment, AssessmentKind, PROFILING, Policy, Purpose, RegisteredSource};
use crate::consent::policy_rules::{PurposeRules, SourceRules};
use crate::consent::request::Request;
use crate::consent::rules::Rules;
use crate::taxonomy::{Operation, SourceClass};

/// The name under which files and CRMs speak of direct marketing.
pub(in crate::consent) const MARKETING: &str = "marketing";

/// A request with what the policy says about its purpose and its source.
#[derive(Clone, Copy)]
pub(in crate::consent) struct Case<'a> {
    pub request: &'a Request<'a>,
    pub policy: &'a Policy,
    pub now: Timestamp,
    /// Today's, but where a decision of the log is made again.
    pub rules: Rules,
    pub purpose: Option<(&'a Purpose, &'a PurposeRules)>,
    pub source: Option<(&'a RegisteredSource, &'a SourceRules)>,
    /// An unregistered source has the class that nothing permits.
    pub class: SourceClass,
    /// The request is about traits, motives or preferences of a person.
    pub profiles: bool,
}

impl<'a> Case<'a> {
    pub fn new(request: &'a Request<'a>, policy: &'a Policy, now: Timestamp) -> Self {
        let (file, rules) = (policy.file(), policy.rules());
        let purpose = file.purposes.get(request.purpose).zip(rules.purposes.get(request.purpose));
        let source = file.sources.get(request.source_id).zip(rules.sources.get(request.source_id));
        let profiles = holds("case.profiles.operation", request.operation == Operation::Profile)
            || holds("case.profiles.name", request.purpose == PROFILING)
            || holds("case.profiles.listed", purpose.is_some_and(|(_, rules)| rules.profiles));
        let class = source.map_or(SourceClass::LoginOrRestricted, |(source, _)| source.class);
        Self { request, policy, now, rules: Rules::TODAY, purpose, source, class, profiles }
    }

    /// The data categories that the request is about; none where neither it nor its purpose names one.
    pub fn categories(&self) -> impl Iterator<Item = &'a str> {
        let asked = self.request.asked.data_categories;
        let listed: &[String] = match self.purpose {
            Some((purpose, _)) if asked.is_empty() => &purpose.data_categories,
            _ => &[],
        };
        asked.iter().copied().chain(listed.iter().map(String::as_str))
    }

    fn recipients(&self) -> &'a [String] {
        self.purpose.map_or(&[], |(purpose, _)| &purpose.recipients)
    }

    fn region(&self, recipient: &str) -> Option<&'a str> {
        self.policy.file().recipients.get(recipient).map(|r| r.region.as_str())
    }

    pub fn may_rest_on(&self, basis: LawfulBasis) -> bool {
        self.purpose.is_some_and(|(purpose, _)| purpose.bases.contains(&basis))
    }

    /// Whether a set of categories holds all that are asked; an empty set does.
    pub fn covers_categories(&self, set: &BTreeSet<String>) -> bool {
        set.is_empty() || self.all_categories(|category| set.contains(category))
    }

    /// Categories that nobody names are in no set.
    fn all_categories(&self, holds_it: impl Fn(&str) -> bool) -> bool {
        holds("case.categories_named", self.categories().next().is_some()) && self.categories().all(holds_it)
    }

    /// Whether a set of recipients holds all of the purpose's; an empty set does.
    pub fn covers_recipients(&self, set: &BTreeSet<String>) -> bool {
        set.is_empty() || self.recipients().iter().all(|r| set.contains(r))
    }

    /// Whether a set of regions holds those of all recipients; an empty set does.
    pub fn covers_regions(&self, set: &BTreeSet<String>) -> bool {
        let within = |r: &String| self.region(r).is_some_and(|region| set.contains(region));
        set.is_empty() || self.recipients().iter().all(within)
    }

    /// Whether a negative event reaches the request, in every dimension. An empty one means everything; so does one
    /// that names something which the policy does not know: renaming a purpose shakes off no withdrawal.
    pub fn is_touched_by(&self, scope: &Scope) -> bool {
        let names = |p: &String| {
            holds("touch.purpose.own", p == self.request.purpose)
                || holds("touch.purpose.marketing", p == MARKETING)
                || holds("touch.purpose.profiling", p == PROFILING && self.profiles)
                || holds(
                    "touch.purpose.unknown",
                    p != PROFILING && p != MARKETING && !self.policy.file().purposes.contains_key(p),
                )
        };
        let purposes = &scope.purposes;
        holds("touch.purpose", purposes.is_empty() || purposes.iter().any(names))
            && holds(
                "touch.operation",
                scope.operations.is_empty() || scope.operations.contains(&self.request.operation),
            )
            && holds("touch.class", scope.source_classes.is_empty() || scope.source_classes.contains(&self.class))
            && holds("touch.category", self.categories_touched(&scope.data_categories))
            && holds("touch.recipient", self.recipients_touched(&scope.recipients))
            && holds("touch.region", self.regions_touched(&scope.regions))
    }

    fn categories_touched(&self, set: &BTreeSet<String>) -> bool {
        let known = &self.policy.rules().categories;
        set.is_empty()
            || holds("touch.category.unnamed", self.categories().next().is_none())
            || holds("touch.category.own", self.categories().any(|c| set.contains(c)))
            || holds("touch.category.unknown", set.iter().any(|c| !known.contains(c)))
    }

    fn recipients_touched(&self, set: &BTreeSet<String>) -> bool {
        set.is_empty()
            || holds("touch.recipient.own", self.recipients().iter().any(|r| set.contains(r)))
            || holds("touch.recipient.unknown", set.iter().any(|r| !self.policy.file().recipients.contains_key(r)))
    }

    fn regions_touched(&self, set: &BTreeSet<String>) -> bool {
        let known = &self.policy.rules().regions;
        let of_the_request = || self.recipients().iter().map(|r| self.region(r));
        set.is_empty()
            || holds("touch.region.own", of_the_request().flatten().any(|region| set.contains(region)))
            || holds("touch.region.unnamed", of_the_request().any(|region| region.is_none()))
            || holds("touch.region.unknown", set.iter().any(|region| !known.contains(region)))
    }

    /// Until when an assessment covers the request, if it does now.
    fn assessed_until(&self, id: &str, assessment: &Assessment, kind: AssessmentKind) -> Option<Timestamp> {
        let rules = self.policy.rules().assessments.get(id)?;
        let listed = assessment.data_categories.as_ref();
        let covers = holds("assessment.kind", assessment.kind == kind)
            && holds("assessment.purpose", assessment.purposes.iter().any(|p| p == self.request.purpose))
            && holds("assessment.class", assessment.source_classes.contains(&self.class))
            && holds(
                "assessment.category",
                listed.is_none_or(|listed| self.all_categories(|c| listed.iter().any(|l| l == c))),
            )
            && holds("assessment.approved", rules.from <= self.now)
            && holds("assessment.expiry", self.now < rules.until)
            && holds("assessment.approver", rules.has_approver)
            && holds("assessment.interest", kind != AssessmentKind::Lia || rules.has_interest)
            && holds("assessment.necessity", kind != AssessmentKind::Lia || rules.has_necessity)
            && holds("assessment.balancing", kind != AssessmentKind::Lia || rules.has_balancing);
        covers.then_some(rules.until)
    }

    fn named_dpia(&self) -> Option<(&'a str, &'a Assessment)> {
        let id = self.purpose?.0.dpia.as_deref()?;
        Some((id, self.policy.file().assessments.get(id)?))
    }

    /// Until when the DPIA that the purpose names covers the request: also the model that is to run, the list of
    /// traits and the source's registration, where it was approved for certain ones (R19).
    pub fn dpia_until(&self) -> Option<Timestamp> {
        let (id, dpia) = self.named_dpia()?;
        let runs_a_model = matches!(self.request.operation, Operation::Derive | Operation::Infer | Operation::Profile);
        let model = self.request.asked.model;
        let approved = |models: &Vec<String>| model.is_some_and(|model| models.iter().any(|m| m == model));
        let source = self.source.map(|(_, rules)| &rules.hash);
        let same =
            holds("dpia.model", !holds("dpia.runs_a_model", runs_a_model) || dpia.models.as_ref().is_none_or(approved))
                && holds(
                    "dpia.traits",
                    dpia.trait_list.as_ref().is_none_or(|list| *list == self.policy.rules().trait_list),
                )
                && holds(
                    "dpia.source",
                    dpia.sources.as_ref().is_none_or(|sources| source.is_some_and(|hash| sources.contains(hash))),
                );
        self.assessed_until(id, dpia, AssessmentKind::Dpia).filter(|_| same)
    }

    /// Until when an LIA carries legitimate interest. Traits, motives and preferences need more: each trait is named
    /// by the LIA and by the DPIA, and none comes from social media.
    pub fn interest_until(&self) -> Option<Timestamp> {
        let traits = self.request.asked.traits;
        let names_them = |a: &Assessment| traits.iter().all(|t| a.traits.contains(t));
        if self.profiles {
            let (_, dpia) = self.named_dpia()?;
            let admitted = holds("interest.traits", !traits.is_empty())
                && holds("interest.social", self.class != SourceClass::PublicSocial)
                && holds("interest.dpia_traits", names_them(dpia));
            admitted.then_some(())?;
        }
        let of_the_kind = |(id, a): (&String, &Assessment)| {
            let named = holds("interest.lia_traits", !self.profiles || names_them(a));
            self.assessed_until(id, a, AssessmentKind::Lia).filter(|_| named)
        };
        self.policy.file().assessments.iter().filter_map(of_the_kind).max()
    }
}
