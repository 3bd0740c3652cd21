//! The vocabularies of titles: what a word or phrase can mean.
//!
//! Invariant: keys are folded, masculine and joined by single spaces, exactly as [`super::scan`] makes words.

use std::collections::{HashMap, HashSet};

use rustc_hash::FxBuildHasher;

use super::calibration::Calibration;
use super::guarded::JobWords;
use super::sense::Sense;
use crate::taxonomy::{JobFunction, Seniority};

pub(super) type Map<V> = HashMap<Box<str>, V, FxBuildHasher>;
pub(super) type Set = HashSet<Box<str>, FxBuildHasher>;

/// Bits of [`Word::flags`].
pub(super) mod flag {
    pub const DEPUTY: u64 = 1;
    pub const FORMER: u64 = 1 << 1;
    pub const LEAVE: u64 = 1 << 2;
    pub const COVER: u64 = 1 << 3;
    pub const ACTING: u64 = 1 << 4;
    pub const HOBBY: u64 = 1 << 5;
    pub const NEGATION: u64 = 1 << 6;
    pub const PROKURA: u64 = 1 << 7;
    pub const HANDLUNGSVOLLMACHT: u64 = 1 << 8;
    pub const GESCHAEFTSFUEHRUNG: u64 = 1 << 9;
    pub const LINKER: u64 = 1 << 10;
    pub const OBJECT_LINKER: u64 = 1 << 11;
    pub const COMPANY: u64 = 1 << 12;
    pub const LEGAL_FORM: u64 = 1 << 13;
    pub const TRANSPARENT: u64 = 1 << 14;
    pub const UNTIL: u64 = 1 << 15;
    pub const SINCE: u64 = 1 << 16;
    pub const PRESENT: u64 = 1 << 17;
    pub const NOISE: u64 = 1 << 18;
    pub const SENTENCE: u64 = 1 << 19;
    pub const OFFICE_OF: u64 = 1 << 20;
    pub const ADJECTIVE: u64 = 1 << 21;
    pub const CONJUNCTION: u64 = 1 << 22;
    pub const HOBBY_TOPIC: u64 = 1 << 23;
    pub const PARTNER: u64 = 1 << 24;
    pub const CHIEF: u64 = 1 << 25;
    pub const MANAGES: u64 = 1 << 27;
    pub const STUDENT: u64 = 1 << 28;
    pub const OWNS: u64 = 1 << 29;
    pub const BODY: u64 = 1 << 30;
    /// Leads to a former employer: "ex-Acme", "formerly at Acme".
    pub const EX: u64 = 1 << 26;
    /// Unpaid, of the position beside it: "ehrenamtlich".
    pub const UNPAID: u64 = 1 << 31;
    /// A club; those who sit on its board are not paid for it.
    pub const CLUB: u64 = 1 << 32;
    /// An office that clubs and companies have alike.
    pub const BOARD: u64 = 1 << 33;
    /// A relative, friend or successor of somebody.
    pub const KIN: u64 = 1 << 34;
    /// Whoever leads, where a department stands beside it: "Chef".
    pub const BOSS: u64 = 1 << 35;
    /// A craft of many trades: "designer", "architect".
    pub const CRAFT: u64 = 1 << 36;
    /// A degree beside work in healthcare, else a position: "MD".
    pub const DEGREE: u64 = 1 << 37;
}

/// A person noun with a function of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Role {
    pub function: JobFunction,
    pub level: Seniority,
    /// The function gives way to a domain word beside it.
    pub soft: bool,
}

/// Everything that a word or phrase can mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Word {
    pub role: Option<Role>,
    /// What the job is about, and whether the word is only a weak topic.
    pub domain: Option<(JobFunction, bool)>,
    /// A person noun or form of leading without a function.
    pub head: Option<Seniority>,
    /// Moves the level of the person noun beside it.
    pub modifier: Option<Seniority>,
    pub flags: u64,
    /// Listed as German or English.
    pub german: bool,
    pub english: bool,
    /// Listed as French alone.
    pub french: bool,
}

impl Word {
    /// A person noun: someone can be called this.
    pub fn person(&self) -> bool {
        self.role.is_some() || self.head.is_some()
    }

    pub fn has(&self, flags: u64) -> bool {
        self.flags & flags != 0
    }
}

/// A word of the derived vocabulary: how its occupations are spread over the functions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Derived {
    pub first: (JobFunction, f32),
    pub second: Option<(JobFunction, f32)>,
    /// Stands at the end of occupation names: a person noun.
    pub person: bool,
}

