//! Segments to one reading: what holds now, what is past, which function is first, how sure.
//!
//! Invariant: deterministic; a value has p of at least `FLOOR`, everything else abstains with its reason.

use smallvec::SmallVec;

use super::calibration::round;
use super::lexicon::{Lexicon, flag};
use super::means::{self, Means};
use super::model::{self, Sums};
use super::parse::Item;
use super::scan::Scan;
use super::segment::{N, Scores, Segment};
use super::time::Kind;
use super::{TitleEvidence, TitleReading};
use crate::taxonomy::{Facet, FacetStatus, JobFunction, Seniority};

/// Below this probability a function is not named.
const FLOOR: f64 = 0.42;

/// The words of a title and what is known about each.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub lex: &'a Lexicon,
    pub scan: &'a Scan,
    pub items: &'a [Item],
}

impl<'a> Words<'a> {
    fn model(self, k: usize) -> &'a Sums {
        let word = &self.scan.tokens[k].text;
        word.known(self.lex).model(word)
    }
}

/// A title in its parts.
#[derive(Clone, Copy)]
struct Title<'a> {
    words: Words<'a>,
    items: &'a [Item],
    segments: &'a [Segment],
}

/// Into a reading that says nothing yet.
pub(super) fn combine(words: Words, segments: &mut [Segment], r: &mut TitleReading) {
    for s in segments.iter_mut() {
        s.counts = s.kind == Kind::Current && (s.person || s.power.is_some() || s.scores.over(0.0));
    }
    // "Freelancer / Consultant": what one does tells more than how one is employed.
    if segments.iter().any(|s| s.counts && s.person && !s.state) {
        for s in segments.iter_mut() {
            s.counts &= !s.state;
        }
    }
    let t = Title { words, items: words.items, segments };
    if t.current().next().is_none() {
        t.without_position(r);
        if r.job_function.status == FacetStatus::InsufficientEvidence {
            t.by_letters(r);
        }
    } else {
        t.reading(r);
    }
}

