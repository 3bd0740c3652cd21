//! Encrypted tables: Parquet modular encryption (AES-256-GCM), one key for a file or one for each kind of personal data.
//!
//! Invariant: no key shows in output or error; with keys, no byte of a value, name of a column or statistic is written
//! in clear. Nonces are random, so equal rows are then no longer equal bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::encryption::decrypt::{FileDecryptionProperties, KeyRetriever};
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::columns::{Category, Column, Kind, columns};
use super::error::packed_by_others;
use super::{SinkError, Table};

/// Bytes of a key: AES-256. The Parquet library and its readers know 16 bytes too, 24 only `DuckDB`.
pub const KEY_BYTES: usize = 32;
/// What an encrypted file begins with.
const MAGIC: &[u8] = b"PARE";
/// Kinds of data with a key of their own.
const PERSONAL: [Category; 3] = [Category::PersonId, Category::Professional, Category::Profile];

type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The keys of encrypted tables.
pub struct TableKeys {
    footer: Key,
    /// Empty = one key for all; else by category, where a reader may lack some.
    by_category: BTreeMap<Category, Key>,
}

impl fmt::Debug for TableKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TableKeys([secret])")
    }
}

impl PartialEq for TableKeys {
    fn eq(&self, other: &Self) -> bool {
        let ids = |k: &Self| (key_id(&k.footer), k.by_category.values().map(key_id).collect::<Vec<_>>());
        ids(self) == ids(other)
    }
}

impl Eq for TableKeys {}

impl TableKeys {
    /// One key for whole files; `DuckDB`, pyarrow and others read them with that key.
    #[must_use]
    pub fn uniform(key: [u8; KEY_BYTES]) -> Self {
        Self { footer: Zeroizing::new(key), by_category: BTreeMap::new() }
    }

    /// A key for each kind of personal data and one for the rest, all made from one.
    ///
    /// Who lacks the key of a kind reads the other columns. `DuckDB` cannot read such files.
    #[must_use]
    pub fn by_category(master: [u8; KEY_BYTES]) -> Self {
        let master = Zeroizing::new(master);
        let by_category = PERSONAL.map(|c| (c, derive(&master, c.as_str())));
        Self { footer: derive(&master, "footer"), by_category: by_category.into() }
    }

    /// The same keys without those of some kinds of data: what somebody gets who may not see these.
    #[must_use]
    pub fn without(mut self, categories: &[Category]) -> Self {
        self.by_category.retain(|c, _| !categories.contains(c));
        self
    }

    /// How a table is encrypted.
    pub(super) fn encryption(&self, table: Table) -> Result<Arc<FileEncryptionProperties>, ParquetError> {
        let mut builder = FileEncryptionProperties::builder(self.footer.to_vec())
            .with_footer_key_metadata(key_name("footer", &self.footer));
        if !self.by_category.is_empty() {
            for (path, category) in leaves(columns(table)) {
                let (name, key) = match self.by_category.get(&category) {
                    Some(key) => (category.as_str(), key),
                    // Writing in clear, or with another's key, what the writer has no key for would be worse.
                    None if PERSONAL.contains(&category) => {
                        return Err(ParquetError::General(format!("there is no key for {}", category.as_str())));
                    }
                    None => ("footer", &self.footer),
                };
                builder = builder.with_column_key_and_metadata(&path, key.to_vec(), key_name(name, key));
            }
        }
        builder.build()
    }

    /// A column, of those asked for, for which there is no key; `None` = all columns are asked for.
    pub(super) fn lacks(&self, table: Table, asked: Option<&[String]>) -> Option<String> {
        if self.by_category.is_empty() {
            return None;
        }
        let lacking = |c: &Category| PERSONAL.contains(c) && !self.by_category.contains_key(c);
        let wanted = |path: &str| {
            let name = path.split('.').next().unwrap_or(path);
            asked.is_none_or(|asked| asked.iter().any(|a| a.split('.').next() == Some(name)))
        };
        leaves(columns(table)).into_iter().find(|(path, c)| lacking(c) && wanted(path)).map(|(path, _)| path)
    }

