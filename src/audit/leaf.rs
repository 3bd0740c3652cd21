//! An entry of the audit log: one leaf per subject (or company, or host) and stage, with all its decisions.
//!
//! Invariant: a leaf names a person by the month's tag of their key only, and permits and events about them by blinded
//! ids; who and what exactly lies in the payload, sealed under the same key, to which the leaf commits.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::consent::rules::Rules;
use crate::taxonomy::Operation;

/// How entries call the program that made their decisions: its version, and the rules of its gate.
pub(crate) fn code() -> String {
    format!("{}+rules.{}", env!("CARGO_PKG_VERSION"), Rules::TODAY.number())
}

/// The rules by which the decisions of an entry were made; before they were counted, they were the first ones.
pub(super) fn rules_of(leaf: &Leaf) -> Rules {
    let number = leaf.code.as_deref().and_then(|code| code.rsplit_once("+rules.")?.1.parse().ok());
    number.map_or(Rules::FIRST, Rules::numbered)
}

/// The format of leaves that this version writes.
pub const VERSION: u32 = 1;

/// What an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The log begins.
    Genesis,
    /// Decisions of the gate, before anything is done on them.
    Decide,
    /// What came of a batch of permits: counts.
    Outcome,
    /// A snapshot is about to be published: keyed hashes of its tables.
    Publish,
    /// Snapshots are about to be rewritten (erasure, rectification, a late objection): keyed hashes of the new tables.
    Rewrite,
    /// Legal events entered the ledger: how many, and up to which entry.
    Legal,
    /// Somebody reads personas: the decisions about it.
    Read,
    /// A right of a data subject is being served: which one.
    Right,
    /// A person is about to be erased.
    Erase,
    /// Retention is being enforced: how many.
    Sweep,
    /// Keys were rotated: the new key's id.
    Keys,
    /// A policy is applied for the first time: its hash.
    Policy,
}

/// The part of the line that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before a contact is worked on.
    Plan,
    /// Before a request is sent.
    Fetch,
    /// Before what was read is kept.
    Commit,
    /// Before a snapshot becomes visible.
    Publish,
    /// Before a persona is shown or handed out.
    Read,
    /// Before a right is served.
    Rights,
}

/// One decision in a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What was to be done.
    pub op: Operation,
    /// The registered purpose.
    pub purpose: String,
    /// `crm`, or the registered source.
    pub source: String,
    /// Data categories that the purpose allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// The permit: blinded for people ([`crate::keys::SubjectKey::blind`] with the label `permit`), as it is for
    /// companies and hosts; `None` = refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<String>,
    /// Every reason of a refusal; of a permit its bases.
    pub reasons: Vec<String>,
    /// Legal events that a permit rests on, blinded (label `event`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// LIA and DPIA that it rests on, by their ids in the policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assessments: Vec<String>,
    /// Who receives what is emitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// The clock of the gate.
    pub at: Timestamp,
    /// End of the permit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// End of retention, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
}

impl Decision {
    /// Whether it is a permit.
    #[must_use]
    pub const fn permitted(&self) -> bool {
        self.permit.is_some()
    }
}

/// An entry. Its number is its place in the log, from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Format version.
    pub v: u32,
    /// The wall clock when it was written; never before the entry before it.
    pub at: Timestamp,
    /// What it records.
    pub kind: Kind,
    /// The part of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Hash of the policy that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Version of the software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Hash of vocabularies, lexicons and weights that inference uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The last entry of the ledger that the gate knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<u64>,
    /// The subject's tag of the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The company's id or the host, where the target is no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The decisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// HMAC-SHA-256 of the payload under a random key that lies beside it, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Further facts without personal data: counts, keyed hashes of tables, which right, which command.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, serde_json::Value>,
}

impl Leaf {
    /// A leaf without anything but its kind; the writer sets the time.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            v: VERSION,
            at: Timestamp::UNIX_EPOCH,
            kind,
            stage: None,
            run: None,
            policy: None,
            code: None,
            model: None,
            ledger: None,
            subject: None,
            target: None,
            decisions: Vec::new(),
            payload: None,
            facts: BTreeMap::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// The bytes of the leaf: JSON with the fields in the order above.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a leaf has only string keys")
    }

    /// Reads the bytes of a leaf.
    ///
    /// # Errors
    /// They are none of this version.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// What lies off the log, sealed under the subject's key: who and what exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// `sub_...`
    pub subject: String,
    /// The company, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// One entry a decision of the leaf, in its order.
    pub decisions: Vec<PayloadDecision>,
}

/// What a decision of the leaf was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayloadDecision {
    /// `dec_...`, as in the table `decisions`.
    pub decision: String,
    /// `pmt_...`; `None` = refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<String>,
    /// First collection, as the gate was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<Timestamp>,
    /// Two records claimed to be this person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
    /// What was to be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the host said about it: `not_applicable`, `free`, `robots_disallow`, `tdm_reserved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<String>,
    /// The host of the account, for sources without hosts of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_host: Option<String>,
    /// When what was to be read was last known to be so, as the gate was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_at: Option<Timestamp>,
    /// Data categories that were asked for in particular; empty = all those of the purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_tells_by_which_rules_it_was_decided() {
        let of = |code: Option<&str>| rules_of(&Leaf { code: code.map(str::to_owned), ..Leaf::new(Kind::Decide) });
        let [first, seventh] = [Rules::FIRST, Rules::numbered(7)];
        assert_eq!([of(None), of(Some("0.1.0")), of(Some("0.9.1+rules.7"))], [first, first, seventh]);
        assert_eq!(of(Some(&code())), Rules::TODAY);
    }
}
