//! The home: everything that one controller keeps, in one folder.
//!
//! Invariant: a home belongs to one controller and has its ledger from the start; a folder without one is never
//! taken for an empty home, because that would be a way around a withdrawal. Folders 0700, files 0600.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::{AuditError, AuditLog, Kind, Leaf, Place};
use crate::consent::event::LegalEvent;
use crate::consent::gate::Clock;
use crate::consent::ledger::{Import, Ledger, LedgerError};
use crate::consent::policy::{Policy, PolicyFile};
use crate::ids::{DEMO_KEY, Ids};
use crate::keys::{MasterKey, MasterSource, Vault, VaultError};
use crate::model::SubjectId;
use crate::run::files::{make_private, private_dir, write_atomically};

/// Why a home cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is none.
    #[error(
        "{path} is no initialised home: run `prosopon init --out {path} --controller NAME --first` once \
         (or with `--import-legal OLD_HOME`, if this controller had a home before)"
    )]
    NotInitialised {
        /// The folder.
        path: PathBuf,
    },
    /// There is one already.
    #[error("{path} is a home already: choose another folder, or use it as it is")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// It belongs to somebody else.
    #[error(
        "{path} belongs to the controller {owner:?}, the pipeline to {asked:?}: choose another `output.home` or `--out`"
    )]
    OtherController {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who asks.
        asked: String,
    },
    /// The demo may not write into a real home, nor a real pipeline into the demo's.
    #[error(
        "{path} is {what}: its public id key fits invented people only, so demo and production need homes of their own"
    )]
    DemoMix {
        /// The folder.
        path: PathBuf,
        /// `a demo home` or `a production home`.
        what: &'static str,
    },
    /// Others can read the keys.
    #[error("{path} is open to other users (mode {mode:o}): run `chmod -R go-rwx {path}`")]
    TooOpen {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file of the home is damaged.
    #[error("{path} is damaged: restore the home from its newest backup")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system said no.
    #[error("{path}: cannot be read or written: check free space and permissions")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// `home.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HomeFile {
    schema_version: u32,
    controller: String,
    demo: bool,
    /// Name of the CRM by pipeline, so that readers can turn a CRM record id into a subject id.
    #[serde(default)]
    crms: Vec<String>,
    /// Where the master key is: `file:PATH`, `env:NAME` or `keyring:NAME`.
    master_key: String,
    /// Whether tables of any pipeline are, or were, encrypted.
    #[serde(default)]
    encrypted_tables: bool,
}

impl HomeFile {
    fn new(controller: &str, demo: bool, master: &MasterSource) -> Self {
        let controller = controller.to_owned();
        Self {
            schema_version: 1,
            controller,
            demo,
            crms: Vec::new(),
            master_key: master.to_string(),
            encrypted_tables: false,
        }
    }
}

/// An open home.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    file: HomeFile,
    ids: Ids,
}

/// What a new home takes over from an older one.
#[derive(Debug)]
struct Legal {
    vault: Vault,
    events: Vec<LegalEvent>,
    first_seen: Vec<(SubjectId, Timestamp)>,
}

/// The name of the tables' key in the vault.
const TABLE_KEY: &str = "tables";

