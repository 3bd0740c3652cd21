//! Random policies, histories and requests, for the properties.
//!
//! Invariant: coarse values, so that ties, contradictions and permits are frequent.

mod histories;
mod policies;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::{now, policy_file};
use crate::consent::decide::{Asked, Granted, Modality, OptOut, Refusal, Request, View, decide};
use crate::consent::event::LegalEvent;
use crate::consent::policy::{Policy, PolicyFile};
use crate::model::{AccountId, Target};
use crate::taxonomy::{Operation, SourceClass, Trait};

pub(super) use histories::{any_kind, event_of, negative_kind, time};
use policies::policy;

const PURPOSES: &[&str] = &["persona_enrichment", "profiling", "marketing", "company_research", "renamed"];
const CLASSES: &[SourceClass] = &[SourceClass::Crm, SourceClass::CompanySite, SourceClass::PublicProfessional];
const CATEGORIES: &[&str] =
    &["job", "company", "professional_contact", "traits", "motives", "preferences", "shoe_size"];
const RECIPIENTS: &[&str] = &["sales", "partner", "stranger"];
const REGIONS: &[&str] = &["EEA", "adequate", "US"];
const TRAITS: &[Trait] = &[Trait::RiskTolerance, Trait::TechAffinity, Trait::Formality];
const OPERATIONS: &[Operation] =
    &[Operation::Infer, Operation::Emit, Operation::Collect, Operation::Profile, Operation::Store, Operation::Derive];

#[derive(Debug, Clone)]
pub(super) struct World {
    pub policy: PolicyFile,
    pub target: Target,
    pub operation: Operation,
    pub purpose: &'static str,
    pub source: &'static str,
    pub host: Option<(&'static str, Option<&'static str>)>,
    pub opt_out: OptOut,
    pub collected_at: Option<Timestamp>,
    pub events: Option<Vec<LegalEvent>>,
    pub flags: (bool, bool),
    pub syncs: (Option<Timestamp>, Option<Timestamp>),
    pub asked: Asked<'static>,
}

impl World {
    pub(super) fn view<'a>(&self, events: Option<&'a [LegalEvent]>) -> View<'a> {
        let (last_sync, newest) = self.syncs;
        View { events, ambiguous: self.flags.0, intact: self.flags.1, last_sync, newest }
    }

    pub(super) fn request(&self) -> Request<'_> {
        Request {
            target: &self.target,
            operation: self.operation,
            purpose: self.purpose,
            source_id: self.source,
            host: self.host.map(|(host, _)| host),
            account_host: self.host.and_then(|(_, own)| own),
            opt_out: self.opt_out,
            collected_at: self.collected_at,
            asked: self.asked,
        }
    }

    pub(super) fn decide(&self) -> Result<Granted, Refusal> {
        let policy = Policy::new(self.policy.clone());
        decide(&self.request(), &self.view(self.events.as_deref()), &policy, now())
    }

    pub(super) fn permits(&self) -> bool {
        self.decide().is_ok()
    }
}

/// Static, so that a world can be cloned and shrunk.
fn lists<T: Copy + std::fmt::Debug + 'static>(of: &'static [T]) -> impl Strategy<Value = &'static [T]> {
    (0..of.len(), 0..=of.len()).prop_map(|(from, to)| &of[from.min(to)..to])
}

fn asked() -> impl Strategy<Value = Asked<'static>> {
    let special = &["job", "union_membership"][..];
    let categories = prop_oneof![
        30 => Just(&CATEGORIES[..0]), 3 => Just(&CATEGORIES[..1]), 3 => lists(CATEGORIES), 1 => Just(special)
    ];
    let modality = select(vec![Modality::Image, Modality::Audio, Modality::Video, Modality::Biometric]);
    let modality = prop_oneof![40 => Just(Modality::Text), 1 => modality];
    let evidence = prop_oneof![1 => Just(None), 2 => time().prop_map(Some)];
    let traits = prop_oneof![1 => Just(&TRAITS[..0]), 1 => Just(&TRAITS[..1]), 1 => lists(TRAITS)];
    let model = select(vec![None, Some("m-1"), Some("m-1"), Some("m-2")]);
    (categories, modality, evidence, traits, model).prop_map(
        |(data_categories, modality, evidence_at, traits, model)| Asked {
            data_categories,
            modality,
            evidence_at,
            traits,
            model,
        },
    )
}

