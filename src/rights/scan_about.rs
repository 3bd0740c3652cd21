//! The subject id of somebody of whom it is only known when it is seen: a receipt has a salted hash of it.
//!
//! Invariant: every subject id in a file is asked about, wherever it stands in readable form.

use super::scan::{Found, Scan};
use crate::model::SubjectId;

/// The label of somebody's subject id, and its place behind all needles.
pub(super) const SUBJECT_ID: &str = "subject id";
const ABOUT: usize = usize::MAX;
/// An id is 16 bytes in base 32; what stands behind it in a binary file is no part of it.
const ID_LETTERS: usize = 26;

/// Whether an id is that of the person who is sought.
pub(super) type About = dyn Fn(&SubjectId) -> bool;

impl Scan {
    /// Also seeks the subject id of somebody of whom it is only known when it is seen.
    #[must_use]
    pub fn about(mut self, is_it: impl Fn(&SubjectId) -> bool + 'static) -> Self {
        self.about = Some(Box::new(is_it));
        self
    }
}

impl Found<'_> {
    /// Looks at every subject id that ends behind `seen`.
    pub(super) fn ids(&mut self, bytes: &[u8], seen: usize, how: &str) {
        let Some(is_it) = &self.scan.about else { return };
        for at in memchr::memmem::find_iter(bytes, SubjectId::PREFIX) {
            let body = &bytes[at + SubjectId::PREFIX.len()..];
            let end = body.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(body.len()).min(ID_LETTERS);
            let id = std::str::from_utf8(&body[..end]).unwrap_or_default();
            let is_new = at + SubjectId::PREFIX.len() + end > seen;
            if is_new && !id.is_empty() && is_it(&SubjectId::from_body(id)) {
                *self.hits.entry((how.to_owned(), ABOUT)).or_default() += 1;
            }
        }
    }
}
