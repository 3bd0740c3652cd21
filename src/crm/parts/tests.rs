//! Parts say together what the whole pull says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{Concerned, CrmPull, Employer, Parting, Parts, Seen};
use crate::crm::{CrmContact, CsvSource, FileSet, pull};

#[path = "nights_tests.rs"]
mod nights;

const PARTS: usize = 6;
/// Folders of contacts, companies and consents.
const TABLES: [&str; 3] = ["c", "a", "k"];

/// What a row of a contact says beside its id.
#[derive(Debug, Clone)]
struct Contact {
    id: u8,
    name: bool,
    /// Tells names apart.
    surname: u8,
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
            surname: 0,
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
        let name = if c.name { format!("Invented{}", "x".repeat(usize::from(c.surname))) } else { String::new() };
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
        surname: 0,
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

#[test]
fn companies_of_which_contacts_name_no_id_are_found_in_parts_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write(
        "contacts.csv",
        "id;last name;company\n1;Able;One Ltd\n2;Baker;Two Ltd\n3;Clark;one  ltd\n4;Dunn;Three Ltd\n",
    );
    write("accounts.csv", "id;company\nF1;One Ltd\nF2;Two Ltd\n");
    let set = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
    let source =
        CsvSource { contacts: set("contacts.csv"), accounts: Some(set("accounts.csv")), ..CsvSource::default() };
    let employers = |pull: CrmPull| -> BTreeMap<String, Option<String>> {
        pull.contacts.into_iter().map(|contact| (contact.record_id, contact.account_record)).collect()
    };
    let whole = employers(crate::crm::pull(&source, folder.path()).expect("read"));
    let of = |id: &str| whole[id].as_deref();
    assert_eq!([of("1"), of("2"), of("3"), of("4")], [Some("F1"), Some("F2"), Some("F1"), None]);
    assert_eq!(employers(together(&parted(&source, folder.path(), None).0)), whole);
}
