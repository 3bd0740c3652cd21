//! `--otlp` and `--metrics`: who is told of runs while they go on, and what.
//!
//! Invariant: collectors listen on loopback; nothing they are told names a host, a path or a person.
#![expect(clippy::disallowed_types, reason = "collectors and scrapers of the tests, on loopback")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::harness::{arg, demo, say, temp};

/// One request.
pub struct Got {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// A collector on loopback that answers every request with this status, and what it was sent.
pub fn collector(status: u16) -> (String, Arc<Mutex<Vec<Got>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let got: Arc<Mutex<Vec<Got>>> = Arc::default();
    let kept = Arc::clone(&got);
    // It ends with the process.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Some(request) = read(&stream) {
                kept.lock().expect("no panic").push(request);
            }
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            let _gone = (&stream).write_all(answer.as_bytes());
        }
    });
    (url, got)
}

fn read(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut headers) = (String::new(), BTreeMap::new());
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Got { path, headers, body })
}

fn words(span: &Span) -> BTreeMap<String, String> {
    let word = |value: Value| match value {
        Value::StringValue(text) => text,
        Value::IntValue(n) => n.to_string(),
        other => panic!("{other:?}"),
    };
    let all =
        span.attributes.iter().map(|a| (a.key.clone(), word(a.value.clone().expect("a value").value.expect("one"))));
    all.collect()
}

#[test]
fn a_collector_is_told_of_stages_and_fetches_and_of_nobody() {
    let dir = temp();
    let (url, got) = collector(200);
    let home = dir.path().join("home");
    demo(&home, &["--otlp", &url]).expect(0);
    let got = got.lock().expect("no panic");
    assert!(got.iter().all(|got| got.path == "/v1/traces" && got.headers["content-type"] == "application/json"));
    let mut spans = Vec::new();
    for Got { body, .. } in got.iter() {
        let text = std::str::from_utf8(body).expect("UTF-8");
        for never in [".example", "http", "@", "/team", "/users", "werk", "Hartwig", "K-20", "sub_", "robots.txt"] {
            assert!(!text.contains(never), "{never} in {text}");
        }
        let read: ExportTraceServiceRequest = serde_json::from_slice(body).expect("OTLP in JSON");
        spans.extend(read.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans));
    }
    let by_name = |name: &str| spans.iter().filter(|s| s.name == name).collect::<Vec<_>>();
    let (runs, stages, fetches) = (by_name("run"), by_name("stage"), by_name("fetch"));
    assert_eq!((runs.len(), stages.len() + fetches.len() + 1), (1, spans.len()), "only these names");
    let run = words(runs[0]);
    assert_eq!((run["prosopon.pipeline"].as_str(), run["prosopon.outcome"].as_str()), ("demo", "completed"));
    assert!(runs[0].parent_span_id.is_empty());
    // A tree: every parent is there, everything is of the one trace.
    let ids: BTreeSet<&[u8]> = spans.iter().map(|s| s.span_id.as_slice()).collect();
    assert_eq!(ids.len(), spans.len());
    for span in &spans {
        assert!(span.trace_id == runs[0].trace_id && span.trace_id.len() == 16 && span.span_id.len() == 8);
        assert!(span.name == "run" || ids.contains(span.parent_span_id.as_slice()), "{span:?}");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano && span.start_time_unix_nano > 1 << 60);
    }
    let stage: BTreeSet<String> = stages.iter().map(|s| words(s)["prosopon.stage"].clone()).collect();
    for wanted in ["crm", "gate", "notes", "read", "fuse", "write"] {
        assert!(stage.contains(wanted), "{wanted}: {stage:?}");
    }
    // As many fetches as there are documents, by the same outcomes.
    let documents = say(["inspect", "documents", "--out", arg(&home), "--format", "jsonl"]).expect(0).json_lines();
    assert_eq!(fetches.len(), documents.len());
    let told = |key: &str| fetches.iter().map(|s| words(s)[key].clone()).collect::<BTreeSet<_>>();
    assert!(told("prosopon.fetch_kind").iter().all(|k| ["robots", "tdm", "ai", "page"].contains(&k.as_str())));
    assert!(
        told("prosopon.host_class")
            .iter()
            .all(|k| ["company_site", "public_professional", "public_social"].contains(&k.as_str()))
    );
    assert!(told("prosopon.outcome").iter().all(|k| ["fetched", "failed", "abandoned"].contains(&k.as_str())));
}

#[test]
fn a_collector_that_fails_fails_no_run() {
    let dir = temp();
    let (url, got) = collector(400);
    let said = demo(&dir.path().join("refused"), &["--otlp", &url, "--limit", "5"]).expect(0);
    assert!(said.err.contains("took none of the spans (it answered 400)"), "{}", said.err);
    assert!(!got.lock().expect("no panic").is_empty());
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").expect("loopback").local_addr().expect("bound");
    let said = demo(&dir.path().join("gone"), &["--otlp", &format!("http://{gone}"), "--limit", "5"]).expect(0);
    assert!(said.err.contains("took none of the spans") && !said.err.contains("too slow"), "{}", said.err);
    assert!(said.err.contains("collector"), "{}", said.err);
    let said = demo(&dir.path().join("odd"), &["--otlp", "ftp://collector.example"]).expect(2);
    assert!(said.err.contains("write it like http://127.0.0.1:4318"), "{}", said.err);
    assert!(!dir.path().join("odd").exists());
}
