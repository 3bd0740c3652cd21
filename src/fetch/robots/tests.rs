//! Tests are data: Google's cases, where they are at hand, and our own.

use std::path::Path;
use std::time::Duration;

use super::*;

/// Google cases that we answer more strictly: (test, start of the URL, reason). Each must be in use.
const STRICTER: &[(&str, &str, &str)] = &[
    ("GoogleOnly_LineTooLong", "http://foo.bar/x/aaaa", "an `Allow` of which only 16 KiB are read is no permission"),
    ("GoogleOnly_LineTooLong", "http://foo.bar/x/bbbb", "the same; the whole line would not allow this URL either"),
];

fn unhex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).expect("the cases are hexadecimal")
}

/// What `fetch robots` answers.
fn by_command(robots: &[u8], agent: &str, url: &str) -> serde_json::Value {
    let question = serde_json::json!({"robots": String::from_utf8_lossy(robots), "agent": agent, "url": url});
    let mut output = Vec::new();
    robots_lines(question.to_string().as_bytes(), &mut output).expect("memory");
    serde_json::from_slice(&output).expect("one answer")
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
        let answer = Robots::read(&unhex(robots), &agent).expect("text").ask(&url);
        let said = by_command(&unhex(robots), &agent, &url);
        assert_eq!(said, serde_json::to_value(&answer).expect("JSON"), "{name}: the command says otherwise");
        count += 1;
        if answer.allowed != (expected == "1") {
            if !answer.allowed && STRICTER.iter().any(|(test, start, _)| *test == name && url.starts_with(start)) {
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

/// A file of which the limit leaves `head` and the first `kept` bytes of `tail`.
fn cut(head: &str, tail: &str, kept: usize) -> Vec<u8> {
    let filler = MAX_BYTES - head.len() - kept - 1;
    let text = format!("{head}{}\n{tail}", "#".repeat(filler));
    assert_eq!(&text[MAX_BYTES - kept..MAX_BYTES], &tail[..kept]);
    text.into_bytes()
}

/// Asks a cut file as it is, and as the fetcher hands it on: cut already.
fn ask_cut(text: &[u8], url: &str) -> RobotsAnswer {
    let answer = Robots::parse(text, "prosopon").ask(url);
    assert_eq!(Robots::parse(&text[..MAX_BYTES], "prosopon").ask(url), answer);
    answer
}

#[test]
fn half_a_permission_is_none() {
    let (head, tail) = ("User-agent: *\nDisallow: /\n", "Allow: /x/only/this\n");
    for kept in 0..tail.len() {
        for url in ["http://a.example/", "http://a.example/x/on", "http://a.example/x/only/this"] {
            assert!(!ask_cut(&cut(head, tail, kept), url).allowed, "{kept} bytes, {url}");
        }
    }
    // Once its end was read, it counts; also where only its comment is cut.
    assert!(ask_cut(&cut(head, tail, tail.len()), "http://a.example/x/only/this").allowed);
    let noted = "Allow: /x # only for a while";
    assert!(ask_cut(&cut(head, noted, noted.len() - 3), "http://a.example/x").allowed);
    // A whole file of one byte less may end without a line end.
    let (mut whole, end) = (cut(head, "Allow: /x", 9), MAX_BYTES - 1);
    whole.remove(head.len());
    assert!(whole.len() == end && Robots::parse(&whole, "prosopon").ask("http://a.example/x").allowed);
}

/// A prohibition whose end is missing must forbid no less than a file without it, and reach what the whole one does.
#[test]
fn half_a_prohibition_stays() {
    let head = "User-agent: *\nDisallow: /early\n";
    for (line, url) in [
        ("Disallow: /late/x", "http://a.example/late/x"),
        ("Disallow: /caf%C3%A9/%7ex", "http://a.example/caf%C3%A9/~x"),
        ("Disallow: /*.pdf$", "http://a.example/a.pdf"),
    ] {
        for kept in 0..=line.len() {
            let text = cut(head, line, kept);
            assert!(!ask_cut(&text, "http://a.example/early").allowed, "{line}: {kept}");
            assert_eq!(ask_cut(&text, url).allowed, kept <= "Disallow: ".len(), "{line}: {kept}");
        }
    }
}

#[test]
fn a_group_of_which_the_rules_are_cut_off_allows_nothing() {
    let (head, tail) = ("User-agent: *\nDisallow: /\n", "User-agent: prosopon-news\nDisallow: /news\n");
    for kept in 0..tail.len() {
        assert!(!ask_cut(&cut(head, tail, kept), "http://a.example/x").allowed, "{kept}");
    }
    let own = "User-agent: prosopon\nDisallow: /news\n";
    for kept in 0..=own.len() {
        // With `/n` our group has a rule of its own, which is not about the page.
        let is_ours = kept > "User-agent: prosopon\nDisallow: /".len();
        assert_eq!(ask_cut(&cut(head, own, kept), "http://a.example/x").allowed, is_ours, "{kept}");
    }
    // What was said of us before stays said.
    let before = "User-agent: *\nDisallow: /\n\nUser-agent: prosopon\nDisallow:\n";
    assert!(ask_cut(&cut(before, "User-agent: other\nDisallow: /", 18), "http://a.example/x").allowed);
}

#[test]
fn over_long_lines() {
    let url = "http://a.example/x";
    let blanks = " ".repeat(MAX_LINE);
    for (line, allowed) in [
        (format!("Allow: /{}/only", "*".repeat(MAX_LINE)), false),
        (format!("Allow: /x{blanks}"), true),
        (format!("Allow: /x{blanks}# a comment"), true),
        (format!("Allow: /x{blanks}y"), false),
        (format!("User-agent: {}prosopon-news\nAllow: /", " ".repeat(MAX_LINE - 20)), false),
        (format!("User-agent: prosopon/{}\nAllow: /", "9".repeat(MAX_LINE)), true),
        (format!("User-agent: {}\nAllow: /", "a".repeat(MAX_LINE)), false),
    ] {
        let text = format!("User-agent: *\nDisallow: /\n{line}\n");
        let start: String = line.chars().take(30).collect();
        assert_eq!(Robots::parse(text.as_bytes(), "prosopon").ask(url).allowed, allowed, "{start}");
    }
    // What stands behind the star is lost either way; the rules below are not.
    let text = format!("User-agent: * {}\nDisallow: /\n", "x".repeat(MAX_LINE));
    assert!(!Robots::parse(text.as_bytes(), "prosopon").ask(url).allowed);
    let text = format!("User-agent: *\nDisallow: /{}$", "*".repeat(MAX_LINE));
    assert!(!Robots::parse(text.as_bytes(), "prosopon").ask(url).allowed);
}

/// The command must not answer more leniently than the fetcher, whatever stands in place of a robots.txt.
#[test]
fn the_command_judges_as_the_fetcher_does() {
    for (robots, agent, url, allowed, reason) in [
        ("<!doctype html><title>Shop</title>", "prosopon", "http://a.example/x", false, "unreachable"),
        ("\n <html>User-agent: *\nAllow: /", "prosopon", "http://a.example/x", false, "unreachable"),
        ("\u{feff}<p>User-agent: *", "", "", false, "unreachable"),
        ("%PDF-1.7", "prosopon", "http://a.example/x", false, "unreachable"),
        ("User-agent: *\nAllow: /\n\0", "prosopon", "http://a.example/x", false, "unreachable"),
        (
            "User-agent: *\nContent-Usage: train-ai=n\nAllow: /",
            "prosopon",
            "http://a.example/x",
            false,
            "content_usage",
        ),
        ("User-agent: *\nContent-Usage: train-ai=n", "", "", false, "content_usage"),
        ("User-agent: *\nContent-Usage: /x tdm=n\nAllow: /", "prosopon", "http://a.example/y", true, "matched_rule"),
        ("User-agent: *\nContent-Usage: train-ai=n", "prosopon", "http://a.example/robots.txt", true, "no_rules"),
        ("User-agent: *\nContent-Usage: all=n\nDisallow: /", "prosopon", "http://a.example/", false, "matched_rule"),
        ("", "", "", true, "no_rules"),
        ("User-agent: *\nDisallow: /", "", "", false, "matched_rule"),
    ] {
        let said = by_command(robots.as_bytes(), agent, url);
        assert_eq!((&said["allowed"], &said["reason"]), (&allowed.into(), &reason.into()), "{robots:?} {url:?}");
    }
    // Bytes that JSON cannot carry.
    for body in [&b"\x89PNG\r\n\x1a\n"[..], b"\xFF\xFEU\0s\0e\0r\0", b"\xFE\xFF\0U\0s", b"\x1F\x8B\x08\0"] {
        assert_eq!(Robots::read(body, "prosopon"), None, "{body:?}");
    }
    assert!(
        !by_command(b"\x89PNG\r\n\x1a\n\0", "prosopon", "http://a.example/x")["allowed"].as_bool().expect("a word")
    );
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

#[test]
fn what_is_plainly_meant_forbids() {
    for (robots, url, expected) in [
        ("User-agent: one, Prosopon, two\nDisallow: /a", "/a", "matched_rule"),
        ("User-agent: one, prosopon\nAllow: /a\n\nUser-agent: *\nDisallow: /", "/a", "matched_rule"),
        ("User-agent: one, prosopon\nDisallow: /\n\nUser-agent: *\nAllow: /", "/a", "matched_rule"),
        ("User-agent: one, prosopons\nDisallow: /a", "/a", ""),
        ("User-agent: *\nDisallow: staff/", "/staff/x", "matched_rule"),
        ("User-agent: *\nDisallow: https://a.example/staff/", "/staff/x", "matched_rule"),
        ("User-agent: *\nDisallow: /\nAllow: staff/", "/staff/x", "matched_rule"),
        ("User-agent: *\nContent-Signal: search=yes, ai-input=no\nAllow: /", "/a", "content_usage"),
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /", "/a", ""),
        ("User-agent: other\nContent-Signal: ai-input=no", "/a", ""),
        (
            "# Text und Data Mining\n# (§ 44b UrhG) bleibt\n# vorbehalten.\nUser-agent: *\nAllow: /",
            "/a",
            "reserved_in_comment",
        ),
        ("# Do not crawl the search.\nUser-agent: *\nDisallow: /search", "/a", ""),
    ] {
        let answer = Robots::read(robots.as_bytes(), "prosopon").expect("text").ask(url);
        let denied = if answer.allowed { "" } else { answer.reason };
        assert_eq!(denied, expected, "{robots}");
    }
}
