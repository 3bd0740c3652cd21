//! Events in the words of `OpenLineage` 2-0-2.
//!
//! Source: <https://openlineage.io/spec/2-0-2/OpenLineage.json> and the facets below
//! <https://openlineage.io/spec/facets/>, each named with the version that it is written in.

use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::sink::{Snapshot, Table, dictionary_json};

const PRODUCER: &str = concat!("https://prosopon.example/releases/", env!("CARGO_PKG_VERSION"));
/// So many characters of an error are told.
const LONGEST: usize = 500;
const RUN_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// A run at its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The controller: the namespace of the job.
    pub controller: String,
    /// The pipeline: the name of the job.
    pub pipeline: String,
    /// The run.
    pub run_id: String,
    /// How many of its starts came to an end before this one. A catalogue is told nothing more of what has ended, so each such
    /// end makes a new run for it.
    pub ends: usize,
    /// Whether an earlier start of this run was cut off, and has no end.
    pub resumed: bool,
    /// When it began, or goes on.
    pub at: Timestamp,
    /// The clock of the inference, where it is known.
    pub as_of: Option<Timestamp>,
    /// The home.
    pub home: PathBuf,
    /// What is read: files of the exports, and how many rows they have where that is known.
    pub inputs: Vec<(PathBuf, Option<u64>)>,
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// Its tables are published.
    Published(Snapshot),
    /// It was asked to stop, or is given up for another.
    Stopped,
    /// It failed: the error, which names nobody.
    Failed(String),
}

/// An event, as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Event(Value);

impl Event {
    /// `START`, or `RUNNING` for a run that goes on where it was killed.
    #[must_use]
    pub fn begin(begun: &Begun) -> Self {
        let kind = if begun.resumed { "RUNNING" } else { "START" };
        Self::of(begun, kind, begun.at, Map::new(), outputs(begun, None))
    }

    /// `COMPLETE`, `ABORT` or `FAIL`.
    #[must_use]
    pub fn end(begun: &Begun, end: &End, at: Timestamp) -> Self {
        match end {
            End::Published(snapshot) => Self::of(begun, "COMPLETE", at, Map::new(), outputs(begun, Some(snapshot))),
            End::Stopped => Self::of(begun, "ABORT", at, Map::new(), outputs(begun, None)),
            End::Failed(message) => {
                let message: String = message.chars().take(LONGEST).collect();
                let facet = facet(
                    "1-0-1/ErrorMessageRunFacet",
                    "ErrorMessageRunFacet",
                    json!({ "message": message, "programmingLanguage": "rust" }),
                );
                let facets = Map::from_iter([("errorMessage".to_owned(), facet)]);
                Self::of(begun, "FAIL", at, facets, outputs(begun, None))
            }
        }
    }

    fn of(begun: &Begun, kind: &str, at: Timestamp, mut run: Map<String, Value>, outputs: Vec<Value>) -> Self {
        if let Some(as_of) = begun.as_of {
            let nominal = json!({ "nominalStartTime": as_of.to_string() });
            run.insert("nominalTime".to_owned(), facet("1-0-1/NominalTimeRunFacet", "NominalTimeRunFacet", nominal));
        }
        let engine = json!({ "name": "prosopon", "version": env!("CARGO_PKG_VERSION") });
        run.insert(
            "processing_engine".to_owned(),
            facet("1-1-1/ProcessingEngineRunFacet", "ProcessingEngineRunFacet", engine),
        );
        let job = json!({ "processingType": "BATCH", "integration": "PROSOPON", "jobType": "PIPELINE" });
        Self(json!({
            "eventType": kind,
            "eventTime": at.to_string(),
            "producer": PRODUCER,
            "schemaURL": RUN_EVENT,
            "run": { "runId": uuid(begun), "facets": run },
            "job": {
                "namespace": begun.controller,
                "name": begun.pipeline,
                "facets": { "jobType": facet("2-0-4/JobTypeJobFacet", "JobTypeJobFacet", job) },
            },
            "inputs": begun.inputs.iter().map(input).collect::<Vec<_>>(),
            "outputs": outputs,
        }))
    }

