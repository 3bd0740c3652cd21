//! What lists tell, laid over what sentences tell.
//!
//! Invariant: what a list tells of roles is read in the list alone; a sentence would see but one line of it.

use super::super::guard::{Run, Scrubbed};
use super::super::mail::Voice;
use super::super::part::Part;
use super::super::role_lines::{self, Meant, ROLE_LINES, Told};
use super::super::rules::Tag;
use super::super::sentence::Read;
use super::super::statement::Statement;
use super::super::{Polarity, TextKind, TextSignal};
use super::{MAX_WORDS, Reader};

impl Reader<'_> {
    /// The roles that the lists of a text tell.
    pub(super) fn lists(&self, scrubbed: &Scrubbed<'_>, sentences: &[Read<'_>], whose: &[Voice]) -> Vec<Statement> {
        if self.kind != TextKind::Note {
            return Vec::new();
        }
        let (mut told, mut from) = (Vec::new(), 0);
        for run in scrubbed.runs() {
            let end = from + run.parts();
            let meant = meant(&sentences[from..end], &whose[from..end]);
            let of_run = role_lines::read(&run, &meant, &self.directory);
            told.extend(of_run.into_iter().map(|told| self.statement(&run, &told)));
            from = end;
        }
        told
    }

    fn statement(&self, run: &Run<'_>, told: &Told) -> Statement {
        let (quote, span) = run.written(told.cells.clone());
        let signal = TextSignal {
            subject: self.setting.contacts[told.contact].id.clone(),
            family: "buying_role".to_owned(),
            value: told.role.as_str().to_owned(),
            phase: None,
            polarity: Polarity::Plus,
            quote: quote.to_owned(),
            span,
            p: ROLE_LINES.p,
        };
        Statement { signal, implied: false, contradicted: false }
    }
}

/// How the words of sentences are meant.
fn meant(sentences: &[Read<'_>], whose: &[Voice]) -> Meant {
    let mut meant = Meant::default();
    for (sentence, voice) in sentences.iter().zip(whose) {
        let (start, count) = (meant.doubtful.len(), sentence.tokens.len());
        let left_out = *voice != Voice::Note || sentence.is_of_another() || count > MAX_WORDS;
        meant.begins.push(start);
        meant.left_out.resize(start + count, left_out);
        meant.asked.resize(start + count, sentence.is_question());
        meant.doubtful.extend(sentence.tokens.iter().map(|t| t.word.is(Part::HEDGE)));
        let doubts = |tag: &Tag| matches!(tag, Tag::Negation | Tag::Veto);
        for found in sentence.context.iter().filter(|found| doubts(found.tag)) {
            meant.doubtful[start..][found.tokens.clone()].fill(true);
        }
    }
    meant
}

/// What sentences tell, but for roles where a list tells them.
pub(super) fn laid_over(mut read: Vec<Statement>, lists: Vec<Statement>) -> Vec<Statement> {
    if lists.is_empty() {
        return read;
    }
    let overlaps = |a: [usize; 2], b: [usize; 2]| a[0] < b[1] && b[0] < a[1];
    let is_told = |s: &Statement| lists.iter().any(|list| overlaps(list.signal.span, s.signal.span));
    read.retain(|s| s.signal.family != "buying_role" || !is_told(s));
    read.extend(lists);
    read
}
