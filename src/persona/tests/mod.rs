//! Helpers of the tests: an invented contact, company and offering.

mod cases;
mod printed;
mod properties;
mod rectified;
mod segment;

use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::rows::{Legal, Named, Persona};
use super::*;
use crate::model::{About, Account, AccountId, Claim, Evidence, PermitId, Signal, SignalId, SubjectId};
use crate::taxonomy::{
    BuyingRole, FacetStatus, JobFunction, Motive, Point, PointKind, PurchasePhase, Seniority, SigningPower,
    SourceClass, Tier, Trait,
};

fn transport_system() -> Offering {
    Offering {
        name: "transport system".into(),
        category: "machine".into(),
        used_by: vec![JobFunction::Production, JobFunction::LogisticsSupplyChain],
        run_by: vec![JobFunction::It, JobFunction::MaintenanceFacility],
        price_band: PriceBand::High,
        complexity: Level::High,
        adaptation: Level::Medium,
    }
}

fn load<T: DeserializeOwned>(folder: &str) -> Vec<T> {
    let dir = format!("{}/testdata/persona/{folder}", env!("CARGO_MANIFEST_DIR"));
    let read =
        |e: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(e.expect("readable").path()).expect("readable");
    let all: Vec<T> = std::fs::read_dir(dir)
        .expect("the folder is there")
        .map(|e| serde_saphyr::from_str(&read(e)).expect("cases of the expected shape"))
        .collect();
    assert!(!all.is_empty(), "testdata/persona/{folder} is empty");
    all
}

fn now() -> Timestamp {
    "2026-03-02T03:00:00Z".parse().expect("a timestamp")
}

fn days_ago(days: i64) -> Timestamp {
    now().checked_sub((days * 24).hours()).expect("in range")
}

fn subject(n: usize) -> SubjectId {
    SubjectId::from_body(&format!("t{n}"))
}

fn account(employees: u32) -> Account {
    Account {
        id: Some(AccountId::from_body("a")),
        name: "Muster AG".into(),
        employees: (employees > 0).then_some(employees),
        ..Account::default()
    }
}

fn legal() -> Legal {
    Legal {
        basis: vec!["6(1)(a)".into()],
        permit_id: PermitId::from_body("p"),
        notice_status: "given".into(),
        retain_until: now(),
    }
}

fn signal(id: usize, claim: Claim, class: SourceClass, weight: f64, age: i64, page: &str) -> Signal {
    let evidence = Evidence {
        source_id: class.to_string(),
        source_class: class,
        host: (class != SourceClass::Crm).then(|| "muster.example".into()),
        document: None,
        content_hash: page.into(),
        observed_at: days_ago(age),
        quote: "words".into(),
        locator: format!("l{id}"),
        extractor: "test/1".into(),
        permit: PermitId::from_body("p"),
    };
    let about = About::Subject(subject(0), Some(AccountId::from_body("a")));
    Signal { id: SignalId::from_body(&format!("{id:03}")), about, claim, weight, evidence }
}

