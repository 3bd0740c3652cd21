//! The tree of a page: nodes in one vector, built by the tree builder of `html5ever` from our tokens.
//!
//! Invariant: links between nodes are indices into the vector and form a tree of at most [`limits::MAX_LEVELS`] levels, so
//! that readers may recurse; a node keeps its index. The contents of a `template` stand below a node of their own, which
//! is no element.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeBuilder, TreeBuilderOpts, TreeSink};
use html5ever::{Attribute, Namespace, QualName, expanded_name, local_name, ns};

use super::{limits, tokens};

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// What a node is.
pub(super) enum Data {
    /// An element.
    Element(Element),
    /// Text; two never follow each other unless something was taken out between them.
    Text(StrTendril),
    /// A comment.
    Comment(StrTendril),
    /// The document, a document type, the contents of a template.
    Other,
}

/// An element's own part.
pub(super) struct Element {
    pub name: QualName,
    pub attrs: Vec<Attribute>,
}

/// A node with its neighbours.
pub(super) struct Node {
    pub parent: u32,
    pub previous: u32,
    pub next: u32,
    pub first: u32,
    pub last: u32,
    /// How deep it stands; of what hangs below something that was moved only the last line is kept right.
    level: u32,
    pub data: Data,
}

/// The nodes; the document is the first.
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    /// The deepest level that a node was put on.
    deepest: u32,
    /// Whether something of the document was left unread.
    pub cut: bool,
}

impl Tree {
    /// The tree of a document; beyond [`limits::MAX_NODES`], or twice as deep as is read, the rest is left unread.
    pub fn parse(html: &str) -> Self {
        let mut tree = Self { nodes: Vec::with_capacity(64 + html.len() / 14), deepest: 0, cut: false };
        tree.add(Data::Other);
        let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        let builder = TreeBuilder::new(Sink(RefCell::new(tree)), options);
        tokens::feed(html, &builder, &|b: &TreeBuilder<u32, Sink>| b.sink.0.borrow().is_full());
        let mut tree = builder.sink.finish();
        tree.cut = tree.is_full();
        tree.prune();
        tree
    }

    /// The parser's work grows with the elements that are open.
    fn is_full(&self) -> bool {
        self.nodes.len() >= limits::MAX_NODES || self.deepest > 2 * limits::MAX_LEVELS
    }

    /// Takes out what stands too deep.
    fn prune(&mut self) {
        let (mut at, mut level) = (0, 0);
        loop {
            if level == limits::MAX_LEVELS {
                let node = self.at(at);
                let had = std::mem::replace(&mut node.first, NONE);
                node.last = NONE;
                self.cut |= had != NONE;
            }
            let first = self.node(at).first;
            if first != NONE {
                (at, level) = (first, level + 1);
                continue;
            }
            while self.node(at).next == NONE {
                if at == 0 {
                    return;
                }
                (at, level) = (self.node(at).parent, level - 1);
            }
            at = self.node(at).next;
        }
    }

    /// The node of an index.
    pub fn node(&self, id: u32) -> &Node {
        &self.nodes[id as usize]
    }

    fn at(&mut self, id: u32) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    fn add(&mut self, data: Data) -> u32 {
        self.nodes.push(Node { parent: NONE, previous: NONE, next: NONE, first: NONE, last: NONE, level: 0, data });
        (self.nodes.len() - 1) as u32
    }

    fn append(&mut self, parent: u32, child: u32) {
        let last = self.node(parent).last;
        self.link(parent, last, child, NONE);
    }

    /// Puts a node without neighbours between two. Where elements are open below it, they are the last ones: their levels
    /// must be right, for the parser goes on there.
    fn link(&mut self, parent: u32, previous: u32, child: u32, next: u32) {
        let level = self.node(parent).level + 1;
        let node = self.at(child);
        (node.parent, node.previous, node.next, node.level) = (parent, previous, next, level);
        if previous == NONE {
            self.at(parent).first = child;
        } else {
            self.at(previous).next = child;
        }
        if next == NONE {
            self.at(parent).last = child;
        } else {
            self.at(next).previous = child;
        }
        let (mut at, mut level) = (self.node(child).last, level);
        while at != NONE && level <= 2 * limits::MAX_LEVELS {
            level += 1;
            let node = self.at(at);
            node.level = level;
            at = node.last;
        }
        self.deepest = self.deepest.max(level);
    }

