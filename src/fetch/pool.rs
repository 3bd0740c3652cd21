//! Connections that wait for their next request.
//!
//! Invariant: at most one an origin, at most [`MOST`] at all, none longer than [`KEEP`]; a connection goes to the
//! origin only that it was opened for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::client::Sender;

/// Open connections that wait, over all hosts.
const MOST: usize = 256;
/// Servers commonly close after 5 to 75 seconds.
const KEEP: Duration = Duration::from_secs(20);

/// A connection and what it is good for.
pub(super) struct Idle {
    pub(super) origin: String,
    /// Its vetted address; `None` on loopback.
    pub(super) address: Option<IpAddr>,
    pub(super) sender: Sender,
    pub(super) since: Instant,
    /// Its share of the connections that are in use; none while it waits.
    pub(super) lane: Option<OwnedSemaphorePermit>,
}

/// All that wait.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<String, Idle>>);

impl Pool {
    /// The connection to an origin, if one waits.
    pub(super) fn take(&self, origin: &str) -> Option<Idle> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(origin)?;
        (idle.since.elapsed() < KEEP && !idle.sender.is_closed()).then_some(idle)
    }

    /// Lets a connection wait.
    pub(super) fn put(&self, mut idle: Idle) {
        if idle.sender.is_closed() {
            return;
        }
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() >= MOST {
            pool.retain(|_, idle| idle.since.elapsed() < KEEP && !idle.sender.is_closed());
            let oldest = pool.iter().min_by_key(|(_, idle)| idle.since).map(|(origin, _)| origin.clone());
            if let Some(oldest) = oldest.filter(|_| pool.len() >= MOST) {
                pool.remove(&oldest);
            }
        }
        (idle.since, idle.lane) = (Instant::now(), None);
        pool.insert(idle.origin.clone(), idle);
    }
}
