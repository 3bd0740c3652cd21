//! What becomes of a permit: a page, a redirect, a failure or an abandonment, with the facts for the tables.
//!
//! Invariant: only the fetcher makes a [`Page`]; a page owns the permit that covers it and cannot be copied.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

use super::policy;
use super::reason::{AbandonReason, FailReason};
use super::validators::Validators;
use crate::consent::permit::{Fetch, Permit};
use crate::model::PermitId;

/// The end of one permit.
#[derive(Debug)]
pub struct Fetched {
    /// What came of it.
    pub outcome: Outcome,
    /// For the `documents` table.
    pub facts: FetchFacts,
}

/// What is known of robots.txt, tdmrep.json or ai.txt of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostFile<'a> {
    /// Its text; empty where there is none.
    Text(&'a [u8]),
    /// It could not be had, which forbids everything.
    Unreachable,
    /// It is elsewhere.
    Moved(Url),
}

/// What came of a fetch.
pub enum Outcome {
    /// A body that may be read.
    Page(Box<Page>),
    /// The page is in the state in which it was read before, and still may be read.
    Unchanged(Box<Unchanged>),
    /// The server points elsewhere; going there takes a new proposal. `to` may name a person.
    Redirect {
        /// What was asked.
        from: Url,
        /// Where it points, already checked by the URL guard.
        to: Url,
    },
    /// It was refused or it failed; asking again in this run is pointless.
    Failed {
        /// Why.
        reason: FailReason,
    },
    /// It was given up for want of time or budget; another run may ask again.
    Abandoned {
        /// Why.
        reason: AbandonReason,
    },
}

impl std::fmt::Debug for Outcome {
    /// Hosts only: a path may name a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Page(page) => f.debug_tuple("Page").field(page).finish(),
            Self::Unchanged(unchanged) => f.debug_tuple("Unchanged").field(unchanged).finish(),
            Self::Redirect { from, to } => {
                f.debug_struct("Redirect").field("from", &from.host_str()).field("to", &to.host_str()).finish()
            }
            Self::Failed { reason } => f.debug_struct("Failed").field("reason", reason).finish(),
            Self::Abandoned { reason } => f.debug_struct("Abandoned").field("reason", reason).finish(),
        }
    }
}

impl FetchFacts {
    /// The facts of a permit for which nothing was done yet.
    pub(super) fn of(permit: &Permit<Fetch>, now: Timestamp) -> Self {
        Self {
            permit_id: permit.id().clone(),
            source_id: permit.op().source_id.clone(),
            host: permit.op().url.reveal().host_str().unwrap_or_default().to_owned(),
            status: None,
            bytes: 0,
            attempts: 0,
            robots: "not_asked".into(),
            tdm: "not_asked".into(),
            cache: "none",
            age: Duration::ZERO,
            waited: Duration::ZERO,
            taped_end: None,
            // Cassettes know milliseconds.
            started_at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
            finished_at: now,
        }
    }
}

/// What the `documents` table tells of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFacts {
    /// The permit that was used up.
    pub permit_id: PermitId,
    /// The registered source that it names.
    pub source_id: String,
    /// Host of the URL; empty where it has none.
    pub host: String,
    /// Of the last answer.
    pub status: Option<u16>,
    /// Bytes of the last body as received, also of a discarded one.
    pub bytes: u64,
    /// Requests that were sent.
    pub attempts: u32,
    /// `allow`, `disallow: <rule>`, `unreachable`, `not_asked`.
    pub robots: String,
    /// `none`, `reserved: <where>`, `unreachable`, `not_asked`.
    pub tdm: String,
    /// `hit`, `revalidated`, `miss`, or `none` where nothing is cached.
    pub cache: &'static str,
    /// How long ago the answer was received or last confirmed, where it came from the cache.
    pub age: Duration,
    /// When the exchange ended that was replayed.
    pub(super) taped_end: Option<Timestamp>,
    /// Waited for turns.
    pub waited: Duration,
    /// When the permit was given up, by the wall clock.
    pub started_at: Timestamp,
    /// The end, by the wall clock.
    pub finished_at: Timestamp,
}

