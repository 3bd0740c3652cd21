//! What a note says of the contacts' company, or a company of itself: how it decides, what presses it, how it develops.
//!
//! Invariant: a statement about anybody else (us, competitors, another firm) yields nothing, and no words that name a
//! person are kept. In a note `wir` is the vendor; in a company's own text it is the company.

use std::rc::Rc;

use super::guard::token::{Spelling, Token, Words};
use super::memory::{Word, known};
use super::names::words_of;
use super::part::{Part, is_heading, is_known};
use super::people::Mention;
use super::phrase::Found;
use super::rules::{RULES, Rule, Tag};
use super::sentence::{Read, is_denied};
use super::topics::{Sign, TOPICS};
use super::{CompanySignal, TextKind};
use crate::taxonomy::CompanyField;

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
        let mut tokens = sentences.iter().flat_map(|sentence| &sentence.tokens);
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
        self.is_named = !is_story && tokens.any(|token| self.is_meant(token) || self.is_own(token));
        self.is_alone = !sentences.iter().any(|s| {
            let is_of_others = is_story || s.has(Tag::NoNews) || self.others(&s.tokens).next().is_some();
            is_of_others || !is_advert && s.tokens.iter().any(speaks_to)
        });
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
    fn is_meant(self, token: &Token<'_>) -> bool {
        let is_name = self.words.first().is_some_and(|first| token.capital && token.text == *first);
        is_name || self.speaks && matches!(token.text, "wir" | "we" | "we're" | "we've" | "we'll" | "we'd")
    }

    /// Whether a word that makes a statement somebody else's is the company's own here.
    fn is_own(self, token: &Token<'_>) -> bool {
        self.speaks && is_us(token.text)
    }

    /// Where other companies are named: by their legal form (`Nordwind GmbH`), and by what they are, where this one speaks
    /// (`die Brauerei Quellrieder`, `Tolbury Foods`).
    fn others(self, tokens: &[Token<'_>]) -> impl Iterator<Item = usize> {
        let is_own = move |at: usize| self.words.iter().any(|word| *word == tokens[at].text);
        let is_name = move |at: usize| {
            let token = &tokens[at];
            token.capital && !is_own(at) && !token.word.is(Part::NO_NAME) && !is_known(token)
        };
        let is_house = move |at: usize| {
            let (before, house) = (tokens[at - 1].text, &tokens[at]);
            // `Werk Leer` is one of its own.
            let leads = MAKERS.contains(&before) || before.len() > 5 && LEADING.iter().any(|end| before.ends_with(end));
            leads && is_name(at) || house.capital && TRAILING.contains(&house.text) && is_name(at - 1) && !is_own(at)
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
}

impl Firm<'_> {
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

/// The fact that a match states, if nothing speaks against it.
pub(super) fn of_company(
    kind: TextKind,
    firm: Firm<'_>,
    sentence: &Read<'_>,
    mentions: &[Mention],
    found: &Found<'_, Tag>,
    index: usize,
) -> Option<CompanySignal> {
    let rule: &Rule = &RULES.all[index];
    let outside = |at: usize| !found.tokens.contains(&at);
    let doubted = sentence.context.iter().any(|c| match c.tag {
        Tag::VetoBefore => c.tokens.start < found.tokens.start,
        Tag::OtherCompany => outside(c.tokens.start) && !firm.is_own(&sentence.tokens[c.tokens.start]),
        Tag::Unless(of) => *of == index,
        _ => false,
    });
    let names_somebody = mentions.iter().any(|m| m.tokens.clone().any(|at| !outside(at)));
    let quoted = sentence.quotes_before(found.tokens.start) % 2 == 1;
    let spent = vec![false; sentence.tokens.len()];
    // In a company's own text `das Unternehmen` may be a customer, and `alles läuft digital` be said of a product.
    let says_who = || found.tokens.clone().any(|at| firm.is_meant(&sentence.tokens[at]));
    let counts = match kind {
        TextKind::Note => true,
        TextKind::Company => says_who(),
        TextKind::Bio | TextKind::Post => false,
    };
    if !counts
        || doubted
        || names_somebody
        || quoted
        || firm.is_elsewhere(sentence)
        || is_denied(sentence, found, index, &spent)
    {
        return None;
    }
    let (quote, span) = sentence.quote(&found.tokens);
    Some(CompanySignal { field: rule.field?, value: rule.value.clone(), quote, span, p: rule.p })
}

/// What stands for the contacts' company in a note.
const THERE: [&str; 12] =
    ["dort", "denen", "deren", "they", "their", "there", "firma", "unternehmen", "company", "betrieb", "haus", "kunde"];

/// How words end that stand before the name of a company.
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

/// Facts about the company in topics that say all by themselves, if nothing speaks against them.
pub(super) fn of_topics(
    kind: TextKind,
    firm: Firm<'_>,
    sentence: &Read<'_>,
    named: &[Mention],
    signs: &[Found<'static, Sign>],
) -> Vec<CompanySignal> {
    let tokens = &sentence.tokens;
    let named: Vec<&Mention> = named.iter().filter(|m| !m.function).collect();
    let says_who = match kind {
        TextKind::Company => firm.is_named || firm.is_alone,
        TextKind::Note => tokens.iter().any(|t| firm.is_meant(t) || THERE.contains(&t.text)) || named.is_empty(),
        TextKind::Bio | TextKind::Post => false,
    };
    let has_own = tokens.iter().any(|t| firm.is_meant(t) || firm.is_own(t));
    // `Our foundry at Leeds` is one of its own places, where it speaks itself, and `bei Stanzteilen` is none.
    let is_elsewhere = match kind {
        TextKind::Company => !has_own && sentence.tokens.iter().any(|t| t.text == "at") && firm.is_elsewhere(sentence),
        _ => firm.is_elsewhere(sentence),
    };
    let others: Vec<usize> = firm.others(tokens).collect();
    let is_no_news = kind == TextKind::Company && sentence.has(Tag::NoNews);
    if !says_who || is_elsewhere || is_no_news || kind == TextKind::Note && !others.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<CompanySignal> = Vec::new();
    for found in signs {
        let Sign::Topic(index) = *found.tag else { continue };
        let topic = &TOPICS.all[index];
        let Some(field) = topic.field else { continue };
        // `We have taken over Nordwind GmbH`: what becomes of another company is part of what is said.
        let is_part = |at: &usize| field == CompanyField::Development && found.tokens.contains(at);
        if !others.iter().all(is_part) {
            continue;
        }
        let ours = |at: usize| is_us(tokens[at].text);
        let names_somebody = named.iter().any(|m| m.tokens.clone().any(|at| found.tokens.contains(&at)));
        // `A customer of X grows`, `unlike X`.
        let beside = |at: usize| {
            at > 0
                && firm.is_meant(&tokens[at])
                && matches!(tokens[at - 1].text, "von" | "of" | "als" | "than" | "unlike")
        };
        let another = kind == TextKind::Note && tokens.iter().any(|t| matches!(t.text, "ex" | "former" | "next"));
        if names_somebody
            || another
            || found.tokens.clone().any(beside)
            || kind == TextKind::Note && found.tokens.clone().any(ours)
        {
            continue;
        }
        if all.iter().any(|s| s.field == field && s.value == topic.value) || doubts(kind, firm, sentence, signs, found)
        {
            continue;
        }
        let (quote, span) = sentence.quote(&found.tokens);
        all.push(CompanySignal { field, value: topic.value.clone(), quote, span, p: topic.p });
    }
    all
}

/// Whether a topic is doubted, denied, past or planned, or another company's.
fn doubts(
    kind: TextKind,
    firm: Firm<'_>,
    sentence: &Read<'_>,
    signs: &[Found<'static, Sign>],
    found: &Found<'static, Sign>,
) -> bool {
    let Sign::Topic(index) = *found.tag else { return true };
    let clause = |at: usize| sentence.clauses[at];
    let clauses = clause(found.tokens.start)..=clause(found.tokens.end - 1);
    let near = |at: usize| clauses.contains(&clause(at));
    let outside = |words: &std::ops::Range<usize>| !words.clone().all(|at| found.tokens.contains(&at));
    let topic = &TOPICS.all[index];
    let first = |words: &std::ops::Range<usize>| sentence.tokens[words.start].text;
    let by_sign = signs.iter().any(|s| match *s.tag {
        Sign::Unless(of) => of == index,
        _ if !outside(&s.tokens) => false,
        Sign::DoubtOfHabits if kind == TextKind::Company => !is_habit(first(&s.tokens), topic.field),
        Sign::Past if kind == TextKind::Company => near(s.tokens.start) && !is_told(sentence, &s.tokens, topic.field),
        Sign::Doubt | Sign::DoubtOfHabits => true,
        Sign::Past | Sign::Plan => near(s.tokens.start),
        Sign::Own => kind == TextKind::Note && near(s.tokens.start),
        _ => false,
    });
    // `dairies that are under price pressure`.
    let head = sentence.clause_start(found.tokens.start);
    let of_another = is_relative(kind, sentence, head) && !firm.is_meant(&sentence.tokens[head - 1]);
    // The first patent of 1926 tells nothing of today.
    let old: &[&str] = if kind == TextKind::Company { &["18", "19", "200", "201"] } else { &["18", "19"] };
    let is_year = |at: usize| is_year(sentence.tokens[at].text, old);
    let since = |at: usize| at > 0 && matches!(sentence.tokens[at - 1].text, "seit" | "since");
    let long_ago = topic.value != "low" && (0..sentence.tokens.len()).any(|at| near(at) && is_year(at) && !since(at));
    // Of competitors one has to speak to say how they press.
    let of_others = topic.field != Some(CompanyField::CompetitivePressure);
    let quoted = kind == TextKind::Note && sentence.quotes_before(found.tokens.start) % 2 == 1;
    // What somebody says is not yet so, but what a company lets its own people say of it.
    let has_own = sentence.tokens.iter().any(|t| firm.is_meant(t) || firm.is_own(t));
    let says = |word: &str| !(firm.speaks && has_own) && matches!(word, "sagt" | "sagte" | "says" | "said");
    let reported = sentence.tokens.iter().any(|t| says(t.text) || matches!(t.text, "laut" | "angeblich"));
    quoted
        || reported
        || by_sign
        || of_another
        || long_ago
        || sentence.context.iter().filter(|c| outside(&c.tokens)).any(|c| {
            let at = c.tokens.start;
            match c.tag {
                Tag::Negation => near(at) && at < found.tokens.end,
                Tag::OtherCompany if firm.speaks && !firm.is_named => of_others,
                Tag::OtherCompany => {
                    of_others && near(at) && at < found.tokens.start && !firm.is_own(&sentence.tokens[at])
                }
                _ => false,
            }
        })
}

/// Whether the clause that begins with a token is about the word before it, and that is not the company that speaks.
fn is_relative(kind: TextKind, sentence: &Read<'_>, head: usize) -> bool {
    const HOUSES: [&str; 9] =
        ["unternehmen", "betrieb", "firma", "haus", "arbeitgeber", "company", "firm", "business", "employer"];
    let tokens = &sentence.tokens;
    if head == 0 || !matches!(tokens[head].text, "die" | "der" | "das" | "deren" | "which" | "who" | "that") {
        return false;
    }
    if kind == TextKind::Note {
        return true;
    }
    let between = &sentence.cells[tokens[head - 1].cells.end..tokens[head].cells.start];
    let clause = (head..tokens.len()).take_while(|at| sentence.clauses[*at] == sentence.clauses[head]);
    // `.. entschieden, das Werk zu schließen`
    let is_infinitive = clause.clone().any(|at| tokens[at].text == "zu")
        && clause.last().is_some_and(|last| tokens[last].text.ends_with('n') && tokens[last - 1].text == "zu");
    !(between.iter().any(|cell| cell.raw == ':') || is_infinitive || HOUSES.contains(&tokens[head - 1].text))
}

/// Whether a company tells with a word of its habits, and casts no doubt on them: `per EDI oder Portal`, `when it comes to machines,
/// the owner decides`.
fn is_habit(word: &str, field: Option<CompanyField>) -> bool {
    match word {
        "oder" | "or" | "either" | "entweder" => true,
        "wenn" | "when" | "whenever" => field != Some(CompanyField::Development),
        _ => false,
    }
}

/// Whether a company tells with a word of the past what has come of late, as news do: `2025 was our best year`, `once a quarter`.
fn is_told(sentence: &Read<'_>, words: &std::ops::Range<usize>, field: Option<CompanyField>) -> bool {
    const TELLING: [&str; 11] =
        ["war", "waren", "hatte", "hatten", "musste", "gab", "was", "were", "had", "last", "letztes"];
    let tokens = &sentence.tokens;
    let word = tokens[words.start].text;
    if word == "once" {
        return tokens
            .get(words.end)
            .is_some_and(|t| matches!(t.text, "a" | "an" | "again" | "every" | "per" | "more"));
    }
    let is_event = matches!(field, Some(CompanyField::Development | CompanyField::Innovation));
    is_event && TELLING.contains(&word) && !tokens.iter().any(|t| is_year(t.text, &["18", "19", "200", "201"]))
}

fn is_year(word: &str, beginnings: &[&str]) -> bool {
    word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()) && beginnings.iter().any(|b| word.starts_with(b))
}

/// Whether a word means those who write.
fn is_us(word: &str) -> bool {
    matches!(word, "wir" | "we" | "uns" | "us" | "our" | "ours" | "we're" | "we've" | "we'll" | "we'd")
        || word.starts_with("unser")
}
