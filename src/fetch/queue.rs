//! What waits to be asked, by host: a heap of the times at which hosts are ready, and what waits at each.
//!
//! Invariant: a host is given out once, and not again before it was given back; among ready hosts the one that waits
//! longest comes first; items of a host keep their order. A waiting item costs its own bytes and no task or timer.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use tokio::time::Instant;

/// A host in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostKey(u32);

/// Items by host.
#[derive(Debug)]
pub struct HostQueue<T> {
    names: HashMap<Box<str>, HostKey>,
    hosts: Vec<Host<T>>,
    ready: BinaryHeap<Reverse<(Instant, HostKey)>>,
    waiting: usize,
}

#[derive(Debug)]
struct Host<T> {
    items: VecDeque<T>,
    /// Not before.
    at: Option<Instant>,
    /// In the heap, or given out.
    busy: bool,
}

impl<T> Default for HostQueue<T> {
    fn default() -> Self {
        Self { names: HashMap::new(), hosts: Vec::new(), ready: BinaryHeap::new(), waiting: 0 }
    }
}

impl<T> HostQueue<T> {
    /// Lets an item wait at its host.
    pub fn push(&mut self, host: &str, item: T, now: Instant) {
        let key = self.names.get(host).copied().unwrap_or_else(|| {
            let key = HostKey(u32::try_from(self.hosts.len()).expect("fewer than 4 billion hosts"));
            self.names.insert(host.into(), key);
            self.hosts.push(Host { items: VecDeque::new(), at: None, busy: false });
            key
        });
        self.waiting += 1;
        let entry = &mut self.hosts[key.0 as usize];
        entry.items.push_back(item);
        if !entry.busy {
            entry.busy = true;
            self.ready.push(Reverse((entry.at.unwrap_or(now), key)));
        }
    }

    /// The next item of a host that is ready.
    pub fn next(&mut self, now: Instant) -> Option<(HostKey, T)> {
        let Reverse((at, key)) = *self.ready.peek()?;
        if at > now {
            return None;
        }
        self.ready.pop();
        self.waiting -= 1;
        let item = self.hosts[key.0 as usize].items.pop_front().expect("a host in the heap has items");
        Some((key, item))
    }

    /// When the next host is ready; `None` = nothing waits but at hosts that are given out.
    pub fn next_at(&self) -> Option<Instant> {
        self.ready.peek().map(|Reverse((at, _))| *at)
    }

    /// Gives a host back; it is ready again at `at`.
    pub fn give_back(&mut self, key: HostKey, at: Instant) {
        let host = &mut self.hosts[key.0 as usize];
        host.at = Some(at);
        host.busy = !host.items.is_empty();
        if host.busy {
            self.ready.push(Reverse((at, key)));
        } else {
            // A host that has nothing to do keeps no room for it.
            host.items = VecDeque::new();
        }
    }

    /// How many items wait.
    pub const fn len(&self) -> usize {
        self.waiting
    }

    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.waiting == 0
    }
}

#[cfg(test)]
mod tests;
