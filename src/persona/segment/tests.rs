//! The counting on invented people of invented companies, and what becomes of it in a persona.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::{Account, AccountId, PermitId, SubjectId};
use crate::persona::input::FusionInput;
use crate::persona::rectified::{By, Change, Correction, Rectification};
use crate::persona::rows::{Legal, MotiveScore, Named, Persona, SegmentValue};
use crate::persona::settings::Size;
use crate::persona::{Level, Offering, PriceBand, Room, fuse};
use crate::taxonomy::{Channel, Facet, FacetStatus, JobFunction, Motive, PurchasePhase, Seniority, Tier, Trait};

/// What an invented person is like.
#[derive(Debug, Clone, Copy)]
struct Person {
    company: usize,
    advice: Option<Channel>,
}

fn now() -> Timestamp {
    "2026-03-02T03:00:00Z".parse().expect("a timestamp")
}

fn offering() -> Offering {
    Offering {
        name: "machine".into(),
        category: "machine".into(),
        used_by: vec![JobFunction::Production],
        run_by: vec![JobFunction::It],
        price_band: PriceBand::High,
        complexity: Level::High,
        adaptation: Level::Medium,
    }
}

/// Runs `f` with what is known of somebody of whom nothing was found.
fn with<R>(rectified: &[Rectification], f: impl FnOnce(FusionInput<'_>) -> R) -> R {
    let (subject, offering) = (SubjectId::from_body("x"), offering());
    let account = Account { id: Some(AccountId::from_body("x")), ..Account::default() };
    f(FusionInput {
        subject: &subject,
        crm_record: "x",
        crm_updated_at: Some(now()),
        account: Some(&account),
        signals: &[],
        as_of: now(),
        offering: &offering,
        profiling_allowed: true,
        profiling_refused: false,
        refused: &[],
        identity_uncertain: false,
        rectified,
        segment_values: &[],
        tier: Tier::Segment,
        legal: Legal {
            basis: vec!["6(1)(a)".into()],
            permit_id: PermitId::from_body("p"),
            notice_status: "given".into(),
            retain_until: now(),
        },
        min_probability: 0.6,
        half_life_days: 730.0,
    })
}

/// A head of procurement of whom nothing else is known.
fn buyer(tier: Tier) -> Persona {
    let persona = with(&[], |input| fuse(&input));
    Persona {
        job_function: Facet::known(JobFunction::Procurement, 0.9),
        seniority: Facet::known(Seniority::Head, 0.9),
        tier,
        ..persona
    }
}

fn known(person: Person) -> Persona {
    let mut persona = buyer(Tier::Individual);
    persona.account_id = Some(AccountId::from_body(&person.company.to_string()));
    for c in persona.channels.iter_mut().filter(|c| c.phase == PurchasePhase::Advice) {
        (c.channel, c.status) = (person.advice, person.advice.map_or(c.status, |_| FacetStatus::Known));
    }
    persona
}

/// The values of the middle segment by function and level, of people who are company by company.
fn values_of(people: &[Person], least: u32) -> Vec<SegmentValue> {
    let mut tally = Tally::default();
    for of_company in people.chunk_by(|a, b| a.company == b.company) {
        for person in of_company {
            let persona = known(*person);
            tally.add(&persona, &Segments::of(&persona, None, None, Size::Unknown));
        }
        tally.end_company();
    }
    tally.finish(least).values(&Segments::of(&buyer(Tier::Segment), None, None, Size::Unknown))
}

fn people(advice: &[(usize, Channel)]) -> Vec<Person> {
    advice.iter().map(|(company, channel)| Person { company: *company, advice: Some(*channel) }).collect()
}

/// So many of so many take the phone, each at a company of their own.
fn phone(n: usize, of: usize) -> Vec<Person> {
    let who = |i: usize| (i, if i < n { Channel::Phone } else { Channel::InPerson });
    people(&(0..of).map(who).collect::<Vec<_>>())
}

#[test]
fn five_people_stand_behind_a_value_or_it_is_not_told() {
    assert_eq!(values_of(&phone(4, 4), 5), []);
    let told = values_of(&phone(5, 5), 5);
    let value = |persons, of_persons, share| SegmentValue {
        facet: "channel.advice".into(),
        value: "phone".into(),
        segment: "procurement/middle".into(),
        persons,
        of_persons,
        share,
    };
    assert_eq!(told, [value(5, 5, 1.0)]);
    assert_eq!(values_of(&phone(9, 12), 5), [value(9, 12, 0.75)]);
    // A pipeline may ask for more, and never for less.
    assert_eq!(values_of(&phone(9, 12), 10), []);
    assert_eq!(values_of(&phone(4, 4), 1), []);
}

#[test]
fn a_value_is_told_only_where_it_is_clear() {
    // 60 % of five are no majority that one could rely on; of a hundred they are.
    for (n, of, told) in [(3, 5, false), (5, 6, false), (6, 7, true), (7, 12, false), (9, 12, true), (60, 100, true)] {
        assert_eq!(!values_of(&phone(n, of), 5).is_empty(), told, "{n} of {of}");
    }
    assert_eq!(values_of(&phone(590, 1000), 5), [], "59 % are under the least share");
}

/// 9 of 12 are clear, but not where they are 12 of 150: nobody knows what the others are like.
#[test]
fn a_few_of_many_do_not_speak_for_the_others() {
    let with_silent = |silent: usize| {
        let mut all = phone(9, 12);
        all.extend((0..silent).map(|i| Person { company: 100 + i, advice: None }));
        values_of(&all, 5).iter().map(SegmentValue::of_whom).collect::<Vec<_>>()
    };
    assert_eq!(with_silent(138), Vec::<String>::new());
    assert_eq!(with_silent(49), Vec::<String>::new(), "12 of 61 are less than a fifth");
    assert_eq!(with_silent(48), ["9 of the 12 of whom it is known in procurement/middle"]);
}

#[test]
fn no_company_has_more_than_half_of_those_behind_a_value() {
    let of = |companies: &[usize]| {
        let mut companies = companies.to_vec();
        companies.sort_unstable();
        values_of(&people(&companies.iter().map(|c| (*c, Channel::Phone)).collect::<Vec<_>>()), 5)
    };
    assert_eq!(of(&[1, 1, 1, 1, 2, 3]), []);
    assert_eq!(of(&[1, 1, 1, 2, 2, 3]).len(), 1);
    // Enough people in all, but those who have the value are colleagues.
    let mut mixed = vec![(1, Channel::Phone); 6];
    mixed.extend([(2, Channel::Phone), (3, Channel::InPerson), (4, Channel::InPerson)]);
    assert_eq!(values_of(&people(&mixed), 5), []);
}

#[test]
fn a_narrow_segment_speaks_first_and_a_wider_one_where_it_may_not() {
    let mut tally = Tally::default();
    let at = |nace: &'static str, size| move |p: &Persona| Segments::of(p, Some(nace), None, size);
    let mut add = |company: usize, advice, of: &dyn Fn(&Persona) -> Segments| {
        let persona = known(Person { company, advice: Some(advice) });
        tally.add(&persona, &of(&persona));
        tally.end_company();
    };
    for company in 0..6 {
        add(company, Channel::Phone, &at("28.1", Size::Medium));
    }
    // Of trade there are too few people, of large companies too.
    (10..13).for_each(|company| add(company, Channel::EMail, &at("46.9", Size::Medium)));
    (20..23).for_each(|company| add(company, Channel::EMail, &at("46.9", Size::Large)));
    // Those of small companies differ among themselves.
    (30..33).for_each(|company| add(company, Channel::EMail, &at("28.1", Size::Small)));
    (33..36).for_each(|company| add(company, Channel::Phone, &at("28.1", Size::Small)));
    (40..60).for_each(|company| add(company, Channel::Phone, &at("28.1", Size::Micro)));
    let statistics = tally.finish(5);
    let told = |nace, size| {
        let values = statistics.values(&at(nace, size)(&buyer(Tier::Segment)));
        values.first().map(|v| (v.segment.clone(), v.persons, v.of_persons))
    };
    assert_eq!(told("C28", Size::Medium), Some(("procurement/middle/nace C/medium".to_owned(), 6, 6)));
    assert_eq!(told("46", Size::Medium), None, "six of nine in companies of medium size are not clear");
    assert_eq!(told("46", Size::Large), Some(("procurement/middle".to_owned(), 29, 38)));
    assert_eq!(told("28", Size::Small), None, "what a wider segment says does not hold for them");
    assert_eq!(told("28", Size::Unknown), Some(("procurement/middle".to_owned(), 29, 38)));
}

#[test]
fn traits_are_means_and_lists_are_counted_value_by_value() {
    let mut tally = Tally::default();
    for i in 0..8_u32 {
        let mut persona = known(Person { company: i as usize, advice: None });
        persona.traits[0].status = FacetStatus::Known;
        persona.traits[0].score = Some(if i == 0 { 0.2 } else { -0.6 });
        let row =
            |value: &str| Named { name: "x".into(), value: Some(value.to_owned().into()), status: FacetStatus::Known };
        persona.goals = vec![row("cut_costs")];
        persona.goals.extend((i > 3).then(|| row("grow")));
        tally.add(&persona, &Segments::of(&persona, None, None, Size::Unknown));
        tally.end_company();
    }
    let persona = buyer(Tier::Segment);
    let values = tally.finish(5).values(&Segments::of(&persona, None, None, Size::Unknown));
    let short: Vec<_> = values.iter().map(|v| (v.facet.as_str(), v.value.as_str(), v.persons)).collect();
    let trait_name = format!("trait.{}", Trait::ALL[0]);
    assert_eq!(short, [("goal", "cut_costs", 8), (trait_name.as_str(), "-0.50", 7)]);
    let filled = with(&[], |input| fill(persona, &Room::of(&input).expect("room"), &values));
    assert_eq!((filled.traits[0].score, filled.traits[0].status), (Some(-0.5), FacetStatus::Segment));
    assert_eq!(filled.goals.len(), 1);
    assert_eq!(filled.segment_values, values);
}

#[test]
fn what_is_known_or_put_right_or_refused_stays_as_it_is() {
    let values = values_of(&phone(9, 12), 5);
    let filled = |rectified: &[Rectification], change: &dyn Fn(&mut FusionInput<'_>), persona: Persona| {
        with(rectified, |mut input| {
            change(&mut input);
            Room::of(&input).map(|room| fill(persona, &room, &values).segment_values.len())
        })
    };
    let open = || buyer(Tier::Segment);
    let none = |_: &mut FusionInput<'_>| {};
    assert_eq!(filled(&[], &none, open()), Some(1));
    assert_eq!(filled(&[], &none, known(Person { company: 0, advice: Some(Channel::EMail) })), Some(0));
    assert_eq!(filled(&[], &none, buyer(Tier::Individual)), Some(0));
    assert_eq!(filled(&[], &none, buyer(Tier::StudyPrior)), Some(0));
    assert_eq!(filled(&[], &|i| i.profiling_refused = true, open()), None, "who said no is given nothing");
    let removed = Rectification {
        correction: Correction::Channel(PurchasePhase::Advice, Change::Remove),
        reason: None,
        at: now(),
        by: By::Subject,
        evidence: None,
    };
    assert_eq!(filled(&[removed], &none, open()), Some(0));
    let mut not_asked = open();
    not_asked.channels.iter_mut().for_each(|c| c.status = FacetStatus::NoConsent);
    assert_eq!(filled(&[], &none, not_asked.clone()), Some(0));
    assert_eq!(filled(&[], &|i| i.profiling_allowed = false, not_asked), Some(1));
}

#[test]
fn somebody_with_a_motive_of_their_own_is_given_no_other() {
    let value = SegmentValue {
        facet: "motive".into(),
        value: "growth".into(),
        segment: "procurement/middle".into(),
        persons: 5,
        of_persons: 5,
        share: 1.0,
    };
    let mut persona = buyer(Tier::Segment);
    let filled = |p: Persona| with(&[], |i| fill(p, &Room::of(&i).expect("room"), std::slice::from_ref(&value)));
    assert_eq!(filled(persona.clone()).segment_values.len(), 1);
    persona.motives[0] = MotiveScore { motive: Motive::Security, confidence: Some(0.8), status: FacetStatus::Known };
    assert_eq!(filled(persona.clone()), persona);
}

#[test]
fn sections_of_nace_are_read_from_codes_of_any_kind() {
    for (code, section) in
        [("28.12", 'C'), ("2812", 'C'), ("C28", 'C'), (" 46 ", 'G'), ("1.1", 'A'), ("01.1", 'A'), ("99", 'U')]
    {
        assert_eq!(nace_section(code), Some(section), "{code}");
    }
    assert_eq!(["", "34", "X1", "-", "é"].map(nace_section), [None; 5]);
}

fn crowd() -> impl Strategy<Value = Vec<Person>> {
    let channel = prop_oneof![3 => Just(Some(Channel::Phone)), 1 => Just(Some(Channel::EMail)), 1 => Just(None)];
    let person = (0_usize..6, channel).prop_map(|(company, advice)| Person { company, advice });
    proptest::collection::vec(person, 0..24).prop_map(|mut all| {
        all.sort_by_key(|p| p.company);
        all
    })
}

proptest! {
    #[test]
    fn nobody_is_pointed_at(crowd in crowd(), least in 0_u32..9) {
        for v in values_of(&crowd, least) {
            let behind: Vec<&Person> =
                crowd.iter().filter(|p| p.advice.is_some_and(|c| c.as_str() == v.value)).collect();
            prop_assert_eq!(v.persons as usize, behind.len());
            prop_assert!(behind.len() >= least.max(5) as usize);
            for company in 0..6 {
                prop_assert!(2 * behind.iter().filter(|p| p.company == company).count() <= behind.len());
            }
        }
    }

    #[test]
    fn fewer_people_than_needed_fill_nothing(crowd in crowd()) {
        let few: Vec<Person> = crowd.into_iter().take(4).collect();
        prop_assert_eq!(values_of(&few, 5), vec![]);
    }

    #[test]
    fn the_order_of_people_and_companies_makes_no_difference(crowd in crowd(), turn in 0_usize..6) {
        let mut turned = crowd.clone();
        turned.reverse();
        turned.sort_by_key(|p| (p.company + turn) % 6);
        prop_assert_eq!(values_of(&crowd, 5), values_of(&turned, 5));
    }
}
