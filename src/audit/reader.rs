//! Reading the audit log of a home: entries in order, payloads while their key exists.
//!
//! Invariant: reading needs no key to see that an entry is there, and a person's key to see whom it is about.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use prosopon_tlog::{Checkpoint, Pending, Reader};

use crate::audit::anchor::steady;
use crate::audit::error::AuditError;
use crate::audit::leaf::{Leaf, Payload};
use crate::audit::payloads::Payloads;
use crate::audit::writer::Place;
use crate::keys::SubjectKey;

/// An open log, to be read; nothing is written.
#[derive(Debug)]
pub struct LogReader {
    reader: Reader,
    /// What was acknowledged and no published checkpoint covers yet.
    pending: Pending,
    payloads: Payloads,
    folder: PathBuf,
}

impl LogReader {
    /// Opens what was acknowledged until now.
    ///
    /// # Errors
    /// Missing, damaged or unreadable.
    pub fn open(place: &Place) -> Result<Self, AuditError> {
        let (reader, pending) = steady(place, |reader| {
            let fail = |source| AuditError::of_log(place.folder.clone(), source);
            Ok((reader.clone(), reader.pending().map_err(fail)?))
        })?;
        Ok(Self { reader, pending, payloads: Payloads::open_to_read(&place.payloads())?, folder: place.folder.clone() })
    }

    /// How many entries there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.pending.leaves.end
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
        self.reader.root_at(size).map_err(|source| AuditError::of_log(self.folder.clone(), source))
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
        let published = range.start..range.end.min(self.checkpoint().size());
        if !published.is_empty() && self.published(published, visit)?.is_break() {
            return Ok(());
        }
        for (seq, bytes) in self.pending.leaves.clone().zip(self.pending.iter()) {
            if range.contains(&seq) && visit(seq, self.leaf(seq, bytes)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn leaf(&self, seq: u64, bytes: &[u8]) -> Result<Leaf, AuditError> {
        Leaf::read(bytes).map_err(|_| AuditError::Entry { path: self.folder.clone(), seq })
    }

    fn published(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Leaf) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, AuditError> {
        let fail = |source| AuditError::of_log(self.folder.clone(), source);
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
            if visit(seq, self.leaf(seq, &bytes)?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audit::AuditLog;
    use crate::audit::Kind::{self, Genesis, Keys, Read};

    #[test]
    fn entries_are_read_before_and_after_they_are_published() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::of(folder.path(), "prosopon/test".to_owned());
        let signer = || prosopon_tlog::Signer::from_seed("prosopon/test", &[7; 32]).expect("a key");
        let clock: crate::consent::gate::Clock = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
        AuditLog::create(&place, signer(), &clock, Leaf::new(Kind::Genesis)).expect("a new log");
        let log = AuditLog::open(&place, signer(), &clock).expect("opens");
        for publish in [false, true, false] {
            log.append_now(vec![Leaf::new(Kind::Read).into(), Leaf::new(Kind::Keys).into()]).expect("written");
            if publish {
                log.publish().expect("published");
            }
        }
        let reader = LogReader::open(&place).expect("opens");
        assert_eq!((reader.size(), reader.checkpoint().size()), (7, 5));
        let read = |range: Range<u64>| {
            let mut seen = Vec::new();
            let visit = &mut |seq, leaf: Leaf| {
                seen.push((seq, leaf.kind));
                ControlFlow::Continue(())
            };
            reader.each(range, visit).expect("readable");
            seen
        };
        let all = [(0, Genesis), (1, Read), (2, Keys), (3, Read), (4, Keys), (5, Read), (6, Keys)];
        assert_eq!(read(0..u64::MAX), all);
        assert_eq!(read(4..6), all[4..6]);
        assert_eq!(read(6..6), []);
    }
}
