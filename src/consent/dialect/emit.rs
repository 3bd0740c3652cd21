//! From facts to legal events.
//!
//! Invariant: a no always becomes an event for everybody it may concern; a yes becomes one only through the mapping,
//! for exactly one person, with a date, and only where no record of the same import says no. The order of the
//! records does not matter.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::fact::{Dated, Dates, Fact, Says, is_future};
use super::mapping::{Grant, OptOut};
use super::record::{Place, Problem};
use super::spec::{Flag, Status};
use super::when::when;
use super::{Dialect, Outcome, Reading, STANDING};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::model::SubjectId;

/// What a fact is a version of.
type Statement<'f> = (&'f str, &'f str, &'f str);

/// What facts become, some of them at a time.
#[derive(Default)]
pub(super) struct Emission {
    events: BTreeMap<[u8; 32], LegalEvent>,
    grants: Vec<Pending>,
}

/// A grant that stands if nothing of the import speaks against it.
struct Pending {
    grant: LegalEvent,
    /// That something does.
    against: Problem,
    /// Everybody whom its record is about.
    about: BTreeSet<SubjectId>,
}

impl Emission {
    /// Makes events of facts; those that may contradict each other come together. `about` tells whom a record is about.
    pub fn take(
        &mut self,
        reading: &Reading<'_>,
        facts: &[Fact<'_>],
        about: &dyn Fn(&Place) -> BTreeSet<SubjectId>,
        outcome: &mut Outcome,
    ) {
        let contradicted = contradicted(reading, facts, outcome);
        for fact in facts {
            let emitter = Emitter { reading, fact };
            match &fact.says {
                Says::No { flag, at } => {
                    let new = emitter.negatives(flag, *at, outcome);
                    self.events.extend(new.into_iter().map(|e| (e.digest(), e)));
                }
                Says::Nothing => {}
                Says::Yes { .. } if contradicted.contains(&statement(fact)) => {}
                Says::Yes { basis, dates, status } => {
                    let Some(grant) = emitter.grant(*basis, dates, status, outcome) else { continue };
                    let advice = "another record of this import says no for the same person, so this one grants nothing; \
                                  correct one of the two";
                    let against = Problem {
                        subject: Some(grant.subject.clone()),
                        ..fact.item.problem(Some(&fact.field), "contradicting_rows", advice)
                    };
                    self.grants.push(Pending { grant, against, about: about(&fact.item.at) });
                }
            }
        }
    }

    /// Tells what became of all.
    pub fn finish(self, outcome: &mut Outcome) {
        let mut noes: HashMap<&SubjectId, Vec<&LegalEvent>> = HashMap::new();
        for no in self.events.values().filter(|e| e.kind.is_negative()) {
            noes.entry(&no.subject).or_default().push(no);
        }
        for Pending { grant, against, about } in self.grants {
            let of_person = noes.get(&grant.subject).map_or(&[][..], Vec::as_slice);
            if of_person.iter().any(|no| speaks_against(no, &grant)) {
                outcome.problems.push(against);
                outcome.unclear.extend(about);
            } else {
                outcome.events.push(grant);
            }
        }
        outcome.events.extend(self.events.into_values());
    }
}

fn statement<'f>(fact: &'f Fact<'_>) -> Statement<'f> {
    (&fact.object.name, &fact.id, &fact.field)
}

/// Statements that stand in several records and differ: what they grant is not taken from any of them.
fn contradicted<'f>(reading: &Reading<'_>, facts: &'f [Fact<'_>], outcome: &mut Outcome) -> BTreeSet<Statement<'f>> {
    let mut versions: BTreeMap<Statement<'f>, BTreeSet<Vec<Option<&'f str>>>> = BTreeMap::new();
    for fact in facts {
        versions.entry(statement(fact)).or_default().insert(version(reading, fact));
    }
    versions.retain(|_, v| v.len() > 1);
    let twice: BTreeSet<Statement<'f>> = versions.into_keys().collect();
    let mut told = BTreeSet::new();
    for fact in facts.iter().filter(|f| twice.contains(&statement(f))) {
        if told.insert((&fact.item.at, &fact.field)) {
            let advice =
                "another record with this id says something else, so only a no is taken from them; export once";
            outcome.problems.push(fact.item.problem(Some(&fact.field), "contradicting_rows", advice));
        }
    }
    twice
}

