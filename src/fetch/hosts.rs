//! What is known of each host in this run: requests spent, breaker, denials, slowness.
//!
//! Invariant: a request is counted, for its host and for the run, before it is sent; leave to send one is
//! reported on exactly once, also when it is dropped.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::Breaker;
use super::config::{Budgets, Limits};
use super::memory::Before;
use super::reason::{AbandonReason, FailReason};

/// The hosts of a run.
#[derive(Debug)]
pub(super) struct Hosts {
    limits: Limits,
    budgets: Budgets,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: u32,
    /// Of all runs of the night.
    night: u64,
    sources: HashMap<Box<str>, u32>,
    hosts: HashMap<Box<str>, Host>,
}

#[derive(Debug, Default)]
struct Host {
    requests: u32,
    denials: u32,
    slow: u32,
    /// How long answers take, smoothed.
    latency: Duration,
    breaker: Breaker,
}

/// What an answer, or its absence, tells about a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// It works.
    Fine,
    /// It works and points elsewhere.
    Redirect,
    /// It does not want us: 401, 403.
    Denied,
    /// It has too much to do: 429, 503.
    Overloaded,
    /// It does not work: other 5xx, timeouts, broken connections.
    Broken,
    /// It works, but what it sent is not for us.
    Unfit,
}

impl Telling {
    /// Reads a status, or the fault of an exchange.
    pub(super) const fn of(result: Result<u16, FailReason>) -> Self {
        match result {
            Ok(429 | 503) => Self::Overloaded,
            Ok(401 | 403) => Self::Denied,
            Ok(300..=399) => Self::Redirect,
            Ok(..500) => Self::Fine,
            Ok(500..)
            | Err(
                FailReason::Connect
                | FailReason::TimeoutConnect
                | FailReason::TimeoutFirstByte
                | FailReason::TimeoutRead
                | FailReason::TimeoutTotal
                | FailReason::Truncated
                | FailReason::Protocol,
            ) => Self::Broken,
            Err(_) => Self::Unfit,
        }
    }

    /// Whether asking again later may help.
    pub(super) const fn is_transient(self) -> bool {
        matches!(self, Self::Overloaded | Self::Broken)
    }
}

/// What the end of a request did to the breaker of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shift {
    /// It opened for so long.
    Opened(Duration),
    /// It closed.
    Closed,
}

/// Leave to send one request.
#[derive(Debug)]
pub(super) struct Leave<'a> {
    hosts: &'a Hosts,
    name: &'a str,
    reported: bool,
}

impl Hosts {
    pub(super) fn new(limits: Limits, budgets: Budgets) -> Self {
        Self { limits, budgets, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was spent before this start counts.
    pub(super) fn recall(&self, before: &Before) {
        let mut state = self.state();
        state.night += before.night;
        state.requests += before.by_source.values().sum::<u32>();
        for (source, spent) in &before.by_source {
            *state.sources.entry(source.as_str().into()).or_default() += spent;
        }
        for (host, spent) in &before.by_host {
            state.hosts.entry(host.as_str().into()).or_default().requests += spent;
        }
    }

    /// Breakers that earlier runs opened are open.
    pub(super) fn recall_breakers(&self, breakers: &[(String, Duration, Duration)]) {
        let (mut state, now) = (self.state(), Instant::now());
        for (host, left, lasts) in breakers {
            // However far its clock was ahead: no breaker is open for longer.
            let (left, lasts) = ((*left).min(self.limits.max_wait), (*lasts).min(self.limits.max_wait));
            state.hosts.entry(host.as_str().into()).or_default().breaker = Breaker::opened(now, left, lasts);
        }
    }

    fn refusal(&self, state: &State, name: &str, source: &str) -> Option<AbandonReason> {
        if state.requests >= self.budgets.requests_per_run {
            return Some(AbandonReason::BudgetRun);
        }
        if state.night >= self.budgets.requests_per_night {
            return Some(AbandonReason::BudgetNight);
        }
        if state.sources.get(source).copied().unwrap_or_default() >= self.budgets.requests_per_source {
            return Some(AbandonReason::BudgetSource);
        }
        if self.budgets.requests_per_host == 0 {
            return Some(AbandonReason::BudgetHost);
        }
        let host = state.hosts.get(name)?;
        if host.requests >= self.budgets.requests_per_host {
            Some(AbandonReason::BudgetHost)
        } else if host.denials >= self.limits.denials {
            Some(AbandonReason::HostStopped)
        } else {
            host.breaker.is_open(Instant::now()).then_some(AbandonReason::BreakerOpen)
        }
    }

    /// Whether a request would be admitted now, so that no one waits in vain.
    pub(super) fn check(&self, name: &str, source: &str) -> Result<(), AbandonReason> {
        self.refusal(&self.state(), name, source).map_or(Ok(()), Err)
    }

    /// Counts one request and gives leave to send it.
    pub(super) fn admit<'a>(&'a self, name: &'a str, source: &str) -> Result<Leave<'a>, AbandonReason> {
        let mut state = self.state();
        if let Some(reason) = self.refusal(&state, name, source) {
            return Err(reason);
        }
        let host = state.hosts.entry(name.into()).or_default();
        if !host.breaker.admit(Instant::now()) {
            return Err(AbandonReason::BreakerOpen);
        }
        host.requests += 1;
        state.requests += 1;
        state.night += 1;
        *state.sources.entry(source.into()).or_default() += 1;
        Ok(Leave { hosts: self, name, reported: false })
    }

    /// Halves the host's rate; tells how often that happened before.
    pub(super) fn slow_down(&self, name: &str) -> u32 {
        let mut state = self.state();
        let host = state.hosts.entry(name.into()).or_default();
        host.slow = (host.slow + 1).min(16);
        host.slow - 1
    }

    /// Notes how long an answer took to begin.
    pub(super) fn took(&self, name: &str, latency: Duration) {
        let mut state = self.state();
        let host = state.hosts.entry(name.into()).or_default();
        host.latency = if host.latency.is_zero() { latency } else { (host.latency * 3 + latency) / 4 };
    }

    /// The delay after all slowing down: doubled as often as the host said it had too much, and never shorter than
    /// it takes to answer, so that a host under load is asked less.
    pub(super) fn slowed(&self, name: &str, delay: Duration) -> Duration {
        let state = self.state();
        let (slow, latency) = state.hosts.get(name).map_or((0, Duration::ZERO), |host| (host.slow, host.latency));
        delay.max(latency).saturating_mul(1 << slow)
    }
}

impl Leave<'_> {
    /// Tells how it went.
    pub(super) fn report(mut self, telling: Telling) -> Option<Shift> {
        self.reported = true;
        let mut state = self.hosts.state();
        let host = state.hosts.entry(self.name.into()).or_default();
        match telling {
            Telling::Denied => {
                host.denials += 1;
                if host.denials == self.hosts.limits.denials {
                    tracing::warn!(host = self.name, "does not want us (401 or 403 in a row), stopped for this run");
                }
            }
            Telling::Fine | Telling::Redirect | Telling::Unfit => host.denials = 0,
            Telling::Overloaded | Telling::Broken => {}
        }
        match telling {
            Telling::Broken => host.breaker.failed(Instant::now(), &self.hosts.limits).map(Shift::Opened),
            Telling::Overloaded => {
                host.breaker.undecided();
                None
            }
            _ => host.breaker.succeeded().then_some(Shift::Closed),
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if !self.reported {
            self.hosts.state().hosts.entry(self.name.into()).or_default().breaker.undecided();
        }
    }
}
