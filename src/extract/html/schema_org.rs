//! People and the organization from schema.org nodes, in whichever syntax they came.
//!
//! Invariant: a node is read where it stands, with its path as locator; references by `@id` are followed once per
//! path and never in a circle.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::dom::{self, Page};
pub(super) use super::found::Found;
use super::json_ld::decode_entities;
use super::limits::MAX_ITEMS;
use super::reading::{Organization, PersonMention, Syntax};

/// Nodes of other nodes that are followed at most.
const MAX_DEPTH: usize = 24;
/// Node visits of one page.
const MAX_VISITS: usize = 20_000;

/// Reads parsed JSON-LD blocks.
pub(super) fn from_json_ld(blocks: &[Value], page: &Page, found: &mut Found) {
    let mut by_id = HashMap::new();
    for block in blocks {
        index(block, &mut by_id, 0);
    }
    let mut walk = Walk { page, syntax: Syntax::JsonLd, by_id, found, trail: Vec::new(), visits: 0 };
    for (i, block) in blocks.iter().enumerate() {
        walk.any(block, &format!("json-ld[{i}]"), &Place::default());
    }
}

/// Reads microdata or `RDFa` items.
pub(super) fn from_items(items: &[Value], syntax: Syntax, page: &Page, found: &mut Found) {
    let nodes: Vec<Value> = items.iter().map(to_node).collect();
    let mut by_id = HashMap::new();
    for node in &nodes {
        index(node, &mut by_id, 0);
    }
    let label = if syntax == Syntax::Rdfa { "rdfa" } else { "microdata" };
    let mut walk = Walk { page, syntax, by_id, found, trail: Vec::new(), visits: 0 };
    for (i, node) in nodes.iter().enumerate() {
        walk.any(node, &format!("{label}[{i}]"), &Place::default());
    }
}

/// An item in the shape of a JSON-LD node.
fn to_node(item: &Value) -> Value {
    let Some(properties) = item.get("properties").and_then(Value::as_object) else { return item.clone() };
    let mut node = Map::new();
    if let Some(types) = item.get("type") {
        node.insert("@type".into(), types.clone());
    }
    if let Some(id) = item.get("id") {
        node.insert("@id".into(), id.clone());
    }
    for (name, values) in properties {
        let values = values.as_array().map(|v| v.iter().map(to_node).collect()).unwrap_or_default();
        node.insert(local(name).to_owned(), Value::Array(values));
    }
    Value::Object(node)
}

fn index<'v>(value: &'v Value, by_id: &mut HashMap<&'v str, &'v Value>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Array(list) => list.iter().for_each(|v| index(v, by_id, depth + 1)),
        Value::Object(map) => {
            if let Some(id) = map.get("@id").and_then(Value::as_str)
                && map.len() > 1
            {
                by_id.entry(id).or_insert(value);
            }
            map.values().for_each(|v| index(v, by_id, depth + 1));
        }
        _ => {}
    }
}

/// Where a node stands among the others.
#[derive(Clone, Default)]
struct Place<'v> {
    /// The property that leads here.
    relation: &'v str,
    department: Option<String>,
    /// From an enclosing `OrganizationRole`.
    role: Option<String>,
}

struct Walk<'p, 'v, 'f> {
    page: &'p Page,
    syntax: Syntax,
    by_id: HashMap<&'v str, &'v Value>,
    found: &'f mut Found,
    trail: Vec<*const Value>,
    visits: usize,
}

impl<'v> Walk<'_, 'v, '_> {
    fn any(&mut self, value: &'v Value, path: &str, place: &Place<'v>) {
        self.visits += 1;
        if self.visits > MAX_VISITS || self.trail.len() > MAX_DEPTH {
            return;
        }
        match value {
            Value::Array(list) => {
                for (i, item) in list.iter().enumerate() {
                    self.any(item, &format!("{path}[{i}]"), place);
                }
            }
            Value::Object(map) => {
                let reference = map.get("@id").and_then(Value::as_str).filter(|_| map.len() == 1);
                let target = reference.and_then(|id| self.by_id.get(id).copied()).unwrap_or(value);
                // A reference is followed only for what it adds; the node itself is read where it stands.
                if reference.is_some() && !matches!(place.relation, "author" | "creator") {
                    return;
                }
                let Value::Object(node) = target else { return };
                let here: *const Value = target;
                if !self.trail.contains(&here) {
                    self.trail.push(here);
                    self.node(node, path, place);
                    self.trail.pop();
                }
            }
            Value::String(name) if matches!(place.relation, "author" | "creator") => self.author(name),
            _ => {}
        }
    }

