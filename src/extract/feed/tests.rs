//! Feeds in all shapes, from `testdata/feed`; hostile ones are made here.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::*;

fn until() -> Timestamp {
    "2026-12-31T00:00:00Z".parse().expect("an instant")
}

fn read(body: &[u8], content_type: Option<&str>, latest: usize) -> Result<Feed, FeedError> {
    read_feed(body, content_type, latest, until())
}

fn shown(read: &Result<Feed, FeedError>) -> String {
    let feed = match read {
        Ok(feed) => feed,
        Err(error) => return format!("{error}\n"),
    };
    let mut out = format!("language {}\n", feed.language.as_deref().unwrap_or("-"));
    if !feed.robots.is_empty() {
        writeln!(out, "robots {:?}", feed.robots).expect("a string can be written");
    }
    for entry in &feed.entries {
        writeln!(out, "[{}] {} {:?}", entry.index, entry.published, entry.text).expect("a string can be written");
    }
    out
}

/// Each `NAME.xml` comes out as `NAME.expected` says; `UPDATE=1` writes them.
#[test]
fn every_feed_comes_out_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/feed");
    let mut feeds: Vec<_> = fs::read_dir(folder).expect("the cases").map(|e| e.expect("an entry").path()).collect();
    feeds.retain(|path| path.extension().is_some_and(|e| e == "xml"));
    assert!(feeds.len() > 10);
    for path in feeds {
        let is = shown(&read(&fs::read(&path).expect("a case"), Some("application/rss+xml"), 20));
        let expected = path.with_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &is).expect("a case can be written");
        }
        assert_eq!(is, fs::read_to_string(&expected).unwrap_or_default(), "{}", path.display());
    }
}

fn feed(items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>x</title>{items}</channel></rss>")
}

fn error(text: &str) -> Option<FeedError> {
    read(text.as_bytes(), None, 20).err()
}

#[test]
fn what_costs_too_much_is_not_read() {
    let item = "<item><title>x</title><pubDate>Tue, 20 Jan 2026 10:30:00 GMT</pubDate></item>";
    assert_eq!(error(&feed(&item.repeat(120_000))), Some(FeedError::TooLarge));
    assert_eq!(error(&"<a>".repeat(100_000)), Some(FeedError::TooDeep));
    assert_eq!(error(&feed(&format!("<item {}/>", "a='' ".repeat(3_000)))), Some(FeedError::TooDeep));
    let spaces = (0..40).map(|n| format!(" xmlns:n{n}='urn:{n}'")).collect::<Vec<_>>().concat();
    assert_eq!(error(&feed(&format!("<item{spaces}/>"))), Some(FeedError::TooDeep));
    // Tags do not end within quotes; what looks closed there is open.
    let bases = "<z b=\"/>\" xml:base=\"aaaaaaaa/\">".repeat(60_000);
    assert_eq!(error(&feed(&bases)), Some(FeedError::TooDeep));
    assert_eq!(error(&feed(&bases.replace('"', "'"))), Some(FeedError::TooDeep));
    assert_eq!(error(&feed(&format!("<a b='{}'/>", ">".repeat(MAX_TAG)))), Some(FeedError::TooDeep));
    let hidden = format!("<item b='>' {}/>", spaces.trim_start());
    assert_eq!(error(&feed(&hidden)), Some(FeedError::TooDeep));
    let instruction = format!("<?x \">\" '?>{}", "<a>".repeat(MAX_DEPTH + 1));
    assert_eq!(error(&instruction), Some(FeedError::TooDeep));
    assert_eq!(error(&format!("<!DOCTYPE a '>'>{}", "<a>".repeat(MAX_DEPTH + 1))), Some(FeedError::TooDeep));
    assert_eq!(error(&feed(&"<a xml:base=\"b/\">".repeat(MAX_BASES + 1))), Some(FeedError::TooDeep));
    for odd in ["<!x>", "<!DOCTYPE rss [<!ELEMENT a ANY>]>", "<!DOCTYPE rss", "<?x", "<a b='>"] {
        assert_eq!(error(&format!("{odd}{}", feed(item))), Some(FeedError::NoFeed), "{odd}");
    }
    assert_eq!(error(&feed("<item><description><![CDATA[never closed")), Some(FeedError::NoFeed));
    assert_eq!(error(&feed("<!-- never closed")), Some(FeedError::NoFeed));
    assert_eq!(error("<"), Some(FeedError::NoFeed));
}

#[test]
fn signs_in_quotes_comments_and_cdata_are_no_tags() {
    let item = "<item><title b='/>'>x &gt; y</title><pubDate>20 Jan 2026 10:30:00 GMT</pubDate></item>";
    let all = format!("<!DOCTYPE rss PUBLIC \"-//x//y>\" 'z'><!-- <a> ' --><?x <a>\" ?>{}", feed(item));
    let entries = read(all.as_bytes(), None, 20).expect("a feed").entries;
    assert_eq!(entries.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["x > y"]);
}

#[test]
fn what_robots_are_told_is_handed_on() {
    for (meta, robots) in [
        ("<xhtml:meta xmlns:xhtml='urn:x' content = 'NOINDEX, Follow' name=\"Robots\"/>", vec!["NOINDEX, Follow"]),
        ("<meta name='prosopon' content='none'></meta>", vec!["none"]),
        ("<meta name='generator' content='noindex robots'/>", vec![]),
        ("<metadata name='robots' content='noindex'/>", vec![]),
    ] {
        let whole = read(feed(meta).as_bytes(), None, 20).expect("a feed");
        assert_eq!(whole.robots, robots, "{meta}");
    }
}

#[test]
fn what_is_dated_in_the_future_takes_no_place() {
    let item = |day: &str| format!("<item><title>{day}</title><pubDate>{day} 00:00:00 GMT</pubDate></item>");
    let feed = feed(&["01 Jan 2099", "31 Dec 2026", "01 Jan 2027", "02 Jan 2026"].map(item).concat());
    let whole = read(feed.as_bytes(), None, 2).expect("a feed");
    assert_eq!(whole.entries.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["31 Dec 2026", "02 Jan 2026"]);
    assert_eq!(whole.next.expect("one of the future").to_string(), "2027-01-01T00:00:00Z");
}

#[test]
fn the_newest_count_and_long_entries_are_cut() {
    let dated = (1..29)
        .map(|day| format!("<item><title>{day}</title><pubDate>{day:02} Jan 2026 00:00:00 GMT</pubDate></item>"))
        .collect::<Vec<_>>()
        .concat();
    let whole = read(feed(&dated).as_bytes(), None, 3).expect("a feed");
    assert_eq!(whole.entries.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["28", "27", "26"]);
    let long = format!(
        "<item><pubDate>01 Jan 2026 00:00:00 GMT</pubDate><description>{}</description></item>",
        "Größe ".repeat(50_000)
    );
    let whole = read(feed(&long).as_bytes(), None, 3).expect("a feed");
    assert!(whole.entries[0].text.len() <= MAX_ENTRY);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn damage_is_an_answer_and_no_panic(at in 0_usize..900, cut in 0_usize..40, put in "[<>/&;!\\[\\]a-z\" =]{0,12}") {
        let whole = include_bytes!("../../../testdata/feed/rss.xml");
        let mut body = whole[..at.min(whole.len())].to_vec();
        body.extend(put.as_bytes());
        body.extend(whole.iter().skip(at + cut));
        let _ = read(&body, None, 20);
    }

    #[test]
    fn bytes_are_an_answer_and_no_panic(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = read(&body, Some("application/atom+xml"), 20);
    }
}
