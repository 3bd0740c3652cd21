//! Whether a capitalised word is a person's name where it stands, or a company's, a thing's, one of our own people's.
//!
//! Invariant: in doubt it is not; a wrong person is worse than nobody.

use std::ops::Range;

use super::address::is_trade;
use super::genitive::is_belonging;
use super::guard::fold::Cell;
use super::guard::token::Token;
use super::part::Part;
use super::role_lines::ROLE_LINES;

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

/// Articles that people put before names when they talk: `die Hallmann zeichnet selbst ab`.
const SPOKEN: &[&str] = &["der", "die", "den", "dem", "vom", "zur", "zum"];

/// Articles, most of them within prepositions, behind which somebody is no subject.
pub(super) const OBLIQUE: &[&str] = &["den", "dem", "vom", "zur", "zum", "beim", "ans"];

/// Ours: the vendor's own people.
pub(super) const OURS: &[&str] = &[
    "uns", "us", "ours", "our", "my", "unser", "unsere", "unserem", "unseren", "unserer", "unseres", "mein", "meine",
    "meinem", "meinen", "meiner",
];

pub(super) const COLLEAGUES: &[&str] = &["kollege", "kollegen", "kollegin", "colleague"];

/// Family names that stand for something else too often when they stand alone.
pub(super) const WORDS: &[&str] = &[
    "meister", "kunde", "kaufmann", "wirt", "richter", "graf", "will", "may", "mark", "long", "young", "page", "price",
    "case", "power", "chef", "sommer", "winter", "herbst", "montag", "freitag", "sonntag", "march", "april", "june",
    "august", "best", "cash", "bill", "sales", "preis", "gross", "klein", "lang", "kurz", "neu", "alt", "gut", "recht",
];

/// Words with which sentences begin, so that their capital means nothing and a name may follow.
pub(super) const BEGINNINGS: &[&str] = &[
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
    "auf",
    "what",
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
    "when",
    "whenever",
    "while",
    "where",
    "if",
    "although",
    "though",
    "until",
    "unless",
    "before",
    "after",
    "like",
    "unlike",
    "according",
    "wenn",
    "falls",
    "sobald",
    "solange",
    "bevor",
    "nachdem",
    "obwohl",
    "waehrend",
    "laut",
    "seit",
    "wie",
    "was",
    "wo",
    "wegen",
    "prices",
    "returns",
    "complaints",
    "preise",
    "reklamationen",
    "angebote",
    "quotes",
    "orders",
    "bestellungen",
    "neues",
    "neuigkeiten",
    "news",
];

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

/// A sign of a company, an address or a file; `Brandt / Service` and `Karen + Brent` with blanks around it are none.
fn is_joined(cells: &[Cell]) -> bool {
    let sign = |c: &Cell| matches!(c.raw, '&' | '@' | '_' | '\\');
    let apart = |c: Option<&Cell>| c.is_some_and(|c| c.raw.is_whitespace());
    let spaced = apart(cells.first()) && apart(cells.last());
    cells.iter().any(sign)
        || !spaced && cells.iter().any(|c| matches!(c.raw, '+' | '/'))
        || cells.len() == 1 && matches!(cells[0].raw, '.' | '-' | ':')
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
        || name.start > 0 && before.is_none_or(|t| t.text != "w") && is_joined(between(cells, tokens, name.start))
}

