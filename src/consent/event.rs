//! Legal events: what was granted, refused, withdrawn, objected to, restricted, notified, and on what proof.
//!
//! Invariant: an event is a fact with its origin; it is never changed, and nothing here guesses. A basis other
//! than Art. 6(1)(a) or 6(1)(f) cannot be expressed.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use super::proof::Proof;
use super::shared::Shared;
use crate::model::SubjectId;
use crate::taxonomy::{Operation, SourceClass};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A basis came into being.
    Grant,
    /// Asked and said no.
    Refuse,
    /// Took a consent back.
    Withdraw,
    /// Art. 21.
    Object,
    /// Art. 18.
    Restrict,
    /// Ends a restriction, or, with the purposes that it names, a pending objection to these.
    Lift,
    /// Art. 17.
    Erase,
    /// Art. 13 or 14 information was given.
    Notice,
    /// An assessment was made.
    Assessment,
    /// Art. 16.
    Rectify,
}

impl EventKind {
    /// Reads the spelling of files and exports, case-insensitively.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "grant" => Self::Grant,
            "refuse" => Self::Refuse,
            "withdraw" => Self::Withdraw,
            "object" => Self::Object,
            "restrict" => Self::Restrict,
            "lift" => Self::Lift,
            "erase" => Self::Erase,
            "notice" => Self::Notice,
            "assessment" => Self::Assessment,
            "rectify" => Self::Rectify,
            _ => return None,
        })
    }

    /// Whether the event can only take away.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        matches!(self, Self::Refuse | Self::Withdraw | Self::Object | Self::Restrict | Self::Erase)
    }
}

/// A lawful basis that the product knows. Anything else is refused at import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LawfulBasis {
    /// Art. 6(1)(a) GDPR.
    Consent,
    /// Art. 6(1)(f) GDPR.
    LegitimateInterest,
}

impl LawfulBasis {
    /// The article, as it stands in tables.
    #[must_use]
    pub const fn article(self) -> &'static str {
        match self {
            Self::Consent => "6(1)(a)",
            Self::LegitimateInterest => "6(1)(f)",
        }
    }

    /// Reads exact spellings only: an unknown string must fail closed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "6(1)(a)" | "Art. 6(1)(a)" | "consent" => Some(Self::Consent),
            "6(1)(f)" | "Art. 6(1)(f)" | "legitimate_interest" => Some(Self::LegitimateInterest),
            _ => None,
        }
    }
}

/// What an event covers. In a negative event an empty dimension means everything. In a grant it means nothing, but for
/// operations, where it means those of its purposes. A lift ends what it names: without purposes a restriction, never an
/// objection; with purposes objections to these, never a restriction; its other empty dimensions mean everything. A
/// notice covers the purposes that it names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Registered purposes.
    pub purposes: BTreeSet<String>,
    /// Operations; in a grant an empty set means those of its purposes.
    pub operations: BTreeSet<Operation>,
    /// Source classes.
    pub source_classes: BTreeSet<SourceClass>,
    /// Data categories of the policy; in a grant an empty set means those of its purposes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub data_categories: BTreeSet<String>,
    /// Recipients of the policy; in a grant an empty set means those of its purposes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub recipients: BTreeSet<String>,
    /// Regions of recipients; in a grant an empty set means those of its recipients.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<String>,
}

/// Where an event was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The CRM's name in the pipeline.
    pub system: String,
    /// `consents`, or the flag's field.
    pub field: String,
    /// Keyed commitment to the raw value, where an importer read one: proves what was there, reveals nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_commitment: Option<String>,
}

impl Origin {
    /// The `system` of events that the controller enters in the home itself. No CRM may be called so.
    pub const CONTROLLER: &str = "prosopon";

    /// What an importer read: never the controller's, however the CRM is called.
    #[must_use]
    pub fn imported(system: &str, field: &str, value_commitment: Option<String>) -> Self {
        let system = if system == Self::CONTROLLER { format!("crm {system}") } else { system.to_owned() };
        Self { system, field: field.to_owned(), value_commitment }
    }

    /// Whether the controller entered the event in the home.
    #[must_use]
    pub fn is_controller(&self) -> bool {
        self.system == Self::CONTROLLER
    }
}

/// One legal event about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalEvent {
    /// The source's own id of it, where it has one.
    pub external_id: Option<String>,
    /// Whom it concerns.
    pub subject: SubjectId,
    /// What happened.
    pub kind: EventKind,
    /// On what basis, for grants.
    pub basis: Option<LawfulBasis>,
    /// What it covers.
    pub scope: Shared<Scope>,
    /// From when on it holds.
    pub valid_from: Option<Timestamp>,
    /// Until when it holds.
    pub valid_to: Option<Timestamp>,
    /// When the source wrote it down.
    pub recorded_at: Timestamp,
    /// Its proof.
    pub proof: Shared<Proof>,
    /// Where it was read.
    pub origin: Shared<Origin>,
    /// The `external_id` of the event of the same system that this one replaces: a superseded grant, lift or notice
    /// gives nothing any more; a superseded negative event still counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
}

/// Whether a time is the first instant of a day in UTC, as which a date without a time is read. CRMs write days so, too.
pub(in crate::consent) fn is_day(at: Timestamp) -> bool {
    at.as_second().rem_euclid(86_400) == 0 && at.subsec_nanosecond() == 0
}

/// The last instant of the day that begins then.
pub(in crate::consent) fn last_of_day(begin: Timestamp) -> Timestamp {
    begin.checked_add(SignedDuration::new(86_399, 999_999_999)).unwrap_or(Timestamp::MAX)
}

impl LegalEvent {
    /// SHA-256 of the canonical JSON: the same fact has the same digest, whenever and in whatever order it is
    /// imported.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let canonical = serde_json::to_vec(self).expect("an event has only string keys");
        Sha256::digest(canonical).into()
    }

    /// When it took effect: the begin of its validity, else when it was written down.
    #[must_use]
    pub fn effective_at(&self) -> Timestamp {
        self.valid_from.unwrap_or(self.recorded_at)
    }

    /// The last instant at which a no may have been said: of one that is dated by day, that of the day. It holds from its first instant
    /// on, and nobody knows which yes of that day it came after.
    #[must_use]
    pub fn said_by(&self) -> Timestamp {
        let last = |at| if is_day(at) { last_of_day(at) } else { at };
        last(self.effective_at()).max(last(self.recorded_at))
    }
}
