//! What proves a consent, and that somebody was told (R5, Art. 14): `config/consent/proof.yaml`, compiled in.
//!
//! Invariant: what only fills a cell proves nothing. In doubt there is no proof: whoever has one can write it down.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[expect(dead_code, reason = "a format version, read so that an unknown key is refused")]
    version: u32,
    methods: Vec<String>,
    placeholders: Vec<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../config/consent/proof.yaml")).expect("proof.yaml is checked by a test")
});

/// Fewer letters and digits are no hash in base64.
const SHORTEST_BASE64: usize = 22;

/// How a grant can be proven (R5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Proof {
    /// `web_form`, `double_opt_in`, `signed_paper`...
    pub method: Option<String>,
    /// The notice that was shown.
    pub notice_id: Option<String>,
    /// Hash of its wording.
    pub wording_hash: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// Who recorded it: a system, a function, seldom a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

impl Proof {
    /// Whether a consent with this proof stands: an act of the person, the version of the notice and the hash of its wording.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_of_the_subject() && self.names_a_notice() && self.has_a_hash()
    }

    /// Whether the method is an act of the person, by its exact spelling.
    #[must_use]
    pub fn is_of_the_subject(&self) -> bool {
        self.method.as_deref().is_some_and(|method| WORDS.methods.iter().any(|known| known == method.trim()))
    }

    /// Whether the notice that was shown is named.
    #[must_use]
    pub fn names_a_notice(&self) -> bool {
        is_stated(self.notice_id.as_deref())
    }

    /// Whether there is a hash of a wording: hexadecimal or base64 digits, behind the name of a method or not.
    #[must_use]
    pub fn has_a_hash(&self) -> bool {
        self.wording_hash.as_deref().is_some_and(is_hash)
    }

    /// Whether it says which notice somebody was given, and how.
    #[must_use]
    pub fn is_of_a_notice(&self) -> bool {
        self.names_a_notice() && is_stated(self.method.as_deref())
    }

    /// The first field of which somebody has filled in something that proves nothing of a consent.
    #[must_use]
    pub fn unproven_field(&self) -> Option<&'static str> {
        let fields = [
            ("method", &self.method, self.is_of_the_subject()),
            ("notice_id", &self.notice_id, self.names_a_notice()),
            ("wording_hash", &self.wording_hash, self.has_a_hash()),
        ];
        let is_filled = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        fields.into_iter().find(|(_, text, proves)| is_filled(text) && !proves).map(|(field, ..)| field)
    }
}

/// Whether a cell says something: more than signs, and none of the words that stand where nothing does.
fn is_stated(text: Option<&str>) -> bool {
    let text = text.unwrap_or_default().to_lowercase();
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    let is_number_of_nothing = bare.chars().all(|c| c == '0');
    !is_number_of_nothing && !WORDS.placeholders.iter().any(|placeholder| placeholder == bare)
}

fn is_hash(text: &str) -> bool {
    let text = text.trim();
    // `sha256:` as most write it, `sha256-` as browsers do.
    let digits = text.rsplit_once(':').map_or(text, |(_, digits)| digits);
    let digits = ["sha256-", "sha384-", "sha512-"].iter().find_map(|of| digits.strip_prefix(of)).unwrap_or(digits);
    let is_hex = digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b);
    let is_base64 = digits.len() >= SHORTEST_BASE64
        && digits.bytes().all(is_digit)
        && [u8::is_ascii_digit, u8::is_ascii_uppercase, u8::is_ascii_lowercase]
            .iter()
            .all(|is| digits.bytes().any(|b| is(&b)));
    is_hex || is_base64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(method: &str, notice: &str, hash: &str) -> Proof {
        let some = |text: &str| Some(text.to_owned());
        Proof { method: some(method), notice_id: some(notice), wording_hash: some(hash), ..Proof::default() }
    }

    #[test]
    fn what_fills_a_cell_proves_nothing() {
        let hash = "sha256:1cfb9990c647dd9435889c05d593f89aba526fa5ae771f70da95d689b699e8dc";
        let base64 = "sha256-HPuZkMZH3ZQ1iJwF1ZP4mrpSb6WudxHw2pXWibaZ6Nw=";
        for whole in [hash, "1cfb9990c647dd94", "SHA-256:1CFB9990", base64, " sha256:00 "] {
            assert!(proof("web_form", "DE-2025-2", whole).is_complete(), "{whole}");
        }
        let methods = [
            "double_opt_in_pending",
            "unconfirmed",
            "refused",
            "nein",
            "none",
            "-",
            "bought list",
            "Web_Form",
            "crm_sync",
            "",
        ];
        for method in methods {
            let proof = proof(method, "DE-2025-2", hash);
            assert!(!proof.is_complete(), "{method}");
            assert_eq!(proof.unproven_field(), (!method.is_empty()).then_some("method"), "{method}");
        }
        for notice in
            ["-", "none", "fehlt", "n/a", "N/A", "k. A.", "(unbekannt)", "–", "?", "...", "000", "pending", " "]
        {
            let proof = proof("web_form", notice, hash);
            assert!(!proof.is_complete() && !proof.is_of_a_notice(), "{notice}");
        }
        let hashes = [
            "n/a",
            "-",
            "missing",
            "sha256:",
            "sha256",
            "sha256:n/a",
            "sha256:pending",
            "keine",
            "a",
            "siehe die Akte von 2024",
            "wording-of-the-fair-in-2025",
        ];
        for wording in hashes {
            let proof = proof("web_form", "DE-2025-2", wording);
            assert!(!proof.is_complete(), "{wording}");
            assert_eq!(proof.unproven_field(), Some("wording_hash"), "{wording}");
        }
    }

    #[test]
    fn a_notice_says_which_and_how() {
        for (method, notice, is) in [
            ("letter", "N-7", true),
            ("post", "2026/03", true),
            ("", "N-7", false),
            ("letter", "", false),
            ("-", "N-7", false),
        ] {
            assert_eq!(proof(method, notice, "").is_of_a_notice(), is, "{method} {notice}");
        }
        assert!(!Proof::default().is_of_a_notice());
    }

    #[test]
    fn the_words_are_as_they_are_compared() {
        for word in &WORDS.placeholders {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            assert!(bare == word && *word == word.to_lowercase(), "{word}");
        }
    }
}
