//! What one page may cost, and the pre-scan that keeps hostile markup within it.
//!
//! Invariant: the HTML parser's quadratic corners (deep nesting, thousands of attributes on a tag) are cut off
//! before it sees them; the scan itself is linear. It takes tags for what they mostly are: where it errs, the tokens and
//! the tree have limits of their own.

use std::borrow::Cow;

/// Bytes of a body that are read.
pub(super) const MAX_BODY: usize = 8 * 1024 * 1024;
/// Elements that may be open at a time, those left out that close by themselves.
const MAX_DEPTH: usize = 160;
/// Levels of the tree that are read.
pub(super) const MAX_LEVELS: u32 = 320;
/// Attributes (in fact, words) of one tag.
pub(super) const MAX_ATTRIBUTES: usize = 256;
/// Bytes of the address that all relative ones are joined to.
pub(super) const MAX_BASE: usize = 2 * 1024;
/// Nodes before an element that are counted to tell where it stands.
pub(super) const MAX_COUNTED: usize = 10_000;
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

/// What the scan has to know of an element, by its name.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Clone, Copy)]
struct Traits {
    /// Has no content.
    void: bool,
    /// The parser closes it by itself when the next of its kind opens.
    sibling: bool,
    formats: bool,
    /// Holds text only.
    raw: bool,
    /// Its end tag means something without a matching start tag.
    meant: bool,
    /// An end tag of another name does not close through it.
    barrier: bool,
    foreign: bool,
}

impl Traits {
    fn of(name: &str) -> Self {
        const NONE: Traits = Traits {
            void: false,
            sibling: false,
            formats: false,
            raw: false,
            meant: false,
            barrier: false,
            foreign: false,
        };
        // Longer names have none of them.
        let mut buffer = [0; 10];
        let Some(lower) = buffer.get_mut(..name.len()) else { return NONE };
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        match &*lower {
            b"br" => Self { void: true, meant: true, ..NONE },
            b"area" | b"base" | b"col" | b"embed" | b"hr" | b"img" | b"input" | b"link" | b"meta" | b"param"
            | b"source" | b"track" | b"wbr" | b"frame" => Self { void: true, ..NONE },
            b"p" | b"li" | b"dt" | b"dd" | b"option" | b"tr" | b"td" | b"th" | b"tbody" | b"thead" | b"tfoot"
            | b"colgroup" | b"caption" | b"html" | b"body" => Self { sibling: true, ..NONE },
            b"b" | b"big" | b"code" | b"em" | b"font" | b"i" | b"nobr" | b"s" | b"small" | b"strike" | b"strong"
            | b"tt" | b"u" => Self { formats: true, ..NONE },
            b"script" | b"style" | b"textarea" | b"title" | b"xmp" | b"iframe" | b"noembed" => {
                Self { raw: true, ..NONE }
            }
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"plaintext" => Self { meant: true, ..NONE },
            b"svg" | b"math" => Self { barrier: true, foreign: true, ..NONE },
            b"table" | b"object" | b"marquee" | b"applet" | b"template" | b"button" => Self { barrier: true, ..NONE },
            _ => NONE,
        }
    }
}

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
    open: Vec<(&'a str, Traits)>,
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
        let traits = Traits::of(name);
        for i in (0..self.open.len()).rev() {
            if self.open[i].0.eq_ignore_ascii_case(name) {
                self.foreign -= self.open[i..].iter().filter(|(_, t)| t.foreign).count();
                self.open.truncate(i);
                self.formatting -= usize::from(traits.formats).min(self.formatting);
                return;
            }
            if self.open[i].1.barrier {
                return;
            }
        }
        // The parser would search all open elements for it, in vain.
        if !traits.sibling && !traits.raw && !traits.meant {
            let (end, _) = self.tag_end(self.at);
            self.at = end;
            self.drop_range(start, end);
        }
    }

    fn start_tag(&mut self, start: usize) {
        let name = self.name_at(self.at);
        let (end, excess) = self.tag_end(self.at + name.len());
        self.at = end;
        let traits = Traits::of(name);
        let Traits { raw, formats, .. } = traits;
        let counted = !traits.void && (self.foreign > 0 || !traits.sibling);
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
            self.foreign += usize::from(traits.foreign);
            self.formatting += usize::from(formats);
            self.open.push((name, traits));
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
