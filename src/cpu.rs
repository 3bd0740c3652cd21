//! What work costs: CPU time of the thread that does it, so that waiting and other programs do not count.

use rustix::time::{ClockId, clock_gettime};

/// CPU time that this thread has used, user and system: microseconds.
pub(crate) fn thread_micros() -> u64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    let of_seconds = u64::try_from(used.tv_sec).unwrap_or(0) * 1_000_000;
    of_seconds + u64::try_from(used.tv_nsec).unwrap_or(0) / 1_000
}
