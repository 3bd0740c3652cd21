//! What stands between two signs of a list: names, words of roles, and what may stand beside them.
//!
//! Invariant: whatever else stands there makes the whole of it no entry.

use std::ops::Range;

use super::super::bare::{COLLEAGUES, OURS};
use super::super::guard::fold::Cell;
use super::super::guard::token::Token;
use super::super::part::Part;
use super::super::people::{Directory, Who};
use super::terms::ROLE_LINES;
use crate::taxonomy::BuyingRole;

/// What was found.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub(super) struct Scan {
    /// Contacts by name.
    pub(super) names: Vec<usize>,
    /// Contacts by title.
    pub(super) titled: Vec<usize>,
    pub(super) roles: Vec<BuyingRole>,
    /// Anything that belongs in no list.
    pub(super) other: bool,
    /// `beide`: it is said of all who stand before it.
    pub(super) of_all: bool,
    /// `ist`, `liegt bei`: a word says that the person has the role.
    pub(super) is_said: bool,
    /// A word says what somebody is called.
    pub(super) has_title: bool,
    /// The roles are no more than what somebody is called.
    pub(super) is_called: bool,
}

impl Scan {
    pub(super) fn and(mut self, more: Self) -> Self {
        self.names.extend(more.names);
        self.titled.extend(more.titled);
        self.roles.extend(more.roles);
        self.other |= more.other;
        self.of_all |= more.of_all;
        self.is_said |= more.is_said;
        self.has_title |= more.has_title;
        self.is_called &= more.is_called;
        self
    }
}

/// Between a role and a person they say that this one has it.
const IS: [&str; 7] = ["ist", "is", "sind", "are", "bleibt", "remains", "heisst"];

/// The same, but that whoever has it must be named.
const LIES: [&str; 9] = ["liegt", "liegen", "lies", "sits", "rests", "stays", "obliegt", "verbleibt", "belongs"];

/// What joins two roles of one person.
const AND: [&str; 7] = ["und", "and", "u", "sowie", "auch", "also", "plus"];

/// Between a role and a person they say whose deed it is.
const BY: [&str; 8] = ["durch", "von", "by", "bei", "with", "w", "via", "beim"];

/// Behind them stands an amount, or when something begins or ends.
const FROM: [&str; 7] = ["ab", "bis", "from", "until", "till", "starting", "to"];

/// Beginnings of months.
const MONTHS: [&str; 17] = [
    "jan", "feb", "maerz", "mrz", "march", "apr", "mai", "may", "jun", "jul", "aug", "sep", "okt", "oct", "nov", "dez",
    "dec",
];

/// Before a person they make somebody else of the one before, or something that is done to the person.
const OF: [&str; 8] = ["von", "vom", "of", "fuer", "for", "an", "zu", "mit"];

/// What the words so far end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    /// Of whom it is, or by whom.
    Preposition {
        behind_title: bool,
        by: bool,
    },
    Title,
    Word,
}

