//! The labelled set, the contract of the lines, and properties that hold for every text.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    id: String,
    kind: TextKind,
    lang: String,
    text: String,
    contacts: Vec<TextContact>,
    about: Option<String>,
    expect: Vec<Expected>,
}

#[derive(Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
#[serde(deny_unknown_fields)]
struct Expected {
    subject: String,
    family: String,
    value: String,
    polarity: Polarity,
}

const LABELLED: &str = include_str!("../../../testdata/text/signals.jsonl");
const LABELLED_FRESH: &str = include_str!("../../../testdata/text/signals_fresh.jsonl");

fn labelled(set: &str) -> Vec<(Labelled, BTreeSet<Expected>)> {
    set.lines()
        .map(|line| {
            let label: Labelled = serde_json::from_str(line).expect("test data is sound");
            let record = TextRecord {
                id: label.id.clone(),
                kind: label.kind,
                lang: Some(label.lang.clone()),
                text: label.text.clone(),
                contacts: label.contacts.clone().into(),
                about: label.about.clone(),
                company: None,
            };
            let found = read_text(&record).signals.into_iter();
            let found =
                found.map(|s| Expected { subject: s.subject, family: s.family, value: s.value, polarity: s.polarity });
            (label, found.collect())
        })
        .collect()
}

#[test]
fn every_signal_of_the_labelled_set_is_right_and_most_are_found() {
    let read = labelled(LABELLED);
    let silent = read.iter().filter(|(label, _)| label.expect.is_empty()).count();
    assert!(read.len() >= 80 && silent * 2 >= read.len(), "{} texts, {silent} without a signal", read.len());
    check_labelled(&read);
}

#[test]
fn every_signal_of_the_fresh_set_is_right_and_most_are_found() {
    let read = labelled(LABELLED_FRESH);
    assert!(read.len() >= 60, "{} texts", read.len());
    check_labelled(&read);
}

fn check_labelled(read: &[(Labelled, BTreeSet<Expected>)]) {
    let (mut right, mut due, mut wrong, mut missed) = (0, 0, Vec::new(), Vec::new());
    for (label, found) in read {
        due += label.expect.len();
        right += label.expect.iter().filter(|e| found.contains(e)).count();
        wrong.extend(
            found.iter().filter(|f| !label.expect.contains(f)).map(|f| format!("{} {:?}: {f:?}", label.id, label.text)),
        );
        missed.extend(
            label.expect.iter().filter(|e| !found.contains(e)).map(|e| format!("{} {:?}: {e:?}", label.id, label.text)),
        );
    }
    println!("recall {right} of {due}, missed:\n{}", missed.join("\n"));
    assert!(wrong.is_empty(), "wrong:\n{}", wrong.join("\n"));
    assert!(right * 10 >= due * 9, "recall {right} of {due}, missed:\n{}", missed.join("\n"));
}

