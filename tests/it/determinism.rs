//! Two runs of the same inputs write the same tables, wherever and whenever they run.
//!
//! Invariant: homes are compared through [`common`], which alone knows what may differ.

use crate::harness::{arg, copy_of_shared, demo, say, shared};
use crate::runs::finished;
use crate::tables::{Common, Tables, as_if_sent, common, differences};

/// Pages of the demo that are not sent again while they do not change; of the five others that were read something was
/// withheld.
const PAGES_KEPT: usize = 33;

#[track_caller]
fn assert_same(a: &Common, b: &Common) {
    let told = differences(a, b);
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn two_homes_get_equal_tables() {
    let again = finished("again").expect(0);
    let (a, b) = (common(&shared().home), common(&again.home));
    assert!(a.values().all(|rows| !rows.is_empty()), "a comparison of nothing");
    assert_same(&a, &b);
}

#[test]
fn contacts_that_are_worked_on_in_parts_get_equal_tables() {
    let parts = finished("parts");
    assert_same(&common(&shared().home), &common(&parts.home));
    let work = std::fs::read_dir(parts.home.join(".work")).map_or(0, Iterator::count);
    assert_eq!(work, 0, "parts are gone with the run");
    say(["audit", "verify", "--out", arg(&parts.home)]).expect(0);
}

#[test]
fn a_second_run_in_the_same_home_gets_equal_tables_and_a_snapshot_of_its_own() {
    let (_dir, home) = copy_of_shared();
    let second = demo(&home, &["--json"]).expect(0).json();
    assert_ne!(second["run_id"], shared().summary["run_id"]);
    assert_eq!(second["resumed_fetches"], 0, "a published run is not continued");
    // Pages that had not changed were not sent again, which their documents tell and nothing else.
    let (first, again) = (common(&shared().home), common(&home));
    let not_modified = |c: &Common| c["documents"].iter().filter(|row| row.contains("\"revalidated\"")).count();
    assert_eq!((not_modified(&first), not_modified(&again)), (0, PAGES_KEPT));
    assert_eq!(second["counts"]["not_modified"], PAGES_KEPT);
    let (first, again) = as_if_sent(first, again);
    assert_same(&first, &again);
    let snapshots = prosopon::sink::snapshots(&home, "demo").expect("snapshots");
    assert_eq!(snapshots.len(), 2);
}

#[test]
fn another_as_of_changes_what_depends_on_it() {
    let june = finished("june").expect(0);
    let (now, later) = (Tables::of(&shared().home), Tables::of(&june.home));
    assert!(later.personas.iter().all(|p| p.as_of.to_string() == "2026-06-01T00:00:00Z"));
    // K-2133 consented from 2026-04-01 on; K-2083's consent ended on 2026-03-03.
    assert!(now.persona("K-2133").is_none() && now.persona("K-2083").is_some());
    assert!(later.persona("K-2133").is_some(), "a consent that begins in April permits in June");
    assert!(later.persona("K-2083").is_none(), "a consent that ended in March refuses in June");
    // Older evidence counts for less: some probability that rests on the same evidence must have moved.
    let moved = now.personas.iter().filter(|p| {
        let other = later.persona(&p.crm_record);
        other.is_some_and(|o| o.job_function.p.is_some() && o.job_function.p != p.job_function.p)
    });
    assert!(moved.count() > 0, "half-lives are counted from as_of");
}
