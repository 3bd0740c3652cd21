//! Rectified facets: what was put right stays right, and what builds on it follows.

use proptest::prelude::*;

use super::properties::any_signal;
use super::*;
use crate::ids::{DEMO_KEY, Ids};
use crate::persona::rectified::{By, Change, Correction, Rectification, of_signals, settle, signals};

fn put(correction: Correction, age: i64) -> Rectification {
    Rectification { correction, reason: None, at: days_ago(age), by: By::Subject, evidence: None }
}

fn fused(given: &[Signal], rectified: &[Rectification], profiling: bool) -> Persona {
    with(given, &account(300), |i| fuse(&FusionInput { rectified, profiling_allowed: profiling, ..i }))
}

fn role(p: &Persona, role: BuyingRole) -> Option<f64> {
    p.buying_roles.iter().find(|r| r.role == role).expect("every role").probability
}

fn any_correction() -> impl Strategy<Value = Correction> {
    fn change<T: Copy + std::fmt::Debug>(v: T, how: u8) -> Change<T> {
        if how == 0 { Change::Remove } else { Change::Set(v) }
    }
    (0..7_u8, 0..100_usize, any::<bool>(), 0..4_u8).prop_map(|(kind, i, yes, how)| match kind {
        0 => Correction::JobFunction(change(JobFunction::ALL[i % 24], how)),
        1 => Correction::Seniority(change(Seniority::ALL[i % 11], how)),
        2 => Correction::SigningPower(change(SigningPower::ALL[i % 3], how)),
        3 => Correction::BuyingRole(BuyingRole::ALL[i % 7], change(yes, how)),
        4 => Correction::Trait(Trait::ALL[i % 3], change(yes, how)),
        5 => Correction::Motive(Motive::ALL[i % 3], change(yes, how)),
        _ => Correction::Channel(PurchasePhase::ALL[i % 6], change(crate::taxonomy::Channel::ALL[i % 9], how)),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// R3: a hundred nights of other evidence change nothing about what was put right.
    #[test]
    fn a_correction_survives_a_hundred_enrichments(
        correction in any_correction(),
        nights in prop::collection::vec(prop::collection::vec(any_signal(), 0..6), 100),
    ) {
        let rectified = [put(correction, 3)];
        let facet = correction.facet();
        let mut first = None;
        let mut all = Vec::new();
        for night in nights {
            all.extend(night);
            if all.len() > 40 {
                all.drain(..all.len() - 40);
            }
            let persona = fused(&all, &rectified, true);
            let now = shown(&persona, &facet);
            prop_assert_eq!(first.get_or_insert(now.clone()), &now);
            let e = with(&all, &account(300), |i| explain(&FusionInput { rectified: &rectified, ..i }, &facet)).expect("a facet");
            prop_assert!(e.terms.is_empty() && e.against.is_empty() && e.rectified.is_some());
            let said = e.value.as_deref().filter(|_| e.status == FacetStatus::Known);
            match correction.change() {
                Change::Set(v) if v == "no" && facet.starts_with("motive") => prop_assert_eq!(now.0, "not_applicable"),
                Change::Set(v) if !facet.starts_with("motive") => prop_assert_eq!(said, Some(v.as_str())),
                Change::Set(_) => prop_assert!(said.is_some()),
                _ => prop_assert_eq!(now.0, "no_consent"),
            }
        }
    }

}

proptest! {
    /// Nothing of what was replaced is kept, and leaving it out changes nothing.
    #[test]
    fn what_is_replaced_is_neither_weighed_nor_kept(
        correction in any_correction(),
        given in prop::collection::vec(any_signal(), 0..12),
    ) {
        let rectified = [put(correction, 3)];
        let mut kept = given.clone();
        settle(&mut kept, &subject(0), &rectified);
        let row = signals(&rectified, &subject(0), None, &PermitId::from_body("p"), &Ids::new(DEMO_KEY));
        kept.extend(row.clone());
        prop_assert_eq!(fused(&given, &rectified, true), fused(&kept, &rectified, true));
        let facet = correction.facet();
        let of = |s: &&Signal| s.claim.facet() == facet || format!("{}.{}", s.claim.facet(), s.claim.value()) == facet;
        let left: Vec<&Signal> = kept.iter().filter(of).collect();
        prop_assert!(left.iter().all(|s| s.evidence.source_id == "rectification" && s.evidence.quote.is_empty()));
        prop_assert_eq!(left.len(), row.len());
        let back = of_signals(&kept, &subject(0));
        prop_assert!(row.is_empty() || back == rectified);
    }
}

#[test]
fn what_builds_on_a_position_follows_it() {
    let a = account(300);
    let before = position(JobFunction::Production, Seniority::Professional);
    let boss = [
        put(Correction::JobFunction(Change::Set(JobFunction::ExecutiveManagement)), 1),
        put(Correction::Seniority(Change::Set(Seniority::CLevel)), 1),
    ];
    let (old, new) = (fused(&before, &[], true), fused(&before, &boss, true));
    assert!(role(&old, BuyingRole::User) > Some(0.5) && role(&new, BuyingRole::User) < Some(0.3));
    assert!(role(&old, BuyingRole::Decider) < Some(0.1) && role(&new, BuyingRole::Decider) > Some(0.6));
    let asked = |p: &Persona, r: &str| p.requirements.iter().find(|n| n.name == r).expect("a role").status;
    assert_eq!(asked(&old, "decider"), FacetStatus::NotApplicable);
    assert_eq!(asked(&new, "decider"), FacetStatus::StudyPrior);
    let members = |p: &Persona, r: BuyingRole| {
        let rows = buying_center(&a, std::slice::from_ref(p), &transport_system());
        rows.iter().find(|row| row.role == r).expect("every role").members.len()
    };
    assert_eq!((members(&old, BuyingRole::Decider), members(&new, BuyingRole::Decider)), (0, 1));
    let bits = |p: &Persona| account_row(&a, &before, std::slice::from_ref(p), now()).expect("a company");
    assert_ne!(bits(&old).segment_information_value, bits(&new).segment_information_value);
    // The same position, had it been read on a page, gives the same roles but for the doubt about the page.
    let read = fused(&position(JobFunction::ExecutiveManagement, Seniority::CLevel), &[], true);
    let far = |r: BuyingRole| (role(&read, r).expect("known") - role(&new, r).expect("known")).abs();
    assert!(BuyingRole::ALL.iter().all(|r| far(*r) < 0.1));
}

#[test]
fn a_removed_position_takes_with_it_what_was_derived() {
    let gone = [put(Correction::JobFunction(Change::Remove), 1), put(Correction::Seniority(Change::Remove), 1)];
    let p = fused(&position(JobFunction::Production, Seniority::Head), &gone, true);
    assert_eq!((p.job_function.value, p.job_function.status), (None, FacetStatus::NoConsent));
    assert!(p.secondary_functions.is_empty());
    assert!(p.buying_roles.iter().all(|r| r.probability.is_none() && r.status == FacetStatus::NoConsent), "{p:?}");
}

#[test]
fn a_role_that_was_put_right_is_certain_in_the_buying_center() {
    let yes = [put(Correction::BuyingRole(BuyingRole::Gatekeeper, Change::Set(true)), 1)];
    let p = fused(&position(JobFunction::Production, Seniority::Head), &yes, true);
    assert_eq!(role(&p, BuyingRole::Gatekeeper), Some(1.0));
    let rows = buying_center(&account(300), &[p], &transport_system());
    let row = rows.iter().find(|r| r.role == BuyingRole::Gatekeeper).expect("every role");
    assert_eq!((row.members.len(), row.coverage), (1, FacetStatus::Known));
}

#[test]
fn the_newest_counts_and_a_release_gives_evidence_its_say() {
    let signals = position(JobFunction::Production, Seniority::Head);
    let older = put(Correction::Seniority(Change::Set(Seniority::Owner)), 9);
    let newer = put(Correction::Seniority(Change::Set(Seniority::Lead)), 5);
    let release = put(Correction::Seniority(Change::Release), 1);
    for order in [vec![older.clone(), newer.clone()], vec![newer.clone(), older.clone()]] {
        assert_eq!(fused(&signals, &order, true).seniority.value, Some(Seniority::Lead));
    }
    let released = fused(&signals, &[release, older, newer], true);
    assert_eq!(released.seniority, fused(&signals, &[], true).seniority);
}

#[test]
fn without_leave_to_profile_a_corrected_character_is_not_shown() {
    let all = [
        put(Correction::Trait(Trait::Formality, Change::Set(true)), 1),
        put(Correction::Motive(Motive::Growth, Change::Set(true)), 1),
        put(Correction::Channel(PurchasePhase::Advice, Change::Set(crate::taxonomy::Channel::Phone)), 1),
    ];
    let p = fused(&[], &all, false);
    assert!(p.traits.iter().all(|t| t.score.is_none() && t.status == FacetStatus::NoConsent));
    assert!(p.motives.iter().all(|m| m.confidence.is_none() && m.status == FacetStatus::NoConsent));
    assert!(p.channels.iter().all(|c| c.channel.is_none() && c.status == FacetStatus::NoConsent));
    let p = fused(&[], &all, true);
    let t = p.traits.iter().find(|t| t.r#trait == Trait::Formality).expect("every trait");
    assert_eq!((t.score, t.confidence, t.n_evidence), (Some(1.0), Some(1.0), 1));
}

#[test]
fn words_that_still_say_what_was_wrong_go() {
    let mut given = position(JobFunction::Production, Seniority::Head);
    for s in &mut given {
        s.evidence.quote = "Leitung Fertigung".into();
    }
    given.push(signal(7, Claim::Trait(Trait::Formality, 1), SourceClass::PublicProfessional, 0.9, 2, "other"));
    settle(&mut given, &subject(0), &[put(Correction::JobFunction(Change::Set(JobFunction::Sales)), 1)]);
    let quotes: Vec<&str> = given.iter().map(|s| s.evidence.quote.as_str()).collect();
    assert_eq!(quotes, ["", "words"]);
}
