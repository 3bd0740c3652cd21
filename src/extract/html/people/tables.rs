//! People in tables (`Name | Funktion`) and description lists.
//!
//! Invariant: a column counts as the names' only if its cells are names; rows that do not fit are left out.

use super::super::dom::{self, El, Page};
use super::super::limits::MAX_ITEMS;
use super::super::schema_org::Found;
use super::{mention, names};

/// Reads every table and description list of a page.
pub(super) fn read(page: &Page, found: &mut Found) {
    for e in page.marked() {
        if found.people.len() >= MAX_ITEMS {
            return;
        }
        match dom::name(e) {
            "table" => table(page, e, found),
            "dl" => list(page, e, found),
            _ => {}
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    GivenName,
    FamilyName,
    Job,
    Department,
    Other,
}

fn column(header: &str) -> Column {
    let lower = header.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let has = |list: &[&str]| words.iter().any(|w| list.contains(w));
    if has(&["vorname", "firstname", "given"]) || lower == "first name" {
        Column::GivenName
    } else if has(&["nachname", "familienname", "surname", "lastname"]) || lower == "last name" {
        Column::FamilyName
    } else if has(&[
        "funktion",
        "position",
        "aufgabe",
        "aufgaben",
        "rolle",
        "role",
        "title",
        "job",
        "function",
        "stelle",
        "zuständigkeit",
    ]) {
        Column::Job
    } else if has(&["abteilung", "bereich", "department", "division", "team"]) {
        Column::Department
    } else if has(&["name", "ansprechpartner", "ansprechpartnerin", "mitarbeiter", "person", "kontakt", "contact"]) {
        Column::Name
    } else {
        Column::Other
    }
}

fn table(page: &Page, table: El<'_>, found: &mut Found) {
    let mut columns: Vec<Column> = Vec::new();
    // Rows of nested tables are read when the walk comes to these.
    let groups = table.child_elements().filter(|e| matches!(dom::name(*e), "thead" | "tbody" | "tfoot"));
    for row in groups.flat_map(El::child_elements).filter(|e| dom::name(*e) == "tr") {
        let cells: Vec<El<'_>> =
            row.child_elements().filter(|c| matches!(dom::name(*c), "td" | "th")).take(20).collect();
        let texts: Vec<String> = cells.iter().map(|c| dom::short_text(*c).into_owned()).collect();
        if let Some(headers) = headers(&texts) {
            columns = headers;
            continue;
        }
        let person = if columns.is_empty() { bare_row(&texts) } else { labelled_row(&columns, &texts) };
        if let Some((name, job, department)) = person {
            found.people.push(mention(&name, job.as_deref(), department, links_of(page, row), row));
        }
    }
}

/// What the columns hold where the row is one of headings.
fn headers(texts: &[String]) -> Option<Vec<Column>> {
    let short = texts.iter().all(|t| t.len() < 160 && t.chars().count() < 40);
    if !short || texts.iter().any(|t| names::is_name(t)) {
        return None;
    }
    let headers: Vec<Column> = texts.iter().map(|t| column(t)).collect();
    let named = headers.iter().any(|c| matches!(c, Column::Name | Column::FamilyName));
    let working = headers.iter().any(|c| *c == Column::Job || *c == Column::Department);
    (named && working).then_some(headers)
}

type Person = (String, Option<String>, Option<String>);

fn labelled_row(columns: &[Column], texts: &[String]) -> Option<Person> {
    let cell = |wanted: Column| {
        let at = columns.iter().position(|c| *c == wanted)?;
        texts.get(at).filter(|t| !t.is_empty() && t.chars().count() <= 120).cloned()
    };
    let name = cell(Column::Name).or_else(|| match (cell(Column::GivenName), cell(Column::FamilyName)) {
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        _ => None,
    })?;
    let (job, department) = (cell(Column::Job), cell(Column::Department));
    let named = names::is_name(&name) && (job.is_some() || department.is_some());
    named.then_some((name, job, department))
}

/// A row without headings: a name beside a job title.
fn bare_row(texts: &[String]) -> Option<Person> {
    let (first, second) = (texts.first()?, texts.get(1)?);
    if names::is_name(first) && names::is_job(second) {
        Some((first.clone(), Some(second.clone()), None))
    } else if names::is_job(first) && names::is_name(second) {
        Some((second.clone(), Some(first.clone()), None))
    } else {
        None
    }
}

fn list(page: &Page, list: El<'_>, found: &mut Found) {
    let mut term: Option<(El<'_>, String)> = None;
    // Entries may be grouped in `div`s.
    let entries = list.child_elements().flat_map(|e| {
        let grouped = dom::name(e) == "div";
        std::iter::once(e).filter(move |_| !grouped).chain(e.child_elements().filter(move |_| grouped))
    });
    for e in entries.filter(|e| matches!(dom::name(*e), "dt" | "dd")).take(MAX_ITEMS) {
        let text = dom::short_text(e).into_owned();
        if dom::name(e) == "dt" {
            term = Some((e, text));
            continue;
        }
        let Some((at, title)) = &term else { continue };
        let title = title.trim_end_matches(':').trim();
        if names::is_name(title) && names::is_job(&text) {
            let links = [links_of(page, *at), links_of(page, e)].concat();
            found.people.push(mention(title, Some(&text), None, links, *at));
        } else if names::is_job(title) && names::is_name(&text) {
            found.people.push(mention(&text, Some(title), None, links_of(page, e), e));
        }
    }
}

fn links_of(page: &Page, e: El<'_>) -> Vec<String> {
    let links = dom::elements_below(e).filter(|a| dom::name(*a) == "a").filter_map(|a| dom::attr(a, "href"));
    links.filter_map(|h| page.resolve(h)).take(20).collect()
}
