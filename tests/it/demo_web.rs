//! `demo-web`: the demo's sites, to look at.
//!
//! Invariant: it listens on loopback only, answers by Host header and stops when told.
#![expect(clippy::disallowed_types, reason = "a browser's place is taken by a plain socket on loopback")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{finish, signal, start};

/// Status and body of a GET for a host.
fn get(addr: &str, host: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).expect("the demo web listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a mode of sockets");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no status: {answer}"));
    (status, answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
}

#[test]
fn it_serves_by_host_and_stops_on_ctrl_c() {
    let mut child = start(["demo-web", "--port", "0"]);
    let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
    let first = lines.next().expect("a line").expect("UTF-8");
    let addr = first.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address").to_owned();
    assert!(addr.starts_with("127.0.0.1:") && !addr.ends_with(":0"), "{first}");
    let (status, body) = get(&addr, "hartwig-sondermaschinen.example", "/");
    assert!(status == 200 && body.contains("Hartwig"), "{status} {body}");
    let (status, body) = get(&addr, "api.devhub.example", "/users/ravi-subra");
    assert!(status == 200 && serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{status} {body}");
    assert_eq!(get(&addr, "kantfeld-software.example", "/team").0, 404);
    assert_eq!(get(&addr, "dachstein-intralogistik.example", "/").0, 301);
    assert_eq!(get(&addr, "zeller-praezision.example", "/").0, 503, "the first time it asks to wait");
    let (status, body) = get(&addr, "nobody.example", "/");
    assert!(status != 200 || !body.contains("Hartwig Sondermaschinenbau GmbH"), "an unknown host is no site: {body}");
    signal(child.id(), "INT");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let said = finish(child);
    assert_eq!(said.code, Some(0), "{rest:?}");
    assert!(TcpStream::connect(&addr).is_err(), "nobody listens any more");
}
