//! What a word can be in a sentence, whoever is named: looked up once for each word.
//!
//! Invariant: says what a word can be, never who is meant.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::address::{is_address, pronoun};
use super::bare::{BEGINNINGS, WORDS};
use super::called::is_given_name;
use super::guard::token::Token;
use super::memory::Set;
use super::names::words_of;

/// What people do, right behind their names.
const DEEDS: &[&str] = &[
    "hat",
    "ist",
    "war",
    "will",
    "kommt",
    "kam",
    "meint",
    "leitet",
    "fuehrt",
    "uebernimmt",
    "sitzt",
    "kennt",
    "verhandelt",
    "entscheidet",
    "arbeitet",
    "ging",
    "sprach",
    "has",
    "is",
    "was",
    "wants",
    "joined",
    "came",
    "called",
    "runs",
    "leads",
    "knows",
    "likes",
    "decides",
    "attended",
    "works",
    "mag",
    "hasst",
    "moechte",
    "braucht",
    "needs",
    "hates",
    "prefers",
];

/// What one does with people, in sentences like `mit Meyer telefoniert`.
const MEETINGS: &[&str] = &[
    "gesprochen",
    "telefoniert",
    "getroffen",
    "gespraech",
    "telefonat",
    "termin",
    "treffen",
    "besuch",
    "met",
    "spoke",
    "talked",
    "call",
    "meeting",
    "chat",
    "lunch",
    "visit",
    "visited",
];

/// Words at the head of a sentence that are not names.
const NO_NAMES: &[&str] = &[
    "es",
    "das",
    "dies",
    "dieses",
    "er",
    "sie",
    "ich",
    "wir",
    "ihr",
    "man",
    "wer",
    "was",
    "hier",
    "dort",
    "da",
    "jetzt",
    "heute",
    "alles",
    "nichts",
    "niemand",
    "keiner",
    "jeder",
    "budget",
    "preis",
    "termin",
    "angebot",
    "projekt",
    "demo",
    "anlage",
    "maschine",
    "thema",
    "lage",
    "gespraech",
    "telefonat",
    "problem",
    "ziel",
    "fazit",
    "stand",
    "geld",
    "bedarf",
    "it",
    "this",
    "that",
    "he",
    "she",
    "they",
    "we",
    "you",
    "i",
    "there",
    "here",
    "everything",
    "nothing",
    "today",
    "price",
    "project",
    "call",
    "deal",
    "offer",
    "quote",
    "goal",
    "money",
    "who",
    "what",
    "nobody",
    "one",
    "time",
    "zeit",
    "einkauf",
    "vertrieb",
    "technik",
    "procurement",
    "purchasing",
    "software",
    "system",
    "tool",
    "aim",
    "plan",
    "brief",
    "target",
    "focus",
    "idea",
    "reason",
    "concern",
];

const NO_NAME_ENDINGS: &[&str] = &["ung", "heit", "keit", "tion", "schaft", "taet", "ness", "ment", "ing"];

/// Words that make a statement a guess, spelled as the text is folded.
const HEDGES: [&str; 16] = [
    "probably",
    "perhaps",
    "maybe",
    "possibly",
    "supposedly",
    "apparently",
    "presumably",
    "allegedly",
    "vielleicht",
    "vermutlich",
    "wahrscheinlich",
    "angeblich",
    "moeglicherweise",
    "eventuell",
    "evtl",
    "anscheinend",
];

/// Words that tell of what was: no gap of topics and stances passes over them.
const PAST: [&str; 14] = [
    "war",
    "waren",
    "were",
    "hatte",
    "hatten",
    "had",
    "frueher",
    "damals",
    "ehemals",
    "einst",
    "seinerzeit",
    "formerly",
    "previously",
    "lief",
];

/// What a word can be in a sentence, whoever is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part(u16);

