//! Two nights of the demo, between which some of its web says no.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::demo::{Asset, CHANGED};
use crate::fetch::Cancel;
use crate::run::Silent;
use crate::run::engine::{Options, World, run};

/// A night of the demo; `changed` are files of its web, by host and path.
fn night(home: &Path, hour: i32, changed: Vec<(&'static str, &'static str, &'static str)>) {
    CHANGED.set(changed.into_iter().map(|(host, path, body)| Asset { host, path, body: body.as_bytes() }).collect());
    let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo.yaml");
    let options = Options { out: Some(PathBuf::from(home)), ..Options::default() };
    let now: Timestamp = format!("2026-03-02T0{hour}:00:00Z").parse().expect("an instant");
    let wall: crate::consent::gate::Clock = Arc::new(move || now);
    let world = World { wall, cancel: Cancel::never(), observer: Arc::new(Silent) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(&pipeline, &options, &world)).expect("a run");
}

/// The older of the snapshots.
fn first(home: &Path) -> Snapshot {
    sink::snapshots(home, "demo").expect("snapshots").remove(0)
}

fn evidence(snapshot: &Snapshot) -> Vec<Signal> {
    sink::read_evidence(snapshot, &Select::All).expect("evidence")
}

/// How many signals rest on pages of a host.
fn of_host(signals: &[Signal], host: &str) -> usize {
    signals.iter().filter(|s| s.evidence.host.as_deref() == Some(host)).count()
}

const TEAM: &str = "hartwig-sondermaschinen.example";
const GONE: &str = "nordkai-logistik.example";
const RESERVED: &str = "overbeck-armaturen.example";
const FORBIDDEN: &str = "tischlerei-ahorn.example";
const BROKEN: &str = "wrensfield-engineering.example";
const LOST: &str = "zeller-praezision.example";
const PEOPLE: &str = "api.devhub.example";

#[test]
fn what_rests_on_closed_pages_goes_from_older_snapshots() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = &dir.path().join("home");
    night(home, 3, Vec::new());
    let before = first(home);
    let (was, companies) = (evidence(&before), sink::read_accounts(&before, &Select::All).expect("accounts"));
    night(home, 4, Vec::new());
    assert_eq!(evidence(&first(home)), was, "a night like the one before purges nothing");

    night(
        home,
        5,
        vec![
            (
                TEAM,
                "/_host.yaml",
                "about: x\nrules: [{ path: '/unternehmen/team*', headers: { x-robots-tag: noindex } }]\n",
            ),
            (GONE, "/_host.yaml", "about: x\nrules: [{ path: /, status: 410 }]\n"),
            (RESERVED, "/_host.yaml", "about: x\nrules: [{ path: /, headers: { tdm-reservation: '1' } }]\n"),
            (FORBIDDEN, "/robots.txt", "User-agent: *\nDisallow: /\n"),
            (BROKEN, "/robots.txt", "<!doctype html><p>Out of order"),
            (LOST, "/_host.yaml", "about: x\nrules: [{ path: /, status: 404 }]\n"),
            (PEOPLE, "/_host.yaml", "about: x\nrules: [{ path: /users/ravi-subra, status: 410 }]\n"),
        ],
    );
    let after = first(home);
    let is = evidence(&after);
    let counts = |host: &str| (of_host(&was, host), of_host(&is, host));
    for host in [GONE, RESERVED, FORBIDDEN] {
        let (before, after) = counts(host);
        assert!(before > 0 && after == 0, "{host}: {before} {after}");
    }
    for host in [BROKEN, LOST] {
        let (before, after) = counts(host);
        assert!(before > 0 && after == before, "{host}: {before} {after}: no answer closes a page");
    }
    for host in [TEAM, PEOPLE] {
        let (before, after) = counts(host);
        assert!(after > 0 && after < before, "{host}: {before} {after}: only the page itself");
    }
    assert!(is.iter().all(|s| was.contains(s)), "nothing comes");

    // Personas and companies are those that the evidence that is left gives.
    let fusion = Terms::of(&after).expect("a manifest").fusion.expect("settings");
    for persona in sink::read_personas(&after, &Select::All).expect("personas") {
        let known = Known::read(&after, &persona).expect("readable");
        assert!(known.is_exact(&persona, &fusion), "{}", persona.crm_record);
    }
    let left = sink::read_accounts(&after, &Select::All).expect("accounts");
    let row = |rows: &[AccountRow], host: &str| {
        let mut of = rows.iter().filter(|row| row.domain.as_deref() == Some(host));
        of.next().unwrap_or_else(|| panic!("{host} has a row")).clone()
    };
    assert!(row(&companies, GONE).vat_id.is_some() && row(&left, GONE).vat_id.is_none(), "the imprint's");
    assert_eq!(row(&left, GONE).name, row(&companies, GONE).name, "the CRM's");
    for host in [BROKEN, LOST] {
        assert_eq!(row(&left, host), row(&companies, host));
    }
    let manifest = after.manifest().expect("a manifest");
    assert_eq!(manifest["rewritten"][0]["reason"], REASON);
}

#[test]
fn an_imprint_that_reserves_the_site_in_plain_words_closes_all_of_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = &dir.path().join("home");
    night(home, 3, Vec::new());
    assert!(of_host(&evidence(&first(home)), TEAM) > 0);
    let imprint = "<!doctype html><html lang=de><main><h1>Impressum</h1><p>Hartwig Sondermaschinenbau GmbH</p>\
                   <p>Das automatisierte Auslesen dieser Website ist ohne unsere Zustimmung nicht gestattet.</p></main>";
    night(home, 4, vec![(TEAM, "/impressum.html", imprint)]);
    for snapshot in sink::snapshots(home, "demo").expect("snapshots") {
        assert_eq!(of_host(&evidence(&snapshot), TEAM), 0, "what was read before it goes, too");
    }
    let last = sink::snapshots(home, "demo").expect("snapshots").pop().expect("a night");
    let documents = sink::read_documents(&last).expect("documents");
    let of_site: Vec<_> = documents.iter().filter(|d| d.host == TEAM && d.source_id == "company_site").collect();
    let refused: Vec<_> = of_site.iter().filter(|d| d.reason.as_deref() == Some("terms_reserved")).collect();
    assert_eq!((refused.len(), refused[0].tdm.as_str()), (1, "reserved: text"));
    // The imprint is asked for before the pages that people stand on.
    let pages = of_site.iter().filter(|d| d.outcome == "fetched" && d.status == Some(200)).count();
    assert!(pages <= 1 + 3, "the first page, and the files of rules: {pages}");
}
