//! The imprint (Impressum, legal notice) of companies in Germany, Austria, Switzerland and the United Kingdom.
//!
//! Invariant: numbers are returned as found, spacing aside; check digits are not judged. A company name is taken
//! only where it carries a legal form.

mod abroad;
mod address;
#[cfg(test)]
mod blind_tests;
mod company;
mod contact;
mod directors;
mod labels;
mod numbers;
mod running;
mod scope;

use super::blocks::Line;
use super::dom::{self, Page};
use super::lexicon::LEXICON;
use super::people::own::Own;
use super::people::sections::Section;
use super::reading::Organization;
use super::schema_org::Found;
use super::topics;
use scope::Said;

pub(super) use directors::{function_of_heading, name_list};
pub(super) use numbers::compact_vat;
pub(super) use running::name_at;

/// What stands before a company's name in a sentence about who runs a site.
const OPENINGS: [&str; 14] = [
    " operated by ",
    " owned by ",
    " run by ",
    " trading name of ",
    " provided by ",
    " published by ",
    " is part of ",
    " édité par la société ",
    " édité par ",
    " betrieben von der ",
    " Angebot der ",
    " Internetauftritt der ",
    " Website der ",
    " Webseite der ",
];
/// Legal forms that are words of other languages too, and stand at the end of a name.
const AT_END: [&str; 10] = ["AB", "AS", "Bt.", "SE", "LP", "SL", "NV", "eV", "eK", "eU"];
/// Lines after the company's name in which its address is sought.
const ADDRESS_REACH: usize = 14;
/// Lines before and after it among which its numbers are.
const NUMBERS_BEFORE: usize = 6;
const NUMBERS_REACH: usize = 40;
/// The same for telephone numbers, and for mail addresses of other domains.
const CONTACT_REACH: usize = 24;

