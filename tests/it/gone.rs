//! Records that the CRM deletes or merges between two nights.
//!
//! Invariant: who is gone has no persona any more; what was said against processing lives on in the record that holds.

use std::fs;
use std::path::{Path, PathBuf};

use prosopon::sink;

use crate::harness::{arg, in_parallel, pipeline, root, say, temp};
use crate::tables::Tables;

/// The demo with exports of its own.
fn own(folder: &Path) -> PathBuf {
    let (from, to) = (root().join("testdata/demo/crm"), folder.join("crm"));
    fs::create_dir(&to).expect("a folder");
    for file in fs::read_dir(&from).expect("the demo's exports") {
        let file = file.expect("a file");
        fs::copy(file.path(), to.join(file.file_name())).expect("copied");
    }
    let crm = (&*format!("{}/", from.display()), &*format!("{}/", to.display()));
    pipeline(folder, &[crm])
}

/// Contacts that are worked on all at once, or in parts.
const AT_ONCE: [&str; 2] = ["1000000", "5"];

#[test]
fn who_is_deleted_or_merged_is_gone_and_a_no_lives_on() {
    in_parallel(2, AT_ONCE.to_vec(), deleted_and_merged);
}

fn deleted_and_merged(at_once: &str) {
    let dir = temp();
    let (home, pipeline) = (dir.path().join("home"), own(dir.path()));
    let run = ["run", arg(&pipeline), "--out", arg(&home), "--json", "--at-once", at_once];
    let night = || say(run).expect(0).json();
    assert_eq!(night()["counts"]["gone"], 0);
    let is_profiled = |tables: &Tables, record: &str| {
        let persona = tables.persona(record).unwrap_or_else(|| panic!("{record} has a persona"));
        let of = |about: &prosopon::model::About| matches!(about, prosopon::model::About::Subject(id, _) if *id == persona.subject_id);
        tables.evidence.iter().any(|s| of(&s.about) && s.claim.is_profile())
    };
    let first = Tables::of(&home);
    assert!(is_profiled(&first, "K-2003") && is_profiled(&first, "K-2002") && first.persona("K-2004").is_some());

    say(["subject", "withdraw", "K-2002", "--purpose", "profiling", "--out", arg(&home)]).expect(0);
    let merges = dir.path().join("crm/contacts_weg.csv");
    fs::write(&merges, "Kontakt-ID;Gelöscht;Zusammengeführt mit\nK-2002;;K-2003\nK-2004;ja;\n").expect("written");
    assert_eq!(night()["counts"]["gone"], 2);
    for snapshot in sink::snapshots(&home, "demo").expect("snapshots") {
        let personas = sink::read_personas(&snapshot, &sink::Select::All).expect("personas");
        assert!(personas.iter().all(|p| !["K-2002", "K-2004"].contains(&p.crm_record.as_str())), "older ones, too");
    }
    let second = Tables::of(&home);
    assert!(second.persona("K-2002").is_none() && second.persona("K-2004").is_none());
    assert!(!is_profiled(&second, "K-2003"), "what K-2002 withdrew holds for whom it lives on in");
    let unknown = |l: &&serde_json::Value| l["reason"] == "unknown_contact";
    let count = |tables: &Tables| tables.dead_letters.iter().filter(unknown).count();
    assert_eq!(count(&second), count(&first), "notes on the deleted are no mistake");

    // A right that is asked for by the old record is one of both.
    let said = say(["subject", "object", "K-2002", "--out", arg(&home)]).expect(2);
    assert!(said.err.contains("repeat the command for each"), "{}", said.err);

    // Whoever is erased in the record that holds does not come back under the old one, merged or not.
    let erased = say(["subject", "erase", "K-2003", "--yes", "--json", "--out", arg(&home)]).expect(0).json();
    let said = night();
    assert_eq!((&said["counts"]["suppressed"], &said["counts"]["gone"]), (&2.into(), &1.into()), "{said}");
    let receipt = erased["receipt_file"].as_str().expect("a path").to_owned();
    say(["subject", "erase", "--verify", &receipt, "--out", arg(&home)]).expect(0);
    fs::remove_file(&merges).expect("removed");
    let said = say(run.into_iter().chain(["--accept-columns"])).expect(0).json();
    assert_eq!(said["counts"]["suppressed"], 2, "{said}");
    let third = Tables::of(&home);
    assert!(third.persona("K-2002").is_none() && third.persona("K-2003").is_none());
    assert!(third.persona("K-2004").is_some(), "what the CRM restores is there again");
    say(["audit", "verify", "--out", arg(&home)]).expect(0);
}

#[test]
fn whoever_is_erased_stays_out_when_their_company_is_merged() {
    in_parallel(2, AT_ONCE.to_vec(), erased_at_a_merged_company);
}

fn erased_at_a_merged_company(at_once: &str) {
    let dir = temp();
    let (home, pipeline) = (dir.path().join("home"), own(dir.path()));
    let night = || say(["run", arg(&pipeline), "--out", arg(&home), "--json", "--at-once", at_once]).expect(0).json();
    night();
    let contacts_of_winner = |tables: &Tables| {
        let winner = tables.persona("K-2011").and_then(|p| p.account_id.clone()).expect("a company");
        tables.personas.iter().filter(|p| p.account_id.as_ref() == Some(&winner)).count()
    };
    let orphans = |tables: &Tables| tables.dead_letters.iter().filter(|l| l["reason"] == "unknown_account").count();
    let first = Tables::of(&home);
    let (before, none_new) = (contacts_of_winner(&first), orphans(&first));
    say(["subject", "erase", "K-2002", "--yes", "--out", arg(&home)]).expect(0);

    let accounts = dir.path().join("crm/accounts.csv");
    let all = fs::read_to_string(&accounts).expect("the export");
    let with_merge = |row: &str| match row.split_once(';') {
        Some(("Firma-ID", _)) => format!("{row};Zusammengeführt mit\n"),
        Some(("ACC-1001", _)) => format!("{row};ACC-1002\n"),
        _ => format!("{row};\n"),
    };
    let merged = all.lines().map(with_merge).collect::<Vec<_>>().concat();
    fs::write(&accounts, merged).expect("written");
    // The same person under new records: at the company as it was, and at the one that it lives on in.
    let again = "Kontakt-ID;Firma-ID;Vorname;Nachname;E-Mail-Adresse\n\
        K-9001;ACC-1001;Torben;Quast;t.quast@neu.example\nK-9002;ACC-1002;Torben;Quast;quast@anders.example\n";
    fs::write(dir.path().join("crm/contacts_neu.csv"), again).expect("written");
    let said = night();
    assert_eq!(said["counts"]["suppressed"], 3, "{said}");
    let tables = Tables::of(&home);
    assert!(tables.persona("K-9001").is_none() && tables.persona("K-9002").is_none());
    assert!(contacts_of_winner(&tables) > before, "whom the merged company had");
    assert_eq!(orphans(&tables), none_new, "contacts of the merged company are not without one");
}
