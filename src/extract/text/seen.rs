//! What is asked of a sentence for each of its statements, looked up once.
//!
//! Invariant: says what would be looked up again.

use std::cell::OnceCell;
use std::ops::Range;

use super::others::{names_stranger, stranger_ends, third_parties};
use super::rules::Tag;
use super::stance::Here;

/// The answers so far.
#[derive(Default)]
pub(super) struct Seen {
    third: OnceCell<Vec<bool>>,
    openers: OnceCell<Vec<bool>>,
    third_parties: OnceCell<Vec<Range<usize>>>,
    stranger_ends: OnceCell<Option<usize>>,
    names_stranger: OnceCell<bool>,
    pub(super) is_reported: OnceCell<bool>,
}

impl Here<'_> {
    /// Whether a word is one for somebody who is no contact.
    pub(super) fn is_third(&self, at: usize) -> bool {
        self.seen.third.get_or_init(|| self.sentence.mask(Tag::ThirdParty))[at]
    }

    /// Whether a word may stand before the subject.
    pub(super) fn is_opener(&self, at: usize) -> bool {
        self.seen.openers.get_or_init(|| self.sentence.mask(Tag::Opener))[at]
    }

    /// Words for somebody who is no contact and begin at one of some words.
    pub(super) fn third_parties(&self, words: &Range<usize>) -> impl Iterator<Item = &Range<usize>> {
        let all = || third_parties(self.sentence, self.around.named).collect();
        let all = self.seen.third_parties.get_or_init(all);
        let end = words.end;
        all[all.partition_point(|at| at.start < words.start)..].iter().take_while(move |at| at.start < end)
    }

    /// Whether somebody stands before a word who is no contact, and no group.
    pub(super) fn somebody_before(&self, word: usize) -> bool {
        let first = self.seen.stranger_ends.get_or_init(|| stranger_ends(self.sentence, self.around.named));
        first.is_some_and(|end| end <= word)
    }

    /// Whether somebody may be named whom nobody knows.
    pub(super) fn names_stranger(&self) -> bool {
        let look = || names_stranger(&self.sentence.tokens, self.sentence.clauses, self.around.named);
        *self.seen.names_stranger.get_or_init(look)
    }
}
