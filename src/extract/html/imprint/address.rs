//! Street, postal code, city, country.
//!
//! Invariant: the street is one of the few pieces right before the postal code, and only if it looks like one; a post office box is
//! none. Digits that may be anything are a postal code only below a street.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::super::lexicon::LEXICON;
use super::super::reading::Organization;
use super::country_code;
use super::scope::Said;

/// Pieces before a postal code among which the street is.
const REACH: usize = 4;
/// More digits are a telephone number.
const MAX_DIGITS: usize = 8;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static POSTAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(?:(D|DE|A|AT|CH|FL|LI|F|FR|B|BE|L|LU|NL|I|IT|DK|PL|CZ|S|SE|N|NO|FI|E|ES|P|PT|SK|HU|H|SI|HR)\s?[-–]\s?|(D|A|DE|AT|CH|FR|BE|LU|NL|IT|DK|SE|NO|FI|ES|PT)\s)?",
        r"(\d{4}\s?[A-Z]{2}|\d{2}-\d{3}|\d{3}\s\d{2}|\d{4}-\d{3}|\d{4,5})\s+",
        r"(\p{Lu}[\p{L}.'’()/ -]{1,50}?)(?:\s\d{1,2})?$",
    ))
});
static CODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:(?:D|DE|A|AT|CH)\s?-\s?)?\d{4,5}$"));
static UK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:(\p{Lu}[\p{L}.'’ -]{1,40}?)\s+)?([A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})(?:\s+(.{2,40}))?$")
});
static IRELAND: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:(\p{Lu}[\p{L}.'’ -]{1,40}?)\s+)?([AC-FHKNPRTV-Y]\d[\dW]\s?[AC-FHKNPRTV-Y\d]{4})$"));
static AMERICA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:(\p{Lu}[\p{L}.'’ -]{1,40}?)\s+)?[A-Z]{2}\s(\d{5}|[A-Z]\d[A-Z]\s?\d[A-Z]\d)(?:-\d{4})?(?:\sUSA)?$")
});
static SINGAPORE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(Singapore)\s\(?(\d{6})\)?$"));
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(?:[\p{L}\d][\p{L}\d.'’/ -]{1,60}\s\d{1,4}\s?[a-zA-Z]?(?:\s?[-–/+]\s?(?:\d{1,4}\s?[a-zA-Z]?|[IVX]{1,4}))*",
        r"|(?:Unit |Suite |No\. )?\d{1,4}[a-zA-Z]?(?:-\d{1,4})?,? \p{L}[\p{L}\d.'’ -]{2,60}(?:\s#\d{1,3}-\d{1,4}[A-Z]?)?)$",
    ))
});
/// A French street inside a sentence.
static RUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b\d{1,4}(?:\s?(?:bis|ter|[a-d]))?,?\s(?:rue|quai|avenue|av\.|boulevard|bd|place|chemin|route|allée|impasse|cours|square|passage)\s[\p{L}\d.'’ -]{2,50}$",
    )
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{1,4}\s?[a-zA-Z]?(?:[-/]\d{1,4}[a-zA-Z]?)?$"));
static ROOM: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?i:suite|ste\.?|unit|floor|apt\.?)\s\S{1,8}$"));
static BOX: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:postfach|case postale|p\.?\s?o\.?\s?box|postbus|postboks|boîte postale|casella postale|apartado|bp|c/o|dx)\b",
    )
});

/// The pieces of lines: what commas, bars and full stops part, without labels.
fn pieces<'l>(lines: &[Said<'l, '_>]) -> Vec<&'l str> {
    let openings = [": ", " is at ", " situé ", " située ", " domicilié "];
    lines
        .iter()
        .filter(|l| l.text.chars().count() <= 600)
        // Full stops end sentences in British statements; elsewhere they abbreviate streets.
        .flat_map(|l| l.text.split(if l.text.contains("egistered ") { ". " } else { "\u{0}" }))
        .flat_map(|p| p.split([',', '|', '·', '•', ';', '∙', '‧', '●', '▪']))
        .flat_map(|p| p.split(" // "))
        .flat_map(|p| p.split(" - "))
        .flat_map(|p| p.split(" – "))
        .map(|p| openings.iter().fold(p, |p, o| p.rsplit(o).next().unwrap_or(p)).trim().trim_end_matches('.'))
        .filter(|p| !p.is_empty())
        .collect()
}

