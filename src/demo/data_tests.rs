//! The demo data is what `testdata/demo/README.md` claims.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use regex::Regex;

use super::ASSETS;
use crate::crm::{ConsentRow, CrmContact, CrmPull, CsvSource, FileSet, pull};

const README: &str = include_str!("../../testdata/demo/README.md");
const CRM_FILES: [&[u8]; 6] = [
    include_bytes!("../../testdata/demo/crm/accounts.csv"),
    include_bytes!("../../testdata/demo/crm/consents.csv"),
    include_bytes!("../../testdata/demo/crm/contacts_altbestand.csv"),
    include_bytes!("../../testdata/demo/crm/contacts_uk.csv"),
    include_bytes!("../../testdata/demo/crm/contacts_vertrieb.csv"),
    include_bytes!("../../testdata/demo/crm/notes.csv"),
];

fn demo() -> CrmPull {
    let set = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
    let source = CsvSource {
        name: "demo-crm".into(),
        contacts: set("../testdata/demo/crm/contacts*.csv"),
        accounts: Some(set("../testdata/demo/crm/accounts.csv")),
        consents: Some(set("../testdata/demo/crm/consents.csv")),
        notes: Some(set("../testdata/demo/crm/notes.csv")),
    };
    pull(&source, &PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pipelines")).expect("the demo can be read")
}

/// Rows of the README's tables whose first cell begins with `prefix`.
fn told(prefix: &str) -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>();
    README.lines().filter(|l| l.starts_with(&format!("| {prefix}"))).map(cells).collect()
}

/// Everything that can be read in files and pages, as text.
fn all_text() -> String {
    let bodies = CRM_FILES.iter().copied().chain(ASSETS.iter().map(|a| a.body));
    bodies.map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n")
}

fn find<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
    Regex::new(pattern).expect("a pattern").find_iter(text).map(|m| m.as_str()).collect()
}

/// A decision in its plainest form, written apart from the gate: what the README says must follow from the rows.
fn plain_decision(contact: &CrmContact, rows: &[&ConsentRow], now: Timestamp) -> &'static str {
    let flags = &contact.flags;
    let of = |kind: &str| rows.iter().filter(|r| r.kind == kind).map(|r| r.recorded_at.or(r.valid_from)).max();
    let proven =
        |r: &ConsentRow| r.method.is_some() && r.notice_id.is_some() && r.method.as_deref() != Some("crm_sync");
    let grants: Vec<&ConsentRow> = rows.iter().copied().filter(|r| r.kind == "grant").collect();
    let known = |r: &&ConsentRow| matches!(r.basis.as_deref(), Some("6(1)(a)" | "6(1)(f)"));
    let fails = |r: &ConsentRow| {
        if !proven(r) {
            Some("ConsentUnproven")
        } else if r.valid_from.is_some_and(|from| from > now) {
            Some("NotYetValid")
        } else if r.valid_to.is_some_and(|to| to <= now) {
            Some("Expired")
        } else {
            (!r.purposes.iter().any(|p| p == "persona_enrichment")).then_some("ScopeMismatch")
        }
    };
    if flags.should_forget {
        return "Erased";
    }
    if flags.do_not_process {
        return "Suppressed";
    }
    if of("restrict").is_some_and(|at| of("lift").is_none_or(|lifted| lifted < at)) {
        return "Restricted";
    }
    if flags.email_opt_out || flags.do_not_contact || of("object").is_some() {
        return "MarketingObjection";
    }
    if of("withdraw").is_some_and(|at| !grants.iter().any(|g| proven(g) && g.recorded_at > at)) {
        return "Withdrawn";
    }
    match grants.iter().copied().find(known) {
        None => "NoBasis",
        Some(grant) => fails(grant).unwrap_or("permit"),
    }
}

