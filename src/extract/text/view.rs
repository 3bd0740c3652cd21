//! A sentence as patterns see it.
//!
//! Invariant: plain borrowed data; what is not said of a token holds for none.

use std::ops::Range;

use super::guard::token::Token;

/// The sentence that patterns are matched on.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// Its words.
    pub(super) tokens: &'a [Token<'a>],
    /// The clause of each token; gaps do not cross clauses.
    pub(super) clauses: &'a [u32],
    /// Words that no gap must cross.
    pub(super) blocked: &'a [bool],
    /// Words that a gap right behind a person must not cross: another subject could begin there.
    pub(super) blocked_behind_person: &'a [bool],
    /// Token ranges that name a person, in order, without overlap.
    pub(super) persons: &'a [Range<usize>],
}

impl<'a> View<'a> {
    /// A sentence in which nobody is named; without `clauses` it is one.
    pub(super) fn plain(tokens: &'a [Token<'a>], clauses: &'a [u32]) -> Self {
        View { tokens, clauses, blocked: &[], blocked_behind_person: &[], persons: &[] }
    }

    /// The clause of a token.
    pub(super) fn clause(&self, token: usize) -> u32 {
        self.clauses.get(token).copied().unwrap_or(0)
    }

    /// Whether a clause starts at a token, or the sentence ends before it.
    pub(super) fn starts_clause(&self, at: usize) -> bool {
        at == 0 || at >= self.tokens.len() || self.clause(at) != self.clause(at - 1)
    }
}
