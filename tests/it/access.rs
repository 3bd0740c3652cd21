//! Access and portability over the demo: complete, exact, and about nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use prosopon::model::SubjectId;
use prosopon::rights::access::{self, Bundle, ControllerFacts, CrmField, Sources};
use prosopon::rights::office::Office;
use prosopon::rights::portability::{Portable, portable};
use prosopon::taxonomy::{FacetStatus, Language};
use serde_json::Value;

use crate::harness::{arg, copy_of_shared, demo, files, now, say};

/// Opens a home of its own for each test: opening writes to it.
fn open(home: &Path) -> Office {
    Office::open(home, &(Arc::new(now) as _)).expect("the demo's home opens")
}

/// An answer to one person, as the command makes it.
fn bundle(office: &Office, subject: &SubjectId, languages: &[Language], crm: Option<&[CrmField]>) -> Bundle {
    let key = office.key(subject);
    let decisions = access::decisions(&office.reader().expect("the log opens"), key).expect("the log is readable");
    let rectified = office.store.rectifications(key).expect("the store is readable");
    let restricted = office.store.restricted(key).expect("the store is readable");
    let facts = ControllerFacts::default();
    access::gather(&Sources {
        home: &office.home,
        subject,
        ledger: office.ledger.view(),
        decisions: &decisions,
        restricted: restricted.as_deref(),
        key,
        rectified: &rectified,
        crm,
        facts: &facts,
        languages,
        now: office.now(),
    })
    .expect("every store is readable")
}

#[test]
fn what_is_kept_of_pages_is_told_until_it_goes() {
    let (_dir, home) = copy_of_shared();
    let subject = crate::tables::subject("K-2003");
    let told = |office: &Office| bundle(office, &subject, &[Language::German], None);
    let before = told(&open(&home));
    // Home, team, imprint; of the feed something was withheld. The run stood at 2026-03-02.
    let last = before.pages.iter().max().expect("pages").to_string();
    assert_eq!((before.pages.len(), last.as_str()), (3, "2026-04-01T03:00:00Z"));
    assert!(access::html(&before).contains("verschlüsselt aufbewahrt"));
    let said = say(["subject", "object", "K-2003", "--out", arg(&home)]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(told(&open(&home)).pages.len(), 0);
}

/// Everybody of the shared demo.
fn everybody(office: &Office) -> Vec<SubjectId> {
    let mut all: Vec<SubjectId> = office.vault.subjects().map(|(id, _)| id.clone()).collect();
    all.sort();
    all
}

/// Every value of a column of strings, read with plain arrow.
fn texts(batch: &RecordBatch, name: &str) -> Option<Vec<Option<String>>> {
    let column = batch.column_by_name(name)?.as_string_opt::<i32>()?.clone();
    Some((0..column.len()).map(|i| column.is_valid(i).then(|| column.value(i).to_owned())).collect())
}

/// Rows of all tables that are about each subject: table -> a key of the row, read independently of the product.
type Scan = BTreeMap<String, BTreeSet<(String, Vec<Option<String>>)>>;

fn scan(home: &Path) -> Scan {
    let mut found = Scan::new();
    for path in files(home).iter().filter(|p| p.extension().is_some_and(|e| e == "parquet")) {
        let table = path.parent().and_then(|p| p.file_name()).and_then(|n| n.to_str()).expect("a table").to_owned();
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).expect("a file")).expect("Parquet");
        for batch in reader.build().expect("Parquet") {
            let batch = batch.expect("a batch");
            let schema = batch.schema();
            let columns: Vec<Vec<Option<String>>> =
                schema.fields().iter().filter_map(|f| texts(&batch, f.name())).collect();
            if let Some(subjects) = texts(&batch, "subject_id") {
                for (i, subject) in subjects.into_iter().enumerate().filter_map(|(i, s)| Some((i, s?))) {
                    let row = columns.iter().map(|c| c[i].clone()).collect();
                    found.entry(subject).or_default().insert((table.clone(), row));
                }
            }
            if let Some(members) = batch.column_by_name("members") {
                let roles = texts(&batch, "role").expect("a role");
                for (i, role) in roles.into_iter().enumerate() {
                    let list = members.as_list::<i32>().value(i);
                    let ids = list.as_struct().column_by_name("subject_id").expect("ids").as_string::<i32>().clone();
                    for id in ids.iter().flatten() {
                        let accounts = texts(&batch, "account_id").expect("a company");
                        let row = vec![accounts[i].clone(), role.clone()];
                        found.entry(id.to_owned()).or_default().insert((table.clone(), row));
                    }
                }
            }
        }
    }
    found
}

