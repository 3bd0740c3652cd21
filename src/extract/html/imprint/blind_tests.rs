//! Imprints, contact and home pages of an author who had not seen this program: whose facts are read.
//!
//! Invariant: of the held-out half only figures are printed; the misses of the other half are printed with `SHOW`.

use std::fs;
use std::path::Path;

use serde_json::Value;
use url::Url;

use super::super::read_page;
use super::super::scoring::{Score, Tally, same, same_person};

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn measure(half: &str) -> Score {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/imprint_blind").join(half);
    let expected = fs::read_to_string(folder.join("expected.yaml")).expect("what is expected");
    let cases: Vec<Value> = serde_saphyr::from_str(&expected).expect("YAML");
    let mut score = Score::default();
    for case in &cases {
        let page = case["page"].as_str().expect("a page");
        let url = Url::parse(case["url"].as_str().expect("an address")).expect("a valid address");
        let html = fs::read(folder.join(page)).expect("a readable page");
        let read = read_page(&html, None, &url).organization;
        let traps = texts(&case["traps"]);
        let fields = [
            ("legal_form", &read.legal_form, &case["legal_form"]),
            ("number", &read.register, &case["register"]["number"]),
            ("vat_id", &read.vat_id, &case["vat_id"]),
            ("street", &read.street, &case["street"]),
            ("postal_code", &read.postal_code, &case["postal_code"]),
            ("city", &read.city, &case["city"]),
            ("country", &read.country, &case["country"]),
            ("email", &read.email, &case["email"]),
            ("phone", &read.phone, &case["phone"]),
        ];
        for (field, got, expected) in fields {
            score.count(page, field, expected.as_str(), got.as_deref(), &traps);
        }
        // Who is registered nowhere has no legal name, but a name that is none of others.
        let others = texts(&case["legal_name_also_ok"]);
        let also = |got: &&String| others.iter().find(|o| same("legal_name", o, got) == Some(true));
        let name = read.name.as_ref().and_then(|got| also(&got)).or(read.name.as_ref()).map(String::as_str);
        let wanted = name.filter(|got| others.iter().any(|o| o == got)).or(case["legal_name"].as_str());
        score.count(page, "legal_name", wanted, name, &traps);
        // Where a page names no office, the one that keeps the country's only register is no mistake.
        let court = read.register_court.as_deref().filter(|c| *c != "Companies House");
        score.count(page, "court", case["register"]["court"].as_str(), court, &traps);
        directors(&mut score, page, &texts(&case["managing_directors"]), &read.managing_directors, &traps);
    }
    score.print(&format!("imprints, {half}"));
    score
}

/// Each of those who represent the company counts.
fn directors(score: &mut Score, page: &str, expected: &[String], got: &[String], traps: &[String]) {
    for name in expected {
        let found = got.iter().find(|g| same_person(name, g));
        score.count(page, "directors", Some(name), found.map(|_| name.as_str()), traps);
    }
    for name in got.iter().filter(|g| !expected.iter().any(|name| same_person(name, g))) {
        let trap = traps.iter().find(|t| same_person(t, name)).unwrap_or(name);
        score.count(page, "directors", None, Some(trap), traps);
    }
}

#[test]
fn facts_are_those_of_the_company_whose_page_it_is() {
    for (half, least, most_wrong, most_trapped) in [("dev", 329, 0, 0), ("holdout", 196, 35, 18)] {
        let Tally { right, wrong, trapped, .. } = measure(half).total();
        assert!(
            right >= least && wrong <= most_wrong && trapped <= most_trapped,
            "{half}: {right}, {wrong}, {trapped}"
        );
    }
}
