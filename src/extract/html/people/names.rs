//! Does a text look like a person's name, or like a job title?
//!
//! Invariant: precision before recall; whatever could as well be a company, a place, a heading or a menu entry is
//! no name.

use super::super::dom::fold;
use super::super::imprint;
use super::super::lexicon::LEXICON;

/// Endings of abstract nouns, which German headings are full of.
const ABSTRACT: [&str; 14] = [
    "keit",
    "heit",
    "schaft",
    "tion",
    "ungen",
    "tionen",
    "ität",
    "technik",
    "systeme",
    "anlagen",
    "maschinen",
    "service",
    "management",
    "ierung",
];

/// Whether the text is a person's name and nothing else: 2 to 4 capitalised words, perhaps with titles and particles.
pub(in super::super) fn is_name(text: &str) -> bool {
    core(text).is_some()
}

/// The name without academic titles, in lower case: what two spellings of the same name have in common.
pub(in super::super) fn key(text: &str) -> String {
    core(text).map_or_else(|| fold(text).to_lowercase(), |words| words.join(" ").to_lowercase())
}

/// The words of the name without titles; `None` where the text is no name.
fn core(text: &str) -> Option<Vec<&str>> {
    let text = text.trim();
    if !(5..=70).contains(&text.chars().count())
        || text.contains(|c: char| c.is_ascii_digit() || "@/:;!?|&\"".contains(c))
    {
        return None;
    }
    // Titles after the name: `Anna Berger, M.Sc.`
    let mut parts = text.split(',');
    let name = parts.next()?;
    if !parts.all(|p| p.split_whitespace().all(is_title) && !p.trim().is_empty()) {
        return None;
    }
    let mut words: Vec<&str> = name.split_whitespace().collect();
    let titles = words.iter().take_while(|w| is_title(w)).count();
    words.drain(..titles);
    while words.last().is_some_and(|w| words.len() > 2 && is_title(w)) {
        words.pop();
    }
    let particle = |w: &str| LEXICON.name_particles.contains(w);
    let full = words.iter().filter(|w| !particle(w)).count();
    if !(2..=4).contains(&full) || words.len() > 6 {
        return None;
    }
    let (first, last) = (words.first()?, words.last()?);
    if particle(first) || LEXICON.given_name_stops.contains(&first.to_lowercase()) || letters(last) < 2 {
        return None;
    }
    if words.iter().filter(|w| letters(w) > 1).all(|w| is_upper(w)) || (is_upper(first) && letters(first) > 1) {
        return None;
    }
    // Short capitals at the end are an association's; an article belongs to a particle: `von der`.
    let lone_article = words.windows(2).any(|w| matches!(w[1], "der" | "den" | "dem") && !particle(w[0]));
    if (is_upper(last) && letters(last) <= 4) || lone_article {
        return None;
    }
    words.iter().all(|w| particle(w) || is_name_word(w)).then_some(words)
}

fn letters(word: &str) -> usize {
    word.chars().filter(|c| c.is_alphabetic()).count()
}

fn is_upper(word: &str) -> bool {
    !word.chars().any(char::is_lowercase)
}

fn is_title(word: &str) -> bool {
    let plain: String = word.chars().filter(|c| !matches!(c, '.' | '(' | ')' | ',')).collect::<String>().to_lowercase();
    LEXICON.name_titles.contains(&plain)
}

fn is_name_word(word: &str) -> bool {
    let initial = word.strip_suffix('.').is_some_and(|w| letters(w) <= 2 && w.chars().all(char::is_alphabetic));
    let parts_capital = word.split('-').all(|p| p.chars().next().is_some_and(char::is_uppercase));
    let clean = word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'));
    if initial {
        return parts_capital;
    }
    if !parts_capital || !clean || letters(word) < 2 {
        return false;
    }
    let lower = word.to_lowercase();
    let abstract_noun = ABSTRACT.iter().any(|e| lower.len() > e.len() + 2 && lower.ends_with(e))
        || (lower.ends_with("ung") && lower.chars().count() > 7);
    let listed = |w: &str| LEXICON.not_names.contains(w) || LEXICON.job_words.contains(w);
    !abstract_noun && !listed(&lower) && !lower.split('-').any(listed) && !is_job_compound(&lower)
}

