//! Sets of items of a title.
//!
//! Invariant: a title has at most 64 items ([`super::reader`] reads no longer ones).

/// Places of items, a bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Set(u64);

impl Set {
    /// The greatest number of items.
    pub const MOST: usize = 64;

    pub fn add(&mut self, i: usize) {
        self.0 |= 1 << i;
    }

    pub fn has(self, i: usize) -> bool {
        (self.0 >> i) & 1 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn first(self) -> Option<usize> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as usize)
    }

    pub fn last(self) -> Option<usize> {
        self.0.checked_ilog2().map(|i| i as usize)
    }

    /// Those before `end`.
    pub fn below(self, end: usize) -> Self {
        Self(if end < Self::MOST { self.0 & ((1 << end) - 1) } else { self.0 })
    }

    /// Those from `start` on.
    pub fn from(self, start: usize) -> Self {
        self.without(self.below(start))
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// In ascending order.
    pub fn each(self) -> impl Iterator<Item = usize> {
        let mut left = self;
        std::iter::from_fn(move || {
            let first = left.first()?;
            left.0 &= left.0 - 1;
            Some(first)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_cut_at_either_end() {
        let mut all = Set::default();
        for i in [0, 5, 63] {
            all.add(i);
        }
        let list = |s: Set| s.each().collect::<Vec<_>>();
        assert_eq!((list(all), all.first(), all.last()), (vec![0, 5, 63], Some(0), Some(63)));
        assert_eq!((list(all.below(5)), list(all.from(5)), list(all.below(64))), (vec![0], vec![5, 63], list(all)));
        assert!(all.has(63) && !all.has(62) && Set::default().last().is_none() && all.without(all).is_empty());
    }
}
