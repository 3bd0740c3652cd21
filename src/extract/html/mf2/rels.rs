//! `rels` and `rel-urls`.
//!
//! Invariant: URLs by rel are distinct and in page order; rels by URL are distinct and sorted; the first text,
//! medium, language, title and type that a URL shows stay.

use serde_json::{Map, Value, json};

use super::super::dom::{self, Page};
use super::super::limits::MAX_ITEMS;
use super::resolve;

/// Both maps.
pub(super) fn read(page: &Page) -> (Map<String, Value>, Map<String, Value>) {
    let mut rels: Map<String, Value> = Map::new();
    let mut urls: Map<String, Value> = Map::new();
    let mut seen = std::collections::HashSet::new();
    let linking = page.marked().filter(|e| matches!(dom::name(*e), "a" | "area" | "link"));
    for e in linking {
        let (Some(rel), Some(href)) = (dom::attr(e, "rel"), e.attr("href")) else { continue };
        if urls.len() >= MAX_ITEMS {
            break;
        }
        let url = resolve(page, href);
        let entry = urls.entry(url.as_str()).or_insert_with(|| json!({ "rels": [] }));
        let Value::Object(entry) = entry else { continue };
        for rel in rel.split_ascii_whitespace().take(64) {
            if seen.insert((rel.to_owned(), url.clone())) {
                push(rels.entry(rel).or_insert_with(|| json!([])), &url);
                push(entry.entry("rels").or_insert_with(|| json!([])), rel);
            }
        }
        if let Some(Value::Array(list)) = entry.get_mut("rels") {
            list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
        let text = dom::raw_text(e);
        let known = ["media", "hreflang", "title", "type"].map(|n| (n, e.attr(n)));
        for (name, value) in known.into_iter().chain([("text", Some(text.as_str()))]) {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                entry.entry(name).or_insert_with(|| json!(value));
            }
        }
    }
    (rels, urls)
}

fn push(list: &mut Value, item: &str) {
    if let Value::Array(list) = list {
        list.push(json!(item));
    }
}
