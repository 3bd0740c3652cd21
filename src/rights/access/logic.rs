//! The logic of every facet: the arithmetic as steps between probabilities, and in plain sentences.
//!
//! Invariant: steps are the terms of the explanation, in their order; the last one ends at the stored probability.

use std::collections::BTreeMap;

use jiff::tz::Offset;

use super::texts::{Open, Texts};
use super::{ExplainedFacet, Finding, Plain, Step};
use crate::model::Signal;
use crate::persona::explain::{Explanation, SignalArithmetic, Term, explain};
use crate::persona::rectified;
use crate::persona::rows::{Named, Persona};
use crate::run::known::{FusionSettings, Known};
use crate::taxonomy::{
    BuyingRole, Channel, FacetStatus, JobFunction, Language, Motive, Seniority, SigningPower, Trait,
};

/// What a persona stores of one facet.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    group: &'static str,
    facet: String,
    value: Option<String>,
    probability: Option<f64>,
    score: Option<f64>,
    status: FacetStatus,
}

/// Every facet of a persona, in the order of the page.
fn stored(p: &Persona) -> Vec<Stored> {
    let mut all = vec![
        plain(
            "position",
            "job_function",
            p.job_function.value.map(|v| v.to_string()),
            p.job_function.p,
            p.job_function.status,
        ),
        plain("position", "seniority", p.seniority.value.map(|v| v.to_string()), p.seniority.p, p.seniority.status),
        plain(
            "position",
            "signing_power",
            p.signing_power.value.map(|v| v.to_string()),
            p.signing_power.p,
            p.signing_power.status,
        ),
    ];
    let further: Vec<&str> = p.secondary_functions.iter().map(|f| f.as_str()).collect();
    if !further.is_empty() {
        all.insert(1, plain("position", "secondary_functions", Some(further.join(", ")), None, FacetStatus::Known));
    }
    all.extend(p.buying_roles.iter().map(|r| {
        let value = r.probability.map(|p| if p >= 0.5 { "yes" } else { "no" }.to_owned());
        plain("roles", &format!("buying_role.{}", r.role), value, r.probability, r.status)
    }));
    all.extend(p.traits.iter().map(|t| {
        let value = t.score.map(|s| if s < 0.0 { "-" } else { "+" }.to_owned());
        let name = format!("trait.{}", t.r#trait);
        Stored { score: t.score, ..plain("traits", &name, value, t.confidence, t.status) }
    }));
    all.extend(p.motives.iter().map(|m| {
        let value = m.confidence.map(|_| m.motive.to_string());
        plain("motives", &format!("motive.{}", m.motive), value, m.confidence, m.status)
    }));
    let named =
        |group, prefix: &str, n: &Named| plain(group, &format!("{prefix}{}", n.name), n.value.clone(), None, n.status);
    all.extend(p.goals.iter().map(|n| named("goals", "goal.", n)));
    all.extend(
        p.channels.iter().map(|c| {
            plain("channels", &format!("channel.{}", c.phase), c.channel.map(|v| v.to_string()), None, c.status)
        }),
    );
    all.extend(p.context.iter().map(|n| named("context", "context.", n)));
    all.extend(p.requirements.iter().map(|n| named("requirements", "requirement.", n)));
    all.extend(p.empathy_map.iter().map(|n| named("empathy", "empathy_map.", n)));
    all
}

fn plain(
    group: &'static str,
    facet: &str,
    value: Option<String>,
    probability: Option<f64>,
    status: FacetStatus,
) -> Stored {
    Stored { group, facet: facet.to_owned(), value, probability, score: None, status }
}

/// Explains every facet of a persona. `exact` = the whole persona came out of the recomputation.
pub(super) fn facets(
    persona: &Persona,
    known: &Known,
    settings: &FusionSettings,
    exact: bool,
    languages: &[Language],
) -> Vec<ExplainedFacet> {
    let input = known.input(persona, settings);
    let signals = known.own_signals(&persona.subject_id);
    let make = |s: Stored| {
        let e = explain(&input, &s.facet);
        let steps = e.as_ref().map_or_else(Vec::new, |e| steps(&s.facet, e));
        let agrees = e.as_ref().is_none_or(|e| agrees(&s, e));
        let evidence = findings(&s, &signals);
        let words = |l: &Language| (*l, say(&s, e.as_ref(), &steps, &evidence, Texts::of(*l)));
        ExplainedFacet {
            group: s.group.to_owned(),
            plain: languages.iter().map(words).collect::<BTreeMap<_, _>>(),
            against: e.iter().flat_map(|e| &e.against).filter_map(|t| of_term(t, &signals)).collect(),
            exact: exact && agrees,
            evidence,
            steps,
            facet: s.facet,
            value: s.value,
            probability: s.probability,
            score: s.score,
            status: s.status,
        }
    };
    stored(persona).into_iter().map(make).collect()
}

/// Whether the explanation came to what is stored.
fn agrees(s: &Stored, e: &Explanation) -> bool {
    let shown = e.status == FacetStatus::Known;
    let p = match (s.probability, e.probability) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (None, _) => true,
        (Some(_), None) => false,
    };
    e.status == s.status && p && (!shown || e.value == s.value)
}

