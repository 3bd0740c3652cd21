//! White space: where it is, and folding it.
//!
//! Invariant: white is what Unicode calls so. Characters that no reader sees (soft hyphens, zero-width spaces, byte order
//! marks, marks of direction) are left out and part no words.

use std::borrow::Cow;

use crate::safe_text::is_invisible;

/// Whitespace folded to single spaces, trimmed (no-break spaces count as white).
pub(super) fn fold(text: &str) -> String {
    folded(text).into_owned()
}

/// The same, borrowed where nothing inside is to be folded.
pub(super) fn folded(text: &str) -> Cow<'_, str> {
    let mut all = runs(text).filter(|run| !run.text.is_empty());
    let Some(first) = all.next() else { return Cow::Borrowed("") };
    let Some(second) = all.next() else { return Cow::Borrowed(first.text) };
    let mut out = String::with_capacity(text.len());
    out.push_str(first.text);
    for run in std::iter::once(second).chain(all) {
        if run.spaced {
            out.push(' ');
        }
        out.push_str(run.text);
    }
    Cow::Owned(out)
}

/// Words with single spaces between them.
pub(super) struct Run<'a> {
    /// Whether white space stands before it.
    pub spaced: bool,
    /// Empty where white space ends the text.
    pub text: &'a str,
}

/// Runs of words; between them stand other white space than single spaces, and invisible characters.
pub(super) fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut spaced = false;
        while let Some(gap) = gap(rest, 0) {
            spaced |= gap.white;
            rest = &rest[gap.len..];
        }
        let bytes = rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            if !WHITE[usize::from(*byte)] {
                end += 1;
            } else if *byte == b' ' && bytes.get(end + 1).is_some_and(|b| !WHITE[usize::from(*b)]) {
                end += 2;
            } else if gap(rest, end).is_none() {
                end += 1;
            } else {
                break;
            }
        }
        let (run, after) = rest.split_at(end);
        rest = after;
        (spaced || !run.is_empty()).then_some(Run { spaced, text: run })
    })
}

/// Whether no white space is in a text for sure.
pub(super) fn is_one_word(text: &str) -> bool {
    !text.bytes().any(|b| WHITE[usize::from(b)])
}

/// Bytes that white space and invisible characters may begin with.
const WHITE: [bool; 256] = {
    let mut white = [false; 256];
    let starts = *b"\t\n\x0B\x0C\r \xC2\xE1\xE2\xE3\xEF";
    let mut i = 0;
    while i < starts.len() {
        white[starts[i] as usize] = true;
        i += 1;
    }
    white
};

/// A character that belongs to no word.
struct Gap {
    /// Bytes.
    len: usize,
    /// Whether words are parted by it.
    white: bool,
}

/// The gap at an index.
fn gap(text: &str, at: usize) -> Option<Gap> {
    match text.as_bytes().get(at)? {
        b'\t'..=b'\r' | b' ' => Some(Gap { len: 1, white: true }),
        byte if WHITE[usize::from(*byte)] => {
            let c = text[at..].chars().next()?;
            (c.is_whitespace() || is_invisible(c)).then(|| Gap { len: c.len_utf8(), white: !is_invisible(c) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the letter of the invariant.
    fn plainly(text: &str) -> String {
        let seen: String = text.chars().filter(|c| !is_invisible(*c)).collect();
        seen.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    proptest! {
        #[test]
        fn folding_is_what_the_invariant_says(text in "[a ä\u{A0}\u{AD}\u{85}\u{1680}\u{1681}\u{2003}\u{200B}\u{2060}–\u{3000}、\u{FEFF}\u{FEFE}\t\n\u{1F}]{0,12}") {
            prop_assert_eq!(fold(&text), plainly(&text));
            prop_assert!(!is_one_word(&text) || !text.contains(char::is_whitespace));
        }
    }

    #[test]
    fn what_nobody_sees_parts_no_words() {
        assert_eq!(fold("Ver\u{AD}triebs\u{200B}leiterin\u{A0} \u{FEFF} Nord \u{AD}"), "Vertriebsleiterin Nord");
    }
}