/// The same of a bundle.
fn rows(b: &Bundle) -> BTreeSet<(String, Vec<Option<String>>)> {
    let own = |r: &&access::Record| !["accounts", "documents"].contains(&r.table.as_str());
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let row = |r: &access::Record| {
        if r.table == "buying_centers" {
            return vec![text(&r.row["account_id"]), text(&r.row["role"])];
        }
        // Instants are no strings in the file.
        let is_time = |name: &str| {
            ["as_of", "retain_until", "observed_at", "decided_at", "valid_until", "holds_until"].contains(&name)
        };
        let strings = r.row.iter().filter(|(name, v)| !is_time(name) && (v.is_string() || v.is_null()));
        let numbers = ["job_function_probability", "seniority_probability", "signing_power_probability"];
        strings.filter(|(name, _)| !numbers.contains(&name.as_str())).map(|(_, v)| text(v)).collect()
    };
    b.records.iter().filter(own).map(|r| (r.table.clone(), row(r))).collect()
}

#[test]
fn the_bundle_is_what_an_independent_scan_finds_and_nothing_of_anybody_else() {
    let (_dir, home) = copy_of_shared();
    let office = &open(&home);
    let (scan, all) = (scan(&home), everybody(office));
    assert!(all.len() > 60, "{}", all.len());
    let mut records: BTreeMap<&SubjectId, Vec<String>> = BTreeMap::new();
    let bundles: Vec<Bundle> = all.iter().map(|s| bundle(office, s, &[Language::German], None)).collect();
    for (s, b) in all.iter().zip(&bundles) {
        assert_eq!(rows(b), scan.get(s.as_str()).cloned().unwrap_or_default(), "{s}");
        records.insert(s, b.subject.crm_records.clone());
    }
    for (s, b) in all.iter().zip(&bundles) {
        let text = b.to_json() + &access::html(b);
        for other in all.iter().filter(|o| *o != s) {
            assert!(!text.contains(other.as_str()), "{s} is told of {other}");
            for record in &records[other] {
                let quoted = [format!("\"{record}\""), format!(">{record}<")];
                assert!(!quoted.iter().any(|q| text.contains(q)), "{s} is told of {record}");
            }
        }
    }
}

#[test]
fn every_explanation_comes_to_the_stored_value() {
    let (_dir, home) = copy_of_shared();
    let office = &open(&home);
    let (mut personas, mut facets, mut told) = (0, 0, 0);
    for s in everybody(office) {
        let b = bundle(office, &s, Language::ALL, None);
        for f in b.personas.iter().inspect(|_| personas += 1).flat_map(|p| &p.facets) {
            facets += 1;
            assert!(f.exact, "{s} {}: {f:#?}", f.facet);
            for l in Language::ALL {
                let plain = &f.plain[l];
                assert!(!plain.name.is_empty() && !plain.value.is_empty(), "{f:#?}");
                assert!(plain.why.iter().all(|w| !w.contains('{') && !w.trim().is_empty()), "{f:#?}");
                assert!(f.status != FacetStatus::Known || f.group == "position" || !plain.why.is_empty(), "{f:#?}");
                let jargon = ["log-odds", "signal", "prior", "sigmoid", "posterior"];
                assert!(plain.why.iter().all(|w| !jargon.iter().any(|j| w.to_lowercase().contains(j))), "{f:#?}");
            }
            if let (Some(p), Some(last)) = (f.probability, f.steps.last()) {
                told += 1;
                assert!((p - last.to).abs() < 1e-9, "{f:#?}");
                let sum: f64 = f.steps.iter().map(|s| s.adds).sum();
                assert!((1.0 / (1.0 + (-sum).exp()) - p).abs() < 1e-9, "{f:#?}");
                assert!(f.steps.windows(2).all(|w| (w[0].to - w[1].from).abs() < 1e-9), "{f:#?}");
            }
        }
    }
    assert!(personas > 40 && facets > 2000 && told > 300, "{personas} {facets} {told}");
}

