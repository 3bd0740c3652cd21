//! What is kept of pages, on disk: found again, sealed, gone with a person, a run, its time or an erasure.

use super::*;

fn now() -> Timestamp {
    "2026-03-02T03:00:00Z".parse().expect("an instant")
}

fn later(hours: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_hours(hours)
}

fn open_at(home: &Path, erased: u64, run: &str, at: Timestamp) -> Pages {
    let opening = Opening { key: Zeroizing::new([7; 32]), erased };
    Pages::open(home, opening, ("nightly", run), at).expect("opens")
}

fn open(home: &Path, erased: u64, run: &str) -> Pages {
    open_at(home, erased, run, now())
}

fn key(n: u8) -> SubjectKey {
    SubjectKey::new([n; 32])
}

/// A page that was read for these people.
fn slot(place: &str, people: &[u8]) -> Slot {
    Slot {
        place: place.to_owned(),
        page: format!("page of {place}"),
        tags: people.iter().map(|n| key(*n).page_tag()).collect(),
    }
}

fn kept(word: &str) -> Kept {
    Kept {
        validators: serde_json::from_str(r#"{"etag":"\"a\"","modified":null}"#).expect("validators"),
        hash: word.to_owned(),
        inputs: "inputs".to_owned(),
        as_of: now(),
        read_at: now(),
        reading: Reading { uncertain: vec![crate::model::SubjectId::from_body("somebody")], ..Reading::default() },
    }
}

/// All bytes of the home.
fn bytes(home: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(home).expect("a folder").map(|file| file.expect("a file").path());
    files.flat_map(|path| std::fs::read(path).expect("readable")).collect()
}

fn holds(home: &Path, what: &[u8]) -> bool {
    memchr::memmem::find(&bytes(home), what).is_some()
}

#[test]
fn what_is_kept_is_sealed_and_comes_back_in_its_place_only() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path();
    let pages = open(home, 0, "run_1");
    pages.keep(&slot("a", &[1]), later(9), &kept("hmac-of-a"));
    assert_eq!(pages.recall("a"), None, "written in batches");
    pages.finish(true).expect("written");
    assert_eq!(pages.recall("a"), Some(kept("hmac-of-a")));
    assert!(!holds(home, b"somebody") && !holds(home, b"hmac-of-a"));
    drop(pages);
    let database = connect(&home.join(FILE)).expect("opens");
    database.execute("UPDATE kept SET place = 'b'", []).expect("moved");
    drop(database);
    let pages = open(home, 0, "run_2");
    assert_eq!((pages.recall("a"), pages.recall("b")), (None, None), "sealed to its place");
    let files: Vec<_> = std::fs::read_dir(home).expect("a folder").map(|f| f.expect("a file").file_name()).collect();
    assert!(files.iter().all(|name| !name.to_string_lossy().ends_with("-wal")), "{files:?}");
}

#[test]
fn a_person_takes_along_every_page_that_was_read_for_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path();
    let pages = open(home, 0, "run_1");
    for (place, people) in [("a", &[1, 2][..]), ("b", &[2]), ("c", &[3])] {
        pages.keep(&slot(place, people), later(9), &kept(place));
    }
    pages.finish(true).expect("written");
    assert_eq!(of_person(home, &key(2)).expect("readable"), [later(9), later(9)]);
    let sealed: Vec<Vec<u8>> = {
        let database = connect(&home.join(FILE)).expect("opens");
        let mut rows = database.prepare("SELECT sealed FROM kept ORDER BY place").expect("readable");
        rows.query_map([], |row| row.get(0)).expect("readable").map(|row| row.expect("readable")).collect()
    };
    assert!(sealed.iter().all(|sealed| holds(home, sealed)));
    assert_eq!(forget(home, [&key(2), &key(9)]).expect("forgotten"), 2);
    assert!(!holds(home, &sealed[0]) && !holds(home, &sealed[1]) && holds(home, &sealed[2]), "physically");
    assert!(!holds(home, &key(2).page_tag()) && !holds(home, &key(1).page_tag()));
    assert_eq!(of_person(home, &key(1)).expect("readable"), []);
    // Within a run, too, and what it has not written yet.
    pages.keep(&slot("d", &[3]), later(9), &kept("d"));
    assert_eq!(pages.forget(&[key(3).page_tag()].into()).expect("forgotten"), 2);
    assert!(!holds(home, &sealed[2]));
    assert_eq!((pages.recall("c"), pages.recall("d")), (None, None));
    assert_eq!(forget(&home.join("no home"), [&key(1)]).expect("there is nothing"), 0);
    assert!(!home.join("no home").exists());
}

