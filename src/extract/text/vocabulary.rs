//! The words of patterns while these are read.
//!
//! Invariant: each word is looked at once, however many patterns have it, and ids follow the order in which words come up.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::glossary::Glossary;
use super::needles::{Needles, Spellings};
use super::pattern::{PatternError, Sets, pattern_word};
use super::rarest::{ByRarest, PERSON, Sorting};

/// What a pattern is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Word(u32),
    Gap,
    Person,
    ClauseStart,
    ClauseEnd,
}

/// The words of patterns while these are read.
pub(super) struct Vocabulary<'s> {
    glossary: &'s Glossary,
    ids: FxHashMap<String, u32>,
    /// By the number of the word as it is written beside others.
    items: Vec<Option<Item>>,
    spellings: Spellings<'s>,
}

impl<'s> Vocabulary<'s> {
    pub(super) fn new(glossary: &'s Glossary, sets: &'s Sets) -> Self {
        let items = vec![None; glossary.len()];
        Self { glossary, ids: FxHashMap::default(), items, spellings: Spellings::new(sets) }
    }

    /// Adds the items of a pattern.
    pub(super) fn read(&mut self, row: &[u32], items: &mut Vec<Item>) -> Result<(), PatternError> {
        let start = items.len();
        for number in row {
            let known = self.items[*number as usize].filter(|_| row.len() > 1);
            items.push(known.map_or_else(|| self.item(*number, row), Ok)?);
        }
        let items = &items[start..];
        let begins = items.iter().find(|item| !matches!(item, Item::ClauseStart));
        let is_word = |item: &Item| matches!(item, Item::Word(_));
        if !matches!(begins, Some(Item::Word(_) | Item::Person)) || !items.iter().any(is_word) {
            return Err(PatternError::NoWord(self.glossary.text(row)));
        }
        Ok(())
    }

    fn item(&mut self, number: u32, row: &[u32]) -> Result<Item, PatternError> {
        let pattern = self.glossary.text(row);
        let item = match pattern_word(self.glossary.word(number), row.len() == 1, &pattern)? {
            ".." => Item::Gap,
            "@" => Item::Person,
            "^" => Item::ClauseStart,
            "$" => Item::ClauseEnd,
            word => Item::Word(self.id(word, &pattern)?),
        };
        if row.len() > 1 {
            self.items[number as usize] = Some(item);
        }
        Ok(item)
    }

    /// The id of a word without parentheses.
    fn id(&mut self, word: &str, pattern: &str) -> Result<u32, PatternError> {
        if let Some(id) = self.ids.get(word) {
            return Ok(*id);
        }
        let id = self.ids.len() as u32;
        self.spellings.add(id, word, pattern)?;
        self.ids.insert(word.to_owned(), id);
        Ok(id)
    }

    /// Sorts patterns by their rarest words; `patterns` tells where the items of each stand.
    pub(super) fn by_rarest(&self, items: &[Item], patterns: impl ExactSizeIterator<Item = Range<u32>>) -> ByRarest {
        let mut uses = vec![0; self.ids.len()];
        let id = |item: &Item| if let Item::Word(id) = item { Some(*id) } else { None };
        items.iter().filter_map(id).for_each(|id| uses[id as usize] += 1);
        let weights = self.spellings.weights(&uses);
        let mut sorting = Sorting::new(&weights, patterns.len());
        for range in patterns {
            let items = &items[range.start as usize..range.end as usize];
            let begins = items.iter().find(|item| !matches!(item, Item::ClauseStart));
            sorting.add(items.iter().filter_map(id), begins.and_then(id).unwrap_or(PERSON));
        }
        sorting.done()
    }

    /// The spellings, with no pattern more to come.
    pub(super) fn done(self) -> Needles {
        self.spellings.done()
    }
}
