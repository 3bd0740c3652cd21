//! A YAML document as a tree that knows where everything stands.
//!
//! Invariant: a [`Tree`] holds one document of at most 1 MiB and 64 levels, without aliases, anchors, tags or
//! duplicate keys (those are told and left out), its plain scalars read by the YAML 1.2 core schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use super::diagnostic::{Diagnostic, Position};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// How deeply lists and mappings may nest.
pub const MAX_DEPTH: usize = 64;

/// One value and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value starts; an absent value, or a block below a key, stands where its key does.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What a node can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer in the range of `i64` and `u64`.
    Int(i128),
    /// A finite number.
    Float(f64),
    /// Anything else, and everything in quotes.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file, each key once.
    Map(Vec<Entry>),
    /// Something that was found wrong already; whatever it was meant to be, nothing more is said about it.
    Told,
}

/// A key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key as text.
    pub key: String,
    /// Where the key starts.
    pub at: Position,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == key),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is a list; nothing otherwise.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Moves every place in this value.
    pub(crate) fn move_places(&mut self, to: &impl Fn(Position) -> Position) {
        self.at = to(self.at);
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.move_places(to)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| {
                entry.at = to(entry.at);
                entry.node.move_places(to);
            }),
            _ => {}
        }
    }

    /// The entries, if it is a mapping; nothing otherwise.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Its outermost value; `Null` where the document could not be read.
    pub root: Node,
}

impl Tree {
    /// Where the key at the end of `path` stands; a list item is named by its index, and stands where its value
    /// starts. The empty path is the document.
    pub fn span(&self, path: &[&str]) -> Option<Position> {
        let mut at = self.root.at;
        let mut node = &self.root;
        for step in path {
            (at, node) = match &node.value {
                Value::Map(_) => node.get(step).map(|e| (e.at, &e.node))?,
                Value::List(items) => step.parse().ok().and_then(|i: usize| items.get(i)).map(|n| (n.at, n))?,
                _ => return None,
            };
        }
        Some(at)
    }

    /// The value at the end of `path`.
    pub fn get(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, step| match &node.value {
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => node.get(step).map(|e| &e.node),
        })
    }
}

/// What came of reading a document once.
pub(crate) struct Reading {
    /// The outermost value, if the document could be read to its end.
    pub root: Option<Node>,
    /// Mistakes in the form of the document, other than `syntax`.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the parser could not go on, and its words.
    pub syntax: Option<(Position, String)>,
}

/// Reads one document. Absent values on `broken` lines are [`Value::Told`]: their text was taken out.
pub(crate) fn read(source: &str, file: &str, broken: &BTreeSet<usize>) -> Reading {
    let mut builder = Builder { file, broken, open: Vec::new(), root: None, diagnostics: Vec::new() };
    let options = serde_saphyr::granit_parser::options! { emit_anchor_events: true, emit_unresolved_aliases: true };
    for next in Parser::new_from_str_with_options(source, options) {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                let syntax = Some((marker(*error.marker()), error.info()));
                return Reading { root: None, diagnostics: builder.diagnostics, syntax };
            }
        };
        if let Err(diagnostic) = builder.event(event, span) {
            builder.diagnostics.push(diagnostic);
            break;
        }
    }
    if builder.root.is_none() && builder.diagnostics.is_empty() {
        builder.tell(Position::START, "the file is empty");
    }
    Reading { root: builder.root, diagnostics: builder.diagnostics, syntax: None }
}

/// A list or mapping whose end has not been seen yet.
enum Open {
    List { at: Position, items: Vec<Node> },
    Map { at: Position, entries: Vec<Entry>, lines: BTreeMap<String, usize>, key: Option<Key> },
}

/// A key that waits for its value; `keep` is false for keys that have been told and are left out.
struct Key {
    text: String,
    at: Position,
    keep: bool,
}

struct Builder<'f> {
    file: &'f str,
    broken: &'f BTreeSet<usize>,
    open: Vec<Open>,
    root: Option<Node>,
    diagnostics: Vec<Diagnostic>,
}

