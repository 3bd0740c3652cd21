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
                'đ' | 'ð' => transcribed.push('d'),
                'þ' => transcribed.push_str("th"),
                'ı' => transcribed.push('i'),
                c => transcribed.push(c),
            }
        }
        let mut special = lower;
        for (c, plain) in [
            ('ß', "ss"),
            ('ø', "o"),
            ('æ', "ae"),
            ('œ', "oe"),
            ('ł', "l"),
            ('đ', "d"),
            ('ð', "d"),
            ('þ', "th"),
            ('ı', "i"),
        ] {
            special = special.replace(c, plain);
        }
        Self { transcribed: plain(&transcribed), stripped: plain(&special) }
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

    /// Whether one could be the other with a slip of the pen, or in another grammatical gender ("Majewska", "Majewski").
    fn is_near(&self, other: &Self) -> bool {
        let (a, b) = (&*self.transcribed, &*other.transcribed);
        let stem = |s: &str| ["ska", "ski", "cka", "cki"].iter().find_map(|end| s.strip_suffix(end).map(str::to_owned));
        let gendered = |a: &str, b: &str| {
            let feminine = ["ova", "eva", "ina"].iter().any(|end| a.ends_with(end));
            (feminine && a.strip_suffix('a') == Some(b)) || (stem(a).is_some() && stem(a) == stem(b))
        };
        gendered(a, b) || gendered(b, a) || (a.len().min(b.len()) >= 6 && is_one_slip(a, b))
    }

    fn is_initial_of(&self, other: &Self) -> bool {
        self.stripped.chars().count() == 1 && other.stripped.starts_with(&self.stripped)
    }
}

/// Whether one letter is missing, too many or another one, or two stand in each other's place.
fn is_one_slip(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..], &b[same..]);
    match b.len() - a.len() {
        0 => match (a, b) {
            ([], []) => true,
            ([_, a @ ..], [_, b @ ..]) if a == b => true,
            ([a1, a2, a @ ..], [b1, b2, b @ ..]) => a1 == b2 && a2 == b1 && a == b,
            _ => false,
        },
        1 => a == &b[1..],
        _ => false,
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
    s.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '(' | ')' | '|' | '"' | '_'))
        .flat_map(spread)
        .filter_map(|raw| {
            let words: Vec<Word> = raw.split('-').map(Word::new).filter(|w| !w.as_str().is_empty()).collect();
            let dropped = |w: &Word| {
                LEXICON.titles.contains(w.as_str()) || is_particle(w) || LEXICON.generation([w.as_str()]).is_some()
            };
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
    let tokens = tokens(claimed);
    if is_no_person(&tokens) {
        return "name_nobodys";
    }
    let known = [tokens_of(given), tokens_of(family)].concat();
    if LEXICON.are_two_people(&known, &tokens) {
        return "name_other_given";
    }
    // What follows a whole name and a comma is a degree, a title or a place.
    let head = claimed.split_once(',').map(|(head, _)| compare_part(given, family, head));
    let name = match head {
        Some(found @ ("name_full" | "name_nickname" | "name_second_given" | "name_family_first")) => found,
        _ => compare_part(given, family, claimed),
    };
    match (LEXICON.generation(&known), LEXICON.generation(&tokens)) {
        (Some(ours), Some(theirs)) if ours != theirs => "name_other_given",
        (None, Some(_)) | (Some(_), None) if !name.starts_with("name_other") => "name_generation",
        _ => name,
    }
}

/// Whether many people have a family name.
pub(super) fn is_common(family: &str) -> bool {
    LEXICON.common.contains(Word::new(family).as_str())
}

/// Words as they stand there, folded, particles, titles and all.
fn tokens(s: &str) -> Vec<String> {
    let split = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '(' | ')' | '|' | '"' | '_');
    let words = s.split(split).filter(|t| !t.is_empty());
    words.map(|t| if matches!(t, "&" | "+") { t.to_owned() } else { Word::new(t).transcribed }).collect()
}

fn tokens_of(known: &str) -> Vec<String> {
    known.split('-').flat_map(tokens).collect()
}

/// Whether it is a company, a department, or several people at once.
fn is_no_person(tokens: &[String]) -> bool {
    let is_several = |at: usize| {
        let between = at > 0 && at + 1 < tokens.len();
        // "von und zu" is a particle.
        between && LEXICON.several.contains(&tokens[at]) && !LEXICON.particles.contains(&tokens[at - 1])
    };
    tokens.iter().any(|t| LEXICON.no_people.contains(t)) || (0..tokens.len()).any(is_several)
}

