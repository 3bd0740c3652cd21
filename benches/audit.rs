//! The audit log: what an entry costs, and how much of an offline run gate and log take.
//!
//! Ratios against a baseline in the same run: appending to a plain file with one sync a batch, and the run itself.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use prosopon::audit::{AuditLog, Decision, Entry, Kind, Leaf, Place, SealedPayload, Stage};
use prosopon::consent::gate::Clock;
use prosopon::keys::SubjectKey;
use prosopon::rights::Needle;
use prosopon::rights::scan::scan;
use prosopon::run::Silent;
use prosopon::run::engine::{Options, World, run};
use prosopon::taxonomy::Operation;
use rustix::time::{ClockId, clock_gettime};

/// As many entries are appended by a call.
const BATCH: usize = 1024;
/// As many calls wait at the same time.
const TASKS: usize = 16;
const CONTACTS: usize = 20_000;
/// As many bytes are searched.
const SCANNED: usize = 32 << 20;

fn clock() -> Clock {
    let at: Timestamp = "2026-03-02T03:00:00Z".parse().expect("a time");
    Arc::new(move || at)
}

fn entry(n: usize) -> Entry {
    let key = SubjectKey::new([(n % 251) as u8; 32]);
    let decision = |op, n: usize| Decision {
        op,
        purpose: "persona_enrichment".to_owned(),
        source: "crm".to_owned(),
        categories: vec!["job".to_owned(), "company".to_owned()],
        permit: Some(key.blind("permit", &n.to_string())),
        reasons: vec!["6(1)(a)".to_owned()],
        events: vec![key.blind("event", "7")],
        assessments: Vec::new(),
        recipients: Vec::new(),
        at: clock()(),
        until: Some(clock()()),
        retain_until: None,
    };
    let leaf = Leaf {
        stage: Some(Stage::Plan),
        run: Some("run_000001_bench".to_owned()),
        decisions: vec![decision(Operation::Emit, n), decision(Operation::Infer, n + 1)],
        ..Leaf::new(Kind::Decide)
    };
    let payload = SealedPayload::new(&key, format!("{{\"subject\":\"sub_{n}\"}}").as_bytes()).expect("randomness");
    Entry::of(leaf, key, Some(payload))
}

fn appends(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::of(folder.path(), "prosopon/bench".to_owned());
    let signer = || prosopon_tlog::Signer::from_seed("prosopon/bench", &[7; 32]).expect("a key");
    AuditLog::create(&place, signer(), &clock(), Leaf::new(Kind::Genesis)).expect("a new log");
    let log = AuditLog::open(&place, signer(), &clock()).expect("opens");
    let mut group = criterion.benchmark_group("append entries, durable");
    group.throughput(Throughput::Elements((BATCH * TASKS) as u64)).sample_size(10);
    group.bench_function("audit log with sealed payloads, from several tasks", |bencher| {
        let make = || (0..TASKS).map(|_| (0..BATCH).map(entry).collect::<Vec<_>>()).collect::<Vec<_>>();
        let append = |tasks: Vec<Vec<Entry>>| {
            std::thread::scope(|scope| {
                let append = |entries| log.append_now(entries).expect("written");
                for entries in tasks {
                    scope.spawn(move || append(entries));
                }
            });
        };
        bencher.iter_batched(make, append, BatchSize::PerIteration);
    });
    let bytes: Vec<Vec<u8>> = (0..BATCH * TASKS).map(|n| entry(n).leaf.bytes()).collect();
    let mut file = fs::File::create(folder.path().join("plain")).expect("a file");
    group.bench_function("baseline: a plain file and one sync", |bencher| {
        bencher.iter(|| {
            file.write_all(&bytes.concat()).expect("written");
            file.sync_data().expect("synced");
        });
    });
    group.bench_function("making the entries (tags, sealing, JSON)", |bencher| {
        bencher.iter(|| black_box((0..BATCH * TASKS).map(|n| entry(n).leaf.bytes().len()).sum::<usize>()));
    });
    group.finish();
}

