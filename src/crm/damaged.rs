//! Rows that cannot be read: whose they are, and whether they may say no.
//!
//! Invariant: a row against processing is never lost with its row. Whose it is holds only where the damage is not in the id; of
//! consents a row of nobody knows whom stops the reading, of contacts one that may say no.

use std::collections::BTreeSet;

use super::columns::{BY_CELL, FLAGS, Layout, NOES, Table, WHY};
use super::passed::is_remark;
use super::reader::Cells;
use super::rows::{Row, dead};
use super::value::{self, Says};
use super::{CrmDeadLetter, CrmError, Origin, Unit, contact, noes, objections};

/// More ids than this are not those of one row, but of all that a damage has swallowed.
const MOST_IDS: usize = 50;
/// Nobody's name has more words.
const MOST_OF_NAME: usize = 4;
/// An id is no longer than this, in bytes.
const MOST_OF_ID: usize = 256;

/// A row that cannot be read.
pub(super) struct Damage {
    /// What is wrong with it; whose it is, it does not say yet.
    pub(super) letter: Box<CrmDeadLetter>,
    pub(super) rest: Rest,
}

impl Damage {
    /// Looks for further rows within the cells of one.
    pub(super) fn look_for_others(&mut self, layout: &Layout, delimiter: u8) {
        if let Rest::Cells(row, has_others) = &mut self.rest {
            *has_others = *has_others || row.cells().any(|cell| swallows(layout, delimiter, cell, None));
        }
    }
}

/// What there still is of a row.
pub(super) enum Rest {
    /// Its cells, of which large ones may be cut off; and whether further rows are in them.
    Cells(Row, bool),
    /// An object of JSON as it stands in the file.
    Text(String),
    /// Nothing: it is larger than anything that is held.
    Nothing,
}

/// What ids look like, so that other cells are not taken for them: their signs, whether they have digits, and what they begin with
/// where that is letters alone (`K-17`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape(String, bool, Option<String>);

impl Shape {
    /// That of an id.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let begin = id.split_once(|c: char| !c.is_alphanumeric()).map(|(begin, _)| begin.to_owned());
        let begin = begin.filter(|begin| begin.len() <= 4 && begin.chars().all(char::is_alphabetic));
        Self(id.chars().filter(|c| !c.is_alphanumeric()).collect(), id.contains(|c: char| c.is_ascii_digit()), begin)
    }

    /// Whether a cell where ids stand may be one: another id has signs of the same kinds, however many, and addresses are alike.
    #[must_use]
    pub fn may_be(&self, cell: &str) -> bool {
        let Self(signs, digits, _) = Self::of(cell);
        let kinds = |signs: &str| signs.chars().collect::<BTreeSet<char>>();
        signs.contains('@') && self.0.contains('@') || digits == self.1 && kinds(&signs) == kinds(&self.0)
    }

    /// Whether a cell looks like an id; one that is not in its place has to begin as ids do.
    pub(super) fn is_of(&self, cell: &str, is_in_place: bool) -> bool {
        let Self(signs, digits, begin) = Self::of(cell);
        signs == self.0 && digits == self.1 && (is_in_place || begin == self.2)
    }
}

/// Where a row stands, and what is known of its file.
pub(super) struct Place<'p> {
    pub(super) layout: &'p Layout,
    pub(super) path: &'p std::path::Path,
    pub(super) shape: Option<&'p Shape>,
    /// It ends with the file, in the middle of a line.
    pub(super) is_cut_off: bool,
    /// No other file of the table has rows of the same people.
    pub(super) is_alone: bool,
}

