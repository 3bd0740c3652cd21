//! Names for the checks of the decision, by which a test switches one of them off.
//!
//! Invariant: outside `cfg(test)` a check is its condition and nothing else; no build that runs can force one.

/// The condition of a check. Only a test can force it, see `tests/mutants.rs`.
#[inline]
pub(in crate::consent) fn holds(name: &'static str, condition: bool) -> bool {
    #[cfg(test)]
    if let Some(forced) = forced(name) {
        return forced;
    }
    let _ = name;
    condition
}

#[cfg(test)]
thread_local! {
    static FORCED: std::cell::Cell<Option<(&'static str, bool)>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
fn forced(name: &str) -> Option<bool> {
    FORCED.get().filter(|(which, _)| *which == name).map(|(_, value)| value)
}

/// Runs a test with one condition forced, on this thread only.
#[cfg(test)]
pub(in crate::consent) fn with_forced<T>(name: &'static str, value: bool, test: impl FnOnce() -> T) -> T {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            FORCED.set(None);
        }
    }
    let _reset = Reset;
    FORCED.set(Some((name, value)));
    test()
}
