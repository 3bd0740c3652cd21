//! Rights of data subjects through the command line, on the finished demo.
//!
//! Invariant: what was served is in the log, the log stays intact, and the next night's run respects it.

use std::fs;
use std::path::{Path, PathBuf};

use prosopon::rights::{Needle, scan};
use prosopon::sink::Table;
use prosopon::taxonomy::{BuyingRole, FacetStatus};

use crate::harness::{Said, arg, copy_of_shared, demo, files, finish, pipeline, root, say, temp};
use crate::tables::{Tables, rows_as_json, snapshot, subject};

const MAIL: &str = "joerg.muellerschoen@hartwig-sondermaschinen.example";

pub fn at(home: &Path, args: &[&str]) -> Said {
    say([args, &["--out", arg(home)]].concat())
}

pub fn intact(home: &Path) {
    let said = at(home, &["audit", "verify"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.starts_with("intact"), "{}", said.out);
}

fn traces(home: &Path, texts: &[&str]) -> u64 {
    let needles: Vec<Needle> =
        texts.iter().enumerate().map(|(n, text)| Needle::new(&n.to_string(), text).expect("a needle")).collect();
    let report = scan(home, &needles).expect("a scan");
    assert!(report.unreadable.is_empty(), "{report}");
    report.hits.iter().map(|h| h.count).sum()
}

#[test]
fn whoever_a_limit_cut_off_can_be_erased_and_does_not_come_back_either() {
    let dir = temp();
    let home = dir.path().join("home");
    demo(&home, &["--quiet", "--limit", "1"]).expect(0);
    at(&home, &["subject", "erase", "K-2003", "--yes"]).expect(0);
    let summary = demo(&home, &["--json"]).expect(0).json();
    assert_eq!(summary["counts"]["suppressed"], 1, "{summary}");
    assert!(Tables::of(&home).persona("K-2003").is_none());
    intact(&home);
}

#[test]
fn that_a_note_was_withheld_goes_with_the_person_it_is_on() {
    let (_dir, home) = copy_of_shared();
    let withheld = || {
        let letters = Tables::of(&home).dead_letters;
        letters
            .iter()
            .filter(|l| l["detail"].as_str().is_some_and(|d| d.starts_with("a note: not read in part")))
            .count()
    };
    let before = withheld();
    // N-4014 speaks of an illness.
    at(&home, &["subject", "erase", "K-2022", "--yes"]).expect(0);
    assert_eq!(withheld() + 1, before);
}

#[test]
fn that_something_was_withheld_on_a_persons_own_pages_goes_with_them() {
    let (_dir, home) = copy_of_shared();
    let withheld = |source: &str| {
        let begin = format!("source {source}: not read in part");
        let is_of = |l: &&serde_json::Value| l["detail"].as_str().is_some_and(|d| d.starts_with(&begin));
        Tables::of(&home).dead_letters.iter().filter(is_of).count()
    };
    assert_eq!((withheld("social_profile"), withheld("developer_profile")), (2, 1));
    for (record, left) in [("K-2004", (1, 1)), ("K-2044", (1, 0))] {
        at(&home, &["subject", "erase", record, "--yes"]).expect(0);
        assert_eq!((withheld("social_profile"), withheld("developer_profile")), left, "{record}");
    }
}

#[test]
fn an_erased_person_is_in_no_file_and_does_not_come_back() {
    let (_dir, home) = copy_of_shared();
    let id = subject("K-2003").to_string();
    let texts = [id.as_str(), "K-2003", MAIL, "Müllerschön"];
    assert!(traces(&home, &texts) > 10, "the same scan finds the person before");
    // Without a place for the receipt nothing is destroyed.
    let said = at(&home, &["subject", "erase", MAIL, "--yes", "--receipt", "/proc/nowhere/x.json"]).expect(2);
    assert!(said.err.contains("nothing was erased"), "{}", said.err);
    // Nothing is destroyed without being asked for.
    let said = at(&home, &["subject", "erase", MAIL]).expect(2);
    assert!(said.err.contains("--yes"), "{}", said.err);
    assert!(traces(&home, &texts) > 10);

    let said = at(&home, &["subject", "erase", MAIL, "--yes", "--json", "--look-for", "Müllerschön"]).expect(0).json();
    assert!(said["hits_before"].as_u64() > Some(10) && said["hits_after"] == 0, "{said}");
    assert_eq!(said["receipt"]["recipients"], serde_json::json!(["sales"]), "{said}");
    assert!(said["receipt"]["rows"]["personas"] == 1 && said["receipt"]["payloads"].as_u64() > Some(0), "{said}");
    assert_eq!(traces(&home, &texts), 0, "{:?}", files(&home));
    intact(&home);
    at(&home, &["persona", "K-2003"]).expect(2);

    // The next night reads the same exports.
    let summary = demo(&home, &["--json"]).expect(0).json();
    assert_eq!(summary["counts"]["suppressed"], 1, "{summary}");
    assert_eq!(traces(&home, &texts), 0, "the next night brought traces back");
    let tables = Tables::of(&home);
    assert!(tables.persona("K-2003").is_none() && tables.persona("K-2004").is_some());
    intact(&home);

    let receipt = said["receipt_file"].as_str().expect("a path").to_owned();
    let check = at(&home, &["subject", "erase", "--verify", &receipt, "--look-for", "Müllerschön"]).expect(0);
    assert!(check.out.starts_with("complete"), "{}", check.out);
    let text = fs::read_to_string(&receipt).expect("a receipt");
    for (from, to, says) in [
        ("\"entry\": ", "\"entry\": 1", "is no erasure"),
        ("\"subject\": \"", "", "complete"),
        ("\"controller\": \"", "\"controller\": \"X", "another controller"),
    ] {
        let changed = Path::new(&receipt).with_file_name("changed.json");
        fs::write(&changed, if to.is_empty() { text.clone() } else { text.replacen(from, to, 1) }).expect("written");
        let said = at(&home, &["subject", "erase", "--verify", arg(&changed)]);
        assert!(said.out.contains(says), "{from}: {}{}", said.out, said.err);
        assert_eq!(said.code, Some(i32::from(!to.is_empty())));
    }
    fs::write(&receipt, "{}").expect("written");
    at(&home, &["subject", "erase", "--verify", &receipt]).expect(2);
}

#[test]
fn a_new_record_or_address_of_an_erased_person_is_kept_out_too() {
    let (dir, home) = copy_of_shared();
    at(&home, &["subject", "erase", "K-2003", "--yes"]).expect(0);
    let contacts = root().join("testdata/demo/crm");
    let copied = dir.path().join("crm");
    fs::create_dir(&copied).expect("a folder");
    for file in fs::read_dir(&contacts).expect("a folder").flatten() {
        let text = fs::read(file.path()).expect("readable");
        let text = match String::from_utf8(text.clone()) {
            // A new record id, and the same address in another spelling.
            Ok(text) => text
                .replace("K-2003", "K-9903")
                .replace("joerg.muellerschoen@", "Joerg.Muellerschoen+crm@")
                .into_bytes(),
            Err(_) => text,
        };
        fs::write(copied.join(file.file_name()), text).expect("written");
    }
    let path = pipeline(dir.path(), &[(arg(&contacts), arg(&copied))]);
    let summary = say(["run", arg(&path), "--out", arg(&home), "--json"]).expect(0).json();
    assert_eq!(summary["counts"]["suppressed"], 1, "{summary}");
    assert!(Tables::of(&home).persona("K-9903").is_none());
}

#[test]
fn a_restricted_person_is_in_no_table_until_the_restriction_is_lifted() {
    let (_dir, home) = copy_of_shared();
    let id = subject("K-2004").to_string();
    let said = at(&home, &["subject", "restrict", "K-2004", "--json"]).expect(0).json();
    assert!(said["rows_taken_out"].as_u64() > Some(1), "{said}");
    let tables = Tables::of(&home);
    assert!(tables.persona("K-2004").is_none() && tables.persona("K-2003").is_some());
    let members = rows_as_json(&snapshot(&home), Table::BuyingCenters);
    assert!(!members.iter().any(|row| row.to_string().contains(&id)), "a buying center still names the person");
    assert!(tables.decisions.iter().any(|d| d.target.subject().is_some_and(|s| s.as_str() == id)), "proof stays");
    intact(&home);
    demo(&home, &["--quiet"]).expect(0);
    let why = at(&home, &["audit", "why", "K-2004"]);
    assert!(why.out.contains("Restricted") || why.out.contains("restrict"), "{}{}", why.out, why.err);
    assert!(Tables::of(&home).persona("K-2004").is_none());
    at(&home, &["subject", "restrict", "K-2004", "--lift"]).expect(0);
    demo(&home, &["--quiet"]).expect(0);
    assert!(Tables::of(&home).persona("K-2004").is_some(), "a lifted restriction is none");
    intact(&home);
}

#[test]
fn a_restriction_and_a_pending_objection_end_each_by_itself() {
    let (_dir, home) = copy_of_shared();
    let is_there = || {
        demo(&home, &["--quiet"]).expect(0);
        Tables::of(&home).persona("K-2004").is_some()
    };
    let objection = ["subject", "object", "K-2004", "--purpose", "persona_enrichment"];
    at(&home, &objection).expect(0);
    at(&home, &["subject", "restrict", "K-2004"]).expect(0);
    at(&home, &["subject", "restrict", "K-2004", "--lift"]).expect(0);
    assert!(!is_there(), "the objection is pending");
    at(&home, &[&objection[..], &["--decided", "rejected"]].concat()).expect(0);
    assert!(is_there());
    intact(&home);
}

#[test]
fn a_withdrawal_takes_the_person_out_at_once_and_for_good() {
    let (_dir, home) = copy_of_shared();
    at(&home, &["subject", "withdraw", "K-2001"]).expect(0);
    assert!(Tables::of(&home).persona("K-2001").is_none());
    demo(&home, &["--quiet"]).expect(0);
    assert!(Tables::of(&home).persona("K-2001").is_none(), "the CRM repeats the old grant");
    // A time before the withdrawal revives nothing.
    demo(&home, &["--quiet", "--as-of", "2026-02-01"]).expect(0);
    assert!(Tables::of(&home).persona("K-2001").is_none(), "a past --as-of revived a withdrawn consent");
    intact(&home);
}

#[test]
fn a_rectified_value_survives_and_its_dependents_follow() {
    let (_dir, home) = copy_of_shared();
    let buyer = |home: &Path| {
        let tables = Tables::of(home);
        let persona = tables.persona("K-2003").expect("a persona");
        let roles = persona.buying_roles.iter().find(|r| r.role == BuyingRole::Buyer).expect("a buyer's role");
        (persona.job_function.value.map(|f| f.to_string()), persona.job_function.status, roles.probability)
    };
    let before = buyer(&home);
    assert_eq!(before.0.as_deref(), Some("production"));
    let said = at(&home, &["subject", "rectify", "K-2003", "job_function", "procurment"]).expect(2);
    assert!(said.err.contains("did you mean procurement"), "{}", said.err);
    let args = ["subject", "rectify", "K-2003", "job_function", "procurement", "--proof", "letter of 2026-03-01"];
    at(&home, &args).expect(0);
    for round in 0..2 {
        let after = buyer(&home);
        assert_eq!((after.0.as_deref(), after.1), (Some("procurement"), FacetStatus::Known), "round {round}");
        assert!(after.2 > before.2, "the buyer's role does not follow: {before:?} {after:?}");
        let explained = at(&home, &["explain", "K-2003", "job_function"]).expect(0);
        assert!(explained.out.contains("put right"), "{}", explained.out);
        let evidence = at(&home, &["inspect", "evidence", "--columns", "*", "--format", "jsonl"]).expect(0);
        let of_person = evidence.json_lines().into_iter().filter(|row| row["subject_id"] == subject("K-2003").as_str());
        assert!(of_person.clone().any(|row| row["source"] == "rectification"));
        assert!(!of_person.clone().any(|row| row["facet"] == "job_function" && row["value"] == "production"));
        intact(&home);
        demo(&home, &["--quiet"]).expect(0);
    }
    at(&home, &["subject", "rectify", "K-2003", "job_function", "release"]).expect(0);
    demo(&home, &["--quiet"]).expect(0);
    assert_eq!(buyer(&home), before, "a released value is read from evidence again");
}

#[test]
fn a_misspelt_purpose_is_no_right_that_was_served() {
    let (_dir, home) = copy_of_shared();
    for args in [
        &["subject", "withdraw", "K-2001", "--purpose", "persona_enrichement"][..],
        &["subject", "object", "K-2001", "--purpose", "nonsense"],
        &["notice", "record", "K-2001", "--notice-id", "N", "--purpose", "nonsense"],
    ] {
        let said = at(&home, args).expect(2);
        assert!(said.err.contains("persona_enrichment"), "{args:?}: {}", said.err);
    }
    at(&home, &["subject", "object", "K-2001", "--decided", "upheld"]).expect(2);
    assert!(Tables::of(&home).persona("K-2001").is_some());
    intact(&home);
}

#[test]
fn a_withdrawn_profile_leaves_the_rest_of_the_persona() {
    let (_dir, home) = copy_of_shared();
    let tables = Tables::of(&home);
    let profile = |s: &&prosopon::model::Signal| s.claim.is_profile();
    let signal = tables.evidence.iter().find(profile).expect("somebody in the demo is profiled");
    let prosopon::model::About::Subject(id, _) = &signal.about else { panic!("a profile of a company") };
    at(&home, &["subject", "withdraw", id.as_str(), "--purpose", "profiling"]).expect(0);
    let after = Tables::of(&home);
    assert!(after.personas.iter().any(|p| p.subject_id == *id), "the rest of the persona stays");
    let of_person = |s: &&prosopon::model::Signal| {
        matches!(&s.about, prosopon::model::About::Subject(other, _) if other == id) && profile(s)
    };
    assert_eq!(after.evidence.iter().filter(of_person).count(), 0, "the profile stays");
    intact(&home);
    at(&home, &["audit", "violations"]).expect(0);
}

#[test]
fn notices_are_recorded_and_told() {
    let (_dir, home) = copy_of_shared();
    let before = at(&home, &["notice", "history", "K-2004", "--json"]).expect(0).json();
    let args = ["notice", "record", "K-2004", "K-2003", "--notice-id", "N-9", "--purpose", "persona_enrichment"];
    at(&home, &args).expect(0);
    let after = at(&home, &["notice", "history", "K-2004", "--json"]).expect(0).json();
    let count = |v: &serde_json::Value| v["notices"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&after), count(&before) + 1, "{after}");
    assert_eq!(after["notices"][count(&before)]["notice_id"], "N-9");
    let future = [&args[..], &["--at", "2031-01-01"]].concat();
    let said = at(&home, &future).expect(2);
    assert!(said.err.contains("future"), "{}", said.err);
    at(&home, &["notice", "due", "--json"]);
    intact(&home);
}

