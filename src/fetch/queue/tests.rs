//! A simulated web under tokio's paused clock, driven by queue and pace together as a crawl would drive them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::{sleep, sleep_until};

use super::super::cancel::Cancel;
use super::super::pace::Pace;
use super::*;

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

/// Asks every page of every site, at most `most` at once; tells what each host saw and how long it took.
fn crawl(sites: &[Site], most: usize) -> (Vec<Vec<Seen>>, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let (start, far) = (Instant::now(), Instant::now() + Duration::from_hours(10_000));
        let queue = Rc::new(RefCell::new(HostQueue::default()));
        for (host, site) in sites.iter().enumerate() {
            for page in 0..site.pages {
                queue.borrow_mut().push(&format!("h{host}.example"), (host, page), start);
            }
        }
        let (pace, done, flying) = (Rc::new(Pace::default()), Rc::new(Notify::new()), Rc::new(RefCell::new(0)));
        let seen: Rc<RefCell<Vec<Vec<Seen>>>> = Rc::new(RefCell::new(vec![Vec::new(); sites.len()]));
        loop {
            let next = if *flying.borrow() < most { queue.borrow_mut().next(Instant::now()) } else { None };
            if let Some((key, (host, page))) = next {
                *flying.borrow_mut() += 1;
                let (queue, pace, done) = (Rc::clone(&queue), Rc::clone(&pace), Rc::clone(&done));
                let (flying, seen, site) = (Rc::clone(&flying), Rc::clone(&seen), sites[host].clone());
                tokio::task::spawn_local(async move {
                    let name = format!("h{host}.example");
                    let turn = pace.turn(&name, site.delay, far, &Cancel::never()).await.expect("time enough");
                    turn.sent();
                    let at = Instant::now();
                    sleep(site.takes).await;
                    let answered = Instant::now();
                    let wait = site.patience.filter(|(n, _)| *n == page).map(|(_, wait)| answered + wait);
                    if let Some(until) = wait {
                        pace.hold_off(&name, until);
                    }
                    seen.borrow_mut()[host].push(Seen { at, answered, floor: wait });
                    drop(turn);
                    let next = (at + site.delay).max(answered).max(wait.unwrap_or(answered));
                    queue.borrow_mut().give_back(key, next);
                    *flying.borrow_mut() -= 1;
                    done.notify_one();
                });
                continue;
            }
            let at = queue.borrow().next_at().filter(|_| *flying.borrow() < most);
            match at {
                _ if *flying.borrow() == 0 && queue.borrow().is_empty() => break,
                Some(at) => tokio::select! { () = sleep_until(at) => {}, () = done.notified() => {} },
                None => done.notified().await,
            }
        }
        let seen = seen.borrow().clone();
        (seen, start.elapsed())
    })
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
    let (seen, took) = crawl(&sites, 4096);
    check(&sites, &seen);
    // Each host by itself, and all together, within 5% of what the limits allow.
    let start = seen.iter().flatten().map(|s| s.at).min().expect("requests");
    let slow = |(site, seen): &(&Site, &Vec<Seen>)| (seen[11].answered - start) > ideal(site).mul_f64(1.05);
    assert_eq!(sites.iter().zip(&seen).filter(slow).count(), 0);
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
        most in 1_usize..40,
    ) {
        let site = |(delay, takes, pages, patience): &(u64, u64, usize, Option<(usize, u64)>)| Site {
            delay: ms(*delay), takes: ms(*takes), pages: *pages, patience: patience.map(|(n, wait)| (n, ms(wait))),
        };
        let sites: Vec<Site> = sites.iter().map(site).collect();
        check(&sites, &crawl(&sites, most).0);
    }
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

#[test]
fn a_million_urls_at_fifty_thousand_hosts_cost_little() {
    let (before, now) = (resident(), Instant::now());
    let mut queue = HostQueue::default();
    for page in 0..20 {
        for host in 0..50_000 {
            let path: Box<str> = format!("https://www.h{host}.example/unternehmen/team/seite-{page}").into();
            queue.push(&format!("www.h{host}.example"), path, now);
        }
    }
    assert_eq!(queue.len(), 1_000_000);
    let used = resident().saturating_sub(before);
    println!("1,000,000 URLs at 50,000 hosts: {} MiB", used >> 20);
    assert!(used < 500 << 20, "{} MiB", used >> 20);
    // Every host comes once, in order, and then again only after its time.
    let mut given = HashSet::new();
    while let Some((key, path)) = queue.next(now) {
        assert!(path.ends_with("seite-0") && given.insert(key));
        queue.give_back(key, now + ms(1000));
    }
    assert_eq!((given.len(), queue.len(), queue.next_at()), (50_000, 950_000, Some(now + ms(1000))));
}
