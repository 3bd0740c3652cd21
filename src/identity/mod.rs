//! Is this page or profile about this very contact?
//!
//! Invariant: pure; a name alone is never enough; `Uncertain` counts as no.
//!
//! Method: log-odds of what the name, the employer and the handle say (Fellegi and Sunter 1969 in spirit), with hard
//! rules above them: without a tie to employer or handle, and with an initial or a family name alone, nobody is
//! taken for the contact.

mod address;
mod employer;
mod lexicon;
mod name;

use self::employer::Company;
pub use self::employer::left;
use self::lexicon::LEXICON;

/// What is known of the contact.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Given name or names.
    pub given_name: &'a str,
    /// Family name with its particles.
    pub family_name: &'a str,
    /// The contact's e-mail addresses.
    pub emails: &'a [&'a str],
    /// Domains of the contact's e-mail addresses, lower case; free mail counts nothing.
    pub email_domains: &'a [&'a str],
    /// The employer with its legal form.
    pub employer_name: Option<&'a str>,
    /// Host of the employer's site.
    pub employer_domain: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<&'a str>,
    /// The contact's handle at the very source that is judged, where the CRM has it.
    pub handle: Option<&'a str>,
}

/// What the page or profile says of the person.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claimed<'a> {
    /// The name as it stands there; empty where there is none.
    pub name: &'a str,
    /// The employer as it stands there.
    pub employer: Option<&'a str>,
    /// Host of the page.
    pub host: Option<&'a str>,
    /// Links of the person (home page, blog), whole URLs or bare hosts.
    pub links: &'a [String],
    /// E-mail addresses of the person.
    pub emails: &'a [String],
    /// ISO 3166-1 alpha-2, where the place could be read.
    pub country: Option<&'a str>,
    /// Handle at the source.
    pub handle: Option<&'a str>,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The very contact.
    Same,
    /// Somebody else.
    Different,
    /// Cannot be told; counts as no.
    Uncertain,
}

/// The answer with its probability and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The answer.
    pub verdict: Verdict,
    /// Probability in (0, 1) that it is the very contact.
    pub p: f64,
    /// What it rests on, without personal data.
    pub reasons: Vec<&'static str>,
}

/// Judges whether a page is about a contact.
#[must_use]
pub fn judge(known: &Known<'_>, claimed: &Claimed<'_>) -> Identity {
    let ties = ties(known, claimed);
    let name = name(known, claimed, &ties);
    let mut reasons = vec![name];
    reasons.extend(ties.iter().copied());
    reasons.extend(against(known, claimed));
    let mut log_odds: f64 = reasons.iter().filter(|r| !ties.contains(r)).map(|r| LEXICON.weight(r)).sum();
    // Ties to one employer are not independent: the strongest counts whole, each further one a little.
    let strongest = ties.iter().map(|t| LEXICON.weight(t)).max_by(f64::total_cmp).unwrap_or(0.0);
    let further = u32::try_from(ties.len().saturating_sub(1)).unwrap_or(u32::MAX);
    log_odds += strongest + f64::from(further) * LEXICON.weight("further");
    let mut p = 1.0 / (1.0 + (-log_odds.clamp(-7.0, 7.0)).exp());
    // What cannot name a person, and what nothing ties to the employer, is capped below "same".
    let is_weak = match name {
        // The CRM has the very profile or mailbox, and nothing there says that it is somebody else's.
        "name_given_only" | "name_initial" | "name_word" | "name_none" => !is_backed(&ties),
        "name_family_only" | "name_near" | "name_generation" | "name_nobodys" => true,
        _ => false,
    };
    if is_weak || ties.is_empty() {
        p = p.min(LEXICON.untied_ceiling);
    }
    let verdict = if p >= LEXICON.same_from {
        Verdict::Same
    } else if p <= LEXICON.different_to {
        Verdict::Different
    } else {
        Verdict::Uncertain
    };
    Identity { verdict, p, reasons }
}

