//! Access (Art. 15 GDPR): everything about one person, from every store, with the logic of every value.
//!
//! Invariant: what the stores hold about the person is in the bundle, row by row; what they hold about anybody else is
//! not; every explanation comes to the very value that is stored, or says that it does not.

mod bundle;
mod docs;
mod explained;
mod gather;
mod html;
mod log;
mod logic;
mod rows;
pub(crate) mod sealed;
mod sections;
pub mod texts;
mod words;

use jiff::Timestamp;

pub use bundle::{
    AccessDecision, Bundle, Controller, CrmField, Interest, LedgerEntry, Notice, Profiling, Purpose, Recipient, Record,
    Recording, RectificationEntry, Retention, Source, Subject,
};
pub use docs::documentation;
pub use explained::{ExplainedFacet, ExplainedPersona, Finding, Plain, Step};
pub use gather::{AccessError, Sources, gather};
pub use html::html;
pub use log::decisions;
pub use texts::{Texts, plain_reason};

use crate::crm::CrmContact;
use crate::taxonomy::Language;

/// The format of bundles.
pub const SCHEMA_VERSION: u32 = 1;

/// What the controller adds that no store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ControllerFacts {
    /// Postal address and how to reach the controller.
    pub address: Option<String>,
    /// How to reach the data protection officer.
    pub data_protection: Option<String>,
    /// The supervisory authority.
    pub authority: Option<String>,
}

/// What an export of the CRM says about the person, field by field; empty fields are left out.
#[must_use]
pub fn crm_fields(contact: &CrmContact) -> Vec<CrmField> {
    let text = |t: &crate::model::Personal<String>| t.reveal().clone();
    let time = |t: Timestamp| t.to_string();
    let mut all = vec![
        ("record_id", Some(contact.record_id.clone())),
        ("account_record", contact.account_record.clone()),
        ("given_name", Some(text(&contact.given_name))),
        ("family_name", Some(text(&contact.family_name))),
        ("job_title", contact.job_title.as_ref().map(text)),
        ("language", contact.language.map(|l| l.to_string())),
        ("country", contact.country.clone()),
        ("created_at", contact.created_at.map(time)),
        ("updated_at", contact.updated_at.map(time)),
        ("legal_basis", contact.flags.legal_basis.clone()),
    ];
    all.extend(contact.emails.iter().map(|e| ("email", Some(text(e)))));
    let f = &contact.flags;
    for (name, set) in [
        ("email_opt_out", f.email_opt_out),
        ("do_not_process", f.do_not_process),
        ("do_not_profile", f.do_not_profile),
        ("should_forget", f.should_forget),
        ("do_not_contact", f.do_not_contact),
    ] {
        all.push((name, set.then(|| "yes".to_owned())));
    }
    let field = |(name, value): (&str, Option<String>)| {
        let value = value.filter(|v| !v.is_empty())?;
        Some(CrmField { field: name.to_owned(), value })
    };
    let handles = contact.handles.iter().map(|(s, h)| CrmField { field: format!("handle.{s}"), value: text(h) });
    all.into_iter().filter_map(field).chain(handles).collect()
}

/// The languages of an answer: the one asked for, else the person's own, else both.
#[must_use]
pub fn languages(asked: Option<Language>, own: Option<Language>) -> Vec<Language> {
    asked.or(own).map_or_else(|| Language::ALL.to_vec(), |one| vec![one])
}

#[cfg(test)]
mod tests;
