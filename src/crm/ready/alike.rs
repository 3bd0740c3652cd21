//! Which ids may be the same one, written in another way: by people, by another program, by a spreadsheet.
//!
//! Invariant: ids in which case tells records apart, and those that are parted in different places, are never the same.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use unicode_normalization::UnicodeNormalization as _;

/// So many letters and digits has an id of Salesforce in the short form, in which case alone tells records apart.
const SHORT_ID: usize = 15;
/// What spreadsheets put between thousands.
const BETWEEN_THOUSANDS: [char; 8] = ['.', ',', '\'', '’', ' ', '\u{a0}', '\u{202f}', '_'];

/// Letters of other scripts that look like Latin ones, by these; in ids case tells nothing, but that small letters may look like others.
const LOOKALIKES: [(&str, &str); 2] = [
    ("АВЕЅІЈКМНОРСТУҮХԌԚԜҺΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϺ", "ABESIJKMHOPCTYYXGQWHABEZHIKMNOPTYXCM"),
    ("авеѕіјкмнорстуүхԍԛԝһӏαβεικνορτυχϲϳıɑɡο", "abesijkmhopctyyxgqwhlabeikvoptuxcjiago"),
];
/// The zeros of digits that are no Latin ones: those of Arabic, Persian, Devanagari and Bengali.
const ZEROS: [char; 4] = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}'];

/// Some ids, to be found by others.
#[derive(Default)]
pub(crate) struct Alike {
    by_parted: HashMap<String, Vec<String>>,
    by_joined: HashMap<String, Vec<(String, bool)>>,
    /// Numbers as they are written when they are rounded to so many decimals.
    rounded: BTreeMap<usize, HashMap<String, Vec<String>>>,
    /// Ids beside which other words stand, or other ids.
    by_word: HashMap<String, Vec<String>>,
}

impl Alike {
    pub(crate) fn of<'i>(ids: impl Iterator<Item = &'i String>) -> Self {
        let mut alike = Self::default();
        for id in ids {
            for Spelling { parted, joined, is_parted } in spellings(id) {
                alike.by_parted.entry(parted).or_default().push(id.clone());
                alike.by_joined.entry(joined).or_default().push((id.clone(), is_parted));
            }
            if let Some(Rounded { decimals, text }) = Rounded::of(&latin(id)) {
                alike.rounded.entry(decimals).or_default().entry(text).or_default().push(id.clone());
            }
            for word in words(&latin(id)) {
                alike.by_word.entry(word.to_owned()).or_default().push(id.clone());
            }
        }
        alike
    }

    /// Those that may be this one.
    pub(crate) fn to(&self, id: &str) -> BTreeSet<&str> {
        let id = &*latin(id);
        let mut found = BTreeSet::new();
        for Spelling { parted, joined, is_parted } in spellings(id) {
            found.extend(self.by_parted.get(&parted).into_iter().flatten().map(String::as_str));
            // `K-1-23` is not `K-12-3`, and `K123` may be either.
            let other = self.by_joined.get(&joined).into_iter().flatten().filter(|(_, other)| !(is_parted && *other));
            found.extend(other.map(|(id, _)| id.as_str()));
        }
        let number = if self.rounded.is_empty() || !is_digits(id) { None } else { id.parse::<f64>().ok() };
        for (number, (decimals, texts)) in number.iter().cycle().zip(&self.rounded) {
            let rounded = texts.get(&format!("{number:.decimals$e}"));
            found.extend(rounded.into_iter().flatten().map(String::as_str));
        }
        found.extend(self.by_word.get(id).into_iter().flatten().map(String::as_str));
        found
    }
}

/// Ids that may be meant by one, where those of the contacts are not at hand: as a spreadsheet would have read it, without what stands
/// beside it, in other letters. Zeros and signs that are missing nobody can guess.
pub(crate) fn guesses(id: &str) -> BTreeSet<String> {
    let plain = latin(id);
    let bare = plain.trim_matches(|c: char| !c.is_alphanumeric());
    let mut found = numbers(bare);
    found.extend(words(&plain).into_iter().map(str::to_owned));
    let without_signs: String = bare.chars().filter(|c| c.is_alphanumeric()).collect();
    let without_zeros = without_zeros(bare);
    found.extend([bare.to_owned(), bare.to_uppercase(), bare.to_lowercase(), without_signs, without_zeros]);
    found.retain(|guess| guess != id && !guess.is_empty());
    found
}

/// An id as it is compared.
struct Spelling {
    /// Without signs, and a stroke between numbers that signs part.
    parted: String,
    /// Without any.
    joined: String,
    /// Whether signs part its digits.
    is_parted: bool,
}

