//! The commands that read a home: cards, tables, explanations, status; and the gate that is asked before each.
//!
//! Invariant: what a command shows is what the tables hold, and nothing is shown of whom the gate refuses now.

use std::path::Path;

use prosopon::audit::{Kind, LogReader};
use prosopon::consent::event::{EventKind, LegalEvent, Origin, Proof, Scope};
use prosopon::consent::ledger::Import;
use prosopon::persona::rows::Persona;
use prosopon::run::home::Home;
use prosopon::sink::Table;
use prosopon::taxonomy::{FacetStatus, Seniority};
use serde_json::Value;

use crate::harness::{Said, arg, copy_of_shared, in_parallel, say, shared, temp};
use crate::tables::{CRM, Tables, subject};

fn read(home: &Path, args: &[&str]) -> Said {
    say([args, &["--out", arg(home)]].concat())
}

fn read_shared(args: &[&str]) -> Said {
    read(&shared().home, args)
}

#[test]
fn a_persona_is_found_by_either_id() {
    let by_record = read_shared(&["persona", "K-2001"]).expect(0);
    let by_subject = read_shared(&["persona", subject("K-2001").as_str()]).expect(0);
    assert_eq!(by_record.out, by_subject.out);
    for text in
        ["K-2001", "Hartwig Sondermaschinenbau GmbH", "C-level", "decider", "6(1)(a)", "Unknown, and why", "CRM"]
    {
        assert!(by_record.out.contains(text), "{text:?} is not in\n{}", by_record.out);
    }
    assert!(!by_record.out.contains('\u{1b}'), "no escape sequences outside a terminal");
    // The longest label, and a number that a spreadsheet would take for a formula.
    assert!(by_record.out.contains("innovation openness +0.67 on -1..+1 "), "{}", by_record.out);
}

#[test]
fn whom_the_gate_refused_has_no_card() {
    for record in ["K-2005", "K-2016", "K-2104", "K-0000", subject("K-2005").as_str()] {
        let said = read_shared(&["persona", record]).expect(2);
        assert!(said.out.is_empty());
        let why = if record == "K-0000" { "no contact K-0000" } else { "the gate refused it: " };
        assert!(said.err.contains(why), "{}", said.err);
    }
}

#[test]
fn an_account_shows_its_buying_center_and_who_is_missing() {
    let said = read_shared(&["account", "ACC-1001"]).expect(0);
    for text in ["Hartwig Sondermaschinenbau GmbH", "Buying center", "K-2001", "K-2002", "Who is missing", "Bielefeld"]
    {
        assert!(said.out.contains(text), "{text:?} is not in\n{}", said.out);
    }
    let tables = Tables::of(&shared().home);
    let id = tables.accounts.iter().find(|a| a.crm_record == "ACC-1001").expect("a row").account_id.to_string();
    assert_eq!(read_shared(&["account", &id]).expect(0).out, said.out);
    let said = read_shared(&["account", "ACC-9"]).expect(2);
    assert!(said.err.contains("no company ACC-9"), "{}", said.err);
}

#[test]
fn every_table_is_shown_in_every_format() {
    for table in Table::ALL {
        let name = table.as_str();
        let rows = read_shared(&["inspect", name, "--format", "jsonl"]).expect(0).json_lines();
        assert!(!rows.is_empty(), "{name}");
        let csv = read_shared(&["inspect", name, "--format", "csv"]).expect(0).out;
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
        let keys: Vec<&String> = rows[0].as_object().expect("an object").keys().collect();
        assert_eq!(header.iter().collect::<Vec<_>>(), keys, "{name}");
        let records = reader.records().map(|r| r.expect("CSV")).collect::<Vec<_>>();
        assert_eq!(records.len(), rows.len(), "{name}");
        let grid = read_shared(&["inspect", name, "--columns", "*"]).expect(0).out;
        assert!(header.iter().all(|column| grid.contains(column.as_str())), "{name}");
        let few = read_shared(&["inspect", name, "--limit", "1", "--format", "jsonl"]).expect(0).json_lines();
        assert_eq!(few, rows[..1], "{name}");
    }
}

#[test]
fn columns_are_chosen_in_order() {
    let said = read_shared(&["inspect", "personas", "--columns", "seniority,crm_record", "--format", "csv"]).expect(0);
    assert_eq!(said.out.lines().next(), Some("seniority,crm_record"));
}

