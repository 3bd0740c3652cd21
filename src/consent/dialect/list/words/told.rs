//! What a cell that holds names, companies, titles or numbers says that is a no.
//!
//! Invariant: a cell that says nothing but no plainly says it, whatever else stands in the cell; one in which a no stands among other
//! words may say it, so that somebody has to look. What a record is, such as inactive, its person has not said.

use std::collections::HashSet;
use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexSet};

use super::remarks::{PATTERNS, Said, WORDS, normal, said};
use crate::crm::value;

/// How sure it is that a cell says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    /// Somebody has to look.
    Perhaps,
    /// It says no, and nothing else does.
    Plainly,
}

/// Words that say no, as they are compared, and without what says nothing beside them.
static PLAIN: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let words = value::noes()[0].iter().map(|word| normal(word));
    words.flat_map(|word| [without_fillers(&word), word]).filter(|word| !word.is_empty()).collect()
});

/// Words that say no, whatever a column asks, but for states of records.
static REFUSALS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let words = value::noes()[1].iter().map(|word| normal(word)).filter(|word| !WORDS.states.contains(word));
    words.chain(PLAIN.iter().cloned()).collect()
});

/// Words of remarks. Here they begin with a word: `Domino Marketing` says no to nothing.
static BEGINNINGS: LazyLock<Regex> = LazyLock::new(|| {
    let words: Vec<String> =
        WORDS.words.iter().chain(&WORDS.words_processing).map(|word| regex::escape(word)).collect();
    Regex::new(&format!("(?-u)\\b(?:{})\\w*", words.join("|"))).expect("embedded remarks are checked by a test")
});

/// Patterns of a set by themselves, as far as they were needed.
type Singles = Vec<OnceLock<Regex>>;

/// The patterns of remarks that say no.
static EACH: LazyLock<Vec<(&RegexSet, Singles)>> = LazyLock::new(|| {
    let sets = [&PATTERNS.processing, &PATTERNS.profiling, &PATTERNS.object];
    sets.map(|set| (set, set.patterns().iter().map(|_| OnceLock::new()).collect())).into()
});

/// What a cell says; `None` = nothing that is a no.
pub(crate) fn told_in(cell: &str) -> Option<Told> {
    // Most cells are names, numbers and addresses.
    if !cell.contains(char::is_alphabetic) {
        return None;
    }
    let words: Vec<&str> = cell.split_whitespace().filter(|word| !word.contains('@')).collect();
    let mut text = words.join(" ");
    for sign in [" - ", " – ", " — ", "/", "[", "]", "{", "}", "=", "\"", "<", ">", "*"] {
        text = text.replace(sign, " | ");
    }
    let parts = normal(&text);
    let parts: Vec<&str> = parts.split('|').map(str::trim).filter(|part| !is_none(part)).collect();
    // In most of them nothing sounds like a no.
    let text = parts.join(" | ");
    let may_tell = || PATTERNS.used.is_match(&text) || PATTERNS.any_taken_back.is_match(&text);
    if !may_be(&text, &parts) && !may_tell() {
        return None;
    }
    let Said { text, used, renewed } = said(&text);
    let parts: Vec<&str> = text.split('|').map(str::trim).filter(|part| !part.is_empty()).collect();
    let plain = parts.iter().position(|part| is_plain(part));
    let is_denial = |part: &&str| WORDS.denials.iter().any(|denial| denial == part);
    match plain {
        Some(at) if !cell.contains('?') && !parts.iter().enumerate().any(|(i, part)| i != at && is_denial(part)) => {
            Some(Told::Plainly)
        }
        Some(_) => Some(Told::Perhaps),
        None => (used || renewed.is_some() || may_be(&text, &parts)).then_some(Told::Perhaps),
    }
}

/// Whether a part of a cell says nothing, or denies a no.
fn is_none(part: &str) -> bool {
    let is_denied = |negation: &String| {
        let rest = part.strip_prefix(negation.as_str()).and_then(|rest| rest.strip_prefix(' '));
        rest.is_some_and(|rest| REFUSALS.contains(rest) && !REFUSALS.contains(part))
    };
    part.is_empty() || WORDS.surnames.iter().any(|name| name == part) || WORDS.negations.iter().any(is_denied)
}

/// Whether a part of a cell says no, and nothing else.
fn is_plain(part: &str) -> bool {
    if PLAIN.contains(part) || PLAIN.contains(&without_fillers(part)) {
        return true;
    }
    let mut rest = BEGINNINGS.replace_all(part, " ").into_owned();
    for (set, patterns) in EACH.iter() {
        for at in set.matches(part) {
            let pattern = patterns[at].get_or_init(|| Regex::new(&set.patterns()[at]).expect("one of the set"));
            rest = pattern.replace_all(&rest, " ").into_owned();
        }
    }
    rest.len() < part.len() && without_fillers(&rest).is_empty()
}

