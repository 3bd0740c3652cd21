//! The ledger: append-only, idempotent, order-independent, and held against its checkpoint.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Connection;

use super::{at, consent, event, now};
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::ledger::{Import, Ledger, LedgerError};
use crate::keys::{MasterKey, Vault};
use crate::model::SubjectId;

/// What an error must be.
type Expected = fn(&LedgerError) -> bool;

pub(super) struct Files {
    folder: tempfile::TempDir,
    master: MasterKey,
    database: PathBuf,
    checkpoint: PathBuf,
}

impl Files {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (database, checkpoint) = (folder.path().join("ledger.sqlite"), folder.path().join("checkpoint"));
        let master = MasterKey::random().expect("a key");
        Vault::create(&folder.path().join("vault.sqlite"), master.clone()).expect("a new vault");
        Self { folder, master, database, checkpoint }
    }

    pub(super) fn vault(&self) -> Vault {
        Vault::open(&self.folder.path().join("vault.sqlite"), self.master.clone()).expect("the vault opens")
    }

    pub(super) fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.database, &self.checkpoint, &self.vault())
    }

    pub(super) fn open_both(&self) -> Result<(Vault, Ledger), LedgerError> {
        Ok((self.vault(), self.open()?))
    }

    /// Keys and entries are read when somebody asks for them.
    pub(super) fn open_sparse(&self) -> Result<(Vault, Ledger), LedgerError> {
        let vault = Vault::open_sparse(&self.folder.path().join("vault.sqlite"), self.master.clone())?;
        let ledger = Ledger::open_sparse(&self.database, &self.checkpoint, &vault)?;
        Ok((vault, ledger))
    }

    /// Why neither way of opening does, which is the same for both.
    fn refusal(&self, why: &str) -> LedgerError {
        let (error, sparse) = (self.open().expect_err(why), self.open_sparse().map(drop).expect_err(why));
        assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&sparse), "{why}: {error:?}, {sparse:?}");
        assert_eq!(error.to_string(), sparse.to_string(), "{why}");
        error
    }

    fn import(
        &self,
        ledger: &mut Ledger,
        events: &[LegalEvent],
        seen: &[(SubjectId, Timestamp)],
        at: Timestamp,
    ) -> Result<u64, LedgerError> {
        ledger.import(&mut self.vault(), Import { events, seen, is_sync: true }, at)
    }

    /// A ledger with the given events, closed again.
    pub(super) fn filled(events: &[LegalEvent]) -> Self {
        let files = Self::new();
        let mut ledger = files.open().expect("a new ledger");
        files.import(&mut ledger, events, &[(super::subject(), now())], now()).expect("a writable ledger");
        files
    }

    /// Changes the database behind the product's back, with the triggers out of the way.
    pub(super) fn tamper(&self, sql: &str) {
        let db = Connection::open(&self.database).expect("the database is there");
        let names = ["legal_events_no_update", "legal_events_no_delete", "legal_events_no_replace"];
        for name in names {
            db.execute_batch(&format!("DROP TRIGGER {name}")).expect("the trigger is there");
        }
        db.execute_batch(sql).expect("the change is made");
    }

    pub(super) fn tamper_vault(&self, sql: &str) {
        let db = Connection::open(self.folder.path().join("vault.sqlite")).expect("the vault is there");
        db.execute_batch(sql).expect("the change is made");
    }
}

fn three() -> Vec<LegalEvent> {
    vec![consent("2026-01-01"), event(EventKind::Restrict, "2026-01-02"), event(EventKind::Withdraw, "2026-01-03")]
}

