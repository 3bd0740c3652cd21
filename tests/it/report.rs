//! The report of a run, as its readers get it: the page in a real browser, the numbers against the tables.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use prosopon::sink;

use crate::harness::{Said, arg, copy_of_shared, demo, say, shared, temp};
use crate::tables::Tables;

fn at(home: &Path, args: &[&str]) -> Said {
    say([args, &["--out", arg(home)]].concat())
}

#[test]
fn a_report_says_what_the_tables_say_and_names_nobody() {
    let home = &shared().home;
    let report = at(home, &["report", "--json"]).expect(0).json();
    let tables = Tables::of(home);
    let counts = &report["summary"]["counts"];
    assert_eq!(counts["personas"], tables.personas.len());
    for (facet, by) in report["facets"].as_object().expect("facets") {
        let sum: u64 = by.as_object().expect("counts").values().filter_map(serde_json::Value::as_u64).sum();
        assert_eq!(sum, tables.personas.len() as u64, "{facet}");
    }
    let fetches = report["fetches"].as_array().expect("lines");
    let of =
        |what: &str| -> u64 { fetches.iter().filter(|l| l["what"] == what).filter_map(|l| l["count"].as_u64()).sum() };
    let pages: u64 =
        counts["documents"].as_object().expect("counts").values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(of("page"), pages, "{fetches:?}");
    assert_eq!(of("page") + of("opt_outs"), tables.documents.len() as u64, "{fetches:?}");
    let page = std::fs::read_to_string(page_of(home)).expect("the run has written it");
    let text = at(home, &["report"]).expect(0).out;
    let hosts: BTreeSet<&str> = tables.documents.iter().map(|d| d.host.as_str()).collect();
    let people = tables.personas.iter().flat_map(|p| [p.subject_id.as_str(), p.crm_record.as_str()]);
    for name in people.chain(hosts).chain(["Hartwig-Loos", "annegret"]) {
        for told in [&page, &text, &report.to_string()] {
            assert!(!told.contains(name), "{name} in a report");
        }
    }
}

fn page_of(home: &Path) -> PathBuf {
    let text = at(home, &["report"]).expect(0).out;
    PathBuf::from(text.lines().find_map(|l| l.strip_prefix("page: ")).expect("it tells where the page is"))
}

#[test]
fn the_second_night_tells_what_changed() {
    let (_dir, home) = copy_of_shared();
    at(&home, &["subject", "object", "K-2003"]).expect(0);
    demo(&home, &["--quiet", "--as-of", "2026-03-03"]).expect(0);
    let report = at(&home, &["report", "--json"]).expect(0).json();
    let change = &report["change"];
    assert_eq!(change["added"], 0, "{change}");
    let all = ["changed", "same"].iter().filter_map(|k| change[k].as_u64()).sum::<u64>();
    assert_eq!(Some(all), report["summary"]["counts"]["personas"].as_u64(), "{change}");
    at(&home, &["audit", "verify"]).expect(0);
    // The report of the first night is kept as long as its snapshot.
    let first = change["since"].as_str().expect("a run").trim_start_matches("snapshot=").to_owned();
    at(&home, &["report", "--run", &first]).expect(0);
    let said = at(&home, &["report", "--run", "run_999999_none"]).expect(2);
    assert!(said.err.contains("the next run makes one"), "{}", said.err);
}