impl Place<'_> {
    /// What is told of a row that cannot be read: a dead letter for everybody whose row it may be, and one at least.
    ///
    /// # Errors
    /// A no may be in it, and nobody can tell whose.
    #[expect(clippy::vec_box, reason = "readers hand them on one by one, each beside rows that are far smaller")]
    pub(super) fn letters(&self, damage: Damage) -> Result<Vec<Box<CrmDeadLetter>>, CrmError> {
        let Damage { letter, rest } = damage;
        let (path, line) = (self.path.to_owned(), letter.origin.line);
        let ids = self.ids(&letter, &rest);
        match self.layout.table {
            Table::Consents => {
                if matches!(letter.reason, "ragged_row" | "unreadable_json") && self.is_cut_off {
                    return Err(CrmError::CutOff { path, line });
                }
                let is_whole = matches!(rest, Rest::Cells(_, false));
                let is_too_large = matches!(letter.reason, "cell_too_large" | "row_too_large");
                if (ids.is_empty() || !is_whole || is_too_large) && !self.is_footer(&letter, &rest) {
                    return Err(CrmError::Nobodys { path, line });
                }
            }
            Table::Contacts => {
                let others = matches!(rest, Rest::Cells(_, true)) && !self.is_alone;
                if others || ids.len() > MOST_IDS {
                    return Err(CrmError::Swallowed { path, line });
                }
                if ids.is_empty() && self.may_say_no(&letter, &rest) {
                    return Err(CrmError::NobodysNo { path, line });
                }
            }
            Table::Notes if objections::is_in_rest(&rest) => return Ok(objections::of_unread(&letter, ids)),
            Table::Accounts | Table::Notes => {}
        }
        if ids.is_empty() {
            return Ok(vec![letter]);
        }
        let of = |id| Box::new(CrmDeadLetter { record_id: Some(id), ..(*letter).clone() });
        Ok(ids.into_iter().map(of).collect())
    }

    /// Everybody whose row it may be.
    fn ids(&self, letter: &CrmDeadLetter, rest: &Rest) -> Vec<String> {
        let table = self.layout.table;
        let mut ids: Vec<String> = match rest {
            Rest::Cells(row, _) if letter.reason == "ragged_row" => self.shifted_ids(row),
            Rest::Cells(row, _) => id_at(row, self.layout.column(table.key())).into_iter().collect(),
            Rest::Text(text) if matches!(table, Table::Contacts | Table::Notes) => {
                let columns = self.layout.all(table.key());
                let is_id = |key: &str| columns.iter().any(|at| is_key_of(key, self.layout.header_of(*at)));
                let found = pairs(text).into_iter().filter(|pair| is_id(&pair.key));
                let ids: Option<Vec<String>> = found.map(|pair| pair.id()).collect();
                // Of two, one may be damaged: then nobody knows whether the other one is meant.
                ids.unwrap_or_default()
            }
            Rest::Text(_) | Rest::Nothing => Vec::new(),
        };
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Of a row with cells too many or too few: what looks like an id where it may have been moved to.
    fn shifted_ids(&self, row: &Row) -> Vec<String> {
        let Some(at) = self.layout.column(self.layout.table.key()) else { return Vec::new() };
        let is_read = self.layout.table != Table::Accounts;
        let (have, want) = (row.ends.len(), self.layout.width);
        let columns = if at == 0 || !is_read {
            at..=at
        } else {
            at.saturating_sub(want.saturating_sub(have))..=at + have.saturating_sub(want)
        };
        let is_alike = |id: &str, is_in_place| match self.shape {
            None => true,
            // Nothing but its own end can have been moved there.
            Some(shape) if at == 0 => shape.may_be(id),
            Some(shape) => shape.is_of(id, is_in_place),
        };
        let id = |column| {
            let id = id_at(row, Some(column))?;
            (!is_read || is_alike(&id, column == at)).then_some(id)
        };
        let number = (have > want).then(|| parted(row, at)).flatten();
        columns.filter_map(id).chain(number).collect()
    }

    /// Whether a row is words about the table and no row of it, such as `346 rows`: one cell with several words, which say no to
    /// nothing, and are nobody's name in the place of an id.
    fn is_footer(&self, letter: &CrmDeadLetter, rest: &Rest) -> bool {
        let Rest::Cells(row, false) = rest else { return false };
        let mut cells = row.cells().map(str::trim).filter(|cell| !cell.is_empty());
        let (only, more) = (cells.next().unwrap_or_default(), cells.next());
        let is_no_name = self.layout.column(self.layout.table.key()) == Some(0)
            || only.contains(|c: char| c.is_ascii_digit())
            || only.split_whitespace().count() > MOST_OF_NAME;
        letter.reason == "ragged_row" && more.is_none() && is_no_name && is_remark(only, self.shape)
    }

    /// Whether a row of a contact may say no. What cannot be told counts as if it did.
    fn may_say_no(&self, letter: &CrmDeadLetter, rest: &Rest) -> bool {
        let layout = self.layout;
        let noes: Vec<(&str, &[usize])> = layout.each().filter(|(field, _)| is_no_field(field)).collect();
        match rest {
            Rest::Nothing => !noes.is_empty(),
            Rest::Cells(..) if letter.reason == "wrong_type" => {
                letter.field.as_deref().is_some_and(|field| noes.iter().any(|(no, _)| *no == field))
            }
            // Which cell is which nobody can tell.
            Rest::Cells(row, _) if letter.reason == "ragged_row" => {
                let asks = ["email_allowed", "contact_allowed", "active"].iter().any(|f| layout.column(f).is_some());
                let says_no = |cell: &str| match value::says(cell) {
                    Some(Says::No) => asks,
                    // A date is in most rows.
                    Some(Says::Yes) => !noes.is_empty() && !cell.contains(|c: char| c.is_ascii_digit()),
                    Some(Says::Refused) => true,
                    _ => value::is_plain_no(cell) || objections::is_in(cell),
                };
                row.cells().any(says_no)
            }
            Rest::Cells(row, _) => refuses(layout, row),
            Rest::Text(text) => self.text_may_say_no(text, &noes),
        }
    }

    fn text_may_say_no(&self, text: &str, noes: &[(&str, &[usize])]) -> bool {
        if !text.trim_end().ends_with(['}', ']']) && text.contains('"') && !noes.is_empty() {
            return true;
        }
        let (pairs, layout) = (pairs(text), self.layout);
        let is_unknown = |key: &str| !layout.header().iter().any(|header| is_key_of(key, header));
        let mut rows: Vec<Vec<String>> = Vec::new();
        for pair in &pairs {
            if is_unknown(&pair.key) && noes::read(&pair.key).is_some() && !pair.says_nothing() {
                return true;
            }
            for at in (0..layout.width).filter(|at| is_key_of(&pair.key, layout.header_of(*at))) {
                if !pair.is_whole && noes.iter().any(|(_, columns)| columns.contains(&at)) {
                    return true;
                }
                // A key that stands there again says something in a row of its own.
                let free = rows.iter().position(|row| row[at].is_empty()).unwrap_or(rows.len());
                if free == rows.len() {
                    rows.push(vec![String::new(); layout.width]);
                }
                rows[free][at] = pair.text();
            }
        }
        rows.iter().any(|cells| refuses(layout, &Row::of_cells(cells, &"".into(), 0, Unit::Line)))
    }
}

