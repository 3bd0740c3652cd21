//! `extract`: line formats that other programs rely on.
//!
//! Invariant: keys are exact, unfinished parts are empty and never absent, and no input makes a reader panic.

use serde_json::{Value, json};

use crate::harness::{Said, arg, root, say, say_with, temp};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object")).keys().map(String::as_str).collect()
}

const TITLE_KEYS: [&str; 7] =
    ["title", "job_function", "secondary_functions", "seniority", "signing_power", "language", "evidence"];

fn check_title(line: &Value) {
    assert_eq!(keys(line), TITLE_KEYS, "{line}");
    for facet in ["job_function", "seniority"] {
        assert_eq!(keys(&line[facet]), ["value", "p", "status"], "{line}");
        let known = line[facet]["status"] == "known";
        assert_eq!(known, line[facet]["value"].is_string(), "abstaining is a null with a status: {line}");
        assert!(line[facet]["p"].is_null() || line[facet]["p"].as_f64().is_some_and(|p| (0.0..=1.0).contains(&p)));
    }
    let title: Vec<char> = line["title"].as_str().expect("a text").chars().collect();
    for evidence in line["evidence"].as_array().expect("a list") {
        assert_eq!(keys(evidence), ["span", "means"]);
        let span: Vec<usize> = serde_json::from_value(evidence["span"].clone()).expect("two code points");
        assert!(span[0] < span[1] && span[1] <= title.len(), "{line}");
    }
}

#[test]
fn titles_in_titles_out_line_by_line() {
    let input = "Leiter Einkauf\r\n\r\nGeschäftsführerin 🏭 Technik\nxyzzy\n\nCTO";
    let lines = say_with(&["extract", "title"], input.as_bytes()).expect(0).json_lines();
    lines.iter().for_each(check_title);
    let titles: Vec<&str> = lines.iter().map(|l| l["title"].as_str().expect("a text")).collect();
    assert_eq!(titles, ["Leiter Einkauf", "", "Geschäftsführerin 🏭 Technik", "xyzzy", "", "CTO"]);
    assert_eq!(lines[0]["job_function"]["value"], "procurement");
    assert_eq!(lines[0]["seniority"]["value"], "head");
    assert_eq!(lines[2]["seniority"]["value"], "c_level");
    assert!(lines[1]["job_function"]["value"].is_null() && lines[3]["job_function"]["value"].is_null());
    let dir = temp();
    let file = dir.path().join("titles.txt");
    std::fs::write(&file, input).expect("a file");
    assert_eq!(say(["extract", "title", arg(&file)]).expect(0).json_lines(), lines, "a file says the same");
    assert!(say_with(&["extract", "title", "-"], b"").expect(0).out.is_empty());
}

const PAGE_KEYS: [&str; 16] = [
    "url",
    "language",
    "title",
    "canonical",
    "people",
    "organization",
    "authors",
    "json_ld",
    "microdata",
    "rdfa",
    "mf2",
    "opengraph",
    "feeds",
    "meta_robots",
    "tdm",
    "text",
];

fn page(path: &std::path::Path, url: &str) -> Value {
    say(["extract", "html", arg(path), "--url", url]).expect(0).json()
}

#[test]
fn a_page_has_every_key_whatever_is_on_it() {
    let dir = temp();
    let empty = dir.path().join("empty.html");
    std::fs::write(&empty, "").expect("a file");
    let nothing = page(&empty, "https://muster.example/");
    assert_eq!(keys(&nothing), PAGE_KEYS);
    assert_eq!((&nothing["people"], &nothing["feeds"], &nothing["text"]), (&json!([]), &json!([]), &json!("")));
    assert_eq!((&nothing["mf2"]["items"], &nothing["opengraph"]), (&json!([]), &json!({})));
    for key in ["name", "legal_form", "register", "vat_id", "city"] {
        assert!(nothing["organization"].as_object().is_some_and(|o| o.contains_key(key)), "{key}");
    }
    let team = root().join("testdata/demo/web/hartwig-sondermaschinen.example/unternehmen/team/index.html");
    let full = page(&team, "https://hartwig-sondermaschinen.example/unternehmen/team/");
    assert_eq!((keys(&full), keys(&full["organization"])), (PAGE_KEYS.to_vec(), keys(&nothing["organization"])));
    let people = full["people"].as_array().expect("a list");
    assert!(people.len() >= 4, "{people:#?}");
    for person in people {
        assert_eq!(keys(person), ["name", "job_title", "department", "links", "locator", "syntax"]);
    }
    assert!(full["json_ld"].as_array().is_some_and(|l| !l.is_empty()));
    say(["extract", "html", arg(&team)]).expect(2);
    say(["extract", "html", arg(&team), "--url", "not a url"]).expect(2);
    say(["extract", "html", "no/such/file.html", "--url", "https://muster.example/"]).expect(2);
}

