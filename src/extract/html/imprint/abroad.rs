//! VAT ids and register entries of countries whose numbers say little by themselves.
//!
//! Invariant: a number counts only beside the word that says what it is, in its line or in the one before it; a bank account is none.

use std::sync::LazyLock;

use regex::Regex;

/// Longer lines label nothing.
const MAX_LABEL: usize = 60;

/// A country (empty = several write it so) and how the number is written there.
type Pattern = (&'static str, Regex);

fn patterns(table: &[(&'static str, &str)]) -> Vec<Pattern> {
    table.iter().map(|(country, text)| (*country, Regex::new(text).expect("a constant pattern"))).collect()
}

/// Ids with the letters of their country.
static LETTERED: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    patterns(&[
        ("FR", r"\b(FR\s?[0-9A-HJ-NP-Z]{2}\s?\d{3}\s?\d{3}\s?\d{3})\b"),
        ("NL", r"\b(NL\s?\d{4}[.\s]?\d{2}[.\s]?\d{3}[.\s]?B\s?\d{2})\b"),
        ("IE", r"\b(IE\s?\d[0-9A-Z]\d{5}\s?[A-W][A-I]?)\b"),
        ("BE", r"\b(BE\s?[01]?\d{3}[\s.]?\d{3}[\s.]?\d{3})\b"),
        ("IT", r"\b(IT\s?\d{11})\b"),
        ("ES", r"\b(ES\s?[A-Z]-?\d{7}[0-9A-Z])\b"),
        ("DK", r"\b(DK[\s-]?\d{2}\s?\d{2}\s?\d{2}\s?\d{2})\b"),
        ("PL", r"\b(PL\s?\d{3}[-\s]?\d{2,3}[-\s]?\d{2}[-\s]?\d{2,3})\b"),
        ("SE", r"\b(SE\s?\d{10}\s?01)\b"),
        ("FI", r"\b(FI\s?\d{8})\b"),
        ("CZ", r"\b(CZ\s?\d{8,10})\b"),
        ("SK", r"\b(SK\s?\d{10})\b"),
        ("LU", r"\b(LU\s?\d{8})\b"),
        ("PT", r"\b(PT\s?\d{3}\s?\d{3}\s?\d{3})\b"),
        ("HU", r"\b(HU\s?\d{8})\b"),
        ("HR", r"\b(HR\s?\d{11})\b"),
        ("SI", r"\b(SI\s?\d{8})\b"),
    ])
});
/// Ids without letters, behind their label.
static LABELLED: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    patterns(&[
        ("GB", r"(?i)\bvat\s(?:registration\s|reg\.?\s)?(?:no|number|nr|id)\b[.:\s]*(\d{3}\s?\d{4}\s?\d{2})\b"),
        ("IT", r"(?i)\b(?:p\.?\s?iva|partita\s?iva)\b[^0-9]{0,20}(\d{11})\b"),
        ("PL", r"\bNIP\b[^0-9]{0,6}(\d{3}[-\s]?\d{2,3}[-\s]?\d{2}[-\s]?\d{2,3})\b"),
        ("ES", r"\b(?:CIF|NIF|C\.I\.F\.|N\.I\.F\.)[:\s]*([A-Z]-?\d{7}[0-9A-Z])\b"),
        ("NO", r"\b(\d{3}\s?\d{3}\s?\d{3}\s?MVA)\b"),
    ])
});
static REGISTERS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    patterns(&[
        ("NL", r"(?i)\b(?:kvk|chamber of commerce|kamer van koophandel)\b[^0-9]{0,24}(\d{2}\s?\d{3}\s?\d{3})\b"),
        ("DK", r"(?i)\bcvr\b[^0-9]{0,12}(\d{2}\s?\d{2}\s?\d{2}\s?\d{2})\b"),
        (
            "FR",
            r"(?i)(?:\brcs\b|\br\.c\.s\.|registre du commerce et des sociétés)[^0-9]{0,60}(\d{3}\s?\d{3}\s?\d{3})\b",
        ),
        ("PL", r"\bKRS\b[^0-9]{0,12}(\d{10})\b"),
        ("SG", r"\bUEN\b[^0-9A-Z]{0,12}(\d{8,9}[A-Z]|[TSR]\d{2}[A-Z]{2}\d{4}[A-Z])\b"),
        ("IT", r"(?i)\b(?:registro\s(?:delle\s)?imprese|reg\.\s?imprese)[^0-9]{0,40}(\d{11})\b"),
        ("SE", r"(?i)\borg(?:anisations)?[.-]?\s?(?:nr|nummer|no)\b[^0-9]{0,6}(\d{6}-\d{4})\b"),
        ("NO", r"(?i)\borg(?:anisasjons)?[.-]?\s?(?:nr|nummer|no)\b[^0-9]{0,6}(\d{3}\s?\d{3}\s?\d{3})\b"),
        ("FI", r"(?i)\by-tunnus\b[^0-9]{0,4}(\d{7}-\d)\b"),
        ("CZ", r"\b(?:IČO|IČ)\b[^0-9]{0,6}(\d{8}|\d{3}\s?\d{2}\s?\d{3})\b"),
        ("BE", r"(?i)\b(?:kbo|bce|ondernemingsnummer|rpr|rpm)\b[^0-9]{0,20}([01]?\d{3}[.\s]?\d{3}[.\s]?\d{3})\b"),
        ("HU", r"(?i)\bcégjegyzékszám\b[^0-9]{0,6}(\d{2}-\d{2}-\d{6})\b"),
        ("", r"(?i)\bregistered\s(?:in|at)\s[^0-9.;:]{0,40}\b(?:no|number|nr)\b[.:\s]*(\d{5,8})\b"),
        ("", r"(?i)\bcompany\s(?:reg(?:istration|istered)?\.?\s)?(?:no|number|nr)\b[.:\s]*(\d{5,6})\b"),
    ])
});
static OFFICES: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    patterns(&[
        (
            "FR",
            r"(?i)\b(Registre du commerce et des sociétés (?:de |d['’])?\p{L}[\p{L}' -]*?)(?:\s+sous\b|\s+n°|\s*[,.:(]|\s+\d|$)",
        ),
        ("FR", r"\b(RCS (?:de )?\p{Lu}[\p{L}' -]*?)(?:\s+[AB])?\s*:?\s+(?:n°\s*)?\d"),
        ("PL", r"\b(Sąd Rejonowy [\p{L}. -]+?)(?:,|\s+[IVX]+\s|$)"),
        ("IT", r"\b(Reg(?:istro|\.)(?: delle)? Imprese di \p{Lu}[\p{L}' -]*?)(?:\s+n\b|\s*[,.:(–]|\s+\d|$)"),
    ])
});
/// What a line with a VAT id of any country says.
static OF_VAT: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"(?i)\b(?:vat|tva|i\.?v\.?a|btw|moms\w*|mva|ust|uid|nip|dič|dph|alv|cvr|nif|cif|tax|mehrwertsteuer|umsatzsteuer\S*)\b";
    Regex::new(words).expect("a constant pattern")
});