/// Somebody of whom much is known.
fn somebody(office: &Office) -> SubjectId {
    let known = |s: &SubjectId| {
        let b = bundle(office, s, &[Language::English], None);
        b.personas.iter().flat_map(|p| &p.facets).filter(|f| f.status == FacetStatus::Known).count()
    };
    everybody(office).into_iter().max_by_key(known).expect("somebody")
}

#[test]
fn the_page_is_whole_escaped_and_loads_nothing() {
    let (_dir, home) = copy_of_shared();
    let office = &open(&home);
    let field = |name: &str, value: &str| CrmField { field: name.into(), value: value.into() };
    let crm = [field("family_name", "<script>alert(1)</script>\"'&"), field("email", "muster@muster.example")];
    let b = bundle(office, &somebody(office), Language::ALL, Some(&crm));
    let page = access::html(&b);
    if let Some(to) = std::env::var_os("ACCESS_PAGE") {
        std::fs::write(to, &page).expect("the page can be written");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
    for active in
        ["<script", "src=", "url(", "@import", "http-equiv=\"refresh\"", "href=\"http", "<iframe", "javascript:"]
    {
        assert!(!page.contains(active), "{active}");
    }
    assert!(page.contains("<main lang=\"de\"") && page.contains("<main lang=\"en\""));
    // Every element that is opened is closed, headings do not skip a level.
    for tag in ["main", "section", "table", "tr", "th", "td", "article", "details", "ol", "ul", "li", "nav", "h2", "h3"]
    {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|s| s.split('"').next()).collect();
    let unique: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "ids are unique");
    for target in page.split("href=\"#").skip(1).filter_map(|s| s.split('"').next()) {
        assert!(ids.contains(&target), "{target}");
    }
    assert!(b.recipients.iter().any(|r| r.name == "sales" && r.region == "EEA"), "{:?}", b.recipients);
    assert!(b.purposes.iter().any(|p| !p.interests.is_empty() || p.bases.contains(&"6(1)(a)".to_owned())));
    assert!(b.sources.iter().any(|s| s.host.is_some()) && !b.ledger.is_empty() && !b.decisions.is_empty());
    assert!(b.retention.first_collected.is_some() && !b.retention.until.is_empty());
}

