//! The record of processing activities (Art. 30), made from what was executed.
//!
//! Invariant: purposes, data categories, recipients and retention are those of permits in the log and no others; what
//! is only declared is listed apart.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::book::{People, Policies, Who, key};
use super::{Book, ReportError};
use crate::audit::leaf::{Decision, Leaf};
use crate::consent::policy::Policy;

/// Measures of Art. 32 that the software takes by itself; the controller adds its own.
pub const MEASURES: [&str; 7] = [
    "default deny: nothing is fetched, inferred, written or shown without a permit for this person, purpose and source",
    "pseudonyms: tables and log hold keyed ids and monthly tags; the key of each person lies in a vault of its own",
    "encryption: keys are wrapped, and what is kept off the log is sealed, with XChaCha20-Poly1305",
    "access: folders 0700, files 0600; every reading of a persona asks the gate again and is logged",
    "traceability: an append-only log in a Merkle tree, written before the effect; the ledger is chained",
    "erasure: the person's key is destroyed, snapshots are rewritten, a keyed suppression keeps the person out",
    "minimisation: closed vocabularies without special categories; texts pass a guard before anything is inferred",
];

/// The record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ropa {
    /// The controller.
    pub controller: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Leaves that it rests on.
    pub leaves: u64,
    /// What was executed: one a purpose, kind of subject and retention.
    pub activities: Vec<Activity>,
    /// Purposes of the policy that is applied now without a permit in the log.
    pub never_executed: Vec<String>,
    /// Hashes of policies that the home does not have: their retention and regions are unknown.
    pub unknown_policies: Vec<String>,
    /// Measures of Art. 32.
    pub measures: Vec<&'static str>,
}

/// A processing activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// The registered purpose.
    pub purpose: String,
    /// Its description in the policy.
    pub description: String,
    /// `business contacts`, or `companies and hosts (no persons)`.
    pub subjects: &'static str,
    /// Days from first collection; `None` = no policy says.
    pub retention_days: Option<u32>,
    /// Who received which data categories.
    pub flows: Vec<Flow>,
    /// Classes of sources.
    pub source_classes: BTreeSet<String>,
    /// Operations.
    pub operations: BTreeSet<String>,
    /// Lawful bases.
    pub bases: BTreeSet<String>,
    /// LIA and DPIA.
    pub assessments: BTreeSet<String>,
    /// The first permit.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// How many permits.
    pub permits: u64,
    /// How many people; those who were erased count once a month.
    pub people: u64,
}

/// Data categories and who received them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// The recipient; `None` = kept by the controller.
    pub recipient: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Transfer tool of Art. 44 ff.
    pub transfer_tool: Option<String>,
    /// What.
    pub data_categories: BTreeSet<String>,
}

/// What R17 compares: purpose, data category, recipient, retention in days.
pub type Cell = (String, String, Option<String>, Option<u32>);

#[derive(Default)]
struct Building {
    description: String,
    flows: BTreeMap<Option<String>, Flow>,
    source_classes: BTreeSet<String>,
    operations: BTreeSet<String>,
    bases: BTreeSet<String>,
    assessments: BTreeSet<String>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    permits: u64,
    people: std::collections::HashSet<super::book::Key>,
}

/// Makes the record.
///
/// # Errors
/// The log or a snapshot cannot be read.
pub fn ropa(book: &Book<'_>) -> Result<Ropa, ReportError> {
    let (mut people, mut policies) = (People::new(book.vault), Policies::new(book));
    let mut activities: BTreeMap<(String, bool, Option<u32>), Building> = BTreeMap::new();
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    book.each_leaf(|_, leaf| {
        let person = person(&mut people, leaf);
        let policy = leaf.policy.as_deref().and_then(|hash| policies.get(hash));
        let permits: Vec<&Decision> = leaf.decisions.iter().filter(|d| d.permitted()).collect();
        if policy.is_none() && !permits.is_empty() {
            unknown.insert(leaf.policy.clone().unwrap_or_else(|| "none".to_owned()));
        }
        for decision in permits {
            let retention = policy.and_then(|p| p.file().purposes.get(&decision.purpose)).map(|p| p.retention_days);
            let place = (decision.purpose.clone(), leaf.subject.is_some(), retention);
            let activity = activities.entry(place).or_default();
            activity.add(decision, policy);
            activity.people.extend(person);
        }
        Ok(())
    })?;
    let never_executed = match book.policy_now(&book.snapshots()?)?.and_then(|hash| policies.get(&hash).cloned()) {
        Some(policy) => {
            let ran = |name: &&String| activities.keys().any(|(purpose, ..)| purpose == *name);
            policy.file().purposes.keys().filter(|name| !ran(name)).cloned().collect()
        }
        None => Vec::new(),
    };
    Ok(Ropa {
        controller: book.controller.to_owned(),
        made_at: book.now,
        leaves: book.leaves.len(),
        activities: activities.into_iter().map(|(place, built)| built.finish(place)).collect(),
        never_executed,
        unknown_policies: unknown.into_iter().collect(),
        measures: MEASURES.to_vec(),
    })
}

