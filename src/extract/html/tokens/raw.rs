//! Where the text of elements ends that have no markup inside: `title`, `style`, `script` and the like.
//!
//! Invariant: linear; an index points to the `<` of the end tag.

use memchr::memmem;

use super::is_white;

/// The end tag of `name` from `from` on.
pub(super) fn end(bytes: &[u8], from: usize, name: &str) -> Option<usize> {
    let found = memmem::find_iter(&bytes[from..], b"</").map(|n| from + n);
    found.into_iter().find(|at| is_tag(&bytes[at + 2..], name.as_bytes()))
}

/// Whether a name stands here as a whole.
fn is_tag(rest: &[u8], name: &[u8]) -> bool {
    let ends = |b: &u8| is_white(*b) || matches!(b, b'/' | b'>');
    rest.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) && rest.get(name.len()).is_some_and(ends)
}

/// The end tag of a script; one inside `<!-- <script> -->` is text.
pub(super) fn end_of_script(bytes: &[u8], from: usize) -> Option<usize> {
    let (mut at, mut escaped, mut double) = (from, false, false);
    loop {
        let rest = &bytes[at..];
        let found = if escaped { memchr::memchr2(b'<', b'-', rest)? } else { memchr::memchr(b'<', rest)? };
        at += found;
        let rest = &bytes[at..];
        if rest[0] == b'-' {
            if rest.starts_with(b"-->") {
                (escaped, double) = (false, false);
            }
            at += 1;
            continue;
        }
        let closes = rest.starts_with(b"</") && is_tag(&rest[2..], b"script");
        if closes && !double {
            return Some(at);
        } else if closes {
            double = false;
        } else if escaped {
            double |= is_tag(&rest[1..], b"script");
        } else if rest.starts_with(b"<!--") {
            escaped = true;
            // Its hyphens may be those of `-->`.
            at += 1;
        }
        at += 1;
    }
}
