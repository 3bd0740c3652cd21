//! What a hostile robots.txt costs: parsing it and asking it about a URL of 2,000 characters.
//!
//! Invariant: every case must stay under 10 ms.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use prosopon::fetch::Robots;

fn rules(count: usize, line: impl Fn(usize) -> String) -> Vec<u8> {
    let lines: Vec<String> = (0..count).map(|i| format!("disallow: {}", line(i))).collect();
    format!("user-agent: *\n{}\n", lines.join("\n")).into_bytes()
}

fn hostile(c: &mut Criterion) {
    let url = format!("http://a.example/{}", "a".repeat(2000));
    let binary: Vec<u8> = (0..10_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut group = c.benchmark_group("robots");
    for (name, text) in [
        ("60_wildcards", rules(1, |_| format!("/{}b", "*a".repeat(60)))),
        ("10_megabytes", rules(500_000, |_| "/*a*a*a*ab".into())),
        ("a_million_lines", "\n".repeat(1_000_000).into_bytes()),
        ("binary", binary),
        ("short_rules", rules(60_000, |i| format!("/{}", i % 1000))),
        ("many_wildcards", rules(60_000, |i| format!("/*a*a*b{i}"))),
        ("many_pieces", rules(60_000, |i| format!("/{}{i}", "*a".repeat(100)))),
        ("many_encodings", rules(60_000, |i| format!("/*%61*{i}%7e"))),
    ] {
        group.bench_function(name, |b| b.iter(|| Robots::parse(black_box(&text), "prosopon").ask(&url)));
    }
    group.finish();
}

criterion_group!(benches, hostile);
criterion_main!(benches);
