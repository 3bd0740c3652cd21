//! Reading a title allocates nothing in the common path; a test of its own, because it counts allocations.

use allocation_counter::measure;
use prosopon::extract::title::TitleReader;

#[path = "../benches/titles/made.rs"]
mod made;

const COMMON: [&str; 14] = [
    "Geschäftsführer",
    "Leiterin Einkauf",
    "Head of Sales & Marketing",
    "Software Engineer",
    "Vertriebsinnendienstleiterin",
    "Key Account Manager",
    "Assistentin der Geschäftsführung",
    "CFO",
    "Teamleiter Logistik",
    "Senior Consultant",
    "HR Business Partner",
    "Projektleiter",
    "Managing Director at Muster GmbH",
    "Directeur commercial",
];

#[test]
fn a_title_that_came_twice_costs_no_allocation() {
    let reader = TitleReader::shipped();
    let all = || COMMON.iter().map(|t| reader.lend(t, |r| r.evidence.len())).sum::<usize>();
    (0..3).for_each(|_| assert!(all() > 0));
    assert_eq!(measure(|| assert!(all() > 0)).count_total, 0);
}

#[test]
fn a_title_of_known_words_costs_no_allocation_when_read_afresh() {
    let reader = TitleReader::shipped();
    let all = || COMMON.iter().map(|t| reader.read_afresh(t).evidence.len()).sum::<usize>();
    (0..3).for_each(|_| assert!(all() > 0));
    let mut dear = Vec::new();
    for title in COMMON {
        let n = measure(|| drop(reader.read_afresh(title))).count_total;
        if n > 0 {
            dear.push((title, n));
        }
    }
    assert!(dear.is_empty(), "{dear:?}");
}

/// Many distinct titles, each read once after its words have come before: next to none allocates anything.
#[test]
fn titles_that_never_came_before_cost_no_allocation_either() {
    let reader = TitleReader::shipped();
    let titles = made::titles(20_000);
    let (words, fresh) = titles.split_at(15_000);
    for title in words {
        drop(reader.read_afresh(title));
    }
    let dear = fresh.iter().filter(|t| measure(|| drop(reader.read_afresh(t))).count_total > 0);
    let dear: Vec<&String> = dear.collect();
    assert!(dear.len() * 20 <= fresh.len(), "{} of {}: {:#?}", dear.len(), fresh.len(), &dear[..20.min(dear.len())]);
}
