//! Random policies, histories and requests, for the properties.
//!
//! Invariant: coarse values, so that ties, contradictions and permits are frequent.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};

use super::{event, now, policy_file, proven};
use crate::consent::decide::{Asked, Granted, Modality, OptOut, Refusal, Request, View, decide};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::consent::policy::{
    Policy, PolicyFile, Recipient, RegisteredSource, Terms, Visibility, source_hash, trait_list_hash,
};
use crate::model::{AccountId, Target};
use crate::taxonomy::{Operation, SourceClass, Trait};

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

/// Around now, coarse, so that ties are frequent.
pub(super) fn time() -> impl Strategy<Value = Timestamp> {
    select(vec![-86_400 * 60, -86_400 * 20, -86_400 * 10, -86_400, -1, 0, 1, 86_400 * 30])
        .prop_map(|seconds| now() + SignedDuration::from_secs(seconds))
}

fn proof() -> impl Strategy<Value = Proof> {
    let method = |m: &str| Proof { method: Some(m.into()), ..proven() };
    let choices = [
        (8, proven()),
        (2, method("crm_sync")),
        (1, Proof::default()),
        (1, Proof { wording_hash: None, ..proven() }),
        (1, Proof { notice_id: Some(" ".into()), ..proven() }),
    ];
    let of = choices.into_iter().map(|(weight, proof)| (weight, Just(proof).boxed())).collect();
    proptest::strategy::Union::new_weighted(of)
}

fn scope() -> impl Strategy<Value = Scope> {
    let purposes = prop_oneof![
        4 => Just(vec!["persona_enrichment", "profiling"]),
        3 => subsequence(PURPOSES.to_vec(), 0..=3),
    ];
    let operations = prop_oneof![5 => Just(vec![]), 1 => subsequence(OPERATIONS.to_vec(), 1..=4)];
    let classes = prop_oneof![3 => Just(CLASSES.to_vec()), 2 => subsequence(CLASSES.to_vec(), 0..=2)];
    let data = (names(CATEGORIES), names(RECIPIENTS), names(REGIONS));
    (purposes, operations, classes, data).prop_map(
        |(purposes, operations, classes, (data_categories, recipients, regions))| Scope {
            purposes: purposes.into_iter().map(str::to_owned).collect(),
            operations: operations.into_iter().collect(),
            source_classes: classes.into_iter().collect(),
            data_categories,
            recipients,
            regions,
        },
    )
}

