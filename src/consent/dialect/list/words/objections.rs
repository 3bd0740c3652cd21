//! What a cell of a contact, or a note on one, says that is a no to data, advertising, contact or profiles:
//! `config/consent/objections.yaml`, compiled in.
//!
//! Invariant: contacts are told of business, too, so a no names what it is to, or stands under a header or beside a name that does;
//! what only may be one is told as that. Nothing of a cell is kept.

use std::collections::{BTreeMap, HashSet};
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexSet};
use serde::Deserialize;

use super::remarks::{Said, normal, said};
use super::told::{Told, without_fillers};
use super::{LONGEST, last};
use crate::crm::{is_business_header, normal_header, value};

/// Where a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Under a header that speaks of consent, advertising or privacy; whether of nothing else, and of data rather than of writing.
    Speaks {
        /// A bare answer counts.
        alone: bool,
        /// Of data.
        of_data: bool,
    },
    /// A name of the person, or an address.
    Name,
    /// A job, a department, a firm: an honest one may sound like a no.
    Title,
    /// A column of business.
    Business,
    /// Anything else.
    Other,
}

/// A no in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Objection {
    /// How sure it is.
    pub told: Told,
    /// The flag of contacts that stands for it.
    pub flag: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[expect(dead_code, reason = "a format version, read so that an unknown key is refused")]
    version: u32,
    stems: Vec<String>,
    objects: Vec<String>,
    groups: BTreeMap<String, String>,
    nots: Vec<String>,
    taken_back: Vec<String>,
    processing: Vec<String>,
    profiling: Vec<String>,
    object: Vec<String>,
    labels_processing: Vec<String>,
    labels_profiling: Vec<String>,
    labels_object: Vec<String>,
    tags_object: HashSet<String>,
    tags_perhaps: HashSet<String>,
    vague: HashSet<String>,
    bare: Vec<String>,
    bare_blocks: HashSet<String>,
    bare_answers: HashSet<String>,
    nouns: HashSet<String>,
    honest: HashSet<String>,
    asks: HashSet<String>,
    denied: HashSet<String>,
    speaks: Vec<String>,
    of_data: Vec<String>,
    beside: HashSet<String>,
    subscribes: HashSet<String>,
    others: HashSet<String>,
    remarks: Vec<String>,
    titles: Vec<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../../../../config/consent/objections.yaml")).expect(EMBEDDED)
});

const EMBEDDED: &str = "embedded objections are checked by a test";

static STEMS: LazyLock<AhoCorasick> = LazyLock::new(|| any_of(&WORDS.stems));
static OBJECTS: LazyLock<AhoCorasick> = LazyLock::new(|| any_of(&WORDS.objects));

fn any_of(words: &[String]) -> AhoCorasick {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect(EMBEDDED)
}

/// All patterns, as one set, with what each stands for.
struct Patterns {
    all: RegexSet,
    /// The flag, and whether it is the name of a no and no statement.
    each: Vec<(&'static str, bool)>,
    /// By themselves, as far as they were needed.
    singles: Vec<OnceLock<Regex>>,
    nots: Vec<Regex>,
    taken_back: Vec<Regex>,
    /// Bare words that are no nouns, within other words.
    verbs: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let lists = [
        (&WORDS.processing, "do_not_process", false),
        (&WORDS.profiling, "do_not_profile", false),
        (&WORDS.object, "email_opt_out", false),
        (&WORDS.labels_processing, "do_not_process", true),
        (&WORDS.labels_profiling, "do_not_profile", true),
        (&WORDS.labels_object, "email_opt_out", true),
    ];
    let all: Vec<String> = lists.iter().flat_map(|(list, ..)| list.iter().map(|pattern| whole(pattern))).collect();
    let verbs = WORDS.bare.iter().filter(|word| !WORDS.nouns.contains(*word)).map(|word| regex::escape(word));
    let singly = |all: &[String]| all.iter().map(|one| Regex::new(&whole(one)).expect(EMBEDDED)).collect();
    Patterns {
        each: lists.iter().flat_map(|(list, flag, label)| list.iter().map(move |_| (*flag, *label))).collect(),
        singles: all.iter().map(|_| OnceLock::new()).collect(),
        all: RegexSet::new(&all).expect(EMBEDDED),
        nots: singly(&WORDS.nots),
        taken_back: singly(&WORDS.taken_back),
        verbs: Regex::new(&format!(r"(?-u)\b(?:{}|gesperrt|blocked)\b", verbs.collect::<Vec<_>>().join("|")))
            .expect(EMBEDDED),
    }
});

