//! From scrubbed sentences to signals: who, what, and every reason not to believe it.
//!
//! Invariant: takes only [`Scrubbed`]; a question, a condition, hearsay, a negation outside the
//! pattern, an uncertain name or an instruction to the reader yields nothing.

mod lines;
mod steps;
mod voice;

use super::address::{Form, pronoun};
use super::called::{goes_elsewhere, meets_stranger};
use super::company::{of_company, of_topics};
use super::firm::Firm;
use super::guard::Scrubbed;
use super::guard::token::Token;
use super::heads::{as_meant, headed, topic_head};
use super::mail::Voice;
use super::others::{names_person, only_of_groups, speaks_of_others};
use super::part::Part;
use super::people::{Directory, Mention, Who};
use super::phrase::Found;
use super::rules::{RULES, Tag};
use super::seat::is_taken;
use super::sentence::{Read, is_denied, is_first_person, shared_subjects, stands_as_subject};
use super::stance::{Around, Left, Stated, signs, stated, tells_of_what, weight};
use super::statement::{Statement, believed_of_company, matches, merged, without_general};
use super::thread::Thread;
use super::{CompanySignal, Polarity, Setting, TextKind, TextSignal};
use lines::laid_over;

/// A longer sentence is no sentence; also keeps the work linear.
const MAX_WORDS: usize = 300;

/// Reads the signals of a text from what the guard let through; `about` is an index into the contacts.
pub(super) fn signals(
    setting: &Setting,
    kind: TextKind,
    about: Option<usize>,
    scrubbed: &Scrubbed<'_>,
) -> (Vec<TextSignal>, Vec<CompanySignal>) {
    let sentences: Vec<Read<'_>> = scrubbed.sentences().map(Read::new).collect();
    if sentences.iter().any(|s| s.has(Tag::Injection)) {
        return (Vec::new(), Vec::new());
    }
    let mut reader = Reader::new(setting, kind, about);
    for sentence in &sentences {
        reader.directory.learn_firms(sentence.cells, &sentence.tokens);
    }
    reader.firm.listen(&sentences);
    let whose = reader.voices(&sentences);
    let lists = reader.lists(scrubbed, &sentences, &whose);
    let read = sentences.iter().zip(whose).flat_map(|(s, voice)| reader.read_in(s, voice)).collect();
    (merged(laid_over(read, lists)), believed_of_company(reader.company))
}

struct Reader<'r> {
    setting: &'r Setting,
    kind: TextKind,
    directory: Directory<'r>,
    about: Option<usize>,
    /// Kind and contact of the text as a whole.
    whole: (TextKind, Option<usize>),
    /// Whose words are read.
    voice: Voice,
    thread: Thread,
    in_quote: bool,
    /// Requirements that the sentence before met.
    met_before: Vec<Tag>,
    firm: Firm<'r>,
    /// What was read of the company so far.
    company: Vec<CompanySignal>,
    /// Topics of the sentence before of which nobody's view was told.
    left: Vec<Left>,
}

impl<'r> Reader<'r> {
    fn new(setting: &'r Setting, kind: TextKind, about: Option<usize>) -> Self {
        let directory = Directory::new(&setting.contacts, &setting.firms, about);
        Self {
            setting,
            kind,
            thread: Thread::new(about, directory.forms()),
            directory,
            about,
            whole: (kind, about),
            voice: Voice::Note,
            in_quote: false,
            met_before: Vec::new(),
            firm: Firm::of(&setting.employer, kind),
            company: Vec::new(),
            left: Vec::new(),
        }
    }

