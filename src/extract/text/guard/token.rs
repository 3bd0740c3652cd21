//! Tokens, and what tokens may hide.
//!
//! Invariant: a token knows the cells it came from; disguises (letters spaced out, digits for
//! letters, masks, torn words) are undone beside the plain tokens, never instead of them.

use std::ops::Range;

use super::fold::Cell;

/// A word of the folded text.
#[derive(Debug, Clone)]
pub(in crate::extract::text) struct Token {
    /// Folded.
    pub(in crate::extract::text) text: String,
    /// Its cells.
    pub(in crate::extract::text) cells: Range<usize>,
    /// Begins with a capital as written.
    pub(in crate::extract::text) capital: bool,
    /// Nothing but capitals as written.
    pub(in crate::extract::text) upper: bool,
}

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
    "and", "for",
];

/// The plain tokens of a sentence.
pub(in crate::extract::text) fn tokens(cells: &[Cell], range: Range<usize>) -> Vec<Token> {
    let mut found = Vec::new();
    let mut i = range.start;
    while i < range.end {
        if !cells[i].is_word() {
            if cells[i].out >= '\u{2600}' {
                found.push(Token { text: cells[i].out.to_string(), cells: i..i + 1, capital: false, upper: false });
            }
            i += 1;
            continue;
        }
        let start = i;
        let mut text = String::new();
        while i < range.end {
            if cells[i].is_word() || is_inner_apostrophe(cells, i, range.end) {
                text.push(cells[i].out);
                i += 1;
            } else if let Some(next) =
                hyphenated_line_break(cells, i, range.end).or_else(|| gender_mark(cells, i, range.end))
            {
                i = next;
            } else {
                break;
            }
        }
        let upper = cells[start..i].iter().all(|c| !c.raw.is_lowercase());
        found.push(Token { text, cells: start..i, capital: cells[start].raw.is_uppercase(), upper });
    }
    found
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
    let rest: String = cells[i + 1..end].iter().take(6).take_while(|c| c.is_word()).map(|c| c.out).collect();
    matches!(rest.as_str(), "in" | "innen" | "r" | "n" | "e").then_some(i + 1)
}

/// A quotation mark of either language.
pub(in crate::extract::text) const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '„' | '“' | '”' | '«' | '»' | '‟')
}

/// Numbers the clause of each token of a sentence that begins at cell `start`.
pub(in crate::extract::text) fn clauses(cells: &[Cell], tokens: &[Token], start: usize) -> Vec<u32> {
    let mut clause = 0;
    let mut last = start;
    let mut found = Vec::with_capacity(tokens.len());
    for token in tokens {
        let between = &cells[last..token.cells.start];
        let parted =
            between.iter().any(|c| matches!(c.raw, ',' | ';' | ':' | '(' | ')' | '|' | '•' | '\n') || is_quote(c.raw));
        let dash = between.len() >= 3 && between.iter().any(|c| c.out == '-');
        clause += u32::from(parted || dash);
        last = token.cells.end;
        found.push(clause);
    }
    found
}

/// Everything that may be hidden in a sentence; `may_begin` tells of the first [`SHORTEST_TORN`] bytes of words that were
/// torn whether anything that is looked for begins like that.
pub(super) fn disguises(
    cells: &[Cell],
    range: &Range<usize>,
    tokens: &[Token],
    may_begin: impl Fn([u8; SHORTEST_TORN]) -> bool,
) -> Vec<Disguise> {
    let mut found = Vec::new();
    spaced_out(tokens, 1, &mut found);
    spaced_out(tokens, 2, &mut found);
    torn(cells, tokens, may_begin, &mut found);
    stuttered(tokens, &mut found);
    digits_and_masks(cells, range, tokens, &mut found);
    found
}

/// `k r a n k`, `k.r.a.n.k`, `kr an kh ei t`.
fn spaced_out(tokens: &[Token], longest: usize, found: &mut Vec<Disguise>) {
    let mut start = 0;
    while start < tokens.len() {
        let length = tokens[start..].iter().take_while(|t| t.text.chars().count() <= longest).count();
        if length >= 3 {
            let text = tokens[start..start + length].iter().map(|t| t.text.as_str()).collect();
            found.push(Disguise { text, tokens: start..start + length, torn_at: None, shortest: 3 });
        }
        start += length.max(1);
    }
}

