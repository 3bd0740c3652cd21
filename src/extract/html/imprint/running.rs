//! Functions and names in the running text of an imprint: `... durch die Geschäftsführer A und B. Prokuristen sind C, D.`
//!
//! Invariant: names follow their function with nothing between them but a verb, an article or a mark; outside an
//! imprint the mark is a colon.

use super::super::dom;
use super::super::lexicon::LEXICON;
use super::super::people::names;
use super::directors::{Named, Place, acts};
use super::labels::singular;

/// Bytes of a line that is read.
const MAX_LINE: usize = 4_000;
/// Functions of one line that are read.
const MAX_LABELS: usize = 16;
/// Names behind one function.
const MAX_NAMES: usize = 24;

/// Adds the people of line `i`, except those that are in `all` from `first` on.
pub(super) fn read(place: &Place<'_, '_>, i: usize, first: usize, all: &mut Vec<Named>) {
    let text = &place.lines[i].text;
    if text.len() > MAX_LINE || text.len() < 12 {
        return;
    }
    let lower = text.to_lowercase();
    // Letters whose case changes their length are in no imprint.
    if lower.len() != text.len() {
        return;
    }
    let mut read_to = 0;
    for found in LEXICON.label_finder.find_iter(&lower).take(MAX_LABELS) {
        let (start, end) = (found.start(), found.end());
        if start < read_to || lower[..start].ends_with(|c: char| c.is_alphanumeric() || c == '-') {
            continue;
        }
        let Some((rest, colon)) = behind(&text[end..]) else { continue };
        if !colon && !place.dedicated {
            continue;
        }
        let (people, len) = take_names(rest);
        if people.is_empty() {
            continue;
        }
        read_to = text.len() - rest.len() + len;
        let function = singular(&capital(&text[start..end]));
        for name in people {
            if all[first..].iter().any(|n| n.name == name) {
                continue;
            }
            let represents = acts(&function);
            all.push(Named { name, function: Some(function.clone()), represents, line: i });
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// What follows a function, without what may stand between it and the names; whether a colon was there.
fn behind(text: &str) -> Option<(&str, bool)> {
    let mut rest = text;
    for ending in ["*innen", ":innen", "/innen", "(innen)", "/-innen", "*in", "(in)", "/in", "/-in", "(s)", "n", "s"] {
        if let Some(after) = rest.strip_prefix(ending).filter(|r| !r.starts_with(char::is_alphanumeric)) {
            rest = after;
            break;
        }
    }
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '-') {
        return None;
    }
    let mut colon = false;
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix(':') {
            (rest, colon) = (after, true);
            continue;
        }
        let between = [
            "sind ",
            "ist ",
            "is ",
            "are ",
            "– ",
            "- ",
            "der Gesellschaft ",
            "der Gesellschaft:",
            "of the company ",
            "Herrn ",
            "Herren ",
            "Herr ",
            "Frau ",
            "derzeit ",
            "haben ",
            "hat ",
            "(CEO) ",
            "(einzelvertretungsberechtigt) ",
        ];
        let Some(after) = between.iter().find_map(|b| trimmed.strip_prefix(b)) else { break };
        colon |= trimmed.starts_with("der Gesellschaft:");
        rest = after;
    }
    Some((rest.trim_start(), colon))
}

/// The names at the beginning of a text, and how far they reach.
fn take_names(text: &str) -> (Vec<String>, usize) {
    let (mut people, mut at, mut end) = (Vec::new(), 0, 0);
    while people.len() < MAX_NAMES {
        let Some(len) = name_at(&text[at..]) else { break };
        people.push(dom::fold(text[at..at + len].trim_end_matches(',')));
        end = at + len;
        let rest = &text[end..];
        let marks = [", und ", " und ", " sowie ", " and ", ", and ", ", sowie ", ", ", " & ", "; ", " / "];
        let Some(mark) = marks.iter().find(|m| rest.starts_with(**m)) else { break };
        at = end + mark.len();
        let courtesy = ["Herrn ", "Herr ", "Frau "];
        at += courtesy.iter().find(|c| text[at..].starts_with(**c)).map_or(0, |c| c.len());
    }
    (people, end)
}

/// The length of the longest name that a text begins with.
pub(in super::super) fn name_at(text: &str) -> Option<usize> {
    let mut ends = [0; 8];
    let (mut count, mut at) = (0, 0);
    for word in text.split_inclusive(' ').take(ends.len()) {
        let bare = word.trim_end();
        let stop = bare.ends_with([',', ';', ')', ':', '|']) || (bare.ends_with('.') && bare.chars().count() > 5);
        ends[count] = at + bare.trim_end_matches([',', ';', ')', ':', '|']).len();
        if bare.ends_with('.') && !names::is_name(&text[..ends[count]]) {
            let dotless = ends[count] - 1;
            if names::is_name(&text[..dotless]) {
                ends[count] = dotless;
            }
        }
        count += 1;
        at += word.len();
        if stop {
            break;
        }
    }
    // A company's name begins like a person's.
    let company = |end: usize| {
        let near = &text[..text.floor_char_boundary(end + 40)];
        super::form_start(near).is_some_and(|form| form == end + 1)
    };
    let one = |end: usize| !text[..end].contains(" und ") && !text[..end].contains(" and ");
    ends[..count].iter().rev().copied().find(|end| one(*end) && names::is_name(&text[..*end]) && !company(*end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let rest = behind(text).map(|(rest, _)| rest).unwrap_or_default();
        assert_eq!(take_names(rest).0, expected, "{text}");
    }

    #[test]
    fn names_behind_a_function() {
        check(": Max Muster, Dr. Petra Klein", &["Max Muster", "Dr. Petra Klein"]);
        check(" sind Max Muster, Petra Klein sowie Uwe Veit. Sitz der", &["Max Muster", "Petra Klein", "Uwe Veit"]);
        check(" Max Muster und Petra Klein.", &["Max Muster", "Petra Klein"]);
        check(" der Unruh GmbH Max Muster", &[]);
        check("wechsel Max Muster", &[]);
    }
}
