//! Those who represent a company: `Geschäftsführer: A, B und C`, `Vertreten durch: ...`, `Directors: ...`.
//!
//! Invariant: only what looks like a name after a known label counts; the label, as written, is the job title.

use super::super::blocks::Line;
use super::super::dom;
use super::super::lexicon::LEXICON;
use super::super::limits::MAX_ITEMS;
use super::super::locator;
use super::super::people::own::Own;
use super::super::people::sections::Section;
use super::super::people::{is_former, is_others, names};
use super::super::reading::{PersonMention, Syntax};
use super::super::schema_org::Found;
use super::labels::{gender_neutral, label, may_be_label, singular};

/// Courtesies, professions and offices before names.
const PROFESSIONS: [&str; 24] = [
    "Rechtsanwalt ",
    "Rechtsanwältin ",
    "Steuerberater ",
    "Steuerberaterin ",
    "Wirtschaftsprüfer ",
    "Wirtschaftsprüferin ",
    "StB ",
    "StBin ",
    "RA ",
    "RAin ",
    "WP ",
    "WPin ",
    "Bmstr. ",
    "Baumeister ",
    "Erster Bürgermeister ",
    "Erste Bürgermeisterin ",
    "Bürgermeister ",
    "Bürgermeisterin ",
    "Landrat ",
    "Mme ",
    "Mlle ",
    "M. ",
    "Sig. ",
    "Sig.ra ",
];
/// Lines after a label that may still hold names.
const REACH: usize = 8;

/// Adds the people that the lines name with their function; returns the names of those who may act for the company
/// (no supervisory board, no Prokurist). On a page that is no imprint, a label needs its colon.
pub(super) fn read(place: &Place<'_, '_>, found: &mut Found) -> Vec<String> {
    let mut representatives = Vec::new();
    let lines = place.lines;
    for Named { name, function, represents, line } in named(place) {
        if function.as_deref().is_some_and(|f| is_former(f) || is_others(f, place.own)) {
            continue;
        }
        if found.people.len() >= MAX_ITEMS {
            break;
        }
        if represents {
            representatives.push(name.clone());
        }
        found.people.push(PersonMention {
            name,
            job_title: function,
            department: None,
            links: Vec::new(),
            locator: locator::css_path(lines[line].block),
            syntax: Syntax::Html,
        });
    }
    representatives
}

/// The lines to read, and what is known of them.
pub(super) struct Place<'r, 'a> {
    /// The lines.
    pub lines: &'r [Line<'a>],
    /// What their headings say.
    pub sections: &'r [Section],
    /// Whether they are an imprint's.
    pub dedicated: bool,
    /// Whose page it is.
    pub own: &'r Own,
}

/// Somebody with a function.
pub(super) struct Named {
    pub name: String,
    pub function: Option<String>,
    pub represents: bool,
    pub line: usize,
}

fn named(place: &Place<'_, '_>) -> Vec<Named> {
    let mut all = Vec::new();
    let mut company = Company::default();
    for (i, line) in place.lines.iter().enumerate() {
        company.pass(&line.text, place.own);
        if line.navigation || place.sections[i].outside || company.is_other {
            continue;
        }
        let first = all.len();
        labelled(place, i, &mut all);
        super::running::read(place, i, first, &mut all);
    }
    all
}

/// Which company the lines are about.
#[derive(Default)]
struct Company {
    first: bool,
    is_other: bool,
}

impl Company {
    /// Whose board follows: the company's own, that of its partner with unlimited liability, or another's.
    fn pass(&mut self, line: &str, own: &Own) {
        if line.chars().count() > 160 {
            return;
        }
        let line = &line[..super::scope::others_from(line)];
        let Some(name) = super::company_in(line) else { return };
        let lower = line.to_lowercase();
        let liable = ["haftend", "komplement", "general partner"].iter().any(|w| lower.contains(w));
        self.is_other = self.first && !liable && !own.is(&name);
        self.first = true;
    }
}

