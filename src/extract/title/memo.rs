//! Bounded memories of pure functions: titles come again and again in contact data (and words, see `lemma.rs`).
//!
//! Invariant: what is remembered is what would be computed; a full memory is emptied, never grown.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use rustc_hash::FxBuildHasher;

/// At most `max` values by key.
pub(super) struct Memo<K, V> {
    map: HashMap<K, V, FxBuildHasher>,
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

/// Which keys have come before, by a small mark of their hash; a newer key takes the place of an older one.
pub(super) struct Seen {
    marks: Box<[u32]>,
}

impl Seen {
    /// `size` must be a power of two.
    pub fn new(size: usize) -> Self {
        Self { marks: vec![0; size].into_boxed_slice() }
    }

    /// Whether a key came lately; marks it.
    pub fn again(&mut self, key: &str) -> bool {
        let hash = FxBuildHasher.hash_one(key);
        let at = hash as usize & (self.marks.len() - 1);
        let mark = (hash >> 32) as u32 | 1;
        std::mem::replace(&mut self.marks[at], mark) == mark
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
