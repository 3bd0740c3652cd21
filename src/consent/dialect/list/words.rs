//! What headers and cells of consent lists mean: `config/consent/list_words.yaml`, compiled in.
//!
//! Invariant: a cell that is not known is never a yes.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::crm::{No, no_of_header, normal_header, undoubted_date};

/// Longer than a cell with an answer.
const LONGEST: usize = 80;

/// Parts of texts as [`normal_header`] writes them; those with `=` are words of their own.
#[derive(Debug, Deserialize)]
pub(super) struct Parts(Vec<String>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Headers {
    person: Parts,
    customer: Parts,
    pub not_person: Parts,
    basis: Parts,
    remark: Parts,
    technical: Parts,
    until: Parts,
    date: Parts,
    generic_date: Parts,
    yes_date: Parts,
    doubtful: Parts,
    confirmed: Parts,
    answer: Parts,
    manner: Parts,
    denies: Parts,
    asks: Parts,
    kind: Parts,
    pub topic: Parts,
    label: Parts,
    named: Parts,
    generic: Parts,
    vague: Parts,
    granted: Parts,
    asked: Parts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Values {
    negated: Vec<String>,
    erase: Parts,
    restrict: Parts,
    withdraw: Parts,
    object: Parts,
    refuse: Parts,
    unset: Parts,
    open: Parts,
    allowed: Parts,
    granted: Parts,
    doubts: Vec<String>,
    legitimate_interest: Parts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    pub tracking: Parts,
    pub profiling: Parts,
    pub processing: Parts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    #[expect(dead_code, reason = "a format version")]
    version: u32,
    pub headers: Headers,
    values: Values,
    pub about: About,
    pub own_address: Parts,
    lists_of_noes: Vec<String>,
    not_lists: Vec<String>,
    remarks: Vec<String>,
    remarks_processing: Vec<String>,
    remarks_not: Vec<String>,
}

/// The words.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../../../config/consent/list_words.yaml"))
        .expect("embedded words are checked by a test")
});

/// A text as it is compared.
pub(super) struct Compared {
    whole: String,
    words: Vec<String>,
}

impl Compared {
    pub fn of(text: &str) -> Self {
        let words = text.split(|c: char| !c.is_alphanumeric()).map(normal_header).filter(|w| !w.is_empty());
        Self { whole: normal_header(text), words: words.collect() }
    }

    pub fn has(&self, parts: &Parts) -> bool {
        parts.0.iter().any(|part| match part.strip_prefix('=') {
            Some(word) => self.words.iter().any(|w| w == word),
            None => self.whole.contains(part.as_str()),
        })
    }

    pub fn is(&self, whole: &str) -> bool {
        self.whole == whole
    }
}

/// How somebody says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Object,
    Refuse,
    Withdraw,
    Profiling,
    Processing,
    Restrict,
    Erase,
}

/// What a column tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing of this.
    Other,
    /// Who it is, by number.
    Person,
    /// Of which customer.
    Customer,
    Basis,
    Remark,
    Until,
    /// A no of this kind, by a tick or a date.
    No(Kind),
    /// When it was said yes; whether it is the confirmation.
    YesDate {
        confirms: bool,
    },
    Confirmed,
    Doubtful,
    /// When all that the row tells was told.
    Date,
    /// That a yes is open.
    Asks,
    /// Nothing but a plain no counts.
    Beside,
    /// What it was about.
    Label,
    /// What all somebody said yes to.
    Granted,
    /// What somebody answered: whether `no` refuses, whether an unknown word may be one, and whether a bare `yes` may be anything.
    Answer {
        asked: bool,
        strict: bool,
        vague: bool,
    },
    /// An answer among other things: whether it is called the status, and whether no column is beside it that is for answers.
    Kind {
        status: bool,
        alone: bool,
    },
    /// Something that is said yes to by a tick.
    Topic {
        alone: bool,
    },
}

impl Role {
    /// What it is where another column has the answer.
    pub const fn beside_an_answer(self) -> Self {
        match self {
            Self::Kind { status, .. } => Self::Kind { status, alone: false },
            Self::Topic { .. } => Self::Topic { alone: false },
            other => other,
        }
    }
}

