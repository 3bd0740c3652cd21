//! Which URLs may be asked at all, before any name is resolved.
//!
//! Invariant: what passes is http or https on port 80 or 443 without credentials, and its host is a DNS name
//! in normal form (lower case, punycode, no trailing dot) that is not local by convention. IP literals are
//! refused in every spelling, because the client's resolver never sees them.

use url::{Host, Url};

/// Why a URL is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UrlRefusal {
    /// Not a URL.
    #[error("url_invalid")]
    Invalid,
    /// Neither http nor https.
    #[error("url_scheme")]
    Scheme,
    /// A user name or a password.
    #[error("url_credentials")]
    Credentials,
    /// A port other than 80 and 443.
    #[error("url_port")]
    Port,
    /// An IP address instead of a name.
    #[error("url_ip_literal")]
    IpLiteral,
    /// A name that is local by convention, or has a single label.
    #[error("url_local_name")]
    LocalName,
    /// A name that breaks the rules of DNS: empty or overlong labels, trailing dot, odd characters.
    #[error("url_host_form")]
    HostForm,
    /// Longer than 2,048 characters.
    #[error("url_too_long")]
    TooLong,
}

impl UrlRefusal {
    /// The stable word that stands in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "url_invalid",
            Self::Scheme => "url_scheme",
            Self::Credentials => "url_credentials",
            Self::Port => "url_port",
            Self::IpLiteral => "url_ip_literal",
            Self::LocalName => "url_local_name",
            Self::HostForm => "url_host_form",
            Self::TooLong => "url_too_long",
        }
    }
}

/// The longest URL that is asked, in bytes.
const MAX_URL: usize = 2048;

/// Top-level labels that never name a public host.
const LOCAL_ZONES: &[&str] = &[
    "arpa",
    "corp",
    "domain",
    "home",
    "host",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "workgroup",
];

/// Parses and checks text, for instance a `Location` or a configured URL.
///
/// # Errors
/// The first rule that is broken.
pub fn check_text(text: &str) -> Result<Url, UrlRefusal> {
    let url = Url::parse(text).map_err(|_| UrlRefusal::Invalid)?;
    check_url(&url)?;
    Ok(url)
}

/// Checks a parsed URL and returns its host.
///
/// # Errors
/// The first rule that is broken.
pub fn check_url(url: &Url) -> Result<&str, UrlRefusal> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlRefusal::Scheme);
    }
    if url.as_str().len() > MAX_URL {
        return Err(UrlRefusal::TooLong);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefusal::Credentials);
    }
    match url.host() {
        Some(Host::Domain(name)) => check_name(name)?,
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(UrlRefusal::IpLiteral),
        None => return Err(UrlRefusal::HostForm),
    }
    if !matches!(url.port_or_known_default(), Some(80 | 443)) {
        return Err(UrlRefusal::Port);
    }
    url.host_str().ok_or(UrlRefusal::HostForm)
}

fn check_name(name: &str) -> Result<(), UrlRefusal> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let last = bare.rsplit('.').next().unwrap_or_default();
    if LOCAL_ZONES.contains(&last) || !bare.contains('.') {
        return Err(UrlRefusal::LocalName);
    }
    // Other resolvers read a name that ends in a number as an address.
    if last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") {
        return Err(UrlRefusal::IpLiteral);
    }
    let well_formed = name.len() <= 253 && name.split('.').all(is_label);
    if well_formed { Ok(()) } else { Err(UrlRefusal::HostForm) }
}

/// A label of a host name; an underscore occurs in the wild and does no harm.
fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

/// Whether a name belongs to nobody (RFC 2606, RFC 6761), so that no resolver need be asked and no one real is meant.
#[must_use]
pub fn is_reserved(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or("");
    matches!(last, "example" | "test" | "invalid" | "localhost")
        || ["example.com", "example.org", "example.net"]
            .iter()
            .any(|own| host.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_belong_to_nobody() {
        for host in "a.example A.TEST. x.invalid localhost example.com www.Example.org. a.b.example.net".split(' ') {
            assert!(is_reserved(host), "{host}");
        }
        for host in "example.de anexample.com example.com.de test.de w3.org example-net".split(' ') {
            assert!(!is_reserved(host), "{host}");
        }
    }
}
