//! How a title was read: which words by which rule, what the statistical model makes of it, and what calibration made
//! of the sum.
//!
//! Invariant: told of the very reading that [`TitleReader::read`](super::TitleReader::read) gives, value for value; a
//! title that reveals a special category is not explained but withheld.

use std::fmt;

use serde::Serialize;

use super::lexicon::Lexicon;
use super::means::{self, Means};
use super::model;
use super::parse::Item;
use super::reader::Parts;
use super::scan::CAP;
use super::segment::Segment;
use super::split::{self, Pattern};
use super::time::Kind;
use super::{TitleReader, TitleReading};
use crate::safe_text::safe_text;
use crate::taxonomy::{Facet, FacetStatus, JobFunction};

/// So many n-grams of the model are told.
const NGRAMS: usize = 8;

/// What gave a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Words of the vocabularies.
    Rules,
    /// The statistical model alone: no vocabulary knows the words.
    Model,
    /// The words are known from names of occupations only, and the model weighed them.
    RulesAndModel,
    /// No word tells; what holds where nothing is said.
    Default,
    /// There is no value.
    Nothing,
    /// The title reveals a special category and is not read.
    Withheld,
    /// It is empty, longer than any title, or looks like code, and is not read.
    Unread,
}

/// A word that says something, and the rule that it says it by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WordRule {
    /// As it stands in the title.
    pub word: String,
    /// Code points of the title, half-open.
    pub span: (usize, usize),
    /// What it says, for instance `head` or `procurement`.
    pub says: String,
    /// The kind of rule, in plain words.
    pub rule: String,
    /// The vocabulary entry that it was found by: folded and masculine.
    pub entry: String,
    /// How much it counts at its place in the title; functions only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_odds: Option<f32>,
}

/// What the statistical model makes of the words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSays {
    /// Whether the value rests on it; else it was asked for comparison only.
    pub used: bool,
    /// The most probable function.
    pub job_function: JobFunction,
    /// Its probability, before calibration.
    pub raw_probability: f64,
    /// The n-grams that weighed most for it, and their log-odds; `^` and `$` are the ends of a word.
    pub ngrams: Vec<(String, f64)>,
}

/// How one value came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueReading {
    /// The value.
    pub value: Option<String>,
    /// Why there is none, else `known`.
    pub status: FacetStatus,
    /// What gave it.
    pub by: By,
    /// The words, in the order of the title.
    pub words: Vec<WordRule>,
    /// The model; functions only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSays>,
    /// What words or model come to, before calibration.
    pub raw_probability: Option<f64>,
    /// After calibration: how often such a reading was right.
    pub probability: Option<f64>,
}

/// How a title was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TitleExplanation {
    /// The title.
    pub title: String,
    /// What the job is about.
    pub job_function: ValueReading,
    /// How high it stands.
    pub seniority: ValueReading,
    /// A power to sign.
    pub signing_power: ValueReading,
    /// Words about time and standing: `former`, `on_leave`, `private`, `deputy`, `acting`, `cover`.
    pub notes: Vec<WordRule>,
}

/// Explains a reading; `raw` is it before calibration, `parts` what the title was taken apart into.
pub(super) fn explain(
    lex: &Lexicon,
    title: &str,
    raw: &TitleReading,
    reading: &TitleReading,
    parts: &Parts,
) -> TitleExplanation {
    let t = Taken { lex, title, reading, parts };
    let function = reading.job_function.value;
    let level = reading.seniority.value.map(means::seniority);
    let power = reading.signing_power;
    let mut job_function = value(&raw.job_function, &reading.job_function, t.functions(function));
    job_function.model = t.model();
    job_function.by = t.by(&job_function, reading.evidence.iter().any(|e| e.means.starts_with("model:")));
    let mut seniority = value(&raw.seniority, &reading.seniority, t.noted(|m| Some(m) == level));
    seniority.by = t.by(&seniority, false);
    let stated = t.noted(|m| power.map(means::power) == Some(m));
    let status = power.map_or(FacetStatus::InsufficientEvidence, |_| FacetStatus::Known);
    let mut signing_power = ValueReading {
        value: power.map(|p| p.to_string()),
        status: if reading.special_category { FacetStatus::NotApplicable } else { status },
        by: By::Nothing,
        words: stated,
        model: None,
        raw_probability: None,
        probability: None,
    };
    signing_power.by = t.by(&signing_power, false);
    let notes = if reading.special_category { Vec::new() } else { t.noted(|m| !m.text().contains('=')) };
    TitleExplanation { title: title.to_owned(), job_function, seniority, signing_power, notes }
}

