//! The things that flow through the line: subjects, accounts, signals and their evidence.
//!
//! Invariant: personal data sits in [`Personal`], which neither `Debug` nor `Display` reveals.

mod id;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use id::{AccountId, DecisionId, DocumentId, PermitId, RunId, SignalId, SubjectId};

use crate::taxonomy::{
    BuyingRole, Channel, JobFunction, Language, Motive, Operation, Point, PurchasePhase, Seniority, SigningPower,
    SourceClass, Trait,
};

/// A value about a person: usable by those who ask for it by name, invisible in logs and errors.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Wraps a value about a person.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; the name of the call is what a reviewer searches for.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

impl<T> fmt::Display for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

/// A contact of the CRM, as the connectors hand it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its id in every table.
    pub id: SubjectId,
    /// The CRM's own record id (the first one, where records were merged).
    pub crm_record: String,
    /// The company, where the CRM knows it.
    pub account: Option<AccountId>,
    /// Given and family name, without titles such as "Dr.".
    pub given_name: Personal<String>,
    /// Family name.
    pub family_name: Personal<String>,
    /// All e-mail addresses, lower case, first = primary.
    pub emails: Vec<Personal<String>>,
    /// The job title as the CRM has it.
    pub job_title: Option<Personal<String>>,
    /// Public handles by source id, for instance `github` -> login.
    pub handles: Vec<(String, Personal<String>)>,
    /// The language of correspondence.
    pub language: Option<Language>,
    /// ISO 3166-1 alpha-2 of the person's place of work.
    pub country: Option<String>,
    /// When the CRM record was last changed; the age of the CRM title.
    pub updated_at: Option<Timestamp>,
    /// First collection, the anchor of retention.
    pub collected_at: Timestamp,
}

/// A company of the CRM.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// Its id in every table; `None` only for the group of contacts without a company.
    pub id: Option<AccountId>,
    /// The CRM's own record id.
    pub crm_record: String,
    /// Name with legal form.
    pub name: String,
    /// Registrable host of its site, lower case, for instance `muster-maschinen.example`.
    pub domain: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Industry in the CRM's words.
    pub industry: Option<String>,
    /// NACE Rev. 2 code, where the CRM has it.
    pub nace: Option<String>,
    /// Head count.
    pub employees: Option<u32>,
    /// Yearly revenue in EUR.
    pub revenue_eur: Option<f64>,
    /// Legal form in its short spelling (`GmbH`, `AG`, `Ltd`).
    pub legal_form: Option<String>,
    /// Year of foundation.
    pub founded: Option<u16>,
}

/// What a signal says, about whom is in [`Signal`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Claim {
    /// The job is about this.
    JobFunction(JobFunction),
    /// The job stands this high.
    Seniority(Seniority),
    /// The person may sign.
    SigningPower(SigningPower),
    /// The person has (+1) or has not (-1) this role; stated, not derived from a title.
    BuyingRole(BuyingRole, i8),
    /// Polarity -1 = left pole, +1 = right pole.
    Trait(Trait, i8),
    /// What moves the person.
    Motive(Motive),
    /// A goal, a requirement, a pain, a gain or a habit that was stated.
    Point(Point),
    /// How the person likes to be reached in a phase of a purchase.
    Channel(Option<PurchasePhase>, Channel),
    /// A fact about the company: field of the `accounts` table, value.
    Firmographic(String, String),
}

impl Claim {
    /// The facet that the claim feeds, as it stands in the `evidence` table.
    #[must_use]
    pub fn facet(&self) -> String {
        match self {
            Self::JobFunction(_) => "job_function".into(),
            Self::Seniority(_) => "seniority".into(),
            Self::SigningPower(_) => "signing_power".into(),
            Self::BuyingRole(role, _) => format!("buying_role.{role}"),
            Self::Trait(t, _) => format!("trait.{t}"),
            Self::Motive(_) => "motive".into(),
            Self::Point(p) => p.kind().to_string(),
            Self::Channel(Some(phase), _) => format!("channel.{phase}"),
            Self::Channel(None, _) => "channel".into(),
            Self::Firmographic(field, _) => format!("account.{field}"),
        }
    }

    /// Whether it is about a person's wishes, habits or character, which need leave to profile.
    #[must_use]
    pub const fn is_profile(&self) -> bool {
        matches!(self, Self::Trait(..) | Self::Motive(_) | Self::Point(_) | Self::Channel(..))
    }

    /// The claimed value, as it stands in the `evidence` table.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::JobFunction(v) => v.to_string(),
            Self::Seniority(v) => v.to_string(),
            Self::SigningPower(v) => v.to_string(),
            Self::BuyingRole(_, s) | Self::Trait(_, s) => if *s < 0 { "-" } else { "+" }.into(),
            Self::Motive(v) => v.to_string(),
            Self::Channel(_, v) => v.to_string(),
            Self::Point(p) => p.term().into(),
            Self::Firmographic(_, v) => v.clone(),
        }
    }
}

/// Who a signal is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum About {
    /// A person, and their company where known.
    Subject(SubjectId, Option<AccountId>),
    /// A company.
    Account(AccountId),
}

