//! Register entries and VAT ids.
//!
//! Invariant: as found, spacing normalised; first of each kind on the page wins.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::Regex;

use super::abroad;
use super::scope::Said;

/// What the lines of an imprint state.
#[derive(Default)]
pub(super) struct Numbers {
    pub register: Option<String>,
    pub court: Option<String>,
    pub vat_id: Option<String>,
    /// What the numbers say about the country.
    pub country: Option<&'static str>,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static VAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:(DE(?:[\s.]?\d){9})|(AT\s?U(?:[\s.]?\d){8})",
        r"|(CHE[-\s]?\d{3}\.?\s?\d{3}\.?\s?\d{3}\s*(?:MWST|MwSt|TVA|IVA|VAT)\b\.?)",
        r"|((?:GB|XI)\s?\d{3}\s?\d{4}\s?\d{2}(?:\s?\d{3})?))(?:\D|$)"
    ))
});
static HR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(HR\s?A|HR\s?B|GnR|GsR|VR|PR)[\s.:-]*(?:(?:Nr|No|Nummer|number)\b\.?:?\s*)?(\d[\d ]{0,7}\d|\d)(\s?[A-Z]{1,3}\b)?",
    )
});
static FN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:\bFN|(?i:Firmenbuch\S*?(?:nummer|nr\.?)?)\s*:?\s*(?:FN)?)[\s.:-]*(\d[\d ]{1,7})\s?([a-z])\b")
});
static CHE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bCHE[-\s]?(\d{3})\.?\s?(\d{3})\.?\s?(\d{3})\b"));
static COMPANIES_HOUSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)(?:company|registration|registered|companies house|\bco\.?\s(?:reg\.?\s)?no)[^.;|]{0,60}?",
        r"\b(?:no|number|nr)?\b[.:\s]*\b((?:SC|NI|OC|SO|NC|R0)\s?\d{6}|\d{8}|\d{7})\b"
    ))
});
static COURT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(Amtsgericht|Registergericht|Landesgericht|Handelsgericht|Landes- als Handelsgericht|Local Court|District Court|AG|LG|HG)",
        r"(?:s|es)?(?:\s+für\s+Zivilrechtssachen)?\s*:?\s+(?:in\s+|of\s+)?",
        r"((?:Amtsgericht|AG|Landesgericht|LG|Handelsgericht|HG|Local Court)(?:\s+für\s+Zivilrechtssachen)?\s+)?",
        r"([A-ZÄÖÜ][\p{L}-]+(?:[ -](?:am|an|im|in|der|ob|a\.|b\.|i\.|St\.|\(?[A-ZÄÖÜ][\p{L}.-]+\)?))*)"
    ))
});
static CANTON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(Handelsregisteramt: Kanton [A-ZÄÖÜ][\p{L}. -]*[\p{L}]|Handelsregister(?:amt)?(?: des)?(?: Kantons?)? [A-ZÄÖÜ][\p{L}. -]*[\p{L}]|Registre du commerce du [\p{L}' -]+)",
    )
});

/// A line without one of these names no court.
static OF_COURTS: LazyLock<AhoCorasick> =
    LazyLock::new(|| any_of(&["regist", "firmenbuch", "gericht", "court", "hrb", "hra", "fn"]));
/// A line without one of these is not about a general partner.
static OF_PARTNERS: LazyLock<AhoCorasick> = LazyLock::new(|| any_of(&["haftende", "komplement", "general partner"]));
/// A line without one of these has no number of Companies House.
static OF_COMPANIES: LazyLock<AhoCorasick> =
    LazyLock::new(|| any_of(&["company", "companie", "regi", "co. ", "co no", "co reg"]));

fn any_of(words: &[&str]) -> AhoCorasick {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("few short words")
}

/// Reads the numbers of the lines; register entries, of which others have some too, from the company's own parts of them.
pub(super) fn read(lines: &[Said<'_, '_>], own: &[Said<'_, '_>], form: Option<&str>) -> Numbers {
    let vat = first(numbered(lines), |(before, text, digits)| {
        Some((text, vat(text, digits).or_else(|| abroad::vat(before, text))?))
    });
    let register = first(numbered(own), |(before, text, digits)| {
        let found = register(text, digits).or_else(|| abroad::register(before, text))?;
        form.is_none_or(|form| fits(&found.0, form)).then_some((text, found))
    });
    let mut numbers = Numbers {
        country: vat.as_ref().or(register.as_ref()).map(|(_, country)| *country).filter(|c| !c.is_empty()),
        vat_id: vat.map(|(id, _)| id),
        register: register.map(|(number, _)| number),
        court: None,
    };
    // A Swiss company's UID is its register number too.
    if numbers.register.is_none()
        && let Some(uid) = numbers.vat_id.as_deref().and_then(|v| CHE.captures(v))
    {
        numbers.register = Some(format!("CHE-{}.{}.{}", &uid[1], &uid[2], &uid[3]));
    }
    if numbers.register.is_some() {
        let in_gb = numbers.country == Some("GB");
        numbers.court = first_court(own).or_else(|| in_gb.then(|| "Companies House".to_owned()));
    }
    numbers
}