/// Runs `f` with the default input over the signals.
fn with<R>(signals: &[Signal], account: &Account, f: impl FnOnce(FusionInput<'_>) -> R) -> R {
    let (id, o) = (subject(0), transport_system());
    f(FusionInput {
        subject: &id,
        crm_record: "1",
        crm_updated_at: Some(now()),
        account: Some(account),
        signals,
        as_of: now(),
        offering: &o,
        profiling_allowed: true,
        profiling_refused: false,
        refused: &[],
        identity_uncertain: false,
        rectified: &[],
        segment_values: &[],
        tier: Tier::Individual,
        legal: legal(),
        min_probability: 0.6,
        half_life_days: 730.0,
    })
}

fn position(f: JobFunction, s: Seniority) -> Vec<Signal> {
    vec![
        signal(0, Claim::JobFunction(f), SourceClass::CompanySite, 0.97, 0, "page"),
        signal(1, Claim::Seniority(s), SourceClass::CompanySite, 0.97, 0, "page"),
    ]
}

fn claim([facet, value]: &[String; 2]) -> Claim {
    let sign = if value == "-" { -1 } else { 1 };
    let read = "a canonical term";
    match facet.split_once('.').unwrap_or((facet, "")) {
        ("job_function", _) => Claim::JobFunction(value.parse().expect(read)),
        ("seniority", _) => Claim::Seniority(value.parse().expect(read)),
        ("signing_power", _) => Claim::SigningPower(value.parse().expect(read)),
        ("buying_role", r) => Claim::BuyingRole(r.parse().expect(read), sign),
        ("trait", t) => Claim::Trait(t.parse().expect(read), sign),
        ("motive", _) => Claim::Motive(value.parse().expect(read)),
        (kind, _) if kind.parse::<PointKind>().is_ok() => {
            Claim::Point(Point::parse(kind.parse().expect(read), value).expect(read))
        }
        ("channel", "") => Claim::Channel(None, value.parse().expect(read)),
        ("channel", p) => Claim::Channel(Some(p.parse().expect(read)), value.parse().expect(read)),
        _ => panic!("no claim for {facet}"),
    }
}

/// The value of a facet where it is known (or just "known"), else its status; and its probability.
fn shown(p: &Persona, facet: &str) -> (String, Option<f64>) {
    fn said<T: ToString>(v: Option<T>, s: FacetStatus) -> String {
        v.map_or_else(|| s.to_string(), |v| v.to_string())
    }
    let read = "a canonical term";
    match facet.split_once('.').unwrap_or((facet, "")) {
        ("job_function", _) => (said(p.job_function.value, p.job_function.status), p.job_function.p),
        ("secondary", _) => (said(p.secondary_functions.first(), FacetStatus::InsufficientEvidence), None),
        ("seniority", _) => (said(p.seniority.value, p.seniority.status), p.seniority.p),
        ("signing_power", _) => (said(p.signing_power.value, p.signing_power.status), p.signing_power.p),
        ("buying_role", r) => {
            let r: BuyingRole = r.parse().expect(read);
            let x = p.buying_roles.iter().find(|x| x.role == r).expect("every role");
            (x.status.to_string(), x.probability)
        }
        ("trait", t) => {
            let t: Trait = t.parse().expect(read);
            let x = p.traits.iter().find(|x| x.r#trait == t).expect("every trait");
            (said(x.score.map(|s| if s < 0.0 { "-" } else { "+" }), x.status), x.confidence)
        }
        ("motive", m) => {
            let m: Motive = m.parse().expect(read);
            let x = p.motives.iter().find(|x| x.motive == m).expect("every motive");
            (x.status.to_string(), x.confidence)
        }
        ("channel", c) => {
            let c: PurchasePhase = c.parse().expect(read);
            let x = p.channels.iter().find(|x| x.phase == c).expect("every phase");
            (marked(said(x.channel, x.status), x.status), None)
        }
        ("goal", "") => (listed(&p.goals), None),
        ("buying_behaviour", "") => (listed(&p.buying_behaviour), None),
        ("information_behaviour", "") => (listed(&p.information_behaviour), None),
        ("avoided_channel", "") => (listed(&p.avoided_channels), None),
        ("asked_by", role) => (listed(p.requirements.iter().filter(|n| n.name == role)), None),
        ("empathy_map", part) => (listed(p.empathy_map.iter().filter(|n| n.name == part)), None),
        (kind, term) if kind.parse::<PointKind>().is_ok() => (shown_point(p, facet, term), None),
        _ => panic!("no facet {facet}"),
    }
}

/// A value that is none of the person's own is marked.
fn marked(said: String, status: FacetStatus) -> String {
    if status == FacetStatus::StudyPrior { format!("study_prior: {said}") } else { said }
}

/// The values of a list column, or why there is none.
fn listed<'a>(rows: impl IntoIterator<Item = &'a Named>) -> String {
    let one = |n: &Named| marked(n.value.as_deref().unwrap_or(n.status.as_str()).to_owned(), n.status);
    rows.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `yes` where the persona shows the point as known.
fn shown_point(p: &Persona, facet: &str, term: &str) -> String {
    let column: Vec<&Named> = match facet.split('.').next() {
        Some("goal") => p.goals.iter().collect(),
        Some("requirement") => p.requirements.iter().collect(),
        Some("buying_behaviour") => p.buying_behaviour.iter().collect(),
        Some("information_behaviour") => p.information_behaviour.iter().collect(),
        Some("avoided_channel") => p.avoided_channels.iter().collect(),
        Some("pain") => p.empathy_map.iter().filter(|n| n.name == "pains").collect(),
        _ => p.empathy_map.iter().filter(|n| n.name == "gains").collect(),
    };
    let known = column.iter().any(|n| n.status == FacetStatus::Known && n.value.as_deref() == Some(term));
    if known { "yes".to_owned() } else { FacetStatus::InsufficientEvidence.to_string() }
}

fn persona_of(n: usize, function: JobFunction, level: Seniority, company: &Account) -> Persona {
    let signals = position(function, level);
    let persona = with(&signals, company, |i| fuse(&i));
    Persona { subject_id: subject(n), ..persona }
}
