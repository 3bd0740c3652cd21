//! Keys: the master key, the vault of per-subject keys, and what is sealed under them.
//!
//! Invariant: a key never leaves this module in clear but inside a type that zeroes itself and prints `[secret]`; what
//! was sealed under a subject's key is unreadable, and its tags are unlinkable, once the vault has destroyed the key.

mod master;
mod sealing;
mod subject;
mod vault;

pub use master::{MasterKey, MasterSource};
pub use sealing::Sealed;
pub(crate) use sealing::{open, seal};
pub use subject::SubjectKey;
pub use vault::{Identifier, RightsNote, Vault, VaultError};

/// 32 random bytes of the system.
///
/// # Errors
/// The system has none to give.
pub fn random() -> std::io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(bytes)
}