    /// The key that a file asks for by name and id; a file of another writer names none.
    fn find(&self, asked: &[u8]) -> Option<&Key> {
        if asked.is_empty() {
            return Some(&self.footer);
        }
        let mut all = PERSONAL.iter().filter_map(|c| Some((c.as_str(), self.by_category.get(c)?)));
        if asked == key_name("footer", &self.footer) {
            return Some(&self.footer);
        }
        all.find(|(name, key)| asked == key_name(name, key)).map(|(_, key)| key)
    }
}

/// What a file says of a key: its name, and an id that tells another key apart and nothing else.
fn key_name(name: &str, key: &Key) -> Vec<u8> {
    format!("prosopon:{name}:{}", key_id(key)).into_bytes()
}

fn key_id(key: &Key) -> String {
    HEXLOWER.encode(&derive(key, "key id")[..8])
}

fn derive(key: &Key, label: &str) -> Key {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
    mac.update(b"prosopon table key\0");
    mac.update(label.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The columns of a file as Parquet names them, with the kind of data of each.
fn leaves(columns: &[Column]) -> Vec<(String, Category)> {
    let mut all = Vec::new();
    for column in columns {
        match &column.kind {
            Kind::Codes => all.push((format!("{}.list.element", column.name), column.category)),
            Kind::Structs(fields) => {
                let inner = leaves(fields).into_iter();
                all.extend(inner.map(|(path, c)| (format!("{}.list.element.{path}", column.name), c)));
            }
            Kind::Code | Kind::Prose | Kind::Term(_) | Kind::Int | Kind::Float(_) | Kind::Time => {
                all.push((column.name.clone(), column.category));
            }
        }
    }
    all
}

/// Whether a file is encrypted.
pub(crate) fn is_encrypted(path: &Path) -> Result<bool, SinkError> {
    let mut head = [0; MAGIC.len()];
    let read = File::open(path).and_then(|f| f.take(MAGIC.len() as u64).read(&mut head));
    read.map_err(SinkError::io("read", path)).map(|n| head[..n] == *MAGIC)
}

/// Opens a Parquet file; every reader of tables comes through here.
pub(crate) fn open(
    path: &Path,
    keys: Option<&Arc<TableKeys>>,
    page_index: PageIndexPolicy,
) -> Result<ParquetRecordBatchReaderBuilder<File>, SinkError> {
    let file = File::open(path).map_err(SinkError::io("read", path))?;
    let mut options = ArrowReaderOptions::new().with_page_index_policy(page_index);
    let mut missed = None;
    if is_encrypted(path)? {
        let Some(keys) = keys else { return Err(SinkError::KeyMissing { path: path.to_owned() }) };
        let retriever = Arc::new(Retriever { keys: Arc::clone(keys), missed_footer: AtomicBool::new(false) });
        let decryption = FileDecryptionProperties::with_key_retriever(retriever.clone());
        options =
            options.with_file_decryption_properties(decryption.build().map_err(SinkError::parquet("read", path))?);
        missed = Some(retriever);
    }
    let opened =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(|error| match &missed {
            Some(retriever) if retriever.missed_footer.load(Ordering::Relaxed) => {
                SinkError::KeyWrong { path: path.to_owned() }
            }
            _ => SinkError::parquet("read", path)(error),
        })?;
    let mut columns = opened.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
    let is_ours = |codec| matches!(codec, Compression::ZSTD(_) | Compression::UNCOMPRESSED);
    match columns.find(|column| !is_ours(column.compression())) {
        Some(column) => Err(SinkError::parquet("read", path)(packed_by_others(column.compression()))),
        None => Ok(opened),
    }
}

/// Gives the library the keys that a file names.
struct Retriever {
    keys: Arc<TableKeys>,
    missed_footer: AtomicBool,
}

impl KeyRetriever for Retriever {
    fn retrieve_key(&self, asked: &[u8]) -> Result<Vec<u8>, ParquetError> {
        if let Some(key) = self.keys.find(asked) {
            return Ok(key.to_vec());
        }
        if asked.starts_with(b"prosopon:footer:") {
            self.missed_footer.store(true, Ordering::Relaxed);
        }
        Err(ParquetError::General("the key for this column is not among those given".into()))
    }
}

#[cfg(test)]
#[path = "encrypt_tests.rs"]
mod tests;