/// The terms as steps. A categorical facet starts even between its values; what rivals weigh is a step of its own.
fn steps(facet: &str, e: &Explanation) -> Vec<Step> {
    let Some(total) = e.log_odds else { return Vec::new() };
    let rivals = e.terms.iter().find(|t| t.id == "other_values").map(|t| t.log_odds);
    let even = rivals.map(|_| -f64::from(possibilities(facet, e) - 1).ln());
    let mut at = 0.0;
    let mut all: Vec<Step> = Vec::new();
    let mut push = |id: &str, adds: f64, weight| {
        let from = if all.is_empty() { sigmoid(adds) } else { sigmoid(at) };
        at += adds;
        all.push(Step { id: id.to_owned(), adds, from, to: sigmoid(at), weight });
    };
    for t in &e.terms {
        match (t.id.as_str(), even, rivals) {
            ("prior", Some(even), _) => push("start", even, None),
            ("prior", None, _) => push("start", t.log_odds, None),
            ("other_values", Some(even), Some(rivals)) => {
                if (rivals - even).abs() > 1e-9 {
                    push("other_values", rivals - even, None);
                }
            }
            (id, ..) => push(id, t.log_odds, t.weight),
        }
    }
    if let Some(last) = all.last_mut() {
        // Rounding of the sum is not to be seen.
        last.to = sigmoid(total);
    }
    all
}

/// How many values a categorical facet can take.
fn possibilities(facet: &str, e: &Explanation) -> u32 {
    let n = match facet.split_once('.').map_or(facet, |(kind, _)| kind) {
        "job_function" => JobFunction::ALL.len(),
        "seniority" => Seniority::ALL.len(),
        "signing_power" => SigningPower::ALL.len() + 1,
        "channel" => Channel::ALL.len(),
        _ => {
            let mut values: Vec<&str> = e.value.iter().map(String::as_str).collect();
            values.extend(e.against.iter().filter_map(|t| t.signal.as_ref().map(|s| s.claim.as_str())));
            values.sort_unstable();
            values.dedup();
            values.len() + 1
        }
    };
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The findings of a facet.
fn findings(s: &Stored, signals: &[Signal]) -> Vec<Finding> {
    let feeds = |signal: &Signal| {
        let facet = signal.claim.facet();
        match s.facet.split_once('.') {
            Some(("motive", m)) => facet == "motive" && signal.claim.value() == m,
            Some(("goal", _)) => facet == "goal",
            Some(("channel", _)) => facet == s.facet || facet == "channel",
            None if s.facet == "secondary_functions" => {
                let listed = s.value.iter().flat_map(|v| v.split(", "));
                facet == "job_function" && listed.clone().any(|f| f == signal.claim.value())
            }
            _ => facet == s.facet,
        }
    };
    signals.iter().filter(|signal| feeds(signal)).map(finding).collect()
}

fn finding(s: &Signal) -> Finding {
    Finding {
        signal: s.id.to_string(),
        value: s.claim.value(),
        quote: s.evidence.quote.clone(),
        source: s.evidence.source_id.clone(),
        class: s.evidence.source_class,
        host: s.evidence.host.clone(),
        observed_at: s.evidence.observed_at,
        weight: s.weight,
    }
}

fn of_term(t: &Term, signals: &[Signal]) -> Option<Finding> {
    signals.iter().find(|s| s.id.as_str() == t.id).map(finding)
}

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
fn say(s: &Stored, e: Option<&Explanation>, steps: &[Step], evidence: &[Finding], t: &Texts) -> Plain {
    let value = match (&s.value, s.status) {
        (Some(v), FacetStatus::Known) if s.group == "roles" && e.is_none_or(|e| e.rectified.is_none()) => {
            t.word(if v == "yes" { "presumably_yes" } else { "presumably_no" }).to_owned()
        }
        (Some(v), FacetStatus::Known) => value_words(&s.facet, v, t),
        _ => t.status(s.status).to_owned(),
    };
    let likely = s.probability.map_or_else(String::new, |p| of_100(p, t));
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
    match facet.split_once('.') {
        None if facet == "goal" => t.word("group_goals").to_owned(),
        None => t.word(facet).to_owned(),
        Some((_, word)) => read(word).unwrap_or_else(|| t.open(Open::Name, word).to_owned()),
    }
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
        Some(("motive", _)) => t.word(if value == "no" { "no" } else { "yes" }).to_owned(),
        _ => value.to_owned(),
    }
}

fn why(s: &Stored, e: Option<&Explanation>, steps: &[Step], evidence: &[Finding], t: &Texts) -> Vec<String> {
    let Some(e) = e else {
        let mut said = Vec::new();
        if s.group == "requirements" && s.status == FacetStatus::NotApplicable {
            said.push(t.word("no_such_role").to_owned());
        } else if s.group == "requirements" && s.status != FacetStatus::NoConsent {
            said.push(t.word("derived_no_template").to_owned());
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
            "motives" => "step_start_motive",
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
