//! What each origin's robots.txt and tdmrep.json say, as far as they were fetched.
//!
//! Invariant: an origin (scheme, host, port) whose files were not asked, or not lately, is never allowed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::outcome::FailReason;
use super::robots::Robots;
use super::tdm::TdmRules;

const ROBOTS_PATH: &str = "/robots.txt";
const TDM_PATH: &str = "/.well-known/tdmrep.json";

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
    Page,
}

impl Role {
    /// The role of a URL that a host permit names; everything else is a page.
    pub(super) fn of(url: &Url) -> Self {
        match (url.path(), url.query()) {
            (ROBOTS_PATH, None) => Self::Robots,
            (TDM_PATH, None) => Self::Tdm,
            _ => Self::Page,
        }
    }
}

/// One file of an origin; `None` inside = it could not be had, which forbids.
type Known<T> = Option<(Instant, Option<Arc<T>>)>;

#[derive(Debug, Default, Clone)]
struct Origin {
    robots: Known<Robots>,
    tdm: Known<TdmRules>,
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

    fn origin(&self, url: &Url) -> Origin {
        let origins = self.origins.read().unwrap_or_else(PoisonError::into_inner);
        origins.get(&url.origin().ascii_serialization()).cloned().unwrap_or_default()
    }

    fn change(&self, url: &Url, change: impl FnOnce(&mut Origin)) {
        let mut origins = self.origins.write().unwrap_or_else(PoisonError::into_inner);
        change(origins.entry(url.origin().ascii_serialization()).or_default());
    }

    fn fresh<T>(&self, known: Known<T>) -> Option<Option<Arc<T>>> {
        known.filter(|(at, _)| at.elapsed() < self.ttl).map(|(_, rules)| rules)
    }

    /// Notes an origin's robots.txt; `None` = complete disallow.
    pub(super) fn set_robots(&self, url: &Url, robots: Option<Robots>) {
        self.change(url, |origin| origin.robots = Some((Instant::now(), robots.map(Arc::new))));
    }

    /// Notes an origin's tdmrep.json; `None` = everything reserved.
    pub(super) fn set_tdm(&self, url: &Url, tdm: Option<TdmRules>) {
        self.change(url, |origin| origin.tdm = Some((Instant::now(), tdm.map(Arc::new))));
    }

    /// The delay an origin asks for.
    pub(super) fn crawl_delay(&self, url: &Url) -> Option<Duration> {
        self.origin(url).robots.and_then(|(_, robots)| robots)?.crawl_delay()
    }

    /// What robots.txt says, as (word for the table, refusal).
    pub(super) fn robots(&self, url: &Url) -> OptOutVerdict {
        match self.fresh(self.origin(url).robots) {
            None => OptOutVerdict::NotAsked,
            Some(None) => OptOutVerdict::RobotsUnreachable,
            Some(Some(robots)) => match robots.ask(url.as_str()) {
                answer if answer.allowed => OptOutVerdict::Allow,
                answer => OptOutVerdict::RobotsDisallow { rule: answer.rule.unwrap_or_default() },
            },
        }
    }

    /// What tdmrep.json says.
    pub(super) fn tdm(&self, url: &Url) -> OptOutVerdict {
        match self.fresh(self.origin(url).tdm) {
            None => OptOutVerdict::NotAsked,
            Some(None) => OptOutVerdict::TdmUnreachable,
            Some(Some(tdm)) => match tdm.reserved_by(url.as_str()) {
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
