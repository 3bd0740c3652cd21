//! The cases of `testdata/persona`, and what holds for any signals.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::rows::{Legal, Persona};
use super::*;
use crate::model::{About, Account, AccountId, Claim, Evidence, PermitId, Signal, SignalId, SubjectId};
use crate::taxonomy::{
    BuyingRole, FacetStatus, JobFunction, Motive, PurchasePhase, Seniority, SigningPower, SourceClass, Tier, Trait,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOffering {
    category: String,
    used_by: Vec<JobFunction>,
    run_by: Vec<JobFunction>,
    price_band: PriceBand,
    complexity: Level,
    adaptation: Level,
}

fn offering(raw: &RawOffering) -> Offering {
    Offering {
        name: "thing".into(),
        category: raw.category.clone(),
        used_by: raw.used_by.clone(),
        run_by: raw.run_by.clone(),
        price_band: raw.price_band,
        complexity: raw.complexity,
        adaptation: raw.adaptation,
    }
}

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
        refused: &[],
        identity_uncertain: false,
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

// Roles

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleFile {
    offerings: BTreeMap<String, RawOffering>,
    cases: Vec<RoleCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleCase {
    function: JobFunction,
    seniority: Seniority,
    offering: String,
    employees: u32,
    top: Vec<BuyingRole>,
    low: Vec<BuyingRole>,
}

#[test]
fn roles_of_known_positions() {
    let (mut n, mut wrong) = (0, Vec::new());
    for file in load::<RoleFile>("roles") {
        for c in &file.cases {
            n += 1;
            let signals = position(c.function, c.seniority);
            let o = offering(&file.offerings[&c.offering]);
            let persona = with(&signals, &account(c.employees), |i| fuse(&FusionInput { offering: &o, ..i }));
            let p = |r: BuyingRole| persona.buying_roles.iter().find(|x| x.role == r).and_then(|x| x.probability);
            let all: Vec<String> =
                BuyingRole::ALL.iter().map(|r| format!("{r} {:.2}", p(*r).unwrap_or(-1.0))).collect();
            let least = c.top.iter().map(|r| p(*r).unwrap_or(0.0)).fold(1.0, f64::min);
            let core = |r: &&BuyingRole| BuyingRole::CORE.contains(r) && !c.top.contains(r);
            let above = BuyingRole::ALL.iter().filter(core).any(|r| p(*r).unwrap_or(1.0) >= least);
            if least < 0.5 || above || c.low.iter().any(|r| p(*r).unwrap_or(1.0) >= 0.35) {
                wrong.push(format!(
                    "{} {} {} {}: {}",
                    c.function,
                    c.seniority,
                    c.offering,
                    c.employees,
                    all.join(", ")
                ));
            }
        }
    }
    assert!(n >= 40, "{n} cases");
    assert!(wrong.is_empty(), "{} of {n}:\n{}", wrong.len(), wrong.join("\n"));
}

// Fusion

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FusionFile {
    cases: Vec<FusionCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FusionCase {
    id: String,
    #[serde(default)]
    signals: Vec<RawSignal>,
    #[serde(default)]
    refused: Vec<String>,
    #[serde(default)]
    identity_uncertain: bool,
    #[serde(default = "yes")]
    profiling: bool,
    #[serde(default = "yes")]
    crm_age_known: bool,
    want: BTreeMap<String, String>,
    #[serde(default)]
    p: BTreeMap<String, [f64; 2]>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignal {
    from: SourceClass,
    page: Option<String>,
    place: Option<String>,
    says: [String; 2],
    weight: f64,
    age: i64,
    #[serde(default)]
    stranger: bool,
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
        ("goal", _) => Claim::Goal(value.clone()),
        ("channel", p) => Claim::Channel(Some(p.parse().expect(read)), value.parse().expect(read)),
        _ => panic!("no claim for {facet}"),
    }
}

fn raw(n: usize, r: &RawSignal) -> Signal {
    let page = r.page.clone().unwrap_or_else(|| format!("page of {}", r.from));
    let mut s = signal(n, claim(&r.says), r.from, r.weight, r.age, &page);
    if let Some(place) = &r.place {
        s.evidence.locator.clone_from(place);
    }
    if r.stranger {
        s.about = About::Subject(subject(9), None);
    }
    s
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
            (said(x.channel, x.status), None)
        }
        ("goal", _) => (said(p.goals[0].value.as_ref(), p.goals[0].status), None),
        _ => panic!("no facet {facet}"),
    }
}

fn check_fusion(c: &FusionCase, wrong: &mut Vec<String>) {
    let signals: Vec<Signal> = c.signals.iter().enumerate().map(|(n, r)| raw(n, r)).collect();
    let refused: Vec<FacetKind> = c
        .refused
        .iter()
        .map(|r| match r.as_str() {
            "job_function" => FacetKind::JobFunction,
            "seniority" => FacetKind::Seniority,
            other => panic!("no kind {other}"),
        })
        .collect();
    let persona = with(&signals, &account(300), |i| {
        fuse(&FusionInput {
            refused: &refused,
            identity_uncertain: c.identity_uncertain,
            profiling_allowed: c.profiling,
            crm_updated_at: c.crm_age_known.then(now),
            ..i
        })
    });
    for (facet, want) in &c.want {
        let (got, p) = shown(&persona, facet);
        if got != *want {
            wrong.push(format!("{}: {facet} is {got} ({p:?}), not {want}", c.id));
        }
    }
    for (facet, [min, max]) in &c.p {
        let p = shown(&persona, facet).1.unwrap_or(-1.0);
        if p < *min || p > *max {
            wrong.push(format!("{}: p of {facet} is {p:.3}, not in {min}..{max}", c.id));
        }
    }
}

#[test]
fn fusion_cases() {
    let mut wrong = Vec::new();
    for file in load::<FusionFile>("fusion") {
        assert!(!file.cases.is_empty());
        file.cases.iter().for_each(|c| check_fusion(c, &mut wrong));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// Buying centers

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CenterFile {
    cases: Vec<CenterCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CenterCase {
    id: String,
    employees: u32,
    contacts: Vec<(JobFunction, Seniority)>,
    members: BTreeMap<BuyingRole, Vec<usize>>,
    questions: BTreeMap<BuyingRole, String>,
    concentration: Option<[f64; 2]>,
}

fn persona_of(n: usize, f: JobFunction, s: Seniority, a: &Account) -> Persona {
    let signals = position(f, s);
    let p = with(&signals, a, |i| fuse(&i));
    Persona { subject_id: subject(n), ..p }
}

#[test]
fn buying_centers() {
    let mut n = 0;
    for c in load::<CenterFile>("centers").iter().flat_map(|f| &f.cases) {
        n += 1;
        let a = account(c.employees);
        let personas: Vec<Persona> =
            c.contacts.iter().enumerate().map(|(n, (f, s))| persona_of(n, *f, *s, &a)).collect();
        let rows = buying_center(&a, &personas, &transport_system());
        assert_eq!(rows.iter().map(|r| r.role).collect::<Vec<_>>(), BuyingRole::ALL, "{}", c.id);
        for row in &rows {
            let who: Vec<&str> = row.members.iter().map(|m| m.subject_id.as_str()).collect();
            if let Some(want) = c.members.get(&row.role) {
                let want: Vec<String> = want.iter().map(|n| subject(*n).to_string()).collect();
                assert_eq!(who, want, "{}: {}", c.id, row.role);
            }
            assert_eq!(row.next_best_question.is_some(), who.is_empty(), "{}: {}", c.id, row.role);
            assert_eq!(row.coverage == FacetStatus::Known, !who.is_empty());
            if let Some(q) = &row.next_best_question {
                assert!(q.contains("Muster AG") && !q.contains('{'), "{q}");
                let word = c.questions.get(&row.role).map_or("", |w| w);
                assert!(q.contains(word), "{}: {} is asked {q}, not for {word}", c.id, row.role);
            }
            if let Some([min, max]) = c.concentration {
                let h = row.concentration.expect("somebody was judged");
                assert!((min..=max).contains(&h), "{}: {h}", c.id);
            }
        }
        let turned: Vec<Persona> = personas.into_iter().rev().collect();
        assert_eq!(buying_center(&a, &turned, &transport_system()), rows, "{}: order shows", c.id);
    }
    assert!(n > 0);
    assert!(buying_center(&Account::default(), &[], &transport_system()).is_empty());
}

// Companies

#[test]
fn a_company_row_takes_the_imprint_and_marks_its_prior() {
    let fact = |n, field: &str, value: &str, weight| {
        let mut s =
            signal(n, Claim::Firmographic(field.into(), value.into()), SourceClass::CompanySite, weight, 1, "i");
        s.about = About::Account(AccountId::from_body("a"));
        s
    };
    let signals = [
        fact(0, "register", "HRB 000000 Musterstadt", 0.95),
        fact(1, "legal_form", "GmbH", 0.95),
        fact(2, "city", "Musterstadt", 0.4),
        fact(3, "founded", "1976", 0.95),
        fact(4, "innovation", "high", 0.9),
    ];
    let a = Account { legal_form: Some("AG".into()), city: Some("Beispielstadt".into()), ..account(30) };
    let personas = [persona_of(0, JobFunction::Production, Seniority::Head, &a)];
    let row = account_row(&a, &signals, &personas, now()).expect("the company has an id");
    assert_eq!(row.register.as_deref(), Some("HRB 000000 Musterstadt"));
    assert_eq!(row.legal_form.as_deref(), Some("GmbH"));
    assert_eq!(row.city.as_deref(), Some("Beispielstadt"), "a weak claim does not overrule the CRM");
    assert_eq!(row.age_years, Some(50));
    assert_eq!(row.size_class.as_deref(), Some("small"));
    assert_eq!(row.innovation.value.as_deref(), Some("high"));
    assert_eq!(row.digital_maturity.status, FacetStatus::InsufficientEvidence);
    assert_eq!(
        (row.decision_style.value.as_deref(), row.decision_style.status),
        (Some("single_decider"), FacetStatus::StudyPrior)
    );
    assert!(row.segment_information_value.expect("a known persona") > 0.0);
    let bare = account_row(&account(0), &[], &[], now()).expect("the company has an id");
    assert_eq!((bare.size_class, bare.decision_style.value, bare.segment_information_value), (None, None, None));
    assert!(account_row(&Account::default(), &[], &[], now()).is_none());
}

#[test]
fn one_company_never_gets_another_companys_facts() {
    let mut s = signal(0, Claim::Firmographic("innovation".into(), "high".into()), SourceClass::News, 0.9, 1, "n");
    s.about = About::Account(AccountId::from_body("b"));
    let row = account_row(&account(30), &[s], &[], now()).expect("the company has an id");
    assert_eq!(row.innovation.value, None);
}

// Properties

fn any_signal() -> impl Strategy<Value = Signal> {
    let claim = prop_oneof![
        (0..JobFunction::ALL.len()).prop_map(|i| Claim::JobFunction(JobFunction::ALL[i % 4])),
        (0..Seniority::ALL.len()).prop_map(|i| Claim::Seniority(Seniority::ALL[i])),
        (0..SigningPower::ALL.len()).prop_map(|i| Claim::SigningPower(SigningPower::ALL[i])),
        (0..BuyingRole::ALL.len(), any::<bool>())
            .prop_map(|(i, s)| Claim::BuyingRole(BuyingRole::ALL[i], if s { 1 } else { -1 })),
        (0..3_usize, any::<bool>()).prop_map(|(i, s)| Claim::Trait(Trait::ALL[i], if s { 1 } else { -1 })),
        (0..3_usize).prop_map(|i| Claim::Motive(Motive::ALL[i])),
    ];
    let class = prop_oneof![Just(SourceClass::Crm), Just(SourceClass::CompanySite), Just(SourceClass::News)];
    (claim, class, 0.01..0.999_f64, 0..3000_i64, 0..4_u8, 0..1000_usize, 0..3_u8).prop_map(
        |(claim, class, weight, age, page, id, place)| {
            let mut s = signal(id, claim, class, weight, age, &format!("p{page}"));
            s.evidence.locator = format!("l{place}");
            s
        },
    )
}

/// Facets that `explain` knows by name.
fn facets() -> Vec<String> {
    let mut out: Vec<String> = ["job_function", "seniority", "signing_power"].map(Into::into).to_vec();
    out.extend(BuyingRole::ALL.iter().map(|r| format!("buying_role.{r}")));
    out.extend(Trait::ALL.iter().map(|t| format!("trait.{t}")));
    out.extend(Motive::ALL.iter().map(|m| format!("motive.{m}")));
    out.extend(PurchasePhase::ALL.iter().map(|p| format!("channel.{p}")));
    out
}

/// The probability of a claim of a value for a categorical facet, shown or not.
fn weighed(signals: &[Signal], facet: &str, value: &str) -> Option<f64> {
    with(signals, &account(300), |i| explain(&i, facet)).filter(|e| e.value.as_deref() == Some(value))?.probability
}

proptest! {
    #[test]
    fn order_is_irrelevant((signals, shuffled) in prop::collection::vec(any_signal(), 0..12)
        .prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle())))
    {
        let a = account(300);
        prop_assert_eq!(with(&signals, &a, |i| fuse(&i)), with(&shuffled, &a, |i| fuse(&i)));
    }

    #[test]
    fn explanations_add_up_to_what_is_shown(signals in prop::collection::vec(any_signal(), 0..12)) {
        let a = account(300);
        let persona = with(&signals, &a, |i| fuse(&i));
        for facet in facets() {
            let e = with(&signals, &a, |i| explain(&i, &facet)).expect("a facet by its name");
            let (said, shown) = shown(&persona, &facet);
            prop_assert_eq!(e.status == FacetStatus::Known, !FacetStatus::ALL.iter().any(|s| *s != FacetStatus::Known && s.as_str() == said), "{}: {}", facet, said);
            if let (Some(p), Some(l)) = (e.probability, e.log_odds) {
                prop_assert!(p > 0.0 && p < 1.0);
                let sum: f64 = e.terms.iter().map(|t| t.log_odds).sum();
                prop_assert!((sum - l).abs() < 1e-9, "{facet}: {sum} {l}");
                prop_assert!((1.0 / (1.0 + (-sum).exp()) - p).abs() < 1e-9);
                if let Some(shown) = shown {
                    prop_assert!((shown - p).abs() < 1e-9, "{facet}: {shown} {p}");
                }
            }
            prop_assert!(!e.to_string().is_empty());
        }
    }

    #[test]
    fn support_never_lowers(signals in prop::collection::vec(any_signal(), 1..10), extra in any_signal()) {
        for facet in ["job_function", "seniority", "signing_power"] {
            let Some(value) = with(&signals, &account(300), |i| explain(&i, facet)).and_then(|e| e.value) else { continue };
            let claim = claim(&[facet.to_owned(), value.clone()]);
            let before = weighed(&signals, facet, &value).expect("it was weighed");
            let mut more = signals.clone();
            more.push(Signal { claim, id: SignalId::from_body("new"), ..extra.clone() });
            let after = weighed(&more, facet, &value);
            prop_assert!(after.is_some_and(|p| p >= before - 1e-9), "{facet} {value}: {before} -> {after:?}");
        }
    }

    #[test]
    fn a_statement_never_lowers_its_role(signals in prop::collection::vec(any_signal(), 0..10), extra in any_signal(), r in 0..7_usize) {
        let role = BuyingRole::ALL[r];
        let p = |s: &[Signal]| with(s, &account(300), |i| fuse(&i)).buying_roles[r].probability;
        let Some(before) = p(&signals) else { return Ok(()) };
        let mut more = signals.clone();
        more.push(Signal { claim: Claim::BuyingRole(role, 1), id: SignalId::from_body("new"), ..extra });
        prop_assert!(p(&more).is_some_and(|after| after >= before - 1e-9));
    }
}

#[test]
fn without_signals_every_facet_abstains() {
    let p = with(&[], &account(300), |i| fuse(&i));
    let none = |s: FacetStatus| s != FacetStatus::Known;
    assert!(p.job_function.value.is_none() && p.seniority.value.is_none() && p.signing_power.value.is_none());
    assert!(p.secondary_functions.is_empty());
    assert!(p.buying_roles.iter().all(|r| r.probability.is_none() && none(r.status)));
    assert!(p.traits.iter().all(|t| t.score.is_none() && t.confidence.is_none() && none(t.status)));
    assert!(p.motives.iter().all(|m| m.confidence.is_none() && none(m.status)));
    assert!(p.channels.iter().all(|c| c.channel.is_none() && none(c.status)));
    for named in [&p.goals, &p.context, &p.requirements, &p.empathy_map] {
        assert!(!named.is_empty() && named.iter().all(|n| n.value.is_none() && none(n.status)));
    }
    assert!(p.empathy_map.iter().all(|n| n.name != "thinks" && n.name != "feels"));
}

#[test]
fn an_explanation_shows_weights_with_reason_and_signals_with_quotes() {
    let signals = position(JobFunction::Production, Seniority::Head);
    let (role, title, unknown) = with(&signals, &account(300), |i| {
        (explain(&i, "buying_role.user"), explain(&i, "job_function"), explain(&i, "shoe_size"))
    });
    let role = role.expect("a facet").to_string();
    assert!(role.contains("user.function_uses") && role.contains("own judgement"), "{role}");
    let title = title.expect("a facet");
    assert!(title.to_string().contains("\"words\""), "{title}");
    assert!(serde_json::to_string(&title).expect("serialisable").contains("independence"));
    assert_eq!(unknown, None);
}
