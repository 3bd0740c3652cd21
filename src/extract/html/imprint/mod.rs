//! The imprint (Impressum, legal notice) of companies in Germany, Austria, Switzerland and the United Kingdom.
//!
//! Invariant: numbers are returned as found, spacing aside; check digits are not judged. A company name is taken
//! only where it carries a legal form.

mod address;
#[cfg(test)]
mod blind_tests;
mod directors;
mod numbers;
mod running;

use super::blocks::Line;
use super::dom::{self, Page};
use super::lexicon::LEXICON;
use super::links::LinkTopic;
use super::people::own::Own;
use super::people::sections::Section;
use super::reading::Organization;
use super::schema_org::Found;
use super::topics;

pub(super) use directors::{function_of_heading, name_list};
pub(super) use numbers::compact_vat;
pub(super) use running::name_at;

/// Lines after the company's name in which its address is sought.
const ADDRESS_REACH: usize = 14;

/// Reads company and representatives from the lines of a page.
pub(super) fn read(page: &Page, lines: &[Line<'_>], sections: &[Section], own: &mut Own, found: &mut Found) {
    let start = start(lines);
    let dedicated = start.is_some() || is_imprint_url(page);
    let from = start.unwrap_or(0);
    let numbers = numbers::read(&lines[from..]);
    let company = company_line(&lines[from..], dedicated);
    if let Some((_, name)) = &company {
        own.add(name);
    }
    let place = directors::Place { lines: &lines[from..], sections: &sections[from..], dedicated, own };
    let directors = directors::read(&place, found);

    let mut organization = Organization {
        register: numbers.register,
        register_court: numbers.court,
        vat_id: numbers.vat_id,
        managing_directors: dom::dedup(directors),
        ..Organization::default()
    };
    if !dedicated && organization.register.is_none() && organization.vat_id.is_none() && company.is_none() {
        // People who represent somebody are no organization by themselves.
        if !organization.managing_directors.is_empty() {
            found.offer(organization, 0);
        }
        return;
    }
    if let Some((_, name)) = &company {
        organization.legal_form = legal_form(name);
        organization.name = Some(name.clone());
    }
    let at = from + company.as_ref().map_or(0, |(i, _)| *i);
    let reach = if company.is_some() { ADDRESS_REACH } else { lines.len() };
    if dedicated || company.is_some() {
        let near = &lines[at..lines.len().min(at.saturating_add(reach))];
        address::read(near, &mut organization);
        address::contact(page, if dedicated { &lines[from..] } else { near }, &mut organization);
    }
    if organization.country.is_none() {
        organization.country = numbers.country.map(str::to_owned);
    }
    // On its own page the imprint is the best authority there is; elsewhere a footer may name a web agency.
    found.offer(organization, if dedicated { 5 } else { 2 });
}

/// Where the imprint begins: the line after its heading.
fn start(lines: &[Line<'_>]) -> Option<usize> {
    let titled = |l: &Line<'_>| l.heading > 0 && topics::of_text(&l.text) == Some(LinkTopic::Imprint);
    let stated = |l: &Line<'_>| {
        let begins = ["an", "of", "in"];
        if !l.text.get(..2).is_some_and(|start| begins.iter().any(|b| start.eq_ignore_ascii_case(b))) {
            return false;
        }
        let lower = l.text.to_lowercase();
        ["angaben gemäß", "angaben gem.", "offenlegung gemäß", "informationspflicht laut", "anbieterkennzeichnung"]
            .iter()
            .any(|s| lower.starts_with(s))
    };
    lines.iter().position(|l| !l.navigation && (titled(l) || stated(l))).map(|i| i + 1)
}

fn is_imprint_url(page: &Page) -> bool {
    let path = page.url.path().to_lowercase();
    ["impressum", "imprint", "legal-notice", "legalnotice", "anbieterkennzeichnung"].iter().any(|w| path.contains(w))
}

/// The first line that is, or begins with, a company's name.
fn company_line(lines: &[Line<'_>], dedicated: bool) -> Option<(usize, String)> {
    let candidates = lines.iter().enumerate().filter(|(_, l)| !l.navigation);
    let named = candidates.filter_map(|(i, l)| company_in(&l.text).map(|name| (i, name)));
    // Outside an imprint only a line that is little more than the name counts, or the statement that British law
    // wants on every page: no running text.
    let states = |line: &str, name: &str| line.starts_with(name) && line.contains("egistered in ");
    named
        .filter(|(i, name)| {
            let line = &lines[*i].text;
            dedicated || states(line, name) || line.chars().count() <= name.chars().count() + 60
        })
        .find(|(i, name)| dedicated || states(&lines[*i].text, name) || followed_by_address(&lines[*i..]))
}

fn followed_by_address(lines: &[Line<'_>]) -> bool {
    let mut probe = Organization::default();
    address::read(&lines[..lines.len().min(4)], &mut probe);
    probe.postal_code.is_some()
}

/// The company's name in a line: from its beginning (or a label's colon) to the legal form.
pub(super) fn company_in(line: &str) -> Option<String> {
    // Most lines have none.
    if !LEXICON.may_have_legal_form(line) || !LEXICON.legal_form_finder.is_match(line) {
        return None;
    }
    let line = dom::fold(line);
    let (form, end) = find_form(&line)?;
    let mut name = &line[..end];
    for separator in [": ", "© ", "|", "·", "•"] {
        name = name.rsplit(separator).next().unwrap_or(name);
    }
    let name = name.trim().trim_start_matches(|c: char| c.is_ascii_digit() && line.starts_with('©')).trim();
    let name = name.strip_prefix("Firma ").unwrap_or(name);
    let words = name.split_whitespace().count();
    let begins = name.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit());
    let lower = format!(" {} ", name.to_lowercase());
    let running =
        [" der ", " die ", " das ", " ist ", " the ", " wir ", " is ", " eine ", " ein ", " für ", " by ", " von der "];
    let prose = running.iter().any(|w| lower.contains(w)) || line[..form].contains(". ");
    (2..=10).contains(&words).then_some(())?;
    (begins && !prose && name.chars().count() <= 100).then(|| name.to_owned())
}

/// The legal form in a company's name, as written: `GmbH & Co. KG`.
pub(super) fn legal_form(name: &str) -> Option<String> {
    let (start, end) = find_form(name)?;
    Some(name[start..end].to_owned())
}

/// Where the legal form in a company's name begins.
pub(super) fn form_start(name: &str) -> Option<usize> {
    find_form(name).map(|(start, _)| start)
}

/// Where the legal form stands; the longest of those that begin first.
fn find_form(text: &str) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    for (at, end) in LEXICON.legal_form_finder.find_overlapping_iter(text).map(|m| (m.start(), m.end())) {
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        let bounded = before.is_some_and(|c| c.is_whitespace() || c == '-' || c == '(')
            && after.is_none_or(|c| !c.is_alphanumeric() && c != '&');
        if bounded && best.is_none_or(|(s, e)| at < s || (at == s && end > e)) {
            best = Some((at, end));
        }
    }
    best
}

/// ISO 3166-1 alpha-2 of a country's name or code.
pub(super) fn country_code(country: &str) -> Option<String> {
    let folded = dom::fold(country);
    if folded.len() == 2 && folded.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Some(if folded.eq_ignore_ascii_case("uk") { "GB".to_owned() } else { folded.to_ascii_uppercase() });
    }
    LEXICON.countries.get(&folded.to_lowercase()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_forms() {
        for (name, form) in [
            ("Muster Maschinenbau GmbH & Co. KG", Some("GmbH & Co. KG")),
            ("Muster UG (haftungsbeschränkt)", Some("UG (haftungsbeschränkt)")),
            ("Beispiel Ges.m.b.H.", Some("Ges.m.b.H.")),
            ("Anvil Example Ltd", Some("Ltd")),
            ("Exemple Sàrl", Some("Sàrl")),
            ("Handel Muster e.K.", Some("e.K.")),
            ("Muster SE", Some("SE")),
            ("AGENTUR Muster", None),
            ("Muster Kompagnie", None),
        ] {
            assert_eq!(legal_form(name).as_deref(), form, "{name}");
        }
    }

    #[test]
    fn companies_in_lines() {
        assert_eq!(company_in("Firma: Muster Maschinenbau GmbH").as_deref(), Some("Muster Maschinenbau GmbH"));
        assert_eq!(company_in("Muster AG, Musterweg 1, 8000 Musterdorf").as_deref(), Some("Muster AG"));
        assert_eq!(company_in("Wir sind die Muster GmbH"), None);
        assert_eq!(company_in("GmbH"), None);
    }

    proptest::proptest! {
        #[test]
        fn the_cheap_question_misses_no_legal_form(line in "(Muster[ -])?\\(?(GmbH|AG|e\\.K\\.|Sàrl|S\\.à r\\.l\\.|UG \\(haftungsbeschränkt\\)|ag|x)[ )]?") {
            assert!(LEXICON.may_have_legal_form(&line) || find_form(&line).is_none(), "{line}");
        }
    }
}
