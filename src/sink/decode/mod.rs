//! From record batches back to row structs.
//!
//! Invariant: what the encoder wrote comes back equal (times to the microsecond, texts as
//! [`super::safe_text`] left them); a file that is not of this version is an error, never a guess.

mod rows;

use std::str::FromStr;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use jiff::Timestamp;

pub(super) use rows::{accounts, buying_centers, decisions, documents, evidence, personas, runs};

/// The column that does not fit.
#[derive(Debug)]
pub(super) struct Misfit(pub String);

type Fit<T> = Result<T, Misfit>;

/// The columns of a batch, or of the structs of one list.
struct View {
    prefix: String,
    rows: StructArray,
}

impl View {
    fn new(batch: &RecordBatch) -> Self {
        Self { prefix: String::new(), rows: batch.clone().into() }
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn misfit(&self, name: &str) -> Misfit {
        Misfit(format!("{}{name}", self.prefix))
    }

    fn column(&self, name: &str) -> Fit<&ArrayRef> {
        self.rows.column_by_name(name).ok_or_else(|| self.misfit(name))
    }

    fn has(&self, name: &str) -> bool {
        self.rows.column_by_name(name).is_some()
    }

    /// Text; `None` where null.
    fn text_opt(&self, name: &str, row: usize) -> Fit<Option<String>> {
        let array = self.column(name)?.as_string_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        Ok(array.is_valid(row).then(|| array.value(row).to_owned()))
    }

    fn text(&self, name: &str, row: usize) -> Fit<String> {
        self.text_opt(name, row)?.ok_or_else(|| self.misfit(name))
    }

    /// A term of a vocabulary; `None` where null.
    fn term_opt<T: FromStr>(&self, name: &str, row: usize) -> Fit<Option<T>> {
        self.text_opt(name, row)?.map(|v| v.parse().map_err(|_| self.misfit(name))).transpose()
    }

    fn term<T: FromStr>(&self, name: &str, row: usize) -> Fit<T> {
        self.term_opt(name, row)?.ok_or_else(|| self.misfit(name))
    }

    /// An id, made from what follows its prefix; `None` where null.
    fn id_opt<T>(&self, name: &str, row: usize, prefix: &str, make: impl Fn(&str) -> T) -> Fit<Option<T>> {
        let text = self.text_opt(name, row)?;
        text.map(|v| v.strip_prefix(prefix).map(&make).ok_or_else(|| self.misfit(name))).transpose()
    }

    fn float_opt(&self, name: &str, row: usize) -> Fit<Option<f64>> {
        let array = self.column(name)?.as_primitive_opt::<Float64Type>().ok_or_else(|| self.misfit(name))?;
        Ok(array.is_valid(row).then(|| array.value(row)))
    }

    fn float(&self, name: &str, row: usize) -> Fit<f64> {
        self.float_opt(name, row)?.ok_or_else(|| self.misfit(name))
    }

    fn int_opt<N: TryFrom<i64>>(&self, name: &str, row: usize) -> Fit<Option<N>> {
        let array = self.column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| self.misfit(name))?;
        let value = array.is_valid(row).then(|| array.value(row));
        value.map(|v| N::try_from(v).map_err(|_| self.misfit(name))).transpose()
    }

    fn int<N: TryFrom<i64>>(&self, name: &str, row: usize) -> Fit<N> {
        self.int_opt(name, row)?.ok_or_else(|| self.misfit(name))
    }

    fn time_opt(&self, name: &str, row: usize) -> Fit<Option<Timestamp>> {
        let array =
            self.column(name)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| self.misfit(name))?;
        let value = array.is_valid(row).then(|| array.value(row));
        value.map(|v| Timestamp::from_microsecond(v).map_err(|_| self.misfit(name))).transpose()
    }

    fn time(&self, name: &str, row: usize) -> Fit<Timestamp> {
        self.time_opt(name, row)?.ok_or_else(|| self.misfit(name))
    }

    /// A list of codes.
    fn codes(&self, name: &str, row: usize) -> Fit<Vec<String>> {
        let list = self.column(name)?.as_list_opt::<i32>().ok_or_else(|| self.misfit(name))?.value(row);
        let values = list.as_string_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        Ok(values.iter().flatten().map(str::to_owned).collect())
    }

    /// A list of structs, each made by `item`.
    fn structs<T>(&self, name: &str, row: usize, item: impl Fn(&Self, usize) -> Fit<T>) -> Fit<Vec<T>> {
        let list = self.column(name)?.as_list_opt::<i32>().ok_or_else(|| self.misfit(name))?.value(row);
        let rows = list.as_struct_opt().ok_or_else(|| self.misfit(name))?.clone();
        let view = Self { prefix: format!("{}{name}.", self.prefix), rows };
        (0..view.len()).map(|i| item(&view, i)).collect()
    }
}
