//! Quotes that people will read in tables, terminals and spreadsheets.
//!
//! Invariant: what comes out reveals nothing special, reaches nobody and runs nowhere.

use std::sync::LazyLock;

use regex::Regex;

use super::guard;

/// The longest quote, in code points.
const MAX_CHARS: usize = 300;

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{L}\p{N}._%+'-]+\s?(?:@|\(at\)|\[at\])\s?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+")
        .expect("a fixed pattern")
});

/// An international or national number with separators; dates and amounts have too few digits or another shape.
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:\+|\b00|\(0|\b0)[\d()](?:[\s\u{a0}./()-]{0,3}\d){5,14}").expect("a fixed pattern")
});

/// A quote made safe to show, or `None` where it touches a special category or nothing is left.
///
/// At most 300 code points; e-mail addresses and phone numbers are masked, angle brackets escaped,
/// control and direction characters removed, and what makes a spreadsheet calculate is cut off.
#[must_use]
pub fn scrub_quote(quote: &str) -> Option<String> {
    let (_, withheld) = guard::scrub(quote, None);
    if !withheld.is_empty() {
        return None;
    }
    let mut plain = String::with_capacity(quote.len());
    for c in quote.chars() {
        if c.is_whitespace() {
            if !plain.ends_with(' ') {
                plain.push(' ');
            }
        } else if !c.is_control() && !is_direction(c) {
            plain.push(c);
        }
    }
    let masked = if may_mail(&plain) { EMAIL.replace_all(&plain, "[e-mail]") } else { plain.as_str().into() };
    let masked = if may_phone(&masked) { PHONE.replace_all(&masked, "[phone]") } else { masked };
    let start = masked.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
    });
    let safe = escaped(start.trim_end());
    (!safe.is_empty()).then_some(safe)
}

/// Whether there may be an e-mail address: each has one of these signs.
fn may_mail(text: &str) -> bool {
    text.contains('@') || text.contains("(at)") || text.contains("[at]")
}

/// Whether there may be a phone number: each has six digits at least, of whatever script.
fn may_phone(text: &str) -> bool {
    text.chars().filter(|c| c.is_numeric()).nth(4).is_some()
}

/// Escapes angle brackets, and stops where the next character no longer fits.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut length = 0;
    for c in text.chars() {
        let (piece, size) = match c {
            '<' => ("&lt;", 4),
            '>' => ("&gt;", 4),
            _ => ("", 1),
        };
        length += size;
        if length > MAX_CHARS {
            break;
        }
        if piece.is_empty() { safe.push(c) } else { safe.push_str(piece) }
    }
    safe
}

const fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
