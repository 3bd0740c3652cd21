//! A title for storage: gender-neutral, without names of people and companies.
//!
//! Invariant: depends on the folded words only where gender is concerned, so that all gender forms give one text.

use super::judge::Segment;
use super::lexicon::flag;
use super::parse::Item;
use super::scan::{Scan, Sep, Token, fold_into};
use super::time::Kind;
use crate::taxonomy::JobFunction;

/// Longest quote, in characters.
const MAX: usize = 120;

/// Endings of person nouns and their neutral forms.
const NEUTRAL: &[(&str, &str)] = &[
    ("arzt", "ärzt:in"),
    ("anwalt", "anwält:in"),
    ("koch", "köch:in"),
    ("bauer", "bäuer:in"),
    ("kaufmann", "kaufmann/-frau"),
    ("fachmann", "fachmann/-frau"),
    ("mann", "mann/-frau"),
    ("ologe", "olog:in"),
    ("agoge", "agog:in"),
    ("paede", "päd:in"),
    ("experte", "expert:in"),
    ("beamter", "beamt:in"),
    ("geselle", "gesell:in"),
    ("rat", "rat"),
    ("angestellte", "angestellte:r"),
    ("beauftragte", "beauftragte:r"),
    ("bevollmaechtigte", "bevollmächtigte:r"),
];

/// English nouns that show gender.
const ENGLISH: &[(&str, &str)] = &[
    ("chairman", "chair"),
    ("salesman", "salesperson"),
    ("businessman", "businessperson"),
    ("foreman", "foreperson"),
    ("spokesman", "spokesperson"),
    ("policeman", "police officer"),
    ("waiter", "waiter"),
    ("actor", "actor"),
];

/// Endings of German nouns that take `:in`.
const TAKES_IN: &[&str] =
    &["er", "or", "ist", "ent", "ant", "eur", "ar", "aer", "chef", "wirt", "at", "ekt", "eut", "ot"];

/// The quote; empty where the title holds no position.
pub(super) fn quote(scan: &Scan, items: &[Item], segments: &[Segment]) -> String {
    let chars = &scan.chars;
    let mut out = String::with_capacity(chars.len() + 8);
    let mut last: Option<usize> = None;
    let private = |at: usize| {
        segments.iter().any(|s| matches!(s.kind, Kind::Private | Kind::Nothing) && (s.items.0..s.items.1).contains(&at))
    };
    let dropped = |at: usize, i: &Item| {
        private(at)
            || surname(items, at)
            || i.company
            || i.sense.is_none()
            || i.has(flag::SENTENCE | flag::HOBBY | flag::LEAVE | flag::NOISE | flag::LEGAL_FORM)
    };
    for (_, item) in items.iter().enumerate().filter(|(at, i)| !dropped(*at, i)) {
        for k in item.tokens.0..item.tokens.1 {
            let token = &scan.tokens[k];
            let word = neutral(chars, token, item);
            // "Leiter / Leiterin" is one word.
            if out.ends_with(&word) && last == k.checked_sub(1) {
                last = Some(k);
                continue;
            }
            if !out.is_empty() {
                out.push_str(joint(token.before, last == k.checked_sub(1)));
            }
            out.push_str(&word);
            last = Some(k);
        }
    }
    let trimmed = trim_linkers(&out);
    match trimmed.char_indices().nth(MAX) {
        Some((end, _)) => trimmed[..end].trim_end().to_owned(),
        None if trimmed.len() == out.len() => out,
        None => trimmed.to_owned(),
    }
}

/// "CEO Anna Müller", "CEO Anna Baker": an occupation right after a word that nobody knows is a name.
fn surname(items: &[Item], at: usize) -> bool {
    let Some(s) = items[at].sense.as_ref() else { return true };
    let trade = s.derived || s.functions.first().is_some_and(|f| f.0 == JobFunction::Other);
    let after_name = at > 0 && items[at - 1].sense.is_none() && items[at].before == Sep::Space;
    let titled = items.iter().any(|i| i.person() && i.sense.as_ref().is_some_and(|x| !x.derived));
    trade && ((after_name && s.person) || (s.derived && titled))
}

