//! What characters a title holds at all, so that most questions about most titles need not be asked.
//!
//! Invariant: a question that a mark rules out has the answer no.

pub(super) const HOSTILE: u8 = 1;
pub(super) const AT: u8 = 1 << 1;
pub(super) const SLASH: u8 = 1 << 2;
pub(super) const OPEN: u8 = 1 << 3;
pub(super) const UMLAUT: u8 = 1 << 4;
/// What can stand between the letters of a gender group.
pub(super) const GENDER: u8 = 1 << 5;

const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let lists: [(&[u8], u8); 5] =
        [(b"=+{$\\<#'\"-;:%(", HOSTILE), (b"@", AT), (b"/", SLASH), (b"([", OPEN), (b"/|*,:._-&", GENDER)];
    let mut l = 0;
    while l < lists.len() {
        let mut i = 0;
        while i < lists[l].0.len() {
            table[lists[l].0[i] as usize] |= lists[l].1;
            i += 1;
        }
        l += 1;
    }
    table
};

/// The marks of a character.
pub(super) const fn of(c: char) -> u8 {
    match c {
        '\0'..='\x7F' => ASCII[c as usize],
        'ä' | 'ö' | 'ü' | 'Ä' | 'Ö' | 'Ü' | 'ß' => UMLAUT,
        '⚧' => GENDER,
        _ => 0,
    }
}
