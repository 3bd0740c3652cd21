//! What one page may cost, and the pre-scan that keeps hostile markup within it.
//!
//! Invariant: the HTML parser's quadratic corners (deep nesting, thousands of attributes on a tag) are cut off
//! before it sees them; the scan itself is linear.

use std::borrow::Cow;

/// Bytes of a body that are read.
pub(super) const MAX_BODY: usize = 8 * 1024 * 1024;
/// Elements that may be open at a time.
pub(super) const MAX_DEPTH: usize = 160;
/// Attributes (in fact, words) of one tag.
pub(super) const MAX_ATTRIBUTES: usize = 256;
/// Nodes of one document.
pub(super) const MAX_NODES: usize = 600_000;
/// Formatting elements that may wait to be opened again; each costs a node per block that follows.
const MAX_FORMATTING: usize = 16;
/// Bytes of one value's text.
pub(super) const MAX_VALUE: usize = 64 * 1024;
/// Bytes of all values of one syntax.
pub(super) const MAX_VALUES: usize = 16 * 1024 * 1024;
/// Bytes of `text`.
pub(super) const MAX_TEXT: usize = 200_000;
/// Items of one kind (links, people, structured items) that are kept.
pub(super) const MAX_ITEMS: usize = 5_000;

const VOID: [&str; 15] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "frame",
];
/// Elements that the parser closes by itself when the next of their kind opens.
const SELF_CLOSING_SIBLINGS: [&str; 15] = [
    "p", "li", "dt", "dd", "option", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup", "caption", "html", "body",
];
const FORMATTING: [&str; 13] =
    ["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
const RAW_TEXT: [&str; 7] = ["script", "style", "textarea", "title", "xmp", "iframe", "noembed"];
/// End tags that mean something without a matching start tag.
const MEANT: [&str; 8] = ["br", "h1", "h2", "h3", "h4", "h5", "h6", "plaintext"];
/// Elements that an end tag of another name does not close through.
const BARRIERS: [&str; 8] = ["table", "object", "marquee", "applet", "template", "svg", "math", "button"];

/// Returns `html` without the tags and attributes that exceed the limits; borrowed where nothing exceeds them.
pub(super) fn tame(html: &str) -> Cow<'_, str> {
    let mut scan = Scan { html, at: 0, kept_to: 0, out: String::new(), open: Vec::new(), foreign: 0, formatting: 0 };
    scan.run();
    if scan.kept_to == 0 {
        return Cow::Borrowed(html);
    }
    let Scan { mut out, kept_to, .. } = scan;
    out.push_str(&html[kept_to..]);
    Cow::Owned(out)
}

struct Scan<'a> {
    html: &'a str,
    at: usize,
    /// Everything before it is in `out`, or dropped.
    kept_to: usize,
    out: String,
    open: Vec<&'a str>,
    foreign: usize,
    /// Formatting elements without an end tag so far; an end of their container does not end them.
    formatting: usize,
}

impl<'a> Scan<'a> {
    fn run(&mut self) {
        while let Some(found) = memchr::memchr(b'<', &self.html.as_bytes()[self.at..]) {
            let start = self.at + found;
            self.at = start + 1;
            let rest = &self.html.as_bytes()[self.at..];
            match rest.first() {
                Some(b'!') if rest.starts_with(b"!--") => {
                    self.at = memchr::memmem::find(rest, b"-->").map_or(self.html.len(), |i| self.at + i + 3);
                }
                Some(b'/') if rest.get(1).is_some_and(u8::is_ascii_alphabetic) => self.end_tag(start),
                Some(c) if c.is_ascii_alphabetic() => self.start_tag(start),
                _ => {}
            }
        }
    }