impl<'a> Title<'a> {
    fn current(self) -> impl Iterator<Item = &'a Segment> + Clone {
        self.segments.iter().filter(|s| s.counts)
    }

    /// The items of a segment.
    fn of(self, s: &Segment) -> &'a [Item] {
        &self.items[s.items.0..s.items.1]
    }

    fn any(self, flags: u64) -> bool {
        self.current().any(|s| s.any & flags != 0)
    }

    fn reading(self, r: &mut TitleReading) {
        let level = self.level();
        if let Some((l, p)) = level {
            r.seniority = Facet::known(l, round(p));
        }
        r.signing_power = self.current().find_map(|s| s.power);
        let mut scores = self.add_up();
        self.halve_management(&mut scores);
        function(r, &scores);
        let curated = self.curated(r);
        if !curated {
            discount(r);
        }
        let guessed = if curated { None } else { self.guess(r) };
        if r.job_function.value == Some(JobFunction::Other) && self.thing() {
            *r = TitleReading::nothing(FacetStatus::InsufficientEvidence);
            return;
        }
        let executive = level.is_some_and(|(l, _)| l >= Seniority::CLevel);
        if executive && r.job_function.status == FacetStatus::InsufficientEvidence {
            r.job_function = Facet::known(JobFunction::ExecutiveManagement, 0.6);
        }
        // What one studies is known from its name alone, and no function: "Student der Betriebswirtschaftslehre".
        let studies = self.any(flag::STUDENT) && level.is_none_or(|(l, _)| l == Seniority::Trainee);
        if studies && !self.curated(r) {
            r.job_function = Facet::abstain(FacetStatus::InsufficientEvidence);
        }
        if r.job_function.value.is_none() && r.job_function.status != FacetStatus::Conflicting {
            self.occupation(r, level);
        }
        let not_yet = r.job_function.value != Some(JobFunction::ExecutiveManagement)
            && !r.secondary_functions.contains(&JobFunction::ExecutiveManagement);
        if executive && not_yet && r.job_function.value.is_some() {
            r.secondary_functions.push(JobFunction::ExecutiveManagement);
        }
        self.evidence(r, guessed.filter(|g| r.job_function.value == Some(g.0)));
    }

    /// "Gründer & CTO" works in the department that he is chief of; so does a member of the management that leads one.
    fn halve_management(self, scores: &mut Scores) {
        let executive = JobFunction::ExecutiveManagement;
        if scores.of(executive) == 0.0 || self.current().nth(1).is_none() {
            return;
        }
        let body = |s: &Segment| self.of(s).iter().any(|i| i.has(flag::BODY) && i.person());
        let member = self.current().any(|s| s.any & flag::BODY != 0 && body(s));
        let least = if member { Seniority::Head } else { Seniority::CLevel };
        let chief = |s: &Segment| {
            s.level.is_some_and(|(l, _)| l >= least && l <= Seniority::CLevel)
                && s.scores.of(executive) == 0.0
                && s.scores.each().any(|(_, x)| x >= 2.0)
        };
        if self.current().any(chief) {
            scores.set(executive, scores.of(executive) * 0.5);
        }
    }

    /// Where no word of our own vocabulary tells the function, the model does: words that it has never seen by their
    /// letters, all others better than their spread over occupation names. Returns what it said, and of which words.
    fn guess(self, r: &mut TitleReading) -> Option<(JobFunction, (usize, usize))> {
        if r.job_function.status == FacetStatus::Conflicting {
            return None;
        }
        let read = || self.current().flat_map(|s| self.of(s)).filter(|i| !i.company && !i.digits());
        let strange = |i: &&Item| i.sense.as_ref().is_none_or(|s| s.derived) && i.span.1 - i.span.0 >= 4;
        let from = read().filter(strange).map(|i| i.span.0).min()?;
        let to = read().filter(strange).map(|i| i.span.1).max()?;
        let sums = read().flat_map(|i| i.tokens.0..i.tokens.1).map(|k| self.words.model(k));
        let (f, p) = model::function(sums).filter(|m| m.1 >= FLOOR)?;
        r.job_function = Facet::known(f, round(p));
        r.secondary_functions.retain(|s| *s != f);
        Some((f, (from, to)))
    }

    /// "Kaffee", "Pizza": one word that stands in names of occupations, and nobody's own name by its ending.
    fn thing(self) -> bool {
        const AGENTS: [&str; 12] =
            ["er", "or", "eur", "ist", "ant", "ent", "ar", "an", "mann", "graf", "wirt", "guard"];
        let [item] = self.items else { return false };
        let word = &*self.words.scan.tokens[item.tokens.0].text;
        let derived = item.sense.as_ref().is_some_and(|s| s.derived && !s.person);
        derived && !self.current().any(|s| s.person) && !AGENTS.iter().any(|end| word.ends_with(end))
    }

    /// A title of one long word that no vocabulary knows ("Vertriebsmitabeiter"), where the model is sure.
    fn by_letters(self, r: &mut TitleReading) {
        const SURE: f64 = 0.75;
        let [item] = self.items else { return };
        let at = item.tokens.0;
        let word = &*self.words.scan.tokens[at].text;
        if item.sense.is_some() || item.company || word.len() < 9 || !word.is_ascii() {
            return;
        }
        if let Some((f, p)) = model::function(std::iter::once(self.words.model(at))).filter(|m| m.1 >= SURE) {
            r.job_function = Facet::known(f, round(p));
            r.seniority = Facet::known(Seniority::Professional, 0.3);
            r.evidence = smallvec::smallvec![TitleEvidence { span: item.span, means: means::model(f).text() }];
        }
    }

    /// No current position: past, private or nothing.
    fn without_position(self, r: &mut TitleReading) {
        let has = |k: Kind| self.segments.iter().any(|s| s.kind == k && (s.person || s.scores.over(0.0)));
        let any = |k: Kind| self.segments.iter().any(|s| s.kind == k);
        let status = if has(Kind::Former) || has(Kind::Leave) || any(Kind::Former) {
            FacetStatus::Stale
        } else if any(Kind::Private) {
            FacetStatus::NotApplicable
        } else {
            FacetStatus::InsufficientEvidence
        };
        (r.job_function, r.seniority) = (Facet::abstain(status), Facet::abstain(status));
        self.evidence(r, None);
        r.evidence.retain(|e| [means::FORMER, means::ON_LEAVE, means::PRIVATE].iter().any(|m| m.text() == e.means));
    }

    /// The highest level of the current positions; who is in training stays so beside plain work.
    fn level(self) -> Option<(Seniority, f64)> {
        let levels = || self.current().filter(|s| s.person).filter_map(|s| s.level);
        let top = levels().max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        match top {
            Some((l, _)) if l <= Seniority::Senior => levels().find(|(l, _)| *l == Seniority::Trainee).or(top),
            Some(_) => top,
            None => self.current().filter(|s| s.power.is_none()).find_map(|s| s.level),
        }
    }

    fn add_up(self) -> Scores {
        let mut scores = Scores::default();
        let mut factor = 1.0;
        for s in self.current() {
            s.scores.each().for_each(|(f, x)| scores.add(f, x * factor));
            if s.scores.over(0.5) {
                factor *= 0.75;
            }
        }
        scores
    }

    /// Whether a word of our own vocabulary speaks for the function.
    fn curated(self, r: &TitleReading) -> bool {
        let Some(value) = r.job_function.value else { return false };
        let own = |i: u16| self.items[usize::from(i)].sense.as_ref().is_some_and(|s| !s.derived);
        self.current().any(|s| s.function_notes.iter().any(|n| n.1 == value && own(n.0)))
    }

    /// Somebody has an occupation that no function covers, or a position whose department is not told: `other`, with
    /// a low probability.
    fn occupation(self, r: &mut TitleReading, level: Option<(Seniority, f64)>) {
        // "Conversion Specialist": someone's work, but of no kind that the vocabularies know.
        let strange = |i: &Item| i.sense.is_none() && !i.company && !i.digits() && i.span.1 - i.span.0 >= 4;
        let person = self.current().any(|s| s.person);
        let specified = || self.current().any(|s| s.person && self.of(s).iter().any(strange));
        match level {
            Some((Seniority::Trainee, _)) => r.job_function = Facet::known(JobFunction::Other, 0.5),
            Some((l, _)) if person && l <= Seniority::Senior && specified() => {
                r.job_function = Facet::known(JobFunction::Other, 0.5);
            }
            Some((l, _)) if person && l <= Seniority::Vp => r.job_function = Facet::known(JobFunction::Other, FLOOR),
            _ => {}
        }
    }

    /// What the reading rests on, with what the model said of which words.
    fn evidence(self, r: &mut TitleReading, guessed: Option<(JobFunction, (usize, usize))>) {
        // Span and meaning in one number, in the order of both; each once.
        let mut found: SmallVec<[u64; 16]> = SmallVec::new();
        let mut find = |(start, end): (usize, usize), means: Means| {
            let n = ((start as u64) << 32) | ((end as u64) << 16) | u64::from(means.0);
            let at = found.iter().rposition(|&known| known <= n).map_or(0, |at| at + 1);
            if at == 0 || found[at - 1] != n {
                found.insert(at, n);
            }
        };
        let span = |i: u16| self.items[usize::from(i)].span;
        let level = r.seniority.value.map(means::seniority);
        let named = |f: JobFunction| r.job_function.value == Some(f) || r.secondary_functions.contains(&f);
        for s in self.segments.iter().filter(|s| s.kind != Kind::Nothing) {
            let past = s.kind != Kind::Current;
            for &(i, means) in &s.notes {
                let holds =
                    if means.is_seniority() { !past && Some(means) == level } else { !(past && means.is_power()) };
                if holds {
                    find(span(i), means);
                }
            }
            for &(i, f, _) in s.function_notes.iter().filter(|n| !past && n.2 > 0.2 && named(n.1)) {
                find(span(i), means::function(f));
            }
        }
        if let Some((f, span)) = guessed {
            find(span, means::model(f));
        }
        for n in found {
            let part = |at: u32| usize::from((n >> at) as u16);
            r.evidence.push(TitleEvidence { span: (part(32), part(16)), means: Means(n as u8).text() });
        }
    }
}