/// Whether a row of further cells is in one: a line with as many delimiters as the header has, or the last one, where the quote that
/// was open ends within a cell of that row; and an id where it has one. `own` is the id of a row that can be read.
pub(super) fn swallows(layout: &Layout, delimiter: u8, cell: &str, own: Option<&str>) -> bool {
    let Some(at) = layout.column(layout.table.key()).filter(|_| layout.width > 1) else { return false };
    let mut lines = cell.lines().skip(1).peekable();
    while let Some(line) = lines.next() {
        let mut parts = line.split(char::from(delimiter));
        let Some(id) = parts.clone().nth(at).and_then(value::text) else { continue };
        let is_id = is_sound(id) && !id.contains(' ') && own.is_none_or(|own| is_alike(own, id));
        let count = parts.by_ref().count();
        let is_begun = lines.peek().is_none()
            && count > at + 1
            && id.contains(|c: char| c.is_ascii_digit())
            && (own.is_none() || ends_a_quote(line, delimiter));
        if is_id && (count >= layout.width || is_begun) {
            return true;
        }
    }
    false
}

/// Whether the next ids after one may look so: `K-10` after `K-9`, and no `0` after `0000`.
fn is_alike(own: &str, id: &str) -> bool {
    own.len().abs_diff(id.len()) <= 1 && Shape::of(own).is_of(id, false)
}

/// `K-2;withdraw;x"`: the last cell ends a quote that it did not begin; in `0;"q`, quoted as it should be, it began one.
fn ends_a_quote(line: &str, delimiter: u8) -> bool {
    let last = line.rsplit(char::from(delimiter)).next().unwrap_or_default().trim();
    last.ends_with('"') && !last.starts_with('"')
}

/// Whether rows stand in the cells of one that can be read: a quote that nothing closed took them in.
pub(super) fn has_swallowed(layout: &Layout, delimiter: u8, row: &Row) -> bool {
    let is_asked = matches!(layout.table, Table::Contacts | Table::Consents) && !layout.of_contacts;
    if !is_asked || !row.text.contains('\n') {
        return false;
    }
    let Some(own) = id_at(row, layout.column(layout.table.key())) else { return false };
    row.cells().any(|cell| swallows(layout, delimiter, cell, Some(&own)))
}

/// The number of which a delimiter has made two cells: `10,009`.
pub(super) fn parted(row: &Row, at: usize) -> Option<String> {
    let is_digits = |cell: &str| !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit());
    let (first, second) = (row.cells().nth(at)?.trim(), row.cells().nth(at + 1)?.trim());
    (is_digits(first) && first.len() <= 3 && is_digits(second) && second.len() == 3).then(|| first.to_owned() + second)
}

