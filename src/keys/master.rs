//! The master key: 32 bytes that wrap all other keys of a home, and where they come from.
//!
//! Invariant: configuration names the place of the key, never the key; a key file that others can read is refused.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::VaultError;
use super::sealing::{self, Sealed};

/// Overrides the home's source: a file with the key.
const FILE_VARIABLE: &str = "PROSOPON_MASTER_KEY_FILE";
/// Overrides the home's source: the key itself, in hex or base64.
const KEY_VARIABLE: &str = "PROSOPON_MASTER_KEY";

/// Where a master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterSource {
    /// A file of 0600, relative to the home: 32 raw bytes, or the same in hex or base64.
    File(PathBuf),
    /// A variable of the environment, in hex or base64.
    Env(String),
    /// The user's keyring of the Linux kernel, under this description.
    Keyring(String),
}

impl FromStr for MasterSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = "write file:PATH, env:NAME or keyring:NAME";
        match text.split_once(':') {
            Some((_, "")) | None => Err(known.to_owned()),
            Some(("file", path)) => Ok(Self::File(PathBuf::from(path))),
            Some(("env", name)) => Ok(Self::Env(name.to_owned())),
            Some(("keyring", name)) => Ok(Self::Keyring(name.to_owned())),
            Some(_) => Err(known.to_owned()),
        }
    }
}

impl fmt::Display for MasterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Keyring(name) => write!(f, "keyring:{name}"),
        }
    }
}

impl MasterSource {
    /// The source that the environment names, else this one.
    #[must_use]
    pub fn or_environment(self) -> Self {
        if let Some(path) = std::env::var_os(FILE_VARIABLE) {
            return Self::File(PathBuf::from(path));
        }
        if std::env::var_os(KEY_VARIABLE).is_some() {
            return Self::Env(KEY_VARIABLE.to_owned());
        }
        self
    }

    /// Reads the key.
    ///
    /// # Errors
    /// It is not there, others can read it, or it is no key.
    pub fn read(&self, home: &Path) -> Result<MasterKey, VaultError> {
        let missing = |why: String| VaultError::MasterMissing { source_name: self.to_string(), why };
        let bytes = match self {
            Self::File(path) => read_file(&home.join(path))?,
            Self::Env(name) => {
                Zeroizing::new(std::env::var(name).map_err(|_| missing("the variable is not set".into()))?.into_bytes())
            }
            Self::Keyring(name) => keyring::read(name).map_err(missing)?,
        };
        MasterKey::parse(&bytes).ok_or_else(|| VaultError::MasterMalformed { source_name: self.to_string() })
    }

    /// Puts a new key there. An environment variable cannot be written: the caller has set it.
    ///
    /// # Errors
    /// Not writable.
    pub fn write(&self, home: &Path, key: &MasterKey) -> Result<(), VaultError> {
        match self {
            Self::File(path) => {
                let path = home.join(path);
                let io = |source| VaultError::Io { path: path.clone(), source };
                crate::run::files::private_dir(crate::run::files::folder_of(&path)).map_err(io)?;
                let text = Zeroizing::new(format!("{}\n", HEXLOWER_PERMISSIVE.encode(key.0.as_slice())));
                crate::run::files::write_atomically(&path, text.as_bytes()).map_err(io)
            }
            Self::Env(_) => Ok(()),
            Self::Keyring(name) => keyring::write(name, &key.0)
                .map_err(|why| VaultError::MasterMissing { source_name: self.to_string(), why }),
        }
    }

    /// Whether a key is there already.
    #[must_use]
    pub fn exists(&self, home: &Path) -> bool {
        match self {
            Self::File(path) => home.join(path).exists(),
            Self::Env(name) => std::env::var_os(name).is_some(),
            Self::Keyring(name) => keyring::read(name).is_ok(),
        }
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => VaultError::MasterMissing {
            source_name: format!("file:{}", path.display()),
            why: "the file is not there".to_owned(),
        },
        _ => VaultError::Io { path: path.to_owned(), source },
    };
    let mode = std::fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(VaultError::TooOpen { path: path.to_owned(), mode });
    }
    Ok(Zeroizing::new(std::fs::read(path).map_err(io)?))
}

/// 32 bytes that wrap every other key of a home.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([secret])")
    }
}

