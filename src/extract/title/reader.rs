//! Segments to one reading: what holds now, what is past, which function is first, how sure.
//!
//! Invariant: deterministic; a value has p of at least `FLOOR`, everything else abstains with its reason.

use std::cell::RefCell;

use smallvec::SmallVec;

use super::attach::{attach, judged};
use super::calibration::{Calibration, calibrated};
use super::explain::{TitleExplanation, explain};
use super::judge::{N, Segment};
use super::lexicon::{Lexicon, flag};
use super::means;
use super::model::Sums;
use super::parse::{self, Item, fact};
use super::scan::{self, Scan};
use super::time::Kind;
use super::tongue::language;
use super::{TitleEvidence, TitleReading, model, names, quote};
use crate::taxonomy::{Facet, FacetStatus, JobFunction, Seniority};

/// Below this probability a function is not named.
const FLOOR: f64 = 0.42;
/// More words than this are a text, not a title.
const MAX_WORDS: usize = 36;

/// What a title is taken apart into, kept from one title to the next for its room.
#[derive(Default)]
pub(super) struct Parts {
    pub scan: Scan,
    pub items: Vec<Item>,
    pub segments: Vec<Segment>,
    /// Room for segments that change their places.
    moving: Vec<Segment>,
    /// Room for the words between single spaces.
    framed: String,
}

thread_local! {
    static PARTS: RefCell<Parts> = RefCell::default();
}

/// Reads a title.
pub(super) fn read(lex: &Lexicon, title: &str) -> TitleReading {
    PARTS.with_borrow_mut(|parts| read_into(lex, title, parts))
}

/// How a title is read.
pub(super) fn explained(lex: &Lexicon, title: &str) -> TitleExplanation {
    PARTS.with_borrow_mut(|parts| {
        let raw = read_raw(lex, title, parts);
        let reading = weighed(lex, raw.clone());
        explain(lex, title, &raw, &reading, parts)
    })
}

/// What is stored of a title.
pub(super) fn quoted(lex: &Lexicon, title: &str) -> String {
    PARTS.with_borrow_mut(|parts| {
        let reading = read_into(lex, title, parts);
        let Parts { scan, items, segments, .. } = &*parts;
        if segments.is_empty() {
            return String::new();
        }
        let chars: Vec<char> = scan::points(title).collect();
        quote::quote(&quote::Read { lex, scan, chars: &chars, items, segments, evidence: &reading.evidence })
    })
}

fn read_into(lex: &Lexicon, title: &str, parts: &mut Parts) -> TitleReading {
    let raw = read_raw(lex, title, parts);
    weighed(lex, raw)
}

/// With the probabilities that calibration makes of the raw ones.
fn weighed(lex: &Lexicon, mut reading: TitleReading) -> TitleReading {
    let Calibration { job_function, seniority } = &lex.calibration;
    reading.job_function.p = reading.job_function.p.map(|p| round(calibrated(job_function, p)));
    reading.seniority.p = reading.seniority.p.map(|p| round(calibrated(seniority, p)));
    reading
}

/// The reading before calibration.
fn read_raw(lex: &Lexicon, title: &str, parts: &mut Parts) -> TitleReading {
    let Parts { scan, items, segments, moving, framed } = parts;
    items.clear();
    segments.clear();
    scan::scan_into(title, scan);
    if scan.hostile || scan.tokens.is_empty() || scan.tokens.len() > MAX_WORDS {
        return TitleReading::nothing(FacetStatus::InsufficientEvidence);
    }
    let facts = scan.tokens.iter().fold(0, |all, t| all | t.text.known(lex).facts);
    let any = |fact: u64| facts & fact != 0;
    let (watched, special, lonely) = (any(fact::WATCHED), any(fact::SPECIAL), any(fact::LONELY));
    if watched {
        frame(scan, framed);
    }
    if watched && lex.hostile(framed) {
        return TitleReading::nothing(FacetStatus::InsufficientEvidence);
    }
    if special || (watched && lex.special(framed)) || (lonely && alone(lex, scan)) {
        return TitleReading { special_category: true, ..TitleReading::nothing(FacetStatus::NotApplicable) };
    }
    parse::items(lex, scan, items);
    names::mark(lex, items, &scan.tokens);
    judged(items, segments);
    attach(items, segments, moving);
    let mut reading = combine(&Words { lex, scan }, items, segments);
    reading.language = language(lex, items, scan);
    reading
}

/// The words of a title and what is known about each.
#[derive(Clone, Copy)]
struct Words<'a> {
    lex: &'a Lexicon,
    scan: &'a Scan,
}

