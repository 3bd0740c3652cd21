//! What a note says of the contacts' company, or a company of itself: how it decides, what presses it, how it develops.
//!
//! Invariant: a statement about anybody else (us, competitors, another firm) yields nothing, and no words that name a
//! person are kept. In a note `wir` is the vendor; in a company's own text it is the company.

use super::firm::{Firm, is_us};
use super::guard::token::Token;
use super::people::Mention;
use super::phrase::Found;
use super::rules::{RULES, Rule, Tag};
use super::sentence::{Read, is_denied, is_first_person};
use super::topics::{Sign, TOPICS};
use super::{CompanySignal, TextKind};
use crate::taxonomy::CompanyField;

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
    let others: Vec<usize> = firm.others(tokens).collect();
    let may_be = match kind {
        TextKind::Company => firm.is_spoken_of() && !sentence.has(Tag::NoNews),
        TextKind::Note => {
            let says_who = tokens.iter().any(|t| firm.is_meant(t) || THERE.contains(&t.text)) || named.is_empty();
            says_who && others.is_empty() && !firm.is_elsewhere(sentence)
        }
        TextKind::Bio | TextKind::Post => false,
    };
    if !may_be {
        return Vec::new();
    }
    let mut all: Vec<CompanySignal> = Vec::new();
    for found in signs {
        let Sign::Topic(index) = *found.tag else { continue };
        let topic = &TOPICS.all[index];
        let Some(field) = topic.field else { continue };
        let names_somebody = named.iter().any(|m| m.tokens.clone().any(|at| found.tokens.contains(&at)));
        let is_foreign = match kind {
            TextKind::Company => is_of_another(firm, sentence, (found, field), &others),
            _ => is_of_us_or_another(&found.tokens, tokens),
        };
        // `A customer of X grows`, `unlike X`.
        let beside = |at: usize| {
            at > 0
                && firm.is_meant(&tokens[at])
                && matches!(tokens[at - 1].text, "von" | "of" | "als" | "than" | "unlike")
        };
        if names_somebody || is_foreign || found.tokens.clone().any(beside) {
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

/// Whether words in a note are the vendor's own, or another house is spoken of.
fn is_of_us_or_another(words: &std::ops::Range<usize>, tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|t| matches!(t.text, "ex" | "former" | "next")) || words.clone().any(|at| is_us(tokens[at].text))
}

/// Whether what a company publishes says this of somebody else; `others` are the other companies that the sentence names.
fn is_of_another(
    firm: Firm<'_>,
    sentence: &Read<'_>,
    (found, field): (&Found<'static, Sign>, CompanyField),
    others: &[usize],
) -> bool {
    let tokens = &sentence.tokens;
    // `We have taken over Nordwind GmbH`: what becomes of another company is part of what is said.
    let is_part = |at: &usize| field == CompanyField::Development && found.tokens.contains(at);
    if !others.iter().all(is_part) {
        return true;
    }
    if firm.stands_in(tokens) {
        // `Our foundry at Leeds` is one of its own places.
        return false;
    }
    // Whoever speaks there as `ich` may be anybody, but in what the company quotes.
    let is_mine = found.tokens.clone().any(|at| is_first_person(&tokens[at]));
    let is_quoted = !sentence.quotes_before(found.tokens.start).is_multiple_of(2);
    // `The pressure on prices bei Stanzteilen` is on a product.
    let is_elsewhere = field != CompanyField::CompetitivePressure && firm.is_elsewhere(sentence);
    is_elsewhere || is_mine && !is_quoted
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
    let has_own = firm.stands_in(&sentence.tokens);
    let says =
        |word: &str| !(kind == TextKind::Company && has_own) && matches!(word, "sagt" | "sagte" | "says" | "said");
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
                Tag::OtherCompany if firm.is_left_unnamed() => of_others,
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
