//! Pages per CPU-second: the fetcher with robots, guard, limiter and memory on, against a reqwest loop. Both ask the
//! same server on loopback for pages of 16 KB and hash each body; the server is a process of its own, so that only the
//! client's time counts. `cargo bench --bench fetch`; figures of one run are in `docs/performance.md`.
//!
//! Invariant: permits come from the gate, before the time is taken; every page is checked to be the page.

#![expect(clippy::disallowed_types, reason = "the loop that we compare with")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use prosopon::consent::decide::OptOut;
use prosopon::consent::gate::{FetchProposal, Gate};
use prosopon::consent::ledger::Ledger;
use prosopon::consent::permit::{Fetch, Permit};
use prosopon::consent::policy::Policy;
use prosopon::fetch::{Budgets, Cancel, Clock, Fetcher, FetcherConfig, Limits, Memory, Network, Outcome};
use prosopon::ids::{DEMO_KEY, Ids};
use prosopon::model::{AccountId, Personal, Target};
use sha2::{Digest, Sha256};

const HOSTS: usize = 128;
const PAGES: usize = 40_000;
const AT_ONCE: usize = 64;
const ROUNDS: usize = 3;

fn page() -> Bytes {
    let line = "<p>Unsere Ansprechpartner beraten Sie gern zu Fördertechnik und Anlagenbau.</p>\n";
    let body: String = std::iter::repeat_n(line, 16 * 1024 / line.len()).collect();
    Bytes::from(format!("<!doctype html><title>Werk</title>{body}"))
}

/// The server: pages below `/p`, nothing else.
async fn serve() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    println!("{}", listener.local_addr().expect("bound"));
    let page = page();
    while let Ok((stream, _)) = listener.accept().await {
        let page = page.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let mut response = Response::new(Full::new(page.clone()));
                if request.uri().path().starts_with("/p") {
                    let html = hyper::header::HeaderValue::from_static("text/html; charset=utf-8");
                    response.headers_mut().insert(hyper::header::CONTENT_TYPE, html);
                } else {
                    response = Response::new(Full::default());
                    *response.status_mut() = StatusCode::NOT_FOUND;
                }
                async move { Ok::<_, Infallible>(response) }
            });
            let _gone =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// CPU time of this process, user and system.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after = stat.rsplit_once(')').expect("a name in brackets").1;
    let fields: Vec<u64> = after.split_whitespace().skip(11).take(2).map(|n| n.parse().expect("ticks")).collect();
    Duration::from_millis((fields[0] + fields[1]) * 10)
}

fn host(n: usize) -> String {
    format!("h{}.example", n % HOSTS)
}

async fn measure<F: Future<Output = ()>>(name: &str, work: F) -> f64 {
    let (begin, wall) = (cpu(), Instant::now());
    work.await;
    let rate = PAGES as f64 / cpu().saturating_sub(begin).as_secs_f64();
    println!("{name:10} {rate:8.0} pages/CPU-s  {:8.0} pages/s", PAGES as f64 / wall.elapsed().as_secs_f64());
    rate
}

