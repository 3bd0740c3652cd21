//! Feeds as publishing systems of the world write them, by an author who had not seen this program.
//!
//! Of the held-out half nobody reads a miss; only its figures are looked at.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use super::{Feed, read_feed};

/// All feeds of a half, with what is expected of each.
fn cases(half: &str) -> Vec<(Value, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/feed_blind").join(half);
    let mut paths: Vec<PathBuf> = fs::read_dir(root).expect("cases").map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let is_expected = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml");
    let (expected, bodies): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_expected);
    let cases = expected.iter().zip(bodies);
    cases
        .map(|(expected, body)| {
            let text = fs::read_to_string(expected).expect("what is expected");
            (serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", expected.display())), body)
        })
        .collect()
}

#[derive(Default)]
struct Score {
    due: u32,
    found: u32,
    words: u32,
    words_found: u32,
    dirt: u32,
    no_feeds_taken: u32,
    misses: Vec<String>,
}

impl Score {
    fn hold(&mut self, feed: Option<&Feed>, expected: &Value, path: &Path) {
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
        };
        for item in expected["items"].as_array().into_iter().flatten() {
            // One without a date is as old as nobody knows, and says nothing.
            let Some(at) = item["at"].as_str() else { continue };
            self.due += 1;
            let title = item["title"].as_str().unwrap_or_default();
            let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let is = |entry: &&super::Entry| {
                let day = entry.published.to_string();
                plain(&entry.text).starts_with(&plain(title)) && near(&day[..10], &at[..10])
            };
            let Some(entry) = feed.and_then(|feed| feed.entries.iter().find(is)) else {
                self.misses.push(format!("{} {at} {title:?}", path.display()));
                continue;
            };
            self.found += 1;
            for word in texts(&item["words"]) {
                self.words += 1;
                let is_there = plain(&entry.text).contains(&plain(&word));
                self.words_found += u32::from(is_there);
                self.misses.extend((!is_there).then(|| format!("{} {title:?} lacks {word:?}", path.display())));
            }
            for dirt in texts(&item["must_not"]) {
                let is_there = entry.text.contains(&dirt);
                self.dirt += u32::from(is_there);
                self.misses.extend(is_there.then(|| format!("{} {title:?} has {dirt:?}", path.display())));
            }
        }
    }
}

/// Whether two days are one, but for the zone.
fn near(a: &str, b: &str) -> bool {
    let day = |text: &str| text.parse::<jiff::civil::Date>().ok();
    day(a).zip(day(b)).is_some_and(|(a, b)| a.until(b).is_ok_and(|span| span.get_days().abs() <= 1))
}

#[test]
fn feeds_of_the_world_are_read() {
    let until: Timestamp = "2026-12-31T00:00:00Z".parse().expect("an instant");
    for (half, least) in [("dev", 0.9), ("holdout", 0.75)] {
        let mut score = Score::default();
        for (expected, path) in cases(half) {
            let stated = expected["content_type"].as_str().filter(|stated| *stated != "none");
            let feed = read_feed(&fs::read(&path).expect("a feed"), stated, 100, until).ok();
            score.no_feeds_taken += u32::from(expected["feed"] == Value::Bool(false) && feed.is_some());
            score.hold(feed.as_ref(), &expected, &path);
        }
        let Score { due, found, words, words_found, dirt, no_feeds_taken, misses } = score;
        println!("feeds, {half}: {found} of {due} entries, {words_found} of {words} words, {dirt} of markup");
        if half == "dev" {
            for miss in &misses {
                println!("  {miss}");
            }
        }
        assert_eq!(no_feeds_taken, 0, "{half}");
        assert!(f64::from(found) >= least * f64::from(due), "{half}: {found} of {due} entries");
        assert!(f64::from(words_found) >= 0.95 * f64::from(words), "{half}: {words_found} of {words} words");
        assert!(f64::from(dirt) <= 0.02 * f64::from(words), "{half}: {dirt} pieces of markup");
    }
}
