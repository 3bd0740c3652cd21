//! The Art. 9 guard: withholds every sentence that carries or reveals special-category data.
//!
//! Invariant: [`Scrubbed`] has no constructor but [`scrub`]; what it holds has passed the guard.

pub(super) mod fold;
mod lexicon;
mod sentence;
pub(super) mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::taxonomy::Language;
use fold::Cell;
use lexicon::{LEXICON, Verdict};

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
#[derive(Clone, PartialEq, Eq)]
pub struct Scrubbed {
    pieces: Vec<Piece>,
}

/// One part of a sentence that was kept.
#[derive(Clone, PartialEq, Eq)]
struct Piece {
    text: String,
    /// Code point in the original.
    start: usize,
    /// What stands right before it was kept, too.
    follows_kept: bool,
}

/// A kept sentence, or the part of one up to `;` or a bullet, seen from outside.
#[derive(Clone, Copy)]
pub struct Sentence<'a> {
    /// As written, with the white space behind it.
    pub text: &'a str,
    /// Where it starts in the original, in code points.
    pub start: usize,
    /// Whether the sentence right before it in the original was kept, too.
    pub follows_kept: bool,
}

impl Scrubbed {
    /// The kept sentences in order, each in its parts.
    pub fn sentences(&self) -> impl Iterator<Item = Sentence<'_>> {
        self.pieces.iter().map(|p| Sentence { text: &p.text, start: p.start, follows_kept: p.follows_kept })
    }

    /// The kept text; a gap shows as a paragraph break. Equals the original where nothing was withheld.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (i, piece) in self.pieces.iter().enumerate() {
            if i > 0 && !piece.follows_kept {
                text.push_str("\n\n");
            }
            text.push_str(&piece.text);
        }
        text
    }
}

/// Withholds every sentence that touches a special category, and neighbours that give it away.
///
/// Both languages are always looked for, since notes mix them; `language`, where given, only settles
/// words that are harmless in the other one. Linear in the length of the text.
#[must_use]
pub fn scrub(text: &str, language: Option<Language>) -> (Scrubbed, Withheld) {
    let cells = fold::fold(text);
    let sentences = sentence::sentences(&cells);
    let parts: Vec<Vec<Range<usize>>> = sentences.iter().map(|s| sentence::parts(&cells, s)).collect();
    let verdicts: Vec<Verdict> = sentences
        .iter()
        .zip(&parts)
        .map(|(sentence, parts)| {
            let mut verdict = judge(&cells, sentence, language);
            if parts.len() > 1 {
                // Work in one part must not cover up what another part reveals.
                verdict.special.extend(parts.iter().flat_map(|part| judge(&cells, part, language).special));
            }
            verdict
        })
        .collect();
    let reasons = with_neighbours(&verdicts);
    let mut withheld = Withheld::default();
    for category in reasons.iter().flatten() {
        *withheld.0.entry(*category).or_default() += 1;
    }
    let kept: Vec<bool> = parts.iter().zip(&reasons).flat_map(|(p, r)| vec![r.is_empty(); p.len()]).collect();
    (Scrubbed { pieces: cut(text, &cells, &parts.concat(), &kept) }, withheld)
}

fn judge(cells: &[Cell], range: &Range<usize>, language: Option<Language>) -> Verdict {
    let tokens = token::tokens(cells, range.clone());
    let disguises = token::disguises(cells, range, &tokens, |first| LEXICON.may_begin(first));
    let clauses = token::clauses(cells, &tokens, range.start);
    LEXICON.judge(&tokens, &clauses, &disguises, language)
}

/// The categories for which each sentence is withheld; empty = kept.
fn with_neighbours(verdicts: &[Verdict]) -> Vec<BTreeSet<SpecialCategory>> {
    let mut reasons: Vec<BTreeSet<SpecialCategory>> = verdicts.iter().map(|v| v.special.clone()).collect();
    for i in 1..reasons.len() {
        if reasons[i].is_empty() && (verdicts[i].follows || verdicts[i].continues) {
            reasons[i] = reasons[i - 1].iter().next().copied().into_iter().collect();
        }
    }
    for i in (1..reasons.len()).rev() {
        if reasons[i - 1].is_empty() && verdicts[i - 1].follows {
            reasons[i - 1] = reasons[i].iter().next().copied().into_iter().collect();
        }
    }
    reasons
}

/// Cuts the original at the parts; characters that no reader sees go with the sentence before them.
fn cut(text: &str, cells: &[Cell], ranges: &[Range<usize>], kept: &[bool]) -> Vec<Piece> {
    let starts: Vec<usize> =
        ranges.iter().enumerate().map(|(i, r)| if i == 0 { 0 } else { cells[r.start].at }).collect();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut sentence = 0;
    for (at, c) in text.chars().enumerate() {
        let new = sentence < starts.len() && starts[sentence] == at;
        if new {
            sentence += 1;
            if kept[sentence - 1] {
                let follows_kept = sentence >= 2 && kept[sentence - 2];
                pieces.push(Piece { text: String::new(), start: at, follows_kept });
            }
        }
        if sentence > 0
            && kept[sentence - 1]
            && let Some(piece) = pieces.last_mut()
        {
            piece.text.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
