//! The parsed page and the small questions that every reader asks of it.
//!
//! Invariant: nothing here recurses deeper than [`limits::MAX_DEPTH`] or visits a node twice for one question.

use std::collections::HashSet;

use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{ParseOpts, local_name, ns};
use scraper::{ElementRef, Html, HtmlTreeSink, Node};
use url::Url;

use super::limits;

/// An element of the page.
pub(super) type El<'a> = ElementRef<'a>;

/// A parsed page with the base for its relative addresses.
pub(super) struct Page {
    /// The document.
    pub html: Html,
    /// Where the page was found.
    pub url: Url,
    /// `<base href>` resolved, else `url`.
    pub base: Url,
}

impl Page {
    /// Parses a document; beyond [`limits::MAX_NODES`] the rest is left unread.
    pub fn parse(html: &str, url: &Url) -> Self {
        const CHUNK: usize = 16 * 1024;
        let tamed = limits::tame(html);
        let mut options = ParseOpts::default();
        options.tree_builder.scripting_enabled = false;
        let mut parser = html5ever::parse_document(HtmlTreeSink::new(Html::new_document()), options);
        let mut rest: &str = &tamed;
        while !rest.is_empty() && parser.tokenizer.sink.sink.0.borrow().tree.values().len() < limits::MAX_NODES {
            let mut cut = rest.len().min(CHUNK);
            while !rest.is_char_boundary(cut) {
                cut -= 1;
            }
            parser.process(StrTendril::from_slice(&rest[..cut]));
            rest = &rest[cut..];
        }
        let html = parser.finish();
        let base = html
            .root_element()
            .descendent_elements()
            .find_map(|e| if name(e) == "base" { e.attr("href") } else { None })
            .and_then(|href| url.join(href.trim()).ok())
            .filter(|b| !b.cannot_be_a_base())
            .unwrap_or_else(|| url.clone());
        Self { html, url: url.clone(), base }
    }

    /// `<html>`.
    pub fn root(&self) -> El<'_> {
        self.html.root_element()
    }

    /// Every element in document order, templates left out.
    pub fn elements(&self) -> impl Iterator<Item = El<'_>> {
        elements_below(self.root())
    }

    /// The absolute form of an address; `None` where it is empty or no address.
    pub fn resolve(&self, href: &str) -> Option<String> {
        let href = href.trim();
        if href.is_empty() {
            return None;
        }
        self.base.join(href).ok().map(String::from)
    }
}

/// `root` and every element below it, in document order, templates left out.
pub(super) fn elements_below(root: El<'_>) -> impl Iterator<Item = El<'_>> {
    let mut next = Some(root);
    std::iter::from_fn(move || {
        let here = next?;
        let below = if name(here) == "template" { None } else { here.child_elements().next() };
        next = below.or_else(|| {
            let mut at = here;
            loop {
                if at.id() == root.id() {
                    return None;
                }
                if let Some(sibling) = next_element(at) {
                    return Some(sibling);
                }
                at = parent(at)?;
            }
        });
        Some(here)
    })
}

/// The parent element.
pub(super) fn parent(e: El<'_>) -> Option<El<'_>> {
    e.parent().and_then(El::wrap)
}

/// The next sibling element.
pub(super) fn next_element(e: El<'_>) -> Option<El<'_>> {
    e.next_siblings().find_map(El::wrap)
}

/// Local name; HTML elements have it in lower case.
pub(super) fn name(e: El<'_>) -> &str {
    e.value().name()
}

/// An attribute with something in it, trimmed.
pub(super) fn attr<'a>(e: El<'a>, name: &str) -> Option<&'a str> {
    e.attr(name).map(str::trim).filter(|v| !v.is_empty())
}

/// The class names.
pub(super) fn classes(e: El<'_>) -> impl Iterator<Item = &str> + use<'_> {
    e.attr("class").unwrap_or_default().split_ascii_whitespace()
}

/// Whitespace folded to single spaces, trimmed (no-break spaces count as white).
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}' | '\u{AD}')) {
        if !word.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    out
}