pub(super) fn world() -> impl Strategy<Value = World> {
    let target = prop_oneof![
        20 => Just(Target::Subject(super::subject(), None)),
        1 => Just(Target::Account(AccountId::from_body("test"))),
        1 => Just(Target::Host("www.muster.example".into())),
    ];
    let purpose = prop_oneof![
        8 => Just("persona_enrichment"),
        4 => Just("profiling"),
        1 => select(vec!["company_research", "opt_out_check", "marketing", "recruiting"])
    ];
    let operation =
        prop_oneof![9 => select(OPERATIONS.to_vec()), 3 => Just(Operation::Infer), 1 => Just(Operation::Profile)];
    let source = prop_oneof![25 => select(vec!["crm", "company_site", "developer_profile"]), 1 => Just("gossip")];
    let hosts = select(vec![
        ("www.muster.example", Some("muster.example")),
        ("muster.example", Some("muster.example")),
        ("andere.example", Some("muster.example")),
        ("api.devhub.example", Some("devhub.example")),
        ("muster.co.uk", Some("co.uk")),
        ("www.muster.example", None),
    ]);
    let host = prop_oneof![8 => Just(None), 1 => hosts.prop_map(Some)];
    let opt_out = prop_oneof![
        15 => Just(OptOut::Free), 15 => Just(OptOut::NotApplicable),
        1 => Just(OptOut::RobotsDisallow), 1 => Just(OptOut::TdmReserved)
    ];
    let often = |value: bool| prop_oneof![50 => Just(value), 1 => Just(!value)];
    let synced = now() - SignedDuration::from_hours(1);
    let sync = move || prop_oneof![30 => Just(Some(synced)), 1 => Just(None), 1 => time().prop_map(Some)];
    let collected = prop_oneof![20 => time().prop_map(Some), 1 => Just(None)];
    let asked = (target, operation, purpose, source, host, opt_out, collected);
    let particulars = (self::asked(), prop_oneof![9 => Just(false), 1 => Just(true)]);
    (policy(), asked, particulars, histories::history(), (often(false), often(true)), (sync(), sync())).prop_map(
        |(
            mut policy,
            (target, operation, purpose, source, host, opt_out, collected_at),
            particulars,
            events,
            flags,
            syncs,
        )| {
            let (asked, social) = particulars;
            // Nobody else may profile; ask for what can be had, mostly.
            let purpose = if operation == Operation::Profile && !social { "profiling" } else { purpose };
            let source = if purpose == "profiling" && source == "company_site" && !social { "crm" } else { source };
            if social && let Some(profile) = policy.sources.get_mut("developer_profile") {
                profile.class = SourceClass::PublicSocial;
                policy.purposes.values_mut().for_each(|p| p.source_classes.push(SourceClass::PublicSocial));
            }
            World {
                policy,
                target,
                operation,
                purpose,
                source,
                host,
                opt_out,
                collected_at,
                events,
                flags,
                syncs,
                asked,
            }
        },
    )
}

pub(super) fn from_env(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// A property over random worlds.
pub(super) fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    run_for(from_env("PROSOPON_GATE_CASES", 1_000), strategy, test);
}

pub(super) fn run_for<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, max_global_rejects: u32::MAX, ..Config::default() };
    if let Err(error) = TestRunner::new(config).run(&strategy, test) {
        panic!("{error}");
    }
}

/// A world in which nothing but the person's events can refuse.
pub(super) fn friendly(events: Vec<LegalEvent>, purpose: &'static str, operation: Operation) -> World {
    World {
        policy: policy_file(),
        target: Target::Subject(super::subject(), None),
        operation,
        purpose,
        source: "crm",
        host: None,
        opt_out: OptOut::NotApplicable,
        collected_at: Some(now() - SignedDuration::from_hours(1)),
        events: Some(events),
        flags: (false, true),
        syncs: (Some(now()), Some(now())),
        asked: Asked::default(),
    }
}
