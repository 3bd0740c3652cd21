//! The Art. 9 guard: withholds every sentence that carries or reveals special-category data.
//!
//! Invariant: [`Scrubbed`] has no constructor but [`scrub`]; what it holds has passed the guard.

mod categories;
pub(super) mod class;
mod disguise;
pub(super) mod fold;
mod lexicon;
mod meets;
mod sentence;
pub(super) mod token;

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::taxonomy::Language;
use categories::Categories;
use fold::Cell;
use lexicon::{LEXICON, Verdict};
use token::{Spelling, Token, Words};

use super::memory::Word;

/// A kind of data that is never read, only counted as withheld (Art. 9 and 10 GDPR).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecialCategory {
    /// Racial or ethnic origin, nationality as origin.
    EthnicOrigin,
    /// Political opinion and party membership.
    PoliticalOpinion,
    /// Religion or belief.
    ReligionBelief,
    /// Union membership, works councils.
    UnionMembership,
    /// Genetic data.
    Genetic,
    /// Biometric data.
    Biometric,
    /// Health, pregnancy, disability, addiction.
    Health,
    /// Sex life or orientation.
    SexLifeOrientation,
    /// Criminal convictions and offences (Art. 10).
    CriminalOffence,
}

impl SpecialCategory {
    /// All of them, in order.
    pub(super) const ALL: [Self; 9] = [
        Self::EthnicOrigin,
        Self::PoliticalOpinion,
        Self::ReligionBelief,
        Self::UnionMembership,
        Self::Genetic,
        Self::Biometric,
        Self::Health,
        Self::SexLifeOrientation,
        Self::CriminalOffence,
    ];
}

/// How many sentences were withheld, by category; never what stood in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withheld(BTreeMap<SpecialCategory, u32>);

impl Withheld {
    /// Nothing was withheld.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The counts alone.
    #[must_use]
    pub fn into_counts(self) -> BTreeMap<SpecialCategory, u32> {
        self.0
    }
}

/// Text that the guard let through, sentence by sentence, each with its place in the original.
///
/// Made by [`scrub`] alone: there is no other constructor, no `Default` and no `Deserialize`.
#[derive(Clone)]
pub struct Scrubbed<'t> {
    text: &'t str,
    cells: Vec<Cell>,
    words: Words,
    known: Vec<Rc<Word>>,
    /// The clause of each word, within its part of a sentence.
    clauses: Vec<u32>,
    pieces: Vec<Piece>,
}

/// One part of a sentence that was kept.
#[derive(Clone)]
struct Piece {
    cells: Range<usize>,
    words: Range<usize>,
    /// Bytes of the original.
    bytes: Range<usize>,
    /// Code point in the original.
    start: usize,
    /// What stands right before it was kept, too.
    follows_kept: bool,
}

/// A kept sentence, or the part of one up to `;` or a bullet, seen from outside.
#[derive(Clone, Copy)]
pub struct Sentence<'s> {
    /// As written, with the white space behind it.
    pub text: &'s str,
    /// Where it starts in the original, in code points.
    pub start: usize,
    /// Whether the sentence right before it in the original was kept, too.
    pub follows_kept: bool,
    of: &'s Scrubbed<'s>,
    piece: &'s Piece,
}

impl<'s> Sentence<'s> {
    /// Its folded characters.
    pub(super) fn cells(&self) -> &'s [Cell] {
        &self.of.cells[self.piece.cells.clone()]
    }

    /// Its words; their cells are counted from its start.
    pub(super) fn tokens(&self) -> Vec<Token<'s>> {
        self.of.words.tokens(&self.of.known, self.piece.words.clone(), self.piece.cells.start).collect()
    }

    /// The clause of each word.
    pub(super) fn clauses(&self) -> &'s [u32] {
        &self.of.clauses[self.piece.words.clone()]
    }

    /// What stands in the original from the first to the last of these cells, and its code points, half-open.
    pub(super) fn written(&self, cells: &Range<usize>) -> (&'s str, [usize; 2]) {
        self.of.written(self.piece, &self.cells()[cells.clone()])
    }
}

