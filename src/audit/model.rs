//! The hash of everything that inference reads beside its input: vocabularies, lexicons, weights.
//!
//! Invariant: whoever changes a word in one of them changes the hash, so an entry of the log, or a DPIA, names exactly
//! the model that was applied.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

const PARTS: [(&str, &[u8]); 79] = [
    ("crm/noes", include_bytes!("../../config/crm/noes.yaml")),
    ("crm/quotes", include_bytes!("../../config/crm/quotes.yaml")),
    ("lexicon/html/links", include_bytes!("../../config/lexicon/html/links.yaml")),
    ("lexicon/html/mf2_classic", include_bytes!("../../config/lexicon/html/mf2_classic.yaml")),
    ("lexicon/html/others", include_bytes!("../../config/lexicon/html/others.yaml")),
    ("lexicon/html/words", include_bytes!("../../config/lexicon/html/words.yaml")),
    ("signals/callings", include_bytes!("../../config/signals/callings.yaml")),
    ("signals/given_names", include_bytes!("../../config/signals/given_names.yaml")),
    ("signals/technologies", include_bytes!("../../config/signals/technologies.yaml")),
    ("signals/topics/report_de", include_bytes!("../../config/signals/topics/report_de.yaml")),
    ("signals/topics/report_en", include_bytes!("../../config/signals/topics/report_en.yaml")),
    ("signals/topics/people_de", include_bytes!("../../config/signals/topics/people_de.yaml")),
    ("signals/topics/people_en", include_bytes!("../../config/signals/topics/people_en.yaml")),
    ("signals/topics/seats_de", include_bytes!("../../config/signals/topics/seats_de.yaml")),
    ("signals/topics/seats_en", include_bytes!("../../config/signals/topics/seats_en.yaml")),
    ("signals/topics/mend25", include_bytes!("../../config/signals/topics/mend25.yaml")),
    ("signals/topics/prose28_de", include_bytes!("../../config/signals/topics/prose28_de.yaml")),
    ("signals/topics/self29_de", include_bytes!("../../config/signals/topics/self29_de.yaml")),
    ("signals/topics/firm29_de", include_bytes!("../../config/signals/topics/firm29_de.yaml")),
    ("signals/topics/firm29_en", include_bytes!("../../config/signals/topics/firm29_en.yaml")),
    ("signals/topics/prose28_en", include_bytes!("../../config/signals/topics/prose28_en.yaml")),
    ("signals/topics/prose_de", include_bytes!("../../config/signals/topics/prose_de.yaml")),
    ("signals/topics/prose_en", include_bytes!("../../config/signals/topics/prose_en.yaml")),
    ("signals/topics/entries", include_bytes!("../../config/signals/topics/entries.yaml")),
    ("signals/topics/news2", include_bytes!("../../config/signals/topics/news2.yaml")),
    ("signals/topics/dealings_de", include_bytes!("../../config/signals/topics/dealings_de.yaml")),
    ("signals/topics/dealings_en", include_bytes!("../../config/signals/topics/dealings_en.yaml")),
    ("signals/topics/news", include_bytes!("../../config/signals/topics/news.yaml")),
    ("signals/topics/role_said_de", include_bytes!("../../config/signals/topics/role_said_de.yaml")),
    ("signals/topics/role_said_en", include_bytes!("../../config/signals/topics/role_said_en.yaml")),
    ("taxonomy/titles_fr", include_bytes!("../../config/taxonomy/titles_fr.yaml")),
    ("signals/note_heads", include_bytes!("../../config/signals/note_heads.yaml")),
    ("signals/role_lines", include_bytes!("../../config/signals/role_lines.yaml")),
    ("signals/buying_role", include_bytes!("../../config/signals/buying_role.yaml")),
    ("signals/trait", include_bytes!("../../config/signals/trait.yaml")),
    ("signals/motive", include_bytes!("../../config/signals/motive.yaml")),
    ("signals/channel", include_bytes!("../../config/signals/channel.yaml")),
    ("signals/channel_phase", include_bytes!("../../config/signals/channel_phase.yaml")),
    ("signals/goal", include_bytes!("../../config/signals/goal.yaml")),
    ("signals/requirement", include_bytes!("../../config/signals/requirement.yaml")),
    ("signals/experience", include_bytes!("../../config/signals/experience.yaml")),
    ("signals/behaviour", include_bytes!("../../config/signals/behaviour.yaml")),
    ("signals/company", include_bytes!("../../config/signals/company.yaml")),
    ("signals/context", include_bytes!("../../config/signals/context.yaml")),
    ("signals/stances", include_bytes!("../../config/signals/stances.yaml")),
    ("signals/topics/wishes", include_bytes!("../../config/signals/topics/wishes.yaml")),
    ("signals/topics/experience", include_bytes!("../../config/signals/topics/experience.yaml")),
    ("signals/topics/habits", include_bytes!("../../config/signals/topics/habits.yaml")),
    ("signals/topics/channels", include_bytes!("../../config/signals/topics/channels.yaml")),
    ("signals/topics/phases", include_bytes!("../../config/signals/topics/phases.yaml")),
    ("signals/topics/person", include_bytes!("../../config/signals/topics/person.yaml")),
    ("signals/topics/company", include_bytes!("../../config/signals/topics/company.yaml")),
    ("signals/topics/person_talk", include_bytes!("../../config/signals/topics/person_talk.yaml")),
    ("signals/topics/motive_talk", include_bytes!("../../config/signals/topics/motive_talk.yaml")),
    ("signals/topics/role_talk", include_bytes!("../../config/signals/topics/role_talk.yaml")),
    ("signals/topics/role_plain", include_bytes!("../../config/signals/topics/role_plain.yaml")),
    ("signals/surnames", include_bytes!("../../config/signals/surnames.txt")),
    ("signals/topics/company_talk", include_bytes!("../../config/signals/topics/company_talk.yaml")),
    ("taxonomy/titles", include_bytes!("../../config/taxonomy/titles.yaml")),
    ("taxonomy/titles_derived", include_bytes!("../../config/taxonomy/titles_derived.yaml")),
    ("taxonomy/title_model", include_bytes!("../../config/taxonomy/title_model.bin")),
    ("roles", include_bytes!("../../config/roles.yaml")),
    ("fusion", include_bytes!("../../config/fusion.yaml")),
    ("studies/buying_center_roles", include_bytes!("../../config/studies/buying_center_roles.yaml")),
    ("studies/ifh_koeln_2018", include_bytes!("../../config/studies/ifh_koeln_2018.yaml")),
    ("crm/columns", include_bytes!("../../config/crm/columns.yaml")),
    ("crm/remarks", include_bytes!("../../config/crm/remarks.yaml")),
    ("crm/values", include_bytes!("../../config/crm/values.yaml")),
    ("identity", include_bytes!("../../config/identity.yaml")),
    ("lexicon/special_categories/biometric", include_bytes!("../../config/lexicon/special_categories/biometric.yaml")),
    ("lexicon/special_categories/context", include_bytes!("../../config/lexicon/special_categories/context.yaml")),
    (
        "lexicon/special_categories/criminal_offence",
        include_bytes!("../../config/lexicon/special_categories/criminal_offence.yaml"),
    ),
    (
        "lexicon/special_categories/ethnic_origin",
        include_bytes!("../../config/lexicon/special_categories/ethnic_origin.yaml"),
    ),
    ("lexicon/special_categories/genetic", include_bytes!("../../config/lexicon/special_categories/genetic.yaml")),
    ("lexicon/special_categories/health", include_bytes!("../../config/lexicon/special_categories/health.yaml")),
    (
        "lexicon/special_categories/political_opinion",
        include_bytes!("../../config/lexicon/special_categories/political_opinion.yaml"),
    ),
    (
        "lexicon/special_categories/religion_belief",
        include_bytes!("../../config/lexicon/special_categories/religion_belief.yaml"),
    ),
    (
        "lexicon/special_categories/sex_life_orientation",
        include_bytes!("../../config/lexicon/special_categories/sex_life_orientation.yaml"),
    ),
    (
        "lexicon/special_categories/union_membership",
        include_bytes!("../../config/lexicon/special_categories/union_membership.yaml"),
    ),
];

