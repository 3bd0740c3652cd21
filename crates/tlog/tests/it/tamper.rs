//! Every way to change a log by hand, and the findings that name it.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use prosopon_tlog::FindingKind::{self, *};
use prosopon_tlog::{Checkpoint, Frontier, Hash, Log, Signer, verify};

use super::{ORIGIN, copy, directory, grow, leaf, log_of, open, signer, vkey, witness};

/// What each case tampers with: 600 leaves, the checkpoint at 500 kept elsewhere.
const SIZE: u64 = 600;
const SINCE: u64 = 500;

fn edit(dir: &Path, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let file = dir.join(file);
    let mut bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    change(&mut bytes);
    fs::write(file, bytes).expect("a file");
}

fn edit_text(dir: &Path, file: &str, change: impl FnOnce(String) -> String) {
    edit(dir, file, |bytes| *bytes = change(String::from_utf8(bytes.clone()).expect("UTF-8")).into_bytes());
}

fn remove(dir: &Path, file: &str) {
    fs::remove_file(dir.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
}

fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    entries.iter().flat_map(|entry| [&(entry.len() as u16).to_be_bytes(), entry.as_slice()].concat()).collect()
}

/// Edits the entries of a bundle, well-formed again afterwards.
fn edit_entries(dir: &Path, file: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    edit(dir, file, |bytes| {
        let mut rest = bytes.as_slice();
        let mut entries = Vec::new();
        while let Some((len, after)) = rest.split_first_chunk() {
            let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*len)));
            entries.push(entry.to_vec());
            rest = after;
        }
        change(&mut entries);
        *bytes = bundle(&entries);
    });
}

fn forged(number: u64) -> Vec<u8> {
    if number == 300 { b"forged".to_vec() } else { leaf(number) }
}

/// The hash over 256 leaves.
fn top(first: u64) -> Hash {
    let mut frontier = Frontier::default();
    (first..first + 256).for_each(|number| frontier.push(Hash::of_leaf(&forged(number))));
    frontier.root()
}

fn forge_entry_and_tile(dir: &Path) {
    edit_entries(dir, "tile/entries/001", |entries| entries[300 - 256] = forged(300));
    edit(dir, "tile/0/001", |tile| tile[44 * 32..45 * 32].copy_from_slice(&Hash::of_leaf(&forged(300)).0));
}

fn forge_all_tiles(dir: &Path) {
    forge_entry_and_tile(dir);
    edit(dir, "tile/1/000.p/2", |tile| tile[32..].copy_from_slice(&top(256).0));
}

/// Replaces the log by one with the same key and another history.
fn fork(dir: &Path, size: u64) {
    for name in ["tile", "checkpoint", "pending", "lock"] {
        let path = dir.join(name);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("a file");
    }
    let mut log = open(dir);
    log.append_batch(&(0..size).map(forged).collect::<Vec<_>>()).expect("a disk");
    log.publish().expect("a disk");
}

fn sign_with(dir: &Path, signer: &Signer) {
    edit_text(dir, "checkpoint", |text| {
        let checkpoint: Checkpoint = text.parse().expect("a checkpoint");
        Checkpoint::sign(ORIGIN, checkpoint.size(), checkpoint.root(), signer).expect("an origin").to_string()
    });
}

