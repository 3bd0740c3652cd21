//! What a word is to a set of patterns, remembered: the same words come again and again.
//!
//! Invariant: what is remembered is what would be looked up; words are kept as keyed hashes only, so that what people
//! are called does not stay in memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashMap;

use super::guard::token::Token;

/// Words that a thread remembers for each set of patterns; a full memory is emptied.
const REMEMBERED: usize = 1 << 16;

/// What each word is, by its hash.
type Remembered = FxHashMap<u64, Rc<[usize]>>;

thread_local! {
    /// By set of patterns.
    static MEMORY: RefCell<HashMap<u64, Remembered>> = RefCell::default();
}

/// Numbers the sets of patterns.
static SETS: AtomicU64 = AtomicU64::new(0);

/// The memory of one set of patterns.
pub(super) struct Memory {
    set: u64,
    hasher: RandomState,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { set: SETS.fetch_add(1, Ordering::Relaxed), hasher: RandomState::new() }
    }

    /// What a word is: as it was before, else as `look_up` says.
    pub(super) fn of(&self, token: &Token, look_up: impl FnOnce() -> Vec<usize>) -> Rc<[usize]> {
        let key = self.hasher.hash_one((token.text.as_str(), token.capital, token.upper));
        MEMORY.with_borrow_mut(|memory| {
            let memory = memory.entry(self.set).or_default();
            if let Some(ids) = memory.get(&key) {
                return Rc::clone(ids);
            }
            if memory.len() >= REMEMBERED {
                memory.clear();
            }
            let ids: Rc<[usize]> = look_up().into();
            memory.insert(key, Rc::clone(&ids));
            ids
        })
    }
}
