//! Homes: how they are made, and everything that must keep a run from one (exit code 3).
//!
//! Invariant: an empty, older or foreign home is never a way around a withdrawal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::{
    NO_DEMO_HOSTS, Said, arg, copy, copy_of_shared, demo, demo_args, finish, pipeline, root, say, shared, start, temp,
};

/// The parts of a ledger on disk.
const LEDGER: [&str; 3] = ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"];

fn remove(home: &Path, names: &[&str]) {
    for name in names {
        let _ = fs::remove_file(home.join(name));
    }
}

/// A home on which nothing may work any more: neither running nor reading.
#[track_caller]
fn assert_shut(home: &Path, says: &str) {
    let current = fs::read(home.join("demo/current")).expect("current");
    for args in [
        demo_args(home, &[]),
        demo_args(home, &["--dry-run"]),
        vec!["status", "--out", arg(home)],
        vec!["persona", "K-2001", "--out", arg(home)],
        vec!["account", "ACC-1001", "--out", arg(home)],
        vec!["explain", "K-2001", "seniority", "--out", arg(home)],
        vec!["inspect", "personas", "--out", arg(home)],
    ] {
        let said = say(&args);
        assert_eq!(said.code, Some(3), "{args:?}: {said:#?}");
        assert!(said.err.starts_with("error: ") && said.err.contains(says), "{args:?}: {}", said.err);
        assert!(said.out.is_empty(), "{args:?} shows something all the same: {}", said.out);
    }
    assert_eq!(fs::read(home.join("demo/current")).expect("current"), current);
}

/// A home whose ledger has moved on by one withdrawal, and its ledger as it was before.
fn moved_on() -> (TempDir, PathBuf, PathBuf) {
    let (dir, home) = copy_of_shared();
    let before = dir.path().join("before");
    fs::create_dir(&before).expect("a folder");
    for name in LEDGER.iter().filter(|n| home.join(n).exists()) {
        fs::copy(home.join(name), before.join(name)).expect("a copy");
    }
    let path = withdrawn(dir.path(), "K-2001");
    say(["run", arg(&path), "--out", arg(&home), "--quiet"]).expect(0);
    (dir, home, before)
}

/// The demo's pipeline with one more withdrawal among its consents.
pub fn withdrawn(folder: &Path, record: &str) -> PathBuf {
    let consents = root().join("testdata/demo/crm/consents.csv");
    let mut text = fs::read_to_string(&consents).expect("the demo's consents");
    text += &["E-9001;", record, ";withdraw;;;;2026-03-01;;2026-03-01T10:00:00Z;e_mail;;;de\n"].concat();
    let changed = folder.join("consents.csv");
    fs::write(&changed, text).expect("a file can be written");
    pipeline(folder, &[(arg(&consents), arg(&changed))])
}

#[test]
fn a_ledger_behind_its_checkpoint_shuts_the_home() {
    let (_dir, home, before) = moved_on();
    remove(&home, &LEDGER);
    copy(&before, &home);
    assert_shut(&home, "checkpoint");
}

#[test]
fn an_emptied_ledger_shuts_the_home() {
    let (_dir, home) = copy_of_shared();
    remove(&home, &LEDGER);
    fs::write(home.join("ledger.sqlite"), b"").expect("an empty file");
    assert_shut(&home, "checkpoint");
}

#[test]
fn a_deleted_ledger_shuts_the_home() {
    let (_dir, home) = copy_of_shared();
    remove(&home, &LEDGER);
    assert_shut(&home, "ledger.sqlite");
    assert!(!home.join("ledger.sqlite").exists(), "looking must not make a new one");
}

#[test]
fn a_deleted_checkpoint_shuts_the_home() {
    let (_dir, home) = copy_of_shared();
    remove(&home, &LEDGER);
    remove(&home, &["checkpoint"]);
    fs::write(home.join("ledger.sqlite"), b"").expect("an empty file");
    assert_shut(&home, "checkpoint");
}

