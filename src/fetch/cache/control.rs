//! `Cache-Control`: directives of requests and answers.
//!
//! Invariant: names are read in any case, quoted values are one value; a number that is none counts as 0, so that what
//! cannot be read is stale.

use hyper::header::{GetAll, HeaderValue};

/// What a private cache heeds. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Control {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) must_revalidate: bool,
    pub(super) max_age: Option<i64>,
    pub(super) min_fresh: Option<i64>,
    pub(super) while_revalidate: Option<i64>,
}

impl Control {
    pub(super) fn of(values: GetAll<'_, HeaderValue>) -> Self {
        let mut control = Self::default();
        for value in values {
            for item in items(&String::from_utf8_lossy(value.as_bytes())) {
                let (name, argument) = item.split_once('=').unwrap_or((item, ""));
                control.take(name.trim(), argument.trim());
            }
        }
        control
    }

    fn take(&mut self, name: &str, argument: &str) {
        let number = || Some(seconds(argument.trim_matches('"')).unwrap_or(0));
        match name.to_ascii_lowercase().as_str() {
            "no-store" => self.no_store = true,
            // With field names only these must be asked again; to ask for all is stricter.
            "no-cache" => self.no_cache = true,
            "must-revalidate" => self.must_revalidate = true,
            // The smallest of several.
            "max-age" => self.max_age = self.max_age.min(number()).or_else(number),
            "min-fresh" => self.min_fresh = number(),
            "stale-while-revalidate" => self.while_revalidate = number(),
            _ => {}
        }
    }
}

/// Digits only; more than a number holds is for ever.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(i64::MAX / 4000).min(i64::MAX / 4000))
}

/// Splits at commas outside of quotes.
fn items(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |c| {
        let ends = c == ',' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        ends
    })
}
