//! Policies themselves: what is wrong with one, what changes between two, what their assessments cover.

use serde_json::Value;

use super::{now, policy_file};
use crate::config::load_document;
use crate::consent::assessments::{State, assessments};
use crate::consent::policy::{Policy, PolicyFile, trait_list_hash};
use crate::consent::policy_check::check;
use crate::consent::policy_diff::{Change, Effect, changes};

const DEMO: &str = include_str!("../../../config/policy/demo.yaml");
const DEFAULT: &str = include_str!("../../../config/policy/default.yaml");

/// What is told about a policy on the second of March 2026.
fn told(text: &str) -> Vec<String> {
    match load_document::<PolicyFile>(text, "p.yaml") {
        Ok((file, tree)) => check(&file, &tree, "p.yaml", Some("2026-03-02".parse().expect("a date"))),
        Err(found) => found,
    }
    .iter()
    .map(ToString::to_string)
    .collect()
}

fn told_of(old: &str, new: &str) -> Vec<String> {
    assert!(DEMO.contains(old), "the demo policy has {old:?}");
    told(&DEMO.replacen(old, new, 1))
}

#[test]
fn the_shipped_policies_have_no_mistakes() {
    assert_eq!(told(DEMO), [""; 0]);
    assert_eq!(told(DEFAULT), [""; 0]);
}

#[test]
fn every_mistake_stands_at_its_place_with_what_to_do() {
    let cases = [
        ("retention_days: 730", "retention_days: 730\n    retain: 3", "p.yaml:20:5: error: unknown key \"retain\""),
        (
            "expires_at: 2027-01-15",
            "expires_at: 2027-02-30",
            "p.yaml:61:17: error: \"2027-02-30\" is no day; write one such as 2027-01-31",
        ),
        ("expires_at: 2027-01-15", "expires_at: soon", "p.yaml:61:17: error: \"soon\" is no day; write one such as"),
        (
            "recipients: [sales]",
            "recipients: [sale]",
            "p.yaml:20:18: error: there is no recipient \"sale\" in this policy, did you mean \"sales\"?",
        ),
        (
            "purposes: [persona_enrichment, profiling, company_research]",
            "purposes: [persona_enrichment, profiling, analytics]",
            "p.yaml:74:47: error: there is no purpose \"analytics\" in this policy, write one of: company_research, \
             opt_out_check, persona_enrichment, profiling",
        ),
        (
            "purposes: [persona_enrichment]\n    source_classes: [crm, company_site]\n    interest",
            "purposes: [persona_enrichement]\n    source_classes: [crm, company_site]\n    interest",
            "p.yaml:54:16: error: there is no purpose \"persona_enrichement\" in this policy, did you mean \
             \"persona_enrichment\"?",
        ),
        (
            "data_categories: [job, company, professional_contact]",
            "data_categories: [job, Gewerkschaft]",
            "p.yaml:18:28: error: \"Gewerkschaft\" is a special category or a proxy of one (Art. 9 and 10 GDPR), \
             remove it",
        ),
        (
            "expires_at: 2027-01-15",
            "expires_at: 2026-03-02",
            "p.yaml:61:5: warning: \"lia-2026-01\" covers nothing since 2026-03-02, so what rests on it is refused, \
             review it, then write the new `approved_at` and `expires_at`",
        ),
        (
            "expires_at: 2027-01-15",
            "expires_at: 2026-01-01",
            "p.yaml:61:5: error: \"lia-2026-01\" ends (2026-01-01) before it begins (2026-01-15), write a later day",
        ),
        ("    necessity:", "    # necessity:", "p.yaml:52:3: warning: the LIA \"lia-2026-01\" has no necessity"),
        ("dpia: dpia-2026-01", "dpia: lia-2026-01", "p.yaml:29:5: error: the assessment \"lia-2026-01\" is no DPIA"),
        ("    dpia: dpia-2026-01\n", "", "p.yaml:21:3: warning: profiling profiles and names no DPIA"),
        ("sales: { region: EEA }", "sales: { region: US }", "p.yaml:48:12: warning: sales is in \"US\""),
        (
            "terms: allow\n  company_site",
            "terms: allow\n    contract_until: 2026-03-01\n  company_site",
            "p.yaml:76:5: warning: the processor contract of crm ended on 2026-03-01",
        ),
        (
            "retention_days: 730",
            "retention_days: 730\n    automated_decision: true",
            "p.yaml:20:5: warning: persona_en",
        ),
        ("    kind: dpia", "    kind: dpia\n    trait_list: x", "p.yaml:64:5: warning: the DPIA \"dpia-2026-01\" was"),
        ("    kind: dpia", "    kind: dpia\n    sources: [x]", "p.yaml:64:15: warning: the DPIA \"dpia-2026-01\" was"),
        ("    kind: lia", "    kind: lia\n    models: [x]", "p.yaml:54:5: error: the LIA \"lia-2026-01\" has models"),
        (
            "  profiling:\n    desc",
            "  recruiting:\n    desc",
            "p.yaml:21:3: error: the purpose \"recruiting\" cannot be",
        ),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(old, new, expected)| {
            let found = told_of(old, new);
            let is_told = found.iter().any(|line| line.starts_with(expected));
            (!is_told).then(|| format!("expected {expected}\nfound {}", found.join("\n      ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn with(change: impl FnOnce(&mut PolicyFile)) -> Vec<Change> {
    let mut file = policy_file();
    change(&mut file);
    changes(&Policy::new(policy_file()), &Policy::new(file))
}

#[test]
fn changes_are_told_in_sentences() {
    let date = |text: &str| text.parse().expect("a date");
    let cases: Vec<(Vec<Change>, &str, Effect)> = vec![
        (with(|p| drop(p.purposes.remove("profiling"))), "the purpose profiling is removed", Effect::Narrower),
        (
            with(|p| p.purposes.get_mut("persona_enrichment").expect("it is there").retention_days = 365),
            "persona_enrichment keeps data 365 days instead of 730",
            Effect::Narrower,
        ),
        (
            with(|p| p.purposes.get_mut("persona_enrichment").expect("it is there").bases.truncate(1)),
            "persona_enrichment: the basis 6(1)(f) is dropped",
            Effect::Narrower,
        ),
        (
            with(|p| p.assessments.get_mut("lia-2026-01").expect("it is there").expires_at = date("2028-01-15")),
            "lia-2026-01 is renewed: it ends on 2028-01-15 instead of 2027-01-15",
            Effect::Wider,
        ),
        (with(|p| p.sources.get_mut("crm").expect("it is there").revoked = true), "crm is revoked", Effect::Narrower),
        (
            with(|p| p.recipients.get_mut("sales").expect("it is there").region = "US".into()),
            "sales: the region was EEA, now it is US",
            Effect::Neutral,
        ),
        (with(|p| p.approval = None), "nobody approves the policy any more: everything is refused", Effect::Narrower),
    ];
    for (found, sentence, effect) in cases {
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].sentence.as_str(), found[0].effect), (sentence, effect));
    }
    assert_eq!(with(|_| {}), []);
}

/// Every pointer to something that can be changed: a value, or an item of a list.
fn leaves(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, v)| leaves(v, &format!("{at}/{key}"), into)),
        Value::Array(items) if !items.is_empty() => into.push(format!("{at}/0")),
        Value::Array(_) => {}
        _ => into.push(at.to_owned()),
    }
}

