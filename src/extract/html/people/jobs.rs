//! Does a text look like a job title, or like the name of a department?
//!
//! Invariant: precision before recall; sentences, companies and names are no titles.

use super::super::imprint;
use super::super::lexicon::LEXICON;
use super::names::{is_name, is_sure};

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
    let is_job_word = |w: &str| LEXICON.job_words.contains(w) || LEXICON.is_job_compound(w) || is_feminine_job(w);
    let lower = text.to_lowercase();
    let plural = ["directors", "partners", "ansprechpartner", "mitarbeiter", "mitarbeiterinnen", "team", "prokuristen"];
    !plural.contains(&lower.as_str())
        && !lower.split(|c: char| !c.is_alphanumeric() && c != '/').any(|w| LEXICON.not_jobs.contains(w))
        && lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).any(is_job_word)
        && !is_sentence(text, &lower)
        && imprint::legal_form(text).is_none()
        && !is_name(text)
        && !names_somebody(text)
}

/// Whether a text has a word of the lists of jobs, rather than one that only looks like it.
pub(in super::super) fn is_known_job(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.any(|w| LEXICON.job_words.contains(w) || LEXICON.is_job_compound(w))
}

/// Whether a word is one of the German forms for women that name nearly nothing but occupations.
fn is_feminine_job(lower: &str) -> bool {
    let ends = [
        "kerin", "gerin", "merin", "nerin", "lerin", "terin", "derin", "serin", "ferin", "istin", "orin", "eurin",
        "ogin", "ärin", "antin", "adin", "zerin", "berin", "herin",
    ];
    lower.len() >= 8 && !LEXICON.given_names.contains(lower) && ends.iter().any(|e| lower.ends_with(e))
}

/// Whether a name begins or ends a text.
fn names_somebody(text: &str) -> bool {
    let ends: Vec<usize> = memchr::memchr_iter(b' ', text.as_bytes()).collect();
    let sure = |part: &str| is_sure(part.trim_matches([',', ';', ':', '(', ')']));
    match ends.as_slice() {
        [.., before, _] if sure(&text[before + 1..]) => true,
        [_, second, ..] => sure(&text[..*second]),
        _ => false,
    }
}

/// Whether a line may be a job title where its place says that it is one.
pub(in super::super) fn is_loose_job(text: &str) -> bool {
    let text = text.trim();
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let foreign = |b: u8| b.is_ascii_digit() || matches!(b, b'@' | b'?' | b'!' | b':' | b'"' | b'_' | b'+');
    let reach = [
        "mail",
        "email",
        "telefon",
        "tel",
        "phone",
        "fax",
        "mobil",
        "mobile",
        "kontakt",
        "contact",
        "linkedin",
        "xing",
        "mehr",
        "more",
        "profil",
        "profile",
        "vcard",
        "download",
        "lesen",
        "anzeigen",
        "weiterlesen",
        "read",
        "schreiben",
        "straße",
        "street",
        "seit",
        "since",
        "dabei",
        "hobby",
        "hobbys",
        "lieblings",
        "motto",
    ];
    (4..=90).contains(&text.len())
        && (1..=9).contains(&words.len())
        && text.starts_with(char::is_uppercase)
        && !text.ends_with(['.', ',', '“', '…'])
        && !text.bytes().any(foreign)
        && !text.contains(['„', '“', '»', '©'])
        && !words.iter().any(|w| reach.contains(w) || LEXICON.not_jobs.contains(*w))
        && !LEXICON.countries.contains_key(lower.as_str())
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
                | "vertreten"
                | "represented"
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

/// A department that is no board either: its name alone is nobody's title.
pub(in super::super) fn is_mere_department(text: &str) -> bool {
    is_department(text) && imprint::function_of_heading(text).is_none()
}

/// Whether a heading says by a word of its own that it names a department: `Abteilung Sondermaschinen`.
pub(in super::super) fn is_titled_department(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let opens = |w: &str| matches!(w, "Abteilung" | "Bereich" | "Fachbereich" | "Geschäftsbereich" | "Department");
    let count = text.split_whitespace().count();
    (2..=5).contains(&count) && words.next().is_some_and(opens) && text.len() <= 80
}

#[cfg(test)]
mod tests {
    use super::*;

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
