//! Values, probabilities and steps in plain sentences.
//!
//! Invariant: a sentence says a number only as "N of 100", and only numbers of the steps it is about; of a segment it
//! counts people.

use jiff::tz::Offset;

use super::logic::{Stored, possibilities};
use super::texts::{Open, Texts};
use super::{Finding, Plain, Step};
use crate::persona::explain::{Explanation, SignalArithmetic, Term};
use crate::persona::rectified;
use crate::persona::study::STUDIES;
use crate::taxonomy::{
    BuyingRole, Channel, FacetStatus, JobFunction, Language, Motive, Point, PointKind, Seniority, SigningPower, Trait,
};

/// A probability in words.
pub(super) fn of_100(p: f64, t: &Texts) -> String {
    if p <= 0.0 {
        return t.word("impossible").to_owned();
    }
    if p >= 1.0 {
        return t.word("certain").to_owned();
    }
    let n = (p * 100.0).round();
    if n < 1.0 {
        t.word("under_one").to_owned()
    } else if n > 99.0 {
        t.word("over_99").to_owned()
    } else {
        t.fill("of_100", &[("n", &format!("{n:.0}"))])
    }
}

/// A calendar day.
pub(super) fn day(at: jiff::Timestamp, t: &Texts) -> String {
    let date = Offset::UTC.to_datetime(at).date();
    match t.language() {
        Language::German => format!("{:02}.{:02}.{}", date.day(), date.month(), date.year()),
        Language::English => date.strftime("%-d %B %Y").to_string(),
    }
}

/// The facet in words.
pub(super) fn say(s: &Stored, e: Option<&Explanation>, steps: &[Step], evidence: &[Finding], t: &Texts) -> Plain {
    let value = match (&s.value, s.status) {
        (Some(v), FacetStatus::Known) if s.group == "roles" && e.is_none_or(|e| e.rectified.is_none()) => {
            t.word(if v == "yes" { "presumably_yes" } else { "presumably_no" }).to_owned()
        }
        (Some(v), FacetStatus::Known) => value_words(&s.facet, v, t),
        _ => t.status(s.status).to_owned(),
    };
    // The share of a group is no probability about the person.
    let own = s.probability.filter(|_| s.status != FacetStatus::Segment);
    let likely = own.map_or_else(String::new, |p| of_100(p, t));
    Plain { name: name(&s.facet, t), value, likely, why: why(s, e, steps, evidence, t) }
}

/// What a facet is called.
pub(super) fn name(facet: &str, t: &Texts) -> String {
    let read = |word: &str| match facet.split_once('.').map_or("", |(kind, _)| kind) {
        "buying_role" | "requirement" => word.parse::<BuyingRole>().ok().map(|v| t.term(v).to_owned()),
        "trait" => word.parse::<Trait>().ok().map(|v| t.term(v).to_owned()),
        "motive" => word.parse::<Motive>().ok().map(|v| t.term(v).to_owned()),
        "channel" => word.parse::<crate::taxonomy::PurchasePhase>().ok().map(|v| t.term(v).to_owned()),
        _ => None,
    };
    if let Some(point) = point(facet) {
        return t.point(point).to_owned();
    }
    match facet.split_once('.') {
        None if facet == "goal" => t.word("group_goals").to_owned(),
        None if facet.parse::<PointKind>().is_ok() => t.open(Open::Name, facet).to_owned(),
        None => t.word(facet).to_owned(),
        Some((_, word)) => read(word).unwrap_or_else(|| t.open(Open::Name, word).to_owned()),
    }
}

/// The point that a facet or a value such as `goal.cut_costs` names.
fn point(facet: &str) -> Option<Point> {
    let (kind, term) = facet.split_once('.')?;
    Point::parse(kind.parse::<PointKind>().ok()?, term).ok()
}

