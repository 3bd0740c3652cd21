//! From scrubbed sentences to signals: who, what, and every reason not to believe it.
//!
//! Invariant: takes only [`Scrubbed`]; a question, a condition, hearsay, a negation outside the
//! pattern, an uncertain name or an instruction to the reader yields nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::guard::Scrubbed;
use super::guard::fold::{Cell, fold};
use super::guard::token::{Token, clauses, is_quote, tokens};
use super::people::{Directory, Form, Mention, Who, pronoun};
use super::phrase::{Found, View};
use super::rules::{RULES, Tag};
use super::{TextKind, TextRecord, TextSignal};

/// A pronoun, or a sentence without a subject, is a little less sure than a name.
const INDIRECT: f64 = 0.9;

/// A longer sentence is no sentence; also keeps the work linear.
const MAX_WORDS: usize = 300;

/// Reads the signals of a record from what the guard let through.
pub(super) fn signals(record: &TextRecord, scrubbed: &Scrubbed) -> Vec<TextSignal> {
    let sentences: Vec<Read> = scrubbed.sentences().map(|s| Read::new(s.text, s.start, s.follows_kept)).collect();
    if sentences.iter().any(|s| s.has(Tag::Injection)) {
        return Vec::new();
    }
    let mut reader = Reader::new(record);
    let mut found: BTreeMap<(String, String, String), Statement> = BTreeMap::new();
    for signal in sentences.iter().flat_map(|sentence| reader.read(sentence)) {
        let key = (signal.subject.clone(), signal.family.clone(), signal.value.clone());
        match found.entry(key) {
            Entry::Vacant(free) => {
                free.insert(Statement { signal, contradicted: false });
            }
            Entry::Occupied(mut taken) => {
                let statement = taken.get_mut();
                statement.contradicted |= statement.signal.polarity != signal.polarity;
            }
        }
    }
    let mut believed: Vec<TextSignal> = found.into_values().filter(|s| !s.contradicted).map(|s| s.signal).collect();
    believed.sort_by_key(|s| s.span);
    believed
}

/// The first place that says something, and whether another place says the opposite; then neither counts.
struct Statement {
    signal: TextSignal,
    contradicted: bool,
}

/// A sentence with its words and what they say about how it is meant.
struct Read<'a> {
    chars: Vec<char>,
    start: usize,
    follows_kept: bool,
    cells: Vec<Cell>,
    tokens: Vec<Token>,
    clauses: Vec<u32>,
    context: Vec<Found<'a, Tag>>,
}

impl Read<'_> {
    fn new(text: &str, start: usize, follows_kept: bool) -> Self {
        let cells = fold(text);
        let tokens = tokens(&cells, 0..cells.len());
        let clauses = clauses(&cells, &tokens, 0);
        let context = RULES.context.find(&View { clauses: clauses.clone(), ..View::plain(&tokens) });
        Self { chars: text.chars().collect(), start, follows_kept, cells, tokens, clauses, context }
    }

    fn has(&self, tag: Tag) -> bool {
        self.context.iter().any(|found| *found.tag == tag)
    }

    fn is_question(&self) -> bool {
        self.chars.contains(&'?')
    }

    /// The tokens with a tag, as a mask.
    fn mask(&self, tag: Tag) -> Vec<bool> {
        let mut mask = vec![false; self.tokens.len()];
        for found in self.context.iter().filter(|found| *found.tag == tag) {
            mask[found.tokens.clone()].fill(true);
        }
        mask
    }

    /// How many quotation marks stand before a token.
    fn quotes_before(&self, token: usize) -> usize {
        let end = self.tokens.get(token).map_or(self.cells.len(), |t| t.cells.start);
        self.cells[..end].iter().filter(|c| is_quote(c.raw)).count()
    }

    fn clause_start(&self, token: usize) -> usize {
        (0..token).rev().take_while(|t| self.clauses[*t] == self.clauses[token]).last().unwrap_or(token)
    }
}

