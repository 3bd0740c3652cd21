//! A title as the guard of free text shall read it: without pronouns, and with a neutral word for job vocabulary.
//!
//! Invariant: only listed words are put aside; everything else reaches the guard as written.

use serde::Deserialize;

use super::build::fold;
use super::lexicon::Lexicon;
use super::parse::Known;
use super::scan::{self, Sep, Token};

/// Stands for a word that was put aside; it says that the text is about work, and nothing else.
const NEUTRAL: &str = "Manager";

/// The words of jobs, as they stand in `titles.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawJobWords {
    jobs: Vec<String>,
    fields: Vec<String>,
}

/// The words of jobs.
pub(super) struct JobWords {
    jobs: Vec<Vec<Pattern>>,
    /// Only beside another word of a position.
    fields: Vec<Vec<Pattern>>,
}

/// A folded word, open at one or both ends.
struct Pattern {
    text: String,
    open_start: bool,
    open_end: bool,
}

impl Pattern {
    fn new(word: &str) -> Self {
        let text = fold(word.trim_matches('*'));
        Self { text, open_start: word.starts_with('*'), open_end: word.ends_with('*') }
    }

    fn fits(&self, word: &str) -> bool {
        match (self.open_start, self.open_end) {
            (false, false) => word == self.text,
            (true, false) => word.ends_with(&self.text),
            (false, true) => word.starts_with(&self.text),
            (true, true) => word.contains(&self.text),
        }
    }
}

impl JobWords {
    pub(super) fn new(raw: &RawJobWords) -> Self {
        let all = |list: &[String]| list.iter().map(|p| p.split(' ').map(Pattern::new).collect()).collect();
        Self { jobs: all(&raw.jobs), fields: all(&raw.fields) }
    }
}

/// How many words at the start of `t` a pattern of `list` covers; 0 where none does.
fn covered(list: &[Vec<Pattern>], t: &[Token]) -> usize {
    let fits = |p: &&Vec<Pattern>| {
        p.len() <= t.len()
            && p.iter().zip(t).all(|(p, t)| p.fits(&t.text))
            && t[1..p.len()].iter().all(|t| t.before <= Sep::Amp)
    };
    list.iter().filter(fits).map(Vec::len).max().unwrap_or(0)
}

/// Whether token `k` stands beside a word of a position, linkers between them aside.
fn beside_position(tokens: &[Token], known: &[&Known], k: usize) -> bool {
    let says = |i: usize| known[i].sense.as_ref().is_some_and(|s| !s.derived && (s.person || !s.functions.is_empty()));
    let linker = |i: usize| known[i].sense.as_ref().is_some_and(|s| s.flags & super::lexicon::flag::LINKER != 0);
    let close = |i: usize| tokens[i].before < Sep::Comma;
    let before = (0..k).rev().take_while(|&i| close(i + 1)).find(|&i| !linker(i));
    let after = (k + 1..tokens.len()).take_while(|&i| close(i)).find(|&i| !linker(i));
    before.is_some_and(says) || after.is_some_and(says)
}

/// The title for the guard.
pub(super) fn guarded(lex: &Lexicon, title: &str) -> String {
    let scan = scan::scan(title);
    let known: Vec<_> = scan.tokens.iter().map(|t| t.text.known(lex)).collect();
    let mut aside: Vec<((usize, usize), &str)> = scan.pronouns.iter().map(|&p| (p, "")).collect();
    let t = &scan.tokens;
    let mut k = 0;
    while k < t.len() {
        let job = covered(&lex.job_words.jobs, &t[k..]);
        let field = || beside_position(t, &known, k).then(|| covered(&lex.job_words.fields, &t[k..]));
        let n = if job > 0 { job } else { field().unwrap_or(0) };
        if n > 0 {
            aside.push(((t[k].span.0, t[k + n - 1].span.1), NEUTRAL));
        }
        k += n.max(1);
    }
    aside.sort_unstable();
    let mut out = String::with_capacity(title.len());
    let mut chars = title.chars().enumerate().peekable();
    for ((from, to), word) in aside {
        while let Some((_, c)) = chars.next_if(|(at, _)| *at < from) {
            out.push(c);
        }
        out.push_str(word);
        while chars.next_if(|(at, _)| *at < to).is_some() {}
    }
    out.extend(chars.map(|(_, c)| c));
    out
}
