//! Microdata, by the algorithm of the WHATWG HTML standard.
//!
//! Invariant: `itemref` circles end, and the work is bounded however often an element is referred to.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::dom::{self, El, Page};
use super::limits::{MAX_ITEMS, MAX_VALUES};

/// Items inside items.
const MAX_NESTING: usize = 32;
/// Elements looked at, over all items.
const MAX_VISITS: usize = 400_000;

/// Top-level items in page order.
pub(super) fn read(page: &Page) -> Vec<Value> {
    if !page.has.items {
        return Vec::new();
    }
    let mut reader = Reader { page, ids: None, visits: 0, bytes: 0 };
    let tops = page.elements().filter(|e| e.attr("itemscope").is_some() && e.attr("itemprop").is_none());
    tops.take(MAX_ITEMS).map(|e| reader.item(e, &mut Vec::new())).collect()
}

struct Reader<'p> {
    page: &'p Page,
    /// Elements by id, made when the first `itemref` asks for it.
    ids: Option<HashMap<&'p str, El<'p>>>,
    visits: usize,
    /// Bytes of text taken so far.
    bytes: usize,
}

impl<'p> Reader<'p> {
    fn item(&mut self, root: El<'p>, memory: &mut Vec<El<'p>>) -> Value {
        memory.push(root);
        let mut item = Map::new();
        let types: Vec<&str> = root.attr("itemtype").unwrap_or_default().split_ascii_whitespace().collect();
        item.insert("type".into(), json!(types));
        if let Some(id) = dom::attr(root, "itemid").and_then(|id| self.page.resolve(id)) {
            item.insert("id".into(), Value::String(id));
        }
        let mut properties: Map<String, Value> = Map::new();
        for e in self.property_elements(root) {
            let value = self.value(e, memory);
            for name in dom::attr(e, "itemprop").unwrap_or_default().split_ascii_whitespace() {
                if let Value::Array(list) = properties.entry(name).or_insert_with(|| json!([])) {
                    list.push(value.clone());
                }
            }
        }
        item.insert("properties".into(), Value::Object(properties));
        memory.pop();
        Value::Object(item)
    }

    /// The elements that carry the item's properties, in tree order of each root.
    fn property_elements(&mut self, root: El<'p>) -> Vec<El<'p>> {
        let mut found = Vec::new();
        let mut roots: Vec<El<'p>> = root.child_elements().collect();
        for id in root.attr("itemref").unwrap_or_default().split_ascii_whitespace() {
            let page = self.page;
            let ids = self.ids.get_or_insert_with(|| {
                let mut ids = HashMap::new();
                for e in page.elements() {
                    if let Some(id) = e.attr("id") {
                        ids.entry(id).or_insert(e);
                    }
                }
                ids
            });
            roots.extend(ids.get(id).copied().filter(|e| *e != root && !roots.contains(e)));
        }
        roots.reverse();
        while let Some(e) = roots.pop() {
            self.visits += 1;
            if self.visits > MAX_VISITS {
                break;
            }
            if dom::attr(e, "itemprop").is_some() {
                found.push(e);
            }
            if e.attr("itemscope").is_none() && dom::name(e) != "template" {
                let at = roots.len();
                roots.extend(e.child_elements());
                roots[at..].reverse();
            }
        }
        found
    }

    fn value(&mut self, e: El<'p>, memory: &mut Vec<El<'p>>) -> Value {
        if e.attr("itemscope").is_some() {
            // An item inside itself is an error by the standard and has no value.
            return if memory.contains(&e) || memory.len() >= MAX_NESTING { Value::Null } else { self.item(e, memory) };
        }
        if self.bytes > MAX_VALUES {
            return Value::Null;
        }
        let address = |name: &str| {
            let raw = e.attr(name).unwrap_or_default();
            self.page.resolve(raw).unwrap_or_default()
        };
        let text = match dom::name(e) {
            "meta" => e.attr("content").unwrap_or_default().to_owned(),
            "audio" | "embed" | "iframe" | "img" | "source" | "track" | "video" => address("src"),
            "a" | "area" | "link" => address("href"),
            "object" => address("data"),
            "data" | "meter" => e.attr("value").unwrap_or_default().to_owned(),
            "time" => e.attr("datetime").map_or_else(|| dom::text_of(e), str::to_owned),
            _ => match e.attr("content") {
                // Not in the standard, but on many pages, and what search engines read.
                Some(content) if !content.trim().is_empty() => content.to_owned(),
                _ => dom::text_of(e),
            },
        };
        self.bytes += text.len();
        Value::String(text)
    }
}
