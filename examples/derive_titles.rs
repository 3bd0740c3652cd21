//! Derives `config/taxonomy/titles_derived.yaml` from ESCO and O*NET: how the words of occupation names are
//! spread over job functions.
//!
//! Invariant: a pure function of the two data sets and of the tables in `occupations`; run it again and the file is equal.
//!
//! `cargo run --example derive_titles -- ../shared/data > config/taxonomy/titles_derived.yaml`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use prosopon::extract::title::TitleReader;
use prosopon::taxonomy::JobFunction;

mod occupations;

/// Words that say nothing about a function, however they are spread.
const STOP: &[&str] = &[
    "and",
    "of",
    "the",
    "or",
    "in",
    "for",
    "to",
    "und",
    "der",
    "fuer",
    "im",
    "von",
    "manager",
    "director",
    "specialist",
    "officer",
    "supervisor",
    "leiter",
    "fachkraft",
    "head",
    "chief",
    "lead",
    "senior",
    "junior",
    "assistant",
    "coordinator",
    "associate",
    "president",
    "professional",
    "worker",
    "expert",
    "spezialist",
    "mit",
    "zur",
    "zum",
    "executive",
    "vice",
    "general",
    "international",
    "ceo",
    "cfo",
    "director",
    "registered",
    "certified",
    "licensed",
];

/// Smallest number of occupation names that a word must stand in.
const MIN_COUNT: f64 = 2.0;
/// Prior weight of the overall spread.
const SMOOTH: f64 = 2.0;
/// The same for long words that are occupation names themselves (German compounds).
const NAME_SMOOTH: f64 = 0.5;
/// Words whose strongest function has less log-odds against its base rate are dropped.
const SHARP: f64 = 0.8;

#[derive(Default)]
struct Count {
    by_function: BTreeMap<JobFunction, f64>,
    total: f64,
    last: f64,
}

fn count(names: &BTreeSet<(String, JobFunction)>) -> (BTreeMap<String, Count>, BTreeMap<JobFunction, f64>) {
    let mut words: BTreeMap<String, Count> = BTreeMap::new();
    let mut base: BTreeMap<JobFunction, f64> = BTreeMap::new();
    let mut seen: BTreeSet<(Vec<String>, JobFunction)> = BTreeSet::new();
    for (name, f) in names {
        let list = TitleReader::words(name);
        if list.is_empty() || !seen.insert((list.clone(), *f)) {
            continue;
        }
        *base.entry(*f).or_default() += 1.0;
        let unique: BTreeSet<&String> = list.iter().collect();
        for w in unique {
            let c = words.entry(w.clone()).or_default();
            *c.by_function.entry(*f).or_default() += 1.0;
            c.total += 1.0;
        }
        if let Some(c) = list.last().and_then(|w| words.get_mut(w)) {
            c.last += 1.0;
        }
    }
    (words, base)
}

fn main() -> anyhow::Result<()> {
    let dir = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("usage: derive_titles DATA"))?;
    let dir = Path::new(&dir);
    let names = occupations::names(dir)?;
    let (words, base) = count(&names);
    let all: f64 = base.values().sum();
    println!("# Made by `cargo run --example derive_titles -- DATA`; do not edit.");
    println!("# This product uses the ESCO classification of the European Commission.");
    println!("# Includes information from the O*NET 27.0 Database by the U.S. Department of Labor, Employment and");
    println!("# Training Administration (USDOL/ETA), used under the CC BY 4.0 license; modified.");
    println!("version: 1");
    println!("provenance:");
    println!("  - {} distinct occupation names with a function by ISCO-08 or SOC group", names.len());
    println!(
        "  - a line is a word, up to two functions with log-odds against the base rate, p = ends occupation names"
    );
    println!("words: |");
    for (word, c) in &words {
        let plain = word.len() >= 3 && word.bytes().all(|b| b.is_ascii_lowercase());
        let person = c.last / c.total >= 0.5;
        let name = person && word.len() >= 7;
        if !plain || (c.total < MIN_COUNT && !name) || STOP.contains(&word.as_str()) {
            continue;
        }
        let mut odds: Vec<(JobFunction, f64)> = c
            .by_function
            .iter()
            .map(|(f, n)| {
                let p0 = base[f] / all;
                let smooth = if name { NAME_SMOOTH } else { SMOOTH };
                let p = (n + smooth * p0) / (c.total + smooth);
                (*f, p)
            })
            .collect();
        odds.sort_by(|a, b| b.1.total_cmp(&a.1));
        // Log-odds of the share itself, scaled to stay below curated words.
        let weight = |p: f64| ((p / (1.0 - p).max(0.02)).ln() + 1.0).clamp(0.0, 3.0) * 0.8;
        if weight(odds[0].1) < SHARP {
            continue;
        }
        let mut line = format!("  {word} {}:{:.1}", odds[0].0, weight(odds[0].1));
        if let Some((f, p)) = odds.get(1).filter(|o| weight(o.1) >= 0.4) {
            write!(line, " {f}:{:.1}", weight(*p))?;
        }
        if person {
            line += " p";
        }
        println!("{line}");
    }
    Ok(())
}
