//! Whether an erasure is complete, by its receipt.
//!
//! Invariant: nothing that is found is named; the log must still hold the entry that the receipt speaks of, nobody in the
//! vault or in any table may be the person, the receipt must be as it was written, and what is kept of pages must be of after all erasures.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use prosopon_tlog::Checkpoint;

use crate::audit::{AuditError, Kind};
use crate::ids::subject_of;
use crate::model::{SubjectId, Target};
use crate::rights::erase::{BOUND, RECEIPT, Receipt, SCHEMA};
use crate::rights::office::{Office, OfficeError};
use crate::run::kept;
use crate::sink::{self, Select, Snapshot, Table};

/// What a receipt came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Everything that speaks against it; empty = the erasure is complete.
    pub found: Vec<String>,
    /// Fields that nothing proves: the receipt is of a version that did not bind them.
    pub unproven: &'static [&'static str],
}

/// What a receipt of an older version says on its own word.
const UNBOUND: &[&str] = &["erased_at", "rows", "snapshots", "payloads", "suppressed", "recipients"];

/// Holds a receipt against log, vault and tables. Other files of the home are for [`crate::rights::Scan::about`].
///
/// # Errors
/// Something cannot be read: it could not be checked.
pub fn check(office: &Office, receipt: &Receipt) -> Result<Checked, OfficeError> {
    let mut checked = Checked::default();
    let found = &mut checked.found;
    if receipt.schema != SCHEMA {
        found.push(format!("the receipt is of another schema than {SCHEMA}"));
    }
    if receipt.controller != office.home.controller() {
        found.push("the receipt is of another controller's home".to_owned());
    }
    let is_bound = in_log(office, receipt, found)?;
    checked.unproven = if is_bound { &[] } else { UNBOUND };
    let is_person = |id: &SubjectId| receipt.is_about(id);
    if is_person(&SubjectId::from_body("")).is_none() {
        found.push("the receipt is damaged: its salt cannot be read".to_owned());
        return Ok(checked);
    }
    if office.vault.subjects().any(|(id, _)| is_person(id) == Some(true)) {
        found.push("the vault has a key of the person".to_owned());
    }
    for pipeline in sink::pipelines(office.home.path()) {
        for snapshot in sink::snapshots(office.home.path(), &pipeline)? {
            if subjects(&snapshot)?.iter().any(|id| is_person(id) == Some(true)) {
                found.push(format!("{pipeline}/snapshot={} has rows of the person", snapshot.run_id()));
            }
        }
    }
    for path in sink::all_rows(office.home.path())? {
        let mut has_person = false;
        let read = crate::crm::tags_of_rows(&path, |tag| has_person |= is_person(&subject_of(&tag)) == Some(true));
        let name = path.strip_prefix(office.home.path()).unwrap_or(&path).display();
        if read.is_err() {
            found.push(format!("{name} cannot be read: delete it, the next run works on everybody then"));
        } else if has_person {
            found.push(format!("{name} knows rows of the person: delete it, the next run works on everybody then"));
        }
    }
    if !kept::is_after(office.home.path(), office.vault.erased()?.0)? {
        let text = "pages.sqlite is not of after the last erasure: delete it, or let the next run empty it";
        found.push(text.to_owned());
    }
    Ok(checked)
}

/// The entry must be in the log, under a checkpoint that the log's key signed and that the log still extends; tells whether
/// an entry binds the receipt, or should.
fn in_log(office: &Office, receipt: &Receipt, found: &mut Vec<String>) -> Result<bool, OfficeError> {
    let Ok(checkpoint) = receipt.checkpoint.parse::<Checkpoint>() else {
        found.push("the receipt is damaged: its checkpoint cannot be read".to_owned());
        return Ok(true);
    };
    let signer = office.home.signer(&office.vault)?;
    if checkpoint.signed_by(signer.vkey()).is_err() {
        found.push("the checkpoint of the receipt is not signed by this home's log".to_owned());
    }
    let reader = office.reader()?;
    if reader.root_at(checkpoint.size())?.as_ref() != Some(checkpoint.root()) {
        found.push("the log does not extend the checkpoint of the receipt: it was rolled back or exchanged".to_owned());
    }
    let (mut is_erasure, mut is_theirs) = (false, false);
    let (mut must_be_bound, mut is_bound) = (false, false);
    let digest = receipt.digest().unwrap_or_default();
    reader.each(receipt.entry..checkpoint.size().max(receipt.entry.saturating_add(1)), &mut |number, leaf| {
        let says = |fact: &str, value: &str| leaf.facts.get(fact).is_some_and(|said| *said == *value);
        if number == receipt.entry {
            is_erasure = leaf.kind == Kind::Erase && says("erasure", &receipt.erasure);
            // An entry from before this was committed to says nothing of it.
            is_theirs = !leaf.facts.contains_key("subject") || says("subject", &receipt.subject);
            must_be_bound = leaf.facts.contains_key(BOUND);
        }
        is_bound |= says(RECEIPT, &digest);
        std::ops::ControlFlow::Continue(())
    })?;
    if !is_erasure || receipt.entry >= checkpoint.size() {
        found.push(format!("entry {} of the log is no erasure under that checkpoint", receipt.entry));
    } else if !is_theirs {
        found.push(format!("entry {} of the log erased somebody else than the receipt says", receipt.entry));
    } else if must_be_bound && !is_bound {
        found.push("the receipt is not the one that was written: something in it was changed".to_owned());
    }
    Ok(must_be_bound || is_bound)
}

/// Everybody who is in a snapshot.
fn subjects(snapshot: &Snapshot) -> Result<HashSet<SubjectId>, sink::SinkError> {
    let mut all: HashSet<SubjectId> =
        sink::read_personas(snapshot, &Select::All)?.into_iter().map(|p| p.subject_id).collect();
    let of_target = |target: Target| target.subject().cloned();
    all.extend(sink::read_decisions(snapshot, &Select::All)?.into_iter().filter_map(|d| of_target(d.target)));
    let about = |about: crate::model::About| match about {
        crate::model::About::Subject(id, _) => Some(id),
        crate::model::About::Account(_) => None,
    };
    all.extend(sink::read_evidence(snapshot, &Select::All)?.into_iter().filter_map(|s| about(s.about)));
    let centers = sink::read_buying_centers(snapshot, &Select::All)?.into_iter();
    all.extend(centers.flat_map(|center| center.members).map(|member| member.subject_id));
    for batch in sink::read_columns(snapshot, Table::DeadLetters, &["subject_id"])? {
        let batch = batch?;
        let ids = batch.column_by_name("subject_id").and_then(|column| column.as_string_opt::<i32>());
        let bodies = ids.into_iter().flatten().flatten().filter_map(|id| id.strip_prefix(SubjectId::PREFIX));
        all.extend(bodies.map(SubjectId::from_body));
    }
    Ok(all)
}

/// The root of a log at a size; a wrong root is a finding, a log that cannot be read an error.
type Root = Result<Option<prosopon_tlog::Hash>, AuditError>;

impl crate::audit::LogReader {
    fn root_at(&self, size: u64) -> Root {
        if size > self.checkpoint().size() { Ok(None) } else { self.root(size).map(Some) }
    }
}