/// A body that may be read, with the permit that covers it.
///
/// Only the fetcher makes one. It cannot be made from parts, from nothing, or from a file:
///
/// ```compile_fail,E0451
/// use prosopon::consent::permit::{Fetch, Permit};
/// use prosopon::fetch::Page;
///
/// fn forge(permit: Permit<Fetch>, old: Page) -> Page {
///     Page { permit, ..old }
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn blank<T: Default>() -> T {
///     T::default()
/// }
///
/// let page = blank::<prosopon::fetch::Page>();
/// ```
///
/// ```compile_fail,E0277
/// fn revive(text: &str) -> prosopon::fetch::Page {
///     serde_json::from_str(text).expect("a page")
/// }
/// ```
///
/// It cannot be copied, and its permit cannot be taken out and used again:
///
/// ```compile_fail,E0599
/// fn double(page: prosopon::fetch::Page) -> (prosopon::fetch::Page, prosopon::fetch::Page) {
///     (page.clone(), page)
/// }
/// ```
///
/// ```compile_fail,E0616
/// use prosopon::consent::permit::{Fetch, Permit};
///
/// fn recover(page: prosopon::fetch::Page) -> Permit<Fetch> {
///     page.permit
/// }
/// ```
///
/// ```compile_fail,E0507
/// use prosopon::consent::permit::{Fetch, Permit};
///
/// fn recover(page: prosopon::fetch::Page) -> Permit<Fetch> {
///     *page.permit()
/// }
/// ```
#[derive(Debug)]
pub struct Page {
    pub(super) permit: Permit<Fetch>,
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) charset: Option<String>,
    pub(super) body: Body,
    pub(super) fetched_at: Timestamp,
    pub(super) nofollow: bool,
    pub(super) noarchive: bool,
    pub(super) validators: Option<Validators>,
}

/// A page that did not change since it was read, with the permit under which it was asked.
#[derive(Debug)]
pub struct Unchanged {
    pub(super) permit: Permit<Fetch>,
    pub(super) nofollow: bool,
    pub(super) may_stay: bool,
}

impl Unchanged {
    /// The permit that covers it.
    #[must_use]
    pub const fn permit(&self) -> &Permit<Fetch> {
        &self.permit
    }

    /// No link of the page may be followed any more.
    #[must_use]
    pub const fn nofollow(&self) -> bool {
        self.nofollow
    }

    /// What was kept of the page may go on to be kept.
    #[must_use]
    pub const fn may_stay(&self) -> bool {
        self.may_stay
    }
}

/// Bytes that show their length only.
pub(super) struct Body(pub(super) Bytes);

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl Page {
    /// The permit that covers the page.
    #[must_use]
    pub const fn permit(&self) -> &Permit<Fetch> {
        &self.permit
    }

    /// What was asked. Personal: a path may name a person.
    #[must_use]
    pub const fn url(&self) -> &Url {
        self.permit.op().url.reveal()
    }

    /// HTTP status, 200 or 203.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Media type without parameters, lower case; sniffed where the server names none.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Charset by byte order mark or header, as a label; `None` leaves it to the reader (meta, then guess).
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }

    /// The body as received.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body.0
    }

    /// When the body was complete, by the wall clock.
    #[must_use]
    pub const fn fetched_at(&self) -> Timestamp {
        self.fetched_at
    }

    /// No link of the page may be followed.
    #[must_use]
    pub const fn nofollow(&self) -> bool {
        self.nofollow
    }

    /// In which state it is; `None` = its server does not say, or nothing of it may be kept. Looks through the body for
    /// tags that forbid it.
    #[must_use]
    pub fn validators(&self) -> Option<&Validators> {
        self.validators.as_ref().filter(|_| !self.noarchive && !policy::tags_forbid_keeping(&self.body.0))
    }

    /// The page may be read but not cached.
    #[must_use]
    pub const fn noarchive(&self) -> bool {
        self.noarchive
    }
}