impl Builder<'_> {
    /// Takes one event; `Err` where reading cannot go on.
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        let at = position(span);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                return Err(self.error(at, "a second document in the same file, only one is read"));
            }
            Event::Scalar(text, style, _, tag) => {
                self.tag(tag.is_some(), span);
                self.node(scalar(at, &text, style));
            }
            Event::SequenceStart(style, _, tag) => {
                self.tag(tag.is_some(), span);
                let at = self.start(style, at);
                self.enter(Open::List { at, items: Vec::new() }, at)?;
            }
            Event::MappingStart(style, _, tag) => {
                self.tag(tag.is_some(), span);
                let at = self.start(style, at);
                self.enter(Open::Map { at, entries: Vec::new(), lines: BTreeMap::new(), key: None }, at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Anchor(..) => self.tell(at, "anchors (&name) are not read, write the value where it is used"),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.tell(at, "aliases (*name) are not read, write the value out");
                self.node(Node { at, value: Value::Told });
            }
            _ => {}
        }
        Ok(())
    }

    fn error(&self, at: Position, message: &str) -> Diagnostic {
        Diagnostic::error(self.file, at, message)
    }

    fn tell(&mut self, at: Position, message: &str) {
        let diagnostic = self.error(at, message);
        self.diagnostics.push(diagnostic);
    }

    fn tag(&mut self, tagged: bool, span: Span) {
        if tagged {
            let at = span.tag_start().map_or(position(span), marker);
            self.tell(at, "tags (!name) are not read");
        }
    }

    /// A block below a key stands where the key does: the parser puts a list that is not indented at its first item.
    fn start(&self, style: StructureStyle, at: Position) -> Position {
        match self.open.last() {
            Some(Open::Map { key: Some(key), .. }) if style == StructureStyle::Block => key.at,
            _ => at,
        }
    }

    /// Whether the text of an absent value was taken out: it, or the key that waits for it, is on a broken line.
    fn is_broken(&self, at: Position) -> bool {
        let line = match self.open.last() {
            Some(Open::Map { key: Some(key), .. }) => key.at.line,
            _ => at.line,
        };
        self.broken.contains(&line)
    }

    fn enter(&mut self, open: Open, at: Position) -> Result<(), Diagnostic> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.error(at, &format!("more than {MAX_DEPTH} levels of lists and mappings")));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List { at, items }) => self.node(Node { at, value: Value::List(items) }),
            Some(Open::Map { at, entries, .. }) => self.node(Node { at, value: Value::Map(entries) }),
            None => {}
        }
    }

    /// Puts a finished value where it belongs.
    fn node(&mut self, mut node: Node) {
        if node.value == Value::Null && self.is_broken(node.at) {
            node.value = Value::Told;
        }
        let told = match self.open.last_mut() {
            None => {
                self.root = Some(node);
                None
            }
            Some(Open::List { items, .. }) => {
                items.push(node);
                None
            }
            Some(Open::Map { entries, lines, key, .. }) => match key.take() {
                None => {
                    let (waiting, told) = read_key(&node, lines);
                    *key = Some(waiting);
                    told
                }
                Some(Key { text, at, keep: true }) => {
                    let absent = matches!(node.value, Value::Null | Value::Told);
                    let at_value = if absent { at } else { node.at };
                    entries.push(Entry { key: text, at, node: Node { at: at_value, ..node } });
                    None
                }
                Some(_) => None,
            },
        };
        if let Some((at, message)) = told {
            self.tell(at, &message);
        }
    }
}

/// Reads a finished node as the key of a mapping; `lines` says where its keys stand so far.
fn read_key(node: &Node, lines: &mut BTreeMap<String, usize>) -> (Key, Option<(Position, String)>) {
    let at = node.at;
    let text = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Null => "null".to_owned(),
        Value::Told => return (Key { text: String::new(), at, keep: false }, None),
        Value::List(_) | Value::Map(_) => {
            let told = (at, "a list or mapping as a key, keys are plain names".to_owned());
            return (Key { text: String::new(), at, keep: false }, Some(told));
        }
    };
    if let Some(line) = lines.get(&text) {
        let message = format!("duplicate key {text:?}, it stands in line {line} already");
        return (Key { text, at, keep: false }, Some((at, message)));
    }
    lines.insert(text.clone(), at.line);
    (Key { text, at, keep: true }, None)
}

fn marker(marker: serde_saphyr::granit_parser::Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

fn position(span: Span) -> Position {
    marker(span.start)
}

/// Reads a scalar by the YAML 1.2 core schema; quoted ones are always text.
fn scalar(at: Position, text: &str, style: ScalarStyle) -> Node {
    let value = if style == ScalarStyle::Plain { plain(text) } else { Value::Text(text.to_owned()) };
    Node { at, value }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let int = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(hex), _) => u64::from_str_radix(hex, 16).ok().map(i128::from),
        (_, Some(octal)) => u64::from_str_radix(octal, 8).ok().map(i128::from),
        _ => text.parse().ok().filter(|i| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(i)),
    };
    if let Some(int) = int {
        return Value::Int(int);
    }
    // Rust also reads "inf", "nan" and "infinity", which are words in YAML 1.2.
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    match text.parse::<f64>() {
        Ok(float) if numeric && float.is_finite() => Value::Float(float),
        _ => Value::Text(text.to_owned()),
    }
}
