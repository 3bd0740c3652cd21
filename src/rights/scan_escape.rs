//! Text behind escapes: JSON, URLs, HTML, quoted-printable, wrapped base64.
//!
//! Invariant: only the surroundings of something that is an escape are decoded, so that a file without any costs one
//! look at its bytes.

use super::scan_needle::is_base64;

/// Longest escape, in bytes.
const LONGEST: usize = 12;
/// So many escapes within escapes are undone.
const ROUNDS: usize = 3;
/// A line of base64 is at least so long before it is wrapped.
const WRAPPED: usize = 40;

/// Gives the surroundings of all escapes, as they are and decoded. `reach` = how far a match may extend, in decoded bytes.
pub(super) fn unescaped(bytes: &[u8], reach: usize, mut give: impl FnMut(&[u8], &[u8])) {
    let span = reach * LONGEST;
    let mut window: Option<(usize, usize)> = None;
    let mut flush = |window: Option<(usize, usize)>| {
        if let Some((start, end)) = window {
            give(&bytes[start..end], &rounds(&bytes[start..end]));
        }
    };
    for at in candidates(bytes) {
        if !opens(bytes, at) {
            continue;
        }
        let (start, end) = (at.saturating_sub(span), (at + span).min(bytes.len()));
        window = match window {
            Some((first, last)) if start <= last => Some((first, end)),
            other => {
                flush(other);
                Some((start, end))
            }
        };
    }
    flush(window);
}

/// Where an escape may begin.
fn candidates(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let first = memchr::memchr3_iter(b'%', b'\\', b'&', bytes);
    let second = memchr::memchr3_iter(b'=', b'\n', b'\r', bytes);
    Merge { first: first.peekable(), second: second.peekable() }
}

struct Merge<A: Iterator<Item = usize>, B: Iterator<Item = usize>> {
    first: std::iter::Peekable<A>,
    second: std::iter::Peekable<B>,
}

impl<A: Iterator<Item = usize>, B: Iterator<Item = usize>> Iterator for Merge<A, B> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match (self.first.peek(), self.second.peek()) {
            (Some(a), Some(b)) if a > b => self.second.next(),
            (Some(_), _) => self.first.next(),
            (None, _) => self.second.next(),
        }
    }
}

fn rounds(bytes: &[u8]) -> Vec<u8> {
    let mut text = bytes.to_vec();
    for _ in 0..ROUNDS {
        let Some(next) = round(&text) else { break };
        text = next;
    }
    text
}

/// Undoes escapes once; `None` where there is none.
fn round(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut done, mut any) = (0, false);
    for at in candidates(bytes) {
        // An escape may begin inside one that was undone.
        if at < done {
            continue;
        }
        if let Some(escape) = escape(bytes, at) {
            out.extend_from_slice(&bytes[done..at]);
            out.extend_from_slice(&escape.text[..escape.bytes]);
            done = at + escape.length;
            any = true;
        }
    }
    out.extend_from_slice(&bytes[done..]);
    any.then_some(out)
}

/// An escape: how long it is, and what it stands for.
struct Escape {
    length: usize,
    text: [u8; 4],
    bytes: usize,
}

impl Escape {
    fn of(length: usize, c: char) -> Self {
        let mut text = [0; 4];
        let bytes = c.encode_utf8(&mut text).len();
        Self { length, text, bytes }
    }

    const fn byte(length: usize, byte: u32) -> Self {
        Self { length, text: [byte as u8, 0, 0, 0], bytes: 1 }
    }

    const fn nothing(length: usize) -> Self {
        Self { length, text: [0; 4], bytes: 0 }
    }
}

/// Whether an escape that can hide a letter begins here; `\\n` and the like are undone only beside such a one.
fn opens(bytes: &[u8], at: usize) -> bool {
    let plain = bytes[at] == b'\\' && !matches!(bytes.get(at + 1), Some(b'u' | b'x' | b'/' | b'\\'));
    !plain && escape(bytes, at).is_some_and(|e| bytes[at] != b'\\' || e.length > 3 || bytes[at + 1] == b'/')
}

/// The escape that begins here.
fn escape(bytes: &[u8], at: usize) -> Option<Escape> {
    let rest = &bytes[at..];
    match rest[0] {
        b'%' => hex(rest.get(1..3)?).map(|b| Escape::byte(3, b)),
        b'=' => match rest.get(1..3)? {
            [b'\r', b'\n'] => Some(Escape::nothing(3)),
            [b'\n', _] => Some(Escape::nothing(2)),
            two => hex(two).map(|b| Escape::byte(3, b)),
        },
        b'\\' => backslash(rest),
        b'&' => entity(rest),
        b'\n' | b'\r' => wrapped(bytes, at),
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, d| Some(n * 16 + (*d as char).to_digit(16)?))
}

