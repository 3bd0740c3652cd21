//! One run that the schedule starts: the same as `prosopon run`, with a limit and a sign of life.
//!
//! Invariant: whatever ends it early raises the run's own flag and then waits for it, so the run stops as on Ctrl-C.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{interval, sleep};

use crate::fetch::{Cancel, CancelHandle};
use crate::run::engine::{Options, RunError, World, run};
use crate::run::summary::Summary;

/// How often a scheduler gives a sign of life, and looks at its pipeline files.
pub const BEAT: Duration = Duration::from_secs(30);

/// What happens while a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It lives.
    Alive,
    /// It has taken too long and is being stopped.
    Late,
}

/// Runs a pipeline on a thread of its own, for parts of a run do not yield.
pub(super) async fn start(file: PathBuf, options: Options, world: World) -> Result<Summary, RunError> {
    let runtime = tokio::runtime::Handle::current();
    let work = move || runtime.block_on(Box::pin(run(&file, &options, &world)));
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(RunError::Worker))
}

/// Waits for work, and cancels it when its time is over or somebody wants to stop; says whether its time was over.
pub(super) async fn limited<F: Future>(
    work: F,
    limit: Duration,
    cancel: &CancelHandle,
    stop: &Cancel,
    mut sign: impl FnMut(Sign),
) -> (F::Output, bool) {
    tokio::pin!(work);
    let deadline = sleep(limit);
    tokio::pin!(deadline);
    let mut beats = interval(BEAT);
    let (mut is_late, mut is_stopping) = (false, false);
    loop {
        tokio::select! {
            biased;
            result = &mut work => return (result, is_late),
            () = stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                cancel.cancel();
            }
            () = &mut deadline, if !is_late && !is_stopping => {
                is_late = true;
                cancel.cancel();
                sign(Sign::Late);
            }
            _ = beats.tick() => sign(Sign::Alive),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that ends when it is cancelled, or after so many seconds.
    async fn work(flag: Cancel, seconds: u64) -> &'static str {
        tokio::select! {
            biased;
            () = flag.cancelled() => "cancelled",
            () = sleep(Duration::from_secs(seconds)) => "done",
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_beyond_its_limit_is_cancelled_and_told_once() {
        let (cancel, stop) = (CancelHandle::new(), CancelHandle::new());
        let mut signs = Vec::new();
        let limit = Duration::from_mins(2);
        let ended = limited(work(cancel.flag(), 7200), limit, &cancel, &stop.flag(), |s| signs.push(s)).await;
        assert_eq!(ended, ("cancelled", true));
        assert_eq!(signs.iter().filter(|s| **s == Sign::Late).count(), 1);
        assert!(signs.iter().filter(|s| **s == Sign::Alive).count() >= 4, "{signs:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn work_within_its_limit_and_work_that_is_stopped_is_not_late() {
        let (cancel, stop) = (CancelHandle::new(), CancelHandle::new());
        let limit = Duration::from_mins(2);
        let ended = limited(work(cancel.flag(), 60), limit, &cancel, &stop.flag(), |_| ()).await;
        assert_eq!(ended, ("done", false));
        stop.cancel();
        let ended = limited(work(cancel.flag(), 7200), limit, &cancel, &stop.flag(), |_| ()).await;
        assert_eq!(ended, ("cancelled", false));
    }
}
