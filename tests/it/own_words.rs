//! What companies and people publish themselves: feeds of news, adverts of jobs, posts.
//!
//! Invariant: facts come with their words, their place and their own date; nothing of a person is read out of a
//! company's feed, and nothing of what was withheld is left anywhere.

use std::fs;

use prosopon::model::{About, Signal};

use crate::harness::{files, shared};
use crate::tables::Tables;

/// What evidence says of a company on a page: facet, value, day, quote.
fn said(tables: &Tables, record: &str, locator: &str) -> Vec<String> {
    let account = tables.accounts.iter().find(|a| a.crm_record == record).expect("a company of the demo");
    let own = |s: &&Signal| {
        matches!(&s.about, About::Account(id) if *id == account.account_id) && s.evidence.locator.starts_with(locator)
    };
    let mut said: Vec<String> = tables
        .evidence
        .iter()
        .filter(own)
        .map(|s| {
            let day = s.evidence.observed_at.to_string()[..10].to_owned();
            format!("{}={} {day} {:?}", s.claim.facet(), s.claim.value(), s.evidence.quote)
        })
        .collect();
    said.sort();
    said
}

/// Whether a word stands in any file of the home, in whatever table.
fn stands_in_home(word: &str) -> bool {
    let tables = Tables::of(&shared().home);
    let shown =
        format!("{:?} {:?} {:?} {:?}", tables.evidence, tables.documents, tables.decisions, tables.dead_letters);
    shown.contains(word)
        || files(&shared().home).iter().any(|file| {
            let bytes = fs::read(file).expect("a file of the home");
            bytes.windows(word.len()).any(|w| w == word.as_bytes())
        })
}

#[test]
fn feeds_tell_of_companies_with_words_and_dates() {
    let tables = Tables::of(&shared().home);
    assert_eq!(
        said(&tables, "ACC-1001", "entry"),
        [
            "account.development=growth 2026-01-22 \"[company] eröffnet neue Halle\"",
            "account.development=restructuring 2020-04-06 \"[company] macht Kurzarbeit\"",
        ]
    );
    assert_eq!(
        said(&tables, "ACC-1002", "entry"),
        [
            "account.competitive_pressure=high 2025-08-14 \"Wir stehen unter hohem Wettbewerbsdruck\"",
            "account.development=restructuring 2026-02-20 \"[company] schließt den Standort\"",
        ]
    );
    assert_eq!(
        said(&tables, "ACC-1005", "entry"),
        [
            "account.development=growth 2025-11-17 \"[company] is growing\"",
            "account.development=growth 2026-02-10 \"We are hiring\"",
            "account.innovation=high 2025-11-17 \"We invest heavily in research\"",
        ]
    );
}

#[test]
fn adverts_of_jobs_tell_of_companies() {
    let tables = Tables::of(&shared().home);
    assert_eq!(
        said(&tables, "ACC-1008", "text"),
        ["account.development=growth 2026-03-02 \"Wir stellen 40 neue Mitarbeiter ein\""]
    );
    let technologies = |named: &str| format!("account.digital_maturity=high 2026-03-02 {named:?}");
    assert_eq!(said(&tables, "ACC-1008", "3 technologies"), [technologies("MES, OPC UA, SAP S/4HANA")]);
    let of_kantfeld = technologies("Kafka, Kubernetes, Terraform, Google Cloud, Python");
    assert_eq!(said(&tables, "ACC-1005", "5 technologies"), [of_kantfeld]);
    let positions = said(&tables, "ACC-1005", "6 job postings");
    assert!(positions.len() == 1 && positions[0].starts_with("account.development=growth 2026-02-10"), "{positions:?}");
}

#[test]
fn nothing_of_the_people_in_feeds_and_adverts_is_kept() {
    for word in ["Quandtmeier", "risikofreudig", "Wiesenhuber", "Krankheit", "Oakenfold", "Zinnhobel"] {
        assert!(!stands_in_home(word), "{word}");
    }
}
