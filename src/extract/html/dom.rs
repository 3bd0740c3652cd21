//! The parsed page and the small questions that every reader asks of it.
//!
//! Invariant: nothing here recurses deeper than [`limits::MAX_LEVELS`] or visits a node twice for one question.

use std::borrow::Cow;
use std::collections::HashSet;

use html5ever::{LocalName, QualName, local_name};
use url::Url;

use super::limits;
use super::mf2;
use super::tree::{self, Data, Element, NONE, Node, Tree};
pub(super) use super::white::fold;
use super::white::folded;

/// An element of the page.
#[derive(Clone, Copy)]
pub(super) struct El<'a> {
    tree: &'a Tree,
    id: u32,
    element: &'a Element,
}

impl El<'_> {
    /// Its number on the page.
    pub fn id(self) -> u32 {
        self.id
    }
}

impl PartialEq for El<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// A node below an element.
pub(super) enum Child<'a> {
    Element(El<'a>),
    Text(&'a str),
    Comment(&'a str),
    Other,
}

impl<'a> El<'a> {
    fn of(tree: &'a Tree, id: u32) -> Option<Self> {
        match &tree.node(id).data {
            Data::Element(element) => Some(Self { tree, id, element }),
            _ => None,
        }
    }

    /// The value of an attribute without namespace.
    pub fn attr(self, name: &str) -> Option<&'a str> {
        let is = |q: &QualName| &*q.local == name && q.ns.is_empty();
        self.element.attrs.iter().find(|a| is(&a.name)).map(|a| &*a.value)
    }

    /// Names and values of the attributes as written.
    pub fn attrs(self) -> impl Iterator<Item = (&'a LocalName, &'a str)> {
        self.element.attrs.iter().map(|a| (&a.name.local, &*a.value))
    }

    /// The local name as an atom.
    pub fn atom(self) -> &'a LocalName {
        &self.element.name.local
    }

    fn siblings(tree: &'a Tree, first: u32) -> impl Iterator<Item = u32> + use<'a> {
        let present = |id: u32| (id != NONE).then_some(id);
        std::iter::successors(present(first), move |id| present(tree.node(*id).next))
    }

    /// The nodes right below.
    pub fn children(self) -> impl Iterator<Item = Child<'a>> {
        let tree = self.tree;
        Self::siblings(tree, tree.node(self.id).first).map(move |id| Self::child(tree, id))
    }

    fn child(tree: &'a Tree, id: u32) -> Child<'a> {
        match &tree.node(id).data {
            Data::Element(element) => Child::Element(Self { tree, id, element }),
            Data::Text(text) => Child::Text(text),
            Data::Comment(text) => Child::Comment(text),
            Data::Other => Child::Other,
        }
    }

    /// The elements right below.
    pub fn child_elements(self) -> impl Iterator<Item = El<'a>> {
        let tree = self.tree;
        Self::siblings(tree, tree.node(self.id).first).filter_map(move |id| Self::of(tree, id))
    }

    /// Which of the elements of its name it is in its row, from 1; `None` where the row is too long to count.
    pub fn number(self) -> Option<usize> {
        let before = |id: &u32| Some(self.tree.node(*id).previous).filter(|p| *p != NONE);
        let mut number = 1;
        for (walked, id) in std::iter::successors(before(&self.id), before).enumerate() {
            if walked == limits::MAX_COUNTED {
                return None;
            }
            number += usize::from(Self::of(self.tree, id).is_some_and(|e| e.atom() == self.atom()));
        }
        Some(number)
    }

    /// Every node below, in document order; what stands in templates, too.
    fn below(self) -> impl Iterator<Item = u32> + use<'a> {
        let (tree, root) = (self.tree, self.id);
        let mut next = tree.node(root).first;
        std::iter::from_fn(move || {
            let here = (next != NONE).then_some(next)?;
            let mut at = here;
            next = tree.node(at).first;
            while next == NONE && at != root {
                next = tree.node(at).next;
                at = tree.node(at).parent;
            }
            Some(here)
        })
    }

    /// Every element below, in document order; those in templates, too.
    pub fn descendent_elements(self) -> impl Iterator<Item = El<'a>> {
        let tree = self.tree;
        self.below().filter_map(move |id| Self::of(tree, id))
    }

    /// All text below, whatever it is for.
    pub fn all_text(self) -> String {
        let texts = self.below().filter_map(|id| match &self.tree.node(id).data {
            Data::Text(text) => Some(&**text),
            _ => None,
        });
        texts.collect()
    }
}

