//! Dead letters of contacts as they are loaded.
//!
//! Invariant: a letter names file, line and field, and nothing that stands in the row.

use crate::crm::{CrmContact, CrmDeadLetter};
use crate::ids::Ids;
use crate::model::{DeadLetter, SubjectId};

/// Nobody knows how old a record is that was changed in the future.
pub(super) fn future_date(contact: &CrmContact, ids: &Ids, subject: &SubjectId) -> DeadLetter {
    DeadLetter {
        stage: "crm".to_owned(),
        reason: "future_date".to_owned(),
        detail: format!(
            "{}, field updated_at: the date is in the future; the contact is kept without it, correct it in the CRM",
            contact.origin
        ),
        row_commitment: ids.commitment("row", &contact.origin.digest),
        subject_id: Some(subject.clone()),
    }
}

/// Two records may be of one person.
pub(super) fn ambiguous_person(contact: &CrmContact, ids: &Ids, subject: &SubjectId) -> DeadLetter {
    DeadLetter {
        stage: "crm".to_owned(),
        reason: "ambiguous_person".to_owned(),
        detail: format!(
            "{}: another record has the same e-mail address or the same name at the same company; \
             merge the two in the CRM",
            contact.origin
        ),
        row_commitment: ids.commitment("row", &contact.origin.digest),
        subject_id: Some(subject.clone()),
    }
}

/// A contact belongs to a company that no export has.
pub(super) fn unknown_account(contact: &CrmContact, crm: &str, ids: &Ids) -> DeadLetter {
    DeadLetter {
        stage: "crm".to_owned(),
        reason: "unknown_account".to_owned(),
        detail: format!(
            "{}, field account: no company of the exports has this id, or it was deleted; the contact is kept without one",
            contact.origin
        ),
        row_commitment: ids.commitment("row", &contact.origin.digest),
        subject_id: Some(ids.subject(crm, &contact.record_id)),
    }
}

/// A dead letter of the connector as a row of `dead_letters`.
pub(in crate::run) fn dead_letter(crm: &str, letter: &CrmDeadLetter, ids: &Ids) -> DeadLetter {
    let record = letter.record_id.as_deref().filter(|_| letter.table != "accounts");
    DeadLetter {
        stage: "crm".to_owned(),
        reason: letter.reason.to_owned(),
        detail: letter.detail(),
        row_commitment: ids.commitment("row", &letter.origin.digest),
        subject_id: record.map(|r| ids.subject(crm, r)),
    }
}
