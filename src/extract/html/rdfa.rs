//! `RDFa` Lite and the common part of `RDFa` Core 1.1, as items in the shape of microdata.
//!
//! Invariant: an item is a typed or explicitly named resource; properties of the mere document (`OpenGraph`) are not
//! items. Terms of schema.org and of the vocabulary in force are short, all others are full IRIs.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::dom::{self, El, Page};
use super::limits::{MAX_ITEMS, MAX_VALUES};

/// Prefixes that `RDFa` 1.1 knows without declaration (the ones that pages use).
const INITIAL: [(&str, &str); 11] = [
    ("schema", "http://schema.org/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("dc", "http://purl.org/dc/terms/"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("org", "http://www.w3.org/ns/org#"),
    ("gr", "http://purl.org/goodrelations/v1#"),
    ("og", "http://ogp.me/ns#"),
    ("sioc", "http://rdfs.org/sioc/ns#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("v", "http://rdf.data-vocabulary.org/#"),
];

/// Top-level resources in page order.
pub(super) fn read(page: &Page) -> Vec<Value> {
    // Nothing else names or types a resource.
    if !page.has.resources {
        return Vec::new();
    }
    let mut reader = Reader { page, items: Vec::new(), by_id: HashMap::new(), bytes: 0, visits: Cell::new(0) };
    reader.walk(page.root(), &Context::default());
    let children: Vec<bool> = reader.items.iter().map(|i| i.is_value).collect();
    let tops = (0..reader.items.len()).filter(|i| !children[*i]);
    tops.filter_map(|i| reader.json(i, 0)).collect()
}

#[derive(Default)]
struct Item {
    types: Vec<String>,
    id: Option<String>,
    properties: Vec<(String, Object)>,
    is_value: bool,
}

enum Object {
    Text(String),
    Item(usize),
}

#[derive(Clone, Default)]
struct Context {
    vocab: Option<Rc<str>>,
    prefixes: Rc<HashMap<String, String>>,
    subject: Option<usize>,
    /// `rel` that still waits for its object.
    pending: Rc<[String]>,
}

struct Reader<'p> {
    page: &'p Page,
    items: Vec<Item>,
    by_id: HashMap<String, usize>,
    /// Bytes of text taken so far.
    bytes: usize,
    /// Items written so far; one that is linked often is written often.
    visits: Cell<usize>,
}

impl Reader<'_> {
    fn walk(&mut self, e: El<'_>, outer: &Context) {
        if matches!(dom::name(e), "template" | "script" | "style") {
            return;
        }
        let mut inner = outer.clone();
        if let Some(vocab) = e.attr("vocab") {
            inner.vocab = Some(vocab.trim()).filter(|v| !v.is_empty()).map(Rc::from);
        }
        declare_prefixes(e, &mut inner);
        self.element(e, &mut inner);
        for child in e.child_elements() {
            self.walk(child, &inner);
        }
    }

    fn element(&mut self, e: El<'_>, context: &mut Context) {
        let names = |attr: &str, curie_only: bool| -> Vec<String> {
            let tokens = e.attr(attr).unwrap_or_default().split_ascii_whitespace();
            tokens.filter(|t| !curie_only || t.contains(':')).filter_map(|t| expand(t, context)).collect()
        };
        let properties: Vec<String> = names("property", false).iter().map(|p| shorten(p, context)).collect();
        let rels: Vec<String> = names("rel", true).iter().map(|p| shorten(p, context)).collect();
        let types = names("typeof", false);
        let has_type = e.attr("typeof").is_some();
        let about = self.address(e, &["about"], context);
        let resource = self.address(e, &["resource"], context);
        let target = resource.clone().or_else(|| self.address(e, &["href", "src"], context));

        if let Some(id) = about.clone() {
            // With `typeof`, the type belongs to what `about` names.
            let item = self.item_with(Some(id), if has_type { types.clone() } else { Vec::new() });
            self.attach_pending(context, item);
            context.subject = Some(item);
        }
        let subject = context.subject;
        let mut object = None;
        if has_type && about.is_none() {
            let item = self.item_with(target.clone(), types);
            object = Some(item);
        } else if resource.is_some() && properties.is_empty() && rels.is_empty() && about.is_none() {
            object = Some(self.item_with(resource, Vec::new()));
        }
        if let Some(item) = object {
            if properties.is_empty() && rels.is_empty() {
                self.attach_pending(context, item);
            }
            context.subject = Some(item);
        }
        self.relate(e, subject, &properties, object, target.as_deref());
        if !rels.is_empty() {
            match (object, target) {
                (Some(item), _) => self.link(subject, &rels, item),
                (None, Some(iri)) => self.add_texts(subject, &rels, &iri),
                (None, None) => {
                    context.pending = Rc::from(rels);
                    return;
                }
            }
        }
        if object.is_some() || about.is_some() {
            context.pending = Rc::from([]);
        }
    }

    /// The value of `property`: the item that the element opens, an IRI, or text.
    fn relate(
        &mut self,
        e: El<'_>,
        subject: Option<usize>,
        names: &[String],
        object: Option<usize>,
        iri: Option<&str>,
    ) {
        if names.is_empty() {
            return;
        }
        if let Some(item) = object {
            self.link(subject, names, item);
        } else if let Some(content) = e.attr("content") {
            self.add_texts(subject, names, content);
        } else if let Some(datetime) = e.attr("datetime") {
            self.add_texts(subject, names, datetime);
        } else if let Some(iri) = iri {
            self.add_texts(subject, names, iri);
        } else if subject.is_some() {
            self.add_texts(subject, names, &dom::text_of(e));
        }
    }

    fn add_texts(&mut self, subject: Option<usize>, names: &[String], text: &str) {
        let Some(subject) = subject else { return };
        for name in names {
            self.bytes += text.len();
            if self.bytes > MAX_VALUES {
                return;
            }
            self.items[subject].properties.push((name.clone(), Object::Text(text.to_owned())));
        }
    }

    fn link(&mut self, subject: Option<usize>, names: &[String], item: usize) {
        let Some(subject) = subject.filter(|s| *s != item) else { return };
        self.items[item].is_value = true;
        for name in names {
            self.items[subject].properties.push((name.clone(), Object::Item(item)));
        }
    }

    fn attach_pending(&mut self, context: &mut Context, item: usize) {
        let pending = Rc::clone(&context.pending);
        let subject = context.subject.filter(|s| *s != item);
        if !pending.is_empty() {
            self.link(subject, &pending, item);
        }
    }

    /// The item of that name, or a new one.
    fn item_with(&mut self, id: Option<String>, types: Vec<String>) -> usize {
        let index = match id.as_ref().and_then(|id| self.by_id.get(id)) {
            Some(known) => *known,
            None if self.items.len() >= MAX_ITEMS => self.items.len() - 1,
            None => {
                self.items.push(Item { id: id.clone(), ..Item::default() });
                self.items.len() - 1
            }
        };
        if let Some(id) = id {
            self.by_id.entry(id).or_insert(index);
        }
        for t in types {
            if !self.items[index].types.contains(&t) {
                self.items[index].types.push(t);
            }
        }
        index
    }

    fn address(&self, e: El<'_>, attrs: &[&str], context: &Context) -> Option<String> {
        let raw = attrs.iter().find_map(|a| dom::attr(e, a))?;
        let safe_curie = raw.strip_prefix('[').and_then(|r| r.strip_suffix(']'));
        if let Some(curie) = safe_curie {
            return expand(curie, context);
        }
        if raw.starts_with("_:") {
            return Some(raw.to_owned());
        }
        self.page.resolve(raw)
    }

    fn json(&self, index: usize, depth: usize) -> Option<Value> {
        let item = &self.items[index];
        self.visits.set(self.visits.get() + 1);
        if self.visits.get() > 4 * MAX_ITEMS || (item.types.is_empty() && item.properties.is_empty()) {
            return None;
        }
        let mut properties: Map<String, Value> = Map::new();
        for (name, object) in &item.properties {
            let value = match object {
                Object::Text(text) => Value::String(text.clone()),
                Object::Item(_) if depth >= 8 => continue,
                Object::Item(i) => match self.json(*i, depth + 1) {
                    Some(value) => value,
                    None => match &self.items[*i].id {
                        Some(id) => Value::String(id.clone()),
                        None => continue,
                    },
                },
            };
            if let Value::Array(list) = properties.entry(name.as_str()).or_insert_with(|| json!([])) {
                list.push(value);
            }
        }
        let mut out = Map::new();
        out.insert("type".into(), json!(item.types));
        if let Some(id) = &item.id {
            out.insert("id".into(), json!(id));
        }
        out.insert("properties".into(), Value::Object(properties));
        Some(Value::Object(out))
    }
}

