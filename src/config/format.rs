//! The formats that a JSON Schema names and a pipeline file uses: names, instants, URLs, cron expressions, zones.
//!
//! Invariant: pure functions from text to the reason why it does not fit; no clock, no network, no files but the time
//! zone database.

use jiff::Timestamp;
use jiff::civil::Date;
use url::Url;

use super::diagnostic::did_you_mean;
use crate::schedule::cron::{cron_mistake, is_zone, zones};

/// What the keyword `format` calls a name; matches `[a-z][a-z0-9_-]{0,63}`.
pub const NAME: &str = "name";
/// A cron expression with five or six fields.
pub const CRON: &str = "cron";
/// An IANA time zone name.
pub const ZONE: &str = "time-zone";
/// A relative or absolute path.
pub const PATH: &str = "path";
/// An http or https address without credentials.
pub const WEB: &str = "uri";

/// A `mailto:` or https address that fits into a header.
pub const CONTACT: &str = "contact";

/// Why `text` does not fit the format, with an example of what would; formats not known here always fit.
pub fn mistake(format: &str, text: &str) -> Option<String> {
    match format {
        NAME if !is_name(text) => {
            Some("expected a name (a small letter, then small letters, digits, \"_\" and \"-\", at most 64)".to_owned())
        }
        "date" if text.parse::<Date>().is_err() || text.len() != 10 => {
            Some("expected a date such as 2026-03-02".to_owned())
        }
        "date-time" if !is_instant(text) => {
            Some("expected a date and time with its offset, such as 2026-03-02T03:00:00Z".to_owned())
        }
        WEB => web(text),
        CONTACT => contact(text),
        CRON => cron(text),
        ZONE => zone(text),
        PATH => path(text),
        _ => None,
    }
}

fn is_name(text: &str) -> bool {
    let tail = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(tail)
}

fn is_instant(text: &str) -> bool {
    // jiff also reads a space for the "T" and zone annotations; files keep to RFC 3339.
    text.contains('T') && !text.contains('[') && text.parse::<Timestamp>().is_ok()
}

fn web(text: &str) -> Option<String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(e) => return Some(format!("not a URL ({e}), expected one such as https://api.example.com")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some(format!("a URL starts with https:// or http://, this one with {:?}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("a URL must not hold a user name or password".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Some("a URL needs a host".to_owned());
    }
    None
}

fn contact(text: &str) -> Option<String> {
    let fits = text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>\"\\".contains(&b)) && text.len() <= 200;
    let mail = text.strip_prefix("mailto:").and_then(|mail| mail.split_once('@'));
    let is_mail = mail.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
    let is_page = text.starts_with("https://") && web(text).is_none();
    (!fits || !is_mail && !is_page).then(|| {
        "expected whom a site owner can write to, such as mailto:privacy@controller.example or https://controller.example/bot"
            .to_owned()
    })
}

/// The ranges of the five fields of a cron expression; a sixth in front holds seconds.
const CRON_FIELDS: [(&str, u32, u32); 6] = [
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

fn cron(text: &str) -> Option<String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let known = match fields.len() {
        5 => &CRON_FIELDS[1..],
        6 => &CRON_FIELDS[..],
        n => {
            return Some(format!(
                "a cron expression has 5 fields (minute, hour, day of month, month, day of week) or 6 (seconds first), \
                 this one has {n}; nightly at 02:15 is \"15 2 * * *\""
            ));
        }
    };
    let misfit = fields.iter().zip(known).find(|(field, known)| !cron_field(field, **known));
    let Some((field, (name, low, high))) = misfit else {
        return cron_mistake(text).map(|mistake| mistake.to_string());
    };
    Some(format!("{field:?} is no {name} of a cron expression ({low} to {high}, *, lists, ranges and steps)"))
}

