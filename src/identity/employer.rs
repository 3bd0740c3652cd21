//! What ties a page to the contact's employer: its name, its hosts, addresses and links.
//!
//! Invariant: free mail and hosts that many people share tie nobody to anything.

use super::lexicon::LEXICON;
use super::name::Word;

/// How two company names relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    Same,
    /// One name within the other, as in groups: neither for nor against.
    Related,
    Other,
    /// One of them says nothing.
    Unknown,
}

/// Compares company names without legal form, country and punctuation.
pub(super) fn compare(a: &str, b: &str) -> Company {
    let (a, b) = (core(a), core(b));
    if a.is_empty() || b.is_empty() {
        return Company::Unknown;
    }
    let joined = |w: &[Word]| Word::new(&w.iter().map(Word::as_str).collect::<String>());
    if joined(&a).is(&joined(&b)) || (a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| x.is(y))) {
        return Company::Same;
    }
    let shares = a.iter().any(|x| x.as_str().len() >= 4 && b.iter().any(|y| x.is(y)));
    let prefix = |x: &[Word], y: &[Word]| y[0].as_str().len() >= 4 && x[0].as_str().starts_with(y[0].as_str());
    if shares || prefix(&a, &b) || prefix(&b, &a) { Company::Related } else { Company::Other }
}

/// The words that make the name.
fn core(name: &str) -> Vec<Word> {
    // "e.K." and "Ges.m.b.H." are one word each.
    let name = name.replace('.', "");
    let split = |c: char| !(c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c));
    name.split(split)
        .map(Word::new)
        .filter(|w| {
            let s = w.as_str();
            !s.is_empty()
                && !LEXICON.legal_forms.contains(s)
                && !LEXICON.places.contains(s)
                && !matches!(s, "und" | "and" | "et")
        })
        .collect()
}

/// Words before or behind which an employer is a former one: `ex-Brennwald`, `formerly at Brennwald`, `Brennwald alumni`.
const FORMER: [&str; 18] = [
    "ex",
    "former",
    "formerly",
    "previously",
    "prev",
    "past",
    "ehem",
    "ehemals",
    "ehemalig",
    "ehemalige",
    "ehemaliger",
    "früher",
    "vormals",
    "zuvor",
    "alumni",
    "alumnus",
    "alumna",
    "until",
];

/// Whether a text names an employer, and each time as one that was left.
pub fn left(text: &str, employer: &str) -> bool {
    let core = core(employer);
    let Some(first) = core.first().filter(|w| w.as_str().len() >= 3) else { return false };
    let words: Vec<Word> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(Word::new).collect();
    let is_former = |at: usize| {
        let near = at.saturating_sub(2)..(at + core.len() + 1).min(words.len());
        words[near].iter().any(|w| FORMER.iter().any(|former| w.is(&Word::new(former))))
    };
    let mut named = (0..words.len()).filter(|at| words[*at].is(first)).peekable();
    named.peek().is_some() && named.all(is_former)
}

/// The host of a URL, of an address or itself; lower case, without port and `www.`.
pub(super) fn host_of(s: &str) -> Option<String> {
    let s = s.trim();
    let s = s.split_once("://").map_or(s, |(_, rest)| rest);
    let s = s.split(['/', '?', '#']).next()?;
    let s = s.rsplit('@').next()?;
    let s = s.split(':').next()?.trim_end_matches('.').to_lowercase();
    let s = s.strip_prefix("www.").unwrap_or(&s);
    (s.contains('.') && !s.contains(char::is_whitespace)).then(|| s.to_owned())
}

/// Whether `host` belongs to the same owner as `domain`: equal registrable domains that are nobody's hosting, and not two
/// neighbours below one that may be.
pub(super) fn same_owner(host: &str, domain: &str) -> bool {
    let (Some(host), Some(domain)) = (host_of(host), host_of(domain)) else { return false };
    if is_shared(&host) || is_shared(&domain) {
        return false;
    }
    let (Some(ours), Some(theirs)) = (psl::domain_str(&host), psl::domain_str(&domain)) else { return false };
    let is_service = |name: &str| {
        let label = name.strip_suffix(ours).and_then(|rest| rest.strip_suffix('.'));
        label.is_none_or(|label| label.split('.').all(|part| LEXICON.services.contains(part)))
    };
    ours == theirs && (within(&host, &domain) || is_service(&host) || is_service(&domain))
}

/// Whether a host is the domain, or lies below it.
fn within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a company is called what its domain is: "Radolin" where the site is `radolin.example`.
pub(super) fn is_named_by(name: &str, domain: &str) -> bool {
    let Some(host) = host_of(domain).filter(|host| !is_shared(host)) else { return false };
    let Some((label, _)) = psl::domain_str(&host).and_then(|domain| domain.split_once('.')) else { return false };
    let name = Word::new(&core(name).iter().map(Word::as_str).collect::<String>());
    name.as_str().chars().count() >= 4 && name.is(&Word::new(label))
}

/// The hosts that a text names.
pub(super) fn hosts_in(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | ',' | ';' | '|'));
    parts.filter(|part| part.contains('.') && host_of(part).is_some())
}

/// Whether somebody worked there, and does no longer.
pub(super) fn is_former(employer: &str) -> bool {
    let split = |c: char| !(c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c));
    employer.split(split).any(|word| LEXICON.former.contains(Word::new(word).as_str()))
}

fn is_shared(host: &str) -> bool {
    let is_in = |set: &std::collections::BTreeSet<String>| {
        let mut h = host;
        loop {
            if set.contains(h) {
                return true;
            }
            match h.split_once('.') {
                Some((_, rest)) => h = rest,
                None => return false,
            }
        }
    };
    is_in(&LEXICON.freemail) || is_in(&LEXICON.shared_hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_names_lose_their_legal_form_and_nothing_else() {
        for (a, b, want) in [
            ("Muster Maschinen GmbH & Co. KG", "Muster Maschinen", Company::Same),
            ("MusterMaschinen GmbH", "@muster-maschinen", Company::Same),
            ("Grün e.K.", "Gruen", Company::Same),
            ("Alpha Ges.m.b.H.", "Alpha", Company::Same),
            ("Muster Deutschland GmbH", "Muster AG", Company::Same),
            ("Muster Maschinen GmbH", "Muster Service GmbH", Company::Related),
            ("Muster Maschinen GmbH", "Beispiel AG", Company::Other),
            ("GmbH", "Beispiel AG", Company::Unknown),
        ] {
            assert_eq!(compare(a, b), want, "{a} | {b}");
        }
    }

    #[test]
    fn hosts_of_one_owner() {
        for (host, domain, want) in [
            ("www.muster.example", "muster.example", true),
            ("https://jobs.muster.example/team", "muster.example", true),
            ("a.b@muster.example", "muster.example", true),
            ("evilmuster.example", "muster.example", false),
            ("muster.example.evil.test", "muster.example", false),
            ("a.github.io", "b.github.io", false),
            ("gmx.de", "gmx.de", false),
            ("github.com", "github.com", false),
            ("", "muster.example", false),
            ("muster.example", "mail.muster.example", true),
            ("jobs.muster.example", "www2.muster.example", true),
            ("anna.webspace.example", "peter.webspace.example", false),
        ] {
            assert_eq!(same_owner(host, domain), want, "{host} | {domain}");
        }
    }
}
