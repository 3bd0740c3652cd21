//! The fetch layer at the command line: its report, recordings, and the public network for names that belong to nobody.
//!
//! Invariant: nothing leaves loopback; names under `.example` are not looked up.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{NO_DEMO_HOSTS, arg, copy, copy_of_shared, demo, files, now, pipeline, root, say, shared, temp};
use crate::tables::{common, differences};

#[test]
fn a_report_by_host() {
    let home = arg(&shared().home);
    let said = say(["fetch", "report", "--out", home, "--json"]).expect(0);
    let hosts = said.json_lines();
    assert!(hosts.len() >= 10, "{}", said.out);
    let sum = |key: &str| hosts.iter().map(|h| h[key].as_u64().expect("a count")).sum::<u64>();
    assert!(sum("asked") > 40 && sum("answered") > 30 && sum("refused") > 0, "{}", said.out);
    assert!(hosts.iter().all(|h| h["cached"] == 0), "the demo always asks");
    let table = say(["fetch", "report", "--out", home]).expect(0).out;
    let last = format!("{} hosts: {} asked", hosts.len(), sum("asked"));
    assert!(table.contains(&last) && table.contains("last reason"), "{table}");
    let said = say(["fetch", "report", "--out", home, "--run", "run_of_nobody"]).expect(2);
    assert!(said.err.contains("no such run"), "{}", said.err);
    let said = say(["fetch", "report", "--out", arg(temp().path())]).expect(3);
    assert!(said.err.contains("is no initialised home"), "{}", said.err);
}

#[test]
fn a_recorded_night_replays_to_equal_tables_without_a_network() {
    let dir = temp();
    let home = dir.path().join("home");
    let missing = demo(&home, &["--replay"]).expect(3);
    assert!(missing.err.contains("no cassette"), "{}", missing.err);
    let first = demo(&home, &["--record", "--json"]).expect(0).json();
    let run = first["run_id"].as_str().expect("a run").to_owned();
    let tables = common(&home);
    let snapshot = |run: &str| {
        let folder = home.join("demo").join(format!("snapshot={run}"));
        let bytes = |table: &str| fs::read(folder.join(table).join("part-0.parquet")).expect("a table");
        ["personas", "evidence", "accounts", "buying_centers", "decisions", "documents", "dead_letters"].map(bytes)
    };
    let tape = home.join("cassettes").join(format!("{run}.tape"));
    let bytes = fs::read(&tape).expect("a cassette");
    for word in ["werk", "Impressum", "http://", "text/html"] {
        assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word} in clear");
    }
    let second = demo(&home, &["--replay", "--json"]).expect(0).json();
    let told = differences(&tables, &common(&home));
    assert!(told.is_empty(), "{}", told.join("\n"));
    let again = second["run_id"].as_str().expect("a run");
    assert_ne!(again, run);
    // All but `runs`, which names another run and its times.
    assert!(snapshot(&run) == snapshot(again), "the tables are not byte-equal");

    // Strict: more people than were recorded ask for more than is on the tape.
    let few = dir.path().join("few");
    demo(&few, &["--record", "--limit", "5"]).expect(0);
    let said = demo(&few, &["--replay"]).expect(3);
    assert!(said.err.contains("not on the recording"), "{}", said.err);

    // Another home's key opens nothing, and a cut tape is no tape.
    let other = dir.path().join("other");
    demo(&other, &["--record", "--limit", "5"]).expect(0);
    let theirs = files(&other.join("cassettes")).pop().expect("a cassette");
    fs::copy(&theirs, &tape).expect("copied");
    assert!(demo(&home, &["--replay", &run]).expect(3).err.contains("is damaged, of another home"));
    fs::write(&tape, &bytes[..bytes.len() - 10]).expect("written");
    assert!(demo(&home, &["--replay", &run]).expect(3).err.contains("damaged"));
}

