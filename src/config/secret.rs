//! What looks like a credential, so that it is told, not kept, and never repeated in a message.
//!
//! Invariant: nothing in this module returns any part of a value that looks like a secret.

/// What to do instead, the end of every message about a secret.
pub const INSTEAD: &str = "put it in an environment variable or a file outside the repository";

/// Words that name a credential wherever they stand in a key.
const KEY_WORDS: [&str; 12] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "apikey",
    "privatekey",
    "accesskey",
    "credential",
    "bearer",
    "authorization",
    "passwort",
];

/// What well-known credentials start with, and how long they are at least.
const PREFIXES: [(&str, usize); 12] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("glpat-", 20),
    ("sk-", 24),
    ("sk_live_", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("AKIA", 20),
    ("pat-eu1-", 20),
    ("eyJ", 40),
];

/// Whether a key names a credential.
pub fn is_secret_key(key: &str) -> bool {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    KEY_WORDS.iter().any(|word| key.contains(word))
}

/// Whether a value is built like a credential.
pub fn is_secret_value(value: &str) -> bool {
    let value = value.trim();
    let value = value.strip_prefix("Bearer ").unwrap_or(value);
    value.starts_with("-----BEGIN ")
        || (!value.contains(char::is_whitespace)
            && PREFIXES.iter().any(|(prefix, length)| value.starts_with(prefix) && value.len() >= *length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_seen_and_words_are_not() {
        for key in ["token", "api_key", "apiKey", "client_secret", "crm_password", "Private-Key"] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in ["name", "key", "columns", "monkey", "sources"] {
            assert!(!is_secret_key(key), "{key}");
        }
        for value in ["ghp_0123456789abcdef0123", "-----BEGIN PRIVATE KEY-----", "Bearer ghp_0123456789abcdef0123"] {
            assert!(is_secret_value(value));
        }
        for value in ["sk-learn", "AKIA", "demo", "https://api.example.com", "eyJ is how they start"] {
            assert!(!is_secret_value(value), "{value}");
        }
    }
}