type Case = (&'static str, fn(&Path), &'static [(FindingKind, &'static str, u64, u64)]);

const CASES: &[Case] = &[
    ("nothing", |_| {}, &[]),
    (
        "a byte of an entry",
        |dir| edit_entries(dir, "tile/entries/001", |entries| entries[44][0] ^= 1),
        &[(EntryChanged, "tile/entries/001", 300, 301)],
    ),
    (
        "a byte of a length",
        |dir| edit(dir, "tile/entries/000", |bytes| bytes[1] ^= 1),
        &[(EntryChanged, "tile/entries/000", 0, 256)],
    ),
    (
        "a leaf dropped",
        |dir| edit_entries(dir, "tile/entries/001", |entries| drop(entries.remove(44))),
        &[(EntryChanged, "tile/entries/001", 300, 512)],
    ),
    (
        "a leaf inserted",
        |dir| edit_entries(dir, "tile/entries/001", |entries| entries.insert(44, leaf(7))),
        &[(EntryChanged, "tile/entries/001", 300, 512)],
    ),
    (
        "a leaf added at the end",
        |dir| edit_entries(dir, "tile/entries/002.p/88", |entries| entries.push(leaf(600))),
        &[(EntryChanged, "tile/entries/002.p/88", 599, 600)],
    ),
    (
        "two leaves changed places",
        |dir| edit_entries(dir, "tile/entries/000", |entries| entries.swap(10, 20)),
        &[(EntryChanged, "tile/entries/000", 10, 11), (EntryChanged, "tile/entries/000", 20, 21)],
    ),
    (
        "the last leaf dropped",
        |dir| edit_entries(dir, "tile/entries/002.p/88", |entries| drop(entries.pop())),
        &[(Truncated, "tile/entries/002.p/88", 599, 600)],
    ),
    (
        "the last bundle removed",
        |dir| remove(dir, "tile/entries/002.p/88"),
        &[(Truncated, "tile/entries/002.p/88", 512, 600)],
    ),
    (
        "the last bundles and tiles removed",
        |dir| {
            for file in ["tile/entries/002.p/88", "tile/0/002.p/88", "tile/entries/001", "tile/0/001"] {
                remove(dir, file);
            }
            fs::remove_dir(dir.join("tile/entries/002.p")).expect("a directory");
            fs::remove_dir(dir.join("tile/0/002.p")).expect("a directory");
        },
        &[(Truncated, "tile/entries/001", 256, 600)],
    ),
    (
        "a bundle in the middle removed",
        |dir| remove(dir, "tile/entries/000"),
        &[(EntryMissing, "tile/entries/000", 0, 256)],
    ),
    (
        "a byte of a leaf tile",
        |dir| edit(dir, "tile/0/001", |tile| tile[44 * 32] ^= 1),
        &[(TileDamaged, "tile/0/001", 300, 301)],
    ),
    ("a leaf tile removed", |dir| remove(dir, "tile/0/000"), &[(TileMissing, "tile/0/000", 0, 256)]),
    (
        "a leaf tile cut off",
        |dir| edit(dir, "tile/0/000", |tile| tile.truncate(8000)),
        &[(TileDamaged, "tile/0/000", 0, 256)],
    ),
    (
        "a byte of the last leaf tile",
        |dir| edit(dir, "tile/0/002.p/88", |tile| tile[0] ^= 1),
        &[(TileDamaged, "tile/0/002.p/88", 512, 513)],
    ),
    (
        "a byte of a tile above",
        |dir| edit(dir, "tile/1/000.p/2", |tile| tile[40] ^= 1),
        &[(TileDamaged, "tile/1/000.p/2", 256, 512)],
    ),
    ("a tile above removed", |dir| remove(dir, "tile/1/000.p/2"), &[(TileMissing, "tile/1/000.p/2", 0, 600)]),
    (
        "an entry and its tile",
        forge_entry_and_tile,
        &[(EntryChanged, "tile/entries/001", 256, 512), (TileDamaged, "tile/0/001", 256, 512)],
    ),
    ("an entry and all tiles", forge_all_tiles, &[(RootMismatch, "checkpoint", 0, 600)]),
    (
        "a byte of the signature",
        |dir| {
            edit(dir, "checkpoint", |bytes| {
                // Within the base64, well away from the key's id in front and the padding at the end.
                let at = bytes.len() - 20;
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            })
        },
        &[(SignatureInvalid, "checkpoint", 0, 600)],
    ),
    (
        "signed with another key",
        |dir| sign_with(dir, &Signer::from_seed(ORIGIN, &[8; 32]).expect("a name")),
        &[(UnknownKey, "checkpoint", 0, 600)],
    ),
    (
        "another size stated",
        |dir| edit_text(dir, "checkpoint", |text| text.replace("\n600\n", "\n599\n")),
        &[(SignatureInvalid, "checkpoint", 0, 599), (RootMismatch, "checkpoint", 0, 599)],
    ),
    (
        "a huge size stated",
        |dir| edit_text(dir, "checkpoint", |text| text.replace("\n600\n", "\n18446744073709551615\n")),
        &[(SignatureInvalid, "checkpoint", 0, u64::MAX), (Truncated, "tile/entries/003", 768, u64::MAX)],
    ),
    ("no checkpoint", |dir| remove(dir, "checkpoint"), &[(CheckpointDamaged, "checkpoint", 0, 0)]),
    (
        "a checkpoint that is none",
        |dir| edit_text(dir, "checkpoint", |_| "600 leaves, honestly\n".to_owned()),
        &[(CheckpointDamaged, "checkpoint", 0, 0)],
    ),
    (
        "rolled back",
        |dir| {
            let older = log_of(SINCE - 100);
            fs::remove_dir_all(dir.join("tile")).expect("a directory");
            copy(older.path(), dir);
        },
        &[(RolledBack, "checkpoint", 400, 500)],
    ),
    ("a fork, longer", |dir| fork(dir, 700), &[(SplitView, "checkpoint", 0, 500)]),
    ("a fork, as long", |dir| fork(dir, SINCE), &[(SplitView, "checkpoint", 0, 500)]),
    (
        "a bundle that cannot be read",
        |dir| {
            remove(dir, "tile/entries/000");
            fs::create_dir(dir.join("tile/entries/000")).expect("a directory");
        },
        &[(Unreadable, "tile/entries/000", 0, 256)],
    ),
    (
        "a checkpoint that cannot be read",
        |dir| {
            remove(dir, "checkpoint");
            fs::create_dir(dir.join("checkpoint")).expect("a directory");
        },
        &[(Unreadable, "checkpoint", 0, 0)],
    ),
    (
        "a cosignature",
        |dir| {
            edit_text(dir, "checkpoint", |text| {
                let mut checkpoint: Checkpoint = text.parse().expect("a checkpoint");
                checkpoint.cosign(&witness(), 5).expect("room");
                let other = checkpoint.to_string().lines().last().expect("a line").to_owned();
                let fake = other.chars().rev().skip(20).collect::<String>().chars().rev().collect::<String>()
                    + "AAAAAAAAAAAAAAAAAA==";
                format!("{text}{fake}\n")
            });
        },
        &[(CosignatureInvalid, "checkpoint", 0, 600)],
    ),
    (
        "the header of the segment",
        |dir| edit(dir, "pending", |bytes| bytes[0] ^= 1),
        &[(SegmentDamaged, "pending", 600, 600)],
    ),
    (
        "a segment of another log",
        |dir| {
            let other = directory();
            drop(Log::open(other.path(), "example.com/other", signer()).expect("a log"));
            fs::copy(other.path().join("pending"), dir.join("pending")).expect("a file");
        },
        &[(SegmentDamaged, "pending", 600, 600)],
    ),
];

fn since() -> (tempfile::TempDir, Checkpoint) {
    let home = directory();
    let mut log = open(home.path());
    grow(&mut log, SINCE);
    let since = log.checkpoint().clone();
    grow(&mut log, SIZE);
    (home, since)
}

#[test]
fn each_is_found_and_named() {
    let (home, since) = since();
    for (name, tamper, expected) in CASES {
        let copied = directory();
        copy(home.path(), copied.path());
        tamper(copied.path());
        let report = verify(copied.path(), &vkey(), Some(&since), &[witness().vkey().clone()]);
        let mut found: Vec<_> = report
            .findings
            .iter()
            .map(|finding| {
                (finding.kind, finding.file.to_str().expect("a path"), finding.leaves.start, finding.leaves.end)
            })
            .collect();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{name}: {:#?}", report.findings);
        assert_eq!(report.is_violated(), expected.iter().any(|(kind, ..)| *kind != Unreadable), "{name}");
    }
}

#[test]
fn in_tiles_above() {
    let home = log_of(65_536 + 300);
    type Upper = (&'static str, fn(&Path), &'static [(FindingKind, &'static str, u64, u64)]);
    let cases: [Upper; 3] = [
        ("level 1", |dir| edit(dir, "tile/1/000", |tile| tile[32 * 3] ^= 1), &[(TileDamaged, "tile/1/000", 768, 1024)]),
        (
            "level 2",
            |dir| edit(dir, "tile/2/000.p/1", |tile| tile[3] ^= 1),
            &[(TileDamaged, "tile/2/000.p/1", 0, 65_536)],
        ),
        (
            "an entry",
            |dir| edit_entries(dir, "tile/entries/003", |entries| entries[0][0] ^= 1),
            &[(EntryChanged, "tile/entries/003", 768, 769)],
        ),
    ];
    for (name, tamper, expected) in cases {
        let copied = directory();
        copy(home.path(), copied.path());
        tamper(copied.path());
        let report = verify(copied.path(), &vkey(), None, &[]);
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|finding| {
                (finding.kind, finding.file.to_str().expect("a path"), finding.leaves.start, finding.leaves.end)
            })
            .collect();
        assert_eq!(found, expected, "{name}: {:#?}", report.findings);
    }
}

fn files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever byte of whatever file is changed, it is a finding.
    #[test]
    fn any_byte(file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let home = log_of(SIZE);
        open(home.path()).append_batch(&[leaf(600), leaf(601)]).expect("a disk");
        let mut all = Vec::new();
        files(home.path(), &mut all);
        all.sort();
        all.retain(|file| !file.ends_with("lock"));
        let file = &all[file.index(all.len())];
        let mut bytes = fs::read(file).expect("a file");
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        fs::write(file, bytes).expect("a file");
        prop_assert!(verify(home.path(), &vkey(), None, &[]).is_violated(), "byte {at} of {}", file.display());
    }
}
