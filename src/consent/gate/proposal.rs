//! What is put to the gate, and what comes back.
//!
//! Invariant: a proposal holds all that its permit will hold; grounds hold all that the decision was made from, beside
//! ledger and policy.

use jiff::Timestamp;

use crate::consent::decide::{OptOut, Refusal};
use crate::consent::permit::Permit;
use crate::model::{DecisionRow, Personal, SubjectId, Target};
use crate::taxonomy::Operation;

/// What the gate knows about a subject beside the ledger.
#[derive(Debug, Clone, Copy)]
pub struct SubjectFacts {
    /// First collection, the anchor of retention and notice.
    pub collected_at: Timestamp,
    /// Two records claim to be this person, or a row of the record could not be read.
    pub ambiguous: bool,
}

/// A proposal to fetch one URL.
#[derive(Debug, Clone)]
pub struct FetchProposal {
    /// Whom the page is about.
    pub target: Target,
    /// The registered source.
    pub source_id: String,
    /// The registered purpose.
    pub purpose: String,
    /// What to get.
    pub url: Personal<url::Url>,
    /// The account's own host, for sources without a list of hosts.
    pub account_host: Option<String>,
    /// What the host says about it.
    pub opt_out: OptOut,
    /// For subjects.
    pub facts: Option<SubjectFacts>,
}

/// A proposal to derive facets about one target from one source.
#[derive(Debug, Clone)]
pub struct InferProposal {
    /// Whom it is about.
    pub target: Target,
    /// `crm`, or a registered source.
    pub source_id: String,
    /// The registered purpose.
    pub purpose: String,
    /// `Infer`, or `Profile` for traits of a person.
    pub operation: Operation,
    /// For subjects.
    pub facts: Option<SubjectFacts>,
}

/// A proposal to write, or to read, one subject's persona.
#[derive(Debug, Clone)]
pub struct EmitProposal {
    /// Whose persona.
    pub subject: SubjectId,
    /// The registered purpose.
    pub purpose: String,
    /// What is known about the subject.
    pub facts: SubjectFacts,
}

/// What the gate was told and what it leaned on, for the audit log: with it a decision can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grounds {
    /// First collection.
    pub collected_at: Option<Timestamp>,
    /// Two records claimed to be this person.
    pub ambiguous: bool,
    /// What was to be fetched.
    pub url: Option<Personal<String>>,
    /// What the host said about it.
    pub opt_out: Option<OptOut>,
    /// The account's own host.
    pub account_host: Option<String>,
    /// When what was to be read was last known to be so.
    pub evidence_at: Option<Timestamp>,
    /// Data categories that were asked for in particular; empty = all those of the purpose.
    pub categories: Vec<String>,
    /// Entries of the ledger that a permit rests on.
    pub entries: Vec<u64>,
    /// LIA and DPIA that a permit rests on, by their ids in the policy.
    pub assessments: Vec<String>,
    /// Who receives what is emitted.
    pub recipients: Vec<String>,
    /// End of retention, for people.
    pub retain_until: Option<Timestamp>,
    /// The last entry of the ledger that the gate knew.
    pub ledger: u64,
    /// The last import of consents that the gate knew.
    pub last_sync: Option<Timestamp>,
    /// The newest instant of any import that the gate knew; `None` where its clock stands still on purpose.
    pub newest: Option<Timestamp>,
}

/// A decision: its row, and the permit or the refusal.
#[derive(Debug)]
pub struct Decided<Op> {
    /// What goes into the `decisions` table.
    pub row: DecisionRow,
    /// What goes into the audit log beside it.
    pub grounds: Grounds,
    /// The permit, or why not.
    pub outcome: Result<Permit<Op>, Refusal>,
}
