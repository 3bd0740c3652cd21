//! A title for storage: gender-neutral, without names of people and companies.
//!
//! Invariant: depends on the folded words only where gender is concerned, so that all gender forms give one text.

use super::TitleEvidence;
use super::lexicon::{Lexicon, flag};
use super::parse::{Item, fact};
use super::scan::{Scan, Sep, fold_into};
use super::segment::Segment;
use super::time::{Kind, former_employer};
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
    ("delegierter", "delegierte:r"),
    ("delegierte", "delegierte:r"),
    ("vorsitzende", "vorsitzende:r"),
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

/// What a title holds, for the quote.
pub(super) struct Read<'a> {
    pub lex: &'a Lexicon,
    pub scan: &'a Scan,
    /// The code points that were read.
    pub chars: &'a [char],
    pub items: &'a [Item],
    pub segments: &'a [Segment],
    pub evidence: &'a [TitleEvidence],
}

/// The quote; empty where the title holds no position.
///
/// It is made of whole stretches of words that were read: a phrase is never closed over a word that was dropped,
/// but where only single words of it say anything.
pub(super) fn quote(read: &Read<'_>) -> String {
    let mut out = String::with_capacity(read.chars.len() + 8);
    let mut last: Option<usize> = None;
    for part in parts(read.items) {
        let stored = kept(read, part);
        for &at in &stored {
            let (from, to) = read.items[at].tokens;
            // "Head of", whose object was dropped.
            let open = read.items[at].has(fact::OF) && stored.last() == Some(&at);
            for k in from..to - usize::from(open) {
                let word = neutral(read, k, at);
                let adjacent = last.is_some_and(|l| l + 1 == k);
                // "Leiter / Leiterin" is one word.
                if adjacent && out.ends_with(&word) {
                    last = Some(k);
                    continue;
                }
                if let Some(l) = last {
                    let between = (l + 1..=k).map(|i| read.scan.tokens[i].before).max().unwrap_or(Sep::Space);
                    let start = read.scan.tokens[k].span.0;
                    let spaced = start > 0 && read.chars[start - 1].is_whitespace();
                    // "Aus- und Weiterbildung".
                    out.push_str(if between == Sep::Hyphen && adjacent && spaced {
                        "- "
                    } else {
                        joint(between, adjacent)
                    });
                }
                out.push_str(&word);
                last = Some(k);
            }
        }
    }
    match out.char_indices().nth(MAX) {
        // Not within a word.
        Some((end, _)) => out[..end].rsplit_once(' ').map_or(&out[..end], |(head, _)| head).trim_end().to_owned(),
        None => out,
    }
}

/// The parts of a title between separators, a slash among them.
fn parts(items: &[Item]) -> Vec<(usize, usize)> {
    let starts = (1..items.len()).filter(|&i| items[i].before == Sep::Slash || items[i].before >= Sep::Comma);
    let mut bounds: Vec<usize> = std::iter::once(0).chain(starts).collect();
    bounds.push(items.len());
    bounds.windows(2).map(|w| (w[0], w[1])).collect()
}

/// The items of a part that are stored.
fn kept(read: &Read<'_>, (from, to): (usize, usize)) -> Vec<usize> {
    let items = read.items;
    let usable: Vec<bool> = (from..to).map(|i| !dropped(read, i)).collect();
    let usable = |i: usize| usable[i - from];
    let leads_on = |i: usize| items[i].has(LOOSE) && !items[i].person();
    let told = |i: usize| {
        let (start, end) = items[i].span;
        usable(i) && !leads_on(i) && read.evidence.iter().any(|e| e.span.0 <= start && end <= e.span.1)
    };
    let told: Vec<usize> = (from..to).filter(|&i| told(i)).collect();
    let (mut first, mut last) = match (told.first(), told.last()) {
        (Some(&first), Some(&last)) if (first..=last).all(usable) => (first, last),
        (Some(_), Some(_)) => return told,
        _ if from < to && (from..to).all(usable) => (from, to - 1),
        _ => return Vec::new(),
    };
    while first > from && usable(first - 1) {
        first -= 1;
    }
    while last + 1 < to && usable(last + 1) {
        last += 1;
    }
    while first <= last && leads_on(first) {
        first += 1;
    }
    while last > first && leads_on(last) {
        last -= 1;
    }
    (first..=last).collect()
}

/// Words that lead to another one, and say nothing where that is gone.
const LOOSE: u64 = flag::LINKER
    | flag::OBJECT_LINKER
    | flag::CONJUNCTION
    | flag::COMPANY
    | flag::UNTIL
    | flag::SINCE
    | flag::PRESENT
    | flag::NEGATION;

