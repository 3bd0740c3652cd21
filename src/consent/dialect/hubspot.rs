//! HubSpot: `GET /crm/v3/objects/contacts` and the subscription statuses of the communication preferences, v4 and
//! the legacy v3. Sources: `config/consent/hubspot.yaml`.
//!
//! Invariant: what HubSpot nests is lifted; nothing is left out.

use serde_json::{Map, Value};

use super::record::{Item, Record};

/// Lifts `properties` of a contact, `subscriptionStatuses` of v3 and `statuses` of a batch read.
pub(super) fn items(record: &Record) -> Vec<Item> {
    let fields = &record.fields;
    let recipient = ["recipient", "subscriberIdString"].iter().find_map(|name| fields.get(*name));
    for list in ["subscriptionStatuses", "statuses", "wideStatuses"] {
        if let Some(Value::Array(statuses)) = fields.get(list) {
            let whole = Item::of(record);
            return statuses.iter().filter_map(Value::as_object).map(|s| whole.part(&status(s, recipient))).collect();
        }
    }
    let mut item = Item::of(record);
    if let Some(Value::Object(properties)) = fields.get("properties") {
        for (name, value) in properties {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            item.set(name, if value.is_null() { "" } else { &text });
        }
    }
    vec![item]
}

/// A status under the names of v4.
fn status(fields: &Map<String, Value>, recipient: Option<&Value>) -> Map<String, Value> {
    let mut status = fields.clone();
    for (old, new) in [("id", "subscriptionId"), ("name", "subscriptionName")] {
        if let (Some(value), false) = (fields.get(old), fields.contains_key(new)) {
            status.insert(new.to_owned(), value.clone());
        }
    }
    if let (Some(recipient), false) = (recipient, fields.contains_key("subscriberIdString")) {
        status.insert("subscriberIdString".to_owned(), recipient.clone());
    }
    status
}
