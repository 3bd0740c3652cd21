//! A name, word by word, and where its words stand in a text.
//!
//! Invariant: a name counts where all its words stand and no longer name goes on behind them.

use super::address::TITLES;
use super::genitive::is_genitive;
use super::guard::fold::Cell;
use super::guard::token::{Token, Words};

/// The words of a contact's name, folded.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) given: Vec<String>,
    pub(super) family: Vec<String>,
}

impl Name {
    pub(super) fn read(name: &str) -> Self {
        let ordered = match name.split_once(',') {
            Some((family, given)) => format!("{given} {family}"),
            None => name.to_owned(),
        };
        let words: Vec<Vec<String>> = ordered
            .split_whitespace()
            .map(words_of)
            .filter(|w| !(w.is_empty() || w.len() == 1 && TITLES.contains(&w[0].as_str())))
            .collect();
        match &words[..] {
            [] => Self { given: Vec::new(), family: Vec::new() },
            [family] => Self { given: Vec::new(), family: family.clone() },
            [given, .., family] => Self { given: given.clone(), family: family.clone() },
        }
    }
}

/// The folded words of a name.
pub(super) fn words_of(name: &str) -> Vec<String> {
    Words::of(name).spellings().map(|word| word.text.to_owned()).collect()
}

pub(super) fn unique(found: &[(usize, usize)]) -> Option<(usize, usize)> {
    if let [only] = found { Some(*only) } else { None }
}

/// Where the words of all `parts` end, if they stand from `at` on and no longer name goes on behind them.
pub(super) fn reaches(cells: &[Cell], tokens: &[Token<'_>], mut at: usize, parts: &[&[String]]) -> Option<usize> {
    for part in parts {
        if part.is_empty() {
            return None;
        }
        for word in *part {
            let token = tokens.get(at)?;
            if token.text != *word && !is_genitive(tokens, at, word) {
                return None;
            }
            at += 1;
        }
    }
    let last = &tokens[at - 1];
    let hyphen = cells.get(last.cells.end).is_some_and(|c| c.out == '-')
        && tokens.get(at).is_some_and(|next| next.cells.start == last.cells.end + 1);
    (!hyphen).then_some(at)
}

/// `Sehr geehrte Frau. Weber`: a stop other than of an abbreviation parts the words.
pub(super) fn ends_sense(cells: &[Cell], first: &Token<'_>, second: &Token<'_>) -> bool {
    cells[first.cells.end..second.cells.start]
        .iter()
        .any(|c| matches!(c.raw, ',' | ':' | ';' | '!' | '?' | '(' | ')' | '"'))
}