/// `\u00fc`, also a pair of them and behind several backslashes; `\x..`; `\/`, `\"` and the like.
fn backslash(rest: &[u8]) -> Option<Escape> {
    let slashes = rest.iter().take(4).take_while(|b| **b == b'\\').count();
    let kind = *rest.get(slashes)?;
    match kind {
        b'u' => {
            let unit = hex(rest.get(slashes + 1..slashes + 5)?)?;
            let length = slashes + 5;
            if (0xd800..0xdc00).contains(&unit)
                && let Some(low) = rest.get(length..).filter(|r| r.starts_with(b"\\u")).and_then(|r| hex(r.get(2..6)?))
                && (0xdc00..0xe000).contains(&low)
            {
                let c = char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?;
                return Some(Escape::of(length + 6, c));
            }
            Some(Escape::of(length, char::from_u32(unit)?))
        }
        b'x' => hex(rest.get(slashes + 1..slashes + 3)?).map(|b| Escape::byte(slashes + 3, b)),
        b'/' | b'"' | b'\'' | b'.' | b'@' | b'-' => Some(Escape::byte(slashes + 1, u32::from(kind))),
        b't' | b'n' | b'r' => Some(Escape::byte(slashes + 1, u32::from(b' '))),
        _ => None,
    }
}

/// `&#252;`, `&#xfc;`, and the named ones of German and of mark-up.
fn entity(rest: &[u8]) -> Option<Escape> {
    let end = rest.iter().take(LONGEST).position(|b| *b == b';')?;
    let name = std::str::from_utf8(&rest[1..end]).ok()?;
    let c = match name.strip_prefix('#') {
        Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        })?,
        None => named(name)?,
    };
    Some(Escape::of(end + 1, c))
}

fn named(name: &str) -> Option<char> {
    const MARKS: [(&str, &str); 6] = [
        ("uml", "aäeëiïoöuüyÿAÄEËIÏOÖUÜYŸ"),
        ("acute", "aáeéiíoóuúyýAÁEÉIÍOÓUÚYÝ"),
        ("grave", "aàeèiìoòuùAÀEÈIÌOÒUÙ"),
        ("circ", "aâeêiîoôuûAÂEÊIÎOÔUÛ"),
        ("tilde", "aãnñoõAÃNÑOÕ"),
        ("cedil", "cçCÇ"),
    ];
    let plain = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "szlig" => 'ß',
        "aring" => 'å',
        "Aring" => 'Å',
        "oslash" => 'ø',
        "Oslash" => 'Ø',
        "aelig" => 'æ',
        "AElig" => 'Æ',
        "commat" => '@',
        "period" => '.',
        "hyphen" => '-',
        _ => {
            let letter = name.chars().next()?;
            let (_, pairs) = MARKS.into_iter().find(|(mark, _)| name[letter.len_utf8()..] == **mark)?;
            let all: Vec<char> = pairs.chars().collect();
            return all.chunks(2).find(|pair| pair[0] == letter).map(|pair| pair[1]);
        }
    };
    Some(plain)
}

/// A line break inside base64.
fn wrapped(bytes: &[u8], at: usize) -> Option<Escape> {
    let length = if bytes[at..].starts_with(b"\r\n") { 2 } else { 1 };
    let before = at.checked_sub(WRAPPED)?;
    let inside = bytes[before..at].iter().all(|b| is_base64(*b)) && is_base64(*bytes.get(at + length)?);
    inside.then_some(Escape::nothing(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_every_kind_are_undone_also_within_each_other() {
        for (text, want) in [
            (r"J\u00fcrgen", "Jürgen"),
            (r"J\\u00fcrgen", "Jürgen"),
            (r"\ud83d\ude00", "😀"),
            ("J%C3%BCrgen", "Jürgen"),
            ("J%25C3%25BCrgen", "Jürgen"),
            ("%4A%FCrgen", "J\u{fc}rgen"),
            ("J&uuml;rgen &szlig; &#252; &#xFC;", "Jürgen ß ü ü"),
            ("J=C3=BCr=\r\ngen", "Jürgen"),
            (r"a\/b", "a/b"),
            ("&amp;uuml;", "ü"),
        ] {
            let mut seen = Vec::new();
            unescaped(text.as_bytes(), 40, |_, t| seen.extend_from_slice(t));
            let latin = text.contains("%FC");
            let got = if latin {
                seen.iter().map(|b| *b as char).collect()
            } else {
                String::from_utf8_lossy(&seen).into_owned()
            };
            assert_eq!(got, want, "{text}");
        }
        unescaped(b"100 % of a & b = c\nd", 40, |_, _| panic!("there is no escape"));
    }
}
