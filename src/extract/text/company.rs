//! What a note says of the contacts' company, or a company of itself: how it decides, what presses it, how it develops.
//!
//! Invariant: a statement about anybody else (us, competitors, another firm) yields nothing, and no words that name a
//! person are kept. In a note `wir` is the vendor; in a company's own text it is the company.

use super::guard::fold::fold;
use super::guard::token::{Token, tokens};
use super::people::Mention;
use super::phrase::Found;
use super::rules::{RULES, Rule, Tag};
use super::sentence::{Read, is_denied};
use super::{CompanySignal, TextKind, TextRecord};

/// What stands for the company in patterns (`<firm>` in `context.yaml`).
const FIRM: &str = "thefirm";

/// The words of the company's name; the first that is no article stands for it.
pub(super) struct Firm {
    words: Vec<String>,
    /// The company itself speaks.
    speaks: bool,
}

/// The words of a company's name, folded; an article is none of them.
fn name_words(name: &str) -> impl Iterator<Item = String> {
    let cells = fold(name);
    let words = tokens(&cells, 0..cells.len()).into_iter().map(|t| t.text);
    words.filter(|w| !matches!(w.as_str(), "die" | "der" | "das" | "the"))
}

/// The word of a company's name by which it is known, folded as [`folded`] does.
#[must_use]
pub fn name_word(company: &str) -> Option<String> {
    name_words(company).next()
}

/// A word as texts and names are compared; `None` where there is none.
#[must_use]
pub fn folded(word: &str) -> Option<String> {
    let cells = fold(word);
    tokens(&cells, 0..cells.len()).into_iter().next().map(|t| t.text)
}

impl Firm {
    pub(super) fn of(record: &TextRecord) -> Self {
        let words = name_words(record.company.as_deref().unwrap_or("")).collect();
        Self { words, speaks: record.kind == TextKind::Company }
    }

    /// The tokens with the company's name, where it stands, put as [`FIRM`]; `None` where it does not stand.
    pub(super) fn marked(&self, tokens: &[Token]) -> Option<Vec<Token>> {
        tokens.iter().any(|t| self.is_meant(t)).then(|| {
            let mark =
                |t: &Token| if self.is_meant(t) { Token { text: FIRM.to_owned(), ..t.clone() } } else { t.clone() };
            tokens.iter().map(mark).collect()
        })
    }

    /// Whether a word is the company: its name, or `wir` where it speaks itself.
    fn is_meant(&self, token: &Token) -> bool {
        let is_name = self.words.first().is_some_and(|first| token.capital && token.text == *first);
        is_name || self.speaks && matches!(token.text.as_str(), "wir" | "we")
    }

    /// Whether a word that makes a statement somebody else's is the company's own here.
    fn is_own(&self, token: &Token) -> bool {
        let of_us = ["wir", "we", "uns", "us", "our", "ours"].contains(&token.text.as_str());
        self.speaks && (of_us || token.text.starts_with("unser"))
    }

    /// Whether the sentence places what it says at another company: `bei Nordwind entscheidet ein Gremium`.
    fn is_elsewhere(&self, sentence: &Read<'_>) -> bool {
        let harmless = sentence.mask(Tag::NoFirm);
        (1..sentence.tokens.len()).any(|at| {
            let (before, token) = (&sentence.tokens[at - 1], &sentence.tokens[at]);
            matches!(before.text.as_str(), "bei" | "at")
                && token.capital
                && !harmless[at]
                && !self.words.contains(&token.text)
        })
    }
}

/// The fact that a match states, if nothing speaks against it.
pub(super) fn of_company(
    record: &TextRecord,
    firm: &Firm,
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
    let counts = match record.kind {
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
    let (from, to) = sentence.span(&found.tokens);
    Some(CompanySignal {
        field: rule.field?,
        value: rule.value.clone(),
        quote: sentence.chars[from..to].iter().collect(),
        span: [sentence.start + from, sentence.start + to],
        p: rule.p,
    })
}
