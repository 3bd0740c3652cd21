//! People in tables (`Name | Funktion`) and description lists.
//!
//! Invariant: a column counts as the names' only if its cells are names; rows that do not fit are left out.

use super::super::dom::{self, El, Page};
use super::super::limits::MAX_ITEMS;
use super::super::schema_org::Found;
use super::{Known, mention, names};
use rustc_hash::FxHashSet;

/// Reads every table and description list of a page that it shows; returns the numbers of those that held people.
pub(super) fn read(page: &Page, known: &Known<'_, '_>, found: &mut Found) -> FxHashSet<u32> {
    let (mut consumed, mut read_lists) = (FxHashSet::default(), FxHashSet::default());
    // Each by its first line: what has none is not seen.
    let mut last = None;
    for (i, line) in known.lines.iter().enumerate() {
        let Some(e) = line.table.filter(|t| last != Some(*t)) else { continue };
        last = Some(e);
        if found.people.len() >= MAX_ITEMS {
            return consumed;
        }
        if line.navigation || known.sections[i].outside || !consumed.insert(e.id()) {
            continue;
        }
        let before = found.people.len();
        if dom::name(e) == "dl" {
            consumed.remove(&e.id());
            if read_lists.insert(e.id()) {
                consumed.extend(list(page, e, known, found));
            }
            continue;
        }
        table(page, e, known, found);
        if found.people.len() == before {
            consumed.remove(&e.id());
        }
    }
    consumed
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
        "zuständigkeiten",
        "zuständigkeitsbereich",
        "aufgabengebiet",
        "aufgabengebiete",
        "aufgabenbereich",
        "aufgabenbereiche",
        "tätigkeit",
        "tätigkeitsbereich",
        "arbeitsgebiet",
        "beruf",
        "thema",
        "themen",
        "responsibility",
        "responsibilities",
        "responsible",
        "jobtitle",
    ]) {
        Column::Job
    } else if has(&["abteilung", "bereich", "fachbereich", "ressort", "department", "division", "team"]) {
        Column::Department
    } else if has(&[
        "name",
        "ansprechpartner",
        "ansprechpartnerin",
        "mitarbeiter",
        "mitarbeiterin",
        "ansprechperson",
        "person",
        "kontakt",
        "contact",
        "employee",
    ]) {
        Column::Name
    } else {
        Column::Other
    }
}

fn table(page: &Page, table: El<'_>, known: &Known<'_, '_>, found: &mut Found) {
    let mut columns: Vec<Column> = Vec::new();
    let mut section: Option<String> = None;
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
        if let [only] = texts.as_slice() {
            section = Some(only.clone()).filter(|t| names::is_department(t));
            continue;
        }
        let person = if columns.is_empty() { bare_row(&texts) } else { labelled_row(&columns, &texts) };
        let person = person.or_else(|| section_row(section.as_ref()?, &texts));
        if let Some((name, job, department)) = person.filter(|(_, job, _)| known.holds(job.as_deref())) {
            let department = department.or_else(|| section.clone());
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
    let name = names::reversed(&name).unwrap_or(name);
    let named = names::is_name(&name) && (job.is_some() || department.is_some());
    named.then_some((name, job, department))
}

/// A row with a name below the row that names its department.
fn section_row(section: &str, texts: &[String]) -> Option<Person> {
    let name = texts.first().filter(|t| names::is_sure(t))?;
    Some((name.clone(), None, Some(section.to_owned())))
}

/// A row without headings: a name beside a job title.
fn bare_row(texts: &[String]) -> Option<Person> {
    let (first, second) = (texts.first()?, texts.get(1)?);
    let turned = names::reversed(first).filter(|_| names::is_job(second));
    if let Some(name) = turned {
        return Some((name, Some(second.clone()), None));
    }
    if names::is_mere_department(first) && names::is_sure(second) {
        return Some((second.clone(), None, Some(first.clone())));
    }
    if names::is_name(first) && names::is_job(second) {
        Some((first.clone(), Some(second.clone()), None))
    } else if names::is_job(first) && names::is_name(second) {
        Some((second.clone(), Some(first.clone()), None))
    } else {
        None
    }
}

/// Returns the numbers of the entries that named somebody.
fn list(page: &Page, list: El<'_>, known: &Known<'_, '_>, found: &mut Found) -> Vec<u32> {
    let mut named = Vec::new();
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
        if !known.holds(Some(title)) || !known.holds(Some(&text)) {
            continue;
        }
        if names::is_mere_department(title) && names::is_sure(&text) {
            found.people.push(mention(&text, None, Some(title.to_owned()), links_of(page, e), e));
        } else if names::is_name(title) && names::is_job(&text) {
            let links = [links_of(page, *at), links_of(page, e)].concat();
            found.people.push(mention(title, Some(&text), None, links, *at));
            named.push(at.id());
        } else if names::is_job(title) && names::is_name(&text) {
            found.people.push(mention(&text, Some(title), None, links_of(page, e), e));
        } else {
            continue;
        }
        named.push(e.id());
    }
    named
}

fn links_of(page: &Page, e: El<'_>) -> Vec<String> {
    let links = dom::elements_below(e).filter(|a| dom::name(*a) == "a").filter_map(|a| dom::attr(a, "href"));
    links.filter_map(|h| page.resolve(h)).take(20).collect()
}
