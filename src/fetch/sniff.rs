//! What bytes look like, and whether that fits what the server says they are.
//!
//! Invariant: only textual types pass; bytes with a signature of something else never do.

/// Signatures of what is never text: documents, images, archives, audio, video, fonts, programs.
const BINARY: &[&[u8]] = &[
    b"%PDF-",
    b"\x89PNG",
    b"\xFF\xD8\xFF",
    b"GIF8",
    b"RIFF",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1F\x8B",
    b"BZh",
    b"\xFD7zXZ",
    b"7z\xBC\xAF",
    b"Rar!",
    b"\x28\xB5\x2F\xFD",
    b"\xD0\xCF\x11\xE0",
    b"OggS",
    b"ID3",
    b"fLaC",
    b"\x1A\x45\xDF\xA3",
    b"wOFF",
    b"wOF2",
    b"\x7FELF",
    b"MZ",
    b"II*\0",
    b"MM\0*",
    b"{\\rtf",
    b"SQLite format 3\0",
    b"PAR1",
    b"\0\0\x01\0",
    b"\0asm",
];

/// Media types that are read.
const TEXTUAL: &[&str] = &[
    "text/html",
    "application/xhtml+xml",
    "text/plain",
    "application/json",
    "text/json",
    "application/xml",
    "text/xml",
    "text/vcard",
    "text/x-vcard",
    "text/calendar",
    "text/markdown",
    "text/csv",
];

/// Whether the first thing in `body` is a tag, comment or doctype.
pub(super) fn looks_like_markup(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    body.first() == Some(&b'<') && body.get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'!' | b'?'))
}

/// Whether `body` is text in some encoding.
pub(super) fn looks_like_text(body: &[u8]) -> bool {
    let utf16 = body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF");
    let start = &body[..body.len().min(1024)];
    let control = |b: &u8| matches!(b, 0..=8 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F);
    let isobmff = body.get(4..8) == Some(b"ftyp");
    !isobmff && !BINARY.iter().any(|magic| body.starts_with(magic)) && (utf16 || !start.iter().any(control))
}

/// Whether a media type is one of those that are read.
pub(super) fn is_textual(media_type: &str) -> bool {
    TEXTUAL.contains(&media_type)
        || media_type.starts_with("application/") && (media_type.ends_with("+json") || media_type.ends_with("+xml"))
}

/// The media type that textual bytes without a label have.
pub(super) fn guess(body: &[u8]) -> &'static str {
    let start = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    match start.first() {
        Some(b'<') if start.get(..5).is_some_and(|s| s.eq_ignore_ascii_case(b"<?xml")) => "application/xml",
        Some(b'<') if looks_like_markup(start) => "text/html",
        Some(b'{' | b'[') => "application/json",
        _ => "text/plain",
    }
}

/// Whether textual bytes fit their media type: JSON does not start like markup, markup not like JSON.
pub(super) fn fits(media_type: &str, body: &[u8]) -> bool {
    let json = media_type.ends_with("/json") || media_type.ends_with("+json");
    let markup = media_type.contains("html") || media_type.ends_with("/xml") || media_type.ends_with("+xml");
    match guess(body) {
        "application/json" => !markup || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err(),
        "text/html" | "application/xml" => !json,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_not_text() {
        for body in
            [&b"%PDF-1.7 x"[..], b"\x89PNG\r\n", b"\x1F\x8B\x08", b"<html>\0\0", b"PK\x03\x04", b"\0\0\0\x18ftypmp42"]
        {
            assert!(!looks_like_text(body), "{body:?}");
        }
        for body in [&b"<html>"[..], b"", b"\xFF\xFEh\0i\0", b"caf\xE9", b"a\tb\r\n\x0C", b"\x1B$B"] {
            assert!(looks_like_text(body), "{body:?}");
        }
    }

    #[test]
    fn labels_are_held_against_bytes() {
        for (label, body, ok) in [
            ("application/json", "{}", true),
            ("application/json", "<html>", false),
            ("application/ld+json", " <?xml?>", false),
            ("text/html", "<p>", true),
            ("text/html", "plain words", true),
            ("text/html", "{\"a\": 1}", false),
            ("text/html", "{{ template }} <p>", true),
            ("application/atom+xml", "<?xml version='1.0'?>", true),
            ("text/plain", "<b>", true),
        ] {
            assert_eq!(fits(label, body.as_bytes()), ok, "{label} {body}");
        }
    }
}
