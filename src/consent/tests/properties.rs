//! The properties of the design, over random policies, histories and requests.
//!
//! `PROSOPON_HISTORIES` sets how many histories the reference model is held against, `PROSOPON_GATE_CASES` how many
//! worlds the other properties get; some thousands are the default.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::worlds::{World, any_kind, event_of, friendly, from_env, negative_kind, run, run_for, time, world};
use super::{event, now};
use crate::consent::bitemporal::{decide_as_known, known_at};
use crate::consent::decide::{Asked, Modality, decide, decide_by};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Scope, is_day};
use crate::consent::policy::Policy;
use crate::consent::reason::Reason;
use crate::consent::reference;
use crate::consent::restriction::is_restricted;
use crate::consent::rules::Rules;
use crate::model::Target;
use crate::taxonomy::Operation;

#[test]
fn the_gate_decides_as_the_reference_model() {
    let histories = from_env("PROSOPON_HISTORIES", 4_000);
    let (permits, by_interest, profiling) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let begun = std::time::Instant::now();
    let more = |count: &Cell<u32>, by: bool| count.set(count.get() + u32::from(by));
    run_for(histories, world(), |world| {
        let policy = Policy::new(world.policy.clone());
        let view = world.view(world.events.as_deref());
        let model = reference::answer(&world.request(), &view, &policy, now());
        let gate = decide(&world.request(), &view, &policy, now());
        let gate = gate.map(|g| (g.bases.join(","), g.valid_until)).map_err(|r| r.reasons);
        prop_assert!(gate.is_err() || model.is_ok(), "a false permit: {:?}", model);
        more(&permits, gate.is_ok());
        let interest = gate.as_ref().is_ok_and(|(article, _)| article == "6(1)(f)");
        more(&by_interest, interest);
        more(&profiling, interest && world.purpose == "profiling");
        prop_assert_eq!(gate, model);
        Ok(())
    });
    let (permits, by_interest, profiling) = (permits.get(), by_interest.get(), profiling.get());
    println!(
        "{histories} histories in {:.1?}, 0 differences, 0 false permits: {permits} permits, {by_interest} of them by \
         legitimate interest, {profiling} of those for profiling",
        begun.elapsed()
    );
    assert!(permits > histories / 6, "only {permits} of {histories} histories permit");
    assert!(by_interest > histories / 100 && (profiling > 0 || histories < 100_000), "{by_interest}, {profiling}");
}

#[test]
fn the_first_rules_differ_in_what_fills_a_cell_and_in_days_alone() {
    let differ = Cell::new(0_u32);
    run(world(), |mut world| {
        let by_the_first = |world: &World| {
            let (policy, view) = (Policy::new(world.policy.clone()), world.view(world.events.as_deref()));
            decide_by(Rules::FIRST, &world.request(), &view, &policy, now())
        };
        let (then, today) = (by_the_first(&world), world.decide());
        prop_assert!(then.is_ok() || today.is_err(), "what is permitted today was permitted then");
        differ.set(differ.get() + u32::from(then != today));
        let a_second = jiff::SignedDuration::from_secs(1);
        for event in world.events.iter_mut().flatten() {
            *event = LegalEvent { proof: super::proven().into(), ..event.clone() };
            // No time of a day is that of a day.
            if event.kind.is_negative() && event.recorded_at != jiff::Timestamp::MAX {
                let later = |at: jiff::Timestamp| if is_day(at) { at + a_second } else { at };
                (event.valid_from, event.recorded_at) = (event.valid_from.map(later), later(event.recorded_at));
            }
        }
        prop_assert_eq!(by_the_first(&world), world.decide());
        Ok(())
    });
    assert!(differ.get() > 0, "no world shows that they differ");
}

#[test]
fn a_negative_event_never_turns_a_refusal_into_a_permit() {
    run((world(), event_of(negative_kind())), |(mut world, negative)| {
        let before = world.permits();
        world.events.get_or_insert_default().push(negative);
        prop_assert!(before || !world.permits());
        Ok(())
    });
}