impl Part {
    /// Names nobody.
    pub(super) const NO_NAME: Self = Self(1);
    /// What people do, right behind their names.
    pub(super) const DEED: Self = Self(1 << 1);
    /// What one does with people.
    pub(super) const MEETING: Self = Self(1 << 2);
    /// Right before people whom one meets.
    pub(super) const WITH: Self = Self(1 << 3);
    /// An honorific or an academic title.
    pub(super) const ADDRESS: Self = Self(1 << 4);
    /// Can stand for a person: `er`, `sie`.
    pub(super) const PRONOUN: Self = Self(1 << 5);
    /// Can be the one who speaks.
    pub(super) const SPEAKER: Self = Self(1 << 6);
    /// Notes and their lines are headed with it, right before a name.
    pub(super) const HEADING: Self = Self(1 << 7);
    /// What people are called at work, right before their name.
    pub(super) const CALLED: Self = Self(1 << 8);
    /// Lines are headed with it that are about it: `Next steps: ...`.
    pub(super) const TOPIC: Self = Self(1 << 9);
    /// Makes a statement a guess.
    pub(super) const HEDGE: Self = Self(1 << 10);
    /// Tells of what was.
    pub(super) const PAST: Self = Self(1 << 11);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a word (folded) can be.
pub(super) fn part(word: &str) -> Part {
    let no_name = word.len() <= 2
        || NO_NAMES.contains(&word)
        || BEGINNINGS.contains(&word)
        || NO_NAME_ENDINGS.iter().any(|e| word.ends_with(e))
        || NOTE_HEADS.things.iter().any(|e| word.ends_with(e.as_str()));
    let heading = NOTE_HEADS.headings.contains(word)
        || NOTE_HEADS.heading_ends.iter().any(|e| word.len() > e.len() && word.ends_with(e.as_str()));
    let parts = [
        (no_name, Part::NO_NAME),
        (DEEDS.contains(&word), Part::DEED),
        (MEETINGS.contains(&word), Part::MEETING),
        (["mit", "with", "to", "met", "bei"].contains(&word), Part::WITH),
        (is_address(word), Part::ADDRESS),
        (pronoun(word).is_some(), Part::PRONOUN),
        (["ich", "i", "i'm"].contains(&word), Part::SPEAKER),
        (heading, Part::HEADING),
        (NOTE_HEADS.titles.contains(word), Part::CALLED),
        (NOTE_HEADS.topics.contains(word), Part::TOPIC),
        (HEDGES.contains(&word), Part::HEDGE),
        (PAST.contains(&word), Part::PAST),
    ];
    Part(parts.iter().filter(|(is, _)| *is).fold(0, |all, (_, part)| all | part.0))
}

/// Words of `config/signals/note_heads.yaml`, folded.
struct NoteHeads {
    headings: BTreeSet<String>,
    titles: BTreeSet<String>,
    topics: BTreeSet<String>,
    /// Ends of words for ways of meeting: `Statusgespräch`.
    heading_ends: Vec<String>,
    /// Ends of words for things, which are no names.
    things: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNoteHeads {
    version: u32,
    headings: Vec<String>,
    titles: Vec<String>,
    topics: Vec<String>,
    heading_ends: Vec<String>,
    things: Vec<String>,
}

static NOTE_HEADS: LazyLock<NoteHeads> = LazyLock::new(|| {
    let raw: RawNoteHeads = serde_saphyr::from_str(include_str!("../../../config/signals/note_heads.yaml"))
        .unwrap_or_else(|error| panic!("signals/note_heads.yaml: {error}"));
    assert!(raw.version == 1, "signals/note_heads.yaml: this program reads version 1");
    let folded = |words: &[String]| words.iter().flat_map(|word| words_of(word)).collect();
    let ends = |words: &[String]| words.iter().flat_map(|word| words_of(word)).collect();
    NoteHeads {
        headings: folded(&raw.headings),
        titles: folded(&raw.titles),
        topics: folded(&raw.topics),
        heading_ends: ends(&raw.heading_ends),
        things: ends(&raw.things),
    }
});

/// Whether a word may stand before the name that a note or a line is headed with: `Tel.`, `Mtg`, `GF`, a date.
pub(super) fn is_heading(token: &Token<'_>) -> bool {
    token.word.is(Part::HEADING)
        || token.word.is(Part::CALLED)
        || token.word.is(Part::ADDRESS)
        || token.text.chars().all(|c| c.is_ascii_digit())
}

/// Whether any pattern knows a word as another than somebody's given name.
pub(super) fn is_known(token: &Token<'_>) -> bool {
    let is_name = || token.capital && is_given_name(token.text) && !WORDS.contains(&token.text);
    let known =
        [Set::Context, Set::Claims, Set::Topics, Set::Stances].iter().any(|set| !token.word.ids(*set).is_empty());
    known && !is_name()
}

/// Words that may stand before what is said of somebody who is not named: `A tough negotiator`, `Very careful`.
const LEADS: [&str; 42] = [
    "sehr",
    "extrem",
    "total",
    "absolut",
    "echt",
    "richtig",
    "ziemlich",
    "wirklich",
    "eher",
    "ein",
    "eine",
    "einer",
    "der",
    "die",
    "das",
    "ist",
    "bin",
    "immer",
    "stets",
    "very",
    "really",
    "extremely",
    "quite",
    "totally",
    "super",
    "so",
    "rather",
    "pretty",
    "a",
    "an",
    "the",
    "is",
    "am",
    "always",
    "bit",
    "true",
    "echter",
    "echte",
    // `Ihre Einkäufe stehen fest`: what is said is said of what is hers.
    "ihre",
    "seine",
    "ihr",
    "sein",
];

/// Whether a word may stand before what is said of somebody who is not named.
pub(super) fn is_lead(word: &str) -> bool {
    LEADS.contains(&word)
}
