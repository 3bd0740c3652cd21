//! Sentences, the unit that is withheld or kept, and their parts, the unit that is read.
//!
//! Invariant: the ranges part all cells, in order, without a gap. Where it is unclear whether a
//! sentence ends, it does not: withholding too much is the safe side. So `;` and bullets end a part only.

use std::ops::Range;

use super::class::Class;
use super::fold::Cell;

/// Words before a full stop that does not end a sentence (folded), sorted.
const ABBREVIATIONS: &[&str] = &[
    "abt",
    "abz",
    "allg",
    "ang",
    "approx",
    "apr",
    "aug",
    "ausschl",
    "bes",
    "betr",
    "bspw",
    "bzgl",
    "bzw",
    "ca",
    "dec",
    "dept",
    "dez",
    "dipl",
    "dr",
    "durchschn",
    "elektr",
    "entspr",
    "est",
    "etc",
    "ev",
    "evang",
    "evtl",
    "exkl",
    "feb",
    "fr",
    "geb",
    "gel",
    "gem",
    "gewaehrl",
    "ggf",
    "ggfs",
    "grds",
    "grundsaetzl",
    "hr",
    "hrs",
    "hydr",
    "idr",
    "incl",
    "ing",
    "inkl",
    "insb",
    "jaehrl",
    "jan",
    "jr",
    "jul",
    "jun",
    "kath",
    "kfm",
    "kurzfr",
    "langfr",
    "lt",
    "ltg",
    "maint",
    "max",
    "mech",
    "med",
    "mgl",
    "mgmt",
    "min",
    "mind",
    "mio",
    "moegl",
    "mon",
    "mos",
    "mr",
    "mrd",
    "mrs",
    "mrz",
    "ms",
    "mtl",
    "notw",
    "nov",
    "nr",
    "oct",
    "okt",
    "persoenl",
    "pls",
    "prof",
    "prozentual",
    "puenktl",
    "qty",
    "ref",
    "regelm",
    "roem",
    "schriftl",
    "sep",
    "sept",
    "sog",
    "sr",
    "st",
    "std",
    "stk",
    "str",
    "stv",
    "taegl",
    "techn",
    "tel",
    "telef",
    "tg",
    "tgl",
    "ueberw",
    "usw",
    "va",
    "ver",
    "vergl",
    "versch",
    "vgl",
    "vollst",
    "vorl",
    "vs",
    "wg",
    "wks",
    "woechentl",
    "wtl",
    "yrs",
    "zahlb",
    "zb",
    "zus",
    "zusaetzl",
    "zw",
    "zzgl",
];

/// Lines shorter than this are taken as ended by hand, not wrapped by a program.
const WRAPPED_LINE: usize = 45;

/// Parts a folded text into sentences.
pub(super) fn sentences(cells: &[Cell]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut line_start = 0;
    let width = widest_line(cells);
    let mut i = 0;
    while let Some(next) = cells[i..].iter().position(|c| c.is(Class::STOP)) {
        i += next;
        let ends = match cells[i].raw {
            '.' | '…' => full_stop_ends(cells, i),
            '!' | '?' | '。' => before_space(cells, i + 1),
            '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => line_break_ends(cells, i, line_start, width),
            _ => false,
        };
        let line_break = is_line_break(cells[i].raw);
        i += 1;
        if ends {
            while i < cells.len() && (cells[i].raw.is_whitespace() || is_closer(cells[i].raw)) {
                i += 1;
            }
            found.push(start..i);
            start = i;
            line_start = i;
        } else if line_break {
            line_start = i;
        }
    }
    if start < cells.len() {
        found.push(start..cells.len());
    }
    found
}

/// The parts of one sentence: what `;`, an ellipsis or a bullet sets off. They are read one by one, but withheld together.
pub(super) fn parts(cells: &[Cell], sentence: &Range<usize>, mut take: impl FnMut(Range<usize>)) {
    let mut start = sentence.start;
    let mut i = sentence.start;
    while let Some(next) = cells[i..sentence.end].iter().position(|c| c.is(Class::STOP)) {
        i += next;
        let ends = match cells[i].raw {
            ';' | '…' => before_space(cells, i + 1),
            '.' => full_stop_parts(cells, i),
            '|' | '•' | '·' => i > 0 && cells[i - 1].raw.is_whitespace() && before_space(cells, i + 1),
            _ => false,
        };
        i += 1;
        if ends {
            while i < sentence.end && (cells[i].raw.is_whitespace() || is_closer(cells[i].raw)) {
                i += 1;
            }
            take(start..i);
            start = i;
        }
    }
    if start < sentence.end {
        take(start..sentence.end);
    }
}

const fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}')
}

const fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | '“' | '”' | '’' | '»' | '«' | ')' | ']' | '.' | '!' | '?')
}

/// After closing quotes and brackets comes white space or the end.
fn before_space(cells: &[Cell], mut i: usize) -> bool {
    while i < cells.len() && is_closer(cells[i].raw) {
        i += 1;
    }
    cells.get(i).is_none_or(|cell| cell.raw.is_whitespace())
}