/// A pattern of whole words, with its groups.
fn whole(pattern: &str) -> String {
    let named =
        |text: String| WORDS.groups.iter().fold(text, |text, (name, group)| text.replace(&format!("<{name}>"), group));
    format!(r"(?-u)\b(?:{})(?:\b|$)", named(named(named(pattern.to_owned()))))
}

/// Whether cells may have a no among them. Of most rows this alone is asked.
pub(crate) fn may_object(cells: &str) -> bool {
    STEMS.is_match(cells)
}

/// Where the cells of a column stand, by its header.
pub(crate) fn place_of(header: &str) -> Place {
    let name = last(header);
    let (whole, words) = (normal_header(name), words_of(name));
    let has = |all: &[String]| {
        all.iter().any(|part| match (part.strip_prefix('='), part.strip_prefix('^')) {
            (Some(word), _) => words.iter().any(|w| w == word),
            (_, Some(begin)) => whole.starts_with(begin) || words.iter().any(|w| w.starts_with(begin)),
            _ => whole.contains(part.as_str()),
        })
    };
    let is_other = words.iter().any(|word| WORDS.others.contains(word));
    if has(&WORDS.speaks) && !is_other {
        // `Newsletter: nein` is the state of who never asked for it, as it is with most; `Newsletter erlaubt: nein` is an answer.
        let state = words.iter().all(|word| WORDS.subscribes.contains(word));
        let alone = !state && words.iter().all(|word| WORDS.beside.contains(word));
        return Place::Speaks { alone, of_data: has(&WORDS.of_data) };
    }
    if is_business_header(name) {
        Place::Business
    } else if has(&WORDS.titles) && !has(&WORDS.remarks) {
        Place::Title
    } else {
        Place::Other
    }
}

/// What stands under `Newsletter` with whoever has not subscribed.
fn is_state(part: &str) -> bool {
    matches!(part, "nein" | "no" | "non")
}

/// The words of a header as they are compared, within `MarketingConsent`, too.
fn words_of(header: &str) -> Vec<String> {
    let mut apart = String::with_capacity(header.len() + 4);
    let mut before = ' ';
    for c in header.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            apart.push(' ');
        }
        apart.push(c);
        before = c;
    }
    apart.split(|c: char| !c.is_alphanumeric()).map(normal_header).filter(|word| !word.is_empty()).collect()
}

/// What a cell says; `None` = nothing that is a no.
pub(crate) fn objection_in(cell: &str, place: Place) -> Option<Objection> {
    let speaks = matches!(place, Place::Speaks { .. });
    if !cell.contains(char::is_alphabetic) || !speaks && !may_object(cell) {
        return None;
    }
    let is_whole_no = place == Place::Other && value::is_plain_no(cell);
    let is_of_texts = matches!(place, Place::Other | Place::Business);
    if is_of_texts && !is_whole_no && !OBJECTS.is_match(cell) {
        return None;
    }
    let text = parted(cell);
    let parts = normal(&text);
    if !is_whole_no && !may_say(&parts, place) {
        return None;
    }
    let Said { text, used, renewed } = said(&text);
    let without = |text: String, all: &[Regex]| {
        all.iter()
            .fold(text, |text, not| if not.is_match(&text) { not.replace_all(&text, " ").into_owned() } else { text })
    };
    let before = without(text, &PATTERNS.nots);
    let text = without(before.clone(), &PATTERNS.taken_back);
    let renewed = renewed.is_some() || text != before && super::remarks::PATTERNS.renewed.is_match(&text);
    let parts: Vec<&str> = text.split('|').map(str::trim).filter(|part| !part.is_empty()).collect();
    let cell = Cell { place, parts: &parts, additions: additions(cell), asks: cell.contains('?') };
    let told = (0..parts.len()).filter_map(|at| cell.judge(at)).max_by_key(|found| found.told);
    let perhaps = |flag| Objection { told: Told::Perhaps, flag };
    let is_right = used
        && ["loeschung", "opt out", "abmelde", "unsubscribe", "widerspruchsrecht"].iter().any(|w| text.contains(w));
    told.or_else(|| is_whole_no.then(|| perhaps("do_not_process")))
        .or_else(|| (is_right || renewed && place != Place::Business).then(|| perhaps("do_not_process")))
}