/// The demo under a policy that keeps personas for a week.
fn short_lived(folder: &Path) -> PathBuf {
    let policy = fs::read_to_string(root().join("config/policy/demo.yaml")).expect("the demo's policy");
    let path = folder.join("policy.yaml");
    fs::write(&path, policy.replace("retention_days: 730", "retention_days: 7")).expect("written");
    let original = root().join("config/policy/demo.yaml");
    pipeline(folder, &[(arg(&original), arg(&path))])
}

#[test]
fn evidence_has_an_age_and_what_was_asked_is_asked_again() {
    let dir = temp();
    let original = root().join("config/policy/demo.yaml");
    let policy = fs::read_to_string(&original).expect("the demo's policy");
    let path = dir.path().join("policy.yaml");
    let limited = policy.replacen("retention_days: 730", "retention_days: 730\n    evidence_max_age_days: 200", 1);
    fs::write(&path, limited).expect("written");
    let path = pipeline(dir.path(), &[(arg(&original), arg(&path))]);
    let home = dir.path().join("home");
    say(["run", arg(&path), "--out", arg(&home), "--quiet"]).expect(0);
    let decisions = Tables::of(&home).decisions;
    let of = |old: bool, source: &str| {
        let is_old = |reasons: &[String]| reasons.iter().any(|r| r == "EvidenceTooOld");
        decisions.iter().filter(|d| d.source_id == source && is_old(&d.reasons) == old).count()
    };
    assert!(of(true, "crm") > 0 && of(false, "crm") > 0, "some records are older than the limit, some are not");
    assert_eq!(of(true, "company_site"), 0, "what is fetched after the decision is new");
    intact(&home);
}

