//! How people are addressed, and the pronouns that stand for them.
//!
//! Invariant: what is read here of a form resolves pronouns, and is then forgotten.

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
