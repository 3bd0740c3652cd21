//! What is read and what is left alone on cases of an author who has not seen the readers:
//! `testdata/fetch/optout_blind`.
//!
//! Invariant: of the held-out half only figures are printed; the misses of the other half are printed with `SHOW`.
//!
//! What `dev` expects otherwise, and stays so: r19, HTML in place of robots.txt, is right by RFC 9309, but we take it for a
//! file that could not be had; p22, `Content-Usage: train-ai=n`, is right by the draft, but `docs/politeness.md` has
//! promised to stay away; t03 (open), a reservation of 2, is unset by the report, but nobody writes it who means 0. Two
//! labels go beyond the specifications and are followed: `nosnippet` (p14, p23) is about results of a search, yet evidence
//! quotes the page; of rules of tdmrep.json the first counts (t04), yet authors who think of robots.txt mean the longest.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::headers;
use super::robots::Robots;
use super::rules::{OptOutVerdict, Rules};
use super::tdm::TdmRules;
use crate::model::Account;
use crate::source::{Body, Context, PageKind, Reading, company_site};
use crate::taxonomy::Language;

const AGENT: &str = "prosopon";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Robots,
    Page,
    Tdmrep,
    Terms,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    kind: Kind,
    url: Url,
    #[serde(default)]
    robots: String,
    #[serde(default)]
    tdmrep: String,
    #[serde(default)]
    html: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    status: Option<u16>,
    allowed: Option<bool>,
    reserved: Option<bool>,
    follow: Option<bool>,
    crawl_delay_s: Option<f64>,
    /// Readers may differ; these count apart.
    #[serde(default)]
    open: bool,
    why: String,
}

/// What the program does with the page of a case.
#[derive(Debug)]
struct Done {
    is_read: bool,
    delay: Option<Duration>,
    follows: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Figures {
    cases: u32,
    /// The worst: read, though the site said no.
    read_though_reserved: u32,
    /// These cost coverage.
    left_though_allowed: u32,
    open: u32,
    open_otherwise: u32,
    wrong_delay: u32,
    followed_though_forbidden: u32,
}

/// The body that a file of rules counts as; `None` = it could not be had.
fn served(body: &str, status: u16) -> Option<&[u8]> {
    match status {
        200 | 203 => Some(body.as_bytes()),
        404 | 410 => Some(b""),
        _ => None,
    }
}

fn of_files(case: &Case) -> Done {
    let rules = Rules::new(Duration::from_hours(1));
    let status = case.status.unwrap_or(200);
    let (robots, tdm) = if case.kind == Kind::Robots {
        (served(&case.robots, status), Some(&b""[..]))
    } else {
        (Some(&b""[..]), served(&case.tdmrep, status))
    };
    rules.set_robots(&case.url, robots.and_then(|body| Robots::read(body, AGENT)), Duration::ZERO);
    rules.set_tdm(&case.url, tdm.and_then(TdmRules::parse), Duration::ZERO);
    let is_read = rules.verdict(&case.url) == OptOutVerdict::Allow;
    Done { is_read, delay: rules.crawl_delay(&case.url), follows: is_read }
}

fn as_of() -> Timestamp {
    "2026-03-02T03:00:00Z".parse().expect("an instant")
}

fn read(html: &str, content_type: Option<&str>, url: &Url) -> Reading {
    let context = Context {
        account: &Account::default(),
        contacts: &[],
        members: &[],
        languages: &[Language::German, Language::English],
        as_of: as_of(),
    };
    company_site::read(PageKind::Home, &Body { url, content_type, bytes: html.as_bytes() }, &context)
}

fn of_page(case: &Case) -> Done {
    let mut head = HeaderMap::new();
    for (name, value) in &case.headers {
        let name = HeaderName::try_from(name).expect("a header's name");
        head.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"));
    }
    let content_type = head.get("content-type").and_then(|value| value.to_str().ok());
    let tags = headers::robots_tags(&head, AGENT);
    let is_open = !headers::tdm_reserved(&head) && !tags.is_discarded(as_of()) && !headers::usage_denied(&head);
    // A page without a link of its own would not show whether links are followed.
    let html = format!("{}<a href=\"/impressum\">Impressum</a>", case.html);
    let reading = read(&html, content_type, &case.url);
    let is_read = is_open && reading.opted_out.is_none();
    Done { is_read, delay: None, follows: is_read && !tags.nofollow && !reading.follow_ups.is_empty() }
}

fn count(case: &Case, is_shown: bool, figures: &mut Figures) {
    let done = if matches!(case.kind, Kind::Robots | Kind::Tdmrep) { of_files(case) } else { of_page(case) };
    let may_read = case.allowed.or(case.reserved.map(|reserved| !reserved)).expect("a label");
    let delay = done.delay.map(|delay| delay.as_secs_f64());
    let has_other_delay = case.kind == Kind::Robots && delay != case.crawl_delay_s;
    let is_followed = done.follows && case.follow == Some(false);
    figures.cases += u32::from(!case.open);
    figures.open += u32::from(case.open);
    figures.open_otherwise += u32::from(case.open && done.is_read != may_read);
    figures.read_though_reserved += u32::from(!case.open && done.is_read && !may_read);
    figures.left_though_allowed += u32::from(!case.open && !done.is_read && may_read);
    figures.wrong_delay += u32::from(has_other_delay);
    figures.followed_though_forbidden += u32::from(is_followed);
    if is_shown && (done.is_read != may_read || has_other_delay || is_followed) {
        println!("{} (open: {}) {done:?}: {}", case.id, case.open, case.why);
    }
}

/// The figures of one half; misses are printed of the one that may be looked at.
fn measure(half: &str, is_shown: bool) -> BTreeMap<Kind, Figures> {
    let path = format!("{}/testdata/fetch/optout_blind/{half}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the cases are there");
    let mut all = BTreeMap::<Kind, Figures>::new();
    for line in text.lines() {
        let case: Case = serde_json::from_str(line).expect("a case in the known shape");
        count(&case, is_shown, all.entry(case.kind).or_default());
    }
    assert!(all.len() == 4, "a kind is missing");
    for (kind, figures) in &all {
        println!("{half} {kind:?}: {figures:?}");
    }
    all
}

/// At most so many are read though reserved, left though allowed, and, of the open ones, treated otherwise.
fn check(all: &BTreeMap<Kind, Figures>, most: &[(Kind, u32, u32, u32)]) {
    for (kind, read, left, open) in most {
        let is = &all[kind];
        let within = is.read_though_reserved <= *read && is.left_though_allowed <= *left && is.open_otherwise <= *open;
        assert!(within && is.wrong_delay == 0 && is.followed_though_forbidden == 0, "{kind:?}: {is:?}");
    }
}

#[test]
fn opt_outs_that_were_looked_at() {
    let all = measure("dev", std::env::var_os("SHOW").is_some());
    check(&all, &[(Kind::Robots, 0, 1, 0), (Kind::Page, 0, 1, 0), (Kind::Tdmrep, 0, 0, 1), (Kind::Terms, 0, 0, 0)]);
}

#[test]
fn opt_outs_that_nobody_looked_at() {
    let all = measure("holdout", false);
    check(&all, &[(Kind::Robots, 0, 1, 2), (Kind::Page, 0, 0, 2), (Kind::Tdmrep, 0, 1, 2), (Kind::Terms, 0, 1, 2)]);
}
