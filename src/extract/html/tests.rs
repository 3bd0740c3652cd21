//! The readers against cases: `testdata/html` (our own) and the shared microformats suite where it is present.

use std::path::{Path, PathBuf};

use serde_json::Value;
use url::Url;

use super::read_page;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path, url: &str) -> Value {
    let html = std::fs::read(path).expect("a readable page");
    let url = Url::parse(url).expect("a valid URL");
    serde_json::to_value(read_page(&html, None, &url)).expect("a reading serialises")
}

/// Every file with that ending below a folder, sorted.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// `http://host` and `http://host/` are the same address.
fn same_addresses(value: &Value) -> Value {
    match value {
        Value::String(s) if s.starts_with("http") && !s.contains(char::is_whitespace) => {
            Value::String(Url::parse(s).map_or_else(|_| s.clone(), String::from))
        }
        Value::Array(list) => list.iter().map(same_addresses).collect(),
        Value::Object(map) => {
            map.iter().map(|(k, v)| (k.clone(), same_addresses(v))).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

#[test]
fn the_shared_microformats_suite() {
    let folder = std::env::var_os("PROSOPON_MICROFORMATS")
        .map_or_else(|| root().join("../shared/data/microformats"), PathBuf::from);
    let cases = files_below(&folder, ".json");
    if cases.is_empty() {
        println!("SKIPPED: no microformats suite at {}", folder.display());
        return;
    }
    let mut failed = Vec::new();
    for case in &cases {
        let host =
            if case.to_string_lossy().contains("v2-unit") { "http://example.test/" } else { "http://example.com/" };
        let expected: Value =
            serde_json::from_slice(&std::fs::read(case).expect("readable")).expect("the suite is JSON");
        let read = read(&case.with_extension("html"), host);
        if same_addresses(&read["mf2"]) != same_addresses(&expected) {
            failed.push(case.strip_prefix(&folder).expect("below it").display().to_string());
            if std::env::var_os("SHOW").is_some() {
                println!("--- {}\n{}\n{}", case.display(), same_addresses(&expected), same_addresses(&read["mf2"]));
            }
        }
    }
    println!("microformats: {} of {} pass", cases.len() - failed.len(), cases.len());
    assert!(failed.is_empty(), "{} of {} fail: {failed:#?}", failed.len(), cases.len());
}

/// Whether `read` has all that `expected` states; lists must have the same length.
fn difference(expected: &Value, read: &Value, path: &str, found: &mut Vec<String>) {
    match (expected, read) {
        (Value::Object(e), Value::Object(r)) => {
            for (key, value) in e {
                match r.get(key) {
                    Some(other) => difference(value, other, &format!("{path}.{key}"), found),
                    None => found.push(format!("{path}.{key}: absent")),
                }
            }
        }
        (Value::Array(e), Value::Array(r)) if e.len() == r.len() => {
            for (i, (e, r)) in e.iter().zip(r).enumerate() {
                difference(e, r, &format!("{path}[{i}]"), found);
            }
        }
        _ if expected == read => {}
        _ => found.push(format!("{path}: expected {expected}, read {read}")),
    }
}

/// One case: `expected.json` holds `url`, perhaps `content_type`, `text_has`, `text_lacks`, `links`, and a part of
/// the reading.
fn check(folder: &Path, failed: &mut Vec<String>) {
    let html = std::fs::read(folder.join("page.html")).expect("a readable page");
    let expected = std::fs::read(folder.join("expected.json")).expect("a readable expectation");
    let mut expected: serde_json::Map<String, Value> = serde_json::from_slice(&expected).expect("an object");
    let url = Url::parse(expected["url"].as_str().expect("a text")).expect("a valid URL");
    let content_type = expected.remove("content_type");
    let reading = read_page(&html, content_type.as_ref().and_then(Value::as_str), &url);
    let mut found = Vec::new();
    for (key, wanted) in [("text_has", true), ("text_lacks", false)] {
        for part in expected.remove(key).iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
            if reading.text.contains(part) != wanted {
                found.push(format!("{key} {part:?}: {:?}", reading.text));
            }
        }
    }
    if let Some(links) = expected.remove("links") {
        let read: Vec<Value> = reading
            .links
            .iter()
            .map(|l| {
                serde_json::json!({ "url": l.url.as_str(), "text": l.text, "nofollow": l.nofollow, "same_site": l.same_site,
                    "topic": l.topic.map(|t| format!("{t:?}")) })
            })
            .collect();
        difference(&links, &Value::Array(read), "links", &mut found);
    }
    assert!(
        expected.len() > 1 || !found.is_empty() || folder.ends_with("links"),
        "{}: expects nothing",
        folder.display()
    );
    let read = serde_json::to_value(&reading).expect("a reading serialises");
    difference(&Value::Object(expected), &read, "", &mut found);
    failed.extend(found.into_iter().map(|f| format!("{}: {f}", folder.display())));
}

#[test]
fn our_cases() {
    let folder = root().join("testdata/html");
    let cases = files_below(&folder, "page.html");
    assert!(cases.len() >= 45, "only {} cases in {}", cases.len(), folder.display());
    let mut failed = Vec::new();
    for case in &cases {
        check(case.parent().expect("a folder"), &mut failed);
    }
    assert!(failed.is_empty(), "{} differences:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_key_is_there_on_an_empty_page() {
    let url = Url::parse("https://leer.example/").expect("valid");
    let read = serde_json::to_value(read_page(b"", None, &url)).expect("serialises");
    let keys: Vec<&String> = read.as_object().expect("an object").keys().collect();
    let contract = [
        "url",
        "language",
        "title",
        "canonical",
        "people",
        "organization",
        "authors",
        "json_ld",
        "microdata",
        "rdfa",
        "mf2",
        "opengraph",
        "feeds",
        "meta_robots",
        "tdm",
        "text",
    ];
    assert_eq!(keys, contract);
    for key in ["items", "rels", "rel-urls"] {
        assert!(read["mf2"].get(key).is_some(), "{key}");
    }
    for key in ["name", "legal_form", "register", "vat_id", "city"] {
        assert_eq!(read["organization"].get(key), Some(&Value::Null), "{key}");
    }
    assert_eq!(read["tdm"], serde_json::json!({"reservation": null, "policy": null}));
}

#[test]
fn what_is_not_seen_parts_no_words() {
    let url = Url::parse("https://www.firma.example/team").expect("valid");
    let html = "<p>Erika Kerk&shy;hoff&nbsp;\u{200B}</p><p>Ver&shy;triebs<b>&#xAD;leiterin</b></p>";
    assert_eq!(read_page(html.as_bytes(), None, &url).text, "Erika Kerkhoff\nVertriebsleiterin");
}

/// What stands behind what is not read may forbid that anything is.
#[test]
fn of_a_page_that_is_not_read_to_its_end_nothing_is_read() {
    let url = Url::parse("https://boese.example/team").expect("valid");
    let page =
        |deep: usize| format!("<p>Erika Kerkhoff</p>{}x<meta name=robots content=noindex>", "<li><dd>".repeat(deep));
    let (read, unread) = (read_page(page(9).as_bytes(), None, &url), read_page(page(400).as_bytes(), None, &url));
    assert!(read.text.contains("Kerkhoff") && !read.meta_robots.is_empty());
    assert_eq!((unread.text.as_str(), unread.people.len(), unread.links.len()), ("", 0, 0));
}

/// Numbered pieces up to a size.
fn numbered(size: usize, piece: &dyn Fn(usize) -> String) -> String {
    let mut out = String::new();
    for i in 0.. {
        if out.len() >= size {
            break;
        }
        out.push_str(&piece(i));
    }
    out
}

/// Markup that has cost other parsers quadratic time or more, or their stack.
fn hostile(size: usize) -> Vec<(&'static str, String)> {
    let many = |unit: &str| unit.repeat(size / unit.len());
    let numbered = |f: &dyn Fn(usize) -> String| numbered(size, f);
    vec![
        ("deep divs", many("<div>")),
        ("deep spans that do not match", many("<span></b>")),
        ("tables in tables", many("<table><tr><td>")),
        ("closed through a table", many("<div><table></div></table>")),
        ("attributes", format!("<p {}>", numbered(&|i| format!("a{i} ")))),
        ("formatting without end", format!("<div>{}</div>{}", many("<b><i>"), many("<p>x"))),
        ("distinct formatting", numbered(&|i| format!("<p><b id={i}>"))),
        ("foreign cells", format!("<svg>{}", many("<td>"))),
        ("nested items", many("<div class=\"p-a u-b e-c h-x\">")),
        ("nested microdata", many("<div itemscope itemprop=a>")),
        (
            "itemref to all",
            format!("<p id=a itemprop=x>{}</p>{}", "y".repeat(size / 5), many("<i itemscope itemref=a></i>")),
        ),
        ("itemref chain", numbered(&|i| format!("<i id=n{i} itemprop=p itemscope itemref=n{}></i>", i + 1))),
        ("rdfa", many("<p typeof=a property=b resource=c about=d>")),
        ("rdfa prefixes", numbered(&|i| format!("<p prefix='p{i}: http://x.example/'>"))),
        ("json nesting", format!("<script type=application/ld+json>{}</script>", many("{\"a\":["))),
        (
            "json nodes",
            format!(
                "<script type=application/ld+json>[{}]</script>",
                many("{\"@type\":\"Person\",\"name\":\"Max Muster\"},")
            ),
        ),
        ("names", many("<p>Max Muster</p>")),
        ("names and jobs", many("<b>Max Muster</b><i>Leiter</i>")),
        ("labels", many("<p>Geschäftsführer:</p><p>Max Muster</p>")),
        ("one long line", many("Max Muster, Leiter; HRB 1 GmbH Tel. 0 ")),
        ("commas", many(", ")),
        ("links", numbered(&|i| format!("<a rel='me {i}' href=/{i}>x</a>"))),
        ("entities", many("&amp;&#x1F600;&nosuch;")),
        ("unclosed", many("<a href='")),
        ("comments", many("<!--")),
        ("siblings", many("<b>Max Muster</b><p>")),
        ("dl", format!("<dl>{}</dl>", many("<dt>Leiter<dd>Max Muster"))),
        ("dl in dl", many("<dl><dt>Leiter<dd>Max Muster")),
        ("deep in items that close each other", many("<li><dd>")),
        ("deep after a comment", format!("<!-- --!>{}-->", many("<div>"))),
        ("deep after an attribute named =", format!("<a =\">{}", many("<div>"))),
        ("deep after a style that is none", format!("<svg><style>{}</style>", many("<g>"))),
        ("deep after a section", format!("<svg><![CDATA[<!--]]></svg>{}", many("<div>"))),
        ("deep through the adoption agency", format!("<body>{}", many(&format!("<b>{}</b>", "<div>".repeat(9))))),
        ("attributes after an attribute named =", format!("<a =\"><p {}", numbered(&|i| format!("a{i} ")))),
        ("attributes of bodies", numbered(&|i| format!("<body a{i}=1>"))),
        ("a base of half the page", format!("<base href='/{}'>{}", many("x/"), many("<a href=y>z</a>"))),
        ("places in a long row", many("<p>Geschäftsführer: Max Muster</p>")),
        ("one long value", format!("<p itemscope><b itemprop=name>{}</b>{}", many("x "), many("<b itemprop=name>"))),
    ]
}

/// CPU time of reading a page, on a stack of the size that threads have.
fn cost(html: String) -> std::time::Duration {
    let read = move || {
        let url = Url::parse("https://boese.example/impressum").expect("valid");
        let spent = || {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            std::time::Duration::try_from(now).expect("it counts up")
        };
        let before = spent();
        assert!(read_page(html.as_bytes(), None, &url).text.len() <= 200_000);
        spent().saturating_sub(before)
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(read).expect("a thread").join().expect("it reads")
}

#[test]
fn hostile_markup_costs_no_more_than_its_size() {
    let pages = |size| hostile(size).into_iter();
    for ((label, small), (_, large)) in pages(40_000).zip(pages(320_000)) {
        let (small, large) = (cost(small), cost(large));
        println!("{label}: {small:?}, {large:?}");
        // Eight times the size: quadratic work would cost 64 times as much. What is over in no time says nothing.
        assert!(large <= small * 24 + std::time::Duration::from_millis(200), "{label}: {small:?} became {large:?}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn soup() -> impl Strategy<Value = String> {
        let token = prop::sample::select(vec![
            "<div class='h-card vcard'>",
            "<p itemscope itemprop=name>",
            "<p typeof=Person property=name>",
            "</div>",
            "</p>",
            "<table>",
            "<tr><td>",
            "<dl><dt>",
            "<dd>",
            "<script type=application/ld+json>",
            "{\"@type\":\"Person\",\"name\":",
            "\"Max\"}",
            "</script>",
            "<template>",
            "<svg>",
            "<b>Max Muster</b>",
            "Leiter Einkauf",
            "Geschäftsführer: ",
            "Muster GmbH",
            "12345 Ort",
            "HRB 1 ",
            "<meta name=robots content=",
            "<base href=",
            "<a rel=me href='//x",
            "<!--",
            "-->",
            "&auml;",
            "\u{0}",
            "ẞ",
            "\u{1F600}",
            "'",
            "\"",
            ">",
            "<h2>Impressum</h2>",
            "Tel. +",
            "DE123",
            "(",
            ")",
            ", ",
            ": ",
            "<br>",
            "<span class=value>",
            "<time class='dt-start value'>",
            "12:30pm",
        ]);
        prop::collection::vec(token, 0..60).prop_map(|t| t.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..2000), content_type in ".{0,40}") {
            let url = Url::parse("https://zufall.example/").expect("valid");
            let _ = read_page(&body, Some(&content_type), &url);
        }

        #[test]
        fn mangled_pages_never_panic_and_read_the_same_twice(html in soup(), cut in 0_usize..500) {
            let url = Url::parse("https://zufall.example/impressum").expect("valid");
            let body = &html.as_bytes()[..html.len().saturating_sub(cut % (html.len() + 1))];
            let (once, again) = (read_page(body, None, &url), read_page(body, None, &url));
            prop_assert!(once == again);
            prop_assert!(!format!("{once:?}").contains("Muster"), "Debug reveals nobody");
        }
    }
}