/// An id in the letters and digits that its own may be: of other widths they are the same ones, of other scripts they look so.
fn latin(id: &str) -> Cow<'_, str> {
    if id.is_ascii() {
        return Cow::Borrowed(id);
    }
    let of_latin = |c: char| {
        let letter =
            LOOKALIKES.iter().find_map(|(others, own)| others.chars().zip(own.chars()).find(|(other, _)| *other == c));
        let digit = || ZEROS.iter().find_map(|zero| char::from_digit((c as u32).wrapping_sub(*zero as u32), 10));
        letter.map(|(_, own)| own).or_else(digit).unwrap_or(c)
    };
    id.nfkc().filter(|c| c.is_ascii() || !is_invisible(*c)).map(of_latin).collect()
}

/// What nobody sees within an id: blanks without a width, and marks of direction.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// The ways in which an id can be meant.
fn spellings(id: &str) -> Vec<Spelling> {
    let id = latin(id);
    let bare = id.trim_matches(|c: char| !c.is_alphanumeric());
    let has = |is: fn(&u8) -> bool| bare.bytes().any(|b| is(&b));
    let by_case = bare.len() == SHORT_ID
        && bare.bytes().all(|b| b.is_ascii_alphanumeric())
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic);
    if by_case {
        return vec![Spelling { parted: bare.to_owned(), joined: bare.to_owned(), is_parted: false }];
    }
    let numbers = numbers(bare);
    if numbers.is_empty() { vec![spelling(bare)] } else { numbers.iter().map(|number| spelling(number)).collect() }
}

/// The words of an id in which there are several: `K-1, K-2`, `K-1 (Muster)`, an address that ends with the id. Numbers with blanks
/// between their thousands are one.
fn words(id: &str) -> Vec<&str> {
    let address = id.contains("://");
    let parts = |c: char| c.is_whitespace() || ",;|()[]\"".contains(c) || address && "/?=&#".contains(c);
    let words: Vec<&str> = id.split(parts).filter(|word| !word.is_empty()).collect();
    let may_be_id = |word: &&str| word.bytes().any(|b| b.is_ascii_digit());
    if words.len() < 2 || !numbers(id).is_empty() { Vec::new() } else { words.into_iter().filter(may_be_id).collect() }
}

/// The numbers that an id may be which a spreadsheet wrote: `10.009`, `10009.0`, `1,0009E+04`.
fn numbers(id: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    found.extend(thousands(id));
    if let Some((whole, fraction)) = id.rsplit_once(['.', ','])
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b == b'0')
    {
        found.extend(thousands(whole).or_else(|| is_digits(whole).then(|| whole.to_owned())));
    }
    found.extend(Rounded::of(id).and_then(|rounded| rounded.exact()));
    found
}

