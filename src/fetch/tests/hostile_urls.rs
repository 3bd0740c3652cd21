//! Every hostile URL is refused before a byte is sent, as seen from the listener.

use std::path::Path;

use super::super::*;
use super::server::{Server, page, word};

#[tokio::test]
async fn hostile_urls_never_reach_the_network() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fetch/hostile_urls.txt");
    let text = std::fs::read_to_string(file).expect("testdata/fetch/hostile_urls.txt");
    let server = Server::start().await;
    let fetcher = server.fetcher(server.config()).await;
    let before = server.connections();
    let mut count = 0;
    for line in text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let (expected, url) = line.split_once(' ').expect("reason URL");
        count += 1;
        let refusal = check_text(url).expect_err(url);
        assert_eq!(refusal.as_str(), expected, "{url}");
        if refusal != UrlRefusal::Invalid {
            assert_eq!(word(&fetcher.fetch(page(url), &Cancel::never()).await), expected, "{url}");
        }
    }
    assert!(count >= 60, "only {count} URLs");
    assert!(before > 0 && server.connections() == before, "{} connections", server.connections());
}

#[test]
fn good_urls_pass_in_normal_form() {
    for (given, host) in [
        ("http://shop.example/", "shop.example"),
        ("HTTPS://Shop.Example:443/x?y#z", "shop.example"),
        ("http://shop.example:80/", "shop.example"),
        ("https://www.müller-söhne.example/", "www.xn--mller-shne-kcb9d.example"),
        ("https://a_b.shop.example/", "a_b.shop.example"),
        ("https://1.2.3.4.nip.example/", "1.2.3.4.nip.example"),
    ] {
        let url = check_text(given).expect(given);
        assert_eq!(check_url(&url), Ok(host), "{given}");
    }
    let long = format!("http://shop.example/{}", "x".repeat(2048));
    assert_eq!(check_text(&long), Err(UrlRefusal::TooLong));
}