    fn read(&mut self, sentence: &Read<'_>) -> Vec<Statement> {
        if !sentence.sentence.follows_kept && sentence.sentence.start > 0 {
            self.in_quote = false;
            // What was withheld may have named somebody, or another house.
            self.thread.broken();
            self.thread.elsewhere = true;
            self.met_before.clear();
            self.left.clear();
        }
        if sentence.tokens.len() > MAX_WORDS {
            self.thread.broken();
            self.met_before.clear();
            self.left.clear();
            return Vec::new();
        }
        let mut named = as_meant(sentence, self.directory.mentions(sentence.cells, &sentence.tokens));
        self.thread.elsewhere |= self.firm.is_elsewhere(sentence)
            || self.firm.visits_another(sentence, &named)
            || goes_elsewhere(&sentence.tokens);
        self.thread.keep_present(&mut named);
        let third_party = speaks_of_others(sentence, &named);
        let head = if self.kind == TextKind::Note { headed(sentence, &named) } else { None };
        self.thread.begins(sentence, head, &named, third_party);
        let opened_quoted = self.in_quote;
        if sentence.quotes_before(usize::MAX) % 2 == 1 {
            self.in_quote = !self.in_quote;
        }
        let is_of_another = match self.voice {
            Voice::Note => sentence.is_of_another(),
            Voice::Contact(_) => false,
            Voice::Another => true,
        };
        let asks = sentence.is_question() || is_of_another;
        let found = if asks {
            self.left.clear();
            Vec::new()
        } else {
            let mut found = self.claims(sentence, &named, third_party, opened_quoted);
            found.extend(self.apart(sentence, &named, third_party, opened_quoted));
            without_general(found)
        };
        let met = |tag: &Tag| !asks && !sentence.has(Tag::Veto) && matches!(tag, Tag::Requires(_));
        self.met_before = sentence.context.iter().map(|c| *c.tag).filter(met).collect();
        let groups = only_of_groups(sentence, &named) && !names_person(sentence, &named);
        let breaks = third_party && !groups;
        // `(Nachfolge Hr. Lammert)` tells of nobody further.
        let named: Vec<Mention> =
            named.into_iter().filter(|m| m.who != Who::Stranger || !sentence.in_brackets(&m.tokens)).collect();
        self.thread.remember(&named, breaks, third_party);
        self.thread.met(meets_stranger(&sentence.tokens, &named));
        found
    }

    /// Named people, and those that pronouns and sentences without a subject mean.
    fn with_indirect(&self, sentence: &Read<'_>, named: &[Mention], third_party: bool) -> (Vec<Mention>, Vec<bool>) {
        let mut all: Vec<(Mention, bool)> = named.iter().map(|m| (m.clone(), false)).collect();
        for (at, token) in sentence.tokens.iter().enumerate() {
            let can_stand = token.word.is(Part::PRONOUN) || token.word.is(Part::SPEAKER);
            let who = if !can_stand {
                None
            } else if is_first_person(token) {
                match (self.kind, self.about) {
                    (TextKind::Bio | TextKind::Post, Some(about)) => Some(Who::Contact(about)),
                    (TextKind::Note, _) => Some(Who::Speaker),
                    _ => None,
                }
            } else {
                pronoun(token.text).and_then(|form| self.resolve(sentence, named, third_party, at, form))
            };
            if let Some(who) = who {
                // `I'm` is subject and verb: the verb is left to the pattern.
                let end = at + usize::from(token.text != "i'm");
                all.push((
                    Mention { tokens: at..end, who, form: None, oblique: false, function: false },
                    !is_first_person(token),
                ));
            }
        }
        let first = all.iter().all(|(m, _)| m.tokens.start > 0);
        let meant = if first && named.is_empty() && !third_party { self.thread.meant() } else { None };
        if let Some(contact) = meant.filter(|_| !sentence.tokens.is_empty()) {
            let who = Who::Contact(contact);
            let subject = |at: usize| Mention { tokens: at..at, who, form: None, oblique: false, function: false };
            let behind_head = Some(topic_head(sentence)).filter(|at| *at > 0);
            all.extend(behind_head.into_iter().chain([0]).map(|at| (subject(at), true)));
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
            [] if named.is_empty() => self.thread.resolved(form).map(Who::Contact),
            [only] if only.form == Some(form) && !matches!(only.who, Who::Speaker) => Some(only.who),
            _ => None,
        }
    }

