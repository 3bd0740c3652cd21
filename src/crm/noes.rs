//! Headers of columns that nobody has told the program of, and that tell what people do not want: `config/crm/noes.yaml`, compiled
//! in.
//!
//! Invariant: only what plainly is a no by its header is taken for one, for no export lifts it again; what may be one stops the
//! reading before somebody has said what it is.

use std::sync::LazyLock;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use super::headers::normal;

/// What a header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum No {
    /// A no that stands for this field.
    Of(&'static str),
    /// Why somebody said no, or who wrote it down: whatever stands there, it is a no that stands for this field.
    Why(&'static str),
    /// That there is no no: a plain no in it denies this field, of what is allowed.
    Unless(&'static str),
    /// It could be one.
    Perhaps,
    /// It names a yes and a no; only its cells tell.
    Either,
}

/// Parts of headers.
#[derive(Debug, Deserialize)]
struct Parts(Vec<String>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[expect(dead_code, reason = "a format version")]
    version: u32,
    noes: Parts,
    small: Vec<String>,
    ends: Parts,
    writing_alone: Parts,
    contact_alone: Parts,
    weak: Parts,
    blocks: Parts,
    beside: Vec<String>,
    by_whom: Parts,
    plain: Parts,
    told: Parts,
    used: Parts,
    never: Parts,
    notice: Parts,
    why: Parts,
    lists: Parts,
    lifted: Parts,
    denied: Parts,
    between: Vec<String>,
    deniable: Parts,
    business: Parts,
    private: Parts,
    facts: Parts,
    erasure: Parts,
    asked: Parts,
    kept: Parts,
    profiling: Parts,
    processing: Parts,
    consents: Parts,
    writing: Parts,
    contact: Parts,
    offers: Parts,
    wishes: Vec<String>,
    channels: Vec<String>,
    perhaps: Parts,
    agreed: Parts,
    yeses: Parts,
    asks: Parts,
    states: Parts,
    values: Vec<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../config/crm/noes.yaml")).expect("embedded noes.yaml is checked by a test")
});

/// Behind which `no` is short for number.
const NUMBERED: [&str; 8] = ["contact", "kontakt", "phone", "tel", "telephone", "fax", "mobile", "person"];

/// A header as it is compared.
struct Header {
    whole: String,
    words: Vec<String>,
    /// Where the words begin in the whole.
    begins: Vec<usize>,
    /// Whether nothing but a blank or a stroke is between a word and the one before.
    joined: Vec<bool>,
}

impl Header {
    fn of(header: &str) -> Self {
        let mut text = Self { whole: String::new(), words: Vec::new(), begins: Vec::new(), joined: Vec::new() };
        let mut between = String::new();
        let header: String = header.nfc().collect();
        for part in header.split_inclusive(|c: char| !c.is_alphanumeric()) {
            let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
            for (at, hump) in humps(word).iter().map(|hump| normal(hump)).enumerate() {
                let is_joined = at > 0 || between.chars().all(|c| " _".contains(c)) || between == "-";
                text.begins.push(text.whole.len());
                text.whole.push_str(&hump);
                text.words.push(hump);
                text.joined.push(is_joined);
                between.clear();
            }
            between.push_str(&part[word.len()..]);
        }
        text
    }

    fn has(&self, parts: &Parts) -> bool {
        parts.0.iter().any(|part| self.has_part(part))
    }

    /// The same, where a part begins with a word in any case.
    fn begins(&self, parts: &Parts) -> bool {
        parts.0.iter().any(|part| if part.starts_with('=') { self.has_part(part) } else { self.begins_with(part) })
    }

    fn begins_with(&self, part: &str) -> bool {
        self.begins.iter().any(|at| self.whole[*at..].starts_with(part))
    }

    fn has_part(&self, part: &str) -> bool {
        if let Some(part) = part.strip_prefix('^') {
            return self.begins_with(part);
        }
        match (part.strip_prefix("=="), part.strip_prefix('=')) {
            (Some(whole), _) => self.whole == whole,
            (None, Some(word)) => self.words.iter().any(|w| w == word),
            (None, None) => self.whole.contains(part),
        }
    }

    fn has_word(&self, words: &[String]) -> bool {
        self.words.iter().any(|word| words.contains(word))
    }

    /// Where small words say no to something: not at the end, where `No.` is a number.
    fn small(&self) -> impl Iterator<Item = usize> {
        let is_number = |at: usize| {
            let next = self.words.get(at + 1).map_or("", String::as_str);
            let behind = at > 0 && self.joined[at] && NUMBERED.contains(&self.words[at - 1].as_str());
            self.words[at] == "no" && (next == "of" || behind && !["more", "longer"].contains(&next))
        };
        let last = self.words.len().saturating_sub(1);
        (0..last).filter(move |at| WORDS.small.contains(&self.words[*at]) && !is_number(*at))
    }

    /// Whether a question has its answer behind it: `Werbung erlaubt: nein`, and not `(ja/nein)`.
    fn is_answered(&self) -> bool {
        let is_no = |word: &String| word == "nein" || WORDS.small.contains(word);
        let is_yes = |word: &String| ["ja", "j", "yes", "y"].contains(&word.as_str());
        self.words.iter().any(is_no) && !self.words.iter().any(is_yes)
    }

    /// Whether there is no such no: `Widerspruch liegt nicht vor`. Of a consent that tells the opposite.
    fn is_said_not_to_be(&self) -> bool {
        self.begins(&WORDS.denied) && self.has(&WORDS.noes) && !self.has(&WORDS.consents) && !self.has(&WORDS.plain)
    }

    /// Whether a no is denied: `nicht gesperrt`, `no objection`.
    fn is_denied(&self) -> bool {
        let is = |at: usize| {
            let between = self.words[at + 1..].iter().take_while(|word| WORDS.between.contains(word)).count();
            let next = at + 1 + between;
            let (Some(first), true) =
                (self.words.get(next), self.joined[at + 1..].iter().take(between + 1).all(|is| *is))
            else {
                return false;
            };
            let second = self.words.get(next + 1).map_or("", String::as_str);
            let both = format!("{first}{second}");
            WORDS.deniable.0.iter().any(|part| match part.strip_prefix('=') {
                Some(word) => first == word,
                None => first.contains(part.as_str()) || both.starts_with(part.as_str()),
            })
        };
        let is_denial = |at: &usize| !["gegen", "against", "anti"].contains(&&*self.words[*at]);
        self.small().filter(is_denial).any(is) || self.is_said_not_to_be()
    }
}

/// The words within a name such as `hasOptedOut`.
fn humps(word: &str) -> Vec<String> {
    let mut humps = vec![String::new()];
    let mut before = ' ';
    for c in word.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            humps.push(String::new());
        }
        humps.last_mut().expect("one at least").push(c);
        before = c;
    }
    humps.retain(|hump| !hump.is_empty());
    humps
}

