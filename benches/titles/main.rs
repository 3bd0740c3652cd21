//! How many titles a second: read for the first time, read again, and as lines with JSON.
//!
//! Invariant: the titles are the labelled ones of `testdata/title`; words are remembered in all cases, as in a run.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prosopon::extract::title::{TitleReader, title_lines};

fn titles() -> Vec<String> {
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

fn read(c: &mut Criterion) {
    let titles = titles();
    let reader = TitleReader::shipped();
    let mut group = c.benchmark_group("titles");
    group.throughput(Throughput::Elements(titles.len() as u64));
    group.bench_function("afresh", |b| {
        b.iter(|| titles.iter().for_each(|t| drop(black_box(reader.read_afresh(t)))));
    });
    group.bench_function("read", |b| b.iter(|| titles.iter().for_each(|t| drop(black_box(reader.read(t))))));
    group.bench_function("lend", |b| {
        b.iter(|| titles.iter().map(|t| reader.lend(t, |r| r.evidence.len())).sum::<usize>());
    });
    let lines = titles.join("\n");
    group.bench_function("lines", |b| {
        b.iter(|| title_lines(lines.as_bytes(), std::io::sink()).expect("memory does not fail"));
    });
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