/// `ich`, `I`: always a subject, always the one who speaks.
fn is_first_person(token: &Token) -> bool {
    token.text == "ich" || token.text == "i" && token.capital
}

/// Whom a pronoun can mean: the one person named last.
#[derive(Clone, Copy)]
struct Antecedent {
    contact: usize,
    form: Option<Form>,
}

struct Reader<'r> {
    record: &'r TextRecord,
    directory: Directory,
    about: Option<usize>,
    antecedent: Option<Antecedent>,
    /// Somebody other than `about` has been spoken of.
    others: bool,
    in_quote: bool,
}

impl<'r> Reader<'r> {
    fn new(record: &'r TextRecord) -> Self {
        let about = record.about.as_ref().and_then(|id| record.contacts.iter().position(|c| c.id == *id));
        Self {
            record,
            directory: Directory::new(&record.contacts),
            about,
            antecedent: None,
            others: false,
            in_quote: false,
        }
    }

    fn read(&mut self, sentence: &Read<'_>) -> Vec<TextSignal> {
        if !sentence.follows_kept && sentence.start > 0 {
            self.antecedent = None;
            self.in_quote = false;
        }
        if sentence.tokens.len() > MAX_WORDS {
            self.antecedent = None;
            self.others = true;
            return Vec::new();
        }
        let named = self.directory.mentions(&sentence.cells, &sentence.tokens);
        let third_party = sentence.has(Tag::ThirdParty);
        let (mentions, indirect) = self.with_indirect(sentence, &named, third_party);
        let opened_quoted = self.in_quote;
        if sentence.quotes_before(usize::MAX) % 2 == 1 {
            self.in_quote = !self.in_quote;
        }
        let found = if sentence.is_question() || sentence.has(Tag::Veto) || sentence.chars.first() == Some(&'>') {
            Vec::new()
        } else {
            self.claims(sentence, &mentions, &indirect, opened_quoted)
        };
        self.remember(&named, third_party);
        found
    }

    /// Named people, and those that pronouns and sentences without a subject mean.
    fn with_indirect(&self, sentence: &Read<'_>, named: &[Mention], third_party: bool) -> (Vec<Mention>, Vec<bool>) {
        let mut all: Vec<(Mention, bool)> = named.iter().map(|m| (m.clone(), false)).collect();
        for (at, token) in sentence.tokens.iter().enumerate() {
            let who = if is_first_person(token) {
                match (self.record.kind, self.about) {
                    (TextKind::Bio | TextKind::Post, Some(about)) => Some(Who::Contact(about)),
                    (TextKind::Note, _) => Some(Who::Speaker),
                    _ => None,
                }
            } else {
                pronoun(&token.text).and_then(|form| self.resolve(sentence, named, third_party, at, form))
            };
            if let Some(who) = who {
                all.push((Mention { tokens: at..at + 1, who, form: None, oblique: false }, !is_first_person(token)));
            }
        }
        let first = all.iter().all(|(m, _)| m.tokens.start > 0);
        if first && named.is_empty() && !third_party && !sentence.tokens.is_empty() {
            let meant = self.antecedent.map(|a| a.contact).or(if self.others { None } else { self.about });
            if let Some(contact) = meant {
                all.push((Mention { tokens: 0..0, who: Who::Contact(contact), form: None, oblique: false }, true));
            }
        }
        for at in shared_subjects(sentence, &all, third_party) {
            let shared = Mention { tokens: at..at, oblique: false, ..all[0].0.clone() };
            all.push((shared, true));
        }
        all.sort_by_key(|(m, _)| m.tokens.start);
        all.into_iter().unzip()
    }