/// What a header tells.
pub(crate) fn read(header: &str) -> Option<No> {
    // Dynamics writes the words of a value beside it.
    let header = header.split("@OData").next().unwrap_or(header);
    let text = Header::of(header);
    // Of an API's object its keys: what stands beside a value, such as a source, says nothing.
    let header = header.trim().trim_end_matches('.');
    let is_inner = header.contains('.') && !header.contains(' ');
    let last = Header::of(header.rsplit('.').next().unwrap_or(header));
    if text.has(&WORDS.erasure) && text.has(&WORDS.asked) && !text.has(&WORDS.kept) {
        return Some(No::Of("should_forget"));
    }
    // Of what was not lifted the no stands.
    let is_negated = || text.small().next().is_some() || text.has_part("donot");
    if text.begins(&WORDS.lifted) && !is_negated() && !text.has(&WORDS.consents) {
        return None;
    }
    let object = object(&text);
    let is_plain = text.has(&WORDS.plain);
    let is_weak = || WORDS.noes.0.iter().all(|no| !text.has_part(no) || WORDS.weak.0.contains(no));
    if !is_plain && text.begins(&WORDS.business) && !text.has(&WORDS.private) && object.is_none() {
        // News of products are no plan of one; cars and seminars are what people are taken from, too.
        let may_be = text.has(&WORDS.writing_alone) && !text.has_part("abgemeldet") && !text.begins(&WORDS.told);
        return may_be.then_some(No::Perhaps);
    }
    if text.is_denied() {
        return Some(No::Unless(allowed(object)));
    }
    if !says(&text, object) {
        return asked(&text, object);
    }
    if is_inner && !last.has(&WORDS.noes) && !last.has(&WORDS.ends) && !WORDS.values.contains(&last.whole) {
        return None;
    }
    let is_told =
        !text.has(&WORDS.used) && (text.begins(&WORDS.told) || text.begins(&WORDS.notice) && !text.has(&WORDS.private));
    if text.begins(&WORDS.never) || is_told && !is_plain {
        return None;
    }
    if is_either(header) {
        return Some(No::Either);
    }
    let no = |field| if text.begins(&WORDS.why) { No::Why(field) } else { No::Of(field) };
    // A channel that consent was withdrawn for, and nothing else.
    let of_channel = || text.has_word(&WORDS.channels) && !text.has(&WORDS.writing) && !text.has(&WORDS.contact);
    match object {
        Some("do_not_process") if text.has(&WORDS.consents) && of_channel() => None,
        Some(field) => Some(no(field)),
        None if text.has(&WORDS.lists) => Some(No::Perhaps),
        None if text.has_word(&WORDS.channels) => None,
        None if text.has(&WORDS.writing_alone) => Some(no("email_opt_out")),
        None if text.has(&WORDS.contact_alone) => Some(no("do_not_contact")),
        // A reason may be one of business, such as a bill that was not paid; who has set a block tells that it is set.
        None if is_weak() && is_nothing_but_a_block(&text) => {
            Some(if text.has(&WORDS.by_whom) { No::Why("do_not_contact") } else { No::Perhaps })
        }
        None if is_weak() => None,
        None => Some(No::Perhaps),
    }
}

