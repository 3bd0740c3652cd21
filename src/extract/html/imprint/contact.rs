//! Telephone number and mail address of a company.
//!
//! Invariant: what is said to be a fax is no telephone; an address is put together only from what the page shows or carries for its
//! readers, and a mailbox for one purpose (data protection, press, applications) is not the company's.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::super::dom::{self, El, Page};
use super::super::people::own::Own;
use super::super::reading::Organization;
use super::scope::Said;

/// Lines below the company's name whose mail address is its own whatever the domain.
const CLOSE: usize = 8;
/// Mail addresses of one page that are looked at.
const MAX_MAILS: usize = 64;
/// Elements of a block that are searched for an address that the page keeps from harvesters.
const MAX_ELEMENTS: usize = 64;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)(?:\b(?:telefon(?:nummer)?|telefoon|tel|fon|phone|telephone|téléphone|tél|teléfono|telefono|tlf|puh|mobil|mobile|call us|ring|t)\b|☎)",
        r"\s*[.:]*\s*(?:\+?\(?0?\)?\s*)?(\+?[\d(][\d ()/.–-]{5,24}\d)",
    ))
});
/// A line that is an international number and nothing else.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:\+|00)[1-9]\d{0,2}[\d ()/.–-]{6,20}\d$"));
static MAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}"));
/// `info [at] muster [punkt] example`, `info AT muster DOT example`.
static MASKED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"([A-Za-z0-9._%+-]{1,64})\s?(?:[\[({<]\s?(?i:at|ät|arobase|chiocciola|@|a)\s?[\])}>]|\sAT\s)\s?",
        r"([A-Za-z0-9-]{1,63}(?:(?:\s?[\[({]\s?(?i:dot|punkt|point|punto)\s?[\])}]\s?|\sDOT\s|\sPUNKT\s|\.)[A-Za-z0-9-]{1,63}){1,4})",
    ))
});
static DOT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\s?[\[({]\s?(?i:dot|punkt|point|punto)\s?[\])}]\s?|\sDOT\s|\sPUNKT\s"));

/// Providers of mailboxes.
const PROVIDERS: [&str; 24] = [
    "gmx",
    "web",
    "t-online",
    "gmail",
    "googlemail",
    "outlook",
    "hotmail",
    "yahoo",
    "aol",
    "freenet",
    "icloud",
    "posteo",
    "mailbox",
    "online",
    "arcor",
    "live",
    "bluewin",
    "aon",
    "chello",
    "orange",
    "wanadoo",
    "libero",
    "btinternet",
    "proton",
];
/// Mailboxes for one purpose.
const PURPOSES: [&str; 22] = [
    "dsb",
    "datenschutz",
    "privacy",
    "dpo",
    "rodo",
    "iod",
    "presse",
    "press",
    "media",
    "bewerbung",
    "karriere",
    "jobs",
    "invoice",
    "rechnung",
    "buchhaltung",
    "abuse",
    "security",
    "support",
    "webmaster",
    "noreply",
    "pec",
    "shop",
];

/// The first telephone number of the lines that are near the company's name, and its mail address: one of the page's own domain
/// from anywhere, else the first of those that are near.
pub(super) fn read(
    page: &Page,
    lines: &[Said<'_, '_>],
    near: Range<usize>,
    own: &Own,
    organization: &mut Organization,
) {
    let mut mails = Vec::new();
    for (i, said) in lines.iter().enumerate() {
        if said.text.chars().count() > 1_000 {
            continue;
        }
        let before = i.checked_sub(1).map_or("", |k| lines[k].text);
        if organization.phone.is_none() && near.contains(&i) {
            organization.phone = phone(page, said, before);
        }
        if mails.len() < MAX_MAILS {
            mails.extend(addresses(page, said).into_iter().map(|mail| (i, mail)));
        }
    }
    if organization.email.is_none() {
        organization.email = best(page, &mails, &near, own);
    }
}

fn is_fax(label: &str) -> bool {
    let lower = label.to_lowercase();
    lower.contains("fax") && !lower.contains("tel.") && !lower.contains("telefon ")
}

