//! Parquet files as exports have them, written here and pulled.

use std::fs::{self, File};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, RecordBatch,
    StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Fields};

use crate::crm::{CrmAccount, CrmError, CrmPull, CsvSource, FileSet, pull};
use crate::structured::unread_codec;

fn write(columns: Vec<(&str, ArrayRef)>) -> tempfile::TempDir {
    write_as(columns, Compression::UNCOMPRESSED)
}

fn write_as(columns: Vec<(&str, ArrayRef)>, compression: Compression) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    let batch = batch.expect("columns of one length");
    let file = File::create(folder.path().join("x.parquet")).expect("a file");
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    folder
}

/// The file as contacts and as accounts.
fn pulled(folder: &tempfile::TempDir, accounts: bool) -> Result<CrmPull, CrmError> {
    let set = FileSet { path: "x.parquet".into(), ..FileSet::default() };
    let source = if accounts {
        fs::write(folder.path().join("none.csv"), "id;last name\n").expect("a file");
        let none = FileSet { path: "none.csv".into(), ..FileSet::default() };
        CsvSource { contacts: none, accounts: Some(set), ..CsvSource::default() }
    } else {
        CsvSource { contacts: set, ..CsvSource::default() }
    };
    pull(&source, folder.path())
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn typed_columns_of_contacts_are_read_typed() {
    let mut emails = ListBuilder::new(StringBuilder::new());
    emails.append_value([Some("A@x.example"), Some("b@x.example")]);
    emails.append_null();
    let titles: DictionaryArray<arrow_array::types::Int32Type> = vec![Some("Einkauf"), None].into_iter().collect();
    let inner: Fields = vec![Field::new("lastname", DataType::Utf8, true)].into();
    let properties = StructArray::new(inner, vec![texts(&[Some("Anders"), Some("Bunt")])], None);
    let folder = write(vec![
        // Ids with gaps become fractions in some tools.
        ("Kontakt-ID", Arc::new(Float64Array::from(vec![Some(101.0), Some(102.0)])) as ArrayRef),
        ("properties", Arc::new(properties)),
        ("E-Mail", Arc::new(emails.finish())),
        ("Position", Arc::new(titles)),
        ("Werbesperre", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("Geändert am", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_767_225_600_000_000), None]))),
        ("Angelegt am", Arc::new(Date32Array::from(vec![Some(19_723), Some(i32::MAX)]))),
    ]);
    let pull = pulled(&folder, false).expect("typed columns are read");
    let contact = &pull.contacts[0];
    assert_eq!((pull.contacts.len(), contact.record_id.as_str()), (1, "101"));
    assert_eq!(contact.family_name.reveal(), "Anders");
    assert_eq!(contact.emails.iter().map(|e| e.reveal().as_str()).collect::<Vec<_>>(), ["a@x.example", "b@x.example"]);
    assert_eq!(contact.job_title.as_ref().map(|t| t.reveal().as_str()), Some("Einkauf"));
    assert!(contact.flags.email_opt_out);
    assert_eq!(contact.updated_at.map(|t| t.to_string()).as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(contact.created_at.map(|t| t.to_string()).as_deref(), Some("2024-01-01T00:00:00Z"));
    let letter = &pull.dead_letters[0];
    assert_eq!((letter.reason, letter.record_id.as_deref()), ("unreadable_date", Some("102")));
    assert!(letter.detail().starts_with("x.parquet row 2, field created_at: "), "{}", letter.detail());
    assert_eq!((pull.files[0].format, pull.files[0].rows), ("Parquet", 2));
}

#[test]
fn typed_numbers_mean_the_same_under_german_headers() {
    let decimals =
        Decimal128Array::from(vec![123_456_789_i128, 100]).with_precision_and_scale(18, 2).expect("decimals");
    let folder = write(vec![
        (
            "Firma-ID",
            Arc::new(Decimal128Array::from(vec![7_i128, 8]).with_precision_and_scale(18, 0).expect("ids")) as _,
        ),
        ("Firma", texts(&[Some("Eins GmbH"), Some("Zwei GmbH")])),
        ("Mitarbeiter", Arc::new(Int64Array::from(vec![1234, 9])) as ArrayRef),
        ("Umsatz EUR", Arc::new(Float64Array::from(vec![1234.567, 12.5]))),
        ("Umsatz", Arc::new(decimals)),
    ]);
    let pull = pulled(&folder, true).expect("typed columns are read");
    let of = |a: &CrmAccount| (a.record_id.clone(), a.employees, a.revenue_eur);
    let seen: Vec<_> = pull.accounts.iter().map(of).collect();
    assert_eq!(seen, [("7".to_owned(), Some(1234), Some(1234.567)), ("8".to_owned(), Some(9), Some(12.5))]);
    assert_eq!(pull.dead_letters, []);
}

