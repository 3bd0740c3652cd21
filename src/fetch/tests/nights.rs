//! What is remembered from one fetcher to the next: cached files of hosts, refusals, budgets.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::RootCertStore;

use super::super::*;
use super::public::{Answers, network};
use super::server::{Say, Server, ask_rules, html, http, now, page, word};

const X: &str = "http://shop.example/x";

fn memory(path: &Path, run: &str, night: &str) -> Arc<Memory> {
    let tag: Tag = Box::new(|url| format!("{:x}", url.bytes().fold(7_u64, |h, b| h.wrapping_mul(31) ^ u64::from(b))));
    Arc::new(Memory::open(&path.join("fetch.sqlite"), run, night, tag).expect("a memory"))
}

/// A fetcher of the public network, so many hours after the first.
fn night(server: &Server, dir: &Path, run: &str, hours: i64, change: impl FnOnce(&mut FetcherConfig)) -> Fetcher {
    let answers = Arc::new(Answers::default());
    answers.set("shop.example", &["93.184.216.34"]);
    let mut config = server.config();
    config.network = network(server, &answers, RootCertStore::empty());
    change(&mut config);
    let wall: Clock = Arc::new(move || now() + jiff::SignedDuration::from_hours(hours));
    let day = format!("night {}", hours / 24);
    Fetcher::new(config, Arc::new(now), wall).expect("a fetcher").with_memory(memory(dir, run, &day))
}

async fn get(fetcher: &Fetcher, url: &str) -> Fetched {
    fetcher.fetch(page(url), &Cancel::never()).await
}

async fn robots(fetcher: &Fetcher) -> (&'static str, &'static str, u32) {
    let permit = super::server::host_file("shop.example", "/robots.txt");
    let got = fetcher.fetch(permit, &Cancel::never()).await;
    (word(&got), got.facts.cache, got.facts.attempts)
}

fn file(headers: &[(&str, &str)], body: &str) -> Say {
    http(
        200,
        &[&[("Content-Type", "text/plain"), ("Date", "Mon, 02 Mar 2026 03:00:00 GMT")], headers].concat(),
        body.as_bytes(),
    )
}

#[tokio::test]
async fn files_of_hosts_are_cached_validated_and_judged_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let fresh = file(&[("Cache-Control", "max-age=7200"), ("ETag", "\"1\"")], "User-agent: *\nDisallow: /x");
    let same = http(304, &[("ETag", "\"1\""), ("Cache-Control", "max-age=0")], b"");
    let other = file(&[("ETag", "\"2\"")], "User-agent: *\nDisallow: /y");
    let server = Server::start().await.on("/robots.txt", &[fresh, same, other]).on("/x", &[html("<p>")]);
    let first = night(&server, dir.path(), "run_1", 0, |_| {});
    assert_eq!(robots(&first).await, ("page", "miss", 1));
    let second = night(&server, dir.path(), "run_2", 1, |_| {});
    assert_eq!(robots(&second).await, ("page", "hit", 0), "fresh for two hours");
    assert_eq!(word(&get(&second, X).await), "robots_disallow", "and still read");
    let third = night(&server, dir.path(), "run_3", 3, |_| {});
    assert_eq!(robots(&third).await, ("page", "revalidated", 1));
    assert!(server.requests().last().expect("a request").to_ascii_lowercase().contains("if-none-match: \"1\""));
    assert_eq!(word(&get(&third, X).await), "robots_disallow");
    let fourth = night(&server, dir.path(), "run_4", 4, |_| {});
    assert_eq!(robots(&fourth).await, ("page", "miss", 1), "changed");
    let tdm = super::server::host_file("shop.example", "/.well-known/tdmrep.json");
    fourth.fetch(tdm, &Cancel::never()).await;
    assert_eq!(word(&get(&fourth, X).await), "page");
}

#[tokio::test]
async fn what_is_not_there_or_not_for_us_is_not_asked_again_so_soon() {
    for (status, expected, day_later) in [(404, "not_found", 2), (403, "access_denied", 2), (410, "gone", 1)] {
        let dir = tempfile::tempdir().expect("a folder");
        let server = Server::start().await.on("/x", &[http(status, &[], b"")]);
        for (hours, asked) in [(0, 1), (23, 1), (25, day_later)] {
            let fetcher = night(&server, dir.path(), "run", hours, |_| {});
            ask_rules(&fetcher, "shop.example").await;
            assert_eq!(word(&get(&fetcher, X).await), expected);
            let seen = server.requests().iter().filter(|r| r.contains(" /x ")).count();
            assert_eq!(seen, asked, "{status} after {hours} hours");
        }
    }
}

