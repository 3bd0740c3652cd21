//! The rules of the gate, counted, and what earlier ones say where today's say otherwise.
//!
//! Invariant: the gate decides by today's. By earlier ones a decision of the log is made again, and nothing is done on it.

use crate::consent::event::Proof;

/// The number of the rules by which a decision is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rules(u32);

impl Rules {
    /// Those before they were counted.
    pub const FIRST: Self = Self(1);

    /// Raised with every change by which a decision may come out differently when it is made again, which says here what the
    /// earlier ones said: 2 = a no that is dated by day beats every yes of that day, and what only fills a cell proves nothing.
    pub const TODAY: Self = Self(2);

    /// Rules by their number, as an entry of the log has it. What this version does not know it takes for today's.
    #[must_use]
    pub const fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// Their number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    const fn are_the_first(self) -> bool {
        self.0 <= Self::FIRST.0
    }

    /// Whether a no that is dated by day comes after every yes of that day; under the first ones it came at its midnight.
    pub(in crate::consent) const fn know_days(self) -> bool {
        !self.are_the_first()
    }

    /// Whether this proves a consent; under the first ones whatever filled the three cells did.
    pub(in crate::consent) fn take_for_proof(self, proof: &Proof) -> bool {
        let fills = |cell: &Option<String>| cell.as_deref().is_some_and(|text| !text.trim().is_empty());
        if self.are_the_first() {
            [&proof.method, &proof.notice_id, &proof.wording_hash].into_iter().all(fills)
        } else {
            proof.is_complete()
        }
    }

    /// Whether this says which notice somebody was given, and how; under the first ones nobody asked.
    pub(in crate::consent) fn take_for_notice(self, proof: &Proof) -> bool {
        self.are_the_first() || proof.is_of_a_notice()
    }

    /// Whether a consent undoes a withdrawal before it. Only an act of the person does: today a consent that rests on none is
    /// not proven, under the first ones this was asked by itself.
    pub(in crate::consent) fn let_undo(self, proof: &Proof) -> bool {
        !self.are_the_first() || proof.is_of_the_subject()
    }
}
