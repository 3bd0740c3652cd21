//! The reasons of a refusal in plain words, and what would help.
//!
//! Invariant: every reason that the gate can give has words; a reason of another version is told as it is.

use serde::Serialize;

/// A reason for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plain {
    /// As the gate writes it.
    pub reason: String,
    /// What it means.
    pub means: String,
    /// What would help.
    pub helps: String,
}

/// Reason, what it means, what helps.
const WORDS: &[(&str, &str, &str)] = &[
    ("IntegrityFailure", "the ledger does not match its checkpoint", "restore the newest backup"),
    ("ClockSkew", "the clock stood before an earlier import", "set the clock right and run again"),
    ("StaleConsentSync", "consents had not been imported for too long", "run with a fresh export of consents"),
    ("PolicyUnsigned", "nobody has approved the policy", "have the policy approved"),
    ("SubjectUnresolved", "the person was not known to the run", "import the contact"),
    (
        "SubjectAmbiguous",
        "two records are this person, a row could not be read, or a cell or a note on the person may say no",
        "the dead letters of the run name the row: merge the records, correct it, or write the no into the CRM's own field",
    ),
    ("ProhibitedCategory", "special-category data was asked for", "nothing: such data is never read"),
    ("ProhibitedModality", "something other than text was asked for", "nothing: only text is ever read"),
    ("ProhibitedPurpose", "the purpose may not be asked for at all", "nothing: recruiting and the like are shut out"),
    ("AutomatedDecision", "the purpose would decide about people by itself", "nothing: results are advice only"),
    ("Erased", "the person is to be forgotten (Art. 17)", "nothing"),
    ("Suppressed", "a flag of the CRM says: no processing at all", "nothing, unless the controller lifts the flag"),
    (
        "Restricted",
        "processing is restricted (Art. 18): only storing is left",
        "record a lift when the restriction ends",
    ),
    ("MarketingObjection", "the person objected to marketing (Art. 21(2)), which is absolute", "nothing"),
    (
        "ObjectionPending",
        "the person objected (Art. 21(1)), and nobody has decided yet",
        "decide; record a lift if it is not upheld",
    ),
    ("Withdrawn", "the person withdrew or refused consent", "only a later, proven consent of the person"),
    (
        "SourceUnregistered",
        "the source is not registered for this purpose or host",
        "register it in the policy, or leave it",
    ),
    ("VisibilityRestricted", "the source is not public", "nothing: closed sources are never read"),
    ("TermsForbid", "the terms of the source forbid it", "nothing, unless the terms change"),
    ("RobotsDisallow", "robots.txt forbids the page, or could not be had", "nothing, unless the host allows it"),
    ("TdmReserved", "the host reserves its rights to text and data mining", "ask for a licence"),
    ("SourceRevoked", "the source was taken out of use", "nothing"),
    ("PurposeUnregistered", "the policy does not register this purpose for this", "register it in the policy"),
    ("DpiaMissing", "the DPIA is missing, expired, or covers something else", "approve or renew the DPIA"),
    ("ContractExpired", "the processor contract of the source has ended", "renew the contract"),
    ("TransferUncovered", "a recipient outside the EEA has no transfer tool", "add the transfer tool to the policy"),
    ("NoBasis", "there is neither consent nor another admitted basis", "ask the person for consent"),
    (
        "ConsentUnproven",
        "a consent is on file, but method, notice or wording hash is missing",
        "complete the record of the consent",
    ),
    ("NotYetValid", "the basis begins later", "wait until it begins"),
    ("Expired", "the basis has ended", "ask the person again"),
    ("LiaInvalid", "no approved, unexpired assessment of legitimate interest covers this", "renew the LIA"),
    ("NoticeOverdue", "the person was not told in time (Art. 14)", "give the notice and record it"),
    (
        "NoticeRequiredBeforeDisclosure",
        "the person must be told before anything is shown (Art. 14)",
        "give the notice and record it",
    ),
    ("FieldNotNecessary", "the purpose does not need this data category", "nothing: it is not needed"),
    ("EvidenceTooOld", "the evidence is older than the purpose allows", "wait for newer evidence"),
    (
        "RetentionElapsed",
        "the person was first collected longer ago than retention allows",
        "nothing: a new import does not renew it",
    ),
];

/// The words for a reason.
#[must_use]
pub fn plain(reason: &str) -> Plain {
    if let Some(dimension) = reason.strip_prefix("ScopeMismatch(").and_then(|rest| rest.strip_suffix(')')) {
        let dimension = dimension.replace('_', " ");
        return Plain {
            reason: reason.to_owned(),
            means: format!("there is a basis, but for another {dimension}"),
            helps: "ask the person for what is needed".to_owned(),
        };
    }
    let known = WORDS.iter().find(|(name, ..)| *name == reason);
    let (means, helps) = known.map_or(("a reason of another version", "read the release notes"), |w| (w.1, w.2));
    Plain { reason: reason.to_owned(), means: means.to_owned(), helps: helps.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::reason::Reason;

    #[test]
    fn every_reason_of_the_gate_has_words() {
        for reason in Reason::ALL {
            let plain = plain(&reason.to_string());
            assert!(!plain.means.contains("another version"), "{reason} needs words in {}", file!());
        }
        assert_eq!(plain("ScopeMismatch(source_class)").means, "there is a basis, but for another source class");
    }
}
