//! Collecting everything about one person: every snapshot of every pipeline, the ledger, the log, what was put right.
//!
//! Invariant: read from the stores themselves, whatever the gate would say today; access needs no permit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::texts::{RIGHTS, Texts};
use super::{
    AccessDecision, Bundle, Controller, ControllerFacts, CrmField, ExplainedPersona, Interest, LedgerEntry, Notice,
    Profiling, Purpose, Recipient, Record, Recording, RectificationEntry, Retention, SCHEMA_VERSION, Source, Subject,
    rows, sealed,
};
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::ledger::LedgerView;
use crate::consent::policy::Policy;
use crate::consent::restriction::is_restricted;
use crate::crm::CrmError;
use crate::keys::SubjectKey;
use crate::model::SubjectId;
use crate::persona::rectified::Rectification;
use crate::run::home::{Home, HomeError};
use crate::run::kept::{self, KeptError};
use crate::sink::{self, Select, SinkError, Snapshot};
use crate::taxonomy::{Language, SourceClass};

/// Why a bundle cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A snapshot cannot be read.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The sealed copy is none that this version can read.
    #[error(
        "the sealed copy of restricted data is none that this version can read: use the version that wrote it; if that cannot \
         read it either, it is damaged: restore the newest backup of the whole home"
    )]
    Restricted,
    /// The home cannot be read.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// What is kept of pages cannot be read.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// What is kept of the rows of exports cannot be read.
    #[error("{0}: delete the file, the next run works on everybody then")]
    Rows(#[from] CrmError),
}

/// What a bundle is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The home.
    pub home: &'a Home,
    /// Whom it is about.
    pub subject: &'a SubjectId,
    /// The ledger.
    pub ledger: &'a LedgerView,
    /// What the log and its payloads hold about the person, oldest first.
    pub decisions: &'a [AccessDecision],
    /// The sealed copy of somebody whose data are restricted, opened (see [`crate::rights::restrict::keep`]).
    pub restricted: Option<&'a [u8]>,
    /// The person's key.
    pub key: &'a SubjectKey,
    /// What is sealed of rectifications.
    pub rectified: &'a [Rectification],
    /// The row of the CRM, where an export was given (see [`super::crm_fields`]).
    pub crm: Option<&'a [CrmField]>,
    /// What the controller adds.
    pub facts: &'a ControllerFacts,
    /// Languages of the texts, first = main (see [`super::languages`]).
    pub languages: &'a [Language],
    /// When the bundle is made.
    pub now: Timestamp,
}

/// What is met while snapshots are read.
#[derive(Default)]
struct Found {
    recordings: Vec<Recording>,
    pages: Vec<Timestamp>,
    row_hashes: Vec<String>,
    records: Vec<Record>,
    personas: Vec<ExplainedPersona>,
    policies: BTreeMap<String, Policy>,
    purposes: BTreeSet<String>,
    crm_records: BTreeSet<String>,
    notice: Option<String>,
    retain_until: Option<Timestamp>,
}

/// Collects everything.
///
/// # Errors
/// A store cannot be read; a bundle that lacks something is never made.
pub fn gather(of: &Sources<'_>) -> Result<Bundle, AccessError> {
    let mut found = Found::default();
    for pipeline in sink::pipelines(of.home.path()) {
        let current = sink::current(of.home.path(), &pipeline)?;
        for snapshot in sink::snapshots(of.home.path(), &pipeline)? {
            let own = rows::rows(&pipeline, &snapshot, of.subject)?;
            if own.is_empty() {
                continue;
            }
            found.records.extend(own);
            let is_current = current.as_ref().is_some_and(|c| c.run_id() == snapshot.run_id());
            found.read(of, &pipeline, &snapshot, is_current)?;
        }
    }
    found.recordings = recordings(of.home)?;
    found.pages = kept::of_person(of.home.path(), of.key)?;
    found.row_hashes = rows::hashes(of.home, of.subject)?;
    if let Some(copy) = of.restricted {
        found.read_sealed(of, copy)?;
    }
    found.purposes.extend(of.decisions.iter().map(|d| d.purpose.clone()));
    for r in &found.records {
        found.purposes.extend(r.row.get("purpose").and_then(Value::as_str).map(str::to_owned));
        found.crm_records.extend(
            r.row.get("crm_record").filter(|_| r.table == "personas").and_then(Value::as_str).map(str::to_owned),
        );
    }
    Ok(found.bundle(of))
}

/// The recordings of the home.
fn recordings(home: &Home) -> Result<Vec<Recording>, AccessError> {
    let unreadable = |source| HomeError::Io { path: home.path().join("cassettes"), source };
    let all = crate::fetch::cassettes(home.path()).map_err(unreadable)?;
    let listed = all.into_iter().map(|tape| Recording {
        run: tape.head.run,
        pipeline: tape.head.pipeline,
        as_of: tape.head.as_of,
        until: tape.head.until,
        bytes: tape.bytes,
    });
    Ok(listed.collect())
}

