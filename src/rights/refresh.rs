//! Bringing snapshots in line with the ledger: who may not be written any more is taken out, what may not be profiled any
//! more is computed anew without the profile.
//!
//! Invariant: the gate is asked under the policy of each snapshot; a refusal that says nothing about the person (a stale
//! import, an unapproved policy) takes nobody out.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::consent::decide::Asked;
use crate::consent::gate::{EmitProposal, Gate, InferProposal, SubjectFacts};
use crate::consent::policy::PROFILING;
use crate::consent::reason::Reason;
use crate::model::{About, SubjectId, Target};
use crate::persona::fuse::fuse;
use crate::persona::rows::Persona;
use crate::rights::office::{Office, OfficeError, TakenOut, stopped};
use crate::run::kept;
use crate::run::known::{FusionSettings, Known};
use crate::sink::{self, Change, HomeLock, LockError, Note, Rewritten, Select, SinkError, Snapshot};
use crate::source::id;
use crate::taxonomy::Operation;

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

    fn change(&mut self, snapshot: &Snapshot, people: &HashSet<SubjectId>) -> Result<Change, SinkError> {
        let keep_decisions = self.keep_decisions;
        let out = || Change { keep_decisions, ..Change::remove(people.iter().cloned()) };
        // A damaged manifest must not keep anybody's data alive.
        let Ok(terms) = Terms::of(snapshot) else { return Ok(out()) };
        let Some(gate) = self.gate(&terms.policy_hash) else { return Ok(out()) };
        Ok(Change { keep_decisions, ..change(gate, snapshot, &terms, people)? })
    }
}

/// For what the personas of a snapshot were written, and how.
#[derive(Debug)]
pub(crate) struct Terms {
    /// The policy by which they were judged.
    pub policy_hash: String,
    /// The registered purpose.
    pub purpose: String,
    /// How they were fused; `None` = not known any more: a persona that had to be fused again goes.
    pub fusion: Option<FusionSettings>,
}

impl Terms {
    /// As its manifest tells them.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn of(snapshot: &Snapshot) -> Result<Self, SinkError> {
        let manifest = snapshot.manifest()?;
        let text = |name: &str| manifest[name].as_str().unwrap_or_default().to_owned();
        let (policy_hash, purpose) = (text("policy_hash"), text("purpose"));
        Ok(Self { policy_hash, purpose, fusion: serde_json::from_value(manifest["fusion"].clone()).ok() })
    }
}

/// What is to be changed in a snapshot so that it has nothing of people that the gate refuses now; decisions stay.
///
/// # Errors
/// The tables cannot be read.
pub(crate) fn change(
    gate: &Gate,
    snapshot: &Snapshot,
    terms: &Terms,
    people: &HashSet<SubjectId>,
) -> Result<Change, SinkError> {
    let people = &Select::Subjects(people.clone());
    // What another policy does not permit tells nothing: only a no does.
    let is_own = terms.policy_hash == gate.policy().hash();
    let is_about_person = |reason: Reason| if is_own { is_about_person(reason) } else { reason.is_a_no() };
    let mut change = Change::leave_out([]);
    let mut profiles = None;
    let personas = sink::read_personas(snapshot, people)?;
    // Whose personas stay without the profile, and who of them said no.
    let (mut without_profile, mut noes) = (Vec::new(), HashSet::new());
    for persona in &personas {
        let subject = &persona.subject_id;
        let collected_at = gate.first_seen(subject).unwrap_or(gate.now());
        let facts = SubjectFacts { collected_at, ambiguous: false };
        let proposal = EmitProposal { subject: subject.clone(), purpose: terms.purpose.clone(), facts };
        if gate.emit(proposal).outcome.is_err_and(|r| tells(&r.reasons, is_about_person)) {
            change.remove.insert(subject.clone());
            continue;
        }
        let sources = match &mut profiles {
            Some(profiles) => profiles,
            none => none.insert(profile_sources(snapshot, people)?),
        };
        let sources = sources.get(subject);
        if sources.is_none() && persona.study_priors.is_empty() && persona.segment_values.is_empty() {
            continue;
        }
        let crm = BTreeSet::from([id::CRM.to_owned()]);
        // Where there is no evidence there are values of studies or of the segment: only a no takes those away.
        let said_no = is_refused(gate, sources.unwrap_or(&crm), persona, facts, Reason::is_a_no);
        if said_no || sources.is_some_and(|sources| is_refused(gate, sources, persona, facts, is_about_person)) {
            without_profile.push(persona);
            noes.extend(said_no.then_some(subject));
        }
    }
    let Some(settings) = &terms.fusion else {
        change.remove.extend(without_profile.into_iter().map(|persona| persona.subject_id.clone()));
        return Ok(change);
    };
    Known::each(snapshot, &without_profile, |persona, mut known| {
        let subject = &persona.subject_id;
        known.without_profile(noes.contains(subject));
        change.evidence.insert(subject.clone(), known.own_signals(subject));
        change.personas.insert(subject.clone(), fuse(&known.input(persona, settings)));
    })?;
    Ok(change)
}

