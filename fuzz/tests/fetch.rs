//! The fetch layer's readers of what strangers write: nothing panics, nothing takes long, prohibitions are total.

use prosopon::extract::feed::read_feed;
use prosopon::fetch::{Robots, TdmRules, check_text, check_url, judge_cached, page_opt_outs};

/// Splits at the first zero: a file and what is asked of it.
fn two(input: &[u8]) -> (&[u8], String) {
    let at = input.iter().position(|b| *b == 0).unwrap_or(input.len());
    (&input[..at], String::from_utf8_lossy(input.get(at + 1..).unwrap_or_default()).into_owned())
}

#[test]
fn robots() {
    bolero::check!().with_max_len(1 << 16).for_each(|input: &[u8]| {
        let (file, url) = two(input);
        let rules = Robots::parse(file, "prosopon");
        let answer = rules.ask(&url);
        assert!(answer.allowed || answer.rule.is_some() || answer.reason == "too_complex");
        assert!(rules.ask("http://a.example/robots.txt").allowed);
        let closed = [file, b"\nUser-agent: prosopon\nDisallow: /\n"].concat();
        let denied = Robots::parse(&closed, "prosopon").ask("http://a.example/");
        assert!(denied.rule.is_some() || denied.reason == "too_complex");
    });
}

#[test]
fn tdm() {
    bolero::check!().with_max_len(1 << 16).for_each(|input: &[u8]| {
        let (file, url) = two(input);
        if let Some(rules) = TdmRules::parse(file) {
            let _ = rules.reserved_by(&url);
        }
    });
}

#[test]
fn url_guard() {
    bolero::check!().with_max_len(4096).for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let Ok(url) = check_text(&text) else { return };
        let host = check_url(&url).expect("it passed").to_owned();
        assert!(matches!(url.scheme(), "http" | "https") && matches!(url.port_or_known_default(), Some(80 | 443)));
        assert!(url.username().is_empty() && url.password().is_none());
        assert!(host.parse::<std::net::IpAddr>().is_err() && host.contains('.') && !host.ends_with("localhost"));
        assert!(check_text(url.as_str()).is_ok(), "the normal form passes too");
    });
}

#[test]
fn meta_tags() {
    bolero::check!().with_max_len(4096).for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(input).into_owned();
        let _ = page_opt_outs(std::slice::from_ref(&text), None, "prosopon");
        let closed = [text, "noindex".to_owned()];
        assert!(page_opt_outs(&closed, None, "prosopon").is_some(), "a tag that forbids is not undone by another");
    });
}

#[test]
fn charset() {
    let url = "http://a.example/".parse().expect("a URL");
    bolero::check!().with_max_len(1 << 14).for_each(|input: &[u8]| {
        let (label, _) = two(input);
        let label = String::from_utf8_lossy(label).into_owned();
        let _ = prosopon::extract::html::read_page(input, Some(&format!("text/html; charset={label}")), &url);
    });
}

#[test]
fn cache_headers() {
    const BODY: &[u8] = b"User-agent: *";
    bolero::check!().with_max_len(1 << 13).for_each(|input: &[u8]| {
        let (status, rest) = match input {
            [a, rest @ ..] if *a < 128 => (200, rest),
            [a, b, rest @ ..] => (u16::from_be_bytes([*a & 3, *b]), rest),
            _ => (200, input),
        };
        let (request, answer) = two(rest);
        // Later never becomes fresher, and what must not be stored is not.
        let at = [0, 1, 999, 60_000, 86_400_000, i64::MAX / 2];
        let judged = judge_cached(request, status, answer.as_bytes(), BODY, &at);
        if let Some(judged) = &judged {
            assert!(judged.fresh.is_sorted_by(|a, b| a >= b), "{:?}", judged.fresh);
            assert!(matches!(judged.ask.len(), 0..=2) && judged.served.1 <= BODY.len());
        }
        let closed = [answer.as_bytes(), b"\ncache-control: no-store\n"].concat();
        assert!(judge_cached(request, status, &closed, BODY, &at).is_none() || answer.lines().count() >= 100);
        // A directive only ever adds: whoever also says no-cache is always asked.
        let strict = [answer.as_bytes(), b"\ncache-control: no-cache\n"].concat();
        if let Some(judged) = judge_cached(request, status, &strict, BODY, &at) {
            assert!(judged.fresh.iter().all(|fresh| !fresh) || answer.lines().count() >= 100);
        }
    });
}

#[test]
fn feed() {
    bolero::check!().with_max_len(1 << 16).for_each(|input: &[u8]| {
        // Most random bytes are no XML at all.
        let head = b"<rss version=\"2.0\"><channel><item><title>".as_slice();
        for body in [input, &[head, input].concat()] {
            if let Ok(feed) = read_feed(body, None, 20, jiff::Timestamp::MAX) {
                assert!(feed.entries.len() <= 20);
                assert!(feed.entries.windows(2).all(|pair| pair[0].published >= pair[1].published));
            }
        }
    });
}
