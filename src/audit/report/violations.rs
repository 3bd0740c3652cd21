//! Anything that was done against the ledger or the policy.
//!
//! Invariant: judged is what the log says was permitted, by the events that were known then and by the policy of the
//! entry's own hash; rows of current snapshots are judged by the ledger of now.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::tz::Offset;

use super::book::{Kept, People, Policies, Who, event_ref, key, month};
use super::law::{Act, forbids, gate_knew, known_by};
use super::{Book, Finding, Findings, ReportError, table};
use crate::audit::leaf::{Decision, Kind, Leaf};
use crate::consent::event::EventKind;
use crate::consent::policy::Policy;
use crate::model::SubjectId;
use crate::sink::Table;
use crate::taxonomy::Operation;

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Violations {
    /// Leaves that were looked at.
    pub leaves: u64,
    /// Permits in them.
    pub permits: u64,
    /// Rows of `personas` in current snapshots.
    pub rows: u64,
    /// What must not be: `after_objection`, `after_erasure`, `row_of_objector`, `unregistered_purpose`,
    /// `unregistered_source`, `unknown_policy`, `assessment`, `permit_after_its_end`.
    pub findings: Findings,
    /// Policies that are missing: what rests on them could not be checked.
    pub unchecked: BTreeSet<String>,
}

/// Looks for violations.
///
/// # Errors
/// The log or a snapshot cannot be read.
pub fn violations(book: &Book<'_>) -> Result<Violations, ReportError> {
    let snapshots = book.snapshots()?;
    let mut all = Violations { leaves: book.leaves.len(), ..Violations::default() };
    let (mut people, mut policies) = (People::new(book.vault), Policies::new(book));
    let (mut erased, mut asked_again) = (Erased::default(), HashSet::new());
    let pinned: HashSet<&str> = snapshots.iter().filter(|kept| kept.pinned()).map(Kept::run).collect();
    book.each_leaf(|number, leaf| {
        let who = people.who(leaf);
        erased.look(leaf, number, &mut all.findings);
        let run = leaf.run.as_deref().unwrap_or_default();
        let stands_still = book.demo || pinned.contains(run) || leaf.facts.get("pinned") == Some(&true.into());
        if leaf.facts.contains_key("asked_again") {
            asked_again.insert(run.to_owned());
        }
        let policy = leaf.policy.as_deref().and_then(|hash| policies.get(hash));
        if policy.is_none() && leaf.decisions.iter().any(Decision::permitted) {
            unknown_policy(book, number, leaf, &mut all);
        }
        for decision in leaf.decisions.iter().filter(|d| d.permitted()) {
            all.permits += 1;
            let seen = Seen { number, leaf, decision, policy, stands_still };
            if let Who::Subject(subject) = who {
                seen.against_ledger(book, subject, &mut all.findings);
            }
            seen.against_policy(who, &mut all.findings);
        }
        Ok(())
    })?;
    for kept in &snapshots {
        if kept.current {
            rows_of_objectors(book, kept, policies.get(kept.text("policy_hash")), &mut all)?;
        }
        if !kept.pinned() {
            late_use(kept, asked_again.contains(kept.run()), &mut all.findings)?;
        }
    }
    Ok(all)
}

/// A policy that cannot be read, once: a missing one leaves unchecked what rests on it, another one in its place is a
/// violation.
fn unknown_policy(book: &Book<'_>, number: u64, leaf: &Leaf, all: &mut Violations) {
    let hash = leaf.policy.as_deref().unwrap_or_default();
    let name = format!("policy/{hash}.json");
    if !book.home.join(&name).exists() {
        all.unchecked.insert(name);
        return;
    }
    let says = format!("{name} is not the policy that was applied under this hash");
    if !all.findings.listed.iter().any(|f| f.says == says) {
        all.findings.add(Finding { kind: "unknown_policy", says, leaf: Some(number), ..Finding::default() });
    }
}

/// One permit of the log.
struct Seen<'a> {
    number: u64,
    leaf: &'a Leaf,
    decision: &'a Decision,
    policy: Option<&'a Policy>,
    /// The clock of the gate stood still.
    stands_still: bool,
}

impl Seen<'_> {
    fn against_ledger(&self, book: &Book<'_>, subject: &SubjectId, findings: &mut Findings) {
        if !book.ledger.events(subject).unwrap_or_default().iter().any(|e| e.kind.is_negative()) {
            return;
        }
        let known = known_by(book.ledger.entries(subject), self.leaf, book.demo);
        if let Some((entry, right)) = forbids(&known, &Act::of(self.decision, self.policy)) {
            let knew =
                if gate_knew(entry, self.leaf) { "the gate knew of it" } else { "the gate did not know of it yet" };
            let says =
                format!("{} for {} was permitted after the {right}; {knew}", self.decision.op, self.decision.purpose);
            let about = Some(subject.to_string());
            let event = Some(event_ref(entry));
            findings.add(Finding {
                kind: "after_objection",
                says,
                leaf: Some(self.number),
                about,
                event,
                ..Finding::default()
            });
        }
    }

    fn against_policy(&self, who: Who<'_>, findings: &mut Findings) {
        let about = match who {
            Who::Subject(id) => Some(id.to_string()),
            Who::Nobody => self.leaf.subject.clone(),
            Who::Other => self.leaf.target.clone(),
        };
        let mut add = |kind, says| {
            findings.add(Finding { kind, says, leaf: Some(self.number), about: about.clone(), ..Finding::default() });
        };
        let Some(policy) = self.policy else { return };
        let (decision, file) = (self.decision, policy.file());
        let purpose = file.purposes.get(&decision.purpose);
        if purpose.is_none_or(|p| !p.operations.contains(&decision.op)) {
            let says = format!("{} for {:?} is not registered in the policy", decision.op, decision.purpose);
            add("unregistered_purpose", says);
        }
        if policy.source(&decision.source).is_none_or(|s| !s.purposes.contains(&decision.purpose) || s.revoked) {
            let says = format!("source {:?} is not registered for {:?}", decision.source, decision.purpose);
            add("unregistered_source", says);
        }
        let day = Offset::UTC.to_datetime(decision.at).date();
        for id in &decision.assessments {
            let holds = |a: &crate::consent::policy::Assessment| a.approved_at <= day && day < a.expires_at;
            if !file.assessments.get(id).is_some_and(holds) {
                add("assessment", format!("assessment {id} did not hold on {day}"));
            }
        }
        if !self.stands_still && decision.until.is_some_and(|end| end <= self.leaf.at) {
            add("permit_after_its_end", format!("{} was permitted until before the entry was written", decision.op));
        }
    }
}