/// All that a statement rests on, as exported.
fn version<'f>(reading: &Reading<'_>, fact: &'f Fact<'_>) -> Vec<Option<&'f str>> {
    let cell = |name: &String| fact.item.get(name);
    let mut version = vec![fact.item.get(&fact.field)];
    if let Says::Yes { status, .. } = &fact.says {
        version.extend([&status.at, &status.from, &status.to].into_iter().flatten().map(cell));
        version.push(status.basis.as_ref().and_then(|b| fact.item.get(&b.field)));
        let mapped = reading.mapping.grant(reading.dialect, &fact.field, &fact.value, &fact.labels);
        version.push(mapped.and_then(|grant| fact.item.get(grant.date_field.as_ref()?)));
    }
    version
}

/// Whether a no takes back what a grant of the same import gives the same person.
fn speaks_against(no: &LegalEvent, grant: &LegalEvent) -> bool {
    let purposes = &no.scope.purposes;
    purposes.is_empty()
        || purposes.contains("marketing")
        || purposes.intersection(&grant.scope.purposes).next().is_some()
}

struct Emitter<'e> {
    reading: &'e Reading<'e>,
    fact: &'e Fact<'e>,
}

impl Emitter<'_> {
    fn problem(&self, field: &str, reason: &'static str, advice: &'static str, outcome: &mut Outcome) {
        outcome.problems.push(self.fact.item.problem(Some(field), reason, advice));
    }

    /// Everybody that the fact may be about.
    fn subjects(&self, outcome: &mut Outcome) -> BTreeSet<SubjectId> {
        let found: BTreeSet<SubjectId> = self.fact.who.iter().flat_map(|key| (self.reading.resolve)(key)).collect();
        if found.is_empty() {
            let advice = "about nobody whom this home knows; run the pipeline on the contact first, or give --contacts";
            // Once a record, however much it says.
            let may_be = if matches!(self.fact.says, Says::No { .. }) { self.fact.who.clone() } else { Vec::new() };
            let problem = self.fact.item.problem(None, super::NOBODY_KNOWN, advice);
            // Records of a CRM have ids of their own, and may be about somebody who is no contact.
            if self.reading.dialect == Dialect::List
                && self.fact.who.is_empty()
                && matches!(self.fact.says, Says::No { .. })
            {
                outcome.nobodys.get_or_insert_with(|| self.fact.item.at.clone());
            }
            outcome.problems.push(Problem { may_be, ..problem });
        }
        found
    }

    fn negatives(&self, flag: &Flag, at: Dated, outcome: &mut Outcome) -> Vec<LegalEvent> {
        let recorded_at = match at {
            Dated::At(at) => at,
            Dated::Undated | Dated::Unreadable => STANDING,
        };
        let fact = self.fact;
        // Noes of lists have fields of their own.
        let asked = if fact.item.column.is_some() { "answer" } else { &fact.field };
        let mapped: Vec<&Grant> = self.reading.mapping.about(self.reading.dialect, asked, &fact.labels).collect();
        let narrowed = fact.field != "erases"
            && fact.field != "restricts"
            && !mapped.is_empty()
            && mapped.iter().all(|g| g.opt_out == OptOut::Withdrawal);
        // An opt-out by a word that nobody here knows is never narrowed.
        let known = !self.is_unknown_word();
        let mut kinds = Vec::new();
        if !(narrowed && known) {
            kinds.push((flag.event, flag.purposes.clone()));
        }
        let withdrawn: BTreeSet<String> = mapped.iter().flat_map(|g| g.purposes.iter().cloned()).collect();
        if !withdrawn.is_empty() {
            kinds.push((EventKind::Withdraw, withdrawn));
        }
        let subjects = self.subjects(outcome);
        let events = subjects.iter().flat_map(|subject| {
            kinds.iter().map(|(kind, purposes)| LegalEvent {
                scope: Scope { purposes: purposes.clone(), ..Scope::default() }.into(),
                ..self.event(subject, *kind, recorded_at)
            })
        });
        events.collect()
    }

    fn is_unknown_word(&self) -> bool {
        self.fact.object.statuses.get(&self.fact.field).is_some_and(|s| !s.values.contains_key(&self.fact.value))
    }

    fn grant(
        &self,
        basis: Option<LawfulBasis>,
        dates: &Dates,
        status: &Status,
        outcome: &mut Outcome,
    ) -> Option<LegalEvent> {
        let (reading, fact) = (self.reading, self.fact);
        let Some(mapped) = reading.mapping.grant(reading.dialect, &fact.field, &fact.value, &fact.labels) else {
            *outcome.unmapped.entry(format!("{} = {}", fact.name(), fact.value)).or_default() += 1;
            return None;
        };
        if basis.is_some_and(|b| b != mapped.basis) {
            let advice = "the record names another lawful basis than the mapping, so it grants nothing";
            self.problem(&fact.field, "basis_differs", advice, outcome);
            return None;
        }
        if [dates.from, dates.to].contains(&Dated::Unreadable) {
            return None;
        }
        let recorded_at = self.date_of_grant(mapped, dates, status, outcome)?;
        let subjects = self.subjects(outcome);
        if subjects.len() > 1 {
            let advice = "the address belongs to several contacts, so it grants nothing; merge them in the CRM";
            self.problem(&fact.field, "ambiguous_address", advice, outcome);
            return None;
        }
        let time = |d: Dated| if let Dated::At(at) = d { Some(at) } else { None };
        Some(LegalEvent {
            basis: Some(mapped.basis),
            scope: Scope {
                purposes: mapped.purposes.clone(),
                source_classes: mapped.source_classes.clone(),
                ..Scope::default()
            }
            .into(),
            valid_from: time(dates.from),
            valid_to: time(dates.to),
            proof: Proof {
                method: mapped.method.clone(),
                notice_id: mapped.notice_id.clone(),
                wording_hash: mapped.wording_hash.clone(),
                language: mapped.language.clone(),
                actor: mapped.actor.clone(),
            }
            .into(),
            ..self.event(subjects.first()?, EventKind::Grant, recorded_at)
        })
    }

    fn date_of_grant(
        &self,
        mapped: &Grant,
        dates: &Dates,
        status: &Status,
        outcome: &mut Outcome,
    ) -> Option<Timestamp> {
        let named = mapped.date_field.as_deref();
        let at = match named {
            Some(field) => match self.fact.item.get(field).map(when) {
                Some(Some(at)) => {
                    let (item, now) = (self.fact.item, self.reading.now);
                    let at = at.start();
                    let future = is_future(item, Some(field), at, false, now, &mut outcome.problems);
                    if future { Dated::Unreadable } else { Dated::At(at) }
                }
                Some(None) => {
                    let advice = "unreadable date, so it grants nothing; write it like 2025-12-31";
                    self.problem(field, "unreadable_date", advice, outcome);
                    Dated::Unreadable
                }
                None => Dated::Undated,
            },
            None => dates.at,
        };
        match at {
            Dated::At(at) => Some(at),
            Dated::Unreadable => None,
            Dated::Undated => {
                let field = named.or(status.at.first().map(String::as_str)).unwrap_or(&self.fact.field);
                let advice = "a yes without a date grants nothing; export the date, or name its field in the mapping as \
                              date_field";
                self.problem(field, "missing_date", advice, outcome);
                None
            }
        }
    }

    fn event(&self, subject: &SubjectId, kind: EventKind, recorded_at: Timestamp) -> LegalEvent {
        let (reading, fact) = (self.reading, self.fact);
        let word = format!("{kind:?}");
        let date = if recorded_at == STANDING { String::new() } else { recorded_at.to_string() };
        let parts = ["legal", reading.system, &fact.object.name, &fact.id, &fact.field, &fact.value, &word, &date];
        LegalEvent {
            external_id: Some(format!("{}-{}", reading.dialect, reading.ids.request(&parts))),
            subject: subject.clone(),
            kind,
            basis: None,
            scope: Scope::default().into(),
            valid_from: None,
            valid_to: None,
            recorded_at,
            proof: Proof::default().into(),
            origin: Origin::imported(
                reading.system,
                &fact.name(),
                Some(reading.ids.commitment("legal-value", fact.value.as_bytes())),
            )
            .into(),
            supersedes: None,
        }
    }
}
