//! Appending and verifying against what cannot be had cheaper: hashing alone, and writing a plain file.
//!
//! Leaves have 400 bytes and come in batches of 4,096. Bars: append 100,000 leaves/s, verify 300,000 leaves/s.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use prosopon_tlog::{Frontier, Hash, Log, Signer, verify};

const BATCH: usize = 4_096;
/// Batches an iteration: more than a segment holds, so that publishing is in the figure.
const BATCHES: usize = 16;
const VERIFIED: usize = 1_000_000;

fn leaf(number: usize) -> Vec<u8> {
    let mut leaf = format!("{number:016}").into_bytes();
    leaf.resize(400, b'x');
    leaf
}

fn signer() -> Signer {
    Signer::from_seed("example.com/bench", &[1; 32]).expect("a name")
}

fn open(dir: &std::path::Path) -> Log {
    Log::open(dir, "example.com/bench", signer()).expect("a log")
}

fn append(c: &mut Criterion) {
    let leaves: Vec<_> = (0..BATCH).map(leaf).collect();
    let mut group = c.benchmark_group("append");
    group.throughput(Throughput::Elements((BATCH * BATCHES) as u64));
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function("baseline: plain file, one fdatasync a batch", |b| {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let mut file = File::create(dir.path().join("plain")).expect("a file");
        b.iter(|| {
            for _ in 0..BATCHES {
                file.write_all(&leaves.concat()).and_then(|()| file.sync_data()).expect("a disk");
            }
        });
    });
    group.bench_function("log: batches of 4096, published", |b| {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let mut log = open(dir.path());
        b.iter(|| {
            for _ in 0..BATCHES {
                log.append_batch(&leaves).expect("a disk");
            }
            log.publish().expect("a disk");
        });
    });
    group.finish();

    let mut group = c.benchmark_group("small batch");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    group.bench_function("baseline: plain file, fdatasync", |b| {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let mut file = File::create(dir.path().join("plain")).expect("a file");
        b.iter(|| file.write_all(&leaves[..10].concat()).and_then(|()| file.sync_data()).expect("a disk"));
    });
    group.bench_function("log: 10 leaves", |b| {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let mut log = open(dir.path());
        b.iter(|| log.append_batch(&leaves[..10]).expect("a disk"));
    });
    group.finish();
}

fn check(c: &mut Criterion) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mut log = open(dir.path());
    let leaves: Vec<_> = (0..VERIFIED).map(leaf).collect();
    leaves.chunks(BATCH).for_each(|batch| drop(log.append_batch(batch).expect("a disk")));
    log.publish().expect("a disk");
    let vkey = signer().vkey().clone();

    let mut group = c.benchmark_group("verify");
    group.throughput(Throughput::Elements(VERIFIED as u64));
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function("baseline: hashing the same leaves in memory", |b| {
        b.iter_batched(
            Frontier::default,
            |mut frontier| {
                leaves.iter().for_each(|leaf| frontier.push(Hash::of_leaf(leaf)));
                black_box(frontier.root())
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("log: a million leaves", |b| {
        b.iter(|| assert!(verify(dir.path(), &vkey, None, &[]).is_clean()));
    });
    group.finish();
}

criterion_group!(benches, append, check);
criterion_main!(benches);
