//! What work costs: CPU time of the thread that does it, so that waiting and other programs do not count.

use std::future::{Future, poll_fn};
use std::pin::pin;

use rustix::time::{ClockId, clock_gettime};

/// CPU time that this thread has used, user and system: microseconds.
pub(crate) fn thread_micros() -> u64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    let of_seconds = u64::try_from(used.tv_sec).unwrap_or(0) * 1_000_000;
    of_seconds + u64::try_from(used.tv_nsec).unwrap_or(0) / 1_000
}

/// What `work` comes to, and the CPU time that it took of whichever threads it ran on, in microseconds; waiting costs none.
pub(crate) async fn busy<T>(work: impl Future<Output = T>) -> (T, u64) {
    let (mut work, mut used) = (pin!(work), 0);
    let result = poll_fn(|context| {
        let begin = thread_micros();
        let polled = work.as_mut().poll(context);
        used += thread_micros().saturating_sub(begin);
        polled
    });
    (result.await, used)
}
