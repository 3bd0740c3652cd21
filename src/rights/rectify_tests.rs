//! Reading requests and stores.

use super::*;

fn at(t: &str) -> Timestamp {
    t.parse().expect("a timestamp")
}

#[test]
fn every_facet_takes_its_values_and_reads_back() {
    let mut n = 0;
    for facet in facets() {
        let values: Vec<&str> = match facet.split_once('.').map_or(facet.as_str(), |(kind, _)| kind) {
            "job_function" => JobFunction::ALL.iter().map(|v| v.as_str()).collect(),
            "seniority" => Seniority::ALL.iter().map(|v| v.as_str()).collect(),
            "signing_power" => SigningPower::ALL.iter().map(|v| v.as_str()).collect(),
            "buying_role" | "motive" => vec!["yes", "no"],
            "trait" => vec!["left", "right", "+", "-"],
            "channel" => Channel::ALL.iter().map(|v| v.as_str()).collect(),
            _ => vec![],
        };
        for value in values.into_iter().chain(["remove", "release"]) {
            let c = parse(&facet, value).expect("fits");
            assert_eq!(c.facet(), facet);
            assert_eq!(parse(&c.facet(), &c.value()).expect("canonical"), c);
            let r = rectification(c, Some("moved"), None, By::Subject, at("2026-03-01T10:00:00Z")).expect("short");
            assert_eq!(from_bytes(&to_bytes(std::slice::from_ref(&r))).expect("as written"), vec![r]);
            n += 1;
        }
    }
    assert!(n > 150, "{n}");
    for t in Trait::ALL {
        let [left, right] = poles(*t).map(|p| parse(&format!("trait.{t}"), p).expect("a pole").value());
        assert_eq!((left.as_str(), right.as_str()), ("-", "+"), "{t}");
    }
}

#[test]
fn slips_are_told_with_what_was_meant() {
    for (facet, value, want) in [
        ("job_funtion", "sales", "did you mean job_function"),
        ("job_function", "procurment", "did you mean procurement"),
        ("buying_role.desider", "yes", "did you mean buying_role.decider"),
        ("buying_role.decider", "perhaps", "yes, no, remove, release"),
        ("trait.formality", "formel", "did you mean formal"),
        ("trait.religion", "right", "there is no facet"),
        ("goal", "more revenue", "it can be remove, release"),
        ("channel.advice", "phon", "did you mean phone"),
        ("seniority\u{1b}[31m", "head", "there is no facet"),
    ] {
        let told = parse(facet, value).expect_err("a slip").to_string();
        assert!(told.contains(want) && !told.contains('\u{1b}'), "{facet}={value}: {told}");
    }
    assert_eq!("seniority".parse::<Correction>(), Err(RectifyError::Form));
    assert!("seniority = head".parse::<Correction>().is_ok());
}

#[test]
fn texts_are_short_and_nothing_personal_is_debugged() {
    let c = parse("seniority", "head").expect("fits");
    let now = at("2026-03-01T10:00:00Z");
    let long = "x".repeat(MAX_TEXT + 1);
    assert_eq!(rectification(c, Some(&long), None, By::Subject, now), Err(RectifyError::Text));
    assert_eq!(rectification(c, None, Some("a\nb"), By::Subject, now), Err(RectifyError::Text));
    let r = rectification(c, Some("canary-reason"), Some("canary-proof"), By::Controller, now).expect("short");
    let shown = format!("{r:?} {c:?}");
    assert!(!shown.contains("canary") && !shown.contains("head"), "{shown}");
    let e = from_bytes(br#"{"v":1,"rectifications":[{"facet":"canary-facet","value":"x","at":"2026-03-01T10:00:00Z","by":"subject"}]}"#)
        .expect_err("no such facet");
    assert!(!format!("{e} {e:?}").contains("canary"), "{e:?}");
    assert!(from_bytes(br#"{"v":2,"rectifications":[]}"#).is_err());
}