#[test]
fn narrowing_a_grant_or_the_policy_never_permits_more() {
    run((world(), any::<u64>()), |(mut world, pick)| {
        let before = world.permits();
        let nth = |len: usize| usize::try_from(pick % (len.max(1) as u64)).expect("smaller than a usize");
        if let Some(events) = &mut world.events {
            let grants: Vec<_> =
                events.iter_mut().filter(|e| matches!(e.kind, EventKind::Grant | EventKind::Notice)).collect();
            let which = nth(grants.len());
            if let Some(grant) = grants.into_iter().nth(which) {
                narrow(&mut grant.scope, pick);
            }
        }
        prop_assert!(before || !world.permits());
        let which = nth(world.policy.sources.len());
        let id = world.policy.sources.keys().nth(which).cloned().expect("the demo policy has sources");
        // One that claims hosts is revoked: to remove it frees them for the others, as whoever removes it wants.
        match world.policy.sources.get_mut(&id) {
            Some(source) if !source.hosts.is_empty() => source.revoked = true,
            _ => drop(world.policy.sources.remove(&id)),
        }
        prop_assert!(before || !world.permits());
        Ok(())
    });
}

/// Takes something away; never the last name of a dimension in which none means all of them.
fn narrow(scope: &mut Scope, pick: u64) {
    fn shorten<T: Ord>(set: &mut BTreeSet<T>, otherwise: T) {
        if set.len() > 1 { drop(set.pop_first()) } else { *set = BTreeSet::from([otherwise]) }
    }
    match pick % 6 {
        0 => drop(scope.purposes.pop_first()),
        1 => drop(scope.source_classes.pop_last()),
        2 if scope.operations.is_empty() => scope.operations = BTreeSet::from([Operation::Derive]),
        2 if scope.operations.len() > 1 => drop(scope.operations.pop_first()),
        3 if scope.data_categories.len() != 1 => shorten(&mut scope.data_categories, "job".into()),
        4 if scope.recipients.len() != 1 => shorten(&mut scope.recipients, "sales".into()),
        5 if scope.regions.len() != 1 => shorten(&mut scope.regions, "EEA".into()),
        _ => {}
    }
}

#[test]
fn a_permit_holds_to_its_end_while_nothing_new_is_said() {
    let lapsed = Cell::new(0_u32);
    run((world(), any::<u32>()), |(world, pick)| {
        let (policy, view) = (Policy::new(world.policy.clone()), world.view(world.events.as_deref()));
        let Ok(granted) = decide(&world.request(), &view, &policy, now()) else { return Ok(()) };
        let left = granted.valid_until.duration_since(now()).as_secs().max(1);
        let whole = [0, 1, left - 1].map(|second| second.min(left - 1));
        for second in whole.into_iter().chain([i64::from(pick) % left]) {
            let then = now() + jiff::SignedDuration::from_secs(second);
            let again = decide(&world.request(), &view, &policy, then);
            prop_assert!(again.is_ok(), "{second} of {left} s later: {:?}", again);
        }
        // What it rests on holds for longer, as long as consents are imported.
        let far = now() + jiff::SignedDuration::from_hours(24 * 3650);
        let left = granted.holds_until.min(far).duration_since(now()).as_secs().max(1);
        for second in [left - 1, i64::from(pick) % left] {
            let then = now() + jiff::SignedDuration::from_secs(second);
            let synced = crate::consent::decide::View { last_sync: Some(then), ..view };
            let again = decide(&world.request(), &synced, &policy, then);
            prop_assert!(again.is_ok(), "{second} of {left} s later, imported again: {:?}", again);
        }
        let after = decide(&world.request(), &view, &policy, granted.valid_until);
        lapsed.set(lapsed.get() + u32::from(after.is_err()));
        Ok(())
    });
    assert!(lapsed.get() > 0, "no permit ended for a reason");
}

#[test]
fn the_order_of_events_is_irrelevant_and_a_replay_is_identical() {
    run((world(), any::<u64>()), |(mut world, seed)| {
        let before = world.decide();
        prop_assert_eq!(&before, &world.decide());
        if let Some(events) = &mut world.events {
            let len = events.len().max(1);
            events.rotate_left(usize::try_from(seed).unwrap_or(1) % len);
            events.reverse();
        }
        prop_assert_eq!(before, world.decide());
        Ok(())
    });
}

#[test]
fn importing_an_event_again_changes_nothing() {
    run(world(), |mut world| {
        let before = world.decide();
        if let Some(events) = &mut world.events {
            events.extend(events.clone());
        }
        prop_assert_eq!(before, world.decide());
        Ok(())
    });
}