/// Kept sentences between which nothing was withheld, with all their parts.
#[derive(Clone, Copy)]
pub(super) struct Run<'s> {
    of: &'s Scrubbed<'s>,
    /// One at least.
    pieces: &'s [Piece],
}

impl<'s> Run<'s> {
    /// How many parts of sentences it has.
    pub(super) fn parts(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn cells(&self) -> &'s [Cell] {
        &self.of.cells[self.pieces[0].cells.start..self.pieces[self.pieces.len() - 1].cells.end]
    }

    /// Its words; their cells are counted from its start.
    pub(super) fn tokens(&self) -> Vec<Token<'s>> {
        let words = self.pieces[0].words.start..self.pieces[self.pieces.len() - 1].words.end;
        self.of.words.tokens(&self.of.known, words, self.pieces[0].cells.start).collect()
    }

    /// What stands in the original at these cells, and its code points, half-open.
    pub(super) fn written(&self, cells: Range<usize>) -> (&'s str, [usize; 2]) {
        self.of.written(&self.pieces[0], &self.cells()[cells])
    }
}

impl Scrubbed<'_> {
    /// The kept sentences in order, each in its parts.
    pub fn sentences(&self) -> impl Iterator<Item = Sentence<'_>> {
        self.pieces.iter().map(|piece| Sentence {
            text: &self.text[piece.bytes.clone()],
            start: piece.start,
            follows_kept: piece.follows_kept,
            of: self,
            piece,
        })
    }

    /// The kept sentences, together where nothing between them was withheld.
    pub(super) fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.pieces.chunk_by(|_, next| next.follows_kept).map(|pieces| Run { of: self, pieces })
    }

    /// What stands in the original at these cells, and its code points, half-open; `piece` is the one at whose start to count, or
    /// one before it.
    fn written(&self, piece: &Piece, cells: &[Cell]) -> (&str, [usize; 2]) {
        let (from, last) = match cells {
            [only] => (only.byte as usize, only.byte as usize),
            [first, .., last] => (first.byte as usize, last.byte as usize),
            [] => (piece.bytes.start, piece.bytes.start),
        };
        let end = self.text[last..].chars().next().map_or(last, |c| last + c.len_utf8());
        let text = &self.text[from..end];
        let start = piece.start + self.text[piece.bytes.start..from].chars().count();
        (text, [start, start + text.chars().count()])
    }

    /// The kept text; a gap shows as a paragraph break. Equals the original where nothing was withheld.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (i, piece) in self.sentences().enumerate() {
            if i > 0 && !piece.follows_kept {
                text.push_str("\n\n");
            }
            text.push_str(piece.text);
        }
        text
    }
}

/// [`super::phrase::Phrases::look_up`] in the lexicons.
pub(super) fn look_up(word: Spelling<'_>, ids: &mut Vec<u32>) -> [u32; 2] {
    LEXICON.look_up(word, ids)
}

/// Whether a word that is looked for where words were torn begins with this one and goes on.
pub(super) fn may_go_on(word: &str) -> bool {
    LEXICON.may_go_on(word)
}

/// A part of a sentence: its cells, and its words among those of the text.
struct Part {
    cells: Range<usize>,
    words: Range<usize>,
}

