//! Rows of company and consent exports.
//!
//! Invariant: nothing of a consent row is interpreted, but for a no in a cell that holds no answers; a row against processing survives
//! an unreadable date.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::columns::{Layout, NOES, Table};
use super::owner::first_id;
use super::reader::Cells;
use super::rows::Row;
use super::value;
use super::when::{SLACK, When};
use super::{ConsentRow, CrmAccount, CrmDeadLetter, Decimal, contact};
use crate::consent::dialect::{Refusal, Told, refusal_of};
use crate::consent::event::EventKind;
use crate::consent::import::NO_OF_NOBODY;

/// Reads a company, or tells why the row is none.
pub(super) fn account(cells: &mut Cells<'_>) -> Result<CrmAccount, Box<CrmDeadLetter>> {
    let Some(record_id) = cells.text("record_id").map(str::to_owned) else {
        return Err(cells.letter("missing_id", Some("record_id"), "give the company its CRM id"));
    };
    let merged_into = contact::merged_into(cells, &record_id);
    let deleted = contact::is_gone(cells);
    // Of a record that is gone an export may have little more than its id.
    let name = match cells.line("name") {
        Some(name) => name,
        None if deleted || merged_into.is_some() => String::new(),
        None => return Err(cells.letter("missing_name", Some("name"), "give the company a name")),
    };
    let updated_at = match cells.when("updated_at") {
        // That it is gone must not be lost with its date: without one it holds against all other rows.
        Err(letter) if deleted || merged_into.is_some() => {
            cells.notes.push(CrmDeadLetter { row_dropped: false, ..*letter });
            None
        }
        read => read?.map(When::start).or_else(|| contact::deleted_at(cells)),
    };
    let now = cells.layout.now.filter(|_| !cells.layout.of_contacts);
    let latest = now.and_then(|now| now.checked_add(SLACK).ok());
    if updated_at.zip(latest).is_some_and(|(at, latest)| at > latest) {
        let advice =
            "the date is in the future, and the row wins over all others of the company; correct it in the CRM";
        cells.note("updated_at", "future_date", advice);
    }
    let founded = founded(cells, latest);
    let decimal = cells.layout.decimal;
    let (revenue_eur, revenue_foreign) = revenue(cells, decimal);
    let whole = |cell: &str| value::number(cell, decimal).filter(|n| n.fract() == 0.0 && *n <= 1e8).map(|n| n as u32);
    Ok(CrmAccount {
        deleted,
        merged_into,
        merged_ids: contact::merged_ids(cells, &record_id),
        record_id,
        domain: cells.read("domain", "unreadable_domain", "write a host such as firma.example", value::domain),
        country: cells.read(
            "country",
            "unknown_country",
            "write an ISO 3166 code such as DE, AT, CH or GB",
            value::country,
        ),
        city: cells.line("city"),
        industry: cells.line("industry"),
        nace: cells.line("nace"),
        employees: cells.read("employees", "unreadable_number", "write a whole number", whole),
        revenue_eur,
        revenue_foreign,
        legal_form: cells.line("legal_form").or_else(|| value::legal_form(&name)),
        founded,
        updated_at,
        name,
        origin: cells.row.origin(),
    })
}

/// The year of foundation; one of the future is none.
fn founded(cells: &mut Cells<'_>, latest: Option<Timestamp>) -> Option<u16> {
    let year = |cell: &str| cell.parse::<u16>().ok().filter(|y| (1000..=2999).contains(y));
    let founded = cells.read("founded", "unreadable_number", "write a year of four digits", year)?;
    if latest.is_some_and(|latest| i32::from(founded) > i32::from(Offset::UTC.to_datetime(latest).year())) {
        cells.note(
            "founded",
            "future_date",
            "the year is in the future; the company is kept without it, correct it in the CRM",
        );
        return None;
    }
    Some(founded)
}

/// Revenue in EUR, or in the currency that the row names.
fn revenue(cells: &mut Cells<'_>, decimal: Decimal) -> (Option<f64>, Option<(f64, String)>) {
    const ADVICE: &str = "write a plain number, with the separators of the file's language";
    let amount = |cell: &str| value::number(cell, decimal);
    if let Some(eur) = cells.read("revenue_eur", "unreadable_number", ADVICE, amount) {
        return (Some(eur), None);
    }
    let Some(amount) = cells.read("revenue", "unreadable_number", ADVICE, amount) else { return (None, None) };
    let stated = cells.text("currency").map(value::currency);
    let in_cell = || cells.text("revenue").and_then(value::currency_in);
    match stated.unwrap_or_else(in_cell) {
        Some(code) if code == "EUR" => (Some(amount), None),
        Some(code) => (None, Some((amount, code))),
        None => {
            cells.note("revenue", "unknown_currency", "name the currency in a column, or the header (Umsatz EUR)");
            (None, None)
        }
    }
}

/// Fields of consents in which a no may stand beside what they are for.
const BESIDE: [&str; 9] =
    ["event_id", "basis", "valid_from", "valid_to", "recorded_at", "method", "notice_id", "wording_hash", "language"];

