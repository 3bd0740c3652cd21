//! Contacts whom a text calls by what they do: `der Werkleiter`, `die Einkaufsleiterin`, `the plant manager`.
//!
//! Invariant: somebody is meant only where one contact alone has such a title; somebody else's (`der Chef von Beck`), one of ours
//! or a new one (`der neue Werkleiter`) is nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

mod strangers;
mod words;

use serde::Deserialize;

use super::TextContact;
use super::address::Form;
use super::bare::{OBLIQUE, touches};
use super::guard::fold::Cell;
use super::guard::token::Token;
use super::names::words_of;
use super::part::{Part, is_known};
use crate::extract::title::TitleReader;
use crate::taxonomy::Seniority;
pub(super) use strangers::{goes_elsewhere, meets_stranger};
pub(super) use words::titled;

/// What the CRM's title of a contact lets others call him or her.
#[derive(Debug)]
pub(super) struct Calling {
    /// The words of the title, in order, folded.
    words: Vec<String>,
    /// German names of it, in the masculine form and without the `s` that joins: `einkaufleiter`.
    names: BTreeSet<String>,
    /// He or she is at the head of the company.
    top: bool,
    /// Which pronoun can mean him or her, by the given name, else by a title in the feminine; one in the masculine may be anybody's.
    pub(super) form: Option<Form>,
}

/// A contact who is called by what he or she does.
pub(super) struct Called {
    pub(super) contact: usize,
    pub(super) tokens: Range<usize>,
    pub(super) form: Option<Form>,
    /// Cannot be the subject of the sentence.
    pub(super) oblique: bool,
}