/// The people of a line that begins with a label, and of the lines below it.
fn labelled(place: &Place<'_, '_>, i: usize, all: &mut Vec<Named>) {
    let (lines, dedicated) = (place.lines, place.dedicated);
    let line = &lines[i];
    {
        if !may_be_label(&line.text) || line.text.chars().count() > 400 {
            return;
        }
        let Some((function, rest)) = label(&line.text) else { return };
        // Without a colon it may as well be the job of the name above it.
        let term = matches!(dom::name(line.block), "dt" | "th");
        let below_name = i > 0 && lines[i - 1].is_name() && !term;
        if rest.is_empty() && !line.text.ends_with(':') && (!dedicated || below_name) {
            return;
        }
        let mut people = if rest.is_empty() { Vec::new() } else { split(rest) };
        let mut at = vec![i; people.len()];
        if rest.is_empty() {
            for (k, next) in lines.iter().enumerate().skip(i + 1).take(REACH) {
                // A line with a label of its own begins something else.
                let more = if next.text.contains(": ") { Vec::new() } else { split(&next.text) };
                if more.is_empty() {
                    break;
                }
                at.extend(std::iter::repeat_n(k, more.len()));
                people.extend(more);
            }
            // A heading alone with cards below it is a team section, which the card reader knows better.
            if line.heading > 0
                && lines.get(i + 1).is_some_and(Line::is_name)
                && lines.get(i + 2).is_some_and(|l| names::is_job(&l.text))
            {
                return;
            }
        }
        for ((name, note), at) in people.into_iter().zip(at) {
            let title = match (&function, note) {
                (Some(f), Some(note)) if !f.to_lowercase().contains(&note.to_lowercase()) => {
                    Some(format!("{f} ({note})"))
                }
                (Some(f), _) => Some(f.clone()),
                (None, note) => note,
            };
            let represents = title.as_deref().is_none_or(acts);
            all.push(Named { name, function: title, represents, line: at });
        }
    }
}

/// What all below a heading are, if it names a function: `Prokuristen`.
pub(in super::super) fn function_of_heading(text: &str) -> Option<String> {
    let mut text = text.trim().trim_end_matches(':');
    for opening in ["Unsere ", "Unser ", "Die ", "Der ", "Our ", "The ", "Ihre ", "Mitglied der ", "Mitglieder der "] {
        text = text.strip_prefix(opening).unwrap_or(text);
    }
    if text.len() > 80 {
        return None;
    }
    let plain = gender_neutral(&text.to_lowercase());
    LEXICON.function_labels.contains(&plain).then(|| singular(text))
}

/// The names of a line that lists nothing but names.
pub(in super::super) fn name_list(text: &str) -> Vec<String> {
    if !(12..=300).contains(&text.len()) || !(text.contains(',') || text.contains(" und ") || text.contains(" and ")) {
        return Vec::new();
    }
    let parts =
        text.replace(" und ", ",").replace(" sowie ", ",").replace(" and ", ",").replace([';', '&', '/', '|'], ",");
    let parts: Vec<&str> = parts.split(',').map(str::trim).filter(|p| !p.is_empty()).collect();
    let all = parts.len() >= 2 && parts.iter().all(|p| names::is_name(p));
    if all { parts.into_iter().map(dom::fold).collect() } else { Vec::new() }
}

/// Whether a function is one that acts for the company.
pub(super) fn acts(function: &str) -> bool {
    let lower = function.to_lowercase();
    let no = [
        "aufsichtsrat",
        "supervisory",
        "secretary",
        "prokurist",
        "verwaltungsrat",
        "advisory",
        "beirat",
        "gewerberecht",
    ];
    let yes = [
        "geschäftsf",
        "geschäftsl",
        "vorst",
        "director",
        "manager",
        "inhaber",
        "owner",
        "proprietor",
        "chief",
        "ceo",
        "komplement",
        "gesellschafter",
        "partner",
        "liquidator",
        "abwickler",
        "unternehmer",
        "verbandsvors",
        "représent",
        "gérant",
        "président",
        "directeur général",
        "directrice générale",
        "amministrat",
        "legale rappresentante",
        "zarząd",
        "direktør",
        "bestuur",
        "directie",
        "members of the llp",
        "designated member",
    ];
    !no.iter().any(|w| lower.contains(w)) && yes.iter().any(|w| lower.contains(w))
}