fn value<T: fmt::Display>(raw: &Facet<T>, f: &Facet<T>, words: Vec<WordRule>) -> ValueReading {
    ValueReading {
        value: f.value.as_ref().map(ToString::to_string),
        status: f.status,
        by: By::Nothing,
        words,
        model: None,
        raw_probability: raw.p,
        probability: f.p,
    }
}

/// A title taken apart.
struct Taken<'a> {
    lex: &'a Lexicon,
    title: &'a str,
    reading: &'a TitleReading,
    parts: &'a Parts,
}

impl Taken<'_> {
    fn by(&self, v: &ValueReading, model: bool) -> By {
        match () {
            () if self.reading.special_category => By::Withheld,
            () if self.parts.items.is_empty() => By::Unread,
            () if v.value.is_none() => By::Nothing,
            () if model && v.words.is_empty() => By::Model,
            () if model => By::RulesAndModel,
            () if v.words.is_empty() => By::Default,
            () => By::Rules,
        }
    }

    fn current(&self) -> impl Iterator<Item = &Segment> {
        self.parts.segments.iter().filter(|s| s.kind == Kind::Current && !self.reading.special_category)
    }

    /// The words that speak for a function.
    fn functions(&self, function: Option<JobFunction>) -> Vec<WordRule> {
        let notes = self.current().flat_map(|s| &s.function_notes).filter(|n| Some(n.1) == function && n.2 > 0.0);
        let mut words: Vec<WordRule> = notes
            .map(|&(at, f, log_odds)| WordRule { log_odds: Some(log_odds), ..self.word(at, f.as_str()) })
            .collect();
        words.sort_by_key(|w| w.span);
        // A word whose parts say the same says it once.
        words.dedup_by(|next, first| {
            let same = next.span == first.span;
            if same {
                first.log_odds = first.log_odds.zip(next.log_odds).map(|(a, b)| a + b);
            }
            same
        });
        words
    }

    /// The words of which something else was noted.
    fn noted(&self, is: impl Fn(Means) -> bool) -> Vec<WordRule> {
        let kinds = self.parts.segments.iter().filter(|s| s.kind != Kind::Nothing);
        let says = |means: &'static str| means.split_once('=').map_or(means, |(_, value)| value);
        let past = |s: &Segment, m: Means| s.kind != Kind::Current && m.text().contains('=');
        let mut words: Vec<WordRule> = kinds
            .flat_map(|s| s.notes.iter().filter(|n| is(n.1) && !past(s, n.1)))
            .map(|&(at, means)| self.word(at, says(means.text())))
            .collect();
        words.sort_by_key(|w| w.span);
        words.dedup();
        words
    }

    fn word(&self, at: u16, says: &str) -> WordRule {
        let item = &self.parts.items[usize::from(at)];
        let (from, to) = item.span;
        let tokens = &self.parts.scan.tokens[item.tokens.0..item.tokens.1];
        let (rule, entry) = match tokens {
            [word] => pattern(split::pattern(self.lex, &word.text)),
            words => {
                let entry = words.iter().map(|w| &*w.text).collect::<Vec<_>>().join(" ");
                ("a phrase of our own vocabulary".to_owned(), entry)
            }
        };
        let word = self.title.chars().skip(from).take(to - from).collect();
        WordRule { word, span: item.span, says: says.to_owned(), rule, entry, log_odds: None }
    }

    fn model(&self) -> Option<ModelSays> {
        let read = |i: &&Item| !i.company && !i.digits();
        let items = self.current().flat_map(|s| &self.parts.items[s.items.0..s.items.1]).filter(read);
        let words: Vec<&str> =
            items.flat_map(|i| &self.parts.scan.tokens[i.tokens.0..i.tokens.1]).map(|t| &*t.text).collect();
        let (job_function, raw_probability) =
            model::function(words.iter().map(|w| model::sums(w)).collect::<Vec<_>>().iter())?;
        let used = self.reading.evidence.iter().any(|e| e.means == means::model(job_function).text());
        let mut ngrams = model::weights(&words, job_function);
        ngrams.truncate(NGRAMS);
        Some(ModelSays { used, job_function, raw_probability, ngrams })
    }
}

