//! A title as folded words with their places: case, umlauts and gender marks are gone, separators are kept.
//!
//! Invariant: spans are code points of the given title, ascend, do not overlap; work is capped at `CAP`.

pub(super) use super::lemma::fold_into;
use super::lemma::{Lemma, masculine};
use super::mark;

/// At most this many code points of a title are read.
pub(super) const CAP: usize = 400;

/// What stands between a word and the one before it; the greater one wins where several stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sep {
    Space,
    Hyphen,
    Amp,
    Slash,
    At,
    Comma,
    Colon,
    Dash,
    Open,
    Close,
    Strong,
}

/// One word.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// Folded, masculine form.
    pub text: Lemma,
    /// Code points, half-open, gender marks included.
    pub span: (usize, usize),
    /// What stands before it.
    pub before: Sep,
    /// Written in capitals only (two letters at least).
    pub caps: bool,
    /// Followed by a possessive s.
    pub possessive: bool,
    /// A gender mark was dropped: it is a German person noun.
    pub marked: bool,
}

/// A scanned title.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub tokens: Vec<Token>,
    /// The text looks like markup, a formula, code or a link rather than a title.
    pub hostile: bool,
    /// The code points that were read.
    pub chars: Vec<char>,
    /// Where pronouns stood ("(she/her)"), which are never read nor stored: code points, half-open.
    pub pronouns: Vec<(usize, usize)>,
    /// There is an umlaut.
    pub umlaut: bool,
    /// Room for the folded word at hand.
    folded: String,
}

impl Scan {
    fn clear(&mut self) {
        self.tokens.clear();
        self.chars.clear();
        self.pronouns.clear();
        self.hostile = false;
    }
}

/// Scans a title.
pub(super) fn scan(title: &str) -> Scan {
    let mut out = Scan::default();
    scan_into(title, &mut out);
    out
}

/// Scans a title into what an earlier scan has left, so that its room is used again.
pub(super) fn scan_into(title: &str, scan: &mut Scan) {
    let mut out = std::mem::take(scan);
    out.clear();
    let mut chars = std::mem::take(&mut out.chars);
    if title.is_ascii() {
        chars.extend(title.bytes().take(CAP).map(char::from));
    } else {
        chars.extend(title.chars().take(CAP).map(narrow));
    }
    let marks = chars.iter().fold(0, |marks, c| marks | mark::of(*c));
    let folded = std::mem::take(&mut out.folded);
    let plain = if title.is_ascii() { title } else { "" };
    let mut s = Scanner { chars, at: 0, sep: Sep::Space, out, folded, marks, plain };
    s.out.hostile = marks & mark::HOSTILE != 0 && looks_hostile(&s.chars);
    s.out.umlaut = marks & mark::UMLAUT != 0;
    if !s.out.hostile {
        s.run();
    }
    (s.out.chars, s.out.folded) = (s.chars, s.folded);
    *scan = s.out;
}

/// Full-width Latin as plain Latin, one code point for one.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).expect("within ASCII"),
        c => c,
    }
}

/// Markup, formulas, templates, SQL and links: nothing that a person is called at work.
fn looks_hostile(chars: &[char]) -> bool {
    let first = chars.iter().copied().find(|c| !c.is_whitespace());
    if matches!(first, Some('=' | '+' | '{' | '$' | '\\')) {
        return true;
    }
    chars.windows(2).any(|w| match w[0] {
        '<' => w[1].is_ascii_alphabetic() || matches!(w[1], '/' | '!' | '?' | '<'),
        '$' | '#' => w[1] == '{',
        '{' => matches!(w[1], '{' | '%'),
        '\'' | '"' => w[1] == ';',
        '-' | ';' => w[1] == '-',
        ':' => w[1] == '/',
        '%' => w[1] == '}',
        '=' => matches!(w[1], '=' | '\'' | '1'),
        '(' => w[1] == ')',
        '\\' => true,
        _ => false,
    })
}

fn is_or(w: &str) -> bool {
    matches!(w, "bzw" | "oder" | "resp" | "beziehungsweise")
}

