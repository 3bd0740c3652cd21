//! Why the gate refuses: a closed list, in the order of the checks.
//!
//! Invariant: the order of the variants is the order of the design; the first failing one is the primary reason.

use std::fmt;

/// Why something is refused; the order of the variants is the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The ledger does not match its checkpoint.
    IntegrityFailure,
    /// The clock stands before what the ledger has seen.
    ClockSkew,
    /// The last import of consents is too old.
    StaleConsentSync,
    /// Nobody approved the policy.
    PolicyUnsigned,
    /// The subject is not in the ledger's index.
    SubjectUnresolved,
    /// Two records claim to be this person, or a row of the record could not be read.
    SubjectAmbiguous,
    /// A special category (Art. 9 and 10) or a proxy of one is asked for, or listed by the purpose.
    ProhibitedCategory,
    /// Something other than text.
    ProhibitedModality,
    /// The purpose cannot be asked for.
    ProhibitedPurpose,
    /// The purpose would decide about people by itself (Art. 22).
    AutomatedDecision,
    /// Art. 17.
    Erased,
    /// The CRM says: do not process this person at all.
    Suppressed,
    /// Art. 18.
    Restricted,
    /// Art. 21(2): absolute.
    MarketingObjection,
    /// Art. 21(1): restricted until decided.
    ObjectionPending,
    /// A consent was withdrawn or refused.
    Withdrawn,
    /// The policy does not register the source, or not for this purpose or host.
    SourceUnregistered,
    /// The source is not public, or nobody knows.
    VisibilityRestricted,
    /// The terms forbid it.
    TermsForbid,
    /// robots.txt forbids it, or was not asked.
    RobotsDisallow,
    /// Rights are reserved (TDM).
    TdmReserved,
    /// The source was taken out of use.
    SourceRevoked,
    /// The policy does not register the purpose, or not for this operation, source class or kind of target.
    PurposeUnregistered,
    /// The DPIA that the purpose needs is missing, expired, or covers something else.
    DpiaMissing,
    /// The processor contract has ended.
    ContractExpired,
    /// A recipient outside the EEA without transfer tool.
    TransferUncovered,
    /// Nobody granted anything that the purpose may rest on.
    NoBasis,
    /// A consent without complete proof.
    ConsentUnproven,
    /// A basis that begins later.
    NotYetValid,
    /// A basis that has ended.
    Expired,
    /// Legitimate interest without a valid assessment, or for profiling.
    LiaInvalid,
    /// A basis for another purpose.
    ScopeMismatchPurpose,
    /// A basis for other operations.
    ScopeMismatchOperation,
    /// A basis for other source classes.
    ScopeMismatchSourceClass,
    /// A basis for other data categories.
    ScopeMismatchDataCategory,
    /// A basis for other recipients.
    ScopeMismatchRecipient,
    /// A basis for other regions.
    ScopeMismatchRegion,
    /// The Art. 14 notice is overdue.
    NoticeOverdue,
    /// Not notified, and this would be the first disclosure.
    NoticeRequiredBeforeDisclosure,
    /// A data category that the purpose does not list.
    FieldNotNecessary,
    /// The evidence is older than the purpose allows, or its age is not known.
    EvidenceTooOld,
    /// The retention period has ended.
    RetentionElapsed,
}

impl Reason {
    /// Whether the person, or the controller on their behalf, has said no: not only that nobody has said yes.
    #[must_use]
    pub const fn is_a_no(self) -> bool {
        matches!(
            self,
            Self::Erased
                | Self::Suppressed
                | Self::Restricted
                | Self::MarketingObjection
                | Self::ObjectionPending
                | Self::Withdrawn
        )
    }

    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 42] = [
        Self::IntegrityFailure,
        Self::ClockSkew,
        Self::StaleConsentSync,
        Self::PolicyUnsigned,
        Self::SubjectUnresolved,
        Self::SubjectAmbiguous,
        Self::ProhibitedCategory,
        Self::ProhibitedModality,
        Self::ProhibitedPurpose,
        Self::AutomatedDecision,
        Self::Erased,
        Self::Suppressed,
        Self::Restricted,
        Self::MarketingObjection,
        Self::ObjectionPending,
        Self::Withdrawn,
        Self::SourceUnregistered,
        Self::VisibilityRestricted,
        Self::TermsForbid,
        Self::RobotsDisallow,
        Self::TdmReserved,
        Self::SourceRevoked,
        Self::PurposeUnregistered,
        Self::DpiaMissing,
        Self::ContractExpired,
        Self::TransferUncovered,
        Self::NoBasis,
        Self::ConsentUnproven,
        Self::NotYetValid,
        Self::Expired,
        Self::LiaInvalid,
        Self::ScopeMismatchPurpose,
        Self::ScopeMismatchOperation,
        Self::ScopeMismatchSourceClass,
        Self::ScopeMismatchDataCategory,
        Self::ScopeMismatchRecipient,
        Self::ScopeMismatchRegion,
        Self::NoticeOverdue,
        Self::NoticeRequiredBeforeDisclosure,
        Self::FieldNotNecessary,
        Self::EvidenceTooOld,
        Self::RetentionElapsed,
    ];
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScopeMismatchPurpose => f.write_str("ScopeMismatch(purpose)"),
            Self::ScopeMismatchOperation => f.write_str("ScopeMismatch(operation)"),
            Self::ScopeMismatchSourceClass => f.write_str("ScopeMismatch(source_class)"),
            Self::ScopeMismatchDataCategory => f.write_str("ScopeMismatch(data_category)"),
            Self::ScopeMismatchRecipient => f.write_str("ScopeMismatch(recipient)"),
            Self::ScopeMismatchRegion => f.write_str("ScopeMismatch(region)"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Whether one of these reasons, as a row of the `decisions` table has them, [is a no](Reason::is_a_no).
#[must_use]
pub fn any_is_a_no(reasons: &[String]) -> bool {
    reasons.iter().any(|text| Reason::ALL.iter().any(|r| r.is_a_no() && r.to_string() == *text))
}

/// Reasons that were found, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::consent) struct ReasonSet(u64);

impl ReasonSet {
    pub const fn add(&mut self, reason: Reason) {
        self.0 |= 1 << reason as u8;
    }

    pub const fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of the checks.
    pub fn list(self) -> Vec<Reason> {
        let mut left = self.0;
        let mut reasons = Vec::with_capacity(left.count_ones() as usize);
        while left != 0 {
            reasons.push(Reason::ALL[left.trailing_zeros() as usize]);
            left &= left - 1;
        }
        reasons
    }
}