/// A value in words.
pub(super) fn value_words(facet: &str, value: &str, t: &Texts) -> String {
    let function = |v: &str| v.parse::<JobFunction>().map_or_else(|_| v.to_owned(), |v| t.term(v).to_owned());
    match facet.split_once('.') {
        None if facet == "job_function" => function(value),
        None if facet == "secondary_functions" => value.split(", ").map(function).collect::<Vec<_>>().join(", "),
        None if facet == "seniority" => value.parse::<Seniority>().map_or(value.to_owned(), |v| t.term(v).to_owned()),
        None if facet == "signing_power" => {
            value.parse::<SigningPower>().map_or(value.to_owned(), |v| t.term(v).to_owned())
        }
        Some(("trait", name)) => name.parse::<Trait>().map_or(value.to_owned(), |n| {
            let [left, right] = t.poles(n);
            if value == "-" { left } else { right }.to_owned()
        }),
        Some(("channel", _)) => value.parse::<Channel>().map_or(value.to_owned(), |v| t.term(v).to_owned()),
        Some(("buying_role", _)) => t.word(if value == "yes" || value == "+" { "yes" } else { "no" }).to_owned(),
        _ if point(facet).is_some() => t.word(if value == "no" { "no" } else { "yes" }).to_owned(),
        Some(("requirement" | "empathy_map", _)) => {
            let of_prior = || point(&format!("requirement.{value}"));
            point(value).or_else(of_prior).map_or(value.to_owned(), |p| t.point(p).to_owned())
        }
        Some(("motive", _)) => t.word(if value == "no" { "no" } else { "yes" }).to_owned(),
        _ => value.to_owned(),
    }
}

/// What a study says, where that is all there is.
fn by_study(s: &Stored, t: &Texts) -> Option<String> {
    let study = STUDIES.get(s.study.as_deref()?)?;
    let value = capital(&value_words(&s.facet, s.value.as_deref()?, t));
    let says = study.says(t.language()).trim_end_matches('.');
    Some(t.fill("study_says", &[("value", &value), ("says", says), ("citation", &study.citation)]))
}

/// What holds for the segment, where that is all there is.
fn by_segment(s: &Stored, t: &Texts) -> Option<String> {
    let of = s.segment.as_ref()?;
    let value = capital(&value_words(&s.facet, s.value.as_deref()?, t));
    let [n, all] = [of.persons, of.of_persons].map(|n| n.to_string());
    let parts: Vec<&str> = of.segment.split('/').collect();
    let group: Vec<String> = parts.iter().map(|part| group_words(part, t)).collect();
    let values = [("value", value.as_str()), ("n", &n), ("of", &all), ("group", &group.join(", "))];
    Some(t.fill("segment_says", &values))
}

/// A part of a segment's name: function, levels, section of NACE or industry, size class.
fn group_words(part: &str, t: &Texts) -> String {
    if let Ok(function) = part.parse::<JobFunction>() {
        return t.term(function).to_owned();
    }
    if let Some(section) = part.strip_prefix("nace ") {
        return t.fill("segment_nace", &[("section", section)]);
    }
    match part {
        "staff" => t.word("segment_staff"),
        "middle" => t.word("segment_middle"),
        "top" => t.word("segment_top"),
        "micro" => t.word("segment_micro"),
        "small" => t.word("segment_small"),
        "medium" => t.word("segment_medium"),
        "large" => t.word("segment_large"),
        industry => industry,
    }
    .to_owned()
}

fn why(s: &Stored, e: Option<&Explanation>, steps: &[Step], evidence: &[Finding], t: &Texts) -> Vec<String> {
    if let Some(said) = by_study(s, t).or_else(|| by_segment(s, t)) {
        return vec![said];
    }
    let Some(e) = e else {
        let mut said = Vec::new();
        if s.group == "requirements" && s.status == FacetStatus::NotApplicable {
            said.push(t.word("no_such_role").to_owned());
        } else if s.group == "requirements" && s.status != FacetStatus::NoConsent {
            said.push(t.word("derived_no_template").to_owned());
        }
        if s.group == "empathy" && s.status == FacetStatus::Known {
            said.push(t.word("from_above").to_owned());
        }
        if s.facet == "secondary_functions" {
            said.push(t.word("also_named").to_owned());
            said.extend(evidence.iter().map(|f| finding_line(&s.facet, f, t)));
        }
        if s.value.is_none() && s.status == FacetStatus::InsufficientEvidence && s.group != "requirements" {
            said.push(t.rule("no signal feeds it").to_owned());
        }
        return said;
    };
    let mut said = vec![t.rule(&e.rule).to_owned()];
    if let Some(r) = e.rectified {
        said.push(t.fill("rectified_at", &[("at", &day(r.at, t)), ("by", t.open(Open::By, r.by.as_str()))]));
        return said;
    }
    if s.group == "context" && s.value.is_some() {
        said.push(t.word("context_from_company").to_owned());
    }
    let idle = steps.iter().filter(|s| is_idle(s)).count();
    for step in steps.iter().filter(|s| !is_idle(s)) {
        let term = e.terms.iter().find(|x| x.id == step.id);
        said.push(sentence(s, e, step, term, t));
    }
    if idle > 0 {
        said.push(t.fill("idle", &[("n", &idle.to_string())]));
    }
    if let (Some(score), Some(("trait", name))) = (s.score, s.facet.split_once('.'))
        && let Ok(name) = name.parse::<Trait>()
    {
        let [left, right] = t.poles(name);
        let n = format!("{:+.0}", score * 100.0).replace('-', "−");
        said.push(t.fill("score", &[("left", left), ("right", right), ("n", &n)]));
    }
    if let Some(p) = e.probability.filter(|_| !steps.is_empty()) {
        said.push(t.fill("result", &[("to", &of_100(p, t))]));
    }
    said
}

