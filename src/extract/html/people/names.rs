//! Does a text look like a person's name, or like a job title?
//!
//! Invariant: precision before recall; whatever could as well be a company, a place, a heading or a menu entry is
//! no name.

use super::super::imprint;
use super::super::lexicon::{LEXICON, in_lower};
use super::super::white::{fold, is_one_word};

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
    if !(5..=280).contains(&text.len()) || is_one_word(text) {
        return None;
    }
    let foreign = |b: u8| matches!(b, b'0'..=b'9' | b'@' | b'/' | b':' | b';' | b'!' | b'?' | b'|' | b'&' | b'"');
    if !(5..=70).contains(&text.chars().count()) || text.bytes().any(foreign) {
        return None;
    }
    // Most texts fail here: a small word that is no title and no particle.
    let small = |w: &str| !w.starts_with(char::is_uppercase);
    let words = text.split([',', ' ']).filter(|w| !w.is_empty());
    if words.into_iter().any(|w| small(w) && !w.contains(char::is_whitespace) && !is_title(w) && !is_particle(w)) {
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
    let full = words.iter().filter(|w| !is_particle(w)).count();
    if !(2..=4).contains(&full) || words.len() > 6 {
        return None;
    }
    let (first, last) = (words.first()?, words.last()?);
    if is_particle(first) || LEXICON.given_name_stops.contains(&first.to_lowercase()) || letters(last) < 2 {
        return None;
    }
    if words.iter().filter(|w| letters(w) > 1).all(|w| is_upper(w)) || (is_upper(first) && letters(first) > 1) {
        return None;
    }
    // Short capitals at the end are an association's; an article belongs to a particle: `von der`.
    let lone_article = words.windows(2).any(|w| matches!(w[1], "der" | "den" | "dem") && !is_particle(w[0]));
    if (is_upper(last) && letters(last) <= 4) || lone_article {
        return None;
    }
    words.iter().all(|w| is_particle(w) || is_name_word(w)).then_some(words)
}

fn letters(word: &str) -> usize {
    word.chars().filter(|c| c.is_alphabetic()).count()
}

fn is_upper(word: &str) -> bool {
    !word.chars().any(char::is_lowercase)
}

fn is_particle(word: &str) -> bool {
    LEXICON.name_particles.contains(word)
}

fn is_title(word: &str) -> bool {
    if word.is_ascii() && !word.bytes().any(|b| matches!(b, b'.' | b'(' | b')' | b',')) {
        return in_lower(word, |lower| LEXICON.name_titles.contains(lower));
    }
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
    !abstract_noun && !listed(&lower) && !lower.split('-').any(listed) && !LEXICON.is_job_compound(&lower)
}

/// Whether a line looks like a job title and nothing more.
pub(in super::super) fn is_job(text: &str) -> bool {
    let text = text.trim();
    // The cheap questions first; most lines fail one of them.
    if !(2..=440).contains(&text.len()) || !text.starts_with(char::is_alphabetic) {
        return false;
    }
    let bytes = text.as_bytes();
    if memchr::memchr3(b'@', b'?', b'!', bytes).is_some()
        || (memchr::memchr(b':', bytes).is_some() && text.replace(":in", "").contains(':'))
        || bytes.iter().filter(|b| b.is_ascii_digit()).count() > 2
    {
        return false;
    }
    if !(2..=110).contains(&text.chars().count()) || text.split_whitespace().count() > 12 {
        return false;
    }
    let is_job_word = |w: &str| LEXICON.job_words.contains(w) || LEXICON.is_job_compound(w);
    let lower = text.to_lowercase();
    let plural = ["directors", "partners", "ansprechpartner", "mitarbeiter", "mitarbeiterinnen", "team"];
    !plural.contains(&lower.as_str())
        && lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).any(is_job_word)
        && !is_sentence(text, &lower)
        && imprint::legal_form(text).is_none()
        && !is_name(text)
}

fn is_sentence(text: &str, lower: &str) -> bool {
    let is_verb = |w: &str| {
        matches!(
            w,
            "ist"
                | "sind"
                | "wir"
                | "sie"
                | "ihr"
                | "unser"
                | "unsere"
                | "is"
                | "are"
                | "we"
                | "our"
                | "you"
                | "your"
                | "has"
                | "hat"
                | "haben"
                | "wird"
                | "gesucht"
                | "all"
                | "alle"
                | "mehr"
        )
    };
    (text.ends_with('.') && text.split_whitespace().count() > 4) || lower.split(' ').any(is_verb)
}

/// Whether a short heading names a department: department words, perhaps with fillers such as `Team`, and no other.
pub(in super::super) fn is_department(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    if lower.chars().count() > 60 {
        return false;
    }
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let department = |w: &str| LEXICON.is_department_word(w);
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