impl Words<'_> {
    fn model(&self, k: usize) -> &Sums {
        let word = &self.scan.tokens[k].text;
        word.known(self.lex).model(word)
    }
}

/// All words between single spaces, for the search for special categories.
fn frame(scan: &Scan, out: &mut String) {
    out.clear();
    out.push(' ');
    for t in &scan.tokens {
        out.push_str(&t.text);
        out.push(' ');
    }
}

/// Whether a part between separators is nothing but a word that reveals a special category there.
fn alone(lex: &Lexicon, scan: &Scan) -> bool {
    let separates = |s: scan::Sep| s == scan::Sep::Slash || s >= scan::Sep::Comma;
    scan.tokens.chunk_by(|_, next| !separates(next.before)).any(|part| match part {
        [word] => lex.special_alone(&word.text),
        [a, b] => lex.special_alone(&format!("{} {}", &*a.text, &*b.text)),
        _ => false,
    })
}

fn combine(words: &Words, items: &[Item], segments: &[Segment]) -> TitleReading {
    let says = |s: &&Segment| s.person || s.power.is_some() || s.scores.iter().any(|&x| x > 0.0);
    let mut current: SmallVec<[&Segment; 4]> =
        segments.iter().filter(|s| s.kind == Kind::Current).filter(says).collect();
    // "Freelancer / Consultant": what one does tells more than how one is employed.
    if current.iter().any(|s| s.person && !s.state) {
        current.retain(|s| !s.state);
    }
    if current.is_empty() {
        let r = without_position(items, segments);
        return if r.job_function.status == FacetStatus::InsufficientEvidence {
            by_letters(words, items, r)
        } else {
            r
        };
    }
    let mut r = TitleReading::nothing(FacetStatus::InsufficientEvidence);
    let level = level(&current);
    let student = current.iter().any(|s| items[s.items.0..s.items.1].iter().any(|i| i.has(flag::STUDENT)));
    if let Some((l, p)) = level {
        r.seniority = Facet::known(l, round(p));
    }
    r.signing_power = current.iter().find_map(|s| s.power);
    let mut scores = add_up(&current);
    halve_management(&mut scores, items, &current);
    function(&mut r, &scores);
    discount(&mut r, items, &current);
    let guessed = guess(&mut r, words, items, &current);
    if r.job_function.value == Some(JobFunction::Other) && thing(words, items, &current) {
        return TitleReading::nothing(FacetStatus::InsufficientEvidence);
    }
    if level.is_some_and(|(l, _)| l >= Seniority::CLevel) && r.job_function.status == FacetStatus::InsufficientEvidence
    {
        r.job_function = Facet::known(JobFunction::ExecutiveManagement, 0.6);
    }
    // What one studies is known from its name alone, and no function: "Student der Betriebswirtschaftslehre".
    if student && level.is_none_or(|(l, _)| l == Seniority::Trainee) && !curated(&r, items, &current) {
        r.job_function = Facet::abstain(FacetStatus::InsufficientEvidence);
    }
    if r.job_function.value.is_none() && r.job_function.status != FacetStatus::Conflicting {
        occupation(&mut r, items, &current, level);
    }
    let executive = level.is_some_and(|(l, _)| l >= Seniority::CLevel);
    let not_yet = r.job_function.value != Some(JobFunction::ExecutiveManagement)
        && !r.secondary_functions.contains(&JobFunction::ExecutiveManagement);
    if executive && not_yet && r.job_function.value.is_some() {
        r.secondary_functions.push(JobFunction::ExecutiveManagement);
    }
    r.evidence = evidence(items, segments, &r);
    if let Some((f, span)) = guessed.filter(|g| r.job_function.value == Some(g.0)) {
        r.evidence.push(TitleEvidence { span, means: means::model(f) });
        r.evidence.sort_by(|a, b| a.span.cmp(&b.span).then_with(|| a.means.cmp(b.means)));
    }
    r
}

/// "Gründer & CTO" works in the department that he is chief of; so does a member of the management that leads one.
fn halve_management(scores: &mut [f32; N], items: &[Item], current: &[&Segment]) {
    let executive = JobFunction::ExecutiveManagement as usize;
    let member = current.iter().any(|s| items[s.items.0..s.items.1].iter().any(|i| i.has(flag::BODY) && i.person()));
    let least = if member { Seniority::Head } else { Seniority::CLevel };
    let chief = |s: &&Segment| {
        s.level.is_some_and(|(l, _)| l >= least && l <= Seniority::CLevel)
            && s.scores[executive] == 0.0
            && s.scores.iter().any(|&x| x >= 2.0)
    };
    if current.len() > 1 && current.iter().any(chief) {
        scores[executive] *= 0.5;
    }
}

