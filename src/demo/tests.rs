//! The demo web behaves as its settings say.

#![expect(clippy::disallowed_types, reason = "a browser of the demo web, on loopback")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ASSETS, DemoWeb};

struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("this page is UTF-8")
    }
}

async fn raw(addr: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(addr).await.expect("the server listens");
    stream.write_all(request.as_bytes()).await.expect("send");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("receive");
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an HTTP answer");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("headers are ASCII");
    let mut lines = head.lines();
    let status = lines.next().and_then(|l| l.split(' ').nth(1)).and_then(|s| s.parse().ok()).expect("a status");
    let headers = lines.filter_map(|l| l.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
    Reply { status, headers, body: bytes[end + 4..].to_vec() }
}

async fn get(web: &DemoWeb, host: &str, path: &str) -> Reply {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    raw(web.addr(), &request).await
}

async fn web() -> DemoWeb {
    DemoWeb::start(0).await.expect("loopback and well-formed settings")
}

#[tokio::test]
async fn every_file_is_served_by_its_host_only() {
    let web = web().await;
    assert!(web.addr().ip().is_loopback());
    assert_eq!(web.hosts().len(), 18);
    let slow_host = "overbeck-armaturen.example";
    for asset in ASSETS.iter().filter(|a| a.path != "/_host.yaml" && a.host != slow_host) {
        let reply = get(&web, asset.host, asset.path).await;
        assert!(reply.status == 200 && reply.body == asset.body, "{}{}: {}", asset.host, asset.path, reply.status);
        assert_eq!(get(&web, asset.host, "/_host.yaml").await.status, 404);
    }
    assert_eq!(get(&web, "hartwig-sondermaschinen.example", "/ueber-uns").await.status, 404);
    let unknown = get(&web, "kesslering-transporte.example", "/").await;
    assert_eq!(unknown.status, 421);
    web.stop().await;
}

#[tokio::test]
async fn ports_case_dots_and_localhost_do_not_matter_and_paths_find_their_file() {
    let web = web().await;
    let port = web.addr().port();
    for host in [
        "nordkai-logistik.example",
        &format!("Nordkai-Logistik.EXAMPLE:{port}"),
        "nordkai-logistik.example.",
        &format!("nordkai-logistik.example.localhost:{port}"),
    ] {
        assert!(get(&web, host, "/").await.text().contains("Wir bewegen den Norden"), "{host}");
    }
    for path in ["/unternehmen/", "/unternehmen", "/unternehmen/index.html", "/unternehmen?utm=1"] {
        assert!(get(&web, "nordkai-logistik.example", path).await.text().contains("h-card"), "{path}");
    }
    let last = web.requests().pop();
    assert_eq!(last, Some(("nordkai-logistik.example".into(), "/unternehmen".into())));
    web.stop().await;
}

#[tokio::test]
async fn the_first_request_gets_503_and_the_next_the_page() {
    let web = web().await;
    let host = "zeller-praezision.example";
    assert_eq!(get(&web, host, "/robots.txt").await.status, 200);
    let first = get(&web, host, "/").await;
    assert_eq!((first.status, first.header("retry-after")), (503, "2"));
    let second = get(&web, host, "/").await;
    assert_eq!((second.status, second.header("retry-after")), (200, ""));
    let other = self::web().await;
    assert_eq!(get(&other, host, "/").await.status, 503, "each server counts for itself");
    other.stop().await;
    web.stop().await;
}

#[tokio::test]
async fn the_slow_host_takes_its_time_and_others_do_not_wait_for_it() {
    let web = web().await;
    let started = Instant::now();
    let slow = async { (get(&web, "overbeck-armaturen.example", "/impressum").await, started.elapsed()) };
    let fast = async { (get(&web, "hartwig-sondermaschinen.example", "/").await, started.elapsed()) };
    let ((slow, slow_took), (fast, fast_took)) = tokio::join!(slow, fast);
    assert_eq!((slow.status, fast.status), (200, 200));
    assert!(slow_took >= Duration::from_millis(1500), "{slow_took:?}");
    assert!(fast_took < slow_took, "{fast_took:?}");
    web.stop().await;
}

#[tokio::test]
async fn redirects_lead_to_the_other_host_on_the_same_port() {
    let web = web().await;
    let host = "dachstein-intralogistik.example";
    let port = web.addr().port();
    let reply = get(&web, &format!("{host}:{port}"), "/team").await;
    assert_eq!(reply.status, 301);
    assert_eq!(reply.header("location"), format!("http://dachstein-group.example:{port}/team"));
    assert_eq!(get(&web, host, "/").await.header("location"), "http://dachstein-group.example/");
    assert_eq!(get(&web, host, "/robots.txt").await.status, 200);
    assert!(get(&web, "dachstein-group.example", "/team").await.text().contains("Dachsberger"));
    web.stop().await;
}

#[tokio::test]
async fn robots_of_all_kinds() {
    let web = web().await;
    for (host, status, kind, holds) in [
        ("molkerei-brauthal.example", 200, "text/plain", "Disallow: /team"),
        ("rheinwald-pharma.example", 200, "text/plain", "Disallow: /\n"),
        ("alpenglas-verpackung.example", 301, "text/plain", ""),
        ("www.alpenglas-verpackung.example", 200, "text/plain", "Crawl-delay: 2"),
        ("quillmoor-foods.example", 200, "text/html", "<!doctype html>"),
        ("wrensfield-engineering.example", 404, "text/plain", "404"),
    ] {
        let reply = get(&web, host, "/robots.txt").await;
        assert_eq!(reply.status, status, "{host}");
        assert!(reply.header("content-type").starts_with(kind), "{host}");
        assert!(reply.text().contains(holds), "{host}");
    }
    web.stop().await;
}

#[tokio::test]
async fn opt_outs_stand_in_file_meta_and_header() {
    let web = web().await;
    let file = get(&web, "sternberg-feinchemie.example", "/.well-known/tdmrep.json").await;
    let reserved: serde_json::Value = serde_json::from_slice(&file.body).expect("JSON");
    assert_eq!(
        (reserved[0]["tdm-reservation"].as_i64(), file.header("content-type")),
        (Some(1), "application/json; charset=utf-8")
    );
    let meta = get(&web, "kantfeld-software.example", "/legal-notice").await;
    assert!(meta.text().contains(r#"<meta name="tdm-reservation" content="1">"#));
    let header = get(&web, "muehlbach-getreide.example", "/impressum").await;
    assert_eq!(header.header("x-robots-tag"), "noai, noimageai");
    assert_eq!(get(&web, "muehlbach-getreide.example", "/").await.header("x-robots-tag"), "");
    web.stop().await;
}

#[tokio::test]
async fn team_pages_that_are_none() {
    let web = web().await;
    let home = get(&web, "kantfeld-software.example", "/").await;
    assert!(home.text().contains(r#"href="/team""#));
    assert_eq!(get(&web, "kantfeld-software.example", "/team").await.status, 404);
    let pdf = get(&web, "muehlbach-getreide.example", "/ansprechpartner").await;
    assert_eq!((pdf.status, pdf.header("content-type")), (200, "application/pdf"));
    assert!(pdf.body.starts_with(b"%PDF-"));
    web.stop().await;
}

#[tokio::test]
async fn old_pages_are_latin_1_and_say_so_in_one_way_or_the_other() {
    let web = web().await;
    let team = get(&web, "tischlerei-ahorn.example", "/team.html").await;
    assert_eq!(team.header("content-type"), "text/html; charset=iso-8859-1");
    assert!(String::from_utf8(team.body.clone()).is_err() && team.body.windows(7).any(|w| w == b"B\xf6ckman"));
    let home = get(&web, "tischlerei-ahorn.example", "/").await;
    assert_eq!(home.header("content-type"), "text/html");
    assert!(String::from_utf8_lossy(&home.body).contains("charset=ISO-8859-1"));
    web.stop().await;
}

#[tokio::test]
async fn the_developer_api_looks_like_github() {
    let web = web().await;
    let host = "api.devhub.example";
    let user = get(&web, host, "/users/lkantfeld").await;
    let json: serde_json::Value = serde_json::from_slice(&user.body).expect("JSON");
    let fields =
        ["login", "name", "company", "blog", "location", "bio", "public_repos", "followers", "created_at", "html_url"];
    assert!(fields.iter().all(|f| !json[f].is_null()) && json["type"] == "User");
    let limits = |r: &Reply| (r.header("x-ratelimit-limit").to_owned(), r.header("x-ratelimit-remaining").to_owned());
    assert_eq!(limits(&user), ("60".into(), "59".into()));
    let missing = get(&web, host, "/users/pia-lohsemann").await;
    assert_eq!((missing.status, limits(&missing)), (404, ("60".into(), "58".into())));
    assert!(missing.text().contains("\"Not Found\"") && missing.header("content-type").starts_with("application/json"));
    web.stop().await;
}

#[tokio::test]
async fn methods_conditions_and_the_index() {
    let web = web().await;
    let addr = web.addr();
    let head = raw(addr, "HEAD / HTTP/1.1\r\nHost: hartwig-sondermaschinen.example\r\nConnection: close\r\n\r\n").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let post = raw(
        addr,
        "POST / HTTP/1.1\r\nHost: hartwig-sondermaschinen.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
    let tag = head.header("etag");
    let again = raw(addr, &format!("GET / HTTP/1.1\r\nHost: hartwig-sondermaschinen.example\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let index = get(&web, &addr.to_string(), "/").await.text();
    for host in web.hosts() {
        assert!(index.contains(&format!("http://{host}.localhost:{}/", addr.port())), "{host}");
    }
    assert!(index.contains("prefers-color-scheme: dark") && !index.contains("<script"));
    assert_eq!(get(&web, &addr.to_string(), "/else").await.status, 404);
    web.stop().await;
    assert!(TcpStream::connect(addr).await.is_err(), "the port is free again");
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let web = web().await;
    let port = web.addr().port();
    let error = DemoWeb::start(port).await.expect_err("the port is taken");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    web.stop().await;
}
