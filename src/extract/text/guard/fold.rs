//! Folding: one spelling for what a reader takes as the same word.
//!
//! Invariant: every cell knows the code point it came from, and cells keep the order of the text.
//! Undone here: case, umlauts, accents, compatibility forms, look-alike letters of other scripts,
//! invisible characters, character references and tags in the middle of a word.

use std::sync::LazyLock;

use unicode_normalization::char::decompose_compatible;

use super::class::Class;

/// One folded character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract::text) struct Cell {
    /// As written.
    pub(in crate::extract::text) raw: char,
    /// Lower case, without accents, in Latin letters.
    pub(in crate::extract::text) out: char,
    /// Byte in the text.
    pub(in crate::extract::text) byte: u32,
    class: Class,
}

impl Cell {
    fn new(raw: char, out: char, byte: u32) -> Self {
        let class = if raw.is_ascii() && out.is_ascii() { Class::of_ascii(raw, out) } else { Class::of(raw, out) };
        Self { raw, out, byte, class }
    }

    pub(in crate::extract::text) fn is_word(&self) -> bool {
        self.class.has(Class::WORD)
    }

    pub(in crate::extract::text) const fn is(&self, class: Class) -> bool {
        self.class.has(class)
    }

    pub(super) const fn class(&self) -> Class {
        self.class
    }
}

/// The longest character reference or tag that is looked for; bounds the work per character.
const MAX_MARKUP: usize = 60;

/// As much of a text as can be folded: places are 32 bits wide.
pub(in crate::extract::text) fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(u32::MAX as usize)]
}

/// Folds a whole text.
pub(in crate::extract::text) fn fold(text: &str) -> Vec<Cell> {
    let text = bounded(text);
    let mut cells = Vec::with_capacity(text.len() + 4);
    let table = &*PLAIN;
    let bytes = text.as_bytes();
    let mut byte = 0;
    while let Some(first) = bytes.get(byte) {
        // Most of a text, and nothing that the rest would change.
        let plain = bytes[byte..].iter().position(|b| !is_plain(*b)).unwrap_or(bytes.len() - byte);
        if plain > 0 {
            let run = bytes[byte..byte + plain].iter().zip(byte as u32..);
            cells.extend(run.map(|(b, byte)| Cell { byte, ..table[usize::from(*b & 127)] }));
            byte += plain;
            continue;
        }
        let rest = &text[byte..];
        let marked = match first {
            b'&' => reference(rest),
            b'<' => tag(rest),
            _ => None,
        };
        let raw = rest.chars().next().unwrap_or_default();
        let (seen, length) = marked.unwrap_or((Some(raw), raw.len_utf8()));
        if let Some(c) = seen {
            push(&mut cells, c, byte as u32);
        }
        byte += length;
    }
    cells
}

/// ASCII that is neither the beginning of a mark nor a control, and no sign that is folded.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r') && !matches!(byte, b'&' | b'<' | b'`')
}

/// The cells of ASCII.
static PLAIN: LazyLock<[Cell; 128]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let raw = char::from(byte as u8);
        Cell::new(raw, raw.to_ascii_lowercase(), 0)
    })
});

/// A word of a lexicon in folded spelling.
pub(in crate::extract::text) fn fold_word(word: &str) -> String {
    if word.bytes().all(is_plain) {
        return word.to_ascii_lowercase();
    }
    fold(word).iter().map(|cell| cell.out).collect()
}

fn push(cells: &mut Vec<Cell>, raw: char, byte: u32) {
    // What most of the rest is.
    let (out, second) = match raw {
        'ä' | 'Ä' => ('a', 'e'),
        'ö' | 'Ö' => ('o', 'e'),
        'ü' | 'Ü' => ('u', 'e'),
        'ß' => ('s', 's'),
        _ => return push_decomposed(cells, raw, byte),
    };
    let class = Class::letter(raw.is_lowercase());
    cells.extend([out, second].map(|out| Cell { raw, out, byte, class }));
}