/// A pattern in plain words, and the entry.
fn pattern(p: Pattern) -> (String, String) {
    match p {
        Pattern::Listed(entry) => ("a word of our own vocabulary".to_owned(), entry),
        Pattern::Abbreviation(entry) => ("an abbreviation of several jobs, of our own vocabulary".to_owned(), entry),
        Pattern::Compound(head, parts) => {
            let parts = if parts.is_empty() { String::new() } else { format!(" with {}", parts.join(", ")) };
            (format!("a compound of our own vocabulary{parts}"), head)
        }
        Pattern::Derived(entry) => ("a word of occupation names (ESCO, O*NET)".to_owned(), entry),
        Pattern::Form(entry) => ("the form of the word".to_owned(), entry),
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rules => "given by rules, the words of the vocabularies",
            Self::Model => "given by the statistical model alone: no vocabulary tells, so the letters do",
            Self::RulesAndModel => {
                "given by words of occupation names and by the statistical model, as no word of our own vocabulary tells"
            }
            Self::Default => "given by no word: it is what holds where a title says nothing of it",
            Self::Nothing => "not told by the title",
            Self::Withheld => "withheld: the title reveals a special category of data and is not read",
            Self::Unread => "not read: the title is empty, longer than any title, or looks like code",
        })
    }
}

impl fmt::Display for WordRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" says {}: {}, \"{}\"", safe_text(&self.word), self.says, self.rule, self.entry)?;
        self.log_odds.map_or(Ok(()), |l| write!(f, ", {l:+.2} of log-odds at its place"))
    }
}

impl fmt::Display for ModelSays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { job_function, raw_probability, ngrams, used } = self;
        let asked = if *used { "statistical model" } else { "statistical model, not used, for comparison" };
        let ngrams: Vec<String> = ngrams.iter().map(|(gram, w)| format!("{gram} {w:+.2}")).collect();
        write!(f, "{asked}: {job_function}, {raw_probability:.3}; most by {}", ngrams.join(", "))
    }
}

impl fmt::Display for ValueReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; {}", self.value.as_deref().unwrap_or(self.status.as_str()), self.by)?;
        for w in &self.words {
            writeln!(f, "    {w}")?;
        }
        if let Some(m) = &self.model {
            writeln!(f, "    {m}")?;
        }
        if let (Some(raw), Some(p)) = (self.raw_probability, self.probability) {
            let share = p * 100.0;
            writeln!(
                f,
                "    raw probability {raw:.3}; calibration: such readings were right in {share:.1} %, so {p:.3}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for TitleExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = self.title.char_indices().nth(CAP).map(|(at, _)| at);
        let (read, more) = cut.map_or((&*self.title, ""), |at| (&self.title[..at], " … (only this much is read)"));
        writeln!(f, "{}{more}", safe_text(read))?;
        write!(f, "  function: {}", self.job_function)?;
        write!(f, "  seniority: {}", self.seniority)?;
        write!(f, "  signing power: {}", self.signing_power)?;
        self.notes.iter().try_for_each(|n| writeln!(f, "  beside that: {n}"))
    }
}

impl TitleReader {
    /// How a title is read, value for value as [`Self::read`] reads it.
    pub fn explain(&self, title: &str) -> TitleExplanation {
        super::reader::explained(&self.lexicon, title)
    }
}
