//! Job titles: what a title says about function, seniority and signing power, in German and English.
//!
//! Invariant: a pure function of the title and the shipped vocabularies; no value without evidence or a
//! stated default; titles that reveal special categories (Art. 9 GDPR) yield nothing at all.

mod attach;
mod build;
mod calibration;
mod class;
mod combine;
mod explain;
mod french;
mod gender;
mod guarded;
mod judge;
mod lemma;
mod letters;
mod level;
mod lexicon;
mod lines;
mod means;
mod memo;
mod model;
mod names;
mod parse;
mod quote;
mod reader;
mod scan;
mod segment;
mod sense;
mod set;
mod short;
mod speech;
mod split;
mod time;
mod tongue;
mod word;

#[cfg(test)]
mod explain_tests;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::taxonomy::{Facet, FacetStatus, JobFunction, Language, Seniority, SigningPower};

pub use explain::{By, ModelSays, TitleExplanation, ValueReading, WordRule};
pub use lines::{explain_lines, title_lines};
pub use model::BUCKETS as MODEL_BUCKETS;

/// Longer titles (in bytes) are rare and not remembered.
const LONGEST_REMEMBERED: usize = 160;

thread_local! {
    // There is one shipped reader, so the title alone is the key.
    static TITLES: RefCell<memo::Memo<Box<str>, Rc<TitleReading>>> = RefCell::new(memo::Memo::new(1 << 16));
    static SEEN: RefCell<memo::Seen> = RefCell::new(memo::Seen::new(1 << 16));
}

/// Name and version of this extractor, as it stands in the evidence table.
pub const EXTRACTOR: &str = "title/1";

/// Reads titles with the shipped vocabularies.
pub struct TitleReader {
    lexicon: lexicon::Lexicon,
}

/// Where in a title something was read, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleEvidence {
    /// Code points of the given title, half-open.
    pub span: (usize, usize),
    /// For instance `job_function=procurement`, `seniority=head`, `signing_power=prokura`, `deputy`, `former`.
    pub means: &'static str,
}

/// What a title says.
#[derive(Debug, Clone, PartialEq)]
pub struct TitleReading {
    /// What the job is about.
    pub job_function: Facet<JobFunction>,
    /// Further functions, most certain first.
    pub secondary_functions: SmallVec<[JobFunction; 4]>,
    /// How high the position stands.
    pub seniority: Facet<Seniority>,
    /// A registered power to sign, where the title states it.
    pub signing_power: Option<SigningPower>,
    /// The language of the title, where its words tell.
    pub language: Option<Language>,
    /// What the reading rests on, in the order of the title.
    pub evidence: SmallVec<[TitleEvidence; 6]>,
    /// The title reveals a special category; everything else is withheld.
    pub special_category: bool,
}

impl TitleReading {
    /// A reading that says nothing, and why.
    fn nothing(status: FacetStatus) -> Self {
        Self {
            job_function: Facet::abstain(status),
            secondary_functions: SmallVec::new(),
            seniority: Facet::abstain(status),
            signing_power: None,
            language: None,
            evidence: SmallVec::new(),
            special_category: false,
        }
    }
}

impl TitleReader {
    /// The reader over the vocabularies that ship with the program; loaded on first use.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<TitleReader> = LazyLock::new(|| TitleReader { lexicon: lexicon::Lexicon::shipped() });
        &SHIPPED
    }

    /// Reads one title. Total: any text gives an answer, most texts that are no title an abstention.
    ///
    /// At most the first 400 code points are read.
    pub fn read(&self, title: &str) -> TitleReading {
        self.lend(title, Clone::clone)
    }

    /// Lends the reading of a title. Titles that came twice are remembered (bounded, per thread), so that the titles
    /// that everybody has cost one look-up and no allocation.
    pub fn lend<R>(&self, title: &str, take: impl FnOnce(&TitleReading) -> R) -> R {
        if let Some(known) = TITLES.with_borrow(|memo| memo.get(title).map(Rc::clone)) {
            return take(&known);
        }
        let reading = reader::read(&self.lexicon, title);
        // Remembered from the second time on: most titles of a long list never come again.
        if title.len() <= LONGEST_REMEMBERED && SEEN.with_borrow_mut(|seen| seen.again(title)) {
            TITLES.with_borrow_mut(|memo| memo.put(title.into(), Rc::new(reading.clone())));
        }
        take(&reading)
    }

    /// The title in gender-neutral form for storage, without company; empty where nothing may be stored.
    pub fn quote(&self, title: &str) -> String {
        reader::quoted(&self.lexicon, title)
    }

    /// The title as the guard of free text shall read it: pronouns dropped, listed job vocabulary ("Betriebsarzt")
    /// replaced by a neutral word. For that check only, never for storage.
    pub fn for_guard(&self, title: &str) -> String {
        guarded::guarded(&self.lexicon, title)
    }

    /// Reads one title afresh, past the memory of whole titles. Where its words have come before, nothing is allocated
    /// but for rare shapes (many parts, several functions).
    pub fn read_afresh(&self, title: &str) -> TitleReading {
        reader::read(&self.lexicon, title)
    }

    /// The hashed features of a title, as the model reads them: for the tool that trains it.
    pub fn model_features(title: &str) -> Vec<u32> {
        let mut out = Vec::new();
        scan::scan(title).tokens.iter().for_each(|t| model::features(&t.text, &mut out));
        out
    }

    /// The words of a title as the vocabularies spell them: folded, masculine. For tools that derive vocabularies.
    pub fn words(title: &str) -> Vec<String> {
        scan::scan(title).tokens.into_iter().map(|t| t.text.to_string()).collect()
    }
}
