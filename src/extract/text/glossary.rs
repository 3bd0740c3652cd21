//! The words that patterns are written with: each is kept once, and a pattern is a row of their numbers.
//!
//! Invariant: rows compare as the patterns do that they are, written with single spaces.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// A pattern, by the numbers of its words.
pub(super) type Row = SmallVec<[u32; 8]>;

/// Words by their numbers, and numbers by their words.
#[derive(Default)]
pub(super) struct Glossary {
    numbers: FxHashMap<Box<str>, u32>,
    words: Vec<Box<str>>,
}

impl Glossary {
    /// The number of a word.
    pub(super) fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.numbers.insert(word.into(), number);
        self.words.push(word.into());
        number
    }

    /// A pattern without alternatives of several words.
    pub(super) fn row(&mut self, pattern: &str) -> Row {
        pattern.split_ascii_whitespace().map(|word| self.number(word)).collect()
    }

    pub(super) fn word(&self, number: u32) -> &str {
        &self.words[number as usize]
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// A pattern as it is written.
    pub(super) fn text(&self, row: &[u32]) -> String {
        let words: Vec<&str> = row.iter().map(|number| self.word(*number)).collect();
        words.join(" ")
    }

    /// Which of two patterns comes first.
    pub(super) fn compared(&self, one: &[u32], other: &[u32]) -> Ordering {
        let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
        match (one.get(same), other.get(same)) {
            // Every sign of a word comes behind the space at which another one ends.
            (Some(a), Some(b)) => self.word(*a).cmp(self.word(*b)),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }
}
