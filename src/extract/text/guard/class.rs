//! What a folded character is, told once for all who go through the text.
//!
//! Invariant: a class is a function of the character as written and as folded; the table of ASCII says what the function
//! says.

use std::sync::LazyLock;

use super::disguise::{is_mask, letter_for};
use super::token::is_quote;

/// A set of answers, a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::extract::text) struct Class(u8);

impl Class {
    /// Part of a word.
    pub(super) const WORD: Self = Self(1);
    /// White space as written.
    pub(super) const SPACE: Self = Self(1 << 1);
    /// A small letter as written.
    pub(super) const LOWER: Self = Self(1 << 2);
    /// A letter as folded.
    pub(super) const LETTER: Self = Self(1 << 3);
    /// A digit or sign that may stand for a letter.
    pub(super) const SIGN: Self = Self(1 << 4);
    /// May stand for a letter that is left out.
    pub(super) const MASK: Self = Self(1 << 5);
    /// May end a sentence or a part of one.
    pub(super) const STOP: Self = Self(1 << 6);
    /// Parts clauses, alone or as a dash; every quotation mark does.
    pub(in crate::extract::text) const CLAUSE: Self = Self(1 << 7);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Of a letter.
    pub(super) const fn letter(lower: bool) -> Self {
        let letter = Self::WORD.and(Self::LETTER);
        if lower { letter.and(Self::LOWER) } else { letter }
    }

    pub(super) fn of(raw: char, out: char) -> Self {
        let stop = matches!(
            raw,
            '.' | '…' | '!' | '?' | '。' | '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' | ';' | '|' | '•' | '·'
        );
        let clause = matches!(raw, ',' | ';' | ':' | '(' | ')' | '|' | '•' | '\n') || is_quote(raw) || out == '-';
        let answers = [
            (out.is_alphanumeric(), Self::WORD),
            (raw.is_whitespace(), Self::SPACE),
            (raw.is_lowercase(), Self::LOWER),
            (out.is_alphabetic(), Self::LETTER),
            (letter_for(out, 'i').is_some(), Self::SIGN),
            (is_mask(out), Self::MASK),
            (stop, Self::STOP),
            (clause, Self::CLAUSE),
        ];
        Self(answers.iter().filter(|(is, _)| *is).fold(0, |all, (_, class)| all | class.0))
    }

    /// The same of ASCII, by a table; what is folded to another letter is a letter, too.
    pub(super) fn of_ascii(raw: char, out: char) -> Self {
        static TABLE: LazyLock<[Class; 128]> = LazyLock::new(|| {
            std::array::from_fn(|byte| {
                let raw = char::from(byte as u8);
                Class::of(raw, raw.to_ascii_lowercase())
            })
        });
        if out == raw.to_ascii_lowercase() { TABLE[raw as usize & 127] } else { Self::of(raw, out) }
    }
}