/// A cell in which signs that part tags and halves of sentences are bars; addresses are no words.
fn parted(cell: &str) -> String {
    let words: Vec<&str> = cell.split_whitespace().filter(|word| !word.contains('@')).collect();
    let lines = if cell.contains('\n') { cell.replace(['\n', '\r'], " | ") } else { words.join(" ") };
    let mut text = lines;
    for sign in [" - ", " – ", " — ", "/", "[", "]", "{", "}", "=", "\"", "<", ">", "*", "#", "•", "+"] {
        if text.contains(sign) {
            text = text.replace(sign, " | ");
        }
    }
    text
}

/// What stands behind a dash or in brackets, or is the whole of a cell.
fn additions(cell: &str) -> HashSet<String> {
    let mut text = cell.replace([',', ';', ':', '/', '!', '.'], " ");
    for sign in [" - ", " – ", " — ", "(", ")", "[", "]", "*", "\n"] {
        text = text.replace(sign, "|");
    }
    let parts: Vec<String> = text.split('|').map(normal).collect();
    let is_one = parts.iter().filter(|part| !part.is_empty()).count() == 1;
    parts.into_iter().skip(usize::from(!is_one)).filter(|part| !part.is_empty()).collect()
}

/// A cheap look: whether anything of a cell can be a no where it stands.
fn may_say(text: &str, place: Place) -> bool {
    let is_bare = || {
        text.split('|').map(str::trim).any(|part| {
            let bare = without_fillers(part);
            [part, bare.as_str()].iter().any(|part| {
                WORDS.bare.iter().any(|word| word == part)
                    || WORDS.bare_blocks.contains(*part)
                    || WORDS.bare_answers.contains(*part)
                    || WORDS.tags_object.contains(*part)
                    || WORDS.tags_perhaps.contains(*part)
            })
        })
    };
    let is_named = || !matches!(place, Place::Other | Place::Business) && PATTERNS.verbs.is_match(text);
    let is_right =
        || super::remarks::PATTERNS.used.is_match(text) || super::remarks::PATTERNS.any_taken_back.is_match(text);
    PATTERNS.all.is_match(text) || is_bare() || is_named() || is_right()
}

/// The parts of a cell, without what only sounds like a no.
struct Cell<'c> {
    place: Place,
    parts: &'c [&'c str],
    additions: HashSet<String>,
    asks: bool,
}

