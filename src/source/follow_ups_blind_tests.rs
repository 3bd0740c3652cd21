//! Home pages of an author who had not seen this program: what is asked for first, and the facts on them.
//!
//! Invariant: of the held-out half only figures are printed; the misses of the other half are printed with `SHOW`.

use std::fs;
use std::path::Path;

use serde_json::Value;
use url::Url;

use super::of_home;
use crate::extract::html::read_page;
use crate::extract::html::scoring::{Score, Tally};
use crate::source::PageKind;

/// Topics of `expected.yaml` and what is asked for. Of news only feeds are read, so that pages of news are not asked for.
const TOPICS: [(&str, PageKind); 4] =
    [("team", PageKind::Team), ("imprint", PageKind::Imprint), ("jobs", PageKind::Jobs), ("feeds", PageKind::News)];

/// What is asked for first on all pages of a half, in halves of a point.
#[derive(Default)]
struct Picks {
    best: u32,
    fine: u32,
    wrong: u32,
    missing: u32,
    /// Nothing is there and nothing was picked.
    none: u32,
    misses: Vec<String>,
}

impl Picks {
    fn count(&mut self, page: &str, expected: &Value, picked: Option<&str>) {
        let has = |list: &str| {
            let all = expected[list].as_array().into_iter().flatten().filter_map(Value::as_str);
            let urls: Vec<Url> = all.filter_map(|u| Url::parse(u).ok()).collect();
            picked.and_then(|p| Url::parse(p).ok()).is_some_and(|p| urls.contains(&p))
        };
        let due = ["best", "fine"].iter().any(|list| expected[*list].as_array().is_some_and(|l| !l.is_empty()));
        let place = match picked {
            None if due => &mut self.missing,
            None => &mut self.none,
            Some(_) if has("best") => &mut self.best,
            Some(_) if has("fine") => &mut self.fine,
            Some(_) => &mut self.wrong,
        };
        *place += 1;
        if !has("best") && (due || picked.is_some()) {
            self.misses.push(format!("{page}: expected {expected}, picked {picked:?}"));
        }
    }

    fn points(&self) -> u32 {
        2 * (self.best + self.none) + self.fine
    }
}

/// Half points, wrong picks, and the facts of a half.
fn measure(half: &str) -> (u32, u32, Score) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/home_blind").join(half);
    let expected = fs::read_to_string(folder.join("expected.yaml")).expect("what is expected");
    let cases: Vec<Value> = serde_saphyr::from_str(&expected).expect("YAML");
    let mut picks: [Picks; 4] = std::array::from_fn(|_| Picks::default());
    let mut facts = Score::default();
    for case in &cases {
        let page = case["page"].as_str().expect("a page");
        let url = Url::parse(case["url"].as_str().expect("an address")).expect("a valid address");
        let html = fs::read(folder.join(page)).expect("a readable page");
        let read = read_page(&html, None, &url);
        let asked = of_home(&read, &url);
        for ((topic, kind), picks) in TOPICS.iter().zip(&mut picks) {
            let first = asked.iter().find(|f| f.kind == *kind).map(|f| f.url.as_str());
            picks.count(page, &case[*topic], first);
        }
        let expected = &case["organization"];
        let number = |field: &str| expected[field].as_u64().map(|n| n.to_string());
        let is = read.organization;
        for (field, got) in [
            ("name", &is.name),
            ("city", &is.city),
            ("postal_code", &is.postal_code),
            ("phone", &is.phone),
            ("email", &is.email),
            ("vat_id", &is.vat_id),
        ] {
            facts.count(page, field, expected[field].as_str(), got.as_deref(), &[]);
        }
        for (field, got) in [("founded", &is.founding_date), ("employees", &is.employees)] {
            facts.count(page, field, number(field).as_deref(), got.as_deref(), &[]);
        }
    }
    for ((topic, _), p) in TOPICS.iter().zip(&picks) {
        println!(
            "home pages, {half}, {topic}: {} best, {} fine, {} wrong, {} missing, {} rightly none",
            p.best, p.fine, p.wrong, p.missing, p.none
        );
        if half == "dev" && std::env::var_os("SHOW").is_some() {
            p.misses.iter().for_each(|m| println!("{topic} {m}"));
        }
    }
    facts.print(&format!("facts on home pages, {half}"));
    (picks.iter().map(Picks::points).sum(), picks.iter().map(|p| p.wrong).sum(), facts)
}

#[test]
fn the_pages_worth_asking_for_are_asked_for() {
    for (half, least_points, most_wrong, least_facts, most_wrong_facts) in
        [("dev", 224, 0, 90, 0), ("holdout", 185, 3, 82, 1)]
    {
        let (points, wrong_picks, facts) = measure(half);
        let Tally { right, wrong, .. } = facts.total();
        println!(
            "home pages, {half}: {} of 120 points for what is asked for first, {wrong_picks} wrong",
            f64::from(points) / 2.0
        );
        assert!(
            points >= least_points && wrong_picks <= most_wrong,
            "{half}: {points} half points, {wrong_picks} wrong"
        );
        assert!(right >= least_facts && wrong <= most_wrong_facts, "{half}: {right} facts, {wrong} wrong");
    }
}
