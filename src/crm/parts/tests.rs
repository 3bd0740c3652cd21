//! Parts say together what the whole pull says.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{Concerned, CrmPull, Employer, KnownBefore, Parting, Parts, Seen};
use crate::crm::{CrmContact, CsvSource, FileSet, pull};

const PARTS: usize = 6;
/// Folders of contacts, companies and consents.
const TABLES: [&str; 3] = ["c", "a", "k"];

/// What a row of a contact says beside its id.
#[derive(Debug, Clone)]
struct Contact {
    id: u8,
    name: bool,
    email: u8,
    account: u8,
    month: u8,
    deleted: bool,
    into: u8,
    took: u8,
    opted_out: bool,
}

fn contacts() -> impl Strategy<Value = Vec<Contact>> {
    let row = (0..14u8, 0..9u8, 0..20u8, 0..8u8, 0..13u8, 0..12u8, 0..30u8, 0..5u8, 0..40u8).prop_map(
        |(id, name, email, account, month, deleted, into, out, took)| Contact {
            id,
            name: name > 0,
            email,
            account,
            month,
            deleted: deleted == 0,
            into,
            took,
            opted_out: out == 0,
        },
    );
    proptest::collection::vec(row, 1..24)
}

fn write(folder: &Path, contacts: &[Contact], accounts: &[(u8, u8)], consents: &[(u8, u8)]) -> CsvSource {
    for table in TABLES {
        fs::create_dir_all(folder.join(table)).expect("a folder");
    }
    write_as("1.csv", folder, contacts, accounts, consents);
    let files = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
    let [contacts, accounts, consents] = TABLES.map(files);
    CsvSource { name: "crm".into(), contacts, accounts: Some(accounts), consents: Some(consents), notes: None }
}

fn write_as(name: &str, folder: &Path, contacts: &[Contact], accounts: &[(u8, u8)], consents: &[(u8, u8)]) {
    let mut csv = String::from(
        "id,last name,email,account id,last modified,deleted,merged into,merged ids,do not process,canary\n",
    );
    for c in contacts {
        let name = if c.name { "Invented" } else { "" };
        // The month 0 is none at all, and 12 is no date.
        let date = match c.month {
            0 => String::new(),
            12 => "soon".to_owned(),
            month => format!("2025-{month:02}-01"),
        };
        let [into, took] = [c.into, c.took].map(|n| if n < 14 { format!("K{n}") } else { String::new() });
        let (deleted, out) = (if c.deleted { "yes" } else { "" }, if c.opted_out { "yes" } else { "" });
        let account = if c.account == 0 { String::new() } else { format!("F{}", c.account) };
        let _ = writeln!(
            csv,
            "K{},{name},e{}@a.example,{account},{date},{deleted},{into},{took},{out},Canary",
            c.id, c.email
        );
    }
    csv += "ragged\n,Nobody,,,,,,,,\n";
    fs::write(folder.join("c").join(name), csv).expect("written");
    let mut csv = String::from("id,name,merged into\n");
    for (id, into) in accounts {
        let into = if *into < 8 { format!("F{into}") } else { String::new() };
        let _ = writeln!(csv, "F{id},Invented GmbH,{into}");
    }
    fs::write(folder.join("a").join(name), csv).expect("written");
    let mut csv = String::from("contact_id,kind,purposes,recorded_at\n");
    for (id, what) in consents {
        let date = if *what == 3 { "never" } else { "2025-01-01" };
        let _ = writeln!(csv, "K{id},{},x,{date}", ["grant", "withdraw", "", "grant"][usize::from(*what)]);
    }
    fs::write(folder.join("k").join(name), csv).expect("written");
}

/// Sorted into parts by the last letter of a company's, or else the contact's, id.
fn parted(source: &CsvSource, folder: &Path, concerned: Option<&Concerned>) -> (Parts, usize) {
    let number = |record: &str| record.bytes().last().map_or(0, |b| usize::from(b) % 4);
    let of_company = |record: &str| 1 + number(record);
    let of_contact = |record: &str| 5 * (number(record) % 2);
    let mut companies = 0;
    let mut look = |seen: Seen<'_>| companies += usize::from(matches!(seen, Seen::Company(_)));
    let work = folder.join("work");
    let parting = Parting {
        folder: work,
        parts: PARTS,
        of_company: &of_company,
        of_contact: &of_contact,
        look: &mut look,
        without_erased: &|pull| pull,
        concerned,
    };
    let parts = Parts::sort_in(source, folder, parting).expect("sorted");
    (parts, companies)
}

