//! What cells say, and what the names of files do.
//!
//! Invariant: a word that says no counts whatever stands beside it; a word that says yes counts alone.

use super::{Compared, Kind, LONGEST, Role, WORDS, kind_of, last, no_of, role};
use crate::crm::{No, no_of_header, normal_header, undoubted_date};

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::consent::dialect::list) enum Says {
    /// Nothing, or that nobody has said anything.
    Nothing,
    /// It is under way, or no more.
    Open,
    Yes,
    No,
    /// No by itself.
    Refused(Kind),
    /// Yes by itself.
    Granted,
    /// A day or an instant, as it is read elsewhere.
    Date(String),
    Unknown,
}

/// What a cell says.
pub(in crate::consent::dialect::list) fn says(cell: &str) -> Says {
    let cell = cell.trim();
    match cell.to_lowercase().as_str() {
        "" | "-" | "–" | "--" | "/" | "n/a" | "k.a." | "k. a." | "null" | "[]" | "{}" => return Says::Nothing,
        "ja" | "j" | "yes" | "y" | "true" | "wahr" | "1" | "x" | "✓" | "✔" | "☑" | "☒" | "on" | "checked"
        | "gesetzt" => {
            return Says::Yes;
        }
        "nein" | "n" | "no" | "false" | "falsch" | "0" | "off" | "☐" | "unchecked" => return Says::No,
        _ => {}
    }
    if let Some(at) = date(cell) {
        return Says::Date(at);
    }
    if cell.chars().count() > LONGEST {
        return Says::Unknown;
    }
    let (text, values) = (Compared::of(cell), &WORDS.values);
    let mut left = text.whole.clone();
    for negated in &values.negated {
        left = left.replace(negated.as_str(), "");
    }
    let is_negated = left.len() < text.whole.len();
    let first = text.words.first().map(String::as_str);
    let doubts = cell.contains('?') || text.words.iter().any(|word| values.doubts.contains(word));
    // What is denied tells nothing: `nicht abgemeldet` is no yes.
    if let Some(kind) = kind_of(&Compared { whole: left, words: text.words.clone() }) {
        // A demand for erasure that was turned down erases nobody, and is a no all the same.
        let is_turned_down = kind == Kind::Erase && text.has(&values.refuse);
        Says::Refused(if is_turned_down { Kind::Processing } else { kind })
    } else if is_negated || text.has(&values.unset) {
        Says::Nothing
    } else if text.has(&values.open) {
        Says::Open
    } else if is_number_of_something(cell) {
        Says::Nothing
    } else if matches!(first, Some("nein" | "no")) {
        Says::No
    } else if text.has(&values.granted) && !doubts {
        Says::Granted
    } else if matches!(first, Some("ja" | "yes" | "j" | "y")) {
        // With something behind it that nobody here knows.
        Says::Open
    } else {
        Says::Unknown
    }
}

/// The flags of a CRM that a cell sets, in a column about data protection that no field stands for.
///
/// # Errors
/// Nobody can tell what it says.
pub(crate) fn flags_of_cell(header: &str, cell: &str) -> Result<Vec<&'static str>, UnknownCell> {
    let column = no_of(last(header), &Compared::of(last(header)));
    // Of a yes and a no a bare answer, or a date, tells neither.
    if no_of_header(last(header)) == Some(No::Either) && matches!(says(cell), Says::Yes | Says::No | Says::Date(_)) {
        return Err(UnknownCell);
    }
    let is_asked = matches!(role(header), Role::Answer { asked: true, vague: false, .. });
    let kind = match says(cell) {
        // An objection that lies before somebody, or is active, is one; of one that is open or over nobody can tell.
        Says::Granted if column == Some(Kind::Object) && !allows(cell) => {
            let is_free = ["ok", "frei", "freigegeben"].iter().any(|free| normal_header(cell).contains(free));
            column.filter(|_| !is_free).ok_or(UnknownCell)?
        }
        Says::Open if column == Some(Kind::Object) => return Err(UnknownCell),
        Says::Nothing | Says::Open | Says::Granted => return Ok(Vec::new()),
        Says::No if column.is_some() => return Ok(Vec::new()),
        Says::No if is_asked => Kind::Refuse,
        Says::Yes | Says::Date(_) if is_asked && column.is_none() => return Ok(Vec::new()),
        Says::Yes | Says::Date(_) => column.ok_or(UnknownCell)?,
        Says::Refused(kind) => kind,
        Says::Unknown | Says::No => return Err(UnknownCell),
    };
    Ok(flags_of(kind, header, cell))
}

