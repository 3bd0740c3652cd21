//! Feeds in all shapes, from `testdata/feed`; hostile ones are made here.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::*;

fn shown(read: &Result<Feed, FeedError>) -> String {
    let feed = match read {
        Ok(feed) => feed,
        Err(error) => return format!("{error}\n"),
    };
    let mut out = format!("language {}\n", feed.language.as_deref().unwrap_or("-"));
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
        let is = shown(&read_feed(&fs::read(&path).expect("a case"), Some("application/rss+xml"), 20));
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
    read_feed(text.as_bytes(), None, 20).err()
}

#[test]
fn what_costs_too_much_is_not_read() {
    let item = "<item><title>x</title><pubDate>Tue, 20 Jan 2026 10:30:00 GMT</pubDate></item>";
    assert_eq!(error(&feed(&item.repeat(120_000))), Some(FeedError::TooLarge));
    assert_eq!(error(&"<a>".repeat(100_000)), Some(FeedError::TooDeep));
    assert_eq!(error(&feed(&format!("<item {}/>", "a='' ".repeat(3_000)))), Some(FeedError::TooDeep));
    let spaces = (0..40).map(|n| format!(" xmlns:n{n}='urn:{n}'")).collect::<Vec<_>>().concat();
    assert_eq!(error(&feed(&format!("<item{spaces}/>"))), Some(FeedError::TooDeep));
    assert_eq!(error(&feed("<item><description><![CDATA[never closed")), Some(FeedError::NoFeed));
    assert_eq!(error(&feed("<!-- never closed")), Some(FeedError::NoFeed));
    assert_eq!(error("<"), Some(FeedError::NoFeed));
}

#[test]
fn the_newest_count_and_long_entries_are_cut() {
    let dated = (1..29)
        .map(|day| format!("<item><title>{day}</title><pubDate>{day:02} Jan 2026 00:00:00 GMT</pubDate></item>"))
        .collect::<Vec<_>>()
        .concat();
    let read = read_feed(feed(&dated).as_bytes(), None, 3).expect("a feed");
    assert_eq!(read.entries.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["28", "27", "26"]);
    let long = format!(
        "<item><pubDate>01 Jan 2026 00:00:00 GMT</pubDate><description>{}</description></item>",
        "Größe ".repeat(50_000)
    );
    let read = read_feed(feed(&long).as_bytes(), None, 3).expect("a feed");
    assert!(read.entries[0].text.len() <= MAX_ENTRY);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn damage_is_an_answer_and_no_panic(at in 0_usize..900, cut in 0_usize..40, put in "[<>/&;!\\[\\]a-z\" =]{0,12}") {
        let whole = include_bytes!("../../../testdata/feed/rss.xml");
        let mut body = whole[..at.min(whole.len())].to_vec();
        body.extend(put.as_bytes());
        body.extend(whole.iter().skip(at + cut));
        let _ = read_feed(&body, None, 20);
    }

    #[test]
    fn bytes_are_an_answer_and_no_panic(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = read_feed(&body, Some("application/atom+xml"), 20);
    }
}
