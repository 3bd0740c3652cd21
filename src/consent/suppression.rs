//! Suppression: erased people are not read in again, whatever record the CRM gives them next.
//!
//! Invariant: of an erased person only keyed hashes of normalised identifiers are left; they tell whether somebody is
//! suppressed and nothing else. A namesake at the same company is kept out too: that errs on the side of the erased.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

use crate::consent::ledger::LedgerView;
use crate::crm::CrmContact;
use crate::ids::Ids;
use crate::keys::{Identifier, Vault, VaultError};

/// A name without case, marks and spaces: `Müller  Schön` and `mueller-schoen` are one, however their umlauts are encoded.
/// The second spelling is that of systems that only drop the dots.
fn spellings(name: &str) -> [String; 2] {
    // An umlaut may come as a letter with a mark of its own.
    let lower: String = name.nfc().collect::<String>().to_lowercase();
    let bare = |text: &str| text.replace('ß', "ss").nfkd().filter(|c| c.is_alphanumeric()).collect();
    [bare(&lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue")), bare(&lower)]
}

/// All spellings of a name: systems write every umlaut alike, people mix them.
fn names(given: &str, family: &str) -> BTreeSet<(String, String)> {
    let family = spellings(family);
    spellings(given).into_iter().flat_map(|given| family.clone().map(|family| (given.clone(), family))).collect()
}

/// Hashes the identifiers of one home.
pub struct Identifiers(Box<HashIdentifier>, Ids);

/// From the kind of an identifier and its parts to its keyed hash.
type HashIdentifier = dyn Fn(&str, &[&str]) -> Identifier + Send + Sync;

impl std::fmt::Debug for Identifiers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identifiers([secret])")
    }
}

impl Identifiers {
    /// Takes the home's key for identifiers.
    ///
    /// # Errors
    /// The vault cannot be read.
    pub fn new(vault: &Vault, ids: &Ids) -> Result<Self, VaultError> {
        Ok(Self(Box::new(vault.identifier()?), ids.clone()))
    }

    /// An e-mail address: case, spaces and a tag behind `+` make no difference, nor does how letters beyond ASCII are
    /// written (`müller.example` is `xn--mller-kva.example`).
    #[must_use]
    pub fn email(&self, address: &str) -> Identifier {
        let address: String = address.trim().nfc().collect::<String>().to_lowercase();
        let (local, domain) = address.rsplit_once('@').unwrap_or((&address, ""));
        let local = local.split_once('+').map_or(local, |(local, _)| local);
        let domain = domain.trim_end_matches('.');
        let ascii = url::Host::parse(domain).map_or_else(|_| domain.to_owned(), |host| host.to_string());
        (self.0)("email", &[local, &ascii])
    }

    /// A record of a CRM.
    #[must_use]
    pub fn record(&self, crm: &str, record: &str) -> Identifier {
        (self.0)("record", &[crm, &self.1.form(record)])
    }

    /// All identifiers of a contact, the record first; the name at the company, under each record of the company.
    #[must_use]
    pub fn contact(&self, crm: &str, contact: &CrmContact) -> Vec<Identifier> {
        let mut all = vec![self.record(crm, &contact.record_id)];
        all.extend(contact.emails.iter().map(|e| self.email(e.reveal())));
        let companies = contact.account_record.iter().chain(&contact.account_aliases);
        if !contact.family_name.reveal().is_empty() {
            let names = names(contact.given_name.reveal(), contact.family_name.reveal());
            let at = |company: &String| {
                names
                    .iter()
                    .map(|(given, family)| (self.0)("name", &[crm, &self.1.form(company), given, family]))
                    .collect::<Vec<_>>()
            };
            all.extend(companies.flat_map(at));
        }
        all
    }

    /// Whether a contact is somebody who was erased.
    #[must_use]
    pub fn is_suppressed(&self, crm: &str, contact: &CrmContact, ledger: &LedgerView) -> bool {
        ledger.n_suppressed() > 0 && self.contact(crm, contact).iter().any(|mac| ledger.is_suppressed(mac))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_address_is_known_however_it_is_written() {
        let one = |name: &str, other: &str| spellings(name).iter().any(|s| spellings(other).contains(s));
        for other in ["MÜLLERSCHÖN", "Mu\u{308}llerscho\u{308}n", "Muellerschoen", "Müller-Schön", "Mullerschon"] {
            assert!(one("Müllerschön", other) && one(other, "Müllerschön"), "{other}");
        }
        assert!(!one("Müllerschön", "Mellerschön") && one("Strauß", "STRAUSS"));
        let same = |one: [&str; 2], other: [&str; 2]| !names(one[0], one[1]).is_disjoint(&names(other[0], other[1]));
        for other in [["Juergen", "Muller"], ["Jurgen", "Mueller"], ["JÜRGEN", "Muller"]] {
            assert!(same(["Jürgen", "Müller"], other), "{other:?}");
        }
        assert!(!same(["Jürgen", "Müller"], ["Jörgen", "Müller"]) && names("Erika", "Beispiel").len() == 1);
        let identifiers = Identifiers::new(&Vault::in_memory().expect("a vault"), &Ids::new([7; 32])).expect("a key");
        let mail = |address: &str| identifiers.email(address);
        for other in ["torben@xn--mller-kva.example", "Torben+x@MÜLLER.example.", " torben@mu\u{308}ller.example"] {
            assert_eq!(mail("torben@müller.example"), mail(other), "{other}");
        }
        assert_ne!(mail("torben@müller.example"), mail("torben@muller.example"));
    }
}