/// Where no word of our own vocabulary tells the function, the model does: words that it has never seen by their
/// letters, all others better than their spread over occupation names. Returns what it said, and of which words.
fn guess(
    r: &mut TitleReading,
    words: &Words,
    items: &[Item],
    current: &[&Segment],
) -> Option<(JobFunction, (usize, usize))> {
    if r.job_function.status == FacetStatus::Conflicting || curated(r, items, current) {
        return None;
    }
    let read = || current.iter().flat_map(|s| &items[s.items.0..s.items.1]).filter(|i| !i.company && !i.digits());
    let strange = |i: &&Item| i.sense.as_ref().is_none_or(|s| s.derived) && i.span.1 - i.span.0 >= 4;
    let from = read().filter(strange).map(|i| i.span.0).min()?;
    let to = read().filter(strange).map(|i| i.span.1).max()?;
    let sums = read().flat_map(|i| i.tokens.0..i.tokens.1).map(|k| words.model(k));
    let (f, p) = model::function(sums).filter(|m| m.1 >= FLOOR)?;
    r.job_function = Facet::known(f, round(p));
    r.secondary_functions.retain(|s| *s != f);
    Some((f, (from, to)))
}

/// "Kaffee", "Pizza": one word that stands in names of occupations, and nobody's own name by its ending.
fn thing(words: &Words, items: &[Item], current: &[&Segment]) -> bool {
    const AGENTS: [&str; 12] = ["er", "or", "eur", "ist", "ant", "ent", "ar", "an", "mann", "graf", "wirt", "guard"];
    let [item] = items else { return false };
    let word = &*words.scan.tokens[item.tokens.0].text;
    let derived = item.sense.as_ref().is_some_and(|s| s.derived && !s.person);
    derived && !current.iter().any(|s| s.person) && !AGENTS.iter().any(|end| word.ends_with(end))
}

/// A title of one long word that no vocabulary knows ("Vertriebsmitabeiter"), where the model is sure.
fn by_letters(words: &Words, items: &[Item], mut r: TitleReading) -> TitleReading {
    const SURE: f64 = 0.75;
    let [item] = items else { return r };
    let at = item.tokens.0;
    let word = &*words.scan.tokens[at].text;
    if item.sense.is_some() || item.company || word.len() < 9 || !word.is_ascii() {
        return r;
    }
    if let Some((f, p)) = model::function(std::iter::once(words.model(at))).filter(|m| m.1 >= SURE) {
        r.job_function = Facet::known(f, round(p));
        r.seniority = Facet::known(Seniority::Professional, 0.3);
        r.evidence = smallvec::smallvec![TitleEvidence { span: item.span, means: means::model(f) }];
    }
    r
}

/// No current position: past, private or nothing.
fn without_position(items: &[Item], segments: &[Segment]) -> TitleReading {
    let has = |k: Kind| segments.iter().any(|s| s.kind == k && (s.person || s.scores.iter().any(|&x| x > 0.0)));
    let any = |k: Kind| segments.iter().any(|s| s.kind == k);
    let status = if has(Kind::Former) || has(Kind::Leave) || any(Kind::Former) {
        FacetStatus::Stale
    } else if any(Kind::Private) {
        FacetStatus::NotApplicable
    } else {
        FacetStatus::InsufficientEvidence
    };
    let mut r = TitleReading::nothing(status);
    r.evidence = evidence(items, segments, &r);
    r.evidence.retain(|e| matches!(e.means, "former" | "on_leave" | "private"));
    r
}

/// The highest level of the current positions; who is in training stays so beside plain work.
fn level(current: &[&Segment]) -> Option<(Seniority, f64)> {
    let levels = || current.iter().filter(|s| s.person).filter_map(|s| s.level);
    let top = levels().max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let lowest = levels().find(|(l, _)| *l == Seniority::Trainee);
    match (top, lowest) {
        (Some((l, _)), Some(t)) if l <= Seniority::Senior => Some(t),
        (Some(t), _) => Some(t),
        (None, _) => current.iter().filter(|s| s.power.is_none()).find_map(|s| s.level),
    }
}

fn add_up(current: &[&Segment]) -> [f32; N] {
    let mut scores = [0.0; N];
    let mut factor = 1.0;
    for s in current {
        for (sum, x) in scores.iter_mut().zip(&s.scores) {
            *sum += x * factor;
        }
        if s.scores.iter().any(|&x| x > 0.5) {
            factor *= 0.75;
        }
    }
    scores
}

