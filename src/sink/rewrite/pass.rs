//! The passes over the tables of one snapshot: which rows go, which come, and the copy without and with them.
//!
//! Invariant: tables are streamed batch by batch; what is held is the change itself and the ids that follow from it.
//! A table that is not concerned is linked, not copied.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::SchemaRef;

use super::companies::Companies;
use super::copy::{Coming, Copied, Key, copy, hit, key_of, values, writer};
use super::{Change, Rewritten};
use crate::model::{AccountId, Signal, SubjectId};
use crate::persona::input::Offering;
use crate::persona::rows::{AccountRow, Persona};
use crate::sink::read::Batches;
use crate::sink::{FileFacts, Select, SinkError, Snapshot, Table, decode, encode, home};

/// The rewriting of one snapshot.
pub(super) struct Rewriter<'a> {
    from: &'a Snapshot,
    to: Snapshot,
    offering: Option<&'a Offering>,
    remove: HashSet<String>,
    commitments: HashSet<String>,
    keep_decisions: bool,
    personas: BTreeMap<Key, Persona>,
    evidence: BTreeMap<Key, Vec<Signal>>,
    permits: HashSet<String>,
    signals: HashSet<String>,
    accounts: &'a HashMap<AccountId, AccountRow>,
    companies: BTreeSet<AccountId>,
    written: BTreeMap<Table, u64>,
    pub(super) done: Rewritten,
}

impl<'a> Rewriter<'a> {
    /// Reads what of the change concerns the snapshot.
    pub(super) fn new(
        from: &'a Snapshot,
        to: &Path,
        change: &'a Change,
        offering: Option<&'a Offering>,
    ) -> Result<Self, SinkError> {
        home::remove_dir(to)?;
        home::create_dir(to)?;
        let mut new = Self {
            from,
            to: Snapshot::at(to.to_owned(), from.run_id()).with_keys(from.keys().cloned()),
            offering,
            remove: change.remove.iter().map(|s| s.as_str().to_owned()).collect(),
            commitments: change.commitments.clone(),
            keep_decisions: change.keep_decisions,
            personas: BTreeMap::new(),
            evidence: BTreeMap::new(),
            permits: HashSet::new(),
            signals: change.signals.iter().map(|s| s.as_str().to_owned()).collect(),
            accounts: &change.accounts,
            companies: BTreeSet::new(),
            written: BTreeMap::new(),
            done: Rewritten::default(),
        };
        new.corrections(change)?;
        for id in change.accounts.keys() {
            let there = crate::sink::read_accounts(from, &Select::Account(id.clone()))?;
            new.companies.extend(there.into_iter().map(|row| row.account_id));
        }
        Ok(new)
    }

    /// Keeps the corrections of those whom the snapshot has, as far as they say something new.
    fn corrections(&mut self, change: &Change) -> Result<(), SinkError> {
        let asked = change.personas.keys().chain(change.evidence.keys()).filter(|s| !change.remove.contains(*s));
        for subject in asked.collect::<BTreeSet<&SubjectId>>() {
            let select = Select::Subject(subject.clone());
            let Some(old) = crate::sink::read_personas(self.from, &select)?.pop() else { continue };
            let stored = change.personas.get(subject).map(as_stored).transpose()?.filter(|new| *new != old);
            let account = stored.as_ref().map_or(&old, |new| new).account_id.clone();
            let key = (account.as_ref().map(|a| a.as_str().to_owned()), Some(subject.as_str().to_owned()));
            if let Some(evidence) = change.evidence.get(subject)
                && *evidence != crate::sink::read_evidence(self.from, &select)?
            {
                self.evidence.insert(key.clone(), evidence.clone());
            }
            if let Some(new) = stored {
                self.companies.extend([&old.account_id, &new.account_id].into_iter().flatten().cloned());
                self.personas.insert(key, new);
            }
        }
        Ok(())
    }

    /// Rewrites every table but `runs`.
    pub(super) fn tables(&mut self) -> Result<(), SinkError> {
        self.decisions()?;
        self.documents()?;
        self.personas()?;
        self.evidence()?;
        self.dead_letters()?;
        self.companies()
    }

    /// Rows of a table that was rewritten; `None` where it was linked.
    pub(super) fn written(&self, table: Table) -> Option<u64> {
        self.written.get(&table).copied()
    }