#[test]
fn nothing_outlives_its_time_or_what_a_run_wants() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path();
    let first = open(home, 0, "run_1");
    for (place, hours) in [("a", 24), ("b", 48), ("c", 48), ("d", 48)] {
        first.keep(&slot(place, &[1]), later(hours), &kept(place));
    }
    first.finish(true).expect("written");
    drop(first);
    assert_eq!(over(home, None, later(23)).expect("counted"), []);
    let second = open_at(home, 0, "run_2", later(24));
    assert_eq!(second.recall("a"), None, "over");
    second.touch("b");
    second.close("page of c");
    second.finish(false).expect("written");
    let there = |pages: &Pages| ["b", "c", "d"].map(|place| pages.recall(place).is_some());
    assert_eq!(there(&second), [true, false, true], "not all was wanted to be asked for");
    second.finish(true).expect("written");
    assert_eq!(there(&second), [true, false, false]);
    drop(second);
    let all = [("b".to_owned(), later(48))];
    assert_eq!(over(home, None, later(48)).expect("counted"), all);
    assert_eq!(over(home, Some("nightly"), later(48)).expect("counted"), all);
    assert_eq!(over(home, Some("weekly"), later(48)).expect("counted"), []);
    assert_eq!(expire(home, later(48)).expect("deleted"), 1);
    assert_eq!(over(home, None, later(48)).expect("counted"), []);
    assert_eq!(over(&home.join("no home"), None, later(48)).expect("there is nothing"), []);
}

#[test]
fn a_file_of_before_an_erasure_brings_nothing_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path();
    let pages = open(home, 0, "run_1");
    pages.keep(&slot("a", &[1]), later(9), &kept("a"));
    pages.keep(&slot("b", &[2]), later(9), &kept("b"));
    pages.finish(true).expect("written");
    drop(pages);
    let backup = std::fs::read(home.join(FILE)).expect("readable");
    forget(home, [&key(1)]).expect("forgotten");
    note_erased(home, 1).expect("noted");
    let pages = open(home, 1, "run_2");
    assert!(pages.recall("a").is_none() && pages.recall("b").is_some());
    drop(pages);
    std::fs::write(home.join(FILE), &backup).expect("rolled back");
    let pages = open(home, 1, "run_3");
    assert!(pages.recall("a").is_none() && pages.recall("b").is_none(), "only asked for anew");
    drop(pages);
    assert!(is_after(home, 1).expect("readable") && is_after(&home.join("no home"), 1).expect("nothing"));
    // Nor does it when somebody else is erased before a run looks at it.
    std::fs::write(home.join(FILE), backup).expect("rolled back");
    assert!(!is_after(home, 1).expect("readable"));
    note_erased(home, 2).expect("noted");
    let pages = open(home, 2, "run_4");
    assert!(pages.recall("a").is_none() && pages.recall("b").is_none(), "only asked for anew");
    drop(pages);
    std::fs::write(home.join(FILE), "no database").expect("damaged");
    let opening = Opening { key: Zeroizing::new([7; 32]), erased: 1 };
    let error = Pages::open(home, opening, ("nightly", "run_4"), now()).map(drop).expect_err("damaged");
    assert!(error.to_string().contains("delete it"), "{error}");
    std::fs::remove_file(home.join(FILE)).expect("deleted");
    assert!(open(home, 1, "run_4").recall("b").is_none());
}

#[test]
fn what_could_not_be_written_at_once_is_written_at_the_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path();
    let pages = open(home, 0, "run_1");
    for place in ["a", "b"] {
        pages.keep(&slot(place, &[1]), later(9), &kept(place));
    }
    pages.finish(true).expect("written");
    let other = connect(&home.join(FILE)).expect("opens");
    other.execute_batch("ALTER TABLE kept RENAME TO away").expect("renamed");
    pages.close("page of a");
    pages.discard("b");
    for _ in 0..BATCH {
        pages.touch("c");
    }
    assert!(pages.finish(false).is_err(), "a run must not end well");
    other.execute_batch("ALTER TABLE away RENAME TO kept").expect("renamed");
    pages.finish(false).expect("written");
    assert!(pages.recall("a").is_none() && pages.recall("b").is_none());
}

#[test]
fn what_an_older_version_kept_is_over_and_swept() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Connection::open(dir.path().join(FILE)).expect("opens");
    let old = "CREATE TABLE page (place TEXT, until INTEGER); INSERT INTO page VALUES ('somewhere', 9999999999)";
    database.execute_batch(old).expect("written");
    drop(database);
    assert_eq!(over(dir.path(), Some("nightly"), now()).expect("counted"), [("somewhere".to_owned(), now())]);
    expire(dir.path(), now()).expect("swept");
    assert_eq!(over(dir.path(), None, now()).expect("counted"), []);
    assert!(!holds(dir.path(), b"somewhere"));
}
