//! The HTTP client: HTTP/1.1 over connections that `dial.rs` opened.
//!
//! Invariant: GET only; no proxy, no redirect, no cookies, no credentials, no retry but on a connection that had
//! closed before anything was sent; one connection a host. What a server sends is bounded before it is read.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::config::{FetchError, FetcherConfig, Limits, Network};
use super::dial;
use super::pace::{AddressPace, Turn};
use super::pool::{Idle, Pool};
use super::reason::FailReason;

/// What is asked for: textual pages first.
const ACCEPTED: &str = "text/html, application/xhtml+xml, application/json;q=0.9, application/xml;q=0.8, text/*;q=0.5";
/// Codings that are decoded by ourselves, under caps.
const CODINGS: &str = "gzip, br, zstd";
/// A body that is of no use is still read to its end if it is this short, to keep the connection.
const DRAIN: u64 = 16 * 1024;

/// So many connections are in use at once, where the process may open as many files.
const LANES: usize = 1024;
/// What else it has open: connections that wait, databases, tables.
const OTHER_FILES: u64 = 512;

/// The client and where it may go.
pub(super) struct HttpClient {
    network: Network,
    headers: HeaderMap,
    limits: Limits,
    pool: Pool,
    addresses: AddressPace,
    /// Held from connecting to the end of the body, so that waiting for hosts costs no connection.
    lanes: Arc<Semaphore>,
}

/// An answer whose body is still to come, on the connection that it comes over.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) started: Instant,
    connection: Idle,
}

impl HttpClient {
    /// Builds the client.
    pub(super) fn new(config: &FetcherConfig) -> Result<Self, FetchError> {
        let agent = HeaderValue::from_str(&config.user_agent).map_err(|_| FetchError::UserAgent)?;
        let headers = HeaderMap::from_iter([
            (USER_AGENT, agent),
            (ACCEPT, HeaderValue::from_static(ACCEPTED)),
            (ACCEPT_ENCODING, HeaderValue::from_static(CODINGS)),
        ]);
        Ok(Self {
            network: config.network.clone(),
            headers,
            limits: config.limits.clone(),
            pool: Pool::default(),
            addresses: AddressPace::new(config.limits.address_delay),
            lanes: Arc::new(Semaphore::new(lanes())),
        })
    }

    /// Whether the network lets `url` be asked, before any name is resolved.
    pub(super) fn admits(&self, url: &Url, host: &str) -> Result<(), FailReason> {
        match &self.network {
            Network::Refused => Err(FailReason::NetworkNotServed),
            Network::Demo { hosts, .. } if !hosts.contains(host) => Err(FailReason::HostNotInDemo),
            // The demo web has a port of its own.
            Network::Demo { .. } if url.port().is_some() => Err(FailReason::UrlPort),
            Network::Demo { .. } if url.scheme() != "http" => Err(FailReason::DemoWithoutTls),
            Network::Replay(tape) if tape.is_demo() && url.port().is_some() => Err(FailReason::UrlPort),
            Network::Demo { .. } | Network::Public(_) | Network::Replay(_) => Ok(()),
        }
    }

