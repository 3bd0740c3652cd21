//! Tests are data: Google's cases, where they are at hand, and our own.

use std::path::Path;
use std::time::Duration;

use super::*;

/// Google cases that we answer more strictly: (agent, URL, reason). Each must be in use.
const STRICTER: &[(&str, &str, &str)] = &[];

fn unhex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).expect("the cases are hexadecimal")
}

#[test]
fn google_cases() {
    // Beside the package; a second worktree lies one folder deeper.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places =
        ["..", "../..", "../../.."].iter().map(|up| root.join(up).join("shared/data/robots/google_cases.tsv"));
    let Some(cases) = places.find_map(|path| std::fs::read_to_string(path).ok()) else {
        eprintln!("SKIPPED google_cases: ../shared/data/robots/google_cases.tsv is not at hand");
        return;
    };
    let (mut count, mut wrong, mut used) = (0, Vec::new(), 0);
    for line in cases.lines().filter(|l| l.starts_with("CASE\t")) {
        let field: Vec<&str> = line.split('\t').collect();
        let [_, name, expected, robots, agent, url] = field[..] else { panic!("six fields: {line}") };
        let text = |hex| String::from_utf8(unhex(hex)).expect("agents and URLs are UTF-8");
        let (agent, url) = (text(agent), text(url));
        let answer = Robots::parse(&unhex(robots), &agent).ask(&url);
        count += 1;
        if answer.allowed != (expected == "1") {
            if !answer.allowed && STRICTER.iter().any(|(a, u, _)| *a == agent && *u == url) {
                used += 1;
            } else {
                wrong.push(format!("{name}: agent {agent} url {url} expected {expected}: {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((count, used), (145, STRICTER.len()));
}

/// Each file of testdata/fetch/robots: the robots.txt, a line `#!cases`, then `agent url allow|deny [rule]`.
#[test]
fn own_cases() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fetch/robots");
    let mut count = 0;
    for entry in std::fs::read_dir(dir).expect("testdata/fetch/robots exists") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let (robots, cases) = text.split_once("#!cases\n").expect("a line #!cases");
        for case in cases.lines().filter(|l| !l.trim().is_empty()) {
            let mut words = case.splitn(4, ' ');
            let mut word = || words.next().unwrap_or_default();
            let (agent, url, expected, rule) = (word(), word(), word(), word());
            let answer = Robots::parse(robots.as_bytes(), agent).ask(url);
            assert_eq!(answer.allowed, expected == "allow", "{}: {case}: {answer:?}", path.display());
            assert_eq!(answer.rule.unwrap_or_default(), rule, "{}: {case}", path.display());
            count += 1;
        }
    }
    assert!(count >= 70, "only {count} cases");
}

#[test]
fn crawl_delay_is_read_for_the_agents_group() {
    for (robots, expected) in [
        ("User-agent: *\nCrawl-delay: 5\nDisallow: /x", Some(5.0)),
        ("User-agent: *\nCrawl-delay: 5\nUser-agent: prosopon\nCrawl-delay: 2.5", Some(2.5)),
        ("User-agent: *\nDisallow:\nCrawl-delay: 5\n\nUser-agent: prosopon\nCrawl-delay: 2.5", Some(2.5)),
        ("User-agent: *\nCrawl-delay: 1\nCrawl-delay: 7", Some(7.0)),
        ("User-agent: *\nCrawl-delay: 1,5 # seconds", Some(1.5)),
        ("User-agent: *\nCrawl-delay: 1e300", Some(365.0 * 86400.0)),
        ("User-agent: *\nCrawl-delay: -3", None),
        ("User-agent: *\nCrawl-delay: NaN", None),
        ("User-agent: other\nCrawl-delay: 9", None),
        ("Crawl-delay: 9", None),
    ] {
        let got = Robots::parse(robots.as_bytes(), "prosopon").crawl_delay();
        assert_eq!(got, expected.map(Duration::from_secs_f64), "{robots}");
    }
}

#[test]
fn only_the_first_500_kib_count() {
    let filler = "# filler\n".repeat(60_000);
    let text = format!("User-agent: *\nDisallow: /early\n{filler}Disallow: /late\n");
    let robots = Robots::parse(text.as_bytes(), "prosopon");
    assert!(!robots.ask("http://a.example/early").allowed);
    assert!(robots.ask("http://a.example/late").allowed);
}

/// Hostile files and what a long URL is told. The time is measured by `cargo bench --bench robots`; here the steps are
/// counted, which says the same on any machine.
#[test]
fn hostile_files_cost_little() {
    let url = format!("http://a.example/{}", "a".repeat(2000));
    let binary: Vec<u8> = (0..10_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let rules = |line: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..60_000).map(|i| format!("disallow: {}", line(i))).collect();
        format!("user-agent: *\n{}\n", lines.join("\n")).into_bytes()
    };
    for (name, text, reason) in [
        ("60 wildcards", format!("user-agent: *\ndisallow: /{}b\n", "*a".repeat(60)).into_bytes(), "no_matching_rule"),
        ("a million lines", "\n".repeat(1_000_000).into_bytes(), "no_rules"),
        ("10 MB of one rule", rules(&|_| "/*a*a*a*ab".into()).repeat(10), "no_matching_rule"),
        ("binary", binary, "no_rules"),
        ("many wildcards", rules(&|i| format!("/*a*a*b{i}")), "too_complex"),
        ("many pieces", rules(&|i| format!("/{}{i}", "*a".repeat(100))), "too_complex"),
        ("many encodings", rules(&|i| format!("/*%61*{i}%7e")), "too_complex"),
        ("many plain rules", rules(&|i| format!("/{i}")), "no_matching_rule"),
    ] {
        let answer = Robots::parse(&text, "prosopon").ask(&url);
        assert_eq!((answer.reason, answer.allowed), (reason, reason != "too_complex"), "{name}");
    }
}

#[test]
fn steps_are_bounded_for_every_file() {
    let path = PathQuery::of(&format!("http://a.example/{}", "ab".repeat(1000)));
    for pattern in ["/*a*b*a*b*x", "/*abababababab*x", "/*x", "*", "/a$", "/*aab$"] {
        let mut work = Work::default();
        Pattern::new(pattern.as_bytes()).matches_any_encoding(&path, &mut work);
        assert!(!work.is_too_much(), "{pattern}: {work:?}");
        let mut rules = 0;
        while !work.is_too_much() && rules < 100_000_000 {
            Pattern::new(pattern.as_bytes()).matches_any_encoding(&path, &mut work);
            rules += 1;
        }
        assert!(rules < 1_100_000, "every match counts: {pattern}");
    }
}

#[test]
fn json_lines_are_answered_one_for_one() {
    let input = concat!(
        r#"{"robots":"User-agent: *\nDisallow: /x","agent":"prosopon","url":"http://a.example/x/y"}"#,
        "\n",
        r#"{"robots":"User-agent: *\nDisallow: /x","agent":"","url":""}"#,
        "\n",
        "\n",
        "not json\n",
        r#"{"robots":"","agent":"p","url":"http://a.example/"}"#,
    );
    let mut output = Vec::new();
    robots_lines(input.as_bytes(), &mut output).expect("memory");
    let expected = concat!(
        r#"{"allowed":false,"rule":"Disallow: /x","reason":"matched_rule"}"#,
        "\n",
        r#"{"allowed":true,"rule":null,"reason":"no_matching_rule"}"#,
        "\n",
        r#"{"allowed":false,"rule":null,"reason":"unreadable_input"}"#,
        "\n",
        r#"{"allowed":false,"rule":null,"reason":"unreadable_input"}"#,
        "\n",
        r#"{"allowed":true,"rule":null,"reason":"no_rules"}"#,
        "\n",
    );
    assert_eq!(String::from_utf8(output).expect("JSON"), expected);
}
