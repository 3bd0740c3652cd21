//! Objects of JSON as rows: nested keys joined by dots, and the lists in which APIs wrap their records.
//!
//! Invariant: of what may be a no, every value is told; a record is never taken for a page of others.

use serde_json::{Map, Value};

use super::headers::normal;
use super::noes;

/// Lists in which APIs wrap records: HubSpot, Dataverse, Salesforce, Pipedrive, `EspoCRM`, JSON-RPC, Salesforce's deleted ones.
const ENVELOPES: [&str; 10] =
    ["results", "value", "records", "data", "list", "result", "deletedRecords", "items", "entry_list", "rows"];
/// The same by what they hold; a record may have such lists of its own.
const OF_A_KIND: [&str; 24] = [
    "contacts",
    "people",
    "persons",
    "leads",
    "members",
    "subscribers",
    "partners",
    "connections",
    "companies",
    "accounts",
    "organizations",
    "organisations",
    "customers",
    "notes",
    "activities",
    "tasks",
    "calls",
    "meetings",
    "events",
    "comments",
    "engagements",
    "objects",
    "entries",
    "elements",
];
/// Objects that stand around such a list: `OData` 2, HAL, GraphQL.
const AROUND: [&str; 8] = ["d", "_embedded", "response", "payload", "result", "data", "body", "items_page"];
/// What a record has, and a page has not.
const IDS: [&str; 6] = ["id", "Id", "ID", "_id", "uuid", "guid"];
/// Lists of fields that say by themselves what they are called.
const LISTS_OF_FIELDS: [&str; 9] = [
    "customfields",
    "customfield",
    "columnvalues",
    "fieldvalues",
    "fields",
    "attributes",
    "properties",
    "additionalfields",
    "customattributes",
];
const NAMES: [&str; 8] = ["FIELD_NAME", "field_name", "fieldName", "name", "title", "label", "key", "id"];
const VALUES: [&str; 7] =
    ["FIELD_VALUE", "field_value", "fieldValue", "text", "value", "display_value", "displayValue"];

/// Whether a column holds what the fields of a record are called, as such lists have it.
pub(super) fn is_of_fields(header: &str) -> bool {
    let mut keys = header.rsplit('.');
    let last = keys.next().unwrap_or_default().trim();
    let is_list = |key: &str| LISTS_OF_FIELDS.contains(&&*normal(key));
    is_list(last) || NAMES.contains(&last) && keys.next().is_some_and(is_list)
}

/// The records of a page, where an object is one.
pub(super) fn records_of(fields: &mut Map<String, Value>) -> Option<Vec<Value>> {
    let is_list = |fields: &Map<String, Value>, name: &str| matches!(fields.get(name), Some(Value::Array(_)));
    let is_record = IDS.iter().any(|id| fields.contains_key(*id));
    // JSON-RPC numbers its answers; anything else with an id and more to say is a record that has such a list.
    let says_more = fields.values().filter(|value| !value.is_array() && !value.is_object()).count() > 2;
    let is_page = !is_record || !says_more || fields.contains_key("jsonrpc");
    let plain = ENVELOPES.iter().find(|name| is_page && is_list(fields, name));
    let list = plain.or_else(|| OF_A_KIND.iter().find(|name| !is_record && is_list(fields, name)));
    if let Some(Value::Array(values)) = list.and_then(|name| fields.shift_remove(*name)) {
        return Some(values);
    }
    if is_record {
        return None;
    }
    // Monday has items in boards.
    if let Some(Value::Array(boards)) = fields.get_mut("boards") {
        let items = boards.iter_mut().filter_map(|board| records_of(board.get_mut("items_page")?.as_object_mut()?));
        return Some(items.flatten().collect());
    }
    AROUND.iter().find_map(|name| match fields.get_mut(*name) {
        Some(Value::Object(inner)) => records_of(inner),
        _ => None,
    })
}

/// Tells every value by its keys joined by dots, objects before what is in them.
pub(super) fn spread(prefix: &str, fields: &Map<String, Value>, tell: &mut dyn FnMut(&str, &Value)) {
    for (key, value) in fields {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        tell(&name, value);
        match value {
            Value::Object(inner) => spread(&name, inner, tell),
            Value::Array(values) => spread_list(&name, values, tell),
            _ => {}
        }
    }
}

