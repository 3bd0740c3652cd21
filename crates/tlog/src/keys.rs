//! Keys: the log's signer, a witness, and the verifier keys that name them.
//!
//! Invariant: secrets come from the caller as 32 bytes of seed, are wiped when dropped and never printed.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// What a key may sign; the byte is the signature type of C2SP signed-note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Plain Ed25519 over the note text (0x01): a log.
    Log = 0x01,
    /// Timestamped Ed25519, `cosignature/v1` (0x04): a witness.
    Witness = 0x04,
}

/// Why a key is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Key names are not empty and have no spaces, pluses or control characters.
    #[error("the name of a key must not be empty nor have spaces, `+` or control characters")]
    Name,
    /// Not of the form `name+hash+base64`.
    #[error("not a verifier key of the form name+hash+base64")]
    Format,
    /// The signature type is neither Ed25519 nor `cosignature/v1`.
    #[error("signature type {0:#04x} is not known")]
    Kind(u8),
    /// The hash in the middle is not the one of this name and key.
    #[error("the hash of the key does not fit its name and key")]
    Id,
}

/// A verifier key: name, kind, public key. Parses from and prints as `name+hash+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct Vkey {
    name: String,
    kind: KeyKind,
    id: [u8; 4],
    key: VerifyingKey,
}

impl Vkey {
    fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Self {
        let digest =
            Sha256::new().chain_update(name).chain_update([b'\n', kind as u8]).chain_update(key.as_bytes()).finalize();
        Self { name: name.to_owned(), kind, id: [digest[0], digest[1], digest[2], digest[3]], key }
    }

    /// The name on the key's signature lines.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key may sign.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The four bytes that open the key's signatures.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether `signature` (64 bytes) over `message` is this key's.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind as u8];
        bytes.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id), BASE64.encode(&bytes))
    }
}

impl fmt::Debug for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Vkey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Format);
        };
        check_name(name)?;
        let id = HEXLOWER_PERMISSIVE.decode(id.as_bytes()).map_err(|_| KeyError::Format)?;
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| KeyError::Format)?;
        let (kind, key) = bytes.split_first().ok_or(KeyError::Format)?;
        let kind = match kind {
            0x01 => KeyKind::Log,
            0x04 => KeyKind::Witness,
            other => return Err(KeyError::Kind(*other)),
        };
        let key = <&[u8; 32]>::try_from(key).map_err(|_| KeyError::Format)?;
        let vkey = Self::new(name, kind, VerifyingKey::from_bytes(key).map_err(|_| KeyError::Format)?);
        if id == vkey.id { Ok(vkey) } else { Err(KeyError::Id) }
    }
}

/// The key that signs a log's checkpoints.
pub struct Signer {
    secret: SigningKey,
    vkey: Vkey,
}

impl Signer {
    /// From 32 bytes of seed that the caller drew at random or read from where it keeps secrets.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        let secret = SigningKey::from_bytes(seed);
        let vkey = Vkey::new(name, KeyKind::Log, secret.verifying_key());
        Ok(Self { secret, vkey })
    }

    /// The key that verifies the signatures.
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, secret withheld)", self.vkey)
    }
}

/// The key of somebody who vouches for having seen a checkpoint, such as the data protection officer.
///
/// Its seed must be no other key's: cosignatures do not commit to the name.
pub struct Witness {
    secret: SigningKey,
    vkey: Vkey,
}

impl Witness {
    /// From 32 bytes of seed that the caller drew at random or read from where it keeps secrets.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        let secret = SigningKey::from_bytes(seed);
        let vkey = Vkey::new(name, KeyKind::Witness, secret.verifying_key());
        Ok(Self { secret, vkey })
    }

    /// The key that verifies the cosignatures.
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witness({}, secret withheld)", self.vkey)
    }
}

/// Key names as C2SP signed-note wants them.
pub(crate) fn check_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(bad) { Err(KeyError::Name) } else { Ok(()) }
}
