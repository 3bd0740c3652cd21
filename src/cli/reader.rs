//! Reading a home: the current snapshot, through the gate.
//!
//! Invariant: before a persona is shown, the gate is asked again with the newest ledger, and the answer is logged.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::{Timestamp, ToSpan};

use super::HomeArg;
use super::exit::Usage;
use crate::audit::{self, Entry, Kind, Recorder, Stage};
use crate::consent::gate::{Clock, EmitProposal, Gate, Grounds, SubjectFacts};
use crate::consent::people::People;
use crate::model::{DecisionRow, SubjectId};
use crate::persona::rectified::Rectification;
use crate::persona::rows::Persona;
use crate::rights::store::Store;
use crate::run::home::Home;
use crate::sink::{self, Select, Snapshot};
use crate::taxonomy::Operation;

/// A home, open for reading.
pub(super) struct Reader {
    pub home: Home,
    pub pipeline: String,
    pub snapshot: Snapshot,
    pub manifest: serde_json::Value,
    gate: Gate,
    recorder: Recorder,
    asked: Vec<(DecisionRow, Grounds)>,
    store: Store,
}

impl Reader {
    pub fn open(arg: &HomeArg, wall: &Clock) -> anyhow::Result<Self> {
        let home = Home::open(&arg.path())?;
        let pipeline = pipeline_of(&home, arg)?;
        // First, because encrypted tables need a key of the vault.
        let (vault, mut ledger) = home.legal_sparse()?;
        let snapshot = sink::current(home.path(), &pipeline)?.ok_or_else(|| {
            Usage(format!("{}: the pipeline {pipeline} has no snapshot yet; run it first", home.path().display()))
        })?;
        let manifest = snapshot.manifest()?;
        let policy = home.policy(manifest["policy_hash"].as_str().unwrap_or_default())?;
        // The demo stands still at its own time; everywhere else, reading happens now.
        let pinned: Option<Timestamp> = manifest["gate_time"].as_str().and_then(|t| t.parse().ok());
        let clock: Clock = match pinned.filter(|_| home.is_demo()) {
            Some(at) => Arc::new(move || at),
            None => Arc::clone(wall),
        };
        let log = home.audit(&vault, wall)?;
        let store = Store::open_to_read(home.path(), &vault)?;
        let view = ledger.take_view();
        let view = if home.is_demo() { view.pinned() } else { view };
        let people = Arc::new(People::new(vault, ledger));
        let recorder = Recorder::new(log, audit::Keys::Of(Arc::clone(&people)), None, &policy);
        let gate = Gate::new(policy, view, home.ids(), clock).with_people(Some(people));
        Ok(Self { home, pipeline, snapshot, manifest, gate, recorder, asked: Vec::new(), store })
    }

    /// Whether the persona may be shown; a refusal says why.
    pub fn may_read(&mut self, persona: &Persona) -> Result<(), String> {
        let purpose = self.manifest["purpose"].as_str().unwrap_or_default().to_owned();
        let days = self.gate.policy().file().purposes.get(&purpose).map_or(0, |p| p.retention_days);
        let collected_at =
            persona.legal.retain_until.checked_sub((i64::from(days) * 24).hours()).unwrap_or(Timestamp::MIN);
        let facts = SubjectFacts { collected_at, ambiguous: false };
        let decided = self.gate.emit(EmitProposal { subject: persona.subject_id.clone(), purpose, facts });
        let refusal = decided.outcome.err().map(|r| r.reasons.iter().map(ToString::to_string).collect::<Vec<_>>());
        self.asked.push((decided.row, decided.grounds));
        refusal.map_or(Ok(()), |reasons| Err(reasons.join(", ")))
    }

    /// What was put right about a person.
    pub fn rectifications(&self, subject: &SubjectId) -> anyhow::Result<Vec<Rectification>> {
        let key = self.recorder.keys().get(subject)?.context("the vault has no key of that person")?;
        Ok(self.store.rectifications(&key)?)
    }

    /// All subjects of the snapshot that may be shown now.
    pub fn readable(&mut self) -> anyhow::Result<HashSet<SubjectId>> {
        let personas = sink::read_personas(&self.snapshot, &Select::All)?;
        Ok(personas.iter().filter(|p| self.may_read(p).is_ok()).map(|p| p.subject_id.clone()).collect())
    }

    /// Logs what was asked. Called before anything is printed.
    pub fn log(&mut self, command: &str) -> anyhow::Result<()> {
        self.gate.readable()?;
        let asked = std::mem::take(&mut self.asked);
        // A read that asked about nobody is a read all the same.
        let head = self.recorder.leaf(Kind::Read).fact("command", command).fact("asked", asked.len());
        let mut entries: Vec<Entry> = vec![head.into()];
        for decided in asked.chunks(1) {
            let mut entry = self.recorder.entry(Kind::Read, Stage::Read, decided)?;
            entry.leaf = entry.leaf.fact("command", command);
            entries.push(entry);
        }
        let log = self.recorder.log();
        log.append_now(entries).and_then(|_| log.publish()).context("reading must be logged before it happens")
    }

    /// A subject by its id, or by the CRM's record id.
    pub fn persona(&self, text: &str) -> anyhow::Result<Persona> {
        let candidates: Vec<SubjectId> = match text.strip_prefix(SubjectId::PREFIX) {
            Some(body) => vec![SubjectId::from_body(body)],
            None => self.home.crms().iter().map(|crm| self.home.ids().subject(crm, text)).collect(),
        };
        for id in candidates {
            let select = Select::Subject(id.clone());
            if let Some(persona) = sink::read_personas(&self.snapshot, &select)?.pop() {
                return Ok(persona);
            }
            let decisions = sink::read_decisions(&self.snapshot, &select)?;
            if let Some(refusal) = decisions.iter().find(|d| d.operation == Operation::Emit && d.permit_id.is_none()) {
                let reasons = refusal.reasons.join(", ");
                return Err(Usage(format!("{text} ({id}) has no persona; the gate refused it: {reasons}")).into());
            }
        }
        let known = "give a subject id (sub_...) or the CRM's record id";
        Err(Usage(format!("no contact {text} in the snapshot of {}: {known}", self.pipeline)).into())
    }
}

pub(super) fn pipeline_of(home: &Home, arg: &HomeArg) -> anyhow::Result<String> {
    let mut known = sink::pipelines(home.path());
    if let Some(name) = &arg.pipeline {
        if known.contains(name) {
            return Ok(name.clone());
        }
        let known = known.join(", ");
        let text = format!("{}: no pipeline {name:?} has a snapshot here; there are: {known}", home.path().display());
        return Err(Usage(text).into());
    }
    match known.len() {
        1 => Ok(known.remove(0)),
        0 => Err(Usage(format!("{}: no pipeline has been run here yet", home.path().display())).into()),
        _ => Err(Usage(format!("several pipelines: choose with --pipeline one of {}", known.join(", "))).into()),
    }
}
