//! What a word is to all patterns, remembered: the same words come again and again.
//!
//! Invariant: what is remembered is what would be looked up; words are kept as keyed hashes only, so that what people
//! are called does not stay in memory. A full memory is emptied; who holds a word keeps it.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::guard::token::Spelling;
use super::guard::{look_up, may_go_on};
use super::part::{Part, part};
use super::rules::RULES;
use super::topics::TOPICS;

/// Words that a thread remembers.
const REMEMBERED: usize = 1 << 16;

thread_local! {
    /// By hash of the word and its case.
    static MEMORY: RefCell<FxHashMap<u64, Rc<Word>>> = RefCell::default();
}

/// The key of all hashes; another one in every process.
static KEY: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    // Odd numbers lose nothing when they multiply.
    [random.hash_one(0) | 1, random.hash_one(1) | 1]
});

/// The hash under which a text is remembered: eight bytes at a time are multiplied by the key and folded.
pub(crate) fn hash(text: &str) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let [first, second] = *KEY;
    let (eights, rest) = text.as_bytes().as_chunks::<8>();
    let start = first.wrapping_add(text.len() as u64);
    let hash = eights.iter().fold(start, |hash, eight| fold(hash ^ u64::from_le_bytes(*eight), second));
    let rest = rest.iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    fold(fold(hash ^ rest, second) ^ second, first)
}

/// The sets of patterns that words are looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Guard,
    Context,
    Claims,
    Topics,
    OwnTexts,
    Stances,
}

const SETS: usize = 6;

/// A word, by what it is.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub(super) struct Word {
    hash: u64,
    /// Set by set the words of patterns that it is, and then those of them that are some pattern's rarest.
    ids: Box<[u32]>,
    /// Where those of each set end.
    ends: [[u32; 2]; SETS],
    part: Part,
    /// Characters, three for more.
    chars: u8,
    upper: bool,
    mixed: bool,
    stuttered: bool,
    may_go_on: bool,
}

impl Word {
    fn look_up(of: Spelling<'_>, hash: u64) -> Self {
        let (rules, topics) = (&*RULES, &*TOPICS);
        let mut ids = Vec::new();
        let ends = [
            look_up(of, &mut ids),
            rules.context.look_up(of, &mut ids),
            rules.claims.look_up(of, &mut ids),
            topics.topics.look_up(of, &mut ids),
            topics.of_own_texts.look_up(of, &mut ids),
            topics.stances.look_up(of, &mut ids),
        ];
        Self {
            hash,
            ids: ids.into(),
            ends,
            part: part(of.text),
            chars: of.text.chars().take(3).count() as u8,
            upper: of.upper,
            mixed: of.text.bytes().any(|b| b.is_ascii_digit()) && of.text.chars().any(char::is_alphabetic),
            stuttered: longest_run(of.text) >= 3,
            may_go_on: may_go_on(of.text),
        }
    }

    /// The words of a set's patterns that it is, in order.
    pub(super) fn ids(&self, set: Set) -> &[u32] {
        let set = set as usize;
        let start = if set == 0 { 0 } else { self.ends[set - 1][1] };
        &self.ids[start as usize..self.ends[set][0] as usize]
    }

    /// Those of them by which patterns are looked for.
    pub(super) fn rarest(&self, set: Set) -> &[u32] {
        let [start, end] = self.ends[set as usize];
        &self.ids[start as usize..end as usize]
    }

    /// Of the text alone.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// What it can be in a sentence.
    pub(super) fn is(&self, part: Part) -> bool {
        self.part.has(part)
    }

    /// How many characters it has; three stands for more, too.
    pub(super) fn chars(&self) -> usize {
        usize::from(self.chars)
    }

    /// Nothing but capitals as written.
    pub(super) fn is_upper(&self) -> bool {
        self.upper
    }

    /// Has letters and digits.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// Has a character three times in a row.
    pub(super) fn is_stuttered(&self) -> bool {
        self.stuttered
    }

    /// Whether something that the guard looks for begins with it and goes on.
    pub(super) fn may_go_on(&self) -> bool {
        self.may_go_on
    }
}

/// How often one character stands behind itself at most.
fn longest_run(text: &str) -> usize {
    let (mut run, mut longest, mut last) = (0, 0, '\0');
    for c in text.chars() {
        run = if c == last { run + 1 } else { 1 };
        last = c;
        longest = longest.max(run);
    }
    longest
}

/// What the memory knows of each of some words.
pub(super) fn known<'t>(words: impl Iterator<Item = Spelling<'t>>, count: usize) -> Vec<Rc<Word>> {
    let mut all = Vec::with_capacity(count);
    MEMORY.with_borrow_mut(|memory| {
        for word in words {
            let hash = hash(word.text);
            // Three words of one spelling: small, with a capital, all capitals.
            let key = hash ^ (u64::from(word.capital) << 62 | u64::from(word.upper) << 63);
            if let Some(known) = memory.get(&key) {
                all.push(Rc::clone(known));
                continue;
            }
            if memory.len() >= REMEMBERED {
                memory.clear();
            }
            let looked_up = Rc::new(Word::look_up(word, hash));
            memory.insert(key, Rc::clone(&looked_up));
            all.push(looked_up);
        }
    });
    all
}
