//! Bounded memories of pure functions: words and titles come again and again in contact data.
//!
//! Invariant: what is remembered is what would be computed; a full memory is emptied, never grown.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A fast hash for short trusted keys (FNV-1a over bytes); the keys are ours, so no flooding.
#[derive(Default)]
pub(super) struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// At most `max` values by key.
pub(super) struct Memo<K, V> {
    map: HashMap<K, V, BuildHasherDefault<Fnv>>,
    max: usize,
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    pub fn new(max: usize) -> Self {
        Self { map: HashMap::default(), max }
    }

    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.map.get(key)
    }

    pub fn put(&mut self, key: K, value: V) {
        if self.map.len() >= self.max {
            self.map.clear();
        }
        self.map.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memory_is_emptied() {
        let mut m: Memo<u32, u32> = Memo::new(2);
        (0..3).for_each(|i| m.put(i, i));
        assert_eq!((m.get(&0), m.get(&2)), (None, Some(&2)));
    }
}
