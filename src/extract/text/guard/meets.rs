//! Whether a sentence tells that somebody was met, and of nothing else: `War heute bei Herrn Brandt`, `Met with Karen Miller`.
//!
//! Invariant: every word is one of the lists, or a name where only names stand; what else a sentence may tell is not passed.

use super::token::Token;

/// What is done at a meeting.
const MEETS: &str = "war waren bin kurz besuch treffen telefonat gesprochen telefoniert sprechen wenden met saw spoke talked visited called \
    rang phoned meeting call chat chatted dabei getroffen besucht";
/// When, with whom, and small words.
const BESIDE: &str = "heute gestern vormittag nachmittag morgens mittags wieder auch bei beim mit an sie sich und lange noch mal wir ich habe hab \
    today yesterday this morning afternoon again briefly with to and the a at had have i we both";
const ADDRESS: &str = "herr herrn hr hrn frau fr mr mrs ms";
/// In German only names behind `Herrn` or `Frau` count, since every other noun has a capital, too.
const ENGLISH: &str = "met saw spoke talked visited called rang phoned chatted";

pub(super) fn only_meets(tokens: &[Token<'_>]) -> bool {
    let is =
        |at: usize, words: &str| tokens.get(at).is_some_and(|t| words.split_whitespace().any(|word| word == t.text));
    let any = |words: &str| (0..tokens.len()).any(|at| is(at, words));
    if !any(MEETS) {
        return false;
    }
    let english = any(ENGLISH);
    // A family name, or a given and a family name.
    let names = |at: usize| {
        let behind = |back: usize| at.checked_sub(back).is_some_and(|before| is(before, ADDRESS));
        let named = behind(1) || behind(2) && tokens[at - 1].capital;
        let met = || is(at - 1, ENGLISH) || is(at - 1, "with to and") || tokens[at - 1].capital;
        named || english && at > 0 && met()
    };
    let plain = |at: usize| is(at, MEETS) || is(at, BESIDE) || is(at, ADDRESS) || tokens[at].capital && names(at);
    (0..tokens.len()).all(plain)
}
