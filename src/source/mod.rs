//! Sources: what to ask for, and what a page says about the contacts that may be read about.
//!
//! Invariant: a source is pure. It names URLs and reads bodies; it never sees a client, and it is told only of
//! contacts for whom the gate gave leave. Everybody else on a page is counted and dropped.

mod bio;
pub mod company_site;
pub mod crm;
pub mod developer_profile;
mod follow_ups;
mod job_adverts;
mod neutral;
pub mod news;
pub mod notes;
mod own_words;
pub mod social_profile;
pub mod titles;
mod words;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::identity::Known;
use crate::model::{About, Account, Claim, Subject, SubjectId};
use crate::taxonomy::Language;

/// Source ids as they stand in policies and tables.
pub mod id {
    /// The CRM itself.
    pub const CRM: &str = "crm";
    /// The company's own site.
    pub const COMPANY_SITE: &str = "company_site";
    /// A GitHub-shaped public user API.
    pub const DEVELOPER_PROFILE: &str = "developer_profile";
    /// A Mastodon-shaped public API.
    pub const SOCIAL_PROFILE: &str = "social_profile";
    /// Every source from which people may be profiled.
    pub const OF_PROFILES: [&str; 3] = [CRM, DEVELOPER_PROFILE, SOCIAL_PROFILE];
}

/// What kind of page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// The site's first page.
    Home,
    /// Who works there.
    Team,
    /// Impressum, legal notice.
    Imprint,
    /// The company's feed of news.
    News,
    /// Its open positions.
    Jobs,
    /// A person's public profile.
    Profile,
    /// A person's public posts.
    Posts,
}

/// How far ahead a date of a text may be.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// A contact that may be read about at this source, for this purpose.
#[derive(Debug, Clone, Copy)]
pub struct Permitted<'a> {
    /// The contact.
    pub subject: &'a Subject,
    /// Whether traits, motives and preferences may be read as well.
    pub profiling: bool,
}

/// What a reading may use.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The company.
    pub account: &'a Account,
    /// Contacts of the company with leave for this source.
    pub contacts: &'a [Permitted<'a>],
    /// Everybody of the company in the CRM, with leave or without: none of them may be named in a quote.
    pub members: &'a [&'a Subject],
    /// Languages that are read; what is plainly in another one is left alone.
    pub languages: &'a [Language],
    /// The clock of the inference.
    pub as_of: Timestamp,
}

impl Context<'_> {
    /// The latest date that a text can have; a day's slack, since some write local time as UTC. What is later is a
    /// mistake, and would never grow old.
    pub(crate) fn latest(&self) -> Timestamp {
        self.as_of.checked_add(SLACK).unwrap_or(Timestamp::MAX)
    }
}

/// From which `as_of` on the first of these dates, all later than [`Context::latest`], is none of tomorrow any more.
pub(crate) fn due(dates: impl IntoIterator<Item = Timestamp>) -> Option<Timestamp> {
    dates.into_iter().min().map(|date| date.checked_sub(SLACK).unwrap_or(date))
}

/// The body of a page.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// Where it was found.
    pub url: &'a Url,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// One statement that was found, before it becomes a signal with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Who it is about.
    pub about: About,
    /// What it says.
    pub claim: Claim,
    /// Probability that it is right.
    pub weight: f64,
    /// Its words: gender-neutral, without the person's name.
    pub quote: String,
    /// Where it stands.
    pub locator: String,
    /// Who read it.
    pub extractor: String,
    /// When it was said, where the page tells; else it is as old as the fetch.
    #[serde(default)]
    pub said_at: Option<Timestamp>,
}

/// A page that another page leads to; it needs a permit of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// What it seems to be.
    pub kind: PageKind,
    /// Where it is.
    pub url: String,
}

/// What a source read from a page.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Statements about permitted contacts and the company.
    pub found: Vec<Found>,
    /// Where to go next.
    pub follow_ups: Vec<FollowUp>,
    /// Contacts for whom it could not be told whether the page is about them.
    pub uncertain: Vec<SubjectId>,
    /// People on the page who are none of ours; they were dropped.
    pub strangers: u32,
    /// Statements that touched a special category; they were dropped.
    pub withheld: u32,
    /// The page reserves its rights (typed reason); nothing was read.
    pub opted_out: Option<String>,
    /// What it reserves is the whole site: none of its pages is to be used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole_site: bool,
    /// The page could not be understood (typed reason).
    pub unreadable: Option<String>,
    /// From this `as_of` on, something else would be read of the same bytes; `None` = it stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_until: Option<Timestamp>,
}

/// What identity needs to know of a contact; owns the strings that [`Known`] borrows.
pub(crate) struct KnownContact<'a> {
    given: &'a str,
    family: &'a str,
    emails: Vec<&'a str>,
    domains: Vec<&'a str>,
    employer: Option<&'a str>,
    domain: Option<&'a str>,
    country: Option<&'a str>,
    handle: Option<&'a str>,
}

impl<'a> KnownContact<'a> {
    pub(crate) fn of(subject: &'a Subject, account: &'a Account, source: &str) -> Self {
        Self {
            given: subject.given_name.reveal(),
            family: subject.family_name.reveal(),
            emails: subject.emails.iter().map(|e| e.reveal().as_str()).collect(),
            domains: subject.emails.iter().filter_map(|e| Some(e.reveal().rsplit_once('@')?.1)).collect(),
            employer: account.id.as_ref().map(|_| account.name.as_str()),
            domain: account.domain.as_deref(),
            country: subject.country.as_deref().or(account.country.as_deref()),
            handle: subject.handles.iter().find(|(id, _)| id == source).map(|(_, handle)| handle.reveal().as_str()),
        }
    }

    pub(crate) fn known(&self) -> Known<'_> {
        Known {
            given_name: self.given,
            family_name: self.family,
            emails: &self.emails,
            email_domains: &self.domains,
            employer_name: self.employer,
            employer_domain: self.domain,
            country: self.country,
            handle: self.handle,
        }
    }
}

#[cfg(test)]
#[path = "profiles_blind_tests.rs"]
mod profiles_blind_tests;
