//! `EspoCRM`: contacts with their addresses. Sources: `config/consent/espocrm.yaml`.
//!
//! Invariant: an opt-out of any address of a contact is an opt-out of the contact.

use serde_json::Value;

use super::record::{Item, Record};

/// The contact, and each of its addresses.
pub(super) fn items(record: &Record) -> Vec<Item> {
    let contact = Item::of(record);
    let mut items = Vec::new();
    if let Some(Value::Array(addresses)) = record.fields.get("emailAddressData") {
        for address in addresses.iter().filter_map(Value::as_object) {
            let mut fields = address.clone();
            fields.insert("contactId".to_owned(), record.fields.get("id").cloned().unwrap_or(Value::Null));
            items.push(contact.part(&fields));
        }
    }
    items.push(contact);
    items
}
