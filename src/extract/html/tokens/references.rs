//! Character references: `&auml;`, `&#228;`, `&#xE4;`.
//!
//! Invariant: what is no reference stays as it is; total.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// References that need no search: no longer name begins like these.
const COMMON: [(&str, char); 11] = [
    ("amp;", '&'),
    ("nbsp;", '\u{A0}'),
    ("quot;", '"'),
    ("lt;", '<'),
    ("gt;", '>'),
    ("auml;", 'ä'),
    ("ouml;", 'ö'),
    ("uuml;", 'ü'),
    ("szlig;", 'ß'),
    ("Uuml;", 'Ü'),
    ("ndash;", '–'),
];

/// The text with its references resolved; in an attribute, one without semicolon may be part of an address.
pub(super) fn decode(text: &str, in_attribute: bool) -> Cow<'_, str> {
    let Some(mut found) = memchr::memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        out.push_str(&rest[..found]);
        rest = &rest[found + 1..];
        let len = reference(rest, in_attribute, &mut out);
        if len == 0 {
            out.push('&');
        }
        rest = &rest[len..];
        let Some(next) = memchr::memchr(b'&', rest.as_bytes()) else { break };
        found = next;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Writes what the reference after an `&` stands for; its length, 0 where there is none.
fn reference(rest: &str, in_attribute: bool, out: &mut String) -> usize {
    if let Some(number) = rest.strip_prefix('#') {
        return numeric(number, out).map_or(0, |len| 1 + len);
    }
    if let Some((name, c)) = COMMON.iter().find(|(name, _)| rest.starts_with(name)) {
        out.push(*c);
        return name.len();
    }
    let bytes = rest.as_bytes();
    let mut longest = None;
    if bytes.first().is_some_and(u8::is_ascii_alphanumeric) {
        // The table knows every beginning of a name.
        for len in 1..=bytes.len() {
            let Some(known) = rest.get(..len).and_then(|name| NAMED_ENTITIES.get(name)) else { break };
            if known.0 != 0 {
                longest = Some((len, *known));
            }
        }
    }
    let Some((len, (first, second))) = longest else { return 0 };
    let next = bytes.get(len).is_some_and(|b| *b == b'=' || b.is_ascii_alphanumeric());
    if in_attribute && bytes[len - 1] != b';' && next {
        return 0;
    }
    out.extend(char::from_u32(first));
    out.extend(char::from_u32(second).filter(|c| *c != '\0'));
    len
}

/// What follows `&#`.
fn numeric(text: &str, out: &mut String) -> Option<usize> {
    let (digits, base) = text.strip_prefix(['x', 'X']).map_or((text, 10), |hex| (hex, 16));
    let mut value = 0_u32;
    let mut len = 0;
    for digit in digits.chars().map_while(|c| c.to_digit(base)) {
        value = value.saturating_mul(base).saturating_add(digit);
        len += 1;
    }
    if len == 0 {
        return None;
    }
    out.push(match value {
        0 => '\u{FFFD}',
        0x80..=0x9F => C1_REPLACEMENTS[(value - 0x80) as usize].or(char::from_u32(value)).unwrap_or('\u{FFFD}'),
        other => char::from_u32(other).unwrap_or('\u{FFFD}'),
    });
    let marker = text.len() - digits.len();
    Some(marker + len + usize::from(digits.as_bytes().get(len) == Some(&b';')))
}