/// People whose `erase` entry was seen: their tag goes on to the end of the month, even if their key does not.
#[derive(Default)]
struct Erased {
    month: Option<(i16, i8)>,
    tags: HashMap<super::book::Key, u64>,
}

impl Erased {
    fn look(&mut self, leaf: &Leaf, number: u64, findings: &mut Findings) {
        let Some(tag) = &leaf.subject else { return };
        if self.month != Some(month(leaf.at)) {
            self.tags.clear();
            self.month = Some(month(leaf.at));
        }
        let processes = leaf.decisions.iter().any(|d| d.permitted() && d.op != Operation::Store);
        if let Some(erase) = self.tags.get(&key(&[tag]))
            && processes
        {
            let says = format!("something was permitted after the erasure of entry {erase}");
            let (leaf, about) = (Some(number), Some(tag.clone()));
            findings.add(Finding { kind: "after_erasure", says, leaf, about, ..Finding::default() });
        }
        if leaf.kind == Kind::Erase {
            self.tags.insert(key(&[tag]), number);
        }
    }
}

/// Personas of people whom the ledger forbids now. A restriction leaves storing, so it forbids no row.
fn rows_of_objectors(
    book: &Book<'_>,
    kept: &Kept,
    policy: Option<&Policy>,
    all: &mut Violations,
) -> Result<(), ReportError> {
    let purpose = kept.text("purpose").to_owned();
    let recipients = policy.and_then(|p| p.file().purposes.get(&purpose)).map_or(&[][..], |p| &p.recipients);
    let class = policy.and_then(|p| p.source("crm")).map(|s| s.class);
    table::each(&kept.snapshot, Table::Personas, |row| {
        all.rows += 1;
        let id = row.text("subject_id")?;
        let subject = SubjectId::from_body(id.strip_prefix(SubjectId::PREFIX).unwrap_or(id));
        let mut entries = book.ledger.entries(&subject);
        entries.retain(|e| e.event.kind != EventKind::Restrict);
        let operation = Operation::Emit;
        let act = Act { operation, purpose: &purpose, class, categories: &[], recipients, policy, at: book.now };
        if let Some((entry, right)) = forbids(&entries, &act) {
            let says = format!("the current snapshot has a persona in spite of a {right}: run again, or rewrite it");
            all.findings.add(Finding {
                kind: "row_of_objector",
                says,
                about: Some(id.to_owned()),
                event: Some(event_ref(entry)),
                snapshot: Some(kept.run().to_owned()),
                table: Some(Table::Personas.as_str()),
                row: Some(id.to_owned()),
                ..Finding::default()
            });
        }
        Ok(())
    })
}

/// Fetches that began, and personas that were published, after the permit had ended; personas of a run that asked
/// again right before publishing rest on that second answer.
fn late_use(kept: &Kept, asked_again: bool, findings: &mut Findings) -> Result<(), ReportError> {
    let mut ends = HashMap::new();
    table::each(&kept.snapshot, Table::Decisions, |row| {
        if let (Some(permit), Some(end)) = (row.opt("permit_id")?, row.time_opt("valid_until")?) {
            ends.insert(key(&[permit]), end);
        }
        Ok(())
    })?;
    let mut late = |table: Table, row: &str, says: &str| {
        findings.add(Finding {
            kind: "permit_after_its_end",
            says: says.to_owned(),
            snapshot: Some(kept.run().to_owned()),
            table: Some(table.as_str()),
            row: Some(row.to_owned()),
            ..Finding::default()
        });
    };
    table::each(&kept.snapshot, Table::Documents, |row| {
        let end = ends.get(&key(&[row.text("permit_id")?]));
        if end.is_some_and(|end| *end <= row.time("started_at").unwrap_or(*end)) {
            late(Table::Documents, row.text("document_id")?, "the fetch began after its permit had ended");
        }
        Ok(())
    })?;
    let Some(published) = kept.published_at().filter(|_| !asked_again) else { return Ok(()) };
    table::each(&kept.snapshot, Table::Personas, |row| {
        if ends.get(&key(&[row.text("permit_id")?])).is_some_and(|end| *end <= published) {
            late(Table::Personas, row.text("subject_id")?, "the persona was published after its permit had ended");
        }
        Ok(())
    })
}