/// A parsed page with the base for its relative addresses.
pub(super) struct Page {
    tree: Tree,
    root: u32,
    /// Where the page was found.
    pub url: Url,
    /// `<base href>` resolved, else `url`.
    pub base: Url,
    /// Elements that more than one reader looks for, in document order: see [`Page::marked`].
    marked: Vec<u32>,
    /// What the page has at all.
    pub has: Has,
}

/// Which markup stands somewhere on the page, so that a reader need not look for it.
#[derive(Default)]
pub(super) struct Has {
    /// `itemscope`.
    pub items: bool,
    /// `typeof`, `about` or `resource`.
    pub resources: bool,
    /// A root class of microformats.
    pub formats: bool,
}

impl Page {
    /// Parses a document. One of more than [`limits::MAX_NODES`], or deeper than [`limits::MAX_LEVELS`], is taken for an
    /// empty one: what is left unread of it might forbid to read any of it.
    pub fn parse(html: &str, url: &Url) -> Self {
        let mut tree = Tree::parse(&limits::tame(html));
        if tree.cut {
            tree = Tree::parse("");
        }
        let tops = std::iter::successors(Some(tree.node(0).first), |id| Some(tree.node(*id).next));
        // The tree builder makes `<html>` of nothing.
        let root = tops.take_while(|id| *id != NONE).find(|id| El::of(&tree, *id).is_some()).unwrap_or(NONE);
        let mut page =
            Self { tree, root, url: url.clone(), base: url.clone(), marked: Vec::new(), has: Has::default() };
        let (marked, has) = page.survey();
        (page.marked, page.has) = (marked, has);
        page.base = page.find_base().unwrap_or_else(|| url.clone());
        page
    }

    fn survey(&self) -> (Vec<u32>, Has) {
        let (mut marked, mut has) = (Vec::new(), Has::default());
        for e in self.elements() {
            let name = e.atom();
            if matches!(&**name, "a" | "area" | "link" | "meta" | "script" | "title" | "table" | "dl") {
                marked.push(e.id);
            }
            for (name, value) in e.attrs() {
                match *name {
                    local_name!("class") => has.formats = has.formats || mf2::has_root(value),
                    local_name!("itemscope") => has.items = true,
                    _ => has.resources |= matches!(&**name, "typeof" | "about" | "resource"),
                }
            }
        }
        (marked, has)
    }

    /// Where relative addresses start; a `base` in a template counts.
    fn find_base(&self) -> Option<Url> {
        let is_base = |data: &Data| matches!(data, Data::Element(e) if e.name.local == local_name!("base"));
        if !self.tree.nodes.iter().any(|n| is_base(&n.data)) {
            return None;
        }
        let bases = self.root().descendent_elements().filter(|e| *e.atom() == local_name!("base"));
        let href = bases.into_iter().find_map(|e| e.attr("href")).filter(|href| href.len() <= limits::MAX_BASE)?;
        self.url.join(href.trim()).ok().filter(|b| !b.cannot_be_a_base())
    }

