//! Data categories that no policy can register: those of Art. 9 and 10 GDPR, what gives them away, and emotions.
//!
//! Invariant: a closed list; a name is prohibited by what it contains, in any spelling with or without umlauts,
//! hyphens or underscores. It errs on the side of refusing.

/// Parts of names, lower case, without umlauts and separators.
const STEMS: &[&str] = &[
    // Health.
    "gesundheit",
    "health",
    "krank",
    "illness",
    "disease",
    "diagnos",
    "medizin",
    "medical",
    "medicat",
    "behinder",
    "disab",
    "schwanger",
    "pregnan",
    "psychi",
    "allergi",
    "therap",
    "impfung",
    "vaccin",
    "suchtmittel",
    "addiction",
    // Belief.
    "religi",
    "konfession",
    "denominat",
    "kirch",
    "church",
    "glaube",
    "weltanschau",
    "philosoph",
    "muslim",
    "islam",
    "jewish",
    "juedisch",
    "christ",
    "katholi",
    "evangelisch",
    "protestant",
    "atheis",
    // Union membership.
    "gewerkschaft",
    "tradeunion",
    "laborunion",
    "labourunion",
    "unionmember",
    "betriebsrat",
    "workscouncil",
    "personalrat",
    "vertrauensleute",
    "shopsteward",
    // Political opinion.
    "politi",
    "parteimitglied",
    "parteibuch",
    "partymember",
    "partyaffiliation",
    "wahlverhalten",
    "voting",
    // Origin.
    "ethni",
    "rassisch",
    "racial",
    "hautfarbe",
    "skincolo",
    "migrationsh",
    "migrationb",
    "abstammung",
    "ancestry",
    "staatsangehoerig",
    "nationalit",
    "citizenship",
    "muttersprach",
    "mothertongue",
    "nativelanguage",
    "birthplace",
    "geburtsort",
    "nationalorigin",
    // Sexual orientation and sex life.
    "sexual",
    "sexuell",
    "sexlife",
    "homosex",
    "lgbt",
    "transgender",
    "genderidentity",
    "geschlechtsidentit",
    // Biometric and genetic.
    "biometr",
    "fingerprint",
    "fingerabdr",
    "facerecog",
    "facialrecog",
    "faceprint",
    "faceid",
    "gesichtserk",
    "gesichtsbild",
    "voiceprint",
    "stimmabdr",
    "irisscan",
    "genet",
    "genom",
    // Convictions and offences.
    "criminal",
    "kriminell",
    "vorstraf",
    "strafregister",
    "straftat",
    "strafrecht",
    "strafverf",
    "verurteil",
    "convict",
    "offence",
    "offense",
    "fuehrungszeugnis",
    "policerecord",
    // Emotions (AI Act, Art. 5).
    "emotion",
    "gefuehl",
    "stimmungslage",
];

/// Whole words, which are too short to be sought within others.
const WORDS: &[&str] = &[
    "race", "rasse", "sex", "faith", "belief", "beliefs", "partei", "union", "unions", "dna", "dns", "iris", "crime",
    "strafe", "strafen", "hiv", "aids", "gay", "mood", "sick",
];

/// Whether a category, or a proxy of one, is prohibited whatever a policy says.
#[must_use]
pub fn is_prohibited(name: &str) -> bool {
    let plain = fold(name);
    let joined: String = plain.split(' ').collect();
    STEMS.iter().any(|stem| joined.contains(stem)) || plain.split(' ').any(|word| WORDS.contains(&word))
}

/// Lower case, umlauts written out, and a space for everything that is no letter; a space before inner capitals.
fn fold(name: &str) -> String {
    let mut plain = String::with_capacity(name.len() + 8);
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && after_lower {
            plain.push(' ');
        }
        after_lower = c.is_lowercase();
        for lower in c.to_lowercase() {
            match lower {
                'ä' => plain.push_str("ae"),
                'ö' => plain.push_str("oe"),
                'ü' => plain.push_str("ue"),
                'ß' => plain.push_str("ss"),
                letter if letter.is_alphabetic() => plain.push(letter),
                _ => plain.push(' '),
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_list_prohibits_by_itself() {
        for stem in STEMS {
            assert_eq!(STEMS.iter().filter(|s| stem.contains(**s)).count(), 1, "{stem} says it twice");
            assert!(is_prohibited(stem) && is_prohibited(&format!("x-{}_y", stem.to_uppercase())), "{stem}");
        }
        for word in WORDS {
            assert!(is_prohibited(word) && is_prohibited(&format!("data_{word}")), "{word}");
            assert!(!is_prohibited(&format!("xx{word}xx")), "{word}");
        }
    }

    #[test]
    fn spelling_does_not_help() {
        for name in [
            "Gewerkschafts-Zugehörigkeit",
            "gewerkschaft",
            "union_membership",
            "unionMembership",
            "UNION-MEMBER",
            "Staatsangehörigkeit",
            "Führungszeugnis",
            "political opinion",
            "politische_meinung",
            "sexual_orientation",
            "ethnische Herkunft",
            "ethnic_origin",
            "health.status",
            "HealthData",
            "biometrische Daten",
            "genetic",
            "criminal_record",
            "Vor-strafen",
            "religious-belief",
            "Glaubensrichtung",
            "gesundheits daten",
            "Race",
        ] {
            assert!(is_prohibited(name), "{name}");
        }
    }

    #[test]
    fn what_a_business_needs_is_free() {
        for name in [
            "job",
            "company",
            "professional_contact",
            "traits",
            "motives",
            "preferences",
            "host_policy",
            "embrace",
            "job_function",
            "seniority",
            "third_party",
            "communion",
            "data_origin",
            "psychographic",
            "lead_source",
            "department",
            "language",
            "channel",
        ] {
            assert!(!is_prohibited(name), "{name}");
        }
    }
}
