//! People: from microformats, from plain HTML, and the merging of what all syntaxes say.
//!
//! Invariant: from plain HTML a person is taken only with a job line or a label that says what they are; a name
//! alone is not evidence of anything.

mod cards;
pub(super) mod names;
mod tables;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Mf2;
use super::blocks::Line;
use super::dom::{self, Page};
use super::limits::MAX_ITEMS;
use super::locator;
use super::reading::{Organization, PersonMention, Syntax};
use super::schema_org::{Found, tel};

pub(super) use cards::in_line;

/// People (and the organization) of `h-card`s, wherever they stand in the tree.
pub(super) fn from_mf2(mf2: &Mf2, found: &mut Found) {
    for (i, item) in mf2.items.iter().enumerate() {
        visit(item, &format!("mf2.items[{i}]"), "", found, 0);
    }
}

fn visit(item: &Value, path: &str, property: &str, found: &mut Found, depth: usize) {
    let (Some(types), Some(properties)) = (item.get("type"), item.get("properties").and_then(Value::as_object)) else {
        return;
    };
    if depth > 24 || found.people.len() >= MAX_ITEMS {
        return;
    }
    let is = |t: &str| types.as_array().is_some_and(|list| list.iter().any(|v| v == t));
    if is("h-card") && !is("h-event") {
        card(properties, path, property, found);
    }
    for (name, values) in properties {
        for (i, value) in values.as_array().into_iter().flatten().enumerate() {
            visit(value, &format!("{path}.{name}[{i}]"), name, found, depth + 1);
        }
    }
    for (i, child) in item.get("children").and_then(Value::as_array).into_iter().flatten().enumerate() {
        visit(child, &format!("{path}.children[{i}]"), "", found, depth + 1);
    }
}

fn card(properties: &Map<String, Value>, path: &str, property: &str, found: &mut Found) {
    let texts = |key: &str| -> Vec<String> {
        let values = properties.get(key).and_then(Value::as_array).into_iter().flatten();
        let texts = values.filter_map(|v| v.as_str().or_else(|| v.get("value")?.as_str()));
        texts.map(dom::fold).filter(|t| !t.is_empty()).collect()
    };
    let Some(name) = texts("name").into_iter().next() else { return };
    let job_title =
        Some(dom::dedup([texts("job-title"), texts("role")].concat()).join(" | ")).filter(|t| !t.is_empty());
    let orgs = texts("org");
    let is_company = super::imprint::legal_form(&name).is_some() || orgs.first() == Some(&name);
    if is_company {
        // The card of a company describes the publisher only where it stands by itself.
        if property.is_empty() {
            found.offer(company(name, &texts), 2);
        }
        return;
    }
    let person = job_title.is_some() || !texts("family-name").is_empty() || names::is_name(&name);
    if !person || name.chars().count() > 100 {
        return;
    }
    if property == "author" {
        found.authors.push(name.clone());
    }
    let unit =
        properties.get("org").and_then(|o| o.get(0)?.get("properties")?.get("organization-unit")?.get(0)?.as_str());
    let department = texts("organization-unit").into_iter().next().or_else(|| unit.map(dom::fold));
    let mut links = texts("url");
    links.extend(texts("email").into_iter().map(|m| if m.contains(':') { m } else { format!("mailto:{m}") }));
    links.extend(texts("tel").iter().map(|t| tel(t)));
    found.people.push(PersonMention {
        name,
        job_title,
        department,
        links: dom::dedup(links),
        locator: path.to_owned(),
        syntax: Syntax::Mf2,
    });
}

fn company(name: String, texts: &dyn Fn(&str) -> Vec<String>) -> Organization {
    let first = |key: &str| texts(key).into_iter().next();
    Organization {
        legal_form: super::imprint::legal_form(&name),
        name: Some(name),
        street: first("street-address"),
        postal_code: first("postal-code"),
        city: first("locality"),
        country: first("country-name").map(|c| super::imprint::country_code(&c).unwrap_or(c)),
        phone: first("tel"),
        email: first("email").map(|m| m.trim_start_matches("mailto:").to_owned()),
        url: first("url"),
        ..Organization::default()
    }
}

/// People of cards, tables and lists without markup.
pub(super) fn from_html(page: &Page, lines: &[Line<'_>], found: &mut Found) {
    tables::read(page, found);
    cards::read(page, lines, found);
}

/// A mention in plain HTML.
fn mention(
    name: &str,
    job_title: Option<&str>,
    department: Option<String>,
    links: Vec<String>,
    at: dom::El<'_>,
) -> PersonMention {
    PersonMention {
        name: dom::fold(name),
        job_title: job_title.map(dom::fold),
        department,
        links: dom::dedup(links),
        locator: locator::css_path(at),
        syntax: Syntax::Html,
    }
}

/// One entry per person and syntax, best syntax first; an entry that repeats name and title of a better one, or
/// has no title where a better one has, is folded into that.
pub(super) fn merge(mut people: Vec<PersonMention>) -> Vec<PersonMention> {
    people.sort_by_key(|p| p.syntax);
    let mut merged: Vec<PersonMention> = Vec::new();
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for person in people {
        let known = by_name.entry(names::key(&person.name)).or_default();
        let twin = known.iter().copied().find(|i| absorbs(&merged[*i], &person));
        if let Some(i) = twin {
            absorb(&mut merged[i], person);
        } else {
            known.push(merged.len());
            merged.push(person);
        }
    }
    merged
}

fn absorbs(known: &PersonMention, new: &PersonMention) -> bool {
    let title = |p: &PersonMention| p.job_title.as_deref().map(str::to_lowercase);
    known.syntax == new.syntax || new.job_title.is_none() || title(known) == title(new)
}

fn absorb(known: &mut PersonMention, new: PersonMention) {
    match (&mut known.job_title, new.job_title) {
        (Some(title), Some(more)) => {
            let stands =
                title.split(" | ").any(|t| t.eq_ignore_ascii_case(&more) || t.to_lowercase() == more.to_lowercase());
            if !stands && title.len() < 300 {
                title.push_str(" | ");
                title.push_str(&more);
            }
        }
        (title @ None, more) => *title = more,
        _ => {}
    }
    if known.department.is_none() {
        known.department = new.department;
    }
    for link in new.links {
        if known.links.len() < 50 && !known.links.contains(&link) {
            known.links.push(link);
        }
    }
}
