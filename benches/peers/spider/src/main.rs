//! Pages per CPU-second of the `spider` crate on the server of our own benchmark: `peer-spider PORT`. It follows the links
//! of `/index`, obeys robots.txt and hashes each body, as the other peers do.

use sha2::{Digest, Sha256};
use spider::website::Website;

/// CPU time of this process in seconds.
fn cpu() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).expect("peer-spider PORT");
    let mut website = Website::new(&format!("http://127.0.0.1:{port}/index"));
    website.with_respect_robots_txt(true).with_delay(0).with_user_agent(Some("peer"));
    let mut pages = website.subscribe(65_536);
    let counting = tokio::spawn(async move {
        let (mut count, mut sum) = (0_u32, 0_u8);
        while let Ok(page) = pages.recv().await {
            let body = page.get_html_bytes_u8();
            if body.len() > 15_000 {
                count += 1;
                sum ^= Sha256::digest(body)[0];
            }
        }
        (count, sum)
    });
    let (begin, wall) = (cpu(), std::time::Instant::now());
    website.crawl().await;
    website.unsubscribe();
    let (count, _) = counting.await.expect("it counts");
    let (spent, wall) = (cpu() - begin, wall.elapsed().as_secs_f64());
    println!("spider {count} pages, {:.0} pages/CPU-s, {:.0} pages/s", f64::from(count) / spent, f64::from(count) / wall);
}