#[test]
fn filters_choose_rows_as_the_tables_hold_them() {
    let tables = Tables::of(&shared().home);
    let count = |filter: &str| {
        let said = read_shared(&["inspect", "personas", "--where", filter, "--format", "jsonl"]).expect(0);
        said.json_lines().len()
    };
    let of = |test: &dyn Fn(&Persona) -> bool| tables.personas.iter().filter(|p| test(p)).count();
    let level = |p: &Persona| p.seniority.value.map(Seniority::as_str);
    let decides = |p: &Persona| {
        p.buying_roles.iter().any(|r| r.role.as_str() == "decider" && r.probability.is_some_and(|p| p >= 0.7))
    };
    let cases = [
        ("seniority = 'head'", of(&|p| level(p) == Some("head"))),
        ("seniority is null", of(&|p| level(p).is_none())),
        ("seniority >= 'c_level'", of(&|p| matches!(level(p), Some("c_level" | "owner" | "board")))),
        ("crm_record like 'K-200%'", of(&|p| p.crm_record.starts_with("K-200"))),
        ("buying_roles[role = 'decider' and probability >= 0.7]", of(&decides)),
        (
            "not (seniority = 'head') and account_id is null",
            of(&|p| level(p).is_some_and(|l| l != "head") && p.account_id.is_none()),
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(count(filter), expected, "{filter}");
    }
    assert!(count("seniority = 'head'") > 0);
}

#[test]
fn mistakes_in_filters_are_pointed_at() {
    for (args, says) in [
        (["--where", "senority = 'head'"], "did you mean seniority"),
        (["--where", "seniority = 'boss'"], "column 13"),
        (["--where", "seniority = "], "column"),
        (["--where", "(seniority = 'head'"], "column"),
        (["--columns", "senority"], "did you mean seniority"),
    ] {
        let said = read_shared(&["inspect", "personas", args[0], args[1]]).expect(2);
        assert!(said.err.contains(says) && said.out.is_empty(), "{args:?}: {}", said.err);
    }
    let said = read_shared(&["inspect", "persona"]).expect(2);
    assert!(said.err.contains("personas"), "{}", said.err);
    let said = read_shared(&["inspect", "personas", "--pipeline", "nightly"]).expect(2);
    assert!(said.err.contains("nightly") && said.err.contains("demo"), "{}", said.err);
}

#[test]
fn status_tells_the_last_run() {
    let said = read_shared(&["status"]).expect(0);
    let run = shared().summary["run_id"].as_str().expect("an id").to_owned();
    for text in ["Prosopon Demo Controller", &run, "published", "personas of 69 contacts", "next"] {
        assert!(said.out.contains(text), "{text:?} is not in\n{}", said.out);
    }
}

/// Whether an explanation comes to what the persona shows.
fn unlike(persona: &Persona, facet: &str, told: &Value) -> Option<String> {
    let (value, p, status) = match facet {
        "job_function" => {
            let f = &persona.job_function;
            (f.value.map(|v| v.to_string()), f.p, f.status)
        }
        "seniority" => (persona.seniority.value.map(|v| v.to_string()), persona.seniority.p, persona.seniority.status),
        role => {
            let role = role.strip_prefix("buying_role.").expect("a role");
            let score = persona.buying_roles.iter().find(|r| r.role.as_str() == role).expect("every role");
            (None, score.probability, score.status)
        }
    };
    let same_p = match p {
        Some(p) => told["probability"].as_f64().is_some_and(|t| (t - p).abs() < 1e-9),
        None => status != FacetStatus::Known,
    };
    let same_value = value.as_ref().is_none_or(|v| told["value"] == v.as_str());
    let same = same_p && same_value && told["status"] == status.as_str();
    // The terms must add up, too.
    let sum: f64 = told["terms"].as_array().into_iter().flatten().filter_map(|t| t["log_odds"].as_f64()).sum();
    let adds_up = match (told["log_odds"].as_f64(), told["probability"].as_f64()) {
        (Some(odds), Some(p)) => (odds - sum).abs() < 1e-6 && (1.0 / (1.0 + (-odds).exp()) - p).abs() < 1e-6,
        (odds, p) => odds.is_none() && p.is_none(),
    };
    (!same || !adds_up).then(|| {
        let shown = format!("{value:?} {p:?} {status}");
        let told = format!("{} {} {}", told["value"], told["probability"], told["status"]);
        format!(
            "{} {facet}: the persona shows {shown}, the explanation {told}; terms add up: {adds_up}",
            persona.crm_record
        )
    })
}

#[test]
fn every_explanation_comes_to_what_the_persona_shows() {
    let (_dir, home) = copy_of_shared();
    let tables = Tables::of(&home);
    let mut jobs = Vec::new();
    for persona in &tables.personas {
        jobs.extend(["job_function", "seniority"].map(|f| (persona, f.to_owned())));
        jobs.extend(persona.buying_roles.iter().map(|r| (persona, format!("buying_role.{}", r.role))));
    }
    let wrong: Vec<String> = in_parallel(4, jobs, |(persona, facet)| {
        let said = read(&home, &["explain", &persona.crm_record, &facet, "--json"]);
        if said.code == Some(0) {
            unlike(persona, &facet, &said.json())
        } else {
            Some(format!("{} {facet}: {}", persona.crm_record, said.err))
        }
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{} explanations are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_explanation_goes_down_to_quotes() {
    let said = read_shared(&["explain", "K-2001", "seniority"]).expect(0);
    assert!(said.out.contains("K-2001") && said.out.contains("Geschäftsführer"), "{}", said.out);
    let said = read_shared(&["explain", "K-2001", "shoe_size"]).expect(2);
    assert!(said.err.contains("shoe_size") && said.err.contains("there are job_function"), "{}", said.err);
    read_shared(&["explain", "K-2005", "seniority"]).expect(2);
}

/// What is stored of a title is enough to read it again: the same value and weight, by the same rules.
#[test]
fn titles_are_read_again_from_what_is_stored() {
    let (_dir, home) = copy_of_shared();
    let (mut all, mut again) = (0, 0);
    let jobs: Vec<String> = Tables::of(&home).personas.iter().map(|p| p.crm_record.clone()).collect();
    for titles in in_parallel(4, jobs, |record| {
        let told = read(&home, &["explain", &record, "seniority", "--json"]).json();
        told["titles"].as_array().cloned().unwrap_or_default()
    }) {
        all += titles.len();
        again += titles.iter().filter(|t| t["replays"] == true).count();
    }
    assert!(all >= 30 && again * 100 >= all * 95, "{again} of {all}");
    let said = read_shared(&["explain", "K-2001", "seniority"]).expect(0).out;
    for words in ["how the title of sig_", "given by rules", "calibration", "it gives the stored value and weight"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// Writes a withdrawal into the ledger, as a run that was stopped after its import leaves it.
fn withdraw(home: &Path, record: &str) {
    let at = "2026-03-01T10:00:00Z".parse().expect("an instant");
    let event = LegalEvent {
        external_id: Some("E-9002".to_owned()),
        subject: subject(record),
        kind: EventKind::Withdraw,
        basis: None,
        scope: Scope::default().into(),
        valid_from: None,
        valid_to: None,
        recorded_at: at,
        proof: Proof::default().into(),
        origin: Origin { system: CRM.to_owned(), field: "consents".to_owned(), value_commitment: None }.into(),
        supersedes: None,
    };
    let (mut vault, mut ledger) = Home::open(home).expect("a home").legal().expect("a ledger");
    let now = "2026-03-02T03:00:00Z".parse().expect("an instant");
    let import = Import { events: &[event], ..Import::default() };
    assert_eq!(ledger.import(&mut vault, import, now).expect("written"), 1);
}

#[test]
fn who_withdrew_after_the_snapshot_is_shown_no_more() {
    let (_dir, home) = copy_of_shared();
    withdraw(&home, "K-2001");
    let id = subject("K-2001").to_string();
    for args in [["persona", "K-2001"].as_slice(), &["explain", "K-2001", "seniority"]] {
        let said = read(&home, args).expect(2);
        assert!(said.err.contains("Withdrawn") && said.out.is_empty(), "{args:?}: {said:#?}");
    }
    let account = read(&home, &["account", "ACC-1001"]).expect(0);
    assert!(!account.out.contains("K-2001") && account.out.contains("K-2002"), "{}", account.out);
    let mut shown = Vec::new();
    for table in ["personas", "evidence", "buying_centers"] {
        for format in ["table", "csv", "jsonl"] {
            let said = read(&home, &["inspect", table, "--columns", "*", "--format", format]).expect(0);
            assert!(said.out.lines().count() > 10, "{table}: the others are shown");
            if said.out.contains(&id) || said.out.contains("K-2001") {
                shown.push(format!("{table} as {format}"));
            }
        }
    }
    assert!(shown.is_empty(), "inspect shows one who withdrew: {shown:?}");
    let limited = read(&home, &["inspect", "personas", "--limit", "3", "--format", "jsonl"]).expect(0);
    assert_eq!(limited.json_lines().len(), 3, "a limit counts what is shown");
    // Reading is logged, refusals too.
    let mut refused = 0;
    let home = Home::open(&home).expect("a home");
    let log = LogReader::open(&home.audit_place()).expect("the log");
    log.each(0..u64::MAX, &mut |_, leaf| {
        let withdrawn = leaf.decisions.iter().any(|d| !d.permitted() && d.reasons.contains(&"Withdrawn".to_owned()));
        let by_persona = leaf.facts.get("command").is_some_and(|c| c == "persona");
        refused += u32::from(leaf.kind == Kind::Read && by_persona && withdrawn);
        std::ops::ControlFlow::Continue(())
    })
    .expect("readable");
    assert_eq!(refused, 1);
}

#[test]
fn schemas_and_dictionary_are_printed() {
    let pipeline = say(["schema", "pipeline"]).expect(0).json();
    assert!(pipeline["properties"]["offering"].is_object(), "{pipeline}");
    assert_eq!(say(["schema"]).expect(0).json(), pipeline);
    assert!(say(["schema", "policy"]).expect(0).json()["properties"]["purposes"].is_object());
    let text = say(["schema", "tables"]).expect(0).out;
    let dictionary = say(["schema", "tables", "--json"]).expect(0).json().to_string();
    for table in Table::ALL {
        assert!(text.contains(&format!("## {table}")) && dictionary.contains(table.as_str()), "{table}");
    }
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let said = say(["completions", shell]).expect(0);
        for command in ["run", "inspect", "explain", "demo-web", "validate"] {
            assert!(said.out.contains(command), "{shell} does not complete {command}");
        }
    }
    say(["completions", "tcsh"]).expect(2);
}

#[test]
fn every_command_explains_its_flags() {
    let home = ["--out", "--pipeline"];
    let commands: [(&[&str], &[&str]); 16] = [
        (&[], &["run", "init", "persona", "account", "inspect", "explain", "extract", "status", "Exit codes", "130"]),
        (&["init"], &["--out", "--controller", "--first", "--import-legal"]),
        (&["run"], &["--out", "--as-of", "--limit", "--dry-run", "--json", "--quiet", "--log-format", "--verbose"]),
        (&["demo-web"], &["--port"]),
        (&["status"], &home),
        (&["validate"], &["[PATHS]", "--columns"]),
        (&["schema"], &["pipeline", "policy", "tables", "--json"]),
        (&["completions"], &["bash", "zsh", "fish"]),
        (&["persona"], &home),
        (&["account"], &home),
        (&["inspect"], &["--columns", "--where", "--limit", "--format", "--out", "--pipeline", "personas"]),
        (&["explain"], &["--json", "--out", "--pipeline", "buying_role."]),
        (&["extract"], &["title", "html", "text"]),
        (&["extract", "title"], &["[FILE]"]),
        (&["extract", "html"], &["--url", "--content-type"]),
        (&["extract", "text"], &["[FILE]", "withheld"]),
    ];
    for (command, flags) in commands {
        let said = say([command, &["--help"]].concat()).expect(0);
        for flag in flags {
            assert!(said.out.contains(flag), "{command:?} --help does not mention {flag}:\n{}", said.out);
        }
        assert!(said.err.is_empty());
    }
    assert!(say(["--version"]).expect(0).out.starts_with("prosopon "));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::Command;
    let script = format!(
        "{} inspect evidence --format jsonl --out {} | head -n 1; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_prosopon"),
        arg(&shared().home)
    );
    let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let dir = temp();
    say(["inspect", "personas", "--out", arg(dir.path())]).expect(3);
}
