//! Parquet files, decoded: every text and binary value, statistics, page index and metadata of the footer.
//!
//! Invariant: a file or a column that cannot be decoded is told.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::scan::Found;
use crate::sink::{SinkError, open_parquet, parquet_says};

/// Searches a file; tells whether all of it was read.
pub(super) fn search(path: &Path, found: &mut Found<'_>) -> bool {
    match try_search(path, found) {
        Ok(()) => true,
        Err(e) => {
            found.trouble.push(format!("parquet: {e}"));
            false
        }
    }
}

fn try_search(path: &Path, found: &mut Found<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let mut opened = open_parquet(path, None, PageIndexPolicy::Optional);
    for keys in &found.scan.keys {
        if matches!(opened, Err(SinkError::KeyMissing { .. } | SinkError::KeyWrong { .. })) {
            opened = open_parquet(path, Some(keys), PageIndexPolicy::Optional);
        }
    }
    let builder = opened.map_err(|e| match e {
        SinkError::KeyMissing { .. } | SinkError::KeyWrong { .. } => "encrypted, and no key fits".into(),
        // The path is told anyway, and may hold a name.
        SinkError::Parquet { source, .. } => parquet_says(&source),
        SinkError::Io { source, .. } => source.to_string(),
        _ => "cannot be opened".to_owned(),
    })?;
    footer(builder.metadata(), found);
    for batch in builder.build()? {
        let batch = batch?;
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            values(column, field.name(), found);
        }
    }
    Ok(())
}

/// What the footer says beside the data.
fn footer(metadata: &ParquetMetaData, found: &mut Found<'_>) {
    for entry in metadata.file_metadata().key_value_metadata().into_iter().flatten() {
        found.text(entry.key.as_bytes(), "parquet metadata");
        found.text(entry.value.as_deref().unwrap_or("").as_bytes(), "parquet metadata");
    }
    for column in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        let how = format!("parquet statistics of {}", column.column_path().string());
        let statistics = column.statistics();
        let bounds = statistics.map(|s| [s.min_bytes_opt(), s.max_bytes_opt()]);
        for bound in bounds.into_iter().flatten().flatten() {
            found.text(bound, &how);
        }
    }
    for (group, columns) in metadata.row_groups().iter().enumerate() {
        let index = metadata.page_index_for_row_group(group);
        for (n, column) in columns.columns().iter().enumerate() {
            let Some(ColumnIndexMetaData::BYTE_ARRAY(pages) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(pages)) =
                index.column_index(n)
            else {
                continue;
            };
            let how = format!("parquet page index of {}", column.column_path().string());
            for bound in pages.min_values_iter().chain(pages.max_values_iter()).flatten() {
                found.text(bound, &how);
            }
        }
    }
}

/// Searches the texts of a column, however deep they lie.
fn values(array: &ArrayRef, name: &str, found: &mut Found<'_>) {
    let how = || format!("parquet {name}");
    match array.data_type() {
        DataType::Utf8 => joined(array.as_string::<i32>().iter().flatten().map(str::as_bytes), &how(), found),
        DataType::LargeUtf8 => joined(array.as_string::<i64>().iter().flatten().map(str::as_bytes), &how(), found),
        DataType::Utf8View => joined(array.as_string_view().iter().flatten().map(str::as_bytes), &how(), found),
        DataType::Binary => joined(array.as_binary::<i32>().iter().flatten(), &how(), found),
        DataType::LargeBinary => joined(array.as_binary::<i64>().iter().flatten(), &how(), found),
        DataType::BinaryView => joined(array.as_binary_view().iter().flatten(), &how(), found),
        DataType::FixedSizeBinary(_) => joined(array.as_fixed_size_binary().iter().flatten(), &how(), found),
        DataType::List(_) => values(array.as_list::<i32>().values(), name, found),
        DataType::LargeList(_) => values(array.as_list::<i64>().values(), name, found),
        DataType::FixedSizeList(..) => values(array.as_fixed_size_list().values(), name, found),
        DataType::Struct(fields) => {
            for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                values(column, &format!("{name}.{}", field.name()), found);
            }
        }
        DataType::Map(..) => {
            for (part, column) in ["key", "value"].into_iter().zip(array.as_map().entries().columns()) {
                values(column, &format!("{name}.{part}"), found);
            }
        }
        DataType::Dictionary(..) => values(array.as_any_dictionary().values(), name, found),
        kind if kind.is_primitive() || matches!(kind, DataType::Boolean | DataType::Null) => {}
        kind => found.trouble.push(format!("parquet: column {name} is a {kind}, which cannot be searched")),
    }
}

/// Searches many values at a time; what stands between them is no part of a word.
fn joined<'a>(values: impl Iterator<Item = &'a [u8]>, how: &str, found: &mut Found<'_>) {
    let mut all = Vec::new();
    for value in values {
        all.extend_from_slice(value);
        all.extend_from_slice(b"\n\x1f\n");
    }
    found.text(&all, how);
}
