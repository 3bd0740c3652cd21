//! The cases of `testdata/persona`.

use std::collections::BTreeMap;

use super::*;

// Roles

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleFile {
    offerings: BTreeMap<String, Offering>,
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
            let o = &file.offerings[&c.offering];
            let persona = with(&signals, &account(c.employees), |i| fuse(&FusionInput { offering: o, ..i }));
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
#[expect(clippy::struct_excessive_bools, reason = "a case says what holds, by name")]
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
    /// The gate was asked for leave to profile and refused.
    #[serde(default)]
    profiling_refused: bool,
    /// Of the company.
    country: Option<String>,
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

fn check_fusion(c: &FusionCase, wrong: &mut Vec<String>) {
    let signals: Vec<Signal> = c.signals.iter().enumerate().map(|(n, r)| raw(n, r)).collect();
    let refused: Vec<FacetKind> = c
        .refused
        .iter()
        .map(|r| match r.as_str() {
            "job_function" => FacetKind::JobFunction,
            "seniority" => FacetKind::Seniority,
            "channels" => FacetKind::Channels,
            other => panic!("no kind {other}"),
        })
        .collect();
    let company = Account { country: c.country.clone(), ..account(300) };
    let persona = with(&signals, &company, |i| {
        fuse(&FusionInput {
            refused: &refused,
            identity_uncertain: c.identity_uncertain,
            profiling_allowed: c.profiling,
            profiling_refused: c.profiling_refused,
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
