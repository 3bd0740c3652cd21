//! A GitHub-shaped public user API: one profile per known handle.
//!
//! Invariant: a profile is asked for by a handle that the CRM has, never searched for; it counts only where name and
//! employer say it is this contact. Traits are read only with leave to profile.

use serde::Deserialize;
use url::Url;

use crate::extract::text::{self, TextContact, TextKind, TextRecord, TextSignal, scrub_quote};
use crate::identity::{Claimed, Verdict, judge};
use crate::model::{About, Claim};
use crate::source::neutral::{Names, neutral};
use crate::source::titles::{self, Stated};
use crate::source::{Body, Context, Found, KnownContact, Permitted, Reading, id};

/// How far a self-written one-liner is believed about function and level.
pub(super) const TRUST: f64 = 0.75;

/// What of the answer is read; the rest is dropped while parsing.
#[derive(Deserialize)]
struct Profile {
    login: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    company: Option<String>,
    #[serde(default)]
    blog: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    bio: Option<String>,
}

/// The profile of a handle.
#[must_use]
pub fn profile_url(base: &Url, handle: &str) -> Option<Url> {
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["users", handle]);
    Some(url)
}

/// Reads one profile; `context` holds exactly the contact whose handle was asked for.
#[must_use]
pub fn read(body: &Body<'_>, context: &Context<'_>) -> Reading {
    let Ok(profile) = serde_json::from_slice::<Profile>(body.bytes) else {
        return Reading { unreadable: Some("no_user_profile".to_owned()), ..Reading::default() };
    };
    let Some(contact) = context.contacts.first() else { return Reading::default() };
    match verdict(&profile, contact, context) {
        Verdict::Same => statements(&profile, contact, context),
        Verdict::Uncertain => Reading { uncertain: vec![contact.subject.id.clone()], ..Reading::default() },
        Verdict::Different => Reading { strangers: 1, ..Reading::default() },
    }
}

fn verdict(profile: &Profile, contact: &Permitted<'_>, context: &Context<'_>) -> Verdict {
    let known = KnownContact::of(contact.subject, context.account, id::DEVELOPER_PROFILE);
    let links: Vec<String> = profile.blog.iter().filter(|b| !b.is_empty()).cloned().collect();
    let emails: Vec<String> = profile.email.iter().map(|e| e.to_lowercase()).collect();
    let employer = profile.company.as_deref().map(|c| c.trim_start_matches('@'));
    let claimed = Claimed {
        name: profile.name.as_deref().unwrap_or(""),
        employer,
        links: &links,
        emails: &emails,
        handle: Some(&profile.login),
        ..Claimed::default()
    };
    judge(&known.known(), &claimed).verdict
}

fn statements(profile: &Profile, contact: &Permitted<'_>, context: &Context<'_>) -> Reading {
    let Some(bio) = profile.bio.as_deref().filter(|b| !b.trim().is_empty()) else { return Reading::default() };
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
    // A bio in which something had to be withheld is not read as a title: the guard works by sentence.
    if withheld == 0 {
        let title = first_statement(bio);
        let stated = Stated { about: &about, title, department: None, locator: "bio", trust: TRUST };
        let claims = titles::claims(&stated, context.languages);
        reading.withheld += claims.withheld;
        reading.found = claims.found;
    }
    if contact.profiling {
        let names = Names::of(context.members.iter().copied().chain([subject]));
        reading.found.extend(text.signals.iter().filter_map(|s| trait_claim(s, &about, &names)));
    }
    reading
}

/// The part of a bio where people say what they are: all before the first full stop or line break.
fn first_statement(bio: &str) -> &str {
    let end = bio.find(['\n', '\r', ';']).into_iter().chain(bio.find(". ")).min().unwrap_or(bio.len());
    bio[..end].trim().trim_end_matches('.')
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
