//! A simulated web under tokio's paused clock, asked as a run asks it: a task for each site, which takes its place, its
//! turn and a lane for each page.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::super::cancel::Cancel;
use super::*;
use crate::run::flight::{Flight, in_order};

/// A host: its delay, how long it takes to answer, and at which answers it asks for how much patience.
#[derive(Debug, Clone)]
struct Site {
    delay: Duration,
    takes: Duration,
    pages: usize,
    patience: Option<(usize, Duration)>,
}

/// A request as the host saw it: when it came, and when its answer went out.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    answered: Instant,
    floor: Option<Instant>,
}

/// When the last page of a site can be there at the earliest.
fn ideal(site: &Site) -> Duration {
    let (mut next, mut end) = (Duration::ZERO, Duration::ZERO);
    for page in 0..site.pages {
        end = next + site.takes;
        next = (next + site.delay).max(end);
        if let Some((at, wait)) = site.patience
            && at == page
        {
            next = next.max(end + wait);
        }
    }
    end
}

/// Asks every page of every site, over at most `lanes` connections at once; tells what each host saw and how long it
/// took.
fn crawl(sites: &[Site], lanes: usize) -> (Vec<Vec<Seen>>, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (start, far) = (Instant::now(), Instant::now() + Duration::from_hours(10_000));
        let (pace, lanes) = (Arc::new(Pace::default()), Arc::new(Semaphore::new(lanes)));
        let mut seen = vec![Vec::new(); sites.len()];
        let work = |(host, site): (usize, Site)| {
            let (pace, lanes) = (Arc::clone(&pace), Arc::clone(&lanes));
            async move { Ok((host, visit(&format!("h{host}.example"), &site, &pace, &lanes, far).await)) }
        };
        // As a run does it, not all sites at once.
        in_order(sites.iter().cloned().enumerate(), Flight::FETCHING, work, |(host, of_host)| {
            seen[host] = of_host;
            Ok(())
        })
        .await
        .expect("no panic");
        (seen, start.elapsed())
    })
}

async fn visit(name: &str, site: &Site, pace: &Pace, lanes: &Semaphore, far: Instant) -> Vec<Seen> {
    let (never, mut seen) = (Cancel::never(), Vec::new());
    for page in 0..site.pages {
        let place = pace.place(name, far, &never).await.expect("nobody else asks");
        let turn = pace.turn(name, site.delay, far, &never).await.expect("time enough");
        let lane = lanes.acquire().await.expect("open");
        turn.sent();
        let at = Instant::now();
        sleep(site.takes).await;
        let answered = Instant::now();
        let floor = site.patience.filter(|(n, _)| *n == page).map(|(_, wait)| answered + wait);
        if let Some(until) = floor {
            pace.hold_off(name, until);
        }
        seen.push(Seen { at, answered, floor });
        drop((lane, turn, place));
    }
    seen
}

/// The rules that must never be broken, for every host.
fn check(sites: &[Site], seen: &[Vec<Seen>]) {
    for (site, seen) in sites.iter().zip(seen) {
        assert_eq!(seen.len(), site.pages);
        for pair in seen.windows(2) {
            assert!(pair[1].at - pair[0].at >= site.delay, "closer than {:?}: {pair:?}", site.delay);
            assert!(pair[1].at >= pair[0].answered, "two at once: {pair:?}");
            assert!(pair[0].floor.is_none_or(|floor| pair[1].at >= floor), "Retry-After was shortened: {pair:?}");
        }
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn a_web_of_five_thousand_hosts() {
    // Without randomness: delays from 1 to 5 s, answers from 20 to 800 ms, every seventh host asks for patience.
    let sites: Vec<Site> = (0..5000_u64)
        .map(|i| Site {
            delay: ms(1000 + i.wrapping_mul(7919) % 4000),
            takes: ms(20 + i.wrapping_mul(104_729) % 780),
            pages: 12,
            patience: (i % 7 == 0).then(|| ((i % 11) as usize, ms(1000 * (1 + i % 60)))),
        })
        .collect();
    let (seen, took) = crawl(&sites, 1024);
    check(&sites, &seen);
    let best = sites.iter().map(ideal).max().expect("sites");
    println!("60000 requests at 5000 hosts in {took:?} of the web's time; the limits allow {best:?}");
    assert!(took <= best.mul_f64(1.05), "{took:?} of {best:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_host_is_ever_asked_too_soon(
        sites in proptest::collection::vec(
            (1_u64..3000, 1_u64..2500, 1_usize..8, proptest::option::of((0_usize..8, 1_u64..60_000))), 1..30),
        lanes in 1_usize..40,
    ) {
        let site = |(delay, takes, pages, patience): &(u64, u64, usize, Option<(usize, u64)>)| Site {
            delay: ms(*delay), takes: ms(*takes), pages: *pages, patience: patience.map(|(n, wait)| (n, ms(wait))),
        };
        let sites: Vec<Site> = sites.iter().map(site).collect();
        check(&sites, &crawl(&sites, lanes).0);
    }
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

#[tokio::test(start_paused = true)]
async fn a_million_urls_at_fifty_thousand_hosts_cost_little() {
    let (before, start) = (resident(), Instant::now());
    let (pace, given) = (Arc::new(Pace::default()), Arc::new(Mutex::new(0_usize)));
    let mut waiting = JoinSet::new();
    for host in 0..50_000 {
        let (pace, given) = (Arc::clone(&pace), Arc::clone(&given));
        let name: Box<str> = format!("www.h{host}.example").into();
        let page = |page| -> Box<str> { format!("https://{name}/unternehmen/team/seite-{page}").into() };
        let mut urls: Vec<Box<str>> = (0..20).map(page).collect();
        waiting.spawn(async move {
            let (never, far) = (Cancel::never(), Instant::now() + Duration::from_hours(10_000));
            pace.hold_off(&name, Instant::now() + Duration::from_mins(1));
            while let Some(url) = urls.pop() {
                let _place = pace.place(&name, far, &never).await;
                drop(pace.turn(&name, Duration::from_secs(1), far, &never).await.expect("time enough"));
                *given.lock().expect("no panic") += usize::from(url.contains("/seite-"));
            }
        });
    }
    // Everybody waits for its host, none was given a turn.
    sleep(Duration::from_secs(59)).await;
    let used = resident().saturating_sub(before);
    println!("1,000,000 URLs at 50,000 hosts: {} MiB", used >> 20);
    assert_eq!((*given.lock().expect("no panic"), waiting.len()), (0, 50_000));
    assert!(used < 500 << 20, "{} MiB", used >> 20);
    while waiting.join_next().await.is_some() {}
    assert_eq!((*given.lock().expect("no panic"), start.elapsed()), (1_000_000, Duration::from_secs(79)));
}