#[test]
fn a_changed_event_shuts_the_home() {
    let (_dir, home) = copy_of_shared();
    let database = rusqlite::Connection::open(home.join("ledger.sqlite")).expect("a ledger");
    // The triggers keep honest code honest; whoever edits the file drops them.
    let sql = "SELECT name FROM sqlite_master WHERE type = 'trigger'";
    let mut statement = database.prepare(sql).expect("SQL");
    let names: Vec<String> = statement.query_map([], |r| r.get(0)).expect("rows").map(|n| n.expect("a name")).collect();
    drop(statement);
    for name in names {
        database.execute_batch(&format!("DROP TRIGGER {name}")).expect("a trigger can be dropped");
    }
    let sql = "UPDATE legal_events SET event = replace(event, '2025', '2026') WHERE seq = \
               (SELECT max(seq) FROM legal_events WHERE event LIKE '%2025%')";
    assert_eq!(database.execute(sql, []).expect("an update"), 1);
    drop(database);
    assert_shut(&home, "ledger");
}

#[test]
fn keys_that_others_can_read_shut_the_home() {
    let (_dir, home) = copy_of_shared();
    fs::set_permissions(home.join("keys/id.key"), fs::Permissions::from_mode(0o644)).expect("a mode can be set");
    assert_shut(&home, "open to other users");
}

#[test]
fn a_home_that_cannot_be_written_shuts_the_run() {
    let (_dir, home) = copy_of_shared();
    let folder_mode = |mode| fs::set_permissions(&home, fs::Permissions::from_mode(mode)).expect("a mode can be set");
    folder_mode(0o500);
    if fs::write(home.join("probe"), b"").is_ok() {
        println!("SKIPPED: this user (root?) writes into read-only folders");
        return;
    }
    let said = demo(&home, &[]);
    folder_mode(0o700);
    let said = said.expect(3);
    assert!(said.err.starts_with("error: "), "{}", said.err);
}

#[test]
fn a_home_that_was_never_initialised_is_no_home() {
    let dir = temp();
    let home = dir.path().join("nothing");
    // A production pipeline is refused for its network first; a dry run asks for the home.
    let network = "network: public\ncontact: mailto:privacy@controller.example";
    let public = pipeline(dir.path(), &[("network: demo", network), NO_DEMO_HOSTS]);
    for args in [
        vec!["run", arg(&public), "--dry-run", "--out", arg(&home)],
        vec!["status", "--out", arg(&home)],
        vec!["persona", "K-2001", "--out", arg(&home)],
        vec!["inspect", "personas", "--out", arg(&home)],
    ] {
        let said = say(&args).expect(3);
        assert!(said.err.contains("no initialised home") && said.err.contains("prosopon init"), "{}", said.err);
        assert!(!home.exists(), "{args:?} made a home");
    }
}

fn init(home: &Path, controller: &str, more: &[&str]) -> Said {
    say([&["init", "--out", arg(home), "--controller", controller], more].concat())
}

#[test]
fn a_home_belongs_to_one_controller_and_one_kind() {
    let dir = temp();
    let other = dir.path().join("other");
    init(&other, "Another Controller GmbH", &["--first"]).expect(0);
    let said = demo(&other, &[]).expect(3);
    assert!(said.err.contains("Another Controller GmbH"), "{}", said.err);
    let real = dir.path().join("real");
    init(&real, "Prosopon Demo Controller", &["--first"]).expect(0);
    let said = demo(&real, &[]).expect(3);
    assert!(said.err.contains("production home"), "{}", said.err);
}

