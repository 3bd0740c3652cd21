//! The home: everything that one controller keeps, in one folder.
//!
//! Invariant: a home belongs to one controller and has its ledger from the start; a folder without one is never
//! taken for an empty home, because that would be a way around a withdrawal. Folders 0700, files 0600.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::consent::event::LegalEvent;
use crate::consent::ledger::{Ledger, LedgerError};
use crate::consent::policy::{Policy, PolicyFile};
use crate::ids::{DEMO_KEY, Ids};
use crate::model::SubjectId;
use crate::run::files::{private_dir, write_atomically};

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
}

/// An open home.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    file: HomeFile,
    ids: Ids,
}

/// What a new home takes over from an older one.
#[derive(Debug, Default)]
struct Legal {
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
    pub fn init(path: &Path, controller: &str, origin: Origin<'_>, now: Timestamp) -> Result<Self, HomeError> {
        let (key, legal) = match origin {
            Origin::First => (random_key(path)?, Legal::default()),
            Origin::Import(old) => {
                let old_home = Self::open(old)?;
                if old_home.file.controller != controller {
                    return Err(other_controller(old, &old_home.file.controller, controller));
                }
                if old_home.file.demo {
                    return Err(HomeError::DemoMix { path: old.to_owned(), what: "a demo home" });
                }
                let ledger = old_home.ledger()?;
                (read_key(old)?, Legal { events: ledger.all_events(), first_seen: ledger.all_first_seen() })
            }
        };
        let file = HomeFile { schema_version: 1, controller: controller.to_owned(), demo: false, crms: Vec::new() };
        Self::create(path, file, key, &legal, now)
    }

    /// Opens the demo's home, or creates it: only a demo pipeline may do that.
    ///
    /// # Errors
    /// A production home lies there, another controller's, or the system says no.
    pub fn open_or_create_demo(path: &Path, controller: &str, now: Timestamp) -> Result<Self, HomeError> {
        if path.join("home.json").exists() {
            return Self::open_for(path, controller, true);
        }
        let file = HomeFile { schema_version: 1, controller: controller.to_owned(), demo: true, crms: Vec::new() };
        Self::create(path, file, DEMO_KEY, &Legal::default(), now)
    }

    fn create(path: &Path, file: HomeFile, key: [u8; 32], legal: &Legal, now: Timestamp) -> Result<Self, HomeError> {
        if path.join("home.json").exists() {
            return Err(HomeError::Exists { path: path.to_owned() });
        }
        for folder in [path.to_owned(), path.join("keys"), path.join("policy")] {
            private_dir(&folder).map_err(|source| HomeError::Io { path: folder, source })?;
        }
        let home = Self { path: path.to_owned(), file, ids: Ids::new(key) };
        home.write("keys/id.key", &key)?;
        let mut ledger = Ledger::open(&home.path.join("ledger.sqlite"), &home.path.join("checkpoint"))?;
        if !legal.events.is_empty() || !legal.first_seen.is_empty() {
            ledger.import(&legal.events, &legal.first_seen, now)?;
        }
        restrict(&home.path.join("ledger.sqlite"))?;
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
        let file = serde_json::from_str(&text).map_err(|_| HomeError::Damaged { path: file_path })?;
        if !path.join("ledger.sqlite").exists() {
            return Err(HomeError::Damaged { path: path.join("ledger.sqlite") });
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

    /// Opens the ledger and holds it against its checkpoint.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn ledger(&self) -> Result<Ledger, HomeError> {
        Ok(Ledger::open(&self.path.join("ledger.sqlite"), &self.path.join("checkpoint"))?)
    }

    /// Keeps the policy that a run applied, so that readers can ask the gate under the same one.
    ///
    /// # Errors
    /// Not writable.
    pub fn keep_policy(&self, policy: &Policy) -> Result<(), HomeError> {
        let text = serde_json::to_vec_pretty(policy.file()).expect("a policy has only string keys");
        self.write(&format!("policy/{}.json", policy.hash()), &text)
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

fn restrict(path: &Path) -> Result<(), HomeError> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|source| HomeError::Io { path: path.to_owned(), source })
}