/// How the name relates to the contact's; where it says little, the address may say it.
fn name(known: &Known<'_>, claimed: &Claimed<'_>, ties: &[&'static str]) -> &'static str {
    let name = name::compare(known.given_name, known.family_name, claimed.name);
    // What names somebody else, several people, or nobody in particular, stands beside an address that need not be theirs.
    let says_little = matches!(
        name,
        "name_none"
            | "name_initial"
            | "name_given_only"
            | "name_family_only"
            | "name_family_first"
            | "name_family_partly"
            | "name_near"
            | "name_nickname"
            | "name_second_given"
    );
    let names =
        |email: &String| is_employers(known, email) && address::names(email, known.given_name, known.family_name);
    if says_little && (ties.contains(&"address") || claimed.emails.iter().any(names)) {
        "name_by_address"
    } else {
        name
    }
}

/// Whether a profile that the CRM knows by its handle is tied to the contact by more than that.
fn is_backed(ties: &[&'static str]) -> bool {
    ties.contains(&"handle") && ties.len() > 1
}

/// Whether a host, a URL or an address is the employer's.
fn is_employers(known: &Known<'_>, host: &str) -> bool {
    let domains = known.employer_domain.iter().chain(known.email_domains);
    domains.into_iter().any(|domain| employer::same_owner(host, domain))
}

/// What ties the page to the contact's employer, handle or mailbox.
fn ties(known: &Known<'_>, claimed: &Claimed<'_>) -> Vec<&'static str> {
    let ours = |host: &str| is_employers(known, host);
    let mut out = Vec::new();
    if claimed.host.is_some_and(ours) {
        out.push("employer_page");
    }
    if claimed.emails.iter().any(|e| ours(e)) {
        out.push("employer_email");
    }
    if claimed.employer.is_some_and(|employer| is_employer(known, employer)) {
        out.push("employer_name");
    }
    if claimed.links.iter().any(|l| ours(l)) {
        out.push("employer_link");
    }
    if claimed.emails.iter().any(|theirs| known.emails.iter().any(|ours| address::is_own(ours, theirs))) {
        out.push("address");
    }
    if known.handle.zip(claimed.handle).is_some_and(|(a, b)| same_handle(a, b)) {
        out.push("handle");
    }
    out
}

/// Whether an employer is the contact's: by its name, or by its domain, which people often write in its place.
fn is_employer(known: &Known<'_>, employer: &str) -> bool {
    let is_named = || known.employer_name.is_some_and(|name| employer::compare(name, employer) == Company::Same);
    let is_brand = || known.employer_domain.is_some_and(|domain| employer::is_named_by(employer, domain));
    !employer::is_former(employer)
        && (is_named() || is_brand() || employer::hosts_in(employer).any(|host| is_employers(known, host)))
}

/// What speaks for somebody else, and the country, which says little either way.
fn against(known: &Known<'_>, claimed: &Claimed<'_>) -> Vec<&'static str> {
    let mut out = Vec::new();
    let stated = claimed.employer.filter(|employer| !is_employer(known, employer));
    match known.employer_name.zip(stated).map(|(a, b)| (employer::compare(a, b), b)) {
        Some((Company::Same | Company::Related, stated)) if employer::is_former(stated) => out.push("employer_former"),
        Some((Company::Other, _)) => out.push("employer_other"),
        Some((Company::Related, _)) => out.push("employer_related"),
        _ => {}
    }
    if known.handle.zip(claimed.handle).is_some_and(|(a, b)| !same_handle(a, b)) {
        out.push("handle_other");
    }
    if let Some((a, b)) = known.country.zip(claimed.country) {
        out.push(match (a.eq_ignore_ascii_case(b), name::is_common(known.family_name)) {
            (true, _) => "same_country",
            (false, false) => "other_country",
            (false, true) => "other_country_common",
        });
    }
    out
}

fn same_handle(a: &str, b: &str) -> bool {
    let plain = |s: &str| s.trim().trim_start_matches('@').to_lowercase();
    !plain(a).is_empty() && plain(a) == plain(b)
}

#[cfg(test)]
mod tests;
