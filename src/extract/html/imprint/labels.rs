//! Labels of an imprint before the names of those who act for the company: `Vertreten durch die Geschäftsführer`.
//!
//! Invariant: a label is one of the lexicon's, perhaps with an article, an ending of gender or the company behind it.

use super::super::lexicon::LEXICON;
use super::directors::split;

/// Whether [`label`] may find one: never `false` where it does. Most lines have none, which this tells cheaply.
pub(super) fn may_be_label(line: &str) -> bool {
    let represented = |part: &str| {
        let begins = |w: &str| part.get(..w.len()).is_some_and(|start| start.eq_ignore_ascii_case(w));
        ["vertret", "gesetzlich", "represented"].into_iter().any(begins)
    };
    LEXICON.may_begin_with_label(line) || line.split(',').any(|part| represented(part.trim_start()))
}

/// A known label at the beginning of a line: its function (`None` for a bare `Vertreten durch`) and what follows.
pub(super) fn label(line: &str) -> Option<(Option<String>, &str)> {
    let (head, rest, colon) = match line.split_once(':') {
        // Without a mark, as `Gesellschafter:innen` over a list is.
        Some((_, "in" | "innen")) | None => (line, "", false),
        // `Geschäftsführer:in: A` has its colon inside the word.
        Some((head, rest)) if rest.starts_with("in") && rest.contains(':') => {
            let (tail, rest) = rest.split_once(':')?;
            (line.get(..head.len() + 1 + tail.len())?, rest, true)
        }
        Some((head, rest)) => (head, rest, true),
    };
    let lower = head.to_lowercase();
    if [" nicht ", "besonderer vertreter", "gewerberecht", "bis "].iter().any(|w| lower.contains(w)) {
        return None;
    }
    // `Vorstand (§ 26 BGB)`, `Vorstand nach § 26 BGB`.
    let head = head.find('§').map_or(head, |at| &head[..at]).trim();
    let head = [" gemäß", " gem.", " nach", " i.S.d.", " im Sinne des", "("]
        .iter()
        .find_map(|w| head.strip_suffix(w))
        .unwrap_or(head);
    let (stripped, was_represented) = strip_represented(head.trim());
    let plain = gender_neutral(&stripped.to_lowercase());
    if stripped.is_empty() {
        return was_represented.then_some((None, rest.trim()));
    }
    if let Some(function) = LEXICON.function_labels.iter().find(|l| **l == plain || starts_label(&plain, l)) {
        let written = stripped.get(..function.len()).filter(|w| w.to_lowercase() == *function).unwrap_or(stripped);
        return Some((Some(singular(written)), rest.trim()));
    }
    // `Vertreten durch die Geschäftsführer A und B`, without a colon.
    if !colon && was_represented {
        let by_length = LEXICON.function_labels.iter();
        let function = by_length.into_iter().find(|l| stripped.to_lowercase().starts_with(&format!("{l} ")))?;
        let written = stripped.get(..function.len())?;
        return Some((Some(singular(written)), stripped.get(function.len()..)?.trim()));
    }
    // `Vertreten durch A und B`.
    (was_represented && !colon && !split(stripped).is_empty()).then_some((None, stripped))
}

/// `geschäftsführer der muster gmbh` is the label `geschäftsführer` with a company.
fn starts_label(plain: &str, label: &str) -> bool {
    let Some(rest) = plain.strip_prefix(label) else { return false };
    [" der ", " des ", " of ", " (", " / ", ", jeweils ", ", je "].iter().any(|s| rest.starts_with(s))
        && rest.chars().count() < 60
}

fn strip_represented(head: &str) -> (&str, bool) {
    let lower = head.to_lowercase();
    let openings = [
        "gesetzlich vertreten durch",
        "vertreten durch",
        "vertretungsberechtigt",
        "represented by",
        "vertretungsberechtigte personen",
        "vertretungsberechtigte person",
        "gesetzlicher vertreter",
        "gesetzliche vertreter",
    ];
    for opening in openings {
        if let Some(found) = lower.find(opening).filter(|at| *at == 0 || lower[..*at].trim_end().ends_with(',')) {
            let after = head.get(found + opening.len()..).unwrap_or_default();
            // `Vertretungsberechtigter Vorstand` is a function.
            if after.starts_with(char::is_alphabetic) {
                continue;
            }
            let mut rest = after.trim();
            for article in ["den ", "die ", "das ", "ihren ", "ihre ", "seinen ", "its ", "the "] {
                rest = rest.strip_prefix(article).unwrap_or(rest);
            }
            return (rest, true);
        }
    }
    (head, false)
}

pub(super) fn gender_neutral(lower: &str) -> String {
    let mut plain = lower.to_owned();
    for ending in [
        "*innen", ":innen", "_innen", "/innen", "/-innen", "(innen)", "*in", ":in", "_in", "/in", "/-in", "(in)",
        "(s)", "(m/w/d)",
    ] {
        plain = plain.strip_suffix(ending).map_or(plain.clone(), |p| p.trim().to_owned());
    }
    plain
}

/// One person's function from a label in the plural.
pub(super) fn singular(label: &str) -> String {
    for (plural, one) in [
        ("irectors", "irector"),
        ("Partners", "Partner"),
        ("Mitglieder des", "Mitglied des"),
        ("Geschäftsführende Direktoren", "Geschäftsführender Direktor"),
        ("Mitglieder der", "Mitglied der"),
        ("ignatories", "ignatory"),
        ("fficers", "fficer"),
        ("olders of", "older of"),
        ("hareholders", "hareholder"),
        ("anagers", "anager"),
        ("epresentatives", "epresentative"),
        ("Owners", "Owner"),
        ("ounders", "ounder"),
        ("erinnen", "erin"),
        ("Prokuristinnen", "Prokuristin"),
        ("inzelprokuristen", "inzelprokurist"),
        ("rokuristen", "rokurist"),
        ("Einzelprokura", "Einzelprokurist"),
        ("Gesamtprokura", "Prokurist"),
        ("Prokura", "Prokurist"),
        ("Komplementäre", "Komplementär"),
        ("Prokuristen", "Prokurist"),
        ("Vorstände", "Vorstand"),
        ("Vorstandsmitglieder", "Vorstandsmitglied"),
        ("Vertretungsberechtigte Geschäftsführer", "Geschäftsführer"),
        ("Vertretungsberechtigter Geschäftsführer", "Geschäftsführer"),
        ("Board of Director", "Board of Directors"),
    ] {
        if let Some(at) = label.find(plural)
            && !label.contains("Board of")
        {
            return format!("{}{one}{}", &label[..at], &label[at + plural.len()..]);
        }
    }
    label.to_owned()
}
