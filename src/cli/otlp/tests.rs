//! Spans as a collector reads them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Told;

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;

use super::encode;
use super::send::{Message, Tally, Worker};
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
    assert_eq!(named("service.name"), Some(Told::StringValue("prosopon".into())));
    assert_eq!(named("service.version"), Some(Told::StringValue(env!("CARGO_PKG_VERSION").into())));
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
    assert_eq!(attempts.and_then(|v| v.value), Some(Told::IntValue(2)));
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

/// What a collector on loopback does with one request after the other: an answer, or it hangs up.
type Script = &'static [Option<u16>];

/// Sends one span there; what is told at the end, spans taken and lost.
fn export(script: Script) -> (Option<String>, u64, u64) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let collector = format!("http://{address}").parse().expect("an address");
    let receiver = std::thread::spawn(move || {
        for answer in script {
            let (mut stream, _) = listener.accept().expect("a request");
            let Some(status) = answer else { continue };
            let (mut request, mut part) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"}]}]}]}") {
                let read = stream.read(&mut part).expect("bytes");
                assert!(read > 0, "cut off: {}", String::from_utf8_lossy(&request));
                request.extend_from_slice(&part[..read]);
            }
            write!(stream, "HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n").expect("an answer");
        }
    });
    let (queue, spans) = sync_channel(4);
    let tally = Arc::new(Tally::default());
    let worker = Worker::start(collector, spans, Arc::clone(&tally)).expect("a thread");
    queue.send(Message::Span(Box::new(ended("run", None)))).expect("it is read");
    let told = worker.end(&queue);
    receiver.join().expect("all requests came");
    (told, tally.taken.load(Ordering::Relaxed), tally.lost.load(Ordering::Relaxed))
}

#[test]
fn what_a_collector_refuses_for_now_is_sent_again() {
    let cases: [(Script, u64, &[&str]); 6] = [
        (&[Some(200)], 1, &[]),
        (&[Some(503), Some(200)], 1, &[]),
        (&[None, Some(200)], 1, &[]),
        (&[Some(503), None, Some(429)], 0, &["took none of the spans", "it answered 429"]),
        (&[Some(400)], 0, &["took none of the spans", "it answered 400"]),
        // Nobody listens.
        (&[], 0, &["took none of the spans", "refused"]),
    ];
    for (script, taken, words) in cases {
        let (told, is_taken, is_lost) = export(script);
        assert_eq!((is_taken, is_lost), (taken, 1 - taken), "{script:?} {told:?}");
        assert_eq!(told.is_some(), taken == 0, "{script:?} {told:?}");
        let told = told.unwrap_or_default();
        assert!(words.iter().all(|w| told.contains(w)) && !told.contains("too slow"), "{script:?} {told}");
    }
}

#[test]
fn the_last_warning_says_what_was_lost() {
    let told = |taken: u64, lost: u64, in_time: bool| {
        let tally = Tally { taken: taken.into(), lost: lost.into(), ..Tally::default() };
        tally.verdict(in_time).unwrap_or_default()
    };
    for (taken, lost, in_time, words) in [
        (7, 0, true, ""),
        (0, 0, true, ""),
        (7, 2, true, "did not take 2 of 9 spans"),
        (0, 9, true, "took none of the spans"),
        (0, 0, false, "took none of the spans"),
        (0, 9, false, "took none of the spans"),
        (7, 0, false, "is too slow, the last spans are lost"),
        (7, 2, false, "did not take 2 spans and those that waited"),
    ] {
        let told = told(taken, lost, in_time);
        assert_eq!((told.is_empty(), told.contains(words)), (words.is_empty(), true), "{taken} {lost} {told}");
    }
}

#[test]
fn spans_that_nobody_reads_any_more_are_counted() {
    use tracing_subscriber::layer::SubscriberExt as _;
    let (export, gone) = super::spans::without_worker(&(Arc::new(|| jiff::Timestamp::UNIX_EPOCH) as _));
    let subscriber = tracing_subscriber::registry().with(export);
    tracing::subscriber::with_default(subscriber, || drop(tracing::info_span!("run")));
    assert_eq!(gone.lost.load(Ordering::Relaxed), 1);
}