/// The lines that may have a number, each with the one before it and its digits: patterns cost more than this look, and most
/// lines have none.
fn numbered<'l>(lines: &'l [Said<'l, '_>]) -> impl Iterator<Item = (&'l str, &'l str, usize)> {
    let before = std::iter::once("").chain(lines.iter().map(|l| l.text));
    let all = before.zip(lines).map(|(before, l)| (before, l.text, digits(l.text)));
    all.filter(|(_, text, digits)| *digits > 0 && is_short(text))
}

/// Whether a company of that legal form can stand in the part of the German register that a number names.
fn fits(number: &str, form: &str) -> bool {
    let part = number.split(' ').next().unwrap_or_default();
    let is_of = |words: &[&str]| words.iter().any(|w| form.contains(w));
    match part {
        "HRA" => is_of(&["KG", "OHG", "e.K", "e. K", "ommandit", "eingetragene"]) && !form.contains("KGaA"),
        "HRB" => {
            is_of(&["GmbH", "mbH", "AG", "UG", "SE", "KGaA", "eschränkter", "ktien", "VVaG"])
                && (!is_of(&["KG"]) || form.contains("KGaA"))
        }
        "GnR" => is_of(&["eG", "e.G", "enossenschaft", "SCE"]),
        "VR" => is_of(&["e.V", "e. V", "erein"]),
        "PR" => is_of(&["Part"]),
        "GsR" => is_of(&["GbR"]),
        _ => true,
    }
}

/// The court of the first line that names one.
fn first_court(lines: &[Said<'_, '_>]) -> Option<String> {
    first(lines.iter().enumerate(), |(i, line)| {
        let next = || lines.get(i + 1).map(|l| l.text);
        let named = |text: &str| court(text, next()).or_else(|| abroad::court(text));
        Some((line.text, named(line.text).filter(|_| is_short(line.text))?))
    })
}

/// The first of what is found in lines. The general partner has a register entry of its own; it counts only where there
/// is no other.
fn first<'l, I, T>(lines: impl Iterator<Item = I>, find: impl Fn(I) -> Option<(&'l str, T)>) -> Option<T> {
    let mut of_partner = None;
    for (line, found) in lines.filter_map(find) {
        if !is_partner(line) {
            return Some(found);
        }
        of_partner.get_or_insert(found);
    }
    of_partner
}

fn is_short(line: &str) -> bool {
    line.len() <= 4_000 && line.chars().count() <= 1_000
}

/// Digits of whatever script, as the patterns know them; 0 where none is ASCII.
fn digits(text: &str) -> usize {
    let ascii = text.bytes().filter(u8::is_ascii_digit).count();
    // Others begin with U+0660.
    if ascii == 0 || !text.bytes().any(|b| b >= 0xD9) {
        return ascii;
    }
    ascii + text.chars().filter(|c| *c >= '\u{660}' && c.is_numeric()).count()
}

fn is_partner(line: &str) -> bool {
    if !OF_PARTNERS.is_match(line) {
        return false;
    }
    let lower = line.to_lowercase();
    ["haftende", "komplementär", "general partner"].iter().any(|w| lower.contains(w))
}

/// The VAT id in a line, and its country.
fn vat(text: &str, digits: usize) -> Option<(String, &'static str)> {
    let found = if digits < 8 { None } else { VAT.captures(text) }?;
    let (raw, country) = [(1, "DE"), (2, "AT"), (3, "CH"), (4, "GB")]
        .into_iter()
        .find_map(|(group, country)| found.get(group).map(|m| (m.as_str(), country)))?;
    Some((compact_vat(raw), country))
}

/// A VAT id without spaces; `CHE-123.456.789 MWST` keeps its form.
pub(in super::super) fn compact_vat(raw: &str) -> String {
    if let Some(uid) = CHE.captures(raw) {
        let suffix = raw.trim_end_matches('.').rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        let suffix =
            if suffix.is_empty() || suffix == "CHE" { String::new() } else { format!(" {}", suffix.to_uppercase()) };
        return format!("CHE-{}.{}.{}{suffix}", &uid[1], &uid[2], &uid[3]);
    }
    raw.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase()
}

