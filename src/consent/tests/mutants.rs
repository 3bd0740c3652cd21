//! Mutants of the gate: each named check forced to hold, and forced not to.
//!
//! Invariant: every mutant is killed by a named case of `testdata/gate`. A check that nothing would miss fails here.
//! `PROSOPON_MUTANTS=1 cargo test --lib mutants -- --nocapture` prints which case kills which.

use std::collections::BTreeSet;

use regex::Regex;

use super::cases::{Prepared, prepared};
use crate::consent::mutant::with_forced;

/// Where checks stand.
const SOURCES: &[(&str, &str)] = &[
    ("case", include_str!("../case.rs")),
    ("decide", include_str!("../decide.rs")),
    ("source_rules", include_str!("../source_rules.rs")),
    ("standing", include_str!("../standing.rs")),
];

/// How often each file calls something that refuses or ends a permit: all of them by a name.
const CALLS: &str = r#"(?s)\b(holds|refuse|until|check)\(\s*"([a-z0-9_.]+)",(\s*true,)?"#;

struct Check {
    name: &'static str,
    /// It holds wherever it stands, or it is an end that a permit gets: it can only be left out.
    can_only_go: bool,
}

fn checks() -> Vec<Check> {
    let calls = Regex::new(CALLS).expect("a pattern");
    let found = |source: &'static str| {
        let of = |c: regex::Captures<'static>| Check {
            name: c.get(2).expect("two groups").as_str(),
            can_only_go: &c[1] == "until" || c.get(3).is_some(),
        };
        calls.captures_iter(source).map(of).collect::<Vec<_>>()
    };
    SOURCES.iter().flat_map(|(_, source)| found(source)).collect()
}

#[test]
fn every_check_has_a_name_of_its_own() {
    let checks = checks();
    let names: BTreeSet<&str> = checks.iter().map(|c| c.name).collect();
    assert_eq!(names.len(), checks.len(), "two checks have one name");
    assert!(checks.len() >= 120, "only {} checks", checks.len());
    // No refusal and no end goes without a name.
    let unnamed = Regex::new(r"\btally\.(refuse|until)\(\s*[^\s\x22]").expect("a pattern");
    for (file, source) in SOURCES {
        let found: Vec<&str> = unnamed.find_iter(source).map(|m| m.as_str()).collect();
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

#[test]
fn every_mutant_is_killed_by_a_named_case() {
    let suite = prepared();
    let mut survivors = Vec::new();
    let mut table = Vec::new();
    for check in checks() {
        for value in [false, true] {
            if check.can_only_go && value {
                continue;
            }
            let killers: Vec<&str> = with_forced(check.name, value, || {
                suite.iter().filter(|p| Prepared::failure(p).is_some()).map(|p| p.case.name.as_str()).collect()
            });
            match killers.first() {
                Some(first) => table.push(format!("{} = {value}: {} cases, {first:?}", check.name, killers.len())),
                None => survivors.push(format!("{} = {value}", check.name)),
            }
        }
    }
    if std::env::var_os("PROSOPON_MUTANTS").is_some() {
        println!("{}", table.join("\n"));
    }
    assert!(survivors.is_empty(), "{} of {} survive:\n{}", survivors.len(), table.len(), survivors.join("\n"));
}
