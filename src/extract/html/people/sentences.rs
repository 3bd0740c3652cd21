//! People whom running text names with what they are: `Anna Muster, our HR Director, ...`, `Unsere Einkäuferin Anna Muster`.
//!
//! Invariant: title and name touch, or one verb of being stands between them; a sentence that tells of the past, of
//! another company's people or of others' jobs gives nobody.

use super::super::imprint;
use super::own::Own;
use super::{names, others};

/// Bytes of a line that is read.
const MAX_LINE: usize = 4_000;
/// Names of one line that are looked at.
const MAX_NAMES: usize = 24;
/// Words that a title may have.
const MAX_WORDS: usize = 8;

/// Names and titles of a line of running text.
pub(super) fn read(text: &str, own: &Own) -> Vec<(String, String)> {
    if !(30..=MAX_LINE).contains(&text.len()) || text.split(' ').take(6).count() < 6 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut looked = 0;
    for sentence in sentences(text) {
        if others::is_former_sentence(sentence) {
            continue;
        }
        let mut at = 0;
        while let Some((from, to)) = next_name(sentence, at) {
            at = to;
            looked += 1;
            if looked > MAX_NAMES {
                return found;
            }
            let (before, after) = (&sentence[..from], &sentence[to..]);
            let name = &sentence[from..to];
            let title = apposition(after).or_else(|| leading(before)).or_else(|| being(after));
            let Some(title) = title.filter(|t| holds(t, after, own)) else { continue };
            found.push((name.to_owned(), title.to_owned()));
        }
    }
    found
}

/// What a text about one person says they are: `Associate. She ...`, `Anna is Senior Partner and ...`.
pub(super) fn of_bio<'t>(text: &'t str, name: &str, own: &Own) -> Option<&'t str> {
    if text.len() > MAX_LINE || text.split(' ').count() < 4 {
        return None;
    }
    let first = sentences(text).next()?;
    let bare = first.trim_end_matches('.');
    if bare.len() < text.len() - 1 && bare.len() <= 80 && names::is_job(bare) && !others::is_others(bare, own) {
        return Some(bare).filter(|b| !others::is_former(b));
    }
    let rest = first.strip_prefix(name).or_else(|| {
        let (word, _) = first.split_once(' ')?;
        let refers = matches!(word, "He" | "She" | "They" | "Er" | "Sie") || name.split(' ').any(|w| w == word);
        refers.then(|| &first[word.len()..])
    })?;
    being(rest).filter(|t| !others::is_former_sentence(first) && holds(t, "", own))
}

/// Sentences; a dot after a short word or a digit ends none.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        let end = loop {
            let Some(at) = memchr::memchr3(b'.', b'!', b'?', &rest.as_bytes()[from..]).map(|n| from + n) else {
                break rest.len();
            };
            let word = rest[..at].rsplit(' ').next().unwrap_or_default();
            let ends = rest[at + 1..].starts_with(' ') || at + 1 == rest.len();
            let short = word.len() <= 3
                || (word.len() < 4 && word.ends_with(|c: char| c.is_ascii_digit()))
                || word.contains('.');
            if ends && !(short && rest.as_bytes()[at] == b'.') {
                break at + 1;
            }
            from = at + 1;
        };
        let (sentence, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(sentence)
    })
}

/// The next name that is one for sure.
fn next_name(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let rest = &text[at..];
        let skip = rest.find(|c: char| c.is_alphabetic())?;
        at += skip;
        let word = text[at..].split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '\''))).next()?;
        if word.starts_with(char::is_uppercase)
            && (names::is_given(word) || names::is_title(word))
            && let Some(len) = imprint::name_at(&text[at..]).filter(|len| names::is_sure(&text[at..at + len]))
        {
            return Some((at, at + len));
        }
        at += word.len().max(1);
    }
}

/// `, our HR Director, ...` and `(HR Director)` behind a name.
fn apposition(after: &str) -> Option<&str> {
    let rest = after.strip_prefix(", ").or_else(|| after.strip_prefix(" (")).or_else(|| after.strip_prefix(" – "))?;
    title(article(rest), true)
}