/// A weight whose condition does not hold.
fn is_idle(s: &Step) -> bool {
    s.weight.is_some() && s.adds.abs() < 0.005
}

fn sentence(s: &Stored, e: &Explanation, step: &Step, term: Option<&Term>, t: &Texts) -> String {
    let (from, to) = (of_100(step.from, t), of_100(step.to, t));
    if step.id == "start" {
        let k = possibilities(&s.facet, e).to_string();
        let key = match s.group {
            "roles" => "step_start_role",
            "traits" => "step_start_pole",
            "motives" | "goals" | "habits" | "requirements" | "empathy" => "step_start_motive",
            _ => "step_start_even",
        };
        return t.fill(key, &[("k", &k), ("to", &to)]);
    }
    let moved = from != to;
    let up = step.adds > 0.0;
    if let Some(signal) = term.and_then(|x| x.signal.as_ref()) {
        let key = match (moved, up) {
            (false, _) => "step_signal_none",
            (true, true) => "step_signal_for",
            (true, false) => "step_signal_against",
        };
        return signal_sentence(key, signal, [&from, &to], t);
    }
    let reason = match step.id.as_str() {
        "neighbours" => t.word("neighbours").to_owned(),
        "other_values" => t.word("rivals").to_owned(),
        "bound" => t.word("bound").to_owned(),
        id => t.weight(id).or(term.map(|x| x.reason.as_str())).unwrap_or(id).to_owned(),
    };
    let reason = match step.weight {
        Some((_, holds)) if holds < 0.995 => format!("{reason} {}", t.fill("holds", &[("p", &of_100(holds, t))])),
        _ => reason,
    };
    let key = match (moved, up) {
        (false, _) => "step_same",
        (true, true) => "step_raise",
        (true, false) => "step_lower",
    };
    t.fill(key, &[("reason", &reason), ("from", &from), ("to", &to)])
}

fn signal_sentence(key: &str, s: &SignalArithmetic, [from, to]: [&str; 2], t: &Texts) -> String {
    let quote =
        if s.quote.is_empty() { t.word("unquoted").to_owned() } else { t.fill("quoted", &[("quote", &s.quote)]) };
    let date = day(s.observed_at, t);
    let source = match &s.host {
        Some(host) => format!("{} ({host})", t.term(s.class)),
        None => t.term(s.class).to_owned(),
    };
    let source = if s.source == rectified::SOURCE { t.word("rectifications").to_owned() } else { capital(&source) };
    let said = t.fill(key, &[("source", &source), ("date", &date), ("quote", &quote), ("from", from), ("to", to)]);
    let part = |p: f64| t.fill("of_100", &[("n", &format!("{:.0}", p * 100.0))]);
    let trust = [("believed", part(s.believed)), ("reliability", part(s.reliability)), ("validity", part(s.validity))];
    let trust = t.fill("trust", &trust.each_ref().map(|(k, v)| (*k, v.as_str())));
    let repeats = if s.independence < 0.995 {
        format!(" {}", t.fill("repeats", &[("share", &part(s.independence))]))
    } else {
        String::new()
    };
    format!("{said} {trust}{repeats}")
}

/// A finding in one line: what it says, its words, place and day.
pub(super) fn finding_line(facet: &str, f: &Finding, t: &Texts) -> String {
    let place = f.host.as_ref().map_or_else(|| t.term(f.class).to_owned(), |h| format!("{} ({h})", t.term(f.class)));
    let quote =
        if f.quote.is_empty() { t.word("unquoted").to_owned() } else { t.fill("quoted", &[("quote", &f.quote)]) };
    let value = capital(&value_words(facet, &f.value, t));
    format!("{value}: {quote} {}, {}", capital(&place), day(f.observed_at, t))
}

/// With a capital letter, as a sentence begins.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().collect::<String>() + chars.as_str())
}
