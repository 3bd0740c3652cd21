//! The visible lines of a page, each with the block it stands in, and the visible text.
//!
//! Invariant: document order; hidden parts, scripts and templates are out; every element is visited once.

use std::cell::OnceCell;
use std::rc::Rc;

use html5ever::local_name;

use super::dom::{self, Child, El, Page};
use super::lexicon::{LEXICON, in_lower};
use super::limits::MAX_ITEMS;
use super::panels::Panels;
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
    /// The table or description list around it.
    pub table: Option<El<'a>>,
    /// The innermost element of its first words.
    pub origin: El<'a>,
    /// In what quotes or refers to others: a blockquote, a testimonial.
    pub outside: bool,
    /// What the control of the panel around it says.
    pub panel: Option<Rc<str>>,
    /// `href` of the links in it or right after it.
    hrefs: Vec<&'a str>,
    is_name: OnceCell<bool>,
    is_job: OnceCell<bool>,
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

    /// What may be a job title: the text without a mark before it.
    pub fn job(&self) -> &str {
        self.text.trim_start_matches([',', '–', '-', '|', '•', '(', ' ']).trim_end_matches([')', ',', ';', ' '])
    }

    /// Whether it looks like a job title.
    pub fn is_job(&self) -> bool {
        *self.is_job.get_or_init(|| names::is_job(self.job()))
    }
}

/// An element whose attributes may name somebody.
pub(super) struct Note<'a> {
    /// The element.
    pub at: El<'a>,
    /// How many lines stand before it.
    pub line: usize,
}

/// What is seen of a page.
pub(super) struct Seen<'a> {
    /// Its lines.
    pub lines: Vec<Line<'a>>,
    /// Its elements with telling attributes, those in navigation and of others left out.
    pub notes: Vec<Note<'a>>,
    /// Its text outside navigation, which is cut at blocks and `<br>` only, as a reader sees it.
    pub text: String,
}

/// What is seen of a page.
pub(super) fn read(page: &Page) -> Seen<'_> {
    let root = page.root();
    let mut recorder = Recorder { panels: Panels::find(root), ..Recorder::default() };
    let place =
        Place { block: root, heading: 0, navigation: false, table: None, outside: false, panel: None, unread: false };
    recorder.walk(root, place);
    recorder.end_block(place);
    Seen { lines: recorder.done, notes: recorder.notes, text: recorder.text.finish() }
}

#[derive(Clone, Copy)]
struct Place<'a> {
    block: El<'a>,
    heading: u8,
    navigation: bool,
    table: Option<El<'a>>,
    outside: bool,
    panel: Option<El<'a>>,
    /// Whether the block of the text is navigation; an inline element makes none.
    unread: bool,
}

#[derive(Default)]
struct Recorder<'a> {
    panels: Panels<'a>,
    done: Vec<Line<'a>>,
    notes: Vec<Note<'a>>,
    text: Text,
    /// The line so far, folded.
    line: String,
    /// The element of its first word.
    origin: Option<El<'a>>,
    /// White space before its first word, and after its last.
    led: bool,
    gap: bool,
    hrefs: Vec<&'a str>,
    /// The block of the text so far, and whether white space ends it.
    block: String,
    block_gap: bool,
}

impl<'a> Recorder<'a> {
    fn push(&mut self, text: &str, e: El<'a>) {
        for run in white::runs(text) {
            self.gap |= run.spaced;
            if run.text.is_empty() {
                return;
            }
            if self.line.is_empty() {
                self.led |= self.gap;
                self.origin = Some(e);
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
        let Place { block, heading, navigation, table, outside, .. } = place;
        let origin = self.origin.take().unwrap_or(block);
        let panel = place.panel.and_then(|p| self.panels.label(p));
        let (is_name, is_job) = (OnceCell::new(), OnceCell::new());
        self.done.push(Line {
            text,
            block,
            heading,
            navigation,
            table,
            origin,
            outside,
            panel,
            hrefs,
            is_name,
            is_job,
        });
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
        if self.panels.hide(e) {
            return;
        }
        self.note(e, outer);
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
        let toggles = opens(e);
        let inline = !cell && is_inline(tag);
        if inline && !toggles && !names::is_name(&dom::short_text(e)) {
            self.children(e, Place { outside: outer.outside || refers(e), ..outer });
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
            heading: level(tag).unwrap_or(if toggles && outer.heading == 0 { 6 } else { outer.heading }),
            navigation: outer.navigation || navigates,
            table: if matches!(*tag, local_name!("table") | local_name!("dl")) { Some(e) } else { outer.table },
            outside: outer.outside || refers(e),
            panel: if self.panels.label(e).is_some() { Some(e) } else { outer.panel },
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

    /// Keeps an element with attributes that may name somebody.
    fn note(&mut self, e: El<'a>, place: Place<'a>) {
        let telling = |name: &str| matches!(name, "alt" | "title" | "aria-label") || name.starts_with("data-");
        if !place.navigation
            && !place.outside
            && self.notes.len() < 2 * MAX_ITEMS
            && e.attrs().any(|(name, value)| telling(name) && value.len() > 3)
            && !refers(e)
        {
            let line = self.done.len() + usize::from(!self.line.is_empty());
            self.notes.push(Note { at: e, line });
        }
    }

    fn children(&mut self, e: El<'a>, place: Place<'a>) {
        for child in e.children() {
            match child {
                Child::Text(t) => self.push(t, e),
                Child::Element(child) => self.walk(child, place),
                _ => {}
            }
        }
    }
}

/// Whether an element opens something: the label of a tab, the summary of details.
fn opens(e: El<'_>) -> bool {
    *e.atom() == local_name!("summary") || e.attr("aria-expanded").is_some() || e.attr("role") == Some("tab")
}

/// Whether an element quotes others, or says by its class that it shows them.
fn refers(e: El<'_>) -> bool {
    let tag = e.atom();
    if matches!(*tag, local_name!("blockquote") | local_name!("cite")) {
        return true;
    }
    if matches!(*tag, local_name!("html") | local_name!("body") | local_name!("main") | local_name!("article")) {
        return false;
    }
    if *tag == local_name!("figure") && e.child_elements().take(8).any(|c| *c.atom() == local_name!("blockquote")) {
        return true;
    }
    let words = dom::classes(e).take(16).filter(|c| c.len() <= 60).flat_map(|c| c.split(['-', '_']));
    words.into_iter().any(|w| in_lower(w, |w| LEXICON.outside_classes.contains(w)))
        || e.attr("itemprop").is_some_and(|p| p.contains("review"))
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
