//! Sealed copies of many people, and of those whose copy another version wrote.

use super::*;
use crate::keys::MasterKey;
use crate::persona::input::{Level, Offering, PriceBand};
use crate::persona::rectified::Rectification;
use crate::run::known::FusionSettings;
use crate::sink::SnapshotWriter;
use crate::sink::fixtures::{self, Rows};
use crate::sink::read::OPENED;

/// A home with two snapshots of so many people, and their keys.
fn home(people: usize) -> (tempfile::TempDir, Vault, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let offering = Offering {
        name: "X".to_owned(),
        category: "machine".to_owned(),
        used_by: Vec::new(),
        run_by: Vec::new(),
        price_band: PriceBand::High,
        complexity: Level::High,
        adaptation: Level::Medium,
    };
    let fusion = FusionSettings { offering, min_probability: 0.5, half_life_days: 365.0 };
    let rows: Rows = fixtures::rows(people);
    for run in ["000001", "000002"] {
        let mut writer = SnapshotWriter::create(dir.path(), "night", &fixtures::run_id(run), &fixtures::facts())
            .expect("a fresh home");
        fixtures::write(&mut writer, &rows, 7);
        writer.commit(&serde_json::json!({ "checkpoint": "none", "fusion": fusion })).expect("committed");
    }
    let master = MasterKey::random().expect("a key");
    let mut vault = Vault::create(&dir.path().join("vault.sqlite"), master).expect("a vault");
    let ids: Vec<SubjectId> = (0..people).map(fixtures::subject_id).collect();
    vault.ensure(&ids).expect("written");
    let store = Store::open(dir.path(), &vault).expect("opens");
    (dir, vault, store)
}

fn with_keys<'v>(vault: &'v Vault, ids: &'v [SubjectId]) -> Vec<(&'v SubjectId, &'v SubjectKey)> {
    ids.iter().map(|id| (id, vault.key(id).expect("a key"))).collect()
}

#[test]
fn the_tables_are_read_once_however_many_are_restricted() {
    let ids: Vec<SubjectId> = (0..40).map(fixtures::subject_id).collect();
    let opened = |people: usize| {
        let (dir, vault, store) = home(40);
        OPENED.set(0);
        assert!(keep((dir.path(), &store, &vault), &with_keys(&vault, &ids[..people])).expect("kept"));
        assert_eq!(store.all_restricted(&vault).expect("readable").len(), people);
        OPENED.get()
    };
    let one = opened(2);
    assert!(one > 4, "{one}: both snapshots, and the logic of the newest");
    assert_eq!(opened(40), one);
}

#[test]
fn whoever_is_sealed_with_others_has_the_copy_of_one_who_is_sealed_alone() {
    let (dir, _vault, _store) = home(12);
    let ids: Vec<SubjectId> = (0..14).map(fixtures::subject_id).collect();
    let none =
        |ids: &'_ [SubjectId]| ids.iter().map(|id| (id.clone(), Vec::<Rectification>::new())).collect::<Vec<_>>();
    let snapshot = sink::current(dir.path(), "night").expect("readable").expect("a snapshot");
    let of = |people: &[(SubjectId, Vec<Rectification>)]| {
        let people = people.iter().map(|(id, all)| (id, all.clone())).collect();
        SealedPart::of_each(("night", &snapshot, true), &people).expect("readable")
    };
    let all = of(&none(&ids));
    assert_eq!(all.len(), 12, "nothing is sealed of whom there is nothing");
    for id in &ids[..12] {
        let alone = of(&none(std::slice::from_ref(id)));
        assert_eq!(alone.get(id), all.get(id), "{id}");
        let part = &all[id];
        assert!(part.explained.as_ref().is_some_and(|persona| persona.sealed && !persona.facets.is_empty()));
        assert!(part.tables.values().all(|rows| rows.iter().all(|row| row["subject_id"] == id.as_str())));
        assert_eq!((part.tables["personas"].len(), part.tables["evidence"].len()), (1, 1));
    }
}

#[test]
fn a_copy_that_cannot_be_read_is_no_copy_that_is_written_over() {
    let (dir, vault, store) = home(3);
    let ids: Vec<SubjectId> = (0..3).map(fixtures::subject_id).collect();
    let people = with_keys(&vault, &ids);
    for text in ["", "no JSON", r#"{"of":"another version"}"#, r#"[{"part":1}]"#, "[7]"] {
        let put = |(), _| Ok(text.as_bytes().to_vec());
        store.keep_restricted(&vault, vec![(people[1].1, ())], put).expect("written");
        let said = keep((dir.path(), &store, &vault), &people).expect_err(text).to_string();
        assert!(said.contains("retention overdue") && said.contains("newest backup"), "{said}");
        assert_eq!(store.restricted(people[1].1).expect("readable").as_deref(), Some(text.as_bytes()), "it stays");
        assert!(store.restricted(people[0].1).expect("readable").is_none(), "and nothing else is changed");
        assert_eq!(retain_until(text.as_bytes()), Err(Unreadable));
    }
}

#[test]
fn what_another_version_sealed_stays_as_it_was_written() {
    let (dir, vault, store) = home(3);
    let id = fixtures::subject_id(0);
    let key = vault.key(&id).expect("a key");
    let old = r#"[{"pipeline":"night","snapshot":"run_000000","later":{"than":"this"}},{"pipeline":"night","snapshot":"run_000001"}]"#;
    store.keep_restricted(&vault, vec![(key, ())], |(), _| Ok(old.as_bytes().to_vec())).expect("written");
    keep((dir.path(), &store, &vault), &[(&id, key)]).expect("kept");
    let copy = store.restricted(key).expect("readable").expect("a copy");
    let parts: Vec<serde_json::Value> = serde_json::from_slice(&copy).expect("JSON");
    let snapshots: Vec<&str> = parts.iter().filter_map(|part| part["snapshot"].as_str()).collect();
    assert_eq!(snapshots, ["run_000000", "run_000001", "run_000002"]);
    assert_eq!(parts[0]["later"]["than"], "this");
    assert_eq!(parts[1]["tables"]["personas"].as_array().map(Vec::len), Some(1), "the rows that are there now");
}

#[test]
fn all_copies_whose_restriction_has_ended_go_in_one_change() {
    let (dir, vault, store) = home(9);
    let ids: Vec<SubjectId> = (0..9).map(fixtures::subject_id).collect();
    keep((dir.path(), &store, &vault), &with_keys(&vault, &ids)).expect("kept");
    let changes = || vault.rights_note().expect("readable").expect("a note").changes;
    let before = changes();
    assert_eq!(let_go((&store, &vault), |subject| *subject == ids[4]).expect("written"), 8);
    assert_eq!(changes(), before + 1);
    let left: Vec<SubjectId> = store.all_restricted(&vault).expect("readable").into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, ids[4..5]);
    assert_eq!((let_go((&store, &vault), |_| true).expect("nothing to do"), changes()), (0, before + 1));
}
