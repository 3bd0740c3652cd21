//! The order: permit, network, rules, budgets, breaker, pace; and what a page carries.

use std::time::{Duration, Instant};

use url::Url;

use super::super::*;
use super::server::{Say, Server, ask_rules, fetcher, host_file, html, http, now, page, permit, word};
use crate::consent::permit::{Fetch, Permit};
use crate::model::Target;
use crate::taxonomy::SourceClass;

const X: &str = "http://shop.example/x";

fn text(body: &str) -> Say {
    http(200, &[("Content-Type", "text/plain")], body.as_bytes())
}

async fn get(fetcher: &Fetcher, url: &str) -> Fetched {
    fetcher.fetch(page(url), &Cancel::never()).await
}

#[tokio::test]
async fn a_page_carries_its_permit_and_policy() {
    let head = [("Content-Type", "TEXT/html; charset=ISO-8859-1"), ("X-Robots-Tag", "nofollow, noarchive")];
    let server = Server::start().await.on("/x", &[http(200, &head, b"\xEF\xBB\xBF<p>Hallo")]);
    let fetcher = server.fetcher(server.config()).await;
    let got = get(&fetcher, X).await;
    let Outcome::Page(page) = &got.outcome else { panic!("{got:?}") };
    assert_eq!(page.body().as_ref(), b"\xEF\xBB\xBF<p>Hallo");
    assert_eq!((page.content_type(), page.charset()), ("text/html", Some("utf-8")), "the byte order mark wins");
    assert!(page.nofollow() && page.noarchive() && page.status() == 200 && page.url().as_str() == X);
    assert_eq!((page.fetched_at(), page.permit().op().source_id.as_str()), (now(), "test"));
    let facts = &got.facts;
    assert_eq!((facts.robots.as_str(), facts.tdm.as_str(), facts.bytes), ("allow", "none", 11));
    let debug = format!("{got:?} {fetcher:?}");
    assert!(!debug.contains("/x") && !debug.contains("Hallo"), "{debug}");
    let request = server.requests().pop().expect("a request").to_ascii_lowercase();
    assert!(
        request.contains("host: shop.example\r\n") && request.contains("accept-encoding: gzip, br, zstd"),
        "{request}"
    );
    assert!(request.contains("user-agent: prosopon/0.1 (+https://operator.example/bot)"), "{request}");
    for absent in ["cookie", "referer", "authorization"] {
        assert!(!request.contains(absent), "{request}");
    }
}

#[tokio::test]
async fn nothing_is_asked_before_the_rules() {
    let server = Server::start().await.on("/x", &[html("<p>")]);
    let fetcher = fetcher(server.config());
    let url = Url::parse(X).expect("a URL");
    assert_eq!(fetcher.opt_outs(&url), OptOutVerdict::NotAsked);
    assert_eq!(word(&get(&fetcher, X).await), "robots_not_asked");
    let early = fetcher.fetch(host_file("shop.example", "/.well-known/tdmrep.json"), &Cancel::never()).await;
    assert_eq!(word(&early), "robots_not_asked");
    assert_eq!(
        word(&get(&fetcher, "http://shop.example/robots.txt").await),
        "robots_not_asked",
        "not by a page permit"
    );
    assert_eq!(server.connections(), 0);
    fetcher.fetch(host_file("shop.example", "/robots.txt"), &Cancel::never()).await;
    assert_eq!(fetcher.opt_outs(&url), OptOutVerdict::NotAsked);
    assert_eq!(word(&get(&fetcher, X).await), "tdm_not_asked");
    fetcher.fetch(host_file("shop.example", "/.well-known/tdmrep.json"), &Cancel::never()).await;
    assert_eq!(fetcher.opt_outs(&url), OptOutVerdict::Allow);
    assert_eq!(word(&get(&fetcher, X).await), "page");
    assert_eq!(robots_url(&url).as_str(), "http://shop.example/robots.txt");
    assert_eq!(tdm_url(&url).as_str(), "http://shop.example/.well-known/tdmrep.json");
}