/// Words of `config/signals/callings.yaml`, folded.
struct Lists {
    /// With these end the German words for somebody with a function.
    heads: Vec<String>,
    /// Alone they may be anybody, one of ours, too.
    vague: BTreeSet<String>,
    /// The one at the head of a company.
    top: BTreeSet<String>,
    /// With these end the English words for somebody with a function.
    english: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLists {
    version: u32,
    heads: Vec<String>,
    vague: Vec<String>,
    top: Vec<String>,
    english: Vec<String>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let raw: RawLists = serde_saphyr::from_str(include_str!("../../../config/signals/callings.yaml"))
        .unwrap_or_else(|error| panic!("signals/callings.yaml: {error}"));
    assert!(raw.version == 1, "signals/callings.yaml: this program reads version 1");
    let folded = |words: &[String]| words.iter().flat_map(|word| words_of(word)).collect::<Vec<_>>();
    let heads = folded(&raw.heads);
    let set = |words: &[String]| {
        let words = folded(words);
        let plain: Vec<String> = words.iter().filter_map(|word| plain(&heads, word)).map(|(name, _)| name).collect();
        words.into_iter().chain(plain).collect()
    };
    let (vague, top, english) = (set(&raw.vague), set(&raw.top), folded(&raw.english).into_iter().collect());
    Lists { heads, vague, top, english }
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGiven {
    version: u32,
    feminine: Vec<String>,
    masculine: Vec<String>,
}

/// Given names that show a form, folded.
static GIVEN: LazyLock<BTreeMap<String, Form>> = LazyLock::new(|| {
    let raw: RawGiven = serde_saphyr::from_str(include_str!("../../../config/signals/given_names.yaml"))
        .unwrap_or_else(|error| panic!("signals/given_names.yaml: {error}"));
    assert!(raw.version == 1, "signals/given_names.yaml: this program reads version 1");
    let of = |names: Vec<String>, form: Form| {
        names.into_iter().flat_map(move |name| words_of(&name)).map(move |n| (n, form))
    };
    of(raw.feminine, Form::Feminine).chain(of(raw.masculine, Form::Masculine)).collect()
});

/// Whether a word is a given name that shows a form.
pub(super) fn is_given_name(word: &str) -> bool {
    GIVEN.contains_key(word)
}

/// Before a function in German, and whether somebody behind it can be no subject.
fn article(word: &str) -> Option<bool> {
    match word {
        "der" | "die" => Some(false),
        word => OBLIQUE.contains(&word).then_some(true),
    }
}

/// Behind them stands somebody to whom something is done, or with whom: whoever acts is another.
pub(super) const PREPOSITIONS: [&str; 19] = [
    "bei", "mit", "von", "zu", "an", "fuer", "durch", "auf", "vor", "nach", "ueber", "gegen", "ohne", "aus", "neben",
    "hinter", "unter", "um", "seit",
];

/// Behind them a function measures or replaces somebody, or leaves open who it is.
const LIKE: [&str; 13] =
    ["als", "wie", "statt", "oder", "per", "of", "as", "like", "than", "or", "unlike", "instead", "rather"];

/// Behind them an English clause begins.
const BEGINS: [&str; 20] = [
    "and", "that", "but", "because", "so", "says", "where", "first", "then", "only", "finally", "when", "if", "before",
    "until", "while", "which", "what", "how", "who",
];

/// Behind a function they say whose it is, or of what.
const WHOSE: [&str; 22] = [
    "we", "who", "that", "they", "der", "des", "von", "vom", "bei", "beim", "fuer", "aus", "of", "at", "from", "for",
    "their", "in", "unserer", "unseres", "dort", "there",
];

/// A German word for somebody with a function, in the masculine form and without the `s` that joins; and its form.
fn plain(heads: &[String], word: &str) -> Option<(String, Form)> {
    let (stem, form) = match word.strip_suffix("in") {
        Some(stem) if heads.iter().any(|head| stem.ends_with(head.as_str())) => (stem, Form::Feminine),
        _ => (word, Form::Masculine),
    };
    let head = heads.iter().filter(|head| stem.ends_with(head.as_str())).max_by_key(|head| head.len())?;
    let what = stem[..stem.len() - head.len()].trim_end_matches(['s', '-']);
    Some((format!("{what}{head}"), form))
}

impl Calling {
    /// `given` are the words of the given name, folded.
    pub(super) fn read(contact: &TextContact, given: &[String]) -> Self {
        let title = contact.title.as_deref().unwrap_or_default();
        // `PA to the Managing Director` is not called by what her boss does.
        let title = title.split(" to the ").next().unwrap_or_default();
        let words = words_of(title);
        let mut names = BTreeSet::new();
        let mut feminine = false;
        for word in &words {
            let Some((name, shown)) = plain(&LISTS.heads, word) else { continue };
            feminine |= shown == Form::Feminine;
            // `Leiterin Einkauf` is the Einkaufsleiterin.
            names.extend(
                words
                    .iter()
                    .filter(|of| plain(&LISTS.heads, of).is_none())
                    .map(|of| format!("{}{name}", of.trim_end_matches('s'))),
            );
            names.insert(name);
        }
        let seniority = contact.title.as_deref().and_then(|title| TitleReader::shipped().read(title).seniority.value);
        let top = matches!(seniority, Some(Seniority::CLevel | Seniority::Owner));
        let form = given.first().and_then(|name| GIVEN.get(name).copied());
        Self { words, names, top, form: form.or(feminine.then_some(Form::Feminine)) }
    }

    /// Whether the words stand in the title, one behind the other.
    fn has_in_row(&self, words: &[&str]) -> bool {
        self.words.windows(words.len()).any(|row| row.iter().zip(words).all(|(a, b)| a == b))
    }
}

/// The one contact who is called by what he or she does from a token on.
pub(super) fn called(all: &[Calling], cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Called> {
    let found = match article(tokens[at].text) {
        Some(oblique) => in_german(all, cells, tokens, at, oblique),
        None if tokens[at].text == "the" => in_english(all, cells, tokens, at),
        None => words::abbreviated(all, cells, tokens, at).or_else(|| words::joined(all, tokens, at)),
    }?;
    // `Dem Werkleiter Beck`: he is named.
    let goes_on = |t: &Token<'_>| t.capital && !t.word.is(Part::NO_NAME) && !is_known(t);
    // `Der Werkleiter von Mosbach`, `the plant manager at their sister company`; at a place in the house he is still himself.
    let behind = found.tokens.end;
    let whose = tokens.get(behind).is_some_and(|t| WHOSE.contains(&t.text))
        && !(is(tokens, behind, &["at", "in"]) && is(tokens, behind + 1, &["the", "a", "all", "every", "this"]));
    // `Der Werkleiter (Lohse)`, `the plant manager, Joe Stone,`, `der Werkleiter heißt Lohse`: he is named, too.
    let sign = tokens
        .get(behind)
        .and_then(|t| cells[tokens[behind - 1].cells.end..t.cells.start].iter().find(|c| !c.raw.is_whitespace()));
    let aside = sign.is_some_and(|c| matches!(c.raw, '(' | ','));
    let named = is(tokens, behind, &["heisst", "named"])
        || aside && tokens.get(behind).is_some_and(|t| t.capital && t.text != "i");
    (!whose && !named && !tokens.get(behind).is_some_and(goes_on)).then_some(found)
}

/// Prepositions, and verbs behind which somebody is met or asked.
const BEHIND: [&str; 26] = [
    "with", "by", "to", "from", "at", "of", "for", "on", "about", "through", "past", "via", "after", "before", "met",
    "asked", "called", "meet", "ask", "and", "without", "like", "as", "between", "see", "reach",
];

/// Whether a verb stands at a place.
fn does(tokens: &[Token<'_>], at: usize) -> bool {
    const DOES: [&str; 14] = [
        "has", "is", "will", "wants", "hates", "likes", "signs", "decides", "needs", "must", "can", "uses", "makes",
        "takes",
    ];
    tokens.get(at).is_some_and(|t| !t.capital && (DOES.contains(&t.text) || t.word.is(Part::DEED)))
}

fn is(tokens: &[Token<'_>], at: usize, words: &[&str]) -> bool {
    tokens.get(at).is_some_and(|t| words.contains(&t.text))
}

fn in_german(all: &[Calling], cells: &[Cell], tokens: &[Token<'_>], at: usize, oblique: bool) -> Option<Called> {
    let noun = tokens.get(at + 1).filter(|noun| noun.capital)?;
    let before = at.checked_sub(1).map(|before| tokens[before].text);
    if before.is_some_and(|word| LIKE.contains(&word)) {
        return None;
    }
    let (contact, form, end) = words::in_words(all, cells, tokens, at + 1).or_else(|| {
        let alone = || LISTS.top.contains(noun.text).then(|| (noun.text.to_owned(), Form::Masculine));
        let (name, form) = plain(&LISTS.heads, noun.text).or_else(alone)?;
        let is_top = LISTS.top.contains(&name);
        if LISTS.vague.contains(name.as_str()) {
            return None;
        }
        let named = only(all, |calling| calling.names.contains(&name));
        let contact = named.or_else(|| only(all, |calling| is_top && calling.top))?;
        Some((contact, form, at + 2))
    })?;
    // `die Leiter`, `der Leiterin`: several, or not the form that the article has.
    let fits = match tokens[at].text {
        "die" | "zur" => form == Form::Feminine,
        "dem" | "den" | "zum" | "beim" | "vom" => form == Form::Masculine,
        _ => true,
    };
    let oblique = oblique
        || tokens[at].text == "der" && form == Form::Feminine
        || before.is_some_and(|word| PREPOSITIONS.contains(&word));
    fits.then_some(Called { contact, tokens: at..end, form: Some(form), oblique })
}

fn in_english(all: &[Calling], cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Called> {
    const LONGEST: usize = 4;
    let before = at.checked_sub(1).map(|before| tokens[before].text);
    if before.is_some_and(|word| LIKE.contains(&word)) {
        return None;
    }
    // Whoever stands at the beginning of a clause acts; elsewhere something is done to him, or with him.
    let parted = at > 0
        && cells[tokens[at - 1].cells.end..tokens[at].cells.start]
            .iter()
            .any(|c| matches!(c.raw, ',' | ';' | '-' | '–' | '('));
    let starts = before.is_none_or(|word| BEGINS.contains(&word)) || parted;
    (1..=LONGEST.min(tokens.len() - at - 1)).rev().find_map(|length| {
        // `Mark told me the boss has the final say`: whoever stands before a verb, and behind no preposition, acts.
        let stranger =
            || at > 0 && tokens[at - 1].capital && !is_known(&tokens[at - 1]) && !touches(cells, tokens, at, false);
        let acts =
            || does(tokens, at + 1 + length) && !stranger() && !before.is_some_and(|word| BEHIND.contains(&word));
        let oblique = !starts && !acts();
        let words: Vec<&str> = tokens[at + 1..=at + length].iter().map(|t| t.text).collect();
        let (first, last) = (*words.first()?, *words.last()?);
        let titled = LISTS.english.contains(last) || length > 2 && LISTS.english.contains(first) && words[1] == "of";
        let whole = || only(all, |calling| calling.words == words);
        if !titled || length == 1 && LISTS.vague.contains(last) {
            let contact = whole().filter(|_| titled)?;
            return Some(Called { contact, tokens: at..at + 1 + length, form: None, oblique });
        }
        let is_top = length == 1 && LISTS.top.contains(last);
        let contact = only(all, |calling| calling.has_in_row(&words))
            .or_else(|| words::in_short(all, last).filter(|_| length == 1))
            .or_else(|| only(all, |c| is_top && c.top))?;
        Some(Called { contact, tokens: at..at + 1 + length, form: None, oblique })
    })
}

/// The only one of whom something holds.
fn only(all: &[Calling], holds: impl Fn(&Calling) -> bool) -> Option<usize> {
    let mut fitting = (0..all.len()).filter(|at| holds(&all[*at]));
    let first = fitting.next();
    first.filter(|_| fitting.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::super::{TextContact, TextKind, TextRecord, read_text};

    /// Whom functions and pronouns mean: the goal to cut costs.
    #[test]
    fn functions_and_pronouns_mean_one_contact_or_nobody() {
        let contacts = [
            ("c1", "Petra Werning", "Einkaufsleiterin"),
            ("c2", "Andreas Pohlmann", "Werkleiter"),
            ("c3", "Rainer Holtkamp", "Geschäftsführer"),
            ("c4", "Kim Brandes", "Techniker"),
            ("c5", "Greg Moss", "Plant Manager"),
            ("c6", "Jens Ilgner", "Disponent"),
            ("c7", "Olaf Ilgner", "Disponent"),
        ];
        let contacts: Vec<TextContact> = contacts
            .map(|(id, name, title)| TextContact { id: id.into(), name: name.into(), title: Some(title.into()) })
            .into();
        for (text, whose) in [
            ("Der Werkleiter will Kosten senken.", Some("c2")),
            ("Dieses Jahr will die Einkaufsleiterin Kosten senken.", Some("c1")),
            ("Der Chef will Kosten senken.", Some("c3")),
            ("The plant manager wants to bring the costs down.", Some("c5")),
            ("Der neue Werkleiter will Kosten senken.", None),
            ("Der Werkleiter von Mosbach will Kosten senken.", None),
            ("Unser Werkleiter will Kosten senken.", None),
            ("Schwesterwerk Soest besucht. Der Werkleiter will Kosten senken.", None),
            ("Der Disponent will Kosten senken.", None),
            ("Der Techniker will Kosten senken.", None),
            ("Frau Pohlmann will Kosten senken.", None),
            ("Hr. P. will Kosten senken.", Some("c2")),
            ("Hr. I. will Kosten senken.", None),
            ("Termin mit Werning und Pohlmann. Sie will Kosten senken.", Some("c1")),
            ("Termin mit Werning und Pohlmann. Er will Kosten senken.", Some("c2")),
            ("Termin mit Pohlmann und Holtkamp. Er will Kosten senken.", None),
            ("Termin mit Pohlmann und Brandes. Er will Kosten senken.", None),
            ("Pohlmann hat einen Schwager, der Kosten senken will.", None),
            ("Herr Pohlmann hat den Architekten mitgebracht. Er will Kosten senken.", None),
        ] {
            let record = TextRecord {
                id: String::new(),
                kind: TextKind::Note,
                lang: None,
                text: text.to_owned(),
                contacts: contacts.clone().into(),
                about: None,
                company: Some("Tannhoff GmbH".to_owned()),
            };
            let said = read_text(&record).signals.into_iter().filter(|s| s.value == "cut_costs").map(|s| s.subject);
            assert_eq!(said.collect::<Vec<_>>(), whose.into_iter().collect::<Vec<_>>(), "{text}");
        }
    }
}
