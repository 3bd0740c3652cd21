//! Reservations that must be seen, and near misses that are none: `testdata/reservation`.

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::extract::html::read_page;

/// A line each: `1` or `0`, a tab, the text with `\n` between its blocks.
const CASES: &str = include_str!("../../../testdata/reservation/cases.tsv");

#[test]
fn plain_reservations_are_seen_and_their_neighbours_are_not() {
    let mut seen = 0;
    for line in CASES.lines() {
        let (is_reserved, text) = line.split_once('\t').expect("a tab");
        assert_eq!(reserves(&text.replace("\\n", "\n")), is_reserved == "1", "{text}");
        seen += 1;
    }
    assert!(seen >= 100, "cases are missing");
}

#[test]
fn comments_for_crawlers_speak_for_the_site_only_if_they_name_mining_or_consent() {
    for (text, expected) in [
        ("Text und Data Mining (§ 44b UrhG) bleibt vorbehalten.", true),
        ("The use of robots to access this site without our express permission is strictly prohibited.", true),
        ("Do not crawl the search pages.", false),
        ("Bots must not crawl the shop's filters.", false),
        (
            "Any restrictions expressed via content signals are express reservations of rights under Article 4 of the \
          European Union Directive 2019/790.",
            false,
        ),
    ] {
        assert_eq!(reserves_site(text), expected, "{text}");
    }
}

#[test]
fn what_a_page_says_to_machines_counts_too() {
    let url = Url::parse("https://musterwerk.example/").expect("an address");
    for (html, expected) in [
        (
            "<footer>Text-&nbsp;und Data&#8209;Mi&shy;ning: alle Rech&shy;te vorbehalten (§&nbsp;44b UrhG)</footer>",
            true,
        ),
        ("<meta name=Rights content='TDM vorbehalten'>", true),
        (
            "<script type=application/ld+json>{\"@graph\":[{\"copyrightNotice\":\"Text and data mining is reserved.\"}]}</script>",
            true,
        ),
        ("<meta name=copyright content='Musterwerk GmbH, alle Rechte vorbehalten'>", false),
        ("<!-- Text und Data Mining ist untersagt. --><p>Musterwerk</p>", false),
    ] {
        assert_eq!(is_of_page(&read_page(html.as_bytes(), None, &url)), expected, "{html}");
    }
}

#[test]
fn hostile_texts_cost_little() {
    for piece in ["text und data ", "darf automatisch ", "nicht ", "a. \"mining ", "mining:\n", "reserve data rights "]
    {
        std::hint::black_box(reserves(&piece.repeat(MAX_TEXT / piece.len() + 1)));
    }
}

proptest! {
    #[test]
    fn never_panics(text in "([a-zäß„“.;:?\n ]|data mining|darf nicht|vorbehalten|\\PC){0,60}") {
        std::hint::black_box(reserves(&text));
    }
}

/// Pages as they are, none of which reserves anything.
#[test]
fn ordinary_pages_reserve_nothing() {
    let url = Url::parse("https://musterwerk.example/").expect("an address");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut folders = vec![root.join("html/blind_dev"), root.join("demo/web"), root.join("jobs_blind/dev")];
    let mut pages = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "html") {
                let html = std::fs::read(&path).expect("a readable page");
                assert!(!is_of_page(&read_page(&html, None, &url)), "{}", path.display());
                pages += 1;
            }
        }
    }
    assert!(pages > 50, "pages are missing");
}
