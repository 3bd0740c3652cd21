//! Whose turn it is: one request at a time for each host, never sooner than its delay and its floor.
//!
//! Invariant: two turns of a host start at least the later one's delay apart, one turn ends before the next
//! begins, and a floor (`Retry-After`, backoff) only ever moves later. Jitter only adds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::cancel::Cancel;
use super::reason::AbandonReason;

/// The turns of all hosts.
#[derive(Debug, Default)]
pub(super) struct Pace {
    hosts: Mutex<HashMap<Box<str>, Arc<Host>>>,
}

#[derive(Debug, Default)]
struct Host {
    /// Held by whoever is the next to ask; waiters queue in order.
    line: Arc<tokio::sync::Mutex<()>>,
    /// Held by whoever has the turn; waiters queue in order.
    turn: Arc<tokio::sync::Mutex<()>>,
    times: Mutex<Times>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Times {
    last: Option<Instant>,
    floor: Option<Instant>,
}

/// The head of the line at a host: others wait until it is dropped.
#[derive(Debug)]
pub struct Place {
    _held: OwnedMutexGuard<()>,
}

/// Leave to send one request to a host now; the next one waits until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    host: Arc<Host>,
    _held: OwnedMutexGuard<()>,
}

impl Turn {
    /// The request goes out now: from here the next one's delay is measured, however long connecting took.
    pub(super) fn sent(&self) {
        self.host.times.lock().unwrap_or_else(PoisonError::into_inner).last = Some(Instant::now());
    }
}

/// The paces of addresses, which many hosts may share: a slot each, no turn that is held.
#[derive(Debug)]
pub(super) struct AddressPace {
    /// No delay is longer.
    longest: Duration,
    slots: Mutex<HashMap<IpAddr, Slot>>,
}

/// The last slot of an address, and how far the one who took it keeps from others.
#[derive(Debug, Clone, Copy)]
struct Slot {
    at: Instant,
    delay: Duration,
}

impl AddressPace {
    /// More are swept first.
    const MANY: usize = 10_000;

    pub(super) fn new(longest: Duration) -> Self {
        Self { longest, slots: Mutex::default() }
    }

    /// Takes the next slot of an address and waits for it. Two slots are as far apart as the slower of both asks for, so
    /// that a fast API gains nothing on the sites that share its address.
    pub(super) async fn wait(&self, address: Option<IpAddr>, delay: Duration) {
        let Some(address) = address else { return };
        let (now, delay) = (Instant::now(), delay.min(self.longest));
        let at = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.len() >= Self::MANY {
                slots.retain(|_, slot| slot.at + self.longest > now);
            }
            let at = slots.get(&address).map_or(now, |slot| (slot.at + slot.delay.max(delay)).max(now));
            slots.insert(address, Slot { at, delay });
            at
        };
        if at > now {
            sleep_until(at).await;
        }
    }
}

impl Pace {
    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host::default());
        hosts.insert(name.into(), Arc::clone(&host));
        host
    }

    /// Waits until nobody else stands before us at a host; `None` = cancelled, or not before `deadline`.
    pub(super) async fn place(&self, name: &str, deadline: Instant, cancel: &Cancel) -> Option<Place> {
        let host = self.host(name);
        tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            held = timeout_at(deadline, Arc::clone(&host.line).lock_owned()) => Some(Place { _held: held.ok()? }),
        }
    }

    /// Waits for a turn. `delay` is the least time since the turn before.
    ///
    /// # Errors
    /// The reason to give up: cancelled, or the turn would come after `deadline`.
    pub(super) async fn turn(
        &self,
        name: &str,
        delay: Duration,
        deadline: Instant,
        cancel: &Cancel,
    ) -> Result<Turn, AbandonReason> {
        let host = self.host(name);
        let held = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(AbandonReason::Cancelled),
            held = timeout_at(deadline, Arc::clone(&host.turn).lock_owned()) => {
                held.map_err(|_| host.times().late(deadline))?
            }
        };
        loop {
            let (times, now) = (host.times(), Instant::now());
            let at = times.next(delay).unwrap_or(now);
            if at > deadline || now > deadline {
                return Err(times.late(deadline));
            }
            if at <= now {
                host.times.lock().unwrap_or_else(PoisonError::into_inner).last = Some(now);
                return Ok(Turn { host: Arc::clone(&host), _held: held });
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(AbandonReason::Cancelled),
                () = sleep_until(at) => {}
            }
        }
    }

    /// Nothing is sent to the host before `until`. An earlier floor is moved, a later one stays.
    pub(super) fn hold_off(&self, name: &str, until: Instant) {
        let host = self.host(name);
        let mut times = host.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.floor = times.floor.max(Some(until));
    }
}

impl Host {
    fn times(&self) -> Times {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Times {
    fn next(self, delay: Duration) -> Option<Instant> {
        self.last.map(|last| last + delay).max(self.floor)
    }

    /// Why a turn comes too late.
    fn late(self, deadline: Instant) -> AbandonReason {
        if self.floor.is_some_and(|floor| floor > deadline) {
            AbandonReason::RetryAfter
        } else {
            AbandonReason::BudgetTime
        }
    }
}

/// A wait that doubles with each `attempt` from `base` up to `cap`, plus jitter of up to one more `base`-step.
/// The jitter depends on seed, host and attempt alone, so it is the same in any order of events.
pub(super) fn backoff(seed: u64, host: &str, attempt: u32, base: Duration, cap: Duration) -> Duration {
    let step = base.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(cap);
    let mut x = host.bytes().fold(seed ^ u64::from(attempt), |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let share = ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    step + step.mul_f64(share)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod web_tests;