#[test]
fn a_withdrawal_wins_every_tie_and_leaves_no_legitimate_interest() {
    let withdrawal = select(vec![EventKind::Withdraw, EventKind::Refuse]);
    run((withdrawal, time(), event_of(Just(EventKind::Grant))), |(kind, when, mut grant)| {
        let withdrawal = LegalEvent { recorded_at: when, ..event(kind, "2026-01-01") };
        let by_interest = grant.basis == Some(LawfulBasis::LegitimateInterest);
        if !by_interest {
            grant.recorded_at = when;
        }
        prop_assert!(!friendly(vec![grant, withdrawal], "persona_enrichment", Operation::Infer).permits());
        Ok(())
    });
}

#[test]
fn only_a_consent_to_profiling_unlocks_profiling() {
    run(prop::collection::vec(event_of(any_kind()), 0..6), |mut events| {
        for event in &mut events {
            event.scope.purposes.remove("profiling");
        }
        prop_assert!(!friendly(events.clone(), "profiling", Operation::Profile).permits());
        prop_assert!(!friendly(events.clone(), "profiling", Operation::Infer).permits());
        prop_assert!(!friendly(events, "persona_enrichment", Operation::Profile).permits());
        Ok(())
    });
}

#[test]
fn an_objection_to_marketing_is_absolute() {
    run((world(), time()), |(mut world, when)| {
        let mut objection = LegalEvent { recorded_at: when, ..event(EventKind::Object, "2026-01-01") };
        objection.scope.purposes.insert("marketing".into());
        world.events.get_or_insert_default().push(objection);
        prop_assert!(!world.permits() || !matches!(world.target, Target::Subject(..)));
        Ok(())
    });
}

#[test]
fn a_sealed_copy_goes_only_when_the_gate_refuses_for_no_restriction() {
    let lift_or_restrict = select(vec![EventKind::Restrict, EventKind::Lift]);
    let event_of_these = lift_or_restrict.prop_flat_map(|kind| event_of(Just(kind)));
    run((world(), prop::collection::vec(event_of_these, 1..4)), |(mut world, more)| {
        world.events.get_or_insert_default().extend(more);
        let may_go = !is_restricted(world.events.iter().flatten(), now());
        let reasons = world.decide().err().map_or_else(Vec::new, |refusal| refusal.reasons);
        prop_assert!(!(may_go && reasons.contains(&Reason::Restricted)));
        Ok(())
    });
}

#[test]
fn a_lift_ends_only_what_it_names() {
    run((world(), event_of(Just(EventKind::Lift))), |(mut world, lift)| {
        let names_purposes = !lift.scope.purposes.is_empty();
        let reasons = |world: &World| world.decide().err().map_or_else(Vec::new, |refusal| refusal.reasons);
        let before = reasons(&world);
        world.events.get_or_insert_default().push(lift);
        let after = reasons(&world);
        let ended = |reason| before.contains(&reason) && !after.contains(&reason);
        let fitting = if names_purposes { Reason::ObjectionPending } else { Reason::Restricted };
        for reason in [Reason::Restricted, Reason::ObjectionPending].into_iter().filter(|r| *r != fitting) {
            prop_assert!(!ended(reason), "{reason:?} is ended by the other kind of lift");
        }
        prop_assert!(!ended(Reason::MarketingObjection));
        Ok(())
    });
}

#[test]
fn no_crm_ends_what_another_system_recorded() {
    let negative = select(vec![EventKind::Restrict, EventKind::Object]);
    let lifts = prop::collection::vec(event_of(Just(EventKind::Lift)), 1..5);
    run((event_of(negative), lifts), |(mut negative, mut lifts)| {
        negative.origin.system = "elsewhere".into();
        for lift in &mut lifts {
            lift.origin.system = "crm".into();
        }
        let mut events = vec![super::consent("2026-01-01"), negative];
        let without = friendly(events.clone(), "persona_enrichment", Operation::Infer).decide();
        events.extend(lifts);
        prop_assert_eq!(without, friendly(events, "persona_enrichment", Operation::Infer).decide());
        Ok(())
    });
}

#[test]
fn a_missing_record_refuses() {
    run(world(), |mut world| {
        world.target = Target::Subject(super::subject(), None);
        world.events = None;
        prop_assert!(!world.permits());
        world.events = Some(Vec::new());
        prop_assert!(!world.permits());
        Ok(())
    });
}

