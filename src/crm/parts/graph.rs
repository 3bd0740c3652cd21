//! Records, companies, and what ties them together.
//!
//! Invariant: a set that merges tie together is concerned as a whole, and so is a company with everybody whose row names it.

use std::collections::HashSet;

use super::concerned::Concerned;
use super::prints::{Print, Prints};
use super::trail::{Number, Side, what};

/// Records, companies, and what ties them together.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) prints: Prints,
    pub(super) records: Side,
    pub(super) companies: Side,
    /// Rows: a record, and the company that it names.
    pub(super) rows: Vec<(Number, Option<Number>)>,
    /// Records, and companies, of which the row of the first says that they were merged.
    pub(super) merged: [Vec<(Number, Number)>; 2],
    /// Addresses of contacts, and names at companies.
    pub(super) marks: Vec<(Print, Number)>,
}

impl Graph {
    /// Nobody.
    pub(super) fn new(prints: Prints) -> Self {
        let (records, companies) = (Side::default(), Side::default());
        Self { prints, records, companies, rows: Vec::new(), merged: Default::default(), marks: Vec::new() }
    }

    /// Whoever is tied to somebody who is concerned is concerned, too.
    pub(super) fn spread(&mut self) {
        let mut merged = Sets::of(self.records.len() + self.companies.len());
        self.tie_merged(&mut merged);
        self.spread_places(&mut merged);
        self.take_in_the_odd();
        // Who shares an address with one whose rows have changed may be taken for them now, or no longer.
        self.spread_in(&mut merged);
        self.spread_marks(|_| true);
        let mut all = merged;
        for (record, company) in &self.rows {
            if let Some(company) = company {
                all.tie(*record as usize, self.records.len() + *company as usize);
            }
        }
        let several = self.several();
        loop {
            self.spread_in(&mut all);
            // What somebody with several rows is called now is known only when all of them are read together.
            if !self.spread_marks(|record| several[record as usize]) {
                break;
            }
        }
    }

    fn tie_merged(&self, sets: &mut Sets) {
        for (a, b) in &self.merged[0] {
            sets.tie(*a as usize, *b as usize);
        }
        for (a, b) in &self.merged[1] {
            sets.tie(self.records.len() + *a as usize, self.records.len() + *b as usize);
        }
    }

    /// A dead letter names file and line: where one was told of a set, its rows must stand where they stood. So they must where
    /// several of a set have consents or notes, of which nobody has noted the order.
    fn spread_places(&mut self, sets: &mut Sets) {
        let mut of_set = vec![(0, 0_u8); self.records.len() + self.companies.len()];
        let each = || self.records.what.iter().chain(&self.companies.what).enumerate();
        for (at, flags) in each() {
            let (all, spoken_of) = &mut of_set[sets.find(at)];
            *all |= flags & (what::MOVED | what::TOLD);
            let is_spoken_of = flags & (what::SPOKEN_OF | what::NOTED) != 0;
            *spoken_of = spoken_of.saturating_add(u8::from(is_spoken_of));
        }
        for (at, is) in self.records.is.iter_mut().chain(&mut self.companies.is).enumerate() {
            let (all, spoken_of) = of_set[sets.find(at)];
            *is |= all & what::MOVED != 0 && (all & what::TOLD != 0 || spoken_of > 1);
        }
    }

    /// Whose consents or notes are whose is not known before all rows of the merge are read: there is no other way to tell those
    /// that nobody has.
    fn take_in_the_odd(&mut self) {
        let odd = what::SPOKEN_OF | what::TIED;
        for (is, flags) in self.records.is.iter_mut().zip(&self.records.what) {
            *is |= flags & (odd | what::PLAIN) == odd;
        }
        for (is, flags) in self.companies.is.iter_mut().zip(&self.companies.what) {
            *is |= flags & odd == odd;
        }
    }

    /// Whole sets are concerned, or not at all.
    fn spread_in(&mut self, sets: &mut Sets) {
        let mut of_set = vec![false; self.records.len() + self.companies.len()];
        let each = || self.records.is.iter().chain(&self.companies.is).enumerate();
        for (at, _) in each().filter(|(_, is)| **is) {
            of_set[sets.find(at)] = true;
        }
        for (at, is) in self.records.is.iter_mut().chain(&mut self.companies.is).enumerate() {
            *is = of_set[sets.find(at)];
        }
    }

    /// Takes in who has a mark of somebody who is concerned; tells whether anybody was.
    fn spread_marks(&mut self, may: impl Fn(Number) -> bool) -> bool {
        let marks = self.concerned_marks();
        let mut any = false;
        for (mark, record) in &self.marks {
            let is = &mut self.records.is[*record as usize];
            if !*is && marks.contains(mark) && may(*record) {
                (*is, any) = (true, true);
            }
        }
        any
    }

    fn concerned_marks(&self) -> HashSet<Print> {
        let marks = self.marks.iter().filter(|(_, record)| self.records.is[*record as usize]);
        marks.map(|(mark, _)| *mark).collect()
    }

    /// Records with several rows, or that were merged.
    fn several(&self) -> Vec<bool> {
        let (mut seen, mut several) = (vec![false; self.records.len()], vec![false; self.records.len()]);
        for (record, _) in &self.rows {
            let record = *record as usize;
            several[record] |= std::mem::replace(&mut seen[record], true);
        }
        for record in self.merged[0].iter().flat_map(|(a, b)| [a, b]) {
            several[*record as usize] = true;
        }
        several
    }

    pub(super) fn finish(self) -> Concerned {
        let inside = self.concerned_marks();
        let others = self.marks.iter().filter(|(_, record)| !self.records.is[*record as usize]);
        let outside = others.map(|(mark, _)| *mark).filter(|mark| inside.contains(mark)).collect();
        Concerned {
            contacts: self.records.is.iter().filter(|is| **is).count() as u64,
            records: self.records.known(),
            companies: self.companies.known(),
            prints: self.prints,
            outside,
        }
    }
}

/// Sets of what is tied together.
struct Sets(Vec<Number>);

impl Sets {
    /// Each on its own.
    fn of(count: usize) -> Self {
        Self((0..count as Number).collect())
    }

    /// What stands for the set.
    fn find(&mut self, mut at: usize) -> usize {
        while self.0[at] as usize != at {
            self.0[at] = self.0[self.0[at] as usize];
            at = self.0[at] as usize;
        }
        at
    }

    fn tie(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        // Towards the lower number: ways to it stay short enough when they are halved at each step.
        self.0[a.max(b)] = a.min(b) as Number;
    }
}
