//! Cassettes: whole, in order, sealed; whatever was changed or cut is refused.

use super::super::shelf::{cassettes, destroy_cassettes, expire_cassettes};
use super::*;

const KEY: [u8; 32] = [7; 32];

fn head(run: &str) -> TapeHead {
    let as_of = "2026-03-02T03:00:00Z".parse().expect("an instant");
    TapeHead {
        format: 1,
        run: run.into(),
        pipeline: "demo".into(),
        as_of,
        demo: true,
        until: Some(as_of + jiff::SignedDuration::from_hours(48)),
    }
}

fn hop(url: &str, body: &str) -> Hop {
    Hop {
        url: url.into(),
        started_at: 1,
        ended_at: 2,
        address: None,
        head: Some((200, vec![("content-type".into(), "text/html".into())])),
        body: data_encoding::BASE64.encode(body.as_bytes()),
        fault: None,
    }
}

fn record(home: &Path, run: &str, hops: &[Hop]) -> PathBuf {
    let recorder = Recorder::open(home, &head(run), &KEY).expect("a recorder");
    for hop in hops {
        recorder.hop(hop.clone());
    }
    recorder.finish(9).expect("an end");
    path_of(home, run)
}

#[test]
fn what_was_recorded_is_played_once_and_in_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let hops = [hop("http://a.example/", "Ada"), hop("http://b.example/", "x"), hop("http://a.example/", "Bob")];
    let path = record(dir.path(), "run_1", &hops);
    let bytes = std::fs::read(&path).expect("a file");
    for word in [&b"a.example"[..], b"Ada", b"QWRh"] {
        assert!(memchr::memmem::find(&bytes, word).is_none(), "in clear");
    }
    let tape = Cassette::open(dir.path(), "latest", &KEY).expect("a cassette");
    assert_eq!(tape.next("http://a.example/"), Some(hops[0].clone()));
    assert_eq!(tape.next("http://a.example/"), Some(hops[2].clone()));
    assert_eq!((tape.next("http://a.example/"), tape.next("http://c.example/"), tape.unknown()), (None, None, 2));
    assert_eq!(Cassette::head_of(dir.path(), "run_1").expect("a head"), head("run_1"));
    assert_eq!(destroy_cassettes(dir.path()).expect("removed"), 1);
    assert!(matches!(Cassette::open(dir.path(), "run_1", &KEY), Err(TapeError::Missing(_))));
}

#[test]
fn changed_cut_and_foreign_cassettes_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = record(dir.path(), "run_1", &[hop("http://a.example/", "1"), hop("http://a.example/", "2")]);
    let good = std::fs::read(&path).expect("a file");
    let open = |key: &[u8; 32]| Cassette::open(dir.path(), "run_1", key).map(|_| ());
    assert!(open(&KEY).is_ok() && open(&[8; 32]).is_err());
    let first = good.iter().position(|b| *b == b'\n').expect("a line") + 1;
    for at in [2, 30, first, first + 4, first + 60, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, &bad).expect("written");
        assert!(open(&KEY).is_err(), "byte {at} changed");
    }
    for end in [0, first, first + 3, good.len() - 1] {
        std::fs::write(&path, &good[..end]).expect("written");
        assert!(open(&KEY).is_err(), "cut at {end}");
    }
    // A frame that is left out, though each one is whole.
    let length = u32::from_le_bytes(good[first..first + 4].try_into().expect("four")) as usize;
    std::fs::write(&path, [&good[..first], &good[first + 4 + length..]].concat()).expect("written");
    assert!(open(&KEY).is_err());
}

#[test]
fn a_killed_recording_goes_on_where_it_was_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = record(dir.path(), "run_1", &[hop("http://a.example/", "1")]);
    let mut file = OpenOptions::new().append(true).open(&path).expect("a file");
    file.write_all(&[9, 0, 0, 0, 1, 2]).expect("half a frame");
    record(dir.path(), "run_1", &[hop("http://a.example/", "2")]);
    let tape = Cassette::open(dir.path(), "run_1", &KEY).expect("a cassette");
    let bodies: Vec<_> = std::iter::from_fn(|| tape.next("http://a.example/")).map(|h| h.body).collect();
    assert_eq!(bodies, ["MQ==", "Mg=="]);
}

#[test]
fn only_the_newest_are_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    for run in ["run_1", "run_2", "run_3"] {
        let recorder = Recorder::open(dir.path(), &head(run), &KEY).expect("a recorder");
        recorder.finish(2).expect("an end");
    }
    let left: Vec<_> = ["run_1", "run_2", "run_3"].into_iter().filter(|r| path_of(dir.path(), r).exists()).collect();
    assert_eq!(left, ["run_2", "run_3"]);
}

#[test]
fn a_cassette_goes_with_its_time() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(cassettes(dir.path()).expect("readable").is_empty(), "there need be none");
    record(dir.path(), "run_2", &[hop("http://a.example/", "1")]);
    record(dir.path(), "run_1", &[]);
    let names = || cassettes(dir.path()).expect("readable").into_iter().map(|t| t.head.run).collect::<Vec<_>>();
    assert_eq!(names(), ["run_1", "run_2"]);
    // One of an older version says nothing of its time and goes by number or with an erasure.
    let old = r#"{"format":1,"run":"run_0","pipeline":"demo","as_of":"2020-03-02T03:00:00Z","demo":true}"#;
    std::fs::write(path_of(dir.path(), "run_0"), format!("{old}\n")).expect("written");
    let hours = |n| head("x").as_of + jiff::SignedDuration::from_hours(n);
    assert_eq!((expire_cassettes(dir.path(), hours(47)).expect("removed"), names().len()), (0, 3));
    assert_eq!((expire_cassettes(dir.path(), hours(48)).expect("removed"), names()), (2, vec!["run_0".to_owned()]));
}

#[test]
fn times_are_told_by_permit_and_the_last_ones_count() {
    let dir = tempfile::tempdir().expect("a folder");
    let span = |permit: &str, finished_at| Span { permit: permit.into(), started_at: 1, finished_at };
    // A killed start, and the one that went on.
    for (permit, finished_at) in [("a", 2), ("b", 3), ("b", 4)] {
        let recorder = Recorder::open(dir.path(), &head("run_1"), &KEY).expect("a recorder");
        recorder.span(span(permit, finished_at));
        recorder.hop(hop("http://a.example/", permit));
        recorder.finish(9).expect("an end");
    }
    let tape = Cassette::open(dir.path(), "run_1", &KEY).expect("a cassette");
    assert_eq!([tape.span("a"), tape.span("b"), tape.span("c")], [Some((1, 2)), Some((1, 4)), None]);
    assert_eq!(std::iter::from_fn(|| tape.next("http://a.example/")).count(), 3);
    assert_eq!(tape.unknown(), 1, "asking for times is no request");
}
