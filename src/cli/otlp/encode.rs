//! Spans in the JSON encoding of OTLP 1.x (opentelemetry-proto, `docs/specification.md`, "JSON Protobuf Encoding").
//!
//! Invariant: ids in hexadecimal, 64-bit numbers as strings, enums as numbers, names in lowerCamelCase.

use data_encoding::HEXLOWER;
use serde_json::{Value as Json, json};

use super::spans::{Ended, Value};

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u8 = 1;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// One request to a collector.
pub(super) fn request(spans: &[Ended]) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let resource = [text("service.name", "prosopon"), text("service.version", version)];
    let spans: Vec<Json> = spans.iter().map(span).collect();
    let scope = json!({ "scope": { "name": "prosopon", "version": version }, "spans": spans });
    let all = json!({ "resourceSpans": [{ "resource": { "attributes": resource }, "scopeSpans": [scope] }] });
    serde_json::to_vec(&all).expect("keys are text")
}

fn text(key: &str, value: &str) -> Json {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn span(ended: &Ended) -> Json {
    let attribute = |(key, value): &(&'static str, Value)| match value {
        Value::Word(word) => text(key, word),
        Value::Number(n) => json!({ "key": key, "value": { "intValue": n.to_string() } }),
    };
    json!({
        "traceId": HEXLOWER.encode(&ended.trace),
        "spanId": HEXLOWER.encode(&ended.id),
        "parentSpanId": ended.parent.map_or(String::new(), |id| HEXLOWER.encode(&id)),
        "name": ended.name,
        "kind": INTERNAL,
        "startTimeUnixNano": ended.begin.to_string(),
        "endTimeUnixNano": ended.end.to_string(),
        "attributes": ended.attributes.iter().map(attribute).collect::<Vec<_>>(),
        "status": if ended.failed { json!({ "code": ERROR }) } else { json!({}) },
    })
}
