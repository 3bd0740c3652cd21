//! Kills, power cuts and full disks at every step of the write protocol, and every way the segment's end can be torn.
//!
//! Invariant under test: what was acknowledged is there, in order; at most the batch under way is there as well.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Fail, Plan};
use crate::disk::Disk;
use crate::{Error, Log, Reader, Signer, segment, verify};

const ORIGIN: &str = "example.com/log";

fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &[3; 32]).expect("a name")
}

/// In memory where that can be had: syncing it is free.
fn directory() -> TempDir {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.expect("a directory")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file");
        }
    }
}

fn leaf(number: u64) -> Vec<u8> {
    // Never a sector of zeros, so that lost sectors can be told.
    format!("leaf {number:05} ").repeat(1 + number as usize % 5).into_bytes()
}

/// Appends in order; returns how many leaves were acknowledged, and how many of the batch that failed were not.
fn run(dir: &Path, plan: &Arc<Plan>) -> (u64, u64) {
    let disk = Disk { plan: Arc::clone(plan) };
    let mut acknowledged = 0;
    let mut failed = 0;
    for batches in [&[1_u64, 20, 300][..], &[5, 1, 700], &[2]] {
        let Ok(mut log) = Log::open_on(dir, ORIGIN, signer(), disk.clone()) else { continue };
        assert_eq!(log.size(), acknowledged, "an error meant that nothing was taken in");
        for count in batches {
            let leaves: Vec<_> = (acknowledged..acknowledged + count).map(leaf).collect();
            match log.append_batch(&leaves) {
                Ok(range) => {
                    assert_eq!(range, acknowledged..acknowledged + count);
                    acknowledged += count;
                }
                Err(error) => {
                    assert!(matches!(error, Error::DiskFull { .. } | Error::Io { .. }), "{error}");
                    failed = if failed == 0 { *count } else { failed };
                }
            }
            let _ = log.publish();
        }
    }
    (acknowledged, failed)
}

/// Opens after a crash and looks whether all is there; then goes on appending.
fn check(dir: &Path, acknowledged: u64, failed: u64, context: &str) {
    let mut log = Log::open(dir, ORIGIN, signer()).unwrap_or_else(|error| panic!("{context}: {error}"));
    let size = log.size();
    assert!(size == acknowledged || size == acknowledged + failed, "{context}: {size} of {acknowledged} + {failed}");
    log.append_batch(&[leaf(size)]).unwrap_or_else(|error| panic!("{context}: {error}"));
    log.publish().unwrap_or_else(|error| panic!("{context}: {error}"));
    let found = Reader::open(dir).and_then(|reader| reader.leaves(0..size + 1)).expect("a log");
    for (number, found) in (0..).zip(found) {
        assert_eq!(found.expect("a leaf"), leaf(number), "{context}");
    }
    let report = verify(dir, signer().vkey(), None, &[]);
    assert!(report.is_clean(), "{context}: {:?}", report.findings);
}

#[test]
fn killed_at_every_step() {
    let plan = Arc::new(Plan::default());
    run(directory().path(), &plan);
    let steps = plan.steps();
    assert!(steps > 100, "the plan sees the steps: {steps}");
    for step in 0..steps {
        let home = directory();
        let plan = Arc::new(Plan::default());
        plan.set(Some(Fail::From(step)));
        let (acknowledged, failed) = run(home.path(), &plan);
        // A reader that meets this state sees a checkpoint and all that it covers, unless there is none yet.
        let report = verify(home.path(), signer().vkey(), None, &[]);
        assert!(report.is_clean() || acknowledged == 0, "step {step}: {:?}", report.findings);
        // And a power cut loses what was not synced: nothing of it, all of it, or a part.
        for lost in [None, Some(0), Some(7)] {
            let copied = directory();
            copy(home.path(), copied.path());
            for file in plan.lost() {
                let file = copied.path().join(file.strip_prefix(home.path()).expect("a file of the log"));
                if let (Some(len), false, true) = (lost, file.ends_with("pending"), file.exists()) {
                    OpenOptions::new().write(true).open(&file).and_then(|file| file.set_len(len)).expect("a file");
                }
            }
            check(copied.path(), acknowledged, failed, &format!("killed at step {step}, lost {lost:?}"));
        }
    }
}

#[test]
fn disk_full_at_every_step() {
    let plan = Arc::new(Plan::default());
    run(directory().path(), &plan);
    for step in 0..plan.steps() {
        let home = directory();
        let plan = Arc::new(Plan::default());
        plan.set(Some(Fail::Once(step, io::ErrorKind::StorageFull)));
        let (acknowledged, _) = run(home.path(), &plan);
        check(home.path(), acknowledged, 0, &format!("disk full at step {step}"));
    }
}

/// A log with two leaves published and three batches in its segment; the sizes after each, with the segment's length.
fn with_segment(dir: &Path) -> Vec<(u64, u64)> {
    let mut log = Log::open(dir, ORIGIN, signer()).expect("a log");
    log.append_batch(&[leaf(0), leaf(1)]).expect("a disk");
    log.publish().expect("a disk");
    let pending = dir.join("pending");
    let mut ends = vec![(2, fs::metadata(&pending).expect("a file").len())];
    for count in [1, 3, 15] {
        let leaves: Vec<_> = (log.size()..log.size() + count).map(leaf).collect();
        log.append_batch(&leaves).expect("a disk");
        ends.push((log.size(), fs::metadata(&pending).expect("a file").len()));
    }
    ends
}