    /// `<html>`.
    pub fn root(&self) -> El<'_> {
        El::of(&self.tree, self.root).expect("every document has a root element")
    }

    /// Every element in document order, templates left out.
    pub fn elements(&self) -> impl Iterator<Item = El<'_>> {
        elements_below(self.root())
    }

    /// Every `a`, `area`, `link`, `meta`, `script`, `title`, `table` and `dl` in document order, templates left out.
    pub fn marked(&self) -> impl Iterator<Item = El<'_>> {
        self.marked.iter().filter_map(|id| El::of(&self.tree, *id))
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
    let tree = root.tree;
    let mut next = root.id;
    std::iter::from_fn(move || {
        loop {
            let here = (next != NONE).then_some(next)?;
            let e = El::of(tree, here);
            let closed = e.is_none_or(|e| *e.atom() == local_name!("template"));
            next = if closed { NONE } else { tree.node(here).first };
            let mut at = here;
            while next == NONE && at != root.id {
                next = tree.node(at).next;
                at = tree.node(at).parent;
            }
            if e.is_some() {
                return e;
            }
        }
    })
}

/// The parent element.
pub(super) fn parent(e: El<'_>) -> Option<El<'_>> {
    let parent = e.tree.node(e.id).parent;
    if parent == NONE { None } else { El::of(e.tree, parent) }
}

/// Local name; HTML elements have it in lower case.
pub(super) fn name(e: El<'_>) -> &str {
    &e.element.name.local
}

/// An attribute with something in it, trimmed.
pub(super) fn attr<'a>(e: El<'a>, name: &str) -> Option<&'a str> {
    e.attr(name).map(str::trim).filter(|v| !v.is_empty())
}

/// The class names.
pub(super) fn classes(e: El<'_>) -> impl Iterator<Item = &str> + use<'_> {
    e.attr("class").unwrap_or_default().split_ascii_whitespace()
}

/// Text content of an element, folded.
pub(super) fn text_of(e: El<'_>) -> String {
    fold(&raw_text(e))
}

/// Text content of a small element, folded; of a large one the beginning, which is too long for what is sought.
pub(super) fn short_text(e: El<'_>) -> Cow<'_, str> {
    let tree = e.tree;
    let Node { first, last, .. } = *tree.node(e.id);
    let hides = |e: El<'_>| matches!(name(e), "script" | "style");
    if first == last
        && first != NONE
        && !hides(e)
        && let Data::Text(text) = &tree.node(first).data
    {
        return folded(text);
    }
    let mut text = String::new();
    for id in e.below().take(48) {
        let node = tree.node(id);
        if let Data::Text(t) = &node.data
            && !El::of(tree, node.parent).is_some_and(hides)
        {
            text.push_str(t);
            if text.len() > 400 {
                break;
            }
        }
    }
    Cow::Owned(fold(&text))
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
        match node {
            Child::Text(t) => out.push_str(&t[..t.floor_char_boundary(limits::MAX_VALUE)]),
            Child::Element(child) if !matches!(name(child), "script" | "style" | "template") => push_text(child, out),
            _ => {}
        }
    }
}

/// Whether an element is HTML's (not of SVG or `MathML`).
pub(super) fn is_html(e: El<'_>) -> bool {
    tree::is_html(&e.element.name.ns)
}

/// Whether an element is never seen, whatever its attributes say.
pub(super) fn is_unseen(e: El<'_>) -> bool {
    matches!(
        *e.atom(),
        local_name!("script")
            | local_name!("style")
            | local_name!("template")
            | local_name!("head")
            | local_name!("noscript")
            | local_name!("svg")
            | local_name!("math")
            | local_name!("iframe")
            | local_name!("object")
            | local_name!("select")
            | local_name!("textarea")
    )
}

/// Whether its attributes conceal an element, from which a script may free it.
pub(super) fn is_concealed(e: El<'_>) -> bool {
    (*e.atom() == local_name!("dialog") && e.attr("open").is_none())
        || e.element.attrs.iter().filter(|a| a.name.ns.is_empty()).any(|a| match a.name.local {
            local_name!("hidden") => true,
            local_name!("aria-hidden") => a.value.eq_ignore_ascii_case("true"),
            local_name!("style") => hides(&a.value),
            _ => false,
        })
}

fn hides(style: &str) -> bool {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    style.contains("display:none") || style.contains("visibility:hidden")
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
    }
}