/// Reads the words of a piece.
pub(super) fn scan(cells: &[Cell], tokens: &[Token<'_>], piece: Range<usize>, directory: &Directory<'_>) -> Scan {
    let (mut found, mut last, mut at) = (Scan::default(), Last::Nothing, piece.start);
    let (mut lies, mut all_called) = (false, true);
    while at < piece.end && !found.other {
        let token = &tokens[at];
        if let Some((who, end)) = directory.listed(cells, tokens, at).filter(|(_, end)| *end <= piece.end) {
            // `Brandts Chef`, `Assistentin von Brandt`, `Freigabe für Brandt`, `unser Brandt`.
            let owns = tokens[end - 1].text.ends_with("'s") && end < piece.end;
            let of_another = match last {
                Last::Preposition { behind_title, by } => behind_title || !by || found.roles.is_empty(),
                _ => false,
            };
            let ours = at > piece.start && (is_in(&tokens[at - 1], OURS) || is_in(&tokens[at - 1], COLLEAGUES));
            match who {
                Who::Contact(contact) if !owns && !of_another && !ours => found.names.push(contact),
                _ => found.other = true,
            }
            (at, last) = (end, Last::Word);
        } else if let Some((length, role)) = ROLE_LINES.begins(&tokens[at..piece.end]) {
            let end = at + length;
            // `Einkauf Brandt` is what he is called.
            let called = tokens[at..end].iter().all(|t| t.word.is(Part::CALLED));
            let names = end < piece.end && directory.listed(cells, tokens, end).is_some();
            let joined = found.roles.is_empty() || found.roles.contains(&role) || is_in(&tokens[at - 1], &AND);
            // `Entscheidung liegt beim Einkauf` is a department's, the order in `unterschreibt die Bestellung` what is signed.
            found.other |= matches!(last, Last::Preposition { by: true, .. }) && !found.roles.is_empty();
            if joined && !(called && names) {
                found.roles.push(role);
                all_called &= called;
            }
            (at, last) = (end, if called { Last::Title } else { Last::Word });
        } else if let Some((contact, end)) = directory.titled(tokens, at).filter(|(_, end)| *end <= piece.end) {
            found.titled.push(contact);
            (at, last) = (end, Last::Title);
        } else if IS.contains(&token.text) || LIES.contains(&token.text) {
            lies |= LIES.contains(&token.text);
            found.is_said = true;
            (at, last) = (at + 1, Last::Word);
        } else if FROM.contains(&token.text) {
            // `ab August`, `from 2027`: not yet, or nobody knows; `ab 5 T€` is an amount.
            found.other |= is_date(cells, &tokens[at + 1..piece.end]);
            (at, last) = (at + 1, Last::Preposition { behind_title: false, by: false });
        } else if BY.contains(&token.text) || OF.contains(&token.text) {
            let by = BY.contains(&token.text);
            last = Last::Preposition { behind_title: last == Last::Title, by };
            at += 1;
        } else if ROLE_LINES.may_stand_beside(token) {
            found.of_all |= matches!(token.text, "beide" | "beiden" | "both");
            found.has_title |= token.word.is(Part::CALLED);
            last = behind(last, token);
            at += 1;
        } else {
            found.other = true;
        }
    }
    found.other |= lies && found.names.is_empty() && found.titled.is_empty();
    found.is_called = all_called && !found.roles.is_empty();
    found
}

fn is_in(token: &Token<'_>, words: &[&str]) -> bool {
    words.contains(&token.text)
}

/// What the words end with behind one that may stand beside names and roles.
fn behind(last: Last, token: &Token<'_>) -> Last {
    let is_title = token.word.is(Part::CALLED);
    // An article, or what somebody is called, between a preposition and a name.
    if matches!(last, Last::Preposition { .. }) && (is_title || is_article(token) || token.word.is(Part::ADDRESS)) {
        last
    } else if is_title {
        Last::Title
    } else {
        Last::Word
    }
}

/// Whether words begin with a month, a year, a quarter or a day.
fn is_date(cells: &[Cell], words: &[Token<'_>]) -> bool {
    let Some(first) = words.first() else { return false };
    let digits = first.text.bytes().all(|byte| byte.is_ascii_digit());
    let year = digits && first.text.len() == 4 && (first.text.starts_with("20") || first.text.starts_with("19"));
    let stop = |at: usize| cells.get(at).is_some_and(|c| c.raw == '.' || c.raw == '/');
    // `1.1.`, but not `1.000 €`.
    let thousands = words.get(1).is_some_and(|next| next.text.len() == 3 && next.cells.start == first.cells.end + 1);
    let day = digits && first.text.len() <= 2 && stop(first.cells.end) && !thousands;
    let quarter =
        matches!(first.text, "q1" | "q2" | "q3" | "q4" | "kw" | "dem" | "sommer" | "summer" | "herbst" | "autumn");
    year || day || quarter || MONTHS.iter().any(|month| first.text.starts_with(month))
}

fn is_article(token: &Token<'_>) -> bool {
    matches!(token.text, "der" | "die" | "den" | "dem" | "the")
}