#[test]
fn no_change_of_a_policy_goes_untold() {
    let json = serde_json::to_value(policy_file()).expect("a policy has only string keys");
    let mut pointers = Vec::new();
    leaves(&json, "", &mut pointers);
    let mut changed = 0;
    for pointer in &pointers {
        let old = json.pointer(pointer).expect("it was found there");
        // Whichever of these fits the type of the value.
        let candidates =
            ["other", "2026-01-16", "store", "news", "legitimate_interest", "dpia", "lia", "unknown", "forbid"];
        let candidates = candidates.into_iter().map(Value::from).chain([7.into(), true.into()]);
        let fits: Vec<PolicyFile> = candidates
            .filter(|new| new != old)
            .filter_map(|new| {
                let mut json = json.clone();
                *json.pointer_mut(pointer).expect("it was found there") = new;
                serde_json::from_value(json).ok()
            })
            .collect();
        assert!(!fits.is_empty(), "{pointer}: nothing fits");
        for file in fits {
            let (old, new) = (Policy::new(policy_file()), Policy::new(file));
            assert_ne!(old.hash(), new.hash());
            assert!(!changes(&old, &new).is_empty(), "{pointer}");
            assert!(!changes(&new, &old).is_empty(), "{pointer}");
            changed += 1;
        }
    }
    assert!(changed > 100, "{changed}");
}

#[test]
fn assessments_are_told_as_they_stand() {
    let of = |change: &dyn Fn(&mut PolicyFile)| {
        let mut file = policy_file();
        change(&mut file);
        assessments(&Policy::new(file), now()).remove(0)
    };
    let dpia = of(&|_| {});
    assert_eq!((dpia.id.as_str(), dpia.state, dpia.days_left), ("dpia-2026-01", State::Valid, 319));
    assert_eq!(dpia.applied_by, ["profiling"]);
    let edit = |change: &'static dyn Fn(&mut crate::consent::policy::Assessment)| {
        of(&|file: &mut PolicyFile| change(file.assessments.get_mut("dpia-2026-01").expect("it is there")))
    };
    let date = |text: &str| text.parse().expect("a date");
    let ended = edit(&|a| a.expires_at = "2026-03-01".parse().expect("a date"));
    assert_eq!((ended.state, ended.days_left, ended.until), (State::Expired, -1, date("2026-03-01")));
    assert_eq!(edit(&|a| a.approved_at = "2026-03-03".parse().expect("a date")).state, State::NotYet);
    assert_eq!(edit(&|a| a.approved_by = " ".into()).state, State::Incomplete);
    assert_eq!(edit(&|a| a.trait_list = Some("old".into())).state, State::Changed);
    assert_eq!(edit(&|a| a.trait_list = Some(trait_list_hash())).state, State::Valid);
    assert_eq!(edit(&|a| a.sources = Some(vec!["old".into()])).state, State::Changed);
}