    /// The event.
    #[must_use]
    pub const fn as_json(&self) -> &Value {
        &self.0
    }
}

fn facet(file: &str, name: &str, mut content: Value) -> Value {
    content["_producer"] = PRODUCER.into();
    content["_schemaURL"] = format!("https://openlineage.io/spec/facets/{file}.json#/$defs/{name}").into();
    content
}

/// The same until the run has an end: version 8, of our own making, from the run and whose it is.
fn uuid(begun: &Begun) -> String {
    let home = name(&begun.home);
    let whose = json!([begun.controller, begun.pipeline, begun.run_id, home, begun.ends]);
    let hash = Sha256::new_with_prefix(whose.to_string());
    let mut bytes: [u8; 16] = hash.finalize()[..16].try_into().expect("16 of 32 bytes");
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// One name for a file, by whatever way a pipeline comes to it: absolute and without `..`. Links stay as they are otherwise,
/// so that one which is set anew every night names one dataset.
fn name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut name = PathBuf::new();
    for part in absolute.components() {
        if part == Component::ParentDir {
            // The folder above is that of what a link leads to.
            name = name.canonicalize().unwrap_or(name);
            name.pop();
        } else {
            name.push(part);
        }
    }
    name.display().to_string()
}

fn input((path, rows): &(PathBuf, Option<u64>)) -> Value {
    let mut dataset = json!({ "namespace": "file", "name": name(path) });
    if let Some(rows) = rows {
        let content = json!({ "rowCount": rows });
        let facet = facet("1-0-0/InputStatisticsInputDatasetFacet", "InputStatisticsInputDatasetFacet", content);
        dataset["inputFacets"] = json!({ "inputStatistics": facet });
    }
    dataset
}

/// The tables; with their rows once they are there.
fn outputs(begun: &Begun, snapshot: Option<&Snapshot>) -> Vec<Value> {
    let dictionary = dictionary_json();
    let manifest = snapshot.and_then(|s| s.manifest().ok()).unwrap_or_default();
    let table = |(i, table): (usize, Table)| {
        let fields = fields(&dictionary["tables"][i]["columns"]);
        let mut dataset = json!({
            "namespace": "file",
            "name": name(&begun.home.join(&begun.pipeline).join(table.as_str())),
            "facets": { "schema": facet("1-2-0/SchemaDatasetFacet", "SchemaDatasetFacet", json!({ "fields": fields })) },
        });
        if let (Some(snapshot), Some(rows)) =
            (snapshot, manifest["snapshot"]["tables"][table.as_str()]["rows"].as_u64())
        {
            let version = json!({ "datasetVersion": begun.run_id });
            dataset["facets"]["version"] =
                facet("1-0-1/DatasetVersionDatasetFacet", "DatasetVersionDatasetFacet", version);
            let files = snapshot.files(table).unwrap_or_default();
            let size: u64 = files.iter().filter_map(|f| Some(f.metadata().ok()?.len())).sum();
            let content = json!({ "rowCount": rows, "size": size, "fileCount": files.len() });
            let facet =
                facet("1-0-2/OutputStatisticsOutputDatasetFacet", "OutputStatisticsOutputDatasetFacet", content);
            dataset["outputFacets"] = json!({ "outputStatistics": facet });
        }
        dataset
    };
    Table::ALL.into_iter().enumerate().map(table).collect()
}

/// Columns in the words of the schema facet, with the fields of structs inside.
fn fields(columns: &Value) -> Vec<Value> {
    let field = |(i, column): (usize, &Value)| {
        let mut field = json!({
            "name": column["name"], "type": column["type"], "description": column["description"],
            "ordinal_position": i + 1,
        });
        if column["fields"].is_array() {
            field["fields"] = fields(&column["fields"]).into();
        }
        field
    };
    columns.as_array().into_iter().flatten().enumerate().map(field).collect()
}
