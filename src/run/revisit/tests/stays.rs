//! What stays of pages from one night to the next, and what does not.

use std::collections::BTreeSet;

use super::*;
use crate::run::kept::{Kept, Opening, Pages};
use crate::run::prepare::PAGE_KEY;

const PAGES: &str = "[home, team, imprint, news, jobs]";

/// The settings of the company's host with these rules.
fn rules(rules: &str) -> (&'static str, String) {
    ("/_host.yaml", format!("about: x\nrules: [{rules}]\n"))
}

impl Nights {
    /// What is kept, of all pages.
    fn kept(&self) -> Vec<Kept> {
        let database = rusqlite::Connection::open(self.home().join(kept::FILE)).expect("opens");
        let mut rows = database.prepare("SELECT place FROM kept").expect("readable");
        let places = rows.query_map([], |row| row.get(0)).expect("readable");
        let places: Vec<String> = places.map(|place| place.expect("a row")).collect();
        let vault = self.office().vault;
        let key = vault.named(PAGE_KEY).expect("a key");
        let opening = Opening { key, erased: vault.erased().expect("a count").0 };
        let pages = Pages::open(&self.home(), opening, ("demo", "run_x"), wall()()).expect("opens");
        places.iter().map(|place| pages.recall(place).expect("readable")).collect()
    }
}

#[test]
fn what_is_too_old_for_the_policy_is_not_kept_either() {
    let nights = Nights::new();
    let policy = std::fs::read_to_string(root().join("config/policy/demo.yaml")).expect("the demo's policy");
    let (is, limited) = ("  company_research:\n", "  company_research:\n    evidence_max_age_days: 365\n");
    assert!(policy.contains(is));
    nights.write("policy.yaml", &policy.replace(is, limited));
    let of_demo = root().join("config/policy/demo.yaml").display().to_string();
    nights.pipeline(&[(PAGES, "[home, news]"), (&of_demo, "policy.yaml")]);
    let item = |day: &str, text: &str| {
        format!(
            "<item><title>Neues</title><pubDate>{day} 08:00:00 GMT</pubDate><description>{text}</description></item>"
        )
    };
    let (new, old) = ("Wir eröffnen ein neues Werk.", "Hartwig macht Kurzarbeit.");
    let soon = item("Wed, 12 Mar 2025", "Hartwig eröffnet ein neues Werk in Ulm.");
    let feed = item("Thu, 22 Jan 2026", new) + &soon + &item("Mon, 06 Apr 2020", old);
    let feed = format!("<rss version=\"2.0\"><channel><language>de</language>{feed}</channel></rss>");
    nights.night(&[("/aktuelles.xml", feed)]);
    let kept = nights.kept();
    let said: Vec<&str> = kept.iter().flat_map(|kept| &kept.reading.found).map(|found| found.quote.as_str()).collect();
    assert!(said.iter().any(|quote| quote.contains("neues Werk")), "{said:?}");
    assert!(!said.iter().any(|quote| quote.contains("Kurzarbeit")), "{said:?}");
    // Nor longer than the first of it is young enough.
    let ends = kept::over(&nights.home(), None, Timestamp::MAX).expect("readable");
    let first = ends.iter().map(|(_, end)| end.to_string()).min();
    assert_eq!((ends.len(), first.as_deref()), (2, Some("2026-03-12T08:00:00Z")), "{said:?}");
}

/// What a reader of pages is made of, `build.rs` makes a hash of.
#[test]
fn a_reader_of_other_code_is_another_reader() {
    let script = include_str!("../../../../build.rs");
    let is_part = |path: &str| script.contains(&format!("\"{path}\""));
    let mut folders: Vec<PathBuf> = ["extract", "identity", "source"].map(|part| root().join("src").join(part)).into();
    let mut used = BTreeSet::<String>::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let uses = text.lines().filter_map(|line| line.strip_prefix("use crate::"));
            used.extend(uses.map(|path| if path.starts_with("fetch") { path } else { module(path) }.to_owned()));
        }
    }
    assert!(used.remove("fetch::page_opt_outs;") && is_part("src/fetch/headers.rs") && is_part("Cargo.lock"));
    for module in used {
        let (folder, file) = (format!("src/{module}"), format!("src/{module}.rs"));
        assert!(root().join(&file).exists() || root().join(&folder).exists(), "{module}");
        assert!(is_part(&file) || !root().join(&file).exists(), "{file}");
        assert!(is_part(&folder) || !root().join(&folder).exists(), "{folder}");
    }
}

/// The module at the beginning of a path.
fn module(path: &str) -> &str {
    path.split([':', ';', ' ']).next().unwrap_or(path)
}

#[test]
fn a_host_in_trouble_leaves_what_is_of_use_and_nothing_else() {
    let in_trouble = [rules("{ path: '/unternehmen/team*', status: 503, headers: { retry-after: '1' } }")];
    let nights = Nights::new();
    nights.consents(&["K-2003"]);
    nights.night(&[]);
    nights.night(&in_trouble);
    assert_eq!((nights.statuses(), nights.kept().len()), (vec![Some(304), Some(503)], 2));
    nights.consents(&[]);
    nights.night(&in_trouble);
    assert_eq!((nights.statuses(), nights.kept().len()), (vec![Some(200), Some(503)], 1));
}

#[test]
fn what_a_kill_lost_of_discarding_is_made_up_for_by_the_start_that_goes_on() {
    for says_no in ["status: 404", "headers: { x-robots-tag: noarchive }"] {
        let nights = Nights::new();
        nights.pipeline(&[(PAGES, "[home, team, imprint]")]);
        nights.night(&[]);
        let path = nights.home().join(kept::FILE);
        let before = std::fs::read(&path).expect("readable");
        let changed = [rules(&format!("{{ path: '/unternehmen/team*', {says_no} }}"))];
        // Three files of the host, two pages.
        let stop = StopAt(AtomicUsize::new(5), CancelHandle::new());
        let cancel = stop.1.flag();
        let stopped = nights.try_night(&changed, Options::default(), (cancel, Arc::new(stop)));
        assert!(matches!(stopped, Err(RunError::Cancelled)), "{stopped:?}");
        std::fs::write(&path, before).expect("as a kill leaves it");
        assert_eq!(nights.kept().len(), 3);
        assert_eq!(nights.night(&changed).resumed_fetches, 5);
        assert_eq!(nights.kept().len(), 2, "{says_no}");
    }
}

#[test]
fn a_page_that_says_no_leaves_nothing_in_any_pipeline() {
    let nights = Nights::new();
    nights.pipeline(&[(PAGES, "[home, team, imprint]")]);
    nights.night(&[]);
    nights.pipeline(&[(PAGES, "[home, team, imprint]"), ("name: demo\n", "name: other\n")]);
    nights.night(&[]);
    assert_eq!(nights.kept().len(), 6);
    let rules = rules("{ path: /, headers: { x-robots-tag: noarchive } }, { path: '/unternehmen/team*', status: 410 }");
    nights.night(&[rules, ("/robots.txt", "User-agent: *\nDisallow: /impressum\n".to_owned())]);
    assert_eq!(nights.kept().len(), 0);
}
