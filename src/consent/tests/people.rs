//! A ledger that is read when somebody asks tells the same as one that is held in memory, whoever writes to it meanwhile.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;

use super::ledgers::Files;
use super::worlds::{any_kind, event_of, run_for};
use super::{consent, event, now, policy_file};
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::gate::{EmitProposal, Gate, SubjectFacts};
use crate::consent::ledger::{Import, Ledger, LedgerError};
use crate::consent::people::People;
use crate::consent::policy::Policy;
use crate::ids::{DEMO_KEY, Ids};
use crate::keys::{SubjectKey, Vault};
use crate::model::SubjectId;

const PEOPLE: [&str; 4] = ["anna", "bela", "cem", "dora"];

fn person(n: usize) -> SubjectId {
    SubjectId::from_body(PEOPLE[n])
}

/// What somebody does to a home.
#[derive(Debug, Clone)]
enum Act {
    /// Imports what was said, and who was first seen when.
    Import { by_another: bool, said: Vec<(usize, LegalEvent)>, seen: Vec<(usize, i64)>, is_sync: bool },
    /// Destroys a key.
    Erase(usize),
    /// Opens it again.
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let said = prop::collection::vec((0..PEOPLE.len(), event_of(any_kind())), 0..4);
    let seen = prop::collection::vec((0..PEOPLE.len(), select(vec![-2_000_000_000_i64, -86_400, 0, 1])), 0..3);
    let import = (any::<bool>(), said, seen, any::<bool>()).prop_map(|(by_another, mut said, seen, is_sync)| {
        for (n, event) in &mut said {
            event.subject = person(*n);
        }
        Act::Import { by_another, said, seen, is_sync }
    });
    prop_oneof![6 => import, 1 => (0..PEOPLE.len()).prop_map(Act::Erase), 1 => Just(Act::Reopen)]
}

fn import(vault: &mut Vault, ledger: &mut Ledger, act: &Act, at: Timestamp) -> u64 {
    let Act::Import { said, seen, is_sync, .. } = act else { unreachable!("an import") };
    let events: Vec<LegalEvent> = said.iter().map(|(_, event)| event.clone()).collect();
    let second = |s: &i64| Timestamp::new(*s, if *s < 0 { -5 } else { 5 }).expect("a time");
    let seen: Vec<_> = seen.iter().map(|(n, at)| (person(*n), second(at))).collect();
    ledger.import(vault, Import { events: &events, seen: &seen, is_sync: *is_sync }, at).expect("a writable ledger")
}

/// Entries of somebody, and when they were first seen; `None` = they have no key.
type Told = Option<(Vec<(u64, Timestamp, LegalEvent)>, Option<Timestamp>)>;

/// Everybody as the ledger has them.
fn tell(vault: &Vault, ledger: &mut Ledger) -> Vec<Told> {
    let tell = |n| {
        let key = vault.look_up(&person(n)).expect("readable")?;
        let said = ledger.person(&person(n), &key).expect("readable");
        let entries = said.entries().map(|e| (e.seq, e.known_at, e.event.clone())).collect();
        Some((entries, said.first_seen()))
    };
    (0..PEOPLE.len()).map(tell).collect()
}

#[test]
fn who_is_looked_up_is_told_as_who_is_held_in_memory() {
    run_for(300, prop::collection::vec(act(), 1..9), |acts| {
        let files = Files::new();
        let (mut vault, mut ledger) = files.open_both().expect("a new ledger");
        let (mut sparse_vault, mut sparse) = files.open_sparse().expect("the same");
        for (n, act) in acts.iter().enumerate() {
            let at = now() + SignedDuration::from_secs(i64::try_from(n).expect("few"));
            match act {
                Act::Import { by_another: true, .. } => drop(import(&mut vault, &mut ledger, act, at)),
                Act::Import { .. } => drop(import(&mut sparse_vault, &mut sparse, act, at)),
                Act::Erase(n) => {
                    ledger.refresh(&mut vault).expect("readable");
                    vault.reload().expect("readable");
                    if vault.key(&person(*n)).is_some() {
                        vault.destroy(&person(*n)).expect("destroyed");
                        ledger.forget(&vault, &person(*n)).expect("noted");
                    }
                    // As a run finds a home after an erasure, which waits for the home.
                    drop((sparse_vault, sparse));
                    (sparse_vault, sparse) = files.open_sparse().expect("intact");
                }
                Act::Reopen => {
                    drop((sparse_vault, sparse));
                    (sparse_vault, sparse) = files.open_sparse().expect("intact");
                }
            }
            sparse.refresh(&mut sparse_vault).expect("readable");
            sparse_vault.let_go();
        }
        let (vault, mut ledger) = files.open_both().expect("intact");
        let all = |ledger: &Ledger| {
            let view = ledger.view();
            (ledger.note(), view.state(), view.last_sync(), view.newest())
        };
        prop_assert_eq!(all(&sparse), all(&ledger));
        prop_assert_eq!(tell(&sparse_vault, &mut sparse), tell(&vault, &mut ledger));
        // And without what the vault remembers.
        vault.note_ledger_state("").expect("writable");
        let (again_vault, mut again) = files.open_sparse().expect("intact");
        prop_assert_eq!(all(&again), all(&ledger));
        prop_assert_eq!(again.view().forgotten(), ledger.view().forgotten());
        prop_assert_eq!(tell(&again_vault, &mut again), tell(&vault, &mut ledger));
        let noes: std::collections::HashSet<SubjectId> = (0..PEOPLE.len())
            .map(person)
            .filter(|id| ledger.view().entries(id).iter().any(|e| e.seq > 2 && e.event.kind.is_negative()))
            .collect();
        prop_assert_eq!(again.said_no_since(&again_vault, 2).expect("readable"), noes);
        decides_alike((again_vault, again), ledger)
    });
}

