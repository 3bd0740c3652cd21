//! A POST to an address that the operator names: a collector of traces, a data catalogue.
//!
//! Invariant: it asks that address and no other: no redirect, no proxy. Whoever sends something keeps persons out of it.

#![expect(clippy::disallowed_types, reason = "an address that the operator names; it is told no personal data")]

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::fetch::Tls;

/// One request, from connecting to the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a request is tried that may succeed later.
const TRIES: u32 = 3;
/// The wait before the second try; before each further one it is twice as long.
const BACKOFF: Duration = Duration::from_millis(200);

/// Somebody who is told things, one after the other.
pub(crate) struct Post {
    url: Url,
    authorization: Option<HeaderValue>,
    runtime: tokio::runtime::Runtime,
    tls: Option<Tls>,
}

/// The address of a path below a base, which may name the path already.
pub(crate) fn below(mut base: Url, path: &str) -> Url {
    let before = base.path().trim_end_matches('/');
    let whole = if before.ends_with(path) { before.to_owned() } else { format!("{before}{path}") };
    base.set_path(&whole);
    base.set_fragment(None);
    base
}

impl Post {
    /// Nothing is asked yet.
    pub(crate) fn to(url: Url, authorization: Option<HeaderValue>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { url, authorization, runtime, tls: None })
    }

    /// Sends JSON until it is taken or there is no use in trying; `Err` says why the last try came to nothing.
    pub(crate) fn json(&mut self, body: Bytes) -> Result<(), String> {
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                let wait = BACKOFF * 2_u32.pow(attempt - 1);
                // A sleep is made inside the runtime, or it panics.
                self.runtime.block_on(async { sleep(wait).await });
            }
            last = match self.once(body.clone()) {
                Ok(status) if status.is_success() => return Ok(()),
                Ok(status) if may_be_repeated(status) => format!("it answered {}", status.as_u16()),
                Ok(status) => return Err(format!("it answered {}", status.as_u16())),
                Err(error) => error.to_string(),
            };
        }
        Err(last)
    }

    fn once(&mut self, body: Bytes) -> anyhow::Result<StatusCode> {
        if self.url.scheme() == "https" && self.tls.is_none() {
            self.tls = Some(Tls::system()?);
        }
        let answer = self.runtime.block_on(async { timeout(PATIENCE, self.send(body)).await });
        answer.unwrap_or_else(|_| anyhow::bail!("no answer within {} s", PATIENCE.as_secs()))
    }

    async fn send(&self, body: Bytes) -> anyhow::Result<StatusCode> {
        let url = &self.url;
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        match &self.tls {
            Some(tls) => self.ask(tls.handshake(host, stream).await.map_err(|e| anyhow::anyhow!("{e}"))?, body).await,
            None => self.ask(stream, body).await,
        }
    }

    async fn ask<S>(&self, stream: S, body: Bytes) -> anyhow::Result<StatusCode>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let mut request = Request::post(self.url.path())
            .header(HOST, &self.url[url::Position::BeforeHost..url::Position::AfterPort])
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, concat!("prosopon/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(body))?;
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        driving.abort();
        Ok(status)
    }
}

/// What OTLP/HTTP calls retryable.
fn may_be_repeated(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}
