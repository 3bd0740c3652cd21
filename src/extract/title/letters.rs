//! Words that more than ASCII letters and digits belong to: umlauts, abbreviations with dots, gender marks, possessives.
//!
//! Invariant: whatever a word is made of, its folded text holds neither spaces nor zeros.

use super::class::Unit;
use super::scan::{Scanner, Written, fold_into};
use crate::safe_text::is_invisible;

impl<U: Unit> Scanner<'_, U> {
    /// Folds the letters of a word; tells how many of them are upper and lower case.
    fn letters(&mut self, text: &mut String) -> (usize, usize) {
        let start = self.at;
        let mut run = 0;
        let (mut upper, mut lower) = (0, 0);
        while let Some(c) = self.peek(0) {
            // What nearly all letters are.
            if c.is_ascii_lowercase() || (c.is_ascii_uppercase() && c != 'I') {
                upper += usize::from(c.is_ascii_uppercase());
                lower += usize::from(c.is_ascii_lowercase());
                text.push(c.to_ascii_lowercase());
                run += 1;
            } else if self.letter(self.at) {
                if self.capital_in(start) {
                    break;
                }
                upper += usize::from(c.is_uppercase());
                lower += usize::from(c.is_lowercase());
                if c == 'Ã' && self.mojibake(text) {
                    self.at += 2;
                    continue;
                }
                fold_into(c, text);
                run += 1;
            } else if matches!(c, '\u{300}'..='\u{36F}') {
                fold_into(c, text);
            } else if is_invisible(c) || matches!(c, '\u{200C}' | '\u{200D}') {
                // Soft hyphens, marks of direction, joiners.
            } else if c == '.' && run == 1 && self.letter(self.at + 1) && !self.letter(self.at + 2) {
                text.push('.');
                run = 0;
            } else if c == '.' && run == 1 && text.len() == 1 && self.spaced_initials(start) {
                text.push('.');
                run = 0;
                self.at += 1;
            } else if c == '&' && run <= 2 && self.letter(self.at + 1) && self.short_run(self.at + 1) {
                text.push('&');
                run = 0;
            } else if (c == '+' || c == '#') && text.starts_with('c') && text.len() <= 2 {
                text.push(c);
            } else {
                break;
            }
            self.at += 1;
        }
        (upper, lower)
    }

    /// Steps over a word, its gender mark and its possessive s.
    pub fn word(&mut self) {
        let start = self.at;
        let mut text = std::mem::take(&mut self.out.folded);
        text.clear();
        let (upper, lower) = self.letters(&mut text);
        // "aD", "iR", "iV" without their dots; "ad" is an English word.
        let small = self.char(start).is_some_and(char::is_lowercase);
        if text.len() == 2 && lower == 1 && small && matches!(&*text, "ad" | "ir" | "iv") {
            text.insert(1, '.');
        }
        let mark = self.gender_mark();
        let apostrophe = matches!(self.peek(0), Some('\'' | '’' | '`'));
        let plural = apostrophe && text.ends_with('s') && self.peek(1).is_some_and(char::is_whitespace);
        let singular = apostrophe && matches!(self.peek(1), Some('s' | 'S')) && !self.letter(self.at + 2);
        let span = (start, self.at);
        if singular {
            self.at += 2;
        }
        // "Geolog:in", "Ärzt*in", "beamtete/r": the stem alone is no form of the word.
        match mark {
            Some('i') if !text.ends_with('e') => text.push_str("in"),
            Some('r') if text.ends_with('e') => text.push('r'),
            _ => {}
        }
        self.out.folded = text;
        let caps = upper >= 2 && lower == 0;
        self.push_folded(Written { span, caps, possessive: plural || singular, marked: mark.is_some() });
    }

    /// "a. D.", "i. V.": one abbreviation, not "Peter A. D. Ahrens", whose capitals lead to a surname.
    fn spaced_initials(&self, start: usize) -> bool {
        let second = self.at + 2;
        if self.peek(1) != Some(' ') || !self.letter(second) || self.letter(second + 1) {
            return false;
        }
        let end = (second + 1..self.units.len()).find(|&i| !matches!(self.char(i), Some('.' | ' ')));
        self.char(start).is_some_and(char::is_lowercase) || end.is_none_or(|i| !self.letter(i))
    }

    fn short_run(&self, from: usize) -> bool {
        !(self.letter(from + 1) && self.letter(from + 2))
    }

    /// UTF-8 read as Latin-1: `GeschÃ¤ftsfÃ¼hrer`.
    fn mojibake(&self, text: &mut String) -> bool {
        let folded = match self.peek(1) {
            Some('¤' | '\u{84}' | '„') => "ae",
            Some('¶' | '\u{96}' | '–') => "oe",
            Some('¼' | '\u{9C}' | 'œ') => "ue",
            Some('\u{9F}' | 'Ÿ') => "ss",
            _ => return false,
        };
        text.push_str(folded);
        true
    }
}
