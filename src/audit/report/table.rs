//! Rows of a table, one batch in memory at a time, by the names of their columns.
//!
//! Invariant: a column that is not there or of another type is an error, never an empty value.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use jiff::Timestamp;

use super::ReportError;
use crate::sink::{SinkError, Snapshot, Table};

/// A row of the batch in memory.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    batch: &'a RecordBatch,
    at: usize,
    table: Table,
    snapshot: &'a Snapshot,
}

/// Visits every row of a table.
pub(super) fn each(
    snapshot: &Snapshot,
    table: Table,
    mut visit: impl FnMut(Row<'_>) -> Result<(), ReportError>,
) -> Result<(), ReportError> {
    for batch in snapshot.read(table)? {
        let batch = batch?;
        for at in 0..batch.num_rows() {
            visit(Row { batch: &batch, at, table, snapshot })?;
        }
    }
    Ok(())
}

impl<'a> Row<'a> {
    fn misfit(&self, name: &str) -> ReportError {
        SinkError::Corrupt { path: self.snapshot.path(self.table), column: name.to_owned() }.into()
    }

    fn column(&self, name: &str) -> Result<&'a ArrayRef, ReportError> {
        self.batch.column_by_name(name).ok_or_else(|| self.misfit(name))
    }

    /// A text; `None` where null.
    pub fn opt(&self, name: &str) -> Result<Option<&'a str>, ReportError> {
        let array = self.column(name)?.as_string_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        Ok(array.is_valid(self.at).then(|| array.value(self.at)))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<&'a str, ReportError> {
        self.opt(name)?.ok_or_else(|| self.misfit(name))
    }

    /// An instant; `None` where null.
    pub fn time_opt(&self, name: &str) -> Result<Option<Timestamp>, ReportError> {
        let array = self.column(name)?.as_primitive_opt::<TimestampMicrosecondType>();
        let array = array.ok_or_else(|| self.misfit(name))?;
        let micros = array.is_valid(self.at).then(|| array.value(self.at));
        micros.map(|m| Timestamp::from_microsecond(m).map_err(|_| self.misfit(name))).transpose()
    }

    /// An instant.
    pub fn time(&self, name: &str) -> Result<Timestamp, ReportError> {
        self.time_opt(name)?.ok_or_else(|| self.misfit(name))
    }

    /// A whole number; `None` where null.
    pub fn int_opt(&self, name: &str) -> Result<Option<i64>, ReportError> {
        let array = self.column(name)?.as_primitive_opt::<arrow_array::types::Int64Type>();
        let array = array.ok_or_else(|| self.misfit(name))?;
        Ok(array.is_valid(self.at).then(|| array.value(self.at)))
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, ReportError> {
        self.inner(name, None)
    }

    /// One field of a list of structs.
    pub fn field(&self, name: &str, field: &str) -> Result<Vec<String>, ReportError> {
        self.inner(name, Some(field))
    }

    fn inner(&self, name: &str, field: Option<&str>) -> Result<Vec<String>, ReportError> {
        let lists = self.column(name)?.as_list_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        let mut values = lists.value(self.at);
        if let Some(field) = field {
            let structs = values.as_struct_opt().ok_or_else(|| self.misfit(name))?;
            let column = structs.column_by_name(field).ok_or_else(|| self.misfit(field))?;
            values = column.clone();
        }
        let texts = values.as_string_opt::<i32>().ok_or_else(|| self.misfit(name))?;
        Ok(texts.iter().flatten().map(str::to_owned).collect())
    }

    /// Every text of the row with the path of its column, lists and structs included.
    pub fn each_text(&self, visit: &mut dyn FnMut(&str, &str)) {
        for (field, array) in self.batch.schema().fields().iter().zip(self.batch.columns()) {
            walk(field.name(), &array.slice(self.at, 1), visit);
        }
    }
}

fn walk(path: &str, array: &ArrayRef, visit: &mut dyn FnMut(&str, &str)) {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().flatten().for_each(|text| visit(path, text)),
        DataType::List(_) => array.as_list::<i32>().iter().flatten().for_each(|list| walk(path, &list, visit)),
        DataType::Struct(fields) => {
            for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                walk(&format!("{path}.{}", field.name()), column, visit);
            }
        }
        _ => {}
    }
}
