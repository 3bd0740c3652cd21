//! Published snapshots: finding the current one, the kept ones, and their files.
//!
//! Invariant: a snapshot that [`current`] gives has a file for every table.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::read::Batches;
use super::{Select, SinkError, Table, TableKeys, home};

/// What the run said about itself.
pub(super) const MANIFEST: &str = "manifest.json";
/// The one-line file that names the current snapshot.
pub(super) const CURRENT: &str = "current";
/// The link beside it, for tools that know of no snapshots.
const LATEST: &str = "latest";
/// Most files of a table.
const MAX_PARTS: usize = 10_000;

/// A whole snapshot on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    folder: PathBuf,
    run: String,
    keys: Option<Arc<TableKeys>>,
}

impl Snapshot {
    pub(super) fn at(folder: PathBuf, run: &str) -> Self {
        let keys = super::ring::of_snapshot(&folder);
        Self { folder, run: run.to_owned(), keys }
    }

    /// The same snapshot, with the keys by which encrypted tables are read.
    #[must_use]
    pub fn with_keys(mut self, keys: Option<Arc<TableKeys>>) -> Self {
        self.keys = keys;
        self
    }

    pub(super) const fn keys(&self) -> Option<&Arc<TableKeys>> {
        self.keys.as_ref()
    }

    /// `HOME/<pipeline>/snapshot=<run id>`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The id of the run that wrote it.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run
    }

    /// The folder of a table; all `part-N.parquet` in it are the table.
    #[must_use]
    pub fn path(&self, table: Table) -> PathBuf {
        self.folder.join(table.as_str())
    }

    /// The Parquet files of a table, in order.
    pub fn files(&self, table: Table) -> Result<Vec<PathBuf>, SinkError> {
        let folder = self.path(table);
        let part = |n: usize| folder.join(format!("part-{n}.parquet"));
        let files: Vec<PathBuf> = (0..MAX_PARTS).map(part).take_while(|p| p.is_file()).collect();
        if files.is_empty() {
            return Err(SinkError::io("read", &part(0))(io::ErrorKind::NotFound.into()));
        }
        Ok(files)
    }

    /// The rows of a table as record batches.
    pub fn read(&self, table: Table) -> Result<Batches, SinkError> {
        Batches::open(self, table, &Select::All, None)
    }

    /// What the run said about itself, with rows and hashes of the tables under `snapshot`.
    pub fn manifest(&self) -> Result<Value, SinkError> {
        let path = self.folder.join(MANIFEST);
        let bytes = fs::read(&path).map_err(SinkError::io("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|e| SinkError::io("read", &path)(e.into()))
    }

    /// The place in the line of publications; 0 where the manifest is damaged.
    pub(super) fn sequence(&self) -> u64 {
        self.manifest().ok().and_then(|m| m.pointer("/snapshot/sequence")?.as_u64()).unwrap_or(0)
    }
}

/// The current snapshot of a pipeline; `None` before its first.
pub fn current(home: &Path, pipeline: &str) -> Result<Option<Snapshot>, SinkError> {
    home::check_name("pipeline name", pipeline)?;
    let path = home.join(pipeline).join(CURRENT);
    let text = match fs::read_to_string(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(SinkError::io("read", &path))?,
    };
    let run = text.strip_suffix('\n').unwrap_or(&text).strip_prefix("snapshot=").unwrap_or_default();
    let snapshot = Snapshot::at(home.join(pipeline).join(format!("snapshot={run}")), run);
    let whole = home::check_name("run id", run).is_ok() && Table::ALL.iter().all(|t| snapshot.files(*t).is_ok());
    if whole { Ok(Some(snapshot)) } else { Err(SinkError::Current { path }) }
}

/// Every kept snapshot of a pipeline, oldest first; erasure works on all of them.
pub fn snapshots(home: &Path, pipeline: &str) -> Result<Vec<Snapshot>, SinkError> {
    home::check_name("pipeline name", pipeline)?;
    let folder = home.join(pipeline);
    let mut all: Vec<Snapshot> = home::sub_dirs(&folder)?
        .iter()
        .filter_map(|name| name.strip_prefix("snapshot="))
        .filter(|run| home::check_name("run id", run).is_ok())
        .map(|run| Snapshot::at(folder.join(format!("snapshot={run}")), run))
        .collect();
    all.sort_by_cached_key(|s| (s.sequence(), s.run.clone()));
    Ok(all)
}

/// The pipelines of a home that have a current snapshot, by name.
#[must_use]
pub fn pipelines(home: &Path) -> Vec<String> {
    let mut names = home::sub_dirs(home).unwrap_or_default();
    names.retain(|n| home::check_name("pipeline name", n).is_ok() && home.join(n).join(CURRENT).is_file());
    names
}

/// Lets `latest`, for tools that know of no snapshots, lead to the folder that `current` names. Whatever else stands in
/// its place is left alone.
pub(super) fn point_latest(home: &Path, folder: &Path, target: &str) -> Result<(), SinkError> {
    let link = folder.join(LATEST);
    match fs::read_link(&link) {
        Ok(now) if now == Path::new(target) => return Ok(()),
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Ok(()),
        _ => {}
    }
    let staged = home.join(".work").join(format!("{LATEST}-{target}"));
    fs::remove_file(&staged)
        .or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
        .map_err(SinkError::io("remove", &staged))?;
    home::link(Path::new(target), &staged)?;
    home::rename(&staged, &link)
}