/// Log-odds to probabilities, against the chance that the words mislead.
fn function(r: &mut TitleReading, scores: &[f32; N]) {
    const DOUBT: f64 = 1.35;
    let odds = scores.map(|s| if s > 0.15 { f64::from(s.min(4.0)).exp() } else { 0.0 });
    let sum: f64 = odds.iter().sum::<f64>() + DOUBT;
    let mut order: SmallVec<[usize; N]> = (0..N).filter(|&f| odds[f] > 0.0).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let Some(&first) = order.first() else { return };
    // What stands beside another function does not speak against the first, only for a second.
    let rival = order.get(1).map_or(0.0, |&f| odds[f]);
    let p = odds[first] / (DOUBT + odds[first] + rival * 0.7 + (sum - DOUBT - odds[first] - rival) * 0.3);
    let tied = order.get(1).is_some_and(|&f| scores[first] - scores[f] < 0.01) && scores[first] < 2.0;
    if p < FLOOR || scores[first] < 0.35 || tied {
        if order.len() > 1 && scores[first] >= 0.8 {
            r.job_function = Facet::abstain(FacetStatus::Conflicting);
        }
        return;
    }
    r.job_function = Facet::known(JobFunction::ALL[first], round(p));
    r.secondary_functions = order[1..]
        .iter()
        .filter(|&&f| scores[f] >= 0.75 && odds[f] / sum >= 0.08)
        .map(|&f| JobFunction::ALL[f])
        .filter(|f| *f != JobFunction::Other)
        .take(3)
        .collect();
}

/// Words known only from occupation names are right less often than their spread says: measured on a tenth of
/// ESCO and O*NET that was held out of the derived vocabulary (p 0.87 was right in 67%).
fn discount(r: &mut TitleReading, items: &[Item], current: &[&Segment]) {
    const DERIVED: f64 = 0.82;
    let Facet { value: Some(f), p: Some(p), .. } = r.job_function else { return };
    if !curated(r, items, current) {
        r.job_function = Facet::known(f, round((p * DERIVED).max(FLOOR)));
    }
}

/// Whether a word of our own vocabulary speaks for the function.
fn curated(r: &TitleReading, items: &[Item], current: &[&Segment]) -> bool {
    current
        .iter()
        .flat_map(|s| &s.function_notes)
        .any(|n| Some(n.1) == r.job_function.value && items[n.0].sense.as_ref().is_some_and(|s| !s.derived))
}

/// Somebody has an occupation that no function covers, or a position whose department is not told: `other`, with
/// a low probability.
fn occupation(r: &mut TitleReading, items: &[Item], current: &[&Segment], level: Option<(Seniority, f64)>) {
    // "Conversion Specialist": someone's work, but of no kind that the vocabularies know.
    let strange = |i: &Item| i.sense.is_none() && !i.company && !i.digits() && i.span.1 - i.span.0 >= 4;
    let person = current.iter().any(|s| s.person);
    let specified = current.iter().any(|s| s.person && items[s.items.0..s.items.1].iter().any(strange));
    match level {
        Some((Seniority::Trainee, _)) => r.job_function = Facet::known(JobFunction::Other, 0.5),
        Some((l, _)) if person && l <= Seniority::Senior && specified => {
            r.job_function = Facet::known(JobFunction::Other, 0.5);
        }
        Some((l, _)) if person && l <= Seniority::Vp => r.job_function = Facet::known(JobFunction::Other, FLOOR),
        _ => {}
    }
}

fn evidence(items: &[Item], segments: &[Segment], r: &TitleReading) -> SmallVec<[TitleEvidence; 6]> {
    let mut out: SmallVec<[TitleEvidence; 6]> = SmallVec::new();
    let named = |f: JobFunction| r.job_function.value == Some(f) || r.secondary_functions.contains(&f);
    for s in segments.iter().filter(|s| !matches!(s.kind, Kind::Nothing)) {
        let past = s.kind != Kind::Current;
        for &(i, means) in &s.notes {
            let says_level = means.starts_with("seniority=");
            let holds = r.seniority.value.is_some_and(|l| means.ends_with(l.as_str()));
            if (says_level && (past || !holds)) || (past && means.starts_with("signing")) {
                continue;
            }
            out.push(TitleEvidence { span: items[i].span, means });
        }
        for &(i, f, w) in s.function_notes.iter().filter(|n| !past && n.2 > 0.2 && named(n.1)) {
            debug_assert!(w > 0.0);
            out.push(TitleEvidence { span: items[i].span, means: means::function(f) });
        }
    }
    out.sort_by(|a, b| a.span.cmp(&b.span).then_with(|| a.means.cmp(b.means)));
    out.dedup();
    out
}

/// Three digits are more than the weights can promise.
fn round(p: f64) -> f64 {
    (p.clamp(0.0, 0.99) * 1000.0).round() / 1000.0
}