/// A number with signs between its thousands, without them.
fn thousands(id: &str) -> Option<String> {
    let sign = id.chars().find(|c| BETWEEN_THOUSANDS.contains(c))?;
    let mut groups = id.split(sign);
    let first = groups.next().filter(|first| first.len() <= 3 && is_digits(first))?;
    let rest: Vec<&str> = groups.collect();
    rest.iter().all(|group| group.len() == 3 && is_digits(group)).then(|| first.to_owned() + &rest.concat())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn spelling(id: &str) -> Spelling {
    let (mut parted, mut all) = (String::with_capacity(id.len()), String::with_capacity(id.len()));
    let (mut is_parted, mut after_sign) = (false, false);
    for c in id.chars() {
        if !c.is_alphanumeric() {
            after_sign = true;
            continue;
        }
        let is_between = after_sign && c.is_ascii_digit() && all.ends_with(|last: char| last.is_ascii_digit());
        after_sign = false;
        if is_between {
            parted.push('|');
            is_parted = true;
        }
        parted.extend(c.to_lowercase());
        all.extend(c.to_lowercase());
    }
    Spelling { parted: without_zeros(&parted), joined: without_zeros(&all), is_parted }
}

/// A text without the zeros with which its numbers begin.
fn without_zeros(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut in_number = false;
    for c in text.chars() {
        if c != '0' || in_number {
            bare.push(c);
        }
        in_number = c.is_ascii_digit() && (c != '0' || in_number);
    }
    bare
}

/// A number as spreadsheets write long ones: `1,23457E+12`.
struct Rounded {
    /// Digits behind the first one.
    decimals: usize,
    /// As the numbers it may be are written when they are rounded to these.
    text: String,
}

impl Rounded {
    fn of(id: &str) -> Option<Self> {
        let (mantissa, exponent) = id.trim().split_once(['E', 'e'])?;
        let exponent: usize = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok().filter(|e| *e <= 40)?;
        let (first, rest) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
        let is_number = first.len() == 1 && is_digits(first) && (rest.is_empty() || is_digits(rest));
        let point = if rest.is_empty() { "" } else { "." };
        is_number.then(|| Self { decimals: rest.len(), text: format!("{first}{point}{rest}e{exponent}") })
    }

    /// The number, where no digit of it is lost.
    fn exact(&self) -> Option<String> {
        let (mantissa, exponent) = self.text.split_once('e')?;
        let zeros = exponent.parse::<usize>().ok()?.checked_sub(self.decimals)?;
        Some(mantissa.replace('.', "") + &"0".repeat(zeros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_of_another_script_is_guessed_to_be_the_latin_one() {
        for (others, own) in LOOKALIKES {
            assert_eq!(others.chars().count(), own.len(), "{others}");
            assert!(others.chars().all(|c| !c.is_ascii()) && own.is_ascii(), "{others}");
        }
        assert!(guesses("К-0048").contains("K-0048") && guesses("K-٤٨").contains("K-48"));
    }

    #[test]
    fn ids_are_alike_by_case_signs_zeros_and_what_spreadsheets_make_of_them() {
        for (one, other, is_alike) in [
            ("K-00000068", "k-68", true),
            ("K-68", "K68", true),
            ("K-1-23", "K-12-3", false),
            ("K-1-23", "K-123", true),
            ("K-1-23", "K123", true),
            ("K-1-23", "k_01_23", true),
            ("K-10", "K-1", false),
            ("001A0000006Vm9r", "001a0000006vm9r", false),
            ("001A0000006Vm9r", "'001A0000006Vm9r", true),
            ("10009", "10.009", true),
            ("12345", "12,345", true),
            ("12345", "12 345", true),
            ("12345", "12\u{202f}345", true),
            ("12345", "12'345", true),
            ("12345", "12345.0", true),
            ("12345", "12345,00", true),
            ("12345", "12.345,00", true),
            ("12345", "\"12345\"", true),
            ("12345", "#12345", true),
            ("12345", "123.45", true),
            ("123450", "12345.0", false),
            ("1234567", "1.234.567", true),
            ("1234567", "1,2,34567", true),
            ("12.345", "12,345", true),
            ("12.345", "123.45", true),
            ("1-2345", "12-345", false),
            ("12", "12.000", true),
            ("12000", "12.000", true),
            ("4711-1", "47111", true),
            ("4711-1", "471-11", false),
            ("K-2025-0042", "K20250042", true),
            ("K-2025-0042", "K-2025-42", true),
            ("K-2025-0042", "K-20250-042", false),
            ("K-2025-0042", "K-2025-43", false),
            ("6f1e0a77-0012-4c3b-9b1f-00aa12cd0034", "6F1E0A7700124C3B9B1F00AA12CD0034", true),
            ("6f1e0a77-0012-4c3b-9b1f-00aa12cd0034", "{6F1E0A77-0012-4C3B-9B1F-00AA12CD0034}", true),
            ("10009", "1.0009E+04", true),
            ("1234567890123", "1,23457E+12", true),
            ("1234467890123", "1,23457E+12", false),
            ("10009", "10008", false),
            ("10009", "20.009", false),
            ("K-0048", "K-00４８", true),
            // Cyrillic, Greek, Arabic, and what nobody sees.
            ("K-0048", "К-0048", true),
            ("K-0048", "Κ-0048", true),
            ("k-0048", "к-0048", true),
            ("A-0048", "А-0048", true),
            ("CO-17", "СО-17", true),
            ("CO-17", "CΟ-17", true),
            ("ABC-17", "ΑВС-17", true),
            ("K-0048", "Ｋ－００４８", true),
            ("K-0048", "K-٠٠٤٨", true),
            ("K-0048", "K-00\u{200b}48", true),
            ("001A0000006Vm9r", "001А0000006Vm9r", true),
            ("K-0048", "Ж-0048", false),
            ("K-0048", "К-0049", false),
            ("10009", "10.00\u{200b}9", true),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                // A number that lost digits finds nobody: nobody has such an id.
                if one.contains("E+1") {
                    continue;
                }
                let found = Alike::of([other.to_owned()].iter());
                assert_eq!(!found.to(one).is_empty(), is_alike, "{one} {other}");
            }
        }
    }

    #[test]
    fn an_id_beside_other_words_is_found() {
        for (no, contact, is_found) in [
            ("K-1, K-2", "K-2", true),
            ("K-1|K-2", "K-1", true),
            ("K-1 (Muster)", "K-1", true),
            ("Kontakt K-1", "K-1", true),
            ("https://crm.example/contacts/K-1", "K-1", true),
            ("K-1 widerrufen", "K-1", true),
            ("K-1, K-2", "K-3", false),
            ("K-1 (Muster)", "Muster", false),
            ("2024/00001", "00001", false),
            ("12 345", "345", false),
            ("К-1 (Muster)", "K-1", true),
        ] {
            let found = Alike::of([no.to_owned()].iter());
            assert_eq!(!found.to(contact).is_empty(), is_found, "{no} {contact}");
        }
    }
}
