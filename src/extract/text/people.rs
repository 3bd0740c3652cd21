//! Who a sentence speaks of: contacts by family name, with or without an honorific, or by full name; pronouns
//! by the one person whom the sentence before named.
//!
//! Invariant: a name that fits two contacts names nobody, and nobody outside the list is named.

mod listed;

use std::collections::BTreeSet;
use std::ops::{Deref, Range};
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde::Deserialize;

use super::TextContact;
use super::address::{DEGREES, Form, TITLES, honorific};
use super::bare::{OBLIQUE, is_at, is_called, is_firm, is_ours, is_person, touches, with_title};
use super::called::{Called, Calling, called};
use super::genitive::{is_belonging, is_given};
use super::guard::fold::Cell;
use super::guard::token::Token;
use super::memory;
use super::names::{Name, ends_sense, reaches, unique, words_of};
use super::part::{Part, is_known};

/// Who is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Index into the record's contacts.
    Contact(usize),
    /// A name that is not, or not uniquely, a contact's.
    Stranger,
    /// `I` in a note: whoever is quoted.
    Speaker,
}

/// A person named at `tokens`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) tokens: Range<usize>,
    pub(super) who: Who,
    pub(super) form: Option<Form>,
    /// `Herrn`: cannot be the subject of a German sentence.
    pub(super) oblique: bool,
    /// Called by what he or she does, not by a name.
    pub(super) function: bool,
}

/// The contacts whom texts may speak of. Their names are read once, and shared by all texts that have the same contacts.
#[derive(Clone, Deserialize)]
#[serde(from = "Vec<TextContact>")]
pub struct Contacts(Arc<People>);

struct People {
    contacts: Vec<TextContact>,
    names: Vec<Name>,
    callings: Vec<Calling>,
    /// Hashes of the words that their given or family names begin with: no other word names one of them.
    firsts: FxHashSet<u64>,
}

impl From<Vec<TextContact>> for Contacts {
    fn from(contacts: Vec<TextContact>) -> Self {
        let names: Vec<Name> = contacts.iter().map(|c| Name::read(&c.name)).collect();
        let firsts = names.iter().flat_map(|name| [name.given.first(), name.family.first()]).flatten();
        let firsts = firsts.map(|word| memory::hash(word)).collect();
        let callings = contacts.iter().zip(&names).map(|(c, name)| Calling::read(c, &name.given)).collect();
        Self(Arc::new(People { contacts, names, callings, firsts }))
    }
}

impl Deref for Contacts {
    type Target = [TextContact];

    fn deref(&self) -> &[TextContact] {
        &self.0.contacts
    }
}

impl Default for Contacts {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl PartialEq for Contacts {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Contacts {}

impl Contacts {
    /// Those whose family name has a word of their company's name.
    pub(super) fn firms(&self, company: &[String]) -> BTreeSet<usize> {
        let is_firm = |name: &Name| name.family.iter().any(|w| company.contains(w));
        self.0.names.iter().enumerate().filter(|(_, name)| is_firm(name)).map(|(i, _)| i).collect()
    }
}

/// Words of German that no other language of notes has.
const GERMAN: [&str; 30] = [
    "und", "mit", "der", "die", "das", "den", "dem", "ist", "bei", "von", "ungern", "nicht", "ein", "nach", "einen",
    "fuer", "zu", "zum", "zur", "auf", "im", "sich", "wird", "hat", "er", "sie", "ihm", "sein", "seine", "geht",
];

/// The contacts' names, ready to be found.
pub(super) struct Directory<'r> {
    people: &'r People,
    /// Contacts whose family name is a company's, too: alone it names nobody.
    firms: BTreeSet<usize>,
    /// Contacts who are called like the company.
    namesakes: &'r BTreeSet<usize>,
}

impl<'r> Directory<'r> {
    /// `namesakes` are [`Contacts::firms`] of the contacts. In a text on somebody who is called like the company the name is theirs,
    /// unless the text has it as the company's, too.
    pub(super) fn new(contacts: &'r Contacts, namesakes: &'r BTreeSet<usize>, about: Option<usize>) -> Self {
        let firms = namesakes.iter().copied().filter(|contact| Some(*contact) != about).collect();
        Self { people: &contacts.0, firms, namesakes }
    }

    fn names(&self) -> &[Name] {
        &self.people.names
    }

    /// Which pronoun can mean each contact, as far as name and title show it.
    pub(super) fn forms(&self) -> Vec<Option<Form>> {
        self.people.callings.iter().map(|calling| calling.form).collect()
    }