/// Whose view it is, and what makes it nobody's, where topic and stance stand apart: the goal to cut costs.
#[test]
fn parts_of_a_statement_go_to_the_one_whose_view_they_are() {
    let contacts = [("c1", "Karen Ashdown"), ("c2", "Deepak Raman"), ("c3", "Julia Felsner")];
    let contacts: Vec<TextContact> =
        contacts.map(|(id, name)| TextContact { id: id.into(), name: name.into(), title: None }).into();
    for (kind, about, text, whose) in [
        (TextKind::Note, "c1", "Main thing on her desk this quarter: bringing the spend down.", Some("c1")),
        (TextKind::Note, "c1", "Called Karen re renewal. She has to find savings of 8% this year.", Some("c1")),
        // A given name tells the form: `she` is not Deepak.
        (TextKind::Note, "c2", "Called Karen re renewal. She has to find savings of 8% this year.", Some("c1")),
        (TextKind::Note, "c2", "Called Karen re renewal. He has to find savings of 8% this year.", None),
        (TextKind::Note, "c2", "Karen says she has to find savings of 8% this year.", Some("c1")),
        (TextKind::Note, "c1", "Top of Deepak's list: getting costs under control.", Some("c2")),
        (TextKind::Note, "c2", "Karens Ziel ist es, bei den Frachtkosten kräftig zu sparen.", Some("c1")),
        (TextKind::Note, "c2", "karen has to bring the freight spend down", Some("c1")),
        (TextKind::Note, "c2", "Muss dieses Jahr die Ausgaben senken.", Some("c2")),
        (TextKind::Bio, "c3", "Head of service. My mission: bringing the running costs down.", Some("c3")),
        (TextKind::Note, "c1", "Our goal is to bring the costs down for Karen.", None),
        (TextKind::Note, "c1", "Does Karen have to bring the costs down?", None),
        (TextKind::Note, "c1", "If sales drop Karen has to bring the costs down.", None),
        (TextKind::Note, "c1", "Karen does not have to bring the costs down.", None),
        (TextKind::Note, "c1", "Karen's boss has to bring the costs down.", None),
        (TextKind::Note, "c1", "Karen had to bring the costs down last year.", None),
        (TextKind::Note, "c1", "Karen probably has to bring the costs down.", None),
        (TextKind::Note, "c1", "Karen explained it: the ministry has to bring the costs down.", None),
        (TextKind::Note, "c1", "Karen told Deepak that Julia and he have to bring the costs down.", None),
        (TextKind::Note, "none", "They have to bring the costs down.", None),
        (TextKind::Note, "c1", "Tom Bexley from the warehouse was there too, he has to bring the costs down.", None),
        (TextKind::Bio, "c3", "My boss has to bring the costs down.", None),
        (TextKind::Note, "c1", "Had a call with Karen. Her CFO has to bring the costs down.", None),
        (TextKind::Note, "c1", "Had a call with Karen. His brother has to bring the costs down.", None),
        (TextKind::Note, "c1", "Had a call with Karen. Her main goal is to bring the costs down.", Some("c1")),
        (TextKind::Post, "c3", "Petra wrote: I have to bring the costs down.", None),
        (TextKind::Post, "c3", "RT @petra: I have to bring the costs down.", None),
    ] {
        let record = TextRecord {
            id: String::new(),
            kind,
            lang: None,
            text: text.to_owned(),
            contacts: contacts.clone().into(),
            about: (about != "none").then(|| about.to_owned()),
            company: None,
        };
        let said = read_text(&record).signals.into_iter().filter(|s| s.value == "cut_costs").map(|s| s.subject);
        assert_eq!(said.collect::<Vec<_>>(), whose.into_iter().collect::<Vec<_>>(), "{text}");
        check_spans(&record);
    }
}

