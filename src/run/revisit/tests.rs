//! Nights of one company of the demo, whose web says of each page in which state it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use tempfile::TempDir;

use crate::consent::event::EventKind;
use crate::demo::{Asset, CHANGED};
use crate::fetch::{Cancel, CancelHandle, fetch_report};
use crate::model::{About, DocumentRow, PermitId, Signal, SubjectId, Target};
use crate::rights::erase;
use crate::rights::office::Office;
use crate::rights::refresh::refresh;
use crate::run::engine::{Options, RunError, World, run};
use crate::run::kept;
use crate::run::summary::Summary;
use crate::run::{Observer, Silent};
use crate::sink::{self, HomeLock, Select, Snapshot};

mod stays;

const HOST: &str = "hartwig-sondermaschinen.example";
const TEAM: &str =
    include_str!("../../../testdata/demo/web/hartwig-sondermaschinen.example/unternehmen/team/index.html");

/// The home of a company's nights, with exports of its own.
struct Nights {
    dir: TempDir,
}

impl Nights {
    fn new() -> Self {
        let nights = Self { dir: tempfile::tempdir().expect("a folder") };
        let crm = |file: &str| std::fs::read_to_string(root().join("testdata/demo/crm").join(file)).expect("an export");
        let accounts = crm("accounts.csv");
        let ours = accounts.lines().filter(|line| line.starts_with("Firma-ID") || line.starts_with("ACC-1001"));
        nights.write("accounts.csv", &ours.collect::<Vec<_>>().join("\n"));
        let contacts = crm("contacts_vertrieb.csv");
        let ours = contacts.split("\nK-").enumerate().filter(|(n, row)| *n == 0 || row.contains(";ACC-1001;"));
        nights.write("contacts.csv", &ours.map(|(_, row)| row).collect::<Vec<_>>().join("\nK-"));
        nights.consents(&[]);
        nights.pipeline(&[("[home, team, imprint, news, jobs]", "[home, team]")]);
        nights
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.dir.path().join(file), text).expect("written");
    }

    /// The consents of the demo's people at the company, but for some.
    fn consents(&self, without: &[&str]) {
        let text = std::fs::read_to_string(root().join("testdata/demo/crm/consents.csv")).expect("an export");
        let is_ours = |line: &&str| line.starts_with("event_id") || line.contains(";K-200");
        let left = text.lines().filter(is_ours).filter(|line| !without.iter().any(|id| line.contains(id)));
        self.write("consents.csv", &left.collect::<Vec<_>>().join("\n"));
    }

    fn pipeline(&self, replace: &[(&str, &str)]) {
        let text = std::fs::read_to_string(root().join("pipelines/demo.yaml")).expect("the demo's pipeline");
        let mut text = text
            .replace("../testdata/demo/crm/contacts*.csv", "contacts.csv")
            .replace("../testdata/demo/crm/", "")
            .replace("../config", &root().join("config").display().to_string());
        // No notes, and the company's site only.
        let out = ["notes:", "developer_profile:", "social_profile:", "base_url:"];
        let left = text.lines().filter(|line| !out.iter().any(|word| line.contains(word)));
        text = left.collect::<Vec<_>>().join("\n");
        for (from, to) in replace {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        self.write("pipeline.yaml", &text);
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn try_night(
        &self,
        changed: &[(&'static str, String)],
        options: Options,
        (cancel, observer): (Cancel, Arc<dyn Observer>),
    ) -> Result<Summary, RunError> {
        let asset =
            |(path, body): &(&'static str, String)| Asset { host: HOST, path, body: body.clone().leak().as_bytes() };
        CHANGED.set(changed.iter().map(asset).collect());
        let options = Options { out: Some(self.home()), ..options };
        let world = World { wall: wall(), cancel, observer };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(&self.dir.path().join("pipeline.yaml"), &options, &world))
    }

    /// A night; `changed` are files of the company's web, by path.
    fn night(&self, changed: &[(&'static str, String)]) -> Summary {
        self.try_night(changed, Options::default(), (Cancel::never(), Arc::new(Silent))).expect("a run")
    }

    fn newest(&self) -> Snapshot {
        sink::current(&self.home(), "demo").expect("readable").expect("a snapshot")
    }

    /// The documents of pages, in their order.
    fn pages(&self) -> Vec<DocumentRow> {
        let decisions = sink::read_decisions(&self.newest(), &Select::All).expect("decisions");
        let of_hosts = decisions.into_iter().filter(|d| matches!(d.target, Target::Host(_)));
        let hosts: Vec<PermitId> = of_hosts.filter_map(|d| d.permit_id).collect();
        let mut all = sink::read_documents(&self.newest()).expect("documents");
        all.retain(|document| document.host == HOST && !hosts.contains(&document.permit_id));
        all
    }

    fn statuses(&self) -> Vec<Option<u16>> {
        self.pages().iter().map(|document| document.status).collect()
    }

    fn evidence(&self) -> Vec<Signal> {
        sink::read_evidence(&self.newest(), &Select::All).expect("evidence")
    }

    fn office(&self) -> Office {
        Office::open(&self.home(), &wall()).expect("a home")
    }

    /// How much the company's pages say of a contact.
    fn of_site(&self, record: &str) -> usize {
        let id = Self::id(record);
        let is_about = |signal: &&Signal| matches!(&signal.about, About::Subject(subject, _) if *subject == id);
        self.evidence().iter().filter(is_about).filter(|s| s.evidence.host.as_deref() == Some(HOST)).count()
    }

    fn id(record: &str) -> SubjectId {
        crate::ids::Ids::new(crate::ids::DEMO_KEY).subject("demo-crm", record)
    }

    /// Of how many pages something is kept that was read for a contact.
    fn kept_for(&self, record: &str) -> usize {
        let office = self.office();
        let key = office.vault.key(&Self::id(record)).expect("a key");
        kept::of_person(&self.home(), key).expect("readable").len()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn wall() -> crate::consent::gate::Clock {
    let now: Timestamp = "2026-03-02T03:00:00Z".parse().expect("an instant");
    Arc::new(move || now)
}

/// The settings of the company's host with one rule more.
fn rule(path: &str, header: &str) -> (&'static str, String) {
    let rules = format!("about: x\nrules: [{{ path: '{path}', headers: {{ {header} }} }}]\n");
    ("/_host.yaml", rules)
}

#[test]
fn a_page_that_did_not_change_is_read_as_if_it_had_been_sent() {
    let nights = Nights::new();
    nights.pipeline(&[]);
    let first = nights.night(&[]);
    let (before, was) = (nights.pages(), nights.evidence());
    assert!(
        before.len() > 3 && before.iter().all(|page| page.status == Some(200) && page.cache == "none"),
        "{before:?}"
    );
    assert_eq!(first.counts.not_modified, 0);
    let people = |nights: &Nights| sink::read_personas(&nights.newest(), &Select::All).expect("personas");
    let companies = |nights: &Nights| sink::read_accounts(&nights.newest(), &Select::All).expect("accounts");
    let (personas, accounts) = (people(&nights), companies(&nights));

    let second = nights.night(&[]);
    let (after, sent): (Vec<_>, Vec<_>) = nights.pages().into_iter().partition(|page| page.status == Some(304));
    let told = |page: &DocumentRow| (page.bytes, page.cache.clone(), page.attempts);
    assert!(after.iter().all(|page| told(page) == (0, "revalidated".to_owned(), 1)), "{after:?}");
    // The feed tells of an illness: that something was withheld there is not kept, so it is sent each night.
    assert_eq!((after.len(), sent.len(), sent[0].status), (before.len() - 1, 1, Some(200)));
    assert_eq!(second.counts.not_modified, after.len() as u64);
    let hashes = |pages: &[DocumentRow]| pages.iter().map(|page| page.hash.clone()).collect::<Vec<_>>();
    assert_eq!(hashes(&nights.pages()), hashes(&before));
    assert_eq!(nights.evidence(), was);
    assert_eq!((people(&nights), companies(&nights)), (personas, accounts));
    let mut same = second.counts.clone();
    (same.not_modified, same.bytes) = (0, first.counts.bytes);
    assert_eq!(same, first.counts);
    let (_, hosts) = fetch_report(&nights.home().join("fetch.sqlite"), None).expect("readable").expect("a run");
    assert_eq!(hosts.iter().map(|host| host.not_modified).sum::<u64>(), after.len() as u64);
    let bytes = std::fs::read(nights.home().join(kept::FILE)).expect("a store");
    for word in ["Einkauf", "Ostrowski", HOST, "sub_", "acc_"] {
        assert!(memchr::memmem::find(&bytes, word.as_bytes()).is_none(), "{word}");
    }

    let changed = ("/unternehmen/team/index.html", TEAM.replace("Strategischer Einkauf", "Logistik"));
    let third = nights.night(&[changed]);
    assert_eq!(third.counts.not_modified, after.len() as u64 - 1);
    let new: Vec<DocumentRow> = nights.pages().into_iter().filter(|p| !hashes(&before).contains(&p.hash)).collect();
    assert_eq!((new.len(), new[0].status), (1, Some(200)));
    assert!(nights.evidence().iter().any(|s| s.evidence.quote.contains("Logistik") && s.evidence.host.is_some()));
}

#[test]
fn whoever_may_be_read_about_since_yesterday_or_no_more_changes_what_is_asked() {
    let nights = Nights::new();
    nights.consents(&["K-2003"]);
    nights.night(&[]);
    assert_eq!((nights.of_site("K-2003"), nights.of_site("K-2004") > 0), (0, true));
    nights.consents(&[]);
    nights.night(&[]);
    assert_eq!(nights.statuses(), [Some(200), Some(200)], "what was kept knows nothing of the one who agreed since");
    assert!(nights.of_site("K-2003") > 0);
    assert_eq!((nights.kept_for("K-2003"), nights.kept_for("K-2004")), (2, 2));

    let mut office = nights.office();
    let subject = office.find("K-2003").expect("known");
    office.record(office.event(&subject, EventKind::Withdraw, "withdraw")).expect("recorded");
    refresh(&office, &[subject], "withdraw").expect("refreshed");
    drop(office);
    assert_eq!((nights.kept_for("K-2003"), nights.kept_for("K-2004")), (0, 0), "the whole page goes");
    nights.night(&[]);
    assert_eq!((nights.statuses(), nights.of_site("K-2003")), (vec![Some(200), Some(200)], 0));
}

#[test]
fn an_erased_person_takes_along_what_was_read_for_them() {
    let nights = Nights::new();
    nights.night(&[]);
    let path = nights.home().join(kept::FILE);
    let tag = nights.office().vault.key(&Nights::id("K-2003")).expect("a key").page_tag();
    let rows = |path: &Path| -> Vec<Vec<u8>> {
        let database = rusqlite::Connection::open(path).expect("opens");
        let mut rows = database.prepare("SELECT sealed FROM kept WHERE instr(tags, ?1)").expect("readable");
        rows.query_map([tag], |row| row.get(0)).expect("readable").map(|row| row.expect("a row")).collect()
    };
    let sealed = rows(&path);
    assert_eq!(sealed.len(), 2);
    let mut office = nights.office();
    let subject = office.find("K-2003").expect("known");
    let lock = HomeLock::acquire(&nights.home()).expect("free");
    let announced = erase::announce(&mut office, &subject, false).expect("announced");
    erase::destroy(&mut office, &subject, &announced, lock).expect("destroyed");
    drop(office);
    let bytes = std::fs::read(&path).expect("readable");
    assert!(sealed.iter().all(|sealed| memchr::memmem::find(&bytes, sealed).is_none()), "physically");
    nights.night(&[]);
    assert_eq!((nights.statuses(), nights.of_site("K-2003")), (vec![Some(200), Some(200)], 0));
    nights.night(&[]);
    assert_eq!(nights.statuses(), [Some(304), Some(304)]);
}

#[test]
fn a_304_that_comes_with_a_no_is_a_no() {
    let nights = Nights::new();
    nights.night(&[]);
    nights.night(&[rule("/unternehmen/team*", "tdm-reservation: '1'")]);
    let reserved = nights.pages().into_iter().find(|page| page.outcome == "failed").expect("a page that says no");
    assert_eq!((reserved.status, reserved.reason.as_deref()), (Some(304), Some("tdm_reserved")));
    assert_eq!((reserved.tdm.as_str(), reserved.hash), ("reserved: header", None));
    assert_eq!(nights.of_site("K-2004"), 0);
    let older = sink::snapshots(&nights.home(), "demo").expect("snapshots").remove(0);
    let old = sink::read_evidence(&older, &Select::All).expect("evidence");
    assert!(old.iter().all(|s| !s.evidence.quote.contains("Einkauf") || s.evidence.host.is_none()), "purged, too");
    nights.night(&[rule("/", "x-robots-tag: noarchive")]);
    assert_eq!(nights.statuses(), [Some(304), Some(200)], "nothing was left of the page that said no");
    nights.night(&[]);
    assert_eq!(nights.statuses(), [Some(200), Some(304)], "nor of the one that must not be kept");
}

#[test]
fn a_recording_asks_for_everything_and_its_replay_is_the_same() {
    let nights = Nights::new();
    nights.night(&[]);
    let record = Options { record: true, ..Options::default() };
    nights.try_night(&[], record, (Cancel::never(), Arc::new(Silent))).expect("a run");
    assert_eq!(nights.statuses(), [Some(200), Some(200)]);
    let was = nights.evidence();
    let replay = Options { replay: Some("latest".to_owned()), ..Options::default() };
    nights.try_night(&[], replay, (Cancel::never(), Arc::new(Silent))).expect("a run");
    assert_eq!((nights.statuses(), nights.evidence()), (vec![Some(200), Some(200)], was));
    nights.night(&[]);
    assert_eq!(nights.statuses(), [Some(304), Some(304)], "what was kept before is still of use");
}

/// Stops the run after so many fetches.
struct StopAt(AtomicUsize, CancelHandle);

impl Observer for StopAt {
    fn planned(&self, _: usize) {}

    fn fetched(&self, _: &str, _: bool) {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.1.cancel();
        }
    }

    fn group_done(&self, _: bool, _: usize) {}
}

#[test]
fn a_run_that_was_stopped_goes_on_with_what_it_read_again() {
    let nights = Nights::new();
    nights.night(&[]);
    let was = nights.evidence();
    // Three files of the host, the first page.
    let stop = StopAt(AtomicUsize::new(4), CancelHandle::new());
    let cancel = stop.1.flag();
    let stopped = nights.try_night(&[], Options::default(), (cancel, Arc::new(stop)));
    assert!(matches!(stopped, Err(RunError::Cancelled)), "{stopped:?}");
    let summary = nights.night(&[]);
    assert_eq!((summary.starts, summary.resumed_fetches), (2, 4));
    assert_eq!((nights.statuses(), nights.evidence()), (vec![Some(304), Some(304)], was));
    nights.night(&[]);
    assert_eq!(nights.statuses(), [Some(304), Some(304)]);
}

#[test]
fn another_pipeline_or_a_lost_file_costs_requests_only() {
    let nights = Nights::new();
    nights.night(&[]);
    let was = nights.evidence();
    nights.pipeline(&[
        ("[home, team, imprint, news, jobs]", "[home, team]"),
        ("min_probability: 0.6", "min_probability: 0.61"),
    ]);
    nights.night(&[]);
    assert_eq!(nights.statuses(), [Some(200), Some(200)]);
    std::fs::remove_file(nights.home().join(kept::FILE)).expect("a file");
    nights.night(&[]);
    assert_eq!((nights.statuses(), nights.evidence()), (vec![Some(200), Some(200)], was));
}

#[test]
fn a_page_is_sent_as_a_whole_once_in_thirty_days() {
    let nights = Nights::new();
    let night = |day: &str, changed: &[(&'static str, String)]| {
        let as_of = Some(format!("{day}T03:00:00Z").parse().expect("an instant"));
        let options = Options { as_of, ..Options::default() };
        nights.try_night(changed, options, (Cancel::never(), Arc::new(Silent))).expect("a run");
        nights.statuses()
    };
    let changed = [("/unternehmen/team/index.html", TEAM.replace("Leiter IT", "Leiter Instandhaltung"))];
    assert_eq!(night("2026-03-02", &[]), [Some(200), Some(200)]);
    assert_eq!(night("2026-03-30", &changed), [Some(304), Some(200)]);
    assert_eq!(night("2026-04-05", &changed), [Some(200), Some(304)], "counted from the page, not from the last 304");
    assert_eq!(night("2026-04-04", &changed), [Some(200), Some(304)], "what was read later may not be true yet");
}