#[test]
fn events_and_first_collections_cannot_be_changed_removed_or_replaced() {
    let files = Files::filled(&three());
    let db = Connection::open(&files.database).expect("the database is there");
    for sql in [
        "UPDATE legal_events SET event = '{}' WHERE seq = 3",
        "DELETE FROM legal_events WHERE seq = 5",
        "DELETE FROM legal_events",
        "INSERT OR REPLACE INTO legal_events SELECT seq, digest, chain, known_at, '{}', sealed FROM legal_events WHERE seq = 5",
        "REPLACE INTO legal_events SELECT seq, x'00', chain, known_at, '{}', sealed FROM legal_events WHERE seq = 5",
        "UPDATE legal_events SET event = replace(event, '2026', '2030') WHERE event LIKE '%\"seen\"%'",
        "DELETE FROM legal_events WHERE event LIKE '%\"seen\"%'",
        "INSERT OR REPLACE INTO legal_events SELECT seq, digest, chain, known_at, replace(event, '2026', '2030'), sealed
         FROM legal_events WHERE event LIKE '%\"seen\"%'",
    ] {
        let error = db.execute_batch(sql).expect_err(sql).to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    let seen = "SELECT count(*) FROM legal_events WHERE event LIKE '%\"seen\"%'";
    assert_eq!(db.query_row(seen, [], |row| row.get::<_, i64>(0)).expect("readable"), 1, "the cases above meet one");
    assert_eq!(files.open().expect("still intact").view().state().count(), 3);
}

#[test]
fn importing_again_or_in_another_order_gives_the_same_state() {
    let mut events = three();
    let straight = Files::filled(&events).open().expect("intact").view().state();
    let files = Files::new();
    let mut ledger = files.open().expect("a new ledger");
    events.reverse();
    events.push(events[0].clone());
    for (events, new) in [(&events[1..2], 1), (&events[..], 2), (&events[..], 0)] {
        assert_eq!(files.import(&mut ledger, events, &[], now()).expect("a writable ledger"), new);
    }
    assert_eq!(ledger.view().state(), straight);
    assert_eq!(files.open().expect("intact").view().state(), straight);
    assert_ne!(Files::filled(&three()[..2]).open().expect("intact").view().state(), straight);
}

#[test]
fn a_changed_ledger_does_not_open() {
    let swap = "UPDATE legal_events SET seq = -1 WHERE seq = 3; UPDATE legal_events SET seq = 3 WHERE seq = 4;
                UPDATE legal_events SET seq = 4 WHERE seq = -1;";
    // A first collection, the time of the import, three events.
    let behind: Expected = |e| matches!(e, LedgerError::BehindCheckpoint { expected: 5, .. });
    let damaged: Expected = |e| matches!(e, LedgerError::EventDamaged { .. });
    let cases: [(&str, Expected); 12] = [
        ("DELETE FROM legal_events WHERE seq = 5", behind),
        ("DELETE FROM legal_events", behind),
        ("DELETE FROM legal_events WHERE seq = 3", damaged),
        ("UPDATE legal_events SET event = replace(event, 'withdraw', 'rectify') WHERE seq = 5", damaged),
        ("UPDATE legal_events SET event = 'no event' WHERE seq = 4", damaged),
        ("UPDATE legal_events SET event = replace(event, '2026', 'never') WHERE seq = 1", damaged),
        ("UPDATE legal_events SET event = replace(event, '2026', '2030') WHERE seq = 1", damaged),
        ("DELETE FROM legal_events WHERE seq = 1", damaged),
        ("UPDATE legal_events SET digest = x'00' WHERE seq = 4", damaged),
        ("UPDATE legal_events SET event = replace(event, '2026', '2030') WHERE seq = 2", damaged),
        ("UPDATE legal_events SET event = replace(event, 'true', 'false') WHERE seq = 2", damaged),
        (swap, damaged),
    ];
    for (sql, expected) in cases {
        let files = Files::filled(&three());
        files.tamper(sql);
        let error = files.refusal(sql);
        assert!(expected(&error), "{sql}: {error:?}");
        assert!(!error.to_string().contains("sub_test"), "{error}");
    }
}

#[test]
fn a_rolled_back_missing_or_exchanged_database_does_not_open() {
    let files = Files::filled(&three()[..2]);
    let old = std::fs::read(&files.database).expect("the database is there");
    files.import(&mut files.open().expect("intact"), &three(), &[], now()).expect("a writable ledger");
    std::fs::write(&files.database, old).expect("rolled back");
    let error = files.refusal("rolled back");
    assert!(matches!(error, LedgerError::BehindCheckpoint { found: 4, expected: 5, .. }), "{error:?}");

    std::fs::remove_file(&files.database).expect("removed");
    let error = files.refusal("missing");
    assert!(matches!(error, LedgerError::BehindCheckpoint { found: 0, expected: 5, .. }), "{error:?}");

    // Its people have no keys here, and were never erased.
    let other = Files::filled(&[consent("2026-01-01"), consent("2026-01-02"), consent("2026-01-03")]);
    std::fs::copy(&other.database, &files.database).expect("exchanged");
    assert!(matches!(files.refusal("exchanged"), LedgerError::KeyMissing { .. }));

    std::fs::write(&files.database, "no database").expect("overwritten");
    assert!(matches!(files.refusal("no database"), LedgerError::Database { .. }));
}

#[test]
fn a_damaged_or_missing_checkpoint_stops_the_ledger() {
    for text in
        ["", "3", "three 00", "3 00", "3 zz", "-1 0000000000000000000000000000000000000000000000000000000000000000"]
    {
        let files = Files::filled(&three());
        std::fs::write(&files.checkpoint, text).expect("writable");
        assert!(matches!(files.refusal(text), LedgerError::CheckpointDamaged { .. }), "{text:?}");
    }
    let files = Files::filled(&three());
    std::fs::remove_file(&files.checkpoint).expect("removed");
    assert!(matches!(files.refusal("no checkpoint"), LedgerError::CheckpointMissing { .. }));
    let files = Files::new();
    files.open().expect("a new ledger");
    assert!(files.checkpoint.exists(), "a new ledger has a checkpoint from its first moment");
}

#[test]
fn a_database_ahead_of_its_checkpoint_opens() {
    // Killed between commit and checkpoint: nothing is lost.
    let files = Files::filled(&three()[..1]);
    let old = std::fs::read(&files.checkpoint).expect("the checkpoint is there");
    files.import(&mut files.open().expect("intact"), &three(), &[], now()).expect("a writable ledger");
    std::fs::write(&files.checkpoint, old).expect("writable");
    assert_eq!(files.open().expect("ahead").view().state().count(), 3);
}

#[test]
fn first_collection_and_the_newest_import_never_move_back() {
    let files = Files::new();
    let mut ledger = files.open().expect("a new ledger");
    let (early, late) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
    for time in [early, late, early] {
        files.import(&mut ledger, &[], &[(super::subject(), time)], time).expect("a writable ledger");
    }
    for view in [ledger.into_view(), files.open().expect("intact").into_view()] {
        assert_eq!(view.first_seen(&super::subject()), Some(early));
        assert_eq!((view.last_sync(), view.newest()), (Some(early), Some(late)));
        assert_eq!(view.pinned().newest(), None);
    }
}

#[test]
fn an_import_of_nothing_new_at_the_same_time_writes_nothing() {
    let files = Files::filled(&three());
    let mut ledger = files.open().expect("intact");
    let before = ledger.note();
    files.import(&mut ledger, &three(), &[(super::subject(), at("2026-06-01T00:00:00Z"))], now()).expect("writable");
    assert_eq!(ledger.note(), before);
}

#[test]
fn who_was_added_by_another_process_meanwhile_is_no_stranger() {
    let files = Files::new();
    let mut ledger = files.open().expect("a new ledger");
    let mut vault = files.vault();
    files.import(&mut files.open().expect("intact"), &three(), &[(super::subject(), now())], now()).expect("writable");
    assert!(vault.key(&super::subject()).is_none());
    assert!(ledger.refresh(&mut vault).expect("the vault is looked at again"));
    assert_eq!(ledger.view().state().count(), 3);
    assert_eq!(ledger.view().first_seen(&super::subject()), Some(now()));
}

#[test]
fn a_ledger_can_be_read_in_a_folder_that_nobody_may_write_to() {
    let files = Files::filled(&three());
    let mode = |mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(files.folder.path(), std::fs::Permissions::from_mode(mode)).expect("chmod");
    };
    let contents = || -> std::collections::BTreeMap<_, _> {
        let files = std::fs::read_dir(files.folder.path()).expect("a folder").map(|f| f.expect("a file").path());
        // Beside a file in a folder where it may write, as root may, SQLite puts shared memory.
        let files = files.filter(|path| !["-shm", "-wal"].iter().any(|end| path.to_string_lossy().ends_with(end)));
        files.map(|path| (path.clone(), std::fs::read(path).expect("readable"))).collect()
    };
    let before = contents();
    mode(0o500);
    let vault = Vault::open_to_read(&files.folder.path().join("vault.sqlite"), files.master.clone());
    let ledger = Ledger::open_to_read(&files.database, &files.checkpoint, &vault.expect("the vault opens"));
    let count = ledger.expect("the ledger opens").view().state().count();
    mode(0o700);
    assert_eq!((count, contents()), (3, before));
}

