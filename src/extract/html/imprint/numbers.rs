//! Register entries and VAT ids.
//!
//! Invariant: as found, spacing normalised; first of each kind on the page wins.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::Regex;

use super::super::blocks::Line;

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
        r"\b(?:(DE\s?\d{3}[\s.]?\d{3}[\s.]?\d{3})|(AT\s?U\s?\d{3}\s?\d{3}\s?\d{2}|AT\s?U\s?\d{8})",
        r"|(CHE[-\s]?\d{3}\.?\s?\d{3}\.?\s?\d{3}\s*(?:MWST|MwSt|TVA|IVA|VAT)\b\.?)",
        r"|((?:GB|XI)\s?\d{3}\s?\d{4}\s?\d{2}(?:\s?\d{3})?))(?:\D|$)"
    ))
});
static HR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(HRA|HRB|GnR|GsR|VR|PR)[\s.:-]*(?:(?:Nr|No|Nummer|number)\b\.?:?\s*)?(\d[\d ]{0,7}\d|\d)(\s?[A-Z]{1,3}\b)?",
    )
});
static FN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:\bFN|(?i:Firmenbuch\S*?(?:nummer|nr\.?)?)\s*:?\s*(?:FN)?)[\s.:-]*(\d[\d ]{1,7})\s?([a-z])\b")
});
static CHE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bCHE[-\s]?(\d{3})\.?\s?(\d{3})\.?\s?(\d{3})\b"));
static COMPANIES_HOUSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)(?:company|registration|registered|companies house)[^.;|]{0,60}?",
        r"\b(?:no|number|nr)?\b[.:\s]*\b((?:SC|NI|OC|SO|NC|R0)\s?\d{6}|\d{8}|\d{7})\b"
    ))
});
static COURT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(Amtsgericht|Registergericht|Landesgericht|Handelsgericht|Landes- als Handelsgericht|AG|LG|HG)\s*:?\s+",
        r"((?:Amtsgericht|AG|Landesgericht|LG|Handelsgericht|HG)\s+)?",
        r"([A-ZÄÖÜ][\p{L}-]+(?:[ -](?:am|an|im|in|der|ob|a\.|b\.|i\.|St\.|\(?[A-ZÄÖÜ][\p{L}.-]+\)?))*)"
    ))
});
static CANTON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(Handelsregister(?:amt)?(?: des)?(?: Kantons?)? [A-ZÄÖÜ][\p{L}. -]*[\p{L}]|Registre du commerce [\p{L}' -]+)",
    )
});

/// A line without one of these names no court.
static OF_COURTS: LazyLock<AhoCorasick> =
    LazyLock::new(|| any_of(&["register", "firmenbuch", "gericht", "hrb", "hra", "fn"]));
/// A line without one of these is not about a general partner.
static OF_PARTNERS: LazyLock<AhoCorasick> =
    LazyLock::new(|| any_of(&["haftende", "komplement", "general partner"]));
/// A line without one of these has no number of an Austrian register.
static OF_FIRMENBUCH: LazyLock<AhoCorasick> = LazyLock::new(|| any_of(&["fn", "firmenbuch"]));
/// A line without one of these has no number of Companies House.
static OF_COMPANIES: LazyLock<AhoCorasick> = LazyLock::new(|| any_of(&["company", "companie", "regi"]));

fn any_of(words: &[&str]) -> AhoCorasick {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("few short words")
}