    /// A share of the connections; the semaphore is never closed.
    async fn lane(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.lanes).acquire_owned().await.ok()
    }

    /// Sends a GET and waits for the headers. `apart`: from other requests to the same address.
    pub(super) async fn get(
        &self,
        url: &Url,
        extra: &HeaderMap,
        turn: &Turn,
        apart: Duration,
    ) -> Result<Answer, FailReason> {
        let origin = url.origin().ascii_serialization();
        if let Some(mut idle) = self.pool.take(&origin)
            && matches!(timeout(Duration::from_millis(100), idle.sender.ready()).await, Ok(Ok(())))
        {
            self.addresses.wait(idle.address, apart).await;
            idle.lane = self.lane().await;
            match self.exchange(url, extra, turn, idle).await {
                // The server closed it while it was idle and has seen nothing: a fresh one is asked at once.
                Err(Sent::Nothing) => {}
                Err(Sent::Failed(reason)) => return Err(reason),
                Ok(answer) => return Ok(answer),
            }
        }
        let idle = self.connect(url, origin, apart).await?;
        self.exchange(url, extra, turn, idle).await.map_err(|failed| match failed {
            Sent::Nothing => FailReason::Protocol,
            Sent::Failed(reason) => reason,
        })
    }

    async fn exchange(&self, url: &Url, extra: &HeaderMap, turn: &Turn, mut idle: Idle) -> Result<Answer, Sent> {
        let request = self.request(url, extra)?;
        turn.sent();
        let started = Instant::now();
        let deadline = started + self.limits.first_byte.min(self.limits.total);
        let response = match timeout_at(deadline, idle.sender.send_request(request)).await {
            Err(_) => return Err(Sent::Failed(FailReason::TimeoutFirstByte)),
            Ok(Err(error)) if error.is_canceled() => return Err(Sent::Nothing),
            Ok(Err(error)) if error.is_parse_too_large() => return Err(Sent::Failed(FailReason::HeadersTooLarge)),
            Ok(Err(_)) => return Err(Sent::Failed(FailReason::Protocol)),
            Ok(Ok(response)) => response,
        };
        Ok(Answer { response, started, connection: idle })
    }

    fn request(&self, url: &Url, extra: &HeaderMap) -> Result<Request<Empty<Bytes>>, Sent> {
        let unfit = || Sent::Failed(FailReason::UrlInvalid);
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = url[url::Position::BeforePath..url::Position::AfterQuery].parse().map_err(|_| unfit())?;
        request.headers_mut().clone_from(&self.headers);
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let host = HeaderValue::from_str(authority).map_err(|_| unfit())?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().extend(extra.clone());
        Ok(request)
    }

    /// A fresh connection: resolved, vetted, dialled, secured.
    async fn connect(&self, url: &Url, origin: String, apart: Duration) -> Result<Idle, FailReason> {
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let until = || Instant::now() + self.limits.connect;
        match &self.network {
            Network::Refused | Network::Replay(_) => Err(FailReason::NetworkNotServed),
            Network::Demo { addr, hosts } => {
                // Past the first check on purpose: this is the last one.
                if !hosts.contains(host) {
                    return Err(FailReason::Resolve);
                }
                let lane = self.lane().await;
                let dialled = timeout_at(until(), dial::connect(*addr)).await;
                let (stream, peer) =
                    dialled.map_err(|_| FailReason::TimeoutConnect)?.map_err(|_| FailReason::Connect)?;
                if peer != *addr {
                    return Err(FailReason::RemoteAddress);
                }
                self.speak(origin, (None, lane), stream).await
            }
            Network::Public(net) => {
                let vetted = timeout_at(until(), net.vetted(host)).await.map_err(|_| FailReason::TimeoutConnect)??;
                let mut failed = FailReason::Connect;
                for ip in vetted.into_iter().take(3) {
                    self.addresses.wait(Some(ip), apart).await;
                    let lane = self.lane().await;
                    let deadline = until();
                    let to = SocketAddr::new(ip, port);
                    let stream = match timeout_at(deadline, net.dial(to)).await {
                        Ok(Ok(stream)) => stream,
                        Ok(Err(FailReason::Connect)) => {
                            failed = FailReason::Connect;
                            continue;
                        }
                        Ok(Err(reason)) => return Err(reason),
                        Err(_) => {
                            failed = FailReason::TimeoutConnect;
                            continue;
                        }
                    };
                    if url.scheme() == "http" {
                        return self.speak(origin, (Some(ip), lane), stream).await;
                    }
                    let secured = timeout_at(deadline, net.tls().handshake(host, stream)).await;
                    return self
                        .speak(origin, (Some(ip), lane), secured.map_err(|_| FailReason::TimeoutConnect)??)
                        .await;
                }
                Err(failed)
            }
        }
    }

    /// Starts HTTP on a connection.
    async fn speak<S>(
        &self,
        origin: String,
        (address, lane): (Option<IpAddr>, Option<OwnedSemaphorePermit>),
        stream: S,
    ) -> Result<Idle, FailReason>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let spoken = http1::Builder::new()
            .max_buf_size(self.limits.header_bytes.max(8192))
            .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await;
        let (sender, connection) = spoken.map_err(|_| FailReason::Protocol)?;
        // Ends with the sender; what it has to tell, the request tells too.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Idle { origin, address, sender, since: Instant::now(), lane })
    }

    /// Takes the connection back after its answer was read to the end.
    pub(super) fn give_back(&self, connection: Idle) {
        self.pool.put(connection);
    }

    /// Ends an answer whose body is of no use; a short one is read, so that the connection can be used again.
    pub(super) async fn discard(&self, answer: Answer) {
        let Answer { response, connection, .. } = answer;
        let short = hyper::body::Body::size_hint(response.body()).upper().is_some_and(|n| n <= DRAIN);
        if short && matches!(timeout(self.limits.read_idle, response.into_body().collect()).await, Ok(Ok(_))) {
            self.give_back(connection);
        }
    }
}

impl Answer {
    /// The vetted address it came from; `None` on loopback.
    pub(super) const fn address(&self) -> Option<IpAddr> {
        self.connection.address
    }

    /// Body and connection apart.
    pub(super) fn into_parts(self) -> (Incoming, Idle) {
        (self.response.into_body(), self.connection)
    }
}

/// How many connections may be in use.
fn lanes() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(LANES).clamp(64, LANES)
}

/// Why there is no answer.
enum Sent {
    /// The connection was closed before anything was sent.
    Nothing,
    Failed(FailReason),
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient").field("network", &self.network).finish_non_exhaustive()
    }
}

/// The type of a connection that can send one request after the other.
pub(super) type Sender = SendRequest<Empty<Bytes>>;
