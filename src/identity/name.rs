//! Comparing the name of a contact with a name as a page has it.
//!
//! Invariant: spelling does not matter (case, umlauts and their transcriptions, titles, order with comma), who it
//! is does: anything short of full given and family name says so.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::lexicon::LEXICON;

/// A word in two spellings without diacritics: `Müller` as `mueller` and as `muller`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    transcribed: String,
    stripped: String,
}

impl Word {
    pub(super) fn new(s: &str) -> Self {
        let lower: String = s.nfc().collect::<String>().to_lowercase();
        let mut transcribed = String::with_capacity(lower.len() + 2);
        for c in lower.chars() {
            match c {
                'ä' | 'æ' => transcribed.push_str("ae"),
                'ö' | 'ø' | 'œ' => transcribed.push_str("oe"),
                'ü' => transcribed.push_str("ue"),
                'å' => transcribed.push_str("aa"),
                'ß' => transcribed.push_str("ss"),
                'ł' => transcribed.push('l'),
                'đ' => transcribed.push('d'),
                c => transcribed.push(c),
            }
        }
        let special = lower.replace('ß', "ss").replace('ø', "o").replace('æ', "ae").replace('œ', "oe");
        Self { transcribed: plain(&transcribed), stripped: plain(&special.replace('ł', "l").replace('đ', "d")) }
    }

    /// Whether both are spellings of one word. Only spellings with an umlaut have two forms.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.transcribed == other.transcribed
            || self.stripped == other.stripped
            || self.transcribed == other.stripped
            || self.stripped == other.transcribed
    }

    pub(super) fn as_str(&self) -> &str {
        &self.transcribed
    }

    fn is_initial_of(&self, other: &Self) -> bool {
        self.stripped.chars().count() == 1 && other.stripped.starts_with(&self.stripped)
    }
}

/// Letters and digits only, without marks.
fn plain(s: &str) -> String {
    s.nfkd().filter(|c| !is_combining_mark(*c) && c.is_alphanumeric()).collect()
}

/// One part between spaces: its hyphen parts, and how it was written.
#[derive(Debug, Clone)]
struct Part {
    words: Vec<Word>,
    shouted: bool,
}

/// Splits at spaces, drops titles and particles, splits at hyphens.
fn parts(s: &str) -> Vec<Part> {
    let s = s.replace(['\u{2010}', '\u{2011}', '\u{2013}'], "-");
    s.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '(' | ')' | '|' | '"'))
        .flat_map(spread)
        .filter_map(|raw| {
            let words: Vec<Word> = raw.split('-').map(Word::new).filter(|w| !w.as_str().is_empty()).collect();
            let dropped = |w: &Word| LEXICON.titles.contains(w.as_str()) || is_particle(w);
            let shouted = raw.chars().filter(|c| c.is_alphabetic()).count() > 1 && !raw.chars().any(char::is_lowercase);
            (!words.is_empty() && !words.iter().all(dropped)).then_some(Part { words, shouted })
        })
        .collect()
}

/// "Dipl.-Ing.Anna" and "J.K." are several words, "Müller" is one.
fn spread(raw: &str) -> Vec<String> {
    let inner = raw.trim_end_matches('.');
    if !inner.contains('.') {
        return vec![raw.to_owned()];
    }
    inner.split('.').map(|s| s.trim_start_matches('-').to_owned()).filter(|s| !s.is_empty()).collect()
}

fn is_particle(w: &Word) -> bool {
    LEXICON.particles.contains(w.as_str())
}

/// How a name on a page relates to a contact's; the key of its weight.
pub(super) fn compare(given: &str, family: &str, claimed: &str) -> &'static str {
    let (given, family) = (words(given), words(family));
    let (sides, comma) = sides(claimed);
    let all: Vec<&Part> = sides.iter().flatten().collect();
    if all.is_empty() || family.is_empty() {
        return "name_none";
    }
    let found: Vec<bool> = family.iter().map(|f| all.iter().any(|p| p.words.iter().any(|w| w.is(f)))).collect();
    if !found.iter().any(|f| *f) {
        // A lone word, such as a login, is no name that could differ.
        return if all.len() == 1 && all[0].words.len() == 1 { "name_none" } else { "name_other_family" };
    }
    let Some(at) = family_at(&all, &family, comma.then(|| sides[0].len())) else { return "name_other_given" };
    let rest: Vec<&Part> = all.iter().enumerate().filter(|(i, _)| !at.contains(i)).map(|(_, p)| *p).collect();
    let extra = at.iter().flat_map(|i| &all[*i].words).any(|w| !family.iter().any(|f| f.is(w)));
    let partly = extra || found.iter().any(|f| !*f);
    let first = at.iter().min().copied().unwrap_or(0);
    let shouted = at.iter().all(|i| all[*i].shouted) && !rest.iter().all(|p| p.shouted);
    let reversed = first == 0 && !comma && !shouted && !rest.is_empty();
    combine(compare_given(&given, &rest), partly, reversed)
}