/// `Gewerk schaft`, `kr-ank`, `Depres_sion`.
fn torn(cells: &[Cell], tokens: &[Token], may_begin: impl Fn([u8; SHORTEST_TORN]) -> bool, found: &mut Vec<Disguise>) {
    for (i, pair) in tokens.windows(2).enumerate() {
        let [first, second] = pair else { continue };
        if !first_bytes(&tokens[i..]).is_some_and(&may_begin) {
            continue;
        }
        let spaced = cells[first.cells.end..second.cells.start].iter().any(|c| c.raw.is_whitespace());
        if first.text.len() > MAX_RUN || second.text.len() > MAX_RUN {
            continue;
        }
        if spaced && FUNCTION_WORDS.contains(&first.text.as_str()) {
            continue;
        }
        let mut text = format!("{}{}", first.text, second.text);
        let mut end = i + 2;
        if let Some(third) = tokens.get(i + 2).filter(|t| t.text.len() <= MAX_RUN) {
            text.push_str(&third.text);
            end = i + 3;
        }
        let torn_at = Some(first.text.len());
        found.push(Disguise { text, tokens: i..end, torn_at, shortest: if spaced { 6 } else { SHORTEST_TORN } });
    }
}

/// The first bytes of up to three words run together; `None` where there are fewer.
fn first_bytes(tokens: &[Token]) -> Option<[u8; SHORTEST_TORN]> {
    let mut bytes = tokens.iter().take(3).flat_map(|token| token.text.bytes());
    let mut first = [0; SHORTEST_TORN];
    for byte in &mut first {
        *byte = bytes.next()?;
    }
    Some(first)
}

/// `kraaank`.
fn stuttered(tokens: &[Token], found: &mut Vec<Disguise>) {
    for (i, token) in tokens.iter().enumerate() {
        if longest_run(&token.text) < 3 {
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

/// How often one character stands behind itself at most.
fn longest_run(text: &str) -> usize {
    let (mut run, mut longest, mut last) = (0, 0, '\0');
    for c in text.chars() {
        run = if c == last { run + 1 } else { 1 };
        last = c;
        longest = longest.max(run);
    }
    longest
}

/// `kr4nk`, `schw@nger`, `kr*nk`, `k**ank**`: runs without white space that mix letters and signs.
fn digits_and_masks(cells: &[Cell], range: &Range<usize>, tokens: &[Token], found: &mut Vec<Disguise>) {
    let mut i = range.start;
    let mut token = 0;
    while i < range.end {
        let length = cells[i..range.end].iter().take_while(|c| !c.raw.is_whitespace()).count();
        let run = &cells[i..i + length];
        while token < tokens.len() && tokens[token].cells.end <= i {
            token += 1;
        }
        if (3..=MAX_RUN).contains(&length)
            && run.iter().any(|c| c.out.is_alphabetic())
            && run.iter().any(|c| !c.out.is_alphabetic())
        {
            let last = token + tokens[token..].iter().take_while(|t| t.cells.start < i + length).count();
            for text in readings(run) {
                found.push(Disguise { text, tokens: token..last.max(token), torn_at: None, shortest: 4 });
            }
        }
        i += length.max(1);
    }
}

/// The sentence with spaced-out words joined and digits read as letters; `None` where nothing changes.
pub(super) fn plain_words(tokens: &[Token]) -> Option<Vec<Token>> {
    let is_single = |token: &Token| token.text.chars().nth(1).is_none();
    let is_mixed =
        |token: &Token| token.text.bytes().any(|b| b.is_ascii_digit()) && token.text.chars().any(char::is_alphabetic);
    // What most sentences are is told without copying their words.
    if !tokens.iter().any(is_mixed) && !tokens.windows(2).any(|pair| pair.iter().all(is_single)) {
        return None;
    }
    let mut found: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut changed = false;
    let mut open: Option<usize> = None;
    for token in tokens {
        let single = is_single(token);
        let gap = found.last().map(|last| token.cells.start - last.cells.end);
        let joins = single
            && gap.is_some_and(|gap| open.is_none_or(|usual| gap <= usual))
            && found.last().is_some_and(|last| open.is_some() || last.text.chars().count() == 1);
        match found.last_mut() {
            Some(last) if joins => {
                last.text.push_str(&token.text);
                last.cells.end = token.cells.end;
                open = open.or(gap);
                changed = true;
            }
            _ => {
                open = None;
                let mut token = token.clone();
                if is_mixed(&token) {
                    token.text = token.text.chars().map(|c| letter_for(c, 'i').unwrap_or(c)).collect();
                    changed = true;
                }
                found.push(token);
            }
        }
    }
    changed.then_some(found)
}

/// The ways to read a run of letters and signs.
fn readings(run: &[Cell]) -> Vec<String> {
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
    let masks: Vec<usize> = (0..trimmed.len()).filter(|i| matches!(trimmed[*i], '*' | '#' | '_' | '~' | '.')).collect();
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
const fn letter_for(c: char, one: char) -> Option<char> {
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
