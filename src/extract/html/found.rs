//! What the readers of a page have found so far: people and the organization.
//!
//! Invariant: the organization with the better standing stays, and is only filled by the others of its name.

use rustc_hash::FxHashSet;

use super::people::own::Own;
use super::reading::{Organization, PersonMention};

/// What the readers of people and organizations have found so far.
#[derive(Default)]
pub(super) struct Found {
    /// Mentions in order of finding.
    pub people: Vec<PersonMention>,
    /// The best organization so far.
    pub organization: Organization,
    /// Names of authors.
    pub authors: Vec<String>,
    standing: u8,
    /// People by their place in `people`, with the company that they are said to work for.
    employers: Vec<(usize, String)>,
    /// Names of those who work for another company.
    pub others: FxHashSet<String>,
}

impl Found {
    /// Keeps for whom the person that is found next works.
    pub fn employed(&mut self, company: &str) {
        self.employers.push((self.people.len(), company.to_owned()));
    }

    /// Takes out those who are said to work for another company than the page's own, where that is known.
    pub fn leave_out_others(&mut self, own: &Own) {
        if self.organization.name.is_none() {
            return;
        }
        let others: Vec<usize> = self.employers.iter().filter(|(_, e)| !own.is(e)).map(|(i, _)| *i).collect();
        let mut at = 0;
        self.people.retain(|p| {
            at += 1;
            let stays = others.binary_search(&(at - 1)).is_err();
            if !stays {
                self.others.insert(super::people::names::key(&p.name));
            }
            stays
        });
    }

    /// Offers an organization; `standing` says how surely it is the one behind the page.
    pub fn offer(&mut self, mut organization: Organization, standing: u8) {
        let same = match (&organization.name, &self.organization.name) {
            (Some(a), Some(b)) => same_company(a, b),
            _ => true,
        };
        if standing > self.standing || self.organization == Organization::default() {
            if same {
                fill(&mut organization, std::mem::take(&mut self.organization));
            }
            self.organization = organization;
            self.standing = standing;
        } else if same {
            fill(&mut self.organization, organization);
        }
    }
}

/// Whether one name is the other, perhaps without its legal form.
fn same_company(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    a == b || a.starts_with(&format!("{b} ")) || b.starts_with(&format!("{a} "))
}

/// Fills what `into` lacks.
fn fill(into: &mut Organization, from: Organization) {
    macro_rules! take { ($($field:ident),+) => { $(if into.$field.is_none() { into.$field = from.$field; })+ } }
    take!(name, legal_form, register, register_court, vat_id, street, postal_code, city, country, phone, email, url);
    take!(employees, founding_date);
    for (list, more) in [
        (&mut into.managing_directors, from.managing_directors),
        (&mut into.industry_codes, from.industry_codes),
        (&mut into.same_as, from.same_as),
    ] {
        for item in more {
            if !list.contains(&item) {
                list.push(item);
            }
        }
    }
}
