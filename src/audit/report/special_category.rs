//! Whether any text that is kept could reveal data of Art. 9 or 10: every text of every snapshot, through the guard.
//!
//! Invariant: a finding names place and category, never the text; what the guard would withhold today is a finding,
//! whatever it let through when the text was written.

use serde::Serialize;

use super::{Book, Finding, Findings, ReportError, table};
use crate::extract::text::guard::scrub;
use crate::sink::Table;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SpecialCategory {
    /// Snapshots that were looked at.
    pub snapshots: u64,
    /// Texts that were read.
    pub texts: u64,
    /// What the guard would withhold: kind = the category.
    pub findings: Findings,
}

/// Texts of people and about them, and the column that names their row.
const TABLES: [(Table, &str); 2] = [(Table::Personas, "subject_id"), (Table::Evidence, "signal_id")];

/// Ids, hashes, hosts and terms of closed vocabularies: no words of anybody.
const NOT_PROSE: [&str; 13] = [
    "subject_id",
    "account_id",
    "crm_record",
    "permit_id",
    "signal_id",
    "document_id",
    "document_hash",
    "host",
    "basis",
    "notice_status",
    "extractor",
    "extractor_version",
    "source_class",
];

/// Scans.
///
/// # Errors
/// A snapshot cannot be read.
pub fn special_category(book: &Book<'_>) -> Result<SpecialCategory, ReportError> {
    let mut all = SpecialCategory::default();
    for kept in book.snapshots()? {
        all.snapshots += 1;
        for (table, id) in TABLES {
            table::each(&kept.snapshot, table, |row| {
                let id = row.text(id)?;
                row.each_text(&mut |column, text| {
                    if NOT_PROSE.contains(&column) {
                        return;
                    }
                    all.texts += 1;
                    // Terms of vocabularies are joined by underscores.
                    let (_, withheld) = scrub(&text.replace('_', " "), None);
                    for (category, _) in withheld.into_counts() {
                        all.findings.add(Finding {
                            kind: word(category),
                            says: "the guard would withhold this text: erase the row, then run again".to_owned(),
                            snapshot: Some(kept.run().to_owned()),
                            table: Some(table.as_str()),
                            row: Some(id.to_owned()),
                            column: Some(column.to_owned()),
                            ..Finding::default()
                        });
                    }
                });
                Ok(())
            })?;
        }
    }
    Ok(all)
}

const fn word(category: crate::extract::text::guard::SpecialCategory) -> &'static str {
    use crate::extract::text::guard::SpecialCategory as Category;
    match category {
        Category::EthnicOrigin => "ethnic_origin",
        Category::PoliticalOpinion => "political_opinion",
        Category::ReligionBelief => "religion_belief",
        Category::UnionMembership => "union_membership",
        Category::Genetic => "genetic",
        Category::Biometric => "biometric",
        Category::Health => "health",
        Category::SexLifeOrientation => "sex_life_orientation",
        Category::CriminalOffence => "criminal_offence",
    }
}
