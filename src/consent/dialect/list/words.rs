//! What headers and cells of consent lists mean: `config/consent/list_words.yaml`, compiled in.
//!
//! Invariant: a cell that is not known is never a yes.

mod cells;
mod objections;
mod remarks;
mod told;

use std::sync::LazyLock;

use serde::Deserialize;

pub(crate) use self::cells::{CellSays, asks_for_consent, cell_says, flags_of_cell, noes_of_cell};
pub(super) use self::cells::{
    Says, allows, denies, is_legitimate_interest, is_list_of_noes, is_number_of_something, is_own_address, says,
    was_never_asked,
};
pub(crate) use self::objections::{Objection, Place, may_object, objection_in, place_of};
pub(super) use self::remarks::noes_of_remark;
pub(crate) use self::told::{Told, told_in};
use crate::crm::{No, no_of_header, normal_header};

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
    nothing: Parts,
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
    own_address: Parts,
    lists_of_noes: Vec<String>,
    not_lists: Vec<String>,
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
            // Two: the whole of it.
            Some(word) => match word.strip_prefix('=') {
                Some(whole) => self.whole == whole,
                None => self.words.iter().any(|w| w == word),
            },
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
    // What a key holds, the keys above it tell: `consents.newsletter.granted`, `unsubscribed.at`.
    let is_generic = is_inner && (headers.generic.0.contains(&text.whole) || text.has(&headers.topic));
    let is_when = is_inner && ["at", "date", "time", "timestamp", "since", "on"].contains(&text.whole.as_str());
    if (is_generic || is_when) && no_of(header, &path).is_some() || is_generic && path.has(&headers.answer) {
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
    } else if is_about_an_answer && text.has(&headers.denies) && !text.words.iter().any(|w| w == "ja" || w == "yes") {
        Role::No(Kind::Refuse)
    } else if is_about_an_answer && text.has(&headers.asks) {
        Role::Asks
    } else if text.has(&headers.until) {
        Role::Until
    } else if text.has(&headers.yes_date) || text.has(&headers.answer) && text.has(&headers.date) {
        Role::YesDate { confirms: text.has(&headers.confirmed) }
    } else if is_technical {
        let may_tell = is_about_an_answer || text.whole.contains("status");
        if may_tell { Role::Beside } else { Role::Other }
    } else if headers.person.0.contains(&text.whole) {
        Role::Person
    } else if headers.customer.0.contains(&text.whole) {
        Role::Customer
    } else if text.has(&headers.confirmed) {
        Role::Confirmed
    } else if text.has(&headers.granted) {
        Role::Granted
    } else if headers.generic_date.0.contains(&text.whole) {
        Role::Date
    } else if text.has(&headers.label) && (!is_about_an_answer || !is_inner && is_label_first(&text))
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
        Some(No::Of("do_not_profile") | No::Why("do_not_profile")) => return Some(Kind::Profiling),
        Some(No::Of("do_not_process") | No::Why("do_not_process")) => return Some(Kind::Processing),
        Some(No::Of("should_forget") | No::Why("should_forget")) => return Some(Kind::Erase),
        Some(No::Of(_) | No::Why(_)) => return Some(Kind::Object),
        Some(No::Unless(_) | No::Either) => return None,
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
