//! Showing a table: choose columns, filter rows, as a terminal table, CSV or JSON Lines.
//!
//! Invariant: memory is bounded whatever the table's size; nothing that is printed acts in a terminal or,
//! as CSV, in a spreadsheet.

mod cell;
mod filter;
mod grid;
mod parse;

use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, NullArray, RecordBatch, StringArray};
use serde_json::{Map, Value};

pub(crate) use self::cell::json as cell_json;
use self::filter::Filter;
use self::grid::Grid;
use super::columns::{Column, Kind, columns, default_columns};
use super::error::did_you_mean;
use super::read::Batches;
use super::read::read_buying_centers;
use super::{FileFacts, Select, SinkError, Snapshot, Table, encode};
use crate::taxonomy::FacetStatus;

/// The filter language in a few lines, for help texts.
pub const FILTER_HELP: &str = "\
Compare columns with = != < <= > >=, in ('a', 'b'), like 'x%' (ilike: any case), is null, is not null;
join with and, or, not and parentheses. Texts and instants stand in quotes: as_of >= '2026-03-02'.
seniority < 'head' follows the order of levels. On a list a test holds if any element passes it;
buying_roles[role = 'decider' and probability >= 0.7] asks one element to pass both.
Example: job_function = 'procurement' and seniority_probability >= 0.7";

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// CSV with a header; nested values as JSON.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// What to show of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspect {
    /// Top-level columns in this order; empty = a readable few in a terminal table and all elsewhere, `*` = all.
    pub columns: Vec<String>,
    /// A filter, for instance `job_function = 'procurement' and seniority_probability >= 0.7`.
    pub filter: Option<String>,
    /// Most rows; `None` = all.
    pub limit: Option<usize>,
    /// How.
    pub format: Format,
    /// Ids of the subjects whose rows may be shown; `None` = the table shows nobody's. Rows without a subject are
    /// always shown.
    pub readable: Option<HashSet<String>>,
}

/// Prints the rows; tells how many. `width` = columns of the terminal, `None` = do not cut.
pub fn inspect(
    snapshot: &Snapshot,
    table: Table,
    query: &Inspect,
    out: &mut dyn Write,
    width: Option<usize>,
) -> Result<u64, SinkError> {
    let shown = shown_columns(table, query)?;
    let filter = query.filter.as_deref().map(|text| read_filter(text, table)).transpose()?;
    let subject = query.readable.as_ref().and_then(|_| columns(table).iter().position(|c| c.name == "subject_id"));
    let mut needed = needed_columns(table, &shown, filter.as_ref(), query.format);
    needed.extend(subject.filter(|_| !needed.iter().any(|n| n == "subject_id")).map(|_| "subject_id".to_owned()));
    let batches: Box<dyn Iterator<Item = Result<RecordBatch, SinkError>>> = match (&query.readable, table) {
        (Some(readable), Table::BuyingCenters) => Box::new(std::iter::once(readable_centers(snapshot, readable))),
        _ => Box::new(Batches::open(snapshot, table, &Select::All, Some(needed))?),
    };
    let mut printer = Printer::new(query.format, table, &shown, out, width)?;
    let limit = query.limit.map_or(u64::MAX, |n| n as u64);
    let mut count = 0;
    for batch in batches {
        let arrays = by_place(&batch?, columns(table));
        let rows = arrays.iter().map(Array::len).max().unwrap_or(0);
        for row in 0..rows {
            if filter.as_ref().is_some_and(|f| f.eval(&arrays, row) != Some(true)) {
                continue;
            }
            if !is_readable(query, subject.map(|place| &arrays[place]), row) {
                continue;
            }
            if count == limit {
                printer.finish(count, true)?;
                return Ok(count);
            }
            printer.row(&arrays, row)?;
            count += 1;
        }
    }
    printer.finish(count, false)?;
    Ok(count)
}

/// The buying centers with those members only who may be shown.
fn readable_centers(snapshot: &Snapshot, readable: &HashSet<String>) -> Result<RecordBatch, SinkError> {
    let mut rows = read_buying_centers(snapshot, &Select::All)?;
    for row in &mut rows {
        row.members.retain(|member| readable.contains(member.subject_id.as_str()));
    }
    encode::buying_centers(&Table::BuyingCenters.schema(&FileFacts::default()), &rows)
}

/// Whether the row is nobody's, or of somebody who may be shown.
fn is_readable(query: &Inspect, subjects: Option<&ArrayRef>, row: usize) -> bool {
    let (Some(readable), Some(subjects)) = (&query.readable, subjects) else { return true };
    let ids = subjects.as_any().downcast_ref::<StringArray>();
    ids.is_none_or(|ids| ids.is_null(row) || readable.contains(ids.value(row)))
}

/// Parses and binds a filter.
fn read_filter(text: &str, table: Table) -> Result<Filter, SinkError> {
    parse::parse(text).and_then(|expr| filter::bind(&expr, columns(table))).map_err(|mistake| SinkError::Filter {
        column: mistake.at + 1,
        message: mistake.message,
        filter: text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    })
}

/// Places of the columns to show.
fn shown_columns(table: Table, query: &Inspect) -> Result<Vec<usize>, SinkError> {
    let all = columns(table);
    let place = |name: &str| all.iter().position(|c| c.name == name);
    if query.columns.is_empty() && query.format == Format::Table {
        return Ok(default_columns(table).iter().filter_map(|name| place(name)).collect());
    }
    if query.columns.is_empty() || query.columns.iter().any(|c| c == "*") {
        return Ok((0..all.len()).collect());
    }
    let unknown = |given: &String| SinkError::UnknownColumn {
        table,
        given: given.clone(),
        hint: did_you_mean(given, all.iter().map(|c| c.name.as_str())),
        known: all.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", "),
    };
    query.columns.iter().map(|given| place(given).ok_or_else(|| unknown(given))).collect()
}

