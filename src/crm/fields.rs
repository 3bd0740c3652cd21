//! What fields are like: which are read from every column, which from one, and which a header that says no may stand for.
//!
//! Invariant: a header that says no stands for nothing else, whatever list it is in.

use super::FLAGS;
use super::headers::is_custom;
use super::noes::{self, No};
use super::remarks::REMARK;

/// Whether every column of a field is read, and not the first alone.
pub(super) fn is_read_all(field: &str) -> bool {
    FLAGS.contains(&field)
        || matches!(
            field,
            "email"
                | "email_2"
                | "merged_into"
                | "merged_ids"
                | "email_allowed"
                | "contact_allowed"
                | "active"
                | "contact_email"
                | REMARK
        )
}

/// Fields of which two columns of one name are one too many; of others the first is read.
pub(super) const READ_ONCE: [&str; 13] = [
    "record_id",
    "account_record",
    "contact_id",
    "note_id",
    "regarding",
    "family_name",
    "given_name",
    "full_name",
    "name",
    "legal_basis",
    "statecode",
    "kind",
    "valid_to",
];

/// Fields that hold ids: what the owner of a CRM has made beside them is the id of something else.
const IDS: [&str; 5] = ["record_id", "account_record", "contact_id", "note_id", "regarding"];

/// What a header tells that is a no. Dynamics asks people not to change a column, beside its name; that is none.
pub(super) fn no_of(header: &str) -> Option<No> {
    const ASKED: [&str; 2] = ["(do not modify)", "(nicht ändern)"];
    let lower = header.to_lowercase();
    match ASKED.iter().find(|asked| lower.contains(**asked)) {
        Some(asked) => noes::read(&lower.replace(asked, "")),
        None => noes::read(header),
    }
}

/// Whether a header cannot stand for a field whose list has it: it says no, or is what the owner of a CRM has made beside ids.
pub(super) fn is_barred(field: &str, header: &str) -> bool {
    let is_id = IDS.contains(&field);
    // "Contact No." is a number.
    let is_number = || is_id && header.trim_end_matches('.').to_lowercase().ends_with(" no");
    (is_id && is_custom(header)) || (!says_no(field) && no_of(header).is_some() && !is_number())
}

/// Whether a field holds a no, or what is looked at for one: a header that says no stands for nothing else.
fn says_no(field: &str) -> bool {
    FLAGS.contains(&field) || ["email_allowed", "contact_allowed", "legal_basis", REMARK].contains(&field)
}

/// The pipeline's name of a connector's field.
pub(crate) fn pipeline_field(field: &str) -> String {
    match field {
        "record_id" => "id".to_owned(),
        "account_record" => "account_id".to_owned(),
        same => same.replace("handle.", "handles."),
    }
}
