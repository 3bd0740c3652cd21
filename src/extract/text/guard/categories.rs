//! Sets of special categories, as small as a number.
//!
//! Invariant: they are gone through in the order of [`SpecialCategory`].

use super::SpecialCategory;

/// Some special categories.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Categories(u16);

impl Categories {
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn insert(&mut self, category: SpecialCategory) {
        self.0 |= 1 << category as u16;
    }

    pub(super) const fn extend(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// The first of them alone.
    pub(super) const fn first(self) -> Self {
        Self(self.0 & self.0.wrapping_neg())
    }

    pub(super) fn iter(self) -> impl Iterator<Item = SpecialCategory> {
        SpecialCategory::ALL.into_iter().filter(move |category| self.0 & 1 << *category as u16 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_its_own_place() {
        let mut all = Categories::default();
        for category in SpecialCategory::ALL.into_iter().rev() {
            all.insert(category);
            assert!(all.first().iter().eq([category]));
        }
        assert!(all.iter().eq(SpecialCategory::ALL));
        assert!(SpecialCategory::ALL.is_sorted() && Categories::default().first().is_empty());
    }
}
