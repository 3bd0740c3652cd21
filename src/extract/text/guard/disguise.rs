//! What words may hide: letters spaced out, digits for letters, masks, torn words.
//!
//! Invariant: disguises are undone beside the plain tokens, never instead of them. What is passed over without a closer
//! look can hide nothing: the look would have found no reading.

use std::ops::Range;

use super::class::Class;
use super::fold::Cell;
use super::token::Token;

/// A word that may stand behind the plain tokens `tokens`.
#[derive(Debug)]
pub(super) struct Disguise {
    pub(super) text: String,
    pub(super) tokens: Range<usize>,
    /// `Some(n)`: two words torn apart; a hit must begin at the start and reach past byte `n`.
    pub(super) torn_at: Option<usize>,
    /// Shortest hit that counts.
    pub(super) shortest: usize,
}

/// A run longer than this is data, not a disguised word.
const MAX_RUN: usize = 60;

/// The shortest hit that counts in words that were torn, in bytes.
pub(super) const SHORTEST_TORN: usize = 5;

/// Short words that stand before others so often that joining them means nothing.
const FUNCTION_WORDS: &[&str] = &[
    "a", "an", "the", "to", "in", "on", "at", "of", "or", "he", "we", "is", "it", "be", "by", "as", "no", "so", "up",
    "i", "der", "die", "das", "den", "dem", "des", "ein", "eine", "und", "im", "am", "an", "zu", "zum", "zur", "er",
    "sie", "es", "wir", "ich", "ist", "auf", "aus", "bei", "mit", "von", "vom", "bis", "ab", "um", "da", "wo", "so",
    "and", "for", "are", "our", "all", "still", "also", "was", "has", "had",
];