#[test]
fn init_makes_a_home_once_and_takes_over_what_the_law_wants_kept() {
    let dir = temp();
    let home = dir.path().join("home");
    let said = init(&home, "Muster GmbH", &[]).expect(2);
    assert!(said.err.contains("--first") && said.err.contains("--import-legal"), "{}", said.err);
    assert!(!home.exists());
    init(&home, "Muster GmbH", &["--first"]).expect(0);
    let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(home.clone()), mode(home.join("keys/id.key"))), (0o700, 0o600));
    let said = init(&home, "Muster GmbH", &["--first"]).expect(3);
    assert!(said.err.contains("a home already"), "{}", said.err);
    let status = say(["status", "--out", arg(&home)]).expect(0);
    assert!(status.out.contains("Muster GmbH") && status.out.contains("no run yet"), "{}", status.out);
    assert!(!home.join("journal.sqlite").exists(), "who only looks makes nothing");

    let next = dir.path().join("next");
    init(&next, "Muster GmbH", &["--import-legal", arg(&home)]).expect(0);
    let key = |home: &Path| fs::read(home.join("keys/id.key")).expect("a key");
    assert_eq!(key(&home), key(&next), "subjects keep their ids");
    let own = dir.path().join("own");
    init(&own, "Muster GmbH", &["--first"]).expect(0);
    assert_ne!(key(&home), key(&own), "every home has a key of its own");
    let said = init(&dir.path().join("x"), "Anders GmbH", &["--import-legal", arg(&home)]).expect(3);
    assert!(said.err.contains("Muster GmbH"), "{}", said.err);
    let demo_home = arg(&shared().home);
    let said = init(&dir.path().join("y"), "Prosopon Demo Controller", &["--import-legal", demo_home]).expect(3);
    assert!(said.err.contains("demo home"), "{}", said.err);
    // Whose erasure has begun would be taken over.
    let wall: prosopon::consent::gate::Clock = std::sync::Arc::new(crate::harness::now);
    let mut office = prosopon::rights::office::Office::open(&home, &wall).expect("opens");
    let person = prosopon::model::SubjectId::from_body("abc");
    office.vault.ensure([&person]).expect("written");
    office.vault.begin_erasure(&person, "00").expect("begun");
    drop(office);
    let said = init(&dir.path().join("z"), "Muster GmbH", &["--import-legal", arg(&home)]).expect(3);
    assert!(said.err.contains("repeat these first"), "{}", said.err);
}

#[test]
fn a_home_remembers_that_its_key_is_in_the_environment() {
    let dir = temp();
    let (home, key) = (dir.path().join("home"), "ab".repeat(32));
    let with_key = |args: &[&str]| {
        let mut command = crate::harness::prosopon();
        let command = command.args(args).args(["--out", arg(&home)]).env("PROSOPON_MASTER_KEY", &key);
        finish(command.spawn().expect("the binary starts"))
    };
    let said = with_key(&["init", "--controller", "Muster GmbH", "--first"]).expect(0);
    assert!(said.err.contains("the master key is in env:PROSOPON_MASTER_KEY, as the environment says"), "{}", said.err);
    let written = fs::read_to_string(home.join("home.json")).expect("there");
    assert!(written.contains("env:PROSOPON_MASTER_KEY") && !written.contains(&key), "{written}");
    assert!(!home.join("keys/master.key").exists());
    let said = say(["keys", "show", "--out", arg(&home)]).expect(3);
    assert!(said.err.contains("env:PROSOPON_MASTER_KEY") && said.err.contains("not set"), "{}", said.err);
    // The variable would go on naming the old key.
    assert!(with_key(&["keys", "rotate"]).expect(2).err.contains("--to"));
    let said = with_key(&["keys", "rotate", "--to", "file:keys/new.key"]).expect(0);
    assert!(said.out.contains("unset PROSOPON_MASTER_KEY"), "{}", said.out);
    say(["keys", "show", "--out", arg(&home)]).expect(0);
}

