//! What each origin's robots.txt and tdmrep.json say, as far as they were fetched.
//!
//! Invariant: an origin (scheme, host, port) whose files were not asked, or not lately, is never allowed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;
use url::{Position, Url};

use super::reason::FailReason;
use super::robots::Robots;
use super::tdm::TdmRules;

const ROBOTS_PATH: &str = "/robots.txt";
const TDM_PATH: &str = "/.well-known/tdmrep.json";
const AI_PATH: &str = "/ai.txt";
/// How often a file may move (RFC 9309, 2.3.1.2).
const MAX_MOVES: usize = 5;

/// What the gate is told before it decides about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptOutVerdict {
    /// robots.txt or tdmrep.json were not fetched yet, or too long ago.
    NotAsked,
    /// Nothing forbids the page.
    Allow,
    /// robots.txt forbids it.
    RobotsDisallow {
        /// The line, for instance `Disallow: /private/`.
        rule: String,
    },
    /// robots.txt could not be had, which forbids everything.
    RobotsUnreachable,
    /// A TDM reservation forbids it.
    TdmReserved {
        /// For instance `tdmrep.json /`.
        place: String,
    },
    /// tdmrep.json exists but could not be had or understood, which forbids everything.
    TdmUnreachable,
}

/// Where an origin's robots.txt is.
#[must_use]
pub fn robots_url(url: &Url) -> Url {
    at_path(url, ROBOTS_PATH)
}

/// Where an origin's tdmrep.json is.
#[must_use]
pub fn tdm_url(url: &Url) -> Url {
    at_path(url, TDM_PATH)
}

/// Where an origin's ai.txt is.
#[must_use]
pub fn ai_url(url: &Url) -> Url {
    at_path(url, AI_PATH)
}