async fn reqwest_loop(addr: SocketAddr) {
    let mut builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(1);
    for n in 0..HOSTS {
        builder = builder.resolve(&host(n), addr);
    }
    let (client, next) = (builder.build().expect("a client"), Arc::new(AtomicUsize::new(0)));
    let workers = (0..AT_ONCE).map(|_| {
        let (client, next) = (client.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= PAGES {
                    break;
                }
                let url = format!("http://{}:{}/p{n}", host(n), addr.port());
                let body = client.get(url).send().await.expect("an answer").bytes().await.expect("a body");
                assert!(body.len() > 15_000);
                black_box(Sha256::digest(&body));
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic");
    }
}

/// Permits for the files of all hosts, and for the pages in order.
fn permits(now: Timestamp) -> (Vec<Permit<Fetch>>, Vec<Permit<Fetch>>) {
    let file = serde_saphyr::from_str(include_str!("../config/policy/demo.yaml")).expect("the demo policy is valid");
    let mut ledger = Ledger::in_memory().expect("a ledger in memory");
    ledger.preview(&[], &[], now);
    let gate = Gate::new(Policy::new(file), ledger.into_view(), &Ids::new(DEMO_KEY), Arc::new(move || now));
    let propose = |target, purpose: &str, url: String, host: String, opt_out| {
        let decided = gate.fetch(FetchProposal {
            target,
            source_id: "company_site".to_owned(),
            purpose: purpose.to_owned(),
            url: Personal::new(url.parse().expect("a URL")),
            account_host: Some(host),
            opt_out,
            facts: None,
        });
        decided.outcome.unwrap_or_else(|_| panic!("the demo policy permits it: {:?}", decided.row.reasons))
    };
    let files = (0..HOSTS).flat_map(|n| ["robots.txt", ".well-known/tdmrep.json"].map(|path| (n, path)));
    let files = files.map(|(n, path)| {
        let url = format!("http://{}/{path}", host(n));
        propose(Target::Host(host(n)), "opt_out_check", url, host(n), OptOut::NotApplicable)
    });
    let files = files.collect();
    let pages = (0..PAGES).map(|n| {
        let account = Target::Account(AccountId::from_body(&format!("{:026}", n % HOSTS)));
        propose(account, "company_research", format!("http://{}/p{n}", host(n)), host(n), OptOut::Free)
    });
    (files, pages.collect())
}

async fn prepared(addr: SocketAddr, folder: &std::path::Path) -> (Arc<Fetcher>, Vec<Permit<Fetch>>) {
    let now: Timestamp = "2026-03-02T03:00:00Z".parse().expect("an instant");
    let (files, pages) = permits(now);
    let many = u32::MAX;
    let config = FetcherConfig {
        user_agent: "prosopon/0.1 (+mailto:bench@controller.example)".into(),
        limits: Limits::default(),
        budgets: Budgets {
            requests_per_run: many,
            requests_per_host: many,
            requests_per_source: many,
            requests_per_night: u64::MAX,
            seconds_per_run: 3600,
        },
        requests_per_second: BTreeMap::from([("company_site".to_owned(), 1000.0)]),
        network: Network::Demo { addr, hosts: (0..HOSTS).map(host).collect() },
        seed: 1,
    };
    let clock: Clock = Arc::new(move || now);
    let memory = Memory::open(&folder.join("fetch.sqlite"), "run", "night", Box::new(str::to_owned)).expect("a memory");
    let fetcher = Fetcher::new(config, Arc::clone(&clock), clock).expect("a fetcher").with_memory(Arc::new(memory));
    for permit in files {
        fetcher.fetch(permit, &Cancel::never()).await;
    }
    (Arc::new(fetcher), pages)
}

async fn our_loop(fetcher: Arc<Fetcher>, pages: Vec<Permit<Fetch>>) {
    let pages = Arc::new(std::sync::Mutex::new(pages.into_iter()));
    let workers = (0..AT_ONCE).map(|_| {
        let (fetcher, pages) = (Arc::clone(&fetcher), Arc::clone(&pages));
        tokio::spawn(async move {
            let cancel = Cancel::never();
            loop {
                let Some(permit) = pages.lock().expect("no panic").next() else { break };
                let got = fetcher.fetch(permit, &cancel).await;
                let Outcome::Page(page) = got.outcome else { panic!("{got:?}") };
                assert!(page.body().len() > 15_000);
                black_box(Sha256::digest(page.body()));
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic");
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if std::env::args().any(|a| a == "serve") {
        return runtime.block_on(serve());
    }
    let own = std::env::current_exe().expect("this bench");
    let mut server = Command::new(own).arg("serve").stdout(Stdio::piped()).spawn().expect("the server");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("an address");
    let addr: SocketAddr = line.trim().parse().expect("an address");
    let folder = std::env::temp_dir().join(format!("prosopon-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let theirs = runtime.block_on(measure("reqwest", reqwest_loop(addr)));
        let (fetcher, pages) = runtime.block_on(prepared(addr, &folder));
        let ours = runtime.block_on(measure("prosopon", our_loop(fetcher, pages)));
        ratios.push(ours / theirs);
    }
    ratios.sort_by(f64::total_cmp);
    println!("ratio, median of {ROUNDS}: {:.2} (the bar is 0.80)", ratios[ROUNDS / 2]);
    let _ended = server.kill();
    let _ended = server.wait();
    let _gone = std::fs::remove_dir_all(&folder);
}
