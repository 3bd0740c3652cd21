//! Street, postal code, city, country; telephone and mail address.
//!
//! Invariant: the street is the piece right before the postal code, and only if it looks like one.

use std::sync::LazyLock;

use regex::Regex;

use super::super::blocks::Line;
use super::super::dom::Page;
use super::super::reading::Organization;
use super::country_code;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static POSTAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:(D|DE|A|AT|CH|FL|LI)\s?[-–]\s?|(DE|AT|CH)\s)?(\d{4,5})\s+(\p{Lu}[\p{L}.'’()/ -]{1,50}?)(?:\s\d{1,2})?$",
    )
});
static UK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:(\p{Lu}[\p{L}.'’ -]{1,40}?)\s+)?([A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})(?:\s+(.{2,40}))?$")
});
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[\p{L}\d][\p{L}\d.'’/ -]{1,60}\s\d{1,4}\s?[a-zA-Z]?(?:\s?[-–/+]\s?\d{1,4}\s?[a-zA-Z]?){0,2}|(?:Unit |Suite )?\d{1,4}[a-zA-Z]?(?:-\d{1,4})?,? \p{L}[\p{L}.'’ -]{2,60})$",
    )
});
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:telefon(?:nummer)?|tel|fon|phone|telephone|call us|t)\b\s*[.:]*\s*(?:\+?\(?0?\)?\s*)?(\+?[\d(][\d ()/.–-]{5,24}\d)",
    )
});
static MAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}"));

/// The first address of the lines.
pub(super) fn read(lines: &[Line<'_>], organization: &mut Organization) {
    let pieces: Vec<&str> = lines
        .iter()
        .filter(|l| l.text.chars().count() <= 400)
        // Full stops end sentences in British statements; elsewhere they abbreviate streets.
        .flat_map(|l| l.text.split(if l.text.contains("egistered ") { ". " } else { "\u{0}" }))
        .flat_map(|p| p.split([',', '|', '·', '•', ';']))
        .flat_map(|p| p.split(" - "))
        .map(|p| p.rsplit(": ").next().unwrap_or(p).trim().trim_end_matches('.'))
        .filter(|p| !p.is_empty())
        .collect();
    let Some(at) = (0..pieces.len()).find(|i| postal(&pieces, *i, organization)) else { return };
    if organization.country.is_none() {
        organization.country = pieces[at + 1..].iter().take(2).filter(|p| p.len() > 2).find_map(|p| country_code(p));
    }
}

fn postal(pieces: &[&str], i: usize, organization: &mut Organization) -> bool {
    let street_before = |k: usize| {
        let before = pieces.get(k.checked_sub(1)?)?;
        STREET.is_match(before).then(|| (*before).to_owned())
    };
    if let Some(found) = POSTAL.captures(pieces[i]) {
        let prefix = found.get(1).or_else(|| found.get(2)).map(|m| m.as_str());
        organization.country = prefix.map(|p| {
            match p {
                "D" | "DE" => "DE",
                "A" | "AT" => "AT",
                "FL" | "LI" => "LI",
                _ => "CH",
            }
            .to_owned()
        });
        let street = street_before(i);
        // Four or five digits and a word are an address only below a street, or with a country's prefix.
        if street.is_none() && prefix.is_none() && found[3].len() != 5 {
            return false;
        }
        organization.street = street;
        organization.postal_code = Some(found[3].to_owned());
        organization.city = Some(found[4].trim().to_owned());
        return true;
    }
    let Some(found) = UK.captures(pieces[i]) else { return false };
    organization.postal_code = Some(found[2].to_owned());
    let inline = found.get(1).map(|m| m.as_str().trim().to_owned());
    let before = if inline.is_some() { i } else { i.saturating_sub(1) };
    organization.city =
        inline.or_else(|| pieces.get(i.checked_sub(1)?).filter(|p| is_place(p)).map(|p| (*p).to_owned()));
    // A county or business park may stand between street and city.
    organization.street = (before.saturating_sub(2)..=before).rev().find_map(street_before);
    organization.country = Some("GB".to_owned());
    true
}

fn is_place(piece: &str) -> bool {
    piece.starts_with(char::is_uppercase)
        && !piece.contains(|c: char| c.is_ascii_digit())
        && piece.chars().count() <= 40
}

/// The first telephone number and mail address of the lines.
pub(super) fn contact(page: &Page, lines: &[Line<'_>], organization: &mut Organization) {
    for (i, line) in lines.iter().enumerate() {
        let text = &line.text;
        if text.chars().count() > 1_000 {
            continue;
        }
        if organization.phone.is_none() {
            let label = ["telefon", "tel", "phone", "telephone", "fon"];
            let is_label = label.contains(&text.trim_end_matches([':', '.']).to_lowercase().as_str());
            let labelled = lines.get(i + 1).filter(|_| is_label).map(|next| format!("Tel: {}", next.text));
            let text = labelled.as_deref().unwrap_or(text);
            organization.phone = PHONE.find(text).map(|m| number(m.as_str()));
        }
        if organization.email.is_none() {
            let address = |l: String| Some(l.strip_prefix("mailto:")?.split('?').next()?.to_owned());
            let linked = line.links(page).find_map(address);
            organization.email = linked.or_else(|| MAIL.find(text).map(|m| m.as_str().to_owned()));
        }
    }
}

/// The number from its first digit, plus or parenthesis on.
fn number(matched: &str) -> String {
    let from = matched.find(|c: char| c.is_ascii_digit() || matches!(c, '+' | '(')).unwrap_or(0);
    matched[from..].trim().to_owned()
}
