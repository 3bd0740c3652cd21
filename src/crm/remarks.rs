//! What people write beside a contact that they do not delete: that somebody has left, or is a duplicate of another one.
//!
//! Invariant: only what a remark says of its own contact counts, so that of a successor the one before is not taken for gone;
//! nothing of a remark is kept.

use std::sync::LazyLock;

use serde::Deserialize;

use super::reader::Cells;
use super::value;

/// The field whose columns hold remarks, and states.
pub(super) const REMARK: &str = "remark";
/// So many words behind "duplicate of" may stand before the id.
const BEFORE_ID: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    before: Vec<String>,
    left: Vec<String>,
    gone: Vec<String>,
    merged: Vec<String>,
    denied: Vec<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../config/crm/remarks.yaml")).expect("remarks.yaml is checked by a test")
});

/// Whether a remark of the row says that its contact is gone.
pub(super) fn says_gone(cells: &Cells<'_>) -> bool {
    remarks(cells).any(|remark| is_gone(remark, &names(cells)))
}

/// The record that a remark of the row names as the one that holds.
pub(super) fn merged_into(cells: &Cells<'_>) -> Option<String> {
    remarks(cells).find_map(|remark| record_in(remark, &names(cells)))
}

fn remarks<'c>(cells: &'c Cells<'_>) -> impl Iterator<Item = &'c str> {
    cells.layout.all(REMARK).iter().filter_map(|at| value::text(cells.row.cell(*at)))
}

/// The words of the contact's own name.
fn names(cells: &Cells<'_>) -> Vec<String> {
    let parts = ["given_name", "family_name", "full_name"].into_iter().filter_map(|field| cells.text(field));
    parts.flat_map(|part| part.split([' ', ','])).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn is_gone(remark: &str, names: &[String]) -> bool {
    let whole = remark.trim_end_matches(['.', '!']).to_lowercase();
    WORDS.gone.contains(&whole)
        || sentences(remark, names).iter().any(|sentence| {
            let rest = WORDS.left.iter().find_map(|said| after(sentence, said));
            let denied = |word: &str| WORDS.denied.iter().any(|no| no == word);
            rest.is_some_and(|rest| {
                !rest.split(|c: char| !c.is_alphanumeric()).find(|w| !w.is_empty()).is_some_and(denied)
            })
        })
}

fn record_in(remark: &str, names: &[String]) -> Option<String> {
    sentences(remark, names).iter().find_map(|sentence| {
        let rest = WORDS.merged.iter().find_map(|said| after(sentence, said))?;
        // As the remark writes it, not in small letters.
        let at = remark.to_lowercase().find(rest.trim())?;
        let words = remark.get(at..).unwrap_or(rest).split([' ', ',', '(', ')', ':', '#', '=', '"']);
        let mut words = words.map(|word| word.trim_matches(['.', ';', '!', '?'])).filter(|word| !word.is_empty());
        words.by_ref().take(BEFORE_ID).find(|word| word.chars().any(|c| c.is_ascii_digit())).map(str::to_owned)
    })
}

/// What stands behind words that a sentence begins with.
fn after<'s>(sentence: &'s str, words: &str) -> Option<&'s str> {
    sentence.strip_prefix(words).filter(|rest| !rest.starts_with(char::is_alphabetic) || words.ends_with("any"))
}

/// The sentences of a remark in small letters, each without what may stand before a statement.
fn sentences(remark: &str, names: &[String]) -> Vec<String> {
    let lower = value::collapse(&remark.replace(['\n', '\r', '|'], ";")).to_lowercase();
    let parts = lower.split(';').flat_map(|part| part.split(". ")).flat_map(|part| part.split(" - "));
    parts
        .map(|part| {
            let is_before = |word: &&str| {
                let bare = word.trim_matches([',', ':', '(', ')']);
                let is_date = |word: &str| word.chars().all(|c| c.is_ascii_digit() || "./-".contains(c));
                is_date(bare) || WORDS.before.iter().chain(names).any(|known| known == bare)
            };
            part.split(' ').skip_while(is_before).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_tell_of_their_own_contact_alone() {
        let names = ["hans-peter".to_owned(), "wenzel".to_owned()];
        for (remark, gone) in [
            ("ausgeschieden zum 31.10.2026, Nachfolge Hr. Thoma", true),
            ("Hr. Wenzel ist am 31.10.2026 ausgeschieden", true),
            ("03.11.2026: nicht mehr im Unternehmen", true),
            ("Ruft gern an. Hat das Unternehmen verlassen", true),
            ("Inaktiv", true),
            ("no longer with the company", true),
            ("ausgeschieden: nein", false),
            ("Nachfolger von Hr. Wenzel (ausgeschieden)", false),
            ("Thoma ausgeschieden", false),
            ("Elternzeit bis 03/2027", false),
            ("nicht mehr anrufen", false),
            ("left a message", false),
            ("inaktive Kunden betreut er", false),
            ("", false),
        ] {
            assert_eq!(is_gone(remark, &names), gone, "{remark}");
        }
        for (remark, record) in [
            ("Dublette von 118", Some("118")),
            ("zusammengeführt mit Kontakt K-104 (Grünwald)", Some("K-104")),
            ("keine Dublette von 112, Zwillingsbruder!", None),
            ("Duplicate of #77.", Some("77")),
            ("Dublette von Frau Schäfer", None),
        ] {
            assert_eq!(record_in(remark, &names).as_deref(), record, "{remark}");
        }
    }
}