/// Everything of the parts, in the order of a whole pull.
fn together(parts: &Parts) -> CrmPull {
    let mut all = CrmPull { merged_accounts: parts.merged_accounts.clone(), ..CrmPull::default() };
    all.dead_letters.clone_from(&parts.dead_letters);
    all.files.clone_from(&parts.files);
    for part in 0..parts.count() {
        let mut one = parts.load(part).expect("read");
        assert!(
            one.contacts.iter().all(|c| [0, 5].contains(&part) || one.company_of(c).is_some()),
            "alone in a part of companies"
        );
        all.accounts.append(&mut one.accounts);
        all.contacts.append(&mut one.contacts);
        all.gone.append(&mut one.gone);
        all.merged.append(&mut one.merged);
        all.circles.append(&mut one.circles);
        all.consents.append(&mut one.consents);
        all.dead_letters.append(&mut one.dead_letters);
    }
    all.accounts.sort_by(|a, b| a.record_id.cmp(&b.record_id));
    all.contacts.sort_by(|a, b| a.record_id.cmp(&b.record_id));
    all.gone.sort_by(|a, b| a.record_id.cmp(&b.record_id));
    all.consents.sort_by(|a, b| a.origin.cmp(&b.origin));
    all.dead_letters.sort_by(|a, b| (&a.origin, a.reason, &a.field).cmp(&(&b.origin, b.reason, &b.field)));
    all
}

/// Addresses that several contacts have.
fn shared(pull: &CrmPull) -> BTreeSet<&str> {
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    for contact in &pull.contacts {
        contact.emails.iter().for_each(|e| *owners.entry(e.reveal()).or_default() += 1);
    }
    owners.into_iter().filter(|(_, n)| *n > 1).map(|(address, _)| address).collect()
}

#[test]
fn a_circle_that_only_a_part_sees_is_none() {
    // K9 says what becomes of K6 and lies in the part of its company, the others do not.
    let row = |id, into, took, account| Contact {
        id,
        name: true,
        email: 0,
        account,
        month: 0,
        deleted: false,
        into,
        took,
        opted_out: false,
    };
    let contacts = [row(9, 14, 6, 1), row(4, 6, 6, 0), row(0, 1, 9, 0)];
    let folder = tempfile::tempdir().expect("a folder");
    let source = write(folder.path(), &contacts, &[(1, 8)], &[]);
    let whole = pull(&source, folder.path()).expect("read");
    let all = together(&parted(&source, folder.path(), None).0);
    assert_eq!(whole.dead_letters, all.dead_letters);
    assert!(all.circles.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn parts_are_the_whole(
        contacts in contacts(),
        accounts in proptest::collection::vec((1..8u8, 0..20u8), 1..9),
        consents in proptest::collection::vec((0..16u8, 0..4u8), 0..20),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let source = write(folder.path(), &contacts, &accounts, &consents);
        let whole = pull(&source, folder.path()).expect("read");
        let (parts, companies) = parted(&source, folder.path(), None);
        let all = together(&parts);
        prop_assert_eq!(&whole.contacts, &all.contacts);
        prop_assert_eq!(&whole.gone, &all.gone);
        prop_assert_eq!(&whole.merged, &all.merged);
        prop_assert_eq!(&whole.circles, &all.circles);
        prop_assert_eq!(&whole.merged_accounts, &all.merged_accounts);
        prop_assert_eq!(&whole.consents, &all.consents);
        prop_assert_eq!(&whole.dead_letters, &all.dead_letters);
        prop_assert_eq!(&whole.files, &all.files);
        let ids = |pull: &CrmPull| pull.accounts.iter().map(|a| a.record_id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&whole), ids(&all));
        prop_assert_eq!(companies, whole.accounts.len());
        let expected = shared(&whole);
        for contact in &whole.contacts {
            for email in &contact.emails {
                prop_assert_eq!(expected.contains(email.reveal().as_str()), parts.is_shared(email.reveal()));
            }
            let known = whole.company_of(contact).and_then(|c| parts.company(c));
            if let (Some(company), None) = (whole.company_of(contact), known) {
                let same = |c: &&CrmContact| whole.company_of(c) == Some(company);
                let namesakes = whole.contacts.iter().filter(same).count() > 1;
                prop_assert_eq!(parts.is_shared(&contact.name_at(company)), namesakes);
            }
            let company = known;
            let employer = company.map_or(Employer::Nobody, Employer::Company);
            prop_assert_eq!(parts.employer_of(&contact.record_id), Some(employer));
        }
        prop_assert_eq!(parts.employer_of("K99"), None);
        for file in fs::read_dir(folder.path().join("work")).expect("parts") {
            let bytes = fs::read(file.expect("a part").path()).expect("read");
            prop_assert!(!String::from_utf8_lossy(&bytes).contains("Invented"));
        }
    }
}