/// Where a home keeps its master key unless told otherwise.
pub const DEFAULT_MASTER_KEY: &str = "file:keys/master.key";

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
        let (key, legal) = match origin {
            Origin::First => (random_key(path)?, None),
            Origin::Import(old) => {
                let old_home = Self::open(old)?;
                if old_home.file.controller != controller {
                    return Err(other_controller(old, &old_home.file.controller, controller));
                }
                if old_home.file.demo {
                    return Err(HomeError::DemoMix { path: old.to_owned(), what: "a demo home" });
                }
                let (vault, ledger) = old_home.legal()?;
                let legal = Legal { vault, events: ledger.all_events(), first_seen: ledger.all_first_seen() };
                copy_rights(old, path)?;
                (read_key(old)?, Some(legal))
            }
        };
        let file = HomeFile::new(controller, false, master);
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
        let master = DEFAULT_MASTER_KEY.parse().expect("the default is a source");
        Self::create(path, HomeFile::new(controller, true, &master), DEMO_KEY, None, now)
    }

    fn create(
        path: &Path,
        file: HomeFile,
        key: [u8; 32],
        legal: Option<Legal>,
        now: Timestamp,
    ) -> Result<Self, HomeError> {
        if path.join("home.json").exists() {
            return Err(HomeError::Exists { path: path.to_owned() });
        }
        for folder in [path.to_owned(), path.join("keys"), path.join("policy")] {
            private_dir(&folder).map_err(|source| HomeError::Io { path: folder, source })?;
        }
        let home = Self { path: path.to_owned(), file, ids: Ids::new(key) };
        let mut vault = home.new_vault()?;
        let mut ledger = home.open_ledger(&vault)?;
        if !ledger.is_new() {
            // A home that lost its `home.json`: a new key beside the old ledger would forget every withdrawal.
            return Err(HomeError::Damaged { path: path.join("home.json") });
        }
        home.write("keys/id.key", &key)?;
        if let Some(legal) = legal {
            vault.take_over(&legal.vault)?;
            let (events, seen) = (&legal.events[..], &legal.first_seen[..]);
            ledger.import(&mut vault, Import { events, seen, is_sync: false }, now)?;
        }
        // From now on a missing one means that somebody took it away.
        crate::rights::store::Store::open(path).map_err(|e| HomeError::Io {
            path: path.join("rights.sqlite"),
            source: std::io::Error::other(e.to_string()),
        })?;
        let clock: Clock = std::sync::Arc::new(move || now);
        let genesis = Leaf::new(Kind::Genesis)
            .fact("code", env!("CARGO_PKG_VERSION"))
            .fact("controller", home.file.controller.as_str())
            .fact("demo", home.file.demo);
        AuditLog::create(&home.audit_place(), home.signer(&vault)?, &clock, genesis)?;
        let path = home.path.join("ledger.sqlite");
        make_private(&path).map_err(|source| HomeError::Io { path, source })?;
        // Last: a home without this file is not a home, so a killed `init` can be repeated.
        home.save()?;
        Ok(home)
    }

    /// Opens a home for reading.
    ///
    /// # Errors
    /// None there, damaged, open to others, or unreadable.
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        let file_path = path.join("home.json");
        let text = match fs::read_to_string(&file_path) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(HomeError::NotInitialised { path: path.to_owned() });
            }
            Err(source) => return Err(HomeError::Io { path: file_path, source }),
        };
        let file: HomeFile = serde_json::from_str(&text).map_err(|_| HomeError::Damaged { path: file_path.clone() })?;
        if file.master_key.parse::<MasterSource>().is_err() {
            return Err(HomeError::Damaged { path: file_path });
        }
        // Without either of the two, an emptied ledger could pass for a new one.
        for part in [
            "ledger.sqlite",
            "checkpoint",
            "keys/vault.sqlite",
            "audit/checkpoint",
            "audit-checkpoint",
            "rights.sqlite",
        ] {
            if !path.join(part).exists() {
                return Err(HomeError::Damaged { path: path.join(part) });
            }
        }
        Ok(Self { path: path.to_owned(), file, ids: Ids::new(read_key(path)?) })
    }

    /// Opens a home for a pipeline.
    ///
    /// # Errors
    /// As [`Self::open`], or the home belongs to another controller or kind.
    pub fn open_for(path: &Path, controller: &str, demo: bool) -> Result<Self, HomeError> {
        let home = Self::open(path)?;
        if home.file.controller != controller {
            return Err(other_controller(path, &home.file.controller, controller));
        }
        if home.file.demo != demo {
            let what = if home.file.demo { "a demo home" } else { "a production home" };
            return Err(HomeError::DemoMix { path: path.to_owned(), what });
        }
        Ok(home)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The controller.
    #[must_use]
    pub fn controller(&self) -> &str {
        &self.file.controller
    }

    /// Whether it holds invented people only.
    #[must_use]
    pub const fn is_demo(&self) -> bool {
        self.file.demo
    }

    /// Makes the home's ids.
    #[must_use]
    pub const fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Names of the CRMs that have been read into the home.
    #[must_use]
    pub fn crms(&self) -> &[String] {
        &self.file.crms
    }

    /// Remembers the name of a CRM.
    ///
    /// # Errors
    /// Not writable.
    pub fn remember_crm(&mut self, name: &str) -> Result<(), HomeError> {
        if self.file.crms.iter().any(|known| known == name) {
            return Ok(());
        }
        self.file.crms.push(name.to_owned());
        self.save()
    }

    /// Opens the vault and the ledger, and holds the ledger against its checkpoint.
    ///
    /// # Errors
    /// See [`VaultError`] and [`LedgerError`].
    pub fn legal(&self) -> Result<(Vault, Ledger), HomeError> {
        let vault = Vault::open(&self.vault_path(), self.master()?)?;
        let ledger = self.open_ledger(&vault)?;
        if self.file.encrypted_tables {
            crate::sink::hold_key(&self.path, &*vault.named(TABLE_KEY)?);
        }
        Ok((vault, ledger))
    }

    /// Tables are encrypted from now on: their key is made and held.
    ///
    /// # Errors
    /// Not writable.
    pub fn encrypt_tables(&mut self, vault: &Vault) -> Result<(), HomeError> {
        crate::sink::hold_key(&self.path, &*vault.named(TABLE_KEY)?);
        if !self.file.encrypted_tables {
            self.file.encrypted_tables = true;
            self.save()?;
        }
        Ok(())
    }

    /// The key of encrypted tables; `None` = none ever were.
    ///
    /// # Errors
    /// The vault cannot be read.
    pub fn table_key(&self, vault: &Vault) -> Result<Option<zeroize::Zeroizing<[u8; 32]>>, HomeError> {
        if self.file.encrypted_tables { Ok(Some(vault.named(TABLE_KEY)?)) } else { Ok(None) }
    }

    fn open_ledger(&self, vault: &Vault) -> Result<Ledger, HomeError> {
        Ok(Ledger::open(&self.path.join("ledger.sqlite"), &self.path.join("checkpoint"), vault)?)
    }

    /// Opens the audit log for writing and holds it against its last known checkpoint.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn audit(&self, vault: &Vault, wall: &Clock) -> Result<AuditLog, HomeError> {
        Ok(AuditLog::open(&self.audit_place(), self.signer(vault)?, wall)?)
    }

    /// Where the audit log is.
    #[must_use]
    pub fn audit_place(&self) -> Place {
        Place::of(&self.path, format!("prosopon/{}", &self.ids.request(&["audit log"])[..16]))
    }

    /// The key that signs the log's checkpoints.
    ///
    /// # Errors
    /// The vault cannot be read or written.
    pub fn signer(&self, vault: &Vault) -> Result<prosopon_tlog::Signer, HomeError> {
        let seed = vault.named("audit log")?;
        let origin = self.audit_place().origin;
        Ok(prosopon_tlog::Signer::from_seed(&origin, &seed).expect("the origin is a valid name of a key"))
    }

    /// The vault of a home that is being made: it may be there from an `init` that was killed.
    fn new_vault(&self) -> Result<Vault, HomeError> {
        let source = self.master_source().or_environment();
        if !source.exists(&self.path) {
            let key = MasterKey::random().map_err(|source| HomeError::Io { path: self.path.clone(), source })?;
            source.write(&self.path, &key)?;
        }
        Ok(Vault::create(&self.vault_path(), source.read(&self.path)?)?)
    }

    fn vault_path(&self) -> PathBuf {
        self.path.join("keys/vault.sqlite")
    }

    /// Where `home.json` says that the master key is.
    #[must_use]
    pub fn master_source(&self) -> MasterSource {
        // Checked when the home was opened.
        self.file.master_key.parse().unwrap_or_else(|_| MasterSource::File(PathBuf::from("keys/master.key")))
    }

    /// The master key, from where the environment or `home.json` says.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn master(&self) -> Result<MasterKey, HomeError> {
        Ok(self.master_source().or_environment().read(&self.path)?)
    }

    /// Remembers where the master key is from now on.
    ///
    /// # Errors
    /// Not writable.
    pub fn set_master_source(&mut self, source: &MasterSource) -> Result<(), HomeError> {
        self.file.master_key = source.to_string();
        self.save()
    }

    /// Keeps the policy that a run applied, so that readers can ask the gate under the same one.
    ///
    /// # Errors
    /// Not writable.
    pub fn keep_policy(&self, policy: &Policy) -> Result<(), HomeError> {
        let text = serde_json::to_vec_pretty(policy.file()).expect("a policy has only string keys");
        self.write(&format!("policy/{}.json", policy.hash()), &text)
    }

    /// Whether a policy was ever applied.
    #[must_use]
    pub fn has_policy(&self, hash: &str) -> bool {
        self.path.join(format!("policy/{hash}.json")).exists()
    }

    /// A policy that a run applied.
    ///
    /// # Errors
    /// Not there, damaged, or unreadable.
    pub fn policy(&self, hash: &str) -> Result<Policy, HomeError> {
        let path = self.path.join(format!("policy/{hash}.json"));
        let text = fs::read_to_string(&path).map_err(|source| HomeError::Io { path: path.clone(), source })?;
        let file: PolicyFile = serde_json::from_str(&text).map_err(|_| HomeError::Damaged { path: path.clone() })?;
        let policy = Policy::new(file);
        if policy.hash() == hash { Ok(policy) } else { Err(HomeError::Damaged { path }) }
    }

    fn save(&self) -> Result<(), HomeError> {
        let text = serde_json::to_vec_pretty(&self.file).expect("plain data");
        self.write("home.json", &text)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), HomeError> {
        let path = self.path.join(name);
        write_atomically(&path, content).map_err(|source| HomeError::Io { path, source })
    }
}

