//! The visible lines of a page, each with the block it stands in.
//!
//! Invariant: document order; hidden parts, scripts and templates are out; every element is visited once.

use super::dom::{self, Child, El, Page};
use super::people::names;

/// Elements that do not break a line.
const INLINE: [&str; 34] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "meter", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub",
    "sup", "time", "u", "var",
];

/// A visible line.
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
    /// Absolute `mailto:`, `tel:` and `http(s)` addresses of the links in it or right after it.
    pub links: Vec<String>,
}

/// How lines are cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// At blocks and `<br>` only, as a reader sees them.
    Blocks,
    /// Also around an inline element that holds just a person's name, and between table cells.
    Names,
}

/// The lines of a page.
pub(super) fn lines(page: &Page, cut: Cut) -> Vec<Line<'_>> {
    let root = page.root();
    let mut recorder = Recorder { page, cut, done: Vec::new(), current: String::new(), links: Vec::new() };
    let place = Place { block: root, heading: 0, navigation: false, tabular: false };
    recorder.walk(root, place);
    recorder.end(place);
    recorder.done
}

#[derive(Clone, Copy)]
struct Place<'a> {
    block: El<'a>,
    heading: u8,
    navigation: bool,
    tabular: bool,
}

struct Recorder<'a> {
    page: &'a Page,
    cut: Cut,
    done: Vec<Line<'a>>,
    current: String,
    links: Vec<String>,
}

impl<'a> Recorder<'a> {
    fn end(&mut self, place: Place<'a>) {
        let text = dom::fold(&self.current);
        self.current.clear();
        let links = std::mem::take(&mut self.links);
        if text.is_empty() {
            // An icon link belongs to the line before it.
            if let Some(last) = self.done.last_mut() {
                last.links.extend(links);
            }
            return;
        }
        let Place { block, heading, navigation, tabular } = place;
        self.done.push(Line { text, block, heading, navigation, tabular, links });
    }

    fn walk(&mut self, e: El<'a>, outer: Place<'a>) {
        if dom::is_hidden(e) {
            return;
        }
        let tag = dom::name(e);
        if tag == "br" {
            self.end(outer);
            return;
        }
        if self.cut == Cut::Names && tag == "a" {
            self.links.extend(dom::attr(e, "href").and_then(|h| self.address(h)));
        }
        let cell = matches!(tag, "td" | "th");
        let breaks = if cell {
            self.cut == Cut::Names
        } else {
            !INLINE.contains(&tag) || (self.cut == Cut::Names && names::is_name(&dom::short_text(e)))
        };
        if !breaks {
            if cell {
                self.current.push(' ');
            }
            self.children(e, outer);
            if cell {
                self.current.push(' ');
            }
            return;
        }
        let own_links = if tag == "a" { std::mem::take(&mut self.links) } else { Vec::new() };
        self.end(outer);
        self.links = own_links;
        let navigates = matches!(e.attr("role"), Some("navigation" | "menu" | "menubar" | "search"));
        let inner = Place {
            block: e,
            heading: level(tag).unwrap_or(outer.heading),
            navigation: outer.navigation || tag == "nav" || navigates,
            tabular: outer.tabular || matches!(tag, "table" | "dl"),
        };
        self.children(e, inner);
        self.end(inner);
    }

    fn children(&mut self, e: El<'a>, place: Place<'a>) {
        for child in e.children() {
            match child {
                Child::Text(t) => self.current.push_str(t),
                Child::Element(child) => self.walk(child, place),
                _ => {}
            }
        }
    }

    fn address(&self, href: &str) -> Option<String> {
        let absolute = self.page.resolve(href)?;
        ["mailto:", "tel:", "http:", "https:"].iter().any(|s| absolute.starts_with(s)).then_some(absolute)
    }
}

/// `h1` is 1; `None` where it is no heading.
fn level(tag: &str) -> Option<u8> {
    let digit = tag.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&digit).then_some(digit)
}
