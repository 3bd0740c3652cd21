//! Pipedrive: persons, v1 and v2. Sources: `config/consent/pipedrive.yaml`.
//!
//! Invariant: a person is one item.

use super::record::{Item, Record};

/// The person as it is; addresses of either version are read from `email` and `emails`.
pub(super) fn items(record: &Record) -> Vec<Item> {
    let mut item = Item::of(record);
    // v2 keeps fields of one's own apart: a mapping may name one by its key alone.
    let own: Vec<(String, String)> = item
        .cells
        .iter()
        .filter_map(|(name, cell)| Some((name.strip_prefix("custom_fields.")?.to_owned(), cell.clone())))
        .collect();
    for (name, cell) in own {
        item.set(&name, &cell);
    }
    vec![item]
}
