//! What the gate reads of a ledger: all events by subject, as they stood when the view was taken.
//!
//! Invariant: a view holds events of people who have a key in the vault only; those of erased people are counted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use jiff::Timestamp;

use crate::consent::event::LegalEvent;
use crate::consent::shared::Pool;
use crate::model::SubjectId;

/// An order-independent digest of all events: the sum of their SHA-256 digests, modulo 2^256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerState {
    count: u64,
    sum: [u8; 32],
}

impl LedgerState {
    pub(super) fn add(&mut self, digest: &[u8; 32]) {
        self.count += 1;
        let mut carry = 0u16;
        for (a, b) in self.sum.iter_mut().rev().zip(digest.iter().rev()) {
            let total = u16::from(*a) + u16::from(*b) + carry;
            *a = (total & 0xff) as u8;
            carry = total >> 8;
        }
    }

    /// Takes an event out again; it must have been added.
    fn remove(&mut self, digest: &[u8; 32]) {
        // In two's complement: what is added to its complement gives all ones.
        let complement = digest.map(|byte| !byte);
        self.add(&complement);
        let mut one = [0; 32];
        one[31] = 1;
        self.add(&one);
        self.count -= 3;
    }

    /// Count and digest, as the vault remembers them.
    pub(super) fn to_note(self) -> String {
        format!("{} {}", self.count, self.hex())
    }

    pub(super) fn of_note(note: &str) -> Option<Self> {
        let (count, sum) = note.split_once(' ')?;
        Some(Self { count: count.parse().ok()?, sum: HEXLOWER.decode(sum.as_bytes()).ok()?.try_into().ok()? })
    }

    /// How many events there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Hex, for ids, manifests and checkpoints.
    #[must_use]
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.sum)
    }
}

/// An event with the place and the time of its entry: the second of the two times of a bitemporal ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its number in the ledger, from 1; 0 in a preview.
    pub seq: u64,
    /// When the home learned of it.
    pub known_at: Timestamp,
    /// The event.
    pub event: &'a LegalEvent,
}

/// What is known of one person. Most have one event, so that what grows grows by one: of a million people each byte counts.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub(super) events: Vec<LegalEvent>,
    /// Place and time of each event.
    entries: Vec<(u64, Timestamp)>,
    first_seen: Option<Timestamp>,
}

impl Person {
    /// What was said of them, in the order of entry.
    #[must_use]
    pub fn events(&self) -> &[LegalEvent] {
        &self.events
    }

    /// The same, with the place and the time of each entry.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let pairs = self.events.iter().zip(&self.entries);
        pairs.map(|(event, (seq, known_at))| Entry { seq: *seq, known_at: *known_at, event })
    }

    /// When the home first collected anything about them.
    #[must_use]
    pub const fn first_seen(&self) -> Option<Timestamp> {
        self.first_seen
    }

    pub(super) const fn seen(first_seen: Option<Timestamp>) -> Self {
        Self { events: Vec::new(), entries: Vec::new(), first_seen }
    }

    pub(super) fn add(&mut self, event: LegalEvent, seq: u64, known_at: Timestamp) {
        self.entries.reserve_exact(1);
        self.entries.push((seq, known_at));
        self.events.reserve_exact(1);
        self.events.push(event);
    }
}

/// All events by subject, as they stood when the view was taken.
#[derive(Debug, Clone, Default)]
pub struct LedgerView {
    pub(super) people: HashMap<SubjectId, Arc<Person>>,
    pub(super) suppressed: Arc<HashSet<[u8; 16]>>,
    pub(super) state: LedgerState,
    pub(super) head: u64,
    /// The first 8 bytes of the chain after each entry.
    pub(super) chain: Vec<[u8; 8]>,
    pub(super) forgotten: u64,
    /// How many people were erased, as far as the digest of all events knows.
    pub(super) erased: u64,
    pub(super) last_sync: Option<Timestamp>,
    pub(super) newest: Option<Timestamp>,
    pub(super) pool: Pool,
}

impl LedgerView {
    /// The view of a clock that stands still on purpose (demo and replay): it may stand before an earlier import.
    #[must_use]
    pub fn pinned(self) -> Self {
        Self { newest: None, ..self }
    }

