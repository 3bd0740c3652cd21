//! What the decision is asked, what it is shown, and what it answers.
//!
//! Invariant: everything that a decision depends on is in here or in the policy; nothing is fetched from elsewhere.

use jiff::Timestamp;

use crate::consent::event::LegalEvent;
use crate::consent::reason::Reason;
use crate::model::Target;
use crate::taxonomy::{Operation, Trait};

/// What robots.txt and the reservations of rights say about a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// Not a page, or the question itself.
    NotApplicable,
    /// Asked, and free.
    Free,
    /// Forbidden, unreachable or not asked.
    RobotsDisallow,
    /// Reserved.
    TdmReserved,
}

/// What kind of material is to be worked on; anything but text is refused (AI Act, Art. 5 and Annex III).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Modality {
    /// Words.
    #[default]
    Text,
    /// Pictures.
    Image,
    /// Sound and voice.
    Audio,
    /// Moving pictures.
    Video,
    /// Faces, fingers, voices, gaits.
    Biometric,
}

/// The particulars of a request. The default asks for all data categories of the purpose, and for no trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked<'a> {
    /// Data categories; empty = all those of the purpose.
    pub data_categories: &'a [&'a str],
    /// The kind of material.
    pub modality: Modality,
    /// When what is to be read was last known to be so. Where a purpose limits the age of evidence, deriving, inferring
    /// and profiling need it.
    pub evidence_at: Option<Timestamp>,
    /// The traits that are to be read, where they are to rest on legitimate interest; empty = on consent alone.
    pub traits: &'a [Trait],
    /// Hash of extractors and lexicons, for a DPIA that names the models it approves.
    pub model: Option<&'a str>,
}

impl Asked<'static> {
    /// What reading about a person asks for: the job; traits, motives and preferences where it profiles. The model is
    /// named, for a DPIA may name those that it approves.
    #[must_use]
    pub fn of_person(operation: Operation, evidence_at: Option<Timestamp>) -> Self {
        let data_categories: &[&str] = match operation {
            Operation::Profile => &["traits", "motives", "preferences"],
            _ => &["job"],
        };
        Self { data_categories, evidence_at, model: Some(crate::audit::model_hash()), ..Self::default() }
    }
}

/// What is asked. The recipients are those of the purpose in the policy.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whom it concerns.
    pub target: &'a Target,
    /// What is to be done.
    pub operation: Operation,
    /// For what.
    pub purpose: &'a str,
    /// From which source.
    pub source_id: &'a str,
    /// The host that would be asked.
    pub host: Option<&'a str>,
    /// The host of the account, for sources without a list of their own.
    pub account_host: Option<&'a str>,
    /// What the host says.
    pub opt_out: OptOut,
    /// First collection of the subject's data.
    pub collected_at: Option<Timestamp>,
    /// The particulars.
    pub asked: Asked<'a>,
}

/// What the ledger knows about the target.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Its events; `None` = the ledger never heard of the subject.
    pub events: Option<&'a [LegalEvent]>,
    /// Two records claim to be this person.
    pub ambiguous: bool,
    /// The ledger matches its checkpoint.
    pub intact: bool,
    /// The last import of consents.
    pub last_sync: Option<Timestamp>,
    /// The newest instant that the ledger's imports have seen.
    pub newest: Option<Timestamp>,
}

/// What the holder of a permit must see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Tell the person by then (Art. 14).
    GiveNoticeBy(Timestamp),
    /// Disclose nothing before the person was told (Art. 14(3)(c)).
    NoDisclosureBeforeNotice,
    /// Erase at this instant (Art. 5(1)(e)).
    RetainUntil(Timestamp),
}

/// A permit in substance, before it is minted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Articles, or `not_personal`.
    pub bases: Vec<String>,
    /// The end.
    pub valid_until: Timestamp,
    /// Until when all that it rests on holds, if nothing new is said and consents are imported as they must be.
    pub holds_until: Timestamp,
    /// End of retention, for subjects.
    pub retain_until: Timestamp,
    /// `not_required`, `given` or `pending`.
    pub notice_status: &'static str,
    /// What the holder must see to; empty for companies and hosts.
    pub duties: Vec<Duty>,
}

/// A refusal with all its reasons, the first being the primary one. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In the order of the checks, each once.
    pub reasons: Vec<Reason>,
}