/// Mostly none, which stands for everything or for what the purposes have.
fn names(of: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<String>> {
    let some = prop_oneof![1 => subsequence(of.to_vec(), 1..=of.len()), 1 => Just(of[..of.len() - 1].to_vec())];
    prop_oneof![7 => Just(vec![]), 1 => some].prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

pub(super) fn negative_kind() -> impl Strategy<Value = EventKind> {
    use EventKind::{Erase, Object, Refuse, Restrict, Withdraw};
    prop_oneof![1 => Just(Erase), 3 => Just(Object), 3 => Just(Refuse), 3 => Just(Restrict), 4 => Just(Withdraw)]
}

pub(super) fn any_kind() -> impl Strategy<Value = EventKind> {
    use EventKind::{Assessment, Grant, Lift, Notice, Rectify};
    let other = select(vec![Assessment, Lift, Lift, Lift, Notice, Notice, Rectify]);
    prop_oneof![8 => Just(Grant), 3 => other, 2 => negative_kind()]
}

pub(super) fn event_of(kind: impl Strategy<Value = EventKind>) -> impl Strategy<Value = LegalEvent> {
    let basis = prop_oneof![
        4 => Just(Some(LawfulBasis::Consent)),
        3 => Just(Some(LawfulBasis::LegitimateInterest)),
        1 => Just(None)
    ];
    let recorded = prop_oneof![12 => time(), 1 => Just(Timestamp::MAX)];
    let id = prop_oneof![3 => Just(None), 1 => select(vec![Some("E-1"), Some("E-2")])];
    let ends = prop_oneof![3 => Just(None), 1 => time().prop_map(Some)];
    let begins = prop_oneof![2 => Just(None), 1 => time().prop_map(Some)];
    let replaces = prop_oneof![8 => Just(None), 1 => select(vec![Some("E-1"), Some("E-2")])];
    let system = prop_oneof![8 => Just("crm"), 1 => Just("other"), 1 => Just(Origin::CONTROLLER)];
    let record = (id, replaces, system);
    (kind, basis, scope(), begins, ends, recorded, proof(), record).prop_map(
        |(kind, basis, scope, valid_from, valid_to, recorded_at, proof, (id, replaces, system))| {
            let mut event = LegalEvent {
                external_id: id.map(str::to_owned),
                supersedes: replaces.map(str::to_owned),
                basis,
                scope,
                valid_from,
                valid_to,
                recorded_at,
                proof,
                ..event(kind, "2026-01-01")
            };
            system.clone_into(&mut event.origin.system);
            event
        },
    )
}

/// A consent, or a legitimate interest with its notice, that carries by itself; what follows may take it away.
fn sound() -> impl Strategy<Value = Vec<LegalEvent>> {
    let scope = Scope {
        purposes: ["persona_enrichment".to_owned(), "profiling".to_owned()].into(),
        source_classes: CLASSES.iter().copied().collect(),
        ..Scope::default()
    };
    let of =
        move |kind, basis| LegalEvent { basis, scope: scope.clone(), proof: proven(), ..event(kind, "2026-01-20") };
    let consent = of(EventKind::Grant, Some(LawfulBasis::Consent));
    let interest = of(EventKind::Grant, Some(LawfulBasis::LegitimateInterest));
    let notice = of(EventKind::Notice, None);
    prop_oneof![
        5 => Just(vec![consent]),
        3 => Just(vec![interest.clone(), notice]),
        1 => Just(vec![interest])
    ]
}

fn history() -> impl Strategy<Value = Option<Vec<LegalEvent>>> {
    let random = prop::collection::vec(event_of(any_kind()), 0..7);
    let spoiled = (sound(), prop::collection::vec(event_of(any_kind()), 0..=3)).prop_map(|(mut events, more)| {
        events.extend(more);
        events
    });
    prop_oneof![20 => random.prop_map(Some), 60 => spoiled.prop_map(Some), 1 => Just(None)]
}

/// The demo policy with up to two changes.
pub(super) fn policy() -> impl Strategy<Value = PolicyFile> {
    let random = prop::collection::vec(0..42_u8, 1..=3);
    let changes = prop_oneof![6 => Just(vec![]), 1 => Just(vec![41]), 5 => random];
    changes.prop_map(|changes| {
        let mut file = policy_file();
        for which in changes {
            change(&mut file, which);
        }
        file
    })
}

pub(super) fn change(file: &mut PolicyFile, which: u8) {
    let date = |text: &str| text.parse().expect("a test writes dates");
    let purpose = |file: &mut PolicyFile, name: &str| file.purposes.remove(name).expect("the demo policy has it");
    let mut enrichment = purpose(file, "persona_enrichment");
    let mut profiling = purpose(file, "profiling");
    let mut lia = file.assessments.remove("lia-2026-01").expect("the demo policy has it");
    let mut dpia = file.assessments.remove("dpia-2026-01").expect("the demo policy has it");
    let mut sources: Vec<_> = file.sources.values_mut().collect();
    match which {
        0 => file.approval = None,
        1 => file.version = 2,
        2 => file.permit_ttl_seconds = 86_400 * 400,
        3 => file.consent_sync_max_age_hours = 24 * 400,
        4 => sources.iter_mut().for_each(|s| s.visibility = Visibility::Unknown),
        5 => sources.iter_mut().for_each(|s| s.terms = Terms::Forbid),
        6 => sources.iter_mut().for_each(|s| s.revoked = true),
        7 => sources.iter_mut().for_each(|s| s.contract_until = Some(date("2026-03-01"))),
        8 => sources.iter_mut().for_each(|s| s.contract_until = Some(date("2026-03-02"))),
        9 => sources.iter_mut().for_each(|s| s.class = SourceClass::LoginOrRestricted),
        10 => sources.iter_mut().for_each(|s| s.hosts = vec!["muster.example".into()]),
        11 => enrichment.bases = vec![LawfulBasis::Consent],
        12 => enrichment.operations.push(Operation::Profile),
        13 => enrichment.retention_days = 5,
        14 => enrichment.dpia = Some("dpia-2026-01".into()),
        15 => profiling.bases.push(LawfulBasis::LegitimateInterest),
        16 => profiling.dpia = None,
        17 => lia.expires_at = date("2026-03-03"),
        18 => lia.necessity = None,
        19 => lia.purposes.push("profiling".into()),
        20 => dpia.expires_at = date("2026-03-02"),
        21 => dpia.purposes.push("persona_enrichment".into()),
        22 => file.notice.days = 15,
        23 => drop(file.recipients.remove("sales")),
        24 => enrichment.automated_decision = true,
        25 => enrichment.evidence_max_age_days = Some(15),
        26 => profiling.evidence_max_age_days = Some(15),
        27 => enrichment.data_categories.push("gesundheit".into()),
        28 => enrichment.data_categories = vec!["job".into()],
        29 => enrichment.data_categories.clear(),
        30 => enrichment.recipients.push("partner".into()),
        31 => profiling.recipients.push("partner".into()),
        32 => enrichment.recipients.clear(),
        33 => drop(file.recipients.insert("partner".into(), american(None))),
        34 => drop(file.recipients.insert("partner".into(), american(Some("scc-2021")))),
        35 => lia.data_categories = Some(vec!["job".into(), "traits".into()]),
        36 => dpia.data_categories = Some(vec!["traits".into(), "motives".into()]),
        37 => dpia.models = Some(vec!["m-1".into()]),
        38 => dpia.trait_list = Some("of last year".into()),
        39 => dpia.trait_list = Some(trait_list_hash()),
        40 => {
            let of = |id: &str, source: &RegisteredSource| source_hash(id, source);
            dpia.sources = file.sources.get("crm").map(|crm| vec![of("crm", crm)]);
        }
        // Everything that legitimate interest in profiling needs.
        _ => {
            profiling.bases = vec![LawfulBasis::Consent, LawfulBasis::LegitimateInterest];
            lia.purposes.push("profiling".into());
            lia.source_classes.extend([SourceClass::PublicProfessional, SourceClass::PublicSocial]);
            dpia.source_classes.push(SourceClass::PublicSocial);
            lia.traits = vec![Trait::RiskTolerance, Trait::TechAffinity];
            dpia.traits = vec![Trait::RiskTolerance, Trait::Formality];
        }
    }
    file.purposes.insert("persona_enrichment".into(), enrichment);
    file.purposes.insert("profiling".into(), profiling);
    file.assessments.insert("lia-2026-01".into(), lia);
    file.assessments.insert("dpia-2026-01".into(), dpia);
}

fn american(transfer_tool: Option<&str>) -> Recipient {
    Recipient { region: "US".into(), transfer_tool: transfer_tool.map(str::to_owned) }
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
    (policy(), asked, particulars, history(), (often(false), often(true)), (sync(), sync())).prop_map(
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