#[test]
fn after_a_withdrawal_only_an_act_of_the_person_helps() {
    let methods = select(vec!["crm_sync", "import", "Web_Form", "web form", "phone", ""]);
    let grants = prop::collection::vec((event_of(Just(EventKind::Grant)), methods), 0..5);
    run((grants, time()), |(grants, when)| {
        let mut events = vec![LegalEvent { recorded_at: when, ..event(EventKind::Withdraw, "2026-01-01") }];
        events.extend(grants.into_iter().map(|(mut grant, method)| {
            grant.proof.method = Some(method.to_owned());
            grant
        }));
        prop_assert!(!friendly(events, "persona_enrichment", Operation::Infer).permits());
        Ok(())
    });
}

#[test]
fn a_replaced_event_gives_nothing_and_takes_as_much_as_before() {
    run(world(), |mut world| {
        let mut without = world.clone();
        for event in without.events.iter_mut().flatten() {
            let gives = matches!(event.kind, EventKind::Grant | EventKind::Lift | EventKind::Notice);
            if gives && event.external_id.as_deref() == Some("E-1") && event.origin.system == "crm" {
                event.kind = EventKind::Assessment;
            }
        }
        let mut replacing = event(EventKind::Rectify, "2026-01-01");
        replacing.supersedes = Some("E-1".into());
        if let Some(events) = &mut world.events {
            events.push(replacing);
        }
        prop_assert_eq!(world.decide(), without.decide());
        Ok(())
    });
}

#[test]
fn asking_for_less_is_never_refused_where_more_is_permitted() {
    run((world(), any::<prop::sample::Index>()), |(mut world, pick)| {
        let Some(purpose) = world.policy.purposes.get(world.purpose) else { return Ok(()) };
        let listed = &purpose.data_categories;
        if world.asked.data_categories.is_empty() && !listed.is_empty() && world.permits() {
            // Leaked by a test, once a permit.
            let one: &'static str = listed[pick.index(listed.len())].clone().leak();
            world.asked.data_categories = vec![one].leak();
            prop_assert!(world.permits(), "{one}");
        }
        Ok(())
    });
}

#[test]
fn nothing_but_text_and_no_special_category_is_ever_permitted() {
    let modalities = vec![Modality::Image, Modality::Audio, Modality::Video, Modality::Biometric];
    run((world(), select(modalities)), |(mut world, modality)| {
        let asked = world.asked;
        world.asked = Asked { modality, ..asked };
        prop_assert!(!world.permits());
        world.asked = Asked { data_categories: &["trade_union"], ..asked };
        prop_assert!(!world.permits());
        Ok(())
    });
}

#[test]
fn what_was_known_then_is_a_part_of_what_is_known_now() {
    let history = prop::collection::vec((event_of(any_kind()), time()), 0..7);
    run((history, time(), time(), world()), |(history, one, other, world)| {
        let of = |at| known_at(history.iter().map(|(e, known)| (e, *known)), at);
        let (before, after) = (of(one.min(other)), of(one.max(other)));
        prop_assert!(before.iter().all(|event| after.contains(event)));
        // Seen again with what was known then, a decision is that over the events of then; what became known since
        // changes what the gate does now, and not what it knew.
        let policy = Policy::new(world.policy.clone());
        let view = world.view(Some(&[]));
        let known = history.iter().map(|(e, known)| (e, *known));
        let again = decide_as_known(&world.request(), &view, known, &policy, (now(), one));
        let events = of(one);
        prop_assert_eq!(again, decide(&world.request(), &world.view(Some(&events)), &policy, now()));
        Ok(())
    });
}

#[test]
fn a_withdrawal_that_became_known_later_refuses_now_and_not_in_hindsight() {
    let grant = super::consent("2026-01-01");
    let mut withdrawal = event(EventKind::Withdraw, "2026-02-01");
    withdrawal.recorded_at = now();
    let asked = friendly(vec![grant.clone(), withdrawal.clone()], "persona_enrichment", Operation::Infer);
    let (policy, day) = (Policy::new(asked.policy.clone()), |text: &str| super::at(&format!("{text}T00:00:00Z")));
    let history = [(&grant, day("2026-01-01")), (&withdrawal, now())];
    let mut view = asked.view(asked.events.as_deref());
    (view.last_sync, view.newest) = (Some(day("2026-02-10")), Some(day("2026-02-10")));
    let as_of = day("2026-02-11");
    let ask = |known| decide_as_known(&asked.request(), &view, history, &policy, (as_of, known)).is_ok();
    assert!(ask(as_of), "known then: nothing spoke against it");
    assert!(!ask(now()), "known now: it had been withdrawn");
    // The gate knows what it knows: with its clock in the past, it refuses.
    assert!(decide(&asked.request(), &view, &policy, as_of).is_err());
}
