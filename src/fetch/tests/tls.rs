//! TLS that is wrong in every way we know, and once right: typed, asked once, never over plain HTTP instead.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use super::super::*;
use super::public::{Answers, network};
use super::server::{Opening, Server, fetcher, html, http, page, permit, word};
use crate::model::Target;

/// An authority, and the store that trusts it.
fn authority(name: &str) -> (Issuer<'static, KeyPair>, RootCertStore) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("an authority");
    (Issuer::new(params, key), roots)
}

/// A server with a certificate of `issuer`, or signed by itself.
fn opening(params: &CertificateParams, issuer: Option<&Issuer<'static, KeyPair>>) -> Opening {
    let key = KeyPair::generate().expect("a key");
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    let chain = vec![certificate.expect("a certificate").der().clone()];
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a server");
    Opening::Tls(TlsAcceptor::from(Arc::new(config)))
}

fn leaf(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).expect("a name")
}

async fn check(name: &str, opening: Opening, roots: &RootCertStore, expected: &str) {
    let server = Server::start_with(opening).await;
    let answers = Arc::new(Answers::default());
    answers.set("shop.example", &["93.184.216.34"]);
    let mut config = server.config();
    config.network = network(&server, &answers, roots.clone());
    let fetcher = fetcher(config);
    let ask = || permit(Target::Host("shop.example".into()), "https://shop.example/robots.txt");
    let got = fetcher.fetch(ask(), &Cancel::never()).await;
    assert_eq!((word(&got), got.facts.attempts), (expected, 1), "{name}: {got:?}");
    if expected != "not_found" {
        assert_eq!((server.requests().len(), server.connections()), (0, 1), "{name}: no retry, no downgrade");
        let page = fetcher.fetch(page("https://shop.example/x"), &Cancel::never()).await;
        assert_eq!((word(&page), server.connections()), ("robots_unreachable", 1), "{name}");
    }
}

#[tokio::test]
async fn certificates() {
    let (issuer, roots) = authority("Authority");
    let (stranger, _) = authority("Stranger");
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = leaf("shop.example");
        change(&mut params);
        params
    };
    check("good", opening(&leaf("shop.example"), Some(&issuer)), &roots, "not_found").await;
    let expired = with(&|p| p.not_after = date_time_ymd(2020, 1, 1));
    check("expired", opening(&expired, Some(&issuer)), &roots, "tls_expired").await;
    let early = with(&|p| p.not_before = date_time_ymd(3000, 1, 1));
    check("not yet valid", opening(&early, Some(&issuer)), &roots, "tls_not_yet_valid").await;
    check("another host's", opening(&leaf("other.example"), Some(&issuer)), &roots, "tls_name").await;
    check("signed by itself", opening(&leaf("shop.example"), None), &roots, "tls_issuer").await;
    check("an unknown authority", opening(&leaf("shop.example"), Some(&stranger)), &roots, "tls_issuer").await;
    let client = with(&|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    check("for clients", opening(&client, Some(&issuer)), &roots, "tls_certificate").await;
    let ca = with(&|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    check("an authority as a server", opening(&ca, Some(&issuer)), &roots, "tls_certificate").await;
}

#[tokio::test]
async fn handshakes() {
    let (_, roots) = authority("Authority");
    let raw = |bytes: &[u8]| Opening::Raw(bytes.to_vec());
    check("plain HTTP", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), &roots, "tls_protocol").await;
    check("an old version only", raw(&[0x15, 3, 1, 0, 2, 2, 70]), &roots, "tls_protocol").await;
    check("a refusal", raw(&[0x15, 3, 3, 0, 2, 2, 40]), &roots, "tls_handshake").await;
    check("closes", raw(b""), &roots, "tls_handshake").await;
}

#[tokio::test]
async fn a_page_over_tls_and_no_way_back_to_plain_http() {
    let (issuer, roots) = authority("Authority");
    let server = Server::start_with(opening(&leaf("shop.example"), Some(&issuer))).await;
    let away = http(301, &[("Location", "http://shop.example/y")], b"");
    let server = server.on("/x", &[html("<p>secure")]).on("/y", &[away]);
    let answers = Arc::new(Answers::default());
    answers.set("shop.example", &["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]);
    let mut config = server.config();
    config.network = network(&server, &answers, roots);
    let fetcher = fetcher(config);
    for path in ["/robots.txt", "/.well-known/tdmrep.json"] {
        let permit = permit(Target::Host("shop.example".into()), &format!("https://shop.example{path}"));
        assert_eq!(word(&fetcher.fetch(permit, &Cancel::never()).await), "not_found");
    }
    assert_eq!(word(&fetcher.fetch(page("https://shop.example/x"), &Cancel::never()).await), "page");
    let got = fetcher.fetch(page("https://shop.example/y"), &Cancel::never()).await;
    assert_eq!(word(&got), "redirect_downgrade");
    assert!(server.requests().iter().all(|r| r.to_ascii_lowercase().contains("host: shop.example\r\n")));
}