/// The first address of the lines.
pub(super) fn read(lines: &[Said<'_, '_>], organization: &mut Organization) {
    let pieces = pieces(lines);
    let mut found = (0..pieces.len()).filter_map(|i| Some((i, postal(&pieces, i)?)));
    let Some(first) = found.next() else { return };
    // The visitors' address stands beside that of the post office box.
    let is_boxed = first.1.street.is_none() && pieces[..first.0].last().is_some_and(|p| BOX.is_match(p));
    let with_street = if is_boxed { found.find(|(_, a)| a.street.is_some()) } else { None };
    let (at, address) = with_street.unwrap_or(first);
    let next = || pieces[at + 1..].iter().take(2).filter(|p| p.len() > 2).find_map(|p| country_code(p));
    organization.country = address.country.or_else(next).or(organization.country.take());
    organization.street = address.street;
    organization.postal_code = Some(address.postal_code);
    organization.city = address.city;
}

/// The postal codes of all addresses of the lines.
pub(super) fn postal_codes(lines: &[Said<'_, '_>]) -> Vec<String> {
    let pieces = pieces(lines);
    (0..pieces.len()).filter_map(|i| postal(&pieces, i)).map(|a| a.postal_code).collect()
}

struct Address {
    street: Option<String>,
    postal_code: String,
    city: Option<String>,
    country: Option<String>,
}

fn postal(pieces: &[&str], i: usize) -> Option<Address> {
    if let Some(found) = POSTAL.captures(pieces[i]) {
        return continental(pieces, i, &found);
    }
    // Code and town in cells or blocks of their own.
    if CODE.is_match(pieces[i]) {
        let town = pieces[i + 1..]
            .iter()
            .take(2)
            .find(|p| !["ort", "stadt", "city", "town"].contains(&p.to_lowercase().as_str()))?;
        let joined = format!("{} {town}", pieces[i]);
        let address = continental(pieces, i, &POSTAL.captures(&joined).filter(|_| is_place(town))?)?;
        return address.street.is_some().then_some(address);
    }
    let abroad = [(&UK, "GB"), (&IRELAND, "IE"), (&AMERICA, "US"), (&SINGAPORE, "SG")];
    let (found, country) = abroad.iter().find_map(|(p, country)| Some((p.captures(pieces[i])?, *country)))?;
    let street = street_before(pieces, i);
    // Two capitals and five digits may be anything.
    if street.is_none() && !matches!(country, "GB" | "IE") {
        return None;
    }
    let postal_code = found[2].to_owned();
    let country =
        if country == "US" && !postal_code.starts_with(|c: char| c.is_ascii_digit()) { "CA" } else { country };
    let inline = found.get(1).map(|m| m.as_str().trim());
    let from = street.as_ref().map_or(i.saturating_sub(2), |(_, at)| at + 1);
    // A county or business park may stand between street, city and code.
    let mut between = pieces[from.min(i)..i].iter().copied().chain(inline);
    let city = between.rfind(|p| is_place(p) && !is_county(p));
    Some(Address {
        street: street.map(|(street, _)| street),
        postal_code,
        city: city.map(str::to_owned),
        country: Some(country.to_owned()),
    })
}