/// Two gates, one of which looks people up.
fn decides_alike((vault, mut sparse): (Vault, Ledger), ledger: Ledger) -> Result<(), TestCaseError> {
    let gate = |view| Gate::new(Policy::new(policy_file()), view, &Ids::new(DEMO_KEY), Arc::new(now));
    let (view, all) = (sparse.take_view(), gate(ledger.into_view()));
    let people = Arc::new(People::new(vault, sparse));
    let one = gate(view).with_people(Some(Arc::clone(&people)));
    for hold in [false, true] {
        let held = hold.then(|| people.hold((0..2).map(person).collect::<Vec<_>>().iter()).expect("readable"));
        for n in 0..PEOPLE.len() {
            let facts = SubjectFacts { collected_at: now(), ambiguous: false };
            let asked = || EmitProposal { subject: person(n), purpose: "persona_enrichment".into(), facts };
            let (looked_up, in_memory) = (one.emit(asked()), all.emit(asked()));
            prop_assert_eq!(looked_up.row, in_memory.row);
            prop_assert_eq!(format!("{:?}", looked_up.grounds), format!("{:?}", in_memory.grounds));
            prop_assert_eq!(one.first_seen(&person(n)), all.first_seen(&person(n)));
        }
        drop(held);
    }
    Ok(())
}

#[test]
fn who_was_held_is_looked_up_again_once_they_are_let_go_of() {
    let files = Files::filled(&[consent("2026-01-01")]);
    let (vault, ledger) = files.open_sparse().expect("intact");
    let people = People::new(vault, ledger);
    let held = people.hold([&super::subject()]).expect("readable");
    let first = people.find(&super::subject()).expect("readable").expect("somebody");
    assert!(Arc::ptr_eq(&first, &people.find(&super::subject()).expect("readable").expect("somebody")));
    drop(held);
    let again = people.find(&super::subject()).expect("readable").expect("somebody");
    assert!(!Arc::ptr_eq(&first, &again));
    assert_eq!(first.said().events(), again.said().events());
    assert!(people.find(&SubjectId::from_body("stranger")).expect("readable").is_none());
}

#[test]
fn of_whom_nothing_can_be_read_is_refused() {
    let files = Files::filled(&[LegalEvent { external_id: Some("E-1".into()), ..consent("2026-01-01") }]);
    let (vault, mut ledger) = files.open_sparse().expect("intact");
    let view = ledger.take_view();
    let gate = Gate::new(Policy::new(policy_file()), view, &Ids::new(DEMO_KEY), Arc::new(now))
        .with_people(Some(Arc::new(People::new(vault, ledger))));
    let ask = || {
        let facts = SubjectFacts { collected_at: now(), ambiguous: false };
        gate.emit(EmitProposal { subject: super::subject(), purpose: "persona_enrichment".into(), facts }).row.reasons
    };
    assert_eq!(ask(), ["6(1)(a)"]);
    files.tamper("UPDATE legal_events SET sealed = x'00' WHERE sealed IS NOT NULL");
    assert!(ask().contains(&"IntegrityFailure".to_owned()), "{:?}", ask());
}