fn phone(page: &Page, said: &Said<'_, '_>, before: &str) -> Option<String> {
    let text = said.text;
    let label = [
        "telefon",
        "tel",
        "phone",
        "telephone",
        "fon",
        "téléphone",
        "tél",
        "telefono",
        "teléfono",
        "telefoon",
        "tlf",
        "mobil",
    ];
    let is_label = label.contains(&before.trim_end_matches([':', '.']).to_lowercase().as_str());
    let labelled = is_label.then(|| format!("Tel: {text}"));
    if let Some(found) = PHONE.find(labelled.as_deref().unwrap_or(text)) {
        return Some(number(found.as_str()));
    }
    if is_fax(text) || is_fax(before) {
        return None;
    }
    // A number that the page offers for calls, or one that stands alone.
    let calls = said.line.links(page).any(|link| link.starts_with("tel:"));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_bare = text.chars().all(|c| c.is_ascii_digit() || " +()/.–-".contains(c));
    ((calls && is_bare && (6..=16).contains(&digits)) || NUMBER.is_match(text)).then(|| text.to_owned())
}

/// The number from its first digit, plus or parenthesis on.
fn number(matched: &str) -> String {
    let from = matched.find(|c: char| c.is_ascii_digit() || matches!(c, '+' | '(')).unwrap_or(0);
    matched[from..].trim().to_owned()
}

/// The mail addresses of a line: of its links, written out, masked, or kept from harvesters.
fn addresses(page: &Page, said: &Said<'_, '_>) -> Vec<String> {
    let linked = said.line.links(page).filter_map(|l| {
        let address = l.strip_prefix("mailto:")?.split('?').next()?.replace("%40", "@");
        MAIL.find(&address).map(|m| m.as_str().to_owned())
    });
    let mut all: Vec<String> = linked.collect();
    // Links of a line whose end speaks of others may be theirs.
    if said.text.len() < said.line.text.trim().len() {
        all.clear();
    }
    all.extend(MAIL.find_iter(said.text).map(|m| m.as_str().to_owned()));
    all.extend(MASKED.captures_iter(said.text).map(|c| format!("{}@{}", &c[1], DOT.replace_all(&c[2], "."))));
    if all.is_empty() && said.text.contains("protected") {
        all.extend(dom::elements_below(said.line.block).take(MAX_ELEMENTS).filter_map(kept));
    }
    all
}

/// The address in `data-cfemail`: hexadecimal, each byte crossed with the first.
fn kept(e: El<'_>) -> Option<String> {
    let code = e.attr("data-cfemail")?;
    let byte = |at: usize| u8::from_str_radix(code.get(at..at + 2)?, 16).ok();
    let key = byte(0)?;
    let plain: Option<Vec<u8>> = (2..code.len().min(256)).step_by(2).map(|at| Some(byte(at)? ^ key)).collect();
    let plain = String::from_utf8(plain?).ok()?;
    MAIL.find(&plain).map(|m| m.as_str().to_owned())
}

/// The company's among the addresses of a page: of its own domain, else the first near the beginning.
fn best(page: &Page, mails: &[(usize, String)], near: &Range<usize>, company: &Own) -> Option<String> {
    let registrable = |host: &str| psl::domain_str(host).map(str::to_lowercase);
    let own = page.url.host_str().and_then(registrable);
    let of_company = |mail: &str| {
        let local = mail.split('@').next().unwrap_or_default().to_lowercase();
        !PURPOSES.iter().any(|p| local == *p || local.split(['-', '.', '_']).any(|part| part == *p))
    };
    let domain = |mail: &str| mail.split('@').nth(1).and_then(|d| registrable(&d.to_lowercase()));
    let is_own = |mail: &String| own.is_some() && domain(mail) == own;
    let mut general = mails.iter().filter(|(_, mail)| of_company(mail));
    let of_domain = general.clone().find(|(_, mail)| is_own(mail));
    // Small companies have their mailbox at a provider, others at a domain of their name.
    let host = |mail: &str| mail.split('@').nth(1).unwrap_or_default().to_lowercase();
    let plausible =
        |mail: &str| PROVIDERS.contains(&host(mail).split('.').next().unwrap_or_default()) || company.is(&host(mail));
    of_domain
        .or_else(|| general.find(|(i, mail)| near.contains(i) && (*i < near.start + CLOSE || plausible(mail))))
        .map(|(_, mail)| mail.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_addresses() {
        for (text, mail) in [
            ("info [at] muster.example", "info@muster.example"),
            ("info[at]muster[dot]example", "info@muster.example"),
            ("bonjour [arobase] muster.example", "bonjour@muster.example"),
            ("info AT muster DOT example", "info@muster.example"),
            ("info (ät) muster (punkt) example", "info@muster.example"),
        ] {
            let found = MASKED.captures(text).map(|c| format!("{}@{}", &c[1], DOT.replace_all(&c[2], ".")));
            assert_eq!(found.as_deref(), Some(mail), "{text}");
        }
        assert!(MASKED.captures("Look at muster.example").is_none());
    }
}
