//! The visible text of a page, a block a line.
//!
//! Invariant: reading order is document order; scripts, styles, navigation, templates and hidden parts are out;
//! at most [`limits::MAX_TEXT`] bytes.

use scraper::Node;

use super::dom::{self, El, Page};
use super::lexicon::LEXICON;
use super::limits::MAX_TEXT;

/// Elements that do not break a line.
const INLINE: [&str; 34] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "meter", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
    "time", "u", "var",
];

/// The lines of the whole visible page (for the imprint), and the main text (without navigation), joined and capped.
pub(super) fn read(page: &Page) -> (Vec<String>, String) {
    let mut lines = Lines::default();
    walk(page.root(), false, &mut lines);
    lines.end(false);
    let mut text = String::new();
    for (line, in_navigation) in &lines.done {
        if *in_navigation {
            continue;
        }
        if text.len() + line.len() + 1 > MAX_TEXT {
            let mut cut = MAX_TEXT.saturating_sub(text.len() + 1).min(line.len());
            while !line.is_char_boundary(cut) {
                cut -= 1;
            }
            text.push_str(&line[..cut]);
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
    let text = text.trim_end().to_owned();
    (lines.done.into_iter().map(|(line, _)| line).collect(), text)
}

/// The visible lines of one element.
pub(super) fn lines_of(e: El<'_>) -> Vec<String> {
    let mut lines = Lines::default();
    walk(e, false, &mut lines);
    lines.end(false);
    lines.done.into_iter().map(|(line, _)| line).collect()
}

#[derive(Default)]
struct Lines {
    done: Vec<(String, bool)>,
    current: String,
}

impl Lines {
    fn end(&mut self, in_navigation: bool) {
        let line = dom::fold(&self.current);
        self.current.clear();
        if !line.is_empty() {
            self.done.push((line, in_navigation));
        }
    }
}

fn walk(e: El<'_>, in_navigation: bool, lines: &mut Lines) {
    if dom::is_hidden(e) {
        return;
    }
    let tag = dom::name(e);
    let role = e.attr("role");
    let here = in_navigation || tag == "nav" || matches!(role, Some("navigation" | "menu" | "menubar" | "search"));
    if tag == "br" {
        lines.end(in_navigation);
        return;
    }
    let cell = matches!(tag, "td" | "th");
    let block = !cell && !INLINE.contains(&tag);
    if block {
        lines.end(in_navigation);
    } else if cell {
        lines.current.push(' ');
    }
    for child in e.children() {
        match child.value() {
            Node::Text(t) => lines.current.push_str(t),
            Node::Element(_) => {
                if let Some(child) = El::wrap(child) {
                    walk(child, here, lines);
                }
            }
            _ => {}
        }
    }
    if block {
        lines.end(here);
    } else if cell {
        lines.current.push(' ');
    }
}

/// `de` or `en` where the frequent words of one clearly outweigh the other's.
pub(super) fn detect_language(text: &str) -> Option<String> {
    let (mut words, mut de, mut en) = (0_usize, 0_usize, 0_usize);
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).take(5_000) {
        let word = word.to_lowercase();
        words += 1;
        de += usize::from(LEXICON.stop_words_de.contains(&word));
        en += usize::from(LEXICON.stop_words_en.contains(&word));
    }
    let clear = |a: usize, b: usize| a >= 3 && a > 2 * b && a * 12 >= words;
    if clear(de, en) {
        Some("de".to_owned())
    } else if clear(en, de) {
        Some("en".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_needs_clear_evidence() {
        let de = "Wir sind ein Unternehmen aus der Region und bauen Maschinen für die Industrie, die nicht jeder kann.";
        assert_eq!(detect_language(de).as_deref(), Some("de"));
        let en = "We are a company that builds machines for the industry, and this is what you get from us.";
        assert_eq!(detect_language(en).as_deref(), Some("en"));
        assert_eq!(detect_language("Mustermann GmbH, Köln"), None);
    }
}
