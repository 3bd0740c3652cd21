//! Does a text look like a person's name?
//!
//! Invariant: precision before recall; whatever could as well be a company, a place, a heading or a menu entry is
//! no name.

use super::super::lexicon::{LEXICON, in_lower};
use super::super::white::{fold, is_one_word};
pub(in super::super) use super::jobs::{
    is_department, is_job, is_known_job, is_loose_job, is_mere_department, is_titled_department,
};

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

/// Whether the text is a name for sure: it begins with a known given name, or with a courtesy title.
pub(in super::super) fn is_sure(text: &str) -> bool {
    let Some(words) = core(text) else { return false };
    let courtesy = ["Frau ", "Herr ", "Herrn ", "Mr ", "Mr. ", "Mrs ", "Mrs. ", "Ms ", "Ms. ", "Dr. ", "Prof. "];
    courtesy.iter().any(|c| text.trim().starts_with(c)) || words.first().is_some_and(|w| is_given(w))
}

pub(in super::super) fn is_given(word: &str) -> bool {
    word.split('-').next().is_some_and(|w| in_lower(w, |w| LEXICON.given_names.contains(w)))
}

/// `Petra Klein` of `Klein, Petra`.
pub(in super::super) fn reversed(text: &str) -> Option<String> {
    let (family, given) = text.trim().split_once(',')?;
    let (family, given) = (family.trim(), given.trim());
    let first = given.split_whitespace().find(|w| !is_title(w))?;
    if family.split_whitespace().count() > 3 || given.split_whitespace().count() > 4 || !is_given(first) {
        return None;
    }
    let name = format!("{given} {family}");
    is_sure(&name).then_some(name)
}

/// The family name in lower case, as addresses write it.
pub(in super::super) fn family(text: &str) -> Option<String> {
    let last = core(text)?.last()?.to_lowercase();
    let plain = last.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss");
    (plain.len() > 2).then_some(plain)
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
    if words.into_iter().any(|w| {
        small(w)
            && !w.starts_with(['“', '„', '‘'])
            && !w.contains(char::is_whitespace)
            && !is_title(w)
            && !is_particle(w)
    }) {
        return None;
    }
    // Titles after the name: `Anna Berger, M.Sc.`
    let mut parts = text.split(',');
    let name = parts.next()?;
    if !parts.all(|p| p.split_whitespace().all(is_title) && !p.trim().is_empty()) {
        return None;
    }
    // A nickname may stand in quotes.
    let nick = |w: &&str| w.starts_with(['“', '„', '‘']) && w.ends_with(['”', '“', '’']);
    let mut words: Vec<&str> = name.split_whitespace().filter(|w| !nick(w)).collect();
    let titles = words.iter().take_while(|w| is_title(w)).count();
    words.drain(..titles);
    // Capitals behind a full name are a degree or a membership.
    while let [first, second, .., last] = words.as_slice() {
        let member = (3..=6).contains(&letters(last)) && is_upper(last) && is_given(first) && !is_upper(second);
        if !is_title(last) && !member {
            break;
        }
        words.pop();
    }
    let full = words.iter().filter(|w| !is_particle(w)).count();
    if !(2..=4).contains(&full) || words.len() > 6 {
        return None;
    }
    let (first, last) = (words.first()?, words.last()?);
    if is_particle(first)
        || is_particle(last)
        || LEXICON.given_name_stops.contains(&first.to_lowercase())
        || letters(last) < 2
    {
        return None;
    }
    let given = is_given(first);
    let upper = words.iter().filter(|w| letters(w) > 1).all(|w| is_upper(w)) || (is_upper(first) && letters(first) > 1);
    if upper && !(given && words.iter().all(|w| letters(w) > 2 || is_particle(w))) {
        return None;
    }
    // Short capitals at the end are an association's; an article belongs to a particle: `von der`.
    let lone_article = words.windows(2).any(|w| matches!(w[1], "der" | "den" | "dem") && !is_particle(w[0]));
    if (!upper && is_upper(last) && letters(last) <= 4) || lone_article || (!given && is_adjective(first)) {
        return None;
    }
    // Behind a given name, and alone there, a word that means something else is a family name.
    let familiar = |i: usize| given && (i == 0 || (i + 1 == words.len() && full == 2 && is_family(last)));
    (0..words.len()).all(|i| is_particle(words[i]) || familiar(i) || is_name_word(words[i])).then_some(words)
}

fn is_family(word: &str) -> bool {
    in_lower(word, |w| LEXICON.family_names.contains(w)) && word.chars().all(char::is_alphabetic)
}

/// Whether a word has the ending of a German adjective before a noun, which no given name has.
fn is_adjective(word: &str) -> bool {
    let lower = word.to_lowercase();
    let ends = [
        "ige", "iger", "iges", "liche", "licher", "liches", "ische", "ischer", "isches", "tive", "ende", "iche",
        "ierte", "bare", "lose", "volle", "same", "ante", "elle", "eller", "ngen", "ale", "aler",
    ];
    lower.len() > 5 && ends.iter().any(|e| lower.ends_with(e))
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

pub(in super::super) fn is_title(word: &str) -> bool {
    if word.is_ascii() && !word.bytes().any(|b| matches!(b, b'.' | b'(' | b')' | b',')) {
        return in_lower(word, |lower| LEXICON.name_titles.contains(lower));
    }
    let plain: String = word.chars().filter(|c| !matches!(c, '.' | '(' | ')' | ',')).collect::<String>().to_lowercase();
    LEXICON.name_titles.contains(&plain)
}

fn is_name_word(word: &str) -> bool {
    let initial = word.strip_suffix('.').is_some_and(|w| letters(w) <= 3 && w.chars().all(char::is_alphabetic));
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
}