/// Reads company and representatives from the lines of a page.
pub(super) fn read(page: &Page, lines: &[Line<'_>], sections: &[Section], own: &mut Own, found: &mut Found) {
    let start = start(lines);
    let dedicated = start.is_some() || is_imprint_url(page);
    let from = start.unwrap_or(0);
    let (mut said, mut first_other) = scope::own(&lines[from..], &sections[from..]);
    let mut company = company::find(&said, dedicated, own);
    // The company may stand above the heading: `Rechtliche Hinweise` below its address.
    let mut from = from;
    if company.is_none() && from > 0 {
        let (all, first) = scope::own(lines, sections);
        if let Some(above) = company::find(&all, dedicated, own).filter(|c| own.is(&c.name)) {
            (said, first_other, company, from) = (all, first, Some(above), 0);
        }
    }
    if let Some(company) = &company {
        own.add(&company.name);
    }
    let at = company.as_ref().map(|c| said[c.at].at);
    let mut said =
        scope::without_other_companies(said, |name| company.as_ref().is_some_and(|c| c.name == name) || own.is(name));
    let at = at.and_then(|at| said.iter().position(|s| s.at >= at));
    let form = company.as_ref().and_then(|c| legal_form(&c.name));
    if company.is_none() {
        // Whoever has no name that is known speaks before the first that has another.
        said.retain(|s| s.at < first_other);
    }
    let first = at.unwrap_or(0);
    let numbered = &said[first.saturating_sub(NUMBERS_BEFORE)..said.len().min(first + NUMBERS_REACH)];
    let numbers = numbers::read(numbered, &scope::own_parts(numbered, first.min(NUMBERS_BEFORE)), form.as_deref());
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
    if let Some(company) = &company {
        organization.legal_form = legal_form(&company.name);
        organization.name = Some(company.name.clone());
    }
    place_and_contact(page, &said, (at, dedicated), own, &mut organization);
    let country = numbers.country.map(str::to_owned).or_else(|| calling_country(organization.phone.as_deref()?));
    organization.country = organization.country.or(country);
    // On its own page the imprint is the best authority there is; elsewhere a footer may name a web agency.
    found.offer(organization, if dedicated { 5 } else { 2 });
}

/// Reads where the company is and how it is reached: below its name, or at the head of an imprint; elsewhere only where the
/// page knows but one address.
fn place_and_contact(
    page: &Page,
    said: &[Said<'_, '_>],
    (at, dedicated): (Option<usize>, bool),
    own: &Own,
    organization: &mut Organization,
) {
    let from = at.unwrap_or(0);
    // What stands under another heading than one of the company's own parts is not where it is.
    let near = &said[from..said.len().min(from.saturating_add(ADDRESS_REACH))];
    let parts = |s: &Said<'_, '_>| s.line.heading > 0 && !scope::is_own_part(s.text) && company_in(s.text).is_none();
    let ends =
        near.iter().enumerate().skip(1).find(|(i, s)| parts(s) && !near[..*i].iter().all(|s| s.line.heading > 0));
    let near = &near[..ends.map_or(near.len(), |(i, _)| i)];
    if !dedicated && at.is_none() {
        return;
    }
    address::read(near, organization);
    let is_one = || dom::dedup(address::postal_codes(said)).len() == 1;
    if organization.postal_code.is_none() && is_one() {
        address::read(said, organization);
    }
    // A notice of copyright stands below all else.
    let before = if dedicated { 0 } else { CONTACT_REACH };
    contact::read(page, said, from.saturating_sub(before)..from.saturating_add(CONTACT_REACH), own, organization);
}

/// The country of an international telephone number.
fn calling_country(phone: &str) -> Option<String> {
    let phone: String = phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let digits = phone.strip_prefix('+').or_else(|| phone.strip_prefix("00"))?;
    (1..=3).rev().find_map(|len| LEXICON.calling_codes.get(digits.get(..len)?).cloned())
}

/// Where the imprint begins: the line after its heading.
fn start(lines: &[Line<'_>]) -> Option<usize> {
    let titled = |l: &Line<'_>| l.heading > 0 && topics::is_imprint_title(&l.text);
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
    let words = [
        "impressum",
        "imprint",
        "legal-notice",
        "legalnotice",
        "anbieterkennzeichnung",
        "mentions-legales",
        "mentions_legales",
        "note-legali",
        "note_legali",
        "aviso-legal",
        "colofon",
        "informacje-prawne",
        "pflichtangaben",
    ];
    words.iter().any(|w| path.contains(w))
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
    for separator in [": ", "© ", "|", "·", "•", " — ", " – "] {
        name = name.rsplit(separator).next().unwrap_or(name);
    }
    for opening in OPENINGS {
        name = name.rsplit(opening).next().unwrap_or(name);
    }
    let name = name.trim().trim_start_matches(|c: char| c.is_ascii_digit() && line.starts_with('©')).trim();
    let name = name.strip_prefix("Firma ").unwrap_or(name);
    let words = name.split_whitespace().count();
    // A line that is all name may begin in lower case, and have articles in it: `Verein der Freunde des Moores e.V.`
    let is_all = name.len() + 2 >= line.len();
    let begins = name.chars().next().is_some_and(|c| is_all || c.is_uppercase() || c.is_ascii_digit());
    let lower = format!(" {} ", name.to_lowercase());
    let verbs = [" ist ", " wir ", " is ", " by ", " sind ", " est ", " par ", " è ", " bei ", " durch ", " von der "];
    let articles = [" der ", " die ", " das ", " the ", " eine ", " ein ", " für "];
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    let prose = has(&verbs) || (!is_all && has(&articles)) || line[..form].contains(". ");
    (2..=12).contains(&words).then_some(())?;
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
            && after.is_none_or(|c| !c.is_alphanumeric() && c != '&')
            // `HRA 1, AG Musterstadt` is a court.
            && !(&text[at..end] == "AG" && is_court(&text[..at], &text[end..]))
            && (!AT_END.contains(&&text[at..end]) || ends_name(&text[end..]));
        if bounded && best.is_none_or(|(s, e)| at < s || (at == s && end > e)) {
            best = Some((at, end));
        }
    }
    best
}

/// Whether an `AG` between two texts is a court, short for Amtsgericht.
fn is_court(before: &str, after: &str) -> bool {
    let before = before.trim_end().to_lowercase();
    let place = after.trim_start().starts_with(char::is_uppercase);
    let of_register =
        ["gericht", "register", "register:", "gericht:", "beim", "hrb", "hra", "sitz", "eintrag", "eingetragen"];
    place
        && (before.ends_with([',', '(', ';'])
            || of_register.iter().any(|w| before.ends_with(w))
            || before.ends_with(|c: char| c.is_ascii_digit()))
}

/// Whether nothing of a name can follow.
fn ends_name(rest: &str) -> bool {
    rest.trim_start().chars().next().is_none_or(|c| matches!(c, ',' | ';' | '|' | '·' | '•' | ')' | '–' | '-' | '('))
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