    fn decisions(&mut self) -> Result<(), SinkError> {
        if self.keep_decisions || !self.any(Table::Decisions, "subject_id", &self.remove)? {
            return self.link(Table::Decisions);
        }
        let (mut permits, mut people) = (HashSet::new(), HashSet::new());
        let (remove, mut done) = (&self.remove, std::mem::take(&mut self.done));
        let dropped = |batch: &RecordBatch| {
            for row in decode::decisions(batch)? {
                done.decision(&row);
                permits.extend(row.permit_id.map(|p| p.as_str().to_owned()));
            }
            people.extend(values(batch, "subject_id"));
            Ok(())
        };
        let copied =
            copy(self.from, &self.to, Table::Decisions, |b| hit(b, "subject_id", remove), dropped, |_| Ok(Vec::new()))?;
        self.done = done;
        self.done.subjects = people.len() as u64;
        self.permits = permits;
        self.note(Table::Decisions, copied);
        Ok(())
    }

    fn documents(&mut self) -> Result<(), SinkError> {
        if !self.any(Table::Documents, "permit_id", &self.permits)? {
            return self.link(Table::Documents);
        }
        let (permits, mut done) = (&self.permits, std::mem::take(&mut self.done));
        let dropped = |batch: &RecordBatch| {
            decode::documents(batch)?.iter().for_each(|row| done.document(row));
            Ok(())
        };
        let copied =
            copy(self.from, &self.to, Table::Documents, |b| hit(b, "permit_id", permits), dropped, |_| Ok(Vec::new()))?;
        self.done = done;
        self.note(Table::Documents, copied);
        Ok(())
    }

    fn personas(&mut self) -> Result<(), SinkError> {
        let mut go = self.remove.clone();
        go.extend(self.personas.keys().filter_map(|k| k.1.clone()));
        if !self.any(Table::Personas, "subject_id", &go)? {
            return self.link(Table::Personas);
        }
        let (mut companies, mut done) = (BTreeSet::new(), std::mem::take(&mut self.done));
        let dropped = |batch: &RecordBatch| {
            for row in decode::personas(batch)? {
                done.persona(&row, -1);
                companies.extend(row.account_id);
            }
            Ok(())
        };
        let come = |schema: &SchemaRef| -> Result<Vec<Coming>, SinkError> {
            let encoded =
                |(key, p): (&Key, &Persona)| Ok((key.clone(), encode::personas(schema, std::slice::from_ref(p))?));
            Ok(self.personas.iter().map(encoded).collect())
        };
        let copied = copy(self.from, &self.to, Table::Personas, |b| hit(b, "subject_id", &go), dropped, come)?;
        self.done = done;
        self.companies.extend(companies);
        for persona in self.personas.values() {
            self.done.persona(persona, 1);
        }
        self.note(Table::Personas, copied);
        Ok(())
    }

    fn evidence(&mut self) -> Result<(), SinkError> {
        let mut go = self.remove.clone();
        go.extend(self.evidence.keys().filter_map(|k| k.1.clone()));
        let concerned = !self.evidence.is_empty()
            || self.any(Table::Evidence, "subject_id", &go)?
            || self.any(Table::Evidence, "permit_id", &self.permits)?
            || self.any(Table::Evidence, "signal_id", &self.signals)?;
        if !concerned {
            return self.link(Table::Evidence);
        }
        let reasons = [("subject_id", &go), ("permit_id", &self.permits), ("signal_id", &self.signals)];
        let drop = |batch: &RecordBatch| {
            let hits = reasons.map(|(column, values)| hit(batch, column, values));
            (0..batch.num_rows()).map(|row| Some(hits.iter().any(|hit| hit.value(row)))).collect()
        };
        let come = |schema: &SchemaRef| -> Result<Vec<Coming>, SinkError> {
            let rows = self.evidence.iter().filter(|(_, rows)| !rows.is_empty());
            Ok(rows.map(|(key, rows)| Ok((key.clone(), encode::evidence(schema, rows)?))).collect())
        };
        let copied = copy(self.from, &self.to, Table::Evidence, drop, |_| Ok(()), come)?;
        self.note(Table::Evidence, copied);
        Ok(())
    }

    fn dead_letters(&mut self) -> Result<(), SinkError> {
        let table = Table::DeadLetters;
        let concerned =
            self.any(table, "subject_id", &self.remove)? || self.any(table, "row_commitment", &self.commitments)?;
        if !concerned {
            return self.link(table);
        }
        let (remove, commitments, mut done) = (&self.remove, &self.commitments, std::mem::take(&mut self.done));
        let drop = |batch: &RecordBatch| {
            let (own, tied) = (hit(batch, "subject_id", remove), hit(batch, "row_commitment", commitments));
            own.iter().zip(&tied).map(|(a, b)| Some(a == Some(true) || b == Some(true))).collect()
        };
        let dropped = |batch: &RecordBatch| {
            for stage in values(batch, "stage") {
                done.dead_letter(&stage);
            }
            Ok(())
        };
        let copied = copy(self.from, &self.to, table, drop, dropped, |_| Ok(Vec::new()))?;
        self.done = done;
        self.note(table, copied);
        Ok(())
    }