/// The phrases of several words, as a tree: what follows what.
#[derive(Default)]
pub(super) struct Phrases {
    /// Words that stand in phrases, from 1 on.
    ids: Map<u32>,
    /// From a node by a word to the node below; the root is 0.
    next: HashMap<(u32, u32), u32, FxBuildHasher>,
    /// What the phrase that ends at a node means.
    ends: Vec<Option<Sense>>,
}

impl Phrases {
    /// The tree of all keys that hold a space.
    pub fn new(words: &Map<Word>) -> Self {
        let mut tree = Self { ends: vec![None], ..Self::default() };
        for (key, word) in words.iter().filter(|w| w.0.contains(' ')) {
            let mut node = 0;
            for w in key.split(' ') {
                let fresh = tree.ids.len() as u32 + 1;
                let id = *tree.ids.entry(w.into()).or_insert(fresh);
                let fresh = tree.ends.len() as u32;
                node = *tree.next.entry((node, id)).or_insert(fresh);
                if node == fresh {
                    tree.ends.push(None);
                }
            }
            tree.ends[node as usize] = Some(Sense::of_word(word));
        }
        tree
    }

    /// The number of a word; 0 where no phrase holds it.
    pub fn id(&self, word: &str) -> u32 {
        self.ids.get(word).copied().unwrap_or(0)
    }

    /// Where a word leads from a node; the root is 0.
    pub fn step(&self, node: u32, word: u32) -> Option<u32> {
        if word == 0 { None } else { self.next.get(&(node, word)).copied() }
    }

    /// What the words down to a node mean together.
    pub fn end(&self, node: u32) -> Option<&Sense> {
        self.ends.get(node as usize)?.as_ref()
    }
}

/// The loaded vocabularies.
pub(super) struct Lexicon {
    pub(super) words: Map<Word>,
    pub(super) derived: Map<Derived>,
    pub(super) phrases: Phrases,
    /// Abbreviations in capitals -> the key they stand for.
    pub(super) caps: Map<String>,
    pub(super) ambiguous: Map<(Seniority, Vec<JobFunction>)>,
    pub(super) special_words: Set,
    pub(super) special: aho_corasick::AhoCorasick,
    /// First words of the phrases in `special` and `hostile`.
    pub(super) watched: Set,
    pub(super) hostile: aho_corasick::AhoCorasick,
    pub(super) alone: Set,
    /// Occupations that are common surnames.
    pub(super) surnames: Set,
    pub calibration: Calibration,
    pub job_words: JobWords,
}

impl Lexicon {
    pub fn word(&self, w: &str) -> Option<&Word> {
        self.words.get(w)
    }

    pub fn derived(&self, w: &str) -> Option<&Derived> {
        self.derived.get(w)
    }

    /// What an abbreviation in capitals stands for.
    pub fn caps(&self, w: &str) -> Option<&Word> {
        self.caps.get(w).and_then(|k| self.words.get(k.as_str()))
    }

    /// An abbreviation of several jobs: its level and their functions.
    pub fn ambiguous(&self, w: &str) -> Option<&(Seniority, Vec<JobFunction>)> {
        self.ambiguous.get(w)
    }

    /// Whether a framed title holds code or commands.
    pub fn hostile(&self, framed: &str) -> bool {
        self.hostile.is_match(framed)
    }

    /// Whether a title (its words joined and framed by single spaces) holds a phrase that reveals a special category.
    pub fn special(&self, framed: &str) -> bool {
        self.special.is_match(framed)
    }

    /// Whether the words between two separators reveal a special category by standing there alone.
    pub fn special_alone(&self, words: &str) -> bool {
        self.alone.contains(words)
    }

    /// Whether a word is a common surname, though it names an occupation too.
    pub fn surname(&self, word: &str) -> bool {
        self.surnames.contains(word)
    }

    /// Whether the words of [`Self::special_alone`] can start with a word.
    pub fn starts_alone(&self, word: &str) -> bool {
        self.alone.iter().any(|a| a.split(' ').next() == Some(word))
    }

    /// Whether a word alone reveals a special category, and whether a watched phrase can start with it.
    pub fn sensitive(&self, word: &str) -> (bool, bool) {
        let alone = self.special_words.contains(word) || self.special.is_match(&format!(" {word} "));
        (alone, self.watched.contains(word))
    }
}
