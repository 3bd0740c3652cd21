//! Headers of columns that nobody has told the program of, and that tell what people do not want.
//!
//! Invariant: what may be a no is never passed over: it counts as one, or the export is not read before somebody has said what it is.

/// What a header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum No {
    /// A no that stands for this field.
    Of(&'static str),
    /// It could be one.
    Perhaps,
}

/// Parts of headers by which people say no, all in lower case, letters and digits only.
const NOES: [&str; 41] = [
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
    "forget",
    "erasure",
    "restrict",
    "abgemeldet",
    "abmeldung",
    "abbestell",
    "widerspr",
    "widerruf",
    "sperre",
    "gesperrt",
    "sperrvermerk",
    "nichtzulassen",
    "nichterlaubt",
    "nichtkontakt",
    "nichtanschreib",
    "nichtverarbeit",
    "keinewerbung",
    "keinemail",
    "keinnewsletter",
    "keinmailing",
    "löschung",
    "löschen",
];
/// What such a header is about where it is no no of these: other channels, goods, payment, the tool itself.
const OTHERS: [&str; 23] = [
    "call",
    "phone",
    "telefon",
    "anruf",
    "fax",
    "sms",
    "whatsapp",
    "donotmodify",
    "nichtändern",
    "postal",
    "kreditsperre",
    "liefersperre",
    "mahnsperre",
    "auftragssperre",
    "bestellsperre",
    "zahlungssperre",
    "buchungssperre",
    "kontosperre",
    "widerrufsrecht",
    "reason",
    "grund",
    "rückgabe",
    "exportrestrict",
];
/// Parts of headers that are about data protection, whatever they tell of it.
const PERHAPS: [&str; 4] = ["gdpr", "dsgvo", "ccpa", "datenschutz"];
/// What makes of those a record of how somebody was informed or agreed, which is no no.
const AGREED: [&str; 14] = [
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
];

/// What a header tells, in the form in which headers are compared.
pub(super) fn read(header: &str) -> Option<No> {
    let has = |parts: &[&str]| parts.iter().any(|part| header.contains(part));
    if has(&OTHERS) {
        return None;
    }
    if !has(&NOES) {
        return (has(&PERHAPS) && !has(&AGREED)).then_some(No::Perhaps);
    }
    Some(No::Of(if has(&["forget", "erasure", "lösch", "delet"]) {
        "should_forget"
    } else if has(&["profil", "tracking", "track"]) {
        "do_not_profile"
    } else if has(&[
        "process",
        "verarbeit",
        "gdpr",
        "dsgvo",
        "ccpa",
        "datenschutz",
        "consent",
        "einwilligung",
        "restrict",
    ]) {
        "do_not_process"
    } else if has(&[
        "mail",
        "newsletter",
        "werb",
        "market",
        "unsubscri",
        "abgemeldet",
        "abmeldung",
        "abbestell",
        "optout",
    ]) {
        "email_opt_out"
    } else if has(&["contact", "kontakt", "anschreib", "optedout"]) {
        "do_not_contact"
    } else {
        "do_not_process"
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_headers_are_taken_for_what_they_say() {
        for (header, want) in [
            ("optedoutofemailmarketinginformation", Some(No::Of("email_opt_out"))),
            ("donotemailodatacommunitydisplayv1formattedvalue", Some(No::Of("email_opt_out"))),
            ("gesperrtdsgvolöschungbeantragt", Some(No::Of("should_forget"))),
            ("datenschutzverarbeitungwidersprochen", Some(No::Of("do_not_process"))),
            ("blacklist", Some(No::Of("do_not_process"))),
            ("nichtkontaktierenbis", Some(No::Of("do_not_contact"))),
            ("dsgvostatus", Some(No::Perhaps)),
            ("gdprconsentdate", None),
            ("donotcall", None),
            ("liefersperre", None),
            ("jobtitle", None),
            ("sperrigkeit", None),
        ] {
            assert_eq!(read(header), want, "{header}");
        }
    }
}
