//! Headers of columns that nobody has told the program of, and that tell what people do not want.
//!
//! Invariant: only what plainly is a no by its header is taken for one, for no export lifts it again; what may be one stops the
//! reading before somebody has said what it is.

use super::headers::normal;

/// What a header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum No {
    /// A no that stands for this field.
    Of(&'static str),
    /// It could be one.
    Perhaps,
}

/// Parts of headers by which people say no to whatever stands beside them; as [`normal`] writes them.
const NOES: [&str; 31] = [
    "optout",
    "optedout",
    "unsubscri",
    "donot",
    "dontcontact",
    "dontemail",
    "nocontact",
    "noemail",
    "nomarketing",
    "nonewsletter",
    "blacklist",
    "blocklist",
    "suppress",
    "objection",
    "objected",
    "objectto",
    "withdraw",
    "withdrew",
    "revok",
    "restrict",
    "abgemeldet",
    "abmeldung",
    "abbestell",
    "widerspr",
    "widerruf",
    "sperre",
    "gesperrt",
    "ausschliess",
    "ausgeschloss",
    "stopp",
    "optiert",
];
/// The same where a small word says no: it stands right before what it is about.
const SMALL: [&str; 5] = ["nicht", "kein", "keine", "keinen", "no"];
/// Those of them that say by themselves what they are about: writing to people.
const ALONE: [&str; 9] = [
    "unsubscri",
    "optout",
    "optedout",
    "abgemeldet",
    "abbestell",
    "noemail",
    "nomarketing",
    "nonewsletter",
    "blacklist",
];
/// Those that are nothing more than a part of a word unless something stands beside them.
const WEAK: [&str; 7] = ["donot", "restrict", "sperre", "gesperrt", "ausschliess", "ausgeschloss", "stopp"];
/// How people are told of a right, and what else is no no though it has the word.
const RIGHTS: [&str; 13] = [
    "recht",
    "belehrung",
    "frist",
    "hinweis",
    "policy",
    "klausel",
    "reason",
    "delete",
    "loesch",
    "merge",
    "handling",
    "count",
    "anzahl",
];
/// That somebody has asked for erasure.
const ERASURE: [&str; 4] = ["loesch", "erasure", "forget", "delet"];
const ASKED: [&str; 8] =
    ["beantragt", "verlangt", "angefragt", "angefordert", "gewuenscht", "gefordert", "request", "anfrage"];
/// That a record is kept, or how long.
const KEPT: [&str; 8] = ["nicht", "donot", "dont", "geplant", "planned", "scheduled", "aufbewahr", "retention"];
const PROFILING: [&str; 2] = ["profil", "tracking"];
const PROCESSING: [&str; 9] =
    ["process", "verarbeit", "gdpr", "dsgvo", "ccpa", "datenschutz", "einwilligung", "consent", "grundverordnung"];
const WRITING: [&str; 6] = ["mail", "newsletter", "werb", "market", "mailing", "abonn"];
const CONTACT: [&str; 5] = ["contact", "kontakt", "anschreib", "ansprach", "ansprech"];
/// Words of other channels.
const OTHERS: [&str; 13] = [
    "call",
    "calls",
    "phone",
    "telefon",
    "telefonanrufe",
    "anruf",
    "anrufe",
    "fax",
    "faxe",
    "faxes",
    "sms",
    "whatsapp",
    "post",
];
/// Parts of headers that are about data protection, whatever they tell of it.
const PERHAPS: [&str; 4] = ["gdpr", "dsgvo", "ccpa", "datenschutz"];
/// What makes of those a record of how somebody was informed or agreed, which is no no; its cells are looked at.
const AGREED: [&str; 16] = [
    "consent",
    "einwilligung",
    "zustimmung",
    "basis",
    "grundlage",
    "hinweis",
    "notice",
    "information",
    "version",
    "text",
    "quelle",
    "source",
    "beauftragt",
    "officer",
    "schulung",
    "training",
];

/// What a header tells.
pub(crate) fn read(header: &str) -> Option<No> {
    // Dynamics writes the words of a value beside it.
    let header = header.split("@OData").next().unwrap_or(header);
    // Of an API's object its keys: what stands beside a value, such as a source, says nothing.
    let (whole, last) = (normal(header), normal(header.rsplit('.').next().unwrap_or(header)));
    let is_inner = header.trim().contains('.') && !header.contains(' ');
    let has = |parts: &[&str]| parts.iter().any(|part| whole.contains(part));
    let words: Vec<String> = header.split(|c: char| !c.is_alphanumeric()).map(normal).collect();
    let small = SMALL.iter().any(|no| words.iter().any(|word| word == no));
    let object = object(&has);
    if has(&ERASURE) && has(&ASKED) && !has(&KEPT) {
        return Some(No::Of("should_forget"));
    }
    let says = has(&NOES) || (small && object.is_some());
    if is_inner && says && !NOES.iter().any(|no| last.contains(no)) && !VALUES.contains(&&*last) {
        return None;
    }
    if !says {
        let is_erasure = has(&ERASURE) && !has(&KEPT) && has(&PERHAPS);
        return (is_erasure || has(&PERHAPS) && !has(&AGREED)).then_some(No::Perhaps);
    }
    if has(&RIGHTS) {
        return None;
    }
    match object {
        Some(field) => Some(No::Of(field)),
        None if words.iter().any(|word| OTHERS.contains(&&**word)) => None,
        None if ALONE.iter().any(|no| whole.contains(no)) => Some(No::Of("email_opt_out")),
        None if NOES.iter().all(|no| WEAK.contains(no) || !whole.contains(no)) => None,
        None => Some(No::Perhaps),
    }
}

/// Keys of an object that hold what it says.
const VALUES: [&str; 9] = ["value", "status", "state", "flag", "set", "enabled", "active", "since", "date"];

/// The field that a no is of, by what it is about.
fn object(has: &impl Fn(&[&str]) -> bool) -> Option<&'static str> {
    [
        (&PROFILING[..], "do_not_profile"),
        (&PROCESSING[..], "do_not_process"),
        (&WRITING[..], "email_opt_out"),
        (&CONTACT[..], "do_not_contact"),
    ]
    .into_iter()
    .find_map(|(parts, field)| has(parts).then_some(field))
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
            ("Opt-out reason", None),
            ("GDPR consent date", None),
            ("DSGVO-Schulung am", None),
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