/// The register number in a line, and its country.
fn register(text: &str, digits: usize) -> Option<(String, &'static str)> {
    let squeezed = |digits: &str| digits.replace(' ', "");
    let german = || memchr::memchr(b'R', text.as_bytes()).and_then(|_| HR.captures(text));
    let austrian = || if may_be_firmenbuch(text) { FN.captures(text) } else { None };
    let swiss = || if digits >= 9 { CHE.captures(text) } else { None };
    let of_company = || digits >= 6 && OF_COMPANIES.is_match(text);
    let british = || if of_company() { COMPANIES_HOUSE.captures(text) } else { None };
    if let Some(found) = german() {
        let suffix = found.get(3).map(|s| format!(" {}", s.as_str().trim())).unwrap_or_default();
        Some((format!("{} {}{suffix}", squeezed(&found[1]), squeezed(&found[2])), "DE"))
    } else if let Some(found) = austrian() {
        Some((format!("FN {}{}", squeezed(&found[1]), &found[2]), "AT"))
    } else if let Some(uid) = swiss() {
        Some((format!("CHE-{}.{}.{}", &uid[1], &uid[2], &uid[3]), "CH"))
    } else {
        let found = british()?;
        let end = found.get(1).map_or(0, |number| number.end());
        if is_of_other_register(&text[..end]) {
            return None;
        }
        Some((squeezed(&found[1]).to_uppercase(), "GB"))
    }
}

/// Whether a text that ends with a number says that another register than that of companies keeps it.
fn is_of_other_register(text: &str) -> bool {
    let from = text.ceil_char_boundary(text.len().saturating_sub(90));
    let lower = text[from..].to_lowercase();
    let words = [
        "vat registration",
        "charit",
        "data protection",
        "information commissioner",
        "ico ",
        "conduct authority",
        "fca",
        "trade mark",
        "trademark",
        "solicitors",
        "carrier",
        "iso ",
        "pharma",
        "weee",
    ];
    let last = lower.rfind("company").unwrap_or(0);
    words.iter().any(|w| lower.rfind(w).is_some_and(|at| at >= last))
}

/// Whether a line may have a number of an Austrian register: never `false` where it does.
fn may_be_firmenbuch(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'F', b'f', bytes).any(|at| {
        let word = bytes.get(at..at + "firmenbuch".len());
        bytes[at..].starts_with(b"FN") || word.is_some_and(|w| w.eq_ignore_ascii_case(b"firmenbuch"))
    })
}

/// The court, from `Amtsgericht X`, `Registergericht: X`, or a label with the court in the next line.
fn court(text: &str, next: Option<&str>) -> Option<String> {
    if !OF_COURTS.is_match(text) {
        return None;
    }
    let lower = text.to_lowercase();
    let about_register = ["regist", "firmenbuch", "gericht", "court", "hrb", "hra", " fn "]
        .iter()
        .any(|w| format!(" {lower} ").contains(w));
    if !about_register {
        return None;
    }
    if let Some(found) = COURT.captures(text) {
        let kind = found.get(2).map_or(&found[1], |m| m.as_str()).trim();
        let kind = match kind {
            "AG" | "Registergericht" => "Amtsgericht",
            "LG" => "Landesgericht",
            "HG" => "Handelsgericht",
            "Landesgericht" if text.contains("Zivilrechtssachen") => "Landesgericht für Zivilrechtssachen",
            other => other,
        };
        let place = found[3].trim();
        // `Amtsgericht München HRB 1`: the register is not part of the name.
        let place = place.split([' ']).take_while(|w| {
            !matches!(
                *w,
                "HRB" | "HRA" | "FN" | "GnR" | "VR" | "PR" | "Handelsregister" | "Registernummer" | "Firmenbuch"
            )
        });
        let place = place.collect::<Vec<_>>().join(" ");
        return (!place.is_empty()).then(|| format!("{kind} {place}"));
    }
    if let Some(found) = CANTON.captures(text) {
        return Some(found[1].trim().to_owned());
    }
    let label = lower.trim_end_matches(':');
    let is_label =
        ["registergericht", "firmenbuchgericht", "amtsgericht", "zuständiges gericht", "gericht"].contains(&label);
    is_label
        .then(|| next.filter(|n| n.chars().count() < 60 && n.starts_with(char::is_uppercase)).map(str::to_owned))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_cheap_questions_miss_no_number(words in proptest::collection::vec(proptest::sample::select(vec![
            "DE", "123", "456789", "ATU", "12345678", "CHE-", ".", "GB", "HRB", "VR", "Nr.", "FN", "Firmenbuchnummer",
            "FIRMENBUCH", "123456", "a", "Company", "regi\u{17F}tered", "REGISTRATION number", "01234567", "\u{661}\u{662}", ":", "7",
        ]), 0..7), glue in "[ ]?") {
            let line = words.join(&glue);
            let digits = digits(&line);
            if line.bytes().any(|b| b.is_ascii_digit()) {
                assert!(digits >= 8 || !VAT.is_match(&line), "{line}");
                assert!(line.contains('R') || !HR.is_match(&line), "{line}");
                assert!(may_be_firmenbuch(&line) || !FN.is_match(&line), "{line}");
                assert!(digits >= 9 || !CHE.is_match(&line), "{line}");
                assert!((digits >= 6 && OF_COMPANIES.is_match(&line)) || !COMPANIES_HOUSE.is_match(&line), "{line}");
            }
        }
    }
}
