//! White space: where it is, and folding it.
//!
//! Invariant: white is what Unicode calls so, and besides soft hyphens, zero-width spaces and byte order marks.

use std::borrow::Cow;

/// Whitespace folded to single spaces, trimmed (no-break spaces count as white).
pub(super) fn fold(text: &str) -> String {
    folded(text).into_owned()
}

/// The same, borrowed where nothing inside is to be folded.
pub(super) fn folded(text: &str) -> Cow<'_, str> {
    let mut all = runs(text);
    let first = all.next().unwrap_or_default();
    let Some(second) = all.next() else { return Cow::Borrowed(first) };
    let mut out = String::with_capacity(text.len());
    out.push_str(first);
    for run in std::iter::once(second).chain(all) {
        out.push(' ');
        out.push_str(run);
    }
    Cow::Owned(out)
}

/// Runs of words with single spaces between them; between runs stands other white space, a soft hyphen, an invisible space.
pub(super) fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while let len @ 1.. = white(rest, 0) {
            rest = &rest[len..];
        }
        let bytes = rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            if !WHITE[usize::from(*byte)] {
                end += 1;
            } else if *byte == b' ' && bytes.get(end + 1).is_some_and(|b| !WHITE[usize::from(*b)]) {
                end += 2;
            } else if white(rest, end) == 0 {
                end += 1;
            } else {
                break;
            }
        }
        let (run, after) = rest.split_at(end);
        rest = after;
        (!run.is_empty()).then_some(run)
    })
}

/// Whether no white space is in a text for sure.
pub(super) fn is_one_word(text: &str) -> bool {
    !text.bytes().any(|b| WHITE[usize::from(b)])
}

/// Bytes that white space may begin with.
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

/// Bytes of the white space at an index, 0 where there is none.
pub(super) fn white(text: &str, at: usize) -> usize {
    match text.as_bytes().get(at) {
        Some(b'\t'..=b'\r' | b' ') => 1,
        Some(byte) if WHITE[usize::from(*byte)] => {
            let is_white = |c: &char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}' | '\u{AD}');
            text[at..].chars().next().filter(is_white).map_or(0, char::len_utf8)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the letter of the invariant.
    fn plainly(text: &str) -> String {
        let is_white = |c: char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}' | '\u{AD}');
        text.split(is_white).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
    }

    proptest! {
        #[test]
        fn folding_is_what_the_invariant_says(text in "[a ä\u{A0}\u{AD}\u{85}\u{1680}\u{1681}\u{2003}\u{200B}–\u{3000}、\u{FEFF}\u{FEFE}\t\n\u{1F}]{0,12}") {
            prop_assert_eq!(fold(&text), plainly(&text));
            prop_assert!(!is_one_word(&text) || !text.contains(char::is_whitespace));
            let joined = runs(&text).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(joined, plainly(&text));
        }
    }
}