/// What any character becomes.
fn push_decomposed(cells: &mut Vec<Cell>, raw: char, byte: u32) {
    if is_invisible(raw) {
        return;
    }
    decompose_compatible(raw, |part| {
        if part == '\u{308}' {
            // A diaeresis is an umlaut after a, o, u and nothing elsewhere.
            if cells.last().is_some_and(|last| matches!(last.out, 'a' | 'o' | 'u')) {
                cells.push(Cell::new(raw, 'e', byte));
            }
        } else if !is_combining(part) && !is_invisible(part) {
            for lower in part.to_lowercase().filter(|c| !is_combining(*c)) {
                let (first, second) = look_alike(lower);
                cells.push(Cell::new(raw, first, byte));
                cells.extend(second.map(|second| Cell::new(raw, second, byte)));
            }
        }
    });
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

/// Characters that a reader does not see: soft hyphen, zero-width, direction marks, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || (c.is_control() && !c.is_whitespace())
}

/// Letters that look like Latin ones, ligatures without a decomposition, dashes, quotes.
fn look_alike(c: char) -> (char, Option<char>) {
    let one = match c {
        'ß' => return ('s', Some('s')),
        'æ' => return ('a', Some('e')),
        'œ' => return ('o', Some('e')),
        'þ' => return ('t', Some('h')),
        'ø' | 'о' | 'ο' | 'σ' | 'օ' => 'o',
        'ł' | 'ӏ' | 'ǀ' => 'l',
        'đ' | 'ð' | 'ԁ' => 'd',
        'ı' | 'і' | 'ι' | 'ɩ' => 'i',
        'а' | 'α' | 'ɑ' => 'a',
        'е' | 'ε' | 'є' | 'э' => 'e',
        'р' | 'ρ' => 'p',
        'с' | 'ϲ' => 'c',
        'у' | 'γ' => 'y',
        'х' | 'χ' => 'x',
        'ј' => 'j',
        'ѕ' => 's',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'т' | 'τ' => 't',
        'н' | 'һ' => 'h',
        'в' | 'β' => 'b',
        'и' | 'η' | 'п' => 'n',
        'ν' | 'ѵ' => 'v',
        'υ' => 'u',
        'г' => 'r',
        'ԝ' | 'ω' => 'w',
        'ɡ' | 'ց' => 'g',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '⁃' => '-',
        '’' | '‘' | 'ʼ' | '`' | '´' | '′' => '\'',
        // Regional indicators are read as the letters they show.
        '\u{1f1e6}'..='\u{1f1ff}' => {
            char::from(b'a' + u8::try_from(u32::from(c) - 0x1f1e6).expect("26 regional indicators"))
        }
        other => other,
    };
    (one, None)
}

/// `&auml;`, `&#228;`, `&#xe4;`, `&shy;` with its length; `None` inside = nothing to see.
fn reference(text: &str) -> Option<(Option<char>, usize)> {
    let (end, _) = text.char_indices().take(12).find(|(_, c)| *c == ';')?;
    let name = &text[1..end];
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return Some((char::from_u32(code), end + 1));
    }
    let c = match name {
        "shy" | "zwnj" | "zwj" | "ZeroWidthSpace" => return Some((None, end + 1)),
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "nbsp" => ' ',
        "amp" => '&',
        "eacute" => 'é',
        _ => return None,
    };
    Some((Some(c), end + 1))
}

/// A tag: one that parts lines becomes a line break, any other is not seen by a reader.
fn tag(text: &str) -> Option<(Option<char>, usize)> {
    let first = text[1..].chars().next()?;
    if !(first.is_ascii_alphabetic() || first == '/' || first == '!') {
        return None;
    }
    let (end, _) = text.char_indices().take(MAX_MARKUP).find(|(_, c)| *c == '>')?;
    let name = text[1..end].trim_start_matches('/');
    let name = &name[..name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len())];
    let lines = ["br", "p", "div", "li", "tr", "td", "ul", "h1", "h2", "h3"];
    let parts_lines = lines.iter().any(|line| name.eq_ignore_ascii_case(line));
    Some((parts_lines.then_some('\n'), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_of_every_character_is_the_long_one() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            // A diaeresis looks at what stands before it.
            for before in ["", "a", "x"] {
                let (short, mut long) = (fold(&format!("{before}{c}")), fold(before));
                push_decomposed(&mut long, c, before.len() as u32);
                assert_eq!(short, long, "{before:?} {c:?}");
            }
        }
    }
}
