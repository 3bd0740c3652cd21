//! Header readings as tables.

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, value.parse().expect("a header value"));
    }
    map
}

fn now() -> Timestamp {
    "2026-03-02T03:00:00Z".parse().expect("an instant")
}

#[test]
fn days_are_read_in_the_usual_forms() {
    for (text, day) in [
        ("25 Jun 2010 15:00:00 PST", "2010-06-25"),
        ("25-Aug-2007 15:00:00 EST", "2007-08-25"),
        ("Monday, 02-Mar-26 03:02:00 GMT", "2026-03-02"),
        ("2020-09-21", "2020-09-21"),
        ("2020-09-21T12:00:00+02:00", "2020-09-21"),
        ("Jun 5, 2031", "2031-06-05"),
        ("5.6.2031", "2031-06-05"),
        ("12/31/2031", "2031-12-31"),
    ] {
        assert_eq!(day_of(text).map(|day| day.to_string()), Some(format!("{day}T00:00:00Z")), "{text}");
    }
    for text in ["", "soon", "13:09:53 GMT", "31 Feb 2030", "99/99/2030"] {
        assert_eq!(day_of(text), None, "{text}");
    }
}

#[test]
fn signals_deny_what_is_done_and_no_more() {
    for (value, denied) in [
        ("search=yes, ai-train=no", false),
        ("ai-train=no", false),
        ("search=yes,ai-input=no", true),
        ("Search = No", true),
        ("ai-input=yes", false),
        ("", false),
    ] {
        assert_eq!(usage_denied(&headers(&[("content-signal", value)])), denied, "{value}");
    }
}

#[test]
fn robots_tags_are_read_for_us_only() {
    for (value, discard, nofollow, noarchive) in [
        ("noindex", true, false, false),
        ("NOINDEX, NoFollow", true, true, false),
        ("none", true, true, false),
        ("noai, noimageai", true, false, false),
        ("noimageai", false, false, false),
        ("noarchive", false, false, true),
        ("index, follow, all", false, false, false),
        ("googlebot: noindex", false, false, false),
        ("googlebot: noindex, nofollow", false, false, false),
        ("googlebot: noindex, prosopon: nofollow", false, true, false),
        ("Prosopon: none", true, true, false),
        ("prosopon/1.0: noindex", true, false, false),
        ("*: noindex", true, false, false),
        ("noindex, otherbot: index", true, false, false),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST, noindex", true, false, false),
        ("max-snippet: 20, max-image-preview: large, nofollow", false, true, false),
        ("noindex nofollow", true, true, false),
        ("nosnippet", true, false, false),
        ("max-snippet: 0", true, false, false),
        ("max-snippet:-1, max-image-preview:none", false, false, false),
        ("otherbot: max-snippet: 0", false, false, false),
        ("prosopon: unavailable_after: 2010-06-25", true, false, false),
        ("otherbot: unavailable_after: 2010-06-25", false, false, false),
        ("unavailable_after: Wed, 03 Dec 2098 13:09:53 GMT, nofollow", false, true, false),
        ("unavailable_after: Wed, 03 Dec 2025 13:09:53 GMT", true, false, false),
        ("unavailable_after: some day", true, false, false),
        ("", false, false, false),
    ] {
        let tags = robots_tags(&headers(&[("x-robots-tag", value)]), "prosopon");
        let is = (tags.is_discarded(now()), tags.nofollow, tags.noarchive);
        assert_eq!(is, (discard, nofollow, noarchive), "{value}");
    }
    let two = headers(&[("x-robots-tag", "otherbot: noindex"), ("x-robots-tag", "noarchive")]);
    assert!(robots_tags(&two, "prosopon").noarchive && !robots_tags(&two, "prosopon").is_discarded(now()));
}

#[test]
fn reservations_and_usage() {
    for (value, reserved) in [("1", true), ("0", false), (" 0 ", false), ("yes", true), ("", true), ("0, 1", true)] {
        assert_eq!(tdm_reserved(&headers(&[("tdm-reservation", value)])), reserved, "{value}");
    }
    assert!(!tdm_reserved(&HeaderMap::new()));
    assert!(tdm_reserved(&headers(&[("tdm-reservation", "0"), ("tdm-reservation", "1")])));
    for (value, denied) in [
        ("train-ai=n", true),
        ("search=y, Train-AI = N", true),
        ("train-ai=n;exceptions=none", true),
        ("train-ai=y", false),
        ("search=n", false),
        ("", false),
    ] {
        assert_eq!(usage_denied(&headers(&[("content-usage", value)])), denied, "{value}");
    }
}

#[test]
fn meta_tags_opt_out_too() {
    let check = |tags: &[&str], tdm, expected| {
        let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
        assert_eq!(page_opt_outs(&tags, tdm, "prosopon", now()), expected, "{tags:?} {tdm:?}");
    };
    check(&[], None, Ok(None));
    check(&["index, follow"], Some(false), Ok(None));
    check(&["index", "noindex"], None, Err(FailReason::NoIndex));
    check(&["noai"], Some(false), Err(FailReason::NoIndex));
    check(&["nofollow"], None, Ok(None));
    let day = "2030-01-02T00:00:00Z".parse().expect("an instant");
    check(&["unavailable_after: 2 jan 2030"], None, Ok(Some(day)));
    check(&["unavailable_after: 2 jan 2020"], None, Err(FailReason::NoIndex));
    check(&[], Some(true), Err(FailReason::TdmReserved));
}

#[test]
fn retry_after_takes_seconds_and_dates() {
    let now: Timestamp = "2026-03-02T03:00:00Z".parse().expect("an instant");
    for (value, expected) in [
        ("120", Some(120)),
        ("0", Some(0)),
        ("Mon, 02 Mar 2026 03:02:00 GMT", Some(120)),
        ("Monday, 02-Mar-26 03:02:00 GMT", Some(120)),
        ("Mon Mar  2 03:02:00 2026", Some(120)),
        ("Mon, 02 Mar 2020 03:02:00 GMT", Some(0)),
        ("99999999999999999999999", Some(365 * 86_400)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ] {
        let got = retry_after(&headers(&[("retry-after", value)]), now);
        assert_eq!(got, expected.map(Duration::from_secs), "{value}");
    }
    let two = headers(&[("retry-after", "5"), ("retry-after", "60")]);
    assert_eq!(retry_after(&two, now), Some(Duration::from_mins(1)), "the longest counts");
}

#[test]
fn content_types_lose_case_and_parameters() {
    for (value, media, charset) in [
        ("text/html", Some("text/html"), None),
        ("Text/HTML; Charset=\"UTF-8\"", Some("text/html"), Some("utf-8")),
        ("text/html;a=b; charset=iso-8859-1 ", Some("text/html"), Some("iso-8859-1")),
        ("html", None, None),
        ("text/html; charset=", Some("text/html"), None),
    ] {
        let (m, c) = content_type(&headers(&[("content-type", value)]));
        assert_eq!((m.as_deref(), c.as_deref()), (media, charset), "{value}");
    }
}

#[test]
fn odd_frames_are_refused() {
    assert_eq!(frame_fault(&headers(&[("content-encoding", "gzip")]), 65_536), None);
    assert_eq!(frame_fault(&headers(&[("x", &"y".repeat(70_000))]), 65_536), Some(FailReason::HeadersTooLarge));
    let both = headers(&[("transfer-encoding", "chunked"), ("content-length", "3")]);
    assert_eq!(frame_fault(&both, 65_536), Some(FailReason::Protocol));
}
