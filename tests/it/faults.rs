//! Faults of disk, keys and files: nothing is fetched or written without its record, and the error says what to do.
//!
//! Invariant: after each fault the command ends with 3, no snapshot is published, no fetch is committed, and once the
//! fault is mended the same command succeeds and the log is intact.

use std::fs;
use std::path::Path;

use crate::harness::{
    Said, arg, copy_of_shared, demo, demo_args, files, finish, finish_within, say, shared, start, temp,
};

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
            "the log cannot be written",
            |home| {
                fs::rename(home.join("audit/pending"), home.join("kept")).expect("renamed");
                fs::create_dir(home.join("audit/pending")).expect("a folder in its place");
            },
            |home| {
                fs::remove_dir(home.join("audit/pending")).expect("removed");
                fs::rename(home.join("kept"), home.join("audit/pending")).expect("renamed");
            },
            "audit",
        ),
        (
            "payloads are no database",
            |home| {
                fs::rename(home.join("audit/payloads.sqlite"), home.join("kept"))
                    .and_then(|()| fs::create_dir(home.join("audit/payloads.sqlite")))
                    .expect("exchanged");
            },
            |home| {
                fs::remove_dir(home.join("audit/payloads.sqlite"))
                    .and_then(|()| fs::rename(home.join("kept"), home.join("audit/payloads.sqlite")))
                    .expect("exchanged");
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

/// Runs the demo with the log on a filesystem of its own that has so many kB left; `None` = not allowed here.
fn with_room(home: &Path, kilobytes: u64) -> Option<Said> {
    let script = r#"
        set -e
        cp -a "$1/audit" "$1.aside"
        mount -t tmpfs -o "size=$2k" tmpfs "$1/audit" || exit 99
        cp -a "$1.aside/." "$1/audit/"
        exec "$3" run pipelines/demo.yaml --out "$1" --as-of 2026-03-03
    "#;
    let used: u64 =
        files(&home.join("audit")).iter().map(|f| fs::metadata(f).map_or(0, |m| m.len()).div_ceil(4096) * 4).sum();
    let mut command = std::process::Command::new("unshare");
    command.args([
        "-rm",
        "sh",
        "-c",
        script,
        "sh",
        arg(home),
        &(used + kilobytes).to_string(),
        env!("CARGO_BIN_EXE_prosopon"),
    ]);
    command
        .current_dir(crate::harness::root())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let said = finish(command.spawn().ok()?);
    (said.code != Some(99) && !said.err.contains("unshare")).then_some(said)
}

#[test]
fn on_a_full_disk_nothing_is_done_without_its_record() {
    for room in [8, 64] {
        let (_dir, home) = copy_of_shared();
        let before = current(&home);
        let Some(said) = with_room(&home, room) else {
            println!("SKIPPED: this user may not mount a small filesystem (unshare -rm)");
            return;
        };
        assert_eq!(said.code, Some(3), "{room} kB: {}{}", said.out, said.err);
        assert!(said.err.contains("free space"), "{room} kB: {}", said.err);
        assert_eq!(current(&home), before, "something was published");
        // The filesystem is gone with its process: what is left is the log of before, and it is intact.
        let documents = fetched(&home);
        assert!(documents < 60, "{room} kB: the run went on without a log: {documents} fetches");
        demo(&home, &["--as-of", "2026-03-03", "--quiet"]).expect(0);
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