/// Rectifications and restricted copies are sealed under keys that the new home takes over, so the file serves as it is.
fn copy_rights(old: &Path, new: &Path) -> Result<(), HomeError> {
    let (from, to) = (old.join("rights.sqlite"), new.join("rights.sqlite"));
    private_dir(new).map_err(|source| HomeError::Io { path: new.to_owned(), source })?;
    fs::copy(&from, &to).and_then(|_| make_private(&to)).map_err(|source| HomeError::Io { path: from, source })
}

fn other_controller(path: &Path, owner: &str, asked: &str) -> HomeError {
    HomeError::OtherController { path: path.to_owned(), owner: owner.to_owned(), asked: asked.to_owned() }
}

fn random_key(path: &Path) -> Result<[u8; 32], HomeError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|e| HomeError::Io { path: path.to_owned(), source: std::io::Error::other(e.to_string()) })?;
    Ok(key)
}

fn read_key(home: &Path) -> Result<[u8; 32], HomeError> {
    let path = home.join("keys/id.key");
    let io = |source| HomeError::Io { path: path.clone(), source };
    let mode = fs::metadata(&path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(HomeError::TooOpen { path, mode });
    }
    let bytes = fs::read(&path).map_err(io)?;
    bytes.try_into().map_err(|_| HomeError::Damaged { path })
}
