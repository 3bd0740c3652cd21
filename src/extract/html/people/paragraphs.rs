//! Paragraphs put together again that names in elements of their own part.
//!
//! Invariant: lines are joined only where one of them is such a name inside the element of the other.

use std::borrow::Cow;

use super::super::blocks::Line;
use super::super::dom;

/// Lines that may be one paragraph.
const PARAGRAPH: usize = 24;

/// The text from a line on that only names in elements of their own part, and the line after it.
pub(super) fn paragraph_of<'l>(lines: &'l [Line<'_>], i: usize) -> (usize, Cow<'l, str>) {
    let inline = |l: &Line<'_>| matches!(dom::name(l.block), "b" | "strong" | "a" | "em" | "i" | "span");
    let holds = |name: &Line<'_>, text: &Line<'_>| {
        name.is_name() && inline(name) && dom::parent(name.block).is_some_and(|p| p == text.block)
    };
    let joins = |k: &usize| holds(&lines[*k], &lines[k - 1]) || holds(&lines[k - 1], &lines[*k]);
    let end = (i + 1..lines.len().min(i + PARAGRAPH)).find(|k| !joins(k)).unwrap_or(lines.len().min(i + PARAGRAPH));
    if end <= i + 1 {
        return (i + 1, Cow::Borrowed(&lines[i].text));
    }
    let mut text = lines[i].text.clone();
    for line in &lines[i + 1..end] {
        if !line.text.starts_with([',', '.', ';', ')']) {
            text.push(' ');
        }
        text.push_str(&line.text);
    }
    (end, Cow::Owned(text))
}