#[test]
fn a_complaint_may_take_up_what_the_sentence_before_spoke_of() {
    let post = |text: &str| TextRecord { kind: TextKind::Post, about: Some("c1".into()), ..note(text) };
    let pains = |record: &TextRecord| {
        let said = read_text(record).signals.into_iter().filter(|s| s.family == "pain");
        said.map(|s| (s.value, s.quote)).collect::<Vec<_>>()
    };
    let told = pains(&post("Schon wieder drei Wochen Lieferverzug. Das nervt mich langsam richtig."));
    assert_eq!(told, [("late_deliveries".to_owned(), "Schon wieder drei Wochen Lieferverzug".to_owned())]);
    assert_eq!(pains(&post("Ein Kunde klagte über Lieferverzug. Heute war die Messe gut besucht.")), []);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleNotes {
    contacts: Vec<TextContact>,
    cases: Vec<RoleNote>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleNote {
    #[serde(default)]
    lang: Option<String>,
    text: String,
    #[serde(default)]
    about: Option<String>,
    #[serde(default)]
    company: Option<String>,
    /// `subject role polarity`.
    expect: BTreeSet<String>,
}

#[test]
fn roles_in_notes_go_to_the_right_person_or_to_nobody() {
    let set: RoleNotes = serde_saphyr::from_str(include_str!("../../../testdata/text/roles.yaml")).expect("test data");
    let (mut right, mut due, mut wrong, mut missed) = (0, 0, Vec::new(), Vec::new());
    for case in &set.cases {
        let about = case.about.clone().unwrap_or_else(|| "c2".into());
        let record = TextRecord {
            id: String::new(),
            kind: TextKind::Note,
            lang: Some(case.lang.clone().unwrap_or_else(|| "de".into())),
            text: case.text.clone(),
            contacts: set.contacts.clone().into(),
            about: (about != "none").then_some(about),
            company: case.company.clone(),
        };
        let sign = |p| if p == Polarity::Plus { "+" } else { "-" };
        let said = read_text(&record).signals.into_iter().filter(|s| s.family == "buying_role");
        let said: BTreeSet<String> = said.map(|s| format!("{} {} {}", s.subject, s.value, sign(s.polarity))).collect();
        due += case.expect.len();
        right += case.expect.intersection(&said).count();
        wrong.extend(said.difference(&case.expect).map(|s| format!("{:?}: {s}", case.text)));
        missed.extend(case.expect.difference(&said).map(|s| format!("{:?}: {s}", case.text)));
        check_spans(&record);
    }
    let silent = set.cases.iter().filter(|c| c.expect.is_empty()).count();
    assert!(set.cases.len() >= 100 && silent * 2 >= set.cases.len(), "{} cases, {silent} silent", set.cases.len());
    println!("recall {right} of {due}, missed:\n{}", missed.join("\n"));
    assert!(wrong.is_empty(), "wrong:\n{}\nmissed:\n{}", wrong.join("\n"), missed.join("\n"));
    assert!(right * 10 >= due * 9, "recall {right} of {due}, missed:\n{}", missed.join("\n"));
}

fn note(text: &str) -> TextRecord {
    let contacts = vec![
        TextContact { id: "c1".into(), name: "Sabine Waldschmitt".into(), title: None },
        TextContact { id: "c2".into(), name: "Thomas Ruckdeschl".into(), title: None },
    ];
    TextRecord {
        id: "n".into(),
        kind: TextKind::Note,
        lang: None,
        text: text.into(),
        contacts: contacts.into(),
        about: None,
        company: None,
    }
}

fn check_spans(record: &TextRecord) {
    let chars: Vec<char> = record.text.chars().collect();
    for signal in read_text(record).signals {
        let [start, end] = signal.span;
        assert_eq!(signal.quote, chars[start..end].iter().collect::<String>());
        assert!(start < end && signal.p > 0.0 && signal.p < 1.0);
    }
}

#[test]
fn spans_are_code_points_of_the_original() {
    let record = note("🙂🙂 Er ist krank. \u{202e}Größe: ok. Letzt\u{ad}lich ent\u{ad}scheidet Frau Waldschmitt!");
    let reading = read_text(&record);
    assert_eq!(reading.signals.len(), 1);
    assert_eq!(reading.withheld.len(), 1);
    assert!(reading.signals[0].quote.ends_with("Waldschmitt"));
    check_spans(&record);
}

#[test]
fn every_line_gets_its_answer_in_order() {
    let input = concat!(
        r#"{"id":"a","kind":"note","text":"Letztlich entscheidet Frau Adlhoch.","contacts":[{"id":"c","name":"Kim Adlhoch","title":"x"}],"about":null}"#,
        "\n{\"id\":\"b\",\"kind\":\"secret kind\"}\n\nnot json\n",
        r#"{"id":"c","kind":"bio","text":"","contacts":[]}"#,
        "\n\u{feff}{}"
    );
    let mut output = Vec::new();
    let report = text_lines(input.as_bytes(), &mut output).expect("memory");
    assert_eq!(report, LinesReport { read: 2, failed: 4 });
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output).expect("utf-8").lines().map(|l| serde_json::from_str(l).expect("json")).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0]["signals"][0]["value"], "decider");
    assert_eq!(lines[0]["signals"][0]["span"], serde_json::json!([0, 34]));
    assert_eq!(lines[1]["error"]["line"], 2);
    assert!(lines[1]["id"] == "b" && !lines[1].to_string().contains("secret"));
    assert_eq!(lines[2]["error"]["message"], "empty line");
    assert_eq!(lines[4]["id"], "c");
    assert!(text_lines(&b"\xff\xfe\n"[..], Vec::new()).expect("memory").failed == 1);
}

