//! Contacts whom a text calls by what they do: `der Werkleiter`, `die Einkaufsleiterin`, `the plant manager`.
//!
//! Invariant: somebody is meant only where one contact alone has such a title; somebody else's (`der Chef von Beck`), one of ours
//! or a new one (`der neue Werkleiter`) is nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use super::TextContact;
use super::address::Form;
use super::guard::token::Token;
use super::names::words_of;
use super::part::{Part, is_known};
use crate::extract::title::TitleReader;
use crate::taxonomy::Seniority;

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

/// Before a function in German, and whether somebody behind it can be no subject.
fn article(word: &str) -> Option<bool> {
    match word {
        "der" | "die" => Some(false),
        "dem" => Some(true),
        _ => None,
    }
}

/// Behind them stands somebody to whom something is done, or whose something is: whoever acts is another.
const TOWARDS: [&str; 24] = [
    "bei", "mit", "von", "zu", "an", "fuer", "durch", "auf", "vor", "nach", "ueber", "gegen", "ohne", "aus", "als",
    "wie", "statt", "neben", "hinter", "unter", "um", "seit", "oder", "per",
];

/// Behind them whoever is called by a function has something, or does it: `sits with the plant manager`.
const HAVING: [&str; 6] = ["by", "with", "to", "from", "through", "past"];

/// Behind them an English clause begins.
const BEGINS: [&str; 7] = ["and", "that", "but", "because", "so", "says", "where"];

/// Behind a function they say whose it is, or of what.
const WHOSE: [&str; 22] = [
    "we", "who", "that", "they", "der", "des", "von", "vom", "bei", "beim", "fuer", "aus", "of", "at", "from", "for",
    "their", "in", "unserer", "unseres", "dort", "there",
];

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

/// Whether a sentence goes to another house: `Schwesterwerk besucht`, `danach weiter zu Mosbach`, `in Soest`.
pub(super) fn goes_elsewhere(tokens: &[Token<'_>]) -> bool {
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

/// The one contact who is called by what he or she does from a token on.
pub(super) fn called(all: &[Calling], tokens: &[Token<'_>], at: usize) -> Option<Called> {
    let found = match article(tokens[at].text) {
        Some(oblique) => in_german(all, tokens, at, oblique),
        None if tokens[at].text == "the" => in_english(all, tokens, at),
        None => None,
    }?;
    // `Dem Werkleiter Beck`: he is named.
    let goes_on = |t: &Token<'_>| WHOSE.contains(&t.text) || t.capital && !t.word.is(Part::NO_NAME) && !is_known(t);
    (!tokens.get(found.tokens.end).is_some_and(goes_on)).then_some(found)
}

fn in_german(all: &[Calling], tokens: &[Token<'_>], at: usize, oblique: bool) -> Option<Called> {
    let noun = tokens.get(at + 1).filter(|noun| noun.capital)?;
    let alone = || LISTS.top.contains(noun.text).then(|| (noun.text.to_owned(), Form::Masculine));
    let (name, form) = plain(&LISTS.heads, noun.text).or_else(alone)?;
    let is_top = LISTS.top.contains(&name);
    // `die Leiter`, `der Leiterin`: several, or not the form that the article has.
    let fits = match tokens[at].text {
        "die" => form == Form::Feminine,
        "dem" => form == Form::Masculine,
        _ => true,
    };
    let before = at.checked_sub(1).map(|before| tokens[before].text);
    if !fits || before.is_some_and(|word| TOWARDS.contains(&word)) || LISTS.vague.contains(name.as_str()) {
        return None;
    }
    let named = only(all, |calling| calling.names.contains(&name));
    let contact = named.or_else(|| only(all, |calling| is_top && calling.top))?;
    let oblique = oblique || tokens[at].text == "der" && form == Form::Feminine;
    Some(Called { contact, tokens: at..at + 2, form: Some(form), oblique })
}

fn in_english(all: &[Calling], tokens: &[Token<'_>], at: usize) -> Option<Called> {
    const LONGEST: usize = 4;
    let oblique = at > 0 && HAVING.contains(&tokens[at - 1].text);
    if at > 0 && !oblique && !BEGINS.contains(&tokens[at - 1].text) {
        return None;
    }
    (1..=LONGEST.min(tokens.len() - at - 1)).rev().find_map(|length| {
        let words: Vec<&str> = tokens[at + 1..=at + length].iter().map(|t| t.text).collect();
        let (first, last) = (*words.first()?, *words.last()?);
        let titled = LISTS.english.contains(last) || length > 2 && LISTS.english.contains(first) && words[1] == "of";
        if !titled || length == 1 && LISTS.vague.contains(last) {
            return None;
        }
        let is_top = length == 1 && LISTS.top.contains(last);
        let contact = only(all, |calling| calling.has_in_row(&words)).or_else(|| only(all, |c| is_top && c.top))?;
        Some(Called { contact, tokens: at..at + 1 + length, form: None, oblique })
    })
}

/// Titles that are written short.
const SHORT: [(&str, [&str; 3]); 6] = [
    ("ceo", ["chief", "executive", "officer"]),
    ("cfo", ["chief", "financial", "officer"]),
    ("coo", ["chief", "operating", "officer"]),
    ("cto", ["chief", "technology", "officer"]),
    ("cio", ["chief", "information", "officer"]),
    ("fd", ["finance", "director", ""]),
];

/// The one contact whom a list means by a title from a word on, with an article or without, and where the title ends.
pub(super) fn titled(all: &[Calling], tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    const LONGEST: usize = 4;
    let has_article = article(tokens[at].text).is_some() || matches!(tokens[at].text, "den" | "the");
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
    let of_short = || {
        let (_, long) = SHORT.iter().find(|(short, _)| *short == noun.text)?;
        let long: Vec<&str> = long.iter().copied().filter(|word| !word.is_empty()).collect();
        only(all, |calling| calling.has_in_row(&long)).map(|contact| (contact, start + 1))
    };
    let of_top = || {
        let is_top = LISTS.top.contains(noun.text);
        only(all, |calling| is_top && calling.top).map(|contact| (contact, start + 1))
    };
    of_german()
        .or_else(|| (1..=LONGEST.min(tokens.len() - start)).rev().find_map(of_english))
        .or_else(of_short)
        .or_else(of_top)
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
