//! What is searched for, and every shape in which it may stand in a file.
//!
//! Invariant: a needle shows itself in no output; two shapes of equal bytes are one pattern.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroize;

/// Shorter needles stand in too many words; they count as a whole word only.
const WORD_BELOW: usize = 4;
/// Base64 that is determined by so few characters is checked by what stands around it.
const SHORT_BASE64: usize = 6;
/// So many letters beyond ASCII are tried in either case; with more, all lower, all upper and as given.
const MAX_EITHER_CASE: usize = 4;

/// What is searched for: a name, an address, an id.
#[derive(Clone, PartialEq, Eq)]
pub struct Needle {
    label: String,
    text: String,
}

impl fmt::Debug for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Needle({})", self.label)
    }
}

impl Drop for Needle {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

/// Why a text cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NeedleError {
    /// One letter stands everywhere.
    #[error("{label} has fewer than two letters: search for more of it, for instance the whole name")]
    TooShort {
        /// Its label.
        label: String,
    },
    /// The automaton could not be built.
    #[error("too many or too long texts to search for at once: search for fewer")]
    TooMany,
}

impl Needle {
    /// A text under the label by which the report names it.
    ///
    /// # Errors
    /// The text has fewer than two characters.
    pub fn new(label: &str, text: &str) -> Result<Self, NeedleError> {
        let needle = Self { label: label.to_owned(), text: text.trim().to_owned() };
        if needle.text.chars().count() < 2 {
            Err(NeedleError::TooShort { label: label.to_owned() })
        } else {
            Ok(needle)
        }
    }

    /// Its label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    fn is_word(&self) -> bool {
        self.text.chars().count() < WORD_BELOW
    }
}

/// How the bytes of a pattern stand for a needle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Plain,
    Latin1,
    Utf16,
    Hex,
    Base64,
}

impl Form {
    /// What the report says behind the place; empty for plain text.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Latin1 => ", latin-1",
            Self::Utf16 => ", utf-16",
            Self::Hex => ", hex",
            Self::Base64 => ", base64",
        }
    }
}

struct Pattern {
    needle: usize,
    form: Form,
    /// Text in base64 means another text in another case.
    bytes: Vec<u8>,
    /// Of the three bytes that base64 codes together, where the text begins.
    phase: usize,
}

/// All needles in all shapes, as one automaton.
pub(super) struct Matcher {
    automaton: AhoCorasick,
    patterns: Vec<Pattern>,
    words: Vec<bool>,
    pub(super) labels: Vec<String>,
    /// Bytes of the longest pattern.
    pub(super) longest: usize,
}

impl Drop for Matcher {
    fn drop(&mut self) {
        self.patterns.iter_mut().for_each(|p| p.bytes.zeroize());
    }
}

impl Matcher {
    pub(super) fn new(needles: &[Needle]) -> Result<Self, NeedleError> {
        let mut patterns = Vec::new();
        for (n, needle) in needles.iter().enumerate() {
            let mut seen = HashSet::new();
            shapes(needle, |form, phase, bytes| {
                if seen.insert((
                    form == Form::Base64,
                    bytes.to_ascii_lowercase(),
                    if form == Form::Base64 { bytes.clone() } else { Vec::new() },
                )) {
                    patterns.push(Pattern { needle: n, form, bytes, phase });
                }
            });
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(patterns.iter().map(|p| &p.bytes))
            .map_err(|_| NeedleError::TooMany)?;
        Ok(Self {
            automaton,
            longest: patterns.iter().map(|p| p.bytes.len()).max().unwrap_or(0),
            patterns,
            words: needles.iter().map(Needle::is_word).collect(),
            labels: needles.iter().map(|n| n.label.clone()).collect(),
        })
    }

    /// Tells of every match that ends behind `from`. `text` = the bytes are text, so that words have ends.
    pub(super) fn find(&self, bytes: &[u8], from: usize, text: bool, mut found: impl FnMut(usize, Form)) {
        for m in self.automaton.find_overlapping_iter(bytes) {
            if m.end() <= from {
                continue;
            }
            let pattern = &self.patterns[m.pattern().as_usize()];
            let is = match pattern.form {
                Form::Base64 => {
                    bytes[m.range()] == *pattern.bytes && is_base64_text(bytes, m.start(), m.end(), pattern.phase)
                }
                _ if self.words[pattern.needle] => text && is_word(bytes, m.start(), m.end()),
                _ => true,
            };
            if is {
                found(pattern.needle, pattern.form);
            }
        }
    }
}

/// Whether no letter or digit stands before or behind.
fn is_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80;
    !start.checked_sub(1).is_some_and(|i| letter(bytes[i])) && !bytes.get(end).is_some_and(|b| letter(*b))
}

