//! The home: everything that one controller keeps, in one folder.
//!
//! Invariant: a home belongs to one controller and has its ledger from the start; a folder without one is never
//! taken for an empty home, because that would be a way around a withdrawal. Folders 0700, files 0600.

mod create;
mod error;
mod parts;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::audit::{AuditLog, Place};
use crate::consent::gate::Clock;
use crate::consent::ledger::{Ledger, LedgerError};
use crate::consent::policy::{Policy, PolicyFile};
use crate::ids::Ids;
use crate::keys::{MasterKey, MasterSource, Vault};
use crate::run::files::write_atomically;
use parts::Expected;

pub use create::Origin;
pub use error::HomeError;
pub(crate) use parts::note_parts;

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
    /// Whether both forms of a Salesforce id are one record; homes of before know them apart.
    #[serde(default)]
    one_form: bool,
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
            one_form: true,
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

type OpenLedger = fn(&Path, &Path, &Vault) -> Result<Ledger, LedgerError>;

/// The name of the tables' key in the vault.
const TABLE_KEY: &str = "tables";

/// Where a home keeps its master key unless told otherwise.
pub const DEFAULT_MASTER_KEY: &str = "file:keys/master.key";

impl Home {
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
            "audit/payloads.sqlite",
            "audit-checkpoint",
            "rights.sqlite",
            parts::ANCHORS,
        ] {
            if !path.join(part).exists() {
                return Err(HomeError::Missing { path: path.join(part) });
            }
        }
        let ids = Ids::new(read_key(path)?).as_written(!file.one_form);
        Ok(Self { path: path.to_owned(), file, ids })
    }

    /// Whether a home knows both forms of a Salesforce id apart; one that is still to be made does not.
    #[must_use]
    pub fn knows_ids_as_written(path: &Path) -> bool {
        let file = fs::read_to_string(path.join("home.json")).ok();
        file.and_then(|text| serde_json::from_str(&text).ok()).is_some_and(|file: HomeFile| !file.one_form)
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
    /// See [`HomeError`].
    pub fn legal(&self) -> Result<(Vault, Ledger), HomeError> {
        let expected = Expected::read(self)?;
        self.legal_by(&expected, Vault::open(&self.vault_path(), self.master()?)?, Ledger::open)
    }

    /// As [`Self::legal`], but nothing is written.
    ///
    /// # Errors
    /// As [`Self::legal`].
    pub fn legal_to_read(&self) -> Result<(Vault, Ledger), HomeError> {
        let expected = Expected::read(self)?;
        self.legal_by(&expected, Vault::open_to_read(&self.vault_path(), self.master()?)?, Ledger::open_to_read)
    }

    /// As [`Self::legal`], but keys and entries are read when somebody asks for them: memory does not grow with the people.
    ///
    /// # Errors
    /// As [`Self::legal`].
    pub fn legal_sparse(&self) -> Result<(Vault, Ledger), HomeError> {
        let expected = Expected::read(self)?;
        self.legal_by(&expected, Vault::open_sparse(&self.vault_path(), self.master()?)?, Ledger::open_sparse)
    }

    fn legal_by(&self, expected: &Expected, mut vault: Vault, open: OpenLedger) -> Result<(Vault, Ledger), HomeError> {
        let (ledger, checkpoint) = (self.path.join("ledger.sqlite"), self.path.join("checkpoint"));
        let opened = match open(&ledger, &checkpoint, &vault) {
            // Another process may have written about somebody new since the vault was read.
            Err(LedgerError::KeyMissing { .. }) => {
                vault.reload()?;
                open(&ledger, &checkpoint, &vault)
            }
            opened => opened,
        };
        if self.file.encrypted_tables {
            crate::sink::hold_key(&self.path, &*vault.named(TABLE_KEY)?);
        }
        let ledger = opened?;
        expected.check(self, &vault, &ledger)?;
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

    /// Opens the audit log for writing and holds it against its last known checkpoint.
    ///
    /// # Errors
    /// See [`HomeError`].
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
    /// See [`HomeError`].
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
        let text = fs::read_to_string(&path).map_err(|source| HomeError::reading(&path, source))?;
        let file: PolicyFile = serde_json::from_str(&text).map_err(|_| HomeError::Damaged { path: path.clone() })?;
        let policy = Policy::new(file);
        if policy.hash() == hash { Ok(policy) } else { Err(HomeError::Damaged { path }) }
    }

    fn save(&self) -> Result<(), HomeError> {
        self.write("home.json", &self.as_json())
    }

    fn as_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(&self.file).expect("plain data")
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), HomeError> {
        let path = self.path.join(name);
        write_atomically(&path, content).map_err(|source| HomeError::Io { path, source })
    }
}

fn other_controller(path: &Path, owner: &str, asked: &str) -> HomeError {
    HomeError::OtherController { path: path.to_owned(), owner: owner.to_owned(), asked: asked.to_owned() }
}

fn read_key(home: &Path) -> Result<[u8; 32], HomeError> {
    let path = home.join("keys/id.key");
    let io = |source| HomeError::reading(&path, source);
    let mode = fs::metadata(&path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(HomeError::TooOpen { path, mode });
    }
    let bytes = fs::read(&path).map_err(io)?;
    bytes.try_into().map_err(|_| HomeError::Damaged { path })
}