/// Whether a German compound ends in a job word: `vertriebsleiterin`.
fn is_job_compound(lower: &str) -> bool {
    LEXICON.job_stems.iter().any(|s| s.len() >= 5 && lower.len() > s.len() + 2 && lower.ends_with(s.as_str()))
}

/// Whether a line looks like a job title and nothing more.
pub(in super::super) fn is_job(text: &str) -> bool {
    let text = text.trim();
    let words = text.split_whitespace().count();
    if !(2..=110).contains(&text.chars().count())
        || words > 12
        || text.contains(['@', '?', '!'])
        || text.replace(":in", "").contains(':')
    {
        return false;
    }
    if text.chars().filter(char::is_ascii_digit).count() > 2 || is_sentence(text) || imprint::legal_form(text).is_some()
    {
        return false;
    }
    if !text.starts_with(char::is_alphabetic) || is_name(text) {
        return false;
    }
    let lower = text.to_lowercase();
    let plural = ["directors", "partners", "ansprechpartner", "mitarbeiter", "mitarbeiterinnen", "team"];
    !plural.contains(&lower.as_str())
        && lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .any(|w| LEXICON.job_words.contains(w) || is_job_compound(w))
}

fn is_sentence(text: &str) -> bool {
    let stops = text.ends_with('.') && text.split_whitespace().count() > 4;
    let lower = format!(" {} ", text.to_lowercase());
    let verbs = [
        " ist ",
        " sind ",
        " wir ",
        " sie ",
        " ihr ",
        " unser ",
        " unsere ",
        " is ",
        " are ",
        " we ",
        " our ",
        " you ",
        " your ",
        " has ",
        " hat ",
        " haben ",
        " wird ",
        " gesucht ",
        " all ",
        " alle ",
        " mehr ",
    ];
    stops || verbs.iter().any(|v| lower.contains(v))
}

/// Whether a short heading names a department: department words, perhaps with fillers such as `Team`, and no other.
pub(in super::super) fn is_department(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    if lower.chars().count() > 60 {
        return false;
    }
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let department = |w: &str| {
        LEXICON
            .department_words
            .iter()
            .any(|d| d.split(' ').any(|part| part == w && part.len() > 1) || (d.len() > 6 && w.ends_with(d.as_str())))
    };
    let filler = |w: &str| LEXICON.department_fillers.contains(w);
    (1..=6).contains(&words.len())
        && words.iter().all(|w| department(w) || filler(w))
        && words.iter().any(|w| department(w) && !filler(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in [
            "Max Mustermann",
            "Dr. Erika Musterfrau",
            "Prof. Dr.-Ing. Hans-Peter von der Au",
            "Jörg Müller-Lüdenscheid",
            "Anna Berger, M.Sc.",
            "J. Smith",
            "Dipl.-Ing. (FH) Uwe Groß",
            "Seán O'Neill",
            "Jan van den Berg",
            "Max MUSTER",
            "Frau Petra Klein",
            "Sarah J. Whitfield",
        ] {
            assert!(is_name(name), "{name}");
        }
        for other in [
            "Unser Team",
            "Muster GmbH",
            "Leiter Einkauf",
            "Bad Homburg Straße",
            "Über uns",
            "Moderne Fertigung",
            "München",
            "New York",
            "Hohe Qualität",
            "Kontakt aufnehmen",
            "Max",
            "max mustermann",
            "Musterstraße 12",
            "ISO Zertifikat",
            "Geschäftsführer Max Muster",
            "Mitglied der WKO",
            "Region der Alpen",
            "Managing Director",
            "Max & Moritz",
            "Vertriebsleiterin Nord",
            "Innovative Zerspanungstechnik",
            "Read More",
            "Cookie Einstellungen",
            "",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn jobs() {
        for job in [
            "Geschäftsführer",
            "Leiterin Einkauf",
            "Head of Procurement",
            "Vertriebsinnendienst",
            "Teamleitung Logistik & Versand",
            "Geschäftsführende Gesellschafterin",
            "Managing Director",
            "Leiter/in Qualitätssicherung",
            "Einkäufer:in",
        ] {
            assert!(is_job(job), "{job}");
        }
        for other in [
            "Tel. 030 23125 100",
            "max@firma.example",
            "Wir suchen Vertriebsleiter",
            "Muster Sales GmbH",
            "Mehr erfahren",
            "Max Mustermann",
            "Sie leitet den Einkauf seit 2010.",
            "",
        ] {
            assert!(!is_job(other), "{other}");
        }
    }
}