/// Log-odds to probabilities, against the chance that the words mislead.
fn function(r: &mut TitleReading, scores: &Scores) {
    const DOUBT: f64 = 1.35;
    let mut order: SmallVec<[(JobFunction, f32, f64); N]> = SmallVec::new();
    let mut sum = 0.0;
    for (f, score) in scores.each().filter(|s| s.1 > 0.15) {
        let odds = f64::from(score.min(4.0)).exp();
        sum += odds;
        let at = order.iter().position(|o| o.1.total_cmp(&score).is_lt()).unwrap_or(order.len());
        order.insert(at, (f, score, odds));
    }
    sum += DOUBT;
    let Some((&(first, score, odds), others)) = order.split_first() else { return };
    // What stands beside another function does not speak against the first, only for a second.
    let rival = others.first().map_or(0.0, |o| o.2);
    let p = odds / (DOUBT + odds + rival * 0.7 + (sum - DOUBT - odds - rival) * 0.3);
    let tied = others.first().is_some_and(|o| score - o.1 < 0.01) && score < 2.0;
    if p < FLOOR || score < 0.35 || tied {
        if !others.is_empty() && score >= 0.8 {
            r.job_function = Facet::abstain(FacetStatus::Conflicting);
        }
        return;
    }
    r.job_function = Facet::known(first, round(p));
    let stands = |o: &&(JobFunction, f32, f64)| o.1 >= 0.75 && o.2 / sum >= 0.08 && o.0 != JobFunction::Other;
    others.iter().filter(stands).take(3).for_each(|o| r.secondary_functions.push(o.0));
}

/// Words known only from occupation names are right less often than their spread says: measured on a tenth of
/// ESCO and O*NET that was held out of the derived vocabulary (p 0.87 was right in 67%).
fn discount(r: &mut TitleReading) {
    const DERIVED: f64 = 0.82;
    if let Facet { value: Some(f), p: Some(p), .. } = r.job_function {
        r.job_function = Facet::known(f, round((p * DERIVED).max(FLOOR)));
    }
}
