//! What the headings say of the lines below them: a department, a function, people of others.
//!
//! Invariant: a heading holds until one of its level or above; the label of a card is no heading.

use super::super::blocks::Line;
use super::super::dom::{self, El};
use super::super::imprint::function_of_heading;
use super::super::lexicon::{LEXICON, in_lower};
use super::names;

/// Level of what only looks like a heading.
const PSEUDO: u8 = 7;
/// Level of a line with a colon at its end.
const LABEL: u8 = 8;

/// What holds for a line.
#[derive(Clone, Copy, Default)]
pub(in super::super) struct Section {
    /// The line that names the department.
    pub department: Option<usize>,
    /// The line that names what all below it are.
    pub function: Option<usize>,
    /// Whether its people are others'.
    pub outside: bool,
    /// The heading right above.
    pub heading: Option<usize>,
}

enum Kind {
    Department,
    Function,
    Outside,
    Inside,
    Other,
}

/// What holds for each line.
pub(in super::super) fn mark(lines: &[Line<'_>]) -> Vec<Section> {
    let mut open: Vec<(u8, Section)> = Vec::new();
    let mut marked = Vec::with_capacity(lines.len());
    for (i, line) in lines.iter().enumerate() {
        if let Some(level) = level(lines, i) {
            let kind = kind(line, level);
            while open.last().is_some_and(|(l, _)| *l >= level) {
                open.pop();
            }
            let above = open.last().map(|(_, s)| *s).unwrap_or_default();
            // What only looks like a heading must say something.
            if level < PSEUDO || !matches!(kind, Kind::Other) {
                open.push((level, below(above, &kind, i)));
            }
        }
        let mut section = open.last().map(|(_, s)| *s).unwrap_or_default();
        section.outside |= line.outside;
        marked.push(section);
    }
    marked
}

fn below(above: Section, kind: &Kind, i: usize) -> Section {
    let here = Section { heading: Some(i), ..above };
    match kind {
        Kind::Department => Section { department: Some(i), function: None, outside: above.outside, ..here },
        Kind::Function => Section { function: Some(i), department: None, ..here },
        Kind::Outside => Section { outside: true, department: None, function: None, ..here },
        Kind::Inside => Section { outside: false, function: None, ..here },
        Kind::Other => Section { function: None, ..here },
    }
}

fn kind(line: &Line<'_>, level: u8) -> Kind {
    let text = line.text.trim_end_matches(':');
    if text.len() > 200 {
        return Kind::Other;
    }
    let outside = if level >= PSEUDO { &LEXICON.outside_lines } else { &LEXICON.outside_headings };
    if names::is_department(text) {
        return if function_of_heading(text).is_some() { Kind::Function } else { Kind::Department };
    }
    if outside.stand_in(text) {
        Kind::Outside
    } else if function_of_heading(text).is_some() {
        Kind::Function
    } else if level < LABEL && names::is_titled_department(text) {
        Kind::Department
    } else if LEXICON.inside_headings.stand_in(text) {
        Kind::Inside
    } else {
        Kind::Other
    }
}

/// The level of a line that is a heading, or looks like one.
fn level(lines: &[Line<'_>], i: usize) -> Option<u8> {
    let line = &lines[i];
    if line.navigation || line.text.len() > 240 || line.is_name() {
        return None;
    }
    if labels_a_card(lines, i) {
        return None;
    }
    if line.heading > 0 {
        return Some(line.heading);
    }
    if line.text.len() > 90 {
        return None;
    }
    let labels = line.text.find(':').is_some_and(|at| at + 1 < line.text.len());
    if looks_like_heading(line) || (!labels && LEXICON.outside_lines.stand_in(&line.text)) {
        return Some(PSEUDO);
    }
    line.text.ends_with(':').then_some(LABEL)
}

/// Whether a line says what the person right above it does, rather than who stands below.
fn labels_a_card(lines: &[Line<'_>], i: usize) -> bool {
    let Some(before) = i.checked_sub(1).map(|k| &lines[k]) else { return false };
    let line = &lines[i];
    before.is_name()
        && (before.heading > 0 || line.heading == 0)
        && (line.heading == 0 || line.heading > before.heading || dom::parent(line.block) == dom::parent(before.block))
        && !(line.heading > 0 && line.heading < before.heading)
}

/// A line in bold, of a class for headings, or a head of a table's rows.
fn looks_like_heading(line: &Line<'_>) -> bool {
    let whole = |e: El<'_>| dom::short_text(e).len() <= line.text.len() + 2;
    let says = |e: El<'_>| {
        let bold = matches!(dom::name(e), "b" | "strong" | "u" | "th" | "caption" | "legend" | "dt");
        let wide = dom::name(e) == "td" && (e.attr("colspan").is_some() || is_alone(e));
        let words = dom::classes(e).take(16).filter(|c| c.len() <= 60).flat_map(|c| c.split(['-', '_']));
        let classed = words.into_iter().any(|w| {
            let heads =
                ["title", "head", "heading", "headline", "header", "subtitle", "department", "abteilung", "bereich"];
            in_lower(w, |w| heads.contains(&w))
        });
        bold || wide || classed
    };
    (says(line.origin) && whole(line.origin)) || (line.origin != line.block && says(line.block) && whole(line.block))
}

/// Whether a cell is all that its row has.
fn is_alone(cell: El<'_>) -> bool {
    dom::parent(cell).is_some_and(|row| row.child_elements().take(2).count() == 1)
}
