//! From record batches back to row structs.
//!
//! Invariant: what the encoder wrote comes back equal (times to the microsecond, texts as
//! [`super::safe_text`] left them); a file that is not of this version is an error, never a guess.

mod rows;

use std::ops::Range;
use std::str::FromStr;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, StringArray, StructArray};
use jiff::Timestamp;

pub(super) use rows::{accounts, buying_centers, decisions, documents, evidence, personas, runs};

/// The column that does not fit.
#[derive(Debug)]
pub(super) struct Misfit(pub String);

type Fit<T> = Result<T, Misfit>;

/// The columns of a batch, or of the structs of its lists.
struct View<'a> {
    rows: &'a StructArray,
    /// The list whose structs these are.
    of: Option<&'a str>,
}

impl<'a> View<'a> {
    fn misfit(&self, name: &str) -> Misfit {
        Misfit(self.of.map_or_else(|| name.to_owned(), |list| format!("{list}.{name}")))
    }

    fn column(&self, name: &str) -> Fit<&'a ArrayRef> {
        self.rows.column_by_name(name).ok_or_else(|| self.misfit(name))
    }

    fn has(&self, name: &str) -> bool {
        self.rows.column_by_name(name).is_some()
    }

    fn strings(&self, name: &str) -> Fit<&'a StringArray> {
        self.column(name)?.as_string_opt::<i32>().ok_or_else(|| self.misfit(name))
    }

    /// Text as it stands in the column; `None` where null.
    fn str_opt(&self, name: &str, row: usize) -> Fit<Option<&'a str>> {
        let array = self.strings(name)?;
        Ok(array.is_valid(row).then(|| array.value(row)))
    }

    fn str(&self, name: &str, row: usize) -> Fit<&'a str> {
        self.str_opt(name, row)?.ok_or_else(|| self.misfit(name))
    }

    /// Text; `None` where null.
    fn text_opt(&self, name: &str, row: usize) -> Fit<Option<String>> {
        Ok(self.str_opt(name, row)?.map(str::to_owned))
    }

    fn text(&self, name: &str, row: usize) -> Fit<String> {
        Ok(self.str(name, row)?.to_owned())
    }

    /// A term of a vocabulary; `None` where null.
    fn term_opt<T: FromStr>(&self, name: &str, row: usize) -> Fit<Option<T>> {
        self.str_opt(name, row)?.map(|v| v.parse().map_err(|_| self.misfit(name))).transpose()
    }

    fn term<T: FromStr>(&self, name: &str, row: usize) -> Fit<T> {
        self.term_opt(name, row)?.ok_or_else(|| self.misfit(name))
    }

    /// An id, made from what follows its prefix; `None` where null.
    fn id_opt<T>(&self, name: &str, row: usize, prefix: &str, make: impl Fn(&str) -> T) -> Fit<Option<T>> {
        let text = self.str_opt(name, row)?;
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

    /// The values of all lists of a column, and where those of one row lie among them.
    fn list(&self, name: &str, row: usize) -> Fit<(&'a ArrayRef, Range<usize>)> {
        let list = self.column(name)?.as_list_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        let at = |i: usize| usize::try_from(list.value_offsets()[i]).map_err(|_| self.misfit(name));
        Ok((list.values(), at(row)?..at(row + 1)?))
    }

    /// A list of codes.
    fn codes(&self, name: &str, row: usize) -> Fit<Vec<&'a str>> {
        let (values, range) = self.list(name, row)?;
        let values = values.as_string_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        Ok(range.filter(|i| values.is_valid(*i)).map(|i| values.value(i)).collect())
    }

    /// A list of structs, each made by `item`.
    fn structs<T>(&self, name: &str, row: usize, item: impl Fn(&View<'_>, usize) -> Fit<T>) -> Fit<Vec<T>> {
        let (values, range) = self.list(name, row)?;
        let view = View { rows: values.as_struct_opt().ok_or_else(|| self.misfit(name))?, of: Some(name) };
        range.map(|i| item(&view, i)).collect()
    }
}
