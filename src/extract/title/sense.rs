//! What a word means, in one small record that is copied to wherever the word stands.
//!
//! Invariant: plain data, without a place on the heap.

use super::lexicon::{Derived, Role, Word, flag};
use super::parse::fact;
use crate::taxonomy::{JobFunction, Seniority};

/// How much a word says about a function, in log-odds.
pub(super) mod weight {
    pub const ROLE: f32 = 3.0;
    pub const SOFT: f32 = 0.75;
    /// Engineers and technicians are engineers beside a mere topic.
    pub const SOFT_ENGINEER: f32 = 1.1;
    /// Consultants and analysts stay so beside a mere topic ("digital").
    pub const SOFT_CONSULTANT: f32 = 1.0;
    pub const DOMAIN: f32 = 2.3;
    pub const TOPIC: f32 = 0.9;
    /// How much more a department says beside those who lead the company.
    pub const LED: f32 = 1.4;
}

/// What one word (or phrase, or compound) means.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one word")]
pub(super) struct Sense {
    /// Function and log-odds; strongest part first.
    pub functions: Functions,
    /// The level of a person noun.
    pub level: Option<Seniority>,
    /// The function of the person noun gives way to words beside it, or it has none.
    pub open: bool,
    /// A person noun with a function of its own.
    pub own: bool,
    pub modifier: Option<Seniority>,
    pub flags: u64,
    pub german: bool,
    pub english: bool,
    pub french: bool,
    /// Known from the derived vocabulary only.
    pub derived: bool,
    pub person: bool,
    /// "Manager" and compounds of it: whether people are led depends on what is managed.
    pub manages: bool,
}

impl Sense {
    /// The noun comes first and what it is about behind it, as in German and French.
    pub fn noun_first(&self) -> bool {
        (self.german || self.french) && !self.english
    }

    /// What one is ("Freelancer", "Diplom-Kaufmann", "selbständig"), not what one does.
    pub fn state(&self) -> bool {
        self.open && !self.derived && self.functions.first().is_some_and(|f| f.0 == JobFunction::Other)
    }

    /// What is asked most, as bits beside the flags.
    pub fn facts(&self) -> u64 {
        let bit = |is: bool, bit: u64| if is { bit } else { 0 };
        bit(self.person, fact::NOUN)
            | bit(!self.functions.is_empty(), fact::SAYS)
            | bit(self.modifier.is_some(), fact::MOVES)
    }

    pub fn of_word(w: &Word) -> Self {
        let mut s = Self {
            flags: w.flags,
            modifier: w.modifier,
            german: w.german,
            english: w.english,
            french: w.french,
            ..Self::default()
        };
        if let Some(Role { function, level, soft }) = w.role {
            let soft_weight = match function {
                JobFunction::EngineeringRnd => weight::SOFT_ENGINEER,
                JobFunction::Consulting => weight::SOFT_CONSULTANT,
                _ => weight::SOFT,
            };
            s.functions.push((function, if soft { soft_weight } else { weight::ROLE }));
            s.level = Some(level);
            s.open = soft;
            s.own = !soft;
        } else if let Some(level) = w.head {
            s.level = Some(level);
            s.open = true;
            if level >= Seniority::CLevel {
                s.functions.push((JobFunction::ExecutiveManagement, weight::ROLE));
                (s.open, s.own) = (false, true);
            }
        }
        if let (Some((f, topic)), false) = (w.domain, s.own) {
            s.functions.push((f, if topic { weight::TOPIC } else { weight::DOMAIN }));
        }
        s.person = w.person();
        s.manages = w.has(flag::MANAGES);
        s
    }

    /// An abbreviation of several jobs.
    pub fn of_ambiguous((level, functions): &(Seniority, Vec<JobFunction>)) -> Self {
        let functions = functions.iter().map(|&f| (f, 1.2)).collect();
        Self { functions, level: Some(*level), open: true, person: true, english: true, ..Self::default() }
    }

    pub fn of_derived(d: &Derived) -> Self {
        let functions = std::iter::once(d.first).chain(d.second).collect();
        let level = d.person.then_some(Seniority::Professional);
        Self { functions, level, open: true, person: d.person, derived: true, ..Self::default() }
    }
}

/// So many functions at most: two of the head of a compound, and one of each of four words before it.
const MOST: usize = 6;

/// Functions and log-odds; strongest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Functions {
    list: [(JobFunction, f32); MOST],
    len: u8,
}

impl Default for Functions {
    fn default() -> Self {
        Self { list: [(JobFunction::Other, 0.0); MOST], len: 0 }
    }
}

impl Functions {
    pub fn one(function: JobFunction, weight: f32) -> Self {
        [(function, weight)].into_iter().collect()
    }

    /// There must be room.
    pub fn push(&mut self, function: (JobFunction, f32)) {
        self.list[usize::from(self.len)] = function;
        self.len += 1;
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }
}

impl FromIterator<(JobFunction, f32)> for Functions {
    /// As many as there is room for.
    fn from_iter<I: IntoIterator<Item = (JobFunction, f32)>>(all: I) -> Self {
        let mut out = Self::default();
        all.into_iter().take(MOST).for_each(|f| out.push(f));
        out
    }
}

impl std::ops::Deref for Functions {
    type Target = [(JobFunction, f32)];

    fn deref(&self) -> &Self::Target {
        &self.list[..usize::from(self.len)]
    }
}

impl std::ops::DerefMut for Functions {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.list[..usize::from(self.len)]
    }
}
