//! Faults of disk, keys and files: nothing is fetched or written without its record, and the error says what to do.
//!
//! Invariant: after each fault the command ends with 3, no snapshot is published, no fetch is committed, and once the
//! fault is mended the same command succeeds and the log is intact.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::harness::{Said, arg, copy_of_shared, demo, demo_args, finish_within, say, shared, start, temp};

fn current(home: &Path) -> Vec<u8> {
    fs::read(home.join("demo/current")).unwrap_or_default()
}

fn fetched(home: &Path) -> i64 {
    let db = rusqlite::Connection::open(home.join("journal.sqlite")).expect("a journal");
    db.query_row("SELECT count(*) FROM fetches", [], |row| row.get(0)).unwrap_or(0)
}

fn verify(home: &Path) -> Said {
    say(["audit", "verify", "--out", arg(home)])
}

#[test]
fn without_its_record_nothing_is_done() {
    type Fault = fn(&Path);
    type Mend = fn(&Path);
    let cases: [(&str, Fault, Mend, &str); 5] = [
        (
            "the disk of the log is full",
            |home| {
                fs::rename(home.join("audit/pending"), home.join("pending.kept")).expect("renamed");
                symlink("/dev/full", home.join("audit/pending")).expect("a link");
            },
            |home| {
                fs::remove_file(home.join("audit/pending")).expect("removed");
                fs::rename(home.join("pending.kept"), home.join("audit/pending")).expect("renamed");
            },
            "audit",
        ),
        (
            "payloads are no database",
            |home| {
                fs::rename(home.join("audit/payloads.sqlite"), home.join("kept"))
                    .and_then(|()| fs::create_dir(home.join("audit/payloads.sqlite")))
                    .expect("exchanged")
            },
            |home| {
                fs::remove_dir(home.join("audit/payloads.sqlite"))
                    .and_then(|()| fs::rename(home.join("kept"), home.join("audit/payloads.sqlite")))
                    .expect("exchanged")
            },
            "payloads.sqlite",
        ),
        (
            "the vault is missing",
            |home| fs::rename(home.join("keys/vault.sqlite"), home.join("kept")).expect("renamed"),
            |home| fs::rename(home.join("kept"), home.join("keys/vault.sqlite")).expect("renamed"),
            "vault.sqlite",
        ),
        (
            "the master key is missing",
            |home| fs::rename(home.join("keys/master.key"), home.join("kept")).expect("renamed"),
            |home| fs::rename(home.join("kept"), home.join("keys/master.key")).expect("renamed"),
            "master key",
        ),
        (
            "the last known checkpoint is missing",
            |home| fs::rename(home.join("audit-checkpoint"), home.join("kept")).expect("renamed"),
            |home| fs::rename(home.join("kept"), home.join("audit-checkpoint")).expect("renamed"),
            "audit-checkpoint",
        ),
    ];
    for (name, fault, mend, says) in cases {
        let (_dir, home) = copy_of_shared();
        let before = current(&home);
        fault(&home);
        let said = demo(&home, &["--as-of", "2026-03-03"]);
        assert_eq!(said.code, Some(3), "{name}: {}{}", said.out, said.err);
        assert!(said.err.starts_with("error: ") && said.err.contains(says), "{name}: {}", said.err);
        assert_eq!(current(&home), before, "{name}: something was published");
        assert_eq!(fetched(&home), 0, "{name}: something was fetched");
        let said = say(["persona", "K-2001", "--out", arg(&home)]);
        assert_eq!(said.code, Some(3), "{name}: {}{}", said.out, said.err);
        assert!(said.out.is_empty(), "{name}: a persona was shown without its record");
        mend(&home);
        demo(&home, &["--as-of", "2026-03-03", "--quiet"]).expect(0);
        assert_eq!(verify(&home).code, Some(0), "{name}: {}", verify(&home).out);
    }
}

#[test]
fn a_torn_write_of_the_log_is_mended_by_the_next_start() {
    let dir = temp();
    let home = dir.path().join("home");
    let killed = finish_within(start(demo_args(&home, &["--quiet"])), std::time::Duration::from_secs(3));
    if killed.is_ok() {
        // Too fast to be torn; other tests kill at twenty moments.
        return;
    }
    let pending = home.join("audit/pending");
    let bytes = fs::read(&pending).expect("the segment is there");
    fs::write(&pending, [&bytes[..], b"half a rec"].concat()).expect("torn");
    demo(&home, &["--quiet"]).expect(0);
    let said = verify(&home);
    assert_eq!(said.code, Some(0), "{}", said.out);
    assert_eq!(
        crate::tables::differences(&crate::tables::common(&shared().home), &crate::tables::common(&home)),
        Vec::<String>::new()
    );
}

#[test]
fn others_may_not_read_the_keys() {
    use std::os::unix::fs::PermissionsExt as _;
    for name in ["keys/vault.sqlite", "keys/master.key"] {
        let (_dir, home) = copy_of_shared();
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(0o644)).expect("a mode can be set");
        let said = demo(&home, &[]).expect(3);
        assert!(said.err.contains("open to other users") && said.err.contains("chmod"), "{name}: {}", said.err);
    }
}
