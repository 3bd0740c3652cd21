//! The lexicons of special categories: `config/lexicon/special_categories/*.yaml`.
//!
//! Invariant: they are embedded and checked at first use; a lexicon that cannot be read is a bug,
//! and there is no way to guard with half of them.

use std::collections::BTreeSet;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::automaton::OverlappingState;
use aho_corasick::{AhoCorasick, Anchored, Input, Match, MatchKind, StartKind};
use rustc_hash::FxHashSet;
use serde::Deserialize;

use super::SpecialCategory;
use super::categories::Categories;
use super::disguise::{Disguise, SHORTEST_TORN};
use super::meets::only_meets;
use super::token::{Spelling, Token, plain_words};
use crate::extract::text::memory::Set;
use crate::extract::text::phrase::{Found, Glob, PatternError, Phrases, Sets, View, globs, pattern_words};
use crate::extract::text::topics::TOPICS;
use crate::taxonomy::Language;

const CATEGORIES: &[&str] = &[
    include_str!("../../../../config/lexicon/special_categories/ethnic_origin.yaml"),
    include_str!("../../../../config/lexicon/special_categories/political_opinion.yaml"),
    include_str!("../../../../config/lexicon/special_categories/religion_belief.yaml"),
    include_str!("../../../../config/lexicon/special_categories/union_membership.yaml"),
    include_str!("../../../../config/lexicon/special_categories/genetic.yaml"),
    include_str!("../../../../config/lexicon/special_categories/biometric.yaml"),
    include_str!("../../../../config/lexicon/special_categories/health.yaml"),
    include_str!("../../../../config/lexicon/special_categories/sex_life_orientation.yaml"),
    include_str!("../../../../config/lexicon/special_categories/criminal_offence.yaml"),
];
const CONTEXT: &str = include_str!("../../../../config/lexicon/special_categories/context.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCategory {
    version: u32,
    category: SpecialCategory,
    /// What the list covers and how it was made.
    source: String,
    /// Words and literal phrases, one an entry; a sentence with one is withheld.
    #[serde(default)]
    words: Vec<String>,
    /// The same with pattern syntax.
    patterns: Vec<String>,
    /// Private-life cues that reveal it in most, not all uses: they count in a clause without business content.
    #[serde(default)]
    hint_words: Vec<String>,
    /// The same with pattern syntax.
    #[serde(default)]
    hints: Vec<String>,
    /// Words that are harmless in English: passed over where the text is known to be English.
    #[serde(default)]
    german: Vec<String>,
    /// Words that are harmless in German: passed over where the text is known to be German.
    #[serde(default)]
    english: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContext {
    version: u32,
    source: String,
    sets: Sets,
    /// What business clauses speak of: a clause with such a word is not private life.
    business: Vec<String>,
    /// What else notes about work speak of: contact, work, attitudes at work.
    work: Vec<String>,
    /// Who a sentence about a person is about.
    personal: Vec<String>,
    /// Business phrases that look like a hit and are none.
    benign: Vec<String>,
    /// What gives a neighbouring sentence away once its neighbour is withheld.
    follows: Vec<String>,
    /// Openings that continue the sentence before.
    continues: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum LexiconError {
    #[error("lexicon file {file} does not parse: {message}")]
    Yaml { file: usize, message: String },
    #[error("lexicon file {file} has version {version} or no source")]
    Version { file: usize, version: u32 },
    #[error("lexicon file {file}: {word:?} is no literal word or phrase")]
    NoLiteral { file: usize, word: String },
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tag {
    /// The language that the word is special in, where it is not in both.
    Special(SpecialCategory, Option<Language>),
    /// A cue of private life; special where its clause has no business content.
    Hint(SpecialCategory),
    Business,
    Work,
    Personal,
    Benign,
    Follows,
    Continues,
}

/// What the lexicons say about one sentence.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Verdict {
    /// Categories that it carries.
    pub(super) special: Categories,
    /// It speaks of a person, and of nothing that belongs to work.
    private: bool,
    /// It gives something away beside a withheld sentence.
    pub(super) follows: bool,
    /// It begins by pointing back.
    pub(super) continues: bool,
}

pub(super) struct Lexicon {
    phrases: Phrases<Tag>,
    /// Stems for words whose ends are uncertain; many texts have none of these.
    needles: Vec<String>,
    loose: OnceLock<AhoCorasick>,
    loose_tags: Vec<(SpecialCategory, usize)>,
    /// What is looked for by them, sorted.
    stems: Vec<String>,
    /// The first bytes of those that count in words that were torn.
    torn: FxHashSet<[u8; SHORTEST_TORN]>,
}

/// The embedded lexicons.
pub(super) static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::embedded().expect("the embedded lexicons are sound"));

impl Lexicon {
    fn embedded() -> Result<Self, LexiconError> {
        let context: RawContext = parse(CONTEXT, 0)?;
        check(context.version, &context.source, 0)?;
        let (mut patterns, mut listed) = (Vec::new(), Vec::new());
        for (file, text) in CATEGORIES.iter().enumerate() {
            let raw: RawCategory = parse(text, file + 1)?;
            check(raw.version, &raw.source, file + 1)?;
            let words = literals(raw.words, file + 1)?;
            listed.extend(words.iter().cloned().map(|w| (w, raw.category)));
            let hints = literals(raw.hint_words, file + 1)?.into_iter().chain(raw.hints);
            patterns.extend(hints.map(|p| (p, Tag::Hint(raw.category))));
            for (list, language) in
                [(raw.patterns, None), (raw.german, Some(Language::German)), (raw.english, Some(Language::English))]
            {
                patterns.extend(list.into_iter().map(|p| (p, Tag::Special(raw.category, language))));
            }
        }
        let (mut needles, mut loose_tags) = (Vec::new(), Vec::new());
        for (pattern, tag) in &patterns {
            let Tag::Special(category, None) = tag else { continue };
            for needle in loose_needles(pattern, &context.sets)? {
                loose_tags.push((*category, needle.trim_matches(['\u{1}', '\u{2}']).len()));
                needles.push(needle);
            }
        }
        // The wide lists are disguised as whole words only: many of their short words stand inside others.
        for (word, category) in &listed {
            let joined = if word.contains(' ') { word.replace([' ', '*'], "") } else { word.clone() };
            for glob in globs(&joined, word, &context.sets)?.iter().filter(|g| g.letters.len() >= 5) {
                loose_tags.push((*category, glob.letters.len()));
                needles.push(glob.needle());
            }
        }
        patterns.extend(listed.into_iter().map(|(w, category)| (w, Tag::Special(category, None))));
        let torn = needles.iter().filter_map(|n| n.trim_matches(['\u{1}', '\u{2}']).as_bytes().first_chunk().copied());
        let torn = torn.collect();
        let mut stems: Vec<String> = needles.iter().map(|n| n.trim_matches(['\u{1}', '\u{2}']).to_owned()).collect();
        stems.sort_unstable();
        patterns.extend(context.business.into_iter().map(|p| (p, Tag::Business)));
        patterns.extend(context.work.into_iter().map(|p| (p, Tag::Work)));
        patterns.extend(context.personal.into_iter().map(|p| (p, Tag::Personal)));
        patterns.extend(context.benign.into_iter().map(|p| (p, Tag::Benign)));
        patterns.extend(context.follows.into_iter().map(|p| (p, Tag::Follows)));
        patterns.extend(context.continues.into_iter().map(|p| (p, Tag::Continues)));
        let phrases = Phrases::new(Set::Guard, patterns, &context.sets)?;
        Ok(Self { phrases, needles, loose: OnceLock::new(), loose_tags, stems, torn })
    }

    fn loose(&self) -> &AhoCorasick {
        self.loose.get_or_init(|| {
            AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .start_kind(StartKind::Both)
                .build(&self.needles)
                .expect("a lexicon is far below the automaton's limits")
        })
    }

    /// Whether a word that is looked for begins with these bytes.
    pub(super) fn may_begin(&self, first: [u8; SHORTEST_TORN]) -> bool {
        self.torn.contains(&first)
    }

    /// [`Phrases::look_up`] in its patterns.
    pub(super) fn look_up(&self, word: Spelling<'_>, ids: &mut Vec<u32>) -> [u32; 2] {
        self.phrases.look_up(word, ids)
    }

    /// Whether a word that is looked for begins with these letters and has more.
    pub(super) fn may_go_on(&self, letters: &str) -> bool {
        let after = self.stems.partition_point(|stem| stem.as_str() <= letters);
        self.stems.get(after).is_some_and(|stem| stem.starts_with(letters))
    }

    /// Judges one sentence by its words and by what they may hide; `clauses` numbers the clause of each token.
    pub(super) fn judge(
        &self,
        tokens: &[Token<'_>],
        clauses: &[u32],
        disguises: &[Disguise],
        known: Option<Language>,
    ) -> Verdict {
        let (mut verdict, harmless) = self.judge_words(tokens, clauses, known);
        if let Some(plain) = plain_words(tokens) {
            let words = plain.known();
            let tokens: Vec<Token<'_>> = plain.tokens(&words, 0..plain.len(), 0).collect();
            verdict.special.extend(self.judge_words(&tokens, &[], known).0.special);
        }
        if verdict.special.is_empty() && verdict.private {
            // What a sentence about a person's private life would reveal is most often health.
            verdict.special.insert(SpecialCategory::Health);
        }
        let is_harmless = |token: usize| harmless.get(token) == Some(&true);
        for disguise in disguises {
            if disguise.tokens.is_empty() || !disguise.tokens.clone().all(is_harmless) {
                verdict.special.extend(self.unmask(disguise));
            }
        }
        verdict
    }

    /// The verdict on plain words, and which of them belong to a harmless business phrase (none of them where the list is
    /// empty).
    fn judge_words(&self, tokens: &[Token<'_>], clauses: &[u32], known: Option<Language>) -> (Verdict, Vec<bool>) {
        let mut verdict = Verdict::default();
        let found = self.phrases.find(&View::plain(tokens, &[]));
        let has = |tag: Tag| found.iter().any(|hit| *hit.tag == tag);
        let benign = has(Tag::Benign);
        let (mut harmless, mut reach) = (Vec::new(), Vec::new());
        if benign {
            harmless.resize(tokens.len(), false);
            reach.resize(tokens.len(), 0);
        }
        for hit in found.iter().filter(|hit| *hit.tag == Tag::Benign) {
            for at in hit.tokens.clone() {
                harmless[at] = true;
                reach[at] = reach[at].max(hit.tokens.end);
            }
        }
        let clause = |token: usize| clauses.get(token).copied().unwrap_or(0);
        let of_business = |hit: &&Found<'_, Tag>| *hit.tag == Tag::Business;
        let business: Vec<(u32, usize)> = if found.iter().any(|hit| matches!(hit.tag, Tag::Hint(_))) {
            found.iter().filter(of_business).map(|hit| (clause(hit.tokens.start), hit.tokens.start)).collect()
        } else {
            Vec::new()
        };
        let reaches = |hit: &Found<'_, Tag>| reach.get(hit.tokens.start).is_none_or(|end| *end < hit.tokens.end);
        verdict.private = has(Tag::Personal)
            && !has(Tag::Business)
            && !has(Tag::Work)
            && !benign
            && !TOPICS.tell_of_work(tokens, clauses)
            && !only_meets(tokens);
        for hit in &found {
            match hit.tag {
                Tag::Hint(category) if reaches(hit) => {
                    let (first, last) = (clause(hit.tokens.start), clause(hit.tokens.end - 1));
                    // Found hits are in order of their place, and so are clauses.
                    let from = business.partition_point(|(c, _)| *c < first);
                    let to = business.partition_point(|(c, _)| *c <= last);
                    if business[from..to].iter().all(|(_, at)| hit.tokens.contains(at)) {
                        verdict.special.insert(*category);
                    }
                }
                Tag::Special(category, language) if reaches(hit) => {
                    if known.is_none() || language.is_none() || known == *language {
                        verdict.special.insert(*category);
                    }
                }
                Tag::Follows => verdict.follows = true,
                Tag::Continues => verdict.continues |= hit.tokens.start == 0,
                Tag::Special(..) | Tag::Hint(_) | Tag::Business | Tag::Work | Tag::Personal | Tag::Benign => {}
            }
        }
        (verdict, harmless)
    }

    /// The categories of what a disguise may hide.
    fn unmask(&self, disguise: &Disguise) -> Categories {
        let text = ["\u{1}", &disguise.text, "\u{2}"].concat();
        let mut found = Categories::default();
        let mut take = |hit: Match| {
            let (category, length) = self.loose_tags[hit.pattern().as_usize()];
            // Positions are shifted by the mark at the front.
            let fits = disguise.torn_at.is_none_or(|torn| hit.start() <= 1 && hit.end() > torn + 1);
            if fits && length >= disguise.shortest {
                found.insert(category);
            }
        };
        if disguise.torn_at.is_none() {
            self.loose().find_overlapping_iter(&text).for_each(take);
            return found;
        }
        // Of two words that were one a hit must begin at the start: searches that are held there end after some letters.
        for start in [0, 1] {
            let (input, mut state) =
                (Input::new(&text).range(start..).anchored(Anchored::Yes), OverlappingState::start());
            loop {
                self.loose().try_find_overlapping(input.clone(), &mut state).expect("built for anchored searches");
                let Some(hit) = state.get_match() else { break };
                take(hit);
            }
        }
        found
    }
}

/// Single words and plain word sequences, as they look when run together.
fn loose_needles(pattern: &str, sets: &Sets) -> Result<Vec<String>, PatternError> {
    let words = pattern_words(pattern)?;
    if let [word] = words[..] {
        return Ok(globs(word, pattern, sets)?.iter().filter_map(Glob::loose_needle).collect());
    }
    if words.iter().any(|w| w.contains(['|', '<', '~', '!', '@', '^', '$']) || *w == "..") {
        return Ok(Vec::new());
    }
    let joined: String = words.concat().replace('*', "");
    Ok(globs(&joined, pattern, sets)?.iter().map(|g| g.letters.clone()).filter(|l| l.len() >= 6).collect())
}

/// Words and phrases without pattern syntax, each of them once.
fn literals(words: Vec<String>, file: usize) -> Result<Vec<String>, LexiconError> {
    let mut seen = BTreeSet::new();
    for word in &words {
        if word.contains(['|', '(', ')', '<', '>', '@', '^', '$', ',']) || word.contains("..") || !seen.insert(word) {
            return Err(LexiconError::NoLiteral { file, word: word.clone() });
        }
    }
    Ok(words)
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, file: usize) -> Result<T, LexiconError> {
    serde_saphyr::from_str(text).map_err(|e| LexiconError::Yaml { file, message: e.to_string() })
}

fn check(version: u32, source: &str, file: usize) -> Result<(), LexiconError> {
    if version != 1 || source.trim().is_empty() {
        return Err(LexiconError::Version { file, version });
    }
    Ok(())
}