fn full_stop_ends(cells: &[Cell], i: usize) -> bool {
    if !before_space(cells, i + 1) {
        return false;
    }
    let mut buffer = [0; 4 * LONGEST];
    let (word, length) = word_before(cells, i, &mut buffer);
    if length == 1 || ABBREVIATIONS.binary_search(&word).is_ok() {
        return false;
    }
    let next = cells[i + 1..].iter().take(40).find(|cell| cell.raw.is_alphanumeric());
    if word.len() <= 2 && word.chars().all(|c| c.is_ascii_digit()) && !word.is_empty() {
        return next.is_none();
    }
    !next.is_some_and(|cell| cell.raw.is_lowercase())
}

/// `wants free delivery. needs a warranty`: behind a word that is no abbreviation a stop parts what is read, also before a small
/// letter.
fn full_stop_parts(cells: &[Cell], i: usize) -> bool {
    let mut buffer = [0; 4 * LONGEST];
    let (word, length) = word_before(cells, i, &mut buffer);
    let is_word = length >= 4 && ABBREVIATIONS.binary_search(&word).is_err() && word.chars().all(char::is_alphabetic);
    is_word && before_space(cells, i + 1)
}

/// So much of a word is looked at.
const LONGEST: usize = 12;

/// How many characters of a word stand right before `i`, [`LONGEST`] at most.
fn letters_before(cells: &[Cell], i: usize) -> usize {
    cells[..i].iter().rev().take(LONGEST).take_while(|c| c.is_word()).count()
}

/// The word that ends right before `i`, and its length in characters.
fn word_before<'b>(cells: &[Cell], i: usize, buffer: &'b mut [u8; 4 * LONGEST]) -> (&'b str, usize) {
    let length = letters_before(cells, i);
    let mut end = 0;
    for cell in &cells[i - length..i] {
        end += cell.out.encode_utf8(&mut buffer[end..]).len();
    }
    (std::str::from_utf8(&buffer[..end]).unwrap_or_default(), length)
}

/// How long the longest line is.
fn widest_line(cells: &[Cell]) -> usize {
    cells.split(|c| is_line_break(c.raw)).map(<[Cell]>::len).max().unwrap_or_default()
}

/// Whether a line is headed, mostly with a name or a topic: `Kasch: ...`. A program that wraps lines breaks before such words
/// only by chance.
fn is_headed(line: &[Cell]) -> bool {
    /// So far into the line a head may reach, and so many words.
    const REACH: usize = 32;
    const WORDS: usize = 3;
    let line = line.split(|c| is_line_break(c.raw)).next().unwrap_or_default();
    let Some(colon) = line.iter().take(REACH).position(|c| c.raw == ':') else { return false };
    let head = &line[..colon];
    head.last().is_some_and(|c| c.raw.is_alphabetic() || matches!(c.raw, ')' | '.'))
        && head.iter().filter(|c| c.raw.is_whitespace()).count() < WORDS
        && line.get(colon + 1).is_none_or(|c| c.raw.is_whitespace())
}

/// Whether a line is an item of a numbered list: `2. ...`, `2) ...`.
fn is_numbered(line: &[Cell]) -> bool {
    let digits = line.iter().take_while(|c| c.raw.is_ascii_digit()).count();
    let sign = |at: usize| line.get(at).map_or(' ', |c| c.raw);
    (1..=2).contains(&digits) && matches!(sign(digits), '.' | ')') && sign(digits + 1) == ' '
}

fn line_break_ends(cells: &[Cell], i: usize, line_start: usize, width: usize) -> bool {
    let rest = &cells[i + 1..];
    let mut breaks = 0;
    let Some(next) = rest.iter().take(200).find(|cell| {
        breaks += usize::from(cell.raw == '\n');
        !cell.raw.is_whitespace()
    }) else {
        return true;
    };
    let Some(last) = cells[line_start.min(i)..i].iter().rev().find(|cell| !cell.raw.is_whitespace()) else {
        return true;
    };
    if breaks > 0 || matches!(next.raw, '-' | '*' | '•' | '–' | '>' | '#') {
        return true;
    }
    if is_numbered(rest) && is_numbered(&cells[line_start.min(i)..i]) {
        return true;
    }
    let spelled = letters_before(cells, i) == 1;
    if matches!(last.raw, ':' | ',' | '-') || spelled {
        return false;
    }
    let blanks = rest.iter().take_while(|c| c.raw.is_whitespace()).count();
    let line = &rest[blanks..];
    if is_headed(line) {
        return true;
    } else if next.raw.is_lowercase() {
        return false;
    }
    // A program would have put the next word into this line, too.
    let written = cells[..i].iter().rev().take_while(|c| !is_line_break(c.raw)).count();
    let by_hand = written + 1 + line.iter().take_while(|c| c.is_word()).count() < width;
    by_hand || matches!(last.raw, '.' | '!' | '?' | ';') || i - line_start < WRAPPED_LINE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_are_found() {
        assert!(ABBREVIATIONS.is_sorted());
    }
}
