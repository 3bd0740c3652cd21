//! Keyed ids: stable for one home, meaningless to anybody without its key.
//!
//! Invariant: every id is HMAC-SHA-256 under the home's id key over a label and length-prefixed parts, so no id can
//! be computed from a name or an address by an outsider and no two kinds of id can collide. What has taken in the key
//! wipes itself.

use std::borrow::Cow;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use zeroize::Zeroize;

use crate::model::{AccountId, DecisionId, DocumentId, PermitId, SignalId, SubjectId};

/// The key of the demo. It is public on purpose: demo tables are the same everywhere.
pub const DEMO_KEY: [u8; 32] = *b"prosopon-demo-home-public-id-key";

/// Makes the ids of one home.
#[derive(Clone)]
pub struct Ids {
    /// The state after the key, so that no id takes it in again.
    keyed: Hmac<Sha256>,
    /// Both forms of a Salesforce id are one record.
    one_form: bool,
}

// Without the feature `zeroize` of `hmac` and `sha2` a state would be left where it was.
const _: () = assert!(std::mem::needs_drop::<Hmac<Sha256>>(), "a state that took in the key wipes itself");

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids([secret])")
    }
}

impl Ids {
    /// Takes the home's id key.
    #[must_use]
    pub fn new(mut key: [u8; 32]) -> Self {
        let keyed = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        key.zeroize();
        Self { keyed, one_form: true }
    }

    /// For homes that know both forms of a Salesforce id apart: subjects keep their ids, or what stands against them would be lost.
    #[must_use]
    pub fn as_written(self, is: bool) -> Self {
        Self { one_form: !is, ..self }
    }

    /// A record's id as ids of ours are made from it.
    pub(crate) fn form<'r>(&self, record: &'r str) -> Cow<'r, str> {
        if self.one_form { same_form(record) } else { record.into() }
    }

    fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        take_in(&mut mac, label.as_bytes());
        for part in parts {
            take_in(&mut mac, part);
        }
        mac.finalize().into_bytes().into()
    }

    fn body(&self, label: &str, parts: &[&[u8]]) -> String {
        let mut space = [0; 26];
        text(halves(&self.mac(label, parts)).0, &mut space).to_owned()
    }

    /// A subject, from the CRM's name and its first record id.
    #[must_use]
    pub fn subject(&self, crm: &str, record: &str) -> SubjectId {
        SubjectId::from_body(&self.body("subject", &[crm.as_bytes(), self.form(record).as_bytes()]))
    }

    /// The same as bytes, see [`subject_of`].
    #[must_use]
    pub fn subject_bytes(&self, crm: &str, record: &str) -> [u8; 16] {
        *halves(&self.mac("subject", &[crm.as_bytes(), self.form(record).as_bytes()])).0
    }

    /// A company, from the CRM's name and its record id.
    #[must_use]
    pub fn account(&self, crm: &str, record: &str) -> AccountId {
        AccountId::from_body(&self.body("account", &[crm.as_bytes(), self.form(record).as_bytes()]))
    }

    /// Ids of the decisions under one policy and one state of the ledger.
    #[must_use]
    pub fn decisions(&self, policy: &str, ledger: &str) -> DecisionIds {
        // What they have in common becomes their key, so that what is left to take in is short.
        let mut key = self.mac("decision", &[policy.as_bytes(), ledger.as_bytes()]);
        let keyed = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        key.zeroize();
        DecisionIds { keyed }
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
        format!("{COMMITMENT}{}", HEXLOWER.encode(&self.mac(label, &[content])))
    }

    /// The first half of it, see [`commitment_bytes`].
    #[must_use]
    pub fn commitment_bytes(&self, label: &str, content: &[u8]) -> [u8; 16] {
        *halves(&self.mac(label, &[content])).0
    }
}

/// What a commitment begins with.
const COMMITMENT: &str = "hmac-sha256:";