/// Whether some words of a cell are a no.
fn may_be(text: &str, parts: &[&str]) -> bool {
    BEGINNINGS.is_match(text)
        || EACH.iter().any(|(set, _)| set.is_match(text))
        || parts.iter().any(|part| REFUSALS.contains(*part) || REFUSALS.contains(&without_fillers(part)))
}

/// A text without words that say nothing beside a no, and without times.
pub(super) fn without_fillers(text: &str) -> String {
    let says = |word: &&str| {
        let is_number = word.bytes().any(|b| b.is_ascii_digit()) && word.len() < 12;
        !is_number && !WORDS.fillers.iter().any(|filler| filler == word)
    };
    text.split(' ').filter(|word| !word.is_empty()).filter(says).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_nothing_but_a_no_says_it_plainly() {
        for cell in [
            "abgemeldet",
            "Widersprochen!",
            "widerrufen.",
            "Widerspruch vom 12.3.2025",
            "Widerspruch vom 3. Mai 2025",
            "nicht mehr kontaktieren",
            "bitte nicht mehr anschreiben",
            "abgemeldet|Muster",
            "Muster|abgemeldet",
            "Haselkamp (widerrufen)",
            "abgemeldet am 3.5.2025",
            "seit 2024 abgemeldet",
            "2025-05-03: opted out",
            "keine Werbung mehr",
            "Muster - widersprochen",
            "Muster / opt-out",
            "Einwilligung zurückgezogen am 3.2.",
            "unsubscribed on 3 May 2025",
            "do not contact",
            "no consent",
            "DO_NOT_CONTACT",
            "hat widersprochen",
            "Löschung verlangt",
            "Name: Muster, Werbewiderspruch",
            "<abgemeldet> a@b.example",
            "Widerspruch: ja",
            "Muster; keine Einwilligung; 2024",
            "withdrawn",
            "opted-out (2025)",
            "Werbesperre",
            "kein Kontakt",
            "objected again",
            "Widerspruch zurückgenommen, erneut widersprochen",
            "Objection!",
            "Opt-In gelöscht",
            "Double-Opt-In entfernt am 3.5.2025",
            "Einwilligung gelöscht",
            "consent deleted",
            "will nicht mehr",
            "Muster, möchte nicht mehr",
            "will das nicht mehr",
            "wants no more",
            "no longer wants this",
        ] {
            assert_eq!(told_in(cell), Some(Told::Plainly), "{cell}");
        }
    }

    #[test]
    fn a_no_among_other_words_is_asked_about() {
        for cell in [
            "Haselkamp widerrufen lt. Meier",
            "abgemeldet?",
            "Widerspruch: nein",
            "Widerspruch (zurückgenommen)",
            "Sachbearbeiterin Widerspruch",
            "gesperrt",
            "Kunde gesperrt",
            "blocked",
            "denied",
            "gelöscht",
            "abgelehnt",
            "Sperre aufgehoben, seit 5.6. gesperrt",
            "macht von ihrem Widerspruchsrecht Gebrauch",
            "Muster will keine Newsletter, sagt Frau Beck",
            "objection (withdrawn)",
            "Opt-In: gelöscht",
        ] {
            assert_eq!(told_in(cell), Some(Told::Perhaps), "{cell}");
        }
    }

    #[test]
    fn what_only_sounds_like_a_no_says_nothing() {
        for cell in [
            "",
            "-",
            "4711",
            "2025-05-03",
            "Haselkamp",
            "Muster, Erika",
            "m.muster@werk.example",
            "optout@werk.example",
            "inaktiv",
            "archived",
            "deaktiviert",
            "ja",
            "nein",
            "aktiv",
            "Frau Stopp",
            "Stopp",
            "Stopp, Maria",
            "Domino Marketing GmbH",
            "Smart 21 GmbH",
            "Casino Newsletter AG",
            "Leiter Datenlöschanlagen",
            "nicht abgemeldet",
            "kein Widerspruch",
            "not unsubscribed",
            "nie abgemeldet",
            "no objection",
            "Widerspruch zurückgenommen",
            "Widerspruch vom 3.5.2024 ist 2025 wieder aufgehoben",
            "Widerrufsbelehrung 2025",
            "sha256:00",
            "Vertrieb Süd",
            "Einkauf/Logistik",
            "de",
            "noch nicht abgemeldet",
            "Opt-In nicht gelöscht",
            "Opt-In liegt vor",
            "will nicht mehr warten",
        ] {
            assert_eq!(told_in(cell), None, "{cell}");
        }
    }
}