/// Everything that may be hidden in a sentence; `may_begin` tells of the first [`SHORTEST_TORN`] bytes of words that were
/// torn whether anything that is looked for begins like that.
pub(super) fn disguises(
    cells: &[Cell],
    range: &Range<usize>,
    tokens: &[Token<'_>],
    may_begin: impl Fn([u8; SHORTEST_TORN]) -> bool,
) -> Vec<Disguise> {
    let mut found = Vec::new();
    if tokens.windows(3).any(|three| three.iter().all(|t| t.word.chars() <= 2)) {
        spaced_out(tokens, 1, &mut found);
        spaced_out(tokens, 2, &mut found);
    }
    torn(cells, tokens, may_begin, &mut found);
    stuttered(tokens, &mut found);
    digits_and_masks(cells, range, tokens, &mut found);
    found
}

/// `k r a n k`, `k.r.a.n.k`, `kr an kh ei t`.
fn spaced_out(tokens: &[Token<'_>], longest: usize, found: &mut Vec<Disguise>) {
    let mut start = 0;
    while start < tokens.len() {
        let length = tokens[start..].iter().take_while(|t| t.word.chars() <= longest).count();
        if length >= 3 {
            let text = tokens[start..start + length].iter().map(|t| t.text).collect();
            found.push(Disguise { text, tokens: start..start + length, torn_at: None, shortest: 3 });
        }
        start += length.max(1);
    }
}

/// `Gewerk schaft`, `kr-ank`, `Depres_sion`.
fn torn(
    cells: &[Cell],
    tokens: &[Token<'_>],
    may_begin: impl Fn([u8; SHORTEST_TORN]) -> bool,
    found: &mut Vec<Disguise>,
) {
    for (i, pair) in tokens.windows(2).enumerate() {
        let [first, second] = pair else { continue };
        // Nothing that is looked for goes on behind most words.
        if !first.word.may_go_on() || !first_bytes(&tokens[i..]).is_some_and(&may_begin) {
            continue;
        }
        let spaced = cells[first.cells.end..second.cells.start].iter().any(|c| c.raw.is_whitespace());
        if first.text.len() > MAX_RUN || second.text.len() > MAX_RUN {
            continue;
        }
        if spaced && FUNCTION_WORDS.contains(&first.text) {
            continue;
        }
        let mut text = format!("{}{}", first.text, second.text);
        let mut end = i + 2;
        if let Some(third) = tokens.get(i + 2).filter(|t| t.text.len() <= MAX_RUN) {
            text.push_str(third.text);
            end = i + 3;
        }
        let torn_at = Some(first.text.len());
        found.push(Disguise { text, tokens: i..end, torn_at, shortest: if spaced { 6 } else { SHORTEST_TORN } });
    }
}

/// The first bytes of up to three words run together; `None` where there are fewer.
fn first_bytes(tokens: &[Token<'_>]) -> Option<[u8; SHORTEST_TORN]> {
    let mut bytes = tokens.iter().take(3).flat_map(|token| token.text.bytes());
    let mut first = [0; SHORTEST_TORN];
    for byte in &mut first {
        *byte = bytes.next()?;
    }
    Some(first)
}

/// `kraaank`.
fn stuttered(tokens: &[Token<'_>], found: &mut Vec<Disguise>) {
    for (i, token) in tokens.iter().enumerate() {
        if !token.word.is_stuttered() {
            continue;
        }
        for keep in [1, 2] {
            let (mut run, mut last) = (0, '\0');
            let kept = token.text.chars().filter(|c| {
                run = if *c == last { run + 1 } else { 1 };
                last = *c;
                run <= keep
            });
            found.push(Disguise { text: kept.collect(), tokens: i..i + 1, torn_at: None, shortest: 3 });
        }
    }
}

/// `kr4nk`, `schw@nger`, `kr*nk`, `k**ank**`: runs without white space that mix letters and signs.
fn digits_and_masks(cells: &[Cell], range: &Range<usize>, tokens: &[Token<'_>], found: &mut Vec<Disguise>) {
    let mut token = 0;
    let mut start = range.start;
    while start < range.end {
        // What is in the run, the last cell apart: a mask at the end is cut off.
        let (mut before, mut last) = (Class::default(), Class::default());
        let mut end = start;
        while end < range.end && !cells[end].is(Class::SPACE) {
            before = before.and(last);
            last = cells[end].class();
            end += 1;
        }
        let signs = before.and(last).has(Class::SIGN) || before.has(Class::MASK);
        if signs && before.and(last).has(Class::LETTER) && (3..=MAX_RUN).contains(&(end - start)) {
            while token < tokens.len() && tokens[token].cells.end <= start {
                token += 1;
            }
            let after = token + tokens[token..].iter().take_while(|t| t.cells.start < end).count();
            for text in readings(&cells[start..end]) {
                found.push(Disguise { text, tokens: token..after.max(token), torn_at: None, shortest: 4 });
            }
        }
        start = end + 1;
    }
}

/// What stands for a letter that is left out.
pub(super) const fn is_mask(c: char) -> bool {
    matches!(c, '*' | '#' | '_' | '~' | '.')
}

/// The ways to read a run of letters and signs.
pub(super) fn readings(run: &[Cell]) -> Vec<String> {
    let outs: Vec<char> = run.iter().map(|c| c.out).collect();
    let trimmed = trim_signs(&outs);
    let mut found = Vec::new();
    let signs = trimmed.iter().filter(|c| letter_for(**c, 'i').is_some()).count();
    let letters = trimmed.iter().filter(|c| c.is_alphabetic()).count();
    if signs > 0 && signs <= letters {
        for one in ['i', 'l'] {
            found
                .push(trimmed.iter().filter_map(|c| letter_for(*c, one).or(c.is_alphabetic().then_some(*c))).collect());
        }
    }
    let masks: Vec<usize> = (0..trimmed.len()).filter(|i| is_mask(trimmed[*i])).collect();
    if !masks.is_empty() {
        found.push(trimmed.iter().filter(|c| c.is_alphabetic()).collect());
    }
    if let [mask] = masks[..]
        && matches!(trimmed[mask], '*' | '#')
        && letters >= 4
    {
        for letter in 'a'..='z' {
            found.push(
                trimmed
                    .iter()
                    .enumerate()
                    .filter_map(|(i, c)| if i == mask { Some(letter) } else { c.is_alphabetic().then_some(*c) })
                    .collect(),
            );
        }
    }
    found
}

fn trim_signs(run: &[char]) -> &[char] {
    let is_end = |c: &char| c.is_alphanumeric() || matches!(c, '@' | '$' | '€');
    let start = run.iter().position(is_end).unwrap_or(run.len());
    let end = run.iter().rposition(is_end).map_or(start, |i| i + 1);
    &run[start..end]
}

/// The letter that a digit or sign stands for.
pub(super) const fn letter_for(c: char, one: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        _ => return None,
    })
}
