//! The words of a folded text.
//!
//! Invariant: a token knows the cells it came from. All words of a text are read once, into one buffer; tokens borrow it.

use std::ops::Range;
use std::rc::Rc;

use super::class::Class;
use super::disguise::letter_for;
use super::fold::{Cell, fold};
use crate::extract::text::memory::{Word, known};

/// A word of the folded text with what the memory knows of it.
#[derive(Debug, Clone)]
pub(in crate::extract::text) struct Token<'t> {
    /// Folded.
    pub(in crate::extract::text) text: &'t str,
    /// Its cells.
    pub(in crate::extract::text) cells: Range<usize>,
    /// Begins with a capital as written.
    pub(in crate::extract::text) capital: bool,
    /// What it is to all patterns.
    pub(in crate::extract::text) word: &'t Word,
}

/// A word as it is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::extract::text) struct Spelling<'t> {
    /// Folded.
    pub(in crate::extract::text) text: &'t str,
    /// Begins with a capital as written.
    pub(in crate::extract::text) capital: bool,
    /// Nothing but capitals as written.
    pub(in crate::extract::text) upper: bool,
}

/// Where a word stands among the folded words and in the cells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    text: Range<u32>,
    cells: Range<u32>,
    capital: bool,
    upper: bool,
}

/// The words of a folded text, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::extract::text) struct Words {
    /// All characters as folded where these are ASCII, then the words that do not stand there in one piece.
    folded: String,
    /// All characters are ASCII, so that their places are those of the cells.
    plain: bool,
    spans: Vec<Span>,
}

impl Words {
    /// The words of a text.
    pub(in crate::extract::text) fn of(text: &str) -> Self {
        let cells = fold(text);
        let mut words = Self::over(&cells);
        words.read(&cells, 0..cells.len());
        words
    }

    /// No words yet, of these cells.
    pub(super) fn over(cells: &[Cell]) -> Self {
        let spans = Vec::with_capacity(cells.len() / 5 + 1);
        // What is not ASCII becomes what is no UTF-8.
        let bytes: Vec<u8> = cells.iter().map(|c| if c.out.is_ascii() { c.out as u8 } else { 0xff }).collect();
        match String::from_utf8(bytes) {
            Ok(folded) => Self { folded, plain: true, spans },
            Err(_) => Self { folded: String::new(), plain: false, spans },
        }
    }

    pub(in crate::extract::text) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(in crate::extract::text) fn spellings(&self) -> impl Iterator<Item = Spelling<'_>> {
        self.spans.iter().map(|span| Spelling { text: self.text(span), capital: span.capital, upper: span.upper })
    }

    fn text(&self, span: &Span) -> &str {
        &self.folded[span.text.start as usize..span.text.end as usize]
    }

    fn push(&mut self, text: u32, cells: Range<usize>, capital: bool, upper: bool) {
        let cells = cells.start as u32..cells.end as u32;
        self.spans.push(Span { text: text..self.folded.len() as u32, cells, capital, upper });
    }

    /// Adds the plain words of a sentence.
    pub(super) fn read(&mut self, cells: &[Cell], range: Range<usize>) {
        let mut i = range.start;
        while i < range.end {
            let start = i;
            let mut class = Class::default();
            while i < range.end && cells[i].is_word() {
                class = class.and(cells[i].class());
                i += 1;
            }
            if i == start {
                if cells[i].out >= '\u{2600}' {
                    let text = self.folded.len() as u32;
                    self.folded.push(cells[i].out);
                    self.push(text, i..i + 1, false, false);
                }
                i += 1;
                continue;
            }
            let capital = cells[start].raw.is_uppercase();
            if self.plain && goes_on(cells, i, range.end).is_none() {
                let place = start as u32..i as u32;
                self.spans.push(Span { text: place.clone(), cells: place, capital, upper: !class.has(Class::LOWER) });
            } else {
                i = self.read_pieces(cells, start, range.end);
            }
        }
    }

    /// Adds a word that may have marks in it; tells where it ends.
    fn read_pieces(&mut self, cells: &[Cell], start: usize, end: usize) -> usize {
        let text = self.folded.len() as u32;
        let mut i = start;
        while i < end {
            if cells[i].is_word() {
                self.folded.push(cells[i].out);
                i += 1;
            } else if let Some((next, mark)) = goes_on(cells, i, end) {
                self.folded.extend(mark);
                i = next;
            } else {
                break;
            }
        }
        let upper = !cells[start..i].iter().any(|c| c.is(Class::LOWER));
        self.push(text, start..i, cells[start].raw.is_uppercase(), upper);
        i
    }

    /// What the memory knows of each.
    pub(in crate::extract::text) fn known(&self) -> Vec<Rc<Word>> {
        known(self.spellings(), self.len())
    }

    /// The words at some places, with their cells counted from `from`.
    pub(in crate::extract::text) fn tokens<'t>(
        &'t self,
        known: &'t [Rc<Word>],
        range: Range<usize>,
        from: usize,
    ) -> impl Iterator<Item = Token<'t>> {
        self.spans[range.clone()].iter().zip(&known[range]).map(move |(span, word)| Token {
            text: self.text(span),
            cells: span.cells.start as usize - from..span.cells.end as usize - from,
            capital: span.capital,
            word,
        })
    }
}

