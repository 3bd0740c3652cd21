//! Functions that are nobody's of the contacts: those of another house, and of somebody who was brought along.
//!
//! Invariant: in doubt somebody else may be meant.

use super::super::address::Form;
use super::super::guard::token::Token;
use super::super::part::{Part, is_known};
use super::super::people::Mention;
use super::{LISTS, plain};

/// Beginnings of words that tell of another house, whose functions are not the contacts'.
const ELSEWHERE: [&str; 16] = [
    "konzernzentrale",
    "vergleichsfall",
    "dort",
    "drueben",
    "nachbar",
    "schwester",
    "konkurren",
    "wettbewerb",
    "mitbewerb",
    "niederlassung",
    "zulieferer",
    "spedition",
    "competitor",
    "neighbour",
    "sister",
    "subsidiar",
];

/// Somebody who is called by what they do, and is none of those named: `bringt den Controller mit`, `came with his engineer`, as
/// the forms of the pronouns that can mean them. What somebody is (`ist der Einkäufer`) is nobody else.
pub(in super::super) fn meets_stranger(tokens: &[Token<'_>], named: &[Mention]) -> &'static [Form] {
    const EITHER: &[Form] = &[Form::Masculine, Form::Feminine];
    const THE: [&str; 17] = [
        "den", "dem", "einen", "einem", "seinen", "seinem", "ihren", "ihrem", "eine", "einer", "seine", "seiner",
        "ihre", "ihrer", "zum", "beim", "vom",
    ];
    const IS: [&str; 4] = ["ist", "als", "wie", "war"];
    const MEETS: [&str; 16] = [
        "with",
        "brings",
        "brought",
        "bringing",
        "hired",
        "hires",
        "met",
        "introduced",
        "sent",
        "sends",
        "took",
        "takes",
        "and",
        "asked",
        "asks",
        "called",
    ];
    let of = |at: usize| {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text);
        let is_named = named.iter().any(|m| m.tokens.contains(&at) || m.tokens.end == at || m.tokens.start == at + 1);
        let german = || match tokens[at].text {
            "kollegen" => Some(Form::Masculine),
            "kollegin" => Some(Form::Feminine),
            word => plain(&LISTS.heads, word).map(|(_, form)| form),
        };
        let met = || matches!(before(1), "his" | "her" | "their" | "a" | "the") && MEETS.contains(&before(2));
        if is_named {
            None
        } else if tokens[at].capital && THE.contains(&before(1)) && !IS.contains(&before(2)) {
            german().map(|form| &EITHER[form as usize..=form as usize])
        } else {
            (LISTS.english.contains(tokens[at].text) && met()).then_some(EITHER)
        }
    };
    (0..tokens.len()).find_map(of).unwrap_or_default()
}

/// Whether a sentence goes to another house: `Schwesterwerk besucht`, `danach weiter zu Mosbach`, `in Soest`.
pub(in super::super) fn goes_elsewhere(tokens: &[Token<'_>]) -> bool {
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|t| words.contains(&t.text));
    let place = |at: usize| tokens.get(at).is_some_and(|t| t.capital && !t.word.is(Part::NO_NAME) && !is_known(t));
    let goes = |at: usize| {
        is(at, &["weiter", "noch", "danach", "anschliessend", "on"])
            && is(at + 1, &["zu", "bei", "nach", "to"])
            && place(at + 2)
    };
    tokens.iter().any(|t| ELSEWHERE.iter().any(|word| t.text.starts_with(word)))
        || (0..tokens.len()).any(|at| goes(at) || is(at, &["in"]) && place(at + 1))
}