#[test]
fn torn_at_every_byte() {
    let home = directory();
    let ends = with_segment(home.path());
    let bytes = fs::read(home.path().join("pending")).expect("a file");
    for len in 0..=bytes.len() as u64 {
        let copied = directory();
        copy(home.path(), copied.path());
        let pending = copied.path().join("pending");
        fs::write(&pending, &bytes[..len as usize]).expect("a file");
        let Some((size, end)) = ends.iter().rev().find(|(_, end)| *end <= len) else {
            // The header is renamed into place whole; an empty file is how an operator says to go on.
            let opened = Log::open(copied.path(), ORIGIN, signer());
            assert!(len == 0 || matches!(opened, Err(Error::Damaged { path, .. }) if path == pending), "{len}");
            continue;
        };
        let report = verify(copied.path(), signer().vkey(), None, &[]);
        assert_eq!((report.is_clean(), report.pending, report.torn), (true, size - 2, *end != len), "{len}");
        check(copied.path(), *size, 0, &format!("torn at byte {len}"));
    }
}

#[test]
fn sectors_that_never_arrived() {
    let home = directory();
    let ends = with_segment(home.path());
    let bytes = fs::read(home.path().join("pending")).expect("a file");
    let (size, last) = ends[ends.len() - 2];
    for from in (last..bytes.len() as u64).step_by(256) {
        let first = (from / 512 * 512).max(last) as usize;
        let mut lost = bytes.clone();
        lost[first..bytes.len().min(first / 512 * 512 + 512)].fill(0);
        let copied = directory();
        copy(home.path(), copied.path());
        fs::write(copied.path().join("pending"), lost).expect("a file");
        check(copied.path(), size, 0, &format!("sector at {first} lost"));
    }
    // Only the length arrived.
    let copied = directory();
    copy(home.path(), copied.path());
    let zeros = [&bytes[..last as usize], &[0; 5000]].concat();
    fs::write(copied.path().join("pending"), zeros).expect("a file");
    check(copied.path(), size, 0, "zeros at the end");
}

#[test]
fn changed_bytes_are_not_taken_for_a_crash() {
    let home = directory();
    with_segment(home.path());
    let pending = home.path().join("pending");
    let bytes = fs::read(&pending).expect("a file");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        fs::write(&pending, &changed).expect("a file");
        let opened = Log::open(home.path(), ORIGIN, signer());
        assert!(matches!(opened, Err(Error::Damaged { .. } | Error::Foreign { .. })), "byte {at}: {opened:?}");
        assert_eq!(fs::read(&pending).expect("a file"), changed, "nothing was changed");
        assert!(verify(home.path(), signer().vkey(), None, &[]).is_violated(), "byte {at}");
    }
}

#[test]
fn the_segment_reads_as_written() {
    let home = directory();
    with_segment(home.path());
    let bytes = fs::read(home.path().join("pending")).expect("a file");
    let (base, header) = segment::parse_header(&bytes).expect("a header");
    let found = segment::parse_records(&bytes[header..], header as u64, base.size());
    let entries: Vec<_> = found.records.iter().flat_map(|record| record.entries.clone()).map(<[u8]>::to_vec).collect();
    assert_eq!(entries, (2..21).map(leaf).collect::<Vec<_>>());
}

#[test]
fn a_publish_that_could_not_start_a_new_segment() {
    // The checkpoint is ahead of the segment's base: both logs must go on from it and not write its tiles again.
    let home = directory();
    let plan = Arc::new(Plan::default());
    let mut failing = Log::open_on(home.path(), ORIGIN, signer(), Disk { plan: Arc::clone(&plan) }).expect("a log");
    let mut other = Log::open(home.path(), ORIGIN, signer()).expect("a log");
    failing.append_batch(&(0..300).map(leaf).collect::<Vec<_>>()).expect("a disk");
    other.append_batch(&[leaf(300)]).expect("a disk");
    let blocked: PathBuf = home.path().join("pending.tmp");
    fs::create_dir(&blocked).expect("a directory");
    failing.publish().expect_err("the new segment cannot be written");
    assert_eq!(Reader::open(home.path()).expect("a log").checkpoint().size(), 301);
    failing.append_batch(&[leaf(301)]).expect("a disk");
    other.append_batch(&[leaf(302)]).expect("a disk");
    fs::remove_dir(&blocked).expect("a directory");
    let full = home.path().join("tile/entries/000");
    let written = fs::metadata(&full).and_then(|metadata| metadata.modified()).expect("a file");
    other.publish().expect("a disk");
    assert_eq!(fs::metadata(&full).and_then(|metadata| metadata.modified()).expect("a file"), written);
    failing.append_batch(&[leaf(303)]).expect("a disk");
    drop((failing, other));
    check(home.path(), 304, 0, "after all");
}
