//! What `explain` prints, computed again from what it prints.

use super::*;

/// The numbers of a text, in their order.
fn numbers(text: &str) -> Vec<f64> {
    text.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')))
        .filter_map(|word| word.trim_end_matches(['.', '-']).parse().ok())
        .collect()
}

fn near(a: f64, b: f64, by: f64, what: &str) {
    assert!((a - b).abs() <= by, "{a} is not {b}: {what}");
}

fn after<'t>(text: &'t str, word: &str) -> &'t str {
    text.split_once(word).unwrap_or_else(|| panic!("no {word:?} in {text}")).1
}

/// A signal: its term, the quote, and the lines that lead from one to the other.
fn check_signal(term: f64, lines: &[&str]) {
    let [age, half_life, valid, reliability, trust] = numbers(after(lines[0], "0.5 ^"))[..] else {
        panic!("{lines:?}")
    };
    near(valid, 0.5_f64.powf(age / half_life), 2e-3, lines[0]);
    near(trust, valid * reliability, 2e-4, lines[0]);
    let (weight, believing) = lines[1].split_once("; believed").expect("two parts");
    let counts = *numbers(weight).last().expect("a weight");
    let [trust_again, counts_again, one, second, one_again, values, believed] = numbers(believing)[..] else {
        panic!("{lines:?}")
    };
    for (again, first) in [(trust_again, trust), (counts_again, counts), (second, trust), (one, 1.0), (one_again, 1.0)]
    {
        near(again, first, 1e-9, lines[1]);
    }
    near(believed, trust * counts + (1.0 - trust) / values, 3e-4, lines[1]);
    let mut parts = lines[2].split("; ");
    let alone_text = parts.next().expect("a part");
    let alone = numbers(alone_text)[0];
    let odds = (believed / (1.0 - believed)).ln();
    let by = 2e-4 / (believed * (1.0 - believed)) + 1e-3;
    if alone_text.contains("x in e^x") {
        let [n, share, rest, p] = numbers(after(alone_text, "(e^x"))[..4] else { panic!("{lines:?}") };
        let e = alone.exp();
        near(p, e / (e + n * (share * alone).exp() + rest), 1e-3, lines[2]);
        near(p, believed, 1e-9, lines[2]);
    } else if values > 2.0 {
        near(alone, odds + (values - 1.0).ln(), by, lines[2]);
    } else {
        near(alone, odds, by, lines[2]);
    }
    let factors: f64 = parts.filter(|p| p.starts_with("x ")).map(|p| numbers(p)[0]).product();
    near(term.abs(), alone * factors, 2e-3 * (1.0 + factors), &lines.join("\n"));
}

/// Checks a whole explanation; tells how many signals it had.
fn check(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = lines.iter().position(|l| l.contains("sum of log-odds")).unwrap_or_else(|| panic!("no sum in {text}"));
    let mut sum = 0.0;
    let mut signals = 0;
    for (i, line) in lines.iter().enumerate().filter(|(_, l)| l.starts_with(['+', '-'])) {
        let term = numbers(line)[0];
        sum += if i < at { term } else { 0.0 };
        if line.contains(": says ") {
            check_signal(term, &lines[i + 2..i + 5]);
            signals += 1;
        } else if let Some((_, weight)) = line.split_once(" x p ") {
            let value = numbers(line.rsplit_once('(').expect("a weight").1)[0];
            near(term, value * numbers(weight)[0], 1e-3, line);
        } else if let Some((_, formula)) = line.split_once(": -ln(") {
            let formula = formula.split_once(')').expect("closed").0;
            let part = |p: &str| p.strip_prefix("e^").map_or_else(|| numbers(p)[0], |e| numbers(e)[0].exp());
            near(-term, formula.split(" + ").map(part).sum::<f64>().ln(), 2e-3, line);
        } else if line.contains("neighbours: ") {
            let of = numbers(after(line, "a little: "));
            near(term, of[0] * of[1..].iter().sum::<f64>(), 2e-3, line);
        } else if line.contains("statements.outweigh") {
            let [suggested, said, again, half] = numbers(after(line, "suggests: -("))[..] else { panic!("{line}") };
            near(term, -suggested * said / (again + half), 2e-3, line);
        }
    }
    let told = numbers(after(lines[at], " = "));
    near(numbers(lines[at])[0], sum, 0.01, text);
    near(told[0], 1.0 / (1.0 + (-numbers(lines[at])[0]).exp()), 1e-3, text);
    signals
}

fn told(signals: &[Signal], facet: &str) -> String {
    with(signals, &account(300), |i| explain(&i, facet)).expect("a facet").to_string()
}

fn said(n: usize, facet: &str, value: &str, weight: f64, age: i64) -> Signal {
    let page = format!("note {n}");
    signal(n, claim(&[facet.to_owned(), value.to_owned()]), SourceClass::Crm, weight, age, &page)
}

#[test]
fn every_printed_number_follows_from_the_printed_ones() {
    let mut all = position(JobFunction::Production, Seniority::Head);
    all.extend([
        said(2, "seniority", "lead", 0.8, 40),
        said(3, "seniority", "director", 0.7, 300),
        said(4, "job_function", "quality", 0.6, 90),
        said(5, "buying_role.decider", "-", 0.88, 30),
        said(6, "buying_role.decider", "-", 0.85, 200),
        said(7, "channel", "phone", 0.92, 5),
        said(8, "channel.advice", "e_mail", 0.7, 5),
        said(9, "trait.formality", "-", 0.95, 100),
        said(10, "goal", "cut_costs", 0.3, 10),
        said(11, "motive", "growth", 0.999, 700),
    ]);
    let of = |facet: &str| check(&told(&all, facet));
    let found = ["seniority", "job_function", "buying_role.decider", "channel.advice", "channel.return"].map(of);
    assert_eq!(found, [3, 2, 2, 2, 1]);
    assert_eq!(["trait.formality", "goal.cut_costs", "motive.growth"].map(of), [1, 1, 1]);
    assert_eq!(check(&told(&all, "buying_role.user")), 0);
}

/// The three that were hidden: the gain of statements, the share of a preference for no phase, and chance.
#[test]
fn factors_are_named() {
    let signals = [
        said(1, "buying_role.decider", "+", 0.92, 10),
        said(2, "channel", "phone", 0.92, 5),
        said(3, "channel.advice", "e_mail", 0.7, 5),
    ];
    let role = told(&signals, "buying_role.decider");
    assert!(role.contains("; x 2, as what is said outright of a role counts so; = "), "{role}");
    assert!(role.contains("chance 1/2"), "{role}");
    let channel = told(&signals, "channel.advice");
    assert!(
        channel.contains("; x 0.5, as it names no phase, while another channel is named for this one; = "),
        "{channel}"
    );
}
