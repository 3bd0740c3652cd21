//! The words of roles, and those that may stand beside them.
//!
//! Invariant: a word that is in neither list makes what it stands in no entry of a list of roles.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use super::super::guard::token::Token;
use super::super::names::words_of;
use super::super::part::Part;
use super::super::pattern::{Glob, globs};
use super::super::people::Mention;
use super::super::sentence::Read;
use crate::taxonomy::BuyingRole;

const FILE: &str = include_str!("../../../../config/signals/role_lines.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoles {
    version: u32,
    p: f64,
    roles: BTreeMap<BuyingRole, Vec<String>>,
    beside: Vec<String>,
    doubtful: Vec<String>,
}

/// The words of roles.
pub(in super::super) struct Terms {
    pub(in super::super) p: f64,
    /// By their first word, the longest first.
    terms: FxHashMap<String, Vec<(Vec<String>, BuyingRole)>>,
    /// Words of terms.
    words: FxHashSet<String>,
    beside: FxHashSet<String>,
    /// Beginnings and ends of such words.
    globs: Vec<Glob>,
    doubtful: FxHashSet<String>,
}

pub(in super::super) static ROLE_LINES: LazyLock<Terms> =
    LazyLock::new(|| Terms::parse(FILE).unwrap_or_else(|error| panic!("signals/role_lines.yaml: {error}")));

impl Terms {
    fn parse(yaml: &str) -> Result<Self, String> {
        let raw: RawRoles = serde_saphyr::from_str(yaml).map_err(|e| e.to_string())?;
        if raw.version != 1 || !(0.5..=1.0).contains(&raw.p) {
            return Err("version must be 1, and p from 0.5 to 1".to_owned());
        }
        let mut terms: FxHashMap<String, Vec<(Vec<String>, BuyingRole)>> = FxHashMap::default();
        let mut words = FxHashSet::default();
        for (role, term) in raw.roles.iter().flat_map(|(role, all)| all.iter().map(move |term| (*role, term))) {
            let term = words_of(term);
            let first = term.first().ok_or("a term without a word")?.clone();
            words.extend(term.iter().cloned());
            terms.entry(first).or_default().push((term, role));
        }
        for all in terms.values_mut() {
            all.sort_by_key(|(term, _)| std::cmp::Reverse(term.len()));
        }
        let (with_stars, plain): (Vec<_>, Vec<_>) = raw.beside.iter().partition(|word| word.contains('*'));
        let globs = with_stars.iter().map(|word| globs(word, word, &BTreeMap::new()).map_err(|e| e.to_string()));
        Ok(Self {
            p: raw.p,
            terms,
            words,
            beside: plain.iter().flat_map(|word| words_of(word)).collect(),
            globs: globs.collect::<Result<Vec<_>, _>>()?.concat(),
            doubtful: raw.doubtful.iter().flat_map(|word| words_of(word)).collect(),
        })
    }

    /// Whether a word alone names a role.
    pub(in super::super) fn has(&self, word: &str) -> bool {
        self.terms.get(word).is_some_and(|all| all.iter().any(|(term, _)| term.len() == 1))
    }

    /// Whether the words at a place name a role beside which a mark parts them from somebody named: what such a line tells is read
    /// where lists are.
    pub(in super::super) fn is_line(&self, sentence: &Read<'_>, at: &Range<usize>, named: &[Mention]) -> bool {
        let place = |at: usize| sentence.tokens[at].cells.start;
        let parted = |m: &Mention| {
            let (from, to) = (place(m.tokens.start).min(place(at.start)), place(m.tokens.start).max(place(at.start)));
            sentence.marks.iter().any(|mark| from < mark.cells.start && mark.cells.start < to)
        };
        sentence.tokens[at.clone()].iter().all(|t| self.words.contains(t.text)) && named.iter().any(parted)
    }

    /// Whether a term may begin with a word.
    pub(super) fn may_begin(&self, word: &str) -> bool {
        self.terms.contains_key(word)
    }

    /// The longest term that some words begin with: how many words it has, and its role.
    pub(super) fn begins(&self, tokens: &[Token<'_>]) -> Option<(usize, BuyingRole)> {
        let fits = |term: &[String]| {
            term.len() <= tokens.len() && term.iter().zip(tokens).all(|(word, token)| token.text == word)
        };
        let all = self.terms.get(tokens.first()?.text)?;
        all.iter().find(|(term, _)| fits(term)).map(|(term, role)| (term.len(), *role))
    }

    /// Whether a word may stand beside names and roles: it says of what, how much, from when, or what somebody is called.
    pub(super) fn may_stand_beside(&self, token: &Token<'_>) -> bool {
        token.word.is(Part::CALLED)
            || token.word.is(Part::ADDRESS)
            || token.text.bytes().any(|byte| byte.is_ascii_digit())
            || self.beside.contains(token.text)
            || self.globs.iter().any(|glob| fits(glob, token.text))
    }

    /// Whether what is headed with a word is not so, or not yet: `Offen: Entscheider Brandt?`, `Vermutung: ...`.
    pub(super) fn is_doubtful(&self, word: &str) -> bool {
        self.doubtful.contains(word)
    }
}

fn fits(glob: &Glob, word: &str) -> bool {
    match glob.open {
        (false, false) => word == glob.letters,
        (true, false) => word.ends_with(&glob.letters),
        (false, true) => word.starts_with(&glob.letters),
        (true, true) => word.contains(&glob.letters),
    }
}