#[test]
fn texts_in_signals_out_line_by_line() {
    let record = |id: &str, text: &str| {
        json!({"id": id, "kind": "bio", "lang": "de", "text": text,
               "contacts": [{"id": "c1", "name": "Eva Muster", "title": "IT-Leiterin"}], "about": "c1"})
    };
    let told = record("a", "Ich teste gern neue Technik und probiere jedes Werkzeug sofort aus.");
    let faith = record("b", "Ich bin aktives Mitglied der evangelischen Kirche und der Gewerkschaft.");
    let input = format!("{told}\nnonsense\n\n{faith}\n{{\"id\": \"c\"}}\n");
    let said = say_with(&["extract", "text"], input.as_bytes());
    assert_eq!(said.code, Some(1), "lines that cannot be read are told: {}", said.err);
    let lines = said.json_lines();
    let (read, failed): (Vec<&Value>, Vec<&Value>) = lines.iter().partition(|l| l["error"].is_null());
    assert_eq!((read.len(), failed.len()), (2, 3), "a line in is a line out, blank ones included: {lines:#?}");
    for line in &read {
        assert_eq!(keys(line), ["id", "signals", "withheld"]);
        for signal in line["signals"].as_array().expect("a list") {
            assert_eq!(keys(signal), ["subject", "family", "value", "polarity", "quote", "span", "p"]);
        }
    }
    assert_eq!((&read[0]["id"], &read[1]["id"]), (&json!("a"), &json!("b")));
    assert!(read[1]["withheld"].as_object().is_some_and(|w| !w.is_empty()), "{}", read[1]);
    let text = lines.iter().map(Value::to_string).collect::<String>().to_lowercase();
    assert!(!text.contains("kirche") && !text.contains("gewerkschaft"), "{text}");
    assert!(said.err.contains("3 of 5 lines"), "{}", said.err);
}

/// Bytes that no reader expects: every byte value, broken UTF-8, deep nesting, long lines.
fn garbage() -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    vec![
        (0..=255).collect(),
        (0..200_000).map(|_| noise()).collect(),
        vec![0; 10_000],
        b"\xff\xfeL\0e\0i\0".to_vec(),
        b"\xef\xbb\xbf".to_vec(),
        b"<div>".repeat(20_000),
        b"{\"id\":".repeat(5_000),
        [b"\"".as_slice(), &b"a".repeat(300_000)].concat(),
        b"<script type=\"application/ld+json\">{\"@type\":\"Person\",\"name\":[[[[{}]]]]}</script><a href=\"http://[\">".to_vec(),
        std::fs::read(env!("CARGO_BIN_EXE_prosopon")).expect("the binary").into_iter().skip(4096).take(100_000).collect(),
    ]
}

#[test]
fn nothing_panics_on_garbage() {
    let commands: [&[&str]; 3] =
        [&["extract", "title"], &["extract", "text"], &["extract", "html", "-", "--url", "https://muster.example/"]];
    let check = |args: &[&str], said: &Said| {
        assert!(matches!(said.code, Some(0 | 1)), "{args:?}: {:?} {}", said.code, said.err);
        assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
        said.json_lines();
    };
    for input in garbage() {
        for args in commands {
            check(args, &say_with(args, &input));
        }
    }
}