impl Cell<'_> {
    fn judge(&self, at: usize) -> Option<Objection> {
        let part = self.parts[at];
        let next = self.parts.get(at + 1).copied().unwrap_or_default();
        let found = match self.answered(part, next) {
            Some(found) => found,
            None if WORDS.denied.contains(next) => return None,
            None => self
                .named(part, ["ja", "yes", "j", "y", "true", "x", "1"].contains(&next))
                .or_else(|| self.bare(part))?,
        };
        let is_asked = |part: &str| part.split(' ').any(|word| WORDS.asks.contains(word));
        let before = at.checked_sub(1).map_or("", |before| self.parts[before]);
        let in_doubt = self.asks || is_asked(part) || is_asked(next) || is_asked(before);
        Some(if in_doubt { Objection { told: Told::Perhaps, ..found } } else { found })
    }

    /// A no that names what it is to; `is_set`: behind it stands a yes.
    fn named(&self, part: &str, is_set: bool) -> Option<Objection> {
        let bare = without_fillers(part);
        let is_tag = WORDS.tags_object.contains(part) || WORDS.tags_object.contains(&bare);
        // Within notes such words tell by which channel somebody likes to talk.
        if is_tag && (self.place != Place::Business || self.parts.len() == 1) {
            return self.unless_title(part, Objection { told: Told::Plainly, flag: "email_opt_out" });
        }
        let is_perhaps = WORDS.tags_perhaps.contains(part) || WORDS.tags_perhaps.contains(&bare);
        if is_perhaps && self.place != Place::Name {
            return self.unless_title(part, Objection { told: Told::Perhaps, flag: "do_not_process" });
        }
        let matches: Vec<usize> = PATTERNS.all.matches(part).iter().collect();
        let &first = matches.first()?;
        let mut rest = part.to_owned();
        for at in &matches {
            let pattern = PATTERNS.singles[*at]
                .get_or_init(|| Regex::new(&PATTERNS.all.patterns()[*at]).expect("one of the set"));
            rest = pattern.replace_all(&rest, " ").into_owned();
        }
        let (flag, is_label) = PATTERNS.each[first];
        let is_all = without_fillers(&rest).is_empty();
        let is_honest = || part.split(' ').any(|word| WORDS.honest.contains(word));
        match (is_label, is_all) {
            (_, true)
                if WORDS.vague.contains(&*bare) && self.parts.len() > 1 && self.place != Place::Name && !is_set =>
            {
                // A footer of a mail in a note has such words, too.
                let may_be = (self.place != Place::Business).then_some(Objection { told: Told::Perhaps, flag });
                may_be.and_then(|found| self.unless_title(part, found))
            }
            (true, true) => self.unless_title(part, Objection { told: Told::Plainly, flag }),
            (false, true) => Some(Objection { told: Told::Plainly, flag }),
            (_, false) if self.place == Place::Title && (is_label || is_honest()) => None,
            (true, false) if is_honest() => None,
            (_, false) => Some(Objection { told: Told::Perhaps, flag }),
        }
    }

    /// Of a job what is added to it, and then somebody has to look: it may be what the job is about.
    fn unless_title(&self, part: &str, found: Objection) -> Option<Objection> {
        if self.place != Place::Title {
            return Some(found);
        }
        self.additions.contains(part).then_some(Objection { told: Told::Perhaps, ..found })
    }

    /// A word that does not name what it is to, under a header that does, or beside a name.
    fn bare(&self, part: &str) -> Option<Objection> {
        let bare = without_fillers(part);
        let is = |all: &HashSet<String>| all.contains(part) || all.contains(&bare);
        let is_bare = WORDS.bare.iter().any(|word| word == part || *word == bare);
        let is_noun = is(&WORDS.nouns);
        let has_verb = || PATTERNS.verbs.is_match(part);
        let is_added = || self.parts.len() > 1 && self.additions.contains(part);
        let told = match self.place {
            Place::Speaks { .. } if is_bare || is(&WORDS.bare_blocks) => Told::Plainly,
            Place::Speaks { alone, .. } if is(&WORDS.bare_answers) && (alone || !is_state(part)) => Told::Perhaps,
            Place::Name if is_bare && (!is_noun || self.parts.len() > 1) => Told::Plainly,
            // Some are called so.
            Place::Name if is(&WORDS.bare_blocks) && (!is_noun || is_added()) => Told::Perhaps,
            Place::Title if is_bare && !is_noun => Told::Plainly,
            Place::Title if (is_bare || is(&WORDS.bare_blocks)) && self.additions.contains(part) => Told::Perhaps,
            Place::Speaks { .. } | Place::Name if has_verb() => Told::Perhaps,
            _ => return None,
        };
        let flag =
            if matches!(self.place, Place::Speaks { of_data: false, .. }) { "email_opt_out" } else { "do_not_process" };
        Some(Objection { told, flag })
    }

    /// `Werbung: nein` within a text.
    fn answered(&self, part: &str, next: &str) -> Option<Objection> {
        if self.place == Place::Title || next.is_empty() || part.len() > LONGEST || WORDS.nouns.contains(next) {
            return None;
        }
        let place = place_of(part);
        let Place::Speaks { of_data, .. } = place else { return None };
        if !words_of(part).iter().all(|word| WORDS.beside.contains(word)) {
            return None;
        }
        let (place, next) = (Place::Speaks { alone: true, of_data }, [next]);
        Cell { place, parts: &next, additions: HashSet::new(), asks: self.asks }.bare(next[0])
    }
}
