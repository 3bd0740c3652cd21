//! Keys survive and vanish as they should, and a vault that is not what it should be is told.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn subject(name: &str) -> SubjectId {
    SubjectId::from_body(name)
}

#[test]
fn keys_survive_reopening_and_rotation_and_nothing_else_opens_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.sqlite");
    let (old, new) = (MasterKey::random().expect("a key"), MasterKey::random().expect("a key"));
    let mut vault = Vault::create(&path, old.clone()).expect("a new vault");
    vault.ensure([&subject("a"), &subject("b"), &subject("a")]).expect("written");
    let (tag, log) = (vault.key(&subject("a")).expect("a key").ledger_tag(), vault.named("log").expect("a key"));
    drop(vault);
    let mut vault = Vault::open(&path, old.clone()).expect("opens");
    assert_eq!(vault.key(&subject("a")).expect("a key").ledger_tag(), tag);
    vault.rotate(new.clone()).expect("rotated");
    drop(vault);
    let Err(error) = Vault::open(&path, old) else { panic!("the old key must not open the vault") };
    assert!(matches!(error, VaultError::WrongMaster { .. }), "{error}");
    let vault = Vault::open(&path, new).expect("opens under the new key");
    assert_eq!(vault.key(&subject("a")).expect("a key").ledger_tag(), tag);
    assert_eq!(*vault.named("log").expect("a key"), *log);
}

#[test]
fn a_destroyed_key_is_in_no_byte_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.sqlite");
    let master = MasterKey::random().expect("a key");
    let mut vault = Vault::create(&path, master.clone()).expect("a new vault");
    let many: Vec<SubjectId> = (0..200).map(|n| subject(&n.to_string())).collect();
    vault.ensure(&many).expect("written");
    let place = master.place(many[7].as_str());
    let holds = |what: &[u8]| {
        std::fs::read_dir(folder.path()).expect("a folder").any(|file| {
            let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
            bytes.windows(what.len()).any(|w| w == what)
        })
    };
    assert!(holds(&place));
    vault.destroy(&many[7]).expect("destroyed");
    assert!(matches!(vault.destroy(&many[7]), Err(VaultError::Gone { .. })), "once is enough");
    assert!(!holds(&place) && vault.key(&many[7]).is_none());
    drop(vault);
    assert_eq!(Vault::open(&path, master).expect("opens").subjects().count(), 199);
}

#[test]
fn a_missing_open_or_damaged_vault_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.sqlite");
    let master = MasterKey::random().expect("a key");
    assert!(matches!(Vault::open(&path, master.clone()), Err(VaultError::Missing { .. })));
    let mut vault = Vault::create(&path, master.clone()).expect("a new vault");
    vault.ensure([&subject("a")]).expect("written");
    vault.db(|db| db.execute("UPDATE subjects SET key = zeroblob(length(key))", [])).expect("changed");
    drop(vault);
    assert!(matches!(Vault::open(&path, master.clone()), Err(VaultError::Damaged { .. })));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    assert!(matches!(Vault::open(&path, master), Err(VaultError::TooOpen { mode: 0o644, .. })));
}

#[test]
fn nothing_is_written_under_a_master_key_that_was_rotated_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.sqlite");
    let (old, new) = (MasterKey::random().expect("a key"), MasterKey::random().expect("a key"));
    let mut stale = Vault::create(&path, old.clone()).expect("a new vault");
    stale.ensure([&subject("a")]).expect("written");
    let mut other = Vault::open(&path, old).expect("opens");
    stale.ensure([&subject("b")]).expect("written");
    other.rotate(new.clone()).expect("rotated");
    assert!(other.key(&subject("b")).is_some(), "who came in since is wrapped, too");
    let seen = [(subject("a"), vec![[7; 16]])];
    for refused in [
        stale.destroy(&subject("a")),
        stale.ensure([&subject("c")]),
        stale.identify(&seen),
        stale.begin_erasure(&subject("a"), "e1"),
        stale.set_named("log", &[1; 32]),
        stale.reload(),
    ] {
        assert!(matches!(refused, Err(VaultError::WrongMaster { .. })), "{refused:?}");
    }
    let vault = Vault::open(&path, new).expect("opens");
    assert_eq!((vault.subjects().count(), vault.erased().expect("readable").0), (2, 0));
}

#[test]
fn erasures_end_with_the_key_and_none_begins_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.sqlite");
    let master = MasterKey::random().expect("a key");
    let mut vault = Vault::create(&path, master.clone()).expect("a new vault");
    vault.ensure([&subject("a"), &subject("b")]).expect("written");
    let stale = Vault::open(&path, master).expect("opens");
    let ids: Vec<String> = (0..3).map(|n| format!("{n}").repeat(32)).collect();
    for (id, who) in ids.iter().zip(["a", "a", "b"]) {
        vault.begin_erasure(&subject(who), id).expect("begun");
    }
    assert_eq!(vault.being_erased().expect("readable"), [subject("a"), subject("b")]);
    vault.destroy(&subject("a")).expect("destroyed");
    assert!(matches!(stale.begin_erasure(&subject("a"), "e1"), Err(VaultError::Gone { .. })));
    assert_eq!(vault.pending_erasures().expect("readable"), ids[2..]);
    assert_eq!(vault.being_erased().expect("readable"), [subject("b")]);
    // Nothing is left that could pair them.
    let bytes = std::fs::read(&path).expect("readable");
    assert!(!ids[..2].iter().any(|id| bytes.windows(32).any(|w| w == id.as_bytes())));
}

#[test]
fn the_list_of_those_who_are_kept_out_is_bound_in_any_order_and_its_history_cannot_be_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.sqlite");
    let master = MasterKey::random().expect("a key");
    let mut vault = Vault::create(&path, master.clone()).expect("a new vault");
    assert_eq!(vault.kept_out(), None, "nothing is kept out");
    vault.suppress(&[[2; 16], [1; 16]]).expect("written");
    let first = vault.kept_out().expect("a digest").to_owned();
    assert_eq!(Vault::open(&path, master.clone()).expect("opens").kept_out(), Some(&*first));
    vault.suppress(&[[1; 16]]).expect("written");
    assert_eq!(vault.kept_out(), Some(&*first), "nobody was added");
    vault.suppress(&[[3; 16]]).expect("written");
    let second = vault.kept_out().expect("a digest").to_owned();
    vault.db(|db| db.execute("DELETE FROM suppressed WHERE identifier = ?1", params![[3_u8; 16]])).expect("changed");
    vault.reload().expect("readable");
    // Without its salt the digest of before is no sign of who was added.
    assert!(vault.kept_out() != Some(&*first) && vault.kept_out() != Some(&*second));
    vault.db(|db| db.execute("INSERT INTO suppressed VALUES (?1)", params![[4_u8; 16]])).expect("changed");
    vault.reload().expect("readable");
    assert_ne!(vault.kept_out(), Some(&*second), "one was exchanged for another");
    // Both or neither: list and salt are one transaction with what surrounds them.
    let before = vault.kept_out().map(str::to_owned);
    let failed = vault.together(|vault| {
        vault.suppress(&[[5; 16]])?;
        Err::<(), VaultError>(VaultError::Gone { path: path.clone() })
    });
    assert!(failed.is_err() && vault.kept_out().map(str::to_owned) == before);
}