impl Found {
    /// The persona of a snapshot, its policy and its legal columns; older personas stand in the records only.
    fn read(
        &mut self,
        of: &Sources<'_>,
        pipeline: &str,
        snapshot: &Snapshot,
        is_current: bool,
    ) -> Result<(), AccessError> {
        let manifest = snapshot.manifest()?;
        if let Some(hash) = manifest["policy_hash"].as_str()
            && !self.policies.contains_key(hash)
        {
            self.policies.insert(hash.to_owned(), of.home.policy(hash)?);
        }
        let purpose = manifest["purpose"].as_str().map(str::to_owned);
        let Some(persona) = sink::read_personas(snapshot, &Select::Subject(of.subject.clone()))?.pop() else {
            return Ok(());
        };
        self.purposes.extend(purpose);
        self.notice = Some(persona.legal.notice_status.clone());
        self.retain_until = self.retain_until.max(Some(persona.legal.retain_until));
        if !is_current {
            return Ok(());
        }
        let terms = (pipeline, snapshot, &manifest);
        let explained = |_: &SubjectId, persona| self.personas.push(persona);
        Ok(sealed::explained(terms, &[persona], |_| of.rectified, of.languages, explained)?)
    }

    /// What the sealed copy of somebody holds whose processing is restricted.
    fn read_sealed(&mut self, of: &Sources<'_>, copy: &[u8]) -> Result<(), AccessError> {
        for part in sealed::parts(copy).map_err(|_| AccessError::Restricted)? {
            self.records.extend(part.records());
            self.personas.extend(part.persona(of.languages));
            self.notice = part.notice().or(self.notice.take());
            self.retain_until = self.retain_until.max(part.retain_until());
            if !part.policy_hash.is_empty() && !self.policies.contains_key(&part.policy_hash) {
                let policy = of.home.policy(&part.policy_hash)?;
                self.policies.insert(part.policy_hash, policy);
            }
            self.purposes.extend(Some(part.purpose).filter(|purpose| !purpose.is_empty()));
        }
        Ok(())
    }

    fn bundle(self, of: &Sources<'_>) -> Bundle {
        let texts = |key: &str| -> BTreeMap<Language, String> {
            of.languages.iter().map(|l| (*l, Texts::of(*l).word(key).to_owned())).collect()
        };
        let rights = RIGHTS.map(|r| of.languages.iter().map(|l| (*l, Texts::of(*l).right(r).to_owned())).collect());
        // Of a copy that an older version sealed the values stand in the records alone.
        let has_value = |p: &ExplainedPersona| p.sealed || p.facets.iter().any(|f| f.value.is_some());
        let exists = self.personas.iter().any(has_value);
        let first_collected = of.ledger.first_seen(of.subject);
        let recipients = self.recipients(of);
        let purposes = self.purposes();
        let until = self.until(first_collected);
        let due = first_collected.and_then(|at| self.policies.values().map(|p| p.notice_due(at)).min());
        Bundle {
            schema_version: SCHEMA_VERSION,
            made_at: of.now,
            languages: of.languages.to_vec(),
            subject: Subject {
                subject_id: of.subject.to_string(),
                crm_records: self.crm_records.into_iter().collect(),
                companies: companies(&self.records),
            },
            controller: Controller {
                name: of.home.controller().to_owned(),
                address: of.facts.address.clone(),
                data_protection: of.facts.data_protection.clone(),
                authority: of.facts.authority.clone(),
            },
            purposes,
            sources: sources(&self.records),
            recipients,
            retention: Retention { first_collected, until },
            notice: Notice { status: self.notice, due, given: notices(of) },
            rights: rights.to_vec(),
            complaint: texts("complaint"),
            profiling: Profiling {
                exists,
                automated_decision: false,
                logic: texts("logic"),
                consequences: texts("consequences"),
            },
            personas: self.personas,
            ledger: ledger(of),
            rectifications: of.rectified.iter().map(rectification).collect(),
            decisions: of.decisions.to_vec(),
            crm: of.crm.map(<[CrmField]>::to_vec),
            restricted: of.restricted.is_some() || is_restricted(events(of).iter(), of.now),
            recordings: self.recordings,
            pages: self.pages,
            row_hashes: self.row_hashes,
            records: self.records,
        }
    }

    /// The purposes of the newest policies that know them.
    fn purposes(&self) -> Vec<Purpose> {
        let find = |name: &String| {
            let policy = self.policies.values().rev().find(|p| p.file().purposes.contains_key(name))?;
            let p = &policy.file().purposes[name];
            let covers = |a: &crate::consent::policy::Assessment| a.interest.is_some() && a.purposes.contains(name);
            let interests = policy.file().assessments.iter().filter(|(_, a)| covers(a)).map(|(id, a)| Interest {
                id: id.clone(),
                interest: a.interest.clone(),
                necessity: a.necessity.clone(),
                balancing: a.balancing.clone(),
            });
            Some(Purpose {
                name: name.clone(),
                description: p.description.clone(),
                operations: p.operations.clone(),
                bases: p.bases.iter().map(|b| b.article().to_owned()).collect(),
                categories: p.data_categories.clone(),
                retention_days: p.retention_days,
                recipients: p.recipients.clone(),
                interests: interests.collect(),
            })
        };
        self.purposes.iter().filter_map(find).collect()
    }

