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

/// A name of more words is taken as it stands in its columns.
const MOST_WORDS: usize = 8;

/// Every way in which the words of a name may have been given and family name: exports have all of it in one of the two
/// columns, or the two exchanged.
fn readings(given: &str, family: &str) -> BTreeSet<(String, String)> {
    let mut all = names(given, family);
    let split = |text| str::split(text, [' ', ',', '\t', '\u{a0}']).filter(|word| !word.is_empty());
    let words: Vec<&str> = split(given).chain(split(family)).collect();
    if words.len() > MOST_WORDS {
        return all;
    }
    for at in 0..words.len() {
        let (first, rest) = (words[..at].join(" "), words[at..].join(" "));
        all.extend(names(&first, &rest));
        all.extend(names(&rest, &first));
        all.extend(names("", &format!("{rest} {first}")));
    }
    all
}

/// By what an erased person was known again. Whose it was, nobody can tell any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// The id of the record.
    Record,
    /// An e-mail address, which others may have by now.
    Address,
    /// The name, at that company.
    Name,
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
        if !contact.family_name.reveal().is_empty() {
            all.extend(self.at_companies(
                crm,
                contact,
                &names(contact.given_name.reveal(), contact.family_name.reveal()),
            ));
        }
        all
    }

    /// Names at each record of a contact's company.
    fn at_companies(&self, crm: &str, contact: &CrmContact, names: &BTreeSet<(String, String)>) -> Vec<Identifier> {
        let companies = contact.account_record.iter().chain(&contact.account_aliases);
        let at = |company: &String| {
            let company = self.1.form(company);
            let hash = |(given, family): &(String, String)| (self.0)("name", &[crm, &company, given, family]);
            names.iter().map(hash).collect::<Vec<_>>()
        };
        companies.flat_map(at).collect()
    }

    /// By what a contact is known as somebody who was erased; `None` = they are not. The name is read in every way in which
    /// it may stand in its columns.
    #[must_use]
    pub fn suppressed_by(&self, crm: &str, contact: &CrmContact, ledger: &LedgerView) -> Option<KnownBy> {
        if ledger.n_suppressed() == 0 {
            return None;
        }
        if ledger.is_suppressed(&self.record(crm, &contact.record_id)) {
            return Some(KnownBy::Record);
        }
        if contact.emails.iter().any(|email| ledger.is_suppressed(&self.email(email.reveal()))) {
            return Some(KnownBy::Address);
        }
        let names = readings(contact.given_name.reveal(), contact.family_name.reveal());
        let is_known = self.at_companies(crm, contact, &names).iter().any(|mac| ledger.is_suppressed(mac));
        is_known.then_some(KnownBy::Name)
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
        let read = |[given, family]: [&str; 2], [one, other]: [&str; 2]| {
            !names(given, family).is_disjoint(&readings(one, other))
        };
        for other in [["", "Jürgen Müller"], ["Müller", "Jürgen"], ["Jürgen Müller", ""], ["", "Müller, Jurgen"]]
        {
            assert!(read(["Jürgen", "Müller"], other), "{other:?}");
        }
        // Whoever was erased may have stood in one column, too.
        for other in [["Jürgen", "Müller"], ["Müller", "Jürgen"]] {
            assert!(read(["", "Jürgen Müller"], other), "{other:?}");
        }
        for other in [["", "Anna von der Heide"], ["von der Heide", "Anna"], ["Anna von der", "Heide"]] {
            assert!(read(["Anna", "von der Heide"], other), "{other:?}");
        }
        assert!(!read(["Anna", "von der Heide"], ["", "Anna Heide"]) && !read(["Jürgen", "Müller"], ["", "Müller"]));
        let identifiers = Identifiers::new(&Vault::in_memory().expect("a vault"), &Ids::new([7; 32])).expect("a key");
        let mail = |address: &str| identifiers.email(address);
        for other in ["torben@xn--mller-kva.example", "Torben+x@MÜLLER.example.", " torben@mu\u{308}ller.example"] {
            assert_eq!(mail("torben@müller.example"), mail(other), "{other}");
        }
        assert_ne!(mail("torben@müller.example"), mail("torben@muller.example"));
    }
}
