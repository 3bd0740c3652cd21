//! From bytes to text: byte order mark, then HTTP header, then `<meta>`, then detection.
//!
//! Invariant: total; malformed sequences become U+FFFD, never an error.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::limits::MAX_BODY;

/// How far the prescan for `<meta charset>` looks, in bytes (browsers: 1024; real heads are longer).
const PRESCAN: usize = 4096;

/// Decodes a body as a browser would, up to the size limit.
pub(super) fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    let body = &body[..body.len().min(MAX_BODY)];
    if let Some((encoding, bom)) = Encoding::for_bom(body) {
        return encoding.decode_without_bom_handling(&body[bom..]).0;
    }
    let declared = content_type.and_then(header_charset).or_else(|| meta_charset(body));
    let encoding = declared.unwrap_or_else(|| detect(body));
    encoding.decode_without_bom_handling(body).0
}

/// Decodes an XML document: byte order mark, HTTP header, XML declaration, detection.
pub(super) fn decode_xml<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    if let Some((encoding, bom)) = Encoding::for_bom(body) {
        return encoding.decode_without_bom_handling(&body[bom..]).0;
    }
    let declared = content_type.and_then(header_charset).or_else(|| xml_charset(body));
    declared.unwrap_or_else(|| detect(body)).decode_without_bom_handling(body).0
}

/// `<?xml version="1.0" encoding="x"?>`.
fn xml_charset(body: &[u8]) -> Option<&'static Encoding> {
    let head = body[..body.len().min(PRESCAN)].trim_ascii_start().strip_prefix(b"<?xml")?;
    let declaration = &head[..memchr::memmem::find(head, b"?>")?];
    let at = memchr::memmem::find(declaration, b"encoding")? + b"encoding".len();
    let value = declaration[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let encoding = Encoding::for_label(&value[..memchr::memchr(*quote, value)?])?;
    // Whoever can read the declaration as ASCII does not read UTF-16.
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

fn header_charset(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("charset").then_some(())?;
        Encoding::for_label(value.trim().trim_matches(['"', '\'']).as_bytes())
    })
}

/// `<meta charset=x>` and `<meta http-equiv=content-type content="...charset=x">`, outside comments.
fn meta_charset(body: &[u8]) -> Option<&'static Encoding> {
    let head = body[..body.len().min(PRESCAN)].to_ascii_lowercase();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'<', &head[at..]) {
        at += found + 1;
        let rest = &head[at..];
        if rest.starts_with(b"!--") {
            at += memchr::memmem::find(rest, b"-->")?;
        } else if rest.starts_with(b"meta") {
            let tag = &rest[..memchr::memchr(b'>', rest).unwrap_or(rest.len())];
            if let Some(encoding) = charset_in(tag) {
                return Some(encoding);
            }
        }
    }
    None
}

fn charset_in(tag: &[u8]) -> Option<&'static Encoding> {
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&tag[at..], b"charset") {
        at += found + b"charset".len();
        let value = tag[at..].trim_ascii_start();
        let Some(value) = value.strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let len = value.iter().take_while(|b| !matches!(b, b'"' | b'\'' | b';' | b'/' | b' ' | b'>')).count();
        let encoding = Encoding::for_label(&value[..len])?;
        // A document whose meta could be read as ASCII is not UTF-16, whatever it says (WHATWG).
        return Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding });
    }
    None
}

fn detect(body: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(body).is_ok() {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(body, true);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &[u8], content_type: Option<&str>, expected: &str) {
        assert_eq!(decode(body, content_type), expected);
    }

    #[test]
    fn the_order_of_precedence_is_the_browsers() {
        check(b"\xEF\xBB\xBF\xC3\xBC", Some("text/html; charset=iso-8859-1"), "ü");
        check(b"<meta charset=utf-8>\xFC", Some("text/html; charset=\"ISO-8859-1\""), "<meta charset=utf-8>ü");
        check(b"<meta charset='latin1'>\xFC", None, "<meta charset='latin1'>ü");
        check(b"<!-- <meta charset=koi8-r> --><META http-equiv=content-type content='text/html; CHARSET = windows-1252'>\x80",
            Some("text/html"), "<!-- <meta charset=koi8-r> --><META http-equiv=content-type content='text/html; CHARSET = windows-1252'>€");
        check(b"\xFF\xFEA\0", None, "A");
        let xml = "<?xml version='1.0' encoding='ISO-8859-1'?>ü";
        assert_eq!(decode_xml(b"<?xml version='1.0' encoding='ISO-8859-1'?>\xFC", None), xml);
        assert_eq!(decode_xml(xml.as_bytes(), Some("application/rss+xml; charset=utf-8")), xml);
        assert_eq!(decode_xml(b"<?xml encoding=\"", None), "<?xml encoding=\"");
        check("Grüße".as_bytes(), None, "Grüße");
        check(b"Gesch\xE4ftsf\xFChrer f\xFCr M\xFCnchen und K\xF6ln", None, "Geschäftsführer für München und Köln");
    }
}
