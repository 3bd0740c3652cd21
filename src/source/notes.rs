//! Notes of sales people as a source: what they say about contacts with leave.
//!
//! Invariant: only statements about contacts with leave come out; whoever else is named is known to the reader so that
//! nothing said of them is taken to be said of somebody else, and is dropped here. Traits and preferences need leave to
//! profile. What was withheld is counted, never told.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::neutral::{Names, neutral};
use super::words::folded;
use super::{Found, Permitted};
use crate::extract::text::{self, CompanySignal, Text, TextContact, TextKind, TextReader, scrub_quote};
use crate::model::{About, Account, Subject};
use crate::taxonomy::Language;

/// Of larger companies, and of people without one, a note is read with those contacts only whose names are in it: each
/// contact is looked for in each text.
const MAX_COLLEAGUES: usize = 100;

/// What the CRM gives with a note.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// What it says.
    pub text: &'a str,
    /// Its language, where stated.
    pub language: Option<Language>,
    /// The contact whom it is on.
    pub on: Option<&'a Subject>,
}

/// The contacts of a company.
pub struct Colleagues<'a> {
    account: &'a Account,
    permitted: &'a [Permitted<'a>],
    reader: TextReader,
    /// Of larger companies, and of people without one.
    crowd: Option<Crowd>,
    names: Names,
}

/// Too many to be looked for in each text.
struct Crowd {
    known: Vec<TextContact>,
    /// Where each stands, by id.
    by_id: HashMap<String, usize>,
    /// Where those stand whose names have a word; of people without a company none.
    by_word: HashMap<String, Vec<usize>>,
}

/// What a note said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NoteReading {
    /// Statements about contacts with leave.
    pub found: Vec<Found>,
    /// Statements about the company; no words of theirs name anybody.
    pub company: Vec<Found>,
    /// Statements without leave: about others, or traits of contacts without leave to profile. They were dropped.
    pub dropped: u32,
    /// Sentences that the guard withheld.
    pub withheld: u32,
}