#[test]
fn a_correction_is_told_without_what_was_there_before() {
    let (_dir, home) = copy_of_shared();
    let office = open(&home);
    let subject = somebody(&office);
    let before = bundle(&office, &subject, &[Language::English], None);
    let old = before.personas[0].facets.iter().find(|f| f.facet == "job_function").expect("a function").clone();
    let new = if old.value.as_deref() == Some("quality") { "sales" } else { "quality" };
    drop(office);
    let said = say(["subject", "rectify", subject.as_str(), "job_function", new, "--out", arg(&home)]);
    said.expect(0);
    let b = bundle(&open(&home), &subject, Language::ALL, None);
    let f = b.personas[0].facets.iter().find(|f| f.facet == "job_function").expect("a function");
    assert_eq!((f.value.as_deref(), f.probability, f.exact), (Some(new), Some(1.0), true), "{f:#?}");
    assert!(f.against.is_empty() && f.steps.is_empty());
    assert!(f.plain[&Language::German].why.iter().any(|w| w.contains("Berichtigt")), "{f:#?}");
    let roles = |b: &Bundle| -> Vec<Option<f64>> {
        let all = b.personas[0].facets.iter().filter(|f| f.group == "roles");
        all.map(|f| f.probability).collect()
    };
    assert_ne!(roles(&before), roles(&b), "roles follow the function");
    assert!(b.personas[0].facets.iter().all(|f| f.exact), "everything replays after it");
    // The old function may still be a word of the company's or of other facets' rules, never a value or a finding.
    let still = b.records.iter().any(|r| r.row.get("job_function").is_some_and(|v| v.as_str() == old.value.as_deref()));
    assert!(!still, "every snapshot was put right");
    demo(&home, &["--json"]).expect(0);
    let again = bundle(&open(&home), &subject, &[Language::English], None);
    let f = again.personas[0].facets.iter().find(|f| f.facet == "job_function").expect("a function");
    assert_eq!(f.value.as_deref(), Some(new), "the next run keeps it");
}

#[test]
fn restricted_data_are_told_from_their_sealed_copy() {
    let (_dir, home) = copy_of_shared();
    let office = open(&home);
    let subject = somebody(&office);
    let before = bundle(&office, &subject, &[Language::German], None);
    drop(office);
    say(["subject", "restrict", subject.as_str(), "--out", arg(&home)]).expect(0);
    let b = bundle(&open(&home), &subject, &[Language::German], None);
    assert!(b.restricted && !before.restricted && b.personas.len() == before.personas.len());
    assert!(b.personas.iter().zip(&before.personas).all(|(b, before)| b.sealed && b.facets == before.facets));
    let of = |b: &Bundle, table: &str| b.records.iter().filter(|r| r.table == table).count();
    for table in ["personas", "evidence"] {
        assert!(of(&b, table) > 0 && of(&b, table) == of(&before, table), "{table}");
    }
    assert!(access::html(&b).contains("eingeschränkt"));
}

#[test]
fn what_was_provided_goes_out_and_comes_back_the_same() {
    let (_dir, home) = copy_of_shared();
    let office = &open(&home);
    let field = |name: &str, value: &str| CrmField { field: name.into(), value: value.into() };
    let crm = [field("email", "muster@muster.example"), field("do_not_profile", "yes"), field("legal_basis", "x")];
    let mut declarations = 0;
    for s in everybody(office) {
        let rectified = office.store.rectifications(office.key(&s)).expect("readable");
        let out = portable(office.home.controller(), &s, office.ledger.view(), &rectified, &crm, office.now());
        let text = out.to_json();
        assert_eq!(Portable::from_json(&text).expect("as written"), out);
        declarations += out.declarations.len();
        assert_eq!(out.crm.len(), 1, "flags and bases are the controller's own");
        for inferred in ["probability", "confidence", "seniority", "buying_role", "6(1)(f)", "legitimate", "permit"] {
            assert!(!text.contains(inferred), "{inferred} in {text}");
        }
    }
    assert!(declarations > 5, "{declarations}");
    assert!(Portable::from_json("{\"schema_version\":2}").is_err());
}

/// `UPDATE_DOCS=1 cargo test --test it access` writes the page anew.
#[test]
fn the_documented_fields_are_those_of_the_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/access-bundle.md");
    let made = prosopon::rights::access::documentation();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &made).expect("docs/access-bundle.md can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == made, "docs/access-bundle.md is stale: UPDATE_DOCS=1 cargo test --test it access");
    let (_dir, home) = copy_of_shared();
    let office = &open(&home);
    let b = bundle(office, &everybody(office)[0], &[Language::English], None);
    let told: Value = serde_json::from_str(&b.to_json()).expect("JSON");
    let schema = Bundle::schema();
    let known = schema["properties"].as_object().expect("properties");
    assert!(told.as_object().expect("an object").keys().all(|k| known.contains_key(k)));
}
