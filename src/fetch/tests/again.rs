//! Pages that are asked for another night, only if they changed.

use super::super::*;
use super::server::{Say, Server, host_file, http, page, word};

const X: &str = "http://shop.example/x";
const TAG: (&str, &str) = ("ETag", "\"1\"");

fn sent(headers: &[(&str, &str)], body: &str) -> Say {
    http(200, &[&[("Content-Type", "text/html")], headers].concat(), body.as_bytes())
}

fn same(headers: &[(&str, &str)]) -> Say {
    http(304, headers, b"")
}

/// What comes of asking twice; the second time with what the first answer said of its state.
async fn twice(first: Say, second: Say) -> (Option<Validators>, Fetched, Server) {
    let server = Server::start().await.on("/x", &[first, second]);
    let fetcher = server.fetcher(server.config()).await;
    let got = fetcher.fetch(page(X), &Cancel::never()).await;
    let Outcome::Page(read) = &got.outcome else { panic!("{got:?}") };
    let known = read.validators().cloned();
    let again = fetcher.fetch_if_changed(page(X), known.as_ref(), &Cancel::never()).await;
    (known, again, server)
}

#[tokio::test]
async fn a_page_is_asked_for_by_its_state_and_judged_by_its_headers_again() {
    let asks = |server: &Server| server.requests().last().expect("a request").to_ascii_lowercase();
    let (_, again, server) = twice(sent(&[TAG], "<p>"), same(&[TAG])).await;
    assert_eq!(
        (word(&again), again.facts.status, again.facts.cache, again.facts.bytes),
        ("unchanged", Some(304), "revalidated", 0)
    );
    assert!(asks(&server).contains("if-none-match: \"1\""));
    let old = ("Last-Modified", "Sun, 01 Mar 2026 03:00:00 GMT");
    let (_, again, server) = twice(sent(&[old], "<p>"), same(&[])).await;
    assert_eq!(word(&again), "unchanged");
    assert!(asks(&server).contains("if-modified-since: sun, 01 mar 2026 03:00:00 gmt"));

    for (header, expected) in [
        (("tdm-reservation", "1"), "tdm_reserved"),
        (("x-robots-tag", "noindex"), "noindex"),
        (("Content-Usage", "train-ai=n"), "usage_denied"),
        (("ETag", "\"2\""), "not_modified_other"),
        (("Content-Type", "image/png"), "content_type"),
    ] {
        let (_, again, _) = twice(sent(&[TAG], "<p>"), same(&[header])).await;
        assert_eq!((word(&again), again.facts.attempts), (expected, 1), "{header:?}");
    }
    for (header, nofollow, may_stay) in [
        (TAG, false, true),
        (("x-robots-tag", "nofollow"), true, true),
        (("x-robots-tag", "noarchive"), false, false),
        (("Cache-Control", "no-store"), false, false),
    ] {
        let (_, again, _) = twice(sent(&[TAG], "<p>"), same(&[header])).await;
        let Outcome::Unchanged(unchanged) = again.outcome else { panic!("{again:?}") };
        assert_eq!((unchanged.nofollow(), unchanged.may_stay()), (nofollow, may_stay), "{header:?}");
    }
    let (_, again, _) = twice(sent(&[TAG], "<p>"), sent(&[("ETag", "\"2\"")], "<p>new")).await;
    assert_eq!(word(&again), "page", "it changed");
}

#[tokio::test]
async fn what_must_not_be_kept_has_no_state() {
    for page in [
        sent(&[], "<p>"),
        sent(&[TAG, ("Cache-Control", "no-store")], "<p>"),
        sent(&[TAG, ("x-robots-tag", "noarchive")], "<p>"),
        sent(&[TAG], "<meta name=robots content=noarchive><p>"),
        http(203, &[TAG, ("Content-Type", "text/html")], b"<p>"),
    ] {
        let (known, again, server) = twice(page.clone(), page).await;
        assert_eq!((known, word(&again)), (None, "page"));
        assert!(server.requests().iter().all(|r| !r.to_ascii_lowercase().contains("if-none-match")));
    }
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_page() {
    let server = Server::start().await.on("/x", &[same(&[TAG])]).on("/robots.txt", &[same(&[TAG])]);
    let fetcher = server.fetcher(server.config()).await;
    assert_eq!(word(&fetcher.fetch(page(X), &Cancel::never()).await), "robots_unreachable");
    let server = server.on("/robots.txt", &[http(404, &[], b"")]);
    let fetcher = server.fetcher(server.config()).await;
    let got = fetcher.fetch(page(X), &Cancel::never()).await;
    assert_eq!((word(&got), got.facts.status, got.facts.attempts), ("not_modified_unasked", Some(304), 1));
    let got = fetcher.fetch(host_file("shop.example", "/robots.txt"), &Cancel::never()).await;
    assert_eq!(word(&got), "not_found");
}
