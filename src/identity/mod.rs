//! Is this page or profile about this very contact?
//!
//! Invariant: pure; a name alone is never enough; `Uncertain` counts as no.

/// What is known of the contact.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Given name or names.
    pub given_name: &'a str,
    /// Family name with its particles.
    pub family_name: &'a str,
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
pub fn judge(_known: &Known<'_>, _claimed: &Claimed<'_>) -> Identity {
    Identity { verdict: Verdict::Uncertain, p: 0.5, reasons: Vec::new() }
}