/// An export of invented contacts with a proven consent each, and a pipeline without sources.
fn pipeline(folder: &Path) -> std::path::PathBuf {
    let mut contacts = String::from("Kontakt-ID;Firma-ID;Vorname;Nachname;E-Mail-Adresse;Position\n");
    let mut accounts = String::from("Firma-ID;Firma\n");
    let mut consents = String::from(
        "Ereignis-ID;Kontakt-ID;Art;Rechtsgrundlage;Zwecke;Quellen;Gültig ab;Erfasst am;Verfahren;Hinweis-ID;Wortlaut-Hash\n",
    );
    let titles = ["Einkaufsleiterin", "Produktionsleiter", "IT-Leiter", "Geschäftsführerin", "Qualitätsmanager"];
    for n in 0..CONTACTS {
        if n.is_multiple_of(5) {
            writeln!(accounts, "A-{};Firma {} GmbH", n / 5, n / 5).expect("a string");
        }
        let title = titles[n % titles.len()];
        writeln!(contacts, "K-{n};A-{};Vor{n};Nach{n};k{n}@firma.example;{title}", n / 5).expect("a string");
        let grant = "grant;6(1)(a);persona_enrichment;crm;2025-06-01;2025-06-01;web_form;N-1;sha256:00";
        writeln!(consents, "E-{n};K-{n};{grant}").expect("a string");
    }
    for (name, text) in [("contacts.csv", contacts), ("accounts.csv", accounts), ("consents.csv", consents)] {
        fs::write(folder.join(name), text).expect("written");
    }
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/demo.yaml");
    let text = format!(
        "version: 1\nname: bench\ncontroller: Prosopon Demo Controller\nas_of: 2026-03-02T03:00:00Z\n\
         crm:\n  files:\n    name: bench\n    contacts: {{ path: contacts.csv }}\n    accounts: {{ path: accounts.csv }}\n    \
         consents: {{ path: consents.csv }}\n\
         offering:\n  name: Machine\n  category: machine\n  used_by: [production]\n  run_by: [it]\n  price_band: high\n  \
         complexity: high\n  adaptation: medium\n\
         policy:\n  file: {}\n  purpose: persona_enrichment\n\
         output:\n  home: home\n\
         budgets:\n  dead_letter_share: 0.5\nnetwork: demo\n",
        policy.display()
    );
    let path = folder.join("bench.yaml");
    fs::write(&path, text).expect("written");
    path
}

/// Not timed by criterion: one run tells the time of each stage itself.
fn offline_run(_: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = pipeline(folder.path());
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
    let wall: Clock = Arc::new(Timestamp::now);
    let world = World { wall: Arc::clone(&wall), cancel: prosopon::fetch::Cancel::never(), observer: Arc::new(Silent) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (begin, used) = (wall(), cpu_seconds());
    let summary = runtime.block_on(run(&path, &Options::default(), &world)).expect("the run succeeds");
    let (seconds, cpu) = (wall().duration_since(begin).as_secs_f64(), cpu_seconds() - used);
    let stage = |name: &str| summary.stages.get(name).copied().unwrap_or(0.0);
    println!(
        "offline run: {CONTACTS} contacts in {seconds:.2} s and {cpu:.2} CPU s ({:.0} contacts per CPU s), {} personas",
        CONTACTS as f64 / cpu,
        summary.counts.personas
    );
    for (name, took) in &summary.stages {
        println!("  {name:<6} {took:>8.3} CPU s");
    }
    println!("  gate and log together: {:.1} % of the run's CPU time", 100.0 * (stage("gate") + stage("audit")) / cpu);
}

/// CPU time of this process, user and system.
fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// What looking for a person in a home costs, against reading the files alone.
fn scans(criterion: &mut Criterion) {
    let line =
        "{\"quote\":\"Leitung Einkauf, M\\u00fcller & S\\u00f6hne\",\"url\":\"https://muster.example/a?b=%20c\"}\n";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_le_bytes()
    });
    let noise: Vec<u8> = noise.take(SCANNED / 8).flatten().collect();
    let needles = [("name", "Jördis Überkrüger"), ("mail", "joerdis.ueberkrueger@muster.example")]
        .map(|(label, text)| Needle::new(label, text).expect("long enough"));
    let mut group = criterion.benchmark_group("scan");
    group.sample_size(10).throughput(Throughput::Bytes(SCANNED as u64));
    for (name, content) in [("noise", noise), ("text", line.repeat(SCANNED / line.len()).into_bytes())] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), &content).expect("written");
        group.bench_function(format!("{name}: read alone"), |b| {
            b.iter(|| fs::read(folder.path().join("file")).expect("readable").len());
        });
        group.bench_function(name, |b| b.iter(|| scan(folder.path(), &needles).expect("few needles").bytes));
    }
    group.finish();
}

criterion_group!(benches, appends, scans, offline_run);
criterion_main!(benches);
