//! Marks of gender in a title: groups such as `(m/w/d)` and endings such as `*in`.
//!
//! Invariant: looks at most a fixed number of code points ahead.

use super::class::Unit;
use super::scan::{Scanner, fold_into};

/// A few letters in lower case, without a place on the heap.
#[derive(Default)]
struct Letters {
    letters: [char; 16],
    len: usize,
}

impl Letters {
    /// `None` where there are more than 16.
    fn lower(units: &[impl Unit]) -> Option<Self> {
        let mut out = Self::default();
        for c in units.iter().flat_map(|u| u.char().to_lowercase()) {
            *out.letters.get_mut(out.len)? = c;
            out.len += 1;
        }
        Some(out)
    }

    fn are(&self, word: &str) -> bool {
        word.chars().eq(self.letters[..self.len].iter().copied())
    }

    fn among(&self, words: &[&str]) -> bool {
        words.iter().any(|w| self.are(w))
    }
}

impl<U: Unit> Scanner<'_, U> {
    /// `(m/w/d)`, `(gn)`, `[w|m|x]`, `m/w/d`: returns where it ends.
    pub fn gender_group(&mut self) -> Option<usize> {
        let mut flat = std::mem::take(&mut self.out.folded);
        flat.clear();
        let end = self.group_end(&mut flat);
        self.out.folded = flat;
        end
    }

    /// As [`Self::gender_group`]; `flat` is room for the letters.
    fn group_end(&self, flat: &mut String) -> Option<usize> {
        let open = matches!(self.peek(0), Some('(' | '['));
        if !open && self.at > 0 && self.letter(self.at - 1) {
            return None;
        }
        // Outside brackets a letter and a separator: "m/w/d".
        if !open && !matches!(self.peek(1), Some('/' | '|' | '*' | ',' | ':' | '.' | '_' | '-' | '&' | '⚧')) {
            return None;
        }
        let start = self.at + usize::from(open);
        let mut separators = 0;
        let mut i = start;
        while i < self.units.len() && i - start < 22 {
            match self.units[i].char() {
                '/' | '|' | '*' | ',' | ':' | '.' | '_' | '-' | '&' | '⚧' => separators += 1,
                ' ' if open => {}
                ' ' | ')' | ']' => break,
                c if !open && !"mwdfxinMWDFXIN".contains(c) => return None,
                c if c.is_alphabetic() => fold_into(c, flat),
                _ => return None,
            }
            i += 1;
        }
        let closed = i < self.units.len() && matches!(self.char(i), Some(')' | ']'));
        let letters = flat.chars().all(|c| "mwdfxin".contains(c)) && flat.len() <= 4;
        let known = ["mwd", "wmd", "fmd", "mfd", "gn", "mw", "wm", "mf", "fm", "m", "w", "f", "d", "dmw", "mwx"];
        let words =
            ["allgenders", "allegeschlechter", "mwdiv", "wmdiv", "mwdivers", "wmdivers", "mfdiv", "genderneutral"];
        let ok = if open {
            closed
                && ((letters && separators >= 1 && flat.len() >= 2)
                    || known.contains(&flat.as_str())
                    || words.contains(&flat.as_str()))
        } else {
            letters
                && separators >= flat.len().saturating_sub(1)
                && flat.len() >= 2
                && separators >= 1
                && (flat.contains('w') || flat.contains('f'))
                && flat.contains('m')
        };
        ok.then_some(i + usize::from(open && closed))
    }

    /// `(she/her)`, `[er, ihm]`, `they/them`: returns where it ends.
    pub fn pronouns(&self) -> Option<usize> {
        const PRONOUNS: [&str; 29] = [
            "she", "her", "hers", "he", "him", "his", "they", "them", "theirs", "xe", "xem", "ze", "zir", "hir", "sie",
            "ihr", "ihre", "er", "ihm", "ihn", "sein", "dey", "deren", "denen", "xier", "xiem", "mx", "any", "all",
        ];
        let open = matches!(self.peek(0), Some('(' | '['));
        if !open && self.at > 0 && self.letter(self.at - 1) {
            return None;
        }
        let (mut count, mut i) = (0, self.at + usize::from(open));
        loop {
            let end =
                (i..self.units.len().min(i + 8)).find(|&k| !self.letter(k)).unwrap_or(self.units.len().min(i + 8));
            // Outside brackets pronouns come by slashes: "she/her".
            if count == 0 && !open && self.char(end) != Some('/') {
                return None;
            }
            let word = Letters::lower(&self.units[i..end])?;
            let last = open && count > 0 && word.are("pronouns");
            if !(word.among(&PRONOUNS) || last) || self.letter(end) {
                return None;
            }
            count += 1;
            let next = (end..self.units.len().min(end + 4))
                .find(|&k| self.letter(k) || matches!(self.char(k), Some(')' | ']')))
                .filter(|&k| self.units[end..k].iter().all(|u| " /,|&.".contains(u.char())));
            let joined = self.char(end).is_some_and(|c| c == '/' || (open && " ,|&".contains(c)));
            match next {
                Some(k) if open && matches!(self.char(k), Some(')' | ']')) => return Some(k + 1),
                Some(k) if joined && self.letter(k) => i = k,
                _ if !open && count >= 2 => return Some(end),
                _ => return None,
            }
        }
    }

    /// At the capital I of `LeiterIn` or `LeiterInnen`.
    pub fn capital_in(&self, start: usize) -> bool {
        let behind = |i: usize| self.char(i).is_some_and(char::is_lowercase);
        if self.peek(0) != Some('I') || self.at < start + 3 || !behind(self.at - 1) {
            return false;
        }
        let most = self.units.len().min(self.at + 6);
        let end = (self.at..most).find(|&k| !self.letter(k)).unwrap_or(most);
        let spells =
            |from: usize, to: usize, word: &str| self.units[from..to].iter().map(|u| u.char()).eq(word.chars());
        let linked = self.at == start + 6
            && self.units[start..self.at].iter().map(|u| u.char().to_ascii_lowercase()).eq("linked".chars());
        (spells(self.at, end, "In") || spells(self.at, end, "Innen")) && !linked
    }

    /// Steps over `*in`, `:innen`, `/-in`, `(in)`, `_r`, `/-frau`, `In` after a word; returns how the ending begins.
    pub fn gender_mark(&mut self) -> Option<char> {
        const ENDINGS: [&str; 18] = [
            "innen", "in", "r", "e", "n", "frau", "mann", "leute", "nen", "ne", "er", "frauen", "rice", "trice",
            "euse", "ère", "ière", "ienne",
        ];
        let from = self.at;
        let mut i = from;
        let open = self.char(i) == Some('(');
        let mark = match self.char(i) {
            Some('*' | ':' | '_' | '·' | '/' | '(' | '•' | '’' | '\'' | '!') => {
                i += 1;
                if matches!(self.char(i), Some('-' | '/' | '*' | '‑')) {
                    i += 1;
                }
                true
            }
            Some('I') => true,
            _ => false,
        };
        if !mark {
            return None;
        }
        let end = (i..self.units.len().min(i + 7)).find(|&k| !self.letter(k)).unwrap_or(self.units.len().min(i + 7));
        let ending = Letters::lower(&self.units[i..end])?;
        if !ending.among(&ENDINGS) || self.letter(end) {
            return None;
        }
        if open && self.char(end) != Some(')') {
            return None;
        }
        self.at = end + usize::from(open);
        ending.letters.first().copied().filter(|_| ending.len > 0)
    }
}