#[test]
fn the_table_of_contacts_is_true() {
    let pull = demo();
    let table = told("K-2");
    let ids: Vec<&str> = table.iter().map(|row| row[0]).collect();
    assert_eq!(ids, pull.contacts.iter().map(|c| c.record_id.as_str()).collect::<Vec<_>>());
    let now: Timestamp = "2026-03-02T03:00:00Z".parse().expect("the demo's clock");
    for (contact, row) in pull.contacts.iter().zip(&table) {
        let title = contact.job_title.as_ref().map_or("-", |t| t.reveal().as_str());
        let account = contact.account_record.as_deref().unwrap_or("-");
        let events: Vec<_> = pull.consents.iter().filter(|c| c.contact_id == contact.record_id).collect();
        let shared = |other: &CrmContact| other.emails.iter().any(|email| contact.emails.contains(email));
        let twice = pull.contacts.iter().filter(|other| shared(other)).count() > 1;
        let gate = if twice { "SubjectAmbiguous" } else { plain_decision(contact, &events, now) };
        assert_eq!((row[1], row[2], row[3]), (account, title, gate), "{}", contact.record_id);
    }
    let permits = table.iter().filter(|row| row[3] == "permit").count();
    assert!(permits >= 30, "{permits}");
    // The titles that pages are said to show are on a page.
    let pages = ASSETS.iter().map(|a| encoding(a.host, a.body)).collect::<Vec<_>>().join("\n").replace("&amp;", "&");
    for row in table.iter().filter(|row| row[4] != "-") {
        assert!(pages.contains(row[4]), "{}: {}", row[0], row[4]);
    }
}

fn encoding(host: &str, body: &[u8]) -> String {
    let latin = host == "tischlerei-ahorn.example" && std::str::from_utf8(body).is_err();
    if latin {
        encoding_rs::WINDOWS_1252.decode(body).0.into_owned()
    } else {
        String::from_utf8_lossy(body).into_owned()
    }
}

#[test]
fn the_table_of_companies_is_true() {
    let pull = demo();
    let table = told("ACC-1");
    assert_eq!((table.len(), pull.accounts.len()), (15, 15));
    for (account, row) in pull.accounts.iter().zip(&table) {
        let domain = account.domain.as_deref().unwrap_or("-");
        assert_eq!((row[0], row[1], row[2]), (account.record_id.as_str(), account.name.as_str(), domain));
        assert_eq!(domain != "-", ASSETS.iter().any(|a| a.host == domain), "{domain}");
    }
    let countries = ["AT", "CH", "DE", "GB"];
    assert!(countries.iter().all(|c| pull.accounts.iter().any(|a| a.country.as_deref() == Some(c))));
    assert_eq!(pull.accounts[5].revenue_eur, Some(1_234_567.89));
    assert_eq!(pull.accounts[1].revenue_eur, Some(312_900_000.0));
    assert_eq!(pull.accounts[8].revenue_foreign, Some((41_500_000.0, "CHF".into())));
}

#[test]
fn each_mess_of_real_exports_is_there() {
    let pull = demo();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    pull.dead_letters.iter().for_each(|d| *reasons.entry(d.reason).or_default() += 1);
    let expected = [
        ("duplicate", 4),
        ("missing_id", 1),
        ("ragged_row", 2),
        ("unreadable_date", 2),
        ("unreadable_flag", 2),
        ("unreadable_number", 1),
    ];
    assert_eq!(reasons, BTreeMap::from(expected));
    let files: Vec<_> = pull.files.iter().map(|f| (f.encoding, f.delimiter)).collect();
    assert!(
        files.contains(&("windows-1252", Some(';')))
            && files.contains(&("UTF-8", Some(',')))
            && files.contains(&("UTF-8", Some(';')))
    );
    assert!(CRM_FILES[4].starts_with(b"\xef\xbb\xbf") && CRM_FILES[4].windows(2).any(|w| w == b";\n"));
    assert!(pull.contacts.iter().any(|c| c.emails.is_empty()) && pull.contacts.iter().any(|c| c.job_title.is_none()));
    let unknown = |id: &str| !pull.contacts.iter().any(|c| c.record_id == id);
    assert!(pull.consents.iter().any(|c| unknown(&c.contact_id)), "a consent of an unknown contact");
    let by_mail = |mail: &str| pull.contacts.iter().filter(|c| c.emails.iter().any(|e| e.reveal() == mail)).count();
    assert_eq!(by_mail("b.luedersen@nordkai-logistik.example"), 2, "one person under two ids");
    assert!(pull.contacts.iter().any(|c| c.account_record.as_deref() == Some("ACC-1999")));
}

