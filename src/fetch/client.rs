//! The HTTP client: one reqwest client whose resolver knows vetted addresses only.
//!
//! Invariant: no proxy, no redirect, no cookies, no decompression, no retry, no TLS (not compiled in), no name
//! resolved that the network setting does not name; the address that answered is checked afterwards. Errors of
//! reqwest carry URLs and so never leave this file.

#![expect(clippy::disallowed_types, reason = "the one place that holds the client")]

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, Response, redirect, retry};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::config::{FetchError, FetcherConfig, Network};
use super::outcome::FailReason;

/// What is asked for: textual pages first, uncoded.
const ACCEPTED: &str = "text/html, application/xhtml+xml, application/json;q=0.9, application/xml;q=0.8, text/*;q=0.5";

/// The client and where it may go.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    network: Network,
}

/// Marks that the resolver had no address to give.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address that may be used")]
struct NoAddress;

/// Gives the demo web's address for its hosts, nothing for any other name.
struct DemoResolver(Network);

impl Resolve for DemoResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addr = match &self.0 {
            Network::Demo { addr, hosts } if hosts.contains(name.as_str()) => Some(*addr),
            Network::Demo { .. } | Network::Refused => None,
        };
        Box::pin(async move {
            let addrs: Addrs = Box::new(std::iter::once(addr.ok_or(NoAddress)?));
            Ok(addrs)
        })
    }
}

impl HttpClient {
    /// Builds the client.
    pub(super) fn new(config: &FetcherConfig) -> Result<Self, FetchError> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static(ACCEPTED)),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ]);
        let client = Client::builder()
            .user_agent(&config.user_agent)
            .default_headers(headers)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .http1_only()
            .connect_timeout(config.limits.connect)
            .pool_max_idle_per_host(1)
            .dns_resolver(DemoResolver(config.network.clone()))
            .build()
            .map_err(|e| FetchError::Client(e.without_url()))?;
        Ok(Self { client, network: config.network.clone() })
    }

    /// Whether the network lets `url` be asked, before any name is resolved.
    pub(super) fn admits(&self, url: &Url, host: &str) -> Result<(), FailReason> {
        match &self.network {
            Network::Refused => Err(FailReason::NetworkNotServed),
            Network::Demo { hosts, .. } if !hosts.contains(host) => Err(FailReason::HostNotInDemo),
            // An explicit port would override the demo web's own.
            Network::Demo { .. } if url.port().is_some() => Err(FailReason::UrlPort),
            Network::Demo { .. } if url.scheme() != "http" => Err(FailReason::TlsNotBuilt),
            Network::Demo { .. } => Ok(()),
        }
    }

    /// Sends a GET and waits for the headers, until `deadline` at the latest.
    pub(super) async fn get(&self, url: &Url, deadline: Instant) -> Result<Response, FailReason> {
        let sent = timeout_at(deadline, self.client.get(url.clone()).send()).await;
        let response = sent.map_err(|_| FailReason::TimeoutFirstByte)?.map_err(|e| reason(&e))?;
        if self.is_expected(response.remote_addr()) { Ok(response) } else { Err(FailReason::RemoteAddress) }
    }

    fn is_expected(&self, remote: Option<SocketAddr>) -> bool {
        match &self.network {
            Network::Demo { addr, .. } => remote == Some(*addr),
            Network::Refused => false,
        }
    }
}

/// What an error of reqwest means, without its text.
pub(super) fn reason(error: &reqwest::Error) -> FailReason {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<NoAddress>() {
            return FailReason::Resolve;
        }
        source = cause.source();
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => FailReason::TimeoutConnect,
        (true, false) => FailReason::Connect,
        (false, true) => FailReason::TimeoutFirstByte,
        (false, false) => FailReason::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::server::Server;
    use super::*;

    #[tokio::test]
    async fn the_resolver_itself_knows_demo_hosts_only() {
        let server = Server::start().await;
        let client = HttpClient::new(&server.config()).expect("a client");
        let get = async |url: &str| {
            let url = Url::parse(url).expect("a URL");
            client.get(&url, Instant::now() + Duration::from_secs(5)).await.map(|r| r.status().as_u16())
        };
        // Past the guard on purpose: the second line of defence.
        for url in ["http://elsewhere.example/", "http://localhost/", "http://shop.example.elsewhere.example/"] {
            assert_eq!(get(url).await, Err(FailReason::Resolve), "{url}");
        }
        assert_eq!(server.connections(), 0);
        // Without a port in the URL the resolver's port is used; this is what the demo web rests on.
        assert_eq!(get("http://shop.example/").await, Ok(404));
        assert_eq!(server.connections(), 1);
    }

    #[tokio::test]
    async fn an_answer_from_another_address_is_refused() {
        let server = Server::start().await;
        let mut client = HttpClient::new(&server.config()).expect("a client");
        client.network = Network::Demo { addr: ([127, 0, 0, 2], 80).into(), hosts: ["shop.example".into()].into() };
        let url = Url::parse("http://shop.example/").expect("a URL");
        let answer = client.get(&url, Instant::now() + Duration::from_secs(5)).await;
        assert_eq!(answer.err(), Some(FailReason::RemoteAddress));
    }
}
