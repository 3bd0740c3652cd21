//! Whether a capitalised word is a person's name where it stands, or a company's, a thing's, one of our own people's.
//!
//! Invariant: in doubt it is not; a wrong person is worse than nobody.

use std::ops::Range;

use super::genitive::is_belonging;
use super::guard::fold::Cell;
use super::guard::token::Token;
use super::people::{Mention, is_address, pronoun};

/// What makes a company of the name before it. All lists here are spelled as the text is folded (`ue` for `ü`).
const FIRMS: &[&str] = &[
    "gmbh",
    "ag",
    "kg",
    "kgaa",
    "ohg",
    "ug",
    "gbr",
    "se",
    "ev",
    "mbh",
    "ltd",
    "limited",
    "inc",
    "llc",
    "llp",
    "plc",
    "corp",
    "corporation",
    "co",
    "cie",
    "sarl",
    "sas",
    "bv",
    "nv",
    "spa",
    "group",
    "gruppe",
    "holding",
    "holdings",
    "werke",
    "konzern",
    "company",
    "sons",
    "gebrueder",
];

/// What makes a company of the name behind it.
const FIRM_BEFORE: &[&str] = &["firma", "fa", "company", "konzern", "unternehmen", "kunde", "customer", "gebrueder"];

/// Before a family name they make a thing of it, or somebody whom we should not guess at.
pub(super) const ARTICLES: &[&str] = &[
    "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "im", "am", "zum", "zur",
    "vom", "beim", "ins", "dieser", "diese", "dieses", "diesen", "jeder", "jede", "kein", "keine", "the", "a", "this",
    "that", "his", "her", "their", "sein", "seine", "ihr", "ihre",
];

/// Ours: the vendor's own people.
const OURS: &[&str] = &[
    "uns", "us", "ours", "our", "my", "unser", "unsere", "unserem", "unseren", "unserer", "unseres", "mein", "meine",
    "meinem", "meinen", "meiner",
];

const COLLEAGUES: &[&str] = &["kollege", "kollegen", "kollegin", "colleague"];

/// Family names that stand for something else too often when they stand alone.
pub(super) const WORDS: &[&str] = &[
    "meister", "kunde", "kaufmann", "wirt", "richter", "graf", "will", "may", "mark", "long", "young", "page", "price",
    "case", "power", "chef", "sommer", "winter", "herbst", "montag", "freitag", "sonntag", "march", "april", "june",
    "august", "best", "cash", "bill", "sales", "preis", "gross", "klein", "lang", "kurz", "neu", "alt", "gut", "recht",
];

/// Words with which sentences begin, so that their capital means nothing and a name may follow.
const BEGINNINGS: &[&str] = &[
    "bei",
    "mit",
    "von",
    "an",
    "ohne",
    "nur",
    "auch",
    "und",
    "aber",
    "dass",
    "weil",
    "letztlich",
    "letztendlich",
    "hier",
    "dort",
    "da",
    "denn",
    "das",
    "fuer",
    "durch",
    "ueber",
    "entscheidet",
    "entscheiden",
    "nach",
    "sondern",
    "only",
    "but",
    "because",
    "so",
    "and",
    "with",
    "without",
    "talk",
    "speak",
    "ask",
    "contact",
    "ultimately",
    "since",
    "actually",
    "finally",
    "generally",
    "usually",
    "however",
    "also",
    "through",
    "from",
    "schliesslich",
    "uebrigens",
    "sie",
    "ihnen",
    "budget",
    "entscheider",
    "decider",
    "freigabe",
    "approver",
    "buyer",
    "einkaeufer",
    // What notes are headed with: `Mail Hallmann`, `Besuch Ebert`.
    "mail",
    "besuch",
    "anruf",
    "telefonat",
    "termin",
    "jahresgespraech",
];

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
];

const NO_NAME_ENDINGS: &[&str] = &["ung", "heit", "keit", "tion", "schaft", "taet", "ness", "ment", "ing"];

pub(super) fn is(token: Option<&Token<'_>>, list: &[&str]) -> bool {
    token.is_some_and(|t| list.contains(&t.text))
}