    fn claims(
        &mut self,
        sentence: &Read<'_>,
        named: &[Mention],
        third_party: bool,
        opened_quoted: bool,
    ) -> Vec<Statement> {
        let standing = self.firm.standing(&sentence.tokens);
        let marked = standing.as_deref().map(|words| self.firm.marked(&sentence.tokens, words));
        let tokens = marked.as_deref().unwrap_or(&sentence.tokens);
        // What most sentences are is told by their words alone, whomever they mean.
        if !RULES.claims.may_find(tokens) {
            return Vec::new();
        }
        let (mentions, indirect) = self.with_indirect(sentence, named, third_party);
        let all = matches(sentence, tokens, &mentions);
        let of_firm = self.of_firm(sentence, tokens, &mentions);
        if all.is_empty() {
            return Vec::new();
        }
        let ruled = |found: &Found<'_, Tag>| match *found.tag {
            Tag::Claims(index) => Some((index, &RULES.all[index])),
            _ => None,
        };
        let spent = sentence.cover(all.iter().filter(|f| {
            ruled(f).is_some_and(|(_, rule)| rule.department.is_none() && rule.polarity == Polarity::Minus)
        }));
        let steps = sentence.cover(all.iter().filter(|f| ruled(f).is_some_and(|(_, rule)| rule.department.is_some())));
        // `muss noch zum Einkauf` says by `noch` that it is not done, which elsewhere makes a statement doubtful.
        let vetoes = sentence.context.iter().filter(|c| *c.tag == Tag::Veto).map(|c| c.tokens.clone());
        let vetoes: Vec<_> = vetoes.filter(|words| !tells_of_what(sentence, named, words.start)).collect();
        // A word that is part of the pattern itself (`findet keine Leute`) casts no doubt on it.
        let vetoed = |found: &Found<'_, Tag>| {
            vetoes.iter().any(|v| !v.clone().all(|at| steps[at] || found.tokens.contains(&at)))
        };
        let mut said = Vec::new();
        for found in all.iter().filter(|f| !vetoed(f)) {
            let Some((index, rule)) = ruled(found) else { continue };
            if rule.field.is_some() {
                if !of_firm {
                    self.company.extend(of_company(self.kind, self.firm, sentence, &mentions, found, index));
                }
                continue;
            }
            let Some(person) = found.person else {
                said.extend(self.of_department(sentence, &mentions, found, index));
                continue;
            };
            let meant = self.believes(sentence, &mentions, found, index, person, opened_quoted);
            let is_another = is_denied(sentence, found, index, &spent)
                || is_taken(sentence, (rule.family, rule.polarity), &found.tokens, named);
            if let Some(contact) = meant.filter(|_| !is_another) {
                let signal = self.signal(sentence, found, index, contact, indirect[person]);
                said.push(Statement { signal, implied: false, contradicted: false });
            }
        }
        said
    }

    /// What is said of the company where contacts are called by what they do, and whether any are: `hier entscheidet der Inhaber`
    /// is said of the company, whoever the Inhaber is.
    fn of_firm(&mut self, sentence: &Read<'_>, tokens: &[Token<'_>], mentions: &[Mention]) -> bool {
        let named: Vec<Mention> = mentions.iter().filter(|m| !m.function).cloned().collect();
        if named.len() == mentions.len() {
            return false;
        }
        for found in &matches(sentence, tokens, &named) {
            if let Tag::Claims(index) = *found.tag
                && RULES.all[index].field.is_some()
            {
                self.company.extend(of_company(self.kind, self.firm, sentence, &named, found, index));
            }
        }
        true
    }

    /// Statements whose parts stand apart.
    fn apart(
        &mut self,
        sentence: &Read<'_>,
        named: &[Mention],
        third_party: bool,
        opened_quoted: bool,
    ) -> Vec<Statement> {
        let meant = self.thread.meant();
        let meant_by = [Form::Masculine, Form::Feminine].map(|form| self.thread.meant_by(form));
        let floor = self.thread.floor();
        let (kind, about, several) = (self.kind, self.about, self.thread.several);
        let around = Around { kind, about, meant, meant_by, floor, several, third_party, opened_quoted, named };
        let standing = self.firm.standing(&sentence.tokens);
        let marked = standing.as_deref().map(|words| self.firm.marked(&sentence.tokens, words));
        let found = signs(kind, sentence, marked.as_deref().unwrap_or(&sentence.tokens), &self.left);
        self.company.extend(of_topics(kind, self.firm, sentence, named, &found));
        let all = stated(sentence, &found, &around, &mut self.left);
        let contacts = &self.setting.contacts;
        let signal = |s: Stated| {
            let id = &contacts[s.contact].id;
            s.signal(id)
        };
        all.into_iter().map(|s| Statement { signal: signal(s), implied: false, contradicted: false }).collect()
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
                .is_some_and(|t| matches!(t.text, "und" | "oder" | "and" | "or" | "bzw" | "s"))
        {
            return None;
        }
        let quoted = opened_quoted ^ (sentence.quotes_before(found.tokens.start) % 2 == 1);
        if quoted && !rule.speaker {
            return None;
        }
        let required = Tag::Requires(index);
        let met = !rule.needs || sentence.has(required) || rule.speaker && self.met_before.contains(&required);
        if !met || sentence.has(Tag::Unless(index)) {
            return None;
        }
        let asked_before =
            sentence.context.iter().any(|c| *c.tag == Tag::VetoBefore && c.tokens.start < found.tokens.start);
        (!asked_before).then_some(contact)
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
        let (quote, span) = sentence.quote(&found.tokens);
        TextSignal {
            subject: self.setting.contacts[contact].id.clone(),
            family: rule.family.as_str().to_owned(),
            value: rule.value.clone(),
            phase: rule.phase,
            polarity: rule.polarity,
            quote,
            span,
            p: weight(rule.p, indirect),
        }
    }
}
