//! Several writers, kills of a real process, disks that are full or read-only, and copies for auditors.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use prosopon_tlog::{Checkpoint, Error, Log, Reader, Signer, add_cosignature, cosign, verify};

use super::{ORIGIN, copy, directory, grow, leaf, log_of, open, signer, vkey, witness};

#[test]
fn several_writers() {
    let home = directory();
    drop(open(home.path()));
    thread::scope(|scope| {
        for writer in 0..3_u64 {
            let dir = home.path();
            scope.spawn(move || {
                let mut log = open(dir).segment_bytes(3_000);
                for batch in 0..20 {
                    let leaves: Vec<_> = (0..=batch).map(|at| format!("{writer} {batch} {at}")).collect();
                    log.append_batch(&leaves).expect("a disk");
                }
            });
        }
    });
    let mut log = open(home.path());
    assert_eq!(log.size(), 3 * 210);
    log.publish().expect("a disk");
    let leaves = Reader::open(home.path()).and_then(|reader| reader.leaves(0..630)).expect("a log");
    let leaves: Vec<_> = leaves.map(|leaf| String::from_utf8(leaf.expect("a leaf")).expect("UTF-8")).collect();
    for writer in 0..3 {
        let own: Vec<_> = leaves.iter().filter(|leaf| leaf.starts_with(&format!("{writer} "))).cloned().collect();
        let expected: Vec<_> =
            (0..20).flat_map(|batch| (0..=batch).map(move |at| format!("{writer} {batch} {at}"))).collect();
        assert_eq!(own, expected, "each batch whole and in order");
    }
    assert!(verify(home.path(), &vkey(), None, &[]).is_clean());
}

const CHILD: &str = "PROSOPON_TLOG_CHILD";

/// Not a test: the process that the next one kills.
#[test]
fn child() {
    let Ok(dir) = env::var(CHILD) else { return };
    let mut log = open(Path::new(&dir)).segment_bytes(20_000);
    loop {
        let first = log.size();
        let range = log.append_batch(&(first..first + 50).map(leaf).collect::<Vec<_>>()).expect("a disk");
        println!("acknowledged {}", range.end);
    }
}

#[test]
fn killed_while_it_appends() {
    let home = directory();
    for lines in [1, 3, 8, 17, 40] {
        let mut child = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "disk::child", "--nocapture"])
            .env(CHILD, home.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let told = output
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
        let acknowledged = told.take(lines).last().expect("the child appends");
        child.kill().and_then(|()| child.wait()).expect("a process");
        let log = open(home.path());
        assert!(log.size() >= acknowledged && log.size().is_multiple_of(50), "{} of {acknowledged}", log.size());
        assert!(verify(home.path(), &vkey(), None, &[]).is_clean());
        let leaves = Reader::open(home.path()).and_then(|reader| reader.leaves(0..log.size())).expect("a log");
        assert!((0..).zip(leaves).all(|(number, found)| found.expect("a leaf") == leaf(number)));
    }
}

#[test]
fn a_reader_knows_what_is_pending() {
    let home = log_of(300);
    let mut log = open(home.path());
    log.append_batch(&[leaf(300), leaf(301)]).expect("a disk");
    let reader = Reader::open(home.path()).expect("a log");
    let pending = reader.pending().expect("a segment");
    assert_eq!((reader.checkpoint().size(), pending.leaves.clone(), pending.torn), (300, 300..302, false));
    assert!(pending.iter().eq([leaf(300), leaf(301)].iter()));
    assert_eq!(pending.checkpoint.as_ref(), Some(log.checkpoint()));
    let report = verify(home.path(), &vkey(), Some(log.checkpoint()), &[]);
    assert_eq!((report.is_clean(), report.leaves, report.pending), (true, 300, 2));
    log.publish().expect("a disk");
    assert!(matches!(reader.pending(), Err(Error::Stale)));
    assert!(reader.leaves(0..300).expect("a range").all(|leaf| leaf.is_ok()), "the old view can still be read");
    assert!(matches!(reader.leaves(0..302), Err(Error::OutOfRange { size: 300, asked: 302 })));

    // A copy for an auditor needs neither segment nor lock.
    let copied = directory();
    copy(home.path(), copied.path());
    fs::remove_file(copied.path().join("pending")).expect("a file");
    fs::remove_file(copied.path().join("lock")).expect("a file");
    let reader = Reader::open(copied.path()).expect("a log");
    assert!(reader.pending().expect("none").leaves.is_empty());
    assert!(verify(copied.path(), &vkey(), None, &[]).is_clean());
    // To go on from it, somebody has to say that nothing is missing.
    assert!(matches!(Log::open(copied.path(), ORIGIN, signer()), Err(Error::Damaged { .. })));
    fs::write(copied.path().join("pending"), "").expect("a file");
    assert_eq!(open(copied.path()).append_batch(&[leaf(302)]).expect("a disk"), 302..303);
}