    /// The newest time of any import: a clock that stands before it went back.
    #[must_use]
    pub const fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// The same view with what is known of these people; of all others it knows nothing.
    #[must_use]
    pub fn of(&self, people: impl IntoIterator<Item = (SubjectId, Arc<Person>)>) -> Self {
        Self {
            people: people.into_iter().collect(),
            suppressed: Arc::clone(&self.suppressed),
            chain: Vec::new(),
            pool: Pool::default(),
            ..*self
        }
    }

    /// What is known of a subject.
    #[must_use]
    pub fn person(&self, subject: &SubjectId) -> Option<&Person> {
        self.people.get(subject).map(|person| &**person)
    }

    /// When the home first collected anything about a subject: the anchor of retention and of the Art. 14 notice.
    #[must_use]
    pub fn first_seen(&self, subject: &SubjectId) -> Option<Timestamp> {
        self.person(subject)?.first_seen
    }

    /// Everybody of whom the home has collected anything, with the time of it, in no order.
    pub fn all_seen(&self) -> impl Iterator<Item = (&SubjectId, Timestamp)> {
        self.people.iter().filter_map(|(subject, person)| Some((subject, person.first_seen?)))
    }

    /// The events of a subject; `None` = never heard of.
    #[must_use]
    pub fn events(&self, subject: &SubjectId) -> Option<&[LegalEvent]> {
        self.people.get(subject).map(|person| person.events.as_slice()).filter(|events| !events.is_empty())
    }

    /// The events of a subject with the place and the time of their entry, in the order of entry.
    #[must_use]
    pub fn entries(&self, subject: &SubjectId) -> Vec<Entry<'_>> {
        self.person(subject).into_iter().flat_map(Person::entries).collect()
    }

    /// Everybody with an event, in no order.
    pub fn subjects(&self) -> impl Iterator<Item = &SubjectId> {
        self.people.iter().filter(|(_, person)| !person.events.is_empty()).map(|(subject, _)| subject)
    }

    /// The number of the last entry.
    #[must_use]
    pub const fn head(&self) -> u64 {
        self.head
    }

    /// Whether the ledger stood at this head with this chain (as [`super::Ledger::note`] writes it) once.
    #[must_use]
    pub fn has_been(&self, note: &str) -> bool {
        let Some((head, chain)) = note.split_once(' ') else { return false };
        match head.parse::<usize>() {
            Ok(0) => true,
            Ok(n) => self.chain.get(n - 1).is_some_and(|c| chain.starts_with(&HEXLOWER.encode(c))),
            Err(_) => false,
        }
    }

    /// Entries of people who were erased: still in the chain, but nobody's.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Whether an identifier belongs to somebody who was erased (see [`crate::consent::suppression`]).
    #[must_use]
    pub fn is_suppressed(&self, mac: &[u8; 16]) -> bool {
        self.suppressed.contains(mac)
    }

    /// How many identifiers are suppressed.
    #[must_use]
    pub fn n_suppressed(&self) -> usize {
        self.suppressed.len()
    }

    /// The digest of all events.
    #[must_use]
    pub const fn state(&self) -> LedgerState {
        self.state
    }

    /// When consents were last imported.
    #[must_use]
    pub const fn last_sync(&self) -> Option<Timestamp> {
        self.last_sync
    }

    pub(super) fn imported(&mut self, at: Timestamp, is_sync: bool) {
        if is_sync {
            self.last_sync = Some(at);
        }
        self.newest = self.newest.max(Some(at));
    }

    pub(super) fn add(&mut self, mut event: LegalEvent, seq: u64, known_at: Timestamp) {
        self.pool.share(&mut event);
        self.state.add(&event.digest());
        Arc::make_mut(self.people.entry(event.subject.clone()).or_default()).add(event, seq, known_at);
    }

    /// Takes out whose key was destroyed.
    pub(super) fn forget(&mut self, subject: &SubjectId) {
        let Some(person) = self.people.remove(subject) else {
            self.erased += 1;
            return;
        };
        person.events.iter().for_each(|event| self.state.remove(&event.digest()));
        self.forgotten += person.events.len() as u64;
        self.erased += 1;
    }

    /// A first collection; the one that was entered first stands.
    pub(super) fn saw(&mut self, subject: &SubjectId, at: Timestamp) {
        if let Some(person) = self.people.get_mut(subject) {
            let person = Arc::make_mut(person);
            person.first_seen = person.first_seen.or(Some(at));
        } else {
            self.people.insert(subject.clone(), Arc::new(Person::seen(Some(at))));
        }
    }

    /// Every event, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &LegalEvent> {
        self.people.values().flat_map(|person| &person.events)
    }
}