fn joint(sep: Sep, adjacent: bool) -> &'static str {
    if !adjacent && sep < Sep::Comma {
        return " ";
    }
    match sep {
        Sep::Space | Sep::At | Sep::Close => " ",
        Sep::Hyphen => "-",
        Sep::Amp => " & ",
        Sep::Slash => "/",
        Sep::Comma | Sep::Colon | Sep::Open => ", ",
        Sep::Dash => " - ",
        Sep::Strong => " | ",
    }
}

/// A linker left over at the end, where a company's name was dropped.
fn trim_linkers(s: &str) -> &str {
    let mut s = s.trim();
    while let Some((head, tail)) = s.rsplit_once(' ')
        && matches!(
            tail.to_lowercase().as_str(),
            "der" | "des" | "of" | "the" | "bei" | "at" | "for" | "für" | "in" | "und" | "and"
        )
    {
        s = head.trim_end();
    }
    s
}

fn folded(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    s.chars().for_each(|c| fold_into(c, &mut out));
    out
}

/// One word in neutral form, in its own capitals where it can be kept.
fn neutral(chars: &[char], token: &Token, item: &Item) -> String {
    let raw: String =
        chars[token.span.0..token.span.1].iter().filter(|c| c.is_alphanumeric() || "&.+#".contains(**c)).collect();
    let lemma = &*token.text;
    let base = masculine_raw(&raw, lemma);
    let sense = item.sense.as_ref();
    if let Some((_, n)) = ENGLISH.iter().find(|(w, _)| *w == lemma) {
        return cased(n, &base);
    }
    let german_person = sense.is_some_and(|s| s.person && s.german && !s.english);
    if sense.is_some_and(|s| s.german) && adjective(lemma) && folded(&raw) != lemma {
        return format!("{}e:r", capitalised(lemma_text(&base, lemma)));
    }
    if german_person && !lemma.ends_with("ung") {
        if let Some((end, n)) = NEUTRAL.iter().find(|(e, _)| lemma.ends_with(e)) {
            let stem_len = base.chars().count().saturating_sub(end.len());
            let stem: String = base.chars().take(stem_len).collect();
            return if stem.is_empty() { capitalised(n) } else { format!("{stem}{n}") };
        }
        if TAKES_IN.iter().any(|e| lemma.ends_with(e)) {
            return format!("{base}:in");
        }
    }
    base
}

fn adjective(lemma: &str) -> bool {
    ["isch", "lich", "iell", "nell", "end", "ig", "ional"].iter().any(|e| lemma.ends_with(e))
}

/// The adjective's stem in its own spelling.
fn lemma_text<'a>(base: &'a str, lemma: &'a str) -> &'a str {
    ["er", "en", "es", "em", "e", ""]
        .iter()
        .find_map(|e| base.strip_suffix(e).filter(|s| folded(s) == lemma))
        .unwrap_or(lemma)
}

fn capitalised(s: &str) -> String {
    let mut c = s.chars();
    c.next().map_or_else(String::new, |f| f.to_uppercase().chain(c).collect())
}

fn cased(word: &str, like: &str) -> String {
    if like.chars().next().is_some_and(char::is_uppercase) { capitalised(word) } else { word.to_owned() }
}

/// The raw word with its feminine ending taken off, as far as that gives the lemma; else the lemma.
fn masculine_raw(raw: &str, lemma: &str) -> String {
    if folded(raw) == lemma {
        return raw.to_owned();
    }
    let lower = raw.to_lowercase();
    for end in ["innen", "in", "r", "n", "e", "er", "en", "s", "frau", "nen"] {
        if lower.ends_with(end) {
            let keep = raw.chars().count() - end.chars().count();
            let stem: String = raw.chars().take(keep).collect();
            if folded(&stem) == lemma {
                return stem;
            }
            if end == "frau" && lemma.ends_with("mann") {
                return format!("{stem}mann");
            }
        }
    }
    for (end, to) in [("person", "mann"), ("leitung", "leiter"), ("leitende", "leiter"), ("arbeitende", "arbeiter")] {
        if lower.ends_with(end) && lemma.ends_with(to) {
            let keep = raw.chars().count() - end.chars().count();
            let stem: String = raw.chars().take(keep).collect();
            return format!("{stem}{}", if stem.is_empty() { capitalised(to) } else { to.to_owned() });
        }
    }
    cased(lemma, raw)
}
