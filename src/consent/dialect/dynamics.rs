//! Dynamics 365: contacts and `msdynmkt_contactpointconsent4`. Sources: `config/consent/dynamics.yaml`.
//!
//! Invariant: a consent by address concerns everybody who has the address; an inactive row grants nothing.

use super::fact::{Context, Index, context as plain};
use super::record::{Item, Record};
use super::spec::Object;

/// Channels of `msdynmkt_contactpointtype` that are reached by telephone: text message and voice.
const BY_PHONE: &[&str] = &["534120001", "534120003", "Text Message", "Voice"];

/// The row as it is.
pub(super) fn items(record: &Record) -> Vec<Item> {
    vec![Item::of(record)]
}

/// Whom a row speaks of.
pub(super) fn context(object: &Object, item: &Item, index: &Index) -> Context {
    let Some(address) = item.get("msdynmkt_contactpointvalue") else { return plain(object, item, index) };
    let by_phone = item.get("msdynmkt_contactpointtype").is_some_and(|t| BY_PHONE.contains(&t));
    let who = if by_phone || !address.contains('@') { index.phone(address) } else { index.address(address) };
    let inactive = item.get("statecode").is_some_and(|s| s != "0" && s != "Active");
    let blocked = inactive.then_some(("inactive_row", "the row is inactive, so it grants nothing"));
    Context { who, labels: Vec::new(), blocked }
}
