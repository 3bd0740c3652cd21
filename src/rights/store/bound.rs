//! The store of rights against what the vault remembers of it: one that was put back from a backup, or emptied, would undo
//! rectifications, and lose sealed copies.
//!
//! Invariant: the vault knows the digest of what is kept, and while a change goes on the one that it becomes; whoever looks
//! holds the file meanwhile, so a process that was killed leaves one of the two.

use std::cmp::Ordering;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{OptionalExtension, params};
use sha2::Sha256;

use super::{Store, StoreError};
use crate::keys::{RightsNote, Vault};

/// The name of the key under which the digest is made.
const KEY: &str = "rights";

/// Holds the store against the vault; `None` = the vault knows nothing of it yet.
pub(super) fn check(store: &Store, vault: &Vault) -> Result<Option<RightsNote>, StoreError> {
    let Some(note) = vault.rights_note()? else { return Ok(None) };
    let digest = digest(store, vault)?;
    if note.digest == digest || note.next.as_ref() == Some(&digest) {
        return Ok(Some(RightsNote { digest, ..note }));
    }
    let path = store.path.clone();
    Err(match changes(store)?.cmp(&note.changes) {
        Ordering::Less => StoreError::Older { path, than: "the last rectification or restriction" },
        Ordering::Equal => StoreError::Changed { path },
        Ordering::Greater => {
            StoreError::Older { path: path.with_file_name("keys").join("vault.sqlite"), than: "rights.sqlite" }
        }
    })
}

/// Has the vault remember what is there: a store of an older version, or one whose last change was cut off.
pub(super) fn settle(store: &Store, vault: &Vault) -> Result<(), StoreError> {
    let begun = check(store, vault)?;
    let ended = RightsNote {
        changes: begun.as_ref().map_or(1, |note| note.changes),
        digest: digest(store, vault)?,
        next: None,
    };
    match vault.rights_note()? {
        None => vault.note_rights(&ended)?,
        Some(begun) => vault.settle_rights(&begun, &ended)?,
    }
    Ok(())
}

/// Has the vault remember that a change has begun; the file is as it will be.
pub(super) fn begin(store: &Store, vault: &Vault, before: Option<RightsNote>) -> Result<RightsNote, StoreError> {
    let next = digest(store, vault)?;
    let before = before.unwrap_or_else(|| RightsNote { changes: 0, digest: next.clone(), next: None });
    let begun = RightsNote { changes: before.changes + 1, digest: before.digest, next: Some(next) };
    store.db(|db| {
        let sql = "INSERT OR REPLACE INTO state (name, value) VALUES ('changes', ?1)";
        db.execute(sql, params![i64::try_from(begun.changes).unwrap_or(i64::MAX)])
    })?;
    vault.note_rights(&begun)?;
    Ok(begun)
}

/// Has the vault remember that it has ended.
pub(super) fn end(vault: &Vault, begun: &RightsNote) -> Result<(), StoreError> {
    let digest = begun.next.clone().unwrap_or_else(|| begun.digest.clone());
    Ok(vault.settle_rights(begun, &RightsNote { changes: begun.changes, digest, next: None })?)
}

/// How often it was changed, as the file has it.
fn changes(store: &Store) -> Result<u64, StoreError> {
    if !store.db(|db| db.table_exists(None, "state"))? {
        return Ok(0);
    }
    let sql = "SELECT value FROM state WHERE name = 'changes'";
    let changes: Option<i64> = store.db(|db| db.query_row(sql, [], |row| row.get(0)).optional())?;
    Ok(changes.map_or(0, i64::unsigned_abs))
}