    fn detach(&mut self, id: u32) {
        let Node { parent, previous, next, .. } = *self.node(id);
        if parent == NONE {
            return;
        }
        if previous == NONE {
            self.at(parent).first = next;
        } else {
            self.at(previous).next = next;
        }
        if next == NONE {
            self.at(parent).last = previous;
        } else {
            self.at(next).previous = previous;
        }
        let node = self.at(id);
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
    }

    /// Adds text to a node that is text; whether it is.
    fn extend(&mut self, id: u32, text: &StrTendril) -> bool {
        if id != NONE
            && let Data::Text(known) = &mut self.at(id).data
        {
            known.push_tendril(text);
            return true;
        }
        false
    }
}

/// What the tree builder writes to.
struct Sink(RefCell<Tree>);

impl TreeSink for Sink {
    type Handle = u32;
    type Output = Tree;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Tree {
        self.0.into_inner()
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> u32 {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a u32) -> Ref<'a, QualName> {
        static NO_ELEMENT: QualName = QualName { prefix: None, ns: ns!(), local: local_name!("") };
        Ref::map(self.0.borrow(), |tree| match &tree.node(*target).data {
            Data::Element(element) => &element.name,
            _ => &NO_ELEMENT,
        })
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _flags: ElementFlags) -> u32 {
        let mut tree = self.0.borrow_mut();
        let has_contents = name.expanded() == expanded_name!(html "template");
        let id = tree.add(Data::Element(Element { name, attrs }));
        if has_contents {
            let contents = tree.add(Data::Other);
            tree.append(id, contents);
        }
        id
    }

