//! People: from microformats, from plain HTML, and the merging of what all syntaxes say.
//!
//! Invariant: from plain HTML a person is taken only with a job line or a label that says what they are; a name
//! alone is not evidence of anything.

mod cards;
mod jobs;
mod line;
pub(super) mod names;
mod notes;
mod others;
pub(super) mod own;
mod paragraphs;
pub(super) mod sections;
mod sentences;
mod slots;
mod tables;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Mf2;
use super::blocks::{Line, Seen};
use super::dom::{self, Page};
use super::limits::MAX_ITEMS;
use super::locator;
use super::reading::{Organization, PersonMention, Syntax};
use super::schema_org::{Found, tel};
use own::Own;
use sections::Section;

pub(super) use line::in_line;
pub(super) use others::{is_former, is_others};

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
    if let Some(company) = texts("org").into_iter().next() {
        found.employed(&company);
    }
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
pub(super) fn from_html(page: &Page, seen: &Seen<'_>, sections: &[Section], own: &Own, found: &mut Found) {
    let first = found.people.len();
    let lines = &seen.lines;
    let known = Known { lines, sections, own };
    let consumed = tables::read(page, &known, found);
    from_notes(page, seen, &known, found);
    cards::read(&cards::Cards { page, lines, notes: &seen.notes, sections, own, consumed }, found);
    // Who is said goodbye to is no longer what a line calls them.
    let gone: Vec<&str> = lines.iter().map(|l| &*l.text).filter(|t| others::tells_of_leaving(t)).take(50).collect();
    let others = std::mem::take(&mut found.others);
    if !gone.is_empty() || !others.is_empty() {
        let mut at = 0;
        found.people.retain(|p| {
            at += 1;
            at <= first || !(gone.iter().any(|t| t.contains(&p.name)) || others.contains(&names::key(&p.name)))
        });
    }
}

/// What the readers of plain HTML know of a page.
struct Known<'r, 'a> {
    lines: &'r [Line<'a>],
    sections: &'r [Section],
    own: &'r Own,
}

impl Known<'_, '_> {
    /// Whether a title belongs to the company's own, as far as it says itself.
    fn holds(&self, title: Option<&str>) -> bool {
        title.is_none_or(|t| !others::is_former(t) && !others::is_others(t, self.own))
    }
}

/// People of attributes.
fn from_notes(page: &Page, seen: &Seen<'_>, known: &Known<'_, '_>, found: &mut Found) {
    for note in &seen.notes {
        if found.people.len() >= MAX_ITEMS {
            return;
        }
        let Some((name, job, department)) = notes::person(note.at, known.own) else { continue };
        let outside =
            [note.line, note.line.saturating_sub(1)].iter().any(|k| known.sections.get(*k).is_some_and(|s| s.outside));
        if !outside && known.holds(job.as_deref()) {
            let links = dom::attr(note.at, "href").and_then(|h| page.resolve(h));
            found.people.push(mention(&name, job.as_deref(), department, links.into_iter().collect(), note.at));
        }
    }
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
    // A line may hold more than the title that markup cuts out of it.
    let more = |known: &str, new: &str| new.strip_prefix(known).is_some_and(|rest| rest.starts_with([' ', ',']));
    known.syntax == new.syntax
        || new.job_title.is_none()
        || title(known) == title(new)
        || (new.syntax == Syntax::Html && title(known).zip(title(new)).is_some_and(|(k, n)| more(&k, &n)))
}

fn absorb(known: &mut PersonMention, new: PersonMention) {
    match (&mut known.job_title, new.job_title) {
        // The longer reading of the same line says all that the shorter does.
        (Some(title), Some(more))
            if more.strip_prefix(title.as_str()).is_some_and(|r| r.starts_with([',', ' ']))
                && known.syntax == new.syntax =>
        {
            *title = more;
        }
        (Some(title), Some(more)) => {
            let stands =
                title.split(" | ").any(|t| t.eq_ignore_ascii_case(&more) || t.to_lowercase() == more.to_lowercase());
            if !stands && title.len() < 300 && known.syntax == new.syntax {
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
