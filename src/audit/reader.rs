//! Reading the audit log of a home: entries in order, payloads while their key exists.
//!
//! Invariant: reading needs no key to see that an entry is there, and a person's key to see whom it is about.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use prosopon_tlog::{Checkpoint, Reader};

use crate::audit::error::AuditError;
use crate::audit::leaf::{Leaf, Payload};
use crate::audit::payloads::Payloads;
use crate::audit::writer::Place;
use crate::keys::SubjectKey;

/// An open log, to be read.
#[derive(Debug)]
pub struct LogReader {
    reader: Reader,
    payloads: Payloads,
    folder: PathBuf,
}

impl LogReader {
    /// Opens what the log's checkpoint covers.
    ///
    /// # Errors
    /// Missing, damaged or unreadable.
    pub fn open(place: &Place) -> Result<Self, AuditError> {
        let fail = |source| AuditError::Log { path: place.folder.clone(), source: Arc::new(source) };
        let reader = Reader::open(&place.folder).map_err(fail)?;
        Ok(Self { reader, payloads: Payloads::open(&place.payloads())?, folder: place.folder.clone() })
    }

    /// The signed checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        self.reader.checkpoint()
    }

    /// The root over the first `size` entries.
    ///
    /// # Errors
    /// Unreadable, or there are fewer entries.
    pub fn root(&self, size: u64) -> Result<prosopon_tlog::Hash, AuditError> {
        self.reader
            .root_at(size)
            .map_err(|source| AuditError::Log { path: self.folder.clone(), source: Arc::new(source) })
    }

    /// Visits the entries of a range in order until the visitor breaks off; a range beyond the end is cut.
    ///
    /// # Errors
    /// Unreadable, or an entry is none of this version.
    pub fn each(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Leaf) -> ControlFlow<()>,
    ) -> Result<(), AuditError> {
        let range = range.start..range.end.min(self.checkpoint().size());
        if range.is_empty() {
            return Ok(());
        }
        let fail = |source| AuditError::Log { path: self.folder.clone(), source: Arc::new(source) };
        let mut leaves = self.reader.leaves(range.clone()).map_err(fail)?;
        let mut known = self.checkpoint().size();
        for seq in range.clone() {
            let bytes = match leaves.next() {
                Some(Ok(bytes)) => bytes,
                other => {
                    // Another process may have published and so taken a partial tile away: its successor has the entry.
                    let newer = Reader::open(&self.folder).map_err(fail)?;
                    if newer.checkpoint().size() <= known {
                        let bytes = other.transpose().map_err(fail)?;
                        bytes.ok_or(AuditError::Entry { path: self.folder.clone(), seq })?
                    } else {
                        known = newer.checkpoint().size();
                        leaves = newer.leaves(seq..range.end).map_err(fail)?;
                        let bytes = leaves.next().transpose().map_err(fail)?;
                        bytes.ok_or(AuditError::Entry { path: self.folder.clone(), seq })?
                    }
                }
            };
            let leaf = Leaf::read(&bytes).map_err(|_| AuditError::Entry { path: self.folder.clone(), seq })?;
            if visit(seq, leaf).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// What a leaf is about; `None` = nothing was sealed, it was destroyed, or the key is another's.
    ///
    /// # Errors
    /// Unreadable.
    pub fn payload(&self, leaf: &Leaf, key: &SubjectKey) -> Result<Option<Payload>, AuditError> {
        let commitment = leaf.payload.as_ref().and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok());
        let Some(commitment) = commitment else { return Ok(None) };
        let text = self.payloads.open_payload(&commitment, key)?;
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    /// Visits the entries about one person.
    ///
    /// # Errors
    /// See [`Self::each`].
    pub fn of_subject(&self, key: &SubjectKey, visit: &mut dyn FnMut(u64, Leaf)) -> Result<(), AuditError> {
        let mut month = (String::new(), String::new());
        self.each(0..u64::MAX, &mut |seq, leaf| {
            if leaf.subject.is_some() {
                let this = leaf.at.strftime("%Y-%m").to_string();
                if month.0 != this {
                    month = (this, key.tag(leaf.at));
                }
                if leaf.subject.as_deref() == Some(&month.1) {
                    visit(seq, leaf);
                }
            }
            ControlFlow::Continue(())
        })
    }
}