/// Text content of an element, folded.
pub(super) fn text_of(e: El<'_>) -> String {
    fold(&raw_text(e))
}

/// Text content of a small element, folded; of a large one the beginning, which is too long for what is sought.
pub(super) fn short_text(e: El<'_>) -> String {
    let mut text = String::new();
    for node in e.descendants().take(48) {
        let hidden = || node.parent().and_then(El::wrap).is_some_and(|p| matches!(name(p), "script" | "style"));
        if let Node::Text(t) = node.value()
            && !hidden()
        {
            text.push_str(t);
            if text.len() > 400 {
                break;
            }
        }
    }
    fold(&text)
}

/// Text content of an element as it stands, without scripts, styles and templates; long ones are cut.
pub(super) fn raw_text(e: El<'_>) -> String {
    let mut out = String::new();
    push_text(e, &mut out);
    out
}

fn push_text(e: El<'_>, out: &mut String) {
    for node in e.children() {
        if out.len() > limits::MAX_VALUE {
            return;
        }
        match node.value() {
            Node::Text(t) => out.push_str(t),
            Node::Element(_) => {
                if let Some(child) = El::wrap(node).filter(|c| !matches!(name(*c), "script" | "style" | "template")) {
                    push_text(child, out);
                }
            }
            _ => {}
        }
    }
}

/// Whether an element is HTML's (not of SVG or `MathML`).
pub(super) fn is_html(e: El<'_>) -> bool {
    e.value().name.ns == ns!(html)
}

/// Whether the element itself is kept from view.
pub(super) fn is_hidden(e: El<'_>) -> bool {
    let v = e.value();
    if matches!(v.name.local, local_name!("script") | local_name!("style") | local_name!("template")) {
        return true;
    }
    matches!(name(e), "head" | "noscript" | "svg" | "math" | "iframe" | "object" | "select" | "textarea" | "dialog")
        && !(name(e) == "dialog" && v.attr("open").is_some())
        || v.attr("hidden").is_some()
        || v.attr("aria-hidden").is_some_and(|a| a.eq_ignore_ascii_case("true"))
        || v.attr("style").is_some_and(hides)
}

fn hides(style: &str) -> bool {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    style.contains("display:none") || style.contains("visibility:hidden")
}

/// A CSS path from the nearest ancestor with an id: `#team > div:nth-of-type(2) > h3:nth-of-type(1)`.
pub(super) fn css_path(e: El<'_>) -> String {
    let mut steps = Vec::new();
    let mut at = Some(e);
    while let Some(here) = at {
        if let Some(id) =
            attr(here, "id").filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)))
        {
            steps.push(format!("#{id}"));
            break;
        }
        let tag = name(here);
        if matches!(tag, "html" | "body") {
            steps.push(tag.to_owned());
            break;
        }
        let nth = 1 + here.prev_siblings().filter_map(El::wrap).filter(|s| name(*s) == tag).take(9_999).count();
        steps.push(format!("{tag}:nth-of-type({nth})"));
        at = parent(here);
    }
    steps.reverse();
    steps.join(" > ")
}

/// The list without repetitions, order kept.
pub(super) fn dedup(list: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    list.into_iter().filter(|s| seen.insert(s.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_and_templates() {
        let url = Url::parse("https://www.firma.example/a/b").expect("valid");
        let page = Page::parse("<base href='/x/'><template><p>no</p></template><p id=q><b>yes</b>", &url);
        assert_eq!(page.resolve("y?z").as_deref(), Some("https://www.firma.example/x/y?z"));
        assert_eq!(page.elements().filter(|e| name(*e) == "p").count(), 1);
        let b = page.elements().find(|e| name(*e) == "b").expect("there is one");
        assert_eq!(css_path(b), "#q > b:nth-of-type(1)");
    }
}