/// Where a word goes on behind its letters, and the mark in between if it is part of the word.
fn goes_on(cells: &[Cell], i: usize, end: usize) -> Option<(usize, Option<char>)> {
    if i >= end || cells[i].is(Class::SPACE) {
        return None;
    }
    if is_inner_apostrophe(cells, i, end) {
        return Some((i + 1, Some('\'')));
    }
    hyphenated_line_break(cells, i, end).or_else(|| gender_mark(cells, i, end)).map(|next| (next, None))
}

fn is_inner_apostrophe(cells: &[Cell], i: usize, end: usize) -> bool {
    cells[i].out == '\'' && i + 1 < end && cells[i + 1].out.is_alphabetic()
}

/// `Kran-` line break `kenhaus` is one word: where it goes on.
fn hyphenated_line_break(cells: &[Cell], i: usize, end: usize) -> Option<usize> {
    if cells[i].out != '-' {
        return None;
    }
    let mut next = i + 1;
    let mut broken = false;
    while next < end && cells[next].raw.is_whitespace() && next - i < 20 {
        broken |= matches!(cells[next].raw, '\n' | '\r' | '\u{2028}');
        next += 1;
    }
    (broken && next < end && cells[next].raw.is_lowercase()).then_some(next)
}

/// `Einkäufer:in`, `Lehrer*innen`: the mark is no part of the word.
fn gender_mark(cells: &[Cell], i: usize, end: usize) -> Option<usize> {
    if !matches!(cells[i].raw, ':' | '*' | '_' | '/' | '·') {
        return None;
    }
    let rest = cells[i + 1..end].iter().take(6).take_while(|c| c.is_word()).map(|c| c.out);
    ["in", "innen", "r", "n", "e"].iter().any(|mark| rest.clone().eq(mark.chars())).then_some(i + 1)
}

/// A quotation mark of either language.
pub(in crate::extract::text) const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '„' | '“' | '”' | '«' | '»' | '‟')
}

/// Numbers the clause of each token of a sentence that begins at cell `start`.
pub(super) fn clauses(cells: &[Cell], tokens: &[Token<'_>], start: usize) -> impl Iterator<Item = u32> {
    let mut clause = 0;
    let mut last = start;
    tokens.iter().map(move |token| {
        let between = &cells[last..token.cells.start];
        // A hyphen alone parts none, a dash with something around it does.
        let digits = |at: Option<usize>| at.and_then(|at| cells.get(at)).is_some_and(|c| c.raw.is_ascii_digit());
        // `0,02`, `7/8`, `9:40` are one number each.
        let number = between.len() == 1 && digits(last.checked_sub(1)) && digits(Some(token.cells.start));
        let parted = !number && between.iter().any(|c| c.is(Class::CLAUSE) && (c.out != '-' || between.len() >= 3));
        clause += u32::from(parted);
        last = token.cells.end;
        clause
    })
}

/// The sentence with spaced-out words joined and digits read as letters; `None` where nothing changes.
pub(super) fn plain_words(tokens: &[Token<'_>]) -> Option<Words> {
    // What most sentences are is told without copying their words.
    let single = |token: &Token<'_>| token.word.chars() < 2;
    if !tokens.iter().any(|t| t.word.is_mixed()) && !tokens.windows(2).any(|pair| pair.iter().all(single)) {
        return None;
    }
    let mut found = Words::default();
    let mut changed = false;
    // The usual gap of a word that is open, and the length of the last word.
    let (mut open, mut last_chars) = (None, 0);
    for token in tokens {
        let gap = found.spans.last().map(|last| token.cells.start - last.cells.end as usize);
        let joins = single(token)
            && gap.is_some_and(|gap| open.is_none_or(|usual| gap <= usual))
            && (open.is_some() || last_chars == 1);
        if joins && let Some(last) = found.spans.last_mut() {
            found.folded.push_str(token.text);
            last.text.end = found.folded.len() as u32;
            last.cells.end = token.cells.end as u32;
            open = open.or(gap);
            changed = true;
            continue;
        }
        open = None;
        last_chars = token.word.chars();
        let text = found.folded.len() as u32;
        if token.word.is_mixed() {
            found.folded.extend(token.text.chars().map(|c| letter_for(c, 'i').unwrap_or(c)));
            changed = true;
        } else {
            found.folded.push_str(token.text);
        }
        found.push(text, token.cells.clone(), token.capital, token.word.is_upper());
    }
    changed.then_some(found)
}