/// ` ist Leiterin Einkauf und ...` behind a name; ` ... als Leiterin ...` in the same clause.
fn being(after: &str) -> Option<&str> {
    let rest = after.trim_start();
    for verb in ["ist ", "is ", "arbeitet als ", "works as ", "wirkt als ", "fungiert als ", "serves as ", "acts as "] {
        if let Some(rest) = rest.strip_prefix(verb) {
            return title(article(since(rest)), false);
        }
    }
    let clause = after.trim_start_matches([',', ' ']);
    let end = clause.find([',', ';', ':', '(', '–']).unwrap_or(clause.len());
    let clause = &clause[..end];
    let (at, len) = [" als ", " as "]
        .iter()
        .find_map(|m| Some((clause.find(m)?, m.len())))
        .or_else(|| ["als ", "as "].iter().find(|m| clause.starts_with(**m)).map(|m| (0, m.len())))?;
    let between = &clause[..at];
    if between.split(' ').count() > 6 || next_name(between, 0).is_some() {
        return None;
    }
    title(article(&clause[at + len..]), false)
}

/// `Unsere Einkäuferin ` before a name, perhaps with a comma.
fn leading(before: &str) -> Option<&str> {
    let apart = before.ends_with(", ");
    let before = before.strip_suffix(", ").or_else(|| before.strip_suffix(' '))?;
    let from = before
        .rfind([',', ';', ':', '(', ')', '–', '“', '„', '”', '.'])
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let clause = before[from..].trim_start();
    let mut starts: Vec<usize> = memchr::memchr_iter(b' ', clause.as_bytes()).map(|at| at + 1).collect();
    starts.insert(0, 0);
    let from = starts.len().saturating_sub(MAX_WORDS);
    let fits = |at: &usize| {
        let part = &clause[*at..];
        let joined = |w: &str| matches!(w, "als" | "as") || names::is_given(w) || w.contains(['“', '„', ')']);
        let ends = part.rsplit(' ').next().is_some_and(|w| matches!(w, "und" | "and" | "sowie" | "der" | "&"));
        part.starts_with(char::is_uppercase)
            && names::is_job(part)
            && names::is_known_job(part)
            && !opens_sentence(part)
            && !ends
            && !part.split(' ').any(joined)
    };
    let at = starts[from..].iter().copied().find(fits)?;
    // Whose it is stands right before.
    let owner = clause[..at].trim_end().rsplit(' ').next().unwrap_or_default().to_lowercase();
    let foreign = [
        "deren",
        "dessen",
        "their",
        "its",
        "his",
        "her",
        "whose",
        "früherer",
        "ehemaliger",
        "former",
        "ex",
        "der",
        "des",
        "ihrer",
        "ihrem",
        "seinem",
        "dem",
        "vom",
        "beim",
        "with",
        "mit",
    ];
    let ours = ["unser", "unsere", "our", "unserem", "unserer"].contains(&owner.as_str());
    (!foreign.contains(&owner.as_str()) && (ours || !apart)).then(|| article(&clause[at..]))
}

/// Whether a text begins with a word that no title begins with, though a sentence may.
fn opens_sentence(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default().to_lowercase();
    let opens = [
        "der", "die", "das", "the", "a", "an", "ein", "eine", "mit", "with", "auch", "als", "as", "durch", "by",
        "said", "sagt", "heute", "so", "neben", "für", "for", "von", "from", "bei", "in", "im", "am", "und", "and",
    ];
    opens.contains(&first.as_str())
}

/// A text without the article or owner that it begins with.
fn article(text: &str) -> &str {
    let openings = [
        "unsere ", "unser ", "unserem ", "unserer ", "our ", "the ", "a ", "an ", "der ", "die ", "ein ", "eine ",
        "als ", "Unsere ", "Unser ", "Our ", "The ",
    ];
    openings.iter().fold(text, |t, o| t.strip_prefix(o).unwrap_or(t))
}

/// A text without `seit 2010`.
fn since(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("seit ").or_else(|| text.strip_prefix("since ")) else { return text };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 4 { rest[4..].trim_start() } else { text }
}

