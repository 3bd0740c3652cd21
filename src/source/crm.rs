//! The CRM as a source: the title that the CRM has.
//!
//! Invariant: only the title is read here, and only with leave for the source `crm`.

use crate::model::{About, Subject};
use crate::source::Reading;
use crate::source::titles::{self, Stated};
use crate::taxonomy::Language;

/// How far a CRM title is believed: somebody typed it, some time ago.
pub(super) const TRUST: f64 = 0.95;

/// Reads what the CRM row says about its contact.
#[must_use]
pub fn read(subject: &Subject, languages: &[Language]) -> Reading {
    let Some(title) = &subject.job_title else { return Reading::default() };
    let about = About::Subject(subject.id.clone(), subject.account.clone());
    let stated =
        Stated { about: &about, title: title.reveal(), department: None, locator: "column title", trust: TRUST };
    let claims = titles::claims(&stated, languages);
    Reading { found: claims.found, withheld: claims.withheld, ..Reading::default() }
}
