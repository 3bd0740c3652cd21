//! Titles as they stand in lists and in prose: in several words, or short.
//!
//! Invariant: one contact alone has the title, or nobody is meant.

use super::super::address::Form;
use super::super::bare::{OBLIQUE, touches};
use super::super::guard::fold::Cell;
use super::super::guard::token::Token;
use super::{Called, Calling, LISTS, PREPOSITIONS, article, only, plain};

/// Titles that are written short.
const SHORT: [(&str, &[&str]); 6] = [
    ("ceo", &["chief", "executive", "officer"]),
    ("cfo", &["chief", "financial", "officer"]),
    ("coo", &["chief", "operating", "officer"]),
    ("cto", &["chief", "technology", "officer"]),
    ("cio", &["chief", "information", "officer"]),
    ("fd", &["finance", "director"]),
];

/// The one contact whom a list means by a title from a word on, with an article or without, and where the title ends.
pub(in super::super) fn titled(all: &[Calling], tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    const LONGEST: usize = 4;
    let has_article = article(tokens[at].text).is_some() || tokens[at].text == "the";
    let start = at + usize::from(has_article);
    let noun = tokens.get(start)?;
    let is_vague = |word: &str| LISTS.vague.contains(word);
    let of_german = || {
        let (name, _) = plain(&LISTS.heads, noun.text).filter(|(name, _)| noun.capital && !is_vague(name))?;
        only(all, |calling| calling.names.contains(&name)).map(|contact| (contact, start + 1))
    };
    let of_english = |length: usize| {
        let words: Vec<&str> = tokens[start..start + length].iter().map(|t| t.text).collect();
        let titled = words.iter().any(|word| LISTS.english.contains(*word));
        let fits = |(title, word): (&String, &&str)| title == word || word.len() >= 3 && title.starts_with(*word);
        let has = |calling: &Calling| calling.words.windows(length).any(|row| row.iter().zip(&words).all(fits));
        (titled && (length > 1 || !is_vague(words[0])))
            .then(|| only(all, has))?
            .map(|contact| (contact, start + length))
    };
    let of_short = || in_short(all, noun.text).map(|contact| (contact, start + 1));
    let of_top = || {
        let is_top = LISTS.top.contains(noun.text);
        only(all, |calling| is_top && calling.top).map(|contact| (contact, start + 1))
    };
    of_german()
        .or_else(|| (1..=LONGEST.min(tokens.len() - start)).rev().find_map(of_english))
        .or_else(of_short)
        .or_else(of_top)
}

/// The one contact whose title is written short so: `CFO`.
pub(super) fn in_short(all: &[Calling], word: &str) -> Option<usize> {
    let (_, long) = SHORT.iter().find(|(short, _)| *short == word)?;
    only(all, |calling| calling.has_in_row(long))
}

/// A German title of two words, and where it ends: `IT-Leiter`, `Leiter Beschaffung`, `kaufmännische Leiterin`.
pub(super) fn in_words(
    all: &[Calling],
    cells: &[Cell],
    tokens: &[Token<'_>],
    at: usize,
) -> Option<(usize, Form, usize)> {
    let (first, second) = (tokens.get(at)?, tokens.get(at + 1)?);
    let between = &cells[first.cells.end..second.cells.start];
    let joined = matches!(between, [sign] if sign.raw == '-');
    let beside = second.capital && between.iter().all(|c| c.raw.is_whitespace());
    if !(joined || beside) {
        return None;
    }
    let head = |t: &Token<'_>| plain(&LISTS.heads, t.text);
    let what = |t: &Token<'_>| t.text.trim_end_matches('s').to_owned();
    let (name, form) = match (head(first), head(second)) {
        (None, Some((name, form))) if joined => (format!("{}{name}", what(first)), form),
        (Some((name, form)), None) if !joined => (format!("{}{name}", what(second)), form),
        _ => return None,
    };
    only(all, |calling| calling.names.contains(&name)).map(|contact| (contact, form, at + 2))
}

/// What sellers write short in German, and the names of the title that it may be.
const GERMAN: [(&str, &[&str]); 11] = [
    ("wl", &["werkleiter"]),
    ("pl", &["produktionleiter", "fertigungleiter"]),
    ("ekl", &["einkaufleiter", "einkaufchef"]),
    ("el", &["einkaufleiter", "einkaufchef"]),
    ("bl", &["betriebleiter"]),
    ("kl", &["kaufmaennischerleiter", "kaufmaennischeleiter", "kaufmaennischleiter"]),
    ("tl", &["technischerleiter", "technischeleiter", "technischleiter"]),
    ("il", &["instandhaltungleiter"]),
    ("ll", &["logistikleiter", "lagerleiter"]),
    ("ql", &["qualitaetleiter", "qualitaetsicherungleiter"]),
    ("gf", &["geschaeftfuehrer"]),
];

/// `WL nimmt das auf seine Kappe`, `liegt noch bei GF`: a title in two capitals, of the one contact who has it.
pub(super) fn abbreviated(all: &[Calling], cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Called> {
    let token = tokens.get(at).filter(|t| t.word.is_upper())?;
    let (short, names) = GERMAN.iter().find(|(short, _)| *short == token.text)?;
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let named = only(all, |calling| names.iter().any(|name| calling.names.contains(*name)));
    let contact = named.or_else(|| only(all, |calling| *short == "gf" && calling.top))?;
    // Behind it no name stands, and before it nothing that makes another of it: `der kaufmännische GF`, `GF Müller`, `(EK, QS, GF)`, and
    // `die GF` are several.
    let joined = before.is_some_and(|t| matches!(t.text, "und" | "u"));
    let begins = before.is_none_or(|t| matches!(t.text, "der" | "und" | "u" | "dass" | "weil" | "da" | "nur"));
    let towards = before.is_some_and(|t| PREPOSITIONS.contains(&t.text) || OBLIQUE.contains(&t.text));
    let parted = before.is_some_and(|t| {
        cells[t.cells.end..token.cells.start].iter().any(|c| matches!(c.raw, '+' | ';' | '-' | '–' | ','))
    });
    let last = cells[token.cells.end..]
        .iter()
        .find(|c| !c.raw.is_whitespace())
        .is_none_or(|c| matches!(c.raw, ')' | ',' | '/' | '.'));
    let goes_on = tokens.get(at + 1).is_some_and(|t| t.capital && touches(cells, tokens, at + 1, false));
    let stands = (begins && !(joined && last) || parted && !last) && !goes_on || towards;
    stands.then_some(Called { contact, tokens: at..at + 1, form: None, oblique: towards })
}

/// `Die Entscheidung treffen Chef und Einkaufsleiter`: two functions that `und` joins, without articles.
pub(super) fn joined(all: &[Calling], tokens: &[Token<'_>], at: usize) -> Option<Called> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|t| t.text == word);
    let alone = |at: usize| {
        let token = tokens.get(at).filter(|t| t.capital)?;
        plain(&LISTS.heads, token.text).is_some().then(|| titled(all, tokens, at))?.filter(|(_, end)| *end == at + 1)
    };
    let behind = || at >= 2 && is(at - 1, "und") && alone(at - 2).is_some();
    let before = || is(at + 1, "und") && alone(at + 2).is_some();
    let (contact, end) = alone(at).filter(|_| before() || behind())?;
    Some(Called { contact, tokens: at..end, form: None, oblique: false })
}