fn id_at(row: &Row, column: Option<usize>) -> Option<String> {
    value::text(row.cell(column?)).filter(|id| is_sound(id)).map(str::to_owned)
}

/// What is wrong with a row of which there is no cell.
#[expect(clippy::unnecessary_box_returns, reason = "it is handed on as the error that readers return")]
pub(super) fn unread(table: Table, reason: &'static str, advice: &str, origin: Origin, rest: Rest) -> Box<Damage> {
    Box::new(Damage { letter: dead(table, reason, None, advice, None, origin), rest })
}

/// Whether a row of a contact says no, or that it is gone.
pub(super) fn refuses(layout: &Layout, row: &Row) -> bool {
    contact::may_refuse(&mut Cells { layout, row, notes: &mut Vec::new(), id: None })
}

fn is_no_field(field: &str) -> bool {
    let others = ["email_allowed", "contact_allowed", "active", "merged_into", "legal_basis", BY_CELL, NOES];
    FLAGS.contains(&field) || others.contains(&field) || field.starts_with(WHY)
}

/// Whether the damage is not in an id.
pub(super) fn is_sound(id: &str) -> bool {
    !id.is_empty()
        && id.len() < MOST_OF_ID
        && !id.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER)
}

/// Whether a key of an object is the last one of a header, which has those of the objects around it, too.
fn is_key_of(key: &str, header: &str) -> bool {
    key == header || header.rsplit('.').next() == Some(key)
}

/// A key of damaged JSON, and what stands behind it.
struct Pair {
    key: String,
    /// As it stands there, without quotes.
    raw: String,
    is_text: bool,
    /// Whether it ends as a value does.
    is_whole: bool,
}

impl Pair {
    fn id(&self) -> Option<String> {
        let id = if self.is_text { serde_json::from_str(&format!("\"{}\"", self.raw)).ok()? } else { self.raw.clone() };
        let id = id.trim().to_owned();
        (self.is_whole && is_sound(&id) && !id.starts_with(['{', '['])).then_some(id)
    }

    fn text(&self) -> String {
        let text = serde_json::from_str(&format!("\"{}\"", self.raw)).unwrap_or_else(|_| self.raw.clone());
        if !self.is_text && text == "null" { String::new() } else { text }
    }

    fn says_nothing(&self) -> bool {
        self.is_whole && matches!(value::says(&self.text()), Some(Says::Nothing | Says::No))
    }
}

/// The keys of damaged JSON, wherever a quote is too much or missing.
pub(super) fn keys(text: &str) -> impl Iterator<Item = String> {
    pairs(text).into_iter().map(|pair| pair.key)
}

fn pairs(text: &str) -> Vec<Pair> {
    let (mut pairs, mut at) = (Vec::new(), 0);
    while let Some(begin) = quote(text, at) {
        at = begin + 1;
        let Some(end) = quote(text, at) else { break };
        let Some(behind) = text[end + 1..].trim_start().strip_prefix(':') else { continue };
        let key = text[at..end].to_owned();
        let behind = text.len() - behind.trim_start().len();
        let (raw, is_text, until) = value_at(text, behind);
        let rest = text[until..].trim_start();
        let is_whole = rest.starts_with([',', '}', ']']);
        at = if is_whole { until } else { behind };
        pairs.push(Pair { key, raw: raw.to_owned(), is_text, is_whole });
    }
    pairs
}

/// A value that begins somewhere, whether it is a text, and where it ends; an object or a list is not gone through.
fn value_at(text: &str, begin: usize) -> (&str, bool, usize) {
    if text[begin..].starts_with('"') {
        let end = quote(text, begin + 1);
        return (&text[begin + 1..end.unwrap_or(text.len())], true, end.map_or(text.len(), |end| end + 1));
    }
    if text[begin..].starts_with(['{', '[']) {
        return (&text[begin..=begin], false, begin);
    }
    let end = text[begin..].find(|c: char| c.is_whitespace() || ",}]".contains(c)).map_or(text.len(), |n| begin + n);
    (&text[begin..end], false, end)
}

/// The next quote from somewhere on that no backslash stands before.
fn quote(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'"', &bytes[from..]).map(|n| from + n).find(|at| {
        let slashes = bytes[from..*at].iter().rev().take_while(|b| **b == b'\\').count();
        slashes % 2 == 0
    })
}

#[cfg(test)]
#[path = "damaged_tests.rs"]
mod tests;