/// The field of what is allowed, by what a no would be of.
fn allowed(object: Option<&str>) -> &'static str {
    if object == Some("email_opt_out") { "email_allowed" } else { "contact_allowed" }
}

/// What a header tells that says no to nothing: it may ask whether somebody may be written to, or be about data protection.
fn asked(text: &Header, object: Option<&str>) -> Option<No> {
    let may_write = matches!(object, Some("email_opt_out" | "do_not_contact"));
    if may_write && text.begins(&WORDS.asks) && text.small().next().is_none() {
        if text.is_answered() {
            return Some(No::Either);
        }
        if !text.begins(&WORDS.notice) && !text.has_word(&WORDS.channels) {
            return Some(No::Unless(allowed(object)));
        }
    }
    let is_erasure = text.has(&WORDS.erasure) && !text.has(&WORDS.kept) && text.has(&WORDS.perhaps);
    (is_erasure || text.has(&WORDS.perhaps) && !text.has(&WORDS.agreed)).then_some(No::Perhaps)
}

/// Whether a header is one of business, and of nobody's will.
pub(crate) fn is_business(header: &str) -> bool {
    let text = Header::of(header);
    text.begins(&WORDS.business) && !text.has(&WORDS.private)
}

/// Whether a header that says no by itself in no way may have cells that do: it tells what holds for somebody about writing or data.
pub(super) fn may_have_noes(header: &str) -> bool {
    let text = Header::of(header);
    let is_business = text.begins(&WORDS.business) && !text.has(&WORDS.private);
    let is_of_data = text.has(&WORDS.processing) && !text.has_part("verarbeitungsstatus");
    let is_about = text.has(&WORDS.writing) || text.has(&WORDS.consents) || is_of_data;
    is_about && text.has(&WORDS.states) && !is_business && !text.begins(&WORDS.told)
}

/// Whether nothing of a header says what is blocked: then it is the person.
fn is_nothing_but_a_block(text: &Header) -> bool {
    let is_block = |word: &String| WORDS.blocks.0.iter().any(|block| word.starts_with(block.as_str()));
    text.words.iter().any(is_block) && text.words.iter().all(|word| is_block(word) || WORDS.beside.contains(word))
}

/// Whether a header tells that something is blocked, and not what that has to do with writing or data: a delivery, an account, or
/// nobody knows what.
pub(super) fn is_block_of_something(header: &str) -> bool {
    let text = Header::of(header);
    let is_other = text.begins(&WORDS.lifted) || text.begins(&WORDS.told) || text.begins(&WORDS.never);
    // A no to another channel, such as the telephone, says nothing of writing.
    let is_of_channel =
        text.words.iter().any(|word| WORDS.channels.iter().any(|channel| word.starts_with(channel.as_str())));
    text.has(&WORDS.blocks) && !is_other && !is_of_channel && read(header).is_none()
}

/// Whether a header names a yes and a no, with a stroke between them.
fn is_either(header: &str) -> bool {
    let (mut yes, mut no) = (false, false);
    for part in header.split(['/', '|', '=']).map(Header::of) {
        let is_no = says(&part, object(&part));
        (yes, no) = (yes || !is_no && part.has(&WORDS.yeses), no || is_no);
    }
    yes && no
}

/// Whether a header says no to its object, or to nothing that it names.
fn says(text: &Header, object: Option<&str>) -> bool {
    if text.has(&WORDS.noes)
        || text.has(&WORDS.plain)
        || text.has(&WORDS.writing_alone)
        || text.has(&WORDS.contact_alone)
    {
        return true;
    }
    let ends = text.has(&WORDS.ends) && (text.has(&WORDS.writing) || text.has(&WORDS.consents));
    let is_no = ends || text.small().next().is_some();
    let is_fact = text.begins(&WORDS.facts) && !(text.has(&WORDS.consents) && text.has_part("nichtvorhanden"));
    object.is_some() && is_no && !is_fact
}

/// The field that a no is of, by what it is about.
fn object(text: &Header) -> Option<&'static str> {
    let fields = [
        (&WORDS.profiling, "do_not_profile"),
        (&WORDS.processing, "do_not_process"),
        (&WORDS.writing, "email_opt_out"),
        (&WORDS.contact, "do_not_contact"),
    ];
    let is_wish = || text.has(&WORDS.offers) && WORDS.wishes.iter().any(|wish| text.whole.contains(wish.as_str()));
    let field = fields.into_iter().find_map(|(parts, field)| text.has(parts).then_some(field));
    field.or_else(|| is_wish().then_some("email_opt_out"))
}
