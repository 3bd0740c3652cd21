//! Spans as a collector reads them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Read;

use super::encode;
use super::spans::{Ended, Value};
use super::*;

fn ended(name: &'static str, parent: Option<[u8; 8]>) -> Ended {
    let attributes = vec![("prosopon.outcome", Value::Word("fetched".into())), ("prosopon.attempts", Value::Number(2))];
    let begin = 1_772_420_400_123_456_789;
    Ended { trace: [0xAB; 16], id: [7; 8], parent, name, begin, end: begin + 5, attributes, failed: parent.is_none() }
}

#[test]
fn the_json_is_that_of_the_published_protocol() {
    let body = encode::request(&[ended("run", None), ended("fetch", Some([1; 8]))]);
    let read: ExportTraceServiceRequest = serde_json::from_slice(&body).expect("OTLP in JSON");
    let resource = &read.resource_spans[0];
    let named = |key: &str| {
        let all = &resource.resource.as_ref().expect("a resource").attributes;
        all.iter().find(|a| a.key == key).and_then(|a| a.value.clone()).and_then(|v| v.value)
    };
    assert_eq!(named("service.name"), Some(Read::StringValue("prosopon".into())));
    assert_eq!(named("service.version"), Some(Read::StringValue(env!("CARGO_PKG_VERSION").into())));
    let [run, fetch] = &resource.scope_spans[0].spans[..] else { panic!("two spans") };
    assert_eq!((run.trace_id.as_slice(), run.span_id.as_slice()), (&[0xAB; 16][..], &[7; 8][..]));
    assert_eq!((run.parent_span_id.len(), fetch.parent_span_id.as_slice()), (0, &[1; 8][..]));
    assert_eq!(
        (run.start_time_unix_nano, run.end_time_unix_nano),
        (1_772_420_400_123_456_789, 1_772_420_400_123_456_794)
    );
    assert_eq!((run.kind, run.name.as_str(), fetch.name.as_str()), (1, "run", "fetch"));
    assert_eq!((run.status.clone().expect("a status").code, fetch.status.clone().expect("a status").code), (2, 0));
    let attempts = fetch.attributes.iter().find(|a| a.key == "prosopon.attempts").and_then(|a| a.value.clone());
    assert_eq!(attempts.and_then(|v| v.value), Some(Read::IntValue(2)));
    // Nothing is in it that the protocol does not know: what was read gives the same JSON again.
    let ours: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let again = serde_json::to_value(&read).expect("JSON");
    assert_eq!(missing(&ours, &again), Vec::<String>::new());
}

/// Keys of ours that the protocol's own types did not keep.
fn missing(ours: &serde_json::Value, again: &serde_json::Value) -> Vec<String> {
    match (ours, again) {
        (serde_json::Value::Object(a), serde_json::Value::Object(b)) => a
            .iter()
            .flat_map(|(key, value)| b.get(key).map_or(vec![key.clone()], |other| missing(value, other)))
            .collect(),
        (serde_json::Value::Array(a), serde_json::Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).flat_map(|(a, b)| missing(a, b)).collect()
        }
        (serde_json::Value::Array(_), _) => vec!["a list".into()],
        _ => Vec::new(),
    }
}

#[test]
fn addresses_of_collectors() {
    let path = |text: &str| text.parse::<Collector>().map(|c| format!("{c:?}"));
    for good in ["http://127.0.0.1:4318", "http://[::1]:4318/", "https://otel.example/v1/traces", "http://c.test/in/"] {
        assert!(path(good).expect(good).contains("/v1/traces"), "{good}");
    }
    assert_eq!("http://c.test/v1/traces/".parse::<Collector>(), "http://c.test".parse());
    for bad in ["", "127.0.0.1:4318", "grpc://c.test", "http://me:secret@c.test", "http://c.test/?key=1", "file:///x"] {
        let error = path(bad).expect_err(bad);
        assert!(error.contains("http://127.0.0.1:4318") && !error.contains("secret"), "{error}");
    }
}