/// Whether a house may stand here: `bei Dornbusch`.
pub(super) fn is_at(cells: &[Cell], tokens: &[Token<'_>], at: usize) -> bool {
    at > 0 && matches!(tokens[at - 1].text, "bei" | "at") && touches(cells, tokens, at, true)
}

/// `Dem Brandt sein Meister`, `der Brandt ihr Mann`: whose somebody is.
const THEIRS: &[&str] = &["sein", "seine", "seinen", "seinem", "seiner", "ihr", "ihre", "ihren", "ihrem", "ihrer"];

/// English given names that are words, too; behind a small word, or before what only a person does, they are names.
const NAMES_TOO: &[&str] = &["bill", "mark", "will", "may", "april", "june", "august"];

/// Whether a word stands for something else than a name.
fn is_word(tokens: &[Token<'_>], at: usize) -> bool {
    const DOES: &[&str] = &[
        "is",
        "has",
        "does",
        "doesn't",
        "wants",
        "likes",
        "said",
        "says",
        "needs",
        "decides",
        "runs",
        "was",
        "asked",
        "told",
        "isn't",
        "never",
        "always",
        "prefers",
        "uses",
        "works",
        "picks",
        "buys",
        "signs",
        "handles",
        "thinks",
        "loves",
        "hates",
        "came",
        "comes",
        "gave",
        "tests",
        "approves",
        "recommends",
        "owns",
    ];
    let english = || {
        tokens.iter().any(|t| {
            matches!(t.text, "the" | "and" | "with" | "to" | "is" | "has" | "of" | "by" | "doesn't" | "he" | "she")
        })
    };
    let behind = || {
        at > 0
            && is(
                tokens.get(at - 1),
                &["with", "by", "to", "and", "from", "past", "for", "but", "that", "unless", "without"],
            )
    };
    let name = is(tokens.get(at), NAMES_TOO)
        && (behind()
            || is(tokens.get(at + 1), DOES)
            || tokens.get(at + 1).is_some_and(|t| {
                !t.capital && (t.text.ends_with("ed") || t.text.ends_with('s') && t.word.is(Part::DEED))
            }))
        && english();
    is(tokens.get(at), WORDS) && !name
}

/// Whether a family name without an honorific can be that of a contact where it stands.
pub(super) fn is_person(cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
    if is_word(tokens, name.start) || is_firm(cells, tokens, name) {
        return false;
    }
    if touches(cells, tokens, name.start, true) {
        let before = &tokens[name.start - 1];
        let address = matches!(before.text, "sie" | "ihnen");
        let begins = name.start == 1 && is(Some(before), BEGINNINGS)
            || before.word.is(Part::HEADING)
            || before.word.is(Part::CALLED);
        let spoken = is(Some(before), SPOKEN) && !tokens[name.clone()].iter().any(|t| is_trade(t.text));
        if spoken && is(tokens.get(name.end), THEIRS) {
            return false;
        }
        if !begins && !spoken && (is(Some(before), ARTICLES) || before.capital && !address) {
            return false;
        }
    }
    let next = tokens.get(name.end).filter(|_| touches(cells, tokens, name.end, false));
    // `Brandt Mail am liebsten`: a way of keeping in touch lengthens no name.
    let harmless = |t: &Token<'_>| matches!(t.text, "i" | "sie" | "ihnen") || t.word.is(Part::HEADING);
    !next.is_some_and(|t| t.capital && !harmless(t) && !is_belonging(Some(t)))
}

/// Whether somebody named is one of the vendor's own: `unser Herr X`, `X von uns`, `X, unser Vertriebsleiter`.
pub(super) fn is_ours(cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
    let before = name.start.checked_sub(1).and_then(|at| tokens.get(at));
    let (next, after) = (tokens.get(name.end), tokens.get(name.end + 1));
    let stop = |at: usize| between(cells, tokens, at).iter().any(|c| matches!(c.raw, '.' | ';' | ':'));
    // `Her colleague Lars` is one of theirs.
    let theirs = name.start > 1
        && is(
            tokens.get(name.start - 2),
            &["her", "his", "their", "sein", "ihr", "seinem", "ihrem", "seine", "ihre", "seiner", "ihrer"],
        );
    touches(cells, tokens, name.start, false) && (is(before, OURS) || is(before, COLLEAGUES) && !theirs)
        || next.is_some() && !stop(name.end) && !touches(cells, tokens, name.end, false) && is(next, OURS)
        || is(next, &["von", "aus", "bei", "from", "on", "at", "of", "in"]) && is(after, OURS)
}

/// What only people do, or are.
const PERSONAL: &[&str] = &[
    "selbst",
    "selber",
    "persoenlich",
    "allein",
    "alleine",
    "himself",
    "herself",
    "personally",
    "sagt",
    "meint",
    "sagte",
    "meinte",
    "says",
    "said",
];

/// `GF Brandt`, `Brandt (GF)`, `Entscheider: Brandt`, `der Brandt`, `Brandt selbst`: also where the company has the same name, that is somebody.
pub(super) fn is_called(cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
    let called = |t: Option<&Token<'_>>| t.is_some_and(|t| t.word.is(Part::CALLED));
    let before = name.start.checked_sub(1).map(|at| &tokens[at]);
    let signs = |second: usize| {
        let last = tokens.get(second).map_or(cells.len(), |t| t.cells.start);
        cells[tokens[second - 1].cells.end..last].iter().find(|c| !c.raw.is_whitespace()).map(|c| c.raw)
    };
    called(before) && touches(cells, tokens, name.start, true)
        || is(before, &["der", "den"]) && touches(cells, tokens, name.start, false)
        || is(tokens.get(name.end), PERSONAL) && touches(cells, tokens, name.end, false)
        || called(tokens.get(name.end)) && signs(name.end) == Some('(')
        || before.is_some_and(|t| ROLE_LINES.has(t.text)) && matches!(signs(name.start), Some(':' | '='))
}

/// Where a name ends, with what its owner is called behind it: `Brandt (GF)`.
pub(super) fn with_title(cells: &[Cell], tokens: &[Token<'_>], end: usize) -> usize {
    let sign = |cell: usize| cells[cell..].iter().map(|c| c.raw).find(|c| !c.is_whitespace());
    let called = tokens
        .get(end)
        .filter(|t| t.word.is(Part::CALLED))
        .is_some_and(|t| sign(tokens[end - 1].cells.end) == Some('(') && sign(t.cells.end) == Some(')'));
    if called { end + 1 } else { end }
}