/// The subject that bytes stand for.
#[must_use]
pub fn subject_of(bytes: &[u8; 16]) -> SubjectId {
    SubjectId::from_body(text(bytes, &mut [0; 26]))
}

/// The id of a Salesforce record in 18 characters, where it has 15 of which case tells: the rest says which of them are capitals.
/// `None` = it is no such id.
#[must_use]
pub fn long_form(record: &str) -> Option<String> {
    // Accounts, contacts, leads: nobody else is meant by ids that begin so and are as long.
    let is_one = record.len() == 15
        && record.bytes().all(|b| b.is_ascii_alphanumeric())
        && ["001", "003", "00Q"].iter().any(|kind| record.starts_with(kind))
        && record[3..].bytes().any(|b| b.is_ascii_alphabetic());
    let letter = |part: &[u8]| {
        let capitals = part.iter().enumerate().map(|(at, b)| usize::from(b.is_ascii_uppercase()) << at).sum::<usize>();
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[capitals])
    };
    is_one.then(|| record.chars().chain(record.as_bytes().chunks(5).map(letter)).collect())
}

/// Whether an id is one in 18 characters whose end is right.
#[must_use]
pub fn is_long_form(record: &str) -> bool {
    record.len() == 18 && record.get(..15).and_then(long_form).is_some_and(|long| long == record)
}

/// A record's id as ids of ours are made from it: both forms of one id give one.
pub(crate) fn same_form(record: &str) -> Cow<'_, str> {
    long_form(record).map_or(record.into(), Into::into)
}

/// The bytes of a subject id; `None` = it is none.
#[must_use]
pub fn subject_bytes(id: &str) -> Option<[u8; 16]> {
    let body = id.strip_prefix(SubjectId::PREFIX)?.to_ascii_uppercase();
    BASE32_NOPAD.decode(body.as_bytes()).ok()?.try_into().ok()
}

/// The first half of a commitment; `None` = it is none.
#[must_use]
pub fn commitment_bytes(commitment: &str) -> Option<[u8; 16]> {
    let code = HEXLOWER.decode(commitment.strip_prefix(COMMITMENT)?.as_bytes()).ok()?;
    Some(*code.first_chunk()?)
}

/// Makes the ids of decisions and their permits, see [`Ids::decisions`].
#[derive(Clone)]
pub struct DecisionIds {
    /// The state after the key that they have in common.
    keyed: Hmac<Sha256>,
}

impl DecisionIds {
    /// A decision and the permit that it mints, from the parts of the request and the gate's time: the two halves of
    /// one code, neither of which tells the other.
    #[must_use]
    pub fn of(&self, at: Timestamp, request: &[&[u8]]) -> (DecisionId, PermitId) {
        let mut mac = self.keyed.clone();
        mac.update(&at.as_nanosecond().to_be_bytes());
        for part in request {
            mac.update(&u32::try_from(part.len()).expect("a part of a request is short").to_be_bytes());
            mac.update(part);
        }
        let code: [u8; 32] = mac.finalize().into_bytes().into();
        let ((decision, permit), mut space) = (halves(&code), [0; 26]);
        (DecisionId::from_body(text(decision, &mut space)), PermitId::from_body(text(permit, &mut space)))
    }
}

fn take_in(mac: &mut Hmac<Sha256>, part: &[u8]) {
    mac.update(&(part.len() as u64).to_be_bytes());
    mac.update(part);
}

fn halves(code: &[u8; 32]) -> (&[u8; 16], &[u8; 16]) {
    let (first, second) = code.split_first_chunk().expect("32 bytes have 16");
    (first, second.first_chunk().expect("32 bytes have 16 twice"))
}

