//! The published JSON Schemas of `OpenLineage`, and what they find wrong in an event. For tests: those of this module, and
//! those of the whole program (`tests/it/lineage.rs`), which read what it wrote.
//!
//! Invariant: nothing is fetched; a schema that is not in `testdata/lineage/schemas` is a mistake of the event that names it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jsonschema::Registry;
use serde_json::{Value, json};

const CORE: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";

/// A key of a run event, the definition of what stands there, and its facets by key and kind.
type Part = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const PARTS: [Part; 4] = [
    ("run", "Run", &[("facets", "RunFacet")]),
    ("job", "Job", &[("facets", "JobFacet")]),
    ("inputs", "InputDataset", &[("facets", "DatasetFacet"), ("inputFacets", "InputDatasetFacet")]),
    ("outputs", "OutputDataset", &[("facets", "DatasetFacet"), ("outputFacets", "OutputDatasetFacet")]),
];

/// The schemas by their `$id`.
pub struct Published(pub BTreeMap<String, Value>);

impl Published {
    /// All that are in the folder.
    pub fn load() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/lineage/schemas");
        let mut all = BTreeMap::new();
        for folder in [folder.clone(), folder.join("facets")] {
            for entry in fs::read_dir(&folder).expect("the folder of the schemas") {
                let path = entry.expect("an entry").path();
                if path.is_file() {
                    let schema: Value =
                        serde_json::from_slice(&fs::read(&path).expect("readable")).expect("a schema is JSON");
                    let id = schema["$id"].as_str().expect("a schema has an $id").to_owned();
                    assert!(id.rsplit('/').next() == path.file_name().and_then(|n| n.to_str()), "{id}");
                    assert!(all.insert(id.clone(), schema).is_none(), "{id} is there twice");
                }
            }
        }
        Self(all)
    }

    /// What is wrong with a run event by the core schema, and with each of its facets by the schema that it names.
    pub fn mistakes(&self, event: &Value) -> Vec<String> {
        let run_event = format!("{CORE}#/$defs/RunEvent");
        let mut wrong = self.against(&run_event, event);
        // A run event, and nothing that passes for one of the two others.
        wrong.extend(self.against(CORE, event));
        if event["schemaURL"] != run_event.as_str() {
            wrong.push(format!("schemaURL: {} is not {run_event}", event["schemaURL"]));
        }
        wrong.extend(unknown("event", event, &self.properties(&run_event)));
        // The schema asks for no eventType; the specification's text does.
        if !event["eventType"].is_string() {
            wrong.push("eventType: none".into());
        }
        for (part, definition, kinds) in PARTS {
            let known = self.properties(&format!("{CORE}#/$defs/{definition}"));
            let holders = match &event[part] {
                Value::Array(datasets) => datasets.iter().collect(),
                holder => vec![holder],
            };
            for holder in holders {
                wrong.extend(unknown(part, holder, &known));
                for (key, kind) in kinds {
                    for (name, facet) in holder[key].as_object().into_iter().flatten() {
                        let mistakes = self.of_facet(name, facet, kind);
                        wrong.extend(mistakes.into_iter().map(|wrong| format!("{part}.{key}.{name}: {wrong}")));
                    }
                }
            }
        }
        wrong
    }

    /// A facet by the schema that it names: it is there, the facet may stand here and under this name, and all that is in it is
    /// known (the schemas let anything else pass, so a slip of the pen would be nothing).
    fn of_facet(&self, name: &str, facet: &Value, kind: &str) -> Vec<String> {
        let url = facet["_schemaURL"].as_str().unwrap_or_default();
        let Some((file, pointer)) = url.split_once('#') else {
            return vec![format!("_schemaURL: {url:?} points at no facet")];
        };
        let Some(schema) = self.0.get(file) else { return vec![format!("_schemaURL: {file:?} is not in the folder")] };
        let mut wrong = Vec::new();
        if schema["properties"][name]["$ref"] != format!("#{pointer}").as_str() {
            wrong.push(format!("{url} is not a facet of that name"));
        }
        if schema.pointer(&format!("{pointer}/allOf/0/$ref")) != Some(&format!("{CORE}#/$defs/{kind}").into()) {
            wrong.push(format!("{url} is not a {kind}"));
        }
        wrong.extend(unknown("facet", facet, &self.properties(url)));
        wrong.extend(self.against(url, facet));
        wrong
    }

    fn against(&self, url: &str, value: &Value) -> Vec<String> {
        let registry = Registry::new().extend(self.0.iter()).expect("addresses").prepare().expect("schemas");
        let schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": url });
        let validator = jsonschema::options()
            .offline()
            .with_registry(&registry)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .build(&schema);
        match validator {
            Ok(validator) => {
                validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
            }
            Err(error) => vec![format!("{url}: {error}")],
        }
    }

    /// The names of the properties that a schema and those it rests on know.
    fn properties(&self, url: &str) -> Vec<&str> {
        let (file, pointer) = url.split_once('#').unwrap_or((url, ""));
        let Some(schema) = self.0.get(file).and_then(|schema| schema.pointer(pointer)) else { return Vec::new() };
        let own = schema["properties"].as_object().into_iter().flat_map(|known| known.keys().map(String::as_str));
        let parts = schema["allOf"].as_array().into_iter().flatten().enumerate();
        let inner = parts.flat_map(|(i, part)| match part["$ref"].as_str() {
            Some(of) if of.starts_with('#') => self.properties(&format!("{file}{of}")),
            Some(of) => self.properties(of),
            None => self.properties(&format!("{file}#{pointer}/allOf/{i}")),
        });
        own.chain(inner).collect()
    }
}

fn unknown(what: &str, value: &Value, known: &[&str]) -> Vec<String> {
    let keys = value.as_object().into_iter().flat_map(|value| value.keys());
    keys.filter(|key| !known.contains(&key.as_str())).map(|key| format!("{what}: nobody knows {key}")).collect()
}
