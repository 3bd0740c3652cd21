//! Bringing snapshots in line with the ledger: who may not be written any more is taken out, what may not be profiled any
//! more is computed anew without the profile.
//!
//! Invariant: the gate is asked under the policy of each snapshot; a refusal that says nothing about the person (a stale
//! import, an unapproved policy) takes nobody out.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::consent::decide::Asked;
use crate::consent::gate::{EmitProposal, Gate, InferProposal, SubjectFacts};
use crate::consent::reason::Reason;
use crate::model::{About, SubjectId, Target};
use crate::persona::fuse::fuse;
use crate::persona::rows::Persona;
use crate::rights::office::{Office, OfficeError, TakenOut, stopped};
use crate::run::known::{FusionSettings, Known, is_profile};
use crate::sink::{self, Change, HomeLock, LockError, Note, Select, SinkError, Snapshot};
use crate::taxonomy::Operation;

/// The purpose under which traits, motives, goals and channels are read.
const PROFILING: &str = "profiling";

/// The reason under which a sweep rewrites snapshots.
pub const RETENTION: &str = "retention";

/// What the gate says about people now, snapshot by snapshot.
struct Judge<'a> {
    office: &'a Office,
    /// What was decided about those who are taken out stays as proof; but not beyond retention.
    keep_decisions: bool,
    gates: HashMap<String, Gate>,
}

impl Judge<'_> {
    /// The gate under the policy of a snapshot; `None` = the policy is not kept any more.
    fn gate(&mut self, hash: &str) -> Option<&Gate> {
        if !self.gates.contains_key(hash) {
            let policy = self.office.home.policy(hash).ok()?;
            let view = self.office.ledger.view().clone();
            let view = if self.office.home.is_demo() { view.pinned() } else { view };
            let clock = stopped(self.office.now());
            self.gates.insert(hash.to_owned(), Gate::new(policy, view, self.office.home.ids(), clock));
        }
        self.gates.get(hash)
    }

    fn change(&mut self, snapshot: &Snapshot, people: &[SubjectId]) -> Result<Change, SinkError> {
        let manifest = snapshot.manifest()?;
        let text = |name: &str| manifest[name].as_str().unwrap_or_default().to_owned();
        let (hash, purpose) = (text("policy_hash"), text("purpose"));
        let (office, keep_decisions) = (self.office, self.keep_decisions);
        let Some(gate) = self.gate(&hash) else { return Ok(Change::leave_out(people.iter().cloned())) };
        let mut change = Change { keep_decisions, ..Change::default() };
        let mut profiles = None;
        for persona in personas_of(snapshot, people)? {
            let subject = &persona.subject_id;
            let collected_at = office.ledger.view().first_seen(subject).unwrap_or(office.now());
            let facts = SubjectFacts { collected_at, ambiguous: false };
            let proposal = EmitProposal { subject: subject.clone(), purpose: purpose.clone(), facts };
            if gate.emit(proposal).outcome.is_err_and(|r| r.reasons.iter().copied().any(is_about_person)) {
                change.remove.insert(subject.clone());
                continue;
            }
            let sources = match &mut profiles {
                Some(profiles) => profiles,
                none => none.insert(profile_sources(snapshot, people)?),
            };
            if sources.get(subject).is_some_and(|sources| may_not_profile(gate, sources, &persona, facts)) {
                let settings: FusionSettings = serde_json::from_value(manifest["fusion"].clone())
                    .map_err(|_| SinkError::Current { path: snapshot.folder().join("manifest.json") })?;
                let mut known = Known::read(snapshot, &persona)?;
                known.without_profile();
                change.evidence.insert(subject.clone(), known.own_signals(subject));
                let fused = fuse(&known.input(&persona, &settings));
                change.personas.insert(subject.clone(), fused);
            }
        }
        Ok(change)
    }
}

/// The personas of people. The table is read through once for several, not once for each.
fn personas_of(snapshot: &Snapshot, people: &[SubjectId]) -> Result<Vec<Persona>, SinkError> {
    if let [one] = people {
        return sink::read_personas(snapshot, &Select::Subject(one.clone()));
    }
    let wanted: HashSet<&SubjectId> = people.iter().collect();
    let mut personas = sink::read_personas(snapshot, &Select::All)?;
    personas.retain(|persona| wanted.contains(&persona.subject_id));
    Ok(personas)
}

