//! Finished runs of the demo with one flag or one input changed, all made at once: a run is nearly all waiting.
//!
//! Invariant: each run has a home of its own, which tests only read.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use crate::harness::{Said, arg, demo_args, in_parallel, own_folder, pipeline, say};

/// What is run, by name.
const RUNS: [(&str, &[&str]); 10] = [
    ("again", &["--quiet"]),
    ("parts", &["--quiet", "--at-once", "4"]),
    ("june", &["--quiet", "--as-of", "2026-06-01"]),
    ("verbose", &["-vv"]),
    ("five", &["--limit", "5", "--json"]),
    ("day", &["--as-of", "2026-03-02", "--limit", "1", "--json"]),
    ("quiet", &["--quiet", "--limit", "8"]),
    ("json", &["--log-format", "json", "-vv", "--json", "--limit", "8"]),
    ("plain", &["--limit", "8"]),
    ("stages", &["-v", "--limit", "8"]),
];

/// A finished run.
pub struct Finished {
    pub name: &'static str,
    pub home: PathBuf,
    pub said: Said,
}

/// The run of this name; the first to ask makes all of them.
#[track_caller]
pub fn finished(name: &str) -> &'static Finished {
    static ALL: LazyLock<Vec<Finished>> = LazyLock::new(|| {
        let folder = own_folder("runs");
        let strict = pipeline(&folder, &[("dead_letter_share: 0.5", "dead_letter_share: 0.01")]);
        let run = |name: &'static str, args: Vec<&str>, home: &Path| Finished {
            name,
            home: home.to_owned(),
            said: say(args),
        };
        let all = Mutex::new(Vec::new());
        let mut jobs: Vec<(&'static str, Option<&[&str]>)> = RUNS.map(|(name, flags)| (name, Some(flags))).to_vec();
        jobs.push(("strict", None));
        in_parallel(jobs.len(), jobs, |(name, flags)| {
            let home = folder.join(name);
            let args = match flags {
                Some(flags) => demo_args(&home, flags),
                None => vec!["run", arg(&strict), "--out", arg(&home)],
            };
            let done = run(name, args, &home);
            all.lock().expect("no holder panics").push(done);
        });
        all.into_inner().expect("no holder panicked")
    });
    ALL.iter().find(|run| run.name == name).unwrap_or_else(|| panic!("no run is called {name}"))
}

impl Finished {
    /// Fails the test unless the run ended like this.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.said.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.said.out, self.said.err);
        self
    }
}