#[test]
fn one_thing_has_one_number_wherever_it_is_told() {
    let shared = shared();
    let snapshot = sink::current(&shared.home, "demo").expect("readable").expect("published");
    let rows = sink::read_documents(&snapshot).expect("documents");
    let closed = |reason: &str| rows.iter().filter(|d| d.attempts == 0 && d.reason.as_deref() == Some(reason)).count();
    assert!(closed("robots_disallow") > 0 && rows.iter().any(|d| d.reason.as_deref() == Some("robots_unreachable")));
    let run = sink::read_runs(&snapshot).expect("runs").pop().expect("one");
    let counts = &shared.summary["counts"];
    let pages: u64 =
        counts["documents"].as_object().expect("outcomes").values().filter_map(serde_json::Value::as_u64).sum();
    let told = pages + counts["host_files"].as_u64().expect("a count");
    assert_eq!((run.n_documents, told), (rows.len() as u64, rows.len() as u64), "{counts}");
    let of_tiers = |what: &str| {
        let tiers = shared.summary["tiers"].as_object().expect("tiers");
        tiers.values().filter_map(|tier| tier[what].as_u64()).sum::<u64>()
    };
    assert_eq!((of_tiers("companies"), of_tiers("contacts")), (run.n_accounts, run.n_subjects), "{counts}");
    assert_eq!(counts["accounts"], run.n_accounts);
}

#[test]
fn companies_without_the_revenue_that_tiers_ask_for_are_told() {
    let dir = temp();
    say(["demo-data", "--contacts", "60", "--seed", "5", "--to", arg(dir.path())]).expect(0);
    let (path, accounts) = (dir.path().join("pipeline.yaml"), dir.path().join("accounts.csv"));
    let plan = std::fs::read_to_string(&path).expect("a pipeline");
    let companies = std::fs::read_to_string(&accounts).expect("companies");
    let at_header = companies.lines().next().expect("a header").split(',').position(|header| header == "revenue eur");
    let without = |(n, line): (usize, &str)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if n == 1 || n == 2 {
            cells[at_header.expect("a column")] = "";
        }
        cells.join(",")
    };
    std::fs::write(&accounts, companies.lines().enumerate().map(without).collect::<Vec<_>>().join("\n"))
        .expect("written");
    for (tiers, is_told) in
        [("tiers: { individual: { min_account_revenue_eur: 1 } }\n\noutput:", true), ("output:", false)]
    {
        std::fs::write(&path, plan.replace("output:", tiers)).expect("written");
        let home = dir.path().join(if is_told { "asks" } else { "takes-all" });
        say(["run", arg(&path), "--out", arg(&home)]).expect(0);
        let page = std::fs::read_to_string(page_of(&home)).expect("a page");
        for told in [at(&home, &["report"]).expect(0).out, at(&home, &["report", "--json"]).expect(0).out, page] {
            let what = "2 companies have no revenue, which the rule of tiers asks for: they count as study_prior";
            assert_eq!(told.contains(what), is_told, "{told}");
        }
    }
}

/// The browser, or a word that the test is skipped; on CI nothing may be skipped.
fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|said| said.status.success()));
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no Chromium on CI");
        eprintln!("SKIPPED: no Chromium: the report is not looked at in a browser");
    }
    found
}

#[test]
fn a_browser_shows_the_page_in_light_and_dark() {
    let Some(browser) = browser() else { return };
    let (profile, page) = (temp(), page_of(&shared().home));
    let url = format!("file://{}", page.display());
    let show = |more: &[&str]| {
        let said = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(more)
            .arg(&url)
            .output()
            .expect("the browser starts");
        let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        assert!(said.status.success(), "{err}");
        assert!(!err.contains("CONSOLE"), "the browser complains of the page: {err}");
        out.into_owned()
    };
    let seen = show(&["--dump-dom"]);
    for text in ["<h1>demo</h1>", "What is known", "What the gate refused", "What was fetched", "What changed"] {
        assert!(seen.contains(text), "{text} is not on the page");
    }
    let picture = |name: &str, scheme: &str| {
        let file = profile.path().join(name);
        show(&["--window-size=1000,2400", scheme, &format!("--screenshot={}", file.display())]);
        std::fs::read(file).expect("a picture")
    };
    let light = picture("light.png", "--blink-settings=preferredColorScheme=1");
    let dark = picture("dark.png", "--blink-settings=preferredColorScheme=0");
    assert!(light.len() > 20_000 && dark.len() > 20_000, "{} and {} bytes", light.len(), dark.len());
    assert_ne!(light, dark, "the page looks the same in light and dark");
}
