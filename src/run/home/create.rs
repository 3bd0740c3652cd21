//! How a home is made: empty, the demo's, or from an older one.
//!
//! Invariant: `home.json` is written last, so a killed `init` can be repeated; a home never begins without the legal
//! events of an older one unless its operator says that there is none.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::HomeError;
use super::{DEFAULT_MASTER_KEY, Home, HomeFile, other_controller, read_key};
use crate::audit::{AuditLog, Kind, Leaf, leaf};
use crate::consent::event::LegalEvent;
use crate::consent::gate::Clock;
use crate::consent::ledger::{Import, Ledger};
use crate::ids::{DEMO_KEY, Ids};
use crate::keys::{MasterKey, MasterSource, Vault};
use crate::model::SubjectId;
use crate::rights::store::{Store, StoreError};
use crate::run::files::{make_private, private_dir};
use crate::sink::HomeLock;

/// Stands in a home that is being made, and becomes its `home.json` at the end, by one rename: one that was finished has
/// no mark, and is never cleared, whatever it loses.
const MARK: &str = ".init";

/// What a new home takes over from an older one.
#[derive(Debug)]
struct Legal {
    vault: Vault,
    events: Vec<LegalEvent>,
    first_seen: Vec<(SubjectId, Timestamp)>,
}

/// How a new home gets its legal events.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// The controller has none yet.
    First,
    /// Taken over from an older home, with its id key.
    Import(&'a Path),
}

impl Home {
    /// Creates a home.
    ///
    /// # Errors
    /// The folder is a home already, the old home cannot be read, or the system says no.
    pub fn init(
        path: &Path,
        controller: &str,
        origin: Origin<'_>,
        master: &MasterSource,
        now: Timestamp,
    ) -> Result<Self, HomeError> {
        // Two at once would clear what the other one makes.
        let _lock = HomeLock::acquire(path)?;
        begin(path)?;
        let (key, legal, one_form) = match origin {
            Origin::First => (random_key(path)?, None, true),
            Origin::Import(old) => {
                let old_home = Self::open(old)?;
                if old_home.file.controller != controller {
                    return Err(other_controller(old, &old_home.file.controller, controller));
                }
                if old_home.file.demo {
                    return Err(HomeError::DemoMix { path: old.to_owned(), what: "a demo home" });
                }
                let (vault, ledger) = old_home.legal()?;
                // What an older file would undo, the new home would not know of.
                Store::open_to_read(old, &vault).map_err(|error| of_store(old, error))?;
                // Whom it begins to erase, the new home would take over.
                let pending = vault.pending_erasures()?.len();
                if pending > 0 {
                    return Err(HomeError::Erasing { path: old.to_owned(), pending });
                }
                // A clock that stood ahead must not put off retention and notices in the new home, too.
                let first_seen =
                    ledger.all_first_seen().into_iter().map(|(subject, at)| (subject, at.min(now))).collect();
                let legal = Legal { vault, events: ledger.all_events(), first_seen };
                copy_rights(old, path)?;
                (read_key(old)?, Some(legal), old_home.file.one_form)
            }
        };
        // What the environment says goes before, now and later: `home.json` tells where the key really is.
        let master = master.clone().or_environment();
        // People are known in the new home as they were in the old one.
        let file = HomeFile { one_form, ..HomeFile::new(controller, false, &master) };
        Self::create(path, file, key, legal, now)
    }

    /// Opens the demo's home, or creates it: only a demo pipeline may do that.
    ///
    /// # Errors
    /// A production home lies there, another controller's, or the system says no.
    pub fn open_or_create_demo(path: &Path, controller: &str, now: Timestamp) -> Result<Self, HomeError> {
        if path.join("home.json").exists() {
            return Self::open_for(path, controller, true);
        }
        begin(path)?;
        let master: MasterSource = DEFAULT_MASTER_KEY.parse().expect("the default is a source");
        Self::create(path, HomeFile::new(controller, true, &master.or_environment()), DEMO_KEY, None, now)
    }