#[test]
fn a_preview_decides_like_an_import_and_writes_nothing() {
    let files = Files::filled(&three()[..1]);
    let before = (std::fs::read(&files.database).ok(), std::fs::read(&files.checkpoint).ok());
    let mut events = three();
    events.push(events[1].clone());
    let mut preview = files.open().expect("intact");
    let other = SubjectId::from_body("other");
    preview.preview(&events, &[(other.clone(), now())], now());
    assert_eq!(preview.view().first_seen(&other), Some(now()));
    let previewed = preview.into_view().state();
    assert_eq!(before, (std::fs::read(&files.database).ok(), std::fs::read(&files.checkpoint).ok()));
    assert_eq!(files.open().expect("intact").view().state().count(), 1);
    assert_eq!(previewed, Files::filled(&three()).open().expect("intact").view().state());
}

#[test]
fn everything_legal_can_be_carried_over() {
    let old = Files::filled(&three()).open().expect("intact");
    let files = Files::new();
    let mut new = files.open().expect("a new ledger");
    files.import(&mut new, &old.all_events(), &old.all_first_seen(), now()).expect("a writable ledger");
    assert_eq!(new.view().state(), old.view().state());
    assert_eq!(new.all_events(), old.all_events());
    assert_eq!(new.all_first_seen(), old.all_first_seen());
}
