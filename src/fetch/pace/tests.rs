//! Under tokio's paused clock: waiting costs nothing and is exact.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::cancel::CancelHandle;
use super::*;

fn on_paused_clock<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(1_000_000)
}

/// Every turn that was taken: host, start, delay asked for.
type Log = Arc<Mutex<Vec<(usize, Instant, Duration)>>>;

/// Tasks of (host, delay in ms, how long the request takes in ms), all at once.
async fn run_all(tasks: Vec<(usize, u64, u64)>) -> Vec<(usize, Instant, Duration)> {
    let (pace, log): (_, Log) = (Arc::new(Pace::default()), Log::default());
    let tasks = tasks.into_iter().map(|(host, delay, takes)| {
        let (pace, log, deadline) = (Arc::clone(&pace), Arc::clone(&log), far());
        tokio::spawn(async move {
            let delay = Duration::from_millis(delay);
            let turn = pace.turn(&format!("h{host}.example"), delay, deadline, &Cancel::never()).await.expect("time");
            log.lock().expect("log").push((host, Instant::now(), delay));
            tokio::time::sleep(Duration::from_millis(takes)).await;
            if takes % 7 == 0 {
                pace.hold_off(&format!("h{host}.example"), Instant::now() + Duration::from_millis(takes * 3));
            }
            drop(turn);
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    Arc::try_unwrap(log).expect("all done").into_inner().expect("log")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_host_sees_two_requests_closer_than_its_delay(
        tasks in proptest::collection::vec((0_usize..4, 1_u64..3000, 0_u64..2000), 1..60)
    ) {
        let expected = tasks.len();
        let log = on_paused_clock(run_all(tasks));
        prop_assert_eq!(log.len(), expected);
        for host in 0..4 {
            let of_host: Vec<_> = log.iter().filter(|(h, ..)| *h == host).collect();
            for pair in of_host.windows(2) {
                prop_assert!(pair[1].1 - pair[0].1 >= pair[1].2, "{:?} then {:?}", pair[0], pair[1]);
            }
        }
    }

    #[test]
    fn jitter_only_adds_and_is_bounded(seed: u64, attempt in 0_u32..40, base in 1_u64..100_000) {
        let (base, cap) = (Duration::from_millis(base), Duration::from_hours(1));
        let wait = backoff(seed, "a.example", attempt, base, cap);
        let step = base.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(cap);
        prop_assert!(wait >= step && wait <= step * 2, "{wait:?} {step:?}");
        prop_assert_eq!(wait, backoff(seed, "a.example", attempt, base, cap));
    }
}

#[test]
fn hosts_do_not_wait_for_each_other_and_the_rate_is_used_up() {
    on_paused_clock(async {
        let start = Instant::now();
        run_all((0..5000).map(|i| (i % 1000, 1000, 1)).collect()).await;
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(4) && took < Duration::from_millis(4200), "{took:?}");
    });
}

#[test]
fn a_floor_is_never_shortened_and_reaches_past_the_delay() {
    on_paused_clock(async {
        let (pace, start) = (Pace::default(), Instant::now());
        pace.hold_off("a.example", start + Duration::from_mins(2));
        pace.hold_off("a.example", start + Duration::from_secs(5));
        let turn = pace.turn("a.example", Duration::from_secs(1), far(), &Cancel::never()).await;
        assert!(turn.is_ok() && start.elapsed() >= Duration::from_mins(2), "{:?}", start.elapsed());
    });
}

#[test]
fn what_cannot_come_in_time_is_given_up_at_once() {
    on_paused_clock(async {
        let (pace, start) = (Pace::default(), Instant::now());
        let deadline = start + Duration::from_mins(1);
        let (second, never) = (Duration::from_secs(1), Cancel::never());
        pace.hold_off("a.example", start + Duration::from_secs(61));
        let reason = pace.turn("a.example", second, deadline, &never).await.expect_err("too late");
        assert_eq!((reason, start.elapsed()), (AbandonReason::RetryAfter, Duration::ZERO));

        drop(pace.turn("b.example", second, deadline, &never).await.expect("free"));
        let reason = pace.turn("b.example", Duration::from_secs(100), deadline, &never).await.expect_err("too late");
        assert_eq!((reason, start.elapsed()), (AbandonReason::BudgetTime, Duration::ZERO));
    });
}

#[test]
fn cancelling_ends_every_wait_at_once() {
    on_paused_clock(async {
        let (pace, handle, start) = (Pace::default(), CancelHandle::new(), Instant::now());
        let cancel = handle.flag();
        pace.hold_off("a.example", start + Duration::from_secs(500));
        let delay = Duration::from_secs(1);
        let deadline = far();
        let sleeping = pace.turn("a.example", delay, deadline, &cancel);
        let queueing = pace.turn("a.example", delay, deadline, &cancel);
        let stop = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            handle.cancel();
        };
        let (a, b, ()) = tokio::join!(sleeping, queueing, stop);
        assert_eq!((a.err(), b.err()), (Some(AbandonReason::Cancelled), Some(AbandonReason::Cancelled)));
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert!(cancel.is_cancelled());
    });
}

#[test]
fn slots_of_an_address_are_as_far_apart_as_the_slower_one_asks() {
    let (slow, fast) = (Duration::from_secs(1), Duration::from_millis(200));
    let starts = on_paused_clock(async {
        let (addresses, begin) = (AddressPace::new(slow), Instant::now());
        let mut starts = Vec::new();
        // An hour between two requests to one host is no hour for all hosts of its address.
        for delay in [fast, fast, fast, slow, fast, fast, Duration::from_hours(1), slow] {
            addresses.wait(Some(IpAddr::from([93, 184, 216, 34])), delay).await;
            starts.push(begin.elapsed().as_millis());
        }
        addresses.wait(Some(IpAddr::from([93, 184, 216, 35])), slow).await;
        addresses.wait(None, slow).await;
        assert_eq!(begin.elapsed().as_millis(), starts[7], "another address, and loopback, wait for nobody");
        starts
    });
    assert_eq!(starts, [0, 200, 400, 1400, 2400, 2600, 3600, 4600]);
}
