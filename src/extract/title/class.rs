//! What kind of character each is, so that a title is scanned by table and most questions about it need not be asked.
//!
//! Invariant: a question that a class rules out has the answer no.

/// A letter or digit.
pub(super) const ALNUM: u16 = 1;
/// An ASCII letter or digit.
pub(super) const PLAIN: u16 = 1 << 1;
pub(super) const LOWER: u16 = 1 << 2;
pub(super) const UPPER: u16 = 1 << 3;
/// The capital that may begin a gender form: `LeiterIn`.
pub(super) const CAPITAL_I: u16 = 1 << 4;
/// After a plain word: ends it, and nothing that belongs to it follows.
pub(super) const END: u16 = 1 << 5;
pub(super) const AT: u16 = 1 << 6;
pub(super) const SLASH: u16 = 1 << 7;
pub(super) const OPEN: u16 = 1 << 8;
pub(super) const UMLAUT: u16 = 1 << 9;
/// What can stand between the letters of a gender group.
pub(super) const GENDER: u16 = 1 << 10;
/// Markup and formulas hold it.
pub(super) const HOSTILE: u16 = 1 << 11;
/// Markup and code hold it before one of `SECOND`.
pub(super) const FIRST: u16 = 1 << 12;
pub(super) const SECOND: u16 = 1 << 13;
pub(super) const SPACE: u16 = 1 << 14;

/// The classes of Latin-1.
static CLASSES: [u16; 256] = {
    let mut table = [0; 256];
    let lists: [(&[u8], u16); 15] = [
        (b"abcdefghijklmnopqrstuvwxyz", ALNUM | PLAIN | LOWER),
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", ALNUM | PLAIN | UPPER),
        (b"0123456789", ALNUM | PLAIN),
        (b"I", CAPITAL_I),
        (b"\0\t\n ,|;)[]-?\"", END),
        (b" ", SPACE),
        (b"@", AT),
        (b"/", SLASH),
        (b"([", OPEN),
        (b"\xE4\xF6\xFC\xC4\xD6\xDC\xDF", UMLAUT),
        (b"/|*,:._-&", GENDER),
        (b"=+{$\\<", HOSTILE),
        (b"#'\"-;:%(", FIRST),
        (b"{;-/})", SECOND),
        (b"\xAA\xB2\xB3\xB5\xB9\xBA\xBC\xBD\xBE", ALNUM),
    ];
    let mut l = 0;
    while l < lists.len() {
        let mut i = 0;
        while i < lists[l].0.len() {
            table[lists[l].0[i] as usize] |= lists[l].1;
            i += 1;
        }
        l += 1;
    }
    let mut c = 0xC0;
    while c < 256 {
        if c != 0xD7 && c != 0xF7 {
            table[c] |= ALNUM;
        }
        c += 1;
    }
    table
};

/// A code point of a title: a byte where all are Latin-1, else a `char`.
pub(super) trait Unit: Copy {
    fn char(self) -> char;
    fn class(self) -> u16;
}

impl Unit for u8 {
    fn char(self) -> char {
        char::from(self)
    }

    #[inline]
    fn class(self) -> u16 {
        CLASSES[usize::from(self)]
    }
}

impl Unit for char {
    fn char(self) -> char {
        self
    }

    fn class(self) -> u16 {
        match u8::try_from(self) {
            Ok(byte) => byte.class(),
            Err(_) if self == '⚧' => GENDER,
            Err(_) if self.is_alphanumeric() => ALNUM,
            Err(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_unicode() {
        for b in 0..=255_u8 {
            let (c, class) = (char::from(b), b.class());
            assert_eq!(class & ALNUM != 0, c.is_alphanumeric(), "{c}");
            assert_eq!(class & PLAIN != 0, c.is_ascii_alphanumeric(), "{c}");
            assert_eq!(class & UPPER != 0, c.is_ascii_uppercase(), "{c}");
            assert_eq!(class & LOWER != 0, c.is_ascii_lowercase(), "{c}");
        }
    }
}
