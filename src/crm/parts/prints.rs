//! Keyed hashes by which records, companies, addresses and rows are known again without being held.
//!
//! Invariant: SipHash-2-4 of 128 bits under a key of the home, or of this process: nobody without the key can tell whose a
//! print is, or try out whose it could be. What is hashed is framed, so that no two things are one by their borders.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use siphasher::sip128::{Hasher128, SipHasher24};

/// A keyed hash of what identifies a record: of a million of them, two are equal by chance with a probability of 1e-27.
pub(in crate::crm) type Print = [u64; 2];

/// Makes prints under one key.
#[derive(Clone)]
pub(in crate::crm) struct Prints {
    /// The state after the key.
    keyed: SipHasher24,
}

impl fmt::Debug for Prints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prints([secret])")
    }
}

impl Default for Prints {
    /// Under a key that only this process has.
    fn default() -> Self {
        let half = || RandomState::new().hash_one(0);
        Self { keyed: SipHasher24::new_with_keys(half(), half()) }
    }
}

impl Prints {
    /// Under a key of the home, for prints that other nights must know again.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let (first, _) = key.split_first_chunk().expect("32 bytes have 16");
        Self { keyed: SipHasher24::new_with_key(first) }
    }

    pub(in crate::crm) fn print(&self, text: &str) -> Print {
        self.of(|hash| hash.write(text.as_bytes()))
    }

    /// The print of what `tell` tells.
    pub(super) fn of(&self, tell: impl FnOnce(&mut SipHasher24)) -> Print {
        let mut hash = self.keyed;
        tell(&mut hash);
        let hash = hash.finish128();
        [hash.h1, hash.h2]
    }
}

/// Tells a hash a text with its length.
pub(super) fn frame(hash: &mut SipHasher24, text: &[u8]) {
    hash.write_u64(text.len() as u64);
    hash.write(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_are_of_their_key_and_the_same_in_every_process() {
        let prints = Prints::new(&[7; 32]);
        assert_eq!(prints.print("K-1"), Prints::new(&[7; 32]).print("K-1"));
        assert_ne!(prints.print("K-1"), Prints::new(&[8; 32]).print("K-1"));
        assert_ne!(prints.print("K-1"), Prints::default().print("K-1"));
        assert_eq!(
            prints.print("K-1"),
            [8_511_218_057_257_650_213, 8_431_700_588_203_311_480],
            "as every version has it"
        );
        assert_eq!(format!("{prints:?}"), "Prints([secret])");
    }
}
