//! The labelled cases of `testdata/identity`, and what holds for any input.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Truth {
    Yes,
    No,
    Open,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(rename_all = "snake_case")]
enum Want {
    Same,
    Different,
    Uncertain,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    given: String,
    family: String,
    #[serde(default = "employer")]
    employer_known: String,
    #[serde(default = "domain")]
    domain: String,
    #[serde(default = "domains")]
    email_domains: Vec<String>,
    #[serde(default)]
    addresses: Vec<String>,
    known_handle: Option<String>,
    name: String,
    employer: Option<String>,
    host: Option<String>,
    #[serde(default)]
    links: Vec<String>,
    #[serde(default)]
    emails: Vec<String>,
    country: Option<String>,
    handle: Option<String>,
    truth: Truth,
    verdict: Option<Want>,
}

fn employer() -> String {
    "Muster Maschinenbau GmbH".into()
}

fn domain() -> String {
    "muster-maschinenbau.example".into()
}

fn domains() -> Vec<String> {
    vec![domain()]
}

fn run(c: &Case) -> Identity {
    let email_domains: Vec<&str> = c.email_domains.iter().map(String::as_str).collect();
    let addresses: Vec<&str> = c.addresses.iter().map(String::as_str).collect();
    let given = |s: &'_ str| !s.is_empty();
    let known = Known {
        given_name: &c.given,
        family_name: &c.family,
        emails: &addresses,
        email_domains: &email_domains,
        employer_name: Some(c.employer_known.as_str()).filter(|s| given(s)),
        employer_domain: Some(c.domain.as_str()).filter(|s| given(s)),
        country: Some("DE"),
        handle: c.known_handle.as_deref(),
    };
    let claimed = Claimed {
        name: &c.name,
        employer: c.employer.as_deref(),
        host: c.host.as_deref(),
        links: &c.links,
        emails: &c.emails,
        country: c.country.as_deref(),
        handle: c.handle.as_deref(),
    };
    judge(&known, &claimed)
}

fn cases(name: &str) -> Vec<Case> {
    let path = format!("{}/testdata/identity/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_saphyr::from_str::<File>(&text).expect("labelled cases").cases
}

/// Cases of an author who had not read the rules: nobody else is taken for a contact, and most contacts are found.
#[test]
fn cases_of_an_independent_author() {
    for (name, least) in [("blind/dev", 0.85), ("blind/holdout", 0.7)] {
        let (mut yes, mut found, mut wrong) = (0.0, 0.0, Vec::new());
        let cases = cases(name);
        for case in &cases {
            let is_same = run(case).verdict == Verdict::Same;
            match case.truth {
                Truth::Yes => (yes, found) = (yes + 1.0, found + f64::from(u8::from(is_same))),
                Truth::No | Truth::Open if is_same => wrong.push(&*case.id),
                Truth::No | Truth::Open => {}
            }
        }
        println!("identity, {name}: {found} of {yes} found, {} others taken for the contact", wrong.len());
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        assert!(found >= least * yes, "{name}: {found} of {yes}");
    }
}

#[test]
fn labelled_cases() {
    let cases = cases("cases");
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let (mut wrong, mut yes, mut found, mut brier) = (Vec::new(), 0_u32, 0_u32, 0.0);
    for c in &cases {
        let got = run(c);
        let want = match c.verdict.expect("a verdict") {
            Want::Same => Verdict::Same,
            Want::Different => Verdict::Different,
            Want::Uncertain => Verdict::Uncertain,
        };
        if got.verdict != want {
            wrong.push(format!("{}: wanted {want:?}, got {got:?}", c.id));
        }
        assert!(got.verdict != Verdict::Same || c.truth == Truth::Yes, "false same: {}: {got:?}", c.id);
        if c.truth == Truth::Yes {
            yes += 1;
            found += u32::from(got.verdict == Verdict::Same);
        }
        if c.truth != Truth::Open {
            brier += (got.p - f64::from(u8::from(c.truth == Truth::Yes))).powi(2);
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let told = cases.iter().filter(|c| c.truth != Truth::Open).count();
    let brier = brier / f64::from(u32::try_from(told).expect("few cases"));
    println!("identity: {} cases, 0 false same, coverage {found}/{yes}, Brier {brier:.3}", cases.len());
    assert!(f64::from(found) >= 0.95 * f64::from(yes), "coverage {found}/{yes}");
    assert!(brier < 0.05, "Brier {brier}");
}

#[test]
fn every_reason_has_a_weight() {
    for r in lexicon::REASONS {
        assert!(lexicon::LEXICON.weight(r).is_finite());
    }
}

proptest! {
    #[test]
    fn any_input_gives_a_probability(name in ".{0,40}", given in ".{0,12}", family in ".{0,12}", employer in ".{0,20}", link in ".{0,30}") {
        let known = Known { given_name: &given, family_name: &family, email_domains: &["muster.example"], employer_name: Some(&employer), ..Known::default() };
        let links = [link];
        let got = judge(&known, &Claimed { name: &name, employer: Some(&employer), links: &links, ..Claimed::default() });
        prop_assert!(got.p > 0.0 && got.p < 1.0);
    }

    #[test]
    fn nobody_is_the_same_without_a_tie(given in "[A-Z][a-zäöü]{2,9}", family in "[A-Z][a-zäöüß]{2,9}", country in "DE|AT|GB") {
        let name = format!("{given} {family}");
        let known = Known { given_name: &given, family_name: &family, email_domains: &["gmx.de", "a.example"], employer_name: Some("A GmbH"), employer_domain: Some("a.example"), country: Some("DE"), ..Known::default() };
        let got = judge(&known, &Claimed { name: &name, host: Some("b.example"), country: Some(&country), ..Claimed::default() });
        prop_assert_ne!(got.verdict, Verdict::Same);
    }

    #[test]
    fn transcription_and_order_do_not_matter(given in "[A-ZÄÖÜ][a-zäöüß]{3,9}", family in "[A-ZÄÖÜ][a-zäöüß]{3,9}") {
        let known = Known { given_name: &given, family_name: &family, email_domains: &[], employer_domain: Some("a.example"), ..Known::default() };
        let at = |name: &str| judge(&known, &Claimed { name, host: Some("www.a.example"), ..Claimed::default() }).verdict;
        let plain = |s: &str| s.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss").replace('Ä', "Ae").replace('Ö', "Oe").replace('Ü', "Ue");
        prop_assume!(!lexicon::LEXICON.titles.contains(&plain(&given).to_lowercase()) && !lexicon::LEXICON.titles.contains(&plain(&family).to_lowercase()));
        prop_assume!(!lexicon::LEXICON.particles.contains(&plain(&given).to_lowercase()) && !lexicon::LEXICON.particles.contains(&plain(&family).to_lowercase()));
        prop_assert_eq!(at(&format!("{given} {family}")), Verdict::Same);
        prop_assert_eq!(at(&format!("{} {}", plain(&given), plain(&family))), Verdict::Same);
        prop_assert_eq!(at(&format!("{family}, {given}")), Verdict::Same);
        prop_assert_eq!(at(&format!("Dr. {given} {family}")), Verdict::Same);
    }
}