fn combine(given: &'static str, partly: bool, reversed: bool) -> &'static str {
    match given {
        "name_full" if partly => "name_family_partly",
        "name_full" if reversed => "name_reversed",
        // Two weaknesses at once are no better than an initial.
        "name_second_given" | "name_nickname" if partly || reversed => "name_initial",
        given => given,
    }
}

/// The words of a known name; titles stay out, particles too.
fn words(s: &str) -> Vec<Word> {
    parts(s).into_iter().flat_map(|p| p.words).filter(|w| !is_particle(w)).collect()
}

/// The name at its comma: "Müller, Anna" is turned; what follows a comma and is only titles is dropped.
fn sides(claimed: &str) -> (Vec<Vec<Part>>, bool) {
    let sides: Vec<Vec<Part>> = claimed.split(',').map(parts).filter(|p| !p.is_empty()).take(2).collect();
    let comma = sides.len() == 2;
    (sides, comma)
}

/// Which parts are the family name: those before the comma, else the last ones that hold a family word.
///
/// `None` where the comma puts the family name on the side of the given name.
fn family_at(all: &[&Part], family: &[Word], before_comma: Option<usize>) -> Option<Vec<usize>> {
    let holds = |i: &usize| all[*i].words.iter().any(|w| family.iter().any(|f| f.is(w)));
    if let Some(n) = before_comma {
        let at: Vec<usize> = (0..n).filter(holds).collect();
        return (!at.is_empty()).then(|| (0..n).collect());
    }
    let mut at: Vec<usize> = (0..all.len()).filter(holds).collect();
    // "Peter Peter": of equal words the last ones are the family name.
    while at.len() > family.len() {
        at.remove(0);
    }
    Some(at)
}

fn compare_given(known: &[Word], claimed: &[&Part]) -> &'static str {
    let Some(first) = known.first() else { return "name_family_only" };
    let claimed: Vec<&Word> = claimed.iter().flat_map(|p| &p.words).filter(|w| !is_particle(w)).collect();
    let Some(lead) = claimed.first() else { return "name_family_only" };
    let joined = |ws: &mut dyn Iterator<Item = &Word>| Word::new(&ws.map(Word::as_str).collect::<String>());
    let whole = joined(&mut known.iter()).is(&joined(&mut claimed.iter().copied()));
    if whole {
        return "name_full";
    }
    if lead.is(first) {
        // "Hans-Peter" and "Hans-Jürgen" are two people, "Anna" and "Anna Maria" can be one.
        let clash = known.len() > 1
            && claimed.len() > 1
            && !known[1..]
                .iter()
                .any(|k| claimed[1..].iter().any(|c| c.is(k) || c.is_initial_of(k) || k.is_initial_of(c)));
        return if clash { "name_other_given" } else { "name_full" };
    }
    if claimed.iter().any(|c| known.iter().any(|k| k.is(c))) {
        return "name_second_given";
    }
    if lead.is_initial_of(first) || first.is_initial_of(lead) {
        return "name_initial";
    }
    if LEXICON.is_nickname(lead.as_str(), first.as_str()) {
        return "name_nickname";
    }
    "name_other_given"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_word_are_equal_and_others_are_not() {
        for (a, b, same) in [
            ("Müller", "Mueller", true),
            ("Müller", "MULLER", true),
            ("Mu\u{308}ller", "müller", true),
            ("Groß", "Gross", true),
            ("Søren", "Soeren", true),
            ("Søren", "Soren", true),
            ("Łukasz", "Lukasz", true),
            ("Maier", "Meier", false),
            ("Mueller", "Muller", false),
        ] {
            assert_eq!(Word::new(a).is(&Word::new(b)), same, "{a} {b}");
        }
    }
}
