//! A text cut by its signs into items: what stands between them, and what stands in brackets behind it.
//!
//! Invariant: items part all words, in order; where a sentence or a line ends an item ends.

use std::ops::Range;

use super::super::guard::fold::Cell;
use super::super::guard::token::Token;

/// What parts two words, the weightier the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Blank,
    Comma,
    /// `/`, `+`, `&`.
    Joint,
    /// A dash with blanks around it.
    Dash,
    /// `;`, `|`, `>`, `--`, a tab, a bullet.
    Strong,
    /// The end of a sentence.
    Stop,
    /// `:`, `=`, an arrow, a row of dots.
    Link,
}

/// All that stands between two words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    pub(super) sign: Sign,
    pub(super) opens: bool,
    pub(super) closes: bool,
    /// A line ends.
    pub(super) row: bool,
}

impl Gap {
    const NONE: Self = Self { sign: Sign::Blank, opens: false, closes: false, row: false };

    /// Whether what stands before and behind is one list still.
    pub(super) fn joins(self) -> bool {
        matches!(self.sign, Sign::Comma | Sign::Joint) && !self.row
    }

    fn of(cells: &[Cell]) -> Self {
        let raw = |at: usize| cells.get(at).map(|c| c.raw);
        let blank = |at: Option<usize>| at.and_then(raw).is_none_or(char::is_whitespace);
        let (mut gap, mut dots, mut led) = (Self::NONE, 0, false);
        for (at, cell) in cells.iter().enumerate() {
            let before = at.checked_sub(1);
            // A dash, a star or a sign of quotation right behind the line's end is a bullet.
            let bullet =
                gap.row && cells[..at].iter().rev().take_while(|c| c.raw.is_whitespace()).any(|c| c.raw == '\n');
            let sign = match cell.raw {
                '\n' | '\r' | '\u{2028}' | '\u{85}' => {
                    gap.row = true;
                    Sign::Blank
                }
                '(' | '[' => {
                    gap.opens = true;
                    Sign::Blank
                }
                ')' | ']' => {
                    gap.closes = true;
                    Sign::Blank
                }
                '=' if matches!(before.and_then(raw), Some('!' | '≠')) => Sign::Stop,
                ':' | '=' | '→' | '⇒' => Sign::Link,
                '>' if matches!(before.and_then(raw), Some('-' | '–' | '=')) => Sign::Link,
                '-' | '–' | '—' | '*' | '>' | '•' | '·' | '+' if bullet => Sign::Blank,
                '-' if before.and_then(raw) == Some('-') => Sign::Strong,
                '-' | '–' | '—' if before.is_some() && blank(before) && blank(Some(at + 1)) => Sign::Dash,
                '>' | '<' | ';' | '|' | '•' | '·' | '\t' => Sign::Strong,
                ',' => Sign::Comma,
                '/' | '+' | '&' => Sign::Joint,
                '!' | '?' => Sign::Stop,
                '.' | '…' => {
                    led |= dots == 0 && before.is_some() && blank(before);
                    dots += if cell.raw == '…' { 3 } else { 1 };
                    if led && dots >= 3 { Sign::Link } else { Sign::Blank }
                }
                _ => Sign::Blank,
            };
            gap.sign = gap.sign.max(sign);
        }
        gap
    }
}

/// What stands between two signs.
#[derive(Debug)]
pub(super) struct Item {
    /// Its words; several pieces where brackets stand in it.
    pub(super) pieces: Vec<Range<usize>>,
    /// What stands in brackets behind it, parted by commas.
    pub(super) brackets: Vec<Range<usize>>,
    /// What stands before it.
    pub(super) before: Gap,
}

impl Item {
    /// From its first word to the last, those in brackets included.
    pub(super) fn tokens(&self) -> Range<usize> {
        let ends = self.pieces.iter().chain(&self.brackets).map(|piece| piece.end);
        self.pieces[0].start..ends.max().unwrap_or(self.pieces[0].end)
    }
}

/// The items of some words; `ends` are the places of words with which a sentence, or a part of one, begins.
pub(super) fn items(cells: &[Cell], tokens: &[Token<'_>], ends: &[usize]) -> Vec<Item> {
    let mut all: Vec<Item> = Vec::new();
    let (mut from, mut within) = (0, false);
    let mut ends = ends.iter().peekable();
    let mut push = |piece: Range<usize>, before: Gap| {
        within = within && !before.closes && !before.row && before.sign != Sign::Stop;
        let goes_on = before.closes && before.sign == Sign::Blank && !before.row && !before.opens;
        within |= before.opens;
        match all.last_mut().filter(|_| !before.row) {
            Some(last) if within => last.brackets.push(piece),
            Some(last) if goes_on => last.pieces.push(piece),
            _ => all.push(Item { pieces: vec![piece], brackets: Vec::new(), before }),
        }
    };
    let mut start = 0;
    let mut before = Gap { row: true, ..Gap::NONE };
    for (at, token) in tokens.iter().enumerate() {
        let mut gap = Gap::of(&cells[from..token.cells.start]);
        from = token.cells.end;
        while ends.next_if(|end| **end < at).is_some() {}
        if ends.peek() == Some(&&at) && gap.sign < Sign::Strong {
            gap.sign = Sign::Stop;
        }
        let parts = gap.sign != Sign::Blank || gap.row || gap.opens || gap.closes;
        if at == 0 {
            before = Gap { row: true, ..gap };
        } else if parts {
            push(start..at, before);
            (start, before) = (at, gap);
        }
    }
    if start < tokens.len() {
        push(start..tokens.len(), before);
    }
    all
}
