//! Failing disks for tests.
//!
//! Invariant: without a plan every step succeeds.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What fails when.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    steps: usize,
    fail: Option<Fail>,
    unsynced: BTreeSet<PathBuf>,
}

/// How to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    /// From this step on nothing works any more: the process was killed.
    From(usize),
    /// Only this step fails: the disk was full for a moment.
    Once(usize, io::ErrorKind),
}

impl Plan {
    pub fn set(&self, fail: Option<Fail>) {
        let mut state = self.state.lock().expect("no test panics with the lock");
        state.fail = fail;
        state.steps = 0;
    }

    /// Steps since the plan was set.
    pub fn steps(&self) -> usize {
        self.state.lock().expect("no test panics with the lock").steps
    }

    pub fn step(&self, _: &Path) -> io::Result<()> {
        let mut state = self.state.lock().expect("no test panics with the lock");
        let step = state.steps;
        state.steps += 1;
        match state.fail {
            Some(Fail::From(from)) if step >= from => Err(io::ErrorKind::Other.into()),
            Some(Fail::Once(at, kind)) if step == at => Err(kind.into()),
            _ => Ok(()),
        }
    }

    pub fn unsynced(&self, path: &Path) {
        self.state.lock().expect("no test panics with the lock").unsynced.insert(path.to_owned());
    }

    pub fn synced(&self, path: &Path) {
        self.state.lock().expect("no test panics with the lock").unsynced.remove(path);
    }

    /// Files that a power cut may lose.
    pub fn lost(&self) -> BTreeSet<PathBuf> {
        self.state.lock().expect("no test panics with the lock").unsynced.clone()
    }
}

#[cfg(test)]
mod tests;