    /// Whether a word may be the first of somebody's given or family name.
    fn may_name(&self, token: &Token<'_>) -> bool {
        let has = |word: &str| self.people.firsts.contains(&memory::hash(word));
        self.people.firsts.contains(&token.word.hash())
            || token.text.strip_suffix('s').is_some_and(|stem| has(stem) || stem.strip_suffix('\'').is_some_and(has))
    }

    /// Learns from a sentence which family names are used as a company's.
    pub(super) fn learn_firms(&mut self, cells: &[Cell], tokens: &[Token<'_>]) {
        for at in 0..tokens.len() {
            if !tokens[at].capital || !self.may_name(&tokens[at]) {
                continue;
            }
            let firms: Vec<usize> = self
                .fitting(|n| reaches(cells, tokens, at, &[&n.family]))
                .into_iter()
                .filter(|(contact, end)| {
                    // `entscheidet bei Dornbusch ein Ausschuss`, in a text on Herr Dornbusch of that company.
                    let at_firm = is_at(cells, tokens, at);
                    is_firm(cells, tokens, &(at..*end)) && !self.is_slashed(cells, tokens, &(at..*end))
                        || at_firm && self.namesakes.contains(contact)
                })
                .map(|(contact, _)| contact)
                .collect();
            self.firms.extend(firms);
        }
    }

    /// The people named in a sentence, in order, without overlap.
    pub(super) fn mentions(&self, cells: &[Cell], tokens: &[Token<'_>]) -> Vec<Mention> {
        let raised = self.raised(tokens);
        let tokens = raised.as_deref().unwrap_or(tokens);
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let mention = if tokens[at].capital || tokens[at].word.is(Part::ADDRESS) {
                self.addressed(cells, tokens, at)
                    .or_else(|| self.in_full(cells, tokens, at))
                    .or_else(|| self.by_initial(cells, tokens, at))
                    .or_else(|| self.before_initial(cells, tokens, at))
                    .or_else(|| self.bare(cells, tokens, at))
            } else {
                None
            };
            let mention = mention.or_else(|| called(&self.people.callings, cells, tokens, at).map(Mention::from));
            match mention {
                Some(mut mention) => {
                    mention.tokens.end = with_title(cells, tokens, mention.tokens.end);
                    // What is somebody's is said of what it is, so that the name is no subject.
                    mention.oblique |= tokens[mention.tokens.end - 1].text.ends_with("'s")
                        || is_belonging(tokens.get(mention.tokens.end));
                    if is_ours(cells, tokens, &mention.tokens) {
                        mention.who = Who::Stranger;
                    }
                    let before = mention.tokens.start.checked_sub(1).map(|at| tokens[at].text);
                    mention.oblique |= before.is_some_and(|word| OBLIQUE.contains(&word));
                    self.shape(&mut mention);
                    mention.oblique |=
                        before == Some("der") && mention.form == Some(Form::Feminine) && !mention.function;
                    at = mention.tokens.end;
                    found.push(mention);
                }
                None => at += 1,
            }
        }
        found
    }

    /// `Frau Beck` is not the contact Peter Beck; a name without an honorific has the form of its owner.
    fn shape(&self, mention: &mut Mention) {
        let Who::Contact(contact) = mention.who else { return };
        match (mention.form, self.people.callings[contact].form) {
            (Some(said), Some(form)) if said != form => mention.who = Who::Stranger,
            (said, form) => mention.form = said.or(form),
        }
    }

    /// The words of a sentence without a capital, where names may stand among them, with capitals for those.
    pub(super) fn raised<'t>(&self, tokens: &[Token<'t>]) -> Option<Vec<Token<'t>>> {
        let is_name = |t: &Token<'_>| t.word.chars() > 2 && self.may_name(t) && !t.word.is(Part::NO_NAME);
        if tokens.iter().any(|t| t.capital) {
            // `brandt will keine Anrufe`: the first word alone, where it is no other word.
            let first = tokens.first().filter(|t| !t.capital && is_name(t) && t.word.chars() > 3 && !is_known(t))?;
            let raised = Token { capital: true, ..first.clone() };
            return Some(std::iter::once(raised).chain(tokens[1..].iter().cloned()).collect());
        }
        let raise = |t: &Token<'t>| Token { capital: is_name(t), ..t.clone() };
        tokens.iter().any(is_name).then(|| tokens.iter().map(raise).collect())
    }

    fn addressed(&self, cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Mention> {
        let token = &tokens[at];
        if !token.word.is(Part::ADDRESS) {
            return None;
        }
        match honorific(token.text) {
            Some((form, oblique)) => self.with_honorific(cells, tokens, at, Some(form), oblique),
            None if token.capital && DEGREES.contains(&token.text) => {
                self.with_honorific(cells, tokens, at, None, false)
            }
            None => None,
        }
    }

    fn with_honorific(
        &self,
        cells: &[Cell],
        tokens: &[Token<'_>],
        at: usize,
        form: Option<Form>,
        oblique: bool,
    ) -> Option<Mention> {
        let mut name = at + 1;
        while tokens.get(name).is_some_and(|t| TITLES.contains(&t.text)) {
            name += 1;
        }
        if !tokens.get(name)?.capital || ends_sense(cells, &tokens[at], &tokens[name]) {
            return None;
        }
        let initial = tokens[name].word.chars() == 1 && form.is_some();
        // `Fr. S. aus der Kantine`, `Hr. Brandt senior`: somebody else.
        let elsewhere = |t: &Token<'_>| matches!(t.text, "aus" | "von" | "vom" | "from" | "of" | "at");
        let other = |end: usize| {
            let next = tokens.get(end);
            initial && next.is_some_and(elsewhere)
                || next.is_some_and(|t| matches!(t.text, "senior" | "sen" | "junior" | "jun"))
        };
        // `Hr. W.`: the only one whose family name begins so.
        let begins =
            |n: &Name| n.family.first().is_some_and(|word| word.starts_with(tokens[name].text)).then_some(name + 1);
        let by_family = self.fitting(|n| if initial { begins(n) } else { reaches(cells, tokens, name, &[&n.family]) });
        let in_full = self.fitting(|n| reaches(cells, tokens, name, &[&n.given, &n.family]));
        let (who, end) = match (unique(&in_full), unique(&by_family)) {
            (Some((contact, end)), _) if !other(end) => (Who::Contact(contact), end),
            (None, Some((contact, end))) if !other(end) && in_full.is_empty() => (Who::Contact(contact), end),
            _ => (Who::Stranger, name + 1),
        };
        Some(Mention { tokens: at..end, who, form, oblique, function: false })
    }

    fn in_full(&self, cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Mention> {
        if !tokens[at].capital || !self.may_name(&tokens[at]) {
            return None;
        }
        let fitting = self.fitting(|n| reaches(cells, tokens, at, &[&n.given, &n.family]));
        let (_, end) = *fitting.first()?;
        Some(Mention::plain(at..end, unique(&fitting).map_or(Who::Stranger, |(c, _)| Who::Contact(c))))
    }

    /// `A. Brandt`: the initial must be the contact's, or it is somebody else.
    fn by_initial(&self, cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Mention> {
        let (token, next) = (&tokens[at], tokens.get(at + 1)?);
        let stop = cells[token.cells.end..next.cells.start].first().is_some_and(|c| c.raw == '.');
        if !(token.capital && stop && token.word.chars() == 1) {
            return None;
        }
        let by_family = self.fitting(|n| reaches(cells, tokens, at + 1, &[&n.family]));
        let (_, end) = *by_family.first()?;
        let fits = |i: usize| self.names()[i].given.first().is_some_and(|g| g.starts_with(token.text));
        let fitting: Vec<(usize, usize)> = by_family.iter().copied().filter(|(i, _)| fits(*i)).collect();
        // `H. Brandt` in German, where no given name begins so: Herr.
        let is_german = || tokens.iter().any(|token| GERMAN.contains(&token.text));
        let is_sir = |contact: usize| self.people.callings[contact].form == Some(Form::Masculine) && is_german();
        match unique(&by_family).filter(|(contact, _)| token.text == "h" && fitting.is_empty() && is_sir(*contact)) {
            Some((contact, end)) => {
                Some(Mention { form: Some(Form::Masculine), ..Mention::plain(at..end, Who::Contact(contact)) })
            }
            None => Some(Mention::plain(at..end, unique(&fitting).map_or(Who::Stranger, |(c, _)| Who::Contact(c)))),
        }
    }

    /// `Karen A`, `Ashdown K.`: the initial must be that of the other name, or it is somebody else.
    fn before_initial(&self, cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Mention> {
        let next = tokens.get(at + 1).filter(|t| t.word.chars() == 1 && touches(cells, tokens, at + 1, false))?;
        let behind = cells.get(next.cells.end).map_or(' ', |c| c.raw);
        // `brent a - needs ...` where nothing is in capitals.
        let stands =
            if next.capital { behind != '-' && behind != '/' } else { behind == ':' || Self::heads(cells, next) };
        if !tokens[at].capital || !stands || !self.may_name(&tokens[at]) {
            return None;
        }
        let begins = |words: &[String]| words.first().is_some_and(|word| word.starts_with(next.text));
        let is = |words: &[String]| matches!(words, [only] if only == tokens[at].text);
        let known = self.names().iter().any(|n| is(&n.given) || is(&n.family));
        let fits = |n: &Name| is(&n.given) && begins(&n.family) || is(&n.family) && begins(&n.given);
        let fitting = self.fitting(|n| fits(n).then_some(at + 2));
        match unique(&fitting) {
            Some((contact, end)) => Some(Mention::plain(at..end, Who::Contact(contact))),
            None if known && (next.text != "i" || !fitting.is_empty()) => {
                Some(Mention::plain(at..at + 2, Who::Stranger))
            }
            None => None,
        }
    }

    /// Whether a dash with blanks around it stands behind a word.
    fn heads(cells: &[Cell], word: &Token<'_>) -> bool {
        let at = word.cells.end;
        let raw = |i: usize| cells.get(i).map_or(' ', |c| c.raw);
        raw(at) == ' ' && matches!(raw(at + 1), '-' | '–') && raw(at + 2).is_whitespace()
    }

    /// A family name alone, where it can be nothing else, or a given name that only one contact has.
    fn bare(&self, cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Mention> {
        if !tokens[at].capital || !self.may_name(&tokens[at]) {
            return None;
        }
        let fitting = self.fitting(|n| reaches(cells, tokens, at, &[&n.family]));
        let Some((_, end)) = fitting.first().copied() else {
            let given = self.fitting(|n| reaches(cells, tokens, at, &[&n.given]));
            let (_, end) = *given.first()?;
            let stands = is_given(cells, tokens, &(at..end)) || self.beside_contact(cells, tokens, &(at..end));
            let only = unique(&given).filter(|_| stands);
            return Some(Mention::plain(at..end, only.map_or(Who::Stranger, |(contact, _)| Who::Contact(contact))));
        };
        // `Termin bei Dornbusch`, of a Herr Dornbusch and his company: the company.
        let at_firm = is_at(cells, tokens, at);
        let is_namesake = |contact: usize| self.namesakes.contains(&contact) && !is_called(cells, tokens, &(at..end));
        if at_firm && fitting.iter().all(|(contact, _)| is_namesake(*contact)) {
            return None;
        }
        let who = match unique(&fitting) {
            Some((contact, _))
                if (!self.firms.contains(&contact) || is_called(cells, tokens, &(at..end)))
                    && (is_person(cells, tokens, &(at..end))
                        || self.beside_contact(cells, tokens, &(at..end))
                        || self.behind_title(contact, cells, tokens, &(at..end))) =>
            {
                Who::Contact(contact)
            }
            _ => Who::Stranger,
        };
        Some(Mention::plain(at..end, who))
    }

    /// `Werkleiter Eschlwech`: the word before is one of the contact's own job title.
    fn behind_title(&self, contact: usize, cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
        let Some(before) = name.start.checked_sub(1).map(|at| &tokens[at]) else { return false };
        let titled = before.capital && before.word.chars() > 2 && {
            let title = self.people.contacts[contact].title.as_deref().unwrap_or_default();
            words_of(title).iter().any(|word| word == before.text)
        };
        let goes_on = tokens.get(name.end).is_some_and(|t| t.capital && touches(cells, tokens, name.end, false));
        titled && touches(cells, tokens, name.start, false) && !goes_on && !is_firm(cells, tokens, name)
    }

    fn fitting(&self, fits: impl Fn(&Name) -> Option<usize>) -> Vec<(usize, usize)> {
        self.names().iter().enumerate().filter_map(|(i, name)| fits(name).map(|end| (i, end))).collect()
    }
}

impl From<Called> for Mention {
    fn from(called: Called) -> Self {
        let Called { contact, tokens, form, oblique } = called;
        Self { tokens, who: Who::Contact(contact), form, oblique, function: true }
    }
}

impl Mention {
    fn plain(tokens: Range<usize>, who: Who) -> Self {
        Self { tokens, who, form: None, oblique: false, function: false }
    }
}