#[tokio::test]
async fn pages_are_never_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let head = [("Content-Type", "text/html"), ("Cache-Control", "max-age=86400"), ("ETag", "\"1\"")];
    let server = Server::start().await.on("/x", &[http(200, &head, b"<p>Ada Lovelace")]);
    for run in ["run_1", "run_2"] {
        let fetcher = night(&server, dir.path(), run, 0, |_| {});
        ask_rules(&fetcher, "shop.example").await;
        let got = get(&fetcher, X).await;
        assert_eq!((word(&got), got.facts.cache), ("page", "none"));
    }
    assert_eq!(server.requests().iter().filter(|r| r.contains(" /x ")).count(), 2);
    for file in std::fs::read_dir(dir.path()).expect("a folder") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
        assert!(memchr::memmem::find(&bytes, b"Lovelace").is_none());
    }
}

#[tokio::test]
async fn budgets_outlive_a_killed_run() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start().await.on("/x", &[html("<p>")]);
    let start = async |run: &str, hours: i64, budgets: Budgets| {
        let fetcher = night(&server, dir.path(), run, hours, |config| config.budgets = budgets);
        ask_rules(&fetcher, "shop.example").await;
        word(&get(&fetcher, X).await)
    };
    let all = server.config().budgets;
    // Three requests a start: two files of rules and the page.
    assert_eq!(start("run_1", 0, all).await, "page");
    assert_eq!(start("run_1", 0, Budgets { requests_per_host: 5, ..all }).await, "budget_requests_host");
    assert_eq!(start("run_1", 0, Budgets { requests_per_source: 7, ..all }).await, "budget_requests_source");
    assert_eq!(start("run_2", 0, Budgets { requests_per_host: 5, ..all }).await, "page", "another run");
    let spent = server.requests().len() as u64;
    assert_eq!(start("run_3", 0, Budgets { requests_per_night: spent + 2, ..all }).await, "budget_requests_night");
    assert_eq!(start("run_4", 24, Budgets { requests_per_night: 3, ..all }).await, "page", "another night");
    let (run, hosts) = fetch_report(&dir.path().join("fetch.sqlite"), Some("run_1")).expect("readable").expect("a run");
    assert_eq!((run.as_str(), hosts.len(), hosts[0].asked), ("run_1", 1, 7));
    assert_eq!(hosts[0].last_reason.as_deref(), Some("budget_requests_source"));
}

#[tokio::test]
async fn a_host_that_grows_slow_is_asked_less() {
    let hosts = super::super::hosts::Hosts::new(Limits::default(), Server::start().await.config().budgets);
    let (second, delay) = (std::time::Duration::from_secs, |latency: u64| {
        for _ in 0..20 {
            hosts.took("a.example", std::time::Duration::from_secs(latency));
        }
        hosts.slowed("a.example", std::time::Duration::from_secs(1))
    });
    assert_eq!(hosts.slowed("a.example", second(1)), second(1));
    assert!(delay(4) > second(3) && delay(4) <= second(4), "as long as it takes to answer");
    hosts.slow_down("a.example");
    assert!(hosts.slowed("a.example", second(1)) > second(6), "and twice that after 429");
}

/// How often a path was asked for.
fn asked(server: &Server, path: &str) -> usize {
    server.requests().iter().filter(|r| r.contains(&format!(" {path} "))).count()
}

#[tokio::test]
async fn a_floor_outlives_the_run_that_was_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let busy = http(429, &[("Retry-After", "7200")], b"");
    let server = Server::start().await.on("/x", &[busy, html("<p>")]);
    let first = night(&server, dir.path(), "run_1", 0, |_| {});
    ask_rules(&first, "shop.example").await;
    assert_eq!(word(&get(&first, X).await), "retry_after");
    let before = server.connections();
    let second = night(&server, dir.path(), "run_2", 1, |_| {});
    assert_eq!(robots(&second).await, ("retry_after", "miss", 0), "one hour later: not even robots.txt");
    assert_eq!(server.connections(), before);
    let third = night(&server, dir.path(), "run_3", 3, |_| {});
    ask_rules(&third, "shop.example").await;
    assert_eq!((word(&get(&third, X).await), asked(&server, "/x")), ("page", 2));
}

