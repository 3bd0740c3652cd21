//! Keyed ids: stable for one home, meaningless to anybody without its key.
//!
//! Invariant: every id is HMAC-SHA-256 under the home's id key over a label and length-prefixed parts, so no id can
//! be computed from a name or an address by an outsider and no two kinds of id can collide.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::{AccountId, DecisionId, DocumentId, PermitId, SignalId, SubjectId};

/// The key of the demo. It is public on purpose: demo tables are the same everywhere.
pub const DEMO_KEY: [u8; 32] = *b"prosopon-demo-home-public-id-key";

/// Makes the ids of one home.
#[derive(Clone)]
pub struct Ids {
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids([secret])")
    }
}

impl Ids {
    /// Takes the home's id key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(key) }
    }

    fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("HMAC takes keys of any length");
        for part in std::iter::once(&label.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// 26 lower-case base32 characters, 128 bits.
    fn body(&self, label: &str, parts: &[&[u8]]) -> String {
        BASE32_NOPAD.encode(&self.mac(label, parts)[..16]).to_ascii_lowercase()
    }

    /// A subject, from the CRM's name and its first record id.
    #[must_use]
    pub fn subject(&self, crm: &str, record: &str) -> SubjectId {
        SubjectId::from_body(&self.body("subject", &[crm.as_bytes(), record.as_bytes()]))
    }

    /// A company, from the CRM's name and its record id.
    #[must_use]
    pub fn account(&self, crm: &str, record: &str) -> AccountId {
        AccountId::from_body(&self.body("account", &[crm.as_bytes(), record.as_bytes()]))
    }

    /// A permit and the decision that minted it, from request, policy, ledger state and gate time.
    #[must_use]
    pub fn decision(&self, request: &str, policy: &str, ledger: &str, at: &str) -> (DecisionId, PermitId) {
        let parts = [request.as_bytes(), policy.as_bytes(), ledger.as_bytes(), at.as_bytes()];
        (DecisionId::from_body(&self.body("decision", &parts)), PermitId::from_body(&self.body("permit", &parts)))
    }

    /// The document that a permit led to.
    #[must_use]
    pub fn document(&self, permit: &PermitId) -> DocumentId {
        DocumentId::from_body(&self.body("document", &[permit.as_str().as_bytes()]))
    }

    /// A signal.
    #[must_use]
    pub fn signal(&self, parts: &[&str]) -> SignalId {
        let parts: Vec<&[u8]> = parts.iter().map(|p| p.as_bytes()).collect();
        SignalId::from_body(&self.body("signal", &parts))
    }

    /// A key for something of a run, for instance one fetch in the journal.
    #[must_use]
    pub fn request(&self, parts: &[&str]) -> String {
        let parts: Vec<&[u8]> = parts.iter().map(|p| p.as_bytes()).collect();
        self.body("request", &parts)
    }

    /// A keyed hash of content, `hmac-sha256:` + hex: proves equality, reveals nothing.
    #[must_use]
    pub fn commitment(&self, label: &str, content: &[u8]) -> String {
        format!("hmac-sha256:{}", HEXLOWER.encode(&self.mac(label, &[content])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_key_kind_and_every_part() {
        let (a, b) = (Ids::new(DEMO_KEY), Ids::new([7; 32]));
        assert_eq!(a.subject("crm", "1"), a.subject("crm", "1"));
        assert_ne!(a.subject("crm", "1"), b.subject("crm", "1"));
        assert_ne!(a.subject("crm", "1"), a.subject("cr", "m1"), "parts are length-prefixed");
        assert_ne!(a.subject("crm", "1").as_str()[4..], a.account("crm", "1").as_str()[4..], "kinds are labelled");
        assert_eq!(format!("{a:?}"), "Ids([secret])");
    }
}
