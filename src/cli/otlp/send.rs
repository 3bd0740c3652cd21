//! The thread that sends spans to a collector.
//!
//! Invariant: nothing waits for it but the end of the program, and that for [`LAST`] at most. It asks the address that
//! the operator names and no other: no redirect, no proxy.

#![expect(clippy::disallowed_types, reason = "the collector that the operator names; it is told no personal data")]

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use url::Url;

use super::encode;
use super::spans::Ended;
use crate::fetch::Tls;

/// So many spans go in one request.
const BATCH: usize = 512;
/// So long spans wait for others.
const LINGER: Duration = Duration::from_secs(2);
/// One request, from connecting to the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the end of the program waits for at most.
const LAST: Duration = Duration::from_secs(5);
/// How often a request is tried that may succeed later.
const TRIES: u32 = 3;
/// The wait before the second try; before each further one it is twice as long.
const BACKOFF: Duration = Duration::from_millis(200);

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Collector(Url);

/// What the thread is told.
pub(super) enum Message {
    Span(Box<Ended>),
    /// Send what there is, say so, and end.
    End(SyncSender<()>),
}

/// The running thread.
pub(super) struct Worker {
    thread: std::thread::JoinHandle<()>,
    tally: Arc<Tally>,
}

/// What became of the spans.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Taken by the collector.
    pub taken: AtomicU64,
    /// Not taken, or dropped before they were sent.
    pub lost: AtomicU64,
    /// Why the last request came to nothing.
    pub why: Mutex<Option<String>>,
}

impl FromStr for Collector {
    type Err = String;

    /// The base address of a collector, as in `OTEL_EXPORTER_OTLP_ENDPOINT`; traces go to `v1/traces` below it.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "write it like http://127.0.0.1:4318";
        let mut url = Url::parse(text).map_err(|e| format!("{e}; {wanted}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(format!("only http and https are spoken; {wanted}"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(format!("no user name, password or query; {wanted}"));
        }
        let path = url.path().trim_end_matches('/');
        let path = if path.ends_with("/v1/traces") { path.to_owned() } else { format!("{path}/v1/traces") };
        url.set_path(&path);
        url.set_fragment(None);
        Ok(Self(url))
    }
}

impl Worker {
    pub(super) fn start(collector: Collector, spans: Receiver<Message>, tally: Arc<Tally>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut sender = Sender { collector, runtime, tls: None, tally: Arc::clone(&tally) };
        let work = move || {
            if let Some(done) = sender.serve(&spans) {
                // Whoever waited may have given up.
                let _ = done.send(());
            }
        };
        let thread = std::thread::Builder::new().name("otlp".to_owned()).spawn(work)?;
        Ok(Self { thread, tally })
    }

    /// Waits until all is sent, for a few seconds at most, and tells what was lost.
    pub(super) fn end(self, queue: &SyncSender<Message>) -> Option<String> {
        let (done, is_done) = sync_channel(1);
        let in_time = queue.try_send(Message::End(done)).is_ok() && is_done.recv_timeout(LAST).is_ok();
        if in_time {
            // It has nothing left to do.
            let _ = self.thread.join();
        }
        self.tally.verdict(in_time)
    }
}

impl Tally {
    /// What is to be told at the end; `None` = the collector took all.
    pub(super) fn verdict(&self, in_time: bool) -> Option<String> {
        let (taken, lost) = (self.taken.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed));
        let what = match (taken, lost, in_time) {
            (_, 0, true) => return None,
            (0, _, _) => "took none of the spans".to_owned(),
            (_, _, true) => format!("did not take {lost} of {} spans", taken + lost),
            (_, 0, false) => "is too slow, the last spans are lost".to_owned(),
            (_, _, false) => format!("did not take {lost} spans and those that waited at the end"),
        };
        let why = self.why.lock().ok().and_then(|why| why.clone()).map_or(String::new(), |why| format!(" ({why})"));
        Some(format!("the collector of --otlp {what}{why}; the run is as it is"))
    }
}

/// Sends in batches.
struct Sender {
    collector: Collector,
    runtime: tokio::runtime::Runtime,
    tls: Option<Tls>,
    tally: Arc<Tally>,
}

impl Sender {
    /// Until it is told to end, or nobody can tell it anything any more.
    fn serve(&mut self, spans: &Receiver<Message>) -> Option<SyncSender<()>> {
        let mut batch = Vec::new();
        loop {
            let next = spans.recv_timeout(LINGER);
            let (is_idle, end) = match next {
                Ok(Message::Span(span)) => {
                    batch.push(*span);
                    (false, None)
                }
                Ok(Message::End(done)) => (true, Some(Some(done))),
                Err(RecvTimeoutError::Timeout) => (true, None),
                Err(RecvTimeoutError::Disconnected) => (true, Some(None)),
            };
            if !batch.is_empty() && (is_idle || batch.len() >= BATCH) {
                self.deliver(&batch);
                batch.clear();
            }
            if let Some(done) = end {
                return done;
            }
        }
    }

    fn deliver(&mut self, batch: &[Ended]) {
        let body = Bytes::from(encode::request(batch));
        let spans = batch.len() as u64;
        for attempt in 0..TRIES {
            if attempt > 0 {
                let wait = BACKOFF * 2_u32.pow(attempt - 1);
                // A sleep is made inside the runtime, or it panics.
                self.runtime.block_on(async { sleep(wait).await });
            }
            let (why, is_worth_a_try) = match self.post(body.clone()) {
                Ok(status) if status.is_success() => {
                    self.tally.taken.fetch_add(spans, Ordering::Relaxed);
                    return;
                }
                Ok(status) => (format!("it answered {}", status.as_u16()), may_be_repeated(status)),
                Err(error) => (error.to_string(), true),
            };
            if let Ok(mut last) = self.tally.why.lock() {
                *last = Some(why);
            }
            if !is_worth_a_try {
                break;
            }
        }
        self.tally.lost.fetch_add(spans, Ordering::Relaxed);
    }

    fn post(&mut self, body: Bytes) -> anyhow::Result<StatusCode> {
        let url = self.collector.0.clone();
        if url.scheme() == "https" && self.tls.is_none() {
            self.tls = Some(Tls::system()?);
        }
        let tls = self.tls.clone();
        let answer = self.runtime.block_on(async { timeout(PATIENCE, post(&url, tls, body)).await });
        answer.unwrap_or_else(|_| anyhow::bail!("no answer within {} s", PATIENCE.as_secs()))
    }
}

/// What OTLP/HTTP calls retryable.
fn may_be_repeated(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

async fn post(url: &Url, tls: Option<Tls>, body: Bytes) -> anyhow::Result<StatusCode> {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    match tls {
        Some(tls) => ask(url, tls.handshake(host, stream).await.map_err(|e| anyhow::anyhow!("{e}"))?, body).await,
        None => ask(url, stream, body).await,
    }
}

async fn ask<S>(url: &Url, stream: S, body: Bytes) -> anyhow::Result<StatusCode>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let request = Request::post(url.path())
        .header(HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(USER_AGENT, concat!("prosopon/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(body))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    driving.abort();
    Ok(status)
}