/// The names of a list, each with the note in its parentheses; empty if any part is no name.
pub(super) fn split(text: &str) -> Vec<(String, Option<String>)> {
    let text = text.trim().trim_end_matches('.').replace("(FH)", "");
    let people = listed(&text);
    // A name with its job, rather than a list of names.
    match super::super::people::in_line(&text) {
        Some((name, Some(job), _)) if people.len() < 2 => vec![(name, Some(job))],
        _ => people,
    }
}

/// What stands before a name in a list, and is none of it.
fn without_profession(name: &str) -> &str {
    PROFESSIONS.iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name).trim_start()
}

fn listed(text: &str) -> Vec<(String, Option<String>)> {
    let separated =
        text.replace(" und ", ",").replace(" sowie ", ",").replace(" and ", ",").replace([';', '&', '/', '|'], ",");
    let mut people: Vec<(String, Option<String>)> = Vec::new();
    for part in separated.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let part = without_profession(part);
        let (name, note) = match part.split_once('(').or_else(|| part.split_once(" – ")) {
            Some((name, note)) => (name.trim(), Some(note.trim_end_matches(')').trim().to_owned())),
            None => (part, None),
        };
        let with_suffix = people.last().map(|(last, _)| format!("{last}, {name}"));
        if names::is_name(name) {
            people.push((dom::fold(name), note.filter(|n| !n.is_empty() && n.chars().count() < 60)));
        } else if let (Some(joined), Some(last)) = (with_suffix.filter(|j| names::is_name(j)), people.last_mut()) {
            // `Anna Berger, MBA, Max Muster`
            last.0 = joined;
        } else {
            // What follows the names (`Registergericht ...`) ends the list; before the first name it is no list.
            break;
        }
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, function: Option<&str>, expected: &[&str]) {
        let (found, rest) = label(line).unwrap_or_else(|| panic!("a label: {line}"));
        assert_eq!(found.as_deref(), function, "{line}");
        let people: Vec<String> = split(rest).into_iter().map(|(name, _)| name).collect();
        assert_eq!(people, expected, "{line}");
    }

    #[test]
    fn labels() {
        check(
            "Geschäftsführer: Max Muster, Dr. Erika Beispiel",
            Some("Geschäftsführer"),
            &["Max Muster", "Dr. Erika Beispiel"],
        );
        check("Vertreten durch: Max Muster und Petra Klein", None, &["Max Muster", "Petra Klein"]);
        check("Vertreten durch die Geschäftsführerin Petra Klein", Some("Geschäftsführerin"), &["Petra Klein"]);
        check(
            "Managing Directors: Sarah Whitfield and Tom Archer",
            Some("Managing Director"),
            &["Sarah Whitfield", "Tom Archer"],
        );
        check("Geschäftsführer:in: Petra Klein", Some("Geschäftsführer"), &["Petra Klein"]);
        check("Vorstand: Petra Klein (Vorsitzende), Max Muster", Some("Vorstand"), &["Petra Klein", "Max Muster"]);
        check("Geschäftsführer der Muster GmbH: Max Muster", Some("Geschäftsführer"), &["Max Muster"]);
        assert!(label("Telefon: 030 23125 100").is_none());
    }

    proptest::proptest! {
        #[test]
        fn the_cheap_question_misses_no_label(words in proptest::collection::vec(proptest::sample::select(vec![
            "Geschäftsführer", "GESCHÄFTSFÜHRER:", "Vertreten durch", "vertreten durch:", "die", "Muster GmbH,", "gesetzlich",
            "Vorstand", "VORSTÄNDE", "Präsident", "des Verwaltungsrats", "represented by", "(innen)", ":in:", "Max Muster",
            "und", "Direct\u{130}or", "\u{212A}", "Inhaber", ",", ":", "Directors",
        ]), 0..6)) {
            let line = words.join(" ");
            assert!(may_be_label(&line) || label(&line).is_none(), "{line}");
        }
    }
}