    fn name_at(&self, from: usize) -> &'a str {
        let bytes = &self.html.as_bytes()[from..];
        let len = bytes.iter().take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'/' | b'>')).count();
        // Every stop byte is ASCII, so the cut is on a character boundary.
        &self.html[from..from + len]
    }

    fn end_tag(&mut self, start: usize) {
        let name = self.name_at(self.at + 1);
        self.at += 1 + name.len();
        for i in (0..self.open.len()).rev() {
            if self.open[i].eq_ignore_ascii_case(name) {
                self.foreign -= self.open[i..].iter().filter(|n| is_foreign(n)).count();
                self.open.truncate(i);
                self.formatting -= usize::from(is_one_of(name, &FORMATTING)).min(self.formatting);
                return;
            }
            if is_one_of(self.open[i], &BARRIERS) {
                return;
            }
        }
        // The parser would search all open elements for it, in vain.
        if !is_one_of(name, &SELF_CLOSING_SIBLINGS) && !is_one_of(name, &RAW_TEXT) && !is_one_of(name, &MEANT) {
            let (end, _) = self.tag_end(self.at);
            self.at = end;
            self.drop_range(start, end);
        }
    }

    fn start_tag(&mut self, start: usize) {
        let name = self.name_at(self.at);
        let (end, excess) = self.tag_end(self.at + name.len());
        self.at = end;
        let counted = !is_one_of(name, &VOID) && (self.foreign > 0 || !is_one_of(name, &SELF_CLOSING_SIBLINGS));
        let raw = is_one_of(name, &RAW_TEXT);
        let formats = is_one_of(name, &FORMATTING);
        let too_many = self.open.len() >= MAX_DEPTH || (formats && self.formatting >= MAX_FORMATTING);
        if counted && too_many && !raw {
            self.drop_range(start, end);
            return;
        }
        if let Some(from) = excess {
            // Keep the `>`; a tag that the input leaves open has none.
            self.drop_range(from, if self.html.as_bytes()[end - 1] == b'>' { end - 1 } else { end });
        }
        if raw {
            self.skip_raw_text(name);
        } else if counted {
            self.foreign += usize::from(is_foreign(name));
            self.formatting += usize::from(formats);
            self.open.push(name);
        }
    }

    /// The index after `>`, and where the attributes beyond the limit begin.
    fn tag_end(&self, from: usize) -> (usize, Option<usize>) {
        let bytes = self.html.as_bytes();
        let (mut words, mut excess, mut in_word, mut after_eq) = (0_usize, None, false, false);
        let mut i = from;
        while i < bytes.len() {
            match bytes[i] {
                b'>' => return (i + 1, excess),
                q @ (b'"' | b'\'') if after_eq => {
                    i += memchr::memchr(q, &bytes[i + 1..]).map_or(bytes.len() - i, |n| n + 1);
                    (after_eq, in_word) = (false, false);
                }
                b'=' => after_eq = true,
                b if b.is_ascii_whitespace() || b == b'/' => in_word = false,
                _ => {
                    if !in_word && !after_eq {
                        words += 1;
                        if words > MAX_ATTRIBUTES && excess.is_none() {
                            excess = Some(self.boundary(i));
                        }
                    }
                    (in_word, after_eq) = (true, false);
                }
            }
            i += 1;
        }
        (bytes.len(), excess)
    }

    fn boundary(&self, mut i: usize) -> usize {
        while !self.html.is_char_boundary(i) {
            i -= 1;
        }
        i
    }

    fn skip_raw_text(&mut self, name: &str) {
        let bytes = self.html.as_bytes();
        let mut i = self.at;
        while let Some(n) = memchr::memmem::find(&bytes[i..], b"</") {
            i += n + 2;
            if bytes[i..].get(..name.len()).is_some_and(|b| b.eq_ignore_ascii_case(name.as_bytes())) {
                self.at = i;
                return;
            }
        }
        self.at = bytes.len();
    }

    fn drop_range(&mut self, from: usize, to: usize) {
        self.out.push_str(&self.html[self.kept_to..from]);
        self.kept_to = to;
    }
}

fn is_one_of(name: &str, list: &[&str]) -> bool {
    list.iter().any(|n| n.eq_ignore_ascii_case(name))
}

fn is_foreign(name: &str) -> bool {
    name.eq_ignore_ascii_case("svg") || name.eq_ignore_ascii_case("math")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_markup_is_left_alone() {
        let html = "<ul><li>a<li>b</ul><p>c<p>d<img src=x><script>if (a<b) {}</script><!-- <b> -->";
        assert!(matches!(tame(html), Cow::Borrowed(_)));
    }

    #[test]
    fn depth_and_attributes_are_cut_off() {
        let deep = "<div>".repeat(10_000) + "x";
        assert_eq!(tame(&deep).matches("<div>").count(), MAX_DEPTH);
        let wide = format!("<a {}>x</a>", (0..5_000).map(|i| format!("é{i}=\"1\"")).collect::<Vec<_>>().join(" "));
        let tamed = tame(&wide);
        assert_eq!(tamed.matches("=\"1\"").count(), MAX_ATTRIBUTES);
        assert!(tamed.ends_with(">x</a>"), "the tag is still closed");
    }
}