/// Scheme, host and port. Who puts credentials before the host has another origin, of which no file is known.
fn key(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

fn at_path(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// What a URL is to the fetcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Robots,
    Tdm,
    Ai,
    Page,
}

impl Role {
    /// The role of a URL that a host permit names; everything else is a page.
    pub(super) fn of(url: &Url) -> Self {
        match (url.path(), url.query()) {
            (ROBOTS_PATH, None) => Self::Robots,
            (TDM_PATH, None) => Self::Tdm,
            (AI_PATH, None) => Self::Ai,
            _ => Self::Page,
        }
    }
}

/// What is known of one file of an origin, and until when it holds.
#[derive(Debug, Default)]
enum File<T> {
    #[default]
    NotAsked,
    /// It could not be had or understood, which forbids everything.
    Unreadable(Instant),
    Rules(Instant, Arc<T>),
    /// It is the same file of another origin (from http to https, to `www.`).
    Moved(Instant, String),
}

#[derive(Debug, Default, Clone)]
struct Origin {
    robots: File<Robots>,
    tdm: File<TdmRules>,
    /// Read like a robots.txt; it only ever forbids.
    ai: File<Robots>,
}

impl<T> Clone for File<T> {
    fn clone(&self) -> Self {
        match self {
            Self::NotAsked => Self::NotAsked,
            Self::Unreadable(at) => Self::Unreadable(*at),
            Self::Rules(at, rules) => Self::Rules(*at, Arc::clone(rules)),
            Self::Moved(at, to) => Self::Moved(*at, to.clone()),
        }
    }
}

impl<T> File<T> {
    fn read(rules: Option<T>, until: Instant) -> Self {
        rules.map_or(Self::Unreadable(until), |rules| Self::Rules(until, Arc::new(rules)))
    }

    fn until(&self) -> Option<Instant> {
        match self {
            Self::NotAsked => None,
            Self::Unreadable(until) | Self::Rules(until, _) | Self::Moved(until, _) => Some(*until),
        }
    }

    fn is_fresh(&self) -> bool {
        self.until().is_some_and(|until| Instant::now() < until)
    }
}

/// The rules of all origins.
#[derive(Debug)]
pub(super) struct Rules {
    ttl: Duration,
    origins: RwLock<HashMap<String, Origin>>,
}

impl Rules {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, origins: RwLock::default() }
    }

    fn change(&self, url: &Url, change: impl FnOnce(&mut Origin)) {
        let mut origins = self.origins.write().unwrap_or_else(PoisonError::into_inner);
        change(origins.entry(key(url).to_owned()).or_default());
    }

    /// The file of `url`'s origin, where need be by way of the origins that it moved to.
    fn file<T>(&self, url: &Url, pick: fn(&Origin) -> &File<T>) -> File<T> {
        let origins = self.origins.read().unwrap_or_else(PoisonError::into_inner);
        let mut at = key(url);
        for _ in 0..=MAX_MOVES {
            match origins.get(at).map(pick).filter(|file| file.is_fresh()) {
                None => return File::NotAsked,
                Some(File::Moved(_, to)) => at = to,
                Some(file) => return file.clone(),
            }
        }
        File::Unreadable(Instant::now())
    }

    /// Until when something holds that was received so long ago.
    fn until(&self, age: Duration) -> Instant {
        Instant::now() + self.ttl.saturating_sub(age)
    }

    /// Notes an origin's robots.txt, received so long ago; `None` = complete disallow.
    pub(super) fn set_robots(&self, url: &Url, robots: Option<Robots>, age: Duration) {
        let until = self.until(age);
        self.change(url, |origin| origin.robots = File::read(robots, until));
    }

    /// Notes an origin's tdmrep.json, received so long ago; `None` = everything reserved.
    pub(super) fn set_tdm(&self, url: &Url, tdm: Option<TdmRules>, age: Duration) {
        let until = self.until(age);
        self.change(url, |origin| origin.tdm = File::read(tdm, until));
    }

    /// Notes that an origin's file redirects to `to`. Only the same file of another origin is taken for it;
    /// what is somewhere else counts as unreadable, because asking there is covered by no rule.
    pub(super) fn set_moved(&self, url: &Url, to: &Url, age: Duration) {
        let (until, same) = (self.until(age), Role::of(url) == Role::of(to) && key(url) != key(to));
        match Role::of(url) {
            Role::Robots if same => self.change(url, |origin| origin.robots = File::Moved(until, key(to).to_owned())),
            Role::Tdm if same => self.change(url, |origin| origin.tdm = File::Moved(until, key(to).to_owned())),
            Role::Ai if same => self.change(url, |origin| origin.ai = File::Moved(until, key(to).to_owned())),
            Role::Robots => self.set_robots(url, None, age),
            Role::Tdm => self.set_tdm(url, None, age),
            // It only ever forbids, so what cannot be read says nothing.
            Role::Ai => self.set_ai(url, Robots::default(), age),
            Role::Page => {}
        }
    }

    /// Notes an ai.txt, received so long ago.
    pub(super) fn set_ai(&self, url: &Url, rules: Robots, age: Duration) {
        let until = self.until(age);
        self.change(url, |origin| origin.ai = File::read(Some(rules), until));
    }

    /// Whether ai.txt, as far as it was read, lets `url` be read.
    pub(super) fn ai_allows(&self, url: &Url) -> bool {
        match self.file(url, |origin| &origin.ai) {
            File::Rules(_, rules) => rules.ask(url.as_str()).allowed,
            File::NotAsked | File::Unreadable(_) | File::Moved(..) => true,
        }
    }

    /// Whether a file of rules was known and holds no more.
    pub(super) fn has_lapsed(&self, file: &Url) -> bool {
        let origins = self.origins.read().unwrap_or_else(PoisonError::into_inner);
        let until = origins.get(key(file)).and_then(|origin| match Role::of(file) {
            Role::Robots => origin.robots.until(),
            Role::Tdm => origin.tdm.until(),
            Role::Ai => origin.ai.until(),
            Role::Page => None,
        });
        until.is_some_and(|until| until <= Instant::now())
    }

    /// The delay an origin asks for.
    pub(super) fn crawl_delay(&self, url: &Url) -> Option<Duration> {
        match self.file(url, |origin| &origin.robots) {
            File::Rules(_, robots) => robots.crawl_delay(),
            _ => None,
        }
    }

    /// What robots.txt says.
    pub(super) fn robots(&self, url: &Url) -> OptOutVerdict {
        match self.file(url, |origin| &origin.robots) {
            File::NotAsked | File::Moved(..) => OptOutVerdict::NotAsked,
            File::Unreadable(_) => OptOutVerdict::RobotsUnreachable,
            File::Rules(_, robots) => match robots.ask(url.as_str()) {
                answer if answer.allowed => OptOutVerdict::Allow,
                answer => OptOutVerdict::RobotsDisallow { rule: answer.rule.unwrap_or_else(|| answer.reason.into()) },
            },
        }
    }

    /// What tdmrep.json says.
    pub(super) fn tdm(&self, url: &Url) -> OptOutVerdict {
        match self.file(url, |origin| &origin.tdm) {
            File::NotAsked | File::Moved(..) => OptOutVerdict::NotAsked,
            File::Unreadable(_) => OptOutVerdict::TdmUnreachable,
            File::Rules(_, tdm) => match tdm.reserved_by(url.as_str()) {
                None => OptOutVerdict::Allow,
                Some(location) => OptOutVerdict::TdmReserved { place: format!("tdmrep.json {location}") },
            },
        }
    }

    /// Both files together; robots.txt first.
    pub(super) fn verdict(&self, url: &Url) -> OptOutVerdict {
        match self.robots(url) {
            OptOutVerdict::Allow => self.tdm(url),
            refused => refused,
        }
    }
}

impl OptOutVerdict {
    /// The word for the `robots` column.
    pub(super) fn robots_word(&self) -> String {
        match self {
            Self::NotAsked => "not_asked".into(),
            Self::RobotsDisallow { rule } => {
                format!("disallow: {}", rule.strip_prefix("Disallow: ").unwrap_or(rule))
            }
            Self::RobotsUnreachable => "unreachable".into(),
            _ => "allow".into(),
        }
    }

    /// The word for the `tdm` column.
    pub(super) fn tdm_word(&self) -> String {
        match self {
            Self::NotAsked => "not_asked".into(),
            Self::TdmReserved { place } => format!("reserved: {place}"),
            Self::TdmUnreachable => "unreachable".into(),
            _ => "none".into(),
        }
    }

    /// Why a fetch is refused, where it is. `not_asked` tells which file is missing.
    pub(super) const fn refusal(&self, not_asked: FailReason) -> Option<FailReason> {
        match self {
            Self::Allow => None,
            Self::NotAsked => Some(not_asked),
            Self::RobotsDisallow { .. } => Some(FailReason::RobotsDisallow),
            Self::RobotsUnreachable => Some(FailReason::RobotsUnreachable),
            Self::TdmReserved { .. } => Some(FailReason::TdmReserved),
            Self::TdmUnreachable => Some(FailReason::TdmUnreachable),
        }
    }
}
