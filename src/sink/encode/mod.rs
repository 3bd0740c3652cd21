//! From row structs to Arrow record batches.
//!
//! Invariant: columns are given in the order of the column list, and text for people passes
//! [`super::safe_text`] because the column list says so, not because somebody remembered.

mod rows;

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, SchemaRef};
use jiff::Timestamp;

use super::columns::{Column, Kind, columns};
use super::schema::{ELEMENT, fields};
use super::{SinkError, Table, safe_text};
pub(super) use rows::{
    accounts, buying_centers, dead_letters, decisions, documents, evidence, personas, runs, signal_key,
};

/// Bytes of a text, about: most are terms and ids.
const TEXT_BYTES: usize = 24;

/// Collects the arrays of one batch, or of the structs inside one column.
struct Columns {
    table: Table,
    spec: &'static [Column],
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn new(table: Table) -> Self {
        Self { table, spec: columns(table), arrays: Vec::new() }
    }

    /// The column that is due; a wrong name is a bug of this module.
    fn due(&self, name: &str) -> &'static Column {
        let column = self.spec.get(self.arrays.len()).expect("no more arrays than columns");
        assert_eq!(column.name, name, "arrays of {} come in the order of its columns", self.table);
        column
    }

    fn text<S: AsRef<str>>(&mut self, name: &str, values: impl Iterator<Item = Option<S>>) {
        let prose = self.due(name).kind == Kind::Prose;
        let rows = values.size_hint().0;
        let mut builder = StringBuilder::with_capacity(rows, rows * TEXT_BYTES);
        for value in values {
            match value {
                Some(v) if prose => builder.append_value(safe_text(v.as_ref())),
                Some(v) => builder.append_value(v.as_ref()),
                None => builder.append_null(),
            }
        }
        self.arrays.push(Arc::new(builder.finish()));
    }

    fn int<N: TryInto<i64>>(&mut self, name: &str, values: impl Iterator<Item = Option<N>>) {
        self.due(name);
        let mut builder = Int64Builder::with_capacity(values.size_hint().0);
        for value in values {
            builder.append_option(value.map(|v| v.try_into().unwrap_or(i64::MAX)));
        }
        self.arrays.push(Arc::new(builder.finish()));
    }

    fn float(&mut self, name: &str, values: impl Iterator<Item = Option<f64>>) -> Result<(), SinkError> {
        let Kind::Float(range) = self.due(name).kind else { panic!("{name} is no column of floats") };
        let mut builder = Float64Builder::with_capacity(values.size_hint().0);
        for (row, value) in values.enumerate() {
            if value.is_some_and(|v| !range.holds(v)) {
                return Err(SinkError::Range { table: self.table, column: name.into(), row, range: range.as_str() });
            }
            // Adding zero makes -0.0 the 0.0 that it means, so that equal rows are equal bytes.
            builder.append_option(value.map(|v| v + 0.0));
        }
        self.arrays.push(Arc::new(builder.finish()));
        Ok(())
    }

    fn time(&mut self, name: &str, values: impl Iterator<Item = Option<Timestamp>>) {
        self.due(name);
        let mut builder = TimestampMicrosecondBuilder::with_capacity(values.size_hint().0).with_timezone("UTC");
        for value in values {
            builder.append_option(value.map(Timestamp::as_microsecond));
        }
        self.arrays.push(Arc::new(builder.finish()));
    }

    /// A list of codes per row.
    fn codes<I>(&mut self, name: &str, lists: impl Iterator<Item = I>) -> Result<(), SinkError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.due(name);
        let mut values = StringBuilder::new();
        let mut lengths = Vec::new();
        for list in lists {
            let before = values.offsets_slice().len();
            for value in list {
                values.append_value(value);
            }
            lengths.push(values.offsets_slice().len() - before);
        }
        let element = Field::new(ELEMENT, DataType::Utf8, false);
        self.list(element, lengths, Arc::new(values.finish()))
    }

    /// A list of structs per row: `fill` gives the columns of all structs of all rows.
    fn structs<'a, R: 'a, T: 'a>(
        &mut self,
        name: &str,
        rows: &'a [R],
        list: impl Fn(&'a R) -> &'a [T],
        fill: impl FnOnce(&mut Self, &[&'a T]) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let Kind::Structs(spec) = &self.due(name).kind else { panic!("{name} is no column of structs") };
        let lengths = rows.iter().map(|r| list(r).len()).collect();
        let items: Vec<&T> = rows.iter().flat_map(&list).collect();
        let mut inner = Self { table: self.table, spec, arrays: Vec::new() };
        fill(&mut inner, &items)?;
        let values = StructArray::try_new_with_length(fields(spec), inner.arrays, None, items.len())
            .map_err(|source| SinkError::Encode { table: self.table, source })?;
        let element = Field::new(ELEMENT, DataType::Struct(fields(spec)), false);
        self.list(element, lengths, Arc::new(values))
    }

    fn list(&mut self, element: Field, lengths: Vec<usize>, values: ArrayRef) -> Result<(), SinkError> {
        let list = ListArray::try_new(Arc::new(element), OffsetBuffer::from_lengths(lengths), values, None)
            .map_err(|source| SinkError::Encode { table: self.table, source })?;
        self.arrays.push(Arc::new(list));
        Ok(())
    }

    fn finish(self, schema: &SchemaRef, rows: usize) -> Result<RecordBatch, SinkError> {
        let named = |name: &str| self.spec.iter().position(|c| c.name == name).map(|at| &self.arrays[at]);
        batch_of(schema, rows, named).map_err(|source| SinkError::Encode { table: self.table, source })
    }
}

/// Rows as the file has them that they go into, whatever batch they come in.
pub(super) fn to_written(table: Table, schema: &SchemaRef, batch: RecordBatch) -> Result<RecordBatch, SinkError> {
    if batch.schema_ref().fields() == schema.fields() {
        return Ok(batch);
    }
    batch_of(schema, batch.num_rows(), |name| batch.column_by_name(name))
        .map_err(|source| SinkError::Encode { table, source })
}

/// A batch of the columns of a file, in its order: one that was written before a column came goes on without it.
fn batch_of<'a>(
    schema: &SchemaRef,
    rows: usize,
    named: impl Fn(&str) -> Option<&'a ArrayRef>,
) -> Result<RecordBatch, ArrowError> {
    let arrays = schema.fields().iter().map(|field| {
        let array = named(field.name()).ok_or_else(|| lacks(field.name()))?;
        as_written(Arc::clone(array), field)
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays.collect::<Result<_, _>>()?, &options)
}

fn lacks(name: &str) -> ArrowError {
    ArrowError::SchemaError(format!("no column {name} is written any more"))
}

/// An array as the file has it that it goes into: what is written there of the columns within a list is part of the list's type,
/// and one that was written before a column came goes on without it.
fn as_written(array: ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == field.data_type() {
        return Ok(array);
    }
    match field.data_type() {
        DataType::List(element) => {
            let (_, offsets, values, nulls) = array.as_list::<i32>().clone().into_parts();
            let values = as_written(values, element)?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?))
        }
        DataType::Struct(fields) => {
            let (rows, structs) = (array.len(), array.as_struct());
            let of = |field: &FieldRef| {
                let inner = structs.column_by_name(field.name()).ok_or_else(|| lacks(field.name()))?;
                as_written(Arc::clone(inner), field)
            };
            let arrays = fields.iter().map(of).collect::<Result<_, _>>()?;
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), arrays, structs.nulls().cloned(), rows)?))
        }
        _ => Ok(array),
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::Schema;

    use super::*;
    use crate::sink::{decode, fixtures};

    #[test]
    fn rows_go_into_tables_that_were_described_otherwise_and_lie_in_another_order() {
        let rows = fixtures::rows(5);
        let today = Table::Personas.schema(&fixtures::facts());
        let mut fields = fixtures::fields_of_before(&today);
        let described = Arc::new(Schema::new(fields.clone()));
        fields.retain(|field| field.name() != "segment_values");
        let without = Arc::new(Schema::new(fields.clone()));
        fields.reverse();
        let reversed = Arc::new(Schema::new(fields));
        let as_today = personas(&today, &rows.personas).expect("they go in");
        let read = |batch: &RecordBatch| {
            let mut rows = decode::personas(batch).expect("personas");
            for row in &mut rows {
                row.segment_values.clear();
            }
            rows
        };
        for before in [described, without, reversed] {
            assert_ne!(before.fields(), today.fields());
            let batch = personas(&before, &rows.personas).expect("they go in");
            assert_eq!((batch.schema_ref(), read(&batch)), (&before, read(&as_today)));
            // And so do those that lie in a file of today.
            let carried = to_written(Table::Personas, &before, as_today.clone()).expect("they go in");
            assert_eq!(carried, batch);
        }
        let fields = [&today.fields()[..], &[Arc::new(Field::new("of_old", DataType::Utf8, true))]].concat();
        let error = personas(&Arc::new(Schema::new(fields)), &rows.personas).expect_err("nobody writes it");
        assert!(format!("{error:?}").contains("of_old"), "{error:?}");
    }
}
