//! From decisions of the gate to entries of the log.
//!
//! Invariant: a decision about a person becomes an entry under that person's key, or an error; permits and events about
//! people are blinded, what they were about is sealed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::audit::error::AuditError;
use crate::audit::leaf::{Kind, Leaf, Stage};
use crate::audit::payloads::SealedPayload;
use crate::audit::render::{self, Decision};
use crate::audit::writer::{AuditLog, Entry};
use crate::consent::decide::OptOut;
use crate::consent::gate::Grounds;
use crate::consent::people::People;
use crate::consent::policy::Policy;
use crate::keys::{SubjectKey, Vault};
use crate::model::{DecisionRow, SubjectId, Target};

/// Keys of subjects, shared by the tasks of a run.
#[derive(Debug, Clone)]
pub enum Keys {
    /// All of a vault.
    All(Arc<HashMap<SubjectId, SubjectKey>>),
    /// Looked up when somebody asks.
    Of(Arc<People>),
}

impl Keys {
    /// The key of a subject; `None` = they have none.
    ///
    /// # Errors
    /// The vault cannot be read, or is damaged.
    pub fn get(&self, subject: &SubjectId) -> Result<Option<Cow<'_, SubjectKey>>, AuditError> {
        Ok(match self {
            Self::All(keys) => keys.get(subject).map(Cow::Borrowed),
            Self::Of(people) => people.key(subject)?.map(Cow::Owned),
        })
    }
}

/// All keys of a vault.
#[must_use]
pub fn keys(vault: &Vault) -> Keys {
    Keys::All(vault.keys())
}

/// Records what a run, or a command, asks of the gate and does.
#[derive(Debug)]
pub struct Recorder {
    log: AuditLog,
    keys: Keys,
    run: Option<String>,
    policy: String,
    /// Data categories by purpose, as the policy has them.
    categories: HashMap<String, Vec<String>>,
}

