//! Odoo: `res.partner`, `mail.blacklist` and `privacy.log` as JSON-RPC reads them. Sources:
//! `config/consent/odoo.yaml`.
//!
//! Invariant: `false` for an empty field is no value; a line of the privacy log counts for the contact that it names.

use serde_json::Value;

use super::record::{Item, Record};

/// How Odoo calls a contact in its log; lines about other models say nothing about a person's record here.
const CONTACT: &[&str] = &["Contact", "Kontakt", "res.partner"];

/// Verbs of two words, which would else be cut in the wrong place.
const LONG_VERBS: &[&str] = &["Archivierung aufgehoben"];

/// The row; of a log, each line of its execution details.
pub(super) fn items(record: &Record) -> Vec<Item> {
    let mut row = Item::of(record);
    // JSON-RPC gives `false` where a text field is empty.
    for (name, value) in &record.fields {
        if value == &Value::Bool(false) && !is_flag(name) {
            row.cells.remove(name);
        }
    }
    if !row.names.contains("anonymized_email") {
        return vec![row];
    }
    let details = row.get("execution_details").unwrap_or_default().to_owned();
    let lines = details.lines().filter_map(line).map(|(verb, id)| {
        let mut item = Item { hint: None, ..row.clone() };
        item.set("execution_verb", &verb);
        item.set("execution_record", &id);
        item
    });
    let lines: Vec<Item> = lines.collect();
    if lines.is_empty() { vec![row] } else { lines }
}

fn is_flag(name: &str) -> bool {
    name == "active" || name.contains("blacklisted")
}

/// `Deleted Contact #7` -> (`Deleted`, `7`).
fn line(text: &str) -> Option<(String, String)> {
    let (head, id) = text.trim().rsplit_once(" #")?;
    let long = LONG_VERBS.iter().find_map(|verb| Some((*verb, head.strip_prefix(verb)?.trim())));
    let (verb, model) = long.or_else(|| head.split_once(' '))?;
    let is_contact = CONTACT.contains(&model) && id.bytes().all(|b| b.is_ascii_digit());
    is_contact.then(|| (verb.to_owned(), id.to_owned()))
}
