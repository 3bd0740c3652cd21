//! How patterns are written.
//!
//! A pattern is words parted by spaces. A word is literal, or a glob with `*` at its ends, or
//! alternatives, or a named set (`<country>`); `~` before it asks for a capital letter, `!` for
//! nothing but capitals. Alternatives alone are written `a|b*`, beside other words `(a|b) c`: a stray
//! space in a list (`a|b c|d`) would mean two words in a row, and is refused.
//! `..` is a gap of up to four words, `@` a person, `^` and `$` the start and end of a clause.
//!
//! Invariant: words are folded like the text, so a pattern can be written in plain spelling.

use std::collections::BTreeMap;

use rustc_hash::{FxBuildHasher, FxHashSet};

use super::guard::fold::fold_word;
use super::guard::token::Spelling;

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PatternError {
    /// Nothing to look for.
    #[error("pattern {0:?} has no word to look for")]
    NoWord(String),
    /// A set that nobody defined.
    #[error("pattern {0:?} names an unknown set")]
    UnknownSet(String),
    /// Alternatives beside other words without parentheses, or parentheses that do not close: nearly always a
    /// stray space in a list of alternatives.
    #[error("pattern {0:?} has alternatives that are not in parentheses of their own")]
    Grouping(String),
    /// The same word twice among alternatives, or a pattern word by word the same as another.
    #[error("pattern {0:?} names a word twice")]
    Twice(String),
    /// White space other than that of ASCII: words would not be parted by it.
    #[error("pattern {0:?} has a blank that parts no words")]
    Blank(String),
    /// A star that is not at an end of a word.
    #[error("pattern {0:?} has a star inside a word")]
    InnerStar(String),
}

/// Named lists of words.
pub(super) type Sets = BTreeMap<String, Vec<String>>;

/// A word of a pattern: what is looked for in a token between its end marks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Glob {
    /// The letters, folded.
    pub(super) letters: String,
    /// A star at the front, a star at the back.
    pub(super) open: (bool, bool),
    pub(super) case: Case,
}

/// What a pattern asks of the case as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Case {
    Any,
    /// `~Linke`: begins with a capital.
    Capital,
    /// `!MS`: all capitals.
    Upper,
}

impl Case {
    pub(super) const fn fits(self, token: Spelling<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Capital => token.capital,
            Self::Upper => token.upper,
        }
    }
}

impl Glob {
    /// What is looked for between end marks; a glob that is open at an end goes without that mark.
    pub(super) fn needle(&self) -> String {
        let (front, back) = self.open;
        format!("{}{}{}", if front { "" } else { "\u{1}" }, self.letters, if back { "" } else { "\u{2}" })
    }

    /// The needle in a word whose ends are uncertain: long stems count anywhere.
    pub(super) fn loose_needle(&self) -> Option<String> {
        if self.case != Case::Any {
            None
        } else if self.letters.len() >= 5 {
            Some(self.letters.clone())
        } else {
            Some(self.needle())
        }
    }
}

/// The words of a pattern, without the parentheses around alternatives.
pub(super) fn pattern_words(pattern: &str) -> Result<Vec<&str>, PatternError> {
    let alone = pattern.split_ascii_whitespace().count() == 1;
    let checked = |word| {
        let word = pattern_word(word, alone, pattern)?;
        parts(word, pattern).map(|_| word)
    };
    pattern.split_ascii_whitespace().map(checked).collect()
}

/// A word of a pattern without the parentheses around alternatives; `alone` = the pattern has no other.
pub(super) fn pattern_word<'p>(word: &'p str, alone: bool, pattern: &str) -> Result<&'p str, PatternError> {
    let has = |word: &str, sign: u8| word.as_bytes().contains(&sign);
    let plain = |word: &str| !has(word, b'(') && !has(word, b')');
    if !word.is_ascii() && word.contains(char::is_whitespace) {
        return Err(PatternError::Blank(pattern.to_owned()));
    }
    match word.strip_prefix('(').map(|w| w.strip_suffix(')')) {
        Some(Some(inner)) if plain(inner) && has(inner, b'|') => Ok(inner),
        None if plain(word) && (alone || !has(word, b'|')) => Ok(word),
        _ => Err(PatternError::Grouping(pattern.to_owned())),
    }
}

/// The alternatives that a word is, if none stands there twice.
pub(super) fn parts<'p>(word: &'p str, pattern: &str) -> Result<Vec<&'p str>, PatternError> {
    let parts: Vec<&str> = word.split('|').collect();
    let all = parts.len();
    let parts = once(parts);
    if parts.len() == all { Ok(parts) } else { Err(PatternError::Twice(pattern.to_owned())) }
}

/// Each of them once, in order.
pub(super) fn once(mut parts: Vec<&str>) -> Vec<&str> {
    /// So many are compared one by one faster than by a set.
    const FEW: usize = 16;
    if parts.len() > FEW {
        let mut seen = FxHashSet::with_capacity_and_hasher(parts.len(), FxBuildHasher);
        parts.retain(|part| seen.insert(*part));
        return parts;
    }
    let mut end = 0;
    for at in 0..parts.len() {
        if !parts[..end].contains(&parts[at]) {
            parts[end] = parts[at];
            end += 1;
        }
    }
    parts.truncate(end);
    parts
}

/// The alternatives of one word of a pattern.
pub(super) fn globs(word: &str, pattern: &str, sets: &Sets) -> Result<Vec<Glob>, PatternError> {
    let mut found = Vec::new();
    for part in word.split('|') {
        if let Some(name) = part.strip_prefix('<').and_then(|p| p.strip_suffix('>')) {
            let set = sets.get(name).ok_or_else(|| PatternError::UnknownSet(pattern.to_owned()))?;
            for member in set {
                found.extend(spellings(member, pattern)?);
            }
        } else {
            found.extend(spellings(part, pattern)?);
        }
    }
    Ok(found)
}

/// A word with umlauts also without: `Türke`, `tuerke`, `turke`.
pub(super) fn spellings(part: &str, pattern: &str) -> Result<Vec<Glob>, PatternError> {
    let (case, part) = match part.as_bytes().first() {
        Some(b'~') => (Case::Capital, part.trim_start_matches(['~', '!'])),
        Some(b'!') => (Case::Upper, part.trim_start_matches(['~', '!'])),
        _ => (Case::Any, part),
    };
    let open = (part.starts_with('*'), part.ends_with('*'));
    let letters = part.trim_matches('*');
    if letters.is_empty() {
        return Err(PatternError::NoWord(pattern.to_owned()));
    }
    if letters.contains('*') {
        return Err(PatternError::InnerStar(pattern.to_owned()));
    }
    let mut found = vec![Glob { letters: fold_word(letters), open, case }];
    if !letters.is_ascii() && letters.contains(['ä', 'Ä', 'ö', 'Ö', 'ü', 'Ü']) {
        let bare = |c: char| match c {
            'ä' | 'Ä' => 'a',
            'ö' | 'Ö' => 'o',
            'ü' | 'Ü' => 'u',
            other => other,
        };
        found.push(Glob { letters: fold_word(&letters.chars().map(bare).collect::<String>()), open, case });
    }
    Ok(found)
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