/// Whether an item must not be stored: unknown, private, a name, or no part of a position.
fn dropped(read: &Read<'_>, at: usize) -> bool {
    let item = &read.items[at];
    let former = |s: &Segment| !s.person && former_employer(&read.items[s.items.0..s.items.1]);
    let private = |s: &Segment| {
        (s.items.0..s.items.1).contains(&at) && (matches!(s.kind, Kind::Private | Kind::Nothing) || former(s))
    };
    read.segments.iter().any(private)
        || surname(read.items, at)
        || item.company
        || item.has(flag::SENTENCE | flag::HOBBY | flag::HOBBY_TOPIC | flag::LEAVE | flag::NOISE | flag::LEGAL_FORM)
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

fn folded(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    s.chars().for_each(|c| fold_into(c, &mut out));
    out
}

/// One word in neutral form, in its own capitals where it can be kept.
fn neutral(read: &Read<'_>, k: usize, at: usize) -> String {
    let token = &read.scan.tokens[k];
    let chars = read.chars;
    let raw: String =
        chars[token.span.0..token.span.1].iter().filter(|c| c.is_alphanumeric() || "&.+#".contains(**c)).collect();
    let lemma = &*token.text;
    if let Some((_, n)) = ENGLISH.iter().find(|(w, _)| *w == lemma) {
        return cased(n, &raw);
    }
    let item = &read.items[at];
    // The feminine ending off, "Gründer" looks like a participle.
    if lemma.ends_with("gruend") {
        let stem = cased(lemma.strip_suffix("gruend").unwrap_or(""), &raw);
        return if stem.is_empty() { "Gründer:in".to_owned() } else { format!("{stem}gründer:in") };
    }
    let plain = folded(&raw);
    let ending = plain.strip_prefix(lemma).unwrap_or("");
    if adjective(lemma) && matches!(ending, "e" | "er" | "en" | "es" | "em") {
        // "Technische Leiterin", but "Leiterin Strategischer Einkauf".
        let called = !lemma.ends_with("isch") && person(read, k, at);
        return if called || before_person(read, k) {
            format!("{}e:r", capitalised(lemma_text(&masculine_raw(&raw, lemma), lemma)))
        } else {
            raw
        };
    }
    // "Auszubildende zur Mechatronikerin".
    if matches!(lemma, "zum" | "zur") && before_person(read, k) {
        return "zum/zur".to_owned();
    }
    // "des Verwaltungsrates", "des Einkaufs": a body or a thing in the genitive.
    if matches!(ending, "s" | "es") && (lemma.ends_with("rat") || !person(read, k, at)) {
        return raw;
    }
    let base = masculine_raw(&raw, lemma);
    let german = noun(lemma) || item.sense.as_ref().is_some_and(|s| s.german && !s.english);
    if german && person(read, k, at) && !lemma.ends_with("ung") {
        if let Some((end, n)) = NEUTRAL.iter().find(|(e, _)| lemma.ends_with(e)) {
            // The ending is folded, the word has its umlaut or not.
            let umlaut = end.replace("ae", "ä");
            let written = if base.to_lowercase().ends_with(&umlaut) { umlaut.chars().count() } else { end.len() };
            let stem_len = base.chars().count().saturating_sub(written);
            let stem: String = base.chars().take(stem_len).collect();
            return if stem.is_empty() { capitalised(n) } else { format!("{stem}{n}") };
        }
        if TAKES_IN.iter().any(|e| lemma.ends_with(e)) {
            return format!("{base}:in");
        }
    }
    base
}

/// Person nouns that the vocabulary holds as powers or in phrases only.
fn noun(lemma: &str) -> bool {
    ["prokurist", "delegierte", "delegierter", "bevollmaechtigte"].iter().any(|e| lemma.ends_with(e))
}

/// Whether a word is what somebody is called: of a phrase the words that are so by themselves, else its last one.
fn person(read: &Read<'_>, k: usize, at: usize) -> bool {
    let item = &read.items[at];
    if noun(&read.scan.tokens[k].text) {
        return true;
    }
    let alone = |k: usize| read.scan.tokens[k].text.known(read.lex).sense.as_ref().is_some_and(|s| s.person);
    if !item.sense.as_ref().is_some_and(|s| s.person) {
        return item.marked && alone(k);
    }
    let (from, to) = item.tokens;
    alone(k) || (k + 1 == to && !(from..to).any(alone))
}

/// Whether an adjective belongs to a person noun.
fn before_person(read: &Read<'_>, k: usize) -> bool {
    let tokens = &read.scan.tokens;
    let next = (k + 1..tokens.len()).take_while(|&i| tokens[i].before < Sep::Slash);
    let noun = next.into_iter().find(|&i| !adjective(&tokens[i].text) && !matches!(&*tokens[i].text, "und" | "u"));
    let holds = |i: usize| read.items.iter().position(|x| (x.tokens.0..x.tokens.1).contains(&i));
    noun.and_then(|i| Some((i, holds(i)?))).is_some_and(|(i, at)| person(read, i, at))
}

fn adjective(lemma: &str) -> bool {
    ["isch", "lich", "iell", "nell", "end", "ig", "ional", "iert", "ausgeschieden"].iter().any(|e| lemma.ends_with(e))
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
                // "Conseillère".
                return stem.strip_suffix("èr").map_or_else(|| stem.clone(), |head| format!("{head}er"));
            }
            // "Paläontologin".
            if end == "in" && folded(&stem) == lemma.strip_suffix('e').unwrap_or(lemma) {
                return format!("{stem}e");
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
