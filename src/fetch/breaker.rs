//! A circuit breaker for one host.
//!
//! Invariant: after enough failures in a row nothing is sent until the breaker's time is over, then one probe;
//! a failed probe doubles the time, a good answer closes the breaker and resets it.

use std::time::Duration;

use tokio::time::Instant;

use super::config::Limits;

/// State of one host's breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Instant,
    lasts: Duration,
    probing: bool,
}

impl Breaker {
    /// Whether nothing may be sent at `now`.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.open.is_some_and(|open| now < open.until || open.probing)
    }

    /// Takes leave to send one request; the caller must report its end.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        if self.is_open(now) {
            return false;
        }
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
        true
    }

    /// A breaker that an earlier run opened for `lasts`, of which so much is left.
    pub(super) fn opened(now: Instant, left: Duration, lasts: Duration) -> Self {
        Self { failures: 0, open: Some(Open { until: now + left, lasts, probing: false }) }
    }

    /// The host answered sensibly; tells whether that closes it.
    pub(super) fn succeeded(&mut self) -> bool {
        std::mem::take(self).open.is_some()
    }

    /// The host failed; tells for how long that opens it, if it does.
    pub(super) fn failed(&mut self, now: Instant, limits: &Limits) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        let lasts = match self.open {
            Some(open) if open.probing => (open.lasts * 2).min(limits.max_wait),
            None if self.failures >= limits.breaker_failures => limits.breaker_open,
            Some(_) | None => return None,
        };
        self.open = Some(Open { until: now + lasts, lasts, probing: false });
        Some(lasts)
    }

    /// The request ended without telling anything about the host.
    pub(super) fn undecided(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_probes_doubles_and_closes() {
        let limits = Limits::default();
        let (mut b, start) = (Breaker::default(), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        for _ in 0..4 {
            assert!(b.admit(start));
            b.failed(start, &limits);
        }
        assert!(b.admit(start));
        b.failed(start, &limits);
        assert!(!b.admit(at(59)));
        assert!(b.admit(at(60)));
        assert!(!b.admit(at(60)), "one probe only");
        b.failed(at(61), &limits);
        assert!(!b.admit(at(61 + 119)));
        assert!(b.admit(at(61 + 120)));
        b.undecided();
        assert!(b.admit(at(61 + 120)), "an undecided probe frees the place");
        b.succeeded();
        assert!(b.admit(at(182)) && !b.is_open(at(182)));
    }

    #[test]
    fn never_opens_for_longer_than_the_limit() {
        let limits = Limits::default();
        let (mut b, mut now) = (Breaker::default(), Instant::now());
        for _ in 0..40 {
            now += limits.max_wait;
            assert!(b.admit(now));
            b.failed(now, &limits);
        }
        assert!(!b.is_open(now + limits.max_wait));
    }
}
