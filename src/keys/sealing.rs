//! Authenticated encryption of small things: XChaCha20-Poly1305 with a random nonce of 24 bytes before the ciphertext.
//!
//! Invariant: what does not open under its key and its label is no plaintext at all; a label binds a ciphertext to its
//! place, so it cannot be moved to another one.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// A sealed text as it is stored: nonce and ciphertext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// Seals `plain` under `key`, bound to `label`.
pub(crate) fn seal(key: &[u8; 32], label: &[u8], plain: &[u8]) -> std::io::Result<Sealed> {
    let mut nonce = [0u8; NONCE];
    getrandom::fill(&mut nonce).map_err(|e| std::io::Error::other(e.to_string()))?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let text = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: label })
        .expect("the plaintext is far shorter than the cipher's limit");
    let mut sealed = nonce.to_vec();
    sealed.extend(text);
    Ok(Sealed(sealed))
}

/// Opens what [`seal`] made; `None` = another key, another label, or not what was written.
pub(crate) fn open(key: &[u8; 32], label: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: label }).ok().map(Zeroizing::new)
}

/// HMAC-SHA-256 over length-prefixed parts.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