/// Whether a short match decodes to text on both sides too; four letters of base64 stand in any picture.
fn is_base64_text(bytes: &[u8], start: usize, end: usize, phase: usize) -> bool {
    if end - start >= SHORT_BASE64 {
        return true;
    }
    // The match begins at the first character that is the needle's own: the second or third of its four, or the first.
    let first = start - [0, 2, 3][phase].min(start);
    let mut last = end;
    while last < bytes.len() && (last - first) % 4 != 0 && is_base64(bytes[last]) {
        last += 1;
    }
    let run: Vec<u8> = bytes[first..last]
        .iter()
        .map(|b| match b {
            b'-' => b'+',
            b'_' => b'/',
            b => *b,
        })
        .collect();
    let whole = &run[..run.len() - usize::from(run.len() % 4 == 1)];
    let mut lenient = BASE64_NOPAD.specification();
    lenient.check_trailing_bits = false;
    let Ok(decoder) = lenient.encoding() else { return true };
    decoder.decode(whole).is_ok_and(|text| text.iter().all(|b| *b >= 0x20 && *b != 0x7f))
}

pub(super) const fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_')
}

/// Gives every byte string that stands for the needle.
fn shapes(needle: &Needle, mut give: impl FnMut(Form, usize, Vec<u8>)) {
    for text in spellings(&needle.text) {
        give(Form::Plain, 0, text.clone().into_bytes());
        let (latin1, _, lossy) = encoding_rs::WINDOWS_1252.encode(&text);
        if !lossy {
            give(Form::Latin1, 0, latin1.into_owned());
        }
        if needle.is_word() {
            continue;
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        give(Form::Utf16, 0, units.iter().flat_map(|u| u.to_le_bytes()).collect());
        give(Form::Utf16, 0, units.iter().flat_map(|u| u.to_be_bytes()).collect());
        for cased in cases(&text) {
            give(Form::Hex, 0, HEXLOWER.encode(cased.as_bytes()).into_bytes());
            for phase in 0..3 {
                for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
                    give(Form::Base64, phase, base64_core(&encoding, cased.as_bytes(), phase));
                }
            }
        }
    }
}

/// The characters of base64 that the text alone determines, where it begins at byte `phase` of a group of three.
fn base64_core(encoding: &data_encoding::Encoding, text: &[u8], phase: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, phase).chain(text.iter().copied()).collect();
    let coded = encoding.encode(&padded).into_bytes();
    let first = [0, 2, 3][phase];
    let last = padded.len() * 8 / 6;
    coded[first..last].to_vec()
}

/// The text as people and machines spell it, in all ways in which letters beyond ASCII can be told.
fn spellings(text: &str) -> BTreeSet<String> {
    let composed: String = text.nfc().collect();
    let mut all: BTreeSet<String> = either_case(&composed);
    all.extend(cases(&composed));
    all.insert(transcribed(&composed));
    all.insert(plain(&composed));
    let decomposed: Vec<String> = all.iter().map(|t| t.nfd().collect()).collect();
    all.extend(decomposed);
    all
}