/// What stands between two neighbouring tokens, as written.
fn between<'c>(cells: &'c [Cell], tokens: &[Token<'_>], second: usize) -> &'c [Cell] {
    let from = second.checked_sub(1).map_or(0, |first| tokens[first].cells.end);
    &cells[from..tokens.get(second).map_or(cells.len(), |t| t.cells.start)]
}

/// Nothing but blanks, and the stop of an abbreviation where `stops` allows it.
pub(super) fn touches(cells: &[Cell], tokens: &[Token<'_>], second: usize, stops: bool) -> bool {
    second > 0 && between(cells, tokens, second).iter().all(|c| c.raw.is_whitespace() || stops && c.raw == '.')
}

/// A sign of a company, an address or a file.
fn is_joined(cells: &[Cell]) -> bool {
    let sign = |c: &Cell| matches!(c.raw, '&' | '+' | '/' | '@' | '_' | '\\');
    cells.iter().any(sign) || cells.len() == 1 && matches!(cells[0].raw, '.' | '-' | ':')
}

/// Whether the family name at `name` is used as that of a company: `Firma X`, `X GmbH`, `X & Y`, `X und Partner`.
pub(super) fn is_firm(cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
    let before = name.start.checked_sub(1).and_then(|at| tokens.get(at));
    let (next, after) = (tokens.get(name.end), tokens.get(name.end + 1));
    let behind = between(cells, tokens, name.end);
    touches(cells, tokens, name.start, true) && is(before, FIRM_BEFORE)
        || touches(cells, tokens, name.end, true) && is(next, FIRMS)
        || is(next, &["und", "and", "u"]) && (is(after, FIRMS) || is(after, &["partner", "partners", "sohn", "son"]))
        || next.is_some() && is_joined(behind)
        || name.start > 0 && is_joined(between(cells, tokens, name.start))
}

/// Whether a family name without an honorific can be that of a contact where it stands.
pub(super) fn is_person(cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
    if is(tokens.get(name.start), WORDS) || is_firm(cells, tokens, name) {
        return false;
    }
    if touches(cells, tokens, name.start, true) {
        let before = &tokens[name.start - 1];
        let address = matches!(before.text, "sie" | "ihnen");
        let begins = name.start == 1 && is(Some(before), BEGINNINGS);
        if !begins && (is(Some(before), ARTICLES) || before.capital && !address) {
            return false;
        }
    }
    let next = tokens.get(name.end).filter(|_| touches(cells, tokens, name.end, false));
    !next.is_some_and(|t| t.capital && !matches!(t.text, "i" | "sie" | "ihnen") && !is_belonging(Some(t)))
}

/// Whether somebody named is one of the vendor's own: `unser Herr X`, `X von uns`, `X, unser Vertriebsleiter`.
pub(super) fn is_ours(cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
    let before = name.start.checked_sub(1).and_then(|at| tokens.get(at));
    let (next, after) = (tokens.get(name.end), tokens.get(name.end + 1));
    let stop = |at: usize| between(cells, tokens, at).iter().any(|c| matches!(c.raw, '.' | ';' | ':'));
    touches(cells, tokens, name.start, false) && (is(before, OURS) || is(before, COLLEAGUES))
        || next.is_some() && !stop(name.end) && !touches(cells, tokens, name.end, false) && is(next, OURS)
        || is(next, &["von", "aus", "bei", "from", "on", "at", "of", "in"]) && is(after, OURS)
}

/// What a word can be in a sentence, whoever is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part(u8);

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

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a word (folded) can be.
pub(super) fn part(word: &str) -> Part {
    let no_name = word.len() <= 2
        || NO_NAMES.contains(&word)
        || BEGINNINGS.contains(&word)
        || NO_NAME_ENDINGS.iter().any(|e| word.ends_with(e));
    let parts = [
        (no_name, Part::NO_NAME),
        (DEEDS.contains(&word), Part::DEED),
        (MEETINGS.contains(&word), Part::MEETING),
        (["mit", "with", "to", "met", "bei"].contains(&word), Part::WITH),
        (is_address(word), Part::ADDRESS),
        (pronoun(word).is_some(), Part::PRONOUN),
        (["ich", "i", "i'm"].contains(&word), Part::SPEAKER),
    ];
    Part(parts.iter().filter(|(is, _)| *is).fold(0, |all, (_, part)| all | part.0))
}

/// Whether the sentence speaks of somebody who is none of the contacts: `Meyer war dabei`, `mit Meyer telefoniert`.
pub(super) fn names_unknown(tokens: &[Token<'_>], clauses: &[u32], named: &[Mention]) -> bool {
    let unknown = |at: usize| {
        let token = &tokens[at];
        token.capital && !token.word.is(Part::NO_NAME) && !named.iter().any(|m| m.tokens.contains(&at))
    };
    let met = tokens.iter().any(|t| t.word.is(Part::MEETING));
    (0..tokens.len()).any(|at| {
        let heads = at == 0 || clauses[at] != clauses[at - 1];
        let does = heads
            && clauses.get(at + 1) == Some(&clauses[at])
            && tokens.get(at + 1).is_some_and(|t| t.word.is(Part::DEED));
        let company = at > 0 && met && tokens[at - 1].word.is(Part::WITH);
        (does || company) && unknown(at)
    })
}
