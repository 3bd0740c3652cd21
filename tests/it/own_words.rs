//! What companies and people publish themselves: feeds of news, adverts of jobs, posts.
//!
//! Invariant: facts come with their words, their place and their own date; nothing of a person is read out of a
//! company's feed, and nothing of what was withheld is left anywhere.

use std::fs;

use prosopon::model::{About, Signal};

use crate::harness::{arg, files, pipeline, root, say, shared, temp};
use crate::tables::{Tables, subject};

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
            // Others read from this home meanwhile, which is logged: a file of theirs may be gone by now.
            let read = fs::read(file);
            let gone = read.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound);
            let bytes = if gone { Vec::new() } else { read.expect("a file of the home") };
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
            "account.development=restructuring 2020-04-06 \"Kurzarbeit\"",
        ]
    );
    assert_eq!(
        said(&tables, "ACC-1002", "entry"),
        [
            "account.competitive_pressure=high 2025-08-14 \"Wir stehen unter hohem Wettbewerbsdruck\"",
            "account.competitive_pressure=high 2026-02-20 \"stehen wir unter starkem Preisdruck\"",
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
        ["account.development=growth 2026-03-02 \"stellen wir 40 neue Leute ein\""]
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

/// What a contact's posts say: facet, value, day, quote.
fn posted(tables: &Tables, record: &str) -> Vec<String> {
    let id = subject(record);
    let own = |s: &&Signal| {
        matches!(&s.about, About::Subject(of, _) if *of == id) && s.evidence.source_id == "social_profile"
    };
    let shown = |s: &Signal| {
        let day = s.evidence.observed_at.to_string()[..10].to_owned();
        format!("{}={} {day} {:?}", s.claim.facet(), s.claim.value(), s.evidence.quote)
    };
    let mut posted: Vec<String> = tables.evidence.iter().filter(own).map(shown).collect();
    posted.sort();
    posted
}

#[test]
fn posts_tell_of_those_who_consent_and_want_to_be_found() {
    let tables = Tables::of(&shared().home);
    assert_eq!(
        posted(&tables, "K-2042"),
        [
            "channel=phone 2026-02-21 \"I prefer phone calls\"",
            "trait.innovation_openness=+ 2026-02-01 \"I am an early adopter\"",
        ]
    );
    assert_eq!(
        posted(&tables, "K-2004"),
        [
            "channel=e_mail 2026-02-15 \"Ich bevorzuge E-Mail\"",
            "trait.innovation_openness=+ 2026-02-10 \"Ich bin offen für Neues\"",
        ]
    );
    for record in ["K-2001", "K-2002"] {
        assert_eq!(posted(&tables, record), Vec::<String>::new(), "{record}");
    }
    let of_social = || tables.documents.iter().filter(|d| d.source_id == "social_profile" && d.bytes > 0);
    assert_eq!(of_social().filter(|d| d.reason.as_deref() == Some("not_discoverable")).count(), 1);
    // Two accounts with their posts, one that does not want to be found, the host's robots.txt.
    assert_eq!(of_social().filter(|d| d.outcome == "fetched").count(), 5);
    let refused = tables
        .decisions
        .iter()
        .find(|d| d.source_id == "social_profile" && d.target.subject() == Some(&subject("K-2002")));
    assert!(refused.is_some_and(|d| d.primary_reason.is_some()), "{refused:?}");
    let letters = |l: &&serde_json::Value| l["detail"].as_str().is_some_and(|d| d.starts_with("source social_profile"));
    assert_eq!(tables.dead_letters.iter().filter(letters).count(), 2);
    assert!(tables.dead_letters.iter().filter(letters).all(|l| l["subject_id"].is_null()));
}

#[test]
fn nothing_of_a_withheld_or_closed_post_is_left() {
    for word in ["Zwetschgen", "diagnosed", "kandidiere", "Betriebsrat und", "conflict-averse"] {
        assert!(!stands_in_home(word), "{word}");
    }
}

#[test]
fn without_consent_nothing_of_a_social_network_is_asked() {
    let folder = temp();
    let shipped = root().join("testdata/demo/crm/consents.csv");
    let consents = fs::read_to_string(&shipped).expect("the demo's consents").replace("|public_social", "");
    let own = folder.path().join("consents.csv");
    fs::write(&own, consents).expect("a file can be written");
    let file = pipeline(folder.path(), &[(arg(&shipped), arg(&own))]);
    let home = folder.path().join("home");
    say(["run", arg(&file), "--out", arg(&home)]).expect(0);
    let tables = Tables::of(&home);
    assert!(tables.documents.iter().all(|d| d.host != "social.example" && d.source_id != "social_profile"));
    let decisions = || tables.decisions.iter().filter(|d| d.source_id == "social_profile");
    assert_eq!(decisions().count(), 4);
    assert!(decisions().all(|d| d.primary_reason.is_some() && d.operation.as_str() == "profile"));
}

#[test]
fn what_news_and_adverts_say_rests_on_leave_to_infer_and_without_it_they_are_not_asked_for() {
    let of_words = |s: &&Signal| {
        let at = &s.evidence.locator;
        s.evidence.source_id == "company_site"
            && !at.starts_with("organization")
            && matches!(s.about, About::Account(_))
    };
    let tables = Tables::of(&shared().home);
    let inferred: Vec<&Signal> = tables.evidence.iter().filter(of_words).collect();
    assert!(inferred.len() >= 10, "{}", inferred.len());
    for signal in inferred {
        let permit = tables.decisions.iter().find(|d| d.permit_id.as_ref() == Some(&signal.evidence.permit));
        assert_eq!(permit.map(|d| d.operation.as_str()), Some("infer"), "{signal:?}");
    }
    let folder = temp();
    let shipped = root().join("config/policy/demo.yaml");
    let (before, operations) = ("Not about persons.\n    operations: ", "[collect, derive, infer, store, emit]");
    let policy = fs::read_to_string(&shipped).expect("the demo's policy");
    assert!(policy.contains(&format!("{before}{operations}")));
    let collect = format!("{before}[collect, derive, store, emit]");
    let own = folder.path().join("policy.yaml");
    fs::write(&own, policy.replace(&format!("{before}{operations}"), &collect)).expect("a file can be written");
    let file = pipeline(folder.path(), &[(arg(&shipped), arg(&own))]);
    let home = folder.path().join("home");
    say(["run", arg(&file), "--out", arg(&home)]).expect(0);
    let tables = Tables::of(&home);
    assert_eq!(tables.evidence.iter().filter(of_words).count(), 0);
    let refused = |d: &&prosopon::model::DecisionRow| {
        d.source_id == "company_site" && d.operation.as_str() == "infer" && d.target.subject().is_none()
    };
    assert!(tables.decisions.iter().filter(refused).all(|d| d.primary_reason.is_some()));
    // One for each company with a site; home, imprint and team are read as before.
    assert_eq!(tables.decisions.iter().filter(refused).count(), 14);
    assert!(tables.evidence.iter().any(|s| s.evidence.locator.starts_with("organization")));
}
