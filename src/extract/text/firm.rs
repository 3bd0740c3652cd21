//! The company that a text is on: its name, where it speaks itself, and where another is meant.
//!
//! Invariant: in a note `wir` is the vendor; in a company's own text it is the company. No words that name a person are kept.

use std::rc::Rc;

use super::TextKind;
use super::guard::token::{Spelling, Token, Words};
use super::memory::{Word, known};
use super::names::words_of;
use super::part::{Part, is_heading, is_known};
use super::people::Mention;
use super::rules::Tag;
use super::sentence::Read;

/// What stands for the company in patterns (`<firm>` in `context.yaml`).
const FIRM: &str = "thefirm";

/// What stands before the names of companies, folded.
const TRADES: [&str; 34] = [
    "giesserei",
    "maschinenbau",
    "maschinenfabrik",
    "anlagenbau",
    "werkzeugbau",
    "modellbau",
    "formenbau",
    "metallbau",
    "stahlbau",
    "holzbau",
    "fensterbau",
    "apparatebau",
    "fahrzeugbau",
    "autohaus",
    "schlosserei",
    "schreinerei",
    "tischlerei",
    "druckerei",
    "brauerei",
    "molkerei",
    "baeckerei",
    "metzgerei",
    "spedition",
    "logistik",
    "elektro",
    "kunststofftechnik",
    "foerdertechnik",
    "verpackungen",
    "feinkost",
    "papierfabrik",
    "stadtwerke",
    "firma",
    "gebrueder",
    "gebr",
];

/// A company's name, read once for all texts.
#[derive(Debug, Default)]
pub(super) struct Employer {
    /// The folded words of its name.
    pub(super) all: Vec<String>,
    /// The same without articles; the first stands for it.
    words: Vec<String>,
}

impl Employer {
    pub(super) fn of(name: &str) -> Self {
        let mut words = name_words(name);
        // `Gießerei Hallwachter` is known as Hallwachter.
        let trades = words.iter().take_while(|word| TRADES.contains(&word.as_str())).count();
        if trades < words.len() {
            words.drain(..trades);
        }
        Self { all: words_of(name), words }
    }
}

/// The company in a text.
#[derive(Clone, Copy)]
pub(super) struct Firm<'r> {
    words: &'r [String],
    /// The company itself speaks.
    speaks: bool,
    /// It speaks of itself, by its name or as `we`, somewhere in the text.
    is_named: bool,
    /// It speaks of nobody else: `Am Standort Leer ist die neue Halle in Betrieb`.
    is_alone: bool,
}

/// The words of a company's name, folded; an article is none of them.
fn name_words(name: &str) -> Vec<String> {
    let mut words = words_of(name);
    words.retain(|w| !matches!(w.as_str(), "die" | "der" | "das" | "the"));
    words
}

/// The word of a company's name by which it is known, folded as [`folded`] does.
#[must_use]
pub fn name_word(company: &str) -> Option<String> {
    name_words(company).into_iter().next()
}

/// A word as texts and names are compared; `None` where there is none.
#[must_use]
pub fn folded(word: &str) -> Option<String> {
    Words::of(word).spellings().next().map(|w| w.text.to_owned())
}

impl<'r> Firm<'r> {
    pub(super) fn of(employer: &'r Employer, kind: TextKind) -> Self {
        Self { words: &employer.words, speaks: kind == TextKind::Company, is_named: false, is_alone: false }
    }

    /// Learns from a text whether the company speaks of itself, by its name or as `we`, or of nobody else.
    pub(super) fn listen(&mut self, sentences: &[Read<'_>]) {
        let speaks_to = |token: &Token<'_>| {
            matches!(token.text, "your" | "yours" | "you" | "dein" | "deine" | "deinen" | "deiner" | "euer" | "eure")
                || token.capital
                    && matches!(token.text, "ihr" | "ihre" | "ihren" | "ihrem" | "ihrer" | "ihres" | "ihnen")
        };
        // In an advert `Ihre Aufgaben` are those of whoever comes to work there.
        let is_advert = sentences.iter().any(|s| ADVERTS.iter().any(|sign| s.sentence.text.contains(sign)));
        // A story about a customer is told with `we` as well.
        let begins = sentences.first().map_or("", |first| first.sentence.text.trim_start()).to_lowercase();
        let is_story = STORIES.iter().any(|story| begins.starts_with(story));
        self.is_named = !is_story && sentences.iter().any(|s| self.stands_in(&s.tokens));
        self.is_alone = !sentences.iter().any(|s| {
            let is_of_others = is_story || s.has(Tag::NoNews) || self.others(&s.tokens).next().is_some();
            is_of_others || !is_advert && s.tokens.iter().any(speaks_to)
        });
    }