/// The sources of the profiles that a snapshot has of people; this table, too, is read through once.
fn profile_sources(
    snapshot: &Snapshot,
    people: &[SubjectId],
) -> Result<HashMap<SubjectId, BTreeSet<String>>, SinkError> {
    let select = if let [one] = people { Select::Subject(one.clone()) } else { Select::All };
    let mut sources: HashMap<SubjectId, BTreeSet<String>> = HashMap::new();
    for signal in sink::read_evidence(snapshot, &select)?.into_iter().filter(|s| is_profile(&s.claim)) {
        if let About::Subject(subject, _) = signal.about {
            sources.entry(subject).or_default().insert(signal.evidence.source_id);
        }
    }
    Ok(sources)
}

/// Whether the gate refuses now a profile that rests on these sources.
fn may_not_profile(gate: &Gate, sources: &BTreeSet<String>, persona: &Persona, facts: SubjectFacts) -> bool {
    sources.iter().any(|source_id| {
        let proposal = InferProposal {
            target: Target::Subject(persona.subject_id.clone(), persona.account_id.clone()),
            source_id: source_id.clone(),
            purpose: PROFILING.to_owned(),
            operation: Operation::Profile,
            facts: Some(facts),
        };
        // The age of the evidence says nothing about the person.
        let asked = Asked::of_person(Operation::Profile, None);
        gate.infer_asking(proposal, asked).outcome.is_err_and(|r| r.reasons.iter().copied().any(is_about_person))
    })
}

/// Whether a reason says something about the person, and not about the state of the home.
fn is_about_person(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Erased
            | Reason::Suppressed
            | Reason::Restricted
            | Reason::MarketingObjection
            | Reason::ObjectionPending
            | Reason::Withdrawn
            | Reason::NoBasis
            | Reason::Expired
            | Reason::RetentionElapsed
    )
}

/// Brings every snapshot in line with the ledger, for these people.
///
/// # Errors
/// Tables or log cannot be written.
pub fn refresh(office: &Office, people: &[SubjectId], reason: &'static str) -> Result<TakenOut, OfficeError> {
    let _lock = match HomeLock::acquire(office.home.path()) {
        Ok(lock) => lock,
        Err(LockError::Held { .. }) => return Ok(TakenOut::RunGoesOn),
        Err(error) => return Err(error.into()),
    };
    refresh_locked(office, people, reason)
}

/// The same, by a caller who holds the home.
///
/// # Errors
/// Tables or log cannot be written.
pub fn refresh_locked(office: &Office, people: &[SubjectId], reason: &'static str) -> Result<TakenOut, OfficeError> {
    let mut judge = Judge { office, keep_decisions: reason != RETENTION, gates: HashMap::new() };
    let note = Note { at: office.now(), reason };
    let changed = sink::rewrite_each(office.home.path(), note, |snapshot| judge.change(snapshot, people))?;
    office.log_rewritten(&changed, reason)?;
    Ok(TakenOut::Rewritten(changed))
}

/// Everybody of whom a snapshot keeps anything longer than the policy of that snapshot allows, sorted.
///
/// # Errors
/// The tables cannot be read.
pub fn overdue(office: &Office) -> Result<Vec<SubjectId>, OfficeError> {
    let mut over = BTreeSet::new();
    for pipeline in sink::pipelines(office.home.path()) {
        for snapshot in sink::snapshots(office.home.path(), &pipeline)? {
            let hash = snapshot.manifest()?["policy_hash"].as_str().unwrap_or_default().to_owned();
            let policy = office.home.policy(&hash).ok();
            let profiled: std::collections::HashSet<SubjectId> = sink::read_evidence(&snapshot, &Select::All)?
                .into_iter()
                .filter(|s| is_profile(&s.claim))
                .filter_map(|s| match s.about {
                    About::Subject(id, _) => Some(id),
                    About::Account(_) => None,
                })
                .collect();
            for persona in sink::read_personas(&snapshot, &Select::All)? {
                let first = office.ledger.view().first_seen(&persona.subject_id);
                let profile_end = policy.as_ref().zip(first).and_then(|(p, first)| p.retain_until(PROFILING, first));
                let profile_over =
                    profiled.contains(&persona.subject_id) && profile_end.is_some_and(|e| e <= office.now());
                let over_now = persona.legal.retain_until <= office.now() || profile_over;
                if over_now && office.vault.key(&persona.subject_id).is_some() {
                    over.insert(persona.subject_id);
                }
            }
        }
    }
    Ok(over.into_iter().collect())
}