/// What a row of consents says that is a no in a cell which holds no answers; `is_no` tells that the row is one already.
pub(super) fn refusal<'r>(layout: &'r Layout, row: &'r Row, is_no: bool) -> Option<Refusal<'r>> {
    let known = BESIDE.into_iter().filter_map(|field| Some((field, layout.column(field)?)));
    let harmless = layout.all(NOES).iter().map(|at| (layout.header_of(*at), *at));
    refusal_of(is_no, known.chain(harmless).map(|(column, at)| (column, row.cell(at))))
}

/// Whether a row may only take away. A kind that nobody knows counts as a refusal.
pub(super) fn is_no(layout: &Layout, row: &Row) -> bool {
    let kind = layout.column("kind").and_then(|at| EventKind::read(row.cell(at)));
    kind.is_none_or(EventKind::is_negative)
}

/// Reads a consent row, or tells why it is none.
pub(super) fn consent(cells: &mut Cells<'_>) -> Result<ConsentRow, Box<CrmDeadLetter>> {
    let (layout, row) = (cells.layout, cells.row);
    let is_no = is_no(layout, row);
    let refusal = self::refusal(layout, row, is_no);
    let Some(contact_id) = cells.text("contact_id").map(str::to_owned) else {
        return Err(if is_no || refusal.is_some() {
            let advice =
                "it says no and names no contact, so it protects nobody yet; name the contact, and keep the row";
            cells.letter(NO_OF_NOBODY, Some("contact_id"), advice)
        } else {
            cells.letter("missing_id", Some("contact_id"), "name the contact whose consent it is")
        });
    };
    // Of a row without a kind the cell is all that says what it is.
    let is_no = is_no && cells.text("kind").is_some();
    let refusal = if is_no { refusal } else { self::refusal(layout, row, false).or(refusal) };
    let Some(refusal) = refusal else { return consent_of(cells, contact_id) };
    // What a field stands for is read whatever is ignored.
    let (reason, advice) = refusal.letter(!BESIDE.contains(&refusal.column));
    match refusal.told {
        // It is said without a scope.
        _ if is_no => {
            cells.note(refusal.column, reason, &advice);
            let said = consent_of(cells, contact_id)?;
            Ok(ConsentRow { purposes: Vec::new(), source_classes: Vec::new(), ..said })
        }
        Told::Plainly => {
            cells.note(refusal.column, reason, &advice);
            Ok(refused(contact_id, row))
        }
        Told::Perhaps => Err(cells.letter(reason, Some(refusal.column), &advice)),
    }
}

/// A refusal of everything, of which nobody knows when it was said.
fn refused(contact_id: String, row: &Row) -> ConsentRow {
    ConsentRow {
        event_id: None,
        contact_id,
        kind: "refuse".to_owned(),
        basis: None,
        purposes: Vec::new(),
        source_classes: Vec::new(),
        valid_from: None,
        valid_to: None,
        recorded_at: None,
        method: None,
        notice_id: None,
        wording_hash: None,
        language: None,
        origin: row.origin(),
    }
}

/// The row of a contact, as it was stated.
fn consent_of(cells: &mut Cells<'_>, contact_id: String) -> Result<ConsentRow, Box<CrmDeadLetter>> {
    let kind = cells.text("kind").map(str::to_lowercase).unwrap_or_default();
    if kind.is_empty() {
        return Err(cells.letter(
            "missing_kind",
            Some("kind"),
            "say grant, refuse, withdraw, object, restrict or lift",
        ));
    }
    let permissive = matches!(kind.as_str(), "grant" | "lift" | "notice");
    let mut date = |field| match cells.when(field) {
        Err(letter) if permissive => Err(letter),
        Err(letter) => {
            cells.notes.push(CrmDeadLetter { row_dropped: false, ..*letter });
            Ok(None)
        }
        read => read,
    };
    let (valid_from, valid_to) = (date("valid_from")?.map(When::start), date("valid_to")?.map(When::end));
    let recorded_at = date("recorded_at")?.map(When::start);
    let list = |field| cells.text(field).map(split).unwrap_or_default();
    Ok(ConsentRow {
        event_id: cells.line("event_id"),
        contact_id,
        kind,
        basis: cells.line("basis"),
        purposes: list("purposes"),
        source_classes: list("source_classes"),
        valid_from,
        valid_to,
        recorded_at,
        method: cells.line("method"),
        notice_id: cells.line("notice_id"),
        wording_hash: cells.line("wording_hash"),
        language: cells.line("language"),
        origin: cells.row.origin(),
    })
}

fn split(cell: &str) -> Vec<String> {
    cell.split('|').filter_map(value::text).map(str::to_owned).collect()
}

/// The record id of a row, before anything else of it is read.
pub(super) fn key(layout: &Layout, row: &Row) -> Option<String> {
    let cell = value::text(row.cell(layout.column(layout.table.key())?))?;
    Some(if layout.table == Table::Notes { first_id(cell) } else { cell }.to_owned())
}
