//! Microformats 2, with the classic ones mapped, by the parsing specification of microformats.org.
//!
//! Invariant: the output is the canonical JSON; an item that stands under several properties is copied only within
//! a budget, so that nesting cannot grow the output beyond the page.

mod classes;
mod dates;
mod implied;
mod rels;
mod value;

use serde_json::{Map, Value, json};

use self::classes::{Mode, Property, Roots};
use super::dom::{self, El, Page};
use super::reading::Mf2;

/// Bytes of values that are kept of one page.
const BYTE_BUDGET: usize = 16 * 1024 * 1024;
/// Items that are kept of one page, copies included.
const ITEM_BUDGET: usize = 20_000;

/// Reads all microformats of a page.
pub(super) fn read(page: &Page) -> Mf2 {
    let mut parser = Parser { page, bytes: BYTE_BUDGET, items: ITEM_BUDGET };
    let mut items = Vec::new();
    if page.has.formats {
        parser.top_level(page.root(), &mut items);
    }
    let (rels, rel_urls) = rels::read(page);
    Mf2 { items, rels, rel_urls }
}

/// Whether the value of a `class` has a root class.
pub(super) fn has_root(class: &str) -> bool {
    class.split_ascii_whitespace().any(classes::is_root)
}

/// An address as the microformats tests want it: absolute ones as written, others resolved, empty ones the base.
fn resolve(page: &Page, address: &str) -> String {
    let address = address.trim();
    if address.is_empty() {
        return page.base.to_string();
    }
    if url::Url::parse(address).is_ok() {
        return address.to_owned();
    }
    page.base.join(address).map_or_else(|_| address.to_owned(), String::from)
}

/// Bytes of a value's texts.
fn size(value: &Value) -> usize {
    match value {
        Value::String(s) => s.len(),
        Value::Object(map) => map.values().filter_map(Value::as_str).map(str::len).sum(),
        _ => 0,
    }
}

/// A microformat while it is read.
#[derive(Default)]
struct Item {
    types: Vec<String>,
    id: Option<String>,
    properties: Map<String, Value>,
    children: Vec<Value>,
    has_text_property: bool,
    has_url_property: bool,
    has_nested: bool,
    /// First `p-name` and `u-url`, which stand for the item where it is a property.
    name: Option<String>,
    url: Option<Value>,
    /// The date that a later property with a time only refers to.
    last_date: Option<String>,
    /// Bytes of its values, about.
    weight: usize,
}

impl Item {
    fn add(&mut self, name: &str, value: Value) {
        if let Value::Array(list) = self.properties.entry(name).or_insert_with(|| json!([])) {
            list.push(value);
        }
    }

    fn into_json(self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("type".into(), json!(self.types));
        if let Some(id) = self.id {
            map.insert("id".into(), Value::String(id));
        }
        map.insert("properties".into(), Value::Object(self.properties));
        if !self.children.is_empty() {
            map.insert("children".into(), Value::Array(self.children));
        }
        map
    }
}

struct Parser<'p> {
    page: &'p Page,
    bytes: usize,
    items: usize,
}

impl<'p> Parser<'p> {
    fn top_level(&mut self, e: El<'p>, items: &mut Vec<Value>) {
        if dom::name(e) == "template" {
            return;
        }
        match classes::roots(e) {
            Some(roots) => {
                if let Some(item) = self.item(e, &roots) {
                    items.push(Value::Object(item.into_json()));
                }
            }
            None => e.child_elements().for_each(|child| self.top_level(child, items)),
        }
    }

    fn item(&mut self, root: El<'p>, roots: &Roots) -> Option<Item> {
        self.items = self.items.checked_sub(1)?;
        let mut item = Item {
            types: roots.types.clone(),
            id: dom::attr(root, "id").map(str::to_owned),
            weight: 64,
            ..Item::default()
        };
        self.children(root, &roots.mode, &mut item);
        if matches!(roots.mode, Mode::V2) {
            self.imply(root, &mut item);
        }
        Some(item)
    }

