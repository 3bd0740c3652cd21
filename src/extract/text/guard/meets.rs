//! Whether a sentence tells that somebody was met, and of nothing else: `War heute bei Herrn Brandt`, `Met with Karen Miller`.
//!
//! Invariant: every word is one of the lists, or a name where only names stand; what else a sentence may tell is not passed.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::token::Token;

/// What a word of such a sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What is done at a meeting, or that somebody is or was there.
    Meets,
    /// The same, where names may follow without `Mr` or `Ms`: in German every other noun has a capital, too.
    English,
    /// `with`, `to`, `and`: behind them, too.
    With,
    Address,
    /// When, and small words.
    Beside,
}

const LISTS: [(Kind, &[&str]); 5] = [
    (
        Kind::Meets,
        &[
            "war",
            "waren",
            "bin",
            "besuch",
            "treffen",
            "telefonat",
            "gesprochen",
            "telefoniert",
            "sprechen",
            "wenden",
            "meeting",
            "call",
            "chat",
            "dabei",
            "getroffen",
            "besucht",
        ],
    ),
    (Kind::English, &["met", "saw", "spoke", "talked", "visited", "called", "rang", "phoned", "chatted"]),
    (Kind::With, &["with", "to", "and"]),
    (Kind::Address, &["herr", "herrn", "hr", "hrn", "frau", "fr", "mr", "mrs", "ms"]),
    (
        Kind::Beside,
        &[
            "heute",
            "gestern",
            "vormittag",
            "nachmittag",
            "morgens",
            "mittags",
            "wieder",
            "auch",
            "bei",
            "beim",
            "mit",
            "an",
            "sie",
            "sich",
            "und",
            "lange",
            "kurz",
            "noch",
            "mal",
            "wir",
            "ich",
            "habe",
            "hab",
            "today",
            "yesterday",
            "this",
            "morning",
            "afternoon",
            "again",
            "briefly",
            "the",
            "a",
            "at",
            "had",
            "have",
            "i",
            "we",
            "both",
        ],
    ),
];

static KINDS: LazyLock<FxHashMap<&str, Kind>> =
    LazyLock::new(|| LISTS.iter().flat_map(|(kind, words)| words.iter().map(|word| (*word, *kind))).collect());

pub(super) fn only_meets(tokens: &[Token<'_>]) -> bool {
    let kinds: Vec<Option<Kind>> = tokens.iter().map(|t| KINDS.get(t.text).copied()).collect();
    let english = kinds.contains(&Some(Kind::English));
    if !english && !kinds.contains(&Some(Kind::Meets)) {
        return false;
    }
    let is = |at: usize, kind: Kind| kinds[at] == Some(kind);
    // A family name, or a given and a family name.
    let names = |at: usize| {
        let addressed = |back: usize| at.checked_sub(back).is_some_and(|before| is(before, Kind::Address));
        let named = addressed(1) || addressed(2) && tokens[at - 1].capital;
        let met = || is(at - 1, Kind::English) || is(at - 1, Kind::With) || tokens[at - 1].capital;
        named || english && at > 0 && met()
    };
    (0..tokens.len()).all(|at| kinds[at].is_some() || tokens[at].capital && names(at))
}