/// The digest of all rows, hex: under a key, so that nobody without the master key makes one that fits.
fn digest(store: &Store, vault: &Vault) -> Result<String, StoreError> {
    let key = vault.named(KEY)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes keys of any length");
    if store.db(|db| db.table_exists(None, "kept"))? {
        store.db(|db| {
            let mut statement = db.prepare("SELECT slot, kind, sealed FROM kept ORDER BY slot, kind")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (slot, kind, sealed): (i64, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                mac.update(&slot.to_be_bytes());
                for part in [kind.as_bytes(), &sealed] {
                    mac.update(&(part.len() as u64).to_be_bytes());
                    mac.update(part);
                }
            }
            Ok(())
        })?;
    }
    Ok(HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{MasterKey, SubjectKey};
    use crate::model::SubjectId;

    fn vault(folder: &std::path::Path) -> Vault {
        let mut vault =
            Vault::create(&folder.join("vault.sqlite"), MasterKey::random().expect("a key")).expect("a vault");
        vault.ensure([&SubjectId::from_body("a")]).expect("written");
        vault
    }

    fn keep(store: &Store, vault: &Vault, key: &SubjectKey, text: &str) {
        store.keep_restricted(vault, vec![(key, text)], |text, _| Ok(text.as_bytes().to_vec())).expect("kept");
    }

    #[test]
    fn a_change_that_was_cut_off_is_done_or_not_and_the_home_opens() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(folder.path());
        let key = vault.key(&SubjectId::from_body("a")).expect("a key").clone();
        let store = Store::open(folder.path(), &vault).expect("opens");
        keep(&store, &vault, &key, "one");
        let settled = vault.rights_note().expect("readable").expect("a note");
        assert_eq!((settled.changes, &settled.next), (2, &None));
        // Cut off before the file was changed: what the vault expects next is not there.
        let begun = RightsNote { changes: 3, next: Some("0".repeat(64)), ..settled.clone() };
        vault.note_rights(&begun).expect("written");
        assert!(Store::open_to_read(folder.path(), &vault).is_ok());
        drop(Store::open(folder.path(), &vault).expect("opens"));
        let after = vault.rights_note().expect("readable").expect("a note");
        assert_eq!(after, RightsNote { changes: 3, ..settled.clone() }, "settled");
        // Cut off behind it: the vault still tells both.
        let before = after;
        keep(&store, &vault, &key, "two");
        let ended = vault.rights_note().expect("readable").expect("a note");
        let begun = RightsNote { digest: before.digest, next: Some(ended.digest.clone()), ..ended.clone() };
        vault.note_rights(&begun).expect("written");
        drop(Store::open(folder.path(), &vault).expect("opens"));
        assert_eq!(vault.rights_note().expect("readable"), Some(ended));
        assert_eq!(store.restricted(&key).expect("readable").as_deref(), Some(&b"two"[..]));
    }

    #[test]
    fn an_older_one_a_newer_one_and_a_changed_one_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(folder.path());
        let key = vault.key(&SubjectId::from_body("a")).expect("a key").clone();
        let store = Store::open(folder.path(), &vault).expect("opens");
        keep(&store, &vault, &key, "one");
        let note = vault.rights_note().expect("readable").expect("a note");
        for (changes, says) in
            [(1, "vault.sqlite is older"), (2, "not as it was written"), (3, "rights.sqlite is older")]
        {
            let other = RightsNote { changes, digest: "0".repeat(64), next: None };
            vault.note_rights(&other).expect("written");
            let error = Store::open(folder.path(), &vault).expect_err("it is not what the vault knows").to_string();
            assert!(error.contains(says), "{changes}: {error}");
            assert!(store.release(&vault, [&key]).is_err(), "nothing is changed under it");
        }
        vault.note_rights(&note).expect("written");
        assert!(Store::open(folder.path(), &vault).is_ok());
    }

    #[test]
    fn an_erasure_is_a_change_whether_or_not_anything_was_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(folder.path());
        let key = vault.key(&SubjectId::from_body("a")).expect("a key").clone();
        let store = Store::open(folder.path(), &vault).expect("opens");
        let changes = || vault.rights_note().expect("readable").expect("a note").changes;
        let before = changes();
        assert_eq!((store.forget(&vault, &key).expect("written"), changes()), (0, before + 1));
        keep(&store, &vault, &key, "one");
        assert_eq!((store.forget(&vault, &key).expect("written"), changes()), (1, before + 3));
        assert_eq!((store.release(&vault, [&key]).expect("nothing is there"), changes()), (0, before + 3));
    }
}
