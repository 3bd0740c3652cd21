//! Known answers, other implementations, tampering, and several writers.

mod disk;
mod interop;
mod known;
mod tamper;

use std::fs;
use std::path::Path;

use prosopon_tlog::{Log, Signer, Vkey, Witness};
use tempfile::TempDir;

const ORIGIN: &str = "example.com/log";

fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &[3; 32]).expect("a name")
}

fn vkey() -> Vkey {
    signer().vkey().clone()
}

fn witness() -> Witness {
    Witness::from_seed("example.com/dpo", &[4; 32]).expect("a name")
}

fn open(dir: &Path) -> Log {
    Log::open(dir, ORIGIN, signer()).expect("a log")
}

fn leaf(number: u64) -> Vec<u8> {
    format!("leaf {number}").into_bytes()
}

/// Grows a log to `size` leaves and publishes.
fn grow(log: &mut Log, size: u64) {
    let leaves: Vec<_> = (log.size()..size).map(leaf).collect();
    leaves.chunks(4096).for_each(|batch| {
        log.append_batch(batch).expect("a disk");
    });
    log.publish().expect("a disk");
}

/// In memory where that can be had: syncing it is free.
fn directory() -> TempDir {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.expect("a directory")
}

/// A log of `size` leaves, published.
fn log_of(size: u64) -> TempDir {
    let home = directory();
    grow(&mut open(home.path()), size);
    home
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