fn continental(pieces: &[&str], i: usize, found: &Captures<'_>) -> Option<Address> {
    let prefix = found.get(1).or_else(|| found.get(2)).map(|m| m.as_str());
    let code = &found[3];
    // In Austria and Hungary the street may stand behind the town.
    let behind = || {
        pieces
            .get(i + 1)
            .filter(|p| STREET.is_match(p) && p.starts_with(char::is_alphabetic) && !is_phone(p) && !BOX.is_match(p))
    };
    let street = street_before(pieces, i).or_else(|| Some(((*behind()?).to_owned(), i)));
    // Four or five digits and a word are an address only below a street, or with a country's prefix.
    if street.is_none() && prefix.is_none() && code.len() != 5 {
        return None;
    }
    let by_form = || match code.as_bytes() {
        [.., b'A'..=b'Z'] => Some("NL"),
        [_, _, b'-', ..] => Some("PL"),
        [_, _, _, _, b'-', ..] => Some("PT"),
        _ => None,
    };
    let city = found[4].trim();
    // An Italian province, a French sorting office.
    let province = city
        .strip_suffix(')')
        .and_then(|c| c.rsplit_once(" ("))
        .filter(|(_, p)| p.len() == 2 && *p == p.to_uppercase());
    let city = province.map_or(city, |(city, _)| city);
    let bare_province =
        city.rsplit_once(' ').filter(|(_, p)| p.len() == 2 && p.bytes().all(|b| b.is_ascii_uppercase()));
    let city = bare_province.map_or(city, |(city, _)| city);
    let cedex = city.to_lowercase().find(" cedex").filter(|at| city.is_char_boundary(*at));
    let city = cedex.map_or(city, |at| &city[..at]);
    // `12345 Musterstadt Deutschland`, without a comma.
    let (city, named) = match city.rsplit_once(' ') {
        Some((before, last)) if last.len() > 2 && country_code(last).is_some() => (before, country_code(last)),
        _ => (city, None),
    };
    Some(Address {
        street: street.map(|(street, _)| street),
        postal_code: code.to_owned(),
        city: Some(city.trim_end_matches(['-', '–', ' ', '(']).to_owned()),
        country: prefix.map(country_of).or_else(by_form).map(str::to_owned).or(named),
    })
}

fn country_of(prefix: &str) -> &'static str {
    let prefixes = [
        ("D", "DE"),
        ("A", "AT"),
        ("FL", "LI"),
        ("F", "FR"),
        ("B", "BE"),
        ("L", "LU"),
        ("I", "IT"),
        ("S", "SE"),
        ("N", "NO"),
        ("E", "ES"),
        ("P", "PT"),
        ("H", "HU"),
        ("DE", "DE"),
        ("AT", "AT"),
        ("LI", "LI"),
        ("FR", "FR"),
        ("BE", "BE"),
        ("LU", "LU"),
        ("NL", "NL"),
        ("IT", "IT"),
        ("DK", "DK"),
        ("PL", "PL"),
        ("CZ", "CZ"),
        ("SE", "SE"),
        ("NO", "NO"),
        ("FI", "FI"),
        ("ES", "ES"),
        ("PT", "PT"),
        ("SK", "SK"),
        ("HU", "HU"),
        ("SI", "SI"),
        ("HR", "HR"),
    ];
    prefixes.iter().find(|(p, _)| *p == prefix).map_or("CH", |(_, country)| *country)
}

/// The street among the pieces before one, and where its last piece stands.
fn street_before(pieces: &[&str], i: usize) -> Option<(String, usize)> {
    for at in (i.saturating_sub(REACH)..i).rev() {
        let piece = pieces[at];
        if POSTAL.is_match(piece) || UK.is_match(piece) {
            return None;
        }
        if BOX.is_match(piece) || piece.bytes().filter(u8::is_ascii_digit).count() > MAX_DIGITS {
            continue;
        }
        let before = at.checked_sub(1).map(|k| pieces[k]);
        if ROOM.is_match(piece)
            && let Some(street) = before.filter(|b| STREET.is_match(b))
        {
            return Some((format!("{street}, {piece}"), at));
        }
        if NUMBER.is_match(piece)
            && let Some(street) = before.filter(|b| is_place(b) && b.contains(' '))
        {
            return Some((format!("{street}, {piece}"), at));
        }
        if STREET.is_match(piece) && !is_phone(piece) {
            return Some((piece.to_owned(), at));
        }
        if let Some(rue) = RUE.find(piece) {
            return Some((rue.as_str().to_owned(), at));
        }
    }
    None
}

fn is_phone(piece: &str) -> bool {
    let first = piece.split([' ', '.', ':']).next().unwrap_or_default().to_lowercase();
    [
        "tel", "fon", "fax", "telefon", "telefax", "phone", "mobil", "mobile", "tél", "hrb", "hra", "vr", "fn", "seit",
        "nr", "bic", "blz",
    ]
    .contains(&first.as_str())
}

fn is_place(piece: &str) -> bool {
    // `Dublin 2`
    let town = piece.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
    piece.starts_with(char::is_uppercase)
        && piece.len() - town.len() <= 3
        && !town.contains(|c: char| c.is_ascii_digit())
        && piece.chars().count() <= 40
}

fn is_county(piece: &str) -> bool {
    let lower = piece.to_lowercase();
    lower.starts_with("co. ") || lower.starts_with("county ") || LEXICON.counties.contains(&lower)
}