    fn node(&mut self, node: &'v Map<String, Value>, path: &str, place: &Place<'v>) {
        let types = types_of(node);
        let mut inner = Place { relation: "", ..place.clone() };
        if types.contains(&"Person") {
            self.person(node, path, place);
            inner = Place::default();
        } else if types.iter().any(|t| is_organization(t)) {
            self.organization(node, place);
            if place.relation == "department" {
                inner.department = texts(node, "name").into_iter().next();
            }
        } else if types.iter().any(|t| t.ends_with("Role")) {
            inner.role = joined(node, "roleName").or_else(|| joined(node, "namedPosition"));
        }
        for (key, value) in node {
            // Reviews and comments name customers and readers, not people of the company.
            if !matches!(key.as_str(), "review" | "reviews" | "comment" | "comments" | "@context") {
                let is_role = types.iter().any(|t| t.ends_with("Role"));
                let place = Place { relation: if is_role { place.relation } else { key }, ..inner.clone() };
                self.any(value, &format!("{path}.{key}"), &place);
            }
        }
    }

    fn author(&mut self, name: &str) {
        let name = dom::fold(&decode_entities(name));
        if super::people::names::is_name(&name) {
            self.found.authors.push(name);
        }
    }

    fn person(&mut self, node: &Map<String, Value>, path: &str, place: &Place<'v>) {
        let Some(name) = person_name(node).filter(|n| plausible(n)) else { return };
        if matches!(place.relation, "author" | "creator") {
            self.found.authors.push(name.clone());
        }
        if self.found.people.len() >= MAX_ITEMS {
            return;
        }
        let occupation = || node.get("hasOccupation").and_then(joined_values);
        let employer = || node.get("worksFor").and_then(|w| one(w)?.get("department"));
        let job_title = joined(node, "jobTitle").or_else(|| place.role.clone()).or_else(occupation);
        let job_title = job_title.or_else(|| {
            let founds = matches!(place.relation, "founder" | "founders");
            founds.then(|| "Founder".to_owned())
        });
        let company = node.get("worksFor").and_then(one).and_then(text_of);
        if let Some(company) = company.filter(|c| !c.starts_with(['#', '_']) && !c.contains("://")) {
            self.found.employed(&company);
        }
        let department = joined(node, "department")
            .or_else(|| place.department.clone())
            .or_else(|| employer().and_then(joined_values));
        let links = self.links(node);
        self.found.people.push(PersonMention {
            name,
            job_title,
            department,
            links,
            locator: path.to_owned(),
            syntax: self.syntax,
        });
    }

    fn links(&self, node: &Map<String, Value>) -> Vec<String> {
        let mut links = Vec::new();
        for key in ["sameAs", "url"] {
            links.extend(texts(node, key).iter().filter_map(|u| self.page.resolve(u)));
        }
        for mail in texts(node, "email") {
            links.push(if mail.starts_with("mailto:") { mail } else { format!("mailto:{mail}") });
        }
        for phone in texts(node, "telephone") {
            links.push(tel(&phone));
        }
        dom::dedup(links)
    }

    fn organization(&mut self, node: &Map<String, Value>, place: &Place<'v>) {
        let standing = match place.relation {
            "" | "@graph" => 4,
            "publisher" | "about" | "mainEntity" | "mainEntityOfPage" | "copyrightHolder" | "provider" => 3,
            "worksFor" | "sourceOrganization" | "seller" => 1,
            _ => return,
        };
        let name = texts(node, "legalName").into_iter().next().or_else(|| texts(node, "name").into_iter().next());
        let mut org = Organization {
            legal_form: name.as_deref().and_then(super::imprint::legal_form),
            name,
            vat_id: texts(node, "vatID").into_iter().next().map(|v| super::imprint::compact_vat(&v)),
            phone: texts(node, "telephone").into_iter().next(),
            email: texts(node, "email").into_iter().next().and_then(|m| mailbox(&m)),
            url: texts(node, "url").into_iter().next().and_then(|u| self.page.resolve(&u)),
            employees: node.get("numberOfEmployees").and_then(quantity),
            founding_date: texts(node, "foundingDate").into_iter().next(),
            same_as: texts(node, "sameAs"),
            ..Organization::default()
        };
        for scheme in ["isicV4", "naics", "nace"] {
            org.industry_codes.extend(texts(node, scheme).into_iter().map(|code| format!("{scheme}:{code}")));
        }
        if let Some(address) = node.get("address").and_then(one).and_then(Value::as_object) {
            let part = |key| texts(address, key).into_iter().next();
            org.street = part("streetAddress");
            org.postal_code = part("postalCode");
            org.city = part("addressLocality");
            org.country = part("addressCountry").map(|c| super::imprint::country_code(&c).unwrap_or(c));
        }
        if org.name.is_some() {
            self.found.offer(org, standing);
        }
    }
}

