//! A title as folded words with their places: case, umlauts and gender marks are gone, separators are kept.
//!
//! Invariant: spans are code points of the given title, ascend, do not overlap; work is capped at `CAP`.

use std::cell::RefCell;

use super::class::{self, Unit};
pub(super) use super::lemma::fold_into;
use super::lemma::{Eights, Lemma, Words};

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
    /// Where pronouns stood ("(she/her)"), which are never read nor stored: code points, half-open.
    pub pronouns: Vec<(usize, usize)>,
    /// There is an umlaut.
    pub umlaut: bool,
    /// Room for the code points and for the folded word at hand.
    latin: Vec<u8>,
    wide: Vec<char>,
    pub folded: String,
}

thread_local! {
    static WORDS: RefCell<Words> = RefCell::default();
}

/// Scans a title.
pub(super) fn scan(title: &str) -> Scan {
    let mut out = Scan::default();
    scan_into(title, &mut out);
    out
}

/// Scans a title into what an earlier scan has left, so that its room is used again.
pub(super) fn scan_into(title: &str, out: &mut Scan) {
    out.tokens.clear();
    out.pronouns.clear();
    let mut latin = std::mem::take(&mut out.latin);
    if let Some(len) = to_latin(title, &mut latin) {
        scan_units(&latin[..len], &latin, out);
    } else {
        let mut wide = std::mem::take(&mut out.wide);
        wide.clear();
        wide.extend(points(title));
        scan_units(&wide, &[], out);
        out.wide = wide;
    }
    out.latin = latin;
}

/// The code points that are read.
pub(super) fn points(title: &str) -> impl Iterator<Item = char> {
    title.chars().take(CAP).map(narrow)
}

/// A title as Latin-1, which nearly all are; tells how long it is. The margin of words follows.
fn to_latin(title: &str, out: &mut Vec<u8>) -> Option<usize> {
    out.clear();
    if title.is_ascii() {
        out.extend_from_slice(&title.as_bytes()[..title.len().min(CAP)]);
    } else {
        let mut bytes = title.bytes();
        while out.len() < CAP
            && let Some(byte) = bytes.next()
        {
            match byte {
                0..0x80 => out.push(byte),
                0xC2 | 0xC3 => out.push((byte << 6) | (bytes.next()? & 0x3F)),
                _ => return None,
            }
        }
    }
    let len = out.len();
    out.extend_from_slice(Eights::MARGIN.as_bytes());
    Some(len)
}

fn scan_units<U: Unit>(units: &[U], padded: &[u8], out: &mut Scan) {
    let marks = units.iter().fold(0, |all, u| all | u.class());
    let pairs = marks & class::FIRST != 0 && marks & class::SECOND != 0;
    out.hostile = (pairs || marks & class::HOSTILE != 0) && looks_hostile(units);
    out.umlaut = marks & class::UMLAUT != 0;
    if !out.hostile {
        WORDS.with_borrow_mut(|words| {
            Scanner { units, padded, at: 0, sep: Sep::Space, or: false, twins: false, out, words, marks }.run();
        });
    }
}

/// Full-width Latin as plain Latin, one code point for one.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).expect("within ASCII"),
        c => c,
    }
}

/// Markup, formulas, templates, SQL and links: nothing that a person is called at work.
fn looks_hostile<U: Unit>(units: &[U]) -> bool {
    let first = units.iter().map(|u| u.char()).find(|c| !c.is_whitespace());
    if matches!(first, Some('=' | '+' | '{' | '$' | '\\')) {
        return true;
    }
    let doubtful = |w: &&[U]| w[0].class() & (class::HOSTILE | class::FIRST) != 0;
    units.windows(2).filter(doubtful).map(|w| (w[0].char(), w[1].char())).any(|(a, b)| match a {
        '<' => b.is_ascii_alphabetic() || matches!(b, '/' | '!' | '?' | '<'),
        '$' | '#' => b == '{',
        '{' => matches!(b, '{' | '%'),
        '\'' | '"' => b == ';',
        '-' | ';' => b == '-',
        ':' => b == '/',
        '%' => b == '}',
        '=' => matches!(b, '=' | '\'' | '1'),
        '(' => b == ')',
        '\\' => true,
        _ => false,
    })
}

pub(super) struct Scanner<'t, U> {
    pub units: &'t [U],
    /// The same as bytes and eight more, where they are bytes; else empty.
    padded: &'t [u8],
    pub at: usize,
    pub sep: Sep,
    /// The last word is "or".
    or: bool,
    /// A word may be there twice, in both gender forms.
    twins: bool,
    pub out: &'t mut Scan,
    words: &'t mut Words,
    /// What stands in the title.
    marks: u16,
}

