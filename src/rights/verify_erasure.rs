//! Whether an erasure is complete, by its receipt.
//!
//! Invariant: nothing that is found is named; the log must still hold the entry that the receipt speaks of, nobody in the
//! vault or in any table may be the person, and what is kept of pages must be of after all erasures.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use prosopon_tlog::Checkpoint;

use crate::audit::{AuditError, Kind};
use crate::ids::subject_of;
use crate::model::{SubjectId, Target};
use crate::rights::erase::{Receipt, SCHEMA};
use crate::rights::office::{Office, OfficeError};
use crate::run::kept;
use crate::sink::{self, Select, Snapshot, Table};

/// Everything that speaks against the receipt; empty = the erasure is complete.
///
/// # Errors
/// Something cannot be read: it could not be checked.
pub fn check(office: &Office, receipt: &Receipt) -> Result<Vec<String>, OfficeError> {
    let mut found = Vec::new();
    if receipt.schema != SCHEMA {
        found.push(format!("the receipt is of another schema than {SCHEMA}"));
    }
    if receipt.controller != office.home.controller() {
        found.push("the receipt is of another controller's home".to_owned());
    }
    in_log(office, receipt, &mut found)?;
    let is_person = |id: &SubjectId| receipt.is_about(id);
    if is_person(&SubjectId::from_body("")).is_none() {
        found.push("the receipt is damaged: its salt cannot be read".to_owned());
        return Ok(found);
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
    Ok(found)
}

/// The entry must be in the log, under a checkpoint that the log's key signed and that the log still extends.
fn in_log(office: &Office, receipt: &Receipt, found: &mut Vec<String>) -> Result<(), OfficeError> {
    let Ok(checkpoint) = receipt.checkpoint.parse::<Checkpoint>() else {
        found.push("the receipt is damaged: its checkpoint cannot be read".to_owned());
        return Ok(());
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
    reader.each(receipt.entry..receipt.entry + 1, &mut |_, leaf| {
        let says = |fact: &str, value: &str| leaf.facts.get(fact).is_some_and(|said| *said == *value);
        is_erasure = leaf.kind == Kind::Erase && says("erasure", &receipt.erasure);
        // An entry from before this was committed to says nothing of it.
        is_theirs = !leaf.facts.contains_key("subject") || says("subject", &receipt.subject);
        std::ops::ControlFlow::Continue(())
    })?;
    if !is_erasure || receipt.entry >= checkpoint.size() {
        found.push(format!("entry {} of the log is no erasure under that checkpoint", receipt.entry));
    } else if !is_theirs {
        found.push(format!("entry {} of the log erased somebody else than the receipt says", receipt.entry));
    }
    Ok(())
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
