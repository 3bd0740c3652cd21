//! Values of the segment in whole personas: filled in late, or carried over when a persona is fused again.

use super::super::rows::SegmentValue;
use super::super::segment::fill;
use super::*;
use crate::persona::Room;
use crate::persona::rectified::{By, Change, Correction, Rectification};

fn value(facet: &str, value: &str, segment: &str) -> SegmentValue {
    let (facet, value, segment) = (facet.into(), value.into(), segment.into());
    SegmentValue { facet, value, segment, persons: 9, of_persons: 12, share: 0.75 }
}

/// What holds for heads of procurement; studies speak of the same channel and of the same role.
fn values() -> Vec<SegmentValue> {
    let middle = "procurement/middle";
    vec![
        value("channel.advice", "phone", middle),
        value("goal", "cut_costs", "procurement/middle/large"),
        value("motive", "security", middle),
        value("requirement.buyer", "references", middle),
        value("trait.formality", "+0.40", middle),
    ]
}

fn somebody<R>(rectified: &[Rectification], values: &[SegmentValue], f: impl FnOnce(FusionInput<'_>) -> R) -> R {
    let company = Account { country: Some("DE".into()), ..account(300) };
    let mut signals = position(JobFunction::Procurement, Seniority::Head);
    signals.push(signal(2, Claim::BuyingRole(BuyingRole::Buyer, 1), SourceClass::Crm, 0.97, 0, "note"));
    with(&signals, &company, |input| f(FusionInput { tier: Tier::Segment, rectified, segment_values: values, ..input }))
}

#[test]
fn the_segment_speaks_before_the_study_and_fusing_again_changes_nothing() {
    let late = somebody(&[], &[], |i| fill(fuse(&i), &Room::of(&i).expect("room"), &values()));
    assert_eq!(late.segment_values, values());
    assert_eq!(shown(&late, "channel.advice").0, "phone");
    assert_eq!(shown(&late, "trait.formality"), ("+".to_owned(), Some(0.75)));
    assert_eq!(late.requirements.iter().filter(|n| n.name == "buyer").count(), 1);
    // Other channels are the study's still.
    let studied: Vec<&str> = late.study_priors.iter().map(|s| &*s.facet).collect();
    assert!(studied.contains(&"channel.complaint") && !studied.contains(&"channel.advice"), "{studied:?}");
    assert!(!studied.contains(&"requirement.buyer"));
    assert_eq!(somebody(&[], &late.segment_values, |i| fuse(&i)), late);
}

/// Every facet that the segment speaks of was spoken of, too weakly to be believed: it stays empty, and says so.
#[test]
fn what_somebody_said_is_not_talked_over_however_thin_it_is() {
    let doubtful = |facet: &str, said: &str| {
        let claim = claim(&[facet.to_owned(), said.to_owned()]);
        let mut signals = position(JobFunction::Procurement, Seniority::Head);
        signals.push(signal(2, claim, SourceClass::Crm, 0.4, 5, "note"));
        let company = Account { country: Some("DE".into()), ..account(300) };
        let given = values();
        with(&signals, &company, |i| fuse(&FusionInput { tier: Tier::Segment, segment_values: &given, ..i }))
    };
    for (said, value, facet) in [
        ("channel", "video", "channel.advice"),
        ("channel.advice", "video", "channel.advice"),
        ("avoided_channel", "phone", "channel.advice"),
        ("goal", "grow_revenue", "goal"),
        ("motive", "growth", "motive"),
        ("requirement", "payment_terms", "requirement.buyer"),
        ("trait.formality", "-", "trait.formality"),
    ] {
        let persona = doubtful(said, value);
        let mut left: Vec<SegmentValue> = values();
        left.retain(|v| v.facet != facet);
        assert_eq!(persona.segment_values, left, "{said}");
        let studied = persona.study_priors.iter().any(|p| p.facet == facet);
        // A study names another channel than the one that is not wanted.
        assert_eq!(studied, said == "avoided_channel", "{said}");
    }
    assert_eq!(doubtful("channel.return", "video").segment_values, values(), "what is said of another phase");
}

#[test]
fn who_says_no_loses_them_and_who_moves_to_another_segment_too() {
    let no =
        somebody(&[], &values(), |i| fuse(&FusionInput { profiling_refused: true, profiling_allowed: false, ..i }));
    assert_eq!((no.segment_values, no.study_priors), (vec![], vec![]));
    let right = |correction| Rectification { correction, reason: None, at: now(), by: By::Subject, evidence: None };
    let put_right = |correction| somebody(&[right(correction)], &values(), |i| fuse(&i)).segment_values;
    assert_eq!(put_right(Correction::JobFunction(Change::Set(JobFunction::It))), []);
    assert_eq!(put_right(Correction::Seniority(Change::Set(Seniority::CLevel))), []);
    // A lead is of the same group of levels; what was put right is the person's own.
    assert_eq!(put_right(Correction::Seniority(Change::Set(Seniority::Lead))).len(), 5);
    let without: Vec<SegmentValue> = values().into_iter().filter(|v| v.facet != "trait.formality").collect();
    assert_eq!(put_right(Correction::Trait(Trait::Formality, Change::Set(false))), without);
    assert_eq!(put_right(Correction::Trait(Trait::Formality, Change::Remove)), without);
}

#[test]
fn an_explanation_tells_of_whom_a_value_holds() {
    let told = |facet| somebody(&[], &values(), |i| explain(&i, facet)).expect("a facet");
    let e = told("goal.cut_costs");
    assert_eq!((e.status, e.segment.len()), (FacetStatus::InsufficientEvidence, 1));
    let text = told("channel.advice").to_string();
    assert!(
        text.contains("no evidence about this person: phone, as 9 of the 12 of whom it is known in procurement/middle"),
        "{text}"
    );
    let studied = told("channel.return");
    assert!(studied.segment.is_empty());
    let text = studied.to_string();
    assert!(text.contains("no evidence about this person: online_self_service, says ifh_koeln_2018"), "{text}");
}
