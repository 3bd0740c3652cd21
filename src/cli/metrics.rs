//! `--metrics ADDR`: counts of a run for Prometheus, over HTTP.
//!
//! Invariant: counts only, by words of fixed lists and names of the pipelines that are kept: no host, no source, nobody;
//! so the number of series is fixed. It listens where the operator says and answers GET and HEAD of /metrics; it is no
//! part of the fetcher.

use std::convert::Infallible;
use std::fmt::{Display, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::schedules::Schedules;
use crate::run::Observer;

/// How a permit can end.
const OUTCOMES: [&str; 4] = ["fetched", "failed", "abandoned", "refused"];

/// How a run can end.
const ENDS: [&str; 7] =
    ["completed", "completed_with_dead_letters", "failed_after_publishing", "failed", "stopped", "too_long", "died"];

/// Counts of all runs of this process.
#[derive(Default)]
pub(super) struct Counts {
    planned: AtomicU64,
    companies: AtomicU64,
    personas: AtomicU64,
    resumed: AtomicU64,
    not_modified: AtomicU64,
    outcomes: [AtomicU64; OUTCOMES.len()],
    ends: [AtomicU64; ENDS.len()],
    active: AtomicU64,
    /// How the schedules stand.
    pub(super) schedules: Schedules,
}

/// Counts what it is told of one run, and tells it on. The run goes on for as long as somebody holds it.
pub(super) struct Metered {
    inner: Arc<dyn Observer>,
    counts: Arc<Counts>,
}

impl Metered {
    pub(super) fn new(counts: &Arc<Counts>, inner: Arc<dyn Observer>) -> Self {
        counts.active.fetch_add(1, Ordering::Relaxed);
        Self { inner, counts: Arc::clone(counts) }
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.counts.active.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counts {
    /// Counts the end of a run.
    pub(super) fn ended(&self, how: &str) {
        if let Some(at) = ENDS.iter().position(|known| *known == how) {
            self.ends[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The text format of Prometheus, version 0.0.4.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let mut family = |name: &str, kind: &str, help: &str, lines: &[(String, u64)]| {
            tell_family(&mut text, name, kind, help, lines);
        };
        let one = |n: &AtomicU64| [(String::new(), count(n))];
        family("prosopon_run_active", "gauge", "Runs that go on, 0 between them.", &one(&self.active));
        let by = |label: &str, words: &[&str], counts: &[AtomicU64]| -> Vec<(String, u64)> {
            words.iter().zip(counts).map(|(word, n)| (format!("{{{label}=\"{word}\"}}"), count(n))).collect()
        };
        let ends = by("outcome", &ENDS, &self.ends);
        family("prosopon_runs_total", "counter", "Runs of this process by how they ended.", &ends);
        family("prosopon_companies_planned", "gauge", "Companies of the run that began last.", &one(&self.planned));
        family("prosopon_companies_total", "counter", "Companies worked on.", &one(&self.companies));
        family("prosopon_personas_total", "counter", "Personas written.", &one(&self.personas));
        family("prosopon_fetches_resumed_total", "counter", "Fetches of an earlier start.", &one(&self.resumed));
        let help = "Fetches that ended with a 304: nothing had changed.";
        family("prosopon_fetches_not_modified_total", "counter", help, &one(&self.not_modified));
        let outcomes = by("outcome", &OUTCOMES, &self.outcomes);
        family("prosopon_fetches_total", "counter", "Permits to fetch by how they ended.", &outcomes);
        self.schedules.tell(&mut text);
        text
    }
}

/// A metric with its lines: labels and values.
pub(super) fn tell_family<V: Display>(text: &mut String, name: &str, kind: &str, help: &str, lines: &[(String, V)]) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in lines {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

impl Observer for Metered {
    fn planned(&self, companies: usize) {
        self.counts.planned.store(companies as u64, Ordering::Relaxed);
        self.inner.planned(companies);
    }

    fn fetched(&self, outcome: &str, resumed: bool) {
        if resumed {
            self.counts.resumed.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(at) = OUTCOMES.iter().position(|known| *known == outcome) {
            self.counts.outcomes[at].fetch_add(1, Ordering::Relaxed);
        }
        self.inner.fetched(outcome, resumed);
    }

    fn not_modified(&self) {
        self.counts.not_modified.fetch_add(1, Ordering::Relaxed);
        self.inner.not_modified();
    }

    fn group_done(&self, is_company: bool, personas: usize) {
        self.counts.companies.fetch_add(u64::from(is_company), Ordering::Relaxed);
        self.counts.personas.fetch_add(personas as u64, Ordering::Relaxed);
        self.inner.group_done(is_company, personas);
    }
}

/// Listens, and answers until the runtime ends.
///
/// # Errors
/// The address cannot be listened at.
pub(super) async fn serve(
    addr: SocketAddr,
    text: Arc<dyn Fn() -> String + Send + Sync>,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(addr).await?;
    let bound = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let text = Arc::clone(&text);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let answer = answer(&request, &text);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let http = hyper::server::conn::http1::Builder::new().keep_alive(false).clone();
                let _gone = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Ok(bound)
}

fn answer<B>(request: &Request<B>, text: &Arc<dyn Fn() -> String + Send + Sync>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) || request.uri().path() != "/metrics" {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let mut response = Response::new(Full::new(Bytes::from(text())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Silent;

    #[test]
    fn counts_by_a_fixed_list() {
        let counts = Arc::new(Counts::default());
        let metered = Metered::new(&counts, Arc::new(Silent));
        metered.planned(3);
        for outcome in ["fetched", "fetched", "refused", "a name of somebody"] {
            metered.fetched(outcome, outcome == "refused");
        }
        metered.not_modified();
        metered.group_done(true, 4);
        metered.group_done(false, 1);
        let text = counts.text();
        for line in [
            "prosopon_run_active 1",
            "prosopon_companies_planned 3",
            "prosopon_companies_total 1",
            "prosopon_personas_total 5",
            "prosopon_fetches_resumed_total 1",
            "prosopon_fetches_not_modified_total 1",
            "prosopon_fetches_total{outcome=\"fetched\"} 2",
            "prosopon_fetches_total{outcome=\"refused\"} 1",
            "prosopon_fetches_total{outcome=\"failed\"} 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("somebody"));
        drop(metered);
        for end in ["failed", "somebody"] {
            counts.ended(end);
        }
        let text = counts.text();
        for line in ["prosopon_run_active 0", "prosopon_runs_total{outcome=\"failed\"} 1", "prosopon_personas_total 5"]
        {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("somebody"));
        let ask = |method: Method, path: &str| {
            let text: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(String::new);
            let request = Request::builder().method(method).uri(path).body(()).expect("a request");
            answer(&request, &text).status().as_u16()
        };
        for (method, path, status) in [
            (Method::GET, "/metrics", 200),
            (Method::HEAD, "/metrics", 200),
            (Method::GET, "/", 404),
            (Method::POST, "/metrics", 404),
        ] {
            assert_eq!(ask(method, path), status, "{path}");
        }
    }
}
