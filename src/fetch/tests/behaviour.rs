//! Servers that misbehave: one typed outcome each, in bounded time.

use std::time::{Duration, Instant};

use super::super::*;
use super::server::{Say, Server, html, http, page, word};

const HTML: (&str, &str) = ("Content-Type", "text/html");

/// Fetches `/x` once after the host rules; returns the outcome's word and the facts.
async fn check(name: &str, says: &[Say], expected: &str, attempts: u32) {
    let server = Server::start().await.on("/x", says);
    let mut config = server.config();
    config.limits.body_bytes = 100_000;
    let fetcher = server.fetcher(config).await;
    let start = Instant::now();
    let got = fetcher.fetch(page("http://shop.example/x"), &Cancel::never()).await;
    assert_eq!(word(&got), expected, "{name}: {got:?}");
    assert_eq!(got.facts.attempts, attempts, "{name}: {got:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{name} took {:?}", start.elapsed());
}

fn raw(text: &str) -> Say {
    Say::Bytes(text.as_bytes().to_vec())
}

#[tokio::test]
async fn bodies() {
    let ms = Duration::from_millis;
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
    let endless = Say::Drip(chunked.into(), format!("4000\r\n{}\r\n", "x".repeat(0x4000)).into(), ms(1));
    let slow = Say::Drip(chunked.into(), b"1\r\nx\r\n".to_vec(), ms(100));
    check("endless body", &[endless], "body_too_large", 1).await;
    check("slow loris body", &[slow], "timeout_total", 3).await;
    check("too long, declared", &[html(&"x".repeat(100_001))], "body_too_large", 1).await;
    check("as long as allowed", &[html(&"x".repeat(100_000))], "page", 1).await;
    let truncated = raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 50\r\n\r\n<p>short");
    check("truncated", std::slice::from_ref(&truncated), "truncated", 3).await;
    check("truncated, then whole", &[truncated, html("<p>whole")], "page", 2).await;
    check("truncated chunks", &[raw(&format!("{chunked}5\r\n<p>ab\r\n9\r\n<p>"))], "truncated", 3).await;
    check("empty", &[html("")], "page", 1).await;
    let long = raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>and more than was said");
    check("longer than declared: what was declared", &[long], "page", 1).await;
    let odd = |n: &str| raw(&format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {n}\r\n\r\n<p>"));
    check("a length that is none", &[odd("3x")], "protocol", 3).await;
    check("a negative length", &[odd("-3")], "protocol", 3).await;
    check("an absurd length", &[odd("99999999999999999999999")], "protocol", 3).await;
    check("a great length", &[odd("18446744073709551000")], "body_too_large", 1).await;
}

#[tokio::test]
async fn a_body_that_stalls_is_left_long_before_the_total_limit() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>";
    let stall = Say::Drip(head.into(), b"x".to_vec(), Duration::from_mins(1));
    let server = Server::start().await.on("/x", &[stall]);
    let mut config = server.config();
    (config.limits.total, config.limits.retries) = (Duration::from_secs(15), 0);
    let fetcher = server.fetcher(config).await;
    let start = Instant::now();
    let got = fetcher.fetch(page("http://shop.example/x"), &Cancel::never()).await;
    assert_eq!((word(&got), got.facts.bytes), ("timeout_read", 3), "{got:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn frames() {
    let ms = Duration::from_millis;
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
    check("silence", &[Say::Silence], "timeout_first_byte", 3).await;
    let loris = Say::Drip(ok.into(), b"X-A: b\r\n".to_vec(), ms(50));
    check("slow loris headers", &[loris], "timeout_first_byte", 3).await;
    check("not HTTP", &[raw("SSH-2.0-OpenSSH_9\r\n")], "protocol", 3).await;
    check("closes at once", &[raw("")], "protocol", 3).await;
    check("two lengths", &[raw(&format!("{ok}Content-Length: 3\r\nContent-Length: 4\r\n\r\n<p>x"))], "protocol", 3)
        .await;
    let large = format!("{ok}X-Large: {}\r\nContent-Length: 3\r\n\r\n<p>", "x".repeat(70_000));
    check("large header", &[raw(&large)], "headers_too_large", 1).await;
    let many = "X-Many: y\r\n".repeat(5000);
    check("many headers", &[raw(&format!("{ok}{many}\r\n"))], "headers_too_large", 1).await;
    let endless = Say::Drip(ok.into(), format!("X-A: {}\r\n", "b".repeat(8000)).into(), ms(1));
    check("endless headers", &[endless], "headers_too_large", 1).await;
    let one_line = Say::Drip(format!("{ok}X-A: ").into(), "b".repeat(8000).into(), ms(1));
    check("a header without end", &[one_line], "headers_too_large", 1).await;
}

#[tokio::test]
async fn codings() {
    let coded = |coding: &'static str, body: &[u8]| http(200, &[HTML, ("Content-Encoding", coding)], body);
    let file = |name: &str| std::fs::read(format!("testdata/fetch/coded/{name}")).expect("testdata/fetch/coded");
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, bytes).and_then(|()| encoder.finish()).expect("memory")
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).expect("memory");
    let (page, zeros) = (file("page.txt"), vec![b'a'; 64 << 20]);
    check("gzip", &[coded("gzip", &gzip(&page))], "page", 1).await;
    check("brotli", &[coded("br", &file("page.br"))], "page", 1).await;
    check("zstd", &[coded("ZSTD", &zstd(&page))], "page", 1).await;
    check("gzip bomb", &[coded("gzip", &gzip(&zeros))], "decode_ratio", 1).await;
    check("brotli bomb", &[coded("br", &file("bomb.br"))], "decode_ratio", 1).await;
    check("zstd bomb", &[coded("zstd", &zstd(&zeros))], "decode_ratio", 1).await;
    check("gzip in gzip", &[coded("gzip, gzip", &gzip(&gzip(&page)))], "content_coding", 1).await;
    check("unknown coding", &[coded("deflate", b"x")], "content_coding", 1).await;
    check("cut gzip", &[coded("gzip", &gzip(&page)[..60])], "coding_broken", 1).await;
    check("cut brotli", &[coded("br", &file("page.br")[..40])], "coding_broken", 1).await;
    check("cut zstd", &[coded("zstd", &zstd(&page)[..40])], "coding_broken", 1).await;
    check("not gzip at all", &[coded("gzip", b"<p>plain")], "coding_broken", 1).await;
    check("gzip without the header", &[http(200, &[HTML], &gzip(&page))], "type_mismatch", 1).await;
    check("a PDF in gzip", &[coded("gzip", &gzip(b"%PDF-1.7"))], "type_mismatch", 1).await;
}