/// Names of the columns that must be read.
fn needed_columns(table: Table, shown: &[usize], filter: Option<&Filter>, format: Format) -> Vec<String> {
    let all = columns(table);
    let mut places = shown.to_vec();
    if let Some(filter) = filter {
        filter.places(&mut places);
    }
    if format == Format::Table {
        places.extend(shown.iter().filter_map(|i| facet_of(all, *i)).flat_map(|(p, status)| [p, status]));
    }
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|i| all[i].name.clone()).collect()
}

/// Where a facet's probability and status stand, if the column is the value of one.
fn facet_of(all: &[Column], value: usize) -> Option<(usize, usize)> {
    let name = &all[value].name;
    let at = |suffix: &str| all.iter().position(|c| c.name == format!("{name}{suffix}"));
    Some((at("_probability")?, at("_status")?))
}

/// The arrays of a batch at their places in the table; those not read are empty.
fn by_place(batch: &RecordBatch, all: &[Column]) -> Vec<ArrayRef> {
    let unread: ArrayRef = Arc::new(NullArray::new(0));
    all.iter().map(|c| batch.column_by_name(&c.name).cloned().unwrap_or_else(|| Arc::clone(&unread))).collect()
}

/// Prints rows in one of the formats.
struct Printer<'a> {
    all: &'static [Column],
    shown: Vec<usize>,
    facets: Vec<Option<(usize, usize)>>,
    sheet: Sheet<'a>,
}

enum Sheet<'a> {
    Grid(Grid<'a>),
    Csv(Box<csv::Writer<&'a mut dyn Write>>),
    Json(&'a mut dyn Write),
}

impl<'a> Printer<'a> {
    fn new(
        format: Format,
        table: Table,
        shown: &[usize],
        out: &'a mut dyn Write,
        width: Option<usize>,
    ) -> Result<Self, SinkError> {
        let all = columns(table);
        let heads: Vec<String> = shown.iter().map(|i| all[*i].name.clone()).collect();
        // A facet shows its probability beside the value, unless a column of its own was asked for.
        let alone = |(p, _): &(usize, usize)| !shown.contains(p);
        let facets = shown.iter().map(|i| facet_of(all, *i).filter(alone)).collect();
        let sheet = match format {
            Format::Table => {
                let numeric = shown.iter().map(|i| matches!(all[*i].kind, Kind::Int | Kind::Float(_))).collect();
                let id = shown.first().is_some_and(|i| all[*i].kind == Kind::Code);
                Sheet::Grid(Grid::new(out, heads, numeric, width).keep_first(id))
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(&heads).map_err(csv_error)?;
                Sheet::Csv(Box::new(writer))
            }
            Format::JsonLines => Sheet::Json(out),
        };
        Ok(Self { all, shown: shown.to_vec(), facets, sheet })
    }

    fn row(&mut self, arrays: &[ArrayRef], row: usize) -> Result<(), SinkError> {
        match &mut self.sheet {
            Sheet::Grid(grid) => {
                let cells = self.shown.iter().zip(&self.facets);
                let cells = cells.map(|(i, facet)| terminal_cell(arrays, self.all, *i, *facet, row)).collect();
                grid.row(cells).map_err(SinkError::output)
            }
            Sheet::Csv(writer) => {
                writer.write_record(self.shown.iter().map(|i| cell::csv(&arrays[*i], row))).map_err(csv_error)
            }
            Sheet::Json(out) => {
                let members = self.shown.iter().map(|i| (self.all[*i].name.clone(), cell::json(&arrays[*i], row)));
                let object = Value::Object(members.collect::<Map<_, _>>());
                writeln!(out, "{}", cell::json_text(&object)).map_err(SinkError::output)
            }
        }
    }

    fn finish(self, rows: u64, more: bool) -> Result<(), SinkError> {
        match self.sheet {
            Sheet::Grid(grid) => {
                let noun = if rows == 1 { "row" } else { "rows" };
                let rest = if more { " shown, more match: raise the limit" } else { "" };
                grid.finish(&format!("{rows} {noun}{rest}")).map_err(SinkError::output)
            }
            Sheet::Csv(mut writer) => writer.flush().map_err(SinkError::output),
            Sheet::Json(out) => out.flush().map_err(SinkError::output),
        }
    }
}

fn terminal_cell(
    arrays: &[ArrayRef],
    all: &[Column],
    place: usize,
    facet: Option<(usize, usize)>,
    row: usize,
) -> String {
    let short = |i: usize| cell::short(&arrays[i], &all[i].kind, row);
    let value = short(place);
    match facet {
        Some((_, status)) if value.is_empty() => cell::abstained(&short(status)),
        // A prior is nothing that is known of this one.
        Some((p, status)) if arrays[p].is_valid(row) && short(status) == FacetStatus::StudyPrior.as_str() => {
            format!("({value} {}?)", short(p))
        }
        Some((p, _)) if arrays[p].is_valid(row) => format!("{value} {}", short(p)),
        _ => value,
    }
}

fn csv_error(e: csv::Error) -> SinkError {
    SinkError::output(match e.into_kind() {
        csv::ErrorKind::Io(e) => e,
        other => std::io::Error::other(format!("{other:?}")),
    })
}

#[cfg(test)]
mod tests;