#[tokio::test]
async fn a_breaker_outlives_its_run_and_probes_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start().await.on("/x", &[http(500, &[], b"")]).on("/y", &[html("<p>")]);
    let run = |run: &str, hours: i64| {
        night(&server, dir.path(), run, hours, |config| {
            (config.limits.breaker_failures, config.limits.retries) = (2, 0);
            config.limits.breaker_open = std::time::Duration::from_hours(1);
        })
    };
    let first = run("run_1", 0);
    ask_rules(&first, "shop.example").await;
    for _ in 0..2 {
        assert_eq!(word(&get(&first, X).await), "http_status");
    }
    assert_eq!(word(&get(&first, "http://shop.example/y").await), "breaker_open");
    let second = run("run_2", 0);
    assert_eq!((robots(&second).await.0, asked(&server, "/y")), ("breaker_open", 0));
    let third = run("run_3", 2);
    ask_rules(&third, "shop.example").await;
    assert_eq!(word(&get(&third, "http://shop.example/y").await), "page", "robots.txt was the probe, and closed it");
    let fourth = run("run_4", 2);
    assert_eq!(robots(&fourth).await.0, "not_found");
}

#[tokio::test]
async fn rules_are_as_old_as_their_receipt() {
    let dir = tempfile::tempdir().expect("a folder");
    let kept = file(&[("Cache-Control", "max-age=864000")], "User-agent: *\nDisallow: /x");
    let server = Server::start().await.on("/robots.txt", &[kept]);
    let first = night(&server, dir.path(), "run_1", 0, |_| {});
    assert_eq!(robots(&first).await, ("page", "miss", 1));
    // Read from the cache after 20 hours, it is of 20 hours ago.
    let second = night(&server, dir.path(), "run_2", 20, |_| {});
    let permit = super::server::host_file("shop.example", "/robots.txt");
    let got = second.fetch(permit, &Cancel::never()).await;
    assert_eq!((got.facts.cache, got.facts.age), ("hit", std::time::Duration::from_hours(20)));
    // What an earlier start of the run learned holds for what is left of a day, and no longer.
    let url: url::Url = "http://shop.example/robots.txt".parse().expect("a URL");
    let page: url::Url = X.parse().expect("a URL");
    let text = HostFile::Text(b"User-agent: *\nDisallow: /x");
    let later = |hours: i64| now() + jiff::SignedDuration::from_hours(hours);
    let third = night(&server, dir.path(), "run_2", 40, |_| {});
    assert!(!third.restore(&url, &text, later(16)), "24 hours old");
    assert!(!third.restore(&url, &text, later(41)), "of a clock that was set back");
    assert_eq!(third.opt_outs(&page), OptOutVerdict::NotAsked);
    assert!(third.restore(&url, &text, later(17)));
    assert!(matches!(third.opt_outs(&page), OptOutVerdict::RobotsDisallow { .. }) && !third.has_lapsed(&url));
}

#[tokio::test(start_paused = true)]
async fn rules_lapse_while_a_run_goes_on() {
    let server = Server::start().await;
    let fetcher = super::server::fetcher(server.config());
    let url: url::Url = "http://shop.example/robots.txt".parse().expect("a URL");
    let (page, hour): (url::Url, _) = (X.parse().expect("a URL"), std::time::Duration::from_hours(1));
    assert!(!fetcher.has_lapsed(&url), "never asked");
    assert!(fetcher.restore(
        &url,
        &HostFile::Text(b"User-agent: *\nDisallow: /x"),
        now() - jiff::SignedDuration::from_hours(20)
    ));
    tokio::time::advance(hour * 3).await;
    assert!(matches!(fetcher.opt_outs(&page), OptOutVerdict::RobotsDisallow { .. }) && !fetcher.has_lapsed(&url));
    tokio::time::advance(hour).await;
    assert!(fetcher.has_lapsed(&url));
    assert_eq!(fetcher.opt_outs(&page), OptOutVerdict::NotAsked);
}
