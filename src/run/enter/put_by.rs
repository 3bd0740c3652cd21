//! What is new to vault and ledger, put by on disk until all parts are read.
//!
//! Invariant: sealed as all that waits below `.work`; of many contacts no more than some parts are held at once.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::blocks::{BlockError, Blocks, Item};
use crate::consent::event::LegalEvent;
use crate::consent::shared::Pool;
use crate::keys::Identifier;
use crate::model::SubjectId;
use crate::run::engine::RunError;
use crate::sink::WORK_CRM;

/// What is new to vault and ledger, put by until all parts are read.
pub(super) struct New {
    /// By what people are known, by range of the vault: so no page of it is changed twice.
    pub(super) named: Blocks,
    /// What was said and seen, by part.
    pub(super) said: Blocks,
}

/// Ranges of the vault.
pub(super) const RANGES: usize = 64;

impl New {
    pub(super) fn create(home: &Path, parts: usize) -> Result<Self, BlockError> {
        let folder = |name| home.join(".work").join(format!("{WORK_CRM}{}-{name}", std::process::id()));
        Ok(Self { named: Blocks::create(folder("named"), RANGES)?, said: Blocks::create(folder("said"), parts)? })
    }
}

/// By what somebody is known.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredName<'a>(pub(super) &'a str, pub(super) Vec<Identifier>);

pub(super) struct Names;

impl<'de> Item<'de> for Names {
    type Stored = StoredName<'de>;
}

/// What the ledger is to learn.
#[derive(Serialize, Deserialize)]
pub(super) enum Said<'a> {
    /// A legal event, as JSON.
    Event(&'a str),
    /// Who was read, and when for the first time, in nanoseconds since 1970.
    Seen(&'a str, i128),
}

pub(super) struct SaidItem;

impl<'de> Item<'de> for SaidItem {
    type Stored = Said<'de>;
}

/// Events of a part, and who was first seen when.
pub(super) type Learnt = (Vec<LegalEvent>, Vec<(SubjectId, Timestamp)>);

pub(super) fn entered(said: &Blocks, part: usize) -> Result<Learnt, RunError> {
    let (mut legal, mut seen, mut pool) = (Vec::new(), Vec::new(), Pool::default());
    said.read::<SaidItem>(part, |item| {
        match item {
            Said::Event(json) => {
                let mut event = serde_json::from_str(json).ok()?;
                pool.share(&mut event);
                legal.push(event);
            }
            Said::Seen(subject, at) => seen.push((id_of(subject)?, Timestamp::from_nanosecond(at).ok()?)),
        }
        Some(())
    })?;
    Ok((legal, seen))
}

pub(super) fn id_of(subject: &str) -> Option<SubjectId> {
    subject.strip_prefix(SubjectId::PREFIX).map(SubjectId::from_body)
}
