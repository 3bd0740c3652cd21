//! A scripted loopback server: says exactly the bytes it is told, counts connections and requests.

#![expect(clippy::disallowed_types, reason = "servers of the tests, on loopback")]

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::super::*;
use crate::consent::permit::{Fetch, Permit};
use crate::model::{SubjectId, Target};
use crate::taxonomy::SourceClass;

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(in crate::fetch) enum Say {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends the first bytes, then the second over and over, this long apart, until the client has gone.
    Drip(Vec<u8>, Vec<u8>, Duration),
    /// Sends nothing and stays.
    Silence,
}

/// How a connection to the server begins.
#[derive(Clone, Default)]
pub(in crate::fetch) enum Opening {
    #[default]
    Plain,
    Tls(TlsAcceptor),
    /// Whatever comes, these bytes are the answer.
    Raw(Vec<u8>),
}

/// Answers by path, in order; the last one is repeated.
#[derive(Debug, Default)]
struct Script(Mutex<HashMap<String, (usize, Vec<Say>)>>);

/// A running server.
pub(in crate::fetch) struct Server {
    pub(in crate::fetch) addr: SocketAddr,
    script: Arc<Script>,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// A whole HTTP/1.1 answer.
pub(super) fn http(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Say {
    let headers: String = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Say::Bytes([head.as_bytes(), body].concat())
}

/// An HTML page.
pub(super) fn html(body: &str) -> Say {
    http(200, &[("Content-Type", "text/html; charset=utf-8")], body.as_bytes())
}

impl Server {
    /// Starts a server whose robots.txt and tdmrep.json do not exist.
    pub(in crate::fetch) async fn start() -> Self {
        Self::start_with(Opening::Plain).await
    }

    /// The same with another opening.
    pub(in crate::fetch) async fn start_with(opening: Opening) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let server = Self {
            addr: listener.local_addr().expect("bound"),
            script: Arc::default(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (script, connections, requests) =
            (Arc::clone(&server.script), Arc::clone(&server.connections), Arc::clone(&server.requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(open(stream, opening.clone(), Arc::clone(&script), Arc::clone(&requests)));
            }
        });
        server
    }

    /// Sets what is said at a path.
    pub(in crate::fetch) fn on(self, path: &str, says: &[Say]) -> Self {
        self.script.0.lock().expect("script").insert(path.to_owned(), (0, says.to_vec()));
        self
    }

    /// How many connections were opened.
    pub(in crate::fetch) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of all requests.
    pub(in crate::fetch) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("requests").clone()
    }

    /// A fetcher of short limits for `shop.example` and `other.example` at this server.
    pub(in crate::fetch) fn config(&self) -> FetcherConfig {
        let ms = Duration::from_millis;
        FetcherConfig {
            user_agent: "Prosopon/0.1 (+https://operator.example/bot)".into(),
            limits: Limits {
                connect: ms(500),
                first_byte: ms(500),
                read_idle: ms(500),
                total: ms(1200),
                host_delay: ms(1),
                address_delay: ms(1),
                backoff: ms(20),
                retry_wait: ms(5),
                ..Limits::default()
            },
            budgets: Budgets {
                requests_per_run: 100,
                requests_per_host: 50,
                requests_per_source: 100,
                requests_per_night: 100,
                seconds_per_run: 20,
            },
            requests_per_second: BTreeMap::new(),
            network: Network::Demo {
                addr: self.addr,
                hosts: ["shop.example", "other.example"].map(String::from).into(),
            },
            seed: 1,
        }
    }

    /// A fetcher that has asked the host rules of `shop.example` already.
    pub(in crate::fetch) async fn fetcher(&self, config: FetcherConfig) -> Fetcher {
        let fetcher = fetcher(config);
        ask_rules(&fetcher, "shop.example").await;
        fetcher
    }
}

async fn open(mut stream: TcpStream, opening: Opening, script: Arc<Script>, requests: Arc<Mutex<Vec<String>>>) {
    match opening {
        Opening::Plain => serve(stream, script, requests).await,
        Opening::Tls(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, script, requests).await;
            }
        }
        Opening::Raw(bytes) => {
            let _gone = stream.read(&mut [0; 1024]).await;
            let _gone = stream.write_all(&bytes).await;
            let _gone = stream.shutdown().await;
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: Arc<Script>,
    requests: Arc<Mutex<Vec<String>>>,
) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.lock().expect("requests").push(head);
    match script.next(&path) {
        Say::Bytes(bytes) => {
            let _gone = stream.write_all(&bytes).await;
            let _gone = stream.shutdown().await;
        }
        Say::Drip(first, again, pause) => {
            let mut alive = stream.write_all(&first).await;
            while alive.is_ok() {
                tokio::time::sleep(pause).await;
                alive = stream.write_all(&again).await;
            }
        }
        Say::Silence => {
            let _gone = stream.read(&mut byte).await;
        }
    }
}

impl Script {
    fn next(&self, path: &str) -> Say {
        let mut script = self.0.lock().expect("script");
        let Some((at, says)) = script.get_mut(path) else { return http(404, &[], b"") };
        let say = says[(*at).min(says.len() - 1)].clone();
        *at += 1;
        say
    }
}

/// The clock of every test's gate.
pub(super) fn now() -> jiff::Timestamp {
    "2026-03-02T03:00:00Z".parse().expect("an instant")
}

pub(super) fn fetcher(config: FetcherConfig) -> Fetcher {
    Fetcher::new(config, std::sync::Arc::new(now), std::sync::Arc::new(now)).expect("a fetcher")
}

/// A permit about a person's page.
pub(super) fn page(url: &str) -> Permit<Fetch> {
    permit(Target::Subject(SubjectId::from_body("test"), None), url)
}

/// A permit about a host.
pub(super) fn host_file(host: &str, path: &str) -> Permit<Fetch> {
    permit(Target::Host(host.into()), &format!("http://{host}{path}"))
}

pub(super) fn permit(target: Target, url: &str) -> Permit<Fetch> {
    let until = now() + jiff::SignedDuration::from_secs(60);
    Permit::<Fetch>::for_test(target, SourceClass::CompanySite, url, until)
}

pub(super) async fn ask_rules(fetcher: &Fetcher, host: &str) {
    for path in ["/robots.txt", "/.well-known/tdmrep.json"] {
        fetcher.fetch(host_file(host, path), &Cancel::never()).await;
    }
}

/// The outcome in one word: `page`, `redirect`, or the reason.
pub(super) fn word(fetched: &Fetched) -> &'static str {
    match &fetched.outcome {
        Outcome::Page(_) => "page",
        Outcome::Unchanged(_) => "unchanged",
        Outcome::Redirect { .. } => "redirect",
        Outcome::Failed { reason } => reason.as_str(),
        Outcome::Abandoned { reason } => reason.as_str(),
    }
}