/// What a column tells by its header.
pub(super) fn role(header: &str) -> Role {
    let headers = &WORDS.headers;
    let last = last(header);
    let (mut text, path) = (Compared::of(last), Compared::of(header));
    let is_inner = last.len() < header.trim().len();
    let within_named = is_inner && path.has(&headers.named);
    let is_generic = is_inner && headers.generic.0.contains(&text.whole);
    if is_generic && path.has(&headers.answer) {
        text = path;
    }
    let is_about_an_answer = text.has(&headers.answer) || text.has(&headers.topic);
    let is_technical = text.has(&headers.technical);
    if text.whole.is_empty() {
        Role::Other
    } else if text.has(&headers.basis) {
        Role::Basis
    } else if text.has(&headers.doubtful) {
        Role::Doubtful
    } else if text.has(&headers.remark) {
        Role::Remark
    } else if let Some(kind) = no_of(last, &text).filter(|_| !is_technical) {
        Role::No(kind)
    } else if is_about_an_answer && text.has(&headers.denies) {
        Role::No(Kind::Refuse)
    } else if is_about_an_answer && text.has(&headers.asks) {
        Role::Asks
    } else if text.has(&headers.yes_date) {
        Role::YesDate { confirms: text.has(&headers.confirmed) }
    } else if is_technical {
        let may_tell = is_about_an_answer || text.whole.contains("status");
        if may_tell { Role::Beside } else { Role::Other }
    } else if text.has(&headers.person) {
        Role::Person
    } else if text.has(&headers.customer) {
        Role::Customer
    } else if text.has(&headers.until) && !text.has(&headers.answer) {
        Role::Until
    } else if text.has(&headers.confirmed) {
        Role::Confirmed
    } else if text.has(&headers.granted) {
        Role::Granted
    } else if headers.generic_date.0.contains(&text.whole) || text.has(&headers.answer) && text.has(&headers.date) {
        Role::Date
    } else if text.has(&headers.label) && (!is_about_an_answer || is_label_first(&text))
        || within_named && text.words == ["name"]
    {
        Role::Label
    } else if text.has(&headers.answer) {
        let (asked, is_vague) = (text.has(&headers.asked), text.has(&headers.vague));
        Role::Answer { asked, strict: !text.has(&headers.manner), vague: is_vague && kind_free(&text) }
    } else if text.has(&headers.topic) {
        Role::Topic { alone: true }
    } else if text.has(&headers.kind) {
        Role::Kind { status: text.whole == "status", alone: true }
    } else {
        Role::Other
    }
}

/// Whether a column is one of answers, and not of something that is ticked.
pub(super) fn is_of_answers(header: &str) -> bool {
    let text = Compared::of(header);
    text.has(&WORDS.headers.answer) || text.has(&WORDS.headers.kind) || text.has(&WORDS.headers.granted)
}

/// Whether a header begins with what makes it one of what an answer is about.
fn is_label_first(text: &Compared) -> bool {
    ["zweck", "purpose", "thema", "topic", "kontaktpunkttyp", "contactpointtype"]
        .iter()
        .any(|l| text.whole.starts_with(l))
        && text.words.len() < 3
}

/// Whether nothing of a header names a consent.
fn kind_free(text: &Compared) -> bool {
    !["einwillig", "zustimm", "consent", "permission", "optin"].iter().any(|part| text.whole.contains(part))
}

/// The key of a field of an object, else the whole header.
pub(super) fn last(header: &str) -> &str {
    let header = header.trim().trim_end_matches('.');
    let wrappers = ["(Nicht ändern)", "(Do Not Modify)"];
    let header = wrappers.iter().find_map(|w| header.strip_prefix(w)).map_or(header, str::trim_start);
    if header.contains(' ') { header } else { header.rsplit('.').next().unwrap_or(header) }
}

fn no_of(header: &str, text: &Compared) -> Option<Kind> {
    match no_of_header(header) {
        Some(No::Of("do_not_profile")) => return Some(Kind::Profiling),
        Some(No::Of("do_not_process")) => return Some(Kind::Processing),
        Some(No::Of("should_forget")) => return Some(Kind::Erase),
        Some(No::Of(_)) => return Some(Kind::Object),
        // It is about data protection, and may as well be a yes.
        Some(No::Perhaps) | None => {}
    }
    if WORDS.values.negated.iter().any(|part| text.whole.contains(part.as_str())) {
        return None;
    }
    kind_of(text).filter(|kind| *kind != Kind::Refuse)
}

fn kind_of(text: &Compared) -> Option<Kind> {
    let values = &WORDS.values;
    [
        (&values.erase, Kind::Erase),
        (&values.restrict, Kind::Restrict),
        (&values.withdraw, Kind::Withdraw),
        (&values.object, Kind::Object),
        (&values.refuse, Kind::Refuse),
    ]
    .into_iter()
    .find_map(|(parts, kind)| text.has(parts).then_some(kind))
}

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing, or that nobody has said anything.
    Nothing,
    /// It is under way, or no more.
    Open,
    Yes,
    No,
    /// No by itself.
    Refused(Kind),
    /// Yes by itself.
    Granted,
    /// A day or an instant, as it is read elsewhere.
    Date(String),
    Unknown,
}

