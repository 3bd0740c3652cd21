//! A GitHub-shaped public user API: one profile per known handle.
//!
//! Invariant: a profile is asked for by a handle that the CRM has, never searched for; it counts only where name and
//! employer say it is this contact. Traits are read only with leave to profile.

use serde::Deserialize;
use url::Url;

use crate::extract::reservation::refuses_of_person;
use crate::identity::{Claimed, Verdict, judge, left};
use crate::source::{Body, Context, KnownContact, Permitted, Reading, bio, id};

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
    if profile.bio.as_deref().is_some_and(refuses_of_person) {
        return Reading { opted_out: Some("noindex".to_owned()), ..Reading::default() };
    }
    match verdict(&profile, contact, context) {
        Verdict::Same => bio::read(profile.bio.as_deref().unwrap_or_default(), contact, context),
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
    match judge(&known.known(), &claimed).verdict {
        Verdict::Same if left(profile.bio.as_deref().unwrap_or_default(), &context.account.name) => Verdict::Uncertain,
        verdict => verdict,
    }
}
