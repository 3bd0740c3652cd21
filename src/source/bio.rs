//! The few lines in which people say on a profile who they are: their job, and with leave to profile how they work.
//!
//! Invariant: words that reveal anything tell no job; of roles nothing is told that nobody can rely on.

use crate::extract::text::guard;
use crate::extract::text::{self, TextContact, TextKind, TextRecord, TextSignal, scrub_quote};
use crate::model::{About, Claim};
use crate::source::neutral::{Names, neutral};
use crate::source::titles::{self, Stated};
use crate::source::{Context, Found, Permitted, Reading};

/// How far a self-written one-liner is believed about function and level.
pub(super) const TRUST: f64 = 0.75;

/// Reads what a contact writes of him- or herself, as plain text.
#[must_use]
pub(super) fn read(bio: &str, contact: &Permitted<'_>, context: &Context<'_>) -> Reading {
    if bio.trim().is_empty() {
        return Reading::default();
    }
    let subject = contact.subject;
    let about = About::Subject(subject.id.clone(), subject.account.clone());
    let record = TextRecord {
        id: String::new(),
        kind: TextKind::Bio,
        lang: None,
        text: bio.to_owned(),
        contacts: vec![TextContact { id: subject.id.to_string(), name: String::new(), title: None }].into(),
        about: Some(subject.id.to_string()),
        company: None,
    };
    let text = text::read_text(&record);
    let withheld: u32 = text.withheld.values().sum();
    let mut reading = Reading { withheld, ..Reading::default() };
    // The rest may be nobody's business; the job is read where its own words reveal nothing.
    let title = first_statement(bio);
    if guard::scrub(title, None).1.is_empty() {
        let stated = Stated { about: &about, title, department: None, locator: "bio", trust: TRUST };
        let claims = titles::claims(&stated, context.languages);
        reading.withheld += claims.withheld;
        let of_leader = |found: &Found| matches!(found.claim, Claim::Seniority(level) if level.leads());
        // `Workshop, fire brigade, brass band` is a list of what somebody likes, and `DJ` may be the weekend's.
        if names_employer(title, context) || claims.found.iter().any(of_leader) {
            reading.found = claims.found;
        }
    }
    if contact.profiling {
        let names = Names::of(context.members.iter().copied().chain([subject]));
        reading.found.extend(text.signals.iter().filter_map(|s| trait_claim(s, &about, &names)));
    }
    reading
}

/// The part of a bio where people say what they are: all before the first full stop, bar or line break.
fn first_statement(bio: &str) -> &str {
    let bio = bio.trim();
    let end = bio.find(['\n', '\r', ';', '|', '•', '·']).into_iter().chain(bio.find(". ")).min().unwrap_or(bio.len());
    bio[..end].trim().trim_end_matches('.')
}

/// Whether a job is told as one with somebody: `at Brennwald`, `@brennwald`.
fn names_employer(title: &str, context: &Context<'_>) -> bool {
    const AT: [&str; 9] = ["bei", "at", "@", "für", "for", "of", "von", "beim", "der"];
    let words = || title.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty());
    let name = context.account.name.to_lowercase();
    let employer = name.split_whitespace().next().filter(|w| w.chars().count() >= 3);
    words().any(|w| w.starts_with('@') || AT.contains(&w.to_lowercase().as_str()))
        || employer.is_some_and(|employer| words().any(|w| w.to_lowercase().starts_with(employer)))
}

/// What of a bio is part of a profile; of roles it says nothing that can be relied on.
fn trait_claim(signal: &TextSignal, about: &About, names: &Names) -> Option<Found> {
    let claim = signal.claim().filter(Claim::is_profile)?;
    Some(Found {
        about: about.clone(),
        claim,
        weight: signal.p,
        quote: scrub_quote(&signal.quote).and_then(|q| scrub_quote(&neutral(&q, names)))?,
        locator: format!("bio[{}..{}]", signal.span[0], signal.span[1]),
        extractor: text::EXTRACTOR.to_owned(),
        said_at: None,
    })
}
