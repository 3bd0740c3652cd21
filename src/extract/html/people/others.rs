//! Titles that belong to people of others, or to people no longer there.
//!
//! Invariant: in doubt a person is another company's, and has no title here.

use std::sync::LazyLock;

use regex::Regex;

use super::super::blocks::Line;
use super::super::imprint;
use super::super::lexicon::LEXICON;
use super::names;
use super::own::Own;

/// Years that are over: `bis 2022`, `1998-2015`.
static YEARS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:bis|until|till|to)\s+(?:\p{L}{3,9}\s+)?(?:19|20)\d\d\b|\b(?:19|20)\d\d\s?[-–—]\s?(?:19|20)\d\d\b|†|✝")
        .expect("a constant pattern")
});
/// What only sentences about the end of somebody's work say.
static LEFT: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"verabschiedet|ausgeschieden|schied\w* .{0,60}\baus\b|ruhestand|verstorben|verstarb|pensioniert|in rente\b|left the company|has left|retired|retirement|passed away|stepped down";
    Regex::new(&format!(r"(?i)\b(?:{words})")).expect("a constant pattern")
});

/// What sentences about the past say, and about what somebody is or was elsewhere: `represented by X GmbH, itself represented by`.
static PAST: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"früher\w*|ehemal\w*|zuvor|vorher|bisherig\w*|vorgänger\w*|nachfolge\w* von|ex-\w+|formerly|former|previous\w*|predecessor|succeeds|was|were|war|waren|wurde|joins from|until|bis (?:ende )?(?:19|20)\d\d|kunde|kundin|customer|client|gast|gastredner\w*|überreicht\w*|laudat\w*|gratulier\w*|guest|gegründet|founded|diese(?: wiederum)?(?: vertreten)? durch|itself represented by";
    Regex::new(&format!(r"(?i)\b(?:{words})\b")).expect("a constant pattern")
});

/// Whether a sentence tells of the past, or of others.
pub(super) fn is_former_sentence(sentence: &str) -> bool {
    PAST.is_match(sentence) || LEFT.is_match(sentence) || YEARS.is_match(sentence)
}

/// Whether what a title in running text is of may be another company's: in running text nothing else says whose.
pub(super) fn belongs_elsewhere(title: &str) -> bool {
    let lower = title.to_lowercase();
    let firm = lower.split(' ').any(|w| matches!(w, "firm" | "firma" | "agency" | "agentur" | "kanzlei" | "büro"));
    let of = [" of ", " der ", " des "].iter().filter_map(|m| lower.find(m).map(|at| &title[at + m.len()..]));
    firm || of.into_iter().any(|rest| !is_inner(rest))
}

/// Whether a line tells that somebody has gone.
pub(super) fn tells_of_leaving(line: &str) -> bool {
    line.len() <= 2_000 && LEFT.is_match(line)
}

/// Whether a title is one no longer.
pub(in super::super) fn is_former(title: &str) -> bool {
    YEARS.is_match(title) || LEXICON.former.stand_in(title)
}

/// Whether a title says that it is another company's, or no company's at all.
pub(in super::super) fn is_others(title: &str, own: &Own) -> bool {
    let lower = title.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '/');
    let partner = ["unser partner", "unsere partner", "our partner", "partnerbüro", "partnerunternehmen"];
    if partner.iter().any(|p| lower.contains(p)) {
        return true;
    }
    let elsewhere = ["extern", "externe", "externer", "externen", "external", "freier", "freie", "freelance"];
    if words.any(|w| LEXICON.not_jobs.contains(w) || elsewhere.contains(&w)) {
        return true;
    }
    if own.is(title) {
        return false;
    }
    if imprint::legal_form(title).is_some() || LEXICON.other_bodies.stand_in(title) {
        return true;
    }
    let after = [" bei ", " beim ", " at ", " @ ", " @", " von ", " vom ", " der firma ", " of the "];
    let named = after.iter().any(|mark| lower.find(mark).is_some_and(|at| names_a_company(&title[at + mark.len()..])));
    named || tail_is_company(title)
}

/// Whether a text begins with what may be a company: a capital and no word for a task, a place or a team.
pub(super) fn names_a_company(text: &str) -> bool {
    let text = text.trim_start_matches("der ").trim_start_matches("the ");
    let first = text.split_whitespace().next().unwrap_or_default();
    first.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()) && !is_inner(text)
}

/// Whether a text names a part of a company: a department, a region, a further title.
fn is_inner(text: &str) -> bool {
    let lower = text.to_lowercase();
    let known = |w: &str| {
        LEXICON.is_department_word(w)
            || LEXICON.department_fillers.contains(w)
            || LEXICON.job_words.contains(w)
            || LEXICON.is_job_compound(w)
            || is_region(w)
    };
    lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).any(known)
}

fn is_region(word: &str) -> bool {
    const REGIONS: [&str; 36] = [
        "werk",
        "standort",
        "region",
        "gebiet",
        "raum",
        "plz",
        "nord",
        "süd",
        "ost",
        "west",
        "mitte",
        "north",
        "south",
        "east",
        "west",
        "central",
        "plant",
        "site",
        "dach",
        "emea",
        "apac",
        "uk",
        "europe",
        "europa",
        "america",
        "amerika",
        "asia",
        "asien",
        "africa",
        "afrika",
        "deutschland",
        "germany",
        "österreich",
        "austria",
        "schweiz",
        "switzerland",
    ];
    REGIONS.contains(&word) || LEXICON.countries.contains_key(word)
}

/// `Head of Purchasing, Northmill Foods`: what follows a whole title is a company, unless it is a part of one.
fn tail_is_company(title: &str) -> bool {
    let marks = [", ", " – ", " — ", " - ", " | ", " / "];
    let cut = marks.iter().filter_map(|m| title.rfind(m).map(|at| (at, m.len()))).max();
    let Some((at, len)) = cut else { return false };
    let (head, tail) = (title[..at].trim(), title[at + len..].trim());
    let rank = [
        "director",
        "manager",
        "vp",
        "svp",
        "evp",
        "head",
        "lead",
        "vice president",
        "senior manager",
        "leiter",
        "leiterin",
        "leitung",
        "engineer",
        "specialist",
        "consultant",
        "coordinator",
        "analyst",
    ];
    let words = tail.split_whitespace().count();
    let capital = tail.split_whitespace().all(|w| w.starts_with(|c: char| c.is_uppercase() || c == '&'));
    (2..=5).contains(&words)
        && capital
        && !is_inner(tail)
        && names::is_job(head)
        && !rank.contains(&head.to_lowercase().as_str())
}

/// Whether a line beside a name and its title says that both are another company's.
pub(super) fn line_is_others(line: &Line<'_>, own: &Own) -> bool {
    let text = &line.text;
    if text.len() > 120 || own.is(text) {
        return false;
    }
    let lower = text.to_lowercase();
    let words = ["agentur", "agency", "kanzlei", "büro ", "partnerbüro", "law firm", "rechtsanwälte", "steuerberatung"];
    let short = text.split_whitespace().count() <= 8;
    short && (imprint::legal_form(text).is_some() || words.iter().any(|w| lower.contains(w)))
}

/// Whether a line is somebody's words.
pub(super) fn is_quote(line: &Line<'_>) -> bool {
    let text = line.text.trim();
    let opens = text.starts_with(['„', '“', '"', '«', '»', '”', '‚', '‘']);
    text.len() > 8 && (opens || text.ends_with(['“', '”', '«']) || (line.outside && text.len() > 20))
}