/// The address of a `mailto:` link, without subject and the like.
fn mailbox(mail: &str) -> Option<String> {
    let address = mail.trim_start_matches("mailto:").split('?').next()?.trim();
    (!address.is_empty()).then(|| address.to_owned())
}

/// `tel:` with digits and a leading plus only.
pub(super) fn tel(phone: &str) -> String {
    let phone = phone.trim().trim_start_matches("tel:");
    let digits: String = phone.replace("(0)", "").chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    format!("tel:{digits}")
}

fn plausible(name: &str) -> bool {
    let length = name.chars().count();
    (3..=100).contains(&length) && !name.contains(['@', '<', '{']) && !name.contains("://")
}

fn person_name(node: &Map<String, Value>) -> Option<String> {
    texts(node, "name").into_iter().next().or_else(|| {
        let parts: Vec<String> = ["honorificPrefix", "givenName", "additionalName", "familyName"]
            .iter()
            .filter_map(|key| texts(node, key).into_iter().next())
            .collect();
        let family = !texts(node, "familyName").is_empty();
        family.then(|| parts.join(" "))
    })
}

fn types_of(node: &Map<String, Value>) -> Vec<&str> {
    match node.get("@type").or_else(|| node.get("type")) {
        Some(Value::String(t)) => vec![local(t)],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(local).collect(),
        _ => Vec::new(),
    }
}

/// `Person` of `https://schema.org/Person`, `schema:Person`, `Person`.
fn local(name: &str) -> &str {
    name.rsplit(['/', '#', ':']).next().unwrap_or(name)
}

fn is_organization(t: &str) -> bool {
    ["Organization", "Business", "Corporation", "Store"].iter().any(|e| t.ends_with(e))
        || matches!(t, "NGO" | "ProfessionalService" | "FinancialService" | "LegalService" | "Consortium")
}

fn one(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(list) => list.first(),
        other => Some(other),
    }
}

/// The texts of a property: strings, numbers, `@value`, `name` of a term.
fn texts(node: &Map<String, Value>, key: &str) -> Vec<String> {
    node.get(key).map(texts_of).unwrap_or_default()
}

fn texts_of(value: &Value) -> Vec<String> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().filter_map(text_of).collect()
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(s) => s.clone(),
        Value::Number(n) => n.to_string(),
        Value::Object(map) => {
            let inner = ["@value", "name", "termCode", "@id"].iter().find_map(|k| map.get(*k))?;
            match one(inner)? {
                Value::String(s) => s.clone(),
                Value::Number(n) => n.to_string(),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(dom::fold(&decode_entities(&text))).filter(|t| !t.is_empty())
}

fn joined(node: &Map<String, Value>, key: &str) -> Option<String> {
    node.get(key).and_then(joined_values)
}

fn joined_values(value: &Value) -> Option<String> {
    let texts: Vec<String> = texts_of(value).into_iter().filter(|t| t.chars().count() <= 200).collect();
    (!texts.is_empty()).then(|| dom::dedup(texts).join(" | "))
}

/// `120`, or `50-100` of a `QuantitativeValue`.
fn quantity(value: &Value) -> Option<String> {
    let value = one(value)?;
    let Value::Object(map) = value else { return text_of(value) };
    let part = |key| texts(map, key).into_iter().next();
    part("value").or_else(|| match (part("minValue"), part("maxValue")) {
        (Some(low), Some(high)) => Some(format!("{low}-{high}")),
        (Some(low), None) => Some(format!("{low}-")),
        (None, high) => high.map(|h| format!("-{h}")),
    })
}