#[test]
fn a_bad_line_names_its_field_and_nothing_else() {
    for (line, id, says) in [
        (r#"{"id":"a","kind":"bio"}"#, Some("a"), "`text` is missing"),
        (r#"{"id":"a","kind":"secret","text":""}"#, Some("a"), "`kind` is not one of"),
        (r#"{"id":"a","text":"secret","kind":7}"#, Some("a"), "`kind` is not a string"),
        (r#"{"id":7,"kind":"bio","text":"secret"}"#, None, "`id` is not a string"),
        (r#"{"id":"a","kind":"bio","text":"secret","about":["secret"]}"#, Some("a"), "`about` is not a string"),
        (r#"{"id":"a","kind":"bio","text":"secret","contacts":{}}"#, Some("a"), "`contacts` is not a list"),
        (
            r#"{"id":"a","kind":"bio","text":"","contacts":[{"id":"c","name":"x"},{"id":"secret"}]}"#,
            Some("a"),
            "`contacts[1]` lacks `name`",
        ),
        (r#"{"id":"a","kind":"bio","text":"","contacts":["secret"]}"#, Some("a"), "`contacts[0]` is not an object"),
        (r#"{"id":"a","kind":"bio","text":"","secret":1}"#, Some("a"), "unknown field"),
        (r#"{"id":"a","kind":"bio","text":"","text":"secret"}"#, Some("a"), "twice"),
        (r#"["secret"]"#, None, "not a text record"),
        ("", None, "empty line"),
        (" \t\r", None, "empty line"),
    ] {
        let mut output = Vec::new();
        let report = text_lines(format!("{line}\n").as_bytes(), &mut output).expect("memory");
        let answer: serde_json::Value = serde_json::from_slice(&output).expect("json");
        assert_eq!((report.failed, answer["id"].as_str()), (1, id), "{line}");
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains(says) && !answer.to_string().contains("secret"), "{line}: {message}");
    }
}

#[test]
fn a_byte_order_mark_does_not_break_the_first_line() {
    let line = r#"{"id":"a","kind":"note","text":""}"#;
    let read = |input: String| text_lines(input.as_bytes(), Vec::new()).expect("memory");
    assert_eq!(read(format!("\u{feff}{line}\r\n{line}\n")), LinesReport { read: 2, failed: 0 });
    assert_eq!(read(format!("{line}\n\u{feff}{line}\n")), LinesReport { read: 1, failed: 1 });
}

#[test]
fn a_megabyte_is_read_in_linear_time() {
    let time = |pattern: &str, size: usize| {
        let record = note(&pattern.repeat(size / pattern.len()));
        let start = std::time::Instant::now();
        let _ = read_text(&record);
        start.elapsed().as_secs_f64()
    };
    for pattern in
        ["Herr Ruckdeschl entscheidet allein. ", "a b c ", "kr4nk*", "Waldschmitt ", "\n", "\u{ad}", "((((", "&amp;<b>"]
    {
        // Ten times the text; quadratic work would take a hundred times as long.
        let (small, large) = (time(pattern, 20_000), time(pattern, 200_000));
        assert!(large < small.max(0.02) * 40.0, "{pattern:?}: {small} s, {large} s");
    }
    assert!(time("Er nutzt die Anlage 🙂 täglich. ", 1_000_000) < 60.0);
}

#[test]
fn quotes_are_safe_to_show() {
    assert_eq!(scrub_quote("Er ist krank."), None);
    assert_eq!(scrub_quote("   "), None);
    assert_eq!(scrub_quote("=1+1").as_deref(), Some("1+1"));
    assert_eq!(scrub_quote(" +-@=SUM(A1)").as_deref(), Some("SUM(A1)"));
    assert_eq!(scrub_quote("a <b> & c").as_deref(), Some("a &lt;b&gt; & c"));
    assert_eq!(scrub_quote("x\u{1b}[31mred\u{7}\nnext").as_deref(), Some("x[31mred next"));
    assert_eq!(scrub_quote("mail kim.adlhoch@muster.example now").as_deref(), Some("mail [e-mail] now"));
    assert_eq!(scrub_quote("ruf +49 30 23125-123 an").as_deref(), Some("ruf [phone] an"));
    assert_eq!(
        scrub_quote("Werk 2, 80 mm, 2026-03-02, 1.250 Stück").as_deref(),
        Some("Werk 2, 80 mm, 2026-03-02, 1.250 Stück")
    );
    assert_eq!(scrub_quote(&"ä".repeat(400)).map(|q| q.chars().count()), Some(300));
}

proptest! {
    #[test]
    fn no_text_panics_and_spans_fit(text in "(\\PC|Herr Ruckdeschl |entscheidet allein|Sie |krank|\\. |\n|\"|\u{ad}|ich ){0,40}") {
        check_spans(&note(&text));
    }

    #[test]
    fn scrubbing_twice_is_scrubbing_once(text in "(\\PC|k r a n k|krank|Er fehlt|Das |\\. |\n|\n\n|- |a |<b>|&auml;|Kran-\n|1|\u{200b}|Budget){0,30}") {
        let once = guard::scrub(&text, None).0.text();
        let (twice, withheld) = guard::scrub(&once, None);
        prop_assert_eq!(twice.text(), once);
        prop_assert!(withheld.is_empty());
    }

    #[test]
    fn what_is_not_withheld_is_unchanged(text in "\\PC{0,60}") {
        let (scrubbed, withheld) = guard::scrub(&text, None);
        if withheld.is_empty() {
            prop_assert_eq!(scrubbed.text(), text);
        } else {
            prop_assert!(scrubbed.text().chars().count() <= text.chars().count() + 2);
        }
    }

    #[test]
    fn no_quote_can_act(text in "(\\PC|\u{1b}|=|@|<|>|a@b\\.example|\n|\t){0,50}") {
        if let Some(quote) = scrub_quote(&text) {
            prop_assert!(!quote.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert!(!quote.chars().any(|c| c.is_control() || matches!(c, '<' | '>')));
            prop_assert!(quote.chars().count() <= 300 && !quote.is_empty());
        }
    }
}
