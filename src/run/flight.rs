//! Work on many companies at once, whose results come out in their order.
//!
//! Invariant: results are handed on in the order of the items; a slow one holds nobody up until [`Flight::ahead`] others are
//! done before it. Where one fails, those in flight are stopped.

use std::collections::BTreeMap;
use std::future::Future;

use tokio::task::JoinSet;

use crate::run::engine::RunError;

/// How many companies are worked on at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flight {
    at_once: usize,
    /// Results that may wait for a slower one that comes before them: rows of some ten contacts each.
    ahead: usize,
}

impl Flight {
    /// Most companies wait for their hosts, and one that waits costs its task: no connection, no permit, no timer of its
    /// own beyond that. The fewer are begun, the more hosts idle.
    pub(crate) const FETCHING: Self = Self { at_once: 8192, ahead: 16_384 };
    /// Nobody waits for anything but the log: more would only fill memory.
    pub(crate) const OFFLINE: Self = Self { at_once: 128, ahead: 512 };
}

/// Works on all items and hands their results on in order.
///
/// # Errors
/// The first error of an item or of `sink`; [`RunError::Worker`] after a panic.
pub(crate) async fn in_order<T, R, F>(
    items: impl IntoIterator<Item = T>,
    flight: Flight,
    work: impl Fn(T) -> F,
    mut sink: impl FnMut(R) -> Result<(), RunError>,
) -> Result<(), RunError>
where
    R: Send + 'static,
    F: Future<Output = Result<R, RunError>> + Send + 'static,
{
    let mut items = items.into_iter().enumerate().peekable();
    let (mut flying, mut early, mut next) = (JoinSet::new(), BTreeMap::new(), 0);
    loop {
        while flying.len() < flight.at_once
            && let Some((at, item)) = items.next_if(|(at, _)| *at < next + flight.ahead)
        {
            let task = work(item);
            flying.spawn(async move { (at, task.await) });
        }
        let Some(done) = flying.join_next().await else { return Ok(()) };
        let (at, result) = done.map_err(|_| RunError::Worker)?;
        early.insert(at, result?);
        while let Some(result) = early.remove(&next) {
            sink(result)?;
            next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    const SMALL: Flight = Flight { at_once: 1024, ahead: 4096 };

    #[tokio::test(start_paused = true)]
    async fn a_slow_one_holds_nobody_up_and_the_order_stays() {
        let (start, mut seen) = (Instant::now(), Vec::new());
        let work = |n: u64| async move {
            sleep(Duration::from_secs(if n == 0 { 1000 } else { 10 })).await;
            Ok((n, Instant::now()))
        };
        in_order(0..4000, SMALL, work, |done| {
            seen.push(done);
            Ok(())
        })
        .await
        .expect("all work");
        assert!(seen.iter().map(|(n, _)| *n).eq(0..4000));
        // With 1,023 places beside the slow one, four rounds of ten seconds are enough for all others.
        let others = seen[1..].iter().map(|(_, at)| *at - start).max().expect("others");
        assert!(others <= Duration::from_secs(40), "{others:?}");
        assert_eq!(start.elapsed(), Duration::from_secs(1000));
    }

    #[tokio::test(start_paused = true)]
    async fn results_that_wait_are_bounded() {
        let (start, mut last) = (Instant::now(), None);
        let work = |n: usize| async move {
            sleep(Duration::from_secs(if n == 0 { 1000 } else { 1 })).await;
            Ok((n, Instant::now()))
        };
        in_order(0..SMALL.ahead + 5, SMALL, work, |(n, at)| {
            last = (n == SMALL.ahead).then_some(at).or(last);
            Ok(())
        })
        .await
        .expect("all work");
        let after = last.expect("it came") - start;
        assert!(after > Duration::from_secs(1000), "begun only after the slow one: {after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_stops_the_others() {
        let start = Instant::now();
        let work = |n: u64| async move {
            sleep(Duration::from_secs(if n == 3 { 1 } else { 900 })).await;
            if n == 3 { Err(RunError::Cancelled) } else { Ok(n) }
        };
        let ended = in_order(0..10, SMALL, work, |_| Ok(())).await;
        assert!(matches!(ended, Err(RunError::Cancelled)) && start.elapsed() == Duration::from_secs(1));
        let panics = |n: u64| async move { if n == 1 { panic!("of the test") } else { Ok(n) } };
        assert!(matches!(in_order(0..3, SMALL, panics, |_| Ok(())).await, Err(RunError::Worker)));
    }
}