impl<U: Unit> Scanner<'_, U> {
    pub fn char(&self, i: usize) -> Option<char> {
        self.units.get(i).map(|u| u.char())
    }

    pub fn peek(&self, ahead: usize) -> Option<char> {
        self.char(self.at + ahead)
    }

    pub fn letter(&self, i: usize) -> bool {
        self.class(i) & class::ALNUM != 0
    }

    /// That of the end, beyond it.
    fn class(&self, i: usize) -> u16 {
        self.units.get(i).map_or(class::END, |u| u.class())
    }

    fn run(&mut self) {
        let address = self.marks & class::AT != 0;
        while self.at < self.units.len() {
            let class = self.class(self.at);
            if class & class::SPACE != 0 {
                self.at += 1;
            } else if class & class::PLAIN == 0 || address || !self.plain_word() {
                self.step(class);
            }
        }
        if self.twins {
            self.halve();
        }
    }

    /// Steps over a word that nothing but ASCII letters and digits belongs to, as nearly all words are.
    fn plain_word(&mut self) -> bool {
        let start = self.at;
        let (mut end, mut seen, mut class) = (start, 0, class::END);
        for u in &self.units[start..] {
            class = u.class();
            if class & class::PLAIN == 0 {
                break;
            }
            seen |= class;
            class = class::END;
            end += 1;
        }
        let form = |at: usize| self.char(at) == Some('I');
        let grouped = end == start + 1 && class & class::GENDER != 0;
        // "aD", "iR".
        let short = end == start + 2 && seen & class::UPPER != 0 && self.class(start) & class::LOWER != 0;
        if class & class::END == 0
            || grouped
            || short
            || (seen & class::CAPITAL_I != 0 && seen & class::LOWER != 0 && (start + 3..end).any(form))
        {
            return false;
        }
        let capital = |u: &&U| u.class() & class::UPPER != 0;
        let caps = seen & class::LOWER == 0 && self.units[start..end].iter().filter(capital).count() >= 2;
        self.at = end;
        let written = Written { span: (start, end), caps, possessive: false, marked: false };
        if self.padded.is_empty() {
            self.out.folded.clear();
            self.out.folded.extend(self.units[start..end].iter().map(|u| u.char().to_ascii_lowercase()));
            self.push_folded(written);
        } else {
            let text = self.words.lemma(Eights::of_plain(&self.padded[start..], end - start));
            self.push(text, written);
        }
        true
    }

    /// Steps over whatever stands here but a space.
    fn step(&mut self, class: u16) {
        let Some(c) = self.peek(0) else { return };
        let open = class & class::OPEN != 0;
        let grouped = open || self.class(self.at + 1) & class::GENDER != 0;
        let paired = open || self.marks & class::SLASH != 0;
        if grouped && let Some(end) = self.gender_group() {
            self.at = end;
        } else if paired && let Some(end) = self.pronouns() {
            self.out.pronouns.push((self.at, end));
            self.sep = self.sep.max(Sep::Close);
            self.at = end;
        } else if self.letter(self.at) {
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

    /// Adds the folded word at hand.
    pub fn push_folded(&mut self, word: Written) {
        let len = self.out.folded.len();
        self.out.folded.push_str(Eights::MARGIN);
        let text = self.words.lemma(Eights::of_folded(self.out.folded.as_bytes(), len));
        self.push(text, word);
    }

    fn push(&mut self, text: Lemma, word: Written) {
        let or = text.is_or();
        self.twins |= or || self.sep == Sep::Slash;
        let joined = self.or || matches!(self.sep, Sep::Slash | Sep::Open);
        if !(joined && self.repeats(&text)) {
            let Written { span, caps, possessive, marked } = word;
            self.out.tokens.push(Token { text, span, before: self.sep, caps, possessive, marked });
            self.or = or;
        }
        self.sep = Sep::Space;
    }

    /// "Berater/Beraterin", "Berater bzw. Beraterin": the other gender form of the word before, which is dropped, as
    /// is the "or" between them.
    fn repeats(&mut self, text: &str) -> bool {
        let tokens = &mut self.out.tokens;
        let n = tokens.len() - usize::from(self.or);
        if n == 0 || &*tokens[n - 1].text != text {
            return false;
        }
        tokens.truncate(n);
        tokens[n - 1].span.1 = self.at;
        self.or = tokens[n - 1].text.is_or();
        true
    }

    /// "Koch für Diätkost/Köchin für Diätkost", "Lean-Manager bzw. Lean-Managerin": two gender forms are one.
    fn halve(&mut self) {
        let tokens = &mut self.out.tokens;
        for k in (2..=tokens.len() / 2).rev() {
            let twin = (k..=tokens.len() - k).find_map(|i| {
                let or = usize::from(tokens[i].text.is_or() && i + 1 + k <= tokens.len());
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
        let before = self.at.checked_sub(1).and_then(|i| self.char(i));
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
        if self.marks & class::AT == 0 && self.peek(0) != Some('w') {
            return None;
        }
        let chars = || self.units[self.at..].iter().map(|u| u.char()).take_while(|c| !c.is_whitespace());
        let len = chars().count();
        let mail = chars().position(|c| c == '@').is_some_and(|i| i > 0 && chars().skip(i).any(|c| c == '.'));
        let host = len > 4 && chars().take(4).eq("www.".chars());
        (mail || host).then_some(self.at + len)
    }
}

/// How a word is written.
pub(super) struct Written {
    pub span: (usize, usize),
    pub caps: bool,
    pub possessive: bool,
    pub marked: bool,
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
