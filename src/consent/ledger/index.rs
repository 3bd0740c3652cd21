//! Where in a ledger entries about somebody stand, by tag, for a ledger that is not held in memory.
//!
//! Invariant: it is made of the entries themselves whenever a ledger is opened, so that nobody can hide one from it; of each
//! entry a few bytes are held.

use jiff::Timestamp;

/// The first bytes of a tag. Of a million people two have the same by chance with a probability of 1e-17, and who reads an
/// event compares the whole tag.
pub(super) type Short = [u8; 12];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    tag: Short,
    seq: u32,
}

#[derive(Debug, Clone, Copy)]
struct First {
    tag: Short,
    nanosecond: i32,
    second: i64,
}

/// Places of events and first collections, by tag.
#[derive(Debug, Default)]
pub(super) struct Index {
    events: Vec<Place>,
    seen: Vec<First>,
}

/// So many more are made room for at once: doubling would take twice the memory in between.
const MORE: usize = 65_536;

fn push<T>(all: &mut Vec<T>, one: T) {
    if all.len() == all.capacity() {
        all.reserve_exact(MORE.min(all.len().max(64)));
    }
    all.push(one);
}

const fn short(tag: &[u8; 16]) -> Short {
    let (short, _) = tag.split_first_chunk().expect("16 bytes have 12");
    *short
}

impl Index {
    /// Notes an event. [`Self::settle`] comes before anybody asks.
    pub(super) fn add_event(&mut self, tag: &[u8; 16], seq: u32) {
        push(&mut self.events, Place { tag: short(tag), seq });
    }

    /// Notes a first collection; the one that was entered first stands.
    pub(super) fn add_seen(&mut self, tag: &[u8; 16], at: Timestamp) {
        push(&mut self.seen, First { tag: short(tag), nanosecond: at.subsec_nanosecond(), second: at.as_second() });
    }

    /// Puts what was noted in order.
    pub(super) fn settle(&mut self) {
        self.events.sort_unstable();
        // In the order of entry for each tag.
        self.seen.sort_by_key(|first| first.tag);
    }

    /// The numbers of the entries of events, in the order of entry.
    pub(super) fn events(&self, tag: &[u8; 16]) -> impl Iterator<Item = u32> {
        of(&self.events, tag, |place| place.tag).iter().map(|place| place.seq)
    }

    /// When somebody was first collected.
    pub(super) fn first_seen(&self, tag: &[u8; 16]) -> Option<Timestamp> {
        let first = of(&self.seen, tag, |first| first.tag).first()?;
        // Before 1970 both parts are negative.
        Timestamp::new(first.second, first.nanosecond).ok()
    }

    /// What is nobody's; `owners` hands on every tag that somebody has.
    pub(super) fn without_owner<E>(
        &self,
        owners: impl FnOnce(&mut dyn FnMut(&[u8; 16])) -> Result<(), E>,
    ) -> Result<Orphans, E> {
        let mut events = vec![false; self.events.len()];
        let mut seen = vec![false; self.seen.len()];
        owners(&mut |tag| {
            mark(&self.events, &mut events, tag, |place| place.tag);
            mark(&self.seen, &mut seen, tag, |first| first.tag);
        })?;
        let places = self.events.iter().zip(&events).filter(|(_, owned)| !**owned);
        let first = self.seen.iter().zip(&seen).find(|(_, owned)| !**owned);
        Ok(Orphans { event: places.map(|(place, _)| place.seq).min(), seen: first.map(|(first, _)| first.tag) })
    }
}

/// What is nobody's.
pub(super) struct Orphans {
    /// The first event, by its number.
    pub event: Option<u32>,
    /// A first collection, by the beginning of its tag.
    pub seen: Option<Short>,
}

fn range<T>(all: &[T], tag: &[u8; 16], tag_of: impl Fn(&T) -> Short) -> std::ops::Range<usize> {
    let tag = short(tag);
    let begin = all.partition_point(|one| tag_of(one) < tag);
    let length = all[begin..].iter().take_while(|one| tag_of(one) == tag).count();
    begin..begin + length
}

fn of<'a, T>(all: &'a [T], tag: &[u8; 16], tag_of: impl Fn(&T) -> Short) -> &'a [T] {
    &all[range(all, tag, tag_of)]
}

fn mark<T>(all: &[T], marks: &mut [bool], tag: &[u8; 16], tag_of: impl Fn(&T) -> Short) {
    marks[range(all, tag, tag_of)].fill(true);
}
