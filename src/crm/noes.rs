//! Headers of columns that nobody has told the program of, and that tell what people do not want: `config/crm/noes.yaml`, compiled
//! in.
//!
//! Invariant: only what plainly is a no by its header is taken for one, for no export lifts it again; what may be one stops the
//! reading before somebody has said what it is.

use std::sync::LazyLock;

use serde::Deserialize;

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
    plain: Parts,
    told: Parts,
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

/// A header as it is compared.
struct Header {
    whole: String,
    words: Vec<String>,
}

impl Header {
    fn of(header: &str) -> Self {
        let words = header.split(|c: char| !c.is_alphanumeric()).flat_map(humps).map(|word| normal(&word));
        Self { whole: normal(header), words: words.collect() }
    }

    fn has(&self, parts: &Parts) -> bool {
        parts.0.iter().any(|part| self.has_part(part))
    }

    fn has_part(&self, part: &str) -> bool {
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
        let is_number = |at: usize| self.words[at] == "no" && self.words.get(at + 1).is_some_and(|next| next == "of");
        let last = self.words.len().saturating_sub(1);
        (0..last).filter(move |at| WORDS.small.contains(&self.words[*at]) && !is_number(*at))
    }

    /// Whether a no is denied: `nicht gesperrt`, `no objection`.
    fn is_denied(&self) -> bool {
        let is = |at: usize| {
            let mut rest =
                self.words[at + 1..].iter().skip_while(|word| WORDS.between.contains(word)).map(String::as_str);
            let (first, second) = (rest.next().unwrap_or_default(), rest.next().unwrap_or_default());
            let both = format!("{first}{second}");
            WORDS.deniable.0.iter().any(|part| match part.strip_prefix('=') {
                Some(word) => first == word,
                None => first.contains(part.as_str()) || both.starts_with(part.as_str()),
            })
        };
        let is_denial = |at: &usize| !["gegen", "against", "anti"].contains(&&*self.words[*at]);
        self.small().filter(is_denial).any(is) || self.has(&WORDS.denied) && self.has(&WORDS.noes)
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
    if text.has(&WORDS.lifted) {
        return None;
    }
    let object = object(&text);
    let is_plain = text.has(&WORDS.plain);
    let is_weak = || WORDS.noes.0.iter().all(|no| !text.has_part(no) || WORDS.weak.0.contains(no));
    if !is_plain && text.has(&WORDS.business) && !text.has(&WORDS.private) && (object.is_none() || is_weak()) {
        // News of products are no plan of one.
        return (text.has(&WORDS.writing_alone) && !text.has(&WORDS.told)).then_some(No::Perhaps);
    }
    if text.is_denied() {
        let field = if object == Some("email_opt_out") { "email_allowed" } else { "contact_allowed" };
        return Some(No::Unless(field));
    }
    if !says(&text, object) {
        let may_write = matches!(object, Some("email_opt_out" | "do_not_contact"));
        let is_asked = text.has(&WORDS.asks) && text.small().next().is_none();
        if may_write && is_asked && !text.has(&WORDS.notice) && !text.has_word(&WORDS.channels) {
            return Some(No::Unless(if object == Some("email_opt_out") { "email_allowed" } else { "contact_allowed" }));
        }
        let is_erasure = text.has(&WORDS.erasure) && !text.has(&WORDS.kept) && text.has(&WORDS.perhaps);
        return (is_erasure || text.has(&WORDS.perhaps) && !text.has(&WORDS.agreed)).then_some(No::Perhaps);
    }
    if is_inner && !last.has(&WORDS.noes) && !last.has(&WORDS.ends) && !WORDS.values.contains(&last.whole) {
        return None;
    }
    let is_told = text.has(&WORDS.told) || text.has(&WORDS.notice) && !text.has(&WORDS.private);
    if text.has(&WORDS.never) || is_told && !is_plain {
        return None;
    }
    if is_either(header) {
        return Some(No::Either);
    }
    let no = |field| if text.has(&WORDS.why) { No::Why(field) } else { No::Of(field) };
    // A channel that consent was withdrawn for, and nothing else.
    let of_channel = || text.has_word(&WORDS.channels) && !text.has(&WORDS.writing) && !text.has(&WORDS.contact);
    match object {
        Some("do_not_process") if text.has(&WORDS.consents) && of_channel() => None,
        Some(field) => Some(no(field)),
        None if text.has(&WORDS.lists) => Some(No::Perhaps),
        None if text.has_word(&WORDS.channels) => None,
        None if text.has(&WORDS.writing_alone) => Some(no("email_opt_out")),
        None if text.has(&WORDS.contact_alone) => Some(no("do_not_contact")),
        None if is_weak() => None,
        None => Some(No::Perhaps),
    }
}

/// Whether a header that says no by itself in no way may have cells that do: it tells what holds for somebody about writing or data.
pub(super) fn may_have_noes(header: &str) -> bool {
    let text = Header::of(header);
    let is_business = text.has(&WORDS.business) && !text.has(&WORDS.private);
    let is_about = text.has(&WORDS.writing) || text.has(&WORDS.consents) || text.has(&WORDS.processing);
    is_about && text.has(&WORDS.states) && !is_business && !text.has(&WORDS.told)
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
    object.is_some() && is_no && !text.has(&WORDS.facts)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_headers_are_taken_for_what_they_say_and_for_no_more() {
        let of = |field| Some(No::Of(field));
        for (header, want) in [
            ("Opted out of email: Marketing Information", of("email_opt_out")),
            ("donotemail@OData.Community.Display.V1.FormattedValue", of("email_opt_out")),
            ("Gesperrt (DSGVO-Löschung beantragt)", of("should_forget")),
            ("Lo\u{308}schung beantragt am", of("should_forget")),
            ("Datenschutz: Verarbeitung widersprochen", of("do_not_process")),
            ("Widerspruch nach Art. 21 Datenschutz-Grundverordnung", of("do_not_process")),
            ("Werbewiderspruch (E-Mail, Telefon, Post)", of("email_opt_out")),
            ("Do Not Call or Email", of("email_opt_out")),
            ("Automatically Unsubscribed", of("email_opt_out")),
            ("Keine E-Mails senden", of("email_opt_out")),
            ("Keine Newsletter gewünscht", of("email_opt_out")),
            ("Nicht per E-Mail kontaktieren", of("email_opt_out")),
            ("Kontakt nicht erwünscht", of("do_not_contact")),
            ("Von Marketing ausschließen", of("email_opt_out")),
            ("nicht kontaktieren bis", of("do_not_contact")),
            ("globalOptOutState.value", of("email_opt_out")),
            ("DSGVO-Status", Some(No::Perhaps)),
            ("Widerspruch", Some(No::Perhaps)),
            ("Objections", Some(No::Perhaps)),
            ("globalOptOutState.source", None),
            ("Do Not Delete", None),
            ("Nicht löschen (Aufbewahrungspflicht)", None),
            ("Geplante Löschung", None),
            ("Do Not Merge", None),
            ("Widerrufsbelehrung erhalten", None),
            ("Hinweis auf Widerspruchsrecht am", None),
            ("Fakturasperre", None),
            ("Portalzugang gesperrt", None),
            ("Booking Restriction", None),
            ("Opt-out reason", Some(No::Why("email_opt_out"))),
            ("Unsubscribed: product updates", Some(No::Perhaps)),
            ("GDPR consent date", None),
            ("DSGVO-Schulung am", None),
            ("Nicht anschreiben (Insolvenz)", of("do_not_contact")),
            ("Do not contact customer portal users", of("do_not_contact")),
            ("Widerspruch Profilbildung Bonität", of("do_not_profile")),
            ("Ansprechpartner will keine Werbung", of("email_opt_out")),
            ("Bitte nicht kontaktieren! Ansprechpartner wünscht das nicht", of("do_not_contact")),
            ("Do not process order data", of("do_not_process")),
            ("Keine Mails bis bestätigt", of("email_opt_out")),
            ("Unsubscribed link clicked", of("email_opt_out")),
            ("Darf nicht angeschrieben werden", of("do_not_contact")),
            ("Einwilligung entzogen am", of("do_not_process")),
            ("Abmeldegrund", Some(No::Why("email_opt_out"))),
            ("Nicht gesperrt", Some(No::Unless("contact_allowed"))),
            ("Dürfen wir mailen?", Some(No::Unless("email_allowed"))),
            ("Werbung erlaubt / gesperrt", Some(No::Either)),
            ("Unsubscribe link", None),
            ("Keine E-Mail-Adresse", None),
            ("Contact No", None),
            ("Kein Hauptansprechpartner", None),
            ("E-Mail nicht verifiziert", None),
            ("Auftrag widerrufen", None),
            ("Do not call", None),
            ("Telefonanrufe nicht zulassen", None),
            ("Liefersperre", None),
            ("Job title", None),
            ("Nickname", None),
            ("No. of employees", None),
        ] {
            assert_eq!(read(header), want, "{header}");
        }
    }
}
