//! The lists of headers agree with each other.

use super::super::fields::no_of;
use super::*;

#[test]
fn what_says_no_is_in_no_list_of_another_field() {
    for table in [Table::Contacts, Table::Accounts, Table::Notes] {
        for (field, aliases) in table.known() {
            for alias in aliases.de.iter().chain(&aliases.en) {
                assert!(!is_barred(field, alias), "{alias} stands for {field}, and says {:?}", no_of(alias));
            }
        }
    }
}

#[test]
fn no_header_stands_for_two_fields_of_a_table() {
    for table in [Table::Contacts, Table::Accounts, Table::Consents, Table::Notes] {
        let mut seen = BTreeMap::new();
        for (field, aliases) in table.known() {
            for alias in aliases.de.iter().chain(&aliases.en) {
                if let Some(other) = seen.insert(normal(alias), field) {
                    assert_eq!(other, field, "{alias} in {}", table.name());
                }
            }
        }
        assert!(table.needed().iter().flat_map(|f| f.iter()).all(|f| table.known().contains_key(*f)));
    }
}