fn cron_field(field: &str, (name, low, high): (&str, u32, u32)) -> bool {
    field.split(',').all(|part| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let stepped = step.is_none_or(|s| s.parse::<u32>().is_ok_and(|s| (1..=high).contains(&s)));
        let value = |v: &str| cron_value(v, name).filter(|v| (low..=high).contains(v));
        let ranged = match range.split_once('-') {
            _ if range == "*" || range == "?" => true,
            Some((from, to)) => value(from).zip(value(to)).is_some_and(|(from, to)| from <= to),
            None if name == "day of month" && range == "L" => true,
            None if name == "day of week" => value(range.split_once('#').map_or(range, |(day, _)| day)).is_some(),
            None => value(range).is_some(),
        };
        stepped && ranged
    })
}

fn cron_value(value: &str, field: &str) -> Option<u32> {
    let named = |names: &[&str], first: u32| {
        (first..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(value)).map(|(number, _)| number)
    };
    let word = match field {
        "month" => named(&MONTHS, 1),
        "day of week" => named(&DAYS, 0),
        _ => None,
    };
    let digits = !value.is_empty() && value.chars().all(|c| c.is_ascii_digit());
    word.or_else(|| if digits { value.parse().ok() } else { None })
}

fn zone(text: &str) -> Option<String> {
    let part = |p: &str| {
        p.starts_with(|c: char| c.is_ascii_uppercase())
            && p.chars().all(|c| c.is_ascii_alphanumeric() || "_-+".contains(c))
    };
    let shape = text == "UTC" || (text.contains('/') && text.split('/').count() <= 3 && text.split('/').all(part));
    if !shape {
        return Some("expected an IANA time zone such as Europe/Berlin, or UTC".to_owned());
    }
    if is_zone(text) {
        return None;
    }
    let (text, zones) = (text.chars().take(80).collect::<String>(), zones());
    let meant =
        did_you_mean(&text, zones.iter().map(String::as_str)).map_or(String::new(), |meant| format!(", {meant}"));
    Some(format!("there is no time zone {text:?}{meant}"))
}

fn path(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("expected a path".to_owned());
    }
    if text.starts_with('~') || text.contains('$') {
        return Some("\"~\" and \"$VARIABLES\" are not expanded in paths, write the path out".to_owned());
    }
    text.contains("://").then(|| "a path in the file system cannot be a URL".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_take_what_fits_and_nothing_else() {
        let table: [(&str, &[&str], &[&str]); 7] = [
            (NAME, &["demo", "a", "night-2_x"], &["", "Demo", "1a", "a b", "ä", "-a"]),
            ("date", &["2026-03-02"], &["2026-02-30", "02.03.2026", "2026-3-2", "20260302", ""]),
            (
                "date-time",
                &["2026-03-02T03:00:00Z", "2026-03-02T03:00:00+01:00"],
                &["2026-03-02", "2026-03-02T03:00:00", "2026-03-02 03:00:00Z", "2026-03-02T25:00:00Z", "now"],
            ),
            (
                WEB,
                &["https://api.example.com", "http://api.devhub.example/v1"],
                &["api.example.com", "ftp://a.example", "https://u:p@a.example", "https://", "file:///etc/passwd"],
            ),
            (
                CRON,
                &["15 2 * * *", "0 15 2 * * MON-FRI", "*/5 0-6,22 1 JAN ?", "0 2 L * *", "0 2 * * 1#2"],
                &[
                    "",
                    "15 2 * *",
                    "60 2 * * *",
                    "15 24 * * *",
                    "5-1 2 * * *",
                    "a b c d e",
                    "*/0 2 * * *",
                    "@daily",
                    "15 2 31 2 *",
                ],
            ),
            (
                ZONE,
                &["Europe/Berlin", "UTC", "America/Argentina/Ushuaia", "Etc/GMT+1"],
                &["CET1", "berlin", "+01:00", "Europe/Berln", "Mars/Crater"],
            ),
            (PATH, &["a.csv", "../x y/*.csv", "/abs"], &["", " ", "~/x", "$HOME/x", "s3://bucket/x"]),
        ];
        for (format, good, bad) in table {
            for text in good {
                assert_eq!(mistake(format, text), None, "{format}: {text}");
            }
            for text in bad {
                assert!(mistake(format, text).is_some(), "{format}: {text}");
            }
        }
    }
}
