//! Where in a ledger entries about somebody stand, by tag, for a ledger that is not held in memory.
//!
//! Invariant: it is made of the entries themselves whenever a ledger is opened, so that nobody can hide one from it; of each
//! entry a few bytes are held.

use jiff::Timestamp;

/// The first bytes of a tag. Of a million people two have the same by chance with a probability of 1e-17, and who reads an
/// event compares the whole tag.
pub(super) type Short = [u8; 12];

trait Tagged {
    fn tag(&self) -> Short;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    tag: Short,
    seq: u32,
}

impl Tagged for Place {
    fn tag(&self) -> Short {
        self.tag
    }
}

#[derive(Debug, Clone, Copy)]
struct First {
    tag: Short,
    nanosecond: i32,
    second: i64,
}

impl Tagged for First {
    fn tag(&self) -> Short {
        self.tag
    }
}

/// Sorted by tag.
#[derive(Debug)]
struct Sorted<T> {
    all: Vec<T>,
    /// Where each of so many equal ranges of tags begins; tags are codes, so each has as many, about.
    begins: Vec<u32>,
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { all: Vec::new(), begins: Vec::new() }
    }
}

/// So many more are made room for at once: doubling would take twice the memory in between.
const MORE: usize = 65_536;
/// So many tags are in a range, about.
const RANGE: usize = 8;

impl<T: Tagged> Sorted<T> {
    fn push(&mut self, one: T) {
        if self.all.len() == self.all.capacity() {
            self.all.reserve_exact(MORE.min(self.all.len().max(64)));
        }
        self.all.push(one);
    }

    /// In which range a tag is, of so many (a power of two, at most 2^32).
    fn range_of(tag: Short, ranges: usize) -> usize {
        let [first, second, third, fourth, ..] = tag;
        ((u64::from(u32::from_be_bytes([first, second, third, fourth])) * ranges as u64) >> 32) as usize
    }

    /// Notes where ranges begin, once all are sorted.
    fn settle(&mut self) {
        let ranges = (self.all.len() / RANGE).next_power_of_two();
        self.begins.clear();
        self.begins.reserve_exact(ranges + 1);
        for (at, one) in self.all.iter().enumerate() {
            let range = Self::range_of(one.tag(), ranges);
            // Also where those begin that are empty.
            self.begins.resize(self.begins.len().max(range + 1), at as u32);
        }
        self.begins.resize(ranges + 1, self.all.len() as u32);
    }

    /// Where those with a tag stand.
    fn of(&self, tag: &[u8; 16]) -> std::ops::Range<usize> {
        let (tag, Some(ranges)) = (short(tag), self.begins.len().checked_sub(1)) else { return 0..0 };
        let range = Self::range_of(tag, ranges);
        let (begin, end) = (self.begins[range] as usize, self.begins[range + 1] as usize);
        let begin = begin + self.all[begin..end].iter().take_while(|one| one.tag() < tag).count();
        begin..begin + self.all[begin..end].iter().take_while(|one| one.tag() == tag).count()
    }
}

/// Places of events and first collections, by tag.
#[derive(Debug, Default)]
pub(super) struct Index {
    events: Sorted<Place>,
    seen: Sorted<First>,
}

const fn short(tag: &[u8; 16]) -> Short {
    let (short, _) = tag.split_first_chunk().expect("16 bytes have 12");
    *short
}

impl Index {
    /// Whether two tags are one here.
    pub(super) fn are_alike(one: &[u8; 16], other: &[u8; 16]) -> bool {
        short(one) == short(other)
    }

    /// Notes an event. [`Self::settle`] comes before anybody asks.
    pub(super) fn add_event(&mut self, tag: &[u8; 16], seq: u32) {
        self.events.push(Place { tag: short(tag), seq });
    }

    /// Notes a first collection; the one that was entered first stands.
    pub(super) fn add_seen(&mut self, tag: &[u8; 16], at: Timestamp) {
        self.seen.push(First { tag: short(tag), nanosecond: at.subsec_nanosecond(), second: at.as_second() });
    }

    /// Puts what was noted in order.
    pub(super) fn settle(&mut self) {
        self.events.all.sort_unstable();
        // In the order of entry for each tag.
        self.seen.all.sort_by_key(|first| first.tag);
        self.events.settle();
        self.seen.settle();
    }

    /// The numbers of the entries of events, in the order of entry.
    pub(super) fn events(&self, tag: &[u8; 16]) -> impl Iterator<Item = u32> {
        self.events.all[self.events.of(tag)].iter().map(|place| place.seq)
    }

    /// When somebody was first collected.
    pub(super) fn first_seen(&self, tag: &[u8; 16]) -> Option<Timestamp> {
        let first = self.seen.all[self.seen.of(tag)].first()?;
        // Before 1970 both parts are negative.
        Timestamp::new(first.second, first.nanosecond).ok()
    }

    /// What is nobody's; `owners` hands on every tag that somebody has.
    pub(super) fn without_owner<E>(
        &self,
        owners: impl FnOnce(&mut dyn FnMut(&[u8; 16])) -> Result<(), E>,
    ) -> Result<Orphans, E> {
        let mut events = vec![false; self.events.all.len()];
        let mut seen = vec![false; self.seen.all.len()];
        owners(&mut |tag| {
            events[self.events.of(tag)].fill(true);
            seen[self.seen.of(tag)].fill(true);
        })?;
        let places = self.events.all.iter().zip(&events).filter(|(_, owned)| !**owned);
        let first = self.seen.all.iter().zip(&seen).find(|(_, owned)| !**owned);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_found_again_however_much_it_is() {
        let tag = |n: u32| *code(n).first_chunk().expect("32 bytes have 16");
        for count in [0, 1, 7, 8, 9, 1000, 5000] {
            let mut index = Index::default();
            for n in 0..count {
                index.add_seen(&tag(n), Timestamp::new(i64::from(n) - 500, 0).expect("a time"));
                (0..n % 3).for_each(|k| index.add_event(&tag(n), n * 10 + k));
            }
            for n in 0..count {
                index.add_seen(&tag(n), Timestamp::MAX);
            }
            index.settle();
            for n in 0..count {
                assert_eq!(
                    index.events(&tag(n)).collect::<Vec<_>>(),
                    (0..n % 3).map(|k| n * 10 + k).collect::<Vec<_>>()
                );
                assert_eq!(index.first_seen(&tag(n)).map(Timestamp::as_second), Some(i64::from(n) - 500), "{n}");
            }
            assert_eq!((index.events(&tag(count)).next(), index.first_seen(&tag(count))), (None, None));
            let all_but = |out: u32| {
                index.without_owner(|take| {
                    (0..count).filter(|n| *n != out).for_each(|n| take(&tag(n)));
                    Ok::<_, ()>(())
                })
            };
            let orphans = all_but(count).expect("no error");
            assert_eq!((orphans.event, orphans.seen), (None, None));
            if count > 5 {
                let orphans = all_but(5).expect("no error");
                assert_eq!((orphans.event, orphans.seen), (Some(50), Some(short(&tag(5)))));
            }
        }
    }

    fn code(n: u32) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(n.to_be_bytes()).into()
    }
}