/// A line behind the label before it, if that is one.
fn with_label(before: &str, text: &str) -> String {
    let is_label = before.len() <= MAX_LABEL && !before.contains(|c: char| c.is_ascii_digit());
    if is_label { format!("{before} {text}") } else { text.to_owned() }
}

fn find(table: &[Pattern], text: &str) -> Option<(String, &'static str)> {
    table.iter().find_map(|(country, pattern)| Some((pattern.captures(text)?[1].to_owned(), *country)))
}

/// The VAT id of a line, and its country.
pub(super) fn vat(before: &str, text: &str) -> Option<(String, &'static str)> {
    if text.bytes().filter(u8::is_ascii_digit).count() < 7 || text.contains("IBAN") {
        return None;
    }
    let labelled = with_label(before, text);
    if !OF_VAT.is_match(&labelled) {
        return None;
    }
    let (id, country) = find(&LETTERED, text).or_else(|| find(&LABELLED, &labelled))?;
    Some((id.chars().filter(char::is_ascii_alphanumeric).collect(), country))
}

/// The register number of a line, and its country.
pub(super) fn register(before: &str, text: &str) -> Option<(String, &'static str)> {
    if text.bytes().filter(u8::is_ascii_digit).count() < 5 || text.contains("IBAN") {
        return None;
    }
    let (number, country) = find(&REGISTERS, &with_label(before, text))?;
    Some((number.split_whitespace().collect(), country))
}

/// The office that keeps the register.
pub(super) fn court(text: &str) -> Option<String> {
    find(&OFFICES, text).map(|(office, _)| office.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_need_their_words() {
        for (before, text, id) in [
            ("", "TVA intracommunautaire : FR 00 000000000", Some("FR00000000000")),
            ("VAT (btw-id)", "NL000000000B00", Some("NL000000000B00")),
            ("", "VAT registration number: 000 0000 00", Some("000000000")),
            ("", "P.IVA e C.F. 00000000000", Some("00000000000")),
            ("Telefon", "DK 00 00 00 00", None),
            ("", "IBAN PL 000 00 00 000 VAT", None),
        ] {
            assert_eq!(vat(before, text).map(|(id, _)| id).as_deref(), id, "{before} {text}");
        }
        for (before, text, number) in [
            ("", "RCS Lorient 000 000 000", Some("000000000")),
            ("KvK", "00 000 000", Some("00000000")),
            ("", "Co. Reg. No. (UEN): 200000000K", Some("200000000K")),
            ("Telefon", "00 000 000", None),
        ] {
            assert_eq!(register(before, text).map(|(number, _)| number).as_deref(), number, "{before} {text}");
        }
        assert_eq!(court("RCS Lorient B 000 000 000").as_deref(), Some("RCS Lorient"));
    }
}
