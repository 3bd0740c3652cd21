//! How people are addressed, and the pronouns that stand for them.
//!
//! Invariant: what is read here of a form resolves pronouns, and is then forgotten.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The gender form that an honorific or a pronoun shows; used to resolve pronouns, then forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Masculine = 0,
    Feminine = 1,
}

pub(super) const TITLES: &[&str] = &[
    "dr",
    "prof",
    "dipl",
    "ing",
    "mag",
    "mba",
    "msc",
    "bsc",
    "phd",
    "lic",
    "rer",
    "nat",
    "med",
    "jur",
    "professor",
    "doktor",
];

/// Academic titles that stand before a family name like an honorific.
pub(super) const DEGREES: &[&str] = &["dr", "prof", "professor", "doktor", "ing"];

/// Whether a word stands before the names of people.
pub(super) fn is_address(word: &str) -> bool {
    honorific(word).is_some() || DEGREES.contains(&word)
}

pub(super) fn honorific(word: &str) -> Option<(Form, bool)> {
    match word {
        "herr" | "hr" | "mr" | "mister" | "sir" => Some((Form::Masculine, false)),
        "herrn" | "hrn" => Some((Form::Masculine, true)),
        "frau" | "fr" | "mrs" | "ms" | "miss" | "madam" => Some((Form::Feminine, false)),
        _ => None,
    }
}

/// The form of a pronoun that can stand for one person.
pub(super) fn pronoun(word: &str) -> Option<Form> {
    match word {
        "er" | "he" => Some(Form::Masculine),
        "sie" | "she" => Some(Form::Feminine),
        _ => None,
    }
}

/// Family names that are also what somebody or something is called, folded.
static TRADES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("../../../config/signals/surnames.txt").lines();
    lines.filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
});

/// Whether behind an article a family name is rather the word for a trade, a thing or a company's name.
pub(super) fn is_trade(word: &str) -> bool {
    TRADES.contains(&word)
}
