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
    assert!(vault.destroy(&many[7]).expect("destroyed") && !vault.destroy(&many[7]).expect("once is enough"));
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