/// Reads the numbers of the lines.
pub(super) fn read(lines: &[Line<'_>]) -> Numbers {
    let mut numbers = Numbers::default();
    // Patterns cost more than this look, and most lines have no number.
    let numbered: Vec<(&str, usize)> = lines
        .iter()
        .map(|l| (l.text.as_str(), digits(&l.text)))
        .filter(|(text, digits)| *digits > 0 && text.len() <= 4_000 && text.chars().count() <= 1_000)
        .collect();
    // The general partner has a register entry of its own; it counts only where there is no other.
    let (partner, own): (Vec<_>, Vec<_>) = numbered.into_iter().partition(|(text, _)| is_partner(text));
    for (text, digits) in own.into_iter().chain(partner) {
        vat(text, digits, &mut numbers);
        register(text, digits, &mut numbers);
    }
    // A Swiss company's UID is its register number too.
    if numbers.register.is_none()
        && let Some(uid) = numbers.vat_id.as_deref().and_then(|v| CHE.captures(v))
    {
        numbers.register = Some(format!("CHE-{}.{}.{}", &uid[1], &uid[2], &uid[3]));
    }
    if numbers.register.is_some() {
        let in_gb = numbers.country == Some("GB");
        numbers.court = first_court(lines).or_else(|| in_gb.then(|| "Companies House".to_owned()));
    }
    numbers
}

/// The court of the first line that names one; a general partner's counts only where there is no other.
fn first_court(lines: &[Line<'_>]) -> Option<String> {
    let (partner, own): (Vec<usize>, Vec<usize>) = (0..lines.len()).partition(|i| is_partner(&lines[*i].text));
    own.into_iter().chain(partner).find_map(|i| {
        let text = &lines[i].text;
        let short = text.len() <= 4_000 && text.chars().count() <= 1_000;
        short.then(|| court(text, lines.get(i + 1).map(|l| l.text.as_str())))?
    })
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

fn vat(text: &str, digits: usize, numbers: &mut Numbers) {
    if numbers.vat_id.is_some() || digits < 8 {
        return;
    }
    let Some(found) = VAT.captures(text) else { return };
    let (raw, country) = [(1, "DE"), (2, "AT"), (3, "CH"), (4, "GB")]
        .into_iter()
        .find_map(|(group, country)| found.get(group).map(|m| (m.as_str(), country)))
        .unwrap_or_default();
    numbers.vat_id = Some(compact_vat(raw));
    numbers.country = Some(country);
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

fn register(text: &str, digits: usize, numbers: &mut Numbers) {
    if numbers.register.is_some() {
        return;
    }
    let squeezed = |digits: &str| digits.replace(' ', "");
    let german = || memchr::memchr(b'R', text.as_bytes()).and_then(|_| HR.captures(text));
    let austrian = || OF_FIRMENBUCH.is_match(text).then(|| FN.captures(text))?;
    let swiss = || (digits >= 9).then(|| CHE.captures(text))?;
    let british = || (digits >= 6 && OF_COMPANIES.is_match(text)).then(|| COMPANIES_HOUSE.captures(text))?;
    if let Some(found) = german() {
        let suffix = found.get(3).map(|s| format!(" {}", s.as_str().trim())).unwrap_or_default();
        numbers.register = Some(format!("{} {}{suffix}", &found[1], squeezed(&found[2])));
        numbers.country = numbers.country.or(Some("DE"));
    } else if let Some(found) = austrian() {
        numbers.register = Some(format!("FN {}{}", squeezed(&found[1]), &found[2]));
        numbers.country = numbers.country.or(Some("AT"));
    } else if let Some(uid) = swiss() {
        numbers.register = Some(format!("CHE-{}.{}.{}", &uid[1], &uid[2], &uid[3]));
        numbers.country = numbers.country.or(Some("CH"));
    } else if let Some(found) = british()
        && !text.to_lowercase().contains("vat registration")
    {
        numbers.register = Some(squeezed(&found[1]).to_uppercase());
        numbers.country = numbers.country.or(Some("GB"));
    }
}

/// The court, from `Amtsgericht X`, `Registergericht: X`, or a label with the court in the next line.
fn court(text: &str, next: Option<&str>) -> Option<String> {
    if !OF_COURTS.is_match(text) {
        return None;
    }
    let lower = text.to_lowercase();
    let about_register =
        ["register", "firmenbuch", "gericht", "hrb", "hra", " fn "].iter().any(|w| format!(" {lower} ").contains(w));
    if !about_register {
        return None;
    }
    if let Some(found) = COURT.captures(text) {
        let kind = found.get(2).map_or(&found[1], |m| m.as_str()).trim();
        let kind = match kind {
            "AG" | "Registergericht" => "Amtsgericht",
            "LG" => "Landesgericht",
            "HG" => "Handelsgericht",
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
