//! Path patterns of robots.txt and tdmrep.json: `*`, a final `$`, percent-encoding.
//!
//! Invariant: a pattern is matched piece by piece from left to right without backtracking, so the cost is linear in
//! pattern and URL, however hostile; every step is counted, so that a file of many patterns is bounded, too.

use memchr::memmem;

/// A path pattern in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// As the file has it, percent-encoding normalised.
    text: Box<str>,
    /// With encoded unreserved characters decoded, where that differs.
    decoded: Option<Box<str>>,
}

/// A path with query in normal form, both as encoded and with unreserved characters decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathQuery {
    /// As given, digits of escapes in upper case.
    given: String,
    text: String,
    decoded: String,
    /// Whether decoding changed anything.
    is_encoded: bool,
}

/// Steps that matching has cost: about one for each byte or piece that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Work(u64);

impl Work {
    /// No honest file comes near: a thousand rules of five wildcards against a long URL cost a tenth.
    const MOST: u64 = 1_000_000;

    /// Whether so much was done that the file must be hostile.
    pub(super) const fn is_too_much(self) -> bool {
        self.0 > Self::MOST
    }

    const fn add(&mut self, steps: usize) {
        self.0 = self.0.saturating_add(steps as u64);
    }
}

impl PathQuery {
    /// Takes path and query out of a URL, or of what stands for one; a fragment is dropped.
    pub(super) fn of(url: &str) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        let first_end = url.find(['/', '?', ';']).unwrap_or(url.len());
        let after_scheme = match url.find("//") {
            Some(0) => 2,
            Some(at) if at == first_end => at + 2,
            _ => 0,
        };
        let rest = &url[after_scheme..];
        let path = rest.find(['/', '?', ';']).map_or("", |at| &rest[at..]);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let text = escape(path.as_bytes());
        let decoded = decode_unreserved(&text);
        let given = if path.is_ascii() { text.clone() } else { path };
        Self { is_encoded: decoded != text, given, text, decoded }
    }

    /// As encoded, for instance `/a%20b?c`.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl Pattern {
    /// Reads a pattern from the bytes of a line.
    pub(super) fn new(raw: &[u8]) -> Self {
        let text = escape(raw);
        let decoded = text.contains('%').then(|| decode_unreserved(&text)).filter(|d| *d != text);
        let decoded = decoded.map(String::into_boxed_str);
        Self { text: text.into_boxed_str(), decoded }
    }

    /// The pattern as it stands in reports.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Its length is its priority.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Matches octets as they were given; what a permission needs.
    pub(super) fn matches_exactly(&self, path: &PathQuery, work: &mut Work) -> bool {
        matches(&self.text, &path.given, work)
    }

    /// Matches also where only the encoding differs; what a prohibition reaches.
    pub(super) fn matches_any_encoding(&self, path: &PathQuery, work: &mut Work) -> bool {
        matches(&self.text, &path.text, work)
            || (self.decoded.is_some() || path.is_encoded)
                && matches(self.decoded.as_deref().unwrap_or(&self.text), &path.decoded, work)
    }

    /// For `/dir/index.html` and `/dir/index.htm`: the pattern of exactly `/dir/`, which is the same page.
    pub(super) fn index_directory(&self) -> Option<Self> {
        let slash = self.text.rfind('/').filter(|at| self.text[*at..].starts_with("/index.htm"))?;
        Some(Self::new(format!("{}$", &self.text[..=slash]).as_bytes()))
    }
}

fn matches(pattern: &str, path: &str, work: &mut Work) -> bool {
    work.add(1);
    let (pattern, anchored) = pattern.strip_suffix('$').map_or((pattern, false), |p| (p, true));
    let (head, tail) = pattern.split_once('*').map_or((pattern, None), |(head, tail)| (head, Some(tail)));
    let Some(mut rest) = path.strip_prefix(head) else { return false };
    let Some(tail) = tail else { return !anchored || rest.is_empty() };
    // Finding the stars again costs as much as the pattern is long.
    work.add(tail.len() / 8);
    let (middle, last) = match (anchored, tail.rsplit_once('*')) {
        (false, _) => (Some(tail), ""),
        (true, Some((middle, last))) => (Some(middle), last),
        (true, None) => (None, tail),
    };
    // The leftmost place of each piece leaves most room for the next one, so no other place need be tried.
    for piece in middle.into_iter().flat_map(|m| m.split('*')).filter(|p| !p.is_empty()) {
        let found = memmem::find(rest.as_bytes(), piece.as_bytes());
        work.add(8 + found.map_or(rest.len(), |at| at + piece.len()));
        match found {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Encodes what is not ASCII and writes hexadecimal digits of escapes in upper case.
fn escape(raw: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if let Some(plain) = std::str::from_utf8(raw).ok().filter(|s| s.is_ascii() && !s.contains('%')) {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut i = 0;
    while i < raw.len() {
        let b = raw[i];
        let escaped = raw.get(i + 1..i + 3).filter(|hex| b == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        if let Some(hex) = escaped {
            out.push('%');
            out.extend(hex.iter().map(|h| char::from(h.to_ascii_uppercase())));
            i += 3;
            continue;
        }
        if b.is_ascii() {
            out.push(char::from(b));
        } else {
            out.extend(['%', char::from(HEX[usize::from(b >> 4)]), char::from(HEX[usize::from(b & 15)])]);
        }
        i += 1;
    }
    out
}

/// Decodes `%41` and the like: letters, digits, `-`, `.`, `_`, `~` mean the same either way (RFC 3986, 2.3).
fn decode_unreserved(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut pieces = text.split('%');
    let mut out = String::with_capacity(text.len());
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let byte = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(b) = byte.filter(|b| b.is_ascii_alphanumeric() || b"-._~".contains(b)) {
            out.push(char::from(b));
            out.push_str(&piece[2..]);
        } else {
            out.push('%');
            out.push_str(piece);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook matcher, cubic and obviously right.
    fn naive(pattern: &[u8], path: &[u8]) -> bool {
        match pattern.split_first() {
            None => true,
            Some((b'$', [])) => path.is_empty(),
            Some((b'*', rest)) => (0..=path.len()).any(|i| naive(rest, &path[i..])),
            Some((b, rest)) => path.first() == Some(b) && naive(rest, &path[1..]),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_textbook(pattern in "/[ab*$]{0,8}", path in "/[ab$]{0,10}") {
            prop_assert_eq!(matches(&pattern, &path, &mut Work::default()), naive(pattern.as_bytes(), path.as_bytes()));
        }

        #[test]
        fn never_panics(pattern in proptest::collection::vec(any::<u8>(), 0..64), url in "\\PC{0,64}") {
            let (pattern, path) = (Pattern::new(&pattern), PathQuery::of(&url));
            pattern.matches_any_encoding(&path, &mut Work::default());
            let _ = pattern.index_directory();
        }
    }
}
