//! What a row of a consent table says that is a no, in a cell that nobody reads for one: `abgemeldet` under the name, `widerrufen` where
//! the language stands.
//!
//! Invariant: both readers of consent tables ask here, so that they stop at nothing else and pass nothing else over. What plainly is a
//! no is one; of what may be one somebody has to say what it is, and until then nothing of its person is done.

use super::list::{Told, told_in};
use super::table::{Column, column_of};
use crate::consent::event::{LawfulBasis, Proof};
use crate::crm::value::{is_refusal, language};

/// The reason of dead letters of rows that say no in a cell, and count as a refusal of everything.
pub(crate) const REFUSES: &str = "refusal_in_a_cell";
/// The reason of those of which nobody can tell whether they do.
pub(crate) const UNSURE: &str = "perhaps_a_refusal";

/// A no in a cell of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal<'c> {
    /// How sure it is.
    pub told: Told,
    /// The column, as it was given.
    pub column: &'c str,
}

impl Refusal<'_> {
    /// The reason of the dead letter that tells it, and what to do; whether the pipeline can name the column as one that says nothing.
    pub(crate) fn letter(&self, can_ignore: bool) -> (&'static str, String) {
        let (reason, advice) = match self.told {
            Told::Plainly => (
                REFUSES,
                "says no in a column that holds no answers, so the row counts as a refusal of everything, which no later row ends; keep \
                 the row, and write what was said under kind",
            ),
            Told::Perhaps => (
                UNSURE,
                "may say no in a column that holds no answers, so the row grants nothing and the person is left out until it can be \
                 read: write what was said under kind (withdraw, object, refuse), and nothing of it here",
            ),
        };
        let honest = if can_ignore {
            "; where it is an honest title, name or firm, name the column under `ignored` of `consents`"
        } else {
            "; where it is something else, write it in other words"
        };
        (reason, advice.to_owned() + honest)
    }
}

/// How cells of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Who, what and when it was about: anything else there is told elsewhere.
    Never,
    /// Names and the like: whatever is a no there is one, in a row that says no to something, too.
    Always,
    /// Of a yes alone, for beside a no it tells how or until when; numbers and times are no words.
    Number,
    /// The same of a language.
    Language,
    Basis,
    /// How a yes was given, or what it is limited to, may have such words in its name: only a cell of nothing else is asked about.
    Proof,
    /// Nobody knows the column.
    Unknown,
}

fn reading_of(column: &str) -> Reading {
    let name = match column_of(column) {
        Column::Known(name) => name,
        Column::Harmless => return Reading::Always,
        Column::Unknown => return Reading::Unknown,
    };
    match name {
        "actor" | "email" => Reading::Always,
        "event_id" | "supersedes" | "wording_hash" | "valid_from" | "valid_to" | "recorded_at" => Reading::Number,
        "language" => Reading::Language,
        "method" | "notice_id" | "operations" | "data_categories" | "recipients" | "regions" => Reading::Proof,
        "basis" => Reading::Basis,
        _ => Reading::Never,
    }
}

/// What the cells of a row say that is a no, the surest of them; `is_no` tells that the row is one already. Columns by their names in
/// `config/consent/table.yaml`, or by their headers.
pub(crate) fn refusal_of<'c>(is_no: bool, cells: impl Iterator<Item = (&'c str, &'c str)>) -> Option<Refusal<'c>> {
    let mut found: Option<Refusal<'c>> = None;
    for (column, cell) in cells {
        let told = match reading_of(column) {
            Reading::Never => None,
            Reading::Always => told_in(cell),
            // A no is wider where somebody plainly says so, and nowhere else.
            _ if is_no => None,
            Reading::Number | Reading::Proof if is_number(cell) => None,
            Reading::Language if language(cell).is_some() => None,
            Reading::Basis if LawfulBasis::read(cell).is_some() => None,
            Reading::Basis if is_refusal(cell) => Some(Told::Plainly),
            Reading::Number | Reading::Language | Reading::Basis => told_in(cell),
            Reading::Proof if is_act(cell) => None,
            Reading::Proof => told_in(cell).filter(|told| *told == Told::Plainly).map(|_| Told::Perhaps),
            Reading::Unknown => told_in(cell).map(|_| Told::Perhaps),
        };
        let told = told.filter(|told| !is_no || *told == Told::Plainly);
        if let Some(told) = told.filter(|told| found.is_none_or(|other| *told > other.told)) {
            found = Some(Refusal { told, column });
        }
    }
    found
}

/// Whether a cell names an act by which somebody consents.
fn is_act(cell: &str) -> bool {
    Proof { method: Some(cell.to_owned()), ..Proof::default() }.is_of_the_subject()
}

/// Whether a cell is a number of something, such as `OPTOUT-17`.
fn is_number(cell: &str) -> bool {
    cell.bytes().any(|b| b.is_ascii_digit()) && !cell.contains(|c: char| !c.is_alphanumeric() && !"-_.:/#".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_counts_wherever_no_answer_is_asked_for() {
        use Told::{Perhaps, Plainly};
        for (is_no, column, cell, told) in [
            (false, "Firma", "abgemeldet", Some(Plainly)),
            (false, "Erfasst von", "Widersprochen!", Some(Plainly)),
            (false, "E-Mail", "abgemeldet", Some(Plainly)),
            (false, "language", "abgemeldet", Some(Plainly)),
            (false, "Sprache", "nicht mehr kontaktieren", Some(Plainly)),
            (false, "event_id", "widerrufen", Some(Plainly)),
            (false, "event_id", "widerrufen am 3.5.2025", Some(Plainly)),
            (false, "event_id", "OPTOUT-17", None),
            (false, "wording_hash", "sha256:00", None),
            (false, "valid_to", "widerrufen am 3.5.2025", Some(Plainly)),
            (false, "basis", "withdrawn", Some(Plainly)),
            (false, "basis", "abgelehnt", Some(Plainly)),
            (false, "basis", "6(1)(a)", None),
            (false, "method", "opt-out", Some(Perhaps)),
            (false, "method", "double_opt_in", None),
            (false, "notice_id", "Hinweis mit Widerspruch 2025", None),
            (false, "notice_id", "widerrufen", Some(Perhaps)),
            (false, "notice_id", "OPT-OUT-2025", None),
            (false, "Status", "abgemeldet", Some(Perhaps)),
            (false, "Kunde", "inaktiv", None),
            (false, "Kunde", "gesperrt", Some(Perhaps)),
            (false, "contact_id", "abgemeldet", None),
            (false, "purposes", "erasure", None),
            (true, "Firma", "abgemeldet", Some(Plainly)),
            (true, "Firma", "Widerspruchsstelle Meier, Widerspruch liegt bei", None),
            (true, "method", "unsubscribe", None),
            (true, "basis", "withdrawn", None),
        ] {
            let found = refusal_of(is_no, [("Name", "Muster"), (column, cell)].into_iter());
            assert_eq!(found.map(|found| found.told), told, "{column}: {cell}");
            assert!(found.is_none_or(|found| found.column == column));
        }
        // The surest counts.
        let cells = [("Kunde", "gesperrt"), ("Name", "abgemeldet"), ("method", "opt-out")];
        let found = refusal_of(false, cells.into_iter()).expect("a no");
        assert_eq!((found.told, found.column), (Plainly, "Name"));
    }
}
