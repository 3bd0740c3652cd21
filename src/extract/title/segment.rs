//! What one segment says: scores of functions, a level, and notes for the evidence.
//!
//! Invariant: plain data but for the notes, which are few and stand within.

use smallvec::SmallVec;

use super::means::Means;
use super::time::Kind;
use crate::taxonomy::{JobFunction, Seniority, SigningPower};

/// The number of functions.
pub(super) const N: usize = JobFunction::ALL.len();

/// (item, what it means), besides functions.
pub(super) type Notes = SmallVec<[(u16, Means); 6]>;

/// What one segment says.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub kind: Kind,
    pub items: (usize, usize),
    /// The flags that any of its items has.
    pub any: u64,
    pub scores: Scores,
    pub level: Option<(Seniority, f64)>,
    /// Someone is called this: there is a person noun.
    pub person: bool,
    /// That noun tells what one is, not what one does.
    pub state: bool,
    /// It is one of the positions that make the reading.
    pub counts: bool,
    pub power: Option<SigningPower>,
    pub notes: Notes,
    /// (item, function, log-odds).
    pub function_notes: SmallVec<[(u16, JobFunction, f32); 6]>,
}

impl Segment {
    pub fn new(items: (usize, usize), any: u64) -> Self {
        Self {
            kind: Kind::Current,
            items,
            any,
            scores: Scores::default(),
            level: None,
            person: false,
            state: false,
            counts: false,
            power: None,
            notes: SmallVec::new(),
            function_notes: SmallVec::new(),
        }
    }

    pub fn note(&mut self, item: usize, means: Means) {
        self.notes.push((item as u16, means));
    }

    /// Adds to the score of a function, and notes why.
    pub fn speak(&mut self, item: usize, function: JobFunction, weight: f32) {
        self.scores.add(function, weight);
        self.function_notes.push((item as u16, function, weight));
    }
}

/// Log-odds of functions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scores {
    list: [f32; N],
    /// A bit for each function that was added to.
    touched: u32,
}

impl Scores {
    pub fn of(&self, function: JobFunction) -> f32 {
        self.list[function as usize]
    }

    pub fn add(&mut self, function: JobFunction, weight: f32) {
        self.list[function as usize] += weight;
        self.touched |= 1 << function as u32;
    }

    pub fn set(&mut self, function: JobFunction, score: f32) {
        self.list[function as usize] = score;
    }

    /// All that were added to, in the order of functions.
    pub fn each(&self) -> impl Iterator<Item = (JobFunction, f32)> {
        let mut left = self.touched;
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            let function = *JobFunction::ALL.get(at)?;
            left &= left - 1;
            Some((function, self.list[at]))
        })
    }

    /// Whether a function has more than this.
    pub fn over(&self, least: f32) -> bool {
        self.each().any(|(_, x)| x > least)
    }
}
