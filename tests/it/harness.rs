//! What every test needs: the binary, homes, a shared finished demo, and a comparison of two snapshots.
//!
//! Invariant: no child outlives its limit, nothing is awaited by sleeping, and nothing leaves loopback: the only
//! network of a run is the demo web that it starts itself.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// No command of the tests takes longer unless it hangs.
const LIMIT: Duration = Duration::from_mins(2);

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The summary or answer on stdout, as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("stdout is no JSON ({e}): {self:#?}"))
    }

    /// Every line of stdout, as JSON.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}"));
        self.out.lines().map(parse).collect()
    }

    /// Fails the test unless the command ended like this.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

/// The binary, in the root of the repository, without the developer's own settings.
pub fn prosopon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prosopon"));
    command.current_dir(root()).env_remove("PROSOPON_HOME").env_remove("RUST_LOG").env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the binary.
pub fn start<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Child {
    prosopon().args(args).spawn().expect("the binary starts")
}

/// Runs the binary to its end.
pub fn say<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Said {
    finish(start(args))
}

/// Runs the binary with a text on stdin.
pub fn say_with(args: &[&str], input: &[u8]) -> Said {
    let mut child = prosopon().args(args).stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // A command may end before it has read all.
        let _ = stdin.write_all(&input);
    });
    let said = finish(child);
    writer.join().expect("the writer ends with the child");
    said
}

/// Waits for the end of a child.
pub fn finish(child: Child) -> Said {
    let id = child.id();
    finish_within(child, LIMIT).unwrap_or_else(|said| panic!("process {id} did not end in {LIMIT:?}: {said:#?}"))
}

/// Waits for the end of a child at most so long, then kills it: `Err` with what it said until then.
pub fn finish_within(child: Child, limit: Duration) -> Result<Said, Said> {
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    if let Ok(output) = receiver.recv_timeout(limit) {
        return Ok(Said::of(&output.expect("the child can be awaited")));
    }
    signal(id, "KILL");
    let output = receiver.recv().expect("the waiter lives").expect("the child can be awaited");
    // It may have ended by itself between the limit and the signal.
    if output.status.code().is_some() { Ok(Said::of(&output)) } else { Err(Said::of(&output)) }
}

/// Sends a signal to a process that this test started.
pub fn signal(id: u32, name: &str) {
    let _ = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).stderr(Stdio::null()).status();
}

/// A folder that goes away with the test.
pub fn temp() -> TempDir {
    tempfile::Builder::new().prefix("prosopon-it-").tempdir().expect("a temp folder")
}

/// Path as an argument.
pub fn arg(path: &Path) -> &str {
    path.to_str().expect("temp paths are UTF-8")
}

/// The arguments of a demo run into a home.
pub fn demo_args<'a>(home: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "pipelines/demo.yaml", "--out", arg(home)], more].concat()
}

/// Runs the demo to its end.
pub fn demo(home: &Path, more: &[&str]) -> Said {
    say(demo_args(home, more))
}

/// A demo that has run once; for tests that only read.
pub struct Shared {
    pub home: PathBuf,
    /// The same as it was when the run had ended: reading is logged, so `home` changes under its readers.
    untouched: PathBuf,
    /// What the run said with `--json`.
    pub summary: serde_json::Value,
}

/// The shared demo. Tests that change something take [`copy_of_shared`].
pub fn shared() -> &'static Shared {
    static SHARED: LazyLock<Shared> = LazyLock::new(|| {
        let home = own_folder("shared").join("home");
        let summary = demo(&home, &["--json"]).expect(0).json();
        let untouched = own_folder("untouched").join("home");
        copy(&home, &untouched);
        Shared { home, untouched, summary }
    });
    &SHARED
}

/// A folder of this process. Statics are never dropped, so each process clears what ended ones left.
pub fn own_folder(name: &str) -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let old = entry.file_name();
        let pid = old.to_str().and_then(|n| n.strip_prefix(name)?.strip_prefix('-'));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let folder = all.join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// A copy of the shared demo's home, to be changed.
pub fn copy_of_shared() -> (TempDir, PathBuf) {
    let dir = temp();
    let home = dir.path().join("home");
    copy(&shared().untouched, &home);
    (dir, home)
}

/// Copies a folder with modes.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    fs::set_permissions(to, fs::metadata(from).expect("exists").permissions()).expect("a mode can be set");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).expect("a link"), target).expect("a link");
        } else {
            fs::copy(entry.path(), &target).expect("a file can be copied");
        }
    }
}

/// Every file below a folder, sorted; links, which lead to what is listed anyway, left out.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Runs jobs on so many threads and returns their results in order.
pub fn in_parallel<T: Send, R: Send>(threads: usize, jobs: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let queue = std::sync::Mutex::new(jobs.into_iter().enumerate().collect::<std::collections::VecDeque<_>>());
    let results = std::sync::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no holder panics").pop_front();
                    let Some((place, job)) = next else { break };
                    let result = work(job);
                    results.lock().expect("no holder panics").push((place, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no holder panicked");
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A copy of `pipelines/demo.yaml` in a folder of its own, with absolute paths and some words replaced.
pub fn pipeline(folder: &Path, replace: &[(&str, &str)]) -> PathBuf {
    let demo = fs::read_to_string(root().join("pipelines/demo.yaml")).expect("the demo's pipeline");
    let mut text = demo.replace("../", &format!("{}/", root().display()));
    for (from, to) in replace {
        assert!(text.contains(from), "pipelines/demo.yaml does not hold {from:?}");
        text = text.replace(from, to);
    }
    let path = folder.join("pipeline.yaml");
    fs::write(&path, text).expect("a file can be written");
    path
}

/// What a pipeline must not name outside `network: demo`: the demo's own hosts.
pub const NO_DEMO_HOSTS: (&str, &str) = (
    "  developer_profile:\n    base_url: http://api.devhub.example\n  social_profile:\n    base_url: http://social.example\n",
    "",
);

/// The wall clock, to tell what happened before a second start.
#[expect(clippy::disallowed_methods, reason = "a test that compares with what the binary wrote needs its clock")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Waits until a run has fetched something; what it says from then on can still be read.
#[track_caller]
pub fn until_in_the_middle(child: &mut Child) -> BufReader<std::process::ChildStderr> {
    let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped"));
    let mut line = String::new();
    loop {
        line.clear();
        assert!(lines.read_line(&mut line).expect("UTF-8") > 0, "the run ended before a company was done");
        if line.contains(" fetches") && !line.contains(" 0 fetches") {
            return lines;
        }
    }
}