type Rows = (Vec<Contact>, Vec<(u8, u8)>, Vec<(u8, u8)>);

fn rows(most: usize) -> impl Strategy<Value = Rows> {
    (contacts(), proptest::collection::vec((1..8u8, 0..30u8), 0..4), proptest::collection::vec((0..16u8, 0..4u8), 0..6))
        .prop_map(move |(mut contacts, accounts, consents)| {
            contacts.truncate(most);
            (contacts, accounts, consents)
        })
}

/// What is said of a contact, as far as it does not depend on where rows stand.
fn said<'p>(pull: &'p CrmPull, contact: &'p CrmContact) -> impl PartialEq + std::fmt::Debug + use<'p> {
    let shared = shared(pull);
    let ambiguous = contact.emails.iter().any(|email| shared.contains(email.reveal().as_str()));
    let company = pull.company_of(contact);
    let known = company.and_then(|id| pull.accounts.iter().find(|a| a.record_id == id));
    let consents: Vec<_> = pull.consents.iter().filter(|row| row.contact_id == contact.record_id).collect();
    let namesakes = pull.contacts.iter().filter(|c| {
        company.is_some_and(|company| {
            pull.company_of(c) == Some(company) && c.name_at(company) == contact.name_at(company)
        })
    });
    (contact, ambiguous, company, known, consents, namesakes.count() > 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whom_new_files_do_not_concern_is_read_as_before(
        (contacts, accounts, consents) in rows(24),
        (more, more_accounts, more_consents) in rows(2),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let source = write(folder.path(), &contacts, &accounts, &consents);
        let before = pull(&source, folder.path()).expect("read");
        let files: HashSet<String> = before.files.iter().map(crate::crm::FileFacts::identity).collect();
        write_as("2.csv", folder.path(), &more, &more_accounts, &more_consents);
        let whole = pull(&source, folder.path()).expect("read");
        let known = KnownBefore {
            files: &files,
            company: &|_| false,
            contact: &|_| false,
            without_erased: &|pull| pull,
        };
        let concerned = Concerned::find(&source, folder.path(), &known).expect("read");
        let (parts, _) = parted(&source, folder.path(), Some(&concerned));
        let some = together(&parts);
        let is = |contact: &&CrmContact| concerned.contact(&contact.record_id);
        let expected: Vec<_> = whole.contacts.iter().filter(is).collect();
        prop_assert_eq!(expected, some.contacts.iter().collect::<Vec<_>>());
        prop_assert_eq!(whole.gone.iter().filter(is).collect::<Vec<_>>(), some.gone.iter().collect::<Vec<_>>());
        for contact in &some.contacts {
            for email in &contact.emails {
                prop_assert_eq!(shared(&whole).contains(email.reveal().as_str()), parts.is_shared(email.reveal()));
            }
            let consents = |pull: &CrmPull| -> Vec<_> {
                pull.consents.iter().filter(|row| row.contact_id == contact.record_id).cloned().collect()
            };
            prop_assert_eq!(consents(&whole), consents(&some));
        }
        // Of all others everything is as it was.
        for (now, then) in [(&whole, &before), (&before, &whole)] {
            for contact in now.contacts.iter().filter(|c| !is(c)) {
                let same = then.contacts.iter().find(|c| c.record_id == contact.record_id);
                prop_assert!(same.is_some(), "{} came or went", contact.record_id);
                prop_assert_eq!(said(now, contact), said(then, same.expect("there")));
            }
            for company in now.accounts.iter().filter(|a| !concerned.company(&a.record_id)) {
                let same = then.accounts.iter().find(|a| a.record_id == company.record_id);
                prop_assert_eq!(Some(company), same);
            }
        }
        // Companies of whom something is new are there as they are in the whole, the others are not.
        let ids = |pull: &CrmPull| -> BTreeSet<String> {
            let all = pull.accounts.iter().map(|a| a.record_id.clone());
            all.filter(|id| concerned.company(id)).collect()
        };
        prop_assert_eq!(ids(&whole), some.accounts.iter().map(|a| a.record_id.clone()).collect::<BTreeSet<_>>());
    }
}
