//! The public network, as it would be: a resolver that answers what a case says, and connections that all lead to one
//! listener, which counts them. Whatever the guard let through would be seen there.

#![expect(clippy::disallowed_types, reason = "connections of the tests, to loopback")]

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio_rustls::rustls::RootCertStore;

use super::super::dial::{Dial, Later, Resolve};
use super::super::tls::Tls;
use super::super::*;
use super::server::{Server, ask_rules, fetcher, host_file, html, http, page, word};

/// Answers by host, one set a question; the last one is repeated.
#[derive(Default)]
pub(super) struct Answers {
    by_host: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub(super) asked: AtomicUsize,
}

impl Answers {
    pub(super) fn set(&self, host: &str, answers: &[&str]) {
        let parse = |set: &&str| set.split_whitespace().map(|ip| ip.parse().expect("an address")).collect();
        self.by_host.lock().expect("answers").insert(host.to_owned(), answers.iter().map(parse).collect());
    }
}

impl Resolve for Answers {
    fn resolve(&self, host: String) -> Later<io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut by_host = self.by_host.lock().expect("answers");
        let answer = by_host.get_mut(&host).map(|sets| if sets.len() > 1 { sets.remove(0) } else { sets[0].clone() });
        Box::pin(async move { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

/// Every connection goes to the listener; `claimed` = which address seems to have answered, if not the one meant.
struct ToListener {
    listener: SocketAddr,
    claimed: Option<SocketAddr>,
}

impl Dial for ToListener {
    fn dial(&self, to: SocketAddr) -> Later<io::Result<(TcpStream, SocketAddr)>> {
        let (listener, claimed) = (self.listener, self.claimed);
        Box::pin(async move { Ok((TcpStream::connect(listener).await?, claimed.unwrap_or(to))) })
    }
}

pub(super) fn tls(roots: RootCertStore) -> Tls {
    Tls::with_roots(roots).expect("a TLS client")
}

/// A public network whose every address is the server.
pub(super) fn network(server: &Server, answers: &Arc<Answers>, roots: RootCertStore) -> Network {
    let dialer = Arc::new(ToListener { listener: server.addr, claimed: None });
    Network::Public(PublicNet::for_test(Arc::clone(answers) as Arc<dyn Resolve>, dialer, tls(roots)))
}

const PUBLIC: &str = "93.184.216.34";

async fn get(fetcher: &Fetcher, url: &str) -> Fetched {
    fetcher.fetch(page(url), &Cancel::never()).await
}

#[tokio::test]
async fn hostile_answers_never_lead_to_a_connection() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fetch/hostile_answers.txt");
    let text = std::fs::read_to_string(file).expect("testdata/fetch/hostile_answers.txt");
    let (server, answers) = (Server::start().await, Arc::new(Answers::default()));
    let mut config = server.config();
    config.network = network(&server, &answers, RootCertStore::empty());
    config.budgets.requests_per_run = 10_000;
    let mut count = 0;
    for line in text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let (expected, rest) = line.split_once(' ').expect("reason, name, addresses");
        let (host, addresses) = rest.split_once(' ').unwrap_or((rest, ""));
        // A chain of aliases ends in the addresses that count.
        let addresses: Vec<&str> = addresses.split_whitespace().filter(|word| word.parse::<IpAddr>().is_ok()).collect();
        answers.set(host, &[&addresses.join(" ")]);
        let fetcher = fetcher(config.clone());
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}/robots.txt");
            let permit = super::server::permit(crate::model::Target::Host(host.to_owned()), &url);
            let got = fetcher.fetch(permit, &Cancel::never()).await;
            assert_eq!((word(&got), server.connections()), (expected, 0), "{line}");
        }
        count += 1;
    }
    assert!(count >= 80, "only {count} answers");
    // The listener does count: a good answer reaches it.
    answers.set("shop.example", &[PUBLIC]);
    assert_eq!(
        word(&fetcher(config).fetch(host_file("shop.example", "/robots.txt"), &Cancel::never()).await),
        "not_found"
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_second_answer_cannot_rebind_a_name() {
    let server = Server::start().await.on("/x", &[html("<p>")]);
    let answers = Arc::new(Answers::default());
    answers.set("shop.example", &[PUBLIC, PUBLIC, PUBLIC, "127.0.0.1"]);
    let mut config = server.config();
    config.network = network(&server, &answers, RootCertStore::empty());
    let fetcher = fetcher(config);
    ask_rules(&fetcher, "shop.example").await;
    assert_eq!(word(&get(&fetcher, "http://shop.example/x").await), "page");
    assert_eq!(word(&get(&fetcher, "http://shop.example/x").await), "address_denied");
    assert_eq!((server.connections(), answers.asked.load(Ordering::SeqCst)), (3, 4), "each connection asks once");
}

#[tokio::test]
async fn an_answer_from_another_address_is_refused() {
    let (server, answers) = (Server::start().await, Arc::new(Answers::default()));
    answers.set("shop.example", &[PUBLIC]);
    let dialer = Arc::new(ToListener { listener: server.addr, claimed: Some(server.addr) });
    let mut config = server.config();
    config.network = Network::Public(PublicNet::for_test(answers, dialer, tls(RootCertStore::empty())));
    let got = fetcher(config).fetch(host_file("shop.example", "/robots.txt"), &Cancel::never()).await;
    assert_eq!((word(&got), server.requests().len()), ("remote_address", 0));
}

#[tokio::test]
async fn redirects_into_private_places_are_refused_before_they_are_proposed() {
    let answers = Arc::new(Answers::default());
    answers.set("shop.example", &[PUBLIC]);
    answers.set("inside.example", &["10.0.0.7"]);
    for (location, expected) in [
        ("http://169.254.169.254/latest/meta-data/", "redirect_refused"),
        ("http://[fd00:ec2::254]/latest/meta-data/", "redirect_refused"),
        ("http://[::ffff:169.254.169.254]/", "redirect_refused"),
        ("http://metadata.google.internal/computeMetadata/v1/", "redirect_refused"),
        ("http://0x7f.1/", "redirect_refused"),
        ("http://2852039166/", "redirect_refused"),
        ("//localhost/admin", "redirect_refused"),
        ("http://shop.example:6379/", "redirect_refused"),
        ("http://root:root@shop.example/", "redirect_refused"),
        ("gopher://shop.example/_x", "redirect_refused"),
    ] {
        let server = Server::start().await.on("/x", &[http(302, &[("Location", location)], b"")]);
        let mut config = server.config();
        config.network = network(&server, &answers, RootCertStore::empty());
        let fetcher = fetcher(config);
        ask_rules(&fetcher, "shop.example").await;
        let got = get(&fetcher, "http://shop.example/x").await;
        assert_eq!((word(&got), server.requests().len()), (expected, 3), "{location}");
    }
    // A name that leads inside is a proposal of its own, and ends at the resolver.
    let server = Server::start().await.on("/x", &[http(302, &[("Location", "http://inside.example/")], b"")]);
    let mut config = server.config();
    config.network = network(&server, &answers, RootCertStore::empty());
    let fetcher = fetcher(config);
    ask_rules(&fetcher, "shop.example").await;
    assert_eq!(word(&get(&fetcher, "http://shop.example/x").await), "redirect");
    let got = fetcher.fetch(host_file("inside.example", "/robots.txt"), &Cancel::never()).await;
    assert_eq!((word(&got), server.connections()), ("address_denied", 3));
}

#[tokio::test]
async fn a_connection_is_kept_for_its_host_only() {
    let keep = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length:";
        super::server::Say::Bytes(format!("{head} {}\r\n\r\n{body}", body.len()).into_bytes())
    };
    // The server closes after each answer without having said so: a fresh connection is asked at once.
    let server = Server::start().await.on("/x", &[keep("<p>1"), keep("<p>2")]);
    let answers = Arc::new(Answers::default());
    answers.set("shop.example", &[PUBLIC]);
    let mut config = server.config();
    config.network = network(&server, &answers, RootCertStore::empty());
    let fetcher = fetcher(config);
    ask_rules(&fetcher, "shop.example").await;
    for _ in 0..2 {
        let got = get(&fetcher, "http://shop.example/x").await;
        assert_eq!((word(&got), got.facts.status), ("page", Some(200)));
    }
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn ai_txt_and_content_usage_only_forbid() {
    let text = |body: &str| http(200, &[("Content-Type", "text/plain")], body.as_bytes());
    for (robots, ai, expected) in [
        (None, None, "page"),
        (None, Some(text("User-Agent: *\nDisallow: /x")), "ai_disallow"),
        (None, Some(text("User-Agent: *\nDisallow: /y\nAllow: /")), "page"),
        (None, Some(html("<!doctype html><p>Disallow: /")), "page"),
        (None, Some(http(500, &[], b"")), "page"),
        (Some(text("User-agent: *\nDisallow: /x")), Some(text("User-Agent: *\nAllow: /")), "robots_disallow"),
        (Some(text("User-agent: *\nContent-Usage: train-ai=n")), None, "robots_disallow"),
        (Some(text("User-agent: *\nContent-Usage: /x train-ai=n, search=y\nAllow: /")), None, "robots_disallow"),
        (Some(text("User-agent: *\nContent-Usage: /y train-ai=n\nContent-Usage: search=n")), None, "page"),
        (Some(text("User-agent: other\nContent-Usage: train-ai=n")), None, "page"),
    ] {
        let case = format!("{robots:?} {ai:?}");
        let mut server = Server::start().await.on("/x", &[html("<p>")]);
        for (path, say) in [("/robots.txt", robots), ("/ai.txt", ai)] {
            if let Some(say) = say {
                server = server.on(path, &[say]);
            }
        }
        let fetcher = server.fetcher(server.config()).await;
        fetcher.fetch(host_file("shop.example", "/ai.txt"), &Cancel::never()).await;
        assert_eq!(word(&get(&fetcher, "http://shop.example/x").await), expected, "{case}");
    }
}

/// Another host at the same address must wait as ever; who has a documented rate is let go at that rate.
#[tokio::test]
async fn a_documented_rate_holds_for_the_address_of_its_host() {
    let asked = |rate: Option<f64>| async move {
        let server = Server::start().await.on("/x", &[html("<p>")]);
        let answers = Arc::new(Answers::default());
        answers.set("shop.example", &[PUBLIC]);
        let mut config = server.config();
        config.network = network(&server, &answers, RootCertStore::empty());
        config.limits.address_delay = Duration::from_millis(300);
        config.requests_per_second = rate.map(|rate| ("test".to_owned(), rate)).into_iter().collect();
        let (fetcher, start) = (fetcher(config), Instant::now());
        ask_rules(&fetcher, "shop.example").await;
        for _ in 0..3 {
            assert_eq!(word(&get(&fetcher, "http://shop.example/x").await), "page");
        }
        assert_eq!(server.requests().len(), 5);
        start.elapsed()
    };
    let four = |ms: u64| Duration::from_millis(4 * ms);
    let (default, fast, slow) = (asked(None).await, asked(Some(50.0)).await, asked(Some(2.0)).await);
    assert!(default >= four(300), "{default:?}");
    assert!(fast >= four(20) && fast < four(300), "{fast:?}");
    assert!(slow >= four(500), "{slow:?}");
}
