//! `cargo run --example quality_titles -- [--misses] FILE.tsv...`: the figures of labelled titles.
//!
//! Invariant: reads the given files, writes to standard output only. Never ask for the misses of a hold-out.

use prosopon::extract::title::TitleReader;
use prosopon::quality::{TitleSet, titles};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, files): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let mut sets = Vec::new();
    for path in &files {
        sets.push(TitleSet::parse(path, &std::fs::read_to_string(path)?)?);
    }
    if flags.iter().any(|f| f == "--misses") {
        for miss in sets.iter().flat_map(|s| s.misses(TitleReader::shipped())) {
            println!("{miss}");
        }
    } else {
        print!("{}", titles(&sets, &[]));
    }
    Ok(())
}
