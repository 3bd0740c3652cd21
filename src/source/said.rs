//! From a statement of a text to a claim: the step that bios and notes share.
//!
//! Invariant: a family or a term that the vocabularies do not have is no claim.

use crate::extract::text::TextSignal;
use crate::model::Claim;

/// What a statement claims.
pub(super) fn claim(signal: &TextSignal) -> Option<Claim> {
    let sign = signal.polarity.sign();
    Some(match signal.family.as_str() {
        "buying_role" => Claim::BuyingRole(signal.value.parse().ok()?, sign),
        "job_function" if sign > 0 => Claim::JobFunction(signal.value.parse().ok()?),
        "trait" => Claim::Trait(signal.value.parse().ok()?, sign),
        "motive" if sign > 0 => Claim::Motive(signal.value.parse().ok()?),
        "channel" if sign > 0 => Claim::Channel(None, signal.value.parse().ok()?),
        "goal" if sign > 0 => Claim::Goal(signal.value.clone()),
        _ => return None,
    })
}

/// Whether a claim is part of a profile, and so needs leave to profile.
pub(super) use crate::run::known::is_profile;