#[tokio::test]
async fn charsets_by_mark_and_header() {
    let head = |value| [("Content-Type", value)];
    for (content_type, body, expected) in [
        ("text/html; charset=utf-8", &b"<meta charset=windows-1252>"[..], Some("utf-8")),
        ("text/html", b"<meta charset=windows-1252>", None),
        ("text/html; charset=utf-8", b"\xFF\xFE<\0p\0>\0", Some("utf-16le")),
        ("text/html; charset=iso-8859-1", b"\xEF\xBB\xBF<p>", Some("utf-8")),
        ("text/html; charset=nonsense", b"<p>\xE9\xC3\xA9", Some("nonsense")),
    ] {
        let server = Server::start().await.on("/x", &[http(200, &head(content_type), body)]);
        let fetcher = server.fetcher(server.config()).await;
        let got = fetcher.fetch(page("http://shop.example/x"), &Cancel::never()).await;
        let Outcome::Page(page) = &got.outcome else { panic!("{content_type}: {got:?}") };
        assert_eq!(page.charset(), expected, "{content_type} {body:?}");
    }
}

#[tokio::test]
async fn types() {
    let pdf: &[u8] = b"%PDF-1.7 \xE2\xE3";
    check("PDF as HTML", &[http(200, &[HTML], pdf)], "type_mismatch", 1).await;
    check("PNG as HTML", &[http(200, &[HTML], b"\x89PNG\r\n\x1a\n")], "type_mismatch", 1).await;
    check("PDF as PDF", &[http(200, &[("Content-Type", "application/pdf")], pdf)], "content_type", 1).await;
    check("PDF without type", &[http(200, &[], pdf)], "type_mismatch", 1).await;
    check("HTML as JSON", &[http(200, &[("Content-Type", "application/json")], b"<html>")], "type_mismatch", 1).await;
    check("JSON", &[http(200, &[("Content-Type", "application/json")], b"{}")], "page", 1).await;
    check("HTML without type", &[http(200, &[], b"<!doctype html><p>")], "page", 1).await;
}