#[test]
fn an_erasure_destroys_every_recording() {
    let (_dir, home) = copy_of_shared();
    demo(&home, &["--record"]).expect(0);
    assert_eq!(files(&home.join("cassettes")).len(), 1);
    say(["subject", "erase", "K-2004", "--yes", "--json", "--out", arg(&home)]).expect(0);
    assert!(files(&home.join("cassettes")).is_empty());
}

/// The demo for the public network, with exports of this moment: those of a checkout may be too old to be news.
fn public(folder: &Path) -> PathBuf {
    copy(&root().join("testdata/demo/crm"), &folder.join("crm"));
    let contact = "controller: Prosopon Demo Controller\ncontact: mailto:privacy@controller.example";
    let crm = (&*format!("{}/testdata/demo/crm/", root().display()), &*format!("{}/crm/", folder.display()));
    let network = ("network: demo", "network: public");
    pipeline(folder, &[network, ("controller: Prosopon Demo Controller", contact), NO_DEMO_HOSTS, crm])
}

#[test]
fn the_public_network_for_names_that_belong_to_nobody() {
    if fs::read_dir("/etc/ssl/certs").is_ok_and(|mut d| d.next().is_none()) {
        println!("SKIPPED: this system has no certificate authorities");
        return;
    }
    let dir = temp();
    let home = dir.path().join("home");
    say(["init", "--out", arg(&home), "--controller", "Prosopon Demo Controller", "--first"]).expect(0);
    let public = public(dir.path());
    say(["run", arg(&public), "--out", arg(&home), "--json"]).expect(0);
    let documents = say(["inspect", "documents", "--out", arg(&home), "--format", "jsonl"]).expect(0).json_lines();
    // Every company's host was asked for robots.txt, found nobody, and was asked for nothing else.
    let asked: Vec<_> = documents.iter().filter(|d| d["attempts"] == 1).collect();
    let hosts: BTreeSet<_> = asked.iter().map(|d| d["host"].to_string()).collect();
    assert!(hosts.len() >= 10 && hosts.len() == asked.len(), "{documents:?}");
    assert!(asked.iter().all(|d| d["reason"] == "resolve" && d["robots"] == "unreachable"), "{asked:?}");
    let other = documents.iter().filter(|d| d["attempts"] != 1);
    assert!(other.clone().count() >= 10 && other.clone().all(|d| d["reason"] == "robots_unreachable"), "{documents:?}");
    let report = say(["fetch", "report", "--out", arg(&home), "--json"]).expect(0).json_lines();
    let requests: u64 = report.iter().map(|h| h["asked"].as_u64().expect("a count")).sum();
    assert_eq!((report.len(), requests), (hosts.len(), hosts.len() as u64), "{report:?}");
    assert!(report.iter().all(|h| h["last_reason"] == "robots_unreachable" && h["answered"] == 0), "{report:?}");
}

/// In an export that nobody renews any more a new objection would never be seen.
#[test]
fn old_exports_are_no_news_and_permit_nothing() {
    let dir = temp();
    let home = dir.path().join("home");
    say(["init", "--out", arg(&home), "--controller", "Prosopon Demo Controller", "--first"]).expect(0);
    let public = public(dir.path());
    let aged = |hours: i64| {
        let seconds = now().as_second() - hours * 3600;
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds.unsigned_abs());
        for file in files(&dir.path().join("crm")) {
            fs::File::options().append(true).open(file).and_then(|f| f.set_modified(at)).expect("a time can be set");
        }
    };
    aged(72);
    let said = say(["run", arg(&public), "--out", arg(&home), "--json", "--limit", "8"]).expect(0);
    assert!(said.err.contains("the exports of the CRM are 72 hours old"), "{}", said.err);
    let counts = &said.json()["counts"];
    assert_eq!((&counts["permits"], &counts["requests"], &counts["personas"]), (&0.into(), &0.into(), &0.into()));
    let decisions = say(["inspect", "decisions", "--out", arg(&home), "--format", "jsonl"]).expect(0).json_lines();
    assert!(
        !decisions.is_empty() && decisions.iter().all(|d| d["primary_reason"] == "StaleConsentSync"),
        "{decisions:?}"
    );
    aged(-72);
    let said = say(["run", arg(&public), "--out", arg(&home), "--json", "--limit", "8"]).expect(0);
    assert!(said.err.contains("ahead of the clock") && said.json()["counts"]["personas"] == 0, "{said:?}");
    aged(1);
    let said = say(["run", arg(&public), "--out", arg(&home), "--json", "--limit", "8"]).expect(0);
    assert!(!said.err.contains("hours old") && said.json()["counts"]["personas"] != 0, "{said:?}");
}