#[test]
fn an_init_that_was_killed_can_be_repeated_and_a_home_that_lost_its_file_cannot() {
    let (_dir, old) = {
        let dir = temp();
        let old = dir.path().join("old");
        init(&old, "C", &["--first"]).expect(0);
        (dir, old)
    };
    let temp = temp();
    for (name, origin) in [("first", vec!["--first"]), ("import", vec!["--import-legal", arg(&old)])] {
        let home = temp.path().join(name);
        init(&home, "C", &origin).expect(0);
        assert!(!home.join(".init").exists(), "the mark is gone at the end");
        // As it is when the process dies before its last step.
        fs::remove_file(home.join("home.json")).expect("there");
        fs::write(home.join(".init"), "").expect("written");
        init(&home, "C", &origin).expect(0);
        say(["status", "--out", arg(&home)]).expect(0);
        fs::remove_file(home.join("home.json")).expect("there");
        let said = init(&home, "C", &origin).expect(3);
        assert!(said.err.contains("home.json"), "{}", said.err);
        assert!(home.join("ledger.sqlite").exists(), "the ledger of a home that was finished is not cleared");
    }
}

#[test]
fn of_two_inits_at_once_one_makes_the_home_and_it_is_whole() {
    let dir = temp();
    for pair in 0..8 {
        let home = dir.path().join(pair.to_string());
        let args = ["init", "--out", arg(&home), "--controller", "C", "--first"];
        let both = [start(args), start(args)].map(finish);
        let made = both.iter().filter(|said| said.code == Some(0)).count();
        assert_eq!(made, 1, "{both:#?}");
        let other = both.iter().find(|said| said.code != Some(0)).expect("the other one");
        let told = other.err.contains("works on") || other.err.contains("already");
        assert!(other.code == Some(3) && told, "{other:?}");
        say(["audit", "verify", "--out", arg(&home)]).expect(0);
    }
}

#[test]
fn one_process_works_in_a_home_at_a_time() {
    use std::io::{BufRead as _, BufReader};
    let dir = temp();
    let home = dir.path().join("home");
    let mut first = start(demo_args(&home, &[]));
    let mut lines = BufReader::new(first.stderr.take().expect("stderr is piped"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("UTF-8");
    assert!(line.contains("companies to work on"), "{line}");
    let second = demo(&home, &[]).expect(3);
    assert!(second.err.contains(&format!("process {}", first.id())), "{}", second.err);
    let rest = std::thread::spawn(move || lines.lines().for_each(drop));
    let first = finish(first);
    rest.join().expect("stderr ends with the process");
    first.expect(0);
}

#[test]
fn a_home_that_was_used_under_a_clock_ahead_is_left_by_import_and_nothing_is_put_off() {
    let dir = temp();
    let (home, next) = (dir.path().join("home"), dir.path().join("next"));
    init(&home, "Muster GmbH", &["--first"]).expect(0);
    let (now, person) = (crate::harness::now(), prosopon::model::SubjectId::from_body("abc"));
    let ahead = now + jiff::SignedDuration::from_hours(24 * 40);
    let wall: prosopon::consent::gate::Clock = std::sync::Arc::new(move || ahead);
    let mut office = prosopon::rights::office::Office::open(&home, &wall).expect("opens");
    office.vault.ensure([&person]).expect("written");
    let seen = [(person.clone(), ahead)];
    let import = prosopon::consent::ledger::Import { seen: &seen, ..Default::default() };
    office.ledger.import(&mut office.vault, import, ahead).expect("written");
    office.log_ledger().expect("told");
    drop(office);
    let said = say(["retention", "sweep", "--yes", "--out", arg(&home)]).expect(3);
    assert!(said.err.contains("set the clock right") && said.err.contains("--import-legal"), "{}", said.err);
    let guide = fs::read_to_string(crate::harness::root().join("docs/operator.md")).expect("a guide");
    assert!(guide.contains("\n## A clock that stood ahead\n"), "the message names it");

    init(&next, "Muster GmbH", &["--import-legal", arg(&home)]).expect(0);
    let wall: prosopon::consent::gate::Clock = std::sync::Arc::new(crate::harness::now);
    let office = prosopon::rights::office::Office::open(&next, &wall).expect("the log begins now");
    office.log_rights(std::slice::from_ref(&person), "access").expect("it is written to");
    let first = office.ledger.view().first_seen(&person).expect("taken over");
    assert!(
        now <= first && first <= crate::harness::now(),
        "retention and notices count from now at the latest: {first}"
    );
}