#[tokio::test]
async fn statuses() {
    check("404", &[http(404, &[HTML], b"<p>no")], "not_found", 1).await;
    check("410", &[http(410, &[], b"")], "gone", 1).await;
    check("401", &[http(401, &[], b"")], "access_denied", 1).await;
    check("403", &[http(403, &[], b"")], "access_denied", 1).await;
    check("418", &[http(418, &[], b"")], "http_status", 1).await;
    check("204", &[http(204, &[], b"")], "http_status", 1).await;
    check("206", &[http(206, &[HTML], b"<p>")], "http_status", 1).await;
    check("304 unasked", &[http(304, &[], b"")], "not_modified_unasked", 1).await;
    check("500", &[http(500, &[], b"")], "http_status", 3).await;
    check("500, 502, then ok", &[http(500, &[], b""), http(502, &[], b""), html("<p>")], "page", 3).await;
    check("429 without a time", &[http(429, &[], b"")], "overloaded", 3).await;
    check("503, then ok", &[http(503, &[("Retry-After", "0")], b""), html("<p>")], "page", 2).await;
    check("200 with Retry-After", &[http(200, &[HTML, ("Retry-After", "9999")], b"<p>")], "page", 1).await;
}

#[tokio::test]
async fn opt_outs_of_a_page() {
    for (header, value, expected) in [
        ("X-Robots-Tag", "noindex", "noindex"),
        ("X-Robots-Tag", "prosopon: none", "noindex"),
        ("X-Robots-Tag", "otherbot: noindex", "page"),
        ("TDM-Reservation", "1", "tdm_reserved"),
        ("TDM-Reservation", "0", "page"),
        ("Content-Usage", "train-ai=n", "usage_denied"),
    ] {
        check(value, &[http(200, &[HTML, (header, value)], b"<p>")], expected, 1).await;
    }
}

#[tokio::test]
async fn redirects_are_returned_not_followed() {
    for (location, expected) in [
        ("http://other.example/y", "redirect"),
        ("/y", "redirect"),
        ("//other.example/", "redirect"),
        ("https://shop.example/x", "redirect"),
        ("/x#frag", "redirect_loop"),
        ("http://169.254.169.254/latest", "redirect_refused"),
        ("http://localhost/", "redirect_refused"),
        ("http://u:p@other.example/", "redirect_refused"),
        ("file:///etc/passwd", "redirect_refused"),
        ("http://[::1", "redirect_refused"),
    ] {
        check(location, &[http(302, &[("Location", location)], b"")], expected, 1).await;
    }
    check("no location", &[http(301, &[], b"")], "redirect_without_location", 1).await;
    let server = Server::start().await.on("/x", &[http(308, &[("Location", "/y#f")], b"")]);
    let fetcher = server.fetcher(server.config()).await;
    let got = fetcher.fetch(page("http://shop.example/x"), &Cancel::never()).await;
    assert!(!format!("{got:?}").contains("/x") && !format!("{got:?}").contains("/y"), "{got:?}");
    let Outcome::Redirect { from, to } = got.outcome else { panic!("no redirect") };
    assert_eq!((from.as_str(), to.as_str()), ("http://shop.example/x", "http://shop.example/y"));
    assert_eq!(server.requests().len(), 3, "two rule files and the page, not the target");
}

#[tokio::test]
async fn nobody_listens() {
    let server = Server::start().await.on("/x", &[html("<p>")]);
    let mut config = server.config();
    let fetcher = server.fetcher(config.clone()).await;
    let unused = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback").local_addr().expect("bound");
    config.network = Network::Demo { addr: unused, hosts: ["shop.example".to_owned()].into() };
    let closed = super::server::fetcher(config);
    let robots = closed.fetch(super::server::host_file("shop.example", "/robots.txt"), &Cancel::never()).await;
    assert_eq!((word(&robots), robots.facts.attempts), ("connect", 3));
    let got = closed.fetch(page("http://shop.example/x"), &Cancel::never()).await;
    assert_eq!((word(&got), got.facts.attempts), ("robots_unreachable", 0));
    assert_eq!(word(&fetcher.fetch(page("http://shop.example/x"), &Cancel::never()).await), "page");
}