    fn create(
        path: &Path,
        file: HomeFile,
        key: [u8; 32],
        legal: Option<Legal>,
        now: Timestamp,
    ) -> Result<Self, HomeError> {
        for folder in [path.to_owned(), path.join("keys"), path.join("policy")] {
            private_dir(&folder).map_err(|source| HomeError::Io { path: folder, source })?;
        }
        let ids = Ids::new(key).as_written(!file.one_form);
        let home = Self { path: path.to_owned(), file, ids };
        let mut vault = home.new_vault()?;
        let mut ledger = Ledger::open(&path.join("ledger.sqlite"), &path.join("checkpoint"), &vault)?;
        if !ledger.is_new() {
            return Err(HomeError::Missing { path: path.join("home.json") });
        }
        home.write("keys/id.key", &key)?;
        if let Some(legal) = legal {
            vault.take_over(&legal.vault)?;
            let (events, seen) = (&legal.events[..], &legal.first_seen[..]);
            ledger.import(&mut vault, Import { events, seen, is_sync: false }, now)?;
        }
        // From now on a missing one means that somebody took it away.
        Store::open(path, &vault).map_err(|error| of_store(path, error))?;
        let clock: Clock = std::sync::Arc::new(move || now);
        // From its first entry on the log knows by which rules of the gate it was begun.
        let genesis = Leaf { code: Some(leaf::code()), ..Leaf::new(Kind::Genesis) }
            .fact("code", env!("CARGO_PKG_VERSION"))
            .fact("controller", home.file.controller.as_str())
            .fact("demo", home.file.demo);
        let genesis = match vault.kept_out() {
            Some(digest) => genesis.fact("kept_out", digest),
            None => genesis,
        };
        AuditLog::create(&home.audit_place(), home.signer(&vault)?, &clock, genesis)?;
        super::note_parts(path, &vault, &ledger)?;
        let path = home.path.join("ledger.sqlite");
        make_private(&path).map_err(|source| HomeError::Io { path, source })?;
        // Last: a home without this file is not a home, so a killed `init` can be repeated.
        home.save_first()?;
        Ok(home)
    }

    /// The mark becomes `home.json`.
    fn save_first(&self) -> Result<(), HomeError> {
        let (mark, path) = (self.path.join(MARK), self.path.join("home.json"));
        self.write(MARK, &self.as_json())?;
        let synced = || fs::File::open(&self.path)?.sync_all();
        fs::rename(&mark, &path).and_then(|()| synced()).map_err(|source| HomeError::Io { path, source })
    }

    /// The vault of a home that is being made. Its master key may have been put there beforehand.
    fn new_vault(&self) -> Result<Vault, HomeError> {
        let source = self.master_source();
        if !source.exists(&self.path) {
            let key = MasterKey::random().map_err(|source| HomeError::Io { path: self.path.clone(), source })?;
            source.write(&self.path, &key)?;
        }
        Ok(Vault::create(&self.vault_path(), source.read(&self.path)?)?)
    }
}

/// Marks a folder as a home that is being made, and clears what a killed `init` left in it: keys and ledger of two
/// attempts would not fit each other.
fn begin(path: &Path) -> Result<(), HomeError> {
    let io = |path: PathBuf| move |source| HomeError::Io { path, source };
    if path.join("home.json").exists() {
        return Err(HomeError::Exists { path: path.to_owned() });
    }
    private_dir(path).map_err(io(path.to_owned()))?;
    let mark = path.join(MARK);
    if mark.exists() {
        for file in ["ledger.sqlite", "keys/vault.sqlite", "rights.sqlite"] {
            for part in ["", "-wal", "-shm", "-journal"] {
                remove(&path.join(format!("{file}{part}")))?;
            }
        }
        for file in ["checkpoint", "keys/id.key", "audit-checkpoint", super::parts::ANCHORS] {
            remove(&path.join(file))?;
        }
        let log = path.join("audit");
        if log.exists() {
            fs::remove_dir_all(&log).map_err(io(log))?;
        }
    } else if path.join("ledger.sqlite").exists() {
        // A new key beside the old ledger would forget every withdrawal.
        return Err(HomeError::Missing { path: path.join("home.json") });
    }
    crate::run::files::write_atomically(&mark, b"").map_err(io(mark))
}

fn of_store(home: &Path, error: StoreError) -> HomeError {
    HomeError::Io { path: home.join("rights.sqlite"), source: std::io::Error::other(error.to_string()) }
}

fn remove(file: &Path) -> Result<(), HomeError> {
    match fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(HomeError::Io { path: file.to_owned(), source: e }),
        _ => Ok(()),
    }
}

/// Rectifications and restricted copies are sealed under keys that the new home takes over, so the file serves as it is.
fn copy_rights(old: &Path, new: &Path) -> Result<(), HomeError> {
    let (from, to) = (old.join("rights.sqlite"), new.join("rights.sqlite"));
    private_dir(new).map_err(|source| HomeError::Io { path: new.to_owned(), source })?;
    fs::copy(&from, &to).and_then(|_| make_private(&to)).map_err(|source| HomeError::Io { path: from, source })
}

fn random_key(path: &Path) -> Result<[u8; 32], HomeError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|e| HomeError::Io { path: path.to_owned(), source: std::io::Error::other(e.to_string()) })?;
    Ok(key)
}