#[test]
fn every_host_and_number_is_reserved() {
    let text = all_text();
    for host in ASSETS.iter().map(|a| a.host) {
        assert!(host.ends_with(".example"), "{host}");
    }
    let hosts = find(r"(?i)(?:@|https?://)[a-z0-9äöüß.-]+", &text);
    assert!(hosts.len() > 100);
    for host in hosts {
        let lower = host.to_lowercase();
        // `schema.org` and `www.w3.org` name vocabularies in JSON-LD and Atom; `@graph` and its like are keywords.
        let keyword = lower.starts_with('@') && !lower.contains('.');
        let vocabulary = ["//schema.org", "//www.w3.org"].iter().any(|v| lower.ends_with(v));
        assert!(keyword || vocabulary || lower.ends_with(".example"), "{host}");
    }
    let phones = find(r"\+\d[\d ]+", &text);
    assert!(phones.len() > 30);
    let reserved = [
        "+49 30 23125 ",
        "+49 40 66969 ",
        "+49 69 90009 ",
        "+49 89 99998 ",
        "+49 221 4710 ",
        "+44 1632 960",
        "+43 000 ",
        "+41 00 ",
    ];
    for phone in phones {
        assert!(reserved.iter().any(|r| phone.starts_with(r)), "{phone}");
    }
}

/// Check digit of ISO 7064 MOD 11,10, as German VAT ids have it.
fn german(digits: &[u32]) -> bool {
    let product = digits[..8].iter().fold(10, |p, d| match (d + p) % 10 {
        0 => 20 % 11,
        sum => sum * 2 % 11,
    });
    (11 - product) % 10 == digits[8]
}

/// The Austrian one: digit sums of every second digit doubled.
fn austrian(digits: &[u32]) -> bool {
    let sum: u32 =
        digits[..7].iter().enumerate().map(|(i, d)| if i % 2 == 0 { *d } else { d * 2 / 10 + d * 2 % 10 }).sum();
    (96 - sum) % 10 == digits[7]
}

/// The Swiss one: weights 5 4 3 2 7 6 5 4, modulo 11.
fn swiss(digits: &[u32]) -> bool {
    let sum: u32 = digits[..8].iter().zip([5, 4, 3, 2, 7, 6, 5, 4]).map(|(d, w)| d * w).sum();
    (11 - sum % 11) % 11 == digits[8]
}

/// The British one: weights 8 to 2, modulo 97, in the old or the new way.
fn british(digits: &[u32]) -> bool {
    let sum: u32 = digits[..7].iter().zip((2..=8).rev()).map(|(d, w)| d * w).sum();
    let total = sum + digits[7] * 10 + digits[8];
    total.is_multiple_of(97) || (total + 55).is_multiple_of(97)
}

#[test]
fn no_vat_id_has_a_right_check_digit() {
    let digits = |s: &str| s.chars().filter_map(|c| c.to_digit(10)).collect::<Vec<_>>();
    // The algorithms know a right one: published examples of the tax offices.
    assert!(german(&digits("136695976")) && austrian(&digits("13585627")));
    assert!(swiss(&digits("107787577")) && british(&digits("980780684")));
    let text = all_text();
    let mut seen = 0;
    for (pattern, check) in [
        (r"DE ?\d{3} ?\d{3} ?\d{3}\b", german as fn(&[u32]) -> bool),
        (r"ATU\d{8}", austrian),
        (r"CHE-\d{3}\.\d{3}\.\d{3}", swiss),
        (r"GB \d{3} \d{4} \d{2}", british),
    ] {
        let found = find(pattern, &text);
        assert!(!found.is_empty(), "{pattern}");
        for id in found {
            assert!(!check(&digits(id)), "{id} would be valid");
            seen += 1;
        }
    }
    assert!(seen >= 11, "{seen}");
}

#[test]
fn a_polite_client_is_done_in_time() {
    let mut pages: BTreeMap<&str, usize> = BTreeMap::new();
    for asset in ASSETS.iter().filter(|a| !a.path.starts_with("/users/") && !a.path.starts_with("/accounts/")) {
        *pages.entry(asset.host).or_default() += 1;
    }
    // Without `_host.yaml`: at most 6 files, so 7 requests with the question for tdmrep.json.
    assert!(pages.values().all(|n| *n <= 7), "{pages:?}");
}
