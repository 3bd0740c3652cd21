//! Pages per CPU-second: the fetcher with robots, limiter, budgets and memory on, against a reqwest loop that hashes each
//! body too; then the fetcher with the page reader against that loop with a bare pass of `lol_html`. All in one run, in
//! turns, against the same server on loopback, which is a process of its own, so that only the client's time counts.
//! `cargo bench --bench fetch`; figures of one run are in `docs/performance.md`. `serve PORT` only serves, for the peers
//! in `benches/peers`; `profile` runs our fetcher alone; `again` compares pages that are fetched and read with pages that
//! are asked for again and have not changed.
//!
//! Invariant: permits come from the gate, before the time is taken; every page is checked to be the page.

#![expect(clippy::disallowed_types, reason = "the loop that we compare with")]

#[path = "shared/page.rs"]
mod page;

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
use prosopon::extract::html::read_page;
use prosopon::fetch::{Budgets, Cancel, Clock, Fetcher, FetcherConfig, Limits, Memory, Network, Outcome};
use prosopon::ids::{DEMO_KEY, Ids};
use prosopon::model::{AccountId, Personal, Target};
use sha2::{Digest, Sha256};

use page::{bare_pass, page};

/// As the program has it; it serves both.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HOSTS: usize = 128;
const PAGES: usize = 40_000;
/// Where pages are read, too, which takes longer.
const READ: usize = 4_000;
const AT_ONCE: usize = 64;
const ROUNDS: usize = 3;

