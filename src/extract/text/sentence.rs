//! A sentence with its words, and how it is meant: what denies, who is its subject.
//!
//! Invariant: says nothing about who the people are; that is the directory's.

use super::guard::Sentence;
use super::guard::class::Class;
use super::guard::fold::Cell;
use super::guard::token::{Token, is_quote};
use super::heads::{Mark, marks};
use super::part::Part;
use super::people::Mention;
use super::phrase::{Found, View};
use super::rules::{RULES, Tag};

/// A sentence with its words and what they say about how it is meant.
pub(super) struct Read<'s> {
    pub(super) sentence: Sentence<'s>,
    pub(super) cells: &'s [Cell],
    pub(super) tokens: Vec<Token<'s>>,
    pub(super) clauses: &'s [u32],
    pub(super) context: Vec<Found<'static, Tag>>,
    /// What parts heads from what they head.
    pub(super) marks: Vec<Mark>,
    /// The cells that are quotation marks.
    quotes: Vec<usize>,
}

impl<'s> Read<'s> {
    pub(super) fn new(sentence: Sentence<'s>) -> Self {
        let (cells, tokens, clauses) = (sentence.cells(), sentence.tokens(), sentence.clauses());
        let context = RULES.context.find(&View::plain(&tokens, clauses));
        let quotes = (0..cells.len()).filter(|at| cells[*at].is(Class::CLAUSE) && is_quote(cells[*at].raw)).collect();
        Self { sentence, cells, tokens, clauses, context, marks: marks(cells).collect(), quotes }
    }

    pub(super) fn has(&self, tag: Tag) -> bool {
        self.context.iter().any(|found| *found.tag == tag)
    }

    /// Whether it is another's, quoted as a whole: `> ...`, `RT @...`.
    pub(super) fn is_of_another(&self) -> bool {
        let first = self.tokens.first().map_or("", |token| token.text);
        self.sentence.text.starts_with('>') || matches!(first, "rt" | "repost" | "reposting" | "retweet")
    }

    pub(super) fn is_question(&self) -> bool {
        self.sentence.text.contains('?')
    }

    /// The tokens with a tag, as a mask.
    pub(super) fn mask(&self, tag: Tag) -> Vec<bool> {
        self.cover(self.context.iter().filter(|found| *found.tag == tag))
    }

    /// The tokens that are part of any of the matches, as a mask.
    pub(super) fn cover<'f, 'p: 'f>(&self, matches: impl Iterator<Item = &'f Found<'p, Tag>>) -> Vec<bool> {
        let mut mask = vec![false; self.tokens.len()];
        for found in matches {
            mask[found.tokens.clone()].fill(true);
        }
        mask
    }

    /// How many quotation marks stand before a token.
    pub(super) fn quotes_before(&self, token: usize) -> usize {
        let end = self.tokens.get(token).map_or(self.cells.len(), |t| t.cells.start);
        self.quotes.partition_point(|at| *at < end)
    }

    /// Whether tokens stand within brackets.
    pub(super) fn in_brackets(&self, tokens: &std::ops::Range<usize>) -> bool {
        let Some(first) = self.tokens.get(tokens.start) else { return false };
        let before = self.cells[..first.cells.start].iter().rev().find(|c| matches!(c.raw, '(' | ')'));
        before.is_some_and(|c| c.raw == '(')
    }

    /// What is written from the first to the last of these tokens, and its code points, half-open.
    pub(super) fn quote(&self, tokens: &std::ops::Range<usize>) -> (String, [usize; 2]) {
        let cells = self.tokens[tokens.start].cells.start..self.tokens[tokens.end - 1].cells.end;
        let (text, span) = self.sentence.written(&cells);
        (text.to_owned(), span)
    }

    /// Words that no gap of a pattern may pass over: what denies, and what hedges.
    pub(super) fn blocked(&self) -> Vec<bool> {
        let mut blocked = self.mask(Tag::Negation);
        for (at, token) in self.tokens.iter().enumerate() {
            blocked[at] |= token.word.is(Part::HEDGE);
        }
        blocked
    }

    pub(super) fn clause_start(&self, token: usize) -> usize {
        self.clauses.get(token).map_or(token, |clause| self.clauses.partition_point(|of| of < clause))
    }

    /// Where the clause of a token ends.
    pub(super) fn clause_end(&self, token: usize) -> usize {
        self.clauses.get(token).map_or(token, |clause| self.clauses.partition_point(|of| of <= clause))
    }
}