impl MasterKey {
    /// A new random key.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn random() -> std::io::Result<Self> {
        super::random().map(|key| Self(Zeroizing::new(key)))
    }

    /// Reads 32 raw bytes, 64 hex digits, or base64 of 32 bytes.
    fn parse(bytes: &[u8]) -> Option<Self> {
        if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
            return Some(Self(Zeroizing::new(raw)));
        }
        let text = bytes.trim_ascii();
        let decoded = HEXLOWER_PERMISSIVE.decode(text).or_else(|_| BASE64.decode(text));
        Zeroizing::new(decoded.ok()?).as_slice().try_into().ok().map(|key| Self(Zeroizing::new(key)))
    }

    /// Names the key without revealing it: tells which key wraps a vault.
    #[must_use]
    pub fn id(&self) -> String {
        HEXLOWER_PERMISSIVE.encode(&sealing::mac(&self.0, &[b"id"])[..8])
    }

    /// Wraps a key.
    pub(super) fn wrap(&self, label: &[u8], key: &[u8; 32]) -> std::io::Result<Sealed> {
        sealing::seal(&self.0, label, key)
    }

    /// Unwraps a key; `None` = another master key, or damaged.
    pub(super) fn unwrap(&self, label: &[u8], sealed: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let plain = sealing::open(&self.0, label, sealed)?;
        plain.as_slice().try_into().ok().map(Zeroizing::new)
    }

    /// A key derived for one use, for instance the encryption of tables.
    #[must_use]
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(sealing::mac(&self.0, &[b"derive", label.as_bytes()]))
    }

    /// The place of a subject in the vault: says nothing without this key.
    pub(super) fn place(&self, subject: &str) -> [u8; 16] {
        *sealing::mac(&self.0, &[b"place", subject.as_bytes()]).first_chunk().expect("an HMAC has 32 bytes")
    }
}

/// The keyring of the Linux kernel: lives as long as the user's sessions (or, persistent, some days).
mod keyring {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};
    use zeroize::Zeroizing;

    const RING: KeyRingIdentifier = KeyRingIdentifier::User;

    pub(super) fn read(name: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        let ring = KeyRing::from_special_id(RING, false).map_err(|e| e.to_string())?;
        let key = ring.search(name).map_err(|e| format!("not in the user's keyring ({e})"))?;
        let mut buffer = Zeroizing::new(vec![0u8; 4096]);
        let length = key.read(&mut buffer.as_mut_slice()).map_err(|e| e.to_string())?;
        buffer.truncate(length);
        Ok(buffer)
    }

    pub(super) fn write(name: &str, key: &[u8; 32]) -> Result<(), String> {
        let ring = KeyRing::from_special_id(RING, true).map_err(|e| e.to_string())?;
        ring.add_key(name, key.as_slice()).map(drop).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_raw_in_hex_and_in_base64_and_from_private_files_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = MasterKey(Zeroizing::new([0xab; 32]));
        for text in [vec![0xab; 32], "ab".repeat(32).into_bytes(), format!("{}\n", BASE64.encode(&[0xab; 32])).into()] {
            assert_eq!(MasterKey::parse(&text).expect("a key").id(), key.id());
        }
        for text in ["", "ab", "not a key at all, but as long as one"] {
            assert!(MasterKey::parse(text.as_bytes()).is_none(), "{text}");
        }
        let source: MasterSource = "file:master.key".parse().expect("a source");
        assert!(matches!(source.read(folder.path()), Err(VaultError::MasterMissing { .. })));
        source.write(folder.path(), &key).expect("written");
        assert_eq!(source.read(folder.path()).expect("read").id(), key.id());
        let path = folder.path().join("master.key");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("chmod");
        assert!(matches!(source.read(folder.path()), Err(VaultError::TooOpen { mode: 0o640, .. })));
        assert!("vault:x".parse::<MasterSource>().is_err() && "file:".parse::<MasterSource>().is_err());
        assert_eq!(format!("{key:?}"), "MasterKey([secret])");
    }

    #[test]
    fn the_kernel_keyring_keeps_a_key() {
        let (name, key) = (format!("prosopon-test-{}", std::process::id()), MasterKey(Zeroizing::new([7; 32])));
        let source = MasterSource::Keyring(name);
        match source.write(Path::new("/"), &key) {
            Ok(()) => assert_eq!(source.read(Path::new("/")).expect("read").id(), key.id()),
            // A sandbox may forbid the system call; then the error must say so and name the source.
            Err(error) => assert!(error.to_string().contains("keyring:prosopon-test"), "{error}"),
        }
        let missing = MasterSource::Keyring("prosopon-test-that-is-not-there".into());
        assert!(matches!(missing.read(Path::new("/")), Err(VaultError::MasterMissing { .. })));
    }
}