#[test]
fn retention_is_swept_and_never_begins_anew() {
    let dir = temp();
    let home = dir.path().join("home");
    let path = short_lived(dir.path());
    let run = |day: &str| say(["run", arg(&path), "--out", arg(&home), "--as-of", day, "--quiet"]).expect(0);
    run("2026-03-02");
    assert!(Tables::of(&home).persona("K-2003").is_some());
    let said = at(&home, &["retention", "overdue", "--json"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    at(&home, &["retention", "sweep"]).expect(0);
    run("2026-03-20");
    assert!(Tables::of(&home).persona("K-2003").is_none(), "past its retention");
    // The snapshot of the week before still has them: that is what the sweep is for.
    let said = at(&home, &["retention", "overdue", "--json"]).expect(1);
    assert!(said.out.contains("personas"), "{}", said.out);
    at(&home, &["retention", "sweep"]).expect(2);
    let swept = at(&home, &["retention", "sweep", "--yes", "--json"]).expect(0).json();
    assert!(swept["swept"].as_u64() > Some(30), "{swept}");
    at(&home, &["retention", "overdue"]).expect(0);
    run("2026-03-21");
    assert!(Tables::of(&home).persona("K-2003").is_none(), "a new import never moves the deadline");
    intact(&home);
}

#[test]
fn who_is_unknown_is_told_and_nothing_is_done() {
    let (_dir, home) = copy_of_shared();
    for who in ["K-0000", "nobody@nowhere.example", "sub_aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        for right in [&["erase", who, "--yes"][..], &["restrict", who], &["object", who], &["recipients", who]] {
            let said = at(&home, &[&["subject"], right].concat()).expect(2);
            assert!(said.err.contains("nobody here"), "{right:?}: {}", said.err);
            assert!(!said.err.contains("nowhere.example"), "an address in an error: {}", said.err);
        }
    }
    intact(&home);
}

#[test]
fn keys_are_rotated_and_the_old_one_opens_nothing() {
    let (dir, home) = copy_of_shared();
    let old = dir.path().join("old.key");
    fs::copy(home.join("keys/master.key"), &old).expect("a copy");
    let before = at(&home, &["keys", "show", "--json"]).expect(0).json();
    let after = at(&home, &["keys", "rotate", "--json"]).expect(0).json();
    assert_ne!(before["master_key"], after["master_key"]);
    assert!(!home.join("keys/master.key").exists());
    intact(&home);
    demo(&home, &["--quiet"]).expect(0);
    let with_old = crate::harness::prosopon()
        .args(["status", "--out", arg(&home)])
        .env("PROSOPON_MASTER_KEY_FILE", &old)
        .spawn()
        .expect("the binary starts");
    let said = finish(with_old).expect(3);
    assert!(said.err.contains("wrapped under the master key"), "{}", said.err);
    // From a variable of the environment, which the caller sets.
    let key = "ab".repeat(32);
    let with_env = |args: &[&str]| {
        let mut command = crate::harness::prosopon();
        finish(command.args(args).args(["--out", arg(&home)]).env("MY_KEY", &key).spawn().expect("starts"))
    };
    with_env(&["keys", "rotate", "--to", "env:MY_KEY"]).expect(0);
    with_env(&["audit", "verify"]).expect(0);
    let said = at(&home, &["status"]).expect(3);
    assert!(said.err.contains("env:MY_KEY") && !said.err.contains(&key), "{}", said.err);
    // Where only an override has the key, the way on must be told.
    let overridden = |args: &[&str]| {
        let mut command = crate::harness::prosopon();
        let command = command.args(args).args(["--out", arg(&home)]).env("PROSOPON_MASTER_KEY", &key);
        finish(command.spawn().expect("starts"))
    };
    let said = overridden(&["keys", "rotate"]).expect(2);
    assert!(said.err.contains("--to"), "{}", said.err);
    let said = overridden(&["keys", "rotate", "--to", "file:keys/again.key"]).expect(0);
    assert!(said.out.contains("unset PROSOPON_MASTER_KEY"), "{}", said.out);
    intact(&home);
}