/// Withholds every sentence that touches a special category, and neighbours that give it away.
///
/// Both languages are always looked for, since notes mix them; `language`, where given, only settles
/// words that are harmless in the other one. Linear in the length of the text.
#[must_use]
pub fn scrub(text: &str, language: Option<Language>) -> (Scrubbed<'_>, Withheld) {
    let text = fold::bounded(text);
    let cells = fold::fold(text);
    let mut words = Words::over(&cells);
    let (mut parts, mut ends) = (Vec::new(), Vec::new());
    for sentence in sentence::sentences(&cells) {
        sentence::parts(&cells, &sentence, |part| {
            let first = words.len();
            words.read(&cells, part.clone());
            parts.push(Part { cells: part, words: first..words.len() });
        });
        ends.push(parts.len());
    }
    let known = words.known();
    let mut clauses = Vec::with_capacity(words.len());
    let reasons = {
        let tokens: Vec<Token<'_>> = words.tokens(&known, 0..words.len(), 0).collect();
        for part in &parts {
            clauses.extend(token::clauses(&cells, &tokens[part.words.clone()], part.cells.start));
        }
        with_neighbours(&verdicts(&cells, (&tokens, &clauses), (&parts, &ends), language))
    };
    let mut withheld = Withheld::default();
    for category in reasons.iter().flat_map(|r| r.iter()) {
        *withheld.0.entry(category).or_default() += 1;
    }
    let pieces = cut(text, &cells, &parts, (&reasons, &ends));
    (Scrubbed { text, cells, words, known, clauses, pieces }, withheld)
}

/// What is found in each sentence; `clauses` numbers those of each part, `ends` tells where the parts of each sentence end.
fn verdicts(
    cells: &[Cell],
    (tokens, clauses): (&[Token<'_>], &[u32]),
    (parts, ends): (&[Part], &[usize]),
    language: Option<Language>,
) -> Vec<Verdict> {
    let of_part =
        |part: &Part| judge(cells, &part.cells, (&tokens[part.words.clone()], &clauses[part.words.clone()]), language);
    let mut start = 0;
    let mut found = Vec::with_capacity(ends.len());
    for end in ends {
        let parts = &parts[start..*end];
        start = *end;
        found.push(match parts {
            [] => Verdict::default(),
            [whole] => of_part(whole),
            [first, .., last] => {
                let range = first.cells.start..last.cells.end;
                let tokens = &tokens[first.words.start..last.words.end];
                let clauses: Vec<u32> = token::clauses(cells, tokens, range.start).collect();
                let mut verdict = judge(cells, &range, (tokens, &clauses), language);
                // Work in one part must not cover up what another part reveals.
                for part in parts {
                    verdict.special.extend(of_part(part).special);
                }
                verdict
            }
        });
    }
    found
}

fn judge(
    cells: &[Cell],
    range: &Range<usize>,
    (tokens, clauses): (&[Token<'_>], &[u32]),
    language: Option<Language>,
) -> Verdict {
    let disguises = disguise::disguises(cells, range, tokens, |first| LEXICON.may_begin(first));
    LEXICON.judge(tokens, clauses, &disguises, language)
}

/// The categories for which each sentence is withheld; empty = kept.
fn with_neighbours(verdicts: &[Verdict]) -> Vec<Categories> {
    let mut reasons: Vec<Categories> = verdicts.iter().map(|v| v.special).collect();
    for i in 1..reasons.len() {
        if reasons[i].is_empty() && (verdicts[i].follows || verdicts[i].continues) {
            reasons[i] = reasons[i - 1].first();
        }
    }
    for i in (1..reasons.len()).rev() {
        if reasons[i - 1].is_empty() && verdicts[i - 1].follows {
            reasons[i - 1] = reasons[i].first();
        }
    }
    reasons
}

/// Cuts the original at the parts; characters that no reader sees go with the sentence before them.
fn cut(text: &str, cells: &[Cell], parts: &[Part], (reasons, ends): (&[Categories], &[usize])) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(parts.len());
    let (mut sentence, mut follows_kept) = (0, false);
    let (mut byte, mut point) = (0, 0);
    for (i, part) in parts.iter().enumerate() {
        while ends[sentence] <= i {
            sentence += 1;
        }
        let kept = reasons[sentence].is_empty();
        let end = parts.get(i + 1).map_or(text.len(), |next| cells[next.cells.start].byte as usize);
        if kept {
            let (cells, words) = (part.cells.clone(), part.words.clone());
            pieces.push(Piece { cells, words, bytes: byte..end, start: point, follows_kept });
        }
        follows_kept = kept;
        point += text[byte..end].chars().count();
        byte = end;
    }
    pieces
}

#[cfg(test)]
mod tests;