#[test]
fn a_robots_file_is_followed_to_where_it_moved() {
    let rows = say(["inspect", "documents", "--out", arg(&shared().home), "--format", "jsonl"]).expect(0).json_lines();
    let of = |host: &str| rows.iter().filter(|d| d["host"] == host).cloned().collect::<Vec<_>>();
    let (apex, www) = (of("alpenglas-verpackung.example"), of("www.alpenglas-verpackung.example"));
    assert_eq!(apex.iter().filter(|d| d["reason"] == "redirected").count(), 1, "{apex:?}");
    // The host to which it moved was asked for this one file, under a permit of its own.
    assert_eq!(www.len(), 1, "{www:?}");
    assert_eq!((&www[0]["outcome"], &www[0]["robots"]), (&"fetched".into(), &"allow".into()));
    let permits: Vec<_> = apex.iter().chain(&www).map(|d| d["permit_id"].to_string()).collect();
    assert_eq!(permits.iter().collect::<BTreeSet<_>>().len(), permits.len());
    // And what it says holds for the pages: they were read, two seconds apart.
    let pages: Vec<_> = apex.iter().filter(|d| d["outcome"] == "fetched").collect();
    assert!(pages.len() >= 2 && pages.iter().all(|d| d["robots"] == "allow"), "{apex:?}");
    let at =
        |d: &serde_json::Value| d["finished_at"].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    let mut times: Vec<_> = pages.iter().map(|d| at(d)).collect();
    times.sort();
    assert!(times.windows(2).all(|t| t[1].duration_since(t[0]).as_millis() >= 1900), "{times:?}");
}

#[test]
fn what_ai_txt_forbids_is_not_asked_for() {
    let home = arg(&shared().home);
    let rows = |table: &str| say(["inspect", table, "--out", home, "--format", "jsonl"]).expect(0).json_lines();
    let host = "wrensfield-engineering.example";
    let (documents, decisions) = (rows("documents"), rows("decisions"));
    // Every host that has a robots.txt or may have one is asked for its ai.txt, too, under a permit of its own.
    let asked_of = |host: &str| decisions.iter().filter(|d| d["host"] == host && d["target_kind"] == "host").count();
    assert_eq!(asked_of(host), 3);
    assert_eq!(asked_of("social.example"), 3);
    // Two files of rules are not there; the third is read, and so are the three pages that it does not forbid. For the
    // fourth nothing is sent.
    let of_host: Vec<_> = documents.iter().filter(|d| d["host"] == host).collect();
    assert_eq!(of_host.iter().filter(|d| d["outcome"] == "fetched").count(), 4, "{of_host:?}");
    let forbidden: Vec<_> = of_host.iter().filter(|d| d["reason"] == "ai_disallow").collect();
    assert_eq!(forbidden.len(), 1, "{of_host:?}");
    assert_eq!((&forbidden[0]["attempts"], &forbidden[0]["bytes"]), (&0.into(), &0.into()), "{forbidden:?}");
    assert_eq!(of_host.len(), 7, "{of_host:?}");
    let evidence = rows("evidence");
    let of_site = |e: &&serde_json::Value| e["host"] == host && e["quote"] == "Azure, Python, MQTT";
    assert_eq!(evidence.iter().filter(of_site).count(), 0);
}