/// `ich`, `I`, `I'm`: always a subject, always the one who speaks.
pub(super) fn is_first_person(token: &Token<'_>) -> bool {
    token.word.is(Part::SPEAKER) && (token.capital || token.text == "ich")
}

/// Where a sentence goes on with the subject of its beginning: `X prüft genau und entscheidet allein`, `X empfiehlt,
/// entscheidet aber nicht`. Only where nobody else is named; a pattern must go on with its verb right there.
pub(super) fn shared_subjects(sentence: &Read<'_>, mentions: &[(Mention, bool)], third_party: bool) -> Vec<usize> {
    let [(only, _)] = mentions else { return Vec::new() };
    let named_first = !only.tokens.is_empty() && !only.oblique && stands_as_subject(sentence, &[], only);
    if third_party || !named_first {
        return Vec::new();
    }
    let word = |at: usize| sentence.tokens.get(at).map_or("", |t| t.text);
    (only.tokens.end + 1..sentence.tokens.len())
        .filter(|at| {
            let joined = matches!(word(at - 1), "und" | "and" | "but" | "aber" | "sondern");
            joined
                || sentence.clauses[*at] != sentence.clauses[at - 1]
                    && matches!(word(at + 1), "aber" | "jedoch" | "dafuer")
        })
        .collect()
}

/// A subject begins its clause; `der Chef von Frau X` does not, nor does `X und Frau Y`.
pub(super) fn stands_as_subject(sentence: &Read<'_>, mentions: &[Mention], mention: &Mention) -> bool {
    let at = mention.tokens.start;
    let Some(first) = sentence.tokens.get(at) else { return false };
    if mention.tokens.is_empty() && at > 0 {
        return true;
    }
    if mention.tokens.len() == 1 && is_first_person(first) {
        return true;
    }
    let start = sentence.clause_start(at);
    let openers = sentence.mask(Tag::Opener);
    let alone = !mentions.iter().any(|m| m.tokens.start < at && m.tokens.start >= start && !m.tokens.is_empty());
    alone && (start..at).all(|t| openers[t])
}

/// A negation outside the pattern, unless it belongs to the other half of a contrast, to what `rule` requires, or in
/// another clause to a statement of its own (`spent`): `X entscheidet nicht, das letzte Wort hat Y`.
pub(super) fn is_denied(sentence: &Read<'_>, found: &Found<'_, Tag>, rule: usize, spent: &[bool]) -> bool {
    let required = sentence.mask(Tag::Requires(rule));
    let clause = sentence.clauses[found.tokens.start];
    let start = sentence.clause_start(found.tokens.start);
    let contrasts = sentence.context.iter().any(|c| *c.tag == Tag::Contrast && c.tokens.start == start);
    sentence.context.iter().filter(|c| *c.tag == Tag::Negation).any(|negation| {
        let at = negation.tokens.start;
        if found.tokens.contains(&at) || required[at] || spent[at] && sentence.clauses[at] < clause {
            return false;
        }
        let earlier = sentence.clauses[at] < clause;
        let later = sentence.clauses[at] > clause
            && sentence.clause_start(at) == at
            && matches!(sentence.tokens[at].text, "nicht" | "not");
        // `X empfiehlt, entscheidet aber nicht`: the contrast stands behind a verb of its own.
        let other = sentence.clauses[at] > clause
            && sentence.context.iter().any(|c| {
                *c.tag == Tag::Contrast
                    && sentence.clauses[c.tokens.start] == sentence.clauses[at]
                    && c.tokens.start > sentence.clause_start(at)
                    && c.tokens.start < at
            });
        !(earlier && contrasts || later || other)
    })
}