    /// Makes the rows of the affected companies anew, from the personas that are left.
    fn companies(&mut self) -> Result<(), SinkError> {
        self.companies.extend(member_of(self.from, &self.remove)?);
        self.done.companies = self.companies.len() as u64;
        let ids: HashSet<String> = self.companies.iter().map(|a| a.as_str().to_owned()).collect();
        for table in [Table::BuyingCenters, Table::Accounts] {
            if !self.any(table, "account_id", &ids)? {
                self.link(table)?;
                continue;
            }
            let come = |schema: &SchemaRef| {
                let companies = Companies::open(self.from, &self.to, &ids, self.offering)?.with(self.accounts);
                let anew = companies.rows(table, schema.clone(), self.companies.iter().cloned());
                Ok(anew)
            };
            let copied = copy(self.from, &self.to, table, |b| hit(b, "account_id", &ids), |_| Ok(()), come)?;
            self.written.insert(table, copied.rows);
        }
        Ok(())
    }

    /// Makes the row of the run fit the other tables; called where something has changed.
    pub(super) fn runs(&mut self) -> Result<(), SinkError> {
        let mut rows = crate::sink::read_runs(self.from)?;
        for row in rows.iter_mut().filter(|r| r.run_id.as_str() == self.from.run_id()) {
            self.done.adjust_run(row);
        }
        let mut writer = writer(self.from, &self.to, Table::Runs)?;
        let batch = encode::runs(writer.schema(), &rows)?;
        writer.write(batch)?;
        self.written.insert(Table::Runs, writer.rows());
        writer.finish()
    }

    fn note(&mut self, table: Table, copied: Copied) {
        self.written.insert(table, copied.rows);
        self.done.dropped(table, copied.dropped);
        self.done.came(table, copied.came);
    }

    /// Whether a row of the table has one of the values.
    fn any(&self, table: Table, column: &'static str, values: &HashSet<String>) -> Result<bool, SinkError> {
        if values.is_empty() {
            return Ok(false);
        }
        let key = Some((column, values.clone()));
        for batch in Batches::open_keyed(self.from, table, key, Some(vec![column.to_owned()]))? {
            if batch?.num_rows() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes over the files of a table as they are.
    fn link(&self, table: Table) -> Result<(), SinkError> {
        let folder = self.to.path(table);
        home::create_dir(&folder)?;
        for file in self.from.files(table)? {
            let to = folder.join(file.file_name().unwrap_or_default());
            // Where there are no hard links, a copy does.
            if fs::hard_link(&file, &to).is_err() {
                fs::copy(&file, &to).map_err(SinkError::io("copy", &to))?;
                fs::File::open(&to).and_then(|f| f.sync_all()).map_err(SinkError::io("sync", &to))?;
            }
        }
        Ok(())
    }
}

/// Companies whose buying center names one of the people.
fn member_of(snapshot: &Snapshot, people: &HashSet<String>) -> Result<Vec<AccountId>, SinkError> {
    let columns = ["account_id", "members"].map(str::to_owned).to_vec();
    let corrupt =
        |column: &str| SinkError::Corrupt { path: snapshot.path(Table::BuyingCenters), column: column.into() };
    let mut companies = Vec::new();
    for batch in Batches::open(snapshot, Table::BuyingCenters, &Select::All, Some(columns))? {
        let batch = batch?;
        let members = batch.column_by_name("members").and_then(|c| c.as_list_opt::<i32>());
        let members = members.ok_or_else(|| corrupt("members"))?;
        for row in 0..batch.num_rows() {
            let row_members = members.value(row);
            let ids = row_members.as_struct_opt().and_then(|s| s.column_by_name("subject_id"));
            let ids = ids.and_then(|c| c.as_string_opt::<i32>()).ok_or_else(|| corrupt("members"))?;
            if ids.iter().flatten().any(|id| people.contains(id)) {
                let id = key_of(&batch, row).0.unwrap_or_default();
                companies.push(AccountId::from_body(id.strip_prefix(AccountId::PREFIX).unwrap_or(&id)));
            }
        }
    }
    Ok(companies)
}

/// A persona as the table gives it back.
fn as_stored(persona: &Persona) -> Result<Persona, SinkError> {
    let schema = Table::Personas.schema(&FileFacts::default());
    let batch = encode::personas(&schema, std::slice::from_ref(persona))?;
    let misfit = |e: decode::Misfit| SinkError::Corrupt { path: PathBuf::new(), column: e.0 };
    Ok(decode::personas(&batch).map_err(misfit)?.pop().expect("one row in, one row out"))
}
