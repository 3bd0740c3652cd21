//! Who was written, to be asked for again before anything is published.
//!
//! Invariant: they wait on the disk, sealed: of a million people nobody is held in memory for it.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::blocks::{BlockError, Blocks, Item};
use crate::consent::gate::SubjectFacts;
use crate::model::SubjectId;
use crate::sink::WORK_CRM;

/// A persona that was written.
#[derive(Debug)]
pub(super) struct Emission {
    pub subject: SubjectId,
    pub facts: SubjectFacts,
    /// Until when the permit holds, if nobody says anything new.
    pub until: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    subject: &'a str,
    collected_at: i128,
    ambiguous: bool,
    until: i128,
}

struct Whatever;

impl<'de> Item<'de> for Whatever {
    type Stored = Stored<'de>;
}

/// Personas in the order in which they were written.
#[derive(Debug)]
pub(super) struct Emitted {
    blocks: Blocks,
    count: usize,
}

impl Emitted {
    /// None yet. The caller holds the home's lock.
    pub fn create(home: &Path) -> Result<Self, BlockError> {
        let folder = home.join(".work").join(format!("{WORK_CRM}{}-emitted", std::process::id()));
        Ok(Self { blocks: Blocks::create(folder, 1)?, count: 0 })
    }

    pub fn put(&mut self, emission: &Emission) -> Result<(), BlockError> {
        self.count += 1;
        self.blocks.put(
            0,
            &Stored {
                subject: emission.subject.as_str(),
                collected_at: emission.facts.collected_at.as_nanosecond(),
                ambiguous: emission.facts.ambiguous,
                until: emission.until.as_nanosecond(),
            },
        )
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Hands all of them on.
    pub fn each(mut self, mut take: impl FnMut(Emission)) -> Result<(), BlockError> {
        self.blocks.finish()?;
        self.blocks.read::<Whatever>(0, |stored| {
            take(stored.restore()?);
            Some(())
        })
    }
}

impl Stored<'_> {
    fn restore(&self) -> Option<Emission> {
        let time = |nanosecond| Timestamp::from_nanosecond(nanosecond).ok();
        let facts = SubjectFacts { collected_at: time(self.collected_at)?, ambiguous: self.ambiguous };
        let subject = SubjectId::from_body(self.subject.strip_prefix(SubjectId::PREFIX)?);
        Some(Emission { subject, facts, until: time(self.until)? })
    }
}