/// The title that a text begins with: up to the end of its clause, or to the word with which the sentence goes on.
fn title(text: &str, whole: bool) -> Option<&str> {
    let end = text.find([',', ';', ':', ')', '(', '–', '“', '”', '!', '?']).unwrap_or(text.len());
    let clause = text[..end].trim_end_matches(['.', ' ']);
    let stops = [
        "und",
        "and",
        "für",
        "with",
        "who",
        "has",
        "der",
        "die",
        "das",
        "seit",
        "since",
        "verantwortlich",
        "bei",
        "mit",
        "zuständig",
        "for",
        "to",
        "im",
        "in",
        "ist",
        "is",
        "hat",
        "sorgt",
        "dafür",
        "tätig",
        "on",
        "from",
        "at",
        "ab",
    ];
    let mut best = names::is_job(clause).then_some(clause).filter(|c| c.split(' ').count() <= MAX_WORDS);
    if best.is_none() || !whole {
        let cuts = memchr::memchr_iter(b' ', clause.as_bytes()).take(MAX_WORDS);
        let stop = |at: &usize| stops.contains(&clause[at + 1..].split(' ').next().unwrap_or_default());
        let cut = cuts.into_iter().filter(stop).map(|at| &clause[..at]).find(|part| names::is_job(part));
        best = cut.or(best);
    }
    best.filter(|t| t.starts_with(char::is_uppercase) || t.split(' ').any(|w| w.starts_with(char::is_uppercase)))
}

/// Whether a title is one of the company's own, as far as itself and what follows it say.
fn holds(title: &str, after: &str, own: &Own) -> bool {
    if others::is_former(title) || others::is_others(title, own) {
        return false;
    }
    let rest = after.find(title).map_or(after, |at| &after[at + title.len()..]);
    let of = ["von ", "vom ", "bei ", "beim ", "at ", "from ", "of ", "der Firma ", "des ", "der "];
    // `Bauleiter Uwe Groth (Tiefbau Nord)`
    let inside = after.strip_prefix(" (").and_then(|a| a.split(')').next());
    if inside.is_some_and(|i| !names::is_job(i) && !own.is(i) && others::names_a_company(i)) {
        return false;
    }
    let rest = rest.trim_start_matches([',', ' ', '(']);
    let belongs = of.iter().find_map(|o| rest.strip_prefix(o));
    !others::belongs_elsewhere(title)
        && belongs.is_none_or(|b| own.is(b.split([',', '.']).next().unwrap_or(b)) || !others::names_a_company(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = read(text, &Own::default());
        let found: Vec<(&str, &str)> = found.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn running_text() {
        check(
            "Seit Mai verstärkt Anna Brehm, Leiterin Einkauf, unser Team in Musterstadt.",
            &[("Anna Brehm", "Leiterin Einkauf")],
        );
        check(
            "Fragen beantwortet Ihnen unser Vertriebsleiter Uwe Groth gern am Telefon.",
            &[("Uwe Groth", "Vertriebsleiter")],
        );
        check(
            "We thank Emma Tully, our Quality Director, for ten good years with us.",
            &[("Emma Tully", "Quality Director")],
        );
        check(
            "Heute führt Anna Brehm den Betrieb als Geschäftsführerin in dritter Generation.",
            &[("Anna Brehm", "Geschäftsführerin")],
        );
    }

    #[test]
    fn others_and_the_past() {
        check("Die Urkunde überreichte Anna Brehm, Präsidentin der Handwerkskammer, im Rathaus.", &[]);
        check("Unser früherer Filialleiter Uwe Groth hat ein eigenes Café eröffnet.", &[]);
        check("Wir arbeiten mit der Genossenschaft, deren Präsidentin Anna Brehm uns gut kennt.", &[]);
        check("Supported by Emma Tully, Managing Partner of executive search firm Tully Hale.", &[]);
        check("Das freut auch Uwe Groth, Einkaufsleiter bei Rabe Systeme, seit vielen Jahren.", &[]);
        check("Sie war zuvor, wie Anna Brehm, Einkaufsleiterin in einem anderen Haus gewesen.", &[]);
    }
}
