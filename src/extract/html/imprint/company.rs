//! Which of the companies that a page names is the one behind it.
//!
//! Invariant: a company named by the page's address or its structured data comes before all others; outside an imprint nothing else
//! counts but a name above its address, a statement of registration, or a notice of copyright.

use std::cmp::Reverse;

use super::super::people::own::{Own, has_no_name};
use super::super::reading::Organization;
use super::scope::Said;
use super::{address, company_in, find_form};

/// Bytes before a name at the beginning of a line: `Firma`, `Anbieter:`.
const MAX_LABEL: usize = 12;
/// Names of companies that are compared.
const MAX_CANDIDATES: usize = 64;
/// Lines at the head of an imprint.
const HEAD: usize = 8;

/// The company behind a page.
pub(super) struct Company {
    /// Its name with its legal form.
    pub name: String,
    /// Among what the lines say, where it stands.
    pub at: usize,
}

/// The company behind a page, if it can be told.
pub(super) fn find(said: &[Said<'_, '_>], dedicated: bool, own: &Own) -> Option<Company> {
    let candidates = || (0..said.len()).filter_map(|at| Some(Company { name: named(said, at, own)?, at }));
    if dedicated {
        // A name that the page's address does not know stands above the first address, and not in running text.
        let leads = |c: &Company| {
            let text = said[c.at].text;
            let begins = text.find(&c.name).is_some_and(|at| at < MAX_LABEL);
            (begins || text.chars().count() <= c.name.chars().count() + 60)
                && c.at < HEAD
                && address::postal_codes(&said[..c.at]).is_empty()
                && followed_by_address(&said[c.at..])
        };
        // Of several that share a word with the address the one that shares most, the first of equals.
        let known = candidates().filter(|c| own.is(&c.name)).take(MAX_CANDIDATES);
        let closest = known.min_by_key(|c| Reverse(own.closeness(&c.name)));
        return closest.or_else(|| candidates().find(leads));
    }
    // Outside an imprint only a line that is little more than the name counts, or the statement that British law
    // wants on every page: no running text.
    let stands = |c: &Company| {
        let line = said[c.at].text;
        let states = line.starts_with(&c.name) && line.contains("egistered in ");
        let short = line.chars().count() <= c.name.chars().count() + 60;
        states || (short && followed_by_address(&said[c.at..]))
    };
    let signs = |c: &Company| own.is(&c.name) && (said[c.at].text.contains('©') || is_alone(said[c.at].text, &c.name));
    let own_first = candidates().find(|c| own.is(&c.name) && stands(c)).or_else(|| candidates().find(signs));
    // Where the page names several, one that its address does not know may be anybody.
    let one = || {
        let mut all = candidates();
        let first = all.next()?;
        (all.all(|c| c.name == first.name) && stands(&first)).then_some(first)
    };
    own_first.or_else(one)
}

fn is_alone(line: &str, name: &str) -> bool {
    line.trim() == name
}

fn followed_by_address(said: &[Said<'_, '_>]) -> bool {
    let mut probe = Organization::default();
    address::read(&said[..said.len().min(6)], &mut probe);
    probe.postal_code.is_some()
}

/// The company that a line names, perhaps with what the line before it says of its name.
fn named(said: &[Said<'_, '_>], at: usize, own: &Own) -> Option<String> {
    let text = said[at].text;
    let before = at.checked_sub(1).map(|k| said[k]).filter(|b| b.line.block == said[at].line.block || is_form(text));
    let before = before.map(|b| b.text).filter(|b| is_part(b));
    if let Some(before) = before
        && (is_form(text) || (own.is(before) && !own.is(text) && !before.contains(':')) || is_unnamed(text))
        && let Some(name) = company_in(&format!("{before} {text}"))
    {
        return Some(name);
    }
    company_in(text)
}

/// Whether a line is a legal form and nothing else.
fn is_form(text: &str) -> bool {
    let padded = format!(" {text}");
    find_form(&padded).is_some_and(|(start, end)| start == 1 && end == padded.len())
}

/// Whether no word of a line names a company, though it ends with a legal form: `Steuerberater Partnerschaft mbB`.
fn is_unnamed(text: &str) -> bool {
    find_form(text).is_some_and(|(_, end)| end == text.len()) && has_no_name(text)
}

/// Whether a line may be the beginning of a name.
fn is_part(text: &str) -> bool {
    text.starts_with(char::is_uppercase)
        && text.chars().count() <= 60
        && !text.contains(|c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | '@' | '©'))
        && find_form(text).is_none()
}
