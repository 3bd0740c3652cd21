//! The visible lines of a page, each with the block it stands in, and the visible text.
//!
//! Invariant: document order; hidden parts, scripts and templates are out; every element is visited once.

use std::cell::OnceCell;

use html5ever::local_name;

use super::dom::{self, Child, El, Page};
use super::people::names;
use super::text::Text;
use super::white;

/// A visible line. It ends at blocks and `<br>`, around an inline element that holds just a person's name, and between
/// table cells.
pub(super) struct Line<'a> {
    /// Folded, never empty.
    pub text: String,
    /// The innermost block around it.
    pub block: El<'a>,
    /// 1 to 6 in a heading, else 0.
    pub heading: u8,
    /// Inside navigation.
    pub navigation: bool,
    /// Inside a table or description list.
    pub tabular: bool,
    /// `href` of the links in it or right after it.
    hrefs: Vec<&'a str>,
    is_name: OnceCell<bool>,
}

impl Line<'_> {
    /// Absolute `mailto:`, `tel:` and `http(s)` addresses of the links in it or right after it.
    pub fn links(&self, page: &Page) -> impl Iterator<Item = String> {
        let known = |a: &String| ["mailto:", "tel:", "http:", "https:"].iter().any(|s| a.starts_with(s));
        self.hrefs.iter().filter_map(|h| page.resolve(h)).filter(known)
    }

    /// Whether it is a person's name and nothing else.
    pub fn is_name(&self) -> bool {
        *self.is_name.get_or_init(|| names::is_name(&self.text))
    }
}

/// The lines of a page, and its text outside navigation, which is cut at blocks and `<br>` only, as a reader sees it.
pub(super) fn read(page: &Page) -> (Vec<Line<'_>>, String) {
    let root = page.root();
    let mut recorder = Recorder::default();
    let place = Place { block: root, heading: 0, navigation: false, tabular: false, unread: false };
    recorder.walk(root, place);
    recorder.end_block(place);
    (recorder.done, recorder.text.finish())
}

#[derive(Clone, Copy)]
struct Place<'a> {
    block: El<'a>,
    heading: u8,
    navigation: bool,
    tabular: bool,
    /// Whether the block of the text is navigation; an inline element makes none.
    unread: bool,
}

#[derive(Default)]
struct Recorder<'a> {
    done: Vec<Line<'a>>,
    text: Text,
    /// The line so far, folded.
    line: String,
    /// White space before its first word, and after its last.
    led: bool,
    gap: bool,
    hrefs: Vec<&'a str>,
    /// The block of the text so far, and whether white space ends it.
    block: String,
    block_gap: bool,
}

impl<'a> Recorder<'a> {
    fn push(&mut self, text: &str) {
        for run in white::runs(text) {
            self.gap |= run.spaced;
            if run.text.is_empty() {
                return;
            }
            if self.line.is_empty() {
                self.led |= self.gap;
            } else if self.gap {
                self.line.push(' ');
            }
            self.line.push_str(run.text);
            self.gap = false;
        }
    }

    /// Ends a line.
    fn end(&mut self, place: Place<'a>) {
        let (led, gap) = (std::mem::take(&mut self.led), std::mem::take(&mut self.gap));
        let hrefs = std::mem::take(&mut self.hrefs);
        if self.line.is_empty() {
            self.block_gap |= gap;
            // An icon link belongs to the line before it.
            if let Some(last) = self.done.last_mut() {
                last.hrefs.extend(hrefs);
            }
            return;
        }
        if !self.block.is_empty() && (self.block_gap || led) {
            self.block.push(' ');
        }
        self.block.push_str(&self.line);
        self.block_gap = gap;
        let text = self.line.as_str().to_owned();
        self.line.clear();
        let Place { block, heading, navigation, tabular, .. } = place;
        self.done.push(Line { text, block, heading, navigation, tabular, hrefs, is_name: OnceCell::new() });
    }

    /// Ends a line and a block of the text.
    fn end_block(&mut self, place: Place<'a>) {
        self.end(place);
        if !place.unread && !self.block.is_empty() {
            self.text.push(&self.block);
        }
        self.block.clear();
        self.block_gap = false;
    }

    fn walk(&mut self, e: El<'a>, outer: Place<'a>) {
        if dom::is_hidden(e) {
            return;
        }
        let tag = e.atom();
        if *tag == local_name!("br") {
            self.end_block(outer);
            return;
        }
        let is_link = *tag == local_name!("a");
        if is_link {
            self.hrefs.extend(dom::attr(e, "href"));
        }
        let cell = matches!(*tag, local_name!("td") | local_name!("th"));
        let inline = !cell && is_inline(tag);
        if inline && !names::is_name(&dom::short_text(e)) {
            self.children(e, outer);
            return;
        }
        let own_links = if is_link { std::mem::take(&mut self.hrefs) } else { Vec::new() };
        let blocks = !inline && !cell;
        if blocks {
            self.end_block(outer);
        } else {
            self.end(outer);
        }
        self.block_gap |= cell;
        self.hrefs = own_links;
        let role = || matches!(e.attr("role"), Some("navigation" | "menu" | "menubar" | "search"));
        let navigates = *tag == local_name!("nav") || role();
        let inner = Place {
            block: e,
            heading: level(tag).unwrap_or(outer.heading),
            navigation: outer.navigation || navigates,
            tabular: outer.tabular || matches!(*tag, local_name!("table") | local_name!("dl")),
            unread: outer.unread || (blocks && navigates),
        };
        self.children(e, inner);
        if blocks {
            self.end_block(inner);
        } else {
            self.end(inner);
        }
        self.block_gap |= cell;
    }

    fn children(&mut self, e: El<'a>, place: Place<'a>) {
        for child in e.children() {
            match child {
                Child::Text(t) => self.push(t),
                Child::Element(child) => self.walk(child, place),
                _ => {}
            }
        }
    }
}

/// Whether an element does not break a line.
fn is_inline(tag: &str) -> bool {
    matches!(
        tag,
        "a" | "abbr"
            | "acronym"
            | "b"
            | "bdi"
            | "bdo"
            | "big"
            | "cite"
            | "code"
            | "data"
            | "del"
            | "dfn"
            | "em"
            | "font"
            | "i"
            | "img"
            | "ins"
            | "kbd"
            | "label"
            | "mark"
            | "meter"
            | "nobr"
            | "q"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "time"
            | "u"
            | "var"
    )
}

/// `h1` is 1; `None` where it is no heading.
fn level(tag: &str) -> Option<u8> {
    match tag.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}