/// Where a signal comes from. Every signal has one; none can be made without a permit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// `crm`, or the id of a registered source.
    pub source_id: String,
    /// Its class.
    pub source_class: SourceClass,
    /// Host of the page; `None` for CRM rows. Never a path: it may name a person.
    pub host: Option<String>,
    /// The fetch; `None` for CRM rows.
    pub document: Option<DocumentId>,
    /// Keyed hash of the body (`hmac-sha256:` + hex), or of the CRM row.
    pub content_hash: String,
    /// When it was seen, on the run's clock.
    pub observed_at: Timestamp,
    /// The words it rests on: scrubbed, gender-neutral, at most 300 characters, without the person's name.
    pub quote: String,
    /// Where in the document, for instance `json-ld[0].employee[2].jobTitle` or `column title`.
    pub locator: String,
    /// Extractor and its version, `title/1`.
    pub extractor: String,
    /// The permit that covers it.
    pub permit: PermitId,
}

/// One claim about one person or company, with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Keyed id, stable over runs.
    pub id: SignalId,
    /// Who it is about.
    pub about: About,
    /// What it says.
    pub claim: Claim,
    /// Probability in (0, 1) that the claim is right, taking the evidence alone.
    pub weight: f64,
    /// Where it comes from.
    pub evidence: Evidence,
}

/// Whom a decision of the gate concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Target {
    /// A person (and their company, where known).
    Subject(SubjectId, Option<AccountId>),
    /// A company.
    Account(AccountId),
    /// A host, for its robots.txt and opt-outs.
    Host(String),
}

impl Target {
    /// `subject`, `account` or `host`, as it stands in the `decisions` table.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Subject(..) => "subject",
            Self::Account(_) => "account",
            Self::Host(_) => "host",
        }
    }

    /// The person, where it is one.
    #[must_use]
    pub const fn subject(&self) -> Option<&SubjectId> {
        match self {
            Self::Subject(id, _) => Some(id),
            Self::Account(_) | Self::Host(_) => None,
        }
    }
}

/// A row of the `decisions` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRow {
    /// Keyed id.
    pub decision_id: DecisionId,
    /// `None` where refused.
    pub permit_id: Option<PermitId>,
    /// Whom it concerns.
    pub target: Target,
    /// The registered purpose that was asked for.
    pub purpose: String,
    /// What was to be done.
    pub operation: Operation,
    /// The source that was to be asked.
    pub source_id: String,
    /// First failing check, `None` where permitted.
    pub primary_reason: Option<String>,
    /// All failing checks (or, where permitted, the bases), in the order of the checks.
    pub reasons: Vec<String>,
    /// When, on the gate's clock.
    pub decided_at: Timestamp,
    /// Until when a permit holds.
    pub valid_until: Option<Timestamp>,
    /// Until when what a permit rests on holds, if nothing new is said; it may be granted again until then;
    /// `None` where refused, and where nothing ends.
    #[serde(default)]
    pub holds_until: Option<Timestamp>,
}

/// A row of the `documents` table: one used fetch permit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// Keyed id.
    pub document_id: DocumentId,
    /// The permit that was used.
    pub permit_id: PermitId,
    /// `fetched`, `failed` or `abandoned`.
    pub outcome: String,
    /// Why it is not `fetched`, a typed reason such as `http_status`, `timeout`, `tdm_reserved`.
    pub reason: Option<String>,
    /// The registered source.
    pub source_id: String,
    /// Host that was asked.
    pub host: String,
    /// HTTP status, where one came.
    pub status: Option<u16>,
    /// Bytes of the body as received.
    pub bytes: u64,
    /// Keyed hash of the body, `hmac-sha256:` + hex.
    pub hash: Option<String>,
    /// `miss`, `hit`, `revalidated`, `none`.
    pub cache: String,
    /// `allow`, `disallow: <rule>`, `unreachable`, `not_asked`.
    pub robots: String,
    /// `none`, `reserved: <where>`, `not_asked`.
    pub tdm: String,
    /// How many requests it took.
    pub attempts: u32,
    /// Wall clock of the first request.
    pub started_at: Timestamp,
    /// Wall clock of the end.
    pub finished_at: Timestamp,
}

impl DocumentRow {
    /// Whether a server said that what was asked for had not changed.
    #[must_use]
    pub fn is_not_modified(&self) -> bool {
        self.cache == "revalidated"
    }
}

/// A row of the `dead_letters` table: what could not be processed, without its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeadLetter {
    /// `crm`, `plan`, `fetch`, `read`, `fuse`.
    pub stage: String,
    /// A stable word such as `unknown_legal_basis`.
    pub reason: String,
    /// What to do, without personal data: file, line, field.
    pub detail: String,
    /// Keyed commitment to the row (`hmac-sha256:` + hex).
    pub row_commitment: String,
    /// The subject, where the row could be tied to one.
    pub subject_id: Option<SubjectId>,
}

/// The clock of a run: the instant that inference and, in demo and replay, the gate take as now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf(pub Timestamp);

impl AsOf {
    /// The calendar day in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        jiff::tz::Offset::UTC.to_datetime(self.0).date()
    }
}
