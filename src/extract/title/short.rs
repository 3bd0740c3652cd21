//! Words that are written short: abbreviated ends ("Vertriebsltr."), ends left to the next word ("Ein- und Verkauf").
//!
//! Invariant: a short form means what its full form means; what cannot be completed is left as it is.

use super::lexicon::Lexicon;
use super::scan::{Sep, Token};
use super::sense::{Functions, Sense, weight};
use super::split::{find, last_part};
use crate::taxonomy::JobFunction;

/// A compound whose end is abbreviated, in full.
pub(super) fn spelled_out(w: &str) -> Option<String> {
    const ENDS: [(&str, &str); 6] = [
        ("ltr", "leiter"),
        ("ltg", "leiter"),
        ("leitg", "leiter"),
        ("mgr", "manager"),
        ("sachb", "sachbearbeiter"),
        ("mitarb", "mitarbeiter"),
    ];
    let full = |(end, full): &(&str, &str)| w.strip_suffix(end).filter(|s| s.len() >= 3).map(|s| format!("{s}{full}"));
    ENDS.iter().find_map(full)
}

/// "Exportabteilung", "Vertriebsteam", "Verkaufspersonal": the unit is about what its name begins with.
pub(super) fn unit(lex: &Lexicon, w: &str) -> Option<Sense> {
    const UNITS: [&str; 9] =
        ["abteilung", "abteilungen", "bereich", "ressort", "team", "sparte", "bereichs", "abteilungs", "personal"];
    let name = UNITS.iter().find_map(|end| w.strip_suffix(end))?;
    let (0, word) = last_part(lex, name)? else { return None };
    let function = word.domain?.0;
    Some(Sense { functions: Functions::one(function, weight::DOMAIN), german: true, ..Sense::default() })
}

/// What somebody known does: "Anlageberatung" by "Anlageberater".
pub(super) fn service(lex: &Lexicon, w: &str) -> Option<Sense> {
    const WORKS: [(&str, &str); 3] =
        [("beratung", "berater"), ("betreuung", "betreuer"), ("vermittlung", "vermittler")];
    let who = WORKS.iter().find_map(|(work, who)| Some(format!("{}{who}", w.strip_suffix(work)?)))?;
    let function = find(lex, &who)?.role?.function;
    Some(Sense { functions: Functions::one(function, weight::DOMAIN), german: true, ..Sense::default() })
}

/// The word whose end completes the one at `at`: "Finanz- und Personalleiter", "Finanz-, Personal- und IT-Leiter".
pub(super) fn elided(tokens: &[Token], at: usize) -> Option<usize> {
    let joins = |t: &Token| matches!(&*t.text, "und" | "u" | "oder" | "bzw" | "sowie");
    let next = tokens.get(at + 1)?;
    match next.before {
        Sep::Hyphen if joins(next) && at + 2 < tokens.len() => {
            let more = tokens[at + 3..].iter().take_while(|t| t.before == Sep::Hyphen).count();
            Some(at + 2 + more)
        }
        Sep::Amp => elided(tokens, at + 1),
        _ => None,
    }
}

/// What an elided word means with the end of the word that completes it: "Ein-" before "Verkauf" is "Einkauf", and
/// "Finanz-" before "Personalleiter" is what a "Finanzleiter" works at.
pub(super) fn completed(lex: &Lexicon, stem: &str, next: &str) -> Option<Sense> {
    let ends = (0..next.len().saturating_sub(2)).filter_map(|from| next.get(from..));
    let function = ends.filter_map(|end| find(lex, &format!("{stem}{end}"))).find_map(|w| {
        let role = w.role.filter(|r| !r.soft).map(|r| r.function);
        // Whoever leads a plant besides a department counts for the department.
        role.or(w.domain.map(|d| d.0)).filter(|&f| f != JobFunction::ExecutiveManagement)
    })?;
    Some(Sense { functions: Functions::one(function, weight::DOMAIN), german: true, ..Sense::default() })
}