static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = Sha256::new();
    for (name, content) in PARTS {
        hasher.update((name.len() as u64).to_be_bytes());
        hasher.update(name);
        hasher.update((content.len() as u64).to_be_bytes());
        hasher.update(content);
    }
    HEXLOWER.encode(&hasher.finalize())
});

/// SHA-256 over vocabularies, lexicons and weights, hex.
#[must_use]
pub fn model_hash() -> &'static str {
    &HASH
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// What inference does not read: terms of other tools, where the title model is from, what sites reserve.
    const OTHERS: [&str; 3] = ["taxonomy/crosswalks", "taxonomy/title_model", "lexicon/reservations"];

    fn gather(folder: &Path, name: &str, all: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("in the repository") {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let name = format!("{name}/{stem}");
            if path.is_dir() {
                gather(&path, &name, all);
            } else if path.extension().is_some_and(|e| e != "bin") {
                all.insert(name);
            }
        }
    }

    #[test]
    fn the_hash_covers_every_file_that_inference_reads() {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let mut all = BTreeSet::new();
        for folder in ["signals", "taxonomy", "crm", "lexicon", "studies"] {
            gather(&config.join(folder), folder, &mut all);
        }
        let hashed: BTreeSet<String> = PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        let left: Vec<&String> = all.difference(&hashed).filter(|name| !OTHERS.contains(&name.as_str())).collect();
        assert!(all.len() > 50 && left.is_empty(), "not in the hash: {left:?}");
    }
}
