//! A person and what they do in one line: `Name, job title`.
//!
//! Invariant: a part is taken for a name or a title only where the whole part is one.

use super::super::dom;
use super::names;

/// Name, job title, department.
pub(in super::super) type Person = (String, Option<String>, Option<String>);

/// `Name, job`, `Name – job`, `Name (job)`, `Job: Name`, `Ansprechpartner: Name (Einkauf)`.
pub(in super::super) fn in_line(line: &str) -> Option<Person> {
    if line.len() > 560 || line.chars().count() > 160 {
        return None;
    }
    // Most that follows needs one of these; 0xE2 begins a long dash or a bullet, 0xC2 a middle dot.
    let bytes = line.as_bytes();
    let whole = memchr::memchr3(b':', b')', b',', bytes).is_none()
        && memchr::memchr3(b'-', b'|', b'/', bytes).is_none()
        && memchr::memchr3(0xE2, 0xC2, b';', bytes).is_none();
    if whole {
        return side_by_side(line);
    }
    if let Some((label, rest)) = line.split_once(':') {
        let (label, rest) = (label.trim(), rest.trim());
        let asked = ["Ansprechpartner für ", "Ansprechpartnerin für ", "Ansprechperson für ", "Contact for "];
        if asked.iter().any(|a| label.starts_with(a)) && names::is_name(rest) {
            return Some((dom::fold(rest), Some(label.to_owned()), None));
        }
        if is_contact_label(label) {
            return contact(rest);
        }
        if names::is_name(rest) {
            if names::is_mere_department(label) && names::is_sure(rest) {
                return Some((dom::fold(rest), None, Some(label.to_owned())));
            }
            if names::is_job(label) {
                return Some((dom::fold(rest), Some(label.to_owned()), None));
            }
        }
        // `Media: Beth Carrow, Head of Communications`
        if label.len() <= 40 && names::is_department(label) && rest.len() > 8 {
            let person = name_with_job(rest)
                .or_else(|| parts(rest))
                .or_else(|| name_with_contact(rest).map(|name| (name, None, Some(label.to_owned()))));
            if person.is_some() {
                return person;
            }
        }
        if names::is_name(label) && names::is_job(rest) {
            return Some((label.to_owned(), Some(rest.to_owned()), None));
        }
    }
    name_with_job(line).or_else(|| parts(line)).or_else(|| side_by_side(line))
}

/// `Name | job | telephone`: a name with its job right beside it, and no other name.
fn parts(line: &str) -> Option<Person> {
    let marks = ['|', '•', '·', '–', '—', ';', '/'];
    let strong: Vec<&str> = line.split(marks).flat_map(|p| p.split(" - ")).map(str::trim).take(8).collect();
    beside(&strong).or_else(|| {
        let all: Vec<&str> = strong.iter().flat_map(|p| p.split(", ")).map(str::trim).take(8).collect();
        reversed(&all).or_else(|| beside(&all))
    })
}

fn beside(parts: &[&str]) -> Option<Person> {
    let name = |p: &str| names::is_name(p).then(|| p.to_owned()).or_else(|| names::reversed(p));
    let mut named = parts.iter().enumerate().filter_map(|(i, p)| Some((i, name(p)?)));
    let (i, found) = named.next()?;
    if parts.len() < 2 || named.next().is_some() {
        return None;
    }
    let job = [parts.get(i + 1), i.checked_sub(1).and_then(|k| parts.get(k))];
    let job = job.into_iter().flatten().find(|p| names::is_job(p))?;
    Some((found, Some((*job).to_owned()), None))
}

/// `Family name, given name, job`.
fn reversed(parts: &[&str]) -> Option<Person> {
    let name = names::reversed(&format!("{}, {}", parts.first()?, parts.get(1)?))?;
    let job = parts.get(2).filter(|p| names::is_job(p))?;
    Some((name, Some((*job).to_owned()), None))
}

/// `Einkaufsleiterin Petra Klein`, `Petra Klein Einkaufsleiterin`: nothing stands between.
fn side_by_side(line: &str) -> Option<Person> {
    if !(8..=120).contains(&line.len()) || line.ends_with(['.', '!', '?', ':']) || line.split(' ').count() > 10 {
        return None;
    }
    let places: Vec<usize> = memchr::memchr_iter(b' ', line.as_bytes()).collect();
    places.iter().find_map(|at| {
        let (before, after) = (&line[..*at], line[at + 1..].trim_start_matches(['(', ',', '-', '–', ' ']));
        let person = |name: &str, job: &str| {
            let reach =
                ["mail", "e-mail", "email", "telefon", "phone", "tel.", "tel", "fax", "linkedin", "xing", "der"];
            let last = job.rsplit(' ').next().unwrap_or_default().to_lowercase();
            (names::is_sure(name) && names::is_job(job) && !reach.contains(&last.as_str()))
                .then(|| (name.trim_end_matches(',').to_owned(), Some(job.trim_end_matches(')').to_owned()), None))
        };
        person(before.trim_end_matches(','), after).or_else(|| person(after, before))
    })
}

/// The name in a line of a name and ways to reach it: `Petra Klein, Tel. -114`.
pub(super) fn name_with_contact(line: &str) -> Option<String> {
    if !(8..=200).contains(&line.len()) {
        return None;
    }
    let end = line.find([',', '|', '–', ':', '(', ';', '•', '·', '0', '+', '-', '/']).unwrap_or(line.len());
    // A hyphen within a name is none of these.
    let end = match line.as_bytes().get(end) {
        Some(b'-') => line.find([',', '|', '–', ':', '(', ';', '•', '·', '0', '+', '/']).unwrap_or(line.len()),
        _ => end,
    };
    let (name, rest) = line.split_at(end);
    let name = name.trim_end_matches(['T', 't']).trim();
    let name = ["Telefon", "Tel.", "Tel", "Fon", "Phone", "Durchwahl", "E-Mail", "Mobil"]
        .iter()
        .fold(name, |n, w| n.trim_end().strip_suffix(w).unwrap_or(n))
        .trim();
    let reaches = rest.contains('@') || rest.bytes().filter(u8::is_ascii_digit).count() >= 2;
    (reaches && names::is_name(name)).then(|| name.to_owned())
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

/// A name, and behind a mark what may be its title where others in the same place are known to be.
pub(super) fn name_with_text(line: &str) -> Option<(&str, &str)> {
    if !(10..=160).contains(&line.len()) {
        return None;
    }
    let inside = || {
        let (name, rest) = line.split_once(" (")?;
        Some((name, rest.strip_suffix(')')?))
    };
    let marks = [" – ", " — ", " - ", " | ", ", ", ": "];
    let cut = marks.iter().find_map(|m| line.split_once(m)).or_else(inside)?;
    (names::is_sure(cut.0) && names::is_loose_job(cut.1)).then_some(cut)
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
        check("Einkaufsleiterin Petra Klein", Some(("Petra Klein", Some("Einkaufsleiterin"), None)));
        check("Klein, Petra – Disposition", Some(("Petra Klein", Some("Disposition"), None)));
        check("Petra Klein | Leiterin Einkauf | Tel. 030 23125", Some(("Petra Klein", Some("Leiterin Einkauf"), None)));
        check("Einkauf: Petra Klein", Some(("Petra Klein", None, Some("Einkauf"))));
        check("Berlin, Vertrieb", None);
        check("Muster Technik, Vertrieb", None);
        check("Am Markt, Einkaufszentrum", None);
    }
}