    fn children(&mut self, e: El<'p>, mode: &Mode, item: &mut Item) {
        for child in e.child_elements() {
            if dom::name(child) == "template" {
                continue;
            }
            let properties = classes::properties(child, mode);
            if let Some(roots) = classes::roots(child).or_else(|| classes::implied_root(child, mode)) {
                item.has_nested = true;
                if let Some(nested) = self.item(child, &roots) {
                    self.nest(child, mode, &properties, nested, item);
                }
                continue;
            }
            for property in &properties {
                self.property(child, mode, property, item);
            }
            self.children(child, mode, item);
        }
    }

    /// Puts a nested microformat under its properties, or among the children.
    fn nest(&mut self, e: El<'p>, mode: &Mode, properties: &[Property], mut nested: Item, item: &mut Item) {
        let weight = nested.weight;
        item.weight += weight;
        if properties.is_empty() {
            item.children.push(Value::Object(nested.into_json()));
            return;
        }
        let (name, url) = (nested.name.take(), nested.url.take());
        let has_url = nested.properties.contains_key("url");
        let mut map = nested.into_json();
        // The first place is free, further ones are copies.
        let copies = (properties.len() - 1).min(self.bytes / weight.max(1));
        self.bytes -= copies * weight;
        item.weight += copies * weight;
        for (i, property) in properties.iter().take(copies + 1).enumerate() {
            item.has_text_property |= matches!(property.prefix, "p" | "e");
            item.has_url_property |= property.prefix == "u";
            let standing = match property.prefix {
                "p" => name.clone().map(Value::String),
                // A `url` of another kind is no URL, and the text beside it is none either.
                "u" if url.is_none() && has_url => Some(value::parse(self.page, e, mode, "p", None)),
                "u" => url.clone(),
                _ => None,
            };
            let standing = standing.unwrap_or_else(|| value::parse(self.page, e, mode, property.prefix, None));
            item.weight += size(&standing);
            let mut map = if i == copies { std::mem::take(&mut map) } else { map.clone() };
            match (property.prefix, standing) {
                ("e", Value::Object(parts)) => map.extend(parts),
                (_, value) => {
                    map.insert("value".into(), value);
                }
            }
            item.add(&property.name, Value::Object(map));
        }
    }

    fn property(&mut self, e: El<'p>, mode: &Mode, property: &Property, item: &mut Item) {
        let value = value::parse(self.page, e, mode, property.prefix, item.last_date.as_deref());
        let size = size(&value);
        let Some(left) = self.bytes.checked_sub(size) else { return };
        self.bytes = left;
        item.weight += size;
        item.has_text_property |= matches!(property.prefix, "p" | "e");
        item.has_url_property |= property.prefix == "u";
        let text = value.as_str().or_else(|| value.get("value")?.as_str());
        match (property.prefix, property.name.as_str()) {
            ("p", "name") if item.name.is_none() => item.name = text.map(str::to_owned),
            ("u", "url") if item.url.is_none() => item.url = Some(value.clone()),
            ("dt", _) => item.last_date = text.and_then(dates::date_of).or(item.last_date.take()),
            _ => {}
        }
        item.add(&property.name, value);
    }

    fn imply(&self, root: El<'p>, item: &mut Item) {
        if item.has_nested {
            return;
        }
        if !item.has_text_property && !item.properties.contains_key("name") {
            let name = implied::name(self.page, root);
            item.name = Some(name.clone());
            item.add("name", Value::String(name));
        }
        if !item.has_url_property {
            if !item.properties.contains_key("photo")
                && let Some(photo) = implied::photo(self.page, root)
            {
                item.add("photo", photo);
            }
            if !item.properties.contains_key("url")
                && let Some(url) = implied::url(self.page, root)
            {
                item.url = Some(Value::String(url.clone()));
                item.add("url", Value::String(url));
            }
        }
    }
}
