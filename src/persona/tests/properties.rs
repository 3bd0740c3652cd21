//! What holds for any signals.

use proptest::prelude::*;

use super::*;

pub(super) fn any_signal() -> impl Strategy<Value = Signal> {
    let claim = prop_oneof![
        (0..JobFunction::ALL.len()).prop_map(|i| Claim::JobFunction(JobFunction::ALL[i % 4])),
        (0..Seniority::ALL.len()).prop_map(|i| Claim::Seniority(Seniority::ALL[i])),
        (0..SigningPower::ALL.len()).prop_map(|i| Claim::SigningPower(SigningPower::ALL[i])),
        (0..BuyingRole::ALL.len(), any::<bool>())
            .prop_map(|(i, s)| Claim::BuyingRole(BuyingRole::ALL[i], if s { 1 } else { -1 })),
        (0..3_usize, any::<bool>()).prop_map(|(i, s)| Claim::Trait(Trait::ALL[i], if s { 1 } else { -1 })),
        (0..3_usize).prop_map(|i| Claim::Motive(Motive::ALL[i])),
        (0..PointKind::ALL.len(), 0..3_usize).prop_map(|(k, i)| Claim::Point(Point::all(PointKind::ALL[k])[i])),
    ];
    let class = prop_oneof![Just(SourceClass::Crm), Just(SourceClass::CompanySite), Just(SourceClass::News)];
    (claim, class, 0.01..0.999_f64, 0..3000_i64, 0..4_u8, 0..1000_usize, 0..3_u8).prop_map(
        |(claim, class, weight, age, page, id, place)| {
            let mut s = signal(id, claim, class, weight, age, &format!("p{page}"));
            s.evidence.locator = format!("l{place}");
            s
        },
    )
}

/// Facets that `explain` knows by name.
fn facets() -> Vec<String> {
    let mut out: Vec<String> = ["job_function", "seniority", "signing_power"].map(Into::into).to_vec();
    out.extend(BuyingRole::ALL.iter().map(|r| format!("buying_role.{r}")));
    out.extend(Trait::ALL.iter().map(|t| format!("trait.{t}")));
    out.extend(Motive::ALL.iter().map(|m| format!("motive.{m}")));
    out.extend(PurchasePhase::ALL.iter().map(|p| format!("channel.{p}")));
    out.extend(PointKind::ALL.iter().flat_map(|k| Point::all(*k)).map(|p| p.to_string()));
    out
}

/// The probability of a claim of a value for a categorical facet, shown or not.
fn weighed(signals: &[Signal], facet: &str, value: &str) -> Option<f64> {
    with(signals, &account(300), |i| explain(&i, facet)).filter(|e| e.value.as_deref() == Some(value))?.probability
}

proptest! {
    #[test]
    fn order_is_irrelevant((signals, shuffled) in prop::collection::vec(any_signal(), 0..12)
        .prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle())))
    {
        let a = account(300);
        prop_assert_eq!(with(&signals, &a, |i| fuse(&i)), with(&shuffled, &a, |i| fuse(&i)));
    }

    #[test]
    fn explanations_add_up_to_what_is_shown(signals in prop::collection::vec(any_signal(), 0..12)) {
        let a = account(300);
        let persona = with(&signals, &a, |i| fuse(&i));
        for facet in facets() {
            let e = with(&signals, &a, |i| explain(&i, &facet)).expect("a facet by its name");
            prop_assert!(explain::RULES.contains(&e.rule.as_str()), "{}", e.rule);
            let (said, shown) = shown(&persona, &facet);
            prop_assert_eq!(e.status == FacetStatus::Known, !FacetStatus::ALL.iter().any(|s| *s != FacetStatus::Known && s.as_str() == said), "{}: {}", facet, said);
            if let (Some(p), Some(l)) = (e.probability, e.log_odds) {
                prop_assert!(p > 0.0 && p < 1.0);
                let sum: f64 = e.terms.iter().map(|t| t.log_odds).sum();
                prop_assert!((sum - l).abs() < 1e-9, "{facet}: {sum} {l}");
                prop_assert!((1.0 / (1.0 + (-sum).exp()) - p).abs() < 1e-9);
                if let Some(shown) = shown {
                    prop_assert!((shown - p).abs() < 1e-9, "{facet}: {shown} {p}");
                }
            }
            prop_assert!(!e.to_string().is_empty());
        }
    }

    #[test]
    fn support_never_lowers(signals in prop::collection::vec(any_signal(), 1..10), extra in any_signal()) {
        for facet in ["job_function", "seniority", "signing_power"] {
            let Some(value) = with(&signals, &account(300), |i| explain(&i, facet)).and_then(|e| e.value) else { continue };
            let claim = claim(&[facet.to_owned(), value.clone()]);
            let before = weighed(&signals, facet, &value).expect("it was weighed");
            let mut more = signals.clone();
            more.push(Signal { claim, id: SignalId::from_body("new"), ..extra.clone() });
            let after = weighed(&more, facet, &value);
            prop_assert!(after.is_some_and(|p| p >= before - 1e-9), "{facet} {value}: {before} -> {after:?}");
        }
    }

    #[test]
    fn a_statement_never_lowers_its_role(signals in prop::collection::vec(any_signal(), 0..10), extra in any_signal(), r in 0..7_usize) {
        let role = BuyingRole::ALL[r];
        let p = |s: &[Signal]| with(s, &account(300), |i| fuse(&i)).buying_roles[r].probability;
        let Some(before) = p(&signals) else { return Ok(()) };
        let mut more = signals.clone();
        more.push(Signal { claim: Claim::BuyingRole(role, 1), id: SignalId::from_body("new"), ..extra });
        prop_assert!(p(&more).is_some_and(|after| after >= before - 1e-9));
    }
}

