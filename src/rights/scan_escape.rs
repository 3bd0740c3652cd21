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
        if escape(bytes, at).is_none() {
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
    let (mut at, mut any) = (0, false);
    while at < bytes.len() {
        if let Some((length, text)) = escape(bytes, at) {
            out.extend_from_slice(&text);
            at += length;
            any = true;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    any.then_some(out)
}

/// The escape that begins here: its length, and what it stands for.
fn escape(bytes: &[u8], at: usize) -> Option<(usize, Vec<u8>)> {
    let rest = &bytes[at..];
    match rest[0] {
        b'%' => hex(rest.get(1..3)?).map(|b| (3, vec![b as u8])),
        b'=' => match rest.get(1..3) {
            Some([b'\r', b'\n']) => Some((3, Vec::new())),
            Some([b'\n', _]) => Some((2, Vec::new())),
            Some(two) => hex(two).map(|b| (3, vec![b as u8])),
            None => None,
        },
        b'\\' => backslash(rest),
        b'&' => entity(rest),
        b'\n' | b'\r' => wrapped(bytes, at),
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// `\u00fc`, also a pair of them and behind several backslashes; `\x..`; `\/`, `\"` and the like.
fn backslash(rest: &[u8]) -> Option<(usize, Vec<u8>)> {
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
                return Some((length + 6, c.to_string().into_bytes()));
            }
            Some((length, char::from_u32(unit)?.to_string().into_bytes()))
        }
        b'x' => hex(rest.get(slashes + 1..slashes + 3)?).map(|b| (slashes + 3, vec![b as u8])),
        b'/' | b'"' | b'\'' | b'.' | b'@' | b'-' => Some((slashes + 1, vec![kind])),
        b't' | b'n' | b'r' => Some((slashes + 1, vec![b' '])),
        _ => None,
    }
}

/// `&#252;`, `&#xfc;`, and the named ones of German and of mark-up.
fn entity(rest: &[u8]) -> Option<(usize, Vec<u8>)> {
    let end = rest.iter().take(LONGEST).position(|b| *b == b';')?;
    let name = std::str::from_utf8(&rest[1..end]).ok()?;
    let c = match name.strip_prefix('#') {
        Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        })?,
        None => named(name)?,
    };
    Some((end + 1, c.to_string().into_bytes()))
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
fn wrapped(bytes: &[u8], at: usize) -> Option<(usize, Vec<u8>)> {
    let length = if bytes[at..].starts_with(b"\r\n") { 2 } else { 1 };
    let before = at.checked_sub(WRAPPED)?;
    let inside = bytes[before..at].iter().all(|b| is_base64(*b)) && is_base64(*bytes.get(at + length)?);
    inside.then_some((length, Vec::new()))
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