/// The flags that a no of this kind sets.
fn flags_of(kind: Kind, header: &str, cell: &str) -> Vec<&'static str> {
    let about = Compared::of(&format!("{header} {cell}"));
    let is_profiling = about.has(&WORDS.about.tracking) || about.has(&WORDS.about.profiling);
    let is_marketing = about.has(&WORDS.headers.topic);
    match kind {
        Kind::Erase => vec!["should_forget"],
        Kind::Profiling => vec!["do_not_profile"],
        Kind::Processing | Kind::Restrict => vec!["do_not_process"],
        _ if is_profiling && is_marketing => vec!["do_not_profile", "email_opt_out"],
        _ if is_profiling => vec!["do_not_profile"],
        Kind::Object if !about.has(&WORDS.about.processing) => vec!["email_opt_out"],
        _ => vec!["do_not_process"],
    }
}

/// The flags that a cell sets which says no by itself; any other sets none.
pub(crate) fn noes_of_cell(header: &str, cell: &str) -> Vec<&'static str> {
    match says(cell) {
        Says::Refused(kind) => flags_of(kind, header, cell),
        _ => Vec::new(),
    }
}

/// What a cell of several words says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellSays {
    /// That there is none of whatever it tells.
    Nothing,
    /// Yes, with more behind it.
    Yes,
    /// No, or what nobody can tell.
    Other,
}

/// What a cell says that is no plain yes or no.
pub(crate) fn cell_says(cell: &str) -> CellSays {
    let text = Compared::of(cell);
    match says(cell) {
        // `never again` and `none please` say no: so these words alone.
        Says::Nothing if text.has(&WORDS.values.nothing) => CellSays::Nothing,
        Says::Yes | Says::Granted => CellSays::Yes,
        // "ja, 12.03.2024"
        Says::Open
            if matches!(text.words.first().map(String::as_str), Some("ja" | "yes" | "j" | "y"))
                && !has_doubts(&text) =>
        {
            CellSays::Yes
        }
        _ => CellSays::Other,
    }
}

/// Whether a column is one of answers to the question whether somebody consents.
pub(crate) fn asks_for_consent(header: &str) -> bool {
    matches!(role(header), Role::Answer { asked: true, vague: false, .. })
}

/// A cell that may say no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnknownCell;

fn has_doubts(text: &Compared) -> bool {
    text.words.iter().any(|word| WORDS.values.doubts.contains(word))
}

/// Whether a cell of a column that says no says it once more: `no longer subscribed`.
pub(in crate::consent::dialect::list) fn denies(cell: &str) -> bool {
    let text = Compared::of(cell);
    text.has(&WORDS.values.allowed) && has_doubts(&text)
}

/// Whether a column is that of the person's own address.
pub(in crate::consent::dialect::list) fn is_own_address(header: &str) -> bool {
    let name = normal_header(last(header));
    WORDS.own_address.0.iter().any(|own| own == name.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Whether a cell of a column that says no takes it back.
pub(in crate::consent::dialect::list) fn allows(cell: &str) -> bool {
    let text = Compared::of(cell);
    text.has(&WORDS.values.allowed) && kind_of(&text).is_none() && !has_doubts(&text)
}

/// Whether an answer is what Pipedrive calls everybody who was never asked.
pub(in crate::consent::dialect::list) fn was_never_asked(header: &str, cell: &str) -> bool {
    Compared::of(header).whole.contains("marketingstatus") && Compared::of(cell).is("noconsent")
}

/// Ids and the like.
pub(in crate::consent::dialect::list) fn is_number_of_something(cell: &str) -> bool {
    cell.len() >= 12 && !cell.contains(char::is_whitespace) && cell.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// Whether each row of a list is a no, by the name of its file.
pub(in crate::consent::dialect::list) fn is_list_of_noes(file: &str) -> bool {
    let file = file.rsplit('/').next().unwrap_or(file);
    let words = Compared::of(&file.rsplit_once('.').map_or(file, |(stem, _)| stem).replace('_', " ")).words;
    let is = |all: &[String]| words.iter().any(|word| all.contains(word));
    is(&WORDS.lists_of_noes) && !is(&WORDS.not_lists)
}

/// Whether a cell claims a legitimate interest.
pub(in crate::consent::dialect::list) fn is_legitimate_interest(cell: &str) -> bool {
    let text = Compared::of(cell);
    let doubts = text.words.iter().any(|word| WORDS.values.doubts.contains(word));
    text.has(&WORDS.values.legitimate_interest) && !doubts
}

/// A day or an instant as the dialects read them.
pub(in crate::consent::dialect::list) fn date(cell: &str) -> Option<String> {
    use crate::crm::When;
    let cell = cell.trim();
    if cell.bytes().all(|b| b.is_ascii_digit()) {
        match cell.len() {
            // 20250201101500
            14 => {
                return date(&format!(
                    "{}-{}-{} {}:{}",
                    &cell[..4],
                    &cell[4..6],
                    &cell[6..8],
                    &cell[8..10],
                    &cell[10..12]
                ));
            }
            10 | 13 => {}
            // Others may be a number of something.
            _ => return None,
        }
    }
    undoubted_date(cell).map(|when| match when {
        When::At(at) => at.to_string(),
        When::Day(day) => day.to_string(),
    })
}