fn compare_part(given: &str, family: &str, claimed: &str) -> &'static str {
    let claimed = &*in_one_spelling(family, claimed);
    let (given, family) = (words(given), words(family));
    let (sides, comma) = sides(claimed);
    let all: Vec<&Part> = sides.iter().flatten().collect();
    if all.is_empty() || family.is_empty() || !claimed.chars().filter(|c| c.is_alphabetic()).all(is_latin) {
        return "name_none";
    }
    let found: Vec<bool> = family.iter().map(|f| all.iter().any(|p| p.words.iter().any(|w| w.is(f)))).collect();
    if !found.iter().any(|f| *f) {
        return without_family((&given, &family), &all);
    }
    let Some(at) = family_at(&all, &family, comma.then(|| sides[0].len())) else { return "name_other_given" };
    let rest: Vec<&Part> = all.iter().enumerate().filter(|(i, _)| !at.contains(i)).map(|(_, p)| *p).collect();
    let is_extra = |w: &Word| !family.iter().any(|f| f.is(w)) && !is_particle(w);
    let first = at.iter().min().copied().unwrap_or(0);
    let last = at.iter().max().copied().unwrap_or(0);
    let is_behind = !comma && first > 0 && all[last + 1..].iter().flat_map(|p| &p.words).any(|w| !is_particle(w));
    let extra = at.iter().flat_map(|i| &all[*i].words).any(is_extra);
    let missing = found.iter().any(|f| !*f);
    if missing && (extra || is_behind) {
        // Of two family names one is another one.
        return "name_near";
    }
    let shouted = at.iter().all(|i| all[*i].shouted) && !rest.iter().all(|p| p.shouted);
    let reversed = first == 0 && !comma && !shouted && !rest.is_empty();
    let is_either = |w: &Word| LEXICON.either.contains(w.as_str());
    if reversed && family.iter().all(is_either) && given.first().is_some_and(is_either) {
        return "name_initial";
    }
    let partly = match (missing, extra) {
        // The second of two family names is often left out.
        (true, _) if found[0] => "name_family_first",
        (true, _) | (_, true) => "name_family_partly",
        _ => "name_full",
    };
    combine(compare_given(&given, &rest), partly, reversed)
}

/// The name with the family name as the contact's is written, where it is the same but for spaces and hyphens: "El-Sayed" and
/// "Elsayed", "O'Hara" and "O Hara".
fn in_one_spelling(family: &str, claimed: &str) -> String {
    let is_between = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '\u{2010}' | '\u{2011}' | '\u{2013}');
    let joined = Word::new(family);
    let pieces: Vec<&str> = claimed.split(is_between).filter(|p| !p.is_empty()).collect();
    let plain = || claimed.replace('_', " ");
    if joined.as_str().chars().count() < 4 {
        return plain();
    }
    for start in 0..pieces.len() {
        let mut run = String::new();
        for end in start..pieces.len().min(start + 4) {
            // A comma ends a name.
            run.push_str(pieces[end].trim_end_matches(','));
            let is_alone = start == end && !family.contains(is_between);
            if !is_alone && Word::new(&run).is(&joined) {
                let comma = if pieces[end].ends_with(',') { "," } else { "" };
                let (before, behind) = (pieces[..start].join(" "), pieces[end + 1..].join(" "));
                return format!("{before} {family}{comma} {behind}");
            }
            if pieces[end].ends_with(',') {
                break;
            }
        }
    }
    plain()
}

/// What a name says in which no word is of the family name.
fn without_family((given, family): (&[Word], &[Word]), all: &[&Part]) -> &'static str {
    let words: Vec<&Word> = all.iter().flat_map(|p| &p.words).collect();
    let is_given = |w: &Word| given.iter().any(|g| g.is(w));
    match *words {
        // A lone word, such as a login, is no name that could differ.
        [word] if is_given(word) => "name_given_only",
        [_] => "name_word",
        [first, last] if is_given(first) && family.iter().any(|f| last.is_initial_of(f)) => "name_given_only",
        _ if words.iter().any(|w| is_given(w)) && words.iter().any(|w| family.iter().any(|f| f.is_near(w))) => {
            "name_near"
        }
        _ => "name_other_family",
    }
}

/// Letters of the scripts that a contact's name is compared in.
fn is_latin(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{aa}'..='\u{24f}' | '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}')
}

fn combine(given: &'static str, family: &'static str, reversed: bool) -> &'static str {
    match given {
        "name_full" if family == "name_full" && reversed => "name_reversed",
        "name_full" => family,
        // Two weaknesses at once are no better than an initial.
        "name_second_given" | "name_nickname" if family != "name_full" || reversed => "name_initial",
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
    if let Some(is_plain) = LEXICON.nickname(lead.as_str(), first.as_str()) {
        // "Chris" is Christine as well as Christian.
        return if is_plain { "name_nickname" } else { "name_initial" };
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