#[test]
fn a_first_collection_without_its_key_does_not_open() {
    let files = Files::new();
    let (mut vault, mut ledger) = files.open_both().expect("a new ledger");
    let seen = [(person(0), now())];
    ledger.import(&mut vault, Import { seen: &seen, ..Import::default() }, now()).expect("writable");
    drop((vault, ledger));
    files.tamper_vault("DELETE FROM subjects");
    let error = files.open_sparse().map(drop).expect_err("nobody's");
    assert!(matches!(error, LedgerError::KeyMissing { seq: 1, .. }), "{error:?}");
}

#[test]
fn what_is_let_go_of_keeps_its_identifiers() {
    let files = Files::new();
    let (mut vault, _ledger) = files.open_sparse().expect("new");
    let id = |n: u8| [n; 16];
    for (more, all) in
        [(vec![id(1)], vec![id(1)]), (vec![id(2), id(1)], vec![id(1), id(2)]), (vec![], vec![id(1), id(2)])]
    {
        vault.ensure([&person(0)]).expect("written");
        vault.identify(&[(person(0), more)]).expect("written");
        vault.let_go();
        assert!(vault.key(&person(0)).is_none());
        let (key, known) = vault.known(&person(0)).expect("readable").expect("somebody");
        assert_eq!(&*known, &all[..]);
        assert_eq!(Some(key.ledger_tag()), files.vault().key(&person(0)).map(SubjectKey::ledger_tag));
    }
}

#[test]
#[should_panic(expected = "nobody asks for everybody at once")]
fn a_sparse_vault_gives_no_partial_answer() {
    let files = Files::new();
    let (mut vault, _ledger) = files.open_sparse().expect("new");
    vault.ensure([&person(0)]).expect("written");
    let _ = vault.subjects().count();
}

#[test]
fn what_is_said_meanwhile_counts_once_it_was_looked_for() {
    let files = Files::filled(&[consent("2026-01-01")]);
    let (vault, mut ledger) = files.open_sparse().expect("intact");
    let gate = Gate::new(Policy::new(policy_file()), ledger.take_view(), &Ids::new(DEMO_KEY), Arc::new(now));
    let people = Arc::new(People::new(vault, ledger));
    let gate = gate.with_people(Some(Arc::clone(&people)));
    // As `run::watch` does.
    let look = || {
        let (vault, ledger) = &mut *people.books();
        let was_written = ledger.was_written_by_others().expect("readable");
        let news = if was_written { ledger.news(vault).expect("readable") } else { Vec::new() };
        let any = !news.is_empty();
        gate.learn(news, ledger.view().head());
        any
    };
    let reasons = || {
        let facts = SubjectFacts { collected_at: now(), ambiguous: false };
        gate.emit(EmitProposal { subject: super::subject(), purpose: "persona_enrichment".into(), facts }).row.reasons
    };
    assert!(!look() && !look(), "nobody wrote");
    let (mut vault, mut ledger) = files.open_both().expect("intact");
    let no = [event(EventKind::Object, "2026-03-01")];
    let import = Import { events: &no, seen: &[(person(0), now())], ..Import::default() };
    ledger.import(&mut vault, import, now()).expect("writable");
    assert_eq!(reasons(), ["6(1)(a)"], "as the view stood");
    assert!(look());
    assert_eq!((gate.late_subjects(), gate.head()), (vec![super::subject()], ledger.view().head()));
    assert!(
        gate.late_negative(&super::subject()) && reasons().contains(&"MarketingObjection".to_owned()),
        "{:?}",
        reasons()
    );
    let said = people.find(&super::subject()).expect("readable").expect("somebody");
    assert_eq!(said.said().events().len(), 1, "and not twice");
    assert!(!look(), "no news are no news");
}

#[test]
fn who_has_not_heard_of_an_erasure_leaves_no_wrong_digest() {
    let of = |n: usize| LegalEvent { subject: person(n), ..consent("2026-01-01") };
    let files = Files::filled(&[of(0), of(1), of(2)]);
    // Two offices are open; what one erases the other has not heard of when it erases, and imports.
    let (mut vault, mut ledger) = files.open_both().expect("intact");
    let (mut other_vault, mut other) = files.open_both().expect("intact");
    other_vault.destroy(&person(1)).expect("destroyed");
    other.forget(&other_vault, &person(1)).expect("noted");
    let digests = |why: &str| {
        let sparse = files.open_sparse().expect("intact").1.view().state();
        assert_eq!(sparse, files.open().expect("intact").view().state(), "{why}");
    };
    vault.reload().expect("readable");
    vault.destroy(&person(0)).expect("destroyed");
    ledger.forget(&vault, &person(0)).expect("noted");
    digests("erased");
    let import = Import { events: &[event(EventKind::Object, "2026-02-01")], ..Import::default() };
    other.import(&mut other_vault, import, now()).expect("writable");
    digests("imported");
}