/// Of every position, in companies of every size: a note of this week that says it outright counts for more than the title;
/// one that is years old does not.
#[test]
fn a_statement_outweighs_every_title_until_it_is_old() {
    let mut old_ones_lose = 0;
    for (f, s) in JobFunction::ALL.iter().flat_map(|f| Seniority::ALL.iter().map(move |s| (*f, *s))) {
        for (r, role) in BuyingRole::ALL.iter().enumerate() {
            for (sign, employees) in [(1, 5), (-1, 5), (1, 5000), (-1, 5000)] {
                let p = |age| {
                    let said = signal(9, Claim::BuyingRole(*role, sign), SourceClass::Crm, 0.85, age, "note");
                    let signals: Vec<Signal> = position(f, s).into_iter().chain([said]).collect();
                    with(&signals, &account(employees), |i| fuse(&i)).buying_roles[r].probability.expect("stated")
                };
                assert_eq!(p(7) > 0.5, sign > 0, "{f} {s} {role} {sign} of {employees}: {}", p(7));
                old_ones_lose += u32::from((p(2900) > 0.5) != (sign > 0));
            }
        }
    }
    assert!(old_ones_lose > 100, "{old_ones_lose}");
}

#[test]
fn without_signals_every_facet_abstains() {
    let p = with(&[], &account(300), |i| fuse(&i));
    let none = |s: FacetStatus| s != FacetStatus::Known;
    assert!(p.job_function.value.is_none() && p.seniority.value.is_none() && p.signing_power.value.is_none());
    assert!(p.secondary_functions.is_empty());
    assert!(p.buying_roles.iter().all(|r| r.probability.is_none() && none(r.status)));
    assert!(p.traits.iter().all(|t| t.score.is_none() && t.confidence.is_none() && none(t.status)));
    assert!(p.motives.iter().all(|m| m.confidence.is_none() && none(m.status)));
    assert!(p.channels.iter().all(|c| c.channel.is_none() && none(c.status)));
    for named in [&p.goals, &p.context, &p.requirements, &p.empathy_map] {
        assert!(!named.is_empty() && named.iter().all(|n| n.value.is_none() && none(n.status)));
    }
    assert!(p.empathy_map.iter().all(|n| n.name != "thinks" && n.name != "feels"));
}

#[test]
fn an_explanation_shows_weights_with_reason_and_signals_with_quotes() {
    let signals = position(JobFunction::Production, Seniority::Head);
    let (role, title, unknown) = with(&signals, &account(300), |i| {
        (explain(&i, "buying_role.user"), explain(&i, "job_function"), explain(&i, "shoe_size"))
    });
    let role = role.expect("a facet").to_string();
    assert!(role.contains("user.function_uses") && role.contains("own judgement"), "{role}");
    let title = title.expect("a facet");
    assert!(title.to_string().contains("\"words\""), "{title}");
    assert!(serde_json::to_string(&title).expect("serialisable").contains("independence"));
    assert_eq!(unknown, None);
}

/// A role counts half after half a half-life of the pipeline (730 days x 0.5), and nothing once it is stale.
#[test]
fn what_is_said_of_a_role_decays() {
    let company = Account::default();
    let decider = |signals: &[Signal]| {
        let persona = with(signals, &company, |i| fuse(&i));
        shown(&persona, "buying_role.decider")
    };
    let said = |sign, age| signal(9, Claim::BuyingRole(BuyingRole::Decider, sign), SourceClass::Crm, 0.88, age, "note");
    let titled = position(JobFunction::Production, Seniority::Head);
    let of = |sign, age| decider(&[titled.clone(), vec![said(sign, age)]].concat()).1.expect("the position is known");
    let alone = decider(&titled).1.expect("the position is known");
    let (plus, minus): (Vec<f64>, Vec<f64>) =
        [0, 365, 730, 1460, 3650].map(|age| (of(1, age), of(-1, age))).into_iter().unzip();
    assert!(plus.windows(2).all(|w| w[0] > w[1]) && minus.windows(2).all(|w| w[0] < w[1]), "{plus:?} {minus:?}");
    assert!(plus[4] - alone < 0.01 && alone - minus[4] < 0.01, "{alone}: {plus:?} {minus:?}");
    // Without a title, a stale statement is told as stale, and no probability is shown.
    assert_eq!(decider(&[said(1, 10)]).0, "known");
    assert_eq!(decider(&[said(1, 1460)]), ("stale".to_owned(), None));
}
