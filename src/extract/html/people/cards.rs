//! People in repeated cards and in lines such as `Name, job title`.
//!
//! Invariant: a name and its job line stand next to each other; where the job line could belong to either of two
//! names, neither gets it.

use super::super::blocks::Line;
use super::super::dom::{self, El, Page};
use super::super::limits::MAX_ITEMS;
use super::super::schema_org::Found;
use super::{mention, names};

/// Lines after a name in which its job may stand.
const REACH: usize = 2;
/// Lines after a name whose links are the person's.
const CARD: usize = 8;

/// Reads the lines of a page.
pub(super) fn read(page: &Page, lines: &[Line<'_>], found: &mut Found) {
    let mut department: Option<(u8, String)> = None;
    let mut taken = vec![false; lines.len()];
    for (i, line) in lines.iter().enumerate() {
        if found.people.len() >= MAX_ITEMS {
            return;
        }
        if line.navigation || line.tabular {
            continue;
        }
        let is_name = line.is_name();
        if line.heading > 0 && !is_name {
            // A heading opens a department, or closes the one of its level.
            if names::is_department(&line.text) {
                department = Some((line.heading, line.text.clone()));
            } else if department.as_ref().is_some_and(|(level, _)| line.heading <= *level) {
                department = None;
            }
        }
        let section = || department.as_ref().map(|(_, name)| name.clone());
        if is_name {
            if let Some(job) = job_of(lines, i, &taken) {
                taken[job] = true;
                let title = lines[job].text.trim_start_matches([',', '–', '-', '|', ' ']);
                let links = links(page, lines, i);
                found.people.push(mention(&line.text, Some(title), section(), links, line.block));
            }
        } else if let Some((name, job, own)) = in_line(&line.text) {
            let links = links(page, lines, i);
            found.people.push(mention(&name, job.as_deref(), own.or_else(section), links, line.block));
        }
    }
}

/// The line with the job of the name in line `i`.
fn job_of(lines: &[Line<'_>], i: usize, taken: &[bool]) -> Option<usize> {
    let is_job = |k: usize| {
        let line = &lines[k];
        let text = line.text.trim_start_matches([',', '–', '-', '|', ' ']);
        !taken[k] && !line.navigation && !line.tabular && names::is_job(text)
    };
    let after = (i + 1..lines.len().min(i + 1 + REACH))
        .take_while(|k| !lines[*k].is_name() && !is_section(&lines[*k], &lines[i]))
        .find(|k| is_job(*k));
    // A heading right above the name may be its job, if it is no mere department.
    let titled = |k: usize| lines[k].heading > 0 && !names::is_department(&lines[k].text);
    let before = i.checked_sub(1).filter(|k| is_job(*k) && (titled(*k) || !is_section(&lines[*k], &lines[i])));
    let after = after.filter(|k| !runs_on(lines, i, *k));
    match (before, after) {
        (Some(b), Some(a)) => {
            // Both sides offer a job: the one that shares the narrower card has it.
            let (near_b, near_a) = (shared_depth(&lines[b], &lines[i]), shared_depth(&lines[a], &lines[i]));
            match near_a.cmp(&near_b) {
                std::cmp::Ordering::Greater => Some(a),
                std::cmp::Ordering::Less => Some(b),
                std::cmp::Ordering::Equal => None,
            }
        }
        // A job above a name may be the end of something else; it must share a card of its own with the name.
        (Some(b), None) => (titled(b) || shared_lines(lines, b, i) <= CARD).then_some(b),
        (None, after) => after,
    }
}

/// Whether name and job stand inside a sentence: the text before the name is in the block of the text after it.
fn runs_on(lines: &[Line<'_>], name: usize, after: usize) -> bool {
    let before = name.checked_sub(1).map(|k| &lines[k]);
    before.is_some_and(|b| b.block == lines[after].block && b.block != lines[name].block)
}

/// Whether a heading outranks the line, and so is not part of its card.
fn is_section(line: &Line<'_>, of: &Line<'_>) -> bool {
    line.heading > 0 && (of.heading == 0 || line.heading < of.heading) && !same_card(line, of)
}

/// Whether the two lines are the children of one small element.
fn same_card(a: &Line<'_>, b: &Line<'_>) -> bool {
    let (Some(pa), Some(pb)) = (dom::parent(a.block), dom::parent(b.block)) else { return false };
    (pa == pb || pa == b.block || a.block == pb) && pa.child_elements().take(CARD + 1).count() <= CARD
}

fn ancestors(e: El<'_>) -> Vec<El<'_>> {
    let mut chain = vec![e];
    while let Some(parent) = dom::parent(chain[chain.len() - 1]) {
        chain.push(parent);
    }
    chain.reverse();
    chain
}

fn shared_depth(a: &Line<'_>, b: &Line<'_>) -> usize {
    ancestors(a.block).iter().zip(&ancestors(b.block)).take_while(|(x, y)| x == y).count()
}

/// How many lines around the two share their innermost common element (at most `CARD + 1`).
fn shared_lines(lines: &[Line<'_>], a: usize, b: usize) -> usize {
    let depth = shared_depth(&lines[a], &lines[b]);
    let from = a.saturating_sub(CARD);
    let around = &lines[from..lines.len().min(b + CARD)];
    around.iter().filter(|l| shared_depth(l, &lines[a]) >= depth).take(CARD + 1).count()
}

/// The links from the name up to the next name or section.
fn links(page: &Page, lines: &[Line<'_>], i: usize) -> Vec<String> {
    let rest = lines[i + 1..].iter().take(CARD - 1);
    let card = rest.take_while(|l| {
        (l.heading == 0 || (lines[i].heading > 0 && l.heading > lines[i].heading))
            && !l.navigation
            && !l.tabular
            && !l.is_name()
            && in_line(&l.text).is_none()
    });
    lines[i].links(page).chain(card.flat_map(|l| l.links(page))).collect()
}

type Person = (String, Option<String>, Option<String>);

/// `Name, job`, `Name – job`, `Name (job)`, `Job: Name`, `Ansprechpartner: Name (Einkauf)`.
pub(in super::super) fn in_line(line: &str) -> Option<Person> {
    // All that follows needs one of these; 0xE2 begins a long dash.
    let bytes = line.as_bytes();
    let whole = memchr::memchr3(b':', b')', b',', bytes).is_none()
        && memchr::memchr3(b'-', b'|', b'/', bytes).is_none()
        && memchr::memchr(0xE2, bytes).is_none();
    if whole || line.len() > 560 || line.chars().count() > 140 {
        return None;
    }
    if let Some((label, rest)) = line.split_once(':') {
        let (label, rest) = (label.trim(), rest.trim());
        if is_contact_label(label) {
            return contact(rest);
        }
        if names::is_job(label) && names::is_name(rest) {
            return Some((dom::fold(rest), Some(label.to_owned()), None));
        }
        if names::is_name(label) && names::is_job(rest) {
            return Some((label.to_owned(), Some(rest.to_owned()), None));
        }
    }
    name_with_job(line)
}

fn name_with_job(line: &str) -> Option<Person> {
    if let Some((name, inside)) = line.strip_suffix(')').and_then(|l| l.rsplit_once('('))
        && names::is_name(name)
        && names::is_job(inside)
    {
        return Some((name.trim().to_owned(), Some(inside.trim().to_owned()), None));
    }
    ["–", "—", "-", "|", "/"].iter().fold(parted(line, ","), |found, mark| found.or_else(|| parted(line, mark)))
}

/// The name before a mark with a space on each side (a comma: behind it), and the job behind.
fn parted(line: &str, mark: &str) -> Option<Person> {
    let bytes = line.as_bytes();
    let before = usize::from(mark != ",");
    let mut places = [0; 4];
    let (mut count, mut free) = (0, 0);
    for at in memchr::memchr_iter(mark.as_bytes()[0], bytes) {
        let from = at.wrapping_sub(before);
        let stands = bytes[at..].starts_with(mark.as_bytes())
            && bytes.get(at + mark.len()) == Some(&b' ')
            && (before == 0 || bytes.get(from) == Some(&b' '));
        if stands && from >= free && count < places.len() {
            places[count] = from;
            count += 1;
            free = at + mark.len() + 1;
        }
    }
    // The last one first: `Petra Klein, MBA, Managing Director`.
    places[..count].iter().rev().find_map(|at| {
        let (name, job) = (&line[..*at], &line[at + before + mark.len() + 1..]);
        (names::is_name(name) && names::is_job(job))
            .then(|| (name.trim().to_owned(), Some(job.trim().to_owned()), None))
    })
}

fn is_contact_label(label: &str) -> bool {
    let lower = label.to_lowercase();
    let word = lower.rsplit(' ').next().unwrap_or_default();
    let known =
        ["ansprechpartner", "ansprechpartnerin", "ansprechperson", "kontaktperson", "kontakt", "contact", "person"];
    lower.split_whitespace().count() <= 3 && known.contains(&word)
}

/// What follows a contact label: a name, and in parentheses or after a comma a job or department.
fn contact(rest: &str) -> Option<Person> {
    if let Some(person) = name_with_job(rest)
        .filter(|(_, job, _)| job.as_deref().is_some_and(|j| !names::is_department(j) || j.contains(' ')))
    {
        return Some(person);
    }
    let (name, inside) = rest
        .strip_suffix(')')
        .and_then(|l| l.rsplit_once('('))
        .or_else(|| rest.split_once(','))
        .map_or((rest, None), |(n, i)| (n, Some(i.trim())));
    if !names::is_name(name) {
        return None;
    }
    let department = inside.filter(|i| names::is_department(i)).map(str::to_owned);
    Some((dom::fold(name), None, department))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, Option<&str>, Option<&str>)>) {
        let read = in_line(line);
        let read = read.as_ref().map(|(n, j, d)| (n.as_str(), j.as_deref(), d.as_deref()));
        assert_eq!(read, expected);
    }

    #[test]
    fn lines() {
        check("Petra Klein, Leiterin Einkauf", Some(("Petra Klein", Some("Leiterin Einkauf"), None)));
        check(
            "Dr. Petra Klein, MBA, Managing Director",
            Some(("Dr. Petra Klein, MBA", Some("Managing Director"), None)),
        );
        check("Petra Klein – Vertriebsleiterin DACH", Some(("Petra Klein", Some("Vertriebsleiterin DACH"), None)));
        check("Ansprechpartner: Petra Klein (Einkauf)", Some(("Petra Klein", None, Some("Einkauf"))));
        check(
            "Ihre Ansprechpartnerin: Petra Klein (Leiterin Einkauf)",
            Some(("Petra Klein", Some("Leiterin Einkauf"), None)),
        );
        check("Leiter Technik: Uwe Groß", Some(("Uwe Groß", Some("Leiter Technik"), None)));
        check("Berlin, Vertrieb", None);
        check("Muster Technik, Vertrieb", None);
        check("Am Markt, Einkaufszentrum", None);
    }
}