fn person(people: &mut People<'_>, leaf: &Leaf) -> Option<super::book::Key> {
    match people.who(leaf) {
        Who::Subject(id) => Some(key(&[id.as_str()])),
        Who::Nobody => leaf.subject.as_deref().map(|tag| key(&[tag])),
        Who::Other => None,
    }
}

impl Building {
    fn add(&mut self, decision: &Decision, policy: Option<&Policy>) {
        let file = policy.map(Policy::file);
        if let Some(purpose) = file.and_then(|f| f.purposes.get(&decision.purpose)) {
            self.description.clone_from(&purpose.description);
        }
        let none = [None];
        let named: Vec<Option<&String>> = decision.recipients.iter().map(Some).collect();
        for recipient in if named.is_empty() { &none[..] } else { &named } {
            let registered = recipient.and_then(|name| file?.recipients.get(name));
            let flow = self.flows.entry(recipient.cloned()).or_insert_with(|| Flow {
                recipient: recipient.cloned(),
                region: None,
                transfer_tool: None,
                data_categories: BTreeSet::new(),
            });
            flow.region = registered.map(|r| r.region.clone()).or(flow.region.take());
            flow.transfer_tool = registered.and_then(|r| r.transfer_tool.clone()).or(flow.transfer_tool.take());
            flow.data_categories.extend(decision.categories.iter().cloned());
        }
        let class = policy.and_then(|p| p.source(&decision.source)).map(|s| s.class.to_string());
        self.source_classes.insert(class.unwrap_or_else(|| format!("{} (not registered)", decision.source)));
        self.operations.insert(decision.op.to_string());
        self.bases.extend(decision.reasons.iter().cloned());
        self.assessments.extend(decision.assessments.iter().cloned());
        self.first = Some(self.first.map_or(decision.at, |at| at.min(decision.at)));
        self.last = self.last.max(Some(decision.at));
        self.permits += 1;
    }

    fn finish(self, (purpose, is_personal, retention_days): (String, bool, Option<u32>)) -> Activity {
        let subjects = if is_personal { "business contacts" } else { "companies and hosts (no persons)" };
        Activity {
            purpose,
            description: self.description,
            subjects,
            retention_days,
            flows: self.flows.into_values().collect(),
            source_classes: self.source_classes,
            operations: self.operations,
            bases: self.bases,
            assessments: self.assessments,
            first: self.first.unwrap_or_default(),
            last: self.last.unwrap_or_default(),
            permits: self.permits,
            people: self.people.len() as u64,
        }
    }
}

impl Ropa {
    /// The record as a set, to hold against the log.
    #[must_use]
    pub fn cells(&self) -> BTreeSet<Cell> {
        let mut cells = BTreeSet::new();
        for activity in &self.activities {
            for flow in &activity.flows {
                for category in &flow.data_categories {
                    let (purpose, recipient) = (activity.purpose.clone(), flow.recipient.clone());
                    cells.insert((purpose, category.clone(), recipient, activity.retention_days));
                }
            }
        }
        cells
    }

    /// The record for people.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# Record of processing activities (Art. 30 GDPR)\n\nController: {}  \nMade: {} from {} entries of the audit \
             log; only what was executed is listed.\n",
            self.controller, self.made_at, self.leaves
        );
        for a in &self.activities {
            text.push_str(&format!(
                "\n## {}: {}\n\n{}\n\n| | |\n| --- | --- |\n",
                a.purpose, a.subjects, a.description
            ));
            let days = a.retention_days.map_or("not known".to_owned(), |d| format!("{d} days from first collection"));
            let rows = [
                ("Operations", list(&a.operations)),
                ("Lawful bases", list(&a.bases)),
                ("Sources", list(&a.source_classes)),
                ("Assessments", list(&a.assessments)),
                ("Retention", days),
                ("Executed", format!("{} to {}", a.first, a.last)),
                ("Permits", format!("{} about {} people", a.permits, a.people)),
            ];
            for (label, value) in rows {
                text.push_str(&format!("| {label} | {value} |\n"));
            }
            for flow in &a.flows {
                let to = flow.recipient.as_deref().unwrap_or("the controller itself");
                let region = flow.region.as_deref().map_or(String::new(), |r| format!(" ({r})"));
                let tool = flow.transfer_tool.as_deref().map_or(String::new(), |t| format!(", {t}"));
                text.push_str(&format!("| Data for {to}{region}{tool} | {} |\n", list(&flow.data_categories)));
            }
        }
        if !self.never_executed.is_empty() {
            text.push_str("\n## Declared, never executed\n\n");
            self.never_executed.iter().for_each(|p| text.push_str(&format!("- {p}\n")));
        }
        text.push_str(
            "\n## Security of processing (Art. 32)\n\nTaken by the software; the controller adds its own.\n\n",
        );
        self.measures.iter().for_each(|m| text.push_str(&format!("- {m}\n")));
        text
    }
}

fn list(items: &BTreeSet<String>) -> String {
    if items.is_empty() { "none".to_owned() } else { items.iter().cloned().collect::<Vec<_>>().join(", ") }
}