/// Of a list of objects (addresses, e-mails) tells the values of the one that is marked as the main one, else of the first; of
/// what may be a no, those of all.
fn spread_list(prefix: &str, values: &[Value], tell: &mut dyn FnMut(&str, &Value)) {
    let objects = || values.iter().filter_map(Value::as_object);
    if tell_named(prefix, values, tell) {
        return;
    }
    let is_main = |object: &Map<String, Value>| {
        let says = |key: &str| matches!(object.get(key), Some(Value::Bool(true)));
        ["primary", "isPrimary", "is_primary", "default", "primary_address", "main", "isMain"].iter().any(|k| says(k))
    };
    let Some(main) = objects().find(|object| is_main(object)).or_else(|| objects().next()) else { return };
    let mut keys: Vec<&String> = objects().flat_map(Map::keys).collect();
    keys.sort_unstable();
    keys.dedup();
    tell_noes(prefix, values, tell);
    for key in keys {
        let name = format!("{prefix}.{key}");
        let plain = |object: &Map<String, Value>| object.get(key).filter(|v| !v.is_object() && !v.is_array()).cloned();
        let is_told_by_all =
            noes::read(&name).is_some() || objects().any(|o| o.get(key).is_some_and(Value::is_boolean));
        if is_told_by_all {
            tell(&name, &Value::Array(objects().filter_map(plain).collect()));
        } else if let Some(value) = plain(main) {
            tell(&name, &value);
        }
    }
}

/// What an object of a list says that it is about.
fn name_of(object: &Map<String, Value>) -> Option<String> {
    let title = object.get("column").and_then(|column| column.get("title")).and_then(Value::as_str);
    title.or_else(|| NAMES.iter().find_map(|key| object.get(*key)?.as_str())).map(str::to_owned)
}

/// What it says of that; nothing where it has no value.
fn value_of(object: &Map<String, Value>) -> Value {
    VALUES.iter().find_map(|key| object.get(*key)).cloned().unwrap_or(Value::Null)
}

/// Tells a list of objects that each name a field and its value: `[{"FIELD_NAME": "Position", "FIELD_VALUE": "..."}]`.
fn tell_named(prefix: &str, values: &[Value], tell: &mut dyn FnMut(&str, &Value)) -> bool {
    let list = normal(prefix.rsplit('.').next().unwrap_or(prefix));
    let named: Vec<(String, Value)> =
        values.iter().filter_map(Value::as_object).filter_map(|o| Some((name_of(o)?, value_of(o)))).collect();
    if !LISTS_OF_FIELDS.contains(&&*list) || named.len() != values.len() || named.is_empty() {
        return false;
    }
    for (name, value) in named {
        tell(&format!("custom_fields.{name}"), &value);
    }
    true
}

/// Of a list of anything tells what is named as a no: `[{"name": "Do not contact", "value": true}]`.
fn tell_noes(prefix: &str, values: &[Value], tell: &mut dyn FnMut(&str, &Value)) {
    for object in values.iter().filter_map(Value::as_object) {
        if let Some(name) = name_of(object).filter(|name| noes::read(name).is_some())
            && VALUES.iter().any(|key| object.contains_key(*key))
        {
            tell(&format!("{prefix}.{name}"), &value_of(object));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_told_from_records() {
        for (page, records) in [
            (json!({ "d": { "results": [1, 2] } }), Some(2)),
            (json!({ "_embedded": { "contacts": [1] }, "_page": 1 }), Some(1)),
            (json!({ "contacts": [1, 2, 3], "meta": {} }), Some(3)),
            (json!({ "data": { "boards": [{ "items_page": { "items": [1, 2] } }] } }), Some(2)),
            (json!({ "id": 7, "contacts": [1, 2, 3] }), None),
            (json!({ "id": 7, "data": { "notes": [1] } }), None),
            (json!({ "id": 7, "first": "A", "last": "B", "list": [1] }), None),
            (json!({ "jsonrpc": "2.0", "id": 7, "result": [1, 2] }), Some(2)),
        ] {
            let mut page = page.as_object().cloned().expect("an object");
            assert_eq!(records_of(&mut page).map(|all| all.len()), records);
        }
    }

    #[test]
    fn fields_that_name_themselves_are_fields() {
        let record = json!({
            "CUSTOMFIELDS": [{ "FIELD_NAME": "Position", "FIELD_VALUE": "Einkauf" }],
            "column_values": [{ "id": "c1", "column": { "title": "Firma" }, "text": "Nord GmbH" }],
            "emails": [{ "value": "a@b.example" }, { "value": "c@d.example", "primary": true }],
        });
        let mut told = Vec::new();
        spread("", record.as_object().expect("an object"), &mut |key, value| {
            told.extend(value.as_str().map(|text| format!("{key}={text}")));
        });
        assert_eq!(
            told,
            ["custom_fields.Position=Einkauf", "custom_fields.Firma=Nord GmbH", "emails.value=c@d.example"]
        );
    }
}