/// 26 lower-case base32 characters, 128 bits.
fn text<'s>(half: &[u8; 16], space: &'s mut [u8; 26]) -> &'s str {
    BASE32_NOPAD.encode_mut(half, space);
    space.make_ascii_lowercase();
    std::str::from_utf8(space).expect("base32 is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_plain_hmac() {
        let mut mac = Hmac::<Sha256>::new_from_slice(&DEMO_KEY).expect("a key");
        for part in ["subject", "crm", "1"] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let code = BASE32_NOPAD.encode(&mac.finalize().into_bytes()[..16]).to_lowercase();
        assert_eq!(Ids::new(DEMO_KEY).subject("crm", "1").as_str(), format!("sub_{code}"));
    }

    #[test]
    fn ids_and_commitments_are_their_bytes() {
        let ids = Ids::new(DEMO_KEY);
        let (id, bytes) = (ids.subject("crm", "1"), ids.subject_bytes("crm", "1"));
        assert_eq!((subject_bytes(id.as_str()), subject_of(&bytes)), (Some(bytes), id));
        let commitment = ids.commitment("row", b"cells");
        assert_eq!(commitment_bytes(&commitment), Some(ids.commitment_bytes("row", b"cells")));
        assert_eq!((subject_bytes("acc_x"), commitment_bytes("hmac-sha256:00")), (None, None));
    }

    #[test]
    fn a_decision_has_ids_of_its_own_by_every_part() {
        let ids = |key, policy, ledger, at: i64, request: &[&[u8]]| {
            let at = Timestamp::from_second(at).expect("in range");
            let (decision, permit) = Ids::new(key).decisions(policy, ledger).of(at, request);
            assert_ne!(decision.as_str()[4..], permit.as_str()[4..]);
            assert_eq!((decision.as_str().len(), permit.as_str().len()), (30, 30));
            [decision.as_str()[4..].to_owned(), permit.as_str()[4..].to_owned()]
        };
        let all = [
            ids(DEMO_KEY, "p", "l", 0, &[b"ab"]),
            ids([7; 32], "p", "l", 0, &[b"ab"]),
            ids(DEMO_KEY, "q", "l", 0, &[b"ab"]),
            ids(DEMO_KEY, "p", "m", 0, &[b"ab"]),
            ids(DEMO_KEY, "pl", "", 0, &[b"ab"]),
            ids(DEMO_KEY, "p", "l", 1, &[b"ab"]),
            ids(DEMO_KEY, "p", "l", 0, &[b"a", b"b"]),
            ids(DEMO_KEY, "p", "l", 0, &[b"ab", b""]),
        ];
        let distinct: std::collections::BTreeSet<&String> = all.iter().flatten().collect();
        assert_eq!(distinct.len(), 2 * all.len());
        assert_eq!(all[0], ids(DEMO_KEY, "p", "l", 0, &[b"ab"]));
    }

    #[test]
    fn homes_of_before_know_both_forms_apart() {
        let (new, before) = (Ids::new([7; 32]), Ids::new([7; 32]).as_written(true));
        let (short, long) = ("0035g00000QW011", "0035g00000QW011AAD");
        assert_eq!(new.subject("crm", short), new.subject("crm", long));
        assert_ne!(before.subject("crm", short), before.subject("crm", long));
        // Who was known by the long form is the same in either.
        assert_eq!(new.subject("crm", long), before.subject("crm", long));
        assert_eq!(new.subject("crm", "C-1"), before.subject("crm", "C-1"));
    }

    #[test]
    fn both_forms_of_an_id_of_salesforce_are_one() {
        for (short, long) in [
            ("0035g00000QW011", Some("0035g00000QW011AAD")),
            ("0035g00000qw011", Some("0035g00000qw011AAA")),
            ("001D000000IqhSL", Some("001D000000IqhSLIAZ")),
            ("005D000000IqhSL", None),
            ("003000000000001", None),
            ("0035g00000QW01", None),
        ] {
            assert_eq!(long_form(short).as_deref(), long, "{short}");
            assert!(long.is_none_or(is_long_form));
        }
        assert!(!is_long_form("0035g00000qw011AAD"), "the end says that other letters are capitals");
    }

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
