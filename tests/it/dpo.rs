//! What a sceptical data protection officer tried: a no in the table of consents is never passed over without a word.
//!
//! Invariant: either the person is not in the tables, or the run stops or warns and says where to look.

use std::fs;
use std::path::Path;

use prosopon::sink::{self, Select};

use crate::harness::{Said, arg, say, temp};

/// Nights of an invented world whose table of consents is changed in between.
struct Nights {
    folder: tempfile::TempDir,
    shipped: String,
}

impl Nights {
    fn new() -> Self {
        let folder = temp();
        say(["demo-data", "--contacts", "60", "--seed", "51", "--to", arg(&folder.path().join("w"))]).expect(0);
        let shipped = fs::read_to_string(folder.path().join("w/consents.csv")).expect("consents");
        Self { folder, shipped }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Every row with a further cell, the first the header.
    fn with_column(&self, header: &str, cell: &str) {
        let rows =
            self.shipped.lines().enumerate().map(|(n, row)| format!("{row},{}\n", if n == 0 { header } else { cell }));
        fs::write(self.path("w/consents.csv"), rows.collect::<String>()).expect("written");
    }

    fn with_rows(&self, rows: &str) {
        fs::write(self.path("w/consents.csv"), format!("{}{rows}", self.shipped)).expect("written");
    }

    fn run(&self, home: &str, more: &[&str]) -> Said {
        say([&["run", arg(&self.path("w/pipeline.yaml")), "--out", arg(&self.path(home))], more].concat())
    }

    /// The record ids of all personas.
    fn personas(&self, home: &str) -> Vec<String> {
        let snapshot = sink::current(&self.path(home), "synthetic").expect("current").expect("a snapshot");
        let rows = sink::read_personas(&snapshot, &Select::All).expect("personas");
        rows.into_iter().map(|row| row.crm_record).collect()
    }
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn a_column_of_consents_that_nobody_knows_stops_every_kind_of_run() {
    let nights = Nights::new();
    nights.run("old", &[]).expect(0);
    let before = fs::read(nights.path("old/synthetic/current")).expect("published");
    for (header, cell) in [("Status", "abgemeldet"), ("widerrufen am", "01.02.2026"), ("recipients", "sales")] {
        nights.with_column(header, cell);
        for (home, more) in [("new", &[][..]), ("new", &["--at-once", "10"]), ("new", &["--dry-run"]), ("old", &[])] {
            let said = nights.run(home, more).expect(2);
            let tells = said.err.contains("consents.csv") && said.err.contains(&format!("{header:?}"));
            assert!(tells && said.err.contains("ignored") && !said.err.contains(cell), "{home} {more:?}: {}", said.err);
        }
    }
    assert!(!exists(&nights.path("new/synthetic/current")), "something was published");
    assert_eq!(fs::read(nights.path("old/synthetic/current")).expect("still there"), before, "something was published");
    // Somebody has said that it is none.
    let pipeline = nights.path("w/pipeline.yaml");
    let text = fs::read_to_string(&pipeline).expect("a pipeline");
    let changed =
        text.replace("consents: { path: consents.csv }", "consents: { path: consents.csv, ignored: [Recipients] }");
    assert_ne!(text, changed);
    fs::write(&pipeline, changed).expect("written");
    nights.run("new", &[]).expect(0);
}

#[test]
fn a_no_of_a_day_beats_the_yes_of_that_day_and_a_later_yes_counts() {
    let nights = Nights::new();
    nights.run("one", &[]).expect(0);
    let people = nights.personas("one");
    let [first, second] = [&people[0], &people[1]];
    let yes = |id: &str, at: &str| {
        format!(
            "Y-{id},{id},grant,6(1)(a),persona_enrichment,crm|company_site,{at},,{at},web_form,N-1,sha256:1cfb9990c647dd94,de\n"
        )
    };
    let no = |id: &str| format!("W-{id},{id},withdraw,,,,2026-02-20,,2026-02-20,letter,,,de\n");
    let rows = [no(first), yes(first, "2026-02-20T10:00:00Z"), no(second), yes(second, "2026-02-21T10:00:00Z")];
    nights.with_rows(&rows.concat());
    nights.run("two", &[]).expect(0);
    let left = nights.personas("two");
    assert!(!left.contains(first), "withdrawn by day, and profiled");
    assert!(left.contains(second), "the consent of a later day does not count");
}

#[test]
fn a_no_of_nobody_is_told_and_one_of_nearly_somebody_stops_the_run() {
    let nights = Nights::new();
    let first = nights.shipped.lines().nth(1).and_then(|row| row.split(',').nth(1)).expect("a contact").to_owned();
    let short = first.replace("K-0000", "k-");
    assert_ne!(first, short);
    nights.with_rows(&format!("N-1,{short},object,,,,,,2026-02-20,letter,,,de\n"));
    for more in [&[][..], &["--at-once", "10"]] {
        let said = nights.run("one", more).expect(2);
        assert!(said.err.contains("consents.csv") && said.err.contains("says no"), "{}", said.err);
        assert!(!said.err.contains(&short) && !said.err.contains(&first), "{}", said.err);
    }
    nights.with_rows("N-2,,withdraw,,,,,,2026-02-20,letter,,,de\n");
    let said = nights.run("one", &[]).expect(2);
    assert!(said.err.contains("has no contact's id"), "{}", said.err);
    nights.with_rows(
        "N-1,X-99999,object,,,,,,2026-02-20,letter,,,de\nN-2,X-99998,withdraw,,,,,,2026-02-20,letter,,,de\n",
    );
    nights.run("one", &[]);
    let report = say(["report", "--out", arg(&nights.path("one")), "--json"]).expect(0).json();
    let warnings = report["warnings"].as_array().expect("warnings");
    let told = warnings.iter().find(|warning| warning["id"] == "no_for_unknown_contact");
    assert!(told.is_some_and(|w| w["what"].as_str().is_some_and(|what| what.starts_with("2 no"))), "{warnings:?}");
}

#[test]
fn what_only_fills_a_cell_proves_no_consent() {
    let nights = Nights::new();
    let hash = "sha256:1cfb9990c647dd9435889c05d593f89aba526fa5ae771f70da95d689b699e8dc";
    for (home, from, to) in [
        ("method", "double_opt_in", "double_opt_in_pending"),
        ("notice", "DE-2025-2", "fehlt"),
        ("hash", hash, "sha256:offen"),
    ] {
        assert!(nights.shipped.contains(from), "{from}");
        fs::write(nights.path("w/consents.csv"), nights.shipped.replace(from, to)).expect("written");
        nights.run(home, &[]);
        let snapshot = sink::current(&nights.path(home), "synthetic").expect("current").expect("a snapshot");
        let decisions = sink::read_decisions(&snapshot, &Select::All).expect("decisions");
        assert!(decisions.iter().any(|d| format!("{:?}", d.reasons).contains("ConsentUnproven")), "{home}");
        let shown = say(["inspect", "dead_letters", "--out", arg(&nights.path(home)), "--format", "jsonl"]).expect(0);
        assert!(shown.out.contains("unproven_consent") && !shown.out.contains(to), "{home}: {}", shown.out);
    }
}
