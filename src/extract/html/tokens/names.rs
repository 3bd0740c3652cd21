//! Names of elements and attributes as atoms, each looked up once a page.
//!
//! Invariant: the atom is that of the name in lower case, with NUL replaced, as the standard has it.

use html5ever::{LocalName, local_name};

/// Names of so many bytes are kept.
const KEPT: usize = 15;
const SLOTS: usize = 256;

/// Names met so far; a later one may take the place of another.
pub(super) struct Names {
    slots: Vec<(u128, LocalName)>,
}

impl Default for Names {
    fn default() -> Self {
        Self { slots: vec![(0, local_name!("")); SLOTS] }
    }
}

impl Names {
    /// The atom of a name as the page writes it.
    pub fn get(&mut self, written: &str) -> LocalName {
        if written.len() > KEPT {
            return atom(written);
        }
        // The leading 1 keeps the length.
        let key = written.bytes().fold(1_u128, |key, b| (key << 8) | u128::from(b));
        let mixed = ((key as u64) ^ ((key >> 64) as u64)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let slot = &mut self.slots[(mixed >> 56) as usize];
        if slot.0 != key {
            *slot = (key, atom(written));
        }
        slot.1.clone()
    }
}

fn atom(written: &str) -> LocalName {
    if written.bytes().any(|b| b.is_ascii_uppercase() || b == 0) {
        return LocalName::from(written.to_ascii_lowercase().replace('\0', "\u{FFFD}"));
    }
    LocalName::from(written)
}
