//! Runs that are left out: which, how many, and why.
//!
//! Invariant: pure; each is counted once, and no expression, however often it comes, is counted for longer than a moment.

use jiff::Timestamp;

use super::decide::Spec;

/// So many runs are counted one by one; of more than that it is said that they are more.
pub const MOST: u64 = 50_000;

/// Why a fire is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// The run before had not ended.
    Overlap,
    /// Nothing ran at its time, and it is not made up for.
    Missed,
    /// The pipeline file, or its policy, has mistakes.
    Mistakes,
    /// It was missed, and then the expression or the zone was changed.
    Edited,
}

/// Fires that follow each other and are left out for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// How many; at least one.
    pub count: u64,
    /// Whether there are more, which were not counted.
    pub has_more: bool,
    /// Why.
    pub why: LeftOut,
}

impl Lost {
    /// One fire.
    pub const fn one(fire: Timestamp, why: LeftOut) -> Self {
        Self { first: fire, last: fire, count: 1, has_more: false, why }
    }
}

/// The fires later than `after` and not later than `until` that may start a run, by reason; those without one are not left out.
pub(super) fn lost(
    spec: &Spec,
    after: Timestamp,
    until: Timestamp,
    why: impl Fn(Timestamp) -> Option<LeftOut>,
) -> Vec<Lost> {
    let (mut all, mut open): (Vec<Lost>, bool) = (Vec::new(), false);
    let fires = std::iter::successors(spec.next(after), |fire| spec.next(*fire)).take_while(|fire| *fire <= until);
    for (fire, seen) in fires.zip(0..) {
        if seen == MOST {
            if let (Some(last), Some(end)) = (all.last_mut(), spec.newest_where(after, until, |_| true)) {
                (last.last, last.has_more) = (last.last.max(end), true);
            }
            break;
        }
        let Some(why) = why(fire) else {
            open = false;
            continue;
        };
        match all.last_mut().filter(|last| open && last.why == why) {
            Some(last) => (last.last, last.count) = (fire, last.count + 1),
            None => all.push(Lost::one(fire, why)),
        }
        open = true;
    }
    all
}
