//! The server of the demo web.
//!
//! Invariant: bound to 127.0.0.1; it stops when told to or when it is dropped.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, ETAG, HOST, HeaderName, HeaderValue, IF_NONE_MATCH};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::host::{Answer, Counts, Host, LOCAL};
use super::{ASSETS, Asset, index};

/// Why the demo web cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The port is taken, or loopback is not there.
    #[error("cannot listen on 127.0.0.1:{port}; choose another port, or 0 for any")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A `_host.yaml` is wrong.
    #[error("the settings of the demo host {host} are wrong: {problem}")]
    Settings {
        /// The host.
        host: String,
        /// What the parser says.
        problem: String,
    },
}

/// The running demo web.
#[derive(Debug)]
pub struct DemoWeb {
    addr: SocketAddr,
    hosts: Vec<String>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    hosts: BTreeMap<&'static str, Host>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    counts: BTreeMap<&'static str, Counts>,
    requests: Vec<(String, String)>,
}

impl DemoWeb {
    /// Starts the server on `port`, 0 = any free one. Must be called within a tokio runtime.
    pub async fn start(port: u16) -> Result<Self, DemoError> {
        let hosts = Host::all(assets()).map_err(|(host, problem)| DemoError::Settings { host, problem })?;
        let names = hosts.keys().map(|h| (*h).to_owned()).collect();
        let listen = |source| DemoError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared { hosts, seen: Mutex::default() });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, shared.clone(), stopped));
        Ok(Self { addr, hosts: names, shared, stop, task: Some(task) })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Every virtual host, sorted.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Host and path of every request so far, in the order of arrival; a query is not part of a path.
    pub fn requests(&self) -> Vec<(String, String)> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// Stops accepting, cuts open connections and waits for the end.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // A panic of the server has been reported by the runtime; stopping has nothing to add.
            let _ = task.await;
        }
    }
}

impl Drop for DemoWeb {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

#[cfg(not(test))]
const fn assets() -> &'static [Asset] {
    ASSETS
}

#[cfg(test)]
thread_local! {
    /// Files that a test has changed over night, for webs that its thread starts.
    pub(crate) static CHANGED: std::cell::RefCell<Vec<Asset>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[cfg(test)]
fn assets() -> &'static [Asset] {
    let mut changed = CHANGED.with_borrow_mut(std::mem::take);
    if changed.is_empty() {
        return ASSETS;
    }
    let is_changed = |asset: &Asset| changed.iter().any(|c| (c.host, c.path) == (asset.host, asset.path));
    let copy = |asset: &Asset| Asset { host: asset.host, path: asset.path, body: asset.body };
    let mut all: Vec<Asset> = ASSETS.iter().filter(|asset| !is_changed(asset)).map(copy).collect();
    all.append(&mut changed);
    Vec::leak(all)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of file descriptors, most likely: give others time to close theirs.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let shared = shared.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let shared = shared.clone();
                        async move { Ok::<_, Infallible>(serve(&shared, &request).await) }
                    });
                    let http = hyper::server::conn::http1::Builder::new().timer(TokioTimer::new()).clone();
                    // A client that breaks off is its own affair.
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
    connections.shutdown().await;
}

async fn serve(shared: &Shared, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let host_header = request.headers().get(HOST).and_then(|v| v.to_str().ok());
    let authority =
        request.uri().authority().map(hyper::http::uri::Authority::as_str).or(host_header).unwrap_or_default();
    let answer = answer(shared, authority, request.uri().path(), request.uri().query().unwrap_or_default());
    if answer.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
    }
    respond(answer, request)
}

/// Finds the answer and notes the request.
fn answer(shared: &Shared, authority: &str, path: &str, query: &str) -> Answer {
    let lower = authority.to_ascii_lowercase();
    let name = lower.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(lower.as_str(), |(name, _)| name).trim_end_matches('.');
    let name = name.strip_suffix(LOCAL).unwrap_or(name);
    let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.requests.push((name.to_owned(), path.to_owned()));
    match shared.hosts.get_key_value(name) {
        Some((name, host)) => host.answer(path, query, &lower, seen.counts.entry(name).or_default()),
        None if matches!(name, "127.0.0.1" | "localhost") => index::answer(&shared.hosts, path, &lower),
        None => index::unknown_host(),
    }
}

fn respond(answer: Answer, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let tag = format!("\"{}\"", data_encoding::HEXLOWER.encode(&Sha256::digest(&answer.body)[..8]));
    let unchanged =
        answer.status == 200 && request.headers().get(IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let body = if unchanged { Bytes::new() } else { Bytes::from(answer.body) };
    let mut response = Response::new(Full::new(body));
    let status = if unchanged { 304 } else { answer.status };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    if answer.status == 200 {
        response.headers_mut().insert(ETAG, HeaderValue::try_from(tag).expect("a quoted hex string is a header value"));
    }
    response
}