#[test]
fn errors_have_a_type_and_a_path() {
    let home = log_of(10);
    let mut log = open(home.path());
    let full = home.path().join("checkpoint.tmp");
    log.append_batch(&[leaf(10)]).expect("a disk");
    std::os::unix::fs::symlink("/dev/full", &full).expect("a link");
    let error = log.publish().expect_err("the disk is full");
    assert!(matches!(&error, Error::DiskFull { path, .. } if *path == full), "{error:?}");
    assert_eq!(log.append_batch(&[leaf(11)]).expect("the segment still takes leaves"), 11..12);
    fs::remove_file(&full).expect("a link");
    assert_eq!(log.publish().expect("a disk").size(), 12);

    let long = [vec![0; 65_535], vec![0; 65_536]];
    assert!(matches!(log.append_batch(&long), Err(Error::LeafTooLong { index: 1, len: 65_536 })));
    assert_eq!(log.append_batch(&long[..1]).expect("a disk"), 12..13);

    let file = home.path().join("file");
    fs::write(&file, "").expect("a file");
    assert!(
        matches!(Log::open(file.join("log"), ORIGIN, signer()), Err(Error::Io { path, .. }) if path == file.join("log"))
    );
    assert!(matches!(Log::open(home.path(), "example.com/other", signer()), Err(Error::Foreign { .. })));
    let other = Signer::from_seed(ORIGIN, &[9; 32]).expect("a name");
    assert!(matches!(Log::open(home.path(), ORIGIN, other), Err(Error::Foreign { .. })));
    assert!(matches!(Reader::open(home.path().join("nowhere")), Err(Error::Damaged { .. })));

    // Tiles without anything else are not overwritten by a new log.
    let bare = directory();
    fs::create_dir(bare.path().join("tile")).expect("a directory");
    assert!(matches!(Log::open(bare.path(), ORIGIN, signer()), Err(Error::Damaged { .. })));
}

#[test]
fn what_is_gone_from_under_a_log_is_noticed() {
    let home = log_of(10);
    let mut log = open(home.path());
    log.append_batch(&[leaf(10)]).expect("a disk");
    let pending = home.path().join("pending");
    let bytes = fs::read(&pending).expect("a file");
    fs::write(&pending, &bytes[..bytes.len() - 1]).expect("a file");
    assert!(matches!(log.append_batch(&[leaf(11)]), Err(Error::Damaged { .. })));
    fs::write(&pending, &bytes).expect("a file");
    assert_eq!(log.append_batch(&[leaf(11)]).expect("a disk"), 11..12);

    // The whole directory replaced by one with another history.
    let other = directory();
    grow(&mut open(other.path()), 5);
    open(other.path()).append_batch(&(0..10).map(|_| "other").collect::<Vec<_>>()).expect("a disk");
    drop(open(other.path()));
    copy(other.path(), home.path());
    assert!(matches!(log.append_batch(&[leaf(12)]), Err(Error::Damaged { .. })));
}

#[test]
fn partial_tiles_go_once_the_full_one_is_there() {
    let home = log_of(250);
    let mut log = open(home.path());
    grow(&mut log, 255);
    let partials = home.path().join("tile/entries/000.p");
    assert!(partials.join("250").exists() && partials.join("255").exists());
    grow(&mut log, 256);
    assert!(!partials.exists() && !home.path().join("tile/0/000.p").exists());
    assert!(home.path().join("tile/1/000.p/1").exists());
}

#[test]
fn cosigning_a_stored_copy() {
    let home = log_of(10);
    let file = home.path().join("checkpoint");
    let copy = home.path().join("kept.txt");
    fs::copy(&file, &copy).expect("a file");
    let text = fs::read_to_string(&copy).expect("a file");
    let cosigned: Checkpoint = cosign(&text, &witness(), 1_700_000_000).and_then(|text| text.parse()).expect("a note");
    for file in [&file, &copy] {
        let stored = add_cosignature(file, &cosigned).expect("the same checkpoint");
        assert_eq!(stored.cosigned_by(witness().vkey()), Ok(1_700_000_000));
        assert_eq!(fs::read_to_string(file).expect("a file"), cosigned.to_string());
    }
    let report = verify(home.path(), &vkey(), Some(&cosigned), &[witness().vkey().clone()]);
    assert_eq!((report.is_clean(), report.cosigned.len()), (true, 2));
    grow(&mut open(home.path()), 11);
    assert!(matches!(add_cosignature(&file, &cosigned), Err(Error::Note(_))));
    assert!(cosign(&text, &witness(), 1 << 63).is_err());
}
