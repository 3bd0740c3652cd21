//! What a company publishes about itself: from its text to facts about the company.
//!
//! Invariant: nothing comes out about a person, and no word of a quote that is not a word of the rules; it might name
//! somebody.

use jiff::Timestamp;

use super::neutral::{Names, neutral};
use super::{Context, Found};
use crate::extract::text::{self, Contacts, TextKind, TextRecord, scrub_quote};
use crate::model::About;
use crate::taxonomy::Language;

/// What stands in quotes for the company's name.
const COMPANY: &str = "[company]";

/// A text of the company.
pub(super) struct OwnText<'t> {
    /// The words.
    pub text: &'t str,
    /// The language as declared.
    pub language: Option<&'t str>,
    /// Where it stands; the place within it is put behind.
    pub locator: &'t str,
    /// When it was said, where that is known.
    pub said_at: Option<Timestamp>,
}

impl OwnText<'_> {
    fn record(&self, context: &Context<'_>) -> TextRecord {
        TextRecord {
            id: String::new(),
            kind: TextKind::Company,
            lang: self.language.map(str::to_owned),
            text: self.text.to_owned(),
            contacts: Contacts::default(),
            about: None,
            company: Some(context.account.name.clone()),
        }
    }

    /// Whether it is plainly in a language that is not read, be it one that nobody here reads.
    pub(super) fn is_foreign(&self, context: &Context<'_>) -> bool {
        let code = self.language.and_then(|l| l.trim().split(['-', '_']).next()).unwrap_or_default();
        // `und` is undetermined, `mul` several (ISO 639-2).
        let is_code = matches!(code.len(), 2 | 3) && !["und", "mul"].contains(&code);
        let read = code.to_ascii_lowercase().parse::<Language>().is_ok_and(|l| context.languages.contains(&l));
        is_code && !read
    }
}

/// What was read, and how many sentences the guard withheld.
pub(super) fn facts(own: &OwnText<'_>, context: &Context<'_>) -> (Vec<Found>, u32) {
    let Some(account) = &context.account.id else { return (Vec::new(), 0) };
    if own.is_foreign(context) {
        return (Vec::new(), 0);
    }
    let record = own.record(context);
    let read = text::read_text(&record);
    let name = text::name_word(&context.account.name);
    let names = Names::of(context.members.iter().copied());
    let found = read.company.iter().filter_map(|s| {
        Some(Found {
            about: About::Account(account.clone()),
            claim: s.claim(),
            weight: s.p,
            quote: scrub_quote(&s.quote)
                .and_then(|q| scrub_quote(&neutral(&impersonal(&q, name.as_deref()), &names)))?,
            locator: format!("{}[{}..{}]", own.locator, s.span[0], s.span[1]),
            extractor: text::EXTRACTOR.to_owned(),
            said_at: own.said_at,
        })
    });
    (found.collect(), read.withheld.values().sum())
}

/// A quote with the company's name taken out: many are called like their owner.
fn impersonal(quote: &str, name: Option<&str>) -> String {
    let mut out = String::with_capacity(quote.len());
    for piece in quote.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        let is_name = name.is_some() && text::folded(word).as_deref() == name;
        out.push_str(if is_name { COMPANY } else { word });
        out.push_str(&piece[word.len()..]);
    }
    out
}