/// The sources of the profiles that a snapshot has of people.
fn profile_sources(snapshot: &Snapshot, people: &Select) -> Result<HashMap<SubjectId, BTreeSet<String>>, SinkError> {
    let mut sources: HashMap<SubjectId, BTreeSet<String>> = HashMap::new();
    for signal in sink::read_evidence(snapshot, people)?.into_iter().filter(|s| s.claim.is_profile()) {
        if let About::Subject(subject, _) = signal.about {
            sources.entry(subject).or_default().insert(signal.evidence.source_id);
        }
    }
    Ok(sources)
}

/// Whether the gate refuses now, for such a reason, a profile that rests on these sources.
fn is_refused(
    gate: &Gate,
    sources: &BTreeSet<String>,
    persona: &Persona,
    facts: SubjectFacts,
    reason: impl Fn(Reason) -> bool + Copy,
) -> bool {
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
        gate.infer_asking(proposal, asked).outcome.is_err_and(|r| tells(&r.reasons, reason))
    })
}

/// Whether such a reason is among these; where nothing could be read of a person, none says anything.
fn tells(reasons: &[Reason], reason: impl Fn(Reason) -> bool) -> bool {
    !reasons.contains(&Reason::IntegrityFailure) && reasons.iter().copied().any(reason)
}

/// Whether a reason says something about the person, and not about the state of the home.
fn is_about_person(reason: Reason) -> bool {
    reason.is_a_no() || matches!(reason, Reason::NoBasis | Reason::Expired | Reason::RetentionElapsed)
}

/// Brings every snapshot in line with the ledger, for these people; nothing is kept of pages that were read for them.
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
    let people: HashSet<SubjectId> = people.iter().cloned().collect();
    if reason != RETENTION {
        office.seal_restricted(&people)?;
    }
    kept::forget(office.home.path(), people.iter().filter_map(|subject| office.vault.key(subject)))?;
    if reason == RETENTION && !people.is_empty() {
        // Nothing of theirs is carried over, nor what is known of their rows.
        sink::forget_rows(office.home.path())?;
    }
    let mut judge = Judge { office, keep_decisions: reason != RETENTION, gates: HashMap::new() };
    let note = Note { at: office.now(), reason };
    let tell = |snapshot: &Snapshot, done: &Rewritten| office.log_rewritten(snapshot, done, reason);
    let change = |snapshot: &Snapshot| judge.change(snapshot, &people);
    Ok(TakenOut::Rewritten(sink::rewrite_each(office.home.path(), note, change, tell)?))
}

/// Everybody of whom a snapshot keeps anything longer than the policy of that snapshot allows, sorted.
///
/// # Errors
/// The tables cannot be read.
pub fn overdue(office: &Office) -> Result<Vec<SubjectId>, OfficeError> {
    let mut over = BTreeSet::new();
    for snapshot in sink::all_snapshots(office.home.path())? {
        // Where the manifest is damaged, each persona tells still until when it is kept.
        let policy = Terms::of(&snapshot).ok().and_then(|terms| office.home.policy(&terms.policy_hash).ok());
        let profiled: std::collections::HashSet<SubjectId> = sink::read_evidence(&snapshot, &Select::All)?
            .into_iter()
            .filter(|s| s.claim.is_profile())
            .filter_map(|s| match s.about {
                About::Subject(id, _) => Some(id),
                About::Account(_) => None,
            })
            .collect();
        for persona in sink::read_personas(&snapshot, &Select::All)? {
            let first = office.ledger.view().first_seen(&persona.subject_id);
            let profile_end = policy.as_ref().zip(first).and_then(|(p, first)| p.retain_until(PROFILING, first));
            let profile_over = profiled.contains(&persona.subject_id) && profile_end.is_some_and(|e| e <= office.now());
            let over_now = persona.legal.retain_until <= office.now() || profile_over;
            if over_now && office.vault.key(&persona.subject_id).is_some() {
                over.insert(persona.subject_id);
            }
        }
    }
    Ok(over.into_iter().collect())
}
