//! What the fetcher is told: limits, budgets, rates, the network and the clocks.
//!
//! Invariant: the defaults are those of the design; nothing here is read from the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::dial::PublicNet;
use super::tape::Cassette;

/// Tells the time of day. Injected, so that a run with a pinned clock is repeatable.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the fetcher needs to know before the first request.
#[derive(Debug, Clone)]
pub struct FetcherConfig {
    /// Sent as `User-Agent`; its product token (the letters before `/`) is what robots.txt is asked for.
    pub user_agent: String,
    /// Time, size and retry limits.
    pub limits: Limits,
    /// How much may be asked.
    pub budgets: Budgets,
    /// Requests per second by source id, only where a documented API limit allows more than the default.
    pub requests_per_second: BTreeMap<String, f64>,
    /// Where requests may go.
    pub network: Network,
    /// Seed of the jitter, which only ever adds to a wait.
    pub seed: u64,
}

/// Where requests may go.
#[derive(Debug, Clone)]
pub enum Network {
    /// The demo web of this process: only these hosts, only this loopback address, never real DNS.
    Demo {
        /// Where the demo web listens.
        addr: SocketAddr,
        /// The hosts it serves, lower case.
        hosts: BTreeSet<String>,
    },
    /// The public network, through the guard.
    Public(PublicNet),
    /// A recording, which holds all answers there are.
    Replay(Arc<Cassette>),
    /// None; everything is refused.
    Refused,
}

/// Time, size and retry limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// From the connection to the end of the headers.
    pub first_byte: Duration,
    /// Between two pieces of a body.
    pub read_idle: Duration,
    /// From the request to the last byte.
    pub total: Duration,
    /// Names and values of all headers together, in bytes.
    pub header_bytes: usize,
    /// The body on the wire, in bytes.
    pub body_bytes: usize,
    /// The decoded body, in bytes.
    pub decoded_bytes: usize,
    /// Most decoded bytes for each byte on the wire ...
    pub decode_ratio: usize,
    /// ... once so many came out.
    pub ratio_after: usize,
    /// How much of a robots.txt is read, in bytes; the rest is ignored.
    pub robots_bytes: usize,
    /// Between two requests to one host, where nothing longer is asked for.
    pub host_delay: Duration,
    /// Between two requests to one address of the public network, whichever hosts they are for; less only for sources
    /// with a documented rate.
    pub address_delay: Duration,
    /// A longer `Crawl-delay` defers the host to another run.
    pub max_crawl_delay: Duration,
    /// First wait after 429 or 503 without `Retry-After`; doubles.
    pub backoff: Duration,
    /// First wait after another 5xx, a timeout or a broken connection; doubles.
    pub retry_wait: Duration,
    /// No wait of our own making is longer.
    pub max_wait: Duration,
    /// How often a request is repeated.
    pub retries: u32,
    /// Failures in a row that open the breaker.
    pub breaker_failures: u32,
    /// For how long it opens first; doubles up to `max_wait`.
    pub breaker_open: Duration,
    /// 401 or 403 in a row that stop a host for the run.
    pub denials: u32,
    /// For how long robots.txt and TDM rules hold.
    pub rules_ttl: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            read_idle: Duration::from_secs(10),
            total: Duration::from_secs(30),
            header_bytes: 64 * 1024,
            body_bytes: 2 * 1024 * 1024,
            decoded_bytes: 8 * 1024 * 1024,
            decode_ratio: 100,
            ratio_after: 64 * 1024,
            robots_bytes: 500 * 1024,
            host_delay: Duration::from_secs(1),
            address_delay: Duration::from_secs(1),
            max_crawl_delay: Duration::from_mins(5),
            backoff: Duration::from_secs(30),
            retry_wait: Duration::from_secs(2),
            max_wait: Duration::from_hours(1),
            retries: 2,
            breaker_failures: 5,
            breaker_open: Duration::from_mins(1),
            denials: 3,
            rules_ttl: Duration::from_hours(24),
        }
    }
}

/// How much may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Requests of the whole run, retries and robots.txt included.
    pub requests_per_run: u32,
    /// Requests to one host.
    pub requests_per_host: u32,
    /// Requests on behalf of one source.
    pub requests_per_source: u32,
    /// Requests of all runs of a night together.
    pub requests_per_night: u64,
    /// Seconds from the making of the fetcher; at most a year counts.
    pub seconds_per_run: u64,
}

/// Why no fetcher can be made.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The demo web must be our own.
    #[error("the demo web must listen on a loopback address and a port, not on {0}")]
    NotLoopback(SocketAddr),
    /// No product token, or not a header value.
    #[error("the user agent must start with a product token of letters, - and _, and be printable ASCII")]
    UserAgent,
    /// A rate that is no rate.
    #[error("the rate of source {0} must lie between 0.001 and 1000 requests per second")]
    Rate(String),
    /// Without certificate authorities no site can be told from an impostor.
    #[error("the system has no certificate authorities; install its ca-certificates")]
    NoAuthorities,
}

impl FetcherConfig {
    /// The product token that robots.txt is asked for, lower case.
    pub(crate) fn product_token(&self) -> Result<String, FetchError> {
        let end = |c: char| !(c.is_ascii_alphabetic() || c == '-' || c == '_');
        let token = self.user_agent.split(end).next().unwrap_or_default();
        let printable = self.user_agent.bytes().all(|b| (0x20..0x7f).contains(&b));
        if token.is_empty() || !printable {
            return Err(FetchError::UserAgent);
        }
        Ok(token.to_ascii_lowercase())
    }

    /// Checks what the types cannot.
    pub(crate) fn check(&self) -> Result<(), FetchError> {
        if let Network::Demo { addr, .. } = &self.network
            && (!addr.ip().is_loopback() || addr.port() == 0)
        {
            return Err(FetchError::NotLoopback(*addr));
        }
        let odd = |rate: &f64| !(rate.is_finite() && (0.001..=1000.0).contains(rate));
        match self.requests_per_second.iter().find(|(_, rate)| odd(rate)) {
            Some((source, _)) => Err(FetchError::Rate(source.clone())),
            None => Ok(()),
        }
    }

    /// How long the run may take.
    pub(crate) fn run_time(&self) -> Duration {
        Duration::from_secs(self.budgets.seconds_per_run.min(365 * 86_400))
    }

    /// The delay between two requests to one host on behalf of `source`.
    pub(crate) fn delay_for(&self, source: &str) -> Duration {
        self.requests_per_second.get(source).map_or(self.limits.host_delay, |rate| Duration::from_secs_f64(1.0 / rate))
    }

    /// The delay between two requests to one address on behalf of `source`: a documented rate holds there, too; a slow
    /// rate is for each host, so that the many hosts of one address do not wait for each other.
    pub(crate) fn apart_for(&self, source: &str) -> Duration {
        let longest = self.limits.address_delay;
        if self.requests_per_second.contains_key(source) { self.delay_for(source).min(longest) } else { longest }
    }
}