fn declare_prefixes(e: El<'_>, context: &mut Context) {
    let Some(declared) = e.attr("prefix") else { return };
    let mut prefixes = (*context.prefixes).clone();
    let mut tokens = declared.split_ascii_whitespace();
    while let (Some(prefix), Some(iri)) = (tokens.next(), tokens.next()) {
        if let Some(prefix) = prefix.strip_suffix(':')
            && prefixes.len() < 64
        {
            prefixes.insert(prefix.to_ascii_lowercase(), iri.to_owned());
        }
    }
    context.prefixes = Rc::new(prefixes);
}

/// The IRI of a term, CURIE or IRI; `None` for a bare term without vocabulary.
fn expand(token: &str, context: &Context) -> Option<String> {
    if let Some((prefix, rest)) = token.split_once(':') {
        if rest.starts_with("//") {
            return Some(token.to_owned());
        }
        let prefix = prefix.to_ascii_lowercase();
        let known = context.prefixes.get(&prefix).map(String::as_str);
        let initial = || INITIAL.iter().find(|(p, _)| *p == prefix).map(|(_, iri)| *iri);
        return Some(known.or_else(initial).map_or_else(|| token.to_owned(), |iri| format!("{iri}{rest}")));
    }
    let vocab = context.vocab.as_deref()?;
    let glue = if vocab.ends_with(['/', '#', ':']) { "" } else { "/" };
    Some(format!("{vocab}{glue}{token}"))
}

fn shorten(iri: &str, context: &Context) -> String {
    let vocab = context.vocab.as_deref().map(|v| v.trim_end_matches('/'));
    let bases = vocab.into_iter().chain(["http://schema.org", "https://schema.org"]);
    let short = bases.filter_map(|b| iri.strip_prefix(b)).map(|r| r.trim_start_matches('/')).find(|r| !r.is_empty());
    short.filter(|r| !r.contains(['/', '#', ':'])).unwrap_or(iri).to_owned()
}
