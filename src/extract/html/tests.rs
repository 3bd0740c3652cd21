//! The readers against cases: `testdata/html` (our own) and the shared microformats suite where it is present.

use std::path::{Path, PathBuf};

use serde_json::Value;
use url::Url;

use super::read_page;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path, url: &str) -> Value {
    let html = std::fs::read(path).expect("a readable page");
    let url = Url::parse(url).expect("a valid URL");
    serde_json::to_value(read_page(&html, None, &url)).expect("a reading serialises")
}

/// Every file with that ending below a folder, sorted.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// `http://host` and `http://host/` are the same address.
fn same_addresses(value: &Value) -> Value {
    match value {
        Value::String(s) if s.starts_with("http") && !s.contains(char::is_whitespace) => {
            Value::String(Url::parse(s).map_or_else(|_| s.clone(), String::from))
        }
        Value::Array(list) => list.iter().map(same_addresses).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), same_addresses(v))).collect::<serde_json::Map<_, _>>().into(),
        other => other.clone(),
    }
}

#[test]
fn the_shared_microformats_suite() {
    let folder = std::env::var_os("PROSOPON_MICROFORMATS")
        .map_or_else(|| root().join("../shared/data/microformats"), PathBuf::from);
    let cases = files_below(&folder, ".json");
    if cases.is_empty() {
        println!("SKIPPED: no microformats suite at {}", folder.display());
        return;
    }
    let mut failed = Vec::new();
    for case in &cases {
        let host = if case.to_string_lossy().contains("v2-unit") { "http://example.test/" } else { "http://example.com/" };
        let expected: Value =
            serde_json::from_slice(&std::fs::read(case).expect("readable")).expect("the suite is JSON");
        let read = read(&case.with_extension("html"), host);
        if same_addresses(&read["mf2"]) != same_addresses(&expected) {
            failed.push(case.strip_prefix(&folder).expect("below it").display().to_string());
            if std::env::var_os("SHOW").is_some() {
                println!("--- {}\n{}\n{}", case.display(), same_addresses(&expected), same_addresses(&read["mf2"]));
            }
        }
    }
    println!("microformats: {} of {} pass", cases.len() - failed.len(), cases.len());
    assert!(failed.is_empty(), "{} of {} fail: {failed:#?}", failed.len(), cases.len());
}