    fn recipients(&self, of: &Sources<'_>) -> Vec<Recipient> {
        let mut all: BTreeMap<String, Recipient> = BTreeMap::new();
        for policy in self.policies.values() {
            for (purpose, p) in policy.file().purposes.iter().filter(|(name, _)| self.purposes.contains(*name)) {
                for name in &p.recipients {
                    let facts = policy.file().recipients.get(name);
                    let entry = all.entry(name.clone()).or_insert_with(|| Recipient {
                        name: name.clone(),
                        region: facts.map_or_else(String::new, |r| r.region.clone()),
                        transfer_tool: facts.and_then(|r| r.transfer_tool.clone()),
                        purposes: Vec::new(),
                        disclosed: Vec::new(),
                    });
                    if !entry.purposes.contains(purpose) {
                        entry.purposes.push(purpose.clone());
                    }
                }
            }
        }
        for d in of.decisions.iter().filter(|d| d.outcome == "permit") {
            for name in &d.recipients {
                // A recipient that no policy of a snapshot names any more still received something.
                let entry = all.entry(name.clone()).or_insert_with(|| Recipient {
                    name: name.clone(),
                    region: String::new(),
                    transfer_tool: None,
                    purposes: vec![d.purpose.clone()],
                    disclosed: Vec::new(),
                });
                entry.disclosed.push(d.at);
            }
        }
        all.into_values().collect()
    }

    fn until(&self, first_collected: Option<Timestamp>) -> BTreeMap<String, Timestamp> {
        let end = |name: &String| {
            let at = first_collected?;
            let ends = self.policies.values().filter_map(|p| p.retain_until(name, at));
            Some((name.clone(), ends.max()?))
        };
        let mut all: BTreeMap<String, Timestamp> = self.purposes.iter().filter_map(end).collect();
        if let (true, Some(until)) = (all.is_empty(), self.retain_until) {
            all.insert("persona".to_owned(), until);
        }
        all
    }
}

fn companies(records: &[Record]) -> Vec<String> {
    let names = records.iter().filter(|r| r.table == "accounts").filter_map(|r| r.row.get("name")?.as_str());
    names.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Sources with hosts, from the evidence of every snapshot; a finding that several snapshots hold counts once.
fn sources(records: &[Record]) -> Vec<Source> {
    let mut all: BTreeMap<(String, Option<String>), Source> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for row in records.iter().filter(|r| r.table == "evidence").map(|r| &r.row) {
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let read = || {
            let class: SourceClass = text("source_class")?.parse().ok()?;
            let at: Timestamp = text("observed_at")?.parse().ok()?;
            Some((text("source")?, class, at))
        };
        let Some((source, class, at)) = read() else { continue };
        let host = text("host");
        let new = seen.insert(text("signal_id"));
        let entry = all.entry((source.clone(), host.clone())).or_insert(Source {
            source,
            class,
            host,
            first: at,
            last: at,
            findings: 0,
        });
        entry.first = entry.first.min(at);
        entry.last = entry.last.max(at);
        entry.findings += usize::from(new);
    }
    all.into_values().collect()
}

fn events<'a>(of: &Sources<'a>) -> &'a [LegalEvent] {
    of.ledger.events(of.subject).unwrap_or_default()
}

fn notices(of: &Sources<'_>) -> Vec<Timestamp> {
    events(of).iter().filter(|e| e.kind == EventKind::Notice).map(LegalEvent::effective_at).collect()
}

fn ledger(of: &Sources<'_>) -> Vec<LedgerEntry> {
    let word = |v: Value| v.as_str().unwrap_or_default().to_owned();
    let make = |e: crate::consent::ledger::Entry<'_>| LedgerEntry {
        entry: e.seq,
        known_at: e.known_at,
        effective_at: e.event.effective_at(),
        kind: serde_json::to_value(e.event.kind).map(word).unwrap_or_default(),
        basis: e.event.basis.map(|b| b.article().to_owned()),
        purposes: e.event.scope.purposes.iter().cloned().collect(),
        event: serde_json::to_value(e.event).unwrap_or(Value::Null),
    };
    of.ledger.entries(of.subject).into_iter().map(make).collect()
}

fn rectification(r: &Rectification) -> RectificationEntry {
    RectificationEntry {
        facet: r.correction.facet(),
        value: r.correction.value(),
        reason: r.reason.clone(),
        at: r.at,
        by: r.by.as_str().to_owned(),
        evidence: r.evidence.clone(),
    }
}