/// What a cell says.
pub(super) fn says(cell: &str) -> Says {
    let cell = cell.trim();
    match cell.to_lowercase().as_str() {
        "" | "-" | "–" | "--" | "/" | "n/a" | "k.a." | "k. a." | "null" | "[]" | "{}" => return Says::Nothing,
        "ja" | "j" | "yes" | "y" | "true" | "wahr" | "1" | "x" | "✓" | "✔" | "☑" | "☒" | "on" | "checked"
        | "gesetzt" => {
            return Says::Yes;
        }
        "nein" | "n" | "no" | "false" | "falsch" | "0" | "off" | "☐" | "unchecked" => return Says::No,
        _ => {}
    }
    if let Some(at) = date(cell) {
        return Says::Date(at);
    }
    if cell.chars().count() > LONGEST {
        return Says::Unknown;
    }
    let (text, values) = (Compared::of(cell), &WORDS.values);
    let mut left = text.whole.clone();
    for negated in &values.negated {
        left = left.replace(negated.as_str(), "");
    }
    let is_negated = left.len() < text.whole.len();
    let first = text.words.first().map(String::as_str);
    let doubts = cell.contains('?') || text.words.iter().any(|word| values.doubts.contains(word));
    // What is denied tells nothing: `nicht abgemeldet` is no yes.
    if let Some(kind) = kind_of(&Compared { whole: left, words: text.words.clone() }) {
        Says::Refused(kind)
    } else if is_negated || text.has(&values.unset) {
        Says::Nothing
    } else if text.has(&values.open) {
        Says::Open
    } else if is_number_of_something(cell) {
        Says::Nothing
    } else if matches!(first, Some("nein" | "no")) {
        Says::No
    } else if text.has(&values.granted) && !doubts {
        Says::Granted
    } else if matches!(first, Some("ja" | "yes")) {
        // With something behind it that nobody here knows.
        Says::Open
    } else {
        Says::Unknown
    }
}

/// Whether a cell of a column that says no takes it back.
pub(super) fn allows(cell: &str) -> bool {
    let text = Compared::of(cell);
    text.has(&WORDS.values.allowed) && kind_of(&text).is_none()
}

/// Whether an answer is what Pipedrive calls everybody who was never asked.
pub(super) fn was_never_asked(header: &str, cell: &str) -> bool {
    Compared::of(header).whole.contains("marketingstatus") && Compared::of(cell).is("noconsent")
}

/// Ids and the like.
fn is_number_of_something(cell: &str) -> bool {
    cell.len() >= 12 && !cell.contains(char::is_whitespace) && cell.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// Whether each row of a list is a no, by the name of its file.
pub(super) fn is_list_of_noes(file: &str) -> bool {
    let words = Compared::of(&file.rsplit_once('.').map_or(file, |(stem, _)| stem).replace('_', " ")).words;
    let is = |all: &[String]| words.iter().any(|word| all.contains(word));
    is(&WORDS.lists_of_noes) && !is(&WORDS.not_lists)
}

/// Whether a cell claims a legitimate interest.
pub(super) fn is_legitimate_interest(cell: &str) -> bool {
    let text = Compared::of(cell);
    let doubts = text.words.iter().any(|word| WORDS.values.doubts.contains(word));
    text.has(&WORDS.values.legitimate_interest) && !doubts
}

/// A day or an instant as the dialects read them.
pub(super) fn date(cell: &str) -> Option<String> {
    use crate::crm::When;
    let cell = cell.trim();
    if cell.bytes().all(|b| b.is_ascii_digit()) {
        match cell.len() {
            // 20250201101500
            14 => {
                return date(&format!(
                    "{}-{}-{} {}:{}",
                    &cell[..4],
                    &cell[4..6],
                    &cell[6..8],
                    &cell[8..10],
                    &cell[10..12]
                ));
            }
            10 | 13 => {}
            // Others may be a number of something.
            _ => return None,
        }
    }
    undoubted_date(cell).map(|when| match when {
        When::At(at) => at.to_string(),
        When::Day(day) => day.to_string(),
    })
}

/// The no of a remark: whoever asks for erasure there is not worked on, and is erased by hand.
pub(super) fn no_of_remark(remark: &str) -> Option<Kind> {
    let mut text = remark.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    for not in &WORDS.remarks_not {
        text = text.replace(not.as_str(), "");
    }
    let has = |all: &[String]| all.iter().any(|no| text.contains(no.as_str()));
    if has(&WORDS.remarks_processing) { Some(Kind::Processing) } else { has(&WORDS.remarks).then_some(Kind::Object) }
}
