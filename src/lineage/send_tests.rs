//! A catalogue on loopback that takes events, refuses them, hangs up or does not answer.
#![expect(clippy::disallowed_types, reason = "the catalogue of the tests, on loopback")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::published::Published;
use super::send::{Catalogue, Sender};
use super::tests::{at, begun};
use super::{End, Event};

/// What a catalogue does with one request after the other: an answer, or it hangs up.
type Script = &'static [Option<u16>];

/// One request: its lines, and its body.
type Got = (Vec<String>, Value);

fn read(stream: &TcpStream) -> Got {
    let mut reader = BufReader::new(stream);
    let (mut head, mut line) = (Vec::new(), String::new());
    while reader.read_line(&mut line).expect("a line") > 2 {
        head.push(std::mem::take(&mut line).trim_end().to_ascii_lowercase());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    reader.read_exact(&mut body).expect("a body");
    (head, serde_json::from_slice(&body).expect("JSON"))
}

fn listen() -> (TcpListener, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/api/v1/lineage", listener.local_addr().expect("an address"));
    (listener, url.parse().expect("a URL"))
}

/// Tells it of a run; what is told at the end, and what it got.
fn tell(script: Script, key: Option<&str>) -> (Option<String>, Vec<Got>) {
    let (listener, url) = listen();
    let receiver = std::thread::spawn(move || {
        let mut got = Vec::new();
        for answer in script {
            let (mut stream, _) = listener.accept().expect("a request");
            let Some(status) = answer else { continue };
            got.push(read(&stream));
            let answer = format!("HTTP/1.1 {status} Said\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).expect("an answer");
        }
        got
    });
    if script.is_empty() {
        // Nobody listens from here on.
        receiver.join().expect("it is over");
        let sender = Sender::start(url, key).expect("a thread");
        return (send_all(sender), Vec::new());
    }
    let told = send_all(Sender::start(url, key).expect("a thread"));
    (told, receiver.join().expect("all requests came"))
}

fn send_all(sender: Sender) -> Option<String> {
    for event in [Event::begin(&begun()), Event::end(&begun(), &End::Stopped, at(9))] {
        sender.send(event.as_json().to_string());
    }
    sender.end()
}

#[test]
fn events_come_in_their_order_and_what_is_refused_for_now_is_sent_again() {
    let published = Published::load();
    let cases: [(Script, &[&str], &str); 7] = [
        (&[Some(200), Some(201)], &["START", "ABORT"], ""),
        (&[Some(503), Some(200), Some(429), Some(204)], &["START", "START", "ABORT", "ABORT"], ""),
        (&[None, Some(200), Some(200)], &["START", "ABORT"], ""),
        // Whoever is refused for good is not tried again, and the next comes all the same.
        (&[Some(400), Some(200)], &["START", "ABORT"], "did not take 1 of 2 events (it answered 400)"),
        (&[Some(503), None, Some(502), Some(200)], &["START", "START", "ABORT"], "1 of 2 events (it answered 502)"),
        // A redirect is an answer like any other.
        (&[Some(307), Some(301)], &["START", "ABORT"], "did not take 2 of 2 events (it answered 301)"),
        (&[], &[], "did not take 2 of 2 events (Connection refused"),
    ];
    for (script, kinds, words) in cases {
        let (told, got) = tell(script, None);
        let told = told.unwrap_or_default();
        assert_eq!((told.is_empty(), told.contains(words)), (words.is_empty(), true), "{script:?} {told}");
        let came: Vec<&str> = got.iter().map(|(_, event)| event["eventType"].as_str().expect("a kind")).collect();
        assert_eq!(came, kinds, "{script:?}");
        for (head, event) in &got {
            assert_eq!(head[0], "post /api/v1/lineage http/1.1");
            assert!(head.contains(&"content-type: application/json".to_owned()), "{head:?}");
            assert!(!head.iter().any(|line| line.starts_with("authorization")), "{head:?}");
            assert_eq!(published.mistakes(event), Vec::<String>::new());
        }
    }
}

#[test]
fn a_key_is_sent_and_one_that_is_none_is_told_without_it() {
    let (told, got) = tell(&[Some(200), Some(200)], Some("an-invented-key\n"));
    assert_eq!((told, got.len()), (None, 2));
    for (head, _) in got {
        assert!(head.contains(&"authorization: bearer an-invented-key".to_owned()), "{head:?}");
    }
    let (_, url) = listen();
    let error = Sender::start(url.clone(), Some("an\ninvented key")).expect_err("no header");
    assert!(error.contains("no header can") && !error.contains("invented"), "{error}");
    let unset = "PROSOPON_LINEAGE_KEY_THAT_NOBODY_SETS";
    let error = Catalogue::new(url, Some(unset.to_owned())).start().expect_err("no key");
    assert!(error.contains(unset), "{error}");
}

#[test]
fn a_catalogue_that_does_not_answer_is_not_waited_for() {
    let (listener, url) = listen();
    let (enough, end): (_, Receiver<()>) = channel();
    let silent = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a request");
        let got = read(&stream);
        // Until the test has seen enough.
        let _ = end.recv();
        got
    });
    let sender = Sender::start(url, None).expect("a thread");
    sender.send(Event::begin(&begun()).as_json().to_string());
    assert_eq!(
        sender.end_within(Duration::from_millis(50)).as_deref(),
        Some("is too slow, the last events may be lost")
    );
    drop(enough);
    assert_eq!(silent.join().expect("it got one").1["eventType"], "START");
}

#[test]
fn the_endpoint_is_below_the_address() {
    let url = |base: &str| format!("{:?}", Catalogue::new(base.parse().expect(base), None));
    for (base, whole) in [
        ("http://127.0.0.1:5000", "/api/v1/lineage"),
        ("https://catalogue.example/in/", "/in/api/v1/lineage"),
        ("https://catalogue.example/api/v1/lineage/", "/api/v1/lineage"),
    ] {
        assert!(url(base).contains(&format!("path: \"{whole}\"")), "{}", url(base));
    }
}
