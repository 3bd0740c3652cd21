//! How many titles a CPU-second: read for the first time, read again, and as lines with JSON.
//!
//! Invariant: words are remembered in all cases, as in a run; whole titles only in `read`, `lend` and `lines`. The
//! titles are the labelled ones of `testdata/title`, and 100,000 distinct ones made of words (`made.rs`).
//!
//! CPU time of the process is what counts, as other work may go on beside it; the best of five rounds is told.

mod made;

use std::hint::black_box;
use std::path::Path;

use prosopon::extract::title::{TitleReader, title_lines};
use rustix::time::{ClockId, clock_gettime};

const MADE: usize = 100_000;
/// Titles of a round at least.
const ROUND: usize = 200_000;

fn labelled() -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/title");
    ["train.tsv", "fresh_dev.tsv"]
        .iter()
        .flat_map(|name| {
            let text = std::fs::read_to_string(dir.join(name)).expect("the labelled titles are in the repository");
            let first = |l: &str| l.split('\t').next().unwrap_or_default().to_owned();
            text.lines().skip(1).map(first).collect::<Vec<_>>()
        })
        .collect()
}

/// CPU time of this process, user and system.
fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// Prints how many titles a CPU-second `work` reads; it reads all of `titles` at a call.
fn measure(list: &str, what: &str, titles: &[String], work: impl Fn()) {
    let times = ROUND.div_ceil(titles.len());
    work();
    let round = || {
        let begin = cpu_seconds();
        (0..times).for_each(|_| work());
        cpu_seconds() - begin
    };
    let best = (0..5).map(|_| round()).fold(f64::INFINITY, f64::min);
    println!("{list}, {what}: {:.3} million a CPU-second", (times * titles.len()) as f64 / best / 1e6);
}

fn main() {
    let begin = cpu_seconds();
    let reader = TitleReader::shipped();
    println!("loading: {:.1} ms of CPU time", (cpu_seconds() - begin) * 1e3);
    for (list, titles) in [("labelled", labelled()), ("made", made::titles(MADE))] {
        let bytes: usize = titles.iter().map(String::len).sum();
        println!("{list}: {} titles of {:.0} bytes", titles.len(), bytes as f64 / titles.len() as f64);
        measure(list, "afresh", &titles, || titles.iter().for_each(|t| drop(black_box(reader.read_afresh(t)))));
        measure(list, "read", &titles, || titles.iter().for_each(|t| drop(black_box(reader.read(t)))));
        measure(list, "lend", &titles, || {
            black_box(titles.iter().map(|t| reader.lend(t, |r| r.evidence.len())).sum::<usize>());
        });
        let lines = titles.join("\n");
        measure(list, "lines", &titles, || {
            title_lines(lines.as_bytes(), std::io::sink()).expect("memory does not fail");
        });
    }
}
