//! The visible text of a page, a block a line.
//!
//! Invariant: reading order is document order; navigation is out; at most [`MAX_TEXT`] bytes.

use super::lexicon::{LEXICON, in_lower};
use super::limits::MAX_TEXT;

/// The main text while it grows.
#[derive(Default)]
pub(super) struct Text {
    text: String,
    full: bool,
}

impl Text {
    /// Adds a line; the one that no longer fits is cut, and further ones are left out.
    pub fn push(&mut self, line: &str) {
        if self.full {
            return;
        }
        let text = &mut self.text;
        if text.len() + line.len() + 1 > MAX_TEXT {
            let mut cut = MAX_TEXT.saturating_sub(text.len() + 1).min(line.len());
            while !line.is_char_boundary(cut) {
                cut -= 1;
            }
            text.push('\n');
            text.push_str(&line[..cut]);
            self.full = true;
            return;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.text.trim().to_owned()
    }
}

/// `de` or `en` where the frequent words of one clearly outweigh the other's.
pub(super) fn detect_language(text: &str) -> Option<String> {
    let (mut words, mut de, mut en) = (0_usize, 0_usize, 0_usize);
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).take(5_000) {
        words += 1;
        in_lower(word, |word| {
            de += usize::from(LEXICON.stop_words_de.contains(word));
            en += usize::from(LEXICON.stop_words_en.contains(word));
        });
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