    fn create_comment(&self, text: StrTendril) -> u32 {
        self.0.borrow_mut().add(Data::Comment(text))
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> u32 {
        self.0.borrow_mut().add(Data::Other)
    }

    fn append(&self, parent: &u32, child: NodeOrText<u32>) {
        let mut tree = self.0.borrow_mut();
        match child {
            NodeOrText::AppendNode(id) => {
                tree.detach(id);
                tree.append(*parent, id);
            }
            NodeOrText::AppendText(text) => {
                let last = tree.node(*parent).last;
                if !tree.extend(last, &text) {
                    let id = tree.add(Data::Text(text));
                    tree.append(*parent, id);
                }
            }
        }
    }

    fn append_before_sibling(&self, sibling: &u32, new: NodeOrText<u32>) {
        let mut tree = self.0.borrow_mut();
        if let NodeOrText::AppendNode(id) = &new {
            tree.detach(*id);
        }
        let Node { parent, previous, .. } = *tree.node(*sibling);
        if parent == NONE {
            return;
        }
        match new {
            NodeOrText::AppendNode(id) => tree.link(parent, previous, id, *sibling),
            NodeOrText::AppendText(text) => {
                if !tree.extend(previous, &text) {
                    let id = tree.add(Data::Text(text));
                    tree.link(parent, previous, id, *sibling);
                }
            }
        }
    }

    fn append_based_on_parent_node(&self, element: &u32, previous: &u32, child: NodeOrText<u32>) {
        let has_parent = self.0.borrow().node(*element).parent != NONE;
        if has_parent { self.append_before_sibling(element, child) } else { self.append(previous, child) }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {
        let mut tree = self.0.borrow_mut();
        let id = tree.add(Data::Other);
        tree.append(0, id);
    }

    fn get_template_contents(&self, target: &u32) -> u32 {
        self.0.borrow().node(*target).first
    }

    fn same_node(&self, x: &u32, y: &u32) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn add_attrs_if_missing(&self, target: &u32, attrs: Vec<Attribute>) {
        if let Data::Element(element) = &mut self.0.borrow_mut().at(*target).data {
            for attr in attrs {
                // Each is compared with all before it.
                if element.attrs.len() >= limits::MAX_ATTRIBUTES {
                    return;
                }
                if !element.attrs.iter().any(|known| known.name == attr.name) {
                    element.attrs.push(attr);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &u32) {
        self.0.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &u32, new_parent: &u32) {
        let mut tree = self.0.borrow_mut();
        let mut child = tree.node(*node).first;
        while child != NONE {
            let next = tree.node(child).next;
            tree.detach(child);
            tree.append(*new_parent, child);
            child = next;
        }
    }
}

/// Whether a name is one of HTML's own elements.
pub(super) fn is_html(namespace: &Namespace) -> bool {
    *namespace == ns!(html)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ours(tree: &Tree, id: u32, depth: usize, out: &mut Vec<String>) {
        match &tree.node(id).data {
            Data::Element(e) => {
                let attrs: Vec<String> = e.attrs.iter().map(|a| format!("{}={:?}", a.name.local, &*a.value)).collect();
                out.push(format!("{depth} <{} {attrs:?}>", e.name.local));
            }
            Data::Text(text) => out.push(format!("{depth} {:?}", &**text)),
            Data::Comment(text) => out.push(format!("{depth} !{:?}", &**text)),
            Data::Other => out.push(format!("{depth} other")),
        }
        let mut child = tree.node(id).first;
        while child != NONE {
            assert_eq!(tree.node(child).parent, id);
            ours(tree, child, depth + 1, out);
            child = tree.node(child).next;
        }
    }

    fn theirs(html: &scraper::Html) -> Vec<String> {
        let written = html.tree.root().descendants().map(|node| {
            let depth = node.ancestors().count();
            match node.value() {
                scraper::Node::Element(e) => {
                    let attrs: Vec<String> = e.attrs.iter().map(|(n, v)| format!("{}={:?}", n.local, &**v)).collect();
                    format!("{depth} <{} {attrs:?}>", e.name())
                }
                scraper::Node::Text(text) => format!("{depth} {:?}", &**text),
                scraper::Node::Comment(text) => format!("{depth} !{:?}", &**text),
                _ => format!("{depth} other"),
            }
        });
        written.collect()
    }

    /// What pages are made of, with `~` between.
    const SOUP: &str = concat!(
        "<p>~</p>~<div a=1 A=2>~</div>~<b>~<i>~</b>~</i>~<a href=x>~</a>~<table>~</table>~<tr>~<td>~",
        "<tbody>~<caption>~<select>~<option>~</select>~<template>~</template>~<svg>~<foreignObject>~",
        "</svg>~<math>~<mi>~<title>~</title>~<script>~</script>~<li>~<ul>~<form>~<button>~<h1>~</h2>~",
        "<br>~</br>~<html lang=de>~<body class=x>~<head>~</body>~<frameset>~<noscript>~<textarea>~",
        "<pre>\n~x~ ~&amp;~<!-- y -->~<!doctype html>~<![CDATA[z]]>~<dl><dt>~<dd>~<ruby><rt>~<nobr>~",
        "<plaintext>~\0~\r\n~<input type=hidden>",
    );

    fn soup() -> impl Strategy<Value = String> {
        let token = prop::sample::select(SOUP.split('~').collect::<Vec<_>>());
        prop::collection::vec(token, 0..30).prop_map(|t| t.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn the_tree_is_that_of_the_library(html in soup()) {
            let mut here = Vec::new();
            ours(&Tree::parse(&html), 0, 0, &mut here);
            let options = html5ever::ParseOpts {
                tree_builder: TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() },
                ..html5ever::ParseOpts::default()
            };
            let sink = scraper::HtmlTreeSink::new(scraper::Html::new_document());
            let library = html5ever::tendril::TendrilSink::one(html5ever::parse_document(sink, options), &*html);
            prop_assert_eq!(here, theirs(&library));
        }
    }
}