#[tokio::test]
async fn what_host_rules_mean_by_status() {
    let rules = |robots: Say, tdm: Say| async move {
        let server = Server::start().await.on("/x", &[html("<p>")]);
        let server = server.on("/robots.txt", &[robots]).on("/.well-known/tdmrep.json", &[tdm]);
        let fetcher = server.fetcher(server.config()).await;
        let got = get(&fetcher, X).await;
        (word(&got), got.facts.robots, got.facts.tdm)
    };
    let none = || http(404, &[], b"");
    let soft = || html("<!doctype html><title>Home</title>");
    let json = |body: &str| http(200, &[("Content-Type", "application/json")], body.as_bytes());
    for (robots, tdm, outcome, robots_word, tdm_word) in [
        (none(), none(), "page", "allow", "none"),
        (http(410, &[], b""), soft(), "page", "allow", "none"),
        (text("User-agent: *\nDisallow: /y"), none(), "page", "allow", "none"),
        (text("User-agent: *\nDisallow: /x"), none(), "robots_disallow", "disallow: /x", "not_asked"),
        (text("User-agent: prosopon\nDisallow: /"), none(), "robots_disallow", "disallow: /", "not_asked"),
        (soft(), none(), "robots_unreachable", "unreachable", "not_asked"),
        (http(200, &[], b"\x89PNG"), none(), "robots_unreachable", "unreachable", "not_asked"),
        (http(403, &[], b""), none(), "robots_unreachable", "unreachable", "not_asked"),
        (http(429, &[], b""), none(), "robots_unreachable", "unreachable", "not_asked"),
        (http(500, &[], b""), none(), "robots_unreachable", "unreachable", "not_asked"),
        (Say::Silence, none(), "robots_unreachable", "unreachable", "not_asked"),
        (none(), json(r#"[{"location":"/","tdm-reservation":1}]"#), "tdm_reserved", "allow", "reserved: tdmrep.json /"),
        (none(), json(r#"[{"location":"/y","tdm-reservation":1}]"#), "page", "allow", "none"),
        (none(), json("[{"), "tdm_unreachable", "allow", "unreachable"),
        (none(), http(500, &[], b""), "tdm_unreachable", "allow", "unreachable"),
        (none(), http(302, &[("Location", "/z")], b""), "tdm_unreachable", "allow", "unreachable"),
    ] {
        let case = format!("{robots:?} {tdm:?}");
        assert_eq!(rules(robots, tdm).await, (outcome, robots_word.into(), tdm_word.into()), "{case}");
    }
}

#[tokio::test]
async fn rule_files_may_move_to_another_origin_only() {
    let to = |location| http(301, &[("Location", location)], b"");
    let moved = [to("http://other.example/robots.txt"), text("User-agent: *\nDisallow: /x")];
    let server = Server::start().await.on("/robots.txt", &moved).on("/x", &[html("<p>")]).on("/y", &[html("<p>")]);
    let fetcher = fetcher(server.config());
    let got = fetcher.fetch(host_file("shop.example", "/robots.txt"), &Cancel::never()).await;
    assert_eq!((word(&got), got.facts.robots.as_str()), ("redirect", "not_asked"));
    assert_eq!(word(&get(&fetcher, X).await), "robots_not_asked", "until the file is read where it is");
    fetcher.fetch(host_file("other.example", "/robots.txt"), &Cancel::never()).await;
    fetcher.fetch(host_file("shop.example", "/.well-known/tdmrep.json"), &Cancel::never()).await;
    assert_eq!(word(&get(&fetcher, X).await), "robots_disallow");
    assert_eq!(word(&get(&fetcher, "http://shop.example/y").await), "page");

    let round = [to("http://other.example/robots.txt"), to("http://shop.example/robots.txt")];
    let server = Server::start().await.on("/robots.txt", &round);
    let fetcher = super::server::fetcher(server.config());
    for host in ["shop.example", "other.example"] {
        fetcher.fetch(host_file(host, "/robots.txt"), &Cancel::never()).await;
    }
    assert_eq!(fetcher.opt_outs(&Url::parse(X).expect("a URL")), OptOutVerdict::RobotsUnreachable);

    let server = Server::start().await.on("/robots.txt", &[to("http://other.example/people/ada")]);
    let fetcher = server.fetcher(server.config()).await;
    assert_eq!(word(&get(&fetcher, X).await), "robots_unreachable");
}

#[tokio::test]
async fn a_long_robots_file_is_cut_not_refused() {
    let long = format!("User-agent: *\nDisallow: /x\n{}", "# filler\n".repeat(400_000));
    let server = Server::start().await.on("/robots.txt", &[text(&long)]);
    let fetcher = server.fetcher(server.config()).await;
    assert_eq!(word(&get(&fetcher, X).await), "robots_disallow");
}

#[tokio::test]
async fn permits_and_networks() {
    let server = Server::start().await.on("/x", &[html("<p>")]);
    let fetcher_ = server.fetcher(server.config()).await;
    let before = server.connections();
    let host = Target::Host("shop.example".into());
    let old = Permit::<Fetch>::for_test(host.clone(), SourceClass::CompanySite, X, now());
    assert_eq!(word(&fetcher_.fetch(old, &Cancel::never()).await), "permit_expired");
    let other = permit(host, "http://other.example/robots.txt");
    assert_eq!(word(&fetcher_.fetch(other, &Cancel::never()).await), "host_mismatch");
    for (url, expected) in [
        ("http://elsewhere.example/", "host_not_in_demo"),
        ("http://www.shop.example/", "host_not_in_demo"),
        ("https://shop.example/x", "demo_without_tls"),
        ("http://shop.example:443/x", "url_port"),
        ("http://other.example/x", "robots_not_asked"),
    ] {
        assert_eq!(word(&get(&fetcher_, url).await), expected, "{url}");
    }
    let public = fetcher(FetcherConfig { network: Network::Refused, ..server.config() });
    assert_eq!(word(&get(&public, X).await), "network_not_served");
    assert_eq!(server.connections(), before);
}

#[test]
fn odd_configurations_are_refused() {
    let check = |change: &dyn Fn(&mut FetcherConfig), expected: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut config = runtime.block_on(async { Server::start().await.config() });
        change(&mut config);
        let clock: Clock = std::sync::Arc::new(now);
        let error = Fetcher::new(config, clock.clone(), clock).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&|c| c.user_agent = "/1.0".into(), "product token");
    check(&|c| c.user_agent = "Prosopon\r\nX: y".into(), "product token");
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
        check(&|c| c.requests_per_second = [("api".into(), rate)].into(), "source api");
    }
    let public = |c: &mut FetcherConfig| {
        c.network = Network::Demo { addr: ([93, 184, 216, 34], 80).into(), hosts: [].into() };
    };
    check(&public, "loopback");
}

#[tokio::test]
async fn a_documented_rate_replaces_the_default_delay() {
    let server = Server::start().await.on("/x", &[html("<p>")]);
    let mut config = server.config();
    config.limits.host_delay = Duration::from_secs(9);
    config.requests_per_second = [("test".to_owned(), 200.0)].into();
    let (start, fetcher) = (Instant::now(), server.fetcher(config).await);
    for _ in 0..3 {
        assert_eq!(word(&get(&fetcher, X).await), "page");
    }
    assert!(start.elapsed() >= Duration::from_millis(20) && start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn budgets_stop_before_a_request() {
    let server = Server::start().await.on("/x", &[html("<p>")]);
    let mut config = server.config();
    config.budgets.requests_per_host = 3;
    config.budgets.requests_per_run = 5;
    let fetcher = server.fetcher(config.clone()).await;
    assert_eq!(word(&get(&fetcher, X).await), "page");
    assert_eq!(word(&get(&fetcher, X).await), "budget_requests_host");
    ask_rules(&fetcher, "other.example").await;
    assert_eq!(word(&get(&fetcher, "http://other.example/x").await), "budget_requests_run");
    assert_eq!(server.requests().len(), 5);
    config.budgets.seconds_per_run = 0;
    let fetcher = super::server::fetcher(config);
    let robots = fetcher.fetch(host_file("shop.example", "/robots.txt"), &Cancel::never()).await;
    assert_eq!((word(&robots), robots.facts.attempts), ("budget_seconds_run", 0));
}

#[tokio::test]
async fn three_denials_stop_a_host() {
    let server = Server::start().await.on("/x", &[http(403, &[], b"")]).on("/y", &[html("<p>")]);
    let fetcher = server.fetcher(server.config()).await;
    for _ in 0..3 {
        assert_eq!(word(&get(&fetcher, X).await), "access_denied");
    }
    assert_eq!(word(&get(&fetcher, "http://shop.example/y").await), "host_stopped");
}

#[tokio::test]
async fn the_breaker_opens_for_a_broken_host_only() {
    let server = Server::start().await.on("/x", &[http(500, &[], b"")]).on("/y", &[html("<p>")]);
    let fetcher = server.fetcher(server.config()).await;
    ask_rules(&fetcher, "other.example").await;
    assert_eq!(word(&get(&fetcher, X).await), "http_status");
    assert_eq!(word(&get(&fetcher, X).await), "breaker_open", "open after five failures in a row");
    assert_eq!(word(&get(&fetcher, "http://shop.example/y").await), "breaker_open");
    assert_eq!(server.requests().iter().filter(|r| r.contains(" /x ")).count(), 5);
    assert_eq!(word(&get(&fetcher, "http://other.example/y").await), "page");
}

#[tokio::test]
async fn retry_after_holds_for_the_whole_host() {
    let says = [http(503, &[("Retry-After", "1")], b""), html("<p>")];
    let server = Server::start().await.on("/x", &says).on("/y", &[html("<p>")]);
    let fetcher = server.fetcher(server.config()).await;
    let start = Instant::now();
    let (x, y) = tokio::join!(get(&fetcher, X), get(&fetcher, "http://shop.example/y"));
    assert_eq!((word(&x), x.facts.attempts, word(&y)), ("page", 2, "page"));
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());

    let server = Server::start().await.on("/x", &[http(429, &[("Retry-After", "120")], b"")]);
    let fetcher = server.fetcher(server.config()).await;
    let start = Instant::now();
    let got = get(&fetcher, X).await;
    assert_eq!((word(&got), got.facts.attempts, got.facts.status), ("retry_after", 1, Some(429)));
    assert_eq!(word(&get(&fetcher, "http://shop.example/y").await), "retry_after");
    assert!(start.elapsed() < Duration::from_secs(1), "given up at once");
}

#[tokio::test]
async fn delays_ours_and_theirs() {
    let robots = text("User-agent: *\nCrawl-delay: 0.3\nDisallow: /z");
    let server = Server::start().await.on("/robots.txt", &[robots]).on("/x", &[html("<p>")]);
    let fetcher = server.fetcher(server.config()).await;
    let start = Instant::now();
    for _ in 0..2 {
        assert_eq!(word(&get(&fetcher, X).await), "page");
    }
    assert!(start.elapsed() >= Duration::from_millis(550), "{:?}", start.elapsed());

    let server = Server::start().await.on("/robots.txt", &[text("User-agent: *\nCrawl-delay: 301")]);
    let fetcher = server.fetcher(server.config()).await;
    let tdm = fetcher.fetch(host_file("shop.example", "/.well-known/tdmrep.json"), &Cancel::never()).await;
    assert_eq!((word(&tdm), tdm.facts.attempts), ("crawl_delay", 0));
    assert_ne!(fetcher.opt_outs(&Url::parse(X).expect("a URL")), OptOutVerdict::Allow);
    assert_eq!(server.requests().len(), 1, "not even tdmrep.json");
}

#[tokio::test]
async fn cancelling_ends_a_request_at_once() {
    let server = Server::start().await.on("/x", &[Say::Silence]);
    let mut config = server.config();
    config.limits = Limits { host_delay: Duration::from_millis(1), ..Limits::default() };
    let fetcher = server.fetcher(config).await;
    let handle = CancelHandle::new();
    let (start, flag) = (Instant::now(), handle.flag());
    let stop = async {
        while !server.requests().iter().any(|r| r.contains(" /x ")) {
            tokio::task::yield_now().await;
        }
        handle.cancel();
    };
    let (got, ()) = tokio::join!(fetcher.fetch(page(X), &flag), stop);
    assert_eq!((word(&got), got.facts.attempts), ("cancelled", 1));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_fetch_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let fetcher = fetcher(Server::start().await.config());
        let cancel = Cancel::never();
        let future = fetcher.fetch(page(X), &cancel);
        is_send(&future);
        assert_eq!(word(&future.await), "robots_not_asked");
    });
}