impl<'a> Colleagues<'a> {
    /// Those with leave, and all others of the company, who are only told apart.
    #[must_use]
    pub fn new(account: &'a Account, permitted: &'a [Permitted<'a>], others: &[&Subject]) -> Self {
        let name = |s: &Subject| format!("{} {}", s.given_name.reveal(), s.family_name.reveal()).trim().to_owned();
        let contact = |s: &Subject, title: Option<String>| TextContact { id: s.id.to_string(), name: name(s), title };
        let title = |s: &Subject| s.job_title.as_ref().map(|t| t.reveal().clone());
        let with_leave = permitted.iter().map(|p| contact(p.subject, title(p.subject)));
        // The title of somebody without leave is not read.
        let known: Vec<TextContact> = with_leave.chain(others.iter().map(|s| contact(s, None))).collect();
        let names = Names::of(permitted.iter().map(|p| p.subject).chain(others.iter().copied()));
        let company = account.id.as_ref().map(|_| account.name.as_str());
        if account.id.is_some() && known.len() <= MAX_COLLEAGUES {
            return Self { account, permitted, reader: TextReader::new(known.into(), company), crowd: None, names };
        }
        let reader = TextReader::new(Vec::new().into(), company);
        Self { account, permitted, reader, crowd: Some(Crowd::new(known, account.id.is_some())), names }
    }

    /// What a note says of the company, where there is one.
    fn of_company(&self, signals: &[CompanySignal]) -> Vec<Found> {
        let Some(account) = &self.account.id else { return Vec::new() };
        let found = signals.iter().filter_map(|s| {
            let quote = scrub_quote(&s.quote).and_then(|q| scrub_quote(&neutral(&q, &self.names)))?;
            Some(Found {
                about: About::Account(account.clone()),
                claim: s.claim(),
                weight: s.p,
                quote,
                locator: format!("note[{}..{}]", s.span[0], s.span[1]),
                extractor: text::EXTRACTOR.to_owned(),
                said_at: None,
            })
        });
        found.collect()
    }

    /// Reads one note.
    #[must_use]
    pub fn read(&self, note: &Written<'_>) -> NoteReading {
        let on = note.on.map(|subject| subject.id.as_str());
        let text = plain(note.text);
        let text = Text { kind: TextKind::Note, language: note.language, text: &text, about: on };
        let read = match &self.crowd {
            None => self.reader.read(&text),
            Some(crowd) => self.reader.with(crowd.mentioned(note.text, on).into()).read(&text),
        };
        let mut reading = NoteReading { withheld: read.withheld.values().sum(), ..NoteReading::default() };
        for signal in &read.signals {
            let permitted = self.permitted.iter().find(|p| p.subject.id.as_str() == signal.subject);
            let Some(claim) = signal.claim() else { continue };
            let Some(permitted) = permitted.filter(|p| p.profiling || !claim.is_profile()) else {
                reading.dropped += 1;
                continue;
            };
            // The guard is asked about the whole quote once more, and about what it became.
            let quote = scrub_quote(&signal.quote).and_then(|q| scrub_quote(&neutral(&q, &self.names)));
            let Some(quote) = quote else { continue };
            reading.found.push(Found {
                about: About::Subject(permitted.subject.id.clone(), permitted.subject.account.clone()),
                claim,
                weight: signal.p,
                quote,
                locator: format!("note[{}..{}]", signal.span[0], signal.span[1]),
                extractor: text::EXTRACTOR.to_owned(),
                said_at: None,
            });
        }
        reading.company = self.of_company(&read.company);
        reading
    }
}

impl Crowd {
    /// `together`: they are of one company.
    fn new(known: Vec<TextContact>, together: bool) -> Self {
        let by_id = known.iter().enumerate().rev().map(|(at, contact)| (contact.id.clone(), at)).collect();
        let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, contact) in known.iter().enumerate().filter(|_| together) {
            for word in contact.name.split(|c: char| !c.is_alphanumeric()) {
                by_word.entry(folded(word)).or_default().push(at);
            }
        }
        Self { known, by_id, by_word }
    }

    /// The contacts that the reader must know for a note. As some are left out, a contact without name and title
    /// stands for them: then nothing is concluded from somebody's being the only one of a department.
    fn mentioned(&self, text: &str, on: Option<&str>) -> Vec<TextContact> {
        let mut chosen: BTreeSet<usize> = on.and_then(|id| self.by_id.get(id)).copied().into_iter().collect();
        if !self.by_word.is_empty() {
            for word in text.split(|c: char| !c.is_alphanumeric()).map(folded) {
                chosen.extend(self.by_word.get(&word).into_iter().flatten());
                let bare = word.strip_suffix('s');
                chosen.extend(bare.and_then(|bare| self.by_word.get(bare)).into_iter().flatten());
            }
        }
        let rest = TextContact { id: String::new(), name: String::new(), title: None };
        chosen.into_iter().map(|at| self.known[at].clone()).chain([rest]).collect()
    }
}

/// The text of a note; CRMs keep some as HTML.
fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains('<') {
        return Cow::Borrowed(text);
    }
    let marked = ["<p", "<br", "<div", "<span", "<b>", "<ul", "<li", "<html", "</"];
    if !marked.iter().any(|tag| text.contains(tag)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let tagged = &rest[open + 1..];
        let is_tag = tagged.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        let Some(close) = tagged.find('>').filter(|_| is_tag) else {
            out.push_str(&rest[..=open]);
            rest = tagged;
            continue;
        };
        out.push_str(&rest[..open]);
        let name = tagged[..close].trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next();
        let inline = name.is_some_and(|n| ["a", "b", "i", "u", "em", "strong", "span", "font"].contains(&n));
        out.push_str(if inline { "" } else { "\n" });
        rest = &tagged[close + 1..];
    }
    out.push_str(rest);
    let entities = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(out, |text, (entity, sign)| text.replace(entity, sign)).into()
}

#[cfg(test)]
#[path = "notes_tests.rs"]
mod tests;
