//! What a word is to a set of patterns, remembered: the same words come again and again.
//!
//! Invariant: what is remembered is what would be looked up; words are kept as keyed hashes only, so that what people
//! are called does not stay in memory.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::FxHashMap;

use super::guard::token::Token;

/// Words that a thread remembers for each set of patterns; a full memory is emptied.
const REMEMBERED: usize = 1 << 16;

/// What each word is, by its hash.
type Remembered = FxHashMap<u64, Rc<[usize]>>;

thread_local! {
    /// By number of the set of patterns.
    static MEMORY: RefCell<Vec<Remembered>> = RefCell::default();
}

/// Numbers the sets of patterns.
static SETS: AtomicUsize = AtomicUsize::new(0);

/// The memory of one set of patterns.
pub(super) struct Memory {
    set: usize,
    hasher: RandomState,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { set: SETS.fetch_add(1, Ordering::Relaxed), hasher: RandomState::new() }
    }

    /// What each word of a sentence is: as it was before, else as `look_up` says.
    pub(super) fn of_all(&self, tokens: &[Token], look_up: impl Fn(&Token) -> Vec<usize>) -> Vec<Rc<[usize]>> {
        MEMORY.with_borrow_mut(|memory| {
            if memory.len() <= self.set {
                memory.resize_with(self.set + 1, Remembered::default);
            }
            let memory = &mut memory[self.set];
            let mut of = |token: &Token| {
                let key = self.hasher.hash_one((token.text.as_str(), token.capital, token.upper));
                if let Some(ids) = memory.get(&key) {
                    return Rc::clone(ids);
                }
                if memory.len() >= REMEMBERED {
                    memory.clear();
                }
                let ids: Rc<[usize]> = look_up(token).into();
                memory.insert(key, Rc::clone(&ids));
                ids
            };
            tokens.iter().map(&mut of).collect()
        })
    }
}
