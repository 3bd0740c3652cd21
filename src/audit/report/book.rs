//! Reading a book: keys of 16 bytes, who a leaf is about, policies once each, snapshots with their manifests.
//!
//! Invariant: a tag is resolved in its own month and only while the key exists; the tags of one month are in memory
//! at a time.

use std::collections::HashMap;
use std::ops::ControlFlow;

use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Book, EventRef, ReportError};
use crate::audit::leaf::Leaf;
use crate::consent::ledger::Entry;
use crate::consent::policy::Policy;
use crate::keys::Vault;
use crate::model::SubjectId;
use crate::sink::{self, Snapshot};

/// Stands for an id, or for several values that belong together.
pub(super) type Key = [u8; 16];

/// The key of some values; unequal lists of values have unequal keys.
pub(super) fn key(parts: &[&str]) -> Key {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let hash: [u8; 32] = hasher.finalize().into();
    *hash.first_chunk().expect("a hash has 32 bytes")
}

/// Whom a leaf is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who<'a> {
    /// A person who has a key.
    Subject(&'a SubjectId),
    /// A tag that is nobody's any more.
    Nobody,
    /// A company or a host, or nothing at all: see `target`.
    Other,
}

/// Resolves tags.
pub(super) struct People<'a> {
    vault: &'a Vault,
    month: Option<(i16, i8)>,
    tags: HashMap<Key, &'a SubjectId>,
}

impl<'a> People<'a> {
    pub fn new(vault: &'a Vault) -> Self {
        Self { vault, month: None, tags: HashMap::new() }
    }

    pub fn who(&mut self, leaf: &Leaf) -> Who<'a> {
        let Some(tag) = &leaf.subject else { return Who::Other };
        let month = month(leaf.at);
        if self.month != Some(month) {
            let tags = self.vault.subjects().filter_map(|(id, key)| Some((bytes(&key.tag(leaf.at))?, id)));
            self.tags = tags.collect();
            self.month = Some(month);
        }
        bytes(tag).and_then(|tag| self.tags.get(&tag)).map_or(Who::Nobody, |id| Who::Subject(id))
    }
}

/// The calendar month, UTC.
pub(super) fn month(at: Timestamp) -> (i16, i8) {
    let date = Offset::UTC.to_datetime(at).date();
    (date.year(), date.month())
}

fn bytes(hex: &str) -> Option<Key> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
}

/// Policies, each looked up once.
pub(super) struct Policies<'a> {
    find: &'a dyn Fn(&str) -> Option<Policy>,
    known: HashMap<String, Option<Policy>>,
}

impl<'a> Policies<'a> {
    pub fn new(book: &Book<'a>) -> Self {
        Self { find: book.policies, known: HashMap::new() }
    }

    pub fn get(&mut self, hash: &str) -> Option<&Policy> {
        if !self.known.contains_key(hash) {
            self.known.insert(hash.to_owned(), (self.find)(hash));
        }
        self.known.get(hash).and_then(Option::as_ref)
    }
}

/// A snapshot that is still there.
pub(super) struct Kept {
    pub pipeline: String,
    pub snapshot: Snapshot,
    pub manifest: Value,
    /// It is the one that readers see.
    pub current: bool,
}

impl Kept {
    pub fn run(&self) -> &str {
        self.snapshot.run_id()
    }

    /// Its run, and the earlier ones whose rows were carried over into it.
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        let earlier = self.manifest["carry_over"]["runs"].as_array();
        let earlier = earlier.into_iter().flatten().filter_map(Value::as_str);
        std::iter::once(self.run()).chain(earlier.filter(|run| *run != self.run()))
    }

    pub fn text(&self, name: &str) -> &str {
        self.manifest[name].as_str().unwrap_or_default()
    }

    /// Its gate stood still on purpose (demo, replay): its times and the wall's have nothing in common.
    pub fn pinned(&self) -> bool {
        self.manifest["gate_time"].is_string()
    }

    pub fn published_at(&self) -> Option<Timestamp> {
        self.text("published_at").parse().ok()
    }
}

impl Book<'_> {
    /// Snapshots of the chosen pipelines, oldest first within each.
    pub(super) fn snapshots(&self) -> Result<Vec<Kept>, ReportError> {
        let mut all = Vec::new();
        for pipeline in sink::pipelines(self.home) {
            if self.pipeline.is_some_and(|wanted| wanted != pipeline) {
                continue;
            }
            let current = sink::current(self.home, &pipeline)?;
            for snapshot in sink::snapshots(self.home, &pipeline)? {
                let manifest = snapshot.manifest()?;
                let current = current.as_ref() == Some(&snapshot);
                all.push(Kept { pipeline: pipeline.clone(), snapshot, manifest, current });
            }
        }
        Ok(all)
    }

    /// Visits every leaf; an error of the visitor ends the visit.
    pub(super) fn each_leaf(
        &self,
        mut visit: impl FnMut(u64, &Leaf) -> Result<(), ReportError>,
    ) -> Result<(), ReportError> {
        let mut failed = None;
        self.leaves.each(0..self.leaves.len(), &mut |number, leaf| match visit(number, &leaf) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// The hash of the policy that was applied last, by the log or else by the snapshots.
    pub(super) fn policy_now(&self, snapshots: &[Kept]) -> Result<Option<String>, ReportError> {
        let mut last = None;
        self.each_leaf(|_, leaf| {
            if let Some(hash) = &leaf.policy {
                last = Some(hash.clone());
            }
            Ok(())
        })?;
        let newest = snapshots.iter().max_by_key(|kept| kept.published_at()).map(|kept| kept.text("policy_hash"));
        Ok(last.or_else(|| newest.map(str::to_owned)))
    }
}

/// Names an entry of the ledger.
pub(super) fn event_ref(entry: &Entry<'_>) -> EventRef {
    EventRef {
        entry: entry.seq,
        kind: entry.event.kind,
        recorded_at: Some(entry.event.recorded_at).filter(|at| *at != Timestamp::MAX),
        known_at: entry.known_at,
    }
}