pub(super) struct Scanner<'t> {
    pub chars: Vec<char>,
    pub at: usize,
    sep: Sep,
    out: Scan,
    /// The folded word at hand; one buffer for all words.
    pub folded: String,
    /// What stands in the title.
    pub marks: u8,
    /// The title, where it is ASCII and so has a byte a code point; else empty.
    plain: &'t str,
}

impl Scanner<'_> {
    pub fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    pub fn letter(&self, i: usize) -> bool {
        self.chars.get(i).is_some_and(|c| c.is_alphanumeric())
    }

    fn run(&mut self) {
        let paired = self.marks & (mark::OPEN | mark::SLASH) != 0;
        let grouped = self.marks & (mark::OPEN | mark::GENDER) != 0;
        while let Some(c) = self.peek(0) {
            if c == ' ' {
                self.at += 1;
            } else if grouped && let Some(end) = self.gender_group() {
                self.at = end;
            } else if paired && let Some(end) = self.pronouns() {
                self.out.pronouns.push((self.at, end));
                self.sep = self.sep.max(Sep::Close);
                self.at = end;
            } else if c.is_alphanumeric() {
                if let Some(end) = self.address() {
                    self.at = end;
                } else {
                    self.word();
                }
            } else {
                self.separator(c);
                self.at += 1;
            }
        }
        self.halve();
    }

    /// "Koch für Diätkost/Köchin für Diätkost", "Lean-Manager bzw. Lean-Managerin": two gender forms are one.
    fn halve(&mut self) {
        let tokens = &mut self.out.tokens;
        if !tokens.iter().any(|t| t.before == Sep::Slash || is_or(&t.text)) {
            return;
        }
        for k in (2..=tokens.len() / 2).rev() {
            let twin = (k..=tokens.len() - k).find_map(|i| {
                let or = usize::from(is_or(&tokens[i].text) && i + 1 + k <= tokens.len());
                let joined = or == 1 || tokens[i].before == Sep::Slash;
                let (first, second) = (&tokens[i - k..i], &tokens[i + or..i + or + k]);
                (joined && first.iter().zip(second).all(|(a, b)| *a.text == *b.text)).then_some(i..i + or + k)
            });
            if let Some(range) = twin {
                tokens.drain(range);
                return;
            }
        }
    }

    fn separator(&mut self, c: char) {
        let spaced = |i: Option<char>| i.is_none_or(char::is_whitespace);
        let before = self.at.checked_sub(1).and_then(|i| self.chars.get(i).copied());
        let sep = match c {
            '|' | ';' | '•' | '·' | '\n' | '►' | '→' | '»' | '«' | '‖' | '¦' | '✦' | '★' | '⭐' | '!' | '?' => {
                Sep::Strong
            }
            '-' | '–' | '—' | '−' | '‐' | '‑' if spaced(before) || spaced(self.peek(1)) => {
                // "Aus- und Weiterbildung" leaves a hyphen at the end of a word: no dash.
                if spaced(before) { Sep::Dash } else { Sep::Hyphen }
            }
            '-' | '‐' | '‑' | '_' | '–' => Sep::Hyphen,
            '—' => Sep::Dash,
            '&' | '+' => Sep::Amp,
            '/' => Sep::Slash,
            '@' => Sep::At,
            // "Finanz-, Personal- und IT-Leiterin" is one position.
            ',' if before == Some('-') && self.at >= 2 && self.letter(self.at - 2) => Sep::Amp,
            ',' => Sep::Comma,
            ':' => Sep::Colon,
            '(' | '[' => Sep::Open,
            ')' | ']' => Sep::Close,
            '.' if spaced(self.peek(1)) && self.out.tokens.last().is_some_and(|t| t.text.len() > 6) => Sep::Strong,
            _ => Sep::Space,
        };
        self.sep = self.sep.max(sep);
    }

    /// An e-mail address or host at the cursor: not part of a title.
    fn address(&self) -> Option<usize> {
        if self.marks & mark::AT == 0 && self.chars[self.at] != 'w' {
            return None;
        }
        let end = (self.at..self.chars.len()).find(|&i| self.chars[i].is_whitespace()).unwrap_or(self.chars.len());
        let chunk = &self.chars[self.at..end];
        let mail = chunk.iter().position(|&c| c == '@').is_some_and(|i| i > 0 && chunk[i..].contains(&'.'));
        let host = chunk.len() > 4 && chunk[..4] == ['w', 'w', 'w', '.'];
        (mail || host).then_some(end)
    }

    /// Folds the letters of a word; tells how many of them are upper and lower case.
    fn letters(&mut self, text: &mut String) -> (usize, usize) {
        let start = self.at;
        let mut run = 0;
        let (mut upper, mut lower) = (0, 0);
        if let Some(rest) = self.plain.as_bytes().get(start..self.chars.len()) {
            // Whole words at once, up to a letter that may begin a gender form.
            let end = start + rest.iter().position(|b| !b.is_ascii_alphabetic() || *b == b'I').unwrap_or(rest.len());
            let word = &self.plain[start..end];
            text.push_str(word);
            text.make_ascii_lowercase();
            lower = word.bytes().filter(u8::is_ascii_lowercase).count();
            (run, upper, self.at) = (word.len(), word.len() - lower, end);
        }
        while let Some(c) = self.peek(0) {
            // What nearly all letters are.
            if c.is_ascii_lowercase() || (c.is_ascii_uppercase() && c != 'I') {
                upper += usize::from(c.is_ascii_uppercase());
                lower += usize::from(c.is_ascii_lowercase());
                text.push(c.to_ascii_lowercase());
                run += 1;
            } else if c.is_alphanumeric() {
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
            } else if matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}')
            {
                // Invisible: soft hyphens and direction marks.
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

    fn word(&mut self) {
        let start = self.at;
        let mut text = std::mem::take(&mut self.folded);
        text.clear();
        let (upper, lower) = self.letters(&mut text);
        // "aD", "iR", "iV" without their dots; "ad" is an English word.
        if text.len() == 2 && lower == 1 && self.chars[start].is_lowercase() && matches!(&*text, "ad" | "ir" | "iv") {
            text.insert(1, '.');
        }
        let mark = self.gender_mark();
        let marked = mark.is_some();
        let apostrophe = matches!(self.peek(0), Some('\'' | '’' | '`'));
        let plural = apostrophe && text.ends_with('s') && self.peek(1).is_some_and(char::is_whitespace);
        let singular = apostrophe && matches!(self.peek(1), Some('s' | 'S')) && !self.letter(self.at + 2);
        let possessive = plural || singular;
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
        let lemma = masculine(&text);
        self.folded = text;
        let text = lemma;
        let caps = upper >= 2 && lower == 0;
        if self.repeats(&text) {
            self.sep = Sep::Space;
            return;
        }
        self.out.tokens.push(Token { text, span, before: self.sep, caps, possessive, marked });
        self.sep = Sep::Space;
    }

    /// "Berater/Beraterin", "Berater bzw. Beraterin": the other gender form of the word before, which is dropped.
    fn repeats(&mut self, text: &str) -> bool {
        let tokens = &mut self.out.tokens;
        let or = tokens.last().is_some_and(|t| is_or(&t.text));
        let n = tokens.len() - usize::from(or);
        let joined = or || matches!(self.sep, Sep::Slash | Sep::Open);
        if !joined || n == 0 || &*tokens[n - 1].text != text {
            return false;
        }
        tokens.truncate(n);
        tokens[n - 1].span.1 = self.at;
        true
    }

    /// "a. D.", "i. V.": one abbreviation, not "Peter A. D. Ahrens", whose capitals lead to a surname.
    fn spaced_initials(&self, start: usize) -> bool {
        let second = self.at + 2;
        if self.peek(1) != Some(' ') || !self.letter(second) || self.letter(second + 1) {
            return false;
        }
        let mut rest = self.chars[second + 1..].iter().skip_while(|c| matches!(c, '.' | ' '));
        self.chars[start].is_lowercase() || rest.next().is_none_or(|c| !c.is_alphanumeric())
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

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