/// As given, in lower case, in upper case, and with capital initials.
fn cases(text: &str) -> BTreeSet<String> {
    let mut initials = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            initials.extend(c.to_lowercase())
        } else {
            initials.extend(c.to_uppercase())
        }
        inside = c.is_alphanumeric();
    }
    [text.to_owned(), text.to_lowercase(), text.to_uppercase(), initials].into()
}

/// Every letter beyond ASCII in either case; the search takes care of the others.
fn either_case(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([String::new()]);
    if text.chars().filter(|c| !c.is_ascii()).count() > MAX_EITHER_CASE {
        return [text.to_owned()].into();
    }
    for c in text.chars() {
        let ways: BTreeSet<String> = if c.is_ascii() {
            [c.to_string()].into()
        } else {
            [c.to_lowercase().collect(), c.to_uppercase().collect()].into()
        };
        all = all.iter().flat_map(|head| ways.iter().map(move |way| format!("{head}{way}"))).collect();
    }
    all
}

/// `ä` as `ae`, `ß` as `ss` and so on.
fn transcribed(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut out = String::new();
    for c in lower.chars() {
        match c {
            'ä' | 'æ' => out.push_str("ae"),
            'ö' | 'ø' | 'œ' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'å' => out.push_str("aa"),
            'ß' => out.push_str("ss"),
            c => out.push(c),
        }
    }
    out
}

/// Without marks: `Müller` as `Muller`, as forms that know ASCII only do.
fn plain(text: &str) -> String {
    text.replace('ß', "ss").nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(needle: &str, bytes: &[u8]) -> usize {
        let matcher = Matcher::new(&[Needle::new("name", needle).expect("long enough")]).expect("built");
        let mut n = 0;
        matcher.find(bytes, 0, true, |_, _| n += 1);
        n
    }

    #[test]
    fn every_spelling_is_found() {
        for text in [
            "Jürgen Groß",
            "JÜRGEN GROSS",
            "jürgen groß",
            "Juergen Gross",
            "JUERGEN GROSS",
            "ju\u{308}rgen groß",
            "Jurgen Gross",
        ] {
            assert!(count("Jürgen Groß", text.as_bytes()) > 0, "{text}");
        }
        assert_eq!(count("Jürgen Groß", "Jürgen Klein".as_bytes()), 0);
    }

    #[test]
    fn a_short_name_counts_as_a_word_only() {
        for (text, n) in [("Li", 1), ("\"Li\"", 1), ("Herr LI!", 1), ("Linz", 0), ("Ali", 0), ("Liü", 0)] {
            assert_eq!(count("Li", text.as_bytes()), n, "{text}");
        }
        let e = Needle::new("name", " x ").expect_err("one letter");
        assert!(e.to_string().contains("name has fewer than two letters"));
        assert_eq!(format!("{:?}", Needle::new("name", "Geheim").expect("fits")), "Needle(name)");
    }

    #[test]
    fn base64_is_found_wherever_it_begins_and_noise_is_not() {
        for needle in ["Annika Berg", "anna", "Mayer"] {
            for before in 0..7 {
                for behind in 0..4 {
                    let text = format!("{}{needle}{}", "x".repeat(before), "y".repeat(behind));
                    let coded = data_encoding::BASE64.encode(text.as_bytes());
                    assert!(
                        count(needle, format!("{{\"a\":\"{coded}\"}}").as_bytes()) > 0,
                        "{needle} {before} {behind}"
                    );
                }
            }
        }
        let core = base64_core(&BASE64_NOPAD, b"anna", 1);
        let noise = [b"\xff\x00\x9a", core.as_slice(), b"\x01\x02"].concat();
        assert!(core.len() < SHORT_BASE64);
        assert_eq!(count("anna", &[b"AA".as_slice(), &core, b"A\x01"].concat()), 0, "decodes to zero bytes around it");
        let _ = noise;
    }
}
