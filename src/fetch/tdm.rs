//! `/.well-known/tdmrep.json`, the TDM Reservation Protocol: which places of a site are reserved.
//!
//! Invariant: what cannot be understood counts as reserved; only a file that clearly is not a TDM file (an HTML
//! page sent with 200) counts as none. Of several rules for a place the report takes the first, while authors who know
//! robots.txt expect the longest: a release counts only if both say so.

use serde_json::Value;

use super::robots_match::{PathQuery, Pattern, Work};
use super::sniff::looks_like_markup;

/// The rules of one tdmrep.json.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TdmRules {
    /// Longest location first, reservations before releases.
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    location: Pattern,
    reserved: bool,
    /// Its place in the file.
    place: usize,
}

impl TdmRules {
    /// Reads a body; `None` = it exists but cannot be understood.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        if body.trim_ascii().is_empty() || looks_like_markup(body) {
            return Some(Self::default());
        }
        let entries = match serde_json::from_slice(body).ok()? {
            Value::Array(entries) => entries,
            object @ Value::Object(_) => vec![object],
            _ => return None,
        };
        let read = |(place, entry)| Rule::read(place, entry);
        let mut rules = entries.iter().enumerate().map(read).collect::<Option<Vec<_>>>()?;
        rules.sort_by_key(|rule| (std::cmp::Reverse(rule.location.len()), !rule.reserved));
        Some(Self { rules })
    }

    /// The location that reserves `url`, if one does.
    #[must_use]
    pub fn reserved_by(&self, url: &str) -> Option<&str> {
        let (path, mut work) = (PathQuery::of(url), Work::default());
        let longest = self.rules.iter().find(|rule| rule.holds(&path, &mut work))?;
        // Whoever writes a file that costs too much to read does not want to be read.
        if longest.reserved || work.is_too_much() {
            return Some(longest.location.as_str());
        }
        let first = self
            .rules
            .iter()
            .filter(|rule| rule.place <= longest.place)
            .filter(|rule| rule.holds(&path, &mut work))
            .min_by_key(|rule| rule.place)?;
        (first.reserved || work.is_too_much()).then(|| first.location.as_str())
    }
}

impl Rule {
    /// Whether it is for a path; where too much work was done, every rule is.
    fn holds(&self, path: &PathQuery, work: &mut Work) -> bool {
        match self.reserved {
            _ if work.is_too_much() => true,
            true => self.location.matches_any_encoding(path, work),
            false => self.location.matches_exactly(path, work),
        }
    }

    fn read(place: usize, entry: &Value) -> Option<Self> {
        let location = match entry.as_object()?.get("location") {
            Some(Value::String(location)) => location.trim(),
            None => "/",
            Some(_) => return None,
        };
        // Sites write full URLs and paths without a slash too.
        let path = if location.contains("://") { PathQuery::of(location).as_str().to_owned() } else { location.into() };
        let path = if path.starts_with(['/', '*']) { path } else { format!("/{path}") };
        Some(Self {
            location: Pattern::new(path.as_bytes()),
            reserved: is_reserved(entry.get("tdm-reservation")),
            place,
        })
    }
}

/// Only a clear 0 releases.
fn is_reserved(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Number(n)) => n.as_f64() != Some(0.0),
        Some(Value::String(s)) => s.trim() != "0",
        Some(Value::Bool(b)) => *b,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, url: &str, expected: Option<&str>) {
        let rules = TdmRules::parse(body.as_bytes()).expect("readable");
        assert_eq!(rules.reserved_by(url), expected, "{body} {url}");
    }

    #[test]
    fn a_release_counts_if_it_is_the_first_and_the_longest() {
        let body = r#"[{"location":"/open/","tdm-reservation":0},{"location":"/","tdm-reservation":1},
            {"location":"/open/*.pdf$","tdm-reservation":1,"tdm-policy":"https://a.example/p.json"},
            {"location":"/late/","tdm-reservation":0}]"#;
        check(body, "http://a.example/team", Some("/"));
        check(body, "http://a.example/late/team", Some("/"));
        check(body, "http://a.example/open/team", None);
        check(body, "http://a.example/open/x.pdf", Some("/open/*.pdf$"));
        check(r#"[{"location":"/a","tdm-reservation":0},{"location":"/a","tdm-reservation":1}]"#, "/a", Some("/a"));
    }

    #[test]
    fn only_a_clear_zero_releases() {
        for released in ["0", "\"0\"", "false", "0.0"] {
            check(&format!(r#"[{{"location":"/","tdm-reservation":{released}}}]"#), "/x", None);
        }
        for reserved in ["1", "\"1\"", "true", "null", "\"no\"", "[]", "-1"] {
            check(&format!(r#"[{{"location":"/","tdm-reservation":{reserved}}}]"#), "/x", Some("/"));
        }
        check(r#"[{"location":"/x"}]"#, "/x", Some("/x"));
        check(r#"{"tdm-reservation":1}"#, "/x", Some("/"));
        check(r#"[{"location":"https://a.example/news/","tdm-reservation":1}]"#, "/news/1", Some("/news/"));
    }

    #[test]
    fn html_and_nothing_are_none_and_broken_json_is_unreadable() {
        check("<!doctype html><title>home</title>", "/x", None);
        check(" \n", "/x", None);
        check("[]", "/x", None);
        for broken in ["[{", "reserved", "7", "[1]", r#"[{"location":3,"tdm-reservation":0}]"#] {
            assert_eq!(TdmRules::parse(broken.as_bytes()), None, "{broken}");
        }
    }
}
