//! The key of one data subject: makes their tags and seals what lies off the log.
//!
//! Invariant: every tag is an HMAC under this key; without it, two tags of one person are two random numbers.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use jiff::tz::Offset;
use zeroize::Zeroizing;

use super::sealing::{self, Sealed};

/// The random key of one person.
#[derive(Clone)]
pub struct SubjectKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey([secret])")
    }
}

impl SubjectKey {
    /// Takes the bytes of a key.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn bytes16(&self, parts: &[&[u8]]) -> [u8; 16] {
        *sealing::mac(&self.0, parts).first_chunk().expect("an HMAC has 32 bytes")
    }

    fn hex16(&self, parts: &[&[u8]]) -> String {
        HEXLOWER.encode(&self.bytes16(parts))
    }

    /// The person's tag in leaves of the month of `at` (UTC), 32 hex digits.
    #[must_use]
    pub fn tag(&self, at: Timestamp) -> String {
        let day = Offset::UTC.to_datetime(at).date();
        let month = [(day.year() / 100) as u8, (day.year() % 100) as u8, day.month() as u8];
        self.hex16(&[b"tag", &month])
    }

    /// The person's tag in the ledger, 32 hex digits.
    #[must_use]
    pub fn ledger_tag(&self) -> String {
        HEXLOWER.encode(&self.ledger_tag_bytes())
    }

    /// The same as 16 bytes.
    #[must_use]
    pub fn ledger_tag_bytes(&self) -> [u8; 16] {
        self.bytes16(&[b"ledger"])
    }

    /// The person's place in the store of sealed payloads: the first 8 bytes of an HMAC, as a number.
    #[must_use]
    pub fn slot(&self) -> i64 {
        let mac = sealing::mac(&self.0, &[b"slot"]);
        i64::from_be_bytes(*mac.first_chunk().expect("an HMAC has 32 bytes"))
    }

    /// The person's tag in what is kept of pages, 16 bytes.
    #[must_use]
    pub fn page_tag(&self) -> [u8; 16] {
        self.bytes16(&[b"pages"])
    }

    /// An id of somebody else's making (a permit, an event) in a form that is the person's only, 32 hex digits.
    #[must_use]
    pub fn blind(&self, label: &str, id: &str) -> String {
        self.hex16(&[b"id", label.as_bytes(), id.as_bytes()])
    }

    /// Seals a text of this person.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn seal(&self, label: &str, plain: &[u8]) -> std::io::Result<Sealed> {
        sealing::seal(&self.sealing_key(), label.as_bytes(), plain)
    }

    /// Opens a text of this person; `None` = not theirs, or damaged.
    #[must_use]
    pub fn open(&self, label: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        sealing::open(&self.sealing_key(), label.as_bytes(), sealed)
    }

    /// Encryption and tags have keys of their own.
    fn sealing_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(sealing::mac(&self.0, &[b"seal"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_months_and_people_have_nothing_in_common() {
        let (a, b) = (SubjectKey::new([1; 32]), SubjectKey::new([2; 32]));
        let (march, april): (Timestamp, Timestamp) =
            ("2026-03-31T23:59:59Z".parse().expect("time"), "2026-04-01T00:00:00Z".parse().expect("time"));
        let day_before: Timestamp = "2026-03-01T00:00:00Z".parse().expect("time");
        assert_eq!(a.tag(march), a.tag(day_before));
        let all = [a.tag(march), a.tag(april), b.tag(march), a.ledger_tag(), b.ledger_tag(), a.blind("permit", "x")];
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(format!("{a:?}"), "SubjectKey([secret])");
    }

    #[test]
    fn a_sealed_text_opens_under_its_key_and_label_only() {
        let (a, b) = (SubjectKey::new([1; 32]), SubjectKey::new([2; 32]));
        let sealed = a.seal("payload", b"text").expect("randomness").0;
        assert_eq!(a.open("payload", &sealed).expect("own key").as_slice(), b"text");
        assert!(b.open("payload", &sealed).is_none() && a.open("event", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(a.open("payload", &changed).is_none(), "byte {at}");
        }
        assert!(a.open("payload", &sealed[..10]).is_none());
    }
}
