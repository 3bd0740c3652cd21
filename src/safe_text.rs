//! The last line of defence for text that people read: no terminal controls, no HTML, no formulas that act.
//! [`terminal_text`] is for terminals, where no formula acts: there a `'` before it would only be read as part of the text.
//!
//! Invariant: [`safe_text`] is idempotent (erasure rewrites tables through it), keeps one character for one
//! character except for what it drops or prefixes, and leaves ordinary German and English text as it is.

use std::borrow::Cow;

/// Makes text harmless in a terminal, in a web page and in a spreadsheet.
///
/// Line breaks and tabs become spaces; other control characters, bidirectional overrides and invisible
/// tag characters are dropped; `<` and `>` become `‹` and `›`; a text that a spreadsheet would take for a
/// formula gets a leading `'`.
#[must_use]
pub fn safe_text(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    let clean = printable(text);
    if is_formula(&clean) { format!("'{clean}").into() } else { clean }
}

/// Makes text harmless in a terminal, and takes the `'` away that [`safe_text`] put before what a spreadsheet would take
/// for a formula.
#[must_use]
pub fn terminal_text(text: &str) -> Cow<'_, str> {
    let bare = text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text);
    if is_plain(bare) { bare.into() } else { printable(bare) }
}

fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| replacement(c) != Some(c)) {
        text.chars().filter_map(replacement).collect::<String>().into()
    } else {
        text.into()
    }
}

/// Whether a spreadsheet would take the cell for a formula. A plain signed number, a phone number of
/// digits and spaces, and a lone sign are none.
#[must_use]
pub fn is_formula(cell: &str) -> bool {
    let cell = cell.trim_start();
    let mut chars = cell.chars();
    match chars.next() {
        Some('=' | '@' | '＝' | '＠') => true,
        Some('+' | '-' | '＋' | '－') => {
            chars.any(|c| !(c.is_ascii_digit() || matches!(c, ' ' | '.' | ',' | '%' | '\u{a0}' | '\u{202f}')))
        }
        _ => false,
    }
}

/// Whether a text is harmless as it stands, at a glance: most are terms and names in ASCII.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    !matches!(bytes.first(), Some(b' ' | b'=' | b'@' | b'+' | b'-'))
        && bytes.iter().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'<' | b'>'))
}

/// What stands for a character; `None` drops it.
fn replacement(c: char) -> Option<char> {
    match c {
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        '<' => Some('‹'),
        '>' => Some('›'),
        c if is_unprintable(c) => None,
        c => Some(c),
    }
}

/// Whether nothing is to be seen of a character wherever it stands. Joiners are not meant: words change by them.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Characters that steer a terminal or the reading direction instead of showing something.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'
            | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_acts_is_taken_away_and_ordinary_text_stays() {
        let cases = [
            ("Leiterin Einkauf & Logistik (m/w/d)", "Leiterin Einkauf & Logistik (m/w/d)"),
            ("Müller's „Werk“ – 5,3 % Wachstum", "Müller's „Werk“ – 5,3 % Wachstum"),
            ("+49 30 23125 000", "+49 30 23125 000"),
            ("-12,5 %", "-12,5 %"),
            ("+", "+"),
            ("-", "-"),
            ("a\u{1b}[31mred\u{1b}[0m", "a[31mred[0m"),
            ("title\u{1b}]0;pwned\u{7}", "title]0;pwned"),
            ("c1 \u{9b}31m", "c1 31m"),
            ("one\r\ntwo\tthree", "one  two three"),
            ("abc\u{202e}fdp.exe", "abcfdp.exe"),
            ("<script>alert(1)</script>", "‹script›alert(1)‹/script›"),
            ("=HYPERLINK(\"http://x.example\")", "'=HYPERLINK(\"http://x.example\")"),
            ("  =1+1", "'  =1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("\t=1+1", "' =1+1"),
            ("\u{1b}=1+1", "'=1+1"),
            ("＝1+1", "'＝1+1"),
            ("", ""),
        ];
        for (given, want) in cases {
            assert_eq!(safe_text(given), want, "{given:?}");
        }
    }

    #[test]
    fn a_terminal_shows_signed_numbers_as_they_are() {
        for (given, want) in [
            ("+0.67 on -1..+1", "+0.67 on -1..+1"),
            ("'-0.66 on -1..+1", "-0.66 on -1..+1"),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
            ("=1+1\u{1b}[31m", "=1+1[31m"),
            ("<b>", "‹b›"),
        ] {
            assert_eq!(terminal_text(given), want, "{given:?}");
        }
        assert_eq!(safe_text("+0.67 on -1..+1"), "'+0.67 on -1..+1");
    }

    proptest! {
        #[test]
        fn nothing_that_steers_a_terminal_is_left(text in any::<String>()) {
            prop_assert!(!terminal_text(&text).chars().any(|c| is_unprintable(c) || matches!(c, '<' | '>')));
        }

        #[test]
        fn nothing_that_acts_is_left_and_twice_is_once(text in any::<String>()) {
            let once = safe_text(&text).into_owned();
            prop_assert!(!once.chars().any(|c| is_unprintable(c) || matches!(c, '<' | '>')));
            prop_assert!(!is_formula(&once));
            prop_assert_eq!(safe_text(&once), once.as_str());
        }
    }
}