    /// Whether what the text tells can be told of it.
    pub(super) const fn is_spoken_of(self) -> bool {
        self.is_named || self.is_alone
    }

    /// Whether it speaks, and says nowhere that it speaks of itself.
    pub(super) const fn is_left_unnamed(self) -> bool {
        self.speaks && !self.is_named
    }

    /// Whether it stands in a sentence: its name, or `we` and `our` where it speaks.
    pub(super) fn stands_in(self, tokens: &[Token<'_>]) -> bool {
        tokens.iter().any(|token| self.is_meant(token) || self.is_own(token))
    }

    /// What the memory knows of [`FIRM`] in every case, where the company stands in a sentence.
    pub(super) fn standing(self, tokens: &[Token<'_>]) -> Option<Vec<Rc<Word>>> {
        let cases = [(false, false), (true, false), (false, true), (true, true)];
        let words = cases.map(|(capital, upper)| Spelling { text: FIRM, capital, upper });
        tokens.iter().any(|t| self.is_meant(t)).then(|| known(words.into_iter(), words.len()))
    }

    /// The tokens with the company put as [`FIRM`]; `standing` is [`Firm::standing`].
    pub(super) fn marked<'t>(self, tokens: &[Token<'t>], standing: &'t [Rc<Word>]) -> Vec<Token<'t>> {
        let word = |t: &Token<'_>| &*standing[usize::from(t.capital) + 2 * usize::from(t.word.is_upper())];
        let mut in_name = false;
        let mark = |t: &Token<'t>| {
            // Of `Nordwind Guss hat` each word of the name is the company: what it does stands behind the last.
            in_name = self.is_meant(t) || in_name && t.capital && self.words.iter().any(|word| *word == t.text);
            if in_name { Token { text: FIRM, word: word(t), ..t.clone() } } else { t.clone() }
        };
        tokens.iter().map(mark).collect()
    }

    /// Whether a word is the company: its name, or `wir` where it speaks itself.
    pub(super) fn is_meant(self, token: &Token<'_>) -> bool {
        let is_name = self.words.first().is_some_and(|first| token.capital && token.text == *first);
        is_name || self.speaks && matches!(token.text, "wir" | "we" | "we're" | "we've" | "we'll" | "we'd")
    }

    /// Whether a word that makes a statement somebody else's is the company's own here.
    pub(super) fn is_own(self, token: &Token<'_>) -> bool {
        self.speaks && is_us(token.text)
    }

