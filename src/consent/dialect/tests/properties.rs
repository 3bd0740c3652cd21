//! What holds of any records of any dialect: random orders, repetitions, further noes, nonsense.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cases, folder_of, ids, load};
use crate::consent::dialect::{Dialect, Mapping, Outcome, Record, parse};
use crate::consent::event::{EventKind, LegalEvent};

fn digests(outcome: &Outcome) -> BTreeSet<[u8; 32]> {
    outcome.events.iter().map(LegalEvent::digest).collect()
}

fn negatives(outcome: &Outcome) -> BTreeSet<[u8; 32]> {
    outcome.events.iter().filter(|e| e.kind.is_negative()).map(LegalEvent::digest).collect()
}

fn grants(outcome: &Outcome) -> BTreeSet<[u8; 32]> {
    outcome.events.iter().filter(|e| e.kind == EventKind::Grant).map(LegalEvent::digest).collect()
}

/// A record of each dialect that says no for the person, in words of its own.
fn a_no(dialect: Dialect, person: &str) -> Value {
    match dialect {
        Dialect::Hubspot => json!({ "id": person, "properties": { "email": "", "hs_email_optout": "true" } }),
        Dialect::Salesforce => json!({ "attributes": { "type": "Contact" }, "Id": person, "DoNotCall": true }),
        Dialect::Dynamics => json!({ "contactid": person, "msdyn_gdproptout": true }),
        Dialect::Pipedrive => json!({ "id": person, "email": [], "marketing_status": "unsubscribed" }),
        Dialect::Espocrm => json!({ "id": person, "doNotCall": true }),
        Dialect::Odoo => json!({ "id": person, "is_blacklisted": true }),
        Dialect::List => json!({ "Kontakt-ID": person, "Status": "widerrufen" }),
        Dialect::Table => json!({ "contact_id": person, "kind": "withdraw" }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any order and any repetition of the records of any export give the same events.
    #[test]
    fn order_and_repetition_do_not_matter(pick in 0usize..64, seed in any::<u64>(), again in 0usize..8) {
        let all = cases();
        let (dialect, folder) = &all[pick % all.len()];
        let loaded = load(*dialect, folder);
        let mut records = loaded.records.clone();
        let copies: Vec<Record> = records.iter().take(again).cloned().collect();
        records.extend(copies);
        let mut state = seed;
        for i in (1..records.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            records.swap(i, (state >> 33) as usize % (i + 1));
        }
        let (shuffled, straight) = (loaded.run(&records, &loaded.mapping), loaded.outcome());
        prop_assert_eq!(digests(&shuffled), digests(&straight));
        prop_assert_eq!(shuffled.unclear, straight.unclear);
    }

    /// A further record that says no removes no other no and adds no yes, whichever records are there.
    #[test]
    fn a_further_no_never_removes_a_no_and_never_adds_a_yes(
        pick in 0usize..64, keep in any::<u32>(), person in 0usize..16, mapped in any::<bool>(),
    ) {
        let all = cases();
        let (dialect, folder) = &all[pick % all.len()];
        let loaded = load(*dialect, folder);
        let chosen = |i: &usize| keep >> (i % 32) & 1 == 1;
        let some: Vec<Record> = (0..loaded.records.len()).filter(chosen).map(|i| loaded.records[i].clone()).collect();
        let mapping = if mapped { loaded.mapping.clone() } else { Mapping::default() };
        let before = loaded.run(&some, &mapping);
        let person = loaded.case.people.iter().nth(person % loaded.case.people.len()).expect("somebody");
        let extra = parse("more.json", a_no(*dialect, person).to_string().as_bytes()).expect("readable").records;
        let after = loaded.run(&[some, extra].concat(), &mapping);
        prop_assert!(negatives(&before).is_subset(&negatives(&after)));
        prop_assert!(negatives(&after).len() > negatives(&before).len() || negatives(&after) == negatives(&before));
        prop_assert!(grants(&after).is_subset(&grants(&before)), "{}", folder.display());
        let subject = ids().subject("crm", person);
        prop_assert!(after.events.iter().any(|e| e.subject == subject && e.kind.is_negative()));
    }

    /// Any record at all, also nonsense under the real field names, makes no grant without a mapping, no panic, and
    /// takes away none of the noes.
    #[test]
    fn nonsense_grants_nothing(
        pick in 0usize..64,
        words in prop::collection::vec("[a-zA-Z0-9;|@. –-]{0,24}|true|false|OptIn|SUBSCRIBED|subscribed|534120001", 1..12),
    ) {
        let all = cases();
        let (dialect, folder) = &all[pick % all.len()];
        let loaded = load(*dialect, folder);
        let mut records = loaded.records.clone();
        for (i, word) in words.iter().enumerate() {
            let index = i % records.len();
            let mut record = records[index].clone();
            let names: Vec<String> = record.fields.keys().cloned().collect();
            if let Some(name) = names.get(i * 7 % names.len().max(1)) {
                record.fields[name] = Value::from(word.clone());
                records.push(record);
            }
        }
        let outcome = loaded.run(&records, &Mapping::default());
        if *dialect != Dialect::Table {
            prop_assert!(outcome.events.iter().all(|e| e.kind.is_negative()));
        }
        let before = negatives(&loaded.run(&loaded.records, &Mapping::default()));
        prop_assert!(before.is_subset(&negatives(&outcome)), "{}", folder.display());
    }
}

#[test]
fn of_two_sources_the_stricter_stays() {
    use crate::consent::ledger::Ledger;
    let (hubspot, table) = (folder_of(Dialect::Hubspot, "contacts"), folder_of(Dialect::Table, "rows"));
    let first = load(Dialect::Hubspot, &hubspot).outcome().events;
    let second = load(Dialect::Table, &table).outcome().events;
    let now = "2026-03-02T03:00:00Z".parse().expect("a time");
    let state = |batches: &[&[LegalEvent]]| {
        let mut ledger = Ledger::in_memory().expect("SQLite");
        for batch in batches {
            ledger.preview(batch, &[], now);
        }
        ledger.view().state()
    };
    let once = state(&[&first, &second]);
    assert_eq!(once, state(&[&second, &first, &second]), "the order of sources does not matter");
    assert_eq!(once.count() as usize, first.len() + second.len(), "no source replaces what another said");
}