/// The server: pages below `/p`, links to [`READ`] of them at `/index` for crawlers that follow links, nothing else.
async fn serve(port: u16) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("loopback");
    println!("{}", listener.local_addr().expect("bound"));
    let page = Bytes::from(page());
    let links: Vec<String> = (0..READ).map(|n| format!("<a href=/p{n}>{n}</a>")).collect();
    let index = Bytes::from(links.join("\n"));
    while let Ok((stream, _)) = listener.accept().await {
        let (page, index) = (page.clone(), index.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let is_index = request.uri().path() == "/index";
                let mut response = Response::new(Full::new(if is_index { index.clone() } else { page.clone() }));
                if request.headers().contains_key(hyper::header::IF_NONE_MATCH) {
                    response = Response::new(Full::default());
                    *response.status_mut() = StatusCode::NOT_MODIFIED;
                } else if is_index || request.uri().path().starts_with("/p") {
                    response
                        .headers_mut()
                        .insert(hyper::header::ETAG, hyper::header::HeaderValue::from_static("\"1\""));
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

/// CPU time of this process, user and system, of all its threads.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

fn host(n: usize) -> String {
    format!("h{}.example", n % HOSTS)
}

async fn measure<F: Future<Output = ()>>(name: &str, pages: usize, work: F) -> f64 {
    let (begin, wall) = (cpu(), Instant::now());
    work.await;
    let rate = pages as f64 / cpu().saturating_sub(begin).as_secs_f64();
    println!("{name:20} {rate:8.0} pages/CPU-s  {:8.0} pages/s", pages as f64 / wall.elapsed().as_secs_f64());
    rate
}

async fn reqwest_loop(addr: SocketAddr, pages: usize, reads: bool) {
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
                if n >= pages {
                    break;
                }
                let url = format!("http://{}:{}/p{n}", host(n), addr.port());
                let body = client.get(url).send().await.expect("an answer").bytes().await.expect("a body");
                assert!(body.len() > 15_000);
                black_box(Sha256::digest(&body));
                if reads {
                    assert!(black_box(bare_pass(&body)) > 5_000);
                }
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic");
    }
}

/// Permits for the files of all hosts, and for the pages in order.
fn permits(now: Timestamp, pages: usize) -> (Vec<Permit<Fetch>>, Vec<Permit<Fetch>>) {
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
    let pages = (0..pages).map(|n| {
        let account = Target::Account(AccountId::from_body(&format!("{:026}", n % HOSTS)));
        propose(account, "company_research", format!("http://{}/p{n}", host(n)), host(n), OptOut::Free)
    });
    (files, pages.collect())
}

async fn prepared(addr: SocketAddr, folder: &std::path::Path, pages: usize) -> (Arc<Fetcher>, Vec<Permit<Fetch>>) {
    let now: Timestamp = "2026-03-02T03:00:00Z".parse().expect("an instant");
    let (files, pages) = permits(now, pages);
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

async fn our_loop(fetcher: Arc<Fetcher>, pages: Vec<Permit<Fetch>>, reads: bool) {
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
                if reads {
                    let reading = read_page(page.body(), Some("text/html; charset=utf-8"), page.url());
                    assert!(reading.title.is_some());
                    black_box(reading);
                }
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic");
    }
}

/// Asks again for pages that have not changed.
async fn again_loop(fetcher: Arc<Fetcher>, pages: Vec<Permit<Fetch>>) {
    let mut pages = pages.into_iter();
    let first = fetcher.fetch(pages.next().expect("a page"), &Cancel::never()).await;
    let Outcome::Page(first) = first.outcome else { panic!("{first:?}") };
    let known = first.validators().cloned().expect("the server says in which state they are");
    let pages = Arc::new(std::sync::Mutex::new(pages));
    let workers = (0..AT_ONCE).map(|_| {
        let (fetcher, pages, known) = (Arc::clone(&fetcher), Arc::clone(&pages), known.clone());
        tokio::spawn(async move {
            loop {
                let Some(permit) = pages.lock().expect("no panic").next() else { break };
                let got = fetcher.fetch_if_changed(permit, Some(&known), &Cancel::never()).await;
                assert!(matches!(got.outcome, Outcome::Unchanged(_)), "{got:?}");
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic");
    }
}

/// Pages that were fetched and read against pages that had not changed.
fn again(runtime: &tokio::runtime::Runtime, addr: SocketAddr, folder: &std::path::Path) {
    for _ in 0..ROUNDS {
        let (fetcher, permits) = runtime.block_on(prepared(addr, folder, READ));
        runtime.block_on(measure("200, hashed and read", READ, our_loop(fetcher, permits, true)));
        let (fetcher, permits) = runtime.block_on(prepared(addr, folder, PAGES));
        runtime.block_on(measure("304", PAGES, again_loop(fetcher, permits)));
    }
}

/// Pages per CPU-second of one round: theirs, ours, theirs with a bare pass, ours with the reader.
fn round(runtime: &tokio::runtime::Runtime, addr: SocketAddr, folder: &std::path::Path) -> [f64; 4] {
    let ours = |name, pages, reads| {
        let (fetcher, permits) = runtime.block_on(prepared(addr, folder, pages));
        runtime.block_on(measure(name, pages, our_loop(fetcher, permits, reads)))
    };
    [
        runtime.block_on(measure("reqwest", PAGES, reqwest_loop(addr, PAGES, false))),
        ours("prosopon", PAGES, false),
        runtime.block_on(measure("reqwest + lol_html", READ, reqwest_loop(addr, READ, true))),
        ours("prosopon + reader", READ, true),
    ]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|a| a == "serve") {
        return runtime.block_on(serve(args.get(at + 1).and_then(|port| port.parse().ok()).unwrap_or(0)));
    }
    let own = std::env::current_exe().expect("this bench");
    let mut server = Command::new(own).arg("serve").stdout(Stdio::piped()).spawn().expect("the server");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("an address");
    let addr: SocketAddr = line.trim().parse().expect("an address");
    let folder = std::env::temp_dir().join(format!("prosopon-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    if args.iter().any(|a| a == "profile") {
        let (fetcher, permits) = runtime.block_on(prepared(addr, &folder, PAGES));
        runtime.block_on(measure("prosopon", PAGES, our_loop(fetcher, permits, false)));
    } else if args.iter().any(|a| a == "again") {
        again(&runtime, addr, &folder);
    } else {
        let rounds: Vec<[f64; 4]> = (0..ROUNDS).map(|_| round(&runtime, addr, &folder)).collect();
        let median = |ratio: &dyn Fn(&[f64; 4]) -> f64| {
            let mut ratios: Vec<f64> = rounds.iter().map(ratio).collect();
            ratios.sort_by(f64::total_cmp);
            ratios[ROUNDS / 2]
        };
        println!("fetching, median of {ROUNDS}: {:.2} (the bar is 0.80)", median(&|r| r[1] / r[0]));
        println!("and reading, median of {ROUNDS}: {:.2} (the bar is 0.70)", median(&|r| r[3] / r[2]));
    }
    let _ended = server.kill();
    let _ended = server.wait();
    let _gone = std::fs::remove_dir_all(&folder);
}