    /// Where other companies are named: by their legal form (`Nordwind GmbH`), and by what they are, where this one speaks
    /// (`die Brauerei Quellrieder`, `Tolbury Foods`).
    pub(super) fn others(self, tokens: &[Token<'_>]) -> impl Iterator<Item = usize> {
        let is_own = move |at: usize| self.words.iter().any(|word| *word == tokens[at].text);
        let is_name = move |at: usize| {
            let token = &tokens[at];
            // `Sanderling` ends as a noun does.
            let may_be = !token.word.is(Part::NO_NAME) || token.text.ends_with("ing");
            token.capital && may_be && !is_own(at) && !is_known(token)
        };
        let is_kind = |word: &str| word.len() > 5 && LEADING.iter().any(|end| word.ends_with(end));
        let is_house = move |at: usize| {
            let (before, house) = (tokens[at - 1].text, &tokens[at]);
            let trails = house.capital && (TRAILING.contains(&house.text) || is_kind(house.text));
            // `Werk Leer` is one of its own.
            (MAKERS.contains(&before) || is_kind(before)) && is_name(at) || trails && is_name(at - 1) && !is_own(at)
        };
        let is_form = move |at: usize| tokens[at].capital && FORMS.contains(&tokens[at].text) && tokens[at - 1].capital;
        let is_this =
            move |at: usize| tokens[at.saturating_sub(4)..at].iter().any(|t| self.words.iter().any(|w| *w == t.text));
        (1..tokens.len()).filter(move |at| is_form(*at) && !is_this(*at) || self.speaks && is_house(*at))
    }

    /// Whether the sentence places what it says at another company: `bei Nordwind entscheidet ein Gremium`.
    pub(super) fn is_elsewhere(self, sentence: &Read<'_>) -> bool {
        let harmless = sentence.mask(Tag::NoFirm);
        (1..sentence.tokens.len()).any(|at| {
            let (before, token) = (&sentence.tokens[at - 1], &sentence.tokens[at]);
            matches!(before.text, "bei" | "at")
                && token.capital
                && !harmless[at]
                && !self.words.iter().any(|word| word == token.text)
        })
    }

    /// Whether somebody goes to another house, or one is named: `Besuch bei Hollmann`, `visited Acme`, `die Firma Krause`.
    pub(super) fn visits_another(self, sentence: &Read<'_>, named: &[Mention]) -> bool {
        const VISITS: [&str; 6] = ["visited", "visit", "visiting", "besuch", "besuche", "besuchte"];
        const TO: [&str; 7] = ["to", "at", "bei", "the", "der", "firma", "zu"];
        let tokens = &sentence.tokens;
        let is_other = |at: usize| {
            let is_contact = || named.iter().any(|m| m.tokens.contains(&at));
            tokens.get(at).is_some_and(|t| t.capital && !self.words.iter().any(|word| word == t.text)) && !is_contact()
        };
        let is_name = |at: usize| {
            let token = &tokens[at];
            token.word.chars() > 2 && !token.word.is(Part::NO_NAME) && !is_known(token) && !is_heading(token)
        };
        let place = |from: usize| (from..tokens.len()).find(|at| !TO.contains(&tokens[*at].text));
        let visits = |at: usize| place(at + 1).is_some_and(|at| is_other(at) && is_name(at));
        (0..tokens.len()).any(|at| match tokens[at].text {
            "firma" => is_other(at + 1),
            word => VISITS.contains(&word) && visits(at),
        })
    }
}

/// How words end that stand beside the name of a company.
const LEADING: [&str; 22] = [
    "werk",
    "werke",
    "brauerei",
    "molkerei",
    "kaeserei",
    "baeckerei",
    "metzgerei",
    "druckerei",
    "giesserei",
    "spedition",
    "konzern",
    "zulieferer",
    "hersteller",
    "maschinenbau",
    "metallbau",
    "holzbau",
    "anlagenbau",
    "werkzeugbau",
    "moebelhaus",
    "autohaus",
    "weberei",
    "weingut",
];
const MAKERS: [&str; 4] = ["maker", "manufacturer", "giant", "supplier"];
/// What stands behind the name of a company.
const TRAILING: [&str; 26] = [
    "foods",
    "engineering",
    "brothers",
    "creamery",
    "dairies",
    "castings",
    "group",
    "industries",
    "systems",
    "manufacturing",
    "holdings",
    "motors",
    "brewery",
    "steel",
    "logistics",
    "foundry",
    "mills",
    "bakery",
    "plastics",
    "tools",
    "technologies",
    "partners",
    "soehne",
    "gruppe",
    "werke",
    "maschinenbau",
];

/// How texts about customers, and adverts for others, begin.
const STORIES: [&str; 14] = [
    "anwenderbericht",
    "fallstudie",
    "fallbeispiel",
    "praxisbericht",
    "referenz",
    "kundenstimme",
    "aus der praxis",
    "case study",
    "customer story",
    "success story",
    "customer spotlight",
    "wanted:",
    "for our client",
    "für unseren kunden",
];

/// How job adverts say that anybody may apply.
const ADVERTS: [&str; 8] = ["(m/w", "(w/m", "(m/f", "(f/m", "(d/m", "(d/w", "(all genders", "(gn"];

/// Signs of a company behind its name.
const FORMS: [&str; 10] = ["gmbh", "ag", "kg", "se", "ohg", "ltd", "inc", "plc", "llc", "corp"];

/// Whether a word means those who write.
pub(super) fn is_us(word: &str) -> bool {
    matches!(word, "wir" | "we" | "uns" | "us" | "our" | "ours" | "we're" | "we've" | "we'll" | "we'd")
        || word.starts_with("unser")
}