#[test]
fn what_cannot_be_read_is_an_error_before_any_row() {
    let ids = || texts(&[Some("1")]);
    let lists = {
        let mut list = ListBuilder::new(Int64Array::builder(1));
        list.append_value([Some(1)]);
        Arc::new(list.finish()) as ArrayRef
    };
    let inner: Fields = vec![Field::new("since", DataType::Utf8, true)].into();
    let flag = Arc::new(StructArray::new(inner, vec![texts(&[Some("2025")])], None)) as ArrayRef;
    for (name, column, says) in [
        ("job title", lists.clone(), "column \"job title\" has the type List"),
        ("email opt out", flag, "column \"email opt out\" has the type Struct"),
    ] {
        let folder = write(vec![("id", ids()), ("last name", ids()), (name, column)]);
        let error = pulled(&folder, false).expect_err("a column of that type is not read").to_string();
        assert!(error.contains(says), "{error}");
    }
    // A column that stands for nothing may be of any type.
    let folder = write(vec![("id", ids()), ("last name", ids()), ("scores", lists)]);
    assert_eq!(pulled(&folder, false).expect("read").contacts.len(), 1);
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_told_or_read() {
    let folder = write(vec![("id", texts(&[Some("1"), Some("2")])), ("last name", texts(&[Some("A"), Some("B")]))]);
    let path = folder.path().join("x.parquet");
    let whole = fs::read(&path).expect("the file");
    for length in (4..whole.len()).step_by(7) {
        fs::write(&path, &whole[..length]).expect("cut off");
        let error = pulled(&folder, false).expect_err("the end is missing").to_string();
        assert!(error.ends_with("is no readable Parquet file; was it cut off? export it again"), "{error}");
    }
}

#[test]
fn what_other_tools_compress_by_is_read_and_what_is_not_is_named() {
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::BROTLI(BrotliLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let names: Vec<String> = (0..500).map(|n| format!("Grünthaler {}", n % 7)).collect();
        let ids: Vec<String> = (0..500).map(|n| format!("K-{n}")).collect();
        let columns = [("id", ids), ("last name", names)]
            .map(|(name, cells)| (name, Arc::new(StringArray::from(cells)) as ArrayRef));
        let folder = write_as(columns.into(), codec);
        let pull = pulled(&folder, false).unwrap_or_else(|e| panic!("{codec}: {e}"));
        assert_eq!(
            (pull.contacts.len(), pull.contacts[3].family_name.reveal().as_str()),
            (500, "Grünthaler 2"),
            "{codec}"
        );
    }
    let folder = write(vec![("id", texts(&[Some("1")])), ("last name", texts(&[Some("A")]))]);
    let file = File::open(folder.path().join("x.parquet")).expect("the file");
    let read = ParquetRecordBatchReaderBuilder::try_new(file).expect("read");
    let group = read.metadata().row_group(0).clone();
    let of_lzo = |column: &::parquet::file::metadata::ColumnChunkMetaData| {
        column.clone().into_builder().set_compression(Compression::LZO).build().expect("a column")
    };
    let columns = group.columns().iter().map(of_lzo).collect();
    let group = group.into_builder().set_column_metadata(columns).build().expect("a group");
    let metadata = ParquetMetaData::new(read.metadata().file_metadata().clone(), vec![group]);
    assert_eq!((unread_codec(&metadata), unread_codec(read.metadata())), (Some("LZO"), None));
    let told = CrmError::Codec { path: "x.parquet".into(), codec: "LZO" }.to_string();
    assert!(
        told.starts_with("x.parquet is Parquet compressed by LZO, which is not read; write it anew with snappy"),
        "{told}"
    );
}