impl Recorder {
    /// Records under one policy, for a run or for a command.
    #[must_use]
    pub fn new(log: AuditLog, keys: Keys, run: Option<String>, policy: &Policy) -> Self {
        let of = |(name, purpose): (&String, &crate::consent::policy::Purpose)| {
            (name.clone(), purpose.data_categories.clone())
        };
        let categories = policy.file().purposes.iter().map(of).collect();
        Self { log, keys, run, policy: policy.hash().to_owned(), categories }
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &AuditLog {
        &self.log
    }

    /// The keys of the subjects.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A leaf of this run without anything in it.
    #[must_use]
    pub fn leaf(&self, kind: Kind) -> Leaf {
        Leaf {
            run: self.run.clone(),
            policy: Some(self.policy.clone()),
            code: Some(super::leaf::code()),
            model: Some(crate::audit::model_hash().to_owned()),
            ..Leaf::new(kind)
        }
    }

    /// An entry about a person without anything off the log.
    ///
    /// # Errors
    /// The vault has no key for the person.
    pub fn about(&self, leaf: Leaf, subject: &SubjectId) -> Result<Entry, AuditError> {
        let key = self.keys.get(subject)?.ok_or(AuditError::NoKey)?;
        Ok(Entry::of(leaf, key.into_owned(), None))
    }

    /// One entry for decisions about one target. All must have the same one.
    ///
    /// # Errors
    /// The vault has no key for the person.
    pub fn entry(&self, kind: Kind, stage: Stage, decided: &[(DecisionRow, Grounds)]) -> Result<Entry, AuditError> {
        let Some((first, grounds)) = decided.first() else { return Ok(self.leaf(kind).into()) };
        let mut leaf = Leaf { stage: Some(stage), ledger: Some(grounds.ledger), ..self.leaf(kind) };
        for (name, at) in [("synced", grounds.last_sync), ("newest", grounds.newest)] {
            if let Some(at) = at {
                leaf = leaf.fact(name, at.to_string());
            }
        }
        match &first.target {
            Target::Subject(subject, account) => {
                let key = self.keys.get(subject)?.ok_or(AuditError::NoKey)?;
                let decisions =
                    render::decisions(decided.iter().map(|(row, grounds)| self.decision(row, grounds, Some(&key))));
                let text = render::payload(subject, account.as_ref(), decided);
                let no_random = |source| AuditError::Io { path: "/dev/urandom".into(), source: Arc::new(source) };
                let sealed = SealedPayload::new(&key, &text).map_err(no_random)?;
                Ok(Entry::of(leaf, key.into_owned(), Some(sealed)).with(decisions))
            }
            Target::Account(id) => {
                leaf.target = Some(id.as_str().to_owned());
                Ok(self.public(public_facts(leaf, grounds), decided))
            }
            Target::Host(host) => {
                leaf.target = Some(host.clone());
                Ok(self.public(public_facts(leaf, grounds), decided))
            }
        }
    }

    /// An entry about a company or a host.
    fn public(&self, leaf: Leaf, decided: &[(DecisionRow, Grounds)]) -> Entry {
        let decisions = render::decisions(decided.iter().map(|(row, grounds)| self.decision(row, grounds, None)));
        Entry::from(leaf).with(decisions)
    }

    fn decision<'a>(&'a self, row: &'a DecisionRow, grounds: &'a Grounds, key: Option<&SubjectKey>) -> Decision<'a> {
        let blind = |label: &str, id: &str| key.map_or_else(|| id.to_owned(), |key| key.blind(label, id));
        Decision {
            op: row.operation,
            purpose: &row.purpose,
            source: &row.source_id,
            categories: match grounds.categories.as_slice() {
                [] => self.categories.get(&row.purpose).map_or(&[], Vec::as_slice),
                asked => asked,
            },
            permit: row.permit_id.as_ref().map(|id| blind("permit", id.as_str())),
            reasons: &row.reasons,
            events: grounds.entries.iter().map(|seq| blind("event", &seq.to_string())).collect(),
            assessments: &grounds.assessments,
            recipients: &grounds.recipients,
            at: row.decided_at,
            until: row.valid_until,
            retain_until: grounds.retain_until,
        }
    }
}

/// What the gate was told of a company or a host: no personal data, so it stands in the leaf.
fn public_facts(mut leaf: Leaf, grounds: &Grounds) -> Leaf {
    let url = grounds.url.as_ref().and_then(|url| url::Url::parse(url.reveal()).ok());
    if let Some(host) = url.as_ref().and_then(|url| url.host_str()) {
        leaf = leaf.fact("host", host);
    }
    if let Some(verdict) = grounds.opt_out {
        leaf = leaf.fact("opt_out", opt_out_word(verdict));
    }
    if let Some(host) = &grounds.account_host {
        leaf = leaf.fact("account_host", host.as_str());
    }
    leaf
}

#[cfg(test)]
pub(super) fn payload_decision(row: &DecisionRow, grounds: &Grounds) -> crate::audit::leaf::PayloadDecision {
    crate::audit::leaf::PayloadDecision {
        decision: row.decision_id.as_str().to_owned(),
        permit: row.permit_id.as_ref().map(|id| id.as_str().to_owned()),
        collected_at: grounds.collected_at,
        ambiguous: grounds.ambiguous,
        url: grounds.url.as_ref().map(|url| url.reveal().clone()),
        opt_out: grounds.opt_out.map(|o| opt_out_word(o).to_owned()),
        account_host: grounds.account_host.clone(),
        evidence_at: grounds.evidence_at,
        categories: grounds.categories.clone(),
    }
}

/// How an opt-out verdict is written in payloads.
#[must_use]
pub const fn opt_out_word(verdict: OptOut) -> &'static str {
    match verdict {
        OptOut::NotApplicable => "not_applicable",
        OptOut::Free => "free",
        OptOut::RobotsDisallow => "robots_disallow",
        OptOut::TdmReserved => "tdm_reserved",
    }
}