    fn resolve(&self, sentence: &Read<'_>, named: &[Mention], third_party: bool, at: usize, form: Form) -> Option<Who> {
        if third_party || sentence.tokens[at].text == "sie" && at > 0 && sentence.tokens[at].capital {
            return None;
        }
        let before: Vec<&Mention> = named.iter().filter(|m| m.tokens.start < at).collect();
        match before[..] {
            [] if named.is_empty() => match self.antecedent {
                Some(a) => (a.form == Some(form)).then_some(Who::Contact(a.contact)),
                None => (!self.others).then_some(Who::Contact(self.about?)),
            },
            [only] if only.form == Some(form) && !matches!(only.who, Who::Speaker) => Some(only.who),
            _ => None,
        }
    }

    fn remember(&mut self, named: &[Mention], third_party: bool) {
        self.others |= third_party || named.iter().any(|m| m.who != self.about.map_or(Who::Stranger, Who::Contact));
        if third_party {
            self.antecedent = None;
            return;
        }
        if let Some(first) = named.first() {
            let same = named.iter().all(|m| m.who == first.who);
            self.antecedent = match first.who {
                Who::Contact(contact) if same => {
                    let kept = self.antecedent.filter(|a| a.contact == contact).and_then(|a| a.form);
                    Some(Antecedent { contact, form: first.form.or(kept) })
                }
                _ => None,
            };
        }
    }

    fn claims(
        &self,
        sentence: &Read<'_>,
        mentions: &[Mention],
        indirect: &[bool],
        opened_quoted: bool,
    ) -> Vec<TextSignal> {
        let mut blocked = sentence.mask(Tag::Negation);
        for mention in mentions {
            blocked[mention.tokens.clone()].fill(true);
        }
        let mut blocked_behind_person = blocked.clone();
        for mask in [sentence.mask(Tag::GapBlocker), sentence.mask(Tag::ThirdParty)] {
            blocked_behind_person.iter_mut().zip(mask).for_each(|(all, one)| *all |= one);
        }
        let persons = mentions.iter().map(|m| m.tokens.clone()).collect();
        let view = View {
            tokens: &sentence.tokens,
            clauses: sentence.clauses.clone(),
            blocked,
            blocked_behind_person,
            persons,
        };
        let mut signals = Vec::new();
        for found in RULES.claims.find(&view) {
            let (Tag::Claims(rule), Some(person)) = (*found.tag, found.person) else { continue };
            let believed = self.believes(sentence, mentions, &found, rule, person, opened_quoted);
            if let Some(contact) = believed {
                signals.push(self.signal(sentence, &found, rule, contact, indirect[person]));
            }
        }
        signals
    }

    /// The contact that a match is about, if nothing speaks against it.
    fn believes(
        &self,
        sentence: &Read<'_>,
        mentions: &[Mention],
        found: &Found<'_, Tag>,
        index: usize,
        person: usize,
        opened_quoted: bool,
    ) -> Option<usize> {
        let rule = &RULES.all[index];
        let mention = &mentions[person];
        let contact = match mention.who {
            Who::Contact(contact) => contact,
            Who::Speaker if rule.speaker => self.about?,
            Who::Speaker | Who::Stranger => return None,
        };
        let subject_first = mention.tokens.start == found.tokens.start;
        if subject_first && (mention.oblique && !rule.dative || !stands_as_subject(sentence, mentions, mention)) {
            return None;
        }
        if mention.tokens.end == found.tokens.end
            && sentence
                .tokens
                .get(found.tokens.end)
                .is_some_and(|t| matches!(t.text.as_str(), "und" | "oder" | "and" | "or" | "bzw" | "s"))
        {
            return None;
        }
        let quoted = opened_quoted ^ (sentence.quotes_before(found.tokens.start) % 2 == 1);
        if quoted && !rule.speaker {
            return None;
        }
        if rule.needs && !sentence.has(Tag::Requires(index)) || sentence.has(Tag::Unless(index)) {
            return None;
        }
        let asked_before =
            sentence.context.iter().any(|c| *c.tag == Tag::VetoBefore && c.tokens.start < found.tokens.start);
        (!asked_before && !is_denied(sentence, found)).then_some(contact)
    }

