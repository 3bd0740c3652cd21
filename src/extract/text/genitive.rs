//! Names as they stand in running text: `Karen's target`, `Karens Ziel`, a given name alone.
//!
//! Invariant: in doubt it is not a contact's name; a wrong person is worse than nobody.

use std::ops::Range;

use super::bare::{ARTICLES, WORDS, is, is_person, touches};
use super::guard::fold::Cell;
use super::guard::token::Token;
use super::memory::Set;

/// What belongs to somebody in `Karens Ziel`; before other words `Peters` is rather a name of its own.
const BELONGINGS: [&str; 22] = [
    "idee",
    "vorschlag",
    "ziel",
    "hauptziel",
    "anliegen",
    "hauptanliegen",
    "prioritaet",
    "wunsch",
    "wuensche",
    "meinung",
    "forderung",
    "problem",
    "hauptproblem",
    "aufgabe",
    "fokus",
    "sorge",
    "wort",
    "vorgabe",
    "motto",
    "urteil",
    "anspruch",
    "erwartung",
];

/// `Karen's`, or `Karens` before what is hers.
pub(super) fn is_genitive(tokens: &[Token<'_>], at: usize, word: &str) -> bool {
    match tokens[at].text.strip_prefix(word) {
        Some("'s" | "'") => true,
        Some("s") => is_belonging(tokens.get(at + 1)),
        _ => false,
    }
}

/// Whether a word is what is somebody's in `Karens Ziel`.
pub(super) fn is_belonging(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|t| BELONGINGS.contains(&t.text))
}

/// Whether a given name alone can be that of a contact where it stands; before it no given name stands.
pub(super) fn is_given(cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
    // The capital of a sentence's first word is no name's where rules know the word: `Prices Ravi wants by e-mail`.
    let is_known = |t: &Token<'_>| [Set::Topics, Set::Claims].iter().any(|set| !t.word.ids(*set).is_empty());
    let behind_word = name.start == 1 && is_known(&tokens[0]) && !is(Some(&tokens[0]), ARTICLES);
    // `Sam from accounts`, `Stefan aus dem Lager`: another of that name.
    if is(tokens.get(name.end), &["from", "aus", "in"]) && touches(cells, tokens, name.end, false) {
        return false;
    }
    let goes_on = tokens
        .get(name.end)
        .is_some_and(|t| t.capital && !is_belonging(Some(t)) && touches(cells, tokens, name.end, false));
    is_person(cells, tokens, name) || behind_word && !goes_on && !is(tokens.get(1), WORDS)
}