    fn signal(
        &self,
        sentence: &Read<'_>,
        found: &Found<'_, Tag>,
        rule: usize,
        contact: usize,
        indirect: bool,
    ) -> TextSignal {
        let rule = &RULES.all[rule];
        let first = sentence.tokens[found.tokens.start].cells.start;
        let last = sentence.tokens[found.tokens.end - 1].cells.end - 1;
        let (from, to) = (sentence.cells[first].at, sentence.cells[last].at + 1);
        TextSignal {
            subject: self.record.contacts[contact].id.clone(),
            family: rule.family.as_str().to_owned(),
            value: rule.value.clone(),
            polarity: rule.polarity,
            quote: sentence.chars[from..to].iter().collect(),
            span: [sentence.start + from, sentence.start + to],
            p: if indirect { (rule.p * INDIRECT * 100.0).round() / 100.0 } else { rule.p },
        }
    }
}

/// Where a sentence goes on with the subject of its beginning: `X prüft genau und entscheidet allein`, `X empfiehlt,
/// entscheidet aber nicht`. Only where nobody else is named; a pattern must go on with its verb right there.
fn shared_subjects(sentence: &Read<'_>, mentions: &[(Mention, bool)], third_party: bool) -> Vec<usize> {
    let [(only, _)] = mentions else { return Vec::new() };
    let named_first = !only.tokens.is_empty() && !only.oblique && stands_as_subject(sentence, &[], only);
    if third_party || !named_first {
        return Vec::new();
    }
    let word = |at: usize| sentence.tokens.get(at).map_or("", |t| t.text.as_str());
    (only.tokens.end + 1..sentence.tokens.len())
        .filter(|at| {
            let joined = matches!(word(at - 1), "und" | "and" | "but" | "aber" | "sondern");
            joined
                || sentence.clauses[*at] != sentence.clauses[at - 1]
                    && matches!(word(at + 1), "aber" | "jedoch" | "dafür")
        })
        .collect()
}

/// A subject begins its clause; `der Chef von Frau X` does not, nor does `X und Frau Y`.
fn stands_as_subject(sentence: &Read<'_>, mentions: &[Mention], mention: &Mention) -> bool {
    let at = mention.tokens.start;
    let Some(first) = sentence.tokens.get(at) else { return false };
    if mention.tokens.is_empty() && at > 0 {
        return true;
    }
    if mention.tokens.len() == 1 && is_first_person(first) {
        return true;
    }
    let start = sentence.clause_start(at);
    let openers = sentence.mask(Tag::Opener);
    let alone = !mentions.iter().any(|m| m.tokens.start < at && m.tokens.start >= start && !m.tokens.is_empty());
    alone && (start..at).all(|t| openers[t])
}

/// A negation outside the pattern, unless it belongs to the other half of a contrast.
fn is_denied(sentence: &Read<'_>, found: &Found<'_, Tag>) -> bool {
    let clause = sentence.clauses[found.tokens.start];
    let start = sentence.clause_start(found.tokens.start);
    let contrasts = sentence.context.iter().any(|c| *c.tag == Tag::Contrast && c.tokens.start == start);
    sentence.context.iter().filter(|c| *c.tag == Tag::Negation).any(|negation| {
        let at = negation.tokens.start;
        if found.tokens.contains(&at) {
            return false;
        }
        let earlier = sentence.clauses[at] < clause;
        let later = sentence.clauses[at] > clause
            && sentence.clause_start(at) == at
            && matches!(sentence.tokens[at].text.as_str(), "nicht" | "not");
        // `X empfiehlt, entscheidet aber nicht`: the contrast stands behind a verb of its own.
        let other = sentence.clauses[at] > clause
            && sentence.context.iter().any(|c| {
                *c.tag == Tag::Contrast
                    && sentence.clauses[c.tokens.start] == sentence.clauses[at]
                    && c.tokens.start > sentence.clause_start(at)
                    && c.tokens.start < at
            });
        !(earlier && contrasts || later || other)
    })
}
